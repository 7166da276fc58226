"""Chips that age: what they are worth, what the books say, and when they are switched off."""

import numpy as np


def geometric(factor, count):
    """Give factor + factor^2 + ... + factor^count; `factor` > 0, arguments broadcast."""
    factor, count = np.asarray(factor, dtype=float), np.asarray(count, dtype=float)
    flat = np.abs(1.0 - factor) < 1e-12
    step = np.where(flat, 0.5, factor)
    return np.where(flat, count, step * -np.expm1(count * np.log(step)) / (1.0 - step))


def months_of_life(rent, decline, running_cost, most=240.0):
    """Give for how many months to come the rent, falling by `decline` a month, exceeds the running cost.

    rent (1 - decline)^k > cost for k = 1, ..., the answer; never more than `most`. The month after it the
    chips are switched off.
    """
    rent, decline = np.asarray(rent, dtype=float), np.asarray(decline, dtype=float)
    falls = decline > 0.0
    speed = np.where(falls, -np.log1p(-np.where(falls, decline, 0.5)), 1.0)
    cover = np.log(np.maximum(rent, 1e-12) / np.maximum(running_cost, 1e-12))
    life = np.where(falls, np.floor(cover / speed), np.where(cover > 0.0, most, 0.0))
    return np.clip(life, 0.0, most)


def economic_value(rent, decline, running_cost, rate, most=240.0):
    """Give the present value of rent less running cost, month by month until it pays to switch off.

    V = sum_{k=1..K} (rent (1 - decline)^k - cost) / (1 + rate)^k with K = `months_of_life`, in closed form. Rent
    and cost per month, decline and rate per month; the value in the unit of the rent. It obeys
    rent_1 - cost = rate V_0 + V_0 - V_1. Source: Jorgenson (1963), user cost.
    """
    life = months_of_life(rent, decline, running_cost, most)
    discount = 1.0 / (1.0 + np.asarray(rate, dtype=float))
    value = rent * geometric((1.0 - decline) * discount, life) - running_cost * geometric(discount, life)
    return np.maximum(value, 0.0)


def straight_line(cost, age, life):
    """Give the book value of what cost `cost`, `age` months ago, written off evenly over `life` months."""
    return cost * np.maximum(1.0 - age / life, 0.0)


def impairment(book, value):
    """Give what must be written off at once: book value over economic value, never negative."""
    return np.maximum(book - value, 0.0)
