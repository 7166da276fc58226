"""A scenario file that a visitor gives: mistakes stand beside their lines, and nothing hostile gets through."""

import time

import pytest

from scenarios.schema import load
from viz.panels.upload import MOST_READ, check_upload

GOOD = 'title = "Mine"\nparagraph = "p"\nextends = "baseline"\n\n[openai]\nfloor_share = 0.5\n'
MANY = ", ".join(f"b{at}=1" for at in range(600))


def test_a_good_file_is_the_scenario_it_says():
    found = check_upload("mine.toml", GOOD)
    assert not found.problems
    assert found.scenario.hash() == load("baseline").with_set({"openai.floor_share": 0.5}).hash()
    assert (found.scenario.name, found.scenario.title) == ("mine", "Mine")
    assert found.facts(GOOD)["ok"] and found.facts(GOOD)["lines"] == []


def test_mistakes_stand_beside_their_lines():
    text = GOOD.replace("0.5", "7") + (
        'flor = 1\n[site_company."Abilene site company"]\nreserve_months = 99\n[[event]]\nmonth = 3\n'
        'kind = "demand_shock"\nsize = 0.1\n[[event]]\nkind = "demand_shock"\nsize = "large"\n'
    )
    found = check_upload("mine.toml", text)
    told = {line: words for line, words in found.problems}
    lines = text.splitlines()
    assert lines[5] == "floor_share = 7" and "0 to 1" in told[6]
    assert "openai.floor_share" in told[7]
    assert "0 to 12" in told[lines.index("reserve_months = 99") + 1]
    second = len(lines) - lines[::-1].index("[[event]]")
    assert second in told and "month" in told[second]
    assert lines.index('size = "large"') + 1 in told
    facts = found.facts(text)
    assert not facts["ok"]
    shown = {line["number"]: line for line in facts["lines"] if line}
    assert shown[6]["text"] == "floor_share = 7" and shown[6]["problems"]
    assert 2 not in shown


def test_a_mistake_of_toml_says_its_line():
    found = check_upload("mine.toml", GOOD + "this is no TOML\n")
    assert [line for line, _ in found.problems] == [7]


@pytest.mark.parametrize(
    "base",
    ["/etc/passwd", "../library/baseline.toml", "scenarios/library/baseline.toml", "~/x.toml", ["a"], 3],
)
def test_no_file_of_the_server_can_be_named(base):
    text = GOOD.replace('"baseline"', repr(base).replace("'", '"'))
    found = check_upload("mine.toml", text)
    assert found.scenario is None
    assert "the name of a shipped scenario" in found.problems[0][1]
    assert found.problems[0][0] == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a" * 1_000_001, "too large"),
        ("é" * 600_000, "too large"),
        ("title = \"\0\"", "binary"),
        ("title = \"\ufffd\"", "binary"),
        ("a = " + "[" * 4_000, "nested"),
        ("[" * 40_000, "characters"),
        ("a." * 2_000 + "b = 1", "nested"),
        ("\n".join("a = " + "[" * 29 for _ in range(200)), "not valid TOML"),
        ("x = 1\n" * 20_000, "at most"),
        ("\n".join(f"[a{at}]" for at in range(MOST_READ - 1)), "unknown group"),
        ("\n".join(f"a{at} = {{{MANY}}}" for at in range(150)), "unknown"),
        ("", None),
        (None, "not a text"),
        (5, "not a text"),
        ("title = 3\nopening = \"../../etc/passwd\"\ncast = \"../x\"\n", "not allowed"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused_in_words_and_at_once(text, words):
    began = time.process_time()
    found = check_upload("x.toml", text)
    assert time.process_time() - began < 10.0  # what grows with the square of a file's size takes minutes
    if words is None:
        assert found.scenario is not None
    else:
        assert found.scenario is None
        assert words in " ".join(said for _, said in found.problems)
        assert len(found.problems) <= 51
        found.facts(text)


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\<img src=x>.toml", "a" * 500, "", "\n\0", "…"])
def test_a_hostile_name_becomes_harmless(name):
    found = check_upload(name, GOOD)
    assert found.scenario is not None
    for shown in (found.name, found.scenario.name):
        assert shown and len(shown) <= 80
        assert not set(shown) & set("<>/\\\n\0\"'&")
