"""Kernels drawn: the limit, finite depths, and the periodic factor."""

from __future__ import annotations

import math

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.plotting import KernelDisplay


def test_singular_kernel_and_its_depths() -> None:
    display = KernelDisplay.from_kernel(dl.LimitKernel("3d_opt", tabulate=False), depths=[1, 2])
    distance, one = display.panels["kernel"]["depth 1"]
    xi = 1.0 - distance**2 / 2.0
    f = xi / 2 + xi**3 / 2
    np.testing.assert_allclose(one, f / 0.5, rtol=1e-9)
    np.testing.assert_allclose(display.panels["kernel"]["depth 2"][1], (f + f**3) / 2 / 0.25)
    _, limit = display.panels["kernel"]["depth ∞"]
    expected = dl.LimitKernel("3d_opt").at_gap(distance**2 / 2.0)
    np.testing.assert_allclose(limit, expected, rtol=1e-10)


def test_periodic_factor_is_what_the_kernel_has_beside_the_power() -> None:
    kernel = dl.LimitKernel("sine_13.83", tabulate=False)
    display = KernelDisplay.from_kernel(kernel)
    phase, factor = display.panels["factor"]["R"]
    period = math.log(kernel.taxonomy.B1)
    # The same factor five periods nearer to the singularity, by the definition.
    log_s = (phase - 30.0) * period
    expected = kernel.log_at_gap(np.exp(log_s)) + kernel.exponent / 2 * (log_s + math.log(2.0))
    np.testing.assert_allclose(np.log(factor), expected, atol=1e-9)
    title = display.plot().axes_["factor"].get_title()
    assert title == f"periodic factor R: {factor.min():.6g} to {factor.max():.6g}"
    (line,) = [ln for ln in display.axes_["factor"].lines if len(ln.get_xdata()) == len(phase)]
    mean = np.exp(np.mean(np.log(factor[:-1])))
    np.testing.assert_allclose(line.get_ydata(), 100.0 * (factor / mean - 1.0), rtol=1e-12)


def test_a_flat_factor_is_said_to_be_flat() -> None:
    ax = KernelDisplay.from_kernel(dl.LimitKernel("erf")).plot().axes_["factor"]
    assert ax.get_title().endswith(", flat")
    assert max(ax.get_ylim()) == pytest.approx(0.13)


@pytest.mark.parametrize("name", ["sign", "h2", "relu", "gelu", "cos", "identity"])
def test_others_have_no_factor(name: str) -> None:
    display = KernelDisplay.from_kernel(dl.LimitKernel(name)).plot()
    assert list(display.axes_) == ["kernel"]


def test_other_regimes() -> None:
    def kernel(name: str) -> KernelDisplay:
        return KernelDisplay.from_kernel(dl.LimitKernel(name), depths=[3])

    xi, value = kernel("h2").panels["kernel"]["depth 3"]
    np.testing.assert_allclose(value, xi**8, atol=1e-13)
    xi, value = kernel("square").panels["kernel"]["depth ∞"]
    np.testing.assert_allclose(value[xi < 1.0], 0.5, rtol=1e-12)
    xi, value = kernel("cos").panels["kernel"]["depth 3"]
    gap = 1.0 - dl.NetworkKernel("cos", 3, kind="nngp").at_correlation(xi)
    np.testing.assert_allclose(value, -gap / math.tanh(1.0) ** 3, atol=1e-12)


def test_network_and_power() -> None:
    network = dl.NetworkKernel("relu", depth=4)
    display = KernelDisplay.from_kernel(network, depths=[1, 4])
    assert list(display.panels["kernel"]) == ["depth 4", "depth 1"]
    xi, value = display.panels["kernel"]["depth 1"]
    expected = dl.NetworkKernel("relu", 1).at_correlation(xi, normalize=True)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    assert display.plot().axes_["kernel"].get_title() == "NTK of relu"
    distance, value = KernelDisplay.from_kernel(dl.PowerKernel(2.5)).panels["kernel"][
        "exponent 2.5"
    ]
    np.testing.assert_allclose(value, distance**-2.5, rtol=1e-12)


def test_table() -> None:
    display = KernelDisplay.from_kernel(dl.LimitKernel("3d_opt"), depths=[2])
    table = display.to_pandas()
    assert list(table.columns) == ["panel", "curve", "x", "y"]
    for panel, curves in display.panels.items():
        for name, (x, y) in curves.items():
            part = table[(table["panel"] == panel) & (table["curve"] == name)]
            np.testing.assert_array_equal(part["x"], x)
            np.testing.assert_array_equal(part["y"], y)


@pytest.mark.parametrize("depths", [[0], [2.5], [-1], [True]])
def test_unknown_depths(depths: list[float]) -> None:
    with pytest.raises(ValueError, match="numbers of layers, at least 1"):
        KernelDisplay.from_kernel(dl.LimitKernel("relu"), depths=depths)  # type: ignore[arg-type]


def test_refusals() -> None:
    with pytest.raises(ValueError, match="a pure power has no depths"):
        KernelDisplay.from_kernel(dl.PowerKernel(2.0), depths=[3])
    with pytest.raises(TypeError, match="got str"):
        KernelDisplay.from_kernel("relu")
