"""Hyperscalers: Microsoft, Alphabet, Amazon and Meta, who build from cash flow. The control group."""

import numpy as np

from agents.firm import Conglomerate
from agents.kernels import as_rows
from agents.kernels_firms import invest_cash_flow
from agents.worlds import Param, State


class Hyperscaler(Conglomerate):
    """A cash-rich builder: it funds itself, sells compute, and borrows past a threshold."""

    group = "hyperscaler"

    running_cost_share = Param(
        0.3, "share of compute revenue", (0.0, 0.8), "Cost of running the compute sold to labs."
    )
    co_investment_share = Param(
        0.0,
        "share",
        (0.0, 1.0),
        "Share of every new loan for the lab's sites and chips that the four put in as equity instead: who "
        "funds the build, cash or debt.",
    )
    computing_share = Param(
        0.67,
        "share",
        (0.2, 1.0),
        "Share of its investment that adds computing capacity.",
        source="calibration: ms_capex_short_lived_share",
    )
    retirement = Param(0.15, "per year", (0.05, 0.5), "Share of its capacity that is retired in a year.")
    gw_cost = Param(
        40.0,
        "US$bn per GW",
        (25.0, 70.0),
        "Cost of a GW built, chips included.",
        source="calibration: capex_per_gw",
    )

    compute_revenue = State("US$bn", "sales of compute to labs this month")
    running_cost = State("US$bn", "cost of running it")
    investment = State("US$bn", "invested this month")
    payout_now = State("US$bn", "dividends and buybacks this month")
    capacity = State("GW", "own data-centre capacity")
    parent_funding = State("US$bn", "paid to a lab of its own this month")

    measures = (*Conglomerate.measures, "capacity", "compute_revenue")

    def earn(self):
        """Earn the operating cash flow of the other business, which grows."""
        growth = np.exp(self.other_cash_flow_growth * self.model.month / 12.0)
        self.other_cash = self.other_cash_flow * growth / 12.0 * self.alive
        self.running_cost = self.compute_revenue * self.running_cost_share * self.alive

    def invest(self):
        """Put a fixed share of cash flow into own investment; part of it adds computing capacity."""
        investment, capacity = np.empty(self.capacity.shape), np.empty(self.capacity.shape)
        given = (
            self.other_cash,
            self.own_investment_share,
            self.cash,
            self.alive,
            self.retirement,
            self.computing_share,
            self.gw_cost,
            self.capacity,
        )
        invest_cash_flow(*as_rows(*given, investment, capacity))
        self.investment, self.capacity = investment, capacity

    def pay_out(self):
        """Pay dividends and buybacks out of what exceeds the buffer."""
        spare = np.maximum(self.cash - self.minimum_cash, 0.0)
        self.payout_now = np.minimum(self.payout / 12.0, spare) * self.alive
