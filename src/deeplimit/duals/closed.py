"""Duals with a closed form.

Sources: arc-cosine kernels, Cho and Saul (2009); arcsine kernel, Williams (1997); the Gaussian and
trigonometric integrals follow from the moment generating function of a Gaussian pair; the GELU form
follows from Stein's lemma applied twice. Each is written here in the gap, free of cancellation.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import polynomial as P

from deeplimit.duals.base import Array, Dual, gap_to_angle

#: Largest squared frequency or rate whose first coefficient, near its exponential, is no less
#: than the smallest double of full precision.
LARGEST_RATE = 700.0


def _central_binomials(n: int) -> Array:
    """Coefficients of (1 - x)^(-1/2): C(2j, j) / 4^j."""
    j = np.arange(1, n)
    return np.concatenate(([1.0], np.cumprod((2 * j - 1) / (2 * j))))


class ConstantDual(Dual):
    """Dual of a constant activation, f = 1: what a bias adds to a layer."""

    slope_at_one = 0.0
    parity = "even"

    def _coefficients(self, n: int) -> Array:
        return np.asarray(np.eye(1, n)[0])

    def _gap(self, s: Array) -> Array:
        return np.zeros_like(s)

    def _slope(self, s: Array) -> Array:
        return np.zeros_like(s)


class IdentityDual(Dual):
    """Dual of the identity, f(ξ) = ξ: what a skip connection adds to a layer."""

    slope_at_one = 1.0
    parity = "odd"

    def _coefficients(self, n: int) -> Array:
        return np.asarray(np.eye(1, n, 1)[0])

    def _gap(self, s: Array) -> Array:
        return s.copy()

    def _slope(self, s: Array) -> Array:
        return np.ones_like(s)


class ArcCosineDual(Dual):
    r"""Dual of :math:`\phi(z) = p\max(z, 0) + n\max(-z, 0)`: ReLU, leaky ReLU, absolute value.

    :math:`f(\xi) = \xi + (1+\rho)(\sin\theta - \theta\cos\theta)/\pi` with
    :math:`\theta = \arccos\xi` and :math:`\rho = 2pn/(p^2+n^2)`. The slope at one is exactly 1.

    Parameters
    ----------
    positive, negative : float
        `p` and `n`, not both zero.
    """

    slope_at_one = 1.0

    def __init__(self, positive: float, negative: float) -> None:
        # 1 + rho as a square, so that the identity (p = -n) gives exactly zero.
        largest = max(abs(positive), abs(negative))
        p, n = positive / largest, negative / largest
        self._w = (p + n) ** 2 / (p * p + n * n)
        if positive == negative:
            self.parity = "even"
        elif positive == -negative:
            self.parity = "odd"

    def _coefficients(self, n: int) -> Array:
        a = np.zeros(max(n, 2))
        a[0] = self._w / np.pi
        a[1] = 1.0 - self._w / 2.0
        j = np.arange(len(a[2::2]))
        a[2::2] = self._w / np.pi * _central_binomials(len(j)) / ((2 * j + 1) * (2 * j + 2))
        return a[:n]

    def _gap(self, s: Array) -> Array:
        theta = gap_to_angle(s)
        t2 = theta * theta
        # sin t - t cos t, by series below 0.5 where the difference would cancel.
        series = theta * t2 * P.polyval(t2, [1 / 3, -1 / 30, 1 / 840, -1 / 45360, 1 / 3991680])
        bend = np.where(theta < 0.3, series, np.sin(theta) - theta * (1.0 - s))
        return np.asarray(s - self._w * bend / np.pi)

    def _slope(self, s: Array) -> Array:
        return np.asarray(1.0 - self._w * gap_to_angle(s) / np.pi)


class ArcSineDual(Dual):
    r"""Dual of :math:`\mathrm{erf}(bz)`, :math:`f(\xi) = \arcsin(c\xi)/\arcsin c`.

    Here :math:`c = 2b^2/(1+2b^2)`; :math:`b = \infty` is the sign function, whose slope at one
    is infinite.

    Parameters
    ----------
    gain : float
        `b`, positive; ``inf`` for the sign function.
    """

    parity = "odd"

    def __init__(self, gain: float) -> None:
        if math.isinf(gain):
            self._c, self._rest = 1.0, 0.0
        else:
            self._c = 2.0 * gain**2 / (1.0 + 2.0 * gain**2)
            self._rest = (1.0 + 4.0 * gain**2) / (1.0 + 2.0 * gain**2) ** 2  # 1 - c^2
        self._top = math.atan2(self._c, math.sqrt(self._rest))
        root = math.sqrt(self._rest)
        self.slope_at_one = self._c / (root * self._top) if root else math.inf

    def _coefficients(self, n: int) -> Array:
        a = np.zeros(n)
        j = np.arange(len(a[1::2]))
        a[1::2] = _central_binomials(len(j)) / (2 * j + 1) * self._c ** (2 * j + 1) / self._top
        return a

    def _gap(self, s: Array) -> Array:
        c = self._c
        y = c * (1.0 - s)
        dy = c * c * s * (2.0 - s)  # c^2 - y^2
        cos_x, cos_y = math.sqrt(self._rest), np.sqrt(self._rest + dy)
        # arcsin c - arcsin y from the sine and cosine of the difference; for y < 0 the sine's
        # quotient form would cancel, the product form does not.
        lead = c * cos_y + y * cos_x
        with np.errstate(divide="ignore", invalid="ignore"):
            sine = np.where(y >= 0, np.where(dy > 0, dy / lead, 0.0), c * cos_y - y * cos_x)
        return np.asarray(np.arctan2(sine, cos_x * cos_y + c * y) / self._top)

    def _slope(self, s: Array) -> Array:
        with np.errstate(divide="ignore"):
            root = np.sqrt(self._rest + self._c**2 * s * (2.0 - s))
            return np.asarray(self._c / (self._top * root))


class ExponentialDual(Dual):
    r"""Dual of :math:`e^{bz}`, :math:`f(\xi) = e^{a(\xi-1)}` with :math:`a = b^2`.

    Parameters
    ----------
    a : float
        Squared rate, positive.
    """

    def __init__(self, a: float) -> None:
        self._a = self.slope_at_one = float(a)

    def _coefficients(self, n: int) -> Array:
        k = np.arange(n)
        return np.asarray(np.exp(k * math.log(self._a) - self._a - _log_factorials(n)))

    def _gap(self, s: Array) -> Array:
        return np.asarray(-np.expm1(-self._a * s))

    def _slope(self, s: Array) -> Array:
        return np.asarray(self._a * np.exp(-self._a * s))

    def _value(self, xi: Array) -> Array:
        return np.asarray(np.exp(-self._a * (1.0 - xi)))


class HyperbolicDual(Dual):
    r"""Dual of :math:`\sin(bz)` or :math:`\cos(bz)`.

    :math:`f(\xi) = \sinh(a\xi)/\sinh a` and :math:`\cosh(a\xi)/\cosh a` with :math:`a = b^2`;
    written through :math:`e^{-as}` so that no large `a` overflows.

    Parameters
    ----------
    a : float
        Squared frequency, positive.
    odd : bool
        True for the sine.
    """

    def __init__(self, a: float, *, odd: bool) -> None:
        self.a = float(a)
        self._sign = -1.0 if odd else 1.0
        self._norm = -math.expm1(-2 * self.a) if odd else 1.0 + math.exp(-2 * self.a)
        self.parity = "odd" if odd else "even"
        tanh = math.tanh(self.a)
        self.slope_at_one = self.a / tanh if odd else self.a * tanh

    def _coefficients(self, n: int) -> Array:
        k = np.arange(n)
        a = 2.0 * np.exp(k * math.log(self.a) - self.a - _log_factorials(n)) / self._norm
        a[(1 if self._sign > 0 else 0) :: 2] = 0.0
        return np.asarray(a)

    def _gap(self, s: Array) -> Array:
        near, far = -np.expm1(-self.a * s), -self.a * (2.0 - s)
        other = 1.0 + np.exp(far) if self._sign < 0 else -np.expm1(far)
        return np.asarray(near * other / self._norm)

    def _value(self, xi: Array) -> Array:
        # For a large `a` the value is tiny up to moderate correlations: no difference to one.
        x = np.abs(xi)
        far = -2.0 * self.a * x
        other = -np.expm1(far) if self._sign < 0 else 1.0 + np.exp(far)
        out = np.exp(-self.a * (1.0 - x)) * other / self._norm
        return np.asarray(np.copysign(out, xi) if self._sign < 0 else out)

    def _slope(self, s: Array) -> Array:
        up, down = np.exp(-self.a * s), np.exp(-self.a * (2.0 - s))
        return np.asarray(self.a * (up - self._sign * down) / self._norm)


class GaussianDual(Dual):
    r"""Dual of :math:`e^{-cz^2}`, :math:`f = (1 + q s(2-s))^{-1/2}`, :math:`q = 4c^2/(1+4c)`.

    Parameters
    ----------
    c : float
        Above -1/4, where the activation stops being square-integrable; not zero.
    """

    parity = "even"

    def __init__(self, c: float) -> None:
        self._q = self.slope_at_one = 4.0 * c * c / (1.0 + 4.0 * c)

    def _coefficients(self, n: int) -> Array:
        a = np.zeros(n)
        j = np.arange(len(a[::2]))
        q = self._q
        a[::2] = _central_binomials(len(j)) * (q / (1.0 + q)) ** j / math.sqrt(1.0 + q)
        return a

    def _gap(self, s: Array) -> Array:
        return np.asarray(-np.expm1(-0.5 * np.log1p(self._q * s * (2.0 - s))))

    def _slope(self, s: Array) -> Array:
        return np.asarray(self._q * (1.0 - s) * (1.0 + self._q * s * (2.0 - s)) ** -1.5)


class GeluDual(Dual):
    r"""Dual of the GELU :math:`z\,\Phi(z)`.

    :math:`E\,\phi\phi = \xi/4 + \xi\arcsin(\xi/2)/2\pi + 1/(2\pi\sqrt{4-\xi^2})`.
    """

    _norm2 = 1 / 3 + 1 / (2 * math.pi * math.sqrt(3))
    slope_at_one = (1 / 3 + 2 / (3 * math.sqrt(3) * math.pi)) / _norm2

    def _coefficients(self, n: int) -> Array:
        # xi arcsin(xi/2) and (4 - xi^2)^(-1/2) have even powers only; xi/4 is the one odd term.
        j = np.arange(n // 2 + 1)
        binomials = _central_binomials(len(j)) * 0.25**j
        arcsine = np.concatenate(([0.0], binomials[:-1] * 0.5 / (2 * j[:-1] + 1)))
        a = np.zeros(2 * len(j))
        a[::2] = (arcsine + binomials / 2.0) / (2.0 * np.pi)
        a[1] = 0.25
        return a[:n] / self._norm2

    def _gap(self, s: Array) -> Array:
        xi, w = 1.0 - s, s * (2.0 - s)
        angle = np.arcsin(xi / 2.0)
        root = np.sqrt(3.0 + w)
        r3 = math.sqrt(3.0)
        # pi/6 - arcsin(xi/2): sine of the difference is (1/4 - xi^2/4) / (…) for xi >= 0.
        drop = np.where(
            xi >= 0,
            np.arcsin(np.minimum(w / np.where(xi >= 0, root + xi * r3, 1.0), 1.0)),
            math.pi / 6 - angle,
        )
        gap = s / 4 + (drop + s * angle + w / (r3 * root * (r3 + root))) / (2 * math.pi)
        return np.asarray(gap / self._norm2)

    def _slope(self, s: Array) -> Array:
        xi = 1.0 - s
        u = 3.0 + s * (2.0 - s)
        bend = np.arcsin(xi / 2.0) + xi / np.sqrt(u) + xi / u**1.5
        return np.asarray((0.25 + bend / (2 * math.pi)) / self._norm2)


class PowerLawDual(Dual):
    r"""The θ-family :math:`f = 1 - [1 + p((1-\xi)^{-\theta} - 1)]^{-1/\theta}`.

    Its limit kernel is :math:`((1-\xi)^{-\theta}-1)/\theta` exactly, without oscillation;
    :math:`\theta = 1` is the Möbius map :math:`p\xi/(1-(1-p)\xi)`.

    Parameters
    ----------
    p : float
        Slope at zero, in (0, 1).
    theta : float
        In (0, 1]; the exponent of the limit is 2 θ.
    """

    def __init__(self, p: float, theta: float = 1.0) -> None:
        if not (0 < p < 1 and 0 < theta <= 1):
            raise ValueError(f"p must lie in (0, 1) and theta in (0, 1]; got {p} and {theta}.")
        self.p, self.theta = float(p), float(theta)
        self.slope_at_one = self.p ** (-1.0 / self.theta)

    def _coefficients(self, n: int) -> Array:
        # Power of a power series (Miller's recurrence): w = 1 + p((1-x)^-theta - 1),
        # f = 1 - w^(-1/theta).
        w = np.empty(n)
        w[0] = 1.0
        for k in range(1, n):
            w[k] = (w[k - 1] if k > 1 else self.p) * (self.theta + k - 1) / k
        v = np.zeros(n)
        v[0] = 1.0
        r = -1.0 / self.theta
        j = np.arange(n)
        for k in range(1, n):
            v[k] = np.sum((r * j[1 : k + 1] - (k - j[1 : k + 1])) * w[1 : k + 1] * v[k - 1 :: -1])
            v[k] /= k
        a = -v
        a[0] = 0.0
        # The terms are non-negative for theta <= 1; rounding may leave a last-digit minus.
        return np.maximum(a, 0.0)

    def _gap(self, s: Array) -> Array:
        return np.asarray(s * (self.p + (1.0 - self.p) * s**self.theta) ** (-1.0 / self.theta))

    def _slope(self, s: Array) -> Array:
        power = -1.0 / self.theta - 1.0
        return np.asarray(self.p * (self.p + (1.0 - self.p) * s**self.theta) ** power)


def _log_factorials(n: int) -> Array:
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n))))) if n > 1 else np.zeros(n)
