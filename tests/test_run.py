"""The command line, end to end: real commands on the real model, in a directory of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import run

ROOT = Path(__file__).resolve().parent.parent
SMALL = ("--worlds", "6", "--months", "14", "--seed", "3")


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """Run a command in an empty directory, as a user with a terminal of 80 columns would."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run_command(*arguments)


def run_command(*arguments):
    runner = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"})
    return runner.invoke(run.app, [str(argument) for argument in arguments], prog_name="run.py")


def start_process(*arguments, directory):
    """Run a command as a process of its own."""
    command = [sys.executable, str(ROOT / "run.py"), *arguments]
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "check": False}
    return subprocess.run(command, cwd=directory, env=environment, **options)


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """One small run with all its files, and what it printed."""
    directory = tmp_path_factory.mktemp("example") / "out"
    options = ("--set", "openai.floor_share=0.8", "--world", 4, "--out", directory)
    done = run_command("run", "growth_disappoints", *SMALL, *options)
    assert done.exit_code == 0, done.stderr
    return done.stdout, directory


def test_a_run_tells_its_story_in_80_columns(example):
    text, directory = example
    assert max(map(len, text.splitlines())) <= 80
    for words in (
        "6 worlds, Jan 2026 to Feb 2027, seed 3",
        "Changed: openai.floor_share = 0.8",
        "Others have promised 96 US$bn of loans",
        "Who fails by Feb 2027",
        "Stress of the whole market",
        "They balance in all 6 worlds and 14 months",
        directory.name,
        "no advice",
    ):
        assert words in text


def test_a_run_leaves_its_files(example):
    _, directory = example
    names = {path.name for path in directory.iterdir()}
    assert names == {"run.json", "worlds.parquet", "monthly.parquet", "story.parquet", "events.parquet"}
    facts = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    assert (facts["seed"], facts["worlds"], facts["months"], facts["story_world"]) == (3, 6, 14, 4)
    assert facts["scenario"]["overrides"] == {"openai.floor_share": 0.8}
    worlds = pd.read_parquet(directory / "worlds.parquet")
    assert worlds["world"].tolist() == list(range(6))
    assert worlds["books_residual"].max() < 1e-9
    assert {"default:OpenAI", "missed:OpenAI", "distressed:OpenAI", "trap:OpenAI", "loss:Bondholders"} <= set(
        worlds
    )
    monthly = pd.read_parquet(directory / "monthly.parquet")
    assert {"month", "agent", "measure", "mean", "p05", "p50", "p95"} <= set(monthly)
    assert set(monthly["month"]) == set(range(1, 15))
    story = pd.read_parquet(directory / "story.parquet")
    assert set(story["month"]) == set(range(15))
    cash = story[(story["table"] == "balance sheet") & (story["state"] == "cash")]
    assert abs(cash.groupby("month")["value"].sum()).max() < 1e-9 * cash["value"].abs().max()


def test_what_was_run_can_be_run_again_from_its_files(example, cli, tmp_path):
    _, directory = example
    facts = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    (tmp_path / "again.toml").write_text(facts["scenario"]["toml"], encoding="utf-8")
    done = cli("run", "again.toml", *SMALL, "--world", 4, "--out", "again", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["hash"] == facts["hash"] and told["files"] == "again"
    for name in ("worlds", "monthly", "story", "events"):
        one, other = (pd.read_parquet(path / f"{name}.parquet") for path in (directory, tmp_path / "again"))
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_a_run_in_json_has_what_machines_are_promised(cli, tmp_path):
    for _ in range(2):  # the second replaces what the first has left in its own directory
        done = cli("run", *SMALL, "--csv", "--json")
        assert done.exit_code == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["scenario"] == "baseline" and facts["books_residual"] < 1e-9
    assert set(facts["default_probability"]["OpenAI"]) == {"p", "low", "high"}
    assert {"version", "hash", "peak_stress", "losses_usd_bn", "trap_probability", "seconds"} <= set(facts)
    directory = tmp_path / "results" / "baseline-seed3-6w-14m"
    assert facts["files"] == str(directory.relative_to(tmp_path))
    assert (directory / "worlds.csv").is_file() and (directory / "run.json").is_file()
    assert [path.name for path in (tmp_path / "results").iterdir()] == [directory.name]


def test_the_opening_says_what_the_articles_say(cli):
    facts = json.loads(cli("opening", "--json").stdout)
    assert facts["partner_debt_usd_bn"] == {
        "softbank_oracle_coreweave": 30.0,
        "blue_owl_crusoe": 28.0,
        "oracle_vantage_in_talks": 38.0,
        "total": 96.0,
    }
    assert facts["partner_debt_drawn_usd_bn"] == pytest.approx(39.5, abs=1e-9)
    assert facts["openai"] == {
        "revolver_usd_bn": 4.0,
        "revolver_drawn_usd_bn": 0.0,
        "commitments_usd_bn": 1400.0,
        "commitment_years": 8,
        "annualised_revenue_usd_bn": 20.0,
    }
    assert facts["books_residual"] < 1e-9
    sheet = facts["balance_sheet"]
    for instrument, row in zip(sheet["instruments"], sheet["matrix"], strict=True):
        if instrument != "real assets":
            assert abs(sum(row)) < 1e-9 * max(1.0, *map(abs, row)), instrument
    assert all(line["source"] and line["status"] for line in facts["lines"])


def test_the_opening_is_told_in_80_columns(cli):
    done = cli("opening")
    assert done.exit_code == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in ("together", "96.0", "39.5", "net worth", "loan_abilene", "They balance"):
        assert words in done.stdout


def test_the_scenarios_are_listed_and_all_of_them_are_good(cli):
    told = {each["name"]: each for each in json.loads(cli("scenarios", "--json").stdout)}
    shipped = {"baseline", "calm", "growth_disappoints", "efficiency_shock", "energy_crunch", "cash_funded"}
    assert shipped <= set(told)
    assert len({each["hash"] for each in told.values()}) == len(told), "no two scenarios are the same"
    text = cli("scenarios").stdout
    assert all(name in text for name in told) and max(map(len, text.splitlines())) <= 80


def test_parameters_are_listed_with_unit_default_range_and_source(cli):
    rows = json.loads(cli("params", "--json").stdout)
    assert len({row["path"] for row in rows}) == len(rows) > 50
    for row in rows:
        assert row["unit"] and row["sentence"].endswith(".") and row["source"], row["path"]
        assert row["kind"] in {"number", "whole", "choice", "flag"}, row["path"]
    done = cli("params", "openai")
    assert "floor_share" in done.stdout and "infrastructure_partner" not in done.stdout
    wrong = cli("params", "openia")
    assert wrong.exit_code == 2 and "did you mean openai?" in wrong.stderr


def test_a_good_file_and_a_bad_one_are_told_apart(cli, tmp_path):
    (tmp_path / "good.toml").write_text('extends = "baseline"\n[openai]\nfloor_share = 0.5\n')
    assert cli("check", "good.toml").exit_code == 0
    (tmp_path / "bad.toml").write_text("[openai]\nfloor_shar = 0.5\n[openia]\nx = 1\n")
    told = cli("check", "bad.toml", "--json")
    facts = json.loads(told.stdout)
    assert told.exit_code == 2 and not facts["ok"]
    assert [problem["key"] for problem in facts["problems"]] == ["openai.floor_shar", "openia"]
    assert facts["problems"][0]["nearest"] == "openai.floor_share"


def test_a_progress_bar_is_shown_once_it_takes_more_than_a_second():
    with run._Progress() as progress:
        progress(1, 10)
        assert progress.bar is None
        progress.began -= 2.0
        progress(5, 10)
        (task,) = progress.bar.tasks
        assert (task.completed, task.total) == (5, 10)
        progress(10, 10)
    assert progress.bar.finished


def test_without_a_command_the_baseline_is_run_and_the_next_step_named(cli, monkeypatch):
    run_anyhow, told = run.run, []
    monkeypatch.setattr(run, "run", lambda: told.append(run_anyhow(worlds=2, months=2)))
    done = cli()
    assert done.exit_code == 0 and len(told) == 1
    assert "Baseline" in done.stdout and done.stdout.splitlines()[-1].startswith(
        "Next: python run.py opening"
    )


def test_help_and_version_are_there(cli):
    assert "opening" in cli("--help").stdout
    assert cli("--version").stdout.strip() == "0.1.0"


BAD_INPUT = {
    "an unknown scenario": (["run", "basline"], "did you mean baseline?"),
    "an unknown parameter": (["run", "--set", "openai.floor_shar=1"], "did you mean openai.floor_share?"),
    "a wrong type": (["run", "--set", "openai.floor_share=many"], "a number from 0 to 1 (share)"),
    "out of range": (["run", "--set", "openai.floor_share=1.5"], "a number from 0 to 1 (share)"),
    "not a number": (["run", "--set", "openai.floor_share=nan"], "a number from 0 to 1 (share)"),
    "infinity": (["run", "--set", "openai.floor_share=inf"], "a number from 0 to 1 (share)"),
    "no value": (["run", "--set", "openai.floor_share"], "PATH=VALUE"),
    "no worlds": (["run", "--worlds", "0"], "worlds = 0: not allowed"),
    "negative worlds": (["run", "--worlds", "-3"], "worlds = -3: not allowed"),
    "no months": (["run", "--months", "0"], "months = 0: not allowed"),
    "negative months": (["run", "--months", "-1"], "months = -1: not allowed"),
    "a world that is not there": (["run", "--worlds", "4", "--world", "4"], "world = 4: not allowed"),
    "worlds that are no number": (["run", "--worlds", "many"], "parse string as an integer"),
    "a file in the way": (["run", "--out", "here.txt"], "is not a directory"),
    "a directory in use": (["run", "--out", "used"], "not empty"),
    "a directory in a file": (["run", "--out", "here.txt/below"], "cannot be written"),
    "a scenario that extends itself": (["run", "circle.toml"], "cannot extend itself"),
    "a file of 50 MB": (["check", "large.toml"], "at most 1 MB"),
    "a binary file": (["check", "binary.toml"], "binary.toml"),
    "no file": (["check", "nowhere.toml"], "no such file"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_gets_one_message_and_leaves_nothing(cli, tmp_path, case):
    (tmp_path / "here.txt").write_text("mine")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").write_text("mine")
    (tmp_path / "circle.toml").write_text('extends = "circle.toml"')
    with (tmp_path / "large.toml").open("wb") as file:
        file.truncate(50_000_000)
    (tmp_path / "binary.toml").write_bytes(bytes(range(256)))
    before = sorted(tmp_path.rglob("*"))
    arguments, message = BAD_INPUT[case]
    done = cli(*arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
    assert isinstance(done.exception, SystemExit), "no error but the one it ends with"
    assert done.stdout == ""
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "used" / "notes.txt").read_text() == "mine"


def test_it_works_as_a_process_from_any_directory(tmp_path):
    done = start_process("run", *SMALL, "--json", directory=tmp_path)
    assert done.returncode == 0 and json.loads(done.stdout)["worlds"] == 6
    wrong = start_process("run", "basline", directory=tmp_path)
    assert wrong.returncode == 2 and "Traceback" not in wrong.stderr and wrong.stdout == ""
    assert len(wrong.stderr.splitlines()) == 1


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    command = f"{sys.executable} {ROOT / 'run.py'} params --json | head -n 1"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[" and "Traceback" not in done.stderr
