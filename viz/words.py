"""Numbers and terms as the page writes them: at most three significant figures, plain words first."""

import functools
import math
import tomllib
from pathlib import Path

GLOSSARY = Path(__file__).resolve().parent / "glossary.toml"
MINUS = "−"
NOTHING = "–"


def money(billions, short=False):
    """Give US$bn in words: "$38.0bn", "$640m", "$1.40tn"; ``short`` leaves out zeros at the end ("$38bn")."""
    if not math.isfinite(billions):
        return NOTHING
    size = float("%.3g" % abs(billions))  # noqa: UP031 (twice as fast as a format string)
    if size < 0.0005:
        return "$0"
    # The scale is chosen after rounding: 999.6 million is $1.00bn.
    size, ending = (size / 1e3, "tn") if size >= 1e3 else (size, "bn") if size >= 1.0 else (size * 1e3, "m")
    return f"{MINUS if billions < 0 else ''}${figures(size, short)}{ending}"


def figures(value, short=False):
    """Give a number with three significant figures: "1.34", "12.4", "1,240" (never more before the point)."""
    if not math.isfinite(value):
        return NOTHING
    size = float("%.3g" % abs(value))  # noqa: UP031 (twice as fast as a format string)
    if size == 0.0:
        return "0"
    places = max(0, 2 - math.floor(math.log10(size)))
    text = f"{size:,.{places}f}"
    if short and "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{MINUS if value < 0 else ''}{text}"


def percent(share):
    """Give a share in words: "44%"; "under 1%" and "over 99%" near the ends, so that 0% and 100% mean what they say."""
    if not math.isfinite(share):
        return NOTHING
    if 0.0 < share < 0.005:
        return "under 1%"
    if 0.995 <= share < 1.0:
        return "over 99%"
    return f"{MINUS if share < 0 else ''}{abs(share):.0%}"


def times(ratio):
    """Give a ratio as a multiple, with two digits after the point at most: "0.85x", "1.34x", "17.1x"."""
    if not math.isfinite(ratio):
        return NOTHING
    return f"{figures(ratio)}x" if abs(ratio) >= 1.0 else f"{ratio:.2f}x".replace("-", MINUS)


def months(count):
    """Give a number of months in words: "1 month", "14 months", "8 years" for whole years from two on."""
    count = round(count)
    if count >= 24 and count % 12 == 0:
        return f"{count // 12} years"
    return "1 month" if count == 1 else f"{count} months"


def quantity(value, unit):
    """Give a number with its unit as the model declares it: US$bn as money, shares in per cent, else figures."""
    if unit.startswith("US$bn"):
        rest = unit.removeprefix("US$bn").replace("per", "a", 1)
        return f"{money(value)}{rest}"
    if unit in ("share", "share of worlds", "probability"):
        return percent(value)
    if unit in ("x", "multiple", "ratio"):
        return times(value)
    if unit == "months":
        return months(value)
    if unit.startswith("US$/"):
        return f"${figures(value)} a{'n' if unit[4:5] in 'aeiou' else ''} {unit[4:]}"
    return f"{figures(value)} {unit}".strip()


def joined(names):
    """Give names in a row: "Oracle, CoreWeave and Crusoe"."""
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def several(names, most=3):
    """Give names in a row, the rest counted: "Oracle, CoreWeave and 2 others"."""
    names = list(names)
    if len(names) <= most:
        return joined(names)
    rest = len(names) - most + 1
    return f"{', '.join(names[: most - 1])} and {rest} others"


def capitalised(text):
    """Give a text with its first letter large, and the rest as it is."""
    return text[:1].upper() + text[1:]


@functools.cache
def glossary():
    """Give {term: what it means, in a plain sentence}, in the order of the alphabet."""
    table = tomllib.loads(GLOSSARY.read_text(encoding="utf-8"))
    return {term: table[term] for term in sorted(table, key=str.casefold)}
