"""The limits are what deep networks do: every rule against networks of finite depth."""

from __future__ import annotations

import math
from functools import cache

import mpmath as mp
import numpy as np
import pytest
from sklearn.datasets import make_blobs

import deeplimit as dl
from kernels.oracle import squared_hermite

# The authors' data: Dirichlet parameters of the two classes, of priors .4 and .6.
DIRICHLET = {
    2: ([1, 2], [2, 1]),
    3: ([0.5, 0.5, 2.5], [2.5, 0.1, 0.5]),
    5: ([3, 1, 2, 1, 1], [1, 2, 2, 2, 3]),
    9: ([1, 2, 1, 2, 1, 1, 1, 1, 1], [1, 1, 1, 2, 3, 4, 2, 2, 1]),
}


@cache
def dirichlet(columns, n, seed):
    rng = np.random.default_rng([columns, seed])
    y = (rng.random(n) < 0.6).astype(int)
    X = np.stack([rng.dirichlet(DIRICHLET[columns][c]) for c in y])
    return X, y


def sphere(n, k, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, k))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("name", "columns", "depth"),
    [
        ("2d_opt", 2, 50),
        ("3d_opt", 3, 50),
        ("5d_opt", 5, 20),
        ("9d_opt", 9, 10),
        ("erf", 2, 200),
    ],
)
def test_decisions_of_a_deep_network_are_those_of_the_limit(name, columns, depth):
    X, y = dirichlet(columns, 120, 0)
    Q, _ = dirichlet(columns, 1000, 1)
    limit = dl.DeepLimitClassifier(name, projection="normalize").fit(X, y)
    deep = dl.NetworkKernelClassifier(name, depth, "nngp", ridge=0, projection="normalize")
    np.testing.assert_array_equal(deep.fit(X, y).predict(Q), limit.predict(Q))


def test_shallow_decisions_are_not():
    X, y = dirichlet(3, 120, 0)
    Q, _ = dirichlet(3, 1000, 1)
    limit = dl.DeepLimitClassifier("3d_opt", projection="normalize").fit(X, y).predict(Q)
    deep = dl.NetworkKernelClassifier("3d_opt", 3, "nngp", ridge=0, projection="normalize")
    assert 0.6 < np.mean(deep.fit(X, y).predict(Q) == limit) < 0.98


@pytest.mark.parametrize("name", ["gelu", "silu", "x^2", "relu(x)^2", "step"])
@pytest.mark.parametrize("classes", [2, 3])
def test_exact_ties_of_a_majority_vote(name, classes):
    """Balanced classes: the Koenigs function at the inner fixed point decides."""
    X, y = sphere(24, 4, classes), np.arange(24) % classes
    Q = sphere(300, 4, 99)
    limit = dl.DeepLimitClassifier(name).fit(X, y)
    assert limit.regime_ == "majority vote"
    rate = dl.taxonomy(name).rate
    depth = round(math.log(1e-7) / math.log(rate))
    deep = dl.NetworkKernelClassifier(name, depth, "nngp", ridge=0).fit(X, y)
    got, want = limit.predict(Q), deep.predict(Q)
    assert np.unique(got).size == classes
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", ["gelu", "x^2"])
def test_unbalanced_majority_vote(name):
    X, y = sphere(25, 4), np.arange(25) % 3
    Q = sphere(100, 4, 1)
    limit = dl.DeepLimitClassifier(name).fit(X, y)
    deep = dl.NetworkKernelClassifier(name, 200, "nngp", ridge=0).fit(X, y)
    assert set(limit.predict(Q)) == set(deep.predict(Q)) == {0}
    np.testing.assert_array_equal(limit.predict(X), y)


def test_relu_at_great_depth_votes():
    """Polynomially slow: about n / sqrt(smallest gap) layers."""
    X, y = sphere(8, 3, 3), np.array([0, 0, 0, 0, 0, 1, 1, 1])
    Q = sphere(60, 3, 4)
    assert set(dl.DeepLimitClassifier("relu").fit(X, y).predict(Q)) == {0}
    shallow = dl.NetworkKernelClassifier("relu", 1, ridge=0).fit(X, y).predict(Q)
    assert set(shallow) == {0, 1}
    deep = dl.NetworkKernelClassifier("relu", 1000, ridge=0).fit(X, y)
    assert set(deep.predict(Q)) == {0}
    # ReLU NTK tends to (n/4) ybar / (3/4 + n/4)
    ybar = np.mean(np.where(y == 1, 0.5, -0.5))
    value = deep.decision_function(Q) / 2
    np.testing.assert_allclose(np.median(value), 2 * ybar / (0.75 + 2), atol=0.002)


@pytest.mark.parametrize("name", ["gelu", "x^2"])
def test_value_of_the_majority_regime(name):
    """xi* sum(y) / (1 - xi* + n xi*)."""
    X, y = sphere(12, 3, 5), np.random.default_rng(6).normal(size=12) + 1.0
    raw = dl.DeepLimitRegressor(name, normalize=False).fit(X, y)
    point = dl.taxonomy(name).fixed_point
    want = point * y.sum() / (1 - point + 12 * point)
    Q = sphere(5, 3, 7)
    np.testing.assert_allclose(raw.predict(Q), want, rtol=1e-12)
    kernel = dl.NetworkKernel(name, 600, kind="nngp")
    np.testing.assert_allclose(kernel(Q, X) @ np.linalg.solve(kernel(X), y), want, rtol=1e-9)
    np.testing.assert_array_equal(raw.predict(X), y)


NEAREST = {
    "h2": lambda x: x**2,
    "h3": lambda x: x**3,
    "0.7*h(2, x) + 0.7*h(3, x)": lambda x: (x**2 + x**3) / 2,
    "h(2, x) + h(5, x)": lambda x: (x**2 + x**5) / 2,
    "0.6*h(4, x) - 0.8*h(5, x)": lambda x: mp.mpf("0.36") * x**4 + mp.mpf("0.64") * x**5,
}


@pytest.mark.parametrize("name", NEAREST)
def test_nearest_neighbours_with_signs(name):
    """A deep network's decision is that of its largest entry, sign included."""
    X, y = sphere(9, 3, 8), np.arange(9) % 2
    Q = sphere(80, 3, 9)
    limit = dl.DeepLimitClassifier(name).fit(X, y)
    assert limit.regime_ == "1-nearest neighbour"
    want = []
    with mp.workdps(50):
        for row in Q @ X.T:
            entries = [mp.mpf(float(v)) for v in row]
            for _ in range(14):
                entries = [NEAREST[name](v) for v in entries]
            total = sum(v if c else -v for v, c in zip(entries, y, strict=True))
            want.append(int(total > 0))
    np.testing.assert_array_equal(limit.predict(Q), want)
    if name == "h3":
        assert np.any(limit.predict(Q) != limit.predict(-Q))
    if name == "h2":
        np.testing.assert_array_equal(limit.predict(Q), limit.predict(-Q))


def deep_regression(f, X, Q, y, depth):
    """Ridgeless regression with the NNGP of a deep network, in many digits."""

    def kernel(A, B):
        out = mp.matrix(len(A), len(B))
        for i, a in enumerate(A):
            for j, b in enumerate(B):
                pairs = zip(map(mp.mpf, a.tolist()), map(mp.mpf, b.tolist()), strict=True)
                value = 1 - mp.fsum((u - v) ** 2 for u, v in pairs) / 2
                for _ in range(depth):
                    value = f(value)
                out[i, j] = value
        return out

    solution = mp.lu_solve(kernel(X, X), mp.matrix([float(v) for v in y]))
    return [float(v) for v in kernel(Q, X) * solution]


def mp_dual(name):
    if name == "cos":
        return lambda x: mp.cosh(x) / mp.cosh(1)
    a = squared_hermite(lambda z: 1 / (1 + mp.exp(-z)) - mp.mpf(1) / 2, 0.1, 90)
    a[0] = mp.mpf(1) / 4
    whole = sum(a)
    return lambda x: mp.polyval(a[::-1], x) / whole


@pytest.mark.parametrize(("name", "depth"), [("cos", 60), ("sigmoid", 12)])
def test_conditionally_positive_definite_interpolation(name, depth):
    X, y, Q = sphere(7, 3, 10), np.random.default_rng(11).normal(size=7), sphere(6, 3, 12)
    with mp.workdps(60):
        want = deep_regression(mp_dual(name), X, Q, y, depth)
    got = dl.DeepLimitRegressor(name).fit(X, y).predict(Q)
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)
    labels = (y > 0).astype(int)
    with mp.workdps(60):
        want = deep_regression(mp_dual(name), X, Q, labels, depth)
    model = dl.DeepLimitClassifier(name).fit(X, labels)
    np.testing.assert_array_equal(model.predict(Q), np.array(want) > 0.5)


def test_sigmoid_with_a_fixed_ridge_is_the_majority():
    X, y = sphere(20, 3, 13), (np.arange(20) % 5 < 2).astype(int)
    model = dl.NetworkKernelClassifier("sigmoid", 30, "nngp", ridge=0.1).fit(X, y)
    assert set(model.predict(sphere(50, 3, 14))) == {0}


def test_depth_underflows_nothing():
    X, y = make_blobs(40, centers=3, n_features=5, random_state=0)
    model = dl.NetworkKernelClassifier("9d_opt", 5000, "nngp", ridge=0).fit(X, y)
    limit = dl.DeepLimitClassifier("9d_opt").fit(X, y)
    Q = X + 0.3
    np.testing.assert_array_equal(model.predict(Q), limit.predict(Q))
