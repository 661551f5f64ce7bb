"""The dual of any piecewise-smooth activation, by quadrature along the exact break lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev as C
from numpy.typing import ArrayLike

from deeplimit.duals.base import SERIES_RADIUS, Array, Dual, gap_to_angle
from deeplimit.duals.hermite import GaussianQuadrature, Moments
from deeplimit.duals.pieces import chebyshev_matrix, chebyshev_nodes

_NODES = 24
_WIDEST_ANGLE = float(np.arccos(SERIES_RADIUS)) + 1e-9
_TOLERANCE = 2e-15
_LAYERS = np.array([-10, -8, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 8, 10.0])


@dataclass(frozen=True)
class _Panel:
    """Chebyshev coefficients, for the even and the odd part, on one interval of angles."""

    left: float
    right: float
    parts: Array  # (_NODES, 2)


class QuadratureDual(Dual):
    r"""Dual of an activation known through its values only.

    The even and odd parts of :math:`\phi` have duals of their own, and
    :math:`1 - f(\cos\theta) = \tfrac12 E(\phi(u)-\phi(v))^2` with
    :math:`u, v = p\cos\tfrac\theta2 \pm q\sin\tfrac\theta2` and independent Gaussians `p`, `q`.
    This form keeps the gap's relative accuracy; its integrand is smooth between the lines on
    which `u` or `v` crosses a break, so Gauss-Legendre panels along those lines converge to
    rounding. The quotient by :math:`\theta^2` (by :math:`\theta` if the activation jumps) is
    smooth in :math:`\theta` and kept as piecewise Chebyshev polynomials; correlations within
    ±1/4 use the Hermite series, and negative ones follow from the parity of the parts.

    Parameters
    ----------
    quadrature : GaussianQuadrature
        Quadrature fitted to the activation.
    """

    def __init__(self, quadrature: GaussianQuadrature) -> None:
        self._quadrature = quadrature
        moments: Moments = quadrature.moments
        self._norm2 = moments.norm2
        self.slope_at_one = moments.energy / moments.norm2
        self.parity = quadrature.parity
        signed, _ = quadrature.hermite(2)
        self._a = quadrature.hermite(64)[0] ** 2 / moments.norm2
        self._power = 1 if np.isinf(moments.energy) else 2
        self._masses = self._part_masses()
        self._panels = self._tabulate()
        self._lefts = np.array([p.left for p in self._panels])
        self.error = max(1e-15, self.error)

    def coefficients(self, n: int) -> Array:
        if n <= self._a.size:
            return self._a[:n].copy()
        return np.asarray(self._quadrature.hermite(n)[0] ** 2 / self._norm2)

    def _part_masses(self) -> Array:
        z, w = self._quadrature._rule(32)
        even, odd = self._split(z)
        density = w * np.exp(-z * z / 2.0) / np.sqrt(2.0 * np.pi) / self._norm2
        masses = np.array([np.sum(even**2 * density), np.sum(odd**2 * density)])
        return np.asarray(masses / masses.sum())

    def _split(self, z: Array) -> tuple[Array, Array]:
        up = np.asarray(self._quadrature.phi(z), dtype=np.float64)
        down = np.asarray(self._quadrature.phi(-z), dtype=np.float64)
        return (up + down) / 2.0, (up - down) / 2.0

    def _geometry(self) -> tuple[Array, Array, float]:
        """Breaks of the symmetrised activation, panel edges, and how far the weight reaches."""
        q = self._quadrature
        breaks = np.unique(np.abs(q.pieces.breaks))
        z, w = q._rule(32)
        mass = np.asarray(q.phi(z), dtype=np.float64) ** 2 * w * np.exp(-z * z / 2.0)
        reach = max(9.0, float(np.abs(z[mass > 1e-19 * mass.sum()]).max(initial=0.0)))
        edges = np.unique(np.abs(q.pieces.edges))
        edges = edges[edges <= reach + 1.0]
        # The panels of an algebraic singularity are kept for the outer variable only.
        return np.concatenate((-breaks[::-1], breaks[breaks > 0])), edges, reach

    def _quotients(self, angles: Array) -> Array:
        """Gaps of the even and the odd part over angle**power, for each angle: (m, 2)."""
        breaks, edges, reach = self._geometry()
        x, w = np.polynomial.legendre.leggauss(20)
        wide = edges[np.concatenate(([True], np.diff(edges) > 0.02))]
        out = np.empty((angles.size, 2))
        pairs = np.abs(breaks[:, None] + breaks[None, :]).ravel() / 2.0
        for i, angle in enumerate(angles):
            c, sn = np.cos(angle / 2.0), np.sin(angle / 2.0)
            top = reach / c
            # Within some standard deviations of q the outer integrand turns at each break.
            layers = np.abs(np.abs(breaks)[:, None] + sn * _LAYERS).ravel()
            p_edges = np.concatenate((edges, pairs / c, layers / c, [0.0, top]))
            p_edges = np.unique(p_edges[p_edges <= top])
            half = np.diff(p_edges) / 2.0
            p = (p_edges[:-1, None] + half[:, None] * (1.0 + x)).ravel()
            wp = (half[:, None] * w).ravel()
            crossings = np.abs(breaks[None, :] - c * p[:, None]) / sn
            crossings = np.concatenate((crossings, np.abs(breaks[None, :] + c * p[:, None]) / sn), 1)
            fixed = np.broadcast_to(wide[wide <= reach], (p.size, np.sum(wide <= reach)))
            q_edges = np.concatenate((fixed, np.full((p.size, 1), reach), crossings), axis=1)
            q_edges = np.sort(np.minimum(q_edges, reach), axis=1)
            q_half = np.diff(q_edges, axis=1) / 2.0
            totals = np.zeros(2)
            for chunk in range(0, p.size, 256):
                rows = slice(chunk, chunk + 256)
                h = q_half[rows, :, None]
                live = np.broadcast_to(h > 0, (*h.shape[:2], x.size))
                q = (q_edges[rows, :-1, None] + h * (1.0 + x))[live]
                pp = np.broadcast_to(p[rows, None, None], live.shape)[live]
                weight = (wp[rows, None, None] * h * w)[live]
                weight = weight * np.exp(-(q * q + pp * pp) / 2.0)
                keep = weight > 1e-26
                q, pp, weight = q[keep], pp[keep], weight[keep]
                even_u, odd_u = self._split(c * pp + sn * q)
                even_v, odd_v = self._split(c * pp - sn * q)
                totals[0] += np.sum(weight * (even_u - even_v) ** 2)
                totals[1] += np.sum(weight * (odd_u - odd_v) ** 2)
            # Quarter plane of four, a half from the formula, 1/2 pi from the density.
            out[i] = totals / (np.pi * self._norm2 * angle**self._power)
        return out

    def _tabulate(self) -> list[_Panel]:
        matrix, nodes = chebyshev_matrix(_NODES), chebyshev_nodes(_NODES)
        # An algebraic singularity (a cusp) defeats the quadrature: say so by a larger error.
        goal, narrowest = (_TOLERANCE, 1e-3) if self._quadrature.pieces.smooth else (1e-6, 0.05)
        todo = [(0.0, _WIDEST_ANGLE / 2), (_WIDEST_ANGLE / 2, _WIDEST_ANGLE)]
        done: list[_Panel] = []
        while todo:
            left, right = todo.pop()
            half = (right - left) / 2.0
            angles = left + half * (1.0 + nodes)
            parts = matrix @ self._quotients(angles)
            scale = np.abs(parts).max()
            tail = float(np.abs(parts[-3:]).max() / scale)
            # Differences of nearly equal values leave rounding of size eps / angle.
            floor = 0.25 * self._quadrature.precision / angles[0]
            if tail <= max(goal, floor) or half < narrowest:
                done.append(_Panel(left, right, parts))
                self.error = max(self.error, tail)
            else:
                todo += [(left, left + half), (left + half, right)]
        return sorted(done, key=lambda panel: panel.left)

    def _parts(self, theta: Array) -> tuple[Array, Array]:
        """Quotients and their derivatives in the angle, for both parts: shapes (2, …)."""
        which = np.clip(np.searchsorted(self._lefts, theta, side="right") - 1, 0, None)
        values = np.empty((2, theta.size))
        slopes = np.empty((2, theta.size))
        for i in np.unique(which):
            panel, at = self._panels[i], which == i
            scale = 2.0 / (panel.right - panel.left)
            x = (theta[at] - panel.left) * scale - 1.0
            values[:, at] = C.chebval(x, panel.parts)
            slopes[:, at] = C.chebval(x, C.chebder(panel.parts)) * scale
        return values, slopes

    def gap(self, s: ArrayLike) -> Array:
        s = np.asarray(s, dtype=np.float64)
        out = np.empty_like(s)
        near, far = s <= 1.0 - SERIES_RADIUS, s >= 1.0 + SERIES_RADIUS
        theta = gap_to_angle(s[near])
        out[near] = theta**self._power * self._parts(theta)[0].sum(axis=0)
        theta = gap_to_angle(2.0 - s[far])
        parts = theta**self._power * self._parts(theta)[0]
        # f(-x) = even(x) - odd(x), each part being its mass less its gap.
        out[far] = (1.0 - self._masses[0] + self._masses[1]) + parts[0] - parts[1]
        middle = ~near & ~far
        out[middle] = 1.0 - np.polynomial.polynomial.polyval(1.0 - s[middle], self._a)
        return out

    def gap_derivative(self, s: ArrayLike) -> Array:
        s = np.asarray(s, dtype=np.float64)
        out = np.empty_like(s)
        near, far = s <= 1.0 - SERIES_RADIUS, s >= 1.0 + SERIES_RADIUS
        out[near] = self._slopes(s[near]).sum(axis=0)
        slopes = self._slopes(2.0 - s[far])
        out[far] = slopes[1] - slopes[0]
        middle = ~near & ~far
        da = np.polynomial.polynomial.polyder(self._a)
        out[middle] = np.polynomial.polynomial.polyval(1.0 - s[middle], da)
        return out

    def _slopes(self, s: Array) -> Array:
        """Derivatives in the correlation of both parts at a gap of at most 3/4."""
        theta = gap_to_angle(s)
        h, dh = self._parts(theta)
        if self._power == 1:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(theta > 0, (h + theta * dh) / np.sin(theta), np.inf)
        stretch = np.ones_like(theta)
        np.divide(theta, np.sin(theta), out=stretch, where=theta > 0)
        return np.asarray(stretch * (2.0 * h + theta * dh))
