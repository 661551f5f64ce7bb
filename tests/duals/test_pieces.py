"""Breaks found where they are, features not missed, and what cannot be integrated refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimit.activations.expressions import parse
from deeplimit.duals.pieces import (
    NODES,
    Pieces,
    chebyshev_matrix,
    chebyshev_nodes,
    resolve,
)


def pieces(formula: str) -> Pieces:
    return resolve(parse(formula))


@pytest.mark.parametrize("n", [1, 2, 24, NODES])
def test_chebyshev_matrix_gives_the_coefficients(n: int) -> None:
    rng = np.random.default_rng(n)
    c = rng.normal(size=n)
    values = np.polynomial.chebyshev.chebval(chebyshev_nodes(n), c)
    np.testing.assert_allclose(chebyshev_matrix(n) @ values, c, rtol=0.0, atol=2e-15 * n)
    assert np.all(np.diff(chebyshev_nodes(n)) > 0.0)


@pytest.mark.parametrize(
    ("formula", "breaks", "jumps"),
    [
        ("tanh(x)", [], []),
        ("x^3", [], []),
        ("relu(x)", [0], [0]),
        ("sign(x)", [0], [2]),
        ("relu(x - 1/3)", [1 / 3], [0]),
        ("heaviside(x - 1/3)", [1 / 3], [1]),
        ("heaviside(x + 7.7)", [-7.7], [1]),
        ("clip(x, -1.1, 0.7)", [-1.1, 0.7], [0, 0]),
        ("where(abs(x) > 0.5, x, 0)", [-0.5, 0.5], [0.5, 0.5]),
        ("1e-6*heaviside(x - 0.4) + x", [0.4], [1e-6]),
        ("clip(1e12*x, -1, 1)", [-1e-12, 1e-12], [0, 0]),
        ("clip(1e7*(x - 1/3), -1, 1)", [1 / 3 - 1e-7, 1 / 3 + 1e-7], [0, 0]),
        ("max(x - 1e-5, 0)", [1e-5], [0]),
        ("where(abs(x - 0.25) < 1e-7, 1, 0) + x", [0.25 - 1e-7, 0.25 + 1e-7], [1, -1]),
        ("tanh(1e6*x)", [], []),
    ],
)
def test_breaks_and_jumps(formula: str, breaks: list[float], jumps: list[float]) -> None:
    marks = [0.25] if "0.25" in formula else []
    found = resolve(parse(formula), landmarks=marks)
    assert found.breaks.size == len(breaks)
    np.testing.assert_allclose(found.breaks, breaks, rtol=1e-13, atol=1e-60)
    np.testing.assert_allclose(found.jumps, jumps, rtol=1e-9, atol=1e-13)
    assert np.all(np.isin(found.breaks, found.edges))
    assert (found.cusps.size, found.noise) == (0, 0.0)
    assert np.all(np.diff(found.edges) > 0.0)


@settings(max_examples=25)
@given(
    st.floats(-2.5, 2.5).filter(lambda b: abs(b) > 1e-3),
    st.floats(1.0, 100.0),
    st.sampled_from(["relu", "heaviside", "abs"]),
)
def test_a_break_anywhere_is_found(place: float, height: float, name: str) -> None:
    found = pieces(f"{height!r}*{name}(x - ({place!r})) + tanh(x)")
    np.testing.assert_allclose(found.breaks, [place], rtol=0.0, atol=1e-12)
    assert bool(found.jumps[0]) == (name == "heaviside")


@pytest.mark.parametrize(
    ("formula", "place"),
    [
        ("sqrt(abs(x))", 0.0),
        ("abs(x)^0.75", 0.0),
        ("sqrt(max(x, 0))", 0.0),
        ("log(abs(x))", 0.0),
        ("sqrt(abs(x - 0.3))", 0.3),
        ("log(abs(x - 1.2345))", 1.2345),
    ],
)
def test_cusps(formula: str, place: float) -> None:
    found = pieces(formula)
    np.testing.assert_allclose(found.cusps, [place], rtol=1e-12)
    np.testing.assert_array_equal(found.jumps, 0.0)
    if "max" in formula:
        return
    # Panels shrink by halves on both sides.
    at = int(np.searchsorted(found.edges, found.cusps[0]))
    for widths in (np.diff(found.edges[at + 3 : at + 12]), np.diff(found.edges[at - 12 : at - 3])):
        ratio = widths[1:] / widths[:-1]
        np.testing.assert_allclose(np.maximum(ratio, 1 / ratio), 2.0, rtol=1e-3)


@pytest.mark.parametrize("formula", ["abs(x)^1.5", "relu(x)^2", "x*abs(x)"])
def test_what_has_a_finite_slope_is_no_cusp(formula: str) -> None:
    assert pieces(formula).cusps.size == 0


@pytest.mark.parametrize("width", [1e-2, 1e-3, 3e-4])
def test_a_narrow_bump_of_a_callable_is_not_missed(width: float) -> None:
    def phi(z: np.ndarray) -> np.ndarray:
        return np.tanh(z) + np.exp(-0.5 * ((z - 1.2345) / width) ** 2)

    found = resolve(phi)
    near = found.edges[np.abs(found.edges - 1.2345) < 20.0 * width]
    assert np.diff(near).min() < 4.0 * width


@pytest.mark.parametrize("width", [1e-3, 1e-6, 1e-10])
def test_landmarks_show_a_bump_of_any_width(width: float) -> None:
    def phi(z: np.ndarray) -> np.ndarray:
        return z + np.exp(-0.5 * ((z - 1.2345) / width) ** 2)

    found = resolve(phi, landmarks=[1.2345])
    near = found.edges[np.abs(found.edges - 1.2345) < 20.0 * width]
    assert np.diff(near).min() < 4.0 * width


@pytest.mark.parametrize("height", [1e-3, 1e-6, 1e-9])
def test_panels_close_in_on_a_kink_too_weak_to_be_located(height: float) -> None:
    found = pieces(f"x + {height}*abs(x - 0.4321)")
    near = found.edges[np.searchsorted(found.edges, 0.4321) - 1 :][:2]
    # What is left of the kink inside one panel is within the tolerance.
    assert found.breaks.size == 1 or height * np.diff(near) < 1e-9


def test_breaks_where_the_weight_is_nothing_do_not_matter() -> None:
    assert pieces("clip(x, -20, 20)").breaks.size == 0


def test_noise_is_let_pass_and_told() -> None:
    found = pieces("(exp(x) - 1)/x")
    assert 0.0 < found.noise < 1e-6
    assert np.diff(found.edges).min() > 1e-9
    single = resolve(lambda z: np.tanh(z.astype(np.float32)).astype(np.float64))
    assert 1e-9 < single.noise < 1e-6


def test_a_removable_point_is_none() -> None:
    assert pieces("sin(x)/x").breaks.size == 0
    assert pieces("x/(x - 0)*tanh(x)").breaks.size == 0


def test_overflow_where_the_weight_has_won() -> None:
    # x^200 overflows at 37, where the weight has brought it down to 1e-50 of its largest.
    assert pieces("x^200").breaks.size == 0


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("log(x)", r"not finite everywhere: between about -\d+ and 0 it gives -?(inf|nan)"),
        ("sqrt(x)", r"not finite everywhere: between about -\d+ and -0.025 it gives nan"),
        ("sqrt(1 - x^2)", r"not finite everywhere: between about -4 and -1.025 it gives nan"),
        ("sqrt(abs(x) - 1e-3)", r"not finite near"),
        ("exp(x^2)", "not finite everywhere|not square-integrable"),
        ("exp(x^2/3.9)", "not square-integrable against the Gaussian, or nearly so"),
        ("sin(1/x)", "too rough to integrate: more than"),
        ("(1 - cos(x))/x^2", "too rough to integrate: more than"),
    ],
)
def test_what_is_refused(formula: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pieces(formula)


def test_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="zero everywhere"):
        resolve(np.zeros_like)


def test_panels_are_resolved_everywhere() -> None:
    phi = parse("x*tanh(3*x) + abs(x - 0.2)^3")
    found = resolve(phi)
    rng = np.random.default_rng(0)
    for left, right in zip(found.edges[:-1], found.edges[1:], strict=True):
        half = (right - left) / 2.0
        nodes = left + half * (1.0 + chebyshev_nodes(NODES))
        c = chebyshev_matrix(NODES) @ (phi(nodes) * np.exp(-(nodes**2) / 4.0))
        z = rng.uniform(left, right, 20)
        values = np.polynomial.chebyshev.chebval((z - left) / half - 1.0, c)
        np.testing.assert_allclose(values, phi(z) * np.exp(-z * z / 4.0), rtol=0.0, atol=1e-12)
    assert math.isclose(found.edges[-1], -found.edges[0])
