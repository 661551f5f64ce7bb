"""The search through a tree of clusters, one query after the other, compiled by numba."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deeplimit.engines.cluster_loops import (
    UNDERFLOW,
    bounds,
    count_hits,
    distance2,
    jit,
    open_leaf,
    power_of,
    sum_members,
)
from deeplimit.engines.clusters import Floats, Integers, Nodes

__all__ = ["CERTAIN", "HIT", "OPEN", "SHORT", "search"]

Flags = NDArray[np.bool_]

# How a search ended: decided or narrow enough; opened to the end without; out of budget; decided
# by examples at the query itself.
CERTAIN, OPEN, SHORT, HIT = 0, 1, 2, 3

# What underflows beside the largest term is less than this, whatever the weights.
_FLOOR = 2.0**-900
# No term may grow beyond: the unit of all is changed before.
_LARGE = 2.0**100
_EPS = float(np.finfo(np.float64).eps)
# Of the open nodes those are opened that may bring at least this part of the largest.
_PART = 0.25
# Rows of the arrays that hold bounds, the estimate, and what opening a node may add.
_LOW, _HIGH, _MIDDLE, _KEY = 0, 1, 2, 3


@jit
def _rescale(values: Floats, length: int, step: float) -> None:
    """Multiply sums by a factor below 1 that may underflow, bounds staying bounds."""
    upward = max(step, _FLOOR)
    downward = step if step > _FLOOR else 0.0
    for i in range(length):
        values[_LOW, i] *= downward
        for row in (_HIGH, _MIDDLE, _KEY):
            values[row, i] *= upward


@jit
def _total(
    nodes: Nodes,
    front: Integers,
    values: Floats,
    length: int,
    exact: Floats,
    error: float,
    sums: Floats,
) -> int:
    """Add up what is open and what is exact, and give the class of the largest lower bound."""
    n_classes = sums.shape[1]
    sums[:] = exact
    for i in range(length):
        c = nodes.label[front[i]]
        for row in (_LOW, _HIGH, _MIDDLE):
            sums[row, c] += values[row, i]
    best = 0
    for c in range(n_classes):
        sums[_LOW, c] = max(0.0, sums[_LOW, c] * (1.0 - error) - _FLOOR)
        sums[_HIGH, c] = sums[_HIGH, c] * (1.0 + error) + _FLOOR
        if sums[_LOW, c] > sums[_LOW, best]:
            best = c
    return best


@jit
def _rivals(sums: Floats, best: int, margin: float, relevant: Flags) -> bool:
    """Mark the classes that may still win, and say whether there is another than the best."""
    bar = sums[_LOW, best] * (1.0 - margin)
    several = False
    for c in range(relevant.size):
        relevant[c] = c == best or sums[_HIGH, c] * (1.0 + margin) >= bar
        several = several or (relevant[c] and c != best)
    return several


@jit
def _mark(
    nodes: Nodes,
    front: Integers,
    values: Floats,
    length: int,
    relevant: Flags,
    by_key: Flags,
    gaps: Floats,
) -> float:
    """Fill in what opening each node may bring, and give the largest."""
    largest = 0.0
    for i in range(length):
        c = nodes.label[front[i]]
        gaps[i] = values[_KEY, i] if by_key[c] else values[_HIGH, i] - values[_LOW, i]
        gaps[i] = gaps[i] if relevant[c] else 0.0
        largest = max(largest, gaps[i])
    return largest


@jit
def _proportions(sums: Floats, low: Floats, middle: Floats, high: Floats) -> float:
    """Bound the shares of the classes, and give the widest interval."""
    lower, upper, estimate = sums[_LOW], sums[_HIGH], sums[_MIDDLE]
    n = lower.size
    error = (n + 8) * _EPS
    rest_low = rest_high = 0.0
    for c in range(n):
        low[c], high[c] = rest_high, rest_low
        rest_high += upper[c]
        rest_low += lower[c]
    rest_low = rest_high = whole = 0.0
    for c in range(n - 1, -1, -1):
        others_high, others_low = low[c] + rest_high, high[c] + rest_low
        rest_high += upper[c]
        rest_low += lower[c]
        low[c] = lower[c] / (lower[c] + others_high) * (1.0 - error) if lower[c] > 0.0 else 0.0
        high[c] = 1.0
        if upper[c] < np.inf:
            high[c] = min(1.0, upper[c] / (upper[c] + others_low) * (1.0 + error))
        whole += estimate[c]
    widest = 0.0
    for c in range(n):
        share = estimate[c] / whole if 0.0 < whole < np.inf else 1.0 / n
        middle[c] = min(max(share, low[c]), high[c])
        widest = max(widest, high[c] - low[c])
    return widest


@jit
def _heaviest(hits: Floats, margin: float) -> tuple[int, bool]:
    """Give the class of the largest weight, and whether no other ties with it."""
    best, known = 0, True
    for c in range(hits.size):
        if hits[c] > hits[best]:
            best = c
    for c in range(hits.size):
        if c != best and hits[c] * (1.0 + margin) >= hits[best]:
            known = False
    return best, known


@jit
def search(
    nodes: Nodes,
    queries: Floats,
    n_classes: int,
    half: float,
    whole: int,
    image: float,
    margin: float,
    tolerance: float,
    limit: int,
    winner: Integers,
    state: Integers,
    visited: Integers,
    low: Floats,
    middle: Floats,
    high: Floats,
) -> None:
    """Search for each query until its decision or its proportions are known well enough.

    Parameters
    ----------
    nodes : Nodes
        The clusters.
    queries : ndarray of shape (m, D)
        Images of the queries.
    n_classes : int
        Number of classes.
    half : float
        Half the exponent.
    whole : int
        The exponent where it is a whole number of moderate size, else -1.
    image : float
        Bound of the error of a distance that comes from rounded images.
    margin : float
        Relative difference of sums below which the classes tie.
    tolerance : float
        Width of the intervals of proportions to reach; negative: search for the decision.
    limit : int
        Most pairs to visit.
    winner, state, visited : ndarray of int64, shape (m,)
        Filled: best class, how it ended, bounds and members that were computed.
    low, middle, high : ndarray of shape (m, n_classes)
        Filled: bounds and estimate of the proportions, where `tolerance` is not negative.
    """
    size, dimension = nodes.centre.shape
    pad = (2 * dimension + 512) * _EPS
    room = 1
    for node in range(size):
        if nodes.child[node] < 0:
            room = max(room, nodes.room[node])
    # The errors of a power, of the squares in it, and of the sum over a leaf.
    wide = (half * (dimension + 8) + 2048 + room) * _EPS
    touch = max(UNDERFLOW, (64.0 * image) ** 2)
    step_at = _LARGE ** (-1.0 / half)
    estimating = tolerance >= 0.0
    squares, terms = np.empty(room), np.empty(room)
    front, values, gaps = np.empty(size, dtype=np.int64), np.empty((4, size)), np.empty(size)
    exact, sums, hits = np.empty((4, n_classes)), np.empty((4, n_classes)), np.empty(n_classes)
    relevant = np.empty(n_classes, dtype=np.bool_)
    by_key = np.empty(n_classes, dtype=np.bool_)
    for row in range(queries.shape[0]):
        q = queries[row]
        exact[:], hits[:], relevant[:], by_key[:] = 0.0, 0.0, True, estimating
        struck = unclear = False
        length = 0
        # Every term is a power of unit/u: at most 2^100, and for the nearest so far at least 1.
        unit, far = np.inf, 0.0
        for node in nodes.roots:
            if nodes.number[node] > 0:
                d2 = distance2(q, nodes.centre, node)
                if d2 + nodes.variance[node] >= UNDERFLOW:
                    unit = min(unit, d2 + nodes.variance[node])
                far = max(far, 2.0 * (d2 + nodes.farthest[node] ** 2))
                front[length], gaps[length] = node, d2
                length += 1
        unit = unit if unit < np.inf else 1.0
        for i in range(length):
            values[:, i] = bounds(
                nodes, front[i], q, gaps[i], unit, half, whole, pad, image, estimating
            )
        seen, rounds, best = length, 0, 0
        end = OPEN
        while True:
            rounds += 1
            best = _total(
                nodes, front, values, length, exact, wide + (length + rounds) * _EPS, sums
            )
            # Ratios of squares that underflow are no bounds.
            unclear = unclear or unit < far * _FLOOR
            if unclear:
                break
            if struck:
                # Only what may lie at the query itself is left to be known: unbounded nodes.
                relevant[:], by_key[:] = True, False
                if _mark(nodes, front, values, length, relevant, by_key, gaps) < np.inf:
                    end = HIT
                    break
            elif not estimating:
                if not _rivals(sums, best, margin, relevant):
                    end = CERTAIN
                    break
                by_key[:] = False
                # Of the best class it is the lower bound that counts.
                by_key[best] = True
            elif _proportions(sums, low[row], middle[row], high[row]) <= tolerance:
                end = CERTAIN
                break
            if seen >= limit:
                end = SHORT
                break
            largest = _mark(nodes, front, values, length, relevant, by_key, gaps)
            if largest == 0.0:
                break
            i, kept = 0, length
            while i < kept and seen < limit:
                if gaps[i] < _PART * largest:
                    i += 1
                    continue
                node = front[i]
                # The last one not yet looked at takes its place, and the last of all that place.
                kept -= 1
                length -= 1
                front[i], gaps[i], values[:, i] = front[kept], gaps[kept], values[:, kept]
                front[kept], values[:, kept] = front[length], values[:, length]
                c, child = nodes.label[node], nodes.child[node]
                if child >= 0:
                    for part in range(child, child + 2):
                        if nodes.number[part] == 0:
                            continue
                        seen += 1
                        d2 = distance2(q, nodes.centre, part)
                        mean = d2 + nodes.variance[part]
                        if UNDERFLOW <= mean < unit * step_at:
                            step = power_of(mean / unit, half, whole)
                            unit = mean
                            _rescale(values, length, step)
                            _rescale(exact, n_classes, step)
                        front[length] = part
                        values[:, length] = bounds(
                            nodes, part, q, d2, unit, half, whole, pad, image, estimating
                        )
                        length += 1
                    continue
                start, count = nodes.start[node], nodes.number[node]
                seen += count
                least = open_leaf(nodes, node, q, squares)
                if least < touch:
                    weight, near = count_hits(nodes, node, q, squares, touch, image)
                    hits[c] += weight
                    struck = struck or weight > 0.0
                    unclear = unclear or near
                    continue
                if least < unit * step_at:
                    step = power_of(least / unit, half, whole)
                    unit = least
                    _rescale(values, length, step)
                    _rescale(exact, n_classes, step)
                value = sum_members(
                    nodes.mass[start : start + count], squares, count, unit, half, whole, terms
                )
                off = min(_LARGE, np.expm1(-2.0 * half * np.log1p(-image / np.sqrt(least))))
                exact[_LOW, c] += value * max(0.0, 1.0 - off)
                exact[_HIGH, c] += value * (1.0 + off)
                exact[_MIDDLE, c] += value
        winner[row], state[row], visited[row] = best, end, seen
        if end == HIT:
            winner[row], known = _heaviest(hits, margin)
            if estimating:
                low[row] = hits / hits.sum()
                middle[row], high[row] = low[row], low[row]
            elif not known:
                state[row] = OPEN
        elif unclear and estimating:
            low[row], middle[row], high[row] = 0.0, 1.0 / n_classes, 1.0
