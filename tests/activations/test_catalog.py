"""The named activations against PyTorch and against formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import special
from torch import nn

from deeplimit.activations import Activation, names, parse
from deeplimit.activations.catalog import ALIASES, CATALOG, find, suggestion

Z = np.concatenate([np.linspace(-8.0, 8.0, 801), np.linspace(-1.5, 1.5, 64)])

#: Name of every class of PyTorch's module of activations, ours for it.
PYTORCH = {
    "ReLU": "relu", "RReLU": "rrelu", "Hardtanh": "hard_tanh", "ReLU6": "relu6",
    "Sigmoid": "sigmoid", "Hardsigmoid": "hard_sigmoid", "Tanh": "tanh", "SiLU": "silu",
    "Mish": "mish", "Hardswish": "hard_swish", "ELU": "elu", "CELU": "celu", "SELU": "selu",
    "GELU": "gelu", "Hardshrink": "hard_shrink", "LeakyReLU": "leaky_relu",
    "LogSigmoid": "log_sigmoid", "Softplus": "softplus", "Softshrink": "soft_shrink",
    "PReLU": "prelu", "Softsign": "softsign", "Tanhshrink": "tanh_shrink",
}  # fmt: skip
EXCLUDED = {
    "Threshold": "has no default parameters",
    "GLU": "multiplies one half of its input with the other",
    "MultiheadAttention": "is a layer",
    "Softmin": "mixes entries",
    "Softmax": "mixes entries",
    "Softmax2d": "mixes entries",
    "LogSoftmax": "mixes entries",
}

#: The others, from the documentation of Keras or their definitions.
WRITTEN_OUT = {
    "identity": lambda z: z,
    "abs": np.abs,
    "gelu_tanh": lambda z: nn.GELU(approximate="tanh")(torch.from_numpy(z)).numpy(),
    "quick_gelu": lambda z: z / (1 + np.exp(-1.702 * z)),
    "sparse_plus": lambda z: np.where(z <= -1, 0, np.where(z < 1, (z + 1) ** 2 / 4, z)),
    "sparse_sigmoid": lambda z: np.where(z <= -1, 0, np.where(z < 1, (z + 1) / 2, 1)),
    "squareplus": lambda z: (z + np.sqrt(z**2 + 4)) / 2,
    "exponential": np.exp,
    "erf": special.erf,
    "ndtr": special.ndtr,
    "sin": np.sin,
    "cos": np.cos,
    "gaussian": lambda z: np.exp(-(z**2) / 2),
    "sign": np.sign,
    "step": lambda z: np.heaviside(z, STEP_AT_ZERO),
    "square": np.square,
    "cube": lambda z: z**3,
    "relu_squared": lambda z: nn.ReLU()(torch.from_numpy(z)).numpy() ** 2,
    "arctan": np.arctan,
    "asinh": np.arcsinh,
    "snake": lambda z: z + np.sin(z) ** 2,
    "2d_opt": lambda z: hermite_sum(z, {1: 0.5, 7: 0.5}),
    "3d_opt": lambda z: hermite_sum(z, {1: 0.5, 3: 0.5}),
    "5d_opt": lambda z: hermite_sum(z, {1: 0.25, 2: 0.5, 3: 0.25}),
    "9d_opt": lambda z: hermite_sum(z, {1: 1 / 16, 2: 7 / 8, 3: 1 / 16}),
}
STEP_AT_ZERO = float(Activation("step")(0.0))


def hermite_sum(z, squares):
    return sum(
        np.sqrt(a / special.factorial(k)) * special.eval_hermitenorm(k, z)
        for k, a in squares.items()
    )


def test_every_activation_of_pytorch_is_named_or_excluded():
    assert set(torch.nn.modules.activation.__all__) == PYTORCH.keys() | EXCLUDED.keys()


@pytest.mark.parametrize("torch_name", PYTORCH)
def test_values_of_pytorch(torch_name):
    module = getattr(nn, torch_name)().eval().double()
    with torch.no_grad():
        expected = module(torch.from_numpy(Z)).numpy()
    found = Activation(PYTORCH[torch_name])(Z)
    # PReLU's and RReLU's slopes are single-precision numbers in PyTorch.
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_values_of_definitions(name):
    np.testing.assert_allclose(Activation(name)(Z), WRITTEN_OUT[name](Z), rtol=1e-12, atol=1e-12)


def test_every_name_is_tested():
    assert set(names()) == set(PYTORCH.values()) | WRITTEN_OUT.keys()


@pytest.mark.parametrize("torch_name", [*PYTORCH, *EXCLUDED])
def test_names_of_pytorch_are_understood(torch_name):
    if torch_name in PYTORCH:
        assert find(torch_name)[0] == find(PYTORCH[torch_name])[0]
    else:
        with pytest.raises(ValueError, match="not one pointwise function"):
            find(torch_name)


@pytest.mark.parametrize("name", CATALOG)
def test_closed_form_belongs_to_the_formula(name):
    # The formula as such, not by its name: what quadrature makes of it, or recognition.
    entry = CATALOG[name]
    phi = Activation(name)
    assert phi.formula == parse(entry.formula).text() == Activation(entry.formula).formula
    if entry.dual is None:
        return
    assert phi.errors["A"] == phi.errors["A1"] == phi.errors["B1"] == 0.0
    q = Activation(lambda z: phi(z))
    np.testing.assert_allclose(phi.norm2, q.norm2, rtol=1e-12)
    np.testing.assert_allclose(phi.dual.coefficients(12), q.dual.coefficients(12), atol=1e-13)
    np.testing.assert_allclose(phi.hermite(12), q.hermite(12), atol=1e-13)


def test_selu_has_no_mean():
    phi = Activation("selu")
    assert phi.A == 0.0 and phi.errors["A"] == 0.0 and phi.dual.value(0.0) == 0.0
    np.testing.assert_allclose(phi.norm2, 1.0, rtol=1e-12)


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases(alias):
    assert ALIASES[alias] in CATALOG
    assert find(alias)[0] == ALIASES[alias]
    assert Activation(alias).name == ALIASES[alias]


def test_case_hyphens_and_spaces_do_not_matter():
    assert find("Leaky-ReLU")[0] == find(" leaky relu ")[0] == "leaky_relu"


@pytest.mark.parametrize(
    ("name", "formula"),
    [("h1", "h(1, x)"), ("h5", "h(5, x)"), ("leaky_relu_0.2", "max(x, 0) + 0.2*min(x, 0)")],
)
def test_patterns(name, formula):
    assert find(name)[0] == name
    np.testing.assert_allclose(Activation(name)(Z), parse(formula)(Z), rtol=1e-14)


def test_the_sine_family():
    np.testing.assert_allclose(
        Activation("sine_2.676")(Z), np.sin(np.sqrt(2.676) * Z), rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        Activation("sine_2.676").dual.value(0.5), np.sinh(1.338) / np.sinh(2.676), rtol=1e-13
    )
    assert find("sine_0") is None and find("sine_-1") is None


def test_suggestions():
    assert suggestion("geluu") == " Did you mean gelu or elu?"
    assert suggestion("hardsgimoid").startswith(" Did you mean hardsigmoid")
    assert suggestion("qqqqqq") == ""
    with pytest.raises(ValueError, match=r"no activation is called 'geluu'.*Did you mean gelu"):
        Activation("geluu")
