"""Works out what stands beside every default rate of the lab: figure 1, and the Shapley share of its equity window.

Written to library/headlines.json with version, date, worlds, seed, platform and the hash of each scenario, and told in
docs/headlines.md. Nothing in either is written by hand.
"""

import datetime
import json

from model.history import wilson
from scenarios.experiments.attribution import attribute, equity_share, value_by_world
from scenarios.experiments.equity_window import CAP, CAPS, HAZARD, HAZARDS, figure_one, shipped_point
from scenarios.files import ROOT, platform_facts, version
from scenarios.headlines import STORE, Headline, headline_words, stored
from scenarios.schema import library, load
from scenarios.simulate import simulate
from scenarios.story import DISCLAIMER

PAGE = ROOT / "docs" / "headlines.md"
WORLDS, SEED, MONTHS, LAB = 256, 1, 96, "OpenAI"
IN_FULL = ("baseline",)
"""Scenarios whose grid has every point, and of which all six drivers are told apart: the others have its corners."""
LONGER = {"fibre_1996": 240}
"""Scenarios that are played longer too."""


def headline(scenario, worlds=WORLDS, seed=SEED, months=MONTHS, *, in_full=False, note=None) -> Headline:
    """Work out the headline of one scenario: corners of figure 1 and share of equity in 8 runs, or all of it in 98."""
    note = note or (lambda words: None)
    note(f"{scenario.name}, {months} months: share of equity")
    shares = equity_share(scenario, worlds, seed, months, agent=LAB)
    told = shares.facts()
    two = {row["driver"]: {name: row[name] for name in ("share", "low", "high")} for row in told["drivers"]}
    note(f"{scenario.name}, {months} months: figure 1")
    grid = whole_grid(scenario, worlds, seed, months) if in_full else corners(scenario, worlds, seed, months)
    drivers = None
    if in_full:
        note(f"{scenario.name}, {months} months: all drivers")
        drivers = attribute(scenario, f"default:{LAB}", worlds, seed, months).facts()["drivers"]
    default = chance(shares.values[-1])
    chances = [default["p"], *(row["p"] for row in grid)]
    return Headline(
        scenario=scenario.name,
        hash=scenario.hash(),
        months=months,
        worlds=worlds,
        seed=seed,
        agent=LAB,
        default=default,
        window={"low": min(chances), "high": max(chances)},
        neutral=told["all_off"]["value"],
        equity=two["equity"],
        rest=two["all else"],
        figure_one=grid,
        written=datetime.date.today().isoformat(),
        version=version(),
        drivers=drivers,
    )


def whole_grid(scenario, worlds, seed, months):
    """Every point of figure 1: closing hazard, yearly cap, p, low, high."""
    return figure_one(scenario, worlds, seed, months, agent=LAB).facts()["grid"]


def corners(scenario, worlds, seed, months):
    """The four corners of figure 1's grid, in the same form: between them lies what the window can do."""
    rows = []
    for hazard in (HAZARDS[0], HAZARDS[-1]):
        for cap in (CAPS[0], CAPS[-1]):
            there = scenario.with_set({HAZARD: hazard, CAP: cap})
            fell = value_by_world(simulate(there, worlds, seed, months), f"default:{LAB}")
            rows.append({"closing_hazard": hazard, "yearly_cap_usd_bn": cap} | chance(fell))
    return rows


def chance(fell):
    """The share of worlds in which it came to that, with Wilson's 95% interval; ``fell`` ``(worlds,)`` of 0 and 1."""
    low, high = wilson(int(fell.sum()), fell.size)
    return {"p": float(fell.mean()), "low": low, "high": high}


def plays(names=()):
    """What is played: (name, months, in full) of shipped scenarios, by default all, and those played longer again."""
    names = names or library()
    return [(name, MONTHS, name in IN_FULL) for name in names] + [
        (name, months, False) for name, months in LONGER.items() if name in names
    ]


def write_headlines(path=STORE, page=None, worlds=WORLDS, seed=SEED, *, names=(), note=None):
    """Work out headlines and write the file, and the page if one is named; give all that the file then holds.

    ``names``: shipped scenarios, by default all; of the others what is kept stays. ``note(words)`` tells how far it is.
    """
    for name, months, in_full in sorted(plays(names), key=lambda play: play[2]):
        fresh = headline(load(name), worlds, seed, months, in_full=in_full, note=note)
        kept = {(each.scenario, each.months): each for each in [*stored(path).values(), fresh]}
        found = [kept[name, months] for name, months, _ in plays() if (name, months) in kept]
        table = {"platform": platform_facts(), "headlines": [vars(each) for each in found]}
        path.write_text(json.dumps(table, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        stored.cache_clear()
    if page is not None:
        page.write_text(page_of(found), encoding="utf-8")
    return found


def page_of(found):
    """Give the headlines as a page of Markdown: a row for each scenario, figure 1 of those in full."""
    first = found[0]
    lines = [
        "<!-- Written by `python run.py headlines`; changes made by hand are lost. -->",
        "",
        "# Headlines, and what stands beside them",
        "",
        "How often OpenAI defaults hangs first of all on how long investors keep paying, which nobody knows. So no",
        "rate stands alone: beside it are the rates over the range of the equity window (figure 1: closing hazard 0 to",
        "1.2 a year, yearly cap US$25bn to 180bn), and how much of the difference to a world with every driver at its",
        "neutral value the window adds (Shapley value of a game of two, the window against all other drivers; 95%",
        "intervals from worlds drawn anew). A share can be above the whole, or negative, where the others work against",
        f"it. {DISCLAIMER}",
        "",
        f"Written on {' and '.join(sorted({each.written for each in found}))}, version {first.version},"
        f" {first.worlds:,} worlds, seed {first.seed}; legal default by the last month played.",
        "",
        "| scenario | months | default (95%) | over the window | every driver off | equity adds, points | rest adds |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in found:
        chance, window = each.default, each.window
        lines.append(
            f"| `{each.scenario}` | {each.months} | {_chance(chance)} | {window['low']:.0%} to {window['high']:.0%} |"
            f" {each.neutral:.0%} | {_points(each.equity)} | {_points(each.rest)} |"
        )
    for each in found:
        if each.drivers:
            lines += _in_full(each)
    return "\n".join(lines) + "\n"


def _in_full(each):
    at = {(row["closing_hazard"], row["yearly_cap_usd_bn"]): row for row in each.figure_one}
    hazards, caps = (sorted({place[side] for place in at}) for side in (0, 1))
    place = shipped_point(load(each.scenario))
    lines = ["", f"## Figure 1 of `{each.scenario}`", "", headline_words(each.facts()), ""]
    lines += ["| closing hazard a year | " + " | ".join(f"cap {cap:g}" for cap in caps) + " |"]
    lines += ["|---|" + "---|" * len(caps)]
    for hazard in hazards:
        cells = (at[hazard, cap] for cap in caps)
        told = (
            f"**{_chance(row)}**" if (hazard, cap) == place else _chance(row)
            for cap, row in zip(caps, cells, strict=True)
        )
        lines.append(f"| {hazard:g} | " + " | ".join(told) + " |")
    lines += ["", "Bold: as shipped. Cap: most new equity a year, US$bn.", ""]
    lines += ["| driver | adds, points (95%) |", "|---|---|"]
    lines += [f"| {row['driver']} | {_points(row)} |" for row in each.drivers]
    return lines


def _chance(row):
    return f"{row['p']:.0%} ({100 * row['low']:.0f}-{row['high']:.0%})"


def _points(row):
    share, low, high = (100.0 * row[name] for name in ("share", "low", "high"))
    return f"{share:.1f} ({low:.1f} to {high:.1f})"
