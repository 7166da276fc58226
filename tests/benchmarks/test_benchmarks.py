"""The benchmarks run and count rightly; how fast anything is, no test says."""

import ast
import json
import math

import numpy as np
import pytest
from rich.console import Console

from benchmarks import __main__ as benchmarks
from benchmarks import floor, peer
from benchmarks.floor import TALLY, Counting, Tally, count_calls, seconds_of_calls, seconds_of_element
from benchmarks.months import StopWatch, new_model, seconds_of_months, timed_step
from benchmarks.processes import in_own_process, peak_memory
from model import kernels
from model.sums import Adder, incidence

TINY = benchmarks.Sizes(
    months=3,
    worlds=6,
    usual=4,
    chunks=(2, 6),
    widths=(1, 4),
    months_of_chunks=2,
    months_of_widths=2,
    batch_runs=2,
    rounds=1,
)


ALONE = ("seconds_of_batch_run", "count_calls")  # they change the process they are in


def mostly_here(function, *arguments):
    """Measure in this process what does not change it: starting one takes longer than all that is measured here."""
    return in_own_process(function, *arguments) if function.__name__ in ALONE else function(*arguments)


@pytest.fixture(scope="module")
def facts():
    """All benchmarks, with as little as possible to measure."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmarks, "in_own_process", mostly_here)
        patch.setattr(peer, "in_own_process", mostly_here)
        patch.setattr(floor, "in_own_process", mostly_here)
        return benchmarks.measure(TINY)


def numbers(value, path=""):
    """Every number in nested lists and dictionaries, with its path."""
    if isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in items:
            yield from numbers(each, f"{path}.{key}")
    elif isinstance(value, int | float):
        yield path, value


def test_every_number_is_finite_and_positive(facts):
    found = dict(numbers({key: value for key, value in facts.items() if key != "machine"}))
    assert len(found) > 60
    assert not {path: value for path, value in found.items() if not (math.isfinite(value) and value > 0)}
    json.dumps(facts, allow_nan=False)


def test_what_is_measured_is_what_was_asked_for(facts):
    assert [row["worlds"] for row in facts["months"]] == [1, 4]
    assert [row["worlds"] for row in facts["memory"]] == [6] * len(facts["memory"])
    assert facts["throughput"]["chunk"] in TINY.chunks
    assert (
        facts["throughput"]["ratio_low"] <= facts["throughput"]["ratio"] <= facts["throughput"]["ratio_high"]
    )
    assert sum(row["share"] for row in facts["rules"]) == pytest.approx(1.0)
    assert {"ledger.settle()", "decide()"} <= {row["rule"] for row in facts["rules"]}
    month = facts["floor"]
    assert 0 < month["of_which_views"] < month["numpy_calls_per_month"] < month["elements_per_month"]


def test_it_is_told_in_80_columns(facts):
    console = Console(width=80, highlight=False)
    with console.capture() as told:
        benchmarks.tell(console, facts)
    text = told.get()
    assert max(map(len, text.splitlines())) <= 80
    for words in ("mesa.batch_run", "Peak memory", "NumPy calls", "dearest rules", "one block"):
        assert words in text


def test_json_is_all_that_is_printed(monkeypatch, capsys, facts):
    monkeypatch.setattr(benchmarks, "measure", lambda sizes, tell: facts)
    benchmarks.main(["--json"])
    assert json.loads(capsys.readouterr().out)["floor"] == facts["floor"]


# -- counting ------------------------------------------------------------------------------------------------


def counted(source, **names):
    """Run a text that counts its NumPy calls; give the elements of each, and the names that it sets."""
    tally = Tally()
    tree = ast.fix_missing_locations(Counting().visit(ast.parse(source)))
    names |= {TALLY: tally, "np": np}
    exec(compile(tree, "<counted>", "exec"), names)
    return tally.months[-1], names


BLOCK = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    ("source", "elements"),
    [
        ("c = a + 1.0", [12]),
        ("c = -a * a[0]", [12, 0, 12]),
        ("c = ~(a > 2.0) & True", [12, 12, 12]),
        ("c = a.T.reshape(3, 4)", [12]),  # the transpose is an attribute; to reshape it copies
        ("c = a[:, None, 1:]", [0]),
        ("c = a[[0, 2]]", [8]),
        ("c = a[a > 100.0]", [12, 0]),
        ("c = np.where(a > 2.0, a, 0.0)", [12, 12]),
        ("c = a.max(axis=0)", [12]),
        ("c = np.vstack([a[0], a])", [0, 16]),
        ("c = np.ascontiguousarray(a)", [0]),
        ("c = np.minimum.accumulate(a)", [12]),
        ("c = a.copy(); c += a; c[1] = 7.0; c[:2] = a[:2]", [12, 12, 1, 0, 8]),
        ("c = sum(range(3)) + len('abc') * 2 - {'x': 1}['x']", []),
        ("c = [x for x in a if x[0] > 3.0]", [1, 1, 1, 1, 1, 1]),
        ("def f(x: int | None = None) -> dict[str, int]: return x\nc = f(a)", []),
    ],
)
def test_calls_and_their_elements_are_counted(source, elements):
    calls, names = counted(source, a=BLOCK.copy())
    assert calls == elements
    plain = {"a": BLOCK.copy(), "np": np}
    exec(source, plain)
    assert np.array_equal(names["c"], plain["c"])


def test_a_sparse_sum_is_one_call_and_counts_its_additions():
    starts, columns, weights = np.array([0, 2, 5]), np.array([0, 3, 1, 2, 4]), np.ones(5)
    block, out, tally = np.ones((5, 4)), np.empty((2, 4)), Tally()
    tally.call(kernels.add_up, starts, columns, weights, block, out)
    assert tally.months[-1] == [5 * 4]
    assert np.array_equal(out, Adder(incidence([0, 1, 1, 0, 1], 2)) @ block)


def test_a_kernel_is_one_call_and_counts_the_blocks_it_goes_through():
    rows, block, change, tally = np.arange(3), np.ones((5, 4)), np.ones((3, 4)), Tally()
    tally.call(kernels.gain_by_bills, rows, rows, rows, change, change, change, block)
    assert tally.months[-1] == [3 * 12 + 20]


def test_counting_changes_no_result():
    """The real model, rewritten: every month has calls, and comes out the same bit for bit."""
    calls, stress = in_own_process(count_calls, 5, 4)
    model = new_model(5, 4)
    seconds_of_months(model, 4)
    assert model.history.measure("stress.index").tolist() == stress
    assert len(calls) == 4
    assert min(map(len, calls)) > 500


def test_an_empty_month_of_more_calls_takes_longer():
    few, many = seconds_of_calls([0, 64], 5), seconds_of_calls([0, 64] * 1000, 5)
    assert 0.0 < few < many
    assert seconds_of_element(size=64, times=5) > 0.0


# -- time and memory -----------------------------------------------------------------------------------------


class Counter:
    """Something with a step of several statements."""

    def __init__(self):
        self.done = []

    def step(self):
        """Do three things."""
        self.done.append("one")
        for name in ("two", "three"):
            self.done.append(name)


def test_each_statement_of_a_step_is_timed():
    watch, counter = StopWatch(), Counter()
    timed_step(Counter.step, watch)(counter)
    assert counter.done == ["one", "two", "three"]
    first, second = watch.seconds
    assert first == "self.done.append('one')"
    assert second.startswith("for name in")
    assert all(seconds > 0.0 for seconds in watch.seconds.values())


def memory_of_a_large_array():
    before = peak_memory()
    return before, np.ones(16_000_000).size, peak_memory()


def test_peak_memory_is_that_of_the_process_alone():
    here = np.ones(32_000_000)  # 256 MB that the other process does not have
    before, size, after = in_own_process(memory_of_a_large_array)
    assert here.nbytes / 2**20 > 200
    assert before < peak_memory() - 150
    assert 0.9 * 8 * size / 2**20 < after - before < 2.0 * 8 * size / 2**20
