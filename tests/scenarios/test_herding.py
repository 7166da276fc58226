"""Whether a herd owes more and falls together: the measure of synchrony, and what the experiment reports."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import run
from scenarios import BadInput, load, simulate
from scenarios.experiments.herding import (
    HERDING,
    builders,
    by_world,
    defaults,
    difference_of_synchrony,
    herd,
    synchrony,
)


def test_who_falls_by_itself_has_no_synchrony_and_who_falls_together_all_of_it():
    by_itself = np.array([[0, 0, 1, 1], [0, 1, 0, 1]], dtype=bool)
    assert synchrony(by_itself) == pytest.approx(0.0, abs=1e-12)
    assert synchrony(by_itself[[0, 0, 0]]) == pytest.approx(1.0)
    assert synchrony(np.array([by_itself[0], ~by_itself[0]])) == pytest.approx(-1.0)
    assert synchrony(np.zeros((3, 5), dtype=bool)) == 0.0
    assert synchrony(np.array([by_itself[0], [False] * 4])) == 0.0


def test_synchrony_of_two_is_their_correlation_and_of_more_its_mean_by_deviations():
    fell = np.random.default_rng(3).random((4, 60)) < np.array([[0.1], [0.4], [0.5], [0.7]])
    fell[1] |= fell[0]
    assert synchrony(fell[:2]) == pytest.approx(np.corrcoef(fell[:2])[0, 1])
    deviation, pairs = fell.std(axis=1), ~np.eye(4, dtype=bool)
    weights = np.outer(deviation, deviation)[pairs]
    assert synchrony(fell) == pytest.approx((np.corrcoef(fell)[pairs] * weights).sum() / weights.sum())


def test_the_interval_is_that_of_leaving_out_each_world():
    rng = np.random.default_rng(4)
    first, second = rng.random((2, 5, 40)) < 0.3
    second[:3] |= rng.random(40) < 0.3
    middle, low, high = difference_of_synchrony(first, second)
    assert middle == pytest.approx(synchrony(second) - synchrony(first))
    left = [synchrony(np.delete(second, k, 1)) - synchrony(np.delete(first, k, 1)) for k in range(40)]
    error = np.sqrt(39 / 40 * ((np.array(left) - np.mean(left)) ** 2).sum())
    assert (high - low) / 2.0 == pytest.approx(2.0226909 * error)  # Student's t, 39 degrees of freedom
    assert difference_of_synchrony(first, first) == (0.0, 0.0, 0.0)


def test_a_herd_builds_more_from_its_own_money_in_the_same_worlds():
    found = herd(load("baseline"), (1.0,), worlds=12, seed=3, months=36)
    assert {row.weight for row in found.rows} == {0.0, 1.0}
    followers = simulate(load("baseline").with_set(dict.fromkeys(HERDING, 1.0)), 12, 3, 36)
    for quantity, (_, values) in by_world(followers).items():
        assert found.at(quantity, 1.0).value == values.mean()
        assert found.at(quantity, 0.0).difference == 0.0
    assert found.at("synchrony of builders' defaults", 1.0).value == synchrony(defaults(followers))
    assert found.at("debt less cash of builders, highest month", 1.0).low > 0.0
    assert found.at("hyperscalers' capacity, mean over months", 1.0).low > 0.0
    assert found.at("rent of compute", 1.0).high < 0.0
    assert "OpenAI" not in builders(followers) and {"Oracle", "Meta"} <= set(builders(followers))


def test_the_command_tells_every_weight_in_words_and_json():
    few = ["herding", "--worlds", "4", "--months", "12", "--weight", "0.5"]
    told = CliRunner().invoke(run.app, few)
    assert told.exit_code == 0 and "Synchrony of builders' defaults" in told.output
    facts = json.loads(CliRunner().invoke(run.app, [*few, "--json"]).output)
    assert facts["worlds"] == 4 and {row["weight"] for row in facts["rows"]} == {0.0, 0.5}
    assert {"difference", "low", "high", "clear", "unit"} <= set(facts["rows"][0])


@pytest.mark.parametrize("mistake", [["--weight", "1.5"], ["--weight", "nan"], ["--worlds", "1"]])
def test_bad_input_is_named(mistake):
    done = CliRunner().invoke(run.app, ["herding", "--worlds", "4", "--months", "12", *mistake])
    assert done.exit_code == 2


def test_one_world_has_no_interval():
    with pytest.raises(BadInput, match="at least 2"):
        herd(load("baseline"), worlds=1)
