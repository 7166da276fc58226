"""Runs for the page: computed whole, in steps that can be cancelled, and shared among sessions.

World k is the same, bit for bit, in any chunk. So a run of 64 worlds grows to 256 by playing the 192 that are missing,
and another world becomes the story by playing it alone. Where there are worker processes, one plays the 192 meanwhile.
"""

import contextlib
import functools
import threading
import time
import weakref
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np

from model.history import Story
from scenarios.schema import BadInput, Scenario
from scenarios.simulate import Results, simulate
from viz.state import PageState, scenario_of

KEPT = 64  # worlds that stay of a run when there is no room for more
AT_ONCE = 256  # worlds that are played at a time: a month costs calls rather than worlds
WORLDS_REMEMBERED = 2_048  # in all runs together, of about 0.23 MB each
STORIES_REMEMBERED = 24  # of about 5 MB each
LOOK = 0.02  # seconds between two looks of who waits for a run whether it is still wanted

_OF_STORIES = weakref.WeakKeyDictionary()


class Cancelled(Exception):
    """The run is not wanted any more."""


class RunFailed(Exception):
    """A run came to nothing; its text is a sentence for the reader of the page."""


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run, as the page sees it.

    ``results``: the record of all worlds; ``scenario``: what was played, with the user's changes; ``key``: the state's
    ``run_key``; ``seconds``: how long the model took.
    """

    results: Results
    scenario: Scenario
    key: tuple
    seconds: float

    @property
    def story(self):
        """Everything about the shown world, as arrays: a Story."""
        return self.results.shown

    @property
    def position(self):
        """Which world is shown; None for a run that has lost its story to the cache's limit."""
        return self.results.story

    @property
    def worlds(self):
        """The number of worlds."""
        return int(self.results.luck.size)

    @property
    def months(self):
        """The number of months played."""
        return self.results.months

    @property
    def seed(self):
        """The seed of all luck."""
        return self.results.seed

    @functools.cached_property
    def digest(self):
        """The SHA-256 of all numbers: that of ``python run.py run --json`` with the same arguments."""
        return self.results.digest()

    @functools.cached_property
    def residual(self):
        """The largest relative error of the books in any world and month."""
        return max(float(piece.residual.max()) for piece in self.results.pieces)

    @functools.cached_property
    def memory(self):
        """What is remembered in passing of this run, by those who read it: {name: anything}."""
        return {}

    @property
    def memory_of_story(self):
        """What is remembered in passing of the shown world alone, however many others there are: {name: anything}."""
        return _OF_STORIES.setdefault(self.story, {})

    @functools.cached_property
    def story_events(self):
        """What happened in the shown world: dicts of month, agent, kind, counterparty, amount, because."""
        start = 0
        for piece in self.results.pieces:
            if self.position < start + piece.luck.size:
                break
            start += piece.luck.size
        events = piece.events
        mine = np.flatnonzero(events["row"] == self.position - start)
        names = ("month", "agent", "kind", "counterparty", "amount", "because")
        rows = [{name: events[name][at] for name in names} for at in mine]
        for row in rows:
            row["month"], row["amount"] = int(row["month"]), float(row["amount"])
        return sorted(rows, key=lambda row: row["month"])

    def outcome(self, word):
        """Give the month of an outcome ("missed", "distressed", "default"), ``(parties, worlds)``; NEVER if not."""
        if word not in self.memory:
            self.memory[word] = np.concatenate([p.outcomes[word] for p in self.results.pieces], axis=-1)
        return self.memory[word]

    def measure(self, name, agent=None):
        """Give a measure ``(months, agents, worlds)``, or of one agent ``(months, worlds)``; KeyError if unknown."""
        if agent is None:
            return self.results.measure(name)
        agents = self.results.measures[name].agents
        if agent not in agents:
            raise KeyError(f"{agent!r} has no measure {name!r}")
        row = agents.index(agent)
        return np.concatenate([p.measures[name].values[:, row] for p in self.results.pieces], axis=-1)


def compute(state: PageState, worlds=None, cancel=None, first=None, elsewhere=None) -> Run:
    """Play what a state describes in ``worlds`` worlds (None: as many as the state says).

    ``cancel``: a threading.Event, looked at once a month; ``first``: a Run of the same key with fewer worlds, of which
    only the missing ones are played; ``elsewhere(state, start, stop, cancel)`` gives the Results of these worlds, or
    None if they are to be played here. Raises Cancelled, or RunFailed with a sentence.
    """
    worlds = state.worlds if worlds is None else worlds
    position, scenario, began = min(state.story, worlds - 1), _scenario(state), time.perf_counter()
    if first is None or first.key != state.run_key or first.worlds > worlds:
        results = _play(scenario, worlds, state, cancel, position)
    else:
        results = _grown(first.results, worlds, state, cancel, position, elsewhere)
        began -= first.seconds
    run = Run(results, scenario, state.run_key, time.perf_counter() - began)
    return run if run.position == position else with_story(run, state, position, cancel)


def compute_story(state: PageState, position, cancel=None) -> Story:
    """Play one world again, with everything kept of it: a Story. Raises Cancelled or RunFailed."""
    return _play(_scenario(state), [position], state, cancel, 0).shown


def with_story(run, state, position, cancel=None) -> Run:
    """Give the run with another world as its story, which is played again; raises Cancelled or RunFailed."""
    position = min(max(int(position), 0), run.worlds - 1)
    return _showing(run, position, compute_story(state, position, cancel))


def _showing(run, position, story):
    """The run with ``story`` as the world at ``position``."""
    old, pieces, start = run.results, [], 0
    for piece in old.pieces:
        here = start <= position < start + piece.luck.size
        pieces.append(replace(piece, story=story if here else None))
        start += piece.luck.size
    results = Results(pieces, old.scenario, old.seed, old.months, position, old.seconds)
    return replace(run, results=results)


def _scenario(state):
    try:
        return scenario_of(state)
    except BadInput as error:
        raise RunFailed(f"This cannot be run: {error.problems[0]}") from None


def _grown(old, worlds, state, cancel, position, elsewhere):
    """The results with the worlds that are missing played and added; the story is the old one or an added one."""
    count = old.luck.size
    if count == worlds:
        return old
    shown = position - count if position >= count else None
    more = elsewhere(state, count, worlds, cancel) if elsewhere and shown is None else None
    if more is None:
        more = _play(old.scenario, list(range(count, worlds)), state, cancel, shown)
    pieces = old.pieces if shown is None else [replace(piece, story=None) for piece in old.pieces]
    position = old.story if shown is None else position
    seconds = old.seconds + more.seconds
    return Results([*pieces, *more.pieces], old.scenario, old.seed, old.months, position, seconds)


def _play(scenario, worlds, state, cancel, story):
    def look(done, total):
        if cancel is not None and cancel.is_set():
            raise Cancelled

    look(0, 0)
    try:
        return simulate(scenario, worlds, state.seed, state.months, chunk=AT_ONCE, story=story, progress=look)
    except Cancelled:
        raise
    except BadInput as error:
        raise RunFailed(f"This cannot be run: {error.problems[0]}") from None
    except MemoryError:
        raise RunFailed("This run needs more memory than the server has: try fewer worlds.") from None
    except Exception as error:
        what = type(error).__name__
        raise RunFailed(f"The model stopped with an error of its own ({what}: {error}).") from error


class RunCache:
    """Finished runs, shared by all sessions, the most recently used ones kept; safe among threads.

    A run does not change, so that sharing one shows nobody anything of another: the same state gives the same numbers.
    Of every key the run with most worlds is kept, and gives those with fewer too. ``limit`` is the number of worlds in
    all runs together: where it is passed, the run that was not used for longest shrinks to its first worlds, then goes.
    A run that several ask for while it is computed is computed once. ``workers``: Workers that play the worlds by which
    a run grows, or None if they are played here.
    """

    def __init__(self, limit=WORLDS_REMEMBERED, stories=STORIES_REMEMBERED, workers=None):
        self.limit, self.story_limit, self.workers = limit, stories, workers
        self._runs, self._stories, self._lock = OrderedDict(), OrderedDict(), threading.Lock()
        self._awaited, self._elsewhere = {}, {}

    def get(self, state, worlds=None):
        """Give the run of a state if it is remembered with its story, else None."""
        worlds = state.worlds if worlds is None else worlds
        with self._lock:
            run = self._runs.get(state.run_key)
            if run is None or run.worlds < worlds:
                return None
            self._runs.move_to_end(state.run_key)
            return self._told(run, worlds, min(state.story, worlds - 1))

    def put(self, run):
        """Remember a run; what was not used for longest is forgotten."""
        with self._lock:
            _keep(self._stories, (run.key, run.position), run.story)
            while len(self._stories) > self.story_limit:
                self._stories.popitem(last=False)
            if run.key not in self._runs or self._runs[run.key].worlds <= run.worlds:
                _keep(self._runs, run.key, run)
            self._make_room()

    def compute(self, state, worlds=None, cancel=None) -> Run:
        """Give the run of a state: remembered, grown from a smaller one, or played. Raises as ``compute``.

        ``cancel`` ends the wait of the caller alone: the run is given up when nobody waits for it any more.
        """
        worlds = state.worlds if worlds is None else worlds
        run = self.get(state, worlds)
        return self._wait(self._join(state, worlds), cancel) if run is None else run

    @contextlib.contextmanager
    def ahead(self, state, start, stop):
        """Have a worker play the worlds from ``start`` up to ``stop``, by which ``compute`` then grows the run.

        Gives the Job, shared by all who ask for the same worlds, or None if no worker is free. It is given up once
        nobody is within any more.
        """
        key = (state.run_key, start, stop)
        played = self._begin(key, state)
        try:
            yield played and played.job
        finally:
            if played:
                self._leave(key, played)

    def _begin(self, key, state):
        """Join those who wait for worlds that a worker plays, or have it begin; None if there is no free one."""
        if self.workers is None:
            return None
        (_, start, stop), scenario = key, _scenario(state)
        with self._lock:
            if key not in self._elsewhere:
                job = self.workers.begin(scenario, list(range(start, stop)), state.seed, state.months)
                if job is None:
                    return None
                self._elsewhere[key] = _Elsewhere(job)
            played = self._elsewhere[key]
            played.waiting += 1
        return played

    def _leave(self, key, played):
        with self._lock:
            played.waiting -= 1
            if not played.waiting:
                del self._elsewhere[key]
                played.job.give_up()

    def _from_worker(self, state, start, stop, cancel):
        """The Results of some worlds from a worker; None if there is none that gives them."""
        with self.ahead(state, start, stop) as job:
            while job is not None and not job.done.wait(LOOK):
                if cancel.is_set():
                    raise Cancelled
            return job and job.results

    def _join(self, state, worlds):
        """Wait with others for a run that is being computed, or have it computed."""
        key = (state.run_key, worlds, min(state.story, worlds - 1))
        with self._lock:
            awaited = self._awaited.get(key)
            if awaited is None or awaited.given_up.is_set():
                awaited = self._awaited[key] = _Awaited()
                threading.Thread(target=self._fulfil, args=(key, awaited, state, worlds), daemon=True).start()
            awaited.waiting += 1
        return awaited

    def _wait(self, awaited, cancel):
        """Give what is awaited once it is there; who waits no longer leaves it to the others."""
        try:
            while not awaited.done.wait(LOOK):
                if cancel is not None and cancel.is_set():
                    raise Cancelled
        finally:
            with self._lock:
                awaited.waiting -= 1
                if not awaited.waiting:
                    awaited.given_up.set()
        if awaited.error is not None:
            raise awaited.error
        return awaited.run

    def _fulfil(self, key, awaited, state, worlds):
        try:
            awaited.run = self.get(state, worlds)
            if awaited.run is None:
                first = self._most_of(state, worlds)
                awaited.run = compute(state, worlds, awaited.given_up, first, self._from_worker)
                self.put(awaited.run)
        except Exception as error:
            awaited.error = error
        finally:
            with self._lock:
                if self._awaited.get(key) is awaited:
                    del self._awaited[key]
            awaited.done.set()

    def _most_of(self, state, worlds):
        """What is remembered of a run, at most so many worlds of it, or None."""
        with self._lock:
            run = self._runs.get(state.run_key)
            if run is None:
                return None
            run = _cut(run, worlds)
            position = min(state.story, run.worlds - 1)
            return self._told(run, run.worlds, position) or run

    def _told(self, run, worlds, position):
        """The run cut to some worlds, with one of them as its story; None if either is not at hand."""
        story = run.story if run.position == position else self._stories.get((run.key, position))
        if story is None:
            return None
        cut = _cut(run, worlds)
        if (run.key, position) in self._stories:
            self._stories.move_to_end((run.key, position))
        return cut if cut.position == position else _showing(cut, position, story)

    def _make_room(self):
        """Shrink, then forget, what was not used for longest, until the limit holds; the newest run stays."""
        for key in list(self._runs)[:-1]:
            if self._size() > self.limit:
                self._runs[key] = _cut(self._runs[key], KEPT, copied=True)
        while self._size() > self.limit and len(self._runs) > 1:
            self._runs.popitem(last=False)

    def _size(self):
        return sum(run.worlds for run in self._runs.values())

    def __len__(self):
        """Give the number of runs that are remembered."""
        with self._lock:
            return len(self._runs)


class _Awaited:
    """A run while it is computed: how many wait for it, and then the run itself, or the error that it came to."""

    def __init__(self):
        self.waiting, self.given_up, self.done = 0, threading.Event(), threading.Event()
        self.run = self.error = None


@dataclass
class _Elsewhere:
    """Worlds that a worker plays, and how many wait for them."""

    job: object
    waiting: int = 0


def _cut(run, worlds, copied=False):
    """The run's first worlds; without a story if that is in another. ``copied``: so that the rest can be forgotten."""
    if run.worlds <= worlds:
        return run
    old, pieces, left = run.results, [], worlds
    for piece in old.pieces:
        if left > 0:
            pieces.append(_first_of(piece, left, copied))
            left -= piece.luck.size
    story = None if run.position is None or run.position >= worlds else run.position
    if story is None:
        pieces = [replace(piece, story=None) for piece in pieces]
    return replace(run, results=Results(pieces, old.scenario, old.seed, old.months, story, old.seconds))


def _first_of(piece, worlds, copied):
    """The first worlds of a piece: what each of them did does not depend on the others."""
    if piece.luck.size <= worlds:
        return piece

    def cut(values):
        part = values[..., :worlds]
        return part.copy() if copied else part

    here = piece.events["row"] < worlds
    return replace(
        piece,
        luck=cut(piece.luck),
        measures={
            name: replace(series, values=cut(series.values)) for name, series in piece.measures.items()
        },
        outcomes={name: cut(values) for name, values in piece.outcomes.items()},
        peak_stress=cut(piece.peak_stress),
        residual=cut(piece.residual),
        events={name: column[here] for name, column in piece.events.items()},
        params={path: cut(values) for path, values in piece.params.items()},
    )


def _keep(store, key, value):
    store[key] = value
    store.move_to_end(key)


CACHE = RunCache()
"""The cache of this server, shared by all its sessions."""
