"""What one visitor sees and does: a state, its undo and redo, and the run that belongs to it.

Nothing here is shared: each visitor has a Session, made where the page is rendered. Runs are shared, by the cache.
"""

import contextlib
import math
import random
import threading
import time
from dataclasses import dataclass, replace

import solara

from viz import show
from viz.runs import CACHE, Cancelled, RunFailed
from viz.state import DEFAULT, PageState, parse_query, read_pin

FIRST, ALL = 64, 256  # worlds that answer at once, and worlds of the fan that follows
ONE_HAND = 1.0  # seconds within which moves of the same lever are one change
MOST_UNDO = 100
COMPUTING = "computing …"
OF_A_RUN = ("scenario", "sets", "events", "decisions", "without", "seed", "months", "worlds", "story")


@dataclass(frozen=True, eq=False)
class Seen:
    """What was computed for a state: its run, and what the main screen draws of it."""

    state: PageState
    run: object
    screen: show.Screen
    pinned: tuple = ()


@dataclass(frozen=True)
class Progress:
    """How far the answer is to what was asked: what is being computed, in words, or "" if nothing is; the digest of the
    run once all its worlds are shown; the sentence of a failure.
    """

    asked: tuple | None = None
    busy: str = COMPUTING
    digest: str = ""
    failure: str = ""


def asked(state):
    """Give what of a state decides the answer that is computed in the background."""
    return (state.run_key, state.worlds, state.story, state.pins, state.names, state.party)


def run_of(state):
    """Give the fields of a state that name its run, in the order of OF_A_RUN."""
    return tuple(getattr(state, name) for name in OF_A_RUN)


class Session:
    """A visitor's page. Its reactive values: ``state``, ``seen`` (a Seen, or None at first), ``progress`` (a Progress),
    ``notices``.
    """

    def __init__(self, query=""):
        state, notices = parse_query(query or "", views=show.views(), charts=show.charts())
        self.state = solara.Reactive(state)
        self.notices = solara.Reactive(tuple(notices))
        self.seen = solara.Reactive(None)
        self._progress = solara.Reactive(Progress())
        self._show_what_is_at_hand(state)
        self.past, self.future = [], []
        self.entry = (
            0  # tells the entries of the browser's history apart: a change that can be undone begins one
        )
        self._gesture, self._gesture_ends = None, math.inf

    # -- changing what is seen --------------------------------------------------------------------------------

    def change(self, gesture=None, **changes):
        """Change fields of the state. What changes the run can be undone; one ``gesture`` is undone as one."""
        before, after = self.state.value, replace(self.state.value, **changes)
        if after == before:
            return
        if run_of(after) != run_of(before):
            if gesture is None or gesture != self._gesture or time.monotonic() > self._gesture_ends:
                self.past = [*self.past[1 - MOST_UNDO :], before]
                self.entry += 1
            self.future, self._gesture = [], gesture
        self.state.set(after)

    def move(self, path, value, moving):
        """Move a lever; ``value`` None is the scenario's own. What a hand does in one go is one change."""
        sets = self.state.value.with_set(path, value).sets
        self.change(("move", path), sets=sets)
        self._gesture_ends = math.inf if moving else time.monotonic() + ONE_HAND

    def reset(self, path=""):
        """Give a lever, or all, the scenario's own values."""
        state = self.state.value
        self.change(sets=state.with_set(path, None).sets if path else ())

    def open_scenario(self, name):
        """Run another scenario, under the same luck and without the levers that were moved."""
        self.change(scenario=name, sets=(), events=(), decisions=(), without=())

    def new_luck(self):
        """Draw new dice for all worlds."""
        self.change(seed=random.SystemRandom().randrange(2, 10_000))

    def undo(self):
        """Take the last change of the run back."""
        if self.past:
            self.future.append(self.state.value)
            self._restore(self.past.pop())

    def redo(self):
        """Make the change again that was taken back."""
        if self.future:
            self.past.append(self.state.value)
            self._restore(self.future.pop())

    def last_change(self):
        """Give (state before, state after, "before" or "after": which of them is shown) of the last change, or None."""
        if self.future:
            return self.state.value, self.future[-1], "before"
        return (self.past[-1], self.state.value, "after") if self.past else None

    def flip(self):
        """Show the other side of the last change: what was before it, or what is after it."""
        (self.redo if self.future else self.undo)()

    def _restore(self, state):
        self._gesture = None
        self.entry += 1
        self.state.set(replace(self.state.value, **dict(zip(OF_A_RUN, run_of(state), strict=True))))

    def visit(self, query):
        """Show what an address says to which the browser went back or on; a step that can be undone, as any other."""
        state, notices = parse_query(query, views=show.views(), charts=show.charts())
        before = self.state.value
        if self.past and run_of(state) == run_of(self.past[-1]):
            self.past.pop()
            self.future.append(before)
        elif self.future and run_of(state) == run_of(self.future[-1]):
            self.future.pop()
            self.past.append(before)
        elif run_of(state) != run_of(before):
            self.past, self.future = [*self.past[1 - MOST_UNDO :], before], []
        self._gesture = None
        for text in notices:
            self.notice(text)
        self.state.set(state)

    def notice(self, text):
        """Tell the visitor something, until it is dismissed."""
        if text not in self.notices.value:
            self.notices.set((*self.notices.value, text))

    def dismiss(self, index):
        """Take a notice away."""
        self.notices.set(tuple(each for at, each in enumerate(self.notices.value) if at != index))

    # -- running ----------------------------------------------------------------------------------------------

    @property
    def progress(self):
        """How far the answer to the present state is."""
        progress, now = self._progress.value, asked(self.state.value)
        return progress if progress.asked == now else Progress(now)

    @property
    def is_old(self):
        """Whether what is shown answers an earlier state than the present one."""
        seen = self.seen.value
        return seen is not None and asked(seen.state) != asked(self.state.value)

    def forgive(self):
        """Take the sentence of a failure away."""
        self._progress.set(replace(self.progress, failure=""))

    def start(self):
        """Begin to compute what the state says, in the background; give the function that cancels it."""
        cancel = threading.Event()
        threading.Thread(target=self._work, args=(self.state.value, cancel), daemon=True).start()
        return cancel.set

    def _work(self, state, cancel):
        try:
            first, *rest = sizes = self._sizes(state, max(ALL, state.worlds))
            with CACHE.ahead(state, first, rest[0]) if rest else contextlib.nullcontext():
                for worlds in sizes:
                    run = CACHE.compute(state, worlds, cancel)
                    self._publish(state, run, cancel)
                    self._tell(
                        state, cancel, busy="" if worlds == sizes[-1] else f"{worlds} of {sizes[-1]} worlds …"
                    )
            self._tell(state, cancel, digest=run.digest)
        except Cancelled:
            pass
        except RunFailed as error:
            self._tell(state, cancel, failure=str(error))
        except Exception as error:
            show.log(error)
            self._tell(state, cancel, failure="This run could not be drawn.")

    def _show_what_is_at_hand(self, state):
        """Begin with the answer to a state, so that it is on the page from the first moment, if it is remembered."""
        run = None if state.pins else CACHE.get(state, max(ALL, state.worlds))
        try:
            if run is not None:
                self.seen.set(Seen(state, run, show.screen(run, state)))
        except Exception as error:  # which is told once it happens again, in the background
            show.log(error)

    def _sizes(self, state, most):
        """How many worlds to show one after the other: fewer are left out where all are at hand."""
        return [most] if CACHE.get(state, most) or state.story >= FIRST else [FIRST, most]

    def _publish(self, state, run, cancel):
        if self.seen.value is not None and self.seen.value.run is run and not self.is_old:
            return
        pinned = tuple(filter(None, (self._pinned(pin, cancel) for pin in state.pins)))
        before, early = self.seen.value, self._chart_first(state, run, pinned, cancel)
        try:
            screen = show.screen(run, state, pinned)
        except Exception:
            if early is not None and self.seen.value is early:
                self.seen.set(before)
            raise
        if self.seen.value is early if early is not None else not cancel.is_set():
            self.seen.set(Seen(state, run, screen, pinned))

    def _chart_first(self, state, run, pinned, cancel):
        """Show the chart of a run before the other parts, if these are yet to be computed."""
        before = self.seen.value
        if before is None or state.view != DEFAULT.view or cancel.is_set():
            return None
        screen = show.early(run, state, before.screen)
        if screen is None:
            return None
        self.seen.set(Seen(state, run, screen, pinned))
        return self.seen.value

    def _pinned(self, pin, cancel):
        try:
            return CACHE.compute(read_pin(pin)[0], FIRST, cancel)
        except RunFailed:
            return None

    def _tell(self, state, cancel, busy="", digest="", failure=""):
        if not cancel.is_set():
            self._progress.set(Progress(asked(state), busy, digest, failure))


def warm(worlds):
    """Compute what the first visitor will see, so that nobody waits for the first run of a fresh server."""
    show.screen(CACHE.compute(DEFAULT, worlds), DEFAULT)
