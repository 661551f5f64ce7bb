"""A draft: files of a version to come, removed again unless it is committed."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

from deeplimit.store import disk
from deeplimit.store.changes import Level
from deeplimit.store.manifest import LevelEntry, PartEntry
from deeplimit.store.parts import Columns

__all__ = ["Draft"]


class Draft:
    """New files that no manifest names yet."""

    def __init__(self, folder: Path, serial: int) -> None:
        self.serial = serial
        self.keep = False
        self._folder = folder
        self._paths: list[Path] = []

    def part(self, columns: Columns) -> PartEntry:
        """Write a part."""
        return columns.write(self._next("part", "arrow"))

    def level(self, level: Level) -> LevelEntry:
        """Write a file of changes."""
        path = self._next("changes", "bin")
        with disk.NewFile(path) as file:
            file.write(level.to_bytes())
        return LevelEntry(path.name, file.crc, level.ids.size)

    def _next(self, kind: str, suffix: str) -> Path:
        path = self._folder / f"{kind}-{self.serial:08d}.{suffix}"
        self.serial += 1
        self._paths.append(path)
        return path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.keep:
            return
        # What can't be removed now is removed when a writer opens the store.
        with contextlib.suppress(OSError):
            for path in self._paths:
                disk.unlink(path)
