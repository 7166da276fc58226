"""Sales, costs, investment, and orders of chips with what is drawn for them, compiled; told in words in
`model/accounts.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Legs, sites and parties are rows, worlds last; US$bn.
"""

import numpy as np
from numba import float64, int64, types, void

from agents.kernels import FLAGS, OUT, ROWS, TABLE, kernel

OVER = types.Array(float64, 3, "C", readonly=True)
SIGNED, VEHICLE, LAB = 0, 2, 4
"""First legs of the buyers that come after the halls: a builder with signed orders, the vehicle, the lab."""


@kernel(void, TABLE, TABLE, float64, float64, TABLE, TABLE, TABLE, TABLE, OUT)
def order_chips(halls, lab_share, signed, chips_of_it, of_vehicle, chip_share, turbines, level, ordered):
    """What each leg orders at this `level` of prices: chips, and for what is signed and the vehicle the rest too.

    Halls' chips are the cloud's but for the share that the lab borrows for. Changes ordered.
    """
    sites, worlds = halls.shape
    for world in range(worlds):
        share, vehicle, price = lab_share[0, world], of_vehicle[0, world], level[0, world]
        whole = 0.0
        for site in range(sites):
            ordered[site, world] = halls[site, world] * (1.0 - share) * price
            whole += halls[site, world]
        ordered[sites + SIGNED, world] = signed * chips_of_it * price
        ordered[sites + SIGNED + 1, world] = signed * (1.0 - chips_of_it) * price
        ordered[sites + VEHICLE, world] = vehicle * chip_share[0, world] * price
        rest = vehicle * (1.0 - chip_share[0, world]) + turbines[0, world]
        ordered[sites + VEHICLE + 1, world] = rest * price
        ordered[sites + LAB, world] = whole * share * price


@kernel(void, TABLE, ROWS, ROWS, TABLE, TABLE, OUT, OUT, OUT)
def draw_for_chips(billed, of_vendor, buyers, chip_advance, vehicle_equity, sold, draws, equity):
    """What the vendor sold; what `buyers`, rows of the signed builder, the vehicle and the lab, draw; equity needed.

    Changes sold, draws ``(parties, worlds)``, which come in as zeros, and equity.
    """
    sites = billed.shape[0] - LAB - 1
    for world in range(billed.shape[1]):
        of_all = 0.0
        for leg in of_vendor:
            of_all += billed[leg, world]
        sold[0, world] = of_all
        signed = billed[sites + SIGNED, world] + billed[sites + SIGNED + 1, world]
        vehicle = billed[sites + VEHICLE, world] + billed[sites + VEHICLE + 1, world]
        share = vehicle_equity[0, world]
        draws[buyers[0], world] = chip_advance[0, world] * signed
        draws[buyers[1], world] = (1.0 - share) * vehicle
        draws[buyers[2], world] = billed[sites + LAB, world]
        equity[0, world] = share * vehicle


@kernel(void, OVER, TABLE, FLAGS, OUT)
def charge_for_service(demand, served_share, closed, charged):
    """A twelfth of the year's `demand` ``(sellers, segments, worlds)`` as far as it is served; a leg for each of both.

    Changes charged.
    """
    sellers, segments, worlds = demand.shape
    for seller in range(sellers):
        for segment in range(segments):
            leg = seller * segments + segment
            for world in range(worlds):
                served = 0.0 if closed[seller, world] else served_share[seller, world]
                charged[leg, world] = demand[seller, segment, world] * served / 12.0


@kernel(void, int64, TABLE, OUT)
def add_segments(segments, paid, sold):
    """Add up what the segments paid to each seller. Changes sold."""
    for seller in range(sold.shape[0]):
        for world in range(sold.shape[1]):
            of_all = 0.0
            for segment in range(segments):
                of_all += paid[seller * segments + segment, world]
            sold[seller, world] = of_all


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, ROWS, OUT)
def add_costs(
    of_lab, of_rivals, of_builders, losses, of_partners, of_hyperscalers, rent, operating_share, of_vendor, first, costs
):  # fmt: skip
    """What every spender's business costs: labs, then what partners, hyperscalers and utilities lose in other business
    and what running compute costs them, then sites a share of their rent; last the vendor.

    first: first row of labs' three groups, of partners, hyperscalers and sites. Changes costs.
    """
    costs[:] = 0.0
    lab, rivals, builders, partners, hyperscalers, sites = first
    worlds, vendor = costs.shape[1], costs.shape[0] - 1
    for row in range(of_lab.shape[0]):
        for world in range(worlds):
            costs[lab + row, world] = of_lab[row, world]
    for row in range(of_rivals.shape[0]):
        for world in range(worlds):
            costs[rivals + row, world] = of_rivals[row, world]
    for row in range(of_builders.shape[0]):
        for world in range(worlds):
            costs[builders + row, world] = of_builders[row, world]
    for row in range(losses.shape[0]):
        for world in range(worlds):
            costs[partners + row, world] = losses[row, world]
    for row in range(of_partners.shape[0]):
        for world in range(worlds):
            costs[partners + row, world] += of_partners[row, world]
    for row in range(of_hyperscalers.shape[0]):
        for world in range(worlds):
            costs[hyperscalers + row, world] += of_hyperscalers[row, world]
    for row in range(rent.shape[0]):
        for world in range(worlds):
            costs[sites + row, world] = rent[row, world] * operating_share[row, world]
    for world in range(worlds):
        costs[vendor, world] = of_vendor[0, world]


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, OUT)
def buy_compute(of_rivals, of_builders, contracted, rent, discount, cost):
    """A month of the compute in use at a discounted rent, but for what each has `contracted`, GW.

    Changes cost: a row for each rival, then for each builder.
    """
    rivals = of_rivals.shape[0]
    for row in range(cost.shape[0]):
        for world in range(cost.shape[1]):
            price = rent[0, world] * discount[0, world] / 12.0
            used = of_rivals[row, world] if row < rivals else of_builders[row - rivals, world]
            cost[row, world] = max(used - contracted[row, 0], 0.0) * price


@kernel(void, TABLE, TABLE, ROWS, FLAGS, OUT, OUT)
def part_gain_from_loss(other, interest_inside, earner, closed, gain, loss):
    """What other business brings its `earner` with the interest inside it added back, or costs it.

    interest_inside ``(parties, 1)``: the same in every world. Changes gain and loss.
    """
    for row in range(other.shape[0]):
        who = earner[row]
        for world in range(other.shape[1]):
            cash_flow = 0.0 if closed[who, world] else other[row, world] + interest_inside[who, 0]
            gain[row, world], loss[row, world] = max(cash_flow, 0.0), max(-cash_flow, 0.0)


@kernel(void, int64, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def part_investment(
    first, cash, other_cash, own_investment_share, minimum_cash, of_hyperscalers, of_utilities, chip_share, invested,
    chips,
):  # fmt: skip
    """Own investment: partners' share of other cash while half the buffer stays, all of utilities', hyperscalers' but
    for chips.

    first: the partners' first row in cash of all parties. Changes invested, a row for each in this order with
    hyperscalers second, and hyperscalers' chips.
    """
    partners, hyperscalers = other_cash.shape[0], chips.shape[0]
    for row in range(partners):
        for world in range(chips.shape[1]):
            planned = max(other_cash[row, world], 0.0) * own_investment_share[row, world]
            spare = max(cash[first + row, world] - 0.5 * minimum_cash[row, world], 0.0)
            invested[row, world] = min(planned, spare)
    for row in range(hyperscalers):
        for world in range(chips.shape[1]):
            whole, share = of_hyperscalers[row, world], chip_share[0, world]
            invested[partners + row, world] = whole * (1.0 - share)
            chips[row, world] = whole * share
    for row in range(of_utilities.shape[0]):
        for world in range(chips.shape[1]):
            invested[partners + hyperscalers + row, world] = of_utilities[row, world]


@kernel(void, TABLE, ROWS, OUT, OUT)
def part_surplus(cash, closer, short, spare):
    """Below and above zero of the cash of those who close the books. Changes short and spare."""
    for row in range(short.shape[0]):
        who = closer[row]
        for world in range(short.shape[1]):
            short[row, world], spare[row, world] = max(-cash[who, world], 0.0), max(cash[who, world], 0.0)


@kernel(void, TABLE, ROWS, TABLE, TABLE, TABLE, OUT)
def build_within_means(drawn, site, co_invested, called, planned, construction):
    """What is planned for each site less what is called for it of lenders and neither drawn nor co-invested.

    drawn of each loan, whose `site` is below 0 where it is another's. Changes construction.
    """
    got = np.zeros(construction.shape)
    for loan in range(drawn.shape[0]):
        where = site[loan]
        if where >= 0:
            for world in range(got.shape[1]):
                got[where, world] += drawn[loan, world]
    for where in range(got.shape[0]):
        for world in range(got.shape[1]):
            lacking = max(called[where, world] - (got[where, world] + co_invested[where, world]), 0.0)
            construction[where, world] = max(planned[where, world] - lacking, 0.0)


@kernel(void, TABLE, TABLE, ROWS, OUT, OUT)
def part_fee(spent, fee, fee_site, building, fees):
    """Part what is spent on each site: the developer's fee, a share of it at each `fee_site`, and the building.

    Changes building and fees.
    """
    for site in range(building.shape[0]):
        for world in range(building.shape[1]):
            building[site, world] = spent[site, world] * (1.0 - fee[site, world])
    for leg in range(fees.shape[0]):
        site = fee_site[leg]
        for world in range(fees.shape[1]):
            fees[leg, world] = spent[site, world] * fee[site, world]
