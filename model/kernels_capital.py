"""The arithmetic of equity, compiled: the lab's rounds, and what owners of sites, investors of funds and pledgers have
promised and are asked for; told in words in `model/capital.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Investors or contracts are rows, worlds last; US$bn. An `amount`
``(contracts, 1)`` is the same in every world.
"""

import numpy as np
from numba import boolean, int64, void

from agents.kernels import FLAGS, MONTHS, OUT, OUT_FLAGS, ROWS, TABLE, kernel


@kernel(void, TABLE, TABLE, TABLE, ROWS, FLAGS, ROWS, OUT)
def add_promised(amount, promised, paid_in, owner, closed, site, by_site):
    """Add up by site what is left of owners' commitments and promises beyond them; of owners that are in the market.

    Changes by_site.
    """
    by_site[:] = 0.0
    for contract in range(promised.shape[0]):
        who, where = owner[contract], site[contract]
        for world in range(promised.shape[1]):
            left = max(amount[contract, 0] + promised[contract, world] - paid_in[contract, world], 0.0)
            by_site[where, world] += 0.0 if closed[who, world] else left


@kernel(boolean, TABLE, TABLE, TABLE, TABLE, ROWS, ROWS, OUT, OUT)
def ask_owners(called, amount, promised, paid_in, site, owner, by_contract, by_party):
    """Split what each site calls among its owners, pro rata to what is left of commitments and promises.

    Changes by_contract, and by_party, their sum for each owner. Tells whether anything is called; where nothing is,
    by_contract is left as it was.
    """
    by_party[:] = 0.0
    some = False
    for where in range(called.shape[0]):
        for world in range(called.shape[1]):
            some |= called[where, world] != 0.0
    if not some:
        return False
    whole = np.zeros(called.shape)
    for contract in range(by_contract.shape[0]):
        where = site[contract]
        for world in range(by_contract.shape[1]):
            left = max(amount[contract, 0] + promised[contract, world] - paid_in[contract, world], 0.0)
            by_contract[contract, world] = left
            whole[where, world] += left
    for contract in range(by_contract.shape[0]):
        who, where = owner[contract], site[contract]
        for world in range(by_contract.shape[1]):
            part = called[where, world] * by_contract[contract, world] / max(whole[where, world], 1e-12)
            by_contract[contract, world] = part
            by_party[who, world] += part
    return True


@kernel(void, TABLE, ROWS, TABLE, OUT)
def split_by_site(by_site, site, weight, split):
    """Split what concerns each site among its contracts, pro rata to `weight`. Changes split."""
    whole = np.zeros(by_site.shape)
    for contract in range(split.shape[0]):
        for world in range(split.shape[1]):
            whole[site[contract], world] += weight[contract, world]
    for contract in range(split.shape[0]):
        where = site[contract]
        for world in range(split.shape[1]):
            part = by_site[where, world] * weight[contract, world]
            split[contract, world] = part / max(whole[where, world], 1e-12)


@kernel(void, TABLE, TABLE, TABLE, FLAGS, TABLE, ROWS, ROWS, OUT, OUT_FLAGS, OUT, OUT)
def ask_for_cures(needed, paid_in, cash, closed, uncalled, site, owner, whole, refused, asked, called):
    """Ask owners for what cures their sites' breaches, pro rata to what they paid in, and let them call it.

    An owner has half of its cash and what is `uncalled` of its investors; a site of which an owner cannot pay its part
    is `refused` by all. Changes `whole`, what each site's owners paid in, refused, asked, a row for each contract, and
    `called` of the investors of each party.
    """
    whole[:], called[:], refused[:] = 0.0, 0.0, False
    contracts, worlds = asked.shape
    for contract in range(contracts):
        for world in range(worlds):
            whole[site[contract], world] += paid_in[contract, world]
    for contract in range(contracts):
        who, where = owner[contract], site[contract]
        for world in range(worlds):
            part = needed[where, world] * paid_in[contract, world] / max(whole[where, world], 1e-12)
            asked[contract, world] = part
            called[who, world] += part
    for contract in range(contracts):
        who, where = owner[contract], site[contract]
        for world in range(worlds):
            means = 0.5 * max(cash[who, world], 0.0) + (0.0 if closed[who, world] else uncalled[who, world])
            refused[where, world] |= asked[contract, world] > 0.0 and not called[who, world] <= means
    called[:] = 0.0
    for contract in range(contracts):
        who, where = owner[contract], site[contract]
        for world in range(worlds):
            part = 0.0 if refused[where, world] else asked[contract, world]
            asked[contract, world] = part
            called[who, world] += part
    for who in range(called.shape[0]):
        for world in range(worlds):
            most = 0.0 if closed[who, world] else uncalled[who, world]
            called[who, world] = min(called[who, world], most)


@kernel(void, TABLE, TABLE, MONTHS, int64, ROWS, OUT)
def add_uncalled(amount, called, end, month, manager, uncalled):
    """Add up by manager, rows of parties, what commitments that end after `month` still allow. Changes uncalled."""
    uncalled[:] = 0.0
    for contract in range(called.shape[0]):
        who, lasts = manager[contract], 1.0 if month < end[contract, 0] else 0.0
        for world in range(called.shape[1]):
            uncalled[who, world] += max(amount[contract, 0] - called[contract, world], 0.0) * lasts


@kernel(void, TABLE, TABLE, MONTHS, int64, ROWS, TABLE, OUT)
def ask_investors(amount, called, end, month, manager, wanted, asked):
    """What each manager wants, from the investor of each commitment that lasts, as far as it goes. Changes asked."""
    for contract in range(called.shape[0]):
        who, lasts = manager[contract], 1.0 if month < end[contract, 0] else 0.0
        for world in range(called.shape[1]):
            left = max(amount[contract, 0] - called[contract, world], 0.0) * lasts
            asked[contract, world] = min(wanted[who, world], left)


@kernel(boolean, TABLE, TABLE, TABLE, OUT)
def split_pledges(amount, called, wanted, asked):
    """Split what is wanted, as far as pledges go, pro rata to what of each is left; tells whether anything is wanted.

    Changes asked.
    """
    some = False
    for world in range(called.shape[1]):
        left, needed = 0.0, wanted[0, world]
        some |= needed != 0.0
        for contract in range(called.shape[0]):
            left += max(amount[contract, 0] - called[contract, world], 0.0)
        for contract in range(called.shape[0]):
            share = max(amount[contract, 0] - called[contract, world], 0.0) / max(left, 1e-12)
            asked[contract, world] = share * min(needed, left)
    return some


@kernel(boolean, int64, TABLE, TABLE, MONTHS, TABLE, FLAGS, TABLE, TABLE, OUT)
def split_round(
    first, loan_to_value, ceiling, months_missed, round_share, sells_holdings, vendor_share, amount, wanted
):  # fmt: skip
    """Split a round: shares of the partner that holds stakes, while it is below its ceiling, and of the chip vendor.

    first: the partners' first row in months_missed, of all parties. Changes wanted ``(3, worlds)``: of the partner,
    the vendor, and the market, which takes the rest. Tells whether there is a round.
    """
    partners, worlds = loan_to_value.shape
    wanted[:] = 0.0
    some = False
    for partner in range(partners):
        for world in range(worlds):
            pays = months_missed[first + partner, world] <= 0
            able = loan_to_value[partner, world] < ceiling[partner, world] and pays
            if able and sells_holdings[partner, world]:
                wanted[0, world] += round_share[partner, world]
    for world in range(worlds):
        share, vendor, size = wanted[0, world], vendor_share[0, world], amount[0, world]
        wanted[0, world], wanted[1, world] = share * size, vendor * size
        wanted[2, world] = max(1.0 - share - vendor, 0.0) * size
        some |= size != 0.0
    return some


@kernel(boolean, TABLE, TABLE, OUT)
def leave_to_the_market(wanted, paid, gap):
    """What investors did not pay is asked of the last of them, the market. Tells whether there is such a gap."""
    investors, worlds = gap.shape
    some = False
    gap[:] = 0.0
    for investor in range(investors):
        for world in range(worlds):
            gap[investors - 1, world] += wanted[investor, world] - paid[investor, world]
    for world in range(worlds):
        gap[investors - 1, world] = max(gap[investors - 1, world], 0.0)
        some |= gap[investors - 1, world] != 0.0
    return some


@kernel(void, TABLE, TABLE, TABLE, OUT)
def hand_out_shares(paid, valuation, owned_before, owned):
    """Owned' = owned (1 - all that is new) + new, with new = paid / valuation, at most a fifth for each investor.

    The investors of a round are the last rows of `owned`.
    """
    holders, worlds = owned.shape
    first = holders - paid.shape[0]
    for world in range(worlds):
        worth, issued = max(valuation[0, world], 1.0), 0.0
        for holder in range(holders):
            spent = 0.0
            if holder >= first:
                spent = paid[holder - first, world]
            owned[holder, world] = min(spent / worth, 0.2)
            issued += owned[holder, world]
        for holder in range(holders):
            new = owned[holder, world]
            owned[holder, world] = owned_before[holder, world] * (1.0 - issued) + new


@kernel(void, TABLE, TABLE, ROWS, OUT)
def value_shares(owned, valuation, holder, by_party):
    """Add up by party what the shares of each `holder` are worth, its share of the valuation. Changes by_party."""
    by_party[:] = 0.0
    for row in range(owned.shape[0]):
        who = holder[row]
        for world in range(owned.shape[1]):
            by_party[who, world] += owned[row, world] * valuation[0, world]


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, FLAGS, int64, FLAGS, int64, OUT)
def finance_orders(
    amount, called, equity_share, build_cost, announced_left, openness, frozen, closed, vehicle, willing, sponsor,
    buildable,
):  # fmt: skip
    """GW that equity pledged and not `called` finances of what is announced, the last contract; nothing of any other.

    Nothing in a freeze, without the `vehicle`, a row of parties, or against its `sponsor`, a row of lenders. Changes
    buildable.
    """
    buildable[:] = 0.0
    last = buildable.shape[0] - 1
    for world in range(buildable.shape[1]):
        pledged = 0.0
        for pledge in range(called.shape[0]):
            pledged += max(amount[pledge, 0] - called[pledge, world], 0.0)
        financed = pledged / (equity_share[0, world] * build_cost[0, world])
        room = min(financed, announced_left[0, world]) * openness[0, world]
        agreed = willing[sponsor, world] and not frozen[0, world] and not closed[vehicle, world]
        buildable[last, world] = room if agreed else 0.0
