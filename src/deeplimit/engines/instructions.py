"""Bit-level arithmetic for the compiled loops, for float32 and float64 alike.

numba has no way to read a float's bits without a call or a promotion of the integers, either of
which keeps LLVM from making vector instructions of a loop; so these few functions are written in
its intermediate representation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from deeplimit._extras import require

numba: Any = require("numba", extra="fast", purpose="the compiled engine")
_extending: Any = require("numba.extending", extra="fast", purpose="the compiled engine")
_ir: Any = require("llvmlite.ir", extra="fast", purpose="the compiled engine")

F = TypeVar("F", bound=Callable[..., Any])


@cache
def _sources() -> str:
    """Give the digest of all source files of this folder."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def compiling(fastmath: bool | set[str]) -> Callable[[F], F]:
    """Give a decorator that compiles a loop when it is first called, and keeps it on disk.

    Machine code holds that of the functions it calls. numba would use it again as long as the file
    of the caller is the same; here the files of all loops must be.
    """
    options = {"fastmath": fastmath, "error_model": "numpy", "nogil": True}

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


def inlined(function: F) -> F:
    """Compile a loop as a part of those that call it.

    Always: as a function of its own it would be optimised anew, and the bits of a sum would depend
    on whether the caller was compiled now or came from the disk.
    """
    options = {"fastmath": True, "error_model": "numpy", "nogil": True}
    return cast(F, numba.njit(forceinline=True, **options)(function))


def intrinsic(function: Callable[..., Any]) -> Any:
    """Let a function be one whose code is given in LLVM's intermediate representation."""
    return _extending.intrinsic(function)


# Chebyshev interpolants: log2((1 + z)/(1 - z))/z in z² for |z| <= (√2 - 1)/(√2 + 1), and 2^g for
# |g| <= 1/2. Relative errors 2e-9 in single and 3e-18 in double precision, before rounding.
_LOG_SINGLE = (0.43171769745887384, 0.5767151860190234, 0.9617988388021100, 2.8853900798033363)
_EXP_SINGLE = (
    0.00015461444698569129, 0.0013400428177615838, 0.0096180566785246381, 0.055503272266703021,
    0.24022650922288758, 0.69314720670283260, 1.0,
)  # fmt: skip
_LOG_DOUBLE = (
    0.21365895694319269, 0.22091308423117680, 0.26233435250418302, 0.32059853491395986,
    0.41219858584090053, 0.57707801634552023, 0.96179669392598973, 2.8853900817779268,
)  # fmt: skip
_EXP_DOUBLE = (
    4.4558179083360645e-10, 7.0741942972885210e-9, 1.0178057087733941e-7, 1.3215432535912376e-6,
    0.000015252733841556773, 0.00015403530463724354, 0.0013333558146406471,
    0.0096181291075872567, 0.055504108664821627, 0.24022650695910160, 0.69314718055994531, 1.0,
)  # fmt: skip


class _Layout(NamedTuple):
    """How a type of float is laid out in bits, and the series that are exact enough for it."""

    integer: Any
    mantissa: int
    bias: int
    root: int  # the bits of √(1/2)
    log: Sequence[float]
    exp: Sequence[float]


def _layout(value: Any) -> _Layout:
    if value == numba.types.float32:
        return _Layout(_ir.IntType(32), 23, 127, 0x3F3504F3, _LOG_SINGLE, _EXP_SINGLE)
    return _Layout(_ir.IntType(64), 52, 1023, 0x3FE6A09E667F3BCD, _LOG_DOUBLE, _EXP_DOUBLE)


FAST = ("fast",)


def _horner(builder: Any, series: Sequence[float], x: Any) -> Any:
    total = _ir.Constant(x.type, series[0])
    for coefficient in series[1:]:
        product = builder.fmul(total, x, flags=FAST)
        total = builder.fadd(product, _ir.Constant(x.type, coefficient), flags=FAST)
    return total


@intrinsic
def power(context: Any, base: Any, exponent: Any) -> Any:
    """Give base**exponent for a base > 0 and a result near or below 1.

    What would be less than the least normal number is that number.
    """
    layout = _layout(base)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y = arguments
        integer, kind = layout.integer, x.type
        shift = _ir.Constant(integer, layout.mantissa)
        raw = builder.bitcast(x, integer)
        # x = m·2^k with m in [√½, √2).
        k = builder.ashr(builder.sub(raw, _ir.Constant(integer, layout.root)), shift)
        m = builder.bitcast(builder.sub(raw, builder.shl(k, shift)), kind)
        one = _ir.Constant(kind, 1.0)
        z = builder.fdiv(builder.fsub(m, one), builder.fadd(m, one), flags=FAST)
        series = _horner(builder, layout.log, builder.fmul(z, z))
        log = builder.fadd(builder.fmul(series, z, flags=FAST), builder.sitofp(k, kind), flags=FAST)
        log = builder.fmul(log, y)
        least = _ir.Constant(kind, float(1 - layout.bias))
        log = builder.select(builder.fcmp_ordered(">", log, least), log, least)
        rint = builder.module.declare_intrinsic("llvm.rint", [kind])
        whole = builder.call(rint, [log])
        result = _horner(builder, layout.exp, builder.fsub(log, whole))
        step = builder.shl(builder.fptosi(whole, integer), shift)
        return builder.bitcast(builder.add(builder.bitcast(result, integer), step), kind)

    return base(base, base), code


@intrinsic
def piece(context: Any, value: Any, fine: Any, low: Any, last: Any) -> Any:
    """Give the piece of a table a positive number falls in, and its place there, in [0, 1).

    Pieces are 2^fine to the octave from 2^low upwards: the leading bits of the number itself.
    """
    layout = _layout(value)
    word = numba.types.int32
    signature = numba.types.Tuple((word, value))(value, word, word, word)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, fine, low, last = arguments
        integer, short = layout.integer, _ir.IntType(32)
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


def _integer_type(value: Any) -> Any:
    return numba.types.int32 if value == numba.types.float32 else numba.types.int64


@intrinsic
def bits(context: Any, value: Any) -> Any:
    """Give the bits of a float; those of nonnegative floats are ordered like the floats."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _layout(value).integer)

    return _integer_type(value)(value), code


@intrinsic
def smaller(context: Any, least: Any, value: Any) -> Any:
    """Give the smaller of bits and the bits of a nonnegative float.

    LLVM reduces a block by it in vectors, which it does not with floats for fear of NaN.
    """
    integer = _integer_type(value)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        raw = builder.bitcast(arguments[1], _layout(value).integer)
        return builder.select(builder.icmp_signed("<", raw, arguments[0]), raw, arguments[0])

    return integer(integer, value), code


@intrinsic
def from_bits(context: Any, value: Any) -> Any:
    """Give the float of some bits."""
    short = value == numba.types.int32
    kind = numba.types.float32 if short else numba.types.float64

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _ir.FloatType() if short else _ir.DoubleType())

    return kind(value), code
