"""The arithmetic of arrears and of what is owed, compiled; what it means is told in `model/solvency.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Parties and loans are rows, worlds last; US$bn and months.
"""

from numba import boolean, float64, int64, types, void

from agents.kernels import kernel

TABLE = types.Array(float64, 2, "C", readonly=True)
FLAGS = types.Array(boolean, 2, "C", readonly=True)
MONTHS = types.Array(int64, 2, "C", readonly=True)
ROWS = types.Array(int64, 1, "C", readonly=True)
YES_NO = types.Array(boolean, 1, "C", readonly=True)
OUT, OUT_MONTHS, OUT_FLAGS = float64[:, ::1], int64[:, ::1], boolean[:, ::1]


@kernel(void, ROWS, ROWS, YES_NO, TABLE, OUT, OUT, OUT)
def owed_and_lent(debtor, lender, linked, balance, debt, lent, lent_linked):
    """Add the loans up by party: what each owes, what each has lent, and what of that is `linked` to the lab."""
    debt[:], lent[:], lent_linked[:] = 0.0, 0.0, 0.0
    for loan in range(balance.shape[0]):
        owes, owns = debtor[loan], lender[loan]
        for world in range(balance.shape[1]):
            debt[owes, world] += balance[loan, world]
            lent[owns, world] += balance[loan, world]
            if linked[loan]:
                lent_linked[owns, world] += balance[loan, world]


@kernel(boolean, int64, TABLE, TABLE, YES_NO, FLAGS, MONTHS, MONTHS, int64, OUT_MONTHS, OUT_MONTHS, OUT_FLAGS)
def count_missed(
    month, shortfall, due, may_fail, closed, missed_before, missed_month_before, never,
    missed, missed_month, started,
):  # fmt: skip
    """Count the months in which bills stay unpaid, and note the first month in which one is 60 days overdue.

    A gap below 1e-9 of what is due, or of US$1bn, counts as rounding. started: whose first month it is; tells whether
    there is one.
    """
    some = False
    for party in range(missed.shape[0]):
        for world in range(missed.shape[1]):
            short = shortfall[party, world] > 1e-9 * max(1.0, due[party, world])
            short = short and may_fail[party] and not closed[party, world]
            count = missed_before[party, world] + 1 if short else 0
            first = missed_month_before[party, world]
            missed[party, world] = count
            missed_month[party, world] = month if count == 2 and first == never else first
            started[party, world] = count == 1
            some |= count == 1
    return some
