from __future__ import annotations

import numpy as np
import pytest

from deeplimit.sums import intrinsic_dimension


def embedded(X, columns=20, seed=0):
    """Put rows into a larger space by a rotation."""
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((columns, columns)))[0]
    return X @ Q[: X.shape[1]]


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("n_neighbors", [2, 5, 10])
def test_spheres_in_a_larger_space(d, n_neighbors):
    rng = np.random.default_rng(d)
    X = rng.standard_normal((2000, d + 1))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    estimate = intrinsic_dimension(embedded(X), n_neighbors=n_neighbors)
    deviation = d / np.sqrt(2000 * (n_neighbors - 1))
    assert estimate == pytest.approx(d, abs=4 * deviation + 0.01 * d**2)


def test_documented_bias():
    rng = np.random.default_rng(0)
    for d, low, high in [(5, 4.7, 5.1), (9, 7.9, 8.8), (20, 15.0, 17.5)]:
        X = rng.standard_normal((1000, d + 1))
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        assert low < intrinsic_dimension(X) < high


def test_two_neighbours_by_the_formula():
    X = np.array([[0.0], [1.0], [3.0], [7.0]]) @ [[3.0, 4.0]]
    # Distances to the two nearest: (1, 3), (1, 2), (2, 3), (4, 6).
    expected = 3 / np.log(3 * 2 * 1.5 * 1.5)
    assert intrinsic_dimension(X, n_neighbors=2) == pytest.approx(expected, rel=1e-12)


def test_duplicates_count_once():
    X = np.random.default_rng(0).standard_normal((300, 3))
    estimate = intrinsic_dimension(X)
    assert intrinsic_dimension(np.r_[X, X, X[:50] * 1.0]) == pytest.approx(estimate, rel=1e-12)
    X[0, 0] = 0.0
    twice = np.r_[X, X[:1] * [-1.0, 1.0, 1.0]]  # -0.0
    assert intrinsic_dimension(twice) == pytest.approx(intrinsic_dimension(X), rel=1e-12)


@pytest.mark.parametrize("unit", [1e-300, 1e-5, 1e300])
def test_units_and_offsets_do_not_matter(unit):
    X = np.random.default_rng(0).standard_normal((300, 3))
    estimate = intrinsic_dimension(X)
    assert intrinsic_dimension(X * unit) == pytest.approx(estimate, rel=1e-9)
    assert intrinsic_dimension(X + 1e4) == pytest.approx(estimate, rel=1e-6)
    constant = np.c_[X * unit, np.full(300, 0.1)]
    assert 1 <= intrinsic_dimension(constant) <= 4


def test_near_duplicates_far_from_the_origin():
    rng = np.random.default_rng(0)
    X = np.repeat(rng.standard_normal((200, 20)), 2, axis=0) + 1e3
    X[1::2] += 1e-9 * rng.standard_normal((200, 20))
    # The pairs are what is near: ln(r_2/r_1) is about ln 1e9 = 21.
    assert intrinsic_dimension(X, n_neighbors=2) == 1.0


def test_bounds():
    assert intrinsic_dimension(np.ones((10, 3))) == 1.0
    assert intrinsic_dimension([[1.0, 2.0]]) == 1.0
    assert intrinsic_dimension([[1.0, 2.0], [2.0, 3.0]]) == 1.0
    # All others are equally far: no finite dimension holds a simplex this large.
    assert intrinsic_dimension(np.eye(6)) == 6.0
    assert intrinsic_dimension(np.random.default_rng(0).standard_normal((50, 1))) == 1.0


def test_samples_are_repeatable_and_bounded():
    X = embedded(np.random.default_rng(0).standard_normal((3000, 3)), columns=6)
    estimate = intrinsic_dimension(X, max_rows=500)
    assert estimate == intrinsic_dimension(X, max_rows=500)
    assert estimate != intrinsic_dimension(X, max_rows=500, seed=1)
    assert estimate == pytest.approx(3.0, abs=0.4)
    wide = np.random.default_rng(0).standard_normal((300, 50_000))
    assert 1 <= intrinsic_dimension(wide) <= 50_000


def test_bad_input_is_refused():
    X = np.ones((5, 2))
    with pytest.raises(ValueError, match="at least 2 neighbours and 3 rows"):
        intrinsic_dimension(X, n_neighbors=1)
    with pytest.raises(ValueError, match="at least 2 neighbours and 3 rows"):
        intrinsic_dimension(X, max_rows=2)
    for empty in (np.ones(5), np.ones((0, 2)), np.ones((2, 0))):
        with pytest.raises(ValueError, match="at least one row and one column"):
            intrinsic_dimension(empty)
