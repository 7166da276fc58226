"""Dated events and decisions: what happens to the market, or is decided in it, in a month that is written
down.

An event is something that befalls everybody (a breakthrough, a heat wave); a decision sets a Param from a
month on. Both are rows of data whose value may differ per world, and a mask may say in which worlds they
happen. The kinds of events are declared here, once: the scenario file, its messages and the tables are made
from KINDS.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FIRST_MONTH, LAST_MONTH = 1, 240  # the first month played is January 2026; the fibre replay is the longest


@dataclass(frozen=True, eq=False)
class Event:
    """Something that happens in ``month`` (1 is the first month played).

    ``kind`` is a name in KINDS and ``value`` the size of the event, in the unit of that kind: a scalar or
    ``(worlds,)``. ``agent`` is the name of whom it befalls, or None for everybody. ``mask``, ``(worlds,)``
    bool, says in which worlds it happens (None: in all). ``extra`` has the other keys of the kind, defaults
    filled in.
    """

    month: int
    kind: str
    agent: str | None
    value: Any
    mask: np.ndarray | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Decision:
    """A Param set to ``value`` (a scalar or ``(worlds,)``) from ``month`` on.

    ``path`` is "group.name" (all agents of the group) or "group.Agent Name.name". It binds contracts signed
    later; with ``existing`` also those that are signed already. ``mask`` as in Event.
    """

    month: int
    path: str
    value: Any
    mask: np.ndarray | None = None
    existing: bool = False


@dataclass(frozen=True)
class Key:
    """One quantity that an event of a kind carries: its unit, range or choices, and a sentence.

    ``default`` None means that it must be given. Choices are names; ``flag`` is true or false.
    """

    name: str
    unit: str
    sentence: str
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    flag: bool = False
    choices: tuple[str, ...] = ()
    default: Any = None

    @property
    def allowed(self):
        """Which values are allowed, as a text for messages and tables."""
        if self.flag:
            return "true or false"
        if self.choices:
            return "one of " + ", ".join(map(repr, self.choices))
        return f"a {'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}"

    def allows(self, value):
        """Say whether ``value`` may be written here."""
        if self.flag:
            return isinstance(value, bool)
        if self.choices:
            return isinstance(value, str) and value in self.choices
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        in_range = math.isfinite(value) and self.low <= value <= self.high
        return in_range and (not self.whole or value == int(value))

    def stored(self, value):
        """Give an allowed value as it is kept: a number as float, a whole number as int."""
        return value if self.flag or self.choices else int(value) if self.whole else float(value)


@dataclass(frozen=True)
class Kind:
    """A kind of event: the key that becomes ``Event.value``, the other keys, whom it may befall, a sentence.

    ``agents`` names the group whose agents it may befall ("" for nobody in particular); ``agent_required``
    says that one must be named. ``lasts`` is the key with its length in months ("" for an event of a single
    month). ``repeats`` allows several at a time (breakthroughs); otherwise two that overlap and differ
    contradict.
    """

    name: str
    sentence: str
    value: Key
    others: tuple[Key, ...] = ()
    agents: str = ""
    agent_required: bool = False
    lasts: str = ""
    repeats: bool = False

    @property
    def keys(self):
        """All keys by name, the one that becomes the value first."""
        return {key.name: key for key in (self.value, *self.others)}


_MONTHS = Key("months", "months", "how long it lasts", 1, 60, whole=True, default=12)

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "breakthrough",
            "Someone finds a way to do the same work with less compute.",
            Key("size", "multiple", "how many times less compute the same work takes", 1.0, 100.0),
            (
                Key(
                    "owner",
                    "choice",
                    "who has it first: the focal lab, a rival lab, or everybody at once",
                    choices=("own", "rival", "open"),
                ),
            ),
            repeats=True,
        ),
        Kind(
            "demand_shock",
            "Customers want more or less than the adoption curve says, from this month on.",
            Key("size", "share", "change of the market's size", -0.9, 3.0),
        ),
        Kind(
            "equity_window",
            "Investors open or close their purse for labs and clouds, whatever the dice say.",
            Key("open", "flag", "whether new equity can be raised", flag=True),
            (_MONTHS,),
            lasts="months",
        ),
        Kind(
            "credit_freeze",
            "Lenders ask for a multiple of the usual spread.",
            Key("multiple", "multiple", "spread asked, as a multiple of the usual one", 1.0, 10.0),
            (_MONTHS,),
            lasts="months",
        ),
        Kind(
            "heat_wave",
            "A hot spell raises the load that the grid must serve this month.",
            Key("size", "share", "rise of the peak load", 0.0, 0.5),
            agents="utility",
        ),
        Kind(
            "delay",
            "A site's halls that are not yet energised come on line later.",
            Key("months", "months", "how much later", 1, 60, whole=True),
            agents="site_company",
            agent_required=True,
        ),
        Kind(
            "chip_price",
            "The price of new chips moves, from this month on.",
            Key("size", "share", "change of the price of new chips", -0.9, 3.0),
        ),
    )
}
