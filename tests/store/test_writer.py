"""A crash at every step of every operation: nothing that was acknowledged is lost."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from deeplimit.store import ExampleStore, disk, writer
from deeplimit.store.manifest import read
from store.contents import Contents, Operation, contents, expected, histories, perform
from store.crashes import Crash, Files, Machine, files_of, put

HISTORY: list[Operation] = [
    ("append", 1, 5),
    ("append", 2, 3),  # joins the part before
    ("forget", [1]),  # stays in the manifest
    ("relabel", [7, 0], 9),  # a level with that before
    ("append", 3, 40),  # two parts
    ("forget", [0, 2, 20]),  # joins the level before
    ("relabel", [4], 4),  # stays in the manifest
    ("append", 4, 2),
    ("compact",),
    ("compact",),  # has nothing to do
    ("forget", [3, 4, 5, 6, 7]),
    ("compact", 0),
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make parts of 24 rows, tails of 8 and levels of 3 changes; wait for no disk: it is mimed."""
    monkeypatch.setattr(disk, "sync", lambda descriptor: None)
    monkeypatch.setattr(disk, "sync_folder", lambda path: None)
    monkeypatch.setattr(writer, "PART_BYTES", 24 * 28)
    monkeypatch.setattr(writer, "TAIL_BYTES", 8 * 28)
    monkeypatch.setattr(writer, "RECENT", 2)


def stages(folder: Path) -> list[Files]:
    """Give the files before the first operation, between each two and after the last."""
    with ExampleStore.create(folder, 2) as store:
        found = [files_of(folder)]
        for operation in HISTORY:
            perform(store, operation)
            found.append(files_of(folder))
    return found


def crash(folder: Path, stop: int, act: Callable[[], None]) -> Machine | None:
    """Act on a disk that stops after so many steps; None if it is done before."""
    with pytest.MonkeyPatch.context() as patch:
        machine = Machine(folder, patch, stop)
        try:
            act()
        except Crash:
            return machine
    return None


def check_recovery(folder: Path, allowed: list[Contents]) -> None:
    """Open what a crash left: in an allowed state, tidy, and ready for more."""
    with ExampleStore.open(folder) as store:
        assert contents(store) in allowed
        store.verify()
    with ExampleStore.open(folder, "a") as store:
        seen = contents(store)
        assert seen in allowed
        manifest = read(folder)
        assert set(os.listdir(folder)) == manifest.names() | {"manifest", "lock"}
        more: Operation = ("append", 5, 2)
        perform(store, more)
    with ExampleStore.open(folder) as store:
        assert contents(store) == expected(seen, manifest.next_id, 2, more)[0]


def survive(tmp_path: Path, start: Files, operation: Operation, allowed: list[Contents]) -> int:
    """Crash at every step of opening and an operation, and recover; give the number of states."""
    checked: set[frozenset[tuple[str, bytes]]] = set()
    for stop in itertools.count():
        folder = put(start, tmp_path / f"{stop}")

        def act(folder: Path = folder) -> None:
            with ExampleStore.open(folder, "a") as store:
                perform(store, operation)

        machine = crash(folder, stop, act)
        if machine is None:
            return len(checked)
        # A process that was killed leaves what it wrote, a power cut any of what may remain.
        for files in (files_of(folder), *machine.remains()):
            state = frozenset(files.items())
            if state not in checked:
                check_recovery(put(files, tmp_path / f"{stop}-{len(checked)}"), allowed)
                checked.add(state)
    raise AssertionError


@pytest.mark.parametrize("place", range(len(HISTORY)), ids=lambda k: f"{k}-{HISTORY[k][0]}")
def test_crash_at_every_step(tmp_path: Path, small: None, place: int) -> None:
    states = histories(HISTORY, 2)
    start = stages(tmp_path / "whole")[place]
    count = survive(tmp_path, start, HISTORY[place], states[place : place + 2])
    assert count > 3 or place == 9  # which has nothing to do


def test_crash_while_tidying(tmp_path: Path, small: None) -> None:
    states = histories(HISTORY, 2)
    start = stages(tmp_path / "whole")[4]
    litter = {"part-00000099.arrow": b"half", "manifest.tmp": b"{"}
    count = survive(tmp_path, start | litter, HISTORY[4], states[4:6])
    assert count > 20


def test_crash_while_created(tmp_path: Path) -> None:
    absent, present = 0, 0
    for stop in itertools.count():
        folder = put({}, tmp_path / f"{stop}")
        machine = crash(folder, stop, lambda folder=folder: ExampleStore.create(folder, 2).close())
        if machine is None:
            break
        for number, files in enumerate(machine.remains()):
            copy = put(files, tmp_path / f"{stop}-{number}")
            present += "manifest" in files
            if "manifest" not in files:
                absent += 1
                with pytest.raises(FileNotFoundError, match="no store"):
                    ExampleStore.open(copy)
                ExampleStore.create(copy, 2).close()
            check_recovery(copy, [{}])
    assert absent > 0 and present > 0


def test_the_folder_itself_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(disk, "sync_folder", synced.append)
    monkeypatch.chdir(tmp_path)
    ExampleStore.create("store", 1).close()
    assert tmp_path in synced


@pytest.mark.parametrize("name", ["sync", "sync_folder"])
def test_machine_finds_a_missing_sync(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The simulated power cut does fail a store that would not wait for its disk."""
    states = histories(HISTORY, 2)
    start = stages(tmp_path / "whole")[4]
    monkeypatch.setattr(Machine, name, lambda machine, _: machine._step())
    with pytest.raises((AssertionError, ValueError, FileNotFoundError)):
        survive(tmp_path, start, HISTORY[4], states[4:6])


@pytest.mark.parametrize("name", ["write", "sync", "open_new", "rename", "sync_folder"])
def test_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An error is raised; the old state can be read on, and the store goes on or must be opened."""
    first, second, third = histories([("append", 1, 5), ("append", 2, 3)], 2)
    assert first == {}
    folder = tmp_path / "store"
    with ExampleStore.create(folder, 2) as store:
        perform(store, ("append", 1, 5))

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(disk, name, full)
            with pytest.raises(OSError, match="No space left"):
                perform(store, ("append", 2, 3))
        assert contents(store) == second
        if name in ("rename", "sync_folder"):
            with pytest.raises(ValueError, match="earlier write to this store failed"):
                perform(store, ("append", 2, 3))
        else:
            assert set(os.listdir(folder)) == read(folder).names() | {"manifest", "lock"}
            perform(store, ("append", 2, 3))
            assert contents(store) == third
    with ExampleStore.open(folder, "a") as store:
        assert contents(store) in (second, third)


def test_second_writer_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with ExampleStore.create(folder, 1) as store:
        store.append([[1.0]], [0])
        with pytest.raises(BlockingIOError, match="open for writing already"):
            ExampleStore.open(folder, "a")
        with ExampleStore.open(folder) as reader:
            assert len(reader) == 1
    with ExampleStore.open(folder, "a") as store:
        assert len(store) == 1


def test_a_commit_just_before_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "store"
    ExampleStore.create(folder, 1).close()

    def late(path: Path) -> int | None:
        monkeypatch.undo()
        with ExampleStore.open(folder, "a") as other:
            other.append([[1.0]], ["a"])
        return disk.lock(path)

    monkeypatch.setattr(disk, "lock", late)
    with ExampleStore.open(folder, "a") as store:
        assert store.append([[2.0]], ["b"]).tolist() == [1]
        assert store.classes.tolist() == ["a", "b"]


def test_create_refuses_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    ExampleStore.create(folder, 1).close()
    with pytest.raises(FileExistsError, match="holds a store already"):
        ExampleStore.create(folder, 1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds something else"):
        ExampleStore.create(tmp_path / "other", 1)
    with pytest.raises(FileExistsError, match=r"notes.txt' is a file already; name a new folder"):
        ExampleStore.create(tmp_path / "other" / "notes.txt", 1)
    ExampleStore.open(folder, "a").close()


def test_create_says_that_there_is_a_store_while_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with ExampleStore.create(folder, 1) as store:
        with pytest.raises(FileExistsError, match="holds a store already; name a new folder"):
            ExampleStore.create(folder, 1)
        assert store.append([[1.0]], [0]).tolist() == [0]


def test_create_needs_the_folder_above(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder '.*absent' to make a store in: make"):
        ExampleStore.create(tmp_path / "absent" / "store", 1)
    assert not os.listdir(tmp_path)


def test_tidying_leaves_other_files(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    ExampleStore.create(folder, 1).close()
    (folder / "README").write_text("mine")
    (folder / "part-1.arrow").write_text("mine")
    (folder / "part-00000007.arrow").write_text("a crash")
    ExampleStore.open(folder).close()
    assert (folder / "part-00000007.arrow").exists()
    ExampleStore.open(folder, "a").close()
    assert set(os.listdir(folder)) == {"README", "part-1.arrow", "manifest", "lock"}
