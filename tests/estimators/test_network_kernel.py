from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_blobs

import deeplimit as dl
from deeplimit.estimators import interpolation
from deeplimit.estimators.interpolation import (
    check_size,
    merge_duplicates,
    solve_conditional,
    solve_ridge,
)


def positive(n, seed=0):
    a = np.random.default_rng(seed).normal(size=(n, n + 3))
    return a @ a.T / n


@pytest.mark.parametrize("ridge", [0.0, 1e-3, 0.7])
def test_leave_one_out_is_leaving_out(ridge):
    rng = np.random.default_rng(1)
    K, Y, weight = positive(12), rng.normal(size=(12, 2)), rng.uniform(0.5, 3.0, 12)
    solution = solve_ridge(K, Y, weight, np.array([ridge]))
    scaled = weight / weight.mean()
    np.testing.assert_allclose(
        (K + ridge * np.diag(1 / scaled)) @ solution.coefficients, Y, atol=1e-9
    )
    for i in range(12):
        rest = np.arange(12) != i
        inner = K[np.ix_(rest, rest)] + ridge * np.diag(1 / scaled[rest])
        want = K[i, rest] @ np.linalg.solve(inner, Y[rest])
        np.testing.assert_allclose(solution.loo[i], want, rtol=1e-7, atol=1e-9)


def test_ridge_of_least_error():
    rng = np.random.default_rng(2)
    K, Y, weight = positive(15), rng.normal(size=(15, 1)), np.ones(15)
    ridges = np.array([0.0, 1e-4, 1e-2, 1.0, 100.0])
    errors = [np.sum((solve_ridge(K, Y, weight, np.array([r])).loo - Y) ** 2) for r in ridges]
    assert solve_ridge(K, Y, weight, ridges).ridge == ridges[np.argmin(errors)]


@pytest.mark.parametrize("settings", [{}, {"center": True}, {"kind": "nngp", "ridge": 0.05}])
def test_accuracy_of_leaving_out(settings):
    X, y = make_blobs(30, centers=3, n_features=3, cluster_std=4.0, random_state=3)
    X /= np.linalg.norm(X, axis=1, keepdims=True)  # no lift depends on the rows then
    model = dl.NetworkKernelClassifier("relu", 2, **settings).fit(X, y)
    kernel, right = model.kernel_, 0
    K = kernel(X, normalize=True)
    base = np.bincount(y) / 30 if model.center else np.full(3, 1 / 3)
    for i in range(30):
        rest = np.arange(30) != i
        inner = K[np.ix_(rest, rest)] + model.ridge_ * np.eye(29)
        score = K[i, rest] @ np.linalg.solve(inner, np.eye(3)[y[rest]] - base) + (
            base if model.center else 0
        )
        right += np.argmax(score) == y[i]
    assert model.loo_accuracy_ == pytest.approx(right / 30)


def test_ridgeless_machine_is_the_interpolant():
    X, y = load_iris(return_X_y=True)
    X, y = np.unique(X[:100], axis=0, return_index=True)[0], None
    y = (X[:, 2] > 2.5).astype(int)
    model = dl.NetworkKernelClassifier("relu", 1, ridge=0).fit(X, y)
    np.testing.assert_allclose(model.decision_function(X), np.where(y == 1, 1.0, -1.0), atol=1e-6)


def test_merging():
    X = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, -0.0], [3.0, 0.0]])
    merged = merge_duplicates(X, np.array([[1.0], [5.0], [4.0], [9.0]]), np.array([1.0, 1, 2, 0]))
    assert merged.first.tolist() == [0, 1]
    assert merged.weight.tolist() == [3.0, 1.0]
    assert merged.targets.tolist() == [[3.0], [5.0]]


def test_conditional_interpolation():
    x = np.random.default_rng(5).normal(size=(9, 3))
    eta = np.sum((x[:, None] - x[None]) ** 2, axis=2) ** 0.7  # conditionally negative definite
    y = np.random.default_rng(6).normal(size=(9, 2))
    c, constant = solve_conditional(eta, y)
    np.testing.assert_allclose(-eta @ c + constant, y, atol=1e-11)
    np.testing.assert_allclose(c.sum(axis=0), 0.0, atol=1e-12)
    # a constant is reproduced without any weights
    c, constant = solve_conditional(eta, np.full((9, 1), 3.5))
    np.testing.assert_allclose(c, 0.0, atol=1e-14)
    assert constant[0] == pytest.approx(3.5)


def test_size_is_bounded(monkeypatch):
    with pytest.raises(ValueError, match="the limit is 20000 examples"):
        check_size(20_001, "interpolation")
    monkeypatch.setattr(interpolation, "MAX_EXAMPLES", 10)
    X, y = load_iris(return_X_y=True)
    for model in (
        dl.NetworkKernelClassifier(),
        dl.DeepLimitClassifier("cos"),
        dl.DeepLimitRegressor("cos"),
    ):
        with pytest.raises(ValueError, match="the limit is 10 examples"):
            model.fit(X, y)


def test_depth_zero_is_linear():
    X, y = load_iris(return_X_y=True)
    model = dl.NetworkKernelClassifier("relu", 0).fit(X, y)
    assert model.score(X, y) > 0.8
