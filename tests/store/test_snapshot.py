"""Readers beside a writer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deeplimit.store import ExampleStore, snapshot
from deeplimit.store.manifest import Manifest
from store.contents import contents, perform


def test_a_version_replaced_while_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest that a reader read names parts that are gone by now: it reads the next."""
    folder = tmp_path / "store"
    with ExampleStore.create(folder, 2) as store:
        perform(store, ("append", 0, 6))
        real, seen = snapshot.read, []

        def slow(path: Path) -> Manifest:
            manifest = real(path)
            if not seen:
                store.forget([0])
                store.compact()
            seen.append(manifest.version)
            return manifest

        monkeypatch.setattr(snapshot, "read", slow)
        with ExampleStore.open(folder) as reader:
            assert contents(reader) == contents(store)
        assert seen == [1, 3]


def test_a_store_put_in_the_place_of_another(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with ExampleStore.create(tmp_path / name, 2) as store:
            perform(store, ("append", ord(name[0]), 5))
    with ExampleStore.open(tmp_path / "one") as reader:
        (tmp_path / "one").rename(tmp_path / "old")
        (tmp_path / "two").rename(tmp_path / "one")
        reader.refresh()
        with ExampleStore.open(tmp_path / "one") as other:
            assert contents(reader) == contents(other)


MEASURE = """
import resource, sys
from deeplimit.store import ExampleStore
with ExampleStore.open(sys.argv[1]) as store:
    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    before = peak()
    total = sum(float(chunk.rows.sum()) for chunk in store.chunks(4096))
    store.class_mass()
    store.verify()
    print(total, peak() - before)
"""


def test_memory_is_bounded_by_a_chunk(tmp_path: Path, root: Path) -> None:
    n, d = 100_000, 64
    with ExampleStore.create(tmp_path / "store", d, "float64") as store:
        store.append(np.ones((n, d)), np.zeros(n, int))
    answer = subprocess.run(
        # A process starts with the peak of the one that it was before: here it is a small shell.
        ["sh", "-c", '"$0" -c "$1" "$2" && true', sys.executable, MEASURE, tmp_path / "store"],
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    total, grown = map(float, answer.stdout.split())
    assert total == n * d
    # The rows take 50 MiB, a chunk and the one read ahead 4, a block of the checksum's 16.
    assert grown * 1024 < 30 * 2**20
