"""The dual map of an activation: what one infinitely wide layer does to a correlation."""

from __future__ import annotations

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
SERIES_TERMS, _MOST_TERMS = 40, 1280


def gap_to_angle(s: ArrayLike) -> Array:
    """Angle in radians between two unit vectors whose gap 1 - cos is `s`."""
    return np.asarray(2.0 * np.arcsin(np.sqrt(np.asarray(s, dtype=np.float64) / 2.0)))


class Dual:
    r"""Dual map of a normalised activation, :math:`f(\xi) = E\,\phi(u)\phi(v)`.

    `u` and `v` are standard Gaussians of correlation :math:`\xi` and
    :math:`E\,\phi(u)^2 = 1`, so :math:`f(1) = 1` and
    :math:`f(\xi) = \sum_k a_k \xi^k` with :math:`a_k \ge 0` the squared normalised Hermite
    coefficients. Near 1 everything is carried by the gap :math:`s = 1 - \xi`, because a
    correlation cannot hold gaps below 1e-16.

    Subclasses define ``_gap``, ``_slope`` and ``_coefficients``, and may define ``_value`` and
    ``_derivative`` where these are to be had without a difference to one.

    Attributes
    ----------
    slope_at_one : float
        :math:`B' = f'(1) = E\,\phi'(z)^2`; infinite if the activation has a jump.
    parity : {"odd", "even", None}
        Exact symmetry of `f`, known by construction; None where there is none or none is known.
    error : float
        Relative error of `gap` and absolute error of `value` as far as they come from
        quadrature; 0 for closed forms, which are exact up to rounding.

    Examples
    --------
    >>> import deeplimit as dl
    >>> f = dl.Activation("3d_opt").dual
    >>> f.value([0.0, 0.5, 1.0]), f.coefficients(4)
    (array([0.    , 0.3125, 1.    ]), array([0. , 0.5, 0. , 0.5]))
    >>> f.gap(1e-20) / 1e-20
    np.float64(2.0)
    """

    slope_at_one: float
    parity: Parity = None
    error: float = 0.0

    def coefficients(self, n: int) -> Array:
        """Return the first coefficients of the power series.

        Parameters
        ----------
        n : int
            How many.

        Returns
        -------
        ndarray of float64, shape (n,)
            :math:`a_0, …, a_{n-1}`, not negative.
        """
        return self._coefficients(n)

    def gap(self, s: ArrayLike) -> Array:
        r"""Return :math:`1 - f(1 - s)`, relatively accurate as s → 0.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2]; what rounding puts outside is taken to the end.

        Returns
        -------
        ndarray of float64
            Gaps, of the shape of `s`.
        """
        return self._gap(np.clip(np.asarray(s, dtype=np.float64), 0.0, 2.0))

    def gap_derivative(self, s: ArrayLike) -> Array:
        r"""Return :math:`f'(1 - s)`.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2]; what rounding puts outside is taken to the end.

        Returns
        -------
        ndarray of float64
            Derivatives in the correlation, of the shape of `s`.
        """
        return self._slope(np.clip(np.asarray(s, dtype=np.float64), 0.0, 2.0))

    def value(self, xi: ArrayLike) -> Array:
        r"""Return :math:`f(\xi)`.

        Parameters
        ----------
        xi : array_like of float
            Correlations in [-1, 1]; what rounding puts outside is taken to the end.

        Returns
        -------
        ndarray of float64
            Values in [-1, 1], of the shape of `xi`.
        """
        return self._value(np.clip(np.asarray(xi, dtype=np.float64), -1.0, 1.0))

    def derivative(self, xi: ArrayLike) -> Array:
        r"""Return :math:`f'(\xi)`.

        Parameters
        ----------
        xi : array_like of float
            Correlations in [-1, 1]; what rounding puts outside is taken to the end.

        Returns
        -------
        ndarray of float64
            Derivatives, of the shape of `xi`.
        """
        return self._derivative(np.clip(np.asarray(xi, dtype=np.float64), -1.0, 1.0))

    @property
    def a0(self) -> float:
        r"""Constant term :math:`f(0) = A^2`."""
        return float(self._head[0])

    @property
    def a1(self) -> float:
        r"""Slope at zero :math:`f'(0) = A'^2`."""
        return float(self._head[1])

    @cached_property
    def _head(self) -> Array:
        n = SERIES_TERMS
        while True:
            a = self.coefficients(n)
            terms = a * SERIES_RADIUS ** np.arange(n)
            # The mean apart, which a tiny rest must not be measured by.
            if n >= _MOST_TERMS or terms[-8:].sum() <= 1e-18 * terms[1:].sum():
                return a
            n *= 2

    def _coefficients(self, n: int) -> Array:
        raise NotImplementedError

    def _gap(self, s: Array) -> Array:
        raise NotImplementedError

    def _slope(self, s: Array) -> Array:
        raise NotImplementedError

    def _value(self, xi: Array) -> Array:
        near = np.abs(xi) <= SERIES_RADIUS
        out = np.empty_like(xi)
        out[near] = P.polyval(xi[near], self._head)
        out[~near] = 1.0 - self.gap(1.0 - xi[~near])
        return out

    def _derivative(self, xi: Array) -> Array:
        near = np.abs(xi) <= SERIES_RADIUS
        out = np.empty_like(xi)
        out[near] = P.polyval(xi[near], P.polyder(self._head))
        out[~near] = self.gap_derivative(1.0 - xi[~near])
        return out
