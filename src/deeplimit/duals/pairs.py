"""Mean squared differences of an activation at two correlated Gaussians."""

from __future__ import annotations

import math

import numpy as np

from deeplimit.duals.base import Array
from deeplimit.duals.hermite import GaussianQuadrature
from deeplimit.duals.pieces import NODES

#: Distances from a break, in standard deviations of the second argument given the first, at which
#: panels of the first end: within the last of them the inner integral turns at the break.
_TURNS = np.array([0.0, 1.5, 3.0, 4.5, 6.5, 9.0])
#: Widest panel of the inner variable.
_STEP = 3.0
#: Nodes evaluated at once, so that the arrays stay in the cache.
_CHUNK = 1 << 17


class PairQuadrature:
    r"""Quadrature of :math:`\tfrac12 E(\phi(u)-\phi(v))^2`, for the even and the odd part.

    The pair is written :math:`v = u\cos\theta + w\sin\theta` with independent Gaussians `u` and
    `w`. All terms are squares, so the result has relative accuracy however small the angle is.
    Panels of `u` end at the activation's panel edges and are narrow where `v` may cross a break;
    those of `w` end where `v` crosses an edge. The integrand is smooth on each cell, and
    Gauss-Legendre rules converge to rounding.

    Parameters
    ----------
    quadrature : GaussianQuadrature
        Quadrature fitted to the activation.

    Attributes
    ----------
    masses : ndarray of shape (2,)
        Shares of the even and the odd part in the mean square; they sum to one.
    crowded : bool
        Whether there are so many panels that fewer nodes are taken on each.
    """

    def __init__(self, quadrature: GaussianQuadrature) -> None:
        self._quadrature = quadrature
        pieces = quadrature.pieces
        self._reach = quadrature.reach
        # Beyond this radius in the plane nothing is left.
        self._radius = self._reach + 1.7
        edges = np.abs(pieces.edges[np.abs(pieces.edges) <= self._radius])
        self._edges = np.unique(np.concatenate(([0.0, self._radius], edges)))
        widths = np.diff(self._edges)
        self._ends = self._edges[1:-1]
        self._widths = np.minimum(widths[1:], widths[:-1])
        breaks = np.unique(np.abs(pieces.breaks[np.abs(pieces.breaks) <= self._radius]))
        self._breaks = np.concatenate((-breaks, breaks))
        self._anchors = breaks if breaks.size else np.zeros(1)
        self._jumps = bool(np.any(pieces.jumps))
        self._cusps = np.unique(np.abs(pieces.cusps))
        self.crowded = self._edges.size > 60
        self._nodes = 12 if self.crowded else 16
        # The parts have the breaks of the activation and their mirror images.
        x, weights = np.polynomial.legendre.leggauss(NODES)
        half = widths / 2.0
        z = (self._edges[:-1, None] + half[:, None] * (1.0 + x)).ravel()
        density = (half[:, None] * weights).ravel() * np.exp(-z * z / 2.0) * math.sqrt(2 / np.pi)
        masses = np.array([float(np.sum(np.square(part) * density)) for part in self._split(z)])
        self._norm2 = float(masses.sum())
        self.masses = masses / self._norm2

    def _split(self, z: Array) -> tuple[Array | float, Array | float]:
        """Even and odd part of the activation."""
        up = self._quadrature.phi(z)
        if self._quadrature.parity == "even":
            return up, 0.0
        if self._quadrature.parity == "odd":
            return 0.0, up
        down = self._quadrature.phi(-z)
        return (up + down) / 2.0, (up - down) / 2.0

    def gaps(self, angle: float, *, fine: bool = False) -> Array:
        r"""Masses less correlations of both parts at one angle.

        Parameters
        ----------
        angle : float
            :math:`\theta` in (0, π/2).
        fine : bool, default=False
            Whether to take half as many nodes again, to measure the error.

        Returns
        -------
        ndarray of shape (2,)
            Of the even and the odd part of the normalised activation.
        """
        x, weights = np.polynomial.legendre.leggauss(self._nodes * 3 // 2 if fine else self._nodes)
        sine = math.sin(angle)
        edges = self._visible(angle * (1e-9 if fine else 1e-7))
        outer = self._outer(edges, math.tan(angle))
        half = np.diff(outer) / 2.0
        # Places are kept as distances from a break, which rounding of the break does not disturb.
        anchors = self._anchors[
            np.abs(outer[:-1, None] + half[:, None] - self._anchors).argmin(axis=1)
        ]
        away = ((outer[:-1] - anchors)[:, None] + half[:, None] * (1.0 + x)).ravel()
        anchors = np.repeat(anchors, x.size)
        u = anchors + away
        outer_weight = (half[:, None] * weights).ravel() * np.exp(-u * u / 2.0)
        parts_u = self._split(u)
        # (1 - cos) u, of which sin w makes u - v without the rounding of a cosine near one.
        shrink = 2.0 * math.sin(angle / 2.0) ** 2 * u
        signed = np.unique(np.concatenate((-edges, edges)))
        crossings = (signed - anchors[:, None] - (away - shrink)[:, None]) / sine
        inner = self._inner(crossings, np.sqrt(self._radius**2 - u * u)[:, None])
        half = np.diff(inner, axis=1) / 2.0
        row, column = np.nonzero(half > 0.0)
        totals = np.zeros(2)
        for start in range(0, row.size, _CHUNK // x.size):
            i = row[start : start + _CHUNK // x.size]
            j = column[start : start + _CHUNK // x.size]
            h = half[i, j, None]
            w = inner[i, j, None] + h * (1.0 + x)
            lag = shrink[i, None] - sine * w
            v = u[i, None] - lag
            weight = outer_weight[i, None] * h * weights * np.exp(-w * w / 2.0)
            if not self._jumps:
                # What rounding made of u - v, as far as the difference of values is linear in it.
                actual = u[i, None] - v
                weight *= np.square(np.divide(lag, actual, out=np.ones_like(v), where=actual != 0))
            for part, (at_u, at_v) in enumerate(zip(parts_u, self._split(v), strict=True)):
                if not isinstance(at_u, float):
                    totals[part] += np.sum(weight * (at_u[i, None] - at_v) ** 2)
        # Half the plane by symmetry, one half from the formula, 1/2π from the density.
        return totals / (2.0 * np.pi * self._norm2)

    def _visible(self, smallest: float) -> Array:
        """Panel edges in [0, ∞), without those that lie closer to a cusp than matters."""
        edges = self._edges
        if self._cusps.size:
            distance = np.abs(edges[:, None] - self._cusps).min(axis=1)
            edges = edges[(distance == 0.0) | (distance >= smallest)]
        return edges

    def _outer(self, edges: Array, turn: float) -> Array:
        """Give the ends of the panels of `u` in [0, reach]."""
        hard = np.unique(np.concatenate((edges[edges < self._reach], [0.0, self._reach])))
        # A feature narrower than the turns acts like a break.
        narrow = self._ends[self._widths < min(turn, 0.1)]
        centers = np.concatenate((self._breaks, narrow, -narrow))
        soft = (centers[:, None] + turn * np.concatenate((-_TURNS, _TURNS))).ravel()
        soft = np.unique(soft[(soft > 0.0) & (soft < self._reach)])
        # Where turns crowd, one in each cell of a grid of half their size is enough.
        soft = soft[np.unique(np.floor(soft / (0.5 * turn)), return_index=True)[1]]
        after = np.searchsorted(hard, soft)
        apart = np.minimum(soft - hard[after - 1], hard[after] - soft)
        return np.sort(np.concatenate((hard, soft[apart > 0.3 * turn])))

    def _inner(self, crossings: Array, limit: Array) -> Array:
        """Give the ends of the panels of `w` for each `u`, repeated where they coincide."""
        steps = np.arange(-np.ceil(self._radius / _STEP), self._radius / _STEP + 1.0) * _STEP
        fixed = np.broadcast_to(steps, (limit.size, steps.size))
        ends = np.clip(np.concatenate((crossings, fixed, -limit, limit), axis=1), -limit, limit)
        return np.asarray(np.sort(ends, axis=1))
