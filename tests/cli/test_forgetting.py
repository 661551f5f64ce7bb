"""Forgetting in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deeplimit as dl
from deeplimit.persist import read_header


def plants() -> list[str]:
    return pd.read_csv("flowers.csv")["plant"].tolist()


def test_forgotten_examples_are_gone(command: Any, model: Path) -> None:
    before, notes = dl.load(model), read_header(model).notes
    names = plants()
    answer = command("forget", model, names[3], names[40])
    assert answer.code == 0
    assert f"forgotten: {names[3]}, {names[40]}" in answer.out
    assert "98 examples of 3 classes" in answer.words
    assert max(map(len, answer.out.splitlines())) <= 80
    after = dl.load(model)
    assert after[-1].certificate().fingerprint in answer.out
    points = before[:-1].transform(pd.read_csv("flowers.csv")[notes["columns"]])
    kept = np.setdiff1d(np.arange(100), [3, 40])
    labels = pd.read_csv("flowers.csv")["species"].to_numpy()
    again = dl.DeepLimitClassifier(exponent=4.0).fit(points[kept], labels[kept])
    assert after[-1].certificate() == again.certificate()
    assert read_header(model).notes == notes
    assert [name for name in after.ids_.tolist() if name] == [names[k] for k in kept]
    assert names[3].encode() not in model.read_bytes()
    assert names[3].encode("utf-32-le") not in model.read_bytes()


def test_reasons_name_the_right_examples_afterwards(command: Any, model: Path) -> None:
    names = plants()
    first = command("explain", model, "new.csv", "--rows", 0, "--top", 2, "--json").json
    best, second = (e["example"] for e in first["rows"][0]["examples"])
    assert command("forget", model, best).code == 0
    told = command("explain", model, "new.csv", "--rows", 0, "--top", 99, "--json").json
    examples = [e["example"] for e in told["rows"][0]["examples"]]
    assert examples[0] == second
    assert sorted(examples) == sorted(set(names) - {best})
    words = command("explain", model, "new.csv", "--rows", 0, "--top", 2).words
    assert "the other 97 examples together" in words


def test_another_file_leaves_the_model(command: Any, model: Path) -> None:
    content = model.read_bytes()
    name = plants()[0]
    told = command("forget", model, name, "-o", "other.safetensors", "--json").json
    assert model.read_bytes() == content
    assert told["model"] == "other.safetensors"
    assert told["forgotten"] == [name]
    certificate = dl.load("other.safetensors")[-1].certificate()
    assert told["certificate"] == vars(certificate) | {"kept": []}
    assert certificate.n_examples == 99
    again = command("forget", model, name, "-o", "other.safetensors")
    assert again.code == 1
    assert "--force replaces it" in again.err
    assert command("forget", model, name, "-o", "other.safetensors", "--force").code == 0


def test_rows_without_a_column_of_ids_and_a_kept_exponent(command: Any) -> None:
    fit = ("fit", "flowers.csv", "--target", "species", "-o", "rows.safetensors")
    assert command(*fit, "--speed", "paper").code == 0
    answer = command("forget", "rows.safetensors", 0, 99)
    assert "kept from the first fit: exponent" in answer.words
    assert "how cells become numbers" in answer.words
    assert command("forget", "rows.safetensors", 0).code == 1
    assert command("forget", "rows.safetensors", 1).code == 0


def test_a_table_forgets_to_the_last_bit(command: Any) -> None:
    fit = ("fit", "flowers.csv", "--target", "species", "--id", "plant", "-o", "t.safetensors")
    assert command(*fit).code == 0
    names = plants()
    answer = command("forget", "t.safetensors", names[3], names[40])
    assert answer.code == 0, answer.err
    # No encoding is left that knew the rows, and nothing to say of it.
    assert "how cells become numbers" not in answer.words
    assert "kept" not in answer.words
    frame = pd.read_csv("flowers.csv")
    frame[~frame["plant"].isin([names[3], names[40]])].to_csv("rest.csv", index=False)
    rest = ("fit", "rest.csv", "--target", "species", "--id", "plant", "-o", "r.safetensors")
    assert command(*rest).code == 0
    assert dl.load("r.safetensors")[-1].certificate().fingerprint in answer.out
    asked = [
        command("predict", name, "new.csv", "--proba").out
        for name in ("t.safetensors", "r.safetensors")
    ]
    assert asked[0] == asked[1]
    assert names[3].encode() not in Path("t.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (["P999", "nobody"], "no example with the plant P999, nobody; nothing was forgotten"),
        (["first", "first"], "is given more than once; nothing was forgotten"),
        (["all"], "leaves nothing to decide by"),
        ([""], "no example with the plant ; nothing was forgotten"),
    ],
)
def test_what_cannot_be_forgotten(command: Any, model: Path, ids: list[str], words: str) -> None:
    names = plants()
    command("forget", model, names[-1])
    content = model.read_bytes()
    if ids[0] == "first":
        ids = [names[0], names[0]]
    answer = command("forget", model, *(names[:-1] if ids == ["all"] else ids))
    assert answer.code == 1
    assert words in answer.err
    assert model.read_bytes() == content
