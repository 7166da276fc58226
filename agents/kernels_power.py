"""The arithmetic of utilities and commissions, compiled; told in words in `agents/utility.py` and
`agents/commission.py`.

As in `agents/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Regions are rows, worlds last.
"""

from numba import float64, int64, types, void

from agents.kernels import FLAGS, OUT, TABLE, kernel

NUMBERS = types.Array(float64, 1, "C", readonly=True)
OUT_VERDICTS, OUT_BY_BLOCK = int64[:, ::1], float64[:, :, ::1]


@kernel(
    void, NUMBERS, float64, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT_BY_BLOCK, OUT, OUT,
)  # fmt: skip
def load_and_build(
    share_of_peak, off_season, peak_load, growth, season_swing, heat_rise, ai_load, reference_tightness, firm_capacity,
    build_rate, speed, block_load, load, added,
):  # fmt: skip
    """Load of each block, heat in the first; capacity that a thin margin calls for, at most the month's part.

    Seasons swing load by (1 - swing x off_season). season_swing and speed (of deliveries of turbines) are the same for
    all. Changes block_load, load and added.
    """
    blocks, regions, worlds = block_load.shape
    for block in range(blocks):
        share = share_of_peak[block]
        for region in range(regions):
            asked, hotter = block_load[block, region], heat_rise[region]
            for world in range(worlds):
                season = 1.0 - season_swing[0, world] * off_season
                users = peak_load[region, world] * growth[region, world] * season
                asked[world] = (share + hotter[world] if block == 0 else share) * users
    for region in range(regions):
        for world in range(worlds):
            peak = block_load[0, region, world] + ai_load[region, world]
            load[region, world] = peak
            capacity, had = firm_capacity[region, world], added[region, world]
            short = max(peak / reference_tightness[region, world] - capacity - had, 0.0)
            most = capacity * build_rate[region, world] / 12.0 * speed[0, world]
            added[region, world] = had + min(short, most)


@kernel(void, TABLE, TABLE, TABLE, TABLE, FLAGS, OUT, OUT)
def connect_or_queue(connection_rate, speed, credit_before, ready, enabled, queue, credit):
    """Connect what is ready, if the credit covers all of it: credit' = min(credit + rate / 12, a year's worth) - it.

    speed: of connections under the commission's verdict; queue: what is ready and waits, all of it or nothing.
    """
    regions, worlds = queue.shape
    for region in range(regions):
        for world in range(worlds):
            a_year, asked = connection_rate[region, world], ready[region, world]
            may = min(credit_before[region, world] + a_year * speed[region, world] / 12.0, a_year)
            waits = asked > may and enabled[0, world]
            queue[region, world] = asked if waits else 0.0
            credit[region, world] = max(may - (0.0 if waits else asked), 0.0)


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def move_bills(
    price,
    reference_price,
    upgrade_cost,
    carrying_charge,
    unpaid,
    bill_before,
    allowed_before,
    growth,
    bill,
    allowed,
):
    """Bill' = bill + (half + half price / reference + wires - bill) / 24; allowed' = min(bill', allowed x growth).

    wires = upgrade cost x carrying charge x what data centres left `unpaid`, over revenue.
    """
    regions, worlds = bill.shape
    for region in range(regions):
        for world in range(worlds):
            energy = 0.5 * price[region, world] / reference_price[region, world]
            wires = upgrade_cost[region, world] * carrying_charge[region, world] * unpaid[region, world]
            before = bill_before[region, world]
            bill[region, world] = before + (0.5 + energy + wires - before) / 24.0
            most = allowed_before[region, world] * growth[region, world]
            allowed[region, world] = min(bill[region, world], most)


@kernel(void, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT)
def earn_from_users(allowed, bill, cash_flow, alive, cash, minimum_cash, share, earned, invested):
    """A month of the yearly cash flow, as far as bills are allowed; of it a share is invested, as cash permits."""
    regions, worlds = earned.shape
    for region in range(regions):
        for world in range(worlds):
            granted = allowed[region, world] / max(bill[region, world], 0.1)
            received = cash_flow[region, world] / 12.0 * granted * alive[region, world]
            spare = max(cash[region, world] - minimum_cash[region, world], 0.0)
            earned[region, world] = received
            invested[region, world] = min(max(received, 0.0) * share[region, world], spare)


@kernel(
    void, TABLE, TABLE, TABLE, TABLE, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT, OUT_VERDICTS
)  # fmt: skip
def hear_region(
    bills, load_share, bill_sensitivity, load_sensitivity, patience, enabled, allowed_growth, delay_at, refuse_at,
    opposition_before, opposition, delay_pressure, allowed_now, verdict,
):  # fmt: skip
    """Opposition' = opposition + (cause - opposition) / patience; its strength delays sites and caps bills.

    cause = sensitivity x rise of bills + sensitivity x data centres' share of load; verdict: 0 approve, 1 delay, 2
    refuse. Changes all from opposition on.
    """
    regions, worlds = opposition.shape
    for region in range(regions):
        for world in range(worlds):
            rise, before = max(bills[region, world] - 1.0, 0.0), opposition_before[region, world]
            by_bills = bill_sensitivity[region, world] * rise
            cause = by_bills + load_sensitivity[region, world] * load_share[region, world]
            follows = before + (cause - before) / patience[region, world]
            strength = follows if enabled[0, world] else 0.0
            opposition[region, world], delay_pressure[region, world] = follows, 1.0 + strength
            allowed_now[region, world] = allowed_growth[region, world] / (1.0 + strength)
            late, never = delay_at[region, world], max(refuse_at[region, world], delay_at[region, world])
            verdict[region, world] = (strength >= late) + (strength >= never)
