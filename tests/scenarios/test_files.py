import json
import os
import stat

import pandas as pd
import pytest

from scenarios import BadInput, load, simulate
from scenarios.files import OURS, Output, platform_facts, version

TABLES = {"worlds.parquet", "monthly.parquet", "events.parquet", "story.parquet"}


@pytest.fixture(scope="module")
def results(vocabulary, tmp_path_factory):
    path = tmp_path_factory.mktemp("scenario") / "mine.toml"
    path.write_text('title = "Mine"\n[lab]\nrent = 5.0\n[[event]]\nkind="chip_price"\nmonth=2\nsize=0.5')
    scenario = load(path, vocabulary).with_set({"lab.floor_share": 0.8})
    return simulate(scenario, worlds=12, seed=7, months=6, story=3)


def names(directory):
    return {path.name for path in directory.iterdir()}


def test_a_run_leaves_its_files(results, tmp_path):
    directory = results.save(tmp_path / "new" / "run")
    assert names(directory) == {"run.json", *TABLES}
    assert names(tmp_path / "new") == {"run"}, "no temporary directory is left"
    worlds = pd.read_parquet(directory / "worlds.parquet")
    pd.testing.assert_frame_equal(worlds, results.worlds())


def test_a_run_says_how_to_run_it_again(results, tmp_path, vocabulary):
    facts = json.loads((results.save(tmp_path / "run") / "run.json").read_text())
    assert (facts["seed"], facts["worlds"], facts["months"], facts["story_world"]) == (7, 12, 6, 3)
    assert facts["scenario"]["overrides"] == {"lab.floor_share": 0.8}
    assert facts["version"] == version() and facts["platform"] == platform_facts()
    (tmp_path / "again.toml").write_text(facts["scenario"]["toml"])
    again = load(tmp_path / "again.toml", vocabulary)
    assert again.hash() == facts["scenario"]["hash"] == results.scenario.hash()
    repeated = simulate(again, worlds=facts["worlds"], seed=facts["seed"], months=facts["months"], story=3)
    pd.testing.assert_frame_equal(repeated.worlds(), results.worlds(), check_exact=True)


def test_the_hash_of_a_run_is_of_what_decides_its_numbers(results):
    from scenarios.files import run_hash

    scenario = results.scenario
    assert run_hash(simulate(scenario, worlds=12, seed=7, months=6, chunk=5)) == run_hash(results)
    for changed in (
        {"seed": 8},
        {"months": 5},
        {"worlds": 11},
        {"worlds": {"world": range(12), "lab.rent": [5.0] * 12}},
    ):
        given = {"worlds": 12, "seed": 7, "months": 6} | changed
        assert run_hash(simulate(scenario, **given)) != run_hash(results), changed


def test_tables_come_as_csv_too_when_asked(results, tmp_path):
    directory = results.save(tmp_path / "run", csv=True)
    assert len(pd.read_csv(directory / "worlds.csv")) == 12
    assert names(directory) <= OURS


def test_an_empty_directory_is_filled(results, tmp_path):
    (tmp_path / "run").mkdir()
    assert "run.json" in names(results.save(tmp_path / "run"))


def test_a_directory_with_something_in_it_is_left_alone(results, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        results.save(tmp_path)
    assert names(tmp_path) == {"notes.txt"}


def test_force_replaces_the_files_of_a_run_and_nothing_else(results, tmp_path):
    results.save(tmp_path / "run", csv=True)
    (tmp_path / "run" / "notes.txt").write_text("mine")
    (tmp_path / "run" / "run.json").write_text("old")
    results.save(tmp_path / "run", force=True)
    assert names(tmp_path / "run") == {"run.json", "notes.txt", *TABLES}, (
        "the CSV files of the old run are gone"
    )
    assert json.loads((tmp_path / "run" / "run.json").read_text())["seed"] == 7
    assert names(tmp_path) == {"run"}


def test_a_directory_of_ones_own_is_known_by_its_mark(results, tmp_path):
    results.save(tmp_path / "run")
    with Output(tmp_path / "run", ours=True) as output:
        output.write(results)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="not empty"), Output(tmp_path / "other", ours=True):
        pass


def test_what_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), Output(tmp_path / "deep" / "run") as output:
        assert output.temporary.is_dir()
        raise RuntimeError
    assert names(tmp_path) == set()


def test_what_fails_while_writing_leaves_nothing(results, tmp_path, monkeypatch):
    def write_half(self, directory, csv=False):
        (directory / "worlds.parquet").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(results), "write_tables", write_half)
    with pytest.raises(BadInput, match="cannot be written: No space left on device"):
        results.save(tmp_path / "run")
    assert names(tmp_path) == set()


def test_a_file_is_no_directory(results, tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(BadInput, match="is not a directory"):
        results.save(tmp_path / "run", force=True)
    with pytest.raises(BadInput, match="cannot be written"):
        results.save(tmp_path / "run" / "below")
    assert (tmp_path / "run").read_text() == "mine"


@pytest.mark.parametrize("name", ["nul\0byte", "x" * 300])
def test_a_name_that_cannot_be_is_refused(results, tmp_path, name):
    with pytest.raises(BadInput, match="cannot be written"):
        results.save(tmp_path / name)
    assert names(tmp_path) == set()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_where_one_may_not_write_is_refused(results, tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(BadInput, match="cannot be written: Permission denied"):
        results.save(tmp_path / "run")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_file_system_that_takes_no_files_is_refused(results):
    with pytest.raises(BadInput, match="/proc/nowhere: cannot be written"):
        results.save("/proc/nowhere")


def test_others_may_read_what_a_run_leaves(results, tmp_path):
    mask = os.umask(0o022)
    try:
        directory = results.save(tmp_path / "run")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o755
