"""What is seen on the page, as one value, and its form in the address: a link restores everything.

A link may come from anywhere: what it says is checked against the declarations of the model; what is unknown is
left out, what is out of range is moved into it, and a notice in words says so. Reading never raises.
"""

import functools
import math
import re
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from model.events import LAST_MONTH
from scenarios.files import version
from scenarios.schema import (
    BadInput,
    default_vocabulary,
    library,
    load,
    nearest_name,
    parse_set,
    split_path,
)

LONGEST = 2_000  # characters of a link that is given out
LONGEST_READ = 8_000  # characters of a link that is read
MOST_PINS = 4
MOST_SETS = 60
MOST_ROWS = 12  # events, and decisions, that a user adds
MOST_WORLDS = 1_024
HUGE = 10**18  # whole numbers beyond are read as text
MOST_KEPT = 64  # scenario files that the server remembers
NAMES = ("own", "archetype")
WHOLE = {  # whole numbers: lowest and highest
    "seed": (0, 2**63 - 1),
    "worlds": (1, MOST_WORLDS),
    "months": (1, LAST_MONTH),
    "story": (0, MOST_WORLDS - 1),
    "month": (0, LAST_MONTH),
    "step": (0, 99),
}
WORDS = ("view", "chart", "party", "lesson", "panel")  # names of parts of the page; "" is none
_WORD = re.compile(r"[\w .&'-]{0,40}")
OF_A_RUN = ("scenario", "set", "event", "decision", "without", "seed", "months")
DATED = ("events", "decisions")
_PLACE = re.compile(r"(event|decision)\.([0-9]{1,3})")


@dataclass(frozen=True)
class PageState:
    """All that defines what is seen. Two equal states show the same page.

    ``sets``: (path, value) pairs, sorted, as in ``--set``; ``events`` and ``decisions``: rows of (key, value)
    pairs, as in a scenario file; ``without``: (name in DATED, place) of dated rows that are left out, of all that the
    scenario then has; ``story``: the position of the shown world; ``party``: who is in focus; ``pins``: pinned runs,
    each a query of its own.
    """

    scenario: str = "baseline"
    sets: tuple[tuple[str, Any], ...] = ()
    events: tuple[tuple[tuple[str, Any], ...], ...] = ()
    decisions: tuple[tuple[tuple[str, Any], ...], ...] = ()
    without: tuple[tuple[str, int], ...] = ()
    seed: int = 1
    worlds: int = 64
    months: int = 96
    story: int = 0
    view: str = "owes"
    chart: str = "cash"
    party: str = ""
    month: int = 0
    pins: tuple[str, ...] = ()
    lesson: str = ""
    step: int = 0
    dark: bool = False
    names: str = "own"
    panel: str = ""

    @property
    def run_key(self):
        """What decides the numbers of a run, whatever the number of worlds; hashable."""
        return (
            self.scenario,
            self.sets,
            self.events,
            self.decisions,
            self.without,
            self.seed,
            self.months,
            version(),
        )

    @property
    def changes(self):
        """The Params that differ from the scenario, {path: value}."""
        return dict(self.sets)

    def with_set(self, path, value):
        """Give the state with one Param set; ``value`` None takes the scenario's own again."""
        kept = {key: each for key, each in self.sets if key != path}
        if value is not None:
            kept[path] = value
        return replace(self, sets=_ordered(kept))

    def with_left_out(self, dated, row):
        """Give the state without one more dated row: its place among the events or decisions that still happen."""
        left = {place for name, place in self.without if name == dated}
        place = [at for at in range(row + len(left) + 1) if at not in left][row]
        return replace(self, without=tuple(sorted({*self.without, (dated, place)})))


DEFAULT = PageState()


# -- scenarios ----------------------------------------------------------------------------------------------

_kept, _keeping = OrderedDict(), threading.Lock()


def keep_scenario(scenario):
    """Remember a scenario that is not in the library, such as an uploaded file; give its name in a state.

    The name holds the scenario's hash: who does not know the file cannot name it. The oldest are forgotten.
    """
    name = f"file:{scenario.hash()}"
    with _keeping:
        _kept[name] = scenario
        _kept.move_to_end(name)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return name


def known_scenario(name):
    """Give a scenario by its name in a state; BadInput if it is neither shipped nor remembered."""
    with _keeping:
        if name in _kept:
            return _kept[name]
    if name not in _shipped():
        raise BadInput(f"no scenario is called {name!r}")
    return _load(name)


def scenario_of(state):
    """Give the Scenario that a state runs, with what the user has changed; BadInput names every mistake."""
    scenario = known_scenario(state.scenario)
    if state.sets:
        scenario = scenario.with_set(dict(state.sets))
    if state.events or state.decisions:
        scenario = scenario.with_rows(
            [dict(row) for row in state.events], [dict(row) for row in state.decisions]
        )
    if state.without:
        scenario = scenario.without_rows(
            **{dated: [place for name, place in state.without if name == dated] for dated in DATED}
        )
    return scenario


@functools.cache
def _shipped():
    return tuple(library())


@functools.cache
def _load(name):
    return load(name)


# -- writing ------------------------------------------------------------------------------------------------


def to_query(state) -> str:
    """Give the query of a link, without "?", of at most 2,000 characters; defaults are left out."""
    return share(state)[0]


def share(state):
    """Give the query of a link and notices (a list of texts) of what did not fit into 2,000 characters."""
    notices = []
    query = _joined(_pairs(state))
    for name, words in (
        ("pins", "pinned run"),
        ("decisions", "decision"),
        ("events", "event"),
        ("sets", "changed lever"),
    ):
        before = len(getattr(state, name))
        while len(query) > LONGEST and getattr(state, name):
            state = replace(state, **{name: getattr(state, name)[:-1]})
            query = _joined(_pairs(state))
        lost = before - len(getattr(state, name))
        if lost:
            notices.append(f"The link is too long: {lost} {words}{'s' * (lost > 1)} did not fit.")
    return query, notices


def pin_of(state) -> str:
    """Give the query that names the run of a state alone: scenario, changes, seed, months."""
    return _joined(pair for pair in _pairs(state) if pair[0] in OF_A_RUN)


def _pairs(state):
    for field in fields(state):
        value = getattr(state, field.name)
        if value == getattr(DEFAULT, field.name):
            continue
        if field.name == "sets":
            yield from (("set", f"{path}={_written(each)}") for path, each in value)
        elif field.name in ("events", "decisions"):
            yield from ((field.name[:-1], _row_text(row)) for row in value)
        elif field.name == "without":
            yield from (("without", f"{dated[:-1]}.{place}") for dated, place in value)
        elif field.name == "pins":
            yield from (("pin", pin) for pin in value)
        else:
            yield field.name, "1" if value is True else str(value)


def _joined(pairs):
    return "&".join(f"{key}={quote_plus(text, safe='=.:;,~/')}" for key, text in pairs)


def _written(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _row_text(row):
    return ";".join(f"{key}={_written(value)}" for key, value in row)


# -- reading ------------------------------------------------------------------------------------------------


def parse_query(text, views=None, charts=None):
    """Give (PageState, notices) of the query of a link, with or without "?".

    ``views`` and ``charts``: the names that are known, or None not to check them. Unknown fields are left out and bad
    values repaired, each with a notice in words; nothing is raised, whatever the text.
    """
    reader = _Reader(views, charts)
    return reader.read(text if isinstance(text, str) else ""), reader.notices


def read_pin(pin):
    """Give (PageState, notices) of a pinned run's query: other fields than a run's are left out."""
    reader = _Reader(None, None, only=OF_A_RUN)
    return reader.read(pin), reader.notices


class _Reader:
    """Reads one query, and collects what had to be repaired."""

    def __init__(self, views, charts, only=None):
        self.known = {"view": views, "chart": charts}
        self.only, self.notices = only, []

    def read(self, text):
        pairs = self._split(text)
        state = self._scenario(pairs)
        for read in (
            self._sets,
            self._rows,
            self._left_out,
            self._whole_numbers,
            self._words,
            self._switches,
            self._pins,
        ):
            state = read(state, pairs)
        return self._consistent(state)

    def _note(self, text):
        if len(self.notices) < 20 and text not in self.notices:
            self.notices.append(text)

    def _split(self, text):
        """The fields of the query: {key: [texts]}; of those that may come once the last one counts."""
        text = text.removeprefix("?")
        if len(text) > LONGEST_READ:
            self._note(f"The link is longer than {LONGEST_READ:,} characters; its end was not read.")
            text = text[:LONGEST_READ].rpartition("&")[0]
        known = {"set", "event", "decision", "without", "pin"} | {field.name for field in fields(PageState)}
        known -= {"sets", "events", "decisions", "pins"}
        found = {}
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=500, errors="replace")
        except ValueError:
            self._note("The link holds too many fields and was not read.")
            return {}
        for key, value in pairs:
            if key not in known:
                self._note(f"The link says {_shown(key)}, which this page does not know; left out.")
            elif self.only is None or key in self.only:
                found.setdefault(key, []).append(value)
        return found

    def _scenario(self, pairs):
        name = pairs.get("scenario", [DEFAULT.scenario])[-1]
        try:
            known_scenario(name)
        except BadInput:
            near = nearest_name(name, _shipped())
            hint = f" Did you mean {near}?" if near else ""
            if name.startswith("file:"):
                self._note("The scenario file of this link is not on this server: upload it again.")
            else:
                self._note(f"No scenario is called {_shown(name)}: this is the baseline.{hint}")
            name = DEFAULT.scenario
        return PageState(scenario=name)

    def _sets(self, state, pairs):
        texts = pairs.get("set", [])
        if len(texts) > MOST_SETS:
            self._note(f"The link sets more than {MOST_SETS} parameters; the rest was left out.")
        opening, given = known_scenario(state.scenario).opening, {}
        for text in texts[:MOST_SETS]:
            path, equals, value = text.partition("=")
            path, value = path.strip(), self._param_value(opening, path.strip(), value) if equals else None
            if value is not None:
                given[path] = value
            elif not equals:
                self._note(f"The link says set={_shown(text)}, without a value; left out.")
        return replace(state, sets=_ordered(given))

    def _param_value(self, opening, path, text):
        """The value of a Param as its declaration allows it, moved into its range; None if there is no such."""
        vocabulary = default_vocabulary()
        group, agent, name = split_path(path)
        param = vocabulary.params.get(group, {}).get(name)
        agents = vocabulary.agents(opening).get(group, ()) if agent else ()
        if param is None or (agent and agent not in agents):
            near = nearest_name(path, vocabulary.paths)
            hint = f" Did you mean {near}?" if near else ""
            self._note(f"There is no parameter {_shown(path)}; left out.{hint}")
            return None
        value = _value_of(text)
        if param.kind in ("choice", "flag"):
            allowed = param.choices or (True, False)
            if isinstance(value, bool | str) and value in allowed:
                return value
            self._note(f"{path} cannot be {_shown(text)}: it is {param.allowed}; left out.")
            return None
        if isinstance(value, bool | str) or (isinstance(value, float) and not math.isfinite(value)):
            self._note(f"{path} cannot be {_shown(text)}: it is {param.allowed}; left out.")
            return None
        repaired = min(max(value, param.low), param.high)
        repaired = round(repaired) if param.kind == "whole" else float(repaired)
        if repaired != value:
            self._note(f"{path} is {param.allowed}: {_shown(text)} became {_written(repaired)}.")
        return repaired

    def _rows(self, state, pairs):
        """Events and decisions that the user added: each is tried by itself, and left out if it is wrong."""
        for name, key in (("events", "event"), ("decisions", "decision")):
            rows = []
            for text in pairs.get(key, [])[:MOST_ROWS]:
                row = dict(_row_pair(part) for part in text.split(";") if "=" in part)
                try:
                    scenario_of(replace(state, **{name: (*rows, tuple(row.items()))}))
                except BadInput as error:
                    self._note(f"The link's {key} {_shown(text)} was left out: {error.problems[0]}")
                else:
                    rows.append(tuple(row.items()))
            if len(pairs.get(key, [])) > MOST_ROWS:
                self._note(f"The link holds more than {MOST_ROWS} {key}s; the rest was left out.")
            state = replace(state, **{name: tuple(rows)})
        return state

    def _left_out(self, state, pairs):
        """Dated rows that do not happen: each must be one that the scenario has."""
        without = set()
        for text in pairs.get("without", []):
            found = _PLACE.fullmatch(text)
            dated, place = (f"{found[1]}s", int(found[2])) if found else ("", 0)
            if found and place < len(getattr(scenario_of(state), dated)):
                without.add((dated, place))
            else:
                self._note(f"The scenario has no {_shown(text)} that could be left out.")
        return replace(state, without=tuple(sorted(without)))

    def _whole_numbers(self, state, pairs):
        found = {}
        for name, (low, high) in WHOLE.items():
            if name not in pairs:
                continue
            text, default = pairs[name][-1], getattr(DEFAULT, name)
            if not re.fullmatch(r"[+-]?[0-9]{1,30}", text):
                self._note(f"{name} is a whole number from {low} to {high}, not {_shown(text)}.")
                continue
            found[name] = min(max(int(text), low), high)
            if found[name] != int(text):
                self._note(f"{name} is from {low} to {high}: {text} became {found[name]}.")
            if found[name] == default:
                del found[name]
        return replace(state, **found)

    def _words(self, state, pairs):
        found = {}
        for name in WORDS:
            text = pairs.get(name, [getattr(DEFAULT, name)])[-1]
            known = self.known.get(name)
            if not _WORD.fullmatch(text) or (known is not None and text not in known):
                self._note(f"There is no {name} called {_shown(text)}.")
                text = getattr(DEFAULT, name)
            found[name] = text
        return replace(state, **found)

    def _switches(self, state, pairs):
        dark, names = pairs.get("dark", ["0"])[-1], pairs.get("names", [DEFAULT.names])[-1]
        if dark not in ("0", "1"):
            self._note(f"dark is 0 or 1, not {_shown(dark)}.")
        if names not in NAMES:
            self._note(f"names are {' or '.join(NAMES)}, not {_shown(names)}.")
            names = DEFAULT.names
        return replace(state, dark=dark == "1", names=names)

    def _pins(self, state, pairs):
        pins = []
        for pin in pairs.get("pin", []):
            run, notices = read_pin(pin)
            for notice in notices:
                self._note(f"In a pinned run: {notice}")
            pins.append(pin_of(run))
        pins = list(dict.fromkeys(pins))
        if len(pins) > MOST_PINS:
            self._note(f"Up to {MOST_PINS} runs can be pinned; the rest was left out.")
        return replace(state, pins=tuple(pins[:MOST_PINS]))

    def _consistent(self, state):
        if state.story >= state.worlds:
            self._note(f"There are {state.worlds} worlds: the story is that of world {state.worlds - 1}.")
            state = replace(state, story=state.worlds - 1)
        if state.month > state.months:
            self._note(f"The run has {state.months} months: this is the last.")
            state = replace(state, month=state.months)
        return state


def _row_pair(part):
    key, _, text = part.partition("=")
    return key.strip(), _value_of(text)


def _value_of(text):
    """The value of a text as in a scenario file: a number, true, false, or else the text itself."""
    try:
        value = parse_set([f"value={text}"])["value"]
    except (BadInput, RecursionError):
        return text
    huge = isinstance(value, int) and abs(value) > HUGE
    return value if isinstance(value, bool | int | float | str) and not huge else text


def _ordered(sets):
    return tuple(sorted(sets.items()))


def _shown(text):
    text = "".join(letter if letter.isprintable() else "?" for letter in str(text))
    return f"“{text[:37]}...”" if len(text) > 40 else f"“{text}”"


def facts(state):
    """Give a state as plain values, ready for JSON."""
    return asdict(state)
