"""The arithmetic of the stress index, compiled; what it means is told in `model/stress.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * /, square roots and
comparisons, so that a world has the same bits alone and in any batch.
"""

import math

import numpy as np
from numba import float64, int64, types, void

from agents.kernels import FLAGS, MONTHS, OUT, TABLE, kernel

SQUARES = types.Array(float64, 3, "C", readonly=True)
OUT_SQUARES = float64[:, :, ::1]


@kernel(
    void, FLAGS, MONTHS, TABLE, int64, int64, int64, TABLE, TABLE, TABLE, int64, MONTHS, TABLE, TABLE, FLAGS, TABLE,
    TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT,
)  # fmt: skip
def read_weakness(
    closed, missed, debt, lab, first_site, first_partner, spread_multiple, runway, revenue_surprise,
    of_lab, months_complete, dscr, lockup_dscr,
    sells_holdings, loan_to_value, loan_to_value_ceiling, leverage, leverage_ceiling,
    price, calm_price, curtailed, load, readings,
):  # fmt: skip
    """The six readings ``(6, worlds)``: funding, coverage, liquidity, leverage, power, demand.

    funding: the spread over the calm spread, less one. coverage: the share of the first `of_lab` sites and of all
    partners that cannot, or barely, cover what they owe, sites from 12 months after completion. liquidity: what the
    lab's runway lacks of twelve months, all where it is in arrears or gone. leverage: partners' debt, each by how far
    it is above its ceiling (at most one), over all their debt. power: price over that of a calm year, less one, plus
    the share of data centres cut, mean over the regions by load. demand: the lab's revenue below expectation, in
    logarithms. closed, missed (months in arrears) and debt are of all parties; the lab, the sites and the partners
    are their rows from `lab`, `first_site` and `first_partner` on.
    """
    partners, worlds = leverage.shape
    funding, coverage, liquidity, excess, dear, demand = (
        readings[0], readings[1], readings[2], readings[3], readings[4], readings[5],
    )  # fmt: skip
    owed, used = np.zeros(worlds), np.zeros(worlds)
    readings[:] = 0.0
    for site in range(of_lab):
        late, gone = missed[first_site + site], closed[first_site + site]
        for world in range(worlds):
            tested = months_complete[site, world] >= 12 and dscr[site, world] < lockup_dscr[site, world]
            coverage[world] += tested or late[world] > 0 or gone[world]
    for partner in range(partners):
        row = first_partner + partner
        late, gone, owes = missed[row], closed[row], debt[row]
        for world in range(worlds):
            coverage[world] += late[world] > 0 or gone[world]
            over = leverage[partner, world] / leverage_ceiling[partner, world]
            if sells_holdings[partner, world]:
                over = loan_to_value[partner, world] / loan_to_value_ceiling[partner, world]
            part = 1.0 if gone[world] else min(max(over - 1.0, 0.0), 1.0)
            owed[world] += owes[world]
            excess[world] += owes[world] * part
    for region in range(price.shape[0]):
        for world in range(worlds):
            rise = max(price[region, world] / calm_price[region, world] - 1.0, 0.0)
            used[world] += load[region, world]
            dear[world] += load[region, world] * (rise + curtailed[region, world])
    for world in range(worlds):
        gone = closed[lab, world] or missed[lab, world] > 0
        funding[world] = spread_multiple[0, world] - 1.0
        coverage[world] = coverage[world] / (of_lab + partners)
        liquidity[world] = 1.0 if gone else max(1.0 - runway[0, world] / 12.0, 0.0)
        excess[world] = excess[world] / max(owed[world], 1e-9)
        dear[world] = dear[world] / max(used[world], 1e-9)
        demand[world] = max(-revenue_surprise[0, world], 0.0)


@kernel(void, TABLE, TABLE, float64, OUT)
def place_in_sample(readings, sample, floor, places):
    """Share of the sample that is not above each reading; at or below the floor it is 0.

    sample ``(readings, sample)``, each row sorted.
    """
    count, worlds = readings.shape
    size = sample.shape[1]
    for reading in range(count):
        known = sample[reading]
        for world in range(worlds):
            value, found, left = readings[reading, world], 0, size
            places[reading, world] = 0.0
            if value > floor:
                while left > 1:  # so many as `found` are not above it, and of the next `left` it is not known
                    half = left // 2
                    found += half * (known[found + half - 1] <= value)
                    left -= half
                found += known[found] <= value
                places[reading, world] = found / size


@kernel(void, TABLE, TABLE, SQUARES, TABLE, TABLE, OUT_SQUARES, OUT, OUT, OUT, OUT)
def join_by_correlation(places, weights, covariance, decay, highest, updated, squared, index, means, peak):
    """Covariances after a month, and the squared index: parts joined by correlations, at most those of all at one.

    Covariances ``(n, n, worlds)``; decay, the `highest` index before, the squared index, its root, the mean place and
    the peak, the highest index so far, ``(1, worlds)``.
    """
    count, worlds = places.shape
    parts = np.empty((count, worlds))
    for one in range(count):
        for other in range(count):
            for world in range(worlds):
                keep = decay[0, world]
                apart = (places[one, world] - 0.5) * (places[other, world] - 0.5)
                updated[one, other, world] = keep * covariance[one, other, world] + (1.0 - keep) * apart
    squared[:], means[:] = 0.0, 0.0
    for one in range(count):
        for world in range(worlds):
            part = weights[one, 0] * places[one, world]
            means[0, world] += part
            deviation = math.sqrt(updated[one, one, world])  # bit-safe: square roots are rounded exactly
            parts[one, world] = part / max(deviation, 1e-12)
    for one in range(count):
        for other in range(count):
            for world in range(worlds):
                squared[0, world] += parts[one, world] * parts[other, world] * updated[one, other, world]
    for world in range(worlds):
        most = means[0, world] * means[0, world]
        squared[0, world] = min(max(squared[0, world], 0.0), most)
        index[0, world] = math.sqrt(squared[0, world])  # bit-safe: square roots are rounded exactly
        peak[0, world] = max(highest[0, world], index[0, world])
