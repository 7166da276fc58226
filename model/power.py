"""Power: one load block per region and a convex price; heat waves, curtailment, opposition.

This is the simple form of the power market. The seam for the fuller one is `Utility.price_power` and
`Utility.curtail`: they read tightness and write price and curtailment, whatever finds them.
"""

import numpy as np

from agents.worlds import Mechanism, Param
from model.sums import adder_into, total

REGIONS = ("ERCOT", "PJM", "MISO", "New Mexico")
SITE_REGION = np.array([0, 3, 0, 2, 2])
ON_GRID = np.array([1.0, 0.0, 1.0, 1.0, 1.0])[:, None]
"""The New Mexico campus is islanded on its own gas: the utility neither cuts it off nor prices it."""


class Power(Mechanism):
    """What joins sites, utilities and commissions: who stands where, and how hot the summer is."""

    group = "power"

    enabled = Param(True, "yes/no", None, "Off: reference prices, no curtailment, no opposition.")
    heat_probability = Param(
        0.25,
        "per summer month",
        (0.0, 1.0),
        "Chance of a heat wave in June, July or August.",
        source="calibration: heatwave_days_per_year",
    )
    heat_load = Param(0.08, "share", (0.0, 0.3), "Load added by a heat wave at the peak.")
    heat_derate = Param(0.06, "share", (0.0, 0.3), "Capacity lost to heat.")
    peak_share = Param(
        0.05, "share of the month", (0.0, 0.3), "Share of a month's hours that a shortage at the peak lasts."
    )
    season_swing = Param(0.12, "share", (0.0, 0.4), "Swing of load between seasons.")
    price_level = Param(1.0, "x", (0.3, 4.0), "Wholesale prices over those of the opening books.")
    heat_correlation = Param(
        0.6, "share", (0.0, 1.0), "Share of heat waves that strike all regions together."
    )

    def __init__(self, model):
        super().__init__(model)
        self.by_region = adder_into(SITE_REGION, len(REGIONS))

    curtailed_of_sites = delay_pressure_of_sites = ai_load_of_utilities = None
    allowed_growth_of_utilities = bills_of_regions = ai_share_of_regions = None
    price_over_reference_of_contracts = ready_of_regions = None

    def season(self, month):
        """Give the seasonal factor of load, ``(1, worlds)``: highest in July, at most one."""
        angle = np.cos(2.0 * np.pi * ((month % 12) - 6) / 12.0)
        return 1.0 - self.season_swing * 0.5 * (1.0 - angle)

    def strike_heat(self):
        """Draw heat waves for June, July and August; part of them strike all regions at once."""
        utilities = self.model.utilities
        summer = self.model.month % 12 in (5, 6, 7)
        common = self.model.draw("heat wave, common")
        local = self.model.draw_rows("heat wave", utilities)
        together = self.model.draw("heat wave, reach") < self.heat_correlation
        draw = np.where(together, common, local)
        strikes = (draw < self.heat_probability) & self.enabled & summer
        utilities.heat = strikes | (self.model.forced_heat > 0.0)

    def publish(self):
        """Publish what sites, utilities and commissions know of one another."""
        model, utilities, commissions = self.model, self.model.utilities, self.model.commissions
        pue = model.power_contracts.pue
        grid = self.by_region @ (model.sites.energised * ON_GRID) * pue
        built = total(np.maximum(model.hyperscalers.capacity - model.opening_capacity, 0.0))[None, :]
        self.ai_load_of_utilities = grid + utilities.other_ai_share * built * pue
        self.delay_pressure_of_sites = np.take(commissions.delay_pressure, SITE_REGION, axis=0)
        self.allowed_growth_of_utilities = commissions.allowed_now
        self.bills_of_regions = utilities.household_bill
        self.ai_share_of_regions = utilities.ai_load / np.maximum(utilities.load, 1.0)

    def queue(self):
        """Send halls to the utilities' queues: what next month would connect, and a month's delay for what waits.

        A region whose connections are used up delays the halls of its sites that lie ahead; islands do not queue.
        """
        halls, utilities = self.model.halls, self.model.utilities
        ready = (
            halls.opening_in(self.model.month + 1) * ON_GRID[: halls.rows] * self.model.power_contracts.pue
        )
        self.ready_of_regions = self.by_region @ np.vstack([ready, np.zeros((1, self.worlds))])
        utilities.do("connect")
        waits = np.take(utilities.queue > 0.0, SITE_REGION[: halls.rows], axis=0) & (ready > 0.0)
        halls.delay(waits, np.ones((1, self.worlds), dtype=np.int64))

    def publish_prices(self):
        """Publish curtailment and prices after the utilities have met their load."""
        utilities = self.model.utilities
        self.curtailed_of_sites = np.take(utilities.curtailed, SITE_REGION, axis=0) * ON_GRID
        ratio = utilities.price / (utilities.reference_price)
        contracts = self.model.power_contracts
        regions = [REGIONS.index(name) for name in contracts.regions]
        on_grid = np.array([0.0 if name == "New Mexico" else 1.0 for name in contracts.regions])[:, None]
        seen = np.take(ratio, regions, axis=0)
        self.price_over_reference_of_contracts = on_grid * seen + (1.0 - on_grid)
