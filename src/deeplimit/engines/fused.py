"""Sums over chunks of examples by one Triton kernel: distances, powers, class sums in one pass."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deeplimit.engines import tiles
from deeplimit.engines.cards import shared_memory
from deeplimit.engines.eager import Chunks, Terms, pytorch
from deeplimit.engines.halves import Halves
from deeplimit.engines.placement import COLUMNS, STEP, TILE
from deeplimit.engines.precision import BLOCK, DIFFERENCE_COLUMNS, Arithmetic

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Shape", "chunk_terms", "shape_of"]

# An exponent beyond it is no product of powers, but exp2 of a logarithm.
_LARGEST_POWER = 1023
# A word of marks, and how many are unfolded at once.
_WORD, _MARKS = 32, 2**18
# The unit of a sum is the smallest distance, but that terms may grow to 2^80 (2^900) before it is
# taken anew; less where the logarithm is quick and its error grows with it.
_GROWTH = {"float32": 80.0, "float64": 900.0}
_QUICK_GROWTH = 8.0
# Bytes of a coordinate in halves, and of what else lies in shared memory; how much of it there is
# on the cards that were measured.
_COORDINATE, _OTHER, _LARGE_ROOM = 4, 2**13, 232448


class Shape(NamedTuple):
    """How the kernel is cut for a card; found by measuring on one of compute capability 9.0.

    Parameters
    ----------
    form : int
        How distances are computed: one of the forms of `tiles`.
    rows, tile : int
        Queries and examples of a tile.
    block : int
        Columns that are multiplied, or subtracted, at once.
    warps, stages : int
        Threads, in warps; tiles on their way to the chip.
    registers : int or None
        Most registers of a thread; None leaves it to the compiler.
    """

    form: int
    rows: int
    tile: int
    block: int
    warps: int
    stages: int
    registers: int | None = None

    def memory(self, columns: int) -> int:
        """Give what halves on the chip need of its shared memory.

        Parameters
        ----------
        columns : int
            Columns of the matrices.

        Returns
        -------
        int
            Bytes: tiles on their way, and queries that stay.
        """
        if self.form == tiles.RESIDENT:
            return _COORDINATE * columns * (self.rows + self.stages * self.tile)
        return _COORDINATE * self.block * self.stages * (self.rows + self.tile)


def shape_of(
    arithmetic: Arithmetic,
    columns: int,
    queries: int,
    *,
    plain: bool = True,
    room: int = _LARGE_ROOM,
) -> Shape:
    """Choose the shape of the kernel.

    Parameters
    ----------
    arithmetic : Arithmetic
        The arithmetic.
    columns : int
        Columns of the matrices.
    queries : int
        How many queries there are.
    plain : bool, default=True
        Whether no example is left out and the exponent is an integer: a thread has more registers
        for sums then.
    room : int, default=232448
        Shared memory that a block of threads may have, in bytes.

    Returns
    -------
    Shape
        The shape: the best one that has room.

    Examples
    --------
    >>> halves = Arithmetic("float32", False, True)
    >>> shape_of(halves, 128, 1000).tile, shape_of(halves, 128, 1000, room=101376).tile
    (128, 64)
    """
    if arithmetic.differences:
        block = columns if columns <= DIFFERENCE_COLUMNS else COLUMNS
        if arithmetic.dtype == "float64":
            return Shape(tiles.DIFFERENCES, 64, TILE, block, 8, 2)
        return Shape(tiles.DIFFERENCES, 64 if queries <= 64 else 128, TILE, block, 4, 2)
    if not arithmetic.halves:
        # Twice the registers a number, so twice the threads.
        return Shape(tiles.PRODUCTS, 64, TILE, STEP, 8, 2)
    rows, wide = 64 if queries <= 64 else 128, 2 * TILE
    shapes = []
    if columns <= BLOCK // 2 and plain:
        shapes.append(Shape(tiles.RESIDENT, rows, wide, BLOCK, 4, 3))
    if columns <= BLOCK // 2:
        shapes.append(Shape(tiles.RESIDENT, rows, TILE, BLOCK, 4, 3, 168))
    elif columns <= BLOCK:
        shapes.append(Shape(tiles.RESIDENT, rows, TILE, BLOCK, 4, 2, 168))
    elif columns <= 2 * BLOCK:
        # A thread holds 64 sums of products, so that 128 queries take eight warps.
        shapes.append(Shape(tiles.RESIDENT, rows, wide, BLOCK, rows // 16, 2))
    if columns >= BLOCK:
        if columns > 2 * BLOCK:
            shapes.append(Shape(tiles.STREAMED, rows, wide, BLOCK, rows // 16, 3))
            shapes.append(Shape(tiles.STREAMED, rows, wide, BLOCK, rows // 16, 2))
        shapes.append(Shape(tiles.STREAMED, 64, TILE, BLOCK, 4, 2))
        shapes.append(Shape(tiles.STREAMED, 64, TILE, BLOCK, 4, 1))
    fitting = [shape for shape in shapes if shape.memory(columns) + _OTHER <= room]
    return fitting[0] if fitting else shapes[-1]


def chunk_terms(
    chunks: Chunks,
    queries: Tensor | Halves,
    norms: Tensor,
    skip: Tensor | None,
    capacity: int,
) -> Terms:
    """Sum the terms of each chunk for each query, as `eager.chunk_terms` does.

    Sums do not depend on what runs when: each chunk has one owner for each query, and pairs to be
    refined are a set.

    Parameters
    ----------
    chunks : Chunks
        Examples and kernel; chunks consist of whole tiles.
    queries : torch.Tensor of shape (m, D), or Halves
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
    m, device, dtype, table = len(norms), norms.device, norms.dtype, chunks.table
    arithmetic, thresholds = chunks.arithmetic, chunks.thresholds
    high, low = _parts(queries)
    examples, examples_low = _parts(chunks.examples)
    power = _power_of(chunks, device)
    plain, room = skip is None and power >= 0, shared_memory(device)
    shape = shape_of(arithmetic, high.shape[1], m, plain=plain, room=room)
    padded = -(-m // shape.rows) * shape.rows

    def tensor(*size: int, like: Any = dtype) -> Any:
        return torch.empty(size, dtype=like, device=device)

    def pad(values: Tensor, value: float) -> Any:
        filled = torch.full((padded, *values.shape[1:]), value, dtype=values.dtype, device=device)
        filled[:m] = values
        return filled.T.contiguous() if filled.ndim == 2 and arithmetic.differences else filled

    count = torch.zeros(1, dtype=torch.int64, device=device)
    inverses, positive = (tensor(chunks.starts.size, padded) for _ in range(2))
    negative = inverses if table is None else tensor(chunks.starts.size, padded)
    rows, places, marks = (tensor(max(capacity, 1), like=torch.int32) for _ in range(3))
    growth = _QUICK_GROWTH if power == tiles.QUICK else _GROWTH[arithmetic.dtype]
    drop = 2.0 ** (-2.0 * growth / chunks.exponent) if chunks.exponent > 0.0 else 0.0
    constants = (
        chunks.exponent / 2.0, thresholds.relative, thresholds.far, max(drop, 2.0**-100),
        chunks.gap_unit, thresholds.absolute, thresholds.grain,
    )  # fmt: skip
    units, chunk_units = norms, norms
    if isinstance(queries, Halves) and isinstance(chunks.examples, Halves):
        units, chunk_units = pad(queries.units(), 1.0), chunks.examples.units()
    options = {} if shape.registers is None or torch.version.hip else {"maxnreg": shape.registers}
    launch = tiles.sum_chunk[(chunks.starts.size * (padded // shape.rows),)]
    launch(
        pad(high, 0.0),
        pad(low, 0.0) if low is not high else low,
        pad(norms, float("inf")),
        units,
        norms if skip is None else pad(skip, -1),
        examples,
        examples_low,
        chunks.norms,
        chunks.tops,
        chunk_units,
        chunks.weights,
        torch.as_tensor(chunks.starts.astype(np.int32), device=device),
        torch.as_tensor(chunks.stops.astype(np.int32), device=device),
        torch.tensor(constants, dtype=dtype, device=device),
        norms if table is None else table.coefficients,
        inverses,
        positive,
        negative,
        rows,
        places,
        marks,
        count,
        padded,
        len(chunks.norms),
        capacity,
        FORM=shape.form,
        POWER=power,
        D=high.shape[1],
        BLOCK=shape.block,
        ALIKE=chunks.alike,
        SKIP=skip is not None,
        LENGTH=0 if table is None else len(table.coefficients) // 2,
        DEGREE=0 if table is None else table.coefficients.shape[1] - 1,
        BITS=0 if table is None else table.bits,
        LOW=0 if table is None else table.low,
        ROWS=shape.rows,
        TILE=shape.tile,
        GRAIN=TILE,
        num_warps=shape.warps,
        num_stages=shape.stages,
        enable_fp_fusion=True,
        **options,
    )
    total = int(count.item())
    kept = total if total <= capacity else 0
    near_rows, near_places = _pairs(rows[:kept], places[:kept], marks[:kept])
    total = max(total, near_rows.size)
    above = positive[:, :m].double()
    below = torch.zeros_like(above) if table is None else negative[:, :m].double()
    return Terms(1.0 / inverses[:, :m].double(), above, below, near_rows, near_places, total)


def _parts(matrix: Tensor | Halves) -> tuple[Tensor, Tensor]:
    """Give the matrices of high and low parts, or the one there is twice."""
    return (matrix.high, matrix.low) if isinstance(matrix, Halves) else (matrix, matrix)


def _power_of(chunks: Chunks, device: Any) -> int:
    """Say how the power is to be taken: an exponent, or that it is not an integer."""
    if chunks.exponent.is_integer() and chunks.exponent <= _LARGEST_POWER:
        return int(chunks.exponent)
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    native = device.type == "cuda" and not interpreted and not pytorch().version.hip
    return tiles.QUICK if chunks.thresholds.quick and native else -1


def _pairs(rows: Tensor, places: Tensor, marks: Tensor) -> Any:
    """Give the pairs that are marked: a query, the first place of a word, and a bit for each."""
    torch = pytorch()
    bits = torch.arange(_WORD, device=marks.device)
    none = np.zeros(0, dtype=np.int64)
    near_rows, near_places = [none], [none]
    for start in range(0, len(marks), _MARKS):
        part = slice(start, start + _MARKS)
        mark, bit = torch.nonzero((marks[part, None] >> bits) & 1, as_tuple=True)
        near_rows.append(rows[part][mark].cpu().numpy().astype(np.int64))
        near_places.append((places[part][mark] + bit).cpu().numpy().astype(np.int64))
    return np.concatenate(near_rows), np.concatenate(near_places)
