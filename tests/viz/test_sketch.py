"""A prediction that is drawn: what is accepted of it, the curve that it is held against, and its file."""

import numpy as np
import pytest

from viz.lesson import FOLDER, LessonError, lessons, read_lesson
from viz.panels import lessons as panel
from viz.runs import compute
from viz.sketch import Sketch
from viz.views.idle import paid_and_used

FLAT = [100.0] * 8


@pytest.fixture(scope="module")
def sketch():
    return lessons()["L5"].sketch


def test_a_drawing_is_a_number_a_year_within_what_can_be_drawn(sketch):
    assert sketch.drawn(["100", 50, 0, 120, 1, 2, 3, 4], 8) == [100.0, 50.0, 0.0, 120.0, 1.0, 2.0, 3.0, 4.0]
    for wrong in (
        None,
        "12345678",
        FLAT[1:],
        [*FLAT[1:], 121],
        [*FLAT[1:], "x"],
        [*FLAT[1:], float("nan")],
        8,
    ):
        assert sketch.drawn(wrong, 8) is None


def test_the_real_curve_is_that_of_the_two_runs(sketch):
    cases = lessons()["L5"].cases
    runs = {key: compute(cases[key].state(worlds=4, months=48)).results for key in ("breakthrough", "calm")}
    real = sketch.real(runs)
    old, calm = (runs[key].measure("compute_market.old_rent")[:, 0].mean(axis=-1) for key in runs)
    assert len(real) == 48
    np.testing.assert_allclose(real, 100.0 * old / calm)
    assert real[32] < 0.5 * real[31], "the breakthrough of month 33 shows in that month"


def test_the_largest_gap_is_named(sketch):
    real = [100.0] * 96
    assert "within a twentieth" in sketch.compared(FLAT, real, str)
    assert sketch.compared([100, 100, 40, *FLAT[3:]], real, str) == (
        "Farthest apart in 36: you drew 40, the model has 100."
    )


def test_a_lesson_with_a_sketch_opens_only_once_it_is_drawn():
    lesson = lessons()["L5"]
    numbers = dict.fromkeys(range(len(lesson.questions)), 1)
    assert not panel.predicted(lesson, numbers)
    assert panel.predicted(lesson, {**numbers, panel.SKETCH: FLAT})
    assert panel.predicted(lessons()["L3"], dict.fromkeys(range(4), 1))


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (
            'against = "calm"\nmeasure = "compute_market.old_rent"\nlow',
            'against = "clam"\nmeasure = "x"\nlow',
            "sketch",
        ),
        ("low = 0\nhigh = 120", "low = 120\nhigh = 0", "predict.sketch.low"),
        ("low = 0\nhigh = 120", "low = 0\nhigh = 120\ncolour = 1", "predict.sketch.colour"),
    ],
)
def test_mistakes_of_a_sketch_are_named(old, new, word, tmp_path):
    text = (FOLDER / "L5.toml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "L5.toml"
    file.write_text(text.replace(old, new))
    with pytest.raises(LessonError, match=word):
        read_lesson(file)


def test_a_sketch_is_data():
    assert isinstance(lessons()["L5"].sketch, Sketch) and lessons()["L2"].sketch is None


def test_idle_compute_is_what_the_floor_makes_the_lab_pay_for_beyond_its_use():
    """With no floor nothing is paid for that is not used; with a floor of all, all that is under contract is."""
    state = lessons()["L2"].cases["high"].state(worlds=1, months=40)
    for floor in (0.0, 1.0):
        run = compute(state.with_set("openai.floor_share", floor))
        paid, used, available = paid_and_used(run)
        there = np.isfinite(paid)
        assert there[:28].all() and (paid[there] >= used[there]).all()
        if floor == 0.0:
            np.testing.assert_allclose(paid[there], used[there], atol=1e-9)
        else:
            late = slice(24, 28)  # the slump: use falls below what is promised, before the lab gives up
            assert (paid[late] > used[late] + 0.1).all()
            assert (paid[late] <= available[late] + 1e-9).all()
