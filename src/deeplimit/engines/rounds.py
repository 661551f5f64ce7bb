"""Rounds of searches that share a budget: they go deepest where a decision is closest."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Searched", "depths_of", "share"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Depths as parts of the budget of a query. The first is no less than so many leaves: estimates from
# fewer are worth nothing where the nearest examples hold most of the sum. Where the first ones are
# bad all queries take the second, which is nearly what they would have without sharing.
_FIRST, _SECOND, _LEAVES = 0.125, 0.75, 8
# A search begins anew each time: at a factor of 4 all that came before is a third of it.
_DEEPER = 4
# A search deeper than this part of the examples may as well go on to the end.
_DEEPEST = 0.6
# What is left after the first round is spent in so many parts, and after each the queries are put
# in order again.
_PARTS = 8
# Changes of margins to take their mean of.
_FEW = 3
# What an error is taken for in a round that nobody took, as part of that of the round before.
_LESS = 0.5
_TINY = float(np.finfo(np.float64).tiny)


class Searched(NamedTuple):
    """What searches found of the shares of the classes.

    Parameters
    ----------
    lower, estimate, upper : ndarray of shape (m, n_classes)
        Intervals, and estimates in them.
    reached : ndarray of bool, shape (m,)
        Whether the intervals are as narrow as was asked for.
    short : ndarray of bool, shape (m,)
        Whether a search ended at its limit, so that a higher one tells more.
    visited : ndarray of int64, shape (m,)
        Pairs that were visited.

    Examples
    --------
    >>> shares = np.array([[0.25, 0.75]])
    >>> none = np.array([False])
    >>> Searched(shares, shares, shares, ~none, none, np.array([3])).visited.tolist()
    [3]
    """

    lower: Floats
    estimate: Floats
    upper: Floats
    reached: Flags
    short: Flags
    visited: Integers


def depths_of(pairs: float, n: int, leaf: int, end: int) -> Integers:
    """Give the limits of the rounds.

    Parameters
    ----------
    pairs : float
        Budget of a query.
    n : int
        Number of examples.
    leaf : int
        Members of the largest leaf.
    end : int
        Most that a search can visit.

    Returns
    -------
    ndarray of int64
        Pairs, increasing: an eighth of the budget, three quarters of it, then four times the last
        up to six tenths of the examples, then all.

    Examples
    --------
    >>> depths_of(5000.0, 100_000, 48, 106_000).tolist()
    [625, 3750, 15000, 60000, 106000]
    >>> depths_of(1000.0, 100_000, 48, 106_000).tolist()
    [384, 750, 3000, 12000, 48000, 106000]
    """
    first = max(1, int(min(pairs, end, max(_FIRST * pairs, _LEAVES * leaf))))
    depths, depth = [first], _SECOND * pairs
    while 0.0 < depth <= _DEEPEST * n:
        if int(depth) > first:
            depths.append(int(depth))
        depth *= _DEEPER
    return np.array([*depths, end] if first < end else depths)


def share(
    search: Callable[[Integers, int], Searched],
    m: int,
    depths: Integers,
    leaf: int,
    total: float,
) -> Searched:
    """Search for queries in rounds, until what they may visit together is spent.

    Parameters
    ----------
    search : callable
        Searches for some queries, given by their numbers, up to a limit of pairs for each.
    m : int
        Number of queries.
    depths : ndarray of int64
        Limits of the rounds, increasing; the last is the end of all searches.
    leaf : int
        Members of the largest leaf: a search may visit less than so many beyond its limit.
    total : float
        Pairs that all queries may visit together.

    Returns
    -------
    Searched
        What the deepest search for each query found, its intervals cut by those found before;
        `visited` is the sum over all searches for it.

    Notes
    -----
    All queries are searched for to the first depth. Then those take the next one whose decision is
    most likely to be mended by it, per pair: with the margin g by which one class leads another in
    the estimate, an error of size s changes the decision with a probability that falls like
    exp(-g/s), and the next depth c costs c pairs, so that those with the largest exp(-g/s)/c are
    taken. The size s at a depth is the root of the mean square of what the margins changed by from
    there to the next, of the queries that took it. So where estimates are bad at first all
    queries go on, as without sharing, and where they are good the rest is spent on ties.
    A query whose class is settled by the intervals, or whose search is not short, takes no more.

    Examples
    --------
    >>> def search(rows, limit):  # the nearer to a tie, the later it is known
    ...     shares = np.array([[0.9, 0.1], [0.51, 0.49]])[rows]
    ...     off, none = 4.0 / limit, np.zeros(len(rows), dtype=bool)
    ...     visited = np.full(len(rows), limit)
    ...     return Searched(shares - off, shares, shares + off, none, ~none, visited)
    >>> share(search, 2, np.array([10, 40, 160, 640]), 1, 800.0).visited.tolist()
    [50, 749]
    """
    found = search(np.arange(m), int(depths[0]))
    # What a search may cost, lest the last one spends more than there is.
    costs = np.minimum(depths + leaf, depths[-1]).astype(np.float64)
    level = np.zeros(m, dtype=np.int64)
    changes = _Changes(len(depths) - 1)
    rest = total - float(found.visited.sum())
    part = rest / _PARTS
    while True:
        open_ = found.short & (level < len(depths) - 1) & ~_settled(found)
        rows = np.flatnonzero(open_)
        if not rows.size:
            return found
        gain = changes.gain(level[rows], _margins(found.estimate)[rows])
        price = costs[level[rows] + 1]
        order = np.argsort(np.log(price) - gain, kind="stable")
        count = int(np.searchsorted(np.cumsum(price[order]), min(part, rest), side="right"))
        if count == 0:
            # One may cost more than a part; where none can be paid the rest is for the first.
            paid = order[price[order] <= rest]
            if not paid.size:
                row, limit = rows[order[:1]], int(rest) - leaf
                if limit > depths[level[row[0]]]:
                    found = _merged(found, row, search(row, limit))
                return found
            order, count = paid, 1
        taken = np.sort(rows[order[:count]])
        for k, depth in reversed(list(enumerate(depths[1:].tolist()))):
            chosen = taken[level[taken] == k]
            if chosen.size:
                new = search(chosen, depth)
                changes.note(k, found.estimate[chosen], new.estimate)
                found = _merged(found, chosen, new)
                level[chosen] += 1
        rest = total - float(found.visited.sum())


class _Changes:
    """What margins changed by from one depth to the next: the errors of estimates."""

    def __init__(self, n_steps: int) -> None:
        self._squares, self._counts = np.zeros(n_steps), np.zeros(n_steps)

    def note(self, step: int, before: Floats, after: Floats) -> None:
        rows = np.arange(len(before))
        first, second = np.argsort(before, axis=1, kind="stable")[:, -2:].T
        change = (after - before)[rows, second] - (after - before)[rows, first]
        self._squares[step] += float(np.sum(change * change))
        self._counts[step] += len(before)

    def gain(self, step: Integers, margins: Floats) -> Floats:
        """Logarithm of the probability that the step changes a decision, up to a constant."""
        sizes = np.empty(len(self._counts))
        last = float(np.median(margins)) / _LESS
        for k, count in enumerate(self._counts):
            known = count >= _FEW
            last = float(np.sqrt(self._squares[k] / count)) if known else _LESS * last
            sizes[k] = max(last, _TINY)
        gain: Floats = -margins / sizes[step]
        return gain


def _margins(estimate: Floats) -> Floats:
    """By how much the largest share leads the second."""
    two = np.partition(estimate, -2, axis=1)[:, -2:]
    margins: Floats = two[:, 1] - two[:, 0]
    return margins


def _settled(found: Searched) -> Flags:
    """Say whose class is known: its lower bound is above all other upper ones."""
    best = np.argmax(found.estimate, axis=1)[:, None]
    lowest = np.take_along_axis(found.lower, best, axis=1)[:, 0]
    others = found.upper.copy()
    np.put_along_axis(others, best, -1.0, axis=1)
    settled: Flags = others.max(axis=1) < lowest
    return settled


def _merged(found: Searched, rows: Integers, new: Searched) -> Searched:
    """Replace some rows by what a deeper search found, intervals cut by the former."""
    lower = np.maximum(new.lower, found.lower[rows])
    upper = np.minimum(new.upper, found.upper[rows])
    found.lower[rows], found.upper[rows] = lower, upper
    found.estimate[rows] = np.clip(new.estimate, lower, upper)
    found.reached[rows], found.short[rows] = new.reached, new.short
    found.visited[rows] += new.visited
    return found
