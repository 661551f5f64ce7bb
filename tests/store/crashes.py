"""A disk that stops after so many steps, and what it may hold then."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deeplimit.store import disk

Files = dict[str, bytes]


class Crash(BaseException):
    """The process is gone: nobody handles this."""


class File:
    """The bytes of a file as written so far, and as they are sure to be on the disk."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = self.sure = data


class Machine:
    """Counts the steps of a store on the disk, stops at one, and knows what a power cut leaves.

    A write that is cut short leaves half of its bytes. Names that were made, replaced or removed
    since the folder was synced may have reached the disk or not, each for itself; bytes of a file
    likewise since it was synced.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, stop: int | None) -> None:
        self.steps = 0
        self._stop = stop
        self._sure = {name: File(data) for name, data in files_of(folder).items()}
        self._names = dict(self._sure)
        self._pending: list[tuple[str, str, File | None]] = []
        self._open: dict[int, File] = {}
        self._real = {
            name: getattr(disk, name)
            for name in ("open_new", "write", "sync", "sync_folder", "rename", "unlink")
        }
        for name in self._real:
            patch.setattr(disk, name, getattr(self, name))

    def _step(self) -> None:
        self.steps += 1
        if self._stop is not None and self.steps > self._stop:
            raise Crash

    def open_new(self, path: Path) -> int:
        self._step()
        descriptor: int = self._real["open_new"](path)
        file = self._names.get(path.name)
        if file is None:
            file = self._names[path.name] = File()
            self._pending.append(("name", path.name, file))
        file.data = b""
        self._open[descriptor] = file
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        data = bytes(data)
        try:
            self._step()
        except Crash:
            if self.steps == (self._stop or 0) + 1:
                self._open[descriptor].data += data[: len(data) // 2]
            raise
        self._real["write"](descriptor, data)
        self._open[descriptor].data += data

    def sync(self, descriptor: int) -> None:
        self._step()
        self._open[descriptor].sure = self._open[descriptor].data

    def sync_folder(self, path: Path) -> None:
        self._step()
        self._pending.clear()
        self._sure = dict(self._names)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        self._real["rename"](source, target)
        file = self._names.pop(source.name)
        self._names[target.name] = file
        self._pending += [("rename", f"{source.name}/{target.name}", file)]

    def unlink(self, path: Path) -> None:
        self._step()
        self._real["unlink"](path)
        if self._names.pop(path.name, None) is not None:
            self._pending.append(("unlink", path.name, None))

    def remains(self) -> Iterator[Files]:
        """Give every state that the disk may be in."""
        choices = itertools.product((False, True), repeat=len(self._pending))
        for choice, sure in itertools.product(choices, (False, True)):
            names = dict(self._sure)
            for (kind, name, file), reached in zip(self._pending, choice, strict=True):
                if not reached:
                    continue
                source, _, target = name.partition("/")
                if file is None or kind == "rename":
                    names.pop(source, None)
                if file is not None:
                    names[target or source] = file
            yield {name: file.sure if sure else file.data for name, file in names.items()}


def files_of(folder: Path) -> Files:
    return {name: (folder / name).read_bytes() for name in os.listdir(folder)}


def put(files: Files, folder: Path) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
