"""What the theme and the writers leave undone for those who read with ears or keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

# Each: what is written, and what is to stand there. Doing it twice changes nothing.
MENDED = (
    # A heading needs a level.
    (r'(<p class="caption") role="heading"(?=>)', r'\1 role="heading" aria-level="2"'),
    # These roles are gone from the standard, and an element keeps what is in it without them.
    (r'(<div class="citation"[^>]*?) role="doc-biblioentry"', r"\1"),
    (r'<div role="list" class="citation-list">', r'<div class="citation-list">'),
    # Two landmarks of a kind are told apart by their names.
    (r'<aside class="sidebar-drawer"(?=>)', r'<aside class="sidebar-drawer" aria-label="Site"'),
    (r'<aside class="toc-drawer(?=[" ])', r'<aside aria-label="On this page" class="toc-drawer'),
)


def mended(page: str) -> str:
    """Give a page its roles and names.

    Parameters
    ----------
    page : str
        HTML as the theme writes it.

    Returns
    -------
    str
        The same page, readable by ear.

    Examples
    --------
    >>> mended('<p class="caption" role="heading"><span>See</span></p>')
    '<p class="caption" role="heading" aria-level="2"><span>See</span></p>'
    """
    for pattern, replacement in MENDED:
        page = re.sub(pattern, replacement, page)
    return page


def mend_all(app: Any, exception: Exception | None) -> None:
    """Mend every page of a build that went well."""
    if exception is not None or app.builder.name != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        written = path.read_text(encoding="utf-8")
        if (better := mended(written)) != written:
            path.write_text(better, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect it to the end of the build."""
    app.connect("build-finished", mend_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
