from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from deeplimit.reproduce import width
from deeplimit.reproduce.report import run
from deeplimit.reproduce.settings import Settings


def test_distance_falls_like_the_root_of_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(width, "NETWORKS", (("erf", 1),))
    result = width.check_finite_width(Settings(quick=True))
    assert result.passed, result.figure
    (network,) = result.data["networks"]
    assert network["converged"]
    assert network["widths"][0]["deviation"] > 2 * network["widths"][-1]["deviation"]


def test_without_torch_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def absent(name: str, *rest: Any) -> Any:
        return None if name == "torch" else find(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", absent)
    report = run(quick=True, checks=["finite-width"])
    (outcome,) = report.outcomes
    assert outcome.verdict == "not run"
    assert "deeplimit[torch]" in outcome.result.figure
    # Neither passed nor failed: nothing has been shown.
    assert not report.passed
    assert "1 not run" in report.summary
    assert "not run" in report.to_html()
    assert "Not run" in report.to_markdown()
