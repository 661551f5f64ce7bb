"""Sums over chunks of examples by one Triton kernel: distances, powers, class sums in one pass."""

# Triton's decorator, found when the module is loaded, has no types.
# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimit._extras import require
from deeplimit.engines.eager import Chunks, Terms, pytorch
from deeplimit.engines.placement import STEP, TILE

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ROWS", "chunk_terms"]

_PURPOSE = "the fused kernel of the graphics engine"
triton: Any = require("triton", extra="graphics", purpose=_PURPOSE)
tl: Any = require("triton.language", extra="graphics", purpose=_PURPOSE)
jit: Any = triton.jit

# Queries of a tile.
ROWS = 64
# An exponent beyond it is no product of powers, but exp2 of a logarithm.
_LARGEST_POWER = 1023
# Lists of marked pairs that are unfolded at once.
_MARKS = 2**18


@jit
def _power(ratio: tl.tensor, half: tl.tensor, POWER: tl.constexpr) -> tl.tensor:
    """Give ratio^(-POWER/2), or ratio^(-half) where POWER is negative; 0 at inf."""
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
def _distances(
    queries: tl.tensor,
    examples: tl.tensor,
    rows: tl.tensor,
    columns: tl.tensor,
    query_stride: tl.tensor,
    row_stride: tl.tensor,
    column_stride: tl.tensor,
    start: tl.tensor,
    D: tl.constexpr,
    STEP: tl.constexpr,
    DIFFERENCES: tl.constexpr,
    PRECISION: tl.constexpr,
) -> tl.tensor:
    """Add squared distances to `start`: by differences, or by a product of matrices."""
    # Offsets are wide: examples have more than 2^31 coordinates, and so may queries.
    at_queries = queries + rows.to(tl.int64) * query_stride
    at_examples = examples + columns.to(tl.int64) * row_stride
    if DIFFERENCES:
        for k in range(D):
            difference = tl.load(at_queries + k)[:, None] - tl.load(at_examples)[None, :]
            start += difference * difference
            at_examples += column_stride
        return start
    product = tl.zeros_like(start)
    for k in range(0, D, STEP):
        steps = k + tl.arange(0, STEP)
        q = tl.load(at_queries[:, None] + steps[None, :])
        x = tl.load(at_examples[None, :] + steps[:, None] * column_stride)
        product = tl.dot(q, x, product, input_precision=PRECISION, out_dtype=start.dtype)
    return start - 2.0 * product


@jit
def _kernel(
    queries: tl.tensor,
    query_norms: tl.tensor,
    skip: tl.tensor,
    examples: tl.tensor,
    norms: tl.tensor,
    weights: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    constants: tl.tensor,
    table: tl.tensor,
    nearest: tl.tensor,
    positive: tl.tensor,
    negative: tl.tensor,
    near_rows: tl.tensor,
    near_places: tl.tensor,
    near_marks: tl.tensor,
    count: tl.tensor,
    m: tl.tensor,
    capacity: tl.tensor,
    query_stride: tl.tensor,
    row_stride: tl.tensor,
    column_stride: tl.tensor,
    POWER: tl.constexpr,
    D: tl.constexpr,
    STEP: tl.constexpr,
    DIFFERENCES: tl.constexpr,
    SKIP: tl.constexpr,
    LENGTH: tl.constexpr,
    DEGREE: tl.constexpr,
    BITS: tl.constexpr,
    LOW: tl.constexpr,
    ROWS: tl.constexpr,
    TILE: tl.constexpr,
    PRECISION: tl.constexpr,
) -> None:
    """Sum one chunk for one tile of queries; neighbours in the grid share the chunk."""
    tiles = m // ROWS
    chunk = tl.program_id(0) // tiles
    rows = (tl.program_id(0) % tiles) * ROWS + tl.arange(0, ROWS)
    half = tl.load(constants)
    relative = tl.load(constants + 1)
    absolute = tl.load(constants + 2)
    far = tl.load(constants + 3)
    gap_unit = tl.load(constants + 4)
    row_norms = tl.load(query_norms + rows)
    omitted = rows
    if SKIP:
        omitted = tl.load(skip + rows)
    infinity = float("inf")
    least = tl.full((ROWS,), infinity, dtype=row_norms.dtype)
    above = tl.zeros((ROWS,), dtype=row_norms.dtype)
    below = above
    for first in range(tl.load(starts + chunk), tl.load(stops + chunk), TILE):
        columns = first + tl.arange(0, TILE)
        squares = row_norms[:, None] + tl.load(norms + columns)[None, :]
        start = squares
        if DIFFERENCES:
            start = tl.where(squares < infinity, 0.0, squares)
        u = _distances(
            queries,
            examples,
            rows,
            columns,
            query_stride,
            row_stride,
            column_stride,
            start,
            D,
            STEP,
            DIFFERENCES,
            PRECISION,
        )
        if SKIP:
            u = tl.where(columns[None, :] == omitted[:, None], infinity, u)
        near = u < relative * squares + absolute
        if LENGTH > 0:
            near = near | ((2.0 - u * gap_unit < far) & (u < infinity))
        # One bit for each of the 64 columns: a list of pairs would take half of the registers.
        marks = tl.sum(near.to(tl.int64) << tl.arange(0, TILE)[None, :].to(tl.int64), 1)
        marked = (marks != 0).to(tl.int32)
        total = tl.sum(marked, 0)
        if total > 0:
            slot = tl.atomic_add(count, total.to(tl.int64), sem="relaxed")
            # Where the list is full nothing is written; its counter tells how long it would be.
            if slot + total <= capacity:
                here = slot.to(tl.int32) + tl.cumsum(marked, 0) - 1
                tl.store(near_rows + here, rows, mask=marked > 0)
                tl.store(near_places + here, rows * 0 + first, mask=marked > 0)
                tl.store(near_marks + here, marks, mask=marked > 0)
        u = tl.where(near, infinity, u)
        lower = tl.minimum(least, tl.min(u, 1))
        unit = tl.where(lower < infinity, lower, 1.0)
        inverse = 1.0 / unit
        # What was summed so far shrinks to the new unit, by 0 where nothing was. Where the unit
        # stays it must not: a quotient that is nearly 1 would shrink it again with every tile.
        shrink = tl.where(lower < least, _power(least * inverse, half, POWER), 1.0)
        terms = _power(u * inverse[:, None], half, POWER) * tl.load(weights + columns)[None, :]
        if LENGTH > 0:
            terms = terms * _profile(table, u * gap_unit, LENGTH, DEGREE, BITS, LOW)
            below = below * shrink + tl.sum(tl.maximum(-terms, 0.0), 1)
            terms = tl.maximum(terms, 0.0)
        above = above * shrink + tl.sum(terms, 1)
        least = lower
    place = chunk.to(tl.int64) * m + rows
    tl.store(nearest + place, least)
    tl.store(positive + place, above)
    if LENGTH > 0:
        tl.store(negative + place, below)


def chunk_terms(
    chunks: Chunks, queries: Tensor, norms: Tensor, skip: Tensor | None, capacity: int
) -> Terms:
    """Sum the terms of each chunk for each query, as `eager.chunk_terms` does.

    Sums do not depend on what runs when: each chunk has one owner for each query, and pairs to be
    refined are a set.

    Parameters
    ----------
    chunks : Chunks
        Examples and kernel; chunks consist of whole tiles.
    queries : torch.Tensor of shape (m, D)
        Images of the queries, centred and scaled like the examples.
    norms : torch.Tensor of shape (m,)
        Their squared norms; inf for a query that is left out.
    skip : torch.Tensor of int32, shape (m,), or None
        Place of the example that each query must not see; -1 for none.
    capacity : int
        How many pairs may be refined.

    Returns
    -------
    Terms
        The sums.
    """
    torch = pytorch()
    m, padded = len(queries), -(-len(queries) // ROWS) * ROWS
    device, dtype = queries.device, queries.dtype
    table = chunks.table

    def tensor(*shape: int, like: Any = dtype) -> Any:
        return torch.empty(shape, dtype=like, device=device)

    def pad(values: Tensor, value: float) -> Any:
        filled = torch.full((padded, *values.shape[1:]), value, dtype=values.dtype, device=device)
        filled[:m] = values
        return filled

    count = torch.zeros(1, dtype=torch.int64, device=device)
    nearest, positive = (tensor(chunks.starts.size, padded) for _ in range(2))
    negative = nearest if table is None else tensor(chunks.starts.size, padded)
    rows, places = (tensor(max(capacity, 1), like=torch.int32) for _ in range(2))
    marks = tensor(max(capacity, 1), like=torch.int64)
    constants = (chunks.exponent / 2.0, *chunks.thresholds, chunks.gap_unit)
    whole = chunks.exponent.is_integer() and chunks.exponent <= _LARGEST_POWER
    launch = _kernel[(chunks.starts.size * (padded // ROWS),)]
    launch(
        pad(queries, 0.0),
        pad(norms, float("inf")),
        norms if skip is None else pad(skip, -1),
        chunks.examples,
        chunks.norms,
        chunks.weights,
        torch.as_tensor(chunks.starts.astype(np.int32), device=device),
        torch.as_tensor(chunks.stops.astype(np.int32), device=device),
        torch.tensor(constants, dtype=dtype, device=device),
        norms if table is None else table.coefficients,
        nearest,
        positive,
        negative,
        rows,
        places,
        marks,
        count,
        padded,
        capacity,
        queries.shape[1],
        *chunks.examples.stride(),
        POWER=int(chunks.exponent) if whole else -1,
        D=queries.shape[1],
        STEP=STEP,
        DIFFERENCES=chunks.arithmetic.differences,
        SKIP=skip is not None,
        LENGTH=0 if table is None else len(table.coefficients) // 2,
        DEGREE=0 if table is None else table.coefficients.shape[1] - 1,
        BITS=0 if table is None else table.bits,
        LOW=0 if table is None else table.low,
        ROWS=ROWS,
        TILE=TILE,
        # The product of tensor cores keeps ten bits; three of them keep what float32 does.
        PRECISION="tf32x3" if dtype == torch.float32 else "ieee",
        # Twice the registers a number, so twice the threads.
        num_warps=4 if dtype == torch.float32 else 8,
        enable_fp_fusion=True,
    )
    total = int(count.item())
    kept = total if total <= capacity else 0
    near_rows, near_places = _pairs(rows[:kept], places[:kept], marks[:kept])
    total = max(total, near_rows.size)
    near, above = (part[:, :m].cpu().double().numpy() for part in (nearest, positive))
    below = np.zeros_like(above) if table is None else negative[:, :m].cpu().double().numpy()
    return Terms(near, above, below, near_rows, near_places, total)


def _pairs(rows: Tensor, places: Tensor, marks: Tensor) -> Any:
    """Give the pairs that are marked: a query, the first place of a tile, and a bit for each."""
    torch = pytorch()
    bits = torch.arange(TILE, device=marks.device)
    none = np.zeros(0, dtype=np.int64)
    near_rows, near_places = [none], [none]
    for start in range(0, len(marks), _MARKS):
        part = slice(start, start + _MARKS)
        mark, bit = torch.nonzero((marks[part, None] >> bits) & 1, as_tuple=True)
        near_rows.append(rows[part][mark].cpu().numpy().astype(np.int64))
        near_places.append((places[part][mark] + bit).cpu().numpy().astype(np.int64))
    return np.concatenate(near_rows), np.concatenate(near_places)
