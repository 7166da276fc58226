"""Breakthroughs, their leak, and the law of scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.lab import reducible_loss, scaling_exponent
from model.technology import compute_optimal, gain_size, lead, leak

exponents = st.floats(0.05, 0.6)


@given(st.floats(18.0, 28.0), st.floats(50.0, 3000.0), st.floats(50.0, 3000.0), exponents, exponents)
def test_training_is_compute_optimal(log_compute, size_factor, data_factor, alpha, beta):
    compute = 10.0**log_compute
    size, data, loss = compute_optimal(compute, 1.7, size_factor, data_factor, alpha, beta)
    assert 6.0 * size * data == pytest.approx(compute, rel=1e-9)
    for other in (0.5, 0.9, 1.1, 2.0):  # any other split of the same compute is worse
        worse = 1.7 + size_factor * (size * other) ** -alpha + data_factor * (data / other) ** -beta
        assert worse >= loss


@given(st.floats(18.0, 26.0), exponents, exponents, st.floats(1.0, 1000.0))
def test_what_is_reducible_falls_with_the_exponent(log_compute, alpha, beta, more):
    compute = 10.0**log_compute
    *_, now = compute_optimal(compute, 0.0, 400.0, 400.0, alpha, beta)
    *_, then = compute_optimal(more * compute, 0.0, 400.0, 400.0, alpha, beta)
    assert then / now == pytest.approx(reducible_loss(more, scaling_exponent(alpha, beta)), rel=1e-9)


def play(events, lag, share, months=24, labs=3):
    """Efficiency by month ``(months, labs)`` when each event (month, lab, size) leaks."""
    efficiency, pending, path = np.zeros((labs, 1)), np.zeros((13, labs, 1)), []
    for month in range(months):
        own, others = np.zeros((labs, 1)), np.zeros((labs, 1))
        for when, lab, size in events:
            own[lab] += size * (when == month)
            others[np.arange(labs) != lab] += share * size * (when == month)
        gain, pending = leak(pending, month, own, others, np.array([[lag]]))
        efficiency = efficiency + gain
        path.append(efficiency[:, 0])
    return np.array(path)


happenings = st.lists(
    st.tuples(st.integers(0, 23), st.integers(0, 2), st.floats(0.01, 2.0)), min_size=0, max_size=8
)


@given(happenings, st.integers(0, 12), st.floats(0.0, 1.0))
def test_efficiency_never_falls_and_nobody_gains_more_than_was_found(events, lag, share):
    path = play(events, lag, share)
    assert (np.diff(path, axis=0) >= 0.0).all()
    assert (path[-1] <= sum(size for *_, size in events) + 1e-9).all()


@given(happenings, st.integers(0, 12), st.floats(0.0, 1.0))
def test_each_lab_has_its_own_finds_and_what_has_leaked(events, lag, share):
    path = play(events, lag, share)
    for month in (3, 12, 23):
        for lab in range(3):
            own = sum(size for when, who, size in events if who == lab and when <= month)
            got = sum(share * size for when, who, size in events if who != lab and when + lag <= month)
            assert path[month, lab] == pytest.approx(own + got, abs=1e-12)


def test_the_lag_may_differ_per_world():
    pending = np.zeros((13, 2, 3))
    own = np.array([[1.0], [0.0]]) * np.ones(3)
    others = np.array([[0.0], [0.5]]) * np.ones(3)
    lags = np.array([[0, 2, 5]])
    gained = []
    for month in range(8):
        gain, pending = leak(pending, month, own * (month == 0), others * (month == 0), lags)
        gained.append(gain[1])
    arrival = np.argmax(np.array(gained) > 0.0, axis=0)
    assert arrival.tolist() == [0, 2, 5]
    assert np.array(gained).sum(axis=0).tolist() == [0.5, 0.5, 0.5]


def test_the_lead_is_over_the_second_best():
    assert lead(np.array([[1.0, 0.0], [0.4, 0.0], [0.7, 0.0]])).tolist() == pytest.approx([0.3, 0.0])


@given(st.floats(0.01, 2.5), st.floats(0.0, 1.5), st.floats(-4.0, 4.0))
def test_a_gain_is_positive_and_its_median_is_the_median(median, spread, luck):
    assert gain_size(median, spread, luck) > 0.0
    assert gain_size(median, spread, 0.0) == median
