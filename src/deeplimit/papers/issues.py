"""Issues: what is new and of interest, each paper once in editions and once in mails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from deeplimit.papers.library import Library
from deeplimit.papers.merging import Paper
from deeplimit.papers.triage import Triage
from deeplimit.papers.vectors import vectors_of

__all__ = ["Entry", "Issue", "as_day", "fresh", "issue_of", "issues", "record"]

# So many reasons of a paper are told by name.
_TOLD = 3


@dataclass(frozen=True)
class Entry:
    """A paper in an issue, as it was when the issue was made.

    Parameters
    ----------
    paper : int
        Its id.
    title : str
        Its title.
    abstract, date, code, link : str or None
        As of the paper.
    authors : tuple of str
        Names, if known.
    n_authors, comments : int or None
        Counts, if known.
    pages : tuple of str
        Where it stands.
    probability : float or None
        That it is of interest; None if nothing was rated.
    because : tuple of (str, float)
        Titles of what was liked, and their shares in the score, the largest ones.
    others : int, default=0
        How many more were liked.
    others_share : float, default=0.0
        Their share; all shares together are the probability.

    Examples
    --------
    >>> from deeplimit.papers.issues import Entry
    >>> Entry(7, "On depth").because
    ()
    """

    paper: int
    title: str
    abstract: str | None = None
    date: str | None = None
    code: str | None = None
    link: str | None = None
    authors: tuple[str, ...] = ()
    n_authors: int | None = None
    comments: int | None = None
    pages: tuple[str, ...] = ()
    probability: float | None = None
    because: tuple[tuple[str, float], ...] = ()
    others: int = 0
    others_share: float = 0.0


@dataclass(frozen=True)
class Issue:
    """An edition or a mail.

    Parameters
    ----------
    kind : str
        "edition" or "mail".
    day : str
        Its date.
    entries : tuple of Entry
        Papers, the most probable first.
    left : int, default=0
        How many more are new and did not fit.

    Examples
    --------
    >>> from deeplimit.papers.issues import Issue
    >>> Issue("edition", "2026-04-17", ()).headline
    'Papers of 17 April 2026'
    """

    kind: str
    day: str
    entries: tuple[Entry, ...]
    left: int = 0

    @property
    def headline(self) -> str:
        """What stands at the top."""
        day = date.fromisoformat(self.day)
        # Not strftime: names of months would follow the locale.
        return f"Papers of {day.day} {_MONTHS[day.month - 1]} {day.year}"

    @property
    def ranked(self) -> bool:
        """Whether ratings ordered it."""
        return any(entry.probability is not None for entry in self.entries)

    def to_dict(self) -> dict[str, Any]:
        """Give all of it, ready for JSON.

        Returns
        -------
        dict
        """
        return {**asdict(self), "headline": self.headline}


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def as_day(text: str | None) -> str:
    """Check the date of an issue.

    Parameters
    ----------
    text : str or None
        Such as ``2026-04-17``; None is today.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it is no date.
    """
    if text is None:
        return date.today().isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"{text!r} is no date such as 2026-04-17.") from None


def fresh(library: Library, kind: str, day: str, count: int, rate: float = 0.2) -> Issue:
    """Choose what goes into an issue: papers not rated, and in no issue of the kind before.

    With ratings the most probable come first, without the newest; undated ones come last.

    Parameters
    ----------
    library : Library
        The papers.
    kind : str
        "edition" or "mail".
    day : str
        Date of the issue.
    count : int
        How many papers at most.
    rate : float, default=0.2
        As for `Triage`.

    Returns
    -------
    Issue
        Not yet recorded; without entries if nothing is new.

    Raises
    ------
    ValueError
        If there are no papers at all, `count` is less than 1, or `rate` no share.
    """
    if count < 1:
        raise ValueError(f"an issue has at least 1 paper, {count} were asked for.")
    papers, ratings = library.papers(), library.ratings()
    if not papers:
        raise ValueError("the library holds no papers yet: deeplimit papers read FILE.")
    gone = {paper for (paper,) in library.rows("SELECT paper FROM printed WHERE kind = ?", (kind,))}
    new = [paper for paper in papers if paper.id not in gone and paper.id not in ratings]
    triage = None
    if new and ratings:
        triage = Triage(vectors_of(papers), rate)
        triage.rate_all(ratings)
        place = {key: i for i, key in enumerate(triage.ranking(p.id for p in new))}
        new.sort(key=lambda paper: place[paper.id])
    else:
        dated = [p for p in new if p.date and not p.date.startswith("--")]
        dated.sort(key=lambda paper: (paper.date or "", -paper.id), reverse=True)
        new = dated + [p for p in new if p not in dated]
    titles = {paper.id: paper.title for paper in papers}
    entries = tuple(_entry(paper, triage, titles) for paper in new[:count])
    return Issue(kind, day, entries, len(new) - len(entries))


def _entry(paper: Paper, triage: Triage | None, titles: dict[int, str]) -> Entry:
    probability, because = None, []
    if triage is not None:
        verdict = triage.verdict(paper.id)
        probability = verdict.probability
        because = [
            (titles[reason.paper], reason.share)
            for reason in verdict.reasons
            if reason.kind == "liked" and reason.paper is not None
        ]
    return Entry(
        paper.id, paper.title, paper.abstract, paper.date, paper.code, paper.link, paper.authors,
        paper.n_authors, paper.comments, paper.pages, probability, tuple(because[:_TOLD]),
        len(because[_TOLD:]), sum(share for _, share in because[_TOLD:]),
    )  # fmt: skip


def record(library: Library, issue: Issue) -> None:
    """Remember that an issue was printed or sent.

    Parameters
    ----------
    library : Library
        Where.
    issue : Issue
        With at least one entry.
    """
    with library.changing():
        key = library.insert(
            "INSERT INTO issue (kind, day, made_at) VALUES (?, ?, datetime('now'))",
            (issue.kind, issue.day),
        )
        for place, entry in enumerate(issue.entries):
            library.insert(
                "INSERT INTO printed (issue, kind, place, paper, entry) VALUES (?, ?, ?, ?, ?)",
                (key, issue.kind, place, entry.paper, json.dumps(asdict(entry))),
            )


def issues(library: Library, kind: str) -> list[Issue]:
    """List the issues of a kind.

    Parameters
    ----------
    library : Library
        Where.
    kind : str
        "edition" or "mail".

    Returns
    -------
    list of Issue
        The latest first.
    """
    found: Sequence[Any] = library.rows(
        "SELECT id, day FROM issue WHERE kind = ? ORDER BY day DESC, id DESC", (kind,)
    )
    made = []
    for key, day in found:
        entries = library.rows("SELECT entry FROM printed WHERE issue = ? ORDER BY place", (key,))
        if entries:  # all of its papers may have been removed since
            made.append(Issue(kind, day, tuple(_read(text) for (text,) in entries)))
    return made


def issue_of(library: Library, kind: str, day: str) -> Issue | None:
    """Find the issue of a day.

    Parameters
    ----------
    library : Library
        Where.
    kind : str
        "edition" or "mail".
    day : str
        The day.

    Returns
    -------
    Issue or None
    """
    return next((issue for issue in issues(library, kind) if issue.day == day), None)


def _read(text: str) -> Entry:
    values = json.loads(text)
    because = tuple((title, share) for title, share in values["because"])
    return Entry(
        **{
            **values,
            "authors": tuple(values["authors"]),
            "pages": tuple(values["pages"]),
            "because": because,
        }
    )
