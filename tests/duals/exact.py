"""Dual maps in many digits: every formula is written anew here."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp
import numpy as np

DIGITS = 50
PI = np.longdouble("3.14159265358979323846264")
Map = Callable[[mp.mpf], mp.mpf]


@dataclass(frozen=True)
class Exact:
    """A dual: not normalised as :math:`F(\\xi)`, so that f = F / F(1), with its derivative."""

    F: Map
    slope: Map

    def gap(self, s: float) -> float:
        with mp.workdps(DIGITS):
            return float(1 - self.F(1 - mp.mpf(s)) / self.F(mp.mpf(1)))

    def derivative(self, s: float) -> float:
        with mp.workdps(DIGITS):
            return float(self.slope(1 - mp.mpf(s)) / self.F(mp.mpf(1)))

    def coefficients(self, n: int) -> list[float]:
        with mp.workdps(DIGITS):
            top = self.F(mp.mpf(1))
            return [float(c / top) for c in mp.taylor(self.F, 0, n - 1)]


def arc_cosine(p: float, n: float) -> Exact:
    r"""Of :math:`p\max(z,0) + n\max(-z,0)`, by polar coordinates."""
    p, n = mp.mpf(p), mp.mpf(n)

    def quadrant(x: mp.mpf) -> mp.mpf:
        return (mp.sqrt(1 - x * x) + x * (mp.pi - mp.acos(x))) / (2 * mp.pi)

    def quadrant_slope(x: mp.mpf) -> mp.mpf:
        return (mp.pi - mp.acos(x)) / (2 * mp.pi)

    # Both arguments positive, both negative, or one of each.
    return Exact(
        lambda x: (p * p + n * n) * quadrant(x) + 2 * p * n * quadrant(-x),
        lambda x: (p * p + n * n) * quadrant_slope(x) - 2 * p * n * quadrant_slope(-x),
    )


def arc_sine(gain: float) -> Exact:
    r"""Of :math:`\mathrm{erf}(bz)`; of the sign for an infinite gain."""
    with mp.workdps(DIGITS):
        c = mp.mpf(1) if mp.isinf(gain) else 2 * mp.mpf(gain) ** 2 / (1 + 2 * mp.mpf(gain) ** 2)
    return Exact(
        lambda x: 2 * mp.asin(c * x) / mp.pi, lambda x: 2 * c / mp.sqrt(1 - c * c * x * x) / mp.pi
    )


def exponential(a: float) -> Exact:
    return Exact(lambda x: mp.exp(a * x), lambda x: a * mp.exp(a * x))


def sine(a: float) -> Exact:
    return Exact(lambda x: mp.sinh(a * x), lambda x: a * mp.cosh(a * x))


def cosine(a: float) -> Exact:
    return Exact(lambda x: mp.cosh(a * x), lambda x: a * mp.sinh(a * x))


def bump(c: float, centre: float = 0.0) -> Exact:
    r"""Of :math:`e^{-c(z-m)^2}`: `u + v` and `u - v` are independent Gaussians."""
    c, m = mp.mpf(c), mp.mpf(centre)

    def F(x: mp.mpf) -> mp.mpf:
        plus, minus = 1 + 2 * c * (1 + x), 1 + 2 * c * (1 - x)
        return mp.exp(-2 * c * m * m / plus) / mp.sqrt(plus * minus)

    def slope(x: mp.mpf) -> mp.mpf:
        plus, minus = 1 + 2 * c * (1 + x), 1 + 2 * c * (1 - x)
        return F(x) * (4 * c * c * m * m / plus**2 - c / plus + c / minus)

    return Exact(F, slope)


def gelu() -> Exact:
    def F(x: mp.mpf) -> mp.mpf:
        root = mp.sqrt(4 - x * x)
        return x / 4 + (x * mp.asin(x / 2) + 1 / root) / (2 * mp.pi)

    def slope(x: mp.mpf) -> mp.mpf:
        root = mp.sqrt(4 - x * x)
        return mp.mpf(1) / 4 + (mp.asin(x / 2) + x / root + x / root**3) / (2 * mp.pi)

    return Exact(F, slope)


def power_law(p: float, theta: float) -> Exact:
    p, t = mp.mpf(p), mp.mpf(theta)

    def F(x: mp.mpf) -> mp.mpf:
        return 1 - (1 + p * ((1 - x) ** -t - 1)) ** (-1 / t) if x < 1 else mp.mpf(1)

    def slope(x: mp.mpf) -> mp.mpf:
        w = 1 + p * ((1 - x) ** -t - 1)
        return w ** (-1 / t - 1) * p * (1 - x) ** (-t - 1)

    return Exact(F, slope)


@dataclass(frozen=True)
class Broken:
    r"""Of a function that is linear between kinks, or constant between jumps.

    With weights :math:`w_i` (of slopes, or of heights) at :math:`t_i`, the second derivative
    (the first, for jumps) of :math:`E\phi(u)\phi(v)` is :math:`\sum_{ij} w_i w_j p_\xi(t_i,t_j)`
    with the Gaussian density `p`; integrated in the angle, where it is smooth.
    """

    places: tuple[float, ...]
    weights: tuple[float, ...]
    norm2: float
    energy: float | None

    def _densities(self, angles: np.ndarray) -> np.ndarray:
        """Sum of densities times the sine of the angle."""
        narrow, sine = np.sin(angles / 2) ** 2, np.sin(angles)
        total = np.zeros_like(angles)
        for t, w in zip(self.places, self.weights, strict=True):
            for q, v in zip(self.places, self.weights, strict=True):
                # t² + q² - 2 t q cos a, without its cancellation at small angles.
                form = (t - q) ** 2 + 4 * t * q * narrow
                total += w * v * np.exp(-form / (2 * sine * sine))
        return total / (2 * PI)

    def _integral(self, s: float, *, moment: bool) -> float:
        """Integral of the densities up to an angle, or of their product with cos a - cos θ."""
        theta = 2 * np.arcsin(np.sqrt(np.longdouble(s) / 2))
        # Features of the scale of a difference of places: panels shrink towards zero.
        ends = theta * np.concatenate(([0], np.longdouble(2) ** np.arange(-24, 1)))
        x, weights = np.polynomial.legendre.leggauss(40)
        half = np.diff(ends)[:, None] / 2
        angles = ends[:-1, None] + half * (1 + x)
        values = self._densities(angles)
        if moment:
            values *= 2 * np.sin((theta - angles) / 2) * np.sin((theta + angles) / 2)
        return float(np.sum(values * half * weights))

    def gap(self, s: float) -> float:
        if self.energy is None:
            return self._integral(s, moment=False) / self.norm2
        return (self.energy * s - self._integral(s, moment=True)) / self.norm2

    def derivative(self, s: float) -> float:
        if self.energy is None:
            theta = 2 * np.arcsin(np.sqrt(np.longdouble(s) / 2))
            return float(self._densities(theta[None])[0] / np.sin(theta)) / self.norm2
        return (self.energy - self._integral(s, moment=False)) / self.norm2


def _mean_square(pieces: list[tuple[mp.mpf, mp.mpf, mp.mpf, mp.mpf]]) -> mp.mpf:
    """Mean square of slope * z + height over pieces (from, to, slope, height)."""
    total = mp.mpf(0)
    for a, b, m, c in pieces:
        for sign, z in ((1, b), (-1, a)):
            bell = 0 if mp.isinf(z) else mp.npdf(z)
            first = 0 if mp.isinf(z) else z * bell
            total += sign * ((m * m + c * c) * mp.ncdf(z) - m * m * first - 2 * m * c * bell)
    return total


def kinked(places: list[float], bends: list[float], slope: float, height: float) -> Broken:
    """Of the function with the given first slope, value at the first kink, and bends."""
    with mp.workdps(30):
        ends = [mp.mpf("-inf"), *map(mp.mpf, places), mp.mpf("inf")]
        m = mp.mpf(slope)
        c = mp.mpf(height) - m * mp.mpf(places[0])
        pieces, energy = [], mp.mpf(0)
        for i, (a, b) in enumerate(itertools.pairwise(ends)):
            if i:
                m += mp.mpf(bends[i - 1])
                c -= mp.mpf(bends[i - 1]) * a
            pieces.append((a, b, m, c))
            energy += m * m * (mp.ncdf(b) - mp.ncdf(a))
        norm2 = float(_mean_square(pieces))
        return Broken(tuple(places), tuple(bends), norm2, float(energy))


def stepped(places: list[float], jumps: list[float], height: float) -> Broken:
    """Of the function with the given first height and jumps."""
    with mp.workdps(30):
        ends = [mp.mpf("-inf"), *map(mp.mpf, places), mp.mpf("inf")]
        c, pieces = mp.mpf(height), []
        for i, (a, b) in enumerate(itertools.pairwise(ends)):
            c += mp.mpf(jumps[i - 1]) if i else 0
            pieces.append((a, b, mp.mpf(0), c))
        return Broken(tuple(places), tuple(jumps), float(_mean_square(pieces)), None)
