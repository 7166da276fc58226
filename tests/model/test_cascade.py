"""The cascade of the sites in the month: it is what the clearing paid, and the reserve is cash put aside."""

import numpy as np
import pytest

from model import DebtTrapModel, Event
from model.waterfall import project_finance_cascade
from scenarios.schema import Setting

SHUT = Event(3, "equity_window", None, False, None, {"months": 80})
SLUMP = Event(30, "demand_shock", None, -0.6, None)


def market(worlds=24, months=96, events=(), **params):
    params = {path.replace("__", "."): value for path, value in params.items()}
    return DebtTrapModel(worlds, 4, months, Setting(params=params, events=tuple(events)), record=False)


def cascade_of(
    model, owed, value, rate, service, covenants, months_complete, event_of_default, free, kept, reserve_months,
    lockup_dscr, default_dscr, lockup_loan_to_value, default_loan_to_value, sweep, sweep_in_lockup, dscr, *_,
):  # fmt: skip
    """What `project_finance_cascade` does with what a month's cascade of all sites is given."""
    interest, principal, interest_paid, principal_paid, interest_left, principal_left = service
    complete, young = months_complete > 0, (months_complete < 12) | ~covenants
    cash_flow = model.sites.cash + (interest_paid + principal_paid) - free - kept
    leaked = np.minimum(np.maximum(-free - cash_flow, 0.0), kept)
    return project_finance_cascade(
        cash_flow + leaked,
        free,
        kept - leaked,
        0.0,
        owed + principal_paid,
        interest_paid + interest_left - interest,
        principal_paid + principal_left - principal,
        interest=interest,
        principal=principal,
        rate=rate,
        reserve_months=np.where(complete, reserve_months, 0.0),
        value=value,
        lockup_dscr=lockup_dscr,
        default_dscr=default_dscr,
        lockup_loan_to_value=np.where(young, 1e9, lockup_loan_to_value),
        default_loan_to_value=np.where(young, 1e9, default_loan_to_value),
        sweep=np.where(complete, sweep, 0.0),
        sweep_in_lockup=np.where(complete, np.where(event_of_default, 1.0, sweep_in_lockup), 0.0),
        pays_out=complete & (model.month % 3 == 2) & ~model.sites.closed,
        tested_dscr=np.where(young, 10.0, dscr),
    )


def test_the_cascade_pays_what_the_clearing_paid_and_cash_is_free_cash_and_reserve():
    model = market(events=(SHUT, SLUMP))
    sites, loans, calls = model.sites, model.loans, []
    production = model.run_cascade

    def watched(first, *of_sites):
        calls.append(cascade_of(model, *of_sites))
        production(first, *of_sites)

    model.run_cascade = watched
    drawn_on = released = 0.0
    for _ in range(96):
        model.step()
        done, alive = calls[-1], ~model.ledger.closed[model.places["site_company"]]
        _, _, *paid, _, _ = loans.site_service
        assert done.interest[alive] == pytest.approx(paid[0][alive], abs=1e-8)
        assert done.principal[alive] == pytest.approx(paid[1][alive], abs=1e-8)
        assert sites.cash[alive] == pytest.approx((sites.free_cash + sites.reserve)[alive], abs=1e-8)
        assert (sites.reserve >= 0.0).all() and (done.payable < 1e-8).all()
        assert (sites.distribution[sites.locked_up & alive] == 0.0).all()
        assert (sites.prepaid == done.sweep).all() and (sites.distribution == done.equity).all()
        assert (sites.free_cash == done.cash * alive).all() and (sites.reserve == done.reserve * alive).all()
        drawn_on, released = drawn_on + done.reserve_draw.sum(), released + done.equity.sum()
    assert drawn_on > 0.0 and released > 1.0


def test_owners_get_nothing_before_the_reserve_is_full():
    model = market(8)
    sites, paid = model.sites, 0.0
    for _ in range(96):
        model.step()
        target = sites.reserve_months * model.loans.site_service[0]
        owing = model.loans.site_owed > 1e-6
        early = owing & (sites.reserve < 0.9 * target) & (sites.distribution > 1e-9)
        assert not early.any()
        paid += sites.distribution.sum()
    assert paid > 0.0


def test_a_full_sweep_repays_faster_and_leaves_the_owners_nothing():
    plain, swept = market(8), market(8, site_company__sweep=1.0)
    for model in (plain, swept):
        model.run_for(60)
    left = [model.loans.by_site @ model.loans.balance for model in (plain, swept)]
    assert left[1].sum() < left[0].sum()
    assert (swept.ledger.flow[swept.site_equity.distributions.legs] == 0.0).all()
    assert swept.ledger.residual.max() <= 1e-9


def test_a_breach_becomes_an_event_of_default_only_when_it_is_not_cured():
    model = market(24, 96, (SHUT, SLUMP))
    sites, events, cured = model.sites, 0, 0
    for _ in range(96):
        before = sites.months_breached
        model.step()
        assert (sites.event_of_default == (sites.months_breached > sites.cure_months)).all()
        assert (sites.called <= sites.event_of_default).all()
        young = sites.months_complete < 12
        assert not (sites.locked_up & young).any()
        events += sites.event_of_default.sum()
        cured += ((before > 0) & (sites.months_breached == 0)).sum()
    assert events > 0 and cured > 0


def test_with_covenants_off_nothing_is_tested():
    model = market(12, 96, (SHUT, SLUMP), site_company__covenants=False)
    for _ in range(96):
        model.step()
        assert not (model.sites.locked_up | model.sites.breached | model.sites.event_of_default).any()
        assert model.ledger.residual.max() <= 1e-9
