"""Which parameter matters: Sobol indices over the ranges in which parameters are uncertain.

S1 of a parameter is the share of the variance of the result that is due to it alone; ST adds all that it does
together with others. Sobol (1993); Saltelli et al. (2010), Computer Physics Communications 181; computed by SALib
(Iwanaga, Usher and Herman 2022). The result of a sample is its mean over worlds that are the same for all samples, so
that luck adds little to the variance.
"""

from dataclasses import dataclass

import numpy as np


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
