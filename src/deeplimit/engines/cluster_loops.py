"""The loops over one cluster: bounds of its sum, and the sum itself; compiled by numba."""

from __future__ import annotations

import numpy as np

from deeplimit.engines.clusters import Floats, Nodes
from deeplimit.engines.instructions import inlining, power

__all__ = [
    "FLAGS",
    "UNDERFLOW",
    "bounds",
    "count_hits",
    "distance2",
    "estimate",
    "inlined",
    "open_leaf",
    "outside2",
    "power_of",
    "sum_members",
]

# Sums may be added in any order: their error bound holds for all. Infinities must stay.
FLAGS = {"reassoc", "contract", "nsz"}
inlined = inlining(FLAGS)

# Squares below it have lost digits to underflow: whether the rows are equal is not known.
UNDERFLOW = float(np.finfo(np.float64).tiny / np.finfo(np.float64).eps)
# Lower bounds are cut down to it.
_LARGEST = 2.0**1000
# The estimate of a cluster exceeds the value at its mean by at most this power of e: where the
# expansion is larger it is a guess.
_BEND = 3.0
# Clusters are opened in the order of what members would add that are nearer than the mean: by this
# part of where they add most, and by so many standard deviations at most.
_NEARER, _DEVIATIONS, _NEAREST = 0.7, 3.0, 1.0 / 32.0


@inlined
def power_of(ratio: float, half: float, whole: int) -> float:
    """Give ratio^half, by products where twice `half` is the whole number given; -1 is none."""
    if whole < 0:
        return float(np.exp(half * np.log(ratio)))
    result = np.sqrt(ratio) if whole & 1 else 1.0
    step = ratio
    k = whole >> 1
    while k > 0:
        if k & 1:
            result *= step
        k >>= 1
        if k > 0:
            step *= step
    return result


@inlined
def distance2(q: Floats, centre: Floats, node: int) -> float:
    """Give the squared distance to the centre of a cluster."""
    total = 0.0
    for j in range(q.size):
        difference = centre[node, j] - q[j]
        total += difference * difference
    return total


@inlined
def outside2(q: Floats, nodes: Nodes, node: int) -> float:
    """Give the squared distance to the box of a cluster."""
    total = 0.0
    for j in range(q.size):
        difference = max(0.0, max(nodes.first[node, j] - q[j], q[j] - nodes.last[node, j]))
        total += difference * difference
    return total


@inlined
def bounds(
    nodes: Nodes,
    node: int,
    q: Floats,
    d2: float,
    unit: float,
    half: float,
    whole: int,
    pad: float,
    image: float,
) -> tuple[float, float, float]:
    """Bound the sum over a cluster from both sides, and estimate what opening it may add."""
    weight, mean = nodes.weight[node], d2 + nodes.variance[node]
    if mean < UNDERFLOW:
        return 0.0, np.inf, np.inf
    d = np.sqrt(d2)
    near, far = nodes.nearest[node] * (1.0 - pad), nodes.farthest[node] * (1.0 + pad)
    low, high = d * (1.0 - pad), d * (1.0 + pad)
    least = max(0.0, low - far, near - high)
    least = max(least, np.sqrt(outside2(q, nodes, node)) * (1.0 - pad))
    least = max(0.0, least - image)
    most = high + far + image
    loose = (
        mean * pad + 2.0 * (high + far) * nodes.off[node] + image * (2.0 * np.sqrt(mean) + image)
    )
    least, most = least * least, most * most
    # Standard deviation of the squared distance, that is of -2(q - μ)·x + |x|² about the centre.
    stir = image * (2.0 * (high + far) + image)
    scatter = (2.0 * high * nodes.thick[node] + nodes.spread[node]) * (1.0 + pad) + stir
    still = max(0.0, 2.0 * low * nodes.thin[node] - nodes.spread[node] * (1.0 + pad) - stir)
    # The mean is known up to `loose`: shifting all members by as much moves f one way only.
    upward, most = mean + loose, most + 2.0 * loose
    lower = power_of(unit / upward, half, whole)
    room = most - upward
    if still > 0.0 and room > 0.0:
        # Of all members with this mean and deviation, one group at `most` makes the sum least.
        ratio = still / room
        part = 1.0 / (1.0 + 1.0 / (ratio * ratio))
        bulk = max(upward - still * ratio, _NEAREST * upward)
        lower = (1.0 - part) * power_of(unit / bulk, half, whole)
        lower += part * power_of(unit / most, half, whole)
    # A smaller bound is one, too, and infinities could not be subtracted later.
    lower = min(lower * weight, _LARGEST)
    downward, least = mean - loose, max(0.0, least - 2.0 * loose)
    upper = power_of(unit / least, half, whole)
    room = downward - least
    if upper < np.inf and room > 0.0:
        # And one group at `least` makes it largest.
        ratio = scatter / room
        part = 1.0 / (1.0 + 1.0 / (ratio * ratio))
        bulk = min(most, downward + scatter * ratio)
        grouped = part * upper + (1.0 - part) * power_of(unit / bulk, half, whole)
        along = min(1.0, room / (most - least))
        chord = upper * (1.0 - along) + power_of(unit / most, half, whole) * along
        upper = min(grouped, chord)
    upper *= weight
    # As if the cluster were round. At z deviations members are as exp(-z²/2), and add as
    # exp(z·half·deviation).
    own = nodes.spread[node] / upward
    cross = 2.0 * (d / upward) * np.sqrt(nodes.variance[node] / q.size)
    deviation = np.sqrt(own * own + cross * cross)
    nearer = min(_DEVIATIONS, _NEARER * half * deviation) * deviation
    close = max(least, upward * max(1.0 - nearer, _NEAREST))
    likely = max(0.0, weight * power_of(unit / close, half, whole) - lower)
    return lower, upper, min(upper - lower, likely)


@inlined
def estimate(
    nodes: Nodes,
    node: int,
    q: Floats,
    unit: float,
    half: float,
    whole: int,
    lower: float,
    upper: float,
    away: Floats,
) -> float:
    """Estimate the sum over a cluster, between its bounds; `away` is used up."""
    d2, dimension = 0.0, q.size
    for j in range(dimension):
        away[j] = nodes.centre[node, j] - q[j]
    # In a loop of its own: whether one that writes, too, is done in vectors depends on where small
    # arrays happen to lie, and so would the order of the sum.
    for j in range(dimension):
        d2 += away[j] * away[j]
    mean = d2 + nodes.variance[node]
    if mean < UNDERFLOW:
        return 0.0
    # Variance along the line to the query as a part of all; without directions it is round.
    along, k = 1.0 / dimension, 0
    if d2 > 0.0 and nodes.form.shape[1] > 0:
        form = 0.0
        for i in range(dimension):
            # Slices: indices that are sums might be negative, and the loop would be slow.
            row, rest = nodes.form[node, k : k + dimension - i], away[i:dimension]
            inner = 0.0
            for j in range(dimension - i):
                inner += row[j] * rest[j]
            form += inner * away[i]
            k += dimension - i
        along = max(0.0, form / d2)
    # As if the squared distance were nearly log-normal.
    own, part = nodes.spread[node] / mean, nodes.variance[node] / mean
    cross2 = 4.0 * along * part * (d2 / mean)
    relative = own * own + cross2
    second = half * (half + 1.0)
    bend = 0.5 * second * np.log1p(relative)
    if bend < _BEND:
        # Not as skewed as that: of normal members the third moment is 24 d² (along · V)².
        skewed = relative * relative * (3.0 + relative) - 6.0 * cross2 * along * part
        bend += second * (half + 2.0) / 6.0 * skewed * np.exp(-bend)
    middle = nodes.weight[node] * power_of(unit / mean, half, whole) * np.exp(min(_BEND, bend))
    return float(min(upper, max(lower, middle)))


@inlined
def open_leaf(nodes: Nodes, leaf: int, q: Floats, squares: Floats) -> float:
    """Fill in the squared distances of the members of a leaf, and give the least."""
    count, room = nodes.number[leaf], nodes.room[leaf]
    base = nodes.start[leaf] * q.size
    for i in range(count):
        squares[i] = 0.0
    for j in range(q.size):
        x = q[j]
        column = nodes.members[base + j * room : base + j * room + count]
        for i in range(count):
            difference = column[i] - x
            squares[i] += difference * difference
    least = np.inf
    for i in range(count):
        least = min(least, squares[i])
    return least


@inlined
def sum_members(
    mass: Floats, squares: Floats, count: int, unit: float, half: float, whole: int, terms: Floats
) -> float:
    """Sum the terms of a leaf; `squares` and `terms` are used up."""
    if whole < 0:
        total = 0.0
        for i in range(count):
            total += mass[i] * power(unit / squares[i], half)
        return total
    for i in range(count):
        terms[i] = mass[i]
        squares[i] = unit / squares[i]
    if whole & 1:
        for i in range(count):
            terms[i] *= np.sqrt(squares[i])
    k = whole >> 1
    while k > 0:
        if k & 1:
            for i in range(count):
                terms[i] *= squares[i]
        k >>= 1
        if k > 0:
            for i in range(count):
                squares[i] *= squares[i]
    total = 0.0
    for i in range(count):
        total += terms[i]
    return total


@inlined
def count_hits(
    nodes: Nodes, leaf: int, q: Floats, squares: Floats, touch: float, image: float
) -> tuple[float, bool]:
    """Give the weight of the members equal to the query, and whether any is too near to tell."""
    count, room = nodes.number[leaf], nodes.room[leaf]
    base = nodes.start[leaf] * q.size
    weight, unclear = 0.0, False
    for i in range(count):
        if squares[i] < touch:
            equal = image == 0.0
            for j in range(q.size):
                equal = equal and nodes.members[base + j * room + i] == q[j]
            if equal:
                weight += nodes.mass[nodes.start[leaf] + i]
            else:
                unclear = True
    return weight, unclear
