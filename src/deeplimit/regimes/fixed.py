"""Fixed points of a dual, and other correlations defined by it."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

from deeplimit.duals.base import SERIES_RADIUS, Dual
from deeplimit.evidence.orbits import Orbits

_LEAST = math.log(1e-300)
_SPLIT = 1.0 - SERIES_RADIUS
_EPS = float(np.finfo(np.float64).eps)


def inner_fixed_point(dual: Dual) -> tuple[float, float] | None:
    r"""Find the fixed point :math:`\xi_*` of a dual in (0, 1).

    `f` is convex with :math:`f(0) > 0` and :math:`f(1) = 1`; there is such a point if, and only
    if, :math:`f'(1) > 1`, and then one. It is bracketed in the logarithm of the gap, or of the
    correlation if that is below 1/4, so that a point next to 1 or to 0 keeps its accuracy.

    Parameters
    ----------
    dual : Dual
        With :math:`a_0 > 0` and a slope at one above 1.

    Returns
    -------
    (float, float) or None
        :math:`\xi_*` and :math:`1 - \xi_*`; None if the point is nearer to 1 than any double.
    """

    def chord(log_gap: float) -> float:
        s = math.exp(log_gap)
        return float(dual.gap(np.array([s]))[0]) / s - 1.0

    def lift(log_xi: float) -> float:
        xi = math.exp(log_xi)
        return float(dual.value(np.array([xi]))[0]) / xi - 1.0

    if chord(_LEAST) <= 0.0:
        return None
    if chord(math.log(_SPLIT)) <= 0.0:
        gap = math.exp(_root(chord, _LEAST, math.log(_SPLIT)))
        return 1.0 - gap, gap
    # f(xi) >= a_0, so that the point is above a_0.
    xi = math.exp(_root(lift, math.log(dual.a0) - 1.0, math.log(SERIES_RADIUS)))
    return xi, 1.0 - xi


def _root(function: object, low: float, high: float) -> float:
    return float(brentq(function, low, high, xtol=1e-15, rtol=4.0 * _EPS, maxiter=500))


def multiplier(dual: Dual, xi: float, gap: float) -> float:
    """Slope of a dual at a correlation given with its gap."""
    if gap < 0.5:
        return float(dual.gap_derivative(np.array([gap]))[0])
    return float(dual.derivative(np.array([xi]))[0])


def weight_of_antipodes(dual: Dual) -> float:
    r"""Find the correlation in [0, 1] that counts as much as -1 for a nearest neighbour.

    For :math:`a_0 = a_1 = 0` the iterates compare as the Böttcher function `b` does, with
    :math:`b \circ f = b^m`. So `e` is looked for with :math:`b(e) = |b(-1)|`: where `f` is positive
    :math:`f(e(\xi)) = f(\xi)`, where it is negative :math:`f(e(\xi)) = e(f(\xi))`.

    Parameters
    ----------
    dual : Dual
        With :math:`a_0 = a_1 = 0`.

    Returns
    -------
    float
        1 for an even or an odd dual, less for others.
    """
    if dual.parity is not None:
        return 1.0
    xi, layers = -1.0, 0
    # Next to zero the leading term alone is left, which is even or odd.
    while xi < -1e-12:
        xi = float(dual.value(np.array([xi]))[0])
        layers += 1
    target = abs(xi)
    for _ in range(layers):
        target = _inverse(dual, target)
    return target


def _inverse(dual: Dual, value: float) -> float:
    """Solve f(x) = value for x in [0, 1]."""
    if value <= 0.0 or value >= 1.0:
        return min(max(value, 0.0), 1.0)
    return float(brentq(lambda x: float(dual.value(np.array([x]))[0]) - value, 0.0, 1.0))


def oscillation(dual: Dual, log_slope: float, log_growth: float, points: int = 48) -> float:
    r"""Measure the log-periodic factor of a singular kernel.

    Next to 1 the kernel is :math:`s^{-\theta} P(\ln s/\ln B')` with `P` of period 1.

    Parameters
    ----------
    dual : Dual
        In the singular regime.
    log_slope, log_growth : float
        ln a_1 and ln B'.
    points : int, default=48
        Gaps in the period.

    Returns
    -------
    float
        Half the amplitude of ln P.
    """
    start = 1e-40 * np.exp(log_growth * np.arange(points) / points)
    orbits = Orbits(dual, start)
    # Logarithms of the correlation and of A'^-2 for each layer: what they tend to is ln kappa.
    total = orbits.log_xi - log_slope / log_growth * np.log(start)
    active = np.ones(points, dtype=bool)
    while np.any(active):
        before = orbits.log_xi.copy()
        orbits.advance(active)
        gain = orbits.log_xi - before - log_slope
        total[active] += gain[active]
        # The gains shrink at least like the correlation: their sum is known well enough.
        active &= gain > 1e-7 * -math.expm1(log_slope)
    return float(np.ptp(total)) / 2.0
