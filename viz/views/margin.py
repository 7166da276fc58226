"""The pincer: what a GW of compute earns and what it costs, and the margin that is left beside that of software."""

import numpy as np

from viz.specs import Chart
from viz.views.drawing import (
    column,
    fan,
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
from viz.views.reading import (
    bands_of_living,
    dates_of,
    fan_table,
    first_month,
    middle,
    of_pinned,
    table_of,
    with_opening,
)
from viz.words import capitalised, percent

TITLE = "Margin and pincer"
KEY = "margin"
GROUP = "Markets"
LAB = "OpenAI"
SOFTWARE = 0.8
"""Gross margin of software firms, of their revenue: what the margin of a lab is measured against."""
LOWEST_MARGIN = -5.0
"""The model's own limit of the gross margin: where it is reached, a GW earns next to nothing."""


def build(run, context):
    """Give the pincer (what a GW earns against what it costs, in the shown world) and the margin in all worlds."""
    return [_pincer(run, context), _margin(run, context)]


def earned_and_paid(run):
    """Give (revenue, compute cost) per GW of the lab's compute in use, US$bn per GW-year, ``(months, worlds)`` each.

    revenue per GW = revenue / GW that serve customers; cost per GW = (1 - gross margin) x that: the whole bill for
    compute over the compute in use, so that idle compute makes each GW dearer. NaN where nothing is served.
    """
    measures = ("revenue", "inference_need", "served_share", "gross_margin")
    revenue, need, served, margin = (run.measure(name, LAB) for name in measures)
    serving = need * served
    with np.errstate(divide="ignore", invalid="ignore"):
        earned = np.where((serving > 1e-9) & (revenue > 1e-9), revenue / serving, np.nan)
    paid = (1.0 - margin) * earned
    return earned, np.where(margin <= LOWEST_MARGIN + 1e-9, np.nan, paid)


def _pincer(run, context):
    lab, dates = context.inside(LAB), dates_of(run)
    earned, paid = (with_opening(block[:, run.position]) for block in earned_and_paid(run))
    crossed = first_month(earned < paid)
    last = np.flatnonzero(np.isfinite(earned) & np.isfinite(paid))
    sentence = _pincer_words(lab, earned, paid, crossed, last, dates)
    option = frame(
        grid=grid(),
        xAxis=months_axis(dates),
        yAxis=value_axis(),
        series=[
            line("it earns", earned, label="a GW earns"),
            line("it costs", paid, color="var:accent", label="a GW costs"),
        ],
    )
    if crossed is not None:
        option["series"][0]["markPoint"] = written(
            words_at([crossed, float(earned[crossed])], f"costs more than it earns\nfrom {dates[crossed]}")
        )
    rows = zip(dates, column(earned), column(paid), strict=True)
    return Chart(
        key="pincer",
        headline=sentence,
        label="What a GW that serves customers earns and a GW in use costs, in this world",
        unit="US$bn per GW-year",
        option=option,
        cursor=True,
        alt=sentence,
        table=table_of(["month", "earned per GW", "paid per GW"], rows),
    )


def _pincer_words(lab, earned, paid, crossed, last, dates):
    if not last.size:
        return f"{capitalised(lab)} serves nobody in this world"
    start, end = last[0], last[-1]
    fall, move = 1.0 - earned[end] / earned[start], 1.0 - paid[end] / paid[start]
    spans = f"{_change(fall)} from {dates[start]} to {dates[end]}, what it costs {_change(move)}"
    closes = "the pincer closes" if fall > move else "the pincer opens"
    if crossed is not None:
        return f"From {dates[crossed]} a GW costs {lab} more than it earns; what it earns {spans}"
    return f"What a GW earns {lab} {spans}: {closes}"


def _change(fall):
    return (
        f"falls by {percent(abs(fall))}"
        if fall > 0.005
        else f"rises by {percent(abs(fall))}"
        if fall < -0.005
        else "stays"
    )


def _margin(run, context):
    lab = context.inside(LAB)
    alive, living = ~run.measure("closed", LAB).astype(bool), _margin_of(run)
    dates, worlds = dates_of(run), run.worlds
    cuts = [with_opening(edge) for edge in bands_of_living(living)]
    shown = with_opening(living[:, run.position])
    reached, gone = int((living[-1] >= 100.0 * SOFTWARE).sum()), int((~alive[-1]).sum())
    lost = f", and it is gone in {gone}" if gone else ""
    reaches = f"reaches software's {percent(SOFTWARE)} by {dates[-1]} in {reached} of {worlds} worlds"
    sentence = f"{capitalised(lab)}'s gross margin {reaches}{lost}"
    series = fan(cuts[0], cuts[1], cuts[3], cuts[4])
    series += pinned_lines(of_pinned(run, context, lambda each: middle(_margin_of(each))))
    series.append(line("this world", shown))
    series[-1]["markLine"] = rules(rule(100.0 * SOFTWARE, "software: 80%", place="insideStartTop"), _zero())
    lowest = np.nanmin([*cuts[0], *shown, 0.0])
    option = frame(
        grid=grid(),
        xAxis=months_axis(dates),
        yAxis=value_axis(low=25 * int(np.floor(lowest / 25.0)), high=100, interval=25),
        series=series,
    )
    return Chart(
        key="margin",
        headline=sentence,
        label=f"Gross margin while {lab} lasts; bands are 50% and 90% of worlds, at least -100%",
        unit="% of revenue",
        option=option,
        cursor=True,
        alt=sentence,
        table=fan_table(dates, {"this world": shown}, cuts),
    )


def _margin_of(run):
    """Gross margin of the lab while it lasts, at least -100%, ``(months, worlds)``, in per cent; else NaN."""
    margin = np.clip(run.measure("gross_margin", LAB), -1.0, 1.0)
    return 100.0 * np.where(run.measure("closed", LAB).astype(bool), np.nan, margin)


def _zero():
    return {
        "yAxis": 0,
        "label": {"show": False},
        "lineStyle": {"color": "var:muted", "width": 1, "type": "solid"},
    }
