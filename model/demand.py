"""Demand: adoption curves, surprises, and the choice between labs and outside options."""

import numpy as np

from agents.worlds import Mechanism, Param, State
from model.sums import total


def bass_step(adopted, innovation, imitation, years):
    """Move along the Bass curve exactly: F(t + h) = F(tau(F(t)) + h).

    With x = (1 + (q/p) F) / (1 - F) the curve is x(t + h) = x(t) exp((p + q) h). Shares of the final market in
    and out, rates per year; all arguments broadcast. Source: Bass (1969), Management Science 15.
    """
    ratio = imitation / innovation
    x = (1.0 + ratio * adopted) / (1.0 - adopted) * np.exp((innovation + imitation) * years)
    return (x - 1.0) / (x + ratio)


def bass_peak(innovation, imitation):
    """Give the time of the peak of adoption (years) and the share adopted by then."""
    years = np.log(imitation / innovation) / (innovation + imitation)
    return years, (imitation - innovation) / (2.0 * imitation)


def bass_curve(innovation, imitation, years):
    """Give the share adopted after `years`, from nothing."""
    return bass_step(np.zeros_like(np.asarray(years, dtype=float)), innovation, imitation, years)


def logit_shares(utility):
    """Give choice shares = exp(u) / sum exp(u) along axis 0, safe for any size of utility."""
    weight = np.exp(utility - utility.max(axis=0))
    return weight / total(weight)


class Demand(Mechanism):
    """The market for AI services: three segments, eight sellers, one outside option."""

    group = "demand"

    enabled = Param(True, "yes/no", None, "Competition; off: every seller keeps its opening share.")
    uncertain = Param(True, "yes/no", None, "Demand surprises; off: demand follows the curve.")
    market_uncertainty = Param(
        0.35, "log", (0.0, 1.0), "Standard deviation of the log of the final market, unknown at the start."
    )
    speed_uncertainty = Param(
        0.12, "log", (0.0, 0.6), "Standard deviation of the log of the speed of adoption."
    )
    volatility = Param(0.12, "per year", (0.0, 0.6), "Yearly volatility of demand around its curve.")
    growth_level = Param(1.0, "x", (0.2, 2.0), "Speed of adoption over that of the opening books.")
    usage_elasticity = Param(
        1.11,
        "elasticity",
        (0.0, 2.5),
        "Fall of the price by 1% raises use by this many per cent.",
        source="calibration: token_price_elasticity",
    )

    surprise = State("log", "demand over its curve")
    speed = State("x", "speed of adoption over the expected speed", default=1.0)
    expected_now = State("US$bn a year", "OpenAI's expected revenue this month", default=1.0)

    rows = 1
    seller_demand = None
    measures = ("surprise", "expected_now")

    def open_market(self):
        """Draw how large and how fast the market will be in each world; calibrate what is sold today."""
        customers = self.model.customers
        size = self.model.draw_once("final market", "normal") * self.market_uncertainty * self.uncertain
        speed = self.model.draw_once("speed of adoption", "normal") * self.speed_uncertainty * self.uncertain
        self.speed = np.exp(speed)
        start = customers.adoption
        customers.potential = customers.spending / start * np.exp(size)
        customers.adopted = np.clip(start * np.exp(-size), 0.002, 0.9)
        self._expected = start
        self._expected_potential = customers.spending / start
        self._opening_share = customers.shares[0]

    def adopt(self, adopted, innovation, imitation):
        """Move adoption one month on, at this world's speed."""
        pace = self.speed * self.growth_level
        return bass_step(adopted, innovation * pace, imitation * pace, 1.0 / 12.0)

    def draw_surprise(self):
        """Move the surprise: a random walk, plus dated shocks; and what was expected moves along its curve."""
        step = self.volatility * np.sqrt(1.0 / 12.0) * self.model.draw("demand", "normal") * self.uncertain
        self.surprise = self.surprise + step + self.model.demand_shock
        customers = self.model.customers
        self._expected = bass_step(self._expected, customers.innovation, customers.imitation, 1.0 / 12.0)
        expected = self._expected_potential * self._expected * self._opening_share
        self.expected_now = total(expected)[None, :]

    @property
    def revenue_surprise(self):
        """Log of OpenAI's revenue over what was expected, ``(1, worlds)``."""
        return np.log(np.maximum(self.model.openai.revenue, 0.1) / self.expected_now)

    @property
    def curve_growth(self):
        """Factor by which the adoption curve grows demand until the planning lead, ``(1, worlds)``."""
        customers, lead = self.model.customers, self.model.openai.planning_lead / 12.0
        pace = self.speed * self.growth_level
        then = bass_step(customers.adopted, customers.innovation * pace, customers.imitation * pace, lead)
        weight = customers.spending * customers.shares[0]
        grown = total(weight * then / customers.adopted)
        return (grown / np.maximum(total(weight), 1e-9))[None, :]

    def choice_shares(self, segment):
        """Give the shares that a segment would choose afresh: a logit with the outside option last.

        u = appeal + a (quality - open quality) - b (price - 1); a seller that has left is never chosen.
        Shapes: (choices, segments, worlds), or (choices, worlds) for one segment.
        """
        shape = (-1, *(1,) * (segment.appeal.ndim - 2), self.worlds)
        quality = (self.model.seller_block("quality") - self.model.technology.open_quality).reshape(shape)
        price = self.model.seller_block("price").reshape(shape)
        gone = self.model.seller_block("closed").reshape(shape)
        utility = (
            segment.appeal[:-1] + segment.quality_weight * quality - segment.price_weight * (price - 1.0)
        )
        return logit_shares(np.concatenate([np.where(gone, -60.0, utility), segment.appeal[-1:]]))

    def spread_demand(self):
        """Give every seller its demand: sum over segments of share x spending x price^(1 - elasticity).

        Volume responds to price with the usage elasticity, so revenue moves with price^(1 - elasticity).
        """
        customers = self.model.customers
        shares = customers.shares[:-1]
        by_segment = shares * customers.spending
        wanted = total(by_segment.transpose(1, 0, 2))
        price = self.model.seller_block("price")
        elastic = np.exp((1.0 - self.usage_elasticity) * np.log(price))
        self.seller_demand = wanted * elastic
        self.segment_demand = by_segment * elastic[:, None, :]

    segment_demand = None
    _expected = _expected_potential = _opening_share = None
