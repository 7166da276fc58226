"""Every measure of a scenario at chosen months: median and 5-95% over worlds.

Measures are taken from the model at those months alone, so a month of an ordinary run costs nothing more.
"""

from dataclasses import dataclass

import numpy as np

from model.history import wilson
from model.stress import MEASURES
from scenarios.ensemble import chunks, setting_of, world_table
from scenarios.experiments.scoring import kaplan_meier
from scenarios.files import version
from scenarios.schema import BadInput, Problem, default_vocabulary

SHARES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}
PROJECT_FINANCE = 0.067
"""Cumulative default of project loans in ten years (calibration: Moody's project finance studies)."""


@dataclass(frozen=True)
class Measured:
    """Values of every measure: ``values[name][row]`` is ``(months, worlds)``; ``months`` those chosen."""

    scenario: str
    months: tuple[int, ...]
    worlds: int
    seed: int
    values: dict[str, dict[str, np.ndarray]]
    defaults: dict[str, np.ndarray]
    last: int

    def facts(self):
        """All of it as plain values, ready for JSON."""
        found = {}
        for name, rows in self.values.items():
            entry = MEASURES[name]
            about = {"unit": entry.unit, "sentence": entry.sentence, "source": entry.source}
            found[name] = about | {"rows": {row: self._row(block) for row, block in rows.items()}}
        survival = {}
        for name, month in self.defaults.items():
            curve = kaplan_meier(np.minimum(month, self.last), month <= self.last, self.last)
            low, high = wilson(int((month <= self.last).sum()), self.worlds)
            survival[name] = {"failed": curve.failed[::12].tolist(), "low": low, "high": high}
        survival["project-finance history, ten years"] = PROJECT_FINANCE
        head = {"scenario": self.scenario, "worlds": self.worlds, "seed": self.seed, "version": version()}
        return head | {"months": self.last, "at": list(self.months), "measures": found, "survival": survival}

    def _row(self, block):
        cuts = np.quantile(block, list(SHARES.values()), axis=1)
        columns = dict(zip(SHARES, cuts.tolist(), strict=True))
        return columns | {"mean": block.mean(axis=1).tolist()}


def take_measures(
    scenario, worlds=64, seed=1, months=96, at=(12, 36, 60, 96), *, chunk=256, progress=None, vocabulary=None
) -> Measured:
    """Run a scenario and take every measure at the end of the months ``at``; BadInput names every mistake."""
    vocabulary = vocabulary or scenario.vocabulary or default_vocabulary()
    luck, params = world_table(worlds, vocabulary)
    at = tuple(sorted({month for month in at if month <= months}))
    if not at or at[0] < 1:
        raise BadInput(Problem("", "at", "not allowed", allowed=f"months from 1 to {months}"))
    parts, firms, done = [], [], 0
    for part in chunks(luck.size, chunk):
        model = vocabulary.model_class(
            worlds=luck[part],
            rng=seed,
            months=months,
            setting=setting_of(scenario, params, part),
            record=False,
        )
        flows, taken = [], []
        for month in range(1, months + 1):
            model.step()
            flows = [*flows[-11:], model.ledger.flow.copy()]
            if month in at:
                year = np.add.reduce(flows)
                taken.append({name: entry.take(model, year) for name, entry in MEASURES.items()})
            done += luck[part].size
            if progress:
                progress(done, luck.size * months)
        parts.append(taken)
        firms.append(model.solvency.default_month)
        names = ("OpenAI", *model.partners.names, *model.sites.names)
        places = {name: model.row(name) for name in names}
    values = {
        name: {
            row: np.stack([np.concatenate([taken[i][name][row] for taken in parts]) for i in range(len(at))])
            for row in parts[0][0][name]
        }
        for name in MEASURES
    }
    months_of = np.concatenate(firms, axis=1)
    defaults = {name: months_of[row] for name, row in places.items()}
    return Measured(scenario.name, at, int(luck.size), seed, values, defaults, months)
