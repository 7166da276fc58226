"""Infrastructure partners: SoftBank, Oracle, CoreWeave, Crusoe, Vantage and the Stargate vehicle.

They own what the lab has promised to pay for, and owe what others lent for it.
"""

import numpy as np

from agents.firm import Conglomerate
from agents.kernels import as_rows
from agents.kernels_firms import (
    cover_debt,
    earn_elsewhere,
    mark_holdings,
    pay_dividend,
    plan_outlay,
    plan_prepayment,
    run_compute,
    sell_holdings,
    value_holdings,
)
from agents.worlds import Param, State, of_params


class InfrastructurePartner(Conglomerate):
    """A partner that builds, borrows and sells compute to the lab (or holds the lab's shares)."""

    group = "infrastructure_partner"

    running_cost_share = Param(
        0.05,
        "share of compute revenue",
        (0.0, 0.8),
        "Cost of running compute, power of the own sites apart; half of it follows sales, half capacity.",
    )
    dividend_cut_leverage = Param(
        5.0, "debt / EBITDA", (1.0, 20.0), "Debt over earnings above which the dividend is stopped."
    )
    repays_early = Param(True, "yes/no", None, "Whether spare cash repays its line.")
    sells_holdings = Param(False, "yes/no", None, "Whether it pays from the sale of holdings (SoftBank).")
    loan_to_value_limit = Param(
        0.25,
        "share",
        (0.05, 0.6),
        "Net debt over holdings above which it sells holdings instead of borrowing.",
        source="calibration: softbank_ltv",
    )
    loan_to_value_ceiling = Param(
        0.35,
        "share",
        (0.1, 0.9),
        "Net debt over holdings at which nobody lends to it and it stops buying equity.",
        source="opening: other_debt_softbank",
    )
    holdings_volatility = Param(
        0.2, "per year", (0.0, 0.6), "Yearly volatility of the market value of holdings."
    )
    round_share = Param(0.0, "share", (0.0, 0.8), "Share of OpenAI's equity rounds that it takes.")

    compute_revenue = State("US$bn", "sales of compute this month")
    peak_revenue = State("US$bn", "highest monthly sales of compute so far")
    running_cost = State("US$bn", "cost of running compute this month")
    loan_to_value = State("share", "net debt over the market value of holdings")
    revaluation = State("US$bn", "change of the market value of its holdings this month")
    asset_sale = State("US$bn", "holdings sold this month")
    payout_now = State("US$bn", "dividend this month")
    prepayment = State("US$bn", "repaid early on its line next month, out of spare cash")
    chips_due = State("US$bn", "chips and buildings to be paid this month")
    debt_service = State("US$bn a year", "interest and principal of the last twelve months (smoothed)")
    dscr = State("x", "operating cash over debt service, at most 10", default=10.0)

    measures = (*Conglomerate.measures, "leverage", "dscr", "compute_revenue", "earnings", "payout_now")

    def earn(self):
        """Note what the other business brings: a yearly amount that grows, before its interest."""
        growth = self.grown_by_month[self.model.month]
        earned, closed = np.empty(growth.shape), self.model.ledger.closed
        earn_elsewhere(self.first_row, closed, *as_rows(self.other_cash_flow, growth, earned))
        self.other_cash = earned

    def run_compute(self):
        """Pay for running compute: half of the cost follows sales, half the capacity once sold."""
        peak, cost = np.empty(self.peak_revenue.shape), np.empty(self.peak_revenue.shape)
        given = self.compute_revenue, self.running_cost_share, self.peak_revenue
        run_compute(self.first_row, self.model.ledger.closed, *as_rows(*given, peak, cost))
        self.peak_revenue, self.running_cost = peak, cost

    def mark_holdings(self):
        """Mark the other holdings to a market that moves at random."""
        ledger, revaluation = self.model.ledger, np.empty(self.revaluation.shape)
        gain = self.monthly_volatility * self.model.draw("holdings", "normal")
        np.expm1(gain, out=gain)
        mark_holdings(
            self.first_row,
            ledger.real_assets,
            ledger.closed,
            *as_rows(gain, self.sells_holdings, revaluation),
        )
        self.revaluation = revaluation

    @of_params
    def monthly_volatility(self):
        """Volatility of a month of the market value of its holdings."""
        return self.holdings_volatility * np.sqrt(1.0 / 12.0)

    def value_holdings(self):
        """Compare net debt with the market value of holdings (shares of the lab included)."""
        model, ledger, loan_to_value = self.model, self.model.ledger, np.empty(self.loan_to_value.shape)
        of_all = model.solvency.debt, ledger.cash, ledger.real_assets, model.shares_held
        value_holdings(self.first_row, *of_all, *as_rows(self.sells_holdings, loan_to_value))
        self.loan_to_value = loan_to_value

    @property
    def planned_outlay(self):
        """What it means to spend beyond its bills, US$bn: own investment, and the dividend while it stands.

        The dividend stands while nothing is in arrears and leverage is bearable.
        """
        outlay, of_all = np.empty(self.leverage.shape), self._missed_and_closed
        given = self.payout, self.leverage, self.dividend_cut_leverage, self.other_cash
        plan_outlay(self.first_row, *of_all, *as_rows(*given, self.own_investment_share, outlay))
        return outlay

    @property
    def _missed_and_closed(self):
        return self.model.solvency.months_missed, self.model.ledger.closed

    def sell_holdings(self):
        """A holding company sells holdings instead of borrowing once its loan-to-value passes the limit."""
        drawn, borrowed = self.line_draw.copy(), self.borrowed_year.copy()
        sale, held = np.empty(drawn.shape), self.model.ledger.real_assets
        given = (
            self.sells_holdings,
            self.loan_to_value,
            self.loan_to_value_limit,
            self.funding_need,
            self.share_issue,
        )
        sell_holdings(self.first_row, held, *as_rows(*given, drawn, borrowed, sale))
        self.line_draw, self.borrowed_year, self.asset_sale = drawn, borrowed, sale

    def pay_out(self):
        """Pay the dividend while it stands and cash allows it."""
        paid, of_all = np.empty(self.payout_now.shape), (*self._missed_and_closed, self.model.ledger.cash)
        given = self.payout, self.leverage, self.dividend_cut_leverage, self.minimum_cash
        pay_dividend(self.first_row, *of_all, *as_rows(*given, paid))
        self.payout_now = paid

    def plan_prepayment(self):
        """Repay the line early with half of the cash above three times the buffer."""
        prepayment, ledger = np.empty(self.prepayment.shape), self.model.ledger
        given = self.minimum_cash, self.repays_early, prepayment
        plan_prepayment(self.first_row, ledger.cash, ledger.closed, *as_rows(*given))
        self.prepayment = prepayment

    def cover_debt(self):
        """Measure the cover: DSCR = operating cash / (interest + principal), trailing, at most 10."""
        service, dscr = np.empty(self.dscr.shape), np.empty(self.dscr.shape)
        given = self.earnings, self.debt_service, service, dscr
        cover_debt(self.first_row, self.model.service_now, *as_rows(*given))
        self.debt_service, self.dscr = service, dscr
