"""The rent of compute, its regimes, estates on the market, and the chips behind it, in the model itself."""

import numpy as np
import pytest

from model import DebtTrapModel
from scenarios.schema import Setting

WORLDS = 12


def play(months=36, **params):
    """A market after some months; parameters as group__name."""
    setting = Setting(params={name.replace("__", "."): value for name, value in params.items()})
    model = DebtTrapModel(WORLDS, 3, months, setting, record=False)
    model.run_for(months)
    return model


@pytest.fixture(scope="module")
def base():
    return play()


def test_a_glut_lowers_the_rent():
    calm = play(24, compute_market__glut_hazard=0.0)
    glut = play(24, compute_market__glut_hazard=1.0, compute_market__glut_end_hazard=0.1)
    assert not calm.compute_market.glut.any()
    hit = glut.compute_market.glut[0]
    assert hit.any()
    assert (glut.compute_market.rent[0, hit] < calm.compute_market.rent[0, hit]).all()


def test_without_mechanisms_the_rent_is_its_trend():
    model = play(24, compute_market__enabled=False, technology__enabled=False)
    market = model.compute_market
    assert market.rent == pytest.approx(13.3 * np.exp(np.log1p(-0.06) * 23 / 12.0))
    assert market.old_rent == pytest.approx(market.rent * market.vintage_discount)


def test_what_estates_throw_on_the_market_lowers_the_rent_and_is_absorbed():
    model = play(6)
    market = model.compute_market
    assert (market.thrown_out == 0.0).all()
    with_estates = []
    for estates in (0.0, 5.0):
        market.estates = np.zeros((1, WORLDS))
        market.thrown_out = np.full((1, WORLDS), estates)
        model.month -= 1  # the luck of a month already played
        market.clear_rent()
        model.month += 1
        with_estates.append(market.rent.copy())
    assert (with_estates[1] < with_estates[0]).all()
    assert (market.thrown_out < 5.0).all()


def test_older_chips_rent_for_less(base):
    market = base.compute_market
    rents = market.rent * market.discount_of_age(np.array([[0.0], [2.0], [5.0], [8.0]]))
    assert (np.diff(rents, axis=0) < 0.0).all()
    assert rents[2] == pytest.approx((market.rent * market.vintage_discount)[0])


def test_chips_are_a_part_of_real_assets_and_never_worth_less_than_nothing(base):
    hardware = base.hardware
    assert (hardware.chip_book[hardware.names_of_rows.index("Oracle")] > 0.0).any()
    assert (hardware.chip_book >= 0.0).all() and (hardware.value_dark >= 0.0).all()
    assert (hardware.value_in_use >= hardware.value_dark - 1e-9).all()
    assert (hardware.chip_book <= base.ledger.real_assets[hardware.owner] + 1e-6).all()
    assert ((hardware.asset_value_share >= 0.0) & (hardware.asset_value_share <= 1.0)).all()


def test_books_are_not_above_the_value_in_use_after_the_test(base):
    assert base.month % 3 == 0  # the last month played was one of a test
    assert (base.hardware.chip_book <= base.hardware.value_in_use + 1e-9).all()
    assert base.ledger.residual.max() <= 1e-9


def test_a_ruined_rent_impairs_chips():
    fine = play(36, compute_market__enabled=False)
    ruined = play(36, compute_market__enabled=False, compute_market__opening_rent=6.0)
    assert (ruined.hardware.value_dark <= fine.hardware.value_dark).all()
    assert (ruined.hardware.impaired >= fine.hardware.impaired - 1e-9).all()
    assert ruined.hardware.impaired.sum() > fine.hardware.impaired.sum()


def test_with_hardware_off_nothing_is_impaired():
    model = play(24, hardware__enabled=False)
    assert (model.hardware.chip_book == 0.0).all()
    assert (model.hardware.impaired == 0.0).all()
    assert (model.hardware.asset_value_share == 1.0).all()


def test_architecture_breaks_cost_old_chips_more_than_new_ones():
    sure = play(48, technology__architecture_share=1.0, technology__breakthroughs_per_year=2.0)
    never = play(48, technology__architecture_share=0.0, technology__breakthroughs_per_year=2.0)
    assert (never.technology.broken == 0.0).all()
    ratio = sure.compute_market.old_rent / sure.compute_market.rent
    assert (ratio <= sure.compute_market.vintage_discount).all() and (ratio < 0.6).any()


def test_herding_moves_the_forecast_and_is_neutral_at_nothing(base):
    follower = play(36, openai__herding=1.0)
    assert not np.array_equal(follower.openai.forecast_need, base.openai.forecast_need)
    assert np.isfinite(follower.openai.forecast_need).all()


def test_rivals_that_herd_grow_as_the_lab_has_promised_to():
    alone = play(25, rival_lab__herding=0.0)
    herd = DebtTrapModel(6, 2, 25, Setting(params={"rival_lab.herding": 1.0}), record=False)
    herd.run_for(24)
    before, contracted = herd.rivals.base_compute, herd.openai.contracted_ahead
    herd.step()
    promised = np.log(contracted / herd.openai.available) * 12.0 / herd.openai.planning_lead
    grown = np.log(herd.rivals.base_compute / before) * 12.0
    np.testing.assert_allclose(grown, np.broadcast_to(np.maximum(promised, 0.0), grown.shape))
    years = np.arange(25) / 12.0
    fades = np.exp(-alone.rivals.compute_growth_fade[..., None] * years)
    whole = (alone.rivals.compute_growth[..., None] * fades).sum(axis=-1) / 12.0
    opened = alone.rivals.opening_compute
    np.testing.assert_allclose(alone.rivals.base_compute, opened * np.exp(whole))


def test_margins_and_shortage_are_finite_and_signed(base):
    assert ((base.openai.gross_margin <= 1.0) & (base.openai.gross_margin >= -5.0)).all()
    assert (base.openai.unserved >= 0.0).all()
    assert (base.openai.unserved * base.openai.idle == 0.0).all()  # never short and idle at once


def test_each_arm_of_the_pincer_can_be_switched_off_alone():
    open_arm = play(24, technology__frontier_arm=False)
    frontier_arm = play(24, technology__pincer=False)
    both = play(24)
    assert not np.array_equal(open_arm.openai.quality, both.openai.quality)
    assert (frontier_arm.technology.price_ceiling == 1.0).all()


def test_a_renewal_with_a_term_is_owed_until_it_runs_out():
    monthly = play(84, compute_contract__renewal_term=1)
    contracts = monthly.compute_contracts
    assert contracts.renewal_firm == pytest.approx(contracts.renewed)
    model = play(84, compute_contract__renewal_term=36)
    contracts = model.compute_contracts
    assert (contracts.renewed > 0.0).any()
    assert (contracts.renewed >= contracts.floor * contracts.renewal_firm - 1e-12).all()
    pool = np.maximum(contracts.peak - contracts.available, 0.0)
    assert (contracts.renewed + contracts.relet <= pool + 1e-9).all()
    firm = contracts.renewal_firm > 0.0
    assert (contracts.renewal_price <= contracts.price + 1e-9)[firm].all()
    assert model.ledger.residual.max() <= 1e-9
