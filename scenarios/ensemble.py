"""Many worlds: the table that says which, cut into chunks that fit the processor's cache, each run by itself.

A world's result depends on its own row alone, so the cut changes nothing.
"""

import contextlib
import dataclasses
import gc

import numpy as np
import pandas as pd

from agents.worlds import ParamError
from model.history import Piece
from scenarios.schema import BadInput, Problem, Setting, split_path

MOST_WORLDS = 20_000  # the record of a world takes about 100 kB


def world_table(worlds, vocabulary):
    """Give the luck numbers and the Params by world: (int64 ``(n,)``, {path: array ``(n,)``}).

    ``worlds`` is a number n (luck numbers 0 to n - 1), a list of luck numbers, or a table with a row per
    world: a column ``world`` (the luck number) and columns named by the paths of Params. BadInput names
    every mistake.
    """
    if isinstance(worlds, bool) or (np.ndim(worlds) == 0 and not hasattr(worlds, "keys")):
        whole = isinstance(worlds, int | np.integer) and not isinstance(worlds, bool)
        if not (whole and 1 <= worlds <= MOST_WORLDS):
            allowed = f"a whole number from 1 to {MOST_WORLDS:,}"
            raise BadInput(Problem("", "worlds", "not allowed", repr(worlds), allowed))
        return np.arange(worlds, dtype=np.int64), {}
    table = pd.DataFrame(worlds if hasattr(worlds, "keys") else {"world": worlds})
    if "world" not in table:
        raise BadInput(Problem("", "worlds", "the table has no column 'world' (the luck number)"))
    luck = table["world"].to_numpy()
    if luck.dtype.kind not in "iu" or not luck.size or luck.min() < 0:
        message = "luck numbers are whole numbers from 0 up, one per row, and there is at least one row"
        raise BadInput(Problem("", "worlds", message))
    problems, params = [], {}
    for path in table.columns.drop("world"):
        params[path] = _column(path, table[path].tolist(), vocabulary, problems)
    if problems:
        raise BadInput(*problems)
    return luck.astype(np.int64), params


def _column(path, values, vocabulary, problems):
    group, _, name = split_path(str(path))
    param = vocabulary.params.get(group, {}).get(name)
    if param is None:
        problems.append(Problem("", f"worlds, column {path!r}", "unknown parameter"))
        return None
    stored = []
    for row, value in enumerate(values):
        try:
            stored.append(param.check(value))
        except (ParamError, OverflowError, TypeError):
            where, unit = f"worlds, row {row}, column {path!r}", param.unit
            problems.append(Problem("", where, "not allowed", repr(value), param.allowed, unit))
            return None
    return np.array(stored, dtype=param.dtype)


def chunks(count, size):
    """Give the slices that cut ``count`` worlds into chunks of ``size``."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def setting_of(scenario, params, part):
    """Give what the model takes from a scenario in the worlds of one chunk, ``part`` (a slice of the worlds).

    A Param given by world replaces the scenario's: one for a group also what was said about its single
    agents.
    """
    replaced = {split_path(path) for path in params}
    kept = {
        path: value
        for path, value in scenario.params.items()
        if path not in params and (split_path(path)[0], None, split_path(path)[2]) not in replaced
    }
    in_chunk = {path: values[part] for path, values in params.items()}
    ordered = sorted((kept | in_chunk).items(), key=lambda item: split_path(item[0])[1] is not None)
    return Setting(
        params=dict(ordered),
        events=tuple(_in_chunk(event, part) for event in scenario.events),
        decisions=tuple(_in_chunk(decision, part) for decision in scenario.decisions),
        opening=scenario.opening,
    )


def _in_chunk(row, part):
    value = row.value[part] if np.ndim(row.value) else row.value
    return dataclasses.replace(row, value=value, mask=None if row.mask is None else row.mask[part])


def run_chunk(model_class, setting, luck, seed, months, story, after_month) -> Piece:
    """Run the worlds of one chunk and give what they leave behind; ``story`` is a position in it, or None."""
    with _collected():
        model = model_class(worlds=luck, rng=seed, months=months, setting=setting, record=True)
        model.history.story = story
        model.history.record_opening()
        for _ in range(months):
            model.step()
            after_month(luck.size)
        piece = model.history.pieces[0]
        del model
    return piece


@contextlib.contextmanager
def _collected():
    """Collect at the end what was left behind since the beginning, and pass over what was there before.

    A model is a cycle of references: without this, memory grows with the number of chunks.
    """
    gc.freeze()
    try:
        yield
        gc.collect()
    finally:
        gc.unfreeze()
