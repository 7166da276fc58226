"""Large pages: which regions of a process they are asked for, and that what lies in them stays as it is."""

import sys

import numpy as np
import pytest

from model.memory import LARGE_PAGE, gather_in_large_pages, own_regions

MAPS = """\
00400000-00a00000 r-xp 00000000 08:02 173521 /usr/bin/python
00a00000-01200000 rw-p 00000000 08:02 173521 /usr/bin/python
01300000-02100000 rw-p 00000000 00:00 0 [heap]
7f0000000000-7f00001ff000 rw-p 00000000 00:00 0
7f0000200000-7f0000400000 rw-p 00000000 00:00 0
7f0000400000-7f0000800000 rw-s 00000000 00:01 99 /dev/shm/shared (deleted)
7f0000800000-7f0000c00000 ---p 00000000 00:00 0
7ffd00000000-7ffd00800000 rw-p 00000000 00:00 0 [stack]
"""


def test_only_whole_large_pages_of_own_memory_are_asked_for():
    heap, block = (0x1400000, 0x2000000), (0x7F0000200000, 0x7F0000400000)
    assert list(own_regions(MAPS.splitlines())) == [heap, block]


def large_pages():
    with open("/proc/self/smaps_rollup") as rollup:
        return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("AnonHugePages"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="large pages are asked of Linux")
def test_what_lies_in_memory_stays_as_it_is():
    numbers = [np.random.default_rng(number).random(LARGE_PAGE // 32) for number in range(64)]
    places, copies = [each.ctypes.data for each in numbers], [each.tobytes() for each in numbers]
    before = large_pages()
    gather_in_large_pages()
    assert large_pages() >= before
    assert [each.ctypes.data for each in numbers] == places
    assert [each.tobytes() for each in numbers] == copies
