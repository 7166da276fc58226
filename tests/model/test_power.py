"""The power market in the month: prices by block, heat, cuts, queues, turbines, verdicts, and what binds."""

import numpy as np
import pytest

from agents.utility import UNITS
from model import DebtTrapModel, Event
from model.power import BINDING, OFF_SEASON, Stack
from model.stack import loss_of_load, price_with_bids, reserve_at, scarcity_adder, stack_price, supply_at
from scenarios.schema import Setting

WORLDS = 8
JULY = 7  # months played when the last one is July


def played(months, params=None, events=(), seed=3):
    setting = Setting(params={"power.heat_probability": 0.0} | (params or {}), events=tuple(events))
    model = DebtTrapModel(WORLDS, seed, 96, setting, record=False)
    model.run_for(months)
    return model


def heat(agent=None, size=0.08, mask=None):
    return Event(JULY, "heat_wave", agent, size, mask)


@pytest.fixture(scope="module")
def cool():
    return played(JULY)


@pytest.fixture(scope="module")
def hot():
    return played(JULY, events=[heat(size=0.12)])


def test_blocks_are_priced_between_the_cheapest_unit_and_the_cap_and_the_peak_is_dearest(hot):
    utilities = hot.utilities
    assert (utilities.block_price >= 0.0).all() and (utilities.block_price <= utilities.price_cap).all()
    assert (np.diff(utilities.block_price, axis=0) <= 0.0).all()
    mean = (hot.power.weights * utilities.block_price).sum(axis=0)
    np.testing.assert_allclose(utilities.price, mean)
    np.testing.assert_allclose(hot.power.weights.sum(axis=0), 1.0)


def test_a_world_alone_prices_its_power_as_it_does_among_others(monkeypatch):
    asked = []

    def noting(self, load):
        price = price_at(self, load)
        asked.append((self, load, price.copy()))
        return price

    def noting_leavers(self, price, firm, leaves, bid):
        before, off = price.copy(), let_leave(self, price, firm, leaves, bid)
        asked.append((self, before, firm, leaves, bid, price.copy(), off))
        return off

    def cut(blocks, world):
        return [np.ascontiguousarray(block[..., world : world + 1]) for block in blocks]

    price_at, let_leave = Stack.price_at, Stack.let_leave
    monkeypatch.setattr(Stack, "price_at", noting)
    monkeypatch.setattr(Stack, "let_leave", noting_leavers)
    played(20, {"power.heat_probability": 0.6}, [heat(size=0.12)])
    priced = [each for each in asked if len(each) == 3]
    left = [each for each in asked if len(each) > 3]
    assert any((price != price[..., :1]).any() for _, _, price in priced)
    assert any(off.max() > 0.0 for *_, off in left)
    for world in range(WORLDS):
        for stack, load, price in priced:
            alone = Stack(*cut(stack, world))
            assert np.array_equal(price_at(alone, *cut([load], world)), *cut([price], world))
        for stack, before, firm, leaves, bid, price, off in left:
            changed, *given = cut([before, firm, leaves, bid], world)
            alone = let_leave(Stack(*cut(stack, world)), changed, *given)
            assert np.array_equal(changed, *cut([price], world)) and np.array_equal(alone, *cut([off], world))


def priced_by_hand(model):
    """Price every block of the last month by the pure functions of `model.stack`: the price, and the GW that leave."""
    power, utilities = model.power, model.utilities
    cost, shares, derated, new = power.stacks()
    kept = utilities.firm_capacity * (1.0 - power.maintenance * OFF_SEASON[JULY - 1])
    supply = shares * kept + (new * utilities.added)[:, None]
    supply[:, 0] -= derated * (utilities.firm_capacity * power.heat_derate * utilities.heat)
    top, cap = supply[-1], utilities.price_cap
    least, spread = utilities.contingency * top, utilities.reserve_spread * top
    congestion = utilities.congestion * power.price_level
    leaves = utilities.flexible_share * utilities.ai_load
    firm = utilities.block_load + (utilities.ai_load - leaves)
    earns = model.compute_market.old_rent * 1e9 / (8.76e6 * model.power_contracts.pue)
    bid = np.minimum(earns, cap)

    def price_at(load):
        energy = stack_price(supply, cost[:, None], load, cap)
        energy = energy + scarcity_adder(energy, cap, top - load, least, 0.0, spread)
        return np.minimum(energy + congestion, cap)

    wide = np.broadcast_to(leaves, firm.shape)[None], np.broadcast_to(bid, firm.shape)[None]
    price, energy = price_with_bids(price_at, firm, *wide), bid - congestion
    dearest = (cost * (cost <= energy)).max(axis=0)
    room = top - reserve_at(energy, dearest, cap, least, 0.0, spread)
    room = np.minimum(supply_at(supply, cost[:, None], energy), room) - firm
    at_bid = leaves - np.clip(room, 0.0, leaves)
    return price, np.where(price > bid, leaves, np.where(price >= bid, at_bid, 0.0)), firm, top


@pytest.mark.parametrize("rent", [13.3, 0.4])
def test_the_month_prices_power_by_the_functions_of_the_stack_to_the_last_bit(rent):
    model = played(JULY - 1, {"compute_market.opening_rent": 6.0}, [heat(size=0.12)])
    model.compute_market.old_rent = np.full((1, WORLDS), rent)
    model.power.strike_heat()
    model.utilities.heat = model.utilities.heat | (np.arange(WORLDS) % 2 == 0)
    model.utilities.do("meet_load")
    model.utilities.do("price_power")
    price, off, firm, top = priced_by_hand(model)
    assert (off > 0.0).any() == (rent < 2.0)
    forced = np.minimum(np.maximum(firm - top, 0.0), model.utilities.ai_load * (1.0 - 0.25))
    assert np.array_equal(model.utilities.block_price, price)
    cut = (off + forced) / np.maximum(model.utilities.ai_load, 1e-6)
    np.testing.assert_allclose(model.utilities.block_cut, cut, rtol=1e-12, atol=1e-15)


def test_scarcity_that_no_bit_of_a_price_can_feel_is_left_out_and_nothing_else():
    rng, blocks, worlds = np.random.default_rng(3), (4, 3), 400
    supply = np.cumsum(rng.uniform(0.0, 20.0, (5, *blocks, worlds)), axis=0)
    cost = np.sort(rng.choice([0.0, 1e-14, 1e-12, 1e-9, 30.0, 200.0], (5, 3, worlds)), axis=0)
    load = supply[-1] * rng.choice([0.3, 0.7, 0.85, 0.9, 0.97, 0.999, 1.2], (*blocks, worlds))
    cap, least, spread = np.full((3, worlds), 3700.0), np.full((3, worlds), 0.02), np.full((3, worlds), 0.015)
    uplift = rng.choice([0.0, 6.0], (3, worlds))
    top, energy = supply[-1], stack_price(supply, cost[:, None], load, cap)
    adder = scarcity_adder(energy, cap, top - load, least * top, 0.0, spread * top)
    by_hand = np.minimum(energy + adder + uplift, cap)
    all_kept, none = np.ones((3, worlds)), np.zeros((3, worlds))
    none_by_unit = np.zeros(cost.shape)
    built = supply, none_by_unit, none_by_unit, cost, all_kept, none, none, np.ascontiguousarray(top)
    price = Stack(*built, cap, least, spread, uplift).price_at(load)
    assert np.array_equal(price, by_hand)
    chance = loss_of_load(top - load, least * top, 0.0, spread * top)
    assert ((chance > 0.0) & (chance < 1e-21) & (energy > 1.0)).any()
    assert ((chance > 0.0) & (chance < 1e-21) & (by_hand > energy) & (uplift == 0.0)).any()


def test_a_normal_month_costs_what_wholesale_power_cost(cool):
    assert (cool.utilities.price[:3] > 30.0).all() and (cool.utilities.price[:3] < 60.0).all()


def test_heat_raises_the_price_and_cuts_data_centres_in_the_hours_of_shortage_only(cool, hot):
    assert (hot.utilities.price > cool.utilities.price).all()
    assert (hot.utilities.curtailed[:3] > 0.0).all()
    assert (hot.utilities.block_cut[1:] == 0.0).all()
    assert (hot.utilities.curtailed <= hot.power.peak_share + 1e-12).all()
    assert (cool.utilities.curtailed == 0.0).all()


def test_a_dated_heat_wave_strikes_whom_it_names_where_it_is_meant(cool):
    mask = np.arange(WORLDS) % 2 == 0
    model = played(JULY, events=[heat("MISO", mask=mask)])
    struck = np.array([name == "MISO" for name in model.utilities.names])[:, None] & mask
    assert np.array_equal(model.utilities.heat, struck)
    assert np.array_equal(model.utilities.price[~struck], cool.utilities.price[~struck])
    assert (model.utilities.price[struck] > cool.utilities.price[struck]).all()


def test_other_users_are_cut_only_where_all_data_centres_are_off():
    model = played(JULY, events=[heat(size=0.3)])
    utilities = model.utilities
    shed = utilities.shed > 0.0
    assert shed.any()
    np.testing.assert_allclose(utilities.block_cut[0][shed & (utilities.ai_load > 0)], 1.0)
    assert (utilities.block_price[0][shed] == utilities.price_cap[shed]).all()


def test_turbines_on_the_site_carry_what_the_grid_cuts(hot):
    power, sites = hot.power, hot.sites
    abilene = sites.names.index("Abilene site company")
    cut = hot.utilities.curtailed[hot.utilities.names.index("ERCOT")]
    assert (power.curtailed_of_sites[abilene] < cut).all()
    assert (power.curtailed_of_sites[sites.names.index("New Mexico site company")] == 0.0).all()


def test_data_centres_that_earn_little_leave_before_they_are_cut():
    poor = played(JULY, {"compute_market.opening_rent": 6.0}, [heat(size=0.05)])
    stubborn = {"compute_market.opening_rent": 6.0, "utility.flexible_share": 0.0}
    stays = played(JULY, stubborn, [heat(size=0.05)])
    assert (poor.utilities.block_price <= stays.utilities.block_price).all()
    assert (poor.utilities.block_price < stays.utilities.block_price).any()


def test_off_prices_are_those_of_reference_and_nothing_is_cut_queued_or_refused():
    model = played(
        30, {"power.enabled": False, "power.heat_probability": 1.0, "utility.connection_rate": 0.1}
    )
    utilities = model.utilities
    assert np.array_equal(utilities.price, utilities.reference_price)
    assert not utilities.curtailed.any() and not utilities.shed.any() and not utilities.queue.any()
    assert not utilities.heat.any() and not model.commissions.verdict.any()
    assert not model.power.waited_of_sites.any()
    assert (model.power.wait_of_orders() == 0).all()


def test_a_year_without_growth_and_heat_clears_at_the_calm_price_of_every_region():
    model = DebtTrapModel(
        1, 3, 96, Setting(params={"power.heat_probability": 0.0, "utility.load_growth": 0.0})
    )
    for _ in range(12):
        model.run_for(1)
        assert model.utilities.price == pytest.approx(model.utilities.calm_price, abs=1e-6)


def test_halls_that_find_no_connection_open_later():
    slow = played(24, {"utility.connection_rate": 0.1, "site_company.slip_chance": 0.0})
    usual = played(24, {"site_company.slip_chance": 0.0})
    assert (slow.halls.energised <= usual.halls.energised).all()
    assert (slow.power.waited_of_sites.max(axis=0) > 0).all()
    assert (slow.halls.energised.sum(axis=0) < usual.halls.energised.sum(axis=0)).all()


def test_the_island_waits_for_its_turbines_and_for_no_queue():
    late = played(30, {"power.turbine_lead": 84, "site_company.slip_chance": 0.0})
    usual = played(30, {"site_company.slip_chance": 0.0, "utility.New Mexico.connection_rate": 0.1})
    island = late.sites.names.index("New Mexico site company")
    assert (late.halls.energised[island] == 0.0).all()
    assert (usual.halls.energised[island] > 0.0).all()


def test_a_commission_that_refuses_lets_nothing_connect():
    strict = {"commission.delay_at": 0.05, "commission.refuse_at": 0.1, "commission.load_sensitivity": 20.0}
    model = played(24, strict | {"commission.patience": 1})
    assert (model.commissions.verdict[0] == 2).all()
    before = model.utilities.queue_credit[0]
    model.step()
    assert (model.utilities.queue_credit[0] <= before).all()


def test_announced_capacity_waits_for_its_place():
    one = played(1, {"power.queue_level": 2.0})
    assert (one.power.wait_of_orders() == 84 - 12 - 1).all()


def with_an_order(params, worlds=3000, gw=1.0):
    """A market in month 0 whose lab has just ordered `gw` of announced capacity in every world."""
    model = DebtTrapModel(worlds, 3, 60, Setting(params=params), record=False)
    model.openai.new_commitment = np.full((1, worlds), gw)
    model.power.deliver_turbines()
    model.power.lose_requests()
    model.compute_contracts.firm_up()
    return model


def orders_kept(model, months=60):
    left = model.compute_contracts.announced_left[0, 0]
    for model.month in range(1, months):
        model.power.lose_requests()
        gw, back = model.compute_contracts.orders.amount[0], model.compute_contracts.announced_left[0] - left
        np.testing.assert_allclose(gw + back, 1.0)  # what falls out of the queue is announced again
    return (gw > 0.0).mean()


@pytest.mark.parametrize("requests", [1.0, 5.0])
def test_an_order_is_connected_if_one_of_its_requests_survives_the_queue(requests):
    params = {"power.requests_per_order": requests, "power.queue_level": 1.0, "power.filed_before": 18}
    survival = 0.5 * 0.8  # the stages left after 18 months
    expected = 1.0 - (1.0 - survival) ** requests
    assert abs(orders_kept(with_an_order(params)) - expected) < 0.03
    assert orders_kept(with_an_order(params | {"power.queue_attrition": 0.0}, 64)) == 1.0
    assert orders_kept(with_an_order(params | {"power.enabled": False}, 64)) == 1.0


def test_attrition_that_nobody_meets_changes_nobodys_luck():
    calm = {"openai.commits": False, "power.heat_probability": 0.25}
    model, other = played(20, calm), played(20, calm | {"power.queue_attrition": 0.0})
    assert np.array_equal(model.ledger.cash, other.ledger.cash)
    assert np.array_equal(model.utilities.price, other.utilities.price)


def test_what_binds_is_one_of_five_and_demand_only_where_compute_suffices():
    model = played(20)
    enough = model.openai.available >= model.openai.inference_need + model.openai.training_plan - 1e-9
    assert set(np.unique(model.power.binding)) <= set(range(len(BINDING)))
    demand = model.power.binding == BINDING.index("demand")
    assert np.array_equal(demand, enough | model.openai.closed)


def test_who_orders_a_turbine_waits_for_the_book_to_be_worked_off():
    model = played(1, {"power.turbine_orders": 1.5, "power.turbine_output": 24.0})
    power = model.power
    np.testing.assert_allclose(power.turbine_backlog, 120.0 + 0.5 * 24.0 / 12.0)
    earlier = 0.0
    for _ in range(12):
        before, built = power.turbine_backlog, model.utilities.added.sum(axis=0)
        model.step()
        np.testing.assert_allclose(power.turbine_backlog, before + 1.0 + built - earlier)
        earlier = built
        np.testing.assert_allclose(power.turbine_wait, 12.0 * power.turbine_backlog / 24.0)


def test_a_long_book_of_turbines_slows_what_utilities_build_and_off_nothing_does():
    off, long = ({"power.turbine_book": on, "power.turbine_orders": 2.0} for on in (False, True))
    off, long = played(48, off), played(48, long)
    assert (off.power.turbine_wait == 60).all() and (off.power.turbine_speed == 1.0).all()
    assert (long.power.turbine_wait > 90).all()
    assert (long.utilities.added <= off.utilities.added).all()
    assert (long.utilities.added.sum(axis=0) < off.utilities.added.sum(axis=0)).all()
    assert np.array_equal(off.technology.broken, long.technology.broken)


SLOW_GRID = {"utility.connection_rate": 0.1, "site_company.slip_chance": 0.0}
FAST_TURBINES = {"power.turbine_lead": 24, "power.turbine_orders": 0.0}


def test_owners_order_turbines_where_the_grid_is_slower_and_open_their_halls_with_them():
    own = played(60, SLOW_GRID | FAST_TURBINES)
    grid = played(60, SLOW_GRID | FAST_TURBINES | {"power.turbine_book": False})
    share = own.power.own_power_of_sites
    island = own.sites.names.index("New Mexico site company")
    assert (share.max(axis=0) > 0.0).all() and (share[island] == 0.0).all() and (share <= 1.0).all()
    assert not grid.power.own_power_of_sites.any()
    assert (own.halls.energised.sum(axis=0) > grid.halls.energised.sum(axis=0)).all()
    dear = played(60, SLOW_GRID | FAST_TURBINES | {"power.own_power_price": 160.0})
    assert (dear.power_contracts.cost.sum(axis=0) > own.power_contracts.cost.sum(axis=0)).all()
    patient = played(60, SLOW_GRID | {"power.turbine_lead": 96, "power.turbine_orders": 2.0})
    assert not patient.power.own_power_of_sites.any()


def test_announced_capacity_with_turbines_of_its_own_needs_no_connection_and_pays_for_them():
    params = FAST_TURBINES | {"power.queue_level": 3.0, "power.requests_per_order": 1.0}
    model = with_an_order(params, 64)
    contracts = model.compute_contracts
    start = contracts.orders.start[0]
    assert (start == np.maximum(model.openai.planning_lead[0], np.ceil(model.power.turbine_wait[0]))).all()
    model.month = int(start.max()) - 1
    at_the_meter, months = model.power_contracts.pue, contracts.build_months
    np.testing.assert_allclose(
        contracts.costs_of_building()[1], at_the_meter * model.power.turbine_cost / months
    )
    model.month = 0
    assert orders_kept(model) == 1.0
    assert orders_kept(with_an_order(params | {"power.turbine_book": False}, 512)) < 0.9


def test_each_region_has_a_stack_of_its_own_that_adds_up(cool):
    shares = np.stack([getattr(cool.utilities, f"share_{unit}") for unit in UNITS if unit != "peakers"])[
        ..., 0
    ]
    np.testing.assert_allclose(shares.sum(axis=0), 1.0)
    assert len({tuple(region) for region in shares.T}) == len(cool.utilities)
    solar, coal = shares[UNITS.index("solar")], shares[UNITS.index("coal")]
    names = list(cool.utilities.names)
    assert solar[names.index("ERCOT")] > solar[names.index("PJM")]
    assert coal.argmax() == names.index("MISO")


def test_a_changed_cost_is_seen_at_once_and_in_its_worlds_only():
    model = played(JULY - 1)
    some = np.arange(WORLDS) < 3
    before = model.power.clear(model.utilities).price
    model.set_param("utility.PJM.cost_gas", 60.0, some)
    after = model.power.clear(model.utilities).price
    row = model.utilities.names.index("PJM")
    assert np.array_equal(after[:, row, ~some], before[:, row, ~some])
    assert (after[2, row, some] > before[2, row, some]).all()
