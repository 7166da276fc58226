"""Waterfalls, compiled: a case for each borrower or fund in each world; told in words in `model/waterfall.py`.

As in `model/kernels.py`: nothing but + - * / and comparisons, case by case, so that a world has the same bits
alone and in any batch. Money is US$bn; the rows of `given` and `out` are the quantities, in the order in
which a kernel names them; its columns are the cases, of `run_down` in rows of their own.
"""

import numpy as np
from numba import boolean, float64, int64, types, void

from agents.kernels import FLAGS, LAYERS, MONTHS, OUT, OUT_OVER, TABLE, kernel, part_of_kernel

OUT_FLAGS_OVER = boolean[:, :, ::1]


@part_of_kernel(types.UniTuple(float64, 9), *[float64] * 9)
def tiers_of(
    unreturned, unpaid_preferred, preferred_paid, catch_up_paid, contributed, distributed, growth, carry, catch_up
):  # fmt: skip
    """What one distribution does, in the order of `model.waterfall.Tiers`; `growth` of the preferred return a month."""
    due = unpaid_preferred + growth * (unreturned + unpaid_preferred)
    capital = unreturned + contributed
    returned = min(distributed, capital)
    rest = distributed - returned
    preferred = min(rest, due)
    rest = rest - preferred
    gap = catch_up - carry
    tier = 0.0
    if gap > 0.0:
        owed = carry * (preferred_paid + preferred + catch_up_paid) - catch_up * catch_up_paid
        tier = min(rest, max(owed / gap, 0.0))
    rest = rest - tier
    manager_split, investor_split = carry * rest, (1.0 - carry) * rest
    manager = catch_up * tier + manager_split
    investors, capital_left, preferred_left = distributed - manager, capital - returned, due - preferred
    return (
        returned, preferred, tier, investors, manager, capital_left, preferred_left, investor_split, manager_split
    )  # fmt: skip


@kernel(void, TABLE, OUT)
def hand_down(given, out):
    """Hand what a fund distributes down its four tiers: capital, preferred return, catch-up, split."""
    for at in range(given.shape[1]):
        tiers = tiers_of(
            given[0, at], given[1, at], given[2, at], given[3, at], given[4, at], given[5, at], given[6, at],
            given[7, at], given[8, at],
        )  # fmt: skip
        for tier in range(9):
            out[tier, at] = tiers[tier]


@kernel(
    void, boolean, int64, TABLE, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT, OUT, OUT, OUT
)  # fmt: skip
def distribute_excess(
    quarter_ends, first, cash, outgoing, closed, site_equity_due, contributed, growth, carry, catch_up, unreturned,
    unpaid_preferred, preferred_paid, catch_up_paid, manager_share, to_investors,
):  # fmt: skip
    """Hand what funds have beyond their bills, the equity due to sites and 0.25 for costs down the four tiers.

    Only where the quarter ends; nothing of a fund that is gone. `contributed` was called this month; `first` is the
    funds' first row in cash, bills and who is closed, which are of all parties. Changes the last six.
    """
    for fund in range(to_investors.shape[0]):
        party = first + fund
        for world in range(to_investors.shape[1]):
            keep = site_equity_due[fund, world] + 0.25
            free = max(cash[party, world] - keep - outgoing[party, world], 0.0)
            distributes = quarter_ends and not closed[party, world]
            _, preferred, tier, investors, manager, capital_left, preferred_left, _, _ = tiers_of(
                unreturned[fund, world],
                unpaid_preferred[fund, world],
                preferred_paid[fund, world],
                catch_up_paid[fund, world],
                contributed[fund, world],
                free if distributes else 0.0,
                growth[fund, world],
                carry[fund, world],
                catch_up[fund, world],
            )
            unreturned[fund, world], unpaid_preferred[fund, world] = capital_left, preferred_left
            preferred_paid[fund, world] += preferred
            catch_up_paid[fund, world] += tier
            manager_share[fund, world] += manager
            to_investors[fund, world] = investors


@part_of_kernel(void, LAYERS, boolean, OUT_OVER, OUT_FLAGS_OVER)
def run_down(given, has_tested_dscr, out, flags):
    """Run a month of a project's cash down its cascade: costs, lenders, reserve, test, sweep, owners.

    The cover that is tested is that of the month, unless `has_tested_dscr`.
    """
    for row in range(given.shape[1]):
        for at in range(given.shape[2]):
            cash_flow, cash, reserve, payable = (
                given[0, row, at],
                given[1, row, at],
                given[2, row, at],
                given[3, row, at],
            )
            debt, interest_arrears, principal_arrears = (
                given[4, row, at],
                given[5, row, at],
                given[6, row, at],
            )
            interest, principal, rate = given[7, row, at], given[8, row, at], given[9, row, at]
            reserve_months, value = given[10, row, at], given[11, row, at]
            lockup_dscr, default_dscr = given[12, row, at], given[13, row, at]
            lockup_loan_to_value, default_loan_to_value = given[14, row, at], given[15, row, at]
            sweep, sweep_in_lockup, pays_out, tested_dscr = (
                given[16, row, at],
                given[17, row, at],
                given[18, row, at],
                given[19, row, at],
            )
            # lenders are paid, from free cash and then from the reserve
            available = cash + cash_flow - payable
            pool, unpaid = max(available, 0.0), max(-available, 0.0)
            interest_due, principal_due = (
                interest + interest_arrears,
                min(principal + principal_arrears, debt),
            )
            due = interest_due + principal_due
            from_reserve = min(max(due - pool, 0.0), reserve)
            paid = min(due, pool + from_reserve)
            interest_paid = min(interest_due, paid)
            principal_paid = paid - interest_paid
            pool, reserve = pool + from_reserve - paid, reserve - from_reserve
            owed = debt - principal_paid
            interest_left, principal_left = interest_due - interest_paid, principal_due - principal_paid
            arrears = interest_left + principal_left > 1e-9 * max(1.0, due)
            # the reserve is topped up, or released
            target = min(reserve_months * (owed * rate / 12.0 + principal), owed)
            top_up = min(max(target - reserve, 0.0), pool)
            release = 0.0 if arrears else max(reserve - target, 0.0)
            settled = min(release, unpaid)
            reserve, pool = reserve + top_up - release, pool - top_up + release - settled
            unpaid = unpaid - settled
            # the covenants are tested
            dscr = cash_flow / due if due > 1e-12 else np.inf
            tested = tested_dscr if has_tested_dscr else dscr
            loan_to_value = owed / max(value, 1e-12) if owed > 0.0 else 0.0
            short = reserve < target - 1e-9 * max(1.0, target)
            locked = tested < lockup_dscr or loan_to_value > lockup_loan_to_value or short or arrears
            # the rest is swept, or goes to the owners
            swept = min((sweep_in_lockup if locked else sweep) * pool, owed - principal_left) * pays_out
            equity = (0.0 if locked else pool - swept) * pays_out
            out[0, row, at], out[1, row, at] = dscr, loan_to_value
            out[2, row, at], out[3, row, at] = interest_paid, principal_paid
            out[4, row, at], out[5, row, at], out[6, row, at] = from_reserve, top_up, release
            out[7, row, at], out[8, row, at] = swept, equity
            out[9, row, at], out[10, row, at], out[11, row, at] = owed - swept, pool - swept - equity, reserve
            out[12, row, at], out[13, row, at], out[14, row, at] = unpaid, interest_left, principal_left
            flags[0, row, at] = locked
            flags[1, row, at] = tested < default_dscr or loan_to_value > default_loan_to_value
            flags[2, row, at] = arrears


@kernel(
    void, boolean, int64, int64, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS,
    MONTHS, FLAGS, TABLE, TABLE, MONTHS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT, OUT, OUT_OVER,
    OUT_FLAGS_OVER,
)  # fmt: skip
def run_cascades(
    quarter_ends, first, first_site, cash, closed, owed, value, rate, interest, interest_paid, interest_left, principal,
    principal_paid, principal_left, covenants, months_complete, event_of_default, free_before, reserve_before,
    reserve_months, lockup_dscr, default_dscr, lockup_loan_to_value, default_loan_to_value, sweep, sweep_in_lockup,
    dscr, free_cash, reserve, prepaid, distribution, done, flags,
):  # fmt: skip
    """Run sites' cash down their cascades, on what the clearing has paid to lenders already.

    first: the sites' first row in cash and `closed`, of all parties; first_site: in what is owed, its value, and what
    was billed, paid and left of interest and principal. Nothing is tested in the first year; what free cash did not
    cover came out of the reserve; all cash is swept in an event of default. Changes what is left or leaves, nothing is
    left of a site that is gone; and done and flags, what `run_down` did with each site in each world.
    """
    sites, worlds = dscr.shape
    given = np.empty((20, sites, worlds))
    for row in range(sites):
        party, site = first + row, first_site + row
        for world in range(worlds):
            free, kept = free_before[row, world], reserve_before[row, world]
            to_interest, to_principal = interest_paid[site, world], principal_paid[site, world]
            cash_flow = cash[party, world] + (to_interest + to_principal) - free - kept
            leaked = min(max(-free - cash_flow, 0.0), kept)
            due, repaid = interest[site, world], principal[site, world]
            complete = months_complete[row, world] > 0
            young = months_complete[row, world] < 12 or not covenants[row, world]
            given[0, row, world], given[1, row, world], given[2, row, world], given[3, row, world] = (
                cash_flow + leaked,
                free,
                kept - leaked,
                0.0,
            )
            given[4, row, world] = owed[site, world] + to_principal
            given[5, row, world] = to_interest + interest_left[site, world] - due
            given[6, row, world] = to_principal + principal_left[site, world] - repaid
            given[7, row, world], given[8, row, world], given[9, row, world] = due, repaid, rate[site, world]
            given[10, row, world] = reserve_months[row, world] if complete else 0.0
            given[11, row, world] = value[site, world]
            given[12, row, world], given[13, row, world] = lockup_dscr[row, world], default_dscr[row, world]
            given[14, row, world] = 1e9 if young else lockup_loan_to_value[row, world]
            given[15, row, world] = 1e9 if young else default_loan_to_value[row, world]
            in_lockup = 1.0 if event_of_default[row, world] else sweep_in_lockup[row, world]
            given[16, row, world] = sweep[row, world] if complete else 0.0
            given[17, row, world] = in_lockup if complete else 0.0
            given[18, row, world] = 1.0 if complete and quarter_ends and not closed[party, world] else 0.0
            given[19, row, world] = 10.0 if young else dscr[row, world]
    run_down(given, True, done, flags)
    for row in range(sites):
        for world in range(worlds):
            alive = 0.0 if closed[first + row, world] else 1.0
            prepaid[row, world], distribution[row, world] = done[7, row, world], done[8, row, world]
            free_cash[row, world] = done[10, row, world] * alive
            reserve[row, world] = done[11, row, world] * alive
