import math
import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.schema import BadInput, default_vocabulary, library
from viz.levers import FEWEST, FILE, MOST, grid, lever, levers, scenario_value, snapped
from viz.state import DEFAULT, PageState, known_scenario, parse_query, scenario_of, to_query

PATHS = [row["path"] for group in tomllib.loads(FILE.read_text())["group"] for row in group["lever"]]


def test_five_or_six_groups_of_three_to_five_levers():
    groups = levers(DEFAULT)["groups"]
    assert len(groups) in (5, 6)
    assert all(3 <= len(group["levers"]) <= 5 for group in groups)
    assert len(set(PATHS)) == len(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_a_lever_says_what_its_declaration_says(path):
    group, name = path.split(".")
    param = default_vocabulary().params[group][name]
    found = next(each for g in levers(DEFAULT)["groups"] for each in g["levers"] if each["path"] == path)
    assert (found["unit"], found["source"], found["sentence"]) == (param.unit, param.source, param.sentence)
    assert param.low <= found["low"] < found["high"] <= param.high
    assert found["low"] <= found["default"] <= found["high"]
    positions = (found["high"] - found["low"]) / found["step"]
    assert abs(positions - round(positions)) < 1e-6
    assert round(positions) <= MOST
    assert round(positions) >= FEWEST or (found["whole"] and found["step"] == 1)
    assert snapped(DEFAULT, path, found["default"]) == found["default"]


@pytest.mark.parametrize("name", library())
def test_every_scenario_has_levers_with_its_own_values(name):
    state = PageState(scenario=name)
    scenario = known_scenario(name)
    for group in levers(state)["groups"]:
        for found in group["levers"]:
            if found["path"] in scenario.params:
                assert found["default"] == scenario.params[found["path"]]
            assert found["low"] <= found["default"] <= found["high"]


@pytest.mark.parametrize("path", PATHS)
def test_both_ends_of_every_lever_can_be_played(path):
    for value in (-math.pi * 1e6, math.pi * 1e6):
        state = DEFAULT.with_set(path, snapped(DEFAULT, path, value))
        assert scenario_of(state).params[path] == dict(state.sets)[path]
        assert parse_query(to_query(state)) == (state, [])


def test_values_snap_to_steps():
    step = lever(DEFAULT, "openai.floor_share")["step"]
    assert snapped(DEFAULT, "openai.floor_share", 0.5 + 0.4 * step) == 0.5
    assert snapped(DEFAULT, "openai.floor_share", 7.0) == 1.0
    assert snapped(DEFAULT, "halls.hall_term", 60.4) == 60
    assert isinstance(snapped(DEFAULT, "halls.hall_term", 71.0), int)
    with pytest.raises(BadInput):
        snapped(DEFAULT, "openai.floor_share", math.nan)
    with pytest.raises(BadInput):
        snapped(DEFAULT, "openai.nothing", 1.0)
    with pytest.raises(BadInput):
        snapped(DEFAULT, "openai.commits", 1.0)


def test_the_scenarios_own_value_is_on_the_lever_even_off_its_steps():
    state = replace(DEFAULT, scenario="growth_disappoints")
    scenario = known_scenario("growth_disappoints").with_set({"demand.growth_level": 0.8371})
    assert scenario_value(scenario, "demand.growth_level") == 0.8371
    assert scenario_value(known_scenario("baseline"), "bank.lending_limit") == 150.0
    assert scenario_value(known_scenario("baseline"), "bank.Japanese bank syndicate.lending_limit") == 60.0
    assert lever(state, "demand.growth_level")["default"] == scenario_value(
        known_scenario("growth_disappoints"), "demand.growth_level"
    )


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.floats(0, 1))
def test_a_grid_has_a_nice_step_and_not_too_many_positions(low, span, share):
    high = low + span
    start, end, step = grid(low, high, low + share * span)
    digit = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(digit - nice) for nice in (1.0, 2.0, 5.0, 10.0)) < 1e-6
    assert low - 1e-6 * span - 1e-9 <= start <= end <= high + 1e-6 * span + 1e-9
    assert (end - start) / step <= MOST + 1e-6
