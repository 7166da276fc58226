"""The pure function at the heart of the product: a scenario and some luck in, a history out."""

import time

import numpy as np

from model.events import LAST_MONTH
from model.history import Record
from scenarios.ensemble import chunks, run_chunk, setting_of, world_table
from scenarios.files import Output
from scenarios.schema import BadInput, Problem, default_vocabulary


class Results(Record):
    """The histories of all worlds of a run, joined; read like a History.

    Attributes beside those: ``scenario``, ``seed``, ``months``, ``story`` (the position of the world of which
    everything is kept) and ``seconds`` (how long it took).
    """

    def __init__(self, pieces, scenario, seed, months, story, seconds):
        super().__init__(pieces)
        self.scenario, self.seed, self.months = scenario, seed, months
        self.story, self.seconds = story, seconds

    def save(self, directory, csv=False, force=False):
        """Write the files of the run into a new or empty directory, or with ``force`` in the place of one.

        Nothing is left half-written. Gives the directory; BadInput if it cannot be written.
        """
        with Output(directory, force=force) as output:
            return output.write(self, csv=csv)

    def write_tables(self, directory, csv=False):
        """Write the tables alone, without run.json, into an existing directory; give the paths written."""
        return super().save(directory, csv)


def simulate(
    scenario, worlds=256, seed=1, months=96, *, chunk=512, story=0, progress=None, vocabulary=None
) -> Results:
    """Run a scenario in many worlds; the same arguments give the same result, bit for bit, whatever the
    chunk.

    ``worlds``: a number, a list of luck numbers, or a table with a row per world (column ``world``, and
    columns named by paths of Params). ``seed``: a whole number. ``months``: 1 to 240. ``chunk``: worlds run
    at a time. ``story``: the position of the world of which everything is kept, or None. ``progress(done,
    total)`` is called after each month of each chunk, in world-months; what it raises ends the run. BadInput
    names every mistake.
    """
    vocabulary = vocabulary or scenario.vocabulary or default_vocabulary()
    luck, params = world_table(worlds, vocabulary)
    months = _whole("months", months, 1, LAST_MONTH)
    seed, chunk = _whole("seed", seed, 0, 2**63 - 1), _whole("chunk", chunk, 1, 2**31)
    story = None if story is None else _whole("world", story, 0, luck.size - 1)
    began, pieces, done, total = time.perf_counter(), [], 0, luck.size * months

    def after_month(count):
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    for part in chunks(luck.size, chunk):
        here = story is not None and part.start <= story < part.stop
        shown = story - part.start if here else None
        setting = setting_of(scenario, params, part)
        piece = run_chunk(vocabulary.model_class, setting, luck[part], seed, months, shown, after_month)
        piece.params = {path: values[part] for path, values in params.items()}
        pieces.append(piece)
    return Results(pieces, scenario, seed, months, story, time.perf_counter() - began)


def _whole(name, value, low, high):
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if whole and low <= value <= high:
        return int(value)
    allowed = f"a whole number from {low} to {high}"
    raise BadInput(Problem("", name, "not allowed", repr(value), allowed))
