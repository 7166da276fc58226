"""Who loses: what each holder of claims has written off, in all worlds and in the shown one."""

import numpy as np

from viz.specs import Chart
from viz.views.drawing import (
    FONT,
    column,
    fan,
    frame,
    grid,
    line,
    months_axis,
    pinned_lines,
    short,
    steady_axis,
    three,
    value_axis,
)
from viz.views.reading import QUANTILES, bands, dates_of, fan_table, of_pinned, table_of
from viz.words import money

TITLE = "Losses by holder"
KEY = "losses"
GROUP = "Risk"
MOST_HOLDERS = 8


def build(run, context):
    """Give the losses of the largest losers month by month, and the losses of all of them over time."""
    return [_by_holder(run, context), _together(run, context)]


def written_off(run):
    """Give (holders, US$bn written off so far ``(months + 1, holders, worlds)``), month 0 with nothing."""
    values = run.measure("solvency.loss")
    return run.story.parties, np.concatenate([np.zeros_like(values[:1]), values])


def _by_holder(run, context):
    parties, lost = written_off(run)
    dates = dates_of(run)
    mean = lost.mean(axis=-1)
    rows = _largest(run, mean[-1])
    shown = [context.name(parties[row]) for row in rows]
    inside = [context.inside(parties[row]) for row in rows]
    lost, mean = lost[:, rows], mean[:, rows]
    cuts = np.moveaxis(bands(lost), 0, -1)  # (months + 1, holders, 5)
    story = lost[..., run.position]
    frames = [_month(cuts[month], mean[month], story[month]) for month in range(run.months + 1)]
    top = float(max(cuts[-1].max(initial=0.0), story.max(initial=0.0), 1.0))
    headlines = [_headline(inside, cuts[month], mean[month], date) for month, date in enumerate(dates)]
    option = frame(
        grid=grid(left=168, right=112, top=24, bottom=40),
        tooltip={"show": False},
        xAxis=steady_axis(top),
        yAxis={
            "type": "category",
            "data": [short(name) for name in shown],
            "inverse": True,
            "axisLine": {"lineStyle": {"color": "var:muted"}},
            "axisTick": {"show": False},
            "axisLabel": {"color": "var:ink", "fontSize": FONT},
        },
        series=[
            {
                "id": "box",
                "type": "boxplot",
                "layout": "vertical",
                "boxWidth": [10, 14],
                "itemStyle": {"color": "var:hairline", "borderColor": "var:accent", "borderWidth": 1.5},
                "data": [],
                "emphasis": {"disabled": True},
            },
            _points("mean", "diamond", "var:accent", 11),
            _points("story", "circle", "var:ink", 9),
            _points("words", "circle", "var:surface", 1, "mean {@[2]}"),
        ],
    )
    rows = [
        [dates[month], name, *column(cuts[month, row]), three(mean[month, row]), three(story[month, row])]
        for month in range(0, run.months + 1, 12)
        for row, name in enumerate(shown)
    ]
    return Chart(
        key="losses_by_holder",
        headline=headlines,
        label=f"Written off so far: 50% and 90% of {run.worlds} worlds, their mean (diamond), this world (dot)",
        unit="US$bn",
        option=option,
        frames=frames,
        alt=headlines[-1],
        table=table_of(["month", "holder", *QUANTILES, "mean", "this world"], rows),
        clicks="party",
    )


def _largest(run, mean):
    """The rows of those who lose most; where nobody loses, of those who have lent most."""
    lent = run.story.state("solvency.lent")[1][-1]
    order = np.lexsort((np.arange(mean.size), -lent, -mean))[:MOST_HOLDERS]
    return [row for row in order if mean[row] > 0.0 or not mean.any()]


def _points(name, symbol, color, size, label=None):
    series = {
        "id": name,
        "type": "scatter",
        "symbol": symbol,
        "symbolSize": size,
        "itemStyle": {"color": color},
        "data": [],
        "silent": True,
        "z": 6,
    }
    if label:
        series["label"] = {
            "show": True,
            "position": "right",
            "distance": 8,
            "formatter": label,
            "color": "var:ink",
            "fontSize": FONT,
        }
    return series


def _month(cuts, mean, story):
    ends = np.maximum(np.maximum(cuts[:, -1], mean), story)
    return {
        "series": [
            {"id": "box", "data": [column(each) for each in cuts]},
            {"id": "mean", "data": _places(mean)},
            {"id": "story", "data": _places(story)},
            {
                "id": "words",
                "data": [[*place, money(value)] for place, value in zip(_places(ends), mean, strict=True)],
            },
        ]
    }


def _places(values):
    return [[three(value), row] for row, value in enumerate(values.tolist())]


def _headline(shown, cuts, mean, date):
    if not shown or mean.max(initial=0.0) <= 0.0:
        return f"{date}: nothing is written off in any world"
    most = int(np.argmax(mean))
    tail = cuts[most, 4]
    return (
        f"By {date} {shown[most]} has lost {money(mean[most])} in the mean of all worlds,"
        f" {money(tail)} in one world of twenty"
    )


def _mean_loss(run):
    return written_off(run)[1][1:].sum(axis=1).mean(axis=-1)


def _together(run, context):
    lost = written_off(run)[1].sum(axis=1)
    cuts, story, dates = bands(lost), lost[:, run.position], dates_of(run)
    mean = lost.mean(axis=-1)
    nothing = int((lost[-1] <= 1e-9).sum())
    free = f"Nobody loses anything in {nothing} of {run.worlds} worlds"
    sentence = (
        f"{free if nothing else 'Somebody loses in every world'}; the mean loss by {dates[-1]} is"
        f" {money(mean[-1])}, and {money(cuts[4][-1])} in one world of twenty"
    )
    series = fan(cuts[0], cuts[1], cuts[3], cuts[4])
    series.append(line("this world", story))
    series.append(line("mean", mean, color="var:accent", width=1.5))
    series += pinned_lines(of_pinned(run, context, _mean_loss), color="var:accent")
    option = frame(grid=grid(), xAxis=months_axis(dates), yAxis=value_axis(low=0), series=series)
    return Chart(
        key="losses_together",
        headline=sentence,
        label=f"Written off by all holders so far; bands are 50% and 90% of {run.worlds} worlds",
        unit="US$bn",
        option=option,
        cursor=True,
        alt=sentence,
        table=fan_table(dates, {"this world": story, "mean": mean}, cuts),
    )
