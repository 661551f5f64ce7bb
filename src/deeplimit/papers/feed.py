"""The editions as an Atom feed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from deeplimit.papers.issues import Entry, Issue
from deeplimit.papers.sheet import facts

__all__ = ["to_atom"]


def to_atom(issues: Sequence[Issue], identity: str, title: str = "Papers") -> str:
    """Set editions as an Atom feed, one entry a paper.

    Parameters
    ----------
    issues : sequence of Issue
        Editions, the latest first.
    identity : str
        UUID of the library: feed and entries are named by it, so that a reader knows them again.
    title : str, default="Papers"
        The feed's.

    Returns
    -------
    str
        RFC 4287.
    """
    latest = max((issue.day for issue in issues), default="1970-01-01")
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>{escape(title)}</title>\n<id>urn:uuid:{identity}</id>\n"
        f"<updated>{latest}T00:00:00Z</updated>\n<author><name>deeplimit papers</name></author>"
    ]
    for issue in issues:
        parts += [_entry(entry, issue.day, identity) for entry in issue.entries]
    parts.append("</feed>\n")
    return "\n".join(parts)


def _entry(entry: Entry, day: str, identity: str) -> str:
    name = uuid.uuid5(uuid.UUID(identity), str(entry.paper))
    lines = [
        f"<entry>\n<title>{escape(entry.title)}</title>\n<id>urn:uuid:{name}</id>\n"
        f"<updated>{day}T00:00:00Z</updated>"
    ]
    if entry.date and len(entry.date) == 10:
        lines.append(f"<published>{entry.date}T00:00:00Z</published>")
    lines += [f"<author><name>{escape(author)}</name></author>" for author in entry.authors]
    if entry.link:
        lines.append(f"<link href={quoteattr(entry.link)}/>")
    if entry.code:
        lines.append(f'<link rel="related" title="code" href={quoteattr(entry.code)}/>')
    if entry.abstract:
        lines.append(f"<summary>{escape(entry.abstract)}</summary>")
    # An entry without a link must have a content.
    if not entry.link:
        lines.append(f"<content>{escape(entry.abstract or ' · '.join(facts(entry)))}</content>")
    return "\n".join(lines) + "\n</entry>"
