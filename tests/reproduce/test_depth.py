from __future__ import annotations

import math

import numpy as np
import pytest

from deeplimit.reproduce import depth
from deeplimit.reproduce.settings import Settings


def test_board() -> None:
    points, labels, regression = depth.board(20_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1.0)
    assert points.min() >= 0.0
    np.testing.assert_allclose(np.abs(regression), 1 - 2 * depth.NOISE)
    wrong = np.mean(labels != np.sign(regression))
    assert abs(wrong - depth.NOISE) < 4 * math.sqrt(0.16 / 20_000)
    # Both colours, and no linear boundary: the labels are not those of a half-space.
    assert 0.4 < np.mean(regression > 0) < 0.6


def test_skill() -> None:
    truth = np.array([1.0, -1.0, 1.0, -1.0])
    assert depth._skill(truth, truth) == 1.0
    assert depth._skill(np.zeros(4), truth) == 0.0
    assert depth._skill(-truth, truth) == -3.0


def test_depth_helps_decisions_and_harms_values() -> None:
    result = depth.check_depth(Settings(quick=True))
    assert result.passed, result.figure
    last = result.data["r2"]["3d_opt 50"]["mean"]
    assert abs(last) < 0.02 < 0.2 < result.data["r2"]["restored inf"]["mean"]


def test_a_network_that_has_not_become_deep_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    real = depth.NetworkKernel
    # As if depth stopped at the layer where fitting the noise does most harm.
    monkeypatch.setattr(
        depth, "NetworkKernel", lambda name, d, **how: real(name, min(d, 10), **how)
    )
    assert depth.check_depth(Settings(quick=True)).passed is False
