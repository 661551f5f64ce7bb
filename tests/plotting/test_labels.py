"""Labels stand clear of one another, wherever their points are."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from deeplimit.plotting.labels import Box, place_labels


@pytest.mark.parametrize("seed", range(5))
def test_labels_do_not_overlap(
    seed: int, overlaps: Callable[[Figure], list[tuple[str, str]]]
) -> None:
    rng = np.random.default_rng(seed)
    figure, ax = plt.subplots(layout="constrained")
    x, y = rng.beta(0.5, 2.0, size=(2, 30))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.plot(x, y, "o")
    place_labels(ax, x.tolist(), y.tolist(), [f"point {i}" for i in range(30)], keep_off=(0.5,))
    assert overlaps(figure) == []
    assert len(ax.texts) >= 15
    figure.draw_without_rendering()
    level = ax.transData.transform((0.0, 0.5))[1]
    frame = Box(*ax.get_window_extent().padded(1.0).extents)
    for text in ax.texts:
        box = Text.get_window_extent(text)  # the words without the leading line
        assert not box.y0 < level < box.y1
        assert Box(*box.extents).within(frame)


def test_a_crowd_leaves_labels_out_rather_than_over_another(
    overlaps: Callable[[Figure], list[tuple[str, str]]],
) -> None:
    figure, ax = plt.subplots(figsize=(2, 2), layout="constrained")
    place_labels(ax, [0.5] * 60, [0.5] * 60, ["a long label"] * 60)
    assert 0 < len(ax.texts) < 60
    assert overlaps(figure) == []


def test_no_points_no_labels() -> None:
    _, ax = plt.subplots()
    place_labels(ax, [], [], [])
    assert not ax.texts


def test_boxes() -> None:
    box = Box(0, 0, 2, 1)
    assert box.meets(Box(1, 0.5, 3, 3))
    assert not box.meets(Box(2, 0, 3, 1))
    assert Box(0.5, 0.2, 1, 1).within(box)
    assert not Box(0.5, 0.2, 1, 1.1).within(box)
