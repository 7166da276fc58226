"""Customers: consumers, enterprises and developers, who choose a lab or an outside option."""

import numpy as np

from agents.firm import Party
from agents.kernels import as_layers, as_rows, move_by_habit
from agents.worlds import Param, State

FRONTIER_LABS, LABS, SELLERS = 3, 5, 8
"""Sellers in their order: the lab and the rivals that keep their weights, those that release them, small builders."""
CHOICES = SELLERS + 1
"""These, and the outside option."""


class Customers(Party):
    """One segment of customers: it grows along an adoption curve and chooses by quality, price and habit."""

    group = "customers"

    adoption = Param(
        0.063,
        "share",
        (0.005, 0.6),
        "Share of the final market reached at the start: the smaller, the more growth is to come.",
        source="assumed so that firm revenue follows 26, 41, 64, 96, 144, 187",
    )
    innovation = Param(0.002, "per year", (0.0001, 0.1), "Bass coefficient of innovation.")
    imitation = Param(0.52, "per year", (0.05, 1.5), "Bass coefficient of imitation.")
    habit = Param(
        0.08, "per month", (0.005, 1.0), "Share of customers who reconsider their choice in a month."
    )
    quality_weight = Param(1.0, "utility", (0.0, 4.0), "Weight of quality in the choice.")
    price_weight = Param(0.6, "utility", (0.0, 4.0), "Weight of the relative price in the choice.")

    adopted = State("share", "share of the final market reached")
    potential = State("US$bn a year", "final market at today's prices")
    shares = State("share", "who serves the segment, outside option last", over=CHOICES)
    appeal = State("utility", "calibrated appeal of each choice, all but quality and price", over=CHOICES)
    spending = State("US$bn a year", "what the segment wants to spend, outside option included")

    measures = ("spending", "adopted")

    def adopt_services(self):
        """Move along the adoption curve by the exact Bass step; a demand surprise scales the spending."""
        self.adopted, self.spending = self.model.demand.adopt(self)

    def choose(self):
        """Choose by quality over open weights, price relative to the trend, habit.

        share* = softmax(appeal + a (quality - open quality) - b (price - 1)); shares move to it by `habit`.
        """
        demand, moved = self.model.demand, np.empty(self.shares.shape)
        layers = as_layers(self.shares, demand.choice_shares(self), moved)
        move_by_habit(*layers[:2], *as_rows(self.habit, demand.enabled), layers[2])
        self.shares = moved
