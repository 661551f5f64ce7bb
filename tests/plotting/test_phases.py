"""The phase diagram: every activation in the region its regime has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

import deeplimit as dl
from deeplimit.plotting import PhaseDiagramDisplay


@pytest.fixture(scope="module")
def display() -> PhaseDiagramDisplay:
    return PhaseDiagramDisplay.from_activations()


def test_constants_lie_in_the_region_of_the_regime(display: PhaseDiagramDisplay) -> None:
    seen = set()
    for t in display.taxonomies:
        seen.add(t.regime)
        if t.A != 0.0:
            assert t.B1 >= 1.0 - t.A**2 - 1e-12
            assert (t.regime == "majority-vote") == (t.B1 >= 1.0)
        else:
            assert t.B1 >= 2.0 - t.A1**2 - 1e-12
            assert (t.regime == "nearest-neighbour") == (t.A1 == 0.0)
    assert seen == {
        "majority-vote", "conditionally-positive-definite", "singular-kernel",
        "nearest-neighbour", "identity",
    }  # fmt: skip


def test_every_activation_is_drawn_and_named_without_overlap(
    display: PhaseDiagramDisplay,
    overlaps: Callable[[Figure], list[tuple[str, str]]],
    outside: Callable[[Figure], list[str]],
) -> None:
    drawn = display.plot()
    texts = {text.get_text() for ax in drawn.axes_.values() for text in ax.texts}
    assert {t.name for t in display.taxonomies} <= texts
    assert overlaps(drawn.figure_) == []
    assert outside(drawn.figure_) == []


def test_lines_of_equal_exponent(display: PhaseDiagramDisplay) -> None:
    lines = [line for line in display.plot().axes_["centred"].lines if line.get_ls() == "--"]
    alphas = []
    for line in lines:
        a, b = line.get_data()
        alpha = -2.0 * np.log(a) / np.log(b)
        np.testing.assert_allclose(alpha, alpha[0], rtol=1e-9)
        alphas.append(float(alpha[0]))
    assert alphas == pytest.approx([0.5, 1.0, 2.0, 4.0, 8.0])


def test_table_and_a_jump() -> None:
    display = PhaseDiagramDisplay.from_activations(
        ["sign", "relu", dl.Activation("relu").centered()]
    )
    table = display.to_pandas()
    assert table["regime"].tolist() == ["singular-kernel", "majority-vote", "singular-kernel"]
    assert np.isinf(table["B1"][0])
    centred = display.plot().axes_["centred"]
    assert centred.get_ylim()[1] in [line.get_ydata()[0] for line in centred.lines]
