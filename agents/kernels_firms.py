"""What firms ask for, borrow, sell and pay out, compiled; each rule says in words what its kernel does.

As in `agents/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Blocks are ``(firms, worlds)``, US$bn where nothing else is said.
"""

from numba import boolean, void

from agents.kernels import FLAGS, MONTHS, OUT, TABLE, kernel


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT)
def find_need(minimum_cash, outgoing, planned_outlay, incoming, cash, alive, need):
    """Buffer + bills + plans - expected receipts - cash, never less than nothing; a firm that is gone needs nothing.

    Changes need.
    """
    for firm in range(need.shape[0]):
        for world in range(need.shape[1]):
            asked = minimum_cash[firm, world] + outgoing[firm, world] + planned_outlay[firm, world]
            missing = asked - incoming[firm, world] - cash[firm, world]
            need[firm, world] = max(missing, 0.0) * alive[firm, world]


@kernel(
    void, boolean, TABLE, TABLE, TABLE, MONTHS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT, OUT
)  # fmt: skip
def use_credit(
    january, need, leverage, leverage_ceiling, months_missed, openness, borrowing_cap, lending_room, line_undrawn,
    equity_issue_cap, borrowed_before, issued_before, line_draw, share_issue, borrowed_year, issued_year,
):  # fmt: skip
    """Debt for what is missing, as far as cap, lenders and line allow; shares for the rest, as far as their cap allows.

    Who is in arrears raises nothing, and who is above the leverage ceiling borrows nothing. The caps are a year's,
    times the market's openness, and count from January. Changes the last four.
    """
    for firm in range(need.shape[0]):
        for world in range(need.shape[1]):
            borrowed = 0.0 if january else borrowed_before[firm, world]
            issued = 0.0 if january else issued_before[firm, world]
            pays, open_part = months_missed[firm, world] <= 0, openness[0, world]
            willing = pays and leverage[firm, world] <= leverage_ceiling[firm, world]
            room = max(borrowing_cap[firm, world] * open_part - borrowed, 0.0) if willing else 0.0
            room = min(min(room, lending_room[firm, world]), line_undrawn[firm, world])
            drawn = min(need[firm, world], room)
            share_room = max(equity_issue_cap[firm, world] * open_part - issued, 0.0)
            sold = min(need[firm, world] - drawn, share_room) if pays else 0.0
            line_draw[firm, world], share_issue[firm, world] = drawn, sold
            borrowed_year[firm, world], issued_year[firm, world] = borrowed + drawn, issued + sold


@kernel(void, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT)
def sell_holdings(
    sells_holdings, loan_to_value, limit, need, share_issue, holdings, line_draw, borrowed_year, asset_sale
):
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
            asset_sale[firm, world] = min(missing, 0.1 * holdings[firm, world]) if sells else 0.0


@kernel(void, TABLE, MONTHS, TABLE, TABLE, FLAGS, OUT)
def stand_by_dividend(payout, months_missed, leverage, cut_leverage, closed, dividend):
    """A twelfth of the yearly `payout` of who is in the market, not in arrears and below its leverage of a cut.

    Changes dividend.
    """
    for firm in range(dividend.shape[0]):
        for world in range(dividend.shape[1]):
            stands = months_missed[firm, world] <= 0 and not closed[firm, world]
            stands = stands and leverage[firm, world] <= cut_leverage[firm, world]
            dividend[firm, world] = payout[firm, world] / 12.0 if stands else 0.0


@kernel(void, TABLE, TABLE, FLAGS, TABLE, OUT)
def plan_prepayment(cash, minimum_cash, repays_early, alive, prepayment):
    """Half of the cash above three times the buffer, of who repays early. Changes prepayment."""
    for firm in range(cash.shape[0]):
        for world in range(cash.shape[1]):
            spare = max(cash[firm, world] - 3.0 * minimum_cash[firm, world], 0.0)
            early = 0.5 * spare if repays_early[firm, world] else 0.0
            prepayment[firm, world] = early * alive[firm, world]


@kernel(void, TABLE, TABLE, TABLE, OUT, OUT)
def track_earnings(operating_cash, debt, earnings_before, earnings, leverage):
    """Twelve months of operating cash, smoothed, and debt over it, at most 20. Changes earnings and leverage."""
    for firm in range(debt.shape[0]):
        for world in range(debt.shape[1]):
            year, before = operating_cash[firm, world] * 12.0, earnings_before[firm, world]
            now = before + (year - before) / 6.0
            earnings[firm, world] = now
            leverage[firm, world] = min(debt[firm, world] / max(now, 0.05), 20.0)


@kernel(void, TABLE, TABLE, TABLE, OUT, OUT)
def cover_debt(service_now, earnings, service_before, debt_service, dscr):
    """Twelve months of debt service, smoothed, and earnings over it, from -10 to 10. Changes debt_service and dscr."""
    for firm in range(dscr.shape[0]):
        for world in range(dscr.shape[1]):
            year, before = service_now[firm, world] * 12.0, service_before[firm, world]
            now, earned = before + (year - before) / 6.0, earnings[firm, world]
            cover = earned / max(now, max(earned / 10.0, 1e-6)) if now > 1e-6 else 10.0
            debt_service[firm, world], dscr[firm, world] = now, min(max(cover, -10.0), 10.0)


@kernel(void, TABLE, TABLE, FLAGS, TABLE, OUT, OUT)
def run_compute(compute_revenue, running_cost_share, closed, peak_before, peak_revenue, running_cost):
    """Half of the cost follows sales, half the capacity once sold. Changes peak_revenue and running_cost."""
    for firm in range(running_cost.shape[0]):
        for world in range(running_cost.shape[1]):
            sold = compute_revenue[firm, world]
            peak = max(peak_before[firm, world], sold)
            peak_revenue[firm, world] = peak
            base = 0.5 * sold + 0.5 * peak
            cost = running_cost_share[firm, world] * base
            running_cost[firm, world] = 0.0 if closed[firm, world] else cost


@kernel(void, FLAGS, TABLE, TABLE, TABLE, TABLE, OUT)
def value_holdings(sells_holdings, debt, cash, real_assets, shares_held, loan_to_value):
    """Net debt over the market value of holdings, of who sells holdings. Changes loan_to_value."""
    for firm in range(cash.shape[0]):
        for world in range(cash.shape[1]):
            held = real_assets[firm, world] + shares_held[firm, world]
            net = max(debt[firm, world] - cash[firm, world], 0.0)
            loan_to_value[firm, world] = net / max(held, 0.1) if sells_holdings[firm, world] else 0.0


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT
)  # fmt: skip
def invest_cash_flow(
    other_cash, own_investment_share, followed, cash, alive, retirement, computing_share, gw_cost, capacity_before,
    surplus_before, investment, capacity, surplus,
):  # fmt: skip
    """Invest a share of cash flow, as far as cash goes; part of it adds GW, and of the old some retire.

    followed: computing capacity beyond that plan, US$bn, for which there is what cash the plan leaves; where it is
    negative, as much less of the plan's. Its GW are the surplus. Changes the last three.
    """
    for firm in range(capacity.shape[0]):
        for world in range(capacity.shape[1]):
            wanted = max(other_cash[firm, world], 0.0) * own_investment_share[firm, world]
            purse, live = max(cash[firm, world], 0.0), alive[firm, world]
            planned = min(wanted, purse) * live
            computing, cost = planned * computing_share[firm, world], gw_cost[firm, world]
            more = min(max(followed[firm, world], -computing), purse - planned) * live
            had, retires = capacity_before[firm, world], retirement[firm, world] / 12.0
            investment[firm, world] = planned + more
            built = (computing + more) / cost
            capacity[firm, world] = had + built - had * retirement[firm, world] / 12.0
            surplus[firm, world] = surplus_before[firm, world] * (1.0 - retires) + more / cost
