"""The arithmetic of the record, compiled: reading one world out of many blocks at once.

To cut one column out of each of some hundred small blocks takes Python longer than all else that the record does.
Conventions as in agents/kernels.py.
"""

from numba import float64, int64, types, void

from agents.kernels import FLAGS, MONTHS, TABLE, kernel

AT_ONCE = 32
"""How many blocks one call reads; of fewer, the rest are blocks without rows."""


def _read_world(blocks, world, first, out):
    """Write the column `world` of each block ``(rows, worlds)`` into `out` from `first` on, one after the other."""
    at = first
    for block in blocks:
        for row in range(block.shape[0]):
            out[at] = block[row, world]
            at += 1


read_numbers = kernel(void, types.UniTuple(TABLE, AT_ONCE), int64, int64, float64[::1])(_read_world)
read_flags = kernel(void, types.UniTuple(FLAGS, AT_ONCE), int64, int64, float64[::1])(_read_world)
read_months = kernel(void, types.UniTuple(MONTHS, AT_ONCE), int64, int64, float64[::1])(_read_world)
