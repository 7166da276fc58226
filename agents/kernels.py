"""How arithmetic is compiled, and the kernels of agents' rules; a rule says in words what its kernel does.

A kernel is loops over agents on the outside and worlds on the inside, in the order in which they are written: it
adds, multiplies, divides and compares world by world, and calls no function of a mathematics library. The compiler may
neither reorder nor fuse that arithmetic (no fast-math), so a world has the same bits alone and in any batch. Blocks
are ``(agents, worlds)``, a block of Params or of the only agent of its kind too; what a docstring calls changed is
changed in place. `as_rows` makes an agent's own row such a block.

A kernel calls no kernel of another file: what is compiled is kept and made anew when its own file changes.
"""

import os

import numpy as np
from numba import boolean, float64, int64, njit, types, void

CHECKED = "CHECK_KERNELS" in os.environ
"""Whether kernels look at the types and the layout of what they are given, as they do in the tests."""


def part_of_kernel(*signature):
    """Compile a function that kernels of the same file call; first what it gives, then what it takes.

    Division by zero gives infinity, as in NumPy. The machine code is kept beside this file, or in the user's cache
    directory, and read from there the next time; where neither can be read or written it is compiled anew in every
    process.
    """
    given, *taken = signature

    def compiled(function):
        try:
            return njit(given(*taken), cache=True, error_model="numpy")(function)
        except Exception:  # a cache that cannot be used must not keep the model from running
            return njit(given(*taken), error_model="numpy")(function)

    return compiled


def kernel(*signature):
    """Compile a function that rules call, as `part_of_kernel` does.

    A kernel has one signature, so a call of it goes straight to the machine code: numba's choice among signatures
    would cost more than the arithmetic. Only the types of elements are looked at then, and arguments have no names;
    with CHECK_KERNELS in the environment all types and layouts are, and what is given is numba's Dispatcher.
    """

    def compiled(function):
        dispatcher = part_of_kernel(*signature)(function)
        if CHECKED:
            return dispatcher
        (only,) = dispatcher.overloads.values()
        return only.entry_point

    return compiled


def as_rows(*blocks):
    """Give blocks ``(agents, worlds)``: of an agent alone, ``(worlds,)``, a view with one row."""
    return [block if block.ndim == 2 else block[None] for block in blocks]


def as_layers(*blocks):
    """Give blocks ``(n, agents, worlds)``: of an agent alone, ``(n, worlds)``, one with one row."""
    return [block if block.ndim == 3 else np.ascontiguousarray(block)[:, None] for block in blocks]


TABLE = types.Array(float64, 2, "C", readonly=True)
FLAGS = types.Array(boolean, 2, "C", readonly=True)
MONTHS = types.Array(int64, 2, "C", readonly=True)
ROWS = types.Array(int64, 1, "C", readonly=True)
YES_NO = types.Array(boolean, 1, "C", readonly=True)
OUT, OUT_FLAGS, OUT_MONTHS = float64[:, ::1], boolean[:, ::1], int64[:, ::1]
LAYERS = types.Array(float64, 3, "C", readonly=True)
OUT_OVER = float64[:, :, ::1]


@kernel(
    void, int64, FLAGS, TABLE, TABLE, TABLE, MONTHS, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, OUT, OUT, OUT
)  # fmt: skip
def spend_budget(
    first, closed, cash, outgoing, incoming, months_left, ahead, undrawn, uncalled, owed, rate, rent,
    construction, equity_call, loan_call,
):  # fmt: skip
    """Budget = cash + undrawn loan + uncalled equity + rent - interest until completion, spent evenly.

    What cash lacks for it is called: equity first, then loan. first: the sites' first row in who is closed, cash and
    bills, of all parties. Changes construction, equity_call and loan_call.
    """
    sites, worlds = construction.shape
    for site in range(sites):
        party = first + site
        for world in range(worlds):
            have, alive = cash[party, world], 0.0 if closed[party, world] else 1.0
            months, loan = max(months_left[site, world], 1), undrawn[site, world]
            interest = (owed[site, world] + 0.5 * loan) * rate[site, world] * months / 12.0
            rents = rent[site, world] * months
            budget = have + loan + uncalled[site, world] + rents - interest
            building = ahead[site, world] > 0.0 and not closed[party, world]
            spent = max(budget, 0.0) / months if building else 0.0
            needed = max(spent + outgoing[party, world] - incoming[party, world] - have, 0.0)
            equity = min(needed, uncalled[site, world]) * alive
            construction[site, world], equity_call[site, world] = spent, equity
            loan_call[site, world] = min(needed - equity, loan) * alive


@kernel(
    void, int64, boolean, TABLE, TABLE, TABLE, TABLE, FLAGS, TABLE, TABLE, FLAGS, TABLE, TABLE, TABLE, TABLE,
    MONTHS, MONTHS, OUT_OVER, OUT_OVER, OUT, OUT, OUT, OUT_MONTHS, OUT_FLAGS, OUT_FLAGS,
)  # fmt: skip
def read_covenants(
    at, tests_now, rent_received, operating_share, debt_service, ahead, closed, owed, value, covenants, lockup_dscr,
    default_dscr, lockup_loan_to_value, default_loan_to_value, equity_cures, cures_used,
    cfads_year, service_year, dscr, loan_to_value, cure_needed, months_complete, locked_up, breached,
):  # fmt: skip
    """Cover of twelve months and loan-to-value; where it `tests_now`, lock-up, breach and what would cure it.

    The month is entry `at` of cfads_year and service_year ``(12, sites, worlds)``. Changes all from these on.
    """
    months = cfads_year.shape[0]
    sites, worlds = dscr.shape
    cash_of_year, due_in_year = np.empty((2, worlds))
    for site in range(sites):
        for world in range(worlds):
            cfads_year[at, site, world] = rent_received[site, world] * (1.0 - operating_share[site, world])
            service_year[at, site, world] = debt_service[site, world]
            cash_of_year[world], due_in_year[world] = 0.0, 0.0
        for month in range(months):
            received, owes = cfads_year[month, site], service_year[month, site]
            for world in range(worlds):
                cash_of_year[world] += received[world]
                due_in_year[world] += owes[world]
        for world in range(worlds):
            cash, due, cover = cash_of_year[world], due_in_year[world], 10.0
            if due > 1e-9:
                cover = min(cash / max(due, max(cash / 10.0, 1e-9)), 10.0)
            complete = months_complete[site, world] + 1 if ahead[site, world] <= 0.0 else 0
            debt, worth = owed[site, world], value[site, world]
            lent = min(debt / max(worth, 0.1 * debt + 1e-9), 10.0)
            dscr[site, world], loan_to_value[site, world] = cover, lent
            months_complete[site, world], cure_needed[site, world] = complete, 0.0
            tested = tests_now and complete >= 12 and covenants[site, world]
            if tested:
                low = cover < lockup_dscr[site, world] or lent > lockup_loan_to_value[site, world]
                worse = cover < default_dscr[site, world] or lent > default_loan_to_value[site, world]
                locked_up[site, world], breached[site, world] = low, worse
            breached[site, world] = breached[site, world] and not closed[site, world]
            may = tested and cures_used[site, world] < equity_cures[site, world] and worth > debt
            if may and breached[site, world]:
                short = max(
                    default_dscr[site, world] * due - cash, debt - default_loan_to_value[site, world] * worth
                )
                cure_needed[site, world] = min(max(short, 0.0), debt)


@kernel(void, TABLE, TABLE, TABLE, TABLE, FLAGS, MONTHS, MONTHS, OUT_FLAGS, OUT_MONTHS)
def slip_by_chance(
    slip_chance, pressure, draw, ahead, closed, slip_months, slipped_before, slips_now, slipped
):
    """Slip by a monthly chance, raised by the pressure of opposition, where halls are ahead and the site lives."""
    for site in range(slipped.shape[0]):
        for world in range(slipped.shape[1]):
            slips = draw[site, world] < slip_chance[site, world] * pressure[site, world]
            slips = slips and ahead[site, world] > 0.0 and not closed[site, world]
            slips_now[site, world] = slips
            slipped[site, world] = slipped_before[site, world] + (slip_months[site, world] if slips else 0)


@kernel(
    void, FLAGS, MONTHS, MONTHS, TABLE, TABLE, TABLE, TABLE, FLAGS, FLAGS, OUT_MONTHS, OUT_FLAGS, OUT_FLAGS
)  # fmt: skip
def enforce_covenants(
    breached, months_before, cure_months, real_assets, liquidation_value, cost, owed, accelerates, closed,
    months_breached, event_of_default, called,
):  # fmt: skip
    """Count the months of a breach; past the time to cure it is an event of default. Lenders call the loan in one,
    if a forced sale, net of its `cost` ``(1, worlds)``, would repay what is owed.
    """
    for site in range(called.shape[0]):
        for world in range(called.shape[1]):
            months = months_before[site, world] + 1 if breached[site, world] else 0
            late = months > cure_months[site, world]
            assets = max(real_assets[site, world], 0.0)
            sale = assets * liquidation_value[site, world] * (1.0 - cost[0, world])
            may = accelerates[site, world] and not closed[site, world]
            months_breached[site, world], event_of_default[site, world] = months, late
            called[site, world] = late and sale >= owed[site, world] and may


@kernel(void, LAYERS, LAYERS, TABLE, FLAGS, OUT_OVER)
def move_by_habit(shares, target, habit, enabled, moved):
    """Shares' = shares + habit (target - shares), by choice and segment; as they were where choice is not `enabled`."""
    choices, segments, worlds = moved.shape
    for choice in range(choices):
        for segment in range(segments):
            for world in range(worlds):
                share = shares[choice, segment, world]
                reconsidered = habit[segment, world] * (target[choice, segment, world] - share)
                moved[choice, segment, world] = share + reconsidered if enabled[0, world] else share
