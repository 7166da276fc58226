"""Sobol indices of functions whose indices are known."""

import numpy as np
import pytest

from scenarios.experiments.sensitivity import FACTORS, design, parse_vary, sensitivity, sobol_indices
from scenarios.schema import BadInput, default_vocabulary

BOUNDS = {"large": (0.0, 1.0), "small": (0.0, 1.0), "idle": (0.0, 1.0)}


def test_a_sum_has_the_shares_of_its_terms():
    points = design(BOUNDS, 1024)
    assert len(points) == 1024 * 5
    found = sobol_indices(BOUNDS, 3.0 * points[:, 0] + points[:, 1])
    assert found.first == pytest.approx([0.9, 0.1, 0.0], abs=0.01)
    assert found.total == pytest.approx([0.9, 0.1, 0.0], abs=0.01)
    assert found.shapley.sum() == pytest.approx(1.0, abs=0.02)


def test_a_product_around_nothing_is_all_interaction():
    bounds = dict.fromkeys(("one", "other"), (-1.0, 1.0))
    points = design(bounds, 1024)
    found = sobol_indices(bounds, points[:, 0] * points[:, 1])
    assert found.first == pytest.approx([0.0, 0.0], abs=0.03)
    assert found.total == pytest.approx([1.0, 1.0], abs=0.05)
    assert found.shapley == pytest.approx([0.5, 0.5], abs=0.04)


def test_a_result_that_never_varies_has_indices_of_zero():
    points = design(BOUNDS, 8)
    found = sobol_indices(BOUNDS, np.full(len(points), 0.25))
    assert not found.first.any() and not found.total.any()


def test_the_design_stays_within_the_bounds_and_is_the_same_each_time():
    bounds = {"wide": (-5.0, 5.0), "narrow": (2.0, 2.5)}
    points = design(bounds, 64)
    low, high = np.array(list(bounds.values())).T
    assert ((points >= low) & (points <= high)).all()
    assert np.array_equal(points, design(bounds, 64))


def test_a_headline_hangs_on_what_moves_it_and_not_on_what_nothing_reads(read, vocabulary):
    toy = read('title = "Toy"\nparagraph = "p"\n')
    factors = {"lab.rent": (0.0, 12.0), "stress.weight": (0.0, 2.0)}
    found = sensitivity(toy, "default:Big Lab", 16, 4, 1, 12, factors=factors, vocabulary=vocabulary)
    rows = {row["path"]: row for row in found.facts()["factors"]}
    assert rows["lab.rent"]["total"] > 0.8
    assert rows["stress.weight"]["total"] == 0.0
    assert 0.0 <= found.luck_share <= 1.0


def test_mistakes_in_what_is_to_vary_are_all_named():
    with pytest.raises(BadInput) as caught:
        parse_vary(["openai.floor_share=1:0.5", "no range", "lab.rent=0:1"])
    assert len(caught.value.problems) == 2
    assert parse_vary(["lab.rent=0:1.5"]) == {"lab.rent": (0.0, 1.5)}


def test_samples_are_a_power_of_two(read, vocabulary):
    with pytest.raises(BadInput, match="power of two"):
        sensitivity(read('title = "T"\nparagraph = "p"\n'), samples=12, vocabulary=vocabulary)


def test_every_factor_lies_within_the_range_of_its_parameter():
    params = default_vocabulary().params
    for path, (low, high) in FACTORS.items():
        group, name = path.split(".")
        assert params[group][name].check(low) == low and params[group][name].check(high) == high
