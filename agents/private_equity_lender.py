"""Private-equity sponsors and lenders: Blue Owl (equity of sites), Blackstone (GPU lender), Brookfield."""

import numpy as np

from agents.firm import Party
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
        0.1, "share of commitments", (0.0, 1.0), "Remembered loss above which it signs nothing new."
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
        self.uncalled = self.model.funds.uncalled_of_lenders[self.row]
        missing = np.maximum(self.site_equity_due - np.maximum(self.cash - 0.1, 0.0), 0.0)
        self.capital_call = np.minimum(missing, self.uncalled) * self.alive

    @of_params
    def fade(self):
        """Share of its memory that is left after a month."""
        return np.exp(-np.log(2.0) / self.memory_half_life)

    def remember(self):
        """Remember losses: they fade by half over the half-life; too many, and it walks away."""
        self.loss_memory = self.loss_memory * self.fade + self.rows_of(self.model.solvency.loss_now)
        committed = np.maximum(self.uncalled + self.unreturned, 1.0)
        self.spread_add_on = 0.1 * np.minimum(self.loss_memory / committed, 1.0)
        self.willing = (self.loss_memory <= self.walk_away_loss * committed) & ~self.model.credit.frozen

    def distribute(self):
        """Hand excess cash down the fund waterfall each quarter: capital, preferred return, catch-up, split."""
        quarter = self.model.month % 3 == 2
        keep = self.site_equity_due + 0.25
        free = np.maximum(self.cash - keep - self.outgoing, 0.0) * quarter * self.alive
        tiers = self.model.run_waterfall(self, contributed=self.capital_call, distributed=free)
        self.unreturned, self.unpaid_preferred = tiers.unreturned, tiers.unpaid_preferred
        self.preferred_paid = self.preferred_paid + tiers.preferred
        self.catch_up_paid = self.catch_up_paid + tiers.catch_up
        self.to_investors = tiers.investors
        self.manager_share = self.manager_share + tiers.manager
