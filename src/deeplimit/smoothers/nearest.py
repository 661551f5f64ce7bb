"""Lists of nearest examples, with distances that are exact where they are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.distances import left_of, right_of, squares_of
from deeplimit.sums.threads import map_blocks

__all__ = ["Near", "nearest"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Entries of a block of distances: what is done to them is done in the processor's cache.
_BLOCK = 2**17
# Candidates beyond those asked for: rounding may exchange neighbours at equal distances.
_SPARE = 4
# What a product of matrices may be off by, in units of the squared norms.
_BLUR = 8 * np.finfo(np.float64).eps
# From so many numbers for each one wanted a sample of them, one of so many, bounds the search.
_SAMPLED, _STRIDE = 8, 8


class Near(NamedTuple):
    """The nearest examples of some rows.

    Parameters
    ----------
    places : ndarray of int64, shape (m, k)
        Examples, nearest first; of those listed, equally near ones by their place.
    logs : ndarray of shape (m, k)
        ln of their distances; -inf for one that coincides with the row.
    """

    places: Integers
    logs: Floats


def nearest(
    Q: Floats,
    X: Floats,
    k: int,
    n_jobs: int | None = 1,
    also: Callable[[slice, Floats], None] | None = None,
) -> Near:
    """Find the nearest examples.

    Distances come from a product of matrices, or from differences where that would leave fewer than
    eight digits: an example that coincides with a row is at distance 0.

    Parameters
    ----------
    Q : ndarray of shape (m, p)
        Rows.
    X : ndarray of shape (n, p)
        Examples.
    k : int
        How many; at most n are given, and none for 0.
    n_jobs : int or None, default=1
        Threads.
    also : callable, optional
        Called with a slice of the rows and all their squared distances, which it may overwrite.

    Returns
    -------
    Near

    Examples
    --------
    >>> near = nearest(np.array([[0.0]]), np.array([[3.0], [0.0], [1.0]]), 2)
    >>> near.places.tolist(), near.logs.tolist()
    ([[1, 2]], [[-inf, 0.0]])
    """
    n = len(X)
    k = min(k, n)
    wide = min(k + _SPARE, n)
    places, logs = np.empty((len(Q), k), dtype=np.int64), np.empty((len(Q), k))
    left, right = left_of(Q), right_of(X)
    # What a distance is off by, and what it must be to be known to eight digits.
    blur = _BLUR * (left[:, -2] + right[:, -1].max())
    known = 1e8 * blur

    def search(rows: slice) -> None:
        u = squares_of(left[rows], right)
        if k:
            found = _smallest(u, wide)
            near = np.take_along_axis(u, found, axis=1)
            at = np.nonzero(near < known[rows, None])
            if at[0].size:
                pairs = Q[rows][at[0]] - X[found[at]]
                near[at] = np.einsum("ij,ij->i", pairs, pairs)
                # Where not even the order is known all distances are taken from differences.
                dim = np.flatnonzero((near.max(axis=1) < 1e6 * blur[rows]) & (wide < n))
                if dim.size:
                    found[dim], near[dim] = _by_differences(Q[rows][dim], X, wide)
            order = np.argsort(near, axis=1, kind="stable")[:, :k]
            places[rows] = np.take_along_axis(found, order, axis=1)
            with np.errstate(divide="ignore"):
                logs[rows] = 0.5 * np.log(np.take_along_axis(near, order, axis=1))
        if also is not None:
            also(rows, u)

    step = max(16, _BLOCK // n)
    map_blocks(search, [slice(i, min(i + step, len(Q))) for i in range(0, len(Q), step)], n_jobs)
    return Near(places, logs)


def _smallest(u: Floats, k: int) -> Integers:
    """Give the places of the k smallest numbers of each row, ascending by place."""
    m, n = u.shape
    if k == n:
        return np.tile(np.arange(n), (m, 1))
    if n < _SAMPLED * k or n < 1024:
        return np.sort(np.argpartition(u, k - 1, axis=1)[:, :k], axis=1)
    # A bound that every eighth number tells leaves few to choose from, almost always enough.
    part = k / _STRIDE
    rank = int(part + 3.0 * np.sqrt(part) + 3.0)
    bound = np.partition(u[:, ::_STRIDE], rank, axis=1)[:, rank]
    flat = np.flatnonzero(u <= bound[:, None])
    row = flat // n
    place = flat - row * n
    counts = np.bincount(row, minlength=m)
    width = int(counts.max())
    if counts.min() < k or width > n // 2:
        return np.sort(np.argpartition(u, k - 1, axis=1)[:, :k], axis=1)
    column = np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)
    places, values = np.zeros((m, width), dtype=np.int64), np.full((m, width), np.inf)
    places[row, column], values[row, column] = place, u[row, place]
    chosen = np.sort(np.argpartition(values, k - 1, axis=1)[:, :k], axis=1)
    return np.take_along_axis(places, chosen, axis=1)


def _by_differences(Q: Floats, X: Floats, k: int) -> tuple[Integers, Floats]:
    """Give the places of the k nearest examples, ascending by place, and their distances."""
    found, near = np.empty((len(Q), k), dtype=np.int64), np.empty((len(Q), k))
    for i, q in enumerate(Q):
        u = np.einsum("ij,ij->i", X - q, X - q)
        found[i] = np.sort(np.argsort(u, kind="stable")[:k])
        near[i] = u[found[i]]
    return found, near
