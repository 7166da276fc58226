"""Power: the stack that serves the peak of the month, its price, and what binds the lab's compute.

The stack is the model's own (`model.power.Power.stacks`), taken from a model in one world with the scenario's Params;
load, heat, new capacity and prices are those of the shown world.
"""

from dataclasses import dataclass

import numpy as np

from agents.utility import UNITS
from model.power import BINDING
from scenarios.ensemble import setting_of
from scenarios.schema import default_vocabulary
from viz.specs import Chart, Table, Text
from viz.views.drawing import (
    FONT,
    fan,
    frame,
    grid,
    line,
    months_axis,
    pinned_lines,
    rule,
    rules,
    steady_axis,
    three,
    value_axis,
)
from viz.views.reading import (
    bands,
    dates_of,
    fan_table,
    middle,
    of_pinned,
    opening_of,
    table_of,
    with_opening,
)
from viz.words import figures, percent

TITLE = "Power"
KEY = "energy"
GROUP = "Markets"
ISLANDS = ("New Mexico",)  # where the campus has its own plant, and the stack says nothing
PEAK = 0  # the block of hours with the highest load
HELD = {
    "chips": "Chips: everything is on plan, and the plan is what was ordered",
    "building": "Building: halls are late because they slip",
    "grid": "The grid: halls wait for their connection, or are cut off",
    "credit": "Credit: no builder finds money for what is announced",
    "demand": "Demand: there is compute enough",
}


def build(run, context):
    """Give what binds the lab, the stack of a region at its peak, its price, and all regions side by side."""
    region = _region(run, context)
    return [
        _lamp(run, context),
        _stack(run, context, region),
        _price(run, context, region),
        _regions(run, context),
    ]


def _all_regions(run):
    """All regions, a utility each, in the order of the books."""
    return [utility.name for utility in opening_of(run).parties_of_kind("utility")]


def _region(run, context):
    """The region in focus, else that of the lab's sites whose peak comes closest to its capacity."""
    if context.party in _all_regions(run):
        return context.party
    served = {contract.creditor for contract in opening_of(run).contracts_of_kind("power contract")}
    tightness = {name: run.story.value("utility.tightness", name).max() for name in served - set(ISLANDS)}
    return max(sorted(tightness), key=tightness.get)


# -- what binds ---------------------------------------------------------------------------------------------------


def _lamp(run, context):
    binding = run.story.value("power.binding", "power").astype(int)
    lab, dates = context.inside("OpenAI"), dates_of(run)
    counts = np.bincount(binding[1:], minlength=len(BINDING))
    frames = []
    for month, date in enumerate(dates):
        words = HELD[BINDING[binding[month]]] if month else "Nothing has happened yet"
        since = month
        while since > 1 and binding[since - 1] == binding[month]:
            since -= 1
        for_how_long = f" (since {dates[since]})" if month and since < month else ""
        told = f"{date} · What holds {lab}'s compute back? {words}{for_how_long}."
        frames.append([context.cast.tell(told)])
    most = BINDING[int(np.argmax(counts))]
    share = percent(counts.max() / max(run.months, 1))
    return Text(
        key="binding",
        headline=context.cast.tell(f"In this world {most} binds {lab}'s compute in {share} of months"),
        frames=frames,
    )


# -- the stack ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Plant:
    """What the record does not keep of the regions' stacks: Params as they stand from month ``start`` on.

    ``cost`` and ``units`` (places in UNITS) ``(units, regions)`` in merit order; ``peak``, ``derated`` and ``new``
    ``(units, regions)``: shares of firm capacity up to each unit that are there at the peak, that heat takes part of,
    and that new capacity adds to. ``firm`` GW, ``lost`` share in heat, ``usual`` US$/MWh: ``(regions,)``.
    """

    start: int
    units: np.ndarray
    cost: np.ndarray
    peak: np.ndarray
    derated: np.ndarray
    new: np.ndarray
    firm: np.ndarray
    lost: float
    maintenance: float
    usual: np.ndarray


def plants(run):
    """Give the Plants of the shown world in order of their months: the scenario's, and after each decision on power."""
    if "plants" not in run.memory:
        scenario, at = run.scenario, run.position
        setting = setting_of(scenario, {}, slice(at, at + 1))
        model_class = (scenario.vocabulary or default_vocabulary()).model_class
        model = model_class(worlds=1, rng=run.seed, months=run.months, setting=setting, record=False)
        found = [_plant(model, 0)]
        for decision in sorted(setting.decisions, key=lambda each: each.month):
            if decision.path.split(".")[0] in ("utility", "power"):
                model.set_param(decision.path, decision.value, decision.mask)
                found.append(_plant(model, decision.month))
        run.memory["plants"] = found
    return run.memory["plants"]


def _plant(model, start):
    power, utilities = model.power, model.utilities
    cost, shares, derated, new = (each[..., 0] for each in power.stacks())
    level = power.price_level[0, 0]
    own = np.stack([getattr(utilities, f"cost_{unit}")[:, 0] for unit in UNITS])
    return Plant(
        start=start,
        units=np.argsort(own, axis=0, kind="stable"),
        cost=cost + utilities.congestion[:, 0] * level,
        peak=shares[:, PEAK],
        derated=derated,
        new=new,
        firm=utilities.firm_capacity[:, 0],
        lost=power.heat_derate[0, 0],
        maintenance=power.maintenance[0, 0],
        usual=utilities.reference_price[:, 0] * level,
    )


def supply_curves(run, region):
    """Give (kinds of units, cost ``(months + 1, units)`` US$/MWh, capacity up to each ``(months + 1, units)`` GW).

    Units stand in merit order, the cheapest first; cost is marginal cost and congestion, capacity what is there in the
    peak hours of the month: supply = share x firm x (1 - maintenance x off-season) + added - derated by heat.
    """
    story, row, months = run.story, _all_regions(run).index(region), np.arange(run.months + 1)
    added, heat = story.value("utility.added", region), story.value("utility.heat", region)
    off_season = 0.5 - 0.5 * np.cos(2.0 * np.pi * ((months - 1) % 12 - 6) / 12.0)
    cost, supply = (np.zeros((run.months + 1, len(UNITS))) for _ in range(2))
    for plant in plants(run):
        here = months >= plant.start
        kept = plant.firm[row] * (1.0 - plant.maintenance * off_season[here, None])
        lost = plant.firm[row] * plant.lost * heat[here, None]
        grown = plant.new[:, row] * added[here, None]
        supply[here] = plant.peak[:, row] * kept + grown - plant.derated[:, row] * lost
        cost[here] = plant.cost[:, row]
    return [UNITS[place] for place in plants(run)[0].units[:, row]], cost, supply


def _stack(run, context, region):
    units, cost, supply = supply_curves(run, region)
    story, dates = run.story, dates_of(run)
    users = story.value("utility.block_load", region)[:, PEAK]
    load = story.value("utility.load", region)
    price = story.value("utility.block_price", region)[:, PEAK]
    top = 50.0 * float(np.ceil(1.15 * cost.max() / 50.0))
    frames = [
        _stack_frame(
            units, cost[month], supply[month], users[month], load[month], price[month], top, bool(month)
        )
        for month in range(run.months + 1)
    ]
    headlines = [
        _stack_words(context.name(region), date, load[month], supply[month], price[month]) if month else
        f"{context.name(region)} before the first month: {figures(supply[0, -1])} GW stand ready"
        for month, date in enumerate(dates)
    ]  # fmt: skip
    widest = float(max(supply.max(), load.max()))
    option = frame(
        grid=grid(right=64, top=40, bottom=44),
        tooltip={"show": False},
        xAxis=value_axis(
            name="GW",
            low=0,
            high=10.0 * float(np.ceil(1.04 * widest / 10.0)),
            nameLocation="middle",
            nameGap=28,
            nameTextStyle={"color": "var:muted", "fontSize": FONT},
            splitLine={"show": False},
            axisLine={"show": True, "lineStyle": {"color": "var:muted"}},
        ),
        yAxis=value_axis(low=0, high=top),
        series=[
            {
                "id": "supply",
                "type": "line",
                "step": "end",
                "data": [],
                "showSymbol": False,
                "symbol": "none",
                "lineStyle": {"color": "var:accent", "width": 2},
                "areaStyle": {"color": "var:accent", "opacity": 0.1},
                "itemStyle": {"color": "var:accent"},
                "silent": True,
            },
            {"id": "load", "type": "line", "data": [], "silent": True, "markLine": rules()},
            _words_of_units(),
        ],
    )
    rows = [
        [dates[month], unit, three(cost[month, place]), three(supply[month, place])]
        for month in range(0, run.months + 1, 6)
        for place, unit in enumerate(units)
    ]
    return Chart(
        key="stack",
        headline=headlines,
        label=f"Supply of {context.name(region)} in the peak hours by marginal cost, and load, in this world",
        unit="US$/MWh",
        option=option,
        frames=frames,
        alt=headlines[-1],
        table=table_of(["month", "up to this kind of unit", "US$/MWh", "GW"], rows),
    )


def _stack_frame(units, cost, supply, users, load, price, top, begun):
    """The steps of the stack, and two lines for load and one for the price."""
    before = [0.0, *supply[:-1].tolist()]
    points = [[three(x), three(y)] for x, y in zip(before, cost.tolist(), strict=True)]
    points += [[three(supply[-1]), three(cost[-1])], [three(supply[-1]), top]]
    lines = []
    if begun:
        shown = min(float(price), 0.985 * top)
        beyond = " (off the scale)" if price > top else ""
        side = "Bottom" if shown > 0.9 * top else "Top"  # above the drawing stand the names of the two lines
        lines = [
            _upright(users, "other users", "var:muted", "start"),
            _upright(load, "with data\ncentres", "var:ink", "end"),
            rule(
                three(shown), f"price ${figures(price)}{beyond}", color="var:ink", place=f"insideStart{side}"
            ),
        ]
    words = [
        [three((x + end) / 2.0), three(y), unit]
        for unit, x, end, y in zip(units, before, supply.tolist(), cost.tolist(), strict=True)
        if end - x > 0.055 * supply[-1] and not (begun and 0.0 < price - y < 0.06 * top)
    ]
    return {
        "series": [
            {"id": "supply", "data": points},
            {"id": "load", "markLine": {"data": lines}},
            {"id": "words", "data": words},
        ]
    }


def _words_of_units():
    """Points that are not seen, with the names of the wide units above their steps."""
    return {
        "id": "words",
        "type": "scatter",
        "symbol": "circle",
        "symbolSize": 1,
        "itemStyle": {"color": "var:surface"},
        "data": [],
        "silent": True,
        "label": {
            "show": True,
            "position": "top",
            "distance": 3,
            "formatter": "{@[2]}",
            "color": "var:ink",
            "fontSize": FONT,
        },
        "labelLayout": {"hideOverlap": True},
    }


def _upright(value, words, color, align):
    return {
        "xAxis": three(value),
        "label": {
            "show": True,
            "formatter": words,
            "position": "end",
            "align": "right" if align == "start" else "left",
            "color": color,
            "fontSize": FONT,
            "lineHeight": 14,
        },
        "lineStyle": {"color": color, "width": 1.5, "type": "solid"},
    }


def _stack_words(name, date, load, supply, price):
    reserve = supply[-1] - load
    if reserve < 0.0:
        return f"{date}: {name} is {figures(-reserve)} GW short in its peak hours; power costs ${figures(price)}/MWh"
    share = reserve / max(supply[-1], 1e-9)
    return f"{date}: {name} has {percent(share)} to spare in its peak hours; power costs ${figures(price)}/MWh then"


# -- the price ----------------------------------------------------------------------------------------------------


def _price(run, context, region):
    dates, name = dates_of(run), context.name(region)
    price = with_opening(run.measure("price", region))
    cuts, shown = bands(price), price[:, run.position]
    usual = float(plants(run)[0].usual[_all_regions(run).index(region)])
    dear = (price[1:].max(axis=0) > 2.0 * usual).mean()
    top = int(np.nanargmax(shown))
    sentence = f"{name}'s power costs its usual ${figures(usual)}/MWh in every month"
    if shown[top] > 1.05 * usual or dear > 0.0:
        often = f"in {percent(dear)} of worlds some month costs twice the usual ${figures(usual)}"
        sentence = f"{name}'s power peaks at ${figures(shown[top])}/MWh in {dates[top]}; {often}"
    series = fan(cuts[0], cuts[1], cuts[3], cuts[4])
    series += pinned_lines(of_pinned(run, context, lambda each: middle(each.measure("price", region))))
    series.append(line("this world", shown))
    line_of_usual = rule(usual, f"usual price ${figures(usual)}", place="insideStartTop")
    line_of_usual["label"] |= {"textBorderColor": "var:surface", "textBorderWidth": 3}
    series[-1]["markLine"] = rules(line_of_usual)
    high = 1.15 * max(float(np.nanmax(cuts[4])), float(np.nanmax(shown)))
    option = frame(
        grid=grid(),
        xAxis=months_axis(dates),
        yAxis=steady_axis(high),
        series=series,
    )
    return Chart(
        key="power_price",
        headline=sentence,
        label=f"Wholesale price of power in {name}, mean of each month; 50% and 90% of {run.worlds} worlds",
        unit="US$/MWh",
        option=option,
        cursor=True,
        alt=sentence,
        table=fan_table(dates, {"this world": shown}, cuts),
    )


# -- all regions --------------------------------------------------------------------------------------------------


def _regions(run, context):
    story, dates = run.story, dates_of(run)
    names, tightness = story.state("utility.tightness")
    states = ("price", "ai_load", "curtailed", "shed", "queue", "household_bill")
    price, ai, cut, shed, queue, bill = (story.state(f"utility.{state}")[1] for state in states)
    frames = []
    for month in range(run.months + 1):
        frames.append(
            [
                [
                    f"${figures(price[month, at])}",
                    _toned(percent(tightness[month, at]), tightness[month, at] > 0.97),
                    f"{figures(ai[month, at])} GW",
                    _toned(percent(cut[month, at]), cut[month, at] > 0.0),
                    _toned(f"{figures(shed[month, at])} GW", shed[month, at] > 0.0),
                    f"{figures(queue[month, at])} GW",
                    figures(100.0 * bill[month, at]),
                ]
                if month
                else ["–"] * 7
                for at in range(len(names))
            ]
        )
    columns = (
        ("region", "left"),
        ("price per MWh", "right"),
        ("peak load over capacity", "right"),
        ("data centres", "right"),
        ("cut off", "right"),
        ("others cut", "right"),
        ("waiting for connection", "right"),
        ("household bill, start = 100", "right"),
    )
    headlines = [
        _regions_words(context, names, date, cut[month], queue[month]) for month, date in enumerate(dates)
    ]
    return Table(
        key="regions",
        headline=headlines,
        label="Power by region in the month, in this world",
        columns=[{"key": title, "title": title, "align": align, "unit": ""} for title, align in columns],
        frames=frames,
        fixed=[[context.name(name)] for name in names],
        alt=headlines[-1],
        clicks="party",
    )


def _toned(text, bad):
    return {"text": text, "tone": "strained"} if bad else text


def _regions_words(context, names, date, cut, queue):
    off = [context.name(name) for name, share in zip(names, cut, strict=True) if share > 0.0]
    if off:
        return f"{date}: data centres are cut off in {' and '.join(off)}"
    waiting = float(queue.sum())
    return (
        f"{date}: {figures(waiting)} GW wait for a connection"
        if waiting > 0.005
        else f"{date}: nobody is cut off"
    )
