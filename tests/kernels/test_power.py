from __future__ import annotations

import dataclasses

import mpmath as mp
import numpy as np
import pytest

from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import RadialKernel


@pytest.mark.parametrize("exponent", [0.5, 1, 2, 3.7, 64, 784])
def test_values_against_many_digits(exponent):
    kernel = PowerKernel(exponent)
    gaps = np.array([5e-324, 1e-300, 1e-16, 1e-3, 0.4, 0.5, 1.0, 2.0, 1e10, 1e300, 1.7e308])
    with mp.workdps(50):
        exact = [float(mp.log(2 * mp.mpf(float(s))) * -mp.mpf(exponent) / 2) for s in gaps]
    np.testing.assert_allclose(kernel.log_at_gap(gaps), exact, rtol=1e-12, atol=1e-15 * exponent)


def test_it_is_a_power_of_the_distance():
    x, z = np.array([1.0, 2.0]), np.array([4.0, 6.0])
    s = np.sum((x - z) ** 2) / 2
    assert np.exp(PowerKernel(3).log_at_gap(s)) == pytest.approx(5.0**-3, rel=1e-14)


def test_it_is_singular_positive_and_vanishes_at_infinity():
    kernel = PowerKernel(2)
    assert isinstance(kernel, RadialKernel)
    assert kernel.positive
    assert kernel.log_at_gap([[0.0]]).tolist() == [[np.inf]]
    assert kernel.log_at_gap(np.inf) == -np.inf
    assert kernel.sign_at_gap(np.zeros((2, 3))).tolist() == [[1.0] * 3] * 2


def test_it_does_not_write_to_its_argument():
    gaps = np.array([0.25, 1.0])
    PowerKernel(2).log_at_gap(gaps)
    assert gaps.tolist() == [0.25, 1.0]


def test_exponents():
    assert PowerKernel(2) == PowerKernel(2.0)
    assert repr(PowerKernel(2)) == "PowerKernel(exponent=2.0)"
    with pytest.raises(dataclasses.FrozenInstanceError):
        PowerKernel(2).exponent = 3
    for exponent in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="exponent must be a positive finite number"):
            PowerKernel(exponent)
