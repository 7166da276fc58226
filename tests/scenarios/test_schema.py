import csv
import json
import math
import os
import re
import sys
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios import schema
from scenarios.schema import BadInput, Vocabulary, as_month, load, parse_set
from tests.scenarios.toy import ToyModel

WHOLE = """
title = "Mine"
paragraph = '''
Two lines
of text.'''
sources = ["a book"]
tags = ["x"]
opening = "end_2025"

[lab]
floor_share = 0.5
strategy = "save"
patience = 24.0
bold = true
[lab."Big Lab"]
rent = 6

[[event]]
month = 14
kind = "breakthrough"
owner = "rival"
size = 6.0
note = "as in the news"
[[event]]
month = "2026-03"
kind = "credit_freeze"
multiple = 2.5

[[decision]]
month = 24
agent = "Big Lab"
floor_share = 0.4
rent = 5.0
existing = true
[[decision]]
month = 2027-01-31
group = "mill"
price = 2.0
[[decision]]
month = 3
group = "stress"
weight = 0.5

[[check]]
measure = "default_probability"
agent = "Small Lab"
op = ">"
value = 0.1
[[check]]
measure = "stress.index"
month = 12
op = "<="
value = 1
"""


def test_a_good_file_says_what_it_means(read):
    scenario = read(WHOLE)
    assert scenario.title == "Mine" and scenario.paragraph == "Two lines of text." and scenario.name == "mine"
    assert scenario.params == {
        "lab.bold": True,
        "lab.floor_share": 0.5,
        "lab.patience": 24,
        "lab.strategy": "save",
        "lab.Big Lab.rent": 6.0,
    }
    assert [(event.month, event.kind, event.value, event.extra) for event in scenario.events] == [
        (3, "credit_freeze", 2.5, {"months": 12}),
        (14, "breakthrough", 6.0, {"owner": "rival"}),
    ]
    assert [(row.month, row.path, row.value, row.existing) for row in scenario.decisions] == [
        (3, "stress.weight", 0.5, False),
        (13, "mill.price", 2.0, False),
        (24, "lab.Big Lab.floor_share", 0.4, True),
        (24, "lab.Big Lab.rent", 5.0, True),
    ]
    assert [check.measure for check in scenario.checks] == ["default_probability", "stress.index"]


def test_an_empty_file_is_a_scenario_of_defaults(read):
    scenario = read("", "all_defaults.toml")
    assert scenario.params == {} and scenario.events == () and scenario.title == "all defaults"


def test_the_model_takes_what_a_scenario_says(read):
    model = ToyModel(worlds=2, setting=read(WHOLE))
    assert model.param("lab.floor_share").tolist() == [[0.5, 0.5]] * 2
    assert model.param("lab.rent").tolist() == [[6.0, 6.0], [4.0, 4.0]]
    assert model.param("lab.strategy").tolist() == [[1, 1]] * 2


def test_written_out_and_read_back_it_is_the_same(read):
    scenario = read(WHOLE)
    again = read(scenario.to_toml(), "again.toml")
    assert again.to_toml() == scenario.to_toml()
    assert again.hash() == scenario.hash()
    assert (again.params, again.checks, again.sources) == (scenario.params, scenario.checks, scenario.sources)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
numbers = st.floats(0, 50)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    title=texts,
    sources=st.lists(texts, max_size=3),
    rent=numbers,
    size=st.floats(-0.9, 3.0),
    month=st.integers(1, 240),
)
def test_any_text_and_number_survives_being_written_out(read, title, sources, rent, size, month):
    rows = f"[lab]\nrent = {rent!r}\n[[event]]\nkind = 'chip_price'\nmonth = {month}\nsize = {size!r}\n"
    scenario = read(f"title = {schema._toml(title)}\nsources = {schema._toml(sources)}\n{rows}")
    assert scenario.title == title and list(scenario.sources) == sources
    again = read(scenario.to_toml(), "again.toml")
    assert again.hash() == scenario.hash() and again.title == title and list(again.sources) == sources


# -- extends ------------------------------------------------------------------------------------------------


def test_a_scenario_takes_over_what_it_extends(read, write):
    write(
        'opening = "end_2025"\n[lab]\nrent = 5.0\nfloor_share = 0.2\n'
        '[[event]]\nmonth = 3\nkind = "chip_price"\nsize = 0.1',
        "base.toml",
    )
    scenario = read('extends = "base.toml"\n[lab]\nrent = 6.0')
    assert scenario.params == {"lab.rent": 6.0, "lab.floor_share": 0.2}
    assert len(scenario.events) == 1 and scenario.extends == ("base",)


def test_checks_and_words_are_not_inherited(read, write):
    write('title = "Base"\nsources = ["b"]\n[[check]]\nmeasure="peak_stress"\nop="<"\nvalue=1', "base.toml")
    scenario = read('extends = "base.toml"')
    assert scenario.checks == () and scenario.sources == () and scenario.title == "mine"


def test_a_groups_value_replaces_what_was_inherited_about_its_agents(read, write):
    write('[lab."Big Lab"]\nrent = 9.0\nfloor_share = 0.1', "base.toml")
    scenario = read('extends = "base.toml"\n[lab]\nrent = 6.0\n[lab."Small Lab"]\nrent = 2.0')
    assert scenario.params == {"lab.rent": 6.0, "lab.Big Lab.floor_share": 0.1, "lab.Small Lab.rent": 2.0}


def test_a_scenario_cannot_extend_itself(mistakes, write):
    assert "a scenario cannot extend itself" in mistakes('extends = "mine.toml"')[0]
    write('extends = "three.toml"', "two.toml")
    write('extends = "./mine.toml"', "three.toml")
    told = mistakes('extends = "two.toml"')
    assert "cannot extend itself (mine extends two extends three extends mine)" in told[0] and len(told) == 1


def test_an_unknown_base_names_the_nearest(mistakes):
    told = mistakes('extends = "baselin"')
    assert len(told) == 1 and "did you mean baseline?" in told[0] and "mine.toml: extends" in told[0]
    assert "no such file" in mistakes('extends = "nowhere/base.toml"')[0]


# -- with_set and hash --------------------------------------------------------------------------------------


def test_with_set_makes_another_scenario(read):
    scenario = read(WHOLE)
    changed = scenario.with_set({"lab.rent": 7, "lab.strategy": "grow"})
    assert changed.params["lab.rent"] == 7.0 and "lab.Big Lab.rent" not in changed.params
    assert scenario.params["lab.Big Lab.rent"] == 6.0, "the one it was made from stays as it is"
    assert changed.overrides == {"lab.rent": 7.0, "lab.strategy": "grow"}
    assert changed.hash() != scenario.hash()


def test_with_set_reports_every_mistake(read):
    with pytest.raises(BadInput) as caught:
        read("").with_set(
            {"lab.floor_shar": 0.5, "lab.rent": 500, "lab.strategy": "spend", "lab.Bg Lab.rent": 1}
        )
    told = str(caught.value).splitlines()
    assert told == [
        "--set: lab.floor_shar: unknown parameter; did you mean lab.floor_share?",
        "--set: lab.rent = 500: not allowed; allowed: a number from 0 to 50 (US$bn a year)",
        "--set: lab.strategy = 'spend': not allowed; allowed: one of 'grow', 'save'",
        "--set: lab.Bg Lab.rent: 'Bg Lab' is not in lab; allowed: Big Lab, Small Lab; did you mean Big Lab?",
    ]


def test_the_hash_is_of_what_decides_the_result(read):
    plain = read("[lab]\nrent = 5.0")
    assert read('title = "other words"\n[lab]\nrent = 5').hash() == plain.hash()
    assert read("[lab]\nrent = 5.1").hash() != plain.hash()
    assert (
        read(plain.to_toml() + '[[event]]\nmonth = 2\nkind = "chip_price"\nsize = 0.1').hash() != plain.hash()
    )
    assert read(plain.to_toml() + '[[decision]]\nmonth = 2\ngroup = "lab"\nrent = 1').hash() != plain.hash()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=0.5", 0.5),
        ("a.b = true", True),
        ("a.b=save", "save"),
        ("a.b='save'", "save"),
        ("a.b=1_000", 1000),
        ("a.b=x=y", "x=y"),
        ("a.b=1\nc = 2", "1\nc = 2"),
    ],
)
def test_what_is_set_on_the_command_line_reads_as_in_a_file(text, value):
    assert parse_set([text]) == {"a.b": value}


def test_nan_can_be_written_but_not_set(read):
    given = parse_set(["lab.rent=nan"])
    assert math.isnan(given["lab.rent"])
    with pytest.raises(BadInput, match=r"lab\.rent = nan: not allowed"):
        read("").with_set(given)


@pytest.mark.parametrize("text", ["a.b", "=3", "a.b=", ""])
def test_a_setting_needs_a_path_and_a_value(text):
    with pytest.raises(BadInput, match="PATH=VALUE"):
        parse_set([text])


# -- mistakes -----------------------------------------------------------------------------------------------

MISTAKES = {
    'titel = "x"': "titel: unknown key; did you mean title?",
    "floor_share = 1": "floor_share: unknown key; did you mean lab.floor_share?",
    "title = 3": "title = 3: not allowed; allowed: a text",
    'sources = "x"': "sources = 'x': not allowed; allowed: a list of texts",
    "tags = [1]": "tags = [1]: not allowed; allowed: a list of texts",
    "opening = 'end_2024'": "opening = 'end_2024': not allowed; allowed: one of abilene_extra, end_2025",
    "opening = '../x'": "opening = '../x': not allowed",
    "event = 3": "event = 3: not allowed; allowed: tables, each headed [[event]]",
    "lab = 3": "lab = 3: not allowed; allowed: a table, headed [lab]",
    "[lbb]": "lbb: unknown group of parameters; did you mean lab?",
    "[lab]\nfloor_shar = 1": "lab.floor_shar: unknown parameter; did you mean lab.floor_share?",
    "[mill]\nfloor_share = 1": "mill.floor_share: unknown parameter; did you mean lab.floor_share?",
    "[lab]\nrent = -1": "lab.rent = -1: not allowed; allowed: a number from 0 to 50 (US$bn a year)",
    "[lab]\nrent = nan": "lab.rent = nan: not allowed",
    "[lab]\nrent = inf": "lab.rent = inf: not allowed",
    "[lab]\nrent = '4'": "lab.rent = '4': not allowed",
    "[lab]\nrent = true": "lab.rent = true: not allowed",
    "[lab]\nrent = [4]": "lab.rent = [4]: not allowed",
    "[lab]\nrent = 2026-01-01": "lab.rent = datetime.date(2026, 1, 1): not allowed",
    f"[lab]\nrent = 1{'0' * 400}": "lab.rent = 1000000",
    "[lab]\npatience = 3.5": "lab.patience = 3.5: not allowed; allowed: a whole number from 1 to 60 (months)",
    "[lab]\nbold = 1": "lab.bold = 1: not allowed; allowed: true or false",
    "[lab]\nstrategy = 'spend'": "lab.strategy = 'spend': not allowed; allowed: one of 'grow', 'save'",
    "[lab.'Big Lob']\nrent = 1": "lab.Big Lob: 'Big Lob' is not in lab; allowed: Big Lab, Small Lab; did y",
    "[mill.'Big Lab']\nprice = 1": "mill.Big Lab: 'Big Lab' is not in mill but in lab; allowed: Old Mill",
    "[stress.'Big Lab']\nweight = 1": "allowed: no agent: this group is a mechanism",
    "[[event]]\nkind = 'chip_price'\nsize = 0.1": "event[1].month: missing; allowed: a whole number from 1",
    "[[event]]\nmonth = 3": "event[1].kind: missing; allowed: one of breakthrough",
    "[[event]]\nmonth = 3\nkind = 'chip_prise'": "event[1].kind = 'chip_prise': not allowed; allowed: one of",
    "[[event]]\nmonth = 3\nkind = []": "event[1].kind = []: not allowed",
    "[[event]]\nmonth = 3\nkind = 'chip_price'": "event[1].size: missing; allowed: a number from -0.9 to 3",
    "[[event]]\nmonth = 3\nkind = 'chip_price'\nsize = 4": "event[1].size = 4: not allowed; allowed: a num",
    "[[event]]\nmonth = 3\nkind = 'chip_price'\nsize = 1\nsise = 4": "event[1].sise: unknown key; did you",
    "[[event]]\nmonth = 3\nkind = 'chip_price'\nsize = 1\nagent = 'Big Lab'": "a chip_price befalls everyb",
    "[[event]]\nmonth = 3\nkind = 'delay'\nmonths = 4": "event[1].agent: missing: whom the delay befalls",
    "[[event]]\nmonth = 3\nkind = 'delay'\nmonths = 4\nagent = 'Big Lab'": "'Big Lab' is not in site_compa",
    "[[decision]]\nmonth = 3\nrent = 4": "decision[1]: missing: who decides",
    "[[decision]]\nmonth = 3\nagent = 'Big Lab'": "decision[1]: decides nothing; allowed: a parameter of l",
    "[[decision]]\nmonth = 3\nagent = 'Big Lob'\nrent = 4": "decision[1].agent = 'Big Lob': not allowed; a",
    "[[decision]]\nmonth = 3\nagent = ['x']\nrent = 4": "decision[1].agent = ['x']: not allowed",
    "[[decision]]\nmonth = 3\ngroup = 'labs'\nrent = 4": "decision[1].group = 'labs': not allowed",
    "[[decision]]\nmonth = 3\ngroup = ['x']\nrent = 4": "decision[1].group = ['x']: not allowed",
    "[[decision]]\nmonth = 3\ngroup = 'mill'\nagent = 'Big Lab'\nprice = 4": "'Big Lab' is not in mill but",
    "[[decision]]\nmonth = 3\ngroup = 'lab'\nrent = 99": "decision[1].rent = 99: not allowed; allowed: a n",
    "[[decision]]\nmonth = 3\ngroup = 'lab'\nrentt = 4": "decision[1].rentt: unknown parameter; did you mean",
    "[[decision]]\nmonth = 3\ngroup = 'lab'\nrent = 4\nexisting = 1": "decision[1].existing = 1: not allowed",
    "[[decision]]\nmonth = 3\ngroup = 'lab'\nrent = 4\nnote = 1": "decision[1].note = 1: not allowed",
    "[[check]]\nmeasure = 'peak_stres'\nop = '<'\nvalue = 1": "check[1].measure = 'peak_stres': not allowed",
    "[[check]]\nmeasure = 'peak_stress'\nop = '='\nvalue = 1": "check[1].op = '=': not allowed; allowed: o",
    "[[check]]\nmeasure = 'peak_stress'\nop = '<'\nvalue = nan": "check[1].value = nan: not allowed",
    "[[check]]\nmeasure = 'peak_stress'\nop = '<'": "check[1].value: missing",
    "[[check]]\nmeasure = ['x']\nop = ['<']\nvalue = 1": "check[1].measure = ['x']: not allowed",
    "[[check]]\nmeasure = 'default_probability'\nop = '<'\nvalue = 1": "check[1].agent: missing: whose def",
    "[[check]]\nmeasure = 'peak_stress'\nop = '<'\nvalue = 1\nagen = 'x'": "check[1].agen: unknown key; di",
    "extends = 3": "extends = 3: not a name; allowed: the name of one scenario",
}


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: text.replace("\n", " / ")[:60])
def test_a_mistake_is_named_with_file_key_value_and_what_is_allowed(mistakes, text):
    told = mistakes(text)
    assert MISTAKES[text] in told[0]
    assert "mine.toml: " in told[0]


@pytest.mark.parametrize(
    "month", ["0", "241", "14.5", "true", "'2027-13'", "'2025-12'", "'2046-01'", "'soon'", "nan"]
)
def test_an_impossible_date_is_a_mistake(mistakes, month):
    (told,) = mistakes(f"[[event]]\nmonth = {month}\nkind = 'chip_price'\nsize = 0.1")
    assert "event[1].month = " in told and "240 (December 2045)" in told


@pytest.mark.parametrize(("value", "month"), [("2026-01", 1), ("2027-02", 14), ("2045-12", 240), (96, 96)])
def test_a_month_may_be_a_number_or_a_date(value, month):
    assert as_month(value) == month


def test_all_mistakes_are_reported_at_once(mistakes):
    told = mistakes(
        "titel = 1\n[lab]\nrent = -1\nbold = 3\n[[event]]\nmonth = 0\nkind = 'chip_price'\nsize = 9"
    )
    assert len(told) == 5


def test_a_mistake_of_the_base_is_reported_with_its_file(mistakes, write):
    write("[lab]\nrent = -1", "base.toml")
    told = mistakes("extends = 'base.toml'\n[lab]\nbold = 3")
    assert len(told) == 2 and "base.toml: lab.rent" in told[0] and "mine.toml: lab.bold" in told[1]


CONTRADICTIONS = {
    "window open and shut": ("equity_window", "open = true", 3, "open = false", 9),
    "freezes that differ": ("credit_freeze", "multiple = 2", 3, "multiple = 3", 4),
    "two shocks in a month": ("demand_shock", "size = 0.1", 3, "size = 0.1", 3),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_events_that_contradict_are_a_mistake(mistakes, case):
    kind, one, month, other, later = CONTRADICTIONS[case]
    row = "[[event]]\nkind = '{}'\nmonth = {}\n{}\n"
    (told,) = mistakes(row.format(kind, later, other) + row.format(kind, month, one))
    assert "two events contradict" in told and f"month {later}" in told


def test_a_long_event_is_compared_with_all_that_it_overlaps(mistakes):
    row = "[[event]]\nkind = 'credit_freeze'\nmonth = {}\nmonths = {}\nmultiple = {}\n"
    assert len(mistakes(row.format(1, 60, 2) + row.format(5, 1, 2) + row.format(20, 1, 3))) == 1


def test_events_one_after_the_other_and_breakthroughs_do_not_contradict(read):
    windows = "[[event]]\nkind = 'equity_window'\nmonth = {}\nopen = {}\nmonths = 6\n"
    found = "[[event]]\nkind = 'breakthrough'\nmonth = 3\nowner = 'own'\nsize = {}\n"
    text = windows.format(1, "true") + windows.format(7, "false") + found.format(2) + found.format(3)
    assert len(read(text).events) == 4


def test_decisions_that_contradict_are_a_mistake(mistakes, read):
    row = "[[decision]]\nmonth = 3\ngroup = 'lab'\nrent = {}\n"
    assert "two decisions contradict: lab.rent" in mistakes(row.format(4) + row.format(5))[0]
    assert len(read(row.format(4) + row.format(4)).decisions) == 2


# -- files that are no scenario files -----------------------------------------------------------------------

BAD_FILES = {
    "invalid TOML": (b"title = 'x'\nrent = = 3\n", "not valid TOML: Invalid value (at line 2, column 8)"),
    "a key twice": (b"[lab]\nrent = 1\nrent = 2\n", "not valid TOML: Cannot overwrite a value"),
    "not UTF-8": (b"title = 'x'\ntags = ['\xff\xfe']\n", "not a text file in UTF-8 (line 2)"),
    "binary": (b"\x7fELF\x00\x01\x00\x00", "not valid TOML: it is a binary file"),
    "too deep": (b"a = " + b"[" * 50_000 + b"]" * 50_000, "not valid TOML: nested too deeply"),
    "a number too long": (b"[lab]\nrent = " + b"1" * 5000, "not valid TOML: Exceeds the limit"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_is_no_scenario_file_gets_one_message(mistakes, case):
    data, message = BAD_FILES[case]
    (told,) = mistakes(data)
    assert message in told and "mine.toml" in told


def test_a_file_that_is_too_large_is_not_read(tmp_path, vocabulary):
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(
        BadInput, match=r"large\.toml: 50\.0 MB is too large for a scenario; allowed: at most 1 MB"
    ):
        load(path, vocabulary)


def test_many_mistakes_are_cut_short(mistakes, read):
    text = "\n".join(f"wrong_key_{number} = 1" for number in range(5000))
    assert len(mistakes(text)) == 5000
    with pytest.raises(BadInput) as caught:
        read(text)
    assert str(caught.value).splitlines()[-1] == "... and 4980 more"


def test_a_directory_or_device_is_no_scenario_file(tmp_path, vocabulary):
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(BadInput, match="not a file"):
        load(tmp_path / "folder.toml", vocabulary)
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe.toml")
        with pytest.raises(BadInput, match="not a file"):
            load(tmp_path / "pipe.toml", vocabulary)


@pytest.mark.parametrize(
    "name", ["nope", "base\0line", "x" * 5000, "", ".", "nowhere/x.toml", "~nobody/x.toml"]
)
def test_an_unknown_scenario_gets_one_message(vocabulary, name):
    with pytest.raises(BadInput) as caught:
        load(name, vocabulary)
    assert len(caught.value.problems) == 1 and len(str(caught.value)) < 500


def test_a_misspelled_scenario_names_the_nearest(vocabulary):
    with pytest.raises(
        BadInput, match=r"no scenario is called 'growth_disapoints'.*did you mean growth_disappoints"
    ):
        load("growth_disapoints", vocabulary)


def test_a_byte_order_mark_does_no_harm(read):
    assert read(b"\xef\xbb\xbftitle = 'x'").title == "x"


def test_control_characters_of_a_file_do_not_reach_the_terminal(mistakes):
    (told,) = mistakes('"\\u001b[31m" = 1')
    assert "\x1b" not in told


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_bad_input(write, vocabulary, data):
    path = write(data)
    try:
        load(path, vocabulary)
    except BadInput as error:
        assert error.problems and str(error)


leaves = st.one_of(st.booleans(), st.integers(), st.floats(), texts)
keys = st.sampled_from(
    ["month", "kind", "agent", "group", "rent", "size", "value", "op", "measure", "Big Lab"]
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3)
)
tables = st.dictionaries(st.sampled_from([*schema.RESERVED, "lab", "mill", "stress"]), values, max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables)
def test_no_table_raises_anything_but_bad_input(monkeypatch, write, vocabulary, table):
    table.pop("extends", None)
    with monkeypatch.context() as patch:
        patch.setattr(tomllib, "loads", lambda text: table)
        try:
            scenario = load(write("", "any.toml"), vocabulary)
        except BadInput as error:
            assert error.problems and str(error)
        else:
            ToyModel(worlds=1, months=2, setting=scenario).run_for(2)


# -- what is shipped ----------------------------------------------------------------------------------------

SHIPPED = {path.stem: tomllib.loads(path.read_text()) for path in schema.LIBRARY.glob("*.toml")}


def test_the_library_begins_with_the_baseline():
    assert schema.library()[0] == "baseline" and set(schema.library()) == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_explains_itself_and_names_its_sources(name):
    table = SHIPPED[name]
    assert table["title"] and len(table["paragraph"].split()) > 20 and table["sources"]
    with (schema.LIBRARY / "calibration.csv").open() as file:
        known = {row["key"] for row in csv.DictReader(file)}
    for source in table["sources"]:
        if source.startswith("calibration:"):
            named = re.sub(r"\(.*?\)", "", source.removeprefix("calibration:")).split(",")
            assert {key.strip() for key in named} <= known


def test_no_group_of_parameters_has_a_name_that_a_file_needs(vocabulary):
    assert not set(vocabulary.params) & set(schema.RESERVED)


def test_the_names_of_agents_come_from_the_model():
    vocabulary = Vocabulary(ToyModel)
    assert vocabulary.agents("end_2025") == {"lab": ["Big Lab", "Small Lab"], "mill": ["Old Mill"]}
    assert json.dumps(vocabulary.rows)
