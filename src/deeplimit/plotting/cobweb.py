"""The cobweb: correlations on their way between the dual map and the diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from deeplimit.duals.base import Dual
from deeplimit.plotting.display import Curves, Display, decided
from deeplimit.plotting.style import BLUE, GREY, LOOKS, ORANGE, PURPLE, SKY, VERMILION, short
from deeplimit.regimes import Taxonomy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CobwebDisplay", "FixedPoint", "fixed_points"]

_DUAL = "dual map"
_PATHS = (ORANGE, SKY, PURPLE, BLUE, VERMILION)
_LINES = ("-", "--", "-.", ":")


class FixedPoint(NamedTuple):
    """A correlation that a layer leaves as it is.

    Attributes
    ----------
    correlation : float
        Where it is.
    multiplier : float
        Slope of the dual map there: the factor a small distance from it gets in a layer.
    """

    correlation: float
    multiplier: float

    @property
    def kind(self) -> str:
        """Whether correlations nearby come ("attracting"), part ("repelling"), or neither."""
        if self.multiplier == 1.0:
            return "neutral"
        return "attracting" if self.multiplier < 1.0 else "repelling"


def fixed_points(taxonomy: Taxonomy) -> tuple[FixedPoint, ...]:
    r"""Give the fixed points of a dual map in [-1, 1], in ascending order.

    There are at most three. 1 is always one. 0 is one if the activation has no mean, and then -1
    is another if the map is odd. With a mean there is one between 0 and 1 if the slope at 1 is
    above 1, and none below 0: :math:`f(-x) = -x` would need an odd part of at least x, which has
    at most :math:`(1 - a_0)x`. The identity leaves every correlation, and its ends are given.

    Parameters
    ----------
    taxonomy : Taxonomy
        Of the activation.

    Returns
    -------
    tuple of FixedPoint
    """
    t = taxonomy
    found = [FixedPoint(1.0, t.B1)]
    if t.A == 0.0:
        found.insert(0, FixedPoint(0.0, t.A1**2 if t.rate is None else t.rate))
        if t.activation.dual.parity == "odd":
            found.insert(0, FixedPoint(-1.0, t.B1))
    elif t.fixed_point is not None and t.rate is not None:
        found.insert(0, FixedPoint(t.fixed_point, t.rate))
    return tuple(found)


class CobwebDisplay(Display):
    r"""The dual map of a layer, and what it makes of correlations when applied again and again.

    A correlation goes up to the map, across to the diagonal, up to the map again. Where the map
    meets the diagonal it stays: filled points attract, hollow ones repel, half filled ones (slope
    1) attract as slowly as a power of the depth.

    Make one with `from_activation`.

    Parameters
    ----------
    taxonomy : Taxonomy
        Of the activation.
    curves : Curves
        "dual map" and, for each starting correlation, its path.
    points : tuple of FixedPoint
        Fixed points of the map.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        Set by `plot`.
    ax_ : matplotlib.axes.Axes
        Set by `plot`.

    Examples
    --------
    >>> from deeplimit.plotting import CobwebDisplay
    >>> display = CobwebDisplay.from_activation("square")
    >>> [(round(p.correlation, 12), round(p.multiplier, 12), p.kind) for p in display.points]
    [(0.5, 0.666666666667, 'attracting'), (1.0, 1.333333333333, 'repelling')]
    """

    _purpose = "drawing a cobweb"
    _size = (5.8, 5.4)

    def __init__(self, taxonomy: Taxonomy, curves: Curves, points: tuple[FixedPoint, ...]) -> None:
        self.taxonomy, self.curves, self.points = taxonomy, curves, points

    @classmethod
    def from_activation(
        cls, activation: Any, starts: Sequence[float] = (-0.6, 0.2, 0.95), layers: int = 40
    ) -> Self:
        """Follow correlations through the layers of an activation.

        Parameters
        ----------
        activation : str, callable or Activation
            Anything `Activation` takes.
        starts : sequence of float, default=(-0.6, 0.2, 0.95)
            Correlations in [-1, 1] to start from.
        layers : int, default=40
            How many layers each goes through, at least 1.

        Returns
        -------
        CobwebDisplay

        Raises
        ------
        ValueError
            If the regime is undecided, a start is no correlation, or there is no layer.

        Examples
        --------
        >>> from deeplimit.plotting import CobwebDisplay
        >>> display = CobwebDisplay.from_activation("h2", starts=[0.5], layers=2)
        >>> display.curves["ξ = 0.5"][1].tolist()
        [0.5, 0.25, 0.25, 0.0625, 0.0625]
        """
        return cls.from_taxonomy(decided(activation), starts, layers)

    @classmethod
    def from_taxonomy(
        cls, taxonomy: Taxonomy, starts: Sequence[float] = (-0.6, 0.2, 0.95), layers: int = 40
    ) -> Self:
        """Do the same for an activation that has been classified.

        Parameters
        ----------
        taxonomy : Taxonomy
            Of the activation, its regime not undecided.
        starts : sequence of float, default=(-0.6, 0.2, 0.95)
            Correlations in [-1, 1] to start from.
        layers : int, default=40
            How many layers each goes through, at least 1.

        Returns
        -------
        CobwebDisplay

        Raises
        ------
        ValueError
            If a start is no correlation, or there is no layer.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import CobwebDisplay
        >>> CobwebDisplay.from_taxonomy(dl.taxonomy("relu")).points[0].kind
        'neutral'
        """
        if not all(-1.0 <= start <= 1.0 for start in starts):
            raise ValueError(f"starts are correlations, from -1 to 1; got {list(starts)!r}.")
        if layers < 1:
            raise ValueError(f"layers is a number of layers, at least 1; got {layers!r}.")
        dual = taxonomy.activation.dual
        xi = np.linspace(-1.0, 1.0, 401)
        curves = {_DUAL: (xi, dual.value(xi))}
        for start in starts:
            curves[f"ξ = {start:g}"] = _path(dual, float(start), layers)
        return cls(taxonomy, curves, fixed_points(taxonomy))

    def to_pandas(self) -> Any:
        """Give every curve and fixed point as a table.

        Returns
        -------
        pandas.DataFrame
            Columns "curve" ("dual map", "fixed point" or a start), "x", "y" and "multiplier", which
            fixed points alone have.

        Examples
        --------
        >>> from deeplimit.plotting import CobwebDisplay
        >>> table = CobwebDisplay.from_activation("3d_opt", starts=[]).to_pandas()
        >>> table[table["curve"] == "fixed point"]["multiplier"].round(12).tolist()
        [2.0, 0.5, 2.0]
        """
        rows = [
            (name, float(a), float(b), np.nan)
            for name, (x, y) in self.curves.items()
            for a, b in zip(x, y, strict=True)
        ]
        rows += [("fixed point", p.correlation, p.correlation, p.multiplier) for p in self.points]
        return self._table_of_rows(("curve", "x", "y", "multiplier"), rows)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the cobweb.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default on a new figure.

        Returns
        -------
        CobwebDisplay
            Itself, with ``figure_`` and ``ax_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from deeplimit.plotting import CobwebDisplay
        >>> CobwebDisplay.from_activation("relu").plot().ax_.get_xlabel()
        'correlation ξ before'
        """
        return self._on_axes(ax, self._draw)

    def _draw(self, ax: Axes) -> None:
        self.draw_map(ax)
        ax.set_title(f"{self.taxonomy.name}: {LOOKS[self.taxonomy.regime].words}")
        low, high = ax.get_ylim()
        # Words have a strip of their own: curves may be anywhere in the square.
        ax.set_ylim(low, high + 0.3 * (high - low))
        ax.set_yticks([tick for tick in ax.get_yticks() if low <= tick <= 1.0])
        ax.legend(
            frameon=False, loc="upper center", ncols=2, columnspacing=0.8, handlelength=1.6,
            handletextpad=0.5,
        )  # fmt: skip

    def draw_map(self, ax: Axes) -> None:
        """Draw the map with its paths and fixed points, without words.

        Parameters
        ----------
        ax : matplotlib.axes.Axes
            Where.
        """
        color = LOOKS[self.taxonomy.regime].color
        dual = self.curves[_DUAL]
        ax.plot([-1, 1], [-1, 1], color=GREY, lw=0.9)
        ax.plot(*dual, color=color, lw=2.0, label="dual map f")
        free = [c for c in _PATHS if c != color]
        paths = [(name, path) for name, path in self.curves.items() if name != _DUAL]
        for k, (name, (x, y)) in enumerate(paths):
            hue, line = free[k % len(free)], _LINES[k % len(_LINES)]
            ax.plot(x, y, lw=1.1, label=f"from {name}".replace("-", "−"), color=hue, ls=line)
            ax.plot(x[:1], y[:1], "o", ms=3.5, color=hue)
        fills = {"attracting": color, "repelling": ax.get_facecolor(), "neutral": color}
        for point in () if self.taxonomy.regime == "identity" else self.points:
            at = point.correlation
            half: Any = {"fillstyle": "left"} if point.kind == "neutral" else {}
            ax.plot(
                [at], [at], "o", ms=7.5, mew=1.6, ls="none",
                color=color, mfc=fills[point.kind], markerfacecoloralt=ax.get_facecolor(),
                zorder=3,
                label=f"{point.kind} {short(at, 3)}, f′ = {short(point.multiplier, 3)}", **half,
            )  # fmt: skip
        lowest = min([0.0, float(dual[1].min()), *(float(y.min()) for _, (_, y) in paths)])
        ax.set(
            xlim=(-1.04, 1.04), ylim=(lowest - 0.04, 1.04),
            xlabel="correlation ξ before", ylabel="correlation f(ξ) after",
        )  # fmt: skip


def _path(dual: Dual, start: float, layers: int) -> tuple[Any, Any]:
    """Give the corners of a cobweb: up to the map, across to the diagonal."""
    x, across, up = start, [start], [start]
    for _ in range(layers):
        y = float(dual.value(np.array([x]))[0])
        across += [x, y]
        up += [y, y]
        x = y
    return np.array(across), np.array(up)
