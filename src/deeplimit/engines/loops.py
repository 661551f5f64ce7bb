"""The compiled loops of the CPU engine: squared distances, powers of them, sums by class.

A loop over a block of examples is written so that LLVM makes vector instructions of it. Eight
queries share the loads of the examples' coordinates, and what a block leaves behind stays in the
first cache until the next line of this file has used it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from deeplimit.engines.alike import (
    AWAY,
    COLUMNS,
    FLAT,
    LARGER,
    LARGEST_WHOLE,
    LOST,
    MANY,
    PAUSE,
    STEEPEST,
    Block,
    Rules,
    Tile,
    Totals,
    alike,
    half_norms,
    shrink,
    sum_alike,
)
from deeplimit.engines.distances import squared_distances, squared_distances_by_products
from deeplimit.engines.instructions import (
    bits,
    compiled,
    from_bits,
    inlined,
    power,
    prefetch,
    smaller,
)
from deeplimit.engines.lookups import tabulated
from deeplimit.engines.packed import NOWHERE, TILE, aligned

# Blocks of up to so many bytes are fetched while those before them are summed. To wait for a larger
# one is a small part of its sums, which fetching slows down. Bytes that are fetched at a time.
AHEAD, LINE = 2**16, 64
# Pairs of which it is asked at once whether one is listed.
_AT_ONCE = 64


@inlined
def fetch(array: Any, part: int, parts: int) -> None:
    """Have the second cache hold one of some parts of an array that will soon be read."""
    lines = array.size * array.itemsize // LINE
    for line in range(part * lines // parts, (part + 1) * lines // parts):
        prefetch(array, line * LINE)


@inlined
def least(u: Any) -> Any:
    """Give the smallest of some nonnegative numbers."""
    found = bits(u[0])
    for j in range(u.size):
        found = smaller(found, u[j])
    return from_bits(found)


@inlined
def weigh(u: Any, w: Any, unit: Any, half: Any, t: Any, out: Any) -> None:
    """Write w·(unit/u)^half into out; unit is at most the least u, and t is room.

    Half an exponent that is a multiple of 1/2 takes products and at most one root.
    """
    n = u.size
    twice = int(2 * half)
    if half == 0:
        for j in range(n):
            out[j] = w[j]
    elif twice == 2 * half and twice <= LARGEST_WHOLE:
        whole = twice >> 1
        if twice & 1:
            for j in range(n):
                t[j] = unit / u[j]
                out[j] = w[j] * np.sqrt(t[j])
        else:
            for j in range(n):
                t[j] = unit / u[j]
                out[j] = w[j]
        while whole:
            if whole & 1:
                for j in range(n):
                    out[j] *= t[j]
            whole >>= 1
            if whole:
                for j in range(n):
                    t[j] *= t[j]
    else:
        for j in range(n):
            out[j] = w[j] * power(unit / u[j], half)


@inlined
def weighed(u: Any, w: Any, unit: Any, half: Any, t: Any, out: Any) -> Any:
    """Give the sum of w·(unit/u)^half: for the exponents used most without a detour by memory."""
    total = unit - unit
    # Of the root's inverse, which cannot overflow where u is far from all others.
    root = np.sqrt(unit)
    if half == 1.5:
        for j in range(u.size):
            t_j = root / np.sqrt(u[j])
            total += w[j] * t_j * t_j * t_j
    elif half == 1:
        for j in range(u.size):
            total += w[j] * (unit / u[j])
    elif half == 0.5:
        for j in range(u.size):
            total += w[j] * (root / np.sqrt(u[j]))
    elif half == 2:
        for j in range(u.size):
            t_j = unit / u[j]
            total += w[j] * t_j * t_j
    else:
        weigh(u, w, unit, half, t, out)
        for j in range(u.size):
            total += out[j]
    return total


@inlined
def set_aside(
    u: Any, w: Any, norms: Any, size: Any, near: Any, floor: Any, far: Any, own: int,
    rest: Any, marks: Any, row: int, first: int, rows: Any, places: Any, taken: int,
) -> Any:  # fmt: skip
    """Copy the weights of a run into `rest`, 0 for what the loops must not sum.

    That is the query's own example, and pairs too near (or too nearly opposite) for this precision,
    which are listed in `rows` and `places`; `marks` is room. Give the least u of what is left,
    `far` for none; how many pairs are listed; and whether the list was too short.
    """
    # Loops of few arrays each, which LLVM makes vectors of: hardly a pair is special.
    for j in range(u.size):
        bound = near * (size + norms[j])
        special = (u[j] < max(bound * bound, floor)) | (u[j] > far)
        marks[j] = np.int32(special & (w[j] != 0))
    if 0 <= own < u.size:
        marks[own] = 0
    # A weight of 0 times an infinite power were no number.
    away, nothing = type(size)(AWAY), type(size)(0)
    for j in range(u.size):
        rest[j] = nothing if marks[j] else w[j]
    for j in range(u.size):
        u[j] = away if marks[j] else u[j]
    if 0 <= own < u.size:
        rest[own], u[own] = 0, away
    found = bits(far)
    for j in range(u.size):
        found = smaller(found, u[j] if rest[j] != 0 else away)
    for start in range(0, u.size, _AT_ONCE):
        # What lies behind the run's own marks is of another run.
        some = marks[start : min(start + _AT_ONCE, u.size)]
        count = np.int32(0)
        for j in range(some.size):
            count += some[j]
        if taken + count > rows.size:
            return from_bits(found), taken, True
        if count > 0:
            for j in range(some.size):
                if some[j]:
                    rows[taken], places[taken] = row, first + start + j
                    taken += 1
    return from_bits(found), taken, False


class Room(NamedTuple):
    """Room for what is found of a block.

    That are squares and terms of a tile; weights of what is not left out; of products the half
    norms, losses and the sums they are from; the same of all queries; for either form of what is
    summed at once, and for products that are not, the tiles until it is tried again, and how many
    that were at the last failure; and of a table the rows, or what is set aside.
    """

    u: Any
    terms: Any
    rest: Any
    halves: Any
    losses: Any
    wide: Any
    query_halves: Any
    pauses: Any
    rows: Any


@inlined
def sum_with_care(
    u: Any, w: Any, norms: Any, largest: Any, runs: Any, place: int, i: int, size: Any, own: int,
    rules: Any, gap: Any, table: Any, fine: Any, low: Any, totals: Any,
    rows: Any, places: Any, crowded: Any, taken: int, room: Any,
) -> int:  # fmt: skip
    """Add the terms of a block's squares to the sums of a query, run by run.

    The pairs that are left out are listed; give how many there are on the list.
    """
    half, far, near, floor = rules.half, rules.far, rules.near, rules.floor
    unit, plus, minus, nothing = totals.unit, totals.plus, totals.minus, type(size)(0)
    bound = near * (size + largest)
    bound = max(bound * bound, floor)
    for run in range(runs.shape[0]):
        # Views from 0 on: an index that might be negative is never vectorised.
        c, start, stop = runs[run, 0], runs[run, 1], runs[run, 2]
        square, weights = u[start:stop], w[start:stop]
        here = own - place - start
        nearest = least(square)
        special = nearest < bound or 0 <= here < stop - start
        if far < AWAY:
            for j in range(square.size):
                special |= square[j] > far
        if special:
            nearest, taken, full = set_aside(
                square, weights, norms[start:stop], size, near, floor, far,
                here, room.rest, room.rows, i, place + start, rows, places, taken,
            )  # fmt: skip
            crowded[i] |= full
            if nearest >= far:
                continue
            weights = room.rest[: stop - start]
        if nearest < unit[i, c]:
            shrink(nearest, half, i, c, totals)
        out, spare = room.terms[1, : stop - start], room.terms[0, : stop - start]
        if table.shape[0] == 0:
            plus[i, c] += weighed(square, weights, unit[i, c], half, spare, out)
            continue
        weigh(square, weights, unit[i, c], half, spare, out)
        tabulated(square, gap, table, fine, low, room.rows, spare, out)
        total, below = nothing, nothing
        for j in range(out.size):
            total += max(out[j], nothing)
            below -= min(out[j], nothing)
        plus[i, c] += total
        minus[i, c] += below
    return taken


@inlined
def far_apart(
    block: Any, w: Any, q: Any, group: int, sizes: Any, loss: Any, far: Any, todo: Any, room: Room
) -> Any:
    """Take the squares of a tile by products, unless pairs were too near the last times.

    Say whether they have all the digits they need. At antipodes these are those of 4 less the
    square.
    """
    pause, wait = room.pauses
    if pause[2] > 0:
        pause[2] -= 1
        return False
    squared_distances_by_products(block.x, q, room.halves, room.query_halves[group], room.u)
    near = False
    for r in range(TILE):
        if todo[r] > 0:
            size = sizes[group * TILE + r]
            least = loss * (size * size + block.largest * block.largest)
            most = type(loss)(4) - least if far < AWAY else far
            square = room.u[r]
            for j in range(square.size):
                near |= ((square[j] < least) | (square[j] > most)) & (w[j] != 0)
    wait[2] = min(2 * wait[2] + 1, PAUSE) if near else 0
    pause[2] = wait[2]
    return not near


@compiled
def _add_blocks(
    x: Any, w: Any, norms: Any, largest: Any, runs: Any, first_run: Any, first_block: int,
    q: Any, sizes: Any, own: Any, near: Any, loss: Any, floor: Any, far: Any,
    half: Any, gap: Any, table: Any, fine: Any, low: Any,
    totals: Any, rows: Any, places: Any, crowded: Any, tile: Any, room: Any,
) -> int:  # fmt: skip
    """Do what `sum_blocks` says, in the room that it made."""
    block, kind, twice = w.shape[1], type(half), 2 * half
    whole = np.int32(twice) if twice == np.int32(twice) and twice <= LARGEST_WHOLE else np.int32(0)
    # In single precision; in double there is more room than is needed.
    reach = kind(10.0) ** (kind(28) / half)
    closer, halved = kind(2.0) ** (kind(-LARGER) / half), kind(2.0) ** -half
    taken, nothing, away = 0, type(loss)(0), type(loss)(AWAY)
    away_power = (x.shape[2] * NOWHERE**2) ** -np.float64(half)
    products = 0 < loss < LOST and half <= STEEPEST
    products &= q.shape[0] >= MANY and x.shape[2] >= COLUMNS
    rules = Rules(
        near, loss if products else nothing, floor, far, half, whole, reach, closer, halved
    )
    outermost = nothing
    for b in range(x.shape[0]):
        outermost = max(outermost, largest[b])
    if products:
        for g in range(q.shape[0]):
            half_norms(q[g : g + 1], room.wide, room.query_halves[g])
    pause, wait, forms = room.pauses[0], room.pauses[1], (loss, nothing)
    for b in range(x.shape[0]):
        weight, empty = alike(w[b], runs, first_run, b)
        # On the sphere an empty place would seem an antipode, and to a flat kernel be near.
        quick = table.shape[0] == 0 and weight > 0
        quick &= empty == 0 or (far >= away and half >= FLAT)
        lost = nothing
        if products:
            half_norms(x[b], room.wide, room.halves)
        if products and quick:
            for j in range(block):
                room.losses[j] = loss * norms[b, j] * norms[b, j] / type(loss)(2)
            lost = type(loss)(2) * least(room.losses)
        plain = Block(
            x[b], weight, empty * away_power, runs[first_run[b], 0], largest[b], outermost,
            (first_block + b) * block, room.halves, room.losses, lost,
        )  # fmt: skip
        following = min(b + 1, x.shape[0] - 1)
        for g in range(q.shape[0]):
            if x[b].size * x.itemsize <= AHEAD:
                fetch(x[following], g, q.shape[0])
                fetch(w[following], g, q.shape[0])
                fetch(norms[following], g, q.shape[0])
            left = TILE
            for r in range(TILE):
                tile.todo[r] = 1
            for form in range(0 if products else 1, 2 if quick else 0):
                if left > 0 and pause[form] > 0:
                    pause[form] -= 1
                elif left > 0:
                    left = sum_alike(
                        plain, q[g], room.query_halves[g], g * TILE, sizes, own, forms[form],
                        left == TILE, rules, totals, tile,
                    )  # fmt: skip
                    wait[form] = 0 if left == 0 else min(2 * wait[form] + 1, PAUSE)
                    pause[form] = wait[form]
            if left == 0:
                continue
            if not (
                products and far_apart(plain, w[b], q[g], g, sizes, loss, far, tile.todo, room)
            ):
                squared_distances(x[b], q[g], room.u)
            for r in range(TILE):
                if tile.todo[r] > 0:
                    i = g * TILE + r
                    taken = sum_with_care(
                        room.u[r], w[b], norms[b], largest[b], runs[first_run[b]:first_run[b + 1]],
                        (first_block + b) * block, i, sizes[i], own[i], rules, gap, table, fine,
                        low, totals, rows, places, crowded, taken, room,
                    )  # fmt: skip
    return taken


def sum_blocks(
    x: Any, w: Any, norms: Any, largest: Any, runs: Any, first_run: Any, first_block: int,
    q: Any, sizes: Any, own: Any,
    near: Any, loss: Any, floor: Any, far: Any,
    half: Any, gap: Any, table: Any, fine: Any, low: Any,
    unit: Any, plus: Any, minus: Any, rows: Any, places: Any, crowded: Any,
) -> int:  # fmt: skip
    """Add the terms of some blocks to the sums of some queries, and list the pairs left out.

    Parameters
    ----------
    x : (b, B/P, D, P)
        Coordinates of the examples, sorted by class, in panels of 256 bytes.
    w, norms : (b, B)
        Their weights and norms; 0 is absence.
    largest : (b,)
        Largest norm of each block.
    runs : (n_runs, 3) and first_run : (b + 1,)
        Class, start and stop of the runs of one class within a block.
    first_block : int
        Number of the first of the blocks.
    q : (m/8, D, 8), sizes : (m,), own : (m,)
        Queries by eights; their norms; places of the examples they must not see.
    near, floor, far
        What is left out: distances below near·(|q| + |x|), squares below floor, and above far on
        the sphere; elsewhere far is a number larger than any square.
    loss
        Squares below loss·(|q|² + |x|²) are not taken by products.
    half, gap, table, fine, low
        The kernel: u^(-half)·P(gap·u), with no P if the table is empty.
    unit, plus, minus : (m, C)
        The sums: those of the terms of either sign are plus·unit^(-half) and minus·unit^(-half).
        The unit is the least square so far or less, at first the largest number.
    rows, places : (most,)
        The list of the pairs left out.
    crowded : (m,)
        Set for the queries whose pairs did not fit into the list; their sums are void.

    Returns
    -------
    int
        Length of the list.
    """
    block, kind, shape = w.shape[1], x.dtype, (unit.shape[1], unit.shape[0])
    totals = Totals(
        unit, plus, minus, np.empty(shape).T, np.zeros(shape, kind).T, np.zeros(shape).T,
        np.full(shape, AWAY, kind).T,
    )  # fmt: skip
    tile = Tile(
        np.empty(TILE, np.int32), np.empty(TILE, kind), np.empty(TILE, kind),
        np.zeros((2, TILE), kind),
    )  # fmt: skip
    room = Room(
        aligned((TILE, block), kind), aligned((2, block), kind), aligned((block,), kind),
        np.empty(block, kind), np.empty(block, kind), np.empty(block),
        np.empty((q.shape[0], TILE), kind), np.zeros((2, 3), np.int64), np.empty(block, np.int32),
    )  # fmt: skip
    return int(
        _add_blocks(
            x, w, norms, largest, runs, first_run, first_block, q, sizes, own, near, loss, floor,
            far, half, gap, table, fine, low, totals, rows, places, crowded, tile, room,
        )
    )  # fmt: skip
