"""People who follow papers: read pages of them, find, sort by interest with reasons, print.

`Library` keeps what `read_file` or `parse` gives in one file; `vectors_of` makes vectors of its
papers, and `Triage` sorts them by what was liked.
"""

from __future__ import annotations

from deeplimit.papers.audit import Audit, audit_of
from deeplimit.papers.library import Library
from deeplimit.papers.listings import Listing, Page
from deeplimit.papers.merging import Paper
from deeplimit.papers.reading import parse, read_file
from deeplimit.papers.triage import Reason, Triage, Verdict
from deeplimit.papers.vectors import Vectors, vectors_of

__all__ = [
    "Listing",
    "Page",
    "parse",
    "read_file",
    "Library",
    "Paper",
    "Audit",
    "audit_of",
    "Vectors",
    "vectors_of",
    "Triage",
    "Verdict",
    "Reason",
]
