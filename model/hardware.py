"""Chips that age: what they are worth, what the books say, and when they are switched off."""

import numpy as np

from agents.worlds import Mechanism, Param, State, of_params
from model.kernels_hardware import buy_and_wear, value_over_book, value_vintages, wear_of_assets


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

    def annuity_of_rent(self, months):
        """Give the present value over `months` of a rent that falls from 1 a month, whatever it costs."""
        return self._of_rent.up_to(months)

    def annuity(self, months):
        """Give the present value of 1 a month over `months`."""
        return self._of_cost.up_to(months)


class Hardware(Mechanism):
    """The chips of those who order them for the lab, or of the lab, by owner and year of purchase.

    The books write them off evenly. Each quarter they are valued: at market rents of their vintage (dark), and with
    what their tenant has promised on top (in use); what the books say above the value in use is written off. With
    `enabled` off all real assets lose the owner's yearly rate, and chips are worth their book value.
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

    chip_book = State("US$bn", "book value of chips")
    value_dark = State("US$bn", "value of chips at market rents, without a tenant")
    value_in_use = State("US$bn", "value of chips with what the tenant has promised")
    impaired = State("US$bn", "written off so far because the value had fallen below the books")
    write_down = State("US$bn", "written off for that reason this month")

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
    measures = ("chip_book", "value_dark", "value_in_use", "impaired")

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
        if model.month % 3 == 2:
            self._value(year + 1)
        elif model.month % 3 == 0:
            self.write_down = np.zeros(chip_book.shape)
        change, rate = np.empty(ledger.cash.shape), model.party_block("depreciation")
        worn_and_kept = self.owner, worn, self.write_down, self.chip_book
        wear_of_assets(ledger.real_assets, rate, *worn_and_kept, change)
        return change

    def _value(self, vintages):
        """Value the first so many vintages dark and in use, and write them down to the value in use."""
        market, contracts = self.model.compute_market, self.model.compute_contracts
        age = np.maximum(self.model.month - 12 * np.arange(vintages) - 6, 0)
        discount, life_left, promised_rent, promised = (table.take(age, 0) for table in self._by_age)
        lost = market.architecture_hit * (self.model.technology.broken - self._broken[:vintages])
        rent = market.rent * discount * np.exp(-lost * market.enabled) / 12.0
        chip_book, dark, in_use, write_down = (np.empty(self.chip_book.shape) for _ in range(4))
        value_vintages(
            self.user_cost.value(rent, market.running_cost / 12.0, life_left),
            rent * promised_rent,
            promised,
            contracts.price,
            contracts.seller,
            contracts.available,
            contracts.peak,
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
