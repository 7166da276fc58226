"""What stands between the page and its views: what a browser may say, and what a broken view becomes."""

import json

import pytest

from viz import show
from viz.runs import compute
from viz.state import PageState

STATE = PageState(months=12)
FLOOR = "openai.floor_share"


@pytest.fixture(scope="module")
def run():
    return compute(STATE, 4)


def test_the_screen_is_json_and_stays_small(run):
    screen = show.screen(run, STATE)
    for part in ("status", "network", "timeline", "strip"):
        json.loads(getattr(screen, part))
    assert len(json.loads(screen.status)["frames"]) == 13
    assert show.screen(run, STATE) is screen  # remembered with the run


def test_the_screen_of_other_names_is_another(run):
    other = PageState(months=12, names="archetype")
    assert "OpenAI" in show.screen(run, STATE).network
    assert '"name":"OpenAI"' not in show.screen(run, other).network


def test_two_runs_have_two_stamps(run):
    other = compute(PageState(months=12, seed=2), 4)
    more = compute(STATE, 6)
    stamps = {show.screen(each, STATE).stamp for each in (run, other, more)}
    assert len(stamps) == 3


def test_the_footer_says_whether_the_books_balance(run):
    facts = show.footer(run)
    assert facts["balances"] and facts["residual"] == "0.00"
    assert facts["worlds"] == 4


@pytest.mark.parametrize("key", show.charts())
def test_every_chart_of_the_main_screen_is_drawn(run, key):
    chart = json.loads(show.chart(run, PageState(months=12, chart=key)))
    assert chart["type"] == "chart" and chart["key"] == key
    assert chart["alt"] and chart["table"]["rows"]


def test_a_view_that_breaks_becomes_a_sentence_without_its_traceback(run, monkeypatch):
    def breaks(*_):
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr(show.VIEWS["walls"], "build", breaks)
    specs, problem = show.view(run, PageState(months=12, view="walls"))
    assert specs == []
    assert "could not be drawn" in problem and "deep inside" not in problem
    assert show.view(run, PageState(months=12, view="nowhere")) == ([], "There is no such view.")


@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        [],
        {"path": FLOOR},
        {"path": "nobody.knows", "value": 1},
        {"path": FLOOR, "value": "much"},
        {"path": FLOOR, "value": {}},
        {"path": FLOOR, "value": float("nan")},
        {"path": ["a"], "value": 1},
    ],
)
def test_a_lever_message_that_makes_no_sense_changes_nothing(message):
    assert show.lever_value(STATE, message) is None


def test_a_lever_is_snapped_and_put_back():
    assert show.lever_value(STATE, {"path": FLOOR, "value": 0.5321}) == (FLOOR, 0.55)
    assert show.lever_value(STATE, {"path": FLOOR, "value": 99}) == (FLOOR, 1.0)
    assert show.lever_value(STATE, {"path": FLOOR, "value": None}) == (FLOOR, None)


@pytest.mark.parametrize(
    ("given", "seed"), [(5, 5), ("7", 7), (-1, 3), ("x", 3), (None, 3), (2**63, 3), ("9" * 18, int("9" * 18))]
)
def test_a_seed_that_makes_no_sense_leaves_the_old_one(given, seed):
    assert show.seed_of(given, 3) == seed


def test_worlds_and_parties_that_are_clicked_exist(run):
    assert [show.world_of(given, run) for given in (3, "2", 99, -1, None, "x")] == [3, 2, 0, 0, 0, 0]
    assert show.party_of("OpenAI", run, STATE) == "OpenAI"
    assert show.party_of("<script>", run, STATE) == ""
    archetypes = PageState(months=12, names="archetype")
    shown = {each["value"]: each["title"] for each in show.party_list(run, archetypes)["options"]}
    assert show.party_of(shown["OpenAI"], run, archetypes) == "OpenAI"


def test_the_header_offers_every_scenario_with_a_sentence():
    offered = show.header()
    assert offered["scenarios"][0]["name"] == "baseline"
    assert all(each["sentence"].endswith(".") for each in offered["scenarios"])


@pytest.mark.parametrize(
    ("paragraph", "sentence"),
    [
        ("One. Two.", "One."),
        ("It costs 1.4 bn a year.\nThen more.", "It costs 1.4 bn a year."),
        ("No full stop", "No full stop"),
    ],
)
def test_the_first_sentence(paragraph, sentence):
    assert show.first_sentence(paragraph) == sentence


def test_what_is_told_of_one_world_stays_when_more_are_added(run):
    """The whole screen of a run that grew is that of the run played at once, word for word."""
    show.screen(run, STATE)
    grown, whole = compute(STATE, 6, first=run), compute(STATE, 6)
    one, other = show.screen(grown, STATE), show.screen(whole, STATE)
    for part in ("status", "network", "timeline", "strip", "stamp"):
        assert getattr(one, part) == getattr(other, part), part
    assert one.network is show.screen(run, STATE).network
