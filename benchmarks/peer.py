"""Many worlds at once against the usual way: `mesa.batch_run` of the same model, one world per run."""

import statistics
import warnings

from benchmarks.processes import clock, in_own_process, peak_memory


def seconds_of_batch_run(runs, months):
    """Give the seconds that `mesa.batch_run` takes for some runs of one world each, on one processor.

    The model is the same; it collects three numbers a month and keeps no other record, which is less than ours does.
    """
    from mesa import DataCollector, batch_run

    from model import DebtTrapModel
    from scenarios import load

    baseline = load("baseline")

    class OneWorld(DebtTrapModel):
        def __init__(self, rng=None, months=96):
            super().__init__(worlds=1, rng=rng, months=months, setting=baseline, record=False)
            self.datacollector = DataCollector(
                model_reporters={
                    "closed": lambda model: bool(model.openai.closed[0, 0]),
                    "cash": lambda model: float(model.openai.cash[0, 0]),
                    "stress": lambda model: float(model.mechanisms["stress"].index[0, 0]),
                }
            )

        def step(self):
            super().step()
            self.datacollector.collect(self)

    def play(seeds, steps):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return batch_run(
                OneWorld, {"months": [months]}, rng=seeds, max_steps=steps, display_progress=False
            )

    play([0], 1)  # the first run also reads the opening books and imports what is imported late
    began = clock()
    rows = play(list(range(1, runs + 1)), months)
    seconds = clock() - began
    if len(rows) != runs:
        raise RuntimeError(f"batch_run gave {len(rows)} rows for {runs} runs")
    return seconds


def seconds_of_simulate(worlds, months, chunk):
    """Give the seconds that our own way takes for all worlds, with all that it records."""
    from scenarios import load, simulate

    baseline = load("baseline")
    simulate(baseline, 1, months=1)
    began = clock()
    simulate(baseline, worlds, months=months, chunk=chunk)
    return clock() - began


def seconds_by_chunk(worlds, months, sizes, times):
    """Give the seconds of all worlds for each size of the chunks in which they are run: the best of several times."""
    seconds = {}
    for _ in range(times):
        for size in sizes:
            took = in_own_process(seconds_of_simulate, worlds, months, size)
            seconds[size] = min(took, seconds.get(size, took))
    return seconds


def against_batch_run(worlds, months, chunk, runs, rounds):
    """Measure both ways by turns, each time in a process of its own; give worlds a second, and the ratio.

    The ratio is the median over the rounds, with the lowest and the highest.
    """
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(runs / in_own_process(seconds_of_batch_run, runs, months))
        ours.append(worlds / in_own_process(seconds_of_simulate, worlds, months, chunk))
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return {
        "worlds": worlds,
        "months": months,
        "chunk": chunk,
        "batch_runs": runs,
        "rounds": rounds,
        "worlds_per_second": statistics.median(ours),
        "batch_run_worlds_per_second": statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
    }


def memory_of_simulate(worlds, months, chunk):
    """Give the most memory that a run holds, in MB, and how much of it was there before the first world."""
    from scenarios import load, simulate

    baseline = load("baseline")
    simulate(baseline, 1, months=1)
    before = peak_memory()
    results = simulate(baseline, worlds, months=months, chunk=chunk)
    record = sum(block.values.nbytes for piece in results.pieces for block in piece.measures.values())
    return {
        "worlds": worlds,
        "chunk": chunk,
        "mb": peak_memory(),
        "mb_before": before,
        "mb_record": record / 2**20,
    }
