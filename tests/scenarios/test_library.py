"""The shipped scenarios: each says where it comes from, differs from the baseline, and shows what it must."""

import csv
import fnmatch
import re

import pytest

from model.opening import read_opening
from scenarios import library, load, simulate
from scenarios.schema import LIBRARY
from scenarios.story import summary

WORLDS = 256
KEYS = [row["key"] for row in csv.DictReader((LIBRARY / "calibration.csv").open(encoding="utf-8"))]
SHIPPED = {
    "abilene_extra", "airline", "announced", "backstop", "baseline", "calm", "cash_funded", "credit_freeze",
    "efficiency_shock", "energy_crunch", "fibre_1996", "growth_disappoints", "heat_summer", "herding", "hsbc_2025",
    "jv_reported", "jv_seed", "lean_strategy", "own_balance_sheet", "pincer", "ponzi_calm", "renegotiation",
    "soft_landing", "supercluster_24_months",
}  # fmt: skip


def test_the_library_is_complete():
    assert set(library()) >= SHIPPED


@pytest.mark.parametrize("name", library())
def test_a_scenario_says_what_it_is_and_where_it_comes_from(name):
    scenario = load(name)
    assert scenario.title and len(scenario.paragraph) > 100 and scenario.sources and scenario.tags
    measures = [check.measure for check in scenario.checks]
    assert "books_residual" in measures and len(measures) > 1
    opening = read_opening(scenario.opening)
    lines = {line.id for line in opening.contracts} | {party.name for party in opening.parties}
    for source in scenario.sources:
        plain = re.sub(r"\([^)]*\)", "", source)
        for kind, words in re.findall(r"(calibration|opening): ([^;]*)", plain):
            for key in words.split(","):
                known = KEYS if kind == "calibration" else lines
                assert fnmatch.filter(known, key.strip()), f"{name}: no {kind} {key.strip()!r}"


def test_every_scenario_changes_something_that_decides_the_result():
    hashes = {name: load(name).hash() for name in library()}
    assert len(set(hashes.values())) == len(hashes)


@pytest.mark.parametrize("name", library())
def test_a_scenario_shows_what_it_must(name):
    checks = summary(simulate(load(name), WORLDS))["checks"]
    assert not [check for check in checks if not check["holds"]]
