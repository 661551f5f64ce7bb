"""Damage to any file of a store is noticed, and the message names the file."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest

from deeplimit.store import ExampleStore
from deeplimit.store.manifest import is_own, read
from store.contents import contents, rows_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    with ExampleStore.create(path, 2) as store:
        store.append(rows_for(0, 20_000, 2), ["a", "b"] * 10_000)
        store.forget(range(6, 300))
        store.relabel([5], ["ä\ud800"])
    return path


def file_of(folder: Path, kind: str) -> Path:
    return next(folder.glob(f"{kind}*"))


@pytest.mark.parametrize("kind", ["manifest", "part", "changes"])
@pytest.mark.parametrize("mode", ["r", "a"])
def test_a_file_cut_short(folder: Path, kind: str, mode: str) -> None:
    path = file_of(folder, kind)
    data = path.read_bytes()
    for length in (0, 1, len(data) // 2, len(data) - 1, len(data) + 1):
        path.write_bytes((data + b"\0")[:length])
        with pytest.raises(ValueError, match=path.name):
            ExampleStore.open(folder, mode)  # type: ignore[arg-type]
    path.write_bytes(data)
    ExampleStore.open(folder, mode).close()  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "step"), [("manifest", 1), ("changes", 13)])
def test_an_altered_byte(folder: Path, kind: str, step: int) -> None:
    path = file_of(folder, kind)
    data = path.read_bytes()
    for place in range(0, len(data), step):
        altered = bytearray(data)
        altered[place] ^= 1 + place % 255
        path.write_bytes(altered)
        with pytest.raises(ValueError, match=path.name):
            ExampleStore.open(folder)


def test_altered_bytes_of_a_part(folder: Path) -> None:
    """Opening looks at the ends, where Arrow's description stands; `verify` looks at it all."""
    path = file_of(folder, "part")
    data = path.read_bytes()
    assert len(data) > 3 << 16
    for place in [*range(0, 1000, 17), (1 << 16) - 1, -1, -500, -(1 << 16)]:
        altered = bytearray(data)
        altered[place] ^= 1 + place % 255
        path.write_bytes(altered)
        with pytest.raises(ValueError, match=path.name):
            ExampleStore.open(folder)
    altered = bytearray(data)
    altered[len(data) // 2] ^= 1
    path.write_bytes(altered)
    with (
        ExampleStore.open(folder) as store,
        pytest.raises(ValueError, match=rf"{path.name}.*checksum"),
    ):
        store.verify()
    path.write_bytes(data)
    with ExampleStore.open(folder) as store:
        store.verify()
        assert contents(store)[5][1] == "ä\ud800"


@pytest.mark.parametrize("kind", ["part", "changes"])
def test_an_absent_file(folder: Path, kind: str) -> None:
    path = file_of(folder, kind)
    path.unlink()
    with pytest.raises(ValueError, match=rf"{path.name}.*absent"):
        ExampleStore.open(folder)


def test_swapped_parts(tmp_path: Path) -> None:
    """Two parts of one length and the same description."""
    for name in ("one", "two"):
        with ExampleStore.create(tmp_path / name, 2) as store:
            store.append(rows_for(ord(name[0]), 5, 2), ["a"] * 5)
    file_of(tmp_path / "one", "part").write_bytes(file_of(tmp_path / "two", "part").read_bytes())
    with pytest.raises(ValueError, match="checksum"):
        ExampleStore.open(tmp_path / "one")


def rewrite(folder: Path, head: bytes, body: bytes) -> None:
    sums = f" {zlib.crc32(body):08x} {len(body)}\n".encode()
    (folder / "manifest").write_bytes(head + sums + body)


@pytest.mark.parametrize(
    ("head", "body", "message"),
    [
        (b"deeplimit-store 2", b"{}", "format version"),
        (b"another-store 1", b"{}", "does not begin"),
        (b"deeplimit-store 1", b"{}", "does not describe"),
        (b"deeplimit-store 1", b"[1]", "does not describe"),
        (b"deeplimit-store 1", b"[" * 3, "does not describe"),
        (b"deeplimit-store 1", b'{"classes": [], "parts": [], "levels": []}', "not describe"),
    ],
)
def test_a_manifest_of_something_else(folder: Path, head: bytes, body: bytes, message: str) -> None:
    rewrite(folder, head, body)
    with pytest.raises(ValueError, match=message):
        ExampleStore.open(folder)


def test_parts_of_another_shape(folder: Path) -> None:
    body = json.loads((folder / "manifest").read_bytes().partition(b"\n")[2])
    rewrite(folder, b"deeplimit-store 1", json.dumps(body | {"n_features": 3}).encode())
    with pytest.raises(ValueError, match=r"part-.*20000 rows of 3 float32"):
        ExampleStore.open(folder)


def test_a_manifest_is_small_and_its_names_are_its_own(folder: Path) -> None:
    assert (folder / "manifest").stat().st_size < 1000
    manifest = read(folder)
    assert all(map(is_own, manifest.names()))
    assert not any(map(is_own, ["manifest", "lock", "part-1.arrow", "part-00000001.arrow.bak"]))
