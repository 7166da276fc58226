"""How a kernel is compiled and kept; see `model/kernels.py`."""

from numba import njit


def kernel(*signature):
    """Compile a function for the one signature: first what it gives, then what it takes.

    The machine code is kept beside this file, or in the user's cache directory, and read from there the next
    time; where neither can be read or written it is compiled anew in every process.
    """
    given, *taken = signature

    def compiled(function):
        try:
            return njit(given(*taken), cache=True, error_model="numpy")(function)
        except Exception:  # a cache that cannot be used must not keep the model from running
            return njit(given(*taken), error_model="numpy")(function)

    return compiled
