"""How good a warning is, and how to count failures when many worlds end without one.

Arrays of the statistics have no worlds axis of their own: a case is a world, or a world-month.
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import rankdata

from model.history import NEVER
from scenarios.files import run_hash, version
from scenarios.schema import BadInput, Problem, nearest_name
from scenarios.simulate import simulate


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


# -- the experiment: does stress warn? ---------------------------------------------------------------------------

HORIZONS = (6, 12, 24)
MISSING = (0.5, 0.7, 0.9)
"""Weights of a missed default against a false alarm at which the usefulness of a warning is told."""
SIGNALS = {
    "stress index": ("stress.index", None, 1.0),
    "mean of the readings": ("stress.mean", None, 1.0),
    "runway of the lab, short": ("runway", "OpenAI", -1.0),
}
"""Signal: the recorded measure, whose, and the sign with which more of it warns."""
ANYBODY = "anybody"
RESAMPLES = 200


@dataclass(frozen=True)
class Warning:
    """How well one signal told what was to come: 95% interval ``low`` to ``high`` of the area from worlds drawn anew.

    ``usefulness``: {weight of a missed default: relative usefulness}, at the threshold that was best in the even
    worlds, valued in the odd ones.
    """

    signal: str
    horizon: int
    area: float
    low: float
    high: float
    usefulness: dict[float, float]
    cases: int
    before: int


@dataclass(frozen=True)
class Score:
    """What ``score`` found, a Warning for each signal and horizon; ``whose`` default was to be foretold."""

    whose: str
    warnings: tuple[Warning, ...]
    worlds: int
    seed: int
    months: int
    provenance: dict

    def facts(self):
        """All of it as plain values, ready for JSON; what is not defined is null."""
        rows = []
        for each in self.warnings:
            row = asdict(each)
            row["usefulness"] = {f"{weight:g}": _or_none(value) for weight, value in each.usefulness.items()}
            rows.append(row | {name: _or_none(row[name]) for name in ("area", "low", "high")})
        head = {"whose": self.whose, "worlds": self.worlds, "seed": self.seed, "months": self.months}
        return head | self.provenance | {"warnings": rows}


def score(
    scenario,
    worlds=256,
    seed=1,
    months=96,
    *,
    whose="OpenAI",
    horizons=HORIZONS,
    progress=None,
    vocabulary=None,
) -> Score:
    """Ask whether the stress index warns: is it higher in months that a default follows within the horizon?

    A case is a month of a world before its first default; a world that has seen one counts no more, nor does a month
    whose horizon the run does not reach. ``whose``: a firm, or "anybody". BadInput for an unknown firm.
    """
    results = simulate(scenario, worlds, seed, months, progress=progress, vocabulary=vocabulary)
    first = first_default(results, whose)
    warnings = []
    for name, (measure, agent, sign) in SIGNALS.items():
        if measure not in results.measures:
            continue
        row = 0 if agent is None else results.measures[measure].agents.index(agent)
        signal = sign * results.measure(measure)[:, row].astype(float)
        warnings += [_warning(name, horizon, signal, first) for horizon in horizons if horizon < months]
    provenance = {"scenario": scenario.name, "hash": run_hash(results), "version": version()}
    return Score(whose, tuple(warnings), int(results.luck.size), results.seed, results.months, provenance)


def first_default(results, whose=ANYBODY):
    """Give the month of the first legal default in each world, of one firm or of any; NEVER where there is none."""
    parties, firms = results.pieces[0].parties, results.pieces[0].firms
    if whose != ANYBODY and whose not in firms:
        allowed = ", ".join([ANYBODY, *firms])
        raise BadInput(
            Problem("", "agent", "unknown", repr(whose), allowed, nearest=nearest_name(whose, firms))
        )
    months = np.concatenate([piece.outcomes["default"] for piece in results.pieces], axis=-1)
    rows = [parties.index(firm) for firm in (firms if whose == ANYBODY else [whose])]
    return np.minimum(months[rows].min(axis=0), NEVER)


def _warning(name, horizon, signal, first):
    """Score one signal ``(months, worlds)`` against the months ``(worlds,)`` of the first default."""
    at = np.arange(1, len(signal) + 1)[:, None]
    case = (at < first) & (at + horizon <= len(signal))
    follows = case & (first <= at + horizon)
    area = auroc(signal[case], follows[case])
    low, high = _area_interval(signal, follows, case)
    even = np.arange(first.size) % 2 == 0
    half, other = case & even, case & ~even
    useful = {}
    for missing in MISSING:
        threshold = _best_threshold(signal[half], follows[half], missing)
        useful[missing] = relative_usefulness(signal[other], follows[other], threshold, missing)
    return Warning(name, horizon, area, low, high, useful, int(case.sum()), int(follows.sum()))


def _best_threshold(signal, crisis, missing):
    """The threshold, among the percentiles of the signal, at which acting on it is worth most."""
    if not crisis.any() or crisis.all():
        return np.inf
    tried = np.unique(np.quantile(signal, np.linspace(0.0, 1.0, 101)))
    worth = [relative_usefulness(signal, crisis, threshold, missing) for threshold in tried]
    return tried[int(np.argmax(worth))]


def _area_interval(signal, follows, case, seed=1):
    """The 95% interval of the area: whole worlds are drawn anew, since months of one world go together."""
    generator, worlds, areas = np.random.default_rng(seed), signal.shape[1], []
    for _ in range(RESAMPLES):
        drawn = generator.integers(0, worlds, worlds)
        kept = case[:, drawn]
        areas.append(auroc(signal[:, drawn][kept], follows[:, drawn][kept]))
    areas = np.array(areas)[~np.isnan(areas)]
    return tuple(map(float, np.quantile(areas, [0.025, 0.975]))) if areas.size else (float("nan"),) * 2


def _or_none(value):
    return None if np.isnan(value) else float(value)
