"""Comparing two scenarios with the same luck: the intervals and the rows."""

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats
from typer.testing import CliRunner

import run
from scenarios import BadInput, load
from scenarios.experiments import compare
from scenarios.experiments.compare import (
    CLEAR_LOSS,
    HEADLINES,
    Row,
    difference_of_chances,
    difference_of_means,
)
from scenarios.story import tell_comparison


def paired(both, only_first, only_second, neither):
    """Two outcomes in the same worlds, from the four counts."""
    counts = (both, only_first, only_second, neither)
    first = np.repeat([True, True, False, False], counts)
    return first, np.repeat([True, False, True, False], counts)


@pytest.fixture(scope="module")
def comparison():
    """A small real comparison of scenarios that differ from the first month on."""
    return compare(load("baseline"), load("growth_disappoints"), worlds=24, seed=3, months=40)


# -- intervals -----------------------------------------------------------------------------------------------


# Fagerland, Lydersen and Laake, "Statistical Analysis of Contingency Tables" (2017), chapter 8: Newcombe's interval
# for airway hyper-responsiveness (Bentur 2009) and complete response (Cavo 2012); there it is first less second.
@pytest.mark.parametrize(
    ("counts", "published"),
    [((1, 1, 7, 12), (0.2857, 0.0256, 0.5069)), ((59, 6, 16, 80), (0.0621, 0.0046, 0.1186))],
)
def test_paired_chances_have_the_published_intervals(counts, published):
    assert difference_of_chances(*paired(*counts)) == pytest.approx(published, abs=5e-5)


@given(st.lists(st.integers(0, 400), min_size=4, max_size=4).filter(lambda counts: sum(counts) > 1))
def test_the_interval_of_paired_chances_is_sound(counts):
    first, second = paired(*counts)
    middle, low, high = difference_of_chances(first, second)
    assert middle == pytest.approx(second.mean() - first.mean(), abs=1e-12)
    assert -1.0 <= low <= middle <= high <= 1.0
    assert low < high  # some luck remains even where all worlds agree
    back = difference_of_chances(second, first)
    assert back == pytest.approx((-middle, -high, -low), abs=1e-12)


def test_worlds_that_move_together_give_a_narrower_interval():
    """The same two shares: with luck in common the difference is known better."""
    together, apart = paired(30, 0, 10, 60), paired(12, 18, 28, 42)
    assert difference_of_chances(*together)[0] == pytest.approx(difference_of_chances(*apart)[0])
    widths = [np.ptp(difference_of_chances(*pair)[1:]) for pair in (together, apart)]
    assert widths[0] < 0.8 * widths[1]


def test_paired_means_have_the_interval_of_the_paired_t_test():
    generator = np.random.default_rng(1)
    first = generator.normal(10.0, 5.0, 40)
    second = first + generator.normal(1.0, 0.5, 40)
    expected = stats.ttest_rel(second, first).confidence_interval(0.95)
    assert difference_of_means(first, second) == pytest.approx(
        ((second - first).mean(), expected.low, expected.high)
    )
    alone = stats.ttest_ind(second, first).confidence_interval(0.95)
    assert expected.high - expected.low < 0.2 * (alone.high - alone.low)


def test_the_intervals_cover_what_is_true_as_often_as_they_say():
    """Of 400 draws of 60 pairs with a known difference, 95% cover it, but for what chance allows."""
    generator, covered = np.random.default_rng(7), 0
    for _ in range(400):
        luck = generator.random(60)
        _, low, high = difference_of_chances(luck < 0.2, luck < 0.35)
        covered += low <= 0.15 <= high
    assert stats.binom.ppf(0.001, 400, 0.93) <= covered


@pytest.mark.parametrize(
    ("low", "high", "clear"), [(0.1, 0.5, True), (-0.5, -0.1, True), (-0.1, 0.7, False), (0.0, 0.6, False)]
)
def test_a_row_is_clear_when_its_interval_excludes_zero(low, high, clear):
    row = Row("x", "x", "", "GW", 1.0, 1.3, (low + high) / 2, low, high)
    assert row.clear is clear
    assert (row.strength > 1.0) is clear


# -- rows ----------------------------------------------------------------------------------------------------


def test_every_headline_is_measured_in_the_real_model(comparison):
    assert {headline.id for headline in HEADLINES} <= {row.id for row in comparison.rows}
    assert len(HEADLINES) >= 15


def test_rows_say_what_the_results_say(comparison):
    first, second = comparison.first, comparison.second
    rows = {row.id: row for row in comparison.rows}
    worlds = [results.worlds() for results in (first, second)]
    peak = rows["peak_stress"]
    assert peak.first == pytest.approx(worlds[0]["peak_stress"].mean())
    assert peak.difference == pytest.approx((worlds[1]["peak_stress"] - worlds[0]["peak_stress"]).mean())
    rent = [results.measure("compute_market.rent")[:, 0].mean() for results in (first, second)]
    assert (rows["rent"].first, rows["rent"].second) == pytest.approx(tuple(rent))
    chances = {word: [table.filter(like=f"{word}:") for table in worlds] for word in ("default", "missed")}
    for word, (one, other) in chances.items():
        for column in one:
            share = one[column].notna().mean(), other[column].notna().mean()
            if any(share):
                assert (rows[column].first, rows[column].second) == pytest.approx(share)
            else:
                assert column not in rows, word
    for column in worlds[0].filter(like="loss:"):
        means = worlds[0][column].mean(), worlds[1][column].mean()
        assert (column in rows) == (max(means) > CLEAR_LOSS)
    losses = [table.filter(like="loss:").sum(axis=1).mean() for table in worlds]
    assert (rows["loss"].first, rows["loss"].second) == pytest.approx(tuple(losses))


def test_the_clearest_rows_come_first(comparison):
    assert comparison.rows[0].clear
    order = [(not row.clear, -row.strength) for row in comparison.rows]
    assert order == sorted(order)


def test_fewer_customers_show_as_less_revenue_and_cheaper_compute(comparison):
    rows = {row.id: row for row in comparison.rows}
    assert rows["revenue_2030"].high < 0.0
    assert rows["rent"].high < 0.0


def test_a_scenario_does_not_differ_from_itself():
    found = compare(load("baseline"), load("baseline"), worlds=6, seed=3, months=14)
    assert not any(row.clear for row in found.rows)
    assert all(row.difference == 0.0 for row in found.rows)


def test_luck_is_the_same_on_both_sides(comparison):
    """What no scenario touches is equal bit for bit: the surprises of demand and the state of credit."""
    for name in ("demand.surprise", "credit.base_rate", "slipped"):
        assert np.array_equal(comparison.first.measure(name), comparison.second.measure(name))


def test_other_models_are_compared_by_what_they_record(read):
    cheap, dear = read("[lab]\nrent = 2.0\n"), read("[lab]\nrent = 8.0\n")
    found = compare(cheap, dear, worlds=20, seed=4, months=18)
    assert "peak_stress" in {row.id for row in found.rows}
    assert not {"rent", "energised"} & {row.id for row in found.rows}


@pytest.mark.parametrize("worlds", [1, [5], 0])
def test_one_world_has_no_interval(worlds):
    with pytest.raises(BadInput, match="worlds"):
        compare(load("baseline"), load("calm"), worlds=worlds)


def test_progress_counts_both_runs(read):
    seen = []
    one, months, worlds = read("[lab]\nrent = 2.0\n"), 5, 3
    compare(one, one, worlds, 1, months, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(worlds, 2 * worlds * months + 1, worlds))
    assert {total for _, total in seen} == {2 * worlds * months}


# -- words ---------------------------------------------------------------------------------------------------


def told(facts, everything=False):
    console = Console(width=80, record=True, file=io.StringIO())
    tell_comparison(console, facts, everything)
    return console.export_text()


def test_it_is_told_in_80_columns_clear_rows_first(comparison):
    facts = comparison.facts()
    text = told(facts)
    assert max(map(len, text.splitlines())) <= 80
    clear = text.index("Clear differences")
    assert clear < text.index("rent of compute") < text.index("No clear difference")
    same = [row["quantity"] for row in facts["rows"] if row["low"] == row["high"] == 0.0]
    assert same, "some rows are the same in every world, so that this can be looked for"
    assert text.index(same[0].split()[0], clear) and "the same in every world" in text
    everything = told(facts, everything=True)
    for row in facts["rows"]:
        assert row["quantity"].split()[0] in everything


def test_the_facts_are_ready_for_machines(comparison):
    facts = json.loads(json.dumps(comparison.facts(), allow_nan=False))
    assert (facts["worlds"], facts["months"], facts["seed"]) == (24, 40, 3)
    assert facts["books_residual"] <= 1e-9
    for row in facts["rows"]:
        assert row["low"] <= row["difference"] <= row["high"]
        assert row["clear"] == (row["low"] > 0 or row["high"] < 0)


def on_the_command_line(*arguments):
    return CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(run.app, ["compare", *arguments])


def test_the_command_compares_a_scenario_with_a_changed_one():
    small = ("--worlds", "8", "--months", "16", "--seed", "3", "--json")
    done = on_the_command_line("baseline", "baseline", *small, "--set", "demand.growth_level=0.6")
    facts = json.loads(done.stdout)
    assert facts["first"]["overrides"] == {}
    assert facts["second"]["overrides"] == {"demand.growth_level": 0.6}
    revenue = next(row for row in facts["rows"] if row["id"] == "revenue_2030")
    assert revenue["difference"] < 0.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("baseline", "calmm"), "did you mean calm?"),
        (("baseline", "calm", "--worlds", "1"), "at least 2"),
        (("baseline", "calm", "--set", "openai.floor_share=7"), "openai.floor_share"),
    ],
)
def test_bad_input_gets_one_message(arguments, words):
    done = on_the_command_line(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
