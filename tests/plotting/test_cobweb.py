"""Cobwebs: the path of a correlation, and the points that stay."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import deeplimit as dl
from deeplimit.plotting import CobwebDisplay


def test_paths_are_those_of_the_network() -> None:
    display = CobwebDisplay.from_activation("relu", starts=[-0.6, 0.95], layers=7)
    for start in (-0.6, 0.95):
        x, y = display.curves[f"ξ = {start:g}"]
        assert (x[0], y[0]) == (start, start)
        # Corners on the map and on the diagonal, by turns.
        np.testing.assert_array_equal(x[2::2], y[2::2])
        for layer in range(1, 8):
            kernel = dl.NetworkKernel("relu", layer, kind="nngp")
            assert y[2 * layer] == pytest.approx(float(kernel.at_correlation(start)), abs=1e-12)
    xi, f = display.curves["dual map"]
    closed = (np.sqrt(1 - xi**2) + xi * (np.pi - np.arccos(xi))) / np.pi
    np.testing.assert_allclose(f, closed, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("square", [(0.5, 2 / 3, "attracting"), (1.0, 4 / 3, "repelling")]),
        ("h2", [(0.0, 0.0, "attracting"), (1.0, 2.0, "repelling")]),
        ("h3", [(-1.0, 3.0, "repelling"), (0.0, 0.0, "attracting"), (1.0, 3.0, "repelling")]),
        ("relu", [(1.0, 1.0, "neutral")]),
        ("cos", [(1.0, np.tanh(1.0), "attracting")]),
        ("sign", [(-1.0, np.inf, "repelling"), (0.0, 2 / np.pi, "attracting"),
                  (1.0, np.inf, "repelling")]),
    ],
)  # fmt: skip
def test_fixed_points(name: str, points: list[tuple[float, float, str]]) -> None:
    found = CobwebDisplay.from_activation(name).points
    assert [p.kind for p in found] == [kind for _, _, kind in points]
    for point, (at, slope, _) in zip(found, points, strict=True):
        assert point.correlation == pytest.approx(at, abs=1e-12)
        assert point.multiplier == pytest.approx(slope, rel=1e-12)


@pytest.mark.parametrize("name", ["gelu", "sigmoid", "erf", "9d_opt", "elu", "snake"])
def test_fixed_points_are_all_there_are(name: str) -> None:
    display = CobwebDisplay.from_activation(name)
    dual = dl.Activation(name).dual
    xi = np.linspace(-1.0, 1.0, 4001)[1:-1]
    change = np.sign(dual.value(xi) - xi)
    crossings = xi[1:][change[1:] != change[:-1]]
    for at in crossings:
        assert min(abs(at - p.correlation) for p in display.points) < 1e-3
    step = 1e-6
    for p in display.points:
        assert float(dual.value(np.array([p.correlation]))[0]) == pytest.approx(p.correlation)
        inward = p.correlation - step * (1.0 if p.correlation > 0.0 else -1.0)
        slope = (float(dual.value(np.array([inward]))[0]) - p.correlation) / (
            inward - p.correlation
        )
        assert slope == pytest.approx(p.multiplier, rel=1e-3, abs=1e-5)


def test_what_attracts_is_filled_and_what_repels_hollow() -> None:
    ax = CobwebDisplay.from_activation("gelu").plot().ax_
    marks = {line.get_xdata()[0]: line for line in ax.lines if line.get_markersize() == 7.5}
    inner, one = (marks[at] for at in sorted(marks))
    assert inner.get_markerfacecolor() == inner.get_color()
    assert one.get_markerfacecolor() == ax.get_facecolor()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "attracting 0.76, f′ = 0.933" in texts
    assert "repelling 1, f′ = 1.07" in texts
    assert "from ξ = −0.6" in texts


def test_table_holds_curves_and_points() -> None:
    display = CobwebDisplay.from_activation("h2", starts=[0.5], layers=3)
    table = display.to_pandas()
    assert list(table.columns) == ["curve", "x", "y", "multiplier"]
    path = table[table["curve"] == "ξ = 0.5"]
    np.testing.assert_array_equal(path["x"], display.curves["ξ = 0.5"][0])
    assert path["multiplier"].isna().all()
    assert table[table["curve"] == "fixed point"]["multiplier"].tolist() == [0.0, 2.0]


def test_the_identity_has_no_points_drawn() -> None:
    ax = CobwebDisplay.from_activation("identity").plot().ax_
    assert not [line for line in ax.lines if line.get_markersize() == 7.5]


def test_own_axes() -> None:
    figure, axes = plt.subplots(1, 2)
    display = CobwebDisplay.from_activation("erf").plot(axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert not axes[0].lines


def test_refusals() -> None:
    mean = 1.0 / np.sqrt(2.0 * np.pi)
    with pytest.raises(ValueError, match="no limit that can be stated"):
        CobwebDisplay.from_activation(lambda z: np.maximum(z, 0.0) - mean)
    with pytest.raises(ValueError, match="from -1 to 1"):
        CobwebDisplay.from_activation("relu", starts=[1.5])
    with pytest.raises(ValueError, match="at least 1"):
        CobwebDisplay.from_activation("relu", layers=0)
