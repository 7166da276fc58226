"""The levers of the page: Params that can be moved, in groups, with steps that a hand can set and a cache can hit.

Which Params are levers, and their words, is data (levers.toml); all else is read off the declarations of the model and
the scenario that is shown.
"""

import functools
import math
import tomllib
from pathlib import Path

from scenarios.cast import cast_of
from scenarios.schema import BadInput, default_vocabulary, opening_values, split_path
from viz.lesson import lessons
from viz.state import known_scenario

FILE = Path(__file__).resolve().parent / "levers.toml"
FEWEST, MOST = 20, 100  # positions of a slider
STEPS = (5.0, 2.0, 1.0)  # times a power of ten


def levers(state):
    """Give what the lever panel shows for a state: {"groups": [{key, title, sentence, levers}]}.

    A lever: {path, label, unit, low, high, step, default, whole, source, sentence}; ``default``: the scenario's value.
    In a lesson there are only those that it uses.
    """
    lesson = lessons().get(state.lesson)
    if lesson is not None:
        words = {row["path"]: row for group in _groups() for row in group["lever"]}
        rows = [lever(state, **words.get(path, {"path": path})) for path in lesson.levers]
        return {
            "groups": [
                {
                    "key": "lesson",
                    "title": lesson.title,
                    "sentence": "Only what this lesson uses.",
                    "levers": rows,
                }
            ]
        }
    groups = [
        {name: group[name] for name in ("key", "title", "sentence")}
        | {"levers": [lever(state, **row) for row in group["lever"]]}
        for group in _groups()
    ]
    return {"groups": groups}


def lever(state, path, label="", low=None, high=None):
    """Give one lever of a state, for any Param that is a number; BadInput if there is none such."""
    param = _param(path)
    scenario = known_scenario(state.scenario)
    cast = cast_of(scenario, state.names)
    default = scenario_value(scenario, path)
    low = min(param.low if low is None else low, default)
    high = max(param.high if high is None else high, default)
    low, high, step = grid(low, high, default, param.kind == "whole")
    return {
        "path": path,
        "label": cast.rename(cast.tell(label or param.name.replace("_", " "))),
        "unit": param.unit,
        "low": low,
        "high": high,
        "step": step,
        "default": default,
        "whole": param.kind == "whole",
        "source": param.source,
        "sentence": cast.rename(cast.tell(param.sentence)),
    }


def label_of(path):
    """Give the few words that stand for a Param: those of its lever, else its name."""
    rows = (row for group in _groups() for row in group["lever"] if row["path"] == path)
    return next((row["label"] for row in rows if row.get("label")), split_path(path)[2].replace("_", " "))


def snapped(state, path, value):
    """Give the value of a lever that is nearest to ``value`` among its steps; BadInput if there is no such lever."""
    words = next(
        (row for group in _groups() for row in group["lever"] if row["path"] == path), {"path": path}
    )
    found = lever(state, **words)
    if not math.isfinite(value):
        raise BadInput(f"{path} is a number, not {value}")
    if value == found["default"]:
        return value
    place = round((min(max(value, found["low"]), found["high"]) - found["low"]) / found["step"])
    near = _clean(min(found["low"] + place * found["step"], found["high"]))
    return round(near) if found["whole"] else near


def scenario_value(scenario, path):
    """Give the value that a scenario has for a Param of a group: its own, else the opening's, else the default.

    Of a group whose agents have values of their own, that of the first agent.
    """
    if path in scenario.params:
        return scenario.params[path]
    group, agent, name = split_path(path)
    opening = opening_values(scenario.opening)
    if path in opening:
        return opening[path]["value"]
    if agent is None:
        agents = scenario.vocabulary.agents(scenario.opening).get(group, ())
        for own in (f"{group}.{each}.{name}" for each in agents):
            if own in scenario.params:
                return scenario.params[own]
            if own in opening:
                return opening[own]["value"]
    else:
        return scenario_value(scenario, f"{group}.{name}")
    return _param(path).default


def grid(low, high, default, whole=False):
    """Give (low, high, step): a step of 1, 2 or 5 times a power of ten with 20 to 100 positions.

    The largest step on which both ends and the default lie; if there is none, the finest, and both ends move inwards
    to multiples of it. Whole numbers may have fewer positions.
    """
    span = high - low
    if span <= 0.0:
        return low, high, 1 if whole else 1.0
    top = math.floor(math.log10(span))
    steps = [digit * 10.0**power for power in range(top, top - 4, -1) for digit in STEPS]
    steps = [_clean(step) for step in steps if span / step <= MOST + 1e-9 and (not whole or step >= 1.0)]
    fine = [step for step in steps if span / step >= FEWEST - 1e-9] or steps[-1:]
    for step in fine:
        if all(_on_grid(value, low, step) for value in (high, default)) and _on_grid(low, 0.0, step):
            return _typed(low, high, step, whole)
    for step in fine:
        if all(_on_grid(value, low, step) for value in (high, default)):
            return _typed(low, high, step, whole)
    step = fine[-1]
    low = _clean(math.ceil(low / step - 1e-9) * step)
    high = _clean(math.floor(high / step + 1e-9) * step)
    return _typed(low, high, step, whole)


def _typed(low, high, step, whole):
    kind = int if whole else float
    return kind(low), kind(high), kind(step)


def _on_grid(value, start, step):
    steps = (value - start) / step
    return abs(steps - round(steps)) < 1e-6


def _clean(value):
    """A number without the dust of binary fractions."""
    return float(f"{value:.10g}")


def _param(path):
    group, _, name = split_path(path)
    param = default_vocabulary().params.get(group, {}).get(name)
    if param is None or param.kind not in ("number", "whole"):
        raise BadInput(f"{path} is no lever: it is not a number that can be set")
    return param


@functools.cache
def _groups():
    return tomllib.loads(FILE.read_text(encoding="utf-8"))["group"]
