"""``demo`` and ``reproduce``: what they pass on, and their exit codes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


class _Outcome:
    def __init__(self, passed: bool) -> None:
        self.passed = passed

    def to_dict(self) -> dict[str, Any]:
        return {"passed": self.passed}

    def to_text(self, width: int) -> str:
        return f"in {width} columns"

    @property
    def outcomes(self) -> list[Any]:
        check = SimpleNamespace(sentence="Depth helps.")
        result = SimpleNamespace(figure="0.9 against 0.8", notes=["because"])
        verdict = "pass" if self.passed else "fail"
        return [SimpleNamespace(verdict=verdict, check=check, result=result)]

    summary = "A quick run."
    seconds = 3.2


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace both studies; the list gets what they were called with."""
    calls: list[dict[str, Any]] = []

    def demo(output: Path, *, progress: Any) -> _Outcome:
        calls.append({"output": output})
        return _Outcome(output.name != "fails")

    def reproduce(*, quick: bool, output: Path | None, progress: Any) -> _Outcome:
        calls.append({"quick": quick, "output": output})
        return _Outcome(quick)

    monkeypatch.setattr("deeplimit.demo.run", demo)
    monkeypatch.setattr("deeplimit.reproduce.run", reproduce, raising=False)
    return calls


def test_demo(command: Any, runs: list[dict[str, Any]]) -> None:
    answer = command("demo")
    assert (answer.code, answer.out) == (0, "in 80 columns\n")
    assert command("demo", "-o", "elsewhere", "--json").json == {"passed": True}
    assert runs == [{"output": Path("run")}, {"output": Path("elsewhere")}]


def test_reproduce(command: Any, runs: list[dict[str, Any]]) -> None:
    answer = command("reproduce", "--quick", "-o", "report")
    assert answer.code == 0
    assert answer.words.startswith("PASS: Depth helps. 0.9 against 0.8. A quick run.")
    assert "report" in answer.words.split(" is in ")[1]
    assert command("reproduce", "--quick", "--json").json == {"passed": True}
    assert runs == [
        {"quick": True, "output": Path("report")},
        {"quick": True, "output": None},
    ]


@pytest.mark.parametrize("arguments", [("demo", "-o", "fails"), ("reproduce",)])
def test_what_fails_has_code_1(
    arguments: tuple[str, ...],
    runs: list[dict[str, Any]],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from deeplimit.cli import main

    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert err == ""
    if arguments == ("reproduce",):
        assert "FAIL: Depth helps." in out
        assert "because" in out
