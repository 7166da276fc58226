"""Grids of parameters: the same worlds with the same luck at every point.

All points of a lot are played at once, as worlds that differ in their parameters; a world's result depends on its own
row alone, so a point of the grid equals a run of its own. The trap map is a grid of two parameters that is refined from
coarse to fine, so that something is seen early.
"""

import functools
import itertools
from dataclasses import dataclass, replace

import numpy as np

from model.history import OUTCOMES, wilson
from scenarios.experiments.attribution import value_by_world
from scenarios.files import version
from scenarios.schema import BadInput, Problem, default_vocabulary, nearest_name, opening_values, split_path
from scenarios.simulate import simulate

ANY = "any default"
LOT = 256  # worlds played at a time
LEVELS = (3, 5, 9)  # points of an axis: each level holds the points of the one before
MOST_POINTS = 10_000


@dataclass(frozen=True)
class Axis:
    """A Param that is varied, its lowest and highest value, and how many values there are."""

    path: str
    low: float
    high: float
    count: int = LEVELS[-1]
    whole: bool = False

    @property
    def values(self):
        """The values, evenly spaced, ``(count,)``; whole numbers where the Param is one."""
        values = np.linspace(self.low, self.high, self.count)
        return np.round(values) if self.whole else values


def axis_of(path, low=None, high=None, count=LEVELS[-1], *, vocabulary=None):
    """Give the Axis of a Param, over its declared range where no other is given; BadInput says what is wrong."""
    vocabulary = vocabulary or default_vocabulary()
    group, _, name = split_path(path)
    param = vocabulary.params.get(group, {}).get(name)
    if param is None:
        near = nearest_name(path, vocabulary.paths)
        raise BadInput(Problem("", path, "unknown parameter", nearest=near))
    if param.kind in ("choice", "flag"):
        raise BadInput(Problem("", path, "not a number: it cannot be varied", allowed=param.allowed))
    low, high = (float(own if end is None else end) for end, own in ((low, param.low), (high, param.high)))
    if not param.low <= low < high <= param.high:
        raise BadInput(Problem("", path, "not allowed", f"{low:g} to {high:g}", param.allowed, param.unit))
    whole = param.kind == "whole"
    most = int(high - low) + 1 if whole else MOST_POINTS
    if not 2 <= count <= most:
        raise BadInput(Problem("", path, "not allowed", f"{count} values", f"2 to {most} values"))
    return Axis(path, low, high, count, whole)


def parse_axes(texts, *, vocabulary=None):
    """Read axes from texts such as "openai.floor_share=0:1:11" (lowest, highest, how many values)."""
    axes, problems = [], []
    for text in texts:
        path, _, span = text.partition("=")
        parts = span.split(":")
        try:
            low, high = float(parts[0]), float(parts[1])
            count = int(parts[2]) if len(parts) == 3 else 11
            if len(parts) > 3:
                raise ValueError
        except (ValueError, IndexError):
            allowed = "PATH=LOW:HIGH:COUNT, as in openai.floor_share=0:1:11"
            problems.append(Problem("--vary", "", "not allowed", repr(text), allowed))
            continue
        try:
            axes.append(axis_of(path.strip(), low, high, count, vocabulary=vocabulary))
        except BadInput as error:
            problems += error.problems
    twice = {axis.path for axis in axes if [other.path for other in axes].count(axis.path) > 1}
    problems += [Problem("--vary", path, "given twice") for path in sorted(twice)]
    if problems:
        raise BadInput(*problems)
    return axes


def value_in(scenario, path, *, vocabulary=None):
    """Give a Param's value in a scenario: what it says, else the opening, else the default.

    None where the path names a group whose agents have values of their own.
    """
    vocabulary = vocabulary or scenario.vocabulary or default_vocabulary()
    group, agent, name = split_path(path)
    said = _of_opening(scenario.opening) | scenario.params
    if path in scenario.params:
        return said[path]
    if agent is None:
        own = any(split_path(each)[::2] == (group, name) and split_path(each)[1] for each in said)
        return None if own else said.get(path, vocabulary.params[group][name].default)
    return said.get(path, said.get(f"{group}.{name}", vocabulary.params[group][name].default))


@functools.cache
def _of_opening(opening):
    return {path: entry["value"] for path, entry in opening_values(opening).items()}


def measured(results, measure):
    """Give a measure by world, ``(worlds,)``: a column of ``Results.worlds()``, or whether anybody defaults."""
    if measure != ANY:
        return value_by_world(results, measure)
    table = results.worlds()
    failed = [table[name].notna().to_numpy() for name in table.columns if name.startswith("default:")]
    return np.any(failed, axis=0).astype(float)


def is_chance(measure):
    """Whether the mean of a measure over worlds is a probability."""
    return measure == ANY or measure.split(":")[0] in (*OUTCOMES, "trap")


def play_points(
    scenario, paths, points, measure, worlds, seed, months, *, progress=None, vocabulary=None
) -> np.ndarray:
    """Play every point, ``(points, paths)``, in the same worlds; give the measure, ``(points, worlds)``."""
    table = {"world": np.tile(np.arange(worlds), len(points))}
    vocabulary = vocabulary or scenario.vocabulary or default_vocabulary()
    for path, column in zip(paths, np.asarray(points, dtype=float).T, strict=True):
        group, _, name = split_path(path)
        whole = vocabulary.params[group][name].kind == "whole"
        column = np.round(column).astype(int) if whole else column
        table[path] = np.repeat(column, worlds)
    results = simulate(scenario, table, seed, months, chunk=LOT, progress=progress, vocabulary=vocabulary)
    return measured(results, measure).reshape(len(points), worlds)


# -- any grid ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sweep:
    """What ``sweep`` found: the measure at every point of the grid and in every world, ``(*counts, worlds)``."""

    axes: tuple[Axis, ...]
    measure: str
    values: np.ndarray
    provenance: dict

    @property
    def mean(self):
        """Mean over worlds, ``(*counts)``: of what may never happen, its probability."""
        return self.values.mean(axis=-1)

    def facts(self):
        """All of it as plain values, ready for JSON: a row per point, probabilities with their 95% interval."""
        rows, worlds = [], self.values.shape[-1]
        for place in np.ndindex(*self.mean.shape):
            row = {axis.path: float(axis.values[at]) for axis, at in zip(self.axes, place, strict=True)}
            row["value"] = float(self.mean[place])
            if is_chance(self.measure):
                row["low"], row["high"] = wilson(int(self.values[place].sum()), worlds)
            rows.append(row)
        axes = [vars(axis) | {"values": axis.values.tolist()} for axis in self.axes]
        unit = "share of worlds" if is_chance(self.measure) else ""
        facts = {"measure": self.measure, "unit": unit, "axes": axes, "worlds": worlds}
        return facts | self.provenance | {"points": rows}


def sweep(
    scenario,
    axes,
    worlds=200,
    seed=1,
    months=96,
    *,
    measure="default:OpenAI",
    progress=None,
    vocabulary=None,
) -> Sweep:
    """Play a scenario at every point of a grid of Params, in the same worlds; BadInput names every mistake."""
    axes = tuple(axes)
    shape = tuple(axis.count for axis in axes)
    if not axes or np.prod(shape) > MOST_POINTS:
        allowed = f"one axis or more, and at most {MOST_POINTS:,} points"
        raise BadInput(Problem("", "vary", "not allowed", f"{int(np.prod(shape)):,} points", allowed))
    points = np.array(list(itertools.product(*(axis.values for axis in axes))))
    lot, found = max(LOT * 8 // worlds, 1), []
    for start in range(0, len(points), lot):
        here = points[start : start + lot]
        part = _part(progress, start, len(here), len(points))
        paths = [axis.path for axis in axes]
        found.append(
            play_points(
                scenario, paths, here, measure, worlds, seed, months, progress=part, vocabulary=vocabulary
            )
        )
    values = np.concatenate(found).reshape(*shape, worlds)
    return Sweep(axes, measure, values, _provenance(scenario, seed, months))


def _provenance(scenario, seed, months):
    facts = {"scenario": scenario.name, "hash": scenario.hash(), "version": version()}
    return facts | {"seed": seed, "months": months}


def _part(progress, before, here, whole):
    """Count a lot of points as its part of all points, in thousandths of a point."""
    return progress and (
        lambda done, total: progress(1000 * before + 1000 * here * done // total, 1000 * whole)
    )


# -- the trap map ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrapMap:
    """A measure over two Params, as far as it is known; rows are values of ``y``, columns of ``x``.

    ``chance`` ``(y.count, x.count)``: mean over worlds, NaN where it has not been played yet. ``own`` is the point of
    the scenario itself: (x, y, chance), x or y None where its agents differ. ``level``: values of an axis that are
    known; ``done`` whether all are.
    """

    x: Axis
    y: Axis
    measure: str
    chance: np.ndarray
    own: tuple
    worlds: int
    level: int
    provenance: dict

    @property
    def done(self):
        """Whether every point is known."""
        return not np.isnan(self.chance).any()

    @property
    def filled(self):
        """``chance`` with the nearest known point's value where none is known yet: what a coarse map shows."""
        rows, columns = (self._nearest(axis.count) for axis in (self.y, self.x))
        coarse = self.chance[np.ix_(rows, columns)]
        return np.where(np.isnan(self.chance), coarse, self.chance)

    def _nearest(self, count):
        step = (count - 1) // (self.level - 1)
        return np.minimum(np.round(np.arange(count) / step).astype(int) * step, count - 1)

    def interval(self, row, column):
        """Give the 95% interval of a probability at a known point (Wilson 1927)."""
        return wilson(round(float(self.chance[row, column]) * self.worlds), self.worlds)

    def facts(self):
        """All of it as plain values, ready for JSON; null where a point has not been played."""
        rows = [[None if np.isnan(each) else float(each) for each in row] for row in self.chance]
        axes = {name: vars(a) | {"values": a.values.tolist()} for name, a in (("x", self.x), ("y", self.y))}
        own = dict(zip(("x", "y", "value"), self.own, strict=True))
        facts = {"measure": self.measure, **axes, "value": rows, "own": own, "worlds": self.worlds}
        return facts | {"level": self.level, "done": self.done, **self.provenance}


def trap_map(
    scenario,
    x,
    y,
    worlds=64,
    seed=1,
    months=96,
    *,
    measure="default:OpenAI",
    levels=LEVELS,
    each_lot=False,
    progress=None,
    vocabulary=None,
):
    """Play a scenario over two Axes in the same worlds; give a TrapMap after each level, each finer than the last.

    ``each_lot``: give one after each lot of points too, once a first level is known. ``levels``: how many values of an
    axis are known at each; each level holds the points of the one before. What is played first is the scenario
    itself, whose point equals its own run. ``progress(done, total)`` is called each month of each lot; an exception
    that it raises ends the map.
    """
    levels = _levels_for(levels, x, y)
    x, y = (replace(axis, count=levels[-1]) for axis in (x, y))
    for axis in (x, y):
        axis_of(axis.path, axis.low, axis.high, axis.count, vocabulary=vocabulary)
    known = np.full((y.count, x.count), np.nan)
    whole = known.size + 1
    run = simulate(
        scenario, worlds, seed, months, progress=_part(progress, 0, 1, whole), vocabulary=vocabulary
    )
    place = (value_in(scenario, axis.path, vocabulary=vocabulary) for axis in (x, y))
    own = (*place, float(measured(run, measure).mean()))
    about = _provenance(scenario, seed, months)

    def so_far(level):
        return TrapMap(x, y, measure, known.copy(), own, worlds, level, about)

    played, before = 1, None
    for level in levels:
        new = _unknown(known, (x.count - 1) // (level - 1))
        lot = max(LOT // worlds, 1)
        for start in range(0, len(new), lot):
            here = new[start : start + lot]
            points = [(x.values[column], y.values[row]) for row, column in here]
            part = _part(progress, played, len(here), whole)
            paths = x.path, y.path
            values = play_points(
                scenario, paths, points, measure, worlds, seed, months, progress=part, vocabulary=vocabulary
            )
            for place, value in zip(here, values.mean(axis=1), strict=True):
                known[place] = value
            played += len(here)
            if each_lot and before is not None and start + lot < len(new):
                yield so_far(before)
        before = level
        yield so_far(level)


def _unknown(known, every):
    """The points, every so many, that have not been played: [(row, column)]."""
    rows, columns = (range(0, size, every) for size in known.shape)
    return [place for place in itertools.product(rows, columns) if np.isnan(known[place])]


def _levels_for(levels, *axes):
    """The levels that fit both axes: a whole-number Param has no more values than whole numbers in its range."""
    nested = all((fine - 1) % (coarse - 1) == 0 for coarse, fine in itertools.pairwise(levels))
    most = min([int(axis.high - axis.low) + 1 for axis in axes if axis.whole], default=levels[-1])
    kept = [level for level in levels if 2 <= level <= most]
    if not nested or not kept:
        allowed = "two values of an axis or more, each level with the points of the one before"
        raise BadInput(Problem("", "levels", "not allowed", repr(tuple(levels)), allowed))
    return kept
