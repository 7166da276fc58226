"""Published and independently computed worked examples, through the production functions.

`pytest tests/vectors --vectors FILE` runs another file of the same form.
"""

import copy

import pytest

from .adapters import BUILT, NOT_COMPUTED, PENDING, disagreements


def wrong_number(value):
    """The same value with its first number changed, however deep it lies."""
    if isinstance(value, list):
        return [wrong_number(value[0]), *value[1:]] if value else [1]
    if isinstance(value, dict):
        return {name: wrong_number(each) for name, each in value.items()}
    if isinstance(value, str):
        return f"not {value}"
    return not value if isinstance(value, bool) else value + max(1, abs(value))


def test_production_agrees_with_the_vector(vector):
    if vector["mechanism"] in PENDING:
        pytest.skip(f"pending: {vector['mechanism']}")
    assert vector["mechanism"] in BUILT, f"no adapter for the mechanism {vector['mechanism']!r}"
    assert disagreements(vector) == []


def test_no_mechanism_is_both_built_and_pending():
    assert not set(BUILT) & set(PENDING)
    assert len(PENDING) == len(set(PENDING))


def test_every_pending_or_built_mechanism_has_a_vector(own_vectors):
    assert set(PENDING) | set(BUILT) == {vector["mechanism"] for vector in own_vectors}


def test_a_wrong_number_in_a_built_vector_is_noticed(own_vectors):
    for vector in own_vectors:
        if vector["mechanism"] not in BUILT:
            continue
        for name in set(vector["expected"]) - set(NOT_COMPUTED):
            wrong = copy.deepcopy(vector)
            wrong["expected"][name] = wrong_number(wrong["expected"][name])
            assert disagreements(wrong), (vector["id"], name)


def test_an_expectation_that_nothing_computes_is_noticed(own_vectors):
    vector = copy.deepcopy(next(v for v in own_vectors if v["mechanism"] in BUILT))
    vector["expected"]["colour"] = 1.0
    assert disagreements(vector) == ["colour: nothing computes it"]


def test_an_unknown_mechanism_is_refused():
    with pytest.raises(KeyError):
        disagreements({"id": "x", "mechanism": "10 alchemy", "inputs": {}, "expected": {}, "tolerance": 0})
