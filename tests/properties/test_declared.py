"""What a rule keeps from month to month is declared: a State, a schedule, or on the Ledger."""

import numpy as np
import pytest

from model import DebtTrapModel
from model.ladder import Ladder
from scenarios.schema import Setting
from tests.properties import carried_by

WORLDS = 7
BEFORE, AFTER = 40, 4
SETTINGS = {
    "the baseline": {},
    "own turbines, renewals and co-investment": {
        "utility.connection_rate": 0.1,
        "power.turbine_lead": 24,
        "power.turbine_orders": 0.0,
        "halls.hall_term": 24,
        "hyperscaler.co_investment_share": 0.3,
    },
}


def played(params, months):
    model = DebtTrapModel(WORLDS, 5, setting=Setting(params=params), record=False)
    model.run_for(months)
    return model


def undeclared(model):
    """Every array ``(..., worlds)`` that a holder keeps as an attribute and that is declared nowhere, by its name."""
    of_params = {(id(kept), name) for kept, name in model.made_of_params}
    together = {"labs": model.labs, "firms": model.firms, "borrowers": model.borrowers}
    found = {}
    for group, holder in ({"model": model} | together | model._holders()).items():
        declared = {*getattr(holder, "_states", ()), *getattr(holder, "_params", ())}
        declared |= {name for name, _ in getattr(holder, "schedules", ())}
        for name, block in vars(holder).items():
            array = isinstance(block, np.ndarray) and block.ndim > 1 and block.shape[-1] == WORLDS
            if array and name not in declared and (id(vars(holder)), name) not in of_params:
                found[f"{group}.{name}"] = vars(holder), name
    return found


def spoil(kept, name):
    """Put another array in the place of one: numbers that are none, flags turned, months moved."""
    old = kept[name]
    new = np.full(old.shape, np.nan) if old.dtype == float else ~old if old.dtype == bool else old + 5
    new.setflags(write=old.flags.writeable)
    kept[name] = new


def matters(params, names, kept_after):
    """Whether the months to come differ, or cannot be played, once what these names stand for is spoiled."""
    model = played(params, BEFORE)
    found = undeclared(model)
    for name in names:
        spoil(*found[name])
    try:
        model.run_for(AFTER)
    except (ValueError, IndexError):
        return True
    kept = carried_by(model)
    return any(not np.array_equal(kept[key], block, equal_nan=True) for key, block in kept_after.items())


@pytest.mark.parametrize("params", SETTINGS.values(), ids=SETTINGS)
def test_what_matters_next_month_is_declared(params):
    opening, model = played(params, 1), played(params, BEFORE)
    at_first = {name: kept[key] for name, (kept, key) in undeclared(opening).items()}
    changed = [
        name
        for name, (kept, key) in undeclared(model).items()
        if name not in at_first or not np.array_equal(at_first[name], kept[key], equal_nan=True)
    ]
    assert len(changed) > 30  # sums and messages of the month: found anew before they are read
    model.run_for(AFTER)
    kept_after = carried_by(model)
    if matters(params, changed, kept_after):
        assert [name for name in changed if matters(params, [name], kept_after)] == []
        raise AssertionError(f"some of {changed}, together")


def test_a_schedule_is_what_it_is_said_to_be():
    model = played({}, 2)
    said = {(group, name) for group, each in model.mechanisms.items() for name, _ in each.schedules}
    for group, name in said:
        block = getattr(model.mechanisms[group], name)
        block = block.amount if isinstance(block, Ladder) else block
        assert block.shape[-1] == WORLDS, (group, name)
    ladders = {
        (group, name)
        for group, each in model.mechanisms.items()
        for name, kept in vars(each).items()
        if isinstance(kept, Ladder)
    }
    assert ladders and ladders <= said
