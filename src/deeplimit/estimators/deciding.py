"""Decisions of a smoother by bounds of clusters, where they cost less than the sums."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import available
from deeplimit.engines.bounded import BoundedProportions, Found, Plan, bound_proportions, decide
from deeplimit.engines.choice import check_engine
from deeplimit.engines.clusters import ClusterIndex
from deeplimit.engines.live import Follower
from deeplimit.estimators.holding import followed
from deeplimit.examples import Change, ExampleSet
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums.lift import Lift
from deeplimit.sums.threads import number_of_threads

__all__ = ["Search", "search_of"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
T = TypeVar("T")
Sums = Callable[[Floats], Integers]

#: From this many examples on a search may pay: compiled sums over fewer take some 25 microseconds.
WORTH_SEARCHING = 20_000
# Clustering takes as long as the sums of 3,500 to 7,000 queries, whatever the number of examples,
# and trying it on parts of them as those of 400: queries that a thread has seen before it is tried.
_PATIENCE = 8192
# Queries that are tried, for each thread: a task of the compiled engine.
_PROBES = 128
# A call of fewer queries says too little to try anything by, and nobody wants it to wait.
_ENOUGH = 64
# Parts of the examples that a search is tried on: what it visits grows by a power of their number,
# which foretells it for all of them within a factor of about 2.
_SMALL, _LARGE = 1 / 64, 1 / 16
# Clusters of all examples are in no near cache: so much slower where they pay. By measurement.
_CACHES = 1.5
# The build takes n·ln n: so much more for an example than at a sixteenth of them. By measurement.
_DEEPER = 1.25
# Forgetting in the clusters takes a millisecond each, and clustering anew 4 to 12 µs an example.
_FORGOTTEN = 1 / 256
# Queries that what a search takes is averaged over.
_MEMORY = 256
# Weights larger or farther apart than this power of e are left to the full sums: clusters allow
# for 2^600.
_SPAN = 400.0
# Bounds of how far an image is from where gaps say that it is.
_ROUNDING = {"euclidean": 0.0, "none": 1e-6}
_PROJECTED = 2.0**-48


class _Trial(NamedTuple):
    """What the full sums of a query take, and what in units of it searching and clustering do."""

    seconds: float
    expected: float
    price: float


class Search(Follower):
    """Decisions by a power kernel, from clusters of the examples where that is cheaper.

    The classes are those of the full sums in either case: where a search cannot prove its
    decision, the sums decide. Clusters are made once so many queries came that they would have
    paid, which is measured: first on a part of the examples, then on all of them. Where they do not
    pay this is remembered, until examples are added or change class.

    Parameters
    ----------
    kernel : PowerKernel
        The kernel.
    lift : Lift
        Fitted lift.
    examples : ExampleSet
        The examples.
    factors : ndarray of shape (n_classes,)
        What the weights of each class are multiplied by.
    n_jobs : int or None, default=1
        Threads.

    Examples
    --------
    >>> from deeplimit.sums import fit_lift
    >>> kept = ExampleSet(1)
    >>> _ = kept.add(np.array([[0.0], [1.0], [3.0]]), ["a", "b", "b"], np.ones(3))
    >>> search = Search(PowerKernel(1.0), fit_lift([[0.0]], "euclidean"), kept, np.ones(2))
    >>> found = search.proportions(np.array([[2.0]]), tolerance=0.0, budget=None)
    >>> found.estimate.round(12).tolist()
    [[0.2, 0.8]]
    """

    kernel: PowerKernel

    def __init__(
        self,
        kernel: PowerKernel,
        lift: Lift,
        examples: ExampleSet,
        factors: Floats,
        *,
        n_jobs: int | None = 1,
    ) -> None:
        super().__init__(kernel, lift, examples, factors)
        self._n_jobs = n_jobs
        self._threads = number_of_threads(n_jobs)
        self._index: ClusterIndex | None = None
        self._slots: Integers = np.empty(0, dtype=np.int64)
        self._asked = 0
        self._trial: _Trial | None = None
        self._refused = False
        # Cost of a visited pair, measured on these clusters; infinite until it is.
        self._cost = np.inf
        self._expected = 0.0

    def _apply(self, changes: list[Change]) -> bool:
        """Take changes over, if examples have only been forgotten."""
        if any(change.kind != "forgotten" for change in changes):
            return False
        gone = [slot for change in changes for slot in change.slots]
        if self._index is not None:
            if len(gone) > _FORGOTTEN * len(self._index):
                self._drop()
            else:
                for place in np.flatnonzero(np.isin(self._slots, gone)):
                    self._index.forget(int(place))
        return True

    def winners(self, Q: Floats, sums: Sums) -> Integers:
        """Decide queries as the full sums do.

        Parameters
        ----------
        Q : ndarray of shape (m, d)
            Queries, finite.
        sums : callable
            Gives the class of each of some queries by the full sums.

        Returns
        -------
        ndarray of int64, shape (m,)
            Classes.
        """
        self._asked += len(Q)
        index = self._paying(Q, sums)
        if index is None:
            return sums(Q)
        images = self.lift.transform(Q)
        winner = np.full(len(Q), -1, dtype=np.int64)
        some = self._some(len(Q))
        found = self._decide(index, images[some])
        winner[some] = np.where(found.certain, found.winner, -1)
        if self._note(index, found).worth_it and some.size < len(Q):
            rest = np.setdiff1d(np.arange(len(Q)), some, assume_unique=True)
            found = self._decide(index, images[rest])
            winner[rest] = np.where(found.certain, found.winner, -1)
        left = np.flatnonzero(winner < 0)
        if left.size:
            winner[left] = sums(Q[left])
        return winner

    def proportions(
        self, Q: Floats, *, tolerance: float, budget: float | None, shared: bool = False
    ) -> BoundedProportions:
        """Bound each class's share of the sums; clusters are made if there are none.

        Parameters
        ----------
        Q : ndarray of shape (m, d)
            Queries, finite.
        tolerance : float
            Width of the intervals to stop at.
        budget : float or None
            Most pairs to visit for each query, as a part of the examples.
        shared : bool, default=False
            Whether the queries share the budget, which then is their mean.

        Returns
        -------
        BoundedProportions
            As from `bound_proportions`.
        """
        if self._index is None:
            self._index = self._clustered()
        return bound_proportions(
            self._index, self.kernel.exponent, self.lift.transform(Q),
            tolerance=tolerance, budget=budget, shared=shared, n_jobs=self._n_jobs,
        )  # fmt: skip

    def _paying(self, Q: Floats, sums: Sums) -> ClusterIndex | None:
        """Give the clusters if it pays to search them: try that, or make them, when it is time."""
        if self._cost < np.inf:
            return self._index
        if self._refused or len(Q) < _ENOUGH or self._asked < _PATIENCE * self._threads:
            return None
        if self._trial is None:
            self._trial = self._tried(Q, sums)
        if self._trial is None or self._trial.expected >= 1.0:
            self._refuse()
            return None
        if self._index is None:
            if self._asked * (1.0 - self._trial.expected) < self._trial.price:
                return None
            self._index = self._clustered()
        images = self.lift.transform(Q[self._some(len(Q))])
        seconds, found = self._searched(self._index, images)
        visited = float(found.visited.sum()) / len(self._index)
        self._cost = seconds / (visited * self._trial.seconds)
        self._expected = self._plan(self._index, found, self._cost).expected
        if self._expected >= 1.0:
            self._refuse()
        return self._index

    def _tried(self, Q: Floats, sums: Sums) -> _Trial | None:
        """Measure the full sums, and on parts of the examples what would be taken instead."""
        e = self._examples
        weight = (e.weights * self.factors[e.codes])[e.live_slots]
        logs = np.log(weight[weight > 0.0])
        if not (logs.size and np.ptp(logs) < _SPAN and logs.max() < _SPAN):
            return None
        queries = Q[self._some(len(Q))]
        images = self.lift.transform(queries)
        # What is made ready at the first question is no part of what a question takes.
        sums(queries[:1])
        full = _timed(partial(sums, queries))[0] / len(queries)
        visited: list[float] = []
        for part in (_SMALL, _LARGE):
            build, index = _timed(partial(self._clustered, part))
            self._decide(index, images[:1])
            seconds, found = self._searched(index, images)
            visited.append(float(found.visited.sum()))
        # The large part is 4 times the small one, and all are 4² times the large one. That holds
        # for what is visited, and only nearly for the time, whose noise it would square besides.
        growth = min(max(1.0, visited[1] / visited[0]), 4.0)
        search = _CACHES * growth**2 * seconds / len(queries)
        uncertain = float(np.mean(~found.certain))
        return _Trial(full, search / full + uncertain, build * _DEEPER / (_LARGE * full))

    def _clustered(self, part: float = 1.0) -> ClusterIndex:
        """Cluster the examples, or a part of them drawn at random."""
        e, slots = self._examples, self._examples.live_slots
        if part < 1.0:
            slots = slots[_drawn(slots.size, max(1, int(part * slots.size)))]
        weight = e.weights[slots] * self.factors[e.codes[slots]]
        # A product may have underflowed: what weighs nothing is no member, and cannot be forgotten.
        slots, weight = slots[weight > 0.0], weight[weight > 0.0]
        if part == 1.0:
            self._slots = slots
        return ClusterIndex.build(
            self.lift.transform(e.rows[slots]), e.codes[slots], weight, self.factors.size,
            rounding=_ROUNDING.get(self.lift.kind, _PROJECTED),
        )  # fmt: skip

    def _decide(self, index: ClusterIndex, images: Floats) -> Found:
        return decide(index, self.kernel.exponent, images, n_jobs=self._n_jobs)

    def _searched(self, index: ClusterIndex, images: Floats) -> tuple[float, Found]:
        """Search twice, and give the less of the times: it is short, and others may interrupt."""
        first, found = _timed(partial(self._decide, index, images))
        return min(first, _timed(partial(self._decide, index, images))[0]), found

    def _plan(self, index: ClusterIndex, found: Found, cost: float) -> Plan:
        visited = float(np.mean(found.visited)) / len(index)
        return Plan(visited, float(np.mean(~found.certain)), cost)

    def _note(self, index: ClusterIndex, found: Found) -> Plan:
        """Say what these queries took, and search no more where most of late took too much."""
        plan = self._plan(index, found, self._cost)
        weight = len(found.winner) / (len(found.winner) + _MEMORY)
        self._expected += weight * (plan.expected - self._expected)
        if self._expected >= 1.0:
            self._refuse()
        return plan

    def _some(self, m: int) -> Integers:
        """Draw the queries that are tried before the others."""
        return _drawn(m, min(m, _PROBES * self._threads))

    def _drop(self) -> None:
        """Let the clusters go: others have to pay again."""
        self._index, self._cost, self._asked = None, np.inf, 0

    def _refuse(self) -> None:
        self._drop()
        self._refused = True


def _drawn(n: int, size: int) -> Integers:
    """Draw numbers below n without repetition, ascending; the same each time."""
    if size == n:
        return np.arange(n)
    drawn: Integers = np.random.default_rng(0).choice(n, size, replace=False, shuffle=False)
    return np.sort(drawn)


def _timed(function: Callable[[], T]) -> tuple[float, T]:
    """Give the seconds that a function takes, and what it gives."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def search_of(model: Any, *, wanted: bool = False) -> Search | None:
    """Give the search of a classifier, the changes since it was made followed.

    Parameters
    ----------
    model : ExampleClassifier
        The classifier. It keeps the search, in `_live`, from change to change.
    wanted : bool, default=False
        Whether clusters are asked for. Otherwise there is a search only where it may pay: with
        ``engine="auto"``, numba and 20,000 examples.

    Returns
    -------
    Search or None
        None if there is none, or the kernel is no pure power.

    Examples
    --------
    >>> import deeplimit as dl
    >>> model = dl.HilbertClassifier(1.0).fit([[0.0], [1.0]], ["a", "b"])
    >>> search_of(model), search_of(model, wanted=True) is None
    (None, False)
    """
    kernel, examples = getattr(model, "kernel_", None), model._examples
    if not isinstance(kernel, PowerKernel):
        return None
    large = len(examples) >= WORTH_SEARCHING and check_engine(model.engine) == "auto"
    if not (wanted or (large and available("numba"))):
        return None
    return followed(
        model, "search", kernel,
        lambda factors: Search(kernel, model.lift_, examples, factors, n_jobs=model.n_jobs),
    )  # fmt: skip
