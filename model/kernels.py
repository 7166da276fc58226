"""The arithmetic of the books, compiled: one kernel for each verb of the Ledger and the Clearing.

A kernel is loops over legs, claims or parties on the outside and worlds on the inside, in the order in which they
are written: it adds, multiplies, divides and compares world by world, and calls no function of a mathematics
library. The compiler may neither reorder nor fuse that arithmetic (no fast-math), so a world has the same bits
alone and in any batch.

What a payment means is told in `model/ledger.py`; here is only what it does to the arrays. Blocks are
``(legs, worlds)``, ``(claims, worlds)`` or ``(parties, worlds)``, US$bn; a family's legs are the rows from
`first` on. Blocks called `out`, and those that a docstring says it changes, are changed in place.

A kernel calls no kernel of another file: what is compiled is kept and made anew when its own file changes.
"""

import numpy as np
from numba import boolean, float64, int64, types, void

from agents.kernels import FLAGS, ROWS, YES_NO, kernel, part_of_kernel

BLOCK = float64[:, ::1]
READ = types.Array(float64, 2, "C", readonly=True)
NUMBERS = types.Array(float64, 1, "C", readonly=True)
PER_WORLD = float64[::1]
MARKS, FLAG_BLOCK = boolean[::1], boolean[:, ::1]


# -- sums -----------------------------------------------------------------------------------------------------


@kernel(void, ROWS, ROWS, NUMBERS, READ, BLOCK)
def add_up(starts, columns, weights, block, out):
    """Multiply `block` by a matrix in CSR form: each row adds its entries up in their order."""
    out[:] = 0.0
    for row in range(out.shape[0]):
        for entry in range(starts[row], starts[row + 1]):
            column, weight = columns[entry], weights[entry]
            for world in range(out.shape[1]):
                out[row, world] += weight * block[column, world]


@kernel(void, READ, PER_WORLD)
def add_rows(block, out):
    """Add all rows of `block` up, from the first to the last."""
    out[:] = 0.0
    for row in range(block.shape[0]):
        for world in range(out.shape[0]):
            out[world] += block[row, world]


# -- bills and payments -----------------------------------------------------------------------------------------

NEGATIVE, NOTHING, SOMETHING = -1, 0, 1


@part_of_kernel(int64, FLAGS, boolean, int64, READ, BLOCK)
def ask(live, even_closed, first, wanted, out):
    """Ask what is `wanted`, but nothing of legs that are not live, unless `even_closed`; the legs from `first` on.

    Tells whether SOMETHING was wanted, NOTHING, or in part what is NEGATIVE. Changes out.
    """
    below, some = False, False
    for leg in range(out.shape[0]):
        of_leg = False
        for world in range(out.shape[1]):
            below |= wanted[leg, world] < 0.0
            of_leg |= wanted[leg, world] != 0.0
            out[leg, world] = wanted[leg, world]
        if of_leg and not even_closed:
            for world in range(out.shape[1]):
                out[leg, world] *= live[first + leg, world]
        some |= of_leg
    if below:
        return NEGATIVE
    return SOMETHING if some else NOTHING


@part_of_kernel(boolean, NUMBERS)
def anything(amounts):
    """Tell whether an amount is not zero in any world."""
    some = False
    for world in range(amounts.shape[0]):
        some |= amounts[world] != 0.0
    return some


@kernel(void, FLAGS, boolean, int64, boolean, READ, BLOCK, BLOCK, BLOCK)
def fall_due(live, even_closed, first, accrues, amount, payable, accrued, out):
    """Add to what is payable on the legs from `first` on what is asked of them, and to what is accrued if it is so.

    Of each leg its `amount`, as `ask` asks it. Changes payable and accrued ``(legs, worlds)``, and out.
    """
    ask(live, even_closed, first, amount, out)
    for leg in range(out.shape[0]):
        if not anything(out[leg]):
            continue
        for world in range(out.shape[1]):
            payable[first + leg, world] += out[leg, world]
        if accrues:
            for world in range(out.shape[1]):
                accrued[first + leg, world] += out[leg, world]


@kernel(void, MARKS, BLOCK)
def clear_flow(used, flow):
    """Clear what flowed through the legs that were `used`, and take their marks away."""
    for leg in range(used.shape[0]):
        if used[leg]:
            used[leg] = False
            for world in range(flow.shape[1]):
                flow[leg, world] = 0.0


@part_of_kernel(void, READ, int64, ROWS, ROWS, NUMBERS, ROWS, BLOCK, MARKS, BLOCK, BLOCK)
def post(paid, first, rows, legs, signs, touched, change, used, flow, balances):
    """Note what flowed through the legs from `first` on, and post it to the balances that it changes.

    Entry by entry, ordered by leg, `signs` times what leg number `legs` paid goes to row `rows`; what a row gains by
    all its entries is added to it at once. `touched`: each of these rows once. A leg through which nothing flowed in
    any world is left alone, the others are marked as `used`. Changes used, flow, balances and `change`, a scratch of
    the size of balances.
    """
    worlds = paid.shape[1]
    for row in touched:
        change[row] = 0.0
    entry = 0
    for leg in range(paid.shape[0]):
        some = anything(paid[leg])
        if some:
            used[first + leg] = True
            for world in range(worlds):
                flow[first + leg, world] += paid[leg, world]
        while entry < rows.shape[0] and legs[entry] == leg:
            if some:
                row, sign = rows[entry], signs[entry]
                for world in range(worlds):
                    change[row, world] += sign * paid[leg, world]
            entry += 1
    for row in touched:
        for world in range(worlds):
            balances[row, world] += change[row, world]


@kernel(
    int64, FLAGS, boolean, int64, ROWS, YES_NO, ROWS, ROWS, NUMBERS, ROWS, READ, BLOCK, MARKS, BLOCK, BLOCK, BLOCK
)  # fmt: skip
def pay_from_cash(
    live, even_closed, first, payer, always_pays, rows, legs, signs, touched, wanted, scratch, used, flow, balances,
    out,
):  # fmt: skip
    """Cut what payers are asked for to the cash they have, all legs in proportion, and post it; some always pay.

    Cash is the first rows of `balances`; the entries are those of `post`. Tells what was `wanted`, as `ask`; where that
    is NEGATIVE or NOTHING, nothing is posted. Changes out to what is paid, and what `post` changes.
    """
    found = ask(live, even_closed, first, wanted, out)
    if found != SOMETHING:
        return found
    number, worlds = out.shape
    asked = scratch
    for leg in range(number):
        asked[payer[leg]] = 0.0
    for leg in range(number):
        row = payer[leg]
        for world in range(worlds):
            asked[row, world] += out[leg, world]
    for leg in range(number):
        row = payer[leg]
        if not always_pays[row]:
            for world in range(worlds):
                have = max(balances[row, world], 0.0)
                share = have / max(asked[row, world], 1e-300)
                out[leg, world] *= share if asked[row, world] > have else 1.0
    post(out, first, rows, legs, signs, touched, scratch, used, flow, balances)
    return found


@kernel(void, READ, READ, ROWS, BLOCK)
def share_paid(due, payable, payer, out):
    """Give the share that each party paid of what was due of it, of which what is payable is left; 1 of nothing."""
    out[:] = 0.0
    for leg in range(payable.shape[0]):
        if anything(payable[leg]):
            row = payer[leg]
            for world in range(payable.shape[1]):
                out[row, world] += payable[leg, world]
    for row in range(due.shape[0]):
        for world in range(due.shape[1]):
            share = 1.0 - out[row, world] / max(due[row, world], 1e-9)
            out[row, world] = min(max(share, 0.0), 1.0) if due[row, world] > 1e-9 else 1.0


@kernel(void, READ, READ, ROWS, ROWS, BLOCK, BLOCK)
def foresee(due, paid_share, payer, payee, outgoing, incoming):
    """Add up what each payer owes, and what each payee may expect: what is due to it times the share that is paid.

    Changes outgoing and incoming.
    """
    outgoing[:], incoming[:] = 0.0, 0.0
    for leg in range(due.shape[0]):
        if anything(due[leg]):
            out_of, into = payer[leg], payee[leg]
            for world in range(due.shape[1]):
                outgoing[out_of, world] += due[leg, world]
                incoming[into, world] += due[leg, world] * paid_share[out_of, world]


# -- write-offs -------------------------------------------------------------------------------------------------


@kernel(void, FLAGS, ROWS, ROWS, NUMBERS, BLOCK, BLOCK, BLOCK)
def write_off(debtors, debtor, creditor, weights, owed, change, loss):
    """Strike out all that `debtors` ``(parties, worlds)`` owe; its creditor loses it.

    `debtor` and `creditor` of each row of `owed`. `weights` times what is struck out is taken off `change`, a note of
    changes of value, and added to the `loss` ``(parties, worlds)`` of the creditor.
    """
    some = np.zeros(debtors.shape[0])
    for party in range(debtors.shape[0]):
        for world in range(debtors.shape[1]):
            some[party] += debtors[party, world]
    for row in range(owed.shape[0]):
        who, whose, weight = debtor[row], creditor[row], weights[row]
        if some[who] == 0.0:
            continue
        for world in range(owed.shape[1]):
            gone = owed[row, world] if debtors[who, world] else 0.0
            owed[row, world] -= gone
            change[row, world] -= weight * gone
            loss[whose, world] += weight * gone


@kernel(void, FLAGS, BLOCK, BLOCK)
def write_down(parties, real_assets, change):
    """Leave the masked `parties` no real assets, and note it as a change; who has less than nothing keeps that."""
    for party in range(parties.shape[0]):
        for world in range(parties.shape[1]):
            lost = max(real_assets[party, world], 0.0) if parties[party, world] else 0.0
            real_assets[party, world] -= lost
            change[party, world] -= lost


@kernel(void, FLAGS, ROWS, ROWS, FLAG_BLOCK)
def shut_legs(closed, payer, payee, live):
    """Which legs are live: those of which neither payer nor payee is `closed` ``(parties, worlds)``."""
    for leg in range(live.shape[0]):
        one, other, is_live = closed[payer[leg]], closed[payee[leg]], live[leg]
        for world in range(is_live.size):
            is_live[world] = not (one[world] | other[world])


# -- the clearing -----------------------------------------------------------------------------------------------

FINE, NEGATIVE_DUE, NO_NUMBER = 0, 1, 2


@kernel(int64, READ, READ, ROWS, ROWS, ROWS, ROWS, float64, BLOCK, BLOCK, MARKS)
def find_short(cash, due, payee, obliged, ordered, debtor, tolerance, owed, full, short):
    """Find the worlds in which somebody could not pay everything even if everyone else did.

    `payee`: of each edge; `obliged`: the parties that must pay, `ordered`: their edges, in the Clearing's order,
    and `debtor`: the place among `obliged` of who owes each. A gap below `tolerance` of what is owed, or of US$1bn,
    counts as rounding. Changes `owed` ``(obliged, worlds)`` and `full` ``(parties, worlds)``, scratch, and `short`;
    gives NEGATIVE_DUE or NO_NUMBER if there is one among the arguments.
    """
    worlds = short.shape[0]
    unknown, below = False, False
    for row in range(cash.shape[0]):
        for world in range(worlds):
            unknown |= cash[row, world] != cash[row, world]
            full[row, world] = 0.0
    owed[:] = 0.0
    short[:] = False
    for edge in range(due.shape[0]):
        row = payee[edge]
        for world in range(worlds):
            below |= not due[edge, world] >= 0.0
            full[row, world] += due[edge, world]
    for place in range(ordered.shape[0]):
        row, edge = debtor[place], ordered[place]
        for world in range(worlds):
            owed[row, world] += due[edge, world]
    for place in range(obliged.shape[0]):
        row = obliged[place]
        for world in range(worlds):
            most, least = cash[row, world] + full[row, world], owed[place, world]
            short[world] |= most < least - tolerance * max(least, 1.0)
    return NEGATIVE_DUE if below else NO_NUMBER if unknown else FINE


@kernel(
    void, int64, int64, READ, READ, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, float64, YES_NO, BLOCK
)  # fmt: skip
def settle_payers(
    first, last, cash, due, obliged, ordered, claims, edges, starts, arriving, tolerance, short, paid
):
    """Let payers from `first` up to `last` pay their claims, class by class, who are not paid by one another.

    `obliged` are the parties that must pay and `ordered` their edges in the Clearing's order, in which those of one
    payer, and of one class, are a run: `claims` and `edges` tell where each payer's claims and each claim's edges
    begin. `arriving` are the edges that pay a payer, `starts` where its own begin. A class that is covered but for
    `tolerance` is paid in full, to the last bit; the edges of one class get the same share. Changes `paid`
    ``(edges, worlds)``, which is `due` before, in the worlds that are `short`.
    """
    worlds = due.shape[1]
    available, senior, owed, share = np.empty(worlds), np.empty(worlds), np.empty(worlds), np.empty(worlds)
    for payer in range(first, last):
        available[:] = 0.0
        senior[:] = 0.0
        for entry in range(starts[payer], starts[payer + 1]):
            edge = arriving[entry]
            for world in range(worlds):
                available[world] += paid[edge, world]
        for world in range(worlds):
            available[world] += cash[obliged[payer], world]
        for claim in range(claims[payer], claims[payer + 1]):
            owed[:] = 0.0
            for place in range(edges[claim], edges[claim + 1]):
                edge = ordered[place]
                for world in range(worlds):
                    owed[world] += due[edge, world]
            if not anything(owed):
                continue
            for world in range(worlds):
                so_far = senior[world] + owed[world]
                part = (available[world] - senior[world]) / (owed[world] if owed[world] > 0.0 else 1.0)
                covered = available[world] >= so_far - tolerance * max(so_far, 1.0)
                share[world] = min(max(part, 1.0 if covered else 0.0), 1.0) if short[world] else 1.0
                senior[world] = so_far
            for place in range(edges[claim], edges[claim + 1]):
                edge = ordered[place]
                for world in range(worlds):
                    paid[edge, world] = due[edge, world] * share[world]


# -- the proof --------------------------------------------------------------------------------------------------


@part_of_kernel(void, NUMBERS, PER_WORLD)
def keep_largest(sizes, largest):
    """Raise `largest` to the magnitude of `sizes`; what is not a number is larger than all numbers."""
    for world in range(largest.shape[0]):
        size = abs(sizes[world])
        largest[world] = size if size > largest[world] or size != size else largest[world]


@kernel(void, READ, ROWS, ROWS, NUMBERS, ROWS, ROWS, NUMBERS, BLOCK, BLOCK, PER_WORLD)
def replay(flow, rows, legs, signs, parties, earning_legs, shares, change, earned, largest):
    """Add up once more what flowed in a month: to each balance, to each party as income; note the largest flow.

    Entries as in `post`, ordered by leg; `shares` of what flowed through `earning_legs` are income of `parties`. A leg
    through which nothing flowed in any world adds nothing.
    """
    worlds = flow.shape[1]
    change[:], earned[:], largest[:] = 0.0, 0.0, 0.0
    entry, earning = 0, 0
    for leg in range(flow.shape[0]):
        some = anything(flow[leg])
        if some:
            keep_largest(flow[leg], largest)
        while entry < rows.shape[0] and legs[entry] == leg:
            if some:
                row, sign = rows[entry], signs[entry]
                for world in range(worlds):
                    change[row, world] += sign * flow[leg, world]
            entry += 1
        while earning < parties.shape[0] and earning_legs[earning] == leg:
            if some:
                row, share = parties[earning], shares[earning]
                for world in range(worlds):
                    earned[row, world] += share * flow[leg, world]
            earning += 1


@kernel(
    void, READ, READ, READ, READ, READ, int64, int64, ROWS, ROWS, PER_WORLD, BLOCK, PER_WORLD, PER_WORLD
)  # fmt: skip
def compare(
    now, before, stated, change, earned, claims, assets, holders, issuers, largest_flow, gap, worst, scale
):
    """Compare balances with what they were, what flowed to them and what was stated; note the largest residual.

    Cash comes first, then from row `claims` on claims, from row `assets` on real assets. Gives the `scale` of each
    world, the size of its largest balance and flow, and in `gap` what each party has gained that it has not earned,
    claims included and bills apart; stated changes are income of their own.
    """
    worlds = gap.shape[1]
    off, of_cash, of_claims = np.empty(worlds), np.zeros(worlds), np.zeros(worlds)
    worst[:] = 0.0
    for row in range(now.shape[0]):
        for world in range(worlds):
            off[world] = now[row, world] - before[row, world] - stated[row, world] - change[row, world]
        keep_largest(off, worst)
        if row < claims:
            own = assets + row
            for world in range(worlds):
                gain = now[row, world] - before[row, world] + now[own, world] - before[own, world]
                gap[row, world] = gain - stated[own, world] - earned[row, world]
                off[world] = now[row, world]
            keep_largest(off, of_cash)
        elif row < assets:
            holder, issuer = holders[row - claims], issuers[row - claims]
            for world in range(worlds):
                off[world] = now[row, world]
            keep_largest(off, of_claims)
            for world in range(worlds):
                off[world] = now[row, world] - before[row, world] - stated[row, world]
            for world in range(worlds):
                gap[holder, world] += off[world]
            for world in range(worlds):
                gap[issuer, world] -= off[world]
    for world in range(worlds):
        scale[world] = max(1.0, of_cash[world] + of_claims[world] + largest_flow[world])


@kernel(void, ROWS, ROWS, ROWS, READ, READ, READ, BLOCK)
def gain_by_bills(rows, payees, payers, owed, before, booked, gap):
    """Add to `gap` what payees gained and payers lost by changes of what is owed that nobody has `booked`.

    `rows` of what is owed count; `payees` and `payers` of all of them. Changes gap ``(parties, worlds)``.
    """
    for row in rows:
        payee, payer = payees[row], payers[row]
        for world in range(gap.shape[1]):
            change = owed[row, world] - before[row, world] - booked[row, world]
            gap[payee, world] += change
            gap[payer, world] -= change


@kernel(void, READ, READ, YES_NO, PER_WORLD, PER_WORLD)
def misfits(gap, balances, always_pays, cash, worst):
    """Raise `worst` to the largest `gap`, to what all cash adds up to, and to what anybody has overdrawn.

    Cash is the first rows of `balances`, a row for each of `gap`; some may overdraw. Changes `cash`, a scratch.
    """
    off = np.empty(worst.shape[0])
    cash[:] = 0.0
    for row in range(gap.shape[0]):
        for world in range(worst.shape[0]):
            cash[world] += balances[row, world]
            off[world] = gap[row, world]
        keep_largest(off, worst)
        if not always_pays[row]:
            for world in range(worst.shape[0]):
                off[world] = min(balances[row, world], 0.0)
            keep_largest(off, worst)
    keep_largest(cash, worst)


# -- the matrices of one world ----------------------------------------------------------------------------------


@kernel(void, READ, int64, ROWS, ROWS, ROWS, BLOCK)
def sort_by_party(amounts, world, kinds, plus, minus, out):
    """Add the amounts of one world up by kind and party: `plus` gains them, `minus` loses them."""
    for row in range(amounts.shape[0]):
        out[kinds[row], plus[row]] += amounts[row, world]
        out[kinds[row], minus[row]] -= amounts[row, world]
