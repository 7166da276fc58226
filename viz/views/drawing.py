"""The parts that charts share: axes, lines with their name at the end, bands over worlds, numbers in words.

Colours are names of the theme ("var:ink"), so that a chart is the same in light and in dark. A band is two shades of
one hue; the shown world is a line of ink, two pixels wide.
"""

import math
from itertools import pairwise

import numpy as np

from viz.specs import Plain

FONT = 12
SHADES = (0.95, 0.68, 0.46, 0.3, 0.18)
"""Opacity of the parts of a stack, from the first on: one hue, so that parts read as parts."""


ROUND = ((1, 0.25), (1.5, 0.5), (2, 0.5), (3, 1), (4, 1), (5, 1), (6, 2), (8, 2), (10, 2.5))
"""Round ends of an axis, over a power of ten, and how far apart its lines then are."""

# -- numbers ------------------------------------------------------------------------------------------------------


def three(value):
    """Give a number with three significant figures, and None for what is not a number (a gap in a line)."""
    value = float(value)
    if not math.isfinite(value):
        return None
    if abs(value) >= 100.0:
        return round(value)
    rounded = float("%.3g" % value)  # noqa: UP031 (twice as fast as a format string)
    return int(rounded) if rounded.is_integer() else rounded


def column(values):
    """Give a series as a list of numbers with three significant figures."""
    return Plain(map(three, np.asarray(values, dtype=float).ravel().tolist()))


def short(name):
    """Give the name of a party as it fits beside a row: a site company is a site."""
    return name.removesuffix(" company").removesuffix(" builder")


def cents(value):
    """Give an amount of US$bn to two decimals, as matrices show it: a true zero is 0.00, never -0.00."""
    text = f"{value:,.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


# -- axes ---------------------------------------------------------------------------------------------------------


def months_axis(dates, gaps=False):
    """Give the axes of time: the months, which carry the data, and the years, which carry the labels.

    ``dates``: the months in words, the opening first; ``gaps``: whether a month is a place of its own (heat maps).
    """
    months, line = len(dates) - 1, {"lineStyle": {"color": "var:hairline"}}
    axis = {
        "type": "category",
        "data": dates,
        "boundaryGap": gaps,
        "axisLine": {"onZero": False, **line},
        "axisTick": {"show": False},
        "axisLabel": {"show": False},
    }
    if months % 12:
        every = max(1, months // 5) - 1
        axis["axisLabel"] = {"show": True, "interval": every, "color": "var:muted", "fontSize": FONT}
        return [axis]
    years = [date.split(" ", 1)[1].removeprefix("of ") for date in dates[12::12]]
    return [
        axis,
        {
            "type": "category",
            "data": years,
            "position": "bottom",
            "axisLine": {"show": False},
            "axisTick": {"show": True, "length": 5, **line},
            "axisLabel": {"color": "var:muted", "fontSize": FONT, "interval": 0},
            "axisPointer": {"show": False},
        },
    ]


def names_axis(shown):
    """Give the axis of a heat map whose rows are parties: their names, and white between the rows."""
    return {
        "type": "category",
        "data": [short(name) for name in shown],
        "inverse": True,
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "axisLabel": {"color": "var:ink", "fontSize": FONT},
        "splitLine": {"show": True, "lineStyle": {"color": "var:surface", "width": 4}},
        "z": 10,
    }


def value_axis(low=None, high=None, zero=True, **more):
    """Give the axis of values: thin lines where a value is read off, zero in sight; its unit stands above the chart."""
    axis = {
        "type": "value",
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "axisLabel": {"color": "var:muted", "fontSize": FONT},
        "splitLine": {"lineStyle": {"color": "var:hairline", "width": 1}},
        "splitNumber": 4,
        "scale": not zero,
    }
    if low is not None:
        axis["min"] = low
    if high is not None:
        axis["max"] = high
    return axis | more


def steady_axis(top):
    """Give an axis of values from zero to the round number above ``top``, the same in all months."""
    step = 10.0 ** math.floor(math.log10(max(top, 1e-3)))
    high, every = next((h, i) for h, i in ROUND if step * h >= top)
    return value_axis(low=0, high=step * high, interval=step * every)


def grid(left=48, right=132, top=12, bottom=28):
    """Give the margins: room at the right for the names of lines."""
    return {"left": left, "right": right, "top": top, "bottom": bottom, "containLabel": False}


def frame(**parts):
    """Give an option with what all charts have in common."""
    common = {
        "animation": False,
        "textStyle": {"color": "var:ink", "fontSize": FONT},
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": "var:surface",
            "borderColor": "var:hairline",
            "textStyle": {"color": "var:ink", "fontSize": FONT},
            "axisPointer": {"lineStyle": {"color": "var:hairline"}},
        },
    }
    return common | parts


# -- series -------------------------------------------------------------------------------------------------------


def line(name, values, *, color="var:ink", width=2, dashed=False, label=None, step=None, **more):
    """Give a line that carries its own name at its end."""
    series = {
        "type": "line",
        "name": name,
        "data": column(values),
        "showSymbol": False,
        "symbol": "none",
        "lineStyle": {"color": color, "width": width, "type": "dashed" if dashed else "solid"},
        "itemStyle": {"color": color},
        "emphasis": {"disabled": True},
        "z": 5,
    }
    if label is not False:
        series["endLabel"] = {
            "show": True,
            "formatter": label or "{a}",
            "color": color,
            "fontSize": FONT,
            "distance": 8,
        }
        series["labelLayout"] = {"moveOverlap": "shiftY"}
    if step:
        series["step"] = step
    return series | more


def pinned_lines(medians, *, color="var:ink", named=True, **more):
    """Give dashed lines of pinned runs, each ``named`` at its end by its number."""
    return [
        line(
            f"pinned {at}",
            median,
            color=color,
            width=1.5,
            dashed=True,
            label=None if named else False,
            **more,
        )
        for at, median in enumerate(medians, 1)
    ]


def part_of_stack(name, values, stack, shade, *, color="var:accent"):
    """Give one part of a stack of areas; the view writes its name into it."""
    return {
        "type": "line",
        "name": name,
        "data": column(values),
        "stack": stack,
        "showSymbol": False,
        "symbol": "none",
        "lineStyle": {"width": 0},
        "itemStyle": {"color": color, "opacity": SHADES[shade % len(SHADES)]},
        "areaStyle": {"color": color, "opacity": SHADES[shade % len(SHADES)]},
        "emphasis": {"disabled": True},
        "z": 2,
    }


def fan(low5, low25, high75, high95, name="all worlds", color="var:accent", key="fan"):
    """Give the 50% and 90% bands of all worlds as a stack that is not shown below its lowest line."""
    edges = [np.asarray(edge, dtype=float) for edge in (low5, low25, high75, high95)]
    widths = [edges[0], *(after - before for before, after in pairwise(edges))]
    shades = (0.0, 0.12, 0.26, 0.12)
    return [
        {
            "type": "line",
            "name": f"{name} {place}",
            "data": column(width),
            "stack": key,
            "stackStrategy": "all",
            "showSymbol": False,
            "symbol": "none",
            "silent": True,
            "lineStyle": {"width": 0},
            "itemStyle": {"color": color, "opacity": 0.0},
            "areaStyle": {"color": color, "opacity": shade},
            "emphasis": {"disabled": True},
            "tooltip": {"show": False},
            "z": 1,
        }
        for place, (width, shade) in enumerate(zip(widths, shades, strict=True))
    ]


def rule(value, words, *, color="var:muted", axis="yAxis", place="insideEndTop"):
    """Give a thin dashed line across at a value, with its name in words; goes into a series' `markLine`."""
    return {
        axis: value,
        "name": words,
        "label": {
            "show": True,
            "formatter": words,
            "position": place,
            "color": color,
            "fontSize": FONT,
        },
        "lineStyle": {"color": color, "width": 1, "type": "dashed"},
    }


def rules(*lines):
    """Give the `markLine` of a series from rules."""
    return {"symbol": "none", "silent": True, "animation": False, "data": list(lines)}


def words_at(place, words, *, color="var:ink", align="left", size=FONT):
    """Give words written at a point of the chart; goes into a series' `markPoint`."""
    return {
        "coord": place,
        "symbolSize": 0,
        "label": {"show": True, "formatter": words, "color": color, "fontSize": size, "align": align},
    }


def written(*points):
    """Give the `markPoint` of a series from words."""
    return {"symbol": "circle", "silent": True, "animation": False, "data": list(points)}
