"""What a lender asks and how much it gives: pure functions of arrays, without state.

Price: a break-even rate that pays for expected loss, plus capital, work, leverage, thin cover and a full book
(`quote`). Risk: the chance that the value of what is financed falls through a barrier (`first_passage`).
Quantity: the least of several limits (`advance`), since lenders also ration (Stiglitz and Weiss 1981).
All arguments broadcast, worlds last; rates are per year unless their name says monthly.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from model.ladder import annuity_factor

MONITORING_SHIFT = 0.5825971579390106
"""-zeta(1/2)/sqrt(2 pi): shift of a barrier that is watched at intervals (Broadie, Glasserman and Kou 1997)."""
HEDGE, SPECULATIVE, PONZI = 0, 1, 2
MINSKY_NAMES = ("hedge", "speculative", "ponzi")


def monthly_probability(yearly):
    """Turn a yearly default probability into a monthly one at a constant hazard: 1 - (1 - PD)^(1/12)."""
    return -np.expm1(np.log1p(-np.minimum(yearly, 1.0 - 1e-12)) / 12.0)


def monthly_rate(yearly):
    """Turn an effective yearly rate into a monthly one: (1 + r)^(1/12) - 1."""
    return np.expm1(np.log1p(yearly) / 12.0)


def break_even_rate(default_probability, loss_given_default, cost_of_funds):
    """Give the monthly rate r at which a loan breaks even: (1 + r)(1 - PD x LGD) = 1 + c, all monthly."""
    return (1.0 + cost_of_funds) / (1.0 - default_probability * loss_given_default) - 1.0


@dataclass(frozen=True)
class Quote:
    """A quoted rate and what it is made of (per year, but for the two monthly numbers)."""

    monthly_default_probability: np.ndarray
    fair_monthly_rate: np.ndarray
    expected_loss: np.ndarray
    capital_charge: np.ndarray
    add_on: np.ndarray
    rate: np.ndarray


def quote(
    default_probability,
    loss_given_default,
    cost_of_funds,
    *,
    operating_cost,
    capital_share,
    hurdle,
    leverage,
    leverage_free,
    leverage_slope,
    cover,
    cover_free,
    cover_slope,
    concentration,
    concentration_free,
    concentration_slope,
):
    """Quote a loan.

    rate = 12 c + 12 (r_fair - c) + K x hurdle + work
           + b_L (leverage - free)+ + b_C (free - interest cover)+ + b_S (share of one name - free)+

    with c the monthly cost of funds and r_fair from `break_even_rate`. `default_probability` is last month's:
    the rate is part of the interest cover, and a simultaneous fixed point may have several solutions.
    Source: expected-loss pricing with a capital charge as in bank practice; covariates as in Shumway (2001).
    """
    monthly_default = monthly_probability(default_probability)
    funds = monthly_rate(cost_of_funds)
    fair = break_even_rate(monthly_default, loss_given_default, funds)
    expected_loss = 12.0 * (fair - funds)
    capital_charge = capital_share * hurdle
    add_on = (
        leverage_slope * np.maximum(leverage - leverage_free, 0.0)
        + cover_slope * np.maximum(cover_free - cover, 0.0)
        + concentration_slope * np.maximum(concentration - concentration_free, 0.0)
    )
    rate = 12.0 * funds + expected_loss + capital_charge + operating_cost + add_on
    return Quote(monthly_default, fair, expected_loss, capital_charge, add_on, rate)


def first_passage(value, barrier, drift, volatility, years):
    """Give the chance that value falls to the barrier within `years`, watched all the time (Black and Cox 1976).

    With b = ln(value / barrier) and n = drift - volatility^2 / 2:
    N((-b - n T) / (s sqrt T)) + exp(-2 n b / s^2) N((-b + n T) / (s sqrt T)); 1 at or below the barrier.
    Calibrate and use the same kind of watching: the result is higher than with monthly tests.
    """
    distance = np.maximum(np.log(np.maximum(value, 1e-12) / np.maximum(barrier, 1e-12)), 0.0)
    pull = drift - 0.5 * volatility * volatility
    spread = volatility * np.sqrt(years)
    direct = ndtr((-distance - pull * years) / spread)
    # Where the mirrored tail is nothing, its weight may overflow: cap the exponent; such a product is below 1.
    weight = np.exp(np.minimum(-2.0 * pull * distance / (volatility * volatility), 700.0))
    mirrored = weight * ndtr((-distance + pull * years) / spread)
    return np.where(distance > 0.0, np.minimum(direct + mirrored, 1.0), 1.0)


def first_passage_monthly(value, barrier, drift, volatility, years):
    """Give the same when the barrier is tested once a month: it lies lower by exp(-0.5826 s sqrt(1/12))."""
    shift = np.exp(-MONITORING_SHIFT * volatility * np.sqrt(1.0 / 12.0))
    return first_passage(value, barrier * shift, drift, volatility, years)


def yearly_from_term(probability, years):
    """Give the yearly probability whose constant hazard leads to `probability` over `years`."""
    return -np.expm1(np.log1p(-np.minimum(probability, 1.0 - 1e-9)) / years)


def minsky_class(operating_cash, interest, principal):
    """Class a borrower after Minsky (1992): 0 hedge, 1 speculative, 2 Ponzi; ties go to the safer class.

    Hedge: operating cash before interest pays interest and scheduled principal; speculative: interest only;
    Ponzi: not even that. Without debt service a borrower is hedge. `principal` leaves bullets out: they are a
    refinancing need, and with them every bullet borrower would be speculative in its last month.
    """
    ponzi = operating_cash < interest
    speculative = operating_cash < interest + principal
    indebted = (interest > 0.0) | (principal > 0.0)
    return np.where(indebted, np.where(ponzi, PONZI, np.where(speculative, SPECULATIVE, HEDGE)), HEDGE)


def advance(request, *, value, loan_to_value, owed, cash_flow, cover, annuity, name_room, liquidity):
    """Give what a lender advances: the least of what is asked and of four limits, never negative, US$bn.

    min(request, loan-to-value x value - owed, cash flow / (cover x annuity per dollar and year) - owed,
    room for the name, the lender's liquidity). Price is not the only limit.
    """
    by_value = loan_to_value * value - owed
    by_cash_flow = cash_flow / np.maximum(cover * annuity, 1e-12) - owed
    limits = np.minimum(np.minimum(by_value, by_cash_flow), np.minimum(name_room, liquidity))
    return np.maximum(np.minimum(request, limits), 0.0)


def capital_part(capital, paid_month, capacity, first_month, term, rate):
    """Give the part of a price per unit and year that repays capital, so that present values are equal.

    Capital of `capital` (US$bn, one per rung) paid in `paid_month` is recovered from `capacity` units billed for
    `term` months from `first_month` on, at the yearly rate `rate`, compounded monthly (rate / 12):

        sum capital v^paid = part / 12 x sum capacity v^(first - 1) x annuity(term),   v = 1 / (1 + rate / 12).

    Rungs along axis 0, added in their order. A rung whose capital was paid before month 0 counts with capital 0
    and all its capacity, so one price serves all.
    """
    monthly = np.asarray(rate) / 12.0
    growth = np.log1p(monthly)
    paid = capital * np.exp(-growth * paid_month)
    used = capacity * np.exp(-growth * (first_month - 1)) * annuity_factor(monthly, term)
    return 12.0 * np.cumsum(paid, axis=0)[-1] / np.cumsum(used, axis=0)[-1]
