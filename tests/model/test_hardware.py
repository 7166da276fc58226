"""What chips are worth: the invariants of the user cost of capital."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.hardware import UserCost
from model.kernels_hardware import impairment, month_of_wear

rents, costs = st.floats(0.1, 30.0), st.floats(0.05, 10.0)
declines, rates = st.floats(0.0005, 0.1), st.floats(0.0, 0.05)


@given(rents, declines, costs, rates)
def test_the_closed_form_is_the_sum(rent, decline, cost, rate):
    months = np.arange(1, 241)
    margin = np.maximum(rent * (1.0 - decline) ** months - cost, 0.0)
    summed = (margin / (1.0 + rate) ** months).sum()
    assert UserCost(decline, rate).value(rent, cost) == pytest.approx(summed, rel=1e-8, abs=1e-8)


@given(rents, declines, costs, rates)
def test_rent_less_cost_pays_interest_and_wear(rent, decline, cost, rate):
    path = rent * (1.0 - decline) ** np.arange(3)
    now, then = UserCost(decline, rate).value(path[:2], cost, most=1e6)
    earned = max(path[1] - cost, 0.0)
    assert earned == pytest.approx(rate * now + now - then, rel=1e-6, abs=1e-7)


@given(rents, declines, costs, rates)
def test_value_never_rises_and_is_nothing_once_switched_off(rent, decline, cost, rate):
    off = UserCost(decline).months_of_life(rent, cost, most=1e6)
    age = np.arange(0.0, 400.0)
    value = UserCost(decline, rate).value(rent * (1.0 - decline) ** age, cost, most=1e6)
    assert (np.diff(value) <= 1e-9).all()
    assert (value[age > off] < 1e-9).all()


@given(rents, costs, rates)
def test_a_rent_that_does_not_fall_earns_until_the_end(rent, cost, rate):
    life = UserCost(0.0).months_of_life(rent, cost, most=60.0)
    assert life == (60.0 if rent > cost else 0.0)
    months = np.arange(1, 61)
    summed = (max(rent - cost, 0.0) / (1.0 + rate) ** months).sum()
    assert UserCost(0.0, rate).value(rent, cost, most=60.0) == pytest.approx(summed, rel=1e-9)


@given(st.floats(0.0, 100.0), st.floats(0.0, 100.0))
def test_impairment_brings_the_book_down_to_the_value(book, value):
    assert book - impairment(book, value) == pytest.approx(min(book, value))


@given(st.floats(0.1, 100.0), st.integers(1, 96), st.integers(0, 120))
def test_the_books_write_off_evenly_down_to_nothing(cost, life, age):
    book = cost
    for _ in range(age):
        book -= month_of_wear(cost, book, life)
    assert book == pytest.approx(max(cost * (1.0 - age / life), 0.0), abs=1e-9)
