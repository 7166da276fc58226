import json
import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz.specs import Chart, Context, Plain, Strip, Table, Text, Timeline, to_json


def test_a_spec_says_what_it_is():
    chart = Chart("k", "It rises", "label", "x", {"series": [{"data": np.array([1.0, math.nan])}]})
    found = json.loads(to_json(chart))
    assert found["type"] == "chart"
    assert found["option"] == {"series": [{"data": [1, None]}]}
    assert json.loads(to_json(Table("k", "h", "l", [], [])))["type"] == "table"
    assert json.loads(to_json(Text("k", "h", [["a"]])))["type"] == "text"
    assert json.loads(to_json(Timeline(2, ["a"], [])))["months"] == 2
    assert json.loads(to_json(Strip([], [])))["picks"] == []


def test_numbers_are_short_and_finite():
    given = [
        1 / 3,
        1e-7 / 3,
        2.0,
        -0.0,
        math.nan,
        math.inf,
        -math.inf,
        np.float64(1 / 3),
        np.int64(3),
        True,
        None,
    ]
    assert json.loads(to_json(given)) == [
        0.333333, 3.33333e-8, 2, 0, None, None, None, 0.333333, 3, True, None,
    ]  # fmt: skip
    assert json.loads(to_json(np.array([[1.0, np.inf], [2.5, 3.0]]))) == [[1, None], [2.5, 3]]
    assert json.loads(to_json({1: np.array([True, False]), "a": (1, "ü")})) == {
        "1": [True, False],
        "a": [1, "ü"],
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_is_plain_becomes_json_without_nan(value):
    text = to_json(value)
    json.loads(text, parse_constant=pytest.fail)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_six_digits(value):
    assert math.isclose(json.loads(to_json(value)), value, rel_tol=5e-6, abs_tol=1e-300)


def test_what_is_no_plain_value_is_refused():
    @dataclass
    class Known:
        value: object

    with pytest.raises(TypeError, match="not set"):
        to_json({1, 2})
    with pytest.raises(TypeError, match="not object"):
        to_json(Known(object()))


def test_a_plain_list_goes_as_it_is_but_never_with_nan():
    assert json.loads(to_json({"frames": Plain([{"a": 0.5}])})) == {"frames": [{"a": 0.5}]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(Plain([math.nan]))


def test_a_context_names_what_it_knows_and_leaves_the_rest():
    context = Context(names={"OpenAI": "The lab"})
    assert (context.name("OpenAI"), context.inside("OpenAI"), context.name("Oracle")) == (
        "The lab",
        "the lab",
        "Oracle",
    )
    assert context.date(14) == "Feb 2027"
    assert (context.word("Hyper-\nscalers"), context.word("Labs")) == ("hyperscalers", "labs")
