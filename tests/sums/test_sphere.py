from __future__ import annotations

import numpy as np
import pytest

from deeplimit.sums import EuclideanLift, HemisphereLift, UnitLift, fit_lift


def unit_rows(dtype=np.float64):
    X = np.random.default_rng(0).standard_normal((60, 5))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_auto_takes_unit_rows_as_they_lie(dtype):
    X = unit_rows(dtype)
    lift = fit_lift(X)
    assert isinstance(lift, UnitLift)
    assert np.array_equal(lift.transform(X), X.astype(np.float64))


def test_auto_lifts_everything_else():
    X = unit_rows()
    X[3] *= 1 + 3e-6
    assert isinstance(fit_lift(X), HemisphereLift)
    assert isinstance(fit_lift(X * 2), HemisphereLift)
    # A column of signs is not a sphere worth the name.
    assert isinstance(fit_lift([[1.0], [-1.0], [1.0]]), HemisphereLift)
    # Who names a centre wants the lift that has one.
    assert isinstance(fit_lift(unit_rows(), centre=0.0, scale=1.0), HemisphereLift)


def test_rows_off_the_sphere_are_refused():
    lift = fit_lift(unit_rows())
    with pytest.raises(ValueError, match=r"row 1 has norm 0\.5, but unit norm is expected"):
        lift.transform([[1.0, 0, 0, 0, 0], [0.5, 0, 0, 0, 0]])
    with pytest.raises(ValueError, match="row 0 has norm"):
        lift.transform([[1e300, 1e300, 0, 0, 0]])
    with pytest.raises(ValueError, match="row 0 has norm 0"):
        fit_lift(np.zeros((1, 2)), "none")


def test_unit_gaps_end_at_two():
    X = unit_rows(np.float32).astype(np.float64)
    lift = fit_lift(X)
    gaps = lift.gap(X, -X)
    assert np.all(gaps <= 2.0)
    assert gaps == pytest.approx(2.0, rel=1e-6)


def test_names():
    with pytest.raises(ValueError, match="no lift is named 'sphere': choose one of auto, hemis"):
        fit_lift([[1.0]], "sphere")


def test_euclidean_units():
    assert fit_lift([[3.0, -1e80]], "euclidean").exponent == 0
    huge = fit_lift([[1e300, 0.0]], "euclidean")
    assert isinstance(huge, EuclideanLift)
    assert huge.exponent > 900
    assert fit_lift([[0.0, 0.0]], "euclidean").exponent == 0
    assert fit_lift([[1e-320, 0.0]], "euclidean").exponent < -900
    # The unit is a power of two: ratios of gaps are those of squared distances, exactly.
    gaps = huge.gap([[1e300, 0.0]], [[0.5e300, 0.0], [0.0, 0.0]])
    assert gaps[1] == 4 * gaps[0]


def test_euclidean_moves_distant_queries_in():
    lift = fit_lift([[0.0, 1.0]], "euclidean")
    image = lift.transform([[1e300, -2.0]])
    assert image.tolist() == [[2.0**500, -2.0]]
