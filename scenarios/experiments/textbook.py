"""Sums of the textbook that lessons ask for: in closed form, without a run."""

import numpy as np

from model.ladder import annuity_factor, level_annuity


def degree_of_operating_leverage(margin, fixed_share):
    """Give by how many per cent profit moves when sales move by one: contribution over profit.

    ``margin``: operating profit over sales; ``fixed_share``: share of all cost that does not move with sales. With
    sales of 1, cost is 1 - margin, and contribution is sales less variable cost.
    """
    cost = 1.0 - margin
    return (1.0 - (1.0 - fixed_share) * cost) / margin


def fall_of_profit(margin, fixed_share, fall_of_sales):
    """Give the fall of profit, share of it, when sales fall by a share: leverage times the fall."""
    return degree_of_operating_leverage(margin, fixed_share) * fall_of_sales


def balance_left(amount, yearly_rate, years, after):
    """Give what is left of a loan of ``amount`` after ``after`` of ``years`` level yearly payments.

    The balance is the present value of the payments to come; its unit is that of ``amount``.
    """
    payment = level_annuity(amount, yearly_rate, years)
    return float(payment * annuity_factor(yearly_rate, np.maximum(years - after, 0)))


def yearly_over_revenue(total, years, revenue):
    """Give a promise of ``total`` spread evenly over ``years``, as a multiple of yearly revenue."""
    return total / years / revenue


FORMULAS = {
    formula.__name__: formula
    for formula in (degree_of_operating_leverage, fall_of_profit, balance_left, yearly_over_revenue)
}
