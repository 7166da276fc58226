import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.sums import incidence, power, ratio, spread, total


def layouts(values):
    """The same numbers in C order, Fortran order, as a strided view, and gathered by fancy indexing."""
    wide = np.repeat(values, 2, axis=-1)
    return values, np.asfortranarray(values), wide[..., ::2], values[..., np.arange(values.shape[-1])]


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 8, 9, 45, 160, 300])
@pytest.mark.parametrize("worlds", [1, 7, 64, 256])
def test_total_has_the_bits_of_adding_row_after_row(rows, worlds):
    values = np.random.default_rng(rows).normal(0, 1e3, (rows, worlds))
    one_by_one = np.zeros(worlds)
    for row in values:
        one_by_one = one_by_one + row
    for layout in layouts(values):
        assert np.array_equal(total(layout), one_by_one)


@pytest.mark.parametrize("worlds", [1, 7, 64, 256])
def test_total_of_three_axes_adds_the_first_and_keeps_the_bits_of_each_row(worlds):
    values = np.random.default_rng(3).normal(0, 1e3, (12, 5, worlds))
    for layout in layouts(values):
        block = total(layout)
        assert block.shape == (5, worlds)
        for agent in range(5):
            assert np.array_equal(block[agent], total(values[:, agent]))
            assert np.array_equal(block[agent, :1], total(values[:, agent, :1]))


def test_total_counts_flags():
    assert total(np.array([[True, False], [True, True]])).tolist() == [2.0, 1.0]


@pytest.mark.parametrize("shape", [(), (3,), (2, 2, 2, 2)])
def test_total_refuses_shapes_without_rows_and_worlds(shape):
    with pytest.raises(ValueError, match="2-d or 3-d"):
        total(np.ones(shape))


@given(st.floats(1e-6, 1e6), st.floats(-5, 5))
def test_power_is_the_power_to_rounding(base, exponent):
    assert power(base, exponent) == pytest.approx(base**exponent, rel=1e-13)


def test_power_at_zero():
    assert power([0.0, 0.0, 2.0], [0.0, 0.5, 0.0]).tolist() == [1.0, 0.0, 1.0]
    assert power(0.0, -1.0) == np.inf


def test_power_of_one_world_has_the_bits_of_the_block():
    base = np.random.default_rng(1).uniform(0.1, 9.0, (30, 257))
    for exponent in (2.0, 0.5, -1.0, 1.7):
        block = power(base, np.full((30, 1), exponent))
        for world in (0, 100, 256):
            assert np.array_equal(power(base[:, world : world + 1], exponent)[:, 0], block[:, world])
        assert np.array_equal(power(base[3], exponent), block[3])


def test_ratio_with_nothing_to_divide_by():
    assert ratio(np.array([1.0, 1.0, 0.0]), np.array([4.0, 0.0, 0.0])).tolist() == [0.25, 0.0, 0.0]
    assert ratio(np.array([1.0]), np.array([0.0]), otherwise=10.0).tolist() == [10.0]


def test_incidence_adds_rows_into_groups_and_spread_gives_them_back():
    paid = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    received = incidence([2, 0, 2], 4) @ paid
    assert received.tolist() == [[3.0, 4.0], [0.0, 0.0], [6.0, 8.0], [0.0, 0.0]]
    assert spread(received, [2, 0, 2]).tolist() == [[6.0, 8.0], [3.0, 4.0], [6.0, 8.0]]


@pytest.mark.parametrize("index", [[-1], [4]])
def test_incidence_refuses_unknown_groups(index):
    with pytest.raises(ValueError, match="group numbers"):
        incidence(index, 4)
