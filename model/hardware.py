"""Chips that age: what they are worth, what the books say, and when they are switched off."""

import numpy as np

from agents.worlds import Mechanism, Param, State, of_params
from model.kernels_hardware import (
    buy_and_wear,
    replace_where_it_pays,
    swap_chips,
    value_over_book,
    value_vintages,
    wear_of_assets,
)
from model.roles import LAB


class Geometric:
    """Sums of powers of one `factor` > 0: what depends on the factor alone is computed once."""

    def __init__(self, factor):
        factor = np.asarray(factor, dtype=float)
        self._flat = np.abs(1.0 - factor) < 1e-12
        self._somewhere_flat = self._flat.any()
        self._step = np.where(self._flat, 0.5, factor)
        self._log, self._rest = np.log(self._step), 1.0 - self._step

    def up_to(self, count):
        """Give factor + factor^2 + ... + factor^count; `count` broadcasts against the factor."""
        powers = self._step * -np.expm1(count * self._log) / self._rest
        return np.where(self._flat, count, powers) if self._somewhere_flat else powers


class UserCost:
    """The value of something that earns rent, at one `decline` of the rent and one `rate` of interest, per month.

    V = sum_{k=1..K} (rent (1 - decline)^k - cost) / (1 + rate)^k with K = `months_of_life`, in closed form. Rent
    and cost per month; the value in the unit of the rent. It obeys rent_1 - cost = rate V_0 + V_0 - V_1.
    Source: Jorgenson (1963), user cost.
    """

    def __init__(self, decline, rate=0.0):
        decline, discount = np.asarray(decline, dtype=float), 1.0 / (1.0 + np.asarray(rate, dtype=float))
        self._falls = decline > 0.0
        self._speed = np.where(self._falls, -np.log1p(-np.where(self._falls, decline, 0.5)), 1.0)
        self._of_rent, self._of_cost = Geometric((1.0 - decline) * discount), Geometric(discount)

    def months_of_life(self, rent, running_cost, most=240.0):
        """Give for how many months to come the falling rent exceeds the running cost.

        rent (1 - decline)^k > cost for k = 1, ..., the answer; never more than `most`. The month after it the
        chips are switched off.
        """
        cover = np.log(np.maximum(rent, 1e-12) / np.maximum(running_cost, 1e-12))
        life = np.floor(cover / self._speed)
        if not self._falls.all():
            life = np.where(self._falls, life, np.where(cover > 0.0, most, 0.0))
        return np.minimum(np.maximum(life, 0.0), most)

    def value(self, rent, running_cost, most=240.0):
        """Give the present value of rent less running cost, month by month until it pays to switch off."""
        life = self.months_of_life(rent, running_cost, most)
        return np.maximum(rent * self._of_rent.up_to(life) - running_cost * self._of_cost.up_to(life), 0.0)

    def value_let(self, price, term, rent, running_cost, most):
        """Give the value of what is let at a fixed price for a term, and earns the falling rent after it.

        sum_{k=1..T} (price - cost) / (1 + rate)^k + sum_{k=T+1..K} (rent (1 - decline)^k - cost) / (1 + rate)^k, with
        T the `term`, at most `most`, and K the `months_of_life`; nothing of the second sum where K <= T.
        """
        term, life = np.minimum(term, most), self.months_of_life(rent, running_cost, most)
        in_term, later = self._of_cost.up_to(term), np.maximum(life, term)
        of_rent = self._of_rent.up_to(later) - self._of_rent.up_to(term)
        return price * in_term + rent * of_rent - running_cost * self._of_cost.up_to(later)

    def annuity_of_rent(self, months):
        """Give the present value over `months` of a rent that falls from 1 a month, whatever it costs."""
        return self._of_rent.up_to(months)

    def annuity(self, months):
        """Give the present value of 1 a month over `months`."""
        return self._of_cost.up_to(months)


REPLACED = "a new term on new chips is worth more than they cost and the old ones would still earn"


class Hardware(Mechanism):
    """The chips of those who order them for the lab, or of the lab, by owner and year of purchase.

    The books write them off evenly. Each quarter they are valued: at market rents of their vintage (dark), and with
    what their tenant has promised on top (in use); what the books say above the value in use is written off. When the
    lab renews what has come out of its term, the owner may replace the chips for a new term. With `enabled` off all
    real assets lose the owner's yearly rate, chips are worth their book value, and nobody replaces them.
    """

    group = "hardware"

    enabled = Param(True, "yes/no", None, "Whether chips are valued apart from other real assets.")
    book_life = Param(
        72, "months", (24, 96), "Months over which the books write chips off.",
        source="calibration: depreciation_life_accounting", whole=True,
    )  # fmt: skip
    physical_life = Param(
        108, "months", (36, 180), "Age at which chips are scrapped at the latest.",
        source="assumed, from calibration: gpu_failure_rate", whole=True,
    )  # fmt: skip
    discount_rate = Param(
        0.1, "per year", (0.0, 0.25), "Rate at which rents to come are discounted.",
        source="calibration: gpu_private_credit_all_in (0.12, for borrowers with a contract less)",
    )  # fmt: skip

    refreshes = Param(
        True,
        "yes/no",
        None,
        "Whether owners may replace chips when the lab renews; off: the old ones work on.",
    )

    chip_book = State("US$bn", "book value of chips")
    value_dark = State("US$bn", "value of chips at market rents, without a tenant")
    value_in_use = State("US$bn", "value of chips with what the tenant has promised")
    impaired = State("US$bn", "written off so far because the value had fallen below the books")
    write_down = State("US$bn", "written off for that reason this month")
    due = State("GW", "new chips for halls that stand, to be paid next month")
    replaced = State("GW", "chips for which new ones have been ordered so far")
    scrapped = State("US$bn", "book value written off so far of chips that were replaced")

    schedules = (
        ("_cost", "paid for the chips of each year and owner, US$bn, (years, owners, worlds)"),
        ("_book", "what of that the books have not written off"),
        ("_gw", "GW of chips of each year and owner"),
        (
            "_broken",
            "log of gains with another architecture when the chips of a year were new, (years, worlds)",
        ),
    )
    names_of_rows = ()
    some_due = False
    measures = ("chip_book", "value_dark", "value_in_use", "impaired", "replaced")

    def open_accounts(self, ledger):
        """Find who orders chips; the accounts have opened the legs of the orders by then."""
        self.owner, of_order = np.unique(self.model.accounts.chips.payer, return_inverse=True)
        self.rows = len(self.owner)
        self.names_of_rows = tuple(ledger.parties[row] for row in self.owner)
        turnkey = self.model.opening.roles.turnkey
        self._turnkey, self._owner_of_order = np.isin(self.names_of_rows, turnkey), of_order
        years = -(-self.model.months // 12)
        self._cost, self._book, self._gw = np.zeros((3, years, self.rows, self.worlds))
        self._broken = np.zeros((years, self.worlds))

    def age(self):
        """Let a month pass: take in what was bought, write off, and each quarter value what is left.

        Returns the change of the real assets of all parties, ``(parties, worlds)``, US$bn: chips evenly or to their
        value, the rest at a yearly rate.
        """
        model, ledger, year = self.model, self.model.ledger, self.model.month // 12
        if model.month % 12 == 0:
            self._broken[year] = model.technology.broken[0]
        chip_book, worn = np.empty(self.chip_book.shape), np.empty(self.chip_book.shape)
        gone = self._swap(year) if model.compute_contracts.some_new_terms else None
        buy_and_wear(
            year,
            ledger.flow,
            model.accounts.chips.legs.start,
            self._owner_of_order,
            self._turnkey,
            model.compute_contracts.build_cost,
            model.halls.chip_price,
            model.chip_price_level,
            self.owner,
            ledger.closed,
            self.enabled,
            self.book_life,
            self._cost,
            self._book,
            self._gw,
            chip_book,
            worn,
        )
        self.chip_book = chip_book
        worn = worn if gone is None else worn + gone
        if model.month % 3 == 2:
            self._value(year + 1)
        elif model.month % 3 == 0:
            self.write_down = np.zeros(chip_book.shape)
        change, rate = np.empty(ledger.cash.shape), model.party_block("depreciation")
        worn_and_kept = self.owner, worn, self.write_down, self.chip_book
        wear_of_assets(ledger.real_assets, rate, *worn_and_kept, change)
        return change

    def _swap(self, year):
        """Take in the new chips that were paid for, and scrap those in whose place others have come; give their books.

        A hall has room for one or the other: chips without a hall earn nothing, so what the books have left is lost.
        """
        model, scrapped = self.model, np.empty(self.scrapped.shape)
        contracts, bought = model.compute_contracts, model.accounts.new_chips.legs.start
        arrived = contracts.arrived.take(contracts.with_chips, axis=0)
        prices = model.halls.chip_price, model.chip_price_level
        legs = model.ledger.flow, bought, contracts.owner_of_chips, arrived
        who = self.owner, model.ledger.closed
        swap_chips(year, *legs, *prices, *who, self._cost, self._book, self._gw, scrapped)
        self.scrapped, self.due, self.some_due = self.scrapped + scrapped, np.zeros(scrapped.shape), False
        return scrapped

    def refresh(self):
        """Let owners replace, each quarter, chips for which the lab has renewed, where that gains them something.

        Replace where the value of new chips, let for a new term, less their price, exceeds that of the old ones, let as
        they are renewed; as far as the money is there. Nobody buys for a tenant in arrears. Source: replacement of
        vintages by the net present value of challenger and defender, at the user cost of Jorgenson (1963).
        """
        model, contracts = self.model, self.model.compute_contracts
        if model.month % 3 != 2 or not contracts.some_up:
            return
        renewing = contracts.renewing(self._paying) if self._somewhere else None
        if renewing is not None:
            self._replace_chips(renewing, model.halls.chip_price * model.chip_price_level)
        contracts.up_for_renewal = np.zeros(contracts.price.shape)

    @of_params
    def _somewhere(self):
        """Whether chips are replaced in any world at all."""
        return bool((self.enabled & self.refreshes).any())

    @property
    def _paying(self):
        """1 where chips may be replaced for the lab, which is in the market and not in arrears; else 0."""
        model, lab = self.model, self.model.row(LAB)
        late = (model.solvency.months_missed[lab] > 0) | model.ledger.closed[lab]
        return np.where(late, 0.0, self.refreshes & self.enabled)

    def _replace_chips(self, renewing, chip_price):
        """Order chips where replacing gains something, and agree on a new term for them."""
        contracts, price = self.model.compute_contracts, self.new_price
        if not (self._net_of_price(price) > 0.0).any():  # what old chips are worth would come off that
            return
        gain, ordered = self.gain_of_replacing(price), np.empty(price.shape)
        affordable, owned = self.money_for_chips() / chip_price, self._gw[: gain.shape[1]]
        awaiting = contracts.awaiting.take(contracts.with_chips, axis=0)
        of = contracts.owner_of_chips
        if replace_where_it_pays(of, gain, owned, renewing, awaiting, affordable, ordered):
            contracts.agree_on_new_terms(ordered, price)
            self._order(ordered, chip_price)

    def _order(self, ordered, price):
        """Order so many GW for each contract: paid next month, and told."""
        due = np.zeros(self.due.shape)
        for gw, row in zip(ordered, self.model.compute_contracts.owner_of_chips, strict=True):
            due[row] += gw
        self.due, self.replaced, self.some_due = due, self.replaced + due, True
        said = self.names_of_rows, due > 0.0, due * price
        self.model.history.event("chips replaced", *said, counterparty="Chip vendor", because=REPLACED)

    @property
    def new_price(self):
        """Price of a GW-year with new chips, ``(contracts, worlds)``: at most the old one, or the rent and a margin."""
        contracts, rent = self.model.compute_contracts, self.model.compute_market.rent
        return self._asked(contracts, rent)

    @staticmethod
    def _asked(contracts, rent):
        first = contracts.first_price.take(contracts.with_chips, axis=0)
        return np.minimum(first, rent * (1.0 + contracts.renewal_margin))

    def gain_of_replacing(self, price):
        """Give what a GW of each vintage gains its owner when it is replaced, ``(contracts, vintages, worlds)``, US$bn.

        `price`: of a GW-year with new chips, ``(contracts, worlds)``.
        """
        return self._net_of_price(price)[:, None] - self._value_renewed()

    def _net_of_price(self, price):
        """Value of a GW of new chips, let for a term at a price and then at the rent, less what it costs."""
        market, halls = self.model.compute_market, self.model.halls
        rent, cost = market.rent / 12.0, market.running_cost / 12.0
        let = self.user_cost.value_let(price / 12.0, halls.hall_term, rent, cost, self.physical_life)
        return let - halls.chip_price * self.model.chip_price_level

    def _value_renewed(self):
        """Value of a GW of each vintage whose renewal runs: dark, and what it is let for above the rent on top."""
        contracts, market = self.model.compute_contracts, self.model.compute_market
        vintages = self.model.month // 12 + 1
        rent, life_left, age = self._rents_of(vintages)
        dark = self.user_cost.value(rent, market.running_cost / 12.0, life_left)
        renewed_rent, renewed = (table.take(age, 0) for table in self._renewed_by_age)
        price = self._asked(contracts, market.old_rent)[:, None] / 12.0
        return dark + np.maximum(price * renewed - rent * renewed_rent, 0.0)

    def money_for_chips(self):
        """Give what owners can spend on new chips, ``(owners, worlds)``, US$bn, with the loans that pay part of them.

        Cash above the buffer and unsecured debt; the Stargate vehicle, equity pledged and a willing sponsor. Nothing in
        a credit freeze, for who is in arrears or gone.
        """
        model, partners, accounts = self.model, self.model.partners, self.model.accounts
        vehicle = model.opening.roles.vehicle
        own = np.maximum(partners.cash - partners.minimum_cash, 0.0) + partners.debt_room
        drawable = model.loans.undrawn_on_chips
        shut = model.ledger.closed | (model.solvency.months_missed > 0) | model.credit.frozen
        money = np.zeros((self.rows, self.worlds))
        for row, name in enumerate(self.names_of_rows):
            if name in partners.names:
                have = own[partners.names.index(name)]
                if name == vehicle:
                    have = (model.pledges.uncalled * model.credit.openness * model.sponsor_willing)[0]
                part = accounts.drawn_share.get(name, 0.0 * have[None])[0]
                loan = drawable[self.owner[row]]
                most = np.minimum(have / np.maximum(1.0 - part, 1e-9), have + loan)
                money[row] = np.where(shut[self.owner[row]], 0.0, most)
        return money

    def _rents_of(self, vintages):
        """Rent of a month, months left and age of the first so many vintages, each ``(vintages, ...)``."""
        market = self.model.compute_market
        age = np.maximum(self.model.month - 12 * np.arange(vintages) - 6, 0)
        discount, life_left = (table.take(age, 0) for table in self._by_age[:2])
        lost = market.architecture_hit * (self.model.technology.broken - self._broken[:vintages])
        return market.rent * discount * np.exp(-lost * market.enabled) / 12.0, life_left, age

    @of_params
    def _renewed_by_age(self):
        """Present values of a rent that falls from 1 a month, and of 1 a month, while a renewal runs.

        Renewals run out evenly, at the latest with the chips; a row for each month of their age.
        """
        contracts, left = self.model.compute_contracts, self._by_age[1]
        decline = self.model.compute_market.monthly_decline
        discount = contracts.renewals_kept / (1.0 + self.discount_rate / 12.0)
        return Geometric((1.0 - decline) * discount).up_to(left), Geometric(discount).up_to(left)

    def _value(self, vintages):
        """Value the first so many vintages dark and in use, and write them down to the value in use."""
        market, contracts = self.model.compute_market, self.model.compute_contracts
        rent, life_left, age = self._rents_of(vintages)
        promised_rent, promised = (table.take(age, 0) for table in self._by_age[2:])
        chip_book, dark, in_use, write_down = (np.empty(self.chip_book.shape) for _ in range(4))
        value_vintages(
            self.user_cost.value(rent, market.running_cost / 12.0, life_left),
            rent * promised_rent,
            promised,
            contracts.price,
            contracts.seller,
            contracts.available,
            contracts.behind_promises,
            self.owner,
            self.model.ledger.closed,
            self.enabled,
            self._gw[:vintages],
            self._book[:vintages],
            chip_book,
            dark,
            in_use,
            write_down,
        )
        self.chip_book = chip_book
        self.value_dark = dark
        self.value_in_use = in_use
        self.write_down = write_down
        self.impaired = self.impaired + write_down

    @of_params
    def user_cost(self):
        """What a rent is worth that falls as that of a vintage does, at the rate of discount."""
        return UserCost(self.model.compute_market.monthly_decline, self.discount_rate / 12.0)

    @of_params
    def _by_age(self):
        """What follows from the age of chips, a row for each month of it, ``(months, worlds)``.

        Their rent over that of the newest, the months until they are scrapped, and the present values of a rent that
        falls from 1 a month, and of 1 a month, until their promise ends.
        """
        age = np.arange(self.model.months)[:, None]
        promised_for = np.maximum(self.model.halls.hall_term - age, 0)
        return (
            self.model.compute_market.discount_of_age(age / 12.0),
            np.maximum(self.physical_life - age, 0),
            self.user_cost.annuity_of_rent(promised_for),
            self.user_cost.annuity(promised_for),
        )

    @property
    def asset_value_share(self):
        """Value over book value of all real assets of every party, chips dark, at most 1, ``(parties, worlds)``."""
        assets = self.model.ledger.real_assets
        share = np.empty(assets.shape)
        value_over_book(assets, self.owner, self.chip_book, self.value_dark, share)
        return share
