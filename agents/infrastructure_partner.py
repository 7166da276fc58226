"""Infrastructure partners: SoftBank, Oracle, CoreWeave, Crusoe, Vantage and the Stargate vehicle.

They own what the lab has promised to pay for, and owe what others lent for it.
"""

import numpy as np

from agents.firm import Firm
from agents.worlds import Param, State


class InfrastructurePartner(Firm):
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
    other_cash = State("US$bn", "cash flow of the other business this month")
    loan_to_value = State("share", "net debt over the market value of holdings")
    revaluation = State("US$bn", "change of the market value of its holdings this month")
    asset_sale = State("US$bn", "holdings sold this month")
    payout_now = State("US$bn", "dividend this month")
    chips_due = State("US$bn", "chips and buildings to be paid this month")
    debt_service = State("US$bn a year", "interest and principal of the last twelve months (smoothed)")
    dscr = State("x", "operating cash over debt service, at most 10", default=10.0)

    measures = (*Firm.measures, "leverage", "dscr", "compute_revenue", "earnings", "payout_now")

    def earn(self):
        """Note what the other business brings: a yearly amount that grows, before its interest."""
        growth = np.exp(self.other_cash_flow_growth * self.model.month / 12.0)
        self.other_cash = self.other_cash_flow * growth / 12.0 * self.alive

    def run_compute(self):
        """Pay for running compute: half of the cost follows sales, half the capacity once sold."""
        self.peak_revenue = np.maximum(self.peak_revenue, self.compute_revenue)
        base = 0.5 * self.compute_revenue + 0.5 * self.peak_revenue
        self.running_cost = self.running_cost_share * base * self.alive

    def mark_holdings(self):
        """Mark the other holdings to a market that moves at random."""
        step = self.holdings_volatility * np.sqrt(1.0 / 12.0) * self.model.draw("holdings", "normal")
        held = self.rows_of(self.model.ledger.real_assets)
        self.revaluation = held * np.expm1(step) * self.sells_holdings * self.alive

    def value_holdings(self):
        """Compare net debt with the market value of holdings (shares of the lab included)."""
        held = self.rows_of(self.model.ledger.real_assets) + self.rows_of(self.model.shares_held)
        net = np.maximum(self.debt - self.cash, 0.0)
        self.loan_to_value = np.where(self.sells_holdings, net / np.maximum(held, 0.1), 0.0)

    @property
    def planned_investment(self):
        """What it means to invest in its other business this month, US$bn."""
        return np.maximum(self.other_cash, 0.0) * self.own_investment_share

    @property
    def planned_outlay(self):
        """What it means to spend beyond its bills: own investment and the dividend while it stands, US$bn."""
        return self.planned_investment + self.payout / 12.0 * self.pays_dividend

    @property
    def pays_dividend(self):
        """Whether the dividend stands: nothing in arrears, leverage bearable."""
        return ~self.in_arrears & (self.leverage <= self.dividend_cut_leverage) & ~self.closed

    def sell_holdings(self):
        """A holding company sells holdings instead of borrowing once its loan-to-value passes the limit."""
        over = self.sells_holdings & (self.loan_to_value > self.loan_to_value_limit)
        drawn = np.where(over, 0.0, self.line_draw)
        self.borrowed_year = self.borrowed_year - (self.line_draw - drawn)
        self.line_draw = drawn
        missing = self.funding_need - self.line_draw - self.share_issue
        assets = self.rows_of(self.model.ledger.real_assets)
        self.asset_sale = np.minimum(np.maximum(missing, 0.0), 0.1 * assets) * self.sells_holdings

    def pay_out(self):
        """Pay the dividend while it stands and cash allows it."""
        spare = np.maximum(self.cash - 0.5 * self.minimum_cash, 0.0)
        self.payout_now = np.minimum(self.payout / 12.0, spare) * self.pays_dividend

    def plan_prepayment(self):
        """Repay the line early with half of the cash above three times the buffer."""
        spare = np.maximum(self.cash - 3.0 * self.minimum_cash, 0.0)
        self.prepayment = 0.5 * spare * self.repays_early * self.alive

    def cover_debt(self):
        """Measure the cover: DSCR = operating cash / (interest + principal), trailing, at most 10."""
        service = self.rows_of(self.model.service_now) * 12.0
        self.debt_service = self.debt_service + (service - self.debt_service) / 6.0
        cover = self.earnings / np.maximum(self.debt_service, np.maximum(self.earnings / 10.0, 1e-6))
        cover = np.where(self.debt_service > 1e-6, cover, 10.0)
        self.dscr = np.minimum(np.maximum(cover, -10.0), 10.0)
