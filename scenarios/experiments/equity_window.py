"""Figure 1: the lab's default probability against the equity window, since that is what it hangs on most.

A critic's first sentence will be that the default rate is the equity parameter. So the rate is shown over the whole
range of both parameters of the window, with the shipped point among them and its interval.
"""

from dataclasses import dataclass

import numpy as np

from model.history import wilson
from scenarios.experiments.attribution import value_by_world
from scenarios.files import run_hash, version
from scenarios.schema import default_vocabulary
from scenarios.simulate import simulate

HAZARD, CAP = "equity_investors.closing_hazard", "equity_investors.yearly_cap"
HAZARDS = (0.0, 0.05, 0.15, 0.3, 0.6, 1.2)
CAPS = (25.0, 50.0, 75.0, 120.0, 180.0)


@dataclass(frozen=True)
class Figure:
    """The grid: ``chance`` ``(hazards, caps)`` with its 95% interval ``low`` and ``high``, and the shipped point."""

    hazards: tuple[float, ...]
    caps: tuple[float, ...]
    chance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    shipped: tuple[float, float]
    agent: str
    worlds: int
    provenance: dict

    def at(self, hazard, cap):
        """Give (chance, low, high) at a point of the grid."""
        place = self.hazards.index(hazard), self.caps.index(cap)
        return tuple(float(table[place]) for table in (self.chance, self.low, self.high))

    def facts(self):
        """All of it as plain values, ready for JSON."""
        p, low, high = self.at(*self.shipped)
        rows = [
            {"closing_hazard": hazard, "yearly_cap_usd_bn": cap}
            | dict(zip(("p", "low", "high"), self.at(hazard, cap), strict=True))
            for hazard in self.hazards
            for cap in self.caps
        ]
        shipped = {"closing_hazard": self.shipped[0], "yearly_cap_usd_bn": self.shipped[1]}
        return {
            "agent": self.agent,
            "shipped": shipped | {"p": p, "low": low, "high": high},
            "grid": rows,
            "worlds": self.worlds,
            **self.provenance,
        }


def figure_one(
    scenario,
    worlds=256,
    seed=1,
    months=96,
    *,
    agent="OpenAI",
    hazards=HAZARDS,
    caps=CAPS,
    progress=None,
    vocabulary=None,
) -> Figure:
    """Run a scenario at every point of the grid, in the same worlds with the same luck.

    ``hazards``: rates a year at which an open window shuts; ``caps``: most equity a year, US$bn. The scenario's own
    values are added to both.
    """
    shipped = shipped_point(scenario, vocabulary)
    hazards, caps = (
        tuple(sorted({*map(float, row), own})) for row, own in zip((hazards, caps), shipped, strict=True)
    )
    counts, points = np.zeros((len(hazards), len(caps))), len(hazards) * len(caps)
    for at, (i, j) in enumerate(np.ndindex(counts.shape)):
        part = progress and (lambda done, total, at=at: progress(done + at * total, points * total))
        there = scenario.with_set({HAZARD: hazards[i], CAP: caps[j]})
        results = simulate(there, worlds, seed, months, progress=part, vocabulary=vocabulary)
        counts[i, j] = value_by_world(results, f"default:{agent}").sum()
        if (hazards[i], caps[j]) == shipped:
            provenance = {"scenario": scenario.name, "hash": run_hash(results), "version": version()}
    count = int(results.luck.size)
    low, high = np.vectorize(lambda hits: wilson(int(hits), count))(counts)
    provenance |= {"seed": seed, "months": months}
    return Figure(hazards, caps, counts / count, low, high, shipped, agent, count, provenance)


def shipped_point(scenario, vocabulary=None):
    """Give a scenario's own closing hazard and yearly cap."""
    return tuple(_value(scenario, path, vocabulary) for path in (HAZARD, CAP))


def _value(scenario, path, vocabulary):
    """What a scenario says of a Param of a group, else its default."""
    group, name = path.split(".")
    chosen = vocabulary or scenario.vocabulary or default_vocabulary()
    return float(scenario.params.get(path, chosen.params[group][name].default))
