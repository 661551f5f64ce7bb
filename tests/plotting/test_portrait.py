"""Portraits: the numbers drawn, and that a reader can read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import deeplimit as dl
from deeplimit.plotting import ActivationDisplay

# One for each regime and each form that a panel can take.
EACH = ["5d_opt", "sine_13.83", "sign", "h2", "h3", "relu", "gelu", "cos", "identity", "9d_opt"]


@pytest.mark.parametrize("name", EACH)
def test_no_text_overlaps_or_leaves_nor_covers_a_curve(
    name: str,
    overlaps: Callable[[Figure], list[tuple[str, str]]],
    outside: Callable[[Figure], list[str]],
) -> None:
    display = ActivationDisplay.from_activation(name).plot()
    assert overlaps(display.figure_) == []
    assert outside(display.figure_) == []
    for panel in ("depth", "kernel"):
        ax = display.axes_[panel]
        legend = ax.get_legend()
        assert legend is not None
        floor = legend.get_window_extent().y0
        for line in ax.lines:
            points = ax.transData.transform(np.column_stack(line.get_data()))
            assert np.nanmax(points[:, 1]) < floor, (panel, line.get_label())


def test_curves_of_a_singular_activation() -> None:
    display = ActivationDisplay.from_activation("3d_opt")
    xi, f = display.curves["dual"]["dual map"]
    np.testing.assert_allclose(f, xi / 2 + xi**3 / 2, atol=1e-15)
    x, y = display.curves["dual"]["ξ = 0.97"]
    np.testing.assert_allclose(y[1::2], x[:-1:2] / 2 + x[:-1:2] ** 3 / 2, atol=1e-15)
    distance, kappa = display.curves["kernel"]["depth ∞"]
    # The table of the theory: kappa(.9) = 5.59116373037.
    assert np.exp(np.interp(np.log(0.2) / 2, np.log(distance), np.log(kappa))) == pytest.approx(
        5.59116373037, rel=1e-3
    )
    slope = np.polyfit(np.log(distance[:80]), np.log(kappa[:80]), 1)[0]
    assert slope == pytest.approx(-2.0, abs=1e-4)
    # f^L / a_1^L rises to kappa with the depth.
    depths = [name for name in display.curves["kernel"] if name != "depth ∞"]
    sizes = [display.curves["kernel"][name][1] for name in depths]
    for shallow, deep in zip(sizes, [*sizes[1:], kappa], strict=True):
        assert np.all(shallow <= deep * (1 + 1e-12))
    phase, factor = display.curves["factor"]["R"]
    assert factor[0] == pytest.approx(factor[-1], rel=1e-9)
    assert (phase[0], phase[-1]) == (0.0, 1.0)


def test_table_holds_every_curve() -> None:
    display = ActivationDisplay.from_activation("erf")
    table = display.to_pandas()
    assert list(table.columns) == ["panel", "curve", "x", "y"]
    for panel, curves in display.curves.items():
        for name, (x, y) in curves.items():
            part = table[(table["panel"] == panel) & (table["curve"] == name)]
            np.testing.assert_array_equal(part["x"], x)
            np.testing.assert_array_equal(part["y"], y)


def test_a_layer_has_a_portrait_without_its_function() -> None:
    display = ActivationDisplay.from_activation(dl.Activation("h2").residual(0.5))
    assert "activation" not in display.curves
    display.plot().figure_.draw_without_rendering()


def test_undecided_has_no_portrait() -> None:
    # The mean that is taken away is rounded: it is zero within its error, not by structure.
    mean = 1.0 / np.sqrt(2.0 * np.pi)
    with pytest.raises(ValueError, match="no limit that can be stated"):
        ActivationDisplay.from_activation(lambda z: np.maximum(z, 0.0) - mean)


def test_file_is_small_and_written(tmp_path: Path) -> None:
    path = tmp_path / "portrait.png"
    ActivationDisplay.from_activation("5d_opt").plot().figure_.savefig(path, dpi=100)
    assert 10_000 < path.stat().st_size < 200_000
