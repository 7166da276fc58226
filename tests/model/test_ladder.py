import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.ladder import NEVER, Ladder, annuity_factor, level_annuity

RUNGS, WORLDS, MONTHS = 6, 4, 40


class NaiveRung:
    """One contract in one world as a list of monthly amounts that is edited by hand."""

    def __init__(self, amount, start, tenor):
        self.amount, self.start, self.tenor, self.stopped = amount, start, tenor, None

    def live(self, month):
        on = self.start <= month < self.start + self.tenor
        return self.amount if on and (self.stopped is None or month < self.stopped) else 0.0


def random_history(seed):
    """A ladder and its naive twin after the same random terminations, delays and extensions."""
    rng = np.random.default_rng(seed)
    shape = (RUNGS, WORLDS)
    amount, start, tenor = rng.uniform(0, 5, shape), rng.integers(-10, 30, shape), rng.integers(0, 20, shape)
    ladder = Ladder(amount, start, tenor)
    cells = list(np.ndindex(shape))
    naive = {cell: NaiveRung(amount[cell], start[cell], tenor[cell]) for cell in cells}
    for month in range(0, MONTHS, 5):
        mask = rng.random((3, *shape)) < 0.15
        months = rng.integers(0, 9, shape)
        ladder.stop(mask[0], month)
        ladder.delay(mask[1], months, month)
        ladder.extend(mask[2], months - 3)
        for cell, rung in naive.items():
            if mask[0][cell] and rung.stopped is None:
                rung.stopped = month
            if mask[1][cell] and rung.start > month:
                rung.start += months[cell]
            if mask[2][cell]:
                rung.tenor = max(rung.tenor + months[cell] - 3, 0)
    return ladder, naive


@given(st.integers(0, 10_000))
def test_ladder_equals_a_naive_simulation_of_every_contract(seed):
    ladder, naive = random_history(seed)
    live = np.zeros((MONTHS + 40, RUNGS, WORLDS))
    for month in range(MONTHS + 40):
        for cell, rung in naive.items():
            live[month][cell] = rung.live(month)
        if month % 9 == 0:
            assert np.array_equal(ladder.live(month), live[month])
    for month in (0, 13, 39):
        for horizon in (np.full((1, WORLDS), 24), np.arange(WORLDS)[None, :]):
            due = [live[month : month + ahead, :, world].sum() for world, ahead in enumerate(horizon[0])]
            np.testing.assert_allclose(ladder.due_in_all(month, horizon), due, atol=1e-12)
        np.testing.assert_allclose(ladder.wall(month, 24), live[month : month + 24].sum(1), atol=1e-12)
        discount = (1.0 + np.arange(WORLDS) / 100.0) ** -np.arange(1.0, 31.0)[:, None]
        worth = np.concatenate([np.zeros((1, WORLDS)), np.cumsum(discount, axis=0)])
        now = (live[month : month + 30].sum(1) * discount).sum(0)
        np.testing.assert_allclose(ladder.worth_in_all(month, worth), now, atol=1e-12)


def test_a_world_of_a_ladder_has_the_same_bits_alone():
    ladder, _ = random_history(1)
    for world in range(WORLDS):
        cut = slice(world, world + 1)
        alone = Ladder(
            ladder.amount[:, cut], ladder.start[:, cut], ladder.tenor[:, cut], ladder.stopped[:, cut]
        )
        due = ladder.due_in_all(7, np.full((1, WORLDS), 24))
        assert alone.due_in_all(7, np.full((1, 1), 24))[0] == due[world]
        assert np.array_equal(alone.wall(7, 24)[:, 0], ladder.wall(7, 24)[:, world])


def test_arrays_are_replaced_and_read_only():
    ladder = Ladder(np.ones((2, 3)), [[0], [5]], 10)
    before = {name: getattr(ladder, name) for name in ("amount", "start", "tenor", "stopped")}
    copies = {name: values.copy() for name, values in before.items()}
    everything = np.ones((2, 3), dtype=bool)
    ladder.stop(everything, 4)
    ladder.delay(everything, 2, 1)
    ladder.extend(everything, 3)
    for name, values in before.items():
        assert np.array_equal(values, copies[name])
        assert not values.flags.writeable and not getattr(ladder, name).flags.writeable
    assert ladder.amount.tolist() == [[1.0] * 3] * 2
    assert ladder.start[:, 0].tolist() == [0, 7]
    assert (ladder.tenor == 13).all() and (ladder.stopped == 4).all()


def test_the_arguments_stay_the_callers_own():
    amount = np.ones((2, 3))
    ladder = Ladder(amount, 0, 10)
    amount[:] = 7.0
    assert (ladder.amount == 1.0).all()


def test_an_earlier_stop_stays():
    ladder = Ladder(np.ones((1, 1)), 0, 10, stopped=[[3]])
    ladder.stop(True, 5)
    assert ladder.stopped.item() == 3
    assert Ladder(np.ones((1, 1)), 0, 10).stopped.item() == NEVER


def test_what_has_started_is_not_delayed():
    ladder = Ladder(np.ones((3, 1)), [[3], [4], [5]], 10)
    ladder.delay(True, 6, 4)
    assert ladder.start[:, 0].tolist() == [3, 4, 11]


def test_impossible_ladders_are_refused():
    with pytest.raises(ValueError, match="rungs, worlds"):
        Ladder(np.ones(3), 0, 1)
    with pytest.raises(ValueError, match="tenor"):
        Ladder(np.ones((1, 1)), 0, -1)
    with pytest.raises(ValueError, match="delay"):
        Ladder(np.ones((1, 1)), 0, 1).delay(True, -1, 0)


@given(st.floats(0.1, 500.0), st.one_of(st.just(0.0), st.floats(1e-9, 0.05)), st.integers(1, 360))
def test_level_annuity_repays_the_loan(balance, rate, payments):
    payment, left = float(level_annuity(balance, rate, payments)), balance
    for _ in range(payments):
        left = left * (1 + rate) - payment
    assert left == pytest.approx(0.0, abs=1e-9 * balance * (1 + rate) ** payments)


@given(st.one_of(st.just(0.0), st.floats(1e-9, 0.05)), st.integers(0, 360))
def test_annuity_factor_is_the_discounted_sum(rate, payments):
    expected = sum((1 + rate) ** -n for n in range(1, payments + 1))
    assert float(annuity_factor(rate, payments)) == pytest.approx(expected, rel=1e-9)


def test_a_loan_without_payments_left_asks_for_nothing():
    assert level_annuity(np.array([5.0, 5.0]), 0.0, np.array([0, 2])).tolist() == [0.0, 2.5]
    assert annuity_factor(0.01, -3) == 0.0
