"""The market: who serves customers, and at what prices."""

import numpy as np

from viz.specs import Chart
from viz.views.drawing import (
    column,
    frame,
    grid,
    line,
    months_axis,
    pinned_lines,
    rule,
    rules,
    value_axis,
    words_at,
    written,
)
from viz.views.reading import dates_of, default_of, middle, of_pinned, table_of

TITLE = "Shares and prices"
KEY = "market"
GROUP = "Markets"
OUTSIDE = "not sold by a lab"
GROUPS = (
    ("OpenAI", ("OpenAI",)),
    ("Anthropic", ("Anthropic",)),
    ("Google DeepMind", ("Google DeepMind",)),
    (
        "others",
        ("Meta Llama", "Mistral", "Vertical builder", "Data-sovereign builder", "Edge builder"),
    ),
)
"""The sellers as they are shown: the frontier labs, and open weights with the builders of small models."""
SELLERS = tuple(name for _, names in GROUPS for name in names)


def build(run, context):
    """Give who serves customers in the shown world, and what sellers charge."""
    return [_shares(run, context), _prices(run, context)]


def spending_shares(story):
    """Give (names of groups, share of all spending that each serves ``(months + 1, groups)``) in the shown world."""
    _, shares = story.state("shares")
    _, spending = story.state("spending")
    weight = spending / np.maximum(spending.sum(axis=-1, keepdims=True), 1e-12)
    by_seller = (shares * weight[:, None, :]).sum(axis=-1)
    rows = [by_seller[:, [SELLERS.index(name) for name in names]].sum(axis=1) for _, names in GROUPS]
    return [*(name for name, _ in GROUPS), OUTSIDE], np.column_stack([*rows, by_seller[:, -1]])


def _shares(run, context):
    names, share = spending_shares(run.story)
    shown = [context.name(name) for name in names]
    months, dates = run.months, dates_of(run)
    percent = 100.0 * share
    change = percent[-1, 0] - percent[0, 0]
    moved = (
        f"{'gains' if change > 0 else 'loses'} {abs(change):.0f} points"
        if abs(change) >= 0.5
        else "holds its share"
    )
    gains = int(np.argmax(percent[-1] - percent[0]))
    gained = gains and percent[-1, gains] - percent[0, gains] > 0.5
    to_whom = f", {context.inside(names[gains])} gains most" if gained else ""
    sentence = (
        f"{shown[0]} serves {percent[-1, 0]:.0f}% of what customers spend in {dates[-1]}: it {moved}{to_whom}"
    )
    series = []
    floor = np.zeros(months + 1)
    for row, name in enumerate(shown):
        middle = float(floor[-1] + percent[-1, row] / 2.0)
        series.append(_layer(name, percent[:, row], row, len(shown)))
        floor = floor + percent[:, row]
        series[-1]["markPoint"] = written(words_at([months, middle], f"  {name} {percent[-1, row]:.0f}%"))
    option = frame(
        grid=grid(right=176),
        xAxis=months_axis(dates),
        yAxis=value_axis(low=0, high=100, interval=25),
        series=series,
    )
    rows = [[date, *column(percent[month])] for month, date in enumerate(dates)]
    return Chart(
        key="shares",
        headline=sentence,
        label="Who serves what consumers, enterprises and developers spend, in this world",
        unit="% of spending",
        option=option,
        cursor=True,
        alt=sentence,
        table=table_of(["month", *shown], rows),
    )


def _layer(name, values, row, count):
    outside = row == count - 1
    shade = {
        "color": "var:hairline" if outside else "var:accent",
        "opacity": 0.6 if outside else 0.9 - 0.22 * row,
    }
    return {
        "type": "line",
        "name": name,
        "data": column(values),
        "stack": "shares",
        "showSymbol": False,
        "symbol": "none",
        "lineStyle": {"width": 1, "color": "var:surface"},
        "itemStyle": shade,
        "areaStyle": shade,
        "emphasis": {"disabled": True},
    }


def _prices(run, context):
    story, lab, dates = run.story, context.name("OpenAI"), dates_of(run)
    own = _while_there(story, "OpenAI")
    rivals = np.column_stack([_while_there(story, name) for name in SELLERS[1:3]])
    lowest = np.where(np.isnan(rivals), np.inf, rivals).min(axis=1)
    lowest = np.where(np.isfinite(lowest), lowest, np.nan)
    end = int(np.flatnonzero(np.isfinite(own))[-1])
    sentence = (
        f"In {dates[end]} {context.inside('OpenAI')} charges {_against_trend(own[end])} than the trend price;"
        f" the cheaper of its two rivals charges {_against_trend(lowest[end])}"
    )
    series = [
        line(lab, own),
        line("cheaper rival", lowest, color="var:accent"),
        *pinned_lines(of_pinned(run, context, lambda each: middle(_price_of(each)))),
    ]
    series[0]["markLine"] = rules(rule(100, "trend price", place="insideEndTop"))
    option = frame(
        grid=grid(),
        xAxis=months_axis(dates),
        yAxis=value_axis(low=0),
        series=series,
    )
    rows = zip(dates, column(own), column(lowest), strict=True)
    rivals = " and ".join(context.inside(name) for name in SELLERS[1:3])
    return Chart(
        key="prices",
        headline=sentence,
        label=f"Price of the same work, trend price = 100, in this world; rivals: {rivals}",
        unit="index",
        option=option,
        cursor=True,
        alt=sentence,
        table=table_of(["month", lab, "cheaper rival"], rows),
    )


def _price_of(run):
    """The price of the lab in all worlds while it is there, the trend price = 100, ``(months, worlds)``."""
    gone = run.measure("closed", "OpenAI").astype(bool)
    return np.where(gone, np.nan, 100.0 * run.measure("price", "OpenAI"))


def _against_trend(index):
    return f"{abs(100.0 - index):.0f}% {'less' if index <= 100.0 else 'more'}"


def _while_there(story, name):
    """The price of a seller, the trend price = 100, until it leaves the market, ``(months + 1,)``."""
    group = "openai" if name == "OpenAI" else "rival_lab"
    price = 100.0 * story.value(f"{group}.price", name)
    return np.where(story.months < default_of(story, name), price, np.nan)
