"""Orbits against exact arithmetic."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from deeplimit.activations import Activation
from deeplimit.duals.closed import ArcSineDual, PowerLawDual
from deeplimit.duals.series import SeriesDual
from deeplimit.evidence.orbits import Orbits


def exact(squares, gap, depth):
    """Iterate a polynomial dual at 100 digits; return the correlation."""
    with mpmath.workdps(100):
        a = [mpmath.mpf(float(c)) for c in squares]
        total = sum(a)
        xi = 1 - mpmath.mpf(gap)
        for _ in range(depth):
            xi = sum(c * xi**k for k, c in enumerate(a)) / total
        return xi


@pytest.mark.parametrize(
    ("squares", "gap", "depth"),
    [
        ([0, 0.5, 0, 0.5], 1e-24, 60),  # stays next to 1
        ([0, 0.5, 0, 0.5], 1e-12, 150),  # from next to 1 to next to 0
        ([0, 0.25, 0.5, 0.25], 1.9, 40),
        ([0.25, 0.5, 0.25], 1e-20, 300),  # critical: stays
        ([0.5, 0.5], 0.7, 60),  # to 1
        ([1e-12, 0.5, 0, 0.5], 0.5, 80),  # to an inner point next to 0
        ([0, 0, 1], 1e-6, 24),
        ([0, 0, 0.3, 0.7], 1.5, 12),
        ([0, 0, 0.5, 0, 0, 0.5], 0.5, 14),  # underflows a double
        ([0, 0, 0, 1], 1.5, 9),
        ([0] * 50 + [1], 0.2, 4),  # falls from above 1/4 below every double at once
        ([0] * 40 + [0.5] * 20, 0.3, 3),
    ],
)
def test_no_digit_is_lost_on_the_way(squares, gap, depth):
    orbits = Orbits(SeriesDual(squares), [gap])
    for _ in range(depth):
        orbits.advance()
    xi = exact(squares, gap, depth)
    assert orbits.sign[0] == mpmath.sign(xi)
    with mpmath.workdps(100):
        log_xi, log_gap = mpmath.log(abs(xi)), mpmath.log(1 - xi)
        if abs(xi) < 0.25:
            slack = 1e-12 * max(1.0, -1e-2 * float(log_xi))
            assert abs(orbits.log_xi[0] - log_xi) <= slack
        else:
            assert abs(orbits.log_gap[0] - log_gap) <= 1e-12


def test_only_active_orbits_move():
    orbits = Orbits(Activation("erf").dual, [0.1, 0.1])
    orbits.advance(np.array([True, False]))
    assert orbits.xi[1] == 0.9
    assert orbits.xi[0] < 0.9


def test_a_step_of_an_infinite_series_below_every_double_keeps_its_sign():
    orbits = Orbits(PowerLawDual(0.5), [1.0 + 1e-3])
    for _ in range(2000):
        orbits.advance()
    assert orbits.tiny[0]
    assert orbits.sign[0] == -1.0
    # kappa = xi / (1 - xi), and f^L = a_1^L kappa for so large a depth.
    expected = np.log(1e-3 / 1.001) + 2000 * np.log(0.5)
    assert orbits.log_xi[0] == pytest.approx(expected, rel=1e-12)


def test_jumps_are_carried():
    # arcsin(1 - s) = pi/2 - sqrt(2 s) next to 1.
    orbits = Orbits(ArcSineDual(np.inf), [1e-200])
    orbits.advance()
    assert orbits.gap[0] == pytest.approx(2 / np.pi * np.sqrt(2e-200), rel=1e-14)
