"""Activations made of activations, and the laws that hold between their duals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimit.activations import Activation
from deeplimit.duals.algebra import CenteredDual

Z = np.linspace(-4.0, 4.0, 31)
S = np.array([1e-13, 1e-6, 1e-2, 0.4, 0.74, 0.8, 1.1, 1.3, 1.9])
SAMPLE = ["relu", "gelu", "tanh", "softplus", "hard_tanh", "elu", "cos", "x^3 - x", "sign"]


def plain(activation: Activation) -> Activation:
    """Give the activation anew, from its values alone: nothing of how it was made is known."""
    return Activation(lambda z: activation(z))


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.parametrize("factor", [-3.0, 1e-8, 7.5])
def test_scaling_leaves_the_dual(name: str, factor: float) -> None:
    one, other = Activation(name), Activation(name).scaled(factor)
    np.testing.assert_array_equal(other.dual.gap(S), one.dual.gap(S))
    np.testing.assert_allclose(other(Z), factor * one(Z), rtol=1e-15)
    assert other.norm2 == pytest.approx(factor**2 * one.norm2, rel=1e-14)
    sign = math.copysign(1.0, factor)
    assert pytest.approx(sign * one.A, rel=1e-15) == other.A
    np.testing.assert_allclose(other.hermite(9), sign * one.hermite(9), rtol=1e-14, atol=1e-16)
    assert other.errors["A1"] == one.errors["A1"]


@pytest.mark.parametrize("name", SAMPLE)
def test_normalised(name: str) -> None:
    activation = Activation(name).normalized()
    assert activation.norm2 == pytest.approx(1.0, rel=1e-14)
    assert plain(activation).norm2 == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("factor", [0.0, math.nan, math.inf, -math.inf])
def test_factors(factor: float) -> None:
    for change in (Activation("relu").scaled, Activation("relu").stretched):
        with pytest.raises(ValueError, match="finite and not zero"):
            change(factor)


@pytest.mark.parametrize("c", [0.3, 1.7, -2.0])
def test_stretched_sine(c: float) -> None:
    stretched, direct = Activation("sin").stretched(c), Activation(f"sin({c}*x)")
    np.testing.assert_allclose(stretched.dual.gap(S), direct.dual.gap(S), rtol=1e-14)
    np.testing.assert_allclose(stretched(Z), np.sin(c * Z), rtol=1e-15)
    assert pytest.approx(c * c / math.tanh(c * c), rel=1e-14) == stretched.B1
    assert math.copysign(1.0, stretched.A1) == math.copysign(1.0, c)


def test_stretching_a_homogeneous_function_changes_nothing() -> None:
    np.testing.assert_allclose(
        Activation("relu").stretched(5.0).dual.gap(S), Activation("relu").dual.gap(S), rtol=1e-15
    )


def test_stretching_a_callable() -> None:
    stretched = Activation(np.tanh).stretched(2.0)
    assert stretched.expression is None
    true = Activation("tanh(2*x)")
    assert pytest.approx(true.B1, rel=1e-12) == stretched.B1


@pytest.mark.parametrize("name", [n for n in SAMPLE if n not in ("tanh", "hard_tanh", "sign")])
def test_centred(name: str) -> None:
    one = Activation(name)
    other = one.centered()
    assert (other.A, other.errors["A"], other.dual.a0) == (0.0, 0.0, 0.0)
    if one.A == 0.0:
        return
    rest = 1.0 - one.dual.a0
    assert isinstance(other.dual, CenteredDual)
    assert other.norm2 == pytest.approx(one.norm2 * rest, rel=1e-14)
    assert pytest.approx(one.B1 / rest, rel=1e-14) == other.B1
    assert pytest.approx(one.A1 / math.sqrt(rest), rel=1e-13, abs=1e-16) == other.A1
    np.testing.assert_allclose(other(Z), one(Z) - one.A * math.sqrt(one.norm2), atol=1e-14)
    np.testing.assert_allclose(
        other.hermite(9)[1:] ** 2, other.dual.coefficients(9)[1:], atol=1e-15
    )
    # The same from the values of the difference.
    alone = plain(other)
    np.testing.assert_allclose(alone.dual.gap(S), other.dual.gap(S), rtol=1e-11)
    assert abs(alone.A) <= alone.errors["A"] + 1e-15


def test_centring_what_has_no_mean_changes_nothing() -> None:
    one = Activation("tanh")
    other = one.centered()
    assert other is not one
    assert (other.name, other.dual) == ("tanh", one.dual)


def test_a_constant_cannot_be_centred() -> None:
    with pytest.raises(ValueError, match="constant activation cannot be centred"):
        Activation("2").centered()


@pytest.mark.parametrize(
    ("one", "other"), [("relu", "tanh"), ("sin", "cos"), ("hard_tanh", "x^2"), ("sign", "x")]
)
def test_sums(one: str, other: str) -> None:
    total = Activation(one) + Activation(other)
    np.testing.assert_allclose(total(Z), Activation(one)(Z) + Activation(other)(Z), rtol=1e-15)
    assert total.expression is not None
    # E (φ + ψ)(u) (φ + ψ)(v) from the Hermite coefficients of both.
    a, b = (Activation(n).hermite(300) * math.sqrt(Activation(n).norm2) for n in (one, other))
    true = (a + b) ** 2 / total.norm2
    np.testing.assert_allclose(total.dual.coefficients(300), true, rtol=0.0, atol=1e-13)
    np.testing.assert_allclose(plain(total).dual.gap(S), total.dual.gap(S), rtol=1e-11)


def test_sums_with_numbers() -> None:
    one = Activation("tanh")
    for total in (one + 2, 2 + one, one + 2.0):
        np.testing.assert_allclose(total(Z), np.tanh(Z) + 2.0)
        assert pytest.approx(2.0 / math.sqrt(4.0 + one.norm2), rel=1e-13) == total.A
    with pytest.raises(TypeError):
        one + "tanh"


def test_sums_with_a_callable_have_no_formula() -> None:
    total = Activation(np.tanh) + Activation("x")
    assert total.expression is None
    assert total.name == "tanh + x"
    assert pytest.approx(Activation("x + tanh(x)").B1, rel=1e-12) == total.B1


def test_precision_is_the_worst_of_both() -> None:
    single = Activation(lambda z: np.tanh(z.astype(np.float32)))
    for made in (
        single + Activation("x"),
        Activation("x") + single,
        single.compose(Activation("x")),
    ):
        assert made.errors["B1"] > 1e-9
    assert single.stretched(2.0).errors["B1"] > 1e-9


def test_composition() -> None:
    made = Activation("square").compose(Activation("sin"))
    assert made.formula == "sin(x)^2"
    np.testing.assert_allclose(made(Z), np.sin(Z) ** 2, rtol=1e-15)
    true = Activation("0.5 - 0.5*cos(2x)")
    np.testing.assert_allclose(made.dual.gap(S), true.dual.gap(S), rtol=1e-12)
    mixed = Activation(np.square).compose(Activation("sin"))
    assert (mixed.expression, mixed.name) == (None, "square(sin)")
    assert pytest.approx(made.A, rel=1e-12) == mixed.A


@settings(max_examples=15)
@given(st.floats(0.0, 10.0), st.sampled_from(["erf", "relu", "hard_tanh", "h2"]))
def test_biased(variance: float, name: str) -> None:
    one = Activation(name)
    other = one.biased(variance)
    weight = 1.0 / (1.0 + variance)
    np.testing.assert_allclose(other.dual.gap(S), weight * one.dual.gap(S), rtol=1e-14)
    true = weight * one.dual.a0 + variance * weight
    assert other.dual.a0 == pytest.approx(true, rel=1e-14, abs=1e-300)
    assert (other.A > 0.0) == (true > 0.0)
    assert pytest.approx(weight * one.B1, rel=1e-14) == other.B1
    assert other.pointwise is False


@settings(max_examples=15)
@given(st.floats(1e-6, 1e3), st.sampled_from(["erf", "relu", "hard_tanh", "h2"]))
def test_residual(tau: float, name: str) -> None:
    one = Activation(name)
    other = one.residual(tau)
    mixed = (S + tau * one.dual.gap(S)) / (1.0 + tau)
    np.testing.assert_allclose(other.dual.gap(S), mixed, rtol=1e-14)
    assert pytest.approx((1.0 + tau * one.B1) / (1.0 + tau), rel=1e-14) == other.B1
    assert pytest.approx((1.0 + tau * one.dual.a1) / (1.0 + tau), rel=1e-14) == other.dual.a1
    assert other.A1 > 0.0


def test_biased_in_weight_space() -> None:
    # Gaussian weights and biases: the pre-activation's variance is shared between them.
    erf, variance = Activation("erf"), 0.25
    total = 1.0 + variance
    np.testing.assert_allclose(
        erf.biased(variance).dual.value(1.0 - S),
        (erf.dual.value(1.0 - S) + variance) / total,
        atol=1e-15,
    )


@pytest.mark.parametrize("variance", [-1e-9, math.nan, math.inf])
def test_variances(variance: float) -> None:
    with pytest.raises(ValueError, match="variance of a bias is at least 0"):
        Activation("erf").biased(variance)


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_branch_weights(weight: float) -> None:
    with pytest.raises(ValueError, match="weight of the branch is above 0"):
        Activation("erf").residual(weight)


def test_a_layer_is_no_function() -> None:
    for layer in (Activation("erf").biased(0.1), Activation("erf").residual()):
        calls = [
            lambda layer=layer: layer(Z),
            lambda layer=layer: layer.scaled(2.0),
            lambda layer=layer: layer.stretched(2.0),
            lambda layer=layer: layer.compose(Activation("x")),
            lambda layer=layer: Activation("x").compose(layer),
            lambda layer=layer: layer + Activation("x"),
            lambda layer=layer: Activation("x") + layer,
        ]
        for call in calls:
            with pytest.raises(ValueError, match="is a layer, not one function of its input"):
                call()


def test_layers_upon_layers() -> None:
    one = Activation("h2")
    twice = one.residual(1.0).biased(0.5)
    np.testing.assert_allclose(twice.dual.gap(S), (S + one.dual.gap(S)) / 3.0, rtol=1e-14)


def test_changes_leave_the_original() -> None:
    one = Activation("gelu")
    before = (one.name, one.formula, one.A, one.norm2, dict(one.errors), one.pointwise)
    for _ in (
        one.centered(), one.scaled(2.0), one.stretched(2.0), one.biased(0.1), one.residual(),
        one.normalized(), one + 1.0, one.compose(one),
    ):  # fmt: skip
        pass
    assert (one.name, one.formula, one.A, one.norm2, dict(one.errors), one.pointwise) == before
