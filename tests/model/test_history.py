import gc
import weakref

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.history import NEVER, OUTCOMES, Record, wilson, write_table
from tests.scenarios.toy import Lab, ToyModel


@pytest.fixture(scope="module")
def model():
    model = ToyModel(worlds=40, rng=3)
    model.history.record_opening()
    model.kept = []
    for _ in range(30):
        model.step()
        model.kept.append({name: getattr(model.agents_by_type[Lab], name).copy() for name in Lab.measures})
    return model


@pytest.fixture(scope="module")
def history(model):
    return model.history


@pytest.mark.parametrize("name", Lab.measures)
def test_a_measure_is_what_was_there_at_the_end_of_each_month(model, history, name):
    """Also for ``owed``, which is a view of an array that is written to in later months."""
    labs = history.measure(name)[:, :2]
    assert np.array_equal(labs, np.stack([month[name] for month in model.kept]))
    assert labs.std() > 0


def test_classes_that_share_a_name_share_the_measure(history):
    revenue = history.measures["revenue"]
    assert revenue.agents == ("Big Lab", "Small Lab", "Old Mill")
    assert history.measure("revenue").shape == (30, 3, 40)


def test_units_come_from_the_declaration_or_the_docstring(history):
    assert set(history.measures["revenue"].units) == {"US$bn"}
    assert history.measures["cash"].units == ("US$bn", "US$bn")
    assert history.measures["stress.index"].units == ("0-1",)


def test_mechanisms_are_labelled_by_party_or_by_group(model, history):
    assert history.measures["solvency.loss"].agents == tuple(model.ledger.parties)
    assert history.measures["stress.index"].agents == ("stress",)


def test_a_measure_of_a_mechanism_may_be_called_by_its_last_name(history):
    assert np.array_equal(history.measure("index"), history.measure("stress.index"))


def test_an_unknown_measure_names_the_known_ones(history):
    with pytest.raises(KeyError, match=r"stress\.index"):
        history.measure("happiness")


def test_a_tidy_table_has_a_row_per_month_agent_and_world(history):
    frame = history.to_dataframe("cash")
    assert list(frame) == ["month", "agent", "world", "value"]
    one = frame[(frame["month"] == 7) & (frame["agent"] == "Small Lab") & (frame["world"] == 11)]
    assert one["value"].item() == history.measure("cash")[6, 1, 11]
    assert frame.attrs["units"]["value"] == "US$bn"
    assert len(frame) == 30 * 2 * 40


def test_monthly_quantiles_are_those_of_numpy(history):
    frame = history.monthly()
    assert list(frame)[:5] == ["month", "agent", "measure", "mean", "p05"]
    row = frame[(frame["month"] == 9) & (frame["agent"] == "Big Lab") & (frame["measure"] == "revenue")]
    values = history.measure("revenue")[8, 0]
    assert row["mean"].item() == pytest.approx(values.mean(), rel=1e-12)
    for word, share in {"p05": 0.05, "p10": 0.1, "p50": 0.5, "p90": 0.9, "p95": 0.95}.items():
        assert row[word].item() == pytest.approx(np.quantile(values, share), rel=1e-12)
    assert row["unit"].item() == "US$bn"


def test_worlds_has_a_row_per_world_with_the_luck_number_first(model, history):
    worlds = history.worlds()
    assert next(iter(worlds)) == "world" and worlds["world"].tolist() == list(range(40))
    months = model.solvency.default_month[1]
    failed = months < NEVER
    assert 0 < failed.sum() < 40, "the toy must leave both kinds of world"
    assert worlds["default:Small Lab"].isna().tolist() == (~failed).tolist()
    assert worlds["default:Small Lab"].dropna().tolist() == months[failed].tolist()
    assert str(worlds["default:Small Lab"].dtype) == "Int64"
    assert worlds["loss:Old Mill"].tolist() == model.solvency.loss[2].tolist()
    assert worlds["trap:Big Lab"].tolist() == model.solvency.trapped[0].tolist()
    assert np.array_equal(worlds["peak_stress"], history.measure("stress.index")[:, 0].max(axis=0))
    assert worlds["books_residual"].max() < 1e-12


def test_a_party_that_always_pays_is_no_firm(history):
    worlds = history.worlds()
    assert "default:Rest of the world" not in worlds and "loss:Rest of the world" in worlds


def test_defaults_count_worlds_and_give_an_interval(model, history):
    rows = history.defaults().set_index(["agent", "outcome"])
    row = rows.loc["Small Lab", "default"]
    months = model.solvency.default_month[1]
    assert row["count"] == (months < NEVER).sum()
    assert row["low"] < row["p"] < row["high"]
    assert np.sum(months <= row["median_month"]) >= row["count"] / 2
    never = rows.loc["Old Mill", "distressed"]
    assert never["p"] == never["low"] == 0 < never["high"] and pd.isna(never["median_month"])
    assert set(rows.index.get_level_values("outcome")) == set(OUTCOMES)


def test_events_are_those_that_happened_in_order_of_world_and_month(model, history):
    events = history.events_frame()
    assert list(events) == ["world", "month", "agent", "kind", "counterparty", "amount", "because"]
    months = model.solvency.default_month[:2]
    assert len(events) == np.sum(months < NEVER)
    for row in events.itertuples():
        assert months[["Big Lab", "Small Lab"].index(row.agent), row.world] == row.month
    assert events["world"].is_monotonic_increasing
    assert set(events["because"]) == {"revenue below plan", "rent too high"}


def test_an_event_of_one_agent_takes_one_mask_and_one_amount_per_world():
    model = ToyModel(worlds=3)
    amounts = np.array([1.0, 2.0, 3.0])
    model.history.event("raise", "Big Lab", np.array([True, False, True]), amounts, because="wanted")
    model.history.event("raise", "Big Lab", np.array([False, True, False]))
    model.history.event("never", "Big Lab", np.zeros(3, dtype=bool))
    model.step()
    events = model.history.events_frame()
    events = events[events["kind"] != "missed payment"]
    assert events["amount"].tolist() == [1.0, 0.0, 3.0]
    assert events["because"].tolist() == ["wanted", "", "wanted"]
    assert events["month"].tolist() == [1, 1, 1]


def test_an_event_refuses_texts_for_another_number_of_agents():
    model = ToyModel(worlds=3)
    with pytest.raises(ValueError, match="one text for each of 2 agents"):
        model.history.event("raise", ["Big Lab", "Small Lab"], np.ones((2, 3), dtype=bool), because=["why"])


def test_a_measure_of_the_wrong_shape_is_refused(monkeypatch):
    monkeypatch.setattr(Lab, "measures", ("by_segment",))
    with pytest.raises(ValueError, match=r"by_segment: \(agents, worlds\) is kept, not \(2, 2, 4\)"):
        ToyModel(worlds=4).run_for(1)


def test_the_story_is_everything_about_one_world():
    model = ToyModel(worlds=5, rng=3)
    model.history.story = 2
    model.history.record_opening()
    model.run_for(6)
    story = model.history.story_frame()
    assert sorted(story["month"].unique()) == list(range(7))
    state = story[story["table"] == "state"]
    names = {"revenue", "by_segment", "index", "loss", "missed_month", "distressed_month", "default_month"}
    assert set(state["state"]) == names | {"trapped"}
    segment = state[
        (state["state"] == "by_segment") & (state["month"] == 6) & (state["agent"] == "Small Lab")
    ]
    assert segment["part"].tolist() == [0, 1]
    assert segment["value"].tolist() == model.agents_by_type[Lab].by_segment[:, 1, 2].tolist()
    sheet = story[(story["table"] == "balance sheet") & (story["month"] == 6)]
    cash = sheet[sheet["state"] == "cash"].set_index("agent")["value"]
    assert cash["Small Lab"] == model.ledger.cash[1, 2]
    assert sheet[sheet["state"] == "loan"]["value"].sum() == 0
    flow = story[(story["table"] == "flow") & (story["month"] == 6)]
    assert flow[flow["state"] == "sales"]["value"].abs().sum() > 0
    totals = flow.groupby("state", observed=True)["value"].sum()
    assert totals.abs().max() < 1e-12


def test_the_story_has_every_state_as_it_was_at_the_end_of_each_month():
    """Flags, numbers of months, and States with an axis in front; also where the State is written to later."""
    model, there = ToyModel(worlds=5, rng=3), []
    holders = {each.group: each for each in (*model.agents_by_type.values(), *model.mechanisms.values())}
    model.history.story = 3
    for _ in range(12):
        model.step()
        states = model.history.shown.states
        there.append([getattr(holders[state.group], state.name)[..., 3].tolist() for state in states])
    shown, kinds = model.history.shown, set()
    for state, months in zip(shown.states, zip(*there, strict=True), strict=True):
        kept = shown.state(f"{state.group}.{state.name}")[1]
        assert kept.tolist() == list(months)
        kinds.add((getattr(holders[state.group], state.name).dtype.kind, kept.ndim))
    assert kinds == {("f", 2), ("f", 3), ("b", 2), ("i", 2)}


def test_the_story_as_arrays_is_the_story_as_a_table():
    model = ToyModel(worlds=5, rng=3)
    model.history.story = 2
    model.history.record_opening()
    model.run_for(6)
    shown, frame = model.history.shown, model.history.story_frame()
    assert shown.months.tolist() == list(range(7))
    for state in shown.states:
        agents, values = shown.state(f"{state.group}.{state.name}")
        rows = frame[
            (frame["table"] == "state") & (frame["state"] == state.name) & frame["agent"].isin(agents)
        ]
        assert np.array_equal(np.sort(rows["value"]), np.sort(values.ravel()))
    agents, revenue = shown.state("revenue")
    assert {"Big Lab", "Small Lab"} < set(agents) and revenue.shape == (7, len(agents))
    assert shown.value("by_segment", "Small Lab").shape == (7, 2)
    assert shown.value("by_segment", "Small Lab")[6].tolist() == (
        model.agents_by_type[Lab].by_segment[:, 1, 2].tolist()
    )
    for table, rows, values in (
        ("balance sheet", shown.instruments, shown.sheets),
        ("flow", shown.kinds, shown.flows),
    ):
        listed = frame[frame["table"] == table]
        assert values.shape == (7, len(rows), len(shown.parties))
        assert listed["value"].tolist() == values[values != 0].tolist()
    with pytest.raises(KeyError, match="no State 'nothing'"):
        shown.state("nothing")
    with pytest.raises(KeyError, match="Nobody"):
        shown.value("revenue", "Nobody")


def test_the_story_keeps_every_payment_and_what_was_left_unpaid():
    model = ToyModel(worlds=5, rng=3)
    model.history.story = 4
    model.run_for(6)
    shown, ledger = model.history.shown, model.ledger
    assert shown.legs.paid.shape == shown.legs.unpaid.shape == (6, len(ledger.kinds))
    assert shown.legs.paid[-1].tolist() == ledger.flow[:, 4].tolist()
    assert shown.legs.unpaid[-1].tolist() == ledger.payable[:, 4].tolist()
    net = np.zeros((6, len(shown.parties)))
    np.add.at(net.T, shown.legs.payee, shown.legs.paid.T)
    np.subtract.at(net.T, shown.legs.payer, shown.legs.paid.T)
    assert np.allclose(net, shown.flows.sum(axis=1))


def test_a_story_read_early_does_not_change_when_the_model_goes_on():
    model = ToyModel(worlds=2, rng=3)
    model.run_for(2)
    early = model.history.shown
    before = early.state("revenue")[1].copy(), early.legs.paid.copy()
    model.run_for(2)
    again = model.history.shown
    assert len(early.months) == 2 and len(again.months) == 4
    assert np.array_equal(early.state("revenue")[1], before[0])
    assert np.array_equal(early.legs.paid, before[1])


def test_a_digest_is_that_of_the_worlds_however_they_are_cut():
    def record(*luck, rng=3, months=4, story=0):
        pieces = []
        for numbers in luck:
            model = ToyModel(worlds=np.array(numbers), rng=rng)
            model.history.story = story
            model.run_for(months)
            pieces += model.history.pieces
        return Record(pieces)

    whole = record([0, 1, 2, 3]).digest()
    assert len(whole) == 64
    assert record([0, 1], [2, 3]).digest() == record([0], [1, 2, 3], story=None).digest() == whole
    others = {
        record([0, 1, 2]).digest(),
        record([0, 1, 3, 2]).digest(),
        record([0, 1, 2, 3], rng=4).digest(),
        record([0, 1, 2, 3], months=3).digest(),
    }
    assert whole not in others and len(others) == 4


def test_without_a_story_there_is_none_to_show():
    model = ToyModel(worlds=2)
    model.history.story = None
    model.run_for(2)
    with pytest.raises(LookupError):
        model.history.story_frame()


def test_the_opening_is_not_recorded_once_the_game_is_on():
    model = ToyModel(worlds=2)
    model.run_for(1)
    model.history.record_opening()
    assert set(model.history.story_frame()["month"]) == {1}


def test_pieces_joined_read_as_one_run():
    def pieces(*luck):
        made = []
        for numbers in luck:
            model = ToyModel(worlds=np.array(numbers), rng=5)
            model.run_for(20)
            made += model.history.pieces
        return Record(made)

    whole, cut = pieces(range(9)), pieces([0], [1, 2, 3, 4], [5, 6, 7, 8])
    for name in ("worlds", "monthly", "defaults", "events_frame"):
        pd.testing.assert_frame_equal(getattr(whole, name)(), getattr(cut, name)(), check_exact=True)
    assert np.array_equal(whole.measure("cash"), cut.measure("cash"))


def test_worlds_that_share_their_luck_are_told_apart_in_the_events():
    model = ToyModel(worlds=np.array([2, 2, 2]), rng=3)
    model.run_for(30)
    events = model.history.events_frame()
    assert list(events)[-1] == "row"
    assert events["row"].unique().tolist() == [0, 1, 2] and set(events["world"]) == {2}


def test_a_piece_lets_go_of_its_model():
    model = ToyModel(worlds=2)
    model.run_for(2)
    piece, watch = model.history.pieces[0], weakref.ref(model)
    del model
    gc.collect()
    assert watch() is None and Record([piece]).measure("cash").shape == (2, 2, 2)


def test_the_record_grows_with_the_run():
    model = ToyModel(worlds=2)
    model.run_for(2)
    assert model.history.measure("cash").shape[0] == 2
    model.run_for(3)
    assert model.history.measure("cash").shape[0] == 5


def test_saved_tables_come_back_with_their_units(history, tmp_path):
    paths = history.save(tmp_path, csv=True)
    assert {path.name for path in paths} == {
        f"{name}.{ending}"
        for name in ("worlds", "monthly", "events", "story")
        for ending in ("parquet", "csv")
    }
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "worlds.parquet"), history.worlds())
    fields = pq.read_schema(tmp_path / "worlds.parquet")
    assert fields.field("loss:Old Mill").metadata[b"unit"] == b"US$bn"
    assert len(pd.read_csv(tmp_path / "events.csv")) == len(history.events_frame())


def test_a_table_without_units_is_written_too(tmp_path):
    path = write_table(pd.DataFrame({"a": [1, 2]}), tmp_path / "a.parquet")
    assert pd.read_parquet(path)["a"].tolist() == [1, 2]


def test_a_run_in_which_nothing_happened_can_be_saved(tmp_path):
    model = ToyModel(worlds=2)
    model.run_for(1)
    assert len(model.history.events_frame()) == 0
    model.history.save(tmp_path)
    assert len(pd.read_parquet(tmp_path / "events.parquet")) == 0


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_holds_the_share_and_lies_in_0_1(pair):
    count, n = pair
    low, high = wilson(count, n)
    assert 0 <= low <= count / n <= high <= 1


def test_wilsons_interval_agrees_with_a_published_example():
    """Newcombe (1998), Statistics in Medicine 17, table I, method 3: 81 of 263 gives 0.2553 to 0.3662."""
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
