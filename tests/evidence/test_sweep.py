"""The depth sweep: what it measures, what it concludes, and from what."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from deeplimit.activations import Activation
from deeplimit.duals.algebra import MixedDual
from deeplimit.duals.base import Dual
from deeplimit.duals.closed import (
    ArcCosineDual,
    ConstantDual,
    ExponentialDual,
    IdentityDual,
    PowerLawDual,
)
from deeplimit.duals.series import SeriesDual
from deeplimit.evidence import depth_sweep
from deeplimit.evidence.course import NEAR_ONE, Course
from deeplimit.evidence.verdict import slope_at_one
from deeplimit.regimes import taxonomy


class Blind(Dual):
    """A dual that hides every constant: only values, gaps and far coefficients are to be had."""

    def __init__(self, inner: Dual) -> None:
        self._inner = inner

    def __getattribute__(self, name: str):
        if name in ("slope_at_one", "a0", "a1", "derivative", "gap_derivative", "parity"):
            raise AssertionError(f"the sweep looked at {name}")
        return super().__getattribute__(name)

    def value(self, xi):
        return self._inner.value(xi)

    def gap(self, s):
        return self._inner.gap(s)

    def coefficients(self, n):
        return self._inner.coefficients(n)

    def gap_derivative(self, s):
        raise AssertionError


@pytest.mark.parametrize(
    ("name", "regime"),
    [
        ("h2", "nearest-neighbour"),
        ("h3", "nearest-neighbour"),
        ("relu", "majority-vote"),
        ("gelu", "majority-vote"),
        ("3d_opt", "singular-kernel"),
        ("sign", "singular-kernel"),
        ("cos", "conditionally-positive-definite"),
        ("identity", "identity"),
    ],
)
def test_the_regime_is_seen_without_the_constants(name, regime):
    sweep = depth_sweep(Blind(Activation(name).dual))
    assert sweep.regime == regime
    assert sweep.agrees_with(taxonomy(name))


@pytest.mark.parametrize(
    ("spec", "rate", "slope", "exponent"),
    [
        ("2d_opt", 0.5, 4.0, 1.0),
        ("9d_opt", 0.0625, 2.0, 8.0),
        # A strong log-periodic factor does not enter a measurement over whole periods.
        ("sine_13.825845805282", 2.7367376304e-05, 13.825845805308, 8.0),
        ("sin", 0.85091812823932, 1.313035285499331, 1.185565769445566),
        ("erf", 0.9135828428288513, 1.225700003785691, 0.8882146512837059),
    ],
)
def test_rates_are_measured(spec, rate, slope, exponent):
    sweep = depth_sweep(spec)
    assert sweep.rate == pytest.approx(rate, rel=1e-8)
    assert sweep.slope_at_one == pytest.approx(slope, rel=1e-12)
    assert sweep.exponent == pytest.approx(exponent, rel=1e-8)


@pytest.mark.parametrize("degree", [2, 3, 7, 60])
def test_degrees_are_measured(degree):
    sweep = depth_sweep(f"h{degree}")
    assert (sweep.regime, sweep.degree, sweep.rate) == ("nearest-neighbour", degree, 0.0)


def test_a_tiny_linear_part_is_not_taken_for_none():
    sweep = depth_sweep(SeriesDual([0, 1e-40, 1]))
    assert sweep.regime == "singular-kernel"
    assert sweep.rate == pytest.approx(1e-40, rel=1e-9)
    assert depth_sweep(SeriesDual([0, 0, 1])).regime == "nearest-neighbour"


def test_a_tiny_mean_is_not_taken_for_none():
    sweep = depth_sweep(SeriesDual([1e-60, 0.5, 0, 0.5]))
    assert sweep.regime == "majority-vote"
    assert sweep.fixed_point == pytest.approx(2e-60, rel=1e-6)


@pytest.mark.parametrize(
    ("dual", "power"),
    [(ArcCosineDual(1.0, 0.0), 2.0), (ExponentialDual(1.0), 1.0), (ArcCosineDual(1.0, 1.0), 2.0)],
)
def test_a_critical_map_is_polynomial(dual, power):
    sweep = depth_sweep(dual)
    assert (sweep.regime, sweep.rate) == ("majority-vote", 1.0)
    assert sweep.power == pytest.approx(power, rel=0.05)


@pytest.mark.parametrize("excess", [1e-2, 1e-3, 1e-4, 1e-6, 1e-9, -1e-9, -1e-6, -1e-4, -1e-2])
def test_near_criticality_is_resolved(excess):
    # f = a_0 + a_1 x + a_2 x^2 with B' = a_1 + 2 a_2.
    a2 = 0.25
    a1 = 1.0 + excess - 2 * a2
    sweep = depth_sweep(SeriesDual([1.0 - a1 - a2, a1, a2]))
    expected = "majority-vote" if excess > 0 else "conditionally-positive-definite"
    assert sweep.regime == expected
    assert sweep.slope_at_one - 1.0 == pytest.approx(excess, rel=1e-5)
    if sweep.fixed_point is not None:
        assert 1.0 - sweep.fixed_point == pytest.approx(excess / a2, rel=1e-4)


def test_a_layer_close_to_the_identity_is_told_from_it():
    almost = MixedDual([(1.0 - 1e-7, IdentityDual()), (1e-7, SeriesDual([0, 0, 1]))])
    sweep = depth_sweep(almost)
    assert sweep.regime == "singular-kernel"
    assert 1.0 - sweep.rate == pytest.approx(1e-7, rel=1e-6)
    assert sweep.exponent == pytest.approx(2.0, rel=1e-5)
    assert depth_sweep(IdentityDual()).regime == "identity"


def test_a_constant_makes_all_inputs_equal():
    sweep = depth_sweep(ConstantDual())
    assert (sweep.regime, sweep.depths[-1]) == ("majority-vote", 1)


@pytest.mark.parametrize("power", [0.02, 0.1, 0.5, 1.0])
def test_the_slope_at_one_is_found_behind_a_weak_singularity(power):
    class Weak(IdentityDual):
        def gap(self, s):
            s = np.asarray(s, dtype=np.float64)
            return 3.0 * s / (1.0 + s**power)

    course = Course(Weak(), np.array([*NEAR_ONE, 1.0]))
    course.step()
    assert slope_at_one(course) == pytest.approx(3.0, rel=1e-6)


@pytest.mark.parametrize("gap", [lambda s: s**0.9, lambda s: s * (1.0 - 0.1 * np.log(s))])
def test_an_infinite_slope_at_one_is_recognised(gap):
    class Steep(IdentityDual):
        def gap(self, s):
            return gap(np.maximum(np.asarray(s, dtype=np.float64), 1e-320))

    course = Course(Steep(), np.array([*NEAR_ONE, 1.0]))
    course.step()
    assert slope_at_one(course) == math.inf


def test_columns_are_the_iterates():
    sweep = depth_sweep("tanh", gaps=[0.3, 2.0, 0.0])
    dual = Activation("tanh").dual
    column = int(np.flatnonzero(sweep.gaps == 0.3)[0])
    xi = np.array([0.7])
    for depth in range(51):
        if depth in sweep.depths:
            row = int(np.flatnonzero(sweep.depths == depth)[0])
            assert sweep.correlations[row, column] == pytest.approx(xi[0], rel=1e-12)
            assert sweep.log_gaps[row, column] == pytest.approx(np.log1p(-xi[0]), rel=1e-12)
        xi = dual.value(xi)
    # Antipodes of an odd activation stay antipodes, equal inputs equal, and neither confuses.
    assert np.all(sweep.correlations[:, -1] == -1.0)
    assert np.all(sweep.correlations[:, 0] == 1.0)
    assert sweep.regime == "singular-kernel"


def test_settled_orbits_are_continued_as_they_would_go_on():
    # The iterates of the Moebius map are such maps, with p^L in the place of p.
    sweep = depth_sweep(PowerLawDual(0.5), gaps=[1e-3])
    xi, p = 1.0 - sweep.gaps, 0.5 ** sweep.depths[:, None]
    with np.errstate(divide="ignore"):
        expected = np.log(np.abs(xi)) + np.log(p) - np.log(1.0 - (1.0 - p) * xi)
    far = (sweep.gaps > 1e-7) & (sweep.gaps != 1.0)
    np.testing.assert_allclose(sweep.log_correlations[:, far], expected[:, far], rtol=0, atol=2e-7)
    assert set(np.array(sweep.fates)[far]) == {"zero"}
    assert sweep.exponent == pytest.approx(2.0, rel=1e-8)


def test_a_sweep_cut_short_says_so():
    sweep = depth_sweep("3d_opt", max_depth=2)
    assert sweep.depths.tolist() == [0, 1, 2]
    assert "moving" in sweep.fates
    assert not sweep.agrees_with(taxonomy("relu"))


@pytest.mark.parametrize("max_depth", [1, 2, 3, 5, 9, 30])
@pytest.mark.parametrize("spec", ["erf", "relu", "gelu", "cos", "h3", "selu"])
def test_a_sweep_cut_short_is_never_wrong(spec, max_depth):
    assert depth_sweep(spec, max_depth=max_depth).regime in (taxonomy(spec).regime, "undecided")


def test_disagreement_is_told():
    sweep, t = depth_sweep("3d_opt"), taxonomy("3d_opt")
    assert sweep.agrees_with(t)
    assert not sweep.agrees_with(replace(t, exponent=2.001))
    assert not sweep.agrees_with(replace(t, rate=0.5001))
    assert not sweep.agrees_with(replace(t, B1=2.0001))
    assert not sweep.agrees_with(replace(t, regime="majority-vote"))
    open_question = replace(t, regime="undecided", candidates=("majority-vote",))
    assert not sweep.agrees_with(open_question)
    assert sweep.agrees_with(replace(open_question, candidates=("singular-kernel",)))
    inner = taxonomy("gelu")
    assert not inner.evidence.agrees_with(replace(inner, fixed_point=inner.fixed_point + 1e-3))


@pytest.mark.parametrize("spec", ["sign", "h3", "relu", "cos", "identity"])
def test_it_is_ready_for_json(spec):
    sweep = depth_sweep(spec)
    told = json.loads(json.dumps(sweep.to_dict(), allow_nan=False))
    assert told["regime"] == sweep.regime
    assert len(told["correlations"]) == len(told["depths"]) == len(sweep.depths)


def test_the_table_shows_ends_of_the_range():
    text = str(depth_sweep("h2"))
    lines = text.splitlines()
    assert lines[0].startswith("h2: nearest-neighbour")
    assert "1-1.00e-6" in lines[2]
    assert "plunge" in lines[-1]
    assert "10^-" in text
    assert {len(lines[1]), len(lines[3])} == {len(lines[1])}
    assert "1-" in str(depth_sweep("sigmoid")).splitlines()[-2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gaps": [2.5]}, "from 0 to 2"),
        ({"gaps": [-0.1]}, "from 0 to 2"),
        ({"gaps": [math.nan]}, "from 0 to 2"),
        ({"max_depth": 0}, "at least 1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        depth_sweep("relu", **arguments)
