"""Chips that age: what they are worth, what the books say, and when they are switched off."""

import numpy as np

from agents.worlds import Mechanism, Param, State
from model.sums import adder_into, total


def geometric(factor, count):
    """Give factor + factor^2 + ... + factor^count; `factor` > 0, arguments broadcast."""
    factor, count = np.asarray(factor, dtype=float), np.asarray(count, dtype=float)
    flat = np.abs(1.0 - factor) < 1e-12
    step = np.where(flat, 0.5, factor)
    return np.where(flat, count, step * -np.expm1(count * np.log(step)) / (1.0 - step))


def months_of_life(rent, decline, running_cost, most=240.0):
    """Give for how many months to come the rent, falling by `decline` a month, exceeds the running cost.

    rent (1 - decline)^k > cost for k = 1, ..., the answer; never more than `most`. The month after it the
    chips are switched off.
    """
    rent, decline = np.asarray(rent, dtype=float), np.asarray(decline, dtype=float)
    falls = decline > 0.0
    speed = np.where(falls, -np.log1p(-np.where(falls, decline, 0.5)), 1.0)
    cover = np.log(np.maximum(rent, 1e-12) / np.maximum(running_cost, 1e-12))
    life = np.where(falls, np.floor(cover / speed), np.where(cover > 0.0, most, 0.0))
    return np.minimum(np.maximum(life, 0.0), most)


def economic_value(rent, decline, running_cost, rate, most=240.0):
    """Give the present value of rent less running cost, month by month until it pays to switch off.

    V = sum_{k=1..K} (rent (1 - decline)^k - cost) / (1 + rate)^k with K = `months_of_life`, in closed form. Rent
    and cost per month, decline and rate per month; the value in the unit of the rent. It obeys
    rent_1 - cost = rate V_0 + V_0 - V_1. Source: Jorgenson (1963), user cost.
    """
    life = months_of_life(rent, decline, running_cost, most)
    discount = 1.0 / (1.0 + np.asarray(rate, dtype=float))
    value = rent * geometric((1.0 - decline) * discount, life) - running_cost * geometric(discount, life)
    return np.maximum(value, 0.0)


def month_of_wear(cost, book, life):
    """Give what the books write off in a month: the cost evenly over `life` months, while there is book value."""
    return np.minimum(cost / life, book)


def impairment(book, value):
    """Give what must be written off at once: book value over economic value, never negative."""
    return np.maximum(book - value, 0.0)


TURNKEY = ("CoreWeave", "Stargate vehicle")
"""Owners whose chip orders pay for halls and power too."""


class Hardware(Mechanism):
    """The chips of those who order them for the lab (Oracle, CoreWeave, the Stargate vehicle), by year of purchase.

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

    names_of_rows = ()
    measures = ("chip_book", "value_dark", "value_in_use", "impaired")

    def open_accounts(self, ledger):
        """Find who orders chips; the accounts have opened the legs of the orders by then."""
        self.owner, of_order = np.unique(self.model.accounts.chips.payer, return_inverse=True)
        self.rows = len(self.owner)
        self.names_of_rows = tuple(ledger.parties[row] for row in self.owner)
        self._turnkey = np.isin(self.names_of_rows, TURNKEY)[:, None]
        self.by_owner = adder_into(of_order, self.rows)
        self.to_party = adder_into(self.owner, len(ledger.parties))
        years = -(-self.model.months // 12)
        self._cost, self._book, self._gw = np.zeros((3, years, self.rows, self.worlds))
        self._broken = np.zeros((years, self.worlds))

    def age(self):
        """Let a month pass: take in what was bought, write off, and each quarter value what is left.

        Returns the fall of the real assets' book value, ``(parties, worlds)``, US$bn, chips only.
        """
        model, year = self.model, self.model.month // 12
        bought = self.by_owner @ model.ledger.flow[model.accounts.chips.legs]
        price = np.where(self._turnkey, model.compute_contracts.build_cost, model.halls.chip_price)
        self._cost[year] += bought
        self._book[year] += bought
        self._gw[year] += bought / (price * model.chip_price_level)
        if model.month % 12 == 0:
            self._broken[year] = model.technology.broken[0]
        kept = ~model.ledger.closed.take(self.owner, axis=0) & self.enabled
        book = self._book[: year + 1] * kept
        worn = month_of_wear(self._cost[: year + 1], book, self.book_life)
        book = book - worn
        self.write_down = np.zeros_like(self.write_down)
        if model.month % 3 == 2:
            book = self._value(book, self._gw[: year + 1] * kept)
        self._book[: year + 1] = book
        self.chip_book = total(book)
        return self.to_party @ (total(worn) + self.write_down)

    def _value(self, book, gw):
        """Value each vintage dark and in use, write down to the value in use; give the book value then."""
        market, contracts, months = self.model.compute_market, self.model.compute_contracts, 12.0
        bought = 12 * np.arange(len(book))[:, None] + 6
        age = np.maximum(self.model.month - bought, 0)
        lost = market.architecture_hit * (self.model.technology.broken - self._broken[: len(book)])
        rent = market.rent_of_age(age / months) * np.exp(-lost * market.enabled) / months
        decline, rate = market.monthly_decline, self.discount_rate / months
        scrapped = np.maximum(self.physical_life - age, 0)
        per_gw = economic_value(rent, decline, market.running_cost / months, rate, scrapped)
        left = np.maximum(self.model.halls.hall_term - age, 0)
        discount = 1.0 / (1.0 + rate)
        promised = geometric(discount, left)[:, None, :]
        dark_rent = rent * geometric((1.0 - decline) * discount, left)
        price, cover = contracts.cover_of(self.owner)
        premium = cover * np.maximum(price / months * promised - dark_rent[:, None, :], 0.0)
        in_use = gw * (per_gw[:, None, :] + premium)
        lower = impairment(book, in_use)
        self.value_dark = total(gw * per_gw[:, None, :])
        self.value_in_use = total(in_use)
        self.write_down = total(lower)
        self.impaired = self.impaired + self.write_down
        return book - lower

    @property
    def book_of_parties(self):
        """Book value of chips of every party, ``(parties, worlds)``, US$bn."""
        return self.to_party @ self.chip_book

    @property
    def chip_value_share(self):
        """Value without a tenant over book value of chips, between 0 and 2, ``(owners, worlds)``; 1 without chips."""
        share = self.value_dark / np.maximum(self.chip_book, 1e-9)
        return np.where(self.chip_book > 1e-9, np.minimum(share, 2.0), 1.0)

    @property
    def asset_value_share(self):
        """Value over book value of all real assets of every party, chips dark, at most 1, ``(parties, worlds)``."""
        assets = np.maximum(self.model.ledger.real_assets, 1e-9)
        lacking = self.to_party @ np.maximum(self.chip_book - self.value_dark, 0.0)
        return np.minimum(np.maximum(1.0 - lacking / assets, 0.0), 1.0)
