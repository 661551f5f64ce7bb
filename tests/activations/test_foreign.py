"""Activations written in other libraries."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest
import torch
from scipy import special
from torch import nn

from deeplimit.activations import Activation
from deeplimit.activations.foreign import DOUBLE, adapt

Z = np.linspace(-3.0, 3.0, 24).reshape(2, 12)

SOURCES = {
    "numpy function": (np.tanh, np.tanh),
    "numpy ufunc of scipy": (special.erf, special.erf),
    "lambda": (lambda z: np.where(z > 0, z, 0.1 * z), lambda z: np.where(z > 0, z, 0.1 * z)),
    "math": (math.tanh, np.tanh),
    "branching": (lambda z: z if z > 0 else 0.0, lambda z: np.maximum(z, 0)),
    "torch module": (nn.Softplus(), lambda z: np.logaddexp(0, z)),
    "torch sequence": (nn.Sequential(nn.Tanh(), nn.Tanh()), lambda z: np.tanh(np.tanh(z))),
    "torch functional": (nn.functional.silu, lambda z: z * special.expit(z)),
    "torch function": (torch.sin, np.sin),
    "torch lambda": (lambda z: torch.clamp(z, -1, 1), lambda z: np.clip(z, -1, 1)),
    "jax": (jax.nn.softplus, lambda z: np.logaddexp(0, z)),
    "jax numpy": (jax.numpy.tanh, np.tanh),
    "jax lambda": (lambda z: jax.numpy.sin(z), np.sin),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_values_in_double_precision(source):
    function, expected = source
    phi = adapt(function)
    found = phi(Z)
    assert phi.precision == DOUBLE
    assert found.dtype == np.float64 and found.shape == Z.shape
    np.testing.assert_allclose(found, expected(Z), rtol=1e-14, atol=1e-15)


def test_precision_of_jax_is_left_as_it_was():
    before = jax.numpy.ones(1).dtype
    adapt(jax.nn.relu)
    assert jax.numpy.ones(1).dtype == before


def test_own_parameters_are_not_changed():
    module = nn.PReLU().double()
    phi = adapt(module)
    phi(Z)
    assert module.weight.grad is None and module.weight.requires_grad


def test_single_precision_is_told():
    phi = adapt(lambda z: np.tanh(z.astype(np.float32)))
    assert 5e-8 < phi.precision < 1e-6 and phi(Z).dtype == np.float64
    rough, exact = Activation(lambda z: np.tanh(z.astype(np.float32))), Activation("tanh")
    assert rough.errors["norm2"] > 1e-9
    for key in ("norm2", "A1", "B1"):
        assert abs(getattr(rough, key) - getattr(exact, key)) <= rough.errors[key] + 1e-15


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda z: np.random.default_rng().normal(size=np.shape(z)), ValueError, "random"),
        (nn.Dropout(0.5), ValueError, "random"),
        (nn.Softmax(dim=-1), ValueError, "not pointwise"),
        (lambda z: z - z.mean(), ValueError, "not pointwise"),
        (lambda z: np.sort(z)[::-1], ValueError, "not pointwise"),
        (lambda z: z[:-1], ValueError, "acts on each entry"),
        (lambda z: z[:, None] * z, ValueError, "acts on each entry"),
        (lambda z: z + 1j, ValueError, "must be real"),
        (lambda z, w: z + w, TypeError, "cannot be called with an array of numbers"),
        (lambda z: "text", TypeError, "cannot be called|must be real|acts on each entry"),
    ],
    ids=[
        "random", "dropout", "softmax", "centring", "sorting", "shortening", "outer", "complex",
        "two arguments", "text",
    ],
)  # fmt: skip
def test_refusals(function, error, message):
    with pytest.raises((error, ValueError), match=message):
        Activation(function)


def test_dropout_at_rest_is_the_identity():
    phi = adapt(nn.Dropout(0.5).eval())
    np.testing.assert_array_equal(phi(Z), Z)


def test_an_error_of_the_function_is_passed_on():
    def broken(z):
        raise RuntimeError("out of order")

    with pytest.raises(TypeError, match="RuntimeError: out of order"):
        adapt(broken)
