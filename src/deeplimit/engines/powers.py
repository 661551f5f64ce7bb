"""The sums of a power over a block, generated: the squared distances never leave the registers."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial, reduce
from typing import Any

from deeplimit._extras import require
from deeplimit.engines.arithmetic import (
    FAST,
    constant,
    extreme,
    horner,
    integers,
    inverse_root,
    layout_of,
    power,
    square_root,
)
from deeplimit.engines.distances import loaded, over_panels, spread, structures, vector_of
from deeplimit.engines.instructions import intrinsic
from deeplimit.engines.packed import TILE

__all__ = ["WHOLE", "power_sums", "power_sums_by_products"]

numba: Any = require("numba", extra="fast", purpose="the compiled engine")
_cgutils: Any = require("numba.core.cgutils", extra="fast", purpose="the compiled engine")
_ir: Any = require("llvmlite.ir", extra="fast", purpose="the compiled engine")

#: Up to here a whole exponent is one known when the loops are compiled.
WHOLE = 10


@intrinsic
def power_sums(
    context: Any, x: Any, q: Any, whole: Any, half: Any, unit: Any, far: Any,
    sums: Any, ends: Any,
) -> Any:  # fmt: skip
    """Sum powers of the squared distances u of 8 queries (D, 8) to a block (B/P, D, P).

    Into `sums` (8,) goes for each query the sum of u^(-half), where the exponent 2·half is the
    number `whole` of 1, ..., 10; of (unit/u)^half where it is a larger one; and of (u·unit)^(-half)
    where `whole` is 0. The units (8,) are not read in the first case. Into `ends` (2, 8) go the
    least u and, if `far`, the largest. No u may be 0, and no power out of range.

    Notes
    -----
    Let y be an estimate of 1/√u, and e = 1 - u·y², which is one operation with one rounding. The
    power is y^k·(1 - e)^(-k/2), and a few terms of the binomial series are enough: no root is
    taken, and nothing divided.
    """
    signature = numba.types.void(x, q, whole, half, unit, far, sums, ends)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block, queries, *rest = structures(context, builder, signature, arguments)
        found = _Sums(builder, *rest)
        over_panels(context, builder, block, queries, found.add)
        found.write()
        return context.get_dummy_value()

    return signature, code


@intrinsic
def power_sums_by_products(
    context: Any, x: Any, q: Any, norms: Any, query_norms: Any, whole: Any, half: Any,
    unit: Any, far: Any, sums: Any, ends: Any, losses: Any, halved: Any,
) -> Any:  # fmt: skip
    """Do the same as `power_sums`, but take the distances by products, and half of them.

    The norms are those of `over_panels`. Of half the squares `losses` (B,) is subtracted for the
    least, and they are in the units; sums are multiplied by `halved`, and ends are of the squares.
    """
    signature = numba.types.void(
        x, q, norms, query_norms, whole, half, unit, far, sums, ends, losses, halved
    )

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block, queries, mine, theirs, *rest = structures(context, builder, signature, arguments)
        found = _Sums(builder, *rest)
        over_panels(context, builder, block, queries, found.add, (mine, theirs))
        found.write()
        return context.get_dummy_value()

    return signature, code


class _Sums:
    """What is kept of a block for each of 8 queries, while the panels are gone through."""

    def __init__(
        self, builder: Any, whole: Any, half: Any, unit: Any, far: Any, sums: Any, ends: Any,
        losses: Any = None, halved: Any = None,
    ) -> None:  # fmt: skip
        self.builder, self.whole, self.half, self.far = builder, whole, half, far
        self.unit, self.sums, self.ends = unit, sums, ends
        self.losses, self.halved = losses, halved
        self.vector = vector_of(sums.data.type.pointee)
        # Numbers that are none but numbers are in the order of their bits, which compare sooner.
        self.ordered = integers(self.vector)
        infinity = builder.bitcast(constant(self.vector, math.inf), self.ordered)
        self.totals = self._rooms(constant(self.vector, 0.0))
        self.lacking = self._rooms(constant(self.vector, 0.0))
        self.least = self._rooms(infinity)
        self.largest = self._rooms(constant(self.ordered, 0), builder.if_then(far))

    def _rooms(self, value: Any, where: Any = None) -> Any:
        """Give places in memory: in registers these would be in the way of the inner loop."""
        builder = self.builder
        count = _ir.Constant(_ir.IntType(64), TILE)
        array = _cgutils.alloca_once(builder, value.type, size=count)
        same = _ir.FunctionType(array.type, [array.type])
        rooms = builder.asm(same, "", "=r,0", [array], side_effect=True)
        with where or nullcontext():
            for r in range(TILE):
                builder.store(value, builder.gep(rooms, [_ir.Constant(count.type, r)]))
        return rooms

    def add(self, place: Any, first: Any, squares: list[list[Any]]) -> None:
        """Generate what is done with the squared distances of some queries to some examples."""
        builder = self.builder
        over = squares
        if self.losses is not None:
            lanes = self.vector.count
            start = builder.mul(place, _ir.Constant(place.type, lanes))
            bars = [
                loaded(builder, self.losses.data, start, v * lanes, self.vector)
                for v in range(len(squares[0]))
            ]
            over = [
                [builder.fsub(u, bar) for u, bar in zip(row, bars, strict=True)] for row in squares
            ]
        self._keep("<", self._from(self.least, first), over)
        with builder.if_then(self.far):
            self._keep(">", self._from(self.largest, first), squares)
        totals, units, lacking = (
            self._from(rooms, first) for rooms in (self.totals, self.unit.data, self.lacking)
        )
        general, after = builder.append_basic_block(), builder.append_basic_block()
        switch = builder.switch(self.whole, general)
        for k in range(1, WHOLE + 1):
            case = builder.append_basic_block()
            switch.add_case(_ir.Constant(self.whole.type, k), case)
            builder.position_at_end(case)
            for row, room, rest in zip(squares, totals, lacking, strict=False):
                self._whole_powers(row, k, room, rest)
            builder.branch(after)
        builder.position_at_end(general)
        zero = _ir.Constant(self.whole.type, 0)
        with builder.if_else(builder.icmp_signed(">", self.whole, zero)) as (large, any_at_all):
            for which, powers in ((large, self._large_powers), (any_at_all, self._powers)):
                with which:
                    for row, room, unit in zip(squares, totals, units, strict=False):
                        self._more(room, powers(row, unit))
        builder.branch(after)
        builder.position_at_end(after)

    def write(self) -> None:
        """Generate what writes the sums and the ends."""
        builder = self.builder
        half, totals = spread(builder, self.vector, self.half), []
        for room, rest in zip(self._from(self.totals), self._from(self.lacking), strict=True):
            more = builder.fmul(half, builder.load(rest), flags=FAST)
            totals.append(builder.fadd(builder.load(room), more, flags=FAST))
        rows = self._rows(partial(builder.fadd, flags=FAST), totals)
        if self.halved is not None:
            rows = [builder.fmul(row, spread(builder, row.type, self.halved)) for row in rows]
        self._store(rows, self.sums, 0)
        self._write_ends("<", self.least, 0)
        with builder.if_then(self.far):
            self._write_ends(">", self.largest, TILE)

    def _write_ends(self, sign: str, rooms: Any, first: int) -> None:
        values = [self.builder.load(room) for room in self._from(rooms)]
        rows = self._rows(partial(extreme, self.builder, sign), values)
        kind = _ir.VectorType(self.vector.element, rows[0].type.count)
        rows = [self.builder.bitcast(row, kind) for row in rows]
        if self.halved is not None:
            rows = [self.builder.fadd(row, row) for row in rows]
        self._store(rows, self.ends, first)

    def _store(self, vectors: list[Any], array: Any, first: int) -> None:
        builder, word = self.builder, _ir.IntType(64)
        for k, vector in enumerate(vectors):
            place = builder.gep(array.data, [_ir.Constant(word, first + k * vector.type.count)])
            address = builder.bitcast(place, vector.type.as_pointer())
            builder.store(vector, address, align=layout_of(self.vector).bits // 8)

    def _rows(self, join: Callable[[Any, Any], Any], vectors: list[Any]) -> list[Any]:
        """Reduce each of some vectors to one number, and give vectors of these.

        Neighbours in two vectors are joined at a time, which makes one vector of the two.
        """
        builder = self.builder
        lanes = count = vectors[0].type.count
        while lanes > 1:
            lanes //= 2
            alone = len(vectors) == 1
            count = count // 2 if alone else count
            kind = _ir.VectorType(_ir.IntType(32), count)
            evens, odds = (
                _ir.Constant(kind, [2 * k + odd for k in range(count)]) for odd in (0, 1)
            )
            seconds = vectors if alone else vectors[1::2]
            vectors = [
                join(builder.shuffle_vector(a, b, evens), builder.shuffle_vector(a, b, odds))
                for a, b in zip(vectors[::2], seconds, strict=True)
            ]
        return vectors

    def _keep(self, sign: str, rooms: list[Any], rows: list[list[Any]]) -> None:
        builder = self.builder
        for room, row in zip(rooms, rows, strict=False):
            kept = builder.load(room)
            for value in row:
                bits = builder.bitcast(value, self.ordered)
                kept = extreme(builder, sign, bits, kept)
            builder.store(kept, room)

    def _from(self, rooms: Any, first: Any = None) -> list[Any]:
        """Give the addresses of the places of the queries from one on."""
        word = _ir.IntType(64)
        first = _ir.Constant(word, 0) if first is None else first
        return [
            self.builder.gep(rooms, [self.builder.add(first, _ir.Constant(word, r))])
            for r in range(TILE)
        ]

    def _more(self, room: Any, value: Any) -> None:
        self.builder.store(self.builder.fadd(self.builder.load(room), value, flags=FAST), room)

    def _powers(self, row: list[Any], unit: Any) -> Any:
        """Sum powers of any exponent."""
        builder = self.builder
        unit = spread(builder, self.vector, builder.load(unit))
        minus = spread(builder, self.vector, builder.fneg(self.half))
        terms = [power(builder, builder.fmul(u, unit), minus) for u in row]
        return reduce(partial(builder.fadd, flags=FAST), terms)

    def _large_powers(self, row: list[Any], unit: Any) -> Any:
        """Sum powers of a whole exponent that is known when the loop runs."""
        builder, kind = self.builder, self.vector
        unit = spread(builder, kind, builder.load(unit))
        steps, terms = ([_cgutils.alloca_once(builder, kind) for _ in row] for _ in range(2))
        for u, step, term in zip(row, steps, terms, strict=True):
            ratio = builder.fmul(unit, self._whole_power(u, 2), flags=FAST)
            builder.store(ratio, step)
            builder.store(constant(kind, 1.0), term)
        one = _ir.Constant(self.whole.type, 1)
        with builder.if_then(builder.trunc(self.whole, _ir.IntType(1))):
            for step, term in zip(steps, terms, strict=True):
                builder.store(square_root(builder, builder.load(step)), term)
        left = _cgutils.alloca_once_value(builder, builder.ashr(self.whole, one))
        loop, end = builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        number = builder.load(left)
        with builder.if_then(builder.trunc(number, _ir.IntType(1))):
            for step, term in zip(steps, terms, strict=True):
                builder.store(
                    builder.fmul(builder.load(term), builder.load(step), flags=FAST), term
                )
        for step in steps:
            value = builder.load(step)
            builder.store(builder.fmul(value, value, flags=FAST), step)
        rest = builder.ashr(number, one)
        builder.store(rest, left)
        builder.cbranch(builder.icmp_signed(">", rest, _ir.Constant(rest.type, 0)), loop, end)
        builder.position_at_end(end)
        return reduce(partial(builder.fadd, flags=FAST), [builder.load(term) for term in terms])

    def _whole_powers(self, row: list[Any], k: int, total: Any, lacking: Any) -> None:
        """Add estimates of u^(-k/2) and, beside, 2/k times what they lack."""
        terms, rests = zip(*(self._estimated(u, k) for u in row), strict=True)
        self._more(total, reduce(partial(self.builder.fadd, flags=FAST), terms))
        for rest in rests:
            if rest is not None:
                self._more(lacking, rest)

    def _whole_power(self, u: Any, k: int) -> Any:
        """Give u^(-k/2)."""
        builder = self.builder
        term, lacking = self._estimated(u, k)
        if lacking is None:
            return term
        share = builder.fmul(constant(self.vector, k / 2.0), lacking, flags=FAST)
        return builder.fadd(term, share, flags=FAST)

    def _estimated(self, u: Any, k: int) -> tuple[Any, Any]:
        """Give a power of the estimated root and, if it is one, 2/k times what that lacks."""
        builder = self.builder
        root, error = inverse_root(builder, u)
        square = builder.fmul(root, root, flags=FAST)
        term = _product(builder, root if k % 2 else None, square, k // 2)
        if not error:
            return term, None
        one = constant(self.vector, 1.0)
        e = builder.fsub(one, builder.fmul(u, square, flags=FAST), flags=FAST)
        series = _series(k, 2.0 * error, layout_of(self.vector).eps)
        return term, builder.fmul(term, _polynomial(builder, series, e), flags=FAST)


def _product(builder: Any, term: Any, step: Any, times: int) -> Any:
    """Multiply a term by a power of a step; no term is 1."""
    while times:
        if times % 2:
            term = step if term is None else builder.fmul(term, step, flags=FAST)
        times //= 2
        if times:
            step = builder.fmul(step, step, flags=FAST)
    return term


def _series(k: int, largest: float, eps: float) -> list[float]:
    """Give the coefficients of ((1 - e)^(-k/2) - 1)/(k/2) in e that are more than a rounding."""
    half, found, j = k / 2.0, [1.0], 1
    while True:
        following = found[-1] * (half + j) / (j + 1)
        j += 1
        if half * following * largest**j < 4.0 * eps:
            return found
        found.append(following)


def _polynomial(builder: Any, series: list[float], e: Any) -> Any:
    """Give c₁e + c₂e² + ..., of which the first coefficient is 1."""
    if len(series) == 1:
        return e
    factor = horner(builder, series[:0:-1], e)
    square = builder.fmul(e, e, flags=FAST)
    return builder.fadd(e, builder.fmul(square, factor, flags=FAST), flags=FAST)
