"""Who did it: exact Shapley shares of the drivers in what the present run shows."""

import math
import threading
from collections import OrderedDict

import solara

from scenarios.cast import cast_of
from scenarios.experiments.attribution import DRIVERS, attribute
from viz import words
from viz.components import Chart, Table
from viz.panels.form import form_of, placeholder
from viz.panels.work import of_session, work_of
from viz.specs import Chart as ChartSpec
from viz.specs import Table as TableSpec
from viz.specs import to_json
from viz.state import scenario_of

TITLE = "What drives it"
SENTENCE = "Exact Shapley shares of demand, technology, credit, equity, power and rent"
WIDE = True
WORLDS = 32
MEASURES = {
    "default:OpenAI": "OpenAI in default",
    "default:Oracle": "Oracle in default",
    "default:CoreWeave": "CoreWeave in default",
    "trap:OpenAI": "OpenAI trapped at some time",
    "peak_stress": "Peak stress",
}
WHAT = {
    "demand": "Surprises of demand",
    "technology": "Breakthroughs and the pincer",
    "credit": "Credit freezes and spreads",
    "equity": "The equity window",
    "power": "Power and delays",
    "rent": "Rents of compute",
}
KEPT = 40
_kept, _keeping = OrderedDict(), threading.Lock()


# -- data ----------------------------------------------------------------------------------------------------


def compute_shares(state, measure, report, worlds=WORLDS):
    """Give the facts of the attribution of a state's run, remembered for all visitors; as ``attribute``."""
    key = state.run_key, measure, worlds
    with _keeping:
        found = _kept.get(key)
    if found is None:
        found = attribute(
            scenario_of(state), measure, worlds, state.seed, state.months, progress=report
        ).facts()
        with _keeping:
            _kept[key] = found
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    yield found


def shares_chart(facts, cast):
    """Give the Chart of the shares: a bar per driver from the all-off value, with its 95% interval."""
    scale, unit = (100.0, "points") if facts["unit"] == "share of worlds" else (1.0, facts["unit"])
    rows = facts["drivers"]
    names = [WHAT.get(row["driver"], row["driver"]) for row in rows]
    shares = [scale * row["share"] for row in rows]
    spans = [{"coords": [[scale * row["low"], at], [scale * row["high"], at]]} for at, row in enumerate(rows)]
    low, high, every = _round_ends([scale * row[end] for row in rows for end in ("low", "high")])
    told = [
        {"value": [max(scale * row["high"], 0.0), at], "label": {"formatter": _signed(scale * row["share"])}}
        for at, row in enumerate(rows)
    ]
    option = {
        "grid": {"left": 8, "right": 64, "top": 8, "bottom": 12, "containLabel": True},
        "tooltip": {"trigger": "item"},
        "xAxis": {"type": "value", "min": low, "max": high, "interval": every},
        "yAxis": {
            "type": "category", "inverse": True, "data": names, "axisTick": {"show": False},
            "axisLine": {"lineStyle": {"color": "var:muted"}}, "axisLabel": {"color": "var:ink"},
        },
        "series": [
            {
                "type": "bar", "name": f"adds, {unit}", "data": shares, "barWidth": "46%",
                "itemStyle": {"color": "var:band@0.7"},
            },
            {
                "type": "lines", "coordinateSystem": "cartesian2d", "data": spans, "silent": True,
                "lineStyle": {"color": "var:ink", "width": 2, "opacity": 1}, "z": 5,
            },
            {
                "type": "scatter", "data": told, "symbolSize": 1, "silent": True, "itemStyle": {"color": "var:surface"},
                "label": {"show": True, "position": "right", "distance": 8, "color": "var:ink", "fontWeight": 600},
            },
        ],
    }  # fmt: skip
    headline = _headline(facts, cast)
    table = [
        [name, *(round(scale * row[key], 2) for key in ("share", "low", "high"))]
        for name, row in zip(names, rows, strict=True)
    ]
    return ChartSpec(
        key="shapley",
        headline=headline,
        label=f"What each driver adds on average over all orders of switching them on; {facts['worlds']} worlds,"
        " 64 runs; lines: 95% interval",
        unit=unit,
        option=option,
        alt=headline,
        table={"columns": ["Driver", f"Adds, {unit}", "Low", "High"], "rows": table},
    )


def _round_ends(values):
    """Round ends of an axis that holds zero and all values, and how far apart its lines are."""
    low, high = min(0.0, *values), max(0.0, *values)
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-9) / 4.0))
    every = next(step * times for times in (1, 2, 5, 10) if (high - low) / (step * times) <= 8.0)
    return every * math.floor(low / every), every * math.ceil(high / every), every


def _signed(value):
    """A number that adds to something, with its sign: "+27", "−2.5", "0"."""
    text = f"{value:+.0f}" if abs(value) >= 10.0 else f"{value:+.2g}"
    return "0" if float(text) == 0.0 else text.replace("-", words.MINUS)


def _headline(facts, cast):
    asked = cast.rename(MEASURES.get(facts["measure"], facts["measure"]))
    chance = facts["unit"] == "share of worlds"
    ends = [
        words.percent(facts[end]["value"]) if chance else words.figures(facts[end]["value"])
        for end in ("all_off", "all_on")
    ]
    first = facts["drivers"][0]
    if all(row["share"] == 0.0 for row in facts["drivers"]):
        return f"{asked}: {ends[1]} with and without every driver, so that there is nothing to share out."
    share = f"{_signed(100 * first['share'])} points" if chance else _signed(first["share"])
    of_worlds = " of worlds" if chance else ""
    name = WHAT.get(first["driver"], first["driver"])
    return (
        f"{asked}: {ends[0]}{of_worlds} with every driver at rest, {ends[1]} as it is. The largest share:"
        f" {name[:1].lower()}{name[1:]}, {share}."
    )


def pairs_table(facts):
    """Give the Table of what two drivers do together beyond each alone."""
    scale = 100.0 if facts["unit"] == "share of worlds" else 1.0
    rows = [
        [f"{WHAT.get(one, one)} and {WHAT.get(other, other).lower()}", _signed(scale * row["interaction"])]
        for row in facts["interactions"]
        for one, other in [row["drivers"]]
        if abs(row["interaction"]) > 1e-9
    ]
    return TableSpec(
        key="pairs",
        headline="What two drivers do together" if rows else "No two drivers make each other worse.",
        label="Beyond what each does alone; positive: together they are worse",
        columns=[
            {"key": "pair", "title": "Pair", "align": "left", "unit": ""},
            {"key": "adds", "title": "Adds", "align": "right", "unit": "points" if scale > 1 else ""},
        ],
        frames=rows[:6],
        static=True,
    )


# -- the panel -----------------------------------------------------------------------------------------------


@solara.component
def Panel(session):
    state = session.state.value
    work = work_of(session, "attribution")
    asked = of_session(session, "attribution asks", lambda: solara.Reactive("default:OpenAI"))
    found = work.result.value
    cast = cast_of(scenario_of(state), state.names)
    stale = found is not None and found[0] != (state.run_key, asked.value)
    runs = 1 << len(DRIVERS)
    spec = {
        "text": f"Six sources of bad luck can each be put to rest. All {runs} combinations are played in the same"
        " worlds, and each driver gets what it adds on average over all orders of switching them on (Shapley"
        " 1953). The shares add up exactly, and they depend on what “at rest” means: the values of “calm”.",
        "fields": [
            {
                "key": "measure", "label": "What is shared out", "value": asked.value,
                "options": [{"value": key, "title": cast.rename(text)} for key, text in MEASURES.items()],
            }
        ],
        "action": f"Play all {runs}",
        "refused": "",
        "note": "The shares below answer an earlier question." if stale and work.progress.value is None else "",
    }  # fmt: skip

    def change(message):
        if message.get("value") in MEASURES:
            asked.set(message["value"])

    def start(*_):
        measure = asked.value

        def job(report):
            for facts in compute_shares(state, measure, report):
                yield (state.run_key, measure), facts

        work.start(job)

    with solara.Div():
        form_of(work, spec, change, start)
        if found is None:
            placeholder("Here a bar will stand for each driver: how much it adds, with its 95% interval.")
        else:
            with solara.Div(classes=["tp-panelfigure", "tp-panel-chart"]):
                Chart(spec=to_json(shares_chart(found[1], cast)))
            pairs = pairs_table(found[1])
            if pairs.frames:
                with solara.Div(classes=["tp-panelfigure"]):
                    Table(spec=to_json(pairs))
