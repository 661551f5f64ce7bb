from __future__ import annotations

import numpy as np
import pytest
import torch

from deeplimit.activations import Activation
from deeplimit.networks import FiniteNetwork
from deeplimit.networks.linearisation import value_and_slope

POINTS = torch.tensor(
    [-3.1, -1.7, -1.0001, -0.4, -1e-5, 1e-5, 0.6, 0.9999, 2.3], dtype=torch.float64
)


@pytest.mark.parametrize(
    "name",
    [
        "relu",
        "abs",
        "gelu",
        "elu",
        "softplus",
        "3d_opt",
        "sin(2.676*x)",
        "clip(x, -1, 1)",
        "max(0, x) - 0.4",
        "where(x > 0, x, 0.1*x)",
        # Reverse-mode differentiation alone makes NaN of the next two on the left.
        "where(x > 0, x^1.5, 0)",
        "where(x > 0, log1p(x), x)",
    ],
)
def test_the_slope_is_the_derivative_on_both_sides_of_a_kink(name):
    phi = Activation(name).torch()
    value, slope = value_and_slope(phi, POINTS)
    assert torch.equal(value, phi(POINTS))
    assert not value.requires_grad
    h = 1e-7
    difference = (phi(POINTS + h) - phi(POINTS - h)) / (2 * h)
    np.testing.assert_allclose(slope.numpy(), difference.numpy(), rtol=1e-6, atol=1e-7)


def test_at_a_kink_the_slope_lies_between_those_of_the_sides():
    zero = torch.zeros(1, dtype=torch.float64)
    for name, left, right in (("relu", 0, 1), ("abs", -1, 1), ("max(0, x)", 0, 1)):
        slope = value_and_slope(Activation(name).torch(), zero)[1].item()
        assert left <= slope <= right


def test_pullback_is_the_adjoint_of_pushforward_and_pushforward_the_derivative(sphere):
    network = FiniteNetwork("tanh", 3, 11, 4, 2)
    lin = network.linearise(network.rows(sphere(5, 4)))
    draw = np.random.default_rng(0).standard_normal
    tangents = [torch.tensor(draw(tuple(w.shape))) for w in network.weights]
    cotangent = torch.tensor(draw((5, 2)))
    left = sum(float((g * t).sum()) for g, t in zip(lin.pullback(cotangent), tangents, strict=True))
    pushed = lin.pushforward(tangents)
    assert left == pytest.approx(float((cotangent * pushed).sum()), rel=1e-12)

    def moved(h):
        weights = [w + h * t for w, t in zip(network.weights, tangents, strict=True)]
        return network.linearise(lin.inputs[0], weights).outputs

    difference = (moved(1e-6) - moved(-1e-6)) / 2e-6
    np.testing.assert_allclose(pushed.numpy(), difference.numpy(), rtol=1e-6, atol=1e-7)
