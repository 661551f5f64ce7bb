"""One report, three ways to show it."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from pathlib import Path

import pytest

from deeplimit.documents import (
    Code,
    Document,
    Heading,
    Paragraph,
    Picture,
    Table,
    align,
    fold,
)

PIXEL = b"\x89PNG\r\n\x1a\nnot really"
TEXT = "The weight |x|*|z| of a_1 < b & <script>alert(1)</script> stays as it is."
DOCUMENT = Document(
    "Results",
    (
        Heading("A section"),
        Paragraph(TEXT),
        Table(("name | kind", "value"), (("α*", "1.5"), ("b", "10"))),
        Picture("dot.png", "A dot"),
        Code("deeplimit demo > out"),
    ),
)


class _Reader(HTMLParser):
    """Collect the tags, the text and the sources of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dot.png").write_bytes(PIXEL)
    return tmp_path


def test_the_page_is_well_formed_and_needs_nothing_else(folder: Path) -> None:
    reader = _Reader()
    reader.feed(DOCUMENT.to_html(folder))
    assert reader.open == []
    assert TEXT in reader.words
    assert "script" not in reader.tags
    (source,) = reader.sources
    head, _, data = source.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == PIXEL


def test_markdown_keeps_formulas_from_being_markup() -> None:
    lines = DOCUMENT.to_markdown().splitlines()
    assert r"\|x\|\*\|z\| of a\_1 \<" in lines[4]
    assert lines[6:9] == [r"| name \| kind | value |", "| --- | ---: |", r"| α\* | 1.5 |"]
    assert "![A dot](dot.png)" in lines
    assert "deeplimit demo > out" in lines


def test_the_terminal_gets_folded_lines() -> None:
    text = DOCUMENT.to_text(40)
    assert max(map(len, text.splitlines())) <= 40
    assert TEXT in " ".join(text.split())
    assert "dot.png" not in text
    assert "  deeplimit demo > out" in text.splitlines()


def test_both_files_are_written(folder: Path) -> None:
    written = DOCUMENT.write(folder, "results")
    assert [path.name for path in written] == ["results.md", "results.html"]
    assert written[0].read_text(encoding="utf-8") == DOCUMENT.to_markdown()


def test_a_picture_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"dot\.png"):
        DOCUMENT.to_html(tmp_path)


def test_fold_keeps_long_words_whole() -> None:
    assert fold("a " + "b" * 50, 20, "  ", "    ").splitlines() == ["  a", "    " + "b" * 50]


def test_align() -> None:
    lines = align(("n", "value"), (("a", "1"), ("long", "10")), indent=0).splitlines()
    assert lines == ["n     value", "a         1", "long     10"]
