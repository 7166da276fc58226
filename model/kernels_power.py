"""The arithmetic of the power stacks, compiled; what it means is told in `model/stack.py` and `model/power.py`.

As in `model/kernels.py`: loops over units, blocks and regions, worlds last, in the order in which they are
written, and nothing but + - * / and comparisons, so that a world has the same bits alone and in any batch.
"""

import math

import numpy as np
from numba import boolean, float64, int64, types, void

from agents.kernels import FLAGS, MONTHS, OUT_FLAGS, OUT_MONTHS, ROWS, TABLE, kernel

STACK = types.Array(float64, 4, "C", readonly=True)
UNITS = types.Array(float64, 3, "C", readonly=True)
OUT_FLAGS_OF_UNITS = boolean[:, :, ::1]
OUT_STACK, OUT_UNITS, OUT_TABLE = float64[:, :, :, ::1], float64[:, :, ::1], float64[:, ::1]


@kernel(
    void, STACK, UNITS, UNITS, UNITS, TABLE, TABLE, FLAGS, TABLE, TABLE, float64, TABLE, TABLE,
    OUT_STACK, OUT_UNITS, OUT_UNITS, OUT_TABLE, OUT_TABLE,
)  # fmt: skip
def offer_and_ask(
    shares, new, derated, other_load, capacity, added, heat, maintenance, heat_derate, off_season, ai_load,
    flexible, supply, load, firm, leaves, stays,
):  # fmt: skip
    """Cumulated supply ``(units, blocks, regions, worlds)`` and the month's load, GW.

    Supply is its shares of what maintenance leaves of the capacity, plus what was added; in the first block, the
    peak, heat takes its part of the units it derates. leaves: the flexible part of data centres' load, which bids;
    firm: all other load, of others by block and of the data centres that stay; load: all of it.
    """
    units, blocks, regions, worlds = supply.shape
    for unit in range(units):
        for block in range(blocks):
            for region in range(regions):
                for world in range(worlds):
                    kept = capacity[region, world] * (1.0 - maintenance[0, world] * off_season)
                    offered = shares[unit, block, region, world] * kept
                    supply[unit, block, region, world] = (
                        offered + new[unit, region, world] * added[region, world]
                    )
        for region in range(regions):
            for world in range(worlds):
                lost = capacity[region, world] * heat_derate[0, world] * heat[region, world]
                supply[unit, 0, region, world] -= derated[unit, region, world] * lost
    for region in range(regions):
        for world in range(worlds):
            leaves[region, world] = flexible[region, world] * ai_load[region, world]
            stays[region, world] = ai_load[region, world] - leaves[region, world]
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                firm[block, region, world] = other_load[block, region, world] + stays[region, world]
                load[block, region, world] = firm[block, region, world] + leaves[region, world]


@kernel(void, TABLE, TABLE, float64, TABLE, OUT_TABLE)
def bid_what_compute_earns(rent, pue, mwh, cap, bid):
    """Bid = rent of a GW-year / (MWh of a GW-year x PUE), US$/MWh, at most the cap. rent in US$bn, the same for all."""
    for region in range(bid.shape[0]):
        for world in range(bid.shape[1]):
            bid[region, world] = min(rent[0, world] * 1e9 / (mwh * pue[0, world]), cap[region, world])


@kernel(boolean, UNITS, TABLE, OUT_FLAGS)
def somebody_leaves(price, bid, there):
    """Whether the price is at the bid or above it anywhere; `there`: in which regions, in some block."""
    blocks, regions, worlds = price.shape
    some = False
    there[:] = False
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                there[region, world] |= price[block, region, world] >= bid[region, world]
    for region in range(regions):
        for world in range(worlds):
            some |= there[region, world]
    return some


FAR, LITTLE = -12.0, 1e-16
"""So many deviations from exhausting the reserve, its chance is below 2e-33; so small a part of a number is lost in
its rounding (half of 2^-53)."""


@kernel(void, STACK, UNITS, UNITS, TABLE, TABLE, TABLE, OUT_UNITS, OUT_UNITS, OUT_FLAGS_OF_UNITS)
def energy_price(supply, cost, load, cap, contingency, spread, price, beyond, felt):
    """The lowest supporting price of energy alone, and how far load is from exhausting the reserve.

    beyond = (contingency - reserve) / spread, in standard deviations, infinite where no more than the contingency is
    left; contingency and spread are shares of the whole stack. `cost` is the same in all blocks. felt: where scarcity
    can change a bit of the price; elsewhere beyond is 0, the chance of scarcity to count with.
    """
    units, blocks, regions, worlds = supply.shape
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                price[block, region, world] = cost[0, region, world]
            for unit in range(1, units):
                for world in range(worlds):
                    if supply[unit - 1, block, region, world] < load[block, region, world]:
                        price[block, region, world] = max(
                            price[block, region, world], cost[unit, region, world]
                        )
            for world in range(worlds):
                top, asked = supply[units - 1, block, region, world], load[block, region, world]
                if top < asked:
                    price[block, region, world] = cap[region, world]
                reserve, least = top - asked, contingency[region, world] * top
                away = (reserve - least) / (spread[region, world] * top)
                far = -away < FAR and price[block, region, world] > LITTLE * cap[region, world]
                felt[block, region, world] = reserve <= least or not far
                beyond[block, region, world] = math.inf if reserve <= least else 0.0 if far else -away


@kernel(void, UNITS, TABLE, TABLE, OUT_UNITS)
def add_scarcity(lost_load, cap, uplift, price):
    """Add to the price of energy what scarcity and congestion add; at most the cap. Changes `price`.

    adder = (cap - price) x probability of lost load; `uplift` is the congestion.
    """
    blocks, regions, worlds = price.shape
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                energy, most = price[block, region, world], cap[region, world]
                energy = energy + max(most - energy, 0.0) * lost_load[block, region, world]
                price[block, region, world] = min(energy + uplift[region, world], most)


@kernel(void, UNITS, TABLE, TABLE, TABLE, OUT_TABLE)
def chance_at_bid(cost, cap, uplift, bid, chance):
    """The probability of lost load at which scarcity lifts the price of energy to the bid, within (0, 1)."""
    units, regions, worlds = cost.shape
    for region in range(regions):
        for world in range(worlds):
            energy, dearest = bid[region, world] - uplift[region, world], 0.0
            for unit in range(units):
                if cost[unit, region, world] <= energy:
                    dearest = max(dearest, cost[unit, region, world])
            share = (energy - dearest) / max(cap[region, world] - dearest, 1e-9)
            chance[region, world] = min(max(share, 1e-12), 1.0 - 1e-12)


@kernel(
    void, STACK, UNITS, TABLE, TABLE, TABLE, UNITS, UNITS, TABLE, TABLE, TABLE, OUT_UNITS, OUT_UNITS,
)  # fmt: skip
def let_bidders_leave(
    supply, cost, uplift, contingency, spread, without, firm, leaves, bid, quantile, price, off
):  # fmt: skip
    """Let load leave where the price is at its bid or above: the price then, and the GW that are off.

    price = max(price without it, min(price with it, bid)). Off is none of it below its bid, all above, and at it what
    supply up to the bid, less the reserve at which scarcity would cost more, leaves over. without: the price of firm
    load alone; quantile: the normal quantile of `chance_at_bid`. Changes price and off ``(blocks, regions, worlds)``,
    which comes in as zeros.
    """
    units, blocks, regions, worlds = supply.shape
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                full, asked = price[block, region, world], bid[region, world]
                if full < asked:
                    continue
                if full > asked:
                    price[block, region, world] = max(without[block, region, world], min(full, asked))
                settled, size = price[block, region, world], leaves[region, world]
                if settled > asked:
                    off[block, region, world] = size
                elif settled >= asked:
                    energy, running = asked - uplift[region, world], 0.0
                    for unit in range(units):
                        if cost[unit, region, world] <= energy:
                            running = max(running, supply[unit, block, region, world])
                    top = supply[units - 1, block, region, world]
                    spare = max(0.0 - quantile[region, world] * (spread[region, world] * top), 0.0)
                    reserve = contingency[region, world] * top + spare
                    room = min(running, top - reserve) - firm[block, region, world]
                    off[block, region, world] = size - min(max(room, 0.0), size)


@kernel(
    void, UNITS, UNITS, UNITS, UNITS, TABLE, TABLE, UNITS, OUT_UNITS, OUT_TABLE, OUT_TABLE, OUT_TABLE, OUT_TABLE,
    OUT_TABLE,
)  # fmt: skip
def cut_by_block(price, off, firm, top, stays, load, weight, cut, capacity, mean, paid, curtailed, shed):
    """What is cut in each block, and means over the month's blocks, weighted by their hours.

    Where firm load is above the whole stack (`top`), first the data centres that would stay are cut, then other
    users, who are `shed`. capacity: the whole stack at the peak; mean: price over all hours; paid: of the hours in
    which data centres run.
    """
    blocks, regions, worlds = price.shape
    mean[:], paid[:], curtailed[:], shed[:] = 0.0, 0.0, 0.0, 0.0
    running = np.zeros(mean.shape)
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                short = max(firm[block, region, world] - top[block, region, world], 0.0)
                forced = min(short, stays[region, world])
                share = (off[block, region, world] + forced) / max(load[region, world], 1e-6)
                hours, money = weight[block, 0, world], price[block, region, world]
                cut[block, region, world] = share
                mean[region, world] += hours * money
                paid[region, world] += hours * ((1.0 - share) * money)
                running[region, world] += hours * (1.0 - share)
                curtailed[region, world] += hours * share
                shed[region, world] = max(shed[region, world], short - forced)
    for region in range(regions):
        for world in range(worlds):
            paid[region, world] /= max(running[region, world], 1e-9)
            capacity[region, world] = top[0, region, world]


@kernel(void, TABLE, TABLE, ROWS, TABLE, TABLE, TABLE, TABLE, TABLE, OUT_TABLE)
def load_of_data_centres(energised, carried, region, on_grid, pue, capacity, opening_capacity, share, load):
    """Data centres' load by region, GW: its sites' less what their own turbines carry, and its share of hyperscalers'.

    energised ``(sites, worlds)`` GW of IT load, Meta's own site last, which has no turbines; capacity of hyperscalers
    counts beyond that of the opening books.
    """
    load[:] = 0.0
    worlds, last = load.shape[1], energised.shape[0] - 1
    for site in range(last + 1):
        at, grid = region[site], on_grid[site, 0]
        for world in range(worlds):
            asked = energised[site, world] * grid * pue[0, world]
            if site < last:
                asked = max(asked - carried[site, world], 0.0)
            load[at, world] += asked
    for world in range(worlds):
        built = 0.0
        for row in range(capacity.shape[0]):
            built += max(capacity[row, world] - opening_capacity[row, 0], 0.0)
        for at in range(load.shape[0]):
            load[at, world] += share[at, world] * built * pue[0, world]


@kernel(void, MONTHS, TABLE, TABLE, TABLE, TABLE, OUT_TABLE, OUT_TABLE, OUT_TABLE)
def tell_utilities(verdict, upgrades_paid, ai_load, load, revenue, connecting, unpaid, ai_share):
    """Connections that the verdict leaves, 1 - verdict / 2; upgrades not paid for, over revenue; data centres' share.

    verdict and upgrades_paid of each region's commission; revenue ``(regions, 1)`` US$bn a year.
    """
    regions, worlds = ai_share.shape
    for region in range(regions):
        for world in range(worlds):
            data_centres = ai_load[region, world]
            connecting[region, world] = 1.0 - 0.5 * verdict[region, world]
            unpaid[region, world] = (1.0 - upgrades_paid[region, world]) * data_centres / revenue[region, 0]
            ai_share[region, world] = data_centres / max(load[region, world], 1.0)


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, ROWS, TABLE, ROWS, TABLE, OUT_TABLE, OUT_TABLE, OUT_TABLE,
)  # fmt: skip
def cuts_and_prices(
    energised, pue, own, carried, curtailed, paid_price, reference_price, region, on_grid, contract_region,
    contract_on_grid, own_power, cut, over_reference,
):  # fmt: skip
    """What of each site's load its turbines carry and the grid cuts, and each power contract's price over reference.

    A site's own turbines run when the grid cuts it: what they carry is not cut. own: GW of turbines of the opening
    books, carried: of those ordered since; the last site has none of these.
    """
    sites, worlds = cut.shape
    for site in range(sites):
        at, grid, had = region[site], on_grid[site, 0], own[site, 0]
        for world in range(worlds):
            load = max(energised[site, world] * pue[0, world], 1e-9)
            ordered = carried[site, world] if site < sites - 1 else 0.0
            share = min((had + ordered) / load, 1.0)
            cut[site, world] = curtailed[at, world] * (1.0 - share) * grid
            if site < sites - 1:
                own_power[site, world] = min(ordered / load, 1.0)
    for contract in range(over_reference.shape[0]):
        at, grid = contract_region[contract], contract_on_grid[contract, 0]
        for world in range(worlds):
            seen = paid_price[at, world] / reference_price[at, world]
            over_reference[contract, world] = grid * seen + (1.0 - grid)


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, ROWS, OUT_TABLE, OUT_TABLE, OUT_TABLE)
def ask_the_grid(opening, on_grid, pue, delivered, carried, region, own, asking, ready):
    """Ask the grid for the load of halls about to open, unless free turbines of the site carry all of it: its `own`.

    opening ``(sites, worlds)`` GW of IT load; delivered: turbines, of which some load is `carried` already; asking: by
    site, ready: by region.
    """
    ready[:] = 0.0
    sites, worlds = asking.shape
    for site in range(sites):
        at, grid = region[site], on_grid[site, 0]
        for world in range(worlds):
            load = opening[site, world] * grid * pue[0, world]
            carries = load > 0.0 and delivered[site, world] - carried[site, world] >= load
            own[site, world], asking[site, world] = load if carries else 0.0, 0.0 if carries else load
            ready[at, world] += asking[site, world]


@kernel(
    boolean, int64, TABLE, TABLE, TABLE, TABLE, TABLE, ROWS, MONTHS, MONTHS, FLAGS, MONTHS, TABLE,
    OUT_FLAGS, OUT_MONTHS, OUT_TABLE, OUT_TABLE,
)  # fmt: skip
def wait_for_power(
    month, opening, on_grid, asking, own, queue, region, turbine_lead, turbines_ordered, enabled, waited_before,
    carried_before, waits, waited, carried, waiting,
):  # fmt: skip
    """Which halls about to open wait: for a utility with a queue, and on an island for its turbines; tell if any do.

    waited: months so far; carried: load on turbines of the site's own, with what is now its `own`; waiting: GW that
    the grid keeps waiting. All ``(sites, worlds)``.
    """
    sites, worlds = waits.shape
    some = False
    for site in range(sites):
        for world in range(worlds):
            asked = asking[site, world]
            queues = asked > 0.0 and queue[region[site], world] > 0.0
            late = month + 1 < turbine_lead[0, world] - turbines_ordered[0, world] and enabled[0, world]
            stands = late and opening[site, world] > 0.0 and on_grid[site, 0] == 0.0
            waits[site, world] = queues or stands
            waited[site, world] = waited_before[site, world] + waits[site, world]
            carried[site, world] = carried_before[site, world] + own[site, world]
            waiting[site, world] = asked if waits[site, world] else 0.0
            some |= waits[site, world]
    return some


@kernel(boolean, int64, MONTHS, TABLE, TABLE, TABLE, FLAGS, OUT_FLAGS)
def find_lost_orders(month, start, amount, lost_below, survival, enabled, lost):
    """Which orders that lie ahead have lost their last request: survival in the queue is down to its draw.

    survival ``(1, worlds)``; tells whether there is one.
    """
    some = False
    for rung in range(lost.shape[0]):
        for world in range(lost.shape[1]):
            ahead = start[rung, world] > month and amount[rung, world] > 0.0 and enabled[0, world]
            lost[rung, world] = ahead and survival[0, world] <= lost_below[rung, world]
            some |= lost[rung, world]
    return some


@kernel(
    void, TABLE, TABLE, TABLE, FLAGS, TABLE, TABLE, MONTHS, MONTHS, TABLE, TABLE, TABLE, ROWS, OUT_MONTHS,
)  # fmt: skip
def find_what_binds(
    available,
    need,
    training,
    closed,
    ahead,
    energised,
    waited,
    slipped,
    curtailed,
    buildable,
    announced,
    codes,
    binding,
):
    """What binds the lab's compute, one of `codes`: chips, building, grid, credit, demand; as `Power.find_binding`.

    ahead and energised ``(sites, worlds)`` GW; waited and slipped: months lost to the grid and to building.
    """
    chips, building, grid, credit, demand = codes[0], codes[1], codes[2], codes[3], codes[4]
    for world in range(binding.shape[1]):
        longest_wait, longest_slip, cut = 0, 0, False
        for site in range(ahead.shape[0]):
            if ahead[site, world] > 0.0:
                longest_wait = max(longest_wait, waited[site, world])
                longest_slip = max(longest_slip, slipped[site, world])
            cut |= energised[site, world] > 0.0 and curtailed[site, world] > 0.0
        binds = chips
        if buildable[0, world] <= 1e-9 and announced[0, world] > 1e-9:
            binds = credit
        if longest_slip > 0:
            binds = building
        if cut or (longest_wait > 0 and longest_wait >= longest_slip):
            binds = grid
        enough = available[0, world] >= need[0, world] + training[0, world] - 1e-9
        binding[0, world] = demand if enough or closed[0, world] else binds


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, MONTHS, FLAGS, float64, float64, OUT_TABLE, OUT_TABLE, OUT_TABLE,
)  # fmt: skip
def work_off_turbines(
    output,
    orders,
    added,
    built_before,
    ordered,
    backlog_before,
    lead,
    kept,
    least,
    most,
    backlog,
    wait,
    built,
):
    """A month of the book of turbines: orders of others, of utilities and of owners come in, makers work a month.

    output GW a year, orders of others as a share of it; added: capacity that utilities have built so far, `built` in
    all. Where no book is `kept`, the backlog stays as it is and the wait is the lead.
    """
    for world in range(wait.shape[1]):
        built[0, world] = 0.0
        for utility in range(added.shape[0]):
            built[0, world] += added[utility, world]
        make, before = output[0, world], backlog_before[0, world]
        new = orders[0, world] * make / 12.0 + (built[0, world] - built_before[0, world]) + ordered[0, world]
        backlog[0, world], wait[0, world] = before, lead[0, world]
        if kept[0, world]:
            backlog[0, world] = max(before + new - make / 12.0, 0.0)
            wait[0, world] = min(max(12.0 * backlog[0, world] / make, least), most)
