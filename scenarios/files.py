"""The files of a run: written beside the place where they belong, and put there only when they are
complete.
"""

import contextlib
import functools
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np

from scenarios.schema import BadInput, Problem, decision_row, event_row

ROOT = Path(__file__).resolve().parents[1]
MARK = "run.json"  # what a directory holds that was made by a run
TABLES = ("worlds", "monthly", "story", "events")
OURS = {MARK, *(f"{name}.{ending}" for name in TABLES for ending in ("parquet", "csv"))}


class Output:
    """A directory for the files of a run, used as ``with Output(directory) as output:
    output.write(results)``.

    Entering checks that the directory can be made: it must not exist, or be empty. With ``force`` files of
    an earlier run in it are replaced, and other files are left alone; with ``ours`` that is so only where
    an earlier run left its mark. BadInput says what is wrong. Until the end everything is in a temporary
    directory beside it, so that nothing half-written is ever seen; when something fails, nothing is left.
    """

    def __init__(self, directory, *, force=False, ours=False):
        self.directory, self.force, self.ours = Path(directory).expanduser(), force, ours
        self.temporary, self.made = None, []

    def __enter__(self):
        self._refuse_what_is_there()
        try:
            self._make_parents(self.directory.absolute().parent)
            beside = {"prefix": f".{self.directory.name}-", "dir": self.directory.absolute().parent}
            self.temporary = Path(tempfile.mkdtemp(**beside))
            self.temporary.chmod(0o777 & ~_umask())
        except (OSError, ValueError) as error:
            self._tidy(keep_parents=False)
            raise self._cannot(error) from None
        return self

    def __exit__(self, kind, error, trace):
        self._tidy(keep_parents=self.directory.exists())

    def write(self, results, csv=False):
        """Write the files of a run and put them in place; give the directory."""
        try:
            results.write_tables(self.temporary, csv)
            facts = json.dumps(run_facts(results), indent=2, ensure_ascii=False, allow_nan=False)
            (self.temporary / MARK).write_text(facts + "\n", encoding="utf-8")
            self._publish()
        except OSError as error:
            raise self._cannot(error) from None
        return self.directory

    def _refuse_what_is_there(self):
        try:
            if not os.path.lexists(self.directory):
                return
            if not self.directory.is_dir():
                raise BadInput(Problem("", str(self.directory), "is not a directory"))
            there = {path.name for path in self.directory.iterdir()}
        except (OSError, ValueError) as error:
            raise self._cannot(error) from None
        replaceable = self.force or (self.ours and MARK in there)
        if there and not replaceable:
            message = (
                "the directory is not empty; give another, or --force to replace the files of a run in it"
            )
            raise BadInput(Problem("", str(self.directory), message))

    def _make_parents(self, parent):
        missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            self.made.append(folder)

    def _publish(self):
        if self.directory.is_dir() and any(self.directory.iterdir()):
            for name in OURS - {path.name for path in self.temporary.iterdir()}:
                (self.directory / name).unlink(missing_ok=True)
            for path in sorted(
                self.temporary.iterdir(), key=lambda path: path.name == MARK
            ):  # the mark comes last
                path.replace(self.directory / path.name)
        else:
            self.temporary.replace(self.directory)

    def _tidy(self, keep_parents):
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)
        if not keep_parents:
            for folder in reversed(self.made):
                with contextlib.suppress(OSError):
                    folder.rmdir()

    def _cannot(self, error):
        reason = getattr(error, "strerror", None) or str(error)
        return BadInput(Problem("", str(self.directory), f"cannot be written: {reason}"))


def run_facts(results):
    """Give what ``run.json`` says: all that is needed to run the same worlds again, and where it was run."""
    scenario = results.scenario
    table = {path: "by world" for path in results.pieces[0].params}
    return {
        "scenario": {
            "name": scenario.name,
            "title": scenario.title,
            "paragraph": scenario.paragraph,
            "sources": list(scenario.sources),
            "extends": list(scenario.extends),
            "overrides": scenario.overrides,
            "opening": scenario.opening,
            "params": scenario.params,
            "params_by_world": table,
            "events": [event_row(event) for event in scenario.events],
            "decisions": [decision_row(decision) for decision in scenario.decisions],
            "hash": scenario.hash(),
            "toml": scenario.to_toml(),
        },
        "seed": results.seed,
        "worlds": int(results.luck.size),
        "months": results.months,
        "story_world": int(results.luck[results.story]),
        "version": version(),
        "hash": run_hash(results),
        "platform": platform_facts(),
    }


def run_hash(results):
    """Give 16 hex digits of all that decides the numbers: scenario, seed, worlds, months, version."""
    digest = hashlib.sha256(f"{results.scenario.hash()}|{results.seed}|{results.months}|{version()}".encode())
    digest.update(results.luck.astype("<i8").tobytes())
    for path in sorted(results.pieces[0].params):
        values = np.concatenate([piece.params[path] for piece in results.pieces])
        digest.update(path.encode() + values.astype("<f8").tobytes())
    return digest.hexdigest()[:16]


@functools.cache
def version():
    """Give the version of the product, from pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def platform_facts():
    """Give what the last bits of exp, log and powers depend on, and the versions of what computed them."""
    simd = np.show_config(mode="dicts").get("SIMD Extensions", {})
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "simd": [*simd.get("baseline", []), *simd.get("found", [])],
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "scipy": metadata.version("scipy"),
        "mesa": metadata.version("mesa"),
    }


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
