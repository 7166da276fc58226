"""The month as a whole: how a market is put together and played."""

import mesa
import numpy as np
import pytest

from agents.worlds import Cohort, ParamError, UnknownPath
from model import ACTORS, MECHANISMS, DebtTrapModel
from model.opening import read_opening
from scenarios.schema import Setting


@pytest.fixture(scope="module")
def played():
    model = DebtTrapModel(worlds=16, rng=1, months=48)
    model.run_for(48)
    return model


def test_it_is_a_mesa_model_with_cohorts(played):
    assert isinstance(played, mesa.Model)
    assert played.month == played.history.months == 48
    for kind in ACTORS:
        cohort = played.agents_by_type[kind]
        assert isinstance(cohort, Cohort)
        assert cohort.names
    assert set(played.mechanisms) == {kind.group for kind in MECHANISMS}
    partners = played.partners
    assert partners.agg("debt", np.sum) == pytest.approx(partners.debt.sum(axis=0))


def test_a_model_opens_with_the_books_of_month_0():
    model, opening = DebtTrapModel(worlds=3, months=12), read_opening()
    for name in model.party_names:
        row = model.row(name)
        assert (model.ledger.cash[row] == opening.party(name).cash).all(), name
        assert model.solvency.debt[row] == pytest.approx(np.full(3, opening.drawn_debt(name))), name
    assert set(model.party_names) == {party.name for party in opening.parties if party.kind != "commission"}
    assert model.ledger.prove().max() <= 1e-12
    assert model.month == 0


def test_every_party_has_one_row():
    model = DebtTrapModel(worlds=1, months=1)
    assert len(set(model.party_names)) == len(model.party_names)
    rows = [row for place in model.places.values() for row in range(place.start, place.stop)]
    assert rows == list(range(len(model.party_names)))
    for group, place in model.places.items():
        assert model.party_names[place] == list(model.cohorts[group].names)


def test_the_same_arguments_give_the_same_market(played):
    again = DebtTrapModel(worlds=16, rng=1, months=48)
    again.run_for(48)
    assert np.array_equal(again.ledger.cash, played.ledger.cash)
    assert np.array_equal(again.ledger.claims, played.ledger.claims)
    other = DebtTrapModel(worlds=16, rng=2, months=48)
    other.run_for(48)
    assert not np.array_equal(other.ledger.cash, played.ledger.cash)


def test_recording_and_looking_change_nothing():
    silent = DebtTrapModel(worlds=16, rng=1, months=24, record=False)
    watched = DebtTrapModel(worlds=16, rng=1, months=24)
    for _ in range(24):
        silent.step()
        watched.step()
        watched.history.worlds()
        watched.ledger.balance_sheet(3)
        watched.ledger.transaction_flows(0)
        watched.ledger.net_worth()
    assert silent.history.months == 0
    assert np.array_equal(silent.ledger.cash, watched.ledger.cash)
    assert np.array_equal(silent.ledger.payable, watched.ledger.payable)


def test_what_was_read_earlier_stays_what_it_was():
    model = DebtTrapModel(worlds=4, rng=1, months=24)
    model.run_for(6)
    read = {
        (group, name): (block, block.copy())
        for group, cohort in model.cohorts.items()
        for name in type(cohort)._states
        for block in [getattr(cohort, name)]
    }
    cash, copied = model.ledger.cash, model.ledger.cash.copy()
    model.run_for(6)
    assert np.array_equal(cash, copied)
    for key, (block, copied) in read.items():
        assert np.array_equal(block, copied), key
        assert not block.flags.writeable, key


@pytest.mark.parametrize("world", [0, 5])
def test_the_matrices_balance_in_the_middle_of_a_run(played, world):
    kinds, flows = played.ledger.transaction_flows(world)
    assert flows.sum(axis=1) == pytest.approx(np.zeros(len(kinds)), abs=1e-9)
    rows, sheet = played.ledger.balance_sheet(world)
    assert sheet[:-1].sum(axis=1) == pytest.approx(np.zeros(len(rows) - 1), abs=1e-6)
    assert sheet.sum(axis=0) == pytest.approx(played.ledger.net_worth()[:, world])
    assert played.ledger.residual.max() <= 1e-12


def test_customers_and_investors_end_each_month_without_cash(played):
    for name in ("Consumers", "Enterprises", "Developers", "Bondholders", "Equity investors"):
        assert played.ledger.cash[played.row(name)] == pytest.approx(np.zeros(16), abs=1e-9), name


def test_every_choice_of_customers_adds_up_to_one(played):
    shares = played.customers.shares
    assert shares.min() >= 0.0
    assert shares.sum(axis=0) == pytest.approx(np.ones(shares.shape[1:]))


def test_nobody_sells_more_than_customers_want(played):
    for cohort in (played.openai, played.rivals, played.builders):
        assert (cohort.revenue <= cohort.demanded * (1.0 + 1e-12)).all()
    assert (played.openai.compute_used <= played.openai.available * (1.0 + 1e-12)).all()


def test_stress_lies_between_0_and_1_and_its_readings_above_their_floor(played):
    for name in ("index", "mean", "peak"):
        reading = getattr(played.stress, name)
        assert ((reading >= 0.0) & (reading <= 1.0)).all(), name
    for name in ("funding", "coverage", "liquidity", "leverage", "power", "demand"):
        reading = getattr(played.stress, name)
        assert (np.isfinite(reading) & (reading >= 0.0)).all(), name
    assert (played.stress.peak >= played.stress.index).all()


@pytest.mark.parametrize(
    ("params", "error"),
    [({"openai.floor": 0.5}, UnknownPath), ({"openai.floor_share": 1.5}, ParamError)],
)
def test_a_setting_that_is_not_allowed_is_refused(params, error):
    with pytest.raises(error):
        DebtTrapModel(worlds=1, months=1, setting=Setting(params=params))


def test_a_group_is_set_at_once_and_an_agent_alone():
    setting = Setting(params={"infrastructure_partner.Oracle.payout": 1.25, "customers.habit": 0.5})
    model = DebtTrapModel(worlds=2, months=1, setting=setting)
    oracle = model.partners.names.index("Oracle")
    assert (model.partners.payout[oracle] == 1.25).all()
    assert (np.delete(model.partners.payout, oracle, axis=0) != 1.25).all()
    assert (model.customers.habit == 0.5).all()
