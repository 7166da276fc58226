"""One test for each vector of the file given by --vectors."""

import json
from pathlib import Path

import pytest


def pytest_generate_tests(metafunc):
    if "vector" in metafunc.fixturenames:
        path = Path(metafunc.config.getoption("--vectors"))
        vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
        metafunc.parametrize("vector", [pytest.param(vector, id=vector["id"]) for vector in vectors])


@pytest.fixture(scope="session")
def own_vectors():
    """The product's own copy, whatever --vectors says."""
    path = Path(__file__).parents[1] / "data" / "vectors.json"
    return json.loads(path.read_text(encoding="utf-8"))["vectors"]
