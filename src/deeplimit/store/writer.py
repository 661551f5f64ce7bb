"""The writer: it holds a store's lock and brings versions into force, one after another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deeplimit.store import disk
from deeplimit.store.changes import Level, merge
from deeplimit.store.drafts import Draft
from deeplimit.store.manifest import LOCK, NAME, Manifest, PartEntry, commit, is_own, read
from deeplimit.store.parts import Columns, Part
from deeplimit.store.rows import cast
from deeplimit.store.snapshot import Snapshot

__all__ = ["Writer"]

# Bounds the memory that appending, compacting and reading take.
PART_BYTES = 1 << 27
# An append that is smaller rewrites a last part that is smaller too, so that a stream of single
# examples does not come to a file for each.
TAIL_BYTES = 1 << 20
# Most changes that the manifest holds itself.
RECENT = 256


class Writer:
    """Who may change a store."""

    def __init__(self, snapshot: Snapshot, lock: int) -> None:
        self.snapshot = snapshot
        self._lock = lock
        self._failed = False
        manifest = snapshot.manifest
        # A row with its id, code and weight.
        self._row_bytes = manifest.n_features * np.dtype(manifest.dtype).itemsize + 20

    @classmethod
    def create(cls, folder: Path, manifest: Manifest) -> Self:
        """Make a store with its first manifest."""
        parent = folder.absolute().parent
        if not parent.is_dir():
            raise FileNotFoundError(
                f"there is no folder {str(parent)!r} to make a store in: make that folder first."
            )
        if folder.exists() and not folder.is_dir():
            raise FileExistsError(f"{str(folder)!r} is a file already; name a new folder.")
        if (folder / NAME).exists():
            # Here too, for its writer may hold the lock, and it is not to be waited for.
            raise _taken(folder, "a store")
        disk.make_folder(folder)
        lock = _locked(folder)
        try:
            # A crash while a store was made leaves a lock and a manifest that is not in force.
            names = {name for name in os.listdir(folder) if name != LOCK and not is_own(name)}
            if names:
                raise _taken(folder, "a store" if NAME in names else "something else")
            commit(folder, manifest)
            disk.sync_folder(folder.absolute().parent)
            return cls(Snapshot.newest(folder), lock)
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a store for writing, and remove what a crash left."""
        read(folder)  # where there is no store, no lock is made
        lock = _locked(folder)
        try:
            snapshot = Snapshot.newest(folder)
            known = snapshot.manifest.names()
            for name in sorted(os.listdir(folder)):
                if is_own(name) and name not in known:
                    disk.unlink(folder / name)
            return cls(snapshot, lock)
        except BaseException:
            os.close(lock)
            raise

    @property
    def manifest(self) -> Manifest:
        """The manifest in force, if it is known which one is."""
        if self._failed:
            raise ValueError("an earlier write to this store failed: close it and open it again")
        return self.snapshot.manifest

    def append(
        self,
        ids: NDArray[np.int64],
        codes: NDArray[np.int32],
        weights: NDArray[np.float64],
        matrix: NDArray[Any],
        **fields: Any,
    ) -> None:
        """Commit new examples, cut into parts of bounded size."""
        old = self.manifest
        entries = list(old.parts)
        rows = self._part_rows()
        tail = self._tail(len(ids))
        with Draft(self.snapshot.folder, old.serial) as draft:
            for start in range(0, len(ids), rows):
                cut = slice(start, start + rows)
                new = Columns(ids[cut], codes[cut], weights[cut], cast(matrix[cut], old.dtype, "X"))
                if start == 0 and tail is not None:
                    entries.pop()
                    new = _join([tail, new])
                entries.append(draft.part(new))
            self._commit(draft, parts=tuple(entries), **fields)

    def change(self, ids: NDArray[np.int64], codes: NDArray[np.int32], **fields: Any) -> None:
        """Commit new codes of ascending ids.

        A few stay in the manifest. More of them join the newest levels as long as those are not
        much larger, so that n changes make about log n levels and each is written again about
        log n times.
        """
        old = self.manifest
        kept = list(old.levels)
        level = merge(self.snapshot.levels[-1], Level(ids, codes))
        with Draft(self.snapshot.folder, old.serial) as draft:
            if level.ids.size > RECENT:
                while kept and kept[-1].count <= 2 * level.ids.size:
                    kept.pop()
                    level = merge(self.snapshot.levels[len(kept)], level)
                kept.append(draft.level(level))
                level = Level.empty()
            self._commit(draft, levels=tuple(kept), **_recent(level), **fields)

    def compact(self, min_rows: int) -> None:
        """Write the parts anew that have changes, or are small and have a neighbour to join."""
        old = self.manifest
        entries: list[PartEntry] = []
        with Draft(self.snapshot.folder, old.serial) as draft:
            for group in self._groups(min_rows):
                if len(group) == 1 and not self.snapshot.is_changed(group[0]):
                    entries.append(group[0].entry)
                    continue
                living = _join([self._living(part) for part in group])
                if living.ids.size:
                    entries.append(draft.part(living))
            if tuple(entries) != old.parts:
                # No change concerns a part that was left as it is.
                self._commit(draft, parts=tuple(entries), levels=(), **_recent(Level.empty()))
                # What was removed shall be so after a power cut as well.
                disk.sync_folder(self.snapshot.folder)

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._lock)

    def _commit(self, draft: Draft, **fields: Any) -> None:
        """Bring the draft into force, and remove the files that are in it no more."""
        old = self.snapshot
        manifest = replace(
            old.manifest, version=old.manifest.version + 1, serial=draft.serial, **fields
        )
        # If a step fails from here on, only the disk knows which version is in force.
        self._failed = draft.keep = True
        if draft.serial > old.manifest.serial:
            # No order in which a disk writes names may show a manifest without its parts.
            disk.sync_folder(old.folder)
        commit(old.folder, manifest)
        self.snapshot = Snapshot.load(old.folder, manifest, old)
        self._failed = False
        for name in sorted(old.manifest.names() - manifest.names()):
            disk.unlink(old.folder / name)

    def _part_rows(self) -> int:
        return max(1, PART_BYTES // self._row_bytes)

    def _tail(self, n: int) -> Columns | None:
        """Give the last part if it and n new rows are both small."""
        parts = self.snapshot.parts
        most = TAIL_BYTES // self._row_bytes
        if not parts or n > most or parts[-1].entry.rows > most:
            return None
        return parts[-1].columns

    def _groups(self, min_rows: int) -> Iterator[list[Part]]:
        """Cut the parts into runs that become one part each."""
        group: list[Part] = []
        rows = 0
        for part in self.snapshot.parts:
            joins = part.entry.rows < min_rows or self.snapshot.is_changed(part)
            fits = rows + part.entry.rows <= self._part_rows()
            if group and not (joins and fits):
                yield group
                group, rows = [], 0
            if joins:
                group.append(part)
                rows += part.entry.rows
            else:
                yield [part]
        if group:
            yield group

    def _living(self, part: Part) -> Columns:
        chunk = self.snapshot.chunk(part, slice(0, part.entry.rows))
        live = chunk.live
        codes = chunk.codes[live].astype(np.int32)
        return Columns(chunk.ids[live], codes, chunk.weights[live], chunk.rows[live])


def _recent(level: Level) -> dict[str, Any]:
    ids, codes = level.ids.tolist(), level.codes.tolist()
    return {"recent_ids": tuple(ids), "recent_codes": tuple(codes)}


def _join(columns: list[Columns]) -> Columns:
    return Columns(
        np.concatenate([part.ids for part in columns]),
        np.concatenate([part.codes for part in columns]),
        np.concatenate([part.weights for part in columns]),
        np.concatenate([part.rows for part in columns]),
    )


def _taken(folder: Path, what: str) -> FileExistsError:
    return FileExistsError(f"{str(folder)!r} holds {what} already; name a new folder.")


def _locked(folder: Path) -> int:
    lock = disk.lock(folder / LOCK)
    if lock is None:
        raise BlockingIOError(
            f"{str(folder)!r} is open for writing already; close that writer, or open to read."
        )
    return lock
