"""Shapley's axioms, and the attribution of a toy model whose drivers are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from scenarios.experiments.attribution import (
    bootstrap_over_worlds,
    means_over_worlds,
    pair_interactions,
    shapley_values,
)

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
