"""A classifier without some of its examples: what it says is of the others, and it is a copy."""

from __future__ import annotations

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.estimators.absence import without
from deeplimit.estimators.pooled import PooledRule


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 3))
    return X, (X[:, 0] + 0.4 * rng.normal(size=60) > 0).astype(int)


def test_a_pool_keeps_its_settings_and_loses_the_examples(
    data: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = data
    clf = dl.DeepLimitClassifier(n_jobs=1).fit(X, y)
    before = clf.predict_proba(X)
    out = [3, 17]
    less = without(clf, out)
    assert isinstance(clf._rule, PooledRule)
    assert np.array_equal(less.predict(X), clf.predict_without(X, out))
    parts = less.contributions(X[:5], top=None)
    assert parts.indices.shape == (5, 58)
    assert not np.isin(parts.indices, out).any()
    # The shares of all of a class are its score, from which the probabilities come.
    for c in (0, 1):
        sums = np.where(parts.classes == c, parts.shares, 0.0).sum(axis=1)
        np.testing.assert_allclose(sums, parts.class_shares[:, c], atol=1e-12)
    p = less.pool_.link.probabilities(parts.class_shares)
    np.testing.assert_allclose(less.predict_proba(X[:5]), p, atol=1e-9)
    columns = less.columns(X[:2])
    assert np.abs(columns.base + columns.shares.sum(axis=1) - columns.margin).max() < 1e-9
    flip = less.flip(X[:1], max_removed=20)
    if flip.found[0]:
        gone = [*out, *flip.removed[0].tolist()]
        assert clf.predict_without(X[:1], gone)[0] == flip.after[0]
    assert np.array_equal(clf.predict_proba(X), before)
    assert clf.ids_.size == 60


def test_a_pure_rule_is_that_of_the_others(data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    clf = dl.DeepLimitClassifier(exponent=2.0).fit(X, y)
    less = without(clf, [3])
    rest = np.arange(60) != 3
    alone = dl.DeepLimitClassifier(exponent=2.0).fit(X[rest], y[rest])
    np.testing.assert_allclose(less.predict_proba(X), alone.predict_proba(X), atol=1e-12)
    assert clf.ids_.size == 60


@pytest.mark.parametrize(("ids", "word"), [([60], "no example 60"), ([0, 1], "last example")])
def test_what_cannot_be_left_out_is_told(ids: list[int], word: str) -> None:
    X = np.arange(6.0)[:, None]
    clf = dl.DeepLimitClassifier(exponent=1.0).fit(X, [0, 0, 1, 1, 1, 1])
    with pytest.raises(ValueError, match=word):
        without(clf, ids)
