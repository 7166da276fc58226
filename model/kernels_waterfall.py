"""Waterfalls, compiled: a case for each borrower or fund in each world; told in words in `model/waterfall.py`.

As in `model/kernels.py`: nothing but + - * / and comparisons, case by case, so that a world has the same bits
alone and in any batch. Money is US$bn; the rows of `given` and `out` are the quantities, in the order in
which a kernel names them; its columns are the cases.
"""

import numpy as np
from numba import boolean, float64, int64, types, void

from agents.kernels import FLAGS, LAYERS, MONTHS, OUT, OUT_FLAGS, TABLE, kernel, part_of_kernel


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
    void, int64, TABLE, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT, OUT, OUT, OUT
)  # fmt: skip
def distribute_excess(
    first, cash, outgoing, closed, site_equity_due, contributed, growth, carry, catch_up, unreturned,
    unpaid_preferred, preferred_paid, catch_up_paid, manager_share, to_investors,
):  # fmt: skip
    """Hand what funds have beyond their bills, the equity due to sites and 0.25 for costs down the four tiers.

    Nothing of a fund that is gone. `contributed` was called this month; `first` is the funds' first row in cash, bills
    and who is closed, which are of all parties. Changes the last six.
    """
    for fund in range(to_investors.shape[0]):
        party = first + fund
        for world in range(to_investors.shape[1]):
            keep = site_equity_due[fund, world] + 0.25
            free = max(cash[party, world] - keep - outgoing[party, world], 0.0)
            _, preferred, tier, investors, manager, capital_left, preferred_left, _, _ = tiers_of(
                unreturned[fund, world],
                unpaid_preferred[fund, world],
                preferred_paid[fund, world],
                catch_up_paid[fund, world],
                contributed[fund, world],
                0.0 if closed[party, world] else free,
                growth[fund, world],
                carry[fund, world],
                catch_up[fund, world],
            )
            unreturned[fund, world], unpaid_preferred[fund, world] = capital_left, preferred_left
            preferred_paid[fund, world] += preferred
            catch_up_paid[fund, world] += tier
            manager_share[fund, world] += manager
            to_investors[fund, world] = investors


@part_of_kernel(types.Tuple([float64] * 15 + [boolean] * 3), *[float64] * 20, boolean)
def cascade_of(
    cash_flow, cash, reserve, payable, debt, interest_arrears, principal_arrears, interest, principal, rate,
    reserve_months, value, lockup_dscr, default_dscr, lockup_loan_to_value, default_loan_to_value, sweep,
    sweep_in_lockup, pays_out, tested_dscr, has_tested_dscr,
):  # fmt: skip
    """What a month of a project's cash does, in the order of `model.waterfall.Cascade`: costs, lenders, reserve, test,
    sweep, owners.

    The cover that is tested is that of the month, unless it `has_tested_dscr`.
    """
    # lenders are paid, from free cash and then from the reserve
    available = cash + cash_flow - payable
    pool, unpaid = max(available, 0.0), max(-available, 0.0)
    interest_due, principal_due = interest + interest_arrears, min(principal + principal_arrears, debt)
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
    locked = (tested < lockup_dscr) | (loan_to_value > lockup_loan_to_value) | short | arrears
    breached = (tested < default_dscr) | (loan_to_value > default_loan_to_value)
    # the rest is swept, or goes to the owners
    swept = min((sweep_in_lockup if locked else sweep) * pool, owed - principal_left) * pays_out
    equity = (0.0 if locked else pool - swept) * pays_out
    return (
        dscr, loan_to_value, interest_paid, principal_paid, from_reserve, top_up, release, swept, equity,
        owed - swept, pool - swept - equity, reserve, unpaid, interest_left, principal_left, locked, breached, arrears,
    )  # fmt: skip


@kernel(void, TABLE, boolean, OUT, OUT_FLAGS)
def run_down(given, has_tested_dscr, out, flags):
    """Run a month of projects' cash down their cascades, as `cascade_of`; in each column a case."""
    for at in range(given.shape[1]):
        done = cascade_of(
            given[0, at], given[1, at], given[2, at], given[3, at], given[4, at], given[5, at], given[6, at],
            given[7, at], given[8, at], given[9, at], given[10, at], given[11, at], given[12, at], given[13, at],
            given[14, at], given[15, at], given[16, at], given[17, at], given[18, at], given[19, at], has_tested_dscr,
        )  # fmt: skip
        (
            out[0, at], out[1, at], out[2, at], out[3, at], out[4, at], out[5, at], out[6, at], out[7, at], out[8, at],
            out[9, at], out[10, at], out[11, at], out[12, at], out[13, at], out[14, at], flags[0, at], flags[1, at],
            flags[2, at],
        ) = done  # fmt: skip


@kernel(
    void, boolean, int64, int64, TABLE, FLAGS, TABLE, TABLE, TABLE, LAYERS, FLAGS, MONTHS, FLAGS, TABLE, TABLE, MONTHS,
    TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT, OUT,
)  # fmt: skip
def run_cascades(
    quarter_ends, first, first_site, cash, closed, owed, value, rate, service, covenants, months_complete,
    event_of_default, free_before, reserve_before, reserve_months, lockup_dscr, default_dscr, lockup_loan_to_value,
    default_loan_to_value, sweep, sweep_in_lockup, dscr, free_cash, reserve, prepaid, distribution,
):  # fmt: skip
    """Run sites' cash down their cascades, on what the clearing has paid to lenders already.

    first: the sites' first row in cash and `closed`, of all parties; first_site: in what is owed, its value and rate,
    and service: interest and principal that were billed, then paid, then left ``(6, sites, worlds)``. Nothing is tested
    in the first year; what free cash did not cover came out of the reserve; all cash is swept in an event of default.
    Changes what is left or leaves, nothing is left of a site that is gone.
    """
    sites, worlds = dscr.shape
    interest, principal, interest_paid = service[0], service[1], service[2]
    principal_paid, interest_left, principal_left = service[3], service[4], service[5]
    for row in range(sites):
        party, site = first + row, first_site + row
        for world in range(worlds):
            free, kept, gone = free_before[row, world], reserve_before[row, world], closed[party, world]
            to_interest, to_principal = interest_paid[site, world], principal_paid[site, world]
            cash_flow = cash[party, world] + (to_interest + to_principal) - free - kept
            leaked = min(max(-free - cash_flow, 0.0), kept)
            due, repaid = interest[site, world], principal[site, world]
            months = months_complete[row, world]
            in_lockup = sweep_in_lockup[row, world]
            tested = dscr[row, world]
            lockup, default = lockup_loan_to_value[row, world], default_loan_to_value[row, world]
            complete, young = 1.0 if months > 0 else 0.0, (months < 12) | (not covenants[row, world])
            in_lockup = 1.0 if event_of_default[row, world] else in_lockup
            done = cascade_of(
                cash_flow + leaked,
                free,
                kept - leaked,
                0.0,
                owed[site, world] + to_principal,
                to_interest + interest_left[site, world] - due,
                to_principal + principal_left[site, world] - repaid,
                due,
                repaid,
                rate[site, world],
                reserve_months[row, world] * complete,
                value[site, world],
                lockup_dscr[row, world],
                default_dscr[row, world],
                1e9 if young else lockup,
                1e9 if young else default,
                sweep[row, world] * complete,
                in_lockup * complete,
                complete if quarter_ends & (not gone) else 0.0,
                10.0 if young else tested,
                True,
            )
            prepaid[row, world], distribution[row, world] = done[7], done[8]
            free_cash[row, world], reserve[row, world] = (0.0, 0.0) if gone else (done[10], done[11])
