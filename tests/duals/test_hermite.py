"""Gaussian moments and Hermite coefficients of activations known by their values."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy.special import erf, ndtr

from deeplimit.duals.hermite import GaussianQuadrature, hermite_functions


def gauss(function, *breaks):
    """Give the Gaussian mean in 30 digits."""
    with mpmath.workdps(30):
        ends = [mpmath.mpf(e) for e in (-14, -6, -2, *breaks, 2, 6, 14)]
        density = mpmath.sqrt(2 * mpmath.pi)
        return mpmath.quad(lambda z: function(z) * mpmath.exp(-z * z / 2) / density, sorted(ends))


def test_hermite_functions_are_orthonormal():
    x, w = np.polynomial.hermite_e.hermegauss(80)
    h = hermite_functions(x, 60)
    gram = (h * (w * np.exp(x * x / 2))) @ h.T
    np.testing.assert_allclose(gram, np.eye(60), atol=2e-12)


def test_hermite_functions_are_the_polynomials():
    z = np.linspace(-5, 5, 21)
    h = hermite_functions(z, 9)
    weight = np.exp(-z * z / 4) / (2 * np.pi) ** 0.25
    for k in range(9):
        he = np.polynomial.hermite_e.hermeval(z, np.eye(k + 1)[-1]) / math.sqrt(math.factorial(k))
        np.testing.assert_allclose(h[k], he * weight, rtol=1e-12, atol=1e-14)
    assert hermite_functions(z, 1).shape == (1, 21)


def test_hermite_functions_stay_finite_at_high_degree():
    h = hermite_functions(np.linspace(-40, 40, 101), 800)
    assert np.all(np.abs(h) < 1.0)


# Function, its mean, mean slope, mean square and mean squared slope.
ROOT = math.sqrt(2 * math.pi)
KNOWN = {
    "relu": (lambda z: np.maximum(z, 0), 1 / ROOT, 0.5, 0.5, 0.5),
    "shifted relu": (
        lambda z: np.maximum(z - 1, 0),
        math.exp(-0.5) / ROOT - float(ndtr(-1)),
        float(ndtr(-1)),
        2 * float(ndtr(-1)) - math.exp(-0.5) / ROOT,
        float(ndtr(-1)),
    ),
    "exp": (np.exp, math.exp(0.5), math.exp(0.5), math.exp(2), math.exp(2)),
    "sin": (
        np.sin, 0.0, math.exp(-0.5), (1 - math.exp(-2)) / 2, (1 + math.exp(-2)) / 2
    ),
    "square": (lambda z: z * z, 1.0, 0.0, 3.0, 4.0),
    "clip": (
        lambda z: np.clip(z, -1, 1),
        0.0,
        math.erf(math.sqrt(0.5)),
        1 - 2 * math.exp(-0.5) / ROOT,
        math.erf(math.sqrt(0.5)),
    ),
    "sign": (np.sign, 0.0, 2 / ROOT, 1.0, math.inf),
    "jump at 1": (
        lambda z: np.where(z > 1, 1.0, 0.0),
        float(ndtr(-1)),
        math.exp(-0.5) / ROOT,
        float(ndtr(-1)),
        math.inf,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_moments(name):
    phi, mean, slope, norm2, energy = KNOWN[name]
    moments = GaussianQuadrature(phi).moments
    found = {"mean": moments.mean, "slope": moments.slope, "norm2": moments.norm2}
    for key, expected in (("mean", mean), ("slope", slope), ("norm2", norm2)):
        np.testing.assert_allclose(found[key], expected, rtol=1e-13, atol=1e-15)
        assert abs(found[key] - expected) <= 10 * moments.errors[key] + 1e-16
        assert moments.errors[key] <= 1e-12 * norm2
    np.testing.assert_allclose(moments.energy, energy, rtol=1e-12)


def test_parity_makes_zeros_exact():
    odd, even = GaussianQuadrature(np.tanh), GaussianQuadrature(np.abs)
    neither = GaussianQuadrature(np.exp)
    assert (odd.parity, even.parity, neither.parity) == ("odd", "even", None)
    assert odd.moments.mean == odd.moments.errors["mean"] == 0.0
    assert even.moments.slope == even.moments.errors["slope"] == 0.0
    assert not np.any(odd.hermite(20)[0][::2]) and not np.any(even.hermite(20)[0][1::2])


def test_a_small_asymmetry_is_no_parity():
    assert GaussianQuadrature(lambda z: np.tanh(z) + 1e-9).parity is None
    assert GaussianQuadrature(lambda z: np.cos(z) + 1e-9 * z).parity is None


@pytest.mark.parametrize(
    ("phi", "function", "breaks"),
    [
        (np.tanh, mpmath.tanh, ()),
        (lambda z: z * ndtr(z), lambda z: z * mpmath.ncdf(z), ()),
        (erf, mpmath.erf, ()),
        (lambda z: np.where(z > 0.3, z, np.expm1(z)), None, (0.3,)),
    ],
    ids=["tanh", "gelu", "erf", "jump"],
)
def test_hermite_coefficients(phi, function, breaks):
    if function is None:
        cut = mpmath.mpf(0.3)

        def function(z):
            return z if z > cut else mpmath.expm1(z)

    coefficients, error = GaussianQuadrature(phi).hermite(9)
    assert coefficients.shape == (9,) and error < 1e-13
    for k in (0, 1, 4, 7):
        expected = gauss(
            lambda z, k=k: (
                function(z)
                * mpmath.hermite(k, z / mpmath.sqrt(2))
                / mpmath.sqrt(mpmath.mpf(2) ** k * mpmath.factorial(k))
            ),
            *breaks,
        )
        assert abs(coefficients[k] - expected) <= max(error, 1e-15)


def test_bessel():
    for phi in (np.tanh, np.abs, lambda z: np.maximum(z, -0.3)):
        quadrature = GaussianQuadrature(phi)
        mass = np.sum(quadrature.hermite(300)[0] ** 2) / quadrature.moments.norm2
        assert 0.99 < mass < 1.0 + 1e-13


def test_rounding_of_single_precision_is_stated():
    phi = GaussianQuadrature(lambda z: np.tanh(z.astype(np.float32)), precision=6e-8)
    exact = GaussianQuadrature(np.tanh).moments
    errors = phi.moments.errors
    assert 1e-9 < errors["norm2"] < 1e-5
    assert abs(phi.moments.norm2 - exact.norm2) <= errors["norm2"]
    assert abs(phi.moments.slope - exact.slope) <= errors["slope"]


def test_refuses_what_has_no_second_moment():
    with pytest.raises(ValueError, match="not square-integrable against the Gaussian"):
        GaussianQuadrature(lambda z: np.exp(z * z / 3))
    with pytest.raises(ValueError, match="zero everywhere"):
        GaussianQuadrature(np.zeros_like)
