"""The equations of the families, against 40 digits."""

from __future__ import annotations

import math

import mpmath
import pytest

from deeplimit.designs.parameters import (
    exponential_exponent,
    exponential_parameter,
    mixture_weight,
    neighbouring_degrees,
    residual_exponent,
    sine_exponent,
    sine_parameter,
)


def exponent(a1, slope):
    return -2 * mpmath.log(a1) / mpmath.log(slope)


def sine(a):
    return exponent(a / mpmath.sinh(a), a * mpmath.coth(a))


def exponential(a):
    return exponent(a / mpmath.expm1(a), -a / mpmath.expm1(-a))


@pytest.mark.parametrize("a", [1e-9, 1e-3, 0.03, 0.5, 1.99, 2.01, 3.99, 4.01, 20.0, 300.0, 650.0])
@pytest.mark.parametrize(
    ("mine", "exact"), [(sine_exponent, sine), (exponential_exponent, exponential)]
)
def test_exponents_for_parameters(mine, exact, a):
    with mpmath.workdps(60):
        expected = float(exact(mpmath.mpf(a)))
    assert mine(a) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("wanted", [2.0001, 2.1, 3.0, 4.0, 7.5, 12.0, 60.0, 115.0])
@pytest.mark.parametrize(
    ("solve", "exact"), [(sine_parameter, sine), (exponential_parameter, exponential)]
)
def test_parameters_for_exponents(solve, exact, wanted):
    with mpmath.workdps(40):
        error = float(exact(mpmath.mpf(solve(wanted))) - wanted)
    assert abs(error) <= 4e-15 * wanted


@pytest.mark.parametrize("degree", [2, 3, 4, 9, 201])
@pytest.mark.parametrize("part", [1.000001, 1.01, 1.5, 3.0, 40.0])
def test_weights_of_two_terms(degree, part):
    wanted = part * 2.0 / (degree - 1)
    t = mixture_weight(wanted, degree)
    with mpmath.workdps(60):
        p = mpmath.exp(-mpmath.mpf(t))
        error = float(exponent(p, p + (1 - p) * degree) - wanted)
    # Next to the lowest exponent all weights are close to 1, and any of them does.
    assert abs(error) <= 1e-14 * wanted


def test_neighbouring_degrees():
    first, others = neighbouring_degrees(4.0, 2.0, odd=False)
    assert (first, others) == (0.25, pytest.approx({2: 0.5, 3: 0.25}, rel=1e-14))
    assert neighbouring_degrees(2.0, 2.0, odd=True) == (0.5, {3: 0.5})
    assert neighbouring_degrees(4.0, 2.0, odd=True) is None
    assert neighbouring_degrees(4.0, 1.5, odd=False) is None
    for wanted in (0.01, 0.3, 1.0, 2.0, 5.0, 30.0):
        for slope in (2.0, 3.0, 7.7):
            for odd in (False, True):
                found = neighbouring_degrees(wanted, slope, odd=odd)
                if found is None:
                    assert odd
                    assert slope + 2 * slope ** (-wanted / 2) < 3
                    continue
                first, others = found
                assert all(degree % 2 for degree in others) or not odd
                assert math.isclose(first + sum(others.values()), 1.0, rel_tol=1e-14)
                mean = first + sum(k * w for k, w in others.items())
                assert math.isclose(mean, slope, rel_tol=1e-13)
                assert math.isclose(-2 * math.log(first) / math.log(slope), wanted, rel_tol=1e-13)


def test_ends_of_a_residual():
    # Weak branches: 2 (1 - a_1) / (B' - 1); strong ones: the branch alone.
    assert residual_exponent(1e-12, 0.3, 2.5) == pytest.approx(2 * 0.7 / 1.5, rel=1e-11)
    alone = -2 * math.log(0.3) / math.log(2.5)
    assert residual_exponent(1e14, 0.3, 2.5) == pytest.approx(alone, rel=1e-12)
