"""The schedules of loans, compiled: a row for each loan, worlds last; told in words in `model/credit.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. `debtor`, `lender` and `site` are row numbers of each loan (a
site of -1: none); money is US$bn, rates are per year, flags and months whole numbers.
"""

import numpy as np
from numba import boolean, float64, int64, void

from agents.kernels import FLAGS, MONTHS, OUT, OUT_FLAGS, OUT_MONTHS, ROWS, TABLE, YES_NO, kernel

SUMS = float64[:, :, ::1]


@kernel(
    void, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE,
    OUT, OUT_FLAGS, OUT, OUT,
)  # fmt: skip
def move_credit(
    enabled, rate, start, reversion, volatility, shock, was_frozen, draw, freeze, thaw, forced, freeze_multiple,
    freeze_openness, base_rate, frozen, multiple, openness,
):  # fmt: skip
    """Base rate: start pulls, a shock pushes, never below 0. Regime: calm freezes and a freeze thaws by chance.

    `forced`: the multiple of a freeze that is dated, else 0. Changes base_rate, frozen, multiple and openness.
    """
    for world in range(rate.shape[1]):
        now = rate[0, world]
        moved = reversion[0, world] * (start[0, world] - now) + volatility[0, world] * shock[0, world]
        base_rate[0, world] = max(now + moved if enabled[0, world] else now, 0.0)
        stays = (
            draw[0, world] >= thaw[0, world] if was_frozen[0, world] else draw[0, world] < freeze[0, world]
        )
        dated = forced[0, world] > 0.0
        is_frozen = (stays and enabled[0, world]) or dated
        widened = forced[0, world] if dated else freeze_multiple[0, world]
        frozen[0, world] = is_frozen
        multiple[0, world] = widened if is_frozen else 1.0
        openness[0, world] = freeze_openness[0, world] if is_frozen else 1.0


@kernel(
    void, TABLE, TABLE, FLAGS, FLAGS, FLAGS, TABLE, TABLE, FLAGS, TABLE, TABLE, TABLE, OUT, OUT
)  # fmt: skip
def move_rates(
    base, market, by_risk, floating, new_money, drawn, balance, is_rolled, rolls, margin_before, rate_before,
    margin, rate,
):  # fmt: skip
    """Let last month's draws carry the market's margin, floating loans the base rate, rolled bonds the market's rate.

    A line costs the average of its tranches. Draws are priced so while lenders price `by_risk`.
    """
    loans, worlds = rate.shape
    for loan in range(loans):
        floats, is_new, rolled = floating[loan, 0], new_money[loan, 0], is_rolled[loan, 0]
        added, costs = margin[loan], rate[loan]
        for world in range(worlds):
            added[world], costs[world] = margin_before[loan, world], rate_before[loan, world]
        if is_new:
            for world in range(worlds):
                if by_risk[0, world]:
                    asked = market[loan, world]
                    share = min(drawn[loan, world] / max(balance[loan, world], 1e-9), 1.0)
                    added[world] += share * (asked - added[world])
                    if not floats:
                        costs[world] += share * (base[0, world] + asked - costs[world])
        if floats:
            for world in range(worlds):
                costs[world] = base[0, world] + added[world]
        elif rolled:
            for world in range(worlds):
                asked = base[0, world] + market[loan, world]
                costs[world] += rolls[loan, 0] / 12.0 * (asked - costs[world])


@kernel(void, FLAGS, TABLE, TABLE, FLAGS, TABLE, TABLE, TABLE, ROWS, OUT)
def price_new_money(floating, margin, spread, by_risk, quoted, multiple, remembered, lender, asked):
    """The margin asked for new money: of a calm market x the regime's multiple + what the lender remembers of losses.

    Calm: what is `quoted` while lenders price `by_risk`, else the `margin` of the opening books or, for what does not
    float, the corporate spread. remembered: ``(parties, worlds)``.
    """
    loans, worlds = asked.shape
    for loan in range(loans):
        who, floats = lender[loan], floating[loan, 0]
        for world in range(worlds):
            calm = margin[loan, 0] if floats else spread[0, world]
            if by_risk[0, world]:
                calm = quoted[loan, world]
            asked[loan, world] = calm * multiple[0, world] + remembered[who, world]


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, FLAGS, YES_NO, ROWS, ROWS, ROWS,
    TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT,
)  # fmt: skip
def quote_loans(
    monthly_default, leverage, cover, hanging, funds, capital_charge, is_site, is_secured, linked, borrower, debtor,
    lender, site_loss, secured_loss, unsecured_loss, operating_cost, leverage_free, leverage_slope, cover_free,
    cover_slope, concentration_free, concentration_slope, rate, quoted,
):  # fmt: skip
    """The margin of `model.pricing.quote` over the cost of funds on each loan.

    monthly_default has a row for each `borrower`, a number for each loan; leverage, cover and hanging (share of a
    lender's limit that hangs on the lab) are ``(parties, worlds)``; funds is the monthly cost of funds and `rate` 12
    times it.
    """
    loans, worlds = quoted.shape
    for loan in range(loans):
        owes, hangs, asked = debtor[loan], hanging[lender[loan]], quoted[loan]
        defaults, turns, covered = monthly_default[borrower[loan]], leverage[owes], cover[owes]
        lost = (
            site_loss[0]
            if is_site[loan, 0]
            else secured_loss[0]
            if is_secured[loan, 0]
            else unsecured_loss[0]
        )
        counts = 1.0 if linked[loan] else 0.0
        for world in range(worlds):
            fair = (1.0 + funds[0, world]) / (1.0 - defaults[world] * lost[world]) - 1.0
            concentration = hangs[world] * counts
            add_on = leverage_slope[0, world] * max(turns[world] - leverage_free[0, world], 0.0)
            add_on += cover_slope[0, world] * max(cover_free[0, world] - covered[world], 0.0)
            add_on += concentration_slope[0, world] * max(concentration - concentration_free[0, world], 0.0)
            whole = rate[0, world] + 12.0 * (fair - funds[0, world]) + capital_charge[0, world]
            asked[world] = whole + operating_cost[0, world] + add_on - rate[0, world]


@kernel(
    boolean, int64, TABLE, TABLE, int64, int64, TABLE, MONTHS, FLAGS, FLAGS, TABLE, TABLE, FLAGS, TABLE, FLAGS, TABLE,
    TABLE, ROWS, ROWS, TABLE, TABLE, TABLE, TABLE, TABLE, int64, FLAGS, ROWS, MONTHS, OUT, OUT, OUT, OUT, OUT_MONTHS,
)  # fmt: skip
def fall_due(
    month, balance, payable, principal, bullets, rate, maturity, is_level, is_rolled, schedule, once, by_draw,
    repayment, of_vehicle, in_service, ahead, site, place, monthly, payments, discount, agreed,
    prepayment, first_partner, line_of, debtor, amortised_before,
    interest, scheduled, bullet, rolled_over, amortised,
):  # fmt: skip
    """What falls due on each loan: interest, scheduled principal, and what is due at once; what is rolled over.

    scheduled = equal parts until maturity, or the contract's table, or what was drawn over its term, or the level
    payment less interest, of what is not overdue: `principal` and `bullets` are the first legs of these in payable. At
    maturity the rest falls due but for what was agreed to be refinanced; so do parts due `once`; and a partner, a party
    from row `first_partner` on, may prepay its line out of spare cash. A site's loan is repaid by level payments,
    balance / `model.ladder.annuity_factor` at a monthly rate over the payments that are left, once no hall is `ahead`
    ``(sites, worlds)``: discount = (1 + monthly)^-payments - 1, ``(site loans, worlds)``; `place` is its row there, -1
    for other loans. Tells whether anything is rolled over; amortised counts on.
    """
    loans, worlds = interest.shape
    some, owed = False, np.empty(worlds)
    for loan in range(loans):
        row, on, who = place[loan], site[loan], debtor[loan]
        due, plan, rest, again = interest[loan], scheduled[loan], bullet[loan], rolled_over[loan]
        drawn, yearly, ends, months = balance[loan], rate[loan], maturity[loan], amortised[loan]
        partner = who - first_partner
        late, late_at_once = payable[principal + loan], payable[bullets + loan]
        level, rolled, part, at_once = is_level[loan, 0], is_rolled[loan, 0], schedule[loan, 0], once[loan, 0]
        for world in range(worlds):
            owed[world] = max(drawn[world] - (late[world] + late_at_once[world]), 0.0)
        for world in range(worlds):
            due[world] = drawn[world] * yearly[world] / 12.0
        for world in range(worlds):
            again[world], months[world] = 0.0, amortised_before[loan, world]
        for world in range(worlds):
            plan[world], rest[world] = min(part, owed[world]), min(owed[world], at_once)
        if level:
            for world in range(worlds):
                plan[world] = owed[world] / max(ends[world] - month, 1) + plan[world]
        if by_draw[loan, 0]:
            for world in range(worlds):
                runs = in_service[0, world] if of_vehicle[loan, 0] else 1.0
                plan[world] += min(repayment[loan, world] * runs, owed[world])
        if row >= 0:
            for world in range(worlds):
                if ahead[on, world] <= 0.0:
                    annuity_factor = payments[row, world]
                    if monthly[row, world] != 0.0:
                        annuity_factor = -discount[row, world] / monthly[row, world]
                    level_payment = owed[world] / annuity_factor
                    plan[world] += min(max(level_payment - due[world], 0.0), owed[world])
                    months[world] += 1
        if not rolled and not level:
            for world in range(worlds):
                if ends[world] == month:
                    again[world] = min(agreed[loan, world], owed[world])
                    rest[world] += max(owed[world] - plan[world], 0.0) - again[world]
                    rest[world] = max(rest[world], 0.0)
                    some |= again[world] > 0.0
        if line_of[loan, 0] and 0 <= partner < prepayment.shape[0]:
            for world in range(worlds):
                rest[world] = max(rest[world], min(prepayment[partner, world], owed[world] - plan[world]))
    return some


@kernel(void, TABLE, TABLE, ROWS, ROWS, TABLE, ROWS, OUT, OUT, OUT, OUT)
def add_service(
    interest, principal, debtor, site, rate, first_of_site, service, of_parties, of_sites, rate_of_sites
):
    """Debt service of each loan, and added up by party and by site, which come in as zeros; the rate of a site's loan.

    That is the rate of the `first_of_site`.
    """
    loans, worlds = service.shape
    for at in range(first_of_site.shape[0]):
        for world in range(worlds):
            rate_of_sites[at, world] = rate[first_of_site[at], world]
    for loan in range(loans):
        at, who = site[loan], debtor[loan]
        for world in range(worlds):
            service[loan, world] = interest[loan, world] + principal[loan, world]
        for world in range(worlds):
            of_parties[who, world] += service[loan, world]
        if at >= 0:
            for world in range(worlds):
                of_sites[at, world] += service[loan, world]


@kernel(
    void, int64, FLAGS, FLAGS, MONTHS, MONTHS, TABLE, TABLE, FLAGS, FLAGS, FLAGS, ROWS, ROWS,
    OUT, OUT, OUT, OUT, OUT,
)  # fmt: skip
def find_room(
    month, signed, stopped, start, maturity, commitment, balance, line_of, by_draw, is_site,
    debtor, site, undrawn, of_lines, on_chips, of_sites, owed_by_sites,
):  # fmt: skip
    """What may still be drawn on each loan, on each party's line, on its chips and by each site; what each site owes.

    A loan may be drawn from its start to its maturity while it is signed and draws are not stopped; those that are
    repaid draw by draw pay for chips. The last four come in as zeros.
    """
    loans, worlds = undrawn.shape
    for loan in range(loans):
        at, who, begun = site[loan], debtor[loan], start[loan, 0] <= month
        for world in range(worlds):
            is_open = signed[loan, world] and not stopped[loan, world]
            is_open = is_open and begun and month < maturity[loan, world]
            room = max(commitment[loan, world] - balance[loan, world], 0.0)
            undrawn[loan, world] = room if is_open else 0.0
        if line_of[loan, 0]:
            for world in range(worlds):
                of_lines[who, world] += undrawn[loan, world]
        if by_draw[loan, 0]:
            for world in range(worlds):
                on_chips[who, world] += undrawn[loan, world]
        if at >= 0:
            for world in range(worlds):
                owed_by_sites[at, world] += balance[loan, world]
            if is_site[loan, 0]:
                for world in range(worlds):
                    of_sites[at, world] += undrawn[loan, world]


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, FLAGS, FLAGS, ROWS, ROWS, OUT)
def share_draws(
    undrawn, undrawn_of_sites, by_party, by_site, chips, line_of, is_site, by_draw, debtor, site, wanted
):
    """Share what parties, sites and chip orders want to draw out over the loans, each within what is undrawn.

    A site draws on its loans in proportion to what is undrawn on each.
    """
    loans, worlds = wanted.shape
    for loan in range(loans):
        at, party = site[loan], debtor[loan]
        for world in range(worlds):
            asked = by_party[party, world] if line_of[loan, 0] else 0.0
            if is_site[loan, 0]:
                share = undrawn[loan, world] / max(undrawn_of_sites[at, world], 1e-12)
                asked += share * by_site[at, world]
            if by_draw[loan, 0]:
                asked += chips[party, world]
            wanted[loan, world] = min(asked, undrawn[loan, world])


@kernel(void, TABLE, TABLE, TABLE, TABLE, int64, int64, int64, TABLE, ROWS, SUMS, OUT)
def add_by_site(
    interest_due, principal_due, flow, payable, interest, principal, bullets, balance, site, service, owed
):
    """Add up by site what its loans were billed, were paid and left of interest and principal, and what they owe.

    interest, principal and bullets: the first legs of these in flow and payable. Service ``(6, sites, worlds)`` and
    owed come in as zeros.
    """
    loans, worlds = balance.shape
    for loan in range(loans):
        at, first, second, third = site[loan], interest + loan, principal + loan, bullets + loan
        if at >= 0:
            for world in range(worlds):
                service[0, at, world] += interest_due[loan, world]
                service[1, at, world] += principal_due[loan, world]
                service[2, at, world] += flow[first, world]
                service[3, at, world] += flow[second, world] + flow[third, world]
                service[4, at, world] += payable[first, world]
                service[5, at, world] += payable[second, world] + payable[third, world]
                owed[at, world] += balance[loan, world]


@kernel(boolean, TABLE, TABLE, ROWS, ROWS, OUT)
def share_prepayment(amounts, balance, rows, site, parts):
    """Share what sites prepay, ``(sites, worlds)``, among their loans, some `rows` of all, by what each owes.

    No loan is paid more than it owes. Tells whether anything is prepaid.
    """
    some, owed = False, np.zeros(amounts.shape)
    for row in range(rows.shape[0]):
        for world in range(parts.shape[1]):
            owed[site[rows[row]], world] += balance[rows[row], world]
    for row in range(rows.shape[0]):
        at, loan = site[rows[row]], rows[row]
        for world in range(parts.shape[1]):
            share = balance[loan, world] / max(owed[at, world], 1e-12)
            parts[row, world] = min(share * amounts[at, world], balance[loan, world])
            some |= amounts[at, world] != 0.0
    return some


@kernel(void, TABLE, TABLE, ROWS, FLAGS, OUT)
def rent_if_relet(rent_due, relet_share, tenant, closed, rent):
    """Yearly rent that an appraiser counts for each site: the lease's or, where the tenant has gone, the next one's."""
    for site in range(rent.shape[0]):
        gone = closed[tenant[site]]
        for world in range(rent.shape[1]):
            rent[site, world] = rent_due[site, world] * 12.0 * (relet_share[0, world] if gone[world] else 1.0)


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, float64, OUT)
def value_sites(rent, base_rate, spread, multiple, followed, least, value):
    """Value of sites: yearly rent / (base rate + spread x (1 + the share `followed` of how much wider it is)).

    multiple: the spread over that of a calm market. The yield is at `least` so much.
    """
    for site in range(value.shape[0]):
        for world in range(value.shape[1]):
            wider = 1.0 + followed[site, world] * (multiple[0, world] - 1.0)
            asked = base_rate[0, world] + spread[0, world] * wider
            value[site, world] = rent[site, world] / max(asked, least)


@kernel(void, TABLE, ROWS, int64, TABLE, TABLE, TABLE, TABLE, float64, OUT)
def room_with_lenders(balance, lender, first_bank, limit, lent, name_limit, exposure, unbounded, room):
    """What each loan's lender may hold of it, beside all else that it has lent.

    A bank, a party from row `first_bank` on, is bound by its limit and by that for what hangs on the lab.
    """
    for loan in range(balance.shape[0]):
        bank = lender[loan] - first_bank
        is_bank = 0 <= bank < limit.shape[0]
        for world in range(balance.shape[1]):
            left = unbounded
            if is_bank:
                of_name = name_limit[bank, world] - exposure[bank, world]
                left = min(limit[bank, world] - lent[bank, world], of_name)
            room[loan, world] = max(left + balance[loan, world], 0.0)


@kernel(
    void, ROWS, int64, TABLE, FLAGS, ROWS, MONTHS, MONTHS, MONTHS, FLAGS, MONTHS, TABLE, TABLE, float64, TABLE, TABLE,
    TABLE, int64, TABLE, TABLE, MONTHS, FLAGS, TABLE, ROWS, FLAGS, ROWS, TABLE, float64, OUT, OUT, OUT, OUT, OUT, OUT,
)  # fmt: skip
def terms_of_renewal(
    rows, month, balance, is_site, site, lease_end, profile, amortised, profile_within_lease, years, base, margin,
    points, rent, operating_share, site_worth, first_firm, leverage, leverage_ceiling, months_missed, closed, openness,
    debtor, by_banks, lender, cash, unbounded,
    request, value, cash_flow, monthly, payments, liquidity,
):  # fmt: skip
    """What `model.pricing.advance` is asked for loans of some `rows` that fall due in a year.

    A site asks for its balance if its lease outlasts the new loan of so many `years`; its loans share its worth and
    its rent less running costs by what is owed on each, and the new profile is what is left, five years at least, and
    may have to end with the lease. A firm asks for its balance while its leverage is bearable and nothing in arrears,
    times the openness of the market; neither its value nor its cash binds. monthly: rate of base + margin + points. A
    bank lends what it has.
    """
    worlds = balance.shape[1]
    owed = np.zeros(rent.shape)
    for loan in range(balance.shape[0]):
        if site[loan] >= 0:
            for world in range(worlds):
                owed[site[loan], world] += balance[loan, world]
    for row in range(rows.shape[0]):
        loan = rows[row]
        at, who, own = site[loan], debtor[loan], lender[loan]
        firm, lease_left = who - first_firm, lease_end[loan, 0] - month - 12
        is_firm = 0 <= firm < leverage.shape[0]
        for world in range(worlds):
            drawn, left = balance[loan, world], max(profile[loan, 0] - 12 - amortised[loan, world], 60)
            if profile_within_lease[0, world]:
                left = min(left, max(lease_left, 1))
            monthly[row, world] = (base[0, world] + margin[loan, world] + points) / 12.0
            payments[row, world] = left
            liquidity[row, world] = cash[own, world] + drawn if by_banks[loan, 0] else drawn + unbounded
            if is_site[loan, 0]:
                part = drawn / max(owed[at, world], 1e-9)
                kept = rent[at, world] * (1.0 - operating_share[at, world])
                request[row, world] = drawn if lease_left >= 12 * years[0, world] else 0.0
                value[row, world], cash_flow[row, world] = site_worth[at, world] * part, kept * part
            else:
                bears = not is_firm or leverage[firm, world] <= 1.15 * leverage_ceiling[firm, world]
                rolls = bears and months_missed[who, world] == 0 and not closed[who, world]
                request[row, world] = drawn * openness[0, world] if rolls else 0.0
                value[row, world], cash_flow[row, world] = unbounded, unbounded


@kernel(void, TABLE, FLAGS, MONTHS, OUT)
def add_vintages(drawn, by_draw, draw_term, repayment):
    """Add to the repayment of loans that are repaid `by_draw` what repays this month's draws over their term."""
    for loan in range(drawn.shape[0]):
        if by_draw[loan, 0]:
            for world in range(drawn.shape[1]):
                repayment[loan, world] += drawn[loan, world] / draw_term[loan, 0]


@kernel(boolean, int64, MONTHS, FLAGS)
def matures_in(month, maturity, some):
    """Whether any of `some` loans ``(loans, 1)`` matures in the month, in any world."""
    found = False
    for loan in range(maturity.shape[0]):
        if some[loan, 0]:
            for world in range(maturity.shape[1]):
                found |= maturity[loan, world] == month
    return found


@kernel(void, TABLE, ROWS, OUT)
def hand_over(sold, sellers, commitment):
    """Take what was `sold`, a row for each of the loans `sellers`, out of what may be drawn on them."""
    for row in range(sellers.shape[0]):
        for world in range(sold.shape[1]):
            commitment[sellers[row], world] -= sold[row, world]


@kernel(boolean, TABLE, float64, OUT)
def left_by_rounding(balance, most, back):
    """What rounding has left below nothing of each loan, at `most` so much; tells whether any is below nothing."""
    some = False
    for loan in range(balance.shape[0]):
        for world in range(balance.shape[1]):
            below = max(-balance[loan, world], 0.0)
            back[loan, world] = below if below < most else 0.0
            some |= below != 0.0
    return some


@kernel(
    boolean, TABLE, TABLE, int64, int64, ROWS, ROWS, ROWS, TABLE, TABLE, ROWS, FLAGS, FLAGS, OUT
)  # fmt: skip
def share_to_sell(
    balance, payable, principal, bullets, sellers, sold, bank, sell_down_share, sell_down_months, debtor, closed,
    frozen, wanted,
):  # fmt: skip
    """What each of the loans `sellers` sells on this month to its twin in `sold`; tells whether any is sold.

    What is held above 1 - the share of its `bank`, over the months; nothing of whose debtor is gone, of what has
    principal or bullets overdue, their first legs in payable, or in a freeze.
    """
    some = False
    for row in range(sellers.shape[0]):
        loan, syndicate = sellers[row], bank[row]
        for world in range(wanted.shape[1]):
            held, passed = balance[loan, world], balance[sold[row], world]
            keep = 1.0 - sell_down_share[syndicate, world]
            excess = max(held - keep * (held + passed), 0.0) / sell_down_months[syndicate, world]
            overdue = payable[principal + loan, world] + payable[bullets + loan, world]
            sells = not closed[debtor[loan], world] and overdue <= 0.0 and not frozen[0, world]
            wanted[row, world] = excess if sells else 0.0
            some |= wanted[row, world] > 0.0
    return some


@kernel(
    boolean, FLAGS, ROWS, TABLE, TABLE, int64, int64, FLAGS, TABLE, OUT, OUT_FLAGS, OUT
)  # fmt: skip
def call_loans(
    closed, debtor, balance, payable, principal, bullets, accelerated_before, claimed_before, rest, accelerated, claimed
):  # fmt: skip
    """Call the balance of loans to `closed` debtors, but for what is billed of it already; tells whether there is any.

    principal and bullets: their first legs in payable. Changes the rest that is called, and what was ever called.
    """
    some = False
    for loan in range(balance.shape[0]):
        who = debtor[loan]
        for world in range(balance.shape[1]):
            owed, gone = balance[loan, world], closed[who, world]
            billed = payable[principal + loan, world] + payable[bullets + loan, world]
            rest[loan, world] = max(owed - billed, 0.0) if gone else 0.0
            accelerated[loan, world] = accelerated_before[loan, world] or gone
            claimed[loan, world] = owed if gone else claimed_before[loan, world]
            some |= gone
    return some


@kernel(void, FLAGS, ROWS, TABLE, TABLE, OUT)
def add_losses(estates, debtor, balance, lost_before, lost):
    """Add what estates ``(parties, worlds)`` leave unpaid of each loan to what was lost of it before."""
    for loan in range(balance.shape[0]):
        for world in range(balance.shape[1]):
            gone = balance[loan, world] if estates[debtor[loan], world] else 0.0
            lost[loan, world] = lost_before[loan, world] + gone


@kernel(boolean, ROWS, TABLE, MONTHS, MONTHS, ROWS, TABLE, OUT, OUT)
def level_terms(rows, rate, profile, amortised, site, ahead, monthly, payments):
    """Monthly rate and payments left of the level profile of some loans, `rows` of all; one payment at least.

    Tells whether any of their sites is complete, with nothing `ahead` ``(sites, worlds)``.
    """
    some = False
    for place in range(rows.shape[0]):
        loan, left = rows[place], ahead[site[rows[place]]]
        for world in range(rate.shape[1]):
            monthly[place, world] = rate[loan, world] / 12.0
            payments[place, world] = max(profile[loan, 0] - amortised[loan, world], 1)
            some |= left[world] <= 0.0
    return some


@kernel(void, TABLE, YES_NO, float64, OUT)
def grow_of_others(balance, linked, opening, growth):
    """Growth, from 0 to 1, of the debt that is not `linked` to the lab over what it was at the `opening`."""
    worlds = growth.shape[1]
    growth[:] = 0.0
    for loan in range(balance.shape[0]):
        if not linked[loan]:
            for world in range(worlds):
                growth[0, world] += balance[loan, world]
    for world in range(worlds):
        growth[0, world] = min(max(growth[0, world] / opening - 1.0, 0.0), 1.0)


@kernel(
    void, TABLE, TABLE, int64, TABLE, TABLE, TABLE, TABLE, TABLE, int64, TABLE, TABLE, TABLE, TABLE, ROWS,
    OUT, OUT, OUT, OUT, OUT, OUT,
)  # fmt: skip
def look_at_borrowers(
    real_assets, shares_held, lab, valuation, multiple, earned, rent, site_worth, first_site, volatility_of_firms,
    site_volatility, site_drift, debt, borrowers,
    earnings, value, worth, owed, drift, volatility,
):  # fmt: skip
    """What lenders see: earnings and value of each party; of `borrowers`, what their default probability comes from.

    A firm is worth a multiple of its earnings or, where that is more, its real assets and shares, the lab what
    investors think it is worth; a site its capitalised rent, and it earns its rent. Sites are the parties from row
    `first_site` on, a row each of rent and site_worth.
    """
    worlds, sites = debt.shape[1], rent.shape[0]
    for party in range(debt.shape[0]):
        site = party - first_site
        for world in range(worlds):
            held = max(real_assets[party, world], 0.0) + shares_held[party, world]
            if party == lab:
                held += valuation[0, world]
            times = max(multiple[party, world], 1.0)
            earnings[party, world] = max(earned[party, world], held / times)
            value[party, world] = times * earnings[party, world]
            if 0 <= site < sites:
                earnings[party, world], value[party, world] = rent[site, world], site_worth[site, world]
    for row in range(borrowers.shape[0]):
        who = borrowers[row]
        is_site = 0 <= who - first_site < sites
        for world in range(worlds):
            worth[row, world], owed[row, world] = value[who, world], max(debt[who, world], 1e-9)
            drift[row, world] = site_drift[0, world] if is_site else 0.0
            firm = max(volatility_of_firms[who, world], 0.01)
            volatility[row, world] = site_volatility[0, world] if is_site else firm


@kernel(
    void, TABLE, TABLE, ROWS, ROWS, TABLE, int64, TABLE, TABLE, ROWS, TABLE, TABLE, OUT, OUT, OUT, OUT
)  # fmt: skip
def judge_borrowers(
    yearly, worst, borrowers, tenant, tenant_weight, first_site, balance, rate, debtor, earnings, debt,
    probability, counted, leverage, cover,
):  # fmt: skip
    """Default probability of each party, a row each of `yearly` for borrowers, and its ratios; what of it counts.

    A site's lender counts a share of its tenant's too. leverage = debt / earnings of firms; cover = earnings /
    interest. Changes probability, leverage and cover ``(parties, worlds)``, and counted, a row for each borrower.
    """
    parties, worlds = debt.shape
    probability[:] = 0.0
    for row in range(borrowers.shape[0]):
        chance, of_term = probability[borrowers[row]], yearly[row]
        for world in range(worlds):
            chance[world] = min(of_term[world], worst[0, world])
    for site in range(tenant.shape[0]):
        for world in range(worlds):
            own, others = probability[first_site + site, world], probability[tenant[site], world]
            joint = (1.0 - own) * (1.0 - others * tenant_weight[0, world])
            probability[first_site + site, world] = 1.0 - joint
    cover[:] = 0.0
    for loan in range(balance.shape[0]):
        drawn, asked, interest = balance[loan], rate[loan], cover[debtor[loan]]
        for world in range(worlds):
            interest[world] += drawn[world] * asked[world]
    for row in range(borrowers.shape[0]):
        chance, counts = probability[borrowers[row]], counted[row]
        for world in range(worlds):
            counts[world] = min(chance[world], worst[0, world])
    for party in range(parties):
        is_site = 0 <= party - first_site < tenant.shape[0]
        earned, owed, covered, turns = earnings[party], debt[party], cover[party], leverage[party]
        for world in range(worlds):
            covered[world] = min(earned[world] / max(covered[world], 1e-3), 10.0)
        for world in range(worlds):
            times = min(max(owed[world] / max(earned[world], 0.05), 0.0), 20.0)
            turns[world] = 0.0 if is_site else times


@kernel(void, MONTHS, FLAGS, FLAGS, FLAGS, ROWS, ROWS, ROWS, OUT_FLAGS)
def find_stopped(months_missed, cross_defaulted, closed, breached, tenant, debtor, site, stopped):
    """Whether draws stop: the borrower or the site's tenant in arrears, cross-default or gone, the covenant broken.

    Cross-default stops the borrower's own draws, not those of sites whose tenant it is.
    """
    loans, worlds = stopped.shape
    for loan in range(loans):
        party, at, stops = debtor[loan], site[loan], stopped[loan]
        late, crossed, gone = months_missed[party], cross_defaulted[party], closed[party]
        for world in range(worlds):
            stops[world] = (late[world] > 0) | crossed[world] | gone[world]
        if at >= 0:
            late, broken, gone = months_missed[tenant[at]], breached[at], closed[tenant[at]]
            for world in range(worlds):
                stops[world] |= broken[world] | (late[world] > 0) | gone[world]


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, FLAGS, FLAGS, ROWS, ROWS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS,
    float64, OUT, OUT, OUT, OUT,
)  # fmt: skip
def ration_new_lending(
    base, margin, balance, may_hold, new_money, by_banks, debtor, lender, cash, debt, value, loan_to_value, earnings,
    cover, rations, unbounded, rate, room, liquidity, most,
):  # fmt: skip
    """The debt up to which lenders lend to each party anew: `model.pricing.advance`, at today's rate of its line.

    The least of loan-to-value x value, earnings / (cover x rate), and debt plus what the bank may hold of its line and
    has; `unbounded` without a line of new money, and what others than banks may hold and have is so. may_hold ``(loans,
    worlds)``. Changes rate, room and liquidity ``(parties, worlds)``, which come in as zeros.
    """
    parties, worlds = most.shape
    for party in range(parties):
        for world in range(worlds):
            most[party, world] = unbounded
    for loan in range(balance.shape[0]):
        if new_money[loan, 0]:
            owes, owns = debtor[loan], lender[loan]
            for world in range(worlds):
                rate[owes, world] += base[0, world] + margin[loan, world]
                room[owes, world] += may_hold[loan, world] - balance[loan, world]
                liquidity[owes, world] += cash[owns, world] if by_banks[loan, 0] else unbounded
                most[owes, world] = 0.0
    for party in range(parties):
        for world in range(worlds):
            if rations[0, world] and most[party, world] == 0.0:
                by_value = loan_to_value[0, world] * value[party, world]
                by_cover = earnings[party, world] / max(cover[0, world] * rate[party, world], 1e-12)
                able = min(
                    debt[party, world] + room[party, world], debt[party, world] + liquidity[party, world]
                )
                most[party, world] = max(min(unbounded, min(min(by_value, by_cover), able)), 0.0)
            else:
                most[party, world] = unbounded
