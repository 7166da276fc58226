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
        owes, owns = debtor[loan], lender[loan]
        for world in range(balance.shape[1]):
            debt[owes, world] += balance[loan, world]
        for world in range(balance.shape[1]):
            lent[owns, world] += balance[loan, world]
        if linked[loan]:
            for world in range(balance.shape[1]):
                lent_linked[owns, world] += balance[loan, world]
    for leg in range(payable.shape[0]):
        owes = payer[leg]
        for world in range(balance.shape[1]):
            unpaid[owes, world] += payable[leg, world]


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
    found = True
    while found:  # each turn marks somebody, and nobody twice
        found = False
        for borrower in range(default.shape[0]):
            for referenced in range(default.shape[0]):
                for world in range(default.shape[1]):
                    refers = clauses[borrower, referenced, world if clauses.shape[2] > 1 else 0]
                    if refers and default[referenced, world] and not default[borrower, world]:
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
    default[:] = own
    for place in range(bound.shape[0]):
        row = bound[place]
        for world in range(own.shape[1]):
            default[row, world] |= marked[place, world] and debt[row, world] > 1e-9


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
    some, sites = False, called.shape[0]
    late = np.empty(own.shape, dtype=np.bool_)
    for party in range(own.shape[0]):
        site = party - first_site
        for world in range(own.shape[1]):
            missed, gone = months_missed[party, world], closed[party, world]
            late[party, world] = missed >= 2 or gone
            own[party, world] = missed >= waiver[0, world] + standstill[0, world] and not gone
            if 0 <= site < sites:
                late[party, world] |= event_of_default[site, world]
                own[party, world] |= called[site, world]
            some |= own[party, world]
    add_referring(late, bound, clauses, debt, cross_defaulted)
    for party in range(own.shape[0]):
        for world in range(own.shape[1]):
            cross_defaulted[party, world] &= not late[party, world]
    return some


@kernel(
    void, int64, FLAGS, MONTHS, int64, ROWS, CLAUSES, TABLE, FLAGS, FLAGS, YES_NO, OUT_FLAGS, OUT_MONTHS,
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
    new,
    default_month,
):
    """Declare legal default of those who reach it, and where loans refer to each other of those that refer to them.

    new: in default since this `month`; default_month: the month of each party's default, or `never`.
    """
    dead, spread = np.empty(own.shape, dtype=np.bool_), np.empty(own.shape, dtype=np.bool_)
    for party in range(own.shape[0]):
        for world in range(own.shape[1]):
            dead[party, world] = own[party, world] or month_before[party, world] != never
    add_referring(dead, bound, clauses, debt, spread)
    for party in range(own.shape[0]):
        for world in range(own.shape[1]):
            falls = spread[party, world] and (own[party, world] or cross_acceleration[0, world])
            falls = falls and not closed[party, world] and may_fail[party]
            new[party, world] = falls
            default_month[party, world] = month if falls else month_before[party, world]


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


@kernel(void, FLAGS, TABLE, OUT)
def strike_out(mask, real_assets, change):
    """Change that leaves the masked parties no real assets; who has less than nothing keeps that."""
    for party in range(change.shape[0]):
        for world in range(change.shape[1]):
            change[party, world] = -max(real_assets[party, world], 0.0) * mask[party, world]


@kernel(boolean, TABLE, FLAGS, ROWS, OUT)
def left_after_default(cash, closed, firm, left):
    """Money that reached the parties `firm` after legal default took them out; tells whether there is any."""
    some = False
    for place in range(firm.shape[0]):
        row = firm[place]
        for world in range(left.shape[1]):
            left[place, world] = max(cash[row, world], 0.0) * closed[row, world]
            some |= left[place, world] > 0.0
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
    for party in range(trapped.shape[0]):
        site = party - first_site
        for world in range(trapped.shape[1]):
            months = horizon[0, world]
            years = months / 12.0
            liquid = cash[party, world] + line[party, world]
            ahead = earnings[party, world] * years
            lacking = liquid + ahead < service[party, world] * months and may_fail[party]
            if 0 <= site < months_complete.shape[0]:
                rent = (rent_billed[site, world] + rent_from_others[site, world]) * 12.0
                kept = rent * (1.0 - operating_share[site, world]) * years
                short = cash[party, world] + kept < service_of_sites[site, world] * months
                lacking = short and months_complete[site, world] > 0
            if party == lab:
                sold = revenue[0, world] * (1.0 + growth[0, world]) / 2.0 * years
                owed = minimum_due[0, world] + cost_level[0, world] * years
                owed = owed + revenue_share * sold
                lacking = liquid + signed[0, world] + sold < owed
            new = lacking and not closed[party, world]
            trapped[party, world] = trapped_before[party, world] or new
