"""The main screen's data: that it says what the run's own arrays say."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from model.history import NEVER, wilson
from scenarios.cast import cast_of, names_of
from scenarios.schema import library
from scenarios.story import opening_facts
from viz.runs import compute
from viz.specs import STATES, Chart, Context, to_json
from viz.state import PageState
from viz.views import VIEWS, main
from viz.views.network import KIND_OF, PLACES
from viz.views.stake import stake
from viz.views.standing import LAB, standing
from viz.words import money, percent

PARTS = (main.status, main.network, main.timeline, main.strip)
LARGEST = 400_000  # characters of JSON of the whole main screen


def context_of(run, **more):
    return Context(names=names_of(run.scenario), cast=cast_of(run.scenario), **more)


@pytest.fixture(scope="module")
def run():
    """A world of 64 in which the lab fails."""
    state = PageState()
    found = compute(state)
    lab = found.outcome("default")[found.story.parties.index(LAB)]
    position = int(np.argmin(lab))
    assert lab[position] < NEVER
    return compute(replace(state, story=position), first=found)


@pytest.fixture(scope="module")
def shown(run):
    return context_of(run)


# -- every scenario -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", library())
def test_every_scenario_has_a_main_screen(name):
    run = compute(PageState(scenario=name, worlds=4, months=24))
    context = context_of(run)
    for part in PARTS:
        json.loads(to_json(part(run, context)), parse_constant=pytest.fail)
    for key in main.CHARTS:
        drawn = main.chart(run, context, key)
        assert json.loads(to_json(drawn), parse_constant=pytest.fail)["type"] == "chart"
        assert drawn.headline and drawn.alt and drawn.label and drawn.unit
        assert len(drawn.table["rows"]) == 25
        assert all(len(row) == len(drawn.table["columns"]) for row in drawn.table["rows"])
    assert len(main.status(run, context).frames) == len(main.network(run, context).frames) == 25
    assert len(main.timeline(run, context).labels) == 25
    assert len(main.strip(run, context).worlds) == 4


@pytest.mark.parametrize(
    ("name", "lab", "others"), [("fibre_1996", "carrier", "carriers"), ("airline", "airline", "airlines")]
)
def test_old_stories_are_told_in_their_own_names_words_and_dates(name, lab, others):
    run = compute(PageState(scenario=name, worlds=3, months=60))
    context, cast = context_of(run), cast_of(run.scenario)
    spoken = spoken_of(run, context)
    for word in ("OpenAI", "Oracle", "CoreWeave", "compute", "Compute", "yperscaler", "2026"):
        assert not [text for text in spoken if word in text], word
    assert [text for text in spoken if lab in text]
    assert f"Other {others}" in spoken
    assert main.timeline(run, context).labels == [cast.date(month) for month in range(61)]


def spoken_of(run, context):
    """Everything that the main screen says in words."""
    net, strip = main.network(run, context), main.strip(run, context)
    spoken = [node["name"] for node in net.nodes] + [link["words"] for link in net.links]
    spoken += [frame["headline"] for frame in net.frames]
    spoken += [frame["banner"]["sentence"] for frame in main.status(run, context).frames]
    spoken += [
        tile[part]
        for frame in main.status(run, context).frames
        for tile in frame["tiles"]
        for part in ("title", "sentence")
    ]
    spoken += [flag["words"] for flag in main.timeline(run, context).flags]
    spoken += [world["words"] for world in strip.worlds]
    spoken += [pick["words"] + pick["sentence"] for pick in strip.picks]
    for key in main.CHARTS:
        drawn = main.chart(run, context, key)
        spoken += [drawn.headline, drawn.label, json.dumps(drawn.option)]
    return spoken


def test_names_of_no_firm_name_no_firm(run):
    cast = cast_of(run.scenario, "archetype")
    context = Context(names=names_of(run.scenario, "archetype"), cast=cast)
    spoken = spoken_of(run, context)
    for firm in ("OpenAI", "Oracle", "CoreWeave", "SoftBank", "Crusoe", "Abilene", "ERCOT", "Blackstone"):
        assert not [text for text in spoken if firm in text], firm


def test_a_run_of_one_month_and_one_world_has_a_main_screen():
    run = compute(PageState(worlds=1, months=1))
    context = context_of(run)
    for part in PARTS:
        to_json(part(run, context))
    for key in main.CHARTS:
        to_json(main.chart(run, context, key))


def test_the_main_screen_is_small(run, shown):
    texts = [to_json(part(run, shown)) for part in PARTS] + [to_json(main.chart(run, shown, "cash"))]
    assert sum(map(len, texts)) < LARGEST


# -- what is at stake -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["baseline", "fibre_1996", "hsbc_2025", "abilene_extra"])
def test_what_is_at_stake_is_what_the_opening_says(name):
    run = compute(PageState(scenario=name, worlds=1, months=1))
    facts, told = opening_facts(run.scenario), stake(run)
    assert told["promise"] == pytest.approx(facts["openai"]["commitments_usd_bn"])
    assert told["revenue"] == facts["openai"]["annualised_revenue_usd_bn"]
    if name == "baseline":
        assert told["debt"] == facts["partner_debt_usd_bn"]["total"] == 96.0


def test_the_page_opens_with_what_is_at_stake(run, shown):
    sentence = main.network(run, shown).frames[0]["headline"]
    banner = main.status(run, shown).frames[0]["banner"]["sentence"]
    assert banner.startswith("OpenAI itself owes nothing and has $40bn in the bank")
    for words in ("$96bn", "$1.4tn", "$20bn a year", "OpenAI"):
        assert words in sentence


# -- the network ----------------------------------------------------------------------------------------------------


def test_links_carry_what_the_ledger_moved(run, shown):
    net, story = main.network(run, shown), run.story
    members = {place.id: place.members for place in PLACES}
    at = {link["id"]: link for link in net.links}
    names = list(story.parties)
    for month in (1, 30, 60, 96):
        sums = {}
        for leg, kind in enumerate(story.legs.kinds):
            payer, payee = names[story.legs.payer[leg]], names[story.legs.payee[leg]]
            key = payer, payee, KIND_OF.get(kind)
            sums[key] = sums.get(key, 0.0) + story.legs.paid[month, leg] + story.legs.unpaid[month, leg]
        for link_id, carried in net.frames[month]["links"].items():
            link = at[link_id]
            pairs = [
                (payer, payee, link["kind"])
                for payer in members[link["source"]]
                for payee in members[link["target"]]
            ]
            if not carried.get("dashed"):
                assert carried["money"] == pytest.approx(sum(sums.get(p, 0.0) for p in pairs), rel=6e-3)


def test_all_that_a_shown_party_leaves_unpaid_to_another_is_on_a_broken_link(run, shown):
    net, story = main.network(run, shown), run.story
    node_of = {party: place.id for place in PLACES for party in place.members}
    broken = 0
    for month in range(1, run.months + 1):
        late = {
            net.links[int(name[1:])]["source"]
            for name, link in net.frames[month]["links"].items()
            if "unpaid" in link
        }
        for leg in np.flatnonzero(story.legs.unpaid[month] > 0.005):
            payer, payee = (story.parties[end[leg]] for end in (story.legs.payer, story.legs.payee))
            kind = story.legs.kinds[leg]
            if kind in KIND_OF and payer in node_of and payee in node_of and node_of[payer] != node_of[payee]:
                assert node_of[payer] in late
                broken += 1
    assert broken > 0


def test_a_closed_party_is_drawn_in_default_from_its_month_on(run, shown):
    frames = main.network(run, shown).frames
    month = int(run.outcome("default")[run.story.parties.index(LAB), run.position])
    assert frames[month]["nodes"][LAB]["state"] == "default"
    assert frames[month]["nodes"][LAB]["line"] == "in default"
    assert frames[month - 1]["nodes"][LAB].get("state") != "default"
    assert all(frame["nodes"][LAB].get("state") == "default" for frame in frames[month:])


def test_loans_in_talks_are_dashed_until_they_are_signed(run, shown):
    net = main.network(run, shown)
    talks = [link["id"] for link in net.links if "in talks" in link["words"]]
    assert len(talks) == 2
    dashed = [month for month, frame in enumerate(net.frames) if talks[0] in frame["links"]]
    assert dashed == list(range(len(dashed))) and dashed
    ids, signed = run.story.state("loan.signed")
    column = signed[1:, ids.index("loan_vantage_texas")]
    assert not column[: dashed[-1]].any()
    assert len(set(column[dashed[-1] :])) == 1, "signed, or given up, when the dashes end"


def test_every_node_and_link_has_a_place(run, shown):
    net = main.network(run, shown)
    ids = {node["id"] for node in net.nodes}
    assert len(ids) == len(net.nodes) == len(PLACES)
    assert {party for place in PLACES for party in place.members} <= set(run.story.parties)
    assert all({link["source"], link["target"]} <= ids for link in net.links)
    assert all(0.0 <= node["x"] <= 1.0 and 0.0 <= node["y"] <= 1.0 for node in net.nodes)
    for frame in net.frames:
        assert set(frame["nodes"]) == ids
        assert {node.get("state", "calm") for node in frame["nodes"].values()} <= set(STATES)


# -- banner and tiles -----------------------------------------------------------------------------------------------


def test_tiles_say_what_the_states_say(run, shown):
    frames, story = main.status(run, shown).frames, run.story
    last = int(run.outcome("default")[run.story.parties.index(LAB), run.position]) - 1
    for month in {1, 12, min(36, last)}:
        tiles = {tile["key"]: tile for tile in frames[month]["tiles"]}
        assert float(tiles["cash"]["value"]) == pytest.approx(story.value("runway", LAB)[month], abs=0.5)
        used = story.value("openai.compute_used", LAB)[month] / story.value("openai.available", LAB)[month]
        assert tiles["use"]["value"] == percent(used)
        bank = story.sheets[month, story.instruments.index("cash"), story.parties.index(LAB)]
        assert tiles["cash"]["sentence"] == f"{money(bank)} in the bank"
    assert {tile["key"] for tile in frames[0]["tiles"]} == {"cover", "use", "cash", "promises"}
    assert frames[0]["tiles"][3]["value"] == "70.0x"


def test_promises_fall_by_what_is_paid(run, shown):
    frames, story = main.status(run, shown).frames, run.story
    paid = -story.flows[:13, story.kinds.index("take-or-pay"), story.parties.index(LAB)].sum()
    tile = frames[12]["tiles"][3]
    assert tile["sentence"].startswith(money(1400.0 - paid))
    assert (tile["arrow"], tile["good"]) == (-1, True)


def test_the_weakest_cover_is_the_lowest_of_those_that_count(run, shown):
    stands = standing(run)
    names, covers = stands.weakest()
    for month in range(run.months + 1):
        own = {name: stands.column(stands.cover, name)[month] for name in stands.tested}
        known = {name: value for name, value in own.items() if np.isfinite(value)}
        assert covers[month] == (min(known.values()) if known else None)
        assert names[month] is None or known[names[month]] == covers[month]
    assert "Meta site company" not in stands.tested


def test_the_banner_is_the_worst_of_the_chain(run, shown):
    frames, stands = main.status(run, shown).frames, standing(run)
    month = int(run.outcome("default")[run.story.parties.index(LAB), run.position])
    assert frames[month]["banner"]["state"] == "default"
    assert "OpenAI" in frames[month]["banner"]["sentence"]
    first = next(m for m, frame in enumerate(frames) if frame["banner"]["state"] == "breach")
    assert stands.unpaid[first].max() > 0.0 or "promises" in frames[first]["banner"]["sentence"]
    assert {frame["banner"]["state"] for frame in frames} <= set(STATES)


def test_arrows_compare_with_a_quarter_before():
    assert main._arrows([1.0, 1.0, 1.0, 2.0, 1.0, 1.005, 1.0]) == [0, 0, 0, 1, 0, 0, -1]
    assert main._arrows([1.0, np.nan, 3.0]) == [0, 0, 0]
    assert main._arrows([np.nan, 1.0, 1.0, 2.0, -2.0]) == [0, 0, 0, 0, -1]


# -- months and worlds ----------------------------------------------------------------------------------------------


def test_flags_tell_every_default_of_the_shown_world_in_its_month(run, shown):
    flags = main.timeline(run, shown).flags
    when = run.outcome("default")[:, run.position]
    told = {(flag["month"], flag["party"]) for flag in flags if flag["kind"] == "default"}
    there = {(int(month), run.story.parties[at]) for at, month in enumerate(when) if month <= run.months}
    assert told == set(sorted(there)[:6])
    assert [flag["month"] for flag in flags] == sorted(flag["month"] for flag in flags)


def test_flags_tell_dated_events_of_the_scenario():
    run = compute(PageState(scenario="growth_disappoints", worlds=1, months=60))
    context = context_of(run)
    dated = [event for event in run.scenario.events if event.kind == "demand_shock" and event.month <= 60]
    told = [flag for flag in main.timeline(run, context).flags if flag["kind"] == "demand_shock"]
    assert [flag["month"] for flag in told] == [event.month for event in dated]


def test_flags_tell_who_puts_new_chips_into_halls_that_stand():
    held = (("compute_market.decline", 0.0), ("compute_market.obsolescence", 0.0), ("halls.chip_price", 25.0))
    run = compute(PageState(worlds=1, sets=held))
    orders = [event for event in run.story_events if event["kind"] == "chips replaced"]
    told = [flag for flag in main.timeline(run, context_of(run)).flags if flag["kind"] == "replacement"]
    assert {flag["party"] for flag in told} == {event["agent"] for event in orders} != set()
    for flag in told:
        first = min((event for event in orders if event["agent"] == flag["party"]), key=lambda e: e["month"])
        assert flag["month"] == first["month"] and money(first["amount"]) in flag["words"]


def test_the_strip_says_who_fails_first_in_every_world(run, shown):
    strip, table = main.strip(run, shown), run.results.worlds()
    months = table[[name for name in table if name.startswith("default:")]].astype("float64")
    assert len(strip.worlds) == len(table)
    for world in strip.worlds:
        row = months.iloc[world["position"]]
        assert world["failed"] == (None if row.isna().all() else row.min())
        assert (world["tone"] == "default") == bool(np.isfinite(row["default:OpenAI"]))


def test_picks_are_what_they_say(run, shown):
    picks = {pick["key"]: pick["position"] for pick in main.strip(run, shown).picks}
    table = run.results.worlds()
    loss = table[[name for name in table if name.startswith("loss:")]].sum(axis=1).to_numpy()
    assert loss[picks["worst"]] == loss.max()
    below = (loss < loss[picks["median"]] - 1e-6).sum()
    above = (loss > loss[picks["median"]] + 1e-6).sum()
    assert below <= len(loss) / 2 and above <= len(loss) / 2
    default = run.outcome("default")
    assert default[run.story.parties.index(LAB), picks["openai_survives"]] == NEVER
    assert default[run.story.parties.index("CoreWeave"), picks["coreweave_survives"]] == NEVER
    assert default[:, picks["earliest"]].min() == default.min()


def test_there_is_no_pick_where_there_is_no_such_world():
    run = compute(PageState(worlds=2, months=3))
    picks = {pick["key"]: pick for pick in main.strip(run, context_of(run)).picks}
    assert picks["earliest"]["position"] is None
    assert picks["openai_survives"]["position"] in (0, 1)


# -- the large chart ------------------------------------------------------------------------------------------------


def by_name(drawn, name):
    return next(series for series in drawn.option["series"] if series["name"] == name)


def test_the_fan_is_that_of_all_worlds(run, shown):
    drawn = main.chart(run, shown, "revenue")
    values = run.measure("revenue", LAB)
    low = np.array(by_name(drawn, "revenue 0")["data"][1:], dtype=float)
    assert low == pytest.approx(np.quantile(values, 0.05, axis=1), rel=6e-3, abs=1e-9)
    high = sum(np.array(by_name(drawn, f"revenue {place}")["data"][1:], dtype=float) for place in range(4))
    assert high == pytest.approx(np.quantile(values, 0.95, axis=1), rel=3e-2, abs=0.1)
    line = np.array(by_name(drawn, "revenue")["data"], dtype=float)
    assert line == pytest.approx(run.story.value("openai.revenue", LAB), rel=6e-3, abs=1e-9)


def test_the_cash_headline_names_the_month_of_the_crossing(run, shown):
    bill = run.measure("compute_bill", LAB)[:, run.position]
    revenue = run.measure("revenue", LAB)[:, run.position]
    headline = main.chart(run, shown, "cash").headline
    above = np.flatnonzero(bill > revenue)
    assert above.size
    assert (
        "from the start" in headline
        if above[0] == 0
        else cast_of(run.scenario).date(above[0] + 1) in headline
    )
    ends = float((run.measure("revenue", LAB)[-1] <= run.measure("compute_bill", LAB)[-1]).mean())
    assert f"in {percent(ends)} of worlds" in headline


def test_the_failure_chart_gives_the_labs_share_with_its_interval(run, shown):
    count = int((run.outcome("default")[run.story.parties.index(LAB)] < NEVER).sum())
    low, high = wilson(count, run.worlds)
    headline = main.chart(run, shown, "default").headline
    assert f"{percent(count / run.worlds)} of worlds ({100 * low:.0f} to {100 * high:.0f}%)" in headline


@pytest.mark.parametrize("kept", [True, False])
def test_beside_the_labs_share_stands_that_over_the_range_of_the_equity_window(run, shown, kept, monkeypatch):
    found = SimpleNamespace(window={"low": 0.0, "high": 0.74}) if kept else None
    monkeypatch.setattr("viz.views.fans.headline_of", lambda scenario, months: found)
    told = (
        "OpenAI: 0% to 74% over the range of the equity window" if kept else "hangs on how long investors pay"
    )
    assert told in main.chart(run, shown, "default").label


@pytest.mark.parametrize("key", ["cash", "default", "stress", "rent"])
def test_a_pinned_run_is_a_dashed_line(run, shown, key):
    pinned = compute(PageState(worlds=3, months=24, sets=(("demand.growth_level", 0.6),)))
    plain, both = main.chart(run, shown, key), main.chart(run, replace(shown, pinned=(pinned,)), key)
    dashed = [s for s in both.option["series"] if s["lineStyle"].get("type") == "dashed"]
    assert dashed and len(both.option["series"]) > len(plain.option["series"])
    assert dashed[0]["name"] == "pinned 1"
    if key == "stress":
        middle = np.median(pinned.measure("stress.index")[:, 0], axis=1)
        assert dashed[0]["data"][1:25] == pytest.approx(middle, rel=6e-3, abs=1e-6)
        assert dashed[0]["data"][25:] == [None] * 72


def test_the_party_in_focus_is_the_one_that_is_drawn(run, shown):
    for key, party in (
        ("cover", "Oracle"),
        ("debt", "CoreWeave"),
        ("revenue", "Anthropic"),
        ("power", "PJM"),
    ):
        drawn = main.chart(run, replace(shown, party=party), key)
        assert party in drawn.headline
        assert isinstance(drawn, Chart)


def test_colours_are_names_of_the_theme(run, shown):
    text = "".join(to_json(main.chart(run, shown, key)) for key in main.CHARTS)
    assert '"#' not in text
    assert "rgb" not in text


def test_the_registry_offers_the_main_screen_first():
    assert next(iter(VIEWS)) == main.KEY == "owes"
    assert all(key == view.KEY and view.TITLE and view.GROUP for key, view in VIEWS.items())
