"""The arithmetic of the lab's rounds, compiled; what it means is told in `model/capital.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Investors are rows, worlds last; US$bn.
"""

from numba import boolean, float64, int64, types, void

from agents.kernels import kernel

TABLE = types.Array(float64, 2, "C", readonly=True)
FLAGS = types.Array(boolean, 2, "C", readonly=True)
MONTHS = types.Array(int64, 2, "C", readonly=True)
OUT = float64[:, ::1]


@kernel(void, TABLE, TABLE, MONTHS, TABLE, FLAGS, TABLE, TABLE, OUT)
def split_round(
    loan_to_value, ceiling, months_missed, round_share, sells_holdings, vendor_share, amount, wanted
):  # fmt: skip
    """Split a round: shares of the partner that holds stakes, while it is below its ceiling, and of the chip vendor.

    wanted ``(3, worlds)``: of the partner, the vendor, and the market, which takes the rest.
    """
    partners, worlds = loan_to_value.shape
    wanted[:] = 0.0
    for partner in range(partners):
        for world in range(worlds):
            able = (
                loan_to_value[partner, world] < ceiling[partner, world] and months_missed[partner, world] <= 0
            )
            if able and sells_holdings[partner, world]:
                wanted[0, world] += round_share[partner, world]
    for world in range(worlds):
        share, vendor, size = wanted[0, world], vendor_share[0, world], amount[0, world]
        wanted[0, world], wanted[1, world] = share * size, vendor * size
        wanted[2, world] = max(1.0 - share - vendor, 0.0) * size


@kernel(void, TABLE, TABLE, OUT)
def leave_to_the_market(wanted, paid, gap):
    """What investors did not pay is asked of the last of them, the market."""
    investors, worlds = gap.shape
    gap[:] = 0.0
    for investor in range(investors):
        for world in range(worlds):
            gap[investors - 1, world] += wanted[investor, world] - paid[investor, world]
    for world in range(worlds):
        gap[investors - 1, world] = max(gap[investors - 1, world], 0.0)


@kernel(void, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def hand_out_shares(paid, paid_more, valuation, owned_before, round_paid, owned):
    """Owned' = owned (1 - all that is new) + new, with new = paid / valuation, at most a fifth for each investor.

    The investors of a round are the last rows of `owned`; round_paid: what each row paid.
    """
    holders, worlds = owned.shape
    first = holders - paid.shape[0]
    for world in range(worlds):
        worth, issued = max(valuation[0, world], 1.0), 0.0
        for holder in range(holders):
            spent = 0.0
            if holder >= first:
                spent = paid[holder - first, world] + paid_more[holder - first, world]
            round_paid[holder, world] = spent
            owned[holder, world] = min(spent / worth, 0.2)
            issued += owned[holder, world]
        for holder in range(holders):
            new = owned[holder, world]
            owned[holder, world] = owned_before[holder, world] * (1.0 - issued) + new
