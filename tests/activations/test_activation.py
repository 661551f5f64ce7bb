"""Activations: what they are made of, what they know of themselves."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.activations import Activation, Code, parse
from deeplimit.duals.closed import ArcCosineDual, GeluDual
from deeplimit.duals.series import SeriesDual

Z = np.linspace(-5.0, 5.0, 41)
S = np.array([1e-13, 1e-6, 1e-2, 0.4, 0.8, 1.1, 1.7])


def cubed_tanh(z: np.ndarray) -> np.ndarray:
    return np.tanh(z) ** 3


@pytest.mark.parametrize(
    ("spec", "name", "formula"),
    [
        ("relu", "relu", "relu(x)"),
        (" Swish ", "silu", "silu(x)"),
        ("sin(2x)", "sin(2x)", "sin(2*x)"),
        (parse("x^2"), "x^2", "x^2"),
        (cubed_tanh, "cubed_tanh", "cubed_tanh"),
    ],
)
def test_names_and_formulas(spec: object, name: str, formula: str) -> None:
    activation = Activation(spec)
    assert (activation.name, activation.formula) == (name, formula)
    assert repr(activation) == f"Activation({name!r})"
    assert Activation(spec, name="mine").name == "mine"


def test_values_are_those_given_not_normalised() -> None:
    np.testing.assert_array_equal(Activation("2*relu(x)")(Z), 2.0 * np.maximum(Z, 0.0))
    assert Activation("x^2")([[1, 2], [3, 4]]).tolist() == [[1.0, 4.0], [9.0, 16.0]]
    assert Activation(math.tanh)(0.5) == math.tanh(0.5)
    assert Activation("tanh")(0).dtype == np.float64


def test_complex_arguments_are_refused() -> None:
    for spec in ("tanh", np.tanh):
        with pytest.raises(TypeError):
            Activation(spec)(1j)


@pytest.mark.parametrize("text", ["relu(", "tanhh(x)", "x +", "3 $ x", "", "inf*x", "0/0"])
def test_what_does_not_parse(text: str) -> None:
    with pytest.raises(ValueError, match=r"formula|no activation is called"):
        Activation(text)


def test_a_copy_is_its_own() -> None:
    one = Activation("gelu")
    _ = one.A, one.norm2
    other = Activation(one, name="other")
    assert (one.name, other.name) == ("gelu", "other")
    assert other.dual is one.dual
    other.name = "third"
    other.__dict__["norm2"] = 7.0
    assert (one.name, one.norm2) == ("gelu", pytest.approx(0.42522148257029871))
    assert Activation(one).name == "gelu"


def test_equality_is_identity() -> None:
    # Two functions cannot be compared; formulas can: as expressions.
    one, other = Activation("tanh"), Activation("tanh")
    assert one == one
    assert one != other
    assert len({one, other, one}) == 2
    assert one.expression == other.expression


@pytest.mark.parametrize(
    "activation",
    [
        Activation("gelu"),
        Activation("clip(x, -1, 2)"),
        Activation("relu").centered().scaled(-2.0),
        Activation("h2").residual(0.5),
        Activation("erf").biased(0.1),
        Activation.from_hermite([0, 0.6, -0.8]),
        Activation(cubed_tanh),
        Activation(cubed_tanh).stretched(2.0).centered(),
        Activation(math.tanh) + Activation("x"),
    ],
    ids=lambda a: a.name,
)
def test_pickle(activation: Activation) -> None:
    fresh = pickle.dumps(activation)
    gaps, errors = activation.dual.gap(S), activation.errors
    for again in (
        pickle.loads(fresh),
        pickle.loads(pickle.dumps(activation)),
        copy.deepcopy(activation),
    ):
        assert again.name == activation.name
        if activation.pointwise:
            np.testing.assert_array_equal(again(Z), activation(Z))
        np.testing.assert_array_equal(again.dual.gap(S), gaps)
        assert (again.A, again.errors) == (activation.A, errors)


def test_a_lambda_cannot_be_pickled() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(Activation(lambda z: np.tanh(z)))


@pytest.mark.parametrize(
    "name", ["relu", "tanh", "softplus", "elu", "hard_tanh", "h3", "exp", "cos"]
)
def test_hermite_coefficients_and_dual_agree(name: str) -> None:
    activation = Activation(name)
    c = activation.hermite(30)
    assert c.shape == (30,)
    np.testing.assert_allclose(c**2, activation.dual.coefficients(30), rtol=1e-13, atol=1e-28)
    assert c[0] == pytest.approx(activation.A, abs=1e-15)
    assert c[1] == pytest.approx(activation.A1, abs=1e-15)
    assert activation.hermite(0).shape == (0,)
    np.testing.assert_allclose(activation.hermite(4), c[:4], rtol=1e-12, atol=1e-15)


def test_signs() -> None:
    assert Activation("-relu(x)").A < 0.0 < Activation("relu").A
    assert Activation("-relu(x)").A1 < 0.0
    assert Activation("relu(-x)").A1 < 0.0 < Activation("relu(-x)").A
    np.testing.assert_allclose(Activation("sin").hermite(8)[5], math.sqrt(1 / math.sinh(1) / 120))
    assert Activation("sin").hermite(8)[3] < 0.0


@given(
    st.lists(st.floats(-2.0, 2.0).map(lambda c: round(c, 3)), min_size=2, max_size=8).filter(any)
)
def test_from_hermite(c: list[float]) -> None:
    activation = Activation.from_hermite(c)
    size = math.sqrt(sum(a * a for a in c))
    np.testing.assert_allclose(activation.hermite(len(c)) * size, c, rtol=1e-13, atol=1e-15)
    assert set(activation.errors.values()) == {0.0}
    k = np.arange(len(c))
    assert activation.B1 * size**2 == pytest.approx(float(k @ np.square(c)), rel=1e-13)
    again = Activation(activation.formula)
    np.testing.assert_allclose(
        again.dual.coefficients(9), activation.dual.coefficients(9), atol=1e-15
    )


@pytest.mark.parametrize("c", [[], [0.0, 0.0], [1.0, math.nan], [[1.0]], [math.inf]])
def test_from_hermite_of_nothing(c: list[float]) -> None:
    with pytest.raises(ValueError, match="finite, in one row, and not all zero"):
        Activation.from_hermite(c)


@pytest.mark.parametrize(
    ("spec", "parity"),
    [("tanh", "odd"), ("cos", "even"), ("relu", None), ("x*tanh(x)", "even"), (np.sin, "odd")],
)
def test_parity(spec: object, parity: str | None) -> None:
    activation = Activation(spec)
    assert activation.parity == parity
    assert (activation.is_odd, activation.is_even) == (parity == "odd", parity == "even")
    if parity == "odd":
        assert (activation.A, activation.errors["A"]) == (0.0, 0.0)
    if parity == "even":
        assert (activation.A1, activation.errors["A1"]) == (0.0, 0.0)


def test_errors_are_zero_by_structure_only() -> None:
    assert set(Activation("gelu").errors.values()) == {0.0}
    assert set(Activation("x^3 - x").errors.values()) == {0.0}
    errors = Activation("softplus").errors
    assert all(0.0 < error < 1e-13 for error in errors.values())
    # A mean of rounding size is not taken for zero: nothing in the formula says so.
    nearly = Activation("relu(x) - 0.3989422804014327")
    assert abs(nearly.A) <= nearly.errors["A"]
    assert 0.0 < nearly.errors["A"] < 1e-13
    assert Activation("hard_shrink").errors["B1"] == 0.0


def test_selu_has_no_mean_by_its_definition() -> None:
    activation = Activation("selu")
    assert (activation.A, activation.errors["A"]) == (0.0, 0.0)
    assert activation.norm2 == pytest.approx(1.0, rel=1e-15)
    formula = Activation(activation.formula)
    assert abs(formula.A) <= formula.errors["A"]
    assert formula.errors["A"] > 0.0


@pytest.mark.parametrize(
    "formula", ["1e-300*tanh(x)", "1e200*tanh(x)", "1e200*x", "-1e-200*relu(x)"]
)
def test_size_beyond_what_can_be_squared(formula: str) -> None:
    activation, plain = Activation(formula), Activation(formula.split("*")[1])
    for key in ("A", "A1", "B1"):
        sign = -1.0 if formula[0] == "-" and key != "B1" else 1.0
        assert getattr(activation, key) == pytest.approx(sign * getattr(plain, key), rel=1e-13)
    np.testing.assert_allclose(activation.dual.gap(S), plain.dual.gap(S), rtol=1e-13)
    with pytest.raises(ValueError, match=r"of the size 1e-?\d+, whose square is beyond the range"):
        _ = activation.norm2
    normal = activation.normalized()
    assert normal.norm2 == pytest.approx(1.0, rel=1e-13)
    np.testing.assert_allclose(normal.dual.gap(S), plain.dual.gap(S), rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "kind"), [("relu", ArcCosineDual), ("gelu", GeluDual), ("3d_opt", SeriesDual)]
)
def test_closed_forms_are_used(name: str, kind: type) -> None:
    assert isinstance(Activation(name).dual, kind)
    assert Activation(name).dual.error == 0.0


def test_torch() -> None:
    z = torch.linspace(-2.0, 2.0, 9, dtype=torch.float64, requires_grad=True)
    Activation("x*tanh(x)").torch()(z).sum().backward()
    x = z.detach().numpy()
    np.testing.assert_allclose(z.grad.numpy(), np.tanh(x) + x / np.cosh(x) ** 2, rtol=1e-12)
    module = torch.nn.PReLU()
    assert Activation(module).torch() is module
    with pytest.raises(ValueError, match="has no formula to translate"):
        Activation(np.tanh).torch()
    with pytest.raises(ValueError, match="is a layer, not one function"):
        Activation("tanh").biased(0.1).torch()


def test_code() -> None:
    code = Activation("relu").code()
    assert isinstance(code, Code)
    namespace: dict[str, object] = {}
    exec(code.python, namespace)  # a program this package wrote
    function = namespace["activation"]
    np.testing.assert_allclose(function(Z), math.sqrt(2.0) * np.maximum(Z, 0.0), rtol=1e-15)
    assert Activation("relu").code(normalized=False).text == "relu(x)"
    for activation in (Activation(np.tanh), Activation("tanh").biased(0.1)):
        with pytest.raises(ValueError, match="has no formula to write out"):
            activation.code()
