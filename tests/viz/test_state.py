import string
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.schema import BadInput, default_vocabulary, library, load
from viz.state import (
    DEFAULT,
    LONGEST,
    MOST_PINS,
    PageState,
    keep_scenario,
    parse_query,
    pin_of,
    read_pin,
    scenario_of,
    share,
    to_query,
)

VOCABULARY = default_vocabulary()


@st.composite
def param_values(draw):
    path = draw(st.sampled_from(VOCABULARY.paths))
    group, _, name = path.partition(".")
    param = VOCABULARY.params[group][name]
    if param.kind == "choice":
        return path, draw(st.sampled_from(param.choices))
    if param.kind == "flag":
        return path, draw(st.booleans())
    if param.kind == "whole":
        return path, draw(st.integers(int(param.low), int(param.high)))
    return path, draw(st.floats(param.low, param.high, allow_nan=False))


@st.composite
def states(draw):
    sets = dict(draw(st.lists(param_values(), max_size=5)))
    worlds, months = draw(st.integers(1, 1024)), draw(st.integers(1, 240))
    state = PageState(
        scenario=draw(st.sampled_from(library())),
        sets=tuple(sorted(sets.items())),
        seed=draw(st.integers(0, 2**63 - 1)),
        worlds=worlds,
        months=months,
        story=draw(st.integers(0, worlds - 1)),
        view=draw(st.sampled_from(["owes", "stress", "energy"])),
        chart=draw(st.sampled_from(["cash", "default"])),
        party=draw(st.sampled_from(["", "Abilene site company", "US bank syndicate"])),
        month=draw(st.integers(0, months)),
        lesson=draw(st.sampled_from(["", "L3"])),
        step=draw(st.integers(0, 9)),
        dark=draw(st.booleans()),
        names=draw(st.sampled_from(["own", "archetype"])),
        panel=draw(st.sampled_from(["", "about"])),
    )
    pins = {pin_of(replace(state, seed=seed)) for seed in draw(st.lists(st.integers(2, 9), max_size=4))}
    return replace(state, pins=tuple(sorted(pins)))


@given(states())
@settings(max_examples=150, deadline=None)
def test_a_state_survives_its_link(state):
    query, lost = share(state)
    assert len(query) <= LONGEST
    again, notices = parse_query(f"?{query}")
    assert notices == []
    if not lost:
        assert again == state
        assert again.run_key == state.run_key


@given(st.one_of(st.text(max_size=300), st.text(string.printable, max_size=300)))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_reading_raise(text):
    for query in (text, f"?set={text}", f"scenario={text}", f"set=openai.floor_share={text}"):
        state, _ = parse_query(query)
        scenario_of(state)
        assert len(to_query(state)) <= LONGEST


@given(st.sampled_from(["event", "decision", "pin", "seed", "worlds", "month", "view"]), st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_no_value_makes_reading_raise(key, value):
    state, _ = parse_query(f"{key}={value}")
    scenario_of(state)


def test_the_default_has_an_empty_link():
    assert to_query(DEFAULT) == ""
    assert parse_query("") == (DEFAULT, [])
    assert parse_query("?") == (DEFAULT, [])
    assert parse_query(None) == (DEFAULT, [])


@pytest.mark.parametrize(
    ("query", "repaired", "said"),
    [
        ("colour=red", DEFAULT, "does not know"),
        ("scenario=baselin", DEFAULT, "Did you mean baseline"),
        ("scenario=file:0123456789abcdef", DEFAULT, "upload it again"),
        ("set=openai.floor_share=7", replace(DEFAULT, sets=(("openai.floor_share", 1.0),)), "became 1"),
        ("set=halls.hall_term=60.6", replace(DEFAULT, sets=(("halls.hall_term", 61),)), "became 61"),
        ("set=openai.floor_share=nan", DEFAULT, "left out"),
        ("set=openai.floor_share=true", DEFAULT, "left out"),
        ("set=openai.flor_share=0.5", DEFAULT, "Did you mean openai.floor_share"),
        ("set=openai.Nobody.floor_share=0.5", DEFAULT, "There is no parameter"),
        ("set=openai.floor_share", DEFAULT, "without a value"),
        ("set=joint_venture.reading=moon", DEFAULT, "cannot be"),
        (f"set=openai.floor_share={'9' * 5000}", DEFAULT, "cannot be"),
        ("seed=-3", replace(DEFAULT, seed=0), "became 0"),
        ("seed=1.5", DEFAULT, "whole number"),
        ("seed=\u0661", DEFAULT, "whole number"),
        ("worlds=100000", replace(DEFAULT, worlds=1024), "became 1024"),
        ("worlds=8&story=9", replace(DEFAULT, worlds=8, story=7), "world 7"),
        ("months=12&month=50", replace(DEFAULT, months=12, month=12), "this is the last"),
        ("view=<script>", DEFAULT, "no view"),
        ("view=nothing", DEFAULT, "no view called"),
        ("dark=maybe", DEFAULT, "dark is 0 or 1"),
        ("names=funny", DEFAULT, "own or archetype"),
        ("event=month=3;kind=flood;size=1", DEFAULT, "left out"),
        ("decision=month=3;group=openai;floor_share=9", DEFAULT, "left out"),
        ("a=1&" * 600, DEFAULT, "too many fields"),
        ("a" * 9000, DEFAULT, "longer than"),
    ],
)
def test_what_is_wrong_is_repaired_and_said(query, repaired, said):
    state, notices = parse_query(query, views=("owes", "energy"))
    assert state == repaired
    assert any(said in notice for notice in notices), notices


def test_what_a_link_says_wrong_leaves_the_rest_alone():
    state, notices = parse_query("set=openai.floor_share=9&seed=5&nonsense&set=openai.commits=false")
    assert state == PageState(sets=(("openai.commits", False), ("openai.floor_share", 1.0)), seed=5)
    assert len(notices) == 2


def test_events_and_decisions_of_a_link_reach_the_scenario():
    query = "event=month=20;kind=demand_shock;size=-0.5&decision=month=5;group=openai;floor_share=0.5"
    state, notices = parse_query(query)
    scenario = scenario_of(state)
    assert notices == []
    assert [(event.month, event.kind, event.value) for event in scenario.events] == [
        (20, "demand_shock", -0.5)
    ]
    assert [(d.month, d.path, d.value) for d in scenario.decisions] == [(5, "openai.floor_share", 0.5)]
    assert parse_query(to_query(state)) == (state, [])


def test_events_of_a_link_join_those_of_the_scenario():
    state, _ = parse_query("scenario=growth_disappoints&event=month=20;kind=chip_price;size=-0.5")
    shipped = load("growth_disappoints")
    assert len(scenario_of(state).events) == len(shipped.events) + 1


def test_a_setting_reaches_the_scenario():
    state = DEFAULT.with_set("openai.floor_share", 0.25)
    assert scenario_of(state).params["openai.floor_share"] == 0.25
    assert state.with_set("openai.floor_share", None) == DEFAULT
    assert state.run_key != DEFAULT.run_key


def test_a_long_state_drops_pins_before_levers_and_says_so():
    rows = [row for row in VOCABULARY.rows if row["kind"] == "number"][:36]
    sets = tuple(sorted((f"{row['group']}.{row['name']}", float(row["default"])) for row in rows))
    pin = pin_of(PageState(sets=sets))
    state = PageState(sets=sets, pins=(pin, pin + "&seed=2"), month=7)
    query, notices = share(state)
    assert len(query) <= LONGEST
    assert notices == ["The link is too long: 2 pinned runs did not fit."]
    assert parse_query(query) == (replace(state, pins=()), [])


def test_pins_are_runs_and_no_more_than_four():
    pins = "&".join(f"pin=seed%3D{seed}%26view%3Denergy" for seed in range(2, 8))
    state, notices = parse_query(pins)
    assert state.pins == ("seed=2", "seed=3", "seed=4", "seed=5")
    assert len(state.pins) == MOST_PINS
    assert any("pinned" in notice for notice in notices)
    assert read_pin(state.pins[0]) == (PageState(seed=2), [])


def test_an_uploaded_scenario_is_known_by_its_hash_alone():
    scenario = load("growth_disappoints").with_set({"openai.floor_share": 0.123})
    with pytest.raises(BadInput):
        scenario_of(PageState(scenario=f"file:{scenario.hash()}"))
    name = keep_scenario(scenario)
    state = PageState(scenario=name)
    assert scenario_of(state) is scenario
    assert parse_query(to_query(state)) == (state, [])


def test_a_row_that_the_scenario_does_not_have_cannot_be_left_out():
    state, notices = parse_query("scenario=credit_freeze&without=event.1&without=event.7&without=<b>")
    assert state.without == (("events", 1),)
    assert len(scenario_of(state).events) == len(scenario_of(replace(state, without=())).events) - 1
    assert len(notices) == 2 and all("could be left out" in text for text in notices)
