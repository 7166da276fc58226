"""Which driver did it: exact Shapley values over all coalitions of drivers, in the same worlds with the same luck.

A *driver* is a group of uncertainties with a switch and a stated neutral value (`DRIVERS`). A *coalition* is a set of
drivers left on, the others at their neutral value; with k drivers there are 2^k, each played in the same worlds. A
driver that is off draws the same luck as before and ignores it, so no other driver's luck moves.

Shapley (1953), "A value for n-person games". What a driver gets is what it adds, on average over all orders in which
the drivers could be switched on. Values are linear, so the share of a probability is the mean of the worlds' values.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

DRIVERS = {
    "demand": {"demand.uncertain": False},
    "technology": {"technology.enabled": False, "technology.pincer": False},
    "credit": {"credit.enabled": False},
    "equity": {"equity_investors.enabled": False},
    "power": {"power.enabled": False, "site_company.slip_chance": 0.0},
    "rent": {"compute_market.enabled": False},
}
"""Driver -> what switches it off: the neutral values of the scenario `calm`."""

RESAMPLES = 2_000


# -- the game --------------------------------------------------------------------------------------------------


def shapley_values(values):
    """Give each player's Shapley value: (2^k, ...) -> (k, ...).

    ``values[S]`` is what coalition S is worth; bit i of S says whether player i is in it. They add up to the worth of
    all less the worth of none, for every entry of the other axes.
    """
    values, players = _game(values)
    weights = np.zeros((players, len(values)))
    for coalition in range(len(values)):
        size = coalition.bit_count()
        for player in range(players):
            if not coalition >> player & 1:
                weight = 1.0 / (players * math.comb(players - 1, size))
                weights[player, coalition | 1 << player] += weight
                weights[player, coalition] -= weight
    return np.tensordot(weights, values, axes=1)


def pair_interactions(values):
    """Give the interaction index of each pair: (2^k, ...) -> (k, k, ...), symmetric, zero on the diagonal.

    What two players add together beyond what each adds alone, on average over coalitions of the others with Shapley's
    weights; positive where they make each other worse. Grabisch and Roubens (1999), Int. J. of Game Theory 28.
    """
    values, players = _game(values)
    found = np.zeros((players, players, *values.shape[1:]))
    for one in range(players):
        for other in range(one + 1, players):
            pair = 1 << one | 1 << other
            for coalition in range(len(values)):
                if not coalition & pair:
                    size = coalition.bit_count()
                    weight = 1.0 / ((players - 1) * math.comb(players - 2, size))
                    both, alone = values[coalition | pair], values[coalition]
                    first, second = values[coalition | 1 << one], values[coalition | 1 << other]
                    found[one, other] += weight * (both - first - second + alone)
            found[other, one] = found[one, other]
    return found


def _game(values):
    values = np.asarray(values, dtype=float)
    players = max(len(values).bit_length() - 1, 0)
    if len(values) != 1 << players or not players:
        raise ValueError(f"a game of k players has 2^k coalitions, not {len(values)}")
    return values, players


@dataclass(frozen=True)
class Means:
    """Means over worlds with standard errors and 95% half-widths by Student's t, each ``(k,)``."""

    mean: np.ndarray
    error: np.ndarray
    reach: np.ndarray


def means_over_worlds(each):
    """Give the means over the last axis of ``each``, ``(k, worlds)``: as exact as the worlds are many."""
    each = np.asarray(each, dtype=float)
    worlds = each.shape[-1]
    error = each.std(axis=-1, ddof=1) / np.sqrt(worlds)
    return Means(each.mean(axis=-1), error, stdtrit(worlds - 1, 0.975) * error)


def bootstrap_over_worlds(each, resamples=RESAMPLES, seed=1):
    """Give the 95% interval of the mean over worlds by drawing worlds anew: ``(k, worlds)`` -> low, high ``(k,)``.

    Whole worlds are drawn, so that what happens together stays together. Efron (1979), Annals of Statistics 7.
    """
    each = np.asarray(each, dtype=float)
    worlds = each.shape[-1]
    counts = np.random.default_rng(seed).multinomial(worlds, np.full(worlds, 1.0 / worlds), size=resamples)
    low, high = np.quantile(each @ counts.T / worlds, [0.025, 0.975], axis=-1)
    return low, high
