"""The arithmetic of the power stacks, compiled; what it means is told in `model/stack.py` and `model/power.py`.

As in `model/kernels.py`: loops over units, blocks and regions, worlds last, in the order in which they are
written, and nothing but + - * / and comparisons, so that a world has the same bits alone and in any batch.
"""

from numba import float64, types, void

from model.kernels import kernel

STACK = types.Array(float64, 4, "C", readonly=True)
UNITS = types.Array(float64, 3, "C", readonly=True)
TABLE = types.Array(float64, 2, "C", readonly=True)
ROW = types.Array(float64, 1, "C", readonly=True)
OUT_STACK, OUT_UNITS, OUT_TABLE = float64[:, :, :, ::1], float64[:, :, ::1], float64[:, ::1]


@kernel(void, STACK, UNITS, UNITS, TABLE, TABLE, TABLE, OUT_STACK)
def cumulate_supply(shares, new, derated, kept, added, lost, out):
    """Cumulated supply ``(units, blocks, regions, worlds)``, GW: shares of what is kept, plus what was added.

    In the first block, the peak, heat takes `lost` GW from the units it derates.
    """
    units, blocks, regions, worlds = out.shape
    for unit in range(units):
        for block in range(blocks):
            for region in range(regions):
                for world in range(worlds):
                    supply = shares[unit, block, region, world] * kept[region, world]
                    out[unit, block, region, world] = supply + new[unit, region, world] * added[region, world]
        for region in range(regions):
            for world in range(worlds):
                out[unit, 0, region, world] -= derated[unit, region, world] * lost[region, world]


@kernel(void, UNITS, TABLE, TABLE, ROW, OUT_TABLE)
def lowest_supporting_price(supply, cost, load, cap, out):
    """The lowest cost at which supply ``(units, blocks, n)`` covers the load ``(blocks, n)``; the cap in a shortage.

    cost ``(units, n)`` from the cheapest on, the same in all blocks: a unit sets the price where what is cheaper
    does not suffice.
    """
    units, blocks, size = supply.shape
    for block in range(blocks):
        for at in range(size):
            out[block, at] = cost[0, at]
        for unit in range(1, units):
            for at in range(size):
                if supply[unit - 1, block, at] < load[block, at]:
                    out[block, at] = max(out[block, at], cost[unit, at])
        for at in range(size):
            if supply[units - 1, block, at] < load[block, at]:
                out[block, at] = cap[at]


@kernel(void, UNITS, UNITS, UNITS, UNITS, TABLE, TABLE, UNITS, OUT_UNITS, OUT_TABLE, OUT_TABLE, OUT_TABLE)
def cut_by_block(price, off, firm, top, stays, load, weight, cut, paid, curtailed, shed):
    """What is cut in each block, and means over the month's blocks, weighted by their hours.

    Where firm load is above the whole stack (`top`), first the data centres that would stay are cut, then other
    users, who are `shed`. paid: mean price of the hours in which data centres run.
    """
    blocks, regions, worlds = price.shape
    for region in range(regions):
        for world in range(worlds):
            paid[region, world], curtailed[region, world] = 0.0, 0.0
            running, most = 0.0, 0.0
            for block in range(blocks):
                short = max(firm[block, region, world] - top[block, region, world], 0.0)
                forced = min(short, stays[region, world])
                share = (off[block, region, world] + forced) / max(load[region, world], 1e-6)
                hours, money = weight[block, 0, world], price[block, region, world]
                cut[block, region, world] = share
                paid[region, world] += hours * ((1.0 - share) * money)
                running += hours * (1.0 - share)
                curtailed[region, world] += hours * share
                most = max(most, short - forced)
            paid[region, world] /= max(running, 1e-9)
            shed[region, world] = most
