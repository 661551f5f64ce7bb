"""The portrait of an activation: what it is, what a layer does, what depth makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from deeplimit.activations import Activation
from deeplimit.kernels.limit import LimitKernel
from deeplimit.plotting.cobweb import CobwebDisplay
from deeplimit.plotting.depths import Depths, correlations_by_depth
from deeplimit.plotting.display import Curves, Display
from deeplimit.plotting.kernel import KernelDisplay
from deeplimit.plotting.style import GREY, LOOKS, short
from deeplimit.regimes import Taxonomy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ActivationDisplay"]


class ActivationDisplay(Display):
    """Portrait of an activation in four panels, made to suit its regime.

    The function itself; its dual map with the cobweb of a correlation; correlations by depth, on
    the scale that shows the regime's law as a straight line; the kernel of infinite depth with
    kernels of finite depth on their way to it.

    Make one with `from_activation`.

    Parameters
    ----------
    function : Curves
        The normalised activation; empty for a layer that is no one function.
    cobweb : CobwebDisplay
        The dual map.
    depths : Depths
        Correlations by depth.
    kernel : KernelDisplay
        The kernel of infinite depth.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        Set by `plot`.
    axes_ : dict of str to matplotlib.axes.Axes
        The four panels by name, set by `plot`.

    See Also
    --------
    CobwebDisplay, KernelDisplay, DepthSweepDisplay : Its panels, with more to see.

    Examples
    --------
    >>> from deeplimit.plotting import ActivationDisplay
    >>> display = ActivationDisplay.from_activation("3d_opt").plot()
    >>> list(display.axes_)
    ['activation', 'dual', 'depth', 'kernel']
    """

    _purpose = "drawing the portrait of an activation"
    _size = (8.0, 6.6)

    def __init__(
        self, function: Curves, cobweb: CobwebDisplay, depths: Depths, kernel: KernelDisplay
    ) -> None:
        self.function, self.cobweb, self.depths, self.kernel = function, cobweb, depths, kernel

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
        limit = LimitKernel(Activation(activation), tabulate=False)
        phi, t = limit.activation, limit.taxonomy
        function: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        if phi.pointwise:
            z = np.linspace(-4.0, 4.0, 1601)
            function["φ"] = (z, np.asarray(phi(z), dtype=float) / phi.norm2**0.5)
        meets = t.regime in ("conditionally-positive-definite", "majority-vote")
        cobweb = CobwebDisplay.from_taxonomy(t, [-0.5 if meets else 0.97])
        return cls(function, cobweb, correlations_by_depth(t), KernelDisplay.from_kernel(limit))

    @property
    def taxonomy(self) -> Taxonomy:
        """The classification of the activation."""
        return self.cobweb.taxonomy

    @property
    def curves(self) -> Mapping[str, Curves]:
        """Curves of the panels "activation", "dual", "depth", "kernel" and "factor", by name."""
        activation = {"activation": self.function} if self.function else {}
        own = {"dual": self.cobweb.curves, "depth": self.depths.curves}
        return {**activation, **own, **self.kernel.panels}

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
        return self._table_of_curves(self.curves)

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
        return self._on_figure(fig, [["activation", "dual"], ["depth", "kernel"]], self._draw)

    def _draw(self) -> None:
        self.figure_.suptitle(_title(self.taxonomy), fontweight="bold")
        self._draw_activation(self.axes_["activation"])
        dual = self.axes_["dual"]
        self.cobweb.draw_map(dual)
        dual.set_title("dual map: one layer")
        depth = self.axes_["depth"]
        self.depths.draw(depth, color=LOOKS[self.taxonomy.regime].color)
        depth.set_title("correlations by depth")
        self.kernel.draw_kernel(self.axes_["kernel"])
        if "factor" in self.kernel.panels:
            inset = self.axes_["kernel"].inset_axes((0.66, 0.46, 0.33, 0.2))
            self.kernel.draw_factor(inset)
            inset.set(xlabel="", ylabel="", xticks=[0, 1])
            inset.set_title("R over a period, %", fontsize=8.0)
            inset.tick_params(labelsize=7.5)

    def _draw_activation(self, ax: Axes) -> None:
        t = self.taxonomy
        ax.set_title(f"A = {short(t.A)},  A′ = {short(t.A1)},  B′ = {short(t.B1)}")
        ax.set(xlabel="z", ylabel="activation, E φ² = 1")
        if not self.function:
            ax.text(0.5, 0.5, "a layer, not\none function", ha="center", transform=ax.transAxes)
            ax.set_axis_off()
            return
        z, y = self.function["φ"]
        # Where Gaussian inputs are decides the constants, not the far ends.
        low, high = _span(y[np.abs(z) <= 2.5])
        ax.fill_between(
            z, low, low + 0.3 * (high - low) * np.exp(-z * z / 2), color=GREY, alpha=0.25, lw=0
        )
        # A jump is no slope: break the line there.
        jumps = np.abs(np.diff(y)) > 0.2 * (high - low)
        y = np.where(np.append(jumps, False), np.nan, y)
        ax.axhline(0.0, color=GREY, lw=0.7)
        ax.plot(z, y, color=LOOKS[t.regime].color)
        ax.set(xlim=(-4, 4), ylim=(low, high))


def _title(t: Taxonomy) -> str:
    words = LOOKS[t.regime].words
    if t.exponent is not None:
        words += f" of exponent {short(t.exponent)}"
    return f"{t.name} — {words}"


def _span(y: NDArray[np.float64]) -> tuple[float, float]:
    y = y[np.isfinite(y)]
    low, high = float(y.min()), float(y.max())
    margin = 0.08 * max(high - low, 1e-6)
    return low - margin, high + margin
