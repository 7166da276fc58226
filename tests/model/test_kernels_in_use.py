"""Kernels of agents, power, loans, contracts and stress, on what a market in trouble asks of them: machine code and the
same loops in Python agree to the last bit, and a world alone has the bits that it has among others."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import agents
import model
from model import DebtTrapModel, Event
from scenarios.schema import Setting

WORLDS, PLAYED, KEPT = 7, 40, 6
CHIPS_REPLACED = {
    "halls.hall_term": 24,
    "halls.chip_price": 20.0,
    "hardware.discount_rate": 0.0,
    "compute_market.running_cost": 0.5,
    "compute_market.vintage_discount": 0.3,
    "compute_market.volatility": 0.0,
}
MODULES = {
    f"{package.__name__}.{path.stem}": importlib.import_module(f"{package.__name__}.{path.stem}")
    for package in (agents, model)
    for path in sorted(Path(package.__file__).parent.glob("[a-z]*.py"))
}
INNER = {
    "spread_default",
    "add_referring",
    "month_of_wear",
    "impairment",
    "dividend_that_stands",
    "tiers_of",
    "cascade_of",
    "run_down",
    "feel_scarcity",
    "move_along_curve",
    "supply_of_unit",
}
"""Kernels that only other kernels call: they have tests of their own."""
PLACES = {"energy_price", "add_scarcity", "find_leavers", "let_bidders_leave"}
"""Kernels that list places in all worlds one after the other: tests/model/test_power.py cuts them to a world alone."""
KERNELS = {
    name: kernel
    for file, module in MODULES.items()
    if file.startswith(("agents.kernels", "model.kernels_"))
    for name, kernel in vars(module).items()
    if isinstance(kernel, Dispatcher) and name not in INNER
}
USERS = [module for file, module in MODULES.items() if ".kernels" not in file]


@pytest.fixture(scope="module")
def asked():
    """For each kernel, the arguments of some calls: heat, slips, freezes, breakthroughs and broken covenants.

    Before them, new chips for halls whose short terms have run out.
    """
    calls = {name: [] for name in KERNELS}

    def noting(name, kernel):
        def note(*arguments):
            before = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
            calls[name] = [*calls[name][-KEPT:], before]
            return kernel(*arguments)

        return note

    some = np.arange(WORLDS) % 2 == 0
    events = (
        Event(3, "breakthrough", None, 8.0, some, {"owner": "rival"}),
        Event(4, "credit_freeze", None, 4.0, ~some, {"months": 24}),
        Event(2, "demand_shock", None, -0.8, some),
        Event(7, "heat_wave", None, 0.3, some),
        Event(31, "heat_wave", None, 0.3, some),
        Event(38, "heat_wave", None, 0.3, None, {"months": 4}),
    )
    params = {"site_company.slip_chance": 0.3, "demand.growth_level": 2.0, "joint_venture.enabled": True}
    params |= {"site_company.lockup_loan_to_value": 0.3, "site_company.default_loan_to_value": 0.35}
    with pytest.MonkeyPatch.context() as patch:
        for user in USERS:
            for name, kernel in KERNELS.items():
                if vars(user).get(name) is kernel:
                    patch.setattr(user, name, noting(name, kernel))
        DebtTrapModel(WORLDS, 5, 96, Setting(params=CHIPS_REPLACED)).run_for(PLAYED)
        DebtTrapModel(WORLDS, 5, 96, Setting(params=params, events=events)).run_for(PLAYED)
    return calls


def run(function, arguments):
    """Call with copies; give all arrays as they are then."""
    taken = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
    with np.errstate(all="ignore"):
        function(*taken)
    return [each for each in taken if isinstance(each, np.ndarray)]


def same(these, those):
    """Whether arrays are equal, NaN equal to NaN: a block that is filled in parts holds anything until it is full."""
    pairs = zip(these, those, strict=True)
    return all(np.array_equal(one, other, equal_nan=True) for one, other in pairs)


def of_world(arrays, world):
    """The part of one world of every array that has worlds."""
    return [
        np.ascontiguousarray(each[..., world : world + 1])
        if isinstance(each, np.ndarray)
        and each.shape[-1] == WORLDS
        and (each.ndim > 1 or each.dtype == float)
        else each
        for each in arrays
    ]


@pytest.mark.parametrize("name", KERNELS)
def test_machine_code_has_the_bits_of_the_loops_in_python(asked, name):
    assert asked[name], "the market never asked for it"
    for arguments in asked[name]:
        compiled, played = run(KERNELS[name], arguments), run(KERNELS[name].py_func, arguments)
        assert same(compiled, played)


@pytest.mark.parametrize("name", [name for name in KERNELS if name not in PLACES])
def test_a_world_alone_has_the_bits_it_has_among_others(asked, name):
    for arguments in asked[name]:
        together = run(KERNELS[name], arguments)
        for world in (0, WORLDS - 1):
            alone = run(KERNELS[name], of_world(arguments, world))
            assert same(of_world(together, world), alone)


def test_every_kernel_says_what_it_is_and_is_compiled_for_one_signature():
    for name, kernel in KERNELS.items():
        assert kernel.py_func.__doc__, name
        assert len(kernel.signatures) == 1 and not kernel.targetoptions.get("fastmath"), name
