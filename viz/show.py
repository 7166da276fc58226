"""Between the page and the views: everything that is drawn, as JSON, and what a click or a field may say."""

import functools
import logging
from dataclasses import dataclass, replace
from hashlib import sha256

from scenarios.cast import cast_of, names_of
from scenarios.schema import BadInput, library, load
from viz import panels
from viz import words as wording
from viz.levers import levers as lever_groups
from viz.levers import snapped
from viz.specs import Context, to_json
from viz.state import known_scenario
from viz.views import VIEWS, main

LOG = logging.getLogger("takeorpay")
BALANCED = 1e-9  # relative error of the books below which they balance: what rounding leaves is far smaller


@dataclass(frozen=True, eq=False)
class Screen:
    """The main screen's parts as JSON. ``stamp`` tells this screen from others."""

    status: str
    network: str
    timeline: str
    strip: str
    footer: dict
    stamp: str


def log(error):
    """Write an error where the operator of the server finds it."""
    LOG.error("The page could not show something", exc_info=error)


# -- what there is --------------------------------------------------------------------------------------------


def views():
    """The keys of all views."""
    return tuple(VIEWS)


def charts():
    """The keys of the charts that the main screen can show."""
    return tuple(main.CHARTS)


def view_list():
    """What the row of views offers: [{key, title, group}]."""
    return [{"key": key, "title": view.TITLE, "group": view.GROUP} for key, view in VIEWS.items()]


def chart_list(run):
    """What the large chart can be switched to: [{key, title}]."""
    return [{"key": key, "title": title} for key, title in main.CHARTS.items()]


@functools.cache
def header():
    """What the header offers: scenarios and panels, with a sentence each."""
    shipped = [load(name) for name in library()]
    shipped.sort(key=lambda each: each.name != "baseline")
    return {
        "scenarios": [
            {"name": each.name, "title": each.title, "sentence": first_sentence(each.paragraph)}
            for each in shipped
        ],
        "panels": [
            {"key": key, "title": each.TITLE, "sentence": getattr(each, "SENTENCE", "")}
            for key, each in panels.PANELS.items()
        ],
    }


def first_sentence(paragraph):
    """The first sentence of a text, whose full stops may stand in numbers too."""
    words = " ".join(paragraph.split())
    end = words.find(". ")
    return words if end < 0 else words[: end + 1]


def scenario_words(state):
    """The title and the sentence of the scenario of a state, which may be an uploaded one."""
    scenario = known_scenario(state.scenario)
    return {"title": scenario.title, "sentence": first_sentence(scenario.paragraph)}


def difference(before, after):
    """What differs between the runs of two states, in words."""
    return panels.compare.difference(before, after)


def panel(key):
    """The panel of a name, or None."""
    return panels.PANELS.get(key)


# -- the main screen ------------------------------------------------------------------------------------------


def context(run, state, pinned=()):
    """What views may know beside the run."""
    return Context(
        names=names_of(run.scenario, state.names),
        cast=cast_of(run.scenario, state.names),
        dark=state.dark,
        month=state.month,
        pinned=tuple(pinned),
        glossary=wording.glossary(),
        party=state.party,
        avoided=panels.avoid.found_of(run),
    )


def screen(run, state, pinned=()):
    """Compute the main screen's parts of a run; a remembered run remembers them."""
    key = ("screen", state.names)
    if key not in run.memory:
        about = context(run, state, pinned)
        run.memory[key] = Screen(**_of_story(run, about, key), **_of_all(run, about, key))
    return run.memory[key]


def early(run, state, before):
    """Give the screen that can stand beside a run's chart at once: all but what is said of the run is ``before``'s.

    None if the whole screen is at hand.
    """
    key = ("screen", state.names)
    if key in run.memory or key in run.memory_of_story:
        return None
    return replace(before, **_of_run(run))


def _of_all(run, about, key):
    """The parts that change with the number of worlds."""
    key = ("of all worlds", *key)
    if key not in run.memory:
        run.memory[key] = {"strip": to_json(main.strip(run, about)), **_of_run(run)}
    return run.memory[key]


def _of_run(run):
    """What is said of a run as such, and what tells it from others."""
    stamp = sha256(repr((run.key, run.worlds, run.position)).encode()).hexdigest()[:12]
    return {"footer": footer(run), "stamp": stamp}


def _of_story(run, about, key):
    """The parts that show one world, which stay as they are when more worlds are added."""
    memory = run.memory_of_story
    if key not in memory:
        parts = {"status": main.status, "network": main.network, "timeline": main.timeline}
        memory[key] = {name: to_json(part(run, about)) for name, part in parts.items()}
    return memory[key]


def footer(run):
    """What the footer says of a run."""
    return {
        "residual": f"{run.residual:.2f}",
        "residualWords": f"Largest relative error of any row or column, in any month and world: {run.residual:.1e}",
        "balances": run.residual < BALANCED,
        "seconds": f"{run.seconds:.1f} s" if run.seconds >= 0.95 else f"{1000 * run.seconds:.0f} ms",
        "worlds": run.worlds,
        "seed": run.seed,
    }


def chart(run, state, pinned=()):
    """Compute the large chart that a state asks for, as JSON."""
    return to_json(main.chart(run, context(run, state, pinned), state.chart))


def view(run, state, pinned=()):
    """Compute a view on demand: ([(kind, key, JSON)], ""), or ([], a sentence) if it fails."""
    module = VIEWS.get(state.view)
    if module is None:
        return [], "There is no such view."
    try:
        specs = module.build(run, context(run, state, pinned))
        return [(type(spec).__name__.lower(), _key(spec), to_json(spec)) for spec in specs], ""
    except Exception as error:
        log(error)
        return [], f"“{module.TITLE}” could not be drawn for this run. The rest of the page goes on."


def _key(spec):
    return getattr(spec, "key", type(spec).__name__.lower())


# -- what the browser says ------------------------------------------------------------------------------------


def levers(state):
    """The levers of a state's scenario, as JSON."""
    return to_json(lever_groups(state))


def lever_value(state, message):
    """(path, value or None) of what the levers send, snapped to the lever's steps; None if it makes no sense."""
    try:
        path, value = str(message["path"]), message["value"]
        return path, None if value is None else snapped(state, path, float(value))
    except (BadInput, KeyError, TypeError, ValueError) as error:
        log(error)
        return None


def seed_of(given, old):
    """The seed that was typed, or the old one."""
    try:
        seed = int(given)
    except (TypeError, ValueError):
        return old
    return seed if 0 <= seed < 2**63 else old


def world_of(given, run):
    """The position of a world that was clicked."""
    try:
        position = int(given)
    except (TypeError, ValueError):
        return run.position
    return position if 0 <= position < run.worlds else run.position


def party_list(run, state):
    """The parties that can be looked at up close, by their shown names."""
    names = names_of(run.scenario, state.names)
    options = [{"value": party, "title": shown} for party, shown in names.items()]
    return {"label": "Party", "options": sorted(options, key=lambda each: each["title"].casefold())}


def party_of(given, run, state):
    """The party that was clicked, by its own or its shown name; "" if there is none."""
    names = names_of(run.scenario, state.names)
    if given in names:
        return given
    return next((party for party, shown in names.items() if shown == given), "")
