"""The arithmetic of arrears and of what is owed, compiled; what it means is told in `model/solvency.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Parties and loans are rows, worlds last; US$bn and months.
"""

import numpy as np
from numba import boolean, float64, int64, types, void

from agents.kernels import (
    FLAGS,
    MONTHS,
    OUT,
    OUT_FLAGS,
    OUT_MONTHS,
    ROWS,
    TABLE,
    YES_NO,
    kernel,
    part_of_kernel,
)

CLAUSES = types.Array(boolean, 3, "C", readonly=True)


@kernel(void, ROWS, ROWS, YES_NO, TABLE, ROWS, TABLE, OUT, OUT, OUT, OUT)
def owed_and_lent(debtor, lender, linked, balance, payer, payable, debt, lent, lent_linked, unpaid):
    """Add the loans up by party: what each owes, what each has lent, and what of that is `linked` to the lab.

    unpaid: what each is to pay of all bills that are open.
    """
    debt[:], lent[:], lent_linked[:], unpaid[:] = 0.0, 0.0, 0.0, 0.0
    for loan in range(balance.shape[0]):
        drawn, owes, owns = balance[loan], debt[debtor[loan]], lent[lender[loan]]
        for world in range(drawn.size):
            owes[world] += drawn[world]
        for world in range(drawn.size):
            owns[world] += drawn[world]
        if linked[loan]:
            owns = lent_linked[lender[loan]]
            for world in range(drawn.size):
                owns[world] += drawn[world]
    for leg in range(payable.shape[0]):
        bill, owes = payable[leg], unpaid[payer[leg]]
        for world in range(bill.size):
            owes[world] += bill[world]


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
        unpaid, bills, gone, may = shortfall[party], due[party], closed[party], may_fail[party]
        before, first = missed_before[party], missed_month_before[party]
        count, month_of, starts = missed[party], missed_month[party], started[party]
        for world in range(count.size):
            short = (unpaid[world] > 1e-9 * max(1.0, bills[world])) & may & (not gone[world])
            months = (before[world] + 1) * short
            count[world] = months
            month_of[world] = month if (months == 2) & (first[world] == never) else first[world]
            starts[world] = months == 1
            some |= months == 1
    return some


@kernel(boolean, int64, MONTHS, MONTHS, FLAGS, FLAGS, TABLE, MONTHS, OUT_FLAGS)
def may_renegotiate(lab, months_missed, waiver, renegotiated, renegotiates, cut, rescue, asks):
    """Whether the lab, row `lab` of the parties, asks for a lower price: a waiver has not helped, and it never asked.

    Tells whether it does in any world. The lab's own rule and the rescue must allow it; asks is ``(1, worlds)``.
    """
    some = False
    for world in range(asks.shape[1]):
        late = months_missed[lab, world] == 1 + waiver[0, world] and not renegotiated[lab, world]
        may = renegotiates[0, world] and cut[0, world] > 0.0 and rescue[0, world] > 0
        asks[0, world] = late and may
        some |= late and may
    return some


@part_of_kernel(void, CLAUSES, OUT_FLAGS)
def spread_default(clauses, default):
    """Mark as in default whose clauses refer to a borrower that is, until nobody is left to be marked.

    d <- d | any_j(clauses[i, j] & d[j]). `clauses` ``(borrowers, borrowers, worlds or one for all)``: i's loans refer
    to j. Cross-default is not cross-acceleration: this says whose loans may be called. Changes `default`
    ``(borrowers, worlds)``.
    """
    found, by_world = True, clauses.shape[2] > 1
    while found:  # each turn marks somebody, and nobody twice
        found = False
        for borrower in range(default.shape[0]):
            for referenced in range(default.shape[0]):
                refers = clauses[borrower, referenced]
                if by_world or refers[0]:
                    for world in range(default.shape[1]):
                        spreads = default[referenced, world] and (not by_world or refers[world])
                        if spreads and not default[borrower, world]:
                            default[borrower, world] = found = True


@part_of_kernel(void, FLAGS, ROWS, CLAUSES, TABLE, OUT_FLAGS)
def add_referring(own, bound, clauses, debt, default):
    """Add to those in default all whose loans refer to them; who owes nothing has no loan to be called.

    `bound`: the parties that clauses name, in the order of `clauses`. Changes default ``(parties, worlds)``.
    """
    marked = np.empty((bound.shape[0], own.shape[1]), dtype=np.bool_)
    for place in range(bound.shape[0]):
        marked[place] = own[bound[place]]
    spread_default(clauses, marked)
    for party in range(own.shape[0]):
        for world in range(own.shape[1]):
            default[party, world] = own[party, world]
    for place in range(bound.shape[0]):
        refers, owed, falls = marked[place], debt[bound[place]], default[bound[place]]
        for world in range(falls.size):
            falls[world] |= refers[world] & (owed[world] > 1e-9)


@kernel(
    boolean, MONTHS, FLAGS, int64, FLAGS, FLAGS, MONTHS, MONTHS, ROWS, CLAUSES, TABLE, OUT_FLAGS, OUT_FLAGS,
)  # fmt: skip
def find_defaults(
    months_missed, closed, first_site, event_of_default, called, waiver, standstill, bound, clauses, debt,
    own, cross_defaulted,
):  # fmt: skip
    """Who reaches legal default by its own arrears or called loan; tells whether there is anybody.

    cross_defaulted: in default only since a debt that its loans refer to is, with bills 60 days late, a borrower that
    is gone, or a site in breach. Sites are the parties from row `first_site` on.
    """
    some, worlds = False, own.shape[1]
    late = np.empty(own.shape, dtype=np.bool_)
    for party in range(own.shape[0]):
        missed, gone, is_late, fails = months_missed[party], closed[party], late[party], own[party]
        for world in range(worlds):
            is_late[world] = (missed[world] >= 2) | gone[world]
            fails[world] = (missed[world] >= waiver[0, world] + standstill[0, world]) & (not gone[world])
    for site in range(called.shape[0]):
        for world in range(worlds):
            late[first_site + site, world] |= event_of_default[site, world]
            own[first_site + site, world] |= called[site, world]
    add_referring(late, bound, clauses, debt, cross_defaulted)
    for party in range(own.shape[0]):
        fails, is_late, crossed = own[party], late[party], cross_defaulted[party]
        for world in range(worlds):
            some |= fails[world]
            crossed[world] &= not is_late[world]
    return some


@kernel(
    void, int64, FLAGS, MONTHS, int64, ROWS, CLAUSES, TABLE, FLAGS, FLAGS, YES_NO, FLAGS, OUT_FLAGS, OUT_MONTHS,
    OUT_FLAGS, OUT_FLAGS,
)  # fmt: skip
def declare_defaults(
    month,
    own,
    month_before,
    never,
    bound,
    clauses,
    debt,
    cross_acceleration,
    closed,
    may_fail,
    crossed_before,
    new,
    default_month,
    gone,
    crossed,
):
    """Declare legal default of those who reach it, and where loans refer to each other of those that refer to them.

    new: in default since this `month`; default_month: the month of each party's default, or `never`; gone: who has left
    the market, now or before; crossed: who else is in default only by reference.
    """
    dead, spread = np.empty(own.shape, dtype=np.bool_), np.empty(own.shape, dtype=np.bool_)
    for party in range(own.shape[0]):
        falls, fails, before = dead[party], own[party], month_before[party]
        for world in range(falls.size):
            falls[world] = fails[world] | (before[world] != never)
    add_referring(dead, bound, clauses, debt, spread)
    for party in range(own.shape[0]):
        falls, fails, refers, shut = new[party], own[party], spread[party], closed[party]
        before, now, may = month_before[party], default_month[party], may_fail[party]
        for world in range(falls.size):
            called = refers[world] & (fails[world] | cross_acceleration[0, world])
            falls[world] = called & (not shut[world]) & may
            now[world] = month if falls[world] else before[world]
        left, refers_only, only_before = gone[party], crossed[party], crossed_before[party]
        for world in range(falls.size):
            left[world] = shut[world] | falls[world]
            refers_only[world] = only_before[world] & (not left[world])


@kernel(
    void, FLAGS, TABLE, TABLE, TABLE, ROWS, YES_NO, TABLE, TABLE, TABLE, TABLE, TABLE, OUT_FLAGS, OUT, OUT, OUT,
)  # fmt: skip
def grant_cuts(
    asks, asked_cut, owed, shares, seller, of_lab, let, old_rent, recovery, survival, concession_before,
    grants, price, given, concession,
):  # fmt: skip
    """Whether the seller of each contract grants the `asked_cut`, and what it gives up by it.

    It does if survival x (what it is still owed + its shares in the lab) >= re-letting + recovery of damages. `owed`:
    present value of the next five years' minimum payments, US$bn; shares: what each party's in the lab are worth, of
    which each of a seller's contracts counts its part; let: the share that finds a second tenant, at the old rent if
    that is less. price comes in as it was; concession ``(parties, worlds)`` is all that was ever given up.
    """
    owed_to, gained = np.zeros(shares.shape), np.zeros(shares.shape)
    for contract in range(owed.shape[0]):
        for world in range(owed.shape[1]):
            owed_to[seller[contract], world] += owed[contract, world]
    for contract in range(owed.shape[0]):
        who = seller[contract]
        for world in range(owed.shape[1]):
            due, cut = owed[contract, world], asked_cut[0, world]
            stake = shares[who, world] * due / max(owed_to[who, world], 1e-9)
            relet = let[0, world] * min(old_rent[0, world] / max(price[contract, world], 1e-9), 1.0)
            without = due * (relet + recovery[0, world] * (1.0 - relet))
            with_cut = survival[0, world] * (due * (1.0 - cut) + stake)
            agrees = asks[0, world] and due > 0.0 and with_cut >= without and of_lab[contract]
            cut = cut if agrees else 0.0
            grants[contract, world], given[contract, world] = agrees, due * cut
            price[contract, world] = price[contract, world] * (1.0 - cut)
            gained[who, world] += due * cut
    for party in range(shares.shape[0]):
        for world in range(shares.shape[1]):
            concession[party, world] = concession_before[party, world] + gained[party, world]


@kernel(void, FLAGS, TABLE, TABLE, TABLE, ROWS, OUT)
def price_estates(new, real_assets, liquidation_value, value_share, firm, proceeds):
    """What buyers pay for the assets of `new` estates, a row for each of the parties `firm`, US$bn.

    book value x the share that a liquidation fetches x the value of all chips and halls over their book value.
    """
    for place in range(firm.shape[0]):
        row = firm[place]
        for world in range(proceeds.shape[1]):
            assets = max(real_assets[row, world], 0.0) * new[row, world]
            proceeds[place, world] = assets * (liquidation_value[row, world] * value_share[row, world])


@kernel(boolean, TABLE, FLAGS, ROWS, OUT)
def left_after_default(cash, closed, firm, left):
    """Money that reached the parties `firm` after legal default took them out; tells whether there is any."""
    some = False
    for place in range(firm.shape[0]):
        held, gone, rest = cash[firm[place]], closed[firm[place]], left[place]
        for world in range(rest.size):
            rest[world] = max(held[world], 0.0) * gone[world]
            some |= rest[world] > 0.0
    return some


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, MONTHS, YES_NO, FLAGS, int64, MONTHS, TABLE, TABLE, TABLE, TABLE, int64, TABLE,
    TABLE, TABLE, TABLE, float64, TABLE, FLAGS, OUT_FLAGS,
)  # fmt: skip
def find_trapped(
    cash, line, earnings, service, horizon, may_fail, closed, first_site, months_complete, rent_billed,
    rent_from_others, operating_share, service_of_sites, lab, revenue, growth, minimum_due, cost_level, revenue_share,
    signed, trapped_before, trapped,
):  # fmt: skip
    """Whether a party's cash, undrawn line and projected operations fall short of the months of the `horizon`.

    Firms: yearly earnings against debt service of a month; sites in service: cash and rent less running costs. The
    lab: cash, line, equity that is signed, and the mean of its revenue now and grown, against its minimum payments,
    costs and the share of its revenue that it owes. Who was trapped before stays so.
    """
    worlds = trapped.shape[1]
    for party in range(trapped.shape[0]):
        held, undrawn, earned, due = cash[party], line[party], earnings[party], service[party]
        lacks, may = trapped[party], may_fail[party]
        for world in range(worlds):
            years = horizon[0, world] / 12.0
            lacking = held[world] + undrawn[world] + earned[world] * years < due[world] * horizon[0, world]
            lacks[world] = lacking & may
    for site in range(months_complete.shape[0]):
        for world in range(worlds):
            years = horizon[0, world] / 12.0
            rent = (rent_billed[site, world] + rent_from_others[site, world]) * 12.0
            kept = rent * (1.0 - operating_share[site, world]) * years
            due = service_of_sites[site, world] * horizon[0, world]
            short = cash[first_site + site, world] + kept < due
            trapped[first_site + site, world] = short & (months_complete[site, world] > 0)
    for world in range(worlds):
        years = horizon[0, world] / 12.0
        sold = revenue[0, world] * (1.0 + growth[0, world]) / 2.0 * years
        owed = minimum_due[0, world] + cost_level[0, world] * years
        owed = owed + revenue_share * sold
        trapped[lab, world] = cash[lab, world] + line[lab, world] + signed[0, world] + sold < owed
    for party in range(trapped.shape[0]):
        lacks, before, gone = trapped[party], trapped_before[party], closed[party]
        for world in range(worlds):
            lacks[world] = before[world] | (lacks[world] & (not gone[world]))
