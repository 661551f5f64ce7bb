from __future__ import annotations

import math

import numpy as np
import pytest

from deeplimit import Activation
from deeplimit.duals.closed import PowerLawDual
from deeplimit.duals.series import SeriesDual
from deeplimit.kernels.koenigs import (
    BoettcherFunction,
    KoenigsAtOne,
    KoenigsAtZero,
    KoenigsInside,
    fold,
    linearising_series,
)
from deeplimit.regimes import taxonomy

GAPS = np.concatenate([np.logspace(-30, -1, 30), np.linspace(0.15, 2.0, 38)])

AT_ZERO = ["2d_opt", "3d_opt", "5d_opt", "9d_opt", "sin", "sine_13.83", "erf", "tanh", "sign"]
AT_ZERO += ["hard_tanh", "softsign", "relu:centred", "gelu:centred", "leaky_relu:centred"]
INSIDE = ["gelu", "silu", "elu", "x^2", "mish", "step", "relu(x)^2"]
AT_ONE = ["sigmoid", "softplus", "cos", "gaussian", "hard_sigmoid"]
NEAREST = [
    ("h2", 2),
    ("h3", 3),
    ("h5", 5),
    ("0.7*h(2, x) + 0.7*h(3, x)", 2),
    ("h(2, x) - h(4, x)", 2),
]


def dual_of(name):
    name, _, centred = name.partition(":")
    phi = Activation(name)
    return (phi.centered() if centred else phi).dual


def step(dual, s):
    """One layer, in the gap: away from one by the value, which keeps small correlations."""
    return np.where(s < 0.5, dual.gap(s), 1.0 - dual.value(1.0 - s))


def assert_same(got, want, rtol):
    np.testing.assert_allclose(got[0], want[0], rtol=0, atol=rtol)
    np.testing.assert_array_equal(got[1], want[1])


@pytest.mark.parametrize("name", AT_ZERO)
def test_at_zero_satisfies_schroeders_equation(name):
    dual = dual_of(name)
    koenigs = KoenigsAtZero(dual)
    s = GAPS[(GAPS < 0.93) | (GAPS > 1.07)]  # a gap does not hold small correlations
    log, sign = koenigs.log_and_sign(s)
    after = step(dual, s)
    s, after, log, sign = (v[np.abs(1 - after) > 0.05] for v in (s, after, log, sign))
    assert s.size > 30
    # 1 - (1 - s) loses a few digits of the correlation
    assert_same(koenigs.log_and_sign(after), (log + math.log(dual.a1), sign), 1e-12)


@pytest.mark.parametrize("name", AT_ZERO)
def test_slope_at_zero_is_one(name):
    koenigs = KoenigsAtZero(dual_of(name))
    for xi in (1e-6, -1e-6):
        log, sign = koenigs.quotient(np.array([1.0 - xi]))
        assert sign[0] == 1.0
        assert math.exp(log[0]) == pytest.approx(1.0, abs=2e-5)


@pytest.mark.parametrize("name", INSIDE)
def test_inside_satisfies_schroeders_equation(name):
    phi = Activation(name)
    found = taxonomy(phi)
    koenigs = KoenigsInside(phi.dual, found.fixed_gap)
    clear = np.abs(found.fixed_gap - GAPS) > 0.05
    s = GAPS[clear]
    log, sign = koenigs.log_and_sign(s)
    rate = found.rate
    assert rate == pytest.approx(float(phi.dual.derivative(np.array([found.fixed_point]))[0]))
    after = np.where(s < 0.5, phi.dual.gap(s), 1.0 - phi.dual.value(1.0 - s))
    far = np.abs(found.fixed_gap - after) > 0.01
    assert_same(koenigs.log_and_sign(after[far]), (log[far] + math.log(rate), sign[far]), 1e-11)
    assert sign[0] == 1.0
    assert sign[np.argmin(np.abs(s - 1.0))] == -1.0


def test_inside_a_map_solved_in_closed_form():
    # f = (1 + xi^2)/2 has xi* = 1 only; f = a + (1-a) xi^2 meets itself at a/(1-a).
    a = 0.2
    koenigs = KoenigsInside(SeriesDual(np.array([a, 0.0, 1 - a])), 1 - a / (1 - a))
    xi, rate = a / (1 - a), 2 * a
    x = np.array([0.0, 0.1, 0.2, 0.3, 0.5, 0.9, 0.999])
    iterated, layers = x.copy(), 60
    t = iterated - xi
    for _ in range(layers):
        t = (1 - a) * t * (t + 2 * xi)  # no subtraction
    log, sign = koenigs.log_and_sign(1 - x)
    np.testing.assert_allclose(sign * np.exp(log), t / rate**layers, rtol=1e-12)


@pytest.mark.parametrize("name", AT_ONE)
def test_at_one_satisfies_schroeders_equation(name):
    dual = dual_of(name)
    koenigs = KoenigsAtOne(dual)
    log, sign = koenigs.log_and_sign(GAPS)
    want = log + math.log(dual.slope_at_one)
    assert_same(koenigs.log_and_sign(dual.gap(GAPS)), (want, sign), 1e-12)
    np.testing.assert_allclose(log[:10], np.log(GAPS[:10]), atol=1e-9)  # eta'(0) = 1
    assert koenigs.log_and_sign(np.zeros(1))[0] == -np.inf


@pytest.mark.parametrize(("name", "m"), NEAREST)
def test_boettcher_equation(name, m):
    dual = dual_of(name)
    function = BoettcherFunction(dual, m)
    s = GAPS[np.abs(GAPS - 1.0) > 0.03]
    log, sign = function.log_and_sign(s)
    after = step(dual, s)
    keep = np.abs(1.0 - after) > 0.02
    got, got_sign = function.log_and_sign(after[keep])
    np.testing.assert_allclose(got, log[keep] + math.log(m), rtol=0, atol=1e-11)
    # the sign is that of the iterates: even powers forget it
    np.testing.assert_array_equal(got_sign, sign[keep])
    assert np.all(sign[s < 1.0] == 1.0)


@pytest.mark.parametrize("m", [2, 3, 7])
def test_boettcher_of_a_power_is_the_identity(m):
    dual = SeriesDual(np.eye(m + 1)[m])
    xi = np.array([0.9, 0.3, 0.01, -0.4])
    log, sign = BoettcherFunction(dual, m).log_and_sign(1.0 - xi)
    np.testing.assert_allclose(log, np.log(-np.log(np.abs(xi))), atol=1e-13)
    np.testing.assert_array_equal(sign, [1, 1, 1, 1 if m % 2 == 0 else -1])


@pytest.mark.parametrize("theta", [1.0, 0.75, 0.5, 0.1])
@pytest.mark.parametrize("p", [0.03, 0.5, 0.9])
def test_power_law_family_is_exact(p, theta):
    koenigs = KoenigsAtZero(PowerLawDual(p, theta))
    s = np.concatenate([np.logspace(-25, -0.2, 40), [1.5, 1.9, 2.0]])
    want = np.where(s < 1e-3, s**-theta - 1.0, np.expm1(-theta * np.log(s))) / theta
    log, sign = koenigs.log_and_sign(s)
    np.testing.assert_allclose(log, np.log(np.abs(want)), rtol=0, atol=2e-12)
    np.testing.assert_array_equal(sign, np.sign(1.0 - s))
    assert koenigs.theta == pytest.approx(theta, rel=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_coefficients_are_nonnegative(seed):
    rng = np.random.default_rng(seed)
    a = np.concatenate([[0.0], rng.dirichlet(np.full(8, 0.3))])
    if a[1] == 0.0:
        a[1:] = 1 / 8
    k = linearising_series(a)
    assert k[0] == 0.0
    assert k[1] == 1.0
    assert np.all(k >= 0.0)


def test_series_of_the_moebius_map():
    p = 0.3
    taylor = np.concatenate([[0.0], p * (1 - p) ** np.arange(39)])
    np.testing.assert_allclose(linearising_series(taylor)[1:], 1.0, rtol=1e-12)


@pytest.mark.parametrize("name", ["9d_opt", "sine_13.83", "elu", "tanh", "h2"])
def test_follow_is_the_functional_equation(name):
    dual = dual_of(name)
    if name == "h2":
        function = BoettcherFunction(dual, 2)
    elif name == "elu":
        function = KoenigsInside(dual, taxonomy(name).fixed_gap)
    else:
        function = KoenigsAtZero(dual)
    s = np.logspace(-20, -5, 16)
    reached, change = function.follow(s, 1e-3)
    assert np.all(reached >= 1e-3)
    whole = function.quotient(s)[0]
    np.testing.assert_allclose(function.quotient(reached)[0] + change, whole, rtol=0, atol=1e-11)


def test_fold():
    s = np.array([0.25, 1.0, 1.75])
    for parity, gaps, signs in [
        (None, s, [1, 1, 1]),
        ("odd", [0.25, 1.0, 0.25], [1, 1, -1]),
        ("even", [0.25, 1.0, 0.25], [1, 1, 1]),
    ]:
        folded, sign = fold(s, parity)
        assert folded.tolist() == list(gaps)
        assert sign.tolist() == signs
    assert s.tolist() == [0.25, 1.0, 1.75]


def test_a_layer_next_to_the_identity_is_refused():
    slow = SeriesDual(np.array([0.0, 1.0 - 1e-7, 1e-7]))
    with pytest.raises(ValueError, match="so close to the identity"):
        KoenigsAtZero(slow).log_and_sign(np.array([1e-3]))
