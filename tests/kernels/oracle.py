"""Limit kernels in 60 digits, by mpmath alone: the duals here are written anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import mpmath as mp

DIGITS = 60
#: Where the first two terms of a Koenigs series hold to 1e-19.
_SMALL = mp.mpf("1e-10")

Map = Callable[[mp.mpf], mp.mpf]


@dataclass(frozen=True)
class Exact:
    """A dual with f(0) = 0: the map and its first two coefficients at zero."""

    f: Map
    a1: mp.mpf
    a2: mp.mpf

    def log_kappa(self, s: mp.mpf) -> tuple[float, float]:
        """Logarithm and sign of lim f^L(1 - s) / a_1^L."""
        with mp.workdps(DIGITS):
            x, layers = 1 - mp.mpf(s), 0
            while abs(x) > _SMALL:
                x, layers = self.f(x), layers + 1
            value = x * (1 + x * self.a2 / (self.a1 - self.a1**2))
            return float(mp.log(abs(value)) - layers * mp.log(self.a1)), float(mp.sign(value))


def polynomial(*coefficients: object) -> Exact:
    with mp.workdps(DIGITS):
        a = [mp.mpf(c) for c in coefficients]
        return Exact(lambda x: mp.polyval(a[::-1], x), a[1], a[2])


@cache
def exact(name: str) -> Exact:
    with mp.workdps(DIGITS):
        half = mp.mpf(1) / 2
        polynomials = {
            "2d_opt": (0, half, 0, 0, 0, 0, 0, half),
            "3d_opt": (0, half, 0, half),
            "5d_opt": (0, half**2, half, half**2),
            "9d_opt": (0, half**4, 7 * half**3, half**4),
        }
        if name in polynomials:
            return polynomial(*polynomials[name])
        if name.startswith("sine_"):
            a = mp.mpf(float(name[5:]))
            return Exact(lambda x: mp.sinh(a * x) / mp.sinh(a), a / mp.sinh(a), mp.mpf(0))
        if name == "erf":
            whole = mp.asin(mp.mpf(2) / 3)
            slope = 2 / (3 * whole)
            return Exact(lambda x: mp.asin(2 * x / 3) / whole, slope, mp.mpf(0))
        functions: dict[str, tuple[Map, float, int]] = {
            "tanh": (mp.tanh, 0.08, 300),
            # The mean of gelu is taken away by leaving out degree 0.
            "gelu": (lambda z: z * mp.ncdf(z), 0.1, 110),
        }
        a = squared_hermite(*functions[name])
        whole = sum(a)
        if not any(a[::2]):
            odd = a[:0:-2] if len(a) % 2 == 0 else a[-2::-2]
            return Exact(lambda x: x * mp.polyval(odd, x * x) / whole, a[1] / whole, mp.mpf(0))
        return Exact(lambda x: mp.polyval(a[::-1], x) / whole, a[1] / whole, a[2] / whole)


def squared_hermite(function: Map, step: float, terms: int) -> list[mp.mpf]:
    """Squares of Hermite coefficients from degree 1, by the trapezoidal rule."""
    with mp.workdps(40):
        h = mp.mpf(step)
        count = int(16 / step)
        sums = [mp.mpf(0)] * terms
        for i in range(-count, count + 1):
            z = i * h
            weight = function(z) * mp.exp(-z * z / 2) * h / mp.sqrt(2 * mp.pi)
            before, now = mp.mpf(0), mp.mpf(1)
            for k in range(terms):
                sums[k] += weight * now
                before, now = now, (z * now - mp.sqrt(k) * before) / mp.sqrt(k + 1)
        # An odd function's even coefficients are zero, not rounding.
        floor = mp.mpf("1e-30")
        return [mp.mpf(0), *(c * c if abs(c) > floor else mp.mpf(0) for c in sums[1:])]
