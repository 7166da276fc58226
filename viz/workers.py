"""Processes that play worlds beside the server: while it plays and draws the first worlds, they play the further ones.

World k is the same, bit for bit, in whichever process it is played. A worker is no condition: where none is free, has
started or is alive, the server plays the worlds itself.
"""

import contextlib
import logging
import multiprocessing
import os
import pickle
import signal
import threading
from dataclasses import replace

import numpy as np

from scenarios.schema import load
from scenarios.simulate import simulate

LOG = logging.getLogger("takeorpay")
LIVES = 3  # starts of a worker that ends before it has played anything; then it is left alone
PAUSE = 2.0  # seconds before a worker is replaced: if the server ends at the same time, none is
LOWER = 10  # by how much a worker's priority is below the server's, which somebody waits for


class Job:
    """Worlds that a worker plays. Once ``done`` is set, ``results`` are the Results, or None if it came to nothing."""

    def __init__(self, worker):
        self.done, self.results, self.given_up, self._worker = threading.Event(), None, False, worker

    def give_up(self):
        """Have the worker stop within a month of the model; without effect once it is done."""
        self._worker.give_up(self)

    def finish(self, results=None):
        """End the wait for it."""
        self.results = results
        self.done.set()


class Workers:
    """A number of worker processes, which end with this one."""

    def __init__(self, count=1):
        self._workers = [_Worker() for _ in range(count)]

    def begin(self, scenario, worlds, seed, months):
        """Have a free worker play ``worlds`` (a list of luck numbers): a Job, or None if none is free."""
        jobs = (worker.begin(scenario, worlds, seed, months) for worker in self._workers)
        return next(filter(None, jobs), None)

    def ready(self, seconds):
        """Wait until all workers are started; give whether they are."""
        return all(worker.started.wait(seconds) and worker.is_alive for worker in self._workers)

    def end(self):
        """End all workers now."""
        for worker in self._workers:
            worker.end()


class _Worker:
    """One process and the thread that listens to it; started anew if it dies."""

    def __init__(self):
        self.started = threading.Event()
        self.process = self._pipe = self._job = None
        self._number, self._lives, self._lock, self._ended = 0, LIVES, threading.Lock(), threading.Event()
        threading.Thread(target=self._live, daemon=True).start()

    @property
    def is_alive(self):
        return self.process is not None and self.process.is_alive()

    def begin(self, *request):
        """Send a request if nothing is being played that is still wanted; give its Job, or None."""
        with self._lock:
            if not self.started.is_set() or (self._job is not None and not self._job.given_up):
                return None
            job, self._number = Job(self), self._number + 1
            try:
                self._pipe.send((self._number, *request))
            except (OSError, ValueError):
                return None
            self._job = job
            return job

    def give_up(self, job):
        with self._lock:
            if self._job is job and not job.given_up:
                job.given_up = True
                with contextlib.suppress(OSError, ValueError):
                    self._pipe.send(None)
                job.finish()

    def end(self):
        self._ended.set()
        if self.process is not None:
            self.process.terminate()
            self.process.join()

    def _live(self):
        """Start the process and take what it sends until it dies; then once more, while there is sense in it."""
        while self._lives and not self._ended.is_set():
            self._lives -= 1
            try:
                self._start()
                self._listen()
            except Exception as error:
                self._bury()
                if not self._ended.wait(PAUSE):
                    LOG.warning("A worker process is gone (%r); the server plays its worlds.", error)

    def _start(self):
        processes = multiprocessing.get_context("spawn")  # a fork of a server with threads may hang
        _shut_ctrl_c_out()
        self._pipe, theirs = processes.Pipe()
        self.process = processes.Process(target=_work, args=(theirs,), name="take-or-pay-worker", daemon=True)
        self.process.start()
        theirs.close()

    def _listen(self):
        self._pipe.recv()  # that it is ready
        self.started.set()
        while True:
            number, results = _receive(self._pipe)
            with self._lock:
                job = self._job if number == self._number else None
                if job is not None:
                    self._job = None
            if job is not None:
                self._lives = LIVES
                job.finish(results)

    def _bury(self):
        with self._lock:
            self.started.clear()
            job, self._job = self._job, None
        if job is not None:
            job.finish()
        if self._pipe is not None:
            self._pipe.close()
        if self.process is not None and self.process.pid is not None:
            self.process.terminate()
            self.process.join()


def _shut_ctrl_c_out():
    """Have the processes that this thread starts not hear Ctrl+C, which is for the server, even while they start."""
    if hasattr(signal, "pthread_sigmask"):
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # it would open this thread to Ctrl+C again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


# -- in the worker's process ----------------------------------------------------------------------------------


class _Unwanted(Exception):
    """Another word came from the server while worlds were played."""


def _work(pipe):
    """Play what is asked for, until the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # also where a thread cannot keep it away
    if hasattr(os, "nice"):
        os.nice(LOWER)
    with contextlib.suppress(EOFError, OSError):
        simulate(load("baseline"), 1, 1, 1)
        pipe.send("ready")
        while True:
            request = pipe.recv()
            if request is not None:
                _answer(pipe, *request)


def _answer(pipe, number, scenario, worlds, seed, months):
    def look(done, total):
        if pipe.poll():
            raise _Unwanted

    try:
        results = simulate(scenario, worlds, seed, months, chunk=len(worlds), story=None, progress=look)
    except _Unwanted:
        return
    except Exception:  # which the server meets again when it plays these worlds itself, and tells
        results = None
    _send(pipe, number, results)


def _send(pipe, number, results):
    """Send results: the arrays as they lie in memory, after what says how they belong together."""
    if results is not None:
        results.pieces = [_in_one_block_each(piece) for piece in results.pieces]
    buffers = []
    body = pickle.dumps((number, results), protocol=5, buffer_callback=buffers.append)
    pipe.send(len(buffers))
    for block in (body, *(buffer.raw() for buffer in buffers)):
        pipe.send_bytes(block)


def _receive(pipe):
    count = pipe.recv()
    body, *buffers = [pipe.recv_bytes() for _ in range(1 + count)]
    return pickle.loads(body, buffers=buffers)


def _in_one_block_each(piece):
    """The piece with each measure in a block of its own, not as rows of a larger one."""
    measures = {
        name: replace(series, values=np.ascontiguousarray(series.values))
        for name, series in piece.measures.items()
    }
    return replace(piece, measures=measures)
