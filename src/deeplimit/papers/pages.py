"""The text of a saved "Daily Papers" page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from deeplimit.papers.listings import Listing, as_date, clean, code_address

__all__ = ["HEAD", "Saved", "infer_year", "parse_page", "with_year"]

#: The line by which a saved page is known.
HEAD = "Daily Papers"
# The head stands among the first lines, or the text is something else that names such pages.
_HEAD_WITHIN = 40
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE_LINE = re.compile(r"([A-Z][a-z]{2,8})\.? (\d{1,2})(?:, (\d{4}))?(?: (\d{1,7}))?")
_AUTHORS_LINE = re.compile(r"(\d{1,5}) authors?")
_BY_LINE = re.compile(r"by ?AK\b.*")
# Nothing that is longer is a title: what stands there continues an abstract.
_LONGEST_TITLE = 400


class Saved(NamedTuple):
    """A saved page.

    Parameters
    ----------
    listings : list of Listing
        Dates without a year have none yet.
    shown_date : str or None
        At the head of the page.
    notes : list of str
        What is odd about it.
    """

    listings: list[Listing]
    shown_date: str | None
    notes: list[str]


class _Facts(NamedTuple):
    n_authors: int | None
    date: str | None
    comments: int | None


def parse_page(text: str) -> Saved:
    """Parse a saved page.

    Below the head stand titles and abstracts in turn, each a paragraph; a paragraph of facts
    (authors, date, comments) may follow. A page saved without facts has none.

    Parameters
    ----------
    text : str
        The page as text.

    Returns
    -------
    Saved

    Raises
    ------
    ValueError
        If it is no such page, or has no entry.
    """
    lines = [line.strip() for line in text.splitlines()]
    shown, start = _head(lines)
    listings: list[Listing] = []
    notes: list[str] = []
    title: str | None = None
    abstract: str | None = None

    def finish(facts: _Facts | None) -> None:
        nonlocal title, abstract
        if title is None:
            if facts is not None:
                notes.append(f"after entry {len(listings)}, facts without a title were left out")
            return
        n_authors, date, comments = facts or _Facts(None, None, None)
        listings.append(
            Listing(
                title,
                abstract,
                n_authors=n_authors,
                date=date,
                year_from="page" if date and not date.startswith("--") else None,
                comments=comments,
                code=code_address(abstract) if abstract else None,
            )
        )
        title = abstract = None

    for block in _blocks(lines[start:]):
        facts = _facts(block)
        if facts is not None:
            finish(facts)
            continue
        paragraph = clean(" ".join(block))
        if not paragraph:
            continue
        if title is None and len(paragraph) > _LONGEST_TITLE:
            raise ValueError(
                f"entry {len(listings) + 1} begins with {paragraph[:40]!r} and goes on for "
                f"{len(paragraph):,} characters, too long for a title: the page has lost a line."
            )
        if title is None:
            title = paragraph
        elif abstract is None:
            abstract = paragraph
        elif len(paragraph) > _LONGEST_TITLE:
            abstract = f"{abstract} {paragraph}"
        else:
            finish(None)
            title = paragraph
    if title is not None and abstract is None:
        notes.append("the page ends in the middle of an entry: its last title has no abstract")
    finish(None)
    if not listings:
        raise ValueError(f"it has the head {HEAD!r} and no entry below it.")
    return Saved(listings, shown, notes)


def infer_year(listings: Iterable[Listing], shown_date: str | None) -> int | None:
    """Infer the year in which a page was saved.

    Such a page writes the year of a date unless it is the current one. So it was saved later than
    every year it writes, and the least such year is taken. Nothing is inferred from a page that
    writes none, or whose dates without a year lie after the date at its head.

    Parameters
    ----------
    listings : iterable of Listing
        The page's.
    shown_date : str or None
        Date at its head.

    Returns
    -------
    int or None
        The year.

    Examples
    --------
    >>> from deeplimit.papers.listings import Listing
    >>> entries = [Listing("a", date="2024-05-01"), Listing("b", date="--03-09")]
    >>> infer_year(entries, "--10-30"), infer_year(entries, "--01-08")
    (2025, None)
    """
    if shown_date and not shown_date.startswith("--"):
        return int(shown_date[:4])
    dates = [entry.date for entry in listings if entry.date]
    written = [int(date[:4]) for date in dates if not date.startswith("--")]
    if not written:
        return None
    if shown_date and any(date > shown_date for date in dates if date.startswith("--")):
        return None
    return max(written) + 1


def with_year(listings: Iterable[Listing], year: int, year_from: str) -> tuple[Listing, ...]:
    """Give dates without a year one; a date that is none in that year stays as it is.

    Parameters
    ----------
    listings : iterable of Listing
        Any.
    year : int
        The year.
    year_from : str
        "given" or "inferred".

    Returns
    -------
    tuple of Listing
    """

    def dated(entry: Listing) -> Listing:
        if not (entry.date and entry.date.startswith("--")):
            return entry
        date = as_date(f"{year:04d}{entry.date[1:]}")
        return entry if date is None else replace(entry, date=date, year_from=year_from)

    return tuple(dated(entry) for entry in listings)


def _head(lines: list[str]) -> tuple[str | None, int]:
    """Find the date at the head, and the first line below."""
    first = [place for place, line in enumerate(lines) if line][:_HEAD_WITHIN]
    place = next((place for place in first if lines[place] == HEAD), None)
    if place is None:
        raise ValueError(
            f"it is none of: a saved page (text with a line {HEAD!r} at its head), JSON lines, "
            "BibTeX, an Atom feed."
        )
    shown = None
    rest = place + 1
    for at in range(place + 1, len(lines)):
        if not lines[at]:
            continue
        if _BY_LINE.fullmatch(lines[at]):
            rest = at + 1
            continue
        dated = _date(lines[at])
        if dated is not None and dated[1] is None:
            shown, rest = dated[0], at + 1
        break
    return shown, rest


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line:
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _facts(block: list[str]) -> _Facts | None:
    """Read a paragraph of facts; None if it is something else."""
    n_authors = date = comments = None
    # A dot between two facts stands on a line of its own.
    said = [text for line in block if (text := line.lstrip("•·").strip())]
    for text in said:
        if (found := _AUTHORS_LINE.fullmatch(text)) and n_authors is None:
            n_authors = int(found[1])
        elif (dated := _date(text)) and date is None:
            date, comments = dated
        elif not block[0].startswith("•"):
            return None
    # What else a line that begins with a bullet may say is no part of an abstract.
    return _Facts(n_authors, date, comments) if said or block[0][:1] in "•·" else None


def _date(line: str) -> tuple[str, int | None] | None:
    found = _DATE_LINE.fullmatch(line)
    if not found or found[1][:3].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(found[1][:3].lower()) + 1
    date = as_date(f"{found[3] or '-'}-{month:02d}-{int(found[2]):02d}")
    if date is None:
        return None
    return date, int(found[4]) if found[4] else None
