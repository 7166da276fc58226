"""Lessons are data: predict, run, see, debrief, and when the opposite is true. Their answers are runs of the model.

A lesson is a file of viz/lessons/. Nothing in it states a result: what the model says is played with the seeds of a
class and kept (viz/answers.py), so that no number of a lesson can go stale unseen.
"""

import functools
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scenarios.experiments.grid import ANY
from scenarios.experiments.textbook import FORMULAS
from scenarios.schema import (
    BadInput,
    Problem,
    default_vocabulary,
    library,
    load,
    nearest_name,
)
from scenarios.simulate import simulate
from viz import words
from viz.sketch import Sketch
from viz.state import PageState, scenario_of

FOLDER = Path(__file__).resolve().parent / "lessons"
SEEDS = tuple(range(101, 121))
"""Of a class: every student may have a world of their own, and all can be played again."""

WORLDS, MONTHS = 64, 96
FEWEST_LEVERS, MOST_LEVERS = 3, 5
STEPS = ("predict", "run", "see", "debrief", "opposite")
KINDS = {  # of answers: the keys that each needs, and those it may have
    "share": ({"case", "measure"}, set()),
    "difference": ({"case", "against", "measure"}, set()),
    "mean": ({"case", "measure", "agent"}, {"month"}),
    "ratio": ({"case", "against", "measure"}, {"agent", "month", "unit"}),
    "loss": ({"case"}, set()),
    "formula": ({"formula", "arguments"}, {"unit"}),
}


@dataclass(frozen=True)
class Case:
    """A setting that a lesson plays: a scenario with Params set and dated events added."""

    key: str
    title: str
    scenario: str
    sets: tuple[tuple[str, Any], ...] = ()
    events: tuple[tuple[tuple[str, Any], ...], ...] = ()

    def changes(self):
        """The fields of a PageState that show the case."""
        return {"scenario": self.scenario, "sets": self.sets, "events": self.events, "decisions": ()}

    def state(self, seed=SEEDS[0], worlds=WORLDS, months=MONTHS):
        """Give the PageState that shows the case with the luck of a class's seed."""
        return PageState(seed=seed, worlds=worlds, months=months, **self.changes())


@dataclass(frozen=True)
class Answer:
    """What can be asked of the runs of a lesson, or of a formula; ``rule`` holds the keys of its table."""

    key: str
    title: str
    kind: str
    rule: dict

    @property
    def unit(self):
        """The unit of its value: "share", "difference" (of shares), "US$bn", or what the lesson says."""
        usual = {"share": "share", "difference": "difference", "loss": "US$bn", "ratio": "x"}
        return self.rule.get("unit") or usual.get(self.kind) or _unit_of(self.rule.get("measure", ""))

    def words(self, value):
        """Give a value in words, as a student reads it."""
        if not math.isfinite(value):
            return words.NOTHING
        if self.unit == "share":
            return words.percent(value)
        if self.unit == "difference":
            points = round(100.0 * value)
            return "no change" if points == 0 else f"{points:+d} points".replace("-", words.MINUS)
        if self.unit == "US$bn":
            return words.money(value)
        if self.unit == "%":
            return f"{words.figures(100.0 * value, short=True)}%"
        if self.unit.startswith("of "):
            whole = float(self.unit[3:])
            value = value * whole if self.kind == "ratio" else value
            return f"{words.figures(value)} {self.unit}"
        return words.quantity(value, self.unit)

    def entered(self, value):
        """Give a value on the scale on which a student enters it: shares in per cent, ratios of 100 as such."""
        percent = self.unit in ("share", "difference", "%")
        return 100.0 * value if percent or (self.kind == "ratio" and self.unit == "of 100") else value


@dataclass(frozen=True)
class Question:
    """What a student predicts before the run: a number between ``low`` and ``high``, or one of three choices."""

    kind: str
    text: str
    answer: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 100.0


@dataclass(frozen=True)
class Lesson:
    """A lesson, read and checked. ``texts`` and ``shows`` by step; ``questions`` of the prediction, a ``sketch`` to
    be drawn with them or None, and the ``debrief``."""

    key: str
    title: str
    goal: str
    minutes: int
    scenario: str
    chart: str
    levers: tuple[str, ...]
    concept: str
    concept_text: str
    texts: dict[str, str]
    shows: dict[str, tuple[str, ...]]
    questions: tuple[Question, ...]
    debrief: tuple[str, ...]
    cases: dict[str, Case]
    answers: dict[str, Answer]
    opposite: str
    sketch: Sketch | None = None
    problems: tuple = field(default=(), repr=False)

    @property
    def first(self):
        """The case that the lesson begins with."""
        return next(iter(self.cases.values()))


class LessonError(BadInput):
    """A lesson's file has mistakes; ``problems`` has one entry per mistake."""


# -- reading -------------------------------------------------------------------------------------------------


@functools.cache
def lessons():
    """Give the lessons that are shipped, {key: Lesson}, in the order of their keys."""
    return {path.stem: read_lesson(path) for path in sorted(FOLDER.glob("*.toml"))}


def read_lesson(path) -> Lesson:
    """Read and check a lesson's file; LessonError names every mistake."""
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LessonError(Problem(path.name, "", f"cannot be read: {error}")) from None
    return _Reader(path.name, table).lesson(path.stem)


class _Reader:
    """Reads one lesson and collects its mistakes."""

    def __init__(self, file, table):
        self.file, self.table, self.problems = file, table, []

    def lesson(self, key):
        table = self.table
        texts = {name: self._text(table, name) for name in ("title", "goal", "chart")}
        minutes = table.get("minutes")
        if not isinstance(minutes, int) or not 5 <= minutes <= 120:
            self._wrong("minutes", minutes, "whole minutes from 5 to 120")
        scenario = self._scenario("scenario", table.get("scenario"))
        cases = {case.key: case for case in self._cases(scenario)}
        answers = {answer.key: answer for answer in self._answers(cases)}
        steps = {step: self._table(step) for step in STEPS}
        concept = self._table("concept")
        shows = {
            step: tuple(self._known(f"{step}.show", each, answers) for each in steps[step].get("show", ()))
            for step in ("see", "opposite")
        }
        questions = tuple(
            self._question(f"predict.question[{at}]", row, answers)
            for at, row in enumerate(steps["predict"].get("question", ()), 1)
        )
        if not questions:
            self._wrong("predict.question", None, "at least one question")
        debrief = tuple(steps["debrief"].get("questions", ()))
        if not debrief or not all(isinstance(each, str) for each in debrief):
            self._wrong("debrief.questions", None, "at least one question, each a text")
        found = Lesson(
            key=key,
            **texts,
            minutes=minutes,
            scenario=scenario,
            levers=self._levers(),
            concept=self._text(concept, "name", "concept"),
            concept_text=self._text(concept, "text", "concept"),
            texts={step: self._text(steps[step], "text", step) for step in STEPS},
            shows=shows,
            questions=questions,
            debrief=debrief,
            cases=cases,
            answers=answers,
            opposite=self._known("opposite.case", steps["opposite"].get("case"), cases),
            sketch=self._sketch(steps["predict"].get("sketch"), cases),
        )
        self._unknown(
            table,
            "",
            {"title", "goal", "minutes", "scenario", "chart", "levers", "concept", "case", "answer", *STEPS},
        )
        if self.problems:
            raise LessonError(*self.problems)
        return found

    def _levers(self):
        levers = self.table.get("levers", ())
        if not FEWEST_LEVERS <= len(levers) <= MOST_LEVERS:
            self._wrong("levers", len(levers), f"{FEWEST_LEVERS} to {MOST_LEVERS} of them")
        for path in levers:
            self._known("levers", path, default_vocabulary().paths)
        return tuple(levers)

    def _cases(self, scenario):
        rows = self.table.get("case", ())
        if len(rows) < 2:
            self._wrong("case", len(rows), "at least two")
        seen = set()
        for at, row in enumerate(rows, 1):
            where = f"case[{at}]"
            self._unknown(row, where, {"key", "title", "scenario", "set", "event"})
            name = self._scenario(f"{where}.scenario", row.get("scenario", scenario))
            case = Case(
                self._fresh(where, row, seen),
                self._text(row, "title", where),
                name,
                tuple(sorted(row.get("set", {}).items())),
                tuple(tuple(event.items()) for event in row.get("event", ())),
            )
            self._playable(where, case)
            yield case

    def _playable(self, where, case):
        if case.scenario in library():
            try:
                scenario_of(case.state())
            except BadInput as error:
                self.problems += [
                    Problem(self.file, f"{where}: {each.key}", each.message, each.value, each.allowed)
                    for each in error.problems
                ]

    def _answers(self, cases):
        seen = set()
        for at, row in enumerate(self.table.get("answer", ()), 1):
            where, kind = f"answer[{at}]", row.get("kind")
            key, title = self._fresh(where, row, seen), self._text(row, "title", where)
            if kind not in KINDS:
                self._wrong(f"{where}.kind", kind, "one of " + ", ".join(KINDS))
                continue
            needed, allowed = KINDS[kind]
            rule = {name: value for name, value in row.items() if name not in ("key", "title", "kind")}
            for name in sorted(needed - rule.keys()):
                self.problems.append(Problem(self.file, f"{where}.{name}", "missing"))
            self._unknown(rule, where, needed | allowed)
            for name in {"case", "against"} & rule.keys():
                self._known(f"{where}.{name}", rule[name], cases)
            self._measure(where, kind, rule)
            yield Answer(key, title, kind, rule)

    def _measure(self, where, kind, rule):
        if kind == "formula" and {"formula", "arguments"} <= rule.keys():
            self._known(f"{where}.formula", rule["formula"], FORMULAS)
            if rule["formula"] in FORMULAS:
                try:
                    FORMULAS[rule["formula"]](**rule["arguments"])
                except TypeError as error:
                    self.problems.append(Problem(self.file, f"{where}.arguments", str(error)))
        elif kind in ("mean", "ratio") and "measure" in rule:
            self._known(f"{where}.measure", rule["measure"], default_vocabulary().measures)
        elif kind in ("share", "difference") and "measure" in rule:
            word, _, party = str(rule["measure"]).partition(":")
            names = {name for group in default_vocabulary().agents("end_2025").values() for name in group}
            if rule["measure"] != ANY and (
                word not in ("missed", "distressed", "default", "trap") or party not in names
            ):
                self._wrong(f"{where}.measure", rule["measure"], "such as default:OpenAI, or any default")

    def _sketch(self, row, cases):
        where = "predict.sketch"
        if row is None:
            return None
        self._unknown(row, where, {"text", "case", "against", "measure", "low", "high"})
        names = [self._known(f"{where}.{name}", row.get(name), cases) for name in ("case", "against")]
        measure = self._known(f"{where}.measure", row.get("measure"), default_vocabulary().measures)
        low, high = row.get("low", 0.0), row.get("high", 100.0)
        if not _is_number(low) or not _is_number(high) or not low < high:
            self._wrong(f"{where}.low", low, "a number below high")
        return Sketch(self._text(row, "text", where), *names, measure, low, high)

    def _question(self, where, row, answers):
        self._unknown(row, where, {"kind", "text", "answer", "choices", "low", "high"})
        kind, text = row.get("kind"), self._text(row, "text", where)
        answer = self._known(f"{where}.answer", row.get("answer"), answers)
        choices = tuple(row.get("choices", ()))
        low, high = row.get("low", 0.0), row.get("high", 100.0)
        if kind == "choice":
            if len(choices) != 3:
                self._wrong(f"{where}.choices", len(choices), "three: it falls, it stays, it rises")
            if answer in answers and answers[answer].kind != "difference":
                self._wrong(f"{where}.answer", answer, "an answer of the kind difference")
        elif kind == "number":
            if not _is_number(low) or not _is_number(high) or not low < high:
                self._wrong(f"{where}.low", low, "a number below high")
        else:
            self._wrong(f"{where}.kind", kind, "number or choice")
        return Question(kind, text, answer, choices, low, high)

    def _fresh(self, where, row, seen):
        key = self._text(row, "key", where)
        if key in seen:
            self._wrong(f"{where}.key", key, "a key that is not taken")
        seen.add(key)
        return key

    def _scenario(self, where, name):
        return self._known(where, name, library())

    def _table(self, name):
        found = self.table.get(name)
        if not isinstance(found, dict):
            self.problems.append(Problem(self.file, name, "missing"))
            return {}
        return found

    def _text(self, table, name, where=""):
        value, key = table.get(name), f"{where}.{name}" if where else name
        if not isinstance(value, str) or not value.strip():
            self._wrong(key, value, "a text")
            return ""
        return value.strip()

    def _known(self, where, name, known):
        if name not in known:
            near = nearest_name(name, list(known)) if isinstance(name, str) else ""
            self.problems.append(Problem(self.file, where, "unknown", repr(name), nearest=near))
            return ""
        return name

    def _unknown(self, table, where, known):
        for name in table:
            if name not in known:
                key = f"{where}.{name}" if where else name
                self.problems.append(
                    Problem(self.file, key, "unknown key", nearest=nearest_name(name, known))
                )

    def _wrong(self, key, value, allowed):
        message = "missing" if value is None else "not allowed"
        self.problems.append(Problem(self.file, key, message, "" if value is None else repr(value), allowed))


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def blocks(text):
    """Give a lesson's text as blocks of runs: [[{"text", "strong"}]]. The page writes them as text, never as HTML."""
    found = []
    for paragraph in text.split("\n\n"):
        parts = " ".join(paragraph.split()).split("**")
        found.append([{"text": part, "strong": at % 2 == 1} for at, part in enumerate(parts) if part])
    return found


def _unit_of(measure):
    """The unit that the model declares for a recorded measure."""
    return _units().get(measure, "")


@functools.cache
def _units():
    results = simulate(load("baseline"), 1, 1, 1)
    return {name: series.units[0] for name, series in results.measures.items()}
