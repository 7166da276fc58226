"""Any scenario at all: parameters in their range, events and decisions, different in every world."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

from agents.worlds import declarations
from model import ACTORS, MECHANISMS, Decision, Event
from model.events import KINDS
from model.ladder import Ladder
from scenarios.schema import Setting, default_vocabulary

BOOKS = ("cash", "claims", "payable", "real_assets", "closed")


def carried_by(model):
    """All that a model takes over into the next month, by holder and name: States, schedules, the Ledger's books."""
    found = {("ledger", name): getattr(model.ledger, name) for name in BOOKS}
    for each in model._holders().values():
        found |= {(each.group, name): each._blocks[name] for name in each._states}
        for name, _ in getattr(each, "schedules", ()):
            kept = getattr(each, name)
            parts = vars(kept) if isinstance(kept, Ladder) else {"": kept}
            found |= {(each.group, name, part): block for part, block in parts.items()}
    return found


PARAMS = [row for row in declarations([*ACTORS, *MECHANISMS])]


def _path(row):
    return f"{row['group']}.{row['name']}"


def _values(row, rng, worlds):
    """Values of a Param, one per world; the ends of its range come up often."""
    if row["kind"] == "flag":
        return rng.random(worlds) < 0.5
    if row["kind"] == "choice":
        return rng.integers(0, len(row["choices"]), worlds)
    if row["kind"] == "whole":
        return rng.integers(int(row["low"]), int(row["high"]) + 1, worlds)
    share = np.clip(rng.uniform(-0.2, 1.2, worlds), 0.0, 1.0)
    return np.clip(row["low"] + share * (row["high"] - row["low"]), row["low"], row["high"])


def _key(key, rng):
    if key.flag:
        return bool(rng.random() < 0.5)
    if key.choices:
        return key.choices[rng.integers(len(key.choices))]
    if key.whole:
        return int(rng.integers(int(key.low), int(key.high) + 1))
    return float(rng.uniform(key.low, key.high))


def _event(kind, month, rng, worlds):
    group = KINDS[kind].agents
    names = default_vocabulary().agents("end_2025")[group] if group else [None]
    if kind == "delay":
        names = [name for name in names if name != "Meta site company"]  # its halls are not in the model
    value = np.array([_key(KINDS[kind].value, rng) for _ in range(worlds)])
    others = {key.name: _key(key, rng) for key in KINDS[kind].others}
    mask = rng.random(worlds) < 0.6
    return Event(month, kind, names[rng.integers(len(names))], value, mask, others)


def _decision(row, month, rng, worlds):
    mask = rng.random(worlds) < 0.6
    return Decision(month, _path(row), _values(row, rng, worlds), mask, bool(rng.random() < 0.5))


@st.composite
def settings_by_world(draw, worlds, months, most_params=12):
    """A Setting whose Params, events and decisions have a value per world."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.lists(st.sampled_from(PARAMS), max_size=most_params, unique_by=_path))
    dated = st.integers(1, months)
    events = draw(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), dated), max_size=5))
    decisions = draw(st.lists(st.tuples(st.sampled_from(PARAMS), dated), max_size=4))
    return Setting(
        params={_path(row): _values(row, rng, worlds) for row in rows},
        events=tuple(_event(kind, month, rng, worlds) for kind, month in events),
        decisions=tuple(_decision(row, month, rng, worlds) for row, month in decisions),
    )


def of_world(setting, world):
    """The same Setting for one world alone."""

    def alone(dated):
        value = dated.value[[world]] if np.ndim(dated.value) else dated.value
        mask = None if dated.mask is None else dated.mask[[world]]
        return dataclasses.replace(dated, value=value, mask=mask)

    return Setting(
        params={
            path: values[world].item() if np.ndim(values) else values
            for path, values in setting.params.items()
        },
        events=tuple(map(alone, setting.events)),
        decisions=tuple(map(alone, setting.decisions)),
        opening=setting.opening,
    )
