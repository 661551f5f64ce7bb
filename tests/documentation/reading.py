"""What a page of HTML refers to, by the parser of the standard library."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

# Attributes by which a browser fetches something without being asked by its reader.
LOADED = {"src", "srcset", "poster", "data", "background", "manifest"}


@dataclass
class Read:
    """A page as read: what it is called by, what it links to, what it loads, what it says."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    styles: str = ""
    words: str = ""
    tags: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read.tags.append(tag)
        if tag in ("script", "style", "pre", "code"):
            self._inside.append(tag)
        for name, value in attrs:
            if value is None:
                continue
            if name == "id":
                self.read.ids.add(value)
            elif name == "style":
                self.read.styles += value
            elif name == "href" and tag == "a":
                self.read.links.append(value)
            elif name in LOADED or (name == "href" and tag != "a"):
                self.read.loads.append(value)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if self._inside[-1:] == ["style"]:
            self.read.styles += data
        elif not self._inside:
            self.read.words += data


@cache
def read_page(path: Path) -> Read:
    """Read a page."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.read


def pages_of(site: Path) -> list[Path]:
    """List the pages of a site."""
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)
