"""What is recorded, as labelled arrays, and how it is read: tables with a row per world, month, agent or
event.

While the model runs, History joins the measures of each month in one block. For one world, the *story*, everything
is kept.
"""

import hashlib
import itertools
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from agents.worlds import Mechanism, state_declarations
from model.kernels_history import AT_ONCE, read_flags, read_months, read_numbers

NEVER = 10_000  # the month of what did not happen
QUANTILES = {"p05": 0.05, "p10": 0.10, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90, "p95": 0.95}
OUTCOMES = {  # the name in tables: the State of the solvency mechanism, and the words for it
    "missed": ("missed_month", "a payment missed for 60 days"),
    "distressed": ("distressed_month", "a distressed exchange"),
    "default": ("default_month", "a legal default"),
}


def wilson(count, n):
    """Give the 95% interval of Wilson (1927) for a probability of which ``count`` of ``n`` worlds are
    seen.
    """
    z, share = 1.959963984540054, count / n
    middle = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)
    return max(0.0, low) if count else 0.0, min(1.0, high) if count < n else 1.0


@dataclass
class Series:
    """One measure: its agents, the unit for each, a sentence, and the numbers ``(months, agents,
    worlds)``.
    """

    agents: tuple[str, ...]
    units: tuple[str, ...]
    sentence: str
    values: np.ndarray


@dataclass
class Piece:
    """What a run of the model in some worlds leaves behind, free of the model.

    ``measures`` by name; ``firms`` are the parties that can fail, ``outcomes`` the arrays ``(parties,
    worlds)`` of the solvency mechanism, ``peak_stress`` and ``residual`` ``(worlds,)``; ``events`` columns
    by name, with ``row`` the position of the world in this piece; ``story`` the Story of the shown world,
    or None.
    """

    luck: np.ndarray
    months: int
    measures: dict[str, Series]
    parties: tuple[str, ...]
    firms: tuple[str, ...]
    outcomes: dict[str, np.ndarray]
    peak_stress: np.ndarray
    residual: np.ndarray
    events: dict[str, np.ndarray]
    story: "Story | None" = None
    params: dict[str, np.ndarray] = field(default_factory=dict)


class Reading:
    """How a record is read. A subclass gives ``pieces``: the worlds in order, cut into one piece or more.

    Frames carry the unit of each column in ``frame.attrs["units"]``. Months count from 1, January 2026.
    """

    pieces: list[Piece]

    @property
    def luck(self):
        """The luck number of each world, ``(worlds,)``."""
        return np.concatenate([piece.luck for piece in self.pieces])

    @property
    def measures(self):
        """The recorded measures: their names, each with its Series in the first piece (agents, unit,
        sentence).
        """
        return self.pieces[0].measures

    def measure(self, name):
        """Give a measure as an array ``(months, agents, worlds)``; KeyError with the known names if
        unknown.
        """
        name = self._known(name)
        return np.ascontiguousarray(np.concatenate([p.measures[name].values for p in self.pieces], axis=-1))

    def to_dataframe(self, measure):
        """Give a measure as a tidy table: month, agent, world (its luck number), value."""
        name = self._known(measure)
        series, values = self.measures[name], self.measure(name)
        months, agents, worlds = values.shape
        frame = pd.DataFrame(
            {
                "month": np.repeat(np.arange(1, months + 1), agents * worlds),
                "agent": pd.Categorical.from_codes(
                    np.tile(np.repeat(np.arange(agents), worlds), months), list(series.agents)
                ),
                "world": np.tile(self.luck, months * agents),
                "value": values.ravel(),
            }
        )
        units = sorted(set(series.units))
        unit = (
            units[0] if len(units) == 1 else json.dumps(dict(zip(series.agents, series.units, strict=True)))
        )
        frame.attrs["units"] = {"month": "month", "world": "luck number", "value": unit}
        return frame

    def worlds(self):
        """Give a row per world: parameters that differ, months of failure, losses, traps, stress, residual.

        Columns: ``world`` (the luck number), then the path of each parameter that was given by world;
        ``missed:``, ``distressed:`` and ``default:`` with a firm's name (the month, or missing if it never
        came to that); ``trap:`` with a firm's name; ``loss:`` with a holder's name (US$bn);
        ``peak_stress``; ``books_residual``.
        """
        first = self.pieces[0]
        columns, units = {"world": self.luck}, {"world": "luck number"}
        for path in first.params:
            columns[path] = np.concatenate([piece.params[path] for piece in self.pieces])
        firms = [first.parties.index(name) for name in first.firms]
        for word in OUTCOMES:
            months = np.take(self._outcome(word), firms, axis=0)
            for name, row in zip(first.firms, months, strict=True):
                columns[f"{word}:{name}"] = pd.array(np.where(row < NEVER, row, -1), dtype="Int64")
                columns[f"{word}:{name}"][row >= NEVER] = pd.NA
                units[f"{word}:{name}"] = "month"
        trapped, loss = self._outcome("trap"), self._outcome("loss")
        columns |= {f"trap:{name}": trapped[row] for name, row in zip(first.firms, firms, strict=True)}
        columns |= {f"loss:{name}": loss[row] for row, name in enumerate(first.parties)}
        units |= {f"loss:{name}": "US$bn" for name in first.parties}
        columns["peak_stress"] = np.concatenate([piece.peak_stress for piece in self.pieces])
        columns["books_residual"] = np.concatenate([piece.residual for piece in self.pieces])
        frame = pd.DataFrame(columns)
        frame.attrs["units"] = units | {"peak_stress": "0-1", "books_residual": "relative"}
        return frame

    def defaults(self):
        """Give a row per firm and outcome: in how many worlds, the probability with its 95% interval, when.

        ``median_month`` is the median over the worlds in which it happened, missing if there is none.
        """
        first, rows = self.pieces[0], []
        for word, (_, words) in OUTCOMES.items():
            months = self._outcome(word)
            for name in first.firms:
                row = months[first.parties.index(name)]
                when = row[row < NEVER]
                low, high = wilson(when.size, row.size)
                median = int(np.sort(when)[(when.size - 1) // 2]) if when.size else pd.NA
                rows.append((name, word, words, row.size, when.size, when.size / row.size, low, high, median))
        names = ("agent", "outcome", "meaning", "worlds", "count", "p", "low", "high", "median_month")
        frame = pd.DataFrame(rows, columns=names).astype({"median_month": "Int64"})
        shares = {"p": "share of worlds", "low": "share of worlds", "high": "share of worlds"}
        frame.attrs["units"] = {**shares, "median_month": "month"}
        return frame

    def events_frame(self):
        """Give a row per event: world, month, agent, kind, counterparty, amount (US$bn), because.

        Where worlds share a luck number, a last column ``row`` tells them apart: the row in ``worlds()``.
        """
        names = ("row", "month", "agent", "kind", "counterparty", "amount", "because")
        firsts = np.cumsum([0, *(piece.luck.size for piece in self.pieces)])
        columns = {name: np.concatenate([piece.events[name] for piece in self.pieces]) for name in names}
        columns["row"] += np.repeat(firsts[:-1], [piece.events["row"].size for piece in self.pieces])
        order = np.lexsort((columns["month"], columns["row"]))
        columns = {name: np.take(column, order) for name, column in columns.items()}
        luck = self.luck
        frame = pd.DataFrame({"world": np.take(luck, columns["row"]), **columns})
        frame = (
            frame.drop(columns="row")
            if np.unique(luck).size == luck.size
            else frame[["world", *names[1:], "row"]]
        )
        frame.attrs["units"] = {"world": "luck number", "month": "month", "amount": "US$bn"}
        return frame

    def monthly(self):
        """Give, for each month, agent and measure, the mean over worlds, the quantiles p05 to p95, the
        unit.
        """
        frames = []
        for name, series in self.measures.items():
            values = self.measure(name).astype(float, copy=False)
            months, agents, _ = values.shape
            ordered = np.sort(values, axis=-1)
            columns = {
                "month": np.repeat(np.arange(1, months + 1), agents),
                "agent": np.tile(np.array(series.agents, dtype=object), months),
                "measure": np.full(months * agents, name, dtype=object),
                "mean": values.mean(axis=-1).ravel(),  # bit-safe: over worlds, when they have all been run
            }
            columns |= {word: _quantile(ordered, share).ravel() for word, share in QUANTILES.items()}
            columns["unit"] = np.tile(np.array(series.units, dtype=object), months)
            frames.append(pd.DataFrame(columns))
        names = ["month", "agent", "measure", "mean", *QUANTILES, "unit"]
        frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=names)
        for name in ("agent", "measure", "unit"):
            frame[name] = frame[name].astype("category")
        frame.attrs["units"] = {"month": "month"} | dict.fromkeys(("mean", *QUANTILES), "see the column unit")
        return frame

    def story_frame(self):
        """Give everything about the shown world: month, table, agent, state, part, value, unit; month 0
        included.

        ``table`` is "state", "balance sheet" (``state`` is the instrument) or "flow" (``state`` is the kind
        of payment; received +, paid -); entries of the two matrices that are zero are left out. ``part``
        counts along the extra axis of a State declared over several (segments, vintages), else it is
        missing.
        """
        return self.shown.frame()

    @property
    def shown(self):
        """The shown world as arrays: a Story; LookupError if no world was recorded as the story."""
        for piece in self.pieces:
            if piece.story is not None:
                return piece.story
        raise LookupError("no world was recorded as the story")

    def digest(self):
        """Give the SHA-256, in hexadecimal, of all that ``worlds()`` and the measures hold.

        The same worlds give the same digest, however they were cut, and whichever world is the story.
        """
        found, first = hashlib.sha256(), self.pieces[0]
        found.update(repr((first.months, first.parties, first.firms, sorted(first.params))).encode())
        found.update(np.ascontiguousarray(self.luck))
        for path in sorted(first.params):
            found.update(np.concatenate([piece.params[path] for piece in self.pieces]))
        for word in sorted(first.outcomes):
            found.update(repr(word).encode() + np.ascontiguousarray(self._outcome(word)).tobytes())
        for name in ("peak_stress", "residual"):
            found.update(np.concatenate([getattr(piece, name) for piece in self.pieces]))
        for name in sorted(self.measures):
            found.update(repr((name, self.measures[name].agents)).encode())
            blocks = [piece.measures[name].values for piece in self.pieces]
            found.update(
                np.ascontiguousarray(blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=-1))
            )
        return found.hexdigest()

    def save(self, directory, csv=False):
        """Write worlds, monthly, story and events into an existing directory; give the paths written.

        Parquet with each column's unit in its metadata; with ``csv`` the same tables as CSV too.
        """
        tables = {"worlds": self.worlds(), "monthly": self.monthly(), "events": self.events_frame()}
        if any(piece.story is not None for piece in self.pieces):
            tables["story"] = self.story_frame()
        paths = []
        for name, frame in tables.items():
            paths.append(write_table(frame, Path(directory) / f"{name}.parquet"))
            if csv:
                paths.append(Path(directory) / f"{name}.csv")
                frame.to_csv(paths[-1], index=False, lineterminator="\n")
        return paths

    def _outcome(self, word):
        return np.concatenate([piece.outcomes[word] for piece in self.pieces], axis=-1)

    def _known(self, name):
        if name in self.measures:
            return name
        endings = [known for known in self.measures if known.endswith(f".{name}")]
        if len(endings) == 1:
            return endings[0]
        raise KeyError(f"no measure {name!r}; there are {', '.join(sorted(self.measures))}")


class Record(Reading):
    """Finished pieces joined in order: the same worlds give the same record, however they were cut."""

    def __init__(self, pieces):
        self.pieces = list(pieces)


class History(Reading):
    """The record of one model while it runs.

    A class's attribute ``measures`` names the States and properties to keep for all worlds, each ``(agents,
    worlds)`` or ``(rows, worlds)``; the unit of a property is the one named after a comma in its docstring.
    A measure of an Actor is called by its name, and classes that share a name share the measure; one of a
    Mechanism is called "group.name". ``story`` is the position of the world of which everything is kept, or
    None.
    """

    def __init__(self, model, story=0):
        self.model, self.story = model, story
        self.months, self._plan, self._kept = 0, None, []
        self._log, self._peak, self._story, self._pieces = [], None, None, None

    @property
    def month(self):
        """The month now being played: 1 before the first record."""
        return self.months + 1

    def record_opening(self):
        """Keep the books of month 0 of the story world; only before the first month."""
        if self.months == 0 and self.story is not None:
            self._keep_story(0)

    def record(self):
        """Keep the month that ends now."""
        self.months, self._pieces = self.months + 1, None
        if self._plan is None:
            self._plan = self._measured()
            alike = {}
            for measure in self._plan.values():
                alike.setdefault(measure.dtype, []).append(measure)
            self._kept = [_Kept(measures, self.model.months) for measures in alike.values()]
        for kept in self._kept:
            kept.month(self.months - 1)
        stress = self.model.mechanisms["stress"].index[0]
        self._peak = stress if self._peak is None else np.maximum(self._peak, stress)
        if self.story is not None:
            self._keep_story(self.months)

    def event(self, kind, agents, mask, amount=0.0, counterparty="", because=""):
        """Log what happened this month where ``mask`` is set.

        ``agents`` is a name, with ``mask`` ``(worlds,)``, or names, with ``mask`` ``(names, worlds)``;
        ``amount`` (US$bn) is a scalar or of the mask's shape; ``counterparty`` and ``because`` are texts,
        or one per name.
        """
        places = np.flatnonzero(mask)
        if not places.size:
            return
        agents = (agents,) if isinstance(agents, str) else agents
        texts = agents, kind, counterparty, because
        for text in texts:
            if not isinstance(text, str) and len(text) != len(agents):
                raise ValueError(f"one text for each of {len(agents)} agents, not {len(text)}")
        amount = np.take(amount, places) if np.ndim(amount) else amount
        self._log.append((places, self.month, texts, amount))

    @property
    def pieces(self):
        """The record so far, as one piece."""
        if self._pieces is None:
            self._pieces = [self._piece()]
        return self._pieces

    # -- what is kept ----------------------------------------------------------------------------------------

    def _holders(self):
        return [*self.model.agents_by_type.values(), *self.model.mechanisms.values()]

    def _measured(self):
        """Find what is to be kept: by name, where each is found."""
        plan, units = {}, self._units()
        for holder in self._holders():
            kind = _declaring(holder)
            declared = {row["name"]: row for row in state_declarations([kind])}
            for attribute in getattr(kind, "measures", ()):
                name = f"{holder.group}.{attribute}" if isinstance(holder, Mechanism) else attribute
                row, block = declared.get(attribute), getattr(holder, attribute)
                if block.shape[1:] != (self.model.worlds,):
                    raise ValueError(f"measure {name}: (agents, worlds) is kept, not {block.shape}")
                sentence = (
                    row["sentence"] if row else " ".join((getattr(kind, attribute).__doc__ or "").split())
                )
                measure = plan.setdefault(name, _Measure(name, sentence, block.dtype))
                agents = self._labels(holder, len(block))
                measure.agents += agents
                measure.units += (row["unit"] if row else _unit(sentence, units),) * len(agents)
                measure.sources.append((holder, attribute))
                measure.dtype = np.result_type(measure.dtype, block)
        return plan

    def _units(self):
        """All units that States are declared in, the longest first."""
        rows = state_declarations([_declaring(holder) for holder in self._holders()])
        return sorted({row["unit"] for row in rows}, key=len, reverse=True)

    def _labels(self, holder, rows):
        names = tuple(vars(holder).get("names_of_rows", ()) or holder.names)
        parties = self.model.ledger.parties
        if len(names) == rows:
            return names
        if rows == 1:
            return (holder.group,)
        if rows == len(parties):
            return tuple(parties)
        return tuple(f"{holder.group} {row + 1}" for row in range(rows))

    def _piece(self):
        model, found = self.model, {}
        for kept in self._kept:
            found |= kept.series(self.months)
        measures = {name: found[name] for name in self._plan or ()}
        solvency, ledger = model.solvency, model.ledger
        outcomes = {word: getattr(solvency, state) for word, (state, _) in OUTCOMES.items()}
        return Piece(
            luck=model.luck,
            months=self.months,
            measures=measures,
            parties=tuple(ledger.parties),
            firms=tuple(solvency.firms),
            outcomes=outcomes | {"loss": solvency.loss, "trap": solvency.trapped},
            peak_stress=np.zeros(model.worlds) if self._peak is None else self._peak,
            residual=ledger.residual.copy(),
            events=self._events(),
            story=None if self._story is None else self._story.story(),
        )

    def _events(self):
        names = ("row", "month", "agent", "kind", "counterparty", "because", "amount")
        types = dict.fromkeys(names, object) | {"row": np.int64, "month": np.int64, "amount": np.float64}
        parts = {name: [np.empty(0, types[name])] for name in names}
        for places, month, texts, amount in self._log:
            rows, columns = np.divmod(places, self.model.worlds)
            words = (_for_each(rows, text) for text in texts)
            numbers = np.full(rows.size, month), np.broadcast_to(np.float64(amount), rows.shape)
            for part, values in zip(parts.values(), (columns, numbers[0], *words, numbers[1]), strict=True):
                part.append(values)
        return {name: np.concatenate(part) for name, part in parts.items()}

    def _keep_story(self, month):
        if self._story is None:
            self._story = _StoryKeeper(self._holders(), self._labels)
        self._story.keep(month, self.model.ledger, self.story)


@dataclass(eq=False)
class _Measure:
    """A measure to keep: whose attributes it is made of, the type of all, the agents and the unit of each."""

    name: str
    sentence: str
    dtype: np.dtype
    agents: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    sources: list = field(default_factory=list)


class _Kept:
    """The months of all measures of one type: each month a block of their rows, one measure after the other."""

    def __init__(self, measures, months):
        self.measures = measures
        sources = list(enumerate(source for each in measures for source in each.sources))
        self._states = [(at, vars(one), name) for at, (one, name) in sources if name in one._states]
        self._properties = [(at, one, name) for at, (one, name) in sources if name not in one._states]
        blocks = self._read()
        rows, worlds = sum(map(len, blocks)), blocks[0].shape[1]  # bit-safe: whole numbers
        self.values = np.empty((months, rows, worlds), measures[0].dtype)

    def month(self, month):
        """Keep the month that ends now, number `month` from 0."""
        np.concatenate(self._read(), out=self.values[month], casting="safe")

    def _read(self):
        """Give the blocks of all measures as they are now; States out of where they are kept, which is quicker."""
        blocks = [None] * (len(self._states) + len(self._properties))
        for at, kept, name in self._states:
            blocks[at] = kept[name]
        for at, holder, name in self._properties:
            blocks[at] = getattr(holder, name)
        return blocks

    def series(self, months):
        """Give the `months` kept so far: a Series for each name."""
        values, found, first = self.values[:months], {}, 0
        values.setflags(write=False)
        for each in self.measures:
            last = first + len(each.agents)
            found[each.name] = Series(each.agents, each.units, each.sentence, values[:, first:last])
            first = last
        return found


class _Columns:
    """Reads one world out of many blocks: the blocks `states` names, as (where it is kept, name).

    The numbers of block i begin at ``starts[i]`` and have the shape ``shapes[i]``: that of a block without worlds.
    """

    def __init__(self, states):
        blocks = [kept[name] for kept, name in states]
        self.shapes = [block.shape[:-1] for block in blocks]
        self.starts, self.calls, self.size = [0] * len(blocks), [], 0
        for dtype, read in ((float, read_numbers), (bool, read_flags), (np.int64, read_months)):
            alike = [at for at, block in enumerate(blocks) if block.dtype == dtype]
            for some in itertools.batched(alike, AT_ONCE):
                spare = (np.empty((0, blocks[0].shape[-1]), dtype),) * (AT_ONCE - len(some))
                layered = [place for place, at in enumerate(some) if blocks[at].ndim == 3]
                self.calls.append((read, [states[at] for at in some], layered, spare, self.size))
                for at in some:
                    self.starts[at] = self.size
                    self.size += math.prod(self.shapes[at])

    def of(self, world):
        """Give the numbers of one world."""
        numbers = np.empty(self.size)
        for read, states, layered, spare, first in self.calls:
            blocks = [kept[name] for kept, name in states]
            for place in layered:
                blocks[place] = blocks[place].reshape(-1, blocks[place].shape[-1])
            read((*blocks, *spare), world, first, numbers)
        return numbers


class _StoryKeeper:
    """Keeps everything about one world: a column of every State, the two matrices of the ledger, every leg."""

    def __init__(self, holders, labels):
        self.plan = [
            (holder, row["name"], row["unit"])
            for holder in holders
            for row in state_declarations([_declaring(holder)])
        ]
        self.columns = _Columns([(vars(holder), name) for holder, name, _ in self.plan])
        self.labels, self.months, self.rows = labels, [], []
        self.sheets, self.flows, self.paid, self.unpaid, self.balances = [], [], [], [], []

    def keep(self, month, ledger, world):
        """Keep the month that ends now, of one world."""
        self.months.append(month)
        self.rows.append(self.columns.of(world))
        self.instruments, sheet = ledger.balance_sheet(world)
        self.kinds, flows = ledger.transaction_flows(world)
        self.sheets.append(sheet)
        self.flows.append(flows)
        self.paid.append(ledger.flow[:, world].copy())
        self.unpaid.append(ledger.payable[:, world].copy())
        self.balances.append(ledger.claims[:, world].copy())
        self.ledger = ledger

    def story(self):
        """Give what has been kept so far, free of the model."""
        states = [
            StoryState(holder.group, name, self.labels(holder, shape[-1]), unit, start, shape)
            for (holder, name, unit), start, shape in zip(
                self.plan, self.columns.starts, self.columns.shapes, strict=True
            )
        ]
        legs = Legs(
            tuple(self.ledger.kinds),
            self.ledger.payer,
            self.ledger.payee,
            np.stack(self.paid),
            np.stack(self.unpaid),
            np.arange(len(self.ledger.payer)) < self.ledger.cleared.stop,
        )
        claims = Claims(
            tuple(self.ledger.claim_names),
            tuple(self.ledger.instruments),
            self.ledger.holders,
            self.ledger.issuers,
            np.stack(self.balances),
        )
        sheets = Matrices("balance sheet", tuple(self.instruments), np.stack(self.sheets))
        flows = Matrices("flow", tuple(self.kinds), np.stack(self.flows))
        months, parties = np.array(self.months), tuple(self.ledger.parties)
        return Story(months, parties, states, np.stack(self.rows), sheets, flows, legs, claims)


@dataclass(frozen=True)
class StoryState:
    """Which State of which group the story has: its agents, its unit, and its place in a month's numbers: the first
    of them, and the shape ``(agents,)`` or ``(parts, agents)``.
    """

    group: str
    name: str
    agents: tuple[str, ...]
    unit: str
    start: int
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Legs:
    """Every channel of payment in the story: ``kinds`` by name, ``payer`` and ``payee`` as places among the parties
    ``(legs,)``, and US$bn ``(months, legs)``: what was ``paid`` in the month, and what of it and of earlier months
    was left ``unpaid`` at its end. What fell due is the sum. ``bill`` ``(legs,)``: whether it is paid in the month's
    clearing, not outside of it as draws and sales are.
    """

    kinds: tuple[str, ...]
    payer: np.ndarray
    payee: np.ndarray
    paid: np.ndarray
    unpaid: np.ndarray
    bill: np.ndarray


@dataclass(frozen=True, eq=False)
class Claims:
    """Every claim in the story: ``names`` and ``instruments`` by name, ``holders`` and ``issuers`` as places among the
    parties ``(claims,)``, and its ``balances`` at the end of each month, US$bn ``(months, claims)``.
    """

    names: tuple[str, ...]
    instruments: tuple[str, ...]
    holders: np.ndarray
    issuers: np.ndarray
    balances: np.ndarray


@dataclass(frozen=True, eq=False)
class Matrices:
    """A matrix of the ledger in every month: its name, its rows, and its numbers ``(months, rows, parties)``, US$bn."""

    name: str
    rows: tuple[str, ...]
    values: np.ndarray


class Story:
    """Everything about the shown world as arrays, the first axis the months of ``months`` (0 is the opening).

    ``parties`` in the order of the Ledger; ``states`` says which States there are; ``legs`` has every payment and
    ``claims`` every balance that one party owes another.
    """

    def __init__(self, months, parties, states, numbers, sheets, flows, legs, claims):
        self.months, self.parties, self.states, self.legs = months, parties, states, legs
        self.claims = claims
        self._numbers, self._sheets, self._flows = numbers, sheets, flows
        self._read = {}

    def state(self, name):
        """Give a State as (agents, values ``(months, agents)`` or ``(months, parts, agents)``).

        ``name`` is that of the State, joined over all groups that declare it, or "group.name"; KeyError if
        there is none.
        """
        if name not in self._read:
            group, _, last = name.rpartition(".")
            found = [s for s in self.states if s.name == last and group in ("", s.group)]
            if not found:
                raise KeyError(f"no State {name!r} in the story")
            agents = tuple(agent for state in found for agent in state.agents)
            self._read[name] = agents, np.concatenate([self._values(state) for state in found], axis=-1)
        return self._read[name]

    def value(self, name, agent):
        """Give a State of one agent, ``(months,)`` or ``(months, parts)``; KeyError if it has none."""
        agents, values = self.state(name)
        if agent not in agents:
            raise KeyError(f"{agent!r} has no State {name!r} in the story")
        return values[..., agents.index(agent)]  # bit-safe: one agent

    @property
    def instruments(self):
        """The rows of the balance sheets."""
        return self._sheets.rows

    @property
    def kinds(self):
        """The rows of the transaction flows: kinds of payment."""
        return self._flows.rows

    @property
    def sheets(self):
        """Balance sheets ``(months, instruments, parties)``, US$bn: what is owed is negative."""
        return self._sheets.values

    @property
    def flows(self):
        """Transaction flows ``(months, kinds, parties)``, US$bn: received +, paid -."""
        return self._flows.values

    def frame(self):
        """Give everything as one table, in the order of its columns: states first, then the matrices."""
        words = {name: {} for name in ("table", "agent", "state", "unit")}  # each word's number, by column
        blocks = [self._states_block(words, state) for state in self.states]
        blocks += [self._matrix_block(words, matrices) for matrices in (self._sheets, self._flows)]
        columns = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        for name, numbers in words.items():
            columns[name] = pd.Categorical.from_codes(columns[name], list(numbers))
        columns["part"] = pd.arrays.IntegerArray(columns["part"], columns["part"] < 0)
        frame = pd.DataFrame(columns)
        frame.attrs["units"] = {"month": "month", "value": "see the column unit"}
        return frame

    def _values(self, state):
        numbers = self._numbers[:, state.start : state.start + math.prod(state.shape)]
        return numbers.reshape(len(self.months), *state.shape)

    def _states_block(self, words, state):
        values = self._values(state)
        months, agents = len(values), values.shape[-1]
        parts = values.shape[1] if values.ndim == 3 else 1
        numbers = np.array([_number(words["agent"], word) for word in state.agents], dtype=int)
        part = np.tile(np.repeat(np.arange(parts), agents), months)
        return _block(
            words,
            month=np.repeat(self.months, parts * agents),
            table="state",
            agent=np.tile(numbers, months * parts),
            state=state.name,
            part=part if values.ndim == 3 else np.full(part.size, -1),
            value=values.ravel(),
            unit=state.unit,
        )

    def _matrix_block(self, words, matrices):
        values = matrices.values
        at_month, at_row, at_party = np.nonzero(values)
        agents = np.array([_number(words["agent"], word) for word in self.parties], dtype=int)
        states = np.array([_number(words["state"], word) for word in matrices.rows], dtype=int)
        return _block(
            words,
            month=np.take(self.months, at_month),
            table=matrices.name,
            agent=np.take(agents, at_party),
            state=np.take(states, at_row),
            part=np.full(at_month.size, -1),
            value=values.ravel()[values.ravel() != 0],
            unit="US$bn",
        )


def _number(numbers, word):
    return numbers.setdefault(word, len(numbers))


def _block(words, **columns):
    """Some rows of the story: columns of equal length; a word stands for a column of its number."""
    size = columns["value"].size
    return {
        name: np.full(size, _number(words[name], column)) if isinstance(column, str) else column
        for name, column in columns.items()
    }


def write_table(frame, path):
    """Write a frame as Parquet; each column's unit (``frame.attrs["units"]``) goes into its metadata.

    Where the unit depends on the agent it is written as a JSON object.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table, units = pa.Table.from_pandas(frame, preserve_index=False), frame.attrs.get("units", {})
    fields = []
    for column in table.schema:
        unit = units.get(column.name, "")
        fields.append(column.with_metadata({"unit": unit} if unit else {}))
    pq.write_table(table.cast(pa.schema(fields, metadata=table.schema.metadata)), path, compression="zstd")
    return Path(path)


def _quantile(ordered, share):
    position = share * (ordered.shape[-1] - 1)
    below = math.floor(position)
    above = min(below + 1, ordered.shape[-1] - 1)
    low, high = np.take(ordered, below, axis=-1), np.take(ordered, above, axis=-1)
    return low + (high - low) * (position - below)


def _declaring(holder):
    """The class that declares: of a cohort the class of its agents, of a mechanism its own."""
    return type(holder) if isinstance(holder, Mechanism) else type(next(iter(holder)))


def _unit(sentence, units):
    """The unit that a property's docstring names after a comma; "" if it names none that is declared."""
    return next((unit for unit in units if f", {unit}" in sentence), "")


def _for_each(rows, text):
    """Give each of the rows its text, of several, or the one for all."""
    if isinstance(text, str):
        return np.full(rows.size, text, dtype=object)
    return np.take(np.array(text, dtype=object), rows)
