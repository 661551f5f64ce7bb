"""Nearest examples, with distances that are exact where they are kept, and kernels beside them."""

from __future__ import annotations

import importlib
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import available
from deeplimit.engines.packed import laid_out, tiles_of
from deeplimit.smoothers.distances import left_of, right_of, squares_of
from deeplimit.smoothers.ridge import Ridge
from deeplimit.sums.threads import map_blocks

__all__ = ["Near", "Neighbours"]

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
# From so many examples on compiled loops are worth their loading, up to so many columns they are
# faster than a product of matrices and what is made of it.
_COMPILED_FROM, _COMPILED_TO = 256, 512
# Rows of a task.
_ROWS = 128
# Coordinates farther out are left to NumPy: their squares might overflow in a loop that may not.
_REACH = 1e100


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


class Neighbours:
    """Examples laid out so that those nearest to a row are found.

    Distances are taken from differences, or from a product of matrices where that leaves eight
    digits: an example that coincides with a row is at distance 0.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Examples.
    centres : ndarray of int64, shape (c,), or None
        Examples that kernel sums are taken over; None is all.

    Attributes
    ----------
    compiled : bool
        Whether compiled loops do it.

    Examples
    --------
    >>> near = Neighbours(np.array([[3.0], [0.0], [1.0]])).nearest(np.array([[0.0]]), 2)
    >>> near.places.tolist(), near.logs.tolist()
    ([[1, 2]], [[-inf, 0.0]])
    """

    def __init__(self, X: Floats, centres: Integers | None = None) -> None:
        self.X, self.centres = X, centres
        n, p = X.shape
        self.compiled = (
            n >= _COMPILED_FROM
            and p <= _COMPILED_TO
            and available("numba")
            and bool(np.abs(X).max(initial=0.0) < _REACH)
        )

    def nearest(self, Q: Floats, k: int, n_jobs: int | None = 1) -> Near:
        """Find the nearest examples.

        Parameters
        ----------
        Q : ndarray of shape (m, p)
            Rows.
        k : int
            How many; at most n are given, and none for 0.
        n_jobs : int or None, default=1
            Threads.

        Returns
        -------
        Near
        """
        return self.ask(Q, k, None, n_jobs)[0]

    def ask(
        self, Q: Floats, k: int, ridge: Ridge | None, n_jobs: int | None = 1
    ) -> tuple[Near, Floats | None]:
        """Find the nearest examples, and the values of a ridge solution, in one pass.

        Parameters
        ----------
        Q : ndarray of shape (m, p)
            Rows.
        k : int
            How many; at most n are given, and none for 0.
        ridge : Ridge or None
            Solution spanned by the centres.
        n_jobs : int or None, default=1
            Threads.

        Returns
        -------
        near : Near
        values : ndarray of shape (m, C) or None
            Less the prior.
        """
        m, k = len(Q), min(k, len(self.X))
        near = Near(np.empty((m, k), dtype=np.int64), np.empty((m, k)))
        values = None if ridge is None else np.zeros((m, ridge.coefficients.shape[1]))
        inside = np.abs(Q).max(axis=1, initial=0.0) < _REACH
        if self.compiled and inside.all():
            self._compiled_ask(Q, near, ridge, values, n_jobs)
        elif self.compiled and inside.any():
            for rows, ask in ((inside, self._compiled_ask), (~inside, self._numpy_ask)):
                some = Near(near.places[rows], near.logs[rows])
                said = None if values is None else values[rows]
                ask(Q[rows], some, ridge, said, n_jobs)
                near.places[rows], near.logs[rows] = some
                if values is not None:
                    values[rows] = said
        else:
            self._numpy_ask(Q, near, ridge, values, n_jobs)
        return near, values

    def squares(self, Q: Floats) -> Floats:
        """Give squared distances to the centres.

        Parameters
        ----------
        Q : ndarray of shape (m, p)
            Rows.

        Returns
        -------
        ndarray of shape (m, c)
            The same that `ask` takes kernels of.
        """
        n = len(self.X) if self.centres is None else self.centres.size
        inside = np.abs(Q).max(axis=1, initial=0.0) < _REACH
        if not (self.compiled and inside.all()):
            u = squares_of(left_of(Q), self._right)
            out = u if self.centres is None else u[:, self.centres]
            if self.compiled and inside.any():
                out[inside] = self.squares(Q[inside])
            return out
        out = np.empty((len(Q), n))
        loops: Any = importlib.import_module("deeplimit.engines.near_loops")
        loops.list_squares(
            self._image[0][: -(-n // self._image[0].shape[2])], n, tiles_of(Q), len(Q), out
        )
        return out

    @cached_property
    def _right(self) -> Floats:
        return right_of(self.X)

    @cached_property
    def _image(self) -> tuple[NDArray[Any], Integers]:
        """Coordinates in blocks for the loops, centres first, and the example at each place."""
        order = np.arange(len(self.X))
        if self.centres is not None:
            rest = np.ones(order.size, dtype=np.bool_)
            rest[self.centres] = False
            order = np.concatenate([self.centres, np.flatnonzero(rest)])
        return laid_out(self.X, order), order

    def _compiled_ask(
        self, Q: Floats, near: Near, ridge: Ridge | None, values: Floats | None, n_jobs: int | None
    ) -> None:
        loops: Any = importlib.import_module("deeplimit.engines.near_loops")
        x, order = self._image
        length, smooth, coefficients = 1.0, False, np.zeros((0, 0))
        if ridge is not None:
            length = ridge.kernel.length
            smooth = ridge.kernel.smooth
            coefficients = np.ascontiguousarray(ridge.coefficients.T)
            if not near.places.shape[1]:
                # Nobody asks for the examples beside the centres.
                order = order[: len(ridge.coefficients)]
        x = x[: -(-order.size // x.shape[2])]
        sums = np.zeros((len(Q), 0)) if values is None else values

        def ask(rows: slice) -> None:
            m, k = rows.stop - rows.start, near.places.shape[1]
            u = np.empty((m, k))
            loops.list_nearest(
                x, order, order.size, tiles_of(Q[rows]), m, length, smooth, coefficients, k,
                u, near.places[rows], sums[rows],
            )  # fmt: skip
            with np.errstate(divide="ignore"):
                near.logs[rows] = 0.5 * np.log(u)

        _in_blocks(ask, len(Q), _ROWS, n_jobs)

    def _numpy_ask(
        self, Q: Floats, near: Near, ridge: Ridge | None, values: Floats | None, n_jobs: int | None
    ) -> None:
        X, centres = self.X, self.centres
        places, logs = near
        k, right = places.shape[1], self._right
        if not k and centres is not None:
            # Nobody asks for the examples beside the centres.
            right, centres = right[centres], None
        n = len(right)
        wide = min(k + _SPARE, n)
        left = left_of(Q)
        # What a distance is off by, and what it must be to be known to eight digits.
        blur = _BLUR * (left[:, -2] + right[:, -1].max())
        known = 1e8 * blur

        def ask(rows: slice) -> None:
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
            if ridge is not None and values is not None:
                u = u if centres is None else u[:, centres]
                values[rows] = ridge.values(u)

        _in_blocks(ask, len(Q), max(16, _BLOCK // n), n_jobs)


def _in_blocks(ask: Any, m: int, step: int, n_jobs: int | None) -> None:
    map_blocks(ask, [slice(i, min(i + step, m)) for i in range(0, m, step)], n_jobs)


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
