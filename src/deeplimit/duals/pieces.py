"""Where a function is smooth: its jumps and kinks found, its smooth pieces resolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from deeplimit.duals.base import Array

#: Chebyshev nodes on which a piece is held to be resolved.
NODES = 32
#: Beyond this many standard deviations a Gaussian weight is below the smallest double.
REACH = 37.0
#: Panels in all, and panels of one halving below a thousandth that can only be noise.
_MAX_PANELS, _NOISY_PANELS = 40_000, 400
#: Where the narrowest feature that values alone can show is looked for, and how closely.
_PROBED, _PROBES = 9.0, 65_537
#: Bisections of the line, each with the breaks of those before as panel edges.
_PASSES = 8


def chebyshev_nodes(n: int) -> Array:
    """Chebyshev nodes of the first kind in (-1, 1), ascending: the ends are never sampled."""
    return -np.cos((2 * np.arange(n) + 1) * np.pi / (2 * n))


def chebyshev_matrix(n: int) -> Array:
    """Matrix from values at `chebyshev_nodes(n)` to Chebyshev coefficients."""
    # T_k(-cos a) = cos(k (pi - a)), the angle reduced in integers so that its cosine is exact.
    k, j = np.arange(n)[:, None], np.arange(n)[None, :]
    m = 2.0 / n * np.cos((k * (2 * (n - 1 - j) + 1)) % (4 * n) * np.pi / (2 * n))
    m[0] /= 2.0
    return np.asarray(m)


_TO_COEFFICIENTS = chebyshev_matrix(NODES)
_UNIT_NODES = chebyshev_nodes(NODES)


@dataclass(frozen=True)
class Pieces:
    """Partition of the line into panels on each of which a function is smooth.

    Attributes
    ----------
    edges : ndarray of shape (p + 1,)
        Ends of the panels, ascending.
    breaks : ndarray of shape (b,)
        Places where the function or one of its derivatives jumps, or has a cusp.
    jumps : ndarray of shape (b,)
        Height of the jump of the function itself at each break (0 for a kink or a cusp).
    cusps : ndarray of shape (c,)
        Those breaks towards which the slope grows without end: panels shrink by halves there.
    noise : float
        Size of noise that no panel resolves (0 if there is none beyond rounding), weighted by the
        root of the Gaussian density and relative to the largest value so weighted.
    """

    edges: Array
    breaks: Array
    jumps: Array
    cusps: Array
    noise: float


@dataclass(frozen=True)
class _Probe:
    """Ascending points at which every panel has to agree with the function, and its values."""

    z: Array
    weighted: Array

    def extended(self, phi: Callable[[Array], Array], points: Array) -> _Probe:
        z = np.union1d(self.z, points)
        weighted = np.empty_like(z)
        weighted[np.searchsorted(z, self.z)] = self.weighted
        weighted[np.searchsorted(z, points)] = _weighted(phi, points)
        return _Probe(z, weighted)


@dataclass(frozen=True)
class _Panels:
    """Panels after bisection: the resolved, those too narrow to halve, and the noise let pass."""

    left: Array
    right: Array
    stuck: list[tuple[float, float]]
    noise: float


def resolve(
    phi: Callable[[Array], Array], precision: float = 1e-15, landmarks: ArrayLike = ()
) -> Pieces:
    """Cut the line into panels on which an activation is smooth to rounding.

    Bisection homes in on every jump and kink to the last digit, as Chebfun's splitting does
    (Pachón, Platte and Trefethen, 2010): a panel whose Chebyshev coefficients have not decayed is
    halved until they have or until it cannot be halved. Because few nodes may miss a narrow
    feature altogether, each panel must also agree with the function at 65,537 points in
    ±9 and at points that close in on zero and on the landmarks.

    Parameters
    ----------
    phi : callable
        Vectorised activation.
    precision : float, default=1e-15
        Rounding of the values of `phi`; 6e-8 if it computes in single precision.
    landmarks : array_like of shape (m,), default=()
        Places near which a feature of any width may hide, where they are known.

    Returns
    -------
    Pieces

    Raises
    ------
    ValueError
        If `phi` is zero, not finite, not square-integrable against the Gaussian, or too rough.
    """
    probe = _probe(phi, np.asarray(landmarks, dtype=np.float64))
    scale, reach = _extent(phi, probe)
    tolerance = max(30.0 * precision, 3e-15) * scale
    edges = start = np.arange(-reach, reach + 0.5)
    breaks = np.zeros(0)
    for _ in range(_PASSES):
        panels = _bisect(phi, edges, tolerance, probe, scale)
        new = _located(phi, panels.stuck, edges, precision)
        breaks = _merged(np.concatenate((breaks, new)))
        if np.isin(breaks, edges).all():
            break
        # What was found between the breaks must not be lost when panels begin anew.
        probe = probe.extended(phi, (panels.left + panels.right) / 2.0)
        # Panels must not straddle a break; slivers between a break and a grid point go.
        keep = start[np.min(np.abs(start[:, None] - breaks), axis=1) > 1e-9]
        edges = np.sort(np.concatenate((keep, breaks)))
    ends = [end for pair in panels.stuck for end in pair]
    edges = np.unique(np.concatenate((panels.left, panels.right, ends)))
    widths = np.append(np.diff(edges), np.inf)
    narrow = edges[np.minimum(widths, np.roll(widths, 1)) < 1e-6]
    cusps = np.array([b for b in np.intersect1d(breaks, narrow) if _is_cusp(phi, b, precision)])
    # Grid points that happen to be breaks (0 for the ReLU) never get stuck: find them too.
    breaks = np.union1d(breaks, _hidden_breaks(phi, edges, tolerance, scale))
    heights = np.array([_jump(phi, b, edges, b in cusps) for b in breaks])
    jumps = np.where(np.abs(heights) > max(1e-11, 1e3 * precision) * scale, heights, 0.0)
    return Pieces(
        edges=edges,
        breaks=breaks,
        jumps=jumps * np.exp(breaks**2 / 4.0),
        cusps=cusps,
        noise=panels.noise,
    )


def _weighted(phi: Callable[[Array], Array], z: Array) -> Array:
    """Multiply values by the root of the density, zeros included where the weight underflows."""
    with np.errstate(all="ignore"):
        values = np.asarray(phi(z), dtype=np.float64)
        return np.asarray(np.where(values == 0.0, 0.0, values * np.exp(-z * z / 4.0)))


def _probe(phi: Callable[[Array], Array], landmarks: Array) -> _Probe:
    # Shifted by an irrational amount: a value that differs at a round number alone is no feature.
    even = np.linspace(-_PROBED, _PROBED, _PROBES) + np.sqrt(2.0) * 1e-5
    closing = 0.7371 * 2.0 ** -np.arange(45.0)
    marks = np.concatenate(([0.0], landmarks))
    near = (marks[:, None] + np.concatenate((-closing, closing))).ravel()
    z = np.unique(np.concatenate((even, near[np.abs(near) < REACH])))
    return _Probe(z, _weighted(phi, z))


def _extent(phi: Callable[[Array], Array], probe: _Probe) -> tuple[float, float]:
    """Largest weighted value, and how far from zero values matter."""
    grid = np.linspace(-REACH, REACH, 2961)
    weighted = np.abs(_weighted(phi, grid))
    finite = np.isfinite(weighted)
    scale = float(np.abs(probe.weighted[np.isfinite(probe.weighted)]).max(initial=0.0))
    scale = max(scale, float(weighted[finite].max(initial=0.0)))
    live = np.abs(grid[finite & (weighted > 1e-19 * scale)]).max(initial=0.0)
    reach = min(REACH, max(float(np.ceil(live)), 2.0) + 1.0)
    # A removable point such as 0 in sin(x)/x is alone on the grid; the panels never sample it.
    alone = ~finite & np.roll(finite, 1) & np.roll(finite, -1)
    # Overflow where the weight has long won is none of the activation's.
    bad = grid[~finite & ~alone & (np.abs(grid) <= reach + 1.0)]
    if bad.size:
        run = bad[: 1 + int(np.argmax(np.append(np.diff(bad) > 0.03, True)))]
        with np.errstate(all="ignore"):
            value = float(phi(run[-1:])[0])
        raise ValueError(
            f"the activation is not finite everywhere: between about {run[0]:g} and {run[-1]:g} "
            f"it gives {value}."
        )
    if scale == 0.0:
        raise ValueError("the activation is zero everywhere.")
    if np.any(weighted[[0, -1]][finite[[0, -1]]] > 1e-8 * scale):
        raise ValueError(
            "the activation is not square-integrable against the Gaussian, or nearly so: at ±37 "
            "it still grows about as fast as exp(z**2 / 4)."
        )
    return scale, reach


def _coefficients(phi: Callable[[Array], Array], left: Array, right: Array) -> Array:
    """Chebyshev coefficients of the weighted function on each panel."""
    half = (right - left) / 2.0
    z = (left + half)[:, None] + half[:, None] * _UNIT_NODES
    values = _weighted(phi, z)
    bad = ~np.isfinite(values)
    if bad.any():
        worst = int(np.argmax(bad.sum(axis=1)))
        if bad[worst].sum() > 1:
            at = z[worst][bad[worst]][0]
            raise ValueError(f"the activation is not finite near {at:.6g}.")
    with np.errstate(invalid="ignore"):
        return values @ _TO_COEFFICIENTS.T


def _bisect(
    phi: Callable[[Array], Array], edges: Array, tolerance: float, probe: _Probe, scale: float
) -> _Panels:
    """Halve panels until each is resolved or too narrow to halve."""
    left, right = edges[:-1], edges[1:]
    done: list[tuple[Array, Array]] = []
    stuck: list[tuple[float, float]] = []
    noisy: list[tuple[Array, Array]] = []
    noise, count = 0.0, 0
    while left.size:
        c = _coefficients(phi, left, right)
        tail = np.abs(c[:, -5:]).max(axis=1)
        slack = _rounding(c, left, right, tolerance, scale)
        ok = tail <= slack
        ok[ok] = _agrees(c[ok], left[ok], right[ok], probe, 30.0 * slack[ok])
        ok[ok] = _agrees_at_ends(phi, c[ok], left[ok], right[ok], 30.0 * slack[ok])
        rough = ~ok & (right - left < 1e-3) & (tail <= 1e-5 * scale)
        if np.count_nonzero(rough) > _NOISY_PANELS:
            # A break leaves one panel unresolved at each halving; cancellation leaves them all.
            noise = max(noise, float(tail[rough].max()))
            noisy.append((left[rough], right[rough]))
        else:
            rough[:] = False
        # The width at which places are lost in rounding; or a kink or cusp, to all appearances.
        narrow = right - left <= np.maximum(1e-12 * np.abs(left + right), 1e-60)
        rise = np.abs(c[:, 1:]).max(axis=1)
        kink = (rise > 1e2 * tolerance) & (rise < 1e-7 * scale) & (tail > 1e-5 * rise)
        narrow |= kink & (right - left < 1e-6)
        narrow &= ~ok & ~rough
        done.append((left[ok], right[ok]))
        stuck += list(zip(left[narrow].tolist(), right[narrow].tolist(), strict=True))
        go = ~ok & ~narrow & ~rough
        count += int(np.count_nonzero(ok))
        left, right = left[go], right[go]
        middle = left + (right - left) / 2.0
        left, right = np.concatenate((left, middle)), np.concatenate((middle, right))
        if count + left.size > _MAX_PANELS:
            raise ValueError(
                "the activation is too rough to integrate: more than "
                f"{_MAX_PANELS} panels do not resolve it (noise, or oscillation without end)."
            )
    if noisy:
        done.append(_joined(*(np.concatenate(side) for side in zip(*noisy, strict=True))))
    lefts, rights = (np.concatenate(side) for side in zip(*done, strict=True))
    order = np.argsort(lefts)
    return _Panels(lefts[order], rights[order], sorted(stuck), noise / scale)


def _joined(left: Array, right: Array) -> tuple[Array, Array]:
    """Join panels that differ by noise alone, up to a sixteenth in width."""
    left, right = np.sort(left), np.sort(right)
    outer = np.append(left[1:] > right[:-1], True)
    starts, stops = left[np.append(True, outer[:-1])], right[outer]
    runs = [
        np.linspace(a, b, int(np.ceil((b - a) * 16.0)) + 1)
        for a, b in zip(starts, stops, strict=True)
    ]
    return np.concatenate([r[:-1] for r in runs]), np.concatenate([r[1:] for r in runs])


def _rounding(c: Array, left: Array, right: Array, tolerance: float, scale: float) -> Array:
    """Bound the last coefficients by the rounding of the values and of their arguments.

    It is more than the tolerance next to a pole only, or where the function is steep.
    """
    rise = np.abs(c[:, 1:]).max(axis=1)
    values = tolerance / scale * np.abs(c).max(axis=1)
    slopes = 2e-16 * np.abs(left + right) / (right - left) * rise
    return np.asarray(np.maximum(tolerance, np.maximum(values, slopes)))


def _agrees(c: Array, left: Array, right: Array, probe: _Probe, slack: Array) -> Array:
    """Whether each panel's interpolant gives the function at all probed points inside."""
    first = np.searchsorted(probe.z, left, side="right")
    counts = np.maximum(np.searchsorted(probe.z, right, side="left") - first, 0)
    panel = np.repeat(np.arange(left.size), counts)
    at = np.arange(panel.size) + np.repeat(first - (np.cumsum(counts) - counts), counts)
    z = probe.z[at]
    x = (2.0 * z - left[panel] - right[panel]) / (right - left)[panel]
    values = np.polynomial.chebyshev.chebval(x, c[panel].T, tensor=False)
    apart = ~(np.abs(values - probe.weighted[at]) <= slack[panel])
    return np.asarray(np.bincount(panel[apart], minlength=left.size) == 0)


def _agrees_at_ends(
    phi: Callable[[Array], Array], c: Array, left: Array, right: Array, slack: Array
) -> Array:
    """Whether each panel's interpolant holds up to its very ends.

    No node lies within some 6e-4 of a panel's width from its ends, where a break would go unseen.
    """
    offsets = 1.2e-3 * 2.0 ** -np.arange(48.0)
    x = np.concatenate((offsets - 1.0, 1.0 - offsets))
    width, ends = right - left, np.maximum(np.abs(left), np.abs(right))
    near = np.concatenate((offsets, offsets)) * width[:, None] / 2.0
    from_left = np.arange(x.size) < offsets.size
    z = np.where(from_left, left[:, None] + near, right[:, None] - near)
    # Nearer than that a break is where the end is, up to rounding.
    told = near > 128.0 * np.finfo(np.float64).eps * ends[:, None]
    values = np.polynomial.chebyshev.chebval(x, c.T)
    with np.errstate(invalid="ignore"):
        apart = told & ~(
            np.abs(values - _weighted(phi, z.ravel()).reshape(z.shape)) <= slack[:, None]
        )
    return np.asarray(~apart.any(axis=1))


def _same(points: Array, b: Array | float) -> Array:
    """Which points are too near to `b` to be told from it."""
    return np.asarray(np.abs(points - b) <= np.maximum(1e-10 * np.abs(b), 4e-60))


def _merged(points: Array) -> Array:
    """Points in order, the first given of those that cannot be told apart."""
    out: list[float] = []
    for b in points:
        if not np.any(_same(np.array(out), b)):
            out.append(float(b))
    return np.sort(np.array(out))


def _located(
    phi: Callable[[Array], Array],
    stuck: list[tuple[float, float]],
    edges: Array,
    precision: float,
) -> Array:
    """Find the break in each panel too narrow to halve.

    A kink or jump at an end would leave the panel resolved; a cusp there does not.
    """
    found = _merged(np.array([_sharpest(phi, a, b, precision) for a, b in stuck]))
    return np.array([edges[_same(edges, b)][0] if np.any(_same(edges, b)) else b for b in found])


def _sharpest(phi: Callable[[Array], Array], a: float, b: float, precision: float) -> float:
    """Place in [a, b] where the second difference peaks, as far as rounding lets it be followed."""
    while b - a > 2.0 * np.spacing(max(abs(a), abs(b))):
        z = np.linspace(a, b, 33)
        values = _weighted(phi, z)
        if not np.all(np.isfinite(values)):
            return float(z[np.argmin(np.isfinite(values))])
        bend = np.abs(np.diff(values, 2))
        i = int(np.argmax(bend))
        if not bend[i] > max(4.0 * np.median(bend), 8.0 * precision * np.abs(values).max()):
            break
        a, b = float(z[i]), float(z[i + 2])
    return a + (b - a) / 2.0


def _hidden_breaks(
    phi: Callable[[Array], Array], ends: Array, tolerance: float, scale: float
) -> Array:
    """Those inner panel ends across which a panel, no wider than both, is not resolved."""
    points = ends[1:-1]
    # A quarter of the narrower neighbour: near a cusp the panels shrink, and so must the probe.
    width = np.minimum(np.diff(ends)[:-1], np.diff(ends)[1:]) / 4.0
    left, right = points - width, points + width
    c = _coefficients(phi, left, right)
    slack = _rounding(c, left, right, tolerance, scale)
    return np.asarray(points[np.abs(c[:, -5:]).max(axis=1) > slack])


def _is_cusp(phi: Callable[[Array], Array], b: float, precision: float) -> bool:
    """Whether the slope grows without end towards a break, on either side."""
    steps = 2.0 ** -np.arange(12.0, 40.0 if b else 100.0) * (abs(b) or 1.0)
    for side in (steps, -steps):
        values = _weighted(phi, b + side)
        rise = np.abs(np.diff(values))
        slope = (rise / np.abs(np.diff(side)))[rise > 1e4 * precision * np.abs(values).max()]
        if slope.size > 4 and np.all(slope[-4:] > 1.02 * slope[-5:-1]):
            return True
    return False


def _jump(phi: Callable[[Array], Array], b: float, edges: Array, cusp: bool) -> float:
    """Weighted right limit less left limit at a break."""
    if cusp:
        # A cusp's sides meet, slowly: what changes with the distance is no jump.
        unit = 2.0**-20 * (abs(b) or 1.0)
        sides = [_weighted(phi, np.array([b - h, b + h])) for h in (unit, unit / 64.0)]
        far, near = (float(side[1] - side[0]) for side in sides)
        return near if abs(near - far) < 0.1 * abs(far) else 0.0
    i = int(np.argmin(np.abs(edges - b)))
    ends = edges[i - 1 : i + 2]
    left, right = _coefficients(phi, ends[:-1], ends[1:])
    height = float(right @ (-1.0) ** np.arange(NODES) - left.sum())
    steepest = max(np.abs(left[1:]).sum() / (b - ends[0]), np.abs(right[1:]).sum() / (ends[2] - b))
    # A kink is placed to some units in the last digit.
    return height if abs(height) > 8.0 * np.spacing(abs(b)) * steepest else 0.0
