"""Views of risk and of markets: tied to results, to the model's own measures, and to counts made another way."""

import functools

import numpy as np
import pytest

from model.accounts import OPERATING_KINDS
from model.history import NEVER
from scenarios.cast import cast_of, names_of
from scenarios.experiments.measures import take_measures
from scenarios.experiments.scoring import kaplan_meier
from viz.runs import compute
from viz.specs import Context
from viz.state import PageState
from viz.views import curves, energy, events, heat, losses, margin, market, minsky
from viz.views.standing import standing


@functools.cache
def played(scenario="growth_disappoints", months=96, worlds=32, story=0):
    return compute(PageState(scenario=scenario, months=months, worlds=worlds, story=story))


def about(run, **more):
    return Context(names=names_of(run.scenario), cast=cast_of(run.scenario), **more)


# -- defaults and losses ------------------------------------------------------------------------------------------


def test_a_default_curve_is_that_of_the_scoring_and_the_share_of_worlds():
    run = played()
    when = run.outcome("default")[run.story.parties.index("OpenAI")]
    found = curves.curve(run, "OpenAI")
    scored = kaplan_meier(np.minimum(when, 96), when <= 96, 96)
    counted = [(when <= month).mean() for month in range(97)]
    assert 0.0 < counted[-1] < 1.0
    assert np.array_equal(found.failed, scored.failed) and np.array_equal(found.low, scored.low)
    assert np.allclose(found.failed, counted)  # everybody is watched to the end


def test_the_default_chart_draws_its_curves_inside_their_bands():
    run = played()
    chart = curves.build(run, about(run))[0]
    series = {each["name"]: np.array(each["data"], dtype=float) for each in chart.option["series"]}
    found = curves.curve(run, "OpenAI")
    assert np.allclose(series["OpenAI"], 100.0 * found.failed, rtol=0.006, atol=0.01)
    low, width = series["OpenAI low"], series["OpenAI high"]
    assert np.allclose(low, 100.0 * (1.0 - found.high), rtol=0.006, atol=0.01)
    assert (low <= series["OpenAI"] + 0.1).all() and (series["OpenAI"] <= low + width + 0.2).all()


def test_losses_end_where_the_results_do():
    run = played()
    parties, lost = losses.written_off(run)
    worlds = run.results.worlds()
    for name in ("Microsoft", "Oracle", "Bondholders"):
        assert np.allclose(lost[-1, parties.index(name)], worlds[f"loss:{name}"])
    assert (np.diff(lost, axis=0) >= -1e-9).all() and (lost[0] == 0.0).all() and lost.max() > 1.0


def test_boxes_of_losses_are_quantiles_and_means():
    run = played()
    chart = losses.build(run, about(run))[0]
    parties, lost = losses.written_off(run)
    first = chart.table["rows"][0][1]
    box, mean = (chart.frames[60]["series"][at]["data"][0] for at in (0, 1))
    values = lost[60, parties.index(first)]
    assert np.allclose(box, np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]), rtol=0.006, atol=1e-3)
    assert mean[0] == pytest.approx(values.mean(), rel=0.006)


def test_trouble_counts_those_who_failed_or_are_late():
    run = played()
    names, share = heat.shares_in_trouble(run)
    oracle = run.story.parties.index("Oracle")
    bad = np.minimum(run.outcome("missed")[oracle], run.outcome("default")[oracle])
    assert share[-1, names.index("Oracle")] == pytest.approx((bad <= run.months).mean())
    assert (share[0] == 0.0).all() and 0.0 < share.max() <= 1.0


def test_states_of_borrowers_are_those_of_the_main_screen():
    run = played()
    names, state, _ = heat.states(run)
    stands = standing(run)
    main = stands.state[:, [stands.parties.index(name) for name in names]]
    assert np.array_equal(np.where(state == heat.NOTHING, main, state), main)
    assert set(np.unique(main[state == heat.NOTHING])) <= {heat.CALM, heat.STRAINED}


# -- Minsky -------------------------------------------------------------------------------------------------------


@functools.cache
def measured(world, months=(6, 12, 18, 24, 30, 36)):
    run = played("baseline", 36, 4, world)
    return run, months, take_measures(run.scenario, [world], run.seed, 36, at=months).values


@pytest.mark.parametrize("world", [0, 1, 2])
def test_classes_are_those_of_the_model(world):
    run, months, values = measured(world)
    names, found = minsky.classes(run)
    pledged = f"{minsky.LAB}, {minsky.PLEDGED}"
    for name in names:
        own = values["minsky"]["OpenAI: take-or-pay as debt" if name == pledged else name][:, 0]
        column = found[list(months), names.index(name)]
        alive = column != minsky.GONE
        assert np.array_equal(column[alive], own[alive]), name
    assert len(np.unique(found)) > 1


def test_classes_are_of_what_flowed_in_twelve_months():
    run, months, values = measured(0)
    names = [name for name in minsky.classes(run)[0] if name != f"{minsky.LAB}, {minsky.PLEDGED}"]
    operating = minsky._last_year(run.story, names, OPERATING_KINDS)[list(months)]
    for column, name in enumerate(names):
        own = values["sources_and_uses"][f"{name}: operations"][:, 0]
        assert np.allclose(operating[:, column], own, atol=1e-9), name


def test_debt_by_class_is_all_the_debt():
    run = played()
    names, found = minsky.classes(run)
    debt = minsky.debt_by_class(run)
    whole = standing(run).debt[:, [run.story.parties.index(name) for name in names[:-1]]].sum(axis=1)
    assert np.allclose(debt.sum(axis=1), whole) and whole.max() > 10.0
    assert found.shape == (run.months + 1, len(names))


# -- markets ------------------------------------------------------------------------------------------------------


def test_shares_of_spending_add_up_to_one():
    run = played("baseline", 48, 4)
    names, share = market.spending_shares(run.story)
    assert np.allclose(share.sum(axis=1), 1.0) and names[-1] == market.OUTSIDE and (share >= 0.0).all()
    _, by_seller = run.story.state("customers.shares")
    _, spent = run.story.state("customers.spending")
    weight = spent / spent.sum(axis=1, keepdims=True)
    assert np.allclose(share[:, 0], (by_seller[:, 0] * weight).sum(axis=1))


def test_what_a_gw_earns_times_the_gw_is_revenue_and_what_it_costs_is_the_bill():
    run = played("baseline", 48, 4)
    earned, paid = margin.earned_and_paid(run)
    serving = run.measure("inference_need", "OpenAI") * run.measure("served_share", "OpenAI")
    revenue = run.measure("revenue", "OpenAI")
    some = np.isfinite(earned) & np.isfinite(paid)
    assert some.mean() > 0.9
    assert np.allclose((earned * serving)[some], revenue[some])
    assert np.allclose(
        (revenue - paid * serving)[some], (run.measure("gross_margin", "OpenAI") * revenue)[some]
    )


@pytest.mark.parametrize("region", ["ERCOT", "PJM", "MISO"])
def test_the_stack_ends_at_the_capacity_of_the_model(region):
    run = played("heat_summer", 36, 4)
    _, cost, supply = energy.supply_curves(run, region)
    capacity = run.story.value("utility.capacity", region)
    assert np.allclose(supply[1:, -1], capacity[1:], rtol=1e-9)
    assert (np.diff(cost, axis=1) >= 0.0).all() and (np.diff(supply, axis=1) >= -1e-9).all()


def test_the_stack_follows_decisions_on_power():
    state = PageState(scenario="baseline", months=24, worlds=2, sets=(("utility.peakers_of_gas", 0.6),))
    changed, plain = compute(state), played("baseline", 24, 2)
    assert not np.allclose(energy.supply_curves(changed, "ERCOT")[2], energy.supply_curves(plain, "ERCOT")[2])
    assert np.allclose(
        energy.supply_curves(changed, "ERCOT")[2][1:, -1],
        changed.story.value("utility.capacity", "ERCOT")[1:],
    )


def test_the_peak_price_lies_on_the_stack_or_above_it():
    run = played("heat_summer", 36, 4)
    _, cost, supply = energy.supply_curves(run, "ERCOT")
    price = run.story.value("utility.block_price", "ERCOT")[:, 0]
    load = run.story.value("utility.load", "ERCOT")
    for month in range(1, 37):
        if load[month] <= supply[month, -1]:
            unit = int(
                np.searchsorted(supply[month], load[month] * 0.75)
            )  # a quarter of data centres may leave
            assert price[month] >= cost[month, unit] - 1e-6


# -- the log ------------------------------------------------------------------------------------------------------


def test_the_log_has_every_default_in_its_month_and_nothing_of_the_future():
    first = played()
    failed = (first.outcome("default") < NEVER).sum(axis=0)
    run = compute(
        PageState(scenario="growth_disappoints", worlds=32, story=int(np.argmax(failed))), first=first
    )
    rows = events.log_rows(run, about(run))
    table = events.build(run, about(run))[0]
    defaults = {
        (int(month), party)
        for party, month in zip(run.story.parties, run.outcome("default")[:, run.position], strict=True)
        if month <= run.months
    }
    assert len(defaults) >= 3
    assert {(month, party) for month, party, kind, *_ in rows if kind == "legal default"} == defaults
    for month, frame in enumerate(table.frames):
        assert len(frame) == sum(when <= month for when, *_ in rows)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
