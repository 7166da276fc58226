"""OpenAI: the focal lab. It owns no chips and no halls; it promises to pay for those of others."""

import numpy as np

from agents.kernels import as_rows
from agents.kernels_firms import draw_line
from agents.kernels_labs import (
    ask_for_equity,
    compare_capacity,
    count_runway,
    expect_need,
    extend_growth,
    follow_the_year,
    margin_on_sales,
    order_ahead,
    serve_demand,
    spend_a_month,
    use_what_is_available,
)
from agents.lab import Lab
from agents.worlds import Param, State


class OpenAI(Lab):
    """The lab that owes little and has promised much."""

    group = "openai"

    floor_share = Param(
        0.9,
        "share",
        (0.0, 1.0),
        "Share of available compute that must be paid for, used or not: the Oracle contract's; the floors of "
        "the lab's other contracts move in proportion.",
        source="opening: top_oracle (assumed, 0.6 to 1)",
    )
    non_compute_cash_cost = Param(
        10.0,
        "US$bn a year",
        (5.0, 20.0),
        "Cash cost of staff, sales and everything but compute in the first year.",
        source="opening: OpenAI (assumed, 8 to 14)",
    )
    cost_growth_first = Param(0.3, "per year", (0.0, 0.6), "Growth of that cost at the start.")
    cost_growth_last = Param(0.1, "per year", (0.0, 0.4), "Growth of that cost in the long run.")
    cost_growth_half_life = Param(
        144, "months", (12, 240), "Time in which that growth falls half of its way."
    )
    cost_cut_when_cornered = Param(0.15, "share", (0.0, 0.5), "Share of that cost saved while cash is short.")
    training_takes_idle = Param(
        0.0, "share", (0.0, 1.0), "Share of otherwise idle compute that training uses up (1: all is used)."
    )
    runway_target = Param(15, "months", (3, 36), "Months of burn that the lab wants to hold in cash.")
    runway_floor = Param(6, "months", (1, 18), "Months of burn below which it is cornered.")
    extrapolation_weight = Param(
        0.5, "share", (0.0, 1.0), "Weight of last year's growth, against the adoption curve, in its forecast."
    )
    revenue_last_year = Param(
        0.55,
        "share",
        (0.3, 0.9),
        "Revenue rate of the last year, smoothed, over today's.",
        source="assumed, from calibration: arr_2024 and annualised_revenue_end2025 (6 and 20)",
    )
    herding = Param(
        0.0,
        "share",
        (0.0, 1.0),
        "Weight of the growth of the largest builder, in place of its own forecast; 0: it does not follow.",
    )
    planning_lead = Param(30, "months", (12, 48), "How far ahead it orders capacity.", whole=True)
    commits = Param(True, "yes/no", None, "Whether announced capacity can become firm at all.")
    firming_limit = Param(
        0.06,
        "share per year",
        (0.0, 0.2),
        "Most of the announced remainder that may become firm in a year.",
        source="opening: announced_rest (assumed, 0 to 0.2)",
    )
    renegotiates = Param(
        True, "yes/no", None, "Whether the cornered lab asks its sellers for a lower price, once."
    )
    renegotiation_cut = Param(
        0.2, "share", (0.0, 0.6), "Price cut that sellers grant once it has missed a bill."
    )

    operating_outlay = State("US$bn", "cash cost other than compute, this month")
    cost_level = State("US$bn a year", "yearly rate of that cost before savings")
    burn = State("US$bn a month", "smoothed monthly cash need before new money")
    runway = State("months", "months until cash and open lines are used up at this burn", default=120.0)
    cornered = State("yes/no", "whether the runway is below the floor", dtype=bool)
    equity_asked = State("US$bn", "equity asked for this month")
    contracted_ahead = State("GW", "compute under contract at the planning lead")
    forecast_need = State("GW", "compute that the lab expects to need at the planning lead")
    new_commitment = State("GW", "announced capacity made firm this month")
    revenue_year_ago = State("US$bn a year", "revenue rate a year ago (smoothed)", default=1.0)
    largest_year_ago = State("GW", "capacity of the largest builder a year ago (smoothed)")
    idle = State("GW", "available compute that is not used")
    available = State("GW", "compute available under contract")

    measures = (
        *Lab.measures,
        "debt",
        "runway",
        "burn",
        "available",
        "idle",
        "unserved",
        "gross_margin",
        "compute_bill",
        "cornered",
        "new_commitment",
    )

    @property
    def unserved(self):
        """Compute that customers' demand lacks, GW: shortage is the constraint where it is positive."""
        return np.maximum(self.inference_need - self.available, 0.0) * self.alive

    @property
    def promised_growth(self):
        """Logarithm of the growth that its commitments promise until its planning lead."""
        ratio = np.empty(self.available.shape)
        compare_capacity(*as_rows(self.contracted_ahead, self.available, ratio))
        return np.log(ratio, out=ratio)

    @property
    def gross_margin(self):
        """Revenue less the compute and power that serve it, over revenue; at least -5 (software has about 0.8).

        A GW-year in use costs the whole compute bill over the compute used, so idle compute lowers the margin.
        """
        margin = np.empty(self.revenue.shape)
        bill, use = self.model.compute_contracts.bill_of_openai, (self.inference_need, self.served_share)
        margin_on_sales(*as_rows(bill, *use, self.compute_used, self.revenue, margin))
        return margin

    @property
    def compute_bill(self):
        """What its compute costs at this month's bills, used or not, US$bn a year."""
        return self.model.compute_contracts.bill_of_openai * self.alive

    def serve(self):
        """Serve demand as far as compute allows: inference comes before training.

        served = min(1, available GW / GW needed for what is demanded).
        """
        self.available = self.model.compute_contracts.available_to_openai
        served, revenue = np.empty(self.revenue.shape), np.empty(self.revenue.shape)
        given = self.available, self.inference_need, self.demanded, self.alive
        serve_demand(*as_rows(*given, served, revenue))
        self.served_share, self.revenue = served, revenue

    def use_compute(self):
        """Use what serving and training ask for, up to what is available; note what stands idle."""
        used, idle = np.empty(self.revenue.shape), np.empty(self.revenue.shape)
        given = (
            self.available,
            self.inference_need,
            self.served_share,
            self.training_plan,
            self.training_takes_idle,
            self.alive,
        )
        use_what_is_available(*as_rows(*given, used, idle))
        self.compute_used, self.idle = used, idle

    def spend(self):
        """Pay staff, sales and the rest: growing ever more slowly, a little less while cornered."""
        month, outlay = self.model.month, np.empty(self.cost_level.shape)
        if month == 0:
            self.cost_level = self.non_compute_cash_cost.copy()
        elif month % 12 == 0:
            self.cost_level = self.cost_level * (1.0 + self._cost_growth())
        spend_a_month(*as_rows(self.cost_level, self.cost_cut_when_cornered, self.cornered, outlay))
        self.operating_outlay = outlay

    def _cost_growth(self):
        """Growth of the cost in a year: half of what is above its last growth is gone after every half-life."""
        fade = np.exp(-np.log(2.0) * self.model.month / self.cost_growth_half_life)
        return self.cost_growth_last + (self.cost_growth_first - self.cost_growth_last) * fade

    def watch_runway(self):
        """Compare cash and open lines with the burn: runway = (cash + undrawn line) / burn, at most 120."""
        shape, missed = self.burn.shape, self.rows_of(self.model.solvency.months_missed)
        burn, runway, cornered = np.empty(shape), np.empty(shape), np.empty(shape, dtype=bool)
        given = self.operating_cash, self.burn, self.cash, self.line_undrawn, self.runway_floor, missed
        count_runway(*as_rows(*given, burn, runway, cornered))
        self.burn, self.runway, self.cornered = burn, runway, cornered

    def raise_equity(self):
        """Ask for what is missing to the target runway; signed money counts as had."""
        signed, asked = self.model.equity_window.signed_total, np.empty(self.burn.shape)
        given = self.burn, self.runway_target, self.minimum_cash, self.cash, signed, self.alive
        ask_for_equity(*as_rows(*given, asked))
        self.equity_asked = asked

    def use_credit(self):
        """Draw the bank revolver for what is missing; the lab sells equity only through its rounds."""
        line_draw, model = np.empty(self.line_draw.shape), self.model
        of_all = model.solvency.months_missed, model.loans.line_undrawn
        draw_line(self.first_row, *of_all, *as_rows(self.funding_need, line_draw))
        self.line_draw = line_draw

    def forecast(self):
        """Expect compute need at the planning lead: half last year's growth, half the adoption curve.

        need = revenue x (w x own growth + (1 - w) x curve growth) / revenue per GW / (1 - training share); with
        herding, part of that growth is the growth of the largest builder's capacity instead.
        """
        year_ago, largest_year_ago = self.revenue_year_ago.copy(), self.largest_year_ago.copy()
        growth, need = np.empty((2, self.worlds)), np.empty(self.revenue.shape)
        revenue, capacity, lead = *as_rows(self.revenue), self.model.hyperscalers.capacity, self.planning_lead
        follow_the_year(revenue, capacity, *as_rows(year_ago, largest_year_ago), growth)
        np.log(growth, out=growth)
        extend_growth(*as_rows(lead), growth)
        np.exp(growth, out=growth)
        given = (
            self.model.demand.curve_growth,
            self.extrapolation_weight,
            self.herding,
            self.revenue_per_inference_gw,
            np.exp(self.efficiency),
            self.price,
            self.mature_training_share,
            need,
        )
        expect_need(revenue, growth, *as_rows(*given))
        self.revenue_year_ago, self.largest_year_ago, self.forecast_need = year_ago, largest_year_ago, need

    def commit(self):
        """Turn announced capacity into firm orders where the forecast exceeds what is under contract.

        At most `firming_limit` of the remainder a year; nothing while cornered or when no builder has finance.
        """
        contracts, ordered = self.model.compute_contracts, np.empty(self.burn.shape)
        given = (
            self.forecast_need,
            self.contracted_ahead,
            self.firming_limit,
            contracts.announced_left,
            contracts.buildable,
            self.commits,
            self.cornered,
            self.closed,
        )
        order_ahead(*as_rows(*given, ordered))
        self.new_commitment = ordered
