"""Who can cover what falls due: the state of every borrower in every month, in the shown world and in all of them."""

from itertools import pairwise

import numpy as np

from viz.specs import STATES, Chart
from viz.views.drawing import FONT, frame, grid, months_axis, names_axis, short
from viz.views.reading import dates_of, table_of, with_opening
from viz.views.standing import BREACH, CALM, DEFAULT, NEVER_OUT, STRAINED, standing
from viz.words import percent, several, times

TITLE = "Who can pay"
KEY = "heat"
GROUP = "Debt"
NOTHING = len(STATES)
WORDS = (*STATES, "nothing due yet")
COLOURS = ("var:calm@0.45", "var:strained", "var:breach", "var:ink", "var:hairline@0.5")
INK_ON = ("var:ink", "var:strained-on", "var:surface", "var:surface", "var:muted")
LAB, HOLDING = "OpenAI", "SoftBank"
"""The lab has no debt to cover: what counts is its cash. The holding company pays by selling what it holds."""


def build(run, context):
    """Give the states of the borrowers in the shown world, and the share of worlds in which each is in trouble."""
    return [_of_story(run, context), _of_worlds(run, context)]


def states(run):
    """Give (borrowers, their states ``(months + 1, borrowers)``, the number behind each ``(months + 1, borrowers)``).

    States are those of the page, and NOTHING for a site that is not in service; the number is cover, months of cash
    for the lab, and net debt over holdings for the holding company.
    """
    story, stands = run.story, standing(run)
    columns, cover = story.state("dscr")
    names = [LAB, *columns]
    number = np.column_stack([stands.runway, cover])
    if HOLDING in names:
        number[:, names.index(HOLDING)] = story.value("infrastructure_partner.loan_to_value", HOLDING)
    state = stands.state[:, [stands.parties.index(name) for name in names]].copy()
    for name in story.state("months_complete")[0]:
        row = names.index(name)
        waits = (story.value("months_complete", name) == 0) & (state[:, row] <= STRAINED)
        state[waits, row] = NOTHING
    return names, state, number


def _of_story(run, context):
    names, state, number = states(run)
    shown = [context.name(name) for name in names]
    dates = dates_of(run)
    cells = []
    for row, name in enumerate(shown):
        starts = _starts(state[:, row])
        for month, code in enumerate(state[:, row].tolist()):
            words = _words(names[row], number[month, row], code)
            cell = {"name": f"{name}, {dates[month]}: {words}", "id": names[row], "value": [month, row, code]}
            if month in starts and (code != CALM or not row):
                cell["label"] = {"show": True}
            cells.append(cell)
    option = frame(
        grid=grid(left=152, right=16, top=4),
        xAxis=months_axis(dates, gaps=True),
        yAxis=names_axis(shown),
        tooltip={"trigger": "item", "formatter": "{b}", "confine": True},
        visualMap={
            "show": False,
            "type": "piecewise",
            "pieces": [{"value": code, "color": colour} for code, colour in enumerate(COLOURS)],
        },
        series=[
            {
                "type": "heatmap",
                "data": [_labelled(cell) for cell in cells],
                "animation": False,
            }
        ],
    )
    inside = [short(context.inside(name)) for name in names]
    headlines = [_headline(inside, row, date) for row, date in zip(state, dates, strict=True)]
    rows = [
        [date, *(_words(name, n, code) for name, n, code in zip(names, number[m], state[m], strict=True))]
        for m, date in enumerate(dates)
    ]
    return Chart(
        key="heat_story",
        headline=headlines,
        label="How each borrower stands in this world: the lab by months of cash, all others by cover (DSCR)",
        unit="by month",
        option=option,
        cursor=True,
        alt=headlines[-1],
        table=table_of(["month", *shown], rows),
        clicks="party",
    )


def _starts(codes):
    """The first months of stretches that are long enough to carry their word; calm has it once at most."""
    cuts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    room = {start: stop - start for start, stop in pairwise(cuts)}
    return {at for at in room if room[at] > 1.3 * len(WORDS[codes[at]]) and (codes[at] != CALM or not at)}


def _labelled(cell):
    if "label" not in cell:
        return cell
    code = cell["value"][2]
    label = {
        "show": True,
        "formatter": WORDS[code],
        "position": "insideLeft",
        "align": "left",
        "color": INK_ON[code],
        "fontSize": FONT - 1,
    }
    return cell | {"label": label}


def _words(name, number, code):
    if code in (NOTHING, DEFAULT):
        return WORDS[code]
    if name == LAB:
        measured = "cash for ten years" if number >= NEVER_OUT else f"{number:.0f} months of cash"
    elif name == HOLDING:
        measured = f"net debt {percent(number)} of holdings"
    else:
        measured = "cover 10x or nothing due" if number >= 10.0 else f"cover {times(number)}"
    return f"{WORDS[code]}, {measured}"


def _headline(shown, last, date):
    """One sentence on who is in trouble at the end of a month, the worst first."""
    bad = {
        code: [name for name, s in zip(shown, last, strict=True) if s == code] for code in range(len(WORDS))
    }
    worst = next((code for code in (DEFAULT, BREACH, STRAINED) if bad[code]), None)
    if worst is None:
        return f"{date}: every borrower covers what it owes"
    words = {DEFAULT: "in default", BREACH: "in breach", STRAINED: "strained"}
    parts = [
        f"{several(bad[code], 2)} {'is' if len(bad[code]) == 1 else 'are'} {words[code]}"
        for code in (DEFAULT, BREACH, STRAINED)
        if bad[code]
    ]
    return f"{date}: {'; '.join(parts)}"


# -- all worlds ---------------------------------------------------------------------------------------------------


def shares_in_trouble(run):
    """Give (borrowers, share of worlds ``(months + 1, borrowers)`` that are in trouble by then).

    In trouble: in default; 60 days late with a payment at any time so far; a site whose covenant is broken this month;
    the lab with less cash than its floor (`openai.runway_floor`) this month.
    """
    names = [LAB, *run.results.measures["dscr"].agents]
    sites, months = run.results.measures["breached"].agents, np.arange(1, run.months + 1)[:, None]
    columns = []
    for name in names:
        bad = months >= earliest(run, name)
        if name == LAB:
            bad = bad | run.measure("cornered", LAB).astype(bool)
        elif name in sites:
            bad = bad | run.measure("breached", name).astype(bool)
        columns.append(bad.mean(axis=1))
    return names, with_opening(np.column_stack(columns), 0.0)


def earliest(run, name):
    """Give the month in which a party first is 60 days late or in default, per world; NEVER where it is neither."""
    row = run.story.parties.index(name)
    return np.minimum(run.outcome("missed")[row], run.outcome("default")[row])


def _of_worlds(run, context):
    names, share = shares_in_trouble(run)
    shown, dates = [context.name(name) for name in names], dates_of(run)
    share = np.rint(100.0 * share).astype(int)
    cells = [
        {
            "name": f"{name}, {dates[month]}: in trouble in {part}% of worlds",
            "id": names[row],
            "value": [month, row, part],
        }
        for row, name in enumerate(shown)
        for month, part in enumerate(share[:, row].tolist())
    ]
    for row in range(len(shown)):
        last = cells[(row + 1) * len(dates) - 1]
        last["label"] = _beside(f"{last['value'][2]}%")
    top = int(np.argmax(share[-1]))
    sentence = (
        f"By {dates[-1]} {context.inside(names[top])} is in trouble in {share[-1, top]}% of {run.worlds} worlds"
        if share[-1, top] > 0
        else f"By {dates[-1]} no borrower is in trouble in any of {run.worlds} worlds"
    )
    darkest = max(20, 10 * int(np.ceil(share.max() / 10.0)))
    option = frame(
        grid=grid(left=152, right=48, top=4),
        xAxis=months_axis(dates, gaps=True),
        yAxis=names_axis(shown),
        tooltip={"trigger": "item", "formatter": "{b}", "confine": True},
        visualMap={
            "show": False,
            "type": "continuous",
            "min": 0,
            "max": darkest,
            "inRange": {"color": ["var:surface", "var:accent"]},
        },
        series=[{"type": "heatmap", "data": cells, "animation": False, "clip": False}],
    )
    return Chart(
        key="heat_worlds",
        headline=sentence,
        label="In trouble: late or in default by then, or that month in breach of a covenant or short of cash",
        unit="% of worlds",
        option=option,
        cursor=True,
        alt=sentence,
        table=table_of(["month", *shown], [[date, *share[month]] for month, date in enumerate(dates)]),
        clicks="party",
    )


def _beside(words):
    return {
        "show": True,
        "formatter": words,
        "position": "right",
        "distance": 8,
        "color": "var:ink",
        "fontSize": FONT,
    }
