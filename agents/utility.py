"""Utilities: one composite of wires and generation per region (ERCOT, PJM, MISO, New Mexico)."""

import numpy as np

from agents.firm import Issuer
from agents.kernels import as_layers, as_rows
from agents.kernels_power import connect_or_queue, earn_from_users, load_and_build, move_bills
from agents.worlds import Param, State, of_params

UNITS = ("wind", "solar", "hydro", "nuclear", "coal", "gas", "peakers", "other")
"""Kinds of units of a stack; other is oil and demand response."""
BLOCKS = ("peak", "day", "evening", "night")
"""Blocks of hours of a month, from the highest load on."""
BLOCK_LOAD = np.array([1.0, 0.86, 0.72, 0.6])
"""Load of each block over the peak of the month: assumed; with the weights of the blocks a load factor of 0.73."""
OFF_SEASON = [0.5 - 0.5 * np.cos(2.0 * np.pi * (month - 6) / 12.0) for month in range(12)]
"""By month of the year: 0 in July, when load is highest, 1 in January, a cosine between."""


class Utility(Issuer):
    """A region's power system: it connects, curtails, builds slowly, and files for higher rates.

    Shares are of capacity that counts at the peak. Defaults are PJM's; the other regions have their own values.
    """

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
    reference_tightness = Param(
        0.87, "load / capacity", (0.5, 1.1), "Peak load over capacity above which it builds."
    )
    share_wind = Param(
        0.03, "share", (0.0, 0.5), "Wind in capacity.", source="calibration: pjm_ucap_share_wind"
    )
    share_solar = Param(
        0.01, "share", (0.0, 0.5), "Solar in capacity.", source="calibration: pjm_ucap_share_solar"
    )
    share_hydro = Param(
        0.04, "share", (0.0, 0.8), "Hydro in capacity.", source="calibration: pjm_ucap_share_hydro"
    )
    share_nuclear = Param(
        0.21, "share", (0.0, 0.8), "Nuclear in capacity.", source="calibration: pjm_ucap_share_nuclear"
    )
    share_coal = Param(
        0.22, "share", (0.0, 0.8), "Coal in capacity.", source="calibration: pjm_ucap_share_coal"
    )
    share_gas = Param(
        0.45,
        "share",
        (0.01, 0.9),
        "Gas in capacity, peakers included.",
        source="calibration: pjm_ucap_share_gas",
    )
    share_other = Param(
        0.04,
        "share",
        (0.0, 0.5),
        "Oil and demand response in capacity.",
        source="calibration: pjm_ucap_share_dr_oil_other",
    )
    peakers_of_gas = Param(
        0.3, "share", (0.0, 1.0), "Share of gas capacity that is peakers, not combined cycle."
    )
    cost_wind = Param(
        0.0, "US$/MWh", (0.0, 5.0), "Marginal cost of wind.", source="calibration: marginal_cost_wind"
    )
    cost_solar = Param(
        0.0, "US$/MWh", (0.0, 5.0), "Marginal cost of solar.", source="calibration: marginal_cost_solar"
    )
    cost_hydro = Param(
        5.0, "US$/MWh", (0.0, 10.0), "Marginal cost of hydro.", source="calibration: marginal_cost_hydro"
    )
    cost_nuclear = Param(
        10.0, "US$/MWh", (8.0, 28.0), "Marginal cost of nuclear.", source="calibration: marginal_cost_nuclear"
    )
    cost_coal = Param(
        30.0, "US$/MWh", (25.0, 40.0), "Marginal cost of coal.", source="calibration: marginal_cost_coal"
    )
    cost_gas = Param(
        32.0,
        "US$/MWh",
        (26.0, 60.0),
        "Marginal cost of combined cycles.",
        source="calibration: marginal_cost_gas",
    )
    cost_peakers = Param(
        50.0,
        "US$/MWh",
        (40.0, 100.0),
        "Marginal cost of gas peakers.",
        source="calibration: marginal_cost_gas (heat rate 10 to 12 instead of 7)",
    )
    cost_other = Param(
        200.0,
        "US$/MWh",
        (100.0, 3700.0),
        "Marginal cost of oil and demand response.",
        source="calibration: marginal_cost_dr_oil_other",
    )
    congestion = Param(
        6.0,
        "US$/MWh",
        (0.0, 20.0),
        "Congestion, losses and start-up costs, which the stack leaves out.",
        source="assumed, from calibration: us_wholesale_2025",
    )
    contingency = Param(
        0.02, "share of capacity", (0.0, 0.1), "Reserve at or below which power is priced at the cap."
    )
    reserve_spread = Param(
        0.015,
        "share of capacity",
        (0.001, 0.1),
        "Standard deviation of what load and outages take from the reserve within an hour.",
    )
    reference_price = Param(
        45.0,
        "US$/MWh",
        (10.0, 120.0),
        "Wholesale price that bills and contract prices were set at.",
        source="calibration: us_wholesale_2025 (40 to 47)",
    )
    calm_price = Param(
        38.9,
        "US$/MWh",
        (10.0, 120.0),
        "Wholesale price of a year without growth and heat, from which stress counts how dear power is.",
        source="from the region's own stack at the loads of the books, so as its costs are assumed",
    )
    price_cap = Param(
        3700.0,
        "US$/MWh",
        (200.0, 10000.0),
        "Administrative price cap, at which shortage is settled.",
        source="calibration: price_cap_shortage_pjm",
    )
    flexible_share = Param(
        0.25,
        "share",
        (0.0, 1.0),
        "Share of data-centre load that leaves when power costs more than its compute earns.",
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
    upgrade_cost = Param(
        0.5, "US$bn per GW", (0.05, 3.0), "Wires and substations that a GW of data centres needs."
    )
    carrying_charge = Param(
        0.1, "per year", (0.05, 0.2), "Yearly charge for a dollar of plant: interest, wear, allowed profit."
    )

    other_cash_flow = Param(
        0.0,
        "US$bn a year",
        (-50, 400),
        "Yearly cash flow from other users at the allowed bill, before interest.",
    )
    own_investment_share = Param(0.0, "share", (0, 1.5), "Share of that cash flow that it invests.")

    queue_credit = State("GW", "large load that may still be connected", default=0.5)
    queue = State("GW", "large load that is ready and waits for its connection")
    block_load = State("GW", "load of other users by block", over=len(BLOCKS))
    block_price = State("US$/MWh", "wholesale price by block", over=len(BLOCKS))
    block_cut = State("share", "share of data-centre load that is off, by block", over=len(BLOCKS))
    load = State("GW", "peak load of the month, data centres included")
    capacity = State("GW", "capacity available at the peak of the month")
    added = State("GW", "capacity added since the start")
    price = State("US$/MWh", "wholesale price of the month, mean over its hours")
    paid_price = State("US$/MWh", "price of the hours in which data centres run")
    tightness = State("share", "peak load over capacity")
    curtailed = State("share", "share of data-centre load cut this month")
    shed = State("GW", "other users' load cut in the worst hours of the month")
    heat = State("yes/no", "whether a heat wave strikes this month", dtype=bool)
    heat_rise = State("share", "rise of the peak load by heat")
    ai_load = State("GW", "data-centre load, cooling included")
    household_bill = State("index", "bill of other users over the start", default=1.0)
    allowed_bill = State("index", "bill that the commission has allowed so far", default=1.0)
    investment = State("US$bn", "invested this month")
    other_cash = State("US$bn", "cash flow from other users this month")

    measures = ("closed", "price", "tightness", "curtailed", "shed", "household_bill", "ai_load", "queue")

    def meet_load(self):
        """Set the load of each block: growth, season, heat at the peak; build when the margin is thin.

        load_b = peak x growth x season x shape_b x (1 + heat at the peak); capacity is added while the peak is
        above `reference_tightness` of it, at most by `build_rate` a year, less while turbines take longer.
        """
        power, month = self.model.power, self.model.month
        growth, added = self._growth_by_month[month], self.added.copy()
        block_load, load = np.empty(self.block_load.shape), np.empty(added.shape)
        ai_load = power.ai_load_of_utilities[self.row]
        given = (
            self.peak_load,
            growth,
            power.season_swing,
            self.heat_rise,
            ai_load,
            self.reference_tightness,
            self.firm_capacity,
            self.build_rate,
            power.turbine_speed,
        )
        load_and_build(
            BLOCK_LOAD,
            OFF_SEASON[month % 12],
            *as_rows(*given),
            *as_layers(block_load),
            *as_rows(load, added),
        )
        self.block_load, self.ai_load, self.load, self.added = block_load, ai_load, load, added

    @of_params
    def _growth_by_month(self):
        """Other users' load over that of the start in every month of the horizon, its months first."""
        return np.exp(self.load_growth * self.months_before(self.load_growth) / 12.0)

    def price_power(self):
        """Clear each block of hours: merit order, scarcity, data centres that leave above their bid.

        price_b = lowest price at which supply covers firm load and load that bids more, + scarcity + congestion.
        """
        cleared = self.model.power.clear(self)
        self.block_price, self.block_cut = cleared.price, cleared.cut
        self.capacity, self.tightness, self.shed = cleared.capacity, cleared.tightness, cleared.shed
        self.price, self.paid_price, self.curtailed = cleared.mean, cleared.paid, cleared.curtailed

    def connect(self):
        """Let the month's connections become possible; what is ready beyond them waits.

        credit grows by `connection_rate` / 12 a month, up to a year's worth, and is used up by what is connected;
        half as fast while the commission delays, not at all while it refuses.
        """
        power, queue, credit = self.model.power, np.empty(self.queue.shape), np.empty(self.queue.shape)
        given = (
            self.connection_rate,
            power.connecting_of_utilities[self.row],
            self.queue_credit,
            power.ready_of_regions[self.row],
            power.enabled,
        )
        connect_or_queue(*as_rows(*given, queue, credit))
        self.queue, self.queue_credit = queue, credit

    def file_rates(self):
        """Ask for what power and wires cost: the bill follows slowly, as far as the commission allows.

        bill' = bill + (half + half price / reference + upgrades / revenue - bill) / 24, where upgrades are what
        connecting data centres costs a year and they do not pay themselves.
        """
        power, bill, allowed = self.model.power, np.empty(self.price.shape), np.empty(self.price.shape)
        given = (
            self.price,
            self.reference_price,
            self.upgrade_cost,
            self.carrying_charge,
            power.unpaid_of_utilities[self.row],
            self.household_bill,
            self.allowed_bill,
            np.exp(power.allowed_growth_of_utilities[self.row] / 12.0),
        )
        move_bills(*as_rows(*given, bill, allowed))
        self.household_bill, self.allowed_bill = bill, allowed

    def earn(self):
        """Earn from other users at the allowed bill, and invest what is earned."""
        earned, invested = np.empty(self.price.shape), np.empty(self.price.shape)
        given = (
            self.allowed_bill,
            self.household_bill,
            self.other_cash_flow,
            self.alive,
            self.cash,
            self.minimum_cash,
            self.own_investment_share,
        )
        earn_from_users(*as_rows(*given, earned, invested))
        self.other_cash, self.investment = earned, invested
