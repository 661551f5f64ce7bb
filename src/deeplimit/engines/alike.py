"""Blocks of one class and one weight: summed at once, before it is known whether a pair is special.

Most blocks are of this kind, and hardly a pair is special: its distance is then too small for the
precision or for the form in which it was taken, or it is that of the query's own example.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from deeplimit.engines.distances import STEP, paired
from deeplimit.engines.instructions import inlined
from deeplimit.engines.packed import TILE
from deeplimit.engines.powers import WHOLE, power_sums, power_sums_by_products

# Larger than any square, and smaller than what stands for none.
AWAY = 1e30
# What empty places add is known to 2e-11 for queries of this norm, and for exponents from 1/2 on is
# itself less than 1e-3 of what an example adds.
FAR_OUT, FLAT = 1e4, 0.25
# Terms of a block may be larger than those of what came before by this power of 2.
LARGER = 60.0
# Up to here a power is taken by products: some multiplications.
LARGEST_WHOLE = 64
# After tiles that had to be summed twice so many, at most, are not tried in a form.
PAUSE = 63
# Distances by products are worth their preparations for so many tiles of queries, and columns.
MANY, COLUMNS = 8, 24
# Pairs must be farther apart than this part of their squared norms: then many are.
LOST = 0.8
# Whether columns are paired here is known when the loops are compiled.
PAIRED = paired(STEP) > 0


@inlined
def alike(w: Any, runs: Any, first_run: Any, b: int) -> Any:
    """Give the weight of the examples of a block, and how many places are empty.

    The weight is 0 where the examples are of several classes or weights.
    """
    run, most, empty = first_run[b], w[0], 0
    for j in range(w.size):
        most = max(most, w[j])
        empty += w[j] == 0
    equal = first_run[b + 1] - run == 1 and runs[run, 1] == 0
    for j in range(w.size):
        equal &= w[j] == 0 or w[j] == most
    return most if equal else most - most, empty


@inlined
def shrink(nearest: Any, half: Any, i: int, c: int, unit: Any, plus: Any, minus: Any) -> None:
    """Bring sums to the unit of a square that is less than all before."""
    factor = (np.float64(nearest) / unit[i, c]) ** np.float64(half)
    plus[i, c] *= factor
    minus[i, c] *= factor
    unit[i, c] = nearest


@inlined
def half_norms(x: Any, wide: Any, halves: Any) -> None:
    """Write what distances by products take of the points of panels (b, D, P); `wide` is room.

    Half the squared norm of each, and the products of the columns that are taken together.
    """
    panel, columns = x.shape[2], x.shape[1]
    for p in range(x.shape[0]):
        for j in range(panel):
            wide[j] = 0.0
        for k in range(columns):
            row = x[p, k]
            for j in range(panel):
                wide[j] += 0.5 * np.float64(row[j]) * np.float64(row[j])
        for k in range(columns // STEP if PAIRED else 0):
            left, right = x[p, STEP * k], x[p, STEP * k + 1]
            for j in range(panel):
                wide[j] += np.float64(left[j]) * np.float64(right[j])
        for j in range(panel):
            halves[p * panel + j] = wide[j]


class Rules(NamedTuple):
    """Which pairs are special, and the exponent; most are explained in `loops.sum_blocks`.

    `whole` is the exponent if that is a whole number of moderate size, else 0. If it is a small one
    squares must lie between 1/reach and reach, else they may be less than all before by the factor
    `closer`.
    """

    near: Any
    floor: Any
    far: Any
    half: Any
    whole: Any
    reach: Any
    closer: Any


class Totals(NamedTuple):
    """The sums, as in `loops.sum_blocks`, and `scale`, the power of the units `scaled`."""

    unit: Any
    plus: Any
    minus: Any
    scale: Any
    scaled: Any


class Block(NamedTuple):
    """A block of one class and one weight, where its places begin, and what products take of it.

    What its empty places add is `nothing` times a power of the unit. Squares must be as large as
    `losses`, of which `lost` is the least.
    """

    x: Any
    weight: Any
    nothing: Any
    label: int
    largest: Any
    first: int
    halves: Any
    losses: Any
    lost: Any


class Tile(NamedTuple):
    """A tile of 8 queries: those still to be summed, and room for what is found."""

    todo: Any
    ready: Any
    scale: Any
    sums: Any
    ends: Any


@inlined
def sum_alike(
    block: Any, q: Any, halves: Any, start: int, sizes: Any, own: Any, loss: Any, rules: Any,
    totals: Any, tile: Any,
) -> int:  # fmt: skip
    """Add the terms of a block of one class and one weight to the sums of a tile of queries.

    That is done before it is known whether a pair is special: by products if there is a loss of
    digits, else by differences. The sums of some queries are void then; give for how many queries
    it is still to be done.
    """
    one, c = type(loss)(1), block.label
    weight, width = np.float64(block.weight), block.halves.size
    half, whole, unit = rules.half, rules.whole, totals.unit
    todo, ready, scale, sums, ends = tile
    away, raw = type(loss)(AWAY), 0 < whole <= WHOLE
    if not raw:
        for r in range(TILE):
            scale[r] = unit[start + r, c] if whole > 0 else one / unit[start + r, c]
    if loss > 0:
        power_sums_by_products(
            block.x, q, block.halves, halves, whole, half, scale, rules.far < away, sums, ends,
            block.losses,
        )  # fmt: skip
    else:
        power_sums(block.x, q, whole, half, scale, rules.far < away, sums, ends)
    for r in range(TILE):
        size, here = sizes[start + r], own[start + r] - block.first
        special = (ends[1, r] > rules.far) | ((here >= 0) & (here < width))
        # Seen from far out the empty places are elsewhere.
        special |= (block.nothing > 0) & (size > FAR_OUT)
        if loss > 0:
            # What was found is the least of u - loss·|x|². With the least loss·|x|² it bounds the
            # least u from below, and is more than loss/2 of that.
            special |= ends[0, r] < loss * size * size
            ends[0, r] += block.lost
        bound = rules.near * (size + block.largest)
        special |= ends[0, r] < max(bound * bound, rules.floor)
        if raw:
            squares = 2 * (size * size + block.largest * block.largest)
            special |= (squares > rules.reach) | (ends[0, r] * rules.reach < one)
        else:
            before = unit[start + r, c]
            special |= (before > away) | (ends[0, r] < before * rules.closer)
        ready[r] = todo[r] and not special
    left = 0
    for r in range(TILE):
        if not ready[r]:
            left += todo[r]
            continue
        todo[r] = False
        i, nearest, total = start + r, ends[0, r], np.float64(sums[r])
        if not raw:
            if block.nothing > 0:
                total -= block.nothing * np.float64(unit[i, c]) ** np.float64(half)
            totals.plus[i, c] += total * weight
        if nearest < unit[i, c]:
            shrink(nearest, half, i, c, unit, totals.plus, totals.minus)
        if raw:
            if totals.scaled[i, c] != unit[i, c]:
                totals.scaled[i, c] = unit[i, c]
                totals.scale[i, c] = np.float64(unit[i, c]) ** np.float64(half)
            totals.plus[i, c] += (total - block.nothing) * totals.scale[i, c] * weight
    return left
