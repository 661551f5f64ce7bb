"""The search through a tree of clusters, one query after the other, compiled by numba."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.engines.cluster_loops import (
    FLAGS,
    UNDERFLOW,
    bounds,
    count_hits,
    distance2,
    estimate,
    inlined,
    open_leaf,
    power_of,
    sum_members,
)
from deeplimit.engines.clusters import Floats, Integers, Nodes
from deeplimit.engines.instructions import compiling
from deeplimit.engines.share_loops import EPS, HIGH, LOW, bounded_shares, fill_shares

__all__ = ["CERTAIN", "HIT", "OPEN", "SHORT", "search"]

Flags = NDArray[np.bool_]

# How a search ended: decided or narrow enough; opened to the end without; out of budget; decided
# by examples at the query itself.
CERTAIN, OPEN, SHORT, HIT = 0, 1, 2, 3

# What underflows beside the largest term is less than this, whatever the weights.
_FLOOR = 2.0**-900
# No term may grow beyond: the unit of all is changed before.
_LARGE = 2.0**100
# Of the open nodes those are opened that may bring at least this part of the largest.
_PART = 0.25
# Rows beside the bounds: what opening a node may add, or what a class's sum is estimated to be.
_KEY, _MIDDLE = 2, 2


@inlined
def _rescale(values: Floats, length: int, step: float) -> None:
    """Multiply sums by a factor below 1 that may underflow, bounds staying bounds."""
    upward = max(step, _FLOOR)
    downward = step if step > _FLOOR else 0.0
    for i in range(length):
        values[LOW, i] *= downward
        for row in (HIGH, _KEY):
            values[row, i] *= upward


@inlined
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
    for row in (LOW, HIGH):
        for c in range(n_classes):
            sums[row, c] = exact[row, c]
    for i in range(length):
        c = nodes.label[front[i]]
        for row in (LOW, HIGH):
            sums[row, c] += values[row, i]
    best = 0
    for c in range(n_classes):
        sums[LOW, c] = max(0.0, sums[LOW, c] * (1.0 - error) - _FLOOR)
        sums[HIGH, c] = sums[HIGH, c] * (1.0 + error) + _FLOOR
        if sums[LOW, c] > sums[LOW, best]:
            best = c
    return best


@inlined
def _rivals(sums: Floats, best: int, margin: float, relevant: Flags) -> bool:
    """Mark the classes that may still win, and say whether there is another than the best."""
    bar = sums[LOW, best] * (1.0 - margin)
    several = False
    for c in range(relevant.size):
        relevant[c] = c == best or sums[HIGH, c] * (1.0 + margin) >= bar
        several = several or (relevant[c] and c != best)
    return several


@inlined
def _mark(
    nodes: Nodes,
    front: Integers,
    values: Floats,
    length: int,
    relevant: Flags,
    leader: int,
    between: bool,
    gaps: Floats,
) -> float:
    """Fill in what opening each node may bring, and give the largest.

    That is how far its bounds are apart, or its key if it is of the leader, a class or -1, or the
    geometric mean of both.
    """
    largest = 0.0
    for i in range(length):
        c = nodes.label[front[i]]
        # Where the upper bound is none the lower one may have overflown, too.
        apart = values[HIGH, i] - values[LOW, i] if values[HIGH, i] < np.inf else np.inf
        gaps[i] = values[_KEY, i] if c == leader else apart
        if between and apart < np.inf:
            gaps[i] = np.sqrt(apart) * np.sqrt(values[_KEY, i])
        gaps[i] = gaps[i] if relevant[c] else 0.0
        largest = max(largest, gaps[i])
    return largest


@inlined
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


class Rules(NamedTuple):
    """What is the same for all queries; most is explained in `search`.

    `pad` is the error of radii, `wide` that of a sum over a leaf. Members with squares below
    `touch` may be equal to a query, and the unit of the sums is changed where a square is less than
    it by the factor `step`.
    """

    half: float
    whole: int
    image: float
    margin: float
    tolerance: float
    limit: int
    pad: float
    wide: float
    touch: float
    step: float


class Room(NamedTuple):
    """Room for a search: of members, of the nodes that are open, and of the classes."""

    squares: Floats
    terms: Floats
    away: Floats
    front: Integers
    values: Floats
    gaps: Floats
    exact: Floats
    sums: Floats
    hits: Floats
    relevant: Flags


@inlined
def _put(front: Integers, values: Floats, i: int, node: int, found: tuple[float, ...]) -> None:
    """Let a node be the i-th of those that are open."""
    front[i] = node
    values[LOW, i], values[HIGH, i], values[_KEY, i] = found


@inlined
def _move(front: Integers, values: Floats, i: int, k: int) -> None:
    """Put the k-th of the open nodes in the place of the i-th."""
    front[i] = front[k]
    for row in range(3):
        values[row, i] = values[row, k]


@inlined
def _shrink(room: Room, length: int, unit: float, square: float, rules: Rules) -> float:
    """Bring the sums to the unit of a lesser square."""
    step = power_of(square / unit, rules.half, rules.whole)
    _rescale(room.values, length, step)
    _rescale(room.exact, room.hits.size, step)
    return square


@inlined
def _roots(nodes: Nodes, q: Floats, room: Room, rules: Rules) -> tuple[int, float, float]:
    """Open the roots; give their number, the unit of the sums, and the farthest square."""
    front, gaps, length = room.front, room.gaps, 0
    unit, far = np.inf, 0.0
    for k in range(nodes.roots.size):
        node = nodes.roots[k]
        if nodes.number[node] > 0:
            d2 = distance2(q, nodes.centre, node)
            if d2 + nodes.variance[node] >= UNDERFLOW:
                unit = min(unit, d2 + nodes.variance[node])
            far = max(far, 2.0 * (d2 + nodes.farthest[node] ** 2))
            front[length], gaps[length] = node, d2
            length += 1
    unit = unit if unit < np.inf else 1.0
    for i in range(length):
        found = bounds(
            nodes, front[i], q, gaps[i], unit, rules.half, rules.whole, rules.pad, rules.image
        )
        _put(front, room.values, i, front[i], found)
    return length, unit, far


@inlined
def _open_node(
    nodes: Nodes, node: int, q: Floats, length: int, unit: float, room: Room, rules: Rules
) -> tuple[int, float, int]:
    """Put the two parts of a node in its place; give the length, the unit, and what was seen."""
    seen = 0
    for part in range(nodes.child[node], nodes.child[node] + 2):
        if nodes.number[part] == 0:
            continue
        seen += 1
        d2 = distance2(q, nodes.centre, part)
        mean = d2 + nodes.variance[part]
        if UNDERFLOW <= mean < unit * rules.step:
            unit = _shrink(room, length, unit, mean, rules)
        found = bounds(nodes, part, q, d2, unit, rules.half, rules.whole, rules.pad, rules.image)
        _put(room.front, room.values, length, part, found)
        length += 1
    return length, unit, seen


@inlined
def _sum_leaf(
    nodes: Nodes, node: int, q: Floats, length: int, unit: float, room: Room, rules: Rules
) -> tuple[float, bool, bool]:
    """Add the members of a leaf; give the unit, whether one is hit, and whether that is unclear."""
    start, count, c = nodes.start[node], nodes.number[node], nodes.label[node]
    least = open_leaf(nodes, node, q, room.squares)
    if least < rules.touch:
        weight, near = count_hits(nodes, node, q, room.squares, rules.touch, rules.image)
        room.hits[c] += weight
        return unit, weight > 0.0, near
    if least < unit * rules.step:
        unit = _shrink(room, length, unit, least, rules)
    value = sum_members(
        nodes.mass[start : start + count], room.squares, count, unit, rules.half, rules.whole,
        room.terms,
    )  # fmt: skip
    off = np.expm1(-2.0 * rules.half * np.log1p(-rules.image / np.sqrt(least)))
    off = min(_LARGE, off)
    room.exact[LOW, c] += value * max(0.0, 1.0 - off)
    room.exact[HIGH, c] += value * (1.0 + off)
    room.exact[_MIDDLE, c] += value
    return unit, False, False


@compiling(FLAGS)
def _search(
    nodes: Nodes, queries: Floats, half: float, whole: int, image: float, margin: float,
    tolerance: float, limit: int, winner: Integers, state: Integers, visited: Integers,
    low: Floats, middle: Floats, high: Floats, room: Room,
) -> None:  # fmt: skip
    """Do what `search` says, in the room that it made."""
    dimension, longest = nodes.centre.shape[1], room.squares.size
    # The errors of a power, of the squares in it, and of the sum over a leaf.
    wide = (half * (dimension + 8) + 2048 + longest) * EPS
    rules = Rules(
        half, whole, image, margin, tolerance, limit, (2 * dimension + 512) * EPS, wide,
        max(UNDERFLOW, (64.0 * image) ** 2), _LARGE ** (-1.0 / half),
    )  # fmt: skip
    front, values, gaps, relevant = room.front, room.values, room.gaps, room.relevant
    n_classes, estimating = room.hits.size, rules.tolerance >= 0.0
    # Intervals are narrowed soonest where bounds are farthest apart; but to the estimate, if that
    # is all there is to do, they are only half of what counts.
    between = rules.tolerance == 0.0
    for row in range(queries.shape[0]):
        q = queries[row]
        for c in range(n_classes):
            for k in range(3):
                room.exact[k, c] = 0.0
            room.hits[c], relevant[c] = 0.0, True
        struck = unclear = False
        # Every term is a power of unit/u: at most 2^100, and for the nearest so far at least 1.
        length, unit, far = _roots(nodes, q, room, rules)
        seen, rounds, best = length, 0, 0
        end = OPEN
        while True:
            rounds += 1
            leader = -1
            best = _total(
                nodes, front, values, length, room.exact, rules.wide + (length + rounds) * EPS,
                room.sums,
            )  # fmt: skip
            # Ratios of squares that underflow are no bounds.
            unclear = unclear or unit < far * _FLOOR
            if unclear:
                break
            if struck:
                # Only what may lie at the query itself is left to be known: unbounded nodes.
                for c in range(n_classes):
                    relevant[c] = True
                if _mark(nodes, front, values, length, relevant, -1, False, gaps) < np.inf:
                    end = HIT
                    break
            elif not estimating:
                if not _rivals(room.sums, best, rules.margin, relevant):
                    end = CERTAIN
                    break
                # Of the best class it is the lower bound that counts.
                leader = best
            elif bounded_shares(room.sums, low[row], high[row]) <= rules.tolerance:
                end = CERTAIN
                break
            if seen >= rules.limit:
                end = SHORT
                break
            largest = _mark(nodes, front, values, length, relevant, leader, between, gaps)
            if largest == 0.0:
                break
            i, kept = 0, length
            while i < kept and seen < rules.limit:
                if gaps[i] < _PART * largest:
                    i += 1
                    continue
                node = front[i]
                # The last one not yet looked at takes its place, and the last of all that place.
                kept -= 1
                length -= 1
                gaps[i] = gaps[kept]
                _move(front, values, i, kept)
                _move(front, values, kept, length)
                if nodes.child[node] >= 0:
                    length, unit, more = _open_node(nodes, node, q, length, unit, room, rules)
                    seen += more
                else:
                    seen += nodes.number[node]
                    unit, hit, near = _sum_leaf(nodes, node, q, length, unit, room, rules)
                    struck, unclear = struck or hit, unclear or near
        if end == HIT:
            best, known = _heaviest(room.hits, rules.margin)
            end = HIT if known or estimating else OPEN
        if estimating:
            sums = room.hits if struck else room.sums[_MIDDLE]
            if not struck:
                for c in range(n_classes):
                    sums[c] = room.exact[_MIDDLE, c]
                # Of what stays closed alone: most nodes that were seen have been opened.
                for i in range(length):
                    sums[nodes.label[front[i]]] += estimate(
                        nodes, front[i], q, unit, rules.half, rules.whole, values[LOW, i],
                        values[HIGH, i], room.away,
                    )  # fmt: skip
            fill_shares(sums, unclear, end == HIT, low[row], middle[row], high[row])
        winner[row], state[row], visited[row] = best, end, seen


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
    leaves = nodes.child < 0
    size, longest = len(leaves), int(nodes.room[leaves].max(initial=1))
    room = Room(
        np.empty(longest), np.empty(longest), np.empty(queries.shape[1]), np.empty(size, np.int64),
        np.empty((3, size)), np.empty(size), np.empty((3, n_classes)), np.empty((3, n_classes)),
        np.empty(n_classes), np.empty(n_classes, np.bool_),
    )  # fmt: skip
    _search(
        nodes, queries, half, whole, image, margin, tolerance, limit,
        winner, state, visited, low, middle, high, room,
    )  # fmt: skip
