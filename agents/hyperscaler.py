"""Hyperscalers: Microsoft, Alphabet, Amazon and Meta, who build from cash flow. The control group."""

import numpy as np

from agents.firm import Conglomerate
from agents.kernels import as_rows
from agents.kernels_firms import earn_elsewhere, invest_cash_flow, pay_out_spare
from agents.kernels_labs import MOST_PROMISED_GROWTH
from agents.worlds import Param, State, of_params


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
    herding = Param(
        0.0,
        "share",
        (0.0, 1.0),
        "Weight of the growth of the largest builder, in place of its own plan for capacity; 0: it does not follow.",
    )

    compute_revenue = State("US$bn", "sales of compute to labs this month")
    running_cost = State("US$bn", "cost of running it")
    investment = State("US$bn", "invested this month")
    payout_now = State("US$bn", "dividends and buybacks this month")
    capacity = State("GW", "own data-centre capacity")
    capacity_before = State("GW", "the same a month ago")
    followed = State(
        "US$bn", "to be invested beyond its own plan this month, as it follows the largest builder"
    )
    surplus = State("GW", "capacity that stands beyond what its own plans would have built")

    measures = (*Conglomerate.measures, "capacity", "compute_revenue")

    def earn(self):
        """Earn the operating cash flow of the other business, which grows."""
        growth = self.grown_by_month[self.model.month]
        earned, closed = np.empty(growth.shape), self.model.ledger.closed
        earn_elsewhere(self.first_row, closed, *as_rows(self.other_cash_flow, growth, earned))
        self.other_cash = earned
        self.running_cost = self.compute_revenue * self.running_cost_share * self.alive

    @of_params
    def herds(self):
        """Whether anybody follows the largest builder in any world."""
        return bool(self.herding.any())

    @property
    def planned_outlay(self):
        """What it means to spend beyond its bills and its own cash flow, US$bn: what it builds as a follower."""
        return np.maximum(self.followed, 0.0)

    def follow_the_largest(self):
        """Plan to build, in part, what it takes to grow as the largest builder does; the largest follows nobody.

        GW a month = (1 - herding) x own plan + herding x (capacity x growth of the largest + what retires). What this
        adds to the own plan is computing capacity only, and is money to be raised. Nobody is seen to grow in month 0.
        """
        if self.model.month == 0 or not self.herds:
            self.followed = np.zeros(self.capacity.shape)
            return
        largest, growth = self._largest_builder()
        imitated = self.capacity * (growth + self.retirement / 12.0)
        wanted = np.maximum(self.other_cash, 0.0) * self.own_investment_share
        beyond = self.herding * (imitated * self.gw_cost - wanted * self.computing_share)
        self.followed = np.where(self.capacity < largest, beyond, 0.0) * self.alive

    def _largest_builder(self):
        """Size of the largest builder, GW, and its growth in a month: a hyperscaler's capacity, or what is promised.

        The lab counts with what it has under contract at its planning lead, and grows as that promises, from 0 to
        1.6 a year.
        """
        builders, lab = self.model.hyperscalers, self.model.openai
        standing, promised = builders.capacity * builders.alive, lab.contracted_ahead * lab.alive
        largest = standing.max(axis=0)
        grown = (
            np.where(
                standing < largest, 0.0, builders.capacity / np.maximum(builders.capacity_before, 1e-9)
            ).max(axis=0)
            - 1.0
        )
        promises = np.expm1(
            np.clip(lab.promised_growth / lab.planning_lead, 0.0, MOST_PROMISED_GROWTH / 12.0)
        )
        return np.maximum(promised, largest), np.where(promised > largest, promises, grown)

    def invest(self):
        """Put a fixed share of cash flow into own investment; part of it adds computing capacity.

        A follower builds more, as far as its cash goes, or less; what stands beyond its own plans is its surplus.
        """
        ledger, shape = self.model.ledger, self.capacity.shape
        investment, capacity, surplus = np.empty(shape), np.empty(shape), np.empty(shape)
        given = (
            self.other_cash,
            self.own_investment_share,
            self.followed,
            self.retirement,
            self.computing_share,
            self.gw_cost,
            self.capacity,
            self.surplus,
        )
        made = as_rows(*given, investment, capacity, surplus)
        invest_cash_flow(self.first_row, ledger.cash, ledger.closed, *made)
        self.capacity_before = self.capacity
        self.investment, self.capacity, self.surplus = investment, capacity, surplus

    def pay_out(self):
        """Pay dividends and buybacks out of what exceeds the buffer."""
        paid, ledger = np.empty(self.payout_now.shape), self.model.ledger
        given = self.payout, self.minimum_cash, paid
        pay_out_spare(self.first_row, ledger.cash, ledger.closed, *as_rows(*given))
        self.payout_now = paid
