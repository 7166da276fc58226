"""The trap map: who fails over two parameters, from coarse to fine, with the present run as a cross on it."""

import threading
from collections import OrderedDict

import numpy as np
import solara

from scenarios.cast import cast_of
from scenarios.experiments.grid import ANY, axis_of, is_chance, trap_map
from scenarios.schema import default_vocabulary, split_path
from viz import words
from viz.components import Chart
from viz.levers import label_of, lever, levers
from viz.panels.form import form_of, placeholder
from viz.panels.work import of_session, work_of
from viz.runs import RunFailed
from viz.specs import Chart as ChartSpec
from viz.specs import to_json
from viz.state import scenario_of

TITLE = "Trap map"
SENTENCE = "Who fails over two levers at once; click a point to go there"
WIDE = True
WORLDS = 32  # at each of up to 81 points
READ_ON_DARK = 55.0  # per cent: from here on a cell is so dark that its number is light
FIRST_X, FIRST_Y = "equity_investors.closing_hazard", "demand.growth_level"
MEASURES = {
    "default:OpenAI": "OpenAI in default",
    ANY: "anybody in default",
    "default:Oracle": "Oracle in default",
    "default:CoreWeave": "CoreWeave in default",
    "trap:OpenAI": "OpenAI trapped at some time",
    "missed:OpenAI": "OpenAI 60 days late",
}
KEPT = 40  # maps that the server remembers


class Maps:
    """Finished maps and their coarse levels, shared by all visitors: the same question has the same answer."""

    def __init__(self, limit=KEPT):
        self.limit, self._maps, self._lock = limit, OrderedDict(), threading.Lock()

    def get(self, key):
        """Give a finished map, or None."""
        with self._lock:
            if key in self._maps:
                self._maps.move_to_end(key)
            return self._maps.get(key)

    def put(self, key, found):
        """Remember a finished map."""
        with self._lock:
            self._maps[key] = found
            while len(self._maps) > self.limit:
                self._maps.popitem(last=False)


MAPS = Maps()


# -- data ----------------------------------------------------------------------------------------------------


def compute_map(state, x, y, measure, report, worlds=WORLDS):
    """Give the TrapMaps of a state from coarse to fine, over the ranges of two levers; as ``grid.trap_map``."""
    if x == y:
        raise RunFailed("A map needs two different levers.")
    if measure not in MEASURES:
        raise RunFailed("There is no such question.")
    key = state.run_key, x, y, measure, worlds
    found = MAPS.get(key)
    if found is not None:
        yield found
        return
    axes = [axis_of(path, row["low"], row["high"]) for path in (x, y) for row in [lever_of(state, path)]]
    for found in trap_map(
        scenario_of(state),
        *axes,
        worlds,
        state.seed,
        state.months,
        measure=measure,
        each_lot=True,
        progress=report,
    ):
        yield found
    MAPS.put(key, found)


def lever_of(state, path):
    """Give a lever with the range in which it moves on the page, whatever the lesson."""
    known = {row["path"]: row for row in all_levers(state)}
    return known[path] if path in known else lever(state, path)


def all_levers(state):
    """Give all levers of the page that have a range, in their order."""
    from dataclasses import replace

    groups = levers(replace(state, lesson=""))["groups"]
    return [row for group in groups for row in group["levers"]]


def map_chart(found, cast):
    """Give the Chart of a TrapMap: a cell per point, darker where more worlds fail, and a cross for the run itself."""
    x, y = (_values(axis) for axis in (found.x, found.y))
    filled = found.filled
    cells = [
        _cell(column, row, 100.0 * float(filled[row, column])) for row, column in np.ndindex(filled.shape)
    ]
    low, high = 100 * float(np.nanmin(filled)), 100 * float(np.nanmax(filled))
    asked = cast.rename(MEASURES[found.measure])
    labels = [_name(axis, cast) for axis in (found.x, found.y)]
    category = {"type": "category", "splitArea": {"show": False}, "axisTick": {"show": False}}
    hidden = {"type": "value", "show": False, "min": -0.5}
    option = {
        "grid": {"left": 28, "right": 84, "top": 12, "bottom": 30, "containLabel": True},
        "xAxis": [
            {**category, "data": x, "name": labels[0], "nameLocation": "middle", "nameGap": 28},
            {**hidden, "max": found.x.count - 0.5},
        ],
        "yAxis": [
            {**category, "data": y, "name": labels[1], "nameLocation": "middle", "nameGap": 52},
            {**hidden, "max": found.y.count - 0.5},
        ],
        "visualMap": {
            "min": 0, "max": 100, "dimension": 2, "seriesIndex": 0, "calculable": False, "right": 0,
            "top": "middle", "itemHeight": 220, "itemWidth": 12, "text": ["100%", "0%"], "textGap": 6,
            "inRange": {"color": ["var:surface", "var:band@0.35", "var:band", "var:ink"]},
        },
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "heatmap", "name": f"{asked}, % of worlds", "data": cells,
                "itemStyle": {"borderColor": "var:surface", "borderWidth": 1},
                "label": {"show": found.done, "formatter": "{@[2]}", "fontSize": 11},
            },
            {
                "type": "scatter", "name": "this run", "xAxisIndex": 1, "yAxisIndex": 1, "data": _cross(found),
                "symbol": "path://M-1 -5h2v4h4v2h-4v4h-2v-4h-4v-2h4z", "symbolSize": 24, "z": 10,
                "itemStyle": {"color": "var:accent", "borderColor": "var:surface", "borderWidth": 2},
            },
        ],
    }  # fmt: skip
    own = found.own[2]
    headline = _headline(asked, low / 100, high / 100, own)
    done = int(np.isfinite(found.chance).sum())
    rows = [
        [label, *(cell and round(100 * cell, 1) for cell in row)]
        for label, row in zip(y, _plain(found), strict=True)
    ]
    return ChartSpec(
        key="trap-map",
        headline=headline,
        label=f"{found.worlds} worlds at each point, the same luck everywhere; {done} of {filled.size} points played",
        unit="% of worlds" if is_chance(found.measure) else "",
        option=option,
        alt=headline,
        table={"columns": [f"{labels[1]} ↓ {labels[0]} →", *x], "rows": rows},
        clicks="cell",
    )


def _cell(column, row, share):
    """A cell with its share in per cent, in the ink that can be read on its shade."""
    return {
        "value": [column, row, round(share)],
        "label": {"color": "var:surface" if share > READ_ON_DARK else "var:ink"},
    }


def _unit(axis):
    """The unit of an axis as it stands beside its name, and by what its values are multiplied."""
    group, _, name = split_path(axis.path)
    unit = default_vocabulary().params[group][name].unit
    if unit.startswith("share"):
        return unit.replace("share", "%", 1), 100.0
    return ("" if unit in ("1", "x") else unit), 1.0


def _values(axis):
    """The values of an axis in words."""
    times = _unit(axis)[1]
    return [words.figures(times * value, short=True) for value in axis.values]


def _name(axis, cast):
    """What an axis is called, with its unit."""
    unit, name = _unit(axis)[0], cast.rename(label_of(axis.path))
    return f"{name} ({unit})" if unit else name


def _headline(asked, low, high, own):
    asked = words.capitalised(asked)
    if words.percent(low) == words.percent(high):
        return f"{asked} in {words.percent(low)} of worlds, wherever these two levers stand."
    return (
        f"{asked} in {words.percent(low)} to {words.percent(high)} of worlds over these two levers;"
        f" in {words.percent(own)} where you are."
    )


def _plain(found):
    return [[None if np.isnan(cell) else float(cell) for cell in row] for row in found.chance]


def _cross(found):
    """The place of the run itself, in cells; nowhere if its agents differ or it lies off the map."""
    place = []
    for axis, value in zip((found.x, found.y), found.own[:2], strict=True):
        if value is None or not axis.low <= value <= axis.high:
            return []
        place.append((float(value) - axis.low) / (axis.high - axis.low) * (axis.count - 1))
    return [place]


def point_of(found, item):
    """Give the values (x, y) of a cell that was clicked; None if it is none of the map."""
    try:
        column, row = (int(each) for each in item["value"][:2])
    except (KeyError, TypeError, ValueError):
        return None
    if not (0 <= column < found.x.count and 0 <= row < found.y.count):
        return None
    return float(found.x.values[column]), float(found.y.values[row])


def field_of_levers(key, label, value, state, cast):
    """Give the field that chooses a lever, in the groups of the page."""
    from dataclasses import replace

    groups = levers(replace(state, lesson=""))["groups"]
    options = [
        {
            "title": group["title"],
            "options": [
                {"value": row["path"], "title": cast.rename(row["label"])} for row in group["levers"]
            ],
        }
        for group in groups
    ]
    return {"key": key, "label": label, "value": value, "groups": options}


# -- the panel -----------------------------------------------------------------------------------------------


@solara.component
def Panel(session):
    state = session.state.value
    work = work_of(session, "map")
    asked = of_session(
        session,
        "map asks",
        lambda: solara.Reactive({"x": FIRST_X, "y": FIRST_Y, "measure": "default:OpenAI"}),
    )
    chosen, found = asked.value, work.result.value
    cast = cast_of(scenario_of(state), state.names)
    measures = [{"value": key, "title": cast.rename(text)} for key, text in MEASURES.items()]
    stale = found is not None and found[0] != (state.run_key, *chosen.values())
    spec = {
        "text": "Every point is the present run with two levers moved, in the same worlds: first nine points, then"
        " twenty-five, then eighty-one. The cross is where you are; a click on a cell goes there.",
        "fields": [
            field_of_levers("x", "Across", chosen["x"], state, cast),
            field_of_levers("y", "Upwards", chosen["y"], state, cast),
            {
                "key": "measure",
                "label": "Share of worlds with",
                "value": chosen["measure"],
                "options": measures,
            },
        ],
        "action": "Draw the map",
        "refused": "Choose two different levers." if chosen["x"] == chosen["y"] else "",
        "note": "The map below answers an earlier question." if stale and work.progress.value is None else "",
    }

    def change(message):
        key, value = message.get("key"), message.get("value")
        known = [row["path"] for row in all_levers(state)]
        if (key in ("x", "y") and value in known) or (key == "measure" and value in MEASURES):
            asked.set({**asked.value, key: value})

    def start(*_):
        question = asked.value
        about = (state.run_key, *question.values())

        def job(report):
            for each in compute_map(state, question["x"], question["y"], question["measure"], report):
                yield about, each

        work.start(job)

    def go(item):
        there = point_of(found[1], item)
        if there is not None:
            sets = state
            for axis, value in zip((found[1].x, found[1].y), there, strict=True):
                sets = sets.with_set(axis.path, int(value) if axis.whole else value)
            session.change(sets=sets.sets)

    with solara.Div():
        form_of(work, spec, change, start)
        if found is None:
            placeholder(
                "Here the map will stand: a cell for each pair of values, darker where it comes to that in more worlds."
            )
        else:
            with solara.Div(classes=["tp-panelfigure", "tp-panel-map"]):
                Chart(spec=to_json(map_chart(found[1], cast)), event_pick=go)
