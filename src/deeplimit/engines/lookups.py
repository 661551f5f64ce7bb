"""Look-ups in a table of cubics, generated: a pair costs a few cycles, where a loop takes twenty.

Compilers know of one way to look up a vector of numbers: each by itself. But the four coefficients
of a piece lie side by side, and are read at once for each of eight pairs; what remains is to turn
rows into columns. So this is written in LLVM's intermediate representation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from deeplimit._extras import require
from deeplimit.engines.arithmetic import FAST, polynomial
from deeplimit.engines.distances import loaded, stored, structures
from deeplimit.engines.instructions import inlined, intrinsic, piece

__all__ = ["tabulated"]

numba: Any = require("numba", extra="fast", purpose="the compiled engine")
_cgutils: Any = require("numba.core.cgutils", extra="fast", purpose="the compiled engine")
_ir: Any = require("llvmlite.ir", extra="fast", purpose="the compiled engine")

# Pairs that are looked up together, and coefficients of a piece.
_PAIRS, _ROW = 8, 4


@inlined
def tabulated(
    u: Any, gap: Any, table: Any, fine: Any, low: Any, rows: Any, places: Any, out: Any
) -> None:
    """Multiply `out` by a table of the gap, gap·u; `rows` and `places` are room.

    The first half of the table is a function of the gap up to 1, the second of 2 less the gap.
    """
    half = table.shape[0] // 2
    last, beyond = np.int32(half - 1), np.int32(half)
    one, two = type(gap)(1), type(gap)(2)
    for j in range(u.size):
        s = gap * u[j]
        far = s > one
        row, places[j] = piece(two - s if far else s, fine, low, last)
        rows[j] = row + beyond if far else row
    _look_up(rows, places, table, out)


@intrinsic
def _look_up(context: Any, rows: Any, places: Any, table: Any, out: Any) -> Any:
    """Multiply `out` (n,) by the cubics of some rows of a table (N, 4) at some places."""
    signature = numba.types.void(rows, places, table, out)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, places, table, out = structures(context, builder, signature, arguments)
        word = context.get_value_type(numba.types.intp)
        (size,) = _cgutils.unpack_tuple(builder, out.shape)
        number = out.data.type.pointee
        vector, row = _ir.VectorType(number, _PAIRS), _ir.VectorType(number, _ROW)

        def found(start: Any, pair: int) -> Any:
            """Load the coefficients of a pair."""
            place = builder.gep(rows.data, [builder.add(start, _ir.Constant(word, pair))])
            first = builder.mul(builder.zext(builder.load(place), word), _ir.Constant(word, _ROW))
            return loaded(builder, table.data, first, 0, row)

        def multiply(start: Any, kind: Any, coefficients: list[Any]) -> None:
            place, before = (loaded(builder, a.data, start, 0, kind) for a in (places, out))
            value = polynomial(builder, coefficients[::-1], place)
            stored(builder, out.data, start, 0, builder.fmul(value, before, flags=FAST))

        pairs = _ir.Constant(word, _PAIRS)
        whole = builder.udiv(size, pairs)
        with _cgutils.for_range(builder, whole, intp=word) as loop:
            start = builder.mul(loop.index, pairs)
            multiply(start, vector, _turned(builder, [found(start, k) for k in range(_PAIRS)]))
        first = builder.mul(whole, pairs)
        with _cgutils.for_range(builder, builder.sub(size, first), intp=word) as loop:
            start, short = builder.add(first, loop.index), _ir.IntType(32)
            lone = found(start, 0)
            columns = [builder.extract_element(lone, _ir.Constant(short, k)) for k in range(_ROW)]
            multiply(start, number, columns)
        return context.get_dummy_value()

    return signature, code


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Give the four columns of eight rows."""

    def mixed(a: Any, b: Any, places: Iterable[int]) -> Any:
        kind = _ir.VectorType(_ir.IntType(32), _PAIRS)
        return builder.shuffle_vector(a, b, _ir.Constant(kind, list(places)))

    # Two rows side by side, neighbours interleaved, and pieces of two numbers put in order: of all
    # that moves numbers these are the quickest.
    sides = [mixed(rows[a], rows[b], range(8)) for a, b in ((0, 2), (1, 3), (4, 6), (5, 7))]
    evens = [n + 8 * side for n in (0, 2, 4, 6) for side in (0, 1)]
    (left, right), (more_left, more_right) = (
        [mixed(sides[k], sides[k + 1], [n + odd for n in evens]) for k in (0, 2)] for odd in (0, 1)
    )
    return [
        mixed(a, b, [n + later for n in (0, 1, 4, 5, 8, 9, 12, 13)])
        for later in (0, 2)
        for a, b in ((left, right), (more_left, more_right))
    ]
