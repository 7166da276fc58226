import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scenarios.schema import library, load
from scenarios.simulate import simulate
from viz.runs import Cancelled, RunCache, RunFailed, compute, compute_story, with_story
from viz.state import PageState

STATE = PageState(months=14, worlds=6)


@pytest.fixture(scope="module")
def run():
    return compute(STATE)


@pytest.mark.parametrize("name", library())
def test_the_page_plays_what_the_command_line_plays(name):
    """The same scenario, seed and worlds give the same digest, though the page plays in other chunks and grows."""
    state = PageState(scenario=name, months=10, worlds=5, seed=3)
    told = simulate(load(name), 5, 3, 10, story=2).digest()
    assert compute(state, first=compute(state, worlds=3)).digest == told


def test_a_digest_tells_runs_apart(run):
    others = [replace(STATE, seed=2), STATE.with_set("openai.floor_share", 0.2), replace(STATE, worlds=5)]
    digests = {run.digest, *(compute(other).digest for other in others)}
    assert len(digests) == 4


def test_a_run_that_grows_is_the_run_played_at_once(run):
    grown = compute(STATE, first=compute(STATE, worlds=2))
    assert grown.digest == run.digest
    assert grown.worlds == 6
    pd.testing.assert_frame_equal(grown.results.worlds(), run.results.worlds(), check_exact=True)


def test_growing_plays_only_what_is_missing(monkeypatch, run):
    played = []

    def note(scenario, worlds, *arguments, **keywords):
        played.append(worlds)
        return simulate(scenario, worlds, *arguments, **keywords)

    monkeypatch.setattr("viz.runs.simulate", note)
    compute(STATE, worlds=9, first=run)
    assert played == [[6, 7, 8]]


@pytest.mark.parametrize("position", [0, 3, 5])
def test_any_world_can_be_the_story(run, position):
    told = compute(replace(STATE, story=position))
    shown = with_story(run, STATE, position)
    assert shown.position == told.position == position
    assert shown.digest == run.digest
    pd.testing.assert_frame_equal(shown.results.story_frame(), told.results.story_frame(), check_exact=True)
    cash = run.measure("cash", "OpenAI")[:, position]
    assert shown.story.value("revenue", "OpenAI")[1:].tolist() == (
        run.measure("revenue", "OpenAI")[:, position].tolist()
    )
    assert shown.story.sheets[1:, 0, shown.story.parties.index("OpenAI")].tolist() == cash.tolist()


def test_the_story_may_lie_among_the_added_worlds(run):
    grown = compute(replace(STATE, story=5), first=compute(STATE, worlds=4))
    assert grown.position == 5
    assert np.array_equal(grown.story.flows, compute_story(STATE, 5).flows)


def test_the_story_of_a_world_that_there_is_not_is_the_last(run):
    assert compute(replace(STATE, story=60)).position == 5


def test_the_legs_of_the_story_add_up_to_its_flows(run):
    legs, flows = run.story.legs, run.story.flows
    parties = len(run.story.parties)
    net = np.zeros((len(legs.paid), parties))
    np.add.at(net.T, legs.payee, legs.paid.T)
    np.subtract.at(net.T, legs.payer, legs.paid.T)
    assert np.abs(net - flows.sum(axis=1)).max() < 1e-9
    assert legs.paid.shape == legs.unpaid.shape == (15, len(legs.kinds))
    assert legs.paid[1:].sum() > 0.0


def test_story_events_are_those_of_the_shown_world():
    state = PageState(worlds=8, months=40, story=5)
    run = compute(state)
    frame = run.results.events_frame()
    mine = frame[frame["world"] == 5]
    assert len(mine) > 0
    assert [row["agent"] for row in run.story_events] == mine["agent"].tolist()
    assert [row["month"] for row in run.story_events] == mine["month"].tolist()


def test_a_run_that_is_not_wanted_stops_within_a_month(monkeypatch):
    cancel, months = threading.Event(), []

    def stop_in_the_fourth(*arguments, **keywords):
        look = keywords["progress"]

        def count(done, total):
            months.append(done)
            if len(months) == 4:
                cancel.set()
            look(done, total)

        return simulate(*arguments, **keywords | {"progress": count})

    monkeypatch.setattr("viz.runs.simulate", stop_in_the_fourth)
    with pytest.raises(Cancelled):
        compute(STATE, cancel=cancel)
    assert len(months) == 4
    with pytest.raises(Cancelled):
        compute(STATE, cancel=cancel)
    assert len(months) == 4


def test_a_run_that_fails_says_so_in_a_sentence(monkeypatch):
    def broken(*arguments, **keywords):
        raise FloatingPointError("overflow in the price")

    monkeypatch.setattr("viz.runs.simulate", broken)
    with pytest.raises(
        RunFailed, match=r"The model stopped with an error of its own .*overflow in the price"
    ):
        compute(STATE)


def test_a_state_that_cannot_be_run_says_so_in_a_sentence():
    with pytest.raises(RunFailed, match="no scenario is called"):
        compute(PageState(scenario="nowhere"))
    with pytest.raises(RunFailed, match=r"openai\.floor_share"):
        compute(PageState(sets=(("openai.floor_share", 9.0),)))


def test_the_cache_gives_back_the_same_run_and_forgets_the_oldest(monkeypatch):
    played = []

    def note(*arguments, **keywords):
        played.append(1)
        return simulate(*arguments, **keywords)

    monkeypatch.setattr("viz.runs.simulate", note)
    cache = RunCache(limit=4, stories=2)
    states = [PageState(seed=seed, worlds=2, months=2) for seed in (1, 2, 3)]
    first = cache.compute(states[0])
    assert cache.compute(states[0]) is first
    assert cache.get(replace(states[0], view="energy", month=1)) is first
    assert len(played) == 1
    cache.compute(states[1])
    cache.compute(states[0])
    cache.compute(states[2])
    assert len(cache) == 2
    assert cache.get(states[1]) is None
    assert cache.get(states[0]) is first


def test_a_large_run_gives_smaller_ones_and_shrinks_before_it_is_forgotten(monkeypatch):
    monkeypatch.setattr("viz.runs.KEPT", 2)
    cache, state = RunCache(limit=7), PageState(worlds=2, months=2)
    small = cache.compute(state).digest
    cache.compute(replace(state, story=5), worlds=6)
    assert cache.get(state, 2).digest == small
    assert cache.get(state, 5).digest == compute(state, worlds=5).digest
    pd.testing.assert_frame_equal(
        cache.get(state, 3).results.events_frame(), compute(state, worlds=3).results.events_frame()
    )
    assert cache.get(replace(state, story=5), 6).position == 5
    cache.compute(replace(state, seed=2))
    assert len(cache) == 2
    assert cache.get(state, 6) is None
    assert cache.get(state, 2).digest == small
    monkeypatch.setattr("viz.runs.simulate", None)
    told = cache.get(state, 2)
    assert (told.position, told.story.months[-1]) == (0, 2)


def test_a_run_that_lost_its_story_tells_another(monkeypatch):
    monkeypatch.setattr("viz.runs.KEPT", 2)
    cache, state = RunCache(limit=5, stories=1), PageState(worlds=4, months=3, story=3)
    cache.compute(state)
    cache.compute(PageState(seed=2, worlds=2, months=3))
    assert cache.get(state, 4) is None
    assert cache.get(replace(state, story=1), 2) is None
    again = cache.compute(replace(state, story=1), 2)
    alone = compute(replace(state, worlds=2, story=1))
    assert (again.position, again.digest) == (1, alone.digest)
    assert np.array_equal(again.story.flows, alone.story.flows)


def test_the_cache_remembers_stories_and_grows_runs(monkeypatch):
    played = []

    def note(scenario, worlds, *arguments, **keywords):
        played.append(worlds)
        return simulate(scenario, worlds, *arguments, **keywords)

    monkeypatch.setattr("viz.runs.simulate", note)
    cache, state = RunCache(), PageState(worlds=3, months=3)
    cache.compute(state)
    cache.compute(replace(state, story=2))
    assert cache.compute(state).position == 0
    assert cache.compute(replace(state, story=2)).position == 2
    assert cache.compute(state, worlds=5).worlds == 5
    assert cache.compute(replace(state, story=2), worlds=5).position == 2
    assert played == [3, [2], [3, 4]]


def test_many_threads_share_the_cache():
    cache, state, found = RunCache(limit=4), PageState(worlds=2, months=2), []

    def ask(seed):
        found.append((seed, cache.compute(replace(state, seed=seed)).digest))

    threads = [threading.Thread(target=ask, args=(seed % 3,)) for seed in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 9
    assert len(set(found)) == 3


def test_the_command_line_prints_the_digest_of_the_page(tmp_path):
    arguments = (
        "run growth_disappoints --worlds 3 --months 4 --seed 2 --set openai.floor_share=0.5 --json --out"
    )
    done = subprocess.run(
        [sys.executable, "run.py", *arguments.split(), str(tmp_path / "out")],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    state = PageState("growth_disappoints", (("openai.floor_share", 0.5),), seed=2, worlds=3, months=4)
    assert json.loads(done.stdout)["digest"] == compute(state).digest


# -- several who ask for the same run -------------------------------------------------------------------------


@pytest.fixture
def held(monkeypatch):
    """A simulation that goes on only when it is let go: {"begun": each start, "go": an Event}."""
    told = {"begun": [], "go": threading.Event()}

    def waits(scenario, worlds, *arguments, progress, **keywords):
        told["begun"].append(worlds)
        while not told["go"].wait(0.01):
            progress(0, 1)
        return simulate(scenario, worlds, *arguments, progress=progress, **keywords)

    monkeypatch.setattr("viz.runs.simulate", waits)
    return told


def asking(cache, cancel=None):
    """Ask for a run in a thread; give the thread, and the list into which its answer goes."""
    answers = []

    def ask():
        try:
            answers.append(cache.compute(STATE, cancel=cancel))
        except (Cancelled, RunFailed) as error:
            answers.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


def until(check):
    for _ in range(3_000):
        if check():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never happened")


def waiting(cache):
    return sum(each.waiting for each in cache._awaited.values())


def test_a_run_that_two_ask_for_at_once_is_played_once(held):
    cache = RunCache()
    asked = [asking(cache) for _ in range(3)]
    until(lambda: waiting(cache) == 3)
    held["go"].set()
    for thread, _ in asked:
        thread.join()
    runs = [answers[0] for _, answers in asked]
    assert len(held["begun"]) == 1
    assert runs[0] is runs[1] is runs[2]
    assert waiting(cache) == 0


def test_who_waits_no_longer_leaves_the_run_to_the_others(held):
    cache, cancel = RunCache(), threading.Event()
    first, given_up = asking(cache, cancel)
    until(lambda: held["begun"])
    second, answers = asking(cache)
    until(lambda: waiting(cache) == 2)
    cancel.set()
    first.join()
    assert isinstance(given_up[0], Cancelled)
    held["go"].set()
    second.join()
    assert answers[0].worlds == STATE.worlds
    assert len(held["begun"]) == 1


def test_a_run_that_nobody_waits_for_is_given_up_and_can_be_asked_for_again(held):
    cache, cancel = RunCache(), threading.Event()
    first, given_up = asking(cache, cancel)
    until(lambda: held["begun"])
    cancel.set()
    first.join()
    assert isinstance(given_up[0], Cancelled)
    until(lambda: not cache._awaited)  # it noticed, though it was never let go
    held["go"].set()
    assert cache.compute(STATE).worlds == STATE.worlds
    assert len(held["begun"]) == 2


def test_all_who_wait_are_told_that_a_run_failed(monkeypatch):
    cache, go = RunCache(), threading.Event()

    def fails(*_, **__):
        go.wait(30)
        raise MemoryError

    monkeypatch.setattr("viz.runs.simulate", fails)
    asked = [asking(cache) for _ in range(2)]
    until(lambda: waiting(cache) == 2)
    go.set()
    for thread, answers in asked:
        thread.join()
        assert "more memory" in str(answers[0])
    assert not cache._awaited
