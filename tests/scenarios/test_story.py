import io
import json

import numpy as np
import pytest
from rich.console import Console

from scenarios import load, simulate
from scenarios.story import date_of, summary, tell_params, tell_run, tell_scenarios

CHECKS = """
title = "Mine [bold]and yours"
paragraph = "What luck makes of two labs and a mill."
[[check]]
measure = "default_probability"
agent = "Small Lab"
op = ">"
value = 0.05
[[check]]
measure = "stress.index"
month = 6
op = "<"
value = -1
[[check]]
measure = "cash"
agent = "Big Lab"
op = ">="
value = 0
[[check]]
measure = "mean_loss"
agent = "Old Mill"
op = ">"
value = 0
[[check]]
measure = "trap_probability"
agent = "Big Lab"
op = "<="
value = 1
[[check]]
measure = "books_residual"
op = "<"
value = 1e-9
[[check]]
measure = "peak_stress"
op = "<="
value = 1
"""


@pytest.fixture(scope="module")
def results(vocabulary, tmp_path_factory):
    from scenarios import load

    path = tmp_path_factory.mktemp("scenario") / "mine.toml"
    path.write_text(CHECKS)
    return simulate(load(path, vocabulary), worlds=60, seed=3, months=30)


@pytest.fixture(scope="module")
def facts(results):
    return summary(results)


def told(tell, *arguments, width=80, **options):
    """What is printed in a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    tell(console, *arguments, **options)
    return console.file.getvalue()


def test_the_summary_has_what_machines_are_promised(facts):
    assert {
        "scenario",
        "seed",
        "worlds",
        "months",
        "version",
        "hash",
        "default_probability",
        "peak_stress",
        "losses_usd_bn",
        "trap_probability",
        "books_residual",
        "seconds",
    } <= set(facts)
    assert set(facts["default_probability"]["Big Lab"]) == {"p", "low", "high"}
    assert set(facts["peak_stress"]) == {"p10", "p50", "p90"}
    assert set(facts["losses_usd_bn"]["Old Mill"]) == {"mean", "p95"}
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_probabilities_are_shares_of_worlds(results, facts):
    worlds = results.worlds()
    failed = worlds["default:Small Lab"].notna().mean()
    assert facts["default_probability"]["Small Lab"]["p"] == pytest.approx(failed)
    assert facts["trap_probability"]["Big Lab"] == pytest.approx(worlds["trap:Big Lab"].mean())
    assert facts["losses_usd_bn"]["Old Mill"]["mean"] == pytest.approx(worlds["loss:Old Mill"].mean())


def test_who_defaults_first_counts_each_world_once_or_as_a_tie(results, facts):
    months = results.worlds()[["default:Big Lab", "default:Small Lab"]].to_numpy(float, na_value=np.inf)
    first = facts["first_default"]
    assert first["agents"]["Small Lab"]["share"] == np.mean(
        (months[:, 1] <= months[:, 0]) & (months[:, 1] < np.inf)
    )
    assert first["nobody"] == np.mean(np.isinf(months).all(axis=1))
    assert 0 < first["nobody"] < 1


def test_shortfalls_are_summed_by_who_and_why(results, facts):
    events = results.events_frame()
    assert {(row["agent"], row["because"]) for row in facts["shortfalls"]} == set(
        zip(events["agent"], events["because"], strict=True)
    )
    total = sum(row["usd_bn_per_world"] for row in facts["shortfalls"])
    assert total == pytest.approx(events["amount"].sum() / 60)
    amounts = [row["usd_bn_per_world"] for row in facts["shortfalls"]]
    assert amounts == sorted(amounts, reverse=True)


def test_stress_is_told_by_year(results, facts):
    index = results.measure("stress.index")[:, 0]
    assert [row["year"] for row in facts["stress_by_year"]] == [2026, 2027, 2028]
    assert facts["stress_by_year"][1]["p50"] == pytest.approx(np.quantile(index[12:24].mean(axis=0), 0.5))


def yearly(values):
    return values.reshape(-1, 12).sum(axis=1)


def test_a_banks_inputs_give_a_table_year_by_year_that_the_flows_of_its_world_confirm():
    results = simulate(load("hsbc_2025"), worlds=2, seed=1, months=96)
    rows = summary(results)["lab_by_year"]
    assert [row["year"] for row in rows] == list(range(2026, 2034))
    flows = results.story_frame().query("table == 'flow' and agent == 'OpenAI'")

    def flowed(*kinds):
        months = flows[flows.state.isin(kinds)].groupby("month").value.sum()
        return yearly(months.reindex(range(1, 97), fill_value=0.0).to_numpy())

    bills = flowed("take-or-pay", "renewal", "power pass-through")
    assert [row["revenue"] for row in rows] == pytest.approx(flowed("sales"))
    assert [row["compute_bill"] for row in rows] == pytest.approx(np.abs(bills))
    rounds = yearly(results.measure("round_now")[:, 0, 0])
    agents = results.measures["cash"].agents
    cash = [40.0, *results.measure("cash")[11::12, agents.index("OpenAI"), 0]]
    assert [row["funding_gap"] for row in rows] == pytest.approx(rounds - np.diff(cash))
    console = Console(file=io.StringIO(), width=80)
    tell_run(console, summary(results), results.scenario)
    assert "OpenAI year by year" in console.file.getvalue()


def test_the_lab_is_told_in_the_worlds_in_which_it_lives():
    results = simulate(load("growth_disappoints"), worlds=32, seed=1, months=60)
    rows = summary(results)["lab_by_year"]
    agents = results.measures["closed"].agents
    lives = ~results.measure("closed")[:, agents.index("OpenAI")].astype(bool)
    revenue = results.measure("revenue")[:, results.measures["revenue"].agents.index("OpenAI")]
    assert lives[59].any() and not lives[59].all()
    for year, row in enumerate(rows):
        last = 12 * year + 11
        assert row["share_of_worlds"] == lives[last].mean()
        sold = revenue[last - 11 : last + 1].mean(axis=0)[lives[last]]
        assert row["revenue"] == pytest.approx(np.median(sold))


def test_checks_are_judged_by_what_is_found(results, facts):
    verdicts = {row["measure"]: row for row in facts["checks"]}
    assert [row["holds"] for row in facts["checks"]] == [True, False, True, True, True, True, True]
    assert verdicts["stress.index"]["found"] == pytest.approx(results.measure("stress.index")[5].mean())
    assert verdicts["cash"]["found"] == pytest.approx(results.measure("cash")[-1, 0].mean())


AGAINST = """
[lab]
rent = 6.0
[[check]]
measure = "cash"
agent = "Big Lab"
op = "<"
against = "baseline"
[[check]]
measure = "cash"
agent = "Big Lab"
op = ">"
against = "baseline"
[[check]]
measure = "default_probability"
agent = "Small Lab"
op = ">"
against = "baseline"
"""


def test_a_check_against_another_scenario_takes_paired_differences(read, vocabulary):
    from scenarios import load

    dear = simulate(read(AGAINST), worlds=40, seed=3, months=30)
    plain = simulate(load("baseline", vocabulary), worlds=40, seed=3, months=30)
    less, more, fails = summary(dear)["checks"]
    each = (dear.measure("cash")[-1] - plain.measure("cash")[-1])[0]
    assert less["found"] == pytest.approx(each.mean()) and less["holds"] and not more["holds"]
    assert less["low"] <= less["found"] <= less["high"] < 0.0
    shares = [run.worlds()["default:Small Lab"].notna().mean() for run in (plain, dear)]
    assert fails["found"] == pytest.approx(shares[1] - shares[0])
    text = told(tell_run, summary(dear), dear.scenario)
    assert "does not hold: cash of Big Lab less that of baseline > 0; it is -" in " ".join(text.split())


def test_a_check_against_another_scenario_names_a_shipped_one_and_what_can_be_paired(mistakes):
    assert "did you mean baseline" in mistakes(AGAINST.replace('"baseline"', '"baselin"'))[0]
    loss = AGAINST.replace('"cash"', '"mean_loss"')
    assert "a recorded measure, or one of default_probability" in mistakes(loss)[0]


def test_the_story_is_told_in_80_columns(results, facts):
    text = told(tell_run, facts, results.scenario, directory="results/mine")
    assert max(map(len, text.splitlines())) <= 80
    for words in (
        "Mine [bold]and yours",
        "60 worlds, Jan 2026 to Jun 2028, seed 3",
        "Small Lab",
        "Who defaults first",
        "Stress of the whole market",
        "rent too high",
        "6 of 7 hold",
        "does not hold: stress.index < -1",
        "They balance in all 60 worlds and 30 months",
        "results/mine",
        "No statement about any real firm",
    ):
        assert words in text


def test_a_run_in_which_nobody_fails_says_so(read):
    calm = simulate(read("[lab]\nrent = 0.0"), worlds=4, months=3)
    text = told(tell_run, summary(calm), calm.scenario)
    assert "Nobody misses a payment in any world." in text and "defaults first" not in text


def test_books_that_do_not_balance_are_told_in_capitals(results, facts):
    assert "THEY DO NOT BALANCE" in told(tell_run, facts | {"books_residual": 1e-6}, results.scenario)


def test_what_was_changed_on_the_command_line_is_told(results, facts):
    text = told(tell_run, facts, results.scenario.with_set({"lab.rent": 5}))
    assert "Changed: lab.rent = 5.0" in text


def test_what_lies_after_the_last_month_is_told(read):
    late = read("[[event]]\nkind = 'chip_price'\nmonth = 4\nsize = 0.1")
    for months, words in ((3, "Not played: 1 dated events or decisions after Mar 2026."), (4, "")):
        text = told(tell_run, summary(simulate(late, worlds=2, months=months)), late)
        assert words in text and ("Not played" in text) == bool(words)


def test_parameters_are_told_with_unit_default_range_and_source(vocabulary):
    text = told(
        tell_params, vocabulary.rows, {"lab.Big Lab.rent": {"value": 6.0, "range": [5, 7], "source": "press"}}
    )
    assert max(map(len, text.splitlines())) <= 80
    for words in (
        "floor_share",
        "0 to 1",
        "share",
        "toy",
        "grow, save",
        "true, false",
        "Big Lab",
        "5 to 7",
        "press",
    ):
        assert words in text


def test_scenarios_are_told_with_what_they_set(read):
    text = told(tell_scenarios, [read(CHECKS), read("[lab]\nrent = 1\nbold = true", "two.toml")])
    assert (
        "What luck makes" in text and "Sets 2 parameters" in text and "every parameter at its default" in text
    )


@pytest.mark.parametrize(
    ("month", "words"), [(0, "Dec 2025"), (1, "Jan 2026"), (14, "Feb 2027"), (96, "Dec 2033")]
)
def test_months_are_told_as_dates(month, words):
    assert date_of(month) == words
