"""Waterfalls: in which order cash reaches lenders, investors and managers."""

from typing import NamedTuple

import numpy as np

from model.kernels_waterfall import hand_down, run_down


class Tiers(NamedTuple):
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
    given = _joined(
        unreturned,
        unpaid_preferred,
        preferred_paid,
        catch_up_paid,
        contributed,
        distributed,
        growth,
        carry,
        catch_up,
    )
    done = np.empty(given.shape)
    hand_down(_flat(given), _flat(done))
    return Tiers(*done)


class Cascade(NamedTuple):
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
    debt: np.ndarray
    cash: np.ndarray
    reserve: np.ndarray
    payable: np.ndarray
    interest_arrears: np.ndarray
    principal_arrears: np.ndarray
    locked_up: np.ndarray
    breached: np.ndarray
    payment_default: np.ndarray


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
    given = _joined(
        cash_flow,
        cash,
        reserve,
        payable,
        debt,
        interest_arrears,
        principal_arrears,
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
        pays_out,
        0.0 if tested_dscr is None else tested_dscr,
    )
    done, flags = np.empty((15, *given.shape[1:])), np.empty((3, *given.shape[1:]), dtype=bool)
    run_down(_flat(given), tested_dscr is not None, _flat(done), _flat(flags))
    return Cascade(*done, *flags)


def _joined(*values):
    """Broadcast values against one another: the rows of one block."""
    block = np.empty((len(values), *np.broadcast(*values).shape))
    for at, value in enumerate(values):
        block[at] = value
    return block


def _flat(block):
    """Give all the cases of each row of a block in one line."""
    return block.reshape(len(block), -1)
