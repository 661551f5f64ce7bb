"""The manifest: one small file that says what a store holds; renaming it is the commit."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from deeplimit.store import disk
from deeplimit.store.labels import ClassList, Kind

__all__ = ["LevelEntry", "Manifest", "PartEntry", "commit", "damaged", "is_own", "read"]

NAME = "manifest"
TEMPORARY = "manifest.tmp"
LOCK = "lock"
_FORMAT = "deeplimit-store"
_VERSION = 1
_OWN = re.compile(r"part-\d{8,}\.arrow|changes-\d{8,}\.bin|manifest\.tmp")


@dataclass(frozen=True)
class PartEntry:
    """What the manifest says of a part: its file, how to tell that it is whole, and its ids."""

    name: str
    size: int
    crc: int
    ends: int
    rows: int
    first: int
    last: int


@dataclass(frozen=True)
class LevelEntry:
    """What the manifest says of a file of changes."""

    name: str
    crc: int
    count: int


@dataclass(frozen=True)
class Manifest:
    """A state of a store: its parts in order, the changes to them, oldest first, the classes.

    The latest changes stand here themselves, so that a small one waits for one file.
    """

    n_features: int
    dtype: str
    kind: Kind | None = None
    classes: ClassList = ()
    version: int = 0
    serial: int = 0  # of the next file; no name is used twice
    next_id: int = 0
    live: int = 0
    parts: tuple[PartEntry, ...] = ()
    levels: tuple[LevelEntry, ...] = ()
    recent_ids: tuple[int, ...] = ()
    recent_codes: tuple[int, ...] = ()

    def names(self) -> set[str]:
        """Name the files this state consists of, the manifest aside."""
        return {part.name for part in self.parts} | {level.name for level in self.levels}


def commit(folder: Path, manifest: Manifest) -> None:
    """Write a manifest beside the one in force and put it in its place, durably."""
    body = json.dumps(asdict(manifest), separators=(",", ":")).encode()
    head = f"{_FORMAT} {_VERSION} {zlib.crc32(body):08x} {len(body)}\n".encode()
    with disk.NewFile(folder / TEMPORARY) as file:
        file.write(head + body)
    disk.rename(folder / TEMPORARY, folder / NAME)
    disk.sync_folder(folder)


def read(folder: Path) -> Manifest:
    """Read the manifest in force and check it."""
    path = folder / NAME
    try:
        head, newline, body = path.read_bytes().partition(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"There is no store of examples in {str(folder)!r}.") from None
    words = head.split()
    if len(words) != 4 or words[0] != _FORMAT.encode() or not newline:
        damaged(path, "it does not begin like the manifest of a store")
    if words[1] != str(_VERSION).encode():
        damaged(path, f"it has format version {words[1]!r}, this deeplimit reads {_VERSION}")
    if words[2:] != [f"{zlib.crc32(body):08x}".encode(), str(len(body)).encode()]:
        damaged(path, f"its {len(body)} bytes do not match their checksum")
    try:
        return _build(json.loads(body))
    except (KeyError, TypeError, ValueError) as error:
        damaged(path, f"it does not describe a store ({error})", error)


def is_own(name: str) -> bool:
    """Tell whether a name is one that a store gives to its files, manifest and lock aside."""
    return _OWN.fullmatch(name) is not None


def damaged(path: Path, reason: str, cause: BaseException | None = None) -> NoReturn:
    """Refuse a file."""
    raise ValueError(
        f"{str(path)!r} can't be read: {reason}; restore the store from a copy."
    ) from cause


def _build(fields: dict[str, Any]) -> Manifest:
    fields["classes"] = tuple(fields["classes"])
    fields["parts"] = tuple(PartEntry(**entry) for entry in fields["parts"])
    fields["recent_ids"] = tuple(fields["recent_ids"])
    fields["recent_codes"] = tuple(fields["recent_codes"])
    fields["levels"] = tuple(LevelEntry(**entry) for entry in fields["levels"])
    return Manifest(**fields)
