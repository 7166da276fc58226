"""Power: the stacks of all regions cleared by block of hours, heat, queues, turbines, and what binds the lab.

The arithmetic is in `model/stack.py`; this mechanism says what it is applied to.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from agents.kernels import as_layers, as_rows
from agents.utility import BLOCK_LOAD, OFF_SEASON, UNITS
from agents.worlds import Mechanism, Param, State, of_params
from model.contracts import MWH_PER_GW_YEAR
from model.kernels_power import (
    add_scarcity,
    ask_the_grid,
    cut_by_block,
    cuts_and_prices,
    energy_price,
    find_leavers,
    find_lost_orders,
    find_what_binds,
    let_bidders_leave,
    load_of_data_centres,
    offer_and_ask,
    strike_regions,
    tell_of_regions,
    wait_for_power,
    work_off_turbines,
)
from model.stack import connection_queue, merit_order, queue_survival
from model.sums import total

CHIPS, BUILDING, GRID, CREDIT, DEMAND = range(5)
BINDING = ("chips", "building", "grid", "credit", "demand")
"""What can bind the lab's compute, in the order of the State's numbers."""
_CODES = np.array([CHIPS, BUILDING, GRID, CREDIT, DEMAND])
STAGES = ("application", "study", "agreement", "construction")
STAGE_COMPLETION = np.array([0.85, 0.6, 0.5, 0.8])[:, None]
"""Share of requests that gets through each stage of a connection queue: a fifth in all (13 to 19% of LBNL's)."""
STAGE_MONTHS = np.array([6.0, 12.0, 9.0, 15.0])[:, None]
"""Months of each stage: 42 in all, beside the 36 to 60 of calibration: grid_wait_load_us_avg."""
AVAILABLE = {
    "wind": (1.0, 0.9, 1.1, 1.3),
    "solar": (1.0, 2.5, 0.5, 0.0),
    "hydro": (1.0, 0.9, 0.7, 0.5),
}
"""Output in each block over what counts at the peak, where it differs from one: assumed."""
LEAST_WAIT, MOST_WAIT = 12.0, 240.0
"""Months between the order of a turbine and its power, at least and at most."""
DERATED = ("coal", "gas", "peakers")
NEW_CAPACITY = "gas"
SUMMER = (5, 6, 7)
"""June, July and August, counted from 0."""
LAST_BLOCKS = np.array([0.26, 0.46, 0.28]).reshape(-1, 1, 1)
"""How the hours outside the peak divide among the other blocks."""


class Clearing(NamedTuple):
    """A month of regions: price and share of data centres off by block; the peak; means; others' load cut.

    ``(blocks, regions, worlds)`` the first two, ``(regions, worlds)`` the rest; one region for one utility.
    """

    price: np.ndarray
    cut: np.ndarray
    capacity: np.ndarray
    tightness: np.ndarray
    mean: np.ndarray
    paid: np.ndarray
    curtailed: np.ndarray
    shed: np.ndarray


class Stack(NamedTuple):
    """Supply of a month by unit and block, and all that turns load into a price.

    Up to a unit, the cheapest first, it is shares ``(units, blocks, regions, worlds)`` x kept + new x added, and at the
    peak - derated x lost: kept, what maintenance leaves of the capacity, added since the start and lost to heat
    ``(regions, worlds)`` GW; new, derated and cost ``(units, regions, worlds)``. top: all of it ``(blocks, regions,
    worlds)``. cap, contingency (the share of the whole stack at which the cap is paid), spread (of the reserve, as such
    a share) and uplift (congestion) ``(regions, worlds)``.
    """

    shares: np.ndarray
    new: np.ndarray
    derated: np.ndarray
    cost: np.ndarray
    kept: np.ndarray
    added: np.ndarray
    lost: np.ndarray
    top: np.ndarray
    cap: np.ndarray
    contingency: np.ndarray
    spread: np.ndarray
    uplift: np.ndarray

    def price_at(self, load):
        """Price at which the load is supplied: merit order, scarcity of the reserve, congestion; at most the cap."""
        price = np.empty(load.shape)
        beyond = np.empty(load.size)
        felt_at = np.empty(load.size, dtype=np.int64)
        felt = energy_price(*self[:-1], load, price, beyond, felt_at)
        lost_load = ndtr(beyond[:felt])  # slow, and felt in some quarter of the blocks
        add_scarcity(lost_load, felt_at, self.cap, self.uplift, price)
        return price

    def let_leave(self, price, firm, leaves, bid):
        """Let load that bids leave where the `price` is not below its bid, which changes it: give the GW that are off.

        Firm load alone is priced there only: in some 6% of the blocks.
        """
        off, leave_at = np.empty(price.shape), np.empty(price.size, dtype=np.int64)
        without, beyond, chance = (np.empty(price.size) for _ in range(3))
        leavers = find_leavers(*self, bid, price, firm, off, leave_at, without, beyond, chance)
        if leavers:
            lost_load, quantile = ndtr(beyond[:leavers]), ndtri(chance[:leavers])
            let_bidders_leave(*self, bid, leave_at, without, lost_load, quantile, firm, leaves, price, off)
        return off


class Power(Mechanism):
    """What joins sites, utilities and commissions: who stands where, how hot it is, and what power costs."""

    group = "power"

    enabled = Param(
        True,
        "yes/no",
        None,
        "Off: reference prices, no heat, no curtailment, no queue, no turbines to wait for, no opposition.",
    )
    turbine_book = Param(
        True,
        "yes/no",
        None,
        "Whether all orders for turbines join one book, whose length slows what utilities build, and owners order "
        "turbines of their own where the grid is slower still; off: the lead time stays as it was.",
    )
    heat_probability = Param(
        0.25,
        "per summer month",
        (0.0, 1.0),
        "Chance of a heat wave in June, July or August.",
        source="calibration: heatwave_days_per_year",
    )
    heat_load = Param(0.08, "share", (0.0, 0.3), "Load added by a heat wave at the peak.")
    heat_derate = Param(0.06, "share", (0.0, 0.3), "Thermal capacity lost to heat at the peak.")
    peak_share = Param(
        0.05, "share of the month", (0.0, 0.3), "Share of a month's hours in the peak block: some 36 hours."
    )
    season_swing = Param(0.12, "share", (0.0, 0.4), "Swing of load between seasons.")
    maintenance = Param(
        0.1, "share", (0.0, 0.3), "Capacity that is out for maintenance when load is lowest, none in July."
    )
    price_level = Param(
        1.0, "x", (0.3, 4.0), "Marginal costs, congestion and reference prices over those of the books."
    )
    heat_correlation = Param(
        0.6, "share", (0.0, 1.0), "Share of heat waves that strike all regions together."
    )
    queue_level = Param(
        1.15,
        "x",
        (0.3, 3.0),
        "Months in the connection queue over the 42 of its stages.",
        source="calibration: grid_wait_load_us_avg (48 months, 36 to 60)",
    )
    filed_before = Param(
        12,
        "months",
        (0, 48),
        "How long before the start the announced capacity joined the queue.",
        whole=True,
    )
    requests_per_order = Param(
        5.0,
        "x",
        (1.0, 10.0),
        "Places that a builder asks to connect for each order: most requests come to nothing.",
        source="assumed, from calibration: ercot_large_load_queue (226 GW against a peak of 85)",
    )
    queue_attrition = Param(
        1.0,
        "x",
        (0.0, 2.0),
        "Hazard at which a request falls out of the connection queue, over that of its stages (0: none does).",
        source="assumed, from calibration: queue_completion_share (13% of capacity to 19% of projects)",
    )
    turbine_lead = Param(
        60,
        "months",
        (24, 96),
        "Months from the order of a gas turbine to its first power, by the book of the start.",
        source="calibration: gas_turbine_lead_time",
        whole=True,
    )
    turbines_ordered = Param(
        36,
        "months",
        (0, 60),
        "How long before the start the islanded campus ordered its turbines.",
        whole=True,
    )
    turbine_output = Param(
        20.0,
        "GW a year",
        (5.0, 60.0),
        "Gas turbines that makers deliver in a year; the book of the start is the lead time's worth of it.",
    )
    turbine_orders = Param(
        0.85,
        "share",
        (0.0, 2.0),
        "Orders from elsewhere over what makers deliver; with those of the regions, which come on top, the book of "
        "the start about stands still.",
    )
    turbine_cost = Param(
        2.2,
        "US$bn per GW",
        (1.0, 4.0),
        "Cost of a power station of one's own, built with announced capacity.",
        source="calibration: new_ccgt_capex",
    )
    own_power_price = Param(
        78.0,
        "US$/MWh",
        (40.0, 160.0),
        "What power from turbines on the site costs its tenant, plant included.",
        source="calibration: lcoe_ccgt",
    )

    binding = State("index", "what binds the lab's compute: " + ", ".join(BINDING), dtype=int)

    turbine_backlog = State("GW", "turbines ordered and not yet delivered")
    turbine_wait = State("months", "months until a turbine ordered now gives power")
    turbine_speed = State(
        "x",
        "what utilities can build in a month over what they could at the lead time of the start, at most one",
        default=1.0,
    )
    booked = State("GW", "turbines that owners have ordered since the makers last worked on the book")
    built_before = State("GW", "what all utilities had added by last month")
    waited_of_sites = State(
        "months",
        "months for which halls about to open have waited for power, per site",
        dtype=int,
        rows="sites",
    )
    on_order_of_sites = State(
        "GW", "turbines ordered for the halls of each site, delivered ones included", rows="sites"
    )
    delivered_to_sites = State("GW", "turbines delivered to each site", rows="sites")
    carried_of_sites = State("GW", "load of each site that its own turbines carry", rows="sites")

    schedules = (("arriving", "GW of turbines on order by month of delivery, (months, sites, worlds)"),)
    arriving = None

    measures = ("binding", "turbine_wait")

    curtailed_of_sites = delay_pressure_of_sites = ai_load_of_utilities = None
    allowed_growth_of_utilities = bills_of_regions = ai_share_of_regions = None
    price_over_reference_of_contracts = ready_of_regions = None
    connecting_of_utilities = unpaid_of_utilities = None
    waits_of_sites = own_power_of_sites = None
    """Whether halls about to open wait for power this month; share of each site's load that its turbines carry."""

    def __init__(self, model):
        super().__init__(model)
        contracts = model.opening.contracts_of_kind("power contract")
        names, regions = list(model.opening.roles.sites), model.utilities.names
        sites = [model.opening.party(name) for name in names]
        self._region_of_sites = np.array([regions.index(site.region) for site in sites])
        # A campus that is islanded on its own gas is neither cut off nor priced by the utility.
        self._on_grid = 1.0 - np.array([[site.terms.get("islanded", False)] for site in sites], dtype=float)
        self._regions_of_contracts = np.array([regions.index(c.creditor) for c in contracts])
        site_of_contracts = [names.index(c.terms["site"]) for c in contracts]
        self._on_grid_of_contracts = self._on_grid[site_of_contracts]
        self._own = np.zeros((len(names), 1))
        self.sites = len(model.opening.roles.campuses)
        self.arriving = np.zeros((model.months + 1, self.sites, self.worlds))
        self.waits_of_sites = self._nobody_waits = np.zeros((self.sites, self.worlds), dtype=bool)
        self._nothing_booked = np.zeros((1, self.worlds))
        for site, contract in zip(site_of_contracts, contracts, strict=True):
            self._own[site] = contract.terms.get("onsite_gas_gw", 0.0)

    # -- the month's weather and market ---------------------------------------------------------------------

    def strike_heat(self):
        """Draw heat waves for June, July and August; part of them strike all regions at once.

        A dated heat wave strikes whom it names, with the size that it gives.
        """
        utilities, forced = self.model.utilities, self.model.forced_heat
        if self.model.month % 12 not in SUMMER:
            utilities.heat, utilities.heat_rise = forced > 0.0, np.maximum(forced, 0.0)
            return
        heat, rise = np.empty(forced.shape, dtype=bool), np.empty(forced.shape)
        strike_regions(
            self.model.draw("heat wave, common"),
            self.model.draw_rows("heat wave", utilities),
            self.model.draw("heat wave, reach"),
            self.heat_correlation,
            self.heat_probability,
            self.enabled,
            self.heat_load,
            forced,
            heat,
            rise,
        )
        utilities.heat, utilities.heat_rise = heat, rise

    @of_params
    def weights(self):
        """Share of the month's hours in each block, ``(blocks, 1, worlds)``; they sum to one."""
        return np.concatenate([self.peak_share[None], (1.0 - self.peak_share) * LAST_BLOCKS])

    def stacks(self):
        """Give all regions' units sorted by marginal cost; sorted again only after a Param has changed.

        Cost ``(units, regions, worlds)``; cumulated from the cheapest unit on: share of firm capacity that is
        available in each block, share that heat derates (without the axis of blocks), and whether new capacity
        stands at or below the unit.
        """
        return self._sorted

    @of_params
    def _sorted(self):
        utilities = self.model.utilities
        cost = np.stack([getattr(utilities, f"cost_{unit}") for unit in UNITS]) * self.price_level
        share = {unit: getattr(utilities, f"share_{unit}") for unit in UNITS if unit != "peakers"}
        share["peakers"] = share["gas"] * utilities.peakers_of_gas
        share["gas"] = share["gas"] - share["peakers"]
        shares = np.stack([share[unit] for unit in UNITS])
        shares = shares / total(shares)
        unit = np.broadcast_to(np.arange(len(UNITS)).reshape(-1, 1, 1), cost.shape)
        cost, shares, unit = merit_order(cost, shares, unit)
        available = np.array([AVAILABLE.get(name, (1.0,) * len(BLOCK_LOAD)) for name in UNITS])
        by_block = np.stack([shares * np.take(each, unit) for each in available.T], axis=1)
        derated = shares * np.take(np.isin(UNITS, DERATED), unit)
        new = np.take(np.isin(UNITS, NEW_CAPACITY) * 1.0, unit)
        sums = (np.cumsum(each, axis=0) for each in (by_block, derated, new))
        return np.ascontiguousarray(cost), *map(np.ascontiguousarray, sums)

    def clear(self, utility):
        """Clear the blocks of a month for one utility or all: what `Utility.price_power` asks for.

        Data centres bid what their compute earns by the MWh, rent of old capacity / (8,760 h x PUE); a share of
        them leaves when power costs more. In a shortage the rest of them is cut before other users are.
        """
        cost, shares, derated, new = self.stacks()
        uplift = self._uplift
        if not isinstance(utility.row, slice):
            one = slice(utility.row, utility.row + 1)
            cost, shares, derated, new, uplift = (
                np.ascontiguousarray(each[..., one, :]) for each in (cost, shares, derated, new, uplift)
            )
        (other_load,) = as_layers(utility.block_load)
        capacity, added, heat, ai_load, peak_load, flexible, cap, contingency, spread = as_rows(
            utility.firm_capacity,
            utility.added,
            utility.heat,
            utility.ai_load,
            utility.load,
            utility.flexible_share,
            utility.price_cap,
            utility.contingency,
            utility.reserve_spread,
        )
        top, load, firm = (np.empty(other_load.shape) for _ in range(3))
        kept, lost, leaves, stays, bid = (np.empty(cap.shape) for _ in range(5))
        offer_and_ask(
            shares,
            new,
            derated,
            other_load,
            capacity,
            added,
            heat,
            self.maintenance,
            self.heat_derate,
            OFF_SEASON[self.model.month % 12],
            ai_load,
            flexible,
            self.model.compute_market.old_rent,
            self.model.power_contracts.pue,
            MWH_PER_GW_YEAR,
            cap,
            kept,
            lost,
            top,
            load,
            firm,
            leaves,
            stays,
            bid,
        )
        supply = shares, new, derated, cost, kept, added, lost, top
        stack = Stack(*supply, cap, contingency, spread, uplift)
        price = stack.price_at(load)
        off = stack.let_leave(price, firm, leaves, bid)
        if not self._always_on:
            (usual,) = as_rows(utility.reference_price)
            usual = np.minimum(usual * self.price_level, cap)
            price, off, firm = np.where(self.enabled, price, usual), off * self.enabled, firm * self.enabled
        cut, found = np.empty(price.shape), [np.empty(cap.shape) for _ in range(6)]
        cut_by_block(price, off, firm, top, stays, ai_load, peak_load, self.weights, cut, *found)
        return Clearing(price, cut, *found)

    @of_params
    def _uplift(self):
        """What congestion adds to the price in each region, ``(regions, worlds)``, US$/MWh."""
        return self.model.utilities.congestion * self.price_level

    @of_params
    def _always_on(self):
        return bool(self.enabled.all())

    # -- who knows what of whom -----------------------------------------------------------------------------

    def publish(self):
        """Publish what sites, utilities and commissions know of one another."""
        model, utilities, commissions = self.model, self.model.utilities, self.model.commissions
        load = np.empty(utilities.ai_load.shape)
        load_of_data_centres(
            model.sites.energised,
            self.carried_of_sites,
            self._region_of_sites,
            self._on_grid,
            model.power_contracts.pue,
            model.hyperscalers.capacity,
            model.opening_capacity,
            utilities.other_ai_share,
            load,
        )
        load.setflags(False)
        connecting, unpaid, ai_share = np.empty(load.shape), np.empty(load.shape), np.empty(load.shape)
        delay = np.empty(model.sites.energised.shape)
        tell_of_regions(
            commissions.verdict,
            commissions.upgrades_paid,
            commissions.delay_pressure,
            utilities.ai_load,
            utilities.load,
            self._revenue,
            self._region_of_sites,
            connecting,
            unpaid,
            ai_share,
            delay,
        )
        self.ai_load_of_utilities, self.ai_share_of_regions = load, ai_share
        self.connecting_of_utilities, self.unpaid_of_utilities = connecting, unpaid
        self.delay_pressure_of_sites = delay
        self.allowed_growth_of_utilities = commissions.allowed_now
        self.bills_of_regions = utilities.household_bill

    @cached_property
    def _revenue(self):
        """Revenue of each utility in the opening books, US$bn a year, ``(utilities, 1)``."""
        return np.array([[self.model.opening.party(name).revenue] for name in self.model.utilities.names])

    def queue(self):
        """Send halls to the utilities' queues: what next month would connect, and a month's delay for what waits.

        A region whose connections are used up delays the halls of its sites that lie ahead. An island does not
        queue: it waits for its turbines, `turbine_lead` months after they were ordered. What a site's own turbines
        carry does not queue either.
        """
        halls = self.model.halls
        utilities = self.model.utilities
        month = self.model.month
        shape = self.carried_of_sites.shape
        self.deliver_turbines()
        opening, delivered, own, asking = (np.empty(shape) for _ in range(4))
        ready = np.empty(utilities.queue.shape)
        some_open = ask_the_grid(
            month + 1,
            halls.ladder.amount,
            halls.ladder.start,
            halls.site,
            self._on_grid,
            self.model.power_contracts.pue,
            self.delivered_to_sites,
            self.arriving[month],
            self.carried_of_sites,
            self._region_of_sites,
            opening,
            delivered,
            own,
            asking,
            ready,
        )
        self.delivered_to_sites, self.ready_of_regions = delivered, ready
        utilities.do("connect")
        self.lose_requests()
        self.waits_of_sites = self._nobody_waits
        if not some_open:
            return
        waits, waited = np.empty(shape, dtype=bool), np.empty(shape, dtype=np.int64)
        carried, waiting = np.empty(shape), np.empty(shape)
        some_wait = wait_for_power(
            month,
            opening,
            self._on_grid,
            asking,
            own,
            utilities.queue,
            self._region_of_sites,
            self.turbine_lead,
            self.turbines_ordered,
            self.enabled,
            self.waited_of_sites,
            self.carried_of_sites,
            waits,
            waited,
            carried,
            waiting,
        )
        self.waits_of_sites, self.waited_of_sites, self.carried_of_sites = waits, waited, carried
        if some_wait:
            self.order_turbines(waiting)

    def deliver_turbines(self):
        """Let the makers work a month on the book of turbines, from which follow its wait and what utilities can build.

        backlog' = max(backlog + orders of others, utilities and owners - output / 12, 0), first come, first served,
        so that who orders now waits 12 x backlog / output months, a year at least.
        """
        month, row = self.model.month, (1, self.worlds)
        if month == 0:
            self.turbine_backlog = self.turbine_lead / 12.0 * self.turbine_output
        backlog, wait, built, speed = np.empty(row), np.empty(row), np.empty(row), np.empty(row)
        work_off_turbines(
            self.turbine_output,
            self.turbine_orders,
            self.model.utilities.added,
            self.built_before,
            self.booked,
            self.turbine_backlog,
            self.turbine_lead,
            self.keeps_book,
            LEAST_WAIT,
            MOST_WAIT,
            backlog,
            wait,
            built,
            speed,
        )
        self.turbine_backlog, self.turbine_wait, self.turbine_speed = backlog, wait, speed
        self.built_before, self.booked = built, self._nothing_booked

    @of_params
    def keeps_book(self):
        """Whether orders for turbines join one book, ``(1, worlds)``."""
        return self.turbine_book & self.enabled

    def order_turbines(self, waiting):
        """Order turbines for halls that wait ``(sites, worlds)``, GW, where the grid would take longer to come.

        The grid's wait: what is ready over what the utility connects in a year, for ever where it may connect none.
        """
        if not waiting.any():
            return
        utilities, sites = self.model.utilities, len(waiting)
        rate = utilities.connection_rate * self.connecting_of_utilities
        grid = 12.0 * utilities.queue / np.maximum(rate, 1e-3)
        slower = np.take(grid > self.turbine_wait, self._region_of_sites[:sites], axis=0)
        wanted = np.maximum(waiting - (self.on_order_of_sites - self.carried_of_sites), 0.0)
        new = wanted * (slower & self.keeps_book)
        if not new.any():
            return
        due = self.model.month + np.ceil(self.turbine_wait[0]).astype(np.int64)
        in_time = due < len(self.arriving)
        place = np.minimum(due, len(self.arriving) - 1), np.arange(sites)[:, None], np.arange(self.worlds)
        self.arriving[place] += new * in_time
        self.on_order_of_sites = self.on_order_of_sites + new
        self.book_turbines(self.model.halls.sites, new)

    def book_turbines(self, owners, gw):
        """Enter owners' orders into the book of turbines; `gw` has a row per owner."""
        self.booked = self.booked + total(gw)[None, :]
        self.model.history.event(
            "turbines ordered",
            owners,
            gw > 0.0,
            amount=gw * self.turbine_cost,
            because="the grid would take longer to come",
        )

    def publish_prices(self):
        """Publish curtailment and prices after the utilities have met their load.

        A site's own turbines run when the grid cuts it: what they carry is not cut.
        """
        utilities, sites = self.model.utilities, self.model.sites
        own_power, cut = np.empty(self.carried_of_sites.shape), np.empty(sites.energised.shape)
        over_reference = np.empty((len(self._regions_of_contracts), self.worlds))
        cuts_and_prices(
            sites.energised,
            self.model.power_contracts.pue,
            self._own,
            self.carried_of_sites,
            utilities.curtailed,
            utilities.paid_price,
            utilities.reference_price,
            self._region_of_sites,
            self._on_grid,
            self._regions_of_contracts,
            self._on_grid_of_contracts,
            own_power,
            cut,
            over_reference,
        )
        self.own_power_of_sites, self.curtailed_of_sites = own_power, cut
        self.price_over_reference_of_contracts = over_reference

    # -- announced capacity, and what binds ------------------------------------------------------------------

    @of_params
    def months_of_queue(self):
        """Months that a request spends in the stages of the connection queue, ``(1, worlds)``."""
        return connection_queue(1.0, STAGE_COMPLETION, STAGE_MONTHS).months * self.queue_level

    def wait_of_orders(self):
        """Whole months until capacity ordered now can be connected, ``(1, worlds)``: the queue less time served."""
        return self._wait_by_month[self.model.month][None, :]

    @of_params
    def _wait_by_month(self):
        """The same in every month of the horizon, ``(months, worlds)``."""
        left = np.ceil(self.months_of_queue - self.filed_before - np.arange(self.model.months)[:, None])
        return (np.maximum(left, 0.0) * self.enabled).astype(np.int64)

    def survival(self):
        """Share of the requests filed for announced capacity that are still in the queue, ``(1, worlds)``."""
        return self._survival_by_month[self.model.month][None, :]

    @of_params
    def _survival_by_month(self):
        """The same in every month of the horizon, ``(months, worlds)``."""
        age = np.arange(self.model.months)[:, None] + self.filed_before
        stages = (STAGE_MONTHS * self.queue_level)[:, None, :]
        stayed = queue_survival(age, STAGE_COMPLETION[:, None, :], stages)
        return np.exp(self.queue_attrition * np.log(stayed))

    def lost_at(self):
        """Survival in the queue at which an order placed this month loses the last of its requests, ``(1, worlds)``.

        Of n requests alive at the order, all are gone by an age x with probability (1 - S(x) / S(now))^n. One
        uniform u is inverted: the order falls out once S(x) <= S(now) (1 - u^(1 / n)).
        """
        return self._lost_at_by_month[self.model.month][None, :]

    @of_params
    def _lost_at_by_month(self):
        """The same in every month of the horizon, ``(months, worlds)``."""
        u = self.model.draw_all("connection requests")[:, 0]
        return self._survival_by_month * -np.expm1(np.log(u) / self.requests_per_order)

    def lose_requests(self):
        """Take back the orders of announced capacity whose last request has fallen out: they may be placed anew."""
        contracts = self.model.compute_contracts
        orders = contracts.orders
        lost, due = np.empty(orders.amount.shape, dtype=bool), (orders.start, orders.amount)
        if find_lost_orders(
            self.model.month, *due, contracts.lost_below, self.survival(), self.enabled, lost
        ):
            contracts.withdraw(lost)

    def find_binding(self):
        """Say what binds the lab's compute this month: chips, building, grid, credit or demand.

        Demand, where compute at hand covers what serving and training ask for. Else grid or building, whichever has
        delayed more the halls still ahead (a curtailed month counts as grid); else credit, where no builder finds
        finance for announced capacity; else chips: all is on plan, and the plan is what was ordered.
        """
        model, binding = self.model, np.empty(self.binding.shape, dtype=np.int64)
        lab, halls, contracts = model.openai, model.halls, model.compute_contracts
        find_what_binds(
            lab.available,
            lab.inference_need,
            lab.training_plan,
            lab.closed,
            halls.ahead,
            halls.energised,
            self.waited_of_sites,
            model.sites.slipped,
            self.curtailed_of_sites,
            contracts.buildable,
            contracts.announced_left,
            _CODES,
            binding,
        )
        self.binding = binding
