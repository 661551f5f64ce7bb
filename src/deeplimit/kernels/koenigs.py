"""Koenigs and Böttcher functions: what is left of a dual iterated for ever.

Each class evaluates one of them point by point, by iterating the dual itself, to the precision of
the dual; `profiles` tabulates them. The results are logarithms and signs, because the functions
grow without bound or vanish.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from numpy.polynomial import polynomial as P
from numpy.typing import NDArray

from deeplimit.duals.base import Dual, Parity
from deeplimit.duals.pieces import chebyshev_matrix, chebyshev_nodes

Array = NDArray[np.float64]
LogSign = tuple[Array, Array]

#: Below this gap no correction to the leading power is left in float64, kinks included.
_LAST_GAP = 1e-34
_TERMS = 40
_MAX_STEPS = 200_000


def linearising_series(taylor: Array, terms: int = _TERMS) -> Array:
    r"""Taylor coefficients of the Koenigs function of a map that fixes 0.

    Solves :math:`k(F(t)) = \lambda k(t)`, :math:`k'(0) = 1`, term by term:
    :math:`k_n = \sum_{j<n} k_j [F^j]_n / (\lambda - \lambda^n)`.

    Parameters
    ----------
    taylor : ndarray of shape (m,)
        Coefficients of `F` from degree 0 (which is 0); ``taylor[1]`` is the multiplier.
    terms : int, default=40
        How many coefficients to find.

    Returns
    -------
    ndarray of shape (terms,)
        Coefficients from degree 0 (which is 0).
    """
    f = np.zeros(terms)
    f[: min(terms, taylor.size)] = taylor[:terms]
    multiplier = f[1]
    powers = np.zeros((terms, terms))
    powers[1] = f
    for j in range(2, terms):
        powers[j] = np.convolve(powers[j - 1], f)[:terms]
    k = np.zeros(terms)
    k[1] = 1.0
    for n in range(2, terms):
        k[n] = k[1:n] @ powers[1:n, n] / (multiplier - multiplier**n)
    return k


def _radius(k: Array, widest: float) -> float:
    """Where a series cut after these terms is exact to rounding."""
    n = np.arange(k.size)
    late = (n > k.size // 2) & (k != 0.0)
    if not np.any(late):
        return widest
    # |k_n| r^(n-1) <= 1e-18 for the late terms; three more decimals for the terms cut.
    bounds = np.exp((math.log(1e-21) - np.log(np.abs(k[late]))) / (n[late] - 1))
    return min(widest, float(bounds.min()))


def fold(s: Array, parity: Parity) -> LogSign:
    """Bring gaps above 1 below by a symmetry of the dual; return them and the sign it costs."""
    s = np.asarray(s, dtype=np.float64)
    sign = np.ones_like(s)
    if parity is None:
        return s, sign
    far = s > 1.0
    if parity == "odd":
        sign[far] = -1.0
    return np.where(far, 2.0 - s, s), sign


def with_root(log: Array, sign: Array, s: Array, root_gap: float | None) -> LogSign:
    """Multiply a quotient by the factor ``root_gap - s`` that was taken out of it."""
    if root_gap is None:
        return log, sign
    rest = root_gap - s
    with np.errstate(divide="ignore"):
        return log + np.log(np.abs(rest)), sign * np.sign(rest)


class KoenigsFunction(ABC):
    """A linearising function of a dual, evaluated exactly.

    Attributes
    ----------
    theta : float
        Leading power at small gaps: the function grows like ``s**(-theta)``.
    period : float or None
        Period in ``ln s`` of what multiplies that power; None if it is constant.
    root_gap : float or None
        Gap at which the function is zero, the factor ``root_gap - s`` being taken out.
    """

    theta: float
    period: float | None = None
    root_gap: float | None = None
    _log_multiplier: float

    def __init__(self, dual: Dual) -> None:
        self.dual = dual

    def _set_power(self) -> None:
        """Derive the leading power, and the period, from the multiplier and the slope at one."""
        rise = math.log(self.dual.slope_at_one)
        self.period = None if math.isinf(rise) else rise
        self.theta = 0.0 if math.isinf(rise) else -self._log_multiplier / rise

    @abstractmethod
    def quotient(self, s: Array) -> LogSign:
        """Logarithm and sign of the function over ``root_gap - s`` (over 1 without a root)."""

    def log_and_sign(self, s: Array) -> LogSign:
        """Logarithm of the size, and sign, of the function itself at gaps in [0, 2]."""
        s, folded = fold(s, self.dual.parity)
        here = s == 0.0
        log, inner = self.quotient(np.where(here, 0.5, s))
        log, sign = with_root(log, folded * inner, s, self.root_gap)
        # One is a fixed point: no iteration leaves it.
        return np.where(here, self.log_at_one, log), np.where(here, folded, sign)

    @property
    def log_at_one(self) -> float:
        """Logarithm of the size at a gap of zero: infinite, one way or the other."""
        return -math.inf if self.theta < 0.0 else math.inf

    def _leave_one(self, s: Array, until: float = 0.5) -> tuple[Array, Array]:
        """Iterate gaps below `until` until they exceed it; return gaps and step counts."""
        s = np.array(s, dtype=np.float64)
        steps = np.zeros_like(s)
        active = np.flatnonzero((s < until) & (s > 0.0))
        n = 0
        while active.size:
            s[active] = self.dual.gap(s[active])
            steps[active] += 1
            active = active[s[active] < until]
            n = _count(n)
        return s, steps

    def follow(self, s: Array, until: float) -> tuple[Array, Array]:
        """Iterate small gaps until they exceed a bound, by the functional equation.

        Parameters
        ----------
        s : ndarray of float64
            Positive gaps.
        until : float
            The bound: at most 1/2, and half of `root_gap`.

        Returns
        -------
        gaps : ndarray of float64
            Those reached.
        change : ndarray of float64
            What the logarithm of the quotient at `s` exceeds that at `gaps` by.
        """
        out, steps = self._leave_one(s, until)
        change = -steps * self._log_multiplier
        if self.root_gap is not None:
            change += np.log((self.root_gap - out) / (self.root_gap - s))
        return out, change


def _count(n: int) -> int:
    if n >= _MAX_STEPS:
        raise ValueError(
            f"the layer is so close to the identity that {_MAX_STEPS} layers change too little to "
            "compute its limit; use a larger branch weight, or NetworkKernel at a finite depth."
        )
    return n + 1


class KoenigsAtZero(KoenigsFunction):
    r"""Singular kernel: :math:`\kappa(\xi) = \lim f^L(\xi)/a_1^L`, for :math:`f(0) = 0 < f'(0)`.

    Parameters
    ----------
    dual : Dual
        With :math:`a_0 = 0` and :math:`0 < a_1 < 1`.
    """

    root_gap = 1.0

    def __init__(self, dual: Dual) -> None:
        super().__init__(dual)
        a = dual.coefficients(_TERMS)
        self._log_multiplier = math.log(a[1])
        self._set_power()
        self._k = linearising_series(a)
        self._reach = _radius(self._k, 0.1)

    def quotient(self, s: Array) -> LogSign:
        """Evaluate; see `KoenigsFunction.quotient`."""
        xi0 = 1.0 - s
        s, steps = self._leave_one(s)
        xi = 1.0 - s
        active = np.flatnonzero(np.abs(xi) > self._reach)
        n = 0
        while active.size:
            xi[active] = self.dual.value(xi[active])
            steps[active] += 1
            active = active[np.abs(xi[active]) > self._reach]
            n = _count(n)
        # kappa / xi = (k(xi_N) / xi_N) (xi_N / xi_0) a_1^-N; the middle factor is 1 if N = 0.
        series = P.polyval(xi, self._k[1:])
        ratio = np.divide(xi, xi0, out=np.ones_like(xi), where=steps > 0)
        value = series * ratio
        with np.errstate(divide="ignore"):
            return np.log(np.abs(value)) - steps * self._log_multiplier, np.sign(value)


class KoenigsInside(KoenigsFunction):
    r"""Tie-break of the majority vote: :math:`\lim (f^L(\xi) - \xi_*)/f'(\xi_*)^L`.

    Parameters
    ----------
    dual : Dual
        With a fixed point inside (0, 1) that attracts.
    fixed_gap : float
        :math:`1 - \xi_*`.
    """

    def __init__(self, dual: Dual, fixed_gap: float) -> None:
        super().__init__(dual)
        self.root_gap: float = fixed_gap
        self._width = min(0.2, fixed_gap / 2.0, (1.0 - fixed_gap) / 2.0)
        # f(xi + t) - xi as the integral of f', so that small t keep their relative accuracy.
        n = 24
        slopes = dual.gap_derivative(fixed_gap - self._width * chebyshev_nodes(n))
        scaled = np.polynomial.chebyshev.cheb2poly(chebyshev_matrix(n) @ slopes)
        # Coefficients that vanish exactly are cut off at the end.
        scaled = np.append(scaled, np.zeros(n - scaled.size))
        taylor = P.polyint(scaled) * self._width
        taylor[0] = 0.0
        # Both in units of the width, where rounding of high degrees stays small.
        self._taylor: Array = np.asarray(taylor / self._width, dtype=np.float64)
        self._log_multiplier = math.log(self._taylor[1])
        self._k = linearising_series(self._taylor, n)
        self._reach = self._width * _radius(self._k, 0.1)
        self._set_power()

    def _step(self, t: Array) -> Array:
        """Apply the dual to deviations from the fixed point, with their relative accuracy."""
        out = np.empty_like(t)
        close = np.abs(t) <= self._width
        out[close] = P.polyval(t[close] / self._width, self._taylor) * self._width
        out[~close] = self.root_gap - self.dual.gap(self.root_gap - t[~close])
        return out

    def quotient(self, s: Array) -> LogSign:
        """Evaluate; see `KoenigsFunction.quotient`."""
        t0 = self.root_gap - s
        # Rise by gaps as long as the fixed point is not near.
        s, steps = self._leave_one(s, until=min(0.5, self.root_gap / 2.0))
        t = self.root_gap - s
        active = np.flatnonzero(np.abs(t) > self._reach)
        n = 0
        while active.size:
            t[active] = self._step(t[active])
            steps[active] += 1
            active = active[np.abs(t[active]) > self._reach]
            n = _count(n)
        ratio = np.divide(t, t0, out=np.ones_like(t), where=steps > 0)
        value = P.polyval(t / self._width, self._k[1:]) * ratio
        with np.errstate(divide="ignore"):
            return np.log(np.abs(value)) - steps * self._log_multiplier, np.sign(value)


class KoenigsAtOne(KoenigsFunction):
    r"""Conditionally positive definite kernel: :math:`\eta(s) = \lim g^L(s)/B'^L`, with `-η` PD.

    `g` is the dual in the gap, :math:`g(s) = 1 - f(1-s)`; here :math:`B' < 1`.

    Parameters
    ----------
    dual : Dual
        With :math:`f'(1) < 1`.
    """

    theta = -1.0

    def __init__(self, dual: Dual) -> None:
        super().__init__(dual)
        self._log_multiplier = math.log(dual.slope_at_one)

    def quotient(self, s: Array) -> LogSign:
        """Evaluate; see `KoenigsFunction.quotient`."""
        s = np.array(s, dtype=np.float64)
        steps = np.zeros_like(s)
        active = np.flatnonzero(s > _LAST_GAP)
        n = 0
        while active.size:
            s[active] = self.dual.gap(s[active])
            steps[active] += 1
            active = active[s[active] > _LAST_GAP]
            n = _count(n)
        with np.errstate(divide="ignore"):
            return np.log(s) - steps * self._log_multiplier, (s > 0).astype(np.float64)


class BoettcherFunction(KoenigsFunction):
    r"""Nearest neighbour: :math:`f^L(\xi) \approx C\,b(\xi)^{m^L}`.

    Normalised so that `b(1) = 1` and :math:`b \circ f = b^m`. What is evaluated is the logarithm of
    `-ln|b|`, which grows from a gap of zero like a power, and the sign of the iterates.

    Parameters
    ----------
    dual : Dual
        With :math:`a_0 = a_1 = 0`.
    degree : int
        `m`, the lowest degree of the dual.
    """

    def __init__(self, dual: Dual, degree: int) -> None:
        super().__init__(dual)
        self.degree = degree
        a = dual.coefficients(max(_TERMS, degree + 1))
        self._log_lead = math.log(a[degree])
        self._rest = a[degree:] / a[degree]
        self._log_multiplier = math.log(degree)
        self._set_power()

    def quotient(self, s: Array) -> LogSign:
        """Evaluate; see `KoenigsFunction.quotient`."""
        m = self.degree
        s, steps = self._leave_one(s)
        xi = 1.0 - s
        # Follow b to where the leading term alone is left: ln|xi| grows like m^n.
        active = np.flatnonzero((np.abs(xi) > 0.1) & (s > 0.0))
        n = 0
        while active.size:
            xi[active] = self.dual.value(xi[active])
            steps[active] += 1
            active = active[np.abs(xi[active]) > 0.1]
            n = _count(n)
        weight, correction, now = 1.0, np.zeros_like(xi), np.where(s == 0.0, 0.0, xi)
        with np.errstate(divide="ignore"):
            for _ in range(max(3, math.ceil(40.0 / math.log2(m) / 4.0))):
                weight /= m
                rest = P.polyval(now, self._rest)
                correction += weight * np.log(np.abs(rest))
                now = np.exp(self._log_lead) * now**m * rest
            log_b = np.log(np.abs(xi)) + self._log_lead / (m - 1) + correction
            log = np.log(-log_b) - steps * self._log_multiplier
        sign = np.ones_like(xi) if m % 2 == 0 else np.sign(xi)
        return np.where(s == 0.0, -np.inf, log), np.where(xi == 0.0, 0.0, sign)
