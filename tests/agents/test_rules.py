"""Every rule of every actor gives the same bits for a cohort at once as for its agents one by one."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from agents.worlds import Actor
from model import ACTORS, DebtTrapModel, Event
from scenarios.schema import Setting

ROOT = Path(__file__).resolve().parents[2]
CALLS = re.compile(r"""\b(?:do|each_\w+)\(\s*["'](\w+)["']""")
WORLDS = 7
PLAYED = 20
MONTHS = (20, 23, 24, 29)
"""A month like others, the end of a year and of a quarter, a January, and a June."""


def rules_called():
    """The names of all rules that the month calls on cohorts."""
    sources = [(ROOT / "model" / name).read_text(encoding="utf-8") for name in ("market.py", "schedule.py")]
    return {name for source in sources for name in CALLS.findall(source)} | {"pay_costs"}  # asked by Accounts


def own_method(kind, name):
    for base in kind.__mro__:
        if base is Actor:
            return None
        if name in vars(base):
            return vars(base)[name]
    return None


def without_arguments(method):
    parameters = list(inspect.signature(method).parameters.values())[1:]
    return all(each.default is not each.empty for each in parameters)


RULES = [
    (kind, name)
    for kind in ACTORS
    for name in sorted(rules_called())
    if inspect.isfunction(own_method(kind, name)) and without_arguments(own_method(kind, name))
]


@pytest.fixture(scope="module")
def played():
    """A market in trouble: credit frozen and a breakthrough elsewhere in some worlds."""
    some = np.arange(WORLDS) % 2 == 0
    events = (
        Event(8, "breakthrough", None, 8.0, some, {"owner": "rival"}),
        Event(10, "credit_freeze", None, 4.0, None, {"months": 24}),
        Event(2, "demand_shock", None, -0.9, some),
        Event(2, "equity_window", None, False, some, {"months": 30}),
    )
    setting = Setting(params={"hyperscaler.herding": 0.5}, events=events)
    model = DebtTrapModel(WORLDS, 5, 96, setting, record=False)
    model.run_for(PLAYED)
    return model


def states(cohort):
    return {name: getattr(cohort, name) for name in type(cohort)._states}


def answer(cohort, play):
    """What a rule answers and makes of the cohort's States; then everything is put back."""
    before = states(cohort)
    try:
        result = play()
        after = states(cohort)
    finally:
        for name, block in before.items():
            cohort.set(name, block)
    return result, after


def stacked(results):
    return None if results[0] is None else np.stack([np.broadcast_to(each, (WORLDS,)) for each in results])


def test_the_month_calls_rules_of_every_kind_of_actor_that_has_any():
    kinds = {kind for kind, _ in RULES}
    assert len(RULES) > 50
    assert kinds == set(ACTORS)
    declared = {name for kind in ACTORS for name in dir(kind)}
    assert rules_called() <= declared


def test_the_market_that_is_looked_at_is_in_trouble(played):
    assert played.credit.frozen.all()
    assert len(np.unique(played.openai.revenue)) == WORLDS
    assert (
        (played.solvency.months_missed > 0).any()
        or played.ledger.closed.any()
        or played.openai.cornered.any()
    )


@pytest.mark.parametrize(("kind", "rule"), RULES, ids=[f"{kind.__name__}.{rule}" for kind, rule in RULES])
def test_a_rule_gives_a_row_the_same_bits_as_the_block(played, kind, rule):
    cohort, month = played.agents_by_type[kind], played.month
    try:
        for played.month in MONTHS:
            block, together = answer(cohort, lambda: getattr(cohort, rule)())
            rows, apart = answer(cohort, lambda: stacked([getattr(agent, rule)() for agent in cohort]))
            assert together.keys() == apart.keys()
            different = [name for name in together if not np.array_equal(together[name], apart[name])]
            assert different == [], (played.month, different)
            if rows is not None and block is not cohort:
                assert np.array_equal(np.broadcast_to(block, rows.shape), rows)
    finally:
        played.month = month


@pytest.mark.parametrize(("kind", "rule"), RULES, ids=[f"{kind.__name__}.{rule}" for kind, rule in RULES])
def test_a_rule_leaves_the_money_alone(played, kind, rule):
    cohort, ledger = played.agents_by_type[kind], played.ledger
    flow = ledger.flow.copy()
    money = (ledger.cash, ledger.claims, ledger.real_assets)
    payable = ledger.payable.copy()
    answer(cohort, lambda: getattr(cohort, rule)())
    assert all(
        one is other
        for one, other in zip(money, (ledger.cash, ledger.claims, ledger.real_assets), strict=True)
    )
    assert np.array_equal(payable, ledger.payable)
    assert np.array_equal(flow, ledger.flow)
