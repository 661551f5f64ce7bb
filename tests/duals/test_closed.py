"""Closed forms against mpmath in 50 digits, and the laws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deeplimit.activations import Activation
from deeplimit.duals import Dual
from deeplimit.duals.closed import (
    LARGEST_RATE,
    ArcCosineDual,
    ArcSineDual,
    ConstantDual,
    ExponentialDual,
    GaussianDual,
    GeluDual,
    HyperbolicDual,
    IdentityDual,
    PowerLawDual,
)
from duals import exact
from duals.laws import DualLaws

CASES = {
    "relu": (ArcCosineDual(1.0, 0.0), exact.arc_cosine(1, 0)),
    "leaky": (ArcCosineDual(1.0, -0.01), exact.arc_cosine(1, -0.01)),
    "abs": (ArcCosineDual(1.0, 1.0), exact.arc_cosine(1, 1)),
    "uneven abs": (ArcCosineDual(0.3, 2.0), exact.arc_cosine(0.3, 2)),
    "nearly linear": (ArcCosineDual(1.0, -0.999999), exact.arc_cosine(1, -0.999999)),
    "sign": (ArcSineDual(math.inf), exact.arc_sine(math.inf)),
    "erf": (ArcSineDual(1.0), exact.arc_sine(1)),
    "flat erf": (ArcSineDual(0.01), exact.arc_sine(0.01)),
    "steep erf": (ArcSineDual(1e4), exact.arc_sine(1e4)),
    "exp": (ExponentialDual(1.0), exact.exponential(1)),
    "exp of 3.6 x": (ExponentialDual(12.713231603291), exact.exponential(12.713231603291)),
    "sin": (HyperbolicDual(1.0, odd=True), exact.sine(1)),
    "sin of 3.7 x": (HyperbolicDual(13.825845805282, odd=True), exact.sine(13.825845805282)),
    "sin of 20 x": (HyperbolicDual(400.0, odd=True), exact.sine(400)),
    "slow sin": (HyperbolicDual(1e-4, odd=True), exact.sine(1e-4)),
    "cos": (HyperbolicDual(1.0, odd=False), exact.cosine(1)),
    "cos of 20 x": (HyperbolicDual(400.0, odd=False), exact.cosine(400)),
    "bump": (GaussianDual(0.5), exact.bump(0.5)),
    "narrow bump": (GaussianDual(1e4), exact.bump(1e4)),
    "bowl": (GaussianDual(-0.2), exact.bump(-0.2)),
    "gelu": (GeluDual(), exact.gelu()),
    "moebius": (PowerLawDual(0.3), exact.power_law(0.3, 1)),
    "theta": (PowerLawDual(0.5, 0.25), exact.power_law(0.5, 0.25)),
}
GAPS = [
    *np.geomspace(1e-14, 1.0, 25),
    0.25,
    0.7499,
    0.7501,
    1.01,
    1.2499,
    1.3,
    1.6,
    1.9,
    1.99999,
    2.0,
]
PAIRS = list(CASES.values())


@pytest.mark.parametrize(("dual", "true"), PAIRS, ids=CASES)
def test_gap_against_mpmath(dual: Dual, true: exact.Exact) -> None:
    gaps = np.array(GAPS)
    slack = 2e-13 * np.array([true.gap(s) for s in GAPS])
    # The gap of an even dual vanishes at antipodes; there it is known to the rounding of one.
    slack[gaps > 1.0] = np.maximum(slack[gaps > 1.0], 4e-16)
    apart = np.abs(dual.gap(gaps) - [true.gap(s) for s in GAPS])
    assert np.all(apart <= slack), (apart / slack).max()


@pytest.mark.parametrize(("dual", "true"), PAIRS, ids=CASES)
def test_derivative_against_mpmath(dual: Dual, true: exact.Exact) -> None:
    gaps = np.array(GAPS[:-1])
    slopes = np.array([true.derivative(s) for s in gaps])
    # The derivative of an even dual passes zero; what is near zero is measured by what is not.
    scale = np.maximum(np.abs(slopes), 0.1 * np.abs(slopes[gaps > 0.1]).max())
    np.testing.assert_allclose((dual.gap_derivative(gaps) - slopes) / scale, 0.0, atol=1e-12)


@pytest.mark.parametrize(("dual", "true"), PAIRS, ids=CASES)
def test_coefficients_against_mpmath(dual: Dual, true: exact.Exact) -> None:
    np.testing.assert_allclose(dual.coefficients(12), true.coefficients(12), rtol=1e-12, atol=1e-25)


@pytest.mark.parametrize("name", ["sin", "sin of 3.7 x", "sin of 20 x", "cos of 20 x", "erf"])
def test_tiny_values_keep_their_relative_accuracy(name: str) -> None:
    dual, true = CASES[name]
    for x in (0.9, 0.5, 0.3, 0.26, 0.24, 0.1, 0.01, -0.1, -0.5):
        with exact.mp.workdps(exact.DIGITS):
            value = float(true.F(exact.mp.mpf(x)) / true.F(exact.mp.mpf(1)))
        assert float(dual.value(x)) == pytest.approx(value, rel=3e-13)


class TestLaws(DualLaws):
    @pytest.fixture(params=[d for d, _ in PAIRS] + [IdentityDual()], ids=[*CASES, "identity"])
    def dual(self, request: pytest.FixtureRequest) -> Dual:
        return request.param


def test_constant() -> None:
    dual = ConstantDual()
    assert (dual.slope_at_one, dual.a0, dual.a1) == (0.0, 1.0, 0.0)
    np.testing.assert_array_equal(dual.gap([0.0, 1.0, 2.0]), 0.0)
    np.testing.assert_array_equal(dual.value([-1.0, 0.0, 1.0]), 1.0)
    np.testing.assert_array_equal(dual.derivative([-1.0, 0.0, 1.0]), 0.0)


@pytest.mark.parametrize("factor", [1e-200, 1.0, 1e200])
def test_arc_cosine_is_blind_to_size(factor: float) -> None:
    dual = ArcCosineDual(factor, 0.0)
    np.testing.assert_array_equal(dual.coefficients(9), ArcCosineDual(1.0, 0.0).coefficients(9))


@pytest.mark.parametrize(("p", "theta"), [(0.0, 1.0), (1.0, 1.0), (0.5, 0.0), (0.5, 1.5), (-1, 1)])
def test_power_law_range(p: float, theta: float) -> None:
    with pytest.raises(ValueError, match=r"p must lie in \(0, 1\) and theta in \(0, 1\]"):
        PowerLawDual(p, theta)


def test_rates_up_to_the_largest_keep_a_slope_at_zero() -> None:
    assert HyperbolicDual(LARGEST_RATE, odd=True).a1 > np.finfo(float).tiny
    assert ExponentialDual(LARGEST_RATE).a0 > np.finfo(float).tiny
    # Beyond it the slope is not given as an exact zero, which would be another regime.
    beyond = Activation(f"sine_{2 * LARGEST_RATE}")
    assert 0.0 < beyond.errors["A1"] >= abs(beyond.A1)
    assert pytest.approx(2.0 * LARGEST_RATE, rel=1e-12) == beyond.B1
