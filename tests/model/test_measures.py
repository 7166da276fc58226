"""Every measure is finite, documented, and adds up where it must."""

import itertools

import numpy as np
import pytest

from model import DebtTrapModel
from model.stress import MEASURES, _lab_ahead, cover
from scenarios.experiments.measures import take_measures
from scenarios.schema import BadInput, load

AT = (12, 30, 48)


@pytest.fixture(scope="module")
def taken():
    return take_measures(load("baseline"), worlds=6, seed=1, months=48, at=AT)


def test_every_measure_has_unit_sentence_and_source_and_is_finite(taken):
    assert len(MEASURES) >= 18
    for name, entry in MEASURES.items():
        assert entry.unit and entry.source and entry.sentence.endswith("."), name
        for row, values in taken.values[name].items():
            assert values.shape == (len(AT), 6), (name, row)
            assert np.isfinite(values).all(), (name, row)


def test_shares_are_shares_and_covers_are_capped(taken):
    for row, values in taken.values["debt_service_cover"].items():
        assert (np.abs(values) <= 10.0).all(), row
    for row, values in taken.values["draw_against_completion"].items():
        assert ((values >= 0.0) & (values <= 1.0 + 1e-9)).all(), row
    for values in taken.values["debtrank"].values():
        assert ((values >= 0.0) & (values <= 1.0)).all()
    for values in taken.values["minsky"].values():
        assert set(np.unique(values)) <= {0.0, 1.0, 2.0}


def test_the_wall_holds_all_debt_and_higher_rates_refinance_less(taken):
    wall = taken.values["maturity_wall"]
    due = sum(values for row, values in wall.items() if row.startswith("due"))
    assert (due <= 5000.0).all() and (due > 100.0).all()
    steps = [wall[f"sites: refinanceable at +{step} bp"] for step in (0, 100, 200, 400)]
    for lower, higher in itertools.pairwise(steps):
        assert (higher <= lower + 1e-9).all()
    assert (steps[0] <= wall["sites: debt"] + 1e-9).all()


def test_the_wall_is_what_the_models_own_rule_would_lend_again():
    model = DebtTrapModel(worlds=3, rng=2, months=40, record=False)
    model.run_for(36)
    wall = MEASURES["maturity_wall"].take(model, None)
    for step in (0.0, 0.02):
        lent = model.loans.refinanceable_at(step)
        assert wall[f"sites: refinanceable at +{round(1e4 * step)} bp"] == pytest.approx(lent.sum(axis=0))


def test_the_lab_ahead_adds_up_to_its_minimum_payments():
    model = DebtTrapModel(worlds=3, rng=2, months=40, record=False)
    model.run_for(14)
    cash, due = _lab_ahead(model)
    assert due.sum(axis=0) == pytest.approx(model.compute_contracts.minimum_due(60)[0])
    assert (due >= -1e-12).all() and (np.diff(cash[:24], axis=0) >= -1e-12).all()
    alive = MEASURES["months_to_live"].take(model, None)["OpenAI"]
    liquid = (model.openai.cash + model.openai.line_undrawn + model.equity_window.signed_total)[0]
    for world, months in enumerate(alive):
        left = liquid[world] + np.cumsum((cash - due)[:, world])
        assert (left[: int(months)] >= 0.0).all() and (months == 60 or left[int(months)] < 0.0)


def test_a_cover_over_the_life_is_below_one_where_the_rent_cannot_repay(taken):
    rows = taken.values["life_cover"]
    assert (rows["OpenAI: lowest month"] <= rows["OpenAI: minimum payments"] + 1e-9).all()
    assert all((np.abs(values) <= 10.0).all() for values in rows.values())


def test_the_chance_of_breach_is_a_chance_and_none_without_debt(taken):
    rows = taken.values["chance_of_breach"]
    assert all(((values >= 0.0) & (values <= 1.0)).all() for values in rows.values())
    model = DebtTrapModel(worlds=4, rng=2, months=40, record=False)
    model.run_for(30)
    abilene = MEASURES["chance_of_breach"].take(model, None)["Abilene site company"]
    model.set_param("site_company.default_loan_to_value", 0.45)
    assert (MEASURES["chance_of_breach"].take(model, None)["Abilene site company"] > abilene).all()


def test_adoption_peaks_sooner_with_every_year(taken):
    for values in taken.values["fastest_adoption"].values():
        assert (values[0] - values[1] > 0.5).all()


def test_take_or_pay_as_debt_never_makes_a_lab_without_debt_look_safer(taken):
    minsky = taken.values["minsky"]
    assert (minsky["OpenAI: take-or-pay as debt"] >= minsky["OpenAI"])[minsky["OpenAI"] == 0.0].all()
    assert (minsky["OpenAI: take-or-pay as debt"] > minsky["OpenAI"]).any()


def test_leases_as_debt_raise_the_leverage_of_the_tenant(taken):
    leverage = taken.values["leverage"]
    assert (leverage["Oracle: with leases"] > leverage["Oracle: reported"]).any()
    assert (leverage["CoreWeave: with leases"] >= 0.0).all()


def test_chips_are_counted_as_investment(taken):
    rows = taken.values["sources_and_uses"]
    assert (rows["Oracle: investment"][0] < -20.0).all()


def test_the_survival_curve_ends_at_the_share_that_failed(taken):
    facts = taken.facts()
    failed = taken.values["failed_so_far"]["OpenAI: default"][-1].mean()
    assert facts["survival"]["OpenAI"]["failed"][-1] == pytest.approx(failed)


def test_a_year_of_flows_explains_the_change_of_cash():
    from model.market import DebtTrapModel
    from model.stress import sources_and_uses

    model = DebtTrapModel(worlds=3, rng=2, months=14, record=False)
    model.run_for(2)
    before, year = model.ledger.cash.copy(), 0.0
    for _ in range(12):
        model.step()
        year = year + model.ledger.flow
    rows = sources_and_uses(model, year)
    for name in ("OpenAI", *model.partners.names):
        mine = [v for row, v in rows.items() if row.startswith(f"{name}: ") and not row.endswith("gap")]
        change = model.ledger.cash[model.row(name)] - before[model.row(name)]
        assert sum(mine) == pytest.approx(change, abs=1e-9)


def test_no_months_are_refused():
    with pytest.raises(BadInput, match="months from 1"):
        take_measures(load("calm"), worlds=1, months=3, at=(9,))


def test_cover_of_nothing_due_is_the_cap():
    assert cover(np.array([3.0]), np.array([0.0]))[0] == 10.0


def test_defaulted_debt_trades_below_what_its_estate_pays_and_both_only_after_default():
    model = DebtTrapModel(worlds=24, rng=1, months=96, record=False)
    model.run_for(96)
    loans, rows = model.loans, MEASURES["recovery"].take(model, None)
    row = model.row("New Mexico site company")
    back, price = (rows[f"New Mexico site company: {word} of loans"] for word in ("recovery", "price"))
    fell = model.solvency.default_month[row] < 96
    assert fell.any() and not fell.all()
    assert (back[~fell] == 1.0).all() and (price[~fell] == 1.0).all()
    theirs = loans.debtor == row
    claimed, lost = loans.claimed[theirs].sum(axis=0), loans.lost[theirs].sum(axis=0)
    np.testing.assert_allclose(back[fell], 1.0 - lost[fell] / claimed[fell])
    np.testing.assert_allclose(price[fell], back[fell] / 1.2**1.75)
    model.set_param("stress.workout_years", 0.0)
    at_once = MEASURES["recovery"].take(model, None)["New Mexico site company: price of loans"]
    np.testing.assert_allclose(at_once, back)
