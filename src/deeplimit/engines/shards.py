"""Sums over examples in shards: from memory, from disk, or on other machines, bit for bit alike."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit._extras import available
from deeplimit.engines.compiled import CompiledEngine
from deeplimit.engines.digits import close
from deeplimit.engines.packed import Precision
from deeplimit.engines.profiles import has_profile
from deeplimit.sums.blocked import class_sums, top_contributors
from deeplimit.sums.engine import Contributors, RadialKernel, heaviest_order
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums
from deeplimit.sums.scaling import float_rows
from deeplimit.sums.threads import number_of_threads, single_threaded_blas

__all__ = ["ArrayShard", "Shard", "ShardRows", "shard_contributors", "shard_sums"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Results that are fetched from a cluster together, and bytes of queries that go along with a shard.
_TOGETHER = 32
_ALONG = 2**18


class ShardRows(NamedTuple):
    """The examples of a shard.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        Rows of float32 or float64.
    codes : ndarray of int64, shape (n,)
        Class of each.
    weight : ndarray of shape (n,) or None
        Weights; None means 1, and 0 is absence.
    ids : ndarray of int64, shape (n,)
        What the examples are called.
    """

    rows: NDArray[Any]
    codes: Integers
    weight: Floats | None
    ids: Integers


class Shard(Protocol):
    """A part of the examples that is loaded where it is summed. It must be fit for pickling."""

    def load(self) -> ShardRows:
        """Give the examples."""


class ArrayShard(ShardRows):
    """A shard that lies in memory.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        Rows of float32 or float64.
    codes : ndarray of int64, shape (n,)
        Class of each.
    weight : ndarray of shape (n,) or None
        Weights; None means 1, and 0 is absence.
    ids : ndarray of int64, shape (n,)
        What the examples are called.

    Examples
    --------
    >>> import numpy as np
    >>> shard = ArrayShard(np.zeros((1, 2)), np.array([0]), None, np.array([7]))
    >>> shard.load().ids
    array([7])
    """

    def load(self) -> ShardRows:
        """Give the examples.

        Returns
        -------
        ShardRows
        """
        return self


def shard_sums(
    kernel: RadialKernel,
    lift: Lift,
    shards: Sequence[Shard],
    Q: ArrayLike,
    n_classes: int,
    *,
    precision: Precision = "double",
    n_jobs: int | None = 1,
    client: Any = None,
    progress: Callable[[int, int], None] | None = None,
) -> PartialSums:
    """Sum a kernel over the examples of all shards, by class, for each query.

    Each shard is summed by one thread or one worker, and the sums are merged in the order of the
    shards, whoever is first to finish: the result has the same bits whether the shards were summed
    in turn, by threads or by a cluster. At most two shards a thread are in memory at once.

    Parameters
    ----------
    kernel : RadialKernel
        Kernel of the gap.
    lift : Lift
        Fitted lift.
    shards : sequence of Shard
        The examples.
    Q : array-like of shape (m, d)
        Queries, finite.
    n_classes : int
        Number of classes.
    precision : {"double", "single"}, default="double"
        Precision of the compiled loops, as in `CompiledEngine`. Where the error of single precision
        might decide, the shards are gone through once more in double. Without numba, and for
        kernels that the loops do not know, the reference sums.
    n_jobs : int or None, default=1
        Threads, where there is no client.
    client : dask.distributed.Client, optional
        Cluster that sums the shards.
    progress : callable, optional
        Called with the number of shards merged and the number there are.

    Returns
    -------
    PartialSums
        Of shape (m, n_classes).

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> X, y, ids = np.array([[0.0], [1.0], [3.0]]), np.array([0, 1, 1]), np.arange(3)
    >>> parts = [ArrayShard(X[s], y[s], None, ids[s]) for s in (slice(0, 2), slice(2, 3))]
    >>> lift = fit_lift(X, "euclidean")
    >>> shard_sums(PowerKernel(1.0), lift, parts, [[2.0]], 2).proportions().round(12).tolist()
    [[0.2, 0.8]]
    """
    queries = float_rows(Q)

    def merged(job: _Job) -> PartialSums:
        sums = PartialSums.empty(len(job.queries), n_classes)
        for done, part in enumerate(_run(job, shards, n_jobs, client), start=1):
            sums = sums.merge(part[0])
            if progress is not None:
                progress(done, len(shards))
        return sums

    job = _Job(kernel, lift, queries, n_classes, precision, 0)
    sums = merged(job)
    if precision == "single" and (open_rows := np.flatnonzero(close(sums))).size:
        # The shards are read once more, for few queries.
        sums.put(open_rows, merged(job._replace(queries=queries[open_rows], precision="double")))
    return sums


def shard_contributors(
    kernel: RadialKernel,
    lift: Lift,
    shards: Sequence[Shard],
    Q: ArrayLike,
    k: int,
    n_classes: int,
    *,
    precision: Precision = "double",
    n_jobs: int | None = 1,
    client: Any = None,
) -> tuple[Contributors, Integers, Floats]:
    """Find the k examples of all shards that weigh most for each query.

    Parameters
    ----------
    kernel : RadialKernel
        Kernel of the gap.
    lift : Lift
        Fitted lift.
    shards : sequence of Shard
        The examples.
    Q : array-like of shape (m, d)
        Queries, finite.
    k : int
        How many; at most those there are.
    n_classes : int
        Number of classes.
    precision : {"double", "single"}, default="double"
        As in `shard_sums`.
    n_jobs : int or None, default=1
        Threads, where there is no client.
    client : dask.distributed.Client, optional
        Cluster that looks through the shards.

    Returns
    -------
    contributors : Contributors
        Its `indices` are ids.
    codes : ndarray of int64, shape (m, k)
        Classes of the examples, -1 where there is none.
    weight : ndarray of shape (m, k)
        Their weights, 0 where there is none.

    Raises
    ------
    ValueError
        If `k` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> X, y, ids = np.array([[0.0], [1.0], [3.0]]), np.array([0, 1, 1]), np.arange(5, 8)
    >>> parts = [ArrayShard(X[s], y[s], None, ids[s]) for s in (slice(0, 2), slice(2, 3))]
    >>> lift = fit_lift(X, "euclidean")
    >>> found, codes, _ = shard_contributors(PowerKernel(1.0), lift, parts, [[0.4]], 2, 2)
    >>> found.indices.tolist(), codes.tolist()
    ([[5, 6]], [[0, 1]])
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, {k} was got")
    queries = float_rows(Q)
    job = _Job(kernel, lift, queries, n_classes, precision, k)
    best = _Top.empty(len(queries), k)
    for part in _run(job, shards, n_jobs, client):
        best = best.merge(part[1])
    return Contributors(best.ids, best.logs, best.signs), best.codes, best.weight


class _Top(NamedTuple):
    """The heaviest examples of some shards, each of shape (m, k)."""

    ids: Integers
    logs: Floats
    signs: NDArray[np.int8]
    codes: Integers
    weight: Floats

    @classmethod
    def empty(cls, m: int, k: int) -> _Top:
        none = np.full((m, k), -1, dtype=np.int64)
        nothing = np.zeros((m, k))
        return cls(none, nothing - np.inf, nothing.astype(np.int8), none, nothing)

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.ids, self.logs, self.signs, self.codes, self.weight

    def merge(self, other: _Top) -> _Top:
        both: list[NDArray[Any]] = [
            np.concatenate([mine, theirs], axis=1)
            for mine, theirs in zip(self._arrays(), other._arrays(), strict=True)
        ]
        ids, logs, _, _, weight = both
        order = heaviest_order(ids, logs, weight)[:, : self.ids.shape[1]]
        return _Top(*(np.take_along_axis(part, order, axis=1) for part in both))


class _Job(NamedTuple):
    """What is to be done with each shard."""

    kernel: RadialKernel
    lift: Lift
    queries: Floats
    n_classes: int
    precision: Precision
    k: int  # how many contributors are wanted; 0 asks for the sums

    def of(self, shard: Shard) -> tuple[PartialSums, _Top]:
        """Sum a shard, or find its heaviest examples."""
        rows, codes, weight, ids = shard.load()
        fast = available("numba") and has_profile(self.kernel, self.lift)
        engine = None
        if fast:
            engine = CompiledEngine(
                self.lift, rows, codes, weight, self.n_classes, precision=self.precision
            )
        sums, top = PartialSums.empty(0, self.n_classes), _Top.empty(len(self.queries), self.k)
        if not self.k:
            sums = (
                class_sums(
                    self.kernel, self.lift, rows, codes, weight, self.queries, self.n_classes
                )
                if engine is None
                else engine.class_sums(self.kernel, self.queries, settle=False)
            )
        elif len(rows):
            found = (
                top_contributors(self.kernel, self.lift, rows, weight, self.queries, self.k)
                if engine is None
                else engine.top_contributors(self.kernel, self.queries, self.k)
            )
            at, here = found.indices, found.indices >= 0
            heavy = np.ones(len(rows)) if weight is None else weight
            top = top.merge(
                _Top(
                    np.where(here, ids[at], -1),
                    found.log_weights,
                    found.signs,
                    np.where(here, codes[at], -1),
                    np.where(here, heavy[at], 0.0),
                )
            )
        return sums, top


def _run(
    job: _Job, shards: Sequence[Shard], n_jobs: int | None, client: Any
) -> Iterator[tuple[PartialSums, _Top]]:
    """Give what becomes of the shards, in their order."""
    if client is not None:
        yield from _on_cluster(job, shards, client)
        return
    threads = min(number_of_threads(n_jobs), len(shards))
    with single_threaded_blas():
        if threads <= 1:
            yield from map(job.of, shards)
            return
        with ThreadPoolExecutor(threads) as pool:
            yield from _ahead(pool, job, shards, 2 * threads)


def _ahead(
    pool: ThreadPoolExecutor, job: _Job, shards: Iterable[Shard], most: int
) -> Iterator[tuple[PartialSums, _Top]]:
    """Keep some shards at work, so that neither a thread waits nor all results are held."""
    waiting: deque[Future[tuple[PartialSums, _Top]]] = deque()
    try:
        for shard in shards:
            if len(waiting) == most:
                yield waiting.popleft().result()
            waiting.append(pool.submit(job.of, shard))
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _on_cluster(
    job: _Job, shards: Sequence[Shard], client: Any
) -> Iterator[tuple[PartialSums, _Top]]:
    # Many queries go to each worker once; few are faster along with the shards, which are small
    # where they name a file.
    common: Any = job
    if job.queries.nbytes > _ALONG:
        (common,) = client.scatter([job], broadcast=True, hash=False)
    futures = client.map(_apply, shards, [common] * len(shards), pure=False)
    try:
        # Some at a time: each question to the scheduler takes milliseconds, and all of the answers
        # at once might be large.
        for start in range(0, len(futures), _TOGETHER):
            yield from client.gather(futures[start : start + _TOGETHER])
    finally:
        client.cancel(futures)


def _apply(shard: Shard, job: _Job) -> tuple[PartialSums, _Top]:
    with single_threaded_blas():
        return job.of(shard)
