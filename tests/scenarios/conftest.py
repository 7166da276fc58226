import pytest

from scenarios import schema
from tests.scenarios.toy import ToyModel


@pytest.fixture(scope="session")
def vocabulary():
    """What a scenario may say about the toy model."""
    return schema.Vocabulary(ToyModel)


@pytest.fixture
def write(tmp_path):
    """Write a scenario file and give its path."""

    def write(text, name="mine.toml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def read(write, vocabulary):
    """Write a scenario file for the toy model and read it back."""
    return lambda text, name="mine.toml": schema.load(write(text, name), vocabulary)


@pytest.fixture
def mistakes(read):
    """Read a bad scenario file; give its mistakes as texts."""

    def mistakes(text, name="mine.toml"):
        with pytest.raises(schema.BadInput) as caught:
            read(text, name)
        return [str(problem) for problem in caught.value.problems]

    return mistakes
