"""Which parameter matters: Sobol indices over the ranges in which parameters are uncertain.

S1 of a parameter is the share of the variance of the result that is due to it alone; ST adds all that it does
together with others. Sobol (1993); Saltelli et al. (2010), Computer Physics Communications 181; computed by SALib
(Iwanaga, Usher and Herman 2022). The result of a sample is its mean over worlds that are the same for all samples, so
that luck adds little to the variance.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.experiments.attribution import value_by_world
from scenarios.files import version
from scenarios.schema import BadInput, Problem
from scenarios.simulate import simulate


@dataclass(frozen=True)
class Indices:
    """Sobol indices by factor with the half-width of their 95% interval, each ``(factors,)``."""

    names: tuple[str, ...]
    first: np.ndarray
    first_reach: np.ndarray
    total: np.ndarray
    total_reach: np.ndarray

    @property
    def shapley(self):
        """The middle of S1 and ST: the Shapley effect wherever no more than two factors act together.

        In general it lies between S1 and ST. Owen (2014), SIAM/ASA Journal on Uncertainty Quantification 2.
        """
        return (self.first + self.total) / 2.0


def design(bounds, samples, seed=1):
    """Give the points at which to run the model, ``(samples x (factors + 2), factors)``.

    ``bounds`` is {factor: (low, high)}; ``samples`` a power of two.
    """
    from SALib.sample import sobol

    return sobol.sample(_problem(bounds), samples, calc_second_order=False, seed=seed)


def sobol_indices(bounds, results, seed=1):
    """Give the indices from the results at the points of ``design``, ``(points,)``.

    Where the result does not vary every index is zero.
    """
    from SALib.analyze import sobol

    results = np.asarray(results, dtype=float)
    if np.ptp(results) == 0.0:
        nothing = np.zeros(len(bounds))
        return Indices(tuple(bounds), nothing, nothing, nothing, nothing)
    found = sobol.analyze(_problem(bounds), results, calc_second_order=False, seed=seed)
    columns = (np.asarray(found[name]) for name in ("S1", "S1_conf", "ST", "ST_conf"))
    return Indices(tuple(bounds), *columns)


def _problem(bounds):
    return {
        "num_vars": len(bounds),
        "names": list(bounds),
        "bounds": [list(pair) for pair in bounds.values()],
    }


# -- the experiment ----------------------------------------------------------------------------------------------

FACTORS = {
    "demand.growth_level": (0.8, 1.2),
    "demand.market_uncertainty": (0.1, 0.6),
    "equity_investors.closing_hazard": (0.05, 0.5),
    "equity_investors.yearly_cap": (40.0, 120.0),
    "equity_investors.valuation_share": (0.05, 0.25),
    "openai.extrapolation_weight": (0.0, 1.0),
    "openai.renegotiation_cut": (0.0, 0.4),
    "credit.freeze_hazard": (0.0, 0.3),
    "halls.chip_price": (25.0, 40.0),
    "technology.breakthroughs_per_year": (0.0, 1.0),
}
"""Parameter -> range: those whose value is assumed and that a headline may hang on; ranges are assumed too."""

MOST_ROWS = 4_096  # worlds played and forgotten at a time


@dataclass(frozen=True)
class Sensitivity:
    """What ``sensitivity`` found: the indices of one measure, and of how many runs."""

    measure: str
    bounds: dict[str, tuple[float, float]]
    indices: Indices
    mean: float
    deviation: float
    luck_share: float
    samples: int
    worlds: int
    provenance: dict

    def facts(self):
        """All of it as plain values, ready for JSON; the largest total index first."""
        found = self.indices
        columns = (found.first, found.first_reach, found.total, found.total_reach, found.shapley)
        names = ("first", "first_reach", "total", "total_reach", "middle")
        rows = [
            {"path": path, "low": self.bounds[path][0], "high": self.bounds[path][1]}
            | {name: float(column[i]) for name, column in zip(names, columns, strict=True)}
            for i, path in enumerate(found.names)
        ]
        facts = {name: getattr(self, name) for name in ("measure", "mean", "deviation", "luck_share")}
        facts |= {"samples": self.samples, "worlds": self.worlds, **self.provenance}
        return facts | {"factors": sorted(rows, key=lambda row: -row["total"])}


def sensitivity(
    scenario,
    measure="default:OpenAI",
    samples=128,
    worlds=16,
    seed=1,
    months=96,
    *,
    factors=None,
    progress=None,
    vocabulary=None,
) -> Sensitivity:
    """Give the Sobol indices of a measure over the ranges of ``factors``, default `FACTORS`.

    ``samples`` a power of two; the model runs ``samples x (factors + 2)`` times in the same ``worlds`` worlds, and a
    run's result is its mean over them. ``luck_share`` is the part of the variance of results that is the noise of so
    few worlds: where it is large take more worlds. BadInput names every mistake.
    """
    bounds = FACTORS if factors is None else factors
    if samples < 2 or samples & (samples - 1):
        raise BadInput(Problem("", "samples", "not allowed", repr(samples), "a power of two from 2 up"))
    points = design(bounds, samples, seed)
    lot = max(MOST_ROWS // worlds, 1)
    means, noise = np.zeros(len(points)), np.zeros(len(points))
    whole = len(points) * worlds * months
    for start in range(0, len(points), lot):
        here = points[start : start + lot]
        table = {"world": np.tile(np.arange(worlds), len(here))}
        table |= {path: np.repeat(column, worlds) for path, column in zip(bounds, here.T, strict=True)}

        def count(done, _, before=start * worlds * months, whole=whole):
            progress(before + done, whole)

        results = simulate(scenario, table, seed, months, progress=progress and count, vocabulary=vocabulary)
        values = value_by_world(results, measure).reshape(len(here), worlds)
        means[start : start + lot] = values.mean(axis=1)
        noise[start : start + lot] = values.var(axis=1, ddof=1) / worlds if worlds > 1 else 0.0
    spread = float(means.var())
    return Sensitivity(
        measure,
        dict(bounds),
        sobol_indices(bounds, means, seed),
        float(means.mean()),
        float(np.sqrt(spread)),
        float(min(noise.mean() / spread, 1.0)) if spread > 0.0 else 0.0,
        samples,
        worlds,
        {
            "scenario": scenario.name,
            "hash": scenario.hash(),
            "version": version(),
            "seed": seed,
            "months": months,
        },
    )


def parse_vary(texts):
    """Read ranges from texts such as "openai.floor_share=0.5:1": {path: (low, high)}; BadInput names every mistake."""
    factors, problems = {}, []
    for text in texts:
        path, _, span = text.partition("=")
        try:
            low, high = (float(part) for part in span.split(":"))
        except ValueError:
            low = high = np.nan
        if not low < high:
            problems.append(
                Problem("--vary", text, "not allowed", allowed="PATH=LOW:HIGH with LOW below HIGH")
            )
        factors[path] = low, high
    if problems:
        raise BadInput(*problems)
    return factors
