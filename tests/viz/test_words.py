import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz.words import capitalised, figures, glossary, joined, money, months, percent, quantity, several, times


@pytest.mark.parametrize(
    ("billions", "text", "short"),
    [
        (38.0, "$38.0bn", "$38bn"),
        (0.64, "$640m", "$640m"),
        (0.9996, "$1.00bn", "$1bn"),
        (999.6, "$1.00tn", "$1tn"),
        (1400.0, "$1.40tn", "$1.4tn"),
        (96.0, "$96.0bn", "$96bn"),
        (0.0123, "$12.3m", "$12.3m"),
        (-3.21, "−$3.21bn", "−$3.21bn"),
        (0.0, "$0", "$0"),
        (1e-9, "$0", "$0"),
        (123456.0, "$123tn", "$123tn"),
        (float("nan"), "–", "–"),
        (float("inf"), "–", "–"),
    ],
)
def test_money(billions, text, short):
    assert money(billions) == text
    assert money(billions, short=True) == short


@given(st.floats(-1e6, 1e6))
def test_money_has_three_figures_at_most_and_says_the_number(billions):
    text = money(billions)
    digits = re.sub(r"\D", "", text).lstrip("0")
    assert len(digits.rstrip("0") or "0") <= 3
    scale = {"m": 1e-3, "n": 1e3 if text.endswith("tn") else 1.0}.get(text[-1], 0.0)
    size = float(re.sub(r"[^0-9.]", "", text)) * scale
    assert math.isclose(size, abs(billions), rel_tol=6e-3, abs_tol=5e-4)
    assert text.startswith("−") == (billions < 0 and text != "$0")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.44, "44%"),
        (0.0, "0%"),
        (1.0, "100%"),
        (0.001, "under 1%"),
        (0.999, "over 99%"),
        (-0.12, "−12%"),
        (float("nan"), "–"),
    ],
)
def test_percent_says_never_and_always_only_of_what_is(share, text):
    assert percent(share) == text


def test_numbers_in_words():
    assert [figures(x) for x in (1.3449, 12.36, 1239.0, 0.0, -0.5, 0.01234)] == [
        "1.34", "12.4", "1,240", "0", "−0.500", "0.0123",
    ]  # fmt: skip
    assert times(1.339) == "1.34x"
    assert [months(n) for n in (1, 14, 24, 96, 12)] == [
        "1 month",
        "14 months",
        "2 years",
        "8 years",
        "12 months",
    ]
    assert quantity(3.0, "US$bn a year") == "$3.00bn a year"
    assert quantity(0.25, "share") == "25%"
    assert quantity(45.0, "US$/MWh") == "$45.0 a MWh"
    assert quantity(1.2, "GW") == "1.20 GW"


def test_lists_in_words():
    assert joined([]) == ""
    assert joined(["A"]) == "A"
    assert joined(["A", "B", "C"]) == "A, B and C"
    assert several(["A", "B", "C", "D"]) == "A, B and 2 others"
    assert several(["A", "B", "C"]) == "A, B and C"
    assert capitalised("the lab") == "The lab"


def test_every_term_is_told_in_plain_sentences():
    terms = glossary()
    for term in (
        "DSCR",
        "take-or-pay",
        "covenant",
        "lock-up",
        "runway",
        "cover",
        "utilisation",
        "bullet",
        "merit order",
    ):
        assert term in terms
    assert list(terms) == sorted(terms, key=str.casefold)
    for term, sentence in terms.items():
        assert sentence.endswith("."), term
        assert 20 < len(sentence) < 240, term
