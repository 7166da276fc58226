"""About: what this is and what it is not, every assumption, every term, and how the page looks."""

import csv
import functools
import json

import solara

from scenarios.schema import LIBRARY, default_vocabulary
from scenarios.story import DISCLAIMER
from viz import words

TITLE = "About"
SENTENCE = "What this is, its sources, every assumption, every term"
WIDE = True
WHAT = (
    "A lab that owns little debt has promised to pay for compute that others borrowed to build. Take or Pay asks who"
    " is paid, and who is ruined. Firms, lenders, utilities and customers decide month by month; every contract, loan,"
    " chip order and power bill is settled on one ledger that balances to the cent.",
    "Nothing is one forecast. The same decisions are played in many worlds that differ in luck alone: demand,"
    " breakthroughs, the equity window, credit, rents, heat, delays. World 7 has the same luck whatever you change, so"
    " that what differs between two runs is your doing.",
    "Two articles prompted it: one reports that partners of OpenAI have borrowed or are arranging $96bn against its"
    " promises, the other argues that such promises make a debt trap. The model takes neither side: each lesson ends"
    " with the question when the opposite is true.",
)


# -- data ----------------------------------------------------------------------------------------------------


@functools.cache
def assumptions():
    """Give a row for every Param as the model declares it: path, sentence, default, range, unit, source."""
    return [
        {
            "path": f"{row['group']}.{row['name']}",
            "sentence": row["sentence"],
            "default": _shown(row["default"]),
            "range": _range(row),
            "unit": row["unit"],
            "source": row["source"],
        }
        for row in default_vocabulary().rows
    ]


def _shown(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:g}"


def _range(row):
    if row["choices"]:
        return " · ".join(row["choices"])
    return "" if row["low"] is None else f"{row['low']:g} to {row['high']:g}"


@functools.cache
def sources():
    """Give the sources of the calibration: [{title, rows}], the most used first, each with how many values it gives."""
    with (LIBRARY / "calibration.csv").open(encoding="utf-8", newline="") as file:
        titles = [row["source_title"] for row in csv.DictReader(file)]
    counted = {title: titles.count(title) for title in dict.fromkeys(titles) if title}
    return [
        {"title": title, "rows": count} for title, count in sorted(counted.items(), key=lambda each: -each[1])
    ]


@functools.cache
def facts():
    """Give all that the panel shows and that no visitor can change."""
    return {
        "what": WHAT,
        "disclaimer": DISCLAIMER,
        "assumptions": assumptions(),
        "sources": sources(),
        "terms": [{"term": term, "words": text} for term, text in words.glossary().items()],
    }


# -- the panel -----------------------------------------------------------------------------------------------


@solara.component_vue("about.vue", vuetify=False)
def Sheet(spec="{}", now="{}", event_do=None):
    """Show the sheet; ``now``: {dark, names}; does "theme" or "names"."""


@solara.component
def Panel(session):
    state = session.state.value
    spec = solara.use_memo(lambda: json.dumps(facts()), [])

    def do(what):
        if what == "theme":
            session.change(dark=not session.state.value.dark)
        elif what == "names":
            own = session.state.value.names == "own"
            session.change(names="archetype" if own else "own")

    Sheet(spec=spec, now=json.dumps({"dark": state.dark, "names": state.names}), event_do=do)
