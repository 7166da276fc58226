"""The arithmetic of customers' choice and of breakthroughs, compiled; told in words in `model/demand.py` and
`model/technology.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch; logarithms and exponentials are taken between the kernels.
Choices, segments and labs are rows, worlds last.
"""

import numpy as np
from numba import float64, int64, types, void

from agents.kernels import FLAGS, MONTHS, OUT, ROWS, TABLE, kernel, part_of_kernel

BY_SEGMENT = types.Array(float64, 3, "C", readonly=True)
OUT_BY_SEGMENT = float64[:, :, ::1]


@part_of_kernel(float64, float64, float64, float64)
def move_along_curve(adopted, ratio, growth):
    """Bass: with x = (1 + ratio x adopted) / (1 - adopted) x growth, (x - 1) / (x + ratio)."""
    x = (1.0 + ratio * adopted) / (1.0 - adopted) * growth
    return (x - 1.0) / (x + ratio)


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def spend_along_curve(adopted, ratio, growth, potential, surprise, moved, spending):
    """Move along the curve as `move_along_curve`; spending = final market x share of it adopted x `surprise`."""
    segments, worlds = moved.shape
    for segment in range(segments):
        for world in range(worlds):
            share = move_along_curve(adopted[segment, world], ratio[segment, world], growth[segment, world])
            moved[segment, world] = share
            spending[segment, world] = potential[segment, world] * share * surprise[0, world]


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT)
def surprise_and_expect(
    surprise_before, volatility, draw, shock, expected_before, ratio, growth, potential, share, surprise, expected, now
):  # fmt: skip
    """Surprise' = surprise + volatility x draw + shock; what is expected moves along its curve.

    expected: share of the final market, by segment, as in `move_along_curve`; now ``(1, worlds)``: what all segments
    are expected to spend with one seller, the sum of final market x share of it adopted x the seller's share.
    """
    segments, worlds = expected.shape
    for world in range(worlds):
        step = volatility[0, world] * draw[0, world]
        surprise[0, world] = surprise_before[0, world] + step + shock[0, world]
        now[0, world] = 0.0
    for segment in range(segments):
        for world in range(worlds):
            before = expected_before[segment, world]
            moved = move_along_curve(before, ratio[segment, world], growth[segment, world])
            expected[segment, world] = moved
            now[0, world] += potential[segment, world] * moved * share[segment, world]


@kernel(void, BY_SEGMENT, TABLE, TABLE, TABLE, OUT, OUT_BY_SEGMENT)
def spread_among_sellers(shares, spending, price, use, demand, by_segment):
    """Demand for each seller, of all segments and by segment: share x spending x (price x use per spending)."""
    sellers, segments, worlds = by_segment.shape
    elastic = np.empty(worlds)
    for seller in range(sellers):
        wanted = demand[seller]
        for world in range(worlds):
            elastic[world] = price[seller, world] * use[seller, world]
            wanted[world] = 0.0
        for segment in range(segments):
            share, spent, asked = shares[seller, segment], spending[segment], by_segment[seller, segment]
            for world in range(worlds):
                bought = share[world] * spent[world]
                wanted[world] += bought
                asked[world] = bought * elastic[world]
        for world in range(worlds):
            wanted[world] = wanted[world] * elastic[world]


@kernel(void, BY_SEGMENT, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, OUT_BY_SEGMENT)
def utility_of_choices(
    appeal, quality_weight, price_weight, quality, open_quality, price, oneself, log_served, shortage_weight, gone,
    utility,
):  # fmt: skip
    """Utility = appeal + a (quality - open quality) - b (price - price of running open weights oneself) + shortage.

    appeal ``(choices + 1, segments, worlds)``, the outside option last; the shortage is the first seller's, the focal
    lab's: weight x logarithm of the share served. A seller that has gone is never chosen.
    """
    choices, segments, worlds = utility.shape
    for choice in range(choices):
        for segment in range(segments):
            for world in range(worlds):
                better = quality[choice, world] - open_quality[0, world]
                dearer = price[choice, world] - oneself[0, world]
                lost = -100.0 if gone[choice, world] else 0.0
                if choice == 0:
                    lost += log_served[0, world] * shortage_weight[0, world]
                worth = appeal[choice, segment, world] + quality_weight[segment, world] * better
                utility[choice, segment, world] = worth - price_weight[segment, world] * dearer + lost


@kernel(void, BY_SEGMENT, ROWS, TABLE, OUT_BY_SEGMENT, OUT_BY_SEGMENT)
def exponents_within(utility, nest, scale, best, exponent):
    """(u - best of its nest) / lambda of its nest, which no lambda lets overflow. scale ``(nests, worlds)``."""
    choices, segments, worlds = utility.shape
    best[:] = -1e300
    for choice in range(choices):
        at = nest[choice]
        for segment in range(segments):
            for world in range(worlds):
                best[at, segment, world] = max(best[at, segment, world], utility[choice, segment, world])
    for choice in range(choices):
        at = nest[choice]
        for segment in range(segments):
            for world in range(worlds):
                below = utility[choice, segment, world] - best[at, segment, world]
                exponent[choice, segment, world] = below / scale[at, world]


@kernel(void, BY_SEGMENT, ROWS, OUT_BY_SEGMENT)
def add_by_nest(weight, nest, whole):
    """Add the weights of each nest up."""
    choices, segments, worlds = weight.shape
    whole[:] = 0.0
    for choice in range(choices):
        at = nest[choice]
        for segment in range(segments):
            for world in range(worlds):
                whole[at, segment, world] += weight[choice, segment, world]


@kernel(void, BY_SEGMENT, BY_SEGMENT, TABLE, TABLE, OUT, OUT_BY_SEGMENT)
def exponents_among(best, logs, scale, outside, top, value):
    """The value of each nest, best + lambda ln(sum), and of the outside option last, less the highest of them (`top`).

    Where there is no outside option, `outside` has no row, and `value` one less.
    """
    nests, segments, worlds = best.shape
    top[:] = -1e300
    for row in range(value.shape[0]):
        for segment in range(segments):
            for world in range(worlds):
                if row < nests:
                    worth = best[row, segment, world] + scale[row, world] * logs[row, segment, world]
                else:
                    worth = outside[segment, world]
                value[row, segment, world] = worth
                top[segment, world] = max(top[segment, world], worth)
    for row in range(value.shape[0]):
        for segment in range(segments):
            for world in range(worlds):
                value[row, segment, world] -= top[segment, world]


@kernel(void, ROWS, BY_SEGMENT, BY_SEGMENT, OUT_BY_SEGMENT, OUT, OUT)
def shares_of_choices(nest, whole, of_nests, shares, left, among):
    """Share = weight within its nest x the nest's weight among all; `left` of the outside option, if there is one.

    shares: the weights of the choices, which it changes; among: the sum of the weights of nests and outside option.
    """
    choices, segments, worlds = shares.shape
    among[:] = 0.0
    for row in range(of_nests.shape[0]):
        for segment in range(segments):
            for world in range(worlds):
                among[segment, world] += of_nests[row, segment, world]
    for choice in range(choices):
        at = nest[choice]
        for segment in range(segments):
            weight, weights = shares[choice, segment], whole[at, segment]
            of_nest, all_nests = of_nests[at, segment], among[segment]
            for world in range(worlds):
                weight[world] = weight[world] / weights[world] * (of_nest[world] / all_nests[world])
    last = of_nests.shape[0] - 1
    for segment in range(segments):
        for world in range(worlds):
            outside = of_nests[last, segment, world] if last == whole.shape[0] else 0.0
            left[segment, world] = outside / among[segment, world]


@kernel(
    void, FLAGS, TABLE, TABLE, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT,
)  # fmt: skip
def hand_to_owners(
    happens, size, who, rival, breaks, own_share, rival_share, leak_share, dated_gain, dated_leak, broken_before, own,
    others, broken,
):  # fmt: skip
    """Give the month's breakthroughs to the focal lab, to one of two rivals, or to all in the open, by two draws.

    The first five ``(breakthroughs, worlds)``. own ``(labs, worlds)``: what is dated, and its size to its owner;
    others: what leaks of either to the rest; broken ``(1, worlds)`` grows where one `breaks` with the architecture of
    chips.
    """
    labs, worlds = own.shape
    broken[:] = broken_before
    for lab in range(labs):
        for world in range(worlds):
            own[lab, world] = dated_gain[lab, world]
            others[lab, world] = dated_leak[lab, world] * leak_share[0, world]
    for nth in range(happens.shape[0]):
        for world in range(worlds):
            if happens[nth, world]:
                owner, gain = labs, size[nth, world]  # in the open, but for the shares of the labs
                if who[nth, world] < own_share[0, world]:
                    owner = 0
                elif who[nth, world] < own_share[0, world] + rival_share[0, world]:
                    owner = 1 if rival[nth, world] < 0.5 else 2
                for lab in range(labs):
                    if lab == owner or owner == labs:
                        own[lab, world] += gain
                    else:
                        others[lab, world] += gain * leak_share[0, world]
                if breaks[nth, world]:
                    broken[0, world] += gain


@kernel(void, int64, TABLE, TABLE, MONTHS, OUT_BY_SEGMENT, OUT)
def hand_out_leaks(month, own, others, lag, ring, gain):
    """Every lab gains its own and what arrives from the ring; what others found arrives `lag` months later.

    ring ``(slots, labs, worlds)`` by month of arrival; its slot of this month is emptied.
    """
    slots, labs, worlds = ring.shape
    arrives = np.empty(worlds, dtype=np.int64)
    for world in range(worlds):
        arrives[world] = (month + lag[0, world]) % slots
    now = month % slots
    for lab in range(labs):
        for world in range(worlds):
            gain[lab, world] = ring[now, lab, world] + own[lab, world]
            ring[now, lab, world] = 0.0
            if lag[0, world] > 0:
                ring[arrives[world], lab, world] += others[lab, world]
            else:
                gain[lab, world] += others[lab, world]


@kernel(void, int64, int64, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, TABLE, OUT, OUT, OUT, OUT)
def follow_the_best(
    sellers, first_open, efficiency, quality, followed, lag, slope, capped, cheapens, best, middle, open_quality,
    log_prices,
):  # fmt: skip
    """Efficiency of the best and the middle one of the first `sellers` labs; what open weights reach, and two prices.

    open quality' = open quality + (best quality - open quality) / lag; log ceiling of the price = slope x min(0, the
    focal lab's quality - open quality') where it is capped; log price of running open weights oneself = - how far it
    `cheapens` x efficiency of the best open lab. The focal lab comes first, open labs from `first_open` on; what is
    `followed` is the open quality before. Results ``(1, worlds)``, log_prices ``(2, worlds)``.
    """
    worlds = best.shape[1]
    ranked, finest, openly = np.empty((sellers, worlds)), np.empty(worlds), np.empty(worlds)
    for world in range(worlds):
        finest[world], openly[world] = quality[0, world], efficiency[first_open, world]
    for lab in range(sellers):
        for world in range(worlds):
            ranked[lab, world] = efficiency[lab, world]
            finest[world] = max(finest[world], quality[lab, world])
        if lab > first_open:
            for world in range(worlds):
                openly[world] = max(openly[world], efficiency[lab, world])
        for place in range(lab):  # what is better than this one moves up, place by place
            for world in range(worlds):
                known, found = ranked[place, world], ranked[lab, world]
                ranked[place, world], ranked[lab, world] = min(known, found), max(known, found)
    for world in range(worlds):
        best[0, world], middle[0, world] = ranked[sellers - 1, world], ranked[sellers // 2, world]
        before = followed[0, world]
        reached = before + (finest[world] - before) / lag[0, world]
        open_quality[0, world] = reached
        behind = min(quality[0, world] - reached, 0.0)
        log_prices[0, world] = slope[0, world] * behind if capped[0, world] else 0.0
        log_prices[1, world] = -cheapens[0, world] * openly[world]


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, OUT)
def grow_along_curve(adopted, ratio, pace, spending, share, growth):
    """Growth of what all segments spend with one seller, as each moves along its Bass curve by a step.

    ratio and pace as `model.demand.bass_pace` gives them; `share` of the seller in each segment. Changes growth.
    """
    segments, worlds = adopted.shape
    now = np.zeros(worlds)
    growth[:] = 0.0
    for segment in range(segments):
        for world in range(worlds):
            had = adopted[segment, world]
            then = move_along_curve(had, ratio[segment, world], pace[segment, world])
            spent = spending[segment, world] * share[segment, world]
            growth[0, world] += spent * then / had
            now[world] += spent
    for world in range(worlds):
        growth[0, world] = growth[0, world] / max(now[world], 1e-9)


@kernel(void, TABLE, OUT)
def lead_over_second(efficiency, ahead):
    """The best of all rows over the second best, ``(1, worlds)``; of at least two rows."""
    for world in range(ahead.shape[1]):
        best, second = efficiency[0, world], efficiency[1, world]
        if second > best:
            best, second = second, best
        for lab in range(2, efficiency.shape[0]):
            other = efficiency[lab, world]
            if other > best:
                best, second = other, best
            elif other > second:
                second = other
        ahead[0, world] = best - second
