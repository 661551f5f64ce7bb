"""The SQLite file of a library: opened safely, changed in whole or not at all."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deeplimit.papers.schema import APPLICATION, SCHEMA, VERSION

__all__ = ["File"]

_BUSY_SECONDS = 10.0


class File:
    """A library's file; see `Library` for parameters and errors."""

    def __init__(self, path: Path | str, *, create: bool = False) -> None:
        self.path = str(path)
        if self.path != ":memory:" and not Path(path).is_file():
            if not create or Path(path).exists():
                raise FileNotFoundError(
                    f"no library {self.path!r} here: deeplimit papers read FILE makes one; "
                    "--library says where another is."
                )
            if not Path(path).absolute().parent.is_dir():
                raise FileNotFoundError(f"no folder for the library {self.path!r}.")
        with self._plainly():
            self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        with self._plainly():
            self._db.execute("PRAGMA foreign_keys = ON")
            # A commit is on the disk before it is told.
            self._db.execute("PRAGMA synchronous = FULL")
            application, version = self._marks()
            if application == version == 0 and not self._tables():
                with self.changing():
                    # Another process may have made it since.
                    if not self._tables():
                        for statement in SCHEMA:
                            self._db.execute(statement)
                        self._db.execute("INSERT INTO about VALUES ('id', ?)", (str(uuid.uuid4()),))
                return
        if application != APPLICATION:
            raise ValueError(f"{self.path!r} is a database of something else, not of papers.")
        if version > VERSION:
            raise ValueError(
                f"{self.path!r} was made by a newer deeplimit (its format is {version}, this one "
                f"knows up to {VERSION}); update deeplimit."
            )

    def _marks(self) -> tuple[int, int]:
        marks = [self._db.execute(f"PRAGMA {m}") for m in ("application_id", "user_version")]
        application, version = (int(mark.fetchone()[0]) for mark in marks)
        return application, version

    def _tables(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        """Tell SQLite's errors as a user needs them."""
        try:
            yield
        except sqlite3.Error as error:
            what = str(error)
            if "locked" in what or "busy" in what:
                what = "another process is changing it; try again"
            elif "not a database" in what:
                what = "it is no library of papers"
            raise ValueError(f"the library {self.path!r} cannot be used: {what}.") from None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Make changes that are all there afterwards or, whatever happens, none of them.

        Others wait for the end before they change anything; within it, it may be entered again.
        """
        with self._plainly():
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def run(self, statement: str, values: Sequence[object] = ()) -> None:
        """Run a statement."""
        with self._plainly():
            self._db.execute(statement, values)

    def run_many(self, statement: str, values: Iterable[Sequence[object]]) -> None:
        """Run a statement for each of many values."""
        with self._plainly():
            self._db.executemany(statement, values)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Ask the tables of `deeplimit.papers.schema`.

        Parameters
        ----------
        query : str
            A SELECT.
        values : sequence
            In the places of its question marks.

        Returns
        -------
        list of tuple
        """
        with self._plainly():
            return self._db.execute(query, values).fetchall()

    def insert(self, statement: str, values: Sequence[object]) -> int:
        """Add a row, within `changing`.

        Parameters
        ----------
        statement : str
            An INSERT.
        values : sequence
            In the places of its question marks.

        Returns
        -------
        int
            The row's id.
        """
        with self.changing():
            return int(self._db.execute(statement, values).lastrowid or 0)
