"""Correlations by depth: those of the network, on the scale of the regime."""

from __future__ import annotations

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.plotting.depths import correlations_by_depth, settling


@pytest.mark.parametrize("name", ["erf", "h2", "gelu", "relu", "sigmoid"])
def test_depths_are_those_of_the_network(name: str) -> None:
    found = correlations_by_depth(dl.taxonomy(name))
    for label, (depths, y) in found.curves.items():
        start = float(label.removeprefix("ξ = "))
        for i in (1, len(depths) // 2):
            kernel = dl.NetworkKernel(name, int(depths[i]), kind="nngp")
            expected = float(np.exp(kernel.log_at_gap(1.0 - start)))
            if found.what == "gap":
                assert 1.0 - y[i] == pytest.approx(expected, abs=1e-12)
            elif np.isfinite(y[i]):
                assert y[i] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("rate", "layers"), [(None, 10), (0.0, 10), (1.0, 2000), (0.5, 20)])
def test_settling(rate: float | None, layers: int) -> None:
    assert settling(rate) == layers
