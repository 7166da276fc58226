"""What to run, once or a million times: scenario files, and the pure function that runs them.

>>> from scenarios import load, simulate
>>> results = simulate(load("baseline"), worlds=256, seed=1, months=96)  # doctest: +SKIP
"""

from scenarios.cast import cast_of, names_of
from scenarios.schema import BadInput, Scenario, library, load
from scenarios.simulate import Results, simulate

__all__ = ["BadInput", "Results", "Scenario", "cast_of", "library", "load", "names_of", "simulate"]
