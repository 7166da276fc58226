"""The patterns: their statistics, what few worlds show already, and the page that is written."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import run
from model import DebtTrapModel
from scenarios import BadInput, load
from scenarios.experiments import patterns
from scenarios.experiments.patterns import (
    FAILS,
    HOLDS,
    PATTERNS,
    REPORTED,
    UNCLEAR,
    Finding,
    Player,
    Row,
    above,
    all_of,
    below,
    chance,
    claim_of,
    crossing,
    find_patterns,
    page,
)

FEW = 8


@pytest.fixture(scope="module")
def play():
    return Player(FEW, chunk=FEW)


def row(low, high):
    return Row("x", "y", (low + high) / 2.0, low, high)


@pytest.mark.parametrize(
    ("low", "high", "up", "down"),
    [(0.1, 0.2, HOLDS, FAILS), (-0.2, -0.1, FAILS, HOLDS), (-0.1, 0.1, UNCLEAR, UNCLEAR)],
)
def test_a_verdict_needs_the_whole_interval_on_one_side(low, high, up, down):
    assert (above(row(low, high)), below(row(low, high))) == (up, down)


def test_a_claim_of_parts_fails_with_one_of_them():
    assert all_of(HOLDS, HOLDS) == HOLDS
    assert all_of(HOLDS, UNCLEAR) == UNCLEAR
    assert all_of(UNCLEAR, FAILS, HOLDS) == FAILS


def test_a_crossing_is_found_on_the_line_between_two_points():
    assert crossing([1.0, 2.0, 4.0], [-1.0, 1.0, 3.0]) == 1.5
    assert crossing([1.0, 2.0], [0.05, 0.3], 0.1) == pytest.approx(1.2)
    assert crossing([1.0, 2.0], [1.0, 2.0]) is None
    assert crossing([1.0, 2.0], [0.0, 2.0]) == 1.0


def test_every_pattern_claims_something_before_it_is_tried():
    assert list(PATTERNS) == sorted(PATTERNS)
    for name in PATTERNS:
        assert len(claim_of(name)) > 80


def test_a_run_is_played_once(play):
    assert play("calm", months=2) is play("calm", months=2)
    assert play("calm", months=2) is not play("calm", months=3)


def test_what_is_switched_off_is_off_in_every_run():
    off = {"demand.uncertain": False, "technology.enabled": False}
    table = Player(FEW, off=off)("baseline", {"openai.floor_share": 0.5}, months=3)
    plain = Player(FEW)("baseline", {"openai.floor_share": 0.5}, months=3)
    assert np.ptp(table.series["revenue"][0]) == 0.0 < np.ptp(plain.series["revenue"][0])


def test_floor_moves_a_dollar_for_a_dollar_before_anybody_answers(play):
    verdict, _, rows = patterns.floor_moves_cash(play)
    assert verdict == HOLDS
    assert rows[0].low == pytest.approx(1.0, abs=1e-6) and rows[0].high == pytest.approx(1.0, abs=1e-6)
    assert rows[1].value == 0.0


@pytest.mark.parametrize(
    ("luck", "month", "other"), [(49, 8, "re-letting"), (911, 16, "take-or-pay to second owners")]
)
def test_where_the_floor_is_not_one_for_one_the_lab_still_pays_what_it_is_billed(luck, month, other):
    ledgers = []
    for floor in (0.6, 0.9):
        setting = load("baseline").with_set({"openai.floor_share": floor})
        model = DebtTrapModel(worlds=[luck], rng=1, months=96, setting=setting, record=False)
        model.run_for(month)
        ledgers.append(model.ledger)
    low, high = ledgers
    more, kinds = (high.flow - low.flow)[:, 0], np.array(low.kinds)
    lab = low.payer == low.index["OpenAI"]
    bills = np.isin(kinds, ["take-or-pay", "renewal", "take-or-pay to second owners"])
    left = (low.cash - high.cash)[low.index["OpenAI"], 0]
    assert left == pytest.approx(more[lab & bills].sum(), abs=1e-12) and abs(left) > 1e-4
    assert abs(more[kinds == other].sum()) > 1e-4


def test_a_larger_player_plays_the_same_worlds_and_more(play):
    larger = play.larger(2)
    assert larger is play.larger(2) and larger.worlds == 2 * FEW
    few, many = (player("baseline", months=3).series["revenue"] for player in (play, larger))
    assert np.array_equal(many[:, :FEW], few)


def test_recovery_counts_the_builders_loans_alone(play):
    claimed, lost = play.called_loans("fibre_1996", 120, patterns.CHAIN)
    everybody = play.called_loans("fibre_1996", 120, (*patterns.CHAIN, "SoftBank"))
    assert (lost >= 0.0).all() and (lost <= claimed + 1e-9).all() and claimed.sum() > 0.0
    assert (everybody[0] >= claimed - 1e-12).all()


def test_nothing_happens_in_calm(play):
    verdict, _, rows = patterns.calm_is_calm(play)
    assert verdict == HOLDS
    assert rows[0].value == rows[1].value == 0.0


def test_the_rebound_turns_where_elasticity_times_pass_through_is_one(play):
    verdict, _, rows = patterns.rebound_flips(play)
    products = [each.value for each in rows if each.unit == "product"]
    assert len(products) == 3
    assert (verdict == HOLDS) == all(abs(product - 1.0) < 0.1 for product in products)


def test_a_pattern_without_a_claim_of_sign_is_reported(play):
    verdict, sentence, rows = patterns.power_by_payer(play)
    assert verdict == REPORTED
    assert len(rows) == 3 * 2 * 5
    assert "put" in sentence
    assert all(each.low <= each.value <= each.high for each in rows)


def test_a_bank_s_inputs_give_a_table_that_adds_up(play):
    verdict, _, rows = patterns.table_of_hsbc(play)
    at = {each.quantity: each.value for each in rows}
    assert verdict == REPORTED
    assert at["rent, 2026 to 2030"] == pytest.approx(sum(at[f"rent, {year}"] for year in range(2026, 2031)))
    assert at["revenue in 2030"] == at["revenue, 2030"] > 0.0


def test_the_fibre_replay_reports_price_and_recovery_apart(play):
    _, _, rows = patterns.fibre_fails_and_is_reused(play)
    assert 0.0 <= rows[0].value <= 1.0
    ratios = [each for each in rows if each.unit == "US$ per US$"]
    assert len(ratios) == 2 and all(each.low <= each.value <= each.high for each in ratios)


def test_the_same_worlds_give_the_same_finding():
    one, other = (find_patterns(["h"], worlds=3, seed=5)[0] for _ in range(2))
    assert one == other
    assert one.facts()["rows"][0]["value"] == 0.0


def test_unknown_patterns_are_named():
    with pytest.raises(BadInput, match="'z'"):
        find_patterns(["a", "z"], worlds=2)
    with pytest.raises(BadInput, match="at least 2"):
        find_patterns(["h"], worlds=1)


def test_the_page_has_a_line_for_every_number():
    rows = (chance("falls", np.array([True, False])), Row("more", "US$bn", 1.5, 1.0, 2.0, paired=True))
    text = page(
        [Finding("a", "A claim.", UNCLEAR, "A sentence.", rows, 2, 1, 96)], "2026-01-01", {"a": "Because."}
    )
    for part in ("2026-01-01", "**unclear.**", "A claim.", "Because.", "| more | US$bn | +1.5 | 1 to 2 |"):
        assert part in text


def test_on_the_command_line(tmp_path):
    file = tmp_path / "patterns.md"
    done = CliRunner().invoke(run.app, ["patterns", "h", "--worlds", "2", "--json", "--page", str(file)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0]["verdict"] == HOLDS
    assert "## Pattern h" in file.read_text(encoding="utf-8")
    told = CliRunner().invoke(run.app, ["patterns", "h", "--worlds", "2"])
    assert "Pattern h: holds" in told.stdout
