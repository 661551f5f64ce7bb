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
MANY, COLUMNS = 8, 8
# And for half an exponent that is no larger: products tell but a lower bound of the least square,
# at which the unit may then be, and a power of what this is less by must not come to nothing.
STEEPEST = 128.0
# Pairs must be farther apart than this part of their squared norms: then many are.
LOST = 0.8
# They may be nearer by this factor, if what such blocks err more than they may is less than this
# part of it, beside the sums: in many columns one near pair weighs little among all others.
DEAREST, SPARE = 16.0, 0.1
# Whether columns are paired here is known when the loops are compiled.
PAIRED = paired(STEP) > 0


@inlined
def alike(w: Any, runs: Any, first_run: Any, b: int) -> Any:
    """Give the weight of the examples of a block, and how many places are empty.

    The weight is 0 where the examples are of several classes or weights.
    """
    run, first = first_run[b], 0
    while first + 1 < w.size and w[first] == 0:
        first += 1
    weight = w[first]
    # Counts of 32 bits, for vectors of as many as there are weights in one.
    empty = other = np.int32(0)
    for j in range(w.size):
        empty += np.int32(w[j] == 0)
        other += np.int32((w[j] != 0) & (w[j] != weight))
    if first_run[b + 1] - run > 1 or runs[run, 1] > 0 or other > 0:
        weight -= weight
    return weight, empty


@inlined
def shrink(nearest: Any, half: Any, i: int, c: int, totals: Any) -> Any:
    """Bring sums to the unit of a square that is less than all before, and give the factor."""
    factor = (np.float64(nearest) / totals.unit[i, c]) ** np.float64(half)
    totals.plus[i, c] *= factor
    totals.minus[i, c] *= factor
    totals.spent[i, c] *= factor
    totals.unit[i, c] = nearest
    totals.calm[i, c] = AWAY
    return factor


@inlined
def half_norms(x: Any, wide: Any, halves: Any) -> None:
    """Write what distances by products take of the points of panels (b, D, P); `wide` is room.

    Half the squared norm of each, and the products of the columns that are taken together.
    """
    panel, columns = x.shape[2], x.shape[1]
    steps, both = columns // STEP, 1.0 if PAIRED else 0.0
    for p in range(x.shape[0]):
        for j in range(panel):
            wide[j] = 0.0
        for k in range(steps):
            # Three at a time: what is read and written most are the sums.
            first, second, third = x[p, STEP * k], x[p, STEP * k + 1], x[p, STEP * k + 2]
            for j in range(panel):
                a, b, c = np.float64(first[j]), np.float64(second[j]), np.float64(third[j])
                wide[j] += 0.5 * (a * a + b * b + c * c) - both * (a * b)
        for k in range(STEP * steps, columns):
            row = x[p, k]
            for j in range(panel):
                wide[j] += 0.5 * np.float64(row[j]) * np.float64(row[j])
        for j in range(panel):
            halves[p * panel + j] = wide[j]


class Rules(NamedTuple):
    """Which pairs are special, and the exponent; most are explained in `loops.sum_blocks`.

    `whole` is the exponent if that is a whole number of moderate size, else 0. If it is a small one
    squares must lie between 1/reach and reach, else they may be less than all before by the factor
    `closer`. `halved` is 2^(-half). The `loss` is that of products if any are tried, in
    whichever form a tile is taken; else it is 0.
    """

    near: Any
    loss: Any
    floor: Any
    far: Any
    half: Any
    whole: Any
    reach: Any
    closer: Any
    halved: Any


class Totals(NamedTuple):
    """The sums, as in `loops.sum_blocks`, what the power of a unit is, and errors.

    `power` is that of the unit `powered`. `spent` is what products err more than they may, as part
    of that, in the units of the sums. Where the least that a block tells of its squares is no less
    than `calm`, neither its unit nor its digits are in question; `AWAY` if that is not known.
    """

    unit: Any
    plus: Any
    minus: Any
    power: Any
    powered: Any
    spent: Any
    calm: Any


class Block(NamedTuple):
    """A block of one class and one weight, where its places begin, and what products take of it.

    What its empty places add is `nothing` times a power of the unit. Half the squares must be as
    large as `losses`, of which `lost` is twice the least. No norm of any block is larger than
    `outermost`.
    """

    x: Any
    weight: Any
    nothing: Any
    label: int
    largest: Any
    outermost: Any
    first: int
    halves: Any
    losses: Any
    lost: Any


class Tile(NamedTuple):
    """A tile of 8 queries: 1 for those still to be summed, and room for what is found."""

    todo: Any
    scale: Any
    sums: Any
    ends: Any


@inlined
def calm_of(size: Any, outermost: Any, unit: Any, lowest: Any, reach: Any, rules: Any) -> Any:
    """Give the least square at which no pair of any block is special, for its size, to a query."""
    bound, norms = rules.near * (size + outermost), size * size + outermost * outermost
    calm = max(max(bound * bound, lowest), max(rules.loss * size * size, unit))
    return calm if norms + norms <= reach else type(unit)(AWAY)


@inlined
def sum_alike(
    block: Any, q: Any, halves: Any, start: int, sizes: Any, own: Any, loss: Any, fresh: bool,
    rules: Any, totals: Any, tile: Any,
) -> int:  # fmt: skip
    """Add the terms of a block of one class and one weight to the sums of a tile of queries.

    That is done before it is known whether a pair is special: by products if there is a loss of
    digits, else by differences. The sums of some queries are void then; give for how many queries
    it is still to be done. A tile is fresh while it is still to be done for all of them.

    Notes
    -----
    Let C·ε(|q|² + |x|²) bound the error of a square u by products, and the loss l be where a
    kernel's value then errs by what it may, see `digits.lost`. With the least m of all u - l·|x|²,
    a value of the block errs by at most max(1, l·|q|²/m) times that, for (|q|² + |x|²)/u is at most
    the larger of |q|²/m and 1/l. What is more than 1 of it, times the block's sum, is spent, and a
    part `SPARE` of all that is summed may be: the sum then errs by 1 + `SPARE` of what a value may.
    """
    kind, c, stop = type(loss), block.label, start + TILE
    one, two, half, whole = kind(1), kind(2), rules.half, rules.whole
    todo, scale, sums, ends = tile
    unit, plus = totals.unit[start:stop, c], totals.plus[start:stop, c]
    power, powered = totals.power[start:stop, c], totals.powered[start:stop, c]
    raw, by_products = 0 < whole <= WHOLE, loss > 0
    if not raw:
        for r in range(TILE):
            scale[r] = unit[r] / two if by_products else unit[r]
            if whole == 0:
                scale[r] = one / scale[r]
    if by_products:
        power_sums_by_products(
            block.x, q, block.halves, halves, whole, half, scale, rules.far < AWAY, sums, ends,
            block.losses, rules.halved if raw else one,
        )  # fmt: skip
    else:
        power_sums(block.x, q, whole, half, scale, rules.far < AWAY, sums, ends)
    size, here, least, most = sizes[start:stop], own[start:stop], ends[0], ends[1]
    calm, width, none = totals.calm[start:stop, c], np.uint64(block.halves.size), kind(np.inf)
    # Numbers of 32 bits and no branch, so that this is asked of all queries at once.
    troubles = np.int32(not fresh)
    for r in range(TILE):
        troubles += np.int32(least[r] < calm[r])
    for r in range(TILE):
        troubles += np.int32(np.uint64(here[r] - block.first) < width)
    if rules.far < AWAY:
        for r in range(TILE):
            troubles += np.int32(most[r] > rules.far)
    # Seen from far out the empty places are elsewhere.
    out = kind(FAR_OUT) if block.nothing > 0 else none
    if block.nothing > 0:
        for r in range(TILE):
            troubles += np.int32(not raw) + np.int32(size[r] > out)
    if troubles == 0:
        for r in range(TILE):
            plus[r] += (np.float64(sums[r]) - block.nothing) * block.weight * power[r]
        return 0
    lost = block.lost if by_products else kind(0)
    lowest = max(rules.floor, one / rules.reach if raw else kind(0))
    reach, away = (rules.reach if raw else none), (none if raw else kind(AWAY))
    closer = kind(0) if raw else rules.closer
    left = 0
    for r in range(TILE):
        if todo[r] == 0:
            continue
        # What was found by products is the least of u - loss·|x|². With the least loss·|x|² it
        # bounds the least u from below.
        i, nearest, total = start + r, least[r] + lost, np.float64(sums[r])
        bound, needed = rules.near * (size[r] + block.largest), loss * size[r] * size[r]
        square = two * (size[r] * size[r] + block.largest * block.largest)
        special = nearest < max(bound * bound, lowest)
        special |= (most[r] > rules.far) | (size[r] > out) | (square > reach)
        special |= (unit[r] > away) | (nearest < unit[r] * closer)
        special |= least[r] * kind(DEAREST) < needed
        special |= np.uint64(here[r] - block.first) < width
        if special:
            left += 1
            continue
        if not raw and block.nothing > 0:
            total -= block.nothing * np.float64(unit[r]) ** np.float64(half)
        if nearest < unit[r]:
            factor = shrink(nearest, half, i, c, totals)
            total *= one if raw else factor
        if powered[r] != unit[r]:
            powered[r] = unit[r]
            power[r] = np.float64(unit[r]) ** np.float64(half) if raw else 1.0
        if raw:
            total = (total - block.nothing) * power[r]
        total *= block.weight
        if least[r] < needed:
            spent = totals.spent[i, c] + total * (needed / least[r] - one)
            if spent > SPARE * (plus[r] + total):
                left += 1
                continue
            totals.spent[i, c] = spent
        todo[r] = 0
        plus[r] += total
        calm[r] = calm_of(size[r], block.outermost, unit[r], lowest, reach, rules)
    return left
