"""Hedge, speculative, Ponzi: who pays interest and principal out of operations, in the shown world.

Minsky (1992), Levy Economics Institute Working Paper 74. The classes are those of `model.stress.MEASURES`, of what
flowed in the last twelve months: only the shown world keeps that for every month.
"""

import numpy as np

from model.accounts import OPERATING_KINDS
from model.pricing import HEDGE, PONZI, SPECULATIVE, minsky_class
from viz.specs import Chart
from viz.views.drawing import column, frame, grid, months_axis, names_axis, value_axis, words_at, written
from viz.views.reading import columns_of, dates_of, default_of, table_of
from viz.words import money

TITLE = "Hedge, speculative, Ponzi"
KEY = "minsky"
GROUP = "Risk"
LAB = "OpenAI"
PLEDGED = "take-or-pay counted as debt"
GONE = 3
WORDS = ("hedge", "speculative", "Ponzi", "in default")
MEANING = ("pays interest and principal", "pays interest only", "pays not even interest", "gone")
SHADES = (0.16, 0.5, 0.95, 1.0)
COLOURS = ("var:accent", "var:accent", "var:accent", "var:ink")
YEAR = 12


def build(run, context):
    """Give the debt in each class over time, and the class of each borrower in each month."""
    return [_bands(run, context), _borrowers(run, context)]


def classes(run):
    """Give (borrowers, class of each ``(months + 1, borrowers)``): 0 hedge, 1 speculative, 2 Ponzi, 3 in default.

    The last one is the lab with its payments for compute counted as debt service. In month 0 nobody has paid yet: all
    are hedge.
    """
    story = run.story
    sites = story.state("locked_up")[0]
    names = [LAB, *(name for name in story.state("dscr")[0] if name not in sites)]
    year = {
        "operating": _last_year(story, names, OPERATING_KINDS),
        "interest": np.maximum(-_last_year(story, names, ("interest",)), 0.0),
        "principal": np.maximum(-_last_year(story, names, ("principal",)), 0.0),
        "pledge": np.maximum(-_last_year(story, names, ("take-or-pay", "renewal")), 0.0),
    }
    found = minsky_class(year["operating"], year["interest"], year["principal"])
    pledge = year["pledge"][:, 0]
    pledged = minsky_class(
        year["operating"][:, 0] + pledge, year["interest"][:, 0], year["principal"][:, 0] + pledge
    )
    gone = story.months[:, None] >= np.array([default_of(story, name) for name in names])
    found = np.where(gone, GONE, found)
    pledged = np.where(gone[:, 0], GONE, pledged)
    return [*names, f"{LAB}, {PLEDGED}"], np.column_stack([found, pledged])


def _last_year(story, names, kinds):
    """Net receipts of these kinds in the last twelve months, ``(months + 1, names)``, US$bn."""
    rows = [row for row, kind in enumerate(story.kinds) if kind in kinds]
    columns = [story.parties.index(name) for name in names]
    so_far = np.cumsum(story.flows[:, rows][:, :, columns].sum(axis=1), axis=0)
    before = np.concatenate([np.zeros_like(so_far[:YEAR]), so_far[:-YEAR]]) if len(so_far) > YEAR else 0.0
    return so_far - before


def debt_by_class(run):
    """Give the debt of the lab and its partners in each class, ``(months + 1, 4)``, US$bn; the dead owe nothing."""
    names, found = classes(run)
    owed = columns_of(run.story, "solvency.debt", names[:-1])
    return np.column_stack([(owed * (found[:, :-1] == each)).sum(axis=1) for each in range(4)])


def _bands(run, context):
    debt = debt_by_class(run)
    whole = np.maximum(debt[:, :3].sum(axis=1, keepdims=True), 1e-9)
    percent = 100.0 * debt[:, :3] / whole
    months, dates = run.months, dates_of(run)
    series, floor = [], np.zeros(months + 1)
    for each in (HEDGE, SPECULATIVE, PONZI):
        series.append(_layer(WORDS[each], percent[:, each], each))
        where = _place_for_words(percent[:, each], months)
        if where is not None:
            place = [where, float(floor[where] + percent[where, each] / 2.0)]
            colour = "var:surface" if each == PONZI else "var:ink"
            series[-1]["markPoint"] = written(
                words_at(place, f"{WORDS[each]}: {MEANING[each]}", color=colour, align="center")
            )
        floor = floor + percent[:, each]
    headlines = [
        _headline(percent[month], whole[month, 0], date if month else "") for month, date in enumerate(dates)
    ]
    option = frame(
        grid=grid(right=24),
        xAxis=months_axis(dates),
        yAxis=value_axis(low=0, high=100, interval=25),
        series=series,
    )
    rows = [[date, *column(percent[month]), *column(whole[month])] for month, date in enumerate(dates)]
    return Chart(
        key="minsky_bands",
        headline=headlines,
        label="Debt of the lab and its partners by what a year's operations could pay, in this world",
        unit="% of debt",
        option=option,
        cursor=True,
        alt=headlines[-1],
        table=table_of(["month", *WORDS[:3], "US$bn of debt"], rows),
    )


def _place_for_words(values, months):
    """The middle of the thickest stretch of a band that holds a line of words, or None."""
    span = months // 3
    if span < 1 or values.size <= span:
        return None
    thin = np.array([values[start : start + span].min() for start in range(1, values.size - span + 1)])
    best = int(np.argmax(thin))
    return best + 1 + span // 2 if thin[best] >= 12.0 else None


def _layer(name, values, each):
    shade = {"color": COLOURS[each], "opacity": SHADES[each]}
    return {
        "type": "line",
        "name": name,
        "data": column(values),
        "stack": "classes",
        "step": "end",
        "showSymbol": False,
        "symbol": "none",
        "lineStyle": {"width": 0},
        "itemStyle": shade,
        "areaStyle": shade,
        "emphasis": {"disabled": True},
    }


def _headline(percent, whole, date):
    if whole <= 1e-6:
        return "None of them owes anything"
    if not date:
        return f"{money(whole)} of debt at the start; nobody has had to pay yet"
    ponzi = f"{percent[PONZI]:.0f}% of {money(whole)} of debt sits with Ponzi borrowers, who cannot pay even interest"
    return f"{date}: {ponzi} from operations" if percent[PONZI] >= 0.5 else (
        f"{date}: {percent[HEDGE]:.0f}% of {money(whole)} of debt sits with hedge borrowers,"
        f" {percent[SPECULATIVE]:.0f}% with speculative ones"
    )  # fmt: skip


def _borrowers(run, context):
    names, found = classes(run)
    shown = [context.name(name.split(",")[0]) + name[len(name.split(",")[0]) :] for name in names]
    months = run.months
    dates = dates_of(run)
    cells = [
        {
            "name": f"{name}, {dates[month]}: {WORDS[code]}, {MEANING[code]}",
            "id": names[row].split(",")[0],
            "value": [month, row, code],
        }
        for row, name in enumerate(shown)
        for month, code in enumerate(found[:, row].tolist())
    ]
    ponzi = int((found[1:] == PONZI).any(axis=0)[:-1].sum())
    with_pledge = int((found[1:, -1] == PONZI).sum())
    sentence = (
        f"{ponzi} of {len(names) - 1} are Ponzi in some month; with take-or-pay as debt {context.inside(LAB)} is so in"
        f" {with_pledge} of {months} months"
    )
    option = frame(
        grid=grid(left=216, right=16, top=4),
        xAxis=months_axis(dates, gaps=True),
        yAxis=names_axis([name.replace("counted as", "as") for name in shown]),
        tooltip={"trigger": "item", "formatter": "{b}", "confine": True},
        visualMap={
            "show": False,
            "type": "piecewise",
            "pieces": [
                {"value": code, "color": colour, "opacity": shade}
                for code, (colour, shade) in enumerate(zip(COLOURS, SHADES, strict=True))
            ],
        },
        series=[{"type": "heatmap", "data": cells, "animation": False}],
    )
    rows = [[date, *(WORDS[code] for code in found[month])] for month, date in enumerate(dates)]
    return Chart(
        key="minsky_borrowers",
        headline=sentence,
        label="Class of each borrower: light hedge, middle speculative, dark Ponzi, black in default",
        unit="class, in this world",
        option=option,
        cursor=True,
        alt=sentence,
        table=table_of(["month", *shown], rows),
        clicks="party",
    )
