"""The benchmark of papers runs, on pages that words tell apart."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bench_papers
import pytest

from papers.saved import SUBJECTS, abstract_of, entry, page


def test_bench_papers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for subject in SUBJECTS:
        entries = [entry(f"On {subject} {i}", abstract_of(subject, i)) for i in range(14)]
        (tmp_path / f"{subject}.txt").write_bytes(page(entries))
    told = tmp_path / "told.json"
    arguments = ["bench", "--pages", str(tmp_path), "--draws", "3", "--json", str(told)]
    monkeypatch.setattr(sys, "argv", arguments)
    bench_papers.main()
    out = capsys.readouterr().out
    assert "42 papers, 3 draws, seed 0" in out
    assert out.count("linear SVM") >= 1
    assert [result["likes"] for result in json.loads(told.read_text())] == [3, 10]
    assert all(
        result["areas"]["deeplimit"]["mean"] > 0.9 for result in json.loads(told.read_text())
    )
