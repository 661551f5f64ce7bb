"""The command that writes a card."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

import deeplimit as dl
from deeplimit.cli.console import UsageError
from deeplimit.cli.reporting import add_to, report


@pytest.fixture
def model(tmp_path: Path) -> Path:
    X = np.random.default_rng(0).normal(size=(40, 2))
    steps = [("encoder", dl.TableEncoder()), ("classifier", dl.DeepLimitClassifier())]
    pipeline = Pipeline(steps).fit(X, np.where(X[:, 0] > 0.0, "a", "b"))
    pipeline.ids_ = np.arange(40)
    path = tmp_path / "model.safetensors"
    notes = {"target": "y", "id_column": None, "columns": ["u", "v"], "header": None}
    dl.save(pipeline, path, notes=notes)
    return path


def options(*words: str) -> argparse.Namespace:
    """Parse as the command line does."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()

    def add(name, run, about, more):
        made = commands.add_parser(name, help=about, description=about, epilog=more)
        made.set_defaults(run=run, command=name)
        return made

    add_to(add)
    found = parser.parse_args(["report", *words])
    assert found.run is report
    return found


def test_the_card_goes_to_the_terminal(model, capsys):
    assert report(options(str(model))) == 0
    assert capsys.readouterr().out.startswith("Model card of DeepLimitClassifier\n")


@pytest.mark.parametrize(
    ("name", "start"),
    [("card.html", "<!doctype html>"), ("card.md", "# Model card"), ("card.txt", "Model card")],
)
def test_the_ending_says_what_is_written(model, capsys, name, start):
    path = model.with_name(name)
    assert report(options(str(model), "-o", str(path))) == 0
    assert path.read_text(encoding="utf-8").startswith(start)
    assert "card written to" in capsys.readouterr().out
    with pytest.raises(ValueError, match="--force"):
        report(options(str(model), "-o", str(path)))
    assert report(options(str(model), "-o", str(path), "--force")) == 0


def test_other_endings_are_refused(model):
    with pytest.raises(UsageError, match=r"card\.pdf"):
        report(options(str(model), "-o", "card.pdf"))
