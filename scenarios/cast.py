"""Under what names, dates and words a scenario is told; results, files and scenario files keep the names of the books.

A cast is data: a TOML file in library/cast, by default the one named after the scenario's opening books. Nothing in it
decides a number, so it is no part of a scenario's hash.
"""

import functools
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from model.opening import book_files, read_opening

CASTS = Path(__file__).resolve().parent / "library" / "cast"
FIRST_YEAR = 2026  # month 1 is its January, unless a cast says otherwise
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NAMES = ("own", "archetype")
WORDS = {
    word: word for word in ("compute", "to compute", "chips", "Labs", "Hyper-\nscalers", "Utili-\nties")
} | {"to compute": "compute"}


@dataclass(frozen=True)
class Cast:
    """Who stands for whom. ``names`` are shown instead of parties' names, ``archetypes`` where no firm shall be named.

    ``first_year`` is the calendar year whose January is month 1; below 1000 it counts years without a calendar.
    ``words`` replaces words of the trade, by the keys of `WORDS`.
    """

    names: dict[str, str] = field(default_factory=dict)
    archetypes: dict[str, str] = field(default_factory=dict)
    first_year: int = FIRST_YEAR
    words: dict[str, str] = field(default_factory=lambda: dict(WORDS))

    def name(self, party):
        """Give the name under which a party is shown; what is no party keeps its name."""
        return self.names.get(party, party)

    def inside(self, party):
        """Give the shown name as it stands inside a sentence."""
        name = self.name(party)
        return f"the {name[4:]}" if name.startswith("The ") else name

    def date(self, month):
        """Give the date of a month in words, such as "Feb 2027"; month 0 is the December before the first year."""
        return date_of(month, self.first_year)

    def year(self, year):
        """Give the year that is shown for a year of the books' calendar, in which month 1 is January 2026."""
        return _year(year - FIRST_YEAR + self.first_year)

    def word(self, key):
        """Give a word of the trade, by the keys of `WORDS`."""
        return self.words.get(key, WORDS[key])

    def tell(self, sentence):
        """Give a sentence of the model's in the words of this cast."""
        return re.sub(r"\b(compute|chips)\b", lambda found: self.word(found[0]), sentence)

    def rename(self, text):
        """Give a text with every party's name replaced by the one that is shown."""
        if not self.names:
            return text
        parties = "|".join(re.escape(party) for party in sorted(self.names, key=len, reverse=True))
        return re.sub(rf"(^|[.:?!] )?\b({parties})\b", self._shown, text)

    def _shown(self, found):
        opens = found[1]
        return self.inside(found[2]) if opens is None else opens + self.name(found[2])

    def facts(self):
        """What machines need to show it: the shown names that differ, and when month 1 is."""
        first = f"{self.first_year}-01" if self.first_year >= 1000 else f"year {self.first_year}, month 1"
        shown = {party: name for party, name in self.names.items() if name != party}
        return {"names": shown, "first_month": first}


def date_of(month, first_year=FIRST_YEAR):
    """Give the date of a month of the game in words, such as "Feb 2027"; month 0 is December 2025."""
    return f"{MONTHS[(month - 1) % 12]} {_year(first_year + (month - 1) // 12)}"


def casts():
    """Give the names of the casts that there are."""
    return sorted(path.stem for path in CASTS.glob("*.toml"))


def cast_of(scenario, kind="own") -> Cast:
    """Give the cast of a scenario: the one it names, else that of its opening books, else the books' own names.

    ``kind``: "own" for the scenario's own names, "archetype" for names that are no firm's. ValueError for another word.
    """
    if kind not in NAMES:
        raise ValueError(f"kind = {kind!r}; allowed: {', '.join(NAMES)}")
    cast = _read_cast(scenario.cast or _nearest_cast(scenario.opening))
    return replace(cast, names=cast.archetypes) if kind == "archetype" else cast


def names_of(scenario, kind="own"):
    """Give {party: name to show} for every party of a scenario's books; ``kind`` as in `cast_of`."""
    cast = cast_of(scenario, kind)
    return {party.name: cast.name(party.name) for party in read_opening(scenario.opening).parties}


def _nearest_cast(opening):
    """The name of the nearest of the opening books, and those they extend, that have a cast; "" if none has."""
    return next((book.stem for book in book_files(opening) if book.stem in casts()), "")


@functools.cache
def _read_cast(name) -> Cast:
    """Read a cast by its name; without a name every party keeps the one it has in the books."""
    if not name:
        return Cast()
    table = tomllib.loads((CASTS / f"{name}.toml").read_text(encoding="utf-8"))
    names = table.get("names", {})
    return Cast(
        names=names,
        archetypes=table.get("archetypes", names),
        first_year=table.get("first_year", FIRST_YEAR),
        words=WORDS | table.get("words", {}),
    )


def _year(year):
    return str(year) if year >= 1000 else f"of year {year}"
