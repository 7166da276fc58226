"""The merit order against a brute-force search and PyPSA, and the invariants of prices, scarcity and queues."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from model.stack import (
    clear_market,
    connection_queue,
    loss_of_load,
    merit_order,
    month_mean,
    price_with_bids,
    queue_survival,
    reserve_at,
    scarcity_adder,
    stack_price,
    supply_at,
)

CAP = 3700.0


def numbers(shape, low, high):
    return hnp.arrays(np.float64, shape, elements=st.floats(low, high, allow_nan=False, width=32))


@st.composite
def markets(draw, most_worlds=4):
    """A sorted stack, firm load and bidders, in a few worlds."""
    units, bidders = draw(st.integers(1, 7)), draw(st.integers(0, 3))
    worlds = draw(st.integers(1, most_worlds))
    cost = draw(numbers((units, worlds), 0.0, 300.0))
    capacity = draw(numbers((units, worlds), 0.0, 50.0))
    cost, capacity = merit_order(cost, capacity)
    firm = draw(numbers((worlds,), 0.0, 250.0))
    amount = draw(numbers((bidders, worlds), 0.0, 60.0))
    bid = draw(numbers((bidders, worlds), 0.0, 2000.0))
    return capacity, cost, firm, amount, bid


def searched_price(capacity, cost, firm, amount, bid):
    """The lowest of all costs, bids and the cap at which supply covers what wants to be served.

    Never below the lowest cost, where nothing is generated and any price would do.
    """
    for price in sorted({*cost, *bid[bid > cost[0]], CAP}):
        # Summed in the stack's order, as production does, so that ties are the same ties.
        supply = max([0.0, *np.cumsum(capacity)[cost <= price]])
        order = np.argsort(-bid, kind="stable")
        wants = max([firm, *(firm + np.cumsum(amount[order]))[bid[order] > price]])
        if supply >= wants:
            return price
    return CAP


@settings(max_examples=150, deadline=None)
@given(markets())
def test_the_price_is_the_lowest_at_which_supply_covers_what_wants_to_be_served(market):
    capacity, cost, firm, amount, bid = market
    price = clear_market(capacity, cost, CAP, firm, amount, bid).price
    for world in range(firm.size):
        searched = searched_price(
            capacity[:, world], cost[:, world], firm[world], amount[:, world], bid[:, world]
        )
        assert price[world] == searched


@settings(max_examples=150, deadline=None)
@given(markets())
def test_what_is_generated_and_shed_is_what_is_served(market):
    capacity, cost, firm, amount, bid = market
    got = clear_market(capacity, cost, CAP, firm, amount, bid)
    served = firm + got.served.sum(axis=0) - got.shed
    np.testing.assert_allclose(got.dispatch.sum(axis=0), served, atol=1e-9 * (1 + firm.max()))
    assert (got.shed >= 0).all() and (got.dispatch >= 0).all() and (got.dispatch <= capacity + 1e-12).all()
    assert ((got.shed > 0) <= (got.price == CAP)).all()  # never dropped in silence
    assert (got.served >= 0).all() and (got.served <= amount).all()


@settings(max_examples=150, deadline=None)
@given(markets())
def test_load_is_off_below_the_price_and_on_above_and_cheaper_units_run_in_full(market):
    capacity, cost, firm, amount, bid = market
    got = clear_market(capacity, cost, CAP, firm, amount, bid)
    assert (got.served[bid < got.price] == 0).all()
    on = bid > got.price
    np.testing.assert_allclose(got.served[on], amount[on], atol=1e-9)
    cheap = cost < got.price
    np.testing.assert_allclose(got.dispatch[cheap], capacity[cheap], atol=1e-9)
    assert (got.dispatch[cost > got.price] <= 1e-9).all()


@settings(max_examples=100, deadline=None)
@given(markets(), st.floats(0.0, 30.0), st.integers(0, 6))
def test_the_price_rises_with_load_falls_with_capacity_and_stays_in_its_bounds(market, more, unit):
    capacity, cost, firm, amount, bid = market
    price = clear_market(capacity, cost, CAP, firm, amount, bid).price
    assert (price >= cost[0]).all() and (price <= CAP).all()
    assert (clear_market(capacity, cost, CAP, firm + more, amount, bid).price >= price).all()
    larger = capacity + more * (np.arange(len(capacity)) == unit % len(capacity))[:, None]
    assert (clear_market(larger, cost, CAP, firm, amount, bid).price <= price).all()


@settings(max_examples=60, deadline=None)
@given(markets())
def test_a_world_has_the_same_bits_alone(market):
    capacity, cost, firm, amount, bid = market
    together = clear_market(capacity, cost, CAP, firm, amount, bid)
    for world in range(firm.size):
        alone = clear_market(*(x[:, [world]] for x in (capacity, cost)), CAP, firm[[world]],
                             amount[:, [world]], bid[:, [world]])  # fmt: skip
        for one, all_of_them in zip(alone, together, strict=True):
            assert np.array_equal(one[..., 0], all_of_them[..., world])


def test_a_shortage_is_priced_at_the_cap_and_not_at_the_cheapest_unit():
    supply, cost = np.cumsum([[400.0], [300.0]], axis=0), np.array([[5.0], [28.0]])
    assert stack_price(supply, cost, np.array([700.1]), CAP).tolist() == [CAP]


def test_one_call_prices_all_regions_and_blocks():
    supply = np.cumsum(np.ones((3, 4, 2, 5)), axis=0)
    cost = np.array([10.0, 20.0, 30.0]).reshape(3, 1, 1, 1)
    load = np.broadcast_to(np.array([0.5, 1.0, 1.5, 3.5]).reshape(4, 1, 1), (4, 2, 5))
    price = stack_price(supply, cost, load, CAP)
    assert price[:, 0, 0].tolist() == [10.0, 10.0, 20.0, CAP]
    assert np.array_equal(stack_price(supply, cost, np.stack([load, load]), CAP), np.stack([price, price]))


@settings(max_examples=100, deadline=None)
@given(st.floats(0.0, 0.3), st.floats(0.0, 400.0), st.floats(500.0, 5000.0))
def test_scarcity_lifts_the_price_to_the_cap_as_the_reserve_goes(reserve, price, cap):
    terms = (0.02, 0.005, 0.02)
    adder = scarcity_adder(price, cap, np.array([reserve, reserve + 0.01, 0.02]), *terms)
    assert 0.0 <= adder[1] <= adder[0] <= cap - price
    assert adder[2] == cap - price
    chance = loss_of_load(np.array([reserve]), *terms)[0]
    if 1e-9 < chance < 0.5:  # above the kink at the minimum contingency the reserve can be read back
        back = reserve_at(price + adder[0], price, cap, *terms)
        assert back == pytest.approx(reserve, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(markets(), st.floats(0.1, 0.9))
def test_with_scarcity_too_load_leaves_only_when_the_price_passes_its_bid(market, share):
    capacity, cost, firm, amount, bid = market
    if not len(amount):
        return
    supply = np.cumsum(capacity, axis=0)
    top, amount, bid = supply[-1], amount[:1], bid[:1]

    def price_at(load):
        energy = stack_price(supply, cost, load, CAP)
        return energy + scarcity_adder(energy, CAP, top - load, 0.02 * top, 0.0, 0.05 * top + 1e-6)

    price = price_with_bids(price_at, firm, amount, bid)
    assert (price[bid[0] < price] == price_at(firm)[bid[0] < price]).all()
    stays = bid[0] > price
    assert np.array_equal(price[stays], price_at(firm + amount[0])[stays])
    assert (price <= CAP).all()
    assert (supply_at(supply, cost, price)[price < CAP] >= firm[price < CAP]).all()


def test_the_mean_price_of_a_month_is_above_the_price_at_its_mean_load():
    supply, cost = np.cumsum([[400.0], [300.0], [250.0]], axis=0), np.array([[5.0], [28.0], [45.0]])
    weight, load = np.array([[0.7], [0.25], [0.05]]), np.array([[620.0], [830.0], [1010.0]])
    blocks = stack_price(supply, cost, load, CAP)
    assert month_mean(weight, blocks)[0] > stack_price(supply, cost, month_mean(weight, load), CAP)[0]


@settings(max_examples=60, deadline=None)
@given(numbers((4, 3), 0.0, 1.0), numbers((4, 3), 0.0, 40.0), st.floats(0.0, 100.0))
def test_a_queue_connects_no_more_than_is_asked_and_survival_only_falls(completion, months, requested):
    got = connection_queue(requested, completion, months)
    assert (np.diff(got.survival, axis=0) <= 0).all()
    assert (got.connected >= 0).all() and (got.connected <= requested).all()
    assert (got.months >= months).all()
    certain = connection_queue(requested, np.ones((4, 3)), months)
    assert (certain.connected == requested).all()


SNAPSHOTS = 24


@st.composite
def stacks_off_ties(draw):
    """A stack, and snapshots of load and bids that end inside a step: costs and bids differ by 1 or more."""
    units = draw(st.integers(2, 7))
    values = st.lists(st.integers(1, 900), min_size=units + 2, max_size=units + 2, unique=True)
    cost, bids = np.split(np.array(draw(values), dtype=float), [units])
    capacity = np.array(draw(st.lists(st.integers(10, 90), min_size=units, max_size=units)), dtype=float)
    whole = st.lists(st.integers(1, int(capacity.sum()) + 40), min_size=SNAPSHOTS, max_size=SNAPSHOTS)
    firm = np.array(draw(whole), dtype=float) + 0.37
    amount = np.array(draw(st.lists(st.integers(1, 60), min_size=2, max_size=2)), dtype=float) + 0.11
    return capacity, cost, firm, amount, bids


@pytest.mark.filterwarnings("ignore::FutureWarning")
@settings(max_examples=6, deadline=None)
@given(stacks_off_ties())
def test_prices_and_dispatch_equal_those_of_pypsa(stack):
    """All snapshots are one linear program; its duals are the prices, shedding a generator at the cap."""
    import pypsa  # here and not above: it takes seconds

    capacity, cost, firm, amount, bid = stack
    network = pypsa.Network(snapshots=range(SNAPSHOTS))
    network.add("Bus", "region")
    for unit, (size, each) in enumerate(zip(capacity, cost, strict=True)):
        network.add("Generator", f"unit {unit}", bus="region", p_nom=size, marginal_cost=each)
    network.add("Generator", "shed", bus="region", p_nom=1e5, marginal_cost=CAP)
    for bidder, (size, each) in enumerate(
        zip(amount, bid, strict=True)
    ):  # load that leaves is supply at its bid
        network.add("Generator", f"bidder {bidder}", bus="region", p_nom=size, marginal_cost=each)
    network.add("Load", "load", bus="region", p_set=firm + amount.sum())
    network.optimize(solver_name="highs", log_to_console=False, include_objective_constant=False)
    order = np.argsort(cost)
    wide = np.ones(SNAPSHOTS)
    got = clear_market(
        capacity[order, None] * wide, cost[order, None] * wide, CAP, firm, amount[:, None] * wide,
        bid[:, None] * wide,
    )  # fmt: skip
    np.testing.assert_allclose(got.price, network.buses_t.marginal_price["region"], atol=1e-6)
    power = network.generators_t.p
    units = power[[f"unit {unit}" for unit in range(len(cost))]].to_numpy().T[order]
    np.testing.assert_allclose(got.dispatch, units, atol=1e-6)
    np.testing.assert_allclose(got.shed, power["shed"], atol=1e-6)
    off = power[["bidder 0", "bidder 1"]].to_numpy().T
    np.testing.assert_allclose(got.served, amount[:, None] - off, atol=1e-6)


def test_a_request_survives_stage_by_stage_and_leaves_evenly_within_a_stage():
    completion, months = np.array([0.85, 0.6, 0.5, 0.8])[:, None], np.array([6.0, 12.0, 9.0, 15.0])[:, None]
    at_the_ends = queue_survival(np.array([0.0, 6.0, 18.0, 27.0, 42.0, 99.0]), completion, months)
    np.testing.assert_allclose(at_the_ends, [1.0, 0.85, 0.51, 0.255, 0.204, 0.204])
    ages = np.arange(6.0, 19.0)
    hazard = -np.diff(np.log(queue_survival(ages, completion, months)))
    np.testing.assert_allclose(hazard, -np.log(0.6) / 12.0)
