from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from deeplimit import Activation, NetworkKernel
from deeplimit.duals.closed import PowerLawDual
from deeplimit.sums import RadialKernel


def activation_of(dual):
    """Give an activation that has this dual: its function plays no part here."""
    phi = Activation("identity")
    phi._closed = dual
    return phi


class PowerLaw:
    """The theta-family in many digits: its iterates are of the family, with p^L for p."""

    def __init__(self, p, theta):
        self.p, self.theta = mp.mpf(p), mp.mpf(theta)

    def iterate(self, s, n):
        """Gap after n layers, and correlation, each without subtraction from the other."""
        q, t = self.p**n, self.theta
        w = 1 + q * (s**-t - 1)
        return w ** (-1 / t), -mp.expm1(-mp.log1p(q * mp.expm1(-t * mp.log(s))) / t)

    def slope(self, s, n):
        """Derivative of the n-th iterate at gap s."""
        q, t = self.p**n, self.theta
        return q * s ** (-t - 1) * (1 + q * (s**-t - 1)) ** (-1 / t - 1)

    def ntk(self, s, depth):
        total = mp.mpf(0)
        for j in range(depth + 1):
            gap, xi = self.iterate(s, j)
            total += xi * self.slope(gap, depth - j)
        return total


@pytest.mark.parametrize("theta", [1.0, 0.5])
@pytest.mark.parametrize("depth", [1, 30, 2000])
def test_power_law_family_in_closed_form(theta, depth):
    p = 0.7
    phi = activation_of(PowerLawDual(p, theta))
    gaps = np.array([1e-16, 1e-8, 1e-3, 0.3, 0.9, 1.4, 1.999])
    with mp.workdps(700 if depth > 100 else 60):
        family = PowerLaw(p, theta)
        nngp = [family.iterate(mp.mpf(s), depth)[1] for s in gaps]
        want = np.array([float(mp.log(abs(v))) for v in nngp])
        log, sign = NetworkKernel(phi, depth, kind="nngp").log_and_sign_at_gap(gaps)
        np.testing.assert_allclose(log, want, rtol=2e-12, atol=1e-12)
        np.testing.assert_array_equal(sign, [float(mp.sign(v)) for v in nngp])
        if depth <= 100:
            ntk = [family.ntk(mp.mpf(s), depth) for s in gaps]
            want = np.array([float(mp.log(abs(v))) for v in ntk])
            log, sign = NetworkKernel(phi, depth).log_and_sign_at_gap(gaps)
            np.testing.assert_allclose(log, want, rtol=2e-12, atol=1e-12)
            np.testing.assert_array_equal(sign, [float(mp.sign(v)) for v in ntk])


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_moebius_at_depth_100_000(p):
    """f^L = p^L xi / (1 - (1 - p^L) xi), and the far layers of Theta all count alike."""
    depth = 100_000
    phi = activation_of(PowerLawDual(p))
    gaps = np.array([1e-16, 1e-9, 1e-3, 0.5, 1.5])
    with mp.workdps(60):
        q = mp.mpf(p) ** depth
        exact = [float(mp.log(abs(q * (1 - s) / (s + q * (1 - s))))) for s in map(mp.mpf, gaps)]
    log = NetworkKernel(phi, depth, kind="nngp").log_at_gap(gaps)
    np.testing.assert_allclose(log, exact, rtol=1e-13)
    # Theta/p^L is the sum over j of Sigma_j/(s_j^2 p^j), with Sigma_j = p^j x/(s + p^j x).
    s = gaps[:, None]
    q = p ** np.arange(int(600 / -math.log(p)))
    near = (1.0 - s) * (s + q * (1.0 - s)) / s**2
    total = near.sum(axis=1) + (depth + 1 - q.size) * (1.0 - gaps) / gaps
    log = NetworkKernel(phi, depth).log_at_gap(gaps)
    np.testing.assert_allclose(log, np.log(np.abs(total)) + depth * math.log(p), rtol=1e-12)


@pytest.mark.parametrize("name", ["3d_opt", "erf", "gelu", "relu", "sigmoid"])
@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_recursion_written_out(name, kind):
    phi = Activation(name)
    xi = np.array([-0.9, -0.3, 0.0, 0.2, 0.6, 0.95, 1.0])
    sigma, theta = xi.copy(), xi.copy()
    for depth in range(6):
        got = NetworkKernel(phi, depth, kind=kind).at_correlation(xi)
        want = theta if kind == "ntk" else sigma
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)
        slope = phi.dual.derivative(sigma)
        sigma = phi.dual.value(sigma)
        theta = sigma + theta * slope


@pytest.mark.parametrize(("name", "m"), [("h2", 2), ("h3", 3), ("h4", 4), ("h7", 7)])
def test_powers_in_closed_form(name, m):
    """f = xi^m: Sigma_L = xi^(m^L), and Theta_L/Sigma_L = (m^(L+1) - 1)/(m - 1)."""
    xi = np.array([0.999, 0.5, 0.01, -0.7])
    for depth in (1, 2, 5, 12):
        whole = float(m) ** depth
        want = whole * np.log(np.abs(xi))
        log, sign = NetworkKernel(name, depth, kind="nngp").log_and_sign_at_gap(1.0 - xi)
        np.testing.assert_allclose(log, want, rtol=1e-12)
        assert sign.tolist() == [1, 1, 1, 1 if m % 2 == 0 else -1]
        log, _ = NetworkKernel(name, depth).log_and_sign_at_gap(1.0 - xi)
        want = want + math.log((m * whole - 1) / (m - 1))
        np.testing.assert_allclose(log, want, rtol=1e-12)


@pytest.mark.parametrize("name", ["3d_opt", "9d_opt", "erf"])
def test_deep_networks_against_many_digits(name):
    from kernels.oracle import exact

    f, depth = exact(name), 3000
    gaps = [1e-16, 1e-6, 0.4, 1.3]
    with mp.workdps(60):
        want = []
        for s in gaps:
            x, layers = 1 - mp.mpf(s), 0
            while layers < depth and abs(x) > mp.mpf("1e-25"):
                x, layers = f.f(x), layers + 1
            value = x * (1 + x * f.a2 / (f.a1 - f.a1**2))
            want.append(float(mp.log(abs(value)) + (depth - layers) * mp.log(f.a1)))
    log = NetworkKernel(name, depth, kind="nngp").log_at_gap(gaps)
    np.testing.assert_allclose(log, want, rtol=1e-14, atol=1e-12)


@pytest.mark.parametrize("name", ["relu", "3d_opt", "sigmoid", "gelu"])
def test_diagonal(name):
    phi = Activation(name)
    b = phi.B1
    for depth in (0, 1, 7):
        kernel = NetworkKernel(phi, depth)
        assert kernel.at_gap(0.0) == pytest.approx(sum(b**j for j in range(depth + 1)), rel=1e-13)
        assert kernel.at_gap(0.0, normalize=True) == pytest.approx(1.0, rel=1e-14)
        assert NetworkKernel(phi, depth, kind="nngp").at_gap(0.0) == 1.0
    deep = NetworkKernel(phi, 100_000).log_diagonal
    want = math.log(100_001) if b == 1 else 0.0
    if b > 1:
        want = 100_001 * math.log(b) - math.log(b - 1)
    elif b < 1:
        want = -math.log(1 - b)
    assert deep == pytest.approx(want, rel=1e-13)


def test_normalised_values():
    s = np.array([0.0, 0.3, 1.2])
    kernel = NetworkKernel("3d_opt", 4)
    whole = kernel.at_gap(s)
    np.testing.assert_allclose(kernel.at_gap(s, normalize=True), whole / whole[0], rtol=1e-13)
    np.testing.assert_allclose(
        np.exp(kernel.log_at_gap(s, normalize=True)), np.abs(whole) / whole[0], rtol=1e-13
    )


def test_relu_at_great_depth_is_a_quarter():
    kernel = NetworkKernel("relu", 4000)
    got = kernel.at_gap([0.1, 0.7, 1.5], normalize=True) - 0.25
    np.testing.assert_allclose(got, 0.0, atol=3e-3)
    half = NetworkKernel("relu", 2000).at_gap([0.1, 0.7, 1.5], normalize=True) - 0.25
    np.testing.assert_allclose(half / got, 2.0, rtol=0.2)


@pytest.mark.parametrize(
    ("name", "depth", "kind"),
    [
        ("relu", 3, "ntk"),
        ("gelu", 5, "ntk"),
        ("3d_opt", 20, "nngp"),
        ("9d_opt", 10, "nngp"),
        ("erf", 40, "ntk"),
        ("identity", 0, "ntk"),
        ("h2", 4, "ntk"),
        ("cos", 6, "nngp"),
    ],
)
def test_table_for_big_matrices_is_the_iteration(name, depth, kind):
    kernel = NetworkKernel(name, depth, kind=kind)
    rng = np.random.default_rng(3)
    s = np.concatenate(
        [np.exp(rng.uniform(-30, math.log(2), 199_990)), rng.uniform(0, 2, 20), [0.0, 1.0, 2.0]]
    )
    log, sign = kernel.log_and_sign_at_gap(s)
    pick = np.concatenate([np.arange(0, s.size, 97), [s.size - 3, s.size - 2, s.size - 1]])
    exact, exact_sign = kernel.log_and_sign_at_gap(s[pick])
    value, want = sign[pick] * np.exp(log[pick] - log.max()), exact_sign * np.exp(exact - log.max())
    np.testing.assert_allclose(value, want, rtol=3e-11, atol=1e-13)


def test_a_deep_table_keeps_the_logarithm():
    kernel = NetworkKernel("3d_opt", 1000, kind="nngp")
    s = np.random.default_rng(4).uniform(1e-6, 0.9, 200_001)
    log, sign = kernel.log_and_sign_at_gap(s)
    exact, _ = kernel.log_and_sign_at_gap(s[::500])
    np.testing.assert_allclose(log[::500], exact, rtol=1e-11)
    assert np.all(sign == 1.0)


def test_sign_where_it_is_zero():
    log, sign = NetworkKernel("3d_opt", 10, kind="nngp").log_and_sign_at_gap([1.0, 2.0])
    assert log.tolist() == [-np.inf, 0.0]
    assert sign.tolist() == [0.0, -1.0]


def test_what_is_refused():
    for depth in (-1, 1.5):
        with pytest.raises(ValueError, match="depth is a number of hidden layers"):
            NetworkKernel("relu", depth)
    with pytest.raises(ValueError, match="kind is 'ntk' or 'nngp'"):
        NetworkKernel("relu", 1, kind="ck")
    with pytest.raises(ValueError, match="jumps, so that its NTK is infinite"):
        NetworkKernel("sign", 1)
    assert NetworkKernel("sign", 1, kind="nngp").at_correlation(0.5) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="gaps lie in"):
        NetworkKernel("relu", 1).at_gap(-0.1)


def test_it_is_a_radial_kernel_of_the_sums():
    kernel = NetworkKernel("h2", 2, kind="nngp")
    assert isinstance(kernel, RadialKernel)
    assert kernel.positive
    assert not NetworkKernel("h2", 2).positive
    assert repr(kernel) == "NetworkKernel('h2', depth=2, kind='nngp')"
