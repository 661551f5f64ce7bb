"""The catalog against PyTorch, against Keras's definitions, and by its own rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import erf, expit
from torch import nn
from torch.nn.modules import activation as torch_activations

from deeplimit.activations import Activation, names, parse
from deeplimit.activations.catalog import ALIASES, CATALOG, Entry, find, suggestion

Z = np.concatenate((np.linspace(-9.0, 9.0, 361) + 1e-3, [-0.5001, 0.4999, -2.9999, 5.9999, 6.0001]))

#: Class of PyTorch, with the arguments it cannot do without, and our name.
TORCH = {
    "ReLU": ((), "relu"),
    "RReLU": ((), "rrelu"),
    "Hardtanh": ((), "hard_tanh"),
    "ReLU6": ((), "relu6"),
    "Sigmoid": ((), "sigmoid"),
    "Hardsigmoid": ((), "hard_sigmoid"),
    "Tanh": ((), "tanh"),
    "SiLU": ((), "silu"),
    "Mish": ((), "mish"),
    "Hardswish": ((), "hard_swish"),
    "ELU": ((), "elu"),
    "CELU": ((), "celu"),
    "SELU": ((), "selu"),
    "GELU": ((), "gelu"),
    "Hardshrink": ((), "hard_shrink"),
    "LeakyReLU": ((), "leaky_relu"),
    "LogSigmoid": ((), "log_sigmoid"),
    "Softplus": ((), "softplus"),
    "Softshrink": ((), "soft_shrink"),
    "PReLU": ((), "prelu"),
    "Softsign": ((), "softsign"),
    "Tanhshrink": ((), "tanh_shrink"),
}
#: Those that are no one function of one number.
EXCLUDED = {
    "GLU": "a product of two halves of the units",
    "MultiheadAttention": "a layer with weights",
    "Softmin": "mixes the units",
    "Softmax": "mixes the units",
    "Softmax2d": "mixes the units",
    "LogSoftmax": "mixes the units",
    "Threshold": "has no default threshold and value",
}
#: What Keras documents, as far as its default parameters give a pointwise function.
KERAS = {
    "celu": lambda z: np.maximum(z, 0) + np.minimum(np.expm1(z), 0),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "exponential": np.exp,
    "gelu": lambda z: 0.5 * z * (1 + erf(z / math.sqrt(2))),
    "hard_shrink": lambda z: np.where(np.abs(z) > 0.5, z, 0),
    "hard_sigmoid": lambda z: np.clip(z / 6 + 0.5, 0, 1),
    "hard_silu": lambda z: z * np.clip(z + 3, 0, 6) / 6,
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "leaky_relu_0.2": lambda z: np.where(z > 0, z, 0.2 * z),
    "linear": lambda z: z,
    "log_sigmoid": lambda z: -np.logaddexp(0, -z),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
    "relu": lambda z: np.maximum(z, 0),
    "relu6": lambda z: np.clip(z, 0, 6),
    "selu": lambda z: 1.05070098 * np.where(z > 0, z, 1.67326324 * np.expm1(np.minimum(z, 0))),
    "sigmoid": expit,
    "silu": lambda z: z * expit(z),
    "soft_shrink": lambda z: np.where(z > 0.5, z - 0.5, np.where(z < -0.5, z + 0.5, 0)),
    "softplus": lambda z: np.logaddexp(0, z),
    "softsign": lambda z: z / (np.abs(z) + 1),
    "sparse_plus": lambda z: np.where(z <= -1, 0, np.where(z >= 1, z, (z + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda z: np.where(z <= -1, 0, np.where(z >= 1, 1, (z + 1) / 2)),
    "squareplus": lambda z: (z + np.sqrt(z**2 + 4)) / 2,
    "tanh": np.tanh,
    "tanh_shrink": lambda z: z - np.tanh(z),
}


def test_every_activation_of_pytorch_is_listed_or_excluded() -> None:
    known = set(torch_activations.__all__)
    assert TORCH.keys() | EXCLUDED.keys() == known
    assert not TORCH.keys() & EXCLUDED.keys()


@pytest.mark.parametrize("name", TORCH)
def test_pytorch(name: str) -> None:
    arguments, ours = TORCH[name]
    module = getattr(nn, name)(*arguments).double().eval()
    with torch.no_grad():
        theirs = module(torch.from_numpy(Z)).numpy()
    # PyTorch's softplus is linear beyond 20, its PReLU's slope a float32.
    np.testing.assert_allclose(Activation(ours)(Z), theirs, rtol=1e-7, atol=1e-7)


def test_pytorch_gelu_with_tanh() -> None:
    theirs = nn.GELU(approximate="tanh")(torch.from_numpy(Z)).numpy()
    np.testing.assert_allclose(Activation("gelu_tanh")(Z), theirs, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("name", KERAS)
def test_keras(name: str) -> None:
    np.testing.assert_allclose(Activation(name)(Z), KERAS[name](Z), rtol=2e-8, atol=1e-12)


@pytest.mark.parametrize("name", EXCLUDED)
def test_layers_are_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match="not one pointwise function"):
        Activation(name)


@pytest.mark.parametrize("name", CATALOG)
def test_every_entry_is_whole(name: str) -> None:
    entry = CATALOG[name]
    assert isinstance(entry, Entry)
    assert parse(entry.formula).text() == parse(parse(entry.formula).text()).text()
    assert entry.origin
    assert np.all(np.isfinite(Activation(name)(Z)))


@pytest.mark.parametrize("name", [n for n, e in CATALOG.items() if e.dual])
def test_closed_forms_are_those_of_the_formula(name: str) -> None:
    # The constants of the closed form against quadrature of the formula alone.
    activation = Activation(name)
    moments, norm2 = activation._quadrature.moments, activation.norm2
    assert pytest.approx(moments.mean / math.sqrt(norm2), rel=1e-12, abs=1e-14) == activation.A
    assert pytest.approx(moments.slope / math.sqrt(norm2), rel=1e-12, abs=1e-14) == activation.A1
    assert pytest.approx(moments.energy / norm2, rel=1e-11) == activation.B1


@pytest.mark.parametrize("name", [n for n, e in CATALOG.items() if e.squares])
def test_squares_are_those_of_the_formula(name: str) -> None:
    activation, squares = Activation(name), CATALOG[name].squares
    found = activation._quadrature.hermite(len(squares))[0] ** 2
    np.testing.assert_allclose(found, squares, rtol=0.0, atol=1e-14)
    np.testing.assert_array_equal(activation.dual.coefficients(len(squares)), squares)


def test_names_and_aliases() -> None:
    assert names() == list(CATALOG)
    assert len(names()) >= 30
    assert set(ALIASES.values()) <= CATALOG.keys()
    assert not ALIASES.keys() & CATALOG.keys()
    for alias, name in ALIASES.items():
        assert find(alias) == (name, CATALOG[name])


@pytest.mark.parametrize("spelling", ["Leaky ReLU", "leaky-relu", " LEAKY_RELU ", "LeakyReLU"])
def test_spellings(spelling: str) -> None:
    found = find(spelling)
    assert found is not None
    assert found[0] == "leaky_relu"


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("h3", "h(3, x)"),
        ("sine_2.676", "sin(sqrt(2.676)*x)"),
        ("sine_1e-3", "sin(sqrt(1e-3)*x)"),
        ("leaky_relu_0.3", "max(x, 0) + 0.3*min(x, 0)"),
    ],
)
def test_families(name: str, formula: str) -> None:
    found = find(name)
    assert found is not None
    assert (found[0], found[1].formula) == (name, formula)
    np.testing.assert_array_equal(Activation(name)(Z), parse(formula)(Z))


@pytest.mark.parametrize("name", ["h0", "h", "sine_0", "sine_-1", "leaky_relu_", "h1000x"])
def test_what_is_no_member_of_a_family(name: str) -> None:
    assert find(name) is None


def test_hermite_polynomials_are_exact() -> None:
    for k in (1, 2, 7, 120):
        dual = Activation(f"h{k}").dual
        np.testing.assert_array_equal(dual.coefficients(k + 1), np.eye(k + 1)[-1])
        assert dual.error == 0.0


def test_sine_family() -> None:
    a = 2.676
    activation = Activation(f"sine_{a}")
    assert pytest.approx(a / math.tanh(a), rel=1e-15) == activation.B1
    assert pytest.approx(a / math.sinh(a), rel=1e-14) == activation.A1**2


@pytest.mark.parametrize(
    ("typed", "meant"), [("gelo", "gelu"), ("Swich", "swish"), ("soft_plus", "softplus")]
)
def test_suggestions(typed: str, meant: str) -> None:
    assert meant in suggestion(typed)
    with pytest.raises(ValueError, match=f"no activation is called '{typed}'.*mean.*{meant}"):
        Activation(typed)


def test_no_suggestion_for_what_is_far_from_all() -> None:
    assert suggestion("qqqqqqqq") == ""
