"""Builders that follow the largest: how much they build, who pays for it, and what it does to others."""

import numpy as np
import pytest

from model import DebtTrapModel, Decision
from scenarios.schema import Setting
from tests.properties import of_world

WEIGHT = "hyperscaler.herding"
RICH = {"hyperscaler.borrowing_cap": 200.0, "hyperscaler.leverage_ceiling": 20.0, "hyperscaler.payout": 0.0}
RICH |= {"loan_pricing.rations": False}
FOLLOWED_LAB, FOLLOWED_HYPERSCALER = 3, 60
"""Months after which the largest is the lab, by what it is promised, and a hyperscaler."""


def play(months, weight, worlds=6, **params):
    setting = Setting(params={WEIGHT: weight} | {path.replace("__", "."): v for path, v in params.items()})
    model = DebtTrapModel(worlds, 2, 96, setting, record=False)
    model.run_for(months)
    return model


def rich(months, weight):
    return play(months, weight, **RICH)


def is_largest(model):
    """Who is the largest builder when the next month decides: of hyperscalers, and the lab, each of bool."""
    capacity, promised = model.hyperscalers.capacity, model.openai.contracted_ahead * model.openai.alive
    most = np.maximum(capacity.max(axis=0), promised[0])
    return capacity == most, promised[0] == most


def test_without_weight_nobody_follows():
    plain = play(24, 0.0)
    assert (plain.hyperscalers.followed == 0.0).all() and (plain.hyperscalers.surplus == 0.0).all()
    assert (plain.hyperscalers.planned_outlay == 0.0).all()


def test_nobody_is_followed_in_the_first_month():
    first = play(1, 1.0)
    assert (first.hyperscalers.followed == 0.0).all()
    assert np.array_equal(first.ledger.cash, play(1, 0.0).ledger.cash)


def test_at_full_weight_a_follower_grows_as_the_labs_contracts_promise():
    model = rich(FOLLOWED_LAB, 1.0)
    _, lab = is_largest(model)
    assert lab.all()
    ahead, before = model.openai.contracted_ahead, model.hyperscalers.capacity
    model.step()
    ratio = ahead / model.openai.available
    promised = np.minimum(ratio ** (1.0 / model.openai.planning_lead), np.exp(1.6 / 12.0))
    assert (promised > 1.01).all()
    np.testing.assert_allclose(
        model.hyperscalers.capacity / before, np.broadcast_to(promised, before.shape), rtol=1e-12
    )


def test_at_full_weight_a_follower_grows_as_the_largest_hyperscaler_did_which_follows_nobody():
    model = rich(FOLLOWED_HYPERSCALER, 1.0)
    largest, lab = is_largest(model)
    assert not lab.any() and (largest.sum(axis=0) == 1).all()
    before, builders = model.hyperscalers.capacity, model.hyperscalers
    grown = (before / builders.capacity_before)[largest]
    model.step()
    own = builders.other_cash * builders.own_investment_share * builders.computing_share / builders.gw_cost
    assert (builders.followed[largest] == 0.0).all() and (builders.followed[~largest] != 0.0).all()
    planned = (before + own - before * builders.retirement / 12.0)[largest]
    np.testing.assert_allclose(builders.capacity[largest], planned, rtol=1e-12)
    imitated = before * np.broadcast_to(grown, before.shape)
    np.testing.assert_allclose(builders.capacity[~largest], imitated[~largest], rtol=1e-12)


def test_half_the_weight_is_half_way_between_the_own_plan_and_the_largest():
    none, half, whole = (rich(2, weight).hyperscalers.capacity for weight in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(half, (none + whole) / 2.0, rtol=1e-12)


def test_a_lab_that_has_failed_is_not_followed():
    model = play(FOLLOWED_LAB, 1.0)
    assert is_largest(model)[1].all()
    size, _ = model.hyperscalers._largest_builder()
    assert np.array_equal(size, model.openai.contracted_ahead)
    closed = model.ledger.closed.copy()
    closed[model.openai.place] = True
    model.ledger.closed = closed
    size, _ = model.hyperscalers._largest_builder()
    assert np.array_equal(size[0], model.hyperscalers.capacity.max(axis=0))


def test_what_stands_beyond_own_plans_is_the_surplus_and_looks_for_tenants():
    herd, alone = rich(24, 1.0), rich(24, 0.0)
    extra = herd.hyperscalers.capacity - alone.hyperscalers.capacity
    np.testing.assert_allclose(herd.hyperscalers.surplus, extra, atol=1e-9)
    assert (extra.sum(axis=0) > 1.0).all()
    assert (herd.compute_market.tightness < alone.compute_market.tightness).all()
    assert (herd.compute_market.rent < alone.compute_market.rent).all()
    assert (herd.utilities.ai_load.sum(axis=0) > alone.utilities.ai_load.sum(axis=0)).all()


def test_followers_pay_from_cash_and_borrow_what_they_are_short_of():
    spoken_for = {"hyperscaler.minimum_cash": 100.0}
    herd, alone = (play(24, weight, **spoken_for) for weight in (1.0, 0.0))
    invested = herd.hyperscalers.investment.sum() - alone.hyperscalers.investment.sum()
    assert invested > 0.0
    for model in (herd, alone):
        assert model.ledger.residual.max() <= 1e-9
        assert (model.hyperscalers.cash >= -1e-9).all()
    assert (herd.hyperscalers.debt.sum(axis=0) > alone.hyperscalers.debt.sum(axis=0) + 10.0).all()
    assert (herd.hyperscalers.leverage.max(axis=0) > alone.hyperscalers.leverage.max(axis=0)).all()
    rows = herd.places["hyperscaler"]
    assert (herd.ledger.real_assets[rows] > alone.ledger.real_assets[rows]).all()


def test_who_has_neither_cash_nor_credit_builds_what_its_cash_buys():
    model = play(1, 1.0, **{"hyperscaler.borrowing_cap": 0.0, "hyperscaler.own_investment_share": 1.0})
    builders = model.hyperscalers
    for _ in range(7):
        model.step()
        assert (builders.cash >= -1e-9).all() and model.ledger.residual.max() <= 1e-9
    builders.do("invest")  # once more, with what the month has left
    wanted = builders.other_cash * builders.own_investment_share + builders.followed
    short = (builders.followed > 0.0) & (builders.cash < wanted)
    assert short.any()
    np.testing.assert_allclose(builders.investment[short], builders.cash[short], rtol=1e-12)


@pytest.mark.parametrize("later", [0.0, 1.0])
def test_a_weight_by_world_that_changes_on_the_way_is_that_of_each_world_alone(later):
    weights, then = np.array([1.0, 0.0, 0.5]), np.array([0.0, later, 0.5])
    setting = Setting(params={WEIGHT: weights}, decisions=(Decision(20, WEIGHT, then),))
    together = DebtTrapModel(3, 2, 36, setting, record=False)
    together.run_for(36)
    assert (together.hyperscalers.surplus[:, 0] > 0.0).any()  # still stands, though nobody follows any more
    for world in range(3):
        alone = DebtTrapModel([world], 2, 36, of_world(setting, world), record=False)
        alone.run_for(36)
        for block in ("cash", "claims", "real_assets"):
            one, other = getattr(alone.ledger, block), getattr(together.ledger, block)[..., [world]]
            assert np.array_equal(one, other), (block, world)
        assert np.array_equal(alone.compute_market.rent, together.compute_market.rent[:, [world]])
