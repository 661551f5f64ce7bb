"""Duals by quadrature against closed forms and against an independent formula in 40 digits."""

from __future__ import annotations

import functools

import mpmath
import numpy as np
import pytest
from scipy.special import erf, ndtr

from deeplimit.duals.closed import ArcCosineDual, ArcSineDual, GeluDual
from deeplimit.duals.hermite import GaussianQuadrature
from deeplimit.duals.quadrature import QuadratureDual
from laws import DualLaws

GAPS = np.concatenate([np.geomspace(1e-14, 0.5, 40), np.linspace(0.5, 2.0, 31)[1:]])


@functools.cache
def numerical(name):
    return QuadratureDual(GaussianQuadrature(FUNCTIONS[name]))


FUNCTIONS = {
    "relu": lambda z: np.maximum(z, 0.0),
    "leaky relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "abs": np.abs,
    "sign": np.sign,
    "gelu": lambda z: z * ndtr(z),
    "erf": erf,
    "hard tanh": lambda z: np.clip(z, -1.0, 1.0),
    "relu6": lambda z: np.clip(z, 0.0, 6.0),
}

CLOSED = {
    "relu": ArcCosineDual(1.0, 0.0),
    "leaky relu": ArcCosineDual(1.0, -0.01),
    "abs": ArcCosineDual(1.0, 1.0),
    "sign": ArcSineDual(np.inf),
    "gelu": GeluDual(),
    "erf": ArcSineDual(1.0),
}


class TestLaws(DualLaws):
    @pytest.fixture(params=FUNCTIONS)
    def dual(self, request):
        return numerical(request.param)


@pytest.mark.parametrize("name", CLOSED)
def test_agrees_with_the_closed_form(name):
    dual, closed = numerical(name), CLOSED[name]
    expected = closed.gap(GAPS)
    np.testing.assert_allclose(dual.gap(GAPS), expected, rtol=1e-13, atol=1e-15 * (expected < 0.1))
    inner = GAPS[GAPS <= 1.9999]
    slopes = closed.gap_derivative(inner)
    np.testing.assert_allclose(dual.gap_derivative(inner), slopes, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dual.slope_at_one, closed.slope_at_one, rtol=1e-12)
    np.testing.assert_allclose(dual.coefficients(30), closed.coefficients(30), atol=1e-14)
    assert dual.parity == closed.parity


def pair_density(gap, x, y):
    """Give the density of two standard Gaussians of correlation 1 - gap at (x, y)."""
    rest = gap * (2 - gap)
    exponent = -((x - y) ** 2 + 2 * gap * x * y) / (2 * rest)
    return mpmath.exp(exponent) / (2 * mpmath.pi * mpmath.sqrt(rest))


def bend_integral(places, sizes, s, order):
    r"""Integrate the density at all pairs of breaks from correlation 1 - s to 1.

    Plackett: :math:`d^k E\\phi(u)\\phi(v)/d\\xi^k = E\\phi^{(k)}(u)\\phi^{(k)}(v)`, and the first
    derivative of a step function, or the second of a piecewise-linear one, is a sum of deltas.
    """

    def integrand(root):  # the gap as a square takes the root singularity of the diagonal away
        gap = root * root
        total = sum(
            a * b * pair_density(gap, x, y)
            for x, a in zip(places, sizes, strict=True)
            for y, b in zip(places, sizes, strict=True)
        )
        return 2 * root * total * (s - gap) ** (order - 1)

    top = mpmath.sqrt(s)
    return mpmath.quad(integrand, [top * k / 4 for k in range(5)])


def piecewise_linear_gap(places, bends, norm2, energy, s):
    with mpmath.workdps(30):
        s = mpmath.mpf(s)
        return float((energy * s - bend_integral(places, bends, s, 2)) / norm2)


def gaussian_mean(function, places):
    with mpmath.workdps(30):
        ends = sorted([mpmath.mpf(e) for e in (-15, -4, 0, 4, 15)] + list(places))
        weight = mpmath.sqrt(2 * mpmath.pi)
        return mpmath.quad(lambda z: function(z) * mpmath.exp(-z * z / 2) / weight, ends)


@pytest.mark.parametrize(
    ("name", "places", "bends"),
    [("hard tanh", (-1, 1), (1, -1)), ("relu6", (0, 6), (1, -1))],
)
def test_agrees_with_the_sum_over_kinks(name, places, bends):
    dual = numerical(name)
    low, high = places
    places = [mpmath.mpf(p) for p in places]
    norm2 = gaussian_mean(lambda z: min(max(z, low if low else 0), high) ** 2, places)
    energy = gaussian_mean(lambda z: mpmath.mpf(low < z < high), places)
    for s in (1e-14, 1e-9, 1e-5, 1e-3, 0.03, 0.2, 0.6, 0.9):
        expected = piecewise_linear_gap(places, bends, norm2, energy, s)
        np.testing.assert_allclose(float(dual.gap(s)), expected, rtol=1e-12)
    np.testing.assert_allclose(dual.slope_at_one, float(energy / norm2), rtol=1e-12)


class TestStatedError:
    """The true error never exceeds ten times the stated one."""

    @pytest.mark.parametrize("seed", range(3))
    def test_random_kinks(self, seed):
        rng = np.random.default_rng(seed)
        at, bends = np.sort(rng.uniform(-2, 2, 1 + seed)), rng.uniform(-1, 1, 1 + seed)
        quadrature = GaussianQuadrature(lambda z: np.maximum(z[..., None] - at, 0.0) @ bends)
        dual = QuadratureDual(quadrature)
        places, sizes = [mpmath.mpf(v) for v in at], [mpmath.mpf(v) for v in bends]

        def phi(z):
            return sum(b * max(z - t, 0) for t, b in zip(places, sizes, strict=True))

        def slope(z):
            return sum((b for t, b in zip(places, sizes, strict=True) if z > t), mpmath.mpf(0))

        norm2 = gaussian_mean(lambda z: phi(z) ** 2, places)
        energy = gaussian_mean(lambda z: slope(z) ** 2, places)
        assert dual.error < 1e-12
        for s in (1e-12, 1e-6, 1e-2, 0.3, 0.7):
            expected = piecewise_linear_gap(places, sizes, norm2, energy, s)
            assert abs(float(dual.gap(s)) / expected - 1.0) <= 10 * dual.error

    @pytest.mark.parametrize("seed", range(3))
    def test_random_jumps(self, seed):
        rng = np.random.default_rng(100 + seed)
        at, jumps = np.sort(rng.uniform(-2, 2, 1 + seed)), rng.uniform(0.2, 1, 1 + seed)
        quadrature = GaussianQuadrature(lambda z: (z[..., None] > at) @ jumps)
        dual = QuadratureDual(quadrature)
        assert np.isinf(dual.slope_at_one) and dual.error < 1e-12
        with mpmath.workdps(30):
            places, sizes = [mpmath.mpf(v) for v in at], [mpmath.mpf(v) for v in jumps]
            norm2 = sum(
                a * b * mpmath.ncdf(-max(x, y))
                for x, a in zip(places, sizes, strict=True)
                for y, b in zip(places, sizes, strict=True)
            )
            for s in (1e-12, 1e-6, 1e-2, 0.3, 0.7):
                expected = float(bend_integral(places, sizes, mpmath.mpf(s), 1) / norm2)
                assert abs(float(dual.gap(s)) / expected - 1.0) <= 10 * dual.error


def test_scale_changes_nothing():
    dual, base = QuadratureDual(GaussianQuadrature(lambda z: 7.0 * np.abs(z - 0.3))), None
    base = QuadratureDual(GaussianQuadrature(lambda z: np.abs(z - 0.3)))
    np.testing.assert_allclose(dual.gap(GAPS), base.gap(GAPS), rtol=1e-13)
