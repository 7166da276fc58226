"""A visitor's session: what can be undone, and what is computed and shown when."""

import threading
import time

import pytest

from viz import session as sessions
from viz.runs import CACHE, RunFailed
from viz.session import Session
from viz.state import PageState, to_query

FLOOR = "openai.floor_share"


@pytest.fixture
def small(monkeypatch):
    """Few worlds, so that a run takes no time."""
    monkeypatch.setattr(sessions, "FIRST", 2)
    monkeypatch.setattr(sessions, "ALL", 4)


def session(query=""):
    return Session("worlds=2&months=6&" + query)


def waited(check, seconds=60):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


# -- undo -----------------------------------------------------------------------------------------------------


def test_a_change_of_the_run_can_be_undone_and_redone():
    mine = session()
    mine.move(FLOOR, 0.5, moving=False)
    mine.undo()
    assert mine.state.value.changes == {}
    mine.redo()
    assert mine.state.value.changes == {FLOOR: 0.5}


def test_a_drag_is_undone_as_one():
    mine = session()
    for value in (0.8, 0.7, 0.6):
        mine.move(FLOOR, value, moving=True)
    mine.move(FLOOR, 0.6, moving=False)
    mine.move("openai.training_share", 0.5, moving=False)
    mine.undo()
    assert mine.state.value.changes == {FLOOR: 0.6}
    mine.undo()
    assert mine.state.value.changes == {}


def test_moves_of_one_lever_with_a_rest_between_are_two_changes(monkeypatch):
    monkeypatch.setattr(sessions, "ONE_HAND", 0.0)
    mine = session()
    mine.move(FLOOR, 0.8, moving=False)
    time.sleep(0.01)
    mine.move(FLOOR, 0.7, moving=False)
    mine.undo()
    assert mine.state.value.changes == {FLOOR: 0.8}


def test_undo_leaves_where_one_looks():
    mine = session()
    mine.move(FLOOR, 0.5, moving=False)
    mine.change(view="walls", month=5, dark=True)
    mine.undo()
    state = mine.state.value
    assert (state.view, state.month, state.dark, state.changes) == ("walls", 5, True, {})


def test_going_back_in_the_browser_is_an_undo_and_going_on_a_redo():
    mine = session()
    first = to_query(mine.state.value)
    mine.move(FLOOR, 0.5, moving=False)
    second = to_query(mine.state.value)
    mine.new_luck()
    third, entry = to_query(mine.state.value), mine.entry
    for query in (second, first, second, third):
        mine.visit("?" + query)
        assert to_query(mine.state.value) == query
    assert (len(mine.past), len(mine.future), mine.entry) == (2, 0, entry)
    mine.visit("?" + second)
    mine.redo()
    assert to_query(mine.state.value) == third


def test_a_visit_elsewhere_can_be_undone_and_is_repaired_with_a_notice():
    mine = session()
    mine.visit("?worlds=2&months=6&scenario=calm&seed=-1")
    assert mine.state.value.scenario == "calm" and mine.notices.value
    mine.undo()
    assert mine.state.value.scenario == "baseline"


def test_only_what_can_be_undone_begins_an_entry_of_the_history():
    mine = session()
    mine.change(view="walls", month=5)
    assert mine.entry == 0
    for value in (0.8, 0.7, 0.6):
        mine.move(FLOOR, value, moving=True)
    assert mine.entry == 1  # one hand, one entry
    mine.undo()
    assert mine.entry == 2


def test_a_new_change_forgets_what_was_undone():
    mine = session()
    mine.move(FLOOR, 0.5, moving=False)
    mine.undo()
    mine.new_luck()
    assert mine.future == []
    assert mine.state.value.seed != 1


def test_another_scenario_keeps_the_luck_and_drops_the_levers():
    mine = session("seed=5")
    mine.move(FLOOR, 0.5, moving=False)
    mine.open_scenario("calm")
    state = mine.state.value
    assert (state.scenario, state.seed, state.changes) == ("calm", 5, {})


def test_resetting_the_levers():
    mine = session()
    mine.move(FLOOR, 0.5, moving=False)
    mine.move("openai.training_share", 0.5, moving=False)
    mine.reset(FLOOR)
    assert list(mine.state.value.changes) == ["openai.training_share"]
    mine.reset()
    assert mine.state.value.changes == {}


# -- notices --------------------------------------------------------------------------------------------------


def test_a_bad_link_is_told_and_the_notice_goes_when_dismissed():
    mine = session("seed=-1&nonsense=1")
    assert len(mine.notices.value) == 2
    first = mine.notices.value[0]
    mine.dismiss(0)
    assert first not in mine.notices.value and len(mine.notices.value) == 1


def test_two_sessions_share_nothing_but_runs():
    one, other = session(), session()
    one.move(FLOOR, 0.5, moving=False)
    one.notice("for one alone")
    assert other.state.value.changes == {} and other.notices.value == () and other.past == []


# -- runs -----------------------------------------------------------------------------------------------------


def test_few_worlds_are_shown_first_and_all_follow(small):
    mine, shown = session("seed=11"), []
    mine.seen.subscribe(lambda seen: shown.append(seen.run.worlds))
    mine.start()
    waited(lambda: shown and not mine.progress.busy)
    assert shown == [2, 4]
    assert mine.seen.value.run.months == 6
    assert mine.progress.failure == ""


def test_a_cancelled_run_is_never_shown(small):
    mine = session("seed=13")
    mine.start()()  # begun and cancelled
    later = session("seed=14")
    later.start()
    waited(lambda: later.seen.value is not None and not later.progress.busy)
    assert mine.seen.value is None


def test_a_run_that_fails_leaves_what_was_seen_and_says_so(small, monkeypatch):
    mine = session("seed=15")
    mine.start()
    waited(lambda: mine.seen.value is not None and not mine.progress.busy)
    seen = mine.seen.value

    def fails(state, worlds, cancel=None):
        raise RunFailed("The model stopped with an error of its own.")

    monkeypatch.setattr(CACHE, "compute", fails)
    mine.move(FLOOR, 0.5, moving=False)
    mine.start()
    waited(lambda: mine.progress.failure)
    assert mine.seen.value is seen
    assert mine.state.value.changes == {FLOOR: 0.5}
    assert mine.progress.busy == ""


def test_a_view_of_the_screen_that_breaks_is_a_sentence_too(small, monkeypatch):
    def breaks(*_):
        raise ZeroDivisionError("in a view")

    monkeypatch.setattr(sessions.show, "screen", breaks)
    mine = session("seed=16")
    mine.start()
    waited(lambda: mine.progress.failure)
    assert "could not be drawn" in mine.progress.failure
    assert "ZeroDivisionError" not in mine.progress.failure


def test_threads_end(small):
    before = threading.active_count()
    mine = session("seed=17")
    stop = mine.start()
    waited(lambda: mine.seen.value is not None and not mine.progress.busy)
    stop()
    waited(lambda: threading.active_count() <= before)


def test_what_is_shown_is_old_until_what_was_asked_for_is_there(small):
    mine = session("seed=18")
    mine.start()
    waited(lambda: mine.progress.digest)
    assert not mine.is_old and mine.progress.busy == ""
    mine.move(FLOOR, 0.5, moving=False)
    assert mine.is_old and mine.progress.busy and mine.progress.digest == ""
    mine.start()
    waited(lambda: mine.progress.digest)
    assert not mine.is_old
    mine.undo()
    assert mine.is_old and mine.progress.busy


def test_a_failure_belongs_to_what_was_asked_for_and_can_be_dismissed(small, monkeypatch):
    def fails(state, worlds, cancel=None):
        raise RunFailed("The model stopped.")

    monkeypatch.setattr(CACHE, "compute", fails)
    mine = session("seed=19")
    mine.start()
    waited(lambda: mine.progress.failure)
    assert mine.progress.busy == ""
    mine.forgive()
    assert (mine.progress.failure, mine.progress.busy) == ("", "")
    mine.start()
    waited(lambda: mine.progress.failure)
    mine.new_luck()
    assert mine.progress.failure == "" and mine.progress.busy


def test_what_is_remembered_is_on_the_page_from_the_first_moment(small):
    asked = PageState(seed=20, months=6, worlds=2)
    CACHE.compute(asked, 4)
    mine, shown = session("seed=20"), []
    assert mine.seen.value.run.worlds == 4 and not mine.is_old
    mine.seen.subscribe(shown.append)
    mine.start()
    waited(lambda: mine.progress.digest)
    assert not shown  # it is not drawn again


def test_the_chart_of_another_run_does_not_wait_for_what_shows_one_world(small):
    mine, shown = session("seed=21"), []
    mine.start()
    waited(lambda: mine.progress.digest)
    first = mine.seen.value.screen
    mine.seen.subscribe(shown.append)
    mine.change(seed=24)
    mine.start()
    waited(lambda: mine.progress.digest)
    early, whole, grown = shown
    assert early.run is whole.run and early.run.worlds == 2 and grown.run.worlds == 4
    assert early.screen.stamp == whole.screen.stamp != first.stamp
    assert early.screen.network == first.network != whole.screen.network == grown.screen.network
    assert early.screen.strip == first.strip != whole.screen.strip != grown.screen.strip
    assert early.screen.footer == whole.screen.footer


def test_what_is_shown_early_is_completed_or_taken_back(small, monkeypatch):
    mine, shown = session("seed=22"), []
    mine.start()
    waited(lambda: mine.progress.digest)
    before = mine.seen.value
    mine.seen.subscribe(shown.append)
    mine.change(seed=24)
    stop = mine.start()
    waited(lambda: shown)
    stop()  # as when the next lever is moved between the two
    waited(lambda: len(shown) == 2 or mine.seen.value.screen.network != before.screen.network)
    assert mine.seen.value.run is shown[0].run
    whole = mine.seen.value

    def breaks(*_):
        raise ZeroDivisionError("in the network")

    monkeypatch.setattr(sessions.show.main, "network", breaks)
    mine.change(seed=25)
    mine.start()
    waited(lambda: mine.progress.failure)
    assert mine.seen.value is whole


def test_another_view_than_the_main_screen_is_drawn_once(small):
    mine, shown = session("seed=23&view=walls"), []
    mine.start()
    waited(lambda: mine.progress.digest)
    mine.seen.subscribe(lambda seen: shown.append(seen.run.worlds))
    mine.move(FLOOR, 0.5, moving=False)
    mine.start()
    waited(lambda: mine.progress.digest)
    assert shown == [2, 4]
