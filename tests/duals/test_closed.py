"""Closed forms against the textbook formulas in 60 digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from deeplimit.duals.closed import (
    ArcCosineDual,
    ArcSineDual,
    ConstantDual,
    ExponentialDual,
    GaussianDual,
    GeluDual,
    HyperbolicDual,
    IdentityDual,
    PowerLawDual,
)
from laws import DualLaws

DIGITS = 60
GAPS = np.concatenate(
    [np.geomspace(1e-14, 0.25, 29), np.linspace(0.25, 1.75, 25), 2.0 - np.geomspace(0.25, 1e-9, 12)]
)
GAPS = np.append(GAPS, 2.0)


def relu_pair(xi):
    """Twice the mean of max(u, 0) max(v, 0): Cho and Saul (2009), degree 1."""
    return (mpmath.sqrt(1 - xi * xi) + xi * (mpmath.pi - mpmath.acos(xi))) / mpmath.pi


def arc_cosine(p, n):
    p, n = mpmath.mpf(p), mpmath.mpf(n)
    same, crossed = p * p + n * n, 2 * p * n
    return lambda xi: (same * relu_pair(xi) + crossed * relu_pair(-xi)) / same


def arc_sine(b):
    c = 2 * mpmath.mpf(b) ** 2 / (1 + 2 * mpmath.mpf(b) ** 2)
    return lambda xi: mpmath.asin(c * xi) / mpmath.asin(c)


def gelu(xi):
    def raw(x):
        return (x / 4 + x * mpmath.asin(x / 2) / (2 * mpmath.pi)) + 1 / (
            2 * mpmath.pi * mpmath.sqrt(4 - x * x)
        )

    return raw(xi) / raw(mpmath.mpf(1))


def power_law(p, theta):
    p, theta = mpmath.mpf(p), mpmath.mpf(theta)
    return lambda xi: 1 - (1 + p * ((1 - xi) ** -theta - 1)) ** (-1 / theta)


def gaussian(c):
    q = 4 * mpmath.mpf(c) ** 2 / (1 + 4 * mpmath.mpf(c))
    return lambda xi: 1 / mpmath.sqrt(1 + q * (1 - xi * xi))


FORMS = {
    "relu": (ArcCosineDual(1.0, 0.0), arc_cosine(1, 0)),
    "relu of -z": (ArcCosineDual(0.0, 3.0), arc_cosine(0, 3)),
    "leaky": (ArcCosineDual(1.0, -0.25), arc_cosine(1, -0.25)),
    "nearly linear": (ArcCosineDual(1.0, -0.999), arc_cosine(1, -0.999)),
    "abs": (ArcCosineDual(2.0, 2.0), arc_cosine(1, 1)),
    "lopsided": (ArcCosineDual(1.0, 0.5), arc_cosine(1, 0.5)),
    "erf": (ArcSineDual(1.0), arc_sine(1)),
    "erf, flat": (ArcSineDual(0.01), arc_sine(0.01)),
    "erf, steep": (ArcSineDual(50.0), arc_sine(50)),
    "sign": (ArcSineDual(np.inf), lambda xi: mpmath.asin(xi) * 2 / mpmath.pi),
    "exp": (ExponentialDual(1.0), lambda xi: mpmath.exp(xi - 1)),
    "exp, steep": (ExponentialDual(6.0), lambda xi: mpmath.exp(6 * (xi - 1))),
    "sin": (HyperbolicDual(1.0, odd=True), lambda xi: mpmath.sinh(xi) / mpmath.sinh(1)),
    "sin, fast": (
        HyperbolicDual(13.5, odd=True),
        lambda xi: mpmath.sinh(13.5 * xi) / mpmath.sinh(13.5),
    ),
    "sin, slow": (
        HyperbolicDual(0.0625, odd=True),
        lambda xi: mpmath.sinh(xi / 16) / mpmath.sinh(mpmath.mpf(1) / 16),
    ),
    "cos": (HyperbolicDual(1.0, odd=False), lambda xi: mpmath.cosh(xi) / mpmath.cosh(1)),
    "cos, fast": (
        HyperbolicDual(9.0, odd=False),
        lambda xi: mpmath.cosh(9 * xi) / mpmath.cosh(9),
    ),
    "gaussian": (GaussianDual(0.5), gaussian(0.5)),
    "gaussian, growing": (GaussianDual(-0.125), gaussian(-0.125)),
    "gelu": (GeluDual(), gelu),
    "mobius": (PowerLawDual(0.25), lambda xi: xi / 4 / (1 - 3 * xi / 4)),
    "theta": (PowerLawDual(0.5, 0.5), power_law(0.5, 0.5)),
}


def references(function, derivative=False):
    """Give 1 - f(1 - s) and f'(1 - s) for the gaps above."""
    with mpmath.workdps(DIGITS):
        if not derivative:
            return np.array([float(1 - function(1 - mpmath.mpf(s))) for s in GAPS])
        step = mpmath.mpf(10) ** -25
        ends = GAPS[GAPS <= 1.9999]
        return np.array(
            [
                # A central difference of step 1e-25 in 60 digits errs by 1e-14**-3 * 1e-50.
                float((function(1 - s + step) - function(1 - s - step)) / (2 * step))
                for s in map(mpmath.mpf, ends)
            ]
        )


@pytest.fixture(params=FORMS.values(), ids=FORMS.keys(), scope="module")
def form(request):
    return request.param


class TestForms:
    def test_gap(self, form):
        dual, function = form
        expected = references(function)
        # At the antipode of an even function the gap ends where it began, at zero.
        ends = 4e-16 if dual.parity == "even" else 0.0
        np.testing.assert_allclose(dual.gap(GAPS), expected, rtol=2e-13, atol=ends)

    def test_derivative(self, form):
        dual, function = form
        inner = GAPS[GAPS <= 1.9999]
        expected = references(function, derivative=True)
        scale = min(dual.slope_at_one, 1.0)
        np.testing.assert_allclose(
            dual.gap_derivative(inner), expected, rtol=1e-12, atol=1e-13 * scale
        )

    def test_value_on_either_side_of_zero(self, form):
        dual, function = form
        xi = np.concatenate([np.linspace(-0.99, 0.99, 34), [-1e-3, 1e-3]])
        with mpmath.workdps(DIGITS):
            expected = np.array([float(function(mpmath.mpf(x))) for x in xi])
        np.testing.assert_allclose(dual.value(xi), expected, rtol=1e-12, atol=4e-16)

    def test_coefficients(self, form):
        dual, function = form
        with mpmath.workdps(30):
            # Cauchy's integral on a circle where every one of the functions is analytic; with 96
            # points it errs by the coefficients beyond, 0.5**96 at most.
            circle = [mpmath.expjpi(mpmath.mpf(2 * j) / 96) / 2 for j in range(96)]
            values = np.array([complex(function(z)) for z in circle])
        expected = np.fft.fft(values).real[:12] / 96 * 2.0 ** np.arange(12)
        np.testing.assert_allclose(dual.coefficients(12), expected, rtol=1e-12, atol=2e-13)


class TestLaws(DualLaws):
    @pytest.fixture(params=FORMS.values(), ids=FORMS.keys())
    def dual(self, request):
        return request.param[0]


class TestIdentityLaws(DualLaws):
    @pytest.fixture
    def dual(self):
        return IdentityDual()


def test_constant_is_one_everywhere():
    dual = ConstantDual()
    xi = np.linspace(-1, 1, 9)
    np.testing.assert_array_equal(dual.value(xi), np.ones(9))
    np.testing.assert_array_equal(dual.derivative(xi), np.zeros(9))
    np.testing.assert_array_equal(dual.gap(1 - xi), np.zeros(9))
    np.testing.assert_array_equal(dual.coefficients(3), [1.0, 0.0, 0.0])
    assert dual.slope_at_one == 0.0 and dual.parity == "even"


def test_opposite_slopes_of_arc_cosine_are_the_identity():
    dual = ArcCosineDual(2.0, -2.0)
    assert dual.parity == "odd"
    np.testing.assert_array_equal(dual.gap(GAPS), GAPS)
    np.testing.assert_array_equal(dual.coefficients(4), [0, 1, 0, 0])


def test_slope_at_one_is_exact_where_it_decides():
    # 1 is the border between two fates.
    assert ArcCosineDual(1.0, -0.01).slope_at_one == 1.0
    assert IdentityDual().slope_at_one == 1.0
    assert np.isinf(ArcSineDual(np.inf).slope_at_one)


@pytest.mark.parametrize("theta", [1.0, 0.5, 0.125])
def test_power_law_is_carried_on_by_iteration(theta):
    # 1 + theta kappa = s^-theta with kappa(f) = p kappa.
    dual = PowerLawDual(0.3, theta)
    s = np.geomspace(1e-12, 1.9, 30)
    np.testing.assert_allclose(
        np.expm1(-theta * np.log(dual.gap(s))),
        0.3 * np.expm1(-theta * np.log(s)),
        rtol=1e-12,
        atol=1e-15,
    )


@pytest.mark.parametrize(("p", "theta"), [(0, 1), (1, 1), (-0.1, 1), (0.5, 0), (0.5, 1.01)])
def test_power_law_refuses_what_is_no_dual(p, theta):
    with pytest.raises(ValueError, match=r"p must lie in \(0, 1\) and theta in \(0, 1\]"):
        PowerLawDual(p, theta)


def test_large_frequencies_do_not_overflow():
    dual = HyperbolicDual(5000.0, odd=True)
    np.testing.assert_allclose(dual.gap(1e-8), -np.expm1(-5e-5), rtol=1e-12)
    assert dual.value(0.5) == 0.0 and dual.slope_at_one == 5000.0
