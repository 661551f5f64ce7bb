"""Places of a formula near which something narrow may hide."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimit.activations import Activation, parse
from deeplimit.activations.landmarks import landmarks


@pytest.mark.parametrize(
    ("formula", "places"),
    [
        ("tanh(x)", []),
        ("exp(-1e12*(x - 1.5)^2)", [1.5]),
        ("x + 1/(1 + 1e20*(x + 0.25)^2)", [-0.25]),
        ("where(x > 1.25, 1, 0)", [1.25]),
        ("clip(x, -0.5, 2)", [-0.5, 2.0]),
        ("max(x - 1, 2 - x)", [1.0, 1.5, 2.0]),
        ("sin(2*x)*0 + (x^2 - 2)", [k * np.pi / 2 for k in range(1, 8)] + [-(2**0.5), 2**0.5]),
    ],
)
def test_places(formula: str, places: list[float]) -> None:
    found = landmarks(parse(formula))
    for place in places:
        assert np.abs(found - place).min() <= 1e-14 * max(1.0, abs(place))
    assert np.all(np.diff(found) > 0.0)


def test_too_many_are_none() -> None:
    assert landmarks(parse("sin(1000*x)")).size == 0


@pytest.mark.parametrize("width", [1e-4, 1e-6])
def test_a_narrow_feature_of_a_formula_is_not_missed(width: float) -> None:
    # However narrow, the bump adds its own mass, and its steepness to the slope at one.
    c = 0.5 / width**2
    activation = Activation(f"x + exp(-{c!r}*(x - 1.2345)^2)")
    bell = np.exp(-(1.2345**2) / 2.0) / np.sqrt(2.0 * np.pi)
    mass = (2.0 * 1.2345 * np.sqrt(2.0) + 1.0) * np.sqrt(np.pi) * width * bell
    assert activation.norm2 - 1.0 == pytest.approx(mass, rel=3e-4 if width > 1e-5 else 1e-6)
    steep = np.sqrt(np.pi) / 2.0 / width * bell
    assert pytest.approx(1.0 + steep, rel=1e-3) == activation.B1 * activation.norm2
