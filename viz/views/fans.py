"""The large chart of the main screen: all worlds as a fan, the shown world as a line, pinned runs as dashes."""

import numpy as np

from model.history import NEVER, wilson
from scenarios.headlines import headline_of
from viz.specs import Chart
from viz.views import idle
from viz.views.drawing import (
    fan,
    frame,
    grid,
    line,
    months_axis,
    pinned_lines,
    rule,
    rules,
    short,
    steady_axis,
    value_axis,
)
from viz.views.reading import (
    bands,
    bands_of_living,
    dates_of,
    fan_table,
    middle,
    of_pinned,
    table_of,
    with_opening,
)
from viz.views.standing import LAB, LOCK_UP, SETTLED, standing
from viz.words import capitalised, figures, money, percent, times

CHARTS = {
    "cash": "Cash in, bills",
    "default": "Who fails",
    "stress": "Stress",
    "cover": "Cover",
    "debt": "Debt",
    "revenue": "Revenue",
    "rent": "Rent of compute",
    "power": "Price of power",
    "idle": "Idle",
}
"""What the chart can be switched to: {key: title}."""

LOWEST, HIGHEST = -1, 5  # cover that is drawn
LINES = 6  # most firms that have a line of their own among those who fail


def chart(run, context, key):
    """Give the large chart by its key; an unknown key gives the first."""
    return {
        "default": _failures,
        "stress": _stress,
        "cover": _cover,
        "debt": _debt,
        "revenue": _revenue,
        "rent": _rent,
        "power": _power,
        "idle": idle.chart,
    }.get(key, _cash)(run, context)


# -- one fan --------------------------------------------------------------------------------------------------------


class _Fan:
    """A quantity in all worlds ``(months, worlds)``, in the shown one, and the medians of pinned runs.

    ``of(run)`` gives the quantity; ``opening``: what the shown world has at month 0, NaN where it is not known before
    the first month; ``living``: whether worlds with NaN are left out.
    """

    def __init__(self, run, context, of, opening=np.nan, living=False):
        worlds = of(run)
        quantiles = bands_of_living(worlds) if living else bands(worlds)
        self.bands = with_opening(quantiles.T, opening).T
        self.story = with_opening(worlds[:, run.position], opening)
        self.months, self.position = run.months, run.position
        self.pinned = of_pinned(run, context, lambda each: middle(of(each)))

    def series(self, name, color="var:accent", key="fan", ink="var:ink", named=True):
        """The fan, the line of the shown world with its name, and dashes of pinned runs, ``named`` at their ends."""
        low5, low25, _, high75, high95 = self.bands
        return [
            *fan(low5, low25, high75, high95, name, color, key),
            line(name, self.story, color=ink),
            *pinned_lines(self.pinned, color=ink, named=named),
        ]

    def table(self, dates, name):
        """Columns and rows of the quantity: month, this world, quantiles over worlds."""
        return fan_table(dates, {f"{name}, this world": self.story}, self.bands)


def _chart(run, context, key, headline, label, unit, series, table, axis=None, right=132):
    option = frame(
        grid=grid(right=right),
        xAxis=months_axis(dates_of(run)),
        yAxis=axis or value_axis(),
        series=series,
    )
    headline, label = (context.tell(words) for words in (headline, label))
    spread = f"{label}; line: the shown world, bands: 50% and 90% of {run.worlds} worlds"
    return Chart(
        key=key,
        headline=headline,
        label=spread,
        unit=unit,
        option=option,
        cursor=True,
        alt=headline,
        table=table,
    )


# -- the charts -----------------------------------------------------------------------------------------------------


def _cash(run, context):
    """Revenue of the lab against what its compute costs, whether used or not."""
    lab = context.inside(LAB)
    revenue = _Fan(run, context, lambda each: each.measure("revenue", LAB), standing(run).revenue[0])
    bill = _Fan(run, context, lambda each: each.measure("compute_bill", LAB))
    money_in = revenue.series("revenue", "var:accent", "revenue", "var:accent")
    bills = bill.series(context.tell("bill for compute"), "var:muted", "bill", "var:ink", named=False)
    dates = dates_of(run)
    table = revenue.table(dates, "revenue")
    other = bill.table(dates, context.tell("bill for compute"))
    table = {
        "columns": table["columns"] + [f"bill: {name}" for name in other["columns"][1:]],
        "rows": [one + two[1:] for one, two in zip(table["rows"], other["rows"], strict=True)],
    }
    crossing, share = _crossing(revenue.story, bill.story, dates), _share_above_at_the_end(run)
    headline = f"{crossing}; in {percent(share)} of worlds the bill ends above it, or {lab} is gone"
    if share == 0.0:
        headline = f"{crossing}; the bill ends below revenue in all worlds"
    label = f"What {lab} earns, and its bill for compute whether used or not"
    return _chart(run, context, "cash", headline, label, "US$bn a year", money_in + bills, table)


def _share_above_at_the_end(run):
    """The share of worlds in which revenue does not exceed the compute bill in the last month, or there is no lab."""
    revenue, bill = run.measure("revenue", LAB), run.measure("compute_bill", LAB)
    return float((revenue[-1] <= bill[-1]).mean())


def _crossing(revenue, bill, dates):
    """When the bill passes revenue for the first time, or by how little it stays below."""
    above = np.flatnonzero(bill > revenue)
    if not above.size:
        least = np.nanmin(revenue - bill)
        return f"Revenue stays above the bill for compute, by {money(least)} a year at the least"
    first = int(above[0])
    since = "from the start" if first <= 1 else f"in {dates[first]}"
    below = np.flatnonzero((bill <= revenue) & (np.arange(len(bill)) > first))
    passes = "is above revenue" if first <= 1 else "passes revenue"
    until = f", until {dates[int(below[0])]}" if below.size else ", and stays above"
    return f"The bill for compute {passes} {since}{until}"


def _failures(run, context):
    """The share of worlds in which each firm has come to legal default by each month."""
    parties = run.story.parties
    firms = [parties.index(name) for name in run.results.pieces[0].firms]
    months = np.arange(run.months + 1)
    default = run.outcome("default")
    shares = np.stack([np.searchsorted(np.sort(default[row]), months, side="right") for row in firms])
    shares = shares / run.worlds
    order = np.argsort(-shares[:, -1], kind="stable")
    shown = [int(at) for at in order if shares[at, -1] > 0.0][:LINES]
    lab = run.results.pieces[0].firms.index(LAB)
    if shares[lab, -1] > 0.0 and lab not in shown:
        shown = [*shown[: LINES - 1], lab]
    names = [short(context.name(parties[firms[at]])) for at in shown]
    colours = ["var:accent" if at == lab else "var:muted" for at in shown]
    series = [
        line(
            f"{name} {percent(shares[at, -1])}",
            100.0 * shares[at],
            color=colour,
            width=2.5 if at == lab else 1.5,
            step="end",
        )
        for at, name, colour in zip(shown, names, colours, strict=True)
    ]
    for at, each in enumerate(context.pinned, 1):
        when = np.sort(each.outcome("default")[parties.index(LAB)])
        pinned = np.searchsorted(when, months, side="right") / each.worlds
        series.append(
            line(f"pinned {at}", 100.0 * pinned, color="var:accent", width=1.5, dashed=True, step="end")
        )
    if series and run.outcome("default")[:, run.position].min() < NEVER:
        series[0]["markLine"] = rules(*_marks(run))
    dates = dates_of(run)
    rows = [[date, *shares[shown, month].tolist()] for month, date in enumerate(dates)]
    spec = _chart(
        run,
        context,
        "default",
        _failure_words(run, context, shares[lab, -1], names, [shares[at, -1] for at in shown]),
        "",
        "% of worlds",
        series,
        table_of(["month", *names], rows),
        steady_axis(max(100.0 * float(shares[:, -1].max()), 10.0)),
        right=190,
    )
    label = f"Legal defaults in {run.worlds} worlds; upright: this world. {_range_words(run, context)}"
    return Chart(**{**vars(spec), "label": label})


def _range_words(run, context):
    """What the lab's default rate is over the range of its equity window, as kept for the shipped scenarios."""
    lab, found = capitalised(context.inside(LAB)), headline_of(run.scenario, run.months)
    if found is None:
        return f"{lab}'s rate hangs on how long investors pay"
    low, high = (percent(found.window[end]) for end in ("low", "high"))
    if low == high:
        return f"{lab}: {low} over the whole range of the equity window"
    return f"{lab}: {low} to {high} over the range of the equity window"


def _marks(run):
    """Upright lines where firms of the shown world default; the flags on the months say who."""
    when = np.unique(run.outcome("default")[:, run.position])
    return [
        rule(int(month), "", color="var:ink", axis="xAxis") for month in when[when <= run.months].tolist()
    ]


def _failure_words(run, context, share, names, shares):
    """Who fails how often, the lab first, with the 95% interval of its share."""
    lab, end = capitalised(context.inside(LAB)), dates_of(run)[-1]
    if not names:
        return f"Nobody is in default by {end} in any of {run.worlds} worlds"
    low, high = wilson(round(share * run.worlds), run.worlds)
    interval = f"{percent(share)} of worlds ({100 * low:.0f} to {100 * high:.0f}%)"
    others = [
        (name, each) for name, each in zip(names, shares, strict=True) if name != short(context.name(LAB))
    ]
    rest = f"; {others[0][0]} in {percent(others[0][1])}" if others else ""
    return f"{lab} is in default by {end} in {interval}{rest}"


def _stress(run, context):
    """The index of stress of the whole market."""
    shown = _Fan(run, context, lambda each: each.measure("stress.index")[:, 0])
    worst = int(np.nanargmax(shown.story))
    dates = dates_of(run)
    headline = (
        f"Stress is highest in {dates[worst]}, at {figures(shown.story[worst])} of 1;"
        f" in half of the worlds it passes {figures(float(np.median(run.measure('stress.index')[:, 0].max(axis=0))))}"
    )
    axis = value_axis(low=0, high=1, interval=0.25)
    label = "How many things go wrong together: funding, cover, liquidity, leverage, power and demand"
    return _chart(
        run,
        context,
        "stress",
        headline,
        label,
        "0 to 1",
        shown.series("stress"),
        shown.table(dates, "stress"),
        axis,
    )


def _cover(run, context):
    """Cover of the party in focus, or of the one whose cover is weakest in the shown world."""
    agents = run.results.measures["dscr"].agents
    party = context.party if context.party in agents else _weakest_party(run, agents)
    own = _Fan(run, context, lambda each: _covers(each, party), living=True)
    own.story = np.where(np.isnan(standing(run).column(standing(run).cover, party)), np.nan, own.story)
    dates, name = dates_of(run), context.name(party)
    below = np.flatnonzero(own.story < 1.0)
    if np.isnan(own.story).all():
        headline = f"{name} owes too little, or earns too little yet, to have a cover in this world"
    elif below.size:
        headline = f"{name} earns less than it owes in {below.size} of {run.months} months, first in {dates[below[0]]}"
    else:
        least = np.nanmin(own.story)
        told = f"{times(least)} at the least" if least < HIGHEST else f"never below {times(HIGHEST)}"
        headline = f"{name} always earns what falls due: cover is {told}"
    series = own.series("cover")
    series[-1 - len(own.pinned)]["markLine"] = rules(
        rule(1.0, "all cash is due", place="insideEndBottom"), rule(LOCK_UP, "lenders ask for 1.20x")
    )
    axis = value_axis(low=LOWEST, high=HIGHEST, interval=1)
    label = f"Cash of {context.inside(party)} over its interest and repayments (DSCR), drawn up to 5x"
    return _chart(run, context, "cover", headline, label, "times", series, own.table(dates, "cover"), axis)


def _covers(run, party):
    """Cover of a party in all worlds until it defaults, at most what the chart shows, ``(months, worlds)``."""
    month = np.arange(1, run.months + 1)[:, None]
    known = (month >= SETTLED) & (month < run.outcome("default")[run.results.pieces[0].parties.index(party)])
    return np.where(known, np.clip(run.measure("dscr", party), LOWEST, HIGHEST), np.nan)


def _weakest_party(run, agents):
    names, covers = standing(run).weakest()
    found = [(cover, name) for name, cover in zip(names, covers, strict=True) if name in agents]
    return min(found)[1] if found else agents[0]


def _debt(run, context):
    """Debt of the party in focus, or of all partners and site companies."""
    agents = run.results.measures["debt"].agents
    single = context.party if context.party in agents else ""
    stands = standing(run)
    rows = (
        [agents.index(single)] if single else [at for at, name in enumerate(agents) if name in stands.tested]
    )
    opening = stands.debt[0, [stands.parties.index(agents[at]) for at in rows]].sum()
    shown = _Fan(run, context, lambda each: each.measure("debt")[:, rows].sum(axis=1), opening)
    dates = dates_of(run)
    most = int(np.nanargmax(shown.story))
    who = capitalised(context.inside(single)) if single else "Partners and their sites together"
    verb = "owes" if single else "owe"
    start = f"{money(opening)} at the start"
    headline = f"{who} {verb} most in {dates[most]}: {money(shown.story[most])}, against {start}"
    if most == 0:
        headline = f"{who} never {verb} more than the {start}"
    label = (
        f"Loans and bonds drawn by {context.inside(single)}"
        if single
        else "Loans and bonds of partners and sites"
    )
    return _chart(
        run, context, "debt", headline, label, "US$bn", shown.series("debt"), shown.table(dates, "debt")
    )


def _revenue(run, context):
    """Revenue of the lab, or of the seller in focus."""
    agents = run.results.measures["revenue"].agents
    party = context.party if context.party in agents else LAB
    shown = _Fan(
        run, context, lambda each: each.measure("revenue", party), run.story.value("revenue", party)[0]
    )
    dates, start = dates_of(run), shown.story[0]
    end, low, high = shown.story[-1], shown.bands[0, -1], shown.bands[4, -1]
    name = capitalised(context.inside(party))
    grows = (
        f"goes from {money(start)} to {money(end)} a year" if start > 0 else f"ends at {money(end)} a year"
    )
    headline = f"{name} {grows} in this world; nine worlds in ten end between {money(low)} and {money(high)}"
    label = f"Revenue of {context.inside(party)}, at a yearly rate"
    series = shown.series("revenue")
    return _chart(
        run, context, "revenue", headline, label, "US$bn a year", series, shown.table(dates, "revenue")
    )


def _rent(run, context):
    """Rent of compute: what a GW of new capacity costs for a year."""
    opening = run.story.value("compute_market.rent", run.story.state("compute_market.rent")[0][0])[0]
    shown = _Fan(run, context, lambda each: each.measure("compute_market.rent")[:, 0], opening)
    dates, change = dates_of(run), shown.story[-1] / max(shown.story[0], 1e-9) - 1.0
    low, high = shown.bands[0, -1], shown.bands[4, -1]
    moves = "rises" if change >= 0.0 else "falls"
    headline = (
        f"The rent of compute {moves} by {percent(abs(change))} in this world;"
        f" nine in ten worlds end between {money(low)} and {money(high)} for a GW and year"
    )
    label = "Rent of new capacity, in the market where halls are let"
    series = shown.series("rent")
    return _chart(
        run, context, "rent", headline, label, "US$bn per GW-year", series, shown.table(dates, "rent")
    )


def _power(run, context):
    """The price of power in the region in focus, or in the dearest of the shown world."""
    regions, prices = run.story.state("utility.price")
    dearest = regions[int(np.nanmax(prices, axis=0).argmax())]
    region = context.party if context.party in regions else dearest
    shown = _Fan(run, context, lambda each: each.measure("price", region))
    worst = int(np.nanargmax(shown.story))
    dates = dates_of(run)
    headline = (
        f"Power is dearest in {context.inside(region)} in {dates[worst]}, at ${figures(shown.story[worst])} a MWh;"
        f" the middle of this world's months is ${figures(float(np.nanmedian(shown.story)))}"
    )
    if np.nanmax(shown.story) - np.nanmin(shown.story) < 0.5:
        headline = (
            f"Power in {context.inside(region)} costs ${figures(shown.story[worst])} a MWh in every month"
        )
    label = f"Wholesale price of power in {context.inside(region)}, mean of the month"
    series = shown.series("price")
    return _chart(run, context, "power", headline, label, "US$/MWh", series, shown.table(dates, "price"))
