from __future__ import annotations

import pytest

from deeplimit import LimitKernel
from deeplimit.reproduce import approach
from deeplimit.reproduce.settings import Settings


def test_deep_enough_networks_decide_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approach, "STATED", (("5d_opt", "R⁵", 20),))
    result = approach.check_finite_depth(Settings(quick=True))
    assert result.passed, result.data
    (network,) = result.data["networks"]
    assert network["nngp"][0] < 1.0 == network["nngp"][-1]
    # The NTK is not there yet.
    assert network["ntk"][-1] < 1.0


def test_a_shallow_network_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approach, "STATED", (("3d_opt", "R³", 10),))
    assert approach.check_finite_depth(Settings(quick=True)).passed is False


def test_a_thousand_decisions_with_many_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approach, "TRAIN", 800)
    assert approach._at_size("9d_opt", "R⁹", 10, Settings(quick=True)) == 1.0
    assert approach._at_size("9d_opt", "R⁹", 5, Settings(quick=True)) < 1.0


@pytest.mark.parametrize(
    ("name", "factor"),
    # Next degrees 7, 3, 2: the slope at 0 to the powers 6, 2, 1.
    [("2d_opt", 0.5**6), ("3d_opt", 0.25), ("5d_opt", 0.25), ("9d_opt", 0.0625)],
)
def test_rates(name: str, factor: float) -> None:
    kernel = LimitKernel(name)
    assert approach._expected_factor(kernel) == pytest.approx(factor)
    fall, power = approach._rates(kernel)
    assert fall == pytest.approx(factor, rel=0.02)
    assert power == pytest.approx(-1.0, abs=0.05)
