"""Rival labs: Anthropic, Google DeepMind (drawing on Alphabet), Meta Llama (on Meta) and Mistral."""

import numpy as np

from agents.firm import Issuer
from agents.kernels import as_rows
from agents.kernels_firms import ask_parent
from agents.kernels_labs import follow_promises
from agents.lab import Lab
from agents.worlds import Param, State, of_params


class RivalLab(Lab, Issuer):
    """A lab that competes with OpenAI for customers, talent and power."""

    group = "rival_lab"

    cost_share = Param(
        0.45, "share of revenue", (0.1, 1.2), "Cash cost other than compute, share of revenue."
    )
    fixed_cost = Param(1.0, "US$bn a year", (0.0, 20.0), "Cash cost that does not vary with sales.")
    compute_growth = Param(0.5, "per year", (0.0, 2.0), "Growth of its training compute in the first year.")
    compute_growth_fade = Param(0.15, "per year", (0.0, 1.0), "Yearly fading of that growth.")
    herding = Param(
        0.25,
        "share",
        (0.0, 1.0),
        "Weight of the growth that OpenAI's commitments promise, in place of its own plan; 0: it does not follow.",
    )
    opening_compute = Param(1.0, "GW", (0.0, 5.0), "Compute in use at the start.")
    funded_by_parent = Param(False, "yes/no", None, "Whether a parent pays what the lab is short of.")

    parent_funding = State("US$bn", "paid in by the parent this month")
    base_compute = State("GW", "compute of its plan, before demand")

    def expand(self):
        """Grow the training plan: fast at first, then slower, and part of the way as OpenAI has committed to grow.

        growth = (1 - herding) x growth_0 e^(-fade x years) + herding x promised, where promised = ln(GW that OpenAI
        has under contract at its planning lead / GW at hand) / lead in years, from 0 to 1.6 a year.
        """
        month, shape = self.model.month, self.base_compute.shape
        growth, before = np.empty(shape), np.empty(shape)
        given = (
            self.compute_growth,
            self._fade_by_month[month],
            self.herding,
            self.model.openai.promised_growth,
            self.model.openai.planning_lead,
            self.base_compute,
            self.opening_compute,
        )
        follow_promises(month > 0, *as_rows(*given, growth, before))
        self.base_compute = before * np.exp(growth, out=growth)

    @of_params
    def _fade_by_month(self):
        """What is left of the first year's growth in every month of the horizon, its months first."""
        fade = self.compute_growth_fade
        return np.exp(-fade * (self.months_before(fade) / 12.0))

    def buy_compute(self):
        """Use the planned training compute and whatever inference needs; all demand is served."""
        training = self.base_compute * self.training_share
        self.compute_used = (self.inference_need + training) * self.alive
        self.revenue = self.demanded * self.alive

    def pay_costs(self):
        """Give the month's cash cost other than compute, US$bn."""
        return (self.revenue * self.cost_share + self.fixed_cost) / 12.0

    def ask_parent(self):
        """Let the parent pay what is missing, of a lab that has one."""
        paid, left = np.empty(self.funding_need.shape), np.empty(self.funding_need.shape)
        ask_parent(*as_rows(self.funding_need, self.funded_by_parent, paid, left))
        self.parent_funding, self.funding_need = paid, left
