"""Worker processes: the same worlds as in the server, and no harm if one is slow, unwanted, dead or not there."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from scenarios.schema import load
from scenarios.simulate import simulate
from viz import session as sessions
from viz.runs import CACHE, Cancelled, RunCache
from viz.session import Session
from viz.state import PageState
from viz.workers import LIVES, Workers

STATE = PageState("growth_disappoints", (("openai.floor_share", 0.5),), months=20, worlds=3)
LONG = 120  # seconds within which a worker has started, or has played what is asked for here


@pytest.fixture(scope="module")
def workers():
    workers = Workers(1)
    assert workers.ready(LONG)
    yield workers
    workers.end()


@pytest.fixture
def here(monkeypatch):
    """The luck numbers of all worlds that this process plays."""
    played = []

    def note(scenario, worlds, *arguments, **keywords):
        played.extend(range(worlds) if isinstance(worlds, int) else worlds)
        return simulate(scenario, worlds, *arguments, **keywords)

    monkeypatch.setattr("viz.runs.simulate", note)
    return played


def begin(workers, worlds, months=20):
    job = workers.begin(load("baseline"), worlds, 1, months)
    assert job is not None
    return job


def until(check):
    for _ in range(100 * LONG):
        if check():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never happened")


# -- the worlds -----------------------------------------------------------------------------------------------


def test_a_world_is_the_same_in_another_process(workers):
    job = begin(workers, [3, 70, 7])
    assert job.done.wait(LONG)
    told = simulate(load("baseline"), [3, 70, 7], 1, 20, story=None)
    assert job.results.digest() == told.digest()
    for table in ("worlds", "monthly", "events_frame"):
        ours, theirs = getattr(told, table)(), getattr(job.results, table)()
        pd.testing.assert_frame_equal(theirs, ours, check_exact=True)


def test_a_run_that_grew_by_a_worker_is_the_run_of_the_command_line(workers, here):
    cache = RunCache(workers=workers)
    cache.compute(STATE)
    grown = cache.compute(STATE, 8)
    assert here == [0, 1, 2]
    scenario = load("growth_disappoints").with_set({"openai.floor_share": 0.5})
    assert grown.digest == simulate(scenario, 8, 1, 20).digest()
    assert (grown.position, grown.worlds, grown.story.months[-1]) == (0, 8, 20)
    assert grown.residual < 1e-9


def test_a_worker_begins_while_the_first_worlds_are_played(workers, here):
    cache = RunCache(workers=workers)
    with cache.ahead(STATE, 3, 6) as job:
        assert cache.compute(STATE, 3).worlds == 3
        assert job.done.wait(LONG)
        grown = cache.compute(STATE, 6)
    assert grown.results.pieces[1] is job.results.pieces[0]
    assert here == [0, 1, 2]


def test_a_session_shows_first_what_it_plays_and_then_what_the_worker_played(workers, here, monkeypatch):
    monkeypatch.setattr(sessions, "FIRST", 2)
    monkeypatch.setattr(sessions, "ALL", 5)
    monkeypatch.setattr(CACHE, "workers", workers)
    mine, shown = Session("worlds=2&months=6&seed=31"), []
    mine.seen.subscribe(lambda seen: shown.append(seen.run.worlds))
    mine.start()
    until(lambda: mine.progress.digest)
    assert shown == [2, 5] and here == [0, 1]
    assert mine.progress.digest == simulate(load("baseline"), 5, 31, 6).digest()
    assert not CACHE._elsewhere


def test_the_story_may_lie_among_the_added_worlds(workers):
    cache, state = RunCache(workers=workers), replace(STATE, story=5)
    cache.compute(STATE)
    told = cache.compute(state, 6)
    assert told.position == 5 and told.digest == RunCache().compute(state, 6).digest


# -- what is not wanted ---------------------------------------------------------------------------------------


def test_worlds_that_nobody_wants_make_room_at_once(workers):
    unwanted = begin(workers, list(range(2_000)), months=240)
    assert workers.begin(load("baseline"), [0], 1, 2) is None  # it is busy
    unwanted.give_up()
    wanted = begin(workers, [5], months=2)
    assert wanted.done.wait(LONG)
    assert unwanted.done.is_set() and unwanted.results is None
    assert wanted.results.luck.tolist() == [5]


def test_two_who_want_the_same_worlds_share_them_and_the_last_one_gives_up(workers):
    cache, state = RunCache(workers=workers), replace(STATE, months=240)
    with cache.ahead(state, 3, 2_000) as job:
        with cache.ahead(replace(state, view="walls"), 3, 2_000) as same:
            assert same is job
        assert not job.given_up
    assert job.given_up and job.done.is_set()
    assert not cache._elsewhere


def test_who_waits_for_a_worker_can_leave(workers):
    cache, cancel = RunCache(workers=workers), threading.Event()
    state = replace(STATE, months=240)
    cache.compute(state, 2)
    threading.Timer(0.2, cancel.set).start()
    with pytest.raises(Cancelled):
        cache.compute(state, 2_000, cancel)
    until(lambda: not cache._awaited and not cache._elsewhere)
    last = begin(workers, [1], months=1)
    assert last.done.wait(LONG) and last.results.luck.tolist() == [1]


def test_a_busy_worker_is_not_waited_for(workers, here):
    cache, busy = RunCache(workers=workers), begin(workers, list(range(2_000)), months=240)
    cache.compute(STATE)
    assert cache.compute(STATE, 5).worlds == 5
    assert here == [0, 1, 2, 3, 4]
    busy.give_up()


# -- a worker that fails --------------------------------------------------------------------------------------


def test_what_a_worker_cannot_play_comes_to_nothing_and_it_goes_on(workers):
    bad = begin(workers, [0], months=0)
    assert bad.done.wait(LONG) and bad.results is None and not bad.given_up
    good = begin(workers, [0], months=1)
    assert good.done.wait(LONG) and good.results.months == 1


def test_a_worker_that_dies_is_replaced_and_its_worlds_are_played_here(workers, here):
    cache = RunCache(workers=workers)
    cache.compute(STATE)
    process = workers._workers[0].process
    with cache.ahead(STATE, 3, 2_000) as lost, cache.ahead(STATE, 3, 6) as none:
        assert none is None
        process.kill()
        assert lost.done.wait(LONG) and lost.results is None and not lost.given_up
    assert cache.compute(STATE, 6).digest == RunCache().compute(STATE, 6).digest
    until(lambda: workers._workers[0].process is not process)
    assert workers.ready(LONG)
    again = begin(workers, [4], months=2)
    assert again.done.wait(LONG) and again.results.luck.tolist() == [4]


def test_a_worker_that_cannot_start_is_done_without(monkeypatch, caplog):
    monkeypatch.setattr("viz.workers.PAUSE", 0.01)
    tried = []

    def forbidden(method):
        tried.append(method)
        raise OSError("no more processes")

    monkeypatch.setattr(multiprocessing, "get_context", forbidden)
    lame = Workers(1)
    until(lambda: len(tried) == LIVES)
    assert not lame.ready(0.05)
    assert RunCache(workers=lame).compute(STATE, 4).digest == RunCache().compute(STATE, 4).digest
    assert len(tried) == LIVES and "no more processes" in caplog.text


def test_workers_end_with_the_server_however_it_ends(tmp_path):
    program = (
        "import os, sys, time\n"
        "from viz.workers import Workers\n"
        "if __name__ == '__main__':\n"
        "    workers = Workers(1)\n"
        f"    assert workers.ready({LONG})\n"
        "    print(workers._workers[0].process.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    script = tmp_path / "server.py"
    script.write_text(program)
    root = Path(__file__).resolve().parents[2]
    with ExitStack() as stack:
        server = stack.enter_context(
            subprocess.Popen(
                [sys.executable, script],
                cwd=root,
                env=os.environ | {"PYTHONPATH": str(root)},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        worker = int(server.stdout.readline())
        assert is_running(worker)
        server.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    until(lambda: not is_running(worker))


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="sends Ctrl+C to a group of processes")
def test_ctrl_c_ends_a_worker_that_is_starting_without_a_word(tmp_path):
    program = (
        "import sys, time\n"
        "from viz.workers import Workers\n"
        "if __name__ == '__main__':\n"
        "    workers = Workers(1)\n"
        "    while workers._workers[0].process is None or workers._workers[0].process.pid is None:\n"
        "        time.sleep(0.01)\n"
        "    print(workers._workers[0].process.pid, flush=True)\n"
        "    try:\n"
        "        time.sleep(600)\n"
        "    except KeyboardInterrupt:\n"
        "        workers.end()\n"
    )
    script = tmp_path / "server.py"
    script.write_text(program)
    root = Path(__file__).resolve().parents[2]
    server = subprocess.Popen(
        [sys.executable, script],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    worker = int(server.stdout.readline())
    threading.Event().wait(0.3)  # it is importing
    os.killpg(server.pid, signal.SIGINT)
    assert server.communicate(timeout=LONG) == ("", "")
    until(lambda: not is_running(worker))


def is_running(pid):
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
