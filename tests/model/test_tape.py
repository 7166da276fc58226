import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.tape import LAST_WORLD, SMALLEST_UNIFORM, Tape, bernoulli, poisson

KINDS = ["uniform", "normal"]
GOLDEN_UNIFORM = [[0.9311154495329764, 0.19577811999505423], [0.3955250773366099, 0.2986669037906725]]
GOLDEN_NORMAL = [[-0.46593671352969335, 1.618983854990323], [-1.1668791121835709, -1.847362609748773]]


def draw(tape, kind, stream="demand"):
    return getattr(tape, kind)(stream)


@pytest.mark.parametrize("kind", KINDS)
def test_a_world_has_the_same_luck_alone_and_in_any_chunk(kind):
    everyone = draw(Tape(5, np.arange(256), 24), kind)
    for world in (0, 63, 64, 255):
        assert np.array_equal(draw(Tape(5, [world], 24), kind)[:, 0], everyone[:, world])
    chosen = np.array([200, 3, 3, 64, 199, 0])
    assert np.array_equal(draw(Tape(5, chosen, 24), kind), everyone[:, chosen])
    assert np.array_equal(draw(Tape(5, np.arange(40, 150), 24), kind), everyone[:, 40:150])


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_horizon_only_appends(kind):
    worlds = np.arange(70)
    assert np.array_equal(draw(Tape(5, worlds, 96), kind)[:7], draw(Tape(5, worlds, 7), kind))


@pytest.mark.parametrize("kind", KINDS)
def test_seeds_streams_kinds_and_worlds_differ(kind):
    here = draw(Tape(5, np.arange(128), 12), kind)
    assert not np.isin(draw(Tape(6, np.arange(128), 12), kind), here).any()
    assert not np.isin(draw(Tape(5, np.arange(128), 12), kind, "other"), here).any()
    assert np.unique(here).size == here.size


def test_uniforms_and_normals_of_one_name_are_unrelated():
    tape = Tape(5, np.arange(2000), 5)
    correlation = np.corrcoef(tape.uniform("demand").ravel(), tape.normal("demand").ravel())[0, 1]
    assert abs(correlation) < 5 / math.sqrt(10_000)


def test_looking_at_one_stream_changes_no_other():
    looked, fresh = Tape(5, [1, 2], 6), Tape(5, [1, 2], 6)
    looked.normal("first")
    looked.uniform("second")
    assert np.array_equal(looked.uniform("demand"), fresh.uniform("demand"))


@pytest.mark.parametrize("kind", KINDS)
def test_streams_are_drawn_once_read_only_and_in_c_order(kind):
    tape = Tape(5, [9, 1000], 6)
    values = draw(tape, kind)
    assert values is draw(tape, kind)
    assert values.shape == (6, 2)
    assert values.flags.c_contiguous and not values.flags.writeable


def test_the_largest_luck_numbers_are_worlds_of_their_own():
    worlds = [LAST_WORLD - 1, LAST_WORLD - 65, 0]
    values = Tape(5, worlds, 4).uniform("demand")
    assert np.unique(values).size == 12
    assert np.array_equal(Tape(5, worlds[:1], 4).uniform("demand")[:, 0], values[:, 0])


@pytest.mark.parametrize("worlds", [[], [-1], [LAST_WORLD], [[1, 2]]])
def test_impossible_worlds_are_refused(worlds):
    with pytest.raises(ValueError, match="luck numbers"):
        Tape(5, worlds, 4)


def test_a_negative_horizon_is_refused():
    with pytest.raises(ValueError, match="horizon"):
        Tape(5, [1], -1)


def test_draws_have_the_moments_they_are_named_for():
    tape = Tape(2, np.arange(1000), 50)
    uniform, normal = tape.uniform("a"), tape.normal("a")
    assert uniform.min() >= SMALLEST_UNIFORM and uniform.max() < 1.0
    assert uniform.mean() == pytest.approx(0.5, abs=5 * math.sqrt(1 / 12 / 50_000))
    assert normal.mean() == pytest.approx(0.0, abs=5 / math.sqrt(50_000))
    assert normal.std() == pytest.approx(1.0, abs=5 / math.sqrt(100_000))


def test_a_drawn_zero_becomes_a_positive_number(monkeypatch):
    monkeypatch.setattr(Tape, "_draw", lambda self, stream, kind: np.zeros((1, 1)))
    assert Tape(5, [1], 1).uniform("a").item() == SMALLEST_UNIFORM


def test_these_draws_are_the_definition_of_the_luck():
    """Changing the generator, the block or the label changes every published result: then say so."""
    tape = Tape(1, [0, 77], 2)
    assert tape.uniform("demand").tolist() == GOLDEN_UNIFORM
    assert tape.normal("demand").tolist() == GOLDEN_NORMAL


@given(st.floats(1e-9, 1 - 1e-9), st.floats(0.0, 3.0))
def test_poisson_inverts_the_distribution(uniform, rate):
    cumulated = np.cumsum([math.exp(-rate) * rate**n / math.factorial(n) for n in range(12)])
    expected = min(int((uniform > cumulated).sum()), 12)
    near_a_step = np.abs(cumulated - uniform).min() < 1e-12
    assert near_a_step or poisson(np.array([uniform]), rate).item() == expected


def test_poisson_rates_of_other_worlds_change_nothing():
    uniform = Tape(5, np.arange(64), 10).uniform("breakthrough")
    rate = np.full(64, 0.7)
    other = rate.copy()
    other[3] = 9.0
    changed = (poisson(uniform, rate) != poisson(uniform, other)).any(axis=0)
    assert np.flatnonzero(changed).tolist() == [3]


def test_poisson_without_a_rate_and_with_too_large_a_rate():
    assert poisson(np.array([1 - 2.0**-53]), 0.0).item() == 0
    assert poisson(np.array([0.999]), 100.0).item() == 12
    assert poisson(np.array([0.999]), 100.0, most=3).item() == 3


@given(st.floats(1e-9, 1 - 1e-9), st.floats(0, 5), st.floats(0, 5))
def test_poisson_does_not_fall_with_the_rate(uniform, one, other):
    low, high = sorted((one, other))
    assert poisson(np.array([uniform]), low) <= poisson(np.array([uniform]), high)


def test_bernoulli_happens_as_often_as_it_should_and_per_world():
    uniform = Tape(5, np.arange(2), 4000).uniform("strike")
    assert bernoulli(uniform, np.array([0.0, 1.0])).mean(axis=0).tolist() == [0.0, 1.0]
    assert bernoulli(uniform, 0.2).mean() == pytest.approx(0.2, abs=5 * math.sqrt(0.16 / 8000))
