"""Kernels of infinite depth, those of finite depth on their way, and the periodic factor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from deeplimit.duals.base import Dual
from deeplimit.evidence.orbits import Orbits
from deeplimit.kernels.limit import LimitKernel
from deeplimit.kernels.network import NetworkKernel
from deeplimit.kernels.power import PowerKernel
from deeplimit.plotting.depths import settling
from deeplimit.plotting.display import Curves, Display
from deeplimit.plotting.legends import legend_above
from deeplimit.plotting.style import GREEN, GREY, LOOKS, short
from deeplimit.regimes import Taxonomy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["KernelDisplay"]

Array = NDArray[np.float64]
_SMALLEST_GAP = 1e-9
#: A factor that changes by less, in per cent, is drawn as the flat line it is to the eye.
_FLAT = 0.1
_FINITE = (":", "-.", "--")


@dataclass(frozen=True)
class _Words:
    """What stands at the panel of a kernel.

    Attributes
    ----------
    title, across, up : str
        Title and labels of the axes.
    log : bool
        Whether both axes are logarithmic.
    color : str
        Of the curve that matters.
    """

    title: str
    across: str
    up: str
    log: bool
    color: str


class KernelDisplay(Display):
    r"""The kernel of infinite depth, with kernels of finite depth on their way to it.

    In the singular regime it is drawn over the distance, on logarithmic axes: a power of it times
    the periodic factor `R`, which has a panel of its own. In the others it is drawn over the
    correlation. What is drawn at finite depth is :math:`f^L/a_1^L` in the singular regime,
    :math:`-(1 - f^L)/B'^L` in the conditionally positive definite one, and :math:`f^L` otherwise;
    a `NetworkKernel` is divided by its value at a distance of 0.

    Make one with `from_kernel`.

    Parameters
    ----------
    panels : dict of str to Curves
        Panel "kernel" with the curve "depth ∞", or what there is instead, first; and "factor",
        where there is one.
    words : object
        What stands at the panels.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        Set by `plot`.
    axes_ : dict of str to matplotlib.axes.Axes
        The panels by name, set by `plot`.

    Examples
    --------
    >>> import deeplimit as dl
    >>> from deeplimit.plotting import KernelDisplay
    >>> display = KernelDisplay.from_kernel(dl.LimitKernel("3d_opt"), depths=[2, 8])
    >>> list(display.panels), list(display.panels["kernel"])
    (['kernel', 'factor'], ['depth ∞', 'depth 2', 'depth 8'])
    """

    _purpose = "drawing a kernel"
    _size = (8.0, 4.0)

    def __init__(self, panels: Mapping[str, Curves], words: _Words) -> None:
        self.panels, self.words = panels, words

    @classmethod
    def from_kernel(cls, kernel: Any, depths: Sequence[int] | None = None) -> Self:
        """Compute the curves of a kernel.

        Parameters
        ----------
        kernel : LimitKernel, NetworkKernel or PowerKernel
            What to draw.
        depths : sequence of int, optional
            Finite depths to draw beside it, from 1. By default three at which the way to the limit
            can be seen, and none beside a network's own. A pure power has no depths.

        Returns
        -------
        KernelDisplay

        Raises
        ------
        ValueError
            If a depth is no number of layers, or there is none to be had.
        TypeError
            If it is no such kernel.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import KernelDisplay
        >>> display = KernelDisplay.from_kernel(dl.PowerKernel(3.0))
        >>> x, y = display.panels["kernel"]["exponent 3"]
        >>> bool(abs(y * x**3.0 - 1.0).max() < 1e-12)
        True
        """
        if depths is not None:
            for depth in depths:
                if isinstance(depth, bool) or depth != int(depth) or depth < 1:
                    raise ValueError(f"depths are numbers of layers, at least 1; got {depth!r}.")
        if isinstance(kernel, LimitKernel):
            return cls(*_limit(kernel, depths))
        if isinstance(kernel, NetworkKernel):
            return cls(*_network(kernel, depths or ()))
        if isinstance(kernel, PowerKernel):
            if depths:
                raise ValueError("a pure power has no depths; draw the LimitKernel of a network.")
            return cls(*_power(kernel))
        raise TypeError(
            "a LimitKernel, a NetworkKernel or a PowerKernel can be drawn; got "
            f"{type(kernel).__name__}."
        )

    def to_pandas(self) -> Any:
        """Give every curve as a table.

        Returns
        -------
        pandas.DataFrame
            Columns "panel", "curve", "x" and "y".

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import KernelDisplay
        >>> table = KernelDisplay.from_kernel(dl.LimitKernel("h2"), depths=[3]).to_pandas()
        >>> table["curve"].unique().tolist()
        ['depth ∞', 'depth 3']
        """
        return self._table_of_curves(self.panels)

    def plot(self, fig: Figure | None = None) -> Self:
        """Draw the kernel.

        Parameters
        ----------
        fig : matplotlib.figure.Figure, optional
            An empty figure to draw on; by default a new one.

        Returns
        -------
        KernelDisplay
            Itself, with ``figure_`` and ``axes_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import KernelDisplay
        >>> KernelDisplay.from_kernel(dl.LimitKernel("erf")).plot().axes_["kernel"].get_xlabel()
        'distance ‖x − z‖'
        """
        ratios = {"width_ratios": [5, 4]} if "factor" in self.panels else {}

        def draw() -> None:
            self.draw_kernel(self.axes_["kernel"])
            if "factor" in self.panels:
                self.draw_factor(self.axes_["factor"])

        return self._on_figure(fig, [list(self.panels)], draw, **ratios)

    def draw_kernel(self, ax: Axes) -> None:
        """Draw the panel of the kernel.

        Parameters
        ----------
        ax : matplotlib.axes.Axes
            Where.
        """
        words = self.words
        (first, curve), *finite = self.panels["kernel"].items()
        for k, (name, (x, y)) in enumerate(finite):
            ax.plot(x, y, _FINITE[k % len(_FINITE)], color=GREY, lw=1.2, label=name)
        ax.plot(*curve, color=words.color, lw=2.0, label=first)
        ax.set(xlabel=words.across, ylabel=words.up, title=words.title)
        if words.log:
            ax.set_xscale("log")
        legend_above(ax, log=words.log)

    def draw_factor(self, ax: Axes) -> None:
        """Draw the panel of the periodic factor.

        Parameters
        ----------
        ax : matplotlib.axes.Axes
            Where.
        """
        phase, factor = self.panels["factor"]["R"]
        mean = float(np.exp(np.mean(np.log(factor[:-1]))))
        percent = 100.0 * (factor / mean - 1.0)
        top, bottom = int(np.argmax(percent)), int(np.argmin(percent))
        half = 1.3 * max(_FLAT, float(np.abs(percent).max()))
        ax.axhline(0.0, color=GREY, lw=0.8)
        ax.plot(phase, percent, color=self.words.color)
        if half > 1.3 * _FLAT:
            ax.plot(phase[[top]], percent[[top]], "^", color=self.words.color)
            ax.plot(phase[[bottom]], percent[[bottom]], "v", color=self.words.color)
        ax.set(
            xlim=(0, 1), ylim=(-half, half), xlabel="ln s / ln B′ modulo 1, s = ‖x − z‖² / 2",
            ylabel=f"R in % from its mean {mean:.6g}".replace("-", "−"),
        )  # fmt: skip
        low, high = f"{factor[bottom]:.6g}", f"{factor[top]:.6g}"
        ax.set_title(f"periodic factor R: {low}" + (f" to {high}" if low != high else ", flat"))


def _limit(kernel: LimitKernel, depths: Sequence[int] | None) -> tuple[dict[str, Curves], _Words]:
    t = kernel.taxonomy
    shown = _shown_depths(t) if depths is None else [int(depth) for depth in depths]
    dual = t.activation.dual
    title, across, up = "kernel at depth ∞", "correlation ξ", "kernel"
    singular = t.regime == "singular-kernel"
    if singular:
        s = np.geomspace(_SMALLEST_GAP, 0.98, 241)
        x, across, up = np.sqrt(2.0 * s), "distance ‖x − z‖", "κ"
        limit = np.abs(kernel.at_gap(s))
        law = f"distance to the −{short(t.exponent)}" if t.exponent else "logarithm"
        title = f"{title}: {law}"
    else:
        x = np.sin(np.linspace(-math.pi / 2, math.pi / 2, 401))
        s = 1.0 - x
        limit = kernel.at_correlation(x)
        if t.regime == "conditionally-positive-definite":
            title, up = "conditionally positive definite kernel", "−η"
        elif t.regime == "nearest-neighbour":
            title, up = "Böttcher function b: order of neighbours", "kernel, and b at ∞"
    curves: dict[str, tuple[Array, Array]] = {"depth ∞": (x, limit)}
    for depth in shown:
        orbits = _orbits(dual, s, depth)
        value = orbits.xi
        if singular:
            value = np.exp(orbits.log_xi - depth * math.log(t.rate or 1.0))
        elif t.regime == "conditionally-positive-definite":
            value = -np.exp(orbits.log_gap - depth * math.log(t.B1))
        curves[f"depth {depth}"] = (x, value)
    panels: dict[str, Curves] = {"kernel": curves}
    if singular and not math.isinf(t.B1):
        panels["factor"] = {"R": kernel.periodic_factor()}
    return panels, _Words(title, across, up, singular, LOOKS[t.regime].color)


def _network(kernel: NetworkKernel, depths: Sequence[int]) -> tuple[dict[str, Curves], _Words]:
    x = np.sin(np.linspace(-math.pi / 2, math.pi / 2, 401))
    curves = {}
    for depth in dict.fromkeys((kernel.depth, *map(int, depths))):
        one = NetworkKernel(kernel.activation, depth, kind=kernel.kind)
        curves[f"depth {depth}"] = (x, one.at_correlation(x, normalize=True))
    title = f"{kernel.kind.upper()} of {kernel.activation.name}"
    return {"kernel": curves}, _Words(title, "correlation ξ", "kernel, 1 at ξ = 1", False, GREEN)


def _power(kernel: PowerKernel) -> tuple[dict[str, Curves], _Words]:
    x = np.geomspace(math.sqrt(2.0 * _SMALLEST_GAP), 1.4, 241)
    curves = {f"exponent {short(kernel.exponent)}": (x, np.exp(kernel.log_at_gap(x**2 / 2.0)))}
    title = f"pure power: distance to the −{short(kernel.exponent)}"
    return {"kernel": curves}, _Words(title, "distance ‖x − z‖", "K", True, GREEN)


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
    layers = settling(t.rate) / 6.0  # for one decade
    return tuple(dict.fromkeys(max(1, round(k * layers)) for k in (0.3, 1, 3)))
