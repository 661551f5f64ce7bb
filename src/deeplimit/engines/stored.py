"""Shards of a store on disk: each is read where it is summed, and leaves memory again."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.engines.shards import ShardRows
from deeplimit.store.snapshot import Snapshot

__all__ = ["StoreShard", "shards_of"]

Floats = NDArray[np.float64]

#: Rows of a shard: few enough that the cache still holds them when they are laid out.
SHARD_ROWS = 65_536
# Rows that the disk reads ahead.
_AHEAD = 4 * SHARD_ROWS


class StoreShard:
    """Some consecutive examples of one version of a store.

    Pickled, it is the name of the folder and of the version: a worker opens the store itself, by
    the same path.

    Parameters
    ----------
    snapshot : Snapshot
        The version.
    part, start, stop : int
        Which part of it, and which rows.
    first : int
        Number of the first of the examples, counted through the store.
    weight : ndarray of shape (stop - start,), optional
        Weights instead of those of the store.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        part: int,
        start: int,
        stop: int,
        first: int,
        weight: Floats | None = None,
    ) -> None:
        self._snapshot: Snapshot | None = snapshot
        self._version = Path(snapshot.folder).absolute(), snapshot.manifest.version
        self._place = part, start, stop, first
        self._weight = weight

    def load(self) -> ShardRows:
        """Read the examples.

        Returns
        -------
        ShardRows
            Its `ids` are their numbers, counted through the store.

        Raises
        ------
        ValueError
            If the store has to be opened, and has gone on to another version.
        """
        part, start, stop, first = self._place
        snapshot = _opened(*self._version) if self._snapshot is None else self._snapshot
        held, here = snapshot.parts[part], slice(start, stop)
        # Another machine may have no use for what follows here.
        self._expect(snapshot, stop - start if self._snapshot is None else _AHEAD)
        chunk = snapshot.chunk(held, here)
        # Copied, and given back: a mapped page would count as memory for as long as it is mapped.
        rows = np.array(chunk.rows)
        held.release(start, stop)
        weight = chunk.weights if self._weight is None else self._weight
        codes = np.where(chunk.live, chunk.codes, 0)
        ones = bool(np.all(weight == 1.0))
        return ShardRows(rows, codes, None if ones else weight, np.arange(first, first + len(rows)))

    def _expect(self, snapshot: Snapshot, rows: int) -> None:
        """Have the disk read some rows from the first of this shard on, while others are summed."""
        number, start, _, _ = self._place
        for part in snapshot.parts[number:]:
            stop = min(start + rows, part.entry.rows)
            part.expect(start, stop)
            rows -= stop - start
            if rows <= 0:
                break
            start = 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_snapshot": None}


def shards_of(
    snapshot: Snapshot, weight: Floats | None = None, rows: int = SHARD_ROWS
) -> list[StoreShard]:
    """Cut a version of a store into shards.

    Parameters
    ----------
    snapshot : Snapshot
        The version.
    weight : ndarray of shape (n,), optional
        Weights of all examples of the store, forgotten ones included, instead of its own.
    rows : int, default=65536
        Most rows of a shard.

    Returns
    -------
    list of StoreShard
    """
    shards, first = [], 0
    for number, part in enumerate(snapshot.parts):
        for start in range(0, part.entry.rows, rows):
            stop = min(start + rows, part.entry.rows)
            own = None if weight is None else weight[first : first + stop - start]
            shards.append(StoreShard(snapshot, number, start, stop, first, own))
            first += stop - start
    return shards


@lru_cache(maxsize=4)
def _opened(folder: Path, version: int) -> Snapshot:
    snapshot = Snapshot.newest(folder)
    if snapshot.manifest.version != version:
        raise ValueError(
            f"the store {folder} is at version {snapshot.manifest.version} and no longer at "
            f"{version}, which is asked for: make the classifier anew, or let its writer rest."
        )
    return snapshot
