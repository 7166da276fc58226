"""Site companies: Abilene, New Mexico, Vantage Texas, Vantage Wisconsin and Meta's Hyperion.

Each is a separate borrower without recourse to its owners. It owns land, halls and the lease, not the chips.
"""

import numpy as np

from agents.firm import Party
from agents.worlds import Param, State


class SiteCompany(Party):
    """A non-recourse borrower whose one asset is a leased building."""

    group = "site_company"

    operating_share = Param(0.03, "share of rent", (0.0, 0.2), "Rent that insurance and administration take.")
    lockup_dscr = Param(
        1.2,
        "x",
        (1.0, 2.0),
        "Cover below which nothing is distributed to the owners.",
        source="calibration: dscr_covenant_contracted",
    )
    default_dscr = Param(1.05, "x", (0.8, 1.5), "Cover below which the covenant is breached.")
    lockup_loan_to_value = Param(
        0.75, "share", (0.3, 2.0), "Debt over appraised value above which nothing is distributed.",
        source="calibration: dc_ltc_conservative",
    )  # fmt: skip
    default_loan_to_value = Param(
        0.85, "share", (0.3, 2.0), "Debt over appraised value above which the covenant is breached.",
        source="assumed, from calibration: dc_ltc_2026_market",
    )  # fmt: skip
    reserve_months = Param(
        6,
        "months",
        (0, 12),
        "Debt service kept in the reserve account.",
        source="calibration: reserve_account_months",
        whole=True,
    )
    slip_chance = Param(
        0.03, "per month", (0.0, 0.3), "Chance that a site under construction slips in a month."
    )
    slip_months = Param(
        3,
        "months",
        (1, 24),
        "Length of a slip.",
        source="calibration: powered_shell_delay_shock (size of the effect on spending)",
        whole=True,
    )
    depreciation = Param(0.04, "per year", (0.0, 0.3), "Yearly loss of book value of land and halls.")
    liquidation_value = Param(
        0.7,
        "share",
        (0.0, 1.0),
        "Share of book value that land, power and halls fetch in a forced sale, before costs.",
        source="assumed, from calibration: project_finance_recovery_mean",
    )

    energised = State("GW", "IT load with power")
    construction = State("US$bn", "spent on building this month")
    equity_call = State("US$bn", "asked from the owners this month")
    loan_call = State("US$bn", "asked from the lenders this month")
    rent = State("US$bn", "rent billed this month")
    rent_received = State("US$bn", "rent received this month")
    debt_service = State("US$bn", "interest and principal due this month, without bullets")
    cfads_year = State("US$bn", "cash available for debt service, last twelve months", over=12)
    service_year = State("US$bn", "debt service due, last twelve months", over=12)
    dscr = State("x", "trailing debt service cover, at most 10", default=10.0)
    locked_up = State("yes/no", "whether distributions are stopped", dtype=bool)
    breached = State("yes/no", "whether the covenant is breached", dtype=bool)
    distribution = State("US$bn", "paid to the owners this month")
    months_complete = State("months", "months since the last hall opened", dtype=int)
    slipped = State("months", "delay so far", dtype=int)
    slips_now = State("yes/no", "whether construction slips this month", dtype=bool)

    measures = ("debt", "closed", "energised", "dscr", "locked_up", "breached", "rent_received", "slipped")

    def slip(self):
        """Slip with a small monthly chance while halls are under construction; opposition raises it."""
        chance = self.slip_chance * self.model.power.delay_pressure_of_sites[self.row]
        draw = self.model.draw_rows("site slips", self.cohort)[self.row]
        self.slips_now = (draw < chance) & self.rows_under_construction
        self.slipped = self.slipped + self.slip_months * self.slips_now

    @property
    def rows_under_construction(self):
        """Whether halls are still to be opened and there is power to wait for."""
        return (self.model.halls.ahead_of_sites[self.row] > 0.0) & ~self.closed

    def build(self):
        """Spend the budget that is left evenly over the months that are left: equity first, then loan.

        budget = cash + uncalled equity + undrawn loan - interest until completion; islands of the queue wait.
        """
        months = np.maximum(self.model.halls.months_left_of_sites[self.row], 1)
        building = (self.model.halls.ahead_of_sites[self.row] > 0.0) & ~self.closed
        undrawn, uncalled = self.model.loans.site_undrawn[self.row], self.model.site_equity.uncalled[self.row]
        owed = self.model.loans.site_balance[self.row]
        interest = (owed + 0.5 * undrawn) * self.model.loans.site_rate[self.row] * months / 12.0
        expected_rent = self.rent * months
        budget = self.cash + undrawn + uncalled + expected_rent - interest
        self.construction = np.maximum(budget, 0.0) / months * building
        needed = np.maximum(self.construction + self.outgoing - self.expected_incoming - self.cash, 0.0)
        self.equity_call = np.minimum(needed, uncalled) * ~self.closed
        self.loan_call = np.minimum(needed - self.equity_call, undrawn) * ~self.closed

    def test_cover(self):
        """Test the cover on twelve months: DSCR = sum of CFADS / sum of debt service, at most 10.

        Quarterly, from 12 months after completion; below `lockup_dscr` nothing is distributed.
        """
        slot = (self.model.month % 12) == np.arange(12).reshape((12,) + (1,) * np.ndim(self.rent))
        cfads = self.rent_received * (1.0 - self.operating_share)
        self.cfads_year = np.where(slot, cfads, self.cfads_year)
        self.service_year = np.where(slot, self.debt_service, self.service_year)
        cash, due = np.cumsum(self.cfads_year, axis=0)[-1], np.cumsum(self.service_year, axis=0)[-1]
        cover = cash / np.maximum(due, np.maximum(cash / 10.0, 1e-9))
        self.dscr = np.where(due > 1e-9, np.minimum(cover, 10.0), 10.0)
        complete = self.model.halls.ahead_of_sites[self.row] <= 0.0
        self.months_complete = (self.months_complete + 1) * complete
        tested = (self.months_complete >= 12) & (self.model.month % 3 == 2)
        self.locked_up = np.where(tested, self.dscr < self.lockup_dscr, self.locked_up)
        self.breached = np.where(tested, self.dscr < self.default_dscr, self.breached) & ~self.closed

    def distribute(self):
        """Pay the owners what exceeds the reserve, quarterly, after completion and outside lock-up."""
        reserve = self.reserve_months * self.debt_service + 0.05
        free = np.maximum(self.cash - reserve - self.outgoing, 0.0)
        complete = self.model.halls.ahead_of_sites[self.row] <= 0.0
        able = complete & ~self.locked_up & ~self.in_arrears & ~self.closed & (self.model.month % 3 == 2)
        self.distribution = free * able
