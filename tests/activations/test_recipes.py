"""How an activation was made, kept as plain data and made again."""

from __future__ import annotations

import json

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.activations import Activation
from deeplimit.activations.recipes import make, with_dual
from deeplimit.duals.closed import ArcCosineDual, HyperbolicDual, PowerLawDual
from deeplimit.duals.series import SeriesDual

Z = np.linspace(-3.0, 3.0, 25)
GAPS = np.concatenate([np.geomspace(1e-14, 1.0, 20), [1.5, 2.0]])

MADE = {
    "name": Activation("gelu"),
    "renamed": Activation("gelu", name="mine"),
    "pattern": Activation("sine_2.676"),
    "formula": Activation("x*sigmoid(1.702*x)"),
    "exact squares": Activation("9d_opt"),
    "coefficients": Activation.from_hermite([0.0, 0.1, -0.7], name="mixture"),
    "scaled": Activation("relu").scaled(-3.0),
    "centred": Activation("silu").centered(),
    "biased": Activation("erf").biased(0.25),
    "skipped": Activation("h2").residual(2.0),
    "changed twice": Activation("relu").centered().scaled(2.0).residual(0.5),
    "three terms": dl.design(dimension=5),
    "sine": dl.design(dimension=4, family="sine"),
}


def states(phi):
    return phi._to_state().meta


@pytest.mark.parametrize("phi", MADE.values(), ids=MADE.keys())
def test_is_plain_data_and_makes_the_same(phi):
    recipe = json.loads(json.dumps(states(phi)))
    again = make(recipe["recipe"], recipe["name"])
    assert again.name == phi.name and again.pointwise == phi.pointwise
    np.testing.assert_array_equal(again.dual.gap(GAPS), phi.dual.gap(GAPS))
    np.testing.assert_array_equal(again.dual.coefficients(30), phi.dual.coefficients(30))
    if phi.pointwise:
        np.testing.assert_array_equal(again(Z), phi(Z))
    else:
        with pytest.raises(ValueError, match="layer"):
            again(Z)
    for key in ("norm2", "A", "A1", "B1"):
        np.testing.assert_allclose(getattr(again, key), getattr(phi, key), rtol=1e-14, atol=0)
        assert again.errors[key] == phi.errors[key]


def test_zeros_that_decide_survive():
    for phi in (Activation("silu").centered(), Activation("9d_opt"), dl.design(dimension=6)):
        recipe = states(phi)["recipe"]
        assert make(recipe, "x").A == 0.0 and make(recipe, "x").errors["A"] == 0.0


@pytest.mark.parametrize(
    "phi",
    [Activation(np.tanh), Activation(np.tanh).scaled(2.0), Activation(np.tanh).biased(0.1)],
    ids=repr,
)
def test_functions_have_none(phi):
    with pytest.raises(TypeError, match="a Python callable, which a model file cannot hold"):
        states(phi)


@pytest.mark.parametrize(
    "dual",
    [PowerLawDual(0.3, 0.5), HyperbolicDual(2.0, odd=True), SeriesDual([0, 0.5, 0.5])],
    ids=lambda dual: type(dual).__name__,
)
def test_a_dual_beside_a_formula(dual):
    recipe = json.loads(json.dumps(with_dual("sin(x)", dual, [0.0, 1.0], 2.0)))
    phi = make(recipe, "designed")
    assert (phi.name, phi.formula, phi.norm2) == ("designed", "sin(x)", 2.0)
    np.testing.assert_array_equal(phi.dual.gap(GAPS), dual.gap(GAPS))


def test_duals_that_no_design_uses_have_no_description():
    assert with_dual("relu(x)", ArcCosineDual(1.0, 0.0), None, None) is None


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"kind": "code"},
        {"kind": "spec"},
        {"kind": "hermite"},
        {"kind": "change", "name": "__init__", "arguments": [], "base": {}},
        {"kind": "change", "name": "_to_state", "arguments": [], "base": {}},
        {"kind": "change", "name": "scaled", "arguments": [1, 2, 3],
         "base": {"kind": "spec", "spec": "relu"}},
    ],
    ids=str,
)  # fmt: skip
def test_refuses_what_describes_none(recipe):
    with pytest.raises(ValueError, match="does not describe an activation"):
        make(recipe, "x")
