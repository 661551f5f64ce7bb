"""Fixed points and other correlations defined by a dual, against closed forms."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from deeplimit.activations import Activation
from deeplimit.duals.closed import HyperbolicDual, PowerLawDual
from deeplimit.duals.series import SeriesDual
from deeplimit.regimes.fixed import (
    inner_fixed_point,
    multiplier,
    oscillation,
    weight_of_antipodes,
)


@pytest.mark.parametrize("a0", [1e-300, 1e-30, 1e-12, 1e-6, 0.01, 0.1, 0.2, 0.29])
@pytest.mark.parametrize("a2", [0.3, 0.5, 0.05])
def test_of_a_quadratic_map(a0, a2):
    # a_0 + a_1 x + a_2 x^2 - x has the roots 1 and a_0 / a_2.
    if a0 >= a2:
        return
    dual = SeriesDual([a0, 1.0 - a0 - a2, a2])
    xi, gap = inner_fixed_point(dual)
    assert xi == pytest.approx(a0 / a2, rel=1e-13)
    assert gap == pytest.approx(1.0 - a0 / a2, rel=1e-13)
    assert multiplier(dual, xi, gap) == pytest.approx(1.0 - a2 + a0, rel=1e-14)


@pytest.mark.parametrize("excess", [1e-3, 1e-6, 1e-9, 1e-12])
def test_next_to_1_the_gap_keeps_its_accuracy(excess):
    a = np.array([0.25 - excess / 2, 0.5, 0.25 + excess / 2])
    dual = SeriesDual(a)
    with mpmath.workdps(40):
        a0, _, a2 = (mpmath.mpf(float(c)) for c in a)
        expected = float((a2 - a0) / a2)
    gap = inner_fixed_point(dual)[1]
    assert gap == pytest.approx(expected, rel=1e-15 / excess + 1e-14)


@pytest.mark.parametrize("name", ["gelu", "silu", "elu", "step", "square", "relu6", "snake"])
def test_of_activations(name):
    dual = Activation(name).dual
    xi, gap = inner_fixed_point(dual)
    assert float(dual.gap(np.array([gap]))[0]) == pytest.approx(gap, rel=1e-13)
    # Next to the point the map contracts by the multiplier.
    h = 1e-6 * min(xi, gap)
    slope = float(np.diff(dual.gap(np.array([gap - h, gap + h])))[0]) / (2 * h)
    assert multiplier(dual, xi, gap) == pytest.approx(slope, rel=1e-5)
    assert multiplier(dual, xi, gap) < 1.0


def test_of_gelu_at_40_digits():
    with mpmath.workdps(40):

        def excess(x):
            norm2 = mpmath.mpf(1) / 3 + 1 / (2 * mpmath.pi * mpmath.sqrt(3))
            f = x / 4 + x * mpmath.asin(x / 2) / (2 * mpmath.pi)
            return (f + 1 / (2 * mpmath.pi * mpmath.sqrt(4 - x * x))) / norm2 - x

        expected = float(mpmath.findroot(excess, (0.5, 0.9), solver="anderson"))
    assert inner_fixed_point(Activation("gelu").dual)[0] == pytest.approx(expected, rel=1e-14)


def test_there_is_none_for_a_slope_of_1():
    assert inner_fixed_point(SeriesDual([0.25, 0.5, 0.25])) is None


@pytest.mark.parametrize(
    "squares", [[0, 0, 1, 3], [0, 0, 1, 8], [0, 0, 0, 1, 2], [0, 0, 1, 0, 0, 20], [0, 0, 3, 1]]
)
def test_antipodes_count_as_much_as_the_correlation_found(squares):
    # Iterated at many digits, both have sizes whose logarithms agree but for a vanishing part.
    equal = weight_of_antipodes(SeriesDual(squares))
    assert 0.0 < equal < 1.0
    with mpmath.workdps(30):
        total = mpmath.mpf(sum(squares))
        logs = []
        for start in (mpmath.mpf(-1), mpmath.mpf(equal)):
            xi = start
            for _ in range(12):
                xi = sum(c * xi**k for k, c in enumerate(squares)) / total
            logs.append(mpmath.log(abs(xi)))
        assert float(logs[0] / logs[1]) == pytest.approx(1.0, rel=1e-12)


def test_antipodes_of_symmetric_duals_count_fully_and_some_not_at_all():
    assert weight_of_antipodes(SeriesDual([0, 0, 1, 0, 2])) == 1.0
    assert weight_of_antipodes(SeriesDual([0, 0, 0, 1])) == 1.0
    assert weight_of_antipodes(SeriesDual([0, 0, 1, 1])) == 0.0


def test_oscillation():
    sine = HyperbolicDual(13.825845805282, odd=True)
    found = oscillation(sine, math.log(sine.a1), math.log(sine.slope_at_one))
    assert found == pytest.approx(0.387, abs=5e-4)
    # The limit kernel of this family is known: no oscillation at all.
    power = PowerLawDual(0.02, 0.7)
    assert oscillation(power, math.log(power.a1), math.log(power.slope_at_one)) < 1e-8
