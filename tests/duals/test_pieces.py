"""Where a function is smooth."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimit.duals.pieces import chebyshev_matrix, chebyshev_nodes, resolve


def test_chebyshev_matrix_inverts_evaluation():
    for n in (4, 24, 32):
        x = chebyshev_nodes(n)
        assert np.all(np.diff(x) > 0) and np.all(np.abs(x) < 1)
        c = np.random.default_rng(n).standard_normal(n)
        values = np.polynomial.chebyshev.chebval(x, c)
        np.testing.assert_allclose(chebyshev_matrix(n) @ values, c, atol=1e-14)


@pytest.mark.parametrize("phi", [np.tanh, np.exp, lambda z: z**5, lambda z: np.sin(20 * z)])
def test_smooth_functions_have_no_breaks(phi):
    pieces = resolve(phi)
    assert pieces.breaks.size == pieces.jumps.size == 0
    assert pieces.cusps.size == 0 and pieces.noise < 1e-12
    assert np.all(np.diff(pieces.edges) > 0)


def piecewise_linear(kinks, bends):
    return lambda z: 0.3 * z + np.maximum(z[..., None] - kinks, 0.0) @ bends


def piecewise_constant(places, jumps):
    return lambda z: (z[..., None] > places) @ jumps


PLACES = [
    np.sort(np.random.default_rng(seed).uniform(-3.0, 3.0, 1 + seed % 4)) for seed in range(6)
]


@pytest.mark.parametrize("at", PLACES, ids=str)
def test_kinks_are_found(at):
    bends = np.where(np.arange(at.size) % 2, -1.0, 0.7)
    pieces = resolve(piecewise_linear(at, bends))
    np.testing.assert_allclose(pieces.breaks, at, atol=1e-7)
    assert not np.any(pieces.jumps)
    assert pieces.cusps.size == 0 and pieces.noise == 0.0
    # The panels end where the function bends.
    assert np.all(np.abs(pieces.edges[:, None] - at).min(axis=0) < 1e-7)


@pytest.mark.parametrize("at", PLACES, ids=str)
def test_jumps_are_found_and_measured(at):
    heights = np.where(np.arange(at.size) % 2, -1.5, 0.5)
    pieces = resolve(piecewise_constant(at, heights))
    np.testing.assert_allclose(pieces.breaks, at, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(pieces.jumps, heights, rtol=1e-6)
    assert pieces.cusps.size == 0 and pieces.noise == 0.0


@pytest.mark.parametrize(
    ("phi", "breaks", "jumps"),
    [
        (lambda z: np.maximum(z, 0), [0.0], [0.0]),
        (lambda z: np.clip(z, 0, 6), [0.0, 6.0], [0.0, 0.0]),
        (np.sign, [0.0], [2.0]),
        (lambda z: np.where(np.abs(z) > 0.5, z, 0.0), [-0.5, 0.5], [0.5, 0.5]),
        (lambda z: np.maximum(z, 0) ** 2, [0.0], [0.0]),
    ],
    ids=["relu", "relu6", "sign", "hard shrink", "squared relu"],
)
def test_breaks_on_and_off_the_grid(phi, breaks, jumps):
    pieces = resolve(phi)
    np.testing.assert_allclose(pieces.breaks, breaks, atol=1e-9)
    np.testing.assert_allclose(pieces.jumps, jumps, atol=1e-9)


def test_cusps_are_told():
    pieces = resolve(lambda z: np.sqrt(np.abs(z)))
    np.testing.assert_allclose(pieces.cusps, [0.0], atol=1e-12)
    np.testing.assert_allclose(pieces.jumps, 0.0, atol=1e-9)


def test_refusals():
    with pytest.raises(ValueError, match="zero everywhere"):
        resolve(np.zeros_like)
    with pytest.raises(ValueError, match="not finite"):
        resolve(lambda z: np.where(z < 0, np.nan, z))
    with pytest.raises(ValueError, match="square-integrable"):
        resolve(lambda z: np.exp(z * z / 2))
    with pytest.raises(ValueError, match="too rough"):
        resolve(lambda z: np.sin(1e7 * z))
