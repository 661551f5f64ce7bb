"""The depth sweep: what the kernel does layer by layer, against what the constants predict."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from deeplimit.evidence import DepthSweep, depth_sweep
from deeplimit.evidence.course import NEAR_ONE, NEAR_ZERO
from deeplimit.plotting.depths import Depths
from deeplimit.plotting.display import Curves, Display
from deeplimit.plotting.legends import legend_above
from deeplimit.plotting.style import GREY, LOOKS, VERMILION, short
from deeplimit.regimes import Taxonomy, taxonomy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DepthSweepDisplay"]

#: Below this a distance from the meeting point is the error of a settled orbit's continuation.
_SEEN = 1e-8
_PREDICTED = "predicted"
_QUANTITIES = {
    "rate": "rate of approach",
    "slope_at_one": "slope at 1",
    "degree": "degree",
    "exponent": "exponent",
    "fixed_point": "meeting point ξ∗",
}


class DepthSweepDisplay(Display):
    r"""What the kernel does layer by layer, against what the constants of the activation predict.

    Four panels. Correlations from almost equal to almost antipodal inputs by depth, with the value
    they are predicted to reach. The same in the quantity in which the regime's law is a straight
    line, with lines of the predicted slope through the last mark. The growth of gaps as small as
    doubles have them, with the predicted power of the slope at 1. And the figures, measured beside
    predicted, with the verdict. Marks are measured, lines predicted: the sweep knows no constants.

    Make one with `from_activation` or `from_sweep`.

    Parameters
    ----------
    sweep : DepthSweep
        What was measured.
    taxonomy : Taxonomy
        What is predicted.

    Attributes
    ----------
    panels : dict of str to Curves
        The curves of the panels "correlations", "law" and "near one"; the names of those predicted
        begin so.
    figure_ : matplotlib.figure.Figure
        Set by `plot`.
    axes_ : dict of str to matplotlib.axes.Axes
        "correlations", "law", "near one" and "comparison", set by `plot`.

    Examples
    --------
    >>> from deeplimit.plotting import DepthSweepDisplay
    >>> display = DepthSweepDisplay.from_activation("3d_opt")
    >>> list(display.panels), display.agrees
    (['correlations', 'law', 'near one'], True)
    """

    _purpose = "drawing a depth sweep"
    _size = (8.0, 6.8)

    def __init__(self, sweep: DepthSweep, taxonomy: Taxonomy) -> None:
        self.sweep, self.taxonomy = sweep, taxonomy
        self._shown = np.flatnonzero((sweep.gaps >= 1e-7) & (sweep.gaps != NEAR_ZERO)).tolist()
        self._law = _law(sweep, taxonomy, self._shown)
        self.panels: Mapping[str, Curves] = {
            "correlations": {
                **{_start(sweep, j): (self._depths, sweep.correlations[:, j]) for j in self._shown},
                **self._limit(),
            },
            "law": {**self._law.curves, **_law_predicted(self._law, taxonomy)},
            "near one": self._near_one(),
        }

    @classmethod
    def from_activation(
        cls, activation: Any, gaps: Sequence[float] = (), *, max_depth: int = 100_000
    ) -> Self:
        """Follow an activation's kernel through the layers, and classify the activation.

        Parameters
        ----------
        activation : str, callable or Activation
            Anything `Activation` takes. One whose regime is undecided has a sweep, too.
        gaps : sequence of float, default=()
            Further gaps in [0, 2] to follow.
        max_depth : int, default=100_000
            Depth at which to stop in any case.

        Returns
        -------
        DepthSweepDisplay

        Raises
        ------
        ValueError
            If a gap is outside [0, 2] or `max_depth` is below 1.

        Examples
        --------
        >>> from deeplimit.plotting import DepthSweepDisplay
        >>> DepthSweepDisplay.from_activation("gelu").agrees
        True
        """
        told = taxonomy(activation)
        return cls(depth_sweep(told.activation, gaps, max_depth=max_depth), told)

    @classmethod
    def from_sweep(cls, sweep: DepthSweep, taxonomy: Taxonomy) -> Self:
        """Put a sweep that was made before beside a classification.

        Parameters
        ----------
        sweep : DepthSweep
            What was measured, by `deeplimit.depth_sweep`.
        taxonomy : Taxonomy
            What is predicted, of this activation or of another.

        Returns
        -------
        DepthSweepDisplay

        Examples
        --------
        >>> import deeplimit as dl
        >>> from deeplimit.plotting import DepthSweepDisplay
        >>> sweep = dl.depth_sweep("erf")
        >>> DepthSweepDisplay.from_sweep(sweep, dl.taxonomy("tanh")).agrees
        False
        """
        return cls(sweep, taxonomy)

    @property
    def agrees(self) -> bool:
        """Whether what was measured agrees with what is predicted."""
        return self.sweep.agrees_with(self.taxonomy)

    def to_pandas(self) -> Any:
        """Give every curve, and the comparison, as a table.

        Returns
        -------
        pandas.DataFrame
            Columns "panel", "curve", "x" and "y". In the panel "comparison" `x` is what was
            measured and `y` what is predicted.

        Examples
        --------
        >>> from deeplimit.plotting import DepthSweepDisplay
        >>> table = DepthSweepDisplay.from_activation("h3").to_pandas()
        >>> table[table["curve"] == "degree"][["x", "y"]].to_numpy().tolist()
        [[3.0, 3.0]]
        """
        pairs = self.sweep.comparison(self.taxonomy)
        compared = {
            key: (np.array([float(seen)]), np.array([float(told)]))
            for key, (seen, told) in pairs.items()
        }
        return self._table_of_curves({**self.panels, "comparison": compared})

    def plot(self, fig: Figure | None = None) -> Self:
        """Draw the sweep.

        Parameters
        ----------
        fig : matplotlib.figure.Figure, optional
            An empty figure to draw on; by default a new one, eight inches wide.

        Returns
        -------
        DepthSweepDisplay
            Itself, with ``figure_`` and ``axes_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from deeplimit.plotting import DepthSweepDisplay
        >>> DepthSweepDisplay.from_activation("h2").plot().axes_["law"].get_ylabel()
        '−ln |correlation|'
        """
        return self._on_figure(
            fig, [["correlations", "law"], ["near one", "comparison"]], self._draw
        )

    @property
    def _depths(self) -> Any:
        return self.sweep.depths.astype(np.float64)

    def _limit(self) -> Curves:
        """Give where correlations are predicted to go."""
        t = self.taxonomy
        if t.regime in ("undecided", "identity"):
            return {}
        meeting = 1.0 if t.fixed_point is None else t.fixed_point
        at = 0.0 if t.A == 0.0 else meeting
        ends = np.array([0.0, float(self.sweep.depths[-1])])
        return {_PREDICTED: (ends, np.full(2, at))}

    def _near_one(self) -> Curves:
        """Give the growth of the smallest gaps in decades, and the predicted one."""
        sweep, curves = self.sweep, {}
        for gap in NEAR_ONE:
            (at,) = np.flatnonzero(sweep.gaps == gap)
            with np.errstate(invalid="ignore"):
                grown = (sweep.log_gaps[:, at] - sweep.log_gaps[0, at]) / math.log(10.0)
            power = f"10^{{{round(math.log10(gap))}}}".replace("-", "−")
            curves[f"1 − ξ = ${power}$"] = (
                self._depths,
                np.where(np.isfinite(grown), grown, np.nan),
            )
        slope = self.taxonomy.B1
        if 0.0 < slope < math.inf:
            told = self._depths * math.log10(slope)
            curves[_PREDICTED] = (self._depths, told)
        return curves

    def _draw(self) -> None:
        names = LOOKS[self.sweep.regime].words, LOOKS[self.taxonomy.regime].words
        self.figure_.suptitle(f"{self.sweep.name} — the layers show: {names[0]}", fontweight="bold")
        self._draw_correlations(self.axes_["correlations"])
        self._draw_law(self.axes_["law"])
        self._draw_near_one(self.axes_["near one"])
        self._draw_comparison(self.axes_["comparison"], *names)

    def _draw_correlations(self, ax: Axes) -> None:
        curves = dict(self.panels["correlations"])
        limit = curves.pop(_PREDICTED, None)
        if limit is not None:
            ax.plot(*limit, color=GREY, lw=1.2, zorder=1)
        Depths("correlation", True, curves).draw(ax, marked=True, **_LEGEND)
        ax.set_title("correlations by depth, and the predicted limit")

    def _draw_law(self, ax: Axes) -> None:
        title = {
            "size": "their decay",
            "gap": "their gaps",
            "distance": "their approach",
            "plunge": "their plunge",
        }.get(self._law.what, "correlations")
        lines = [xy for name, xy in self.panels["law"].items() if name.startswith(_PREDICTED)]
        for x, y in lines:
            ax.plot(x, y, color=GREY, lw=1.0, zorder=1)
        if lines:
            title += ", and the predicted " + ("degree" if self._law.what == "plunge" else "rate")
        self._law.draw(ax, marked=True, room=0.0)
        if not self._law.curves:
            words = "nothing is left\nafter a layer"
            ax.text(0.5, 0.5, words, ha="center", va="center", transform=ax.transAxes)
        ax.set_title(title)

    def _draw_near_one(self, ax: Axes) -> None:
        curves = dict(self.panels["near one"])
        told = curves.pop(_PREDICTED, None)
        if told is not None:
            ax.plot(
                *told,
                color=GREY,
                lw=1.2,
                zorder=1,
                label=f"predicted, B′ = {short(self.taxonomy.B1)}",
            )
        color = LOOKS[self.sweep.regime].color
        for (name, (x, y)), size in zip(curves.items(), (9.0, 6.0, 2.5), strict=True):
            ax.plot(x, y, "o", ls="none", ms=size, mfc="none", color=color, label=name)
        if self._law.log_depth:
            ax.set_xscale("symlog", linthresh=1.0, linscale=0.4)
        ax.set_xlim(left=0)
        ax.set(xlabel="depth L", ylabel="growth of a gap, decades")
        ax.set_title("almost equal inputs")
        legend_above(ax, log=False, room=0.5)

    def _draw_comparison(self, ax: Axes, shown: str, told: str) -> None:
        # Its words may be wider than a narrow panel, which is no reason to squeeze the others.
        ax.set_axis_off()
        ax.set_title("measured and predicted")
        lines = textwrap.wrap(
            f"{self.sweep.observation[:1].upper()}{self.sweep.observation[1:]}.", 46
        )
        y = 0.97
        for line in lines:
            ax.text(0.0, y, line, va="top", transform=ax.transAxes)
            y -= 0.085
        y -= 0.05
        rows = [("", "measured", "predicted")]
        rows += [
            (_QUANTITIES[key], _figure(seen), _figure(said))
            for key, (seen, said) in self.sweep.comparison(self.taxonomy).items()
        ]
        for row in rows:
            for x, cell, ha in zip((0.0, 0.70, 1.0), row, ("left", "right", "right"), strict=True):
                ax.text(
                    x, y, cell, ha=ha, va="top", transform=ax.transAxes,
                    color=GREY if row is rows[0] else None,
                )  # fmt: skip
            y -= 0.085
        color = LOOKS[self.sweep.regime].color if self.agrees else VERMILION
        for words in (
            *textwrap.wrap(f"The constants say: {told}.", 44),
            "They agree." if self.agrees else "They do not agree.",
        ):
            ax.text(
                0.0, y - 0.04, words, va="top", transform=ax.transAxes, weight="bold", color=color
            )
            y -= 0.085
        for text in ax.texts:
            text.set_in_layout(False)


_LEGEND: Mapping[str, Any] = {
    "ncols": 4, "columnspacing": 0.8, "handletextpad": 0.0, "title": "1 − ξ at depth 0",
    "title_fontsize": 8.5, "room": 0.55,
}  # fmt: skip


def _start(sweep: DepthSweep, j: int) -> str:
    return f"{sweep.gaps[j]:g}"


def _law(sweep: DepthSweep, t: Taxonomy, shown: Sequence[int]) -> Depths:
    """Give the quantity in which the regime that was seen is a straight line."""
    depths = sweep.depths.astype(np.float64)
    slow = sweep.regime == "majority-vote" and sweep.fixed_point is None
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        if sweep.regime == "nearest-neighbour":
            what, table = "plunge", -sweep.log_correlations
        elif sweep.regime == "singular-kernel":
            what, table = "size", np.exp(sweep.log_correlations)
        elif sweep.regime == "conditionally-positive-definite" or slow:
            what, table = "gap", np.exp(sweep.log_gaps)
        elif sweep.regime == "majority-vote":
            # What the constants say is where orbits must go: from elsewhere they would level off.
            points = [p for p in (t.fixed_point, sweep.fixed_point) if p is not None]
            what, table = "distance", np.abs(sweep.correlations - points[0])
            table = np.where(table > _SEEN, table, np.nan)
        else:
            what, table = "correlation", sweep.correlations
    if what != "correlation":
        table = np.where(np.isfinite(table) & (table > 0.0), table, np.nan)
    curves = {
        _start(sweep, j): (depths, table[:, j])
        for j in shown
        if np.count_nonzero(np.isfinite(table[:, j])) > 1
    }
    return Depths(what, slow or what == "correlation", curves)


def _law_predicted(law: Depths, t: Taxonomy) -> Curves:
    """Give lines of the predicted slope through the last number of each curve."""
    factor = {
        "size": t.rate, "gap": t.rate, "distance": t.rate,
        "plunge": None if t.degree is None else float(t.degree),
    }.get(law.what)  # fmt: skip
    if not factor or law.log_depth:
        return {}
    lines = {}
    for name, (x, y) in law.curves.items():
        last = np.flatnonzero(np.isfinite(y))[-1]
        # Back to where the line leaves what was measured, but not above the ground.
        first = np.nanmax(y) if factor < 1.0 else np.nanmin(y)
        start = max(0.0, x[last] - math.log(y[last] / first) / math.log(factor))
        begin = y[last] * factor ** (start - x[last])
        lines[f"{_PREDICTED}, {name}"] = (np.array([start, x[last]]), np.array([begin, y[last]]))
    return lines


def _figure(value: float) -> str:
    return f"{value:.9g}".replace("-", "−").replace("inf", "∞")
