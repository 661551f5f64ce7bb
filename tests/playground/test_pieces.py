"""Chebyshev pieces in the log odds of the gap."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimit.playground.pieces import FAR, HIGH, LOW, PANELS, fit_pieces, log_odds

RNG = np.random.default_rng(7)


def drawn(n: int, low: float = LOW) -> np.ndarray:
    x = RNG.uniform(low, HIGH, n)
    return np.where(x < 0, 1 / (1 + np.exp(-x)), 1 - 1 / (1 + np.exp(x)))


@pytest.mark.parametrize(
    "function",
    [
        lambda s: -1.5 * np.log(s) + np.log1p(-s),
        lambda s: np.log(np.sqrt(s) + s**2),
        lambda s: -40.0 * s / (1e-3 + s),
        lambda s: np.cos(np.log(s)),
    ],
)
def test_functions_are_followed(function) -> None:
    fitted = fit_pieces(function)
    s = drawn(2000)
    truth = function(s)
    error = np.max(np.abs(fitted.pieces(s) - truth) / np.maximum(1, np.abs(truth)))
    assert error < 1e-10
    assert fitted.error < 1e-10


def test_panels_are_joined_where_a_function_is_plain() -> None:
    plain = fit_pieces(log_odds)
    assert len(plain.pieces.edges) < 4
    busy = fit_pieces(lambda s: np.cos(9 * np.log(s)))
    assert len(plain.pieces.edges) < len(busy.pieces.edges) <= PANELS + 1


def test_beyond_the_ends_the_slope_goes_on() -> None:
    pieces = fit_pieces(lambda s: -2.0 * np.log(s)).pieces
    np.testing.assert_allclose(pieces(np.array([1e-30])), -2 * np.log(1e-30), rtol=1e-9)


def test_what_jumps_is_told_by_the_error() -> None:
    assert fit_pieces(lambda s: (s > 0.013).astype(float)).error > 0.05


def test_a_later_beginning() -> None:
    pieces = fit_pieces(np.sqrt, FAR).pieces
    s = drawn(500, FAR)
    np.testing.assert_allclose(pieces(s), np.sqrt(s), atol=1e-11)
