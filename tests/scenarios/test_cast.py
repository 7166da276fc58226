"""Casts: a scenario is told in its own names, dates and words, and its numbers keep the names of the books."""

import tomllib

import pytest

from model.opening import read_opening
from scenarios import cast_of, library, load, names_of, simulate
from scenarios.cast import CASTS, WORDS, Cast, casts, date_of
from scenarios.story import opening_facts, opening_line, summary, tell_opening, tell_run
from tests.scenarios.test_story import told

FIRMS = (
    "OpenAI",
    "Oracle",
    "CoreWeave",
    "SoftBank",
    "Microsoft",
    "Vantage",
    "Abilene",
    "Blue Owl",
    "Anthropic",
)


@pytest.mark.parametrize("scenario", library())
@pytest.mark.parametrize("kind", ["own", "archetype"])
def test_every_party_has_one_name_and_no_two_share_it(scenario, kind):
    names = names_of(load(scenario), kind)
    assert set(names) == {party.name for party in read_opening(load(scenario).opening).parties}
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("scenario", library())
def test_archetypes_name_no_firm(scenario):
    firms = {party for party in names_of(load(scenario)) if any(firm in party for firm in FIRMS)}
    assert len(firms) >= len(FIRMS)
    shown = names_of(load(scenario), "archetype")
    assert not [shown[party] for party in firms if any(firm in shown[party] for firm in FIRMS)]


@pytest.mark.parametrize("name", casts())
def test_a_cast_names_only_parties_that_there_are_and_known_words(name):
    table = tomllib.loads((CASTS / f"{name}.toml").read_text(encoding="utf-8"))
    books = {party.name for party in read_opening("end_2025").parties}
    assert set(table) <= {"first_year", "names", "archetypes", "words"}
    assert set(table.get("words", {})) <= set(WORDS)
    assert {party for word in ("names", "archetypes") for party in table.get(word, books)} == books


@pytest.mark.parametrize(
    ("scenario", "month", "date"),
    [("baseline", 1, "Jan 2026"), ("fibre_1996", 0, "Dec 1996"), ("fibre_1996", 60, "Dec 2001"),
     ("airline", 14, "Feb of year 2"), ("abilene_extra", 96, "Dec 2033")],
)  # fmt: skip
def test_dates_follow_the_cast(scenario, month, date):
    assert cast_of(load(scenario)).date(month) == date
    assert date_of(14) == "Feb 2027"


@pytest.mark.parametrize(("scenario", "lab"), [("fibre_1996", "The carrier"), ("airline", "The airline")])
def test_a_story_has_no_firm_of_2025_in_it(scenario, lab):
    chosen = load(scenario)
    results = simulate(chosen, worlds=8, months=72)
    facts = summary(results)
    text = told(tell_run, facts, chosen, opening_facts(chosen))
    text += told(tell_opening, opening_facts(chosen), read_opening(chosen.opening), cast_of(chosen))
    names = [line for line in text.splitlines() if "calibration" not in line and "press" not in line]
    assert lab in text and "2026" not in text.split("Where each line comes from")[0]
    story = "\n".join(names).split("Where each line comes from")[0]
    assert not [firm for firm in FIRMS if firm in story.replace(chosen.paragraph, "")]
    assert facts["display"]["names"]["OpenAI"] == lab and "OpenAI" in facts["default_probability"]


def test_any_run_can_be_told_in_archetypes():
    chosen = load("baseline")
    results = simulate(chosen, worlds=8, months=72)
    plain = told(tell_run, summary(results), chosen)
    text = told(tell_run, summary(results), chosen, cast=cast_of(chosen, "archetype"))
    assert not [firm for firm in FIRMS if firm in text] and "OpenAI" in plain
    assert "The lab has promised to pay for compute that Cloud partner A" in " ".join(text.split())
    assert summary(results)["display"] == {"names": {}, "first_month": "2026-01"}


def test_the_opening_sentence_is_told_in_the_casts_words():
    chosen = load("fibre_1996")
    sentence = opening_line(opening_facts(chosen), cast_of(chosen))
    assert "so that the carrier can carry traffic" in sentence and "of capacity over 8 years" in sentence
    assert "so that OpenAI can compute" in opening_line(opening_facts(load("baseline")))


def test_the_models_sentences_are_told_in_the_casts_words():
    cast = Cast(words={"chips": "aircraft"})
    assert cast.tell("debt, rent and chips, not chipset") == "debt, rent and aircraft, not chipset"


def test_a_cast_decides_no_number(read, mistakes):
    plain, cast = load("baseline"), load("airline")
    assert plain.cast == "" and cast.cast == "airline"
    assert read("", "a.toml").hash() == read('cast = "airline"', "b.toml").hash()
    assert "did you mean airline" in mistakes('cast = "airlines"')[0]
    assert mistakes("cast = 3")
    assert 'cast = "airline"' in cast.to_toml()


def test_only_the_two_kinds_of_names_are_known():
    with pytest.raises(ValueError, match="own, archetype"):
        names_of(load("baseline"), "nickname")
