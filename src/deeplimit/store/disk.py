"""The calls to the operating system that change a store, each one step of what a crash can cut."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = [
    "NewFile",
    "ends_of",
    "lock",
    "make_folder",
    "open_new",
    "rename",
    "sync",
    "sync_folder",
    "unlink",
    "write",
]

Bytes = bytes | memoryview

# Of a file that is too long to be read whole at each opening, its ends are: an Arrow file's
# description of itself stands there.
END_BYTES = 1 << 16


def make_folder(path: Path) -> None:
    """Make a folder; one that is there already stays as it is."""
    path.mkdir(exist_ok=True)


def open_new(path: Path) -> int:
    """Open a file for writing and reading, emptied if a crash left one of this name."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)


def write(descriptor: int, data: Bytes) -> None:
    """Write all of the data."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync(descriptor: int) -> None:
    """Wait until a file's bytes are on the disk."""
    os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until a folder's names are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path) -> None:
    """Put a file in the place of another, in one step."""
    os.replace(source, target)


def unlink(path: Path) -> None:
    """Remove a file's name; who has it mapped goes on reading."""
    path.unlink(missing_ok=True)


def lock(path: Path) -> int | None:
    """Take the writer's lock; None if another holds it. It ends with the process, however."""
    # Here, not above: the rest of the package works without POSIX.
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class NewFile:
    """A file being written: it counts and sums its bytes, and is on the disk when it is left."""

    closed = False  # asked for by Arrow's writer

    def __init__(self, path: Path) -> None:
        self._descriptor = open_new(path)
        self.size = 0
        self.crc = 0
        self.ends = 0

    def write(self, data: Bytes) -> None:
        """Write the next bytes."""
        write(self._descriptor, data)
        self.size += memoryview(data).nbytes
        self.crc = zlib.crc32(data, self.crc)

    def flush(self) -> None:
        """Do nothing: there is no buffer here, and the file is synced when it is left."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                head = os.pread(self._descriptor, END_BYTES, 0)
                tail = os.pread(self._descriptor, END_BYTES, max(0, self.size - END_BYTES))
                self.ends = ends_of(head, tail)
                sync(self._descriptor)
        finally:
            os.close(self._descriptor)


def ends_of(head: Bytes, tail: Bytes) -> int:
    """Give the checksum of a file's first and last bytes."""
    return zlib.crc32(tail, zlib.crc32(head))
