"""Two walls: what the lab has promised to pay against what it earns, and what borrowers must repay, by year."""

import numpy as np

from viz.specs import Chart
from viz.views.drawing import (
    FONT,
    column,
    frame,
    grid,
    line,
    months_axis,
    part_of_stack,
    steady_axis,
    three,
    words_at,
    written,
)
from viz.views.reading import (
    columns_of,
    dates_of,
    default_of,
    first_month,
    opening_of,
    table_of,
    years_of,
)
from viz.words import capitalised, money

TITLE = "Walls of promises and debt"
KEY = "walls"
GROUP = "Debt"
LAB = "OpenAI"
MOST_OVER = 4.0  # times what is promised: revenue above that would press the wall flat, and is cut off
BEYOND = 3  # years after the last month that the maturity wall shows; what is due later stands in one bar
ROLLED = "rolled"


def build(run, context):
    """Give the commitment wall against revenue, and the maturity wall as it stands in each month."""
    return [_commitments(run, context), _maturities(run, context)]


# -- what is promised ---------------------------------------------------------------------------------------------


def minimum_payments(run):
    """Give (sellers, what the lab owes each at least ``(months + 1, sellers)``), US$bn a year, used or not.

    price x floor share x what is available, and the firm part of renewals at their own price; nothing in month 0.
    """
    story, opening = run.story, opening_of(run)
    names = [
        name for name in story.state("compute_contract.floor")[0] if opening.contract(name).debtor == LAB
    ]
    price, floor, available, firm, renewal = (
        columns_of(story, f"compute_contract.{state}", names)
        for state in ("price", "floor", "available", "renewal_firm", "renewal_price")
    )
    due = floor * (price * available + renewal * firm)
    due[story.months == 0] = 0.0
    sellers = list(dict.fromkeys(opening.contract(name).creditor for name in names))
    of_seller = [[opening.contract(name).creditor == seller for name in names] for seller in sellers]
    return sellers, due @ np.array(of_seller, dtype=float).T


def promised_at_start(run):
    """Give what the lab's contracts of the opening books cost if used in full, US$bn a year, ``(months + 1,)``."""
    opening, whole = opening_of(run), np.zeros(run.months + 1)
    for contract in opening.contracts_of_kind("take-or-pay"):
        if contract.debtor == LAB and not contract.scenario_only:
            yearly = contract.terms.get("indicative_yearly", contract.terms.get("yearly", ()))
            for year, amount in enumerate(yearly):
                whole[12 * year + 1 : 12 * year + 13] += amount
    return whole


def _commitments(run, context):
    sellers, due = minimum_payments(run)
    order = np.argsort(-due.sum(axis=0), kind="stable")
    dates, lab = dates_of(run), context.inside(LAB)
    shown, total = run.story.value("openai.revenue", LAB), due.sum(axis=1)
    gone = default_of(run.story, LAB)
    passes = first_month((total > shown) & (run.story.months < gone))
    sentence = _sentence(lab, dates, total, shown, passes, gone)
    series, floor = [], np.zeros(run.months + 1)
    for place, row in enumerate(order):
        name = context.name(sellers[row])
        series.append(part_of_stack(name, np.where(run.story.months == 0, np.nan, due[:, row]), "due", place))
        at = int(np.clip(np.argmax(due[:, row]), 0.04 * run.months, 0.8 * run.months))
        if due[at, row] > 0.05 * max(total.max(), shown.max()):
            middle = float(floor[at] + due[at, row] / 2.0)
            colour = "var:surface" if place < 2 else "var:ink"
            series[-1]["markPoint"] = written(words_at([at, middle], name, color=colour))
        floor = floor + due[:, row]
    start = promised_at_start(run)
    series += _as_signed(start)
    promised = max(float(total.max()), float(start.max()), 1e-3)
    top = min(max(promised, 1.05 * float(shown.max())), MOST_OVER * promised)
    series.append(line("revenue", shown))
    if shown[-1] > top:  # the line ends above the chart: its name stands where it leaves it
        words = words_at([run.months, top], f"revenue,\n{money(shown[-1])}")
        series[-1] = line("revenue", shown, label=False) | {"markPoint": written(words)}
    option = frame(
        grid=grid(),
        xAxis=months_axis(dates),
        yAxis=steady_axis(top),
        series=series,
    )
    rows = [
        [date, three(shown[month]), three(total[month]), *column(due[month, order])]
        for month, date in enumerate(dates)
    ]
    names = [context.name(sellers[row]) for row in order]
    return Chart(
        key="commitment_wall",
        headline=sentence,
        label=context.cast.tell(
            f"What {lab} must pay for compute, used or not, by seller, against revenue, in this world"
        ),
        unit="US$bn a year",
        option=option,
        cursor=True,
        alt=sentence,
        table=table_of(["month", "revenue", "take-or-pay", *names], rows),
    )


def _as_signed(start):
    """A dashed line of what the contracts of the opening books come to, with its name at its highest step."""
    if start.max() <= 0.0:
        return []
    start = np.where(start > 0.0, start, np.nan)
    signed = line("signed", start, color="var:muted", width=1.5, dashed=True, step="start", label=False)
    top = int(np.nanargmax(start))
    words = words_at([top, float(start[top])], "as signed, if all is used", color="var:muted")
    words["label"] |= {"position": "top", "distance": 6}
    return [signed | {"markPoint": written(words)}]


def _sentence(lab, dates, total, revenue, passes, gone):
    if passes is not None:
        by = f"{money(total[passes])} a year against {money(revenue[passes])}"
        return f"The take-or-pay bill passes {lab}'s revenue in {dates[passes]}: {by}"
    if gone < len(dates):
        return f"{capitalised(lab)} defaults in {dates[gone]} and leaves its take-or-pay contracts"
    share = np.where(revenue > 0.0, total / np.maximum(revenue, 1e-9), 0.0)
    worst = int(np.argmax(share))
    return f"{capitalised(lab)}'s take-or-pay bill is heaviest in {dates[worst]}, at {share[worst]:.0%} of revenue"


# -- what falls due -----------------------------------------------------------------------------------------------

BORROWERS = (
    ("the lab", ("OpenAI",)),
    ("partners", ("SoftBank", "Oracle", "CoreWeave", "Crusoe", "Vantage", "Stargate vehicle")),
    ("sites", None),
)
"""Whose debt the wall shows. Bonds that are rolled year by year, and the debt of hyperscalers and utilities, fall due
never or outside this story and are left out."""


def maturities(run):
    """Give (words for years, debt by year of maturity ``(months + 1, borrowers, years)``), US$bn.

    Balances at the end of each month, by the calendar year in which the last of each loan falls due as it then stands;
    the last year is "later".
    """
    story, opening = run.story, opening_of(run)
    claims = story.claims
    names, maturity = story.state("loan.maturity")
    years = -(-run.months // 12) + BEYOND
    wall = np.zeros((run.months + 1, len(BORROWERS), years + 1))
    sites = story.state("locked_up")[0]
    for place, name in enumerate(names):
        claim = claims.names.index(name)
        debtor = story.parties[claims.issuers[claim]]
        group = next(
            (row for row, (_, who) in enumerate(BORROWERS) if debtor in (sites if who is None else who)), None
        )
        if group is None or _is_rolled(opening, name):
            continue
        year = np.minimum(maturity[:, place].astype(int) // 12, years)
        wall[np.arange(run.months + 1), group, year] += claims.balances[:, claim]
    return [*years_of(run, years), "later"], wall


def _is_rolled(opening, name):
    found = [contract for contract in opening.contracts if contract.id == name.split(" (")[0]]
    return bool(found) and found[0].terms.get("repayment") == ROLLED


def _maturities(run, context):
    years, wall = maturities(run)
    dates, groups = dates_of(run), [name for name, _ in BORROWERS]
    groups[0] = context.name(LAB)
    shades = (("var:ink", 1.0), ("var:accent", 0.95), ("var:accent", 0.42))
    series = [
        {
            "id": name,
            "name": name,
            "type": "bar",
            "stack": "debt",
            "barWidth": "60%",
            "itemStyle": {"color": color, "opacity": opacity},
            "data": column(wall[0, row]),
            "emphasis": {"disabled": True},
        }
        for row, (name, (color, opacity)) in enumerate(zip(groups, shades, strict=True))
    ]
    series.append(_words_above())
    top = max(float(wall.sum(axis=1).max()), 1e-3)
    frames = [_bars(groups, month, top) for month in wall]
    headlines = [
        _wall_words(years, wall[month].sum(axis=0), date, month // 12) for month, date in enumerate(dates)
    ]
    option = frame(
        grid=grid(right=24, top=24),
        tooltip={"trigger": "axis", "axisPointer": {"type": "none"}},
        xAxis={
            "type": "category",
            "data": years,
            "axisLine": {"lineStyle": {"color": "var:muted"}},
            "axisTick": {"show": False},
            "axisLabel": {"color": "var:ink", "fontSize": FONT, "interval": 0},
        },
        yAxis=steady_axis(1.08 * top),
        series=series,
    )
    rows = [
        [dates[month], year, *column(wall[month, :, place])]
        for month in range(0, run.months + 1, 12)
        for place, year in enumerate(years)
    ]
    return Chart(
        key="maturity_wall",
        headline=headlines,
        label="Debt by year of its last repayment, rolled bonds left out: sites (light), partners (dark), lab (black)",
        unit="US$bn",
        option=option,
        frames=frames,
        alt=headlines[-1],
        table=table_of(["month", "falls due in", *groups], rows),
    )


def _words_above():
    """Points that are not seen, with the amounts of the bars above them, in fewer letters where there is no room."""
    return {
        "id": "words",
        "type": "scatter",
        "symbol": "circle",
        "symbolSize": 1,
        "itemStyle": {"color": "var:surface"},
        "data": [],
        "silent": True,
        "label": {
            "show": True,
            "position": "top",
            "distance": 4,
            "formatter": "{@[2]}",
            "narrow": "{@[3]}",
            "color": "var:ink",
            "fontSize": FONT,
        },
        "labelLayout": {"hideOverlap": True},
        "tooltip": {"show": False},
    }


def _bars(groups, month, top):
    words = [
        [place, three(value), money(value, short=True), f"{value:.1f}" if value < 9.95 else f"{value:.0f}"]
        for place, value in enumerate(month.sum(axis=0).tolist())
        if value > 0.004 * top
    ]
    bars = [{"id": name, "data": column(row)} for name, row in zip(groups, month, strict=True)]
    return {"series": [*bars, {"id": "words", "data": words}]}


def _wall_words(years, whole, date, year):
    """One sentence: how much falls due until the end of the next year, and where the wall is highest."""
    if whole.sum() <= 1e-6:
        return f"{date}: nothing is owed"
    soon, last = whole[: year + 2].sum(), min(year + 1, len(years) - 2)
    part = money(soon) if soon > 1e-3 else "none"
    sentence = f"{date}: {part} of {money(whole.sum())} of debt falls due by the end of {years[last]}"
    rest = whole[year + 2 : -1]
    if rest.size and rest.max() > max(soon, whole[-1]):
        at = year + 2 + int(np.argmax(rest))
        sentence += f", and the wall stands in {years[at]}: {money(whole[at])}"
    return sentence
