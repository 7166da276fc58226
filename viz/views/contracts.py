"""Contract cards: who promised what to whom, from when to when, what it comes to a year, and how it stands."""

from dataclasses import dataclass

import numpy as np

from viz.specs import Table
from viz.views.reading import dates_of, default_of, opening_of, told_as
from viz.words import joined, money, percent

TITLE = "Contracts"
KEY = "contracts"
GROUP = "Debt"
SMALL = 1e-6  # US$bn; what is less is rounding
LATE = 2  # months after which a bill is 60 days late


@dataclass(frozen=True, eq=False)
class Card:
    """A contract: what, who pays whom, when it runs in words; and by month ``(months + 1,)`` its size and state.

    ``yearly``: what it comes to a year at the month's terms, US$bn; ``share``: what of it is due in any case (None
    where that says nothing); ``unpaid``: US$bn left unpaid; ``runs``: whether it delivers; ``ended``: whether it is
    over for good.
    """

    name: str
    payer: str
    payee: str
    term: str
    yearly: np.ndarray
    share: np.ndarray | None
    unpaid: np.ndarray
    runs: np.ndarray
    ended: np.ndarray


def build(run, context):
    """Give the cards of compute, of sites (rent and power), and of loans that the lab's payments serve."""
    return [
        _table(run, context, "compute", context.cast.tell("promises to buy compute"), compute_cards(run)),
        _table(run, context, "sites", "promises of rent and power", site_cards(run)),
        _table(run, context, "loans", "loans that the lab's payments serve", loan_cards(run)),
    ]


# -- the cards ----------------------------------------------------------------------------------------------------


def compute_cards(run):
    """Give the cards of the take-or-pay contracts: yearly = price x available, share = the floor."""
    story, opening = run.story, opening_of(run)
    names, floor = story.state("compute_contract.floor")
    price, available, peak, ended = (
        story.state(f"compute_contract.{state}")[1] for state in ("price", "available", "peak", "ended")
    )
    unpaid = _unpaid(story, "take-or-pay")
    cards = []
    for row, name in enumerate(names):
        contract = opening.contract(name)
        cards.append(
            Card(
                name=_compute(contract),
                payer=contract.debtor,
                payee=contract.creditor,
                term=_term(run, contract),
                yearly=price[:, row] * available[:, row],
                share=floor[:, row],
                unpaid=unpaid[:, row],
                runs=available[:, row] > 0.0,
                ended=(ended[:, row] > 0) | ((peak[:, row] > 0.0) & (available[:, row] <= 0.0)),
            )
        )
    return cards


def site_cards(run):
    """Give the cards of leases (yearly: rent due x 12) and of power contracts (yearly: last bill x 12)."""
    story, opening, cards = run.story, opening_of(run), []
    for kind, word, state, what in (
        ("lease", "lease", "lease.rent_due", "rent"),
        ("power contract", "power_contract", "power_contract.cost", "power"),
    ):
        unpaid, due = _unpaid(story, what), story.state(state)[1]
        for row, contract in enumerate(opening.contracts_of_kind(kind)):
            site = contract.id.removeprefix(f"{word.split('_')[0]}_").replace("_", " ").title()
            cards.append(
                Card(
                    name=f"{what}, {site}",
                    payer=contract.debtor,
                    payee=contract.creditor,
                    term=_term(run, contract),
                    yearly=12.0 * due[:, row],
                    share=None,
                    unpaid=unpaid[:, row],
                    runs=due[:, row] > 0.0,
                    ended=np.zeros(run.months + 1, dtype=bool),
                )
            )
    return cards


def loan_cards(run):
    """Give the cards of loans that the lab's payments serve; yearly: balance x rate, share: balance over commitment."""
    story, opening = run.story, opening_of(run)
    names, rate = story.state("loan.rate")
    commitment, unpaid = story.state("loan.commitment")[1], _unpaid(story, "interest")
    unpaid = unpaid + _unpaid(story, "principal") + _unpaid(story, "bullet")
    cards = []
    for row, name in enumerate(names):
        contract = next((each for each in opening.contracts if each.id == name.split(" (")[0]), None)
        if contract is None or not contract.openai_linked:
            continue
        claim = story.claims.names.index(name)
        balance = story.claims.balances[:, claim]
        most = np.maximum(commitment[:, row], 0.0)
        cards.append(
            Card(
                name=contract.kind,
                payer=contract.debtor,
                payee=story.parties[story.claims.holders[claim]],
                term=_term(run, contract),
                yearly=balance * rate[:, row],
                share=np.where((most > 0.0) & (most < 999.0), balance / np.maximum(most, 1e-9), np.nan),
                unpaid=unpaid[:, row],
                runs=balance > 0.005,
                ended=(np.maximum.accumulate(balance) > 0.005) & (balance <= 0.005),
            )
        )
    return cards


def _compute(contract):
    if contract.kind == "announced capacity":
        return f"{contract.gw:g} GW announced"
    return f"{contract.gw:g} GW" if contract.gw else "compute"


def _unpaid(story, kind):
    """What of each contract's bills is unpaid, ``(months + 1, contracts)``: legs of a kind are in their order."""
    legs = [leg for leg, its_kind in enumerate(story.legs.kinds) if its_kind == kind]
    return story.legs.unpaid[:, legs]


def _term(run, contract):
    cast, first = told_as(run), contract.start_month + 1
    if not contract.tenor_months:
        return "without end"
    dates = cast.date(first), cast.date(first + contract.tenor_months - 1)
    return "\N{WORD JOINER}\N{EN DASH}\N{WORD JOINER}".join(dates).replace(" ", "\N{NO-BREAK SPACE}")


# -- the tables ---------------------------------------------------------------------------------------------------

HEADS = {
    "compute": ("a year, if all used", "due anyway"),
    "sites": ("a year", ""),
    "loans": ("interest a year", "drawn"),
}


def _table(run, context, key, what, cards):
    dates = dates_of(run)
    state = [_states(run, card) for card in cards]
    cells = [_rows(context, card, words) for card, words in zip(cards, state, strict=True)]
    with_share = bool(HEADS[key][1])
    columns = [
        ("what", "left"),
        ("who pays", "left"),
        ("to whom", "left"),
        ("as signed", "left"),
        (HEADS[key][0], "right"),
        *([(HEADS[key][1], "right")] if with_share else []),
        ("this month", "left"),
    ]
    frames = [[row[month] for row in cells] for month in range(run.months + 1)]
    headlines = [
        _headline(context, date, what, cards, [words[month] for words in state], month)
        for month, date in enumerate(dates)
    ]
    return Table(
        key=f"contracts_{key}",
        headline=headlines,
        label=f"{what.capitalize()}, in this world",
        columns=[{"key": title, "title": title, "align": align, "unit": ""} for title, align in columns],
        frames=frames,
        fixed=[_named(context, card) for card in cards],
        alt=headlines[-1],
    )


def _named(context, card):
    """The cells of a card that no month changes."""
    return [context.cast.tell(card.name), context.name(card.payer), context.name(card.payee), card.term]


def _states(run, card):
    """How a contract stands in each month: (words, tone)."""
    gone_payer, gone_payee = default_of(run.story, card.payer), default_of(run.story, card.payee)
    late = np.zeros(run.months + 1, dtype=int)
    for month in range(1, run.months + 1):
        late[month] = late[month - 1] + 1 if card.unpaid[month] > SMALL else 0
    states = []
    for month in range(run.months + 1):
        if month >= gone_payer:
            states.append((f"{card.payer} in default", "default"))
        elif month >= gone_payee:
            states.append((f"{card.payee} in default", "default"))
        elif late[month] >= LATE:
            states.append((f"{money(card.unpaid[month])} unpaid, 60 days late", "breach"))
        elif late[month]:
            states.append((f"{money(card.unpaid[month])} unpaid", "strained"))
        elif card.ended[month]:
            states.append(("over", "muted"))
        elif card.runs[month]:
            states.append(("runs", "calm"))
        else:
            states.append(("not yet", "muted"))
    return states


def _rows(context, card, states):
    payer, payee = context.name(card.payer), context.name(card.payee)
    rows = []
    for month, (words, tone) in enumerate(states):
        shown = words.replace(card.payer, payer).replace(card.payee, payee)
        row = [money(card.yearly[month]) if card.runs[month] else "–"]
        if card.share is not None:
            share = card.share[month]
            row.append(percent(share) if card.runs[month] and np.isfinite(share) else "–")
        rows.append([*row, {"text": shown, "tone": tone}])
    return rows


def _headline(context, date, what, cards, states, month):
    running = [
        card for card, (_, tone) in zip(cards, states, strict=True) if tone in ("calm", "strained", "breach")
    ]
    bad = [card for card, (_, tone) in zip(cards, states, strict=True) if tone in ("strained", "breach")]
    whole = sum(card.yearly[month] for card in running)
    if bad:
        who = joined(dict.fromkeys(context.inside(card.payer) for card in bad))
        return f"{date}: {money(sum(card.unpaid[month] for card in bad))} of {what} is unpaid, by {who}"
    count = "1 runs" if len(running) == 1 else f"{len(running)} run"
    return f"{date}: of {len(cards)} {what}, {count}, at {money(whole)} a year" if running else (
        f"{date}: none of {len(cards)} {what} runs"
    )  # fmt: skip
