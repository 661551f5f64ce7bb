"""The compiled loops of many exponents at once, and of the nearest examples.

A grid costs little more than one exponent: most powers of a grid are products of two smaller ones,
and the squared distances, their minimum and the search for near pairs are shared.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimit.engines.distances import squared_distances
from deeplimit.engines.instructions import compiled, inlined, power
from deeplimit.engines.loops import least, set_aside
from deeplimit.engines.packed import TILE


@inlined
def add_powers(
    u: Any, w: Any, unit: Any, halves: Any, factors: Any, t: Any, rows: Any, sums: Any
) -> None:
    """Add the sums of w·(unit/u)^half to `sums`, for each half of the exponents.

    `factors` names for each half two earlier ones that it is the sum of, or -1. `rows` is room.
    """
    for j in range(u.size):
        t[j] = unit / u[j]
    for a in range(halves.size):
        row, total = rows[a, : u.size], unit - unit
        if factors[a, 0] >= 0:
            left, right = rows[factors[a, 0], : u.size], rows[factors[a, 1], : u.size]
            for j in range(u.size):
                row[j] = left[j] * right[j]
                total += w[j] * row[j]
        elif halves[a] == 1:
            for j in range(u.size):
                row[j] = t[j]
                total += w[j] * t[j]
        elif halves[a] == 0.5:
            for j in range(u.size):
                row[j] = np.sqrt(t[j])
                total += w[j] * row[j]
        else:
            for j in range(u.size):
                row[j] = power(t[j], halves[a])
                total += w[j] * row[j]
        sums[a] += total


@inlined
def keep_nearest(u: Any, w: Any, first: int, squares: Any, places: Any) -> None:
    """Insert the examples of a run into the ascending list of the nearest, by square then place."""
    count = squares.size
    for j in range(u.size):
        if u[j] < squares[count - 1] and w[j] > 0:
            at = count - 1
            while at > 0 and squares[at - 1] > u[j]:
                squares[at] = squares[at - 1]
                places[at] = places[at - 1]
                at -= 1
            squares[at] = u[j]
            places[at] = first + j


@compiled
def _add_blocks(
    x: Any, w: Any, norms: Any, largest: Any, runs: Any, first_run: Any, first_block: int,
    q: Any, sizes: Any, own: Any, near: Any, floor: Any, far: Any, halves: Any, factors: Any,
    unit: Any, sums: Any, squares: Any, nearest_places: Any, rows: Any, places: Any, crowded: Any,
    u: Any, t: Any, rest: Any, marks: Any, room: Any,
) -> int:  # fmt: skip
    """Do what `sum_grid` says, in the room that it made."""
    block, kept, taken = w.shape[1], squares.shape[1], 0
    for b in range(x.shape[0]):
        for g in range(q.shape[0]):
            squared_distances(x[b], q[g], u)
            for r in range(TILE):
                i = g * TILE + r
                bound = near * (sizes[i] + largest[b])
                bound = max(bound * bound, floor)
                for run in range(first_run[b], first_run[b + 1]):
                    c, start, stop = runs[run, 0], runs[run, 1], runs[run, 2]
                    square, weights = u[r, start:stop], w[b, start:stop]
                    first = (first_block + b) * block + start
                    here = own[i] - first
                    nearest = least(square)
                    if nearest < bound or 0 <= here < stop - start:
                        nearest, taken, full = set_aside(
                            square, weights, norms[b, start:stop], sizes[i], near, floor, far,
                            here, rest, marks, i, first, rows, places, taken,
                        )  # fmt: skip
                        crowded[i] |= full
                        if nearest >= far:
                            continue
                        weights = rest[: stop - start]
                    if kept and nearest < squares[i, kept - 1]:
                        keep_nearest(square, weights, first, squares[i], nearest_places[i])
                    if halves.size == 0:
                        continue
                    if nearest < unit[i, c]:
                        ratio = np.float64(nearest) / unit[i, c]
                        for a in range(halves.size):
                            sums[i, c, a] *= ratio ** np.float64(halves[a])
                        unit[i, c] = nearest
                    add_powers(
                        square, weights, unit[i, c], halves, factors, t[: stop - start], room,
                        sums[i, c],
                    )  # fmt: skip
    return taken


def sum_grid(
    x: Any, w: Any, norms: Any, largest: Any, runs: Any, first_run: Any, first_block: int,
    q: Any, sizes: Any, own: Any, near: Any, floor: Any, far: Any, halves: Any, factors: Any,
    unit: Any, sums: Any, squares: Any, nearest_places: Any, rows: Any, places: Any, crowded: Any,
) -> int:  # fmt: skip
    """Add the terms of some blocks to the sums of many exponents, and keep the nearest examples.

    Parameters
    ----------
    x, w, norms, largest, runs, first_run, first_block, q, sizes, own, near, floor, far
        As in `loops.sum_blocks`.
    halves : (A,), factors : (A, 2)
        Halves of the exponents, and which two make each, as in `add_powers`.
    unit : (m, C), sums : (m, C, A)
        The sums of the classes, in units of unit^(-half).
    squares, nearest_places : (m, K)
        The nearest examples so far, ascending; K may be 0.
    rows, places, crowded
        Pairs left out, as in `loops.sum_blocks`.

    Returns
    -------
    int
        Length of the list of pairs.
    """
    block = w.shape[1]
    return _add_blocks(
        x, w, norms, largest, runs, first_run, first_block, q, sizes, own, near, floor, far,
        halves, factors, unit, sums, squares, nearest_places, rows, places, crowded,
        np.empty((TILE, block), x.dtype), np.empty(block, x.dtype), np.empty(block, x.dtype),
        np.empty(block, np.int32), np.empty((max(halves.size, 1), block), x.dtype),
    )  # fmt: skip
