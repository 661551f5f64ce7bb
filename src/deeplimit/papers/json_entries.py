"""Papers as JSON: one object a line, or an array of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from deeplimit.papers.listings import (
    Listing,
    arxiv_number,
    as_date,
    clean,
    code_address,
    web_address,
)

__all__ = ["parse_json"]

# Names by which exports call a thing, the first one that is there counts.
_NAMES = {
    "title": ("title",),
    "abstract": ("abstract", "summary"),
    "authors": ("authors", "author"),
    "n_authors": ("n_authors", "author_count"),
    "date": ("date", "published", "publishedAt"),
    "comments": ("n_comments", "comments", "numComments"),
    "code": ("code_url", "code", "githubRepo"),
    "arxiv_id": ("arxiv_id", "arxiv"),
    "doi": ("doi", "DOI"),
    "address": ("url", "address", "link"),
}
_MOST_AUTHORS = 20_000


def parse_json(text: str) -> list[Listing]:
    """Parse JSON lines, or one array.

    Parameters
    ----------
    text : str
        The file.

    Returns
    -------
    list of Listing

    Raises
    ------
    ValueError
        If it is no JSON of that form; the message says where.
    """
    listings = []
    for where, entry in _objects(text):
        if not isinstance(entry, dict):
            raise ValueError(f"{where}: an object is expected, got {_shown(entry)}.")
        try:
            listings.append(_listing(entry))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    return listings


def _objects(text: str) -> Iterator[tuple[str, Any]]:
    if text.lstrip().startswith("["):
        array = _loaded(text, "the array")
        for place, entry in enumerate(array, 1):
            yield f"entry {place}", entry
        return
    # Not splitlines: JSON allows U+2028 within a string.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"line {number}", _loaded(line, f"line {number}")


def _loaded(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where} is no JSON: {error.msg} at character {error.pos}.") from None
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        raise ValueError(f"{where} is no JSON of papers.") from None


def _listing(entry: dict[str, Any]) -> Listing:
    authors = _authors(_get(entry, "authors"))
    written = _text(entry, "date")
    date = as_date(written) if written else None
    if written and date is None:
        raise ValueError(f"{_shown(written)} is no date such as 2023-06-15 or 2023-06.")
    abstract = _text(entry, "abstract")
    number = _text(entry, "arxiv_id")
    count = _count(entry, "n_authors")
    return Listing(
        _text(entry, "title") or "",
        abstract,
        authors,
        len(authors) or None if count is None else count,
        date,
        "page" if date and not date.startswith("--") else None,
        _count(entry, "comments"),
        web_address(_text(entry, "code")) or (code_address(abstract) if abstract else None),
        arxiv_number(number) if number else None,
        _text(entry, "doi"),
        web_address(_text(entry, "address")),
    )


def _get(entry: dict[str, Any], name: str) -> Any:
    return next((entry[key] for key in _NAMES[name] if entry.get(key) is not None), None)


def _text(entry: dict[str, Any], name: str) -> str | None:
    value = _get(entry, name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"the {name.replace('_', ' ')} is {_shown(value)}, not text.")
    return clean(value) or None


def _count(entry: dict[str, Any], name: str) -> int | None:
    value = _get(entry, name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if value is None or (isinstance(value, str) and name == "comments"):
        return None  # elsewhere "comments" are a remark of the authors
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        raise ValueError(f"{name} is {_shown(value)}, not a count.")
    return value


def _authors(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split(";") if ";" in value else value.split(" and ")
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MOST_AUTHORS:
        raise ValueError(f"authors are {_shown(value)}, not a list of names.")
    names: list[str] = []
    for author in value:
        name = author.get("name") if isinstance(author, dict) else author
        if not isinstance(name, str):
            raise ValueError("authors are no list of names.")
        names.append(clean(name))
    return tuple(filter(None, names))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
