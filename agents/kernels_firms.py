"""What firms ask for, borrow, sell and pay out, compiled; each rule says in words what its kernel does.

As in `agents/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Blocks are ``(firms, worlds)``, US$bn where nothing else is said;
those before them are ``(parties, worlds)`` where a kernel asks for the `first` of the firms among all parties.
"""

from numba import boolean, float64, int64, void

from agents.kernels import FLAGS, MONTHS, OUT, TABLE, kernel, part_of_kernel


@kernel(void, int64, TABLE, TABLE, TABLE, FLAGS, TABLE, TABLE, OUT)
def find_need(first, outgoing, incoming, cash, closed, minimum_cash, planned_outlay, need):
    """Buffer + bills + plans - expected receipts - cash, never less than nothing; a firm that is gone needs nothing.

    Changes need.
    """
    for firm in range(need.shape[0]):
        party = first + firm
        for world in range(need.shape[1]):
            asked = minimum_cash[firm, world] + outgoing[party, world] + planned_outlay[firm, world]
            missing = asked - incoming[party, world] - cash[party, world]
            need[firm, world] = 0.0 if closed[party, world] else max(missing, 0.0)


@kernel(void, TABLE, TABLE, OUT)
def ask_little(need, equity_issue_cap, asked):
    """What is missing, at most a twelfth of the shares it can sell in a year. Changes asked."""
    for firm in range(need.shape[0]):
        for world in range(need.shape[1]):
            asked[firm, world] = min(need[firm, world], equity_issue_cap[firm, world] / 12.0)


@kernel(void, TABLE, FLAGS, OUT, OUT)
def ask_parent(need, funded_by_parent, paid, left):
    """What is missing is paid by the parent of who has one; of the others all is left. Changes paid and left."""
    for firm in range(need.shape[0]):
        for world in range(need.shape[1]):
            missing, has_parent = need[firm, world], funded_by_parent[firm, world]
            paid[firm, world] = missing if has_parent else 0.0
            left[firm, world] = 0.0 if has_parent else missing


@kernel(void, int64, MONTHS, TABLE, TABLE, OUT)
def draw_line(first, months_missed, line_undrawn, need, line_draw):
    """What is missing, as far as the line allows; who is in arrears draws nothing. Changes line_draw."""
    for firm in range(need.shape[0]):
        party = first + firm
        for world in range(need.shape[1]):
            room = line_undrawn[party, world] if months_missed[party, world] <= 0 else 0.0
            line_draw[firm, world] = min(need[firm, world], room)


@kernel(
    void, boolean, int64, MONTHS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT,
    OUT, OUT,
)  # fmt: skip
def use_credit(
    january, first, months_missed, debt, most_debt, line_undrawn, openness, need, leverage, leverage_ceiling,
    borrowing_cap, equity_issue_cap, borrowed_before, issued_before, line_draw, share_issue, borrowed_year, issued_year,
):  # fmt: skip
    """Debt for what is missing, as far as cap, line and the most that lenders bear allow; shares, up to their cap, for
    the rest.

    Who is in arrears raises nothing, and who is above the leverage ceiling borrows nothing. The caps are a year's,
    times the market's openness, and count from January. Changes the last four.
    """
    for firm in range(need.shape[0]):
        party = first + firm
        for world in range(need.shape[1]):
            borrowed = 0.0 if january else borrowed_before[firm, world]
            issued = 0.0 if january else issued_before[firm, world]
            pays, open_part = months_missed[party, world] <= 0, openness[0, world]
            willing = pays & (leverage[firm, world] <= leverage_ceiling[firm, world])
            room = max(borrowing_cap[firm, world] * open_part - borrowed, 0.0)
            share_room = max(equity_issue_cap[firm, world] * open_part - issued, 0.0)
            added = max(most_debt[party, world] - debt[party, world], 0.0)
            room = min(min(room if willing else 0.0, added), line_undrawn[party, world])
            drawn = min(need[firm, world], room)
            sold = min(need[firm, world] - drawn, share_room if pays else 0.0)
            line_draw[firm, world], share_issue[firm, world] = drawn, sold
            borrowed_year[firm, world], issued_year[firm, world] = borrowed + drawn, issued + sold


@kernel(void, int64, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT)
def sell_holdings(
    first, holdings, sells_holdings, loan_to_value, limit, need, share_issue, line_draw, borrowed_year, asset_sale
):  # fmt: skip
    """Who sells holdings draws no line above its limit of loan-to-value; it sells for what is missing, at most a tenth.

    Changes line_draw, borrowed_year and asset_sale.
    """
    for firm in range(need.shape[0]):
        for world in range(need.shape[1]):
            sells, drawn = sells_holdings[firm, world], line_draw[firm, world]
            kept = 0.0 if sells and loan_to_value[firm, world] > limit[firm, world] else drawn
            borrowed_year[firm, world] = borrowed_year[firm, world] - (drawn - kept)
            line_draw[firm, world] = kept
            missing = max(need[firm, world] - kept - share_issue[firm, world], 0.0)
            asset_sale[firm, world] = min(missing, 0.1 * holdings[first + firm, world]) if sells else 0.0


@part_of_kernel(float64, float64, int64, boolean, float64, float64)
def dividend_that_stands(payout, months_missed, closed, leverage, cut_leverage):
    """A twelfth of the yearly `payout` of who is in the market, not in arrears and below its leverage of a cut."""
    stands = months_missed <= 0 and not closed and leverage <= cut_leverage
    return payout / 12.0 if stands else 0.0


@kernel(void, int64, MONTHS, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, OUT)
def plan_outlay(
    first, months_missed, closed, payout, leverage, cut_leverage, other_cash, own_investment_share, outlay
):  # fmt: skip
    """What is meant to be invested in other business, a share of its cash flow, and the dividend while it stands.

    Changes outlay.
    """
    for firm in range(outlay.shape[0]):
        party = first + firm
        for world in range(outlay.shape[1]):
            invested = max(other_cash[firm, world], 0.0) * own_investment_share[firm, world]
            outlay[firm, world] = invested + dividend_that_stands(
                payout[firm, world],
                months_missed[party, world],
                closed[party, world],
                leverage[firm, world],
                cut_leverage[firm, world],
            )


@kernel(void, int64, MONTHS, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, OUT)
def pay_dividend(first, months_missed, closed, cash, payout, leverage, cut_leverage, minimum_cash, paid):
    """The dividend while it stands, as far as there is cash beyond half the buffer. Changes paid."""
    for firm in range(paid.shape[0]):
        party = first + firm
        for world in range(paid.shape[1]):
            stands = dividend_that_stands(
                payout[firm, world],
                months_missed[party, world],
                closed[party, world],
                leverage[firm, world],
                cut_leverage[firm, world],
            )
            spare = max(cash[party, world] - 0.5 * minimum_cash[firm, world], 0.0)
            paid[firm, world] = min(stands, spare)


@kernel(void, int64, TABLE, FLAGS, TABLE, TABLE, OUT)
def pay_out_spare(first, cash, closed, payout, minimum_cash, paid):
    """A twelfth of the yearly `payout`, as far as there is cash beyond the buffer. Changes paid."""
    for firm in range(paid.shape[0]):
        party = first + firm
        for world in range(paid.shape[1]):
            spare = max(cash[party, world] - minimum_cash[firm, world], 0.0)
            paid[firm, world] = 0.0 if closed[party, world] else min(payout[firm, world] / 12.0, spare)


@kernel(void, int64, TABLE, FLAGS, TABLE, FLAGS, OUT)
def plan_prepayment(first, cash, closed, minimum_cash, repays_early, prepayment):
    """Half of the cash above three times the buffer, of who repays early. Changes prepayment."""
    for firm in range(prepayment.shape[0]):
        party = first + firm
        for world in range(prepayment.shape[1]):
            spare = max(cash[party, world] - 3.0 * minimum_cash[firm, world], 0.0)
            early = repays_early[firm, world] and not closed[party, world]
            prepayment[firm, world] = 0.5 * spare if early else 0.0


@kernel(void, int64, TABLE, TABLE, TABLE, OUT, OUT)
def track_earnings(first, debt, operating_cash, earnings_before, earnings, leverage):
    """Twelve months of operating cash, smoothed, and debt over it, at most 20. Changes earnings and leverage."""
    for firm in range(earnings.shape[0]):
        party = first + firm
        for world in range(earnings.shape[1]):
            year, before = operating_cash[firm, world] * 12.0, earnings_before[firm, world]
            now = before + (year - before) / 6.0
            earnings[firm, world] = now
            leverage[firm, world] = min(debt[party, world] / max(now, 0.05), 20.0)


@kernel(void, int64, TABLE, TABLE, TABLE, OUT, OUT)
def cover_debt(first, service_now, earnings, service_before, debt_service, dscr):
    """Twelve months of debt service, smoothed, and earnings over it, from -10 to 10. Changes debt_service and dscr."""
    for firm in range(dscr.shape[0]):
        party = first + firm
        for world in range(dscr.shape[1]):
            year, before = service_now[party, world] * 12.0, service_before[firm, world]
            now, earned = before + (year - before) / 6.0, earnings[firm, world]
            cover = earned / max(now, max(earned / 10.0, 1e-6)) if now > 1e-6 else 10.0
            debt_service[firm, world], dscr[firm, world] = now, min(max(cover, -10.0), 10.0)


@kernel(void, int64, FLAGS, TABLE, TABLE, TABLE, OUT, OUT)
def run_compute(first, closed, compute_revenue, running_cost_share, peak_before, peak_revenue, running_cost):
    """Half of the cost follows sales, half the capacity once sold. Changes peak_revenue and running_cost."""
    for firm in range(running_cost.shape[0]):
        party = first + firm
        for world in range(running_cost.shape[1]):
            sold = compute_revenue[firm, world]
            peak = max(peak_before[firm, world], sold)
            peak_revenue[firm, world] = peak
            base = 0.5 * sold + 0.5 * peak
            cost = running_cost_share[firm, world] * base
            running_cost[firm, world] = 0.0 if closed[party, world] else cost


@kernel(void, int64, FLAGS, TABLE, TABLE, OUT)
def earn_elsewhere(first, closed, other_cash_flow, growth, earned):
    """A twelfth of a year's cash flow of the other business, which has grown `growth`-fold. Changes earned."""
    for firm in range(earned.shape[0]):
        party = first + firm
        for world in range(earned.shape[1]):
            month = other_cash_flow[firm, world] * growth[firm, world] / 12.0
            earned[firm, world] = 0.0 if closed[party, world] else month


@kernel(void, int64, TABLE, FLAGS, TABLE, FLAGS, OUT)
def mark_holdings(first, real_assets, closed, gain, sells_holdings, revaluation):
    """What holdings of who sells holdings have gained, a share `gain` of their value. Changes revaluation."""
    for firm in range(revaluation.shape[0]):
        party = first + firm
        for world in range(revaluation.shape[1]):
            marked = 1.0 if sells_holdings[firm, world] and not closed[party, world] else 0.0
            revaluation[firm, world] = real_assets[party, world] * gain[firm, world] * marked


@kernel(void, int64, TABLE, TABLE, TABLE, TABLE, FLAGS, OUT)
def value_holdings(first, debt, cash, real_assets, shares_held, sells_holdings, loan_to_value):
    """Net debt over the market value of holdings, of who sells holdings. Changes loan_to_value."""
    for firm in range(loan_to_value.shape[0]):
        party = first + firm
        for world in range(loan_to_value.shape[1]):
            held = real_assets[party, world] + shares_held[party, world]
            net = max(debt[party, world] - cash[party, world], 0.0)
            loan_to_value[firm, world] = net / max(held, 0.1) if sells_holdings[firm, world] else 0.0


@kernel(
    void, int64, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT
)  # fmt: skip
def invest_cash_flow(
    first, cash, closed, other_cash, own_investment_share, followed, retirement, computing_share, gw_cost,
    capacity_before, surplus_before, investment, capacity, surplus,
):  # fmt: skip
    """Invest a share of cash flow, as far as cash goes; part of it adds GW, and of the old some retire.

    followed: computing capacity beyond that plan, US$bn, for which there is what cash the plan leaves; where it is
    negative, as much less of the plan's. Its GW are the surplus. Changes the last three.
    """
    for firm in range(capacity.shape[0]):
        party = first + firm
        for world in range(capacity.shape[1]):
            wanted = max(other_cash[firm, world], 0.0) * own_investment_share[firm, world]
            purse, live = max(cash[party, world], 0.0), 0.0 if closed[party, world] else 1.0
            planned = min(wanted, purse) * live
            computing, cost = planned * computing_share[firm, world], gw_cost[firm, world]
            more = min(max(followed[firm, world], -computing), purse - planned) * live
            had, retires = capacity_before[firm, world], retirement[firm, world] / 12.0
            investment[firm, world] = planned + more
            built = (computing + more) / cost
            capacity[firm, world] = had + built - had * retirement[firm, world] / 12.0
            surplus[firm, world] = surplus_before[firm, world] * (1.0 - retires) + more / cost
