"""Gaussian moments and Hermite coefficients, with error bounds that hold."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimit.activations.expressions import parse
from deeplimit.duals.hermite import GaussianQuadrature, hermite_functions


def quadrature(formula: str) -> GaussianQuadrature:
    return GaussianQuadrature(parse(formula))


def test_hermite_functions_are_orthonormal() -> None:
    # Equal weights are exact for what decays so fast.
    z = np.linspace(-40.0, 40.0, 4001)
    rows = hermite_functions(z, 200)
    np.testing.assert_allclose(0.02 * rows @ rows.T, np.eye(200), atol=2e-13)


@pytest.mark.parametrize("degree", [0, 1, 2, 5, 40])
def test_hermite_functions_against_mpmath(degree: int) -> None:
    z = np.array([-3.3, -0.4, 0.0, 1.0, 6.5])
    with mp.workdps(40):
        true = [
            float(
                mp.hermite(degree, x / mp.sqrt(2))
                / mp.sqrt(mp.mpf(2) ** degree * mp.factorial(degree))
                * mp.exp(-(mp.mpf(x) ** 2) / 4)
                / (2 * mp.pi) ** mp.mpf("0.25")
            )
            for x in map(mp.mpf, z)
        ]
    row = hermite_functions(z, degree + 1)[degree]
    np.testing.assert_allclose(row, true, rtol=1e-12, atol=1e-15)


R2PI = math.sqrt(2.0 * math.pi)
#: Mean square, mean, mean slope, mean squared slope, by hand.
MOMENTS = {
    "x": (1.0, 0.0, 1.0, 1.0),
    "x^2": (3.0, 1.0, 0.0, 4.0),
    "x^3": (15.0, 0.0, 3.0, 27.0),
    "relu(x)": (0.5, 1.0 / R2PI, 0.5, 0.5),
    "abs(x)": (1.0, 2.0 / R2PI, 0.0, 1.0),
    "sign(x)": (1.0, 0.0, 2.0 / R2PI, math.inf),
    "heaviside(x - 0.7)": (
        0.5 * math.erfc(0.7 / math.sqrt(2.0)),
        0.5 * math.erfc(0.7 / math.sqrt(2.0)),
        math.exp(-0.245) / R2PI,
        math.inf,
    ),
    "sin(x)": ((1 - math.exp(-2)) / 2, 0.0, math.exp(-0.5), (1 + math.exp(-2)) / 2),
    "exp(x)": (math.e**2, math.exp(0.5), math.exp(0.5), math.e**2),
    "exp(3*x)": (math.exp(18), math.exp(4.5), 3 * math.exp(4.5), 9 * math.exp(18)),
    "exp(x^2/5)": (math.sqrt(5.0), math.sqrt(5 / 3), 0.0, 0.16 * 5.0**1.5),
    "relu(x)^2": (1.5, 0.5, 2.0 / R2PI, 2.0),
    "sqrt(abs(x))": (2.0 / R2PI, math.gamma(0.75) * 2**0.25 / math.sqrt(math.pi), 0.0, math.inf),
    "abs(x)^0.75": (
        2**0.75 * math.gamma(1.25) / math.sqrt(math.pi),
        2**0.375 * math.gamma(0.875) / math.sqrt(math.pi),
        0.0,
        0.75**2 * 2**-0.25 * math.gamma(0.25) / math.sqrt(math.pi),
    ),
    "log(abs(x))": (
        (np.euler_gamma + math.log(2)) ** 2 / 4 + math.pi**2 / 8,
        -(np.euler_gamma + math.log(2)) / 2,
        0.0,
        math.inf,
    ),
}


@pytest.mark.parametrize("formula", MOMENTS)
def test_moments(formula: str) -> None:
    moments = quadrature(formula).moments
    for name, true in zip(("norm2", "mean", "slope", "energy"), MOMENTS[formula], strict=True):
        found = getattr(moments, name)
        if math.isinf(true):
            assert math.isinf(found)
            continue
        assert abs(found - true) <= moments.errors[name] + 1e-30, name
        size = max(1.0, moments.norm2, MOMENTS[formula][3] if name == "energy" else 0.0)
        assert moments.errors[name] <= 3e-13 * size or "0.75" in formula


@pytest.mark.parametrize("size", [1e-300, 1e-20, 1e20, 1e200])
def test_size_is_taken_out_by_a_power_of_two(size: float) -> None:
    plain, scaled = quadrature("tanh(x)"), GaussianQuadrature(lambda z: size * np.tanh(z))
    ratio = math.sqrt(scaled.moments.norm2 / plain.moments.norm2) * scaled.scale
    assert ratio / size == pytest.approx(1.0, rel=1e-14)
    assert math.frexp(scaled.scale)[0] == 0.5
    assert plain.scale == 1.0


@pytest.mark.parametrize("formula", ["tanh(x)", "relu(x)", "elu(x)", "x^3 - x"])
def test_coefficients_make_up_the_norm(formula: str) -> None:
    q = quadrature(formula)
    c, error = q.hermite(900)
    assert float(c @ c) == pytest.approx(q.moments.norm2, rel=1e-4)
    assert float(c @ c) <= q.moments.norm2 * (1.0 + 1e-13)
    np.testing.assert_allclose(q.hermite(20)[0], c[:20], rtol=0.0, atol=2.0 * error)


def test_many_coefficients_of_a_fast_wave() -> None:
    # Those of sin(w z) are w^k e^{-w²/2} / sqrt(k!), with alternating signs.
    w, n = 45.0, 3000
    c, _ = quadrature(f"sin({w}*x)").hermite(n)
    k = np.arange(1, n, 2)
    size = np.exp(k * math.log(w) - w * w / 2.0 - 0.5 * np.array([math.lgamma(j + 1.0) for j in k]))
    true = size * (-1.0) ** ((k - 1) // 2)
    # The rounding of the logarithms above is the larger part.
    np.testing.assert_allclose(c[1::2], true, rtol=1e-11, atol=1e-14)
    np.testing.assert_array_equal(c[::2], 0.0)


@pytest.mark.parametrize(
    ("formula", "parity"),
    [
        ("tanh(x)", "odd"),
        ("x^3", "odd"),
        ("sign(x)", "odd"),
        ("x*sin(x)", "even"),
        ("log(cosh(x))", "even"),
        ("softplus(x)", None),
        ("tanh(x) + 1e-12", None),
        ("heaviside(x)", None),
    ],
)
def test_parity(formula: str, parity: str | None) -> None:
    q = quadrature(formula)
    assert q.parity == parity
    if parity:
        zero = "mean" if parity == "odd" else "slope"
        assert (getattr(q.moments, zero), q.moments.errors[zero]) == (0.0, 0.0)


@settings(max_examples=20)
@given(
    st.lists(st.floats(-3.0, 3.0), min_size=2, max_size=9).filter(lambda c: max(map(abs, c)) > 0.1)
)
def test_hermite_mixtures_give_their_coefficients_back(c: list[float]) -> None:
    z_rows = lambda z: hermite_functions(z, len(c)) * np.exp(z * z / 4.0) * (2.0 * np.pi) ** 0.25  # noqa: E731
    q = GaussianQuadrature(lambda z: (np.array(c) @ z_rows(z.ravel())).reshape(z.shape))
    found, error = q.hermite(len(c) + 4)
    np.testing.assert_allclose(found, [*c, 0, 0, 0, 0], rtol=0.0, atol=error + 1e-14)
    assert q.moments.norm2 == pytest.approx(sum(a * a for a in c), rel=1e-12)


@pytest.mark.parametrize(
    "formula", ["1/x", "tan(x)", "1/(x - 0.3)", "abs(x)^-0.5", "1/abs(x)^0.6", "log(abs(x))/abs(x)"]
)
def test_poles_are_refused_with_their_place(formula: str) -> None:
    with pytest.raises(ValueError, match=r"not square-integrable: it has a pole at -?\d"):
        quadrature(formula)


def test_rules_integrate_the_line() -> None:
    q = quadrature("relu(x - 0.3)")
    for n in (8, 24, 32):
        z, w = q.rule(n)
        assert np.all(np.diff(z) > 0.0)
        assert float(w.sum()) == pytest.approx(q.pieces.edges[-1] - q.pieces.edges[0], rel=1e-14)
    assert q.reach >= 9.0


def test_single_precision_is_known_as_such() -> None:
    q = GaussianQuadrature(lambda z: np.tanh(z.astype(np.float32)).astype(float), precision=6e-8)
    m = q.moments
    assert abs(m.norm2 - 0.39429449039784115) <= m.errors["norm2"]
    assert 1e-8 < m.errors["norm2"] < 1e-5
