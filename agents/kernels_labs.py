"""The arithmetic of labs, compiled; a rule of `agents/lab.py`, `agents/openai.py` or `agents/rival_lab.py` says in
words what its kernel does.

As in `agents/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch; logarithms and exponentials are taken between the kernels. Labs
are rows, worlds last.
"""

from numba import boolean, int64, void

from agents.kernels import FLAGS, MONTHS, OUT, OUT_FLAGS, TABLE, kernel

LEAST_EXTENDED_GROWTH, MOST_EXTENDED_GROWTH = -1.0, 1.6
"""Logs: what last year's growth is extended to, at least and at most, by the planning lead: 0.4 to 5 times today."""
MOST_PROMISED_GROWTH = 1.6
"""Growth a year, as a logarithm, beyond which nobody who follows believes what is promised: five times as much."""


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def add_training(used, serving, stock_before, decay, opening_stock, stock, effective):
    """Stock' = stock (1 - decay / 12) + what was used beyond serving / 12; effective: over the opening stock.

    It is at least 0.05, so that its logarithm is finite.
    """
    labs, worlds = stock.shape
    for lab in range(labs):
        for world in range(worlds):
            trained = max(used[lab, world] - serving[lab, world], 0.0) / 12.0
            kept = stock_before[lab, world] * (1.0 - decay[lab, world] / 12.0)
            stock[lab, world] = kept + trained
            multiple = (stock[lab, world] + 1e-6) / (opening_stock[lab, world] + 1e-6)
            effective[lab, world] = max(multiple, 0.05)


@kernel(void, TABLE, TABLE, TABLE, TABLE, OUT)
def match_the_best(efficiency, best, match, pass_through, log_price):
    """Log price = - pass-through x (own efficiency + match x what it is behind the best, ``(1, worlds)``)."""
    labs, worlds = log_price.shape
    for lab in range(labs):
        for world in range(worlds):
            own = efficiency[lab, world]
            gain = own + match[lab, world] * max(best[0, world] - own, 0.0)
            log_price[lab, world] = -pass_through[lab, world] * gain


@kernel(void, int64, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, MONTHS, OUT, OUT)
def plan_for_demand(
    month, demanded, revenue_per_gw, price, per_use, first_share, last_share, maturity, inference, training
):
    """Inference = demanded / (revenue per GW x price) x compute per use; training = inference x share / (1 - share).

    The share of training in all compute goes from the first to the last in `maturity` months.
    """
    labs, worlds = inference.shape
    for lab in range(labs):
        for world in range(worlds):
            use = demanded[lab, world] / (revenue_per_gw[lab, world] * price[lab, world])
            need, first = use * per_use[lab, world], first_share[lab, world]
            progress = min(month / maturity[lab, world], 1.0)
            share = first + (last_share[lab, world] - first) * progress
            inference[lab, world], training[lab, world] = need, need * share / (1.0 - share)


@kernel(void, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def serve_demand(available, needed, demanded, alive, served, revenue):
    """Served = min(1, available / needed); revenue = demanded x served, while the lab is alive."""
    labs, worlds = served.shape
    for lab in range(labs):
        for world in range(worlds):
            need = needed[lab, world]
            share = min(available[lab, world] / max(need, 1e-9), 1.0) if need > 0.0 else 1.0
            served[lab, world] = share
            revenue[lab, world] = demanded[lab, world] * share * alive[lab, world]


@kernel(void, TABLE, TABLE, FLAGS, OUT)
def spend_a_month(cost, cut, cornered, outlay):
    """A month of the yearly cost, less the share that is `cut` while cornered."""
    labs, worlds = outlay.shape
    for lab in range(labs):
        for world in range(worlds):
            saved = cut[lab, world] if cornered[lab, world] else 0.0
            outlay[lab, world] = cost[lab, world] / 12.0 * (1.0 - saved)


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def use_what_is_available(available, needed, served, training, takes_idle, alive, used, idle):
    """Used = what serving and training ask for, up to what is available, and of the rest what training takes."""
    labs, worlds = used.shape
    for lab in range(labs):
        for world in range(worlds):
            have, live = available[lab, world], alive[lab, world]
            wanted = min(needed[lab, world] * served[lab, world] + training[lab, world], have)
            used[lab, world] = (wanted + takes_idle[lab, world] * (have - wanted)) * live
            idle[lab, world] = (have - used[lab, world]) * live


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, MONTHS, OUT, OUT, OUT_FLAGS)
def count_runway(
    operating_cash, burn_before, cash, line_undrawn, runway_floor, months_missed, burn, runway, cornered
):
    """Runway = (cash + undrawn line) / burn, at most 120 months; the burn follows its cause by a third a month.

    cornered: the runway is below its floor, or a bill is overdue.
    """
    labs, worlds = burn.shape
    for lab in range(labs):
        for world in range(worlds):
            before, lost = burn_before[lab, world], max(-operating_cash[lab, world], 0.0)
            burn[lab, world] = before + (lost - before) / 3.0
            liquid = cash[lab, world] + line_undrawn[lab, world]
            months = min(liquid / max(burn[lab, world], liquid / 120.0 + 1e-9), 120.0)
            runway[lab, world] = months
            cornered[lab, world] = months < runway_floor[lab, world] or months_missed[lab, world] > 0


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT)
def ask_for_equity(burn, runway_target, minimum_cash, cash, signed, alive, asked):
    """Asked = burn x target + minimum cash - cash - what is signed, never less than nothing."""
    labs, worlds = asked.shape
    for lab in range(labs):
        for world in range(worlds):
            target = burn[lab, world] * runway_target[lab, world] + minimum_cash[lab, world]
            lacking = max(target - cash[lab, world] - signed[lab, world], 0.0)
            asked[lab, world] = lacking * alive[lab, world]


@kernel(void, TABLE, TABLE, OUT, OUT, OUT)
def follow_the_year(revenue, capacity, revenue_year_ago, largest_year_ago, growth):
    """Growth of revenue and of the largest builder's `capacity` over what they were about a year ago.

    growth: a row for each of the two. Changes what they were too, a twelfth of the way to what they are.
    """
    builders, worlds = capacity.shape
    for world in range(worlds):
        earned, before = revenue[0, world], revenue_year_ago[0, world]
        before = before + (earned - before) / 12.0
        revenue_year_ago[0, world] = before
        growth[0, world] = max(earned, 0.1) / max(before, 0.1)
        largest = capacity[0, world]
        for builder in range(1, builders):
            largest = max(largest, capacity[builder, world])
        was = largest_year_ago[0, world] if largest_year_ago[0, world] > 0.0 else largest
        largest_year_ago[0, world] = was + (largest - was) / 12.0
        growth[1, world] = largest / was


@kernel(void, MONTHS, OUT)
def extend_growth(lead, growth):
    """Extend a year's growth over `lead` months, within bounds; `growth` is in logarithms, and is changed."""
    for row in range(growth.shape[0]):
        for world in range(growth.shape[1]):
            extended = growth[row, world] * (lead[0, world] / 12.0)
            growth[row, world] = min(max(extended, LEAST_EXTENDED_GROWTH), MOST_EXTENDED_GROWTH)


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT)
def expect_need(
    revenue, growth, curve_growth, extrapolation_weight, herding, revenue_per_gw, gain, price, training_share, need
):  # fmt: skip
    """Compute that the revenue expected will need, GW; `growth` of revenue and of the largest builder as factors.

    revenue_per_gw as the books say, `gain` the factor of efficiency since. Changes need.
    """
    for world in range(need.shape[1]):
        weight = extrapolation_weight[0, world]
        expected = weight * growth[0, world] + (1.0 - weight) * curve_growth[0, world]
        expected = expected + herding[0, world] * (growth[1, world] - expected)
        per_gw = revenue_per_gw[0, world] * gain[0, world] * price[0, world]
        need[0, world] = revenue[0, world] * expected / per_gw / (1.0 - training_share[0, world])


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, FLAGS, FLAGS, OUT)
def order_ahead(
    forecast, contracted, firming_limit, announced, buildable, commits, cornered, closed, ordered
):
    """Ordered = min(forecast - contracted, a month of the limit x what is announced, what can be built)."""
    for lab in range(ordered.shape[0]):
        for world in range(ordered.shape[1]):
            gap = max(forecast[lab, world] - contracted[lab, world], 0.0)
            most = firming_limit[lab, world] / 12.0 * announced[lab, world]
            willing = commits[lab, world] and not cornered[lab, world] and not closed[lab, world]
            ordered[lab, world] = min(min(gap, most), buildable[lab, world]) if willing else 0.0


@kernel(void, TABLE, TABLE, OUT)
def compare_capacity(ahead, now, ratio):
    """Ratio of capacity ahead to capacity now, both at least 0.1 GW."""
    for lab in range(ratio.shape[0]):
        for world in range(ratio.shape[1]):
            ratio[lab, world] = max(ahead[lab, world], 0.1) / max(now[lab, world], 0.1)


@kernel(void, boolean, TABLE, TABLE, TABLE, TABLE, MONTHS, TABLE, TABLE, OUT, OUT)
def follow_promises(
    begun, first_growth, fade, herding, promised, lead, plan_before, opening_compute, growth, before
):  # fmt: skip
    """A month's growth of the training plan (natural logarithm), and the plan that grows by it.

    growth a year = (1 - herding) x first growth x fade + herding x promised / lead in years, from 0 to 1.6 a year;
    promised, one row: the logarithm of the ratio promised. Herding starts once the first month has `begun` them.
    """
    labs, worlds = growth.shape
    for lab in range(labs):
        for world in range(worlds):
            planned = first_growth[lab, world] * fade[lab, world]
            theirs = min(max(promised[0, world] * 12.0 / lead[0, world], 0.0), MOST_PROMISED_GROWTH)
            follows = herding[lab, world] * (theirs - planned) if begun else 0.0
            plan = plan_before[lab, world]
            growth[lab, world] = (planned + follows) / 12.0
            before[lab, world] = plan if plan > 0.0 else opening_compute[lab, world]


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, OUT)
def margin_on_sales(bill, inference, served, used, revenue, margin):
    """1 - bill x share of the compute used that serves / revenue, at least -5."""
    for lab in range(margin.shape[0]):
        for world in range(margin.shape[1]):
            serving = min(inference[lab, world] * served[lab, world] / max(used[lab, world], 1e-9), 1.0)
            cost = bill[lab, world] * serving / max(revenue[lab, world], 0.1)
            margin[lab, world] = max(1.0 - cost, -5.0)
