"""Every measure is finite, documented, and adds up where it must."""

import itertools

import numpy as np
import pytest

from model.stress import MEASURES, cover
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
