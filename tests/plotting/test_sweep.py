"""Depth sweeps drawn: what was measured, beside what is predicted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

import deeplimit as dl
from deeplimit.plotting import DepthSweepDisplay

EACH = ["3d_opt", "sign", "relu", "gelu", "sigmoid"]


@pytest.mark.parametrize("name", EACH)
def test_no_text_overlaps_or_leaves(
    name: str,
    overlaps: Callable[[Figure], list[tuple[str, str]]],
    outside: Callable[[Figure], list[str]],
) -> None:
    display = DepthSweepDisplay.from_activation(name).plot()
    assert display.agrees
    assert overlaps(display.figure_) == []
    assert outside(display.figure_) == []


def test_marks_are_the_networks_correlations() -> None:
    display = DepthSweepDisplay.from_activation("gelu", [0.3])
    depths, seen = display.panels["correlations"]["0.3"]
    for depth, xi in zip(depths[1:5], seen[1:5], strict=True):
        kernel = dl.NetworkKernel("gelu", int(depth), kind="nngp")
        assert xi == pytest.approx(float(kernel.at_gap(0.3)), rel=1e-12)
    assert display.panels["correlations"]["predicted"][1].tolist() == (
        [dl.taxonomy("gelu").fixed_point] * 2
    )


@pytest.mark.parametrize(
    ("name", "what", "factor"),
    [
        ("3d_opt", "size", 0.5),
        ("h3", "plunge", 3.0),
        ("cos", "gap", np.tanh(1.0)),
        ("square", "distance", 2.0 / 3.0),
    ],
)
def test_predicted_lines_have_the_slope_of_the_law(name: str, what: str, factor: float) -> None:
    display = DepthSweepDisplay.from_activation(name)
    law = display.panels["law"]
    lines = {key: xy for key, xy in law.items() if key.startswith("predicted")}
    assert display._law.what == what
    assert len(lines) >= 5
    for key, (x, y) in lines.items():
        assert np.log(y[1] / y[0]) / (x[1] - x[0]) == pytest.approx(np.log(factor), rel=1e-9)
        marks = law[key.removeprefix("predicted, ")]
        assert x[0] >= 0.0
        last = np.flatnonzero(np.isfinite(marks[1]))[-1]
        assert (x[1], y[1]) == (marks[0][last], marks[1][last])


def test_near_one_gaps_grow_by_the_slope() -> None:
    display = DepthSweepDisplay.from_activation("h3")
    *measured, predicted = display.panels["near one"].values()
    assert len(measured) == 3
    for depths, grown in measured:
        np.testing.assert_allclose(grown, depths * np.log10(3.0), rtol=1e-9)
    np.testing.assert_allclose(predicted[1], predicted[0] * np.log10(3.0), rtol=1e-12)


def test_an_infinite_slope_is_not_predicted_as_a_line() -> None:
    display = DepthSweepDisplay.from_activation("sign").plot()
    assert "predicted" not in display.panels["near one"]
    texts = [text.get_text() for text in display.axes_["comparison"].texts]
    assert texts.count("∞") == 2


def test_another_activations_classification_does_not_agree() -> None:
    sweep = dl.depth_sweep("erf")
    display = DepthSweepDisplay.from_sweep(sweep, dl.taxonomy("tanh")).plot()
    assert not display.agrees
    assert "They do not agree." in [t.get_text() for t in display.axes_["comparison"].texts]


def test_undecided_constants_have_a_sweep() -> None:
    mean = 1.0 / np.sqrt(2.0 * np.pi)
    display = DepthSweepDisplay.from_activation(
        lambda z: np.maximum(z, 0.0) - mean, max_depth=64
    ).plot()
    assert display.taxonomy.regime == "undecided"
    assert "predicted" not in display.panels["correlations"]


def test_a_constant_has_nothing_to_fall() -> None:
    display = DepthSweepDisplay.from_activation(lambda z: np.ones_like(z))
    assert display.plot().sweep.regime == "majority-vote"
    assert [text.get_text() for text in display.axes_["law"].texts] == [
        "nothing is left\nafter a layer"
    ]


def test_table() -> None:
    display = DepthSweepDisplay.from_activation("3d_opt")
    table = display.to_pandas()
    assert list(table.columns) == ["panel", "curve", "x", "y"]
    assert table["panel"].unique().tolist() == ["correlations", "law", "near one", "comparison"]
    compared = table[table["panel"] == "comparison"].set_index("curve")
    seen, told = display.sweep.comparison(display.taxonomy)["exponent"]
    assert compared.loc["exponent", ["x", "y"]].tolist() == [seen, told]
    part = table[(table["panel"] == "correlations") & (table["curve"] == "0.5")]
    at = display.sweep.gaps.tolist().index(0.5)
    np.testing.assert_array_equal(part["y"], display.sweep.correlations[:, at])


def test_refusals() -> None:
    with pytest.raises(ValueError, match="from 0 to 2"):
        DepthSweepDisplay.from_activation("relu", [3.0])
    with pytest.raises(ValueError, match="max_depth"):
        DepthSweepDisplay.from_activation("relu", max_depth=0)
