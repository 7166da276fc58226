"""Single changes in one world: each is the run of its own that it stands for, and those that are named do avoid it."""

import pytest

from model.history import NEVER
from scenarios.experiments.counterfactual import CHANGES, play_changes, trials_of
from scenarios.experiments.grid import value_in
from scenarios.schema import default_vocabulary, load, split_path
from scenarios.simulate import simulate

MONTHS = 84
SCENARIO, WORLD = "supercluster_24_months", 1


@pytest.fixture(scope="module")
def scenario():
    return load(SCENARIO)


@pytest.fixture(scope="module")
def found(scenario):
    return play_changes(scenario, WORLD, 1, MONTHS)


def default_months(scenario, parties, world=WORLD):
    """{party: month of legal default} in a run of one world of its own."""
    outcomes = simulate(scenario, [world], 1, MONTHS, story=None).pieces[0].outcomes["default"][:, 0]
    return dict(zip(parties, outcomes.tolist(), strict=True))


def test_every_change_names_a_parameter_and_a_value_that_it_may_have():
    vocabulary = default_vocabulary()
    for single in CHANGES:
        group, _, name = split_path(single.path)
        vocabulary.params[group][name].check(single.goal)


def test_the_world_without_a_change_is_the_world_as_it_was(scenario, found):
    as_it_was = default_months(scenario, found.parties)
    assert dict(zip(found.parties, found.month_of["default"][:, 0].tolist(), strict=True)) == as_it_was
    assert found.in_trouble(), "a world in which nobody fails tests nothing"


def test_each_change_is_the_run_of_its_own_that_it_stands_for(scenario, found):
    """Of every party in trouble: the first change that is named, and the first that does not help."""
    seen = set()
    for party in found.in_trouble():
        effects = found.effects(party)
        seen |= {effects[0].trial, next(each.trial for each in effects if not each.avoids)}
    for trial in seen:
        if trial.path:
            alone = scenario.with_set({trial.path: trial.value})
        else:
            kept = [each for row, each in enumerate(scenario.events) if row != trial.row]
            alone = type(scenario)(**{**vars(scenario), "events": tuple(kept)})
        column = 1 + found.trials.index(trial)
        expected = default_months(alone, found.parties)
        assert (
            dict(zip(found.parties, found.month_of["default"][:, column].tolist(), strict=True)) == expected
        )


def test_what_is_named_avoids_it_and_is_the_smallest_step_that_does(found):
    named = 0
    for party in found.in_trouble():
        outcome, month = found.outcome_of(party)
        row = found.month_of[outcome][found.parties.index(party)]
        assert row[0] == month <= MONTHS
        for effect in found.avoided_by(party):
            named += 1
            at = found.trials.index(effect.trial)
            assert row[1 + at] == NEVER
            assert found.month_of["missed"][found.parties.index(party), 1 + at] == NEVER
            smaller = [
                other for other in range(len(found.trials))
                if found.trials[other].path == effect.trial.path != ""
                and found.trials[other].step < effect.trial.step
            ]  # fmt: skip
            late = found.month_of["missed"][found.parties.index(party)]
            assert all(min(row[1 + other], late[1 + other]) < NEVER for other in smaller)
    assert named, "nothing was avoided: the test says nothing"


def test_the_dated_breakthrough_can_be_left_out(scenario, found):
    left_out = [trial for trial in found.trials if trial.dated]
    assert [trial.row for trial in left_out] == list(range(len(scenario.events)))
    assert left_out[0].words() == "without the breakthrough of Sep 2028"
    assert found.month_of["default"].shape[1] == 1 + len(found.trials)


def test_every_step_lies_between_what_is_and_the_goal():
    baseline = load("baseline")
    for trial in trials_of(baseline):
        single = next(each for each in CHANGES if each.path == trial.path)
        before = value_in(baseline, trial.path)
        assert trial.value != before
        if not isinstance(before, bool | str):
            assert min(before, single.goal) <= trial.value <= max(before, single.goal)


def test_the_words_name_the_smallest_changes_and_how_many_were_tried(found):
    party = next(each for each in found.in_trouble() if found.avoided_by(each))
    facts, words = found.facts(party), found.words(party)
    assert facts["avoided_by"][0]["words"] in words
    assert f"of {facts['tried']} single changes tried" in words


def test_who_pays_every_bill_needs_no_change(found):
    safe = next(firm for firm in found.firms if firm not in found.in_trouble())
    assert found.outcome_of(safe) == ("", 0)
    assert found.effects(safe) == ()
