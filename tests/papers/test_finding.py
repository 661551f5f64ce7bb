"""Vectors on the sphere, and what is found by them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from deeplimit.papers import Library, Vectors, parse, vectors_of
from deeplimit.papers.contest import OTHERS, OWN, compete
from deeplimit.papers.finding import search, similar
from papers.saved import SUBJECTS, shelf


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    with shelf() as library:
        return vectors_of(library.papers())


def test_gaps_are_half_the_squared_distance(vectors: Vectors) -> None:
    rows = vectors.words.toarray()
    wanted = 0.5 * np.sum((rows[:, None] - rows[None, :]) ** 2, axis=2)
    assert np.allclose(vectors.gaps(range(len(vectors))), wanted, atol=1e-12)
    assert np.allclose(np.linalg.norm(vectors.meanings, axis=1), 1.0)


def test_near_papers_keep_the_digits_of_their_gap() -> None:
    words = " ".join(f"word{i}" for i in range(3000))
    entries = [{"title": "a", "abstract": words}, {"title": "b", "abstract": words + " zebra"}]
    entries += [{"title": f"c{i}", "abstract": "something else"} for i in range(3)]
    with Library(":memory:") as library:
        library.add(parse(json.dumps(entries).encode(), "x"))
        papers = library.papers()
        vectors = vectors_of(papers)
    found = vectors.gaps([0])[1, 0]
    rows = (
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, stop_words="english")
        .fit_transform([paper.text for paper in papers])
        .toarray()
        .astype(np.longdouble)
    )
    rows /= np.sqrt((rows**2).sum(axis=1, keepdims=True))
    wanted = float(0.5 * ((rows[0] - rows[1]) ** 2).sum())
    assert 0.0 < wanted < 1e-3
    assert found == pytest.approx(wanted, rel=1e-9)


def test_the_same_papers_have_the_same_vectors() -> None:
    with shelf() as library:
        one, other = vectors_of(library.papers()), vectors_of(library.papers())
    assert np.array_equal(one.meanings, other.meanings)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_search_by_words(vectors: Vectors, subject: str) -> None:
    with shelf() as library:
        titles = {paper.id: paper.title for paper in library.papers()}
    word = SUBJECTS[subject].split()[3]
    found = search(vectors, f"the {word.upper()}", count=3)
    assert all(subject in titles[entry.paper] for entry in found)
    assert [f.closeness for f in found] == sorted((f.closeness for f in found), reverse=True)


def test_search_by_meaning_finds_what_lacks_the_word() -> None:
    entries = [
        '{"title": "boat sail wind"}', '{"title": "boat harbour"}', '{"title": "ship sail wind"}',
        '{"title": "ship harbour wind"}', '{"title": "yeast oven"}', '{"title": "oven bread"}',
    ]  # fmt: skip
    with Library(":memory:") as library:
        library.add(parse("\n".join(entries).encode(), "x"))
        vectors = vectors_of(library.papers())
    found = [entry.paper for entry in search(vectors, "ship")]
    assert set(found[:2]) == {3, 4}
    assert {1, 2} & set(found)


def test_questions_without_an_answer(vectors: Vectors) -> None:
    assert search(vectors, "zzz") == []
    assert vectors.known_words("onions and zzz") == (["onions"], ["zzz"])
    for text in ("", "the of", "?!"):
        with pytest.raises(ValueError, match="no word"):
            search(vectors, text)


def test_similar_to_several_is_near_to_one_of_them(vectors: Vectors) -> None:
    with shelf() as library:
        pages = {paper.id: paper.pages for paper in library.papers()}
    found = similar(vectors, [1, 10], count=8)
    assert {pages[entry.paper][0] for entry in found[:6]} == {"soup", "tides"}
    assert not {1, 10} & {entry.paper for entry in found}
    both = vectors.both_gaps(vectors.words[[0]], vectors.meanings[0])
    (alone,) = similar(vectors, [1], count=1)
    assert alone.closeness == pytest.approx(1.0 - np.min(both[1:]))
    for ids, match in (([999], "no paper"), ([], "at least one")):
        with pytest.raises(ValueError, match=match):
            similar(vectors, ids)


def test_no_papers() -> None:
    with pytest.raises(ValueError, match="no papers yet"):
        vectors_of([])


def test_contest_on_subjects_that_words_tell_apart() -> None:
    with shelf(12) as library:
        contest = compete(library.papers(), 3, draws=6)
    assert contest.topics == tuple(SUBJECTS)
    assert set(OTHERS) < set(contest.areas)
    assert contest.areas[OWN].mean() > 0.9
    assert contest.areas["majority"].tolist() == [0.5] * 6
    told = contest.to_dict()
    assert told["lead"] == pytest.approx(
        told["areas"][OWN]["mean"] - max(told["areas"][name]["mean"] for name in OTHERS)
    )
    assert contest.log_losses[0] < contest.log_losses[1]


def test_contest_needs_pages() -> None:
    with shelf(3) as library, pytest.raises(ValueError, match="read more pages"):
        compete(library.papers(), 3)
    with shelf(3) as library, pytest.raises(ValueError, match="at least 1 like"):
        compete(library.papers(), 0)
