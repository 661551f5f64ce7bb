"""One demonstration on small data, run once."""

from __future__ import annotations

from pathlib import Path

import pytest

from deeplimit.demo import Demonstration, run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "made" / "here"


@pytest.fixture(scope="session")
def told() -> list[str]:
    """Lines of progress."""
    return []


@pytest.fixture(scope="session")
def demonstration(folder: Path, told: list[str]) -> Demonstration:
    return run(folder, data_sets=["iris", "wine"], progress=told.append)
