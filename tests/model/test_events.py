import math

import pytest

from model.events import KINDS, Key


def test_the_kinds_that_scenarios_rely_on_are_declared():
    assert set(KINDS) == {
        "breakthrough",
        "demand_shock",
        "equity_window",
        "credit_freeze",
        "heat_wave",
        "delay",
        "chip_price",
    }


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_a_kind_says_what_it_is_and_its_defaults_are_allowed(kind):
    assert kind.sentence.endswith(".")
    assert next(iter(kind.keys)) == kind.value.name
    assert not kind.lasts or kind.lasts in kind.keys
    for key in kind.keys.values():
        assert key.sentence and key.unit and key.allowed
        assert key.default is None or key.allows(key.default)


@pytest.mark.parametrize("value", [1.0, 100, 1])
def test_a_number_in_range_is_allowed(value):
    assert KINDS["breakthrough"].value.allows(value)


@pytest.mark.parametrize("value", [0.99, 100.1, math.nan, math.inf, True, "6", None, [6]])
def test_what_is_no_number_in_range_is_not(value):
    assert not KINDS["breakthrough"].value.allows(value)


def test_whole_numbers_flags_and_choices_are_told_apart():
    whole = Key("months", "months", "how long", 1, 60, whole=True)
    assert whole.allows(12) and whole.allows(12.0) and not whole.allows(12.5)
    assert whole.allowed == "a whole number from 1 to 60"
    flag = KINDS["equity_window"].value
    assert flag.allows(True) and not flag.allows(1)
    owner = KINDS["breakthrough"].keys["owner"]
    assert owner.allows("rival") and not owner.allows("me")
    assert "'rival'" in owner.allowed
