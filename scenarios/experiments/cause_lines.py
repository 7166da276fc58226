"""A line in plain words for every missed payment, covenant breach and default of one world.

Fixed grammar: who missed what amount, when; because cash X was less than Y due; made of the three largest changes
since the last healthy quarter, in money; who had not paid it or had failed; and under what luck. The
lines are read from the books of the one world of which a run keeps everything (`books_of`, `cause_lines`).
"""

from dataclasses import asdict, dataclass, field

import numpy as np

from model.history import NEVER
from scenarios.cast import Cast
from scenarios.experiments.grid import value_in
from scenarios.simulate import simulate

QUARTER = 3
BEFORE = 12  # months up to the last healthy quarter that later months are compared with
MOST_CHANGES = 3
SMALLEST = 1e-4  # US$bn: a change or a debt below it is not told

CLEAR = 0.02  # a change smaller than this share of the largest is not told

MISSED, BREACH, DEFAULT = "missed payment", "covenant breach", "legal default"

KINDS = {
    "operating cost": ("operating costs paid to it", "operating costs"),
    "compute purchase": ("compute sold to rivals", "compute bought"),
    "revenue share": ("revenue shares received", "the revenue share"),
    "chip order": ("chips sold", "chip orders"),
    "chip replacement": ("chips sold", "chips that replace old ones"),
    "take-or-pay": ("take-or-pay income", "the take-or-pay bill"),
    "renewal": ("income from renewed contracts", "renewed compute contracts"),
    "take-or-pay to second owners": ("take-or-pay income", "the take-or-pay bill to second owners"),
    "power pass-through": ("power passed on", "power passed through to it"),
    "damages": ("damages received", "damages for ended contracts"),
    "rent": ("rent received", "rent"),
    "rent to second owners": ("rent received", "rent to second owners"),
    "power": ("power sold", "the power bill"),
    "lease claim": ("damages for its ended lease", "damages for ended leases"),
    "interest": ("interest received", "interest"),
    "principal": ("principal received", "scheduled principal"),
    "bullet": ("loans repaid whole to it", "loans that fell due whole"),
    "sales": ("sales", "purchases of services"),
    "other business": ("cash from its other business", "losses of its other business"),
    "investment": ("orders for investment", "investment"),
    "chips of hyperscalers": ("chips sold", "chips bought"),
    "construction": ("construction income", "construction"),
    "development fee": ("development fees", "development fees"),
    "parent funding": ("money from its parent", "money for its subsidiary"),
    "equity round": ("money from equity rounds", "money put into equity rounds"),
    "share issue": ("new shares sold", "new shares bought"),
    "dividend": ("dividends received", "dividends"),
    "sale of holdings": ("holdings sold", "holdings bought"),
    "re-letting": ("compute let to others", "compute rented"),
    "rent of a new tenant": ("rent of a new tenant", "rent"),
    "draw": ("new loans drawn", "loans handed out"),
    "loan sale": ("loans sold", "loans bought"),
    "prepayment": ("loans repaid early to it", "loans repaid early"),
    "site equity": ("equity from its owners", "equity put into sites"),
    "site distribution": ("distributions of sites", "distributions to its owners"),
    "capital call": ("capital called", "capital calls"),
    "public backstop": ("public money", "public money"),
}
"""Kind of payment -> what it is called by who receives it, and by who pays it; others go by their own name."""

LUCK = {
    "The equity window had been shut": (
        lambda story: story.value("equity_investors.window_open", "Equity investors") == 0,
        "equity round",
        "payee",
    ),
    "Credit had been frozen": (
        lambda story: story.state("credit.frozen")[1][:, 0] > 0,
        "interest",
        "payer",
    ),
    "Revenue of the labs had run 10% or more below what was expected": (
        lambda story: (
            story.value("openai.revenue", "OpenAI") < 0.9 * story.state("demand.expected_now")[1][:, 0]
        ),
        "sales",
        "payee",
    ),
    "Rents of compute had fallen in a glut": (
        lambda story: story.state("compute_market.glut")[1][:, 0] > 0,
        "take-or-pay",
        "payee",
    ),
}
"""Circumstance -> how it is seen in a story, and whom it concerns: who receives or owes payments of a kind."""


# -- the books of one world ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Books:
    """One world's books by month, from the first; money in US$bn; m months, k kinds of payment, p parties, l legs.

    ``flow`` ``(m, k, p)``: received less paid; ``payment`` and ``payable`` ``(m, l)``: paid in the month, and left
    unpaid when it ended, with ``payer``, ``payee`` (parties) and ``kind_of`` (kinds) of each leg ``(l,)``; ``bill``
    ``(l,)``: whether it is paid in the month's clearing; ``late`` ``(m, p)``: in arrears with bills of its own, not
    with loans that were called; ``default_month`` ``(p,)``; ``covenants`` by borrower; ``luck``: {circumstance:
    ``(m,)``}.
    """

    parties: tuple[str, ...]
    kinds: tuple[str, ...]
    flow: np.ndarray
    payment: np.ndarray
    payable: np.ndarray
    payer: np.ndarray
    payee: np.ndarray
    kind_of: np.ndarray
    bill: np.ndarray
    late: np.ndarray
    default_month: np.ndarray
    may_fail: frozenset[str]
    covenants: dict = field(default_factory=dict)
    luck: dict = field(default_factory=dict)

    @property
    def months(self):
        """How many months were played."""
        return len(self.flow)

    def unpaid(self):
        """What each party left unpaid when a month ended, ``(m, p)``, US$bn."""
        return self._by_payer(self.payable)

    def paid(self):
        """What each party paid of its bills in the month's clearing, ``(m, p)``, US$bn."""
        return self._by_payer(self.payment * self.bill)

    def takes_part(self, row, kind, side):
        """Whether a party receives (``side`` "payee") or owes ("payer") payments of a kind at all."""
        return kind in self.kinds and (
            ((getattr(self, side) == row) & (self.kind_of == self.kinds.index(kind))).any()
        )

    def _by_payer(self, amounts):
        found = np.zeros((self.months, len(self.parties)))
        np.add.at(found, (slice(None), self.payer), amounts)
        return found


@dataclass(frozen=True)
class Covenant:
    """What the covenant of one borrower was tested on, each ``(m,)``: money in US$bn, the lines as it stands.

    ``cash`` for debt service and ``service`` due of twelve months, ``loan_to_value``; ``least_cover`` and
    ``most_loan_to_value`` are the lines past which it is ``breached``; ``called``: whether lenders call the loan.
    """

    breached: np.ndarray
    called: np.ndarray
    cash: np.ndarray
    service: np.ndarray
    loan_to_value: np.ndarray
    least_cover: float
    most_loan_to_value: float


def keep_books(scenario, world=0, seed=1, months=96, *, vocabulary=None) -> Books:
    """Play one world (``world`` is its luck number) and give its books."""
    return books_of(simulate(scenario, [world], seed, months, vocabulary=vocabulary))


def books_of(results) -> Books:
    """Give the books of the world that a run's Results show; nothing is played again."""
    story, position = results.shown, results.story
    after = np.flatnonzero(story.months > 0)
    legs, unpaid = story.legs, story.legs.unpaid[after]
    has = {(state.group, state.name) for state in story.states}
    if ("solvency", "months_missed") in has:
        late = story.state("solvency.months_missed")[1][after] > 0
    else:
        late = np.zeros((len(after), len(story.parties)))
        np.add.at(late, (slice(None), legs.payer), unpaid * legs.bill)
        late = late > 1e-9
    default = np.concatenate([piece.outcomes["default"] for piece in results.pieces], axis=-1)
    of_market = ("site_company", "cfads_year") in has
    return Books(
        parties=story.parties,
        kinds=story.kinds,
        flow=story.flows[after],
        payment=legs.paid[after],
        payable=unpaid,
        payer=legs.payer,
        payee=legs.payee,
        kind_of=np.array([story.kinds.index(kind) for kind in legs.kinds]),
        bill=legs.bill,
        late=late,
        default_month=np.array(default[:, position]),
        may_fail=frozenset(results.pieces[0].firms),
        covenants=_covenants(results.scenario, story, after) if of_market else {},
        luck={name: seen(story)[after] for name, (seen, *_) in LUCK.items()} if of_market else {},
    )


def _covenants(scenario, story, after):
    """What each site company's covenant was tested on; its lines are those of the scenario."""
    found = {}
    for site in story.state("site_company.breached")[0]:
        columns = {
            name: story.value(f"site_company.{name}", site)[after]
            for name in ("breached", "called", "cfads_year", "service_year", "loan_to_value")
        }
        lines = (
            value_in(scenario, f"site_company.{site}.{name}")
            for name in ("default_dscr", "default_loan_to_value")
        )
        found[site] = Covenant(
            columns["breached"] > 0,
            columns["called"] > 0,
            columns["cfads_year"].sum(axis=1),
            columns["service_year"].sum(axis=1),
            columns["loan_to_value"],
            *map(float, lines),
        )
    return found


# -- lines -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moved:
    """How a kind of payment moved since the last healthy quarter.

    ``amount`` is what that took from the party's cash against the pace of before, US$bn, negative; ``received``:
    whether it is money that came in.
    """

    kind: str
    amount: float
    received: bool

    @property
    def words(self):
        """The change in plain words, such as "the take-or-pay bill took $4.1bn more"."""
        known = KINDS.get(self.kind, (self.kind, self.kind))
        money = dollars(-self.amount)
        return f"{known[0]} brought {money} less" if self.received else f"{known[1]} took {money} more"


@dataclass(frozen=True)
class CauseLine:
    """Why a party missed a payment, breached a covenant or came into legal default; money in US$bn.

    ``missed`` is what was due and not paid; ``cash`` what it could pay with in the month (what it held, and what it
    received before and in the clearing) and ``due`` what it had to pay: ``due = cash + missed``. Of a breach they are
    twelve months' cash for debt service and the debt service. ``since`` is the last month of the last healthy
    quarter; ``owing`` who had not paid it, and how much; ``failed`` who had paid it much and had failed: the month, and
    the share of what it received in the year before; ``luck`` the circumstances that held, each with the month since
    when; ``lasts`` the months in arrears of a missed payment that healed; of a default, ``open_bills`` what was
    open before it and ``open_since`` the month of the first of these bills, 0 if there was none.
    """

    month: int
    party: str
    outcome: str
    missed: float
    cash: float
    due: float
    since: int
    changes: tuple[Moved, ...]
    owing: tuple[tuple[str, float], ...] = ()
    failed: tuple[tuple[str, int, float], ...] = ()
    luck: tuple[tuple[str, int], ...] = ()
    reason: str = ""
    lasts: int = 0
    open_since: int = 0
    open_bills: float = 0.0

    def words(self, cast=None):
        """The line as a few sentences, in the names and dates of a Cast; without one in those of the books."""
        cast = cast or Cast()
        who, when = cast.name(self.party), cast.date(self.month)
        if self.outcome == MISSED:
            late = f" It paid {_count(self.lasts, 'month')} late." if self.lasts else ""
            head = (
                f"{who} missed {dollars(self.missed)} in {when}, because it had {dollars(self.cash)}"
                f" to pay {dollars(self.due)} that was due.{late}"
            )
        elif self.outcome == BREACH:
            head = f"{who} broke its loan covenant in {when}: {self.reason}."
        elif self.open_since:
            head = (
                f"{who} was in legal default in {when}: {dollars(self.open_bills)} of bills was open,"
                f" the first of them since {cast.date(self.open_since)}."
            )
        else:
            head = f"{who} was in legal default in {when}: {self.reason}."
        told = [head]
        if self.changes:
            since = f"Since {cast.date(self.since)}" if self.since else "From the start"
            told.append(f"{since}, {_joined([change.words for change in self.changes])}.")
        for debtor, amount in self.owing:
            told.append(f"{cast.name(debtor)} owed it {dollars(amount)} that was not paid.")
        for debtor, month, share in self.failed:
            told.append(
                f"{cast.name(debtor)}, which had paid {share:.0%} of what it received,"
                f" had failed in {cast.date(month)}."
            )
        told += [f"{circumstance} since {cast.date(month)}." for circumstance, month in self.luck]
        return cast.tell(" ".join(told))

    def facts(self):
        """The line as plain values, ready for JSON."""
        changes = [
            {"kind": moved.kind, "what": moved.words, "amount": moved.amount} for moved in self.changes
        ]
        return asdict(self) | {"words": self.words(), "changes": changes}


def cause_lines(books) -> list[CauseLine]:
    """Give a line for the start of every spell of arrears, every covenant breach and every default, by month."""
    unpaid, paid, lines = books.unpaid(), books.paid(), []
    for row, party in enumerate(books.parties):
        if party not in books.may_fail:
            continue
        end = min(int(books.default_month[row]), books.months)
        spells = _spells(books.late[:end, row])
        lines += [_missed(books, unpaid, paid, row, start, stop) for start, stop in spells]
        covenant = books.covenants.get(party)
        if covenant is not None:
            broken = _spells(covenant.breached[:end])
            lines += [_breach(books, unpaid, row, start, covenant) for start, _ in broken]
        if books.default_month[row] < NEVER:
            lines.append(_default(books, unpaid, paid, row, spells, covenant))
    order = {MISSED: 0, BREACH: 1, DEFAULT: 2}
    return sorted(lines, key=lambda line: (line.month, order[line.outcome], -line.missed))


def _spells(flags):
    """Where runs of True begin and end: [(first, first after)], positions."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(edges[i]), int(edges[i + 1])) for i in range(0, len(edges), 2)]


def _missed(books, unpaid, paid, row, start, stop):
    """The line of the first month, at position ``start``, of a spell of arrears."""
    missed, paid = float(unpaid[start, row]), float(paid[start, row])
    since = last_healthy(books, unpaid, row, start)
    healed = stop < min(int(books.default_month[row]), books.months)
    return CauseLine(
        month=start + 1,
        party=books.parties[row],
        outcome=MISSED,
        missed=missed,
        cash=paid,
        due=paid + missed,
        **_story(books, row, since, start),
        lasts=stop - start if healed else 0,
    )


def _breach(books, unpaid, row, start, covenant):
    cash, service = float(covenant.cash[start]), float(covenant.service[start])
    debt = float(covenant.loan_to_value[start])
    least = covenant.least_cover
    most = covenant.most_loan_to_value
    reasons = []
    if cash < least * service:
        reasons.append(
            f"twelve months' cash of {dollars(cash)} was less than {least:.2f} times the {dollars(service)}"
            " of debt service"
        )
    if debt > most:
        reasons.append(f"its debt stood at {debt:.0%} of the appraised value, above {most:.0%}")
    since = last_healthy(books, unpaid, row, start)
    return CauseLine(
        month=start + 1,
        party=books.parties[row],
        outcome=BREACH,
        missed=0.0,
        cash=cash,
        due=service,
        **_story(books, row, since, start),
        reason=" and ".join(reasons) or "an earlier breach was not healed",
    )


def _default(books, unpaid, paid, row, spells, covenant):
    """The line of a legal default: after arrears, by lenders who call a loan, or since another's debt is due."""
    month = int(books.default_month[row])
    at = month - 1
    start, reason, open_bills = next((first for first, stop in spells if stop == month), None), "", 0.0
    if start is not None:
        open_since, open_bills = start + 1, float(unpaid[max(at - 1, start), row])
    elif covenant is not None and covenant.called[at]:
        start, open_since, reason = at, 0, "its lenders called the loan after a breach that was not healed"
    else:
        start, open_since, reason = at, 0, "a debt that its own loans refer to was in default"
    since = last_healthy(books, unpaid, row, start)
    missed, paid = float(unpaid[start, row]), float(paid[start, row])
    return CauseLine(
        month=month,
        party=books.parties[row],
        outcome=DEFAULT,
        missed=missed,
        cash=paid,
        due=paid + missed,
        **_story(books, row, since, start),
        reason=reason,
        open_since=open_since,
        open_bills=open_bills,
    )


# -- what changed ------------------------------------------------------------------------------------------------


def last_healthy(books, unpaid, row, at):
    """Give the last month of the last quarter before position ``at`` that was healthy, 0 if there is none.

    A quarter, any three months in a row, is healthy if every bill was paid and cash did not fall.
    """
    for end in range(at, QUARTER - 1, -1):
        quarter = slice(end - QUARTER, end)
        held = books.flow[quarter, :, row].sum() >= -SMALLEST
        if held and not (unpaid[quarter, row] > SMALLEST).any():
            return end
    return 0


def largest_changes(books, row, since, at):
    """Give the three kinds of payment that took most cash after month ``since``, up to position ``at``.

    Each month is compared with the mean month of the year before: what fell due counts, whether it was paid or not.
    Without a healthy quarter the later half of all months is compared with the earlier half.
    """
    due = books.flow[: at + 1, :, row].copy()
    new = np.diff(books.payable[: at + 1], axis=0, prepend=0.0) * (books.payer == row)
    np.subtract.at(due, (slice(None), books.kind_of), new)
    since = since or (at + 1) // 2
    if since >= at + 1 or since < 1:
        return ()
    before = due[max(since - BEFORE, 0) : since]
    after = due[since:]
    amounts = after.sum(axis=0) - before.mean(axis=0) * len(after)
    gross = np.concatenate([before, after]).sum(axis=0)
    worst = [
        kind
        for kind in np.argsort(amounts)[:MOST_CHANGES]
        if amounts[kind] < min(CLEAR * amounts.min(), -SMALLEST)
    ]
    return tuple(Moved(books.kinds[kind], float(amounts[kind]), bool(gross[kind] > 0.0)) for kind in worst)


def _story(books, row, since, at):
    """What is told of the months after ``since`` up to position ``at``: changes, debtors, failures, luck."""
    return {
        "since": since,
        "changes": largest_changes(books, row, since, at),
        "owing": _owing(books, row, since, at),
        "failed": _failed(books, row, at),
        "luck": _luck(books, row, at),
    }


def _owing(books, row, since, at):
    """Who had not paid the party, and how much at most, since the last healthy quarter; the largest first."""
    legs = np.flatnonzero(books.payee == row)
    most = books.payable[max(since - 1, 0) : at + 1][:, legs]
    owed = _by_party(books.payer[legs], most.max(axis=0), books)
    found = [(books.parties[payer], float(owed[payer])) for payer in np.flatnonzero(owed > SMALLEST)]
    return tuple(sorted(found, key=lambda item: -item[1])[:MOST_CHANGES])


def _failed(books, row, at):
    """Who had failed that gave the party a tenth of its receipts, draws of loans apart, in its last year."""
    legs = np.flatnonzero((books.payee == row) & (books.kind_of != _place(books.kinds, "draw")))
    found = []
    for payer in np.flatnonzero(books.default_month <= at + 1):
        month = int(books.default_month[payer])
        year = books.payment[max(month - 1 - BEFORE, 0) : month - 1][:, legs].sum(axis=0)
        share = _by_party(books.payer[legs], year, books)[payer] / max(year.sum(), SMALLEST)
        if share >= 0.1 and payer != row:
            found.append((books.parties[payer], month, float(share)))
    return tuple(sorted(found, key=lambda item: -item[2])[:MOST_CHANGES])


def _luck(books, row, at):
    """The circumstances that held in the month at position ``at`` and concern the party, each since when."""
    found = []
    for name, held in books.luck.items():
        if held[at] and books.takes_part(row, *LUCK[name][1:]):
            found.append((name, int(np.flatnonzero(~np.append(False, held[: at + 1]))[-1]) + 1))
    return tuple(found)


def _by_party(rows, amounts, books):
    return np.bincount(rows, amounts, len(books.parties))


def _place(words, word):
    return words.index(word) if word in words else -1


# -- words -------------------------------------------------------------------------------------------------------


def dollars(amount):
    """Give money (US$bn) in words of three significant figures: "$38.0bn", "$640m", "$1.40tn"."""
    size = abs(amount)
    scale, unit = (1.0, "bn") if size >= 0.9995 else (1e-3, "m")
    if size >= 999.5:
        scale, unit = 1e3, "tn"
    value = size / scale
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    sign = "-" if amount < 0.0 and value >= 0.005 else ""
    return f"{sign}${value:,.{digits if value >= 0.005 else 0}f}{unit}"


def _count(number, thing):
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _joined(words):
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
