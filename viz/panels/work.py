"""Long work of one visitor: in the background, with progress, cancelled by a button or when the visitor leaves."""

import logging
import threading
import time
import weakref

import solara

from scenarios.schema import BadInput
from viz.runs import Cancelled, RunFailed

LOG = logging.getLogger("takeorpay")
TOLD_EVERY = 0.25  # seconds between two reports of progress


class Work:
    """One piece of work at a time. Reactive values: ``progress`` (share done, None while nothing runs), ``result``
    (the last one, or None), ``failure`` (a sentence, or "").
    """

    def __init__(self):
        self.progress, self.result = solara.Reactive(None), solara.Reactive(None)
        self.failure = solara.Reactive("")
        self._cancel, self._told = threading.Event(), 0.0

    def start(self, job):
        """Run ``job(report)``, a generator of results, in the background; what ran before is stopped."""
        self.stop()
        self._cancel = cancel = threading.Event()
        _when_left(cancel.set)
        self.progress.set(0.0)
        self.failure.set("")
        threading.Thread(target=self._work, args=(job, cancel), daemon=True).start()

    def stop(self):
        """Stop what runs; the last result stays."""
        self._cancel.set()
        self.progress.set(None)

    def _work(self, job, cancel):
        def report(done, total):
            if cancel.is_set():
                raise Cancelled
            if time.monotonic() - self._told > TOLD_EVERY:
                self._told = time.monotonic()
                self.progress.set(done / total)

        try:
            for result in job(report):
                report(0, 1) if cancel.is_set() else None
                self.result.set(result)
        except Cancelled:
            return
        except (RunFailed, BadInput) as error:
            self._end(cancel, str(error))
        except Exception as error:
            LOG.error("Work in the background failed", exc_info=error)
            self._end(cancel, "This could not be computed. What was found before is still shown.")
        else:
            self._end(cancel, "")

    def _end(self, cancel, failure):
        if not cancel.is_set():
            self.progress.set(None)
            self.failure.set(failure)


_of_sessions = weakref.WeakKeyDictionary()


def of_session(session, name, make):
    """Give what a panel keeps for one visitor while the page is open, made by ``make()`` the first time."""
    kept = _of_sessions.setdefault(session, {})
    if name not in kept:
        kept[name] = make()
    return kept[name]


def work_of(session, name) -> Work:
    """Give the Work of a name that belongs to a visitor."""
    return of_session(session, f"work {name}", Work)


def _when_left(stop):
    """Call ``stop`` when the visitor's page is closed for good."""
    try:
        from solara.server.kernel_context import get_current_context

        get_current_context().on_close(stop)
    except RuntimeError:  # no server: a test
        pass
