"""How pages overlap: entries, papers, and what stands where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from deeplimit.papers.library import Stored
from deeplimit.papers.merging import Paper

__all__ = ["Audit", "audit_of"]


@dataclass(frozen=True)
class Audit:
    """How the pages of a library overlap.

    Parameters
    ----------
    pages : tuple of Stored
        The pages.
    entries : int
        Entries of all of them.
    distinct : int
        Papers.
    shared : dict of (int, int) to int
        How many papers two pages share, by their places; a page with itself is how many it has.
    on_pages : dict of int to int
        How many papers stand on so many pages.
    everywhere : tuple of Paper
        Papers on every page; none if there is only one page.
    only_these : tuple of (str, str)
        Pairs of pages that share these and nothing else.
    missing : dict of str to int
        How many papers lack what, on all their pages.
    inferred : int
        Dates whose year is inferred.
    disagreeing : tuple of Paper
        Papers of which pages tell different things.

    Examples
    --------
    >>> from deeplimit.papers import Library, audit_of, parse
    >>> with Library(":memory:") as library:
    ...     _ = library.add(parse(b'{"title": "On depth"}', "a"))
    ...     _ = library.add(parse(b'[{"title": "On Depth"}, {"title": "Wide"}]', "b"))
    ...     found = audit_of(library.pages(), library.papers())
    >>> found.entries, found.distinct, [paper.title for paper in found.everywhere]
    (3, 2, ['On depth'])
    """

    pages: tuple[Stored, ...]
    entries: int
    distinct: int
    shared: dict[tuple[int, int], int]
    on_pages: dict[int, int]
    everywhere: tuple[Paper, ...]
    only_these: tuple[tuple[str, str], ...]
    missing: dict[str, int]
    inferred: int
    disagreeing: tuple[Paper, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give the figures, ready for JSON.

        Returns
        -------
        dict
        """
        n = len(self.pages)
        return {
            "entries": self.entries,
            "distinct": self.distinct,
            "pages": [
                {
                    "name": page.name,
                    "kind": page.kind,
                    "shown_date": page.shown_date,
                    "year": page.year,
                    "year_from": page.year_from,
                    "entries": len(page.papers),
                    "papers": len(set(page.papers)),
                    "shared": [self.shared[min(i, j), max(i, j)] for j in range(n)],
                }
                for i, page in enumerate(self.pages)
            ],
            "on_pages": {str(k): v for k, v in self.on_pages.items()},
            "everywhere": [{"id": p.id, "title": p.title} for p in self.everywhere],
            "pairs_sharing_only_these": [list(pair) for pair in self.only_these],
            "missing": self.missing,
            "years_inferred": self.inferred,
            "disagreeing": [
                {"id": p.id, "title": p.title, "in": list(p.disagreements)}
                for p in self.disagreeing
            ],
        }


def audit_of(pages: Sequence[Stored], papers: Sequence[Paper]) -> Audit:
    """Count how pages overlap.

    Parameters
    ----------
    pages : sequence of Stored
        `Library.pages`.
    papers : sequence of Paper
        `Library.papers`.

    Returns
    -------
    Audit
        The counts.

    Examples
    --------
    >>> from deeplimit.papers import Library, audit_of
    >>> with Library(":memory:") as library:
    ...     audit_of(library.pages(), library.papers()).entries
    0
    """
    sets = [set(page.papers) for page in pages]
    everywhere = set.intersection(*sets) if len(sets) > 1 else set()
    shared = {(i, j): len(sets[i] & sets[j]) for i in range(len(sets)) for j in range(i, len(sets))}
    only = [
        (pages[i].name, pages[j].name)
        for i, j in combinations(range(len(sets)), 2)
        if everywhere and sets[i] & sets[j] == everywhere
    ]
    counts = Counter(len(paper.pages) for paper in papers)
    missing = {
        "abstract": sum(1 for paper in papers if paper.abstract is None),
        "number of authors": sum(1 for paper in papers if paper.n_authors is None),
        "date": sum(1 for paper in papers if paper.date is None),
        "year": sum(1 for paper in papers if paper.date and paper.date.startswith("--")),
        "comments": sum(1 for paper in papers if paper.comments is None),
        "code": sum(1 for paper in papers if paper.code is None),
    }
    return Audit(
        pages=tuple(pages),
        entries=sum(len(page.papers) for page in pages),
        distinct=len(papers),
        shared=shared,
        on_pages=dict(sorted(counts.items())),
        everywhere=tuple(paper for paper in papers if paper.id in everywhere),
        only_these=tuple(only),
        missing=missing,
        inferred=sum(1 for paper in papers if paper.year_from == "inferred"),
        disagreeing=tuple(paper for paper in papers if paper.disagreements),
    )
