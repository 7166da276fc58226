"""A prediction that is drawn: a curve by the ends of years, before the run, and beside what the run then gives."""

import math
from dataclasses import dataclass

import numpy as np

YEAR = 12


@dataclass(frozen=True)
class Sketch:
    """What a student draws: a recorded ``measure`` of one case, of 100 in the case that it is held ``against``.

    The curve is drawn at the ends of years, each between ``low`` and ``high``.
    """

    text: str
    case: str
    against: str
    measure: str
    low: float
    high: float

    def real(self, runs):
        """Give the curve of the runs, ``(months,)``: mean over worlds, of 100; ``runs``: {case: Results}."""
        one, other = (_mean(runs[case], self.measure) for case in (self.case, self.against))
        return [float(value) for value in 100.0 * one / other]

    def drawn(self, given, years):
        """Give a drawing as numbers, one a year, each within what can be drawn; None if it is none."""
        if not isinstance(given, list | tuple) or len(given) != years:
            return None
        try:
            values = [float(value) for value in given]
        except (TypeError, ValueError):
            return None
        inside = all(math.isfinite(value) and self.low <= value <= self.high for value in values)
        return values if inside else None

    def compared(self, drawing, real, date):
        """Say where a drawing is farthest from the curve; ``date(month)`` gives a month in words."""
        at_years = real[YEAR - 1 :: YEAR]
        gaps = [abs(mine - its) for mine, its in zip(drawing, at_years, strict=True)]
        worst = int(np.argmax(gaps))
        if gaps[worst] < 0.05 * (self.high - self.low):
            return "Your curve stays within a twentieth of the model's in every year."
        return (
            f"Farthest apart in {date(YEAR * (worst + 1))}: you drew {drawing[worst]:.0f},"
            f" the model has {at_years[worst]:.0f}."
        )


def _mean(results, measure):
    return np.asarray(results.measure(measure), dtype=float)[:, 0].mean(axis=-1)
