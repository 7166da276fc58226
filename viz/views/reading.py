"""What several views read off a run: quantiles over worlds, months of failure, tables behind charts."""

import numpy as np

from model.opening import read_opening
from scenarios.cast import cast_of

BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)
QUANTILES = ("5%", "25%", "median", "75%", "95%")
"""The names of BANDS in a table."""


def bands(values):
    """Give the quantiles of BANDS over the last axis, ``(5, ...)``; with month 0 in front as the first month."""
    ordered = np.sort(np.asarray(values, dtype=float), axis=-1)
    last = ordered.shape[-1] - 1
    cuts = []
    for share in BANDS:
        below = int(share * last)
        above = min(below + 1, last)
        low, high = ordered[..., below], ordered[..., above]
        cuts.append(low + (high - low) * (share * last - below))
    return np.stack(cuts)


def bands_of_living(values):
    """Give the same quantiles over what is not NaN on the last axis; NaN where nothing is left."""
    ordered = np.sort(np.asarray(values, dtype=float), axis=-1)  # NaN comes last
    last = np.isfinite(ordered).sum(axis=-1, keepdims=True) - 1
    cuts = []
    for share in BANDS:
        place = share * np.maximum(last, 0)
        below = place.astype(int)
        above = np.minimum(below + 1, np.maximum(last, 0))
        low, high = np.take_along_axis(ordered, below, -1), np.take_along_axis(ordered, above, -1)
        cuts.append((low + (high - low) * (place - below))[..., 0])
    return np.stack(cuts)


def of_pinned(run, context, of):
    """Give what ``of(run)``, ``(months,)``, is in each pinned run, ``[(months + 1,)]``; month 0 is not known.

    A pinned run may be shorter than the shown one, or longer.
    """
    found = []
    for each in context.pinned:
        values, whole = of(each), np.full(run.months + 1, np.nan)
        shared = min(run.months, len(values))
        whole[1 : shared + 1] = values[:shared]
        found.append(whole)
    return found


def middle(worlds):
    """Give the median over the worlds that are not NaN, ``(months, worlds)`` -> ``(months,)``."""
    return bands_of_living(worlds)[2]


def with_opening(rows, opening=np.nan):
    """Put a value for month 0 in front of months 1 to the last, along the first axis."""
    rows = np.asarray(rows, dtype=float)
    first = np.broadcast_to(np.asarray(opening, dtype=float), rows[:1].shape)
    return np.concatenate([first, rows])


def told_as(run):
    """Give the Cast under whose names and dates a run is told; read once."""
    if "cast" not in run.memory:
        run.memory["cast"] = cast_of(run.scenario)
    return run.memory["cast"]


def dates_of(run):
    """Give the dates of all months in words, the opening first."""
    return [told_as(run).date(month) for month in range(run.months + 1)]


def years_of(run, count):
    """Give the names of the first calendar years of a run."""
    cast = told_as(run)
    return [cast.date(12 * year + 1).split(" ", 1)[1].removeprefix("of ") for year in range(count)]


def opening_of(run):
    """Give the opening books of a run."""
    return read_opening(run.scenario.opening)


def columns_of(story, state, names):
    """Give a State of some agents of the story side by side, ``(months + 1, names)``."""
    agents, values = story.state(state)
    return values[..., [agents.index(name) for name in names]]


def default_of(story, name):
    """Give the month of a party's legal default in the story; NEVER if it does not come to that."""
    return int(story.value("solvency.default_month", name)[-1])


def first_month(flags):
    """Give the first month in which a series of flags is set (index = month), or None."""
    flags = np.asarray(flags, dtype=bool)
    return int(np.argmax(flags)) if flags.any() else None


def fan_table(dates, lines, cuts):
    """Give the table behind a fan: months, single lines ``{name: values}``, and the quantiles ``cuts`` of BANDS."""
    numbers = np.column_stack([*lines.values(), *cuts])
    rows = ([date, *row] for date, row in zip(dates, numbers.tolist(), strict=True))
    return table_of(["month", *lines, *QUANTILES], rows)


def table_of(columns, rows):
    """Give the table behind a chart: names of columns, and rows of texts and numbers."""
    return {"columns": list(columns), "rows": [list(row) for row in rows]}
