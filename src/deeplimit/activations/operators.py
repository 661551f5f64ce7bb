"""The operators of a formula: what they compute, and what they do to symmetry about 0."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

from deeplimit.duals.base import Parity

__all__ = [
    "COMPARISONS",
    "OPERATORS",
    "Operand",
    "Operator",
    "ParityRule",
    "even",
    "neither",
    "odd",
]


class Operand(Protocol):
    """What a rule may ask of an operand or an argument."""

    @property
    def constant(self) -> float | None:
        """The value, if it does not depend on the variable."""

    def parity(self) -> Parity:
        """Give the symmetry about 0."""


ParityRule = Callable[[Sequence[Operand]], Parity]


def neither(operands: Sequence[Operand]) -> Parity:
    """Give the parity of a function without symmetry: even where all its operands are."""
    return "even" if all(operand.parity() == "even" for operand in operands) else None


def odd(operands: Sequence[Operand]) -> Parity:
    """Give the parity of an odd function of one operand."""
    return operands[0].parity()


def even(operands: Sequence[Operand]) -> Parity:
    """Give the parity of an even function of one operand."""
    return None if operands[0].parity() is None else "even"


def _sum(operands: Sequence[Operand]) -> Parity:
    # A term 0 is odd and even.
    parities = {term.parity() for term in operands if term.constant != 0.0}
    return parities.pop() if len(parities) == 1 else None


def _product(operands: Sequence[Operand]) -> Parity:
    parities = [factor.parity() for factor in operands]
    if None in parities:
        return None
    return "odd" if parities.count("odd") % 2 else "even"


def _power(operands: Sequence[Operand]) -> Parity:
    base, exponent = operands
    if exponent.constant is None or not exponent.constant.is_integer():
        return neither(operands)
    return odd([base]) if exponent.constant % 2 else even([base])


#: Up to this exponent a whole power is multiplied out.
_MULTIPLIED_OUT = 16


def _raise(base: Any, exponent: Any) -> Any:
    """Raise to a power, by multiplication where that is a small whole number.

    A library's own power of a signed array costs a hundred multiplications and may differ in the
    last bit between a number and its opposite.
    """
    if not isinstance(exponent, float) or not exponent.is_integer():
        return base**exponent
    count = int(abs(exponent))
    if not 2 <= count <= _MULTIPLIED_OUT:
        return base**exponent
    result = _multiplied(base, count)
    return result if exponent > 0.0 else 1.0 / result


def _multiplied(base: Any, count: int) -> Any:
    if count == 1:
        return base
    half = _multiplied(base, count // 2)
    return half * half * base if count % 2 else half * half


@dataclass(frozen=True)
class Operator:
    """An operator between expressions.

    Attributes
    ----------
    compute : callable
        Its value on numbers or arrays of any library.
    parity : callable
        Its parity, from that of its operands.
    fewest, most : int
        How many operands it takes.
    """

    compute: Callable[..., Any]
    parity: ParityRule
    fewest: int = 2
    most: int = 2


_ANY_NUMBER = 10**9

#: Operators by sign; a subtracted term is a ``neg`` in a sum, and sums and products are flat.
OPERATORS: Mapping[str, Operator] = {
    "neg": Operator(operator.neg, odd, fewest=1, most=1),
    "+": Operator(lambda *terms: reduce(operator.add, terms), _sum, most=_ANY_NUMBER),
    "*": Operator(lambda *factors: reduce(operator.mul, factors), _product, most=_ANY_NUMBER),
    "/": Operator(operator.truediv, _product),
    "^": Operator(_raise, _power),
}

#: Comparisons by sign.
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
