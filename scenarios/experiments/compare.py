"""Two scenarios with the same luck: world by world the difference, and whether it is more than luck.

World k of one scenario and world k of the other have the same demand surprises, breakthroughs, summers and freezes,
so that what differs between them is the scenario's doing. Intervals are those of paired data: much narrower than
those of two runs with luck of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import stdtrit

from model.history import NEVER, OUTCOMES, wilson
from scenarios.ensemble import world_table
from scenarios.files import run_hash, version
from scenarios.schema import FIRST_YEAR, BadInput, Problem, default_vocabulary
from scenarios.simulate import Results, simulate

YEAR_SHOWN = 2030  # of revenue; the last year of a run that ends before it
CLEAR_LOSS = 0.005  # US$bn a world: a holder whose mean loss is smaller in both scenarios is left out


@dataclass(frozen=True)
class Row:
    """One quantity in both scenarios, and the paired difference (second less first) with its 95% interval.

    ``agent`` is whose it is, or "" where it is everybody's. For a probability ``first`` and ``second`` are shares of
    worlds, else means over worlds.
    """

    id: str
    quantity: str
    agent: str
    unit: str
    first: float
    second: float
    difference: float
    low: float
    high: float

    @property
    def clear(self):
        """Whether the interval excludes zero."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def strength(self):
        """The difference over its distance to the bound nearer to zero: above one where the row is clear."""
        reach = self.difference - self.low if self.difference > 0.0 else self.high - self.difference
        if self.difference == 0.0:
            return 0.0
        return abs(self.difference) / reach if reach > 0.0 else np.inf

    def facts(self):
        """The row as plain values, ready for JSON."""
        return vars(self) | {"clear": self.clear}


@dataclass(frozen=True)
class Comparison:
    """What ``compare`` found: the two results, and the rows, the clearest first."""

    first: Results
    second: Results
    rows: list[Row] = field(repr=False)

    def facts(self):
        """All that was found as plain values, ready for JSON."""
        return {
            "first": _side(self.first),
            "second": _side(self.second),
            "seed": self.first.seed,
            "worlds": int(self.first.luck.size),
            "months": self.first.months,
            "version": version(),
            "books_residual": max(_residual(self.first), _residual(self.second)),
            "seconds": self.first.seconds + self.second.seconds,
            "rows": [row.facts() for row in self.rows],
        }


def _side(results):
    scenario = results.scenario
    facts = {name: getattr(scenario, name) for name in ("name", "title", "overrides")}
    return facts | {"hash": run_hash(results)}


def _residual(results):
    return max(float(piece.residual.max()) for piece in results.pieces)


def compare(first, second, worlds=256, seed=1, months=96, *, progress=None, vocabulary=None) -> Comparison:
    """Run two scenarios in the same worlds and give, for every headline quantity, the paired difference.

    ``first``, ``second``: scenarios; ``worlds``, ``seed``, ``months`` as for ``simulate``, at least two worlds.
    ``progress(done, total)`` counts world-months of both. Means have the interval of a paired t test, probabilities
    the paired interval of Newcombe (1998), method 10. BadInput names every mistake.
    """
    chosen = vocabulary or first.vocabulary or default_vocabulary()
    if world_table(worlds, chosen)[0].size < 2:
        raise BadInput(Problem("", "worlds", "not allowed", "1", "at least 2: one world has no interval"))

    def halves(which):
        return progress and (lambda done, total: progress(done + which * total, 2 * total))

    results = [
        simulate(scenario, worlds, seed, months, progress=halves(which), vocabulary=vocabulary)
        for which, scenario in enumerate((first, second))
    ]
    return Comparison(*results, paired_rows(*results))


def paired_rows(first, second) -> list[Row]:
    """Give the rows of two Results of the same worlds, the clearest first; ValueError if their luck differs."""
    if first.seed != second.seed or not np.array_equal(first.luck, second.luck):
        raise ValueError("not the same worlds: there is no paired difference")
    rows = [*_chances(first, second), *_losses(first, second), *_headlines(first, second)]
    return sorted(rows, key=lambda row: (not row.clear, -row.strength))


# -- intervals of paired data --------------------------------------------------------------------------------


def difference_of_means(first, second):
    """Give the mean of ``second - first``, world by world, and its 95% interval by Student's t, ``(3,)`` floats."""
    each = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    middle = float(each.mean())
    reach = float(stdtrit(each.size - 1, 0.975) * each.std(ddof=1) / np.sqrt(each.size))
    return middle, middle - reach, middle + reach


def difference_of_chances(first, second):
    """Give the difference of two shares of the same worlds (``second - first``) and its 95% interval.

    Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired data",
    Statistics in Medicine 17 (1998), method 10: Wilson's interval of each share, joined by their correlation. It
    stays within -1 and 1, and is not empty where the share is 0 or 1 in all worlds.
    """
    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    n = first.size
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    count_first, count_second = both + only_first, both + only_second
    phi = _correlation(both, only_first, only_second, neither)
    p, q = count_first / n, count_second / n
    (p_low, p_high), (q_low, q_high) = wilson(count_first, n), wilson(count_second, n)
    below = _joined(q - q_low, p_high - p, phi)
    above = _joined(q_high - q, p - p_low, phi)
    middle = (only_second - only_first) / n
    return middle, max(middle - below, -1.0), min(middle + above, 1.0)


def _correlation(both, only_first, only_second, neither):
    """The correlation of two outcomes, drawn towards zero by Newcombe's continuity correction."""
    n = both + only_first + only_second + neither
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    product = both * neither - only_first * only_second
    if product > 0:
        product = max(product - n / 2, 0.0)
    return product / np.sqrt(margins) if margins else 0.0


def _joined(one, other, phi):
    return float(np.sqrt(max(one * one - 2.0 * phi * one * other + other * other, 0.0)))


# -- rows ----------------------------------------------------------------------------------------------------


def _chances(first, second):
    """Rows of who fails, in each of the three ways, and who is trapped; left out where it never happens."""
    words = {word: words for word, (_, words) in OUTCOMES.items()} | {"trap": "the weak form of the trap"}
    failed = [{word: _seen(results, word) for word in words} for results in (first, second)]
    for word, told in words.items():
        for firm in failed[0][word]:
            one, other = failed[0][word][firm], failed[1][word].get(firm)
            if other is not None and (one.any() or other.any()):
                yield _row(f"{word}:{firm}", told, firm, "share of worlds", one, other)


def _seen(results, word):
    """In which worlds each firm came to an outcome: {firm: (worlds,) of bool}."""
    first = results.pieces[0]
    block = np.concatenate([piece.outcomes[word] for piece in results.pieces], axis=-1)
    block = block if word == "trap" else block < NEVER
    return {firm: block[first.parties.index(firm)].astype(bool) for firm in first.firms}


def _losses(first, second):
    """Rows of who bears losses: each holder's, and the sum over all."""
    one, other = (_loss(results) for results in (first, second))
    yield _row("loss", "loss of all holders", "", "US$bn", sum(one.values()), sum(other.values()))
    for holder in one:
        if holder in other and max(one[holder].mean(), other[holder].mean()) > CLEAR_LOSS:
            yield _row(f"loss:{holder}", "loss", holder, "US$bn", one[holder], other[holder])


def _loss(results):
    block = np.concatenate([piece.outcomes["loss"] for piece in results.pieces], axis=-1)
    return dict(zip(results.pieces[0].parties, block, strict=True))


@dataclass(frozen=True)
class Headline:
    """A quantity made from a recorded measure: ``take`` turns ``(months, agents, worlds)`` into ``(worlds,)``.

    Of the measure those agents count that are named, or whose numbers have the unit that is named; else all.
    """

    id: str
    quantity: str
    unit: str
    measure: str
    take: Callable
    agent: str = ""
    of_unit: str = ""

    def of(self, results):
        """The quantity by world, ``(worlds,)``; None where this model does not record it."""
        if self.measure not in results.measures:
            return None
        series = results.measures[self.measure]
        rows = [
            row
            for row, (agent, unit) in enumerate(zip(series.agents, series.units, strict=True))
            if self.agent in ("", agent) and self.of_unit in ("", unit)
        ]
        return self.take(results.measure(self.measure)[:, rows].astype(float)) if rows else None


def _mean(values):
    """Mean over months of the sum over agents."""
    return values.sum(axis=1).mean(axis=0)


def _typical(values):
    """Mean over months and agents."""
    return values.mean(axis=(0, 1))


def _whole(values):
    """Sum over months and agents."""
    return values.sum(axis=(0, 1))


def _last(values):
    """Sum over agents in the last month."""
    return values[-1].sum(axis=0)


def _lowest(values):
    """Lowest month of the sum over agents."""
    return values.sum(axis=1).min(axis=0)


def _highest(values):
    """Highest month of the sum over agents."""
    return values.sum(axis=1).max(axis=0)


def _year_shown(values):
    """Mean of the year shown (of the run's last twelve months, if it ends before), summed over agents."""
    end = min((YEAR_SHOWN - FIRST_YEAR + 1) * 12, len(values))
    return values[max(end - 12, 0) : end].sum(axis=1).mean(axis=0)


HEADLINES = (
    Headline("peak_stress", "peak stress", "0 to 1", "stress.index", _highest),
    Headline("stress", "stress, mean over months", "0 to 1", "stress.index", _mean),
    Headline(
        f"revenue_{YEAR_SHOWN}",
        f"served revenue, {YEAR_SHOWN}",
        "US$bn a year",
        "revenue",
        _year_shown,
        "OpenAI",
    ),
    Headline("runway", "shortest runway", "months", "runway", _lowest, "OpenAI"),
    Headline("cornered", "months cornered", "months", "cornered", _whole, "OpenAI"),
    Headline("idle", "idle compute under contract", "GW", "idle", _mean, "OpenAI"),
    Headline("available", "compute available under contract", "GW", "available", _mean, "OpenAI"),
    Headline("firmed", "announced capacity made firm", "GW", "new_commitment", _whole, "OpenAI"),
    Headline("idle_pool", "idle compute of the whole market", "GW", "compute_market.idle_pool", _mean),
    Headline("rent", "rent of compute", "US$bn per GW-year", "compute_market.rent", _mean),
    Headline("energised", "energised at the sites", "GW", "energised", _mean),
    Headline("slipped", "months that sites slipped", "months", "slipped", _last),
    Headline("power_price", "price of power", "US$/MWh", "price", _typical, of_unit="US$/MWh"),
    Headline("household_bill", "household bill", "index", "household_bill", _typical),
    Headline("curtailed", "curtailed", "share", "curtailed", _typical),
    Headline("spread", "lenders' spread over the calm one", "x", "credit.spread_multiple", _mean),
    Headline("valuation", "value of the lab at the end", "US$bn", "valuation", _last),
    Headline("distributions", "paid out by partners and hyperscalers", "US$bn", "payout_now", _whole),
    Headline("chip_sales", "sales of chips", "US$bn", "sales", _whole, "Chip vendor"),
    Headline("debt", "debt of lab and builders, highest month", "US$bn", "debt", _highest),
    Headline("bank_debt", "lent by banks, highest month", "US$bn", "lent", _highest),
)


def _headlines(first, second):
    for headline in HEADLINES:
        one, other = headline.of(first), headline.of(second)
        if one is not None and other is not None:
            yield _row(headline.id, headline.quantity, headline.agent, headline.unit, one, other)


def _row(name, quantity, agent, unit, one, other):
    """The row of a quantity that is given by world; of flags it is a probability, of numbers a mean."""
    paired = difference_of_chances if one.dtype == bool else difference_of_means
    means = float(one.mean()), float(other.mean())
    return Row(name, quantity, agent, unit, *means, *paired(one, other))
