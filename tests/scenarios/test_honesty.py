"""The honesty test: what it switches off exists, and a changed verdict is noticed."""

import json

from typer.testing import CliRunner

import run
from scenarios import load
from scenarios.experiments.honesty import OMITTED, Line, honesty


def test_everything_that_is_omitted_is_a_parameter_with_that_value():
    for off in OMITTED.values():
        assert load("baseline").with_set(off).overrides == off


def test_a_line_says_whether_the_verdict_changed():
    assert Line("a", "x", "holds", "unclear").changed
    assert not Line("a", "x", "holds", "holds").changed


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
