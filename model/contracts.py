"""The contracts of the compute chain: halls, take-or-pay, chip orders, leases, power.

Each class is a block with one row per contract. It opens its legs on the Ledger, and bills them each month.
"""

import operator

import numpy as np

from agents.worlds import Mechanism, Param, State, of_params
from model.hardware import Geometric
from model.kernels_contracts import (
    add_ahead,
    add_bills,
    add_last,
    add_sales,
    add_terms,
    add_up_compute,
    add_worth_of_terms,
    await_chips,
    bill_contracts,
    bill_heirs,
    bill_power,
    claim_damages,
    claim_rents,
    count_late,
    deliver,
    deliver_refreshed,
    end_contracts,
    fill_contracts,
    find_renewing,
    minimum_payments,
    open_rungs,
    place_orders,
    renew_contracts,
    rents_due,
    spread_over_building,
    worth_of_capacity,
    worth_of_floors,
)
from model.ladder import Ladder
from model.roles import LAB
from model.sums import adder_into, total

MWH_PER_GW_YEAR = 8.76e6
WORLD = "Rest of the world"
OPERATIONS, SECURED, UNSECURED, JUNIOR = 0, 1, 2, 3
"""Seniority: operating costs and power; rent, take-or-pay and secured debt; unsecured debt; bullets, chips."""


class Halls(Mechanism):
    """The halls of the sites, a rung each: when they get power, and when their chips are paid for.

    A hall is energised at its `start` and billed to the lab for `hall_term` months from then on. What delays a
    site moves every hall that lies ahead, and the payment for its chips if that lies ahead too.
    """

    group = "halls"

    hall_term = Param(
        60,
        "months",
        (24, 120),
        "Months for which each hall is billed from its own energisation.",
        source="calibration: commit_oracle_years",
        whole=True,
    )
    chip_price = Param(
        33.0,
        "US$bn per GW",
        (20.0, 60.0),
        "Price of the chips of a GW.",
        source="opening: chips_abilene (25 to 40)",
    )

    ahead = State("GW", "IT load not yet energised, per site")
    months_left = State("months", "months until the last hall of the site opens", dtype=int)
    energised = State("GW", "IT load energised, per site")
    contracted = State("GW", "IT load energised and inside its hall's term, per site")
    chips_due = State("US$bn", "chips to be paid this month, per site")

    schedules = (
        ("ladder", "GW of each hall, from its energisation for its term, (halls, worlds)"),
        ("chips", "payments for the chips of each hall, US$bn, (halls, worlds)"),
    )
    ladder = chips = None

    def __init__(self, model, opening):
        super().__init__(model)
        campuses, of_others = opening.roles.campuses, opening.roles.other_sites
        leases = [lease for lease in opening.contracts_of_kind("lease") if lease.creditor in campuses]
        others = [lease for lease in opening.contracts_of_kind("lease") if lease.creditor in of_others]
        self.complete_of_others = np.array([lease.start_month for lease in others], dtype=np.int64)
        self.sites = [lease.creditor for lease in leases]
        self.rows = len(leases)
        gw, start, site, chips = [], [], [], []
        for row, lease in enumerate(leases):
            already = lease.terms.get("energised_at_start_gw", 0.0)
            first, last = lease.terms["first_month"], lease.terms["full_month"]
            if already:
                gw, start, site, chips = [*gw, already], [*start, 0], [*site, row], [*chips, -1]
            count = last - first
            orders = opening.contracts_of_kind("chip order")
            order = next(order for order in orders if order.terms.get("site") == lease.creditor)
            pay = np.arange(order.start_month, order.start_month + count)
            gw += [(lease.gw - already) / count] * count
            start += list(range(first + 1, last + 1))
            site += [row] * count
            chips += list(pay)
        self.gw, self.planned, self.site, self.chip_month = map(np.array, (gw, start, site, chips))
        self.by_site = adder_into(self.site, self.rows)

    def sign(self):
        """Copy the terms in force into the ladders, once, at month 0."""
        shape = (len(self.gw), self.worlds)
        self.ladder = Ladder(
            np.broadcast_to(self.gw[:, None], shape),
            self.planned[:, None],
            np.repeat(self.hall_term, 1, axis=0),
        )
        price = self.gw[:, None] * self.chip_price
        self.chips = Ladder(price, self.chip_month[:, None], 1)
        nobody = np.zeros((self.rows, self.worlds), dtype=bool)
        self.open(nobody, nobody, self.model.sites.slip_months)

    @property
    def ahead_of_sites(self):
        """GW ahead of all site companies, ``(sites, worlds)``; others' sites, which come last, count months instead."""
        ahead, month, block = self._ahead
        if ahead is not self.ahead or month != self.model.month:
            left = self.months_left_of_others
            block = np.empty((self.rows + len(left), self.worlds))
            add_last(self.ahead, left.astype(float), block)
            self._ahead = self.ahead, self.model.month, block
        return block

    _ahead = None, None, None

    @property
    def months_left_of_sites(self):
        """Months until the last hall of each site company opens, ``(sites, worlds)``."""
        left = self.months_left_of_others
        block = np.empty((self.rows + len(left), self.worlds), dtype=np.int64)
        block[: self.rows], block[self.rows :] = self.months_left, left[:, None]
        return block

    @property
    def months_left_of_others(self):
        """Months until the sites of others are complete, ``(sites,)``: built from a bond sold in advance, on time."""
        return np.maximum(self.complete_of_others - self.model.month, 0)

    def delay(self, mask, months):
        """Delay the halls of the masked sites, ``(sites, worlds)``, that lie ahead."""
        self.ladder.delay(mask, months, self.model.month, self.site)
        self.chips.delay(mask, months, self.model.month, self.site)

    def open(self, waits, slips, slip_months):
        """Energise what is due: GW with power, GW under contract, GW ahead, chips to pay.

        First what lies ahead is delayed, by a month where a site `waits` for power and by its months where it slips;
        all ``(sites, worlds)``, the sites of halls first.
        """
        month, shape, ladder, chips = self.model.month, self.ahead.shape, self.ladder, self.chips
        is_late, late = np.empty(shape, dtype=bool), np.empty(shape, dtype=np.int64)
        if count_late(waits, slips, slip_months, is_late, late):
            self.delay(is_late, late)
        energised, contracted, ahead, chips_due = (np.zeros(shape) for _ in range(4))
        months_left = np.zeros(shape, dtype=np.int64)
        halls, orders = (ladder.amount, ladder.start, ladder.end), (chips.amount, chips.start, chips.end)
        found = energised, contracted, ahead, chips_due, months_left
        open_rungs(month, *halls, *orders, self.site, *found)
        self.energised, self.contracted, self.ahead = energised, contracted, ahead
        self.months_left, self.chips_due = months_left, chips_due


class ComputeContracts(Mechanism):
    """Take-or-pay contracts: payment = price x max(used, floor share x available), used <= available.

    Only energised, uncurtailed capacity is available, and only for what is available is anything owed. The contract of
    the cloud that leases the halls follows them; the others follow yearly amounts; the last row is what becomes firm of
    the announced capacity. After its term a contract's capacity is a pool: the lab renews what it needs at the lower of
    the old price and the rent of that vintage plus 10%; the rest is let to others. Where the owner of the chips
    replaces them (`Hardware.refresh`), the lab owes the floor for a new term instead.
    """

    group = "compute_contract"

    renewal_margin = Param(
        0.1, "share", (0.0, 0.5), "What a seller asks above the market rent to renew with a tenant in place."
    )
    renewal_term = Param(
        36,
        "months",
        (1, 120),
        "Mean term of a renewal, in which the lab owes the floor at the price agreed; 1: month by month.",
        source="assumed, from calibration: coreweave_contract_years (renewals of old chips for 1 to 3 years)",
        whole=True,
    )
    renews = Param(True, "yes/no", None, "Whether the lab may renew; off: expired capacity is let to others.")
    build_months = Param(24, "months", (6, 48), "Time to build announced capacity.", whole=True)
    build_cost = Param(
        40.0,
        "US$bn per GW",
        (25.0, 70.0),
        "Cost of a GW built, chips included.",
        source="calibration: capex_per_gw",
    )
    firm_term = Param(60, "months", (24, 120), "Term of capacity that becomes firm.", whole=True)
    discount_rate = Param(
        0.1,
        "per year",
        (0.0, 0.25),
        "Rate at which minimum payments to come are discounted, in damages and in what a lower price gives up.",
        source="assumed, as hardware.discount_rate",
    )

    price = State("US$bn per GW-year", "mean price of a GW under contract")
    first_price = State("US$bn per GW-year", "price of a GW in its first term")
    floor = State("share", "share of what is available that is paid for in any case")
    available = State("GW", "capacity available under contract")
    used = State("GW", "capacity used under contract")
    renewed = State("GW", "capacity renewed after its term and used or paid for")
    renewal_firm = State("GW", "renewed capacity whose renewal still runs")
    renewal_price = State("US$bn per GW-year", "mean price of the renewals that run")
    up_for_renewal = State("GW", "renewals agreed since owners last decided whether to replace their chips")
    awaiting = State("GW", "renewed capacity whose new chips are on their way")
    arrived = State("GW", "capacity that has got new chips this month")
    refreshed = State("GW", "capacity with new chips, available under a new term")
    relet = State("GW", "capacity let to others")
    peak = State("GW", "largest capacity so far")
    ended = State("yes/no", "terminated by rejection", dtype=bool)
    billed_year = State("US$bn", "billed since January under a yearly minimum")
    carried = State("US$bn", "shortfall of last year's minimum, due unless made up this year")
    announced_left_gw = State("GW", "announced and not yet firm")
    buildable_gw = State("GW", "announced capacity that could be financed this month")

    schedules = (
        ("orders", "announced capacity that has become firm, (quarters, worlds)"),
        ("own_power", "GW of turbines that each of these orders brings along"),
        (
            "lost_below",
            "share of the connection queue that must still be there for each of these orders not to be lost",
        ),
        (
            "new_terms",
            "GW with new chips, each for its new term, (contracts of chip owners x quarters, worlds)",
        ),
        ("term_price", "price of a GW-year of each new term, US$bn"),
    )
    names_of_rows = ()
    sales = orders = own_power = lost_below = live_share = new_terms = term_price = None
    some_up, some_new_terms, contract_of_term = False, False, None

    def __init__(self, model, opening):
        super().__init__(model)
        contracts = [
            *opening.contracts_of_kind("take-or-pay"),
            *opening.contracts_of_kind("announced capacity"),
        ]
        self._cloud, self._vehicle = opening.roles.cloud, opening.roles.vehicle
        self.contracts, self.rows = contracts, len(contracts)
        self.names_of_rows = [contract.id for contract in contracts]
        self.of_openai = np.array([c.debtor == LAB for c in contracts])
        self.on_halls = np.array([c.debtor == LAB and c.creditor == self._cloud for c in contracts])
        self.on_orders = np.array([c.kind == "announced capacity" for c in contracts])
        self._on_path = self.of_openai & ~self.on_halls & ~self.on_orders
        self.yearly_minimum = np.array([c.terms.get("shortfall_carry_years", 0) > 0 for c in contracts])
        # A contract in dollars alone is counted at the price of the one that follows the halls.
        of_halls = contracts[int(np.argmax(self.on_halls))].price
        self.opening_price = np.array([c.price or of_halls for c in contracts])
        self.opening_floor = np.array([c.terms.get("floor_share", 0.9) for c in contracts])
        follows, months = self.on_halls | self.on_orders, model.months + 61
        terms = zip(contracts, self.opening_price, follows, strict=True)
        self.gw_path = np.array(
            [np.zeros(months) if late else _gw_path(c, p, months) for c, p, late in terms]
        )
        self._most_ahead = np.maximum.accumulate(self.gw_path[:, ::-1], axis=1)[:, ::-1].T.copy()
        self.gw_until = np.pad(np.cumsum(self.gw_path, axis=1), ((0, 0), (1, 0)))
        self.year_minimum = self.opening_floor[:, None] * np.array([_by_year(row) for row in self.gw_path])
        self.year_minimum = self.year_minimum * self.opening_price[:, None]
        rest = contracts[-1]
        leads = [
            order.terms.get("payment_lead_months", 0) for order in opening.contracts_of_kind("chip order")
        ]
        self._chip_lead = max(leads)
        self.announced_gw = rest.amount / (rest.price * rest.tenor_months / 12.0)

    def open_accounts(self, ledger):
        """Open the legs: bills, yearly true-ups, pass-through, renewals, re-lettings, second owners."""
        buyers = [c.debtor for c in self.contracts]
        sellers = [c.creditor for c in self.contracts]
        self.seller = np.array([ledger.index[s] for s in sellers])
        self.buyer = np.array([ledger.index[b] for b in buyers])
        world = [WORLD] * self.rows
        self.bills = ledger.open_family("take-or-pay", buyers, sellers, seniority=SECURED)
        self.renewals = ledger.open_family("renewal", buyers, sellers, seniority=SECURED)
        self.relets = ledger.open_family("re-letting", world, sellers, cleared=False)
        self.inheritable = np.array([row for row, name in enumerate(buyers) if name != WORLD])
        heirs = [buyers[row] for row in self.inheritable]
        self.heirs = ledger.open_family(
            "take-or-pay to second owners", heirs, [WORLD] * len(heirs), seniority=SECURED
        )
        self.pass_through = ledger.open_family("power pass-through", [LAB], [self._cloud], seniority=SECURED)
        self.damages = ledger.open_family("damages", buyers, sellers, seniority=UNSECURED)
        chip_owners = self.model.hardware.owner
        self.with_chips = np.flatnonzero(self.of_openai & np.isin(self.seller, chip_owners))
        self.owner_of_chips = np.searchsorted(chip_owners, self.seller[self.with_chips])

    def sign(self):
        """Copy prices and floors into the contracts at month 0."""
        self.price = self.first_price = self.opening_price[:, None]
        self.set_floors(np.ones((1, self.worlds), dtype=bool))
        rungs = (self.model.months + 2) // 3 + 1
        self.orders = Ladder(np.zeros((rungs, self.worlds)), np.full((rungs, 1), 10**6), 0)
        self.contract_of_term = np.tile(self.with_chips, rungs)
        none = np.zeros((len(self.contract_of_term), self.worlds))
        self.new_terms, self.term_price = Ladder(none, np.full((len(none), 1), 10**6), 0), none
        self.own_power = self.lost_below = self.orders.amount
        self.announced_left_gw = np.where(self.on_orders[:, None], self.announced_gw, 0.0)

    def set_floors(self, mask):
        """Set the floors of the lab's contracts in proportion to `openai.floor_share`, in the masked worlds."""
        level = self.model.openai.floor_share / self.opening_floor[self.on_halls][0]
        opening = self.opening_floor[:, None]
        scaled = np.where(self.of_openai[:, None], np.clip(opening * level, 0.0, 1.0), opening)
        first = self.model.month == 0
        self.floor = np.where(mask | first, scaled, self.floor)

    @property
    def available_to_openai(self):
        """GW that the lab may use now, ``(1, worlds)``: under contract, or renewable at once."""
        gw, renews = np.empty((1, self.worlds)), self.renews
        add_up_compute(self.of_openai, self.available, self.peak, self.seller_alive, renews, gw)
        return gw

    @property
    def seller_alive(self):
        """Which sellers are in the market, ``(contracts, worlds)``."""
        closed, alive = self._alive
        if closed is not self.model.ledger.closed:
            closed = self.model.ledger.closed
            alive = ~closed.take(self.seller, axis=0)
            self._alive = closed, alive
        return alive

    _alive = None, None

    @property
    def bill_of_openai(self):
        """What the lab's compute costs at this month's bills, power passed through included, US$bn a year."""
        power, known = self.model.power_contracts, self._bill
        terms = self.yearly_minimum, self.used, self.floor, self.available, self.price
        terms = *terms, self.renewal_price, self.renewed, power.extra, power.pass_through
        if not all(map(operator.is_, terms, known[0])):
            bills = np.empty((1, self.worlds))
            add_bills(self.of_openai, *terms[:7], bills[0])
            bills += np.maximum(power.overrun * power.pass_through, 0.0) * 12.0
            known = self._bill = terms, bills
        return known[1]

    _bill = (None,) * 9, None

    @property
    def announced_left(self):
        """GW announced and not yet firm, ``(1, worlds)``."""
        return self.announced_left_gw[-1:]  # the last contract is what is announced

    @property
    def buildable(self):
        """GW for which a builder would find finance this month, ``(1, worlds)``."""
        return self.buildable_gw[-1:]

    def make_available(self):
        """Find what each contract can deliver: its path, its halls or its orders, less what is curtailed."""
        halls, orders = self.model.halls, self.orders
        if self.some_new_terms:
            self._take_in_chips()
        available, peak = np.empty(self.peak.shape), np.empty(self.peak.shape)
        live_share = np.empty((1, self.worlds))
        deliver(
            self.model.month,
            self.gw_path,
            self.on_halls,
            self.on_orders,
            halls.energised,
            halls.contracted,
            self.model.power.curtailed_of_sites,
            orders.amount,
            orders.start,
            orders.end,
            self.ended,
            self.peak,
            available,
            peak,
            live_share,
        )
        self.available, self.peak, self.live_share = available, peak, live_share
        if self.some_new_terms:
            self._deliver_refreshed()

    def _deliver_refreshed(self):
        """Add what has new chips to what contracts deliver, at prices agreed; what just got them is renewed no more."""
        halls, this_month = self.model.halls, np.ones((1, self.worlds), dtype=np.int64)
        gw, dues = self._terms_of(self.model.month, this_month)
        made = tuple(np.empty(self.price.shape) for _ in range(4))
        at_site = self.on_halls, halls.energised, self.model.power.curtailed_of_sites, self.ended
        given = gw, dues, self.first_price, self.arrived
        deliver_refreshed(*given, *at_site, self.available, self.renewal_firm, *made)
        self.available, self.refreshed, self.price, self.renewal_firm = made

    def _take_in_chips(self):
        """See which new chips have come, and which are still on their way; a failed owner's never come."""
        terms, shape = self.new_terms, self.price.shape
        awaiting, arrived = np.empty(shape), np.empty(shape)
        rungs, lost = (
            (self.contract_of_term, terms.amount, terms.start),
            np.empty(terms.amount.shape, dtype=bool),
        )
        if await_chips(self.model.month, *rungs, self.seller_alive, lost, awaiting, arrived):
            terms.withdraw(lost)
        self.awaiting, self.arrived = awaiting, arrived

    def agree_on_new_terms(self, gw, price):
        """Put GW with new chips ``(contracts of chip owners, worlds)`` under contract for another term, at a price.

        They are awaited for as long as a hall waits for its chips; a quarter's are a rung of each contract.
        """
        terms, some = self.new_terms, gw > 0.0
        made = amount, start, tenor, prices = [
            block.copy() for block in (terms.amount, terms.start, terms.tenor, self.term_price)
        ]
        rungs = slice(self.model.month // 3 * len(gw), (self.model.month // 3 + 1) * len(gw))
        agreed = gw, self.model.month + 1 + self._chip_lead, self.model.halls.hall_term, price
        for block, value in zip(made, agreed, strict=True):
            block[rungs] = np.where(some, value, block[rungs])
        terms.replace(amount=amount, start=start, tenor=tenor)
        self.term_price, self.some_new_terms = prices, True

    def renewing(self, pays):
        """Give the GW whose chips may be replaced, ``(contracts with chips, worlds)``, or None if there are none.

        Renewed since owners decided last, and out of its first term for good; `pays` ``(1, worlds)`` is 1 where the
        tenant pays its bills and 0 elsewhere.
        """
        out, most_ahead = np.empty((len(self.with_chips), self.worlds)), self._most_ahead[self.model.month]
        some = find_renewing(
            self.with_chips,
            self.up_for_renewal,
            self.renewal_firm,
            self.awaiting,
            self.ended,
            self.on_halls,
            self.on_orders,
            self.model.halls.contracted,
            most_ahead,
            self.available,
            self.refreshed,
            self.peak,
            pays,
            out,
        )
        return out if some else None

    @property
    def behind_promises(self):
        """GW behind what is promised of each contract: all that there was or, with new terms, what is under one."""
        return np.where(self.refreshed > 0.0, self.available, self.peak) if self.some_new_terms else self.peak

    def agree_on(self, price):
        """Take in a price that has been negotiated, ``(contracts, worlds)``, in place of the mean price there was."""
        if self.some_new_terms:
            cut = price / np.maximum(self.price, 1e-12)
            self.first_price = np.where(self.refreshed > 0.0, self.first_price * cut, price)
            self.term_price = self.term_price * cut.take(self.contract_of_term, axis=0)
        else:
            self.first_price = price
        self.price = price

    def _terms_of(self, first, months):
        """GW-months of new terms in `months` ``(1, worlds)`` from the `first` on, and 12 x their cost, by contract."""
        gw, dues, terms = np.empty(self.price.shape), np.empty(self.price.shape), self.new_terms
        given = terms.amount, self.term_price, terms.start, terms.end
        add_terms(self.contract_of_term, *given, first, months, gw, dues)
        return gw, dues

    def share_out(self):
        """Fill the contracts: first what is paid for anyway, then the rest pro rata, then renewals.

        Up to the floor, use costs nothing; above it, all contracts cost about the same.
        """
        used, pool, wanted = (np.empty(self.available.shape) for _ in range(3))
        fill_contracts(
            self.model.openai.compute_used,
            self.of_openai,
            self.floor,
            self.available,
            self.peak,
            self.seller_alive,
            self.renews,
            used,
            pool,
            wanted,
        )
        self.used, left = used, self._renew(wanted, pool)
        market = self.model.compute_market
        market.idle_pool, _, self.relet = market.let_of(left)

    def bill(self):
        """Bill the month: floors, yearly true-ups, renewals; collect re-letting rents from others."""
        ledger, month, power = self.model.ledger, self.model.month, self.model.power_contracts
        amount, billed, renewals, let = (np.empty(self.used.shape) for _ in range(4))
        handed_on = np.empty((1, self.worlds))
        bill_contracts(
            self.used,
            self.available,
            self.floor,
            self.price,
            self.yearly_minimum,
            self.billed_year,
            float(month % 12 != 0),
            self.renewed,
            self.renewal_price,
            self.relet,
            self.model.compute_market.old_rent,
            power.extra,
            power.pass_through,
            amount,
            billed,
            renewals,
            let,
            handed_on,
        )
        self.billed_year = billed
        if month % 12 == 11:
            amount = amount + self._true_up(month) * self.yearly_minimum[:, None]
        to_heirs = np.empty((len(self.inheritable), self.worlds))
        if bill_heirs(amount, self.inheritable, self.seller, self.buyer, ledger.closed, to_heirs):
            ledger.file(self.heirs, to_heirs)
        billed = ledger.bill(self.bills, amount)
        renewed = ledger.bill(self.renewals, renewals)
        paid = ledger.pay(self.relets, let)
        self.sales = np.empty(ledger.cash.shape)
        add_sales(billed, renewed, paid, self.seller, self.sales)
        ledger.bill(self.pass_through, handed_on)

    def _renew(self, wanted, pool):
        """Renew what is wanted beyond the renewals that run, at today's price; give what is left of the pool.

        Renewals run out evenly, 1 / term of them a month, so that no vintage of them has to be kept. The price of
        new ones is the lower of the old price and the rent of that vintage plus a margin; the mean price moves by
        the share that is new. Renewed is what is used, or paid for anyway.
        """
        firm, renewed, left = (np.empty(pool.shape) for _ in range(3))
        mean_price, up = self.renewal_price.copy(), self.up_for_renewal.copy()
        self.some_up = renew_contracts(
            wanted,
            self.of_openai,
            self.renews,
            pool,
            self.model.compute_market.old_rent,
            self.renewal_margin,
            self.renewal_term,
            self.ended,
            self.first_price,
            self.floor,
            self.renewal_firm,
            self.awaiting,
            firm,
            mean_price,
            renewed,
            left,
            up,
        )
        self.renewal_firm, self.renewal_price, self.renewed = firm, mean_price, renewed
        self.up_for_renewal = up
        return left

    def _true_up(self, month):
        """Charge in December what of last year's yearly minimum has not been made up since."""
        scale = self.floor / np.maximum(self.opening_floor[:, None], 1e-9)
        minimum = np.take(self.year_minimum, [month // 12], axis=1) * scale * ~self.ended
        owed = np.maximum(self.carried - np.maximum(self.billed_year - minimum, 0.0), 0.0)
        self.carried = np.maximum(minimum - self.billed_year, 0.0)
        return owed

    def firm_up(self):
        """Turn this month's new commitment into an order: built in `build_months`, then billed for its term.

        It starts at the lab's planning lead, or when the connection queue lets it, or turbines of its own where these
        come sooner: it then needs no connection. A quarter's orders are one.
        """
        power, orders, month = self.model.power, self.orders, self.model.month
        now = orders.amount, orders.start, orders.tenor, orders.end, self.lost_below, self.own_power
        amount, start, tenor, end, lost_below, own_power = (block.copy() for block in now)
        turbines, left = np.empty((1, self.worlds)), np.empty(self.price.shape)
        some, some_turbines = place_orders(
            month // 3,
            month,
            self.model.openai.new_commitment,
            power.turbine_wait,
            np.ceil(power.turbine_wait).astype(np.int64),
            power.wait_of_orders(),
            power.keeps_book,
            power.lost_at(),
            self.model.openai.planning_lead,
            self.firm_term,
            orders.stopped,
            self.model.power_contracts.pue,
            self.on_orders,
            self.announced_left_gw,
            amount,
            start,
            tenor,
            end,
            lost_below,
            own_power,
            turbines,
            left,
        )
        if not some:
            return
        orders.replace(amount=amount, start=start, tenor=tenor, end=end)
        self.announced_left_gw, self.own_power, self.lost_below = left, own_power, lost_below
        if some_turbines:
            power.book_turbines(self._vehicle, turbines)

    def withdraw(self, lost):
        """Take back the orders ``(rungs, worlds)`` that cannot be connected: announced again, and no longer built."""
        gw = total(np.where(lost, self.orders.amount, 0.0))[None, :]
        self.orders.withdraw(lost)
        self.announced_left_gw = self.announced_left_gw + self.on_orders[:, None] * gw
        self.model.history.event(
            "connection lost",
            self._vehicle,
            gw > 0.0,
            amount=gw * self.build_cost,
            because="the last of its requests fell out of the connection queue",
        )

    def costs_of_building(self):
        """Give what the vehicle must spend this month on orders under construction, and on their own power.

        Each ``(1, worlds)``, US$bn: evenly over the time to build.
        """
        building, turbines, orders = np.empty((1, self.worlds)), np.empty((1, self.worlds)), self.orders
        given = self.build_months, orders.start, orders.amount, self.own_power
        prices = self.build_cost, self.model.power.turbine_cost
        spread_over_building(self.model.month, *given, *prices, building, turbines)
        return building, turbines

    def firm_ahead(self, lead):
        """Give the GW under contract for the lab at month + `lead`, ``(1, worlds)``; `lead` is ``(1, worlds)``."""
        halls, orders, ahead = self.model.halls.ladder, self.orders, np.empty((1, self.worlds))
        rungs = halls.amount, halls.start, halls.end, orders.amount, orders.start, orders.end
        add_ahead(self.gw_path, self._on_path, self.model.month, lead, *rungs, ahead)
        if self.some_new_terms:
            terms = self.new_terms
            then = (terms.start <= self.model.month + lead) & (self.model.month + lead < terms.end)
            ahead = ahead + total(np.where(then, terms.amount, 0.0))
        return ahead

    def minimum_due(self, horizon):
        """Give what the lab owes under its contracts in the next `horizon` months, used or not, US$bn.

        The bill as it falls due, not its present value, ``(1, worlds)``.
        """
        return total(self.minimum_by_contract(horizon) * self.of_openai[:, None])[None, :]

    def minimum_by_contract(self, horizon):
        """Give the same for each contract of the lab, ``(contracts, worlds)``."""
        first, out = self.model.month + 1, np.empty(self.price.shape)
        horizon = horizon if np.ndim(horizon) else np.full((1, self.worlds), horizon)
        minimum_payments(
            self.model.month,
            horizon,
            self.gw_until,
            self._on_path,
            self.on_halls,
            self.on_orders,
            self.model.halls.ladder.due_in_all(first, horizon),
            self.orders.due_in_all(first, horizon),
            self.ended,
            self.renewal_firm,
            self._renewals_left.up_to(horizon),
            self.renewal_price,
            self.first_price,
            self.floor,
            out,
        )
        if self.some_new_terms:
            _, dues = self._terms_of(first, horizon)
            out = out + np.where(self.ended, 0.0, dues * self.floor / 12.0)
        return out

    @of_params
    def _renewals_left(self):
        """Sums of the share of renewals that still run, month by month."""
        return Geometric(self.renewals_kept)

    @of_params
    def renewals_kept(self):
        """Share of the renewals that run a month later still."""
        return np.maximum(1.0 - 1.0 / self.renewal_term, 1e-9)

    def worth_of_floors(self):
        """Give what the next five years' minimum payments are worth, and what of it re-letting would not bring.

        Each ``(contracts, worlds)``, US$bn, at `discount_rate`. The second are the damages if the buyer rejected the
        contract today: the floor at the contract's price less today's rent of old capacity, never negative.
        """
        first, worth, shape = self.model.month + 1, self._worth_of_months, self.price.shape
        halls = self.model.halls.ladder.worth_in_all(first, worth)
        orders = self.orders.worth_in_all(first, worth)
        gw_months, minimum, damages = np.empty(shape), np.empty(shape), np.empty(shape)
        capacity = self.gw_path, self.on_halls, self.on_orders, halls, orders
        worth_of_capacity(first, *capacity, worth, gw_months)
        terms, on_new_chips, dues = self.new_terms, np.empty(shape), np.empty(shape)
        rungs = terms.amount, self.term_price, terms.start, terms.end
        add_worth_of_terms(self.contract_of_term, *rungs, first, worth, on_new_chips, dues)
        promised = gw_months, self.renewal_firm, self._worth_of_renewals, on_new_chips, dues
        prices = self.first_price, self.renewal_price, self.floor, self.model.compute_market.old_rent
        worth_of_floors(*promised, *prices, self.ended, minimum, damages)
        return minimum, damages

    @of_params
    def _worth_of_months(self):
        """What 1 a month is worth over the first so many months of five years, ``(61, worlds)``."""
        return Geometric(1.0 / (1.0 + self.discount_rate / 12.0)).up_to(np.arange(61.0)[:, None])

    @of_params
    def _worth_of_renewals(self):
        """What 1 a month is worth over five years in which a share of renewals ends each month, ``(1, worlds)``."""
        return Geometric(self.renewals_kept / (1.0 + self.discount_rate / 12.0)).up_to(60.0)

    def terminate(self, closed):
        """End the contracts whose buyer has left; file damages, where the seller is still in the market.

        `closed` is ``(parties, worlds)``: parties that reached legal default this month.
        """
        shape = self.ended.shape
        gone, ended, claim = np.empty(shape, dtype=bool), np.empty(shape, dtype=bool), np.empty(shape)
        if not end_contracts(closed, self.buyer, self.ended, gone, ended):
            return
        _, damages = self.worth_of_floors()
        claim_damages(gone, self.seller_alive, damages, claim)
        self.model.ledger.file(self.damages, claim)
        self.ended = ended


def _gw_path(contract, price, months):
    """GW of each month of a contract with yearly amounts, in US$bn, at its price of a GW-year."""
    path = np.zeros(months)
    yearly = contract.terms.get("yearly")
    last = min(contract.start_month + contract.tenor_months, months)
    if yearly is None:
        path[contract.start_month : last] = contract.amount / contract.tenor_months * 12.0 / price
        return path
    for year, amount in enumerate(yearly):
        live = range(max(12 * year, contract.start_month), min(12 * year + 12, last))
        for month in live:
            path[month] = amount / len(live) * 12.0 / price
    return path


def _by_year(path):
    """GW-years of each calendar year of a monthly path."""
    padded = np.concatenate([path, np.zeros(-len(path) % 12)])
    return padded.reshape(-1, 12).sum(axis=1) / 12.0  # bit-safe: constants


class Leases(Mechanism):
    """Triple-net leases: rent = yearly rent at full capacity x energised share x escalator.

    When the tenant is gone the site is let to another at a share of the rent after a delay.
    """

    group = "lease"

    rent_level = Param(
        1.0, "x", (0.7, 1.4), "Rent over the rent of the opening books.", source="opening: lease_*"
    )
    escalator = Param(0.02, "per year", (0.0, 0.05), "Yearly rise of the rent.", source="opening: lease_*")
    relet_delay = Param(9, "months", (0, 36), "Months until an empty site has a new tenant.", whole=True)
    relet_share = Param(0.65, "share", (0.0, 1.2), "Share of the old rent that a new tenant pays.")
    claim_cap_share = Param(
        0.15,
        "share",
        (0.05, 1.0),
        "Share of the remaining rent that a landlord may claim after rejection, within one and three years.",
        source="opening: lease_* (bankruptcy code, section 502(b)(6))",
    )

    rent_due = State("US$bn", "rent of the month at the contract")
    empty_since = State("months", "months without a tenant", dtype=int)
    rent_billed = State("US$bn", "rent billed to the tenant")
    rent_from_others = State("US$bn", "rent paid by a new tenant")

    def __init__(self, model, opening):
        super().__init__(model)
        self.contracts = opening.contracts_of_kind("lease")
        self.memos = opening.contracts_of_kind("lease memo")
        self.rows = len(self.contracts)
        self.full_rent = np.array([c.price for c in self.contracts])
        self.full_gw = np.array([c.gw for c in self.contracts])
        self.start = np.array([c.start_month for c in self.contracts])
        self.tenor = np.array([c.tenor_months for c in self.contracts])
        self.end = self.start + self.tenor
        self.memo_rent = np.array([memo.price * memo.gw for memo in self.memos])
        self.memo_years = np.array([memo.tenor_months / 12.0 for memo in self.memos])
        running = np.maximum(np.arange(model.months)[:, None] - self.start, 0)
        self._months_running = running[:, :, None].astype(float)

    def open_accounts(self, ledger):
        """Open the legs: rent, rent of a new tenant, rent to a second owner, claims after rejection."""
        tenants, landlords = [c.debtor for c in self.contracts], [c.creditor for c in self.contracts]
        self.tenant = np.array([ledger.index[name] for name in tenants])
        self.landlord = np.array([ledger.index[name] for name in landlords])
        world = [WORLD] * self.rows
        self.rents = ledger.open_family("rent", tenants, landlords, seniority=SECURED)
        self.others = ledger.open_family("rent of a new tenant", world, landlords, cleared=False)
        self.heirs = ledger.open_family("rent to second owners", tenants, world, seniority=SECURED)
        self.claims = ledger.open_family("lease claim", tenants, landlords, seniority=UNSECURED)
        memo = [c.debtor for c in self.memos]
        self.memo_tenant = np.array([ledger.index[name] for name in memo])
        self.memo_claims = ledger.open_family(
            "claim of other landlords", memo, [WORLD] * len(memo), seniority=UNSECURED
        )

    @of_params
    def _rise_by_month(self):
        """Rent over that of each lease's start in every month of the horizon, ``(months, leases, worlds)``."""
        return np.exp(np.log1p(self.escalator) * self._months_running / 12.0)

    def bill(self):
        """Bill rent for energised capacity; collect it from a new tenant where the old one has gone."""
        ledger, month, shape = self.model.ledger, self.model.month, self.rent_due.shape
        due, to_heirs, let = np.empty(shape), np.empty(shape), np.empty(shape)
        empty = np.empty(shape, dtype=np.int64)
        some_to_heirs = rents_due(
            month,
            self.model.sites.energised,
            self._rise_by_month[month],
            self.full_gw,
            self.full_rent,
            self.rent_level,
            self.start,
            self.tenor,
            self.tenant,
            self.landlord,
            ledger.closed,
            self.empty_since,
            self.relet_share,
            self.relet_delay,
            due,
            empty,
            to_heirs,
            let,
        )
        self.rent_due, self.empty_since = due, empty
        self.rent_billed = ledger.bill(self.rents, due)
        if some_to_heirs:
            ledger.file(self.heirs, to_heirs)
        self.rent_from_others = ledger.pay(self.others, let)

    def reject(self, closed):
        """File the landlord's capped claim where the tenant reached legal default this month."""
        ledger, claims = self.model.ledger, np.empty(self.rent_due.shape)
        memo_claims = np.empty((len(self.memos), self.worlds))
        parties = (self.tenant, self.landlord, self.memo_tenant)
        terms = (self.memo_rent, self.memo_years, self.end)
        rents = self.model.month, *terms, self.claim_cap_share, self.rent_due
        if claim_rents(closed, ledger.closed, *parties, *rents, claims, memo_claims):
            ledger.file(self.memo_claims, memo_claims)
            ledger.file(self.claims, claims)


class PowerContracts(Mechanism):
    """Power of the tenant's halls: hedged share at the contract price, the rest at the region's price.

    bill = GW x PUE x 8,760 h x (hedged x strike + (1 - hedged) x strike x regional price / reference)
    + demand charge x max(load, minimum take x contract); what a site's own turbines carry costs their price instead.
    """

    group = "power_contract"

    pue = Param(
        1.2,
        "ratio",
        (1.05, 1.6),
        "Facility load over IT load.",
        source="calibration: pue_ai",
    )
    pass_through = Param(
        0.5,
        "share",
        (0.0, 1.0),
        "Share of power cost above the contract price that the cloud hands on to the lab.",
        source="opening: top_oracle (assumed, 0 to 1)",
    )
    hedge = Param(
        1.0,
        "x",
        (0.0, 1.4),
        "Hedged share over the hedged share of the opening books.",
        source="opening: power_*",
    )
    strike_level = Param(1.0, "x", (0.5, 3.0), "Contract prices over those of the opening books.")

    cost = State("US$bn", "power bill of the month")
    extra = State("US$bn", "bill above what the contract price would have cost")

    def __init__(self, model, opening):
        super().__init__(model)
        self.contracts = opening.contracts_of_kind("power contract")
        self.rows = len(self.contracts)
        self.gw = np.array([c.gw for c in self.contracts])[:, None]
        self.strike = np.array([c.price for c in self.contracts])[:, None]
        self.hedged = np.array([c.terms["hedged_share"] for c in self.contracts])[:, None]
        self.minimum_take = np.array([c.terms["minimum_take"] for c in self.contracts])[:, None]
        self.demand_charge = np.array([c.terms.get("demand_charge", 0.0) for c in self.contracts])[:, None]
        self.site = np.array([opening.roles.campuses.index(c.terms["site"]) for c in self.contracts])

    def open_accounts(self, ledger):
        """Open the legs from tenant to utility."""
        self.regions = [c.creditor for c in self.contracts]
        self.tenant = np.array([ledger.index[c.debtor] for c in self.contracts])
        self.bills = ledger.open_family(
            "power", [c.debtor for c in self.contracts], self.regions, seniority=OPERATIONS
        )

    def bill(self):
        """Bill energy and demand for what is energised and not curtailed."""
        power, shape = self.model.power, self.cost.shape
        cost, extra = np.empty(shape), np.empty(shape)
        bill_power(
            MWH_PER_GW_YEAR,
            self.model.halls.energised,
            power.curtailed_of_sites,
            power.own_power_of_sites,
            self.site,
            self.pue,
            self.strike,
            self.strike_level,
            self.hedged,
            self.hedge,
            power.price_over_reference_of_contracts,
            power.own_power_price,
            self.minimum_take,
            self.gw,
            self.demand_charge,
            cost,
            extra,
        )
        self.cost, self.extra = cost, extra
        self.model.ledger.bill(self.bills, cost)

    @property
    def overrun(self):
        """What power cost above the contract prices last, ``(1, worlds)``, US$bn."""
        return total(self.extra)[None, :]
