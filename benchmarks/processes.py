"""Measuring in a process of its own: nothing that another benchmark loaded, cached or allocated is in the way."""

import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import process_time

clock = process_time  # of the processor: what else runs on a shared machine is not counted, and all is single-threaded


def in_own_process(function, *arguments):
    """Call a function in a fresh interpreter and give what it returns."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak_memory():
    """Give the most memory that this process has held so far, in MB.

    Linux counts it per program in /proc; ``getrusage`` would also count the process that started this one, since
    its high-water mark survives the start of a new program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
