"""Duals built from duals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from laws import GAPS, DualLaws

BUILT = {
    "relu, centred": CenteredDual(ArcCosineDual(1.0, 0.0)),
    "abs, centred": CenteredDual(ArcCosineDual(1.0, 1.0)),
    "gelu, centred": CenteredDual(GeluDual()),
    "exp, centred": CenteredDual(ExponentialDual(2.5)),
    "cos, centred": CenteredDual(HyperbolicDual(1.0, odd=False)),
    "erf, biased": MixedDual([(0.8, ArcSineDual(1.0)), (0.2, ConstantDual())]),
    "h2, skipped": MixedDual([(0.5, IdentityDual()), (0.5, SeriesDual([0, 0, 1]))]),
    "sin, skipped": MixedDual([(0.25, IdentityDual()), (0.75, HyperbolicDual(2.0, odd=True))]),
    "step": MixedDual([(0.5, ConstantDual()), (0.5, ArcSineDual(np.inf))]),
    "step, centred": CenteredDual(MixedDual([(0.5, ConstantDual()), (0.5, ArcSineDual(np.inf))])),
}


class TestLaws(DualLaws):
    @pytest.fixture(params=BUILT.values(), ids=BUILT.keys())
    def dual(self, request):
        return request.param


class TestCentered:
    def test_formula_of_the_exponential(self):
        # f = (e^(a xi) - 1) / (e^a - 1), also where its value is far below one.
        for a in (0.1, 2.521545457371, 13.0):
            dual = CenteredDual(ExponentialDual(a))
            xi = np.array([-1.0, -0.5, -1e-12, 1e-200, 1e-12, 0.2, 0.3, 0.9])
            np.testing.assert_allclose(dual.value(xi), np.expm1(a * xi) / np.expm1(a), rtol=1e-11)
            np.testing.assert_allclose(
                dual.gap(GAPS), np.expm1(-a * GAPS) / np.expm1(-a), rtol=2e-14
            )
            np.testing.assert_allclose(dual.slope_at_one, -a / np.expm1(-a), rtol=1e-14)

    def test_mean_is_exactly_zero(self):
        for name in ("relu", "abs", "gelu", "exp", "cos", "step"):
            dual = BUILT[f"{name}, centred"]
            assert dual.a0 == dual.value(0.0) == dual.coefficients(5)[0] == 0.0

    def test_centring_of_an_odd_dual_changes_nothing(self):
        dual, base = CenteredDual(ArcSineDual(1.0)), ArcSineDual(1.0)
        np.testing.assert_array_equal(dual.gap(GAPS), base.gap(GAPS))
        assert dual.parity == "odd" and dual.slope_at_one == base.slope_at_one

    def test_refuses_a_constant(self):
        with pytest.raises(ValueError, match="constant activation cannot be centred"):
            CenteredDual(ConstantDual())

    def test_error_grows_with_what_is_taken_away(self):
        dual = CenteredDual(SeriesDual([0.75, 0.25], error=1e-14))
        np.testing.assert_allclose(dual.error, 4e-14)


class TestMixed:
    @given(st.floats(1e-3, 1.0), st.floats(1e-9, 2.0))
    def test_is_the_weighted_sum(self, weight, s):
        one, other = ArcSineDual(1.0), GeluDual()
        dual = MixedDual([(weight, one), (1.0 - weight, other)])
        np.testing.assert_allclose(
            dual.gap(s), weight * one.gap(s) + (1 - weight) * other.gap(s), rtol=1e-14
        )
        np.testing.assert_allclose(
            dual.slope_at_one,
            weight * one.slope_at_one + (1 - weight) * other.slope_at_one,
            rtol=1e-14,
        )
        np.testing.assert_allclose(
            dual.value(1.0 - s),
            weight * one.value(1.0 - s) + (1 - weight) * other.value(1.0 - s),
            atol=1e-14,
        )

    def test_bias_and_skip_of_the_specification(self):
        f, tau, bias, xi = GeluDual(), 0.7, 0.3, np.linspace(-1, 1, 21)
        skip = MixedDual([(1 / (1 + tau), IdentityDual()), (tau / (1 + tau), f)])
        np.testing.assert_allclose(skip.value(xi), (xi + tau * f.value(xi)) / (1 + tau), rtol=1e-13)
        biased = MixedDual([(1 / (1 + bias), f), (bias / (1 + bias), ConstantDual())])
        np.testing.assert_allclose(biased.value(xi), (f.value(xi) + bias) / (1 + bias), rtol=1e-13)

    def test_parity_survives_only_among_equals(self):
        odd, even = IdentityDual(), HyperbolicDual(1.0, odd=False)
        assert MixedDual([(0.5, odd), (0.5, ArcSineDual(1.0))]).parity == "odd"
        assert MixedDual([(0.5, even), (0.5, ConstantDual())]).parity == "even"
        assert MixedDual([(0.5, odd), (0.5, even)]).parity is None
        assert MixedDual([(1.0, odd), (0.0, even)]).parity == "odd"

    def test_error_is_the_largest(self):
        rough = SeriesDual([0, 1], error=1e-10)
        assert MixedDual([(0.5, IdentityDual()), (0.5, rough)]).error == 1e-10

    @pytest.mark.parametrize("weights", [(0.5, 0.4), (1.5, -0.5), (0.0, 0.0)])
    def test_weights_are_shares(self, weights):
        with pytest.raises(ValueError, match="non-negative and sum to one"):
            MixedDual([(w, IdentityDual()) for w in weights])
