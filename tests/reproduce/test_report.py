from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeplimit.reproduce import Report, report, run
from deeplimit.reproduce.results import Chart, Check, Curve, Result, Table
from deeplimit.reproduce.settings import Settings

VOID = {"meta", "br", "circle", "path"}


def check(key: str, passed: bool | None, **fields: Any) -> Check:
    result = Result(passed=passed, figure=f"figure of {key} < 1", **fields)
    return Check(key, f"Sentence of {key}.", "this & that", "so", "seen", lambda _: result)


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = Chart("A chart", "n", "share", [Curve("a|b", [1, 10], [0.1, 0.9], [0.1, 0.1])])
    table = Table("A table", ("name", "value"), [("x|y", 0.123456), ("<b>", float("inf"))])
    data = {"array": np.array([1.0, np.nan]), "numbers": (1, 2.5), "inf": float("inf")}
    checks = (
        check("good", True, tables=[table], charts=[chart], data=data, notes=["A note."]),
        check("bad", False),
        check("absent", None),
    )
    monkeypatch.setattr(report, "CHECKS", checks)


class Balance(HTMLParser):
    """Collects elements, and fails where one is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.mark.usefixtures("three")
def test_verdicts() -> None:
    found = run()
    assert [o.verdict for o in found.outcomes] == ["pass", "fail", "not run"]
    assert not found.passed
    assert "of 3 checks 1 passed, 1 failed, 1 not run" in found.summary
    assert run(checks=["good"]).passed
    assert run(checks=["good", "absent"]).passed
    assert not run(checks=["absent"]).passed


@pytest.mark.usefixtures("three")
def test_unknown_check() -> None:
    with pytest.raises(ValueError, match="there are good, bad, absent"):
        run(checks=["nothing"])


@pytest.mark.usefixtures("three")
def test_progress_is_told() -> None:
    told: list[str] = []
    run(checks=["bad"], progress=told.append)
    assert told == ["bad: this & that", "bad: fail; figure of bad < 1"]


@pytest.mark.usefixtures("three")
def test_files(tmp_path: Path) -> None:
    found = run(output=tmp_path / "new")
    stored = json.loads((tmp_path / "new" / "reproduce.json").read_text(encoding="utf-8"))
    assert stored == found.to_dict()
    entry = stored["checks"][0]
    assert entry["data"] == {"array": [1.0, None], "numbers": [1, 2.5], "inf": None}
    assert stored["passed"] is False
    assert (tmp_path / "new" / "reproduce.md").read_text(encoding="utf-8") == found.to_markdown()
    assert (tmp_path / "new" / "reproduce.html").read_text(encoding="utf-8") == found.to_html()
    assert str(tmp_path) not in (tmp_path / "new" / "reproduce.json").read_text(encoding="utf-8")


@pytest.mark.usefixtures("three")
def test_markdown() -> None:
    text = run().to_markdown()
    assert "| x\\|y | 0.1235 |" in text
    assert "**Pass** (seen, " in text and "**Fail**" in text and "**Not run**" in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.count("|") - line.count("\\|") in (3, 5)


@pytest.mark.usefixtures("three")
def test_page_stands_alone() -> None:
    found: Report = run()
    text = found.to_html()
    parser = Balance()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    tags = {tag for tag, _ in parser.seen}
    assert not tags & {"script", "img", "link", "iframe", "object"}
    assert not re.search(r"https?:|url\(|@import", text)
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in parser.seen)
    assert "prefers-color-scheme:dark" in text
    assert "width=device-width" in text
    assert "figure of good &lt; 1" in text.lower()
    assert text.count("<svg") == 1


@pytest.mark.usefixtures("three")
def test_no_line_of_the_page_is_wider_than_a_phone() -> None:
    text = run().to_html()
    # Pictures scale with their column, tables scroll in a box of their own.
    assert "svg{width:100%" in text
    assert text.count('<div class="wide"><table>') == text.count("<table>")


def test_shared_values_are_made_once() -> None:
    calls: list[int] = []
    settings = Settings()
    for _ in range(2):
        assert settings.shared("key", lambda: calls.append(1) or "value") == "value"
    assert calls == [1]
    assert Settings(quick=True).pick(1, 2) == 1
    assert settings.pick(1, 2) == 2
