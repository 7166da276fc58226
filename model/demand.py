"""Demand: adoption curves, surprises, and the choice between labs and outside options."""

import numpy as np

from agents.customers import FRONTIER_LABS, SELLERS
from agents.kernels import as_layers, as_rows
from agents.lab import compute_for, price_after
from agents.worlds import Mechanism, Param, State, of_params
from model.kernels_demand import (
    add_by_nest,
    exponents_among,
    exponents_within,
    grow_along_curve,
    shares_of_choices,
    spend_along_curve,
    spread_among_sellers,
    surprise_and_expect,
    utility_of_choices,
)
from model.sums import total


def bass_step(adopted, innovation, imitation, years):
    """Move along the Bass curve exactly: F(t + h) = F(tau(F(t)) + h).

    With x = (1 + (q/p) F) / (1 - F) the curve is x(t + h) = x(t) exp((p + q) h). Shares of the final market in
    and out, rates per year; all arguments broadcast. Source: Bass (1969), Management Science 15.
    """
    given = np.broadcast_arrays(adopted, *bass_pace(innovation, imitation, years))
    rows = [np.ascontiguousarray(each, dtype=float).reshape(1, -1) for each in given]
    moved, whole = np.empty(rows[0].shape), np.ones(rows[0].shape)
    spend_along_curve(*rows, whole, whole, moved, np.empty(moved.shape))
    return moved.reshape(given[0].shape)


def bass_pace(innovation, imitation, years):
    """Give what a step along the Bass curve takes of its rates: (q/p, exp((p + q) h))."""
    return imitation / innovation, np.exp((innovation + imitation) * years)


def bass_peak(innovation, imitation):
    """Give the time of the peak of adoption (years) and the share adopted by then."""
    years = np.log(imitation / innovation) / (innovation + imitation)
    return years, (imitation - innovation) / (2.0 * imitation)


def bass_age(adopted, innovation, imitation):
    """Give how long after the start of its curve a market is adopted to this share (years)."""
    ratio = imitation / innovation
    return np.log((1.0 + ratio * adopted) / (1.0 - adopted)) / (innovation + imitation)


def nested_logit(utility, nests, dissimilarity, outside=None):
    """Give the shares of a nested logit, the share of the outside option, and the logsum.

    I_g = lambda_g ln sum_{j in g} exp(u_j / lambda_g); s_j = exp(u_j / lambda_g - I_g / lambda_g) exp(I_g - I),
    with the logsum I = ln(exp(u_0) + sum_g exp(I_g)). lambda = 1 is the plain logit, lambda -> 0 makes the
    choices of a nest perfect substitutes. Every exponent has its maximum subtracted, so no lambda overflows.

    Parameters: utility ``(choices, ..., worlds)``; nests, a slice or list of choices for each, every choice in
    one; dissimilarity, a lambda in (0, 1] for each nest; outside, the utility of choosing nothing of this, or
    None where that cannot be chosen. Source: McFadden (1978); Berry (1994).
    """
    shape, worlds = utility.shape[1:], utility.shape[-1]
    utility = np.ascontiguousarray(utility, dtype=float).reshape(len(utility), -1, worlds)
    scale = np.array([np.broadcast_to(each, (worlds,)) for each in dissimilarity], dtype=float)
    rows = utility.shape[1:] if outside is not None else (0, worlds)
    nothing = np.empty(rows)
    if outside is not None:
        nothing[...] = np.reshape(outside, (-1, np.shape(outside)[-1]))
    shares, left = np.empty(utility.shape), np.empty(utility.shape[1:])
    top, among = _nested_logit(utility, _nest_of_each(nests, len(utility)), scale, nothing, shares, left)
    return shares.reshape(-1, *shape), left.reshape(shape), (top + np.log(among)).reshape(shape)


def _nest_of_each(nests, choices):
    """The number of the nest of each choice; nests as in `nested_logit`."""
    nest = np.empty(choices, dtype=np.int64)
    for number, members in enumerate(nests):
        nest[members] = number
    return nest


def _nested_logit(utility, nest, scale, outside, shares, left):
    """Find the shares, and the outside option's, `left`; give the two parts of the logsum, I = top + ln among.

    utility and shares ``(choices, segments, worlds)``, outside and left ``(segments, worlds)``, outside without rows
    where it cannot be chosen; `nest` of each choice, scale, the lambdas ``(nests, worlds)``.
    """
    nests, shape = len(scale), left.shape
    best = np.empty((nests, *shape))
    whole = np.empty((nests, *shape))
    top = np.empty(shape)
    among = np.empty(shape)
    of_nests = np.empty((nests + (len(outside) > 0), *shape))
    exponents_within(utility, nest, scale, best, shares)
    np.exp(shares, out=shares)
    add_by_nest(shares, nest, whole)
    exponents_among(best, np.log(whole), scale, outside, top, of_nests)
    np.exp(of_nests, out=of_nests)
    shares_of_choices(nest, whole, of_nests, shares, left, among)
    return top, among


def calibrated_appeal(shares, outside, nests, dissimilarity):
    """Give the utilities, over that of the outside option, at which `nested_logit` has these shares.

    u_j - u_0 = ln(s_j / s_0) - (1 - lambda_g) ln s_{j|g}: the inversion of Berry (1994). A choice without
    customers gets -40. Shapes as in `nested_logit`.
    """
    appeal = np.full(shares.shape, -40.0)
    for nest, scale in zip(nests, dissimilarity, strict=True):
        members = shares[nest]
        among = members / np.maximum(total(members), 1e-12)
        found = np.log(np.maximum(members, 1e-12) / outside) - (1.0 - scale) * np.log(
            np.maximum(among, 1e-12)
        )
        appeal[nest] = np.where(members > 0.0, found, -40.0)
    return appeal


def usage(price, elasticity):
    """Give use over use at the price 1: price^-elasticity; revenue then moves with price^(1 - elasticity)."""
    return np.exp(-elasticity * np.log(price))


def rebound(gain, elasticity, pass_through):
    """Say what a gain in efficiency (natural logarithm) does to price, use, compute and revenue, all as multiples.

    compute = e^(gain (elasticity x pass-through - 1)): it rises, and the saving backfires, only above 1. The
    rebound is the share of the compute saved per use that more use takes back. Source: Jevons (1865), with a
    constant elasticity.
    """
    price = price_after(gain, pass_through)
    use = usage(price, elasticity)
    compute = compute_for(use, gain)
    taken_back = 1.0 - (1.0 - compute) / -np.expm1(-np.asarray(gain, dtype=float))
    return {"price": price, "use": use, "compute": compute, "revenue": price * use, "rebound": taken_back}


NESTS = (slice(0, FRONTIER_LABS), slice(FRONTIER_LABS, None))
"""The frontier labs; open-weight labs and small-model builders."""
_NEST = _nest_of_each(NESTS, SELLERS)


class Demand(Mechanism):
    """The market for AI services: three segments, eight sellers in two nests, one outside option.

    Neutral: both dissimilarities 1 (a plain logit), `outside_cheapens` 0, `shortage_weight` 0; `enabled` off keeps
    every seller's opening share.
    """

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

    frontier_dissimilarity = Param(
        0.6,
        "lambda",
        (0.05, 1.0),
        "How different customers find the three frontier labs: 1 as different as anything else, near 0 the same.",
    )
    commodity_dissimilarity = Param(
        0.8, "lambda", (0.05, 1.0), "The same for open-weight labs and small-model builders."
    )
    outside_cheapens = Param(
        1.0,
        "share",
        (0.0, 1.0),
        "Share of the efficiency of open weights that makes running them oneself cheaper; 0: it costs the same.",
    )
    shortage_weight = Param(
        0.5,
        "utility per log unit",
        (0.0, 4.0),
        "How strongly customers who could not be served turn elsewhere; 0: they wait.",
    )

    surprise = State("log", "demand over its curve")
    speed = State("x", "speed of adoption over the expected speed", default=1.0)
    expected = State(
        "share",
        "share of the final market that was expected to be adopted by now, by segment",
        rows="segments",
    )
    expected_now = State("US$bn a year", "OpenAI's expected revenue this month", default=1.0)

    seller_demand = None
    measures = ("surprise", "expected_now")

    def __init__(self, model):
        super().__init__(model)
        self.segments = len(model.customers)

    def open_market(self):
        """Draw how large and how fast the market will be in each world; calibrate what is sold today."""
        customers = self.model.customers
        size = self.model.draw_once("final market", "normal") * self.market_uncertainty * self.uncertain
        speed = self.model.draw_once("speed of adoption", "normal") * self.speed_uncertainty * self.uncertain
        self.speed = np.exp(speed)
        start = customers.adoption
        customers.potential = customers.spending / start * np.exp(size)
        customers.adopted = np.clip(start * np.exp(-size), 0.002, 0.9)
        self.expected = start
        self._expected_potential = customers.spending / start
        self._opening_share = customers.shares[0]

    def adopt(self, segment):
        """Give what is adopted one month on, at this world's speed, and what is spent then, surprise included."""
        adopted, spending = np.empty(segment.adopted.shape), np.empty(segment.adopted.shape)
        ratio, growth = self._pace_of_month
        pace, factor = (ratio[segment.row], growth[segment.row]), np.exp(self.surprise)
        spend_along_curve(*as_rows(segment.adopted, *pace, segment.potential, factor, adopted, spending))
        return adopted, spending

    def _pace(self, years):
        """Pace of a step of so many years at this world's speed, drawn at the start, ``(segments, worlds)`` each."""
        customers, speed = self.model.customers, self.speed * self.growth_level
        return bass_pace(customers.innovation * speed, customers.imitation * speed, years)

    @of_params
    def _pace_of_month(self):
        return self._pace(1.0 / 12.0)

    @of_params
    def _pace_of_lead(self):
        return self._pace(self.model.openai.planning_lead / 12.0)

    @of_params
    def _expected_pace(self):
        """Pace of a month that everybody expects, ``(segments, worlds)`` each."""
        return bass_pace(self.model.customers.innovation, self.model.customers.imitation, 1.0 / 12.0)

    @of_params
    def _monthly_volatility(self):
        """Standard deviation of a month's surprise, ``(1, worlds)``; 0 where demand follows the curve."""
        return self.volatility * np.sqrt(1.0 / 12.0) * self.uncertain

    def draw_surprise(self):
        """Move the surprise: a random walk, plus dated shocks; and what was expected moves along its curve."""
        model, row = self.model, (1, self.worlds)
        surprise, expected, expected_now = np.empty(row), np.empty(self.expected.shape), np.empty(row)
        surprise_and_expect(
            self.surprise,
            self._monthly_volatility,
            model.draw("demand", "normal"),
            model.demand_shock,
            self.expected,
            *self._expected_pace,
            self._expected_potential,
            self._opening_share,
            surprise,
            expected,
            expected_now,
        )
        self.surprise, self.expected, self.expected_now = surprise, expected, expected_now

    @property
    def revenue_surprise(self):
        """Log of OpenAI's revenue over what was expected, ``(1, worlds)``."""
        return np.log(np.maximum(self.model.openai.revenue, 0.1) / self.expected_now)

    @property
    def curve_growth(self):
        """Factor by which the adoption curve grows demand until the planning lead, ``(1, worlds)``."""
        customers = self.model.customers
        growth = np.empty((1, self.worlds))
        grow_along_curve(
            customers.adopted, *self._pace_of_lead, customers.spending, customers.shares[0], growth
        )
        return growth

    @property
    def dissimilarity(self):
        """Lambda of each nest, ``(worlds,)`` each."""
        return self.frontier_dissimilarity[0], self.commodity_dissimilarity[0]

    def calibrate(self, shares):
        """Give the appeal of each choice, outside option last (0), at which all prices 1 give these shares."""
        appeal = calibrated_appeal(shares[:-1], shares[-1], NESTS, self.dissimilarity)
        return np.concatenate([appeal, np.zeros_like(appeal[:1])])

    def choice_shares(self, segment):
        """Give the shares that a segment would choose afresh: a nested logit with the outside option last.

        u = appeal + a (quality - open quality) - b (price - price of running open weights oneself)
        + c ln(share of demand served); u of the outside option is 0. A seller that has left is never chosen.
        Shape: (choices, segments, worlds), with one segment if it is asked for one.
        """
        model, technology = self.model, self.model.technology
        (appeal,) = as_layers(segment.appeal)
        utility, shares = np.empty((len(appeal) - 1, *appeal.shape[1:])), np.empty(appeal.shape)
        utility_of_choices(
            appeal,
            *as_rows(segment.quality_weight, segment.price_weight),
            model.seller_block("quality"),
            technology.open_quality,
            model.seller_block("price"),
            technology.self_hosted_price,
            np.log(np.maximum(model.openai.served_share, 0.01)),
            self.shortage_weight,
            model.seller_block("closed"),
            utility,
        )
        _nested_logit(utility, _NEST, self._scale, appeal[-1], shares[:-1], shares[-1])
        return shares

    @of_params
    def _scale(self):
        """Lambda of each nest, ``(nests, worlds)``."""
        return np.stack(self.dissimilarity)

    def spread_demand(self):
        """Give every seller its demand: sum over segments of share x spending x price^(1 - elasticity).

        Use responds to price with the usage elasticity, so revenue moves with price x use.
        """
        customers, price = self.model.customers, self.model.seller_block("price")
        demand, by_segment = np.empty(price.shape), np.empty((len(price), *customers.spending.shape))
        use = usage(price, self.usage_elasticity)
        spread_among_sellers(customers.shares, customers.spending, price, use, demand, by_segment)
        self.seller_demand, self.segment_demand = demand, by_segment

    segment_demand = None
    _expected_potential = _opening_share = None
