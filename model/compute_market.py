"""The market for compute: what a GW rents for, new and old, and who takes what nobody needs."""

import numpy as np

from agents.worlds import Mechanism, Param, State, of_params
from model.kernels_compute import (
    change_regime,
    compare_with_hand,
    exponents_of_rent,
    let_to_others,
    set_rents,
)


class ComputeMarket(Mechanism):
    """The rent of a GW-year: a falling trend, raised by scarcity, lowered by efficiency, glut and fire sales.

    The rent has two regimes: a calm decline, and a glut in which it falls faster. `enabled` off: the trend alone.
    Single neutral values: `glut_hazard` 0, `fire_sale_depth` 0, `architecture_hit` 0.
    """

    group = "compute_market"

    enabled = Param(True, "yes/no", None, "Off: rents follow their trend.")
    opening_rent = Param(
        13.3,
        "US$bn per GW-year",
        (6.0, 20.0),
        "Rent of new capacity at the start.",
        source="calibration: implied_price_per_gw_year_oracle",
    )
    decline = Param(
        0.06,
        "per year",
        (0.0, 0.5),
        "Trend fall of the rent of the newest capacity per GW.",
        source="assumed; rental_decline_rate_2023_2025 (0.45) is per chip, and a GW holds ever better chips",
    )
    vintage_discount = Param(
        0.6,
        "share",
        (0.1, 1.0),
        "Rent of capacity past its first term, five years old, over the rent of new capacity.",
        source="assumed, from calibration: rebook_price_ratio_h100 (0.7 to 0.95 after two years)",
    )
    scarcity_elasticity = Param(1.5, "elasticity", (0.0, 6.0), "Change of rent with demand over supply.")
    obsolescence = Param(
        0.5,
        "per log unit",
        (0.0, 2.0),
        "Fall of rent when the industry needs less compute for the same work.",
    )
    volatility = Param(0.15, "per year", (0.0, 0.6), "Yearly volatility of the rent around its trend.")
    running_cost = Param(2.0, "US$bn per GW-year", (0.5, 5.0), "Below this rent capacity is switched off.")
    second_use = Param(
        1.0, "GW", (0.0, 10.0), "Capacity that others take on at the market rent at the start."
    )
    second_use_growth = Param(0.8, "GW a year", (0.0, 5.0), "Growth of that second use.")

    glut_hazard = Param(
        0.1, "per year", (0.0, 1.0), "Rate at which a calm market for compute turns into a glut."
    )
    glut_end_hazard = Param(0.7, "per year", (0.1, 4.0), "Rate at which a glut ends.")
    glut_decline = Param(
        0.3,
        "per year",
        (0.0, 0.6),
        "Fall of the rent in a glut, on top of the trend.",
        source="calibration: rental_decline_rate_2023_2025 (0.45 a year, a glut after scarcity)",
    )
    fire_sale_depth = Param(
        1.0,
        "elasticity",
        (0.0, 4.0),
        "Fall of the rent when estates throw capacity as large as all that is in use onto the market.",
    )
    absorption = Param(
        0.08, "per month", (0.01, 1.0), "Share of thrown-out capacity that finds new owners in a month."
    )
    architecture_hit = Param(
        0.5,
        "per log unit",
        (0.0, 2.0),
        "Further fall of the rent of chips already built when a breakthrough needs another architecture.",
    )

    glut = State("yes/no", "whether the rent falls as in a glut", dtype=bool)
    stale = State("log", "rent that old capacity has lost to other architectures")
    thrown_out = State("GW", "capacity of estates that is looking for an owner")
    estates = State("GW", "capacity of sellers that have failed so far")
    rent = State("US$bn per GW-year", "rent of new capacity", default=13.3)
    old_rent = State("US$bn per GW-year", "rent of capacity past its first term", default=8.0)
    shock = State("log", "deviation of the rent from its trend")
    broken_before = State("log", "gains with another architecture of chips that the rent has already felt")
    tightness = State("ratio", "compute wanted over compute at hand", default=1.0)
    idle_pool = State("GW", "capacity looking for a second tenant")

    measures = ("rent", "old_rent", "tightness", "idle_pool", "glut", "thrown_out")

    def move_regime(self):
        """Turn calm into glut, or glut into calm; let estates' capacity reach the market and be absorbed."""
        contracts = self.model.compute_contracts
        broken = self.model.technology.broken
        row = self.estates.shape
        glut = np.empty(row, dtype=bool)
        estates, thrown_out, stale = (np.empty(row) for _ in range(3))
        change_regime(
            self.model.draw("rent regime"),
            self.monthly_glut,
            self.monthly_end,
            self.enabled,
            self.glut,
            contracts.peak,
            contracts.seller_alive,
            self.estates,
            self.thrown_out,
            self.absorption,
            self.stale,
            self.architecture_hit,
            broken,
            self.broken_before,
            glut,
            estates,
            thrown_out,
            stale,
        )
        self.glut, self.estates, self.thrown_out, self.stale = glut, estates, thrown_out, stale
        self.broken_before = broken

    @of_params
    def monthly_glut(self):
        """Chance that a calm market turns into a glut in a month."""
        return 1.0 - np.exp(-self.glut_hazard / 12.0)

    @of_params
    def monthly_end(self):
        """Chance that a glut ends in a month."""
        return 1.0 - np.exp(-self.glut_end_hazard / 12.0)

    @of_params
    def monthly_volatility(self):
        """Volatility of the rent around its trend in a month."""
        return self.volatility * np.sqrt(1.0 / 12.0)

    @of_params
    def monthly_slide(self):
        """Log of what is left of the rent after a month of glut."""
        return np.log1p(-self.glut_decline) / 12.0

    @of_params
    def log_trend(self):
        """Log of what is left of the newest rent after a year."""
        return np.log1p(-self.decline)

    @of_params
    def log_discount(self):
        """Log of the rent of capacity that is five years old over the rent of new capacity."""
        return np.log(self.vintage_discount)

    @of_params
    def monthly_decline(self):
        """Fall of the rent of one vintage in a month: trend of the newest, and ageing, ``(1, worlds)``."""
        return -np.expm1((self.log_trend + self.log_discount / 5.0) / 12.0)

    def discount_of_age(self, years):
        """Give the rent of capacity of this age over that of the newest: discount^(age / 5 years).

        It falls as newer generations come, ``(vintages, worlds)``.
        """
        return np.exp(years / 5.0 * self.log_discount)

    def clear_rent(self):
        """Set the rent: trend x scarcity^elasticity x e^(-obsolescence x industry gain - fire sale) x noise.

        scarcity = compute that labs want / compute at hand, what nobody has a use for yet included; the rent of old
        capacity never falls below nothing, and capacity that does not earn its running cost is not let. In a glut the
        noise falls steadily; after it the rent returns to its trend, 3% of the gap a month.
        """
        self.move_regime()
        openai, row = self.model.openai, self.rent.shape
        in_use, tightness, shock = np.empty(row), np.empty(row), np.empty(row)
        wanted = openai.inference_need, openai.training_plan, self.model.rivals.compute_used
        at_hand = openai.available, self.idle_pool, self.model.hyperscalers.surplus
        compare_with_hand(*wanted, *at_hand, in_use, tightness)
        exponents, rent, old_rent = np.empty((3, self.worlds)), np.empty(row), np.empty(row)
        exponents_of_rent(
            self.model.month,
            np.log(tightness),
            self.scarcity_elasticity,
            self.shock,
            self.monthly_volatility,
            self.model.draw("rent", "normal"),
            self.enabled,
            self.monthly_slide,
            self.glut,
            self.obsolescence,
            self.model.technology.industry_gain,
            self.fire_sale_depth,
            self.thrown_out,
            in_use,
            self.log_trend,
            self.stale,
            shock,
            exponents,
        )
        set_rents(self.opening_rent, np.exp(exponents), self.vintage_discount, rent, old_rent)
        self.tightness, self.shock, self.rent, self.old_rent = tightness, shock, rent, old_rent

    def let_of(self, pool):
        """Give what is idle of a pool ``(contracts, worlds)``, GW, and what of it finds a second tenant.

        That is: all of it and the share that is let, both ``(1, worlds)``, and the GW let of each contract.
        """
        idle, share, let = np.empty(self.rent.shape), np.empty(self.rent.shape), np.empty(pool.shape)
        letting = self.second_use, self.second_use_growth, self.old_rent, self.running_cost
        let_to_others(pool, self.model.month, *letting, idle, share, let)
        return idle, share, let
