"""Chips that are replaced when the lab renews: who does it, by which rule, who pays, and what is owed then."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import DebtTrapModel
from model.hardware import UserCost
from model.kernels_hardware import SMALLEST_ORDER, replace_where_it_pays
from scenarios.schema import Setting

HOLDING = {
    "compute_market.decline": 0.0,
    "compute_market.obsolescence": 0.0,
    "compute_market.glut_hazard": 0.0,
    "halls.chip_price": 25.0,
}
"""Rents hold: new chips are worth more than they cost in most worlds."""
WORLDS, MONTHS = 8, 96
DECLINES = st.one_of(st.just(0.0), st.floats(0.0005, 0.06))
OWNERS = ("Oracle", "CoreWeave", "Stargate vehicle")


def market(worlds=WORLDS, **params):
    params = HOLDING | {path.replace("__", "."): value for path, value in params.items()}
    return DebtTrapModel(worlds, 1, MONTHS, Setting(params=params))


@pytest.fixture(scope="module")
def played():
    """What a market in which rents hold looked like in every month, and the market at its end."""
    model, months = market(), []
    for _ in range(MONTHS):
        model.step()
        contracts, hardware, ledger = model.compute_contracts, model.hardware, model.ledger
        months.append(
            {
                "replaced": hardware.replaced,
                "due": hardware.due,
                "scrapped": hardware.scrapped,
                "awaiting": contracts.awaiting,
                "refreshed": contracts.refreshed,
                "available": contracts.available,
                "peak": contracts.peak,
                "paid": ledger.flow[model.accounts.new_chips.legs].copy(),
                "gw": hardware._gw.copy(),
            }
        )
    return model, months


def sum_of_months(price, term, rent, decline, rate, cost, most):
    """Value of a GW let at a price for a term and at the falling rent after it, month by month, in plain numbers."""
    value, on = 0.0, True
    for month in range(1, int(most) + 1):
        market_rent = rent * (1.0 - decline) ** month
        on = on and market_rent > cost
        if month <= term:
            value += (price - cost) / (1.0 + rate) ** month
        elif on:
            value += (market_rent - cost) / (1.0 + rate) ** month
    return value


@given(
    *(
        st.floats(0.1, 2.0),
        st.integers(1, 120),
        st.floats(0.1, 2.0),
        DECLINES,
        st.floats(0.0, 0.02),
    ),
    *(st.floats(0.05, 0.6), st.integers(12, 180)),
)
def test_what_is_let_for_a_term_is_worth_the_sum_of_its_months(price, term, rent, decline, rate, cost, most):
    plain = sum_of_months(price, term, rent, decline, rate, cost, most)
    assert UserCost(decline, rate).value_let(price, term, rent, cost, most) == pytest.approx(plain, abs=1e-7)


def test_owners_replace_where_rents_hold(played):
    model, _ = played
    names = model.hardware.names_of_rows
    for name in OWNERS[:2]:
        assert (model.hardware.replaced[names.index(name)] > 0.0).sum() >= 2, name
    assert (model.hardware.replaced[names.index("OpenAI")] == 0.0).all()
    assert model.ledger.residual.max() <= 1e-9


def test_the_vehicle_replaces_from_equity_pledged_and_its_loan():
    model = market(compute_contract__firm_term=24)
    model.run_for(MONTHS)
    row, party = model.hardware.names_of_rows.index("Stargate vehicle"), model.row("Stargate vehicle")
    without = market(compute_contract__firm_term=24, hardware__refreshes=False)
    without.run_for(MONTHS)
    both = ~(model.ledger.closed[party] | without.ledger.closed[party])
    bought = both & (model.hardware.replaced[row] > 0.1)
    assert bought.any()
    assert (model.pledges.called.sum(axis=0) > without.pledges.called.sum(axis=0))[bought].all()
    assert (model.solvency.debt[party] > without.solvency.debt[party])[bought].all()
    assert model.ledger.residual.max() <= 1e-9


def test_the_rule_is_that_of_a_plain_reference():
    """Gains of the challenger over the defender in one month, by loops and powers alone."""
    model = market()
    for _ in range(68):
        model.step()
    hardware, contracts, rents = model.hardware, model.compute_contracts, model.compute_market
    price = hardware.new_price
    gain = hardware.gain_of_replacing(price)
    decline, rate = rents.monthly_decline[0], hardware.discount_rate[0] / 12.0
    cost, life = rents.running_cost[0] / 12.0, int(hardware.physical_life[0, 0])
    kept = 1.0 - 1.0 / contracts.renewal_term[0]
    for place, contract in enumerate(contracts.with_chips):
        first = contracts.first_price[contract]
        for world in range(WORLDS):
            new, old = (min(first[world], rent[0, world] * 1.1) for rent in (rents.rent, rents.old_rent))
            assert price[place, world] == pytest.approx(new)
            given = rents.rent[0, world] / 12.0, decline[world], rate[world], cost[world]
            challenger = sum_of_months(new / 12.0, 60, *given, life) - 25.0
            for vintage in range(gain.shape[1]):
                age = max(model.month - 12 * vintage - 6, 0)
                broken = 0.5 * (model.technology.broken[0, world] - hardware._broken[vintage, world])
                rent = rents.rent[0, world] / 12.0 * 0.6 ** (age / 60.0) * np.exp(-broken)
                left = np.arange(1, max(life - age, 0) + 1)
                falling = rent * (1.0 - decline[world]) ** left
                discount = (1.0 + rate[world]) ** -left
                earns = np.cumprod(falling > cost[world])
                dark = ((falling - cost[world]) * earns * discount).sum()
                runs = kept[world] ** left * discount
                above = max((runs * (old / 12.0 - falling)).sum(), 0.0)
                assert gain[place, vintage, world] == pytest.approx(challenger - dark - above, abs=1e-6)


def test_nobody_replaces_at_a_loss_or_without_the_money(monkeypatch):
    seen, model = [], market()
    agree, hardware = model.compute_contracts.agree_on_new_terms, model.hardware

    def note(gw, price):
        bought = gw * model.halls.chip_price
        money = hardware.money_for_chips().take(model.compute_contracts.owner_of_chips, axis=0)
        seen.append((gw, hardware.gain_of_replacing(price), bought, money))
        agree(gw, price)

    monkeypatch.setattr(
        type(model.compute_contracts), "agree_on_new_terms", lambda _, gw, price: note(gw, price)
    )
    model.run_for(MONTHS)
    assert len(seen) > 5
    for gw, gain, bought, money in seen:
        assert (gain.max(axis=1)[gw > 0.0] > 0.0).all()
        assert (bought <= money + 1e-9).all()
        assert (gw[gw > 0.0] >= SMALLEST_ORDER).all()


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 30.0))
def test_dearer_chips_never_mean_more_of_them(seed, dearer):
    rng, contracts, vintages, owners, worlds = np.random.default_rng(seed), 3, 6, 2, 5
    of = rng.integers(0, owners, contracts)
    gain = rng.normal(0.0, 15.0, (contracts, vintages, worlds))
    gw = rng.uniform(0.0, 1.0, (vintages, owners, worlds))
    renewing, awaiting = rng.uniform(0.0, 2.0, (2, contracts, worlds))
    money = rng.uniform(0.0, 60.0, (owners, worlds))
    few, many = np.empty((contracts, worlds)), np.empty((contracts, worlds))
    replace_where_it_pays(of, gain - dearer, gw, renewing, 0.3 * awaiting, money / (25.0 + dearer), few)
    replace_where_it_pays(of, gain, gw, renewing, 0.3 * awaiting, money / 25.0, many)
    loses = (gain <= 0.0).all(axis=1)
    assert (many[loses] == 0.0).all() and (many <= renewing).all()
    for owner in range(owners):
        mine = of == owner
        assert (few[mine].sum(axis=0) <= many[mine].sum(axis=0) + SMALLEST_ORDER * contracts).all()
        assert (many[mine].sum(axis=0) <= gw[:, owner].sum(axis=0) + 1e-12).all()


def test_chips_are_paid_the_month_after_and_come_six_months_later(played):
    model, months = played
    owner_of = model.compute_contracts.owner_of_chips
    rows, bought = model.compute_contracts.with_chips, np.zeros(WORLDS)
    alive = ~model.ledger.closed[model.hardware.owner].any(axis=0)
    for before, now in itertools.pairwise(months):
        assert (now["paid"] <= before["due"] * 25.0 + 1e-9).all()
        bought = bought + now["paid"].sum(axis=0)
    assert bought.max() > 10.0
    whole = model.hardware.replaced.sum(axis=0) * 25.0
    unpaid = months[-1]["due"].sum(axis=0) * 25.0
    assert bought[alive] == pytest.approx((whole - unpaid)[alive])
    for month in range(MONTHS - 8):
        ordered = months[month]["due"]
        arrives = months[month + 7]["refreshed"] - months[month + 6]["refreshed"]
        for row in range(len(owner_of)):
            new = ordered[owner_of[row]][alive]
            if month + 7 < 96 and (new > 0.0).any():
                assert (months[month + 6]["awaiting"][rows[row]][alive] >= new - 1e-9).all()
                assert (arrives[rows[row]][alive][new > 0.0] > -1e-9).all()


def test_what_stands_stays_what_stands(played):
    """New chips take the place of old ones: no contract delivers more than has been built for it."""
    model, months = played
    for now in months:
        assert (now["available"] <= now["peak"] + 1e-9).all()
    assert max(now["refreshed"].max() for now in months) > 0.5
    assert model.hardware.scrapped.max() > 0.1
    gw = model.hardware._gw.sum(axis=0)
    coming = model.compute_contracts.awaiting
    for row, contract in zip(
        model.compute_contracts.owner_of_chips, model.compute_contracts.with_chips, strict=True
    ):
        alive = ~model.ledger.closed[model.hardware.owner[row]]
        without = market(hardware__refreshes=False)
        without.run_for(MONTHS)
        expected = without.hardware._gw.sum(axis=0)[row] + coming[contract]
        both = alive & ~without.ledger.closed[model.hardware.owner[row]]
        assert gw[row][both] == pytest.approx(expected[both], abs=0.02)


def test_the_lab_owes_more_the_vendor_sells_more_and_debts_rise(played):
    model, _ = played
    without = market(hardware__refreshes=False)
    without.run_for(MONTHS)
    lab = model.row("OpenAI")
    both = ~(model.ledger.closed[lab] | without.ledger.closed[lab]) & (
        model.hardware.replaced.sum(axis=0) > 0.3
    )
    assert both.sum() >= 3
    owed, was = (each.compute_contracts.minimum_due(24)[0] for each in (model, without))
    assert (owed[both] > was[both]).all()
    vendor, sold = model.row("Chip vendor"), [each.ledger.net_worth() for each in (model, without)]
    assert (sold[0][vendor][both] > sold[1][vendor][both]).all()
    rows = [model.row(name) for name in OWNERS]
    debt, less = (each.solvency.debt[rows].sum(axis=0)[both] for each in (model, without))
    assert debt.mean() > less.mean() + 0.1


def test_the_bill_is_that_of_each_term_at_its_price(played):
    """The mean price times what is under contract is what first and new terms cost together."""
    model, _ = played
    contracts, terms = model.compute_contracts, model.compute_contracts.new_terms
    live = terms.live(model.month - 1)
    on_path = ~contracts.on_halls
    for row, contract in enumerate(contracts.with_chips):
        mine = contracts.contract_of_term == contract
        dues = (live * contracts.term_price)[mine].sum(axis=0)
        if on_path[contract]:
            assert contracts.refreshed[contract] == pytest.approx(
                live[mine].sum(axis=0) * ~contracts.ended[contract]
            ), row
        first = contracts.available[contract] - contracts.refreshed[contract]
        share = contracts.refreshed[contract] / np.maximum(live[mine].sum(axis=0), 1e-12)
        whole = first * contracts.first_price[contract] + dues * share
        assert contracts.price[contract] * contracts.available[contract] == pytest.approx(whole)


def test_switched_off_nobody_replaces_and_no_number_of_the_switch_is_left():
    model = market(hardware__refreshes=False)
    model.run_for(MONTHS)
    for state in ("replaced", "due", "scrapped"):
        assert (getattr(model.hardware, state) == 0.0).all()
    for state in ("awaiting", "refreshed", "arrived"):
        assert (getattr(model.compute_contracts, state) == 0.0).all()
    assert np.array_equal(model.compute_contracts.price, model.compute_contracts.first_price)
    assert not (model.history.pieces[0].events["kind"] == "chips replaced").any()


def test_a_world_that_replaces_chips_is_the_same_alone_and_where_others_may_not():
    together, world = market(), 0
    together.run_for(MONTHS)
    world = int(np.argmax(together.hardware.replaced.sum(axis=0)))
    alone = DebtTrapModel([world], 1, MONTHS, Setting(params=HOLDING))
    alone.run_for(MONTHS)
    mixed = market(hardware__refreshes=np.arange(WORLDS) == world)
    mixed.run_for(MONTHS)
    off = market(hardware__refreshes=False)
    off.run_for(MONTHS)
    assert together.hardware.replaced[:, world].sum() > 0.5
    for name in ("cash", "claims", "real_assets"):
        block = getattr(together.ledger, name)
        assert np.array_equal(block[:, [world]], getattr(alone.ledger, name)), name
        others = np.arange(WORLDS) != world
        assert np.array_equal(block[:, world], getattr(mixed.ledger, name)[:, world]), name
        assert np.array_equal(getattr(off.ledger, name)[:, others], getattr(mixed.ledger, name)[:, others]), (
            name
        )


def test_the_story_tells_who_replaced_what(played):
    model, _ = played
    events = model.history.pieces[0].events
    told = events["kind"] == "chips replaced"
    assert told.sum() > 5
    assert set(events["agent"][told]) <= set(OWNERS)
    whole = np.bincount(events["row"][told], events["amount"][told], WORLDS)
    assert whole == pytest.approx(model.hardware.replaced.sum(axis=0) * 25.0)
