"""Duals by quadrature: against closed forms, against other formulas, honest about their error."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from numpy.random import default_rng

from deeplimit.activations.expressions import parse
from deeplimit.duals import Dual
from deeplimit.duals.closed import ArcCosineDual, ArcSineDual, ExponentialDual, GeluDual
from deeplimit.duals.hermite import GaussianQuadrature
from deeplimit.duals.quadrature import QuadratureDual
from duals import exact
from duals.laws import DualLaws

GAPS = np.array([1e-14, 1e-12, 1e-9, 1e-6, 1e-4, 0.003, 0.02, 0.1, 0.4, 0.74, 0.9, 1.2, 1.6, 1.99])
CLOSED = {
    "relu(x)": ArcCosineDual(1.0, 0.0),
    "max(x, 0) + 0.2*min(x, 0)": ArcCosineDual(1.0, -0.2),
    "sign(x)": ArcSineDual(math.inf),
    "gelu(x)": GeluDual(),
    "erf(x)": ArcSineDual(1.0),
    "erf(20*x)": ArcSineDual(20.0),
    "exp(1.5*x)": ExponentialDual(2.25),
}
BROKEN = {
    "clip(x, -1, 1)": exact.kinked([-1, 1], [1, -1], 0, -1),
    "clip(x, 0, 6)": exact.kinked([0, 6], [1, -1], 0, 0),
    "clip(x, -0.1234, 2.7)": exact.kinked([-0.1234, 2.7], [1, -1], 0, -0.1234),
    "max(x - 0.5, 0) + min(x + 0.5, 0)": exact.kinked([-0.5, 0.5], [-1, 1], 1, 0),
    "clip(1000*(x - 0.3), -1, 1)": exact.kinked([0.299, 0.301], [1000, -1000], 0, -1),
    "abs(x) - abs(x - 0.01)": exact.kinked([0, 0.01], [2, -2], 0, -0.01),
    "sign(x - 0.3)": exact.stepped([0.3], [2], -1),
    "sign(x) + sign(x - 0.001)": exact.stepped([0, 0.001], [2, 2], -2),
    "where(abs(x) > 0.5, 1, 0)": exact.stepped([-0.5, 0.5], [-1, 1], 1),
}


@cache
def tabulated(formula: str) -> QuadratureDual:
    return QuadratureDual(GaussianQuadrature(parse(formula)))


@pytest.mark.parametrize("formula", CLOSED)
def test_against_closed_forms(formula: str) -> None:
    dual, true = tabulated(formula), CLOSED[formula]
    np.testing.assert_allclose(dual.gap(GAPS), true.gap(GAPS), rtol=2e-13)
    slopes = true.gap_derivative(GAPS)
    scale = np.maximum(np.abs(slopes), 0.1 * np.abs(slopes[GAPS > 0.1]).max())
    np.testing.assert_allclose((dual.gap_derivative(GAPS) - slopes) / scale, 0.0, atol=1e-12)
    np.testing.assert_allclose(dual.coefficients(80), true.coefficients(80), rtol=0.0, atol=1e-14)
    assert (dual.parity, dual.error < 1e-12) == (true.parity, True)


def test_relu_is_as_good_as_its_closed_form() -> None:
    s = np.geomspace(1e-14, 1.9, 200)
    np.testing.assert_allclose(tabulated("relu(x)").gap(s), CLOSED["relu(x)"].gap(s), rtol=2e-14)


@pytest.mark.parametrize("formula", BROKEN)
def test_against_the_formula_for_kinks_and_jumps(formula: str) -> None:
    dual, true = tabulated(formula), BROKEN[formula]
    # Steep functions of a place that is not zero feel the rounding of their argument.
    rtol = 1e-12 if "1000" not in formula else 1e-11
    gaps = np.array([true.gap(s) for s in GAPS])
    np.testing.assert_allclose(dual.gap(GAPS), gaps, rtol=rtol)
    slopes = np.array([true.derivative(s) for s in GAPS])
    # Towards antipodes it is a difference of what the even and the odd part have.
    scale = np.maximum(np.abs(slopes), [true.derivative(min(s, 2.0 - s)) for s in GAPS])
    np.testing.assert_allclose((dual.gap_derivative(GAPS) - slopes) / scale, 0.0, atol=rtol)
    assert np.all(np.abs(dual.gap(GAPS) / gaps - 1.0) <= 10.0 * dual.error)
    if true.energy is None:
        assert math.isinf(dual.slope_at_one)
    else:
        assert dual.slope_at_one == pytest.approx(true.energy / true.norm2, rel=rtol)


@pytest.mark.parametrize("seed", range(4))
def test_the_error_is_honest_for_kinks_and_jumps_anywhere(seed: int) -> None:
    rng = default_rng(seed)
    n = int(rng.integers(1, 4))
    places = np.sort(np.round(rng.normal(size=n) * 1.5, 3 + seed % 4)).tolist()
    weights = np.round(rng.normal(size=n) * 10.0 ** rng.uniform(-3, 2, n), 6).tolist()
    start = round(float(rng.normal()), 4)
    if seed % 2:
        true = exact.stepped(places, weights, start)
        parts = [f"{w}*heaviside(x - {t})" for w, t in zip(weights, places, strict=True)]
        formula = f"{start} + " + " + ".join(parts)
    else:
        slope = round(float(rng.normal()), 4)
        true = exact.kinked(places, weights, slope, start)
        parts = [f"{w}*relu(x - {t})" for w, t in zip(weights, places, strict=True)]
        formula = f"{start} + {slope}*(x - {places[0]}) + " + " + ".join(parts)
    dual = tabulated(formula.replace("- -", "+ ").replace("+ -", "- "))
    gaps = np.array([1e-14, 1e-7, 1e-3, 0.1, 0.6, 1.6])
    apart = np.abs(dual.gap(gaps) / [true.gap(s) for s in gaps] - 1.0)
    assert np.all(apart <= 10.0 * dual.error), (formula, apart, dual.error)
    assert dual.error <= 1e-11


@pytest.mark.parametrize("width", [1e-2, 1e-4])
def test_narrow_features_are_seen(width: float) -> None:
    c = 1.0 / (2.0 * width**2)
    dual = tabulated(f"exp(-{c!r}*(x - 1.2345)^2)")
    true = exact.bump(c, 1.2345)
    gaps = np.array([1e-14, 1e-10, 1e-7, 1e-4, 1e-2, 0.3, 1.0, 1.5])
    apart = np.abs(dual.gap(gaps) / [true.gap(s) for s in gaps] - 1.0)
    assert np.all(apart <= 10.0 * dual.error)
    assert dual.error <= 1e-8


def cusp_gap(power: float, s: float) -> float:
    """Gap of abs(z)^p: its Hermite coefficients are those of a hypergeometric function."""
    mp = exact.mp
    with mp.workdps(80):
        x, half = 1 - mp.mpf(s), mp.mpf(power) / 2
        top = mp.gamma(mp.mpf(power) + mp.mpf(1) / 2) / mp.sqrt(mp.pi) * mp.mpf(2) ** power
        mean = mp.gamma(half + mp.mpf(1) / 2) / mp.sqrt(mp.pi) * mp.mpf(2) ** half
        return float(1 - mean**2 * mp.hyp2f1(-half, -half, mp.mpf(1) / 2, x * x) / top)


@pytest.mark.parametrize("power", [0.5, 0.75, 1.5])
def test_cusps_have_an_honest_error(power: float) -> None:
    dual = tabulated(f"abs(x)^{power}")
    gaps = np.array([1e-30, 1e-20, 1e-14, 1e-9, 1e-5, 1e-2, 0.3, 0.9])
    apart = np.abs(dual.gap(gaps) / [cusp_gap(power, s) for s in gaps] - 1.0)
    inside = gaps >= 1e-14
    assert np.all(apart[inside] <= 10.0 * dual.error)
    # Below the table the law of the cusp goes on.
    assert np.all(apart <= 1e-4)
    assert dual.error <= 1e-7
    assert math.isinf(dual.slope_at_one) == (power <= 0.5)


def test_many_breaks() -> None:
    # The sign of a sine of frequency w is a square wave: 4/pi sum over odd k of sin(kwx)/k.
    k, w = np.arange(1, 400, 2), 2.0
    x = 1.0 - np.array([1e-4, 1e-3, 0.01, 0.1, 0.5])
    rate = np.outer(k, k) * w * w
    damp = np.exp(-((k[:, None] - k) ** 2) * w * w / 2.0) / np.outer(k, k)
    value = [
        8.0
        / math.pi**2
        * float(np.sum(damp * (np.exp(rate * (t - 1.0)) - np.exp(-rate * (t + 1.0)))))
        for t in x
    ]
    dual = tabulated("sign(sin(2*x))")
    np.testing.assert_allclose(dual.gap(1.0 - x), 1.0 - np.array(value), rtol=2e-3)
    assert dual.error <= 1e-11


def test_a_jump_too_small_to_matter_at_visible_gaps_is_still_a_jump() -> None:
    dual = tabulated("x + 1e-5*sign(x - 0.4)")
    assert math.isinf(dual.slope_at_one)
    # At an angle t the jump adds J²φ(0.4)t/√(2π) and the slope J φ(0.4) t².
    bell, jump, norm2 = math.exp(-0.08) / math.sqrt(2.0 * math.pi), 2e-5, 1.0000147309056122
    for s in (1e-16, 1e-14, 1e-12, 1e-10):
        angle = 2.0 * math.asin(math.sqrt(s / 2.0))
        extra = jump**2 * bell * angle / math.sqrt(2.0 * math.pi) + jump * bell * angle**2
        assert float(dual.gap(s)) == pytest.approx((s + extra) / norm2, rel=1e-9)


def test_what_values_alone_cannot_give() -> None:
    with pytest.raises(ValueError, match=r"known to \de-\d\d only"):
        tabulated("abs(x)^-0.4")


class TestLaws(DualLaws):
    @pytest.fixture(
        params=[
            "relu(x)",
            "sign(x)",
            "clip(x, -1, 1)",
            "clip(x, -0.1234, 2.7)",
            "elu(x)",
            "x/(1 + abs(x))",
            "where(abs(x) > 0.5, x, 0)",
            "abs(x) - 2",
            "heaviside(x - 1) + x",
            "tanh(20*x)",
        ]
    )
    def dual(self, request: pytest.FixtureRequest) -> Dual:
        return tabulated(request.param)


class TestLawsOfCusps(DualLaws):
    slack = 1e-8

    @pytest.fixture(params=["sqrt(abs(x))", "abs(x)^0.75"])
    def dual(self, request: pytest.FixtureRequest) -> Dual:
        return tabulated(request.param)
