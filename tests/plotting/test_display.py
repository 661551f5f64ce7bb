"""What every display does alike: it draws anywhere, in any style, and says what it lacks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

import deeplimit as dl
from deeplimit import plotting

X = np.random.default_rng(0).normal(size=(40, 2))
Y = X[:, 0] > 0.2


def _clf() -> dl.HilbertClassifier:
    return dl.HilbertClassifier(exponent=2.0).fit(X, Y)


MADE: dict[str, Callable[[], Any]] = {
    "ActivationDisplay": lambda: plotting.ActivationDisplay.from_activation("relu"),
    "AttributionDisplay": lambda: plotting.AttributionDisplay.from_estimator(_clf(), [0.1, 0.2]),
    "CalibrationDisplay": lambda: plotting.CalibrationDisplay.from_estimator(_clf()),
    "CobwebDisplay": lambda: plotting.CobwebDisplay.from_activation("relu"),
    "DecisionBoundaryDisplay": lambda: plotting.DecisionBoundaryDisplay.from_estimator(
        _clf(), resolution=12
    ),
    "DepthSweepDisplay": lambda: plotting.DepthSweepDisplay.from_activation("h2"),
    "KernelDisplay": lambda: plotting.KernelDisplay.from_kernel(dl.LimitKernel("erf")),
    "LearningCurveDisplay": lambda: plotting.LearningCurveDisplay(
        np.array([10, 100]), {"a": np.array([[0.5, 0.6], [0.6, 0.7]])}, np.array([0.8])
    ),
    "PhaseDiagramDisplay": lambda: plotting.PhaseDiagramDisplay.from_activations(["relu", "erf"]),
}


@cache
def made(name: str) -> Any:
    return MADE[name]()


def test_every_display_is_tried_here() -> None:
    assert sorted(MADE) == plotting.__all__


@pytest.mark.parametrize("name", MADE)
def test_a_dark_style_is_respected_and_settings_are_restored(name: str) -> None:
    display = made(name)
    with plt.style.context("dark_background"):
        before = dict(plt.rcParams)
        assert display.plot() is display
        assert dict(plt.rcParams) == before
        figure = display.figure_
        assert figure.get_facecolor() == (0.0, 0.0, 0.0, 1.0)
        for ax in figure.axes:
            assert to_rgba(ax.title.get_color()) == to_rgba("white")
            for text in (*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()):
                assert to_rgba(text.get_color())[:3] != (0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", MADE)
def test_own_axes_or_figure(name: str) -> None:
    display = made(name)
    figure = plt.figure(figsize=(12, 7), layout="constrained")
    if "fig" in type(display).plot.__annotations__:
        parts = figure.subfigures(1, 2)
        display.plot(parts[0])
        assert all(ax in parts[0].axes for ax in display.axes_.values())
        assert not parts[1].axes
    else:
        ax = figure.subplots(1, 2)[1]
        display.plot(ax)
        assert display.ax_ is ax
        assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    figure.draw_without_rendering()


@pytest.mark.parametrize("name", MADE)
def test_without_matplotlib_or_pandas_the_extra_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    display = made(name)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"drawing .*deeplimit\[plot\]"):
        display.plot()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"deeplimit\[tables\]"):
        display.to_pandas()
