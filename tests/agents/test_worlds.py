"""State, Param, Cohort, Mechanism: one text of a rule for an agent, a cohort and any number of worlds."""

import gc
import pickle
import weakref

import mesa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesa.agent import AgentSet
from mesa.experimental.mesa_signals import ModelSignals

from agents.worlds import (
    Actor,
    Mechanism,
    Param,
    ParamError,
    State,
    Together,
    UnknownPath,
    WorldsModel,
    declarations,
    of_params,
    state_declarations,
    total,
)

WIDTHS = (1, 7, 64, 256)


class Weather(Mechanism):
    group = "weather"
    heat = State("degrees", "how hot it is", default=20.0)
    seasons = State("degrees", "heat of each season", over=4)
    enabled = Param(True, "flag", None, "Whether the weather matters.")
    swing = Param(2.0, "degrees", (0, 10), "How far the heat moves.")

    def blow(self):
        self.heat = self.heat + np.where(self.enabled, self.swing * np.sin(self.model.luck + 0.1), 0.0)


class Contracts(Mechanism):
    group = "contracts"
    amount = State("US$bn", "what a contract is worth", default=3.0)
    share = Param(0.5, "share", (0, 1), "Share that is paid.")

    def __init__(self, model, rows):
        super().__init__(model)
        self.rows = rows


class Firm(Actor):
    """A firm for these tests; not an agent by itself, since it names no group."""

    cash = State("US$bn", "money in the bank", default=10.0)
    open = State("flag", "still trades", default=True, dtype=bool)
    due = State("month", "month of the next payment", default=12, dtype=int)
    memory = State("US$bn", "cash of the last three months", over=3)
    growth = Param(0.02, "per month", (-1, 1), "Growth of cash.", source="a test")
    patience = Param(3, "months", (0, 12), "How long it waits.", whole=True)

    @of_params
    def yearly_growth(self):
        """Growth of a year."""
        return 12.0 * self.growth

    @property
    def runway(self):
        return np.minimum(self.cash / np.maximum(self.growth, 1e-3), 120.0)

    def remember(self):
        self.memory = np.concatenate([self.memory[1:], self.cash[np.newaxis]])

    def grow(self):
        surprise = np.tanh(self.model.luck * 0.01 + self.model.mechanisms["weather"].heat * 0.1)
        self.cash = np.exp(self.growth * surprise) * self.cash + np.log1p(np.abs(self.memory[0]))
        self.cash = np.exp(0.97 * np.log(self.cash))


class Lab(Firm):
    group = "lab"
    policy = Param("careful", "choice", None, "How it plans.", choices=("careful", "bold", "reckless"))
    quality = State("log units", "how good its model is", default=1.0)

    def grow(self):
        Firm.grow(self)
        self.quality = self.quality + np.where(self.policy == 1, np.sqrt(self.cash), 0.1)

    def close(self):
        self.open = self.open & (self.runway > 60.0)
        self.due = np.where(self.open, self.due + 1, self.due)
        self.memory = np.where(self.open, self.memory, self.memory * total(self.memory))


class Lender(Firm):
    group = "lender"
    growth = Param(0.01, "per month", (-1, 1), "A lender grows slowly.")


class Town(WorldsModel):
    def __init__(self, worlds=4, rng=1, allocate=True):
        super().__init__(worlds, rng)
        self.weather = Weather(self)
        self.contracts = Contracts(self, rows=5)
        for name in ("Alpha", "Beta", "St. Gamma"):
            Lab(self, name)
        Lender(self, "Omega")
        if allocate:
            self.allocate()

    @property
    def labs(self):
        return self.agents_by_type[Lab]

    def step(self):
        self.weather.blow()
        for rule in ("remember", "grow", "close"):
            self.labs.do(rule)


def differing(luck):
    """A model whose Params differ between worlds as a function of the world's luck alone."""
    model = Town(luck)
    model.set_param("lab.growth", np.cos(model.luck) * 0.5)
    model.set_param("lab.Beta.growth", 0.3, mask=model.luck % 3 == 0)
    model.set_param("lab.policy", model.luck % 3)
    return model


def states_of(model):
    return {name: model.labs.get(name) for name in Lab._states}


# -- one text of a rule --------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_a_rule_gives_the_same_bits_on_rows_and_on_the_block(width):
    block, rows = differing(width), differing(width)
    for _ in range(4):
        block.step()
        rows.weather.blow()
        for rule in ("remember", "grow", "close"):
            for agent in rows.labs.to_list():
                getattr(agent, rule)()
    for name, values in states_of(block).items():
        np.testing.assert_array_equal(values, rows.labs.get(name), err_msg=name)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_world_is_the_same_alone_and_in_any_batch(width):
    batch = differing(width)
    batch.run_for(4)
    for world in {0, width // 2, width - 1}:
        alone = differing([world])
        alone.run_for(4)
        for name, values in states_of(alone).items():
            np.testing.assert_array_equal(values[..., 0], batch.labs.get(name)[..., world], err_msg=name)
        np.testing.assert_array_equal(
            alone.labs.agg("cash", np.sum)[0], batch.labs.agg("cash", np.sum)[world]
        )


def test_the_worlds_in_these_tests_really_differ():
    model = differing(64)
    model.run_for(4)
    assert all(np.unique(row).size > 60 for row in model.labs.cash)
    assert 0 < np.count_nonzero(model.labs.open) < model.labs.open.size


def test_an_agent_s_rule_writes_its_own_row_only():
    model = differing(7)
    before = states_of(model)
    model.labs.to_list()[1].grow()
    for name, values in states_of(model).items():
        np.testing.assert_array_equal(values[..., [0, 2], :], before[name][..., [0, 2], :])
    assert (model.labs.cash[1] != before["cash"][1]).all()


def test_do_runs_the_function_once_for_the_cohort_and_a_callable_for_each_agent():
    model = Town()
    seen = []
    model.labs.do(seen.append)
    assert seen == model.labs.to_list()
    model.labs.do("grow").do("close")
    with pytest.raises(AttributeError, match="no attribute 'grwo'"):
        model.labs.do("grwo")


def test_a_property_reads_the_block_or_the_row():
    labs = differing(7).labs
    assert labs.runway.shape == labs.get("runway").shape == (3, 7)
    np.testing.assert_array_equal(labs.to_list()[2].runway, labs.runway[2])


# -- arrays --------------------------------------------------------------------------------------------------


def test_shapes_of_states_and_params():
    model = Town(7)
    lab, labs = model.labs.to_list()[1], model.labs
    assert (labs.cash.shape, labs.memory.shape, labs.growth.shape) == ((3, 7), (3, 3, 7), (3, 7))
    assert (lab.cash.shape, lab.memory.shape, lab.growth.shape) == ((7,), (3, 7), (7,))
    assert (model.weather.heat.shape, model.weather.seasons.shape) == ((1, 7), (4, 1, 7))
    assert (model.contracts.amount.shape, model.contracts.share.shape) == ((5, 7), (1, 7))
    assert (labs.open.dtype, labs.due.dtype, labs.policy.dtype) == (bool, np.int64, np.int64)
    assert (labs.patience.dtype, model.weather.enabled.dtype) == (np.int64, bool)


def test_an_array_read_earlier_stays_what_it_was():
    labs = Town().labs
    agent = labs.to_list()[0]
    block, row = labs.cash, agent.cash
    labs.cash = labs.cash + 1.0
    agent.cash = 99.0
    assert (block == 10.0).all() and (row == 10.0).all()
    np.testing.assert_array_equal(labs.cash, [[99.0] * 4, [11.0] * 4, [11.0] * 4])


def test_blocks_are_read_only_real_c_contiguous_arrays_and_never_changed_in_place():
    model = differing(7)
    labs, agent = model.labs, model.labs.to_list()[1]
    model.step()
    agent.cash = 5.0
    labs.memory = labs.cash
    for name in (*Lab._states, *Lab._params):
        block = labs.get(name)
        assert block.flags.c_contiguous and not block.flags.writeable and 0 not in block.strides, name
        assert not getattr(agent, name).flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        labs.cash += 1.0
    with pytest.raises(ValueError, match="read-only"):
        agent.cash += 1.0


def test_assigning_takes_over_an_array_that_fits_and_copies_one_that_does_not():
    labs = Town(8).labs
    fits = np.ones((3, 8))
    labs.cash = fits
    assert labs.cash is fits and not fits.flags.writeable
    for other in (
        np.asfortranarray(np.ones((3, 8))),
        np.ones((4, 8))[:3],
        np.ones(8),
        np.ones((3, 8), dtype=int),
    ):
        labs.cash = other
        assert not np.shares_memory(labs.cash, other) and other.flags.writeable
        assert labs.cash.flags.c_contiguous and (labs.cash == 1.0).all()


def test_assigning_broadcasts():
    model = Town()
    labs, agent, worlds = model.labs, model.labs.to_list()[1], np.arange(4.0)
    labs.cash = worlds
    np.testing.assert_array_equal(labs.cash, [worlds] * 3)
    labs.memory = labs.cash * 2
    np.testing.assert_array_equal(labs.memory, np.broadcast_to(worlds * 2, (3, 3, 4)))
    agent.cash = model.weather.heat  # (1, worlds)
    np.testing.assert_array_equal(agent.cash, [20.0] * 4)
    agent.memory = (
        model.weather.heat[np.newaxis] + np.arange(3.0)[:, np.newaxis, np.newaxis]
    )  # (3, 1, worlds)
    np.testing.assert_array_equal(agent.memory[:, 0], [20.0, 21.0, 22.0])
    labs.due = 3
    labs.open = False
    assert labs.due.dtype == np.int64 and not labs.open.any()
    labs.set("cash", 1)
    assert labs.cash.dtype == np.float64 and (labs.cash == 1.0).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("open", 1.0),
        ("open", 1),
        ("due", 1.5),
        ("due", np.ones((3, 4))),
        ("cash", 1j),
        ("cash", "rich"),
        ("due", np.uint64(3)),
    ],
)
def test_a_state_refuses_what_would_lose_something(name, value):
    labs = Town().labs
    for holder in (labs, labs.to_list()[0]):
        before = labs.get(name)
        with pytest.raises(TypeError, match=name):
            setattr(holder, name, value[0] if holder is not labs and np.ndim(value) == 2 else value)
        assert labs.get(name) is before


def test_a_state_refuses_a_wrong_shape():
    labs = Town().labs
    for holder, shape in ((labs, (2, 4)), (labs, (3, 5)), (labs, (1, 3, 4)), (labs.to_list()[0], (3, 4))):
        with pytest.raises(ValueError, match="would not fit"):
            holder.cash = np.ones(shape)


@given(st.integers(1, 12), st.sampled_from(WIDTHS), st.integers(0, 2**32 - 1))
def test_total_has_the_same_bits_in_every_layout_and_width(rows, width, seed):
    values = np.random.default_rng(seed).lognormal(0, 9, (rows, width))
    sums = total(values)
    np.testing.assert_array_equal(sums, total(np.asfortranarray(values)))
    np.testing.assert_array_equal(sums, total(values.T, axis=1))
    np.testing.assert_array_equal(sums, [total(values[:, [world]])[0] for world in range(width)])
    np.testing.assert_allclose(sums, values.sum(axis=0), rtol=1e-12)


def test_total_counts_flags_and_sums_nothing_to_zero():
    assert total(np.ones((5, 2), dtype=bool)).tolist() == [5, 5]
    assert total(np.ones((0, 2))).tolist() == [0.0, 0.0]


# -- Mesa ----------------------------------------------------------------------------------------------------


def test_a_cohort_is_what_mesa_calls_the_agents_of_a_type():
    model = Town()
    labs = model.agents_by_type[Lab]
    agent = labs.to_list()[0]
    assert isinstance(labs, AgentSet) and isinstance(agent, mesa.Agent)
    assert agent.cohort is labs and labs.cohort is labs
    assert labs.names == ["Alpha", "Beta", "St. Gamma"] and len(labs) == labs.rows == 3
    assert [each.row for each in labs] == [0, 1, 2] and labs.worlds == agent.worlds == 4
    assert [each.unique_id for each in model.agents] == [1, 2, 3, 4]
    table = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(table[..., labs.row, :], table)
    np.testing.assert_array_equal(table[..., agent.row, :], table[0])


def test_run_for_advances_time_and_steps():
    model = Town()
    model.run_for(3)
    assert (model.time, model.steps) == (3, 3)


def test_seed_and_luck():
    model = Town(np.array([5, 5, 900]), rng=np.int64(7))
    assert model.luck.tolist() == [5, 5, 900] and model.worlds == 3 and model.seed == 7
    assert Town(3).luck.tolist() == [0, 1, 2]
    assert model.random.random() == Town(rng=7).random.random()
    for worlds in (0, -1, 2.5, [], [0.5], [-1], [[1, 2]]):
        with pytest.raises(ValueError, match="luck numbers"):
            Town(worlds)
    for rng in (None, 1.0, "1", True):
        with pytest.raises(TypeError, match="seed"):
            Town(rng=rng)


def test_agg_gives_one_number_per_world():
    labs = differing(7).labs
    labs.do("grow")
    np.testing.assert_array_equal(labs.agg("cash", np.sum), total(labs.cash))
    np.testing.assert_array_equal(labs.agg("cash", sum), total(labs.cash))
    np.testing.assert_array_equal(labs.agg("cash", max), labs.cash.max(axis=0))
    np.testing.assert_allclose(labs.agg("cash", np.mean), np.mean(labs.cash, axis=0), rtol=1e-14)
    np.testing.assert_allclose(labs.agg("cash", np.std), np.std(labs.cash, axis=0), rtol=1e-12)
    np.testing.assert_allclose(
        labs.agg("growth", np.var), np.var(labs.growth, axis=0), rtol=1e-12, atol=1e-20
    )
    np.testing.assert_array_equal(labs.agg("runway", np.median), np.median(labs.runway, axis=0))
    low, high = labs.agg("cash", [min, max])
    assert low.shape == high.shape == (7,) and (low <= high).all()
    assert labs.agg("memory", np.sum).shape == (3, 7)
    assert labs.agg("open", np.sum).tolist() == [3] * 7
    assert labs.agg("unique_id", max) == 3


@pytest.mark.parametrize("func", [np.sum, np.mean, np.var, np.std])
def test_agg_gives_a_world_the_same_bits_in_any_batch(func):
    class Crowd(Actor):
        group = "crowd"
        wealth = State("US$bn", "what one owns")

    def crowd(luck):
        model = WorldsModel(luck, rng=1)
        Crowd.create_agents(model, 45, [f"agent {number}" for number in range(45)])
        model.allocate()
        people = model.agents_by_type[Crowd]
        people.wealth = np.exp(9 * np.sin(np.arange(45.0)[:, np.newaxis] + model.luck))
        return people.agg("wealth", func)

    batch = crowd(64)
    for world in (0, 13, 63):
        assert crowd([world])[0] == batch[world]


def test_get_gives_the_block_and_otherwise_what_mesa_gives():
    labs = Town().labs
    assert labs.get("cash") is labs.cash
    assert labs.get("name") == labs.names
    assert labs.get("colour", handle_missing="default", default_value="grey") == ["grey"] * 3
    assert np.shape(labs.get(["cash", "quality"])) == (3, 2, 4)


def test_select_groupby_copy_sort_and_shuffle_give_ordinary_agent_sets():
    labs = Town().labs
    beta = labs.to_list()[1]
    chosen = labs.select(lambda agent: agent.name == "Beta")
    sorted_ = labs.sort("name")
    sets = [
        labs.copy(),
        labs.select(),
        chosen,
        sorted_,
        labs.shuffle(),
        labs | labs,
        labs.groupby("row").groups[1],
    ]
    assert all(type(each) is AgentSet for each in sets)
    assert chosen.to_list() == [beta] and sorted_.to_list() == labs.to_list()[::-1]
    chosen.do("grow")
    assert (labs.cash[1] != 10.0).all() and (labs.cash[[0, 2]] == 10.0).all()
    assert labs.groupby("name").count() == {"Alpha": 1, "Beta": 1, "St. Gamma": 1}


@pytest.mark.parametrize(
    "attempt",
    [
        lambda labs, lab: labs.shuffle_do("grow"),
        lambda labs, lab: labs.shuffle(inplace=True),
        lambda labs, lab: labs.sort("name", inplace=True),
        lambda labs, lab: labs.select(lambda agent: False, inplace=True),
        lambda labs, lab: labs.remove(lab),
        lambda labs, lab: labs.discard(lab),
        lambda labs, lab: labs.pop(),
        lambda labs, lab: labs.clear(),
        lambda labs, lab: lab.remove(),
        lambda labs, lab: Lab(lab.model, "Delta"),
        lambda labs, lab: lab.model.allocate(),
    ],
)
def test_what_would_break_the_rows_is_refused(attempt):
    model = Town()
    agents, members = list(model.agents), model.labs.to_list()
    with pytest.raises(RuntimeError, match=r"rows of arrays|too late|allocated already"):
        attempt(model.labs, members[0])
    assert list(model.agents) == agents and model.labs.to_list() == members and model.labs.rows == 3


def test_an_agent_that_is_refused_leaves_no_trace():
    model = Town(allocate=False)
    with pytest.raises(ValueError, match="no place"):
        Lab(model, "Beta")
    assert len(model.agents) == 4 and model.labs.names == ["Alpha", "Beta", "St. Gamma"]
    with pytest.raises(ValueError, match="no place"):
        model.labs.add(model.agents_by_type[Lender].to_list()[0])


def test_mesa_still_says_when_an_agent_joins():
    heard = []

    def hear(message):
        heard.append(message)

    model = WorldsModel(2, rng=1)
    model.observe("agents", ModelSignals.AGENT_ADDED, hear)
    Lab(model, "Alpha")
    assert len(heard) == 1


def test_ordinary_mesa_agents_live_beside_cohorts():
    model = Town(allocate=False)
    plain = mesa.Agent(model)
    model.allocate()
    assert type(model.agents_by_type[mesa.Agent]) is not type(model.labs) and plain in model.agents


def test_a_model_can_be_collected():
    model = Town()
    model.run_for(2)
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None


# -- names ---------------------------------------------------------------------------------------------------


def test_a_misspelled_name_is_refused_with_the_nearest_one():
    model = Town()
    agent = model.labs.to_list()[0]
    for holder in (model.labs, agent):
        with pytest.raises(AttributeError, match="'cahs'; did you mean 'cash'"):
            holder.cahs = 1.0
        with pytest.raises(AttributeError, match="no attribute 'qualty'"):
            _ = holder.qualty
        with pytest.raises(AttributeError, match="grow"):
            holder.grow = 1.0
    with pytest.raises(AttributeError, match="'haet'; did you mean 'heat'"):
        model.weather.haet = 1.0
    with pytest.raises(AttributeError, match="no attribute 'name'"):
        _ = model.labs.name


def test_an_error_inside_a_property_keeps_its_own_text():
    class Odd(Actor):
        group = "odd"

        @property
        def trouble(self):
            return self.model.no_such_market

    model = WorldsModel(1, rng=1)
    odd = Odd(model, "One")
    with pytest.raises(AttributeError, match="no_such_market"):
        _ = odd.trouble


def test_plain_attributes_may_be_set_in_the_constructor_and_changed_later():
    class Placed(Actor):
        group = "placed"

        def __init__(self, model, name, state):
            super().__init__(model, name)
            self.state = state

    model = WorldsModel(1, rng=1)
    placed = Placed(model, "One", state="Texas")
    model.allocate()
    placed.state = "Ohio"
    assert placed.state == "Ohio"


def test_blocks_do_not_exist_before_allocate():
    model = Town(allocate=False)
    for read in (lambda: model.weather.swing, lambda: model.param("lab.growth")):
        with pytest.raises(RuntimeError, match="allocate"):
            read()
    with pytest.raises(AttributeError, match="no attribute 'cash'"):
        _ = model.labs.cash
    with pytest.raises(RuntimeError, match="allocate"):
        model.labs.to_list()[0].cash = 1.0


def declare(**body):
    return type("Made", (Actor,), {"group": "made", **body})


@pytest.mark.parametrize("name", ["get", "map", "row", "names", "model", "random", "scenario", "step"])
def test_a_state_cannot_take_a_name_of_mesa_s(name):
    with pytest.raises(TypeError, match="already"):
        declare(**{name: State("unit", "a sentence")})


def test_super_in_a_rule_is_refused():
    with pytest.raises(TypeError, match="super"):

        class Wrong(Firm):
            group = "wrong"

            def grow(self):
                super().grow()


def test_a_declaration_has_one_name():
    shared = State("unit", "a sentence")
    with pytest.raises(TypeError, match="second time"):
        declare(one=shared, two=shared)


def test_a_class_without_a_group_makes_no_agents_and_a_group_has_one_class():
    model = WorldsModel(1, rng=1)
    with pytest.raises(TypeError, match="no group"):
        Firm(model, "One")
    with pytest.raises(TypeError, match="no group"):
        Mechanism(model)
    Weather(model)
    with pytest.raises(ValueError, match="already"):
        Weather(model)
    declare()(model, "One"), declare()(model, "Two")
    with pytest.raises(ValueError, match="share a group"):
        model.allocate()


def test_a_mechanism_takes_the_rows_of_a_block_for_its_states():
    weather, block = Town().mechanisms["weather"], np.arange(4.0)[None] * 2.0
    weather.set_rows(["heat"], block)
    assert np.array_equal(weather.heat, block) and weather.heat.shape == (1, 4)
    assert not weather.heat.flags.writeable and not block.flags.writeable


@pytest.mark.parametrize(
    "block", [np.zeros((2, 4)), np.zeros((1, 5)), np.zeros((1, 4), dtype=int), np.zeros((1, 8))[:, ::2]]
)
def test_rows_of_another_shape_type_or_layout_are_refused(block):
    with pytest.raises(ValueError, match="does not fit"):
        Town().mechanisms["weather"].set_rows(["heat"], block)


# -- Params --------------------------------------------------------------------------------------------------

NUMBER = Param(0.5, "share", (0, 1), "A number.")
WHOLE = Param(3, "months", (0, 12), "A whole number.", whole=True)
CHOICE = Param("b", "choice", None, "A choice.", choices=("a", "b"))
FLAG = Param(False, "flag", None, "A flag.")


@pytest.mark.parametrize(
    ("param", "value", "stored"),
    [
        (NUMBER, 1, 1.0),
        (NUMBER, 0.25, 0.25),
        (NUMBER, np.float64(0.25), 0.25),
        (WHOLE, 12, 12),
        (WHOLE, 2.0, 2),
        (WHOLE, np.int32(4), 4),
        (CHOICE, "a", 0),
        (CHOICE, "b", 1),
        (CHOICE, 1, 1),
        (FLAG, True, True),
        (FLAG, np.bool_(False), False),
    ],
)
def test_check_returns_what_is_stored(param, value, stored):
    checked = param.check(value)
    assert checked == stored and type(checked) is type(stored)


@pytest.mark.parametrize(
    ("param", "value"),
    [
        (param, value)
        for param in (NUMBER, WHOLE, CHOICE, FLAG)
        for value in (None, float("nan"), "x", [1], 1e400)
    ]
    + [(NUMBER, 1.01), (NUMBER, -0.01), (NUMBER, True), (NUMBER, "0.5"), (NUMBER, 10**400), (NUMBER, 1j)]
    + [(WHOLE, 2.5), (WHOLE, 13), (WHOLE, False), (CHOICE, 2), (CHOICE, -1), (CHOICE, 1.0), (CHOICE, True)]
    + [(FLAG, 0), (FLAG, 1), (FLAG, "true")],
)
def test_check_refuses(param, value):
    with pytest.raises(ParamError) as error:
        param.check(value)
    assert (error.value.allowed, error.value.unit) == (param.allowed, param.unit)
    assert param.allowed in str(error.value) and param.unit in str(error.value)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_check_accepts_a_number_exactly_when_it_is_in_range(value):
    if 0 <= value <= 1:
        assert NUMBER.check(value) == value
    else:
        with pytest.raises(ParamError):
            NUMBER.check(value)


def test_a_param_error_says_which_values_are_allowed_and_survives_pickling():
    for param, text in (
        (NUMBER, "a number from 0 to 1"),
        (WHOLE, "a whole number from 0 to 12"),
        (CHOICE, "one of 'a', 'b'"),
        (FLAG, "true or false"),
    ):
        assert param.allowed == text
    error = pickle.loads(pickle.dumps(ParamError(7, "a number from 0 to 1", "share")))
    assert str(error) == "7 is not a number from 0 to 1 (share)" and error.value == 7
    assert pickle.loads(pickle.dumps(UnknownPath("lab.x", "lab.y"))).nearest == "lab.y"


@pytest.mark.parametrize(
    ("default", "bounds", "options"),
    [
        (2.0, (0, 1), {}),
        (0.5, (1, 0), {}),
        (0.5, (0, float("inf")), {}),
        (0.5, (float("nan"), 1), {}),
        (1.5, (0, 2), {"whole": True}),
        ("c", None, {"choices": ("a", "b")}),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(default, bounds, options):
    with pytest.raises(ValueError):
        Param(default, "unit", bounds, "A sentence.", **options)


def test_set_param_for_a_group_an_agent_and_a_mask():
    model = Town()
    before = model.labs.growth
    model.set_param("lab.growth", 0.5)
    model.set_param("lab.Beta.growth", [0.1, 0.2, 0.3, 0.4])
    model.set_param("lab.St. Gamma.growth", -1, mask=np.array([True, False, False, True]))
    model.set_param("lab.policy", np.array(["careful", "bold", "reckless", "bold"]))
    model.set_param("weather.enabled", False, mask=model.luck == 2)
    assert (before == 0.02).all()
    expected = [[0.5] * 4, [0.1, 0.2, 0.3, 0.4], [-1.0, 0.5, 0.5, -1.0]]
    np.testing.assert_array_equal(model.param("lab.growth"), expected)
    np.testing.assert_array_equal(model.labs.growth, expected)
    np.testing.assert_array_equal(model.param("lab.Beta.growth"), expected[1:2])
    np.testing.assert_array_equal(model.labs.policy, [[0, 1, 2, 1]] * 3)
    np.testing.assert_array_equal(model.weather.enabled, [[True, True, False, True]])
    np.testing.assert_array_equal(model.param("lender.growth"), [[0.01] * 4])


def test_what_is_made_of_params_is_made_anew_once_a_param_is_set():
    model = Town()
    labs, alpha = model.labs, next(iter(model.labs))
    first = labs.yearly_growth
    assert labs.yearly_growth is first and np.array_equal(first, np.full((3, 4), 12.0 * 0.02))
    assert np.array_equal(alpha.yearly_growth, first[0])
    model.set_param("lab.Alpha.growth", 0.5, mask=model.luck == 2)
    assert np.array_equal(labs.yearly_growth, 12.0 * labs.growth) and labs.yearly_growth[0, 2] == 6.0
    assert np.array_equal(alpha.yearly_growth, labs.yearly_growth[0]) and first[0, 2] == 12.0 * 0.02
    joined = Together.of(Firm, [labs, model.agents_by_type[Lender]])
    assert np.array_equal(joined.yearly_growth, 12.0 * joined.growth)
    for holder in (labs, alpha):
        with pytest.raises(AttributeError, match="yearly_growth is made of Params"):
            holder.yearly_growth = first


def test_set_param_refuses_and_then_changes_nothing():
    model = Town()
    before = model.labs.growth
    for value, error in (
        (2, ParamError),
        ([0, 0, 0, 2], ParamError),
        ([0, 0], ValueError),
        (None, ParamError),
    ):
        with pytest.raises(error):
            model.set_param("lab.growth", value)
    for mask in ([1, 0, 0, 0], [True], np.ones((3, 4), dtype=bool)):
        with pytest.raises(ValueError, match="mask"):
            model.set_param("lab.growth", 0.1, mask=mask)
    assert model.labs.growth is before


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("lab.grwth", "lab.growth"),
        ("lba.growth", "lab.growth"),
        ("lab.Betta.growth", "lab.Beta.growth"),
        ("weather.swin", "weather.swing"),
        ("weather.Beta.swing", "weather.swing"),
        ("lab.cash", None),
        ("lab", None),
        ("", None),
    ],
)
def test_an_unknown_path_names_the_nearest(path, nearest):
    model = Town()
    with pytest.raises(UnknownPath) as error:
        model.set_param(path, 0.0)
    assert isinstance(error.value, KeyError) and error.value.path == path
    if nearest:
        assert error.value.nearest == nearest and f"did you mean {nearest!r}?" in str(error.value)


def test_rules_cannot_write_params():
    model = Town()
    for holder in (model.labs, model.labs.to_list()[0]):
        with pytest.raises(AttributeError, match="scenario sets it"):
            holder.growth = 0.1
    with pytest.raises(AttributeError, match="scenario sets it"):
        model.weather.swing = 1.0


def test_each_group_has_its_own_declaration_of_an_inherited_param():
    assert (Lab.growth.group, Lender.growth.group, Firm.growth.group) == ("lab", "lender", None)
    assert (Lab.growth.owner, Lender.growth.owner) == (Firm, Lender)
    assert (Lab.growth.default, Lender.growth.default) == (0.02, 0.01)
    model = Town()
    assert ("lab", Lab.growth) in model.declared() and ("weather", Weather.swing) in model.declared()
    assert all(group == param.group for group, param in model.declared())
    assert all(model.param(f"{group}.{param.name}").shape[-1] == 4 for group, param in model.declared())


def test_declarations_are_tables():
    rows = {(row["group"], row["name"]): row for row in declarations([Lab, Lender, Weather])}
    assert rows["lab", "growth"] == {
        "group": "lab",
        "name": "growth",
        "kind": "number",
        "default": 0.02,
        "unit": "per month",
        "low": -1,
        "high": 1,
        "choices": None,
        "sentence": "Growth of cash.",
        "source": "a test",
        "owner": "Firm",
    }
    assert rows["lab", "policy"]["choices"] == ("careful", "bold", "reckless")
    assert {row["kind"] for row in rows.values()} == {"number", "whole", "choice", "flag"}
    states = {(row["group"], row["name"]): row for row in state_declarations([Lab, Weather])}
    assert states["lab", "memory"]["over"] == 3 and states["lab", "open"]["dtype"].kind == "b"
    assert states["weather", "heat"]["unit"] == "degrees" and states["lab", "cash"]["owner"] == "Firm"


# -- cohorts together ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_cohorts_together_do_what_they_do_one_by_one(width):
    one, many = differing(width), differing(width)
    several = Together.of(Firm, [many.labs, many.agents_by_type[Lender]])
    assert several.names == ["Alpha", "Beta", "St. Gamma", "Omega"] and several.rows == 4
    for _ in range(3):
        for cohort in (one.labs, one.agents_by_type[Lender]):
            cohort.do("remember")
        several.do("remember")
        one.agents_by_type[Lender].do("grow")
        many.agents_by_type[Lender].do("grow")
    for kind in (Lab, Lender):
        for name in Firm._states:
            assert np.array_equal(one.agents_by_type[kind].get(name), many.agents_by_type[kind].get(name))
    joined = [np.concatenate([c.get("memory") for c in several.cohorts], axis=-2)]
    assert np.array_equal(several.memory, joined[0]) and not several.memory.flags.writeable


def test_what_is_read_together_follows_every_cohort_and_every_param():
    model = Town()
    several = Together.of(Firm, [model.labs, model.agents_by_type[Lender]])
    before = several.cash
    assert several.cash is before
    model.labs.cash = model.labs.cash + 1.0
    assert np.array_equal(several.cash[:3], before[:3] + 1.0) and np.array_equal(several.cash[3:], before[3:])
    model.set_param("lender.growth", 0.5)
    assert (several.growth[3] == 0.5).all() and (several.growth[:3] == 0.02).all()
    several.cash = np.full((4, 4), 7.0)
    assert (model.labs.cash == 7.0).all() and (model.agents_by_type[Lender].cash == 7.0).all()


def test_cohorts_joined_twice_see_what_is_assigned_to_either_to_one_or_to_an_agent():
    model = Town()
    lender = model.agents_by_type[Lender]
    either, other = Together.of(Firm, [model.labs, lender]), Together.of(Firm, [model.labs])
    for several in (either, other):
        assert several.cash.shape[0] == several.rows  # so that both are joined by now
    either.cash = np.full((4, 4), 7.0)
    assert (other.cash == 7.0).all() and (model.labs.cash == 7.0).all()
    other.cash = np.full((3, 4), 8.0)
    assert (either.cash[:3] == 8.0).all() and (either.cash[3] == 7.0).all()
    lender.cash = np.full((1, 4), 9.0)
    next(iter(model.labs)).cash = np.full(4, 10.0)
    assert either.cash[:, 0].tolist() == [10.0, 8.0, 8.0, 9.0] and other.cash[:, 0].tolist() == [
        10.0,
        8.0,
        8.0,
    ]


def test_a_rule_that_one_class_has_changed_cannot_act_for_all():
    model = Town()
    several = Together.of(Firm, [model.labs, model.agents_by_type[Lender]])
    with pytest.raises(TypeError, match="grow: not all of lab, lender share"):
        several.do("grow")
    with pytest.raises(AttributeError, match="did you mean 'cash'"):
        several.cahs = 1.0
    with pytest.raises(AttributeError, match="scenario sets it"):
        several.growth = 0.1


class Miser(Firm):
    group = "miser"

    @property
    def runway(self):
        return np.full_like(self.cash, 3.0)


def test_a_property_that_one_class_has_changed_is_asked_of_each():
    model = Town(allocate=False)
    Miser(model, "Harpagon")
    model.allocate()
    several = Together.of(Firm, [model.labs, model.agents_by_type[Miser]])
    assert (several.runway[3] == 3.0).all() and np.array_equal(several.runway[:3], model.labs.runway)
