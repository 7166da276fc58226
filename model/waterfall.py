"""Waterfalls: in which order a distribution reaches investors and managers."""

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
