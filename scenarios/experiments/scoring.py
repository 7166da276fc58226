"""How good a warning is, and how to count failures when many worlds end without one.

Arrays of this module have no worlds axis of their own: a case is a world, or a world-month.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata


@dataclass(frozen=True)
class Survival:
    """A Kaplan-Meier curve: at each ``month`` the share ``alive`` and its 95% interval ``low`` to ``high``."""

    month: np.ndarray
    alive: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def failed(self):
        """Cumulative probability of failure, ``1 - alive``."""
        return 1.0 - self.alive


def kaplan_meier(month, seen, horizon):
    """Give the survival curve from 0 to ``horizon`` months; those not seen to fail are counted while watched.

    S(t) = product over failures up to t of (1 - failed / at risk); Kaplan and Meier (1958), JASA 53. The interval is
    Greenwood's (1926) on the log-minus-log scale, which stays in [0, 1]; it has no width before the first failure.

    ``month`` ``(cases,)``: when a case failed, or was last seen; ``seen`` ``(cases,)``: whether it failed then. A case
    that is last seen in a month counts as at risk in it.
    """
    month, seen = np.asarray(month), np.asarray(seen, dtype=bool)
    times = np.arange(horizon + 1)
    failed = np.bincount(month[seen & (month <= horizon)].astype(int), minlength=horizon + 1)[: horizon + 1]
    at_risk = month.size - np.searchsorted(np.sort(month), times, side="left")
    kept = 1.0 - failed / np.maximum(at_risk, 1)
    alive = np.cumprod(kept)
    greenwood = np.cumsum(failed / np.maximum(at_risk * np.maximum(at_risk - failed, 1), 1))
    inner = (alive > 0.0) & (alive < 1.0)
    log = np.log(np.where(inner, alive, 0.5))
    reach = 1.959963984540054 * np.sqrt(greenwood) / np.abs(log)
    low, high = np.exp(log * np.exp(reach)), np.exp(log * np.exp(-reach))
    return Survival(times, alive, np.where(inner, low, alive), np.where(inner, high, alive))


def auroc(signal, crisis):
    """Give the area under the receiver operating curve, 0 to 1: the chance that a case before a crisis has the
    higher signal of two, ties counted as half (Mann and Whitney 1947). ``nan`` where all cases are alike.

    ``signal`` ``(cases,)`` in any unit; ``crisis`` ``(cases,)``: whether a crisis follows within the horizon.
    """
    crisis = np.asarray(crisis, dtype=bool)
    before, quiet = int(crisis.sum()), int((~crisis).sum())
    if not before or not quiet:
        return float("nan")
    ranks = rankdata(signal)
    return float((ranks[crisis].sum() - before * (before + 1) / 2) / (before * quiet))


def relative_usefulness(signal, crisis, threshold, missing):
    """Give what acting on ``signal > threshold`` is worth, 1 for a perfect signal, 0 for no better than ignoring it.

    loss = m P1 T1 + (1 - m) P2 T2;  U = 1 - loss / min(m P1, (1 - m) P2), with m the weight of a missed crisis
    against a false alarm, P1 and P2 the shares of cases before a crisis and not, T1 the share of crises missed, T2 of
    quiet cases alarmed. Alessi and Detken (2011), European Journal of Political Economy 27; Sarlin (2013), ECB WP
    1509. ``nan`` where all cases are alike.
    """
    crisis, alarm = np.asarray(crisis, dtype=bool), np.asarray(signal) > threshold
    if crisis.all() or not crisis.any():
        return float("nan")
    share = crisis.mean()
    missed, false = (~alarm[crisis]).mean(), alarm[~crisis].mean()
    loss = missing * share * missed + (1.0 - missing) * (1.0 - share) * false
    return float(1.0 - loss / min(missing * share, (1.0 - missing) * (1.0 - share)))
