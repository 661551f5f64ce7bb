"""Orbits of correlations under a dual map, carried without loss next to 1 and next to 0."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.duals.base import SERIES_RADIUS, Array, Dual

#: Below this size a correlation is carried by its logarithm, and f by its leading term.
_TINY = 1e-250
_LOG_TINY = math.log(_TINY)
_FALLEN = 1e-3
_DEGREES = 512


class Orbits:
    r"""Correlations on their way through the layers of an infinitely wide network.

    One step is one application of the dual `f`. What is carried is the gap :math:`1 - \xi` above
    a correlation of 1/4, the correlation itself between, and :math:`\ln|\xi|` with a sign where
    the next step would underflow, so that depth costs no accuracy.

    Parameters
    ----------
    dual : Dual
        The map.
    gaps : array_like of shape (p,)
        Where to start, in [0, 2].

    Attributes
    ----------
    gap : ndarray of shape (p,)
        :math:`1 - \xi`, relatively accurate for :math:`\xi \ge 1/4`.
    xi : ndarray of shape (p,)
        Correlations, relatively accurate for :math:`|\xi| < 1/4`.
    tiny : ndarray of bool, shape (p,)
        Where `xi` has underflowed and only `log_xi` and `sign` hold.
    log_xi, sign : ndarray of shape (p,)
        :math:`\ln|\xi|` and the sign of :math:`\xi`.

    Examples
    --------
    >>> from deeplimit.duals.series import SeriesDual
    >>> orbits = Orbits(SeriesDual([0, 0, 1]), [0.5])
    >>> for _ in range(20):
    ...     orbits.advance()
    >>> orbits.tiny.tolist(), (orbits.log_xi / 2**20).round(12).tolist()
    ([True], [-0.69314718056])
    """

    def __init__(self, dual: Dual, gaps: ArrayLike) -> None:
        self._dual = dual
        self.gap = np.array(gaps, dtype=np.float64)
        self.xi = 1.0 - self.gap
        self.tiny = np.zeros(self.gap.shape, dtype=bool)
        with np.errstate(divide="ignore"):
            self.log_xi = np.log(np.abs(self.xi))
        self.sign = np.sign(self.xi)
        self._fixes_zero = float(dual.value(np.zeros(1))[0]) == 0.0

    @property
    def log_gap(self) -> Array:
        r""":math:`\ln(1 - \xi)`, shape (p,)."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.gap))

    @cached_property
    def _terms(self) -> tuple[Array, Array]:
        """Degrees and logarithms of the coefficients that are not zero."""
        a = self._dual.coefficients(_DEGREES)
        degrees = np.flatnonzero(a)
        return degrees.astype(np.float64), np.log(a[degrees])

    def advance(self, active: NDArray[np.bool_] | None = None) -> None:
        """Apply the map once.

        Parameters
        ----------
        active : ndarray of bool, shape (p,), optional
            Which orbits to move; all by default.
        """
        moving = np.ones(self.gap.shape, dtype=bool) if active is None else active
        near = np.flatnonzero(moving & (self.xi >= SERIES_RADIUS))
        far = np.flatnonzero(moving & (self.xi < SERIES_RADIUS) & ~self.tiny)
        below = np.flatnonzero(moving & self.tiny)
        if near.size:
            s = self._dual.gap(self.gap[near])
            # A high degree can take a correlation above 1/4 next to zero, where 1 - s is noise.
            fell = (s > 1.0 - _FALLEN) & self._fixes_zero
            self._sink(near[fell])
            self._set(near[~fell], 1.0 - s[~fell], s[~fell])
        if far.size:
            x = self._dual.value(self.xi[far])
            fell = (np.abs(x) < _TINY) & (self.xi[far] != 0.0) & self._fixes_zero
            self._sink(far[fell])
            self._set(far[~fell], x[~fell], 1.0 - x[~fell])
        if below.size:
            self._sink(below)

    def _set(self, at: NDArray[np.intp], xi: Array, gap: Array) -> None:
        self.xi[at], self.gap[at] = xi, gap
        self.sign[at] = np.sign(xi)
        with np.errstate(divide="ignore"):
            self.log_xi[at] = np.log(np.abs(xi))

    def _sink(self, at: NDArray[np.intp]) -> None:
        """Go on in logarithms: all terms of a positive correlation, the first of another."""
        if not at.size:
            return
        degrees, logs = self._terms
        if not degrees.size:
            self._set(at, np.zeros(at.size), np.ones(at.size))
            return
        terms = logs + degrees * self.log_xi[at, None]
        self.log_xi[at] = np.where(
            self.sign[at] > 0, np.logaddexp.reduce(terms, axis=1), terms[:, 0]
        )
        self.sign[at] = self.sign[at] ** degrees[0]
        self.tiny[at] = self.log_xi[at] < _LOG_TINY
        self.xi[at] = np.where(self.tiny[at], 0.0, self.sign[at] * np.exp(self.log_xi[at]))
        self.gap[at] = 1.0 - self.xi[at]
