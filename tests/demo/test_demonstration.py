"""The report of the demonstration and its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deeplimit.demo import Demonstration, run
from deeplimit.demo import demonstration as module


def test_everything_is_written(demonstration: Demonstration, folder: Path) -> None:
    names = {path.name for path in demonstration.files}
    assert names == {"report.md", "report.html", "contest.png", "portrait.png"}
    assert {path.name for path in folder.iterdir()} == names
    for path in folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert html.count("data:image/png;base64,") == 2
    assert "<script" not in html


def test_the_terminal_gets_every_figure(demonstration: Demonstration) -> None:
    text = demonstration.to_text()
    report = demonstration.document.to_text()
    assert max(map(len, report.splitlines())) <= 80
    for contest in demonstration.contests:
        for score in contest.scores:
            (line,) = (
                row
                for row in text.splitlines()
                if row.strip().startswith(score.name + "  ") and f"{score.accuracy:.4f}" in row
                and f"{score.log_loss:.4f}" in row
            )  # fmt: skip
            assert f"{score.standard_error:.4f}" in line
    for decision in demonstration.decisions:
        assert f"row {decision.examples[0]}" in text
    assert "report.html" in text


def test_json(demonstration: Demonstration) -> None:
    told = json.loads(json.dumps(demonstration.to_dict()))
    assert [contest["data"] for contest in told["contests"]] == ["iris", "wine"]
    assert told["matched"]["regime"] == "singular-kernel"
    assert [decision["kind"] for decision in told["decisions"]] == ["sure", "close", "wrong"]


def test_the_network_matches_the_data(demonstration: Demonstration) -> None:
    matched = demonstration.matched
    assert matched.dimension is not None
    assert matched.evidence.agrees_with(matched)
    assert matched.activation.formula in demonstration.to_text().replace("\n", " ")


def test_progress_is_told(demonstration: Demonstration, told: list[str]) -> None:
    assert "wine: random forest" in told


def test_a_wrong_share_would_be_told(
    demonstration: Demonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert demonstration.passed
    monkeypatch.setattr(module, "REMOVAL_TOLERANCE", -1.0)
    assert not demonstration.passed


def test_without_matplotlib_there_are_no_pictures(
    tmp_path: Path, demonstration: Demonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "available", lambda name: False)
    monkeypatch.setattr(module, "compete", lambda data, tell: demonstration.contests[0])
    made = run(tmp_path, data_sets=["iris"])
    assert {path.name for path in made.files} == {"report.md", "report.html"}


@pytest.mark.parametrize(("names", "told"), [([], "at least one"), (["irises"], "'irises'")])
def test_unknown_data(names: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        run(data_sets=names)


def test_digits_get_a_picture_of_their_reasons(tmp_path: Path) -> None:
    from deeplimit.demo.data import load
    from deeplimit.demo.pictures import draw_reasons
    from deeplimit.demo.reasons import decisions

    digits: Any = load("digits")
    picture = draw_reasons(digits, decisions(digits), tmp_path)
    assert (tmp_path / picture.name).stat().st_size > 5000
