"""The cause card: who missed what, when, because cash was short of what was due, and what had changed before.

One world is played again, with the same luck, up to the month in question; the Ledger then still holds every unpaid
bill with its payer, payee and kind.
"""

from dataclasses import asdict, dataclass

import numpy as np

from model.history import NEVER
from scenarios.ensemble import setting_of
from scenarios.experiments.attribution import value_by_world
from scenarios.schema import BadInput, Problem, default_vocabulary, nearest_name
from scenarios.simulate import simulate

WINDOW = 12  # months that are compared with the months before them
MOST_BILLS = 6
MOST_CHANGES = 3


@dataclass(frozen=True)
class Bill:
    """What was due and not paid in full: its kind, to whom, and how much is missing (US$bn)."""

    kind: str
    creditor: str
    missing: float


@dataclass(frozen=True)
class Change:
    """How a kind of payment moved: US$bn a year before and after (received +, paid -), and the difference."""

    kind: str
    before: float
    after: float

    @property
    def difference(self):
        """What the change did to cash, US$bn a year: negative where it took some."""
        return self.after - self.before


@dataclass(frozen=True)
class Card:
    """The cause card of one party in one world; money in US$bn.

    ``month``: the first with an unpaid bill; ``missed_month`` and ``default_month``: 60 days late, and legal default,
    None where it did not come to that. ``due = paid + missing``; ``cash`` is what it held when the month began.
    """

    agent: str
    world: int
    month: int
    cash: float
    due: float
    paid: float
    bills: tuple[Bill, ...]
    changes: tuple[Change, ...]
    because: str
    missed_month: int | None
    default_month: int | None

    @property
    def missing(self):
        """What was due and not paid, US$bn."""
        return self.due - self.paid

    def facts(self):
        """All of it as plain values, ready for JSON."""
        changes = [vars(change) | {"difference": change.difference} for change in self.changes]
        return asdict(self) | {"missing": self.missing, "changes": changes}


def cause_card(scenario, agent="OpenAI", world=0, seed=1, months=96, *, vocabulary=None) -> Card | None:
    """Play one world and give the card of a party, or None if it pays every bill; BadInput for an unknown party.

    ``world`` is a luck number. The three largest changes are those that took most cash in the twelve months before
    the first unpaid bill against the twelve before them (in the first two years: the later half against the earlier).
    """
    vocabulary = vocabulary or scenario.vocabulary or default_vocabulary()
    model = vocabulary.model_class(
        worlds=[world], rng=seed, months=months, setting=setting_of(scenario, {}, slice(0, 1)), record=False
    )
    ledger = model.ledger
    if agent not in ledger.index:
        near = nearest_name(agent, ledger.parties)
        raise BadInput(Problem("", "agent", "unknown", repr(agent), nearest=near))
    row, flows, found = ledger.index[agent], [], None
    for _ in range(months):
        cash = float(ledger.cash[row, 0])
        model.step()
        kinds, flow = ledger.transaction_flows(0)
        flows.append(flow[:, row])
        if found is None and ledger.outgoing()[row, 0] > 1e-9 * max(1.0, float(np.abs(flow[:, row]).sum())):
            found = _missed(model, row, cash, kinds, flows)
        if found and (model.solvency.default_month[row, 0] < NEVER):
            break
    if found is None:
        return None
    when = {
        name: None if (month := int(getattr(model.solvency, name)[row, 0])) >= NEVER else month
        for name in ("missed_month", "default_month")
    }
    return Card(agent=agent, world=int(world), because=model.why_short(agent), **found, **when)


def first_world(scenario, agent="OpenAI", worlds=128, seed=1, months=96, *, vocabulary=None):
    """Give the luck number of the first world in which a party misses a payment for 60 days, else the first."""
    results = simulate(scenario, worlds, seed, months, vocabulary=vocabulary)
    return int(results.luck[np.argmax(value_by_world(results, f"missed:{agent}") != 0.0)])


def _missed(model, row, cash, kinds, flows):
    """What the month's books say of a party that has just left something unpaid."""
    ledger, bills = model.ledger, {}
    for leg in np.flatnonzero((ledger.payer == row) & (ledger.payable[:, 0] > 1e-12)):
        key = ledger.kinds[leg], ledger.parties[ledger.payee[leg]]
        bills[key] = bills.get(key, 0.0) + float(ledger.payable[leg, 0])
    ordered = sorted(bills.items(), key=lambda item: -item[1])
    cleared = np.zeros(len(ledger.payer), dtype=bool)
    cleared[ledger.cleared] = True
    mine = (ledger.payer == row) & cleared
    paid, missing = float(ledger.flow[mine, 0].sum()), sum(bills.values())
    return {
        "month": len(flows),
        "cash": cash,
        "due": paid + missing,
        "paid": paid,
        "bills": tuple(Bill(kind, who, amount) for (kind, who), amount in ordered[:MOST_BILLS]),
        "changes": _changes(kinds, np.array(flows)),
    }


def _changes(kinds, flows):
    """The changes of kinds of payment that took most cash, the largest first; ``flows`` ``(months, kinds)``."""
    window = min(WINDOW, len(flows) // 2)
    if not window:
        return ()
    after, before = flows[-window:].sum(axis=0), flows[-2 * window : -window].sum(axis=0)
    year = 12.0 / window
    changes = [
        Change(kind, float(b * year), float(a * year))
        for kind, b, a in zip(kinds, before, after, strict=True)
    ]
    worse = [change for change in changes if change.difference < -1e-9]
    return tuple(sorted(worse, key=lambda change: change.difference)[:MOST_CHANGES])
