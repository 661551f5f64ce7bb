"""What is odd about data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification

import deeplimit as dl
from deeplimit.estimators.telling import telling


def wine():
    return load_wine(return_X_y=True)


def cancer():
    return load_breast_cancer(return_X_y=True)


def digits():
    X, y = load_digits(return_X_y=True)
    return X[:500], y[:500]


def made():
    return make_classification(400, 8, n_informative=5, class_sep=1.5, flip_y=0.0, random_state=0)


@pytest.mark.parametrize("rate", [0.05, 0.1])
@pytest.mark.parametrize("data", [wine, cancer, digits])
def test_planted_wrong_labels_are_found(data, rate):
    X, y = data()
    rng = np.random.default_rng(0)
    n, n_classes = len(y), len(np.unique(y))
    bad = rng.permutation(n)[: int(rate * n)]
    planted = y.copy()
    planted[bad] = (y[bad] + rng.integers(1, n_classes, bad.size)) % n_classes
    found = dl.DeepLimitClassifier().fit(X, planted).findings().of("wrong label")
    doubted = [finding.ids[0] for finding in found]
    right = np.isin(doubted, bad)
    # The planted ones come first, most of them are found, and few others with them.
    assert np.isin(bad, doubted).mean() >= 0.7
    assert right.mean() >= 0.85
    assert right[: len(right) // 2].mean() >= 0.95
    hit = [f for f in found if f.ids[0] in bad]
    assert np.mean([f.suggested == y[f.ids[0]] for f in hit]) >= 0.95
    assert all(f.label == planted[f.ids[0]] for f in found)
    assert np.all(np.diff([f.strength for f in found]) <= 0.0)


@pytest.mark.parametrize("data", [wine, digits, made])
def test_few_labels_are_doubted_where_none_is_wrong(data):
    X, y = data()
    assert len(dl.DeepLimitClassifier().fit(X, y).findings().of("wrong label")) <= 0.02 * len(y)


@pytest.fixture(scope="module")
def odd():
    rng = np.random.default_rng(0)
    n = 120
    y = np.array(["ant", "bee", "cow"])[np.arange(n) % 3]
    X = pd.DataFrame({"x": rng.normal(size=n) + np.arange(n) % 3})
    X["always"] = 7.0
    X["empty"] = np.nan
    X["number"] = np.arange(1000, 1000 + n)
    X["code"] = [f"P{k:03}" for k in rng.permutation(n)]
    X["insect"] = np.char.add("an ", y.astype(str))
    X["late"] = np.arange(n) % 3 + rng.normal(0.0, 0.01, n)
    X = pd.concat([X, X.iloc[[0, 1]]], ignore_index=True)
    y = np.append(y, ["ant", "cow"])  # row 121 is a copy of 1, a bee
    return dl.DeepLimitClassifier().fit(X, y).findings()


def test_leaks_identifiers_constants_copies(odd):
    named = {
        kind: [f.columns[0] for f in odd.of(kind)]
        for kind in ("leak", "identifier", "constant column")
    }
    assert sorted(named["leak"]) == ["insect", "late"]
    assert sorted(named["identifier"]) == ["code", "number"]
    assert sorted(named["constant column"]) == ["always", "empty"]
    assert [f.ids for f in odd.of("copies")] == [(0, 120)]
    (conflict,) = odd.of("conflict")
    assert conflict.ids == (1, 121)
    assert "1 (bee), 121 (cow)" in conflict.text
    assert "under another name" in next(f.text for f in odd if f.columns == ("insect",))


def test_shown_as_text_and_table(odd):
    text = str(odd)
    assert "Column always is always 7 and tells nothing." in text
    assert max(map(len, text.splitlines())) <= 80
    frame = odd.to_pandas()
    assert len(frame) == len(odd) == sum(odd.counts().values())
    assert frame["kind"].tolist() == [finding.kind for finding in odd]


def test_a_measured_column_is_no_leak_and_no_identifier():
    X, y = make_classification(200, 4, n_redundant=0, class_sep=0.7, random_state=0)
    found = dl.DeepLimitClassifier().fit(X, y).findings()
    assert not found.of("leak")
    assert not found.of("identifier")


def test_idle_columns_are_told_from_those_that_matter_together():
    X = np.random.default_rng(0).normal(size=(300, 8))
    y = (X[:, 0] * X[:, 1] > 0.0).astype(int)  # neither tells anything by itself
    idle = {f.columns[0] for f in dl.DeepLimitClassifier().fit(X, y).findings().of("idle column")}
    assert not idle & {"x0", "x1"}
    assert len(idle) >= 4


def test_rare_classes():
    X = np.arange(30.0)[:, None]
    y = np.where(np.arange(30) < 27, "common", "rare")
    (found,) = dl.DeepLimitClassifier().fit(X, y).findings().of("rare class")
    assert found.ids == (27, 28, 29)
    assert "Class rare has 3 examples: 27, 28, 29." in found.text


def test_ids_stay_those_of_the_examples():
    X = np.array([[0.0], [1.0], [2.0], [2.0], [3.0]])
    clf = dl.HilbertClassifier(exponent=1.0).fit(X, [0, 0, 1, 1, 1]).forget([0])
    assert clf.findings().of("copies")[0].ids == (2, 3)


def test_a_regime_without_left_out_scores_says_so():
    found = dl.DeepLimitClassifier("relu").fit(*wine()).findings()
    assert not found.of("wrong label")
    assert "labels were not" in found.looked_at


def test_telling():
    index = np.array([0, 0, 0, 1, 1, 1])
    ones = np.ones(6)
    assert telling(np.array([1.0, 1, 1, 2, 2, 2]), index, ones, 2, False).accuracy == 1.0
    assert telling(np.array([0.0, 1, 2, 8, 9, 10]), index, ones, 2, True).accuracy == 1.0
    # Levels of their own tell nothing, and a missing cell is like other missing cells.
    assert telling(np.arange(6.0), index, np.array([1.0, 1, 2, 1, 1, 1]), 2, False).balanced == 0.5
    gone = np.array([np.nan, np.nan, np.nan, 1.0, 1.0, 1.0])
    assert telling(gone, index, ones, 2, False).accuracy == 1.0
    assert telling(gone, index, ones, 2, True).balanced == 1.0
