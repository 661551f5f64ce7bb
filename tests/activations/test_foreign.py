"""Functions of other libraries as activations."""

from __future__ import annotations

import cmath
import functools
import math
import pickle

import jax
import numpy as np
import pytest
import torch
from torch import nn

from deeplimit.activations import Activation
from deeplimit.activations.foreign import DOUBLE, ForeignFunction, adapt

Z = np.linspace(-4.0, 4.0, 33).reshape(3, 11)


def scalar_relu(x: float) -> float:
    return x if x > 0 else 0.0


GOOD = {
    "NumPy": (np.tanh, np.tanh, "numpy"),
    "NumPy lambda": (lambda z: np.maximum(z, 0), lambda z: np.maximum(z, 0), "numpy"),
    "booleans": (lambda z: z > 0, lambda z: (z > 0).astype(float), "numpy"),
    "integers": (lambda z: np.sign(z).astype(int), np.sign, "numpy"),
    "a list": (lambda z: [math.tanh(x) for x in z], np.tanh, "numpy"),
    "in place": (lambda z: np.multiply(z, 2.0, out=z), lambda z: 2.0 * z, "numpy"),
    "math": (math.tanh, np.tanh, "scalar"),
    "a branch": (scalar_relu, lambda z: np.maximum(z, 0), "scalar"),
    "torch": (torch.tanh, np.tanh, "torch"),
    "torch functional": (nn.functional.relu, lambda z: np.maximum(z, 0), "torch"),
    "torch module": (nn.Softsign(), lambda z: z / (1 + np.abs(z)), "torch"),
    "torch sequence": (
        nn.Sequential(nn.Tanh(), nn.ReLU()),
        lambda z: np.maximum(np.tanh(z), 0),
        "torch",
    ),
    "torch lambda": (lambda t: torch.sin(t) * 2, lambda z: 2 * np.sin(z), "torch"),
    "torch partial": (
        functools.partial(nn.functional.leaky_relu, negative_slope=0.2),
        lambda z: np.where(z > 0, z, 0.2 * z),
        "torch",
    ),
    "jax": (jax.nn.silu, lambda z: z / (1 + np.exp(-z)), "jax"),
    "jax compiled": (jax.jit(jax.numpy.tanh), np.tanh, "jax"),
    "jax lambda": (lambda z: jax.numpy.tanh(z), np.tanh, "jax"),
}


@pytest.mark.parametrize("name", GOOD)
def test_values(name: str) -> None:
    function, true, way = GOOD[name]
    phi = adapt(function)
    np.testing.assert_allclose(phi(Z), true(Z), rtol=1e-14, atol=1e-15)
    assert (phi.way, phi.precision) == (way, DOUBLE)
    assert phi(Z).dtype == np.float64
    assert phi(np.array(0.5)).shape == ()


@pytest.mark.parametrize("name", ["NumPy", "math", "torch", "jax"])
def test_constants_are_those_of_the_formula(name: str) -> None:
    function = GOOD[name][0]
    formula = "silu" if name == "jax" else "tanh"
    found, true = Activation(function), Activation(formula)
    assert found.expression is None
    for key in ("norm2", "A", "A1", "B1"):
        assert getattr(found, key) == pytest.approx(getattr(true, key), rel=1e-12, abs=1e-15)
    s = np.array([1e-12, 1e-3, 0.5, 1.5])
    np.testing.assert_allclose(found.dual.gap(s), true.dual.gap(s), rtol=1e-12)


@pytest.mark.parametrize("name", ["ReLU", "Hardtanh", "ELU", "GELU", "Hardswish", "Softshrink"])
def test_pytorch_modules_have_the_constants_of_the_catalog(name: str) -> None:
    module, ours = Activation(getattr(nn, name)()), Activation(name)
    for key in ("norm2", "A", "A1", "B1"):
        assert getattr(module, key) == pytest.approx(getattr(ours, key), rel=1e-11, abs=1e-14)


def test_parameters_of_a_module_are_taken_in_double_precision_and_kept() -> None:
    module = nn.PReLU(init=0.3)
    activation = Activation(module)
    with torch.no_grad():
        module.weight.fill_(5.0)
    np.testing.assert_allclose(activation([-1.0, 1.0]), [-0.3, 1.0], rtol=1e-7)
    assert module.weight.dtype == torch.float32


@pytest.mark.parametrize(
    "function",
    [
        lambda z: np.tanh(z.astype(np.float32)),
        lambda t: torch.tanh(t.float()),
        lambda z: jax.numpy.tanh(z.astype(jax.numpy.float32)),
    ],
    ids=["numpy", "torch", "jax"],
)
def test_single_precision_is_reported(function: object) -> None:
    activation = Activation(function)
    true = Activation("tanh")
    assert 1e-9 < activation.errors["B1"] < 1e-3
    for key in ("norm2", "A1", "B1"):
        apart = abs(getattr(activation, key) - getattr(true, key))
        assert apart <= activation.errors[key] + 1e-15
    s = np.array([1e-6, 0.01, 0.5])
    gaps = activation.dual.gap(s) / true.dual.gap(s)
    assert np.all(np.abs(gaps - 1.0) <= 10.0 * activation.dual.error)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_reported(kind: torch.dtype) -> None:
    phi = adapt(lambda t: torch.relu(t.to(kind)))
    assert phi.precision >= 5e-4
    np.testing.assert_allclose(phi(Z), np.maximum(Z, 0), rtol=phi.precision)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda z: z + np.random.default_rng().normal(size=z.shape), ValueError, "is random"),
        (nn.Dropout(), ValueError, "is random"),
        (nn.RReLU(), ValueError, "is random"),
        (nn.Softmax(dim=-1), ValueError, "not pointwise"),
        (lambda z: z - z.mean(), ValueError, "not pointwise"),
        (lambda z: z / np.linalg.norm(z), ValueError, "not pointwise"),
        (jax.nn.softmax, ValueError, "not pointwise"),
        (np.sum, ValueError, r"given shape \(12,\) it returned \(\)"),
        (lambda z: z[:3], ValueError, r"given shape \(12,\) it returned \(3,\)"),
        (lambda z: np.outer(z, z), ValueError, r"given shape \(12,\) it returned \(12, 12\)"),
        (lambda z: np.sqrt(z + 0j), ValueError, "must be real"),
        (cmath.sqrt, ValueError, "must be real"),
        (lambda t: torch.sqrt(t.to(torch.complex128)), ValueError, "must be real"),
        (lambda: 1.0, TypeError, "cannot be called with an array of numbers"),
        (lambda z: None, TypeError, "cannot be called with an array of numbers"),
        (lambda z: "text", TypeError, "cannot be called with an array of numbers"),
        (nn.Linear(3, 3), TypeError, "cannot be called with an array of numbers"),
    ],
)
def test_what_is_refused(function: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Activation(function)


@pytest.mark.parametrize("spec", [3, None, [1.0], 2.5, b"relu"])
def test_what_is_no_function(spec: object) -> None:
    with pytest.raises(TypeError, match="a name, a formula or a pointwise function, got"):
        Activation(spec)


def test_names() -> None:
    assert Activation(np.tanh).name == "tanh"
    assert Activation(nn.ReLU()).name == "ReLU"
    assert Activation(lambda z: np.tanh(z)).name == "function"
    assert Activation(functools.partial(nn.functional.elu, alpha=2.0)).name == "elu"
    assert Activation(np.tanh, name="mine").name == "mine"


def test_adapted_functions_are_pickled_with_the_function() -> None:
    for function in (np.tanh, math.tanh, scalar_relu, nn.Tanh()):
        phi = adapt(function)
        again = pickle.loads(pickle.dumps(phi))
        assert isinstance(again, ForeignFunction)
        np.testing.assert_array_equal(again(Z), phi(Z))


def test_arguments_are_not_touched() -> None:
    z = Z.copy()
    adapt(GOOD["in place"][0])(z)
    np.testing.assert_array_equal(z, Z)
