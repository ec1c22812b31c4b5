"""Fixtures for all tests."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# Tests that run side by side wait for each other where a library takes every core for each of them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell starts what runs in its background with Ctrl-C ignored, and so would run all that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Find a folder of data that may not be in the repository, or skip the test that asks for it."""
    places = [Path(place) for place in os.environ.get("RECBENCH_DATA", "").split(os.pathsep) if place]
    places.append(REPOSITORY.parent / "shared" / "data")

    def find(name: str) -> Path:
        for place in places:
            if (place / name).is_dir():
                return place / name
        pytest.skip(f"needs the data set {name} in RECBENCH_DATA")

    return find


@pytest.fixture(scope="session")
def original() -> Iterator[Path]:
    """A small run with its protocol and data: out/ beside small.toml. Not to be changed."""
    import publications

    with tempfile.TemporaryDirectory() as folder:
        publications.make(Path(folder))
        yield Path(folder)


@pytest.fixture
def output(original: Path, tmp_path: Path) -> Path:
    """The records and boards of a copy of it, to tamper with."""
    shutil.copytree(original, tmp_path / "copy")
    return tmp_path / "copy" / "out"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes the golden files anew, to be looked at in the diff."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--update-golden"))
