"""Every view of every shipped scenario: it builds, is plain JSON, has all its months, words and a table."""

import json
import re
from dataclasses import replace
from functools import cache

import pytest

from scenarios.cast import cast_of, names_of
from scenarios.schema import library
from viz.runs import compute
from viz.specs import Chart, Context, Table, Text, to_json
from viz.state import PageState
from viz.views import VIEWS

MONTHS = 24
ON_DEMAND = [key for key in VIEWS if key != "owes"]
MOST = 300_000  # bytes of a view with all months of the game
ONE_LINE = 112  # letters that fit beneath a headline
CONFUSING = re.compile(r"\d[eE][+-]?\d|\bnan\b|\binf\b|\bNone\b(?! of)|[a-z]_[a-z]|\{|\}")


@cache
def played(scenario, months=MONTHS, worlds=4):
    run = compute(PageState(scenario=scenario, months=months, worlds=worlds))
    return run, Context(names=names_of(run.scenario), cast=cast_of(run.scenario))


@pytest.mark.parametrize("key", ON_DEMAND)
@pytest.mark.parametrize("scenario", library())
def test_every_view_of_every_scenario_is_complete(scenario, key):
    run, about = played(scenario)
    specs = VIEWS[key].build(run, about)
    charts = [spec for spec in specs if isinstance(spec, Chart)]
    assert specs and len(charts) <= 2
    for spec in specs:
        plain = json.loads(to_json(spec), parse_constant=lambda word: pytest.fail(f"{word} in JSON"))
        _has_all_months(spec, plain)
        _reads_well(spec)
    assert len({spec.key for spec in specs}) == len(specs)


@pytest.mark.parametrize("key", ["curves", "margin", "energy", "market", "losses"])
def test_pinned_runs_are_dashed_lines_also_where_they_are_told_of_other_things(key):
    run, about = played("baseline")
    pinned = tuple(played(name, months)[0] for name, months in (("fibre_1996", 12), ("calm", 30)))
    charts = [
        spec.option["series"]
        for spec in VIEWS[key].build(run, replace(about, pinned=pinned))
        if isinstance(spec, Chart)
    ]
    found = [each for series in charts for each in series if str(each.get("name")).startswith("pinned")]
    assert {each["name"] for each in found} == {"pinned 1", "pinned 2"}
    assert all(each["lineStyle"]["type"] == "dashed" for each in found)
    shorter, longer = (
        next(each for each in found if each["name"] == f"pinned {at}")["data"] for at in (1, 2)
    )
    assert len(shorter) == len(longer) == MONTHS + 1
    assert all(value is None for value in shorter[13:]) and longer[-1] is not None


def _has_all_months(spec, plain):
    if isinstance(spec.headline, list):
        assert len(spec.headline) == MONTHS + 1
    if isinstance(spec, Chart):
        assert spec.frames is None or len(spec.frames) == MONTHS + 1
        if spec.cursor:
            assert len(plain["option"]["xAxis"][0]["data"]) == MONTHS + 1
    elif not spec.static:
        assert len(spec.frames) == MONTHS + 1
    if isinstance(spec, Table) and spec.frames:
        first = [
            row if spec.fixed is None else spec.fixed[at] + row for at, row in enumerate(spec.frames[-1])
        ]
        assert all(len(row) in (len(spec.columns), len(spec.fixed[0]) if spec.fixed else 0) for row in first)


def _reads_well(spec):
    sentences = spec.headline if isinstance(spec.headline, list) else [spec.headline]
    if isinstance(spec, Text):
        told = spec.frames if spec.static else [sentence for month in spec.frames for sentence in month]
        sentences = [*sentences, *told]
    for sentence in sentences:
        assert sentence and sentence[0].upper() == sentence[0], sentence
        assert not CONFUSING.search(sentence), sentence
    if isinstance(spec, Chart):
        assert spec.alt and spec.label and spec.unit and len(spec.label + spec.unit) <= ONE_LINE
        width = len(spec.table["columns"])
        assert spec.table["rows"] and all(len(row) == width for row in spec.table["rows"])


def test_views_use_the_colours_of_the_theme_alone():
    run, about = played("baseline")
    for key in ON_DEMAND:
        for spec in VIEWS[key].build(run, about):
            assert not re.search(r'"#[0-9a-fA-F]{3,8}"|"rgba?\(', to_json(spec)), (key, spec.key)


def test_no_view_is_too_large_for_the_wire():
    run, about = played("baseline", months=96)
    for key in ON_DEMAND:
        size = sum(len(to_json(spec).encode()) for spec in VIEWS[key].build(run, about))
        assert size <= MOST, (key, size)


def test_archetype_names_reach_every_view():
    run, _ = played("baseline")
    about = Context(
        names=names_of(run.scenario, "archetype"), cast=cast_of(run.scenario, "archetype"), party="Oracle"
    )
    real = [name for name, shown in about.names.items() if shown != name]
    for key in ON_DEMAND:
        for spec in VIEWS[key].build(run, about):
            text = re.sub(r'"id":"[^"]*"', "", to_json(spec))
            seen = [name for name in ("OpenAI", "Oracle", "CoreWeave", "SoftBank") if name in text]
            assert real and not seen, (key, spec.key, seen)
