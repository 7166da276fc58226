"""Waterfalls: in which order cash reaches lenders, investors and managers."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tiers:
    """What one distribution did: tiers, who got what, and the balances after it (all US$bn, one shape)."""

    returned: np.ndarray
    preferred: np.ndarray
    catch_up: np.ndarray
    investors: np.ndarray
    manager: np.ndarray
    unreturned: np.ndarray
    unpaid_preferred: np.ndarray
    split_investors: np.ndarray
    split_manager: np.ndarray


def private_equity_waterfall(
    unreturned,
    unpaid_preferred,
    preferred_paid,
    catch_up_paid,
    contributed,
    distributed,
    *,
    preferred_return,
    carry,
    catch_up,
):
    """Run one month of a whole-fund (European) waterfall: capital, preferred return, catch-up, split.

    The preferred return accrues monthly at (1 + rate)^(1/12) - 1 on unreturned capital and unpaid preferred
    return; then capital is contributed; then x is distributed:

        a = min(x, capital); b = min(x - a, preferred);
        z = min(rest, max(0, (c (B + Z) - k Z) / (k - c)))  with c the carry, k the manager's catch-up share,
        B and Z the preferred return and catch-up tier paid so far;

    the manager takes k z and c of what is left. No catch-up tier when k <= c. All arguments broadcast.
    Source: standard limited-partnership terms (preferred return 8%, carry 20%, full catch-up).
    """
    growth = np.expm1(np.log1p(preferred_return) / 12.0)
    due = unpaid_preferred + growth * (unreturned + unpaid_preferred)
    capital = unreturned + contributed
    returned = np.minimum(distributed, capital)
    rest = distributed - returned
    preferred = np.minimum(rest, due)
    rest = rest - preferred
    gap = catch_up - carry
    owed = (carry * (preferred_paid + preferred + catch_up_paid) - catch_up * catch_up_paid) / np.where(
        gap > 0.0, gap, 1.0
    )
    tier = np.minimum(rest, np.maximum(np.where(gap > 0.0, owed, 0.0), 0.0))
    rest = rest - tier
    manager_split, investor_split = carry * rest, (1.0 - carry) * rest
    manager = catch_up * tier + manager_split
    return Tiers(
        returned=returned,
        preferred=preferred,
        catch_up=tier,
        investors=distributed - manager,
        manager=manager,
        unreturned=capital - returned,
        unpaid_preferred=due - preferred,
        split_investors=investor_split,
        split_manager=manager_split,
    )


@dataclass(frozen=True)
class Cascade:
    """What one month of a project's cash did, and what is left after it (US$bn; flags), all of one shape."""

    dscr: np.ndarray
    loan_to_value: np.ndarray
    interest: np.ndarray
    principal: np.ndarray
    reserve_draw: np.ndarray
    reserve_top_up: np.ndarray
    reserve_release: np.ndarray
    sweep: np.ndarray
    equity: np.ndarray
    locked_up: np.ndarray
    breached: np.ndarray
    payment_default: np.ndarray
    debt: np.ndarray
    cash: np.ndarray
    reserve: np.ndarray
    payable: np.ndarray
    interest_arrears: np.ndarray
    principal_arrears: np.ndarray


def project_finance_cascade(
    cash_flow,
    cash,
    reserve,
    payable,
    debt,
    interest_arrears,
    principal_arrears,
    *,
    interest,
    principal,
    rate,
    reserve_months,
    value,
    lockup_dscr,
    default_dscr,
    lockup_loan_to_value,
    default_loan_to_value,
    sweep,
    sweep_in_lockup,
    pays_out=True,
    tested_dscr=None,
):
    """Run one month of a project's cash down its cascade.

    Order: unpaid operating costs (`payable`) - interest and its arrears - scheduled principal and its arrears,
    from free cash and then from the reserve - top-up of the reserve to `reserve_months` of the debt service
    that follows, on the debt after this payment - release of what the reserve holds above that (only without
    arrears; it pays operating costs still unpaid first) - test - sweep - equity.

    Arguments: `cash_flow`, CFADS of the month (may be negative: what cash does not cover stays a payable);
    `cash` (free), `reserve` (restricted: it pays lenders only), `debt` with arrears of principal in it,
    `interest` and `principal` due this month, `rate` per year, `value` of the asset, `sweep` shares of what is
    left, outside and inside lock-up. `pays_out`: whether this is a date on which cash is swept and distributed;
    on other dates it stays as free cash. `tested_dscr`: the trailing cover that covenants test; without it
    this month's.

    DSCR = CFADS / (debt service due, arrears included), infinite when nothing is due: without reserve and
    opening cash. Locked up below `lockup_dscr`, above `lockup_loan_to_value`, with the reserve below its target
    or with arrears; breached below `default_dscr` or above `default_loan_to_value`.
    Source: standard project-finance terms (Yescombe 2013); all arguments broadcast.
    """
    available = cash + cash_flow - payable
    pool, unpaid = np.maximum(available, 0.0), np.maximum(-available, 0.0)
    interest_due, principal_due = interest + interest_arrears, np.minimum(principal + principal_arrears, debt)
    due = interest_due + principal_due
    from_reserve = np.minimum(np.maximum(due - pool, 0.0), reserve)
    paid = np.minimum(due, pool + from_reserve)
    interest_paid = np.minimum(interest_due, paid)
    principal_paid = paid - interest_paid
    pool, reserve = pool + from_reserve - paid, reserve - from_reserve
    owed = debt - principal_paid
    interest_left, principal_left = interest_due - interest_paid, principal_due - principal_paid
    arrears = interest_left + principal_left > 1e-9 * np.maximum(1.0, due)
    target = np.minimum(reserve_months * (owed * rate / 12.0 + principal), owed)
    top_up = np.minimum(np.maximum(target - reserve, 0.0), pool)
    release = np.where(arrears, 0.0, np.maximum(reserve - target, 0.0))
    settled = np.minimum(release, unpaid)
    reserve, pool, unpaid = reserve + top_up - release, pool - top_up + release - settled, unpaid - settled
    some = due > 1e-12
    dscr = np.where(some, cash_flow / np.where(some, due, 1.0), np.inf)
    tested = dscr if tested_dscr is None else tested_dscr
    loan_to_value = np.where(owed > 0.0, owed / np.maximum(value, 1e-12), 0.0)
    short = reserve < target - 1e-9 * np.maximum(1.0, target)
    locked = (tested < lockup_dscr) | (loan_to_value > lockup_loan_to_value) | short | arrears
    breached = (tested < default_dscr) | (loan_to_value > default_loan_to_value)
    swept = np.minimum(np.where(locked, sweep_in_lockup, sweep) * pool, owed - principal_left)
    swept = swept * pays_out
    equity = np.where(locked, 0.0, pool - swept) * pays_out
    return Cascade(
        dscr=dscr,
        loan_to_value=loan_to_value,
        interest=interest_paid,
        principal=principal_paid,
        reserve_draw=from_reserve,
        reserve_top_up=top_up,
        reserve_release=release,
        sweep=swept,
        equity=equity,
        locked_up=locked,
        breached=breached,
        payment_default=arrears,
        debt=owed - swept,
        cash=pool - swept - equity,
        reserve=reserve,
        payable=unpaid,
        interest_arrears=interest_left,
        principal_arrears=principal_left,
    )
