"""Questions of more than one run, asked on the command line from end to end with few worlds and months."""

import json

import pytest
from typer.testing import CliRunner

import run
from scenarios.experiments.attribution import DRIVERS
from scenarios.experiments.equity_window import CAPS, HAZARDS


def asked(*words):
    done = CliRunner().invoke(run.app, list(words))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_run_explains_its_headline(tmp_path):
    size = ["--worlds", "3", "--months", "4", "--out", str(tmp_path / "run"), "--explain"]
    facts = json.loads(asked("run", "baseline", *size, "--json"))["equity_share"]
    assert {row["driver"] for row in facts["drivers"]} == {"equity", "all else"}
    assert facts["worlds"] == 3 and facts["adds_up_to"] < 1e-12
    told = asked("run", "airline", *size, "--force")
    assert "How much of the airline's default probability is the equity window" in told


def test_sensitivity_gives_an_index_for_every_factor_it_is_given():
    size = ["--samples", "2", "--worlds", "2", "--months", "3"]
    factors = ["--vary", "openai.floor_share=0.5:1", "--vary", "halls.chip_price=25:40"]
    facts = json.loads(asked("sensitivity", *size, *factors, "--measure", "peak_stress", "--json"))
    assert {row["path"] for row in facts["factors"]} == {"openai.floor_share", "halls.chip_price"}
    assert "Sobol indices" in asked("sensitivity", "fibre_1996", *size, *factors)
    bad = CliRunner().invoke(run.app, ["sensitivity", *size, "--vary", "foo=1:2"])
    assert bad.exit_code == 2 and "'foo': unknown parameter" in bad.output


def test_explain_hands_out_among_all_drivers():
    facts = json.loads(asked("explain", "--worlds", "2", "--months", "2", "--json"))
    assert {row["driver"] for row in facts["drivers"]} == set(DRIVERS)
    assert facts["adds_up_to"] < 1e-12 and facts["card"] is None
    assert sum(row["share"] for row in facts["drivers"]) == pytest.approx(
        facts["all_on"]["value"] - facts["all_off"]["value"]
    )


def test_figure_one_has_every_point():
    facts = json.loads(asked("figure1", "--worlds", "1", "--months", "1", "--json"))
    assert len(facts["grid"]) == len(HAZARDS) * len(CAPS)
