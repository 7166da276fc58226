"""What banks and private-equity lenders have lent, remember and call, compiled; each rule says in words what its
kernel does.

As in `agents/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Blocks are ``(lenders, worlds)``, US$bn.
"""

from numba import int64, void

from agents.kernels import FLAGS, OUT, OUT_FLAGS, TABLE, kernel


@kernel(void, int64, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT, OUT)
def measure_room(
    first, lent_by_all, linked_by_all, crowding_out, grown, openness, lending_limit, name_limit, lent, exposure, limit,
    room,
):  # fmt: skip
    """What others leave of the limit, and what is free of it and for one name, times the market's openness.

    first: the banks' first row in what all parties have lent, at all and to whom the lab pays. grown: growth of the
    debt of others; the same for all, as crowding_out and openness. Changes lent and exposure, their own rows, limit
    and room.
    """
    for bank in range(room.shape[0]):
        party = first + bank
        for world in range(room.shape[1]):
            book, linked = lent_by_all[party, world], linked_by_all[party, world]
            most = lending_limit[bank, world] * (1.0 - crowding_out[0, world] * grown[0, world])
            free = max(most - book, 0.0)
            single = max(name_limit[bank, world] - linked, 0.0)
            lent[bank, world], exposure[bank, world] = book, linked
            limit[bank, world], room[bank, world] = most, min(free, single) * openness[0, world]


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def remember_as_bank(memory_before, fade, loss, lent, lending_limit, memory, spread_add_on):
    """Losses remembered, and what is asked for them and for a book of more than four fifths of the limit.

    Changes memory and spread_add_on.
    """
    for bank in range(memory.shape[0]):
        for world in range(memory.shape[1]):
            remembered = memory_before[bank, world] * fade[bank, world] + loss[bank, world]
            full = max(lent[bank, world] / lending_limit[bank, world] - 0.8, 0.0)
            memory[bank, world] = remembered
            spread_add_on[bank, world] = 0.1 * remembered / lending_limit[bank, world] + 0.05 * full


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, OUT, OUT, OUT_FLAGS)
def remember_as_fund(
    memory_before, fade, loss, uncalled, unreturned, walk_away_loss, frozen, memory, spread_add_on, willing
):
    """Losses remembered against commitments, what is asked for them, and who still signs; nobody in a freeze.

    Changes memory, spread_add_on and willing.
    """
    for lender in range(memory.shape[0]):
        for world in range(memory.shape[1]):
            remembered = memory_before[lender, world] * fade[lender, world] + loss[lender, world]
            committed = max(uncalled[lender, world] + unreturned[lender, world], 1.0)
            memory[lender, world] = remembered
            spread_add_on[lender, world] = 0.1 * min(remembered / committed, 1.0)
            bears = remembered <= walk_away_loss[lender, world] * committed
            willing[lender, world] = bears and not frozen[0, world]


@kernel(void, int64, TABLE, FLAGS, TABLE, TABLE, OUT, OUT)
def call_from_investors(first, cash, closed, uncalled_of_all, site_equity_due, uncalled, call):
    """What sites ask for beyond all cash but 0.1, as far as commitments go.

    first: the lenders' first row in what concerns all parties. Changes uncalled and call.
    """
    for lender in range(call.shape[0]):
        party = first + lender
        for world in range(call.shape[1]):
            most = uncalled_of_all[party, world]
            have = max(cash[party, world] - 0.1, 0.0)
            missing = max(site_equity_due[lender, world] - have, 0.0)
            uncalled[lender, world] = most
            call[lender, world] = 0.0 if closed[party, world] else min(missing, most)


@kernel(void, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def accrue_preferred(contributed, growth, unreturned_before, unpaid_before, unreturned, unpaid_preferred):
    """Capital with what was contributed, and the preferred return, which accrues on both of before.

    growth: the return of a month. Changes unreturned and unpaid_preferred.
    """
    for lender in range(unreturned.shape[0]):
        for world in range(unreturned.shape[1]):
            capital, unpaid = unreturned_before[lender, world], unpaid_before[lender, world]
            unreturned[lender, world] = capital + contributed[lender, world]
            unpaid_preferred[lender, world] = unpaid + growth[lender, world] * (capital + unpaid)
