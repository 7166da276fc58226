"""What the runs of a lesson come to: the values of its answers, those of a whole class, and how a prediction compares.

The values over the seeds of a class are played by `refresh` and kept in answers.json, beside what decides them.
"""

import datetime
import functools
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scenarios.experiments.grid import measured
from scenarios.experiments.textbook import FORMULAS
from scenarios.files import version
from scenarios.simulate import simulate
from viz.lesson import FOLDER, MONTHS, SEEDS, WORLDS, lessons
from viz.state import scenario_of

ANSWERS = FOLDER / "answers.json"
SAME = (
    0.02  # a share of worlds: a smaller difference, or one whose sign hangs on the seed, is "about the same"
)
CLOSE = 0.03  # of a question's range: a number this near to the class's counts as right


def evaluate(lesson, runs) -> dict:
    """Give the value of every answer of a lesson, {key: number}; ``runs(case)`` gives the Results of a Case."""
    return {key: _value(lesson, answer, runs) for key, answer in lesson.answers.items()}


def _value(lesson, answer, runs):
    rule = answer.rule
    if answer.kind == "formula":
        return float(FORMULAS[rule["formula"]](**rule["arguments"]))
    results = runs(lesson.cases[rule["case"]])
    if answer.kind == "loss":
        return _loss(results)
    if answer.kind == "share":
        return float(measured(results, rule["measure"]).mean())
    if answer.kind == "mean":
        return _mean(results, rule)
    other = runs(lesson.cases[rule["against"]])
    if answer.kind == "difference":
        both = (measured(each, rule["measure"]) for each in (results, other))
        one, less = both
        return float((one - less).mean())
    return _mean(results, rule) / _mean(other, rule)


def _loss(results):
    table = results.worlds()
    return float(sum(table[name].mean() for name in table.columns if name.startswith("loss:")))


def _mean(results, rule):
    """Mean over worlds of a recorded measure, of one agent or all, in one month or over all."""
    values, agents = results.measure(rule["measure"]), results.measures[rule["measure"]].agents
    if "agent" in rule:
        values = values[:, [agents.index(rule["agent"])]]
    if "month" in rule:
        values = values[[min(rule["month"], len(values)) - 1]]
    return float(values.astype(float).mean())


def play(lesson, seed, worlds=WORLDS, months=MONTHS):
    """Play all cases of a lesson with one seed and give the values of its answers, {key: number}."""

    @functools.cache
    def runs(case):
        return simulate(scenario_of(case.state()), worlds, seed, months)

    return evaluate(lesson, runs)


def hashes(lesson):
    """What decides the results of each case, {case: 16 hex digits}: of another hash stored answers say nothing."""
    return {key: scenario_of(case.state()).hash() for key, case in lesson.cases.items()}


def refresh(keys=(), seeds=SEEDS, file=ANSWERS, note=None, *, worlds=WORLDS, months=MONTHS):
    """Play lessons, by default all, with every seed of a class, and write what their answers came to into a file."""
    stored = stored_answers(file)
    for key in keys or lessons():
        lesson, values = lessons()[key], {}
        for seed in seeds:
            if note is not None:
                note(f"{key}: seed {seed}")
            for name, value in play(lesson, seed, worlds, months).items():
                values.setdefault(name, []).append(value)
        stored[key] = {
            "version": version(),
            "date": datetime.date.today().isoformat(),
            "worlds": worlds,
            "months": months,
            "seeds": list(seeds),
            "hashes": hashes(lesson),
            "values": values,
        }
    written = Path(file).with_suffix(".part")
    written.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(written, file)
    return stored


def stored_answers(file=ANSWERS):
    """Give what the file of answers holds, {lesson: {version, date, worlds, months, seeds, hashes, values}}."""
    file = Path(file)
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


@dataclass(frozen=True)
class Range:
    """What an answer came to over the seeds of a class: 5%, 50% and 95% of them lie below."""

    low: float
    middle: float
    high: float


def ranges(lesson):
    """Give the ranges of a lesson's answers, {key: Range}; empty where they are of another lesson than it is now."""
    stored = _stored().get(lesson.key)
    if stored is None or stored["hashes"] != hashes(lesson):
        return {}
    return {
        key: Range(*(float(each) for each in np.quantile(values, (0.05, 0.5, 0.95))))
        for key, values in stored["values"].items()
        if key in lesson.answers
    }


@functools.cache
def _stored():
    return stored_answers()


def direction(found):
    """Give what a difference does over the seeds of a class: 0 it falls, 1 it stays about the same, 2 it rises."""
    if abs(found.middle) < SAME or found.low < 0.0 < found.high:
        return 1
    return 0 if found.middle < 0.0 else 2


def judge(lesson, question, predicted, found):
    """Say how a prediction compares with a Range: (whether it is right, a sentence)."""
    answer = lesson.answers[question.answer]
    if question.kind == "choice":
        right = direction(found)
        ends = list(dict.fromkeys((answer.words(found.low), answer.words(found.high))))
        return (
            predicted == right,
            f"It {question.choices[right]}: {' to '.join(ends)} over the luck of a class.",
        )
    low, high = answer.entered(found.low), answer.entered(found.high)
    slack = CLOSE * (question.high - question.low)
    right = low - slack <= predicted <= high + slack
    said = answer.words(found.middle)
    if found.high - found.low > 1e-9:
        said = f"{said} in the middle of a class, {answer.words(found.low)} to {answer.words(found.high)}"
    return right, f"{said}."


def prediction(question, given):
    """Give a prediction as a number: a choice by its place, else one in the question's range; None if it is none."""
    try:
        value = float(given)
    except (TypeError, ValueError):
        return None
    if question.kind == "choice":
        return int(value) if value in (0.0, 1.0, 2.0) else None
    return value if math.isfinite(value) and question.low <= value <= question.high else None
