from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from deeplimit.reproduce.abstract import abstract_page
from deeplimit.reproduce.checks import CHECKS, SENTENCES

KEYS = {check.key for check in CHECKS}


def test_page_is_in_step(root: Path) -> None:
    results = json.loads((root / "benchmarks/results/reproduce.json").read_text(encoding="utf-8"))
    assert {entry["key"] for entry in results["checks"]} == KEYS
    for check, entry in zip(CHECKS, results["checks"], strict=True):
        assert (entry["sentence"], entry["criterion"]) == (check.sentence, check.criterion)
    page = (root / "docs/abstract.md").read_text(encoding="utf-8")
    assert page == abstract_page(results)


def test_figures_are_of_a_full_run_and_name_no_path(root: Path) -> None:
    text = (root / "benchmarks/results/reproduce.json").read_text(encoding="utf-8")
    results = json.loads(text)
    assert results["quick"] is False
    assert all(folder not in text for folder in ("/home", "/work", "/tmp", "/root", "C:\\"))


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda s: s.checks[0])
def test_sentences_point_at_what_exists(sentence: object, root: Path) -> None:
    for module in sentence.modules:  # type: ignore[attr-defined]
        importlib.import_module(f"deeplimit.{module}")
    for test in sentence.tests:  # type: ignore[attr-defined]
        assert (root / "tests" / test).exists(), test
    assert set(sentence.checks) <= KEYS  # type: ignore[attr-defined]


def test_every_check_stands_for_a_sentence(root: Path) -> None:
    assert {key for s in SENTENCES for key in s.checks} == KEYS
    for check in CHECKS:
        module = check.function.__module__.rpartition(".")[2]
        assert (root / "tests/reproduce" / f"test_{module}.py").exists()
