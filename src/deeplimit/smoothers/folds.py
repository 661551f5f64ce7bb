"""Folds and samples that depend on what rows hold, not on where they stand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["distinct_order", "folds_of"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def _scrambled(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of integers (the finaliser of SplitMix64)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _keys(X: Floats, index: Integers, seed: int) -> NDArray[np.uint64]:
    """Hash each row with its class."""
    with np.errstate(over="ignore"):
        golden = np.uint64(0x9E3779B97F4A7C15)
        key = _scrambled(index.astype(np.uint64) + golden * np.uint64(seed + 1))
        # -0.0 is 0.0, and any NaN is that of a missing cell.
        bits = np.ascontiguousarray(np.where(np.isnan(X), np.nan, X + 0.0)).view(np.uint64)
        for j in range(X.shape[1]):
            key = _scrambled((key ^ bits[:, j]) + golden)
    return key


def distinct_order(X: Floats, index: Integers, seed: int = 0) -> tuple[Integers, Integers]:
    """Put the distinct examples in an order that only their contents and a seed decide.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    index : ndarray of int64, shape (n,)
        Class of each.
    seed : int, default=0
        Another seed, another order.

    Returns
    -------
    first : ndarray of int64, shape (u,)
        For each distinct pair of row and class, in that order, the example that comes first.
    rank : ndarray of int64, shape (n,)
        Place in it of each example.

    Examples
    --------
    >>> X = np.array([[1.0], [2.0], [1.0]])
    >>> first, rank = distinct_order(X, np.array([0, 1, 0]))
    >>> len(first), bool(rank[0] == rank[2])
    (2, True)
    """
    _, first, rank = np.unique(_keys(X, index, seed), return_index=True, return_inverse=True)
    return first.astype(np.int64), rank.astype(np.int64)


def folds_of(X: Floats, index: Integers, n_folds: int, seed: int = 0) -> Integers:
    """Deal examples out to folds, class by class; equal ones go together.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    index : ndarray of int64, shape (n,)
        Class of each.
    n_folds : int
        Number of folds.
    seed : int, default=0
        Another seed, other folds.

    Returns
    -------
    ndarray of int64, shape (n,)
        Fold of each example. A repeated row shares the fold of the first, so that a weight counts
        like so many equal rows.

    Examples
    --------
    >>> X = np.arange(8.0)[:, None]
    >>> fold = folds_of(X, np.array([0, 0, 0, 0, 1, 1, 1, 1]), 2)
    >>> np.bincount(fold[:4]).tolist(), np.bincount(fold[4:]).tolist()
    ([2, 2], [2, 2])
    """
    first, rank = distinct_order(X, index, seed)
    by_class = np.argsort(index[first], kind="stable")
    dealt = np.empty(first.size, dtype=np.int64)
    dealt[by_class] = np.arange(first.size) % n_folds
    return dealt[rank]
