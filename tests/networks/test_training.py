from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from deeplimit.networks import FiniteNetwork, empirical_ntk, gradient_descent
from deeplimit.networks.training import RISE, _Objective, largest_eigenvalue


def targets_of(X):
    return np.sign(X[:, 0] * X[:, 1])


def test_the_largest_eigenvalue_is_that_of_the_kernel_over_rows_and_outputs(sphere):
    X = sphere(8, 5)
    network = FiniteNetwork("tanh", 2, 16, 5)
    exact = np.linalg.eigvalsh(empirical_ntk(network, X))[-1]
    found = largest_eigenvalue(network.linearise(network.rows(X)), rtol=1e-12, max_iter=5000)
    assert found == pytest.approx(exact, rel=1e-9)
    rough = largest_eigenvalue(network.linearise(network.rows(X)))
    assert 0.98 * exact < rough <= exact * (1 + 1e-12)


@pytest.mark.parametrize("momentum", [False, True])
def test_a_wide_network_is_regression_with_its_own_tangent_kernel(momentum, sphere):
    # The distance is that of the linearisation, of order width^(-1/2).
    X, Q = sphere(12, 10), sphere(40, 10, seed=1)
    y = targets_of(X)
    distances = []
    for width in (128, 4096):
        network = FiniteNetwork("relu", 1, width, 10)
        expected = empirical_ntk(network, Q, X) @ np.linalg.solve(empirical_ntk(network, X), y)
        descent = gradient_descent(network, X, y, momentum=momentum, tol=1e-10)
        assert descent.reason == "tolerance"
        distances.append(np.abs(network(Q)[:, 0] - expected).mean() / np.abs(expected).mean())
    assert distances[1] < 0.04
    assert distances[1] < distances[0] / 2.5


def test_the_linear_network_is_ridgeless_linear_regression(sphere):
    X, Q = sphere(4, 6), sphere(9, 6, seed=1)
    Y = np.random.default_rng(0).standard_normal((4, 3))
    network = FiniteNetwork("relu", 0, 1, 6, 3)
    assert gradient_descent(network, X, Y, tol=1e-22).converged
    np.testing.assert_allclose(network(Q), Q @ np.linalg.pinv(X) @ Y, atol=1e-9)


def test_several_outputs_train_as_independent_regressions(sphere):
    X, Q = sphere(10, 10), sphere(30, 10, seed=1)
    Y = np.column_stack([targets_of(X), targets_of(X[:, 2:]), np.ones(10)])
    network = FiniteNetwork("relu", 1, 4096, 10, 3)
    expected = empirical_ntk(network, Q, X) @ np.linalg.solve(empirical_ntk(network, X), Y)
    gradient_descent(network, X, Y, tol=1e-8)
    assert np.abs(network(Q) - expected).mean() < 0.08 * np.abs(expected).mean()


@pytest.mark.parametrize("momentum", [False, True])
@pytest.mark.parametrize("width", [8, 64])
def test_the_loss_never_rises_far_above_the_least_so_far(momentum, width, sphere):
    X = sphere(15, 4)
    network = FiniteNetwork("relu", 2, width, 4)
    descent = gradient_descent(
        network, X, targets_of(X), momentum=momentum, max_steps=500, tol=1e-8
    )
    curve = descent.loss_curve
    assert len(curve) == descent.n_steps + 1
    assert curve[0] == pytest.approx(1.0)
    assert np.all(curve[1:] <= RISE * np.minimum.accumulate(curve)[:-1])
    assert curve[-1] < 0.1
    np.testing.assert_allclose(curve[-1], ((network(X)[:, 0] - targets_of(X)) ** 2).mean())


def test_the_step_is_the_inverse_of_the_largest_eigenvalue(sphere):
    X = sphere(10, 6)
    descent = gradient_descent(FiniteNetwork("relu", 1, 2048, 6), X, targets_of(X))
    assert descent.learning_rate == 1.0 / descent.largest_eigenvalue


def test_a_step_far_too_large_is_cut_down_and_training_goes_on(sphere):
    X = sphere(10, 6)
    network = FiniteNetwork("relu", 1, 256, 6)
    descent = gradient_descent(network, X, targets_of(X), learning_rate=1e6, momentum=False)
    assert descent.reason == "tolerance"
    assert descent.learning_rate < 4.0 / descent.largest_eigenvalue


def test_acceleration_takes_fewer_steps_to_the_same_function(sphere):
    X, Q = sphere(15, 5), sphere(30, 5, seed=1)
    steps, values = [], []
    for momentum in (False, True):
        network = FiniteNetwork("erf", 1, 2048, 5)
        descent = gradient_descent(network, X, targets_of(X), momentum=momentum, tol=1e-8)
        steps.append(descent.n_steps)
        values.append(network(Q))
    assert steps[1] < steps[0] / 2
    assert np.abs(values[0] - values[1]).mean() < 0.02 * np.abs(values[0]).mean()


def test_what_cannot_be_learned_stops_the_training_at_the_least_squares(sphere):
    X = np.repeat(sphere(3, 5), [2, 1, 1], axis=0)
    network = FiniteNetwork("relu", 1, 512, 5)
    descent = gradient_descent(network, X, [1.0, -1.0, 1.0, -1.0], tol=0.0)
    assert (descent.converged, descent.reason) == (True, "stationary")
    np.testing.assert_allclose(network(X)[:, 0], [0.0, 0.0, 1.0, -1.0], atol=2e-3)


def test_running_out_of_steps_is_told(sphere):
    X = sphere(10, 3)
    descent = gradient_descent(FiniteNetwork("relu", 1, 16, 3), X, targets_of(X), max_steps=3)
    assert (descent.n_steps, descent.converged, descent.reason) == (3, False, "max_steps")


@pytest.mark.parametrize(("dtype", "rest"), [("float64", 1e-27), ("float32", 1e-9)])
def test_training_without_tolerance_ends_at_rounding(dtype, rest, sphere):
    X = sphere(4, 6)
    network = FiniteNetwork("relu", 1, 64, 6, dtype=dtype)
    descent = gradient_descent(network, X, targets_of(X), tol=0.0, max_steps=20_000)
    assert descent.reason == "tolerance"
    assert descent.loss_curve[-1] < rest


def test_a_network_that_leaves_the_finite_numbers_stops_where_it_was(sphere, monkeypatch):
    X = sphere(4, 6)
    network = FiniteNetwork("relu", 1, 8, 6)
    start = [weight.clone() for weight in network.weights]
    points = iter([_Objective(network, X, targets_of(X)).at(network.weights)])
    broken = SimpleNamespace(loss=float("nan"))
    monkeypatch.setattr(_Objective, "at", lambda self, weights: next(points, broken))
    descent = gradient_descent(network, X, targets_of(X))
    assert (descent.n_steps, descent.reason, descent.converged) == (0, "stalled", False)
    assert all(torch.equal(a, b) for a, b in zip(start, network.weights, strict=True))


def test_training_from_a_network_that_knows_the_answer_takes_no_step(sphere):
    X = sphere(4, 6)
    network = FiniteNetwork("relu", 1, 64, 6)
    descent = gradient_descent(network, X, np.zeros(4), tol=0.0)
    assert (descent.n_steps, descent.reason) == (0, "tolerance")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Y": np.ones(3)}, r"Y must have shape \(4, 1\), got \(3, 1\)"),
        ({"tol": -1.0}, "tol"),
        ({"tol": float("nan")}, "tol"),
        ({"max_steps": 0}, "max_steps"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": "fast"}, 'must be "auto" or a number'),
        ({"Y": np.full(4, np.inf)}, "not finite"),
    ],
)
def test_wrong_arguments_are_named(changes, message, sphere):
    arguments = {"X": sphere(4, 3), "Y": np.ones(4)} | changes
    with pytest.raises(ValueError, match=message):
        gradient_descent(FiniteNetwork("relu", 1, 8, 3), **arguments)
