"""Outside of the tests a call of a kernel goes straight to the machine code, and every scenario has the same digest."""

import os
import subprocess
import sys
from pathlib import Path

from agents.kernels import CHECKED
from model import DebtTrapModel
from scenarios import library, load

ROOT = Path(__file__).parents[2]
WORLDS, MONTHS = 3, 96


def digests():
    """The digest of every shipped scenario, by name, as kernels are called here."""
    found = {}
    for name in library():
        model = DebtTrapModel(WORLDS, 1, MONTHS, load(name))
        model.run_for(MONTHS)
        found[name] = model.history.digest()
    return found


def test_every_scenario_has_the_digest_that_it_has_where_kernels_check_what_they_are_given():
    program = "from agents.kernels import CHECKED; from tests.model.test_kernels_unchecked import digests; "
    program += "print(CHECKED); [print(name, digest) for name, digest in digests().items()]"
    unchecked = {name: value for name, value in os.environ.items() if name != "CHECK_KERNELS"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=unchecked, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    first, *lines = done.stdout.splitlines()
    assert CHECKED and first == "False"
    assert lines == [f"{name} {digest}" for name, digest in digests().items()] and len(lines) > 20
