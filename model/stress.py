"""Stress: what a credit analyst watches, in one index between 0 and 1."""

import numpy as np

from agents.worlds import Mechanism, State
from model.sums import total


class Stress(Mechanism):
    """Six readings between 0 (calm) and 1 (acute), and their mean.

    funding: spread over the calm spread; coverage: share of partners and sites below 1.2x; liquidity: runway of
    the lab below 24 months; leverage: partners' debt over earnings; power: tightness of the tightest region;
    demand: revenue below expectation.
    """

    group = "stress"

    index = State("0 to 1", "mean of the six readings")
    funding = State("0 to 1", "spreads")
    coverage = State("0 to 1", "covers below lock-up")
    liquidity = State("0 to 1", "short runway")
    leverage = State("0 to 1", "debt over earnings")
    power = State("0 to 1", "tight power")
    demand = State("0 to 1", "revenue below expectation")
    peak = State("0 to 1", "highest index so far")

    measures = ("index", "funding", "coverage", "liquidity", "leverage", "power", "demand")

    def read(self):
        """Take the six readings and their mean."""
        model = self.model
        self.funding = np.clip((model.credit.spread_multiple - 1.0) / 3.0, 0.0, 1.0)
        low = total(model.sites.dscr < model.sites.lockup_dscr) + total(
            model.partners.in_arrears | model.partners.closed
        )
        self.coverage = np.minimum(low / 8.0, 1.0)[None, :]
        gone = model.openai.closed | model.openai.in_arrears
        self.liquidity = np.where(gone, 1.0, np.clip(1.0 - model.openai.runway / 24.0, 0.0, 1.0))
        heavy = np.clip((model.partners.leverage - 4.0) / 8.0, 0.0, 1.0) * (model.partners.debt > 5.0)
        self.leverage = np.minimum(total(heavy) / 3.0, 1.0)[None, :]
        self.power = np.clip((model.utilities.tightness.max(axis=0) - 0.9) / 0.2, 0.0, 1.0)[None, :]
        self.demand = np.clip(-model.demand.revenue_surprise / 1.0, 0.0, 1.0)
        parts = (self.funding, self.coverage, self.liquidity, self.leverage, self.power, self.demand)
        self.index = (parts[0] + parts[1] + parts[2] + parts[3] + parts[4] + parts[5]) / 6.0
        self.peak = np.maximum(self.peak, self.index)
