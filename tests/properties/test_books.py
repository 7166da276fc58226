"""The books balance in every world of every scenario, whatever its parameters, events and decisions.

BOOKS_EXAMPLES=1000 pytest tests/properties/test_books.py draws more scenarios than the usual few.
"""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model import DebtTrapModel
from scenarios import library, load
from scenarios.schema import Setting, default_vocabulary
from tests.properties import PARAMS, settings_by_world

EXAMPLES = int(os.environ.get("BOOKS_EXAMPLES", "40"))
TOLERANCE = 1e-9


def assert_books_balance(model):
    ledger = model.ledger
    assert ledger.residual.shape == (model.worlds,)
    assert ledger.residual.max() <= TOLERANCE
    scale = np.maximum(1.0, np.abs(ledger.cash).max(axis=0))
    poorest = np.where(ledger.always_pays[:, None], 0.0, ledger.cash).min(axis=1)
    in_the_red = {
        model.party_names[row]: poorest[row] for row in np.flatnonzero(poorest < -TOLERANCE * scale.max())
    }
    assert in_the_red == {}
    assert ledger.claims.min() >= -TOLERANCE * scale.max()
    assert ledger.payable.min() >= -TOLERANCE * scale.max()
    assert np.abs(ledger.cash.sum(axis=0)).max() <= TOLERANCE * scale.max()
    missing = np.abs(ledger.net_worth().sum(axis=0) - ledger.real_assets.sum(axis=0))
    assert missing.max() <= TOLERANCE * (scale + np.abs(ledger.claims).max(axis=0)).max()


def states(model):
    for holder in [*model.agents_by_type.values(), *model.mechanisms.values()]:
        for name in type(holder)._states:
            yield f"{holder.group}.{name}", getattr(holder, name)


def assert_everything_is_finite(model):
    assert [name for name, block in states(model) if not np.isfinite(block).all()] == []


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(st.data())
def test_any_scenario_in_any_world(data):
    worlds = data.draw(st.integers(4, 8), label="worlds")
    months = data.draw(st.sampled_from([24, 24, 36, 48, 96]), label="months")
    setting = data.draw(settings_by_world(worlds, months), label="setting")
    seed = data.draw(st.integers(0, 1000), label="seed")
    model = DebtTrapModel(worlds=worlds, rng=seed, months=months, setting=setting, record=False)
    for _ in range(months):
        model.step()
        assert_books_balance(model)
    assert_everything_is_finite(model)


def one_extreme_in_each_world():
    """A Setting in which world 2n has the n-th Param at its lower end and world 2n + 1 at its upper end."""
    plain, params = DebtTrapModel(worlds=1, months=1, record=False), {}
    for place, row in enumerate(PARAMS):
        group, name = row["group"], row["name"]
        values = plain.param(f"{group}.{name}")[:, 0]
        names = default_vocabulary().agents("end_2025").get(group)
        paths = [f"{group}.{agent}.{name}" for agent in names] if names else [f"{group}.{name}"]
        for path, value in zip(paths, values, strict=True):
            by_world = np.full(2 * len(PARAMS), value)
            by_world[2 * place : 2 * place + 2] = row["low"], row["high"]
            params[path] = by_world
    return Setting(params=params)


def test_every_parameter_at_either_end_of_its_range():
    worlds = 2 * len(PARAMS)
    model = DebtTrapModel(worlds=worlds, rng=1, months=48, setting=one_extreme_in_each_world(), record=False)
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        model.run_for(48)
    wrong = np.flatnonzero(~(model.ledger.residual <= TOLERANCE))
    assert [f"{PARAMS[k // 2]['group']}.{PARAMS[k // 2]['name']}" for k in wrong] == []
    assert_everything_is_finite(model)


@pytest.mark.parametrize("name", library())
def test_shipped_scenarios_to_the_end(name):
    model = DebtTrapModel(worlds=32, rng=1, months=96, setting=load(name), record=False)
    for _ in range(96):
        model.step()
        assert_books_balance(model)
    assert_everything_is_finite(model)


@pytest.mark.parametrize("group", ["infrastructure_partner", "hyperscaler", "utility"])
def test_a_business_that_loses_money_runs_out_of_it_and_not_below(group):
    setting = load("baseline").with_set(
        {f"{group}.other_cash_flow": -50.0, f"{group}.own_investment_share": 1.0}
    )
    model = DebtTrapModel(worlds=4, rng=1, months=24, setting=setting, record=False)
    for _ in range(24):
        model.step()
        assert_books_balance(model)
