"""What every test of a picture needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def _boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    figure.draw_without_rendering()
    # Axis tick labels outside the view exist as texts, but are not drawn.
    hidden = set()
    axes = list(figure.axes) + [child for ax in figure.axes for child in ax.child_axes]
    for ax in axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            pad = 1e-9 * (high - low)
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                if not low - pad <= tick.get_loc() <= high + pad:
                    hidden |= {tick.label1, tick.label2}
    return [
        (text.get_text(), Text.get_window_extent(text))
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in hidden
    ]


@pytest.fixture
def overlaps() -> Callable[[Figure], list[tuple[str, str]]]:
    """Give a function that lists the pairs of texts of a figure that overlap."""

    def overlaps(figure: Figure) -> list[tuple[str, str]]:
        boxes = _boxes(figure)
        pairs = []
        for i, (one, a) in enumerate(boxes):
            for other, b in boxes[i + 1 :]:
                # Half a pixel of anti-aliasing is no overlap.
                if (
                    min(a.x1, b.x1) - max(a.x0, b.x0) > 0.5
                    and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.5
                ):
                    pairs.append((one, other))
        return pairs

    return overlaps


@pytest.fixture
def outside() -> Callable[[Figure], list[str]]:
    """Give a function that lists the texts of a figure that leave it."""

    def outside(figure: Figure) -> list[str]:
        frame = figure.bbox
        return [
            text
            for text, box in _boxes(figure)
            if box.x0 < -0.5 or box.y0 < -0.5 or box.x1 > frame.x1 + 0.5 or box.y1 > frame.y1 + 0.5
        ]

    return outside
