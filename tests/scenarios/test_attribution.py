"""Shapley's axioms, and the attribution of a toy model whose drivers are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from scenarios.experiments.attribution import (
    DRIVERS,
    NOT_DRIVERS,
    attribute,
    bootstrap_over_worlds,
    means_over_worlds,
    pair_interactions,
    shapley_values,
)
from scenarios.experiments.cause import cause_card, first_world
from scenarios.experiments.equity_window import figure_one
from scenarios.schema import BadInput, default_vocabulary, load
from scenarios.simulate import simulate

numbers = st.floats(-100.0, 100.0)
games = st.integers(1, 4).flatmap(lambda k: npst.arrays(float, (1 << k, 3), elements=numbers))


@given(games)
def test_all_is_handed_out_in_every_world(values):
    assert shapley_values(values).sum(axis=0) == pytest.approx(values[-1] - values[0], abs=1e-9)


@given(games)
def test_a_player_that_adds_nothing_gets_nothing(values):
    with_dummy = np.concatenate([values, values])
    shares = shapley_values(with_dummy)
    assert shares[-1] == pytest.approx(0.0, abs=1e-9)
    assert shares[:-1] == pytest.approx(shapley_values(values), abs=1e-9)


@given(npst.arrays(float, (4, 3), elements=numbers))
def test_players_who_change_places_change_shares(values):
    swapped = values[[0, 2, 1, 3]]
    assert shapley_values(swapped) == pytest.approx(shapley_values(values)[::-1], abs=1e-9)


@given(npst.arrays(float, (8, 2), elements=numbers), npst.arrays(float, (8, 2), elements=numbers), numbers)
def test_shares_are_linear(one, other, factor):
    mixed = shapley_values(one + factor * other)
    assert mixed == pytest.approx(shapley_values(one) + factor * shapley_values(other), rel=1e-6, abs=1e-6)
    assert shapley_values(-one) == pytest.approx(-shapley_values(one), abs=1e-12)


@given(npst.arrays(float, (3, 2), elements=numbers))
def test_players_who_only_add_do_not_interact(adds):
    values = np.array([sum(adds[i] for i in range(3) if s >> i & 1) + np.zeros(2) for s in range(8)])
    assert shapley_values(values) == pytest.approx(adds, abs=1e-9)
    assert pair_interactions(values) == pytest.approx(0.0, abs=1e-9)


@given(games)
def test_interactions_are_symmetric(values):
    found = pair_interactions(values)
    assert found == pytest.approx(np.swapaxes(found, 0, 1))


def test_a_game_needs_a_power_of_two_coalitions():
    with pytest.raises(ValueError, match="2\\^k"):
        shapley_values(np.zeros(6))
    with pytest.raises(ValueError, match="2\\^k"):
        shapley_values(np.zeros(1))


def test_the_same_luck_makes_shares_more_exact_than_luck_of_its_own():
    random = np.random.default_rng(3)
    luck = random.normal(size=(4, 1, 400))
    size = np.array([0, 1, 1, 3.0])[:, None]
    paired = means_over_worlds(shapley_values(size * (1 + 0.1 * luck[0]) + 2.0 * luck[1]))
    apart = means_over_worlds(shapley_values(size * (1 + 0.1 * luck[0]) + 2.0 * luck[:, 0]))
    assert (paired.error < apart.error / 2).all()


def test_the_bootstrap_interval_holds_the_mean_and_narrows_with_worlds():
    random = np.random.default_rng(5)
    many = random.random((2, 1600)) < 0.3
    low, high = bootstrap_over_worlds(many)
    few_low, few_high = bootstrap_over_worlds(many[:, :100])
    assert (low <= many.mean(axis=1)).all() and (many.mean(axis=1) <= high).all()
    assert (few_high - few_low > 2 * (high - low)).all()
    normal = means_over_worlds(many).reach
    assert (high - low) / 2 == pytest.approx(normal, rel=0.1)


# -- the experiment on the toy model -----------------------------------------------------------------------------

RENT = {"rent": {"lab.rent": 0.0}, "floor": {"lab.floor_share": 0.0}, "weight": {"stress.weight": 0.0}}


@pytest.fixture
def toy(read):
    return read('title = "Toy"\nparagraph = "p"\n[lab]\nrent = 8.0\n')


@pytest.fixture
def found(toy, vocabulary):
    return attribute(toy, "default:Big Lab", 12, 1, 24, drivers=RENT, vocabulary=vocabulary)


def test_the_shares_of_a_run_add_up_in_every_world(found):
    assert found.values.shape == (8, 12)
    assert found.residual < 1e-12
    assert found.shares.sum(axis=0) == pytest.approx(found.values[-1] - found.values[0])


def test_a_driver_that_nothing_reads_gets_nothing_with_the_same_luck(found):
    assert not found.shares[list(RENT).index("weight")].any()
    assert found.shares[0].mean() > 0.0


def test_no_rent_no_default(found):
    facts = found.facts()
    assert facts["unit"] == "share of worlds"
    off = [facts["all_off"]["value"], facts["all_on"]["value"]]
    assert off[0] == 0.0 < off[1]
    assert {row["driver"] for row in facts["drivers"]} == set(RENT)
    assert all(row["low"] <= row["share"] <= row["high"] for row in facts["drivers"])
    assert found.values[-1][list(found.luck).index(found.first_world())] == 1.0


def test_an_unknown_measure_is_refused_with_the_nearest_name(toy, vocabulary):
    with pytest.raises(BadInput, match="default:Big Lab"):
        attribute(toy, "default:Big Lob", 2, 1, 3, drivers={}, vocabulary=vocabulary)


def test_every_switch_of_the_drivers_exists_and_is_what_calm_says():
    calm = load("calm")
    for off in DRIVERS.values():
        for path, value in off.items():
            assert calm.params[path] == value


def test_every_group_of_params_is_in_a_driver_or_said_to_be_none():
    switched = {path.split(".")[0] for off in DRIVERS.values() for path in off}
    groups = {path for path in NOT_DRIVERS if "." not in path}
    assert switched | groups == set(default_vocabulary().params)
    assert not switched & groups
    without = [group for group, params in default_vocabulary().params.items() if not params]
    assert without == [group for group, why in NOT_DRIVERS.items() if why == "has no Params"]


def test_whatever_calm_switches_is_in_a_driver_or_said_to_be_none():
    switched = {path for off in DRIVERS.values() for path in off}
    for path in load("calm").params:
        told = {path, path.split(".")[0]} & set(NOT_DRIVERS)
        assert (path in switched) != bool(told), path


# -- the cause card ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hit():
    return first_world(load("baseline"), "OpenAI", 12, 1, 60)


def test_the_card_says_what_was_due_and_missing(hit):
    card = cause_card(load("baseline"), "OpenAI", hit, 1, 60)
    results = simulate(load("baseline"), [hit], 1, 60).worlds()
    assert card.missed_month == results["missed:OpenAI"][0] == card.month + 1
    assert card.missing > 0.0
    assert card.due == pytest.approx(card.paid + card.missing)
    assert sum(bill.missing for bill in card.bills) <= card.missing + 1e-9
    assert 1 <= len(card.changes) <= 3
    assert all(change.difference < 0.0 for change in card.changes)
    assert [c.difference for c in card.changes] == sorted(c.difference for c in card.changes)
    assert card.facts()["changes"][0]["difference"] == card.changes[0].difference


def test_who_pays_every_bill_has_no_card():
    assert cause_card(load("calm"), "OpenAI", 0, 1, 12) is None


def test_a_party_that_does_not_exist_is_refused():
    with pytest.raises(BadInput, match="OpenAI"):
        cause_card(load("calm"), "OpenAi", 0, 1, 1)


# -- figure 1 ----------------------------------------------------------------------------------------------------


def test_the_figure_holds_the_shipped_point_and_falls_with_the_cap():
    found = figure_one(load("baseline"), worlds=8, months=48, hazards=(0.0, 2.0), caps=(10.0, 200.0))
    facts = found.facts()
    assert found.shipped == (0.15, 75.0)
    assert len(facts["grid"]) == 9
    assert found.at(0.0, 200.0)[0] <= found.at(2.0, 10.0)[0]
    assert facts["shipped"]["low"] <= facts["shipped"]["p"] <= facts["shipped"]["high"]
