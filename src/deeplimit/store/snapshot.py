"""A snapshot: one version of a store, as it is read; later versions leave it as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.examples import multiset_hash
from deeplimit.store.changes import FORGOTTEN, Level, apply
from deeplimit.store.labels import as_array
from deeplimit.store.manifest import Manifest, damaged, read
from deeplimit.store.parts import Part

__all__ = ["Chunk", "Found", "Snapshot"]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some examples of a store, in the order of their ids.

    Parameters
    ----------
    ids : ndarray of int64, shape (n,)
        Ascending.
    rows : ndarray of float32 or float64, shape (n, d)
        A view of the mapped file, read-only. Where `live` is false it holds numbers that are
        forgotten, and removed by the next compaction.
    codes : ndarray of int64, shape (n,)
        Places in `ExampleStore.classes`; -1 for a forgotten example.
    weights : ndarray of float64, shape (n,)
        Nonnegative; 0 for a forgotten example.
    live : ndarray of bool, shape (n,)
        False for a forgotten example.

    See Also
    --------
    ExampleStore.chunks : Gives all of them.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from deeplimit.store import ExampleStore
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ExampleStore.create(pathlib.Path(folder, "examples"), 1) as store:
    ...         store.forget(store.append([[0.5], [1.5]], ["a", "b"])[:1])
    ...         chunk = next(store.chunks())
    >>> chunk.rows[chunk.live].tolist(), chunk.codes.tolist()
    ([[1.5]], [-1, 1])
    """

    ids: NDArray[np.int64]
    rows: NDArray[np.floating]
    codes: NDArray[np.int64]
    weights: NDArray[np.float64]
    live: NDArray[np.bool_]


class Found(NamedTuple):
    """Where examples are: for each id the number of its part, and its place there."""

    ids: NDArray[np.int64]
    owners: NDArray[np.int64]
    places: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The mapped parts of a version and the changes to them, those in the manifest last."""

    folder: Path
    manifest: Manifest
    parts: tuple[Part, ...]
    levels: tuple[Level, ...]

    @classmethod
    def load(cls, folder: Path, manifest: Manifest, known: Snapshot | None = None) -> Self:
        """Map the files that a manifest names, those of a snapshot that is open already aside."""
        parts: dict[object, Part] = {}
        levels: dict[object, Level] = {}
        if known is not None and known.manifest.dtype == manifest.dtype:
            parts.update(zip(known.manifest.parts, known.parts, strict=True))
            levels.update(zip(known.manifest.levels, known.levels[:-1], strict=True))
        for part in manifest.parts:
            if part not in parts:
                parts[part] = Part(folder, part, manifest.n_features, manifest.dtype)
        for level in manifest.levels:
            if level not in levels:
                levels[level] = Level.read(folder, level)
        recent = Level(
            np.array(manifest.recent_ids, dtype=np.int64),
            np.array(manifest.recent_codes, dtype=np.int32),
        )
        return cls(
            folder,
            manifest,
            tuple(parts[part] for part in manifest.parts),
            (*(levels[level] for level in manifest.levels), recent),
        )

    @classmethod
    def newest(cls, folder: Path, known: Snapshot | None = None) -> Self:
        """Load the version in force, or the next if a writer replaces it meanwhile."""
        manifest = read(folder)
        while True:
            try:
                return cls.load(folder, manifest, known)
            except FileNotFoundError as error:
                again = read(folder)
                if again == manifest:
                    damaged(Path(error.filename), "the manifest names it, but it is absent", error)
                manifest = again

    def pieces(self, rows: int) -> Iterator[tuple[Part, slice, Chunk]]:
        """Give the parts in order, cut into chunks of at most so many rows."""
        for part in self.parts:
            for start in range(0, part.entry.rows, rows):
                here = slice(start, min(start + rows, part.entry.rows))
                yield part, here, self.chunk(part, here)
            part.release_all()

    def stream(self, rows: int) -> Iterator[Chunk]:
        """Give all chunks; the disk reads ahead, and what was read leaves memory."""
        for part, here, chunk in self.pieces(rows):
            part.expect(here.stop, min(here.stop + rows, part.entry.rows))
            yield chunk
            part.release(here.start, here.stop)

    def chunk(self, part: Part, here: slice) -> Chunk:
        """Give some rows of a part with the changes to them."""
        columns = part.columns
        ids, weights = columns.ids[here], columns.weights[here]
        codes = columns.codes[here].astype(np.int64)
        apply(self.levels, ids, codes)
        live = codes != FORGOTTEN
        if not live.all():
            weights = np.where(live, weights, 0.0)
        return Chunk(ids, columns.rows[here], codes, weights, live)

    def is_changed(self, part: Part) -> bool:
        """Tell whether an example of a part is forgotten or has another label."""
        bounds = [part.entry.first, part.entry.last + 1]
        for level in self.levels:
            start, stop = np.searchsorted(level.ids, bounds)
            if (part.find(level.ids[start:stop]) >= 0).any():
                return True
        return False

    def class_mass(self) -> NDArray[np.float64]:
        """Add up the weights of each class, in the order of the ids."""
        n_classes = len(self.manifest.classes)
        mass = np.zeros(n_classes)
        for _, _, chunk in self.pieces(1 << 16):
            # The sums so far go first: np.bincount adds in order, as over all examples at once.
            index = np.concatenate([np.arange(n_classes), chunk.codes[chunk.live]])
            weights = np.concatenate([mass, chunk.weights[chunk.live]])
            mass = np.bincount(index, weights).astype(np.float64, copy=False)
        return mass

    def multiset(self) -> tuple[int, int]:
        """Count the examples with a weight, and hash them as a multiset."""
        classes = as_array(self.manifest.classes, self.manifest.kind)
        count, total = 0, 0
        for chunk in self.stream(1 << 14):
            here = chunk.weights > 0.0
            rows = chunk.rows[here].astype(np.float64)
            total += multiset_hash(rows, chunk.codes[here], chunk.weights[here], classes)
            count += len(rows)
        return count, total % 2**2048

    def rows_at(self, found: Found) -> NDArray[np.floating]:
        """Copy the rows of examples."""
        rows = np.empty((found.ids.size, self.manifest.n_features), self.manifest.dtype)
        for owner in np.unique(found.owners).tolist():
            mine = found.owners == owner
            rows[mine] = self.parts[owner].columns.rows[found.places[mine]]
        return rows

    def find(self, ids: ArrayLike) -> Found:
        """Check ids, and tell where they are."""
        wanted = _id_vector(ids)
        distinct, inverse = np.unique(wanted, return_inverse=True)
        state = np.zeros(distinct.size, dtype=np.int64)
        apply(self.levels, distinct, state)
        gone = state[inverse] == FORGOTTEN
        firsts = [part.entry.first for part in self.parts]
        owners = np.searchsorted(firsts, wanted, side="right") - 1
        places = np.full(wanted.size, -1)
        for owner in np.unique(owners[owners >= 0]).tolist():
            mine = owners == owner
            places[mine] = self.parts[owner].find(wanted[mine])
        missing = wanted[gone | (places < 0)]
        if missing.size:
            names = ", ".join(map(str, missing[:5].tolist()))
            more = ", ..." if missing.size > 5 else ""
            raise ValueError(
                f"{missing.size} of the ids are unknown or forgotten ({names}{more}); "
                "nothing was done, give ids of this store only"
            )
        return Found(wanted, owners, places)


def _id_vector(ids: ArrayLike) -> NDArray[np.int64]:
    given = np.atleast_1d(np.asarray(ids))
    if given.ndim == 1 and given.size == 0:
        return np.empty(0, dtype=np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise TypeError(
            f"ids must be a vector of integers, {given.dtype} of shape {given.shape} was got"
        )
    if given.dtype.kind == "u":
        # No id is that large; without this it would come out negative or as another's.
        given = np.minimum(given.astype(np.uint64), np.uint64(2**63 - 1))
    return given.astype(np.int64)
