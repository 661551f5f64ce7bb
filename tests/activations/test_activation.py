"""Activations: how they are given, their constants, and what can be made of them."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import deeplimit as dl
from deeplimit.activations import Activation, parse

Z = np.linspace(-4.0, 4.0, 33)
XI = np.linspace(-1.0, 1.0, 21)
KEYS = ("norm2", "A", "A1", "B1")


def constants(phi):
    return [getattr(phi, key) for key in KEYS]


class TestGiven:
    def test_by_name(self):
        phi = Activation("relu")
        assert (phi.name, phi.formula, repr(phi)) == ("relu", "relu(x)", "Activation('relu')")
        assert phi.pointwise and not phi.is_odd and not phi.is_even

    def test_by_formula(self):
        phi = Activation(" x*sigmoid(1.702x) ")
        assert phi.name == "x*sigmoid(1.702x)" and phi.formula == "x*sigmoid(1.702*x)"
        np.testing.assert_allclose(phi(Z), Z / (1 + np.exp(-1.702 * Z)), rtol=1e-14)
        assert Activation(phi.expression).formula == phi.formula

    def test_by_function(self):
        phi = Activation(np.tanh)
        assert phi.name == phi.formula == "tanh" and phi.expression is None
        np.testing.assert_allclose(constants(phi), constants(Activation("tanh")), rtol=1e-13)
        assert Activation(lambda z: z).name == "function"
        assert Activation(lambda z: z, name="mine").name == "mine"

    def test_by_activation(self):
        first = Activation("erf")
        second = Activation(first, name="other")
        assert (first.name, second.name) == ("erf", "other")
        assert constants(second) == constants(first)
        assert second.formula == first.formula

    @pytest.mark.parametrize("spec", [3, None, 1.5, ["relu"], np.zeros(3)], ids=str)
    def test_refuses_the_rest(self, spec):
        with pytest.raises(TypeError, match="a name, a formula or a pointwise function, got"):
            Activation(spec)

    @pytest.mark.parametrize("text", ["", "reluu", "sin(", "x +", "__import__('os')", "x.y"])
    def test_refuses_what_does_not_parse(self, text):
        with pytest.raises(ValueError):  # each message is tested with the formula language
            Activation(text)

    @pytest.mark.parametrize("text", ["0", "x - x", "0*sin(x)"])
    def test_refuses_zero(self, text):
        with pytest.raises(ValueError, match="zero everywhere"):
            _ = Activation(text).dual

    def test_refuses_what_has_no_second_moment(self):
        with pytest.raises(ValueError, match="square-integrable"):
            _ = Activation("exp(x^2/3)").dual
        with pytest.raises(ValueError, match="not finite"):
            _ = Activation("log(x)").dual


class TestCalled:
    def test_takes_any_shape(self):
        phi = Activation("tanh")
        assert phi(0.5) == np.tanh(0.5) and np.shape(phi(0.5)) == ()
        assert phi(np.zeros((2, 0))).shape == (2, 0)
        assert phi([1, 2]).dtype == np.float64
        np.testing.assert_array_equal(phi(Z.reshape(3, 11)), np.tanh(Z).reshape(3, 11))

    def test_is_not_normalised(self):
        assert Activation("3*x")(2.0) == 6.0

    def test_on_torch(self):
        z = torch.linspace(-2, 2, 9, dtype=torch.float64, requires_grad=True)
        value = Activation("gelu").torch()(z)
        torch.testing.assert_close(value, torch.nn.functional.gelu(z))
        value.sum().backward()
        assert z.grad is not None and torch.isfinite(z.grad).all()

    def test_torch_and_code_need_a_formula(self):
        with pytest.raises(ValueError, match="no formula"):
            Activation(np.tanh).torch()
        with pytest.raises(ValueError, match="no formula"):
            Activation(np.tanh).code()
        with pytest.raises(ValueError, match="a layer, not one function"):
            Activation("tanh").residual().torch()
        with pytest.raises(ValueError, match="no formula"):
            Activation("tanh").residual().code()

    def test_code(self):
        phi = Activation("relu")
        assert phi.code(normalized=False).text == "relu(x)"
        code = phi.code()
        np.testing.assert_allclose(parse(code.text)(Z), phi(Z) * np.sqrt(2.0), rtol=1e-14)


class TestConstants:
    @pytest.mark.parametrize("name", ["relu", "erf", "tanh", "elu", "hard_tanh", "5d_opt", "step"])
    def test_belong_to_the_dual(self, name):
        phi = Activation(name)
        np.testing.assert_allclose(phi.A**2, phi.dual.value(0.0), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(phi.A1**2, phi.dual.derivative(0.0), rtol=1e-12)
        assert phi.dual.slope_at_one == phi.B1
        assert phi.errors.keys() == set(KEYS)
        assert all(0.0 <= error < 1e-11 for error in phi.errors.values())
        h = phi.hermite(20)
        assert h.shape == (20,)
        np.testing.assert_allclose(h**2, phi.dual.coefficients(20), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose([h[0], h[1]], [phi.A, phi.A1], rtol=1e-12, atol=1e-15)

    @pytest.mark.parametrize("name", ["sigmoid", "softplus", "erf", "hard_sigmoid"])
    def test_signs(self, name):
        phi = Activation(name)
        minus = phi.scaled(-2.0)
        np.testing.assert_allclose(minus.A, -phi.A, rtol=1e-13)
        np.testing.assert_allclose(minus.A1, -phi.A1, rtol=1e-13)
        mirrored = phi.stretched(-1.0)
        np.testing.assert_allclose(mirrored.A, phi.A, rtol=1e-12, atol=0)
        np.testing.assert_allclose(mirrored.A1, -phi.A1, rtol=1e-12)

    def test_zeros_by_symmetry_are_exact(self):
        for name in ("tanh", "softsign", "hard_tanh", "soft_shrink"):
            phi = Activation(name)
            assert phi.is_odd and phi.parity == "odd" and phi.A == phi.errors["A"] == 0.0
        for name in ("cos", "x*tanh(x)"):
            phi = Activation(name)
            assert phi.is_even and phi.parity == "even" and phi.A1 == phi.errors["A1"] == 0.0


class TestHermite:
    def test_given_coefficients_are_kept(self):
        phi = Activation.from_hermite([0.0, -3.0, 0.0, 4.0], name="mixture")
        assert phi.name == "mixture" and phi.is_odd and phi.dual.error == 0.0
        np.testing.assert_allclose(phi.hermite(6), [0, -0.6, 0, 0.8, 0, 0], rtol=1e-15)
        np.testing.assert_allclose(constants(phi), [25.0, 0.0, -0.6, 1.64 * 1.390243902439024])
        he3 = (Z**3 - 3 * Z) / np.sqrt(6)
        np.testing.assert_allclose(phi(Z), 4 * he3 - 3 * Z, rtol=1e-12, atol=1e-12)

    @settings(max_examples=30)
    @given(st.lists(st.floats(-5, 5).filter(lambda c: c == 0 or abs(c) > 1e-3), min_size=1,
                    max_size=9).filter(any))  # fmt: skip
    def test_mixtures(self, c):
        phi = Activation.from_hermite(c)
        squares = np.square(c) / np.sum(np.square(c))
        np.testing.assert_allclose(phi.dual.coefficients(len(c)), squares, rtol=1e-13)
        np.testing.assert_allclose(phi.B1, squares @ np.arange(len(c)), rtol=1e-13)
        np.testing.assert_allclose(phi.norm2, np.sum(np.square(c)), rtol=1e-11)
        np.testing.assert_allclose(phi.A, c[0] / np.linalg.norm(c), rtol=1e-13, atol=1e-300)

    @pytest.mark.parametrize("bad", [[], [0.0, 0.0], [np.nan], [[1.0]], [np.inf, 1.0]], ids=str)
    def test_refuses(self, bad):
        with pytest.raises(ValueError, match="finite, in one row, and not all zero"):
            Activation.from_hermite(bad)


class TestChanges:
    @pytest.mark.parametrize("spec", ["relu", "erf", "hard_tanh", "x^2 + x", "silu", np.tanh])
    @pytest.mark.parametrize("factor", [3.0, -0.25])
    def test_scaling_leaves_the_dual(self, spec, factor):
        phi = Activation(spec)
        scaled = phi.scaled(factor)
        np.testing.assert_array_equal(scaled.dual.value(XI), phi.dual.value(XI))
        np.testing.assert_allclose(scaled(Z), factor * phi(Z), rtol=1e-14)
        np.testing.assert_allclose(scaled.norm2, factor**2 * phi.norm2, rtol=1e-14)
        np.testing.assert_allclose(scaled.hermite(9), np.sign(factor) * phi.hermite(9), rtol=1e-14)
        assert scaled.B1 == phi.B1

    @pytest.mark.parametrize("spec", ["relu", "elu", "x^3", np.tanh])
    def test_normalising(self, spec):
        phi = Activation(spec).normalized()
        np.testing.assert_allclose(phi.norm2, 1.0, rtol=1e-13)
        weights = np.exp(-(Z**2) / 2)
        np.testing.assert_allclose(phi(Z) * weights, Activation(phi)(Z) * weights)

    def test_stretching(self):
        np.testing.assert_allclose(
            Activation("sin").stretched(2.0).dual.value(XI),
            np.sinh(4 * XI) / np.sinh(4),
            rtol=1e-11,
            atol=1e-14,
        )
        np.testing.assert_allclose(
            Activation("relu").stretched(3.0).dual.gap(1 - XI),
            Activation("relu").dual.gap(1 - XI),
            rtol=1e-14,
        )
        np.testing.assert_allclose(Activation(np.tanh).stretched(0.5)(Z), np.tanh(Z / 2))

    @pytest.mark.parametrize(
        "spec", ["relu", "gelu", "elu", "sigmoid", "x^2", "exp", "cos", "hard_sigmoid"]
    )
    def test_centring(self, spec):
        phi = Activation(spec)
        centred = phi.centered()
        assert centred.A == centred.errors["A"] == centred.dual.value(0.0) == 0.0
        rest = 1.0 - phi.A**2
        np.testing.assert_allclose(centred.norm2, phi.norm2 * rest, rtol=1e-12)
        np.testing.assert_allclose(centred.B1, phi.B1 / rest, rtol=1e-12)
        np.testing.assert_allclose(centred.A1, phi.A1 / np.sqrt(rest), rtol=1e-12)
        np.testing.assert_allclose(
            centred(Z), phi(Z) - phi.A * np.sqrt(phi.norm2), rtol=1e-12, atol=1e-12
        )
        np.testing.assert_allclose(
            centred.dual.value(XI), (phi.dual.value(XI) - phi.dual.a0) / rest, atol=1e-12
        )

    def test_centring_again_changes_nothing(self):
        centred = Activation("relu").centered()
        again = centred.centered()
        assert constants(again) == constants(centred) and again is not centred
        assert Activation("erf").centered().formula == "erf(x)"

    def test_centring_a_constant_is_refused(self):
        with pytest.raises(ValueError, match=r"nothing|constant"):
            _ = Activation("3").centered().dual

    def test_sums(self):
        both = Activation("sin") + Activation("cos")
        assert both.formula == "sin(x) + cos(x)"
        share = (1 - np.exp(-2)) / 2  # E sin^2 of E sin^2 + E cos^2 = 1: they are orthogonal
        expected = share * np.sinh(XI) / np.sinh(1) + (1 - share) * np.cosh(XI) / np.cosh(1)
        np.testing.assert_allclose(both.dual.value(XI), expected, atol=1e-13)
        shifted = Activation("x") + 2.0
        np.testing.assert_allclose(shifted.dual.value(XI), (XI + 4) / 5, rtol=1e-14)
        mixed = Activation(np.tanh) + Activation("x")
        assert mixed.expression is None
        np.testing.assert_allclose(mixed(Z), np.tanh(Z) + Z)
        with pytest.raises(TypeError):
            Activation("x") + "y"

    def test_composition(self):
        phi = Activation("square").compose(Activation("sin"))
        assert phi.formula == "sin(x)^2"
        np.testing.assert_allclose(phi(Z), np.sin(Z) ** 2, rtol=1e-14)
        foreign = Activation(np.tanh).compose(Activation("2*x"))
        np.testing.assert_allclose(foreign(Z), np.tanh(2 * Z), rtol=1e-14)

    @pytest.mark.parametrize("name", ["erf", "relu", "h2", "silu"])
    def test_bias(self, name):
        phi, variance = Activation(name), 0.3
        biased = phi.biased(variance)
        assert not biased.pointwise and biased.A > 0.0
        expected = (phi.dual.value(XI) + variance) / (1 + variance)
        np.testing.assert_allclose(biased.dual.value(XI), expected, atol=1e-13)
        np.testing.assert_allclose(biased.B1, phi.B1 / (1 + variance), rtol=1e-13)

    @pytest.mark.parametrize("name", ["erf", "relu", "h2", "silu"])
    def test_skip(self, name):
        phi, weight = Activation(name), 0.3
        skipped = phi.residual(weight)
        assert not skipped.pointwise and skipped.A1 > 0.0
        expected = (XI + weight * phi.dual.value(XI)) / (1 + weight)
        np.testing.assert_allclose(skipped.dual.value(XI), expected, atol=1e-13)
        np.testing.assert_allclose(skipped.B1, (1 + weight * phi.B1) / (1 + weight), rtol=1e-13)

    def test_no_bias_changes_nothing(self):
        phi = Activation("erf")
        np.testing.assert_allclose(phi.biased(0.0).dual.value(XI), phi.dual.value(XI), rtol=1e-15)

    @pytest.mark.parametrize("factor", [0.0, np.nan, np.inf])
    def test_refused_factors(self, factor):
        phi = Activation("erf")
        for method in (phi.scaled, phi.stretched):
            with pytest.raises(ValueError, match="factor must be finite and not zero"):
                method(factor)
        with pytest.raises(ValueError, match="weight of the branch is above 0"):
            phi.residual(factor)

    @pytest.mark.parametrize("variance", [-0.1, np.nan, np.inf])
    def test_refused_variances(self, variance):
        with pytest.raises(ValueError, match="variance of a bias is at least 0"):
            Activation("erf").biased(variance)

    def test_the_original_stays(self):
        phi = Activation("relu")
        before = constants(phi), phi.name, phi.hermite(5).tolist()
        for changed in (phi.scaled(2), phi.centered(), phi.biased(1.0), phi.residual(), phi + 1.0):
            constants(changed)
        phi.hermite(5)[:] = 7.0
        phi.dual.coefficients(5)[:] = 7.0
        phi.errors.copy()["A"] = 1.0
        assert (constants(phi), phi.name, phi.hermite(5).tolist()) == before


class TestCopies:
    @pytest.mark.parametrize(
        "phi",
        [
            Activation("relu"),
            Activation("x*sigmoid(1.702*x)"),
            Activation("5d_opt"),
            Activation.from_hermite([0, 1, 2]),
            Activation("relu").centered(),
            Activation("erf").biased(0.5),
            Activation(np.tanh),
        ],
        ids=repr,
    )
    @pytest.mark.parametrize(
        "duplicate", [copy.copy, copy.deepcopy, lambda phi: pickle.loads(pickle.dumps(phi))]
    )
    def test_are_the_same(self, phi, duplicate):
        other = duplicate(phi)
        assert other.name == phi.name and other.formula == phi.formula
        assert constants(other) == constants(phi)
        np.testing.assert_array_equal(other(Z), phi(Z))
        np.testing.assert_array_equal(other.dual.gap(1 - XI), phi.dual.gap(1 - XI))

    def test_public_name(self):
        assert dl.Activation is Activation
