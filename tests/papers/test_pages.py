"""The text of a saved page: entries, facts, years, and what is no such page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.papers import parse
from deeplimit.papers.pages import parse_page
from papers.saved import HEAD, entry, listings, page

LONG = "word " * 300


def test_entries_with_all_facts_and_with_none() -> None:
    found = listings(
        page(
            [
                entry("First", "About this.", ["4 authors", "Jun 15, 2023"]),
                entry("Second", "About that.", ["1 authors", "Nov 3, 2018 12"]),
                entry("Third", "About nothing."),
            ]
        )
    )
    assert [e.title for e in found] == ["First", "Second", "Third"]
    assert [e.n_authors for e in found] == [4, 1, None]
    assert [e.date for e in found] == ["2023-06-15", "2018-11-03", None]
    assert [e.comments for e in found] == [None, 12, None]
    assert [e.abstract for e in found] == ["About this.", "About that.", "About nothing."]
    assert [e.year_from for e in found] == ["page", "page", None]


def test_page_without_facts_is_titles_and_abstracts_in_turn() -> None:
    found = listings(page([entry(f"Title {i}", f"Abstract {i}. {LONG}") for i in range(5)]))
    assert [e.title for e in found] == [f"Title {i}" for i in range(5)]
    assert all(e.n_authors is None and e.date is None and e.comments is None for e in found)


def test_year_is_the_one_after_the_latest_written() -> None:
    entries = [
        entry("Old", "a b c", ["2 authors", "Jun 15, 2024"]),
        entry("New", "a b c", ["2 authors", "Mar 9 3"]),
    ]
    read = parse(page(entries, "Oct 30"), "test")
    assert (read.year, read.year_from, read.shown_date) == (2025, "inferred", "--10-30")
    new = read.listings[1]
    assert (new.date, new.year_from, new.comments) == ("2025-03-09", "inferred", 3)


@pytest.mark.parametrize(
    ("head", "written"),
    [("Jan 8", "Jun 15, 2024"), ("Oct 30", None)],
    ids=["a date after the page's own", "no year on the page"],
)
def test_year_that_the_page_does_not_tell_stays_missing(head: str, written: str | None) -> None:
    facts = ["2 authors", written] if written else ["2 authors"]
    entries = [entry("Old", "x", facts), entry("New", "y", ["2 authors", "Mar 9"])]
    read = parse(page(entries, head), "test")
    assert read.year is None
    assert read.listings[1].date == "--03-09"
    assert "--year" in read.notes[0]
    given = parse(page(entries, head), "test", year=2019).listings[1]
    assert (given.date, given.year_from) == ("2019-03-09", "given")


def test_given_year_leaves_written_years_alone() -> None:
    entries = [entry("Old", "x", ["2 authors", "Jun 15, 2024"]), entry("New", "y", ["Mar 9"])]
    assert [e.date for e in listings(page(entries), year=2030)] == ["2024-06-15", "2030-03-09"]


def test_day_that_the_year_does_not_have_keeps_no_year() -> None:
    found = listings(page([entry("Leap", "x", ["1 author", "Feb 29"])]), year=2023)
    assert found[0].date == "--02-29"


def test_several_paragraphs_are_one_abstract() -> None:
    text = page([f"Title\n\nFirst part.\n\n{LONG}\n\n  • 2 authors\n·\nJun 1, 2023"])
    (only,) = listings(text)
    assert only.abstract is not None
    assert only.abstract.startswith("First part. word")
    assert only.n_authors == 2


def test_title_without_abstract() -> None:
    found = listings(page([entry("Alone", None, ["3 authors", "Jun 1, 2023"]), entry("Next", "x")]))
    assert [(e.title, e.abstract) for e in found] == [("Alone", None), ("Next", "x")]


def test_truncated_page_says_so() -> None:
    whole = page([entry("First", "About this.", ["4 authors"]), entry("Second title", "x")])
    cut = whole[: whole.index(b"Second title") + 6]
    read = parse(cut, "test")
    assert [e.title for e in read.listings] == ["First", "Second"]
    assert "middle of an entry" in read.notes[0]


def test_unknown_facts_are_left_out() -> None:
    text = page(["Title\n\nAbstract.\n\n  • 4 authors\n·\n• 7 stars\n·\nJun 1, 2023 2"])
    (only,) = listings(text)
    assert (only.abstract, only.n_authors, only.comments) == ("Abstract.", 4, 2)


def test_facts_without_a_title_are_told() -> None:
    read = parse(page(["  • 4 authors", entry("First", "x")]), "test")
    assert [e.title for e in read.listings] == ["First"]
    assert "without a title" in read.notes[0]


def test_lines_of_other_systems_and_blanks() -> None:
    text = page([entry("First", "x", ["2 authors", "Jun 1, 2023"])])
    for changed in (text.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + text, text + b"\n\n \t\n"):
        assert listings(changed) == listings(text)
    assert listings(text.decode().encode("utf-16")) == listings(text)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Once upon a time", "none of"),
        (HEAD, "no entry"),
        ("\n".join(f"line {i}" for i in range(60)) + "\n" + HEAD + "A\n\nb", "none of"),
        (HEAD + "Apr 17\n\n" + "word " * 200, "too long for a title"),
    ],
    ids=["a story", "an empty page", "a head too far down", "a lost line"],
)
def test_what_is_no_page(text: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        parse(text.encode(), "test")


@given(st.lists(st.text(max_size=40), max_size=30))
def test_any_lines_below_a_head_are_read_or_refused(lines: list[str]) -> None:
    try:
        saved = parse_page(HEAD + "\n".join(lines))
    except ValueError:
        return
    assert saved.listings
    assert all(e.title and e.title == e.title.strip() for e in saved.listings)
