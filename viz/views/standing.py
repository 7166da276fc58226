"""How every party of the shown world stands, month by month: what is due and unpaid, its cover, and its state.

States are those of the page: calm, strained (cover below what lenders ask, or a year's cash not at hand), breach (a
covenant broken, or a bill unpaid) and default. Arrays have the months first, month 0 included.
"""

from dataclasses import dataclass

import numpy as np

from viz.specs import STATES

CALM, STRAINED, BREACH, DEFAULT = range(len(STATES))
LOCK_UP = 1.2  # cover below which lenders of projects usually stop payments to owners
SHORT_OF_CASH = 12  # months of cash below which the lab counts as strained
NEVER_OUT = 119.5  # months from which on a runway counts as no end in sight: the model stops counting at 120
SETTLED = 6  # months until the trailing covers of firms say something
SMALL = 1e-6  # US$bn; what is less is rounding
LAB = "OpenAI"


@dataclass(frozen=True, eq=False)
class Standing:
    """``parties`` by name; all else ``(months + 1, parties)``: ``unpaid`` and ``debt`` US$bn, ``cover`` x (NaN: says
    nothing), ``state`` places in STATES, ``closed`` flags.

    ``runway``, ``revenue``, ``used``, ``available`` of the lab: ``(months + 1,)``; ``tested``: the parties among which
    the weakest cover is looked for.
    """

    parties: tuple[str, ...]
    unpaid: np.ndarray
    debt: np.ndarray
    cover: np.ndarray
    state: np.ndarray
    closed: np.ndarray
    runway: np.ndarray
    revenue: np.ndarray
    used: np.ndarray
    available: np.ndarray
    tested: tuple[str, ...]

    def column(self, block, party):
        """Give one party's column of a block."""
        return block[:, self.parties.index(party)]

    def weakest(self):
        """Give the name of the party with the weakest cover and that cover, by month; None where nobody has one."""
        places = [self.parties.index(name) for name in self.tested]
        covers = np.where(np.isnan(self.cover), np.inf, self.cover)[:, places]
        at = covers.argmin(axis=1)
        lowest = covers[np.arange(len(at)), at]
        some = np.isfinite(lowest)
        names = [self.tested[place] if there else None for place, there in zip(at, some, strict=True)]
        return names, [float(value) if there else None for value, there in zip(lowest, some, strict=True)]

    def worst(self, parties):
        """Give the worst state among some parties by month, ``(months + 1,)``."""
        return self.state[:, [self.parties.index(name) for name in parties]].max(axis=1)


def standing(run) -> Standing:
    """Give how all parties stand in the shown world of a run; read once."""
    memory = run.memory_of_story
    if "standing" not in memory:
        memory["standing"] = _read(run.story)
    return memory["standing"]


def unpaid_of(story):
    """Give what each party leaves unpaid at the end of each month, ``(months + 1, parties)``, US$bn."""
    found = np.zeros((len(story.months), len(story.parties)))
    np.add.at(found.T, story.legs.payer, story.legs.unpaid.T)
    return np.where(found > SMALL, found, 0.0)


def _read(story):
    months, parties = len(story.months), story.parties
    place = {name: at for at, name in enumerate(parties)}
    _, default_month = story.state("solvency.default_month")
    closed = default_month <= story.months[:, None]
    unpaid = unpaid_of(story) * ~closed
    debt = story.state("solvency.debt")[1]
    cover = np.full((months, len(parties)), np.nan)
    strained, breach = np.zeros_like(closed), unpaid > 0.0
    partners, dscr = story.state("infrastructure_partner.dscr")
    earned = np.maximum.accumulate(story.state("infrastructure_partner.earnings")[1], axis=0) > 0.01
    holding = story.state("infrastructure_partner.loan_to_value")[1].max(axis=0) > 0.0
    for at, name in enumerate(partners):
        says = earned[:, at] & (debt[:, place[name]] > 0.05) & (story.months >= SETTLED) & ~holding[at]
        cover[:, place[name]] = np.where(says, dscr[:, at], np.nan)
    sites, dscr = story.state("site_company.dscr")
    complete = story.state("months_complete")[1] >= 12
    locked, breached = story.state("locked_up")[1] > 0, story.state("breached")[1] > 0
    for at, name in enumerate(sites):
        cover[:, place[name]] = np.where(
            complete[:, at] & (debt[:, place[name]] > 0.001), dscr[:, at], np.nan
        )
        strained[:, place[name]] |= locked[:, at]
        breach[:, place[name]] |= breached[:, at]
    cover[closed] = np.nan
    strained[:, [place[name] for name in partners]] |= (
        np.nan_to_num(cover, nan=LOCK_UP)[:, [place[name] for name in partners]] < LOCK_UP
    )
    runway = story.value("runway", LAB)
    strained[:, place[LAB]] |= runway < SHORT_OF_CASH
    utilities, cut = story.state("utility.curtailed")
    shed = story.state("utility.shed")[1]
    strained[:, [place[name] for name in utilities]] |= (cut > 0.0) | (shed > 0.0)
    banks, room = story.state("bank.room")
    strained[:, [place[name] for name in banks]] |= room <= SMALL
    funds, willing = story.state("private_equity_lender.willing")
    strained[:, [place[name] for name in funds]] |= willing < 0.5
    state = np.full(closed.shape, CALM)
    state[strained], state[breach], state[closed] = STRAINED, BREACH, DEFAULT
    for_the_lab = len(story.state("halls.ahead")[0])
    return Standing(
        parties=parties,
        unpaid=unpaid,
        debt=debt,
        cover=cover,
        state=state,
        closed=closed,
        runway=runway,
        revenue=story.value("openai.revenue", LAB),
        used=story.value("openai.compute_used", LAB),
        available=story.value("openai.available", LAB),
        tested=tuple(partners) + tuple(sites[:for_the_lab]),
    )
