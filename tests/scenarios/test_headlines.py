"""What stands beside a default rate is what the runs give, and is found only for what was played."""

import json

import pytest

from scenarios import library, load, simulate
from scenarios.experiments.attribution import equity_share, value_by_world
from scenarios.experiments.equity_window import CAP, CAPS, HAZARD, HAZARDS
from scenarios.experiments.headlines import headline, page_of, plays, write_headlines
from scenarios.headlines import STORE, headline_of, headline_words, stored
from scenarios.story import summary, tell_run
from tests.scenarios.test_story import told


def test_every_shipped_scenario_has_its_headline():
    kept = {(each.scenario, each.months): each for each in stored().values()}
    assert set(kept) == {(name, months) for name, months, _ in plays()}
    for name in library():
        assert headline_of(load(name)) == kept[name, 96], f"run `python run.py headlines --refresh`: {name}"


def test_what_is_kept_hangs_together():
    for each in stored().values():
        grid = [each.default["p"], *(row["p"] for row in each.figure_one)]
        assert (each.window["low"], each.window["high"]) == (min(grid), max(grid))
        assert each.window["low"] <= each.default["p"] <= each.window["high"]
        whole = each.equity["share"] + each.rest["share"]
        assert whole == pytest.approx(each.default["p"] - each.neutral, abs=1e-12)
        if each.drivers:
            assert sum(row["share"] for row in each.drivers) == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "hazard", "cap"), [("baseline", None, None), ("baseline", HAZARDS[-1], CAPS[0]), ("pincer", None, None)]
)  # fmt: skip
def test_a_point_that_is_kept_is_what_a_fresh_run_gives(name, hazard, cap):
    scenario = load(name)
    kept = headline_of(scenario)
    if hazard is None:
        p = kept.default["p"]
    else:
        grid = {(row["closing_hazard"], row["yearly_cap_usd_bn"]): row["p"] for row in kept.figure_one}
        p, scenario = grid[hazard, cap], scenario.with_set({HAZARD: hazard, CAP: cap})
    fresh = simulate(scenario, kept.worlds, kept.seed, kept.months)
    assert value_by_world(fresh, "default:OpenAI").mean() == p


def test_the_baselines_equity_share_is_what_a_fresh_game_gives():
    kept = headline_of(load("baseline"))
    fresh = equity_share(load("baseline"), kept.worlds, kept.seed, kept.months).facts()
    assert fresh["all_off"]["value"] == kept.neutral
    assert {row["driver"]: row["share"] for row in fresh["drivers"]}["equity"] == kept.equity["share"]


@pytest.fixture(scope="module")
def small():
    return headline(load("baseline"), worlds=8, months=48)


def test_a_headline_is_made_of_runs(small):
    assert small.worlds == 8 and small.months == 48 and len(small.figure_one) == 4
    assert small.default["p"] == value_by_world(simulate(load("baseline"), 8, 1, 48), "default:OpenAI").mean()


def test_the_file_is_written_and_read_back(tmp_path, monkeypatch, small):
    monkeypatch.setattr("scenarios.experiments.headlines.plays", lambda names=(): [("baseline", 12, False)])
    store, page = tmp_path / "kept.json", tmp_path / "kept.md"
    (found,) = write_headlines(store, page, worlds=4)
    assert headline_of(load("baseline"), 12, store) == found
    assert headline_of(load("baseline"), 24, store) is None
    assert json.loads(store.read_text())["platform"]["numpy"]
    assert {"version", "written", "worlds", "seed", "hash"} <= set(found.facts())
    assert "| `baseline` | 12 |" in page.read_text()
    assert "Figure 1 of `baseline`" in page_of([headline_of(load("baseline"))])


def test_a_run_tells_its_headline_or_that_none_is_kept():
    chosen = load("baseline")
    results = simulate(chosen, 32)
    facts = summary(results)
    text = " ".join(told(tell_run, facts, chosen).split())
    kept = headline_of(chosen).facts()
    assert facts["headline"] == kept and headline_words(kept) in text
    changed = chosen.with_set({"openai.floor_share": 1.0})
    facts = summary(simulate(changed, 32))
    assert facts["headline"] is None
    assert "is not kept for this scenario as it was played" in " ".join(
        told(tell_run, facts, changed).split()
    )


def test_no_file_no_headlines(tmp_path):
    assert stored(tmp_path / "none.json") == {} and STORE.is_file()
