"""Survival curves and early warnings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.experiments.scoring import auroc, kaplan_meier, relative_usefulness

cases = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=40)
signals = st.lists(st.tuples(st.floats(-3, 3).map(lambda x: round(x, 2)), st.booleans()), min_size=2)


@given(cases)
def test_survival_falls_from_one_within_its_interval(rows):
    month, seen = np.array(rows).T
    curve = kaplan_meier(month, seen, 24)
    assert curve.alive[0] == 1.0
    assert (np.diff(curve.alive) <= 1e-15).all()
    assert ((curve.low <= curve.alive + 1e-12) & (curve.alive <= curve.high + 1e-12)).all()
    assert ((curve.low >= 0.0) & (curve.high <= 1.0)).all()


@given(st.lists(st.integers(1, 20), min_size=1, max_size=40))
def test_without_censoring_before_the_end_it_is_the_share_that_failed(months):
    month = np.array(months)
    curve = kaplan_meier(np.minimum(month, 12), month <= 12, 12)
    share = [(month <= at).mean() for at in range(13)]
    assert curve.failed == pytest.approx(np.array(share), abs=1e-12)


def test_a_textbook_curve():
    """Freireich's 6-MP arm (Kaplan-Meier's standard example): 0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448."""
    month = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35])
    seen = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    curve = kaplan_meier(month, seen, 35)
    found = curve.alive[[6, 7, 10, 13, 16, 22, 23]]
    assert found == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)


@given(signals)
def test_auroc_is_a_share_that_no_rising_map_changes(rows):
    signal, crisis = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    value = auroc(signal, crisis)
    if crisis.all() or not crisis.any():
        assert np.isnan(value)
        return
    assert 0.0 <= value <= 1.0
    assert auroc(signal**3 + 2 * signal, crisis) == pytest.approx(value)
    assert auroc(-signal, crisis) == pytest.approx(1.0 - value)


@given(signals, st.floats(-3, 3), st.floats(0.05, 0.95))
def test_usefulness_is_at_most_one_and_perfect_at_one(rows, threshold, missing):
    signal, crisis = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    if crisis.all() or not crisis.any():
        assert np.isnan(relative_usefulness(signal, crisis, threshold, missing))
        return
    assert relative_usefulness(signal, crisis, threshold, missing) <= 1.0
    assert relative_usefulness(crisis * 1.0, crisis, 0.5, missing) == pytest.approx(1.0)
