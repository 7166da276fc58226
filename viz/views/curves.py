"""When they default: the share of worlds in which each party has failed by a month, with its interval."""

import numpy as np

from model.history import wilson
from scenarios.experiments.measures import PROJECT_FINANCE
from scenarios.experiments.scoring import kaplan_meier
from scenarios.headlines import headline_of, headline_words
from viz.specs import Chart, Text
from viz.views.drawing import (
    column,
    frame,
    grid,
    line,
    months_axis,
    pinned_lines,
    rule,
    rules,
    short,
    three,
    value_axis,
)
from viz.views.reading import dates_of, of_pinned, table_of
from viz.views.standing import LAB
from viz.words import capitalised

TITLE = "When they default"
KEY = "curves"
GROUP = "Risk"
MOST_CURVES = 4
LOOKS = (
    {"color": "var:ink"},
    {"color": "var:accent"},
    {"color": "var:accent", "dashed": True},
    {"color": "var:muted"},
)


def build(run, context):
    """Give the default curves of the lab and its partners, those of the sites, and what the lab's rate hangs on."""
    sites = run.story.state("locked_up")[0]
    partners = [name for name in run.story.state("dscr")[0] if name not in sites]
    return [
        _chart(run, context, "curves_partners", ["OpenAI", *partners], "the lab and its partners"),
        _chart(run, context, "curves_sites", list(sites), "the site companies", PROJECT_FINANCE),
        _caution(run, context),
    ]


def _caution(run, context):
    """What has to stand beside the lab's rate: how far it moves with the equity window."""
    found = headline_of(run.scenario, run.months)
    lab = context.inside("OpenAI")
    told = capitalised(headline_words(found and found.facts(), lab, commands=False))
    return Text(
        key="equity_window", headline=f"How sure is {lab}'s default rate?", frames=[told], static=True
    )


def curve(run, name):
    """Give the Survival of a party over all worlds, months 0 to the last: worlds that do not fail are counted out."""
    month = run.outcome("default")[run.story.parties.index(name)]
    return kaplan_meier(np.minimum(month, run.months), month <= run.months, run.months)


def _chart(run, context, key, names, whom, history=None):
    found = {name: curve(run, name) for name in names}
    order = sorted(names, key=lambda name: -found[name].failed[-1])
    drawn = [name for name in order if found[name].failed[-1] > 0.0][:MOST_CURVES]
    series = []
    for place, name in reversed(list(enumerate(drawn))):
        series += _curve(found[name], short(context.name(name)), place)
    if not series:
        series = [line("nobody", np.zeros(run.months + 1), color="var:calm", label="nobody defaults")]
    party = LAB if LAB in names else order[0]
    pinned = of_pinned(run, context, lambda each: 100.0 * curve(each, party).failed[1:])
    look = LOOKS[drawn.index(party)] if party in drawn else LOOKS[-1]
    series = pinned_lines(pinned, color=look["color"], step="end") + series
    if history is not None:
        label = "project loans in their first ten years: 6.7%"
        series[-1]["markLine"] = rules(rule(100.0 * history, label, place="insideStartTop"))
    sentence = _sentence(run, context, found, order, whom)
    option = frame(
        grid=grid(right=184),
        xAxis=months_axis(dates_of(run)),
        yAxis=value_axis(low=0),
        series=series,
    )
    columns = ["party", "by", "% of worlds", "low", "high", "first", "median month"]
    rows = [_row(run, context, name, found[name]) for name in order]
    return Chart(
        key=key,
        headline=sentence,
        label=f"Legal default of {whom} so far (Kaplan-Meier), with 95% intervals",
        unit="% of worlds",
        option=option,
        cursor=True,
        alt=sentence,
        table=table_of(columns, rows),
    )


def _curve(found, name, place):
    """A step line with its name at the end, over the band of its 95% interval."""
    look = LOOKS[place]
    low, high = 100.0 * (1.0 - found.high), 100.0 * (1.0 - found.low)
    failed = 100.0 * found.failed
    band = [
        {
            "type": "line",
            "name": f"{name} {edge}",
            "data": column(values),
            "stack": f"band {place}",
            "stackStrategy": "all",
            "step": "end",
            "showSymbol": False,
            "symbol": "none",
            "silent": True,
            "lineStyle": {"width": 0},
            "itemStyle": {"color": look["color"], "opacity": 0.0},
            "areaStyle": {"color": look["color"], "opacity": shade},
            "emphasis": {"disabled": True},
            "z": 1,
        }
        for edge, values, shade in (("low", low, 0.0), ("high", high - low, 0.09))
    ]
    label = f"{name} {three(failed[-1]):.0f}%"
    return [*band, line(name, failed, step="end", label=label, **look)]


def _sentence(run, context, found, order, whom):
    first, last = order[0], dates_of(run)[-1]
    if found[first].failed[-1] <= 0.0:
        high = 100.0 * wilson(0, run.worlds)[1]
        return f"None of {whom} defaults by {last} in any of {run.worlds} worlds (95% sure: in fewer than {high:.0f}%)"
    curve = found[first]
    low, high = 100.0 * (1.0 - curve.high[-1]), 100.0 * (1.0 - curve.low[-1])
    if curve.failed[-1] >= 1.0:
        low = 100.0 * wilson(run.worlds, run.worlds)[0]
    return (
        f"By {last} {context.inside(first)} has defaulted in {100.0 * curve.failed[-1]:.0f}% of worlds"
        f" ({low:.0f} to {high:.0f}%), most often of {whom}"
    )


def _row(run, context, name, found):
    month = run.outcome("default")[run.story.parties.index(name)]
    when = np.sort(month[month <= run.months])
    low, high = wilson(when.size, month.size)
    dates = dates_of(run)
    seen = [dates[when[0]], dates[when[(when.size - 1) // 2]]] if when.size else ["never", "never"]
    percents = [three(100.0 * share) for share in (found.failed[-1], low, high)]
    return [context.name(name), dates[-1], *percents, *seen]
