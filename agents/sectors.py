"""The sectors that close the books: chip vendor, bondholders, equity investors, rest of the world."""

import numpy as np

from agents.firm import Party
from agents.kernels import as_layers, as_rows
from agents.kernels_equity import compare_revenue, move_window, pay_signed, sign_equity, value_by_growth
from agents.worlds import Param, State, of_params


class ChipVendor(Party):
    """Sells chips and buys equity of those who buy them (circular finance)."""

    group = "chip_vendor"

    cost_share = Param(0.35, "share of sales", (0.1, 0.9), "What a chip costs the vendor to make.")
    round_share = Param(0.15, "share", (0.0, 0.6), "Share of OpenAI's rounds that the vendor takes.")
    sales = State("US$bn", "chips sold this month")
    measures = ("sales",)

    def pay_costs(self):
        """Give the month's production cost, US$bn."""
        return self.sales * self.cost_share


class Bondholders(Party):
    """Hold the bonds of Oracle, CoreWeave, Meta and others."""

    group = "bondholders"
    written_off = State("US$bn", "bonds written off so far")
    measures = ("written_off",)

    def remember(self):
        """Add up what defaults have cost them."""
        self.written_off = self.written_off + self.rows_of(self.model.solvency.loss_now)


class EquityInvestors(Party):
    """Venture and stock-market money: a window that is open or shut, and a mood."""

    group = "equity_investors"

    enabled = Param(True, "yes/no", None, "Off: the committed rounds of `committed_2026` and so on are paid.")
    closing_hazard = Param(0.15, "per year", (0.0, 2.0), "Rate at which an open window shuts.")
    reopening_hazard = Param(0.5, "per year", (0.05, 4.0), "Rate at which a shut window opens again.")
    surprise_sensitivity = Param(
        1.0, "per log unit", (0.0, 4.0), "How strongly a revenue shortfall raises the closing hazard."
    )
    yearly_cap = Param(75.0, "US$bn a year", (10.0, 200.0), "Most that investors put into OpenAI in a year.")
    valuation_share = Param(
        0.15, "share per year", (0.02, 0.5), "Most of its valuation that a lab sells a year."
    )
    multiple_floor = Param(6.0, "x revenue", (1.0, 20.0), "Valuation multiple of a lab that no longer grows.")
    multiple_growth = Param(
        32.0, "x revenue per unit growth", (0.0, 80.0), "Added to the multiple for growth of 100% a year."
    )
    payment_lag = Param(3, "months", (0, 11), "Months between signing and payment.", whole=True)

    committed_2026 = Param(
        30.0, "US$bn a year", (0, 200), "Equity paid in during 2026 when the window is off."
    )
    committed_2027 = Param(40.0, "US$bn a year", (0, 200), "The same in 2027.")
    committed_2028 = Param(60.0, "US$bn a year", (0, 200), "The same in 2028.")
    committed_2029 = Param(60.0, "US$bn a year", (0, 200), "The same in 2029.")
    committed_2030 = Param(40.0, "US$bn a year", (0, 200), "The same in 2030.")

    window_open = State("yes/no", "whether labs can sell equity", dtype=bool, default=True)
    valuation = State("US$bn", "what investors think OpenAI is worth")
    signed = State("US$bn", "equity signed, by the month in which it is paid", over=12)
    signed_total = State("US$bn", "equity signed and not yet paid")
    raised_year = State("US$bn", "equity signed by OpenAI since January")
    round_now = State("US$bn", "equity to be paid to OpenAI this month")

    measures = ("window_open", "valuation", "signed_total", "round_now")

    def open_or_shut(self):
        """Shut or reopen the window: one draw a month, hazards moved by the revenue surprise."""
        model, is_open = self.model, np.empty(self.window_open.shape, dtype=bool)
        raised = np.exp(-self.surprise_sensitivity * model.demand.revenue_surprise)
        staying = np.exp(self.closing_hazard * raised / -12.0)
        given = (
            model.draw("equity window"),
            staying,
            self.monthly_reopening,
            self.window_open,
            model.forced_window,
        )
        move_window(*as_rows(*given, is_open))
        self.window_open = is_open

    @of_params
    def monthly_reopening(self):
        """Chance that a shut window opens again in a month."""
        return 1.0 - np.exp(-self.reopening_hazard / 12.0)

    def value_lab(self):
        """Value the lab at a multiple of revenue that follows its growth."""
        lab, ratio, valuation = self.model.openai, np.empty((1, self.worlds)), np.empty(self.valuation.shape)
        compare_revenue(lab.revenue, lab.revenue_year_ago, ratio)
        log_ratio = np.log(ratio, out=ratio)
        given = log_ratio, self.multiple_floor, self.multiple_growth, lab.revenue, lab.alive
        value_by_growth(*as_rows(*given, valuation))
        self.valuation = valuation

    def sign(self):
        """Sign what is asked, within the yearly cap and a share of the valuation, while the window is open."""
        signed, raised = np.empty(self.signed.shape), np.empty(self.raised_year.shape)
        given = (
            self.payment_lag,
            self.raised_year,
            self.yearly_cap,
            self.valuation_share,
            self.valuation,
            self.window_open,
            self.enabled,
            self.model.openai.equity_asked,
        )
        by_month = as_layers(self.signed, signed)
        sign_equity(self.model.month, *as_rows(*given), *by_month, *as_rows(raised))
        self.signed, self.raised_year = signed, raised

    def pay_in(self):
        """Pay the equity that falls due this month; with the window off, the committed yearly rounds."""
        signed = np.empty(self.signed.shape)
        paid = np.empty(self.round_now.shape)
        left = np.empty(self.round_now.shape)
        given = self.enabled, self.model.committed_equity(), self.model.openai.alive
        by_month = as_layers(self.signed, signed)
        pay_signed(self.model.month, *as_rows(*given), *by_month, *as_rows(paid, left))
        self.signed, self.round_now, self.signed_total = signed, paid, left


class RestOfTheWorld(Party):
    """Everybody else: its cash closes the books and may be negative."""

    group = "rest_of_the_world"

    inflow = State("US$bn", "cash received from the parties of the model, net, so far")
    measures = ("cash",)

    def watch(self):
        """Note its cash against month 0: what the modelled sector has cost or paid the rest of the world."""
        self.inflow = self.cash - self.rows_of(self.model.opening_cash)


class JointVentureCompany(Party):
    """The US$1.5bn venture of the second article, in either of its readings; empty unless a scenario opens it."""

    group = "joint_venture_company"

    earned = State("US$bn", "earned by the venture this month")
    measures = ("earned",)

    def earn(self):
        """Earn this month's yield on the capital paid in."""
        self.earned = self.model.joint_venture.income
