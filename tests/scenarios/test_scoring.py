"""Survival curves and early warnings."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import run
from scenarios import BadInput, load, simulate
from scenarios.experiments.scoring import (
    SIGNALS,
    _warning,
    auroc,
    first_default,
    kaplan_meier,
    relative_usefulness,
    score,
)

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


# -- does stress warn? -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found():
    return score(load("baseline"), worlds=24, seed=1, months=60, whose="anybody", horizons=(6, 12, 60))


def test_cases_are_the_months_before_the_first_default_that_the_run_can_judge(found):
    results = simulate(load("baseline"), 24, 1, 60)
    first = first_default(results)
    wholes = results.worlds().filter(like="default:").min(axis=1).to_numpy(float, na_value=np.inf)
    assert np.where(first < 1000, first, np.inf) == pytest.approx(wholes)
    index = results.measure("stress.index")[:, 0]
    signal, follows = [], []
    for world in range(24):
        for month in range(1, 60 - 12 + 1):
            if month < first[world]:
                signal.append(index[month - 1, world])
                follows.append(first[world] <= month + 12)
    (warning,) = [each for each in found.warnings if (each.signal, each.horizon) == ("stress index", 12)]
    assert (warning.cases, warning.before) == (len(follows), sum(follows)) and sum(follows) > 0
    assert warning.area == pytest.approx(auroc(signal, follows))
    assert warning.low <= warning.area <= warning.high


def test_a_horizon_that_the_run_does_not_reach_is_left_out(found):
    assert {each.horizon for each in found.warnings} == {6, 12}
    facts = found.facts()
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert {row["signal"] for row in facts["warnings"]} == set(SIGNALS)


def test_where_nobody_fails_there_is_nothing_to_score():
    (row, *_) = score(load("calm"), worlds=2, months=12, horizons=(6,)).facts()["warnings"]
    assert row["area"] is None and row["before"] == 0 and set(row["usefulness"].values()) == {None}


def test_a_signal_that_knows_the_future_is_perfect_and_one_that_knows_nothing_is_not():
    generator = np.random.default_rng(1)
    first = np.where(generator.random(400) < 0.5, generator.integers(20, 50, 400), 10_000)
    month = np.arange(1, 61)[:, None]
    knows = np.where(first - month <= 12, 1.0, 0.0) + 1e-3 * generator.random((60, 400))
    perfect = _warning("x", 12, knows, first)
    assert perfect.area == 1.0 and perfect.usefulness[0.5] > 0.97
    blind = _warning("x", 12, generator.random((60, 400)), first)
    assert blind.low < 0.52 and blind.high > 0.48 and blind.usefulness[0.5] < 0.1


def test_an_unknown_firm_is_refused_with_the_nearest():
    with pytest.raises(BadInput, match="did you mean OpenAI"):
        score(load("calm"), worlds=2, months=2, whose="OpenAi")


def test_score_on_the_command_line():
    done = CliRunner().invoke(run.app, ["score", "calm", "--worlds", "2", "--months", "8"])
    assert done.exit_code == 0 and "no default" in done.stdout
