"""Polynomials recognised in formulas, and their exact Hermite coefficients."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.activations import Activation, parse
from deeplimit.activations.polynomial import (
    as_polynomial,
    hermite_coefficients,
    hermite_of_polynomial,
)

Rationals = st.fractions(min_value=-9, max_value=9, max_denominator=64)


@pytest.mark.parametrize(
    ("formula", "coefficients"),
    [
        ("3", [3]),
        ("x", [0, 1]),
        ("-x", [0, -1]),
        ("0.1x", [0, Fraction(1, 10)]),
        ("(x + 1)*(x - 1)", [-1, 0, 1]),
        ("(x - 0.5)^2", [Fraction(1, 4), -1, 1]),
        ("x^3/4 - x/3 + 1e-3", [Fraction(1, 1000), Fraction(-1, 3), 0, Fraction(1, 4)]),
        ("square(2x)", [0, 0, 4]),
        ("x - x", [0]),
        ("x^2^2", [0, 0, 0, 0, 1]),
        ("(x^2 - x^2 + 2)*x", [0, 2]),
        ("x^0", [1]),
    ],
)
def test_polynomials(formula: str, coefficients: list[Fraction]) -> None:
    assert as_polynomial(parse(formula)) == list(map(Fraction, coefficients))


@pytest.mark.parametrize(
    "formula",
    ["sin(x)", "1/x", "x^0.5", "x^-1", "2^x", "pi*x", "abs(x)", "x^65", "(x^8)^9", "x/(x + 1)"],
)
def test_what_is_none(formula: str) -> None:
    assert as_polynomial(parse(formula)) is None


@given(st.lists(Rationals, min_size=1, max_size=9))
def test_hermite_coefficients_give_the_polynomial_back(coefficients: list[Fraction]) -> None:
    c = hermite_of_polynomial(coefficients)
    z = np.array([-2.5, -1.0, 0.0, 0.3, 1.7])
    he = [np.polynomial.hermite_e.hermeval(z, np.eye(len(c))[k]) for k in range(len(c))]
    values = sum(c[k] / math.sqrt(math.factorial(k)) * he[k] for k in range(len(c)))
    true = np.polynomial.polynomial.polyval(z, [float(a) for a in coefficients])
    np.testing.assert_allclose(values, true, rtol=1e-11, atol=1e-9)


@given(st.lists(Rationals, min_size=1, max_size=7).filter(any))
def test_the_norm_is_the_mean_square(coefficients: list[Fraction]) -> None:
    c = hermite_of_polynomial(coefficients)
    # E z^(i + j) is (i + j - 1)!! for even sums, else 0.
    true = sum(
        a * b * math.prod(range(i + j - 1, 0, -2))
        for i, a in enumerate(coefficients)
        for j, b in enumerate(coefficients)
        if (i + j) % 2 == 0
    )
    assert float(c @ c) == pytest.approx(float(true), rel=1e-12)


def test_zeros_are_exact() -> None:
    # x^4 less its mean and its part along h2: only h4 is left.
    np.testing.assert_array_equal(
        hermite_of_polynomial(as_polynomial(parse("x^4 - 6*(x^2 - 1) - 3"))),
        [0, 0, 0, 0, math.sqrt(24)],
    )


@pytest.mark.parametrize(
    ("formula", "coefficients"),
    [
        ("h(2, x)", [0, 0, 1]),
        ("0.6*h(1, x) - 0.8*h(3, x)", [0, 0.6, 0, -0.8]),
        ("-(h(1, x) + pi)", [-math.pi, -1]),
        ("(h(1, x) + h(2, x))/4", [0, 0.25, 0.25]),
        ("2*pi*h(2, x)", [0, 0, 2 * math.pi]),
        ("h(2, x) + x^2", [1, 0, 1 + math.sqrt(2)]),
        ("sqrt(0.5)*h(1, x) + exp(1)", [math.e, math.sqrt(0.5)]),
    ],
)
def test_mixtures(formula: str, coefficients: list[float]) -> None:
    np.testing.assert_allclose(hermite_coefficients(parse(formula)), coefficients, rtol=1e-15)


@pytest.mark.parametrize("formula", ["tanh(x)", "h(2, 2x)", "x*h(2, x)", "h(2, x)^2", "h(1, x)/x"])
def test_what_is_no_mixture(formula: str) -> None:
    assert hermite_coefficients(parse(formula)) is None


def test_sizes_no_float_can_square() -> None:
    for formula in ("1e200*x^3", "1e-200*x^3", "1e300*(x^2 - 1) + 1e250*x"):
        dual = Activation(formula).dual
        assert dual.coefficients(4).sum() == pytest.approx(1.0, rel=1e-15)
        assert dual.error <= 1e-12


def test_a_mixture_has_no_error() -> None:
    activation = Activation("0.6*h(1, x) - 0.8*h(3, x)")
    assert set(activation.errors.values()) == {0.0}
    assert activation.A == 0.0
    np.testing.assert_allclose(activation.hermite(5), [0, 0.6, 0, -0.8, 0], rtol=1e-15)


@pytest.mark.parametrize("formula", ["x - x", "0", "0*x^2", "h(2, x) - h(2, x)"])
def test_zero_is_refused(formula: str) -> None:
    with pytest.raises(ValueError, match="zero everywhere"):
        _ = Activation(formula).dual
