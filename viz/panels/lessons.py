"""Lessons: which there are, and the card that leads through one beside its levers.

Predict, then run: the levers and the runs of a lesson open once every question has a prediction. Being wrong costs
nothing; the prediction stays beside what the runs came to.
"""

import json

import solara

from scenarios.cast import cast_of
from viz.answers import Range, evaluate, judge, prediction, ranges
from viz.lesson import SEEDS, STEPS, WORLDS, blocks, lessons
from viz.panels.work import of_session, work_of
from viz.runs import CACHE
from viz.sketch import YEAR
from viz.state import DEFAULT, known_scenario, pin_of

TITLE = "Lessons"
SENTENCE = "Predict, run, see, and ask when the opposite is true"
SKETCH = "sketch"  # among the predictions and the values: what is drawn, and the real curve
YEARS = DEFAULT.months // YEAR
NAMES = {"predict": "Predict", "run": "Run", "see": "See", "debrief": "Debrief", "opposite": "Opposite"}


# -- data ----------------------------------------------------------------------------------------------------


def listed():
    """Give what the list of lessons shows."""
    names = ("title", "goal", "minutes", "concept")
    return [
        {"key": key, **{name: getattr(lesson, name) for name in names}} for key, lesson in lessons().items()
    ]


def asked(lesson, given, cast):
    """Give the questions of a lesson with what was predicted so far, ``given``: {place: number}."""
    return [
        {
            "place": place,
            "kind": question.kind,
            "text": cast.rename(question.text),
            "choices": question.choices,
            "low": question.low,
            "high": question.high,
            "unit": _unit(lesson.answers[question.answer]),
            "given": given.get(place),
        }
        for place, question in enumerate(lesson.questions)
    ]


def _unit(answer):
    return "%" if answer.unit in ("share", "%") else answer.unit


def predicted(lesson, given):
    """Whether every question has a prediction, and what is to be drawn is drawn."""
    return all(place in given for place in range(len(lesson.questions))) and (
        lesson.sketch is None or SKETCH in given
    )


def sketched(lesson, given, real, cast):
    """Give what the card draws of a sketch: its words, what was drawn, and, once it was played, the real curve."""
    if lesson.sketch is None:
        return None
    sketch, drawing = lesson.sketch, given.get(SKETCH)
    return {
        "text": cast.rename(sketch.text),
        "low": sketch.low,
        "high": sketch.high,
        "years": [cast.date(YEAR * year) for year in range(1, YEARS + 1)],
        "given": drawing,
        "real": real,
        "compared": sketch.compared(drawing, real, cast.date) if drawing and real else "",
    }


def outcomes(lesson, step, values, found, cast):
    """Give the rows of what the runs came to, for a step: {title, value, range} of each answer that it shows.

    ``values``: {answer: number} of this class's first seed; ``found``: the ranges over all seeds.
    """
    rows = []
    for key in lesson.shows[step]:
        answer, span = lesson.answers[key], found.get(key)
        rows.append(
            {
                "key": key,
                "title": cast.rename(answer.title),
                "value": answer.words(values[key]),
                "range": f"{answer.words(span.low)} to {answer.words(span.high)}" if span else "",
            }
        )
    return rows


def judged(lesson, given, values, found, cast):
    """Give each prediction beside what came of it: {text, given, right, words}.

    Without stored ranges a prediction is held against this run alone.
    """
    rows = []
    for place, question in enumerate(lesson.questions):
        value = values[question.answer]
        span = found.get(question.answer) or Range(value, value, value)
        right, words = judge(lesson, question, given[place], span)
        said = question.choices[int(given[place])] if question.kind == "choice" else f"{given[place]:g}"
        rows.append({"text": cast.rename(question.text), "given": said, "right": right, "words": words})
    return rows


def cases(lesson, state, cast):
    """Give the cases of a lesson: {key, title, shown}, ``shown`` for the one that the page shows now."""
    now = pin_of(state)
    return [
        {"key": key, "title": cast.rename(case.title), "shown": pin_of(case.state(state.seed)) == now}
        for key, case in lesson.cases.items()
    ]


def run_cases(lesson, report):
    """Play all cases of a lesson with the first seed of a class, and give {answer: number} once all are played.

    Where there is a sketch, its real curve is under `SKETCH`.
    """
    runs, count = {}, len(lesson.cases)
    for place, (key, case) in enumerate(lesson.cases.items()):
        report(place, count)
        runs[key] = CACHE.compute(case.state(), WORLDS, Reported(report, place, count)).results
    values = evaluate(lesson, lambda case: runs[case.key])
    yield values if lesson.sketch is None else values | {SKETCH: lesson.sketch.real(runs)}


class Reported:
    """Stands for the event that a run looks at each month: it is set once the work is to stop."""

    def __init__(self, report, place, count):
        self.report, self.place, self.count = report, place, count

    def is_set(self):
        """Raise what the report raises when the work was stopped; else it is not."""
        self.report(self.place, self.count)
        return False


# -- the list ------------------------------------------------------------------------------------------------


@solara.component_vue("lessons.vue", vuetify=False)
def List(spec="[]", chosen="", event_choose=None):
    """Show the lessons that there are."""


@solara.component_vue("lesson.vue", vuetify=False)
def Card(
    spec="{}",
    progress=-1.0,
    failure="",
    event_predict=None,
    event_run=None,
    event_stop=None,
    event_step=None,
    event_show=None,
    event_leave=None,
):
    """Show one step of a lesson."""


@solara.component
def Panel(session):
    def choose(key):
        lesson = lessons().get(str(key))
        if lesson is not None:
            begin(session, lesson)

    List(spec=json.dumps(listed()), chosen=session.state.value.lesson, event_choose=choose)


def begin(session, lesson):
    """Open a lesson at its first step, in its first case, with the luck of a class."""
    session.change(
        **lesson.first.changes(),
        seed=SEEDS[0],
        months=DEFAULT.months,
        story=0,
        lesson=lesson.key,
        step=0,
        chart=lesson.chart,
        view=DEFAULT.view,
        month=0,
        pins=(),
        panel="",
    )


def is_locked(session):
    """Whether a lesson waits for predictions, so that its levers stay shut."""
    lesson = lessons().get(session.state.value.lesson)
    return lesson is not None and not predicted(lesson, _given(session, lesson).value)


def _given(session, lesson):
    return of_session(session, f"predictions {lesson.key}", lambda: solara.Reactive({}))


@solara.component
def LessonCard(session):
    """The card of the lesson that the state names; nothing where it names none."""
    state = session.state.value
    lesson = lessons().get(state.lesson)
    if lesson is None:
        return solara.Div()
    return Steps(session, lesson).key(lesson.key)


@solara.component
def Steps(session, lesson):
    state = session.state.value
    given, work = _given(session, lesson), work_of(session, f"lesson {lesson.key}")
    cast = cast_of(known_scenario(state.scenario), state.names)
    values, found = work.result.value, solara.use_memo(lambda: ranges(lesson), [lesson.key])
    ready = predicted(lesson, given.value)
    most = 0 if not ready else 1 if values is None else len(STEPS) - 1
    at = min(state.step, most)
    step = STEPS[at]
    spec = {
        "title": lesson.title,
        "goal": lesson.goal,
        "minutes": lesson.minutes,
        "steps": [{"title": NAMES[each], "open": place <= most} for place, each in enumerate(STEPS)],
        "at": at,
        "step": step,
        "text": blocks(cast.rename(lesson.texts[step])),
        "questions": asked(lesson, given.value, cast),
        "sketch": sketched(lesson, given.value, (values or {}).get(SKETCH), cast)
        if step in ("predict", "see", "debrief")
        else None,
        "ready": ready,
        "played": values is not None,
        "cases": cases(lesson, state, cast) if at else [],
        "rows": outcomes(lesson, step, values, found, cast) if step in lesson.shows and values else [],
        "judged": judged(lesson, given.value, values, found, cast) if step == "debrief" and values else [],
        "debrief": [cast.rename(text) for text in lesson.debrief] if step == "debrief" else [],
        "concept": {"name": lesson.concept, "text": blocks(cast.rename(lesson.concept_text))}
        if step == "debrief"
        else None,
        "worlds": WORLDS,
        "seeds": len(SEEDS),
    }

    def predict(message):
        if lesson.sketch is not None and message.get("place") == SKETCH:
            drawing = lesson.sketch.drawn(message.get("value"), YEARS)
            given.set(given.value if drawing is None else {**given.value, SKETCH: drawing})
            return
        try:
            place = int(message["place"])
            question = lesson.questions[place]
        except (IndexError, KeyError, TypeError, ValueError):
            return
        value = prediction(question, message.get("value"))
        kept = {key: each for key, each in given.value.items() if key != place}
        given.set(kept if value is None else {**kept, place: value})

    def run(*_):
        if predicted(lesson, given.value):
            work.start(lambda report: run_cases(lesson, report))
            session.change(step=1)

    def go(place):
        session.change(step=max(0, min(int(place), most)))

    def show(key):
        case = lesson.cases.get(str(key))
        if case is not None:
            others = [each for name, each in lesson.cases.items() if name != case.key]
            pins = tuple(pin_of(each.state(state.seed)) for each in others[:2])
            session.change(**case.changes(), without=(), pins=pins)

    def leave(*_):
        work.stop()
        session.change(lesson="", step=0, pins=())

    Card(
        spec=json.dumps(spec),
        progress=-1.0 if work.progress.value is None else work.progress.value,
        failure=work.failure.value,
        event_predict=predict,
        event_run=run,
        event_stop=lambda *_: work.stop(),
        event_step=go,
        event_show=show,
        event_leave=leave,
    )
