"""What a certificate says was kept is what keeps it from being that of a fit of what remains."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import deeplimit as dl

A, Y = [0.0, 1.0, 2.0, 3.0, 4.0, 9.0], np.array([0, 0, 0, 1, 1, 1])
COLUMNS = {
    "none": None,
    "text": list("uvuvuv"),
    "text of one kind": ["u"] * 5 + ["v"],
    "numbers but for one": ["1", "2", "1", "2", "1", "x"],
    "truths but for one": ["true", "false", "true", "false", "true", "x"],
    "dates but for one": ["2020-01-01"] * 2 + ["2020-01-02"] * 3 + ["x"],
    "nothing but one": [None] * 5 + ["x"],
    "booleans and a number": pd.Series([True, False, True, False, True, 2.0], dtype=object),
    "numbers and a boolean": pd.Series([1.5, 2, 1.5, 2, 1.5, True], dtype=object),
    "text of numbers": ["1", "0", "1", "0", "1", "7"],
    "a gap": [1.0, 2.0, 3.0, 4.0, 5.0, np.nan],
    "numbers": [1.0, 0.0, 1.0, 0.0, 1.0, 2.0],
    "declared": pd.Categorical(["1", "2", "1", "2", "1", "x"]),
    "one date": [None] * 5 + [pd.Timestamp("2020-01-01").date()],
    "one time": pd.to_datetime([None] * 5 + ["2020-01-01"]),
}
SETTINGS = {
    "pooled": ({}, "kinds"),
    "pure": ({"exponent": 2.0}, "encoding"),
}


def table(column):
    frame = pd.DataFrame({"a": A})
    return frame if column is None else frame.assign(t=column)


def fit(settings, frame, y):
    return dl.DeepLimitClassifier(**settings).fit(frame, y)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("name", COLUMNS)
def test_nothing_is_kept_just_if_a_fit_of_what_remains_is_the_same(settings, name):
    given, word = SETTINGS[settings]
    frame = table(COLUMNS[name])
    model = fit(given, frame, Y)
    assert model.certificate().kept == ()
    certificate = model.forget([5]).certificate()
    same = certificate == fit(given, frame[:5], Y[:5]).certificate()
    plain = settings == "pure" and model._encoder is None
    assert certificate.kept == (() if same else ("kinds",) if plain else (word,))
    assert certificate.exponent is None
    # Once that example is there again, kinds are those that a fit would find; scales too, but
    # nobody has looked.
    again = model.partial_fit(frame[5:], Y[5:]).certificate().kept
    assert again == (("encoding",) if certificate.kept == ("encoding",) else ())


@pytest.mark.parametrize("settings", SETTINGS)
def test_labels_have_no_part_in_it(settings):
    given, _ = SETTINGS[settings]
    frame = table(COLUMNS["text"])
    model = fit(given, frame, Y).relabel([5], [0])
    assert model.certificate().kept == ()
    assert model.certificate() == fit(given, frame, [0, 0, 0, 1, 1, 0]).certificate()
    # An example of no weight is none, and has none to lose.
    model = dl.DeepLimitClassifier(**given).fit(frame, Y, [1, 1, 1, 1, 1, 0]).relabel([4], [0])
    assert model.certificate().kept == ()


def test_an_exponent_is_named_besides():
    frame = table(COLUMNS["text"])
    certificate = fit({"speed": "paper"}, frame, Y).forget([5]).certificate()
    assert certificate.kept == ("exponent", "encoding") and certificate.exponent > 0


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_saved_model_says_the_same(settings, tmp_path):
    given, word = SETTINGS[settings]
    model = fit(given, table(COLUMNS["numbers but for one"]), Y)
    dl.save(model, tmp_path / "model.deeplimit")
    loaded = dl.load(tmp_path / "model.deeplimit")
    assert loaded.certificate().kept == ()
    assert loaded.relabel([4], [0]).certificate().kept == ()
    assert loaded.forget([5]).certificate().kept == (word,)
