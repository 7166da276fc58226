"""Tape: the luck. Every exogenous draw is a pure function of (seed, world, stream, month).

A stream is a name ("demand shock", "breakthrough/OpenAI"). Adding a stream, an agent or a chart, looking at
a result, or changing a policy changes nobody's luck; a longer horizon only appends months; a world has the
same luck alone and in any chunk. Only standard uniforms and normals are drawn: a parameter never reaches a
sampler, because a sampler that rejects would let one world's rate change its neighbours' draws. What needs a
parameter inverts one uniform (`poisson`, `bernoulli`).

Source: counter-based generator Philox-4x64-10, Salmon et al. (2011), "Parallel random numbers: as easy as
1, 2, 3", SC11.
"""

import hashlib
from collections.abc import Callable

import numpy as np

BLOCK = 64
"""Worlds that share one Philox counter range. Another size would be another luck."""

LAST_WORLD = 2**62
"""Luck numbers are smaller than this."""

SMALLEST_UNIFORM = 2.0**-54
"""Stands for a drawn 0, which a quantile function cannot take; half the spacing of the draws."""


class Tape:
    """Named streams of luck for some worlds over some months.

    Parameters
    ----------
    seed
        Any whole number; one seed is one set of lucks.
    worlds
        (worlds,) luck numbers in [0, 2**62), in any order, repeated if two worlds share their luck.
    months
        Horizon.

    Raises
    ------
    ValueError
        When there is no world, a luck number is out of range, or the horizon is negative.
    """

    def __init__(self, seed: int, worlds: np.ndarray, months: int):
        worlds = np.atleast_1d(np.asarray(worlds, dtype=np.int64))
        if worlds.ndim != 1 or not worlds.size or worlds.min() < 0 or worlds.max() >= LAST_WORLD:
            raise ValueError("luck numbers are a list, not empty, of whole numbers in [0, 2**62)")
        if months < 0:
            raise ValueError("the horizon cannot be negative")
        self.seed, self.months = int(seed), int(months)
        self._width = worlds.size
        order = np.argsort(worlds, kind="stable")
        blocks, first = np.unique(worlds[order] // BLOCK, return_index=True)
        # For each block: where its worlds stand in the answer, and which of its columns they are.
        self._blocks = [
            (block, _slice_if_consecutive(places), _slice_if_consecutive(worlds[places] % BLOCK))
            for block, places in zip(blocks, np.split(order, first[1:]), strict=True)
        ]
        self._drawn: dict[tuple[str, str], np.ndarray] = {}

    def uniform(self, stream: str) -> np.ndarray:
        """Uniforms in the open interval (0, 1): (months, worlds), C order, read-only, drawn once."""
        return self._stream(stream, "random", lambda drawn: np.maximum(drawn, SMALLEST_UNIFORM))

    def normal(self, stream: str) -> np.ndarray:
        """Standard normals: (months, worlds), C order, read-only, drawn once.

        Independent of the uniforms of the same name.
        """
        return self._stream(stream, "standard_normal", lambda drawn: drawn)

    def _stream(self, stream: str, kind: str, finish: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        if (stream, kind) not in self._drawn:
            values = finish(self._draw(stream, kind))
            values.setflags(write=False)
            self._drawn[stream, kind] = values
        return self._drawn[stream, kind]

    def _draw(self, stream: str, kind: str) -> np.ndarray:
        """Draw month by month, all worlds of a block side by side, so that a longer horizon only appends."""
        label = f"{self.seed}|{stream}|{kind}".encode()
        key = np.frombuffer(hashlib.blake2b(label, digest_size=16).digest(), "<u8").astype(np.uint64)
        counter = np.zeros(4, dtype=np.uint64)
        drawn = np.empty((self.months, BLOCK))
        values = np.empty((self.months, self._width))
        for block, places, columns in self._blocks:
            counter[3] = block
            getattr(np.random.Generator(np.random.Philox(key=key, counter=counter)), kind)(out=drawn)
            values[:, places] = drawn[:, columns]  # bit-safe: a copy into place
        return values


def _slice_if_consecutive(index: np.ndarray) -> np.ndarray | slice:
    """Copying a run of columns is several times faster than picking them one by one."""
    if (np.diff(index) == 1).all():
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def poisson(uniform: np.ndarray, rate: np.ndarray, most: int = 12) -> np.ndarray:
    """Number of events, by inversion of one uniform; the smallest n with uniform <= P(N <= n).

    Parameters
    ----------
    uniform
        Draws in (0, 1), worlds last.
    rate
        Expected events in the period, >= 0; broadcasts against `uniform` and may differ per world.
    most
        Counts are exact below this number; the probability of more is put on it. Twelve suits the rates of
        the model (below three a month: the lost tail is under 2e-5).

    Returns
    -------
    int64 counts in [0, most], non-decreasing in uniform and in rate.
    """
    uniform, rate = np.broadcast_arrays(uniform, np.asarray(rate, dtype=np.float64))
    count = np.zeros(uniform.shape, dtype=np.int64)
    for reached in poisson_steps(rate, most):
        count += uniform > reached
    return count


def poisson_steps(rate: np.ndarray, most: int) -> list[np.ndarray]:
    """Cumulated probabilities P(N <= n) of a Poisson number, for n = 0, ..., most - 1; never falling."""
    probability = reached = np.exp(-rate)
    steps = [reached]
    for events in range(1, most):
        probability = probability * rate / events
        reached = reached + probability
        steps.append(reached)
    return steps


def bernoulli(uniform: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Whether it happens: uniform < probability, a flag per world; `probability` may differ per world."""
    return uniform < probability
