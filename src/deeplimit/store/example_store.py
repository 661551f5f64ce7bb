"""The store: examples in a folder, changed by one writer and read by many, safe under kill -9."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit._extras import require
from deeplimit.examples import fingerprint
from deeplimit.store.changes import FORGOTTEN
from deeplimit.store.labels import as_array, encode
from deeplimit.store.manifest import Manifest
from deeplimit.store.rows import check_form, check_matrix, check_weights
from deeplimit.store.snapshot import Chunk, Snapshot
from deeplimit.store.writer import Writer

__all__ = ["ExampleStore"]


class ExampleStore:
    """Examples with labels and weights in a folder, larger than memory if need be.

    The rows lie in Arrow files that are never changed and are mapped into memory. A manifest
    names them; each change writes new files, waits until they are on the disk, and puts a new
    manifest in the old one's place. What a method has returned for is there after a crash of the
    process at any moment, and of the machine if its disk keeps what it says that it wrote. What
    was under way is there whole or not at all.

    One writer holds a lock, which ends with its process. A reader sees the version that it
    opened, whatever the writer does since, until it calls `refresh`. The lock is one of POSIX:
    the store does not work on Windows.
    Open a store with `create` or `open`, best in a ``with`` statement. An object is for one thread
    at a time; chunks that it gave may be used in any.

    Parameters
    ----------
    snapshot : Snapshot
        The version that is open.
    writer : Writer or None
        Who holds the lock; None to read alone.

    See Also
    --------
    Chunk : What is read from a store.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from deeplimit.store import ExampleStore
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "examples")
    ...     with ExampleStore.create(path, n_features=2) as store:
    ...         ids = store.append([[0, 1], [2, 3], [4, 5]], ["a", "b", "b"])
    ...         store.forget(ids[1:2])
    ...         store.relabel(ids[2:], ["c"])
    ...     with ExampleStore.open(path) as store:
    ...         print(len(store), store.classes.tolist(), store.class_mass().tolist())
    2 ['a', 'b', 'c'] [1.0, 0.0, 1.0]
    """

    def __init__(self, snapshot: Snapshot, writer: Writer | None) -> None:
        self._open: Snapshot | None = snapshot
        self._writer = writer

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        n_features: int,
        dtype: Literal["float32", "float64"] = "float32",
    ) -> Self:
        """Make an empty store and open it for writing.

        Parameters
        ----------
        path : path-like
            The folder, new or empty; the one above it must exist.
        n_features : int
            Numbers in a row, at least 1.
        dtype : {"float32", "float64"}, default="float32"
            What rows are rounded to.

        Returns
        -------
        ExampleStore
            The store, without examples.

        Raises
        ------
        ValueError
            If `n_features` or `dtype` is not as above.
        TypeError
            If `n_features` is no integer.
        FileExistsError
            If there is a store, or anything else, at `path`.
        FileNotFoundError
            If there is no folder above it.
        BlockingIOError
            If another process is about to create it.
        ImportError
            If pyarrow is absent.
        """
        check_form(n_features, dtype)
        require("pyarrow", extra="tables", purpose="a store of examples")
        writer = Writer.create(Path(path), Manifest(int(n_features), dtype))
        return cls(writer.snapshot, writer)

    @classmethod
    def open(cls, path: str | os.PathLike[str], mode: Literal["r", "a"] = "r") -> Self:
        """Open a store, in the state that was committed last.

        Every file's length is compared with the manifest; manifest, changes and the ends of parts
        with their checksums. `verify` compares the whole. A writer removes what a crash left.

        Parameters
        ----------
        path : path-like
            The folder.
        mode : {"r", "a"}, default="r"
            Whether to read or to write as well.

        Returns
        -------
        ExampleStore
            The store.

        Raises
        ------
        ValueError
            If `mode` is another, or a file is damaged or absent; the message names it.
        FileNotFoundError
            If there is no store.
        BlockingIOError
            If another writer has it open.
        ImportError
            If pyarrow is absent.
        """
        if mode not in ("r", "a"):
            raise ValueError(f"mode must be 'r' or 'a', {mode!r} was got")
        if mode == "r":
            return cls(Snapshot.newest(Path(path)), None)
        writer = Writer.open(Path(path))
        return cls(writer.snapshot, writer)

    def append(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int64]:
        """Add examples; they are on the disk when this returns.

        Rows are rounded to the store's type: a number below its range becomes 0, one above it is
        an error. `X` may be a mapped array larger than memory.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Finite rows; there may be none.
        y : array-like of shape (n,)
            Labels: strings, integers or booleans, in a store always of one kind. New ones join
            `classes`.
        sample_weight : array-like of shape (n,), optional
            Nonnegative weights, 1 by default. An example of weight 0 is kept.

        Returns
        -------
        ndarray of int64, shape (n,)
            Ids: ascending, from 0 on, never used again.

        Raises
        ------
        ValueError
            If shapes differ, a number is not finite or too large, a weight is negative, or the
            store is not open for writing. The store is as it was.
        TypeError
            If rows or weights are no real numbers, or the labels of another kind.
        OSError
            If the disk is full or fails.
        """
        writer, old = self._writing()
        matrix = check_matrix(X, old.n_features)
        n = len(matrix)
        codes, kind, classes = encode(y, n, old.kind, old.classes)
        weights = check_weights(sample_weight, n)
        ids = np.arange(old.next_id, old.next_id + n)
        if n:
            writer.append(
                ids, codes, weights, matrix,
                kind=kind, classes=classes, next_id=old.next_id + n, live=old.live + n,
            )  # fmt: skip
            self._open = writer.snapshot
        return ids

    def forget(self, ids: ArrayLike) -> None:
        """Forget examples; they are out of every later version when this returns.

        Their numbers stay in the files until `compact`.

        Parameters
        ----------
        ids : array-like of int, shape (k,)
            Examples; there may be none.

        Raises
        ------
        ValueError
            If an id is unknown, forgotten already or given twice, or the store is not open for
            writing. The store is as it was.
        TypeError
            If the ids are no integers.
        OSError
            If the disk is full or fails.
        """
        writer, old = self._writing()
        gone, _ = self._distinct(ids)
        if gone.size:
            codes = np.full(gone.size, FORGOTTEN, dtype=np.int32)
            writer.change(gone, codes, live=old.live - gone.size)
            self._open = writer.snapshot

    def relabel(self, ids: ArrayLike, y: ArrayLike) -> None:
        """Give examples other labels; they hold in every later version when this returns.

        Parameters
        ----------
        ids : array-like of int, shape (k,)
            Examples; there may be none.
        y : array-like of shape (k,)
            Their labels from now on. New ones join `classes`.

        Raises
        ------
        ValueError
            If an id is unknown, forgotten or given twice, the lengths differ, or the store is not
            open for writing. The store is as it was.
        TypeError
            If the ids are no integers, or the labels of another kind.
        OSError
            If the disk is full or fails.
        """
        writer, old = self._writing()
        distinct, order = self._distinct(ids)
        codes, kind, classes = encode(y, distinct.size, old.kind, old.classes)
        if distinct.size:
            writer.change(distinct, codes[order], kind=kind, classes=classes)
            self._open = writer.snapshot

    def compact(self, min_rows: int = 65_536) -> None:
        """Remove the forgotten rows from the disk, and join small parts.

        Parts without a forgotten or relabelled example are left alone unless they are small and
        have a neighbour to be joined with. Labels stay in `classes` even if no example is left.
        Readers of an older version go on reading; its files take up room until the last one has
        closed or refreshed.

        Parameters
        ----------
        min_rows : int, default=65536
            A part with fewer rows is small.

        Raises
        ------
        ValueError
            If `min_rows` is negative, or the store is not open for writing.
        OSError
            If the disk is full or fails; at least the old version remains.
        """
        if min_rows < 0:
            raise ValueError(f"min_rows must be nonnegative, {min_rows} was got")
        writer, _ = self._writing()
        writer.compact(min_rows)
        self._open = writer.snapshot

    def chunks(self, rows: int = 65_536) -> Iterator[Chunk]:
        """Give all examples, in the order of their ids and in bounded memory.

        Parameters
        ----------
        rows : int, default=65536
            Most rows of a chunk. A chunk ends with its part, too.

        Returns
        -------
        iterator of Chunk
            The version that is open now, whatever changes meanwhile. The disk reads one chunk
            ahead; a chunk's rows leave memory when the next one is asked for, and are read anew if
            they are looked at later.

        Raises
        ------
        ValueError
            If `rows` is less than 1, or the store is closed.
        """
        if rows < 1:
            raise ValueError(f"a chunk has at least 1 row, {rows} was got")
        return self.snapshot().stream(rows)

    def rows_of(self, ids: ArrayLike) -> NDArray[np.floating]:
        """Give the rows of examples.

        Parameters
        ----------
        ids : array-like of int, shape (k,)
            Examples, in any order and as often as wanted.

        Returns
        -------
        ndarray of float32 or float64, shape (k, n_features)
            A copy.

        Raises
        ------
        ValueError
            If an id is unknown or forgotten, or the store is closed.
        TypeError
            If the ids are no integers.
        """
        snapshot = self.snapshot()
        return snapshot.rows_at(snapshot.find(ids))

    def class_mass(self) -> NDArray[np.float64]:
        """Add up the weights of each class, in the order of the ids.

        Returns
        -------
        ndarray of shape (n_classes,)
            Sums in the order of `classes`; the same bits however the parts are cut.

        Raises
        ------
        ValueError
            If a sum overflows, or the store is closed.
        """
        mass = self.snapshot().class_mass()
        if not np.isfinite(mass).all():
            raise ValueError("the weights of a class add up to more than a float64 holds")
        return mass

    def fingerprint(self) -> str:
        """Hash the examples whatever their order, ids and files; some seconds for a million.

        Returns
        -------
        str
            64 hexadecimal digits, the same for two stores if and only if the same rows, labels and
            weights are in them as often. -0.0 is 0.0; examples of weight 0 do not count.

        Raises
        ------
        ValueError
            If the store is closed.

        See Also
        --------
        deeplimit.examples.multiset_hash : The hash of which this is made, and its source.
        """
        count, total = self.snapshot().multiset()
        return fingerprint({"n_features": self.n_features}, count, total)

    def verify(self) -> None:
        """Read every byte of every part and compare it with its checksum.

        Raises
        ------
        ValueError
            If one is damaged; the message names it. Or if the store is closed.
        """
        for part in self.snapshot().parts:
            part.verify()

    def refresh(self) -> bool:
        """Go on to the version in force.

        Returns
        -------
        bool
            True if there was a newer one.

        Raises
        ------
        ValueError
            If a file is damaged or absent, or the store is closed.
        FileNotFoundError
            If the store was removed.
        """
        old = self.snapshot()
        self._open = Snapshot.newest(old.folder, old)
        return self._open.manifest != old.manifest

    def close(self) -> None:
        """Give back the lock and the mapped files; chunks that are in use stay valid."""
        if self._writer is not None:
            self._writer.close()
        self._writer = self._open = None

    @property
    def classes(self) -> NDArray[Any]:
        """The labels seen so far, in the order of their codes: strings, int64 or booleans."""
        manifest = self.snapshot().manifest
        return as_array(manifest.classes, manifest.kind)

    @property
    def n_features(self) -> int:
        """Numbers in a row."""
        return self.snapshot().manifest.n_features

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Type of the rows."""
        return np.dtype(self.snapshot().manifest.dtype)

    @property
    def version(self) -> int:
        """Number of the version that is open: how many changes were committed before."""
        return self.snapshot().manifest.version

    def __len__(self) -> int:
        return self.snapshot().manifest.live

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _distinct(self, ids: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Check ids to be changed, and give them in ascending order, with that order."""
        given = self.snapshot().find(ids).ids
        order = np.argsort(given, kind="stable")
        ascending = given[order]
        twice = ascending[1:][ascending[1:] == ascending[:-1]]
        if twice.size:
            raise ValueError(f"id {twice[0]} is given more than once; give each id once")
        return ascending, order

    def snapshot(self) -> Snapshot:
        """Give the version that is open, which stays as it is whatever changes."""
        if self._open is None:
            raise ValueError("the store is closed: open it again")
        return self._open

    def _writing(self) -> tuple[Writer, Manifest]:
        self.snapshot()
        if self._writer is None:
            raise ValueError("the store is open for reading alone: open it with mode='a'")
        return self._writer, self._writer.manifest
