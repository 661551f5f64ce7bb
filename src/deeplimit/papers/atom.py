"""An Atom feed, such as arXiv's answer to a query."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import NoReturn
from xml.parsers import expat

from deeplimit.papers.listings import (
    Listing,
    arxiv_number,
    as_date,
    clean,
    code_address,
    web_address,
)

__all__ = ["parse_atom"]

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_DEEPEST = 100


def parse_atom(data: bytes) -> list[Listing]:
    """Parse an Atom feed.

    A document type is refused before anything is expanded: it is by entities in it that a small
    file becomes a large one, or reads others.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    list of Listing

    Raises
    ------
    ValueError
        If it is no Atom feed, has a document type, or is arXiv's answer that something was wrong.
    """
    root = _tree(data)
    if root.tag != f"{_ATOM}feed":
        name = root.tag.rpartition("}")[2]
        raise ValueError(f"an Atom feed is expected; its root is <{name[:40]}>.")
    listings = []
    for place, entry in enumerate(root.findall(f"{_ATOM}entry"), 1):
        try:
            listings.append(_listing(entry))
        except ValueError as error:
            raise ValueError(f"entry {place}: {error}") from None
    return listings


def _tree(data: bytes) -> ET.Element:
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    depth = 0

    def refuse(*_: object) -> NoReturn:
        raise ValueError("it declares a document type, which no feed needs: refused.")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ValueError(f"its elements are nested more than {_DEEPEST} deep: refused.")
        builder.start(_named(tag), attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_named(tag))

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise ValueError(f"it is no XML: {what} on line {error.lineno}.") from None
    except LookupError:
        raise ValueError("its XML declares an encoding that is unknown.") from None
    return builder.close()


def _named(tag: str) -> str:
    """Write a name with its namespace as ElementTree does."""
    return f"{{{tag}" if "}" in tag else tag


def _listing(entry: ET.Element) -> Listing:
    names = [_text(author, "name") for author in entry.findall(f"{_ATOM}author")]
    authors = tuple(name for name in names if name)
    identifier = _text(entry, "id") or ""
    if "arxiv.org/api/errors" in identifier:
        raise ValueError(f"arXiv answered with an error: {_text(entry, 'summary') or 'unknown'}.")
    date = as_date(_text(entry, "published") or _text(entry, "updated") or "")
    abstract = _text(entry, "summary") or _text(entry, "content")
    doi = entry.find(f"{_ARXIV}doi")
    return Listing(
        _text(entry, "title") or "",
        abstract,
        authors,
        len(authors) or None,
        date,
        "page" if date else None,
        code=code_address(abstract) if abstract else None,
        arxiv_id=arxiv_number(identifier) or arxiv_number(_link(entry) or ""),
        doi=clean(doi.text or "") or None if doi is not None else None,
        address=web_address(_link(entry)),
    )


def _text(element: ET.Element, name: str) -> str | None:
    found = element.find(f"{_ATOM}{name}")
    return clean("".join(found.itertext())) or None if found is not None else None


def _link(entry: ET.Element) -> str | None:
    for link in entry.findall(f"{_ATOM}link"):
        if link.get("rel", "alternate") == "alternate" and link.get("href"):
            return clean(link.get("href", ""))
    return None
