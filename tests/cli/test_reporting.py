"""The card of a model, asked for in a terminal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplimit as dl


@pytest.fixture
def pooled(command: Any) -> Path:
    """Give a model as fit writes it when nothing is chosen."""
    arguments = ("--target", "species", "--id", "plant", "-o", "pool.safetensors")
    assert command("fit", "flowers.csv", *arguments).code == 0
    return Path("pool.safetensors")


def test_the_card_is_that_of_the_classifier(command: Any, pooled: Path) -> None:
    answer = command("report", pooled)
    assert answer.code == 0
    assert answer.out == f"{dl.load(pooled)[-1].report().document.to_text(80)}\n"
    for word in ("pool of", "petal_width", "soil", "setosa", "100 of 100 examples", "fingerprint"):
        assert word in answer.words, word


def test_a_pure_model_has_a_card_too(command: Any, model: Path) -> None:
    answer = command("report", model)
    assert answer.code == 0
    assert "singular kernel, exponent 4" in answer.words


def test_a_page_is_one_file(command: Any, pooled: Path) -> None:
    answer = command("report", pooled, "-o", "card.html")
    assert (answer.code, answer.out) == (0, "card written to card.html\n")
    page = Path("card.html").read_text(encoding="utf-8")
    assert page == dl.load(pooled)[-1].report().to_html()
    assert not re.search(r"<script|<link|(src|href)=", page)


def test_the_card_follows_the_model(command: Any, pooled: Path) -> None:
    assert command("forget", pooled, "P001", "P002").code == 0
    said = command("report", pooled).words
    assert "98 of 98 examples" in said
    assert dl.load(pooled)[-1].certificate().fingerprint in said


def test_what_is_there_is_kept(command: Any, pooled: Path) -> None:
    Path("card.md").write_text("mine")
    answer = command("report", pooled, "-o", "card.md")
    assert answer.code == 1
    assert "--force replaces it" in answer.err
    assert Path("card.md").read_text() == "mine"
    assert command("report", pooled, "-o", "card.md", "--force").code == 0
    assert Path("card.md").read_text().startswith("# Model card")


def test_other_endings_are_wrong_usage(command: Any, pooled: Path) -> None:
    answer = command("report", pooled, "-o", "card.pdf")
    assert answer.code == 2
    assert "'card.pdf' ends in none of .html" in answer.err
    assert not Path("card.pdf").exists()


def test_other_files_are_told(command: Any) -> None:
    np.savez("data.npz", X=np.zeros((2, 1)))
    assert command("report", "data.npz").code == 1
    assert "nothing.safetensors" in command("report", "nothing.safetensors").err
