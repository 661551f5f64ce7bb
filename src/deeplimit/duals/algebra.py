"""Duals built from duals: centring, bias, residual layers, sums of uncorrelated parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.polynomial import polynomial as P

from deeplimit.duals.base import SERIES_RADIUS, Array, Dual


class MixedDual(Dual):
    r"""Weighted sum of duals, :math:`f = \sum_i w_i f_i` with :math:`\sum_i w_i = 1`.

    Parameters
    ----------
    parts : sequence of (float, Dual)
        Weights and duals. The weights must sum to one.
    """

    def __init__(self, parts: Sequence[tuple[float, Dual]]) -> None:
        self._parts = [(float(w), d) for w, d in parts if w]
        total = sum(w for w, _ in self._parts)
        if not np.isclose(total, 1.0, rtol=1e-9, atol=0) or any(w < 0 for w, _ in self._parts):
            raise ValueError(f"weights must be non-negative and sum to one; they sum to {total}.")
        # Through the distances to one: a skip around a ReLU layer keeps its slope of exactly one.
        self.slope_at_one = 1.0 + float(sum(w * (d.slope_at_one - 1.0) for w, d in self._parts))
        parities = {d.parity for _, d in self._parts}
        self.parity = parities.pop() if len(parities) == 1 else None
        self.error = max(d.error for _, d in self._parts)

    def _coefficients(self, n: int) -> Array:
        return np.asarray(sum(w * d.coefficients(n) for w, d in self._parts))

    def _gap(self, s: Array) -> Array:
        return np.asarray(sum(w * d.gap(s) for w, d in self._parts))

    def _slope(self, s: Array) -> Array:
        return np.asarray(sum(w * d.gap_derivative(s) for w, d in self._parts))


class CenteredDual(Dual):
    r"""Dual of an activation less its mean, :math:`(f - a_0)/(1 - a_0)`.

    The constant term is zero by construction, not by subtraction: near zero the series without
    it is summed.

    Parameters
    ----------
    base : Dual
        Dual of the activation before its mean is taken away; not a constant.
    """

    def __init__(self, base: Dual) -> None:
        self.base = base
        self._rest = 1.0 - base.a0
        if self._rest <= 0:
            raise ValueError("a constant activation cannot be centred: nothing would be left.")
        self.slope_at_one = base.slope_at_one / self._rest
        # Taking the mean from an even function leaves it even; an odd one has none.
        self.parity = base.parity
        self.error = base.error / self._rest

    def _coefficients(self, n: int) -> Array:
        a = self.base.coefficients(n) / self._rest
        a[:1] = 0.0
        return a

    def _value(self, xi: Array) -> Array:
        # Away from zero by a difference to a0, not to one: values may be far below one.
        away = (self.base.value(xi) - self.base.a0) / self._rest
        return np.where(np.abs(xi) <= SERIES_RADIUS, P.polyval(xi, self._head), away)

    def _gap(self, s: Array) -> Array:
        return self.base.gap(s) / self._rest

    def _slope(self, s: Array) -> Array:
        return self.base.gap_derivative(s) / self._rest
