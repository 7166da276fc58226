"""What a view gives to the page: plain data, ready to be drawn by a component in the browser.

A view is a pure function of a run; it knows no component, and a component knows no economics. Whatever changes
with the month is sent once, as ``frames`` over month 0 to the last, so that playing costs the server nothing.
Colours are named ("var:ink", "var:accent", "var:calm", ...): the component puts in those of the theme.
"""

import json
from dataclasses import dataclass, field, fields, is_dataclass

import numpy as np

from scenarios.cast import Cast
from scenarios.experiments.counterfactual import Counterfactuals

KINDS = (
    "lab",
    "rival",
    "builder",
    "partner",
    "vehicle",
    "site",
    "lender",
    "bank",
    "utility",
    "hyperscaler",
    "customers",
    "household",
    "sector",
)
STATES = ("calm", "strained", "breach", "default")


class Plain(list):
    """A list of plain values with short numbers already: it goes into JSON as it is, without being looked through."""


@dataclass(frozen=True)
class Chart:
    """A chart of Apache ECharts.

    ``headline``: a sentence computed from the data, or one per month; ``label`` and ``unit``: the small line
    beneath. ``option``: the ECharts option; ``frames``: what of it changes, one partial option per month from 0
    on, or None. ``cursor``: whether a vertical line marks the month on the first x-axis, a category axis whose
    index is the month. ``alt``: one sentence for those who do not see it. ``table``: {"columns", "rows"}.
    ``clicks``: what a click on a data item means ("world", "party", "cell", "month"), or "".
    """

    key: str
    headline: str | list
    label: str
    unit: str
    option: dict
    frames: list | None = None
    cursor: bool = False
    alt: str = ""
    table: dict | None = None
    clicks: str = ""


@dataclass(frozen=True)
class Table:
    """Rows that may change with the month.

    ``columns``: {key, title, align, unit}; ``frames``: one list of rows per month from 0 on, or one list of rows
    alone (``static``); a cell is a formatted text or {"text", "tone"}. ``fixed``: the first cells of each row, where
    no month changes them; the frames then have the rest.
    """

    key: str
    headline: str | list
    label: str
    columns: list
    frames: list
    static: bool = False
    alt: str = ""
    clicks: str = ""
    fixed: list | None = None


@dataclass(frozen=True)
class Text:
    """Sentences: ``frames`` has a list of them per month from 0 on, or is one list alone (``static``)."""

    key: str
    headline: str
    frames: list
    static: bool = False


@dataclass(frozen=True)
class Network:
    """Who owes whom, in a fixed layout.

    ``nodes``: {id, name, kind (one of KINDS), x, y (0 to 1, y downwards)}; ``links``: {id, source, target, kind,
    words}. Each frame: {"headline", "nodes": {id: {size (US$bn), state, line}}, "links": {id: {money, unpaid,
    dashed}}}; a link that is absent carries nothing in that month.
    """

    nodes: list
    links: list
    frames: list
    label: str = ""
    unit: str = "US$bn a month"
    alt: str = ""


@dataclass(frozen=True)
class Status:
    """The banner and the tiles, per month from 0 on.

    A frame: {"banner": {state, words, sentence}, "tiles": [{key, title, value, unit, arrow (-1, 0, 1), good,
    sentence}]}. ``good`` says whether the arrow points to the better.
    """

    frames: list


@dataclass(frozen=True)
class Timeline:
    """The months, their names, and what happened in the story: flags {month, party, kind, words, tone}."""

    months: int
    labels: list
    flags: list


@dataclass(frozen=True)
class Strip:
    """All worlds at a glance: {position, luck, failed (month or None), tone, words}, and quick picks.

    ``picks``: [{key, words, position or None, sentence}]; ``kinds``: [{tone, words}], what the colours of worlds mean.
    """

    worlds: list
    picks: list
    kinds: list = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """What a view may know beside the run: the cast, pinned runs, the month, the party in focus.

    ``cast`` says under what names and dates the run is told (``scenarios.cast.cast_of(scenario, kind)``); ``names``
    are the shown names of all parties; ``pinned``: Runs; ``avoided``: what single changes do in the shown world, or
    None where nobody has asked.
    """

    names: dict = field(default_factory=dict)
    dark: bool = False
    month: int = 0
    pinned: tuple = ()
    glossary: dict = field(default_factory=dict)
    party: str = ""
    cast: Cast = field(default_factory=Cast)
    avoided: Counterfactuals | None = None

    def name(self, party):
        """Give the name under which a party is shown."""
        return self.names.get(party) or self.cast.name(party)

    def inside(self, party):
        """Give the shown name as it stands inside a sentence."""
        name = self.name(party)
        return f"the {name[4:]}" if name.startswith("The ") else name

    def tell(self, sentence):
        """Give a sentence in the words of this story, which may be about fibre or aircraft instead of compute."""
        return self.cast.tell(sentence)

    def word(self, key):
        """Give a word for a kind of party, such as "Labs" or "Hyper-scalers", in small letters."""
        return self.cast.word(key).replace("-\n", "").replace("\n", " ").lower()

    def date(self, month):
        """Give the date of a month in words, such as "Feb 2027"."""
        return self.cast.date(month)


def to_json(spec) -> str:
    """Give a spec, or a list or dict of specs, as compact JSON: {"type": "chart", ...}.

    Numbers have at most six significant digits; what is not a finite number becomes null.
    """
    return json.dumps(_plain(spec), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _plain(value):
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        return _short(value)
    if kind is dict:
        return {key if type(key) is str else str(key): _plain(each) for key, each in value.items()}
    if kind is list or kind is tuple:  # of numbers nearly always
        return [_short(each) if type(each) is float else _plain(each) for each in value]
    if kind is Plain:
        return value
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if is_dataclass(value):
        named = {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
        return {"type": kind.__name__.lower(), **named}
    raise TypeError(f"a spec is made of plain values, not {kind.__name__}")


def _short(value):
    """The nearest number of few digits; None for what is not finite. Whole numbers lose their ``.0``."""
    if value - value != 0.0:  # infinite, or not a number
        return None
    value = float("%.6g" % value)  # noqa: UP031 (twice as fast as a format string)
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
