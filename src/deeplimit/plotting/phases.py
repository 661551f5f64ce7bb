"""The map of activations: which constants lead to which regime."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from deeplimit.plotting.display import Display
from deeplimit.plotting.labels import place_labels
from deeplimit.plotting.style import GREY, LOOKS
from deeplimit.regimes import Taxonomy, taxonomy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Activations placed by default: the well known, and one of each kind.
SHOWN = (
    "relu", "gelu", "silu", "elu", "softplus", "sigmoid", "abs", "square", "cos", "gaussian",
    "leaky_relu_0.2", "relu_squared", "snake", "sparse_plus",
    "selu", "tanh", "erf", "sin", "sine_2.676", "soft_shrink", "cube", "identity",
    "h2", "h3", "2d_opt", "3d_opt", "5d_opt", "9d_opt",
)  # fmt: skip
_EXPONENTS = (0.5, 1.0, 2.0, 4.0, 8.0)


class PhaseDiagramDisplay(Display):
    r"""Where activations lie, and the regimes they lie in.

    Left: activations with a mean, by :math:`A^2` and :math:`B'`; the line :math:`B' = 1` divides
    interpolation by a conditionally positive definite kernel from the majority vote. Right: those
    without, by :math:`A'^2` and :math:`B'`; lines of equal exponent cross the singular regime,
    and its edge :math:`A' = 0` is the nearest-neighbour regime. Nothing lies in the hatched
    parts: without its mean an activation has :math:`B' \ge 2 - A'^2`, with it
    :math:`B' \ge 1 - A^2`.

    Make one with `from_activations`.

    Parameters
    ----------
    taxonomies : sequence of Taxonomy
        Of the activations to place.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        Set by `plot`.
    axes_ : dict of str to matplotlib.axes.Axes
        "mean" and "centred", set by `plot`.

    Examples
    --------
    >>> from deeplimit.plotting import PhaseDiagramDisplay
    >>> display = PhaseDiagramDisplay.from_activations(["relu", "erf", "h2"]).plot()
    >>> list(display.axes_)
    ['mean', 'centred']
    """

    _purpose = "drawing the phase diagram of activations"
    _size = (8.0, 4.6)

    def __init__(self, taxonomies: Sequence[Taxonomy]) -> None:
        self.taxonomies = tuple(taxonomies)

    @classmethod
    def from_activations(cls, activations: Iterable[Any] = SHOWN) -> Self:
        """Classify activations to be placed.

        Parameters
        ----------
        activations : iterable of str, callable or Activation, optional
            Some thirty named ones by default.

        Returns
        -------
        PhaseDiagramDisplay

        Examples
        --------
        >>> from deeplimit.plotting import PhaseDiagramDisplay
        >>> [t.regime for t in PhaseDiagramDisplay.from_activations(["cos"]).taxonomies]
        ['conditionally-positive-definite']
        """
        return cls([taxonomy(activation) for activation in activations])

    def to_pandas(self) -> Any:
        """Give the activations as a table.

        Returns
        -------
        pandas.DataFrame
            Columns "name", "regime", "A", "A1", "B1" and "exponent".

        Examples
        --------
        >>> from deeplimit.plotting import PhaseDiagramDisplay
        >>> PhaseDiagramDisplay.from_activations(["3d_opt"]).to_pandas()["exponent"].tolist()
        [2.0]
        """
        columns = ("name", "regime", "A", "A1", "B1", "exponent")
        return self._table({name: [getattr(t, name) for t in self.taxonomies] for name in columns})

    def plot(self, fig: Figure | None = None) -> Self:
        """Draw the map.

        Parameters
        ----------
        fig : matplotlib.figure.Figure, optional
            An empty figure to draw on; by default a new one, eight inches wide.

        Returns
        -------
        PhaseDiagramDisplay
            Itself, with ``figure_`` and ``axes_``. An activation with a jump has no finite
            :math:`B'`; it stands on the upper edge.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from deeplimit.plotting import PhaseDiagramDisplay
        >>> display = PhaseDiagramDisplay.from_activations(["relu"]).plot()
        >>> display.axes_["mean"].get_title()
        'A ≠ 0'
        """
        return self._on_figure(fig, [["mean", "centred"]], self._draw)

    def _draw(self) -> None:
        mean, centred = self.axes_["mean"], self.axes_["centred"]
        _mean_regions(mean)
        _centred_regions(centred)
        for ax, sort in ((mean, True), (centred, False)):
            here = [t for t in self.taxonomies if (t.A != 0.0) == sort]
            self._place(ax, here, across="A" if sort else "A1")

    def _place(self, ax: Axes, shown: Sequence[Taxonomy], *, across: str) -> None:
        top = ax.get_ylim()[1]
        x = [getattr(t, across) ** 2 for t in shown]
        y = [min(t.B1, top) for t in shown]
        for t, px, py in zip(shown, x, y, strict=True):
            look = LOOKS[t.regime]
            ax.plot(
                px, py, look.marker, color=look.color, ms=5.5, mec=ax.get_facecolor(), mew=0.6,
                clip_on=False, zorder=4,
            )  # fmt: skip
        place_labels(ax, x, y, [t.name for t in shown], keep_off=(1.0,) if across == "A" else ())


def _mean_regions(ax: Axes) -> None:
    x = np.linspace(0.0, 1.0, 101)
    top = 1.6
    majority, conditional = LOOKS["majority-vote"], LOOKS["conditionally-positive-definite"]
    ax.fill_between(x, 1.0, top, color=majority.color, alpha=0.13, lw=0)
    ax.fill_between(x, 1.0 - x, 1.0, color=conditional.color, alpha=0.15, lw=0)
    _forbid(ax, x, 1.0 - x)
    ax.axhline(1.0, color=majority.color, lw=1.2)
    ax.set(xlim=(0, 1), ylim=(0, top), xlabel="A² = (E φ)²", ylabel="B′ = E φ′²", title="A ≠ 0")
    ax.text(0.97, 1.53, "majority vote", ha="right", va="top", color=majority.color, weight="bold")
    ax.text(
        0.97, 0.96, "conditionally\npositive definite", ha="right", va="top",
        color=conditional.color, weight="bold",
    )  # fmt: skip


def _centred_regions(ax: Axes) -> None:
    x = np.linspace(0.0, 1.0, 201)
    top = 4.2
    singular, nearest = LOOKS["singular-kernel"], LOOKS["nearest-neighbour"]
    ax.fill_between(x, 2.0 - x, top, color=singular.color, alpha=0.13, lw=0)
    _forbid(ax, x, 2.0 - x)
    ax.axvline(0.0, color=nearest.color, lw=3.0, ymin=2.0 / top, clip_on=False, zorder=3)
    for alpha in _EXPONENTS:
        # B' = a_1^(-2/alpha), as far as such activations exist.
        a = x[1:-1]
        with np.errstate(over="ignore"):
            b = a ** (-2.0 / alpha)
        inside = (b <= top) & (b >= 2.0 - a)
        ax.plot(a[inside], b[inside], color=singular.color, lw=0.9, ls="--")
        if np.any(inside) and a[inside][0] > 0.03:  # no room for the leftmost
            ax.annotate(
                f"α = {alpha:g}", (a[inside][0], top), xytext=(0, 3), textcoords="offset points",
                ha="center", fontsize=8.0, color=singular.color, annotation_clip=False,
            )  # fmt: skip
    ax.set(xlim=(0, 1), ylim=(0, top), xlabel="A′² = (E φ′)²", ylabel="B′ = E φ′²")
    ax.set_title("A = 0", pad=16)
    ax.text(0.97, 2.9, "singular\nkernel", ha="right", color=singular.color, weight="bold")
    ax.text(
        0.03, 1.2, "left edge:\n1-nearest neighbour", color=nearest.color, weight="bold",
        bbox={"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 2.0},
    )  # fmt: skip


def _forbid(ax: Axes, x: Any, bound: Any) -> None:
    """Hatch the constants that no activation has."""
    ax.fill_between(x, 0.0, bound, facecolor="none", edgecolor=GREY, hatch="////", lw=0, alpha=0.45)
    ax.plot(x, bound, color=GREY, lw=0.8)
