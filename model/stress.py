"""Stress: what a credit analyst watches, as arithmetic on cash flows and as one index between 0 and 1.

Nothing here decides anything: no agent reads it.
"""

from functools import cache

import numpy as np

from agents.worlds import Mechanism, Param, State
from model.opening import LIBRARY
from model.sums import total

CAP = 10.0
"""Covers are capped here: "nothing is due"."""
READINGS = ("funding", "coverage", "liquidity", "leverage", "power", "demand")
WEIGHTS = np.full((len(READINGS), 1), 1.0 / len(READINGS))
REFERENCE = LIBRARY.parent / "stress_reference.csv"
"""The frozen sample that readings are placed in; its first lines say where it comes from."""
FLOOR = 1e-6
"""A reading at or below it is at its floor: nothing is amiss."""


@cache
def reference_sample():
    """Give the frozen reference sample, ``(sample, readings)``, each column sorted: baseline worlds, 24 months."""
    sample = np.sort(np.loadtxt(REFERENCE, delimiter=",", comments="#", ndmin=2), axis=0)
    sample.setflags(write=False)
    return sample


class Stress(Mechanism):
    """Six readings that are zero while nothing is amiss, their places in a frozen sample, and one index.

    The index is the root of the composite indicator of systemic stress (Hollo, Kremer and Lo Duca 2012): readings
    count for more when they are high together. `mean` is the same with all correlations at one, so the two agree when
    everything is bad at once. Published decay is 0.93 a *week*; a month has 52/12 weeks, and 0.93^(52/12) = 0.73.
    """

    group = "stress"

    decay = Param(
        0.73,
        "per month",
        (0.3, 0.99),
        "Weight of the past in the correlations of the readings.",
        source="assumed, from Hollo, Kremer and Lo Duca (2012): 0.93 a week, to the power 52/12",
    )

    index = State("0 to 1", "root of the composite indicator: places of the readings, joined by correlation")
    mean = State("0 to 1", "mean place of the readings in the frozen sample")
    funding = State("x", "spread over the calm spread, less one")
    coverage = State("share", "sites of the lab below lock-up cover and partners in arrears or gone, of all")
    liquidity = State("share", "what the lab's runway lacks of twelve months")
    leverage = State(
        "share", "partners' debt above their ceiling, each by how far it is above, of all their debt"
    )
    power = State("share", "price of power above its reference in the dearest region, plus load cut there")
    demand = State("log", "the lab's revenue below expectation")
    peak = State("0 to 1", "highest index so far")

    covariance = None
    measures = ("index", "mean", *READINGS)

    def read(self):
        """Take the six readings, find their places in the frozen sample, and join them."""
        model = self.model
        self.funding = model.credit.spread_multiple - 1.0
        self.coverage = self._low_cover()
        gone = model.openai.closed | model.openai.in_arrears
        self.liquidity = np.where(gone, 1.0, np.maximum(1.0 - model.openai.runway / 12.0, 0.0))
        self.leverage = self._over_ceiling()
        utilities = model.utilities
        dear = np.maximum(utilities.price / utilities.reference_price - 1.0, 0.0) + utilities.curtailed
        self.power = dear.max(axis=0)[None, :]
        self.demand = np.maximum(-model.demand.revenue_surprise, 0.0)
        readings = np.concatenate([getattr(self, name) for name in READINGS])
        places = percentiles(readings, reference_sample(), FLOOR)
        if self.covariance is None:
            self.covariance = np.repeat(np.eye(len(READINGS))[:, :, None] / 12.0, self.worlds, axis=2)
        squared, self.covariance = composite_stress(places, WEIGHTS, self.covariance, self.decay)
        self.index, self.mean = np.sqrt(squared)[None, :], total(WEIGHTS * places)[None, :]
        self.peak = np.maximum(self.peak, self.index)

    def _low_cover(self):
        """Share of site companies and partners that cannot, or barely, cover what they owe, ``(1, worlds)``.

        Meta's own site is left out: its cover is thin by design, and its tenant is not the lab.
        """
        sites, partners, count = self.model.sites, self.model.partners, self.model.halls.rows
        tested = (sites.months_complete >= 12) & (sites.dscr < sites.lockup_dscr)
        sites_low = total((tested | sites.in_arrears | sites.closed)[:count])
        partners_low = total(partners.in_arrears | partners.closed)
        return ((sites_low + partners_low) / (count + len(partners)))[None, :]

    def _over_ceiling(self):
        """Debt of partners above their ceiling, weighted by how far above (at most one), ``(1, worlds)``."""
        partners = self.model.partners
        over = np.where(
            partners.sells_holdings,
            partners.loan_to_value / partners.loan_to_value_ceiling,
            partners.leverage / partners.leverage_ceiling,
        )
        excess = np.where(partners.closed, 1.0, np.clip(over - 1.0, 0.0, 1.0))
        owed = total(partners.debt)
        return (total(partners.debt * excess) / np.maximum(owed, 1e-9))[None, :]


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
