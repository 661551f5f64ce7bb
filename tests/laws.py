"""What holds for the dual of every activation: a battery to inherit."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimit.duals import Dual

#: Gaps from far below the rounding of a correlation up to orthogonal points, and beyond them.
NEAR = np.geomspace(1e-16, 1.0, 65)
GAPS = np.concatenate([[0.0], NEAR, np.linspace(1.0, 2.0, 41)[1:]])
CORRELATIONS = np.concatenate(
    [np.linspace(-1.0, 1.0, 81), [-1e-3, -1e-9, 1e-300, 1e-9, 1e-3], 1.0 - np.geomspace(1e-15, 0.1)]
)


class DualLaws:
    """Laws of a normalised dual; the class of a test gives the fixture ``dual``."""

    @pytest.fixture
    def tolerance(self, dual: Dual) -> float:
        """Give the relative accuracy to ask for: that of closed forms, or what the dual states."""
        assert 0.0 <= dual.error < 1e-13
        return 2e-13 + 10.0 * dual.error

    def test_is_one_at_one(self, dual, tolerance):
        assert dual.gap(0.0) == 0.0
        assert dual.value(1.0) == 1.0
        if np.isinf(dual.slope_at_one):
            assert dual.gap_derivative(0.0) == dual.derivative(1.0) == np.inf
        else:
            np.testing.assert_allclose(
                [dual.gap_derivative(0.0), dual.derivative(1.0)],
                dual.slope_at_one,
                rtol=10 * tolerance,
            )

    def test_stays_within_one(self, dual, tolerance):
        assert np.all(np.abs(dual.value(CORRELATIONS)) <= 1.0 + tolerance)
        assert np.all((dual.gap(GAPS) >= 0.0) & (dual.gap(GAPS) <= 2.0 + tolerance))

    def test_is_monotone_and_convex_between_zero_and_one(self, dual, tolerance):
        slopes = dual.gap_derivative(NEAR)
        assert np.all(slopes >= -tolerance)
        assert np.all(np.diff(slopes) <= 10 * tolerance * (np.abs(slopes[:-1]) + 0.1))
        assert np.all(np.diff(dual.gap(NEAR)) >= 0.0)

    def test_chords_fall_with_the_gap(self, dual, tolerance):
        # Convexity once more, and as (1 - f)/s it is about relative accuracy at any gap.
        chords = dual.gap(NEAR) / NEAR
        assert np.all(np.diff(chords) <= tolerance * chords[:-1])
        assert np.all(chords <= dual.slope_at_one * (1.0 + tolerance))
        assert np.all(dual.gap_derivative(NEAR) <= chords * (1.0 + 10 * tolerance))

    def test_gap_begins_with_the_slope_at_one(self, dual, tolerance):
        chords = dual.gap(NEAR[:2]) / NEAR[:2]
        if np.isinf(dual.slope_at_one):
            # A jump: the gap starts like a root, so that each chord exceeds all before it.
            np.testing.assert_allclose(chords[0] / chords[1], np.sqrt(NEAR[1] / NEAR[0]), rtol=1e-6)
        else:
            np.testing.assert_allclose(chords[0], dual.slope_at_one, rtol=1e-6)

    def test_gap_is_the_integral_of_the_derivative(self, dual, tolerance):
        x, w = np.polynomial.legendre.leggauss(24)
        ends = np.concatenate([np.geomspace(1e-15, 0.5, 60), np.linspace(0.5, 1.5, 9)[1:]])
        ends = np.concatenate([ends, 2.0 - np.geomspace(0.5, 1e-6, 20)[1:]])
        half = np.diff(ends)[:, None] / 2.0
        at = ends[:-1, None] + half * (1.0 + x)
        pieces = np.sum(w * half * dual.gap_derivative(at), axis=1)
        gaps = dual.gap(ends)
        # Beyond orthogonal points an even dual's gap falls back to zero, with the rounding of one.
        largest = np.where(ends[1:] <= 1.0, gaps[1:], 1.0)
        assert np.all(np.abs(np.diff(gaps) - pieces) <= 10 * tolerance * largest)

    def test_value_and_gap_say_the_same(self, dual, tolerance):
        s = np.linspace(0.0, 2.0, 129)  # 1 - s is exact
        np.testing.assert_allclose(dual.value(1.0 - s), 1.0 - dual.gap(s), rtol=0, atol=tolerance)
        finite = s[1:]
        np.testing.assert_allclose(
            dual.derivative(1.0 - finite),
            dual.gap_derivative(finite),
            rtol=10 * tolerance,
            atol=10 * tolerance * min(dual.slope_at_one, 1.0),
        )

    def test_coefficients_are_a_distribution(self, dual, tolerance):
        a = dual.coefficients(200)
        assert a.shape == (200,)
        assert np.all(a >= 0.0)
        assert a.sum() <= 1.0 + tolerance
        assert (a[0], a[1]) == (dual.a0, dual.a1)
        for n in (1, 2, 7):
            np.testing.assert_allclose(dual.coefficients(n), a[:n], rtol=1e-12, atol=1e-15)

    def test_series_gives_value_and_derivative(self, dual, tolerance):
        a = dual.coefficients(200)
        x = np.linspace(-0.8, 0.8, 65)
        series = np.polynomial.Polynomial(a)
        np.testing.assert_allclose(dual.value(x), series(x), rtol=0, atol=tolerance)
        np.testing.assert_allclose(
            dual.derivative(x),
            series.deriv()(x),
            rtol=0,
            atol=10 * tolerance * max(1.0, series.deriv()(0.8)),
        )

    def test_coefficients_sum_to_one_and_to_the_slope(self, dual, tolerance):
        # By Abel: what the series still lacks at 1 - s is what lies above the cut.
        a = dual.coefficients(200)
        assert 1.0 - a.sum() <= float(dual.gap(0.02)) + tolerance
        if np.isfinite(dual.slope_at_one):
            assert a @ np.arange(200) <= dual.slope_at_one * (1.0 + 10 * tolerance)

    def test_keeps_its_parity(self, dual, tolerance):
        x = CORRELATIONS[CORRELATIONS >= 0.0]
        if np.isinf(dual.slope_at_one):  # next to -1 the rounding of 1 - x decides
            x = x[(x < 0.9999) | (x == 1.0)]
        up, down = dual.value(x), dual.value(-x)
        if dual.parity == "odd":
            np.testing.assert_allclose(down, -up, rtol=tolerance, atol=tolerance * 1e-3)
            np.testing.assert_allclose(dual.gap(2.0), 2.0, rtol=tolerance)
            assert dual.a0 == 0.0
            assert not np.any(dual.coefficients(40)[::2])
        elif dual.parity == "even":
            np.testing.assert_allclose(down, up, rtol=tolerance, atol=tolerance)
            np.testing.assert_allclose(dual.gap(2.0), 0.0, atol=tolerance)
            assert dual.a1 == 0.0
            assert not np.any(dual.coefficients(40)[1::2])
        else:
            assert dual.parity is None

    def test_gram_matrix_is_positive_semidefinite(self, dual, tolerance):
        x = np.random.default_rng(5).standard_normal((40, 3))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        gaps = np.sum((x[:, None] - x[None]) ** 2, axis=2) / 2.0
        gram = dual.value(np.clip(1.0 - gaps, -1.0, 1.0))
        assert np.linalg.eigvalsh(gram).min() >= -40 * tolerance

    def test_is_relatively_accurate_near_zero(self, dual, tolerance):
        a = dual.coefficients(12)
        degree = int(np.flatnonzero(a > 1e-12)[0])
        x = np.geomspace(1e-18, 1e-6, 13)
        if degree == 0:
            np.testing.assert_allclose(dual.value(x), a[0], rtol=tolerance, atol=2e-6)
            return
        assert dual.value(0.0) == 0.0
        for sign in (1.0, -1.0):
            leading = (
                a[degree] * (sign * x) ** degree * (1.0 + sign * x * a[degree + 1] / a[degree])
            )
            np.testing.assert_allclose(dual.value(sign * x), leading, rtol=1e-10)
            np.testing.assert_allclose(
                dual.derivative(sign * x)[-1], degree * leading[-1] / (sign * x[-1]), rtol=1e-3
            )

    def test_takes_any_shape_and_warns_of_nothing(self, dual):
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            for function, points in [
                (dual.value, CORRELATIONS),
                (dual.derivative, CORRELATIONS),
                (dual.gap, GAPS),
                (dual.gap_derivative, GAPS),
            ]:
                given = points[:36].reshape(2, 3, 6)
                kept = given.copy()
                shaped = function(given)
                assert shaped.shape == given.shape and shaped.dtype == np.float64
                np.testing.assert_array_equal(given, kept)
                np.testing.assert_array_equal(shaped.ravel(), function(points)[:36])
                np.testing.assert_array_equal(shaped.ravel(), function(points[:36].tolist()))
                assert np.shape(function(0.5)) == ()
                assert function(np.zeros((0, 3))).shape == (0, 3)
                assert not np.any(np.isnan(function(points)))
