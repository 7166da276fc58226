"""Chips that age, compiled; what it means is told in `model/hardware.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Vintages are ``(vintages, owners, worlds)``; US$bn and GW.
"""

import numpy as np
from numba import boolean, float64, int64, types, void

from agents.kernels import FLAGS, MONTHS, OUT, ROWS, TABLE, YES_NO, kernel, part_of_kernel

VINTAGES = types.Array(float64, 3, "C", readonly=True)
OUT_VINTAGES = float64[:, :, ::1]
SMALLEST_ORDER = 0.01
"""GW: nobody replaces the chips of less than 10 MW at a time."""


@part_of_kernel(float64, float64, float64, float64)
def month_of_wear(cost, book, life):
    """Give what the books write off in a month: the cost evenly over `life` months, while there is book value."""
    return min(cost / life, book)


@part_of_kernel(float64, float64, float64)
def impairment(book, value):
    """Give what must be written off at once: book value over economic value, never negative."""
    return max(book - value, 0.0)


@kernel(
    void, int64, TABLE, int64, ROWS, YES_NO, TABLE, TABLE, TABLE, ROWS, FLAGS, FLAGS, MONTHS,
    OUT_VINTAGES, OUT_VINTAGES, OUT_VINTAGES, OUT, OUT,
)  # fmt: skip
def buy_and_wear(
    year, flow, first, owner_of_order, turnkey, build_cost, chip_price, level, owner, closed, enabled, life,
    cost, book, gw, chip_book, worn,
):  # fmt: skip
    """Take in what was paid for the month's orders, on the legs of `flow` from `first` on; write off all vintages.

    An owner that is `turnkey` pays `build_cost` for a GW, another the chips alone, both at the `level` of prices. The
    books of an owner that has gone, or without chips of its own, are empty. worn: written off of each owner's chips.
    Changes cost, book and gw of the vintages up to the `year`, and the sum of their books.
    """
    owners, worlds = worn.shape
    bought = np.zeros((owners, worlds))
    for order in range(owner_of_order.shape[0]):
        for world in range(worlds):
            bought[owner_of_order[order], world] += flow[first + order, world]
    for row in range(owners):
        for world in range(worlds):
            price = build_cost[0, world] if turnkey[row] else chip_price[0, world]
            cost[year, row, world] += bought[row, world]
            book[year, row, world] += bought[row, world]
            gw[year, row, world] += bought[row, world] / (price * level[0, world])
            chip_book[row, world], worn[row, world] = 0.0, 0.0
    kept = np.empty(worlds)
    for row in range(owners):
        gone, wears, left = closed[owner[row]], worn[row], chip_book[row]
        for world in range(worlds):
            kept[world] = 1.0 if enabled[0, world] and not gone[world] else 0.0
        for vintage in range(year + 1):
            paid, worth = cost[vintage, row], book[vintage, row]
            for world in range(worlds):
                before = worth[world] * kept[world]
                wear = month_of_wear(paid[world], before, life[0, world])
                worth[world] = before - wear
                wears[world] += wear
                left[world] += before - wear


@kernel(
    void, int64, TABLE, int64, ROWS, TABLE, TABLE, TABLE, ROWS, FLAGS, OUT_VINTAGES, OUT_VINTAGES, OUT_VINTAGES, OUT
)  # fmt: skip
def swap_chips(year, flow, first, of, arrived, chip_price, level, owner, closed, cost, book, gw, scrapped):
    """Take in chips bought for halls that stand, on the legs of `flow` from `first` on; let those they replace go.

    arrived: GW of each contract that got its new chips this month, `of` an owner: as many of its oldest go, and what
    the books had left of them is scrapped. Changes cost, book and gw of the vintages up to the `year`, and scrapped.
    """
    owners, worlds = scrapped.shape
    leaving = np.zeros((owners, worlds))
    for contract in range(of.shape[0]):
        for world in range(worlds):
            leaving[of[contract], world] += arrived[contract, world]
    for row in range(owners):
        for world in range(worlds):
            scrapped[row, world] = 0.0
            for vintage in range(year + 1):
                part = min(leaving[row, world] / max(gw[vintage, row, world], 1e-12), 1.0)
                leaving[row, world] -= part * gw[vintage, row, world]
                lost = part * book[vintage, row, world]
                scrapped[row, world] += 0.0 if closed[owner[row], world] else lost
                cost[vintage, row, world] -= part * cost[vintage, row, world]
                book[vintage, row, world] -= lost
                gw[vintage, row, world] -= part * gw[vintage, row, world]
            paid = flow[first + row, world]
            cost[year, row, world] += paid
            book[year, row, world] += paid
            gw[year, row, world] += paid / (chip_price[0, world] * level[0, world])


@kernel(boolean, ROWS, VINTAGES, VINTAGES, TABLE, TABLE, TABLE, OUT)
def replace_where_it_pays(of, gain, gw, renewing, awaiting, affordable, ordered):
    """GW of each contract whose chips are replaced: the oldest of their owner first, where a GW gains by it.

    gain ``(contracts, vintages, worlds)`` US$bn per GW; `of` the owner of each contract's chips; not what waits for its
    new chips already, nor more than is renewing, or affordable to the owner; no order is below the smallest. Changes
    ordered; tells whether any is.
    """
    contracts, worlds = ordered.shape
    some = False
    for contract in range(contracts):
        row = of[contract]
        for world in range(worlds):
            waits, spent = 0.0, 0.0
            for other in range(contracts):
                if of[other] == row:
                    waits += awaiting[other, world]
                    spent += ordered[other, world] if other < contract else 0.0
            waits += spent
            left = min(renewing[contract, world], max(affordable[row, world] - spent, 0.0))
            taken = 0.0
            for vintage in range(gw.shape[0]):
                has = gw[vintage, row, world]
                free = max(has - waits, 0.0)
                waits = max(waits - has, 0.0)
                if gain[contract, vintage, world] > 0.0:
                    taken += min(free, left - taken)
            ordered[contract, world] = taken if taken >= SMALLEST_ORDER else 0.0
            some |= ordered[contract, world] > 0.0
    return some


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, ROWS, TABLE, TABLE, ROWS, FLAGS, FLAGS, VINTAGES,
    OUT_VINTAGES, OUT, OUT, OUT, OUT,
)  # fmt: skip
def value_vintages(
    per_gw, dark_rents, promised, price, seller, available, peak, owner, closed, enabled, gw,
    book, chip_book, dark, in_use, write_down,
):  # fmt: skip
    """Value vintages dark and with what tenants have promised on top; write down to this what the books say above it.

    per_gw, dark_rents and promised ``(vintages, worlds)``: the value of a GW without a tenant, the rent that it earns
    until its promise ends, and US$1 a month until then. A promise: the mean price of what the owner has let, for the
    share that is let of what it has built; price, available and peak are those of the contracts of each `seller`.
    Changes book, and all from chip_book on ``(owners, worlds)``.
    """
    vintages, owners, worlds = book.shape
    for row in range(owners):
        who = owner[row]
        for world in range(worlds):
            let, value, built = 0.0, 0.0, 0.0
            for contract in range(seller.shape[0]):
                if seller[contract] == who:
                    let += available[contract, world]
                    value += available[contract, world] * price[contract, world]
                    built += peak[contract, world]
            monthly = value / max(let, 1e-9) / 12.0
            cover = min(max(let / max(built, 1e-9), 0.0), 1.0)
            kept = 1.0 if enabled[0, world] and not closed[who, world] else 0.0
            whole, without, within, lower = 0.0, 0.0, 0.0, 0.0
            for vintage in range(vintages):
                owned = gw[vintage, row, world] * kept
                premium = cover * max(monthly * promised[vintage, world] - dark_rents[vintage, world], 0.0)
                tenanted = owned * (per_gw[vintage, world] + premium)
                excess = impairment(book[vintage, row, world], tenanted)
                book[vintage, row, world] -= excess
                whole += book[vintage, row, world]
                without += owned * per_gw[vintage, world]
                within += tenanted
                lower += excess
            chip_book[row, world], dark[row, world], in_use[row, world] = whole, without, within
            write_down[row, world] = lower


@kernel(void, TABLE, TABLE, ROWS, TABLE, TABLE, TABLE, OUT)
def wear_of_assets(real_assets, depreciation, owner, worn, write_down, chip_book, change):
    """A month's change of the real assets of all parties: chips what is worn and written down, the rest at its rate.

    depreciation: per year, of what is not chips; worn, write_down and chip_book are of each `owner` of chips.
    """
    parties, worlds = change.shape
    for party in range(parties):
        for world in range(worlds):
            rate = depreciation[party, world] / 12.0
            change[party, world] = -max(real_assets[party, world], 0.0) * rate
    for row in range(owner.shape[0]):
        who = owner[row]
        for world in range(worlds):
            rate, gone = depreciation[who, world] / 12.0, worn[row, world] + write_down[row, world]
            other = max(real_assets[who, world] - gone - chip_book[row, world], 0.0)
            change[who, world] = -other * rate - gone


@kernel(void, TABLE, ROWS, TABLE, TABLE, OUT)
def value_over_book(real_assets, owner, chip_book, value_dark, share):
    """Value over book value of all real assets of each party, from 0 to 1; chips of each `owner` without a tenant."""
    share[:] = 1.0
    for row in range(owner.shape[0]):
        who = owner[row]
        for world in range(share.shape[1]):
            lacking = max(chip_book[row, world] - value_dark[row, world], 0.0)
            share[who, world] = min(max(1.0 - lacking / max(real_assets[who, world], 1e-9), 0.0), 1.0)
