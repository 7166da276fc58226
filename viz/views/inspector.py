"""One party up close: how it stands, why, its money, its books, and every number that the model keeps of it."""

import numpy as np

from agents.worlds import state_declarations
from model.assembly import ACTORS
from viz.specs import STATES, Chart, Table, Text
from viz.views.drawing import cents, column, fan, frame, grid, line, months_axis, value_axis
from viz.views.events import causes_of, why
from viz.views.reading import bands, dates_of, table_of, with_opening
from viz.views.standing import LAB, NEVER_OUT, SMALL, standing
from viz.words import capitalised, figures, money, quantity, times

TITLE = "One party up close"
KEY = "party"
GROUP = "Money"
MOST_FLOWS = 14


def build(run, context):
    """Give the party in focus: state and reasons, cash and debt, payments of the month, balance sheet, all numbers."""
    party = context.party if context.party in run.story.parties else LAB
    return [
        _state(run, context, party),
        _money(run, context, party),
        _payments(run, context, party),
        _books(run, context, party),
        _numbers(run, context, party),
    ]


# -- how it stands, and why ---------------------------------------------------------------------------------------


def _state(run, context, party):
    stands, dates = standing(run), dates_of(run)
    told = [(line.month, why(line, context)) for line in causes_of(run) if line.party == party]
    fired = [(event["month"], _rule(event, dates)) for event in run.story_events if event["agent"] == party]
    state, debt, unpaid, cover = (
        stands.column(block, party) for block in (stands.state, stands.debt, stands.unpaid, stands.cover)
    )
    cash = run.story.sheets[:, run.story.instruments.index("cash"), run.story.parties.index(party)]
    frames = []
    for month, date in enumerate(dates):
        words = [f"holds {money(cash[month])}", f"owes {money(debt[month])} of loans and bonds"]
        if month and party == LAB and not stands.column(stands.closed, party)[month]:
            words.append(_cash_words(stands.runway[month]))
        if np.isfinite(cover[month]):
            words.append(f"covers what is due {times(min(cover[month], 10.0))}")
        if unpaid[month] > SMALL:
            words.append(f"leaves {money(unpaid[month])} unpaid")
        sentences = [f"{date}: {capitalised(STATES[state[month]])}. It {', '.join(words)}."]
        sentences += [text for when, text in fired if when <= month][-1:]
        sentences += [text for when, text in told if when <= month][-1:]
        frames.append(sentences)
    return Text(key="party_state", headline=capitalised(context.name(party)), frames=frames)


def _rule(event, dates):
    amount = f" ({money(event['amount'])})" if event["amount"] > SMALL else ""
    return f"The rule that fired last, in {dates[event['month']]}: {event['kind']}{amount}, because {event['because']}."


def _cash_words(runway):
    return "sees no end of its cash" if runway >= NEVER_OUT else f"has cash for {figures(runway)} months"


# -- money --------------------------------------------------------------------------------------------------------


def _money(run, context, party):
    name, dates, story = context.inside(party), dates_of(run), run.story
    place = story.parties.index(party)
    cash = story.sheets[:, story.instruments.index("cash"), place]
    debt = standing(run).column(standing(run).debt, party)
    series, columns, cuts = [], ["month", "cash", "debt"], []
    if party in run.results.measures["cash"].agents:
        worlds = bands(with_opening(run.measure("cash", party), cash[0]))
        series += fan(worlds[0], worlds[1], worlds[3], worlds[4], name="cash in all worlds")
        cuts, columns = [worlds[0], worlds[4]], [*columns, "cash p05", "cash p95"]
    if debt.max() > SMALL:
        series.append(line("debt", debt, color="var:muted", dashed=True))
    series.append(line("cash", cash))
    low = int(np.argmin(cash[1:])) + 1
    sentence = f"{capitalised(name)} holds least cash in {dates[low]}: {money(cash[low])}"
    if debt.max() > SMALL:
        most = int(np.argmax(debt))
        sentence += f"; it owes most in {dates[most]}: {money(debt[most])}"
    whose = f"; bands are 50% and 90% of {run.worlds} worlds" if cuts else ""
    option = frame(
        grid=grid(),
        xAxis=months_axis(dates),
        yAxis=value_axis(low=None if cash.min() < -SMALL else 0),
        series=series,
    )
    return Chart(
        key="party_money",
        headline=sentence,
        label=f"Cash and debt of {name} in this world{whose}",
        unit="US$bn",
        option=option,
        cursor=True,
        alt=sentence,
        table=table_of(columns, zip(dates, *map(column, [cash, debt, *cuts]), strict=True)),
    )


def payments_of(run, party):
    """Give {(kind, other party): US$bn received less paid ``(months + 1,)``}, the largest in sum first."""
    legs, place, found = run.story.legs, run.story.parties.index(party), {}
    for leg in np.flatnonzero(((legs.payer == place) | (legs.payee == place)) & legs.paid.any(axis=0)):
        sign = 1.0 if legs.payee[leg] == place else -1.0
        other = run.story.parties[legs.payer[leg] if sign > 0 else legs.payee[leg]]
        key = legs.kinds[leg], other
        found[key] = found.get(key, 0.0) + sign * legs.paid[:, leg]
    return dict(sorted(found.items(), key=lambda item: -np.abs(item[1]).sum()))


def _payments(run, context, party):
    found, dates = payments_of(run, party), dates_of(run)
    shown = list(found.items())[:MOST_FLOWS]
    rest = sum((flow for _, flow in list(found.items())[MOST_FLOWS:]), np.zeros(run.months + 1))
    rows = [(kind, context.name(other), flow) for (kind, other), flow in shown]
    if np.abs(rest).max() > SMALL:
        rows.append(("everything else", "", rest))
    total = sum((flow for *_, flow in rows), np.zeros(run.months + 1))
    rows.append(("change of cash", "", total))
    frames = [[_in_and_out(flow[month]) for *_, flow in rows] for month in range(run.months + 1)]
    name = context.inside(party)
    headlines = [
        f"{date}: {_moved(name, total[month])}" if month else "Nothing has been paid yet: press play"
        for month, date in enumerate(dates)
    ]
    columns = (("payment", "left"), ("from or to", "left"), ("received", "right"), ("paid", "right"))
    return Table(
        key="party_payments",
        headline=headlines,
        label=f"What {name} receives and pays in the month, in this world",
        columns=_columns(columns),
        frames=frames,
        fixed=[[kind, other] for kind, other, _ in rows],
        alt=headlines[-1],
        clicks="",
    )


def _moved(name, amount):
    if abs(amount) < SMALL:
        return f"{name}'s cash stays as it is"
    return f"{name}'s cash {'grows' if amount > 0.0 else 'falls'} by {money(abs(amount))}"


def _in_and_out(amount):
    if abs(amount) < SMALL:
        return ["", ""]
    return [money(amount), ""] if amount > 0.0 else ["", money(-amount)]


# -- books and numbers --------------------------------------------------------------------------------------------


def _books(run, context, party):
    story, dates = run.story, dates_of(run)
    sheet = story.sheets[:, :, story.parties.index(party)]
    rows = [row for row in range(len(story.instruments)) if np.abs(sheet[:, row]).max() > SMALL]
    worth = sheet.sum(axis=1)
    frames = [
        [*(_owned_and_owed(sheet[month, row]) for row in rows), _owned_and_owed(worth[month])]
        for month in range(run.months + 1)
    ]
    headlines = [
        f"{date}: what {context.inside(party)} owns less what it owes, shares included, is {money(worth[month])}"
        for month, date in enumerate(dates)
    ]
    return Table(
        key="party_books",
        headline=headlines,
        label=f"Balance sheet of {context.inside(party)}, in this world; US$bn",
        columns=_columns((("item", "left"), ("owned", "right"), ("owed", "right"))),
        frames=frames,
        fixed=[*([story.instruments[row]] for row in rows), ["net worth"]],
        alt=headlines[-1],
    )


def _owned_and_owed(amount):
    if amount == 0.0:
        return ["", ""]
    return [cents(amount), ""] if amount > 0.0 else ["", cents(-amount)]


def _numbers(run, context, party):
    sentences = {(row["group"], row["name"]): row["sentence"] for row in state_declarations(ACTORS)}
    rows = []
    for state in run.story.states:
        sentence = sentences.get((state.group, state.name))
        if sentence is None or party not in state.agents:
            continue
        values = run.story.value(f"{state.group}.{state.name}", party)
        if values.ndim == 1 and np.isfinite(values).all() and np.ptp(values) > 0.0:
            rows.append((sentence, state.unit, values))
    frames = [[[_shown(values[month], unit)] for _, unit, values in rows] for month in range(run.months + 1)]
    return Table(
        key="party_numbers",
        headline=f"The {len(rows)} numbers of {context.inside(party)} that change",
        label="Every number that the model keeps of it for its rules, and that changes, in this world",
        columns=_columns((("number", "left"), ("this month", "right"))),
        frames=frames,
        fixed=[[capitalised(context.cast.tell(sentence))] for sentence, _, _ in rows],
        alt=f"All numbers of {context.inside(party)}, month by month.",
    )


def _shown(value, unit):
    return ("yes" if value else "no") if unit == "yes/no" else quantity(value, unit)


def _columns(columns):
    return [{"key": title, "title": title, "align": align, "unit": ""} for title, align in columns]
