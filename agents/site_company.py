"""Site companies: Abilene, New Mexico, Vantage Texas, Vantage Wisconsin and Meta's Hyperion.

Each is a separate borrower without recourse to its owners. It owns land, halls and the lease, not the chips.
"""

import numpy as np

from agents.firm import Party
from agents.kernels import (
    as_rows,
    enforce_covenants,
    read_covenants,
    slip_by_chance,
    spend_budget,
)
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
    covenants = Param(True, "yes/no", None, "Off: nothing is tested, locked up or swept (neutral).")
    cure_months = Param(
        6,
        "months",
        (0, 24),
        "Months in which a breach may heal before it is an event of default.",
        whole=True,
    )
    equity_cures = Param(
        3,
        "count",
        (0, 10),
        "How often owners may cure a breach with money of their own, while the site is worth more than it owes; 0: "
        "never.",
        whole=True,
    )
    accelerates = Param(
        True, "yes/no", None, "Whether lenders call the loan in default when a forced sale would repay it."
    )
    sweep = Param(0.0, "share", (0.0, 1.0), "Share of what is left that prepays the loan, outside lock-up.")
    sweep_in_lockup = Param(
        0.5, "share", (0.0, 1.0), "The same in lock-up; the rest stays as free cash. All of it in default."
    )
    appraisal_cyclicality = Param(
        0.25, "share", (0.0, 1.0), "Share of a freeze's wider yields that an appraisal follows."
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
    months_breached = State("months", "months since the covenant was breached", dtype=int)
    event_of_default = State("yes/no", "whether a breach has outlasted the time to cure it", dtype=bool)
    cure_needed = State("US$bn", "what would cure this quarter's breach, where owners may and want to")
    cures_used = State("count", "breaches that owners have cured so far", dtype=int)
    called = State("yes/no", "whether lenders call the loan this month", dtype=bool)
    loan_to_value = State("share", "debt over appraised value")
    reserve = State("US$bn", "reserve account: cash that pays lenders only")
    free_cash = State("US$bn", "cash outside the reserve account after the month")
    prepaid = State("US$bn", "prepaid to lenders by the sweep this month")
    distribution = State("US$bn", "paid to the owners this month")
    months_complete = State("months", "months since the last hall opened", dtype=int)
    slipped = State("months", "delay so far", dtype=int)
    slips_now = State("yes/no", "whether construction slips this month", dtype=bool)

    measures = (
        "cash",
        "debt",
        "closed",
        "energised",
        "dscr",
        "locked_up",
        "breached",
        "rent_received",
        "slipped",
    )

    def slip(self):
        """Slip with a small monthly chance while halls are under construction; opposition raises it."""
        slips_now = np.empty(self.closed.shape, dtype=bool)
        slipped = np.empty(self.closed.shape, dtype=np.int64)
        given = (
            self.slip_chance,
            self.model.power.delay_pressure_of_sites[self.row],
            self.model.draw_rows("site slips", self.cohort)[self.row],
            self.model.halls.ahead_of_sites[self.row],
            self.closed,
            self.slip_months,
            self.slipped,
        )
        slip_by_chance(*as_rows(*given, slips_now, slipped))
        self.slips_now, self.slipped = slips_now, slipped

    def build(self):
        """Spend the budget that is left evenly over the months that are left: equity first, then loan.

        budget = cash + uncalled equity + undrawn loan - interest until completion; islands of the queue wait.
        """
        model, loans, halls, site = self.model, self.model.loans, self.model.halls, self.row
        shape = self.rent.shape
        construction, equity_call, loan_call = np.empty(shape), np.empty(shape), np.empty(shape)
        of_all = model.ledger.closed, model.ledger.cash, model.outgoing, model.expected_incoming
        given = (
            halls.months_left_of_sites[site],
            halls.ahead_of_sites[site],
            loans.site_undrawn[site],
            model.site_equity.uncalled[site],
            loans.site_balance[site],
            loans.site_rate[site],
            self.rent,
        )
        spend_budget(self.first_row, *of_all, *as_rows(*given, construction, equity_call, loan_call))
        self.construction, self.equity_call, self.loan_call = construction, equity_call, loan_call

    def test_cover(self):
        """Test the cover on twelve months: DSCR = sum of CFADS / sum of debt service, at most 10.

        Quarterly, from 12 months after completion, with the loan-to-value: past the lock-up lines nothing is
        distributed, past the default lines the covenant is breached. A cure makes good what cash or value lack:

            max(default DSCR x debt service - CFADS, debt - default loan-to-value x value)
        """
        month, site, shape = self.model.month, self.row, self.dscr.shape
        years = self.cfads_year.copy(), self.service_year.copy()
        ratios = np.empty(shape), np.empty(shape), np.empty(shape)
        kept = self.months_complete.copy(), self.locked_up.copy(), self.breached.copy()
        given = (
            self.rent_received,
            self.operating_share,
            self.debt_service,
            self.model.halls.ahead_of_sites[site],
            self.closed,
            self.model.loans.site_owed[site],
            self.model.loans.site_appraisal[site],
            self.covenants,
            self.lockup_dscr,
            self.default_dscr,
            self.lockup_loan_to_value,
            self.default_loan_to_value,
            self.equity_cures,
            self.cures_used,
        )
        twelve = (year.reshape(12, -1, self.worlds) for year in years)
        read_covenants(month % 12, month % 3 == 2, *as_rows(*given), *twelve, *as_rows(*ratios, *kept))
        self.cfads_year, self.service_year = years
        self.dscr, self.loan_to_value, self.cure_needed = ratios
        self.months_complete, self.locked_up, self.breached = kept

    def heal(self, paid):
        """Count what owners paid to cure the breach, ``paid`` US$bn, as cash available for debt service."""
        cured = paid > 0.0
        cfads_year = self.cfads_year.copy()
        cfads_year[self.model.month % 12] += paid
        self.cfads_year = cfads_year
        self.breached = self.breached & ~cured
        self.cures_used = self.cures_used + cured

    def enforce(self):
        """Let a breach that is not cured in time become an event of default, and lenders call the loan.

        They call it when a forced sale, net of its cost, would repay them; else they wait and sweep all cash.
        """
        months, shape = np.empty(self.breached.shape, dtype=np.int64), self.breached.shape
        event_of_default, called = np.empty(shape, dtype=bool), np.empty(shape, dtype=bool)
        given = (
            self.breached,
            self.months_breached,
            self.cure_months,
            self.rows_of(self.model.ledger.real_assets),
            self.liquidation_value,
            self.model.solvency.liquidation_cost,
            self.model.loans.site_owed[self.row],
            self.accelerates,
            self.closed,
        )
        enforce_covenants(*as_rows(*given, months, event_of_default, called))
        self.months_breached, self.event_of_default, self.called = months, event_of_default, called

    def run_cascade(self):
        """Run the month down the cascade of `model.waterfall`: reserve, sweep, owners (each quarter's end).

        What the clearing has paid to lenders comes first: due interest, then due principal. Running costs are paid
        with the clearing too, and the little that free cash did not cover came out of the reserve.
        """
        loans, shape = self.model.loans, self.dscr.shape
        free_cash, reserve = np.empty(shape), np.empty(shape)
        prepaid, distribution = np.empty(shape), np.empty(shape)
        of_loans = loans.site_owed, loans.site_appraisal, loans.site_rate, loans.site_service
        of_site = (
            self.covenants,
            self.months_complete,
            self.event_of_default,
            self.free_cash,
            self.reserve,
            self.reserve_months,
            self.lockup_dscr,
            self.default_dscr,
            self.lockup_loan_to_value,
            self.default_loan_to_value,
            self.sweep,
            self.sweep_in_lockup,
            self.dscr,
        )
        left = free_cash, reserve, prepaid, distribution
        self.model.run_cascade(self.first_row, *of_loans, *as_rows(*of_site, *left))
        self.free_cash, self.reserve, self.prepaid, self.distribution = left
