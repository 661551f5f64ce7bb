"""What an engine is given, checked: compiled loops would write beyond their arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.sums.scaling import float_rows
from deeplimit.sums.weights import check_weights

__all__ = ["check_examples", "check_excluded", "check_places", "check_queries"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def check_examples(
    rows: NDArray[Any], index: ArrayLike, weight: ArrayLike | None, n_classes: int, n_features: int
) -> tuple[Integers, Floats | None]:
    """Check classes and weights of examples.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        Examples.
    index : array-like of int, shape (n,)
        Class of each.
    weight : array-like of shape (n,) or None
        Weights.
    n_classes : int
        Number of classes.
    n_features : int
        Number d of columns that the lift was fitted to.

    Returns
    -------
    index : ndarray of int64, shape (n,)
    weight : ndarray of float64, shape (n,), or None
        None if all are 1; else a copy, which may be written to.

    Raises
    ------
    ValueError
        If shapes, classes or weights do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> check_examples(np.zeros((2, 1)), [0, 1], [1.0, 1.0], 2, 1)
    (array([0, 1]), None)
    """
    kinds = np.asarray(index)
    if kinds.ndim != 1 or not (kinds.size == 0 or np.issubdtype(kinds.dtype, np.integer)):
        raise ValueError("the classes of the examples must be a vector of integers")
    if kinds.size and not (kinds.min() >= 0 and kinds.max() < n_classes):
        raise ValueError(f"class indices must lie in 0..{n_classes - 1}")
    if rows.shape != (kinds.size, n_features):
        raise ValueError(
            f"a matrix of {kinds.size} examples and {n_features} columns is expected, "
            f"{rows.shape} was got"
        )
    checked = check_weights(weight, kinds.size)
    return kinds.astype(np.int64), None if checked is None else checked.copy()


def check_queries(Q: ArrayLike, n_features: int) -> Floats:
    """Check queries.

    Parameters
    ----------
    Q : array-like of shape (m, d)
        Queries.
    n_features : int
        Number d of columns.

    Returns
    -------
    ndarray of float64, shape (m, d)

    Raises
    ------
    ValueError
        If they are no matrix of d columns, or not finite.

    Examples
    --------
    >>> check_queries([[1, 2]], 2)
    array([[1., 2.]])
    """
    queries = float_rows(Q)
    if queries.ndim != 2 or queries.shape[1] != n_features:
        raise ValueError(
            f"a matrix of {n_features} columns is expected as queries, {queries.shape} was got"
        )
    if not np.isfinite(queries).all():
        raise ValueError("queries must be finite: drop rows with NaN or infinity")
    return queries


def check_excluded(exclude: ArrayLike | None, m: int, n: int) -> Integers:
    """Check which examples queries must not see.

    Parameters
    ----------
    exclude : array-like of int, shape (m,), or None
        An example for each query, -1 for none.
    m, n : int
        Numbers of queries and of examples.

    Returns
    -------
    ndarray of int64, shape (m,)

    Raises
    ------
    ValueError
        If the shape differs, or there is no such example.

    Examples
    --------
    >>> check_excluded(None, 2, 5)
    array([-1, -1])
    """
    if exclude is None:
        return np.full(m, -1, dtype=np.int64)
    own = np.asarray(exclude, dtype=np.int64)
    if own.shape != (m,) or not np.all((own >= -1) & (own < n)):
        raise ValueError(f"exclude needs an example in 0..{n - 1}, or -1, for each of {m} queries")
    return own


def check_places(places: ArrayLike, n: int) -> Integers:
    """Check the places of examples.

    Parameters
    ----------
    places : array-like of int
        Which.
    n : int
        Number of examples.

    Returns
    -------
    ndarray of int64, shape (k,)

    Raises
    ------
    ValueError
        If they are no integers, or one is not in 0..n - 1.

    Examples
    --------
    >>> check_places(3, 5)
    array([3])
    """
    found = np.atleast_1d(np.asarray(places))
    if found.size and not np.issubdtype(found.dtype, np.integer):
        raise ValueError(f"places of examples are integers, {found.dtype} was got")
    if found.size and not (found.min() >= 0 and found.max() < n):
        raise ValueError(f"places of examples must lie in 0..{n - 1}")
    return found.astype(np.int64).ravel()
