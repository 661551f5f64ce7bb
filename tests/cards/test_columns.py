"""Which columns decide: Shapley values of the margin."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

import deeplimit as dl
from deeplimit.estimators.coalitions import Sight, make_plan
from deeplimit.estimators.columns import pool_measured
from deeplimit.smoothers.truncated import Setting


def table(n=90):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    y = np.where(X["a"] + 0.5 * X["b"] ** 2 > 0.3, "yes", "no")
    X["colour"] = rng.choice(["red", "blue"], n)
    X.loc[::7, "b"] = np.nan
    return X, y


def margins(clf, X):
    """Take margins from the examples' shares, which know nothing of columns."""
    scores = np.sort(clf.contributions(X, top=None).class_shares, axis=1)
    return scores[:, -1] - scores[:, -2]


@pytest.mark.parametrize("speed", ["instant", "full", "paper"])
def test_the_columns_sum_to_the_margin(speed):
    X, y = table()
    clf = dl.DeepLimitClassifier(speed=speed).fit(X.iloc[10:], y[10:])
    found = clf.columns(X.iloc[:10])
    np.testing.assert_allclose(found.base + found.shares.sum(axis=1), found.margin, atol=1e-9)
    np.testing.assert_allclose(found.margin, margins(clf, X.iloc[:10]), atol=1e-9)
    assert found.names == ("a", "b", "c", "colour")
    assert np.array_equal(found.predictions, clf.predict(X.iloc[:10]))
    assert found.cells[7, 1] is None
    assert found.cells[2, 3] == X["colour"][2]


def test_drawn_orders_sum_to_the_margin_of_many_columns():
    X, y = load_breast_cancer(return_X_y=True)
    clf = dl.DeepLimitClassifier().fit(X[::4], y[::4])
    found = clf.columns(X[1:4], n_orders=8)
    assert (found.errors > 0.0).any()
    np.testing.assert_allclose(found.base + found.shares.sum(axis=1), found.margin, atol=1e-9)
    np.testing.assert_allclose(found.margin, margins(clf, X[1:4]), atol=1e-9)


def test_it_is_the_mean_over_all_orders():
    rng = np.random.default_rng(1)
    X, y, q = rng.normal(size=(7, 3)), np.array([0, 1, 0, 1, 1, 0, 1]), rng.normal(size=3)
    D = (X - q) ** 2
    mean = D.mean(axis=0)

    def margin(inside):
        u = sum(D[:, j] if j in inside else np.full(7, mean[j]) for j in range(3))
        w = u**-1.25
        return float(w[y == 1].sum() - w[y == 0].sum()) / float(w.sum())

    expected = np.zeros(3)
    for order in permutations(range(3)):
        for k, j in enumerate(order):
            expected[j] += (margin(order[: k + 1]) - margin(order[:k])) / 6.0
    found = dl.HilbertClassifier(exponent=2.5).fit(X, y).columns([q])
    sign = 1.0 if found.predictions[0] == 1 else -1.0
    np.testing.assert_allclose(found.shares[0], sign * expected, rtol=1e-9)
    assert found.base[0] == pytest.approx(sign * (4 - 3) / 7)
    assert not found.errors.any()


def test_a_column_that_tells_no_example_from_another_has_nothing():
    X = np.random.default_rng(2).normal(size=(30, 3))
    X[:, 1] = 4.0
    y = (X[:, 0] > 0).astype(int)
    found = dl.HilbertClassifier(exponent=2.0).fit(X, y).columns([[1.5, 4.1, 0.1]])
    assert found.shares[0, 1] == 0.0
    assert found.shares[0, 0] > found.shares[0, 2]


def test_equal_columns_have_equal_shares():
    X = np.random.default_rng(3).normal(size=(40, 2))[:, [0, 1, 0]]
    y = (X[:, 0] > 0).astype(int)
    for clf in (dl.HilbertClassifier(exponent=2.0), dl.DeepLimitClassifier()):
        found = clf.fit(X, y).columns([[0.7, 0.2, 0.7]])
        assert found.shares[0, 0] == pytest.approx(found.shares[0, 2], abs=1e-12)


def test_a_weight_counts_like_equal_rows():
    rng = np.random.default_rng(4)
    X, y, w = rng.normal(size=(25, 3)), np.arange(25) % 2, rng.integers(1, 3, 25)
    clf = dl.HilbertClassifier(exponent=3.0)
    weighted = clf.fit(X, y, w).columns(X[:2] + 0.1)
    repeated = clf.fit(np.repeat(X, w, axis=0), np.repeat(y, w)).columns(X[:2] + 0.1)
    np.testing.assert_allclose(weighted.shares, repeated.shares, atol=1e-12)


def test_drawn_orders_agree_with_all_sets():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, 9))
    y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)
    clf = dl.HilbertClassifier(exponent=4.0).fit(X, y)
    row = rng.normal(size=(1, 9))
    exact, drawn = clf.columns(row, n_orders=64), clf.columns(row, n_orders=40)
    assert not exact.errors.any()
    assert drawn.errors.all()
    assert np.all(np.abs(exact.shares - drawn.shares) < 5.0 * drawn.errors)


def test_all_columns_measured_are_the_pool_itself():
    X, y = load_breast_cancer(return_X_y=True)
    clf = dl.DeepLimitClassifier().fit(X[::2], y[::2])
    rule = clf._rule
    pool, points = rule.model.pool, rule.model.points(X[1:2])
    assert any(group.ridge for group in pool.groups)
    side = np.where(pool.index == 1, 1.0, -1.0)
    total = pool.prior_weight * (pool.link.prior[1] - pool.link.prior[0])
    for part in pool_measured(pool, points, rule.model.encoder.origin_):
        D = (part.features - part.queries[0]) ** 2
        everything = np.ones((1, D.shape[1]), dtype=bool)
        total += part.sight(1, 0).scores(D, everything, pool.weight, side)[0]
    for group in pool.groups:
        total += group.ridge_weight * (pool.link.prior[1] - pool.link.prior[0])
    scores = pool.scores(points)[0]
    assert total == pytest.approx(scores[1] - scores[0], abs=1e-9)


def test_equally_near_examples_share_a_list():
    sight = Sight((Setting(2.0, 1.0, 0.0),), np.ones(1))
    side = np.array([1.0, -1.0, -1.0, 1.0, -1.0])
    nothing = np.zeros((1, 1), dtype=bool)
    D = np.arange(5.0)[:, None]
    found = sight.scores(D, nothing, np.ones(5), side)
    assert found[0] == pytest.approx(-1.0 / 5.0)
    # The nearest has its whole part of the list, the others are equally far and share the rest.
    D = np.array([[0.25], [1.0], [1.0], [1.0], [1.0]])
    found = sight.scores(D, ~nothing, np.ones(5), side)
    assert found[0] == pytest.approx((2.0 + (1.0 - 3.0) / 4.0) / 3.0)


def test_small_sets_come_first_and_every_order_begins_with_none():
    for p, n in ((3, 64), (12, 6)):
        plan = make_plan(p, n, 0)
        sizes = plan.masks.sum(axis=1)
        assert np.all(np.diff(sizes) >= 0)
        assert sizes[0] == 0
        assert sizes[-1] == p
    assert plan.chains.shape == (6, 13)
    assert np.array_equal(sizes[plan.chains], np.tile(np.arange(13), (6, 1)))


def test_shown_as_text_and_table():
    X, y = table()
    found = dl.DeepLimitClassifier().fit(X, y).columns(X.iloc[:2])
    frame = found.to_pandas()
    assert len(frame) == 2 * 5
    np.testing.assert_allclose(frame.groupby("row")["share"].sum(), found.margin, atol=1e-9)
    assert str(found).startswith(f"row 0: {found.predictions[0]} before {found.rivals[0]} by")
    assert "(missing)" in str(found)


@pytest.mark.parametrize(
    ("clf", "words"),
    [
        (dl.DeepLimitClassifier("erf"), "sum over columns"),
        (dl.DeepLimitClassifier("relu"), "sum over columns"),
    ],
)
def test_other_rules_are_refused(clf, words):
    X, y = np.arange(12.0).reshape(6, 2), [0, 1, 0, 1, 0, 1]
    with pytest.raises(ValueError, match=words):
        clf.fit(X, y).columns(X)


def test_wrong_questions_are_refused():
    clf = dl.DeepLimitClassifier().fit([[0.0], [1.0]], [1, 1])
    with pytest.raises(ValueError, match="one class"):
        clf.columns([[0.0]])
    with pytest.raises(ValueError, match="even number"):
        clf.columns([[0.0]], n_orders=5)
