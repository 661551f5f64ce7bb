from __future__ import annotations

import numpy as np
import pytest

from deeplimit.networks import width_sweep

WIDTHS = [32, 64, 128, 256, 512, 1024]


def problem(sphere):
    X, Q = sphere(20, 10), sphere(100, 10, seed=1)
    return X, np.sign(X[:, 0] * X[:, 1]), Q


@pytest.mark.parametrize(("depth", "widths", "n_seeds"), [(1, WIDTHS, 8), (2, WIDTHS[:-1], 4)])
def test_the_error_falls_like_the_root_of_the_width(depth, widths, n_seeds, sphere, relu_ntk):
    X, y, Q = problem(sphere)
    sweep = width_sweep("relu", depth, widths, X, y, Q, n_seeds, kernel=relu_ntk(depth))
    assert sweep.converged
    assert -0.8 <= sweep.slope <= -0.3
    assert -0.65 <= sweep.ntk_slope <= -0.35
    assert np.all(np.diff(sweep.deviation) < 0)
    assert sweep.deviation[-1] < 0.1
    assert sweep.agreement[-1] > 0.95
    assert 0 < sweep.slope_error < 0.1


def test_another_depth_is_not_approached(sphere, relu_ntk):
    X, y, Q = problem(sphere)
    right, wrong = (
        width_sweep("relu", 1, [64, 512], X, y, Q, 3, kernel=relu_ntk(depth)) for depth in (1, 3)
    )
    assert right.ntk_deviation[1] < 0.15 < 0.4 < wrong.ntk_deviation[1]
    assert wrong.ntk_slope > -0.2 > right.ntk_slope


def test_matrices_serve_as_well_as_a_kernel_and_several_targets_as_one(sphere, relu_ntk):
    X, y, Q = problem(sphere)
    kernel = relu_ntk(1)
    Y = np.column_stack([y, -y])
    first = width_sweep("relu", 1, [16, 8], X, Y, Q, [3, 5], kernel=kernel, tol=1e-3)
    second = width_sweep(
        "relu", 1, [8, 16], X, Y, Q, [3, 5], kernel=(kernel(X, X), kernel(Q, X)), tol=1e-3
    )
    assert first.widths.tolist() == [8, 16]
    assert first.records() == second.records()
    assert (first.n_seeds, first.depth) == (2, 1)


def test_the_standard_errors_are_those_of_the_seeds(sphere, relu_ntk):
    X, y, Q = problem(sphere)
    pairs = [
        width_sweep("relu", 1, [16, 32], X, y, Q, seeds, kernel=relu_ntk(1), tol=1e-3)
        for seeds in ([0, 1], [2, 3], [0, 1, 2, 3])
    ]
    np.testing.assert_allclose(
        (pairs[0].deviation + pairs[1].deviation) / 2, pairs[2].deviation, rtol=1e-12
    )
    # Of two values the standard error of the mean is half their distance.
    single = [
        width_sweep("relu", 1, [16, 32], X, y, Q, [s, s], kernel=relu_ntk(1), tol=1e-3)
        for s in (0, 1)
    ]
    np.testing.assert_allclose(
        pairs[0].deviation_error, np.abs(single[0].deviation - single[1].deviation) / 2
    )
    assert np.all(single[0].deviation_error == 0)


def test_the_table_has_a_line_for_each_width_and_one_for_the_slopes(sphere, relu_ntk):
    X, y, Q = problem(sphere)
    text = str(width_sweep("relu", 1, [16, 8], X, y, Q, 2, kernel=relu_ntk(1), tol=1e-2))
    assert [line.split()[0] for line in text.splitlines()] == ["width", "8", "16", "slope"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": 2.0 * np.eye(2)}, "X must hold rows of unit norm"),
        ({"Q": np.ones(2)}, "Q must hold rows of unit norm"),
        ({"y": [1.0]}, "one target for each of 2 rows"),
        ({"widths": [8, 8]}, "at least two widths"),
        ({"seeds": 1}, "two seeds"),
        ({"kernel": (np.eye(2), np.eye(3))}, r"shapes \(2, 2\) and \(1, 2\)"),
    ],
)
def test_wrong_arguments_are_named(changes, message):
    arguments = {
        "activation": "relu",
        "depth": 1,
        "widths": [4, 8],
        "X": np.eye(2),
        "y": [1.0, -1.0],
        "Q": np.array([[0.6, 0.8]]),
        "seeds": 2,
        "kernel": lambda X, Z: X @ Z.T,
    }
    with pytest.raises(ValueError, match=message):
        width_sweep(**(arguments | changes))
