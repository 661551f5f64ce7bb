"""The portrait of an activation: what it is, what a layer does, what depth makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from deeplimit._extras import require
from deeplimit.activations import Activation
from deeplimit.kernels.limit import LimitKernel
from deeplimit.plotting.curves import (
    Array,
    Curves,
    Depths,
    depth_curves,
    dual_curves,
    kernel_curves,
)
from deeplimit.plotting.style import GREY, LOOKS, ORANGE, SIZES, canvas, pyplot
from deeplimit.regimes import Taxonomy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PURPOSE = "drawing the portrait of an activation"
_LINES = ("-", "--", "-.", ":")
#: Decades of a correlation worth showing.
_DECADES = 12.0


class ActivationDisplay:
    """Portrait of an activation in four panels, made to suit its regime.

    The function itself; its dual map with the cobweb of a correlation; correlations by depth, on
    the scale that shows the regime's law as a straight line; the kernel of infinite depth with
    kernels of finite depth on their way to it.

    Make one with `from_activation`.

    Parameters
    ----------
    taxonomy : Taxonomy
        Of the activation.
    curves : dict of str to Curves
        Curves of the panels "activation", "dual", "depth", "kernel" and, in the singular regime,
        "factor", by name.
    depths : Depths
        How the panel "depth" is to be drawn.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        Set by `plot`.
    axes_ : dict of str to matplotlib.axes.Axes
        The four panels by name, set by `plot`.

    Examples
    --------
    >>> from deeplimit.plotting import ActivationDisplay
    >>> display = ActivationDisplay.from_activation("3d_opt").plot()
    >>> list(display.axes_)
    ['activation', 'dual', 'depth', 'kernel']
    """

    def __init__(self, taxonomy: Taxonomy, curves: Mapping[str, Curves], depths: Depths) -> None:
        self.taxonomy = taxonomy
        self.curves = curves
        self.depths = depths

    @classmethod
    def from_activation(cls, activation: Any) -> Self:
        """Compute the portrait of an activation.

        Parameters
        ----------
        activation : str, callable or Activation
            Anything `Activation` takes.

        Returns
        -------
        ActivationDisplay

        Raises
        ------
        ValueError
            If the regime is undecided.

        Examples
        --------
        >>> from deeplimit.plotting import ActivationDisplay
        >>> ActivationDisplay.from_activation("relu").taxonomy.regime
        'majority-vote'
        """
        # A few hundred points: a table would cost more than it saves.
        kernel = LimitKernel(Activation(activation), tabulate=False)
        phi, t = kernel.activation, kernel.taxonomy
        curves: dict[str, Curves] = {}
        z = np.linspace(-4.0, 4.0, 1601)
        if phi.pointwise:
            curves["activation"] = {"φ": (z, np.asarray(phi(z), dtype=float) / phi.norm2**0.5)}
        curves["dual"] = dual_curves(phi.dual, *_cobweb(t))
        depths = depth_curves(t)
        curves["depth"] = depths.curves
        curves["kernel"] = kernel_curves(kernel)
        if t.regime == "singular-kernel" and not math.isinf(t.B1):
            phase, factor = kernel.periodic_factor()
            curves["factor"] = {"R": (phase, factor)}
        return cls(t, curves, depths)

    def to_pandas(self) -> Any:
        """Give every curve as a table.

        Returns
        -------
        pandas.DataFrame
            Columns "panel", "curve", "x" and "y".

        Examples
        --------
        >>> from deeplimit.plotting import ActivationDisplay
        >>> table = ActivationDisplay.from_activation("h2").to_pandas()
        >>> sorted(set(table["panel"]))
        ['activation', 'depth', 'dual', 'kernel']
        """
        pd = require("pandas", extra="tables", purpose="a table of a picture's curves")
        parts = [
            pd.DataFrame({"panel": panel, "curve": name, "x": x, "y": y})
            for panel, curves in self.curves.items()
            for name, (x, y) in curves.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def plot(self, fig: Figure | None = None) -> Self:
        """Draw the portrait.

        Parameters
        ----------
        fig : matplotlib.figure.Figure, optional
            An empty figure to draw on; by default a new one, eight inches wide.

        Returns
        -------
        ActivationDisplay
            Itself, with ``figure_`` and ``axes_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from deeplimit.plotting import ActivationDisplay
        >>> ActivationDisplay.from_activation("gelu").plot().figure_.get_suptitle()
        'gelu — majority vote'
        """
        plt = pyplot(_PURPOSE)
        with plt.rc_context(dict(SIZES)):
            figure = canvas(fig, (8.0, 6.6), _PURPOSE)
            grid = figure.subplots(2, 2)
            names = ("activation", "dual", "depth", "kernel")
            self.axes_: dict[str, Axes] = dict(zip(names, grid.ravel().tolist(), strict=True))
            self.figure_ = figure
            figure.suptitle(_title(self.taxonomy), fontweight="bold")
            for name, draw in (
                ("activation", self._draw_activation),
                ("dual", self._draw_dual),
                ("depth", self._draw_depth),
                ("kernel", self._draw_kernel),
            ):
                draw(self.axes_[name])
        return self

    @property
    def _color(self) -> str:
        return LOOKS[self.taxonomy.regime].color

    def _draw_activation(self, ax: Axes) -> None:
        t = self.taxonomy
        ax.set_title(f"A = {_short(t.A)},  A′ = {_short(t.A1)},  B′ = {_short(t.B1)}")
        ax.set(xlabel="z", ylabel="activation, E φ² = 1")
        if "activation" not in self.curves:
            ax.text(0.5, 0.5, "a layer, not\none function", ha="center", transform=ax.transAxes)
            ax.set_axis_off()
            return
        z, y = self.curves["activation"]["φ"]
        # Where Gaussian inputs are decides the constants, not the far ends.
        low, high = _span(y[np.abs(z) <= 2.5])
        ax.fill_between(
            z, low, low + 0.3 * (high - low) * np.exp(-z * z / 2), color=GREY, alpha=0.25, lw=0
        )
        # A jump is no slope: break the line there.
        jumps = np.abs(np.diff(y)) > 0.2 * (high - low)
        y = np.where(np.append(jumps, False), np.nan, y)
        ax.axhline(0.0, color=GREY, lw=0.7)
        ax.plot(z, y, color=self._color)
        ax.set(xlim=(-4, 4), ylim=(low, high))

    def _draw_dual(self, ax: Axes) -> None:
        t = self.taxonomy
        xi, y = self.curves["dual"]["dual"]
        ax.set_title("dual map: one layer")
        ax.plot([-1, 1], [-1, 1], color=GREY, lw=0.9)
        ax.plot(xi, y, color=self._color)
        if "cobweb" in self.curves["dual"]:
            x, path = self.curves["dual"]["cobweb"]
            ax.plot(x, path, color=ORANGE, lw=1.0)
            ax.plot(x[:1], path[:1], "o", ms=3.5, color=ORANGE)
        ends = {"majority-vote": t.fixed_point or 1.0, "conditionally-positive-definite": 1.0}
        point = ends.get(t.regime, 0.0)
        if t.regime != "identity":
            ax.plot([point], [point], "o", ms=7, mfc="none", mew=1.6, color=self._color)
        ax.set(
            xlim=(-1.04, 1.04), ylim=(min(-0.04, y.min() - 0.04), 1.04),
            xlabel="correlation ξ before", ylabel="correlation f(ξ) after",
        )  # fmt: skip

    def _draw_depth(self, ax: Axes) -> None:
        d = self.depths
        ylabel = {"size": "correlation", "gap": "1 − correlation", "correlation": "correlation"}
        ax.set_title("correlations by depth")
        for (name, (x, y)), line in zip(d.curves.items(), _LINES, strict=True):
            ax.plot(x, y, line, color=self._color, label=name)
        if d.log_depth:
            ax.set_xscale("symlog", linthresh=1.0, linscale=0.4)
        ax.set_xlim(left=0)
        ax.set(xlabel="depth L", ylabel=ylabel[d.what])
        _legend_above(ax, log=d.what != "correlation")

    def _draw_kernel(self, ax: Axes) -> None:
        t = self.taxonomy
        curves = self.curves["kernel"]
        finite = [name for name in curves if name != "∞"]
        for name, line in zip(finite, (":", "-.", "--"), strict=False):
            ax.plot(*curves[name], line, color=GREY, lw=1.2, label=f"depth {name}")
        ax.plot(*curves["∞"], color=self._color, lw=2.0, label="depth ∞")
        ax.set(xlabel="correlation ξ", ylabel="kernel", title="kernel at depth ∞")
        if t.regime == "singular-kernel":
            law = f"distance to the −{_short(t.exponent)}" if t.exponent else "logarithm"
            ax.set(xscale="log", xlabel="distance ‖x − z‖", ylabel="κ")
            ax.set_title(f"kernel at depth ∞: {law}")
        elif t.regime == "conditionally-positive-definite":
            ax.set(ylabel="−η", title="conditionally positive definite kernel")
        elif t.regime == "nearest-neighbour":
            ax.set(ylabel="kernel, and b at ∞", title="Böttcher function b: order of neighbours")
        _legend_above(ax, log=t.regime == "singular-kernel")
        if "factor" in self.curves:
            self._draw_factor(ax)

    def _draw_factor(self, ax: Axes) -> None:
        phase, factor = self.curves["factor"]["R"]
        ratio = factor / np.exp(np.mean(np.log(factor[:-1])))
        inset = ax.inset_axes((0.64, 0.46, 0.35, 0.2))
        inset.plot(phase, ratio, color=self._color, lw=1.2)
        half = max(0.02, 1.15 * float(np.abs(ratio - 1.0).max()))
        inset.set(xlim=(0, 1), ylim=(1 - half, 1 + half), xticks=[0, 1])
        inset.set_title("R over a period", fontsize=8.0)
        inset.tick_params(labelsize=7.5)


def _title(t: Taxonomy) -> str:
    words = LOOKS[t.regime].words
    if t.exponent is not None:
        words += f" of exponent {_short(t.exponent)}"
    return f"{t.name} — {words}"


def _cobweb(t: Taxonomy) -> tuple[float, int]:
    """Where a cobweb starts and how many layers it shows."""
    if t.regime in ("conditionally-positive-definite", "majority-vote"):
        return -0.5, 40
    return 0.97, 40


def _legend_above(ax: Axes, *, log: bool) -> None:
    """Put the legend into a strip above all curves, without ticks there."""
    shown = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines])
    shown = shown[np.isfinite(shown) & (not log or shown > 0.0)]
    low, high = float(shown.min()), float(shown.max())
    if log:
        low, high = math.log10(low), math.log10(high)
        if ax.get_xscale() == "linear":
            low = max(low, high - _DECADES)
        step = next((n for n in (1, 2, 3, 5, 10, 20, 50, 100) if 7 * n >= high - low), 200)
        ticks = 10.0 ** np.arange(math.floor((high + 0.1) / step) * step, low, -step)[::-1]
        ax.set_yscale("log")
        ax.set_yticks(ticks)
        ax.set_yticks([], minor=True)
        ax.set_ylim(10.0 ** (low - 0.04 * (high - low)), 10.0 ** (high + 0.4 * (high - low)))
    else:
        ax.set_ylim(low - 0.04 * (high - low), high + 0.36 * (high - low))
        ax.set_yticks(
            [tick for tick in ax.get_yticks() if -0.04 <= (tick - low) / (high - low) <= 1.02]
        )
    ax.legend(frameon=False, ncols=2, columnspacing=1.5, loc="upper center")


def _span(y: Array) -> tuple[float, float]:
    y = y[np.isfinite(y)]
    low, high = float(y.min()), float(y.max())
    margin = 0.08 * max(high - low, 1e-6)
    return low - margin, high + margin


def _short(x: float) -> str:
    return "∞" if math.isinf(x) else f"{x:.4g}".replace("-", "−")
