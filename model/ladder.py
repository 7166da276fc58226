"""Ladder: contracts and vintages as intervals of months, and the payment schedules of loans.

A rung is live from `start` for `tenor` months unless it was stopped earlier. What is live and what falls due
are closed forms of the interval, so a termination, a renegotiation, a delay or an extension is one masked
assignment, different in each world, and no schedule has to be repaired. Arrays are (rungs, worlds), months
are whole numbers counted from the start of the simulation, worlds are last.
"""

import numpy as np

from model.kernels_contracts import add_due, add_worth, move_starts
from model.sums import total

NEVER = 1_000_000
"""The month in which something stops that does not stop."""


class Ladder:
    """Rungs of contracts, each with its own amount and months in each world.

    Parameters
    ----------
    amount
        What one live month is worth (US$bn a month, GW ...), (rungs, worlds) or what broadcasts to it.
    start
        First live month; may be negative for what began before month 0.
    tenor
        Number of live months, >= 0.
    stopped
        First month in which the rung is no longer live because it was ended; NEVER by default.

    The four attributes of these names are read-only arrays of one shape. They are replaced, never changed in
    place, so an array that was read before stays what it was.
    """

    def __init__(self, amount: np.ndarray, start: np.ndarray, tenor: np.ndarray, stopped: np.ndarray = NEVER):
        months = (np.asarray(value, dtype=np.int64) for value in (start, tenor, stopped))
        amount, start, tenor, stopped = np.broadcast_arrays(np.asarray(amount, dtype=np.float64), *months)
        if amount.ndim != 2:
            raise ValueError(f"a ladder is (rungs, worlds); got shape {amount.shape}")
        if (tenor < 0).any():
            raise ValueError("a tenor cannot be negative")
        # Copies: the arrays become read-only, and the caller's stay the caller's.
        self.replace(amount=amount.copy(), start=start.copy(), tenor=tenor.copy(), stopped=stopped.copy())

    def replace(self, **arrays: np.ndarray) -> None:
        """Take in other amounts, starts, tenors or stops, (rungs, worlds), which become read-only; ends follow.

        A rule that has found the ends itself, min(start + tenor, stopped), gives them as `end`.
        """
        vars(self).update(arrays)
        if "end" not in arrays:
            # The first month that is no longer live; every question is asked of it, so it is kept.
            self.end = arrays["end"] = np.minimum(self.start + self.tenor, self.stopped)
        for array in arrays.values():
            array.setflags(write=False)

    def live(self, month: int) -> np.ndarray:
        """Amount of each rung that is live in `month`, (rungs, worlds), zero where it is not."""
        return np.where((self.start <= month) & (month < self.end), self.amount, 0.0)

    def due_in_all(self, month: int, horizon: np.ndarray) -> np.ndarray:
        """Sum over all rungs of what is due in the months from `month` on, `horizon` (1, worlds) of them: (worlds,)."""
        out = np.empty(self.amount.shape[1])
        add_due(self.amount, self.start, self.end, month, horizon, out)
        return out

    def worth_in_all(self, month: int, worth: np.ndarray) -> np.ndarray:
        """Present value, over all rungs, of what is due in the months from `month` on: (worlds,).

        `worth` (months + 1, worlds): what 1 a month is worth over the first so many of them, 0 in its first row.
        """
        out = np.empty(self.amount.shape[1])
        add_worth(self.amount, self.start, self.end, month, worth, out)
        return out

    def wall(self, month: int, horizon: int) -> np.ndarray:
        """Maturity wall: all rungs' live amount in each coming month, (horizon, worlds).

        For what is shown; the month's own rules ask `due_in_all`.
        """
        wall = np.empty((horizon, self.amount.shape[1]))
        for ahead in range(horizon):
            wall[ahead] = total(self.live(month + ahead))
        return wall

    def stop(self, mask: np.ndarray, month: int) -> None:
        """End the masked rungs: `month` is their first month without. An earlier end stays."""
        self.replace(stopped=np.where(mask, np.minimum(self.stopped, month), self.stopped))

    def delay(self, mask: np.ndarray, months: np.ndarray, month: int, of: np.ndarray | None = None) -> None:
        """Move the start of the masked rungs by `months` >= 0, if it still lies ahead of `month`.

        What has started has started. The tenor is kept: the end moves too, unless it was stopped. `of`: the row
        of mask and months that holds for each rung; without it each rung has its own.

        Raises
        ------
        ValueError
            When a delay is negative.
        """
        start, end = np.empty(self.start.shape, dtype=np.int64), np.empty(self.start.shape, dtype=np.int64)
        shape = len(start) if of is None else len(mask), start.shape[1]
        of = np.arange(len(start)) if of is None else of
        mask, months = _given(mask, bool, shape), _given(months, np.int64, shape)
        if not move_starts(mask, months, of, month, self.start, self.tenor, self.stopped, start, end):
            raise ValueError("a delay cannot be negative")
        self.replace(start=start, end=end)

    def withdraw(self, mask: np.ndarray) -> None:
        """Take the masked rungs back: they are worth nothing in any month."""
        self.replace(amount=np.where(mask, 0.0, self.amount))

    def extend(self, mask: np.ndarray, months: np.ndarray) -> None:
        """Lengthen the tenor of the masked rungs by `months` (shorten, down to nothing, when negative)."""
        longer = np.maximum(self.tenor + np.asarray(months, dtype=np.int64), 0)
        self.replace(tenor=np.where(mask, longer, self.tenor))


def _given(values, dtype, shape):
    """Give what may be one for all rungs or worlds as a block of its own; no copy if it is one already."""
    if getattr(values, "shape", None) == shape and values.dtype == dtype and values.flags.c_contiguous:
        return values
    return np.ascontiguousarray(np.broadcast_to(values, shape), dtype=dtype)


def annuity_factor(monthly_rate: np.ndarray, payments: np.ndarray) -> np.ndarray:
    """Present value of 1 a month for `payments` months, the first a month from now.

    (1 - (1 + r)**-n) / r, and n at a rate of zero; zero when no payment is left.
    """
    monthly_rate = np.asarray(monthly_rate, dtype=np.float64)
    payments = np.maximum(payments, 0)
    discounted, free = -np.expm1(-payments * np.log1p(monthly_rate)), monthly_rate == 0.0
    if free.any():
        return np.where(free, payments, discounted / np.where(free, 1.0, monthly_rate))
    return discounted / monthly_rate


def level_annuity(balance: np.ndarray, monthly_rate: np.ndarray, payments_left: np.ndarray) -> np.ndarray:
    """Level payment, interest and principal together, that repays `balance` in `payments_left` months.

    US$bn a month; finite at a rate of zero; zero when no payment is left.
    """
    some = np.asarray(payments_left) > 0
    return np.where(some, balance / annuity_factor(monthly_rate, np.maximum(payments_left, 1)), 0.0)
