"""No kernel reads or writes beyond its blocks: compiled code does not look, so here it is compiled once to look.

A Param's block may be ``(rows, 1)`` where NumPy broadcasts it; a kernel would read on into other memory, silently.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import numpy as np
from model import DebtTrapModel, kernels
from scenarios import load

try:
    kernels.add_up(np.array([0, 1]), np.array([7]), np.ones(1), np.ones((1, 3)), np.empty((1, 3)))
except IndexError:
    print("bounds are checked")
for name in ("baseline", "energy_crunch", "own_balance_sheet", "fibre_1996", "credit_freeze"):
    DebtTrapModel(worlds=7, rng=1, setting=load(name)).run_for(96)
    print(name)
"""


def test_no_kernel_leaves_its_blocks(tmp_path):
    checked = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=checked, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    names = ["baseline", "energy_crunch", "own_balance_sheet", "fibre_1996", "credit_freeze"]
    assert done.stdout.splitlines() == ["bounds are checked", *names]
