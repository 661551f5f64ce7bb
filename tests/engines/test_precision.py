from __future__ import annotations

import math

import numpy as np
import pytest

from deeplimit.engines.precision import TABLE_EDGE, Arithmetic, Demands, arithmetics


def forms(*figures, **others):
    return [
        (a.dtype, a.differences) for a, _ in arithmetics(Demands(*figures, 0.0, 1e-5, **others))
    ]


def test_the_ladder_goes_from_the_cheapest_to_the_safest():
    products, differences = ("float32", False), ("float32", True)
    assert forms(3.0, 3) == [differences, ("float64", True)]
    assert forms(3.0, 32) == [products, differences, ("float64", False)]
    assert forms(10.0, 32) == [differences, ("float64", False)]
    assert forms(200.0, 3) == [("float64", True)]
    assert forms(1e12, 3) == []
    # A table that changes its sign has no relative accuracy in float32.
    assert forms(3.0, 3, octaves=math.inf, table_start=2.0**-52) == [("float64", True)]
    assert forms(3.0, 3, far_steepness=100.0, table_start=2.0**-52) == [("float64", True)]


@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0, 7.5, 20.0])
def test_rounded_coordinates_of_pairs_that_are_not_refined_hold_their_share(exponent):
    demands = Demands(exponent, 2, 0.0, 1e-5)
    # What is done with the distances has five roundings and more; the reserve is 0.15.
    share = max(0.5e-5, 0.85e-5 - exponent / 2.0 * (5.0 + 2.0**0.5 / 2.0) * 2.0**-24)
    ((_, thresholds), *_) = [
        step for step in arithmetics(demands) if step[0] == Arithmetic("float32", True)
    ]
    rng = np.random.default_rng(0)
    # Pairs at the threshold, far from the origin: the worst there are.
    q = rng.standard_normal((10**5, 2))
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    step = rng.standard_normal((10**5, 2))
    step *= math.sqrt(2.02 * thresholds.relative) / np.linalg.norm(step, axis=1, keepdims=True)
    x = q + step
    near = np.sum(step**2, axis=1) < thresholds.relative * (
        np.sum(q**2, axis=1) + np.sum(x**2, axis=1)
    )
    exact = np.sum((q - x) ** 2, axis=1)[~near]
    rounded = q.astype(np.float32).astype(float) - x.astype(np.float32).astype(float)
    wrong = np.abs(exponent / 2.0 * np.log(np.sum(rounded**2, axis=1)[~near] / exact)).max()
    assert wrong <= share
    # The bound is one that is nearly reached, and not some number below which all is well.
    assert wrong > (0.4 * share if exponent >= 1.0 else 0.0)


def test_blurred_images_and_tables_have_their_floor():
    ((_, plain), *_) = arithmetics(Demands(3.0, 3, 0.0, 1e-5))
    ((_, blurred), *_) = arithmetics(Demands(3.0, 3, 1e-9, 1e-5))
    assert plain.absolute == Arithmetic("float32", True).smallest
    # Where both ends move by 1e-9, the kernel does by 3 · 2e-9 over their distance.
    assert blurred.absolute >= (2 * 3.0 * 1e-9 / 1e-5) ** 2
    ((_, single), (_, double)) = arithmetics(
        Demands(3.0, 3, 0.0, 1e-5, 1.0, 1.0, 2.0**-52, 2.0**-12, 0.25)
    )
    assert single.absolute == TABLE_EDGE / 0.25
    assert double.absolute == 2.0**-50
    assert double.far == 2.0**-12
    assert single.far > double.far


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("columns", [17, 32, 64, 400])
@pytest.mark.parametrize("step_error", [4.0, 8.0])
def test_halves_that_lose_all_they_may_hold_their_share(exponent, columns, step_error):
    demands = Demands(exponent, columns, 0.0, 1e-5, step_error=step_error)
    found = [step for step in arithmetics(demands, halves=True) if step[0].halves]
    for _, thresholds in found:
        # At the threshold, |q|² + |x|² = 1: each step of a block cuts off, coordinates have 22
        # bits, and norms and the product of the low parts cost four units.
        steps = min(64, columns + -columns % 16) / 16
        v = thresholds.relative
        lost = (4.0 + step_error * steps) * 2.0**-24 / v + 2.0 * math.sqrt(8.0 / v) * 2.0**-24
        share = max(0.5, 0.85 - exponent / 2.0 * 5.0 * 2.0**-24 / 1e-5)
        assert max(exponent, 1.0) / 2.0 * lost == pytest.approx(share * 1e-5, rel=1e-9)
        assert thresholds.grain > 0.0
    # They are left out where half of all pairs would be near.
    assert bool(found) == (exponent < 5.0 or columns <= 32 or step_error == 4.0)


def test_a_quick_logarithm_is_used_where_its_error_is_small():
    def quick(exponent, **others):
        demands = Demands(exponent, 40, 0.0, 1e-5, whole=False, **others)
        return [thresholds.quick for _, thresholds in arithmetics(demands, halves=True)]

    assert quick(2.5) == [True, True, False]  # never in float64
    assert quick(3.0) == [True, True, False]
    # Weights of very unlike size let terms matter that are far below the largest.
    assert quick(2.5, magnitudes=37.0) == [False, False, False]
    assert quick(20.5) == [False, False]
    whole = arithmetics(Demands(3.0, 40, 0.0, 1e-5), halves=True)
    assert not any(thresholds.quick for _, thresholds in whole)
