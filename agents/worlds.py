"""How an agent lives in many worlds at once: State, Param, Actor, Cohort, Mechanism, WorldsModel.

Every quantity is an array whose last axis is the *world*: `(agents, worlds)` for a cohort, `(worlds,)` for
one agent, `(n, agents, worlds)` and `(n, worlds)` for a State declared `over=n`. A rule is an ordinary
method; its `self` may be one agent (a row) or the whole cohort (the block); both give the same bits.

Arrays are read-only. Assigning to a State replaces the array, so an array read earlier stays what it was.
"""

import copy
import difflib
import itertools
import math
import operator
from types import FunctionType

import mesa
import numpy as np
from mesa.agent import AgentSet

_DTYPES = {float: np.float64, bool: np.bool_, int: np.int64}
_KINDS = {"number": np.float64, "whole": np.int64, "choice": np.int64, "flag": np.bool_}


def total(values, axis=0):
    """Sum along an axis, row after row, so that a world's bits do not depend on its neighbours.

    NumPy's own sum adds pairwise or in sequence, as the memory layout suggests, and so differs at one world.
    """
    rows = np.moveaxis(np.asarray(values), axis, 0)
    result = np.zeros(rows.shape[1:], dtype=np.int64 if rows.dtype == bool else rows.dtype)
    for row in rows:
        result += row
    return result


def _mean(values, axis):
    return total(values, axis) / values.shape[axis]


def _variance(values, axis):
    distance = values - np.expand_dims(_mean(values, axis), axis)
    return _mean(distance * distance, axis)


_OVER_AGENTS = {sum: total, np.sum: total, np.mean: _mean, np.var: _variance, min: np.min, max: np.max}
_OVER_AGENTS[np.std] = lambda values, axis: np.sqrt(_variance(values, axis))


def _nearest(name, names):
    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.5)), None)


def _freeze(array):
    array.setflags(write=False)
    return array


class ParamError(ValueError):
    """A value that a Param does not allow.

    Attributes: `value` (what was given), `allowed` (a text: which values are), `unit`.
    """

    def __init__(self, value, allowed, unit):
        super().__init__(value, allowed, unit)
        self.value, self.allowed, self.unit = value, allowed, unit

    def __str__(self):
        return f"{self.value!r} is not {self.allowed} ({self.unit})"


class UnknownPath(KeyError):
    """A path that names no Param. Attributes: `path`, and `nearest` (the closest valid path, or None)."""

    def __init__(self, path, nearest):
        super().__init__(path, nearest)
        self.path, self.nearest = path, nearest

    def __str__(self):
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        return f"no parameter {self.path!r}{hint}"


class _Declaration:
    """A named block of numbers, declared in a class body and read through the holder of the blocks."""

    name = owner = None

    def __set_name__(self, owner, name):
        if self.name not in (None, name):
            raise TypeError(f"{self.name!r} is declared a second time, as {name!r}")
        self.name = name
        self.owner = self.owner or owner

    def __get__(self, holder, owner=None):
        if holder is None:
            return self
        try:
            block = holder._blocks[self.name]
        except KeyError:
            raise RuntimeError(f"{self.name!r} has no numbers yet: call model.allocate() first") from None
        return block if holder._row is None else block[..., holder._row, :]


class State(_Declaration):
    """A quantity of an agent that changes; declared once, with its unit and a sentence that says what it is.

    `dtype` is float, bool (a flag) or int (a month number). `over=n` puts an axis of n (segments, hardware
    vintages, the last twelve months) in front of `(agents, worlds)`. `rows=n`, of a mechanism only: so many rows, not
    the mechanism's own. Either may be the name of an attribute that the holder sets before `allocate()`. Assigning
    broadcasts, and refuses with
    TypeError what would lose something, such as a float into a flag.
    """

    def __init__(self, unit, sentence, *, default=0.0, dtype=float, over=None, rows=None):
        if dtype not in _DTYPES:
            raise TypeError(f"a State is float, bool or int, not {dtype!r}")
        self.unit, self.sentence, self.dtype, self.over = unit, sentence, np.dtype(_DTYPES[dtype]), over
        self.rows = rows
        self.default = dtype(default)  # so that the 0.0 of the signature is False for a flag

    def shape_in(self, holder):
        """Shape of the block in a holder, but for the worlds."""
        over, rows = (getattr(holder, n) if isinstance(n, str) else n for n in (self.over, self.rows))
        rows = holder.rows if rows is None else rows
        return (rows,) if over is None else (over, rows)

    def set_row(self, agent, value):
        """Replace the block by one in which the agent's row is `value`."""
        value = np.asarray(value)
        block = agent._blocks[self.name]
        if value.ndim == block.ndim and value.shape[-2] == 1:  # a mechanism's (1, worlds) reached this row
            value = value[..., 0, :]
        block = block.copy()
        block[..., agent._row, :] = self.fit(value, block[..., agent._row, :].shape)
        agent.cohort._replace(self.name, _freeze(block))

    def fit(self, value, shape):
        """The value as a read-only C-contiguous array of this State's type; no copy if it already is one."""
        if type(value) is np.ndarray and value.dtype is self.dtype and value.shape == shape:
            flags = value.flags
            if flags.c_contiguous and (value.base is None or not value.base.flags.writeable):
                value.setflags(write=False)
                return value
        value = np.asarray(value)
        if not np.can_cast(value.dtype, self.dtype, "safe"):
            raise TypeError(f"{self.name} is {self.dtype}: {value.dtype} would not fit")
        block = np.empty(shape, self.dtype)
        try:
            block[...] = np.broadcast_to(value, shape) if value.ndim > len(shape) else value
        except ValueError:
            raise ValueError(f"{self.name} has shape {shape}: {value.shape} would not fit") from None
        return _freeze(block)


class Param(_Declaration):
    """A quantity that the scenario sets; declared once, next to the rule that uses it. Rules only read it.

    Kinds: a number; a whole number (`whole=True`); a choice (`choices=("a", "b")`, the default is one of the
    names, stored as its index so that it may differ per world); a flag (the default is a bool). `bounds` is
    `(low, high)`, both allowed and finite; choices and flags need none.
    """

    def __init__(self, default, unit, bounds, sentence, *, source="assumed", choices=None, whole=False):
        self.choices = None if choices is None else tuple(choices)
        if self.choices:
            self.kind, bounds = "choice", (0, len(self.choices) - 1)
        elif isinstance(default, bool):
            self.kind, bounds = "flag", (False, True)
        else:
            self.kind = "whole" if whole else "number"
        self.low, self.high = bounds
        if not (-math.inf < self.low <= self.high < math.inf):
            raise ValueError(f"bounds are finite, the lower one first, not {bounds!r}")
        self.default, self.unit, self.sentence, self.source = default, unit, sentence, source
        self.group = None
        self.dtype = np.dtype(_KINDS[self.kind])
        self.stored = self.check(default)  # the default as a block has it

    def __set_name__(self, owner, name):
        super().__set_name__(owner, name)
        self.group = self.group or getattr(owner, "group", None)

    @property
    def allowed(self):
        """Which values are allowed, as a text for messages and tables."""
        if self.kind == "choice":
            return "one of " + ", ".join(map(repr, self.choices))
        if self.kind == "flag":
            return "true or false"
        return f"a {'whole ' if self.kind == 'whole' else ''}number from {self.low:g} to {self.high:g}"

    def check(self, value):
        """Return the value to store (float, int or bool; a choice's index), or raise ParamError.

        A choice is given by name or by index. A whole number may come as a float without a fraction.
        """
        value = value.item() if isinstance(value, np.generic) else value
        if self.kind == "flag":
            accepted = isinstance(value, bool)
        elif self.kind == "choice" and isinstance(value, str):
            accepted = value in self.choices
            value = self.choices.index(value) if accepted else value
        else:
            types = (int,) if self.kind == "choice" else (int, float)
            accepted = isinstance(value, types) and not isinstance(value, bool)
            accepted = accepted and self.low <= value <= self.high  # false for NaN and infinities
            accepted = accepted and (self.kind == "number" or value == int(value))
        if not accepted:
            raise ParamError(value, self.allowed, self.unit)
        return self.dtype.type(value).item()

    def for_group(self, group):
        """The same declaration for a class that inherits it under a group of its own."""
        twin = copy.copy(self)
        twin.group = group
        return twin


class of_params:
    """Make a property of what depends on Params alone: it is computed once, and anew after a Param has been set.

    What has been computed lies in the holder's own `__dict__`, so that reading it costs no call.
    """

    def __init__(self, function):
        self.fget, self.name, self.__doc__ = function, function.__name__, function.__doc__

    def __get__(self, holder, owner=None):
        if holder is None:
            return self
        kept = vars(holder)
        kept[self.name] = value = self.fget(holder)
        holder.model.made_of_params.append((kept, self.name))
        return value


_BOOKKEEPING = {"_states", "_params", "_cohort_class", "_datasets"}


def _members(cls, root):
    """Everything that the classes below `root` declare; inherited Params get the class's own group."""
    lineage = cls.__mro__[: cls.__mro__.index(root)]
    members = {}
    for base in reversed(lineage):
        members |= {name: value for name, value in vars(base).items() if name not in _BOOKKEEPING}
    members = {name: value for name, value in members.items() if not name.startswith("__")}
    for name, value in members.items():
        if isinstance(value, Param) and value.group != cls.group:
            members[name] = value.for_group(cls.group)
            setattr(cls, name, members[name])
    cls._states = {name: value for name, value in members.items() if isinstance(value, State)}
    cls._params = {name: value for name, value in members.items() if isinstance(value, Param)}
    return members


_ARRAY = np.ndarray
_NOT_DECLARED = ()
"""In the place of a layout: an attribute like any other, which was asked for before and may be set."""


class _Holder:
    """What reads and writes blocks: an agent (one row), a cohort or a mechanism (all rows).

    The blocks of a cohort or mechanism are entries of its own `__dict__`, so reading one costs what reading any
    attribute does; an agent reads its row through the declaration on its class. `_layouts` has dtype and shape of
    each block that has been assigned, and where it may have been joined with others: entries of those of `_joined_in`,
    each a Together.
    """

    _states, _params, _blocks, _layouts, _row, _joined_in, _sealed = {}, {}, {}, {}, None, (), False

    def __setattr__(self, name, value):
        """Assign what is declared; once the worlds are allocated, a new public name is a spelling mistake."""
        layout = self._layouts.get(name)
        if layout and type(value) is _ARRAY:
            dtype, shape, joined = layout
            if value.dtype is dtype and value.shape == shape and value.flags.c_contiguous:
                base = value.base
                if base is None or not base.flags.writeable:
                    # what nearly every rule assigns: laid out as the block is, and nobody else's to write
                    value.setflags(False)
                    self._blocks[name] = value
                    for kept in joined:
                        kept.pop(name, None)
                    return
        elif layout is _NOT_DECLARED:
            object.__setattr__(self, name, value)
            return
        state = self._states.get(name)
        if state is not None:
            block = state.__get__(self)  # says so where there are no numbers yet
            if self._row is not None:
                state.set_row(self, value)
            else:
                joined = tuple(vars(several) for several in self._joined_in if name in several._states)
                self._layouts[name] = block.dtype, block.shape, joined
                self._replace(name, state.fit(value, block.shape))
        elif name in self._params:
            raise AttributeError(f"{name} is a Param: the scenario sets it (model.set_param), no rule does")
        elif isinstance(getattr(type(self), name, None), of_params):
            raise AttributeError(f"{name} is made of Params: no rule sets it")
        elif name[0] == "_" or not self._sealed or name in vars(self) or self._is_data(name):
            super().__setattr__(name, value)
            if self._sealed and self._row is None:
                self._layouts[name] = _NOT_DECLARED
        else:
            raise self._no_such(name)

    def _replace(self, name, block):
        """Put a block in the place of another, and forget what was joined of the old one."""
        self._blocks[name] = block
        for several in self._joined_in:
            vars(several).pop(name, None)

    def _is_data(self, name):
        return hasattr(type(self), name) and not callable(getattr(type(self), name))

    def _no_such(self, name):
        nearest = _nearest(name, [known for known in dir(self) if not known.startswith("_")])
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        return AttributeError(f"{type(self).__name__} has no {name!r}{hint}")

    def _allocate(self, worlds):
        for name, state in self._states.items():
            shape = *state.shape_in(self), worlds
            self._blocks[name] = _freeze(np.full(shape, state.default, state.dtype))
        for name, param in self._params.items():
            shape = (len(self.names) or 1, worlds)
            self._blocks[name] = _freeze(np.full(shape, param.stored, param.dtype))
        self._sealed = True


class Actor(_Holder, mesa.Agent):
    """Base of every agent: a genuine Mesa agent that is one row of its cohort's arrays.

    A concrete class names its `group`, the first word of its Params' paths. Attributes: `name`, `row` (its
    index in the cohort), `cohort`, `worlds` (their number). Rules use no `super()` (write `Firm.rule(self)`),
    since `self` may be the cohort.
    """

    group = None

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        members = _members(cls, Actor)
        for name, value in members.items():
            rule = getattr(value, "fget", value)
            taken = hasattr(Cohort, name) or name in {"model", "name", "names", "random", "unique_id", "pos"}
            if taken or (isinstance(value, _Declaration) and hasattr(mesa.Agent, name)):
                raise TypeError(f"{cls.__name__}.{name}: Mesa or Cohort uses this name already")
            if isinstance(value, State) and value.rows is not None:
                raise TypeError(f"{cls.__name__}.{name}: a State of agents has a row for each of them")
            if isinstance(rule, FunctionType) and "__class__" in rule.__code__.co_freevars:
                raise TypeError(f"{cls.__name__}.{name}: no super(), self may be a cohort; name the class")
        members = {name: value for name, value in members.items() if not isinstance(value, _Declaration)}
        members |= {"_states": cls._states, "_params": cls._params, "__doc__": cls.__doc__}
        members |= {
            "_members": frozenset({*members, *cls._states, *cls._params}),
            "__module__": cls.__module__,
        }
        cls._cohort_class = type(Cohort)(f"{cls.__name__}Cohort", (Cohort,), members)

    def __init__(self, model, name):
        if self.group is None:
            raise TypeError(f"{type(self).__name__} has no group, so it is a base class")
        self.name = name
        super().__init__(model)

    worlds = property(lambda self: self.model.worlds)

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}>"


def _refused(what):
    def refuse(self, *args, **keywords):
        """Refuse: an agent is a row of arrays over worlds. To switch an agent off, declare a State for it."""
        raise RuntimeError(f"{type(self).__name__}: cannot {what}, since agents are rows of arrays")

    return refuse


class Cohort(_Holder, AgentSet):
    """All agents of one class, in registration order: what `model.agents_by_type[Class]` is.

    `do("rule")` runs the class's function once for all agents in all worlds. Attributes: `names` (of the
    agents), `worlds` (their number), `cohort` (itself), `row` (all rows: in a rule, `table[..., self.row, :]`
    works for an agent and for a cohort).
    """

    row = slice(None)
    rows = property(lambda self: len(self.names))
    cohort = property(lambda self: self)

    shuffle_do = _refused("act in a random order")
    remove = discard = pop = clear = _refused("lose an agent")
    _update = _refused("change its agents or their order")  # what Mesa's sort(inplace=True) calls

    def __init__(self, model):
        super().__init__([], random=model.random)
        self.model, self.names, self._blocks, self._layouts = model, [], vars(self), {}
        self.worlds = model.worlds
        self._sealed = True

    def add(self, agent):
        """Take in an agent as the last row; RuntimeError once the worlds are allocated."""
        if agent in self:
            return
        if self.model.allocated:
            raise RuntimeError(f"{agent!r} comes too late: all agents are made before allocate()")
        if type(agent)._cohort_class is not type(self) or agent.name in self.names:
            raise ValueError(f"{agent!r} has no place in {type(self).__name__} of {', '.join(self.names)}")
        vars(agent).update(cohort=self, row=self.rows, _row=self.rows, _blocks=self._blocks)
        self.names.append(agent.name)
        super().add(agent)

    def do(self, method, *args, **keywords):
        """Run a rule of the class once, with the cohort as self; a callable is applied to each agent."""
        if method not in self._members:
            return super().do(method, *args, **keywords)
        getattr(self, method)(*args, **keywords)
        return self

    def get(self, attr_names, *args, **keywords):
        """The block of a State, Param or property, `(agents, worlds)`; anything else as Mesa does."""
        if isinstance(attr_names, str) and attr_names in self._members:
            return getattr(self, attr_names)
        return super().get(attr_names, *args, **keywords)

    def set(self, attr_name, value):
        """Assign a State for all agents in all worlds."""
        setattr(self, attr_name, value)
        return self

    def agg(self, attribute, func):
        """Apply `func` (or each of several) over the agents: one number per world, `(worlds,)`.

        Sums, means and variances are added agent after agent, so that a world's bits do not depend on the
        batch; any other function is called as `func(block, axis=-2)`.
        """
        if attribute not in self._members:
            return super().agg(attribute, func)
        if not callable(func):
            return [self.agg(attribute, each) for each in func]
        return _OVER_AGENTS.get(func, func)(self.get(attribute), axis=-2)

    def copy(self):
        """An ordinary Mesa AgentSet of the same agents (a copy of the block would lose writes)."""
        return AgentSet(self, random=self.random)

    __copy__ = copy

    def select(self, filter_func=None, at_most=math.inf, inplace=False, agent_type=None):
        """Choose agents, as an ordinary AgentSet; RuntimeError in place."""
        return self._update() if inplace else self.copy().select(filter_func, at_most, agent_type=agent_type)

    def groupby(self, by, result_type="agentset"):
        """Group agents, as ordinary AgentSets."""
        return self.copy().groupby(by, result_type)

    def shuffle(self, inplace=False):
        """Order agents at random, as an ordinary AgentSet; RuntimeError in place."""
        return self._update() if inplace else self.copy().shuffle()

    @classmethod
    def _from_iterable(cls, agents):
        return AgentSet(agents)


def _pieces(keys):
    """What cuts an array by each of some keys, in one step."""
    return operator.itemgetter(*keys) if len(keys) > 1 else lambda whole: (whole[keys[0]],)


class _Joined:
    """The blocks of several cohorts, joined when they are asked for.

    A joined block is an entry of the Together's own `__dict__`, `kept`, until one of its parts is replaced.
    """

    def __init__(self, cohorts, kept):
        self._parts, self._kept, self.elsewhere = [vars(cohort) for cohort in cohorts], kept, []
        firsts = np.cumsum([0, *(cohort.rows for cohort in cohorts)]).tolist()
        self.rows = [slice(first, last) for first, last in itertools.pairwise(firsts)]
        self._cut = _pieces(self.rows)
        self._cut_over = _pieces([(slice(None), rows) for rows in self.rows])

    def __getitem__(self, name):
        parts = [blocks[name] for blocks in self._parts]
        whole = self._kept[name] = _freeze(np.concatenate(parts, axis=-2))
        return whole

    def __setitem__(self, name, whole):
        parts = self._cut(whole) if whole.ndim == 2 else self._cut_over(whole)
        for blocks, part in zip(self._parts, parts, strict=True):
            blocks[name] = part
        for kept in self.elsewhere:
            kept.pop(name, None)
        self._kept[name] = whole


class Together(_Holder):
    """Cohorts of one base class as one block, so that a rule of that class acts once for all their agents.

    Rows are the cohorts' rows, one cohort after another. Reading a State or Param joins the cohorts' blocks;
    assigning a State hands each cohort its rows. A property that a cohort's class has changed is asked of that
    cohort; a rule that one has changed cannot act for all and is refused. Made by `Together.of(Base, cohorts)`.
    """

    row = slice(None)
    rows_of_cohorts = property(lambda self: self._blocks.rows)

    @classmethod
    def of(cls, base, cohorts):
        """Join cohorts whose classes derive from `base`; all their agents are made by now."""
        declared = _members(base, Actor)
        joined = {name: declared[name] for name in declared if not name.startswith("__")}
        own = [type(next(iter(cohort))) for cohort in cohorts]
        changed = {name for name in joined if any(getattr(kind, name) is not joined[name] for kind in own)}
        changed -= set(base._states) | set(base._params)
        for name in changed:
            if isinstance(joined[name], property | of_params):
                own_answer = [getattr(kind, name) is not joined[name] for kind in own]
                joined[name] = property(_asked_of_each(name, joined[name], own_answer))
        joined |= {"_states": base._states, "_params": base._params, "group": None}
        joined["_changed"] = {name for name in changed if isinstance(joined[name], FunctionType)}
        together = type(f"{base.__name__}Together", (cls,), joined)()
        together.model, together.cohorts = cohorts[0].model, tuple(cohorts)
        together.names = [name for cohort in cohorts for name in cohort.names]
        together.rows, together.worlds = len(together.names), together.model.worlds
        together._blocks, together._layouts = _Joined(cohorts, vars(together)), {}
        together._keep_up_to_date()
        together._sealed = True
        return together

    def _keep_up_to_date(self):
        """Let the cohorts know in which joined blocks theirs are, so that these are forgotten with them."""
        overlapping = {several for cohort in self.cohorts for several in cohort._joined_in}
        for several in overlapping:
            several._blocks.elsewhere.append(vars(self))
            self._blocks.elsewhere.append(vars(several))
        for cohort in self.cohorts:
            cohort._joined_in = (*cohort._joined_in, self)
            cohort._layouts.clear()

    def do(self, rule):
        """Run a rule of the base class once; TypeError where a cohort's class has a version of its own."""
        if rule in self._changed:
            raise TypeError(f"{rule}: not all of {', '.join(c.group for c in self.cohorts)} share this rule")
        getattr(self, rule)()
        return self


def _asked_of_each(name, base, own_answer):
    """The property of the base class, and in the rows of cohorts that have their own answer, theirs."""
    asked = [at for at, own in enumerate(own_answer) if own]

    def joined(self):
        whole = np.array(base.fget(self))
        for at in asked:
            whole[self._blocks.rows[at]] = getattr(self.cohorts[at], name)
        return whole

    return joined


class Mechanism(_Holder):
    """Base of the markets and the rules of the game: States and Params declared as on an agent, with one row.

    Blocks are `(1, worlds)`; a mechanism that sets `rows` before `allocate()` has States `(rows, worlds)`,
    while its Params keep one row. `group` is the first word of its Params' paths. `schedules` says what else it carries
    from month to month: pairs of an attribute and a sentence about it, that lie along contracts' months or vintages.
    """

    group = None
    schedules = ()
    names = ()
    rows = 1

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        _members(cls, Mechanism)

    def __init__(self, model):
        if self.group is None:
            raise TypeError(f"{type(self).__name__} has no group, so it is a base class")
        if self.group in model.mechanisms:
            raise ValueError(f"the model has a mechanism {self.group!r} already")
        self.model, self.worlds, self._blocks, self._layouts = model, model.worlds, vars(self), {}
        model.mechanisms[self.group] = self

    def set_rows(self, names, block):
        """Assign several States of one row each, all numbers: the rows of a block ``(names, worlds)``, frozen here.

        ValueError where the block has another shape, type or layout.
        """
        fits = block.shape == (len(names), self.worlds) and block.dtype == np.float64
        if not (fits and block.flags.c_contiguous):
            raise ValueError(f"{', '.join(names)}: {block.dtype} {block.shape} does not fit these States")
        self._blocks.update(zip(names, _freeze(block)[:, None], strict=True))


class WorldsModel(mesa.Model):
    """A Mesa model whose agents live in many worlds at once.

    `worlds` is a number n (luck numbers 0 to n-1) or a list of luck numbers, which may repeat; `rng` is the
    seed, a whole number. Attributes: `luck` (int64 array), `worlds` (their number), `seed`, `mechanisms` (by
    group), `made_of_params` (where what is made of Params alone is kept, until one is set).
    Make all mechanisms and agents, then call `allocate()`.
    """

    def __init__(self, worlds, rng):
        if isinstance(rng, bool) or not isinstance(rng, int | np.integer):
            raise TypeError(f"rng is a whole number, the seed, not {rng!r}")
        super().__init__(rng=int(rng))
        luck = np.arange(worlds) if np.ndim(worlds) == 0 else np.array(worlds)
        if luck.ndim != 1 or luck.size == 0 or luck.dtype.kind not in "iu" or luck.min() < 0:
            raise ValueError("worlds is a positive number, or a list of luck numbers from 0 up")
        self.luck = _freeze(luck.astype(np.int64))
        self.worlds, self.seed, self.mechanisms, self.allocated = luck.size, int(rng), {}, False
        self.made_of_params, self._by_group = [], None

    def register_agent(self, agent):
        """Register an agent with Mesa, with a Cohort where Mesa keeps the agents of its class."""
        if isinstance(agent, Actor):
            cohort = self._agents_by_type.get(type(agent))
            cohort = type(agent)._cohort_class(self) if cohort is None else cohort
            cohort.add(agent)
            self._agents_by_type[type(agent)] = cohort
        super().register_agent(agent)

    def allocate(self):
        """Make every block, States and Params at their defaults; all agents and mechanisms exist by now."""
        if self.allocated:
            raise RuntimeError("the worlds are allocated already")
        self._by_group = self._holders()
        for holder in self._by_group.values():
            holder._allocate(self.worlds)
        for actor in self.agents:
            actor._sealed = True
        self.allocated = True

    def set_param(self, path, value, mask=None):
        """Set a Param, everywhere or in the worlds of `mask` (bool, `(worlds,)`).

        `path` is `group.name` (all agents of the group) or `group.Agent Name.name`; `value` is a scalar, or
        has one entry per world, each checked. Raises UnknownPath, ParamError, or ValueError for a shape.
        """
        holder, rows, param = self._locate(path)
        everywhere, given = mask is None, np.asarray(value)
        mask = np.ones(self.worlds, dtype=bool) if everywhere else np.asarray(mask)
        if given.shape not in ((), mask.shape) or mask.shape != (self.worlds,) or mask.dtype != bool:
            raise ValueError(
                f"{path}: one value or one per world, where the mask (one flag per world) is set"
            )
        checked = np.array([param.check(each) for each in given.ravel().tolist()], dtype=param.dtype)
        for kept, name in self.made_of_params:
            del kept[name]
        self.made_of_params.clear()
        block = holder._blocks[param.name].copy()
        block[rows] = checked if everywhere else np.where(mask, checked, block[rows])
        holder._replace(param.name, _freeze(block))

    def param(self, path):
        """The values of a Param: `(agents, worlds)`, or `(1, worlds)` for one agent or a mechanism."""
        holder, rows, param = self._locate(path)
        return holder._blocks[param.name][rows]

    def declared(self):
        """Every Param of the model's agents and mechanisms, as a list of (group, Param)."""
        return [(group, param) for group, one in self._holders().items() for param in one._params.values()]

    def _holders(self):
        """Give all cohorts and mechanisms by their group; once the worlds are allocated there come no more."""
        if self._by_group is not None:
            return self._by_group
        cohorts = [each for each in self._agents_by_type.values() if isinstance(each, Cohort)]
        holders = self.mechanisms | {cohort.group: cohort for cohort in cohorts}
        if len(holders) < len(self.mechanisms) + len(cohorts):
            raise ValueError(f"two classes share a group: {[type(each).__name__ for each in cohorts]}")
        return holders

    def _locate(self, path):
        group, _, rest = path.partition(".")
        agent, _, name = rest.rpartition(".")
        holders = self._holders()
        holder = holders.get(group)
        if holder is None or name not in holder._params or (agent and agent not in holder.names):
            paths = [f"{g}.{p}" for g, h in holders.items() for p in h._params]
            paths += [f"{g}.{n}.{p}" for g, h in holders.items() for n in h.names for p in h._params]
            raise UnknownPath(path, _nearest(path, paths))
        if not self.allocated:
            raise RuntimeError(f"{path} has no numbers yet: call model.allocate() first")
        row = holder.names.index(agent) if agent else None
        return holder, slice(None) if row is None else slice(row, row + 1), holder._params[name]


def declarations(classes):
    """One row (a dict) per Param of these classes: what scenario files, docs, sliders and sweeps need."""
    fields = ("name", "kind", "default", "unit", "low", "high", "choices", "sentence", "source")
    return _table(classes, "_params", fields)


def state_declarations(classes):
    """One row (a dict) per State of these classes."""
    return _table(classes, "_states", ("name", "dtype", "default", "unit", "over", "rows", "sentence"))


def _table(classes, kind, fields):
    rows = [(cls, declared) for cls in classes for declared in getattr(cls, kind).values()]
    return [
        {"group": cls.group, **{field: getattr(one, field) for field in fields}, "owner": one.owner.__name__}
        for cls, one in rows
    ]
