"""The innermost loop, generated: squared distances of 8 queries to a block of examples.

The sums over the coordinates of a panel of examples stay in registers, for as many queries as there
are registers for. No compiler arrives at that from a loop over examples: it would write them to
memory at every coordinate. So this loop is written in LLVM's intermediate representation.
Differences, not products: a pair that is near loses no digits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from deeplimit._extras import require
from deeplimit.engines.instructions import FAST, intrinsic
from deeplimit.engines.packed import PANEL_BYTES, TILE

numba: Any = require("numba", extra="fast", purpose="the compiled engine")
_cgutils: Any = require("numba.core.cgutils", extra="fast", purpose="the compiled engine")
_ir: Any = require("llvmlite.ir", extra="fast", purpose="the compiled engine")
_binding: Any = require("llvmlite.binding", extra="fast", purpose="the compiled engine")


class _Shape(NamedTuple):
    """Bytes of a vector register, and queries whose sums over a panel are in registers."""

    bytes: int
    queries: int


def _shape() -> _Shape:
    features = _binding.get_host_cpu_features()
    if features.get("avx512f"):
        return _Shape(64, 4)  # 16 sums in 32 registers
    if features.get("avx"):
        return _Shape(32, 1)  # 8 in 16
    return _Shape(16, 1)  # 16 in 32


@intrinsic
def squared_distances(context: Any, x: Any, q: Any, u: Any) -> Any:
    """Write the squared distances of 8 queries (D, 8) to a block (B/P, D, P) into u (8, B).

    All three are contiguous; P numbers are 256 bytes.
    """
    signature = numba.types.void(x, q, u)
    shape = _shape()
    size = x.dtype.bitwidth // 8
    lanes, panel = shape.bytes // size, PANEL_BYTES // size
    parts = range(panel // lanes)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.get_value_type(x.dtype)
        vector = _ir.VectorType(number, lanes)
        word = context.get_value_type(numba.types.intp)
        block, queries, out = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        )
        panels, columns, _ = _cgutils.unpack_tuple(builder, block.shape)

        def constant(value: int) -> Any:
            return _ir.Constant(word, value)

        def at(array: Any, place: Any, offset: int) -> Any:
            return builder.gep(array.data, [builder.add(place, constant(offset))])

        def wide(pointer: Any) -> Any:
            return builder.bitcast(pointer, vector.as_pointer())

        sums = [
            [_cgutils.alloca_once(builder, vector) for _ in parts] for _ in range(shape.queries)
        ]
        nothing = _ir.Constant(vector, [0.0] * lanes)
        splat = _ir.Constant(_ir.VectorType(_ir.IntType(32), lanes), [0] * lanes)
        blank, head = _ir.Constant(vector, _ir.Undefined), _ir.Constant(_ir.IntType(32), 0)
        with _cgutils.for_range(builder, panels, intp=word) as each:
            begin = builder.mul(each.index, builder.mul(columns, constant(panel)))
            for first in range(0, TILE, shape.queries):
                for row in sums:
                    for total in row:
                        builder.store(nothing, total)
                with _cgutils.for_range(builder, columns, intp=word) as loop:
                    here = builder.add(begin, builder.mul(loop.index, constant(panel)))
                    points = [
                        builder.load(wide(at(block, here, v * lanes)), align=size) for v in parts
                    ]
                    there = builder.mul(loop.index, constant(TILE))
                    for r, row in enumerate(sums):
                        one = builder.load(at(queries, there, first + r))
                        lone = builder.insert_element(blank, one, head)
                        same = builder.shuffle_vector(lone, lone, splat)
                        for point, total in zip(points, row, strict=True):
                            apart = builder.fsub(point, same, flags=FAST)
                            square = builder.fmul(apart, apart, flags=FAST)
                            more = builder.fadd(builder.load(total), square, flags=FAST)
                            builder.store(more, total)
                width = builder.mul(panels, constant(panel))
                for r, row in enumerate(sums):
                    place = builder.add(
                        builder.mul(width, constant(first + r)),
                        builder.mul(each.index, constant(panel)),
                    )
                    for v, total in zip(parts, row, strict=True):
                        target = wide(at(out, place, v * lanes))
                        builder.store(builder.load(total), target, align=size)
        return context.get_dummy_value()

    return signature, code
