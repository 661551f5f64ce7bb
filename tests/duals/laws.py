"""What every dual map obeys, whatever it is computed from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deeplimit.duals import Dual

SMALL_GAPS = np.geomspace(1e-300, 1e-3, 120)
CORRELATIONS = np.concatenate((np.linspace(-1.0, 1.0, 401), [0.25, -0.25, 0.2500001, -1e-9, 1e-9]))


def points(rng: np.random.Generator, n: int, dimension: int) -> np.ndarray:
    x = rng.standard_normal((n, dimension))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


class DualLaws:
    """A battery that a test class inherits; it provides the fixture ``dual``.

    `slack` is the relative error that the dual under test is allowed beyond rounding.
    """

    slack = 0.0

    @pytest.fixture
    def dual(self) -> Dual:
        raise NotImplementedError

    def tolerance(self, dual: Dual) -> float:
        return 3e-14 + self.slack + 10.0 * dual.error

    def test_equal_inputs_stay_equal(self, dual: Dual) -> None:
        assert dual.gap(0.0) == 0.0
        assert dual.value(1.0) == 1.0

    def test_values_are_correlations(self, dual: Dual) -> None:
        values = dual.value(CORRELATIONS)
        assert np.all(np.abs(values) <= 1.0 + self.tolerance(dual))
        assert np.all(np.abs(values) <= dual.value(np.abs(CORRELATIONS)) + self.tolerance(dual))
        gaps = dual.gap(np.linspace(0.0, 2.0, 301))
        assert np.all((gaps >= 0.0) & (gaps <= 2.0 * (1.0 + self.tolerance(dual))))

    def test_rises_and_bends_upward_for_positive_correlations(self, dual: Dual) -> None:
        x = np.linspace(0.0, 1.0, 201)
        values, slopes = dual.value(x), dual.derivative(x)
        assert np.all(np.diff(values) >= -self.tolerance(dual))
        assert np.all(slopes >= 0.0)
        finite = slopes[np.isfinite(slopes)]
        assert np.all(np.diff(finite) >= -100.0 * self.tolerance(dual) * finite[1:])

    def test_gap_and_value_agree(self, dual: Dual) -> None:
        apart = dual.value(CORRELATIONS) - (1.0 - dual.gap(1.0 - CORRELATIONS))
        np.testing.assert_allclose(apart, 0.0, atol=self.tolerance(dual))
        inner = CORRELATIONS[CORRELATIONS < 1.0]
        np.testing.assert_allclose(
            dual.derivative(inner),
            dual.gap_derivative(1.0 - inner),
            rtol=100.0 * self.tolerance(dual),
            atol=100.0 * self.tolerance(dual),
        )

    def test_derivative_is_that_of_the_value(self, dual: Dual) -> None:
        x = np.array([-0.93, -0.7, -0.31, -0.2, 0.0, 0.1, 0.24, 0.26, 0.5, 0.77, 0.9])
        for s in (1.0 - x, np.array([3e-2, 1e-3, 1e-6, 1e-9])):
            h = 3e-4 * np.minimum(s, 2.0 - s)
            g = [dual.gap(s + k * h) for k in (-2, -1, 1, 2)]
            slope = (g[0] - 8.0 * g[1] + 8.0 * g[2] - g[3]) / (12.0 * h)
            scale = np.abs(dual.gap_derivative(np.minimum(s, 2.0 - s))) + 1e-3
            np.testing.assert_allclose(
                (dual.gap_derivative(s) - slope) / scale, 0.0, atol=1e-7 + 1e4 * self.slack
            )

    def test_coefficients_are_those_of_the_value(self, dual: Dual) -> None:
        a = dual.coefficients(400)
        assert a.shape == (400,)
        assert np.all(a >= 0.0)
        assert a.sum() <= 1.0 + self.tolerance(dual)
        np.testing.assert_array_equal(dual.coefficients(3), a[:3])
        assert (dual.a0, dual.a1) == (a[0], a[1])
        x = np.array([-0.9, -0.5, -0.25, 0.1, 0.25, 0.3, 0.6, 0.9])
        series = np.polynomial.polynomial.polyval(x, a)
        np.testing.assert_allclose(dual.value(x), series, rtol=0.0, atol=self.tolerance(dual))

    def test_small_gaps_keep_their_relative_accuracy(self, dual: Dual) -> None:
        # f is convex: s f'(1 - s) <= 1 - f(1 - s) <= s f'(1).
        slack = 1.0 + 30.0 * self.tolerance(dual)
        gaps, slopes = dual.gap(SMALL_GAPS), dual.gap_derivative(SMALL_GAPS)
        assert np.all(SMALL_GAPS * slopes <= gaps * slack)
        assert np.all(gaps <= SMALL_GAPS * dual.slope_at_one * slack)
        assert np.all(np.diff(gaps) >= 0.0)

    def test_slope_at_one(self, dual: Dual) -> None:
        at_one = float(dual.gap_derivative(0.0))
        if math.isinf(dual.slope_at_one):
            steep = dual.gap_derivative(np.array([1e-2, 1e-6, 1e-10, 1e-14]))
            assert np.all(np.diff(steep) > 0.0)
        else:
            assert at_one == pytest.approx(dual.slope_at_one, rel=30.0 * self.tolerance(dual))

    def test_parity(self, dual: Dual) -> None:
        x = np.linspace(0.01, 1.0, 50)
        up, down = dual.value(x), dual.value(-x)
        if dual.parity is None:
            a = dual.coefficients(600)
            assert np.any(a[::2])
            assert np.any(a[1::2])
        else:
            sign = -1.0 if dual.parity == "odd" else 1.0
            np.testing.assert_allclose(down, sign * up, rtol=0.0, atol=self.tolerance(dual))
            a = dual.coefficients(9)
            assert np.all(a[::2] == 0.0) if dual.parity == "odd" else np.all(a[1::2] == 0.0)

    def test_what_vanishes_at_zero_does_so_by_its_leading_term(self, dual: Dual) -> None:
        a = dual.coefficients(60)
        if a[0] or not np.any(a > 1e-12):
            return
        m = int(np.flatnonzero(a)[0])
        for x in (1e-8, -1e-8, 1e-30):
            leading = a[m] * x**m + a[m + 1] * x ** (m + 1)
            assert float(dual.value(x)) == pytest.approx(leading, rel=1e-13)

    @pytest.mark.parametrize("dimension", [2, 3, 8])
    def test_grams_are_positive_semidefinite(self, dual: Dual, dimension: int) -> None:
        x = points(np.random.default_rng(dimension), 40, dimension)
        gap = ((x[:, None] - x[None]) ** 2).sum(axis=2) / 2.0
        gram = 1.0 - dual.gap(gap)
        assert np.linalg.eigvalsh(gram).min() >= -40.0 * (1e-14 + dual.error)

    def test_shapes_and_ends(self, dual: Dual) -> None:
        for method in (dual.value, dual.derivative, dual.gap, dual.gap_derivative):
            for shape in ((), (0,), (3,), (2, 2)):
                result = method(np.full(shape, 0.7))
                assert (np.shape(result), np.asarray(result).dtype) == (shape, np.float64)
            assert method([0.3, 0.3])[0] == method(0.3)
        # Rounding may lead a correlation out of its range, never a result.
        assert dual.gap(np.nextafter(2.0, 3.0)) == dual.gap(2.0)
        assert dual.value(np.nextafter(1.0, 2.0)) == 1.0
        assert dual.value(np.nextafter(-1.0, -2.0)) == dual.value(-1.0)
        assert dual.gap(-1e-18) == 0.0

    def test_arguments_are_left_alone(self, dual: Dual) -> None:
        s = np.array([0.0, 0.5, 1.0])
        before = s.copy()
        result = dual.gap(s)
        result += 1.0
        np.testing.assert_array_equal(s, before)
        mine = dual.coefficients(5)
        kept = mine.copy()
        mine += 1.0
        np.testing.assert_array_equal(dual.coefficients(5), kept)
