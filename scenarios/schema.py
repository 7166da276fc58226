"""A scenario file: parameters, dated events and decisions that differ from the defaults, and what it must
show.

A scenario is TOML, and it is data: nothing in it is evaluated. What it may say comes from the declarations
of the model (Params, names of agents, kinds of events), so that a new Param can be set without a line of
code here. All mistakes of a file are reported at once, each with file, key, value, allowed range and unit,
and the nearest name.
"""

import datetime
import difflib
import functools
import hashlib
import json
import stat
import sys
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agents.worlds import Param, ParamError, declarations
from model.events import FIRST_MONTH, KINDS, LAST_MONTH, Decision, Event
from model.opening import LIBRARY as OPENINGS
from model.opening import book_files, read_values
from scenarios.cast import FIRST_YEAR, casts

LIBRARY = Path(__file__).resolve().parent / "library"
LARGEST = 1_000_000  # bytes of a scenario file
SHOWN = 20  # mistakes that are shown, and for which a nearest name is looked for
DEFAULT_OPENING = "end_2025"
VALUES = "_values"  # ends the name of the file, beside an opening's, with the values of single agents

OPERATORS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
SUMMARY_MEASURES = {  # what a check may name beside the recorded measures, and whether it needs an agent
    "default_probability": True,
    "distressed_probability": True,
    "missed_probability": True,
    "trap_probability": True,
    "mean_loss": True,
    "peak_stress": False,
    "books_residual": False,
}
PAIRED = {  # of these, those of which a check may take the difference between two scenarios: the outcome they count
    "default_probability": "default",
    "distressed_probability": "distressed",
    "missed_probability": "missed",
}


@dataclass(frozen=True)
class Problem:
    """One mistake: where (``file``, ``key``), the ``value`` as written, what is ``allowed``, the nearest
    name.
    """

    file: str
    key: str
    message: str
    value: str = ""
    allowed: str = ""
    unit: str = ""
    nearest: str = ""

    def __str__(self):
        where = ": ".join(part for part in (self.file, self.key) if part)
        given = f" = {self.value}" if self.value else ""
        unit = f" ({self.unit})" if self.unit else ""
        allowed = f"; allowed: {self.allowed}{unit}" if self.allowed else ""
        nearest = f"; did you mean {self.nearest}?" if self.nearest else ""
        subject = f"{where}{given}: " if where or given else ""
        return f"{subject}{self.message}{allowed}{nearest}"


class BadInput(ValueError):
    """What a user gave cannot be used; ``problems`` says why, one entry per mistake."""

    def __init__(self, *problems):
        self.problems = [Problem("", "", each) if isinstance(each, str) else each for each in problems]
        super().__init__(self.problems)

    def __str__(self):
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"... and {len(self.problems) - SHOWN} more")
        return "\n".join(lines)


class Vocabulary:
    """What a scenario may say about a model: Params by group, measures, and the names of agents by opening.

    ``params`` is {group: {name: Param}}; ``agents(opening)`` gives {group: names}, taken from the model
    itself.
    """

    def __init__(self, model_class):
        self.model_class = model_class
        module = sys.modules[model_class.__module__]
        classes = [*module.ACTORS, *module.MECHANISMS]
        self.params: dict[str, dict[str, Param]] = {
            kind.group: {row["name"]: getattr(kind, row["name"]) for row in declarations([kind])}
            for kind in classes
        }
        self.rows = declarations(classes)
        self.paths = [f"{group}.{name}" for group, params in self.params.items() for name in params]
        actors, mechanisms = module.ACTORS, module.MECHANISMS
        self.measures = {name for kind in actors for name in getattr(kind, "measures", ())}
        self.measures |= {f"{k.group}.{name}" for k in mechanisms for name in getattr(k, "measures", ())}
        self._agents = {}

    def agents(self, opening):
        """Give the names of the agents of each group, as the model makes them from this opening."""
        if opening not in self._agents:
            setting = Setting(opening=opening)
            model = self.model_class(worlds=1, months=1, setting=setting, record=False)
            cohorts = model.agents_by_type.values()
            self._agents[opening] = {cohort.group: list(cohort.names) for cohort in cohorts}
        return self._agents[opening]


@functools.cache
def default_vocabulary():
    """Give the vocabulary of the product's own model."""
    from model.market import DebtTrapModel

    return Vocabulary(DebtTrapModel)


@dataclass(frozen=True)
class Setting:
    """What the model takes from a scenario: Params by path, events, decisions, and the name of the
    opening.
    """

    params: dict[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    decisions: tuple[Decision, ...] = ()
    opening: str = DEFAULT_OPENING


@dataclass(frozen=True)
class Check:
    """What a scenario must show: ``measure`` of ``agent`` (or of all) stands to ``value`` as ``op`` says.

    ``month`` is for recorded measures (mean over worlds); without it the last month counts. With ``against``, the name
    of a shipped scenario, it is the paired difference to that scenario with the same luck that stands to ``value``, and
    its whole 95% interval must.
    """

    measure: str
    op: str
    value: float
    agent: str | None = None
    month: int | None = None
    against: str | None = None


@dataclass(frozen=True)
class Scenario(Setting):
    """A scenario, read and checked, with what it inherits. ``params`` are in the order they are applied.

    ``name`` is that of the library or of the file; ``extends`` the names it builds on, the nearest first;
    ``cast`` names a file of library/cast, "" for the one named after the opening.
    """

    name: str = "scenario"
    title: str = ""
    paragraph: str = ""
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    extends: tuple[str, ...] = ()
    overrides: dict[str, Any] = field(default_factory=dict)
    cast: str = ""
    vocabulary: Vocabulary | None = field(default=None, repr=False, compare=False)

    def with_set(self, values, source="--set"):
        """Give the scenario with some Params set, {path: value}; BadInput names every mistake.

        A group's value replaces what was said before about single agents of the group.
        """
        parser = _Parser(self.vocabulary or default_vocabulary(), self.opening)
        parser.params = dict(self.params)
        for path, value in values.items():
            parser.set_path(source, path, value)
        parser.finish()
        given = {path: parser.params[path] for path in values}
        return replace(self, params=parser.ordered(), overrides=self.overrides | given)

    def with_rows(self, events=(), decisions=(), source="added"):
        """Give the scenario with more dated events and decisions, each the keys and values of its table in a file.

        BadInput names every mistake, and events or decisions that contradict those already there.
        """
        parser = _Parser(self.vocabulary or default_vocabulary(), self.opening)
        parser.read(
            source, {"event": [dict(row) for row in events], "decision": [dict(r) for r in decisions]}
        )
        parser.events += self.events
        parser.decisions += self.decisions
        parser.contradictions(source)
        parser.finish()
        return replace(
            self,
            events=tuple(sorted(parser.events, key=lambda event: event.month)),
            decisions=tuple(sorted(parser.decisions, key=lambda decision: decision.month)),
        )

    def without_rows(self, events=(), decisions=()):
        """Give the scenario without some of its dated events and decisions, each by its place, from 0.

        BadInput names the first place at which there is none.
        """
        kept = {}
        for name, places in (("events", events), ("decisions", decisions)):
            rows = getattr(self, name)
            missing = next((place for place in places if not 0 <= place < len(rows)), None)
            if missing is not None:
                raise BadInput(f"there is no {name[:-1]} {missing}: the scenario has {len(rows)}")
            kept[name] = tuple(row for place, row in enumerate(rows) if place not in places)
        return replace(self, **kept)

    def to_toml(self):
        """Give the scenario as a TOML text that stands alone and reads back as the same scenario."""
        head = {"title": self.title, "paragraph": self.paragraph, "sources": list(self.sources)}
        head |= {"tags": list(self.tags), "opening": self.opening}
        head |= {"cast": self.cast} if self.cast else {}
        lines = [f"{key} = {_toml(value)}" for key, value in head.items()]
        tables = {}
        for path, value in self.params.items():
            group, agent, name = split_path(path)
            tables.setdefault((group, agent) if agent else (group,), {})[name] = value
        for names, rows in tables.items():
            lines += ["", f"[{'.'.join(_toml_key(name) for name in names)}]"]
            lines += [f"{_toml_key(name)} = {_toml(value)}" for name, value in rows.items()]
        arrays = {"event": map(event_row, self.events), "decision": map(decision_row, self.decisions)}
        arrays["check"] = ({k: v for k, v in vars(check).items() if v is not None} for check in self.checks)
        for word, rows in arrays.items():
            for row in rows:
                lines += ["", f"[[{word}]]"]
                lines += [f"{_toml_key(key)} = {_toml(value)}" for key, value in row.items()]
        return "\n".join(lines) + "\n"

    def hash(self):
        """Give 16 hex digits of what decides the result: parameters, events, decisions, the books of month
        0.
        """
        books = [
            path
            for book in book_files(self.opening)
            for path in (book, book.with_name(f"{book.stem}{VALUES}.toml"))
            if path.is_file()
        ]
        content = {
            "opening": self.opening,
            "books": [hashlib.sha256(book.read_bytes()).hexdigest() for book in books],
            "params": self.params,
            "events": [event_row(event) for event in self.events],
            "decisions": [decision_row(decision) for decision in self.decisions],
        }
        text = json.dumps(content, sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


# -- reading files ------------------------------------------------------------------------------------------


def library():
    """Give the names of the scenarios that are shipped, baseline first."""
    names = sorted(path.stem for path in LIBRARY.glob("*.toml"))
    return sorted(names, key=lambda name: name != "baseline")


def opening_values(opening=DEFAULT_OPENING):
    """Give the Params that an opening sets for single agents: {path: {value, range, source}}."""
    rows = read_values(opening)["value"]
    return {row["path"]: {name: row[name] for name in row if name != "path"} for row in rows}


def load(name_or_path, vocabulary=None):
    """Read and check a scenario: a name in the library, or the path of a file. BadInput names every
    mistake.
    """
    vocabulary = vocabulary or default_vocabulary()
    chain = _chain(_find(str(name_or_path), Path(), ""))
    openings = [(label, table["opening"]) for _, label, table in chain if "opening" in table]
    label, opening = openings[0] if openings else (chain[0][1], DEFAULT_OPENING)
    cast = next((table["cast"] for _, _, table in chain if "cast" in table), "")
    parser = _Parser(vocabulary, opening, label)
    for _, label, table in reversed(chain):
        parser.read(label, table)
    path, label, table = chain[0]
    parser.contradictions(label)
    parser.finish()
    return Scenario(
        params=parser.ordered(),
        events=tuple(sorted(parser.events, key=lambda event: event.month)),
        decisions=tuple(sorted(parser.decisions, key=lambda decision: decision.month)),
        opening=parser.opening,
        name=path.stem,
        title=table.get("title", path.stem.replace("_", " ")),
        paragraph=" ".join(table.get("paragraph", "").split()),
        sources=tuple(table.get("sources", ())),
        tags=tuple(table.get("tags", ())),
        checks=tuple(parser.checks),
        extends=tuple(each.stem for each, _, _ in chain[1:]),
        cast=cast,
        vocabulary=vocabulary,
    )


def _chain(path):
    """The file and those it extends: (path, label, table) of each, the file itself first."""
    chain, seen = [], []
    while path is not None:
        label, real = _label(path), path.resolve()
        if real in seen:
            names = " extends ".join(p.stem for p in [*seen[seen.index(real) :], real])
            message = "a scenario cannot extend itself" + ("" if real == seen[-1] else f" ({names})")
            raise BadInput(Problem(chain[-1][1], "extends", message, _shown(chain[-1][2]["extends"])))
        table = _read_toml(path, label)
        seen.append(real)
        chain.append((path, label, table))
        base = table.get("extends")
        if base is not None and not isinstance(base, str):
            raise BadInput(Problem(label, "extends", "not a name", _shown(base), "the name of one scenario"))
        path = None if base is None else _find(base, path.parent, label)
    return chain


def _find(name, folder, label):
    """The path of a scenario by its name in the library, or of a file (seen from ``folder``)."""
    looks_like_file = name.endswith(".toml") or "/" in name or "\\" in name
    if not looks_like_file and name in library():
        return LIBRARY / f"{name}.toml"
    key = "extends" if label else ""
    try:
        path = folder / Path(name).expanduser()
        if path.exists() and (looks_like_file or path.is_file()):
            return path
    except (OSError, ValueError, RuntimeError):  # a name too long, with a NUL, or of an unknown user
        pass
    if looks_like_file:
        raise BadInput(Problem(label, key, f"no such file: {_shown(name)}"))
    known = ", ".join(library())
    message = f"no scenario is called {_shown(name)}"
    raise BadInput(
        Problem(
            label, key, message, allowed=f"a file, or one of {known}", nearest=nearest_name(name, library())
        )
    )


def _read_toml(path, label):
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadInput(Problem(label, "", "not a file"))
        if status.st_size > LARGEST:
            size = f"{status.st_size / 1e6:,.1f} MB is too large for a scenario"
            raise BadInput(Problem(label, "", size, allowed=f"at most {LARGEST / 1e6:g} MB"))
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(Problem(label, "", f"cannot be read ({error.strerror})")) from None
    try:
        text = data.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("it is a binary file")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(Problem(label, "", f"not a text file in UTF-8 (line {line})")) from None
    except RecursionError:
        raise BadInput(Problem(label, "", "not valid TOML: nested too deeply")) from None
    except ValueError as error:
        raise BadInput(Problem(label, "", f"not valid TOML: {error}")) from None


def _label(path):
    root = LIBRARY.parents[1]
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


# -- reading tables -----------------------------------------------------------------------------------------

_TEXTS = ("title", "paragraph", "extends")
_LISTS = ("sources", "tags")
_ARRAYS = ("event", "decision", "check")
RESERVED = (*_TEXTS, "opening", "cast", *_LISTS, *_ARRAYS)


class _Parser:
    """Collects what files and settings say, and every mistake in them."""

    def __init__(self, vocabulary, opening, label="--set"):
        self.vocabulary, self.problems = vocabulary, []
        self.params, self.events, self.decisions, self.checks = {}, [], [], []
        self.opening = self._known_opening(label, opening)

    def finish(self):
        """Raise BadInput if anything was wrong."""
        if self.problems:
            raise BadInput(*self.problems)

    def ordered(self):
        """The Params in the order they apply: of groups first, then of single agents."""
        return dict(
            sorted(self.params.items(), key=lambda item: (split_path(item[0])[1] is not None, item[0]))
        )

    def read(self, label, table):
        """Take in one file; a file that extends another is read after it."""
        self.checks = []
        for key, value in table.items():
            if key in _TEXTS and not isinstance(value, str):
                self._wrong(label, key, value, "a text")
            elif key in _LISTS and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
                self._wrong(label, key, value, "a list of texts")
            elif key in _ARRAYS and not (isinstance(value, list) and all(isinstance(v, dict) for v in value)):
                self._wrong(label, key, value, f"tables, each headed [[{key}]]")
            elif key in _ARRAYS:
                for number, row in enumerate(value, 1):
                    getattr(self, f"_{key}")(label, f"{key}[{number}]", dict(row))
            elif key == "cast" and value not in casts():
                near = nearest_name(value, casts())
                self._wrong(label, key, value, "one of " + ", ".join(casts()), nearest=near)
            elif key not in RESERVED:
                self._group(label, key, value)

    def set_path(self, label, path, value):
        """Set one Param by its path, forgetting what was said before about single agents of its group."""
        stored = self._value(label, path, path, value)
        if stored is None:
            return
        group, agent, name = split_path(path)
        if agent is None:
            self.params = {
                known: kept
                for known, kept in self.params.items()
                if split_path(known)[0] != group or split_path(known)[2] != name
            }
        self.params[path] = stored

    def _group(self, label, group, table):
        if group not in self.vocabulary.params:
            word = "group of parameters" if isinstance(table, dict) else "key"
            self._add(label, _short(group), f"unknown {word}", nearest=lambda: self._nearest_group(group))
            return
        if not isinstance(table, dict):
            self._wrong(label, group, table, f"a table, headed [{group}]")
            return
        for name, value in table.items():  # values of the group before those of single agents
            if not isinstance(value, dict):
                self.set_path(label, f"{group}.{name}", value)
        for agent, values in table.items():
            if isinstance(values, dict) and self._known_agent(label, f"{group}.{agent}", agent, group):
                for name, value in values.items():
                    self.set_path(label, f"{group}.{agent}.{name}", value)

    def _nearest_group(self, word):
        """What an unknown group may stand for: a Param of that name, else the nearest group or key."""
        paths = [path for path in self.vocabulary.paths if path.endswith(f".{word}")]
        return paths[0] if paths else nearest_name(word, [*self.vocabulary.params, *RESERVED])

    def _value(self, label, key, path, value):
        """The value to store for a path (the name, for a choice); None after noting a mistake."""
        group, agent, name = split_path(path)
        param = self.vocabulary.params.get(group, {}).get(name)
        if param is None:
            self._add(label, _short(key), "unknown parameter", nearest=lambda: self._nearest_path(path))
            return None
        if agent is not None and not self._known_agent(label, key, agent, group):
            return None
        try:
            stored = param.check(value)
        except (ParamError, OverflowError, TypeError):
            self._wrong(
                label, key, value, param.allowed, "" if param.kind in ("choice", "flag") else param.unit
            )
            return None
        return param.choices[stored] if param.kind == "choice" else stored

    def _nearest_path(self, path):
        name = split_path(path)[2]
        same = [known for known in self.vocabulary.paths if known.endswith(f".{name}")]
        return nearest_name(path, same) or (same[0] if same else nearest_name(path, self.vocabulary.paths))

    def _known_agent(self, label, key, agent, group):
        agents = self.vocabulary.agents(self.opening)
        if isinstance(agent, str) and agent in agents.get(group, ()):
            return True
        elsewhere = [other for other, names in agents.items() if agent in names]
        message = f"{_shown(agent)} is not in {group}" + (f" but in {elsewhere[0]}" if elsewhere else "")
        names = agents.get(group, ())
        near = "" if elsewhere else nearest_name(agent, names)
        allowed = ", ".join(names) or "no agent: this group is a mechanism"
        self._add(label, _short(key), message, allowed=allowed, nearest=near)
        return False

    def _known_opening(self, label, opening):
        known = sorted(path.stem for path in OPENINGS.glob("*.toml") if not path.stem.endswith(VALUES))
        if isinstance(opening, str) and opening in known:
            return opening
        self._wrong(
            label, "opening", opening, "one of " + ", ".join(known), nearest=nearest_name(opening, known)
        )
        return DEFAULT_OPENING

    # -- rows of events, decisions and checks ----------------------------------------------------------------

    def _event(self, label, key, row):
        month, name, note = self._month(label, key, row), row.pop("kind", None), row.pop("note", "")
        agent = row.pop("agent", None)
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            names = ", ".join(KINDS)
            near = nearest_name(name, KINDS)
            self._wrong(label, f"{key}.kind", name, f"one of {names}", nearest=near, missing=name is None)
            return
        before = len(self.problems)
        self._text(label, f"{key}.note", note)
        self._befalls(label, f"{key}.agent", kind, agent)
        values = {}
        for word, declared in kind.keys.items():
            value = row.pop(word, declared.default)
            if declared.allows(value):
                values[word] = declared.stored(value)
            else:
                unit = "" if declared.choices or declared.flag else declared.unit
                self._wrong(label, f"{key}.{word}", value, declared.allowed, unit, missing=value is None)
        known = [*kind.keys, "month", "kind", "agent", "note"]
        self._unknown_keys(label, key, row, known)
        if month is not None and len(self.problems) == before:
            main = values.pop(kind.value.name)
            self.events.append(Event(month, kind.name, agent, main, extra=values))

    def _befalls(self, label, key, kind, agent):
        if agent is not None and kind.agents:
            self._known_agent(label, key, agent, kind.agents)
        elif agent is not None:
            self._add(label, key, f"a {kind.name} befalls everybody: it names no agent", _shown(agent))
        elif kind.agent_required:
            names = self.vocabulary.agents(self.opening).get(kind.agents, ())
            self._add(label, key, f"missing: whom the {kind.name} befalls", allowed=", ".join(names))

    def _decision(self, label, key, row):
        month, note = self._month(label, key, row), row.pop("note", "")
        existing, agent, group = row.pop("existing", False), row.pop("agent", None), row.pop("group", None)
        before = len(self.problems)
        self._text(label, f"{key}.note", note)
        if not isinstance(existing, bool):
            self._wrong(label, f"{key}.existing", existing, "true or false")
        start = self._decider(label, key, agent, group)
        if start is None:
            return
        if not row:
            self._add(label, key, "decides nothing", allowed=f"a parameter of {start}")
        values = {name: self._value(label, f"{key}.{name}", f"{start}.{name}", v) for name, v in row.items()}
        if month is not None and len(self.problems) == before:
            made = [Decision(month, f"{start}.{name}", v, existing=existing) for name, v in values.items()]
            self.decisions += made

    def _decider(self, label, key, agent, group):
        """The start of the path of a decision: "group" or "group.Agent Name"; None after noting a mistake."""
        agents, groups = self.vocabulary.agents(self.opening), list(self.vocabulary.params)
        if agent is None and group is None:
            self._add(label, key, 'missing: who decides (agent = "..."), or for whom (group = "...")')
        elif group is not None and group not in groups:
            near = nearest_name(group, groups)
            self._wrong(label, f"{key}.group", group, "one of " + ", ".join(groups), nearest=near)
        elif agent is None:
            return group
        elif group is not None:
            return f"{group}.{agent}" if self._known_agent(label, f"{key}.agent", agent, group) else None
        else:
            home = [name for name, names in agents.items() if agent in names]
            if home:
                return f"{home[0]}.{agent}"
            near = nearest_name(agent, [name for names in agents.values() for name in names])
            self._wrong(label, f"{key}.agent", agent, "the name of an agent", nearest=near)
        return None

    def _check(self, label, key, row):
        before = len(self.problems)
        measure, op, value = (row.pop(word, None) for word in ("measure", "op", "value"))
        agent, against = row.pop("agent", None), row.pop("against", None)
        value = 0.0 if against is not None and value is None else value
        month = self._month(label, key, row) if "month" in row else None
        known = [*SUMMARY_MEASURES, *sorted(self.vocabulary.measures)]
        if measure not in known:
            near = nearest_name(measure, known)
            allowed = "one of " + ", ".join(SUMMARY_MEASURES) + ", or a recorded measure"
            self._wrong(label, f"{key}.measure", measure, allowed, nearest=near, missing=measure is None)
        if op not in list(OPERATORS):
            self._wrong(label, f"{key}.op", op, "one of " + " ".join(OPERATORS), missing=op is None)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            self._wrong(label, f"{key}.value", value, "a number", missing=value is None)
        if agent is not None and not isinstance(agent, str):
            self._wrong(label, f"{key}.agent", agent, "the name of an agent")
        elif agent is None and isinstance(measure, str) and SUMMARY_MEASURES.get(measure):
            self._add(label, f"{key}.agent", f"missing: whose {measure}")
        if against is not None and against not in library():
            near = nearest_name(against, library())
            self._wrong(label, f"{key}.against", against, "one of " + ", ".join(library()), nearest=near)
        elif against is not None and measure not in self.vocabulary.measures and measure not in PAIRED:
            allowed = "a recorded measure, or one of " + ", ".join(PAIRED)
            self._wrong(label, f"{key}.against", measure, allowed)
        self._unknown_keys(label, key, row, ["measure", "agent", "op", "value", "month", "against"])
        if len(self.problems) == before:
            self.checks.append(Check(measure, op, float(value), agent, month, against))

    def _month(self, label, key, row):
        value = row.pop("month", None)
        month = as_month(value)
        if month is None:
            last = f"{LAST_MONTH} (December {FIRST_YEAR + LAST_MONTH // 12 - 1})"
            allowed = (
                f"a whole number from {FIRST_MONTH} (January {FIRST_YEAR}) to {last}, or as in '2027-02'"
            )
            self._wrong(label, f"{key}.month", value, allowed, missing=value is None)
        return month

    def contradictions(self, label):
        """Note events that overlap and differ, and decisions that set a Param twice in a month."""
        running = {}  # by kind and agent: {value: (month it began, month it is over)}
        for number, event in enumerate(sorted(self.events, key=lambda event: event.month)):
            kind = KINDS[event.kind]
            others = running.setdefault((event.kind, event.agent), {})
            token = event.value if kind.lasts else number
            for other, (began, over) in others.items():
                if other != token and event.month < over and not kind.repeats:
                    whom = f" of {event.agent}" if event.agent else ""
                    message = f"two events contradict: the {event.kind}{whom} of month {event.month}"
                    self._add(label, "event", f"{message} and that of month {began}")
                    break
            over = event.month + (event.extra[kind.lasts] if kind.lasts else 1)
            others[token] = (event.month, max(over, others.get(token, (0, 0))[1]))
            running[event.kind, event.agent] = {
                t: span for t, span in others.items() if span[1] > event.month
            }
        decided = {}
        for decision in self.decisions:
            value = decided.setdefault((decision.month, decision.path), decision.value)
            if value != decision.value:
                message = f"two decisions contradict: {decision.path} = {_shown(value)} and"
                self._add(label, "decision", f"{message} {_shown(decision.value)} in month {decision.month}")

    def _text(self, label, key, value):
        if not isinstance(value, str):
            self._wrong(label, key, value, "a text")

    def _unknown_keys(self, label, key, row, known):
        for word in row:
            self._add(
                label, f"{key}.{_short(word)}", "unknown key", nearest=lambda w=word: nearest_name(w, known)
            )

    def _wrong(self, label, key, value, allowed, unit="", nearest="", missing=False):
        message = "missing" if missing else "not allowed"
        self._add(label, _short(key), message, "" if missing else _shown(value), allowed, unit, nearest)

    def _add(self, label, key, message, value="", allowed="", unit="", nearest=""):
        if callable(nearest):
            nearest = nearest() if len(self.problems) < SHOWN else ""
        problem = Problem(label, key, message, value, allowed, unit, nearest)
        if problem not in self.problems[-SHOWN:]:
            self.problems.append(problem)


# -- small things -------------------------------------------------------------------------------------------


def split_path(path):
    """Give (group, agent or None, name) of "group.name" or "group.Agent Name.name"."""
    group, _, rest = path.partition(".")
    agent, _, name = rest.rpartition(".")
    return group, agent or None, name


def parse_set(texts):
    """Give {path: value} of texts such as "openai.floor_share=0.5"; a value reads as in a scenario file."""
    given, problems = {}, []
    for text in texts:
        path, equals, value = (part.strip() for part in text.partition("="))
        if not (path and equals and value):
            allowed = "PATH=VALUE, as in openai.floor_share=0.5"
            problems.append(Problem("--set", "", "not allowed", _shown(text), allowed))
            continue
        try:
            table = tomllib.loads(f"value = {value}")
        except (ValueError, RecursionError):
            table = {}
        given[path] = table["value"] if len(table) == 1 else value  # else a bare word: the name of a choice
    if problems:
        raise BadInput(*problems)
    return given


def as_month(value):
    """Give the month of a whole number, a date or a text such as "2027-02"; None if it is none of the
    game.
    """
    if isinstance(value, str):
        year, _, number = value.partition("-")
        if not (
            len(year) == 4 and len(number) == 2 and (year + number).isascii() and (year + number).isdigit()
        ):
            return None
        if not 1 <= int(number) <= 12:
            return None
        value = (int(year) - FIRST_YEAR) * 12 + int(number)
    elif isinstance(value, datetime.date):
        value = (value.year - FIRST_YEAR) * 12 + value.month
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and FIRST_MONTH <= value <= LAST_MONTH else None


def event_row(event):
    """Give an event as the keys and values of its [[event]] table."""
    row = {"month": event.month, "kind": event.kind}
    if event.agent is not None:
        row["agent"] = event.agent
    return row | {KINDS[event.kind].value.name: event.value} | dict(event.extra)


def decision_row(decision):
    """Give a decision as the keys and values of its [[decision]] table."""
    group, agent, name = split_path(decision.path)
    row = {"month": decision.month, "group": group}
    if agent is not None:
        row["agent"] = agent
    return row | ({"existing": True} if decision.existing else {}) | {name: decision.value}


def nearest_name(word, known):
    """Give the nearest of the known names, or "" if none is near."""
    if not isinstance(word, str) or len(word) > 200:
        return ""
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.5)
    return folded[near[0]] if near else ""


def _shown(value):
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else _repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _repr(value):
    try:
        return repr(value)
    except ValueError:  # a whole number of more digits than Python writes out
        return "a very large number"


def _short(key):
    key = key if key.isprintable() else repr(key)
    return key if len(key) <= 80 else f"{key[:77]}..."


def _toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return repr(value)


def _toml_key(name):
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else _toml(name)
