"""Mean squared differences at one angle."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deeplimit.activations.expressions import parse
from deeplimit.duals.closed import ArcCosineDual, ArcSineDual, GeluDual, HyperbolicDual
from deeplimit.duals.hermite import GaussianQuadrature
from deeplimit.duals.pairs import PairQuadrature

CLOSED = {
    "relu(x)": ArcCosineDual(1.0, 0.0),
    "abs(x)": ArcCosineDual(1.0, 1.0),
    "sign(x)": ArcSineDual(math.inf),
    "gelu(x)": GeluDual(),
    "sin(3*x)": HyperbolicDual(9.0, odd=True),
}


def pairs(formula: str) -> PairQuadrature:
    return PairQuadrature(GaussianQuadrature(parse(formula)))


@pytest.mark.parametrize("formula", CLOSED)
@pytest.mark.parametrize("angle", [1.3, 0.5, 0.03, 1e-3])
def test_against_closed_forms(formula: str, angle: float) -> None:
    gap = 2.0 * math.sin(angle / 2.0) ** 2
    found, again = pairs(formula).gaps(angle), pairs(formula).gaps(angle, fine=True)
    assert found.sum() == pytest.approx(float(CLOSED[formula].gap(gap)), rel=3e-14)
    np.testing.assert_allclose(found, again, rtol=3e-14, atol=1e-30)


@pytest.mark.parametrize("formula", CLOSED)
def test_parts(formula: str) -> None:
    # The even and the odd part add up to f(x) and f(-x).
    angle, dual, p = 1.1, CLOSED[formula], pairs(formula)
    even, odd = p.masses - p.gaps(angle)
    assert even + odd == pytest.approx(float(dual.value(math.cos(angle))), abs=1e-14)
    assert even - odd == pytest.approx(float(dual.value(-math.cos(angle))), abs=1e-14)
    assert p.masses.sum() == pytest.approx(1.0, rel=1e-15)


def test_masses_of_a_function_whose_breaks_have_no_mirror_image() -> None:
    # Even and odd part of a step at b are 1/2 beyond ±b, with a sign for the odd one.
    b = 0.7
    tail = math.erfc(b / math.sqrt(2.0)) / 2.0
    np.testing.assert_allclose(pairs(f"heaviside(x - {b})").masses, [0.5, 0.5], rtol=1e-14)
    # Of 1 + 2 step: the even part is 1, and 2 beyond, the odd one ±1 beyond.
    even, odd = 1.0 - 2 * tail + 8 * tail, 2 * tail
    masses = pairs(f"1 + 2*heaviside(x - {b})").masses
    np.testing.assert_allclose(masses, np.array([even, odd]) / (even + odd), rtol=1e-14)


def test_crowds_are_known() -> None:
    assert not pairs("tanh(x)").crowded
    assert pairs("sign(sin(20*x))").crowded
