"""Legends that cover no curve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["legend_above"]

#: Decades of a number that falls with the depth worth showing.
_DECADES = 12.0


def legend_above(ax: Axes, *, log: bool, room: float = 0.4, **how: Any) -> None:
    """Put the legend into a strip above all curves, without ticks there.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With its curves.
    log : bool
        Whether ordinates belong on a logarithmic axis, where no more than twelve decades of a fall
        along a linear axis are shown.
    room : float, default=0.4
        Height of the strip, as a part of that of the curves; with 0 there is no legend.
    **how : object
        Of the legend.
    """
    shown = np.concatenate(
        [np.empty(0), *(np.asarray(line.get_ydata(), float) for line in ax.lines)]
    )
    shown = shown[np.isfinite(shown) & (not log or shown > 0.0)]
    if not shown.size:
        return
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
        ax.set_ylim(
            10.0 ** (low - 0.04 * (high - low)), 10.0 ** (high + max(room, 0.06) * (high - low))
        )
    else:
        span = high - low if high - low > 1e-9 else 1.0
        ax.set_ylim(low - 0.04 * span, high + max(0.9 * room, 0.06) * span)
        ax.set_yticks([tick for tick in ax.get_yticks() if -0.04 <= (tick - low) / span <= 1.02])
    if not room:
        return
    settings: dict[str, Any] = {"ncols": 2, "columnspacing": 1.5} | how
    ax.legend(frameon=False, loc="upper center", **settings)
