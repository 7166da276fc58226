"""What the experiments found, in words and tables that fit a terminal of 80 columns."""

from rich.text import Text

from scenarios.cast import Cast
from scenarios.story import DISCLAIMER, _bar, _heading, _money, _table


def tell_attribution(console, facts, card=None, cast=None):
    """Print the Shapley shares of the drivers, what they do together, and the cause card of a world."""
    cast = cast or Cast()
    chance = facts["unit"] == "share of worlds"
    _title(console, f"Who did it: {_measure(facts, cast)}", facts, cast)
    on, off = facts["all_on"], facts["all_off"]
    words = f"With every driver on {_span(on, chance)}; with every driver at its neutral value {_span(off, chance)}."
    console.print(Text(words))
    _heading(console, "What each driver adds (Shapley value, 95% interval)")
    table = _table("", "> adds", "")
    largest = max(abs(row["share"]) for row in facts["drivers"]) or 1.0
    for row in facts["drivers"]:
        bar = _bar(abs(row["share"]) / largest, "red" if row["share"] > 0 else "green")
        table.add_row(row["driver"], _span({**row, "value": row["share"]}, chance), bar)
    console.print(table)
    shown = [row for row in facts["interactions"] if abs(row["interaction"]) > 1e-12][:5]
    if shown:
        _heading(console, "What two drivers add together, beyond each alone")
        table = _table("", "> adds")
        for row in shown:
            table.add_row(" and ".join(row["drivers"]), _number(row["interaction"], chance))
        console.print(table)
    if card is not None:
        tell_card(console, card, cast)
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def tell_card(console, card, cast=None):
    """Print a cause card: who missed what, when, and what had changed before; ``card`` from ``Card.facts``."""
    cast = cast or Cast()
    agent = cast.inside(card["agent"])
    _heading(console, f"World {card['world']}: how {agent} came to miss a payment")
    console.print(
        Text(
            f"In {cast.date(card['month'])} {_money(card['due'])} was due, and {agent} paid"
            f" {_money(card['paid'])} (US$bn). It had {_money(card['cash'])} when the month began."
        )
    )
    console.print(Text(f"Why: {cast.tell(card['because'])}."))
    later = {"missed_month": "60 days late", "default_month": "in legal default"}
    told = [f"{words} in {cast.date(card[name])}" for name, words in later.items() if card[name]]
    console.print(Text(f"It was {' and '.join(told)}." if told else "It paid within 60 days."))
    table = _table("not paid in full", "to", "> missing")
    for bill in card["bills"]:
        table.add_row(bill["kind"], cast.name(bill["creditor"]), _money(bill["missing"]))
    console.print(table)
    if card["changes"]:
        table = _table("largest changes before it", "> US$bn a year before", "> after", "> change")
        for change in card["changes"]:
            values = (_money(change[name]) for name in ("before", "after", "difference"))
            table.add_row(change["kind"], *values)
        console.print(table)
    if card["counterfactuals"]["outcome"]:
        _tell_changes(console, card["counterfactuals"], cast)


def _tell_changes(console, found, cast):
    """Print which single changes would have avoided what befell the party, the smallest first."""
    avoided, tried = found["avoided_by"], f"{found['tried']} single changes tried with the same luck"
    if avoided:
        _heading(console, f"Would have been avoided by {len(avoided)} of {tried}")
        table = _table("smallest step that avoids it", "kind", "> other firms failing", "> US$bn lost")
        for each in avoided:
            others = f"{len(each['failed'])} more, {len(each['spared'])} fewer"
            table.add_row(each["words"], each["kind"], others, f"{each['loss']:+.1f}")
        console.print(table)
        return
    _heading(console, f"None of {tried} would have avoided it")
    later = found["put_off_by"]
    if later is not None:
        until = (
            f"until {cast.date(later['month'])}"
            if later["month"]
            else f"but late since {cast.date(later['late'])}"
        )
        console.print(Text(f"What puts it off longest: {later['words']}, {until}."))


def tell_equity_share(console, facts, cast=None):
    """Print, beside a headline, how much of it is the equity window."""
    lab = (cast or Cast()).inside("OpenAI")
    shares = {row["driver"]: row for row in facts["drivers"]}
    _heading(console, f"How much of {lab}'s default probability is the equity window")
    equity, rest = (
        _span({**shares[name], "value": shares[name]["share"]}, True) for name in ("equity", "all else")
    )
    words = f"Equity adds {equity}, all other drivers together {rest}"
    console.print(Text(f"{words} (Shapley; {facts['worlds']:,} worlds; equity off: rounds as committed)."))
    console.print(Text("See also `figure1` and `explain`.", "dim"))


def tell_figure_one(console, facts, cast=None):
    """Print the default probability on the grid of the equity window; the shipped point is marked."""
    cast = cast or Cast()
    _title(
        console, f"Figure 1: default of {cast.inside(facts['agent'])} against the equity window", facts, cast
    )
    shipped = facts["shipped"]
    place = shipped["closing_hazard"], shipped["yearly_cap_usd_bn"]
    caps = sorted({row["yearly_cap_usd_bn"] for row in facts["grid"]})
    table = _table("closing\nhazard a year", *(f"> cap {cap:g}\nUS$bn a year" for cap in caps))
    for hazard in sorted({row["closing_hazard"] for row in facts["grid"]}):
        cells = []
        for row in facts["grid"]:
            if row["closing_hazard"] == hazard:
                here = (hazard, row["yearly_cap_usd_bn"]) == place
                cells.append(Text(f"{'> ' if here else ''}{row['p']:.0%}", "bold" if here else ""))
        table.add_row(f"{hazard:g}", *cells)
    console.print(table)
    console.print(
        Text(
            f"Shipped: hazard {place[0]:g}, cap {place[1]:g}: {shipped['p']:.0%}"
            f" ({100 * shipped['low']:.0f}-{shipped['high']:.0%} from {facts['worlds']:,} worlds)."
        )
    )
    low, high = min(row["p"] for row in facts["grid"]), max(row["p"] for row in facts["grid"])
    console.print(
        Text(f"Over the grid: {low:.0%} to {high:.0%}. The headline is read with this table beside it.")
    )
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def tell_herding(console, facts, cast=None):
    """Print what each weight on the largest builder's growth does, against a weight of nothing."""
    cast = cast or Cast()
    _title(console, "From builders of their own mind to a herd", facts, cast)
    for quantity in dict.fromkeys(row["quantity"] for row in facts["rows"]):
        rows = [row for row in facts["rows"] if row["quantity"] == quantity]
        table = _table("weight", f"> {rows[0]['unit']}", "> difference to 0 (95%)")
        _heading(console, quantity[0].upper() + quantity[1:])
        for row in rows:
            told = "{difference:+.3g} ({low:.3g} to {high:.3g})".format(**row) if row["weight"] else ""
            table.add_row(
                f"{row['weight']:g}", f"{row['value']:.3g}", Text(told, "bold" if row["clear"] else "")
            )
        console.print(table)
    console.print(Text("Bold: the interval excludes zero.", "dim"))
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def tell_headlines(console, found):
    """Print a row for each scenario: default rate, the range over the equity window, and what the window adds."""
    _heading(console, "Default of the lab, and what stands beside it: points of percent, 95% intervals")
    table = _table(
        "scenario", "> months", "> default", "> over the\nwindow", "> drivers\noff", "> window adds"
    )
    for each in found:
        chance, window, equity = each["default"], each["window"], each["equity"]
        default = f"{100 * chance['p']:.0f} ({100 * chance['low']:.0f}-{100 * chance['high']:.0f})"
        span = f"{100 * window['low']:.0f}-{100 * window['high']:.0f}"
        added = f"{100 * equity['share']:.0f} ({100 * equity['low']:.0f} to {100 * equity['high']:.0f})"
        row = each["scenario"], str(each["months"]), default, span, f"{100 * each['neutral']:.0f}", added
        table.add_row(*row)
    console.print(table)
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def tell_score(console, facts, cast=None):
    """Print how well each signal told a default that was to come."""
    cast = cast or Cast()
    whose = cast.inside(facts["whose"])
    _title(console, f"Does stress warn? Default of {whose} within a horizon", facts, cast)
    weights = list(facts["warnings"][0]["usefulness"]) if facts["warnings"] else []
    table = _table(
        "signal", "> months\nahead", "> area under the\nROC curve", *(f"> useful\nat {w}" for w in weights)
    )
    for row in facts["warnings"]:
        none = row["area"] is None
        area = "no default" if none else f"{row['area']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        useful = ("" if row["usefulness"][w] is None else f"{row['usefulness'][w]:.2f}" for w in weights)
        table.add_row(row["signal"], str(row["horizon"]), area, *useful)
    console.print(table)
    words = (
        "Area: the chance that of two months, one before a default and one not, the first has the higher signal; 0.5 is"
        " no better than a coin. Useful: what acting on the signal saves of the loss of not having it, at a weight of"
        " a missed default against a false alarm; threshold from half of the worlds, valued in the other half."
    )
    console.print(Text(words, "dim"))
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def tell_sweep(console, found, cast=None):
    """Print a grid: one parameter as a list with intervals, two as a map, more as the points one by one."""
    cast, facts = cast or Cast(), found.facts()
    paths = [axis.path for axis in found.axes]
    _title(console, f"{_measure(facts, cast)} over {' and '.join(paths)}", facts, cast)
    chance = facts["unit"] == "share of worlds"
    if len(paths) == 2:
        rows, columns = found.axes
        table = _table(f"{rows.path}\n(rows)", *(f"> {value:g}" for value in columns.values))
        for value, cells in zip(rows.values, found.mean, strict=True):
            table.add_row(f"{value:g}", *(f"{cell:.0%}" if chance else f"{cell:.3g}" for cell in cells))
        console.print(table)
        console.print(Text(f"Columns: {columns.path}.", "dim"))
    else:
        table = _table(*paths, f"> {_measure(facts, cast)}")
        for row in facts["points"]:
            value = _span(row, True) if chance else f"{row['value']:.3g}"
            table.add_row(*(f"{row[path]:g}" for path in paths), value)
        console.print(table)
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def tell_sensitivity(console, facts, cast=None):
    """Print the Sobol indices, the largest total first."""
    cast = cast or Cast()
    _title(console, f"What {_measure(facts, cast)} hangs on: Sobol indices", facts, cast)
    console.print(
        Text(
            f"Mean {facts['mean']:.3g}, standard deviation {facts['deviation']:.3g} over the ranges;"
            f" {facts['luck_share']:.0%} of that variance is luck of few worlds."
        )
    )
    table = _table("parameter", "range", "> alone", "> with others", "")
    for row in facts["factors"]:
        alone = f"{row['first']:.2f} ± {row['first_reach']:.2f}"
        total = f"{row['total']:.2f} ± {row['total_reach']:.2f}"
        bar = _bar(max(row["total"], 0.0), width=12)
        table.add_row(row["path"], f"{row['low']:g} to {row['high']:g}", alone, total, bar)
    console.print(table)
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def tell_patterns(console, findings):
    """Print what each pattern claims, its verdict, and the rows with their intervals."""
    colours = {"holds": "green", "does not hold": "red", "unclear": "yellow"}
    for found in findings:
        _heading(console, f"Pattern {found.id}: {found.verdict}")
        console.print(Text(found.claim, "dim"))
        console.print(Text(found.sentence, colours.get(found.verdict, "")))
        table = _table("", "unit", "> effect", "> 95% interval")
        for row in found.rows:
            table.add_row(row.quantity, row.unit, f"{row.value:.3g}", f"{row.low:.3g} to {row.high:.3g}")
        console.print(table)
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def tell_honesty(console, lines):
    """Print which verdicts change without which mechanism."""
    changed = [line for line in lines if line.changed]
    told = f"{len(changed)} of {len(lines)} verdicts change" if changed else "No verdict changes"
    _heading(console, f"{told} without a mechanism")
    table = _table("pattern", "without", "verdict with it", "verdict without it")
    for line in changed:
        table.add_row(line.pattern, line.omitted, line.with_it, line.without)
    if changed:
        console.print(table)
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def _measure(facts, cast):
    """The measure, with its agent under the shown name."""
    measure, colon, agent = facts["measure"].partition(":")
    return f"{measure}{colon}{cast.name(agent)}"


def _title(console, words, facts, cast):
    console.print()
    console.print(Text.assemble(("Take or Pay", "bold"), " · ", (words, "bold cyan")))
    span = f"{cast.date(1)} to {cast.date(facts['months'])}"
    console.print(
        Text(f"{facts['scenario']}, {facts['worlds']:,} worlds, {span}, seed {facts['seed']}", "dim")
    )


def _number(value, chance):
    return f"{100.0 * value:.1f} points" if chance else _money(value)


def _span(row, chance):
    scale, unit = (100.0, "%") if chance else (1.0, "")
    value, low, high = (scale * row[name] for name in ("value", "low", "high"))
    return f"{value:.1f}{unit} ({low:.1f} to {high:.1f})"


def tell_measures(console, facts, only="", cast=None):
    """Print the measures at the chosen months: the median, and 5% to 95% of worlds below it."""
    cast = cast or Cast()
    _title(console, "Measures of a credit analyst: median (5% to 95% of worlds)", facts, cast)
    for name, entry in facts["measures"].items():
        if only and name != only:
            continue
        _heading(console, f"{name.replace('_', ' ')}, {entry['unit']}")
        console.print(Text(f"{entry['sentence']} [{entry['source']}]", "dim"))
        table = _table("", *(f"> {cast.date(month)}" for month in facts["at"]))
        for row, found in entry["rows"].items():
            if any(any(found[share]) for share in ("p05", "p50", "p95", "mean")):
                cells = [
                    f"{m:.2f} ({a:.2f} to {b:.2f})"
                    for a, m, b in zip(found["p05"], found["p50"], found["p95"], strict=True)
                ]
                table.add_row(cast.name(row), *cells)
        console.print(table)
    console.print(Text("Rows that are zero throughout are left out; see --json.", "dim"))
    console.print(Text(DISCLAIMER, "dim"))
    console.print()
