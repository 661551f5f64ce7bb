"""Correlations by depth: in the quantity that shows a regime's law as a straight line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimit.evidence.orbits import Orbits
from deeplimit.plotting.display import Curves
from deeplimit.plotting.legends import legend_above
from deeplimit.plotting.style import series
from deeplimit.regimes import Taxonomy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Depths", "correlations_by_depth", "settling"]

#: Correlations whose way through the layers is shown.
STARTS = (0.999, 0.9, 0.5, 0.1)
#: Below this logarithm a number is outside the range of doubles.
_LEAST = -690.0
_WORDS = {
    "correlation": "correlation",
    "size": "correlation",
    "gap": "1 − correlation",
    "distance": "distance from ξ∗",
    "plunge": "−ln |correlation|",
}


@dataclass(frozen=True)
class Depths:
    r"""Correlations by depth, in the quantity that shows the regime's law as a straight line.

    Attributes
    ----------
    what : {"correlation", "size", "gap", "distance", "plunge"}
        Ordinate: :math:`f^L`, :math:`|f^L|`, :math:`1 - f^L`, :math:`|f^L - \xi_*|`, or
        :math:`-\ln|f^L|`.
    log_depth : bool
        Whether the depth belongs on a logarithmic axis.
    curves : Curves
        One for each starting correlation.
    """

    what: str
    log_depth: bool
    curves: Curves

    def draw(
        self, ax: Axes, *, color: str | None = None, marked: bool = False, **legend: Any
    ) -> None:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes
            Where.
        color : str, optional
            Of all curves; by default each has its own.
        marked : bool, default=False
            Whether to draw a mark for each number, and no line.
        **legend : object
            How the legend is set.
        """
        for k, (name, (x, y)) in enumerate(self.curves.items()):
            look = series(k)
            form = {"ls": "none", "marker": look.marker, "ms": 5.0} if marked else {"ls": look.line}
            ax.plot(x, y, color=color or look.color, label=name, **form)
        if self.log_depth:
            ax.set_xscale("symlog", linthresh=1.0, linscale=0.4)
        ax.set_xlim(left=0)
        ax.set(xlabel="depth L", ylabel=_WORDS[self.what])
        legend_above(ax, log=self.what != "correlation", **legend)


def correlations_by_depth(taxonomy: Taxonomy) -> Depths:
    """Follow some correlations through all layers until what becomes of them can be seen.

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
        what, deepest = "size", settling(taxonomy.rate) + math.ceil(leaving)
    elif regime == "conditionally-positive-definite":
        what, deepest = "gap", settling(taxonomy.rate)
    elif slow:
        what, deepest = "gap", 1000
    else:
        what, deepest = "correlation", max(10, 4 * settling(taxonomy.rate) // 10)
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
        table = np.exp(np.where(table < _LEAST, np.nan, table))
    depths = np.arange(deepest + 1, dtype=np.float64)
    keep = np.unique(np.round(np.geomspace(1, deepest + 1, 120)).astype(int)) - 1
    at = keep if log_depth else slice(None)
    return Depths(
        what,
        log_depth,
        {f"ξ = {xi:g}": (depths[at], table[at, j]) for j, xi in enumerate(STARTS)},
    )


def settling(rate: float | None) -> int:
    """Give the layers in which the distance from the limit falls to 1e-6, from 10 to 2000.

    Parameters
    ----------
    rate : float or None
        Factor by which it falls in a layer.

    Returns
    -------
    int
    """
    if not rate or rate >= 1.0:
        return 10 if not rate else 2000
    return int(min(2000, max(10, math.ceil(math.log(1e-6) / math.log(rate)))))
