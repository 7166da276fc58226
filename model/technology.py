"""Technology: efficiency breakthroughs with an owner, a size and a leak; open weights that follow."""

import numpy as np

from agents.customers import BUILDERS, SELLERS
from agents.worlds import Mechanism, Param, State
from model.tape import bernoulli

LAG_SLOTS = 13


def compute_optimal(compute, irreducible, size_factor, data_factor, alpha, beta):
    """Train compute-optimally: parameters N, tokens D and loss at `compute` = 6 N D floating-point operations.

    loss = E + A N^-alpha + B D^-beta is least at N = G (C / 6)^(beta / (alpha + beta)), with
    G = (alpha A / (beta B))^(1 / (alpha + beta)); what is reducible of it falls with C^-gamma. Returns
    (N, D, loss). Source: Hoffmann et al. (2022), equations 2 to 4.
    """
    balance = np.log(alpha * size_factor / (beta * data_factor)) / (alpha + beta)
    budget = np.log(compute / 6.0)
    log_size = balance + budget * beta / (alpha + beta)
    log_data = budget - log_size
    reducible = size_factor * np.exp(-alpha * log_size) + data_factor * np.exp(-beta * log_data)
    return np.exp(log_size), np.exp(log_data), irreducible + reducible


def gain_size(median, spread, luck):
    """Give the size of a breakthrough (natural logarithm): lognormal, from a standard normal."""
    return median * np.exp(spread * luck)


def leak(pending, month, own, others, lag):
    """Hand out this month's gains: owners' at once, and what others get of them `lag` months later.

    `pending` is a ring ``(slots, labs, worlds)`` by month of arrival, with more slots than `lag`; `own` and
    `others` are ``(labs, worlds)``; `lag` is whole, a number or one per world. Returns what every lab gains now
    and the ring afterwards.
    """
    slots = np.arange(len(pending))[:, None, None]
    now, slot = pending[month % len(pending)] + own, month % len(pending)
    ring = np.where(slots == slot, 0.0, pending)
    ring = np.where((slots == (month + lag) % len(pending)) & (lag > 0), ring + others, ring)
    return now + np.where(lag > 0, 0.0, others), ring


def lead(efficiency):
    """Give the best of ``(labs, worlds)`` over the second best, ``(worlds,)``."""
    ranked = np.sort(efficiency, axis=0)
    return ranked[-1] - ranked[-2]


class Technology(Mechanism):
    """Breakthroughs arrive at random, belong to somebody first, and reach everybody after a lag.

    With `enabled` off no breakthrough arrives: efficiency follows the trend contained in the demand curve.
    """

    group = "technology"

    enabled = Param(True, "yes/no", None, "Whether breakthroughs arrive at random.")
    pincer = Param(True, "yes/no", None, "Whether open weights cap what the frontier can charge.")
    breakthroughs_per_year = Param(
        0.5,
        "per year",
        (0.0, 4.0),
        "Arrivals of efficiency gains over the trend.",
        source="calibration: deepseek_training_compute_ratio (one such event in two years)",
    )
    gain_median = Param(
        0.35, "log", (0.0, 2.5), "Median gain: natural logarithm of the compute saved.",
        source="calibration: algo_progress_halving (a half-life of months, over the trend)",
    )  # fmt: skip
    gain_spread = Param(0.5, "log", (0.0, 1.5), "Standard deviation of the log of the gain.")
    own_share = Param(0.35, "share", (0.0, 1.0), "Share of breakthroughs that OpenAI makes.")
    rival_share = Param(0.4, "share", (0.0, 1.0), "Share that a rival makes; the rest appear in the open.")
    leak_lag = Param(
        6,
        "months",
        (0, 12),
        "Months until others have most of it.",
        source="assumed, from calibration: open_model_lag",
        whole=True,
    )
    leak_share = Param(0.8, "share", (0.0, 1.0), "Share of the gain that others get.")
    open_lag = Param(
        4.0,
        "months",
        (1.0, 36.0),
        "Time in which open weights follow the best model.",
        source="calibration: open_model_lag",
    )
    premium_slope = Param(
        1.0, "per unit quality", (0.0, 4.0), "How far the price must fall when open weights come closer."
    )

    gain = State("log", "efficiency gained this month by each seller")
    pending = State("log", "gains on their way to others, by month of arrival", over=LAG_SLOTS)

    rows = len(SELLERS) + len(BUILDERS)
    best_efficiency = np.zeros((1, 1))
    open_quality = np.zeros((1, 1))
    price_ceiling = np.zeros((1, 1))
    industry_gain = np.zeros((1, 1))

    def arrive(self):
        """Let breakthroughs arrive, hand them to their owner, and send the rest on its way."""
        month = self.model.month
        chance = 1.0 - np.exp(-self.breakthroughs_per_year / 12.0)
        happens = bernoulli(self.model.draw("breakthrough"), chance) & self.enabled
        arrived = self.pending[month % LAG_SLOTS]
        first = arrived
        if happens.any() or self.model.dated_gain.any():
            first = arrived + self._discover(happens)
        if arrived.any():
            slots = np.arange(LAG_SLOTS)[:, None, None]
            self.pending = np.where(slots == month % LAG_SLOTS, 0.0, self.pending)
        self.gain = first

    def _discover(self, happens):
        """Draw the size and the owner of this month's breakthroughs; send the rest on its way to others."""
        size = self.gain_median * np.exp(self.gain_spread * self.model.draw("breakthrough size", "normal"))
        size = np.where(happens, size, 0.0)
        who, rival = self.model.draw("breakthrough owner"), self.model.draw("breakthrough rival")
        own = who < self.own_share
        outside = ~own & (who < self.own_share + self.rival_share)
        owner = np.zeros((self.rows, self.worlds))
        owner[0] = own[0]
        owner[1] = (outside & (rival < 0.5))[0]
        owner[2] = (outside & (rival >= 0.5))[0]
        owner = np.where(~own & ~outside, 1.0, owner)
        now = owner * size + self.model.dated_gain
        later = (1.0 - owner) * size * self.leak_share + self.model.dated_leak * self.leak_share
        slots, lag = np.arange(LAG_SLOTS)[:, None, None], self.leak_lag
        due = (slots == (self.model.month + lag) % LAG_SLOTS) & (lag > 0)
        self.pending = np.where(due, self.pending + later, self.pending)
        return now + np.where(lag > 0, 0.0, later)

    def follow(self):
        """Let open weights follow the best model, and cap the price of the frontier (the pincer).

        ln price <= slope x min(0, own quality - open quality): no premium once open weights have caught up.
        """
        efficiency = self.model.seller_block("efficiency")
        quality = self.model.seller_block("quality")
        self.best_efficiency = efficiency[:5].max(axis=0)[None, :]
        self.industry_gain = np.median(efficiency[:5], axis=0)[None, :]
        best = quality[:5].max(axis=0)[None, :]
        self.open_quality = self.open_quality + (best - self.open_quality) / self.open_lag
        behind = np.minimum(self.model.openai.quality - self.open_quality, 0.0)
        self.price_ceiling = np.where(self.pincer, self.premium_slope * behind, 0.0)
