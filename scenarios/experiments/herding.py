"""Does a herd owe more, and fall together? The weight on imitating the largest builder, from nothing to all.

Every weight is played in the same worlds with the same luck. What is counted by world has the interval of a paired t
test; how defaults hang together is a number of all worlds, and its difference has a jackknife's interval.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from model.history import NEVER
from scenarios.ensemble import world_table
from scenarios.experiments.compare import HEADLINES, difference_of_means
from scenarios.files import version
from scenarios.schema import BadInput, Problem, default_vocabulary
from scenarios.simulate import simulate

HERDING = ("openai.herding", "rival_lab.herding", "hyperscaler.herding")
"""The Params that make a builder follow; the experiment gives all of them the same weight."""
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
LAB = "OpenAI"
ALSO = ("available", "rent", "power_price")
"""Headlines of a comparison that are shown too."""


@dataclass(frozen=True)
class Follow:
    """One quantity at one weight: its value, and the difference to a weight of nothing with its 95% interval."""

    weight: float
    quantity: str
    unit: str
    value: float
    difference: float
    low: float
    high: float

    def facts(self):
        """The row as plain values, ready for JSON."""
        return vars(self) | {"clear": self.low > 0.0 or self.high < 0.0}


@dataclass(frozen=True)
class Herd:
    """What came out: a row for each quantity and weight, in that order, and how it was played."""

    rows: tuple[Follow, ...]
    scenario: str
    worlds: int
    months: int
    seed: int

    def at(self, quantity, weight):
        """Give the row of a quantity at a weight."""
        return next(row for row in self.rows if (row.quantity, row.weight) == (quantity, weight))

    def facts(self):
        """All of it as plain values, ready for JSON."""
        about = {name: getattr(self, name) for name in ("scenario", "worlds", "months", "seed")}
        return about | {"version": version(), "rows": [row.facts() for row in self.rows]}


def herd(scenario, weights=WEIGHTS, worlds=256, seed=1, months=96, *, progress=None) -> Herd:
    """Play a scenario with every weight given to all who may follow, in the same worlds, against a weight of nothing.

    ``weights``: shares from 0 to 1; 0 is always played, and is what the others are compared with. ``worlds``, ``seed``,
    ``months`` as for ``simulate``, at least two worlds. BadInput names every mistake.
    """
    if world_table(worlds, scenario.vocabulary or default_vocabulary())[0].size < 2:
        raise BadInput(Problem("", "worlds", "not allowed", "1", "at least 2: one world has no interval"))
    weights = tuple(sorted({0.0, *map(float, weights)}))
    found, together = [], []
    for at, weight in enumerate(weights):
        part = progress and (lambda done, total, at=at: progress(done + at * total, len(weights) * total))
        there = scenario.with_set(dict.fromkeys(HERDING, weight))
        results = simulate(there, worlds, seed, months, story=None, progress=part)
        found.append(by_world(results))
        together.append(defaults(results))
    rows = []
    for name, (unit, none) in found[0].items():
        for weight, values in zip(weights, found, strict=True):
            value = values[name][1]
            rows.append(Follow(weight, name, unit, float(value.mean()), *difference_of_means(none, value)))
    for weight, fell in zip(weights, together, strict=True):
        difference = difference_of_synchrony(together[0], fell)
        rows.append(
            Follow(weight, "synchrony of builders' defaults", "correlation", synchrony(fell), *difference)
        )
    return Herd(tuple(rows), scenario.name, int(together[0].shape[1]), months, seed)


def by_world(results):
    """What is counted in each world: quantity -> (unit, ``(worlds,)``)."""
    debt, cash = (_of_builders(results, measure) for measure in ("debt", "cash"))
    found = {
        "debt of builders, highest month": ("US$bn", debt.max(axis=0)),
        "debt less cash of builders, highest month": ("US$bn", (debt - cash).max(axis=0)),
        "hyperscalers' capacity, mean over months": (
            "GW",
            results.measure("capacity").sum(axis=1).mean(axis=0),
        ),
        "builders in default by the end": ("of them", defaults(results).sum(axis=0).astype(float)),
    }
    return found | {each.quantity: (each.unit, each.of(results)) for each in HEADLINES if each.id in ALSO}


def builders(results):
    """Names of those who build with others' money or their own: all whose debt is recorded, but the lab."""
    return [name for name in results.measures["debt"].agents if name != LAB]


def _of_builders(results, measure):
    """The sum of a measure over all builders, ``(months, worlds)``."""
    agents = results.measures[measure].agents
    rows = [agents.index(name) for name in builders(results)]
    return results.measure(measure)[:, rows].astype(float).sum(axis=1)


def defaults(results):
    """Which builders come to legal default in which worlds, ``(builders, worlds)`` of bool."""
    parties = results.pieces[0].parties
    rows = [parties.index(name) for name in builders(results)]
    return np.concatenate([piece.outcomes["default"] for piece in results.pieces], axis=-1)[rows] < NEVER


# -- synchrony -----------------------------------------------------------------------------------------------


def synchrony(fell):
    """Mean correlation of two builders' defaults over worlds, each pair by the product of its standard deviations.

    (variance of how many default in a world - the sum of each one's variance) / what that would be if they always fell
    together: 0 where each falls by itself, 1 where all fall in the same worlds. fell ``(builders, worlds)`` of bool;
    0 where fewer than two of them ever default.
    """
    return float(_synchrony(*_moments(fell)))


def difference_of_synchrony(first, second):
    """Give ``synchrony(second) - synchrony(first)`` of the same worlds and its 95% interval, ``(3,)`` floats.

    Jackknife: each world left out in turn, in both at once (Miller 1974), with Student's t.
    """
    worlds = first.shape[1]
    one, other = _moments(first), _moments(second)
    middle = float(_synchrony(*other) - _synchrony(*one))
    left = _synchrony(*_without_each(second)) - _synchrony(*_without_each(first))
    error = np.sqrt((worlds - 1) / worlds * ((left - left.mean()) ** 2).sum())
    reach = float(stdtrit(worlds - 1, 0.975) * error)
    return middle, middle - reach, middle + reach


def _moments(fell):
    """Each builder's share of worlds, and the variance of how many default in a world."""
    count = fell.sum(axis=0)
    return fell.mean(axis=1)[:, None], count.var(keepdims=True)


def _without_each(fell):
    """The same moments without world 0, without world 1, and so on: ``(builders, worlds)`` and ``(worlds,)``."""
    worlds, count = fell.shape[1], fell.sum(axis=0).astype(float)
    shares = (fell.sum(axis=1)[:, None] - fell) / (worlds - 1)
    mean = (count.sum() - count) / (worlds - 1)
    return shares, ((count * count).sum() - count * count) / (worlds - 1) - mean * mean


def _synchrony(shares, variance_of_count):
    deviation = np.sqrt(shares * (1.0 - shares))
    own = (deviation * deviation).sum(axis=0)
    most = deviation.sum(axis=0) ** 2 - own
    return np.where(most > 1e-12, (variance_of_count - own) / np.maximum(most, 1e-12), 0.0).squeeze()
