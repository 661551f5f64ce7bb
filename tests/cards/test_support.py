"""How much speaks for a row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import deeplimit as dl
from deeplimit.estimators.support import fit_nearness


def blobs(n=120):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    return rng.normal(size=(n, 3)) + 2.0 * y[:, None], y


MODELS = [
    dl.DeepLimitClassifier(),
    dl.DeepLimitClassifier(speed="paper"),
    dl.HilbertClassifier(exponent=3.0),
]


@pytest.mark.parametrize("clf", MODELS, ids=["instant", "paper", "hilbert"])
def test_rows_far_outside_are_outlying_and_the_usual_ones_are_not(clf):
    X, y = blobs()
    clf.fit(X[:80], y[:80])
    near = clf.support(X[80:])
    far = clf.support(X[80:] + np.array([60.0, 0.0, -60.0]))
    assert far.outlying.all()
    assert near.outlying.mean() <= 0.1
    assert far.distance.min() > near.distance.max()
    assert np.array_equal(near.outlying, near.distance > 1.0)


def test_one_in_a_hundred_examples_is_beyond_the_usual():
    X, y = np.random.default_rng(1).normal(size=(1000, 2)), np.zeros(1000, dtype=np.int64)
    scales = [np.array([1.0, 1.0]), np.array([1.0, 0.1])]
    found = fit_nearness(X, np.ones(1000), y, scales)
    # The same by all pairs: the distance of each to its nearest other, in either kind.
    most = np.zeros(1000)
    for scale, unit in zip(scales, found.units, strict=True):
        r = np.sqrt((((X[:, None] - X[None]) * scale) ** 2).sum(axis=2)) + np.diag(
            np.full(1000, np.inf)
        )
        most = np.maximum(most, r.min(axis=1) / unit)
    assert np.count_nonzero(most > 1.0 + 1e-9) == 10


def test_effective_numbers():
    # All alike: as many as there are; one much nearer: about one; on an example: it alone.
    X = [[np.cos(a), np.sin(a)] for a in np.arange(5) * 2 * np.pi / 5]
    clf = dl.HilbertClassifier(exponent=2.0).fit(X, [0, 1, 0, 1, 0])
    found = clf.support([[0.0, 0.0], X[2]])
    np.testing.assert_allclose(found.effective, [5.0, 1.0])
    assert found.distance[1] < 1e-9


def test_effective_numbers_of_a_pool_are_those_of_its_shares():
    X, y = blobs()
    clf = dl.DeepLimitClassifier().fit(X[:80], y[:80])
    shares = clf.contributions(X[80:], top=None).shares
    expected = np.abs(shares).sum(axis=1) ** 2 / (shares**2).sum(axis=1)
    np.testing.assert_allclose(clf.support(X[80:]).effective, expected)


def test_copies_are_no_reason_to_find_all_else_far():
    X, y = blobs()
    clf = dl.DeepLimitClassifier().fit(np.repeat(X, 2, axis=0), np.repeat(y, 2))
    found = clf.support(X)
    assert not found.outlying.any()
    assert np.isinf(clf.support(X + 1e-3).distance).all()  # all examples have a copy at 0


def test_it_follows_changes():
    X, y = blobs()
    clf = dl.DeepLimitClassifier().fit(X, y)
    far = X[:1] + 50.0
    assert clf.support(far).outlying[0]
    clf.partial_fit(np.repeat(far, 3, axis=0), [0, 0, 0])
    assert not clf.support(far).outlying[0]


def test_unseen_categories_are_counted():
    X = pd.DataFrame({"a": np.arange(20.0), "b": ["u", "v"] * 10, "c": ["s", "t"] * 10})
    clf = dl.DeepLimitClassifier().fit(X, np.arange(20) // 10)
    new = pd.DataFrame({"a": [1.0, 2.0], "b": ["u", "w"], "c": ["s", None]})
    found = clf.support(new)
    assert found.unseen.tolist() == [0, 1]
    assert "unseen categories: 1" in str(found)
    assert list(found.to_pandas()) == ["effective", "distance", "outlying", "unseen"]


def test_a_regime_without_shares_is_refused():
    with pytest.raises(ValueError, match="no sum of the examples"):
        dl.DeepLimitClassifier("relu").fit([[0.0], [1.0]], [0, 1]).support([[0.5]])
