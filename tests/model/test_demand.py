"""Adoption, choice and use: the invariants of the logit, the nested logit, the Bass curve and the rebound."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from model.demand import (
    bass_age,
    bass_peak,
    bass_step,
    calibrated_appeal,
    nested_logit,
    rebound,
    usage,
)

NESTS = [slice(0, 3), slice(3, None)]
utilities = st.lists(st.floats(-30.0, 30.0), min_size=5, max_size=8).map(lambda u: np.array(u)[:, None])
scale = st.floats(0.001, 1.0)
outsides = st.floats(-30.0, 30.0).map(lambda u: np.array([u]))
elasticities, gains, shares_passed = st.floats(0.0, 2.5), st.floats(0.01, 4.0), st.floats(0.0, 1.0)


@given(utilities, scale, scale, outsides)
def test_shares_and_the_outside_option_add_up_to_one(utility, first, second, outside):
    shares, left, _ = nested_logit(utility, NESTS, [first, second], outside)
    assert (shares >= 0.0).all() and np.isfinite(shares).all()
    assert shares.sum() + left[0] == pytest.approx(1.0, abs=1e-12)


@given(utilities, outsides)
def test_lambda_one_is_the_plain_logit(utility, outside):
    shares, left, _ = nested_logit(utility, NESTS, [1.0, 1.0], outside)
    every = np.concatenate([utility, outside[None]])
    weight = np.exp(every - every.max(axis=0))
    assert np.concatenate([shares, left[None]]) == pytest.approx(weight / weight.sum(axis=0), abs=1e-12)


@given(utilities, scale, scale, outsides, st.floats(-50.0, 50.0))
def test_only_differences_of_utility_count(utility, first, second, outside, more):
    assume(min(first, second) > 0.01)  # below, a rounding error of the sum is blown up by 1 / lambda
    shares, _, logsum = nested_logit(utility, NESTS, [first, second], outside)
    moved, _, higher = nested_logit(utility + more, NESTS, [first, second], outside + more)
    assert moved == pytest.approx(shares, abs=1e-9)
    assert higher == pytest.approx(logsum + more, abs=1e-9)


@given(
    st.lists(st.floats(-3.0, 3.0), min_size=5, max_size=8).map(lambda u: np.array(u)[:, None]),
    st.floats(0.2, 1.0),
    st.floats(0.2, 1.0),
)
def test_shares_are_the_gradient_of_the_logsum(utility, first, second):
    shares, _, _ = nested_logit(utility, NESTS, [first, second], np.zeros(1))
    step = 1e-5
    for row in range(len(utility)):
        up, down = utility.copy(), utility.copy()
        up[row] += step
        down[row] -= step
        high, low = (nested_logit(u, NESTS, [first, second], np.zeros(1))[2][0] for u in (up, down))
        assert (high - low) / (2 * step) == pytest.approx(shares[row, 0], abs=1e-8)


@given(st.lists(st.floats(0.01, 1.0), min_size=6, max_size=9), st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_calibrated_appeals_give_the_shares_back(weights, first, second):
    whole = np.array(weights)[:, None] / sum(weights)
    shares, outside = whole[:-1], whole[-1]
    appeal = calibrated_appeal(shares, outside, NESTS, [first, second])
    found, left, _ = nested_logit(appeal, NESTS, [first, second], np.zeros(1))
    assert found == pytest.approx(shares, abs=1e-10)
    assert left == pytest.approx(outside, abs=1e-10)


def test_a_choice_without_customers_stays_without():
    shares = np.array([[0.5], [0.0], [0.2], [0.1]])
    appeal = calibrated_appeal(shares, np.array([0.2]), NESTS, [0.6, 0.8])
    assert nested_logit(appeal, NESTS, [0.6, 0.8], np.zeros(1))[0][1, 0] < 1e-12


@given(st.lists(st.floats(0.2, 3.0), min_size=3, max_size=6), st.floats(0.1, 2.0))
def test_elasticities_of_the_plain_logit_are_those_of_the_textbook(prices, weight):
    """-b p (1 - s) of its own price, b p s of every other's."""
    price = np.array(prices)[:, None]

    def at(each):
        return nested_logit(-weight * each, [slice(None)], [1.0], np.zeros(1))[0]

    own, cross = -weight * price * (1.0 - at(price)), weight * price * at(price)
    up, down = price.copy(), price.copy()
    up[0], down[0] = price[0] * np.exp(1e-5), price[0] * np.exp(-1e-5)
    slope = (np.log(at(up)) - np.log(at(down))) / 2e-5
    assert slope[0] == pytest.approx(own[0], abs=1e-7)
    assert slope[1] == pytest.approx(cross[0], abs=1e-7)


@given(st.floats(0.0, 0.95), st.floats(0.0005, 0.1), st.floats(0.05, 1.5), st.floats(0.05, 5.0))
def test_adoption_rises_and_never_passes_the_market(adopted, innovation, imitation, years):
    later = bass_step(adopted, innovation, imitation, years)
    assert adopted <= later <= 1.0
    halves = bass_step(bass_step(adopted, innovation, imitation, years / 2), innovation, imitation, years / 2)
    assert halves == pytest.approx(later, rel=1e-9)


@given(st.floats(0.0005, 0.05), st.floats(0.1, 1.5))
def test_adoption_peaks_where_theory_says(innovation, imitation):
    years, share = bass_peak(innovation, imitation)
    assert bass_step(0.0, innovation, imitation, years) == pytest.approx(share, rel=1e-9)
    assert bass_age(share, innovation, imitation) == pytest.approx(years, rel=1e-9)


@given(gains, elasticities, shares_passed)
def test_the_saving_backfires_only_above_one(gain, elasticity, passed):
    assume(abs(elasticity * passed - 1.0) > 1e-6)
    answer = rebound(gain, elasticity, passed)
    assert (answer["compute"] > 1.0) == (elasticity * passed > 1.0)
    assert (answer["rebound"] > 1.0) == (answer["compute"] > 1.0)
    assert answer["revenue"] == pytest.approx(np.exp(gain * passed * (elasticity - 1.0)), rel=1e-12)


@given(st.floats(0.05, 20.0), elasticities)
def test_revenue_moves_with_one_less_the_elasticity(price, elasticity):
    assert price * usage(price, elasticity) == pytest.approx(price ** (1.0 - elasticity), rel=1e-12)
