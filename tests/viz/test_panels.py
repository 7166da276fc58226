"""What panels compute: pinned runs side by side, maps, shares, files, and predictions of lessons."""

import functools
import io
import json
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from scenarios.cast import cast_of
from scenarios.experiments.attribution import DRIVERS, attribute
from scenarios.experiments.compare import compare
from scenarios.schema import load
from scenarios.simulate import simulate
from viz import levers
from viz.answers import Range
from viz.lesson import lessons
from viz.panels import PANELS, about, attribution, files, trap_map
from viz.panels import compare as panel
from viz.panels import lessons as lesson_panel
from viz.runs import Cancelled, RunFailed, compute
from viz.specs import to_json
from viz.state import PageState, keep_scenario

SHORT = PageState(worlds=8, months=36)
LAB = replace(SHORT, sets=(("loan.lab_borrows", 1.0),))
OWN = cast_of(load("baseline"), "own")


@pytest.fixture(scope="module")
def runs():
    return compute(SHORT), compute(LAB)


def test_every_panel_has_what_the_page_asks_of_it():
    for key, each in PANELS.items():
        assert key.isalpha() and each.TITLE and each.SENTENCE and callable(each.Panel)


# -- compare -----------------------------------------------------------------------------------------------------


def test_paired_rows_are_those_of_the_experiment(runs):
    table = panel.paired(*runs, OWN)
    found = compare(load("baseline"), load("baseline").with_set(dict(LAB.sets)), 8, 1, 36)
    first = next(row for row in found.rows if row.difference != 0.0)
    assert table.frames[0][0].endswith(first.quantity)
    assert json.loads(to_json(table))["frames"]


def test_runs_of_other_luck_have_no_paired_difference(runs):
    assert panel.paired(runs[0], compute(replace(SHORT, seed=2)), OWN) is None
    assert panel.paired(runs[0], compute(replace(SHORT, months=24)), OWN) is None


def test_a_longer_run_is_cut_to_the_worlds_both_have():
    long, short = compute(PageState(worlds=128, months=3)), compute(PageState(worlds=64, months=3))
    cut = panel.cut(long.results, 64)
    assert (cut.luck == short.results.luck).all()
    assert cut.digest() == short.results.digest()
    assert panel.paired(long, short, OWN).headline == "Nothing differs between these runs."


def test_side_by_side_has_a_column_per_run_and_their_shares(runs):
    table, dots = panel.side_by_side(list(runs), ["one", "other"], OWN)
    assert [column["title"] for column in table.columns] == ["", "one", "other"]
    frame = runs[1].results.defaults()
    share = frame[(frame["outcome"] == "default") & (frame["agent"] == "OpenAI")]["p"].iloc[0]
    row = next((row for row in table.frames if row[0] == "OpenAI in default"), None)
    assert (row is None) == (share == 0.0 and not _share(runs[0], "OpenAI"))
    if row is not None:
        assert row[2].startswith(f"{share:.0%}")
    marks, lines = dots.option["series"][::2], dots.option["series"][1::2]
    assert [series["symbol"] for series in marks] == ["circle", "rect"]
    for mark, line in zip(marks, lines, strict=True):
        for (share, _), span in zip(mark["data"], line["data"], strict=True):
            (low, _), (high, _) = span["coords"]
            assert 0.0 <= low <= share <= high <= dots.option["xAxis"]["max"]
    json.loads(to_json(dots))


def _share(run, firm):
    frame = run.results.defaults()
    return frame[(frame["outcome"] == "default") & (frame["agent"] == firm)]["p"].iloc[0]


def test_changes_and_differences_are_told_in_words():
    assert panel.changes(LAB) == [f"{levers.label_of('loan.lab_borrows')}: 100%"]
    assert "as in the scenario → 100%" in panel.difference(SHORT, LAB)
    assert "seed 1 → 2" in panel.difference(SHORT, replace(SHORT, seed=2))
    assert panel.difference(SHORT, SHORT) == ""
    shocked = replace(SHORT, events=((("month", 25), ("kind", "demand_shock"), ("size", -0.4)),))
    assert panel.changes(shocked) == ["demand shock -40% in month 25"]
    assert panel.difference(SHORT, shocked) == "other dated events"


# -- trap map ----------------------------------------------------------------------------------------------------

X, Y = "openai.floor_share", "loan.lab_borrows"


@pytest.fixture(scope="module")
def maps():
    state = replace(SHORT, months=12)
    return list(trap_map.compute_map(state, X, Y, "default:OpenAI", lambda *_: None, worlds=2))


def test_a_map_becomes_finer_and_is_remembered(maps):
    assert sorted({each.level for each in maps}) == [3, 5, 9]
    state, calls = replace(SHORT, months=12), []
    again = list(trap_map.compute_map(state, X, Y, "default:OpenAI", lambda *_: calls.append(1), worlds=2))
    assert not calls and again[-1] is maps[-1]


def test_the_chart_of_a_map_has_a_cell_per_point_and_the_cross_where_the_run_is(maps):
    chart = json.loads(to_json(trap_map.map_chart(maps[-1], OWN)))
    cells, cross = chart["option"]["series"]
    assert len(cells["data"]) == 81
    x, y = cross["data"][0]
    low, high = maps[-1].x.low, maps[-1].x.high
    assert low + x / 8 * (high - low) == pytest.approx(0.9)
    assert y == 0


def test_a_click_on_a_cell_says_its_values(maps):
    found = maps[-1]
    assert trap_map.point_of(found, {"value": [2, 8, 10.0]}) == (
        pytest.approx(float(found.x.values[2])),
        pytest.approx(float(found.y.values[8])),
    )
    for bad in ({}, {"value": None}, {"value": ["a", 1]}, {"value": [9, 0]}, {"value": [0, -1]}):
        assert trap_map.point_of(found, bad) is None


def test_a_map_of_one_lever_or_of_nothing_known_is_refused():
    for arguments in ((X, X, "default:OpenAI"), (X, Y, "loss:everything")):
        with pytest.raises(RunFailed):
            list(trap_map.compute_map(SHORT, *arguments, lambda *_: None))


def test_a_map_can_be_stopped():
    def report(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        list(trap_map.compute_map(replace(SHORT, seed=77), X, Y, "default:OpenAI", report, worlds=2))


# -- attribution -------------------------------------------------------------------------------------------------


def test_shares_are_drawn_with_their_intervals_and_add_up(monkeypatch):
    two = {name: DRIVERS[name] for name in ("demand", "credit")}
    monkeypatch.setattr(attribution, "attribute", functools.partial(attribute, drivers=two))
    state = replace(SHORT, months=6)
    facts = next(attribution.compute_shares(state, "peak_stress", lambda *_: None, worlds=2))
    total = sum(row["share"] for row in facts["drivers"])
    assert total == pytest.approx(facts["all_on"]["value"] - facts["all_off"]["value"], abs=1e-9)
    chart = json.loads(to_json(attribution.shares_chart(facts, OWN)))
    bars, spans, told = chart["option"]["series"]
    axis = chart["option"]["xAxis"]
    for row, label in zip(facts["drivers"], told["data"], strict=True):
        assert axis["min"] <= min(row["low"], 0.0) and max(row["high"], 0.0) <= axis["max"]
        assert label["value"][0] == pytest.approx(max(row["high"], 0.0), rel=1e-5)
    assert len(bars["data"]) == len(spans["data"]) == len(facts["drivers"])
    assert set(attribution.WHAT) == set(DRIVERS)
    assert next(attribution.compute_shares(state, "peak_stress", None, worlds=2)) is facts
    json.loads(to_json(attribution.pairs_table(facts)))


# -- files -------------------------------------------------------------------------------------------------------


def test_the_scenario_to_take_along_is_what_is_played(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(files.scenario_file(LAB), encoding="utf-8")
    assert load(path).hash() == load("baseline").with_set(dict(LAB.sets)).hash()


def test_the_archive_holds_the_files_of_the_run(runs):
    archive = zipfile.ZipFile(io.BytesIO(files.run_files(runs[1])))
    names = set(archive.namelist())
    assert {"run.json", "worlds.parquet", "monthly.parquet", "story.parquet", "scenario.toml"} <= names
    facts = json.loads(archive.read("run.json"))
    assert (facts["seed"], facts["worlds"]) == (1, 8)
    assert facts["scenario"]["overrides"] == {"loan.lab_borrows": 1.0}


def test_a_file_is_named_after_its_scenario_without_harm():
    given = replace(load("baseline"), name="../../etc/pass wd")
    assert files.file_name(replace(SHORT, scenario=keep_scenario(given)), ".toml") == "etc_pass_wd-seed1.toml"


# -- about -------------------------------------------------------------------------------------------------------


def test_the_sheet_lists_every_parameter_and_every_term():
    facts = about.facts()
    assert len({row["path"] for row in facts["assumptions"]}) == len(load("baseline").vocabulary.paths)
    assert len(facts["terms"]) > 30 and len(facts["sources"]) > 20
    json.dumps(facts)


# -- lessons -----------------------------------------------------------------------------------------------------


def test_levers_of_a_lesson_are_those_it_uses():
    for key, lesson in lessons().items():
        groups = levers.levers(replace(SHORT, lesson=key, scenario=lesson.scenario))["groups"]
        assert [row["path"] for group in groups for row in group["levers"]] == list(lesson.levers)


def test_what_was_predicted_stands_beside_what_came_of_it():
    lesson = lessons()["L3"]
    values = {key: 0.5 for key in lesson.answers} | {"promise": 8.75}
    found = {key: Range(0.1, 0.2, 0.3) for key in lesson.answers} | {"promise": Range(8.75, 8.75, 8.75)}
    given = {0: 8.75, 1: 2, 2: 0, 3: 25.0}
    assert lesson_panel.predicted(lesson, given) and not lesson_panel.predicted(lesson, {0: 8.75})
    rows = lesson_panel.judged(lesson, given, values, found, OWN)
    assert [row["right"] for row in rows] == [True, True, False, True]
    assert rows[2]["given"] == "falls"
    shown = lesson_panel.outcomes(lesson, "see", values, found, OWN)
    assert [row["key"] for row in shown] == list(lesson.shows["see"])
    assert shown[0]["value"] == "50%" and shown[0]["range"] == "10% to 30%"


def test_a_lesson_speaks_of_archetypes_where_they_are_asked_for():
    lesson = lessons()["L3"]
    cast = cast_of(load("baseline"), "archetype")
    rows = lesson_panel.outcomes(lesson, "see", dict.fromkeys(lesson.answers, 0.5), {}, cast)
    assert not any("OpenAI" in row["title"] or "Oracle" in row["title"] for row in rows)


def test_cases_are_played_as_the_page_plays_them(monkeypatch):
    monkeypatch.setattr(lesson_panel, "WORLDS", 2)
    lesson = lessons()["L5"]
    two = replace(
        lesson,
        cases=dict(list(lesson.cases.items())[:2]),
        answers={key: lesson.answers[key] for key in ("partner_breakthrough", "lab_calm", "old_rent")},
    )
    values = next(lesson_panel.run_cases(two, lambda *_: None))
    alone = simulate(load("supercluster_24_months"), 2, 101, 96).worlds()
    assert values["partner_breakthrough"] == np.mean(alone["default:CoreWeave"].notna())


def test_running_cases_stops_when_it_is_told_to():
    stop = threading.Event()

    def report(done, total):
        if stop.is_set():
            raise Cancelled

    stop.set()
    with pytest.raises(Cancelled):
        next(lesson_panel.run_cases(lessons()["L3"], report))
