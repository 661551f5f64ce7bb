from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deeplimit.activations.catalog import names
from deeplimit.regimes import taxonomy
from deeplimit.reproduce import sweeps
from deeplimit.reproduce.settings import Settings


def test_quick_run_still_takes_thirty() -> None:
    assert set(sweeps.SLOW) <= set(names())
    assert len(names()) - len(sweeps.SLOW) + len(sweeps.MEMBERS) >= 30


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "names", lambda: ["gelu", "erf"] * 12)


@pytest.mark.usefixtures("few")
def test_agreement_passes() -> None:
    result = sweeps.check_taxonomy(Settings(quick=True))
    assert result.passed
    assert result.data["regimes"]["majority-vote"] == 13


@pytest.mark.usefixtures("few")
def test_a_wrong_verdict_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(name: Any) -> Any:
        right = taxonomy(name)
        return replace(right, regime="nearest-neighbour") if name == "erf" else right

    monkeypatch.setattr(sweeps, "taxonomy", wrong)
    result = sweeps.check_taxonomy(Settings(quick=True))
    assert result.passed is False
    assert set(result.data["disagree"]) == {"erf"}


def test_too_few_do_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "names", lambda: ["gelu"])
    assert sweeps.check_taxonomy(Settings(quick=True)).passed is False


def test_designs_pass() -> None:
    result = sweeps.check_designs(Settings(quick=True))
    assert result.passed
    assert result.data["activations"] >= 40
    assert result.data["largest_error"] <= 1e-9


def test_a_wrong_exponent_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(phi: Any) -> Any:
        found = taxonomy(phi)
        return replace(found, exponent=(found.exponent or 0.0) + 1e-6)

    monkeypatch.setattr(sweeps, "taxonomy", wrong)
    assert sweeps.check_designs(Settings(quick=True)).passed is False
