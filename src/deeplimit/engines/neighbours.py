"""The heaviest examples of a query: candidates from compiled loops, their order from the gaps."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.engines.checks import check_excluded, check_queries
from deeplimit.engines.digits import weights_fit
from deeplimit.sums.blocked import top_contributors
from deeplimit.sums.engine import Contributors, RadialKernel
from deeplimit.sums.gaps import ANTIPODE
from deeplimit.sums.threads import map_blocks

if TYPE_CHECKING:
    from deeplimit.engines.compiled import CompiledEngine

__all__ = ["heaviest"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_QUERIES = 128
# Longer lists are sooner found by the reference: it sorts, while the loops insert.
_MOST = 512
# Candidates beyond the k nearest, to tell that none is missing.
_SPARE = 8
# What the square of a pair that the loops trusted may be off by, in units of the tolerance.
_SLACK = 16.0


class _Nearest(NamedTuple):
    """Gaps and examples of the k nearest, of shape (m, k), and for which queries that is sure."""

    gaps: Floats
    examples: Integers
    sure: NDArray[np.bool_]


def heaviest(
    engine: CompiledEngine,
    kernel: RadialKernel,
    Q: ArrayLike,
    k: int,
    exclude: ArrayLike | None = None,
) -> Contributors:
    """Find the k examples with the largest |w K| for each query.

    Candidates come from the loops where the order is that of the distances: a kernel with
    `decreasing` set, and equal weights. They are then put in order by `Lift.gap`, equal gaps by the
    index, and a query for which the candidates do not settle the order is the reference's.

    Parameters
    ----------
    engine : CompiledEngine
        The examples.
    kernel : RadialKernel
        Kernel of the gap.
    Q : array-like of shape (m, d)
        Queries, finite.
    k : int
        How many; at most n are given.
    exclude : array-like of int, shape (m,), optional
        Example that each query does not see, -1 for none.

    Returns
    -------
    Contributors
        As from `deeplimit.sums.top_contributors`.

    Raises
    ------
    ValueError
        If `k` is not positive or shapes do not fit.
    """
    queries = check_queries(Q, engine.lift.n_features)
    m, count, weight = len(queries), min(k, len(engine.X)), engine.weight
    own = check_excluded(exclude, m, len(engine.X))
    if not weights_fit(weight, engine.precision):
        engine = engine.double
    settled = np.zeros(m, dtype=np.bool_)
    indices, logs = np.full((m, count), -1), np.full((m, count), -np.inf)
    signs = np.zeros((m, count), dtype=np.int8)
    alike = weight is None or np.unique(weight[weight > 0]).size == 1
    if 1 <= count <= _MOST and alike and getattr(kernel, "decreasing", False):
        parts = [slice(i, min(i + _QUERIES, m)) for i in range(0, m, _QUERIES)]
        found = map_blocks(
            lambda part: _nearest(engine, queries[part], own[part], count), parts, engine.n_jobs
        )
        for part, (gaps, examples, sure) in zip(parts, found, strict=True):
            present = examples >= 0
            terms = kernel.log_at_gap(np.where(present, gaps, 1.0))
            if weight is not None:
                terms = terms + np.log(np.where(present, weight[examples], 1.0))
            indices[part], signs[part], settled[part] = examples, present, sure
            logs[part] = np.where(present, terms, -np.inf)
    if not settled.all():
        left = ~settled
        indices[left], logs[left], signs[left] = top_contributors(
            kernel, engine.lift, engine.X, weight, queries[left], k,
            n_jobs=engine.n_jobs, exclude=own[left],
        )  # fmt: skip
    return Contributors(indices, logs, signs)


def _nearest(engine: CompiledEngine, queries: Floats, own: Integers, k: int) -> _Nearest:
    loops: Any = importlib.import_module("deeplimit.engines.grid_loops")
    packed = engine.packed
    batch = engine.batch(queries, own, 0.5)
    most = max(1, min(k + _SPARE, packed.order.size))
    squares = np.full((batch.points[1].size, most), batch.far)
    places = np.full(squares.shape, -1, dtype=np.int64)
    unit, sums, _ = batch.empty(1, 0)
    taken = loops.sum_grid(
        *packed.cut(slice(0, len(packed.x))), *batch.points, *batch.bounds, batch.far,
        squares[0, :0], np.zeros((0, 2), dtype=np.int64), unit, sums, squares, places,
        *batch.listed,
    )  # fmt: skip
    m = len(queries)
    squares, places = squares[:m].astype(np.float64), places[:m]
    rows, examples, void = batch.pairs(taken, packed)
    kept = np.flatnonzero(places >= 0)
    rows = np.concatenate([rows, kept // most])
    examples = np.concatenate([examples, packed.order[places.ravel()[kept]]])
    gaps = engine.lift.gap(queries[rows], engine.X[examples])
    if engine.lift.on_sphere:
        gaps = np.where(gaps >= ANTIPODE, 2.0, gaps)
    order = np.lexsort((examples, gaps, rows))
    rows, examples, gaps = rows[order], examples[order], gaps[order]
    rank = np.arange(rows.size) - np.searchsorted(rows, rows)
    first = rank < k
    nearest, who = np.full((m, k), np.inf), np.full((m, k), -1, dtype=np.int64)
    nearest[rows[first], rank[first]] = gaps[first]
    who[rows[first], rank[first]] = examples[first]
    # What was not kept is at least as far as the last that was, up to the error of its square.
    complete = places[:, -1] < 0
    with np.errstate(over="ignore"):
        reach = np.ldexp(squares[:, -1], 2 * packed.exponent - 1)
    slack = _SLACK * engine.tolerance
    return _Nearest(nearest, who, ~void & (complete | (nearest[:, -1] < reach * (1.0 - slack))))
