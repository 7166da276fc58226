"""Compare: up to four pinned runs beside the present one, with paired differences where they share their luck."""

import json
import math
from dataclasses import replace

import solara

from scenarios.cast import cast_of
from scenarios.experiments.compare import paired_rows
from scenarios.schema import BadInput
from scenarios.simulate import Results
from viz import words
from viz.components import Chart, Table
from viz.levers import label_of
from viz.specs import Chart as ChartSpec
from viz.specs import Table as TableSpec
from viz.specs import to_json
from viz.state import MOST_PINS, known_scenario, pin_of, read_pin, scenario_of
from viz.views.drawing import short

TITLE = "Compare runs"
SENTENCE = "Pin up to four, side by side, with paired differences"
WIDE = NEEDS_RUN = True
MOST_FIRMS, MOST_ROWS = 8, 14
APART = 0.17  # of a row, between the marks of two runs
MARKS = ("circle", "rect", "triangle", "diamond", "pin")  # a run is told by its mark, not by colour alone
COLOURS = ("var:ink", "var:accent", "var:muted", "var:band", "var:ink@0.45")  # states keep theirs


# -- data ----------------------------------------------------------------------------------------------------


def cut(results, worlds):
    """Give the first worlds of a run: Results without a story."""
    pieces, count = [], 0
    for piece in results.pieces:
        if count < worlds:
            pieces.append(_first(piece, worlds - count))
            count += pieces[-1].luck.size
    return Results(pieces, results.scenario, results.seed, results.months, 0, results.seconds)


def _first(piece, worlds):
    """The first worlds of a piece."""
    if piece.luck.size <= worlds:
        return replace(piece, story=None)
    kept = piece.events["row"] < worlds
    return replace(
        piece,
        luck=piece.luck[:worlds],
        measures={
            name: replace(series, values=series.values[..., :worlds])
            for name, series in piece.measures.items()
        },
        outcomes={name: block[..., :worlds] for name, block in piece.outcomes.items()},
        peak_stress=piece.peak_stress[:worlds],
        residual=piece.residual[:worlds],
        events={name: column[kept] for name, column in piece.events.items()},
        params={path: values[:worlds] for path, values in piece.params.items()},
        story=None,
    )


def changes(state):
    """Give what a state changes of its scenario, as texts; empty if nothing."""
    told = [f"{label_of(path)}: {_value(path, value)}" for path, value in state.sets]
    told += [_event(dict(row)) for row in state.events]
    told += [f"decision in month {dict(row).get('month')}" for row in state.decisions]
    return told + [f"without {_left_out(state, *each)}" for each in state.without]


def _left_out(state, dated, place):
    """What a dated row is that a state leaves out, in words."""
    row = getattr(scenario_of(replace(state, without=())), dated)[place]
    what = f"the {row.kind.replace('_', ' ')}" if dated == "events" else "the decision"
    return f"{what} in month {row.month}"


def _event(row):
    kind = str(row.get("kind", "event")).replace("_", " ")
    size = f" {row['size']:+.0%}" if isinstance(row.get("size"), float) and kind == "demand shock" else ""
    return f"{kind}{size} in month {row.get('month')}"


def _value(path, value):
    from scenarios.schema import default_vocabulary, split_path

    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    group, _, name = split_path(path)
    return words.quantity(float(value), default_vocabulary().params[group][name].unit)


def title_of(state):
    """Give what a run is called: its scenario's title, shortened to what stands before a colon."""
    return known_scenario(state.scenario).title.partition(":")[0]


def difference(before, after):
    """Give in words what differs between two states' runs; "" if nothing."""
    told = []
    if before.scenario != after.scenario:
        told.append(f"{title_of(before)} became {title_of(after)}")
    one, other = dict(before.sets), dict(after.sets)
    for path in sorted(one.keys() | other.keys()):
        if one.get(path) != other.get(path):
            ends = (
                _value(path, each[path]) if path in each else "as in the scenario" for each in (one, other)
            )
            told.append(f"{label_of(path)}: {' → '.join(ends)}")
    told += [f"without {_left_out(after, *each)}" for each in sorted({*after.without} - {*before.without})]
    told += [
        f"again with {_left_out(before, *each)}" for each in sorted({*before.without} - {*after.without})
    ]
    for name, what in (("events", "dated events"), ("decisions", "decisions"), ("months", "months")):
        if getattr(before, name) != getattr(after, name):
            told.append(f"other {what}")
    if before.seed != after.seed:
        told.append(f"seed {before.seed} → {after.seed}")
    if before.story != after.story:
        told.append(f"world {before.story} → {after.story}")
    return "; ".join(told)


def card(state, run=None):
    """Give what stands on the card of a run."""
    return {
        "pin": pin_of(state),
        "title": title_of(state),
        "changes": changes(state),
        "seed": state.seed,
        "months": state.months,
        "known": run is not None,
    }


def side_by_side(runs, titles, cast):
    """Give a Table with a column per run: who fails in how many worlds, what is lost, how high stress climbs."""
    least = min(run.worlds for run in runs)
    cuts = [cut(run.results, least) for run in runs]
    chances = [_chances(results) for results in cuts]
    firms = sorted(
        {firm for each in chances for firm in each if max(row.get(firm, (0,))[0] for row in chances) > 0},
        key=lambda firm: -max(each.get(firm, (0,))[0] for each in chances),
    )[:MOST_FIRMS]
    rows = [
        [f"{cast.name(firm)} in default"]
        + [_chance(*each[firm]) if firm in each else words.NOTHING for each in chances]
        for firm in firms
    ]
    tables = [results.worlds() for results in cuts]
    losses = [float(sum(t[name].mean() for name in t.columns if name.startswith("loss:"))) for t in tables]
    rows.append(["Written off by all holders, mean", *(words.money(loss) for loss in losses)])
    peaks = [float(table["peak_stress"].mean()) for table in tables]
    rows.append(["Peak stress, 0 to 1, mean", *(words.figures(peak) for peak in peaks)])
    columns = [{"key": "what", "title": "", "align": "left", "unit": ""}]
    columns += [
        {"key": f"run{at}", "title": title, "align": "right", "unit": ""} for at, title in enumerate(titles)
    ]
    return TableSpec(
        key="side-by-side",
        headline=_losses_headline(losses, titles)
        if len(runs) > 1
        else _headline(firms, chances, titles, cast),
        label=f"Shares of the first {least} worlds, with 95% intervals{_lengths(runs)}",
        columns=columns,
        frames=rows,
        static=True,
    ), _dots(firms, chances, titles, cast)


def _lengths(runs):
    """A warning where runs are not equally long."""
    months = sorted({run.months for run in runs})
    return (
        "" if len(months) == 1 else f"; these runs last {words.joined(str(each) for each in months)} months"
    )


def _losses_headline(losses, titles):
    most, least = losses.index(max(losses)), losses.index(min(losses))
    if words.money(losses[most]) == words.money(losses[least]):
        return f"Holders write off as much in each: {words.money(losses[most])} in the mean."
    return (
        f"Holders write off most in “{titles[most]}”: {words.money(losses[most])} in the mean,"
        f" against {words.money(losses[least])} in “{titles[least]}”."
    )


def _chances(results):
    frame = results.defaults()
    rows = frame[frame["outcome"] == "default"]
    return {row.agent: (row.p, row.low, row.high) for row in rows.itertuples()}


def _chance(share, low, high):
    return f"{words.percent(share)} ({100 * low:.0f}–{100 * high:.0f})"


def _headline(firms, chances, titles, cast):
    if not firms:
        return "Nobody defaults in any of these runs."
    if len(chances) == 1:
        return f"{cast.name(firms[0])} defaults most often: in {words.percent(chances[0][firms[0]][0])} of worlds."
    firm = max(firms, key=lambda each: _spread(each, chances))
    shares = [each.get(firm, (0.0,))[0] for each in chances]
    most, least = shares.index(max(shares)), shares.index(min(shares))
    if most == least:
        return "Nobody's chance of default differs between these runs."
    return (
        f"{cast.name(firm)} defaults in {words.percent(shares[most])} of worlds in “{titles[most]}”,"
        f" in {words.percent(shares[least])} in “{titles[least]}”."
    )


def _spread(firm, chances):
    shares = [each.get(firm, (0.0,))[0] for each in chances]
    return max(shares) - min(shares)


def _dots(firms, chances, titles, cast):
    """Give a Chart that lays the chances of all runs over one another: a mark per run, a line for its interval."""
    series, most = [], 10.0
    for at, (each, title) in enumerate(zip(chances, titles, strict=True)):
        colour = COLOURS[at % len(COLOURS)]
        offset = APART * (at - (len(chances) - 1) / 2)
        rows = [(row + offset, *each[firm]) for row, firm in enumerate(firms) if firm in each]
        most = max([most, *(100 * high for *_, high in rows)])
        series += [
            {
                "type": "scatter", "name": title, "data": [[100 * share, y] for y, share, _, _ in rows], "z": 4,
                "yAxisIndex": 1, "symbol": MARKS[at % len(MARKS)], "symbolSize": 9, "itemStyle": {"color": colour},
            },
            {
                "type": "lines", "coordinateSystem": "cartesian2d", "yAxisIndex": 1, "silent": True, "z": 3,
                "data": [{"coords": [[100 * low, y], [100 * high, y]]} for y, _, low, high in rows],
                "lineStyle": {"color": colour, "width": 1.5, "opacity": 0.6},
            },
        ]  # fmt: skip
    option = {
        "grid": {"left": 8, "right": 24, "top": 34, "bottom": 24, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 10},
        "tooltip": {"trigger": "item"},
        "xAxis": {
            "type": "value",
            "min": 0,
            "max": min(100, 10 * math.ceil(most / 10)),
            "axisLabel": {"formatter": "{value}%"},
        },
        "yAxis": [
            {
                "type": "category",
                "inverse": True,
                "data": [short(cast.name(firm)) for firm in firms],
                "axisTick": {"show": False},
                "axisLabel": {"color": "var:ink"},
            },
            {"type": "value", "inverse": True, "show": False, "min": -0.5, "max": len(firms) - 0.5},
        ],
        "series": series,
    }
    rows = [
        [cast.name(firm), *(round(100 * each[firm][0], 1) if firm in each else None for each in chances)]
        for firm in firms
    ]
    headline = _headline(firms, chances, titles, cast)
    return ChartSpec(
        key="chances",
        headline=headline,
        label="Worlds in which a firm is in default by the end, one mark per run; lines: 95% intervals",
        unit="% of worlds",
        option=option,
        alt=headline,
        table={"columns": ["Firm", *titles], "rows": rows},
    )


def paired(first, second, cast):
    """Give a Table of paired differences (second less first), the clearest first; None where luck differs."""
    least = min(first.worlds, second.worlds)
    one, other = cut(first.results, least), cut(second.results, least)
    if one.seed != other.seed or one.months != other.months:
        return None
    rows = [row for row in paired_rows(one, other) if row.difference != 0.0 or row.clear]
    clear = sum(row.clear for row in rows)
    cells = []
    for row in rows[:MOST_ROWS]:
        chance = row.unit == "share of worlds"
        sign = "+" if row.difference > 0 else ""
        if chance:
            values = (
                words.percent(row.first),
                words.percent(row.second),
                f"{100 * row.difference:+.0f} points",
            )
            span = f"{100 * row.low:+.0f} to {100 * row.high:+.0f}"
        else:
            values = (
                words.quantity(row.first, row.unit),
                words.quantity(row.second, row.unit),
                f"{sign}{words.figures(row.difference)}",
            )
            span = f"{words.figures(row.low)} to {words.figures(row.high)}"
        name = f"{cast.name(row.agent)}: {row.quantity}" if row.agent else row.quantity
        difference = {"text": values[2], "tone": "default"} if row.clear else values[2]
        cells.append([name, values[0], values[1], difference, span])
    said = (
        f"{clear} quantities differ by more than luck."
        if clear != 1
        else "One quantity differs by more than luck."
    )
    titles = ("", "There", "Here", "Difference", "95% interval")
    return TableSpec(
        key="paired",
        headline=said if rows else "Nothing differs between these runs.",
        label=f"Paired over the same {least} worlds, the clearest first; bold: the interval excludes zero",
        columns=[
            {"key": f"c{at}", "title": title, "align": "right" if at else "left", "unit": ""}
            for at, title in enumerate(titles)
        ],
        frames=cells,
        static=True,
    )


# -- the panel -----------------------------------------------------------------------------------------------


@solara.component_vue("compare.vue", vuetify=False)
def Cards(spec="{}", event_pin=None, event_unpin=None, event_open=None, event_against=None, event_flip=None):
    """Show the present run and the pinned ones as cards."""


@solara.component
def Panel(session):
    state, seen = session.state.value, session.seen.value
    against, set_against = solara.use_state("")
    pins = {}
    for pin in state.pins:
        pins[pin] = read_pin(pin)[0]
    runs = {run.key: run for run in seen.pinned}
    found = {pin: runs.get(pinned.run_key) for pin, pinned in pins.items()}
    chosen = against if against in pins else next(iter(pins), "")
    now = pin_of(state)
    last = session.last_change()
    spec = {
        "current": card(state, seen.run),
        "pinned": now in pins,
        "full": len(pins) >= MOST_PINS,
        "most": MOST_PINS,
        "pins": [card(pinned, found[pin]) | {"pin": pin} for pin, pinned in pins.items()],
        "against": chosen,
        "last": difference(*last[:2]) if last else "",
        "showing": last[2] if last else "",
    }

    def pin_now(*_):
        if now not in session.state.value.pins and len(session.state.value.pins) < MOST_PINS:
            session.change(pins=(*session.state.value.pins, now))

    def unpin(pin):
        session.change(pins=tuple(each for each in session.state.value.pins if each != pin))

    def open_run(pin):
        if pin in pins:
            there = pins[pin]
            names = ("scenario", "sets", "events", "decisions", "without", "seed", "months")
            session.change(**{name: getattr(there, name) for name in names})

    shown = [(seen.run, "This run")]
    shown += [(found[pin], _short_title(pinned)) for pin, pinned in pins.items() if found[pin] is not None]
    drawn = solara.use_memo(
        lambda: _drawn(shown, found.get(chosen), seen.run, state.names),
        [seen, state.pins, chosen, state.names],
    )
    with solara.Div():
        Cards(
            spec=json.dumps(spec),
            event_pin=pin_now,
            event_unpin=unpin,
            event_open=open_run,
            event_against=set_against,
            event_flip=lambda *_: session.flip(),
        )
        for kind, spec in drawn:
            with solara.Div(classes=["tp-panelfigure", f"tp-panel-{kind}"]).key(kind):
                (Chart if kind == "chart" else Table)(spec=spec)


def _short_title(state):
    told = changes(state)
    return f"{title_of(state)}{': ' + told[0] if told else ''}{' …' if len(told) > 1 else ''}"


def _drawn(shown, there, here, names):
    cast = cast_of(here.scenario, names)
    table, dots = side_by_side([run for run, _ in shown], [title for _, title in shown], cast)
    drawn = [("chart", to_json(dots))] if len(shown) > 1 else []
    drawn.append(("table", to_json(table)))
    if there is not None:
        try:
            found = paired(there, here, cast)
        except (BadInput, ValueError):
            found = None
        if found is not None:
            drawn.append(("paired", to_json(found)))
    return drawn
