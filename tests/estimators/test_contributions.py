"""Shares of examples, against sums written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deeplimit as dl
from deeplimit.estimators.contributions import contributions
from deeplimit.estimators.limits import Examples, Smoother
from deeplimit.sums import fit_lift

X = np.random.default_rng(4).normal(size=(40, 3))
Y = np.random.default_rng(5).integers(3, size=40)
QUERIES = np.random.default_rng(6).normal(size=(15, 3))
MODELS = {
    "power": dl.HilbertClassifier(2.5),
    "weighted": dl.HilbertClassifier(2.5, class_weight="balanced"),
    "network": dl.DeepLimitClassifier("3d_opt"),
    "odd": dl.DeepLimitClassifier("erf", projection="normalize"),
}


def values(model, Q):
    """Give the signed term of each example for each query."""
    gaps = model.lift_.gap(Q[:, None], X[None])
    kernel = model.kernel_
    return model._weight * kernel.sign_at_gap(gaps) * np.exp(kernel.log_at_gap(gaps))


@pytest.mark.parametrize("name", MODELS)
def test_all_shares_by_hand(name):
    model = MODELS[name].fit(X, Y)
    terms = values(model, QUERIES)
    sums = np.stack([terms[:, c == Y].sum(axis=1) for c in range(3)], axis=1)
    whole = np.maximum(sums, 0.0).sum(axis=1, keepdims=True)
    whole = np.where(whole > 0, whole, np.abs(terms).sum(axis=1, keepdims=True))
    found = model.contributions(QUERIES, top=None)
    assert found.indices.shape == (15, 40)
    want = np.take_along_axis(terms / whole, found.indices, axis=1)
    np.testing.assert_allclose(found.shares, want, rtol=1e-9)
    np.testing.assert_allclose(found.class_shares, sums / whole, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        found.log_weights, np.log(np.abs(np.take_along_axis(terms, found.indices, 1))), atol=1e-9
    )
    np.testing.assert_allclose(found.rest, 0.0, atol=1e-12)
    assert found.labels.tolist() == [0, 1, 2]
    if not np.any(sums < 0):
        np.testing.assert_allclose(found.class_shares, model.predict_proba(QUERIES), rtol=1e-12)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("top", [1, 7, 40, 100])
def test_named_and_rest_are_the_score(name, top):
    model = MODELS[name].fit(X, Y)
    found = model.contributions(QUERIES, top=top)
    everything = model.contributions(QUERIES, top=None)
    score = everything.class_shares.sum(axis=1)
    np.testing.assert_allclose(found.shares.sum(axis=1) + found.rest, score, rtol=1e-12)
    np.testing.assert_allclose(found.rest, everything.shares[:, top:].sum(1), atol=1e-12)
    np.testing.assert_array_equal(found.shares, everything.shares[:, :top])
    np.testing.assert_array_equal(found.class_shares, everything.class_shares)


def test_coincident_examples_share_alone():
    model = dl.HilbertClassifier(1.0)
    found = model.fit([[0.0], [0.0], [0.0], [1.0]], list("abab"), [1.0, 2.0, 1.0, 9.0])
    found = model.contributions([[0.0]], top=3)
    assert found.indices.tolist() == [[1, 0, 2]]
    assert found.shares.tolist() == [[0.5, 0.25, 0.25]]
    assert found.class_shares.tolist() == [[0.5, 0.5]] and found.rest.tolist() == [0.0]
    assert np.isposinf(found.log_weights).all()
    np.testing.assert_allclose(model.predict_proba([[0.0]]), found.class_shares, rtol=1e-12)


def test_antipodes_alone_speak_against_their_class():
    model = dl.DeepLimitClassifier("erf", projection="none")
    model.fit([[-1.0, 0.0], [-1.0, 0.0], [0.6, 0.8], [0.8, 0.6]], [0, 0, 1, 2])
    found = model.contributions([[1.0, 0.0]], top=2)
    assert found.exact.tolist() == [True]
    assert found.shares.tolist() == [[-0.5, -0.5]]
    assert found.class_shares.tolist() == [[-1.0, 0.0, 0.0]] and found.rest.tolist() == [0.0]


class _Cancelling:
    """Terms of one size and either sign next to the query, one of size 1 and negative beyond."""

    positive = False

    def __init__(self, log):
        self.log = log

    def log_at_gap(self, s):
        return np.where(np.asarray(s) < 3.0, self.log, 0.0)

    def sign_at_gap(self, s):
        return np.where(np.asarray(s) < 1.0, 1, -1)


@pytest.mark.parametrize("log", [0.0, 300.0, 5000.0])
def test_sums_of_which_none_is_positive(log):
    rows = np.array([[1.0], [2.0], [3.0]])
    examples = Examples(rows, np.array([0, 0, 1]), np.ones(3), fit_lift(rows, "euclidean"), 2)
    rule = Smoother(examples, _Cancelling(log))
    found = contributions(rule, np.zeros((1, 1)), None, np.array(["a", "b"]), np.arange(3))
    whole = 2.0 + np.exp(-log)
    want = [1 / whole, -1 / whole, -np.exp(-log) / whole]
    np.testing.assert_allclose(found.shares[0], want, rtol=1e-12)
    np.testing.assert_allclose(found.class_shares[0], [0.0, want[2]], rtol=1e-12)


def test_a_share_beyond_every_number():
    rows = np.array([[1.0], [2.0], [3.0]])
    examples = Examples(rows, np.array([0, 0, 1]), np.ones(3), fit_lift(rows, "euclidean"), 2)

    class Positive(_Cancelling):
        def sign_at_gap(self, s):
            return np.where((np.asarray(s) < 1.0) | (np.asarray(s) > 3.0), 1, -1)

    rule = Smoother(examples, Positive(5000.0))
    found = contributions(rule, np.zeros((1, 1)), None, np.array(["a", "b"]), np.arange(3))
    assert found.shares[0, 0] == -found.shares[0, 1] == np.exp(600.0)
    assert found.class_shares.tolist() == [[0.0, 1.0]] and np.isfinite(found.rest).all()


def test_no_example_has_any_weight():
    class Nothing:
        positive = True

        def log_at_gap(self, s):
            return np.full(np.shape(s), -np.inf)

    rows = np.array([[1.0], [2.0]])
    examples = Examples(rows, np.array([0, 1]), np.ones(2), fit_lift(rows, "euclidean"), 2)
    found = contributions(
        Smoother(examples, Nothing()), np.zeros((1, 1)), None, np.array([0, 1]), np.arange(2)
    )
    assert found.indices.tolist() == [[-1, -1]]
    assert found.shares.tolist() == found.class_shares.tolist() == [[0.0, 0.0]]
    assert found.rest.tolist() == [0.0]


@given(st.sampled_from([1e-310, 1e-150, 1.0, 1e150, 1e300]), st.floats(0.1, 60.0))
def test_shares_do_not_depend_on_the_scale(scale, exponent):
    rows = np.array([[0.0], [1.0], [3.0], [8.0]])
    plain = dl.HilbertClassifier(exponent).fit(rows, [0, 1, 1, 0]).contributions([[2.5]], None)
    scaled = dl.HilbertClassifier(exponent).fit(rows * scale, [0, 1, 1, 0])
    found = scaled.contributions([[2.5 * scale]], None)
    np.testing.assert_allclose(found.shares, plain.shares, rtol=1e-11)


def test_classes_without_examples_have_a_column():
    model = dl.HilbertClassifier(1.0).partial_fit([[0.0], [1.0]], ["a", "c"], classes=list("abc"))
    found = model.contributions([[0.25]])
    assert found.labels.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(found.class_shares, [[0.75, 0.0, 0.25]])
    assert found.classes.tolist() == [["a", "c"]]


def test_as_a_table():
    found = dl.HilbertClassifier(2.5).fit(X, Y).contributions(QUERIES, top=4)
    table = found.to_pandas()
    assert isinstance(table, pd.DataFrame) and len(table) == 60
    np.testing.assert_array_equal(table["example"], found.indices.ravel())
    np.testing.assert_array_equal(table["class"], found.classes.ravel())
    np.testing.assert_array_equal(table.groupby("row")["share"].max(), found.shares[:, 0])


def test_in_words():
    words = str(dl.HilbertClassifier(2.5).fit(X, Y).contributions(QUERIES[:2], top=2))
    assert [line.split()[0] for line in words.splitlines()] == [
        "row", "example", words.split("\n")[2].split()[0], words.split("\n")[3].split()[0],
        "others", "row", "example", words.split("\n")[7].split()[0],
        words.split("\n")[8].split()[0], "others",
    ]  # fmt: skip
