from __future__ import annotations

import numpy as np
import pytest

from deeplimit.sums import fit_lift
from sums.reference import exact_gap, relative_error


@pytest.mark.parametrize("kind", ["hemisphere", "stereographic"])
@pytest.mark.parametrize("far", [1.0, 30.0, 1e3])
@pytest.mark.parametrize("d", [1, 2, 5, 50])
def test_gap_far_from_the_centre(kind, far, d):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((30, d))
    lift = fit_lift(X, kind)
    for x in X[:10] * far:
        for apart in (1.0, 1e-3, 1e-9, 1e-15):
            for z in (x * (1 + apart), x * (1 + apart * rng.standard_normal(d))):
                error = relative_error(lift.gap(x, z), exact_gap(lift, x, z))
                # The angle between x - z and x matters the more the farther out x is.
                assert error < 1e-14 * (1 + 0.1 * far)


def test_hemisphere_formula_and_openness():
    X = np.random.default_rng(0).standard_normal((50, 3)) * 5 + 2
    lift = fit_lift(X, "hemisphere", centre=[1.0, 2.0, 3.0], scale=4.0)
    u = (X - [1.0, 2.0, 3.0]) / 4.0
    expected = np.c_[u, np.ones(50)] / np.sqrt(1 + np.sum(u**2, axis=1, keepdims=True))
    np.testing.assert_allclose(lift.transform(X), expected, rtol=1e-14)
    far = lift.transform([[1e6, 0.0, 0.0], [-1e6, 0.0, 0.0]])
    assert np.all(far[:, -1] > 0)
    assert far[0] @ far[1] > -1.0


def test_stereographic_formula():
    X = np.random.default_rng(0).standard_normal((50, 3)) * 5 + 2
    lift = fit_lift(X, "stereographic", centre=1.0, scale=2.0)
    u = (X - 1.0) / 2.0
    u2 = np.sum(u**2, axis=1, keepdims=True)
    np.testing.assert_allclose(
        lift.transform(X), np.c_[2 * u, u2 - 1] / (1 + u2), rtol=1e-13, atol=1e-15
    )


@pytest.mark.parametrize("kind", ["hemisphere", "stereographic"])
def test_default_parameters_follow_the_data(kind):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    lift = fit_lift(X, kind)
    assert lift.centre == pytest.approx(X.mean(0), rel=1e-12)
    assert lift.scale == pytest.approx(np.sqrt(np.mean(np.sum((X - X.mean(0)) ** 2, axis=1))))
    moved = fit_lift(X * 8.0 + 3.0, kind)
    gaps, again = lift.gap(X[:, None], X), moved.gap((X * 8.0 + 3.0)[:, None], X * 8.0 + 3.0)
    np.testing.assert_allclose(again, gaps, rtol=1e-11)
    # A change of unit by a power of two changes no bit.
    scaled = fit_lift(X * 2.0**40, kind)
    assert np.array_equal(scaled.gap(X[:, None] * 2.0**40, X * 2.0**40), gaps)


def test_equal_rows_and_one_row_get_scale_one():
    for X in (np.full((5, 2), 0.1), [[0.1, 0.1]]):
        lift = fit_lift(X, "hemisphere")
        assert lift.scale == 1.0
        assert lift.gap([0.1, 0.1], [0.1, 0.1]) == 0.0
        assert lift.gap([1.1, 0.1], [0.1, 0.1]) == pytest.approx(1 - 1 / np.sqrt(2), rel=1e-14)


def test_bad_parameters_are_refused():
    X = np.eye(3) * 2
    for scale in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="scale must be a positive finite number"):
            fit_lift(X, "hemisphere", scale=scale)
    for centre in ([1.0, 2.0], np.nan, np.eye(3)):
        with pytest.raises(ValueError, match="centre must be a finite number or 3"):
            fit_lift(X, "stereographic", centre=centre)
    for kind in ("normalize", "none", "euclidean"):
        with pytest.raises(ValueError, match="has no centre and no scale"):
            fit_lift(np.eye(3), kind, scale=2.0)


def test_normalize_joins_rows_of_one_direction():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 5))
    lift = fit_lift(X, "normalize")
    assert np.all(lift.gap(X, X * rng.uniform(0.01, 100.0, (200, 1))) == 0.0)
    assert np.all(lift.gap(X, -X) == pytest.approx(2.0, abs=1e-15))
    turned = X.copy()
    turned[:, 0] += 1e-12
    assert np.all(lift.gap(X, turned) > 0)


def test_normalize_gap_with_different_radii():
    x, z = np.array([3.0, 4.0]), np.array([3.0, 4.0 + 1e-9]) * 7.0
    lift = fit_lift([x, z], "normalize")
    # An angle of 1e-10 from a difference of length 28 that was rounded to 1e-16 of it.
    assert relative_error(lift.gap(x, z), exact_gap(lift, x, z)) < 1e-5


def test_normalize_refuses_zero_rows():
    with pytest.raises(ValueError, match="1 rows are zero"):
        fit_lift([[0.0, 0.0], [1.0, 0.0]], "normalize")
    lift = fit_lift([[1.0, 1.0]], "normalize")
    with pytest.raises(ValueError, match="2 rows are zero"):
        lift.transform(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="no direction"):
        lift.gap([0.0, 0.0], [1.0, 1.0])
