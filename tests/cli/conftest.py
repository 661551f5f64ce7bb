"""A small table of flowers, and the command run in the folder where it lies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from deeplimit.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """Standard output with all folds taken out."""
        return " ".join(self.out.split())


Command = Callable[..., Answer]


def flowers() -> pd.DataFrame:
    """Make a table with numbers, categories, gaps, ids and a target, its rows shuffled."""
    iris = load_iris()
    frame = pd.DataFrame(iris.data, columns=["sepal", "sepal_width", "petal", "petal_width"])
    rng = np.random.default_rng(0)
    frame["soil"] = rng.choice(np.array(["clay", "sand", None], dtype=object), len(frame))
    frame["species"] = iris.target_names[iris.target]
    frame["plant"] = [f"P{i:03d}" for i in range(len(frame))]
    frame.loc[5, "sepal"] = np.nan
    # Equal rows would be among those fitted on and among the new ones.
    frame = frame.drop_duplicates(["sepal", "sepal_width", "petal", "petal_width"])
    return frame.sample(frac=1.0, random_state=0).reset_index(drop=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the working folder, with flowers.csv (100 rows) and new.csv (the others)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    frame = flowers()
    frame[:100].to_csv("flowers.csv", index=False)
    frame[100:].to_csv("new.csv", index=False)
    return tmp_path


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command; whatever it does, an error is one line and lines fit the terminal."""

    def run(*arguments: object) -> Answer:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        if code:
            assert len(err.splitlines()) == 1, err
            assert re.match(r"deeplimit( \w+)?: ", err)
        return Answer(code, out, err)

    return run


@pytest.fixture
def model(command: Command) -> Path:
    """Give a model fitted on flowers.csv, with ids."""
    arguments = ("--target", "species", "--id", "plant", "--exponent", 4, "-o", "m.safetensors")
    assert command("fit", "flowers.csv", *arguments).code == 0
    return Path("m.safetensors")
