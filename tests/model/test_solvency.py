"""From a missed bill to an estate; and that in calm nobody misses one."""

import numpy as np
import pytest

from model import DebtTrapModel, Event
from scenarios import load
from scenarios.schema import Setting

NEVER = 10_000
SHUT = Event(3, "equity_window", None, False, None, {"months": 60})


def troubled(worlds=24, months=72, **params):
    params = {path.replace("__", "."): value for path, value in params.items()}
    mask = np.arange(worlds) % 2 == 0
    events = (Event(3, "demand_shock", None, -0.7, mask), SHUT)
    return DebtTrapModel(worlds, 6, months, Setting(params=params, events=events), record=False)


# -- arrears and default ----------------------------------------------------------------------------------


@pytest.mark.parametrize("standstill", [1, 3, 9])
def test_default_is_legal_only_after_the_standstill(standstill):
    model = troubled(solvency__standstill=standstill)
    solvency, ledger, defaults = model.solvency, model.ledger, 0
    for _ in range(72):
        closed = ledger.closed
        model.step()
        new = ledger.closed & ~closed
        followed = solvency.references @ ledger.closed.astype(int) > 0
        called = np.zeros_like(new)
        called[model.places["site_company"]] = model.sites.called
        late = solvency.months_missed >= standstill + solvency.waiver
        assert (new <= (late | followed | called)).all()
        assert (~late | ledger.closed).all()
        assert (closed <= ledger.closed).all()
        defaults += new.sum()
    assert defaults > 10
    failed = solvency.default_month < NEVER
    assert np.array_equal(failed, ledger.closed)
    both = failed & (solvency.missed_month < NEVER)
    assert (solvency.missed_month[both] <= solvency.default_month[both]).all()


def test_who_pays_all_bills_is_not_in_arrears():
    model = troubled(8)
    for _ in range(72):
        model.step()
        left = model.ledger.outgoing()
        assert (model.solvency.months_missed[left <= 1e-12] == 0).all()


def test_only_firms_and_sites_fail():
    model = troubled()
    model.run_for(72)
    failing = {model.party_names[row] for row in np.flatnonzero(model.ledger.closed.any(axis=1))}
    assert failing
    assert failing <= set(model.solvency.firms)


def test_a_longer_standstill_never_brings_the_first_default_forward():
    first = []
    for standstill in (1, 6):
        model = troubled(12, solvency__standstill=standstill)
        model.run_for(72)
        first.append(model.solvency.default_month.min(axis=0))
    assert (first[0] <= first[1]).all()
    assert (first[0] < first[1]).any()


# -- estates ----------------------------------------------------------------------------------------------


def played_estates():
    """Step through troubled worlds; give what is due and paid on each leg in the month after a default."""
    model = troubled()
    ledger = model.ledger
    while model.month < 70:
        model.step()
        estate = model.solvency.estate
        if not estate.any():
            continue
        due, claims = ledger.payable.copy(), ledger.claims
        worlds = np.flatnonzero(estate.any(axis=0))
        model.step()
        yield model, estate, worlds, due, claims


def test_an_estate_pays_by_seniority_and_never_more_than_is_claimed():
    partly = 0
    for model, estate, worlds, due, _ in played_estates():
        ledger, cleared = model.ledger, model.ledger.cleared
        for world in worlds:
            for row in np.flatnonzero(estate[:, world]):
                legs = np.flatnonzero((ledger.payer[cleared] == row) & (due[cleared][:, world] > 1e-9))
                owed, paid = due[cleared][legs, world], ledger.flow[cleared][legs, world]
                ranks = ledger.seniority[cleared][legs]
                assert (paid <= owed * (1.0 + 1e-9)).all()
                share = paid / owed
                for rank in np.unique(ranks):
                    same = share[ranks == rank]
                    assert same == pytest.approx(np.full(same.size, same[0]), abs=1e-6)
                    if same[0] > 1e-9:
                        assert share[ranks < rank] == pytest.approx(np.ones((ranks < rank).sum()), abs=1e-6)
                partly += bool(share.size and share.min() < 0.999 and share.max() > 0.0)
    assert partly > 5


def test_what_an_estate_does_not_pay_is_written_off_and_is_the_holders_loss():
    lost = 0.0
    for model, estate, _, _, before in played_estates():
        ledger, solvency = model.ledger, model.solvency
        owed_by_estates = np.take(estate, ledger.issuers, axis=0)
        assert (ledger.claims[owed_by_estates] == 0.0).all()
        assert (ledger.payable[np.take(estate, ledger.payer, axis=0)] == 0.0).all()
        repaid = np.zeros_like(before)
        for family in ledger.families.values():
            if family.claims is not None:
                repaid[family.claims] += family.sign * ledger.flow[family.legs]
            if family.given_up is not None:
                repaid[family.given_up] -= family.sign * ledger.flow[family.legs]
        gone = np.where(owed_by_estates, before + repaid, 0.0)
        loss_on_claims = np.zeros_like(ledger.cash)
        np.add.at(loss_on_claims, ledger.holders, gone)
        assert (solvency.loss_now >= loss_on_claims - 1e-9).all()
        assert (gone >= -1e-9).all()
        assert (solvency.loss_now[:, ~estate.any(axis=0)] == 0.0).all()
        lost += solvency.loss_now.sum()
    assert lost > 1.0


def test_losses_add_up_month_by_month():
    model, so_far = troubled(12), 0.0
    for _ in range(72):
        model.step()
        so_far = so_far + model.solvency.loss_now
    assert model.solvency.loss == pytest.approx(so_far)
    assert model.solvency.loss.max() > 0.0


def test_a_wound_up_party_has_no_cash_and_no_assets():
    model = troubled()
    gone_before = np.zeros_like(model.ledger.closed)
    for _ in range(72):
        settled = gone_before
        gone_before = model.ledger.closed
        model.step()
        assert model.ledger.cash[settled] == pytest.approx(np.zeros(settled.sum()), abs=1e-6)
        assert model.ledger.real_assets[settled] == pytest.approx(np.zeros(settled.sum()), abs=1e-6)
    assert settled.any()


def test_more_recovered_from_assets_is_less_lost():
    losses = []
    for share in (0.0, 1.0):
        model = troubled(
            12, infrastructure_partner__liquidation_value=share, site_company__liquidation_value=share
        )
        model.run_for(72)
        losses.append(model.solvency.loss.sum())
    assert losses[1] < losses[0]


# -- calm -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calm():
    """The calm scenario, month by month: revenue and take-or-pay of the lab, Oracle's draws, in US$bn."""
    model = DebtTrapModel(2, 1, 96, load("calm"), record=False)
    oracle = np.flatnonzero(model.loans.line_of[:, 0] & (model.loans.debtor == model.row("Oracle")))
    bills = model.compute_contracts.bills
    mine = np.flatnonzero(bills.payer == model.row("OpenAI"))
    rows = []
    for _ in range(96):
        model.step()
        paid = model.ledger.accrued[bills.legs][mine].sum(axis=0)
        drawn = model.ledger.flow[model.loans.draws.legs][oracle].sum(axis=0)
        rows.append((model.openai.revenue[0] / 12.0, paid, drawn))
    revenue, bill, draws = (
        np.array(column).reshape(8, 12, 2).sum(axis=1) for column in zip(*rows, strict=True)
    )
    return model, revenue, bill, draws


def test_in_calm_nobody_misses_a_bill(calm):
    solvency = calm[0].solvency
    for months in (solvency.missed_month, solvency.distressed_month, solvency.default_month):
        assert [calm[0].party_names[row] for row in np.flatnonzero((months < NEVER).any(axis=1))] == []
    assert solvency.loss.max() == 0.0
    assert not calm[0].ledger.closed.any()


def test_in_calm_every_site_is_built_and_survives(calm):
    model = calm[0]
    assert (model.halls.ahead == 0.0).all()
    assert not model.sites.closed.any()
    assert not model.sites.breached.any()


def test_in_calm_worlds_do_not_differ(calm):
    cash = calm[0].ledger.cash
    assert np.array_equal(cash[:, 0], cash[:, 1])


@pytest.mark.parametrize(("year", "amount"), list(enumerate([26, 41, 64, 96, 144, 187])))
def test_in_calm_revenue_is_what_the_books_say(calm, year, amount):
    assert calm[1][year] == pytest.approx(np.full(2, amount), rel=0.10)


@pytest.mark.parametrize(("year", "amount"), list(enumerate([29, 56, 88, 120, 129, 119])))
def test_in_calm_take_or_pay_is_what_the_books_say(calm, year, amount):
    assert calm[2][year] == pytest.approx(np.full(2, amount), rel=0.10)


@pytest.mark.parametrize(("year", "amount"), list(enumerate([20, 25, 28])))
def test_in_calm_oracle_draws_what_the_books_say(calm, year, amount):
    assert calm[3][year] == pytest.approx(np.full(2, amount), rel=0.15)


# -- one path of a contract in distress --------------------------------------------------------------------


def played(worlds=24, months=72, **params):
    model = troubled(worlds, months, **params)
    model.run_for(months)
    return model


def test_a_waiver_comes_before_the_lab_asks_for_a_lower_price():
    model = troubled(12, solvency__waiver=2, solvency__standstill=6)
    row, asked = model.row("OpenAI"), 0
    for _ in range(72):
        before = model.solvency.renegotiated[row]
        model.step()
        new = model.solvency.renegotiated[row] & ~before
        assert (model.solvency.months_missed[row][new] == 3).all()
        asked += new.sum()
    assert asked > 0


def test_sellers_who_expect_more_from_a_claim_refuse():
    refused = played(solvency__survival_if_granted=0.0, solvency__expected_recovery=0.6)
    granted = played(solvency__survival_if_granted=1.0, solvency__expected_recovery=0.0)
    row = granted.row("OpenAI")
    assert (refused.solvency.distressed_month[row] == NEVER).all()
    assert (granted.solvency.distressed_month[row] < NEVER).any()
    assert refused.solvency.concession.max() == 0.0 < granted.solvency.concession.max()


@pytest.mark.parametrize("rescue", ["none", "renegotiable", "public backstop"])
def test_each_rescue_does_what_it_says(rescue):
    model = played(12, solvency__rescue=rescue, solvency__backstop_cap=300.0)
    row = model.row("OpenAI")
    assert (model.solvency.public_money[row].max() > 0.0) == (rescue == "public backstop")
    assert model.solvency.renegotiated.any() == (rescue == "renegotiable")
    assert model.ledger.residual.max() <= 1e-9


def test_cross_default_stops_draws_and_cross_acceleration_can_be_left_out():
    both, apart = troubled(12), troubled(12, solvency__cross_acceleration=False)
    marked, vehicle = 0, both.row("Stargate vehicle")
    for _ in range(72):
        both.step(), apart.step()
        marked += both.solvency.cross_defaulted.sum()
        assert not (both.solvency.cross_defaulted & both.ledger.closed).any()
        mine = both.loans.debtor[:, None] == np.arange(len(both.party_names))
        stopped = np.take(both.solvency.cross_defaulted, both.loans.debtor, axis=0)
        assert both.loans.stopped[stopped].all() and mine.any()
    assert marked > 0
    lab = apart.row("OpenAI")
    called, left = both.solvency.default_month[vehicle], apart.solvency.default_month[vehicle]
    assert (called <= left).all() and (called < left).any()
    assert apart.ledger.closed[lab].any()
