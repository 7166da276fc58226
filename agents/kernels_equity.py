"""The arithmetic of equity investors, compiled; told in words in `agents/sectors.py`.

As in `agents/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch; logarithms and exponentials are taken between the kernels.
Investors are rows, worlds last; US$bn.
"""

from numba import float64, int64, types, void

from agents.kernels import FLAGS, MONTHS, OUT, OUT_FLAGS, TABLE, kernel

BY_MONTH = types.Array(float64, 3, "C", readonly=True)
OUT_BY_MONTH = float64[:, :, ::1]


@kernel(void, TABLE, TABLE, TABLE, FLAGS, TABLE, OUT_FLAGS)
def move_window(draw, staying, reopening, was_open, forced, is_open):
    """Shut an open window where draw < 1 - `staying`, open a shut one where draw < `reopening`.

    forced: 0 shut, above 0 open, below 0 as drawn.
    """
    for row in range(is_open.shape[0]):
        for world in range(is_open.shape[1]):
            luck = draw[0, world]
            opens = luck < reopening[row, world]
            if was_open[row, world]:
                opens = not luck < 1.0 - staying[row, world]
            ordered = forced[0, world] >= 0.0
            is_open[row, world] = forced[0, world] > 0.0 if ordered else opens


@kernel(void, TABLE, TABLE, OUT)
def compare_revenue(revenue, year_ago, ratio):
    """Ratio of revenue to that of a year ago, both at least US$0.1bn a year."""
    for row in range(ratio.shape[0]):
        for world in range(ratio.shape[1]):
            ratio[row, world] = max(revenue[row, world], 0.1) / max(year_ago[row, world], 0.1)


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, OUT)
def value_by_growth(log_ratio, multiple_floor, multiple_growth, revenue, alive, valuation):
    """Valuation = (floor + slope x growth) x revenue, with growth in logarithms between 0 and 1."""
    for row in range(valuation.shape[0]):
        for world in range(valuation.shape[1]):
            growth = min(max(log_ratio[0, world], 0.0), 1.0)
            multiple = multiple_floor[row, world] + multiple_growth[row, world] * growth
            valuation[row, world] = multiple * revenue[0, world] * alive[0, world]


@kernel(
    void, int64, MONTHS, TABLE, TABLE, TABLE, TABLE, FLAGS, FLAGS, TABLE, BY_MONTH, OUT_BY_MONTH, OUT
)  # fmt: skip
def sign_equity(
    month, payment_lag, raised_before, yearly_cap, valuation_share, valuation, is_open, enabled, asked, signed_before,
    signed, raised,
):  # fmt: skip
    """Sign what is asked, at most min(cap, share x valuation) - what was `raised` since January; note when it is paid.

    signed ``(months of the year, investors, worlds)`` by the month of payment, `payment_lag` from now.
    """
    slots, investors, worlds = signed.shape
    for row in range(investors):
        for world in range(worlds):
            before = raised_before[row, world] if month % slots > 0 else 0.0
            most = min(yearly_cap[row, world], valuation_share[row, world] * valuation[row, world])
            room = max(most - before, 0.0) if is_open[row, world] else 0.0
            new = min(asked[0, world], room) if enabled[row, world] else 0.0
            due = (month + payment_lag[row, world]) % slots
            raised[row, world] = before + new
            for slot in range(slots):
                had = signed_before[slot, row, world]
                signed[slot, row, world] = had + new if slot == due else had


@kernel(void, int64, FLAGS, TABLE, TABLE, BY_MONTH, OUT_BY_MONTH, OUT, OUT)
def pay_signed(month, enabled, committed, alive, signed_before, signed, paid, left):
    """Pay what was signed for this month, or what is `committed` where the window is off; `left`: signed and unpaid."""
    slots, investors, worlds = signed.shape
    now = month % slots
    left[:] = 0.0
    for row in range(investors):
        for world in range(worlds):
            due = signed_before[now, row, world] if enabled[row, world] else committed[row, world]
            paid[row, world] = due * alive[0, world]
    for slot in range(slots):
        for row in range(investors):
            for world in range(worlds):
                signed[slot, row, world] = 0.0 if slot == now else signed_before[slot, row, world]
                left[row, world] += signed[slot, row, world]
