"""Stress: what a credit analyst watches, in one index between 0 and 1."""

import numpy as np

from agents.worlds import Mechanism, State
from model.sums import total

CAP = 10.0
"""Covers are capped here: "nothing is due"."""


class Stress(Mechanism):
    """Six readings between 0 (calm) and 1 (acute), and their mean.

    funding: spread over the calm spread; coverage: share of partners and sites below 1.2x; liquidity: runway of
    the lab below 24 months; leverage: partners' debt over earnings; power: tightness of the tightest region;
    demand: revenue below expectation.
    """

    group = "stress"

    index = State("0 to 1", "mean of the six readings")
    funding = State("0 to 1", "spreads")
    coverage = State("0 to 1", "covers below lock-up")
    liquidity = State("0 to 1", "short runway")
    leverage = State("0 to 1", "debt over earnings")
    power = State("0 to 1", "tight power")
    demand = State("0 to 1", "revenue below expectation")
    peak = State("0 to 1", "highest index so far")

    measures = ("index", "funding", "coverage", "liquidity", "leverage", "power", "demand")

    def read(self):
        """Take the six readings and their mean."""
        model = self.model
        self.funding = np.clip((model.credit.spread_multiple - 1.0) / 3.0, 0.0, 1.0)
        low = total(model.sites.dscr < model.sites.lockup_dscr) + total(
            model.partners.in_arrears | model.partners.closed
        )
        self.coverage = np.minimum(low / 8.0, 1.0)[None, :]
        gone = model.openai.closed | model.openai.in_arrears
        self.liquidity = np.where(gone, 1.0, np.clip(1.0 - model.openai.runway / 24.0, 0.0, 1.0))
        heavy = np.clip((model.partners.leverage - 4.0) / 8.0, 0.0, 1.0) * (model.partners.debt > 5.0)
        self.leverage = np.minimum(total(heavy) / 3.0, 1.0)[None, :]
        self.power = np.clip((model.utilities.tightness.max(axis=0) - 0.9) / 0.2, 0.0, 1.0)[None, :]
        self.demand = np.clip(-model.demand.revenue_surprise / 1.0, 0.0, 1.0)
        parts = (self.funding, self.coverage, self.liquidity, self.leverage, self.power, self.demand)
        self.index = (parts[0] + parts[1] + parts[2] + parts[3] + parts[4] + parts[5]) / 6.0
        self.peak = np.maximum(self.peak, self.index)


# -- arithmetic of the measures: worlds last ------------------------------------------------------------------


def percentiles(readings, reference, floor=-np.inf):
    """Give each reading's place in a frozen reference sample: the share of the sample that is not above it.

    ``readings`` ``(readings, worlds)``; ``reference`` ``(sample, readings)``, each column sorted; gives
    ``(readings, worlds)`` in [0, 1]. A reading at its ``floor`` (nothing is amiss) counts as 0: much of the sample lies
    on the floor, and its share there would make calm look like stress.
    """
    size = len(reference)
    below = [
        np.searchsorted(column, row, side="right") for column, row in zip(reference.T, readings, strict=True)
    ]
    return np.where(readings > floor, np.stack(below) / size, 0.0)


def composite_stress(places, weights, covariance, decay):
    """Give (squared composite indicator, covariances after this month) of readings that are percentiles.

    s = z - 1/2;  S' = decay S + (1 - decay) s s^T;  C = correlations of S';  CISS = (w z) C (w z)^T, at most (w z)^2:
    readings that are high together count for more than the same readings apart. Hollo, Kremer and Lo Duca (2012), ECB
    Working Paper 1426. ``places`` ``(n, worlds)``, ``weights`` ``(n, 1)`` adding up to one, ``covariance``
    ``(n, n, worlds)``; gives ``(worlds,)`` in [0, 1] and ``(n, n, worlds)``.
    """
    count, worlds = places.shape
    centred = places - 0.5
    covariance = decay * covariance + (1.0 - decay) * (centred[:, None] * centred[None, :])
    deviation = np.sqrt(covariance.reshape(count * count, worlds)[:: count + 1])
    part = weights * places / np.maximum(deviation, 1e-12)
    joint = part[:, None] * part[None, :] * covariance
    squared = total(joint.reshape(count * count, worlds))
    mean = total(weights * places)
    return np.clip(squared, 0.0, mean * mean), covariance


def months_of_cash(liquid, flows):
    """Give the runway: months until cash and available committed lines are used up, inf if they never are.

    The first month in which ``liquid`` plus all net flows so far falls below nothing, linear inside the month; with a
    constant burn it is liquid / burn. ``liquid`` ``(..., worlds)`` US$bn, restricted reserves excluded; ``flows``
    ``(months, ..., worlds)`` net cash flow of each month ahead, US$bn. Fridson and Alvarez, *Financial Statement
    Analysis* (cash burn).
    """
    flows = np.asarray(flows, dtype=float)
    after = liquid + np.cumsum(flows, axis=0)
    before = after - flows
    short = after < 0.0
    first = np.argmax(short, axis=0)[None]
    left = np.take_along_axis(before, first, axis=0)[0]
    burn = np.take_along_axis(flows, first, axis=0)[0]
    months = first[0] + np.maximum(left, 0.0) / np.maximum(-burn, 1e-300)
    return np.where(short.any(axis=0), months, np.inf)


def present_value(payments, rate):
    """Give the worth today of payments at the end of each month ahead, discounted at a monthly rate.

    ``payments`` ``(months, ..., worlds)``; ``rate`` a number or ``(..., worlds)``; gives ``(..., worlds)``.
    """
    payments = np.asarray(payments, dtype=float)
    ahead = np.arange(1, len(payments) + 1).reshape(-1, *(1,) * (payments.ndim - 1))
    return np.cumsum(payments * np.exp(-np.log1p(rate) * ahead), axis=0)[-1]


def cover(cash, due, cap=CAP):
    """Give cash over what it must pay, at most ``cap`` ("nothing due"): finite whatever is due."""
    cash, due = np.asarray(cash, dtype=float), np.asarray(due, dtype=float)
    some = due > 1e-9
    return np.where(some, np.clip(cash / np.where(some, due, 1.0), -cap, cap), cap)


def loan_life_cover(cash_flow, debt, rate):
    """Give the LLCR: present value of the cash available for debt service over the loan's life, over the debt.

    Yescombe, *Principles of Project Finance*. ``cash_flow`` ``(months, ..., worlds)``, ``debt`` ``(..., worlds)``.
    """
    return cover(present_value(cash_flow, rate), debt)


def commitment_cover(cash_flow, committed, rate):
    """Give the present value of cash flow over that of committed payments (take-or-pay and debt service)."""
    return cover(present_value(cash_flow, rate), present_value(committed, rate))


def lowest_cover(cash_flow, due):
    """Give the lowest cover of any single period, ``(..., worlds)``."""
    return cover(cash_flow, due).min(axis=0)
