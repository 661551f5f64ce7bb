"""Duals given by their power series: Hermite polynomials, their mixtures, analytic activations."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import polynomial as P
from numpy.typing import ArrayLike

from deeplimit.duals.base import Array, Dual


class SeriesDual(Dual):
    r"""Dual with finitely many coefficients, :math:`f(\xi) = \sum_{k<K} a_k \xi^k`.

    The gap is evaluated as :math:`s \sum_j T_j \xi^j` with :math:`T_j = \sum_{k>j} a_k`, which
    follows from :math:`1 - \xi^k = (1 - \xi)(1 + \xi + … + \xi^{k-1})`: every term is
    non-negative for :math:`\xi \ge 0`, so nothing cancels however small the gap is.

    Parameters
    ----------
    coefficients : array_like of shape (K,)
        Non-negative; scaled to sum to one.
    error : float, default=0.0
        Relative error inherited from how the coefficients were computed.
    """

    def __init__(self, coefficients: ArrayLike, error: float = 0.0) -> None:
        a = np.trim_zeros(np.asarray(coefficients, dtype=np.float64), "b")
        if a.ndim != 1 or a.size == 0 or not np.all(np.isfinite(a)) or np.any(a < 0):
            raise ValueError("coefficients must be finite, non-negative and not all zero.")
        self._a = a / a.sum()
        self._tails = np.cumsum(self._a[:0:-1])[::-1] if a.size > 1 else np.zeros(1)
        self._da = P.polyder(self._a)
        self.slope_at_one = float(self._tails.sum())
        self.error = error
        if not np.any(self._a[::2]):
            self.parity = "odd"
        elif not np.any(self._a[1::2]):
            self.parity = "even"

    @property
    def n_terms(self) -> int:
        """Number of coefficients, from degree 0 to the highest."""
        return int(self._a.size)

    def _coefficients(self, n: int) -> Array:
        out = np.zeros(n)
        m = min(n, self._a.size)
        out[:m] = self._a[:m]
        return out

    def _gap(self, s: Array) -> Array:
        return np.asarray(s * P.polyval(1.0 - s, self._tails))

    def _slope(self, s: Array) -> Array:
        return np.asarray(P.polyval(1.0 - s, self._da))

    def _value(self, xi: Array) -> Array:
        # A polynomial needs no split at the series radius.
        return np.where(xi > 0.5, 1.0 - self.gap(1.0 - xi), P.polyval(xi, self._a))

    def _derivative(self, xi: Array) -> Array:
        return np.asarray(P.polyval(xi, self._da))
