"""The arithmetic of the power stacks, compiled; what it means is told in `model/stack.py` and `model/power.py`.

As in `model/kernels.py`: loops over units, blocks and regions, worlds last, in the order in which they are
written, and nothing but + - * / and comparisons, so that a world has the same bits alone and in any batch.
"""

import math

import numpy as np
from numba import boolean, float64, int64, types, void

from agents.kernels import FLAGS, MONTHS, OUT_FLAGS, OUT_MONTHS, ROWS, TABLE, kernel, part_of_kernel

STACK = types.Array(float64, 4, "C", readonly=True)
UNITS = types.Array(float64, 3, "C", readonly=True)
NUMBERS = types.Array(float64, 1, "C", readonly=True)
OUT_NUMBERS, OUT_PLACES = float64[::1], int64[::1]
OUT_UNITS, OUT_TABLE = float64[:, :, ::1], float64[:, ::1]


@part_of_kernel(float64, float64, float64, float64, float64, float64, float64, boolean)
def supply_of_unit(share, kept, new, added, derated, lost, at_peak):
    """Supply up to a unit: its share of what is kept of the capacity, what was added, less heat's part at the peak."""
    return share * kept + new * added - (derated * lost if at_peak else 0.0)


@kernel(
    void, STACK, UNITS, UNITS, UNITS, TABLE, TABLE, FLAGS, TABLE, TABLE, float64, TABLE, TABLE, TABLE, TABLE, float64,
    TABLE, OUT_TABLE, OUT_TABLE, OUT_UNITS, OUT_UNITS, OUT_UNITS, OUT_TABLE, OUT_TABLE, OUT_TABLE,
)  # fmt: skip
def offer_and_ask(
    shares, new, derated, other_load, capacity, added, heat, maintenance, heat_derate, off_season, ai_load, flexible,
    rent, pue, mwh, cap, kept, lost, top, load, firm, leaves, stays, bid,
):  # fmt: skip
    """What maintenance leaves of the capacity, what heat takes of it; the whole stack, `top`, and the month's load, GW.

    Heat takes its part in the first block, the peak, of the units that it derates. leaves: the flexible part of data
    centres' load, which bids what its compute earns, rent of a GW-year (US$bn) / (MWh of a GW-year x PUE), at most the
    cap; firm: all other load, of others by block and of the data centres that stay; load: all of it.
    """
    blocks, regions, worlds = load.shape
    last = shares.shape[0] - 1
    for region in range(regions):
        for world in range(worlds):
            had = capacity[region, world]
            kept[region, world] = had * (1.0 - maintenance[0, world] * off_season)
            lost[region, world] = had * heat_derate[0, world] * heat[region, world]
            leaves[region, world] = flexible[region, world] * ai_load[region, world]
            stays[region, world] = ai_load[region, world] - leaves[region, world]
            bid[region, world] = min(rent[0, world] * 1e9 / (mwh * pue[0, world]), cap[region, world])
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                firm[block, region, world] = other_load[block, region, world] + stays[region, world]
                load[block, region, world] = firm[block, region, world] + leaves[region, world]
            share, grown, whole = shares[last, block, region], new[last, region], top[block, region]
            for world in range(worlds):
                whole[world] = share[world] * kept[region, world] + grown[world] * added[region, world]
    for region in range(regions):
        for world in range(worlds):
            top[0, region, world] -= derated[last, region, world] * lost[region, world]


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, TABLE, TABLE, OUT_FLAGS, OUT_TABLE,
)  # fmt: skip
def strike_regions(common, local, reach, correlation, probability, enabled, load, forced, heat, rise):
    """Where heat strikes by the draws, or is forced to, and by how much it raises the load of the peak.

    One draw, `common`, is of all regions where `reach` is below the correlation; else each has its own, `local`.
    """
    regions, worlds = heat.shape
    for region in range(regions):
        for world in range(worlds):
            draw = common[0, world] if reach[0, world] < correlation[0, world] else local[region, world]
            strikes = draw < probability[0, world] and enabled[0, world]
            heat[region, world] = strikes or forced[region, world] > 0.0
            rise[region, world] = max(load[0, world] * strikes, forced[region, world])


FAR, LITTLE = 9.5, 1e-4
"""So many deviations from exhausting the reserve, its chance is below 1.1e-21: times the cap, no bit of a price above
this part of the cap, for what is below 2^-54 of a number (5.5e-17) is lost in its rounding."""


@part_of_kernel(types.Tuple((float64, boolean)), float64, float64, float64, float64, float64, float64)
def feel_scarcity(top, asked, energy, cap, contingency, spread):
    """How far the load `asked` is from exhausting the reserve, and whether scarcity can change a bit of the price.

    It is (contingency - reserve) / spread, in standard deviations, infinite where no more than the contingency is
    left; contingency and spread are shares of the whole stack, `top`. energy: the price without scarcity. Where
    scarcity is not felt, infinitely far: its chance is nothing.
    """
    reserve, least, deviation = top - asked, contingency * top, spread * top
    if reserve <= least:
        return math.inf, True
    if reserve - least > FAR * deviation and energy > LITTLE * cap:
        return -math.inf, False
    return -((reserve - least) / deviation), True


@kernel(
    int64, STACK, UNITS, UNITS, UNITS, TABLE, TABLE, TABLE, UNITS, TABLE, TABLE, TABLE, UNITS, OUT_UNITS, OUT_NUMBERS,
    OUT_PLACES,
)  # fmt: skip
def energy_price(
    shares, new, derated, cost, kept, added, lost, top, cap, contingency, spread, load, price, beyond, felt_at
):
    """The lowest supporting price of energy alone; where scarcity is felt, and by how much.

    `cost` is the same in all blocks. Gives the number n of places of `load` where it is felt: felt_at and beyond have
    these, counted along blocks, regions and worlds, and what `feel_scarcity` says of them, as their first n entries.
    """
    units, (blocks, regions, worlds) = shares.shape[0], load.shape
    cheaper, felt = np.empty(worlds), 0
    for block in range(blocks):
        for region in range(regions):
            asked = load[block, region]
            energy = price[block, region]
            most = cap[region]
            whole = top[block, region]
            remaining, built, taken = kept[region], added[region], lost[region]
            for world in range(worlds):
                energy[world] = cost[0, region, world]
            for unit in range(1, units):
                share, grown = shares[unit - 1, block, region], new[unit - 1, region]
                part, dearer = derated[unit - 1, region], cost[unit, region]
                for world in range(worlds):
                    cheaper[world] = share[world] * remaining[world] + grown[world] * built[world]
                if block == 0:
                    for world in range(worlds):
                        cheaper[world] -= part[world] * taken[world]
                for world in range(worlds):
                    raised = max(energy[world], dearer[world])
                    energy[world] = raised if cheaper[world] < asked[world] else energy[world]
            for world in range(worlds):
                energy[world] = most[world] if whole[world] < asked[world] else energy[world]
            reserve, deviation, some = contingency[region], spread[region], 0
            for world in range(worlds):
                spare = whole[world] - asked[world] - reserve[world] * whole[world]
                far = spare > FAR * (deviation[world] * whole[world])
                some += not (far & (energy[world] > LITTLE * most[world]))
            if some == 0:
                continue
            for world in range(worlds):
                away, is_felt = feel_scarcity(
                    whole[world], asked[world], energy[world], most[world], reserve[world], deviation[world]
                )
                beyond[felt], felt_at[felt] = away, (block * regions + region) * worlds + world
                felt += is_felt
    return felt


@kernel(void, NUMBERS, ROWS, TABLE, TABLE, OUT_UNITS)
def add_scarcity(lost_load, felt_at, cap, uplift, price):
    """Add to the price of energy what scarcity and congestion add; at most the cap. Changes `price`.

    adder = (cap - price) x probability of lost load, where that is felt; `uplift` is the congestion.
    """
    blocks, regions, worlds = price.shape
    felt = 0
    for block in range(blocks):
        for region in range(regions):
            energy, most, more = price[block, region], cap[region], uplift[region]
            first = (block * regions + region) * worlds
            while felt < lost_load.shape[0] and felt_at[felt] < first + worlds:
                world = felt_at[felt] - first
                energy[world] += max(most[world] - energy[world], 0.0) * lost_load[felt]
                felt += 1
            for world in range(worlds):
                energy[world] = min(energy[world] + more[world], most[world])


@kernel(
    int64, STACK, UNITS, UNITS, UNITS, TABLE, TABLE, TABLE, UNITS, TABLE, TABLE, TABLE, TABLE, TABLE, UNITS, UNITS,
    OUT_UNITS, OUT_PLACES, OUT_NUMBERS, OUT_NUMBERS, OUT_NUMBERS,
)  # fmt: skip
def find_leavers(
    shares, new, derated, cost, kept, added, lost, top, cap, contingency, spread, uplift, bid, price, firm, off,
    leave_at, without, beyond, chance,
):  # fmt: skip
    """Find the places where the price is at the bid or above it, and what `let_bidders_leave` has to know of them.

    Gives their number n: the first n entries of leave_at are these places, as in `energy_price`. without and beyond:
    of firm load alone, the price of energy and what `feel_scarcity` says of it. chance: the probability of lost load at
    which scarcity lifts the price of energy to the bid, within (0, 1). off: zeros.
    """
    units, (blocks, regions, worlds) = shares.shape[0], price.shape
    leavers = 0
    for block in range(blocks):
        for region in range(regions):
            offered, is_off, asked, some = price[block, region], off[block, region], bid[region], 0
            for world in range(worlds):
                is_off[world] = 0.0
            for world in range(worlds):
                some += offered[world] >= asked[world]
            for world in range(worlds if some > 0 else 0):
                if offered[world] < asked[world]:
                    continue
                alone, most, energy = firm[block, region, world], cap[region, world], cost[0, region, world]
                at_bid, dearest, supply = asked[world] - uplift[region, world], 0.0, 0.0
                for unit in range(units):
                    marginal = cost[unit, region, world]
                    if marginal <= at_bid:
                        dearest = max(dearest, marginal)
                    if unit > 0 and supply < alone:
                        energy = max(energy, marginal)
                    supply = supply_of_unit(
                        shares[unit, block, region, world], kept[region, world], new[unit, region, world],
                        added[region, world], derated[unit, region, world], lost[region, world], block == 0,
                    )  # fmt: skip
                energy = most if supply < alone else energy
                away, _ = feel_scarcity(
                    supply, alone, energy, most, contingency[region, world], spread[region, world]
                )
                share = (at_bid - dearest) / max(most - dearest, 1e-9)
                without[leavers], beyond[leavers] = energy, away
                chance[leavers] = min(max(share, 1e-12), 1.0 - 1e-12)
                leave_at[leavers] = (block * regions + region) * worlds + world
                leavers += 1
    return leavers


@kernel(
    void, STACK, UNITS, UNITS, UNITS, TABLE, TABLE, TABLE, UNITS, TABLE, TABLE, TABLE, TABLE, TABLE, ROWS, NUMBERS,
    NUMBERS, NUMBERS, UNITS, TABLE, OUT_UNITS, OUT_UNITS,
)  # fmt: skip
def let_bidders_leave(
    shares, new, derated, cost, kept, added, lost, top, cap, contingency, spread, uplift, bid, leave_at, without,
    lost_load, quantile, firm, leaves, price, off,
):  # fmt: skip
    """Let load leave where the price is at its bid or above: the price then, and the GW that are off.

    price = max(price without it, min(price with it, bid)). Off is none of it below its bid, all above, and at it what
    supply up to the bid, less the reserve at which scarcity would cost more, leaves over. Of the places of
    `find_leavers`, without and lost_load: the price of energy and the probability of lost load of firm load alone;
    quantile: the normal quantile of the chance. Changes price and off ``(blocks, regions, worlds)``.
    """
    blocks, regions, worlds = price.shape
    leaver = 0
    for block in range(blocks):
        for region in range(regions):
            first = (block * regions + region) * worlds
            while leaver < lost_load.shape[0] and leave_at[leaver] < first + worlds:
                world = leave_at[leaver] - first
                full, asked, most = price[block, region, world], bid[region, world], cap[region, world]
                if full > asked:
                    energy = without[leaver]
                    energy = energy + max(most - energy, 0.0) * lost_load[leaver]
                    least = min(energy + uplift[region, world], most)
                    price[block, region, world] = max(least, min(full, asked))
                settled, size = price[block, region, world], leaves[region, world]
                if settled > asked:
                    off[block, region, world] = size
                elif settled >= asked:
                    energy, running = asked - uplift[region, world], 0.0
                    for unit in range(shares.shape[0]):
                        if cost[unit, region, world] <= energy:
                            supply = supply_of_unit(
                                shares[unit, block, region, world], kept[region, world], new[unit, region, world],
                                added[region, world], derated[unit, region, world], lost[region, world], block == 0,
                            )  # fmt: skip
                            running = max(running, supply)
                    whole = top[block, region, world]
                    spare = max(0.0 - quantile[leaver] * (spread[region, world] * whole), 0.0)
                    reserve = contingency[region, world] * whole + spare
                    room = min(running, whole - reserve) - firm[block, region, world]
                    off[block, region, world] = size - min(max(room, 0.0), size)
                leaver += 1


@kernel(
    void, UNITS, UNITS, UNITS, UNITS, TABLE, TABLE, TABLE, UNITS, OUT_UNITS, OUT_TABLE, OUT_TABLE, OUT_TABLE, OUT_TABLE,
    OUT_TABLE, OUT_TABLE,
)  # fmt: skip
def cut_by_block(
    price, off, firm, top, stays, load, peak, weight, cut, capacity, tightness, mean, paid, curtailed, shed
):  # fmt: skip
    """What is cut in each block, and means over the month's blocks, weighted by their hours.

    Where firm load is above the whole stack (`top`), first the data centres that would stay are cut, then other
    users, who are `shed`. capacity: the whole stack at the peak; tightness: the `peak` load over it; mean: price over
    all hours; paid: of the hours in which data centres run.
    """
    blocks, regions, worlds = price.shape
    mean[:], paid[:], curtailed[:], shed[:] = 0.0, 0.0, 0.0, 0.0
    running = np.zeros(worlds)
    for region in range(regions):
        running[:] = 0.0
        whole, costs, off_share, missing = mean[region], paid[region], curtailed[region], shed[region]
        asked, forcible = load[region], stays[region]
        for block in range(blocks):
            hours, money, left = weight[block, 0], price[block, region], off[block, region]
            firmly, most, part = firm[block, region], top[block, region], cut[block, region]
            for world in range(worlds):
                short = max(firmly[world] - most[world], 0.0)
                forced = min(short, forcible[world])
                share = (left[world] + forced) / max(asked[world], 1e-6)
                part[world] = share
                whole[world] += hours[world] * money[world]
                costs[world] += hours[world] * ((1.0 - share) * money[world])
                running[world] += hours[world] * (1.0 - share)
                off_share[world] += hours[world] * share
                missing[world] = max(missing[world], short - forced)
        for world in range(worlds):
            costs[world] /= max(running[world], 1e-9)
            capacity[region, world] = top[0, region, world]
            tightness[region, world] = peak[region, world] / capacity[region, world]


@kernel(void, TABLE, TABLE, ROWS, TABLE, TABLE, TABLE, TABLE, TABLE, OUT_TABLE)
def load_of_data_centres(energised, carried, region, on_grid, pue, capacity, opening_capacity, share, load):
    """Data centres' load by region, GW: its sites' less what their own turbines carry, and its share of hyperscalers'.

    energised ``(sites, worlds)`` GW of IT load, others' sites last, which have no turbines; capacity of hyperscalers
    counts beyond that of the opening books.
    """
    load[:] = 0.0
    worlds, campuses = load.shape[1], carried.shape[0]
    for site in range(energised.shape[0]):
        grid, used, asked_there = on_grid[site, 0], energised[site], load[region[site]]
        for world in range(worlds):
            asked = used[world] * grid * pue[0, world]
            if site < campuses:
                asked = max(asked - carried[site, world], 0.0)
            asked_there[world] += asked
    built = np.zeros(worlds)
    for row in range(capacity.shape[0]):
        had, has = opening_capacity[row, 0], capacity[row]
        for world in range(worlds):
            built[world] += max(has[world] - had, 0.0)
    for at in range(load.shape[0]):
        for world in range(worlds):
            load[at, world] += share[at, world] * built[world] * pue[0, world]


@kernel(
    void, MONTHS, TABLE, TABLE, TABLE, TABLE, TABLE, ROWS, OUT_TABLE, OUT_TABLE, OUT_TABLE, OUT_TABLE,
)  # fmt: skip
def tell_of_regions(
    verdict,
    upgrades_paid,
    delay,
    ai_load,
    load,
    revenue,
    region,
    connecting,
    unpaid,
    ai_share,
    delay_of_sites,
):
    """Connections that the verdict leaves, 1 - verdict / 2; upgrades not paid for, over revenue; data centres' share.

    verdict and upgrades_paid of each region's commission; revenue ``(regions, 1)`` US$bn a year. Each site is told the
    `delay` that its region's commission means.
    """
    regions, worlds = ai_share.shape
    for at in range(regions):
        earned = revenue[at, 0]
        for world in range(worlds):
            data_centres = ai_load[at, world]
            connecting[at, world] = 1.0 - 0.5 * verdict[at, world]
            unpaid[at, world] = (1.0 - upgrades_paid[at, world]) * data_centres / earned
            ai_share[at, world] = data_centres / max(load[at, world], 1.0)
    for site in range(delay_of_sites.shape[0]):
        meant, told = delay[region[site]], delay_of_sites[site]
        for world in range(worlds):
            told[world] = meant[world]


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, ROWS, TABLE, ROWS, TABLE, OUT_TABLE, OUT_TABLE, OUT_TABLE,
)  # fmt: skip
def cuts_and_prices(
    energised, pue, own, carried, curtailed, paid_price, reference_price, region, on_grid, contract_region,
    contract_on_grid, own_power, cut, over_reference,
):  # fmt: skip
    """What of each site's load its turbines carry and the grid cuts, and each power contract's price over reference.

    A site's own turbines run when the grid cuts it: what they carry is not cut. own: GW of turbines of the opening
    books, carried: of those ordered since, by the first sites alone.
    """
    campuses, (sites, worlds) = carried.shape[0], cut.shape
    for site in range(sites):
        at, grid, had = region[site], on_grid[site, 0], own[site, 0]
        for world in range(worlds):
            load = max(energised[site, world] * pue[0, world], 1e-9)
            ordered = carried[site, world] if site < campuses else 0.0
            share = min((had + ordered) / load, 1.0)
            cut[site, world] = curtailed[at, world] * (1.0 - share) * grid
            if site < campuses:
                own_power[site, world] = min(ordered / load, 1.0)
    for contract in range(over_reference.shape[0]):
        at, grid = contract_region[contract], contract_on_grid[contract, 0]
        for world in range(worlds):
            seen = paid_price[at, world] / reference_price[at, world]
            over_reference[contract, world] = grid * seen + (1.0 - grid)


@kernel(
    boolean, int64, TABLE, MONTHS, ROWS, TABLE, TABLE, TABLE, TABLE, TABLE, ROWS, OUT_TABLE, OUT_TABLE, OUT_TABLE,
    OUT_TABLE, OUT_TABLE,
)  # fmt: skip
def ask_the_grid(
    next_month, gw, start, site_of, on_grid, pue, delivered_before, arriving, carried, region, opening, delivered, own,
    asking, ready,
):  # fmt: skip
    """Ask the grid for the load of halls about to open, unless free turbines of the site carry all of it: its `own`.

    opening ``(sites, worlds)``: GW of IT load of the halls ``(halls, worlds)`` that start next month; delivered:
    turbines, those now `arriving` too, of which some load is `carried` already; asking: by site, ready: by region.
    Tells whether any hall is about to open.
    """
    opening[:], ready[:] = 0.0, 0.0
    some = False
    sites, worlds = asking.shape
    for hall in range(gw.shape[0]):
        size, starts, opens = gw[hall], start[hall], opening[site_of[hall]]
        for world in range(worlds):
            opens[world] += size[world] if starts[world] == next_month else 0.0
    for site in range(sites):
        ready_there, grid = ready[region[site]], on_grid[site, 0]
        for world in range(worlds):
            has = delivered_before[site, world] + arriving[site, world]
            load = opening[site, world] * grid * pue[0, world]
            carries = load > 0.0 and has - carried[site, world] >= load
            delivered[site, world] = has
            own[site, world], asking[site, world] = load if carries else 0.0, 0.0 if carries else load
            ready_there[world] += asking[site, world]
            some |= opening[site, world] != 0.0
    return some


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
        starts, gw, least, gone = start[rung], amount[rung], lost_below[rung], lost[rung]
        for world in range(lost.shape[1]):
            ahead = (starts[world] > month) & (gw[world] > 0.0) & enabled[0, world]
            gone[world] = ahead & (survival[0, world] <= least[world])
            some |= gone[world]
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
    worlds = binding.shape[1]
    longest_wait, longest_slip = np.zeros(worlds, dtype=np.int64), np.zeros(worlds, dtype=np.int64)
    cut = np.zeros(worlds, dtype=np.bool_)
    for site in range(ahead.shape[0]):
        for world in range(worlds):
            lies_ahead = ahead[site, world] > 0.0
            wait, slip = waited[site, world] * lies_ahead, slipped[site, world] * lies_ahead
            longest_wait[world] = max(longest_wait[world], wait)
            longest_slip[world] = max(longest_slip[world], slip)
            cut[world] |= (energised[site, world] > 0.0) & (curtailed[site, world] > 0.0)
    for world in range(worlds):
        binds = chips
        if buildable[0, world] <= 1e-9 and announced[0, world] > 1e-9:
            binds = credit
        if longest_slip[world] > 0:
            binds = building
        if cut[world] or (longest_wait[world] > 0 and longest_wait[world] >= longest_slip[world]):
            binds = grid
        enough = available[0, world] >= need[0, world] + training[0, world] - 1e-9
        binding[0, world] = demand if enough or closed[0, world] else binds


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, MONTHS, FLAGS, float64, float64, OUT_TABLE, OUT_TABLE, OUT_TABLE,
    OUT_TABLE,
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
    speed,
):
    """A month of the book of turbines: orders of others, of utilities and of owners come in, makers work a month.

    output GW a year, orders of others as a share of it; added: capacity that utilities have built so far, `built` in
    all. Where no book is `kept`, the backlog stays as it is and the wait is the lead. speed: what utilities can build
    in a month over what they could at that lead, at most one.
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
        speed[0, world] = min(lead[0, world] / max(wait[0, world], 1.0), 1.0)
