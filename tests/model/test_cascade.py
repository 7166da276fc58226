"""The cascade of the sites in the month: it is what the clearing paid, and the reserve is cash put aside."""

import pytest

from model import DebtTrapModel, Event
from scenarios.schema import Setting

SHUT = Event(3, "equity_window", None, False, None, {"months": 80})
SLUMP = Event(30, "demand_shock", None, -0.6, None)


def market(worlds=24, months=96, events=(), **params):
    params = {path.replace("__", "."): value for path, value in params.items()}
    return DebtTrapModel(worlds, 4, months, Setting(params=params, events=tuple(events)), record=False)


def test_the_cascade_pays_what_the_clearing_paid_and_cash_is_free_cash_and_reserve():
    model = market(events=(SHUT, SLUMP))
    sites, loans, calls = model.sites, model.loans, []
    production = model.run_cascade

    def watched(*given, **terms):
        calls.append(production(*given, **terms))
        return calls[-1]

    model.run_cascade = watched
    drawn_on = released = 0.0
    for _ in range(96):
        model.step()
        done, alive = calls[-1], ~model.ledger.closed[model.places["site_company"]]
        for paid, name in ((done.interest, "interest"), (done.principal, "principal")):
            assert paid[alive] == pytest.approx(getattr(loans, f"site_{name}_paid")[alive], abs=1e-8)
        assert sites.cash[alive] == pytest.approx((sites.free_cash + sites.reserve)[alive], abs=1e-8)
        assert (sites.reserve >= 0.0).all() and (done.payable < 1e-8).all()
        assert (sites.distribution[sites.locked_up & alive] == 0.0).all()
        drawn_on, released = drawn_on + done.reserve_draw.sum(), released + done.equity.sum()
    assert drawn_on > 0.0 and released > 1.0


def test_owners_get_nothing_before_the_reserve_is_full():
    model = market(8)
    sites, paid = model.sites, 0.0
    for _ in range(96):
        model.step()
        target = sites.reserve_months * model.loans.site_interest_billed
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
