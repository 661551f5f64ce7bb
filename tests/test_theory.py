"""Statements of docs/theory.md that no module computes, checked in numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import deeplimit as dl
from deeplimit.evidence.orbits import Orbits

Array = NDArray[np.float64]


def unit_rows(rng: np.random.Generator, n: int, k: int = 3) -> Array:
    X = rng.standard_normal((n, k))
    return np.asarray(X / np.linalg.norm(X, axis=1, keepdims=True))


def gaps(X: Array, Z: Array) -> Array:
    return np.asarray(((X[:, None] - Z[None]) ** 2).sum(-1) / 2)


@pytest.mark.parametrize("xi", [0.3, 0.8, 0.97])
def test_correction_of_the_ntk(xi: float) -> None:
    # Theta_L / a_1^L = (L + 1) kappa + C, with C a sum over the orbit, by differences of kappa.
    kernel, dual, h = dl.LimitKernel("3d_opt"), dl.Activation("3d_opt").dual, 1e-4
    x, total = xi, 0.0
    for j in range(60):
        around = kernel.at_correlation(x * np.array([1 - h, 1.0, 1 + h]))
        total += 2.0**j * ((around[2] - around[0]) / (2 * h) - around[1])
        x = float(dual.value(np.array([x]))[0])
        if x < 1e-4:
            break
    deep = dl.NetworkKernel("3d_opt", 50)
    theta = float(np.exp(deep.log_at_gap(1 - xi) + 50 * math.log(2)))
    assert theta - 51 * float(kernel.at_correlation(xi)) == pytest.approx(total, rel=1e-4)


def test_correction_of_the_ntk_has_two_more_in_the_exponent() -> None:
    # C ~ s^(-theta - 1): between two gaps a factor B' = 2 apart it grows by 2^2 for alpha = 2.
    s = np.array([2e-6, 1e-6])
    kernel = dl.LimitKernel("3d_opt")
    deep = dl.NetworkKernel("3d_opt", 80)
    C = np.exp(deep.log_at_gap(s) + 80 * math.log(2)) - 81 * kernel.at_gap(s)
    assert C[1] / C[0] == pytest.approx(4.0, rel=1e-3)


def test_critical_decay_of_relu() -> None:
    orbit = Orbits(dl.Activation("relu").dual, [0.5])
    for _ in range(20_000):
        orbit.advance()
    assert orbit.gap[0] * 20_000**2 == pytest.approx(9 * math.pi**2 / 2, rel=3e-3)


@pytest.mark.parametrize(
    ("name", "rho"), [("relu", 1 / 4), ("leaky_relu_0.2", 1 / 4), ("abs", 1 / 4), ("exp", 1 / 3)]
)
def test_ratio_of_the_critical_ntk(name: str, rho: float) -> None:
    # The rest falls like 1/L, up to logarithms: two depths take most of it away.
    at = [float(dl.NetworkKernel(name, L).at_gap(0.5, normalize=True)) for L in (1000, 2000)]
    assert 2 * at[1] - at[0] == pytest.approx(rho, abs=5e-4)


def test_ntk_of_the_supercritical_majority() -> None:
    t = dl.taxonomy("gelu")
    assert t.fixed_point is not None
    assert t.rate is not None
    off = dl.NetworkKernel("gelu", 2000).at_gap([0.3, 1.0])
    np.testing.assert_allclose(off, t.fixed_point / (1 - t.rate), rtol=1e-9)


def test_ties_of_the_majority() -> None:
    # NNGP: with the offset; NTK: without. Only queries at which the two differ are asked.
    rng = np.random.default_rng(1)
    tie = dl.LimitKernel("square").tie_break
    assert tie is not None
    xi, n = 0.5, 6
    y = np.repeat([1.0, -1.0], n // 2)
    asked = 0
    while asked < 12:
        X, q = unit_rows(rng, n), unit_rows(rng, 1)
        S, s = gaps(X, X), gaps(q, X)[0]
        M = np.asarray(tie.at_gap(S))
        np.fill_diagonal(M, 0.0)
        without = float(np.asarray(tie.at_gap(s)) @ y)
        with_offset = without - xi / (1 - xi + n * xi) * float((M @ y).sum())
        if without * with_offset > 0:
            continue
        asked += 1
        for kind, depth, expected in (("nngp", 24, with_offset), ("ntk", 36, without)):
            kernel = dl.NetworkKernel("square", depth, kind=kind)  # type: ignore[arg-type]
            K, k = kernel.at_gap(S, normalize=True), kernel.at_gap(s, normalize=True)
            assert float(k @ np.linalg.solve(K, y)) * expected > 0.0


@pytest.mark.parametrize(
    ("name", "power"),
    [("cos", 1.0), ("softplus", 1.0), ("hard_sigmoid", 0.5), ("sparse_sigmoid", 0.5)],
)
def test_what_the_ntk_interpolates_by(name: str, power: float) -> None:
    s = np.array([0.02, 0.5])
    eta = -dl.LimitKernel(name).at_gap(s)
    ratios = []
    for depth in (10, 20):
        kernel = dl.NetworkKernel(name, depth)
        rest = np.exp(kernel.log_diagonal) - kernel.at_gap(s)
        ratios.append(math.log(rest[0] / rest[1]) / math.log(eta[0] / eta[1]))
    assert ratios[-1] == pytest.approx(power, abs=0.05)


@pytest.mark.parametrize("ratio", [2.0, 4.0])
def test_shares_beyond_the_dimension(ratio: float) -> None:
    # Weights T_i^(-alpha/d) of a Poisson process: E sum w^2 = 1 - d/alpha.
    rng = np.random.default_rng(0)
    w = np.cumsum(rng.exponential(size=(4000, 2000)), axis=1) ** -ratio
    w /= w.sum(axis=1, keepdims=True)
    squares = (w**2).sum(axis=1)
    error = squares.std() / math.sqrt(len(squares))
    assert squares.mean() == pytest.approx(1 - 1 / ratio, abs=4 * error)


def test_a_jump_gives_a_power_of_the_logarithm() -> None:
    log = dl.LimitKernel("sign").log_at_gap([1e-60, 1e-120, 1e-240])
    expected = math.log(math.pi / 2) / math.log(2)
    np.testing.assert_allclose(np.diff(log) / math.log(2), expected, rtol=2e-3)


@pytest.mark.parametrize(("variance", "regime"), [
    (0.01, "majority-vote"), (0.9, "majority-vote"), (1.1, "conditionally-positive-definite"),
])  # fmt: skip
def test_any_bias_ends_the_singular_regime(variance: float, regime: str) -> None:
    assert dl.taxonomy(dl.Activation("3d_opt").biased(variance)).regime == regime


@pytest.mark.parametrize("tau", [1e-4, 1.0])
def test_exponent_of_a_skip(tau: float) -> None:
    a1, slope = 0.5, 2.0
    exact = 2 * math.log((1 + tau) / (1 + tau * a1)) / math.log((1 + tau * slope) / (1 + tau))
    found = dl.taxonomy(dl.Activation("3d_opt").residual(tau)).exponent
    assert found == pytest.approx(exact, rel=1e-9)
    if tau < 1e-3:
        assert found == pytest.approx(2 * (1 - a1) / (slope - 1), rel=1e-3)
