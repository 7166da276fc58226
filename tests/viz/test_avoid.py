"""What would have avoided it: the panel's table, and what views say once somebody has asked."""

from dataclasses import replace

import pytest

from model.history import NEVER
from scenarios.cast import cast_of
from viz import show
from viz.panels import avoid
from viz.runs import Cancelled, compute
from viz.state import PageState, parse_query, scenario_of, to_query
from viz.views import events

STATE = PageState(scenario="supercluster_24_months", worlds=2, months=72, story=1)
PARTY = "Vantage Texas site company"


@pytest.fixture(scope="module")
def run():
    return compute(STATE)


@pytest.fixture(scope="module")
def found(run):
    (only,) = avoid.compute_changes(run, lambda done, total: None)
    return only


def test_who_is_in_trouble_is_what_the_changes_say(run, found):
    assert PARTY in avoid.in_trouble(run)
    assert tuple(avoid.in_trouble(run)) == found.in_trouble()


def test_what_was_played_is_remembered_for_the_world_alone(run, found):
    assert avoid.found_of(run) is found
    assert avoid.found_of(compute(replace(STATE, story=0))) is None
    assert avoid.found_of(compute(replace(STATE, months=71))) is None


def test_every_thing_has_one_row_and_what_avoids_it_comes_first(run, found):
    table, trials = avoid.changes_table(found, PARTY, cast_of(run.scenario, "own"))
    assert len(table.frames) == len(trials) == found.things()
    avoided = [isinstance(row[2], dict) and row[2]["text"] == "avoided" for row in table.frames]
    count = len(found.avoided_by(PARTY))
    assert count and avoided == [True] * count + [False] * (len(avoided) - count)
    assert f"{count} of {found.things()}" in table.headline


def test_the_log_and_the_party_say_it_once_it_has_been_asked(run, found):
    about = show.context(run, STATE)
    assert about.avoided is found
    told = {row[1]: row[4] for row in events.log_rows(run, about) if row[2] == "legal default"}
    assert PARTY in told
    assert all(words.endswith(found.words(party, about.cast)) for party, words in told.items())
    unasked = events.log_rows(run, replace(about, avoided=None))
    assert not any("avoided by" in row[4] for row in unasked)


def test_work_that_is_stopped_leaves_nothing_behind():
    other = compute(replace(STATE, months=60))

    def stop(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        list(avoid.compute_changes(other, stop))
    assert avoid.found_of(other) is None


def test_what_a_click_plays_is_the_world_of_its_row(run, found):
    _, trials = avoid.changes_table(found, PARTY, cast_of(run.scenario, "own"))
    events = [at for at, trial in enumerate(trials) if trial.dated]
    assert len(events) == len(run.scenario.events) == 2
    for at in (0, *events):
        state = replace(STATE, **avoid.change_of(STATE, trials[at]))
        there = compute(state)
        effect = next(each for each in found.effects(PARTY) if each.trial == trials[at])
        outcome, _ = found.outcome_of(PARTY)
        month = int(there.outcome(outcome)[there.story.parties.index(PARTY), there.position])
        assert (None if month >= NEVER else month) == effect.month
        assert parse_query(to_query(state))[0] == state


def test_one_dated_row_after_the_other_can_be_left_out():
    scenario = scenario_of(STATE)
    first = STATE.with_left_out("events", 0)
    assert scenario_of(first).events == scenario.events[1:]
    assert scenario_of(first.with_left_out("events", 0)).events == ()
    assert scenario_of(STATE.with_left_out("events", 1)).events == scenario.events[:1]


def test_where_nobody_fails_the_world_that_fails_first_is_known(run):
    first = avoid.first_to_fail(run)
    assert first is not None and avoid.in_trouble(compute(replace(STATE, story=first)))
    assert avoid.first_to_fail(compute(replace(STATE, months=2))) is None
