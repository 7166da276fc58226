"""Cross-default: an event of default of one borrower becomes one of those whose loans refer to it.

Cross-default is not cross-acceleration: this closure says whose loans *may* be called, and who calls them is
decided elsewhere. Non-recourse borrowers refer to nobody unless their contract says so.
"""

import numpy as np

from model.kernels_solvency import spread_default


def closure(own: np.ndarray, references: np.ndarray, threshold_met: np.ndarray) -> np.ndarray:
    """Who is in default once every cross-default clause has been read, world by world.

    d <- d | any_j(references[i, j] & threshold_met[i, j] & d[j]) until nothing changes.

    Parameters
    ----------
    own
        (borrowers, worlds) flags: an event of default of one's own.
    references
        (borrowers, borrowers) or (borrowers, borrowers, worlds) flags: borrower i's loans refer to j.
    threshold_met
        Either shape: j's debt in default reaches the amount that i's clause names.

    Returns
    -------
    (borrowers, worlds) flags; contains `own`, grows with each argument, and is its own closure.
    """
    default = np.array(own, dtype=bool, order="C")
    clauses = np.ascontiguousarray(_worlds_last(references) & _worlds_last(threshold_met))
    while spread_default(clauses, default):  # each turn marks somebody, and nobody twice
        pass
    return default


def _worlds_last(flags: np.ndarray) -> np.ndarray:
    """Give flags that are the same in all worlds an axis for the worlds."""
    flags = np.asarray(flags, dtype=bool)
    return flags if flags.ndim == 3 else flags[:, :, None]
