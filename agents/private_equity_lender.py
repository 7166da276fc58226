"""Private-equity sponsors and lenders: Blue Owl (equity of sites), Blackstone (GPU lender), Brookfield."""

import numpy as np

from agents.firm import Party
from agents.kernels import as_rows
from agents.kernels_lenders import accrue_preferred, call_from_investors, remember_as_fund
from agents.worlds import Param, State, of_params


class PrivateEquityLender(Party):
    """A fund manager: it calls capital from its investors, invests, and hands returns down a waterfall."""

    group = "private_equity_lender"

    preferred_return = Param(
        0.08,
        "per year",
        (0.0, 0.2),
        "Return the investors get before the manager shares in profit.",
        source="calibration: pe_preferred_return",
    )
    carry = Param(
        0.2,
        "share",
        (0.0, 0.4),
        "The manager's share of profit above the hurdle.",
        source="calibration: carried_interest",
    )
    catch_up = Param(
        1.0,
        "share",
        (0.0, 1.0),
        "The manager's share in the catch-up tier.",
        source="calibration: gp_catch_up",
    )
    memory_half_life = Param(24, "months", (2, 120), "Time in which the memory of a loss fades by half.")
    walk_away_loss = Param(
        0.1,
        "share of commitments",
        (0.0, 1.0),
        "Remembered loss above which it signs nothing new: announced capacity waits for Brookfield's signature.",
    )

    uncalled = State("US$bn", "commitments of the investors not yet called")
    capital_call = State("US$bn", "called from the investors this month")
    site_equity_due = State("US$bn", "to be paid into sites this month")
    loss_memory = State("US$bn", "losses remembered")
    unreturned = State("US$bn", "capital of the investors not yet returned")
    unpaid_preferred = State("US$bn", "preferred return accrued and not yet paid")
    preferred_paid = State("US$bn", "preferred return paid so far")
    catch_up_paid = State("US$bn", "paid in the catch-up tier so far")
    to_investors = State("US$bn", "distributed to the investors this month")
    manager_share = State("US$bn", "kept by the manager so far")
    spread_add_on = State("per year", "added to its margins for remembered losses")
    willing = State("yes/no", "whether it signs new business", dtype=bool, default=True)

    measures = ("uncalled", "willing")

    def call_capital(self):
        """Call from the investors what sites ask for and cash does not cover, within the commitments."""
        model, due = self.model, self.site_equity_due
        uncalled, call = np.empty(due.shape), np.empty(due.shape)
        of_all = model.ledger.cash, model.ledger.closed, model.funds.uncalled
        call_from_investors(self.first_row, *of_all, *as_rows(due, uncalled, call))
        self.uncalled, self.capital_call = uncalled, call

    @of_params
    def fade(self):
        """Share of its memory that is left after a month."""
        return np.exp(-np.log(2.0) / self.memory_half_life)

    def remember(self):
        """Remember losses: they fade by half over the half-life; too many, and it walks away."""
        memory, add_on = np.empty(self.loss_memory.shape), np.empty(self.loss_memory.shape)
        willing, loss = np.empty(self.willing.shape, dtype=bool), self.rows_of(self.model.solvency.loss_now)
        commitments = self.uncalled, self.unreturned, self.walk_away_loss, self.model.credit.frozen
        given = self.loss_memory, self.fade, loss, *commitments
        remember_as_fund(*as_rows(*given, memory, add_on, willing))
        self.loss_memory, self.spread_add_on, self.willing = memory, add_on, willing

    def distribute(self):
        """Hand excess cash down the fund waterfall each quarter: capital, preferred return, catch-up, split."""
        if self.model.month % 3 != 2:
            self._accrue()
            return
        to_investors = np.empty(self.to_investors.shape)
        unreturned, unpaid = self.unreturned.copy(), self.unpaid_preferred.copy()
        preferred, catch_up = self.preferred_paid.copy(), self.catch_up_paid.copy()
        manager = self.manager_share.copy()
        given = self.site_equity_due, self.capital_call, self.monthly_return, self.carry, self.catch_up
        tiers = as_rows(*given, unreturned, unpaid, preferred, catch_up, manager, to_investors)
        self.model.run_waterfall(self.first_row, *tiers)
        self.unreturned, self.unpaid_preferred, self.preferred_paid = unreturned, unpaid, preferred
        self.catch_up_paid, self.manager_share, self.to_investors = catch_up, manager, to_investors

    def _accrue(self):
        """Let the preferred return accrue in a month without a distribution."""
        unreturned, unpaid = np.empty(self.unreturned.shape), np.empty(self.unpaid_preferred.shape)
        given = self.capital_call, self.monthly_return, self.unreturned, self.unpaid_preferred
        accrue_preferred(*as_rows(*given, unreturned, unpaid))
        self.unreturned, self.unpaid_preferred = unreturned, unpaid
        self.to_investors = np.zeros(unreturned.shape)

    @of_params
    def monthly_return(self):
        """Preferred return of a month: twelve of them compound to a year's."""
        return np.expm1(np.log1p(self.preferred_return) / 12.0)
