"""The reference engine: NumPy, float64, bounded memory, the same bits for any number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.sums.engine import Contributors, RadialKernel, evaluate
from deeplimit.sums.gaps import ANTIPODE, BLOCK_BYTES, GapTiles
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums
from deeplimit.sums.scaling import float_rows
from deeplimit.sums.threads import map_blocks
from deeplimit.sums.weights import check_weights

__all__ = ["class_sums", "top_contributors"]

Floats = NDArray[np.float64]
Signs = NDArray[np.number] | None

# Candidates beyond those asked for, lest rounding leave one out.
_SPARE = 8
# Coordinates of the pairs whose gaps are taken at a time, one by one.
_COORDINATES = 2**20


@dataclass(frozen=True, eq=False)
class _Task:
    """A kernel over the tiles of examples in a certain order, and the queries."""

    kernel: RadialKernel
    tiles: GapTiles
    queries: Floats
    order: NDArray[np.int64]
    places: NDArray[np.int64] | None  # of the query's own example, to be left out

    @classmethod
    def prepare(
        cls,
        kernel: RadialKernel,
        lift: Lift,
        X: ArrayLike,
        Q: ArrayLike,
        order: NDArray[np.int64],
        exclude: ArrayLike | None,
        block_bytes: int,
    ) -> Self:
        examples, queries = float_rows(X), float_rows(Q)
        if examples.ndim != 2 or queries.ndim != 2 or len(examples) != order.size:
            raise ValueError(
                f"a matrix of {order.size} examples and a matrix of queries are expected, "
                f"{examples.shape} and {queries.shape} were got"
            )
        if not np.isfinite(queries).all():
            raise ValueError("queries must be finite: drop rows with NaN or infinity")
        places = None
        if exclude is not None:
            own = np.asarray(exclude, dtype=np.int64)
            if own.shape != (len(queries),) or not np.all((own >= -1) & (own < order.size)):
                raise ValueError(
                    f"exclude needs an example in 0..{order.size - 1}, or -1, for each of "
                    f"{len(queries)} queries"
                )
            place = np.argsort(order, kind="stable")
            places = np.where(own >= 0, place[own] if order.size else -1, -1)
        tiles = GapTiles(examples[order], lift, block_bytes=block_bytes)
        return cls(kernel, tiles, queries, order, places)

    def weights(
        self, rows: slice, *, coarse: bool = False
    ) -> Iterator[tuple[slice, Floats, Signs]]:
        """Give the log weights and signs of a block of queries, tile by tile.

        Coarse ones are those of rounded gaps: what is equally far weighs the same then.
        """
        for columns, gaps in self.tiles.of(self.queries[rows]):
            if coarse:
                gaps = _rounded(gaps, self.tiles.lift.on_sphere)
            logs, signs = evaluate(self.kernel, gaps)
            if self.places is not None:
                place = self.places[rows]
                here = np.flatnonzero((place >= columns.start) & (place < columns.stop))
                logs = logs if logs.flags.writeable else logs.copy()
                logs[here, place[here] - columns.start] = -np.inf
            yield columns, logs, signs


def class_sums(
    kernel: RadialKernel,
    lift: Lift,
    X: ArrayLike,
    y_index: ArrayLike,
    sample_weight: ArrayLike | None,
    Q: ArrayLike,
    n_classes: int,
    *,
    n_jobs: int | None = 1,
    exclude: ArrayLike | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> PartialSums:
    """Sum a kernel over the examples of each class, for each query.

    The sums do not depend on the number of threads, not in a bit. They depend on the order of the
    examples, on the number of queries and on `block_bytes` by rounding.

    Parameters
    ----------
    kernel : RadialKernel
        Kernel of the gap.
    lift : Lift
        Fitted lift, which gives the gaps.
    X : array-like of shape (n, d)
        Examples, finite.
    y_index : array-like of int, shape (n,)
        Class of each example, in 0..n_classes - 1.
    sample_weight : array-like of shape (n,) or None
        Nonnegative weights of the examples; None means 1. Weight 0 is absence.
    Q : array-like of shape (m, d)
        Queries, finite.
    n_classes : int
        Number of classes.
    n_jobs : int or None, default=1
        Number of threads, -1 for all processors. With 1 a single core is used, also by BLAS.
    exclude : array-like of int, shape (m,), optional
        Example that each query does not see, -1 for none: leave-one-out has `Q` equal to `X` and
        `exclude` 0..n - 1. A query does see the duplicates of its example.
    block_bytes : int, default=64 MiB
        Bound of the memory for temporary arrays, for each thread.

    Returns
    -------
    PartialSums
        Of shape (m, n_classes).

    Raises
    ------
    ValueError
        If shapes, classes or weights do not fit, or a row has no image under the lift.

    Examples
    --------
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import class_sums, fit_lift
    >>> X, y = [[0.0], [1.0], [3.0]], [0, 1, 1]
    >>> lift = fit_lift(X, "euclidean")
    >>> class_sums(PowerKernel(1.0), lift, X, y, None, [[2.0]], 2).proportions().tolist()
    [[0.2, 0.8]]
    >>> class_sums(PowerKernel(1.0), lift, X, y, None, X, 2, exclude=[0, 1, 2]).decide().winner
    array([1, 0, 1])
    """
    index = np.asarray(y_index)
    if index.ndim != 1 or not (index.size == 0 or np.issubdtype(index.dtype, np.integer)):
        raise ValueError("the classes of the examples must be a vector of integers")
    if index.size and not (index.min() >= 0 and index.max() < n_classes):
        raise ValueError(f"class indices must lie in 0..{n_classes - 1}")
    weight = check_weights(sample_weight, index.size)
    order = np.argsort(index, kind="stable").astype(np.int64)
    index = index[order]
    weight = None if weight is None else weight[order]
    task = _Task.prepare(kernel, lift, X, Q, order, exclude, block_bytes)

    def block(rows: slice) -> PartialSums:
        sums = PartialSums.empty(rows.stop - rows.start, n_classes)
        for columns, logs, signs in task.weights(rows):
            part = None if weight is None else weight[columns]
            sums.absorb_sorted(logs, signs, index[columns], part)
        return sums

    blocks = map_blocks(block, task.tiles.row_blocks(len(task.queries)), n_jobs)
    return PartialSums.concatenate([PartialSums.empty(0, n_classes), *blocks])


def top_contributors(
    kernel: RadialKernel,
    lift: Lift,
    X: ArrayLike,
    w: ArrayLike | None,
    Q: ArrayLike,
    k: int,
    *,
    n_jobs: int | None = 1,
    exclude: ArrayLike | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Contributors:
    """Find the k examples with the largest |w K| for each query.

    Parameters
    ----------
    kernel : RadialKernel
        Kernel of the gap.
    lift : Lift
        Fitted lift, which gives the gaps.
    X : array-like of shape (n, d)
        Examples, finite.
    w : array-like of shape (n,) or None
        Nonnegative weights of the examples; None means 1. Weight 0 is absence.
    Q : array-like of shape (m, d)
        Queries, finite.
    k : int
        How many; at most n are given.
    n_jobs : int or None, default=1
        Number of threads, -1 for all processors.
    exclude : array-like of int, shape (m,), optional
        Example that each query does not see, -1 for none.
    block_bytes : int, default=64 MiB
        Bound of the memory for temporary arrays, for each thread.

    Returns
    -------
    Contributors
        Indices, log weights and signs of shape (m, min(k, n)), heaviest first. Coincident examples
        lead, the heavier sample weight first; equal ones follow their index.

    Raises
    ------
    ValueError
        If `k` is not positive, shapes or weights do not fit, or a row has no image.

    Examples
    --------
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift, top_contributors
    >>> X = [[0.0], [1.0], [3.0]]
    >>> top = top_contributors(PowerKernel(1.0), fit_lift(X, "euclidean"), X, None, [[2.0]], 2)
    >>> top.indices.tolist(), top.log_weights.round(12).tolist()
    ([[1, 2]], [[0.0, 0.0]])
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, {k} was got")
    examples = float_rows(X)
    order = np.arange(len(examples), dtype=np.int64)
    weight = check_weights(w, order.size)
    task = _Task.prepare(kernel, lift, examples, Q, order, exclude, block_bytes)
    count, kept = min(k, order.size), min(k + _SPARE, order.size)
    heavy = np.ones(order.size) if weight is None else weight
    log_heavy = np.log(np.where(heavy > 0, heavy, 1.0))

    def block(rows: slice) -> Contributors:
        m = rows.stop - rows.start
        indices = np.full((m, 0), -1, dtype=np.int64)
        top = np.zeros((m, 0))
        for columns, logs, sign in task.weights(rows, coarse=True):
            here = np.arange(columns.start, columns.stop)
            there = heavy[columns] > 0 if sign is None else (heavy[columns] > 0) & (sign != 0)
            logs = np.where(there, logs + log_heavy[columns], -np.inf)
            if np.isnan(logs).any():
                raise ValueError("a log weight is NaN: the kernel is undefined at one of the gaps")
            chosen = _first(logs, heavy[columns], kept)
            pick = np.take_along_axis(logs, chosen, axis=1)
            indices = np.concatenate([indices, here[chosen]], axis=1)
            top = np.concatenate([top, pick], axis=1)
            best = _first(top, heavy[indices], kept)
            indices = np.take_along_axis(indices, best, axis=1)
            top = np.take_along_axis(top, best, axis=1)
        indices[np.isneginf(top)] = -1
        return in_order(task.queries[rows], np.sort(indices, axis=1))

    def in_order(queries: Floats, candidates: NDArray[np.int64]) -> Contributors:
        """Order candidates, which ascend, by gaps that do not depend on what is asked with them."""
        logs = np.full(candidates.shape, -np.inf)
        signs = np.zeros(candidates.shape, dtype=np.int8)
        step = max(1, _COORDINATES // max(1, candidates.shape[1] * lift.n_features))
        for start in range(0, len(queries), step):
            part = slice(start, start + step)
            row, column = np.nonzero(candidates[part] >= 0)
            who = candidates[part][row, column]
            gaps = lift.gap(queries[part][row], examples[who])
            if lift.on_sphere:
                gaps = np.where(gaps >= ANTIPODE, 2.0, gaps)
            found, sign = evaluate(kernel, gaps)
            logs[part][row, column] = found + log_heavy[who]
            signs[part][row, column] = 1 if sign is None else np.sign(sign)
        weights = np.where(candidates >= 0, heavy[candidates], 0.0)
        order = _ordered(logs, weights)[:, :count]
        return Contributors(
            *(np.take_along_axis(values, order, axis=1) for values in (candidates, logs, signs))
        )

    parts = map_blocks(block, task.tiles.row_blocks(len(task.queries)), n_jobs)
    none = np.zeros((0, count))
    return Contributors(
        np.concatenate([none.astype(np.int64), *(part.indices for part in parts)]),
        np.concatenate([none, *(part.log_weights for part in parts)]),
        np.concatenate([none.astype(np.int8), *(part.signs for part in parts)]),
    )


def _rounded(gaps: Floats, on_sphere: bool) -> Floats:
    """Round gaps to 40 bits, but for those beyond the equator, which may be next to an antipode."""
    word = np.ascontiguousarray(gaps).view(np.int64)
    near = ((word + (1 << 11)) & ~((1 << 12) - 1)).view(np.float64)
    return np.where(gaps > 1.0, gaps, near) if on_sphere else near


def _first(logs: Floats, heavy: Floats, count: int) -> NDArray[np.int64]:
    """Give the columns of the `count` largest entries of each row, in order.

    Infinite ones are ordered by `heavy`, and what is equal by its column: columns ascend with the
    index of the example.
    """
    m, n = logs.shape
    columns = np.broadcast_to(np.arange(n), (m, n))
    if n > 4 * count:
        bar = np.partition(logs, n - count, axis=1)[:, n - count, None]
        above = logs >= bar
        # Where several entries are equal to the last one chosen, the whole row must be ordered.
        clear = np.count_nonzero(above, axis=1) == count
        chosen = np.empty((m, count), dtype=np.int64)
        chosen[clear] = np.nonzero(above[clear])[1].reshape(-1, count)
        chosen[~clear] = _ordered(logs[~clear], np.broadcast_to(heavy, (m, n))[~clear])[:, :count]
        chosen.sort(axis=1)
        columns = chosen
    order = _ordered(
        np.take_along_axis(logs, columns, axis=1),
        np.take_along_axis(np.broadcast_to(heavy, (m, n)), columns, axis=1),
    )
    return np.take_along_axis(columns, order[:, :count], axis=1)


def _ordered(logs: Floats, heavy: Floats) -> NDArray[np.int64]:
    tie = np.where(np.isposinf(logs), -heavy, 0.0)
    return np.lexsort((tie, -logs), axis=-1)
