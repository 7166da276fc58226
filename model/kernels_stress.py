"""The arithmetic of the stress index, compiled; what it means is told in `model/stress.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * /, square roots and
comparisons, so that a world has the same bits alone and in any batch.
"""

import math

from numba import float64, int64, types, void

from agents.kernels import FLAGS, MONTHS, OUT, TABLE, kernel

SQUARES = types.Array(float64, 3, "C", readonly=True)
OUT_SQUARES = float64[:, :, ::1]


@kernel(
    void, TABLE, FLAGS, MONTHS, TABLE, TABLE, int64, MONTHS, TABLE, TABLE, MONTHS, FLAGS, MONTHS, FLAGS, FLAGS, TABLE,
    TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT,
)  # fmt: skip
def read_weakness(
    spread_multiple, lab_closed, lab_missed, runway, revenue_surprise,
    of_lab, months_complete, dscr, lockup_dscr, site_missed, site_closed, partner_missed, partner_closed,
    sells_holdings, loan_to_value, loan_to_value_ceiling, leverage, leverage_ceiling, debt,
    price, calm_price, curtailed, load, readings,
):  # fmt: skip
    """The six readings ``(6, worlds)``: funding, coverage, liquidity, leverage, power, demand.

    funding: the spread over the calm spread, less one. coverage: the share of the first `of_lab` sites and of all
    partners that cannot, or barely, cover what they owe, sites from 12 months after completion. liquidity: what the
    lab's runway lacks of twelve months, all where it is in arrears or gone. leverage: partners' debt, each by how far
    it is above its ceiling (at most one), over all their debt. power: price over that of a calm year, less one, plus
    the share of data centres cut, mean over the regions by load. demand: the lab's revenue below expectation, in
    logarithms.
    """
    partners, worlds = debt.shape
    for world in range(worlds):
        low, owed, above, used, dear = 0.0, 0.0, 0.0, 0.0, 0.0
        for site in range(of_lab):
            tested = months_complete[site, world] >= 12 and dscr[site, world] < lockup_dscr[site, world]
            low += tested or site_missed[site, world] > 0 or site_closed[site, world]
        for partner in range(partners):
            low += partner_missed[partner, world] > 0 or partner_closed[partner, world]
            over = leverage[partner, world] / leverage_ceiling[partner, world]
            if sells_holdings[partner, world]:
                over = loan_to_value[partner, world] / loan_to_value_ceiling[partner, world]
            excess = 1.0 if partner_closed[partner, world] else min(max(over - 1.0, 0.0), 1.0)
            owed += debt[partner, world]
            above += debt[partner, world] * excess
        for region in range(price.shape[0]):
            rise = max(price[region, world] / calm_price[region, world] - 1.0, 0.0)
            used += load[region, world]
            dear += load[region, world] * (rise + curtailed[region, world])
        gone = lab_closed[0, world] or lab_missed[0, world] > 0
        readings[0, world] = spread_multiple[0, world] - 1.0
        readings[1, world] = low / (of_lab + partners)
        readings[2, world] = 1.0 if gone else max(1.0 - runway[0, world] / 12.0, 0.0)
        readings[3, world] = above / max(owed, 1e-9)
        readings[4, world] = dear / max(used, 1e-9)
        readings[5, world] = max(-revenue_surprise[0, world], 0.0)


@kernel(void, TABLE, TABLE, float64, OUT)
def place_in_sample(readings, sample, floor, places):
    """Share of the sample that is not above each reading; its columns are sorted; at or below the floor it is 0."""
    count, worlds = readings.shape
    size = sample.shape[0]
    for reading in range(count):
        for world in range(worlds):
            value, low, high = readings[reading, world], 0, size
            while low < high:
                middle = (low + high) // 2
                if sample[middle, reading] <= value:
                    low = middle + 1
                else:
                    high = middle
            places[reading, world] = low / size if value > floor else 0.0


@kernel(void, TABLE, TABLE, SQUARES, TABLE, OUT_SQUARES, OUT, OUT, OUT)
def join_by_correlation(places, weights, covariance, decay, updated, parts, squared, means):
    """Covariances after a month, and the squared index: parts joined by correlations, at most those of all at one.

    decay ``(1, worlds)``; covariances ``(n, n, worlds)``; parts, a scratch, ``(n, worlds)``; squared and the mean
    place ``(1, worlds)``.
    """
    count, worlds = places.shape
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
