"""The arithmetic of the market for compute, compiled; what it means is told in `model/compute_market.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch; logarithms and exponentials are taken between the kernels.
Blocks of one row are ``(1, worlds)``.
"""

from numba import float64, int64, void

from agents.kernels import FLAGS, OUT, OUT_FLAGS, TABLE, kernel


@kernel(
    void, TABLE, TABLE, TABLE, FLAGS, FLAGS, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE,
    OUT_FLAGS, OUT, OUT, OUT,
)  # fmt: skip
def change_regime(
    draw, starts, ends, enabled, glut_before, peak, seller_alive, estates_before, thrown_before, absorption,
    stale_before, architecture_hit, broken, broken_before, glut, estates, thrown_out, stale,
):  # fmt: skip
    """Turn calm into glut, or glut into calm, by one draw; let the capacity of failed sellers reach the market.

    What is thrown out is absorbed at a yearly constant rate; rent lost to another architecture fades in five years.
    peak ``(contracts, worlds)``: the capacity behind each contract.
    """
    contracts, worlds = peak.shape
    for world in range(worlds):
        begins, lasts = draw[0, world] < starts[0, world], draw[0, world] >= ends[0, world]
        glut[0, world] = enabled[0, world] and (lasts if glut_before[0, world] else begins)
        failed = 0.0
        for contract in range(contracts):
            if not seller_alive[contract, world]:
                failed += peak[contract, world]
        new = max(failed - estates_before[0, world], 0.0)
        estates[0, world] = max(failed, estates_before[0, world])
        thrown_out[0, world] = thrown_before[0, world] * (1.0 - absorption[0, world]) + new
        fresh = architecture_hit[0, world] * (broken[0, world] - broken_before[0, world])
        stale[0, world] = stale_before[0, world] * (1.0 - 1.0 / 60.0) + fresh


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def compare_with_hand(need, training, rivals_used, available, idle_pool, surplus, in_use, tightness):
    """Compute wanted over compute at hand, where rivals use what they have; all that is `in_use` or idle, GW.

    Idle: what looks for tenants of contracts' capacity, and the `surplus` that hyperscalers built beyond their plans.
    """
    for world in range(tightness.shape[1]):
        rivals = beyond = 0.0
        for builder in range(surplus.shape[0]):
            beyond += max(surplus[builder, world], 0.0)
        for rival in range(rivals_used.shape[0]):
            rivals += rivals_used[rival, world]
        wanted = need[0, world] + training[0, world]
        hand = available[0, world] + (idle_pool[0, world] + beyond)
        in_use[0, world] = hand + rivals + 0.1
        tightness[0, world] = (wanted + rivals + 0.1) / in_use[0, world]


@kernel(
    void, float64, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE,
    TABLE, OUT, OUT,
)  # fmt: skip
def exponents_of_rent(
    month, log_tightness, elasticity, shock_before, volatility, draw, enabled, slide, glut, obsolescence,
    industry_gain, fire_sale_depth, thrown_out, in_use, log_trend, stale, shock, exponents,
):  # fmt: skip
    """Logs of what makes the rent, a row each: its trend; scarcity - obsolescence - fire sale + shock; what old
    capacity loses to other architectures. The shock returns to nothing.
    """
    for world in range(exponents.shape[1]):
        on, falls = 1.0 if enabled[0, world] else 0.0, 1.0 if glut[0, world] else 0.0
        scarce = min(max(log_tightness[0, world], -1.5), 0.7) * elasticity[0, world]
        step = volatility[0, world] * draw[0, world]
        shock[0, world] = shock_before[0, world] * 0.97 + step * on + slide[0, world] * falls
        fall = obsolescence[0, world] * industry_gain[0, world]
        fall = fall + fire_sale_depth[0, world] * thrown_out[0, world] / in_use[0, world]
        exponents[0, world] = log_trend[0, world] * month / 12.0
        exponents[1, world] = (scarce - fall) * on + shock[0, world]
        exponents[2, world] = -stale[0, world] * on


@kernel(void, TABLE, TABLE, TABLE, OUT, OUT)
def set_rents(opening_rent, factors, vintage_discount, rent, old_rent):
    """Rent of new capacity = opening rent x trend x deviation; of old capacity, a share of it x what has become stale.

    factors ``(3, worlds)``: the three that `exponents_of_rent` gives the logs of.
    """
    for world in range(rent.shape[1]):
        now = opening_rent[0, world] * factors[0, world] * factors[1, world]
        rent[0, world] = now
        old_rent[0, world] = now * vintage_discount[0, world] * factors[2, world]


@kernel(void, TABLE, int64, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT)
def let_to_others(pool, month, second_use, growth, rent, running_cost, idle, share, let):
    """How much capacity ``(contracts, worlds)`` is idle, and the share of it that finds a second tenant, if it pays.

    What others take on grows by a yearly amount; nobody lets what does not earn its running cost.
    """
    for world in range(idle.shape[1]):
        whole = 0.0
        for contract in range(pool.shape[0]):
            whole += pool[contract, world]
        taken = second_use[0, world] + growth[0, world] * month / 12.0
        pays = 1.0 if rent[0, world] > running_cost[0, world] else 0.0
        idle[0, world] = whole
        share[0, world] = min(taken / max(whole, 1e-9), 1.0) * pays
    for contract in range(pool.shape[0]):
        for world in range(idle.shape[1]):
            let[contract, world] = pool[contract, world] * share[0, world]
