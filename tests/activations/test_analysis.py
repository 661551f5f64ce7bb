"""What is found out about a function, and how much of it is remembered."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from deeplimit.activations import Activation, names, parse
from deeplimit.activations.analysis import Analysis, of_expression
from deeplimit.duals.quadrature import QuadratureDual
from deeplimit.duals.series import SeriesDual


@pytest.mark.parametrize(
    ("formula", "kind"),
    [
        ("tanh(x)", SeriesDual),
        ("x^2", SeriesDual),
        ("softplus(x)", SeriesDual),
        ("sin(30*x)*cos(x)", SeriesDual),
        ("sin(50*x)", SeriesDual),
        ("tanh(20*x)", QuadratureDual),
        ("clip(x, -1, 1)", QuadratureDual),
    ],
)
def test_ways(formula: str, kind: type) -> None:
    assert type(Activation(formula).dual) is kind


@pytest.mark.parametrize("formula", ["tanh(x)", "softplus(x)", "sigmoid(3*x)", "atan(x) + x"])
def test_series_and_quadrature_agree(formula: str) -> None:
    analysis = Analysis(parse(formula))
    series, table = analysis.dual, QuadratureDual(analysis.quadrature)
    assert isinstance(series, SeriesDual)
    s = np.array([1e-14, 1e-9, 1e-4, 0.1, 0.7, 0.9, 1.2, 1.9])
    np.testing.assert_allclose(table.gap(s), series.gap(s), rtol=1e-12)
    np.testing.assert_allclose(table.gap_derivative(s), series.gap_derivative(s), rtol=1e-11)


def test_a_fast_wave_keeps_its_gap_and_tells_what_it_cannot_know() -> None:
    activation = Activation("sin(50*x)")
    s = np.array([1e-12, 1e-6, 1e-3, 0.1])
    np.testing.assert_allclose(activation.dual.gap(s), -np.expm1(-2500.0 * s), rtol=1e-10)
    assert pytest.approx(2500.0, rel=1e-12) == activation.B1
    # Its slope at zero, of size 1e-1083, is not called zero without a bound.
    assert 0.0 < activation.errors["A1"] < 1e-13
    assert (activation.A, activation.errors["A"]) == (0.0, 0.0)


def test_a_tiny_rest_beside_a_constant_is_not_lost() -> None:
    activation = Activation("1 + 1e-6*tanh(x)")
    true = Activation("tanh")
    s = np.array([1e-9, 0.1, 1.5])
    found = activation.dual.gap(s) / (1e-12 * true.norm2 * true.dual.gap(s))
    np.testing.assert_allclose(found, 1.0, rtol=1e-8)
    assert np.all(np.abs(found - 1.0) <= 10.0 * activation.dual.error + 1e-11)


def test_formulas_are_remembered() -> None:
    one, other = Activation("clip(x, -1, 1.5)"), Activation("clip(x, -1, 1.5)")
    assert one.dual is other.dual
    assert of_expression(parse("clip(x, -1, 1.5)")).dual is one.dual
    assert Activation("clip(x, -1, 1.6)").dual is not one.dual


def test_remembering_makes_it_quick() -> None:
    _ = Activation("hard_tanh").dual
    start = time.perf_counter()
    for _ in range(50):
        assert isinstance(Activation("hard_tanh").dual, QuadratureDual)
    assert time.perf_counter() - start < 1.0


def test_no_activation_of_the_catalog_takes_long() -> None:
    for name in names():
        activation = Activation(name)
        start = time.process_time()
        assert math.isfinite(activation.dual.a1 + activation.A + activation.norm2)
        assert time.process_time() - start < 3.0, name


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("1/x", r"1/x: the activation is not square-integrable: it has a pole at 0\b"),
        ("tan(x)", r"it has a pole at -?\d"),
        ("log(x)", r"not finite everywhere: between about .* and 0"),
        ("sqrt(1 - x^2)", r"not finite everywhere: between about .* and -1.02"),
        ("exp(x^2/3)", "not square-integrable against the Gaussian"),
        ("sin(1/x)", "too rough to integrate"),
        ("abs(x)^-0.45", "known to .* only|pole at 0"),
    ],
)
def test_errors_begin_with_the_name(formula: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        _ = Activation(formula).dual
    assert str(caught.value).startswith(f"{formula}: the ")


@pytest.mark.parametrize(
    "formula",
    [
        "sqrt(abs(x))",
        "log(abs(x))",
        "tanh(1000*x)",
        "1/(1 + exp(-1e6*x))",
        "1/(1 + abs(x)/1e-6)",
        "sqrt(x^2 + 1e-12)",
        "(exp(x) - 1)/x",
        "sin(x)/x",
        "log(cosh(x))",
        "exp(x^2/5)",
    ],
)
def test_awkward_ones_obey_the_bounds(formula: str) -> None:
    # Without a reference: the first two moments of Mehler's series bound everything else.
    activation = Activation(formula)
    dual = activation.dual
    assert dual.error < 1e-6
    a = dual.coefficients(30)
    assert pytest.approx(a[0], abs=1e-12) == activation.A**2
    assert a.sum() <= 1.0 + 10.0 * dual.error
    x = np.array([-0.6, -0.25, 0.2, 0.3, 0.5])
    head = np.polynomial.polynomial.polyval(x, a)
    rest = np.abs(x) ** 30 * (1.0 - a.sum())
    assert np.all(np.abs(dual.value(x) - head) <= rest + 1e-12 + 10.0 * dual.error)
    if math.isfinite(dual.slope_at_one):
        assert np.arange(30) @ a <= dual.slope_at_one * (1.0 + 10.0 * dual.error)
