from __future__ import annotations

import pytest

from deeplimit.reproduce import growth
from deeplimit.reproduce.problems import PROBLEMS
from deeplimit.reproduce.settings import Settings


def test_excess_risk_falls() -> None:
    result = growth.check_growth(Settings(quick=True))
    assert result.passed, result.figure
    assert len(result.data["problems"]) == 4
    assert result.data["fall"]["mean"] > 0


def test_a_mismatched_network_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    # Exponent 1 in dimension 8: more examples bring it no nearer to Bayes than 1-NN is.
    monkeypatch.setattr(growth, "OPTIMAL", {"R⁹": "2d_opt"})
    monkeypatch.setattr(growth, "PROBLEMS", {"R⁹": PROBLEMS["R⁹"]})
    assert growth.check_growth(Settings(quick=True)).passed is False
