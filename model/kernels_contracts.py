"""The arithmetic of ladders, halls and take-or-pay contracts, compiled; told in words in `model/ladder.py` and
`model/contracts.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Rungs, contracts and sites are rows, worlds last; GW, months.
"""

import numpy as np
from numba import boolean, float64, int64, types, void

from agents.kernels import FLAGS, MONTHS, OUT, OUT_FLAGS, OUT_MONTHS, ROWS, TABLE, YES_NO, kernel

PER_WORLD = types.Array(float64, 1, "C", readonly=True)
NUMBERS = PER_WORLD
OUT_ROW = float64[::1]


@kernel(void, int64, MONTHS, MONTHS, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def spread_over_building(
    month, build_months, start, amount, own_power, build_cost, turbine_cost, building, turbines
):
    """A month's part of what orders that are being built cost, evenly over the time to build, and their own power.

    amount and own_power of each rung, GW; changes building and turbines, US$bn.
    """
    rungs, worlds = amount.shape
    for world in range(worlds):
        building[0, world], turbines[0, world] = 0.0, 0.0
    for rung in range(rungs):
        for world in range(worlds):
            first = start[rung, world]
            if first - build_months[0, world] <= month and month < first and amount[rung, world] > 0.0:
                building[0, world] += amount[rung, world]
                turbines[0, world] += own_power[rung, world]
    for world in range(worlds):
        building[0, world] = building[0, world] / build_months[0, world] * build_cost[0, world]
        turbines[0, world] = turbines[0, world] / build_months[0, world] * turbine_cost[0, world]


@kernel(boolean, FLAGS, FLAGS, MONTHS, OUT_FLAGS, OUT_MONTHS)
def count_late(waits, slips, slip_months, is_late, months):
    """Which sites are late this month, and by how many months: one where they wait, and theirs where they slip.

    Tells whether any is; is_late and months ``(sites, worlds)``, the others may have more sites.
    """
    some = False
    for site in range(months.shape[0]):
        for world in range(months.shape[1]):
            slipped = slip_months[site, world] if slips[site, world] else 0
            months[site, world] = slipped + (1 if waits[site, world] else 0)
            is_late[site, world] = slips[site, world] or waits[site, world]
            some |= is_late[site, world]
    return some


@kernel(void, int64, TABLE, MONTHS, MONTHS, TABLE, MONTHS, MONTHS, ROWS, OUT, OUT, OUT, OUT, OUT_MONTHS)
def open_rungs(
    month,
    gw,
    start,
    end,
    price,
    chip_start,
    chip_end,
    site,
    powered,
    contracted,
    ahead,
    chips_due,
    months_left,
):
    """What of each site's halls has power, is inside its term too, lies ahead and for how long; chips to be paid.

    Halls `gw` and chips' `price` have rungs of the same sites; what is found comes in as zeros.
    """
    rungs, worlds = gw.shape
    for rung in range(rungs):
        at, size, begins, ends = site[rung], gw[rung], start[rung], end[rung]
        has, running, coming, left = powered[at], contracted[at], ahead[at], months_left[at]
        for world in range(worlds):
            began = begins[world] <= month
            has[world] += size[world] if began else 0.0
            coming[world] += 0.0 if began else size[world]
        for world in range(worlds):
            live = (begins[world] <= month) & (month < ends[world])
            running[world] += size[world] if live else 0.0
        for world in range(worlds):
            left[world] = max(left[world], begins[world] - month)
    for rung in range(rungs):
        cost, begins, ends, due = price[rung], chip_start[rung], chip_end[rung], chips_due[site[rung]]
        for world in range(worlds):
            live = (begins[world] <= month) & (month < ends[world])
            due[world] += cost[world] if live else 0.0


@kernel(void, TABLE, YES_NO, TABLE, TABLE, TABLE, FLAGS, FLAGS, OUT, OUT, OUT)
def fill_contracts(need, mine, floor, available, peak, alive, renews, used, pool, wanted):
    """Fill the lab's contracts: what is paid for anyway, then the rest pro rata; what it lacks it wants to renew.

    Up to the floor use costs nothing; above it all contracts cost about the same. Contracts of others are used in
    full. pool: capacity past its term; wanted: what the lab would renew of it, pro rata.
    """
    contracts, worlds = used.shape
    free, extra, whole, open_to_lab = np.zeros((4, worlds))
    for contract in range(contracts):
        has, most, sells, rest = available[contract], peak[contract], alive[contract], pool[contract]
        for world in range(worlds):
            rest[world] = max(most[world] - has[world], 0.0) if sells[world] else 0.0
        if mine[contract]:
            for world in range(worlds):
                paid_for = floor[contract, world] * has[world]
                free[world] += paid_for
                extra[world] += has[world] - paid_for
            for world in range(worlds):
                whole[world] += has[world]
                open_to_lab[world] += rest[world] if renews[0, world] else 0.0
    first, second, third = np.empty((3, worlds))
    for world in range(worlds):
        asked = need[0, world]
        first[world] = min(asked / max(free[world], 1e-12), 1.0)
        second[world] = min(max(asked - free[world], 0.0) / max(extra[world], 1e-12), 1.0)
        third[world] = min(max(asked - whole[world], 0.0) / max(open_to_lab[world], 1e-12), 1.0)
    for contract in range(contracts):
        has, rest, uses, wants = available[contract], pool[contract], used[contract], wanted[contract]
        for world in range(worlds):
            uses[world], wants[world] = has[world], 0.0
        if mine[contract]:
            for world in range(worlds):
                paid_for = floor[contract, world] * has[world]
                part = first[world] * paid_for + second[world] * (has[world] - paid_for)
                in_full = need[0, world] >= whole[world] * (1.0 - 1e-12)
                uses[world] = has[world] if in_full else part
                wants[world] = rest[world] * third[world] if renews[0, world] else 0.0


@kernel(
    boolean, TABLE, YES_NO, FLAGS, TABLE, TABLE, TABLE, MONTHS, FLAGS, TABLE, TABLE, TABLE, TABLE,
    OUT, OUT, OUT, OUT, OUT,
)  # fmt: skip
def renew_contracts(
    wanted, mine, renews, pool, old_rent, margin, term, ended, price, floor, old_firm, awaiting,
    firm, mean_price, renewed, left, up,
):  # fmt: skip
    """Renew what is wanted beyond the renewals that run, at today's price; `left` is let to others.

    Renewals run out evenly, 1 / term of them a month, but for those `awaiting` new chips. A new one costs the lower of
    the contract's price and the market rent with the seller's margin; the mean price moves by the share that is new.
    Changes the mean price, and adds what is new to what comes `up` for a decision; tells whether anything does.
    """
    contracts, worlds = wanted.shape
    some = False
    for contract in range(contracts):
        for world in range(worlds):
            rest = pool[contract, world] if mine[contract] and renews[0, world] else 0.0
            stays = awaiting[contract, world]
            runs = min((old_firm[contract, world] - stays) * (1.0 - 1.0 / term[0, world]) + stays, rest)
            runs = 0.0 if ended[contract, world] else runs
            new = max(wanted[contract, world] - runs, 0.0)
            all_now = runs + new
            today = min(price[contract, world], old_rent[0, world] * (1.0 + margin[0, world]))
            kept = runs / max(all_now, 1e-12) if all_now > 0.0 else 0.0
            before = min(mean_price[contract, world], price[contract, world])
            mean_price[contract, world] = today + kept * (before - today)
            firm[contract, world] = all_now
            taken = max(wanted[contract, world], floor[contract, world] * all_now)
            renewed[contract, world] = taken
            left[contract, world] = max(pool[contract, world] - taken, 0.0)
            up[contract, world] += new
            some |= up[contract, world] > 0.0
    return some


@kernel(void, ROWS, TABLE, TABLE, MONTHS, MONTHS, int64, MONTHS, OUT, OUT)
def add_terms(of, amount, price, start, end, first, months, gw_months, dues):
    """Add up the new terms of each contract in the `months` ``(1, worlds)`` from `first` on: GW-months, and what these
    cost at the prices agreed, US$bn a year x months. `of`: the contract of each rung. Changes gw_months and dues.
    """
    gw_months[:] = 0.0
    dues[:] = 0.0
    for rung in range(amount.shape[0]):
        contract = of[rung]
        for world in range(amount.shape[1]):
            last = min(end[rung, world], first + months[0, world])
            live = amount[rung, world] * max(last - max(start[rung, world], first), 0)
            gw_months[contract, world] += live
            dues[contract, world] += live * price[rung, world]


@kernel(void, ROWS, TABLE, TABLE, MONTHS, MONTHS, int64, TABLE, OUT, OUT)
def add_worth_of_terms(of, amount, price, start, end, first, worth, gw_months, dues):
    """Add up the present value of the new terms of each contract from the month `first` on, as `add_terms` does.

    `worth` ``(months + 1, worlds)``: of 1 a month over the first so many months. Changes gw_months and dues.
    """
    gw_months[:] = 0.0
    dues[:] = 0.0
    for rung in range(amount.shape[0]):
        contract = of[rung]
        for world in range(amount.shape[1]):
            last = min(max(end[rung, world] - first, 0), worth.shape[0] - 1)
            before = min(max(start[rung, world] - first, 0), last)
            live = amount[rung, world] * (worth[last, world] - worth[before, world])
            gw_months[contract, world] += live
            dues[contract, world] += live * price[rung, world]


@kernel(boolean, int64, ROWS, TABLE, MONTHS, FLAGS, OUT_FLAGS, OUT, OUT)
def await_chips(month, of, before, start, seller_alive, lost, awaiting, arrived):
    """What of each contract has new chips on their way, and what has got them this month, GW.

    What a seller had ordered that has left the market is lost. Changes the last three; tells whether any is lost.
    """
    awaiting[:] = 0.0
    arrived[:] = 0.0
    some = False
    for rung in range(before.shape[0]):
        contract = of[rung]
        for world in range(before.shape[1]):
            gw, first = before[rung, world], start[rung, world]
            never = gw > 0.0 and first >= month and not seller_alive[contract, world]
            lost[rung, world] = never
            some |= never
            awaiting[contract, world] += gw if first > month and not never else 0.0
            arrived[contract, world] += gw if first == month and not never else 0.0
    return some


@kernel(
    boolean, ROWS, TABLE, TABLE, TABLE, FLAGS, YES_NO, YES_NO, TABLE, PER_WORLD, TABLE, TABLE, TABLE, TABLE, OUT
)  # fmt: skip
def find_renewing(
    rows,
    up,
    firm,
    awaiting,
    ended,
    on_halls,
    on_orders,
    contracted,
    path,
    available,
    refreshed,
    peak,
    pays,
    out,
):
    """GW of some contracts, `rows` of all, whose chips may be replaced; tells whether there are any.

    What was renewed since the last decision, as far as it waits for no chips and its first term is over for good: not
    what is only curtailed, nor what the largest yearly amount to come of its `path` asks for again. Nothing where the
    tenant does not pay (0). contracted: of each site's halls. Changes out.
    """
    some = False
    for row in range(rows.shape[0]):
        contract = rows[row]
        for world in range(out.shape[1]):
            inside = path[contract]
            if on_halls[contract]:
                for site in range(contracted.shape[0]):
                    inside += contracted[site, world]
            if on_orders[contract]:
                inside += available[contract, world] - refreshed[contract, world]
            waits = awaiting[contract, world]
            over = peak[contract, world] - inside - refreshed[contract, world] - waits
            agreed = min(up[contract, world], firm[contract, world] - waits)
            open_now = max(min(agreed, over), 0.0) * pays[0, world]
            out[row, world] = 0.0 if ended[contract, world] else open_now
            some |= out[row, world] > 1e-9
    return some


@kernel(void, TABLE, TABLE, TABLE, TABLE, YES_NO, TABLE, TABLE, FLAGS, TABLE, TABLE, OUT, OUT, OUT, OUT)
def deliver_refreshed(
    gw, dues, first_price, arrived, on_halls, energised, curtailed, ended, before, firm_before,
    available, refreshed, price, firm,
):  # fmt: skip
    """Add capacity under a new term to what contracts deliver; their price is the mean of what is under contract.

    A new term takes the place of a renewal. In halls it is curtailed as much as all of them. gw, dues: of this month.
    """
    worlds = gw.shape[1]
    powered, delivered = np.zeros((2, worlds))
    for site in range(energised.shape[0]):
        for world in range(worlds):
            powered[world] += energised[site, world]
            delivered[world] += energised[site, world] * (1.0 - curtailed[site, world])
    for contract in range(gw.shape[0]):
        for world in range(worlds):
            first, added = before[contract, world], gw[contract, world]
            share = delivered[world] / max(powered[world], 1e-12) if on_halls[contract] else 1.0
            share = 0.0 if ended[contract, world] else share
            refreshed[contract, world] = added * share
            available[contract, world] = first + added * share
            mean = first_price[contract, world]
            if added * share > 0.0:
                mean = (first * mean + dues[contract, world] * share) / (first + added * share)
            price[contract, world] = mean
            firm[contract, world] = max(firm_before[contract, world] - arrived[contract, world], 0.0)


@kernel(void, YES_NO, YES_NO, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT_ROW)
def add_bills(mine, yearly, used, floor, available, price, renewal_price, renewed, out):
    """Add up what the lab's contracts cost at this month's bills, US$bn a year: the larger of use and floor."""
    contracts, worlds = used.shape
    out[:] = 0.0
    for contract in range(contracts):
        if mine[contract]:
            for world in range(worlds):
                share = 0.0 if yearly[contract] else floor[contract, world]
                gw = max(used[contract, world], share * available[contract, world])
                renewals = renewal_price[contract, world] * renewed[contract, world]
                out[world] += price[contract, world] * gw + renewals


@kernel(boolean, FLAGS, MONTHS, ROWS, int64, MONTHS, MONTHS, MONTHS, OUT_MONTHS, OUT_MONTHS)
def move_starts(mask, months, of, now, start, tenor, stopped, moved, end):
    """Move the starts of masked rungs that lie ahead of `now`; their ends move too, unless they were stopped.

    `of`: the row of the mask, and of the `months` to move by, that holds for each rung. Tells whether all months are
    positive or nothing.
    """
    rungs, worlds = start.shape
    forward = True
    for row in range(months.shape[0]):
        for world in range(worlds):
            forward &= months[row, world] >= 0
    for rung in range(rungs):
        moves, by, first, begins = mask[of[rung]], months[of[rung]], start[rung], moved[rung]
        for world in range(worlds):
            begins[world] = first[world] + (by[world] if moves[world] & (first[world] > now) else 0)
        lasts, ends_early, ends = tenor[rung], stopped[rung], end[rung]
        for world in range(worlds):
            ends[world] = min(begins[world] + lasts[world], ends_early[world])
    return forward


@kernel(void, TABLE, MONTHS, MONTHS, int64, MONTHS, OUT_ROW)
def add_due(amount, start, end, first, months, out):
    """Add up, over the rungs, what is due in the `months` ``(1, worlds)`` from `first` on."""
    rungs, worlds = amount.shape
    for world in range(worlds):
        out[world] = 0.0
    for rung in range(rungs):
        for world in range(worlds):
            last = min(end[rung, world], first + months[0, world])
            out[world] += amount[rung, world] * max(last - max(start[rung, world], first), 0)


@kernel(void, TABLE, MONTHS, MONTHS, int64, TABLE, OUT_ROW)
def add_worth(amount, start, end, first, worth, out):
    """Add up, over the rungs, the present value of what is due from `first` on.

    `worth` ``(months + 1, worlds)``: of 1 a month over the first so many months.
    """
    rungs, worlds = amount.shape
    months = worth.shape[0] - 1
    for world in range(worlds):
        out[world] = 0.0
    for rung in range(rungs):
        for world in range(worlds):
            last = min(max(end[rung, world] - first, 0), months)
            before = min(max(start[rung, world] - first, 0), last)
            out[world] += amount[rung, world] * (worth[last, world] - worth[before, world])


@kernel(
    void, int64, TABLE, YES_NO, YES_NO, TABLE, TABLE, TABLE, TABLE, MONTHS, MONTHS, FLAGS, TABLE, OUT, OUT, OUT,
)  # fmt: skip
def deliver(
    month, path, on_halls, on_orders, energised, contracted, curtailed, ordered, start, end, ended, before,
    available, peak, live_share,
):  # fmt: skip
    """What each contract can deliver, GW: its path, its halls less what is curtailed, or the orders that are live.

    peak: the largest capacity so far behind it; all energised halls and all finished orders count. path ``(contracts,
    months)`` is the same in all worlds; `curtailed` has a row for each site, the halls' sites first. live_share: of all
    that is ordered.
    """
    contracts, worlds = available.shape
    powered, running, live, finished, whole = np.zeros((5, worlds))
    for site in range(energised.shape[0]):
        for world in range(worlds):
            powered[world] += energised[site, world]
            running[world] += contracted[site, world] * (1.0 - curtailed[site, world])
    for rung in range(ordered.shape[0]):
        for world in range(worlds):
            gw, began = ordered[rung, world], start[rung, world] <= month
            whole[world] += gw
            finished[world] += gw if began else 0.0
            live[world] += gw if began and month < end[rung, world] else 0.0
    for world in range(worlds):
        live_share[0, world] = live[world] / max(whole[world], 1e-9)
    for contract in range(contracts):
        halls, orders = on_halls[contract], on_orders[contract]
        for world in range(worlds):
            gw = built = path[contract, month]
            if halls:
                gw, built = running[world], powered[world]
            if orders:
                gw, built = live[world], finished[world]
            available[contract, world] = 0.0 if ended[contract, world] else gw
            peak[contract, world] = max(before[contract, world], built)


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, YES_NO, TABLE, float64, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE,
    OUT, OUT, OUT, OUT, OUT,
)  # fmt: skip
def bill_contracts(
    used, available, floor, price, yearly, billed_before, kept, renewed, renewal_price, relet, old_rent, overrun,
    pass_through, amount, billed, renewals, let, handed_on,
):  # fmt: skip
    """A month's bill of each contract, US$bn, and what is billed so far this year, `kept` of what was before.

    amount = price / 12 x what is used, at least the floor's share of what is available unless the minimum is yearly;
    renewals at their mean price; what is let to others at the rent of old capacity; the share that is handed on to the
    lab of what power costs above the contract price ``(power contracts, worlds)``.
    """
    contracts, worlds = used.shape
    for contract in range(contracts):
        for world in range(worlds):
            minimum = (0.0 if yearly[contract] else floor[contract, world]) * available[contract, world]
            amount[contract, world] = price[contract, world] * max(used[contract, world], minimum) / 12.0
            billed[contract, world] = billed_before[contract, world] * kept + amount[contract, world]
            renewals[contract, world] = renewal_price[contract, world] * renewed[contract, world] / 12.0
            let[contract, world] = old_rent[0, world] * relet[contract, world] / 12.0
    for world in range(worlds):
        extra = 0.0
        for contract in range(overrun.shape[0]):
            extra += overrun[contract, world]
        handed_on[0, world] = max(extra * pass_through[0, world], 0.0)


@kernel(boolean, TABLE, ROWS, ROWS, ROWS, FLAGS, OUT)
def bill_heirs(amount, contract_of, seller, buyer, closed, out):
    """What buyers owe to the second owners of contracts whose seller has gone; tells whether that is so of any.

    `contract_of`: the contract behind each row of out; closed ``(parties, worlds)``.
    """
    some = False
    for row in range(out.shape[0]):
        contract = contract_of[row]
        for world in range(out.shape[1]):
            inherited = closed[seller[contract], world] and not closed[buyer[contract], world]
            out[row, world] = amount[contract, world] if inherited else 0.0
            some |= inherited
    return some


@kernel(void, TABLE, TABLE, TABLE, ROWS, OUT)
def add_sales(billed, renewed, let, seller, out):
    """Add up by seller what contracts, their renewals and re-letting bring; out ``(parties, worlds)``."""
    out[:] = 0.0
    for contract in range(billed.shape[0]):
        row = seller[contract]
        for world in range(billed.shape[1]):
            out[row, world] += billed[contract, world] + renewed[contract, world] + let[contract, world]


@kernel(
    types.UniTuple(boolean, 2), int64, int64, TABLE, TABLE, MONTHS, MONTHS, FLAGS, TABLE, MONTHS, MONTHS, MONTHS,
    TABLE, YES_NO, TABLE, OUT, OUT_MONTHS, OUT_MONTHS, OUT_MONTHS, OUT, OUT, OUT, OUT,
)  # fmt: skip
def place_orders(
    rung, month, added, turbine_wait, whole_wait, queue_wait, keeps_book, lost_at, lead, term, stopped, pue, on_orders,
    announced, amount, start, tenor, end, lost_below, own_power, turbines, left,
):  # fmt: skip
    """Turn a new commitment ``(1, worlds)`` into an order at a quarter's rung; tell if any is, and any with turbines.

    It starts at the lab's planning `lead`, or after the connection queue, or once turbines of its own are there, where
    a book of them is kept and their wait, also given in whole months, is shorter. Survival in the queue that loses the
    order: `lost_at` where it is the first of its rung, nothing where it has turbines, whose GW at the meter are given.
    Changes the rung in all arrays ``(rungs, worlds)``, from amount to own_power; left: what is still only announced.
    """
    some = some_turbines = False
    for world in range(added.shape[1]):
        gw, before = added[0, world], amount[rung, world]
        turbines[0, world] = 0.0
        if gw > 0.0:
            some = True
            own = turbine_wait[0, world] < queue_wait[0, world] and keeps_book[0, world]
            first = month + max(lead[0, world], whole_wait[0, world] if own else queue_wait[0, world])
            amount[rung, world], start[rung, world], tenor[rung, world] = before + gw, first, term[0, world]
            end[rung, world] = min(first + term[0, world], stopped[rung, world])
            if before <= 0.0:
                lost_below[rung, world] = lost_at[0, world]
            if own:
                some_turbines, lost_below[rung, world] = True, 0.0
                turbines[0, world] = gw * pue[0, world]
                own_power[rung, world] += turbines[0, world]
    for contract in range(left.shape[0]):
        taken = 1.0 if on_orders[contract] else 0.0
        for world in range(added.shape[1]):
            left[contract, world] = max(announced[contract, world] - taken * added[0, world], 0.0)
    return some, some_turbines


@kernel(void, int64, MONTHS, TABLE, YES_NO, YES_NO, YES_NO, PER_WORLD, PER_WORLD, FLAGS, TABLE, TABLE, TABLE,
        TABLE, TABLE, OUT)  # fmt: skip
def minimum_payments(
    month, horizon, path_until, on_path, on_halls, on_orders, halls, orders, ended, firm, renewal_months,
    renewal_price, price, floor, out,
):  # fmt: skip
    """What each contract of the lab asks for in the next `horizon` months ``(1, worlds)``, used or not, US$bn.

    (GW-months x price + renewals that run x their price) x floor / 12. path_until ``(contracts, months + 1)``: what its
    path adds up to before each month; halls, orders: GW-months of these; renewal_months: for how many of the months a
    renewal still runs, as a mean.
    """
    contracts, worlds = out.shape
    for contract in range(contracts):
        for world in range(worlds):
            gw_months, renewals = 0.0, 0.0
            if not ended[contract, world]:
                if on_path[contract]:
                    last = min(month + 1 + horizon[0, world], path_until.shape[1] - 1)
                    gw_months = path_until[contract, last] - path_until[contract, month + 1]
                if on_halls[contract]:
                    gw_months += halls[world]
                if on_orders[contract]:
                    gw_months += orders[world]
                running = firm[contract, world] * renewal_months[0, world]
                renewals = running * renewal_price[contract, world]
            whole = gw_months * price[contract, world] + renewals
            out[contract, world] = whole * floor[contract, world] / 12.0


@kernel(void, TABLE, NUMBERS, OUT)
def add_last(block, last, out):
    """Copy a block and add a row for each number of `last`, the same in every world."""
    rows = block.shape[0]
    for row in range(rows):
        for world in range(out.shape[1]):
            out[row, world] = block[row, world]
    for row in range(last.shape[0]):
        for world in range(out.shape[1]):
            out[rows + row, world] = last[row]


@kernel(boolean, FLAGS, ROWS, FLAGS, OUT_FLAGS, OUT_FLAGS)
def end_contracts(closed, buyer, ended_before, gone, ended):
    """End the contracts whose buyer is `closed` ``(parties, worlds)``; tells whether there is one that had not ended.

    gone: which end now; ended: now or before.
    """
    some = False
    for contract in range(ended.shape[0]):
        leaves = closed[buyer[contract]]
        for world in range(ended.shape[1]):
            before = ended_before[contract, world]
            gone[contract, world] = leaves[world] & (not before)
            ended[contract, world] = leaves[world] | before
            some |= leaves[world] & (not before)
    return some


@kernel(void, int64, TABLE, YES_NO, YES_NO, PER_WORLD, PER_WORLD, TABLE, OUT)
def worth_of_capacity(first, path, on_halls, on_orders, halls, orders, worth, out):
    """Present value of the GW-months that each contract promises in its first term from the month `first` on.

    halls, orders: those of the halls and the orders; other contracts have a path ``(contracts, months)``. `worth`
    ``(months + 1, worlds)``: of 1 a month over the first so many months.
    """
    last = min(worth.shape[0] - 1, path.shape[1] - first)
    for contract in range(out.shape[0]):
        for world in range(out.shape[1]):
            gw_months = 0.0
            if on_halls[contract]:
                gw_months = halls[world]
            elif on_orders[contract]:
                gw_months = orders[world]
            else:
                for month in range(last):
                    of_month = worth[month + 1, world] - worth[month, world]
                    gw_months += path[contract, first + month] * of_month
            out[contract, world] = gw_months


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, OUT, OUT
)  # fmt: skip
def worth_of_floors(
    gw_months, firm, renewal_months, on_new_chips, dues, price, renewal_price, floor, old_rent, ended,
    minimum, damages,
):  # fmt: skip
    """Present value of what each contract asks for, used or not, and of what its seller loses without it, US$bn.

    minimum = (GW-months x price + renewals x their price + dues of new terms) x floor / 12
    damages = (GW-months x (price x floor - rent)+ + renewals x (their price x floor - rent)+
               + (dues of new terms x floor - GW-months of these x rent)+) / 12

    gw_months, on_new_chips, dues: present values of those to come, in the first term and under new terms; renewals that
    run: `firm` GW x renewal_months ``(1, worlds)``, their present value; rent: what capacity past its term is let for
    today. Nothing once a contract has `ended`.
    """
    contracts, worlds = minimum.shape
    for contract in range(contracts):
        for world in range(worlds):
            live = 0.0 if ended[contract, world] else 1.0
            share, rent, owed = floor[contract, world], old_rent[0, world], dues[contract, world]
            months, again = gw_months[contract, world], on_new_chips[contract, world]
            renewed = firm[contract, world] * renewal_months[0, world]
            first, later = price[contract, world] * share, renewal_price[contract, world] * share
            asked = months * first + renewed * later + owed * share
            lost = months * max(first - rent, 0.0) + renewed * max(later - rent, 0.0)
            lost += max(owed * share - again * rent, 0.0)
            minimum[contract, world] = asked / 12.0 * live
            damages[contract, world] = lost / 12.0 * live


@kernel(void, FLAGS, FLAGS, TABLE, OUT)
def claim_damages(gone, seller_alive, damages, claim):
    """What sellers claim for contracts that are `gone`: their `damages`; only a seller that is alive claims."""
    for contract in range(claim.shape[0]):
        for world in range(claim.shape[1]):
            claims = gone[contract, world] and seller_alive[contract, world]
            claim[contract, world] = damages[contract, world] if claims else 0.0


@kernel(
    boolean, FLAGS, FLAGS, ROWS, ROWS, ROWS, int64, PER_WORLD, PER_WORLD, ROWS, TABLE, TABLE, OUT, OUT
)  # fmt: skip
def claim_rents(
    gone, closed, tenant, landlord, memo_tenant, month, memo_rent, memo_years, end, cap_share, rent_due, claims,
    memo_claims,
):  # fmt: skip
    """What landlords claim of tenants that are `gone` this month ``(parties, worlds)``; tells whether there is any.

    A year's rent x the years that are left, at most a share of them, of which one to three years count. A landlord that
    is `closed` claims nothing. Of other landlords only a yearly `memo_rent` and the years of the lease are known.
    """
    some = False
    for lease in range(claims.shape[0]):
        leaves, shut, left = gone[tenant[lease]], closed[landlord[lease]], max(end[lease] - month, 0)
        for world in range(claims.shape[1]):
            cap = min(max(cap_share[0, world] * left / 12.0, 1.0), 3.0)
            claim = rent_due[lease, world] * 12.0 * min(cap, left / 12.0)
            claims[lease, world] = claim if leaves[world] and not shut[world] else 0.0
            some |= leaves[world]
    for memo in range(memo_claims.shape[0]):
        leaves = gone[memo_tenant[memo]]
        for world in range(memo_claims.shape[1]):
            cap = min(max(cap_share[0, world] * memo_years[memo], 1.0), 3.0)
            memo_claims[memo, world] = memo_rent[memo] * cap if leaves[world] else 0.0
            some |= leaves[world]
    return some


@kernel(void, TABLE, YES_NO, int64, MONTHS, TABLE, MONTHS, MONTHS, TABLE, MONTHS, MONTHS, OUT)
def add_ahead(
    path, on_path, month, lead, halls, halls_start, halls_end, orders, orders_start, orders_end, out
):
    """Add up the lab's GW that are live `lead` months after `month`: paths of its contracts, halls and orders."""
    worlds = out.shape[1]
    under_contract, energised, built = np.zeros((3, worlds))
    then = np.empty(worlds, dtype=np.int64)
    for world in range(worlds):
        then[world] = month + lead[0, world]
    for contract in range(path.shape[0]):
        if on_path[contract]:
            for world in range(worlds):
                under_contract[world] += path[contract, then[world]]
    for rung in range(halls.shape[0]):
        gw, first, last = halls[rung], halls_start[rung], halls_end[rung]
        for world in range(worlds):
            live = (first[world] <= then[world]) & (then[world] < last[world])
            energised[world] += gw[world] if live else 0.0
    for rung in range(orders.shape[0]):
        gw, first, last = orders[rung], orders_start[rung], orders_end[rung]
        for world in range(worlds):
            live = (first[world] <= then[world]) & (then[world] < last[world])
            built[world] += gw[world] if live else 0.0
    for world in range(worlds):
        out[0, world] = under_contract[world] + energised[world] + built[world]


@kernel(
    boolean, int64, TABLE, TABLE, PER_WORLD, PER_WORLD, TABLE, ROWS, ROWS, ROWS, ROWS, FLAGS, MONTHS, TABLE, MONTHS,
    OUT, OUT_MONTHS, OUT, OUT,
)  # fmt: skip
def rents_due(
    month, energised, rise, full_gw, full_rent, level, start, tenor, tenant, landlord, closed, empty_before,
    relet_share, relet_delay, due, empty, to_heirs, let,
):  # fmt: skip
    """A month's rent of each lease: full rent x energised share x rise; whom it is due to, and what others pay.

    to_heirs: where the landlord has gone and the tenant has not; let: what a new tenant pays once the site has been
    `empty` for longer than the delay. Tells whether any is due to heirs.
    """
    leases, worlds = due.shape
    some = False
    for lease in range(leases):
        running = start[lease] <= month and month < start[lease] + tenor[lease]
        for world in range(worlds):
            share = energised[lease, world] / full_gw[lease]
            rent = full_rent[lease] * level[0, world] * share * rise[lease, world] if running else 0.0
            due[lease, world] = rent / 12.0
            gone = closed[tenant[lease], world]
            empty[lease, world] = empty_before[lease, world] + 1 if gone else 0
            inherited = closed[landlord[lease], world] and not gone
            to_heirs[lease, world] = due[lease, world] if inherited else 0.0
            some |= inherited
            is_let = empty[lease, world] > relet_delay[0, world]
            let[lease, world] = due[lease, world] * relet_share[0, world] if is_let else 0.0
    return some


@kernel(
    void, float64, TABLE, TABLE, TABLE, ROWS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE,
    TABLE, OUT, OUT,
)  # fmt: skip
def bill_power(
    mwh_of_gw_year, energised, curtailed, own, site, pue, strike, level, hedged, hedge, over_reference, own_price,
    minimum_take, gw, demand_charge, cost, extra,
):  # fmt: skip
    """A month's power bill of each contract, and what of it the contract price would not have cost, US$bn.

    energy x price + demand charge x max(load, minimum take x contract); price: hedged part at the strike, the rest at
    what the region's price is over reference, and the share that its site's `own` turbines carry at their price.
    mwh_of_gw_year: MWh that a GW takes in a year.
    """
    contracts, worlds = cost.shape
    for contract in range(contracts):
        at = site[contract]
        for world in range(worlds):
            it_load = energised[at, world] * (1.0 - curtailed[at, world])
            load = it_load * pue[0, world]
            agreed = strike[contract, 0] * level[0, world]
            part = min(hedged[contract, 0] * hedge[0, world], 1.0)
            price = agreed * (part + (1.0 - part) * over_reference[contract, world])
            price = price * (1.0 - own[at, world]) + own_price[0, world] * own[at, world]
            energy = load * mwh_of_gw_year / 1e9 / 12.0
            least = minimum_take[contract, 0] * gw[contract, 0] * (1.0 if it_load > 0.0 else 0.0)
            demand = demand_charge[contract, 0] * max(load, least) / 12.0
            cost[contract, world] = energy * price + demand
            extra[contract, world] = energy * max(price - agreed, 0.0)


@kernel(void, YES_NO, TABLE, TABLE, FLAGS, FLAGS, OUT)
def add_up_compute(of_lab, available, peak, seller_alive, renews, gw):
    """GW available under the lab's contracts, and where it `renews` what their living sellers have beyond it."""
    contracts, worlds = available.shape
    for world in range(worlds):
        under_contract, renewable = 0.0, 0.0
        for contract in range(contracts):
            if of_lab[contract]:
                have = available[contract, world]
                under_contract += have
                if seller_alive[contract, world]:
                    renewable += max(peak[contract, world] - have, 0.0)
        gw[0, world] = under_contract + (renewable if renews[0, world] else 0.0)
