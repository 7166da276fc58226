"""Utilities: one composite of wires and generation per region (ERCOT, PJM, MISO, New Mexico)."""

import numpy as np

from agents.firm import Firm
from agents.worlds import Param, State


class Utility(Firm):
    """A region's power system: it connects, curtails, builds slowly, and files for higher rates."""

    group = "utility"

    peak_load = Param(60.0, "GW", (1.0, 250.0), "Peak load of all other users in the first summer.")
    firm_capacity = Param(70.0, "GW", (1.0, 250.0), "Generation available at the peak at the start.")
    load_growth = Param(0.015, "per year", (-0.05, 0.1), "Growth of the other users' load.")
    build_rate = Param(
        0.02,
        "per year",
        (0.0, 0.15),
        "Firm capacity that can be added in a year, as a share: turbines and lines take years.",
        source="calibration: gas_turbine_lead_time",
    )
    reference_price = Param(
        45.0,
        "US$/MWh",
        (10.0, 120.0),
        "Wholesale price at the reference margin.",
        source="calibration: us_wholesale_2025",
    )
    price_convexity = Param(
        9.0, "per unit load/capacity", (0.0, 40.0), "How steeply the price rises as the margin shrinks."
    )
    reference_tightness = Param(
        0.87, "load / capacity", (0.5, 1.1), "Load over capacity at the reference price."
    )
    price_cap = Param(
        3700.0,
        "US$/MWh",
        (200.0, 10000.0),
        "Administrative price cap.",
        source="calibration: price_cap_shortage_pjm",
    )
    other_ai_share = Param(
        0.1, "share", (0.0, 1.0), "Share of the hyperscalers' new data centres that is built in the region."
    )
    connection_rate = Param(
        2.5,
        "GW a year",
        (0.1, 20.0),
        "Large load that it can connect in a year.",
        source="calibration: grid_wait_load_us_avg",
    )

    queue_credit = State("GW", "large load that may still be connected", default=0.5)
    queue = State("GW", "large load that is ready and waits for its connection")
    load = State("GW", "peak load of the month, data centres included")
    capacity = State("GW", "capacity available at the peak of the month")
    added = State("GW", "capacity added since the start")
    price = State("US$/MWh", "wholesale price of the month")
    tightness = State("share", "peak load over capacity")
    curtailed = State("share", "share of data-centre load cut this month")
    heat = State("yes/no", "whether a heat wave strikes this month", dtype=bool)
    ai_load = State("GW", "data-centre load, cooling included")
    household_bill = State("index", "bill of other users over the start", default=1.0)
    allowed_bill = State("index", "bill that the commission has allowed so far", default=1.0)
    investment = State("US$bn", "invested this month")
    other_cash = State("US$bn", "cash flow from other users this month")

    measures = ("closed", "price", "tightness", "curtailed", "household_bill", "ai_load", "queue")

    def meet_load(self):
        """Set load against capacity: seasons, heat waves, growth, data centres.

        load = peak x growth x season x heat + data centres; capacity grows at most by `build_rate`.
        """
        power, month = self.model.power, self.model.month
        season = power.season(month)
        heat = 1.0 + power.heat_load * self.heat
        growth = np.exp(self.load_growth * month / 12.0)
        self.ai_load = power.ai_load_of_utilities[self.row]
        self.load = self.peak_load * growth * season * heat + self.ai_load
        short = np.maximum(self.load / self.reference_tightness - self.firm_capacity - self.added, 0.0)
        self.added = self.added + np.minimum(short, self.firm_capacity * self.build_rate / 12.0)
        self.capacity = (self.firm_capacity + self.added) * (1.0 - power.heat_derate * self.heat)
        self.tightness = self.load / self.capacity

    def price_power(self):
        """Price the month: convex in tightness, between about an eighth of the reference and the cap.

        price = reference x exp(convexity x (tightness - reference tightness)); one load block.
        """
        step = self.price_convexity * (self.tightness - self.reference_tightness) * self.model.power.enabled
        price = self.reference_price * self.model.power.price_level * np.exp(np.clip(step, -2.0, 6.0))
        self.price = np.minimum(price, self.price_cap)

    def connect(self):
        """Let the month's connections become possible; what is ready beyond them waits.

        credit grows by `connection_rate` / 12 a month, up to a year's worth, and is used up by what is connected.
        """
        credit = np.minimum(self.queue_credit + self.connection_rate / 12.0, self.connection_rate)
        ready = self.model.power.ready_of_regions[self.row]
        self.queue = np.where((ready > credit) & self.model.power.enabled, ready, 0.0)
        self.queue_credit = np.maximum(credit - np.where(self.queue > 0.0, 0.0, ready), 0.0)

    def curtail(self):
        """Cut data centres when load exceeds capacity, for the share of the month that a peak lasts."""
        short = np.maximum(self.load - self.capacity, 0.0)
        cut = np.minimum(short / np.maximum(self.ai_load, 1e-6), 1.0) * self.model.power.peak_share
        self.curtailed = np.where(self.model.power.enabled, cut, 0.0)

    def file_rates(self):
        """Ask for what power costs: the bill follows the price slowly, as far as the commission allows."""
        energy = 0.5 * self.price / self.reference_price
        self.household_bill = self.household_bill + (0.5 + energy - self.household_bill) / 24.0
        allowed = self.model.power.allowed_growth_of_utilities[self.row]
        self.allowed_bill = np.minimum(self.household_bill, self.allowed_bill * np.exp(allowed / 12.0))

    def earn(self):
        """Earn from other users at the allowed bill, and invest what is earned."""
        granted = self.allowed_bill / np.maximum(self.household_bill, 0.1)
        self.other_cash = self.other_cash_flow / 12.0 * granted * ~self.closed
        spare = np.maximum(self.cash - self.minimum_cash, 0.0)
        self.investment = np.minimum(self.other_cash * self.own_investment_share, spare)
