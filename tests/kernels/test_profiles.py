from __future__ import annotations

import numpy as np
import pytest

from deeplimit import Activation
from deeplimit.kernels.koenigs import BoettcherFunction, KoenigsAtOne, KoenigsAtZero, KoenigsInside
from deeplimit.kernels.profiles import Profile
from deeplimit.kernels.tabulated import KoenigsKernel
from deeplimit.regimes import taxonomy

RNG = np.random.default_rng(7)
GAPS = np.concatenate(
    [np.exp(RNG.uniform(np.log(1e-12), np.log(1.99), 1500)), RNG.uniform(1.9, 2.0, 20)]
)


def function_of(name):
    name, _, centred = name.partition(":")
    phi = Activation(name).centered() if centred else Activation(name)
    found, dual = taxonomy(phi), phi.dual
    if found.regime == "singular-kernel":
        return KoenigsAtZero(dual)
    if found.regime == "nearest-neighbour":
        return BoettcherFunction(dual, found.degree)
    if found.regime == "majority-vote":
        return KoenigsInside(dual, found.fixed_gap)
    return KoenigsAtOne(dual)


NAMES = ["2d_opt", "9d_opt", "sine_13.83", "sin(x/2)", "erf", "tanh", "sign", "hard_shrink"]
NAMES += ["relu:centred", "gelu:centred", "gelu", "elu", "step", "sigmoid", "cos", "hard_sigmoid"]
NAMES += ["h2", "0.7*h(2, x) + 0.7*h(3, x)"]


@pytest.mark.parametrize("name", NAMES)
def test_table_is_the_function(name):
    function = function_of(name)
    kernel = KoenigsKernel(function)
    log, sign = kernel.log_and_sign_at_gap(GAPS)
    exact, exact_sign = function.log_and_sign(GAPS)
    # at a root the logarithm is that of rounding
    away = np.abs(GAPS - (function.root_gap or 9.0)) > 1e-3
    np.testing.assert_allclose(log[away], exact[away], rtol=0, atol=2e-12)
    np.testing.assert_array_equal(sign[away], exact_sign[away])
    assert np.max(np.abs(log - exact)[away]) <= 8 * kernel.error + 1e-13
    assert kernel.error < 1e-12


@pytest.mark.parametrize("name", ["3d_opt", "9d_opt", "relu:centred", "tanh"])
def test_gaps_below_the_table_are_moved_by_whole_periods(name):
    function = function_of(name)
    s = np.logspace(-300, -34, 12)
    log = KoenigsKernel(function).log_at_gap(s)
    np.testing.assert_allclose(log, function.log_and_sign(s)[0], rtol=1e-14, atol=1e-11)


def test_ends_and_roots():
    kernel = KoenigsKernel(function_of("erf"))
    log, sign = kernel.log_and_sign_at_gap([0.0, 1.0, 2.0])
    assert log.tolist() == [np.inf, -np.inf, np.inf]
    assert sign.tolist() == [1.0, 0.0, -1.0]
    log, sign = KoenigsKernel(function_of("sign")).log_and_sign_at_gap([0.0, 2.0])
    assert log.tolist() == [np.inf, np.inf]
    assert KoenigsKernel(function_of("sigmoid")).log_at_gap(0.0) == -np.inf
    assert KoenigsKernel(function_of("h2")).log_at_gap([0.0, 2.0]).tolist() == [-np.inf] * 2


def test_shape_and_argument_are_kept():
    kernel = KoenigsKernel(function_of("3d_opt"))
    s = np.array([[0.1, 1.5, 0.7]])
    log, sign = kernel.log_and_sign_at_gap(s)
    assert log.shape == sign.shape == (1, 3)
    assert s.tolist() == [[0.1, 1.5, 0.7]]
    assert kernel.log_and_sign_at_gap(np.empty((0, 2)))[0].shape == (0, 2)


def test_a_rational_function_with_a_sign_change():
    def quotient(s):
        value = (1.7 - s) / (1.0 + s)
        return np.log(np.abs(value)), np.sign(value)

    profile = Profile(quotient)
    log, sign = profile.log_and_sign(GAPS)
    value = (1.7 - GAPS) / (1.0 + GAPS)
    np.testing.assert_allclose(sign * np.exp(log), value, rtol=0, atol=1e-12)


def test_a_kink_is_resolved_or_told():
    def quotient(s):
        log = np.abs(np.log(s) + 5.0)
        return log, np.ones_like(s)

    profile = Profile(quotient)
    worst = np.max(np.abs(profile.log_and_sign(GAPS)[0] - quotient(GAPS)[0]))
    assert worst < 0.01
    assert worst < 20 * profile.error
