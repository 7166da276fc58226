"""Sums, powers and ratios whose bits do not depend on how many worlds are computed together.

NumPy's own sums change their order of addition with the width and the memory layout of an array, and its
powers take another code path for one exponent than for many. A world must come out the same alone, in any
batch, on one agent's row or on the block of all agents, so the rules of the model use these forms instead.
Worlds are the last axis everywhere.
"""

import functools

import numpy as np
import scipy.sparse as sparse

from model import kernels


class Adder:
    """A CSR matrix that is applied to many blocks of one shape: `adder @ block`, as SciPy would, without its checks.

    SciPy spends ten times as long on looking at its arguments as on adding up some 40 x 256 numbers, and a month
    adds up some 150 times. Each row's entries are added in their order, as in SciPy, so the bits are the same.
    """

    def __init__(self, matrix: sparse.csr_matrix):
        matrix = sparse.csr_matrix(matrix, dtype=np.float64)
        self.shape = matrix.shape
        self._entries = (matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data)

    def __matmul__(self, block: np.ndarray) -> np.ndarray:
        """Multiply by a (columns, worlds) block: (rows, worlds), float64."""
        block = np.ascontiguousarray(block, dtype=np.float64)
        if block.ndim != 2 or block.shape[0] != self.shape[1]:
            raise ValueError(f"a block of {self.shape[1]} rows is needed, not {block.shape}")
        out = np.empty((self.shape[0], block.shape[1]))
        kernels.add_up(*self._entries, block, out)
        return out


def total(values: np.ndarray) -> np.ndarray:
    """Sum over axis 0, added from the first row to the last in every layout and at every width.

    Parameters
    ----------
    values
        (n, worlds) or (n, m, worlds), in any unit; flags are counted. No rows add up to zero.

    Returns
    -------
    (worlds,) or (m, worlds) in the same unit, float64.

    Raises
    ------
    ValueError
        With one axis there is no telling rows from worlds; more than three are not used in the model.
    """
    values = np.ascontiguousarray(values, dtype=np.float64)
    if values.ndim == 2:
        out = np.empty(values.shape[1])
        kernels.add_rows(values, out)
        return out
    if values.ndim == 3:
        rows, *rest = values.shape
        return total(values.reshape(rows, rest[0] * rest[1])).reshape(rest)
    raise ValueError(f"total adds up the rows of a 2-d or 3-d array, worlds last; got shape {values.shape}")


def power(base: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """`base ** exponent` for base >= 0, as exp(exponent * log(base)); anything to the power 0 is 1.

    Both may be numbers or arrays that broadcast; the result has the broadcast shape. A negative base gives
    nan, and zero to a negative power inf, as in NumPy.
    """
    base, exponent = np.asarray(base, dtype=np.float64), np.asarray(exponent, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(exponent == 0.0, 1.0, np.exp(exponent * np.log(base)))


def ratio(part: np.ndarray, whole: np.ndarray, otherwise: float = 0.0) -> np.ndarray:
    """`part / whole` where whole is positive, and `otherwise` where there is nothing to divide by."""
    some = np.asarray(whole) > 0.0
    return np.where(some, part / np.where(some, whole, 1.0), otherwise)


def incidence(index: np.ndarray, size: int) -> sparse.csr_matrix:
    """Matrix that adds rows into groups: `incidence(payee, parties) @ paid` is what each party receives.

    Parameters
    ----------
    index
        (n,) whole numbers in [0, size): the group of each row.
    size
        Number of groups. A group without rows receives zero.

    Returns
    -------
    (size, n) CSR matrix of ones. Times an (n, worlds) array it adds each group's rows in their order.

    Raises
    ------
    ValueError
        When an index lies outside [0, size).
    """
    index = np.asarray(index, dtype=np.int64)
    if index.size and (index.min() < 0 or index.max() >= size):
        raise ValueError(f"group numbers must lie in [0, {size})")
    rows = np.arange(index.size)
    return sparse.csr_matrix((np.ones(index.size), (index, rows)), shape=(size, index.size))


def adder_into(index: np.ndarray, size: int) -> Adder:
    """Give `incidence(index, size)` ready for use: `adder @ block` adds rows into groups. Equal ones are made once."""
    return _adder_into(np.asarray(index, dtype=np.int64).tobytes(), size)


@functools.lru_cache(maxsize=128)
def _adder_into(index: bytes, size: int) -> Adder:
    return Adder(incidence(np.frombuffer(index, dtype=np.int64), size))


def spread(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Give each row its group's value: (size, worlds) and (n,) group numbers -> (n, worlds), C order.

    The counterpart of `incidence`: what a party has, seen from each of its contracts.
    """
    return np.take(values, index, axis=0)
