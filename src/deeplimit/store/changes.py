"""Changes to stored examples: which are forgotten, and which have another label by now."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deeplimit.store.manifest import LevelEntry, damaged

__all__ = ["FORGOTTEN", "Level", "apply", "merge"]

FORGOTTEN = -1


@dataclass(frozen=True, eq=False)
class Level:
    """New codes of some examples, by ascending id; `FORGOTTEN` for those that are gone."""

    ids: NDArray[np.int64]
    codes: NDArray[np.int32]

    @classmethod
    def empty(cls) -> Level:
        """Give no changes."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32))

    def to_bytes(self) -> bytes:
        """Give the file's content: all ids, then all codes."""
        return self.ids.astype("<i8").tobytes() + self.codes.astype("<i4").tobytes()

    @classmethod
    def read(cls, folder: Path, entry: LevelEntry) -> Level:
        """Read a file of changes and check it."""
        path = folder / entry.name
        data = path.read_bytes()
        if len(data) != 12 * entry.count or zlib.crc32(data) != entry.crc:
            damaged(path, f"its {len(data)} bytes are not those that were written")
        ids = np.frombuffer(data, dtype="<i8", count=entry.count).astype(np.int64)
        codes = np.frombuffer(data, dtype="<i4", offset=8 * entry.count).astype(np.int32)
        return cls(ids, codes)


def merge(old: Level, new: Level) -> Level:
    """Join two levels; where both know an example, the new one holds."""
    ids = np.concatenate([new.ids, old.ids])
    codes = np.concatenate([new.codes, old.codes])
    # Of equal ids np.unique gives the first.
    distinct, first = np.unique(ids, return_index=True)
    return Level(distinct, codes[first])


def apply(levels: Sequence[Level], ids: NDArray[np.int64], codes: NDArray[np.int64]) -> None:
    """Bring the codes of some ascending ids up to date, in place."""
    if not ids.size:
        return
    for level in levels:
        start = np.searchsorted(level.ids, ids[0])
        stop = np.searchsorted(level.ids, ids[-1], side="right")
        inside = level.ids[start:stop]
        places = np.searchsorted(ids, inside)
        here = ids[places] == inside
        codes[places[here]] = level.codes[start:stop][here]
