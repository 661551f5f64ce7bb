from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deeplimit.reproduce import noise
from deeplimit.reproduce.settings import Settings


@pytest.fixture
def one_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "SETTINGS", noise.SETTINGS[-1:])


@pytest.mark.usefixtures("one_setting")
def test_unequal_priors_and_noise_pass() -> None:
    result = noise.check_noise(Settings(quick=True))
    assert result.passed, result.notes
    assert result.data["public_same"] == result.data["public_asked"] == 1000
    for entry in result.data["settings"]:
        excess = entry["excess_risk"]
        assert excess["matched"]["mean"] < excess["1-NN"]["mean"] / 2


@pytest.mark.usefixtures("one_setting")
def test_a_rule_no_better_than_majority_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def dull(*args: Any) -> dict[str, Any]:
        rules = noise_decisions(*args)
        for name in ("3d_opt", "5d_opt"):
            if name in rules:
                rules[name] = rules["majority"]
        return rules

    noise_decisions = noise.decisions
    monkeypatch.setattr(noise, "decisions", dull)
    result = noise.check_noise(Settings(quick=True))
    assert result.passed is False
    assert result.notes[0].startswith("Not beaten: ")
    assert np.all(
        [e["accuracy"]["matched"] == e["accuracy"]["majority"] for e in result.data["settings"]]
    )
