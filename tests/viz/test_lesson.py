"""Lessons: every mistake of a file is named, and every number in one is what the model says."""

import json
from dataclasses import replace

import pytest

from scenarios.experiments import textbook
from viz import lesson as module
from viz.answers import (
    Range,
    direction,
    evaluate,
    hashes,
    judge,
    play,
    prediction,
    ranges,
    refresh,
    stored_answers,
)
from viz.lesson import SEEDS, LessonError, blocks, lessons, read_lesson
from viz.runs import compute


def test_the_three_lessons_are_there_with_their_levers_cases_and_steps():
    assert list(lessons()) == ["L2", "L3", "L5"]
    for lesson in lessons().values():
        assert 3 <= len(lesson.levers) <= 5
        assert set(lesson.texts) == {"predict", "run", "see", "debrief", "opposite"}
        assert lesson.questions and lesson.debrief and lesson.opposite in lesson.cases


def test_a_case_is_a_state_of_the_page():
    low = lessons()["L2"].cases["low"]
    state = low.state()
    assert (state.seed, state.worlds) == (101, 64)
    assert dict(state.sets) == {"openai.floor_share": 0.2}
    assert dict(state.events[0])["kind"] == "demand_shock"


# -- the textbook ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fixed_share", "degree"), [(0.2, 1.8), (0.5, 3.0), (0.8, 4.2)])
def test_operating_leverage_at_a_margin_of_a_fifth(fixed_share, degree):
    assert textbook.degree_of_operating_leverage(0.2, fixed_share) == pytest.approx(degree)
    sales, margin = 100.0, 20.0
    fixed = fixed_share * (sales - margin)
    variable = (sales - margin - fixed) / sales
    after = 0.9 * sales * (1.0 - variable) - fixed
    assert textbook.fall_of_profit(0.2, fixed_share, 0.1) == pytest.approx(1.0 - after / margin)


@pytest.mark.parametrize(("years", "left"), [(7, 54.1), (10, 60.4), (15, 65.0)])
def test_what_is_left_of_a_loan_is_what_its_schedule_says(years, left):
    assert round(textbook.balance_left(70.0, 0.09, years, 2), 1) == left
    owed, payment = 70.0, 70.0 * 0.09 / (1.0 - 1.09**-years)
    for _ in range(2):
        owed = owed * 1.09 - payment
    assert textbook.balance_left(70.0, 0.09, years, 2) == pytest.approx(owed)
    assert textbook.balance_left(70.0, 0.09, years, years) == pytest.approx(0.0)


# -- stored answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["L2", "L3", "L5"])
def test_stored_answers_belong_to_the_lesson_as_it_is(key):
    lesson, stored = lessons()[key], stored_answers()[key]
    assert stored["hashes"] == hashes(lesson), "refresh the lessons: python run.py lessons --refresh"
    assert stored["seeds"] == list(SEEDS)
    assert set(stored["values"]) == set(lesson.answers)
    assert all(len(values) == len(SEEDS) for values in stored["values"].values())
    assert set(ranges(lesson)) == set(lesson.answers)


@pytest.mark.parametrize("key", ["L2", "L3", "L5"])
def test_stored_answers_equal_a_fresh_computation(key):
    """Two cases of each lesson, with the first seed of a class."""
    lesson, stored = lessons()[key], stored_answers()[key]
    two, runs = list(lesson.cases)[:2], {}
    for name in two:
        runs[name] = compute(lesson.cases[name].state(worlds=stored["worlds"])).results
    asked = {
        name: answer
        for name, answer in lesson.answers.items()
        if {answer.rule.get("case", two[0]), answer.rule.get("against", two[0])} <= set(two)
    }
    fresh = evaluate(replace(lesson, answers=asked), lambda case: runs[case.key])
    assert len(fresh) >= 4
    for name, value in fresh.items():
        assert stored["values"][name][0] == value, (name, "refresh the lessons")


def test_refreshing_writes_what_was_played(tmp_path):
    file = tmp_path / "answers.json"
    refresh(["L3"], seeds=(102,), file=file, worlds=2, months=6)
    stored, lesson = json.loads(file.read_text())["L3"], lessons()["L3"]
    assert (stored["worlds"], stored["months"], stored["seeds"]) == (2, 6, [102])
    assert stored["hashes"] == hashes(lesson)
    again = play(lesson, 102, 2, 6)
    assert {name: values[0] for name, values in stored["values"].items()} == again
    assert not list(tmp_path.glob("*.part"))


# -- predictions -------------------------------------------------------------------------------------------------


def test_predictions_are_numbers_in_range_or_one_of_three():
    number, choice = lessons()["L5"].questions[0], lessons()["L5"].questions[2]
    assert prediction(number, "60.4") == 60.4
    assert prediction(choice, 2) == 2
    for bad in ("", "seventy", "71", "-1", "nan", None, "1e999"):
        assert prediction(number, bad) is None
    for bad in ("3", "0.5", "falls", None):
        assert prediction(choice, bad) is None


def test_a_prediction_is_judged_by_the_range_of_a_class():
    lesson = lessons()["L5"]
    number, choice = lesson.questions[0], lesson.questions[2]
    exact = Range(60.37, 60.37, 60.37)
    assert judge(lesson, number, 60.4, exact)[0]
    assert not judge(lesson, number, 50.0, exact)[0]
    assert "60.4" in judge(lesson, number, 50.0, exact)[1]
    rises, falls = Range(0.1, 0.4, 0.6), Range(-0.6, -0.4, -0.1)
    assert judge(lesson, choice, 2, rises)[0] and not judge(lesson, choice, 0, rises)[0]
    assert judge(lesson, choice, 0, falls)[0]


def test_a_sign_that_hangs_on_the_seed_is_no_direction():
    assert direction(Range(0.05, 0.1, 0.2)) == 2
    assert direction(Range(-0.2, -0.1, -0.05)) == 0
    assert direction(Range(-0.05, 0.1, 0.2)) == 1
    assert direction(Range(0.0, 0.01, 0.019)) == 1


def test_texts_become_runs_of_plain_text():
    assert blocks("One **two** three.\n\n<b>Four</b>") == [
        [
            {"text": "One ", "strong": False},
            {"text": "two", "strong": True},
            {"text": " three.", "strong": False},
        ],
        [{"text": "<b>Four</b>", "strong": False}],
    ]


# -- mistakes ----------------------------------------------------------------------------------------------------


def _changed(tmp_path, old, new):
    text = (module.FOLDER / "L5.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "bad.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('goal = "See', 'gaol = "See', "gaol: unknown key; did you mean goal?"),
        ("minutes = 45", "minutes = 0", "minutes = 0: not allowed"),
        ('scenario = "supercluster_24_months"\nchart', 'scenario = "supercluster"\nchart', "scenario = "),
        ('"demand.usage_elasticity", "compute', '"demand.usage_elasticty", "compute', "usage_elasticity"),
        (
            '"compute_market.architecture_hit", "infrastructure_partner.liquidation_value",\n    "halls.hall_term",',
            '"halls.hall_term",',
            "3 to 5 of them",
        ),
        ('set = { "demand.usage_elasticity" = 2.2 }', 'set = { "demand.usage_elasticity" = 22 }', "0 to 2.5"),
        ('answer = "debt_left"', 'answer = "debt_lost"', "debt_left"),
        ('choices = ["falls", "stays about the same", "rises"]', 'choices = ["up"]', "three"),
        ('kind = "number"', 'kind = "figure"', "number or choice"),
        ('measure = "default:CoreWeave"', 'measure = "default:CoreWave"', "such as default:OpenAI"),
        ('formula = "balance_left"', 'formula = "balance"', "balance_left"),
        ("after = 2 }", "before = 2 }", "before"),
        ('case = "inelastic"', 'case = "inelastik"', "inelastic"),
        ('key = "old_rent"', 'key = "debt_left"', "not taken"),
        ('kind = "ratio"', 'kind = "ration"', "one of share"),
        ("title = ", "title ", "cannot be read"),
    ],
)
def test_one_clear_error_per_mistake(old, new, message, tmp_path):
    with pytest.raises(LessonError) as caught:
        read_lesson(_changed(tmp_path, old, new))
    assert message in str(caught.value)
    assert "bad.toml" in str(caught.value)


def test_all_mistakes_are_named_at_once(tmp_path):
    path = tmp_path / "empty.toml"
    path.write_text("")
    with pytest.raises(LessonError) as caught:
        read_lesson(path)
    keys = [problem.key for problem in caught.value.problems]
    assert {"title", "goal", "minutes", "scenario", "levers", "case", "concept", "predict", "see"} <= set(
        keys
    )
