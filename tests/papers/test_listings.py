"""Cleaning, dates, addresses of code, and when two listings are of one paper."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.papers import Listing
from deeplimit.papers.listings import as_date, clean, code_address, same_paper, title_key


@given(st.text())
def test_clean_text_can_be_printed_anywhere(text: str) -> None:
    cleaned = clean(text)
    assert cleaned == clean(cleaned)
    assert cleaned == " ".join(cleaned.split())
    kinds = {unicodedata.category(c) for c in cleaned if c not in "\u200c\u200d"}
    assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn"}
    assert cleaned.encode().decode() == cleaned


def test_terminal_and_direction_are_safe() -> None:
    assert clean("a\x1b[31mred\x07\u202egnp.exe\u2066") == "a [31mred gnp.exe"


def test_text_of_a_hundred_megabytes_is_refused() -> None:
    with pytest.raises(ValueError, match="goes on for 300,000"):
        clean("x" * 300_000)


@given(st.dates())
def test_every_day_is_a_date(day: date) -> None:
    assert as_date(day.isoformat()) == day.isoformat()
    assert as_date(f"{day.isoformat()}T00:00:00Z") == day.isoformat()


@pytest.mark.parametrize(
    "text",
    ["2023-13-01", "2023-02-30", "2023-02-29", "--02-30", "0000-01-01", "June", "", "2023-6"],
)
def test_no_date(text: str) -> None:
    assert as_date(text) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Code is at https://github.com/a/b.", "https://github.com/a/b"),
        ("See (https://github.com/a/b).", "https://github.com/a/b"),
        ("At github.com/a/b there is more", "https://github.com/a/b"),
        ("https://github.com/a/b_(c) is code", "https://github.com/a/b_(c)"),
        ("https://github.com/a/b, and https://huggingface.co/a.", "https://github.com/a/b"),
        ("Page: https://a.github.io/b. No source yet.", None),
        ("Our code is available: https://example.org/x.", "https://example.org/x"),
        ("Results are at https://example.org. We code.", None),
        ("We decode notgithub.company/x", None),
    ],
)
def test_code_address(text: str, address: str | None) -> None:
    assert code_address(text) == address


def test_title_key_is_what_spellings_share() -> None:
    assert title_key("Wide—and Deep: Networks!") == title_key("WIDE and deep networks")
    assert title_key("ﬁne") == "fine"
    assert title_key("???") == "???"


def test_same_paper() -> None:
    words = "networks that are wide and deep are optimal for classification"
    one = Listing("On depth", words)
    assert same_paper(one, Listing("On Depth.", None))
    assert same_paper(one, Listing("On depth", words + " as we show here"))
    assert same_paper(one, Listing("On depth", words[:30]))
    assert not same_paper(one, Listing("On depth", "a recipe of onion soup with cheese"))
    assert not same_paper(one, Listing("On width", words))


def test_numbers_decide_before_titles() -> None:
    one = Listing("On depth", arxiv_id="2204.14126")
    assert same_paper(one, Listing("Another title", arxiv_id="2204.14126"))
    assert not same_paper(one, Listing("On depth", arxiv_id="2204.14127"))
    assert same_paper(one, Listing("On depth", doi="10.1/x"))
    assert same_paper(Listing("A", doi="10.1/X"), Listing("B", doi="10.1/x"))


@pytest.mark.parametrize("settings", [{"title": ""}, {"title": "a" * 1001}])
def test_listing_that_is_none(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="title"):
        Listing(**settings)
