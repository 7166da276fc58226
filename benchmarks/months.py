"""What a month costs: at several numbers of worlds, with and without recording, and rule by rule."""

import ast
import inspect
import statistics
import sys
import textwrap

from benchmarks.processes import clock


def new_model(worlds, months, record=True):
    """Give the model of the baseline, before its first month; it keeps no story, as most chunks of a run."""
    from model import DebtTrapModel
    from scenarios import load

    model = DebtTrapModel(worlds=worlds, rng=1, months=months, setting=load("baseline"), record=record)
    model.history.story = None
    return model


def seconds_of_months(model, months):
    """Play some months and give how long each took, in seconds."""
    seconds = []
    for _ in range(months):
        began = clock()
        model.step()
        seconds.append(clock() - began)
    return seconds


def seconds_of_yardstick(steps=100_000):
    """Give the seconds of so many steps of Python and nothing else: the pace of the machine at this moment."""
    began, total = clock(), 0
    for number in range(steps):
        total += number
    return clock() - began


def cost_of_months(widths, months):
    """Give the median cost of a month at each number of worlds, with recording and without, in ms.

    The two take turns, several times where a month is short; between them the pace of the machine is taken.
    """
    rows = []
    for worlds in widths:
        seconds, pace = {True: [], False: []}, []
        for _ in range(max(1, min(3, 2048 // worlds))):
            for record, kept in seconds.items():
                kept += seconds_of_months(new_model(worlds, months, record), months)
                pace += [seconds_of_yardstick() for _ in range(5)]
        recorded, bare = (1e3 * statistics.median(seconds[record]) for record in (True, False))
        row = {"worlds": worlds, "ms_recorded": recorded, "ms_bare": bare}
        row["ms_yardstick"] = 1e3 * statistics.median(pace)
        rows.append(row | {"us_per_world": 1e3 * recorded / worlds})
    return rows


def whole_run(worlds, months):
    """Give the ms of building a model, and of the mean month of a whole recorded run."""
    began = clock()
    model = new_model(worlds, months)
    building = clock() - began
    return 1e3 * building, 1e3 * sum(seconds_of_months(model, months)) / months


class StopWatch:
    """Adds up the time between calls of ``lap``, by name."""

    def __init__(self):
        self.seconds, self.last = {}, 0.0

    def start(self):
        self.last = clock()

    def lap(self, name):
        now = clock()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self.last
        self.last = clock()


def timed_step(step, watch):
    """Give a copy of a method that takes the time of each of its statements, compiled from its source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(step)))
    body = tree.body[0].body
    timed = [*ast.parse("watch.start()").body]
    for statement in body[1:] if ast.get_docstring(tree.body[0]) else body:
        timed += [statement, *ast.parse(f"watch.lap({ast.unparse(statement)!r})").body]
    tree.body[0].body = timed
    names = dict(vars(sys.modules[step.__module__])) | {"watch": watch}
    exec(compile(ast.fix_missing_locations(tree), f"<timed {step.__qualname__}>", "exec"), names)
    return names[step.__name__]


def cost_of_rules(worlds, months):
    """Give what each line of the month costs, the dearest first: its words, ms a month, share of the month."""
    from model import DebtTrapModel
    from scenarios import load

    watch = StopWatch()
    timed = type("TimedModel", (DebtTrapModel,), {"step": timed_step(DebtTrapModel.step, watch)})
    model = timed(worlds=worlds, rng=1, months=months, setting=load("baseline"))
    model.history.story = None
    for _ in range(months):
        model.step()
    whole = sum(watch.seconds.values())
    rows = [
        {"rule": rule.removeprefix("self."), "ms": 1e3 * seconds / months, "share": seconds / whole}
        for rule, seconds in watch.seconds.items()
    ]
    return sorted(rows, key=lambda row: -row["ms"])
