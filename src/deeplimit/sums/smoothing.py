"""Kernel means of real targets: the regression side of the sums."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.sums.engine import RadialKernel
from deeplimit.sums.gaps import GapTiles
from deeplimit.sums.lift import Lift
from deeplimit.sums.scaling import float_rows
from deeplimit.sums.threads import map_blocks

__all__ = ["Means", "kernel_means"]

Floats = NDArray[np.float64]


class Means(NamedTuple):
    """Weighted means of targets.

    Parameters
    ----------
    means : ndarray of shape (m,)
        Mean of the targets with weights K; of the coincident examples where there are any. NaN
        where no example has a positive weight.
    hits : ndarray of bool, shape (m,)
        Whether a query coincides with an example.
    """

    means: Floats
    hits: NDArray[np.bool_]


def kernel_means(
    kernel: RadialKernel,
    lift: Lift,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    Q: ArrayLike,
    *,
    n_jobs: int | None = 1,
) -> Means:
    """Average targets with the kernel's positive values as weights.

    Negative values of a kernel are left out: a mean needs weights. Weights are scaled by the
    largest of each query, so that no exponent overflows.

    Parameters
    ----------
    kernel : RadialKernel
        Kernel of the gap.
    lift : Lift
        Fitted lift.
    X : array-like of shape (n, d)
        Examples.
    y : array-like of shape (n,)
        Targets.
    sample_weight : array-like of shape (n,) or None
        Nonnegative weights.
    Q : array-like of shape (m, d)
        Queries.
    n_jobs : int or None, default=1
        Number of threads.

    Returns
    -------
    Means

    Examples
    --------
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> X = [[0.0], [1.0], [3.0]]
    >>> kernel_means(PowerKernel(1.0), fit_lift(X, "euclidean"), X, [0, 1, 5], None, [[2.0]]).means
    array([2.4])
    """
    rows, queries = float_rows(X), float_rows(Q)
    targets = np.asarray(y, dtype=np.float64)
    weight = np.ones(len(rows)) if sample_weight is None else np.asarray(sample_weight, float)
    tiles = GapTiles(rows, lift)

    def block(part: slice) -> tuple[Floats, Floats, Floats, Floats]:
        m = part.stop - part.start
        top = np.full((m, 1), -np.inf)
        sums, hits = np.zeros((m, 2)), np.zeros((m, 2))
        for columns, gaps in tiles.of(queries[part]):
            logs = np.array(kernel.log_at_gap(gaps), dtype=np.float64)
            if not kernel.positive:
                logs[np.asarray(kernel.sign_at_gap(gaps)) <= 0] = -np.inf
            both = np.stack((weight[columns] * targets[columns], weight[columns]), axis=1)
            hit = np.isposinf(logs)
            if hit.any():
                hits += hit @ both
                logs[hit] = -np.inf
            new = np.maximum(top, logs.max(axis=1, keepdims=True))
            floor = np.where(np.isneginf(new), 0.0, new)
            sums = sums * np.exp(np.where(np.isneginf(top), -np.inf, top - floor))
            sums += np.exp(logs - floor) @ both
            top = new
        return sums[:, 0], sums[:, 1], hits[:, 0], hits[:, 1]

    blocks = map_blocks(block, tiles.row_blocks(len(queries)), n_jobs)
    empty = (np.zeros(0),) * 4
    num, den, hit_num, hit_den = (np.concatenate(p) for p in zip(empty, *blocks, strict=True))
    struck = hit_den > 0.0
    means = np.full(len(queries), np.nan)
    np.divide(num, den, out=means, where=den > 0.0)
    np.divide(hit_num, hit_den, out=means, where=struck)
    return Means(means, struck)
