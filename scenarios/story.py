"""What a run says, in numbers (for machines) and in words and tables that fit a terminal of 80 columns."""

import functools

import numpy as np
from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.history import OUTCOMES
from model.opening import DEBT_KINDS, read_opening
from model.roles import LAB
from scenarios.cast import WORDS, Cast, cast_of
from scenarios.cast import date_of as date_of
from scenarios.experiments.compare import difference_of_chances, difference_of_means
from scenarios.files import run_hash, version
from scenarios.headlines import headline_of, headline_words
from scenarios.schema import FIRST_YEAR, OPERATORS, PAIRED, BadInput, Problem, load, split_path
from scenarios.simulate import simulate

DISCLAIMER = "A stylised model for teaching. No statement about any real firm; no advice."
TOLERANCE = 1e-9  # the largest relative error at which books count as balanced
MOST_ROWS = 12
MOST_DIFFERENCES = 20

# The column of the balance-sheet matrix in which a kind of party is shown.
COLUMNS = {
    "lab": "OpenAI",
    "rival lab": "Labs",
    "small-model builder": "Labs",
    "infrastructure partner": "Partners",
    "vehicle": "Partners",
    "site": "Sites",
    "hyperscaler": "Hyper-\nscalers",
    "bank": "Lenders",
    "private-equity lender": "Lenders",
    "utility": "Utili-\nties",
}
OTHERS = "Others"


# -- numbers ------------------------------------------------------------------------------------------------


def summary(results):
    """Give what a run says as plain numbers, ready for JSON. Probabilities have Wilson's 95% interval.

    Keys are names of the books; ``display`` says under what names and dates they are told.
    """
    chances = {word: {} for word in OUTCOMES}
    for row in results.defaults().itertuples():
        chances[row.outcome][row.agent] = {"p": row.p, "low": row.low, "high": row.high}
    worlds = results.worlds()
    peak = np.quantile(worlds["peak_stress"], [0.1, 0.5, 0.9]).tolist()
    facts = {
        "scenario": results.scenario.name,
        "title": results.scenario.title,
        "seed": results.seed,
        "worlds": len(worlds),
        "months": results.months,
        "version": version(),
        "hash": run_hash(results),
        "default_probability": chances["default"],
        "distressed_exchange_probability": chances["distressed"],
        "missed_payment_probability": chances["missed"],
        "first_default": _first_defaults(worlds),
        "peak_stress": dict(zip(("p10", "p50", "p90"), peak, strict=True)),
        "stress_by_year": _stress_by_year(results),
        "lab_by_year": _lab_by_year(results),
        "losses_usd_bn": _losses(worlds),
        "trap_probability": _shares(worlds, "trap:"),
        "shortfalls": _shortfalls(results.events_frame(), len(worlds)),
        "books_residual": float(worlds["books_residual"].max()),
        "seconds": results.seconds,
        "display": cast_of(results.scenario).facts(),
        "headline": headline_facts(results.scenario, results.months),
    }
    return facts | {"checks": list(_verdicts(facts, results))}


def headline_facts(scenario, months):
    """Give what stands beside the lab's default rate, ready for JSON; None where it is not kept."""
    found = headline_of(scenario, months)
    return found and found.facts()


def _columns(worlds, prefix):
    return {name.removeprefix(prefix): worlds[name] for name in worlds if name.startswith(prefix)}


def _shares(worlds, prefix):
    return {agent: float(column.mean()) for agent, column in _columns(worlds, prefix).items()}


def _losses(worlds):
    rows = {
        holder: {"mean": float(column.mean()), "p95": float(column.quantile(0.95))}
        for holder, column in _columns(worlds, "loss:").items()
        if (column != 0).any()
    }
    return dict(sorted(rows.items(), key=lambda row: -row[1]["mean"]))


def _first_defaults(worlds):
    """Who is first to default, alone or together with others: share of worlds, and the median month."""
    months = {
        agent: column.to_numpy(float, na_value=np.inf)
        for agent, column in _columns(worlds, "default:").items()
    }
    first = functools.reduce(np.minimum, months.values())
    rows = {}
    for agent, when in months.items():
        leads = (when == first) & np.isfinite(when)
        if leads.any():
            median = int(np.sort(when[leads])[(leads.sum() - 1) // 2])
            rows[agent] = {"share": float(leads.mean()), "median_month": median}
    rows = dict(sorted(rows.items(), key=lambda row: -row[1]["share"]))
    return {"nobody": float(np.isinf(first).mean()), "agents": rows}


def _stress_by_year(results):
    if "stress.index" not in results.measures:
        return []
    index, rows = results.measure("stress.index")[:, 0, :], []
    for start in range(0, results.months, 12):
        p10, p50, p90 = np.quantile(index[start : start + 12].mean(axis=0), [0.1, 0.5, 0.9]).tolist()
        rows.append({"year": FIRST_YEAR + start // 12, "p10": p10, "p50": p50, "p90": p90})
    return rows


def _lab_by_year(results):
    """Revenue, bill for compute and funding gap of the lab in each whole year, US$bn; [] where they are not recorded.

    Medians over the worlds in which it is still in the market when the year ends, and the share of these. The gap is
    what it spends beyond what it takes in, before new equity and loans; where it earns more than it spends, below 0.
    """
    if not {"revenue", "compute_bill", "cash", "debt", "round_now", "closed"} <= set(results.measures):
        return []
    party, rows = read_opening(results.scenario.opening).party(LAB), []
    months = {name: _of_lab(results, name) for name in ("revenue", "compute_bill", "cash", "debt", "closed")}
    cash, debt = (
        np.concatenate([np.full((1, months[name].shape[1]), at_first), months[name]])
        for name, at_first in (("cash", party.cash), ("debt", party.debt))
    )
    raised = results.measure("round_now")[:, 0]
    for start in range(0, results.months - 11, 12):
        year = slice(start, start + 12)
        lives = ~months["closed"][start + 11].astype(bool)
        if not lives.any():
            break
        borrowed, saved = (each[start + 12] - each[start] for each in (debt, cash))
        values = {
            "revenue": months["revenue"][year].sum(axis=0) / 12.0,
            "compute_bill": months["compute_bill"][year].sum(axis=0) / 12.0,
            "funding_gap": raised[year].sum(axis=0) + borrowed - saved,
        }
        medians = {name: float(np.median(value[lives])) for name, value in values.items()}
        rows.append({"year": FIRST_YEAR + start // 12, "share_of_worlds": float(lives.mean())} | medians)
    return rows


def _of_lab(results, name):
    agents = results.measures[name].agents
    return results.measure(name)[:, agents.index(LAB) if LAB in agents else 0]


def _shortfalls(events, worlds):
    """Cash that was due and not there, by who owed it and why: the largest first, US$bn a world."""
    missed = events[(events["kind"] == "missed payment") & (events["amount"] > 0)]
    groups = missed.groupby(["agent", "because"], sort=True)
    rows = [
        {
            "agent": agent,
            "because": because,
            "usd_bn_per_world": float(group["amount"].sum() / worlds),
            "share_of_worlds": group["world"].nunique() / worlds,
        }
        for (agent, because), group in groups
    ]
    return sorted(rows, key=lambda row: -row["usd_bn_per_world"])


def _verdicts(facts, results):
    """Judge every check of the scenario; one against another scenario plays that in the same worlds, once."""
    others = {}
    for check in results.scenario.checks:
        if check.against is None:
            yield _verdict(check, facts, results)
            continue
        if check.against not in others:
            others[check.against] = _played(check.against, results)
        yield _paired_verdict(check, results, others[check.against])


def _played(name, results):
    """Play another scenario in the worlds of a run, with what was set in that run."""
    scenario = load(name, results.scenario.vocabulary)
    overrides = results.scenario.overrides
    given = {path: np.concatenate([piece.params[path] for piece in results.pieces])
             for path in results.pieces[0].params}  # fmt: skip
    return simulate(
        scenario.with_set(overrides) if overrides else scenario,
        {"world": results.luck, **given},
        results.seed,
        results.months,
    )


def _paired_verdict(check, results, other):
    """Whether the whole interval of the difference to another scenario stands to the value as the check says."""
    if check.measure in PAIRED:
        column = f"{PAIRED[check.measure]}:{check.agent}"
        found = difference_of_chances(*(run.worlds()[column].notna().to_numpy() for run in (other, results)))
    else:
        found = difference_of_means(*(_recorded_by_world(check, run) for run in (other, results)))
    difference, low, high = found
    row = {key: value for key, value in vars(check).items() if value is not None}
    worst = high if check.op in ("<", "<=") else low
    holds = bool(OPERATORS[check.op](worst, check.value))
    return row | {"found": difference, "low": low, "high": high, "holds": holds}


def _verdict(check, facts, results):
    """Whether a check of the scenario holds, and what was found."""
    chances = {
        "default_probability": "default_probability",
        "distressed_probability": "distressed_exchange_probability",
        "missed_probability": "missed_payment_probability",
    }
    if check.measure in chances:
        found = facts[chances[check.measure]].get(check.agent, {"p": 0.0})["p"]
    elif check.measure == "trap_probability":
        found = facts["trap_probability"].get(check.agent, 0.0)
    elif check.measure == "mean_loss":
        found = facts["losses_usd_bn"].get(check.agent, {"mean": 0.0})["mean"]
    elif check.measure == "peak_stress":
        found = facts["peak_stress"]["p50"]
    elif check.measure == "books_residual":
        found = facts["books_residual"]
    else:
        found = _recorded(check, results)
    row = {key: value for key, value in vars(check).items() if value is not None}
    return row | {"found": found, "holds": bool(OPERATORS[check.op](found, check.value))}


def _recorded(check, results):
    """The mean over worlds of a recorded measure in the month of the check."""
    return float(_recorded_by_world(check, results).mean())


def _recorded_by_world(check, results):
    """A recorded measure in the month of the check, ``(worlds,)``; the mean of its agents unless one is named."""
    values = results.measure(check.measure)[min(check.month or results.months, results.months) - 1]
    agents = results.measures[check.measure].agents
    if check.agent is not None and check.agent not in agents:
        problem = f"a check asks for {check.measure} of {check.agent!r}, which is not recorded"
        raise BadInput(Problem("", "", problem, allowed="one of " + ", ".join(agents)))
    rows = values if check.agent is None else values[[agents.index(check.agent)]]
    return rows.astype(float).mean(axis=0)


def opening_facts(scenario):
    """Give month 0 of a scenario: what is promised, drawn and in talks, and the balance-sheet matrix.

    Commitments come from the contracts of the opening books, what is drawn from the Ledger of a model in
    one world.
    """
    opening = read_opening(scenario.opening)
    model = scenario.vocabulary.model_class(worlds=1, months=1, setting=scenario, record=False)
    ledger = model.ledger
    balances = {}
    for name, balance in zip(ledger.claim_names, ledger.claims[:, 0], strict=True):
        balances[name] = balances.get(name, 0.0) + float(balance)
    kinds = {party.name: party.kind for party in opening.parties}
    loans = [
        c for c in opening.contracts if c.kind in DEBT_KINDS and c.openai_linked and c.kind != "revolver"
    ]
    parts = {
        "softbank_oracle_coreweave": [c for c in loans if kinds[c.debtor] == "infrastructure partner"],
        "blue_owl_crusoe": [c for c in loans if c.kind == "site loan"],
        "oracle_vantage_in_talks": [c for c in loans if c.kind == "site loan in talks"],
    }
    committed = {name: float(sum(c.amount for c in contracts)) for name, contracts in parts.items()}
    revolver = [c for c in opening.contracts_of_kind("revolver") if c.debtor == "OpenAI"]
    promised = [
        c
        for c in opening.contracts
        if c.debtor == "OpenAI" and c.kind in ("take-or-pay", "announced capacity") and not c.scenario_only
    ]
    years = max((c.terms["last_month"] for c in promised if "last_month" in c.terms), default=0) / 12
    instruments, matrix = ledger.balance_sheet(0)
    return {
        "scenario": scenario.name,
        "opening": opening.name,
        "title": opening.title,
        "partner_debt_usd_bn": {**committed, "total": sum(committed.values())},
        "partner_debt_drawn_usd_bn": sum(balances.get(c.id, 0.0) for c in loans),
        "openai": {
            "revolver_usd_bn": float(sum(c.amount for c in revolver)),
            "revolver_drawn_usd_bn": sum(balances.get(c.id, 0.0) for c in revolver),
            "commitments_usd_bn": round(float(sum(c.amount for c in promised)), 9),
            "commitment_years": int(years) if years == int(years) else years,
            "annualised_revenue_usd_bn": float(opening.party("OpenAI").revenue),
        },
        "books_residual": float(ledger.prove()[0]),
        "balance_sheet": {
            "unit": "US$bn",
            "instruments": list(instruments),
            "parties": list(ledger.parties),
            "matrix": matrix.tolist(),
        },
        "lines": [_line(contract, balances) for contract in opening.contracts],
        "display": cast_of(scenario).facts(),
    }


def _line(contract, balances):
    names = ("id", "kind", "debtor", "creditor", "amount", "status", "status_note", "source", "note")
    line = {name: getattr(contract, name) for name in names}
    drawn = balances.get(contract.id, contract.drawn)
    return line | {"drawn": drawn, "ranges": {name: list(span) for name, span in contract.ranges.items()}}


# -- words --------------------------------------------------------------------------------------------------


def opening_line(facts, cast=None):
    """Give the opening in two sentences, told in the names and words of a cast."""
    cast = cast or Cast()
    debt, lab, name = facts["partner_debt_usd_bn"], facts["openai"], cast.name("OpenAI")
    inside = cast.inside("OpenAI")
    years = f"{lab['commitment_years']:g} years"
    promised = f"{lab['commitments_usd_bn']:,.0f} of {cast.word('compute')} over {years}"
    return (
        f"Others have promised {debt['total']:g} US$bn of loans so that {inside} can {cast.word('to compute')}"
        f" ({facts['partner_debt_drawn_usd_bn']:g} drawn, {debt['oracle_vantage_in_talks']:g} in talks)."
        f" {name} owes {lab['revolver_drawn_usd_bn']:g} of a credit line of {lab['revolver_usd_bn']:g},"
        f" has promised to buy {promised}, and earns {lab['annualised_revenue_usd_bn']:g} a year."
    )


def tell_run(console, facts, scenario, opening=None, directory=None, *, cast=None):
    """Print the story of a run: ``facts`` from ``summary``, ``opening`` from ``opening_facts``.

    ``cast``: the names to tell it under, by default the scenario's own.
    """
    cast = cast or cast_of(scenario)
    last = cast.date(facts["months"])
    console.print()
    console.print(
        Text.assemble(
            ("Take or Pay", "bold"), " · ", (cast.rename(scenario.title or scenario.name), "bold cyan")
        )
    )
    console.print(Text(f"{facts['worlds']:,} worlds, {cast.date(1)} to {last}, seed {facts['seed']}", "dim"))
    if scenario.paragraph:
        console.print(Text(cast.rename(scenario.paragraph)))
    if scenario.overrides:
        changed = ", ".join(f"{path} = {value}" for path, value in scenario.overrides.items())
        console.print(Text.assemble(("Changed: ", "yellow"), changed))
    late = sum(row.month > facts["months"] for row in (*scenario.events, *scenario.decisions))
    if late:
        console.print(Text(f"Not played: {late} dated events or decisions after {last}.", "yellow"))
    if opening is not None:
        _heading(console, "Month 0")
        console.print(Text(opening_line(opening, cast)))
    _tell_failures(console, facts, cast)
    _tell_first(console, facts, cast)
    _tell_lab(console, facts, cast)
    _tell_stress(console, facts, cast)
    _tell_shortfalls(console, facts, cast)
    _tell_losses(console, facts, cast)
    _tell_checks(console, facts, cast)
    _heading(console, "Books")
    _tell_residual(
        console, facts["books_residual"], f"in all {facts['worlds']:,} worlds and {facts['months']} months"
    )
    if directory is not None:
        console.print(Text.assemble("Files: ", (str(directory), "bold"), f"   ({facts['seconds']:.1f} s)"))
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def _tell_failures(console, facts, cast):
    chances = {
        word: facts[f"{word}_probability"] for word in ("missed_payment", "distressed_exchange", "default")
    }
    agents = list(chances["default"])
    failing = [agent for agent in agents if any(chances[word][agent]["p"] > 0 for word in chances)]
    failing.sort(key=lambda agent: [-chances[word][agent]["p"] for word in reversed(chances)])
    _heading(console, f"Who fails by {cast.date(facts['months'])}: share of worlds, with 95% intervals")
    if not failing:
        console.print(Text("Nobody misses a payment in any world.", "green"))
        return
    table = _table("", "> 60 days\nlate", "> distressed\nexchange", "> legal\ndefault")
    for agent in failing[:MOST_ROWS]:
        table.add_row(cast.name(agent), *(_chance(chances[word][agent]) for word in chances))
    console.print(table)
    if len(failing) > MOST_ROWS:
        console.print(Text(f"and {len(failing) - MOST_ROWS} more: see worlds.parquet", "dim"))
    others = len(agents) - len(failing)
    if others:
        rest = "The one other party meets" if others == 1 else f"The other {others} parties meet"
        console.print(Text(f"{rest} every payment in every world.", "dim"))
    if "OpenAI" in failing:
        console.print(Text(headline_words(facts["headline"], cast.name("OpenAI")), "dim"))


def _chance(row):
    if row["p"] == 0:
        return Text(f"never (to {row['high']:.0%})", "dim")
    style = "bold red" if row["low"] > 0.5 else "yellow" if row["high"] > 0.05 else ""
    return Text.assemble((f"{row['p']:.0%}", style), (f" ({100 * row['low']:.0f}-{row['high']:.0%})", "dim"))


def _tell_first(console, facts, cast):
    first = facts["first_default"]
    if not first["agents"]:
        return
    _heading(console, "Who defaults first (alone or in the same month as others)")
    table = _table("", "> share of worlds", "> median date", "")
    for agent, row in list(first["agents"].items())[:5]:
        when = cast.date(row["median_month"])
        table.add_row(cast.name(agent), f"{row['share']:.0%}", when, _bar(row["share"]))
    table.add_row(Text("nobody", "dim"), f"{first['nobody']:.0%}", "", _bar(first["nobody"], "green"))
    console.print(table)


def _tell_lab(console, facts, cast):
    if not facts["lab_by_year"]:
        return
    _heading(console, f"{cast.name(LAB)} year by year, US$bn, median of the worlds in which it lives")
    table = _table(
        "", "> revenue", f"> {cast.tell('bill for compute')}", "> funding\ngap", "> alive, of\nall worlds"
    )
    for row in facts["lab_by_year"]:
        amounts = (_money(row[name]) for name in ("revenue", "compute_bill", "funding_gap"))
        table.add_row(cast.year(row["year"]), *amounts, f"{row['share_of_worlds']:.0%}")
    console.print(table)
    told = "Gap: what it spends beyond what it takes in, before new equity and loans."
    console.print(Text(told, "dim"))


def _tell_stress(console, facts, cast):
    if not facts["stress_by_year"]:
        return
    _heading(console, "Stress of the whole market, 0 to 1, mean of each year")
    table = _table("", "> median", "> worst tenth", "")
    for row in facts["stress_by_year"]:
        bar = _bar(row["p50"], "yellow", beyond=row["p90"])
        table.add_row(cast.year(row["year"]), f"{row['p50']:.2f}", f"{row['p90']:.2f}", bar)
    console.print(table)


def _tell_shortfalls(console, facts, cast):
    if not facts["shortfalls"]:
        return
    _heading(console, "The three largest cash shortfalls, by cause")
    table = _table("", "why", "> US$bn a world", "> in worlds")
    for row in facts["shortfalls"][:3]:
        share = f"{row['share_of_worlds']:.0%}"
        why = cast.tell(row["because"])
        table.add_row(cast.name(row["agent"]), why, _money(row["usd_bn_per_world"]), share)
    console.print(table)


def _tell_losses(console, facts, cast):
    if not facts["losses_usd_bn"]:
        return
    _heading(console, "Who bears the losses, US$bn")
    table = _table("", "> mean", "> worst twentieth")
    for holder, row in list(facts["losses_usd_bn"].items())[:5]:
        table.add_row(cast.name(holder), _money(row["mean"]), _money(row["p95"]))
    console.print(table)


def _tell_checks(console, facts, cast):
    failed = [check for check in facts["checks"] if not check["holds"]]
    if not facts["checks"]:
        return
    _heading(console, "Checks of this scenario")
    console.print(
        Text(
            f"{len(facts['checks']) - len(failed)} of {len(facts['checks'])} hold.",
            "yellow" if failed else "",
        ),
    )
    for check in failed:
        whose = f" of {cast.name(check['agent'])}" if "agent" in check else ""
        against = f" less that of {check['against']}" if "against" in check else ""
        wanted = f"{check['measure']}{whose}{against} {check['op']} {check['value']:g}"
        span = f" ({check['low']:.3g} to {check['high']:.3g})" if "low" in check else ""
        console.print(Text(f"does not hold: {wanted}; it is {check['found']:.4g}{span}", "yellow"))


def _tell_residual(console, residual, where):
    balanced = residual <= TOLERANCE
    words = "They balance" if balanced else "THEY DO NOT BALANCE"
    console.print(
        Text(f"{words} {where}: largest relative error {residual:.1e}.", "green" if balanced else "bold red")
    )


def tell_opening(console, facts, opening, cast=None):
    """Print the books of month 0: what is promised, the balance-sheet matrix, each line with its source."""
    cast = cast or Cast()
    name, debt = cast.name, facts["partner_debt_usd_bn"]
    console.print()
    console.print(Text.assemble(("Month 0", "bold"), " · ", (facts["title"], "bold cyan")))
    console.print(Text(opening_line(facts, cast)))
    _heading(console, f"Loans that others took for the sake of {cast.inside('OpenAI')}, US$bn")
    table = _table("", "> promised")
    partners = f"{name('SoftBank')}, {name('Oracle')} and {name('CoreWeave')}"
    in_talks = f"the sites of {name('Vantage')}, for {name('Oracle')} (in talks)"
    table.add_row(partners, _money(debt["softbank_oracle_coreweave"]))
    table.add_row(f"the sites of {name('Blue Owl')} and {name('Crusoe')}", _money(debt["blue_owl_crusoe"]))
    table.add_row(in_talks, _money(debt["oracle_vantage_in_talks"]))
    table.add_row(Text("together", "bold"), Text(_money(debt["total"]), "bold"))
    table.add_row("of which drawn", _money(facts["partner_debt_drawn_usd_bn"]))
    console.print(table)
    _tell_matrix(console, facts["balance_sheet"], {party.name: party.kind for party in opening.parties}, cast)
    where = "(each financial row sums to zero, all net worth to the real assets)"
    _tell_residual(console, facts["books_residual"], where)
    _heading(console, "Where each line comes from (US$bn)")
    console.print(Text(f"{'line':<34}{'promised':>10}{'drawn':>10}  status", "dim"))
    for line in facts["lines"]:
        amount, drawn = (_money(line[name]) if line[name] else "" for name in ("amount", "drawn"))
        console.print(Text(f"{line['id']:<34}{amount:>10}{drawn:>10}  {line['status']}"))
        whose = " to ".join(name(line[side]) for side in ("debtor", "creditor") if line[side])
        told = Text.assemble(f"{whose}: " if cast.names else "", line["source"], style="dim")
        console.print(Padding(told, (0, 0, 0, 4), expand=False))
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def _tell_matrix(console, sheet, kinds, cast):
    columns = list(dict.fromkeys([*COLUMNS.values(), OTHERS]))
    place = [columns.index(COLUMNS.get(kinds.get(party, ""), OTHERS)) for party in sheet["parties"]]
    _heading(console, "Balance sheets, US$bn (what is owed is negative)")
    table = _table("", *(f"> {_column_name(name, cast)}" for name in columns), "> Sum", gap=0)
    matrix = np.array(sheet["matrix"])
    sums = np.zeros((len(matrix) + 1, len(columns)))
    np.add.at(sums[:-1].T, place, matrix.T)
    sums[-1] = sums[:-1].sum(axis=0)
    for name, row in zip([*sheet["instruments"], "net worth"], sums, strict=True):
        real = name in ("real assets", "net worth")
        if np.any(row) or real:
            total = row.sum() if real or abs(row.sum()) > TOLERANCE * max(1.0, np.abs(row).max()) else 0.0
            style = "bold" if name == "net worth" else ""
            table.add_row(
                Text(name, style), *(Text(_cell(x), style) for x in row), Text(_cell(total) or "0", style)
            )
    console.print(table)


def _column_name(name, cast):
    return cast.word(name) if name in WORDS else cast.name(name)


def tell_comparison(console, facts, everything=False, cast=None):
    """Print what differs between two scenarios: ``facts`` from ``Comparison.facts``, the clearest rows first.

    With ``everything`` all rows in full; else the clearest, and of the others only whose they are. ``cast``: the names
    to tell it under, by default those of the books.
    """
    cast = cast or Cast()
    sides = facts["first"], facts["second"]
    console.print()
    words = Text.assemble(("Take or Pay", "bold"), " · ", ("A against B, with the same luck", "bold cyan"))
    console.print(words)
    for letter, side in zip("AB", sides, strict=True):
        changed = "".join(f"; {path} = {value}" for path, value in side["overrides"].items())
        console.print(Text.assemble(f"{letter}  ", (side["name"], "bold"), f"  {side['title']}{changed}"))
    span = f"{cast.date(1)} to {cast.date(facts['months'])}"
    console.print(Text(f"{facts['worlds']:,} worlds each, {span}, seed {facts['seed']}", "dim"))
    clear = [row for row in facts["rows"] if row["clear"]]
    unclear = [row for row in facts["rows"] if not row["clear"]]
    _heading(console, f"Clear differences: {len(clear)} of {len(facts['rows'])} rows, the clearest first")
    _tell_rows(console, clear if everything else clear[:MOST_DIFFERENCES], cast)
    if len(clear) > MOST_DIFFERENCES and not everything:
        console.print(Text(f"and {len(clear) - MOST_DIFFERENCES} more: see --all or --json", "dim"))
    if any("headline" in side for side in sides):
        _heading(console, "What stands beside the default rates")
        for letter, side in zip("AB", sides, strict=True):
            words = headline_words(side["headline"], cast.inside("OpenAI"))
            console.print(Text.assemble(f"{letter}  ", (words, "dim")))
    _heading(console, "No clear difference")
    same = [row for row in unclear if row["low"] == row["high"] == 0.0]
    if everything:
        _tell_rows(console, unclear, cast)
    else:
        _tell_names(console, "the interval holds zero", [row for row in unclear if row not in same], cast)
        _tell_names(console, "the same in every world", same, cast)
    luck = "Intervals hold for one row each at 95%: of rows that do not differ, one in twenty looks clear."
    console.print(Text(luck, "dim"))
    where = f"in all {facts['worlds']:,} worlds of both"
    _tell_residual(console, facts["books_residual"], where)
    console.print(Text(DISCLAIMER, "dim"))
    console.print()


def _tell_rows(console, rows, cast):
    if not rows:
        console.print(Text("None.", "dim"))
        return
    table = _table("", "> A", "> B", "> B - A (95% interval)")
    for row in rows:
        whose = f"{cast.name(row['agent'])}: " if row["agent"] else ""
        share = row["unit"] == "share of worlds"
        unit = "" if share else f", {row['unit']}"
        scale, sign = (100.0, "%") if share else (1.0, "")
        values = [scale * row[name] for name in ("first", "second", "difference", "low", "high")]
        digits = 0 if share else _digits(values)
        one, other, difference, low, high = (f"{value:,.{digits}f}" for value in values)
        difference += " points" if share else ""
        reach = Text.assemble((difference, "bold" if row["clear"] else ""), (f" ({low} to {high})", "dim"))
        label = Text.assemble(whose, row["quantity"], (unit, "dim"))
        table.add_row(label, one + sign, other + sign, reach)
    console.print(table)


def _digits(values):
    """Digits after the point that show two digits of the interval's reach, or three of the numbers."""
    reach = (values[4] - values[3]) / 2
    size = reach * 10 if reach > 0 else max(map(abs, values[:2]))
    return 2 if size == 0 else int(np.clip(2 - np.floor(np.log10(size)), 0, 4))


def _tell_names(console, heading, rows, cast):
    if not rows:
        return
    whose = {}
    for row in rows:
        whose.setdefault(row["quantity"], []).append(cast.name(row["agent"]))
    told = [
        quantity + (f" ({', '.join(agents)})" if any(agents) else "") for quantity, agents in whose.items()
    ]
    console.print(Text(f"{heading}: {'; '.join(told)}", "dim"))


def tell_scenarios(console, scenarios):
    """Print the scenarios that are shipped, each with its paragraph."""
    for scenario in scenarios:
        console.print()
        title = Text.assemble((scenario.name, "bold cyan"), "  ", (scenario.title, "bold"))
        console.print(title)
        console.print(Text(scenario.paragraph))
        changes = len(scenario.params), len(scenario.events), len(scenario.decisions)
        words = zip(changes, ("parameter", "event", "decision"), strict=True)
        told = [f"{count} {word}{'s' if count != 1 else ''}" for count, word in words if count]
        console.print(
            Text(
                "Sets " + ", ".join(told) if told else "Sets nothing: every parameter at its default", "dim"
            ),
        )
    console.print()


def tell_params(console, rows, of_agents):
    """Print Params by group: name, default, range, unit, a sentence, the source, what single agents have.

    ``of_agents`` is {path: {value, range, source}}, from ``opening_values``.
    """
    for group in dict.fromkeys(row["group"] for row in rows):
        _heading(console, group)
        for row in rows:
            if row["group"] == group:
                facts = f"  {_default(row):>8}   {_range(row)}   ({row['unit']})"
                console.print(Text.assemble((f"{row['name']:<28}", "bold"), facts))
                words = Text.assemble(row["sentence"], (f"  [{row['source']}]", "dim"))
                console.print(Padding(words, (0, 0, 0, 4), expand=False))
                for who, own in values_of(row, of_agents).items():
                    value = str(own["value"]).lower() if row["kind"] == "flag" else str(own["value"])
                    span = "{:g} to {:g}".format(*own["range"]) if "range" in own else ""
                    told = Text.assemble(
                        f"    {who:<24}  {value:>8}   {span}", (f"  [{own['source']}]", "dim")
                    )
                    console.print(told)


def values_of(row, of_agents):
    """Give what the opening books set of one Param, by agent; "all" where it is for the whole group."""
    found = {}
    for path, own in of_agents.items():
        group, agent, name = split_path(path)
        if (group, name) == (row["group"], row["name"]):
            found[agent or "all"] = own
    return found


def _default(row):
    return str(row["default"]).lower() if row["kind"] == "flag" else f"{row['default']}"


def _range(row):
    if row["kind"] == "choice":
        return ", ".join(row["choices"])
    return "true, false" if row["kind"] == "flag" else f"{row['low']:g} to {row['high']:g}"


def _table(*columns, gap=1):
    """A table whose columns stand ``gap`` + 1 spaces apart; a name that begins with "> " is for numbers."""
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, gap, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    for name in columns:
        justify = "right" if name.startswith("> ") else "left"
        table.add_column(name.removeprefix("> "), justify=justify, overflow="fold")
    return table


def _heading(console, text):
    console.print()
    console.print(Text(text, "bold"))


def _bar(share, style="red", beyond=0.0, width=24):
    full, more = round(min(share, 1.0) * width), round(min(max(beyond, share), 1.0) * width)
    return Text.assemble(("█" * full, style), ("░" * (more - full), style), ("·" * (width - more), "dim"))


def _money(value):
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 0.095 else 2
    return f"{value:,.{digits}f}"


def _cell(value):
    return "" if abs(value) < 0.05 else f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:,.1f}"
