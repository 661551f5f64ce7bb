"""Duals built from duals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deeplimit.duals import Dual
from deeplimit.duals.algebra import CenteredDual, MixedDual
from deeplimit.duals.closed import (
    ArcCosineDual,
    ArcSineDual,
    ConstantDual,
    ExponentialDual,
    GeluDual,
    HyperbolicDual,
    IdentityDual,
)
from deeplimit.duals.series import SeriesDual
from duals import exact
from duals.laws import DualLaws

SINE, RELU = HyperbolicDual(1.0, odd=True), ArcCosineDual(1.0, 0.0)
CASES = {
    "bias": MixedDual([(0.9, SINE), (0.1, ConstantDual())]),
    "skip": MixedDual([(0.25, IdentityDual()), (0.75, SeriesDual([0, 0, 1]))]),
    "skip of relu": MixedDual([(0.5, IdentityDual()), (0.5, RELU)]),
    "odd parts": MixedDual([(0.5, SINE), (0.5, ArcSineDual(1.0))]),
    "with a jump": MixedDual([(0.5, ConstantDual()), (0.5, ArcSineDual(math.inf))]),
    "relu less mean": CenteredDual(RELU),
    "gelu less mean": CenteredDual(GeluDual()),
    "abs less mean": CenteredDual(ArcCosineDual(1.0, 1.0)),
    "cos less mean": CenteredDual(HyperbolicDual(9.0, odd=False)),
    "exp less mean": CenteredDual(ExponentialDual(2.5)),
    "steep exp less mean": CenteredDual(ExponentialDual(100.0)),
}


class TestLaws(DualLaws):
    @pytest.fixture(params=CASES.values(), ids=CASES)
    def dual(self, request: pytest.FixtureRequest) -> Dual:
        return request.param


def test_mixtures_are_linear() -> None:
    dual, x = CASES["skip of relu"], np.linspace(-1.0, 1.0, 21)
    np.testing.assert_allclose(dual.value(x), (x + RELU.value(x)) / 2.0, atol=1e-15)
    np.testing.assert_allclose(dual.derivative(x), (1.0 + RELU.derivative(x)) / 2.0, atol=1e-15)
    assert (dual.a0, dual.slope_at_one) == (RELU.a0 / 2.0, 1.0)


def test_a_part_of_no_weight_leaves_no_trace() -> None:
    dual = MixedDual([(1.0, SINE), (0.0, ArcSineDual(math.inf))])
    assert (dual.slope_at_one, dual.parity) == (SINE.slope_at_one, "odd")


def test_mixtures_carry_the_worst_error() -> None:
    rough = SeriesDual([0, 1, 1], error=1e-7)
    assert MixedDual([(0.5, rough), (0.5, SINE)]).error == 1e-7
    assert CenteredDual(SeriesDual([1, 1], error=1e-7)).error == 2e-7


@pytest.mark.parametrize("weights", [(0.5, 0.4), (1.5, -0.5), (0.5, 0.5 + 1e-6)])
def test_weights_sum_to_one(weights: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="non-negative and sum to one"):
        MixedDual([(weights[0], SINE), (weights[1], RELU)])


@pytest.mark.parametrize("x", [0.9, 0.5, 0.3, 0.26, 0.24, 0.1, 1e-3, -0.2, -0.3])
@pytest.mark.parametrize("a", [1.0, 20.0, 100.0])
def test_centred_values_keep_their_relative_accuracy(x: float, a: float) -> None:
    with exact.mp.workdps(exact.DIGITS):
        true = float(exact.mp.expm1(a * exact.mp.mpf(x)) / exact.mp.expm1(a))
    assert float(CenteredDual(ExponentialDual(a)).value(x)) == pytest.approx(true, rel=1e-12)


def test_a_centred_mean_is_exactly_zero() -> None:
    dual = CenteredDual(GeluDual())
    assert (dual.a0, dual.value(0.0)) == (0.0, 0.0)
    rest = 1.0 - GeluDual().a0
    np.testing.assert_allclose(dual.coefficients(9)[1:], GeluDual().coefficients(9)[1:] / rest)
    assert dual.slope_at_one == GeluDual().slope_at_one / rest


def test_a_constant_cannot_be_centred() -> None:
    with pytest.raises(ValueError, match="constant activation cannot be centred"):
        CenteredDual(ConstantDual())
