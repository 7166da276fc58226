"""Contracts of the compute chain: what is billed, when, and what a floor does."""

import numpy as np
import pytest

from model import DebtTrapModel, Event
from scenarios.schema import Setting

RICH = {"equity_investors.enabled": False} | {
    f"equity_investors.committed_{year}": 200.0 for year in range(2026, 2031)
}
"""So much equity that the lab pays every bill, whatever it sells."""


def market(worlds=12, months=96, events=(), **params):
    setting = Setting(
        params={path.replace("__", "."): value for path, value in params.items()}, events=tuple(events)
    )
    return DebtTrapModel(worlds, 2, months, setting, record=False)


def rich_market(worlds=12, months=72, events=(), **params):
    return market(
        worlds, months, events, **{path.replace(".", "__"): value for path, value in RICH.items()}, **params
    )


SLUMP = Event(2, "demand_shock", None, -0.8)


def test_a_take_or_pay_bill_is_price_times_the_larger_of_use_and_floor():
    model = market(events=[SLUMP])
    contracts, ledger, months_on_the_floor = model.compute_contracts, model.ledger, 0
    monthly = ~contracts.yearly_minimum
    for _ in range(60):
        price, live = contracts.price, ledger.live[contracts.bills.legs]
        model.step()
        least = contracts.floor * contracts.available
        due = price * np.maximum(contracts.used, least) / 12.0 * live
        billed = ledger.accrued[contracts.bills.legs]
        assert billed[monthly] == pytest.approx(due[monthly], abs=1e-12)
        assert (contracts.used <= contracts.available * (1.0 + 1e-12)).all()
        assert (billed >= price * contracts.used / 12.0 * live - 1e-12).all()
        months_on_the_floor += (contracts.used < least - 1e-6).any()
    assert months_on_the_floor > 12


def test_nothing_is_billed_before_it_is_energised():
    sites = ["Abilene", "New Mexico", "Vantage Texas", "Vantage Wisconsin"]
    model = rich_market(
        4,
        36,
        [Event(1, "delay", f"{name} site company", 60) for name in sites],
        site_company__slip_chance=0.0,
    )
    contracts, halls, ledger = model.compute_contracts, model.halls, model.ledger
    row = contracts.names_of_rows.index("top_oracle")
    dark = np.zeros((4, 1), dtype=bool)
    for _ in range(36):
        model.step()
        billed = ledger.accrued[contracts.bills.legs][row]
        energised = halls.energised.sum(axis=0)
        assert (billed <= contracts.price[row] * energised / 12.0 + 1e-12).all()
        dark = halls.energised == 0.0
        assert (ledger.accrued[model.leases.rents.legs][:4][dark] == 0.0).all()
        assert (ledger.accrued[model.power_contracts.bills.legs][:4][dark] == 0.0).all()
    assert dark.any()
    assert (halls.energised == model.halls.energised).all()


def test_every_hall_is_energised_once_it_is_due_and_leaves_the_contract_after_its_term():
    model = rich_market(
        2, 96, site_company__slip_chance=0.0, credit__closing_probability=1.0, halls__hall_term=36
    )
    before = model.halls.energised
    for _ in range(96):
        model.step()
        assert (model.halls.energised >= before).all()
        assert (model.halls.contracted <= model.halls.energised + 1e-12).all()
        before = model.halls.energised
    assert before.sum(axis=0) == pytest.approx(np.full(2, model.halls.gw.sum()))
    assert (model.halls.contracted < before - 0.1).any()


def test_rent_is_for_energised_capacity_alone():
    model = rich_market(4, 36)
    leases = model.leases
    for _ in range(36):
        model.step()
        share = model.lease_energised / leases.full_gw[:, None]
        years = np.maximum(model.month - 1 - leases.start, 0)[:, None] / 12.0
        most = leases.full_rent[:, None] * share / 12.0 * 1.02**years
        assert leases.rent_due == pytest.approx(
            np.where(leases.rent_due > 0.0, most, 0.0), rel=1e-9, abs=1e-12
        )
        assert (leases.rent_due[share == 0.0] == 0.0).all()


def test_a_floor_does_nothing_where_use_exceeds_it():
    """All that is available is used, so what would have to be paid anyway never matters."""
    low, high = (
        rich_market(
            6, 60, openai__training_takes_idle=1.0, openai__floor_share=share, solvency__trap_horizon=6
        )
        for share in (0.1, 0.9)
    )
    for month in range(60):
        low.step()
        high.step()
        assert np.array_equal(low.ledger.flow, high.ledger.flow), month
        assert np.array_equal(low.ledger.cash, high.ledger.cash), month
        assert np.array_equal(low.ledger.payable, high.ledger.payable), month
    assert not np.array_equal(low.compute_contracts.floor, high.compute_contracts.floor)


def test_a_floor_costs_where_use_falls_short_of_it():
    low, high = (rich_market(6, 36, [SLUMP], openai__floor_share=share) for share in (0.1, 0.9))
    paid = []
    for model in (low, high):
        amount = 0.0
        for _ in range(36):
            model.step()
            amount = amount + model.ledger.flow[model.compute_contracts.bills.legs].sum(axis=0)
        paid.append(amount)
    assert (paid[0] < paid[1]).all()


def test_a_yearly_minimum_is_carried_one_year_and_paid_unless_made_up():
    mask = np.arange(8) % 2 == 0
    model = rich_market(8, 72, [SLUMP, Event(26, "demand_shock", None, 3.0, mask)])
    contracts, rows = model.compute_contracts, None
    rows = np.flatnonzero(contracts.yearly_minimum & contracts.of_openai)
    used, billed = [], []
    for _ in range(72):
        price = contracts.price[rows]
        model.step()
        assert not model.ledger.closed[model.row("OpenAI")].any()
        used.append(price * contracts.used[rows] / 12.0)
        billed.append(model.ledger.accrued[contracts.bills.legs][rows])
    scale = contracts.floor[rows] / contracts.opening_floor[rows][:, None]
    carried, true_ups = 0.0, 0.0
    for year in range(6):
        months = slice(12 * year, 12 * year + 12)
        minimum = contracts.year_minimum[rows, year][:, None] * scale
        spent = np.sum(used[months], axis=0)
        owed = np.maximum(carried - np.maximum(spent - minimum, 0.0), 0.0)
        assert np.sum(billed[months], axis=0) == pytest.approx(spent + owed, abs=1e-9)
        assert np.sum(billed[months][:11], axis=0) == pytest.approx(
            np.sum(used[months][:11], axis=0), abs=1e-9
        )
        carried, true_ups = np.maximum(minimum - spent, 0.0), true_ups + owed
    assert len(rows) > 0
    assert true_ups.max() > 0.1


def test_a_contract_whose_buyer_is_gone_bills_no_more():
    model = market(24, 96, [SLUMP])
    contracts, row = model.compute_contracts, model.row("OpenAI")
    for _ in range(95):
        model.step()
        if model.ledger.closed[row].any():
            break
    gone = model.ledger.closed[row]
    assert gone.any()
    model.step()
    mine = contracts.of_openai
    assert (model.ledger.accrued[contracts.bills.legs][mine][:, gone] == 0.0).all()
    assert contracts.ended[mine][:, gone].all()
    assert (contracts.available[mine][:, gone] == 0.0).all()
    assert (model.openai.revenue[0, gone] == 0.0).all()


def worth_by_hand(model):
    """What each contract's floor is worth at today's prices, and its damages, month by month and rung by rung."""
    contracts, halls, first = model.compute_contracts, model.halls.ladder, model.month + 1
    month = (1.0 + contracts.discount_rate[0] / 12.0) ** -np.arange(1.0, 61.0)[:, None]
    kept = (1.0 - 1.0 / contracts.renewal_term[0]) ** np.arange(1.0, 61.0)[:, None]
    minimum, damages = np.zeros((2, *contracts.price.shape))
    for row, path in enumerate(contracts.gw_path):
        gw = np.pad(path, (0, 60))[first : first + 60, None] * np.ones(model.worlds)
        for ladder, follows in ((halls, contracts.on_halls), (contracts.orders, contracts.on_orders)):
            if follows[row]:
                gw = np.array([ladder.live(first + ahead).sum(axis=0) for ahead in range(60)])
        for capacity, price in (
            (gw, contracts.first_price[row]),
            (kept * contracts.renewal_firm[row], contracts.renewal_price[row]),
        ):
            floor, rent = price * contracts.floor[row], model.compute_market.old_rent[0]
            minimum[row] += (month * capacity).sum(axis=0) * floor / 12.0
            damages[row] += (month * capacity).sum(axis=0) * np.maximum(floor - rent, 0.0) / 12.0
    terms, gw, dues = contracts.new_terms, *np.zeros((2, *contracts.price.shape))
    for ahead in range(60):
        live = terms.live(first + ahead) * month[ahead]
        np.add.at(gw, contracts.contract_of_term, live)
        np.add.at(dues, contracts.contract_of_term, live * contracts.term_price)
    minimum += dues * contracts.floor / 12.0
    damages += np.maximum(dues * contracts.floor - gw * model.compute_market.old_rent, 0.0) / 12.0
    live = ~contracts.ended
    return minimum * live, damages * live


RENTS_HOLD = {
    "compute_market__decline": 0.0,
    "compute_market__obsolescence": 0.0,
    "compute_market__glut_hazard": 0.0,
    "halls__chip_price": 25.0,
}
"""Old chips are replaced when the lab renews, and it owes the floor for a new term."""


@pytest.mark.parametrize("rate", [0.0, 0.1])
@pytest.mark.parametrize("rents", [{}, RENTS_HOLD])
def test_damages_are_the_present_value_of_the_floor_over_todays_rent(rate, rents):
    model = market(6, 96, compute_contract__discount_rate=rate, **rents)
    contracts, renewed, new_terms = model.compute_contracts, 0, 0
    for _ in range(8):
        model.run_for(11)
        minimum, damages = contracts.worth_of_floors()
        by_hand = worth_by_hand(model)
        assert minimum == pytest.approx(by_hand[0], rel=1e-9, abs=1e-12)
        assert damages == pytest.approx(by_hand[1], rel=1e-9, abs=1e-12)
        assert ((damages >= 0.0) & (damages <= minimum * (1.0 + 1e-12))).all()
        if rate == 0.0:  # what is not discounted is what falls due
            mine = contracts.of_openai
            assert minimum[mine] == pytest.approx(
                contracts.minimum_by_contract(60)[mine], rel=1e-9, abs=1e-12
            )
        renewed += (contracts.renewal_firm > 0.0).sum()
        new_terms += (contracts.refreshed > 0.0).sum()
    assert renewed > 0
    assert new_terms > 0 or not rents


def test_sellers_file_their_damages_once_when_the_lab_is_gone(monkeypatch):
    model = market(24, 96, [SLUMP])
    contracts, ledger, row, filed = model.compute_contracts, model.ledger, model.row("OpenAI"), []
    file, mine = ledger.file, contracts.of_openai

    def listen(family, amounts):
        if family is contracts.damages:
            filed.append((model.month, amounts.copy(), worth_by_hand(model)[1], ledger.closed.copy()))
        return file(family, amounts)

    monkeypatch.setattr(ledger, "file", listen)
    for _ in range(96):
        model.step()
    default = model.solvency.default_month[row]
    assert len(set(default)) > 3
    for month, claims, worth, closed in filed:
        gone = default == month + 1
        alive = ~closed[contracts.seller]
        assert claims[mine] == pytest.approx((worth * gone * alive)[mine], rel=1e-9, abs=1e-12)
    claimed = sum(claims[mine].sum(axis=0) for _, claims, _, _ in filed)
    assert (claimed[default <= 96] > 0.0).mean() > 0.5


def test_a_lower_price_after_renegotiation_is_asked_for_once():
    model = market(24, 96, [SLUMP], openai__renegotiation_cut=0.2)
    before = model.compute_contracts.price
    for _ in range(96):
        model.step()
    ratio = (
        model.compute_contracts.price[model.compute_contracts.of_openai]
        / before[model.compute_contracts.of_openai]
    )
    assert {0.8} <= set(np.round(np.unique(ratio), 12)) <= {0.8, 1.0}
    assert np.array_equal(
        ratio.min(axis=0) < 1.0, model.solvency.distressed_month[model.row("OpenAI")] < 10_000
    )


def test_power_costs_what_it_would_at_the_contract_price_or_more():
    model = rich_market(4, 24, power__enabled=False)
    for _ in range(24):
        model.step()
        assert model.power_contracts.overrun == pytest.approx(np.zeros((1, 4)), abs=1e-12)
    dear = rich_market(4, 24, power__price_level=3.0)
    dear.run_for(24)
    assert (dear.power_contracts.overrun > 0.0).all()
    assert (dear.ledger.flow[dear.compute_contracts.pass_through.legs] > 0.0).all()
