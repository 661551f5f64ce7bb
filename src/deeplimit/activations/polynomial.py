"""Formulas that are polynomials, and their exact Hermite coefficients."""

from __future__ import annotations

import math
from contextlib import suppress
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from deeplimit.activations.nodes import Node
from deeplimit.activations.tree import Call, Expression, Number, Operation, Variable

_MAX_DEGREE = 64


def as_polynomial(expression: Expression) -> list[Fraction] | None:
    """Give the rational coefficients of a formula that is a polynomial, else None.

    Parameters
    ----------
    expression : Expression
        The formula. Its numbers are taken as the decimals they are written as.

    Returns
    -------
    list of Fraction or None
        Coefficient of each power of `x`, or None if the formula is not a polynomial with rational
        coefficients of degree at most 64.

    Examples
    --------
    >>> from deeplimit.activations.expressions import parse
    >>> as_polynomial(parse("(x - 0.5)^2"))
    [Fraction(1, 4), Fraction(-1, 1), Fraction(1, 1)]
    >>> as_polynomial(parse("sin(x)")) is None
    True
    """
    try:
        return _polynomial(expression)
    except _NotPolynomialError:
        return None


class _NotPolynomialError(Exception):
    """The formula holds something else than sums, products and powers."""


def _polynomial(node: object) -> list[Fraction]:
    if isinstance(node, Number):
        return [Fraction(repr(node.value))]
    if isinstance(node, Variable):
        return [Fraction(0), Fraction(1)]
    if isinstance(node, Call) and node.spec.name == "square":
        base = _polynomial(node.operands[0])
        return _product(base, base)
    if isinstance(node, Operation):
        parts = [_polynomial(p) for p in node.operands]
        if node.sign == "neg":
            return [-c for c in parts[0]]
        if node.sign == "+":
            return _sum(parts)
        if node.sign == "-":
            return _sum([parts[0], *([-c for c in p] for p in parts[1:])])
        if node.sign == "*":
            result = parts[0]
            for part in parts[1:]:
                result = _product(result, part)
            return result
        if node.sign == "/" and len(parts[1]) == 1 and parts[1][0]:
            return [c / parts[1][0] for c in parts[0]]
        if node.sign == "^" and len(parts[1]) == 1 and parts[1][0].denominator == 1:
            power = int(parts[1][0])
            if 0 <= power <= _MAX_DEGREE:
                result = [Fraction(1)]
                for _ in range(power):
                    result = _product(result, parts[0])
                return result
    raise _NotPolynomialError


def _sum(parts: list[list[Fraction]]) -> list[Fraction]:
    size = max(map(len, parts))
    padded = [p + [Fraction(0)] * (size - len(p)) for p in parts]
    return _trimmed([sum(column, Fraction(0)) for column in zip(*padded, strict=True)])


def _product(left: list[Fraction], right: list[Fraction]) -> list[Fraction]:
    if len(left) + len(right) - 2 > _MAX_DEGREE:
        raise _NotPolynomialError
    out = [Fraction(0)] * (len(left) + len(right) - 1)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            out[i + j] += a * b
    return _trimmed(out)


def _trimmed(coefficients: list[Fraction]) -> list[Fraction]:
    while len(coefficients) > 1 and not coefficients[-1]:
        coefficients = coefficients[:-1]
    return coefficients


def hermite_of_polynomial(coefficients: list[Fraction]) -> NDArray[np.float64]:
    r"""Give the signed normalised Hermite coefficients of a polynomial.

    From :math:`x^n = \sum_j \frac{n!}{2^j j! (n-2j)!} \mathit{He}_{n-2j}(x)`, in exact rational
    arithmetic: a coefficient that is zero is exactly zero.

    Parameters
    ----------
    coefficients : list of Fraction
        Coefficient of each power.

    Returns
    -------
    ndarray of float64, shape (len(coefficients),)
        :math:`E\,\phi(z) h_k(z)`.

    Examples
    --------
    >>> hermite_of_polynomial([Fraction(0), Fraction(-3), Fraction(0), Fraction(1)])
    array([0.        , 0.        , 0.        , 2.44948974])
    """
    he = [Fraction(0)] * len(coefficients)
    for n, c in enumerate(coefficients):
        for j in range(n // 2 + 1):
            ways = Fraction(math.factorial(n), 2**j * math.factorial(j) * math.factorial(n - 2 * j))
            he[n - 2 * j] += c * ways
    return np.array([float(c) * math.sqrt(math.factorial(k)) for k, c in enumerate(he)])


def hermite_coefficients(expression: Expression) -> NDArray[np.float64] | None:
    r"""Give the signed normalised Hermite coefficients of a formula that has finitely many.

    A sum of multiples of Hermite polynomials ``h(k, x)`` and of rational polynomials: coefficients
    that do not occur are exactly zero, which no quadrature could tell.

    Parameters
    ----------
    expression : Expression
        The formula.

    Returns
    -------
    ndarray of float64 or None
        :math:`E\,\phi(z) h_k(z)` from degree 0, or None for any other formula.

    Examples
    --------
    >>> from deeplimit.activations.expressions import parse
    >>> hermite_coefficients(parse("h(2, x)/2 - 3*h(3, x)"))
    array([ 0. ,  0. ,  0.5, -3. ])
    """
    try:
        mixture = _mixture(expression)
    except (_NotPolynomialError, OverflowError):
        return None
    out = np.zeros(max(mixture, default=0) + 1)
    for degree, coefficient in mixture.items():
        out[degree] = coefficient
    return out


def _mixture(node: Node) -> dict[int, float]:
    with suppress(_NotPolynomialError):
        return dict(enumerate(hermite_of_polynomial(_polynomial(node)).tolist()))
    if node.constant is not None:
        return {0: node.constant}
    if isinstance(node, Call) and node.name == "h" and isinstance(node.operands[1], Variable):
        return {int(node.operands[0].constant or 0): 1.0}
    if isinstance(node, Operation):
        if node.sign == "neg":
            return _times(_mixture(node.operands[0]), -1.0)
        if node.sign in ("+", "-"):
            total: dict[int, float] = {}
            for i, part in enumerate(node.operands):
                sign = -1.0 if i and node.sign == "-" else 1.0
                for degree, coefficient in _times(_mixture(part), sign).items():
                    total[degree] = total.get(degree, 0.0) + coefficient
            return total
        if node.sign == "*":
            varying = [part for part in node.operands if part.constant is None]
            if len(varying) == 1:
                factors = [part.constant for part in node.operands if part.constant is not None]
                return _times(_mixture(varying[0]), math.prod(factors))
        if node.sign == "/" and node.operands[1].constant:
            return _times(_mixture(node.operands[0]), 1.0 / node.operands[1].constant)
    raise _NotPolynomialError


def _times(mixture: dict[int, float], factor: float) -> dict[int, float]:
    return {degree: coefficient * factor for degree, coefficient in mixture.items()}
