r"""The equations of the families: from a wanted exponent to the parameters of a dual.

All solve :math:`\alpha = -2 \ln a_1 / \ln B'`, written so that nothing cancels where
:math:`a_1` or `B'` is close to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

_EPS = float(np.finfo(np.float64).eps)


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Find a root between two points of different sign, to the last digits."""
    return float(brentq(function, low, high, xtol=1e-300, rtol=4.0 * _EPS, maxiter=1000))


def mixture_weight(exponent: float, degree: int) -> float:
    r"""Solve :math:`-2\ln p/\ln(p + (1-p)m) = \alpha` for the weights of degree 1 and `m`.

    Parameters
    ----------
    exponent : float
        Above :math:`2/(m - 1)`, the value for `p` to 1.
    degree : int
        `m`, at least 2.

    Returns
    -------
    float
        :math:`-\ln p`: from it `p` and :math:`1 - p` both keep their relative accuracy.
    """

    def excess(t: float) -> float:
        return 2.0 * t / math.log1p(-math.expm1(-t) * (degree - 1.0)) - exponent

    # B' is below m, which bounds t.
    return root(excess, 1e-13, 0.5 * exponent * math.log(degree) + 1.0)


def neighbouring_degrees(
    exponent: float, slope: float, *, odd: bool
) -> tuple[float, dict[int, float]] | None:
    r"""Spread the weight beside :math:`a_1 = b^{-\alpha/2}` over the two degrees that give B' = b.

    Parameters
    ----------
    exponent : float
        The exponent, positive.
    slope : float
        `b`, above 1.
    odd : bool
        Whether to use odd degrees only.

    Returns
    -------
    (float, dict of int to float) or None
        :math:`a_1` and the other weights; None if the mean degree
        :math:`(b - a_1)/(1 - a_1)` of the rest is below 2 (3 for odd degrees).
    """
    first = slope ** (-exponent / 2.0)
    rest = -math.expm1(-exponent / 2.0 * math.log(slope))
    step = 2 if odd else 1
    mean = 1.0 + (slope - 1.0) / rest
    low = 1 + step * math.floor((mean - 1.0) / step + 1e-13)
    if low < 1 + step:
        return None
    upper = max(0.0, rest * (mean - low) / step)
    weights = {low: rest - upper, low + step: upper}
    return first, {degree: weight for degree, weight in weights.items() if weight > 1e-15}


def _log_sinh_quotient(a: float) -> float:
    """Logarithm of sinh(a)/a."""
    if a > 2.0:
        return a + math.log1p(-math.exp(-2.0 * a)) - math.log(2.0 * a)
    return math.log1p(sum(a ** (2 * k) / math.factorial(2 * k + 1) for k in range(1, 16)))


def sine_exponent(a: float) -> float:
    r"""Exponent of :math:`f = \sinh(a\xi)/\sinh a`: :math:`2\ln(\sinh a/a)/\ln(a\coth a)`."""
    if a > 2.0:
        log_growth = math.log(a / math.tanh(a))
    else:
        # a cosh a - sinh a, over sinh a.
        terms = (2 * k * a ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(1, 16))
        log_growth = math.log1p(sum(terms) / math.sinh(a))
    return 2.0 * _log_sinh_quotient(a) / log_growth


def sine_parameter(exponent: float) -> float:
    """Solve `sine_exponent` for `a`; the exponent is above 1."""
    return root(lambda a: sine_exponent(a) - exponent, 1e-12, 650.0)


def exponential_exponent(a: float) -> float:
    r"""Exponent of :math:`f = (e^{a\xi} - 1)/(e^a - 1)`."""
    # ln((e^a - 1) / a) and ln(a / (1 - e^-a)) are a/2 plus and minus one number.
    half, even = a / 2.0, _log_sinh_quotient(a / 2.0)
    log_growth = math.log(a) - math.log1p(-math.exp(-a)) if a > 4.0 else half - even
    return 2.0 * (half + even) / log_growth


def exponential_parameter(exponent: float) -> float:
    """Solve `exponential_exponent` for `a`; the exponent is above 2."""
    return root(lambda a: exponential_exponent(a) - exponent, 1e-12, 650.0)


def residual_exponent(weight: float, slope: float, growth: float) -> float:
    r"""Exponent of :math:`(\xi + \tau f)/(1 + \tau)`.

    Parameters
    ----------
    weight : float
        :math:`\tau`.
    slope, growth : float
        :math:`a_1` and `B'` of `f`.

    Returns
    -------
    float
        From :math:`2(1-a_1)/(B'-1)` for small weights to the exponent of `f` for large ones.
    """
    top = math.log1p(weight * (1.0 - slope) / (1.0 + weight * slope))
    return 2.0 * top / math.log1p(weight * (growth - 1.0) / (1.0 + weight))
