"""Duals with finitely many coefficients."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.duals import Dual
from deeplimit.duals.series import SeriesDual
from duals.laws import DualLaws

CASES = {
    "identity": [0, 1],
    "h2": [0, 0, 1],
    "h7": [0] * 7 + [1],
    "2d_opt": [0, 0.5, 0, 0, 0, 0, 0, 0.5],
    "5d_opt": [0, 0.25, 0.5, 0.25],
    "with a mean": [0.3, 0.1, 0.0, 0.6],
    "even": [0.2, 0, 0.5, 0, 0.3],
    "degree 500": [0, 1e-3] + [0] * 498 + [0.999],
    "tiny slope": [0, 1e-200, 1],
}


class TestLaws(DualLaws):
    @pytest.fixture(params=CASES.values(), ids=CASES)
    def dual(self, request: pytest.FixtureRequest) -> Dual:
        return SeriesDual(request.param)


def exact_gap(squares: list[Fraction], s: float) -> Fraction:
    x = 1 - Fraction(s)
    return 1 - sum(a * x**k for k, a in enumerate(squares)) / sum(squares)


@given(
    st.lists(st.integers(0, 1000), min_size=2, max_size=12).filter(lambda a: any(a[1:])),
    st.one_of(st.floats(1e-300, 2.0), st.floats(0.0, 1.0).map(lambda u: 2.0**-u)),
)
def test_gap_against_rational_arithmetic(squares: list[int], s: float) -> None:
    true = float(exact_gap([Fraction(a) for a in squares], s))
    error = abs(float(SeriesDual(squares).gap(s)) - true)
    # For positive correlations nothing cancels; for negative ones gaps are of the order of one.
    assert error <= 1e-14 * (true if s <= 1.0 else 1.0)


@given(
    st.lists(st.just(0.0) | st.floats(1e-100, 1e6), min_size=1, max_size=9).filter(any),
    st.floats(1e-3, 1e3),
)
def test_size_does_not_matter(squares: list[float], factor: float) -> None:
    one, other = SeriesDual(squares), SeriesDual(np.array(squares) * factor)
    np.testing.assert_allclose(one.coefficients(9), other.coefficients(9), rtol=1e-14, atol=1e-300)


def test_parity_is_read_from_the_coefficients() -> None:
    assert SeriesDual([0, 1, 0, 2]).parity == "odd"
    assert SeriesDual([1, 0, 2]).parity == "even"
    assert SeriesDual([0, 1, 2]).parity is None


def test_terms_and_slope() -> None:
    dual = SeriesDual([0, 1, 0, 3, 0, 0], error=1e-9)
    assert (dual.n_terms, dual.slope_at_one, dual.error) == (4, 2.5, 1e-9)
    np.testing.assert_array_equal(dual.coefficients(2), [0.0, 0.25])
    np.testing.assert_array_equal(dual.coefficients(6), [0.0, 0.25, 0.0, 0.75, 0.0, 0.0])


@pytest.mark.parametrize("squares", [[], [0.0, 0.0], [1.0, -1e-9], [np.nan, 1.0], [[1.0], [2.0]]])
def test_what_is_no_series(squares: list[float]) -> None:
    with pytest.raises(ValueError, match="finite, non-negative and not all zero"):
        SeriesDual(squares)
