"""The stress index and the arithmetic of the measures: bounds, order, and what they are when nothing is due."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from model.market import DebtTrapModel
from model.stress import (
    READINGS,
    REFERENCE,
    commitment_cover,
    composite_stress,
    cover,
    loan_life_cover,
    lowest_cover,
    months_of_cash,
    percentiles,
    present_value,
    reference_sample,
)
from scenarios.experiments.reference import sample
from scenarios.schema import load
from scenarios.simulate import simulate

COUNT, WORLDS, MONTHS = 4, 3, 7
shares = npst.arrays(float, (MONTHS, COUNT, WORLDS), elements=st.floats(0.0, 1.0))
weights = npst.arrays(float, (COUNT, 1), elements=st.floats(0.05, 1.0)).map(lambda w: w / w.sum())
flows = npst.arrays(float, (MONTHS, WORLDS), elements=st.floats(-50.0, 50.0))
cash = npst.arrays(float, (WORLDS,), elements=st.floats(0.0, 100.0))
decays = st.floats(0.5, 0.99)


def stress_path(places, weight, decay):
    worlds = places.shape[-1]
    covariance, path = np.repeat(np.eye(COUNT)[:, :, None] / 12.0, worlds, axis=2), []
    decay, highest = np.full((1, worlds), decay), np.zeros((1, worlds))
    for month in places:
        month = np.ascontiguousarray(month)
        covariance, squared, index, _, highest = composite_stress(month, weight, covariance, decay, highest)
        path.append(squared[0])
        assert (highest >= index).all()
    return np.array(path)


@given(shares, weights, decays)
def test_the_index_lies_between_nothing_and_the_squared_mean(places, weight, decay):
    path = stress_path(places, weight, decay)
    mean = (weight * places).sum(axis=1)
    assert (path >= 0.0).all()
    assert (path <= mean**2 + 1e-12).all()
    assert (mean <= 1.0 + 1e-12).all()


@given(shares, weights, decays, st.permutations(range(COUNT)))
def test_the_order_of_the_readings_does_not_matter(places, weight, decay, order):
    shuffled = stress_path(places[:, order], weight[list(order)], decay)
    assert shuffled == pytest.approx(stress_path(places, weight, decay), abs=1e-9)


@given(shares, weights, decays, st.integers(1, MONTHS - 1))
def test_the_index_of_a_month_knows_nothing_of_later_months(places, weight, decay, months):
    assert np.array_equal(
        stress_path(places[:months], weight, decay), stress_path(places, weight, decay)[:months]
    )


@given(shares, weights, decays)
def test_the_index_of_a_world_has_the_same_bits_alone(places, weight, decay):
    whole = stress_path(places, weight, decay)
    for world in range(WORLDS):
        assert np.array_equal(stress_path(places[..., [world]], weight, decay)[:, 0], whole[:, world])


def test_readings_that_move_as_one_give_the_mean():
    places = np.broadcast_to(np.linspace(0.1, 0.9, 40)[:, None, None], (40, COUNT, 1))
    squared = stress_path(places, np.full((COUNT, 1), 1.0 / COUNT), 0.5)
    assert np.sqrt(squared[-1]) == pytest.approx(0.9, abs=1e-6)


def test_a_reading_at_its_floor_has_place_zero_however_much_of_the_sample_lies_there():
    reference = np.array([[0.0, 0.0, 0.0, 0.4]])
    assert percentiles(np.array([[0.0, 0.1, 0.4]]), reference, floor=0.0).tolist() == [[0.0, 0.75, 1.0]]
    assert percentiles(np.array([[0.0]]), reference).tolist() == [[0.75]]


@given(
    npst.arrays(float, (2, 5), elements=st.floats(-3, 3)),
    npst.arrays(float, (9, 2), elements=st.floats(-3, 3)),
)
def test_places_are_shares_of_the_sample_and_rise_with_the_reading(readings, sample):
    reference = np.ascontiguousarray(np.sort(sample, axis=0).T)
    places = percentiles(readings, reference)
    share = (sample[:, :, None] <= readings[None]).mean(axis=0)
    assert places == pytest.approx(share, abs=1e-12)
    assert (percentiles(readings + 0.5, reference) >= places).all()


@given(cash, flows, st.floats(0.0, 40.0))
def test_more_cash_never_shortens_the_runway(liquid, flow, more):
    assert (months_of_cash(liquid + more, flow) >= months_of_cash(liquid, flow) - 1e-9).all()


@given(cash, st.floats(15.0, 50.0))
def test_with_a_constant_burn_the_runway_is_cash_over_burn(liquid, burn):
    runway = months_of_cash(liquid, np.full((MONTHS, WORLDS), -burn))
    expected = liquid / burn
    assert runway == pytest.approx(np.where(expected < MONTHS, expected, np.inf), rel=1e-9, abs=1e-9)


@given(flows)
def test_nothing_left_and_money_going_out_is_no_runway(flow):
    flow[0] = -1.0
    assert (months_of_cash(np.zeros(WORLDS), flow) == 0.0).all()


@given(flows, st.floats(0.0, 0.05))
def test_present_value_is_a_plain_sum_of_discounted_payments(flow, rate):
    discounted = sum(row / (1.0 + rate) ** (month + 1) for month, row in enumerate(flow))
    assert present_value(flow, rate) == pytest.approx(discounted, rel=1e-9, abs=1e-9)


@given(flows, cash, st.floats(0.0, 0.05))
def test_covers_are_finite_and_capped(flow, debt, rate):
    for value in (
        loan_life_cover(flow, debt, rate),
        commitment_cover(flow, np.abs(flow), rate),
        lowest_cover(flow, np.abs(flow)),
    ):
        assert np.isfinite(value).all()
        assert (np.abs(value) <= 10.0).all()


def test_what_owes_nothing_has_the_highest_cover():
    assert cover(np.array([-5.0, 0.0, 5.0]), np.zeros(3)).tolist() == [10.0, 10.0, 10.0]


# -- the index of the market -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def baseline():
    return simulate(load("baseline"), worlds=24, seed=3, months=60)


def test_in_calm_every_reading_stays_at_its_floor():
    calm = simulate(load("calm"), worlds=4, seed=2, months=96)
    for name in (*READINGS, "index", "mean"):
        assert not calm.measure(f"stress.{name}").any(), name


def test_the_index_is_never_above_the_mean_and_not_always_equal(baseline):
    index, mean = (baseline.measure(f"stress.{name}") for name in ("index", "mean"))
    assert ((index >= 0.0) & (index <= mean + 1e-12) & (mean <= 1.0 + 1e-12)).all()
    assert (index < mean - 0.01).any()


def test_more_is_amiss_once_the_lab_misses_a_bill(baseline):
    worlds = baseline.worlds()
    missed = worlds["missed:OpenAI"].to_numpy(float, na_value=np.nan)
    index = baseline.measure("stress.index")[:, 0]
    hit = np.flatnonzero(missed <= 57)
    assert hit.size
    after = [index[int(missed[world]) - 1 : int(missed[world]) + 3, world].max() for world in hit]
    assert np.mean(after) > 2 * np.median(index[:12].mean(axis=0))


def test_the_frozen_sample_says_where_it_comes_from():
    head = [line for line in REFERENCE.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert "Baseline, 256 worlds, months 1 to 96, of each world every 8th month; seed 20251231" in head[1]
    assert head[-1].removeprefix("# ").split(",") == list(READINGS)
    frozen = reference_sample()
    assert frozen.shape == (256 * 96 // 8, len(READINGS))
    assert np.isfinite(frozen).all() and (frozen >= 0.0).all()
    assert (np.diff(frozen, axis=0) >= 0.0).all()


def test_the_sample_takes_each_world_every_eighth_month_from_its_own_first():
    results = simulate(load("growth_disappoints"), worlds=9, seed=1, months=17)
    demand = results.measure("stress.demand")[:, 0]
    taken = [demand[month, world] for month in range(17) for world in range(9) if (month - world) % 8 == 0]
    assert sample(results)[:, READINGS.index("demand")].tolist() == taken and len(set(taken)) > 10


def test_readings_of_another_seed_seldom_lie_above_the_sample(baseline):
    """Save where all that is amiss is equally amiss: a spread in a regime, a runway of nothing."""
    top = dict(zip(READINGS, reference_sample()[-1], strict=True))
    for name in set(READINGS) - {"funding", "liquidity"}:
        assert (baseline.measure(f"stress.{name}") >= top[name]).mean() < 0.01, name


def test_power_a_little_dearer_in_one_region_moves_the_index_a_little():
    model = DebtTrapModel(worlds=2, rng=1, months=6)
    model.run_for(3)
    dearer = np.ones(model.utilities.price.shape)
    dearer[2, 1] = 1.03
    model.utilities.price = model.utilities.calm_price * dearer
    model.utilities.curtailed = np.zeros(model.utilities.price.shape)
    model.stress.read()
    share = model.utilities.load[2, 1] / model.utilities.load[:, 1].sum()
    assert model.stress.power[0] == pytest.approx([0.0, 0.03 * share])
    assert 0.0 < model.stress.mean[0, 1] - model.stress.mean[0, 0] < 0.5 / len(READINGS)


@pytest.mark.parametrize(
    ("scenario", "years"),
    [
        ("energy_crunch", range(5)),
        ("heat_summer", [1]),
        ("credit_freeze", range(1, 5)),
        ("growth_disappoints", range(5)),
    ],
)
def test_the_index_rises_where_a_scenario_makes_things_worse(baseline, scenario, years):
    worse = simulate(load(scenario), worlds=24, seed=3, months=60)
    index, more = (run.measure("stress.index")[:, 0].reshape(5, -1).mean(axis=1) for run in (baseline, worse))
    for year in years:
        assert more[year] > index[year] + 0.01, year


def test_a_world_has_the_same_index_alone():
    both = DebtTrapModel(worlds=[5, 11], rng=4, months=18)
    alone = DebtTrapModel(worlds=[11], rng=4, months=18)
    both.run_for(18)
    alone.run_for(18)
    assert np.array_equal(both.stress.index[0, 1:], alone.stress.index[0])
