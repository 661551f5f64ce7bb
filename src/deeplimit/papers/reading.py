"""A file becomes a page: which form it has, its encoding, its limits."""

from __future__ import annotations

import codecs
import hashlib
import sys
from pathlib import Path

from deeplimit.papers.atom import parse_atom
from deeplimit.papers.bibtex import parse_bibtex
from deeplimit.papers.json_entries import parse_json
from deeplimit.papers.listings import Page, clean
from deeplimit.papers.pages import infer_year, parse_page, with_year

__all__ = ["MOST_BYTES", "parse", "read_file"]

#: Larger files are refused unread: the largest export of papers is far below.
MOST_BYTES = 32 * 2**20
_MOST_ENTRIES = 50_000
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_file(path: Path | str, *, year: int | None = None, name: str | None = None) -> Page:
    """Read a file of papers.

    Parameters
    ----------
    path : path-like
        A saved page as text, JSON lines, BibTeX or an Atom feed; ``-`` is standard input.
    year : int, optional
        Of dates without one; inferred if not given, where the page allows it.
    name : str, optional
        What to call the page; by default its file's name without the ending.

    Returns
    -------
    Page
        Its name, form and listings.

    Raises
    ------
    ValueError
        If the file is none of these, is damaged or too large; the message names it.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from deeplimit.papers import read_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "mine.bib")
    ...     _ = path.write_text("@misc{a, title = {On depth}, year = 2024}")
    ...     page = read_file(path)
    >>> page.name, page.kind, page.listings[0].date
    ('mine', 'bibtex', '2024')
    """
    if str(path) == "-":
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
        called = name or "stdin"
    else:
        path = Path(path)
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        called = name or path.stem
    try:
        return parse(data, called, year=year)
    except ValueError as error:
        raise ValueError(f"{str(path)!r} was not read: {error}") from None


def parse(data: bytes, name: str, *, year: int | None = None) -> Page:
    """Parse the bytes of a file of papers.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        What to call the page.
    year : int, optional
        Of dates without one; inferred if not given, where the page allows it.

    Returns
    -------
    Page
        Its name, form and listings.

    Raises
    ------
    ValueError
        If it is none of the forms, or damaged, or too large.

    Examples
    --------
    >>> from deeplimit.papers import parse
    >>> page = parse(b'{"title": "On depth", "date": "2024-05"}', "mine")
    >>> page.kind, page.listings[0].date
    ('json', '2024-05')
    """
    called = clean(name)[:100] or "page"
    if year is not None and not 1900 <= year <= 2199:
        raise ValueError(f"{year} is no year of a paper's page; give one from 1900 to 2199.")
    if len(data) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES // 2**20} MiB, too large for a page.")
    start = _start(data)
    digest = hashlib.sha256(data).hexdigest()
    shown = None
    notes: list[str] = []
    if start.startswith(("<?xml", "<feed", "<!--")):
        kind, listings = "atom", parse_atom(data)
    elif start.startswith("<"):
        raise ValueError("it is a page as HTML; save it as text (its words, without its markup).")
    else:
        text = _decoded(data)
        if text.lstrip().startswith(("{", "[")):
            kind, listings = "json", parse_json(text)
        elif _is_bibtex(text):
            kind, listings = "bibtex", parse_bibtex(text)
        else:
            kind = "page"
            listings, shown, notes = parse_page(text)
    if not listings:
        raise ValueError("it holds no paper.")
    if len(listings) > _MOST_ENTRIES:
        raise ValueError(f"it has {len(listings):,} entries; at most {_MOST_ENTRIES:,} are taken.")
    year_from: str | None = "given" if year is not None else None
    if year is None and kind == "page":
        year = infer_year(listings, shown)
        year_from = None if year is None else "inferred"
    dated = tuple(listings) if year is None else with_year(listings, year, year_from or "given")
    if missing := sum(1 for entry in dated if entry.date and entry.date.startswith("--")):
        notes.append(f"{missing} dates stay without a year, which the page does not tell: --year")
    return Page(called, digest, kind, dated, shown, year, year_from, tuple(notes))


def _start(data: bytes) -> str:
    """Give the first characters, enough to see what a file is."""
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    return data[:512].decode(encoding, "ignore").lstrip().lower()


def _decoded(data: bytes) -> str:
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in data[:4096]:
            raise ValueError("it is a binary file, not text.") from None
        raise ValueError(
            f"it is not in UTF-8: byte {error.start} is {data[error.start]:#04x}; save it as UTF-8."
        ) from None
    if "\0" in text:
        raise ValueError("it is a binary file, not text.")
    if not text.strip():
        raise ValueError("it is empty.")
    return text


def _is_bibtex(text: str) -> bool:
    for line in text.splitlines():
        stripped = line.strip()
        # Lines before the first entry are comments for BibTeX, those with a sign for people.
        if stripped and not stripped.startswith("%"):
            return stripped.startswith("@")
    return False
