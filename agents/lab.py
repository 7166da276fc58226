"""What every seller of AI services has: quality, price, efficiency, and a need for compute.

Quality is linear in the logarithm of effective training compute (Hoffmann et al. 2022: exponential compute for
linear improvement). Efficiency counts only as a *surprise* over the trend that the demand curve contains.
"""

import numpy as np

from agents.firm import Firm
from agents.kernels import as_rows
from agents.kernels_labs import add_training, match_the_best, plan_for_demand
from agents.worlds import Param, State


def scaling_exponent(alpha, beta):
    """Give gamma = alpha beta / (alpha + beta): the reducible loss falls with compute^-gamma (Hoffmann 2022)."""
    return alpha * beta / (alpha + beta)


def loss_reduction(log_compute, exponent):
    """Give by how much the log of the reducible loss falls when the log of effective compute grows by this much."""
    return exponent * log_compute


def reducible_loss(compute, exponent):
    """Give the reducible loss as a multiple, when effective compute is this multiple: compute^-gamma."""
    return np.exp(-loss_reduction(np.log(compute), exponent))


def price_after(gain, pass_through):
    """Give the price, as a multiple, once this share of a gain (natural logarithm) is handed on."""
    return np.exp(-pass_through * gain)


def compute_for(use, gain):
    """Give the compute that this much use needs after a gain in efficiency (natural logarithm)."""
    return use * np.exp(-gain)


class Lab(Firm):
    """A lab or model builder: it sets a price, trains, and serves what its compute allows."""

    quality_per_loss = Param(
        1.63,
        "utility per log unit",
        (0.0, 6.5),
        "Quality gained when the reducible loss falls by a factor of e: with gamma = 0.154, 0.25 for e times the "
        "effective training compute.",
    )
    pass_through = Param(
        0.8,
        "share",
        (0.0, 1.0),
        "Share of an efficiency gain that is handed on to customers as a lower price.",
    )
    price_match = Param(
        0.5, "share", (0.0, 1.0), "Share of a rival's further price cut that the lab matches at its own cost."
    )
    training_decay = Param(0.5, "per year", (0.05, 2.0), "Yearly loss of worth of what was trained before.")
    revenue_per_inference_gw = Param(
        26.3,
        "US$bn a year per GW",
        (8.0, 80.0),
        "Revenue that a GW of inference compute can serve at today's efficiency and prices.",
        source="calibration: arr_per_gw / inference share 0.4",
    )
    training_share = Param(
        0.6,
        "share",
        (0.0, 0.95),
        "Share of compute planned for training at the start.",
        source="calibration: inference_share_of_compute_2024 (0.71 in 2024, falling)",
    )
    mature_training_share = Param(
        0.4,
        "share",
        (0.0, 0.95),
        "Share of compute planned for training at maturity; a rival follows `compute_growth` instead.",
    )
    training_maturity = Param(
        60,
        "months",
        (12, 240),
        "Months until the training share has matured; a rival follows `compute_growth` instead.",
        whole=True,
    )

    efficiency = State("log", "own efficiency over the trend, natural logarithm")
    training_stock = State("GW-years", "effective training compute in memory", default=1.0)
    opening_stock = State("GW-years", "effective training compute at the start", default=1.0)
    quality = State("utility", "quality over the quality at the start")
    price = State("index", "price over the trend price", default=1.0)
    demanded = State("US$bn a year", "what customers want to buy at this price")
    revenue = State("US$bn a year", "what is sold and served, at a yearly rate")
    inference_need = State("GW", "compute needed to serve what is demanded")
    training_plan = State("GW", "compute that the training plan asks for")
    compute_used = State("GW", "compute used this month")
    served_share = State("share", "share of demand served", default=1.0)

    measures = (
        "cash",
        "closed",
        "revenue",
        "price",
        "quality",
        "inference_need",
        "compute_used",
        "served_share",
    )

    seller = None
    """Where it stands in blocks over all sellers: a row, or the rows of a cohort."""

    def rows_of_sellers(self, block):
        """Give this seller's own rows of a block over all sellers, ``(sellers, worlds)``."""
        return block[self.seller]

    def adopt(self):
        """Take over this month's efficiency gains: own discoveries now, those of others after the leak."""
        self.efficiency = self.efficiency + self.rows_of_sellers(self.model.technology.gain)

    def train(self):
        """Add last month's training to the stock: quality is linear in the log of effective compute.

        q = -weight * ln(reducible loss) = weight * gamma * ln(stock * e^efficiency / opening stock), with gamma of
        the scaling law; the stock decays at `training_decay` a year. With the frontier arm of the pincer off, each
        further unit of compute buys as much as the first: gamma * (multiple - 1).
        """
        technology, shape = self.model.technology, self.quality.shape
        stock, effective = np.empty(shape), np.empty(shape)
        given = (
            self.compute_used,
            self.inference_need,
            self.training_stock,
            self.training_decay,
            self.opening_stock,
        )
        add_training(*as_rows(*given, stock, effective))
        grown = np.log(effective, out=effective)
        grown += self.efficiency
        quality = loss_reduction(technology.bends(grown), technology.loss_exponent)
        quality *= self.quality_per_loss
        self.training_stock, self.quality = stock, quality

    def set_price(self):
        """Hand on part of the own efficiency gain, follow a more efficient rival part of the way down.

        ln price = -pass_through * (efficiency + match * shortfall behind the best), and never above what open
        weights allow (the pincer's lower arm). Who leads, the focal lab too, undercuts the others and wins customers.
        """
        technology, price = self.model.technology, np.empty(self.price.shape)
        given = self.efficiency, technology.best_efficiency, self.price_match, self.pass_through
        match_the_best(*as_rows(*given, price))
        np.exp(price, out=price)
        self.price = np.minimum(price, technology.price_ceiling)

    def plan_compute(self):
        """Plan inference for what is demanded, training as a falling share of all compute."""
        inference, training = np.empty(self.quality.shape), np.empty(self.quality.shape)
        given = (
            self.demanded,
            self.revenue_per_inference_gw,
            self.price,
            np.exp(-self.efficiency),
            self.training_share,
            self.mature_training_share,
            self.training_maturity,
        )
        plan_for_demand(self.model.month, *as_rows(*given, inference, training))
        self.inference_need, self.training_plan = inference, training
