"""Where a process keeps its numbers: in large pages of memory, where the system has them.

A month reads and writes a few megabytes, scattered over thousands of small pages (4 KB) that Python and NumPy have
filled since the process began: more than the processor remembers the places of. In large pages (2 MB) the same bytes,
at the same addresses, are found with a few places. Nothing else changes, so no result does.
"""

import ctypes
import functools
import mmap
import sys

LARGE_PAGE = 2 << 20
"""Bytes of a large page; it begins at a multiple of them."""

_COLLAPSE = 25
"""Linux's advice MADV_COLLAPSE, for which `mmap` has no name."""


def gather_in_large_pages():
    """Ask Linux to move what the process has in memory into large pages, and to keep it so; elsewhere do nothing.

    What is in large pages already costs nothing; the first call takes about a tenth of a second. A system that refuses,
    or is too old to know the advice (before Linux 6.1), leaves everything as it was.
    """
    advise = _advise()
    if advise is None:
        return
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            regions = list(own_regions(maps))
    except OSError:
        return
    for first, last in regions:
        advise(first, last - first, mmap.MADV_HUGEPAGE)
        advise(first, last - first, _COLLAPSE)


def own_regions(maps):
    """Give the addresses (first, last) of the large pages that fit into the process's own memory.

    ``maps``: the lines of `/proc/PID/maps`. Its own are the regions that it may write and that no file stands behind.
    """
    for line in maps:
        addresses, rights, _, _, _, *path = line.split()
        if rights != "rw-p" or path not in ([], ["[heap]"]):
            continue
        first, last = (int(address, 16) for address in addresses.split("-"))
        first, last = -(-first // LARGE_PAGE) * LARGE_PAGE, last // LARGE_PAGE * LARGE_PAGE
        if first < last:
            yield first, last


@functools.cache
def _advise():
    """Give the C library's `madvise`, or None where there is none that knows of large pages."""
    if sys.platform != "linux" or not hasattr(mmap, "MADV_HUGEPAGE"):
        return None
    try:
        advise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return None
    advise.argtypes, advise.restype = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int), ctypes.c_int
    return advise
