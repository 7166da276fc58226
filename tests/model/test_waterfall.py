"""Waterfalls of funds and of projects: who is paid first, and that nothing is lost on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.waterfall import private_equity_waterfall, project_finance_cascade

money = st.floats(0.0, 1e4)
share = st.floats(0.0, 1.0)
terms = st.fixed_dictionaries(
    {"preferred_return": st.floats(0.0, 0.3), "carry": st.floats(0.0, 0.5), "catch_up": share}
)


def play(flows, terms):
    capital, due, preferred, catch_up, months = 0.0, 0.0, 0.0, 0.0, []
    for paid_in, paid_out in flows:
        tiers = private_equity_waterfall(capital, due, preferred, catch_up, paid_in, paid_out, **terms)
        capital, due = tiers.unreturned, tiers.unpaid_preferred
        preferred, catch_up = preferred + tiers.preferred, catch_up + tiers.catch_up
        months.append(tiers)
    return months


@given(st.lists(st.tuples(money, money), min_size=1, max_size=12), terms)
def test_all_that_is_distributed_reaches_somebody_and_nobody_pays_back(flows, terms):
    for (paid_in, paid_out), tiers in zip(flows, play(flows, terms), strict=True):
        close = {"rel": 1e-9, "abs": 1e-9}
        assert tiers.investors + tiers.manager == pytest.approx(paid_out, **close)
        tiers_paid = tiers.returned + tiers.preferred + tiers.catch_up
        assert tiers_paid + tiers.split_investors + tiers.split_manager == pytest.approx(paid_out, **close)
        for amount in (tiers.returned, tiers.preferred, tiers.catch_up, tiers.investors, tiers.manager):
            assert amount >= -1e-9
        assert min(tiers.unreturned, tiers.unpaid_preferred) >= -1e-9
        assert paid_in == 0.0 or tiers.unreturned + tiers.returned >= paid_in * (1.0 - 1e-12)


@given(st.lists(st.tuples(money, money), min_size=1, max_size=12), terms)
def test_tiers_are_filled_in_order(flows, terms):
    for tiers in play(flows, terms):
        if tiers.preferred > 1e-6:
            assert tiers.unreturned == pytest.approx(0.0, abs=1e-9)
        if tiers.catch_up + tiers.split_manager > 1e-6:
            assert tiers.unpaid_preferred == pytest.approx(0.0, abs=1e-9)


@given(st.lists(st.tuples(money, money), min_size=1, max_size=12), st.floats(0.0, 0.3), st.floats(0.0, 0.5))
def test_the_manager_never_has_more_than_its_carry_of_the_profit(flows, preferred_return, carry):
    months = play(flows, {"preferred_return": preferred_return, "carry": carry, "catch_up": 1.0})
    taken = sum(tiers.manager for tiers in months)
    profit = sum(tiers.investors + tiers.manager - tiers.returned for tiers in months)
    assert taken <= carry * profit * (1.0 + 1e-9) + 1e-6


@given(st.floats(0.01, 0.2), st.floats(0.05, 0.4), st.floats(200.0, 1e4))
def test_after_a_full_catch_up_the_manager_has_exactly_its_carry(preferred_return, carry, paid_out):
    flows = [(100.0, 0.0), *[(0.0, 0.0)] * 11, (0.0, paid_out)]
    tiers = play(flows, {"preferred_return": preferred_return, "carry": carry, "catch_up": 1.0})[-1]
    assert tiers.manager == pytest.approx(carry * (paid_out - 100.0))
    assert tiers.preferred == pytest.approx(100.0 * preferred_return)


@given(st.floats(0.0, 0.3))
def test_without_a_catch_up_above_the_carry_there_is_no_such_tier(catch_up):
    flows = [(100.0, 0.0), (0.0, 500.0)]
    tiers = play(flows, {"preferred_return": 0.08, "carry": 0.3, "catch_up": catch_up})[-1]
    assert tiers.catch_up == 0.0
    assert tiers.manager == pytest.approx(0.3 * (500.0 - tiers.returned - tiers.preferred))


def test_each_world_has_its_own_terms():
    carry = np.array([[0.0, 0.2, 0.3]])
    together = private_equity_waterfall(
        np.full((1, 3), 100.0),
        0.0,
        0.0,
        0.0,
        0.0,
        np.full((1, 3), 150.0),
        preferred_return=0.08,
        carry=carry,
        catch_up=1.0,
    )
    for world in range(3):
        alone = private_equity_waterfall(
            100.0, 0.0, 0.0, 0.0, 0.0, 150.0, preferred_return=0.08, carry=carry[0, world], catch_up=1.0
        )
        assert together.manager[0, world] == alone.manager


some = st.floats(0.0, 100.0)
project = st.fixed_dictionaries(
    {
        "cash": some,
        "reserve": some,
        "payable": some,
        "debt": st.floats(0.0, 1000.0),
        "interest_arrears": some,
        "interest": some,
        "principal": some,
        "rate": st.floats(0.0, 0.2),
        "reserve_months": st.integers(0, 12),
        "value": st.floats(1.0, 2000.0),
        "sweep": share,
        "sweep_in_lockup": share,
        "pays_out": st.booleans(),
    }
)
TESTS = {
    "lockup_dscr": 1.2,
    "default_dscr": 1.05,
    "lockup_loan_to_value": 0.75,
    "default_loan_to_value": 0.85,
}


def run_cascade(cash_flow, arrears_share, given):
    given = given | {"principal_arrears": arrears_share * given["debt"]}
    return given, project_finance_cascade(cash_flow, **given, **TESTS)


@given(st.floats(-100.0, 100.0), share, project)
def test_a_projects_sources_are_its_uses(cash_flow, arrears_share, given):
    given, done = run_cascade(cash_flow, arrears_share, given)
    before = given["cash"] + given["reserve"] - given["payable"]
    after = done.cash + done.reserve - done.payable
    paid = done.interest + done.principal + done.sweep + done.equity
    assert after == pytest.approx(before + cash_flow - paid, abs=1e-9)
    assert done.debt == pytest.approx(given["debt"] - done.principal - done.sweep, abs=1e-9)
    owed = given["interest"] + given["interest_arrears"]
    assert done.interest_arrears == pytest.approx(owed - done.interest, abs=1e-9)
    flows = (done.interest, done.principal, done.reserve_draw, done.reserve_top_up, done.reserve_release)
    stocks = (done.debt, done.cash, done.reserve, done.payable, done.interest_arrears, done.principal_arrears)
    assert min(*flows, *stocks, done.sweep, done.equity) >= -1e-9


@given(st.floats(-100.0, 100.0), share, project)
def test_owners_are_paid_last_and_lenders_in_order(cash_flow, arrears_share, given):
    given, done = run_cascade(cash_flow, arrears_share, given)
    if done.equity > 0.0:
        assert not done.locked_up and not done.payment_default and given["pays_out"]
        target = given["reserve_months"] * (
            (done.debt + done.sweep) * given["rate"] / 12.0 + given["principal"]
        )
        assert done.reserve >= min(target, done.debt + done.sweep) - 1e-9 * max(1.0, target)
    if done.principal > 0.0:
        assert done.interest_arrears == 0.0
    if done.payable > 0.0:
        assert done.cash == done.sweep == done.equity == 0.0
    if done.reserve_draw > 0.0:
        assert done.cash == done.reserve_top_up == 0.0 or done.reserve_release > 0.0


@given(st.floats(-100.0, 100.0), st.floats(0.0, 50.0), share, project)
def test_more_cash_flow_never_hurts_the_lenders(cash_flow, more, arrears_share, given):
    _, less = run_cascade(cash_flow, arrears_share, given)
    _, done = run_cascade(cash_flow + more, arrears_share, given)
    hair = 1e-9  # what is paid out of two sources, cash and reserve, may round differently
    assert done.interest >= less.interest - hair
    assert done.interest + done.principal >= less.interest + less.principal - hair
    assert done.payable <= less.payable + hair


def test_a_cascade_without_debt_hands_everything_to_the_owners():
    given = dict.fromkeys(("reserve", "payable", "debt", "interest_arrears", "principal_arrears"), 0.0)
    terms = {"interest": 0.0, "principal": 0.0, "rate": 0.06, "reserve_months": 6, "value": 100.0}
    done = project_finance_cascade(5.0, 1.0, **given, **terms, **TESTS, sweep=0.5, sweep_in_lockup=1.0)
    assert (done.equity, done.sweep, done.cash) == (6.0, 0.0, 0.0)
