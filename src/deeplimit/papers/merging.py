"""A paper, merged of what pages say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from deeplimit.papers.listings import Listing

__all__ = ["Paper", "merge"]

# A year that stands on a page is surer than one that somebody gave, and that than an inferred one.
_SURER = ("page", "given", "inferred", None)


@dataclass(frozen=True)
class Paper:
    """A paper: the best that its pages say of it, in the terms of `Listing`.

    Parameters
    ----------
    id : int
        Its number in the library, which never changes.
    title : str
        As it stands first.
    abstract : str or None
        The longest.
    authors : tuple of str
        The longest list.
    n_authors : int or None
        As told first.
    date : str or None
        The one whose year is surest, the most complete of these.
    year_from : str or None
        Where the date's year is from.
    comments : int or None
        The largest count, for counts grow.
    code, arxiv_id, doi, address : str or None
        As told first.
    pages : tuple of str
        Pages it stands on, in the order they were read.
    listings : int
        How many entries are of it.
    disagreements : tuple of str
        What its pages tell differently.

    Examples
    --------
    >>> from deeplimit.papers import Listing
    >>> from deeplimit.papers.merging import merge
    >>> entries = [("a", Listing("On depth")), ("b", Listing("On depth", n_authors=2))]
    >>> merge(7, entries).n_authors
    2
    """

    id: int
    title: str
    abstract: str | None
    authors: tuple[str, ...]
    n_authors: int | None
    date: str | None
    year_from: str | None
    comments: int | None
    code: str | None
    arxiv_id: str | None
    doi: str | None
    address: str | None
    pages: tuple[str, ...]
    listings: int
    disagreements: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is compared: title and abstract."""
        return f"{self.title}\n{self.abstract or ''}"

    @property
    def link(self) -> str | None:
        """Where it can be read, if the pages tell; never guessed."""
        if self.address:
            return self.address
        if self.arxiv_id:
            return f"https://arxiv.org/abs/{self.arxiv_id}"
        return f"https://doi.org/{self.doi}" if self.doi else None

    def to_dict(self) -> dict[str, Any]:
        """Give all that is known, ready for JSON.

        Returns
        -------
        dict
        """
        return {**asdict(self), "link": self.link}


def merge(key: int, heard: Sequence[tuple[str, Listing]]) -> Paper:
    """Merge the listings of a paper.

    Parameters
    ----------
    key : int
        The paper's id.
    heard : sequence of (str, Listing)
        Page and listing, in the order they were read; at least one.

    Returns
    -------
    Paper
    """
    entries = [entry for _, entry in heard]

    def first(name: str) -> Any:
        return next((v for e in entries if (v := getattr(e, name)) is not None), None)

    dated = [entry for entry in entries if entry.date]
    best = min(
        dated,
        key=lambda e: (_SURER.index(e.year_from), -len(e.date or ""), e.date),
        default=Listing("none"),
    )
    comments = [entry.comments for entry in entries if entry.comments is not None]
    counts = {entry.n_authors for entry in entries} - {None}
    dates = {entry.date for entry in dated if entry.year_from == "page"}
    return Paper(
        id=key,
        title=entries[0].title,
        abstract=max((e.abstract for e in entries if e.abstract), key=len, default=None),
        authors=max((e.authors for e in entries), key=len),
        n_authors=first("n_authors"),
        date=best.date,
        year_from=best.year_from,
        comments=max(comments, default=None),
        code=first("code"),
        arxiv_id=first("arxiv_id"),
        doi=first("doi"),
        address=first("address"),
        pages=tuple(dict.fromkeys(name for name, _ in heard)),
        listings=len(heard),
        disagreements=tuple(
            name
            for name, differ in (
                ("number of authors", len(counts) > 1),
                ("date", any(not _agree(a or "", b or "") for a in dates for b in dates)),
            )
            if differ
        ),
    )


def _agree(one: str, other: str) -> bool:
    """Tell whether one date is the other, or says less of it."""
    return one.startswith(other) or other.startswith(one)
