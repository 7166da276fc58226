"""The arithmetic of the stress index, compiled; what it means is told in `model/stress.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * /, square roots and
comparisons, so that a world has the same bits alone and in any batch.
"""

import math

from numba import float64, types, void

from model.kernels import kernel

TABLE = types.Array(float64, 2, "C", readonly=True)
SQUARES = types.Array(float64, 3, "C", readonly=True)
OUT, OUT_SQUARES, OUT_ROW = float64[:, ::1], float64[:, :, ::1], float64[::1]


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


@kernel(void, TABLE, TABLE, SQUARES, TABLE, OUT_SQUARES, OUT, OUT_ROW)
def join_by_correlation(places, weights, covariance, decay, updated, parts, squared):
    """Covariances after a month, and the squared index: parts joined by correlations, at most those of all at one.

    decay ``(1, worlds)``; covariances ``(n, n, worlds)``; parts, a scratch, ``(n, worlds)``; squared ``(worlds,)``.
    """
    count, worlds = places.shape
    for world in range(worlds):
        keep = decay[0, world]
        for one in range(count):
            for other in range(count):
                apart = (places[one, world] - 0.5) * (places[other, world] - 0.5)
                updated[one, other, world] = keep * covariance[one, other, world] + (1.0 - keep) * apart
        joint, mean = 0.0, 0.0
        for one in range(count):
            part = weights[one, 0] * places[one, world]
            mean += part
            deviation = math.sqrt(updated[one, one, world])  # bit-safe: square roots are rounded exactly
            parts[one, world] = part / max(deviation, 1e-12)
        for one in range(count):
            for other in range(count):
                joint += parts[one, world] * parts[other, world] * updated[one, other, world]
        squared[world] = min(max(joint, 0.0), mean * mean)
