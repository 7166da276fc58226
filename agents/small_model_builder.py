"""Small-model builders: what the rest of us could do instead of buying super-clusters."""

import numpy as np

from agents.firm import Issuer
from agents.kernels import as_rows
from agents.kernels_firms import ask_little
from agents.lab import Lab
from agents.worlds import Param


class SmallModelBuilder(Lab, Issuer):
    """A start-up with one strategy (vertical, data-sovereign or edge) on modest, rented compute."""

    group = "small_model_builder"

    cost_share = Param(
        0.75, "share of revenue", (0.3, 1.5), "Running cost as a share of revenue, compute apart."
    )
    fixed_cost = Param(0.05, "US$bn a year", (0.0, 2.0), "Cost that does not vary with sales.")

    def buy_compute(self):
        """Rent just the compute needed: no commitment, so no trap and no priority."""
        self.compute_used = self.inference_need + self.training_plan
        self.revenue = self.demanded * self.alive

    def pay_costs(self):
        """Give the month's running cost, US$bn."""
        return (self.revenue * self.cost_share + self.fixed_cost) / 12.0

    def ask_little(self):
        """Ask for new equity only: nobody lends to a builder without collateral."""
        need = np.empty(self.funding_need.shape)
        ask_little(*as_rows(self.funding_need, self.equity_issue_cap, need))
        self.funding_need = need
