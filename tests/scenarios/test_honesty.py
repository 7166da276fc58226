"""The honesty test: what it switches off exists, and a changed verdict is noticed."""

import json

from typer.testing import CliRunner

import run
from scenarios import load
from scenarios.experiments.honesty import FINDINGS, OMITTED, TRIED, Line, honesty, page
from scenarios.experiments.patterns import PATTERNS, UNCLEAR, Player, Row
from scenarios.files import ROOT


def test_everything_that_is_omitted_is_a_parameter_with_that_value():
    for off in OMITTED.values():
        assert load("baseline").with_set(off).overrides == off


ROW = Row("loss", "US$bn", 1.5, 1.0, 2.0)


def line(with_it, without):
    return Line("a", "power", with_it, without, ROW, ROW)


def test_a_line_says_whether_the_verdict_changed_and_whether_it_turned():
    assert line("holds", "unclear").changed and not line("holds", "unclear").turned
    assert line("does not hold", "holds").turned
    assert not line("holds", "holds").changed


def test_what_has_a_verdict_is_tried():
    reported = {name for name, pattern in PATTERNS.items() if "REPORTED" in pattern.__code__.co_names}
    assert set(TRIED) == set(PATTERNS) - reported and reported == {"d", "g", "k"}


def test_the_page_tells_what_changes_and_every_verdict():
    text = page(
        [line("holds", "does not hold"), line("holds", "holds")], "today", 64, 1, findings=("A finding.",)
    )
    for part in (
        "Of 2 verdicts 1 change, and 1 of these turn",
        "* A finding.",
        "1.5 (1 to 2)",
        "**does not hold**",
    ):
        assert part in text


def test_the_page_that_is_kept_has_every_mechanism_and_findings():
    text = (ROOT / "docs" / "honesty.md").read_text(encoding="utf-8")
    for name in OMITTED:
        assert f"| {name} |" in text
    assert all(told in text for told in FINDINGS) and len(FINDINGS) >= 5


def test_a_pattern_that_has_nothing_to_count_is_unclear():
    verdict, sentence, rows = PATTERNS["e"](Player(2, chunk=8, off={"equity_investors.enabled": False}))
    assert verdict == UNCLEAR and "nothing to count" in sentence and rows[0].value == 0.0


def test_only_what_a_verdict_reads_is_played():
    plain, judged = Player(2, chunk=2), Player(2, chunk=2, judged=True)
    one, other = (PATTERNS["a"](play) for play in (plain, judged))
    assert one[0] == other[0] and one[2][0] == other[2][0]
    assert len(judged._played) == 2 < len(plain._played)


def test_calm_stays_calm_without_what_is_off_anyway_and_not_with_shocks():
    omitted = {"power": {"power.enabled": False}, "calm itself": {"equity_investors.committed_2026": 0.0,
               "equity_investors.committed_2027": 0.0, "equity_investors.committed_2028": 0.0,
               "equity_investors.committed_2029": 0.0, "equity_investors.committed_2030": 0.0}}  # fmt: skip
    same, other = honesty(["h"], worlds=2, omitted=omitted)
    assert (same.omitted, same.with_it, same.changed) == ("power", "holds", False)
    assert (other.without, other.changed) == ("does not hold", True)


def test_on_the_command_line(monkeypatch):
    monkeypatch.setattr(
        "scenarios.experiments.honesty.OMITTED", {"energy scarcity": {"power.enabled": False}}
    )
    done = CliRunner().invoke(run.app, ["honesty", "h", "--worlds", "2", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)[0]["omitted"] == "energy scarcity"
    told = CliRunner().invoke(run.app, ["honesty", "h", "--worlds", "2"])
    assert "No verdict changes" in told.stdout
