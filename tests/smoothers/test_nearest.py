from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.smoothers import nearest as module
from deeplimit.smoothers.nearest import Neighbours
from deeplimit.smoothers.ridge import Kernel, Ridge


@pytest.fixture(scope="module", autouse=True, params=["NumPy", "compiled"])
def loops(request):
    """All that is said here is said of both ways to find them."""
    least = module._COMPILED_FROM
    module._COMPILED_FROM = 0 if request.param == "compiled" else 10**9
    yield request.param
    module._COMPILED_FROM = least


def nearest(Q, X, k, n_jobs=1):
    return Neighbours(X).nearest(Q, k, n_jobs)


def test_the_loops_are_those_that_are_meant(loops):
    assert Neighbours(np.zeros((3, 2))).compiled == (loops == "compiled")
    assert not Neighbours(np.full((3, 2), 1e101)).compiled


def squared(Q, X):
    return ((Q[:, None, :] - X[None]) ** 2).sum(axis=2)


def sound(Q, X, k):
    """Compare with all distances: which are listed, in which order, and how far."""
    found = nearest(Q, X, k)
    k = min(k, len(X))
    u = squared(Q, X)
    listed = np.take_along_axis(u, found.places, axis=1)
    assert found.places.shape == found.logs.shape == (len(Q), k)
    assert all(np.unique(row).size == k for row in found.places)
    assert np.array_equal(listed, np.sort(u, axis=1)[:, :k])
    step, same = np.diff(found.places, axis=1), np.diff(listed, axis=1) == 0.0
    assert np.all(step[same] > 0)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(found.logs, 0.5 * np.log(listed), rtol=1e-8, atol=1e-8)
    return found


# Whole numbers: squares are exact, and ties are ties.
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 3), st.integers(1, 45))
def test_it_agrees_with_all_distances(seed, n, p, k):
    rng = np.random.default_rng(seed)
    sound(rng.integers(0, 4, (5, p)).astype(float), rng.integers(0, 4, (n, p)).astype(float), k)


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 8))
def test_without_ties_places_are_those_of_a_sort(seed, n, k):
    rng = np.random.default_rng(seed)
    Q, X = rng.standard_normal((4, 3)), rng.standard_normal((n, 3))
    expected = np.argsort(squared(Q, X), axis=1)[:, :k]
    assert np.array_equal(nearest(Q, X, k).places, expected)


@pytest.mark.parametrize("n", [1023, 1024, 3000, 4097])
@pytest.mark.parametrize("k", [1, 5, 17, 129])
@pytest.mark.parametrize("kind", ["whole", "normal", "sorted", "equal"])
def test_a_bound_from_a_sample_loses_nothing(n, k, kind):
    rng = np.random.default_rng(n + k)
    X = {
        "whole": lambda: rng.integers(0, 6, (n, 3)).astype(float),
        "normal": lambda: rng.integers(-1000, 1000, (n, 3)) / 256.0,
        # The sample takes every eighth: as unlike the rest as can be.
        "sorted": lambda: (
            np.where(np.arange(n) % 8 == 0, 1e3, 1.0)[:, None] * np.arange(n)[:, None]
        ),
        "equal": lambda: np.ones((n, 2)),
    }[kind]()
    sound(X[rng.permutation(n)[:20]], X, k)


def test_all_of_them_and_none():
    rng = np.random.default_rng(0)
    Q, X = rng.integers(0, 9, (3, 2)).astype(float), rng.integers(0, 9, (7, 2)).astype(float)
    for k in (7, 8, 1000):
        sound(Q, X, k)
    assert nearest(Q, X, 0).places.shape == (3, 0)


def test_what_coincides_is_at_distance_zero_and_comes_by_place():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((50, 20)) * 10.0 ** rng.uniform(-3, 3, 20)
    X = np.concatenate([X, X, X])
    found = nearest(X[:50], X, 4)
    assert np.isneginf(found.logs[:, :3]).all()
    assert np.isfinite(found.logs[:, 3]).all()
    assert np.array_equal(found.places[:, :3], np.arange(50)[:, None] + [0, 50, 100])


def test_next_to_nothing_is_not_zero():
    X = np.array([[1.0], [1.0 + 2.0**-50], [3.0]])
    found = nearest(X[:1], X, 2)
    assert found.places.tolist() == [[0, 1]]
    assert found.logs[0, 1] == pytest.approx(-50 * np.log(2.0), rel=1e-14)


def test_those_that_a_product_cannot_tell_apart_are_told_by_differences():
    rng = np.random.default_rng(0)
    X = rng.choice([-1.0, 1.0], (300, 1)) + 1e-9 * rng.standard_normal((300, 1))
    expected = np.sort(np.abs(X - X.T), axis=1)[:, :5]
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(nearest(X, X, 5).logs, np.log(expected), rtol=1e-9)


def test_threads_change_nothing():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((2000, 4))
    one, two = nearest(X, X, 9, 1), nearest(X, X, 9, 2)
    assert np.array_equal(one.places, two.places)
    assert np.array_equal(one.logs, two.logs)


@pytest.mark.parametrize("centres", [None, np.arange(0, 300, 3)], ids=["all", "centres"])
@pytest.mark.parametrize("k", [0, 3])
@pytest.mark.parametrize("smooth", [False, True])
def test_a_ridge_solution_is_asked_in_the_same_pass(centres, k, smooth):
    rng = np.random.default_rng(3)
    Q, X = rng.standard_normal((900, 3)), rng.standard_normal((300, 3))
    examples = Neighbours(X, centres)
    at = X if centres is None else X[centres]
    ridge = Ridge(Kernel(1.5, smooth), 0.1, rng.standard_normal((len(at), 2)))
    near, values = examples.ask(Q, k, ridge)
    u = squared(Q, at)
    K = np.exp(-u / (2 * 1.5**2) if smooth else -np.sqrt(u) / 1.5)
    np.testing.assert_allclose(values, K @ ridge.coefficients, atol=1e-12)
    np.testing.assert_allclose(examples.squares(Q), u, rtol=1e-9, atol=1e-12)
    assert np.array_equal(near.places, nearest(Q, X, k).places)


def test_a_row_beyond_all_reach_is_answered_beside_others():
    rng = np.random.default_rng(6)
    X, Q = rng.standard_normal((300, 3)), rng.standard_normal((5, 3))
    ridge = Ridge(Kernel(1.5), 0.1, rng.standard_normal((300, 2)))
    near, values = Neighbours(X).ask(Q, 4, ridge)
    far = np.insert(Q, 2, 1e120, axis=0)
    both, said = Neighbours(X).ask(far, 4, ridge)
    others = [0, 1, 3, 4, 5]
    assert np.array_equal(both.places[others], near.places)
    np.testing.assert_allclose(said[others], values, rtol=1e-12)
    assert np.all(said[2] == 0.0)
    assert np.all(Neighbours(X).squares(far)[2] > 1e239)


@pytest.mark.parametrize("far", [0.0, 1e2, 1e4, 1e6, 1e8])
@pytest.mark.parametrize("n", [30, 1200])
def test_eight_digits_are_known_wherever_the_rows_lie(far, n):
    rng = np.random.default_rng(4)
    Q, X = rng.standard_normal((40, 3)) + far, rng.standard_normal((n, 3)) + far
    u = squared(Q, X)
    found = nearest(Q, X, 12)
    expected = 0.5 * np.log(np.sort(u, axis=1)[:, :12])
    np.testing.assert_allclose(found.logs, expected, atol=1e-8)
    own = nearest(X, X, 2)  # a row is at 0 from itself, whatever the product says
    assert np.isneginf(own.logs[:, 0]).all()
    assert np.array_equal(own.places[:, 0], np.arange(n))


def test_one_example_far_away_leaves_the_others_their_digits():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((300, 2))
    X[7] = 1e9
    expected = 0.5 * np.log(np.sort(squared(X, X), axis=1)[:, 1:6])
    np.testing.assert_allclose(nearest(X, X, 6).logs[:, 1:], expected, atol=1e-8)
