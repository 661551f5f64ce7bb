from __future__ import annotations

import numpy as np
import pytest

from deeplimit.sums.scaling import centre_and_scale, exponents, safe_difference

LARGEST = np.finfo(np.float64).max


def test_exponents_bound_every_row():
    X = np.array([[1.0, -8.0], [LARGEST, 0.0], [5e-324, -5e-324], [0.5, 0.25]])
    e = exponents(X).ravel()
    assert e.tolist() == [4, 1024, -1073, 0]
    assert exponents(np.zeros((1, 3))).item() < -1074


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1.0, 1e300, LARGEST])
def test_difference_of_huge_numbers_does_not_overflow(size):
    x, z = np.array([[size, size]]), np.array([[-size, size]])
    difference, h = safe_difference(x, z, exponents(x))
    assert np.isfinite(difference).all()
    assert difference[0, 1] == 0.0
    assert difference[0, 0] == pytest.approx(np.ldexp(size, -int(h[0, 0])) * 2, rel=1e-15)


@pytest.mark.parametrize("unit", [2.0**-1060, 2.0**-500, 1.0, 2.0**500, 2.0**1019])
def test_centre_and_scale_carry_the_unit(unit):
    X = np.array([[1.0, 2.0], [3.0, -2.0], [5.0, 3.0]])
    centre, scale = centre_and_scale(X * unit)
    assert centre / unit == pytest.approx([3.0, 1.0], rel=1e-4 if unit < 1e-300 else 1e-14)
    assert scale / unit == pytest.approx(np.sqrt(22 / 3), rel=1e-4 if unit < 1e-300 else 1e-14)


def test_constant_columns_have_their_value_and_no_spread():
    X = np.full((7, 3), 0.1)
    centre, scale = centre_and_scale(X)
    assert centre.tolist() == [0.1, 0.1, 0.1]
    assert scale == 1.0
    X[:, 0] = np.arange(7) * 1e-9
    assert centre_and_scale(X)[1] == pytest.approx(2e-9, rel=1e-12)


def test_one_row_and_the_ends_of_the_range():
    assert centre_and_scale(np.array([[3.0, 4.0]]))[1] == 1.0
    centre, scale = centre_and_scale(np.array([[LARGEST] * 5, [-LARGEST] * 5]))
    assert np.isfinite(centre).all()
    assert scale == LARGEST
    assert centre_and_scale(np.array([[0.0], [5e-324]]))[1] > 0
