"""Writes the frozen sample in which the stress index places its readings: `python -m scenarios.experiments.reference`.

It is written once and kept, so that the index of a later version, or of another scenario, is measured on the same
scale. Write it anew only when a reading is defined anew, and say so in the change log.
"""

import numpy as np

from model.stress import READINGS, REFERENCE
from scenarios.files import run_hash, version
from scenarios.schema import load
from scenarios.simulate import simulate

WORLDS, MONTHS, EACH, SEED = 256, 96, 8, 20_251_231


def sample(results, each=EACH):
    """Give a row per world and month, a column per reading: of each world every eighth month, world k from k mod 8 on.

    The whole horizon, since places among calm first years would call all later ones extreme; and thinned, since the
    next month of a world says little that is new.
    """
    month, world = np.ogrid[: results.months, : results.luck.size]
    taken = month % each == world % each
    columns = [results.measure(f"stress.{name}")[:, 0, :][taken] for name in READINGS]
    return np.stack(columns, axis=1)


def write(path=REFERENCE):
    """Run the baseline and write the sample with its provenance; give the path."""
    results = simulate(load("baseline"), WORLDS, SEED, MONTHS)
    lines = (
        "Frozen reference sample of the stress index: a row per world and month, worlds last to vary.",
        f"Baseline, {WORLDS} worlds, months 1 to {MONTHS}, of each world every {EACH}th month; seed {SEED}; version"
        f" {version()}, run {run_hash(results)}.",
        "Written by `python -m scenarios.experiments.reference`. Units: model/stress.py, class Stress.",
        ",".join(READINGS),
    )
    np.savetxt(path, sample(results), fmt="%.7g", delimiter=",", header="\n".join(lines))
    return path


if __name__ == "__main__":
    print(write())
