"""Fitting, predicting and explaining in a terminal."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deeplimit as dl
from deeplimit.persist import read_header

FIT = ("fit", "flowers.csv", "--target", "species")


def test_fit_tells_what_it_found(command: Any) -> None:
    answer = command(*FIT, "--id", "plant", "--speed", "paper", "-o", "m.safetensors")
    assert answer.code == 0
    counts = pd.read_csv("flowers.csv")["species"].value_counts()
    for name, count in counts.items():
        assert f"{name} {count}" in answer.words
    assert "100 rows, 5 columns (4 numeric, 1 categorical)" in answer.words
    assert "leave-one-out log-loss" in answer.words
    assert max(map(len, answer.out.splitlines())) <= 80


def test_one_class_is_fitted_with_a_warning(command: Any) -> None:
    Path("one.csv").write_text("a,y\n1,p\n2,p\n")
    answer = command("fit", "one.csv", "--target", "y", "-o", "one.safetensors")
    assert answer.code == 0
    assert "2 rows, 1 column (1 numeric)" in answer.out
    assert answer.err == "deeplimit: warning: all rows are of class 'p': nothing to tell apart\n"


def test_fit_in_json(command: Any) -> None:
    options = ("--id", "plant", "--speed", "paper", "-o", "m.safetensors", "--json")
    told = command(*FIT, *options).json
    parts = np.array(list(told["classes"].values())) / 100
    assert told["columns"]["soil"] == "categorical"
    assert told["leave_one_out"]["log_loss"] == min(told["leave_one_out"]["log_losses"])
    entropy = -np.sum(parts * np.log(parts))
    assert told["leave_one_out"]["log_loss_of_class_frequencies"] == pytest.approx(entropy)
    assert told["exponent"] in told["leave_one_out"]["exponents"]


def test_options_reach_the_classifier(command: Any) -> None:
    options = ("--class-weight", "balanced", "--exponent", "3", "--projection", "hemisphere")
    assert command(*FIT, "-o", "m.safetensors", *options).code == 0
    classifier = dl.load("m.safetensors").named_steps["classifier"]
    assert classifier.class_weight == "balanced"
    assert classifier.exponent_ == 3.0
    assert classifier.lift_.kind == "hemisphere"


def test_kinds_can_be_given(command: Any) -> None:
    options = ("--kind", "petal_width=categorical", "-o", "m.safetensors", "--json")
    assert command(*FIT, *options).json["columns"]["petal_width"] == "categorical"
    answer = command(*FIT, "--kind", "petal_width=colour", "-o", "n.safetensors")
    assert answer.code == 1


@pytest.mark.parametrize(
    ("activation", "regime"),
    [
        ("matched", "singular kernel, exponent 4: consistent in dimension 4"),
        ("relu", "majority vote"),
        ("h2", "1-nearest neighbour"),
        ("sigmoid", "interpolation"),
        ("sin(2*x)", "singular kernel, exponent 2.76896"),
    ],
)
def test_every_regime_survives_its_file(command: Any, activation: str, regime: str) -> None:
    exponent = ("--exponent", 4) if activation == "matched" else ()
    options = (*exponent, "--id", "plant", "-o", "m.safetensors")
    answer = command(*FIT, "--activation", activation, *options)
    assert answer.code == 0, answer.err
    assert regime in answer.words
    told = command("predict", "m.safetensors", "new.csv", "--json").json
    # The same by hand, without any file.
    old, new = (dl.read_table(name, "species", "plant") for name in ("flowers.csv", "new.csv"))
    encoder = dl.TableEncoder(old.kinds).fit(old.features)
    settings = {"exponent": 4.0} if exponent else {}
    classifier = dl.DeepLimitClassifier(activation, **settings)
    classifier.fit(encoder.transform(old.features), old.target)
    expected = classifier.predict_proba(encoder.transform(new.features))
    shares = [list(entry["probabilities"].values()) for entry in told["predictions"]]
    np.testing.assert_array_equal(np.array(shares), expected)
    right = np.mean(classifier.classes_[expected.argmax(axis=1)] == new.target)
    assert told["accuracy"]["value"] == pytest.approx(right)


def by_hand(**settings: Any) -> tuple[Any, Any]:
    """Fit the raw table in Python, and give the new rows."""
    old, new = (dl.read_table(name, "species", "plant") for name in ("flowers.csv", "new.csv"))
    return dl.DeepLimitClassifier(**settings).fit(old.features, old.target), new


@pytest.mark.parametrize("speed", ["instant", "full"])
def test_a_table_is_handed_on_as_it_is(command: Any, speed: str) -> None:
    options = ("--speed", speed) if speed != "instant" else ()
    answer = command(*FIT, "--id", "plant", "-o", "m.safetensors", *options)
    assert answer.code == 0, answer.err
    classifier, new = by_hand(**({"speed": speed} if options else {}))
    assert classifier.regime_ in answer.words
    left_out = classifier.leave_one_out()
    assert f"of rows left out: accuracy {left_out.accuracy:.4f}" in answer.words
    assert f"log-loss {left_out.log_loss:.4f} (from class frequencies alone: 1.0" in answer.words
    assert max(map(len, answer.out.splitlines())) <= 80
    told = command("predict", "m.safetensors", "new.csv", "--json").json
    shares = [list(entry["probabilities"].values()) for entry in told["predictions"]]
    np.testing.assert_array_equal(np.array(shares), classifier.predict_proba(new.features))
    assert told["accuracy"]["coincide"] == 0
    flattered = command("predict", "m.safetensors", "flowers.csv")
    assert "it was fitted on 100 of them, which flatters it" in flattered.err
    loaded = dl.load("m.safetensors")
    assert loaded[-1].speed_ == speed
    assert loaded[-1].certificate() == classifier.certificate()


def test_the_fit_of_a_table_in_json(command: Any) -> None:
    told = command(*FIT, "--id", "plant", "-o", "m.safetensors", "--json").json
    classifier, _ = by_hand()
    left_out = classifier.leave_one_out()
    assert told["leave_one_out"]["log_loss"] == left_out.log_loss
    assert told["leave_one_out"]["accuracy"] == left_out.accuracy
    assert told["exponent"] is None
    assert told["regime"] == classifier.regime_


def test_what_has_been_tried_is_told(command: Any) -> None:
    options = ("--speed", "full", "--time-limit", "1e-9", "-o", "m.safetensors")
    answer = command(*FIT, *options, "--verbose")
    (line,) = answer.err.splitlines()
    assert line.startswith("deeplimit: tried distances in ")
    classifier = dl.load("m.safetensors")[-1]
    assert classifier.time_limit == 1e-9
    # Who asks the model later wants no such lines.
    assert command("predict", "m.safetensors", "new.csv").err.startswith("deeplimit: accuracy ")


def test_a_table_explains_itself(command: Any) -> None:
    command(*FIT, "--id", "plant", "-o", "m.safetensors")
    classifier, new = by_hand()
    options = ("--rows", "0,4", "--top", 3)
    told = command("explain", "m.safetensors", "new.csv", *options, "--json").json
    at = new.features.iloc[[0, 4]]
    found = classifier.contributions(at, top=3)
    plants = pd.read_csv("flowers.csv")["plant"].to_numpy()
    for i, row in enumerate(told["rows"]):
        entries = row["examples"]
        assert [e["example"] for e in entries] == plants[found.indices[i]].tolist()
        assert [e["share"] for e in entries] == found.shares[i].tolist()
        assert list(row["scores"].values()) == found.class_shares[i].tolist()
        assert sum(row["scores"].values()) == pytest.approx(1.0)
        named = sum(e["share"] for e in entries)
        assert named + row["others"] == pytest.approx(1.0)
        assert not row["coincides"]
    words = command("explain", "m.safetensors", "new.csv", *options).words
    assert "scores, of which the shares are parts: " in words
    assert f"{found.rest[0]:.4f} the other 97 examples together" in words
    itself = command("explain", "m.safetensors", "flowers.csv", "--rows", 0).words
    assert "it coincides with rows the model was fitted on example" not in itself
    assert "it coincides with rows the model was fitted on" in itself
    assert "which alone decide" not in itself


@pytest.mark.parametrize(
    ("column", "kind", "cells"),
    [
        ("when", "date", [f"2024-01-0{1 + i % 9}" for i in range(24)]),
        ("code", "categorical", list(range(24))),
        ("flag", "boolean", [i % 2 for i in range(24)]),
        ("text", "categorical", [f"{i % 3}.0" for i in range(24)]),
        ("none", "duration", [None] * 24),
        ("none", "date", [None] * 24),
        ("date", "categorical", [f"2024-01-0{1 + i % 9}" for i in range(24)]),
    ],
)
def test_a_kind_that_is_given_is_kept(
    command: Any, column: str, kind: str, cells: list[Any]
) -> None:
    frame = pd.DataFrame({"a": np.arange(24) / 7.0, column: cells, "y": ["p", "q", "p", "q"] * 6})
    frame.loc[3, column] = None
    frame.to_csv("kinds.csv", index=False)
    options = ("--target", "y", "--kind", f"{column}={kind}", "-o", "k.safetensors")
    assert command("fit", "kinds.csv", *options, "--json").json["columns"][column] == kind
    classifier = dl.load("k.safetensors")[-1]
    assert classifier._coder.kinds_ == ("numeric", kind)
    assert command("predict", "k.safetensors", "kinds.csv").code == 0
    told = command("explain", "k.safetensors", "kinds.csv", "--rows", "0-23", "--json").json
    # A cell read again is the cell that was learnt.
    assert all(row["coincides"] for row in told["rows"])


@pytest.mark.parametrize("speed", ["instant", "paper"])
def test_integers_stay_integers(command: Any, speed: str) -> None:
    frame = pd.read_csv("flowers.csv").drop(columns="plant")
    frame["species"] = frame["species"].map({"setosa": 10, "versicolor": 2, "virginica": 7})
    frame.to_csv("numbers.csv", index=False)
    options = ("--target", "species", "--speed", speed, "-o", "i.safetensors")
    told = command("fit", "numbers.csv", *options, "--json").json
    assert list(told["classes"]) == ["2", "7", "10"]
    classes = dl.load("i.safetensors").classes_
    assert classes.dtype.kind == "i" and classes.tolist() == [2, 7, 10]
    answers = command("predict", "i.safetensors", "numbers.csv", "--json").json["predictions"]
    assert {entry["prediction"] for entry in answers} == {2, 7, 10}


def test_a_model_with_an_encoder_and_no_kinds_is_read(command: Any, model: Path) -> None:
    """Models that were written before kinds stood in the notes have them in their encoder."""
    notes = read_header(model).notes
    asked = command("predict", model, "new.csv").out
    del notes["kinds"]
    dl.save(dl.load(model), "old.safetensors", notes=notes)
    assert command("predict", "old.safetensors", "new.csv").out == asked


def test_predict_writes_csv(command: Any, model: Path) -> None:
    answer = command("predict", model, "new.csv", "--proba", "-o", "out.csv")
    assert answer.code == 0
    with open("out.csv", newline="") as file:
        rows = list(csv.reader(file))
    new = pd.read_csv("new.csv")
    classes = sorted(new["species"].unique())
    assert rows[0] == ["plant", "prediction", *(f"probability_{name}" for name in classes)]
    assert [row[0] for row in rows[1:]] == new["plant"].tolist()
    shares = np.array([row[2:] for row in rows[1:]], dtype=float)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)
    answers = [row[1] for row in rows[1:]]
    assert answers == [classes[i] for i in shares.argmax(axis=1)]
    right = np.mean(np.array(answers) == new["species"])
    assert f"accuracy {right:.4f}" in answer.err
    # The terminal gets what the file would.
    shown = command("predict", model, "new.csv", "--proba").out
    assert shown == Path("out.csv").read_text()


def test_predict_without_ids_or_target(command: Any, model: Path) -> None:
    pd.read_csv("new.csv").drop(columns=["plant", "species"]).to_csv("bare.csv", index=False)
    answer = command("predict", model, "bare.csv")
    assert answer.err == ""
    assert answer.out.splitlines()[0] == "row,prediction"
    assert answer.out.splitlines()[1].startswith("0,")


def test_predict_with_part_of_the_target(command: Any, model: Path) -> None:
    frame = pd.read_csv("new.csv")
    frame.loc[1:, "species"] = None
    frame.to_csv("part.csv", index=False)
    assert command("predict", model, "part.csv", "--json").json["accuracy"]["rows"] == 1
    frame["species"] = None
    frame.to_csv("none.csv", index=False)
    assert command("predict", model, "none.csv", "--json").json["accuracy"] is None


def test_accuracy_on_the_rows_fitted_on_is_called_flattered(command: Any, model: Path) -> None:
    answer = command("predict", model, "flowers.csv")
    assert "it was fitted on 100 of them, which flatters it" in answer.err
    assert "flatters" not in command("predict", model, "new.csv").err


@pytest.mark.parametrize("ending", ["parquet", "feather", "tsv", "npz"])
def test_other_formats(command: Any, model: Path, ending: str) -> None:
    frame = pd.read_csv("new.csv").dropna().reset_index(drop=True)
    frame.to_csv("same.csv", index=False)
    path = Path(f"new.{ending}")
    if ending == "npz":
        features = frame[["sepal", "sepal_width", "petal", "petal_width"]]
        frame[["plant", "species", *features.columns]].to_csv("numbers.csv", index=False)
        train = pd.read_csv("flowers.csv").drop(columns=["soil"])
        train.to_csv("train.csv", index=False)
        options = ("--target", "species", "--id", "plant", "-o", "m.safetensors", "--force")
        command("fit", "train.csv", *options)
        names = np.array(features.columns.tolist())
        ids = frame["plant"].to_numpy().astype(str)
        np.savez(path, X=features.to_numpy(), feature_names=names, ids=ids)
        expected = command("predict", model, "numbers.csv").out.splitlines()[1:]
        answer = command("predict", model, path)
        assert answer.out.splitlines()[1:] == expected
        return
    if ending == "tsv":
        frame.to_csv(path, sep="\t", index=False)
    else:
        getattr(frame, f"to_{ending}")(path)
    assert command("predict", model, path).out == command("predict", model, "same.csv").out


def test_an_npz_needs_no_names(command: Any) -> None:
    frame = pd.read_csv("flowers.csv").dropna()
    X = frame[["petal", "petal_width"]].to_numpy()
    np.savez("data.npz", X=X, y=(frame["species"] == "setosa").to_numpy().astype(int))
    answer = command("fit", "data.npz", "-o", "n.safetensors")
    assert answer.code == 0, answer.err
    told = command("explain", "n.safetensors", "data.npz", "--rows", 2, "--json").json
    assert told["rows"][0]["coincides"]
    assert 2 in [entry["example"] for entry in told["rows"][0]["examples"]]


def test_a_text_without_names(command: Any) -> None:
    frame = pd.read_csv("flowers.csv").dropna()
    bare = frame[["petal", "petal_width"]].assign(y=(frame["species"] == "setosa").astype(int))
    bare.to_csv("bare.csv", header=False, index=False)
    answer = command("fit", "bare.csv", "--target", "column_3", "-o", "b.safetensors")
    assert answer.code == 1
    assert "--header no" in answer.err
    options = ("--target", "column_3", "--header", "no", "-o", "b.safetensors")
    assert command("fit", "bare.csv", *options).code == 0
    # The model remembers.
    assert command("predict", "b.safetensors", "bare.csv").code == 0


def test_explain_names_examples_and_shares(command: Any, model: Path) -> None:
    told = command("explain", model, "new.csv", "--rows", "0,4-5", "--top", 100, "--json").json
    assert told["example_ids"] == "plant"
    assert [row["row"] for row in told["rows"]] == [0, 4, 5]
    train = pd.read_csv("flowers.csv").set_index("plant")["species"]
    for row in told["rows"]:
        shares: dict[str, float] = dict.fromkeys(row["probabilities"], 0.0)
        for entry in row["examples"]:
            assert train[entry["example"]] == entry["class"]
            shares[entry["class"]] += entry["share"]
        # The shares of a class add up to its probability.
        assert shares == pytest.approx(row["probabilities"], abs=1e-9)
        listed = [entry["share"] for entry in row["examples"]]
        assert listed == sorted(listed, reverse=True)


def test_explain_without_an_example_loses_its_share(command: Any, model: Path) -> None:
    told = command("explain", model, "new.csv", "--rows", 3, "--top", 1, "--json").json["rows"][0]
    (first,) = told["examples"]
    old, new = (dl.read_table(name, "species", "plant") for name in ("flowers.csv", "new.csv"))
    # As it was encoded, but for the example.
    encoder = dl.load(model).named_steps["encoder"]
    kept = old.ids != first["example"]
    points = encoder.transform(old.features)
    again = dl.DeepLimitClassifier(exponent=4.0).fit(points[kept], old.target[kept])
    expected = dict(told["probabilities"])
    expected[first["class"]] -= first["share"]
    expected = {name: value / (1.0 - first["share"]) for name, value in expected.items()}
    found = again.predict_proba(encoder.transform(new.features)[[3]])[0]
    assert dict(zip(again.classes_.tolist(), found.tolist(), strict=True)) == pytest.approx(
        expected, abs=1e-9
    )


def test_explain_in_words(command: Any, model: Path) -> None:
    answer = command("explain", model, "new.csv", "--top", 2)
    new = pd.read_csv("new.csv")
    assert f"row 0 (plant {new['plant'][0]}): " in answer.words
    assert "the other 98 examples together" in answer.words
    assert f"the first 3 of {len(new)} rows" in answer.words
    assert max(map(len, answer.out.splitlines())) <= 80
    on_itself = command("explain", model, "flowers.csv", "--rows", 0).words
    assert "it coincides with rows the model was fitted on" in on_itself


def test_explain_tells_what_would_flip(command: Any, model: Path) -> None:
    told = command("explain", model, "new.csv", "--rows", "0-5", "--flip", "--json").json
    loaded = dl.load(model)
    old, new = (dl.read_table(name, "species", "plant") for name in ("flowers.csv", "new.csv"))
    encode = loaded.named_steps["encoder"].transform
    points, rows = encode(old.features), encode(new.features)
    for i, row in enumerate(told["rows"]):
        assert row["flip"]["possible"]
        for gone in (row["flip"]["without"], row["flip"]["without"][:-1]):
            kept = ~np.isin(old.ids, gone)
            again = dl.DeepLimitClassifier(exponent=4.0).fit(points[kept], old.target[kept])
            label = again.predict(rows[[i]])[0]
            assert (label == row["flip"]["becomes"]) == (len(gone) == len(row["flip"]["without"]))
            assert (label == row["prediction"]) == (label != row["flip"]["becomes"])
    answer = command("explain", model, "new.csv", "--rows", "0-5", "--flip")
    first = told["rows"][0]["flip"]
    assert f"it would be {first['becomes']}: {first['without'][0]}" in answer.words
    assert max(map(len, answer.out.splitlines())) <= 80
    assert "flip" not in command("explain", model, "new.csv", "--json").json["rows"][0]


def test_explain_one_class_cannot_flip(command: Any) -> None:
    Path("one.csv").write_text("a,y\n1,p\n2,p\n")
    command("fit", "one.csv", "--target", "y", "--speed", "paper", "-o", "one.safetensors")
    told = command("explain", "one.safetensors", "one.csv", "--flip", "--json").json["rows"][0]
    assert told["flip"] == {"possible": False, "becomes": None, "without": []}
    answer = command("explain", "one.safetensors", "one.csv", "--flip")
    assert "there is no other class it could be" in answer.words


def test_explain_by_row_numbers_without_ids(command: Any) -> None:
    command(*FIT, "--exponent", 2, "--kind", "plant=categorical", "-o", "m.safetensors")
    told = command("explain", "m.safetensors", "flowers.csv", "--rows", 7, "--json").json
    assert told["example_ids"] == "row"
    assert told["rows"][0]["examples"][0]["example"] == 7


def test_rows_left_out_keep_the_numbers_of_the_file(command: Any) -> None:
    frame = pd.read_csv("flowers.csv").drop(columns="plant")
    frame.loc[0, "species"] = None
    frame.to_csv("gaps.csv", index=False)
    options = ("--target", "species", "-o", "g.safetensors", "--exponent", 2)
    answer = command("fit", "gaps.csv", *options)
    assert answer.code == 1
    assert "--drop-missing-target" in answer.err
    answer = command("fit", "gaps.csv", *options, "--drop-missing-target")
    assert "note: 1 row without a target was left out" in answer.words
    told = command("explain", "g.safetensors", "gaps.csv", "--rows", 9, "--json").json
    assert told["rows"][0]["examples"][0]["example"] == 9


def test_nothing_is_overwritten_unasked(command: Any, model: Path) -> None:
    before = model.read_bytes()
    answer = command(*FIT, "-o", model)
    assert answer.code == 1
    assert "--force" in answer.err
    assert model.read_bytes() == before
    assert command(*FIT, "-o", model, "--force").code == 0
    assert model.read_bytes() != before
    Path("out.csv").write_text("mine")
    assert command("predict", model, "new.csv", "-o", "out.csv").code == 1
    assert Path("out.csv").read_text() == "mine"
    # Not even by force what is being read.
    assert command("predict", model, "new.csv", "-o", "new.csv", "--force").code == 1
    assert command("predict", model, "new.csv", "-o", model, "--force").code == 1
    assert command(*FIT, "-o", "flowers.csv", "--force").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("fit", "nowhere.csv", "--target", "y", "-o", "q"), 1, "nowhere.csv"),
        (("fit", "flowers.csv", "-o", "q"), 2, "--target COL; there are sepal, "),
        (("fit", "flowers.csv", "--target", "specis", "-o", "q"), 1, "did you mean 'species'?"),
        ((*FIT, "-o", "nowhere/q"), 1, "nowhere"),
        ((*FIT, "-o", "."), 1, "is a folder"),
        ((*FIT, "-o", "q", "--activation", "nonsense"), 1, "no activation is called"),
        (("fit", "flowers.csv", "--target", "petal", "-o", "q"), 1, "continuous"),
        (("predict", "nowhere", "new.csv"), 1, "There is no model file"),
        (("predict", "flowers.csv", "new.csv"), 1, "not a model file"),
        (("predict", "m.safetensors", "lacking.csv"), 1, "no column 'soil'"),
        (("explain", "m.safetensors", "new.csv", "--rows", "1000"), 1, "there is no row 1000"),
    ],
)
def test_errors(
    command: Any, model: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    pd.read_csv("new.csv").drop(columns="soil").to_csv("lacking.csv", index=False)
    answer = command(*arguments)
    assert answer.code == code
    assert told in answer.err
    assert not Path("q").exists()


def test_a_regime_without_shares_says_so(command: Any) -> None:
    command(*FIT, "-o", "m.safetensors", "--activation", "relu")
    answer = command("explain", "m.safetensors", "new.csv")
    assert answer.code == 1
    assert "singular" in answer.err


def test_another_model_file_is_refused(command: Any) -> None:
    dl.save(dl.DeepLimitClassifier().fit([[0.0], [1.0]], [0, 1]), "bare.safetensors")
    answer = command("predict", "bare.safetensors", "new.csv")
    assert answer.code == 1
    assert "DeepLimitClassifier" in answer.err


def test_the_file_names_its_columns(command: Any, model: Path) -> None:
    notes = read_header(model).notes
    assert notes["target"] == "species"
    assert notes["id_column"] == "plant"
    assert notes["columns"] == ["sepal", "sepal_width", "petal", "petal_width", "soil"]
