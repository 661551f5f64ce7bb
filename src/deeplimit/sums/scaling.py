"""Exact scaling by powers of two, so that no square overflows or underflows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["centre_and_scale", "exponents", "float_rows", "safe_difference", "total"]

# Below the exponent of every subnormal number, so that zeros never set a scale.
_ZERO_EXPONENT = -1100
# From this exponent on a difference of two numbers might overflow.
_LARGE_EXPONENT = 1020


def float_rows(X: ArrayLike) -> NDArray[np.float64]:
    """Convert to float64 with at least one axis, contiguous; an exact step for narrower floats.

    Parameters
    ----------
    X : array-like
        Numbers.

    Returns
    -------
    ndarray of float64
        The same numbers in C order.
    """
    return np.ascontiguousarray(X, dtype=np.float64)


def total(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum the last axis and keep it.

    Parameters
    ----------
    X : ndarray of shape (..., d)
        Numbers.

    Returns
    -------
    ndarray of shape (..., 1)
        Their sums.
    """
    return np.asarray(np.sum(X, axis=-1, keepdims=True))


def exponents(X: NDArray[np.float64]) -> NDArray[np.int32]:
    """Give for each row the least e with all absolute values below 2^e.

    Parameters
    ----------
    X : ndarray of shape (..., d)
        Finite numbers.

    Returns
    -------
    ndarray of int32, shape (..., 1)
        The exponents; a row of zeros gets one below every other.

    Examples
    --------
    >>> import numpy as np
    >>> exponents(np.array([[3.0, -5.0], [0.25, 0.0]])).ravel().tolist()
    [3, -1]
    """
    largest = np.maximum(np.max(X, axis=-1, keepdims=True), -np.min(X, axis=-1, keepdims=True))
    exponent = np.frexp(largest)[1]
    return np.where(largest > 0, exponent, np.int32(_ZERO_EXPONENT))


def safe_difference(
    X: NDArray[np.float64],
    Z: NDArray[np.float64],
    exponent: NDArray[np.int32],
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Subtract without overflow: ``X - Z`` is ``D * 2**h``, with h = 0 but for huge numbers.

    Parameters
    ----------
    X, Z : ndarray of shape (..., d)
        Numbers, broadcast against each other.
    exponent : ndarray of int32, shape (..., 1)
        For each row an upper bound of the exponents of both operands.

    Returns
    -------
    D : ndarray of shape (..., d)
        The scaled differences, each correctly rounded.
    h : ndarray of int32, shape (..., 1)
        The exponents of their scales.
    """
    h = np.where(exponent > _LARGE_EXPONENT, 2, 0).astype(np.int32)
    if not h.any():
        return X - Z, h
    return np.ldexp(X, -h) - np.ldexp(Z, -h), h


def centre_and_scale(X: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Give the mean row and the root mean squared distance to it.

    Differences to the first row are averaged, so that a constant column has exactly its value as
    mean and adds exactly nothing to the distance.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows; huge and subnormal values are allowed.

    Returns
    -------
    centre : ndarray of shape (d,)
        The mean row.
    scale : float
        The root mean squared distance, positive; 1 where all rows are equal.

    Examples
    --------
    >>> import numpy as np
    >>> centre_and_scale(np.array([[0.0, 1.0], [2.0, 1.0]]))
    (array([1., 1.]), 1.0)
    """
    exponent = int(exponents(X.reshape(1, -1))[0, 0])
    scaled = np.ldexp(X, -exponent)
    first = scaled[0].copy()
    scaled -= first
    mean = np.mean(scaled, axis=0)
    scaled -= mean
    largest = np.finfo(np.float64).max
    with np.errstate(over="ignore"):
        centre = np.clip(np.ldexp(first + mean, exponent), -largest, largest)
        inner = int(exponents(scaled.reshape(1, -1))[0, 0])
        squares = np.ldexp(scaled, -inner) ** 2
        rms = float(np.sqrt(np.sum(np.mean(squares, axis=0))))
        scale = float(np.ldexp(rms, inner + exponent))
    if rms == 0.0:
        return centre, 1.0
    return centre, min(max(scale, 5e-324), float(largest))
