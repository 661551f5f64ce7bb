"""Labels next to points, none over another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.plotting.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Where a label may stand, in degrees from its point and in points of type away from it.
_ANGLES = (0, 180, 45, -45, 135, -135, 90, -90, 20, -20, 160, -160)
_RADII = (6.0, 12.0, 20.0, 30.0, 42.0, 56.0, 72.0)
#: From this distance a line leads back to the point.
_FAR = 10.0


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: Box) -> bool:
        """Whether two rectangles overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def within(self, other: Box) -> bool:
        """Whether this rectangle lies in the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.bottom >= other.bottom
            and self.top <= other.top
        )


class Place(NamedTuple):
    """A position of a label: offset in points of type, alignment, and the rectangle it fills."""

    offset: tuple[float, float]
    ha: Literal["left", "right", "center"]
    va: Literal["bottom", "top", "center"]
    box: Box


def place_labels(
    ax: Axes,
    x: Sequence[float],
    y: Sequence[float],
    labels: Sequence[str],
    *,
    fontsize: float = 8.0,
    keep_off: Sequence[float] = (),
) -> None:
    """Write a label beside each point, clear of points, texts and other labels.

    Places are tried from near to far in a dozen directions and the first free one is taken; if
    none is free the label is left out. The limits of the axes must be final.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where the points are.
    x, y : sequence of float
        Points.
    labels : sequence of str
        What to write.
    fontsize : float, default=8.0
        In points.
    keep_off : sequence of float, default=()
        Ordinates of horizontal lines that no label crosses.
    """
    if not labels:
        return
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # settles the layout, on which pixels depend
    scale = figure.dpi / 72.0
    points = ax.transData.transform(np.column_stack((x, y)))
    frame = Box(*ax.get_window_extent().extents)
    taken = [Box(*text.get_window_extent().extents) for text in ax.texts]
    taken += [Box(px - 3 * scale, py - 3 * scale, px + 3 * scale, py + 3 * scale)
              for px, py in points]  # fmt: skip
    for level in ax.transData.transform([(0.0, level) for level in keep_off] or np.empty((0, 2))):
        taken.append(Box(frame.left, level[1] - scale, frame.right, level[1] + scale))
    for px, py, at, label in zip(x, y, points, labels, strict=True):
        probe = ax.text(px, py, label, fontsize=fontsize)
        size = probe.get_window_extent()
        probe.remove()
        for place in _places(at, size.width, size.height, scale):
            if place.box.within(frame) and not any(place.box.meets(box) for box in taken):
                break
        else:
            continue
        far = math.hypot(*place.offset) > _FAR
        line = {"arrowstyle": "-", "lw": 0.6, "color": GREY, "shrinkA": 0, "shrinkB": 2.5}
        text = ax.annotate(
            label, (px, py), xytext=place.offset, textcoords="offset points", fontsize=fontsize,
            ha=place.ha, va=place.va, zorder=5, arrowprops=line if far else None,
        )  # fmt: skip
        text.set_in_layout(False)
        taken.append(place.box)


def _places(at: NDArray[np.float64], width: float, height: float, scale: float) -> Iterator[Place]:
    for radius in _RADII:
        for angle in _ANGLES:
            dx = radius * math.cos(math.radians(angle))
            dy = radius * math.sin(math.radians(angle))
            left, bottom = at[0] + dx * scale, at[1] + dy * scale
            ha: Literal["left", "right", "center"] = "left"
            va: Literal["bottom", "top", "center"] = "center"
            if abs(dx) < 0.3 * radius:
                ha, left = "center", left - width / 2
            elif dx < 0:
                ha, left = "right", left - width
            if dy > 0.3 * radius:
                va = "bottom"
            elif dy < -0.3 * radius:
                va, bottom = "top", bottom - height
            else:
                bottom -= height / 2
            yield Place((dx, dy), ha, va, Box(left, bottom, left + width, bottom + height))
