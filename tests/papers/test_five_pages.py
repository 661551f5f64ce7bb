"""The pages the project began from, beside what is known of their papers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeplimit.papers import Library, Triage, audit_of, read_file, vectors_of
from deeplimit.papers.contest import OWN, compete

pytestmark = pytest.mark.shared


@pytest.fixture
def library(shared_data: Path) -> Iterator[Library]:
    with Library(":memory:") as made:
        for path in sorted((shared_data / "pages").glob("*.txt")):
            made.add(read_file(path))
        yield made


@pytest.fixture
def known(shared_data: Path) -> dict[str, dict[str, Any]]:
    papers = json.loads((shared_data / "pages" / "papers.json").read_text("utf-8"))
    return {paper["title"]: paper for paper in papers}


def test_entries_and_papers(library: Library) -> None:
    assert [len(page.papers) for page in library.pages()] == [38, 32, 63, 58, 28]
    assert len(library.papers()) == 179


def test_what_is_shown_is_right(library: Library, known: dict[str, dict[str, Any]]) -> None:
    papers = library.papers()
    assert {paper.title for paper in papers} == set(known)
    for paper in papers:
        wanted = known[paper.title]
        assert (paper.n_authors, paper.date) == (wanted["n_authors"], wanted["date"])
        assert (paper.comments or 0) == wanted["n_comments"]
        assert paper.code == wanted["code_url"]
        assert paper.abstract is not None
        assert paper.disagreements == ()


def test_listings_one_by_one(shared_data: Path, known: dict[str, dict[str, Any]]) -> None:
    for path in sorted((shared_data / "pages").glob("*.txt")):
        for entry in read_file(path).listings:
            wanted = known[entry.title]
            assert entry.n_authors in (None, wanted["n_authors"])
            assert entry.date in (None, wanted["date"])
            assert entry.comments in (None, wanted["n_comments"])


def test_audit(library: Library) -> None:
    found = audit_of(library.pages(), library.papers())
    assert (found.entries, found.distinct) == (219, 179)
    (common,) = found.everywhere
    assert common.arxiv_id is None  # the pages do not tell it
    assert found.only_these == ((found.pages[0].name, found.pages[3].name),)
    assert found.on_pages == {1: 146, 2: 28, 3: 4, 5: 1}


def test_reading_again_changes_nothing(library: Library, shared_data: Path) -> None:
    before = library.digest()
    for path in sorted((shared_data / "pages").glob("*.txt"), reverse=True):
        assert library.add(read_file(path)).state == "known"
    assert library.digest() == before


def test_export_of_the_papers_joins_them(library: Library, shared_data: Path) -> None:
    assert library.add(read_file(shared_data / "pages" / "papers.json")).new == 0
    papers = library.papers()
    assert len(papers) == 179
    assert all(paper.arxiv_id and paper.authors for paper in papers)
    assert all(not paper.disagreements for paper in papers)


def test_ranking_is_as_good_as_others(library: Library) -> None:
    papers = library.papers()
    vectors = vectors_of(papers)
    for likes in (3, 10):
        contest = compete(papers, likes, draws=20, vectors=vectors)
        assert len(contest.topics) == 5
        assert contest.lead >= -0.01
        assert contest.areas[OWN].mean() > 0.6
        assert contest.calibration_error < 0.1


def test_reasons_add_up(library: Library) -> None:
    vectors = vectors_of(library.papers())
    triage = Triage(vectors)
    triage.rate_all({38: True, 100: True, 34: True, 12: False})
    for key in vectors.ids.tolist():
        verdict = triage.verdict(key)
        liked = sum(reason.share for reason in verdict.reasons if reason.kind == "liked")
        assert np.isclose(liked, verdict.probability, rtol=0.0, atol=1e-12)
        assert np.isclose(sum(r.share for r in verdict.reasons), 1.0, rtol=0.0, atol=1e-12)
