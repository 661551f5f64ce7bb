"""What kernels of the gap have in common: logarithms, signs, values, matrices."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

Array = NDArray[np.float64]

#: Rounding by which a gap may exceed 2, and a row's norm differ from 1.
_SLACK, _UNIT = 1e-9, 1e-6


def checked_gaps(s: ArrayLike) -> Array:
    """Give gaps as an array, and refuse what is none.

    Parameters
    ----------
    s : array_like of float
        Gaps in [0, 2], up to rounding.

    Returns
    -------
    ndarray of float64
        At most 2.

    Raises
    ------
    ValueError
        If a gap is NaN or outside [0, 2].

    Examples
    --------
    >>> checked_gaps([0.5, 2.0 + 1e-15])
    array([0.5, 2. ])
    """
    gaps = np.asarray(s, dtype=np.float64)
    if gaps.size and not (np.min(gaps) >= 0.0 and np.max(gaps) <= 2.0 + _SLACK):
        raise ValueError("gaps lie in [0, 2]: they are 1 - correlation, or half squared distances.")
    return np.minimum(gaps, 2.0)


def sphere_gaps(X: ArrayLike, Z: ArrayLike | None = None) -> Array:
    """Gaps between rows of unit norm, from coordinate differences.

    Parameters
    ----------
    X : array_like of shape (n, k)
        Points on the unit sphere.
    Z : array_like of shape (m, k), optional
        Other points; by default `X`.

    Returns
    -------
    ndarray of shape (n, m)
        Gaps in [0, 2].

    Raises
    ------
    ValueError
        If a row's norm is not 1 within 1e-6.

    Examples
    --------
    >>> sphere_gaps([[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    array([[0., 1., 2.]])
    """
    X = np.atleast_2d(np.asarray(X, dtype=np.float64))
    Z = X if Z is None else np.atleast_2d(np.asarray(Z, dtype=np.float64))
    for rows in (X, Z):
        norms = np.linalg.norm(rows, axis=1)
        if rows.size and not np.all(np.abs(norms - 1.0) <= _UNIT):
            raise ValueError("rows must have unit norm; lift or normalise the data first.")
    return np.asarray(np.minimum(cdist(X, Z, "sqeuclidean") / 2.0, 2.0))


class GapKernel(ABC):
    r"""Kernel between points of the unit sphere that depends on their gap :math:`s = 1-\xi` alone.

    Subclasses define `_log_and_sign`; everything else follows from logarithms and signs, because
    values of deep networks exceed the range of a double in both directions.

    Attributes
    ----------
    log_diagonal : float
        Logarithm of the kernel of a point with itself.
    positive : bool
        True if the sign is +1 at every gap.
    """

    @property
    @abstractmethod
    def log_diagonal(self) -> float:
        """Logarithm of the kernel of a point with itself."""

    @property
    @abstractmethod
    def positive(self) -> bool:
        """Whether the sign is known to be +1 at every gap."""

    @abstractmethod
    def _log_and_sign(self, s: Array) -> tuple[Array, Array]:
        """Logarithm of the size, and sign, at a vector of checked gaps."""

    def _log_unit(self, normalize: bool) -> float:
        if not normalize:
            return 0.0
        if np.isinf(self.log_diagonal):
            value = "infinite" if self.log_diagonal > 0.0 else "zero"
            raise ValueError(
                f"the kernel of a point with itself is {value}: leave normalize=True out."
            )
        return self.log_diagonal

    def log_and_sign_at_gap(self, s: ArrayLike, *, normalize: bool = False) -> tuple[Array, Array]:
        """Logarithm of the kernel's size and its sign, in one evaluation.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].
        normalize : bool, default=False
            Divide by the kernel of a point with itself.

        Returns
        -------
        log : ndarray of float64
            Natural logarithms, of the shape of `s`; infinite where the kernel is.
        sign : ndarray of float64
            1, -1 or 0.

        Raises
        ------
        ValueError
            If a gap is outside [0, 2], or the kernel cannot be normalised because its value at a
            gap of zero is zero or infinite.

        Examples
        --------
        >>> import deeplimit as dl
        >>> log, sign = dl.LimitKernel("erf").log_and_sign_at_gap([0.5, 1.5])
        >>> log.round(6), sign
        (array([-0.564408, -0.564408]), array([ 1., -1.]))
        """
        unit = self._log_unit(normalize)
        gaps = checked_gaps(s)
        log, sign = self._log_and_sign(gaps.ravel())
        if unit:
            log = log - unit
        return log.reshape(gaps.shape), sign.reshape(gaps.shape)

    def log_at_gap(self, s: ArrayLike, *, normalize: bool = False) -> Array:
        """Natural logarithm of the kernel's size.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].
        normalize : bool, default=False
            Divide by the kernel of a point with itself.

        Returns
        -------
        ndarray of float64
            Of the shape of `s`; infinite where the kernel is.

        Raises
        ------
        ValueError
            As from `log_and_sign_at_gap`.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("9d_opt").log_at_gap([1e-30, 0.1]).round(6)
        array([278.752618,  11.430883])
        """
        return self.log_and_sign_at_gap(s, normalize=normalize)[0]

    def sign_at_gap(self, s: ArrayLike) -> Array:
        """Sign of the kernel.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].

        Returns
        -------
        ndarray of float64
            1, -1 or 0.

        Raises
        ------
        ValueError
            If a gap is outside [0, 2].

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("erf").sign_at_gap([0.5, 1.0, 1.5])
        array([ 1.,  0., -1.])
        """
        return self.log_and_sign_at_gap(s)[1]

    def at_gap(self, s: ArrayLike, *, normalize: bool = False) -> Array:
        """Evaluate the kernel at gaps.

        Parameters
        ----------
        s : array_like of float
            Gaps in [0, 2].
        normalize : bool, default=False
            Divide by the kernel of a point with itself.

        Returns
        -------
        ndarray of float64
            Values; infinite or zero where they leave the range of a double.

        Raises
        ------
        ValueError
            As from `log_and_sign_at_gap`.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("3d_opt").at_gap(0.5).round(9)
        np.float64(0.713599128)
        """
        log, sign = self.log_and_sign_at_gap(s, normalize=normalize)
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(sign * np.exp(log))[()]

    def at_correlation(self, xi: ArrayLike, *, normalize: bool = False) -> Array:
        """Evaluate the kernel at correlations.

        A correlation holds no gap below 1e-16: near points call for `at_gap`.

        Parameters
        ----------
        xi : array_like of float
            Correlations in [-1, 1].
        normalize : bool, default=False
            Divide by the kernel of a point with itself.

        Returns
        -------
        ndarray of float64
            As from `at_gap`.

        Raises
        ------
        ValueError
            If a correlation is outside [-1, 1], or the kernel cannot be normalised.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("5d_opt").at_correlation([-0.5, 0.9]).round(6).tolist()
        [-0.11504, 128.495854]
        """
        return self.at_gap(1.0 - np.asarray(xi, dtype=np.float64), normalize=normalize)

    def __call__(
        self, X: ArrayLike, Z: ArrayLike | None = None, *, normalize: bool = False
    ) -> Array:
        """Evaluate the kernel between rows of unit norm.

        Parameters
        ----------
        X : array_like of shape (n, k)
            Points on the unit sphere.
        Z : array_like of shape (m, k), optional
            Other points; by default `X`.
        normalize : bool, default=False
            Divide by the kernel of a point with itself.

        Returns
        -------
        ndarray of shape (n, m)
            Values.

        Raises
        ------
        ValueError
            If a row's norm is not 1, or the kernel cannot be normalised.

        Examples
        --------
        >>> import deeplimit as dl
        >>> dl.LimitKernel("3d_opt")([[1.0, 0.0]], [[0.6, 0.8]]).round(9)
        array([[1.02719865]])
        """
        return np.asarray(self.at_gap(sphere_gaps(X, Z), normalize=normalize))
