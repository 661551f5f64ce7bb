"""Duals with finitely many coefficients."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.duals.series import SeriesDual
from laws import DualLaws

MIXTURES = {
    "h1": [0, 1],
    "h2": [0, 0, 1],
    "h3": [0, 0, 0, 1],
    "two terms": [0, 0.5, 0, 0, 0, 0, 0, 0.5],
    "three terms": [0, 0.0625, 0.875, 0.0625],
    "with a mean": [1e-6, 0.3, 0, 0.7 - 1e-6],
    "even": [0.5, 0, 0.25, 0, 0, 0, 0.25],
    "long": 1.0 / np.arange(1, 60) ** 2,
}


class TestLaws(DualLaws):
    @pytest.fixture(params=MIXTURES.values(), ids=MIXTURES.keys())
    def dual(self, request):
        return SeriesDual(request.param)


@pytest.mark.parametrize("a", MIXTURES.values(), ids=MIXTURES.keys())
def test_gap_in_exact_arithmetic(a):
    a = np.asarray(a, dtype=np.float64)
    exact = [Fraction(v) for v in a.tolist()]
    total = sum(exact)
    gaps = np.concatenate([np.geomspace(1e-14, 1.0, 15), [1.25, 1.5, 1.875]])
    for s in gaps.tolist():
        xi = 1 - Fraction(s)
        gap = sum(c * (1 - xi**k) for k, c in enumerate(exact)) / total
        slope = sum(k * c * xi ** (k - 1) for k, c in enumerate(exact) if k) / total
        dual = SeriesDual(a)
        np.testing.assert_allclose(dual.gap(s), float(gap), rtol=2e-13)
        np.testing.assert_allclose(dual.gap_derivative(s), float(slope), rtol=1e-12, atol=1e-14)


@given(
    st.lists(st.floats(0, 1).filter(lambda v: v == 0 or v > 1e-6), min_size=2, max_size=12),
    st.floats(1e-15, 1.0),
    st.floats(0.01, 100.0),
)
def test_any_mixture(a, s, factor):
    if not any(a):
        a[1] = 1.0
    dual, scaled = SeriesDual(a), SeriesDual(np.multiply(a, factor))
    assert 0.0 <= dual.gap(s) <= dual.slope_at_one * s * (1 + 1e-13)
    np.testing.assert_allclose(scaled.gap(s), dual.gap(s), rtol=1e-13)
    np.testing.assert_allclose(
        dual.slope_at_one, np.arange(len(a)) @ np.array(a) / np.sum(a), rtol=1e-13
    )
    assert dual.n_terms == np.flatnonzero(a)[-1] + 1
    np.testing.assert_allclose(dual.coefficients(20).sum(), 1.0, rtol=1e-14)


def test_parity_comes_from_the_degrees():
    assert SeriesDual([0, 1, 0, 1]).parity == "odd"
    assert SeriesDual([1, 0, 2]).parity == "even"
    assert SeriesDual([1e-300, 1]).parity is None


def test_error_is_carried():
    assert SeriesDual([0, 1]).error == 0.0
    assert SeriesDual([0, 1], error=1e-12).error == 1e-12


@pytest.mark.parametrize(
    "bad", [[], [0, 0], [0.5, -0.1], [np.nan, 1], [np.inf], [[0.5, 0.5]]], ids=str
)
def test_refuses_what_is_no_distribution(bad):
    with pytest.raises(ValueError, match=r"finite, non-negative and not all zero|1-d|dimension"):
        SeriesDual(bad)
