"""Decisions and proportions from bounds of clusters: exact, at less than the cost of all pairs."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.engines.clusters import ClusterIndex, Floats, Integers
from deeplimit.engines.rounds import Searched, depths_of, share
from deeplimit.sums.decision import TIE_TOLERANCE
from deeplimit.sums.scaling import float_rows
from deeplimit.sums.threads import map_blocks

__all__ = ["BoundedProportions", "Found", "Plan", "bound_proportions", "decide", "plan"]

Flags = NDArray[np.bool_]

# Queries to a task, at most, and tasks for the threads to share where there are few queries.
_BLOCK, _TASKS = 64, 16
# Up to here a power by multiplying is faster than by a logarithm.
_LARGEST_WHOLE = 64
_PROBES = 64
# What a pair costs that a search visits, in pairs of sums in blocks by NumPy: 2 to 8 in
# benchmarks/bench_below_linear.py.
_COST = 5.0


class Found(NamedTuple):
    """Which class wins each query, and whether that is proved.

    Parameters
    ----------
    winner : ndarray of int64, shape (m,)
        Class of the largest sum; where it is not certain, of the largest lower bound.
    certain : ndarray of bool, shape (m,)
        True where the full sums give the same class, without a tie. Where False, classes tie or
        nearly tie, or examples lie too near to tell: the full sums must decide.
    visited : ndarray of int64, shape (m,)
        Bounds of clusters and terms of examples that were computed.

    Examples
    --------
    >>> index = ClusterIndex.build([[0.0], [1.0], [5.0]], [0, 0, 1], None, 2)
    >>> decide(index, 1.0, [[2.0], [10 / 3]]).certain.tolist()
    [True, True]
    """

    winner: Integers
    certain: Flags
    visited: Integers


class BoundedProportions(NamedTuple):
    """Proportions of the classes, each with an interval that holds the exact one.

    Parameters
    ----------
    lower, estimate, upper : ndarray of shape (m, n_classes)
        Bounds, and an estimate between them from the moments of the clusters that stayed closed.
    reached : ndarray of bool, shape (m,)
        True where every interval is as narrow as was asked for.
    visited : ndarray of int64, shape (m,)
        Bounds of clusters and terms of examples that were computed.

    Examples
    --------
    >>> index = ClusterIndex.build([[0.0], [1.0], [5.0]], [0, 0, 1], None, 2)
    >>> bound_proportions(index, 1.0, [[2.0]]).estimate.round(4).tolist()
    [[0.8182, 0.1818]]
    """

    lower: Floats
    estimate: Floats
    upper: Floats
    reached: Flags
    visited: Integers


@dataclass(frozen=True)
class Plan:
    """What a search costs on a sample of the queries.

    Parameters
    ----------
    visited : float
        Part of the pairs that were visited, in the mean.
    uncertain : float
        Part of the queries that the full sums must decide.
    cost : float
        Cost of a visited pair, in pairs of the full sums.

    Attributes
    ----------
    expected : float
        Cost of all decisions in units of the full sums: `visited * cost + uncertain`.
    worth_it : bool
        True if that is below 1.

    Examples
    --------
    >>> Plan(visited=0.1, uncertain=0.25, cost=5.0).expected
    0.75
    """

    visited: float
    uncertain: float
    cost: float

    @property
    def expected(self) -> float:
        """Cost in units of the full sums."""
        return self.visited * self.cost + self.uncertain

    @property
    def worth_it(self) -> bool:
        """Whether searching is cheaper than the full sums."""
        return self.expected < 1.0


def decide(
    index: ClusterIndex, exponent: float, queries: ArrayLike, *, n_jobs: int | None = 1
) -> Found:
    """Find the class with the largest sum of ‖q - x‖^(-α), with proof.

    Clusters are opened until the lower bound of one class passes the upper bounds of all others.

    Parameters
    ----------
    index : ClusterIndex
        The examples.
    exponent : float
        The exponent α, positive.
    queries : array-like of shape (m, D)
        Images of the queries under the lift of the examples.
    n_jobs : int or None, default=1
        Number of threads; the result does not depend on it.

    Returns
    -------
    Found
        Winners; those that are certain are the untied decisions of the full sums.

    Raises
    ------
    ImportError
        If numba is absent.
    ValueError
        If the exponent is not positive and finite, or the queries are no finite images of the
        examples' dimension.

    Notes
    -----
    f(u) = u^(-α/2) of the squared distance u has derivatives of alternating sign. Over a cluster of
    weight W with mean μ and variance V the mean of u is ū = ‖q - μ‖² + V, exactly. So Wf(ū) is a
    lower bound of the sum (Jensen) and W times the chord over [u_min, u_max] at ū an upper one
    (Edmundson and Madansky [1]_), where u_min comes from the cluster's ball and box. With bounds of
    the standard deviation σ of u both become sharper: among the distributions on [u_min, u_max]
    with a given mean and deviation, one with two atoms, u_min and ū + σ²/(ū - u_min), has the
    largest mean of f, and one with atoms u_max and ū - σ²/(u_max - ū) the least [2]_. From
    u = ‖q - μ‖² - 2(q - μ)·(x - μ) + ‖x - μ‖², σ is within 2‖q - μ‖λ ± κ: λ² between the extreme
    eigenvalues of the cluster's covariance, κ the deviation of ‖x - μ‖². All bounds are widened by
    the rounding errors, and a decision within the error of the full sums (a relative 2^-40 and more
    for large α) is not certain. Coincident examples decide before the sums; they are found because
    the upper bound of a cluster that may hold one is infinite.

    References
    ----------
    .. [1] A. Madansky, "Bounds on the expectation of a convex function of a multivariate random
       variable", Annals of Mathematical Statistics 30 (1959) 743-746.
    .. [2] S. Karlin, W. Studden, "Tchebycheff systems: with applications in analysis and
       statistics", Interscience (1966), chapter III.

    Examples
    --------
    >>> index = ClusterIndex.build([[0.0], [1.0], [5.0]], [0, 0, 1], None, 2)
    >>> decide(index, 1.0, [[2.0], [4.0], [5.0]]).winner.tolist()
    [0, 1, 1]
    """
    searched = _search(index, exponent, queries, -1.0, _end(index), n_jobs)
    known = np.isin(searched.state, (searched.loops.CERTAIN, searched.loops.HIT))
    return Found(searched.winner, known, searched.visited)


def bound_proportions(
    index: ClusterIndex,
    exponent: float,
    queries: ArrayLike,
    *,
    tolerance: float = 0.01,
    budget: float | None = None,
    shared: bool = False,
    n_jobs: int | None = 1,
) -> BoundedProportions:
    """Bound each class's share of the sums of ‖q - x‖^(-α).

    Clusters whose bounds are farthest apart are opened first, until the intervals are narrow or the
    budget is spent; with a tolerance of 0, where nothing but the budget is an end, also those that
    are likely to add most, for the sake of the estimate. For α below half the dimension the rest is
    well described by its moments, and the estimate is good long before the intervals are narrow.
    For α near the dimension and beyond the nearest clusters hold nearly all of the sum.

    Parameters
    ----------
    index : ClusterIndex
        The examples.
    exponent : float
        The exponent α, positive.
    queries : array-like of shape (m, D)
        Images of the queries under the lift of the examples.
    tolerance : float, default=0.01
        Width of the intervals to stop at, nonnegative.
    budget : float, optional
        Most pairs to visit for each query, as a part of the examples; the last leaf opened may
        exceed it. No bound if not given.
    shared : bool, default=False
        Whether the budget is the mean over the queries, which share it: all begin with a part, and
        the rest goes where the classes with the largest estimates are closest, so that fewer
        decisions differ from those of the full sums. What is found of a query then depends on
        what it is asked together with.
    n_jobs : int or None, default=1
        Number of threads; the result does not depend on it.

    Returns
    -------
    BoundedProportions
        Intervals and estimates. An interval is [0, 1] where examples lie too near to tell whether
        they coincide with the query. With a shared budget `visited` is the sum over all searches
        for a query, and one whose class is known by the intervals takes no more than it had then.

    Raises
    ------
    ImportError
        If numba is absent.
    ValueError
        If the exponent, the tolerance, the budget or the queries are out of range, or a budget is
        to be shared that is not given.

    Notes
    -----
    A budget is shared in rounds, each of which searches anew and deeper, for those queries first
    whose decision an error of the estimate, as large as those of the last round, changes most
    likely. It pays for exponents well below the dimension. Near it, and beyond, estimates from a
    part of the budget are so coarse that as much for each query may change fewer decisions.

    Examples
    --------
    >>> index = ClusterIndex.build([[0.0], [1.0], [5.0]], [0, 0, 1], None, 2)
    >>> found = bound_proportions(index, 1.0, [[2.0]])
    >>> found.lower.round(2).tolist(), found.upper.round(2).tolist(), found.reached.tolist()
    ([[0.82, 0.18]], [[0.82, 0.18]], [True])
    """
    if not 0.0 <= tolerance < np.inf:
        raise ValueError(f"tolerance must be a finite nonnegative number, {tolerance} was got")
    if budget is not None and not 0.0 < budget < np.inf:
        raise ValueError(f"budget must be a positive finite number or None, {budget} was got")
    if shared and budget is None:
        raise ValueError("there is no budget to be shared: give one, or leave `shared` out")
    rows, end = float_rows(queries), _end(index)

    def search(some: Integers | slice, limit: int) -> Searched:
        found = _search(index, exponent, rows[some], tolerance, limit, n_jobs)
        # The full sums have errors of their own, and their shares too must lie within.
        lower = found.low * (1.0 - found.margin)
        upper = np.minimum(found.high * (1.0 + found.margin), 1.0)
        reached = np.isin(found.state, (found.loops.CERTAIN, found.loops.HIT))
        short = found.state == found.loops.SHORT
        return Searched(lower, found.middle, upper, reached, short, found.visited)

    pairs = np.inf if budget is None else budget * len(index)
    if shared and len(rows) > 1 and index.n_classes > 1:
        leaf = int(index.nodes.number[index.nodes.child < 0].max(initial=1))
        depths = depths_of(pairs, len(index), leaf, end)
        found = share(search, len(rows), depths, leaf, pairs * len(rows))
    else:
        found = search(slice(None), max(1, int(min(pairs, end))))
    return BoundedProportions(
        found.lower, found.estimate, found.upper, found.reached, found.visited
    )


def plan(
    index: ClusterIndex,
    exponent: float,
    queries: ArrayLike,
    *,
    cost: float = _COST,
    n_jobs: int | None = 1,
) -> Plan:
    """Try `decide` on 64 of the queries, evenly taken, to see whether it is worth it.

    Parameters
    ----------
    index : ClusterIndex
        The examples.
    exponent : float
        The exponent α, positive.
    queries : array-like of shape (m, D)
        Images of the queries.
    cost : float, default=5
        Cost of a visited pair, in pairs of the full sums that it is compared with: about 5 for
        the reference, 20 to 190 for the compiled engine: the more, the fewer are visited.
    n_jobs : int or None, default=1
        Number of threads.

    Returns
    -------
    Plan
        The parts visited and uncertain; `worth_it` answers. Without queries or examples it is not.

    Raises
    ------
    ImportError
        If numba is absent.
    ValueError
        If the cost is not positive and finite, or for the reasons of `decide`.

    Examples
    --------
    >>> index = ClusterIndex.build([[0.0], [1.0], [5.0]], [0, 0, 1], None, 2)
    >>> plan(index, 1.0, [[2.0]]).worth_it
    False
    """
    if not 0.0 < cost < np.inf:
        raise ValueError(f"cost must be a positive finite number, {cost} was got")
    rows = float_rows(queries)
    rows = rows[:: max(1, -(-len(rows) // _PROBES))]
    found = decide(index, exponent, rows, n_jobs=n_jobs)
    if not len(rows) or not len(index):
        return Plan(1.0, 1.0, float(cost))
    return Plan(
        float(np.mean(found.visited)) / len(index), float(np.mean(~found.certain)), float(cost)
    )


class _Searched(NamedTuple):
    """What the compiled search filled in, for all queries."""

    winner: Integers
    state: Integers
    visited: Integers
    low: Floats
    middle: Floats
    high: Floats
    margin: float
    loops: Any


def _search(
    index: ClusterIndex,
    exponent: float,
    queries: ArrayLike,
    tolerance: float,
    limit: int,
    n_jobs: int | None,
) -> _Searched:
    alpha, rows, d = float(exponent), float_rows(queries), index.n_features
    if not 0.0 < alpha < np.inf:
        raise ValueError(f"exponent must be a positive finite number, {exponent!r} was got")
    if rows.ndim != 2 or rows.shape[1] != d:
        raise ValueError(f"queries of shape (m, {d}) are expected, {rows.shape} was got")
    if not bool(np.all(np.abs(rows) <= index.FARTHEST)):
        raise ValueError("a query is not finite or beyond 2^501: give images of the fitted lift")
    # numba is imported with the loops, and only when they are wanted.
    loops: Any = importlib.import_module("deeplimit.engines.bounded_loops")
    half, m, n_classes = alpha / 2.0, len(rows), index.n_classes
    whole = int(alpha) if alpha == int(alpha) and alpha <= _LARGEST_WHOLE else -1
    # The error of the full sums: gaps by products of matrices have lost up to 7 bits.
    margin = 4.0 * TIE_TOLERANCE + half * (128 * d + 2048) * 2.0**-52
    winner, state, visited = (np.zeros(m, dtype=np.int64) for _ in range(3))
    low, middle, high = (np.zeros((m, n_classes if tolerance >= 0.0 else 0)) for _ in range(3))

    def block(part: slice) -> None:
        loops.search(
            index.nodes,
            rows[part],
            n_classes,
            half,
            whole,
            2.0 * index.rounding,
            margin,
            tolerance,
            limit,
            winner[part],
            state[part],
            visited[part],
            low[part],
            middle[part],
            high[part],
        )

    step = min(_BLOCK, max(1, -(-m // _TASKS)))
    map_blocks(block, [slice(a, min(a + step, m)) for a in range(0, m, step)], n_jobs)
    return _Searched(winner, state, visited, low, middle, high, margin, loops)


def _end(index: ClusterIndex) -> int:
    """Give what no search reaches: more than all clusters and all their members."""
    return len(index.nodes.label) + len(index) + 1
