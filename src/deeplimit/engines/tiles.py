"""The kernel of the graphics engine, in Triton: one chunk of examples for one tile of queries."""

# Triton's decorator, found when the module is loaded, has no types.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from typing import Any

from deeplimit._extras import require

__all__ = ["DIFFERENCES", "PRODUCTS", "QUICK", "RESIDENT", "STREAMED", "sum_chunk"]

_PURPOSE = "the fused kernel of the graphics engine"
triton: Any = require("triton", extra="graphics", purpose=_PURPOSE)
tl: Any = require("triton.language", extra="graphics", purpose=_PURPOSE)
libdevice: Any = require("triton.language.extra.libdevice", extra="graphics", purpose=_PURPOSE)
jit: Any = triton.jit

# Distances by products of halves, the queries staying on the chip or coming in blocks of columns;
# by products of whole numbers; by differences.
RESIDENT, STREAMED, PRODUCTS, DIFFERENCES = 0, 1, 2, 3
# Exponents that are no integers: by a GPU's quick logarithm, or by one that is right.
QUICK = -2


@jit
def _power(ratio: tl.tensor, half: tl.tensor, POWER: tl.constexpr) -> tl.tensor:
    """Give ratio^(-POWER/2), or ratio^(-half) where POWER is negative; 0 at inf."""
    if POWER == -2:
        return tl.exp2(-half * libdevice.fast_log2f(ratio))
    if POWER < 0:
        return tl.exp2(-half * tl.log2(ratio))
    if POWER == 0:
        return tl.where(ratio < float("inf"), 1.0, 0.0).to(ratio.dtype)
    root = tl.rsqrt(ratio)
    square = root * root
    result = tl.full(ratio.shape, 1.0, dtype=ratio.dtype)
    if POWER % 2 == 1:
        result = root
    for i in tl.static_range(9):
        if ((POWER // 2) >> i) % 2 == 1:
            result = result * square
        if ((POWER // 2) >> (i + 1)) > 0:
            square = square * square
    return result


@jit
def _profile(
    table: tl.tensor,
    gap: tl.tensor,
    LENGTH: tl.constexpr,
    DEGREE: tl.constexpr,
    BITS: tl.constexpr,
    LOW: tl.constexpr,
) -> tl.tensor:
    """Look up P in its table of LENGTH pieces for each side of the equator."""
    t = tl.where(gap > 1.0, 2.0 - gap, gap)
    if gap.dtype == tl.float64:
        word = t.to(tl.int64, bitcast=True)
        piece = (word >> (52 - BITS)) - ((1023 + LOW) << BITS)
        v = (word & ((1 << (52 - BITS)) - 1)).to(tl.float64) * (1.0 / (1 << (52 - BITS)))
    else:
        word = t.to(tl.int32, bitcast=True)
        piece = (word >> (23 - BITS)) - ((127 + LOW) << BITS)
        v = (word & ((1 << (23 - BITS)) - 1)).to(tl.float32) * (1.0 / (1 << (23 - BITS)))
    piece = tl.minimum(tl.maximum(piece, 0), LENGTH - 1)
    piece = tl.where(gap > 1.0, piece + LENGTH, piece)
    row = table + piece * (DEGREE + 1)
    value = tl.load(row + DEGREE)
    for k in tl.static_range(1, DEGREE + 1):
        value = value * v + tl.load(row + (DEGREE - k))
    return value


@jit
def _by_query(values: tl.tensor, ALONG: tl.constexpr) -> tl.tensor:
    """Lay out values of the queries for a tile whose examples lie along an axis."""
    return tl.expand_dims(values, ALONG)


@jit
def _by_example(values: tl.tensor, ALONG: tl.constexpr) -> tl.tensor:
    """Lay out values of the examples for a tile whose examples lie along an axis."""
    return tl.expand_dims(values, 1 - ALONG)


@jit
def _product(q_high: tl.tensor, q_low: tl.tensor, x_high: tl.tensor, x_low: tl.tensor) -> tl.tensor:
    """Multiply halves, the small parts first: what a sum loses is a part of its size then."""
    small = tl.dot(q_high, x_low)
    small = tl.dot(q_low, x_high, small)
    return tl.dot(q_high, x_high, small)


@jit
def _differences(
    queries: tl.tensor,
    examples: tl.tensor,
    rows: tl.tensor,
    lanes: tl.tensor,
    m: tl.tensor,
    places: tl.tensor,
    u: tl.tensor,
    D: tl.constexpr,
    STEP: tl.constexpr,
) -> tl.tensor:
    """Add the squares of differences to u, column by column; its rows are the examples."""
    for k in range(0, D, STEP):
        for j in tl.static_range(STEP):
            q = tl.load((queries + (k + j) * m) + rows)
            x = tl.load((examples + (k + j) * places) + lanes)
            difference = x[:, None] - q[None, :]
            u += difference * difference
    return u


@jit
def _mark(
    near: tl.tensor,
    first: tl.tensor,
    rows: tl.tensor,
    near_rows: tl.tensor,
    near_places: tl.tensor,
    near_marks: tl.tensor,
    count: tl.tensor,
    capacity: tl.tensor,
    ROWS: tl.constexpr,
    TILE: tl.constexpr,
) -> None:
    """List where pairs are near, with a bit for each of 32 places."""
    WORDS: tl.constexpr = TILE // 32
    bits = near << (tl.arange(0, TILE) % 32)[None, :]
    marks = tl.sum(tl.reshape(bits, (ROWS, WORDS, 32)), 2)
    marked = (marks != 0).to(tl.int32)
    total = tl.sum(tl.sum(marked, 1), 0)
    if total > 0:
        slot = tl.atomic_add(count, total.to(tl.int64), sem="relaxed")
        # Where the list is full nothing is written; its counter tells how long it would be.
        if slot + total <= capacity:
            here = tl.cumsum(tl.reshape(marked, (ROWS * WORDS,)), 0) - 1
            here = tl.reshape(here, (ROWS, WORDS)) + slot.to(tl.int32)
            place = first + 32 * tl.arange(0, WORDS)[None, :] + 0 * rows[:, None]
            row = rows[:, None] + 0 * place
            tl.store(near_rows + here, row, mask=marked > 0)
            tl.store(near_places + here, place, mask=marked > 0)
            tl.store(near_marks + here, marks, mask=marked > 0)


@jit
def _sums(
    ratio: tl.tensor,
    inverse: tl.tensor,
    half: tl.tensor,
    gap_unit: tl.tensor,
    weights: tl.tensor,
    table: tl.tensor,
    ALONG: tl.constexpr,
    POWER: tl.constexpr,
    ALIKE: tl.constexpr,
    LENGTH: tl.constexpr,
    DEGREE: tl.constexpr,
    BITS: tl.constexpr,
    LOW: tl.constexpr,
) -> tl.tensor:
    """Sum the terms of a tile, the positive ones and the negative ones, for distances in units."""
    terms = _power(ratio, half, POWER)
    if not ALIKE:
        terms = terms * _by_example(tl.load(weights), ALONG)
    if LENGTH > 0:
        gap = ratio * _by_query(gap_unit / inverse, ALONG)
        terms = terms * _profile(table, gap, LENGTH, DEGREE, BITS, LOW)
        return tl.sum(tl.maximum(terms, 0.0), ALONG), tl.sum(tl.maximum(-terms, 0.0), ALONG)
    above = tl.sum(terms, ALONG)
    return above, above


@jit
def _add(
    ratio: tl.tensor,
    above: tl.tensor,
    below: tl.tensor,
    inverse: tl.tensor,
    floor: tl.tensor,
    first: tl.tensor,
    rows: tl.tensor,
    omitted: tl.tensor,
    row_norms: tl.tensor,
    x_norms: tl.tensor,
    top: tl.tensor,
    extent: tl.tensor,
    constants: tl.tensor,
    weights: tl.tensor,
    table: tl.tensor,
    near_rows: tl.tensor,
    near_places: tl.tensor,
    near_marks: tl.tensor,
    count: tl.tensor,
    capacity: tl.tensor,
    ALONG: tl.constexpr,
    POWER: tl.constexpr,
    ALIKE: tl.constexpr,
    SKIP: tl.constexpr,
    LENGTH: tl.constexpr,
    DEGREE: tl.constexpr,
    BITS: tl.constexpr,
    LOW: tl.constexpr,
    ROWS: tl.constexpr,
    TILE: tl.constexpr,
) -> tl.tensor:
    """Add the terms of a tile of pairs to the sums of the queries.

    Distances are in units 1/inverse of the query. A tile is looked at closely only where one of
    its pairs might be near or its distance too small for the unit; of the rest nothing need be
    known but the smallest distance of each query.
    """
    half = tl.load(constants)
    relative = tl.load(constants + 1)
    infinity = float("inf")
    # As integers floats are in the same order, for all that matters, and sooner compared.
    if ratio.dtype == tl.float64:
        least = tl.min(ratio.to(tl.int64, bitcast=True), ALONG).to(tl.float64, bitcast=True)
    else:
        least = tl.min(ratio.to(tl.int32, bitcast=True), ALONG).to(tl.float32, bitcast=True)
    edge = inverse * relative
    watch = least < tl.maximum(floor, row_norms * edge + (relative * top + extent) * inverse)
    if SKIP:
        watch = watch | ((omitted >= first) & (omitted < first + TILE))
    alarm = tl.max(watch.to(tl.int32), 0)
    gap_unit = tl.load(constants + 4)
    at = weights + first + tl.arange(0, TILE)
    if LENGTH == 0:
        # The terms are summed before it is known whether they may be: most often they may.
        more, _ = _sums(
            ratio, inverse, half, gap_unit, at, table, ALONG, POWER, ALIKE, LENGTH, DEGREE, BITS,
            LOW,
        )  # fmt: skip
    else:
        more = above
        alarm = 1
    if alarm > 0:
        if SKIP:
            columns = first + tl.arange(0, TILE)
            own = _by_example(columns, ALONG) == _by_query(omitted, ALONG)
            ratio = tl.where(own, infinity, ratio)
        bound = _by_example(x_norms, ALONG) * _by_query(edge, ALONG)
        near = ratio < bound + _by_query(row_norms * edge + extent * inverse, ALONG)
        if LENGTH > 0:
            t = 2.0 - ratio * _by_query(gap_unit / inverse, ALONG)
            near = near | ((t < tl.load(constants + 2)) & (ratio < infinity))
        ratio = tl.where(near, infinity, ratio)
        bits = near.to(tl.int32)
        if ALONG == 0:
            bits = tl.trans(bits)
        _mark(bits, first, rows, near_rows, near_places, near_marks, count, capacity, ROWS, TILE)
        least = tl.min(ratio, ALONG)
        fresh = least < floor
        factor = tl.where(fresh, 1.0 / tl.where(fresh, least, 1.0), 1.0)
        # Terms of before shrink to the new unit; where it stays they must not, not even by 1 - ε.
        shrink = tl.where(fresh & (floor < infinity), _power(factor, half, POWER), 1.0)
        inverse = inverse * factor
        floor = tl.where(fresh, tl.load(constants + 3), floor)
        more, less = _sums(
            ratio * _by_query(factor, ALONG), inverse, half, gap_unit, at, table, ALONG, POWER,
            ALIKE, LENGTH, DEGREE, BITS, LOW,
        )  # fmt: skip
        above = above * shrink + more
        if LENGTH > 0:
            below = below * shrink + less
    else:
        above += more
    return above, below, inverse, floor


@jit(do_not_specialize=["capacity"])
def sum_chunk(
    queries: tl.tensor,
    queries_low: tl.tensor,
    query_norms: tl.tensor,
    query_units: tl.tensor,
    skip: tl.tensor,
    examples: tl.tensor,
    examples_low: tl.tensor,
    norms: tl.tensor,
    tops: tl.tensor,
    chunk_units: tl.tensor,
    weights: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    constants: tl.tensor,
    table: tl.tensor,
    inverses: tl.tensor,
    positive: tl.tensor,
    negative: tl.tensor,
    near_rows: tl.tensor,
    near_places: tl.tensor,
    near_marks: tl.tensor,
    count: tl.tensor,
    m: tl.tensor,
    places: tl.tensor,
    capacity: tl.tensor,
    FORM: tl.constexpr,
    POWER: tl.constexpr,
    D: tl.constexpr,
    BLOCK: tl.constexpr,
    ALIKE: tl.constexpr,
    SKIP: tl.constexpr,
    LENGTH: tl.constexpr,
    DEGREE: tl.constexpr,
    BITS: tl.constexpr,
    LOW: tl.constexpr,
    ROWS: tl.constexpr,
    TILE: tl.constexpr,
    GRAIN: tl.constexpr,
) -> None:
    """Sum a chunk for a tile of queries; neighbours in the grid share the chunk.

    Rows of matrices are wide in memory, but for differences, where columns are. The matrices of
    halves have rows for a whole tile more than there are places.
    """
    tiles = m // ROWS
    chunk = tl.program_id(0) // tiles
    rows = (tl.program_id(0) % tiles) * ROWS + tl.arange(0, ROWS)
    lanes = tl.arange(0, TILE)
    infinity = float("inf")
    row_norms = tl.load(query_norms + rows)
    omitted = rows
    if SKIP:
        omitted = tl.load(skip + rows)
    start = tl.multiple_of(tl.load(starts + chunk), GRAIN)
    stop = tl.multiple_of(tl.load(stops + chunk), GRAIN)
    extent = tl.load(constants + 5) + tl.load(constants + 6) * tl.load(tops + stop // GRAIN - 1)
    above = tl.zeros((ROWS,), dtype=row_norms.dtype)
    below = above
    inverse = above + 1.0
    # Nothing was summed: the first distance there is gives the unit.
    floor = above + infinity
    # Offsets are wide: examples have more than 2^31 coordinates, and so may queries.
    wide_rows = rows.to(tl.int64)
    FIRST: tl.constexpr = BLOCK if D > BLOCK else D
    SECOND: tl.constexpr = D - FIRST
    # Where threads are dealt out along the last axis, each has one query there and sums alone.
    ALONG: tl.constexpr = 0 if FORM == 3 else 1
    if FORM != 3:
        at_q = wide_rows[:, None] * D + tl.arange(0, FIRST)[None, :]
        at_x = lanes[None, :] * D + tl.arange(0, FIRST)[:, None]
    scale = inverse * -2.0
    if FORM <= 1:
        scale = -2.0 * tl.load(query_units + rows) * tl.load(chunk_units + chunk)
    if FORM == 0:
        q_high = tl.load(queries + at_q)
        q_low = tl.load(queries_low + at_q)
        if SECOND > 0:
            rest_q = wide_rows[:, None] * D + (FIRST + tl.arange(0, SECOND))[None, :]
            rest_x = lanes[None, :] * D + (FIRST + tl.arange(0, SECOND))[:, None]
            rest_high = tl.load(queries + rest_q)
            rest_low = tl.load(queries_low + rest_q)
    for first in tl.range(start, stop, TILE):
        first = tl.multiple_of(first, GRAIN)
        jump = first.to(tl.int64) * D
        if TILE == GRAIN:
            x_norms = tl.load((norms + first) + lanes)
            top = tl.load(tops + first // GRAIN)
        else:
            x_norms = tl.load((norms + first) + lanes, mask=lanes < stop - first, other=infinity)
            last = tl.minimum(first + TILE, stop) // GRAIN - 1
            top = tl.load(tops + last)
        if FORM == 0:
            x_high = tl.load((examples + jump) + at_x)
            x_low = tl.load((examples_low + jump) + at_x)
            product = _product(q_high, q_low, x_high, x_low)
            if SECOND > 0:
                x_high = tl.load((examples + jump) + rest_x)
                x_low = tl.load((examples_low + jump) + rest_x)
                product += _product(rest_high, rest_low, x_high, x_low)
        if FORM == 1:
            # A block is added while the next one is multiplied.
            product = tl.zeros((ROWS, TILE), dtype=tl.float32)
            part = product
            for k in tl.range(0, D, BLOCK):
                x_low = tl.load((examples_low + (jump + k)) + at_x)
                q_high = tl.load((queries + k) + at_q)
                x_high = tl.load((examples + (jump + k)) + at_x)
                q_low = tl.load((queries_low + k) + at_q)
                following = _product(q_high, q_low, x_high, x_low)
                product += part
                part = following
            product += part
        if FORM == 2:
            product = tl.zeros((ROWS, TILE), dtype=row_norms.dtype)
            for k in range(0, D, BLOCK):
                q = tl.load((queries + k) + at_q)
                x = tl.load((examples + (jump + k)) + at_x)
                product = tl.dot(q, x, product, input_precision="ieee", out_dtype=product.dtype)
        squares = _by_example(x_norms, ALONG) * _by_query(inverse, ALONG)
        squares += _by_query(row_norms * inverse, ALONG)
        if FORM == 3:
            u = _differences(
                queries,
                examples + first,
                rows,
                lanes,
                m.to(tl.int64),
                places.to(tl.int64),
                tl.zeros((TILE, ROWS), dtype=row_norms.dtype),
                D,
                BLOCK,
            )
            ratio = tl.where(squares < infinity, u * _by_query(inverse, ALONG), infinity)
        else:
            ratio = product * (scale * inverse)[:, None] + squares
        above, below, inverse, floor = _add(
            ratio, above, below, inverse, floor, first, rows, omitted, row_norms, x_norms, top,
            extent, constants, weights, table, near_rows, near_places, near_marks, count, capacity,
            ALONG, POWER, ALIKE, SKIP, LENGTH, DEGREE, BITS, LOW, ROWS, TILE,
        )  # fmt: skip
    if ALIKE:
        weight = tl.load(weights + start)
        above = above * weight
        below = below * weight
    place = chunk.to(tl.int64) * m + rows
    tl.store(inverses + place, tl.where(floor < infinity, inverse, 0.0))
    tl.store(positive + place, above)
    if LENGTH > 0:
        tl.store(negative + place, below)
