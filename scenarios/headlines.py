"""What stands beside the lab's default rate: the rate over the range of its equity window, and the window's share.

Both take many runs, so they are worked out once for each shipped scenario, kept in library/headlines.json with what
they were made from, and read here. `python run.py headlines` writes the file anew (experiments/headlines.py).
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

STORE = Path(__file__).resolve().parent / "library" / "headlines.json"


@dataclass(frozen=True)
class Headline:
    """What is kept of one scenario played for so many months; chances are of the lab's default by the last of them.

    ``default`` and ``equity``, ``rest``: {p or share, low, high}; ``neutral``: the chance with every driver off;
    ``figure_one``: rows of its grid, or of the grid's corners; ``window``: the lowest and highest chance there;
    ``drivers``: Shapley shares of all six, if worked out.
    """

    scenario: str
    hash: str
    months: int
    worlds: int
    seed: int
    agent: str
    default: dict
    window: dict
    neutral: float
    equity: dict
    rest: dict
    figure_one: list
    written: str
    version: str
    drivers: list | None = None

    def facts(self):
        """All but the grid as plain values, ready for JSON."""
        kept = {name: value for name, value in vars(self).items() if name != "figure_one"}
        return kept | {"difference": self.default["p"] - self.neutral}


@functools.cache
def stored(path=STORE):
    """Give {(hash of scenario, months): Headline} of a file of headlines; without the file there are none."""
    if not path.is_file():
        return {}
    table = json.loads(path.read_text(encoding="utf-8"))
    rows = (Headline(**row) for row in table["headlines"])
    return {(row.hash, row.months): row for row in rows}


def headline_of(scenario, months=96, path=STORE):
    """Give the headline kept for a scenario as it is, overrides included; None where none is kept."""
    return stored(path).get((scenario.hash(), months))


def headline_words(found, lab="OpenAI", commands=True):
    """Give, in one or two sentences, what stands beside a default rate; ``found`` from ``Headline.facts``, or None.

    ``commands``: whether the commands are named that compute it.
    """
    if found is None:
        where = ": see `figure1` and `run --explain`." if commands else "."
        told = f"{lab}'s default rate hangs on the equity window; how much is not kept for this scenario"
        return f"{told} as it was played{where}"
    chance, window, equity = found["default"], found["window"], found["equity"]
    rate = f"{chance['p']:.0%} ({100 * chance['low']:.0f}-{chance['high']:.0%}, {found['worlds']:,} worlds)"
    told = (
        f"Beside {lab}'s default rate of {rate}: {window['low']:.0%} to {window['high']:.0%} over the range of the"
        f" equity window{' (`figure1`)' if commands else ''}."
    )
    more = 100.0 * found["difference"]
    points = "{:.0f} ({:.0f} to {:.0f})".format(*(100.0 * equity[name] for name in ("share", "low", "high")))
    return (
        f"{told} With every driver at its neutral value it is {found['neutral']:.0%}; of the difference of"
        f" {more:.0f} points the window adds {points} (Shapley value{'; `explain`' if commands else ''})."
    )
