"""Where the month's money goes: from customers, investors and lenders through the lab and its partners to the rest.

Only what flows onward is drawn. A payment back towards where money came from (a site pays its developer) leaves the
picture at its right edge and enters it again at the left, so that nothing runs in a circle and nothing is lost: what a
party takes in, with what it takes out of savings, is what it pays and keeps.
"""

import numpy as np

from viz.specs import Chart
from viz.views.drawing import FONT, frame, three
from viz.views.reading import dates_of, table_of
from viz.words import capitalised, joined, money

TITLE = "Where the money goes"
KEY = "sankey"
GROUP = "Money"
LAB = "OpenAI"
STAGES = (
    ("SoftBank", 1, ("SoftBank",)),
    (LAB, 2, (LAB,)),
    ("Oracle", 3, ("Oracle",)),
    ("CoreWeave", 3, ("CoreWeave",)),
    ("Stargate vehicle", 3, ("Stargate vehicle",)),
    ("Joint venture", 3, ("Joint venture",)),
    ("Crusoe", 3, ("Crusoe",)),
    ("Vantage", 3, ("Vantage",)),
    ("Sites", 4, None),
)
"""The parties that money passes through, and how far along; the five site companies are one."""
LAST = 5
FROM = {
    "sales": "Customers",
    "equity round": "New equity",
    "share issue": "New equity",
    "pledge call": "New equity",
    "capital call": "New equity",
    "site equity": "New equity",
    "co-investment": "New equity",
    "draw": "New loans",
    "loan sale": "New loans",
    "public backstop": "Public money",
}
OTHER_INCOME, SAVINGS, KEPT = "Other business", "Savings", "Kept"
TO = {
    "interest": "Interest",
    "principal": "Repayment",
    "bullet": "Repayment",
    "prepayment": "Repayment",
    "take-or-pay": "Hyperscalers",
    "renewal": "Hyperscalers",
    "revenue share": "Hyperscalers",
    "chip order": "Chips",
    "chip replacement": "Chips",
    "construction": "Building",
    "development fee": "Building",
    "investment": "Building",
    "power": "Power",
    "dividend": "Owners",
    "site distribution": "Owners",
    "fund distribution": "Owners",
    "operating cost": "Staff and running",
}
OTHER_USES = "Other payments"
SOURCES = ("Customers", "New equity", "New loans", "Public money", OTHER_INCOME, SAVINGS)
SINKS = ("Hyperscalers", "Interest", "Repayment", "Chips", "Building", "Power", "Owners", "Staff and running")
SINKS = (*SINKS, OTHER_USES, KEPT)
DEPTHS = {
    **dict.fromkeys(SOURCES, 0),
    **{name: depth for name, depth, _ in STAGES},
    **dict.fromkeys(SINKS, LAST),
}
TOO_SMALL = 0.012  # of the largest node: smaller ones carry no words
SMALLEST = 0.0005
"""US$bn: half a million dollars a month is not drawn."""


def build(run, context):
    """Give the flows of each month through the lab, its partners and their sites."""
    return [_chart(run, context)]


def passing(run):
    """Give {(source, target): US$bn ``(months + 1,)``} between stages, sources and sinks, savings included.

    For each stage, what comes in is what goes out; "Savings" and "Kept" are the change of its cash.
    """
    story, legs = run.story, run.story.legs
    stage = _stage_of(story)
    places = {name: depth for name, depth, _ in STAGES}
    flows = {}

    def add(source, target, amount):
        flows[source, target] = flows.get((source, target), 0.0) + amount

    change = {name: np.zeros(run.months + 1) for name, _, _ in STAGES}
    for leg in np.flatnonzero(legs.paid.any(axis=0)):
        payer, payee = stage.get(legs.payer[leg]), stage.get(legs.payee[leg])
        if payer == payee:
            continue
        amount, kind = legs.paid[:, leg], legs.kinds[leg]
        if payer is not None:
            change[payer] = change[payer] - amount
        if payee is not None:
            change[payee] = change[payee] + amount
        if payer is not None and payee is not None and places[payer] < places[payee]:
            add(payer, payee, amount)
            continue
        if payer is not None:
            add(payer, TO.get(kind, OTHER_USES), amount)
        if payee is not None:
            add(FROM.get(kind, OTHER_INCOME), payee, amount)
    for name, moved in change.items():
        add(SAVINGS, name, np.maximum(-moved, 0.0))
        add(name, KEPT, np.maximum(moved, 0.0))
    return flows


def _stage_of(story):
    """Which stage each party (by its place) belongs to."""
    sites = story.state("locked_up")[0]
    members = {name: sites if who is None else who for name, _, who in STAGES}
    return {story.parties.index(party): name for name, who in members.items() for party in who}


def _chart(run, context):
    flows, dates = passing(run), dates_of(run)
    ever = {pair: amount.tolist() for pair, amount in flows.items() if amount.max() >= SMALLEST}
    names = {name: context.name(name) for name, _, _ in STAGES}
    names["Chips"] = capitalised(context.cast.tell("chips"))
    frames = [_frame(ever, month, names) for month in range(run.months + 1)]
    headlines = [_headline(ever, month, date, context.inside(LAB)) for month, date in enumerate(dates)]
    option = frame(
        tooltip={"trigger": "item", "triggerOn": "mousemove", "confine": True},
        series=[
            {
                "id": "flows",
                "type": "sankey",
                "left": 152,
                "right": 164,
                "top": 8,
                "bottom": 8,
                "nodeWidth": 10,
                "nodeGap": 14,
                "nodeAlign": "left",
                "layoutIterations": 24,
                "draggable": False,
                "emphasis": {"focus": "adjacency"},
                "label": {"color": "var:ink", "fontSize": FONT, "lineHeight": 15, "distance": 6},
                "lineStyle": {"color": "var:accent", "opacity": 0.22, "curveness": 0.5},
                "itemStyle": {"borderWidth": 0},
                "levels": _levels(),
                "data": [],
                "links": [],
            }
        ],
    )
    rows = [
        [dates[month], names.get(source, source), names.get(target, target), three(amount[month])]
        for month in range(1, run.months + 1)
        for (source, target), amount in ever.items()
        if amount[month] >= SMALLEST and (month % 12 == 0 or month == 1)
    ]
    return Chart(
        key="sankey",
        headline=headlines,
        label="Money that passed through the lab, its partners and their sites in the month, in this world",
        unit="US$bn a month",
        option=option,
        frames=frames,
        alt=headlines[-1],
        table=table_of(["month", "from", "to", "US$bn"], rows),
    )


def _levels():
    colours = {0: "var:muted", 2: "var:ink", LAST: "var:muted"}
    return [
        {"depth": depth, "itemStyle": {"color": colours.get(depth, "var:accent")}}
        for depth in range(LAST + 1)
    ]


def _frame(flows, month, names):
    """The nodes and links of a month; a node's name carries its amount, and links point at nodes by their places."""
    through, values = {}, {}
    for (source, target), amount in flows.items():
        value = amount[month]
        if value >= SMALLEST:
            values[source, target] = value
            through.setdefault(source, [0.0, 0.0])[0] += value
            through.setdefault(target, [0.0, 0.0])[1] += value
    order = [name for name in DEPTHS if name in through]
    place = {name: at for at, name in enumerate(order)}
    small = TOO_SMALL * max(map(max, through.values()), default=0.0)
    nodes = [_node(name, names, max(through[name]), small) for name in order]
    links = [
        {"source": place[source], "target": place[target], "value": three(value)}
        for (source, target), value in values.items()
    ]
    return {"series": [{"id": "flows", "data": nodes, "links": links}]}


def _node(name, names, amount, small):
    """A node with its amount in its name, outside at the edges, beneath it between; the smallest carry no words."""
    edge, shown = DEPTHS[name] in (0, LAST), names.get(name, name)
    told = f"{shown} {money(amount)}" if edge else f"{shown.replace(' ', chr(10))}\n{money(amount)}"
    node = {"name": told, "depth": DEPTHS[name]}
    if amount < small:
        return node | {"label": {"show": False}}
    return node | {"label": {"position": "left"}} if not DEPTHS[name] else node


def _headline(flows, month, date, lab):
    if not month:
        return "Nothing has been paid yet: press play"
    new = ("New equity", "SoftBank", "New loans")
    into = sum(a[month] for (s, t), a in flows.items() if t == LAB and s not in (SAVINGS, *new))
    out = sum(a[month] for (s, t), a in flows.items() if s == LAB and t != KEPT)
    if max(into, out) < SMALLEST:
        return f"{date}: no money passes through {lab} any more"
    if out - into <= SMALLEST:
        return f"{date}: {lab} earns {money(into)} and pays {money(out)}"
    fresh = sum(flows[source, LAB][month] for source in new if (source, LAB) in flows)
    saved = flows[SAVINGS, LAB][month] if (SAVINGS, LAB) in flows else 0.0
    ways = ((fresh, "of new money"), (saved, "out of savings"))
    met = joined(f"{money(amount)} {words}" for amount, words in ways if amount >= SMALLEST)
    verb = "covers" if min(fresh, saved) < SMALLEST else "cover"
    return f"{date}: {lab} earns {money(into)} and pays {money(out)}; {met} {verb} the gap"
