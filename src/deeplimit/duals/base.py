"""The dual map of an activation: what one infinitely wide layer does to a correlation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.polynomial import polynomial as P
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Parity = Literal["odd", "even"] | None

#: Correlations up to this size are summed from the power series, so that a dual with f(0) = 0
#: keeps its relative accuracy where iterates spend most of their time.
SERIES_RADIUS = 0.25
SERIES_TERMS = 40


def gap_to_angle(s: ArrayLike) -> Array:
    """Angle in radians between two unit vectors whose gap 1 - cos is `s`."""
    return np.asarray(2.0 * np.arcsin(np.sqrt(np.asarray(s, dtype=np.float64) / 2.0)))


class Dual(ABC):
    r"""Dual map of a normalised activation, :math:`f(\xi) = E\,\phi(u)\phi(v)`.

    `u` and `v` are standard Gaussians of correlation :math:`\xi` and
    :math:`E\,\phi(u)^2 = 1`, so :math:`f(1) = 1` and
    :math:`f(\xi) = \sum_k a_k \xi^k` with :math:`a_k \ge 0` the squared normalised Hermite
    coefficients. Near 1 everything is carried by the gap :math:`s = 1 - \xi`, because a
    correlation cannot hold gaps below 1e-16.

    Attributes
    ----------
    slope_at_one : float
        :math:`B' = f'(1) = E\,\phi'(z)^2`; infinite if the activation has a jump.
    parity : {"odd", "even", None}
        Exact symmetry of `f`, known by construction; None where there is none or none is known.
    error : float
        Relative error of `gap` and absolute error of `value` as far as they come from
        quadrature; 0 for closed forms, which are exact up to rounding.
    """

    slope_at_one: float
    parity: Parity = None
    error: float = 0.0

    @abstractmethod
    def coefficients(self, n: int) -> Array:
        """Return the first `n` power-series coefficients :math:`a_0, …, a_{n-1}`."""

    @abstractmethod
    def gap(self, s: ArrayLike) -> Array:
        """Return :math:`1 - f(1 - s)` for gaps `s` in [0, 2], relatively accurate as s → 0."""

    @abstractmethod
    def gap_derivative(self, s: ArrayLike) -> Array:
        """Return :math:`f'(1 - s)` for gaps `s` in [0, 2]."""

    @cached_property
    def _head(self) -> Array:
        return self.coefficients(SERIES_TERMS)

    def value(self, xi: ArrayLike) -> Array:
        """Return :math:`f(\\xi)` for correlations in [-1, 1].

        Parameters
        ----------
        xi : array_like of float
            Correlations.

        Returns
        -------
        ndarray of float64
            Values in [-1, 1], of the shape of `xi`.
        """
        xi = np.asarray(xi, dtype=np.float64)
        near = np.abs(xi) <= SERIES_RADIUS
        out = np.empty_like(xi)
        out[near] = P.polyval(xi[near], self._head)
        out[~near] = 1.0 - self.gap(1.0 - xi[~near])
        return out

    def derivative(self, xi: ArrayLike) -> Array:
        """Return :math:`f'(\\xi)` for correlations in [-1, 1].

        Parameters
        ----------
        xi : array_like of float
            Correlations.

        Returns
        -------
        ndarray of float64
            Derivatives, of the shape of `xi`.
        """
        xi = np.asarray(xi, dtype=np.float64)
        near = np.abs(xi) <= SERIES_RADIUS
        out = np.empty_like(xi)
        out[near] = P.polyval(xi[near], P.polyder(self._head))
        out[~near] = self.gap_derivative(1.0 - xi[~near])
        return out

    @property
    def a0(self) -> float:
        r"""Constant term :math:`f(0) = A^2`."""
        return float(self._head[0])

    @property
    def a1(self) -> float:
        r"""Slope at zero :math:`f'(0) = A'^2`."""
        return float(self._head[1])
