"""`python -m benchmarks`: run all benchmarks, in under three minutes, and print them as tables or as JSON."""

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from time import perf_counter

from benchmarks.floor import against_floor
from benchmarks.months import cost_of_months, cost_of_rules
from benchmarks.peer import against_batch_run, memory_of_simulate, seconds_by_chunk
from benchmarks.processes import in_own_process

AIM_MS = {64: 4.0, 256: 10.0}  # a month of so many worlds with recording
AIM_CALLS = 1800  # NumPy calls and kernels of a month
AIM_RATIO = 40.0  # throughput over that of batch_run
AIM_MB = 1024.0  # peak memory of 1,024 worlds


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    months: int = 96  # of a whole run
    worlds: int = 1024  # of the throughput and the memory
    usual: int = 256  # worlds of the usual run, whose month is looked at closely
    chunks: tuple[int, ...] = (128, 256, 512, 1024)
    widths: tuple[int, ...] = (1, 64, 256, 1024, 4096)
    months_of_chunks: int = 32
    months_of_widths: int = 16
    batch_runs: int = 5
    rounds: int = 3


def measure(sizes, tell=lambda words: None):
    """Run all benchmarks; give their numbers as plain values. ``tell(words)`` hears what is being measured."""
    began = perf_counter()
    tell(f"chunks of {', '.join(map(str, sizes.chunks))} worlds")
    by_chunk = seconds_by_chunk(sizes.worlds, sizes.months_of_chunks, sizes.chunks, times=2)
    best = min(by_chunk, key=by_chunk.get)
    tell(f"mesa.batch_run, {sizes.rounds} x {sizes.batch_runs} runs, by turns with {sizes.worlds} worlds")
    peer = against_batch_run(sizes.worlds, sizes.months, best, sizes.batch_runs, sizes.rounds)
    tell("peak memory")
    memory = [
        in_own_process(memory_of_simulate, sizes.worlds, sizes.months, chunk)
        for chunk in sorted({sizes.usual, sizes.worlds})
    ]
    tell(f"a whole run of {sizes.usual} worlds, and its arithmetic")
    floor = against_floor(sizes.usual, sizes.months, times=3)
    rules = in_own_process(cost_of_rules, sizes.usual, sizes.months)
    tell(f"months of {', '.join(map(str, sizes.widths))} worlds")
    widths = in_own_process(cost_of_months, sizes.widths, sizes.months_of_widths)
    return {
        "machine": machine(),
        "sizes": asdict(sizes),
        "seconds_by_chunk": {str(chunk): seconds for chunk, seconds in by_chunk.items()},
        "throughput": peer,
        "memory": memory,
        "floor": floor,
        "rules": rules,
        "months": widths,
        "seconds": perf_counter() - began,
    }


def machine():
    """Give what the numbers depend on beside the code."""
    import mesa
    import numpy
    import scipy

    versions = {package.__name__: package.__version__ for package in (numpy, scipy, mesa)}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": load,
        "python": platform.python_version(),
        **versions,
    }


def tell(console, facts):
    """Print the numbers as tables that fit 80 columns."""
    host, sizes = facts["machine"], facts["sizes"]
    versions = ", ".join(f"{name} {host[name]}" for name in ("python", "numpy", "scipy", "mesa"))
    busy = "" if host["load"] is None else f", load {host['load']:.1f}"
    console.print("\n[bold]Take or Pay · benchmarks[/], in time of the processor")
    console.print(f"[dim]{host['cores']} cores{busy}; {versions}[/]")
    _tell_throughput(console, facts)
    rows = []
    for row in facts["months"]:
        cost = _ms(row["ms_recorded"], row["ms_bare"], 1e-3 * row["us_per_world"])
        aim = AIM_MS.get(row["worlds"])
        row = f"{row['worlds']:,}", *cost, "" if aim is None else f"{aim:g}", *_ms(row["ms_yardstick"])
        rows.append(row)
    heading = f"A month, median of the first {sizes['months_of_widths']}, ms"
    columns = (
        "worlds",
        "> recorded",
        "> not recorded",
        "> recorded, a world",
        "> aim",
        "> 100,000 steps of Python",
    )
    _table(console, heading, columns, rows)
    rows = [
        (
            f"{r['worlds']:,} worlds, {_chunked(r)}",
            *(f"{r[key]:,.0f}" for key in ("mb", "mb_before", "mb_record")),
        )
        for r in facts["memory"]
    ]
    heading = f"Peak memory, MB (aim: below {AIM_MB:,.0f})"
    _table(console, heading, ("", "> peak", "> before", "> the record"), rows)
    _tell_month(console, facts["floor"])
    rows = [(r["rule"], *_ms(r["ms"]), f"{r['share']:.0%}") for r in facts["rules"][:3]]
    _table(
        console, f"The three dearest rules of {len(facts['rules'])}", ("", "> ms a month", "> share"), rows
    )
    console.print(f"[dim]Measured in {facts['seconds']:.0f} s.[/]\n")


def _tell_throughput(console, facts):
    peer = facts["throughput"]
    rate, other = (peer[key] for key in ("worlds_per_second", "batch_run_worlds_per_second"))
    runs = f"{peer['rounds']} x {peer['batch_runs']} single worlds"
    spread = f"{peer['ratio_low']:.1f} to {peer['ratio_high']:.1f}; aim {AIM_RATIO:.0f}"
    rows = [
        (f"simulate, {peer['rounds']} times in chunks of {peer['chunk']}", f"{rate:,.0f}", ""),
        (f"mesa.batch_run, {runs}", f"{other:,.2f}", ""),
        ("ratio, median of the rounds", f"[bold]{peer['ratio']:.1f}[/]", spread),
    ]
    heading = f"Throughput of {peer['worlds']:,} worlds of {peer['months']} months, on one core"
    _table(console, heading, ("", "> worlds a second", ""), rows)
    rows = [
        (f"{int(chunk):,}", f"{peer['worlds'] / seconds:,.0f}")
        for chunk, seconds in facts["seconds_by_chunk"].items()
    ]
    heading = f"By size of chunk, {facts['sizes']['months_of_chunks']} months, best of two"
    _table(console, heading, ("chunk", "> worlds a second"), rows)


def _tell_month(console, floor):
    made, views = floor["numpy_calls_per_month"], floor["of_which_views"]
    calls = f"{made:,.0f} NumPy calls and kernels ({views:,.0f} views)"
    arithmetic = f"{floor['elements_per_month'] / 1e6:.1f} m elements of {floor['ns_per_element']:.2f} ns"
    to_build = f"building the model, spread over {floor['months']} months"
    rows = [
        ("measured, with recording", *_ms(floor["ms_per_month"]), f"aim of calls {AIM_CALLS:,}"),
        (f"empty: {calls}", *_ms(floor["ms_empty_month"]), f"{floor['ratio_to_empty_month']:.1f} x"),
        (f"arithmetic: {arithmetic}", *_ms(floor["ms_floor"]), f"{floor['ratio_to_floor']:.1f} x"),
        (to_build, *_ms(floor["ms_to_build"] / floor["months"]), ""),
    ]
    heading = f"The mean month of {floor['worlds']} worlds, median of {floor['turns']} turns"
    _table(console, heading, ("", "> ms", "> measured over it"), rows)


def _chunked(row):
    return "one block" if row["chunk"] >= row["worlds"] else f"chunks of {row['chunk']}"


def _ms(*values):
    return [f"{value:,.{3 if value < 1 else 1 if value >= 10 else 2}f}" for value in values]


def _table(console, heading, columns, rows):
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    for name in columns:
        table.add_column(name.removeprefix("> "), justify="right" if name.startswith("> ") else "left")
    for row in rows:
        table.add_row(*row)
    console.print(f"\n[bold]{heading}[/]")
    console.print(table)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for machines instead of tables")
    options = parser.parse_args(arguments)
    facts = measure(Sizes(), tell=lambda words: print(f"measuring: {words}", file=sys.stderr))
    if options.json:
        print(json.dumps(facts, indent=2, allow_nan=False))
    else:
        from rich.console import Console

        tell(Console(highlight=False), facts)


if __name__ == "__main__":
    main()
