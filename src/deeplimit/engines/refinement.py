"""The sums of chosen pairs in float64: what a fast engine must not trust to its own arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.sums.engine import RadialKernel, evaluate
from deeplimit.sums.gaps import ANTIPODE, BLOCK_BYTES
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums
from deeplimit.sums.scaling import float_rows

__all__ = ["refine_pairs"]

Floats = NDArray[np.float64]


def refine_pairs(
    kernel: RadialKernel,
    lift: Lift,
    X: ArrayLike,
    Q: ArrayLike,
    rows: ArrayLike,
    cols: ArrayLike,
    index: ArrayLike,
    weight: ArrayLike | None,
    n_classes: int,
    *,
    block_bytes: int = BLOCK_BYTES,
) -> PartialSums:
    """Sum a kernel over listed pairs of a query and an example, each gap as good as its rows.

    The gaps are those of `Lift.gap`, whatever the engine thought of the pair. The result does not
    depend on the order of the pairs, not in a bit. A pair listed twice counts twice.

    Parameters
    ----------
    kernel : RadialKernel
        Kernel of the gap.
    lift : Lift
        Fitted lift, which gives the gaps.
    X : array-like of shape (n, d)
        Examples, finite.
    Q : array-like of shape (m, d)
        Queries, finite.
    rows, cols : array-like of int, shape (p,)
        Query and example of each pair.
    index : array-like of int, shape (n,)
        Class of each example, in 0..n_classes - 1.
    weight : array-like of shape (n,) or None
        Nonnegative weights of the examples; None means 1. Weight 0 is absence.
    n_classes : int
        Number of classes.
    block_bytes : int, default=64 MiB
        Bound of the memory for the rows of the pairs; some numbers a pair are held beside it.

    Returns
    -------
    PartialSums
        Of shape (m, n_classes): no terms for queries without a pair.

    Raises
    ------
    ValueError
        If `rows` and `cols` are not alike, or the kernel is NaN at one of the gaps.

    Examples
    --------
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> X, Q = [[0.0], [1.0], [3.0]], [[2.0], [3.0]]
    >>> lift = fit_lift(X, "euclidean")
    >>> sums = refine_pairs(PowerKernel(1), lift, X, Q, [0, 0, 1], [0, 1, 2], [0, 1, 1], None, 2)
    >>> sums.proportions().round(12).tolist(), sums.hit_positive.tolist()
    ([[0.333333333333, 0.666666666667], [0.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]])
    """
    examples, queries = float_rows(X), float_rows(Q)
    row, col = np.asarray(rows, dtype=np.int64), np.asarray(cols, dtype=np.int64)
    if row.ndim != 1 or row.shape != col.shape:
        raise ValueError(
            f"a query and an example are expected for each pair, vectors of shapes {row.shape} "
            f"and {col.shape} were got"
        )
    sums = PartialSums.empty(len(queries), n_classes)
    heavy = None if weight is None else np.asarray(weight, dtype=np.float64)
    if heavy is not None:
        present = heavy[col] > 0
        row, col = row[present], col[present]
    if not row.size:
        return sums
    cell = row * n_classes + np.asarray(index, dtype=np.int64)[col]
    order = np.lexsort((col, cell))
    row, col, cell = row[order], col[order], cell[order]
    logs, signs = _terms(kernel, lift, examples, queries, row, col, block_bytes)
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    _collect(sums, cell[starts], starts, logs, signs, None if heavy is None else heavy[col])
    return sums


def _terms(
    kernel: RadialKernel,
    lift: Lift,
    X: Floats,
    Q: Floats,
    row: NDArray[np.int64],
    col: NDArray[np.int64],
    block_bytes: int,
) -> tuple[Floats, NDArray[np.int8]]:
    """Give log weights and signs of the pairs, block by block."""
    logs = np.empty(row.size)
    signs = np.ones(row.size, dtype=np.int8)
    # Some ten arrays of the size of the rows are alive within Lift.gap.
    step = max(1, block_bytes // (80 * X.shape[1]))
    for start in range(0, row.size, step):
        part = slice(start, start + step)
        gaps = lift.gap(Q[row[part]], X[col[part]])
        if lift.on_sphere:
            gaps = np.where(gaps >= ANTIPODE, 2.0, gaps)
        logs[part], sign = evaluate(kernel, gaps)
        if sign is not None:
            signs[part] = np.sign(sign)
    if np.isnan(logs).any():
        raise ValueError("a log weight is NaN: the kernel is undefined at one of the gaps")
    return logs, signs


def _collect(
    sums: PartialSums,
    cells: NDArray[np.int64],
    starts: NDArray[np.int64],
    logs: Floats,
    signs: NDArray[np.int8],
    weight: Floats | None,
) -> None:
    """Write the sums of consecutive runs of terms to the cells they belong to."""
    hit = np.isposinf(logs)
    finite = np.where(hit, -np.inf, logs)
    top = np.maximum.reduceat(finite, starts)
    lengths = np.diff(starts, append=logs.size)
    terms = np.exp(finite - np.repeat(np.where(np.isneginf(top), 0.0, top), lengths))
    struck = hit.astype(np.float64)
    if weight is not None:
        terms, struck = terms * weight, struck * weight
    sums.max_log.reshape(-1)[cells] = top
    for field, values, sign in (
        (sums.positive, terms, 1),
        (sums.negative, terms, -1),
        (sums.hit_positive, struck, 1),
        (sums.hit_negative, struck, -1),
    ):
        field.reshape(-1)[cells] = np.add.reduceat(np.where(signs == sign, values, 0.0), starts)
