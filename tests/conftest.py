"""Settings of all tests."""

import os
from pathlib import Path

from hypothesis import settings

# No deadline: the machines that run these tests are shared and noisy. In CI the examples are always the same,
# so that a submission fails because of what it changed.
settings.register_profile("take-or-pay", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("take-or-pay")

# In the tests, kernels look at all that they are given; before the model is imported.
os.environ["CHECK_KERNELS"] = "1"


def pytest_addoption(parser):
    parser.addoption(
        "--vectors",
        default=str(Path(__file__).parent / "data" / "vectors.json"),
        help="file of test vectors that tests/vectors runs through the production functions",
    )
