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
OUT_FLAGS_OF_UNITS = boolean[:, :, ::1]
OUT_STACK, OUT_UNITS, OUT_TABLE = float64[:, :, :, ::1], float64[:, :, ::1], float64[:, ::1]


@kernel(
    void, STACK, UNITS, UNITS, UNITS, TABLE, TABLE, FLAGS, TABLE, TABLE, float64, TABLE, TABLE, TABLE, TABLE, float64,
    TABLE, OUT_STACK, OUT_UNITS, OUT_UNITS, OUT_TABLE, OUT_TABLE, OUT_TABLE,
)  # fmt: skip
def offer_and_ask(
    shares, new, derated, other_load, capacity, added, heat, maintenance, heat_derate, off_season, ai_load, flexible,
    rent, pue, mwh, cap, supply, load, firm, leaves, stays, bid,
):  # fmt: skip
    """Cumulated supply ``(units, blocks, regions, worlds)`` and the month's load, GW.

    Supply is its shares of what maintenance leaves of the capacity, plus what was added; in the first block, the
    peak, heat takes its part of the units it derates. leaves: the flexible part of data centres' load, which bids what
    its compute earns, rent of a GW-year (US$bn) / (MWh of a GW-year x PUE), at most the cap; firm: all other load, of
    others by block and of the data centres that stay; load: all of it.
    """
    units, blocks, regions, worlds = supply.shape
    kept, lost = np.empty((regions, worlds)), np.empty((regions, worlds))
    for region in range(regions):
        for world in range(worlds):
            had = capacity[region, world]
            kept[region, world] = had * (1.0 - maintenance[0, world] * off_season)
            lost[region, world] = had * heat_derate[0, world] * heat[region, world]
            leaves[region, world] = flexible[region, world] * ai_load[region, world]
            stays[region, world] = ai_load[region, world] - leaves[region, world]
            bid[region, world] = min(rent[0, world] * 1e9 / (mwh * pue[0, world]), cap[region, world])
    for unit in range(units):
        for region in range(regions):
            grown, built, remaining = new[unit, region], added[region], kept[region]
            for block in range(blocks):
                share, offered = shares[unit, block, region], supply[unit, block, region]
                for world in range(worlds):
                    offered[world] = share[world] * remaining[world] + grown[world] * built[world]
            part, at_peak, taken = derated[unit, region], supply[unit, 0, region], lost[region]
            for world in range(worlds):
                at_peak[world] -= part[world] * taken[world]
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                firm[block, region, world] = other_load[block, region, world] + stays[region, world]
                load[block, region, world] = firm[block, region, world] + leaves[region, world]


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


FAR, LITTLE = -12.0, 1e-16
"""So many deviations from exhausting the reserve, its chance is below 2e-33; so small a part of a number is lost in
its rounding (half of 2^-53)."""


@part_of_kernel(types.Tuple((float64, boolean)), float64, float64, float64, float64, float64, float64)
def feel_scarcity(top, asked, energy, cap, contingency, spread):
    """How far the load `asked` is from exhausting the reserve, and whether scarcity can change a bit of the price.

    It is (contingency - reserve) / spread, in standard deviations, infinite where no more than the contingency is
    left; contingency and spread are shares of the whole stack, `top`. Where it is not felt it is 0, the chance of
    scarcity to count with. energy: the price without scarcity.
    """
    reserve, least = top - asked, contingency * top
    away = (reserve - least) / (spread * top)
    far = -away < FAR and energy > LITTLE * cap
    none_left = reserve <= least
    return math.inf if none_left else 0.0 if far else -away, none_left or not far


@kernel(void, STACK, UNITS, UNITS, TABLE, TABLE, TABLE, OUT_UNITS, OUT_UNITS, OUT_FLAGS_OF_UNITS)
def energy_price(supply, cost, load, cap, contingency, spread, price, beyond, felt):
    """The lowest supporting price of energy alone, and what `feel_scarcity` says of it: beyond and felt.

    `cost` is the same in all blocks.
    """
    units, blocks, regions, worlds = supply.shape
    for block in range(blocks):
        for region in range(regions):
            asked, energy, most = load[block, region], price[block, region], cap[region]
            for world in range(worlds):
                energy[world] = cost[0, region, world]
            for unit in range(1, units):
                cheaper, dearer = supply[unit - 1, block, region], cost[unit, region]
                for world in range(worlds):
                    raised = max(energy[world], dearer[world])
                    energy[world] = raised if cheaper[world] < asked[world] else energy[world]
            top = supply[units - 1, block, region]
            for world in range(worlds):
                if top[world] < asked[world]:
                    energy[world] = most[world]
                beyond[block, region, world], felt[block, region, world] = feel_scarcity(
                    top[world],
                    asked[world],
                    energy[world],
                    most[world],
                    contingency[region, world],
                    spread[region, world],
                )


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


@kernel(
    boolean, STACK, UNITS, TABLE, TABLE, TABLE, TABLE, TABLE, UNITS, UNITS, OUT_UNITS, OUT_UNITS, OUT_UNITS,
    OUT_FLAGS_OF_UNITS, OUT_TABLE, OUT_FLAGS,
)  # fmt: skip
def find_leavers(
    supply,
    cost,
    cap,
    uplift,
    contingency,
    spread,
    bid,
    price,
    firm,
    off,
    without,
    beyond,
    felt,
    chance,
    there,
):
    """Whether the price is at the bid or above it anywhere; only there, what `let_bidders_leave` has to know.

    without, beyond and felt: of firm load alone, the price of energy and what `feel_scarcity` says of it. chance: the
    probability of lost load at which scarcity lifts the price of energy to the bid, within (0, 1); there: in which
    regions, in some block. off: zeros.
    """
    units, blocks, regions, worlds = supply.shape
    some = False
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                off[block, region, world] = 0.0
                some |= price[block, region, world] >= bid[region, world]
    if not some:
        return False
    there[:] = False
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                felt[block, region, world] = False
                if price[block, region, world] < bid[region, world]:
                    continue
                there[region, world] = True
                asked, energy = firm[block, region, world], cost[0, region, world]
                for unit in range(1, units):
                    if supply[unit - 1, block, region, world] < asked:
                        energy = max(energy, cost[unit, region, world])
                top = supply[units - 1, block, region, world]
                energy = cap[region, world] if top < asked else energy
                without[block, region, world] = energy
                beyond[block, region, world], felt[block, region, world] = feel_scarcity(
                    top, asked, energy, cap[region, world], contingency[region, world], spread[region, world]
                )
    for region in range(regions):
        for world in range(worlds):
            if there[region, world]:
                energy, dearest = bid[region, world] - uplift[region, world], 0.0
                for unit in range(units):
                    if cost[unit, region, world] <= energy:
                        dearest = max(dearest, cost[unit, region, world])
                share = (energy - dearest) / max(cap[region, world] - dearest, 1e-9)
                chance[region, world] = min(max(share, 1e-12), 1.0 - 1e-12)
    return True


@kernel(
    void, STACK, UNITS, TABLE, TABLE, TABLE, TABLE, TABLE, UNITS, UNITS, UNITS, TABLE, TABLE, OUT_UNITS, OUT_UNITS,
)  # fmt: skip
def let_bidders_leave(
    supply, cost, cap, uplift, contingency, spread, bid, without, lost_load, firm, leaves, quantile, price, off
):  # fmt: skip
    """Let load leave where the price is at its bid or above: the price then, and the GW that are off.

    price = max(price without it, min(price with it, bid)). Off is none of it below its bid, all above, and at it what
    supply up to the bid, less the reserve at which scarcity would cost more, leaves over. without and lost_load: the
    price of energy and the probability of lost load of firm load alone; quantile: the normal quantile of the chance of
    `find_leavers`. Changes price and off ``(blocks, regions, worlds)``.
    """
    units, blocks, regions, worlds = supply.shape
    for block in range(blocks):
        for region in range(regions):
            for world in range(worlds):
                full, asked = price[block, region, world], bid[region, world]
                if full < asked:
                    continue
                if full > asked:
                    energy, most = without[block, region, world], cap[region, world]
                    energy = energy + max(most - energy, 0.0) * lost_load[block, region, world]
                    least = min(energy + uplift[region, world], most)
                    price[block, region, world] = max(least, min(full, asked))
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


@kernel(void, TABLE, TABLE, ROWS, TABLE, TABLE, TABLE, TABLE, TABLE, OUT_TABLE)
def load_of_data_centres(energised, carried, region, on_grid, pue, capacity, opening_capacity, share, load):
    """Data centres' load by region, GW: its sites' less what their own turbines carry, and its share of hyperscalers'.

    energised ``(sites, worlds)`` GW of IT load, Meta's own site last, which has no turbines; capacity of hyperscalers
    counts beyond that of the opening books.
    """
    load[:] = 0.0
    worlds, last = load.shape[1], energised.shape[0] - 1
    for site in range(last + 1):
        grid, used, asked_there = on_grid[site, 0], energised[site], load[region[site]]
        for world in range(worlds):
            asked = used[world] * grid * pue[0, world]
            if site < last:
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
