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

from model.history import OUTCOMES
from scenarios.files import run_hash, version
from scenarios.schema import BadInput, Problem, nearest_name
from scenarios.simulate import simulate

DRIVERS = {
    "demand": {"demand.uncertain": False},
    "technology": {"technology.enabled": False, "technology.pincer": False},
    "credit": {
        "credit.enabled": False,
        "credit.closing_probability": 1.0,
        "credit.crowding_out": 0.0,
        "loan_pricing.enabled": False,
        "infrastructure_partner.holdings_volatility": 0.0,
    },
    "equity": {"equity_investors.enabled": False},
    "power": {"power.enabled": False, "site_company.slip_chance": 0.0},
    "rent": {"compute_market.enabled": False},
}
"""Driver -> what switches it off: the neutral values of the scenario `calm`."""

NOT_DRIVERS = {
    "openai": "what the lab decides, with commits, renegotiates and training_takes_idle: a policy, no surprise",
    "rival_lab": "what rivals decide; what surprises them is technology and demand",
    "small_model_builder": "as rival labs",
    "hyperscaler": "the control group's size",
    "utility": "the power stacks' size; what surprises them is power",
    "joint_venture_company": "has no Params",
    "private_equity_lender": "terms of lenders; what surprises them is credit",
    "bank": "terms of lenders; what surprises them is credit",
    "chip_vendor": "prices of the vendor",
    "customers": "the curve of adoption; what surprises it is demand",
    "bondholders": "has no Params",
    "rest_of_the_world": "has no Params",
    "commission": "how commissions judge; off together with power",
    "hardware": "how chips are valued: an accounting rule, no uncertainty",
    "joint_venture": "a contract that a scenario adds",
    "halls": "terms of contracts and the price of chips",
    "compute_contract": "terms of renewal and of new capacity",
    "lease": "terms of contracts",
    "power_contract": "terms of contracts",
    "loan": "whose name is on the loan",
    "shares": "has no Params",
    "site_equity": "has no Params",
    "fund": "has no Params",
    "co_investment": "has no Params",
    "pledge": "has no Params",
    "deposit": "has no Params",
    "account": "how the books split payments",
    "solvency": "the law of default, and who rescues",
    "stress": "a measure",
    "demand.enabled": "competition for customers, a mechanism without luck of its own",
    "credit.sponsor_support": "what owners decide at a refinancing",
}
"""Group of Params, or one Param of a driver's group -> why no driver switches it."""

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


# -- the experiment ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attribution:
    """What ``attribute`` found.

    ``values`` ``(2^k, worlds)``: the measure in each coalition and world; ``off`` the drivers by bit, each with
    what switches it off; ``shares``
    ``(k, worlds)`` their Shapley values; ``luck`` the worlds;
    ``residual`` the largest error in any world of their adding up.
    """

    measure: str
    unit: str
    off: dict[str, dict]
    values: np.ndarray
    shares: np.ndarray
    luck: np.ndarray
    seed: int
    months: int
    provenance: dict

    def first_world(self):
        """The first world in which the measure is not zero with every driver on, else the first."""
        return int(self.luck[np.argmax(self.values[-1] != 0.0)])

    @property
    def drivers(self):
        """The names of the drivers, by bit."""
        return tuple(self.off)

    @property
    def residual(self):
        """Largest |sum of shares - (all on - all off)| in any world."""
        return float(np.abs(self.shares.sum(axis=0) - (self.values[-1] - self.values[0])).max())

    def facts(self):
        """All that was found as plain values, ready for JSON; intervals are 95%, from worlds drawn anew."""
        low, high = bootstrap_over_worlds(self.shares)
        ends_low, ends_high = bootstrap_over_worlds(self.values[[0, -1]])
        pairs = pair_interactions(self.values).mean(axis=-1) if len(self.drivers) > 1 else np.zeros((1, 1))
        ends = [
            {
                "value": float(self.values[row].mean()),
                "low": float(ends_low[row]),
                "high": float(ends_high[row]),
            }
            for row in (0, -1)
        ]
        rows = [
            {
                "driver": name,
                "share": float(self.shares[i].mean()),
                "low": float(low[i]),
                "high": float(high[i]),
            }
            for i, name in enumerate(self.drivers)
        ]
        together = [
            {"drivers": [self.drivers[i], self.drivers[j]], "interaction": float(pairs[i, j])}
            for i in range(len(self.drivers))
            for j in range(i + 1, len(self.drivers))
        ]
        return {
            "measure": self.measure,
            "unit": self.unit,
            "all_off": ends[0],
            "all_on": ends[1],
            "drivers": sorted(rows, key=lambda row: -abs(row["share"])),
            "interactions": sorted(together, key=lambda row: -abs(row["interaction"])),
            "switched_off_by": self.off,
            "adds_up_to": self.residual,
            "worlds": int(self.values.shape[-1]),
            "seed": self.seed,
            "months": self.months,
            **self.provenance,
        }


def attribute(
    scenario,
    measure="default:OpenAI",
    worlds=256,
    seed=1,
    months=96,
    *,
    drivers=None,
    progress=None,
    vocabulary=None,
) -> Attribution:
    """Play a scenario with every coalition of drivers on, in the same worlds, and hand out the measure among them.

    ``measure``: a column of ``Results.worlds()``; a month that may never come counts 1 where it comes, so that its
    mean is a probability. ``drivers``: {name: {path: neutral value}}, default `DRIVERS`. 2^k runs. BadInput names every
    mistake.
    """
    drivers = DRIVERS if drivers is None else drivers
    names, values = tuple(drivers), []
    for coalition in range(1 << len(names)):
        off = {}
        for bit, name in enumerate(names):
            off |= {} if coalition >> bit & 1 else drivers[name]
        results = simulate(
            _with(scenario, off), worlds, seed, months, progress=_part(progress, coalition, 1 << len(names)),
            vocabulary=vocabulary,
        )  # fmt: skip
        values.append(value_by_world(results, measure))
    values = np.array(values)
    provenance = {"scenario": scenario.name, "hash": run_hash(results), "version": version()}
    shares, unit = shapley_values(values), _unit(results, measure)
    return Attribution(
        measure, unit, dict(drivers), values, shares, results.luck, results.seed, results.months, provenance
    )


def equity_share(scenario, worlds=256, seed=1, months=96, *, agent="OpenAI", progress=None, vocabulary=None):
    """Give what the equity window adds to a firm's default probability, against all other drivers taken as one.

    The Shapley value of a game of two players, equity and the rest: exact, and four runs instead of sixty-four.
    """
    rest = {}
    for name, off in DRIVERS.items():
        rest |= {} if name == "equity" else off
    two = {"equity": DRIVERS["equity"], "all else": rest}
    return attribute(
        scenario,
        f"default:{agent}",
        worlds,
        seed,
        months,
        drivers=two,
        progress=progress,
        vocabulary=vocabulary,
    )


def value_by_world(results, measure):
    """Give a column of ``Results.worlds()`` as numbers ``(worlds,)``: of what may never come, whether it came.

    BadInput with the nearest name if there is no such column.
    """
    table = results.worlds()
    names = [name for name in table.columns if name not in ("world", *results.pieces[0].params)]
    if measure not in names:
        near = nearest_name(measure, names)
        raise BadInput(
            Problem("", "measure", "unknown", repr(measure), "such as default:OpenAI", nearest=near)
        )
    column = table[measure]
    return (column.notna() if measure.split(":")[0] in OUTCOMES else column).to_numpy(float)


def _unit(results, measure):
    if measure.split(":")[0] in (*OUTCOMES, "trap"):
        return "share of worlds"
    return results.worlds().attrs["units"].get(measure, "")


def _with(scenario, changes):
    return scenario.with_set(changes) if changes else scenario


def _part(progress, at, parts):
    """Count one of several runs of equal length as that part of them all."""
    return progress and (lambda done, total: progress(done + at * total, parts * total))
