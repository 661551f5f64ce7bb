"""Squared distances by products of matrices, and how far apart examples are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["left_of", "length_of", "right_of", "squares", "squares_of"]

Floats = NDArray[np.float64]


def left_of(A: Floats) -> Floats:
    """Prepare rows for `squares_of`, on its left.

    Parameters
    ----------
    A : ndarray of shape (m, p)
        Rows.

    Returns
    -------
    ndarray of shape (m, p + 2)
        What multiplied by what `right_of` gives are squared distances.
    """
    norms = np.einsum("ij,ij->i", A, A)
    return np.column_stack([-2.0 * A, norms, np.ones(len(A))])


def right_of(B: Floats) -> Floats:
    """Prepare rows for `squares_of`, on its right.

    Parameters
    ----------
    B : ndarray of shape (n, p)
        Rows.

    Returns
    -------
    ndarray of shape (n, p + 2)
    """
    norms = np.einsum("ij,ij->i", B, B)
    return np.column_stack([B, np.ones(len(B)), norms])


def squares_of(left: Floats, right: Floats) -> Floats:
    """Give squared distances of prepared rows: one product of matrices does it all.

    Parameters
    ----------
    left : ndarray of shape (m, p + 2)
        From `left_of`.
    right : ndarray of shape (n, p + 2)
        From `right_of`.

    Returns
    -------
    ndarray of shape (m, n)
        Nonnegative; known to some 1e-15 of the squared norms.
    """
    u: Floats = left @ right.T
    return np.maximum(u, 0.0, out=u)


def squares(A: Floats, B: Floats) -> Floats:
    """Give squared distances between rows, by a product of matrices.

    Parameters
    ----------
    A : ndarray of shape (m, p)
        Rows.
    B : ndarray of shape (n, p)
        Rows.

    Returns
    -------
    ndarray of shape (m, n)
        Nonnegative; known to some 1e-15 of the squared norms.
    """
    return squares_of(left_of(A), right_of(B))


def length_of(X: Floats, weight: Floats) -> float:
    """Give the root mean square distance between examples.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    weight : ndarray of shape (n,)
        Weight of each.

    Returns
    -------
    float
        1 where all examples coincide.
    """
    # From the first row, so that equal rows are at a distance of 0 and not of its rounding.
    share, X = weight / weight.sum(), X - X[:1]
    length = float(np.sqrt(2.0 * np.sum(share @ (X - share @ X) ** 2)))
    return length if length > 0.0 else 1.0
