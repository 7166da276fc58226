"""A world is the same world alone, in any batch and chunk, and whatever happens in the worlds beside it."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import model.assembly
from model import DebtTrapModel, Decision, Event
from model.opening import read_opening
from scenarios import load, simulate
from scenarios.schema import Setting
from tests.properties import PARAMS, carried_by, of_world, settings_by_world

SEED = 3
MONTHS = 96
OUTCOMES = ("missed", "distressed", "default", "loss", "trap")


def run(worlds, setting=None, months=MONTHS, seed=SEED, kind=DebtTrapModel):
    """Run a model and give it back with its one piece of history."""
    one = kind(worlds=worlds, rng=seed, months=months, setting=setting)
    one.history.story = None
    one.run_for(months)
    return one, one.history.pieces[0]


def differences(piece, columns, other, other_columns, months=slice(None), leave_out=()):
    """Names of measures and outcomes that are not the same bits in these columns of two pieces."""
    names = [
        name
        for name, series in piece.measures.items()
        if name not in leave_out
        and not np.array_equal(
            series.values[months][..., columns],
            other.measures[name].values[months][..., other_columns],
            equal_nan=True,
        )
    ]
    if months == slice(None):
        names += [
            word
            for word in OUTCOMES
            if word not in leave_out
            and not np.array_equal(piece.outcomes[word][:, columns], other.outcomes[word][:, other_columns])
        ]
        if not np.array_equal(piece.peak_stress[columns], other.peak_stress[other_columns]):
            names.append("peak stress")
    return names


@pytest.fixture(scope="module")
def many():
    """The baseline in 256 worlds."""
    return run(256)


def luck_of(one):
    """All that the Tape was asked for: stream and kind -> draws."""
    return one.tape._drawn


# -- alone and in company ---------------------------------------------------------------------------------


def test_the_worlds_that_are_compared_have_something_to_tell(many):
    _, piece = many
    assert (piece.outcomes["default"] < 10_000).any()
    assert (piece.outcomes["distressed"] < 10_000).any()
    assert piece.outcomes["trap"].any()
    assert piece.outcomes["loss"].max() > 1.0
    assert len(piece.measures) > 40


def test_256_worlds_are_the_first_of_1024(many):
    _, piece = many
    _, more = run(1024)
    assert differences(piece, slice(None), more, slice(256)) == []


@pytest.mark.parametrize("world", [0, 7, 63, 64, 200])
def test_a_world_alone_is_the_same_world(many, world):
    _, piece = many
    _, alone = run([world])
    assert differences(alone, slice(None), piece, [world]) == []


def test_a_world_that_defaults_is_the_same_alone(many):
    _, piece = many
    world = int(np.argmax((piece.outcomes["default"] < 10_000).sum(axis=0)))
    _, alone = run([world])
    assert (alone.outcomes["default"] < 10_000).any()
    assert differences(alone, slice(None), piece, [world]) == []


@pytest.mark.parametrize("params", [{}, {"power.turbine_lead": 24, "power.queue_level": 3.0}])
def test_all_that_a_world_carries_on_is_the_same_alone(params):
    def carried(worlds):
        one = DebtTrapModel(worlds, SEED, MONTHS, Setting(params=params), record=False)
        one.run_for(40)
        return carried_by(one)

    together, worlds = carried(24), (5, 23)
    assert len(together) > 250
    assert {("halls", "ladder", "start"), ("hardware", "_book", "")} <= set(together)
    for world in worlds:
        for key, block in carried([world]).items():
            beside = together[key][..., [world]]
            assert np.array_equal(block, beside, equal_nan=block.dtype == float), (world, *key)


def test_luck_numbers_in_any_order_and_repeated(many):
    _, piece = many
    luck = [200, 7, 64, 0, 7, 63]
    _, shuffled = run(luck)
    assert differences(shuffled, slice(None), piece, luck) == []


@pytest.mark.parametrize("chunk", [1, 5])
def test_any_chunks_give_the_same_results(chunk):
    whole = simulate(load("efficiency_shock"), worlds=8, seed=SEED, months=24, chunk=64)
    parts = simulate(load("efficiency_shock"), worlds=8, seed=SEED, months=24, chunk=chunk)
    assert len(parts.pieces) == -(-8 // chunk)
    for name in whole.measures:
        assert np.array_equal(whole.measure(name), parts.measure(name), equal_nan=True), name
    assert whole.worlds().equals(parts.worlds())
    assert whole.events_frame().equals(parts.events_frame())
    assert whole.story_frame().equals(parts.story_frame())


def test_the_events_of_a_world_are_the_same_alone(many):
    one, piece = many
    world = int(np.argmax((piece.outcomes["default"] < 10_000).sum(axis=0)))
    alone, _ = run([world])
    told = one.history.events_frame()
    told = told[told["world"] == world].reset_index(drop=True)
    assert len(told) > 1
    assert told.equals(alone.history.events_frame())


def test_a_longer_horizon_only_appends():
    """Also where the lab fails early, and is owed for what it had promised for years after the horizon."""
    shut = Event(2, "equity_window", None, False, None, {"months": 60})
    slump = Setting(events=(Event(2, "demand_shock", None, -0.9), shut))
    short, long = (DebtTrapModel(16, SEED, months, slump, record=False) for months in (30, MONTHS))
    for month in range(30):
        short.step()
        long.step()
        for name in ("cash", "claims", "payable", "real_assets", "closed"):
            assert np.array_equal(getattr(short.ledger, name), getattr(long.ledger, name)), (month, name)
    assert short.ledger.closed[short.row("OpenAI")].any()


def test_another_seed_is_another_luck():
    _, one = run(4, months=24)
    _, other = run(4, months=24, seed=SEED + 1)
    assert differences(one, slice(None), other, slice(None))


# -- worlds that differ -----------------------------------------------------------------------------------


@settings(max_examples=12, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(st.data())
def test_parameters_events_and_decisions_by_world_are_those_of_each_world_alone(data):
    months = data.draw(st.sampled_from([18, 36]), label="months")
    setting = data.draw(settings_by_world(5, months), label="setting")
    _, together = run(5, setting, months=months)
    for world in (0, 3):
        _, alone = run([world], of_world(setting, world), months=months)
        assert differences(alone, slice(None), together, [world]) == []


@pytest.mark.parametrize(
    "path",
    [
        "openai.planning_lead",
        "solvency.trap_horizon",
        "openai.floor_share",
        "solvency.standstill",
        "technology.leak_lag",
        "hyperscaler.co_investment_share",
        "hyperscaler.herding",
        "joint_venture.enabled",
        "joint_venture.reading",
        "halls.hall_term",
    ],
)
def test_a_parameter_by_world_is_that_of_each_world_alone(path):
    row = next(row for row in PARAMS if f"{row['group']}.{row['name']}" == path)
    default = row["choices"].index(row["default"]) if row["choices"] else row["default"]
    setting = Setting(
        params={"joint_venture.enabled": True, path: np.array([row["low"], row["high"], default])}
    )
    _, together = run(3, setting, months=48)
    for world in range(3):
        _, alone = run([world], of_world(setting, world), months=48)
        assert differences(alone, slice(None), together, [world]) == []


SHOCKS = [
    Event(10, "breakthrough", None, 6.0, None, {"owner": "rival"}),
    Event(6, "demand_shock", None, -0.5),
    Event(4, "credit_freeze", None, 3.0, None, {"months": 12}),
    Event(4, "equity_window", None, False, None, {"months": 12}),
    Event(7, "heat_wave", "ERCOT", 0.3),
    Event(5, "delay", "Abilene site company", 12),
    Event(5, "chip_price", None, 0.5),
]


@pytest.mark.parametrize("event", SHOCKS, ids=lambda event: event.kind)
def test_an_event_in_some_worlds_leaves_the_others_alone(event):
    mask = np.array([True, False, True, False, False])
    _, quiet = run(5, months=36)
    _, everywhere = run(5, Setting(events=(event,)), months=36)
    _, some = run(5, Setting(events=(dataclasses.replace(event, mask=mask),)), months=36)
    assert differences(some, ~mask, quiet, ~mask) == []
    assert differences(some, mask, everywhere, mask) == []
    assert differences(some, mask, quiet, mask)


# -- what changes nobody's luck ---------------------------------------------------------------------------


@pytest.mark.parametrize("existing", [False, True])
def test_a_decision_leaves_the_luck_and_what_came_before_it_alone(existing):
    month = 20
    decision = Decision(month, "openai.floor_share", 0.2, existing=existing)
    one, before = run(8, months=48)
    other, after = run(8, Setting(decisions=(decision,)), months=48)
    assert luck_of(one).keys() == luck_of(other).keys()
    for stream, draws in luck_of(one).items():
        assert np.array_equal(draws, luck_of(other)[stream]), stream
    assert differences(before, slice(None), after, slice(None), months=slice(month - 1)) == []
    later = differences(before, slice(None), after, slice(None), months=slice(month - 1, None))
    assert bool(later) == existing  # it binds contracts signed later, or those that are signed already too


def test_a_policy_changes_nobodys_luck():
    def model_with(floor):
        return DebtTrapModel(8, SEED, MONTHS, Setting(params={"openai.floor_share": floor}), record=False)

    one, other, gained = model_with(1.0), model_with(0.2), 0.0
    for month in range(MONTHS):
        one.step()
        other.step()
        for group, name in (
            ("technology", "gain"),
            ("credit", "base_rate"),
            ("credit", "frozen"),
            ("demand", "surprise"),
        ):
            luck = getattr(one.mechanisms[group], name)
            assert np.array_equal(luck, getattr(other.mechanisms[group], name)), (group, name, month)
        assert np.array_equal(one.utilities.heat, other.utilities.heat)
        gained = max(gained, one.technology.gain.max())
    for stream in luck_of(one):
        assert np.array_equal(luck_of(one)[stream], luck_of(other)[stream]), stream
    assert gained > 0.0
    assert not np.array_equal(one.ledger.cash, other.ledger.cash)


def test_another_stream_on_the_tape_changes_nothing(many):
    class Curious(DebtTrapModel):
        def step(self):
            self.draw("what nobody reads")
            self.draw("what nobody reads", "normal")
            DebtTrapModel.step(self)

    _, piece = many
    _, curious = run(8, kind=Curious)
    assert differences(curious, slice(None), piece, slice(8)) == []


@pytest.fixture
def extra_opening(monkeypatch):
    """Let models be made from the opening with more parties or contracts."""

    def extend(parties=(), contracts=()):
        def read(name):
            opening = read_opening(name)
            return dataclasses.replace(
                opening, parties=(*opening.parties, *parties), contracts=(*opening.contracts, *contracts)
            )

        monkeypatch.setattr(model.assembly, "read_opening", read)

    return extend


def same_for_those_in_both(piece, many):
    """Compare each agent of `many` with the agent of its name."""
    for name, series in many.measures.items():
        other = piece.measures[name]
        rows = [other.agents.index(agent) for agent in series.agents]
        width = other.values.shape[-1]
        assert np.array_equal(other.values[:, rows], series.values[..., :width], equal_nan=True), name
    rows = [piece.parties.index(party) for party in many.parties]
    for word in OUTCOMES:
        assert np.array_equal(piece.outcomes[word][rows], many.outcomes[word][:, :width]), word


def test_an_added_agent_without_business_leaves_the_others_alone(many, extra_opening):
    blue_owl = read_opening().party("Blue Owl")
    extra_opening(parties=[dataclasses.replace(blue_owl, name="Quiet Capital", cash=0.0)])
    one, piece = run(8)
    assert "Quiet Capital" in one.party_names
    same_for_those_in_both(piece, many[1])


def test_a_contract_for_nothing_leaves_everybody_alone(many, extra_opening):
    opening = read_opening()
    pledge = opening.contracts_of_kind("equity pledge")[0]
    stake = opening.contracts_of_kind("equity stake")[0]
    extra_opening(
        contracts=[
            dataclasses.replace(pledge, id="pledge of nothing", amount=0.0),
            dataclasses.replace(stake, id="stake of nothing", amount=0.0, price=0.0),
        ]
    )
    one, piece = run(8)
    assert "stake of nothing" in one.ledger.claim_names
    same_for_those_in_both(piece, many[1])


def test_an_unused_family_on_the_ledger_leaves_everybody_alone(many, monkeypatch):
    class Roomy(model.assembly.Ledger):
        def close_topology(self):
            rows = self.open_claims("favours", ["a favour"], ["Microsoft"], ["OpenAI"])
            self.open_family(
                "favour", ["Microsoft"], ["OpenAI"], nature="claim", claims=rows, sign=1, cleared=False
            )
            self.open_family("tip", ["OpenAI", "Crusoe"], ["Vantage", "OpenAI"], seniority=2)
            super().close_topology()

    monkeypatch.setattr(model.assembly, "Ledger", Roomy)
    one, piece = run(8)
    assert "tip" in one.ledger.kinds
    same_for_those_in_both(piece, many[1])
