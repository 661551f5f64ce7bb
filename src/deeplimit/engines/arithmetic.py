"""Arithmetic in LLVM's intermediate representation, for single numbers and for vectors of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from deeplimit._extras import require

__all__ = [
    "FAST",
    "Layout",
    "constant",
    "extreme",
    "horner",
    "integers",
    "inverse_root",
    "layout_of",
    "polynomial",
    "power",
    "square_root",
]

_ir: Any = require("llvmlite.ir", extra="fast", purpose="the compiled engine")
_binding: Any = require("llvmlite.binding", extra="fast", purpose="the compiled engine")

#: Sums may be added in any order, and quotients be products with an inverse.
FAST = ("fast",)

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


class Layout(NamedTuple):
    """How a type of float is laid out in bits, and the series that are exact enough for it."""

    bits: int
    mantissa: int
    bias: int
    root: int  # the bits of √(1/2)
    log: Sequence[float]
    exp: Sequence[float]

    @property
    def eps(self) -> float:
        """The unit roundoff."""
        return float(2.0 ** -(self.mantissa + 1))


_SINGLE = Layout(32, 23, 127, 0x3F3504F3, _LOG_SINGLE, _EXP_SINGLE)
_DOUBLE = Layout(64, 52, 1023, 0x3FE6A09E667F3BCD, _LOG_DOUBLE, _EXP_DOUBLE)


def layout_of(kind: Any) -> Layout:
    """Give the layout of a type of float, or of a vector of such."""
    return _SINGLE if getattr(kind, "element", kind) == _ir.FloatType() else _DOUBLE


def integers(kind: Any) -> Any:
    """Give the type of the integers that are as wide as the floats of a type."""
    integer = _ir.IntType(layout_of(kind).bits)
    return _ir.VectorType(integer, kind.count) if isinstance(kind, _ir.VectorType) else integer


def constant(kind: Any, value: float) -> Any:
    """Give a constant of a type, the same number in each place of a vector."""
    return _ir.Constant(kind, [value] * kind.count if isinstance(kind, _ir.VectorType) else value)


def extreme(builder: Any, sign: str, left: Any, right: Any) -> Any:
    """Give the smaller of two integers if the sign is "<", the larger if it is ">"."""
    return builder.select(builder.icmp_signed(sign, left, right), left, right)


def inverse_root(builder: Any, x: Any) -> tuple[Any, float]:
    """Give 1/√x of a vector, and a bound of its relative error if that is more than a rounding."""
    if _has_estimates(x.type):
        return _estimate(builder, "rsqrt14", x), 2.0**-14
    root = builder.call(_declared(builder, "llvm.sqrt", x.type), [x], fastmath=FAST)
    return builder.fdiv(constant(x.type, 1.0), root, flags=FAST), 0.0


def square_root(builder: Any, x: Any) -> Any:
    """Give √x, which is right at 0, too: a quick one may be 0 times infinity."""
    return builder.call(_declared(builder, "llvm.sqrt", x.type), [x])


def power(builder: Any, x: Any, y: Any) -> Any:
    """Give x^y for x > 0 and a result near or below 1.

    What would be less than the least normal number is that number.
    """
    kind, layout, integer = x.type, layout_of(x.type), integers(x.type)
    shift = constant(integer, layout.mantissa)
    raw = builder.bitcast(x, integer)
    # x = m·2^k with m in [√½, √2).
    k = builder.ashr(builder.sub(raw, constant(integer, layout.root)), shift)
    m = builder.bitcast(builder.sub(raw, builder.shl(k, shift)), kind)
    one = constant(kind, 1.0)
    z = _quotient(builder, builder.fsub(m, one), builder.fadd(m, one))
    series = horner(builder, layout.log, builder.fmul(z, z))
    log = builder.fadd(builder.fmul(series, z, flags=FAST), builder.sitofp(k, kind), flags=FAST)
    log = builder.fmul(log, y)
    least = constant(kind, float(1 - layout.bias))
    log = builder.select(builder.fcmp_ordered(">", log, least), log, least)
    whole = builder.call(_declared(builder, "llvm.rint", kind), [log])
    result = horner(builder, layout.exp, builder.fsub(log, whole))
    step = builder.shl(builder.fptosi(whole, integer), shift)
    return builder.bitcast(builder.add(builder.bitcast(result, integer), step), kind)


def horner(builder: Any, series: Sequence[float], x: Any) -> Any:
    """Give a polynomial with the same coefficients everywhere, the highest first."""
    return polynomial(builder, [constant(x.type, coefficient) for coefficient in series], x)


def polynomial(builder: Any, coefficients: Sequence[Any], x: Any) -> Any:
    """Give a polynomial, the highest coefficient first."""
    total = coefficients[0]
    for coefficient in coefficients[1:]:
        product = builder.fmul(total, x, flags=FAST)
        total = builder.fadd(product, coefficient, flags=FAST)
    return total


def _quotient(builder: Any, a: Any, b: Any) -> Any:
    if not _has_estimates(b.type):
        return builder.fdiv(a, b, flags=FAST)
    # A vector of these divides slowly: Newton's steps, each of which doubles the digits.
    inverse, one = _estimate(builder, "rcp14", b), constant(b.type, 1.0)
    for _ in range(1 if layout_of(b.type).bits == 32 else 2):
        error = builder.fsub(one, builder.fmul(b, inverse, flags=FAST), flags=FAST)
        inverse = builder.fadd(inverse, builder.fmul(inverse, error, flags=FAST), flags=FAST)
    return builder.fmul(a, inverse, flags=FAST)


def _has_estimates(kind: Any) -> bool:
    """Say whether the processor estimates quotients and roots of a type to 14 bits."""
    if not isinstance(kind, _ir.VectorType) or kind.count * layout_of(kind).bits != 512:
        return False
    return bool(_binding.get_host_cpu_features().get("avx512f"))


def _estimate(builder: Any, name: str, x: Any) -> Any:
    kind, mask = x.type, _ir.IntType(max(8, x.type.count))
    form = "ps" if layout_of(kind).bits == 32 else "pd"
    function = builder.module.declare_intrinsic(
        f"llvm.x86.avx512.{name}.{form}.512", (), _ir.FunctionType(kind, [kind, kind, mask])
    )
    return builder.call(function, [x, _ir.Constant(kind, _ir.Undefined), _ir.Constant(mask, -1)])


def _declared(builder: Any, name: str, kind: Any) -> Any:
    """Declare one of LLVM's functions of one number, for a type or for vectors of it."""
    suffix = f"f{layout_of(kind).bits}"
    if isinstance(kind, _ir.VectorType):
        suffix = f"v{kind.count}{suffix}"
    return builder.module.declare_intrinsic(f"{name}.{suffix}", (), _ir.FunctionType(kind, [kind]))
