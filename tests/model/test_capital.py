"""Owners of site companies: what they pay to cure a breach, when, how often, and out of what."""

import numpy as np
import pytest

from model import DebtTrapModel
from scenarios.schema import Setting

WORLDS, MONTHS = 8, 60
STRICT = {"site_company.lockup_loan_to_value": 0.55, "site_company.default_loan_to_value": 0.6}


def play(months=MONTHS, **params):
    setting = Setting(params=STRICT | {f"site_company.{name}": value for name, value in params.items()})
    model = DebtTrapModel(WORLDS, 5, MONTHS, setting)
    model.run_for(months)
    return model


def cures(model):
    events = model.history.events_frame()
    return events[events["kind"] == "equity cure"]


@pytest.fixture(scope="module")
def cured():
    return play()


def test_owners_cure_a_limited_number_of_breaches_and_none_when_it_is_off(cured):
    counts = cures(cured).groupby(["world", "agent"]).size()
    assert cured.sites.cures_used.sum() == counts.sum() and counts.max() > 1
    off, once = play(equity_cures=0), play(equity_cures=1)
    assert cures(off).empty and once.sites.cures_used.max() == 1
    assert len(cures(once)) < len(cures(cured))
    breached = [model.history.measure("breached").sum() for model in (off, once, cured)]
    assert breached[0] > breached[1] > breached[2]


def test_a_cure_moves_owners_money_to_the_lenders_and_brings_the_covenant_back():
    model = play(47)
    ledger, sites, equity = model.ledger, model.sites, model.site_equity
    ledger.open_month()
    sites.cure_needed = np.where(np.arange(5)[:, None] == 0, 0.01, 0.0)
    sites.breached = np.ones_like(sites.breached)
    owed, paid_in, cfads = model.loans.balance.copy(), equity.paid_in.copy(), sites.cfads_year.sum(axis=0)
    cash, used = ledger.cash[sites.place].copy(), sites.cures_used
    equity.cure()
    ledger.prove()
    first = equity.site == 0
    np.testing.assert_allclose((equity.paid_in - paid_in)[first].sum(axis=0), 0.01)
    np.testing.assert_allclose((equity.paid_in - paid_in)[~first], 0.0, atol=1e-12)
    np.testing.assert_allclose((owed - model.loans.balance).sum(axis=0), 0.01)
    np.testing.assert_allclose(ledger.cash[sites.place], cash, atol=1e-12)
    np.testing.assert_allclose((sites.cfads_year.sum(axis=0) - cfads)[0], 0.01)
    assert not sites.breached[0].any() and sites.breached[1:].all()
    assert ((sites.cures_used - used)[0] == 1).all()


def test_owners_that_cannot_pay_all_of_it_pay_nothing():
    model = play(47)
    sites, equity = model.sites, model.site_equity
    sites.cure_needed = np.where(np.arange(5)[:, None] == 0, 500.0, 0.0)
    sites.breached = np.ones_like(sites.breached)
    paid_in, cash = equity.paid_in.copy(), model.ledger.cash.copy()
    equity.cure()
    assert np.array_equal(equity.paid_in, paid_in) and np.array_equal(model.ledger.cash, cash)
    assert sites.breached.all()


def test_what_cures_is_what_cash_or_value_lack(cured):
    model = play(47)
    sites = model.sites
    model.loans.site_appraisal = np.full_like(model.loans.site_appraisal, 10.0)
    model.loans.site_owed = np.full_like(model.loans.site_owed, 7.0)
    sites.months_complete, model.month = np.full_like(sites.months_complete, 24), 47
    sites.cures_used = np.zeros_like(sites.cures_used)
    sites.test_cover()
    by_value = 7.0 - 0.6 * 10.0
    due, cash = sites.service_year.sum(axis=0), sites.cfads_year.sum(axis=0)
    expected = np.maximum(by_value, np.minimum(sites.default_dscr * due - cash, 7.0)) * sites.breached
    np.testing.assert_allclose(sites.cure_needed, expected)
    model.loans.site_appraisal = np.full_like(model.loans.site_appraisal, 6.9)
    sites.test_cover()
    assert sites.breached.any() and not sites.cure_needed.any()  # nobody pays for a site that is under water
