from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Kernel = Callable[[FloatArray, FloatArray], FloatArray]


def arc_cosine(xi: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Dual of the normalised ReLU and its derivative (Cho and Saul 2009)."""
    t = np.arccos(np.clip(xi, -1.0, 1.0))
    return (np.sin(t) + (np.pi - t) * np.cos(t)) / np.pi, (np.pi - t) / np.pi


def relu_kernels(X: FloatArray, Z: FloatArray, depth: int) -> tuple[FloatArray, FloatArray]:
    """NNGP and NTK of a ReLU network on the unit sphere."""
    sigma = theta = X @ Z.T
    for _ in range(depth):
        sigma, slope = arc_cosine(sigma)
        theta = sigma + theta * slope
    return sigma, theta


@pytest.fixture
def nngp_and_ntk() -> Callable[[FloatArray, FloatArray, int], tuple[FloatArray, FloatArray]]:
    return relu_kernels


@pytest.fixture
def relu_ntk() -> Callable[[int], Kernel]:
    return lambda depth: lambda X, Z: relu_kernels(X, Z, depth)[1]


@pytest.fixture
def sphere() -> Callable[..., FloatArray]:
    def points(n: int, d: int, seed: int = 0) -> FloatArray:
        rows = np.random.default_rng(seed).standard_normal((n, d))
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    return points
