"""The ranking is that of the limit classifier, reasons are exact, and clicks leave no trace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimit.estimators import DeepLimitClassifier
from deeplimit.papers import Library, Triage, Vectors, parse, vectors_of
from deeplimit.papers.triage import EXPONENTS
from papers.saved import SUBJECTS, abstract_of, entry, page, shelf


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    with shelf() as library:
        return vectors_of(library.papers())


def on(subject: str, each: int = 8) -> list[int]:
    """Give the ids of a subject's papers on the shelf."""
    with shelf(each) as library:
        return [p.id for p in library.papers() if p.pages == (subject,)]


def test_what_was_liked_comes_first(vectors: Vectors) -> None:
    triage = Triage(vectors)
    soup, tides = on("soup"), on("tides")
    triage.rate_all({soup[0]: True, soup[3]: True, tides[0]: False})
    ranking = triage.ranking()
    assert set(ranking[:4]) < set(soup)
    assert ranking[-1] in tides
    assert not set(triage.ratings) & set(ranking)
    assert len(ranking) == len(vectors) - 3


@pytest.mark.parametrize("likes", [2, 5])
def test_probabilities_are_those_of_the_limit_classifier(vectors: Vectors, likes: int) -> None:
    triage = Triage(vectors)
    rated = {key: True for key in on("soup")[:likes]} | {key: False for key in on("tides")[:3]}
    triage.rate_all(rated)
    rows, beta = vectors.words.toarray(), len(rated)
    places = vectors.places(list(rated))
    for q in (place for place in range(len(vectors)) if place not in places):
        others = [place for place in range(len(vectors)) if place != q]
        classifier = DeepLimitClassifier(
            exponent=triage.exponent,
            projection="euclidean",
            priors=[1.0 - triage.expected, triage.expected],
        ).fit(
            np.vstack([rows[places], rows[others]]),
            [int(liked) for liked in rated.values()] + [0] * len(others),
            sample_weight=[1.0] * beta + [beta / len(others)] * len(others),
        )
        # The rated papers are among the others, but the query is not: no pair coincides.
        wanted = classifier.predict_proba(rows[[q]])[0, 1]
        assert triage.probabilities()[q] == pytest.approx(wanted, rel=1e-9)


def test_reasons_add_up_to_the_score(vectors: Vectors) -> None:
    triage = Triage(vectors)
    triage.rate_all(
        {key: True for key in on("soup")[:4]} | {key: False for key in on("clocks")[:2]}
    )
    for place, key in enumerate(vectors.ids.tolist()):
        verdict = triage.verdict(key)
        shares = {reason.paper: reason.share for reason in verdict.reasons}
        liked = sum(reason.share for reason in verdict.reasons if reason.kind == "liked")
        assert sum(shares.values()) == pytest.approx(1.0, abs=1e-12)
        assert liked == pytest.approx(verdict.probability, abs=1e-12)
        assert verdict.probability == triage.probabilities()[place]
        assert key not in shares
        assert all(share >= 0.0 for share in shares.values())


def test_a_reason_taken_away_changes_the_score_as_its_share_says(vectors: Vectors) -> None:
    soup, clock = on("soup"), on("clocks")[0]
    triage = Triage(vectors)
    triage.rate_all({soup[0]: True, soup[1]: True, clock: False})
    verdict = triage.verdict(soup[5])
    share = next(r.share for r in verdict.reasons if r.paper == soup[1])
    rest = [r.share for r in verdict.reasons if r.kind != "liked"]
    triage.rate(soup[1], None)
    # The other like now stands for both, and the prior and the background follow the count.
    n, beta = 3, 2
    old, new = (2 + 20) / (n + 100), (1 + 20) / (beta + 100)
    for_it = (verdict.probability - share) * 2 * new / old
    dismissed = next(r.share for r in verdict.reasons if r.kind == "dismissed")
    general = next(r.share for r in verdict.reasons if r.kind == "papers in general")
    assert sum(rest) == pytest.approx(dismissed + general)
    scale = (1 - new) / (1 - old) * (1 + n) / (1 + beta)
    against = scale * (dismissed + general * beta / n)
    assert triage.verdict(soup[5]).probability == pytest.approx(for_it / (for_it + against))


@settings(max_examples=30)
@given(
    clicks=st.lists(
        st.tuples(st.integers(1, 25), st.sampled_from([True, False, None])), max_size=12
    )
)
def test_a_history_of_clicks_ends_in_the_state_of_its_ratings(
    vectors: Vectors, clicks: list[tuple[int, bool | None]]
) -> None:
    triage = Triage(vectors)
    for key, liked in clicks:
        triage.rate(key, liked)
        triage.ranking()
    fresh = Triage(vectors)
    fresh.rate_all(triage.ratings)
    assert np.array_equal(triage.probabilities(), fresh.probabilities())
    turned = Triage(vectors)
    turned.rate_all(dict(reversed(triage.ratings.items())))
    assert np.allclose(triage.probabilities(), turned.probabilities(), rtol=1e-12)


def test_no_ratings_say_nothing(vectors: Vectors) -> None:
    triage = Triage(vectors, rate=0.3)
    assert np.allclose(triage.probabilities(), 0.3)
    assert triage.ranking() == vectors.ids.tolist()


def test_dismissals_alone_push_down(vectors: Vectors) -> None:
    triage = Triage(vectors)
    tides = on("tides")
    triage.rate(tides[0], False)
    scores = dict(zip(vectors.ids.tolist(), triage.probabilities(), strict=True))
    others = on("soup") + on("clocks")
    assert np.mean([scores[key] for key in tides[1:]]) < min(scores[key] for key in others)
    verdict = triage.verdict(tides[1])
    prior = sum(reason.share for reason in verdict.reasons if reason.kind == "prior")
    assert prior == pytest.approx(verdict.probability)


def test_a_copy_of_what_was_liked_is_certain() -> None:
    entries = [entry(f"On {s} {i}", abstract_of(s, i)) for s in SUBJECTS for i in range(3)]
    twins = [entry("Twin", "The very same words."), entry("twin", "The very same words")]
    with Library(":memory:") as library:
        library.add(parse(page([*entries, twins[0]]), "a"))
        other = b'{"title": "Twin", "abstract": "The very same words.", "arxiv_id": "2204.14126"}'
        library.add(parse(other.replace(b'"Twin"', b'"Twin!"'), "b"))
        papers = library.papers()
        # One paper on two pages; a copy under another number is another.
        assert papers[-1].pages == ("a", "b")
        library.add(parse(other.replace(b"14126", b"14127"), "c"))
        papers = library.papers()
    first, copy = papers[-2].id, papers[-1].id
    triage = Triage(vectors_of(papers))
    triage.rate_all({first: True, 1: False})
    assert triage.verdict(copy).probability == 1.0
    triage.rate(first, False)
    triage.rate(1, True)
    assert triage.verdict(copy).probability == 0.0
    assert np.isfinite(triage.probabilities()).all()


def test_papers_without_words() -> None:
    with Library(":memory:") as library:
        library.add(parse(b'[{"title": "???"}, {"title": "!"}, {"title": "the"}]', "a"))
        vectors = vectors_of(library.papers())
    triage = Triage(vectors)
    triage.rate(1, True)
    assert triage.ranking() == [2, 3]
    assert triage.probabilities()[1] == pytest.approx(triage.expected)


def test_one_paper() -> None:
    with Library(":memory:") as library:
        library.add(parse(b'{"title": "onion soup"}', "a"))
        vectors = vectors_of(library.papers())
    triage = Triage(vectors)
    triage.rate(1, True)
    assert triage.ranking() == []
    assert np.isfinite(triage.probabilities()).all()


def test_exponent_is_chosen_once_three_are_liked(vectors: Vectors) -> None:
    triage = Triage(vectors)
    triage.rate_all({key: True for key in on("soup")[:2]})
    assert triage.exponent == 16.0
    triage.rate(on("soup")[2], True)
    losses = [triage._loss(triage._make(exponent)) for exponent in EXPONENTS]
    assert triage.exponent == EXPONENTS[int(np.argmin(losses))]
    # Subjects that do not overlap are told apart by a sharper kernel.
    assert triage.exponent == EXPONENTS[-1]


def test_unknown_paper_and_rate(vectors: Vectors) -> None:
    with pytest.raises(ValueError, match="no paper 999"):
        Triage(vectors).rate(999, True)
    with pytest.raises(ValueError, match="between 0 and 1"):
        Triage(vectors, rate=1.0)


def test_a_sample_stands_for_a_large_library(monkeypatch: pytest.MonkeyPatch) -> None:
    with shelf(40) as library:
        vectors = vectors_of(library.papers())
    whole, part = Triage(vectors), Triage(vectors)
    whole.rate_all({key: True for key in on("soup", 40)[:2]})
    exact = whole.probabilities()
    monkeypatch.setattr("deeplimit.papers.triage._MOST_BACKGROUND", 60)
    part.rate_all(whole.ratings)
    assert not np.array_equal(exact, part.probabilities())
    assert np.corrcoef(exact, part.probabilities())[0, 1] > 0.95
