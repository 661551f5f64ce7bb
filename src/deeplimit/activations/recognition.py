"""Formulas and functions whose dual has a closed form."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from deeplimit.activations.tree import Call, Expression, Operation, Variable
from deeplimit.duals.algebra import MixedDual
from deeplimit.duals.base import Array, Dual
from deeplimit.duals.closed import (
    LARGEST_RATE,
    ArcCosineDual,
    ArcSineDual,
    ConstantDual,
    ExponentialDual,
    GaussianDual,
    GeluDual,
    HyperbolicDual,
)


def dual_of_formula(expression: Expression) -> Dual | None:
    r"""Give the closed form of a multiple of sin, cos, erf or exp of a multiple of the variable.

    Parameters
    ----------
    expression : Expression
        The formula; ``exp(-c*x^2)`` and ``gelu(x)`` are known as well.

    Returns
    -------
    Dual or None
        None if the formula is none of these, or beyond what floats can hold.

    Examples
    --------
    >>> from deeplimit.activations.expressions import parse
    >>> dual_of_formula(parse("3*sin(2x)")).parity
    'odd'
    >>> dual_of_formula(parse("sin(x) + x")) is None
    True
    """
    call = _varying_factor(expression)
    if not isinstance(call, Call):
        return None
    inner = _monomial(call.operands[-1])
    if inner is None:
        return None
    factor, degree = inner
    rate = factor * factor if abs(factor) < 1e100 else math.inf
    if degree == 1 and 0.0 < rate <= LARGEST_RATE:
        if call.name in ("sin", "cos"):
            return HyperbolicDual(rate, odd=call.name == "sin")
        if call.name == "exp":
            return ExponentialDual(rate)
    if call.name == "erf" and degree == 1 and 1e-100 < rate < 1e200:
        return ArcSineDual(abs(factor))
    if call.name == "gelu" and factor == degree == 1:
        return GeluDual()
    if call.name == "exp" and degree == 2 and -1e100 < factor < 0.25 and factor:
        return GaussianDual(-factor)
    return None


def _varying_factor(expression: Expression) -> object:
    """Give the one factor of a product that depends on the variable."""
    if isinstance(expression, Operation):
        if expression.sign == "neg":
            return _varying_factor(expression.operands[0])  # type: ignore[arg-type]
        varying = [part for part in expression.operands if part.constant is None]
        if expression.sign == "*" and len(varying) == 1:
            return _varying_factor(varying[0])  # type: ignore[arg-type]
        if expression.sign == "/" and varying == [expression.operands[0]]:
            return _varying_factor(varying[0])  # type: ignore[arg-type]
    return expression


def _monomial(node: object) -> tuple[float, int] | None:
    """Give coefficient and degree of a multiple of a power of the variable."""
    if isinstance(node, Variable):
        return 1.0, 1
    constant = getattr(node, "constant", None)
    if constant is not None:
        return float(constant), 0
    if isinstance(node, Call) and node.name == "square":
        inner = _monomial(node.operands[0])
        return inner and (inner[0] ** 2, 2 * inner[1])
    if not isinstance(node, Operation) or node.sign == "+":
        return None
    parts = [_monomial(part) for part in node.operands]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if node.sign == "neg":
        return -known[0][0], known[0][1]
    if node.sign == "*":
        return math.prod(part[0] for part in known), sum(part[1] for part in known)
    if node.sign == "/" and known[1][1] == 0 and known[1][0]:
        return known[0][0] / known[1][0], known[0][1]
    if node.sign == "^" and known[1][1] == 0 and known[1][0] in (1.0, 2.0):
        return known[0][0] ** known[1][0], known[0][1] * int(known[1][0])
    return None


def dual_of_values(phi: Callable[[Array], Array], z: Array, precision: float) -> Dual | None:
    """Give the closed form of a function that is linear, or constant, on either side of zero.

    Doubling the argument is exact in binary, so homogeneity can be tested bit for bit.

    Parameters
    ----------
    phi : callable
        The activation, of values neither huge nor tiny.
    z : ndarray of shape (m,)
        Points dense enough to show any other behaviour.
    precision : float
        Relative rounding of the values.

    Returns
    -------
    Dual or None
        None if the function is another one.

    Examples
    --------
    >>> import numpy as np
    >>> dual_of_values(np.abs, np.linspace(-3, 3, 50), 1e-15).parity
    'even'
    >>> dual_of_values(np.tanh, np.linspace(-3, 3, 50), 1e-15) is None
    True
    """
    values, doubled = phi(z), phi(2.0 * z)
    if np.ptp(values) <= 8.0 * precision * np.abs(values).max():
        return ConstantDual()
    p, n = (float(value) for value in phi(np.array([1.0, -1.0])))
    if not (math.isfinite(p) and math.isfinite(n)) or p == n == 0.0:
        return None
    if np.array_equal(doubled, 2.0 * values):
        linear = np.where(z > 0, p * z, -n * z)
        if np.allclose(values, linear, rtol=8.0 * precision, atol=0.0):
            return ArcCosineDual(p, n)
    if np.array_equal(doubled, values) and np.array_equal(values, np.where(z > 0, p, n)):
        mean2 = (p + n) ** 2 / (2.0 * (p * p + n * n))
        return MixedDual([(mean2, ConstantDual()), (1.0 - mean2, ArcSineDual(math.inf))])
    return None
