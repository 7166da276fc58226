"""Grids: every point is a run of its own with the same luck, and a map is refined without changing what is known."""

import itertools
import json

import numpy as np
import pytest

from scenarios.experiments import grid
from scenarios.experiments.grid import (
    ANY,
    axis_of,
    measured,
    parse_axes,
    sweep,
    trap_map,
    value_in,
)
from scenarios.schema import BadInput, load
from scenarios.simulate import simulate

RENT, FLOOR = "lab.rent", "lab.floor_share"


@pytest.fixture
def toy(read):
    return read('title = "Toy"\nparagraph = "p"\n[lab]\nrent = 4.0\n')


@pytest.fixture
def maps(toy, vocabulary):
    x, y = axis_of(RENT, 0.0, 8.0, vocabulary=vocabulary), axis_of(FLOOR, vocabulary=vocabulary)
    return list(trap_map(toy, x, y, 12, 1, 24, measure="default:Big Lab", vocabulary=vocabulary))


def test_each_point_equals_a_run_of_its_own(toy, maps, vocabulary):
    fine = maps[-1]
    assert fine.done and fine.chance.shape == (9, 9)
    for row, column in ((0, 0), (4, 4), (8, 3), (3, 7)):
        changed = {RENT: float(fine.x.values[column]), FLOOR: float(fine.y.values[row])}
        alone = simulate(toy.with_set(changed), 12, 1, 24, vocabulary=vocabulary)
        assert fine.chance[row, column] == measured(alone, "default:Big Lab").mean()
    assert np.ptp(fine.chance) > 0.0


def test_the_point_of_the_scenario_equals_its_own_simulation(toy, maps, vocabulary):
    own = measured(simulate(toy, 12, 1, 24, vocabulary=vocabulary), "default:Big Lab").mean()
    for each in maps:
        assert each.own == (4.0, 0.9, own)
    assert maps[-1].x.values[4] == 4.0  # the column of the scenario's own rent


def test_a_finer_level_keeps_what_was_known(maps):
    assert [each.level for each in maps] == [3, 5, 9]
    assert [int(np.isfinite(each.chance).sum()) for each in maps] == [9, 25, 81]
    for coarse, fine in itertools.pairwise(maps):
        known = np.isfinite(coarse.chance)
        assert (coarse.chance[known] == fine.chance[known]).all()
        assert np.isfinite(coarse.filled).all()
        assert (coarse.filled[known] == coarse.chance[known]).all()


def test_points_can_be_seen_as_they_come(toy, maps, vocabulary, monkeypatch):
    monkeypatch.setattr(grid, "LOT", 60)
    x, y = maps[0].x, maps[0].y
    seen = list(
        trap_map(toy, x, y, 12, 1, 24, measure="default:Big Lab", each_lot=True, vocabulary=vocabulary)
    )
    known = [int(np.isfinite(each.chance).sum()) for each in seen]
    assert known == sorted(known) and len(known) > 10 and known[0] == 9
    assert all(np.isfinite(each.filled).all() for each in seen)
    assert (seen[-1].chance == maps[-1].chance).all()


def test_a_map_can_be_stopped_at_any_month(toy, vocabulary):
    class Stop(Exception):
        pass

    seen = []

    def progress(done, total):
        assert 0 <= done <= total
        seen.append(done)
        if len(seen) == 40:
            raise Stop

    x, y = axis_of(RENT, 0.0, 8.0, vocabulary=vocabulary), axis_of(FLOOR, vocabulary=vocabulary)
    with pytest.raises(Stop):
        list(trap_map(toy, x, y, 4, 1, 24, measure=ANY, progress=progress, vocabulary=vocabulary))
    assert seen == sorted(seen)


def test_a_whole_number_has_no_more_points_than_numbers(toy, vocabulary):
    patience = axis_of("lab.patience", 1, 6, 5, vocabulary=vocabulary)
    floor = axis_of(FLOOR, vocabulary=vocabulary)
    found = list(trap_map(toy, patience, floor, 2, 1, 3, measure="default:Big Lab", vocabulary=vocabulary))
    assert [each.level for each in found] == [3, 5]
    assert (found[-1].x.values == np.round(found[-1].x.values)).all()


def test_a_sweep_has_a_row_per_point_with_its_interval(toy, vocabulary):
    axes = parse_axes([f"{RENT}=0:8:3", f"{FLOOR}=0:1:2"], vocabulary=vocabulary)
    facts = sweep(toy, axes, 8, 1, 12, measure="default:Big Lab", vocabulary=vocabulary).facts()
    assert [(row[RENT], row[FLOOR]) for row in facts["points"]] == [
        (0.0, 0.0), (0.0, 1.0), (4.0, 0.0), (4.0, 1.0), (8.0, 0.0), (8.0, 1.0),
    ]  # fmt: skip
    for row in facts["points"]:
        assert row["low"] <= row["value"] <= row["high"]
    assert facts["points"][0]["value"] < facts["points"][-1]["value"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lab.rent=0:8", None),
        ("lab.rent", "PATH=LOW:HIGH:COUNT"),
        ("lab.rent=8:0:3", "8 to 0"),
        ("lab.rent=0:800:3", "0 to 800"),
        ("lab.rant=0:1:3", "lab.rent"),
        ("lab.bold=0:1:3", "cannot be varied"),
        ("lab.rent=0:8:1", "1 values"),
        ("lab.patience=1:3:9", "2 to 3 values"),
        ("lab.rent=0:nan:3", "0 to nan"),
    ],
)
def test_bad_axes_are_refused_in_words(text, message, vocabulary):
    if message is None:
        assert parse_axes([text], vocabulary=vocabulary)[0].count == 11
    else:
        with pytest.raises(BadInput, match=message):
            parse_axes([text], vocabulary=vocabulary)


def test_the_same_parameter_twice_or_none_is_refused(toy, vocabulary):
    with pytest.raises(BadInput, match="given twice"):
        parse_axes(["lab.rent=0:8:3", "lab.rent=1:8:3"], vocabulary=vocabulary)
    with pytest.raises(BadInput, match="one axis"):
        sweep(toy, [], 2, 1, 3, vocabulary=vocabulary)


def test_values_come_from_the_scenario_then_the_opening_then_the_default():
    baseline = load("baseline")
    assert value_in(baseline, "openai.floor_share") == 0.9
    assert value_in(baseline.with_set({"openai.floor_share": 0.4}), "openai.floor_share") == 0.4
    assert value_in(baseline, "infrastructure_partner.borrowing_cap") is None
    assert value_in(baseline, "infrastructure_partner.Oracle.borrowing_cap") > 0.0


def test_the_market_itself_gives_the_same_at_a_point_as_alone():
    baseline = load("baseline")
    x, y = axis_of("openai.floor_share"), axis_of("equity_investors.closing_hazard", 0.0, 1.0)
    coarse = next(trap_map(baseline, x, y, 4, 1, 36, measure=ANY, levels=(3,)))
    for row, column in ((0, 0), (2, 1), (2, 2)):
        changed = {x.path: float(coarse.x.values[column]), y.path: float(coarse.y.values[row])}
        alone = simulate(baseline.with_set(changed), 4, 1, 36)
        assert coarse.chance[row, column] == measured(alone, ANY).mean()


def test_the_command_prints_the_grid_and_refuses_bad_input():
    from typer.testing import CliRunner

    import run

    few = ["sweep", "--worlds", "2", "--months", "6", "--vary", "openai.floor_share=0:1:2"]
    done = CliRunner().invoke(run.app, [*few, "--vary", "equity_investors.closing_hazard=0:1:3", "--json"])
    facts = json.loads(done.stdout)
    assert len(facts["points"]) == 6
    assert facts["points"][0].keys() >= {"openai.floor_share", "value", "low", "high"}
    assert "openai.floor_share" in CliRunner().invoke(run.app, few).stdout
    assert CliRunner().invoke(run.app, [*few, "--vary", "openai.floor_share=0:1:2"]).exit_code == 2
