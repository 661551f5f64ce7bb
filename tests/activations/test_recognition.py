"""Closed forms recognised in formulas and in values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deeplimit.activations import Activation, parse
from deeplimit.activations.recognition import dual_of_formula, dual_of_values
from deeplimit.duals.algebra import MixedDual
from deeplimit.duals.closed import (
    ArcCosineDual,
    ArcSineDual,
    ConstantDual,
    ExponentialDual,
    GaussianDual,
    GeluDual,
    HyperbolicDual,
)
from deeplimit.duals.hermite import GaussianQuadrature
from deeplimit.duals.quadrature import QuadratureDual

S = np.array([1e-14, 1e-6, 0.01, 0.3, 0.9, 1.3, 1.8])

FORMULAS = {
    "sin(x)": HyperbolicDual(1.0, odd=True),
    "sin(2.5*x)": HyperbolicDual(6.25, odd=True),
    "-3*sin(x/2)": HyperbolicDual(0.25, odd=True),
    "sin(-x)*pi": HyperbolicDual(1.0, odd=True),
    "cos(0.5x*4)/7": HyperbolicDual(4.0, odd=False),
    "exp(2*x)": ExponentialDual(4.0),
    "exp(-x)": ExponentialDual(1.0),
    "erf(3*x)": ArcSineDual(3.0),
    "2*erf(-x/4)": ArcSineDual(0.25),
    "exp(-x^2/2)": GaussianDual(0.5),
    "exp(-(2*x)^2)": GaussianDual(4.0),
    "exp(-3*square(x))": GaussianDual(3.0),
    "exp(0.2*x*x)": GaussianDual(-0.2),
    "5*gelu(x)": GeluDual(),
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas(formula: str) -> None:
    found, true = dual_of_formula(parse(formula)), FORMULAS[formula]
    assert type(found) is type(true)
    np.testing.assert_allclose(found.gap(S), true.gap(S), rtol=1e-15)


@pytest.mark.parametrize("formula", FORMULAS)
def test_they_are_what_quadrature_gives(formula: str) -> None:
    found = dual_of_formula(parse(formula))
    numerical = QuadratureDual(GaussianQuadrature(parse(formula)))
    np.testing.assert_allclose(numerical.gap(S), found.gap(S), rtol=1e-12)


@pytest.mark.parametrize(
    "formula",
    [
        "tanh(x)", "sin(x + 1)", "sin(x) + x", "x*sin(x)", "sin(x^2)", "sin(abs(x))", "1/sin(x)",
        "sin(x)^2", "exp(x^2/4)", "exp(x^2)", "exp(-x^3)", "exp(x)/x", "gelu(2*x)", "erf(x^2)",
        "sin(27*x)", "exp(1e300*x)", "sin(1e-200*x)", "h(2, x)", "sin(x)*cos(x)", "x", "2",
    ],
)  # fmt: skip
def test_what_is_not_recognised(formula: str) -> None:
    assert dual_of_formula(parse(formula)) is None


def test_a_formula_of_the_issue_is_exact() -> None:
    activation = Activation("sin(2.676*x)")
    a = 2.676**2
    assert set(activation.errors.values()) == {0.0}
    assert (activation.A, activation.is_odd) == (0.0, True)
    assert pytest.approx(a / math.tanh(a), rel=1e-15) == activation.B1


VALUES = {
    "relu(x)": ArcCosineDual(1.0, 0.0),
    "7*relu(-x)": ArcCosineDual(0.0, 1.0),
    "max(x, 0) + 0.3*min(x, 0)": ArcCosineDual(1.0, -0.3),
    "abs(2*x) - x": ArcCosineDual(1.0, 3.0),
    "sqrt(x^2)": ArcCosineDual(1.0, 1.0),
    "sign(x)": ArcSineDual(math.inf),
    "heaviside(-x)": MixedDual([(0.5, ConstantDual()), (0.5, ArcSineDual(math.inf))]),
    "x/abs(x)": ArcSineDual(math.inf),
    "where(x > 0, 3, -1)": MixedDual([(0.2, ConstantDual()), (0.8, ArcSineDual(math.inf))]),
    "cos(x)^2 + sin(x)^2": ConstantDual(),
}


@pytest.mark.parametrize("formula", VALUES)
def test_values(formula: str) -> None:
    activation, true = Activation(formula), VALUES[formula]
    np.testing.assert_allclose(activation.dual.gap(S), true.gap(S), rtol=1e-14, atol=1e-15)
    assert activation.dual.slope_at_one == true.slope_at_one


@pytest.mark.parametrize(
    "formula",
    [
        "relu(x) + 1e-9*relu(x - 3)",
        "sign(x) + 1e-9*sign(x - 1)",
        "clip(x, -30, 30)*abs(x)",
        "1/(1 + exp(-1e3*x))",
        "clip(1e12*x, -1, 1)",
        "relu(x) + exp(-1e4*(x - 1.7)^2)",
        "elu(x)",
        "x*abs(x)",
    ],
)
def test_what_is_nearly_of_that_kind(formula: str) -> None:
    assert isinstance(Activation(formula).dual, QuadratureDual)


def test_values_are_judged_by_their_precision() -> None:
    z = np.linspace(-4.0, 4.0, 101)

    def single(x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0.3 * x).astype(np.float32).astype(float)

    assert dual_of_values(single, z, 1e-16) is None
    assert isinstance(dual_of_values(single, z, 6e-8), ArcCosineDual)
