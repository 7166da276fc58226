"""Loans: what is owed, what is drawn, what falls due, and what can be refinanced."""

import itertools

import numpy as np
import pytest

from model import DebtTrapModel, Event
from model.ladder import annuity_factor
from model.pricing import monthly_rate, quote
from scenarios import load
from scenarios.schema import Setting


def market(worlds=24, months=96, events=(), params=None):
    return DebtTrapModel(worlds, 4, months, Setting(params=params or {}, events=tuple(events)), record=False)


def flow(model, family):
    return model.ledger.flow[family.legs]


def test_a_balance_is_what_it_was_plus_draws_less_repayments_unless_it_is_written_off():
    model = market()
    loans, names, written_off = model.loans, model.ledger.claim_names, 0.0
    moving = [family for family in model.ledger.families.values() if family.claims is not None]
    assert {id(loans.draws), id(loans.principal), id(loans.bullets)} <= {id(family) for family in moving}
    for _ in range(96):
        before = model.ledger.claims
        estate = np.take(model.solvency.estate, loans.debtor, axis=0)
        model.step()
        cash = np.zeros((len(names), 24))
        for family in moving:
            cash[family.claims] += family.sign * flow(model, family)
            if family.given_up is not None:
                cash[family.given_up] -= family.sign * flow(model, family)
        missing = (before + cash - model.ledger.claims)[loans.claims]
        assert missing[~estate] == pytest.approx(np.zeros((~estate).sum()), abs=1e-9)
        assert (missing[estate] >= -1e-9).all()
        assert (loans.balance[estate] == 0.0).all()
        assert loans.balance.min() >= -1e-9
        written_off += missing[estate].sum()
    assert written_off > 1.0


def test_what_rounding_leaves_below_nothing_on_a_loan_is_set_to_nothing():
    """Repaid in several parts, a loan may end a hair below nothing: its interest would be less than nothing."""
    model = market()
    model.run_for(24)
    loans, change = model.loans, np.zeros((len(model.loans.balance), 24))
    row = int(np.argmax(loans.balance.min(axis=1)))
    change[row, 5] = np.nextafter(-loans.balance[row, 5], -np.inf)
    model.ledger.change_claims(loans.claim_rows, change)
    assert loans.balance[row, 5] < 0.0
    loans.note_service()
    assert loans.balance[row, 5] == 0.0
    model.run_for(12)


def test_no_loan_is_sold_on_once_its_principal_is_overdue():
    """What is billed is the seller's to be paid: sold on as well, it would be paid twice."""
    model = market()
    loans = model.loans
    model.run_for(6)
    before = flow(model, loans.sales).copy()
    loans.sell_down()
    assert (flow(model, loans.sales) > before).any()
    model.ledger.payable[loans.bullets.legs][loans.sellers] += 0.001
    before = flow(model, loans.sales).copy()
    loans.sell_down()
    assert (flow(model, loans.sales) == before).all()


def test_a_loan_is_never_swept_for_more_than_is_owed_on_it():
    model = market()
    model.run_for(36)
    loans, asked = model.loans, np.zeros((5, 24))
    asked[:] = 1.0 + loans.by_site @ (loans.balance * loans.is_site)
    loans.sweep(asked)
    assert (loans.balance[loans.site_rows] >= 0.0).all()
    assert (flow(model, loans.sweeps) > 0.0).any()


def test_interest_is_a_twelfth_of_the_rate_on_what_is_owed():
    model = market(8, 36)
    for _ in range(36):
        before, live = model.loans.balance, model.ledger.live[model.loans.interest.legs]
        model.step()
        assert model.loans.interest_due == pytest.approx(before * model.loans.rate / 12.0 * live, abs=1e-12)


def test_nothing_is_drawn_beyond_the_commitment_or_once_draws_are_stopped():
    model = market(24, 96)
    loans, stopped_months = model.loans, 0
    for _ in range(96):
        stopped, before, commitment = loans.stopped, loans.balance, loans.commitment
        model.step()
        drawn = flow(model, loans.draws)
        assert (drawn >= 0.0).all()
        assert (drawn[stopped] == 0.0).all()
        assert (drawn[~loans.signed] == 0.0).all()
        # A refinanced loan has a new commitment before the month's draws, a sold one a smaller one after them.
        sold = np.zeros_like(before)
        sold[loans.sellers] = flow(model, loans.sales)
        room = np.maximum(commitment, loans.commitment + sold) - before
        assert (drawn <= np.maximum(room, 0.0) + 1e-9).all()
        stopped_months += stopped.any()
    assert stopped_months > 12


def test_a_level_annuity_pays_the_balance_to_zero():
    """The profile of the site loans is cut to 24 months, their bullets are far away, none is sold on, swept or called.

    No rent carries that, so the sites are given money.
    """
    setting = load("calm").with_set(
        {"bank.sell_down_share": 0.0, "site_company.sweep_in_lockup": 0.0, "site_company.covenants": False}
    )
    model = DebtTrapModel(4, 1, 96, setting, record=False)
    loans = model.loans
    loans.profile[:] = 24
    loans.maturity = np.where(loans.is_site, 10_000, loans.maturity)
    payments, first = np.zeros(loans.balance.shape), None
    for _ in range(96):
        model.ledger.pay(model.leases.others, np.full((5, 4), 5.0))
        before, amortised, rate = loans.balance, loans.amortised, loans.rate
        model.step()
        paid = flow(model, loans.interest) + flow(model, loans.principal)
        started = loans.is_site & (loans.amortised > amortised) & (amortised < 24) & (before > 1e-6)
        level = before / annuity_factor(loans.rate / 12.0, np.maximum(24 - amortised, 1))
        assert paid[started] == pytest.approx(level[started], rel=1e-9)
        payments, first = payments + started, rate if first is None else first
    done = loans.is_site & (loans.amortised >= 24)
    assert done.any()
    assert (payments[done & (payments > 0)] == 24).all()
    assert loans.balance[done] == pytest.approx(np.zeros(done.sum()), abs=1e-9)


def test_a_refinanced_site_loan_is_within_value_cover_and_balance():
    model = market(24, 96)
    loans, credit, agreed_loans = model.loans, model.credit, 0
    for month in range(96):
        model.step()
        due = loans.is_site & (loans.maturity == month + 12) & (loans.balance > 0.0)
        if not due.any():
            continue
        base = credit.base_rate
        add_on = sum(model.banks.spread_add_on) / len(model.banks)
        rate = (base + loans.opening_margin * credit.spread_multiple + add_on) / 12.0
        rent, site = model.lease_rent_year, np.maximum(loans.site, 0)
        value = np.take(rent, site, axis=0) / (base + credit.capitalisation_spread * credit.spread_multiple)
        left = np.maximum(loans.profile - 12 - loans.amortised, 60)
        free = np.take(rent * (1.0 - model.sites.operating_share), site, axis=0)
        service = 12.0 * loans.agreed / annuity_factor(rate, left)
        assert (loans.agreed[due] <= loans.balance[due] * (1.0 + 1e-9)).all()
        assert (loans.agreed[due] <= (value * credit.loan_to_value)[due] + 1e-9).all()
        assert (service * credit.refinancing_dscr <= free + 1e-9)[due].all()
        agreed_loans += (loans.agreed[due] > 0.0).sum()
    assert agreed_loans > 0


def test_a_refinanced_loan_is_no_larger_than_what_it_replaces():
    model = market(24, 96)
    loans, renewals = model.loans, 0
    for month in range(96):
        before, maturity = loans.balance, loans.maturity
        model.step()
        renewed = (maturity == month) & (loans.maturity > month + 12)
        sold = np.zeros_like(before)
        sold[loans.sellers] = flow(model, loans.sales)
        assert (loans.commitment + sold <= before + 1e-9)[renewed].all()
        renewals += renewed.sum()
    assert renewals > 0


def test_loans_to_one_site_are_refinanced_within_the_value_of_the_one_site():
    model = market(24, 96)
    loans, credit, seen = model.loans, model.credit, False
    for month in range(96):
        model.step()
        due = loans.is_site & (loans.maturity == month + 12)
        value = model.lease_rent_year / (
            credit.base_rate + credit.capitalisation_spread * credit.spread_multiple
        )
        agreed = loans.by_site @ np.where(due, loans.agreed, 0.0)
        assert (agreed <= value * credit.loan_to_value + 1e-9).all()
        seen |= bool((agreed > 0.0).any())
    assert seen


def test_in_a_freeze_spreads_widen_and_firms_borrow_less():
    freeze = Event(3, "credit_freeze", None, 4.0, None, {"months": 12})
    calm, frozen = market(8, 14, params={"credit.freeze_hazard": 0.0}), market(8, 14, [freeze])
    borrowed = []
    for model in (calm, frozen):
        amount = 0.0
        for month in range(14):
            model.step()
            if 2 <= month < 14:
                assert model.credit.frozen.all() == (model is frozen)
                amount = amount + model.partners.line_draw.sum(axis=0)
        borrowed.append(amount)
    assert (frozen.credit.spread_multiple == 4.0).all()
    assert (frozen.credit.openness < calm.credit.openness).all()
    assert (borrowed[1] < borrowed[0]).all()


def test_switched_off_the_money_market_stands_still():
    model = market(8, 24, params={"credit.enabled": False})
    for _ in range(24):
        model.step()
        assert (model.credit.base_rate == model.credit.base_rate_start).all()
        assert not model.credit.frozen.any()
        assert (model.credit.spread_multiple == 1.0).all()


@pytest.mark.parametrize(("chance", "signed"), [(0.0, False), (1.0, True)])
def test_talks_that_fail_leave_the_site_unbuilt(chance, signed):
    model = market(4, 96, params={"credit.closing_probability": chance, "site_company.slip_chance": 0.0})
    model.run_for(96)
    talks = model.loans.in_talks[:, 0]
    assert talks.any()
    assert (model.loans.signed[talks] == signed).all()
    sites = np.unique(model.loans.site[talks])
    assert ((model.halls.ahead[sites] == 0.0) == signed).all()
    assert (model.loans.balance[talks] > 0.0).any() == signed


# -- prices and limits of new money ------------------------------------------------------------------------


def test_a_refinanced_loan_carries_the_margin_that_was_quoted():
    model, seen = market(12, 96), 0
    loans = model.loans
    for month in range(96):
        maturity, agreed = loans.maturity, loans.agreed
        model.step()
        renewed = (maturity == month) & (agreed > 0.0) & loans.is_site & (loans.maturity > month + 12)
        seen += renewed.sum()
        quoted = loans.quoted > 0.0
        assert quoted.all()
        if renewed.any():
            # Banks and the regime may have moved since the quote was used, but never below the quote's floor.
            floor = (
                model.loan_pricing.operating_cost
                + model.loan_pricing.capital_share * model.loan_pricing.hurdle
            )
            assert (loans.margin >= floor - 1e-12)[renewed].all()
    assert seen > 0


def test_the_market_quotes_by_the_written_formula_to_the_last_bit():
    model = market(12, 48)
    model.run_for(36)
    loans, terms = model.loans, model.loan_pricing
    rng, shape = np.random.default_rng(5), (len(model.party_names), 12)
    known = {"leverage": rng.uniform(0.0, 9.0, shape), "cover": rng.uniform(0.0, 5.0, shape)}
    probability, hanging = rng.uniform(0.0, 0.5, shape), np.zeros(shape)
    hanging[model.places["bank"]] = model.banks.exposure_to_openai / model.banks.lending_limit
    loans.price(terms, probability.take(loans.borrowers, axis=0), **known)
    loss = np.where(loans.is_secured, terms.secured_loss, terms.unsecured_loss)
    names = ("operating_cost", "capital_share", "hurdle", "leverage_free", "leverage_slope", "cover_free")
    names += ("cover_slope", "concentration_free", "concentration_slope")
    rate = quote(
        probability[loans.debtor],
        np.where(loans.is_site, terms.site_loss, loss),
        model.credit.base_rate,
        **{name: getattr(terms, name) for name in names},
        **{name: block[loans.debtor] for name, block in known.items()},
        concentration=hanging[loans.lender] * loans.linked[:, None],
    ).rate
    assert np.array_equal(loans.quoted, rate - 12.0 * monthly_rate(model.credit.base_rate))


def test_riskier_borrowers_are_quoted_more():
    model = market(4, 24)
    model.run_for(24)
    of = {name: row for row, name in enumerate(model.loans.names_of_rows)}
    quoted = model.loans.quoted
    assert (quoted[of["notes_coreweave"]] > quoted[of["debt_microsoft"]]).all()
    assert (quoted[of["loan_abilene"]] < quoted[of["debt_vantage"]] + 0.05).all()


def test_less_is_refinanceable_at_higher_rates_and_never_more_than_is_owed():
    model = market(12, 72)
    for _ in range(72):
        model.step()
        if model.month in (36, 48, 60):
            amounts = [model.loans.refinanceable_at(points) for points in (0.0, 0.01, 0.02, 0.04)]
            owed = model.loans.by_site @ (model.loans.balance * model.loans.is_site)
            assert (amounts[0] <= owed + 1e-9).all() and amounts[0].max() > 1.0
            for cheap, dear in itertools.pairwise(amounts):
                assert (dear <= cheap + 1e-12).all()
            assert amounts[3].sum() < amounts[0].sum()


def test_the_wall_holds_every_bullet_and_extensions_push_it_out():
    model = market(4, 24)
    model.run_for(24)
    loans = model.loans
    at_once = ~loans.is_rolled & ~loans.is_level & ~loans.by_draw
    near, far = loans.maturity_wall(30), loans.maturity_wall(30, extended=True)
    owed = np.where(at_once, loans.balance, 0.0).sum(axis=0)
    assert near.sum(axis=0) == pytest.approx(owed) and far.sum(axis=0) == pytest.approx(owed)
    assert (np.cumsum(far, axis=0) <= np.cumsum(near, axis=0) + 1e-9).all()


def test_other_borrowers_crowd_banks_out():
    rooms = []
    for share in (0.0, 1.0):
        model = market(6, 48, params={"credit.crowding_out": share})
        model.run_for(48)
        rooms.append(model.banks.limit)
        assert (model.banks.limit <= model.banks.lending_limit).all()
    assert (rooms[0] == model.banks.lending_limit).all()
    assert (rooms[1] < rooms[0]).all()


def test_what_a_loan_lost_and_recovered_add_up():
    model = market(24, 96)
    model.run_for(96)
    loans = model.loans
    called = loans.claimed > 1e-9
    assert called.any()
    assert (loans.recovery >= -1e-9).all() and (loans.recovery <= 1.0 + 1e-9).all()
    assert (loans.lost <= loans.claimed + 1e-9).all()
    assert (loans.recovery[~called] == 1.0).all()


# -- who borrows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_present_value_of_obligations_does_not_depend_on_who_borrows(share):
    """Month by month: take-or-pay at the price, and the lab's level loan for the chips, at the loan's rate."""
    model = market(2, 96, params={"loan.lab_borrows": share, "credit.enabled": False})
    halls, contracts, loans = model.halls, model.compute_contracts, model.loans
    monthly = loans.rate[np.flatnonzero(loans.of_lab_build[:, 0])[0]] / 12.0
    row = np.flatnonzero(contracts.on_halls)[0]
    values = []
    for price, part in ((contracts.opening_price[row], 0.0), (contracts.price[row], share)):
        value = 0.0
        for month in range(200):
            due = halls.ladder.live(month).sum(axis=0) * price / 12.0
            value = value + due * (1.0 + monthly) ** -float(month)
            if month < 96:
                chips = halls.chips.live(month).sum(axis=0) * part
                level = chips / annuity_factor(monthly, 60)
                for ahead in range(1, 61):
                    value = value + level * (1.0 + monthly) ** -float(month + ahead)
        values.append(value)
    assert values[1] == pytest.approx(values[0], rel=1e-6)
    assert (contracts.price[row] < contracts.opening_price[row]).all()


def test_a_price_that_its_own_loan_would_turn_negative_is_nothing():
    model = market(2, 96, params={"loan.lab_borrows": 1.0, "halls.hall_term": 24})
    price = model.compute_contracts.price
    assert (price >= 0.0).all() and (price == 0.0).any()
    model.run_for(24)


def test_when_the_lab_borrows_its_debt_grows_and_oracles_shrinks():
    debts = []
    for share in (0.0, 1.0):
        model = market(6, 30, params={"loan.lab_borrows": share})
        model.run_for(30)
        debts.append([model.solvency.debt[model.row(name)].mean() for name in ("OpenAI", "Oracle")])
        assert model.ledger.residual.max() <= 1e-9
    assert debts[1][0] > debts[0][0] + 10.0
    assert debts[1][1] < debts[0][1] - 10.0


def test_a_site_has_a_finite_value_where_money_is_free():
    free = {
        "credit.base_rate_start": 0.0,
        "credit.base_rate_volatility": 0.0,
        "credit.capitalisation_spread": 0.0,
    }
    model = market(worlds=4, months=2, params=free)
    assert np.isfinite(model.loans.site_value(np.full((1, 4), 2.0))).all()


def rationed(**params):
    setting = Setting(params={f"loan_pricing.{name}": value for name, value in params.items()})
    model = DebtTrapModel(8, 3, 24, setting, record=False)
    room = []
    for _ in range(24):
        model.step()
        room.append(
            model.loan_pricing.most_debt[model.row("CoreWeave")] - model.solvency.debt[model.row("CoreWeave")]
        )
    return model, np.array(room)


def test_lenders_ration_firms_by_value_and_cover_and_off_they_do_not():
    model, room = rationed(firm_cover=4.0)
    free, _ = rationed(firm_cover=4.0, rations=False)
    loans = model.loans
    assert (free.loan_pricing.most_debt == 1e6).all()
    assert (model.partners.borrowed_year >= 0.0).all() and (room < 0.0).any()
    cloud = model.partners.names.index("CoreWeave")
    assert (model.partners.borrowed_year[cloud] <= free.partners.borrowed_year[cloud] + 1e-9).all()
    notes = loans.names_of_rows.index("notes_coreweave")
    assert loans.balance[notes].sum() < free.loans.balance[notes].sum()
    assert (model.loan_pricing.most_debt[model.row("Stargate vehicle")] == 1e6).all()  # its line is committed


@pytest.mark.parametrize(("value", "earnings"), [(100.0, 1000.0), (1000.0, 6.0)])
def test_most_debt_is_the_least_of_what_value_and_cover_bear(value, earnings):
    model = market(worlds=4, months=6)
    model.run_for(3)
    every = np.ones((len(model.party_names), 4))
    model.loan_pricing._ration(value * every, earnings * every, 10.0 * every)
    row = model.row("CoreWeave")
    line = model.loans.names_of_rows.index("notes_coreweave")
    rate = model.credit.base_rate[0] + model.loans.market_margin()[line]
    expected = np.minimum(0.75 * value, earnings / (1.5 * rate))
    np.testing.assert_allclose(model.loan_pricing.most_debt[row], expected)


def test_who_may_borrow_nothing_anew_draws_nothing():
    model, _ = rationed(firm_loan_to_value=0.3, firm_cover=4.0)
    model.loan_pricing.most_debt = model.solvency.debt
    model.firms.funding_need = np.full_like(model.firms.funding_need, 5.0)
    model.borrowers.do("use_credit")
    assert not any(cohort.line_draw.any() for cohort in (model.partners, model.hyperscalers, model.utilities))
