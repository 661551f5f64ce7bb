"""The one file that keeps it all: pages, papers, ratings, and what was printed and sent."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deeplimit.papers.file import File
from deeplimit.papers.listings import Listing, Page, same_paper, title_key
from deeplimit.papers.merging import Paper, merge

__all__ = ["Library", "Reading", "Stored"]

_FIELDS = tuple(field.name for field in fields(Listing))
_COLUMNS = ", ".join(_FIELDS)


@dataclass(frozen=True)
class Reading:
    """What reading a page changed.

    Parameters
    ----------
    page : str
        The page's name in the library.
    entries : int
        How many entries it has.
    new : int
        How many papers the library did not know.
    state : str
        "read", "known" if the page was there already, or "dated" if it was and its year is another.

    Examples
    --------
    >>> from deeplimit.papers.library import Reading
    >>> Reading("mine", 3, 2, "read").new
    2
    """

    page: str
    entries: int
    new: int
    state: str


@dataclass(frozen=True)
class Stored:
    """A page as the library has it.

    Parameters
    ----------
    name : str
        Its name.
    kind : str
        Its form.
    shown_date : str or None
        At its head.
    year : int or None
        Of dates without one.
    year_from : str or None
        "given" or "inferred".
    papers : tuple of int
        Id of the paper of each entry, in order.

    Examples
    --------
    >>> from deeplimit.papers.library import Stored
    >>> Stored("mine", "json", None, None, None, (1, 2)).papers
    (1, 2)
    """

    name: str
    kind: str
    shown_date: str | None
    year: int | None
    year_from: str | None
    papers: tuple[int, ...]


class Library:
    """Papers in one SQLite file, safe under kill -9: a change is in it in whole or not at all.

    Parameters
    ----------
    path : path-like
        The file; ``:memory:`` for none.
    create : bool, default=False
        Make the file if it is not there.

    Raises
    ------
    FileNotFoundError
        If the file is not there and not to be made.
    ValueError
        If it is no library of papers, a newer one, damaged, or in use too long.

    Examples
    --------
    >>> from deeplimit.papers import Library, parse
    >>> with Library(":memory:") as library:
    ...     library.add(parse(b'{"title": "On depth"}', "mine"))
    ...     [paper.title for paper in library.papers()]
    Reading(page='mine', entries=1, new=1, state='read')
    ['On depth']
    """

    def __init__(self, path: Path | str, *, create: bool = False) -> None:
        self._file = File(path, create=create)
        # What issues need of the file, too.
        self.rows, self.insert = self._file.rows, self._file.insert
        self.changing = self._file.changing

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def identity(self) -> str:
        """What tells this library from others: a UUID."""
        return str(self.rows("SELECT value FROM about WHERE name = 'id'")[0][0])

    def add(self, page: Page) -> Reading:
        """Keep a page, in whole or not at all.

        A page is known by the bytes of its file. One that is known already changes nothing, unless
        a year is given that is not the one it was read with: then its dates change. Other bytes
        under a known name are another page, which is numbered.

        Parameters
        ----------
        page : Page
            What was read.

        Returns
        -------
        Reading

        Raises
        ------
        ValueError
            If the library cannot be changed; nothing is then.
        """
        with self.changing():
            known = self.rows("SELECT id, name, year FROM page WHERE digest = ?", (page.digest,))
            if known:
                key, name, year = known[0]
                again = page.year_from == "given" and page.year != year
                if again:
                    self._date_anew(key, page)
                state = "dated" if again else "known"
                return Reading(str(name), len(page.listings), 0, state)
            name = self._free_name(page.name)
            key = self.insert(
                "INSERT INTO page (name, digest, kind, shown_date, year, year_from, read_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, page.digest, page.kind, page.shown_date, page.year, page.year_from, _now()),
            )
            new = 0
            for place, entry in enumerate(page.listings):
                paper, is_new = self._paper_of(entry)
                new += is_new
                marks = ", ".join("?" * (4 + len(_FIELDS)))
                self._file.run(
                    f"INSERT INTO listing (page, place, paper, key, {_COLUMNS}) VALUES ({marks})",
                    (key, place, paper, title_key(entry.title), *_cells(entry)),
                )
            return Reading(name, len(page.listings), new, "read")

    def _free_name(self, wanted: str) -> str:
        taken = {name for (name,) in self.rows("SELECT name FROM page")}
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted} ({number})"
        return name

    def _date_anew(self, key: int, page: Page) -> None:
        self._file.run(
            "UPDATE page SET year = ?, year_from = ? WHERE id = ?", (page.year, "given", key)
        )
        self._file.run_many(
            "UPDATE listing SET date = ?, year_from = ? WHERE page = ? AND place = ?",
            [(e.date, e.year_from, key, place) for place, e in enumerate(page.listings)],
        )

    def _paper_of(self, entry: Listing) -> tuple[int, bool]:
        """Find the paper that a listing is of, or make one."""
        heard: dict[int, list[Listing]] = defaultdict(list)
        for paper, *cells in self.rows(
            f"SELECT paper, {_COLUMNS} FROM listing WHERE paper IN (SELECT paper FROM listing"
            " WHERE key = ?1 OR (?2 IS NOT NULL AND arxiv_id = ?2)"
            " OR (?3 IS NOT NULL AND doi = ?3)) ORDER BY paper, page, place",
            (title_key(entry.title), entry.arxiv_id, entry.doi),
        ):
            heard[paper].append(_listing(cells))
        for paper, listings in heard.items():
            if same_paper(entry, *listings):
                return int(paper), False
        return self.insert("INSERT INTO paper (first_read) VALUES (?)", (_now(),)), True

    def remove(self, name: str) -> int:
        """Take a page out, and the papers that stand on no other.

        Parameters
        ----------
        name : str
            The page's.

        Returns
        -------
        int
            How many papers went with it, ratings included.

        Raises
        ------
        ValueError
            If there is no such page.
        """
        with self.changing():
            known = self.rows("SELECT id FROM page WHERE name = ?", (name,))
            if not known:
                names = ", ".join(repr(page.name) for page in self.pages()) or "none"
                raise ValueError(f"there is no page {name!r}; there are: {names}.")
            self._file.run("DELETE FROM listing WHERE page = ?", known[0])
            self._file.run("DELETE FROM page WHERE id = ?", known[0])
            gone = self.rows("SELECT id FROM paper WHERE id NOT IN (SELECT paper FROM listing)")
            for table, column in (
                ("rating", "paper"), ("click", "paper"), ("printed", "paper"), ("paper", "id")
            ):  # fmt: skip
                self._file.run_many(f"DELETE FROM {table} WHERE {column} = ?", gone)
            return len(gone)

    def pages(self) -> list[Stored]:
        """List the pages in the order they were read.

        Returns
        -------
        list of Stored
        """
        entries: dict[int, list[int]] = defaultdict(list)
        for page, paper in self.rows("SELECT page, paper FROM listing ORDER BY page, place"):
            entries[page].append(paper)
        return [
            Stored(name, kind, shown, year, year_from, tuple(entries[key]))
            for key, name, kind, shown, year, year_from in self.rows(
                "SELECT id, name, kind, shown_date, year, year_from FROM page ORDER BY id"
            )
        ]

    def papers(self) -> list[Paper]:
        """List the papers by id, each merged of its listings.

        Returns
        -------
        list of Paper
        """
        heard: dict[int, list[tuple[str, Listing]]] = defaultdict(list)
        columns = ", ".join(f"listing.{name}" for name in _FIELDS)
        for paper, name, *cells in self.rows(
            f"SELECT paper, page.name, {columns} FROM listing JOIN page ON page.id = page"
            " ORDER BY page, place"
        ):
            heard[paper].append((name, _listing(cells)))
        return [merge(paper, heard[paper]) for paper in sorted(heard)]

    def ratings(self) -> dict[int, bool]:
        """Give the papers rated: True where liked, in the order of the ratings.

        Returns
        -------
        dict of int to bool
        """
        return {
            paper: bool(liked)
            for paper, liked in self.rows("SELECT paper, liked FROM rating ORDER BY place")
        }

    def rate(self, papers: Iterable[int], liked: bool | None) -> None:
        """Like papers, dismiss them, or take their ratings back; all of them or none.

        Parameters
        ----------
        papers : iterable of int
            Ids.
        liked : bool or None
            None takes ratings back.

        Raises
        ------
        ValueError
            If there is no such paper.
        """
        with self.changing():
            now = self.ratings()
            known = {key for (key,) in self.rows("SELECT id FROM paper")}
            for paper in papers:
                if paper not in known:
                    raise ValueError(f"there is no paper {paper}; nothing was rated.")
                before = now.get(paper)
                if before != liked:
                    self._file.run(
                        "INSERT INTO click (paper, before) VALUES (?, ?)", (paper, before)
                    )
                    self._rate(paper, liked)

    def _rate(self, paper: int, liked: bool | None) -> None:
        self._file.run("DELETE FROM rating WHERE paper = ?", (paper,))
        if liked is not None:
            self._file.run("INSERT INTO rating (paper, liked) VALUES (?, ?)", (paper, liked))

    def undo(self) -> int | None:
        """Take the last rating back, as if it had not been made.

        Returns
        -------
        int or None
            The paper it was of; None if there is no rating to take back.
        """
        with self.changing():
            last = self.rows("SELECT id, paper, before FROM click ORDER BY id DESC LIMIT 1")
            if not last:
                return None
            click, paper, before = last[0]
            self._file.run("DELETE FROM click WHERE id = ?", (click,))
            self._rate(paper, None if before is None else bool(before))
            return int(paper)

    def digest(self) -> str:
        """Hash what the library holds, the times of reading left out.

        Returns
        -------
        str
            SHA-256 in hexadecimal digits: equal where the contents are.
        """
        made = hashlib.sha256()
        for query in (
            "SELECT name, digest, kind, shown_date, year, year_from FROM page ORDER BY id",
            f"SELECT page, place, paper, {_COLUMNS} FROM listing ORDER BY page, place",
            "SELECT paper, liked FROM rating ORDER BY paper",
            "SELECT kind, day FROM issue ORDER BY id",
            "SELECT issue, kind, place, paper, entry FROM printed ORDER BY issue, place",
        ):
            made.update(json.dumps(self.rows(query)).encode())
        return made.hexdigest()


def _cells(entry: Listing) -> list[object]:
    return [json.dumps(cell) if isinstance(cell, tuple) else cell for cell in astuple(entry)]


def _listing(cells: Sequence[Any]) -> Listing:
    values = dict(zip(_FIELDS, cells, strict=True))
    return Listing(**{**values, "authors": tuple(json.loads(values["authors"]))})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
