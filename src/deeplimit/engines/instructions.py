"""Bit-level arithmetic for the compiled loops, for float32 and float64 alike.

numba has no way to read a float's bits without a call or a promotion of the integers, either of
which keeps LLVM from making vector instructions of a loop; so these few functions are written in
its intermediate representation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from deeplimit._extras import require
from deeplimit.engines import arithmetic

numba: Any = require("numba", extra="fast", purpose="the compiled engine")
_extending: Any = require("numba.extending", extra="fast", purpose="the compiled engine")
_options: Any = require("numba.core.options", extra="fast", purpose="the compiled engine")
_ir: Any = require("llvmlite.ir", extra="fast", purpose="the compiled engine")

# How numba is told not to count references; another numba may have no such option, and count.
_UNCOUNTED = {"_nrt": False} if hasattr(_options.DefaultOptions, "_nrt") else {}

F = TypeVar("F", bound=Callable[..., Any])


@cache
def _sources() -> str:
    """Give the digest of all source files of this folder."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def compiling(fastmath: bool | set[str], *, counts: bool = False) -> Callable[[F], F]:
    """Give a decorator that compiles a loop when it is first called, and keeps it on disk.

    Machine code holds that of the functions it calls. numba would use it again as long as the file
    of the caller is the same; here the files of all loops must be.

    Who holds an array is counted only if the loop makes some: to count that, at each call and each
    view, takes longer than to sum a few hundred pairs.
    """
    options = {"fastmath": fastmath, "error_model": "numpy", "nogil": True}
    options.update({} if counts else _UNCOUNTED)

    def compiled(function: F) -> F:
        made = numba.njit(cache=True, **options)(function)
        index: Any = getattr(getattr(made, "_cache", None), "_cache_file", None)
        if not hasattr(index, "_source_stamp"):
            # Another numba: rather compile anew than run what may be old.
            return cast(F, numba.njit(**options)(function))
        index._source_stamp = _sources()
        return cast(F, made)

    return compiled


compiled = compiling(fastmath=True)


def inlining(fastmath: bool | set[str]) -> Callable[[F], F]:
    """Give a decorator that compiles a loop as a part of those that call it.

    Always: as a function of its own it would be optimised anew, and the bits of a sum would depend
    on whether the caller was compiled now or came from the disk.
    """
    options = {"fastmath": fastmath, "error_model": "numpy", "nogil": True, **_UNCOUNTED}

    def inlined(function: F) -> F:
        return cast(F, numba.njit(forceinline=True, **options)(function))

    return inlined


inlined = inlining(fastmath=True)


def intrinsic(function: Callable[..., Any]) -> Any:
    """Let a function be one whose code is given in LLVM's intermediate representation."""
    return _extending.intrinsic(function)


@intrinsic
def power(context: Any, base: Any, exponent: Any) -> Any:
    """Give base**exponent for a base > 0 and a result near or below 1.

    What would be less than the least normal number is that number.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return arithmetic.power(builder, *arguments)

    return base(base, base), code


@intrinsic
def piece(context: Any, value: Any, fine: Any, low: Any, last: Any) -> Any:
    """Give the piece of a table a positive number falls in, and its place there, in [0, 1).

    Pieces are 2^fine to the octave from 2^low upwards: the leading bits of the number itself.
    """
    word = numba.types.int32
    signature = numba.types.Tuple((word, value))(value, word, word, word)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, fine, low, last = arguments
        layout = arithmetic.layout_of(x.type)
        integer, short = arithmetic.integers(x.type), _ir.IntType(32)
        wide = builder.sext(fine, integer) if integer.width > 32 else fine
        raw = builder.bitcast(x, integer)
        rest = builder.sub(_ir.Constant(integer, layout.mantissa), wide)
        index = builder.ashr(raw, rest)
        index = builder.trunc(index, short) if integer.width > 32 else index
        first = builder.shl(builder.add(_ir.Constant(short, layout.bias), low), fine)
        index = builder.sub(index, first)
        zero = _ir.Constant(short, 0)
        below = builder.icmp_signed("<", index, zero)
        index = builder.select(below, zero, index)
        index = builder.select(builder.icmp_signed(">", index, last), last, index)
        one = _ir.Constant(integer, 1)
        mask = builder.sub(builder.shl(one, rest), one)
        # What is left of the mantissa, behind the exponent of 1, is a number in [1, 2).
        place = builder.shl(builder.and_(raw, mask), wide)
        unit = _ir.Constant(integer, layout.bias << layout.mantissa)
        place = builder.bitcast(builder.or_(place, unit), x.type)
        place = builder.fsub(place, _ir.Constant(x.type, 1.0))
        place = builder.select(below, _ir.Constant(x.type, 0.0), place)
        return context.make_tuple(builder, signature.return_type, (index, place))

    return signature, code


@intrinsic
def prefetch(context: Any, array: Any, place: Any) -> Any:
    """Let the line of memory in which a byte of an array lies be brought into the second cache."""
    signature = numba.types.void(array, numba.types.intp)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, short = _ir.IntType(8).as_pointer(), _ir.IntType(32)
        kind = _ir.FunctionType(_ir.VoidType(), [byte, short, short, short])
        function = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
        data = context.make_array(array)(context, builder, arguments[0]).data
        address = builder.gep(builder.bitcast(data, byte), [arguments[1]])
        # To read, soon but not at once, data.
        builder.call(function, [address, *(_ir.Constant(short, k) for k in (0, 2, 1))])
        return context.get_dummy_value()

    return signature, code


def _integer_type(value: Any) -> Any:
    return numba.types.int32 if value == numba.types.float32 else numba.types.int64


@intrinsic
def bits(context: Any, value: Any) -> Any:
    """Give the bits of a float; those of nonnegative floats are ordered like the floats."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], arithmetic.integers(arguments[0].type))

    return _integer_type(value)(value), code


@intrinsic
def smaller(context: Any, least: Any, value: Any) -> Any:
    """Give the smaller of bits and the bits of a nonnegative float.

    LLVM reduces a block by it in vectors, which it does not with floats for fear of NaN.
    """
    integer = _integer_type(value)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        raw = builder.bitcast(arguments[1], arguments[0].type)
        return arithmetic.extreme(builder, "<", raw, arguments[0])

    return integer(integer, value), code


@intrinsic
def from_bits(context: Any, value: Any) -> Any:
    """Give the float of some bits."""
    short = value == numba.types.int32
    kind = numba.types.float32 if short else numba.types.float64

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _ir.FloatType() if short else _ir.DoubleType())

    return kind(value), code
