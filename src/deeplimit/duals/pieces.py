"""Where a function is smooth: its jumps and kinks found, its smooth pieces resolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deeplimit.duals.base import Array

#: Chebyshev nodes on which a piece is held to be resolved.
NODES = 32
#: Beyond this many standard deviations a Gaussian weight is below the smallest double.
REACH = 37.0
_MAX_PANELS = 20_000


def chebyshev_nodes(n: int) -> Array:
    """Chebyshev nodes of the first kind in (-1, 1), ascending: the ends are never sampled."""
    return -np.cos((2 * np.arange(n) + 1) * np.pi / (2 * n))


def chebyshev_matrix(n: int) -> Array:
    """Matrix from values at `chebyshev_nodes(n)` to Chebyshev coefficients."""
    k, x = np.arange(n)[:, None], chebyshev_nodes(n)[None, :]
    m = 2.0 / n * np.cos(k * np.arccos(x))
    m[0] /= 2.0
    return np.asarray(m)


_TO_COEFFICIENTS = chebyshev_matrix(NODES)


@dataclass(frozen=True)
class Pieces:
    """Partition of the line into panels on each of which a function is smooth.

    Attributes
    ----------
    edges : ndarray of shape (p + 1,)
        Ends of the panels, ascending.
    breaks : ndarray of shape (b,)
        Places where the function or one of its derivatives jumps.
    jumps : ndarray of shape (b,)
        Height of the jump of the function itself at each break (0 for a kink).
    noise : float
        Relative size of what stayed unresolved, weighted by the root of the Gaussian density.
    smooth : bool
        True if every break is an end of two resolved panels: no algebraic singularity was met.
    """

    edges: Array
    breaks: Array
    jumps: Array
    noise: float
    smooth: bool


def _weighted(phi: Callable[[Array], Array], z: Array) -> Array:
    with np.errstate(all="ignore"):
        values = np.asarray(phi(z), dtype=np.float64)
        return np.asarray(np.where(values == 0.0, 0.0, values * np.exp(-z * z / 4.0)))


def _panel_coefficients(phi: Callable[[Array], Array], left: Array, right: Array) -> Array:
    half = (right - left) / 2.0
    z = (left + half)[:, None] + half[:, None] * chebyshev_nodes(NODES)
    return _weighted(phi, z) @ _TO_COEFFICIENTS.T


def _bisect(
    phi: Callable[[Array], Array], edges: Array, tolerance: float
) -> tuple[list[tuple[float, float]], list[tuple[float, float]], float]:
    """Halve panels until each is resolved or too narrow to halve; return both kinds."""
    left, right = edges[:-1], edges[1:]
    done: list[tuple[float, float]] = []
    stuck: list[tuple[float, float]] = []
    worst = 0.0
    while left.size:
        c = np.abs(_panel_coefficients(phi, left, right))
        tail = c[:, -5:].max(axis=1)
        ok = tail <= tolerance
        narrow = ~ok & (right - left <= 4e-15 * np.maximum(np.abs(left), np.abs(right)) + 1e-290)
        narrow |= ~ok & (right - left < 1e-13) & (np.abs(left) < 1e-13)
        worst = max(worst, float(tail[ok].max(initial=0.0)))
        done += list(zip(left[ok], right[ok], strict=True))
        stuck += list(zip(left[narrow], right[narrow], strict=True))
        go = ~ok & ~narrow
        left, right = left[go], right[go]
        middle = left + (right - left) / 2.0
        left, right = np.concatenate((left, middle)), np.concatenate((middle, right))
        if len(done) + left.size > _MAX_PANELS:
            raise ValueError(
                "the activation is too rough to integrate: more than "
                f"{_MAX_PANELS} panels do not resolve it (noise, or oscillation without end)."
            )
    return done, stuck, worst


def _one_sided(phi: Callable[[Array], Array], at: Array, side: float) -> Array:
    """Weighted limits of `phi` at the points `at` from one side, extrapolated from a panel."""
    width = np.maximum(1e-6, 1e-6 * np.abs(at))
    near, far = at + side * 1e-3 * width, at + side * width
    c = _panel_coefficients(phi, np.minimum(near, far), np.maximum(near, far))
    # The nearer end of the panel is T_k(-side); over so short a distance that is the limit.
    return np.asarray(np.polynomial.chebyshev.chebval(-side, c.T))


def resolve(phi: Callable[[Array], Array], precision: float = 1e-15) -> Pieces:
    """Cut the line into panels on which an activation is smooth to rounding.

    Bisection homes in on every jump and kink to the last digit, as Chebfun's splitting does
    (Pachón, Platte and Trefethen, 2010): a panel whose Chebyshev coefficients have not decayed is
    halved until they have or until it cannot be halved.

    Parameters
    ----------
    phi : callable
        Vectorised activation.
    precision : float, default=1e-15
        Rounding of the values of `phi`; 6e-8 if it computes in single precision.

    Returns
    -------
    Pieces

    Raises
    ------
    ValueError
        If `phi` is not finite, not square-integrable against the Gaussian, or too rough.
    """
    grid = np.linspace(-REACH, REACH, 2961)
    weighted = np.abs(_weighted(phi, grid))
    inside = np.abs(grid) <= 8.0
    scale = float(np.nanmax(np.where(inside, weighted, 0.0), initial=0.0))
    if not np.all(np.isfinite(weighted[inside])):
        # A single pole or a removable point on the grid is met again by the panels.
        bad = grid[inside & ~np.isfinite(weighted)]
        if bad.size > 8:
            raise ValueError(f"the activation is not finite, for example at {bad[0]:g}.")
        scale = float(np.nanmax(np.where(np.isfinite(weighted) & inside, weighted, 0.0)))
    scale = max(scale, float(np.nanmax(np.where(np.isfinite(weighted), weighted, 0.0))))
    if scale == 0.0:
        raise ValueError("the activation is zero everywhere.")
    live = np.flatnonzero(~(weighted <= 1e-19 * scale))
    reach = min(REACH, float(np.ceil(np.abs(grid[live]).max())) + 1.0)
    ends = np.abs(_weighted(phi, np.array([-REACH, REACH])))
    if not np.all(ends <= 1e-6 * scale):
        raise ValueError(
            "the activation is not square-integrable against the Gaussian: "
            "it grows at least as fast as exp(z**2 / 4)."
        )
    tolerance = max(30.0 * precision, 3e-15) * scale
    start = np.arange(-reach, reach + 0.5)
    breaks = np.zeros(0)
    edges = start
    for _ in range(3):
        done, stuck, worst = _bisect(phi, edges, tolerance)
        if not stuck:
            break
        found = _cluster(np.array([(a + b) / 2.0 for a, b in stuck]))
        new = np.array([b for b in found if not np.any(np.abs(breaks - b) <= 1e-12 * (1 + abs(b)))])
        if not new.size:
            break
        breaks = np.sort(np.concatenate((breaks, new)))
        # Panels must not straddle a break; slivers between a break and a grid point go.
        keep = start[np.min(np.abs(start[:, None] - breaks), axis=1) > 1e-9]
        edges = np.sort(np.concatenate((keep, breaks)))
    # Grid points that happen to be breaks (0 for the ReLU) never get stuck: find them too.
    ends_of_panels = np.unique([a for a, _ in done] + [b for _, b in done])
    hidden = _hidden_breaks(phi, ends_of_panels, tolerance)
    breaks = _cluster(np.sort(np.concatenate((breaks, hidden))))
    jumps = _one_sided(phi, breaks, 1.0) - _one_sided(phi, breaks, -1.0)
    jumps = np.where(np.abs(jumps) > max(1e-7, 1e3 * precision) * scale, jumps, 0.0)
    all_edges = np.unique(np.array([e for p in done for e in p] + [e for p in stuck for e in p]))
    return Pieces(
        edges=all_edges,
        breaks=breaks,
        jumps=jumps * np.exp(breaks**2 / 4.0),
        noise=max(worst / scale, precision),
        smooth=not stuck,
    )


def _cluster(points: Array) -> Array:
    """Merge points that rounding alone keeps apart."""
    if points.size < 2:
        return points
    points = np.sort(points)
    new = np.concatenate(([True], np.diff(points) > 1e-11 * (1.0 + np.abs(points[1:]))))
    return points[new]


def _hidden_breaks(phi: Callable[[Array], Array], ends: Array, tolerance: float) -> Array:
    """Those inner panel ends across which a panel, no wider than both, is not resolved."""
    points = ends[1:-1]
    if not points.size:
        return points
    # A quarter of the narrower neighbour: near a cusp the panels shrink, and so must the probe.
    width = np.minimum(np.diff(ends)[:-1], np.diff(ends)[1:]) / 4.0
    c = np.abs(_panel_coefficients(phi, points - width, points + width))
    return points[c[:, -5:].max(axis=1) > tolerance]
