"""Lists of nearest examples, with distances that are exact where they are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.ridge import squares
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

    Candidates come from a product of matrices, their distances from differences, so that an example
    that coincides with a row is at distance 0.

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
    norms = np.einsum("ij,ij->i", X, X)

    def search(rows: slice) -> None:
        u = squares(Q[rows], X, norms)
        if k:
            found = _smallest(u, wide)
            exact = exact_squares(Q[rows], X, found)
            # Where the product tells not one digit in a million of the distances, take differences.
            blur = _BLUR * (np.einsum("ij,ij->i", Q[rows], Q[rows]) + norms.max())
            dim = np.flatnonzero((np.sort(exact, axis=1)[:, k - 1] < 1e6 * blur) & (wide < n))
            if dim.size:
                every = np.broadcast_to(np.arange(n), (dim.size, n))
                truly = exact_squares(Q[rows][dim], X, every)
                found[dim] = np.sort(np.argsort(truly, axis=1, kind="stable")[:, :wide], axis=1)
                exact[dim] = np.take_along_axis(truly, found[dim], axis=1)
            order = np.argsort(exact, axis=1, kind="stable")[:, :k]
            places[rows] = np.take_along_axis(found, order, axis=1)
            with np.errstate(divide="ignore"):
                logs[rows] = 0.5 * np.log(np.take_along_axis(exact, order, axis=1))
        if also is not None:
            also(rows, u)

    step = max(16, _BLOCK // n)
    map_blocks(search, [slice(i, min(i + step, len(Q))) for i in range(0, len(Q), step)], n_jobs)
    return Near(places, logs)


def _smallest(u: Floats, k: int) -> Integers:
    """Give the places of the k smallest numbers of each row, ascending by place."""
    m, n = u.shape
    if k == n:
        return np.broadcast_to(np.arange(n), u.shape)
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


def exact_squares(Q: Floats, X: Floats, places: Integers) -> Floats:
    """Give squared distances of rows to some examples each, by differences.

    Parameters
    ----------
    Q : ndarray of shape (m, p)
        Rows.
    X : ndarray of shape (n, p)
        Examples.
    places : ndarray of int64, shape (m, k)
        Examples of each row.

    Returns
    -------
    ndarray of shape (m, k)
    """
    m, k = places.shape
    out = np.empty((m, k))
    step = max(1, _BLOCK // max(k * X.shape[1], 1))
    for i in range(0, m, step):
        part = slice(i, min(i + step, m))
        difference = X[places[part]]
        difference -= Q[part, None, :]
        out[part] = np.einsum("ijk,ijk->ij", difference, difference)
    return out
