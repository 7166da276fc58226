"""Views of money: the zeros of both matrices, what passes through, walls, contracts, one party."""

import re
from functools import cache

import numpy as np
import pytest

from model.history import NEVER
from scenarios.cast import cast_of, names_of
from scenarios.story import opening_facts
from viz.runs import compute
from viz.specs import Context
from viz.state import PageState
from viz.views import books, contracts, inspector, sankey, walls
from viz.views.reading import default_of, opening_of
from viz.views.standing import standing

SCENARIOS = ("baseline", "growth_disappoints", "jv_reported", "own_balance_sheet", "fibre_1996")
RELATIVE = 1e-9


@cache
def played(scenario="baseline", months=48, worlds=4):
    run = compute(PageState(scenario=scenario, months=months, worlds=worlds))
    return run, Context(names=names_of(run.scenario), cast=cast_of(run.scenario))


# -- the matrices -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("matrix", [books.balance_sheets, books.transaction_flows])
def test_rows_and_columns_of_a_matrix_add_up_to_zero(scenario, matrix):
    names, sections, block = matrix(played(scenario)[0])
    scale = np.abs(block[:, :-1, :-1]).max()
    real = {"real assets", books.NET_WORTH}
    financial = [row for row, name in enumerate(names) if name not in real]
    assert sections[-1] == names[-1] == books.SUM
    assert np.abs(block[:, financial, -1]).max() <= RELATIVE * scale
    assert np.abs(block[:, -1]).max() <= RELATIVE * scale
    if matrix is books.balance_sheets:
        assets, worth = (block[:, names.index(name), -1] for name in ("real assets", books.NET_WORTH))
        assert np.allclose(assets, -worth, rtol=RELATIVE)


def test_the_matrices_show_what_the_ledger_holds():
    run, _ = played()
    names, sections, sheet = books.balance_sheets(run)
    cash = run.story.sheets[:, run.story.instruments.index("cash"), run.story.parties.index("OpenAI")]
    assert np.allclose(sheet[:, names.index("cash"), sections.index("OpenAI")], cash, atol=1e-12)
    assert np.allclose(cash, run.story.sheets[:, 0, 0])
    names, sections, flow = books.transaction_flows(run)
    sales = run.story.flows[:, run.story.kinds.index("sales"), run.story.parties.index("OpenAI")]
    assert np.allclose(flow[:, names.index("sales to customers"), sections.index("OpenAI")], sales)
    assert sales[1:].min() > 0.0


def test_every_kind_of_payment_stands_in_one_row():
    run, _ = played("jv_reported")
    named = [kind for kinds in books.ROWS.values() for kind in kinds]
    assert len(set(named)) == len(named)
    _, _, flow = books.transaction_flows(run)
    paid = np.abs(run.story.flows).sum()
    assert np.abs(flow[:, :-2, :-1]).sum() > 0.3 * paid  # payments inside a group cancel, the others do not


def test_zeros_are_written_as_zeros():
    run, about = played()
    for table in books.build(run, about):
        last = [fixed[0] for fixed in table.fixed].index(books.SUM)
        for month in (0, 1, run.months):
            sums = [table.frames[month][row][-1] for row, (name,) in enumerate(table.fixed)
                    if name not in ("real assets", books.NET_WORTH)]  # fmt: skip
            assert set(sums) == {"0.00"} and set(table.frames[month][last]) == {"0.00"}


# -- what passes through ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_comes_into_a_stage_goes_out_of_it(scenario):
    run, _ = played(scenario)
    flows = sankey.passing(run)
    for name, _, _ in sankey.STAGES:
        into = sum(amount for (_, target), amount in flows.items() if target == name)
        out = sum(amount for (source, _), amount in flows.items() if source == name)
        assert np.allclose(into, out, rtol=RELATIVE, atol=1e-12)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_runs_in_a_circle(scenario):
    flows = sankey.passing(played(scenario)[0])
    assert all(sankey.DEPTHS[source] < sankey.DEPTHS[target] for source, target in flows)


def test_what_is_kept_is_the_change_of_cash():
    run, _ = played()
    flows, story = sankey.passing(run), run.story
    cash = story.sheets[:, story.instruments.index("cash")]
    for name in ("OpenAI", "Oracle", "CoreWeave"):
        kept = flows[name, sankey.KEPT] - flows[sankey.SAVINGS, name]
        assert np.allclose(kept[1:], np.diff(cash[:, story.parties.index(name)]), atol=1e-9)
    sold = story.flows[:, story.kinds.index("sales"), story.parties.index("OpenAI")]
    assert np.allclose(flows["Customers", "OpenAI"], sold)


def test_a_month_draws_what_flowed_in_it():
    run, about = played()
    frame = sankey.build(run, about)[0].frames[30]["series"][0]
    names = [re.split(r"[ \n]\$", node["name"])[0].replace("\n", " ") for node in frame["data"]]
    drawn = {(names[link["source"]], names[link["target"]]) for link in frame["links"]}
    flows = {pair for pair, amount in sankey.passing(run).items() if amount[30] >= sankey.SMALLEST}
    assert drawn == flows


# -- walls --------------------------------------------------------------------------------------------------------


def test_the_maturity_wall_holds_all_debt_that_is_not_rolled():
    run, _ = played("baseline", 96)
    _, wall = walls.maturities(run)
    story, opening = run.story, opening_of(run)
    claims = story.claims
    whole = np.zeros(run.months + 1)
    lab_and_partners = {name for _, who in walls.BORROWERS if who for name in who}
    for name in story.state("loan.maturity")[0]:
        place = claims.names.index(name)
        terms = next((c.terms for c in opening.contracts if c.id == name.split(" (")[0]), {})
        debtor = story.parties[claims.issuers[place]]
        counted = debtor in lab_and_partners or "site company" in debtor
        if counted and terms.get("repayment") != "rolled":
            whole += claims.balances[:, place]
    assert whole.min() > 10.0
    assert np.allclose(wall.sum(axis=(1, 2)), whole, rtol=RELATIVE)


def test_nothing_falls_due_in_years_that_are_over():
    _, wall = walls.maturities(_run_in_which("baseline", lambda default: (default >= NEVER).all(axis=0)))
    for month in range(12, 97):
        assert wall[month, :, : (month - 1) // 12].sum() <= 0.02 * wall[month].sum()


def _run_in_which(scenario, holds):
    """A run whose story is the first of its worlds in which something holds of the months of default."""
    run, _ = played(scenario, 96, 32)
    world = int(np.argmax(holds(run.outcome("default"))))
    run = compute(PageState(scenario=scenario, worlds=32, story=world), first=run)
    assert holds(run.outcome("default"))[world]
    return run


def test_the_lab_is_billed_at_least_the_minimum():
    run, _ = played("baseline", 96)
    story, legs = run.story, run.story.legs
    sellers, due = walls.minimum_payments(run)
    lab = story.parties.index("OpenAI")
    for seller in ("Oracle", "CoreWeave", "Amazon"):
        place = story.parties.index(seller)
        mine = [
            leg
            for leg, kind in enumerate(legs.kinds)
            if kind in ("take-or-pay", "renewal") and legs.payer[leg] == lab and legs.payee[leg] == place
        ]
        before = np.concatenate([np.zeros((1, len(mine))), legs.unpaid[:-1, mine]])
        billed = (legs.paid[:, mine] + legs.unpaid[:, mine] - before).sum(axis=1)
        alive = story.months < min(default_of(story, "OpenAI"), default_of(story, seller))
        least = due[:, sellers.index(seller)] / 12.0
        assert least[alive].max() > 0.1
        assert (billed[1:] >= least[1:] - 1e-9)[alive[1:]].all()


def test_what_was_signed_is_the_sum_of_the_opening_contracts():
    run, _ = played("baseline", 96)
    facts = opening_facts(run.scenario)["openai"]
    announced = sum(c.amount for c in opening_of(run).contracts_of_kind("announced capacity"))
    assert walls.promised_at_start(run).sum() / 12.0 == pytest.approx(
        facts["commitments_usd_bn"] - announced, rel=0.01
    )


# -- contracts ----------------------------------------------------------------------------------------------------


def test_cards_name_who_pays_whom():
    run, _ = played()
    story, legs = run.story, run.story.legs
    for cards, kind in (
        (contracts.compute_cards(run), "take-or-pay"),
        ([card for card in contracts.site_cards(run) if card.name.startswith("rent")], "rent"),
        ([card for card in contracts.site_cards(run) if card.name.startswith("power")], "power"),
    ):
        pairs = [
            (story.parties[legs.payer[leg]], story.parties[legs.payee[leg]])
            for leg, its_kind in enumerate(legs.kinds)
            if its_kind == kind
        ]
        assert [(card.payer, card.payee) for card in cards] == pairs


def test_loans_cost_balance_times_rate():
    run, _ = played("baseline", 96)
    story = run.story
    interest = {card.name: 0.0 for card in contracts.loan_cards(run)}
    for card in contracts.loan_cards(run):
        interest[card.name] = interest[card.name] + card.yearly
    assert sum(np.sum(each) for each in interest.values()) > 0.0
    abilene = next(c for c in contracts.loan_cards(run) if c.payer == "Abilene site company")
    row = story.state("loan.rate")[0].index("loan_abilene")
    balance = story.claims.balances[:, story.claims.names.index("loan_abilene")]
    assert np.allclose(abilene.yearly, balance * story.state("loan.rate")[1][:, row])


def test_a_card_says_when_its_payer_is_in_default():
    lab = played()[0].story.parties.index("OpenAI")
    run = _run_in_which("growth_disappoints", lambda default: default[lab] < NEVER)
    table = contracts.build(run, played()[1])[0]
    month = default_of(run.story, "OpenAI")
    mine = [row for row, fixed in enumerate(table.fixed) if fixed[1] == "OpenAI"]
    assert mine and all(table.frames[month][row][-1]["tone"] == "default" for row in mine)
    assert any(table.frames[1][row][-1]["tone"] == "calm" for row in mine)


# -- one party ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("party", ["OpenAI", "Oracle", "Abilene site company", "ERCOT", "US bank syndicate"])
def test_payments_of_a_party_add_up_to_the_change_of_its_cash(party):
    run, _ = played()
    story = run.story
    cash = story.sheets[:, story.instruments.index("cash"), story.parties.index(party)]
    total = sum(inspector.payments_of(run, party).values())
    assert np.allclose(total[1:], np.diff(cash), atol=1e-9)


@pytest.mark.parametrize(
    "party", ["OpenAI", "CoreWeave", "Meta site company", "MISO", "Blue Owl", "Consumers"]
)
def test_any_party_can_be_inspected(party):
    run, about = played()
    specs = inspector.build(run, Context(names=about.names, cast=about.cast, party=party))
    assert specs[0].headline == about.name(party)
    state = standing(run).column(standing(run).state, party)
    words = ("Calm", "Strained", "Breach", "Default")
    assert all(words[code] in sentences[0] for code, sentences in zip(state, specs[0].frames, strict=True))
