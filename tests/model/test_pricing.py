"""Prices and limits of loans: what must hold whatever the numbers are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.ladder import level_annuity
from model.pricing import (
    HEDGE,
    PONZI,
    SPECULATIVE,
    advance,
    break_even_rate,
    capital_part,
    first_passage,
    first_passage_monthly,
    minsky_class,
    monthly_probability,
    quote,
    yearly_from_term,
)

share = st.floats(0.0, 0.95)
rate = st.floats(0.0, 0.3)
money = st.floats(0.0, 500.0)

NEUTRAL = {
    "operating_cost": 0.0,
    "capital_share": 0.0,
    "hurdle": 0.0,
    "leverage": 0.0,
    "leverage_free": 4.0,
    "leverage_slope": 0.004,
    "cover": 10.0,
    "cover_free": 2.5,
    "cover_slope": 0.01,
    "concentration": 0.0,
    "concentration_free": 0.15,
    "concentration_slope": 0.1,
}


@given(share, share, rate)
def test_a_loan_at_the_break_even_rate_returns_its_cost_of_funds_on_average(pd, lgd, funds):
    asked = break_even_rate(pd, lgd, funds)
    assert (1.0 + asked) * (1.0 - pd * lgd) == pytest.approx(1.0 + funds, rel=1e-12)
    assert asked >= funds - 1e-12


@given(st.floats(0.0, 0.9), st.floats(0.01, 0.09), share, rate)
def test_the_quote_rises_with_risk_and_with_loss_given_default(pd, more, lgd, funds):
    low, high = (quote(risk, lgd, funds, **NEUTRAL).rate for risk in (pd, pd + more))
    assert high >= low
    assert quote(pd, min(lgd + 0.04, 1.0), funds, **NEUTRAL).rate >= low


@given(share, rate)
def test_without_default_and_capital_the_quote_is_the_cost_of_funds(lgd, funds):
    assert quote(0.0, lgd, funds, **NEUTRAL).rate == pytest.approx(12.0 * np.expm1(np.log1p(funds) / 12.0))


@pytest.mark.parametrize(
    ("name", "better", "worse"), [("leverage", 3.0, 6.0), ("cover", 4.0, 1.0), ("concentration", 0.1, 0.5)]
)
def test_each_add_on_starts_at_its_threshold(name, better, worse):
    plain, good, bad = (
        quote(0.01, 0.4, 0.04, **(NEUTRAL | changed)).rate for changed in ({}, {name: better}, {name: worse})
    )
    assert plain == good < bad


@given(st.floats(0.0, 0.99))
def test_twelve_months_of_the_monthly_probability_make_the_year(pd):
    survived = (1.0 - monthly_probability(pd)) ** 12
    assert 1.0 - survived == pytest.approx(pd, abs=1e-9)


@given(share, st.floats(0.5, 10.0))
def test_the_yearly_probability_of_a_term_leads_back_to_it(pd, years):
    assert 1.0 - (1.0 - yearly_from_term(pd, years)) ** years == pytest.approx(pd, abs=1e-7)


passage = (st.floats(1.0, 500.0), st.floats(1.0, 500.0), st.floats(-0.1, 0.1), st.floats(0.02, 0.6))


@given(*passage, st.floats(0.1, 10.0))
def test_first_passage_is_a_probability_and_certain_at_the_barrier(value, barrier, drift, volatility, years):
    chance = first_passage(value, barrier, drift, volatility, years)
    assert 0.0 <= chance <= 1.0
    if value <= barrier:
        assert chance == 1.0
    longer, richer = (
        first_passage(value, barrier, drift, volatility, 2.0 * years),
        first_passage(2.0 * value, barrier, drift, volatility, years),
    )
    assert longer >= chance - 1e-12 and richer <= chance + 1e-12


@given(*passage, st.floats(0.1, 10.0))
def test_monthly_watching_sees_less_than_constant_watching(value, barrier, drift, volatility, years):
    always = first_passage(value, barrier, drift, volatility, years)
    assert first_passage_monthly(value, barrier, drift, volatility, years) <= always + 1e-12


def test_first_passage_equals_simulated_paths():
    # 40,000 paths of 2,000 steps; the shift for discrete watching is applied with their own step.
    draws, steps = np.random.default_rng(5), 2_000
    log_value, low = np.full(40_000, np.log(100.0)), np.full(40_000, np.inf)
    for _ in range(steps):
        log_value += (0.03 - 0.045) / steps + 0.3 / np.sqrt(steps) * draws.standard_normal(40_000)
        np.minimum(low, log_value, out=low)
    hit = (low < np.log(65.0 * np.exp(0.5826 * 0.3 / np.sqrt(steps)))).mean()
    assert first_passage(100.0, 65.0, 0.03, 0.3, 1.0) == pytest.approx(hit, abs=4.0 * np.sqrt(0.136 / 40_000))


@given(st.floats(-50.0, 50.0), money, money)
def test_minsky_classes_follow_from_cash_and_debt_service(cash, interest, principal):
    what = minsky_class(cash, interest, principal)
    if interest == principal == 0.0 or cash >= interest + principal:
        assert what == HEDGE
    elif cash >= interest:
        assert what == SPECULATIVE
    else:
        assert what == PONZI


@given(money, money, share, money, money, st.floats(1.0, 2.0), st.floats(0.05, 0.3), money, money)
def test_no_advance_exceeds_any_limit(asked, value, ltv, owed, cash, cover, annuity, room, liquidity):
    terms = {"loan_to_value": ltv, "owed": owed, "cover": cover, "annuity": annuity}
    limits = {"value": value, "cash_flow": cash, "name_room": room, "liquidity": liquidity}
    lent = advance(asked, **terms, **limits)
    assert 0.0 <= lent <= max(min(asked, room, liquidity), 0.0)
    if lent > 0.0:
        assert lent + owed <= ltv * value + 1e-9
        assert cover * annuity * (lent + owed) <= cash + 1e-9
    for name in limits:
        assert advance(asked, **terms, **(limits | {name: limits[name] + 10.0})) >= lent


rungs = st.lists(
    st.tuples(st.floats(0.0, 60.0), st.integers(0, 60), st.floats(0.1, 2.0), st.integers(0, 6)),
    min_size=1,
    max_size=6,
)


@given(rungs, st.integers(1, 120), rate)
def test_a_price_less_its_capital_part_and_the_loan_have_the_value_of_the_price(halls, term, yearly):
    """The lab repays the capital by a level loan at the same rate, instead of a part of the price."""
    capital, first, gw, lead = (np.array(column, dtype=float)[:, None] for column in zip(*halls, strict=True))
    paid = first - lead
    part = capital_part(capital, paid, gw, first, term, yearly)[0]
    monthly, price = yearly / 12.0, 13.3
    with_loan, with_price = 0.0, 0.0
    for amount, month, start, size in zip(capital, paid, first, gw, strict=True):
        for ahead in range(term):
            discount = (1.0 + monthly) ** -(start[0] + ahead)
            with_price += price * size[0] / 12.0 * discount
            with_loan += (price - part) * size[0] / 12.0 * discount
        payment = level_annuity(amount, np.array([monthly]), 60)[0]
        with_loan += sum(payment * (1.0 + monthly) ** -(month[0] + k) for k in range(1, 61))
    assert with_loan == pytest.approx(with_price, rel=1e-9)
