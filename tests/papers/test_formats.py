"""JSON, BibTeX, Atom, and the door through which files come in."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.papers import Listing, parse, read_file
from deeplimit.papers.bibtex import plain
from deeplimit.papers.listings import arxiv_number, web_address
from deeplimit.papers.reading import MOST_BYTES
from papers.saved import entry, page

ATOM = """\
<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">
<title>an answer</title>
<entry><id>http://arxiv.org/abs/2204.14126v2</id><title>On
  depth</title><summary>Networks &amp; limits. Code: https://github.com/a/b</summary>
<author><name>A. One</name></author><author><name>B. Two</name></author>
<published>2022-04-29T17:00:00Z</published><updated>2023-01-01T00:00:00Z</updated>
<link href="http://arxiv.org/abs/2204.14126v2" rel="alternate" type="text/html"/>
<link href="http://arxiv.org/pdf/2204.14126v2" rel="related" type="application/pdf"/>
<arxiv:doi>10.1000/x</arxiv:doi></entry>
</feed>
"""
BIBTEX = r"""
% a comment
@string{venue = "Journal of " # {Soup}}
@comment{nothing {in} here}
@article{one, title = {{On} Depth: G{\"o}del's \& others' $\alpha_{1}$}, journal = venue,
  author = "G{\"o}del, Kurt and {\L}ukasiewicz, Jan", year = 2022, month = apr, day = 29,
  eprint = {2204.14126}, doi = {10.1000/x}, url = {https://example.org/x}}
@misc(two, title="A " # "B", author={One, A. and others}, year={1999})
"""


def listings(data: bytes | str) -> tuple[Listing, ...]:
    return parse(data.encode() if isinstance(data, str) else data, "test").listings


def refused(data: bytes | str) -> str:
    with pytest.raises(ValueError) as caught:
        listings(data)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_json_lines_and_array_say_the_same() -> None:
    entries = [
        {
            "title": " On\tdepth ", "abstract": "Limits.", "authors": ["A", {"name": "B"}],
            "date": "2022-04-29T01:02:03Z", "n_comments": 3, "code_url": "https://github.com/a/b",
            "arxiv_id": "arXiv:2204.14126v3", "doi": "10.1/x", "url": "https://example.org",
        },
        {"title": "Bare"},
    ]  # fmt: skip
    lines = "\n\n".join(map(json.dumps, entries))
    assert listings(lines) == listings(json.dumps(entries))
    assert listings(lines)[0] == Listing(
        "On depth", "Limits.", ("A", "B"), 2, "2022-04-29", "page", 3, "https://github.com/a/b",
        "2204.14126", "10.1/x", "https://example.org",
    )  # fmt: skip
    assert listings(lines)[1] == Listing("Bare")


def test_json_takes_other_exports_names() -> None:
    (found,) = listings(
        json.dumps({"title": "T", "summary": "S", "authors": "A; B", "publishedAt": "2023",
                    "numComments": 0, "n_authors": 7, "comments": "10 pages"})
    )  # fmt: skip
    assert (found.abstract, found.authors, found.n_authors) == ("S", ("A", "B"), 7)
    assert (found.date, found.comments) == ("2023", None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"title": "a"}\n{"title": ', "line 2 is no JSON"),
        ('{"title": "a"}\n[1]', "line 2"),
        ('[{"title": "a"}, 3]', "entry 2: an object"),
        ('{"abstract": "a"}', "line 1: an entry has no title"),
        ('{"title": 3}', "not text"),
        ('{"title": "a", "authors": {"b": 1}}', "not a list of names"),
        ('{"title": "a", "authors": [3]}', "no list of names"),
        ('{"title": "a", "date": "yesterday"}', "no date"),
        ('{"title": "a", "n_authors": -1}', "not a count"),
        ('{"title": "a", "n_authors": true}', "not a count"),
        ("[" * 100_000, "no JSON of papers"),
        ('{"title": "' + "x" * 2000 + '"}', "2,000 characters"),
        ('{"n": ' + "1" * 10_000 + "}", "no JSON of papers"),
        ("[]", "holds no paper"),
    ],
)
def test_hostile_json(text: str, says: str) -> None:
    assert says in refused(text)


def test_bibtex() -> None:
    one, two = listings(BIBTEX)
    assert one.title == "On Depth: Gödel's & others' $\\alpha_1$".replace("_1", "_{1}")
    assert one.authors == ("Kurt Gödel", "Jan Łukasiewicz")
    assert (one.n_authors, one.date, one.arxiv_id) == (2, "2022-04-29", "2204.14126")
    assert (one.doi, one.address) == ("10.1000/x", "https://example.org/x")
    assert (two.title, two.authors, two.n_authors, two.date) == ("A B", ("A. One",), None, "1999")


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"{\'e}t{\'{e}} na\"{\i}ve \v{S} \c{c} \aa{}ngstr\"om \ss", "été naïve Š ç ångström ß"),
        (r"a -- b --- c~d \emph{x} 5\%", "a – b — c d x 5%"),
        (r"\unknown{y} $x_{\max}$", r"y $x_{\max}$"),
    ],
)
def test_tex_in_words(tex: str, text: str) -> None:
    assert plain(tex) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@article{a, title = {unclosed", "line 1: it is not closed"),
        ("\n@article{a, title = {x}\n@article{b, title={y}}", "line 2"),
        ("@article{a, author = {A}}", "no title"),
        ("@article{a, title = }", "a value is expected"),
        ("@article{a, = {x}}", "a field is expected"),
        ("@article{a, title = " + "{" * 1000 + "x" + "}" * 1000 + "}", "do not balance"),
        ("@article{" + " " * 100_000, "no key"),
        ("@comment{x}", "holds no paper"),
    ],
)
def test_hostile_bibtex(text: str, says: str) -> None:
    assert says in refused(text)


def test_atom() -> None:
    (found,) = listings(ATOM)
    assert found == Listing(
        "On depth", "Networks & limits. Code: https://github.com/a/b", ("A. One", "B. Two"), 2,
        "2022-04-29", "page", None, "https://github.com/a/b", "2204.14126", "10.1000/x",
        "http://arxiv.org/abs/2204.14126v2",
    )  # fmt: skip
    assert listings(ATOM.replace("UTF-8", "utf-16").encode("utf-16")) == (found,)


BOMB = ATOM.replace("<feed", '<!DOCTYPE feed [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><feed', 1)
REACH = '<!DOCTYPE x SYSTEM "file:///etc/passwd"><feed'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "document type"),
        (BOMB.replace("UTF-8", "utf-16").encode("utf-16"), "document type"),
        (ATOM.replace("<feed", REACH, 1), "document type"),
        (ATOM[:-20], "no XML"),
        (ATOM.replace("&amp;", "&nbsp;"), "undefined entity"),
        (ATOM.replace('encoding="UTF-8"', 'encoding="x-none"'), "encoding"),
        (ATOM.replace("2005/Atom", "2005/Other"), "an Atom feed is expected"),
        ("<?xml version='1.0'?><rss><channel/></rss>", "root is <rss>"),
        (ATOM.replace("abs/2204.14126v2</id>", "api/errors#bad</id>", 1), "arXiv answered"),
        (ATOM.replace("On\n  depth", ""), "no title"),
        ("<?xml version='1.0'?>" + "<a>" * 10_000, "nested"),
        ("<feed xmlns='http://www.w3.org/2005/Atom'></feed>", "holds no paper"),
    ],
    ids=range(12),
)  # fmt: skip
def test_hostile_atom(text: str | bytes, says: str) -> None:
    assert says in refused(text)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" \n\t\n", "empty"),
        (b"\x7fELF\0\0\0\xff", "binary"),
        (b"Daily Papers\n\nA\0B\n\nc", "binary"),
        (b"<!DOCTYPE html><html><body>Daily Papers", "HTML"),
        (b"\n <html>", "HTML"),
        (page([entry("Caf\u00e9", "x")]).decode().encode("latin-1"), "not in UTF-8"),
        (b"\xff\xfeab", "none of"),
    ],
    ids=range(8),
)
def test_hostile_bytes(data: bytes, says: str) -> None:
    assert says in refused(data)


@given(st.binary(max_size=200), st.sampled_from([b"", b"{", b"@a{", b"<feed", b"Daily Papers\n\n"]))
def test_any_bytes_are_read_or_refused_in_a_sentence(data: bytes, start: bytes) -> None:
    try:
        assert listings(start + data)
    except ValueError as error:
        assert "\n" not in str(error)


def test_a_line_of_a_hundred_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    with path.open("wb") as file:  # a hole: the disk holds none of it
        file.truncate(100 * 2**20)
    with pytest.raises(ValueError, match=f"larger than {MOST_BYTES // 2**20} MiB"):
        read_file(path)


def test_a_long_line_within_the_limit_is_refused_at_once() -> None:
    assert "goes on for" in refused(page([]) + b"x" * 2_000_000)


def test_year_out_of_range() -> None:
    with pytest.raises(ValueError, match="no year"):
        parse(page([entry("A", "b")]), "test", year=99)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(b'{"title": "piped"}')

    monkeypatch.setattr(sys, "stdin", Input)
    assert read_file("-").name == "stdin"


def test_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_text("Once upon a time")
    with pytest.raises(ValueError, match=r"story\.txt' was not read"):
        read_file(path)


def test_numbers_and_addresses() -> None:
    assert arxiv_number("https://arxiv.org/pdf/2204.14126v1.pdf") == "2204.14126"
    assert arxiv_number("hep-th/9901001") == "hep-th/9901001"
    assert arxiv_number("10.1000/x") is None
    assert web_address("javascript:alert(1)") is None
    assert web_address('https://a.b/"onclick') is None
    assert web_address("HTTPS://a.b/c?d=e&f") == "HTTPS://a.b/c?d=e&f"
