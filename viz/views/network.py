"""Who owes whom in the shown world: parties in fixed places, and this month's money between them.

Money runs from left to right: customers pay labs, labs pay clouds, clouds pay site companies, and all who borrow pay
lenders. Small parties of one kind are drawn as one.
"""

import re
from dataclasses import dataclass

import numpy as np

from viz.specs import STATES, Network, Plain
from viz.views.reading import opening_of
from viz.views.stake import stake_sentence
from viz.views.standing import LAB, NEVER_OUT, SMALL, STRAINED, standing
from viz.words import capitalised, money, months, times

SHOWN = 0.004  # US$bn in a month: links that never carry as much are left out
KINDS = {  # what a payment is called here: words for it, and the kinds of the Ledger that belong together
    "rent": (
        "compute and rent",
        "take-or-pay, renewal, revenue share, compute purchase, power pass-through, rent, damages, lease claim",
    ),
    "interest": ("interest and repayments", "interest, principal, bullet"),
    "power": ("power", "power"),
    "sales": ("sales", "sales"),
    "draws": ("new loans", "draw"),
    "equity": (
        "new equity",
        "equity round, share issue, site equity, capital call, co-investment, pledge call, venture capital",
    ),
}
KIND_OF = {kind: name for name, (_, kinds) in KINDS.items() for kind in kinds.split(", ")}
BUILDERS = ("partner", "vehicle", "site")
LENT_FOR_OTHER_THINGS = ("hyperscaler", "utility")  # whose debt service is no part of this story
IN_TALKS = "site loan in talks"


@dataclass(frozen=True)
class Place:
    """A node: its id, kind and place, and the parties drawn in it; ``name`` where they are several.

    In braces a name has a word of the story, by the keys of the cast.
    """

    id: str
    kind: str
    x: float
    y: float
    parties: tuple[str, ...] = ()
    name: str = ""

    @property
    def members(self):
        """The parties drawn in this node."""
        return self.parties or (self.id,)


PLACES = (
    Place("Customers", "customers", 0.0, 0.52, ("Consumers", "Enterprises", "Developers"), "Customers"),
    Place("Investors", "sector", 0.0, 0.06, ("Equity investors", "Chip vendor"), "Investors"),
    Place(LAB, "lab", 0.2, 0.42),
    Place(
        "Rival labs",
        "rival",
        0.14,
        0.98,
        (
            "Anthropic",
            "Google DeepMind",
            "Meta Llama",
            "Mistral",
            "Vertical builder",
            "Data-sovereign builder",
            "Edge builder",
        ),
        "Other {Labs}",
    ),
    Place("SoftBank", "partner", 0.36, 0.0),
    Place("Oracle", "partner", 0.42, 0.33),
    Place("CoreWeave", "partner", 0.42, 0.66),
    Place(
        "Hyperscalers",
        "hyperscaler",
        0.36,
        1.0,
        ("Microsoft", "Alphabet", "Amazon", "Meta"),
        "{Hyper-\nscalers}",
    ),
    Place("Stargate vehicle", "vehicle", 0.56, 0.0),
    Place("Utilities", "utility", 0.515, 0.94, ("ERCOT", "PJM", "MISO", "New Mexico"), "{Utili-\nties}"),
    Place("Abilene site company", "site", 0.61, 0.2),
    Place("New Mexico site company", "site", 0.61, 0.4),
    Place("Vantage Texas site company", "site", 0.61, 0.6),
    Place("Vantage Wisconsin site company", "site", 0.61, 0.8),
    Place("Meta site company", "site", 0.61, 1.0),
    Place("Crusoe", "partner", 0.84, 0.19),
    Place("Vantage", "partner", 0.875, 0.5),
    Place("Bondholders", "lender", 1.0, 0.04),
    Place("US bank syndicate", "bank", 1.0, 0.36),
    Place("Japanese bank syndicate", "bank", 1.0, 0.66),
    Place("Funds", "lender", 1.0, 0.97, ("Blue Owl", "Blackstone", "Brookfield"), "Private-equity lenders"),
)


def network(run, context):
    """Give the network of the shown world, one frame per month; month 0 shows what falls due in the first month."""
    story, stands = run.story, standing(run)
    paid, unpaid, pairs = _flows(story)
    links = [
        {"id": f"l{at}", "source": PLACES[source].id, "target": PLACES[target].id, "kind": kind}
        | {"words": context.tell(KINDS[kind][0])}
        for at, (source, target, kind) in enumerate(pairs)
    ]
    talks, in_talks = _talks(run, len(links))
    drawn, told = _Nodes(story, stands), _Headlines(run, context, paid, unpaid, pairs)
    carried = _carried(paid, unpaid)
    frames = Plain()
    for month in range(len(story.months)):
        due = month or min(1, len(story.months) - 1)
        dashed = {
            link["id"]: {"money": 0, "dashed": True}
            for link, signed in zip(talks, in_talks, strict=True)
            if month < signed
        }
        frames.append(
            {"headline": told.of(month, due), "nodes": drawn.of(month), "links": carried[due] | dashed}
        )
    nodes = [
        {"id": place.id, "name": _node_name(place, context), "kind": place.kind, "x": place.x, "y": place.y}
        for place in PLACES
    ]
    label = "Size: debt, or the bills and sales of a year; width: money due in the month"
    alt = "Parties, their state, and what each owes another in the month; the list holds the same numbers."
    return Network(nodes, links + talks, frames, label, "", alt)


def _flows(story):
    """What runs between nodes: paid and unpaid ``(months + 1, links)``, and (source, target, kind) of each link."""
    node_of = {party: at for at, place in enumerate(PLACES) for party in place.members}
    legs, found = story.legs, {}
    places = np.full(len(legs.kinds), -1)
    ends = [[node_of.get(story.parties[party]) for party in end] for end in (legs.payer, legs.payee)]
    for leg, (kind, source, target) in enumerate(zip(legs.kinds, *ends, strict=True)):
        if _is_shown(kind, source, target):
            places[leg] = found.setdefault((source, target, KIND_OF[kind]), len(found))
    shown = np.flatnonzero(places >= 0)
    sums = [np.zeros((len(found), len(story.months))) for _ in range(2)]
    for total, values in zip(sums, (legs.paid, legs.unpaid), strict=True):
        np.add.at(total, places[shown], values.T[shown])
    paid, unpaid = (total.T for total in sums)
    unpaid = np.where(unpaid > SMALL, unpaid, 0.0)
    worth = np.flatnonzero((paid + unpaid).max(axis=0) > SHOWN)
    pairs = list(found)
    return paid[:, worth], unpaid[:, worth], [pairs[at] for at in worth]


def _is_shown(kind, source, target):
    """Whether payments of a kind between two nodes are drawn."""
    if kind not in KIND_OF or source is None or target is None or source == target:
        return False
    return KIND_OF[kind] != "interest" or PLACES[source].kind not in LENT_FOR_OTHER_THINGS


def _carried(paid, unpaid):
    """What each link carries, by month: {id: {money, unpaid}}; links that carry nothing are left out."""
    ids = [f"l{at}" for at in range(paid.shape[1])]
    months = []
    for due, late in zip((paid + unpaid).tolist(), unpaid.tolist(), strict=True):
        month = {}
        for name, amount, left in zip(ids, due, late, strict=True):
            if amount > SMALL:
                month[name] = {"money": _brief(amount)}
                if left > 0.0:
                    month[name]["unpaid"] = _brief(left)
        months.append(month)
    return months


def _brief(value):
    return float("%.3g" % value)  # noqa: UP031 (twice as fast as a format string)


def _talks(run, first):
    """Links for loans that are still talked about, and the month in which each is signed or given up."""
    node_of = {party: place.id for place in PLACES for party in place.members}
    links, until = [], []
    for contract in opening_of(run).contracts_of_kind(IN_TALKS):
        source, target = node_of.get(contract.creditor), node_of.get(contract.debtor)
        if source is not None and target is not None:
            link = {"id": f"l{first + len(links)}", "source": source, "target": target, "kind": "draws"}
            links.append(link | {"words": f"loan of {money(contract.amount, short=True)} in talks"})
            until.append(contract.start_month + 1)
    return links, until


class _Nodes:
    """What changes of the nodes with the month."""

    def __init__(self, story, stands):
        members = [[stands.parties.index(name) for name in place.members] for place in PLACES]
        lent = story.state("solvency.lent")[1]
        held = story.sheets[0, story.instruments.index("cash")]
        year = _turned_over(story)
        size_of = dict.fromkeys(("lab", "rival", "customers", "utility", "sector"), year)
        size_of |= {"lender": lent, "bank": lent}
        months = range(len(story.months))
        self.frames = [{} for _ in months]
        for place, at in zip(PLACES, members, strict=True):
            sizes = size_of.get(place.kind, stands.debt)[:, at].sum(axis=1).tolist()
            states = _joint_states(stands.state[:, at])
            lines = _lines(place, at[0], stands, lent, held) if len(at) == 1 else [""] * len(sizes)
            for frame, size, state, line in zip(self.frames, sizes, states, lines, strict=True):
                node = frame[place.id] = {"size": _brief(size)}
                if state:
                    node["state"] = STATES[state]
                if line:
                    node["line"] = line

    def of(self, month):
        """The nodes of a month: {id: {size, state, line}}; a state of calm is left out."""
        return self.frames[month]


def _turned_over(story):
    """What each party paid and received in the last twelve months, half of it, at a yearly rate, US$bn."""
    so_far = np.cumsum(np.abs(story.flows).sum(axis=1) / 2.0, axis=0)
    month = np.arange(len(so_far))
    since = np.maximum(month - 12, 0)
    year = (so_far - so_far[since]) * 12.0 / np.maximum(month - since, 1)[:, None]
    year[0] = year[min(1, len(year) - 1)]
    return year


def _joint_states(states):
    """A party's state by month; of several that of the worst, but one alone in difficulty leaves the rest strained."""
    worst = states.max(axis=1)
    alone = (states == worst[:, None]).sum(axis=1) == 1
    if states.shape[1] > 1:
        worst = np.where(alone & (worst > STRAINED), STRAINED, worst)
    return worst.tolist()


def _lines(place, at, stands, lent, held):
    """The few words beneath a name, by month: cover of a borrower, cash of the lab, loans of a lender."""
    if place.kind == "lab":
        calm = [cash_words(left) for left in stands.runway.tolist()]
        calm[0] = f"holds {money(held[at])}"
    elif place.kind in ("bank", "lender"):
        calm = [f"lent {money(amount)}" for amount in lent[:, at].tolist()]
    else:
        covers, debts = stands.cover[:, at].tolist(), stands.debt[:, at].tolist()
        calm = [
            f"cover {times(cover)}" if cover == cover else f"owes {money(debt)}" if debt > SMALL else ""
            for cover, debt in zip(covers, debts, strict=True)
        ]
    closed, unpaid = stands.closed[:, at].tolist(), stands.unpaid[:, at].tolist()
    return [
        "in default" if gone else f"{money(late)} unpaid" if late > 0.0 else words
        for gone, late, words in zip(closed, unpaid, calm, strict=True)
    ]


def cash_words(runway):
    """Give how long the lab's cash lasts, in words."""
    return "no lack of cash" if runway > NEVER_OUT else f"cash for {months(runway)}"


class _Headlines:
    """What each month is about: unpaid bills first, else who pays how much to whom."""

    def __init__(self, run, context, paid, unpaid, pairs):
        self.run, self.context, self.unpaid, self.pairs = run, context, unpaid, pairs
        lab = [
            at for at, (source, _, kind) in enumerate(pairs) if PLACES[source].id == LAB and kind == "rent"
        ]
        served = [
            at
            for at, (source, _, kind) in enumerate(pairs)
            if kind == "interest" and PLACES[source].kind in BUILDERS
        ]
        self.for_compute, self.to_lenders = paid[:, lab].sum(axis=1), paid[:, served].sum(axis=1)
        self.late = unpaid.any(axis=1)
        stands = standing(run)
        self.gone = stands.column(stands.closed, LAB)

    def of(self, month, due):
        """The headline of a month; ``due`` is the month whose bills are shown."""
        if month == 0:
            return stake_sentence(self.run, self.context)
        if self.late[due]:
            owing = [at for at in np.argsort(-self.unpaid[due]) if self.unpaid[due, at] > 0.0]
            return self._unpaid(due, owing)
        lab, lenders = self.context.inside(LAB), money(self.to_lenders[due])
        if self.gone[month]:
            return f"{capitalised(lab)} is gone; those who built for it pay lenders {lenders} this month"
        paid = f"{capitalised(lab)} pays {money(self.for_compute[due])} for compute this month"
        return self.context.tell(f"{paid}; those who built it pay lenders {lenders}")

    def _unpaid(self, due, owing):
        source, target, _ = self.pairs[owing[0]]
        who, whom = (_inside(PLACES[end], self.context) for end in (source, target))
        rest = {1: "", 2: ", and one more bill is late"}.get(
            len(owing), f", and {len(owing) - 1} more bills are late"
        )
        return f"{capitalised(who)} leaves {money(self.unpaid[due, owing[0]])} unpaid to {whom}{rest}"


def _inside(place, context):
    """A name as it stands inside a sentence."""
    return _joint_name(place, context) if place.name else context.inside(place.id)


def _joint_name(place, context):
    """The name of several parties drawn as one, in small letters."""
    name = place.name[:1].lower() + place.name[1:]
    return re.sub(r"\{([^}]*)\}", lambda found: context.word(found[1]), name)


def _node_name(place, context):
    """A name as it fits beneath a node; sites by their place."""
    name = capitalised(_joint_name(place, context)) if place.name else context.name(place.id)
    return name.removesuffix(" site company").replace(" bank syndicate", " banks").removeprefix("Vantage ")
