"""What holds for every lift."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.sums import fit_lift, lift_from_dict
from sums.reference import exact_gap, relative_error

KINDS = ["hemisphere", "stereographic", "normalize", "none", "euclidean"]


def rows(kind, n=40, d=4, seed=0):
    X = np.random.default_rng(seed).standard_normal((n, d))
    return X / np.linalg.norm(X, axis=1, keepdims=True) if kind == "none" else X


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [2, 40])
def test_gap_is_half_the_squared_distance_of_the_images(kind, d):
    X = rows(kind, d=d)
    lift = fit_lift(X, kind)
    images = lift.transform(X)
    assert lift.on_sphere == (kind != "euclidean")
    if lift.on_sphere:
        assert np.linalg.norm(images, axis=1) == pytest.approx(1.0, abs=1e-14)
    chords = np.sum((images[:, None] - images) ** 2, axis=-1) / 2
    gaps = lift.gap(X[:, None], X)
    np.testing.assert_allclose(gaps, chords, rtol=1e-13, atol=1e-15)
    assert np.all(np.diag(gaps) == 0)
    np.testing.assert_allclose(gaps, gaps.T, rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("apart", [1e-4, 1e-8, 1e-12, 1e-15])
def test_gap_of_near_rows_keeps_its_digits(kind, apart):
    rng = np.random.default_rng(1)
    X = rows(kind)
    lift = fit_lift(X, kind)
    if kind == "normalize":  # directions are one below 1e-15
        apart *= 100
    for x in X:
        z = x * (1 + apart * rng.standard_normal(x.size))
        exact = exact_gap(lift, x, z)
        # Normalising, two rows on nearly one ray have a gap far below the square of their distance.
        bound = 1e-12 if kind == "normalize" else 1e-14
        assert relative_error(lift.gap(x, z), exact) < bound


def test_images_would_not_have_kept_the_digits():
    X = rows("hemisphere")
    lift = fit_lift(X, "hemisphere")
    z = X[0] * (1 + 1e-12)
    images = lift.transform([X[0], z])
    naive = np.sum((images[0] - images[1]) ** 2) / 2
    assert relative_error(naive, exact_gap(lift, X[0], z)) > 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_dict_survives_json_bit_for_bit(kind):
    X = rows(kind)
    lift = fit_lift(X, kind)
    again = lift_from_dict(json.loads(json.dumps(lift.to_dict())))
    assert type(again) is type(lift)
    assert repr(again) == repr(lift)
    assert again.to_dict() == lift.to_dict()
    assert np.array_equal(again.transform(X), lift.transform(X))
    assert np.array_equal(again.gap(X[:, None], X), lift.gap(X[:, None], X))


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"kind": "sphere", "n_features": 2},
        {"kind": "none"},
        {"kind": "none", "n_features": 0},
        {"kind": "hemisphere", "n_features": 2},
        {"kind": "hemisphere", "n_features": 2, "centre": [0.0], "scale": 1.0},
        {"kind": "hemisphere", "n_features": 1, "centre": [0.0], "scale": float("nan")},
    ],
)
def test_bad_descriptions_are_refused(state):
    with pytest.raises(ValueError, match=r"kind|described|centre|scale"):
        lift_from_dict(state)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fitted_lift_is_frozen(kind):
    lift = fit_lift(rows(kind), kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        lift.n_features = 3
    if kind in ("hemisphere", "stereographic"):
        with pytest.raises(ValueError, match="read-only"):
            lift.centre[0] = 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_shapes_are_refused(kind):
    X = rows(kind)
    lift = fit_lift(X, kind)
    with pytest.raises(ValueError, match="rows of 4 columns are expected"):
        lift.transform(X[:, :3])
    with pytest.raises(ValueError, match="rows of 4 columns are expected"):
        lift.gap(X, X[:, :3])
    for empty in (np.zeros((0, 4)), np.zeros((4, 0)), np.zeros(4)):
        with pytest.raises(ValueError, match="at least one row and one column"):
            fit_lift(empty, kind)


@pytest.mark.parametrize("kind", ["hemisphere", "stereographic", "euclidean"])
@given(
    x=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
    z=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
)
def test_gap_is_zero_for_equal_rows_alone(kind, x, z):
    lift = fit_lift([[0.0, 1.0], [2.0, 3.0]], kind)
    for other in (z, x, np.nextafter(x, 0.0)):
        gap = lift.gap(x, other).item()
        assert np.isfinite(gap)
        assert (gap == 0.0) == bool(np.all(np.asarray(x) == np.asarray(other)))
        if lift.on_sphere:
            assert gap <= 2.0


@pytest.mark.parametrize("kind", ["hemisphere", "stereographic", "normalize", "euclidean"])
@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-160, 1e160, 1e300, 1.7e308])
def test_sizes_at_the_ends_of_the_range(kind, size):
    X = np.array([[1.0, 0.25], [-1.0, 0.5], [0.5, -1.0], [0.125, 1.0]]) * size
    if size == 5e-324:
        X = np.array([[1.0, 2.0], [-1.0, 2.0], [2.0, -1.0], [3.0, 1.0]]) * size
    lift = fit_lift(X, kind)
    assert np.isfinite(lift.transform(X)).all()
    gaps = lift.gap(X[:, None], X)
    for i in range(4):
        for j in range(4):
            assert relative_error(gaps[i, j], exact_gap(lift, X[i], X[j])) < 1e-14


@pytest.mark.parametrize("kind", ["hemisphere", "stereographic", "normalize", "euclidean"])
def test_queries_of_another_size_than_the_examples(kind):
    for size, query in [(1.0, 1e300), (1e-300, 1e300), (1e300, 1e-300)]:
        X = np.array([[1.0, 0.25], [-1.0, 0.5]]) * size
        lift = fit_lift(X, kind)
        q = np.array([3.0, -4.0]) * query
        assert np.isfinite(lift.transform([q])).all()
        assert np.all(np.isfinite(lift.gap(q, X)))
        assert np.all(lift.gap(q, X) > 0)


@pytest.mark.parametrize("kind", ["hemisphere", "stereographic", "normalize", "euclidean"])
def test_many_columns(kind):
    X = np.random.default_rng(0).standard_normal((3, 100_000)) * 1e200
    X[1] = X[0]
    X[1, 7] = np.nextafter(X[0, 7], np.inf)
    lift = fit_lift(X, kind)
    assert np.isfinite(lift.transform(X)).all()
    gaps = lift.gap(X[:, None], X)
    assert np.isfinite(gaps).all()
    exact = exact_gap(lift, X[0, 5:10], X[1, 5:10]) if kind == "euclidean" else None
    # An ulp of one coordinate: two rows, but one direction.
    assert gaps[0, 1] < 1e-30
    assert (gaps[0, 1] > 0) == lift.separates
    assert exact is None or relative_error(gaps[0, 1], exact) < 1e-14
