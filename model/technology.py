"""Technology: efficiency breakthroughs with an owner, a size and a leak; open weights that follow."""

import numpy as np

from agents.customers import FRONTIER_LABS, LABS, SELLERS
from agents.lab import scaling_exponent
from agents.worlds import Mechanism, Param, State, of_params
from model.kernels_demand import follow_the_best, hand_out_leaks, hand_to_owners, lead_over_second
from model.tape import bernoulli, poisson_steps

LAG_SLOTS = 13
MOST_ARRIVALS = 6
"""Most breakthroughs of a month: at the highest rate allowed, more come once in two million months."""


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
    `others` are ``(labs, worlds)``; `lag` is whole, ``(1, worlds)``. Returns what every lab gains now and the ring
    afterwards.
    """
    ring, gain = pending.copy(), np.empty(own.shape)
    hand_out_leaks(month, own, others, lag, ring, gain)
    return gain, ring


def lead(efficiency):
    """Give the best of ``(labs, worlds)`` over the second best, ``(worlds,)``."""
    ahead = np.empty((1, efficiency.shape[1]))
    lead_over_second(efficiency, ahead)
    return ahead[0]


class Technology(Mechanism):
    """Breakthroughs arrive at random, belong to somebody first, and reach everybody after a lag.

    With `enabled` off no breakthrough arrives: efficiency follows the trend contained in the demand curve. The two
    arms of the pincer have a switch each: `frontier_arm` (spending buys less and less) and `pincer` (open weights
    cap prices). Without architecture breaks (`architecture_share` 0) all hardware ages alike.
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
    frontier_arm = Param(
        True,
        "yes/no",
        None,
        "Whether frontier spending buys less and less, as the scaling law says; off: quality is proportional to "
        "compute.",
    )
    scaling_alpha = Param(
        0.34, "exponent", (0.05, 0.6), "Fall of the loss with the size of the model.",
        source="calibration: scaling_chinchilla_alpha",
    )  # fmt: skip
    scaling_beta = Param(
        0.28, "exponent", (0.05, 0.6), "Fall of the loss with the data trained on.",
        source="calibration: scaling_chinchilla_beta",
    )  # fmt: skip
    architecture_share = Param(
        0.15, "share", (0.0, 1.0), "Share of breakthroughs that need another architecture of chips."
    )
    premium_slope = Param(
        1.0, "per unit quality", (0.0, 4.0), "How far the price must fall when open weights come closer."
    )

    gain = State("log", "efficiency gained this month by each seller")
    broken = State(
        "log", "gains so far that need another architecture of chips than those already built", rows=1
    )
    open_quality = State("utility", "quality of open weights", rows=1)
    pending = State("log", "gains on their way to others, by month of arrival", over=LAG_SLOTS)

    rows = SELLERS
    measures = ("leader",)
    best_efficiency = price_ceiling = self_hosted_price = industry_gain = None

    def __init__(self, model):
        super().__init__(model)
        self.best_efficiency = self.industry_gain = np.zeros((1, model.worlds))
        self.price_ceiling = self.self_hosted_price = np.ones((1, model.worlds))

    def arrive(self):
        """Let breakthroughs arrive (a Poisson number), hand them to their owner, send the rest on its way."""
        model, month, shape = self.model, self.model.month, self.gain.shape
        own = np.empty(shape)
        others = np.empty(shape)
        broken = np.empty((1, self.worlds))
        hand_to_owners(
            *[drawn[month] for drawn in self._breakthroughs],
            self.own_share,
            self.rival_share,
            self.leak_share,
            model.dated_gain,
            model.dated_leak,
            self.broken,
            own,
            others,
            broken,
        )
        self.broken = broken
        self.gain, self.pending = leak(self.pending, month, own, others, self.leak_lag)

    @of_params
    def _chances(self):
        """Chance of at most 0, 1, ... breakthroughs in a month, each ``(1, worlds)``."""
        return poisson_steps(self.breakthroughs_per_year / 12.0 * self.enabled, MOST_ARRIVALS)

    @of_params
    def loss_exponent(self):
        """Exponent of the scaling law: how fast the reducible loss falls with effective compute, ``(1, worlds)``."""
        return scaling_exponent(self.scaling_alpha, self.scaling_beta)

    @of_params
    def _breakthroughs(self):
        """All breakthroughs of the horizon, five blocks ``(months, the n-th of a month, worlds)``.

        Whether there is one, its size (natural logarithm), two draws of who makes it, whether it breaks with the
        architecture of chips.
        """
        more, found = 1.0 - self.model.draw_all("breakthrough"), []
        for arrival, reached in enumerate(self._chances):
            happens = more > reached
            if arrival and not happens.any():
                break
            found.append((happens, *self._draw_breakthrough(f" {arrival + 1}" if arrival else "")))
        return [np.concatenate(blocks, axis=1) for blocks in zip(*found, strict=True)]

    def _draw_breakthrough(self, nth):
        """Draw the n-th breakthrough of every month: size, two draws of its owner, whether it breaks."""
        model = self.model
        luck = model.draw_all(f"breakthrough size{nth}", "normal")
        who, rival = model.draw_all(f"breakthrough owner{nth}"), model.draw_all(f"breakthrough rival{nth}")
        breaks = bernoulli(model.draw_all(f"architecture break{nth}"), self.architecture_share)
        return gain_size(self.gain_median, self.gain_spread, luck), who, rival, breaks

    @property
    def leader(self):
        """Lead of the most efficient of the five labs over the next (natural logarithm), ``(1, worlds)``."""
        return lead(self.model.seller_block("efficiency")[:LABS])[None, :]

    @of_params
    def _bends_everywhere(self):
        return bool(self.frontier_arm.all())

    def bends(self, log_compute):
        """Give the log of effective compute that counts for quality; without the frontier arm, multiple - 1."""
        if self._bends_everywhere:
            return log_compute
        return np.where(self.frontier_arm, log_compute, np.expm1(np.minimum(log_compute, 4.0)))

    def follow(self):
        """Let open weights follow the best model, and cap the price of the frontier (the pincer).

        ln price <= slope x min(0, own quality - open quality): no premium once open weights have caught up. Running
        open weights oneself costs as much less as the best of them has become more efficient.
        """
        row, prices = (1, self.worlds), np.empty((2, self.worlds))
        best, middle, open_quality = np.empty(row), np.empty(row), np.empty(row)
        follow_the_best(
            LABS,
            FRONTIER_LABS,
            self.model.seller_block("efficiency"),
            self.model.seller_block("quality"),
            self.open_quality,
            self.open_lag,
            self.premium_slope,
            self.pincer,
            self.model.demand.outside_cheapens,
            best,
            middle,
            open_quality,
            prices,
        )
        np.exp(prices, out=prices)
        self.best_efficiency, self.industry_gain, self.open_quality = best, middle, open_quality
        self.price_ceiling, self.self_hosted_price = prices[:1], prices[1:]
