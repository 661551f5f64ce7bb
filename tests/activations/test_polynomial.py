"""Formulas with finitely many Hermite coefficients, exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimit.activations import Activation, parse
from deeplimit.activations.polynomial import (
    as_polynomial,
    hermite_coefficients,
    hermite_of_polynomial,
)

COEFFICIENTS = st.lists(st.integers(-50, 50).map(lambda n: Fraction(n, 10)), min_size=1, max_size=7)


@pytest.mark.parametrize(
    ("text", "coefficients"),
    [
        ("3", [3]),
        ("x", [0, 1]),
        ("-x", [0, -1]),
        ("x^3 - 3*x", [0, -3, 0, 1]),
        ("(x + 1)*(x - 1)", [-1, 0, 1]),
        ("(x - 0.5)^2", [Fraction(1, 4), -1, 1]),
        ("x/4 + 0.1", [Fraction(1, 10), Fraction(1, 4)]),
        ("x^2 - x*x", [0]),
        ("2*(x - (1 - x))", [-2, 4]),
    ],
)
def test_coefficients_are_rational(text, coefficients):
    assert as_polynomial(parse(text)) == [Fraction(c) for c in coefficients]


@pytest.mark.parametrize(
    "text", ["sin(x)", "x^0.5", "1/x", "x^-1", "2^x", "abs(x)", "x^65", "sqrt(2)*x", "pi*x"]
)
def test_others_are_no_polynomials(text):
    assert as_polynomial(parse(text)) is None


def test_hermite_polynomials_come_out_as_themselves():
    for k in range(9):
        power = np.polynomial.hermite_e.herme2poly(np.eye(k + 1)[-1])
        found = hermite_of_polynomial([Fraction(int(c)) for c in power])
        assert np.flatnonzero(found).tolist() == [k]  # the zeros are exact
        np.testing.assert_allclose(found[k] ** 2, float(np.prod(np.arange(1.0, k + 1))), rtol=1e-14)


@given(COEFFICIENTS)
def test_hermite_coefficients_agree_with_gauss_quadrature(coefficients):
    x, w = np.polynomial.hermite_e.hermegauss(16)
    w = w / np.sqrt(2 * np.pi)
    phi = np.polynomial.polynomial.polyval(x, [float(c) for c in coefficients])
    found = hermite_of_polynomial(coefficients)
    for k, c in enumerate(found):
        h = np.polynomial.hermite_e.hermeval(x, np.eye(k + 1)[-1])
        norm = np.sqrt(np.prod(np.arange(1.0, k + 1)))
        np.testing.assert_allclose(c, np.sum(w * phi * h) / norm, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.sum(found**2), np.sum(w * phi**2), rtol=1e-9, atol=1e-9)


@settings(max_examples=40)
@given(COEFFICIENTS)
def test_formulas_of_polynomials_are_read_back(coefficients):
    text = " + ".join(f"({float(c)})*x^{k}" for k, c in enumerate(coefficients))
    found = as_polynomial(parse(text))
    expected = list(coefficients)
    while len(expected) > 1 and not expected[-1]:
        expected.pop()
    assert found == expected


def test_sums_of_hermite_polynomials():
    np.testing.assert_array_equal(
        hermite_coefficients(parse("h(2, x)/2 - 3*h(3, x)")), [0, 0, 0.5, -3]
    )
    np.testing.assert_allclose(
        hermite_coefficients(parse("sqrt(2)*h(4, x) - pi + x")),
        [-np.pi, 1, 0, 0, np.sqrt(2)],
        rtol=1e-15,
    )
    for text in ("h(2, x)*h(3, x)", "h(2, 2*x)", "sin(h(1, x))", "h(2, x)/x"):
        assert hermite_coefficients(parse(text)) is None


def test_cancelled_means_are_exactly_zero():
    # (0.1 + 0.2) - 0.3 is not zero in doubles; as decimals it is.
    assert Activation("x^2 - 1 + x + 0.1 + 0.2 - 0.3").A == 0.0
    assert Activation("x^3 - 3*x + h(2, x)").A1 == 0.0
    assert Activation("x^2 - 0.9999999999").A > 0.0


def test_dual_of_a_polynomial_is_exact():
    phi = Activation("x^3")
    assert phi.dual.error == 0.0 and phi.is_odd
    np.testing.assert_allclose(phi.dual.coefficients(4), [0, 0.6, 0, 0.4], rtol=1e-15)
    np.testing.assert_allclose([phi.norm2, phi.B1], [15.0, 1.8], rtol=1e-14)


def test_a_polynomial_that_vanishes_is_refused():
    with pytest.raises(ValueError, match="zero everywhere"):
        _ = Activation("x - x").dual
