"""The innermost loop, generated: squared distances of 8 queries to a block of examples.

The sums over the coordinates of a panel of examples stay in registers, for as many queries as there
are registers for. No compiler arrives at that from a loop over examples: it would write them to
memory at every coordinate. So this loop is written in LLVM's intermediate representation.

It has two forms. Differences lose no digits where a pair is near. Products take fewer operations,
and lose what a squared distance has less than the squared norms have: they give half of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from deeplimit._extras import require
from deeplimit.engines.arithmetic import FAST, constant, layout_of
from deeplimit.engines.instructions import intrinsic
from deeplimit.engines.packed import PANEL_BYTES, TILE

__all__ = [
    "STEP",
    "loaded",
    "over_panels",
    "paired",
    "spread",
    "squared_distances",
    "squared_distances_by_products",
    "stored",
    "structures",
    "vector_of",
]

numba: Any = require("numba", extra="fast", purpose="the compiled engine")
_cgutils: Any = require("numba.core.cgutils", extra="fast", purpose="the compiled engine")
_ir: Any = require("llvmlite.ir", extra="fast", purpose="the compiled engine")
_binding: Any = require("llvmlite.binding", extra="fast", purpose="the compiled engine")

#: Columns of a step of products, of which two are taken together.
STEP = 3
#: Columns whose products are added one by one to what is known: a multiple of the step.
RUN = 30


class _Shape(NamedTuple):
    """What the registers of a processor allow.

    Parameters
    ----------
    bytes : int
        Bytes of a vector register.
    differences, products : (int, int)
        How many queries and vectors of examples have sums in registers, in either form.
    spreads : bool
        Whether an operation spreads a number of the memory over a vector by itself.
    """

    bytes: int
    differences: tuple[int, int]
    products: tuple[int, int]
    spreads: bool


def _shape() -> _Shape:
    features = _binding.get_host_cpu_features()
    if features.get("avx512f"):
        return _Shape(64, (4, 4), (8, 2), True)  # 16 sums in 32 registers
    if features.get("avx"):
        return _Shape(32, (1, 8), (4, 2), False)  # 8 in 16
    return _Shape(16, (1, 16), (8, 2), False)  # 16 in 32


def paired(columns: int) -> int:
    """Give how many pairs of columns are multiplied together: the first two of every three.

    Where as many units add as multiply, as in AMD's processors, four operations then take the time
    of two, instead of three.
    """
    usual = _shape().spreads and _binding.get_host_cpu_name().startswith("znver")
    return columns // STEP if usual else 0


def vector_of(number: Any) -> Any:
    """Give the type of a vector register full of numbers of a type."""
    return _ir.VectorType(number, _shape().bytes * 8 // layout_of(number).bits)


def spread(builder: Any, vector: Any, number: Any) -> Any:
    """Give a vector with a number in each place."""
    short = _ir.IntType(32)
    blank, head = _ir.Constant(vector, _ir.Undefined), _ir.Constant(short, 0)
    lone = builder.insert_element(blank, number, head)
    nowhere = _ir.Constant(_ir.VectorType(short, vector.count), [0] * vector.count)
    return builder.shuffle_vector(lone, lone, nowhere)


def structures(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    """Give the arrays among some arguments as structures, and the others as they are."""
    return [
        context.make_array(kind)(context, builder, value)
        if isinstance(kind, numba.types.Array)
        else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


def loaded(builder: Any, data: Any, start: Any, offset: int, vector: Any) -> Any:
    """Load a vector of numbers from a place in an array."""
    address, size = _address(builder, data, start, offset, vector)
    return builder.load(address, align=size)


def stored(builder: Any, data: Any, start: Any, offset: int, value: Any) -> None:
    """Store a vector of numbers at a place in an array."""
    address, size = _address(builder, data, start, offset, value.type)
    builder.store(value, address, align=size)


def _address(builder: Any, data: Any, start: Any, offset: int, vector: Any) -> tuple[Any, int]:
    """Give where a vector of numbers begins, and the bytes of a number."""
    place = builder.gep(data, [builder.add(start, _ir.Constant(start.type, offset))])
    return builder.bitcast(place, vector.as_pointer()), layout_of(vector).bits // 8


def over_panels(
    context: Any,
    builder: Any,
    block: Any,
    queries: Any,
    finish: Callable[[Any, Any, list[list[Any]]], None],
    norms: tuple[Any, Any] | None = None,
) -> None:
    """Generate a loop over the panels of a block (B/P, D, P), and what follows for each.

    Parameters
    ----------
    context, builder
        Those of numba, and of LLVM.
    block, queries : structures of arrays
        The block, and a tile (D, 8) of queries.
    finish : callable
        Called with the number of the first vector of examples, that of the first query and, for
        this query and those that follow, the squared distances, in vectors: generates what is done
        with them.
    norms : tuple of structures of arrays, optional
        Of the block (B,) and of the queries (8,): half the squared norms, and the products of the
        paired columns. Distances are by products then, else by differences.
    """
    shape, word = _shape(), context.get_value_type(numba.types.intp)
    at_once, parts = shape.differences if norms is None else shape.products
    columns = _Columns(builder, word, block, queries, at_once, parts)
    theirs = None if norms is None else columns.addresses(norms[1])
    panels, *_ = _cgutils.unpack_tuple(builder, block.shape)
    vectors = PANEL_BYTES // shape.bytes

    def times(value: int) -> Any:
        return _cgutils.for_range(builder, _ir.Constant(word, value), intp=word)

    with (
        _cgutils.for_range(builder, panels, intp=word) as panel,
        times(vectors // parts) as part,
        times(TILE // at_once) as group,
    ):
        columns.panel = panel.index
        columns.part = builder.mul(part.index, _ir.Constant(word, parts))
        columns.first = builder.mul(group.index, _ir.Constant(word, at_once))
        place = builder.add(builder.mul(panel.index, _ir.Constant(word, vectors)), columns.part)
        if norms is None:
            squares = columns.differences()
        else:
            squares = columns.products(place, norms[0], theirs)
        finish(place, columns.first, squares)


class _Columns:
    """Loops over the columns of a panel, for some queries and some vectors of its examples.

    Attributes
    ----------
    panel, part, first : values of LLVM
        Number of the panel, of the first vector in it, and of the first query.
    """

    panel: Any
    part: Any
    first: Any

    def __init__(
        self, builder: Any, word: Any, block: Any, queries: Any, at_once: int, parts: int
    ) -> None:
        self.builder, self.word, self.data = builder, word, block.data
        self.vector = vector_of(block.data.type.pointee)
        self.width = PANEL_BYTES * 8 // layout_of(self.vector).bits
        self.parts = range(parts)
        self.sums = [
            [_cgutils.alloca_once(builder, self.vector) for _ in self.parts] for _ in range(at_once)
        ]
        _, self.count, _ = _cgutils.unpack_tuple(builder, block.shape)
        self.sources = self.addresses(queries)

    def addresses(self, array: Any) -> list[Any]:
        """Give the address of an array's numbers for each vector of examples.

        Told that these may be different, LLVM reads a number anew for each operation, which costs
        nothing there: read once and spread, it would take an operation's turn.
        """
        if not _shape().spreads:
            return [array.data] * len(self.parts)
        same = _ir.FunctionType(array.data.type, [array.data.type])
        return [
            self.builder.asm(same, "", "=r,0", [array.data], side_effect=True) for _ in self.parts
        ]

    def differences(self) -> list[list[Any]]:
        """Give squared distances as sums of squared differences."""
        builder = self.builder
        self._clear()
        with _cgutils.for_range(builder, self.count, intp=self.word) as loop:
            points = self._points(loop.index)
            for r, v, total in self._each():
                query = self._number(self.sources[v], loop.index, r)
                apart = builder.fsub(points[v], query, flags=FAST)
                self._add(total, apart, apart)
        return [[builder.load(total) for total in row] for row in self.sums]

    def products(self, place: Any, norms: Any, others: Any) -> list[list[Any]]:
        """Give half the squared distances as norms less products.

        Notes
        -----
        Two columns are taken together by Winograd's identity [1]_, here with differences:
        (x₁ - q₂)(x₂ - q₁) is x₁x₂ + q₁q₂ - x₁q₁ - x₂q₂, and of that the first two terms are known
        beforehand. A product less is two additions more, for which there are units of their own.
        What is known comes first, so that what is rounded becomes small where a pair is near. A
        product below half a unit of it would be lost, and many such all in one direction: after
        some columns the next are therefore summed by themselves.

        References
        ----------
        .. [1] S. Winograd, "A new algorithm for inner product", IEEE Transactions on Computers
           C-17 (1968) 693-694.
        """
        builder = self.builder
        start = builder.mul(place, _ir.Constant(self.word, self.vector.count))
        mine = [
            loaded(builder, norms.data, start, v * self.vector.count, self.vector)
            for v in self.parts
        ]
        for r, v, total in self._each():
            theirs = self._number(others[v], _ir.Constant(self.word, 0), r)
            builder.store(builder.fadd(mine[v], theirs, flags=FAST), total)
        run, zero = _ir.Constant(self.word, RUN), _ir.Constant(self.word, 0)
        more = builder.icmp_signed(">", self.count, run)
        self._take_columns(zero, builder.select(more, run, self.count))
        after = builder.select(more, builder.sub(self.count, run), zero)
        runs = builder.udiv(builder.add(after, _ir.Constant(self.word, RUN - 1)), run)
        with _cgutils.for_range(builder, runs, intp=self.word) as loop:
            held = [builder.load(total) for _, _, total in self._each()]
            self._clear()
            begin = builder.mul(builder.add(loop.index, _ir.Constant(self.word, 1)), run)
            stop = builder.add(begin, run)
            last = builder.icmp_signed(">", stop, self.count)
            self._take_columns(begin, builder.select(last, self.count, stop))
            for (_, _, total), before in zip(self._each(), held, strict=True):
                builder.store(builder.fadd(builder.load(total), before, flags=FAST), total)
        return [[builder.load(total) for total in row] for row in self.sums]

    def _take_columns(self, begin: Any, stop: Any) -> None:
        """Take the products of some columns, of which the first is a multiple of the step."""
        builder, step = self.builder, _ir.Constant(self.word, STEP)
        count = builder.sub(stop, begin)
        steps = builder.udiv(count, step) if paired(STEP) else _ir.Constant(self.word, 0)
        with _cgutils.for_range(builder, steps, intp=self.word) as loop:
            self._step(builder.add(begin, builder.mul(loop.index, step)))
        first = builder.add(begin, builder.mul(steps, step))
        with _cgutils.for_range(builder, builder.sub(stop, first), intp=self.word) as loop:
            column = builder.add(first, loop.index)
            points = self._points(column)
            for r, v, total in self._each():
                self._take(total, points[v], self._number(self.sources[v], column, r))

    def _step(self, column: Any) -> None:
        """Take the products of three columns: of two together, and of one."""
        builder = self.builder
        second, third = (builder.add(column, _ir.Constant(self.word, k)) for k in (1, 2))
        x1, x2, x3 = (self._points(k) for k in (column, second, third))
        tie = _ir.FunctionType(self.vector, [self.vector, self.vector])
        before = None
        for r, v, total in self._each():
            source = self.sources[v]
            if before is not None:
                # LLVM would do all that can be done at once first, and leave units idle later.
                x3[v] = builder.asm(tie, "", "=v,0,v", [x3[v], before], side_effect=False)
            self._take(total, x3[v], self._number(source, third, r))
            left = builder.fsub(x1[v], self._number(source, second, r), flags=FAST)
            right = builder.fsub(x2[v], self._number(source, column, r), flags=FAST)
            self._add(total, left, right)
            before = right

    def _each(self) -> Iterator[tuple[int, int, Any]]:
        for r, row in enumerate(self.sums):
            for v, total in enumerate(row):
                yield r, v, total

    def _clear(self) -> None:
        for _, _, total in self._each():
            self.builder.store(constant(self.vector, 0.0), total)

    def _points(self, column: Any) -> list[Any]:
        """Load a coordinate of the examples of some vectors."""
        builder = self.builder
        row = builder.add(builder.mul(self.panel, self.count), column)
        start = builder.add(
            builder.mul(row, _ir.Constant(self.word, self.width)),
            builder.mul(self.part, _ir.Constant(self.word, self.vector.count)),
        )
        return [
            loaded(builder, self.data, start, v * self.vector.count, self.vector)
            for v in self.parts
        ]

    def _number(self, source: Any, column: Any, query: int) -> Any:
        """Load a number of a query, for all places of a vector."""
        builder = self.builder
        start = builder.add(builder.mul(column, _ir.Constant(self.word, TILE)), self.first)
        place = builder.gep(source, [builder.add(start, _ir.Constant(self.word, query))])
        return spread(builder, self.vector, builder.load(place))

    def _take(self, total: Any, left: Any, right: Any) -> None:
        product = self.builder.fmul(left, right, flags=FAST)
        less = self.builder.fsub(self.builder.load(total), product, flags=FAST)
        self.builder.store(less, total)

    def _add(self, total: Any, left: Any, right: Any) -> None:
        product = self.builder.fmul(left, right, flags=FAST)
        more = self.builder.fadd(self.builder.load(total), product, flags=FAST)
        self.builder.store(more, total)


@intrinsic
def squared_distances(context: Any, x: Any, q: Any, u: Any) -> Any:
    """Write the squared distances of 8 queries (D, 8) to a block (B/P, D, P) into u (8, B).

    All three are contiguous; P numbers are 256 bytes.
    """
    signature = numba.types.void(x, q, u)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block, queries, out = structures(context, builder, signature, arguments)
        over_panels(context, builder, block, queries, partial(_write, builder, out))
        return context.get_dummy_value()

    return signature, code


@intrinsic
def squared_distances_by_products(
    context: Any, x: Any, q: Any, norms: Any, query_norms: Any, u: Any
) -> Any:
    """Do the same as `squared_distances`, but take them by products; norms as in `over_panels`."""
    signature = numba.types.void(x, q, norms, query_norms, u)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block, queries, mine, theirs, out = structures(context, builder, signature, arguments)

        def write(vector: Any, first: Any, halves: list[list[Any]]) -> None:
            whole = [[builder.fadd(half, half, flags=FAST) for half in row] for row in halves]
            _write(builder, out, vector, first, whole)

        over_panels(context, builder, block, queries, write, (mine, theirs))
        return context.get_dummy_value()

    return signature, code


def _write(builder: Any, out: Any, vector: Any, first: Any, squares: list[list[Any]]) -> None:
    """Store the squared distances of some queries to some vectors of examples."""
    _, width = _cgutils.unpack_tuple(builder, out.shape)
    lanes = squares[0][0].type.count
    for r, row in enumerate(squares):
        start = builder.add(
            builder.mul(width, builder.add(first, _ir.Constant(width.type, r))),
            builder.mul(vector, _ir.Constant(width.type, lanes)),
        )
        for v, square in enumerate(row):
            stored(builder, out.data, start, v * lanes, square)
