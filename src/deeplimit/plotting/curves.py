"""The curves of an activation's portrait, computed once and free of any plotting library."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deeplimit.duals.base import Dual
from deeplimit.evidence.orbits import Orbits
from deeplimit.kernels.limit import LimitKernel
from deeplimit.regimes import Taxonomy

Array = NDArray[np.float64]
#: Abscissae and ordinates by the name of the curve.
Curves = Mapping[str, tuple[Array, Array]]

#: Correlations whose way through the layers is shown.
STARTS = (0.999, 0.9, 0.5, 0.1)
_SMALLEST_GAP = 1e-9


@dataclass(frozen=True)
class Depths:
    """Correlations by depth, in the quantity that shows the regime's law as a straight line.

    Attributes
    ----------
    what : {"correlation", "size", "gap"}
        Ordinate: :math:`f^L`, :math:`|f^L|`, or :math:`1 - f^L`.
    log_depth : bool
        Whether the depth belongs on a logarithmic axis.
    curves : Curves
        One for each starting correlation.
    """

    what: str
    log_depth: bool
    curves: Curves


def dual_curves(dual: Dual, start: float | None, steps: int) -> Curves:
    """Give the dual map and, from `start`, the cobweb of its iterates.

    Parameters
    ----------
    dual : Dual
        The map.
    start : float or None
        First correlation of the cobweb; none is drawn if None.
    steps : int
        Layers of the cobweb.

    Returns
    -------
    Curves
    """
    xi = np.linspace(-1.0, 1.0, 401)
    curves = {"dual": (xi, dual.value(xi))}
    if start is not None:
        x, path_x, path_y = start, [start], [start]
        for _ in range(steps):
            y = float(dual.value(np.array([x]))[0])
            path_x += [x, y]
            path_y += [y, y]
            x = y
        curves["cobweb"] = (np.array(path_x), np.array(path_y))
    return curves


def depth_curves(taxonomy: Taxonomy) -> Depths:
    """Follow some correlations through the layers.

    Parameters
    ----------
    taxonomy : Taxonomy
        Of the activation.

    Returns
    -------
    Depths
    """
    regime = taxonomy.regime
    slow = regime == "majority-vote" and taxonomy.fixed_point is None
    if regime in ("nearest-neighbour", "singular-kernel"):
        # Gaps grow by B' a layer: the nearest correlation leaves 1 first.
        leaving = 0.0 if math.isinf(taxonomy.B1) else math.log(1e3) / math.log(taxonomy.B1)
        what, deepest = "size", _settling(taxonomy.rate) + math.ceil(leaving)
    elif regime == "conditionally-positive-definite":
        what, deepest = "gap", _settling(taxonomy.rate)
    elif slow:
        what, deepest = "gap", 1000
    else:
        what, deepest = "correlation", max(10, 4 * _settling(taxonomy.rate) // 10)
    log_depth = what == "correlation" or slow
    orbits = Orbits(taxonomy.activation.dual, [1.0 - xi for xi in STARTS])
    rows = []
    for depth in range(deepest + 1):
        if depth:
            orbits.advance()
        rows.append(
            {"size": orbits.log_xi, "gap": orbits.log_gap, "correlation": orbits.xi}[what].copy()
        )
    table = np.array(rows)
    if what != "correlation":
        # Below the range of doubles there is nothing to draw.
        table = np.exp(np.where(table < -690.0, np.nan, table))
    depths = np.arange(deepest + 1, dtype=np.float64)
    keep = np.unique(np.round(np.geomspace(1, deepest + 1, 120)).astype(int)) - 1
    at = keep if log_depth else slice(None)
    return Depths(
        what,
        log_depth,
        {f"ξ = {xi:g}": (depths[at], table[at, j]) for j, xi in enumerate(STARTS)},
    )


def _settling(rate: float | None) -> int:
    """Layers in which the distance from the limit falls to 1e-6, from 10 to 2000."""
    if not rate or rate >= 1.0:
        return 10 if not rate else 2000
    return int(min(2000, max(10, math.ceil(math.log(1e-6) / math.log(rate)))))


def kernel_curves(kernel: LimitKernel) -> Curves:
    r"""Give the limit kernel and kernels of finite depth on their way to it.

    Parameters
    ----------
    kernel : LimitKernel
        The limit.

    Returns
    -------
    Curves
        Over the distance :math:`\|x - z\|` in the singular regime, over the correlation in the
        others; depths as keys, "∞" first.
    """
    t = kernel.taxonomy
    if t.regime == "singular-kernel":
        s = np.geomspace(_SMALLEST_GAP, 0.98, 241)
        distance = np.sqrt(2.0 * s)
        curves = {"∞": (distance, np.abs(kernel.at_gap(s)))}
        for depth in _shown_depths(t):
            log = _orbits(t.activation.dual, s, depth).log_xi
            curves[str(depth)] = (distance, np.exp(log - depth * math.log(t.rate or 1.0)))
        return curves
    xi = np.sin(np.linspace(-math.pi / 2, math.pi / 2, 401))
    curves = {"∞": (xi, kernel.at_correlation(xi))}
    for depth in _shown_depths(t):
        orbits = _orbits(t.activation.dual, 1.0 - xi, depth)
        value = orbits.xi
        if t.regime == "conditionally-positive-definite":
            value = -np.exp(orbits.log_gap - depth * math.log(t.B1))
        curves[str(depth)] = (xi, value)
    return curves


def _orbits(dual: Dual, s: Array, depth: int) -> Orbits:
    orbits = Orbits(dual, s)
    for _ in range(depth):
        orbits.advance()
    return orbits


def _shown_depths(t: Taxonomy) -> tuple[int, ...]:
    """Three finite depths at which the way to the limit can be seen."""
    if t.regime == "nearest-neighbour":
        return (1, 2, 4)
    if t.regime == "identity":
        return ()
    if t.regime == "majority-vote" and t.fixed_point is None:
        return (1, 10, 100)
    if t.regime == "singular-kernel":
        # A layer multiplies gaps by B': so many layers cross a decade or two.
        decade = 1.0 if math.isinf(t.B1) else math.log(30.0) / math.log(t.B1)
        return tuple(dict.fromkeys(max(1, round(k * decade)) for k in (1, 2, 4)))
    layers = _settling(t.rate) / 6.0  # for one decade
    return tuple(dict.fromkeys(max(1, round(k * layers)) for k in (0.3, 1, 3)))
