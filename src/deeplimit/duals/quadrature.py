"""The dual of any piecewise-smooth activation, tabulated from quadratures over pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev as C
from numpy.polynomial import polynomial as P
from scipy.special import exprel

from deeplimit.duals.base import SERIES_RADIUS, Array, Dual, gap_to_angle
from deeplimit.duals.hermite import GaussianQuadrature
from deeplimit.duals.pairs import PairQuadrature
from deeplimit.duals.pieces import chebyshev_matrix, chebyshev_nodes

_NODES = 24
_WIDEST_ANGLE = math.acos(SERIES_RADIUS) + 1e-9
_TOLERANCE, _CROWDED, _CUSPED = 2e-15, 1e-12, 1e-9
#: A dual known less well than this is not given; angles at which rounding leaves so little are
#: extrapolated.
_WORST, _NOISE = 1e-3, 1e-7
#: A tenth of a quarter turn and less is where features show on a logarithmic scale only.
_RATIO = 8.0
#: Angles below which a cusp, or a feature that is not one, is extrapolated.
_SMALLEST_CUSP, _SMALLEST = 1e-7, 1e-13


@dataclass(frozen=True)
class _Panel:
    """Chebyshev coefficients, for the even and the odd part, on one interval of angles.

    The variable is the logarithm of the angle, or the angle itself if the panel begins at zero.
    """

    left: float
    right: float
    parts: Array  # (_NODES, 2)

    def at(self, theta: Array) -> tuple[Array, Array]:
        """Values, and derivatives times the angle: shapes (2, m)."""
        if self.left == 0.0:
            x, slope = theta * (2.0 / self.right) - 1.0, theta * (2.0 / self.right)
        else:
            scale = 2.0 / math.log(self.right / self.left)
            x, slope = np.log(theta / self.left) * scale - 1.0, np.full_like(theta, scale)
        rises = np.asarray(C.chebval(x, C.chebder(self.parts)))
        return np.asarray(C.chebval(x, self.parts)), rises * slope


class QuadratureDual(Dual):
    r"""Dual of an activation known through its values only.

    The even and the odd part of :math:`\phi` have duals of their own, and
    :math:`1 - f(\cos\theta) = \tfrac12 E(\phi(u)-\phi(v))^2` is computed for each, see
    `PairQuadrature`. The quotient by :math:`\theta^2` (by :math:`\theta` if the activation jumps)
    is kept as piecewise Chebyshev polynomials in :math:`\theta` near zero and in
    :math:`\ln\theta` beyond; correlations within ±1/4 use the Hermite series, and negative ones
    follow from the parity of the parts.

    Parameters
    ----------
    quadrature : GaussianQuadrature
        Quadrature fitted to the activation.

    Raises
    ------
    ValueError
        If fewer than three digits are to be had.

    Examples
    --------
    >>> import numpy as np
    >>> dual = QuadratureDual(GaussianQuadrature(np.sign))
    >>> (np.pi * dual.gap([1.0, 2.0])).round(12)
    array([3.14159265, 6.28318531])
    """

    def __init__(self, quadrature: GaussianQuadrature) -> None:
        moments = quadrature.moments
        self._quadrature = quadrature
        self._norm2 = moments.norm2
        self.slope_at_one = moments.energy / moments.norm2
        self.parity = quadrature.parity
        signed, absolute = quadrature.hermite(64)
        self._a = signed**2 / moments.norm2
        self._da = P.polyder(self._a)
        self._pairs = PairQuadrature(quadrature)
        self._even, self._odd = self._pairs.masses.tolist()
        pieces = quadrature.pieces
        self._cusps = bool(pieces.cusps.size)
        self._power = 1 if np.any(pieces.jumps) and not self._cusps else 2
        smallest = _SMALLEST_CUSP if self._cusps else _SMALLEST
        measured = self._measured()
        self._check(measured)
        self._noise = 0.0
        goal = _CROWDED if self._pairs.crowded else _TOLERANCE
        goal = max(_CUSPED if self._cusps else goal, 0.5 * measured)
        self._panels, unresolved = self._tabulate(goal, smallest)
        self._lefts = np.array([p.left for p in self._panels])
        self.error = max(
            1e-15,
            unresolved,
            self._noise,
            measured,
            2.0 * absolute / math.sqrt(moments.norm2),
            moments.errors["norm2"] / moments.norm2,
            10.0 * pieces.noise,
        )
        self._check(self.error)

    @staticmethod
    def _check(error: float) -> None:
        if not error <= _WORST:
            raise ValueError(
                f"the dual of the activation is known to {error:.0e} only: it is too rough, "
                "or has a singularity too strong to integrate."
            )

    def _coefficients(self, n: int) -> Array:
        if n <= self._a.size:
            return self._a[:n].copy()
        return np.asarray(self._quadrature.hermite(n)[0] ** 2 / self._norm2)

    def _panel(self, left: float, right: float) -> tuple[_Panel, float, float]:
        """Tabulate on one interval; return also the size of the last coefficients, and of noise."""
        unit = (1.0 + chebyshev_nodes(_NODES)) / 2.0
        angles = right * unit if left == 0.0 else left * (right / left) ** unit
        gaps = np.array([self._pairs.gaps(float(a)) for a in angles])
        parts = chebyshev_matrix(_NODES) @ (gaps / angles[:, None] ** self._power)
        tail = float(np.abs(parts[-3:]).max() / np.abs(parts).max())
        # Differences of nearly equal values leave rounding, the more the smaller the angle.
        first = gaps[0].sum()
        again = self._pairs.gaps(float(angles[0]), fine=True).sum()
        spread = self._quadrature.moments.spread / float(angles[0])
        rounding = 0.02 * self._quadrature.precision * max(spread, 1.0 / math.sqrt(first))
        self._noise = max(self._noise, 0.5 * abs(again / first - 1.0) if left else 0.0)
        return _Panel(left, right, parts), tail, max(rounding, self._noise)

    def _tabulate(self, goal: float, smallest: float) -> tuple[list[_Panel], float]:
        """Panels from the widest angle down to zero, or to where the rest is extrapolated."""
        done: list[_Panel] = []
        worst, right, ratio = 0.0, _WIDEST_ANGLE, _RATIO
        while right > smallest:
            left = right / ratio
            panels, tail = self._between(left, right, goal)
            done += panels
            worst, right = max(worst, tail), left
            if self._cusps:
                # Nothing but powers of the angle is left, down to any scale.
                ratio = _RATIO**2
                continue
            panel, tail, floor = self._panel(0.0, right)
            if tail <= max(goal, floor):
                done.append(panel)
                worst = max(worst, tail, 0.5 * floor)
                break
            if self._noise > _NOISE:
                break
        return sorted(done, key=lambda panel: panel.left), worst

    def _between(self, left: float, right: float, goal: float) -> tuple[list[_Panel], float]:
        """Panels of an interval that resolve it, by bisection."""
        panel, tail, floor = self._panel(left, right)
        if tail <= max(goal, floor) or right / left < 1.3:
            return [panel], tail
        middle = math.sqrt(left * right)
        (low, low_tail), (high, high_tail) = (
            self._between(*ends, goal) for ends in ((left, middle), (middle, right))
        )
        return low + high, max(low_tail, high_tail)

    def _measured(self) -> float:
        """Relative distance to a finer quadrature at some angles."""
        angles = (1.2, 0.2, 0.03, 1e-3, *((1e-6,) if self._cusps else ()))
        coarse = np.array([self._pairs.gaps(a).sum() for a in angles])
        fine = np.array([self._pairs.gaps(a, fine=True).sum() for a in angles])
        return float(np.abs(fine / coarse - 1.0).max())

    def _parts(self, theta: Array) -> tuple[Array, Array]:
        """Quotients and their derivatives times the angle, for both parts: shapes (2, …)."""
        which = np.clip(np.searchsorted(self._lefts, theta, side="right") - 1, 0, None)
        values, slopes = np.empty((2, theta.size)), np.empty((2, theta.size))
        for i in np.unique(which):
            panel, at = self._panels[i], which == i
            values[:, at], slopes[:, at] = panel.at(np.maximum(theta[at], panel.left))
        below = theta < self._lefts[0]
        if below.any():
            values[:, below], slopes[:, below] = self._extrapolated(theta[below])
        return values, slopes

    def _extrapolated(self, theta: Array) -> tuple[Array, Array]:
        r"""Quotients below the table: the form :math:`a + b\theta^{-\epsilon}` of a cusp.

        A cusp :math:`|z|^p` has :math:`\epsilon = 1 - 2p`; the form holds a logarithm as its
        limit.
        """
        panel = self._panels[0]
        scale = 2.0 / math.log(panel.right / panel.left)
        value, slope, bend = (
            np.asarray(C.chebval(-1.0, C.chebder(panel.parts, m)))[:, None] * scale**m
            for m in range(3)
        )
        power = np.zeros_like(slope)
        np.divide(-bend, slope, out=power, where=slope != 0.0)
        # Where next to nothing changes the power is noise, and must not make anything grow.
        power = np.minimum(power, np.abs(slope) > 1e-3 * np.abs(value))
        rest = value.sum() - self.slope_at_one / 2.0
        if math.isfinite(rest) and slope.sum() * rest > 0.0:
            # Towards zero the quotient becomes half the slope at one, and that is known.
            power[:] = -slope.sum() / rest
        with np.errstate(divide="ignore"):
            x = np.log(np.maximum(theta, 1e-290) / panel.left)
        return value + slope * x * exprel(-power * x), slope * np.exp(-power * x)

    def _gap(self, s: Array) -> Array:
        out = np.empty_like(s)
        near, far = s <= 1.0 - SERIES_RADIUS, s >= 1.0 + SERIES_RADIUS
        theta = gap_to_angle(s[near])
        out[near] = theta**self._power * self._parts(theta)[0].sum(axis=0)
        theta = gap_to_angle(2.0 - s[far])
        parts = theta**self._power * self._parts(theta)[0]
        # f(-x) = even(x) - odd(x), each part being its mass less its gap.
        out[far] = 2.0 * self._odd + parts[0] - parts[1]
        middle = ~near & ~far
        out[middle] = 1.0 - P.polyval(1.0 - s[middle], self._a)
        return out

    def _slope(self, s: Array) -> Array:
        out = np.empty_like(s)
        near, far = s <= 1.0 - SERIES_RADIUS, s >= 1.0 + SERIES_RADIUS
        out[near] = self._slopes(s[near]).sum(axis=0)
        # Infinite slopes of the parts cancel at the antipode, unless one part is all there is.
        least = 1e-16 if self._power == 1 and self.parity is None else 0.0
        slopes = self._slopes(np.maximum(2.0 - s[far], least))
        out[far] = slopes[1] - slopes[0]
        middle = ~near & ~far
        out[middle] = P.polyval(1.0 - s[middle], self._da)
        return out

    def _slopes(self, s: Array) -> Array:
        """Differentiate both parts in the correlation, at gaps of at most 3/4."""
        theta = gap_to_angle(s)
        h, dh = self._parts(theta)
        # The derivative of θ^p h(θ) in θ, over sin θ.
        rise = self._power * h + dh
        if self._power == 1:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(rise != 0.0, rise / np.sin(theta), 0.0)
        stretch = np.ones_like(theta)
        np.divide(theta, np.sin(theta), out=stretch, where=theta > 0)
        return np.asarray(stretch * rise)
