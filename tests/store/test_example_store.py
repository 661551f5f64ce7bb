"""The store as its users see it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimit.examples import fingerprint, multiset_hash
from deeplimit.store import ExampleStore, disk, writer
from deeplimit.store.manifest import read
from store.contents import contents, expected, perform


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExampleStore]:
    with ExampleStore.create(tmp_path / "store", 2, dtype="float64") as store:
        yield store


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


@settings(max_examples=50)
@given(st.data())
def test_histories(data: st.DataObject) -> None:
    """Whatever is done, the store holds what a dictionary would, and so it does when reopened."""
    state, next_id = {}, 0
    with tempfile.TemporaryDirectory() as temporary, pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "sync", lambda descriptor: None)
        patch.setattr(disk, "sync_folder", lambda path: None)
        patch.setattr(writer, "PART_BYTES", data.draw(st.sampled_from([1, 300, 1 << 20])))
        patch.setattr(writer, "RECENT", data.draw(st.sampled_from([0, 3, 256])))
        patch.setattr(writer, "TAIL_BYTES", data.draw(st.sampled_from([0, 100, 1 << 20])))
        folder = Path(temporary, "store")
        store = ExampleStore.create(folder, 3)
        for _ in range(data.draw(st.integers(0, 12))):
            kind = data.draw(st.sampled_from(["append", "forget", "relabel", "compact", "open"]))
            if kind == "open":
                store.close()
                store = ExampleStore.open(folder, "a")
                continue
            seed = data.draw(st.integers(0, 9))
            ids = data.draw(st.permutations(sorted(state)))[: data.draw(st.integers(0, 9))]
            operation = {
                "append": ("append", seed, data.draw(st.integers(0, 20))),
                "forget": ("forget", ids),
                "relabel": ("relabel", ids, seed),
                "compact": ("compact", data.draw(st.sampled_from([0, 5, 100]))),
            }[kind]
            state, next_id = expected(state, next_id, 3, operation)
            perform(store, operation)
            assert contents(store) == state
        store.close()
        with ExampleStore.open(folder) as store:
            assert contents(store) == state
            store.verify()


def test_ids_go_on_and_are_never_used_again(store: ExampleStore) -> None:
    assert store.append([[0, 0], [1, 1]], ["a", "b"]).tolist() == [0, 1]
    store.forget([1])
    store.compact()
    assert store.append([[2, 2]], ["c"]).tolist() == [2]
    store.forget([0, 2])
    store.compact()
    assert len(store) == 0 and list(store.chunks()) == []
    assert store.append([[3, 3]], ["a"]).tolist() == [3]
    assert store.classes.tolist() == ["a", "b", "c"]
    assert store.class_mass().tolist() == [1.0, 0.0, 0.0]


def test_nothing_changes_nothing(store: ExampleStore) -> None:
    assert store.append(np.empty((0, 2)), []).tolist() == []
    store.forget([])
    store.relabel([], [])
    store.compact()
    assert store.version == 0 and len(store) == 0
    assert store.class_mass().shape == (0,) and store.rows_of([]).shape == (0, 2)
    assert store.classes.shape == (0,)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_keep_their_bits(tmp_path: Path, dtype: Any) -> None:
    info = np.finfo(dtype)
    X = np.array([[0.1, -0.0], [info.max, info.smallest_subnormal]], dtype=dtype)
    with ExampleStore.create(tmp_path / "store", 2, dtype) as store:
        store.append(X, [0, 1], [1e-310, 1e300])
        chunk = next(store.chunks())
        assert (store.dtype, store.n_features) == (X.dtype, 2)
    assert chunk.rows.dtype == dtype and chunk.rows.tobytes() == X.tobytes()
    assert chunk.weights.tolist() == [1e-310, 1e300]


def test_chunks_are_views_and_outlive_the_store(tmp_path: Path) -> None:
    X = np.arange(600, dtype=np.float32).reshape(300, 2)
    with ExampleStore.create(tmp_path / "store", 2) as store:
        store.append(X, np.arange(300) % 3)
        store.forget(range(0, 300, 2))
        chunks = list(store.chunks(64))
        assert [len(chunk.ids) for chunk in chunks] == [64, 64, 64, 64, 44]
        base = chunks[0].rows.ctypes.data
        for k, chunk in enumerate(chunks):
            assert chunk.rows.ctypes.data == base + k * 64 * 8, "a copy"
            assert chunk.rows.flags.c_contiguous and not chunk.rows.flags.writeable
            assert (chunk.ids.dtype, chunk.codes.dtype) == (np.int64, np.int64)
        store.compact()
    assert np.concatenate([chunk.rows for chunk in chunks]).tobytes() == X.tobytes()


def test_a_reader_keeps_its_version(store: ExampleStore, tmp_path: Path) -> None:
    store.append(np.arange(8.0).reshape(4, 2), ["a", "b", "a", "b"])
    with ExampleStore.open(tmp_path / "store") as reader:
        before, version = contents(reader), reader.version
        running = reader.chunks(1)
        first = next(running)
        store.relabel([3], ["c"])
        store.forget([1])
        store.compact()
        assert contents(reader) == before and reader.version == version
        assert np.concatenate([first.ids, *(c.ids for c in running)]).tolist() == [0, 1, 2, 3]
        assert reader.refresh() is True
        assert contents(reader) == contents(store) and reader.version == store.version
        assert reader.refresh() is False
        assert store.refresh() is False


def test_own_chunks_go_on_while_the_store_changes(store: ExampleStore) -> None:
    store.append(np.arange(8.0).reshape(4, 2), ["a", "b", "a", "b"])
    running = store.chunks(2)
    next(running)
    store.forget([2, 3])
    store.compact()
    second = next(running)
    assert second.live.all() and second.rows.tolist() == [[4, 5], [6, 7]]


def test_compaction_removes_the_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    secret = np.float64(0.1234567890123456).tobytes()
    with ExampleStore.create(folder, 1, "float64") as store:
        store.append(np.linspace(0, 1, 5000)[:, None], np.zeros(5000, int))
        ids = store.append([[0.1234567890123456]], [1])
        full = size_of(folder)
        assert any(secret in path.read_bytes() for path in folder.iterdir())
        store.forget(ids)
        store.forget(range(4000))
        assert any(secret in path.read_bytes() for path in folder.iterdir())
        store.compact()
        assert not any(secret in path.read_bytes() for path in folder.iterdir())
        assert size_of(folder) < full / 4
        store.forget([4500])
        assert read(folder).recent_ids == (4500,)
        store.compact()
        assert (read(folder).levels, read(folder).recent_ids) == ((), ())


def test_compaction_joins_small_parts_and_leaves_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "TAIL_BYTES", 0)
    folder = tmp_path / "store"

    def rows() -> list[int]:
        return [part.rows for part in read(folder).parts]

    with ExampleStore.create(folder, 1) as store:
        for n in (5, 100, 3, 4, 2, 100):
            store.append(np.zeros((n, 1)), np.zeros(n, int))
        names = [part.name for part in read(folder).parts]
        store.compact(10)
        assert rows() == [5, 100, 9, 100]
        assert [part.name for part in read(folder).parts][::3] == [names[0], names[5]]
        version = store.version
        store.compact(10)
        assert store.version == version
        monkeypatch.setattr(writer, "PART_BYTES", 24 * 110)
        store.compact(1000)
        assert rows() == [105, 109]


@pytest.mark.parametrize("recent", [0, 256])
def test_small_changes_make_few_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recent: int
) -> None:
    monkeypatch.setattr(writer, "RECENT", recent)
    folder = tmp_path / "store"
    with ExampleStore.create(folder, 1) as store:
        for k in range(30):
            store.append([[k]], [k % 2])
        for k in range(25):
            store.forget([k])
            assert len(read(folder).levels) <= (6 if recent == 0 else 0)
        assert len(read(folder).parts) == 1
        assert next(store.chunks()).rows[25:, 0].tolist() == list(range(25, 30))


def test_mass_is_that_of_one_sum_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    y, w = rng.integers(0, 3, 500), rng.lognormal(0, 10, 500)
    gone = np.sort(rng.choice(500, 200, replace=False))
    kept = np.setdiff1d(np.arange(500), gone)
    with ExampleStore.create(tmp_path / "store", 1) as store:
        store.append(np.zeros((300, 1)), y[:300], w[:300])
        monkeypatch.setattr(writer, "TAIL_BYTES", 0)
        store.append(np.zeros((200, 1)), y[300:], w[300:])
        store.forget(gone)
        want = np.bincount(y[kept], w[kept]).tolist()
        assert store.class_mass().tolist() == want
        store.compact()
        assert store.class_mass().tolist() == want


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fingerprint_is_of_what_is_there(tmp_path: Path, dtype: Any) -> None:
    X = np.array([[0.5, -0.0], [1.5, 2.0], [0.5, 0.0], [4.0, 4.0], [9.0, 9.0]])
    y, w = np.array(["b", "a", "b", "c", "a"]), np.array([1.0, 2.0, 1.0, 3.0, 0.0])
    classes, codes = np.unique(y, return_inverse=True)
    with ExampleStore.create(tmp_path / "one", 2, dtype) as store:
        store.append(X, y, w)
        want = fingerprint({"n_features": 2}, 4, multiset_hash(X[:4], codes[:4], w[:4], classes))
        assert store.fingerprint() == want
        store.forget([1, 4])
        store.relabel([3], ["a"])
        changed = store.fingerprint()
        store.compact()
        assert changed == store.fingerprint() != want
    with ExampleStore.create(tmp_path / "two", 2) as store:
        store.append(X[[3, 0]], ["a", "b"], w[[3, 0]])
        assert store.fingerprint() != changed
        store.append(np.abs(X[[2]]), ["b"])
        assert store.fingerprint() == changed


def test_mass_beyond_a_double_is_an_error(store: ExampleStore) -> None:
    store.append([[0, 0], [1, 1]], [0, 0], [1.7e308, 1.7e308])
    with pytest.raises(ValueError, match="more than a float64 holds"):
        store.class_mass()


def test_rows_in_any_order_and_repeated(store: ExampleStore) -> None:
    store.append([[0, 1], [2, 3], [4, 5]], [0, 0, 0])
    assert store.rows_of([2, 0, 2]).tolist() == [[4, 5], [0, 1], [4, 5]]
    assert store.rows_of(1).tolist() == [[2, 3]]


def test_relabelling_pairs_ids_and_labels(store: ExampleStore) -> None:
    store.append(np.zeros((3, 2)), ["a", "a", "a"])
    store.relabel(np.array([2, 0], dtype=np.uint8), ["z", "b"])
    chunk = next(store.chunks())
    assert store.classes[chunk.codes].tolist() == ["b", "a", "z"]
    store.relabel([2], ["a"])
    assert next(store.chunks()).codes.tolist() == [1, 0, 0]


REFUSED: list[tuple[str, Callable[[ExampleStore], object], type[Exception], str]] = [
    ("nan", lambda s: s.append([[np.nan, 0]], [0]), ValueError, "X must be finite"),
    ("inf", lambda s: s.append([[np.inf, 0]], [0]), ValueError, "X must be finite"),
    ("columns", lambda s: s.append([[1.0]], [0]), ValueError, "2 columns is expected"),
    ("vector", lambda s: s.append([1.0, 2.0], [0]), ValueError, "2 columns is expected"),
    ("strings", lambda s: s.append([["a", "b"]], [0]), TypeError, "real numbers"),
    ("complex", lambda s: s.append([[1j, 0]], [0]), TypeError, "real numbers"),
    ("labels", lambda s: s.append([[0, 0]], [0, 1]), ValueError, "1 labels are expected"),
    ("kind", lambda s: s.append([[0, 0]], ["a"]), TypeError, "of type int, type str"),
    ("weights", lambda s: s.append([[0, 0]], [0], [1, 2]), ValueError, "1 sample weights"),
    ("negative", lambda s: s.append([[0, 0]], [0], [-1]), ValueError, "nonnegative"),
    ("weight nan", lambda s: s.append([[0, 0]], [0], [np.nan]), ValueError, "be finite"),
    ("weight text", lambda s: s.append([[0, 0]], [0], ["1"]), TypeError, "real numbers"),
    ("unknown", lambda s: s.forget([7, 0, -1]), ValueError, r"2 of the ids .* \(7, -1\)"),
    ("huge", lambda s: s.forget(np.array([2**64 - 1], np.uint64)), ValueError, "unknown"),
    ("many", lambda s: s.forget(range(5, 99)), ValueError, r"\(5, 6, 7, 8, 9, \.\.\.\)"),
    ("forgotten", lambda s: s.forget([1]), ValueError, r"forgotten \(1\)"),
    ("twice", lambda s: s.forget([0, 0]), ValueError, "id 0 is given more than once"),
    ("relabel twice", lambda s: s.relabel([2, 0, 2], [1, 1, 0]), ValueError, "id 2"),
    ("relabel gone", lambda s: s.relabel([1], [0]), ValueError, r"\(1\)"),
    ("relabel short", lambda s: s.relabel([0, 2], [0]), ValueError, "2 labels"),
    ("rows gone", lambda s: s.rows_of([0, 1]), ValueError, r"\(1\)"),
    ("floats", lambda s: s.forget([0.0]), TypeError, "vector of integers"),
    ("bools", lambda s: s.forget([True]), TypeError, "vector of integers"),
    ("matrix", lambda s: s.forget([[0]]), TypeError, "vector of integers"),
    ("chunks", lambda s: s.chunks(0), ValueError, "at least 1 row"),
    ("compact", lambda s: s.compact(-1), ValueError, "nonnegative"),
]


@pytest.mark.parametrize(
    ("act", "error", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_refused(
    store: ExampleStore, act: Callable[[ExampleStore], object], error: Any, message: str
) -> None:
    store.append([[0, 1], [2, 3], [4, 5]], [0, 1, 0])
    store.forget([1])
    before, version = contents(store), store.version
    with pytest.raises(error, match=message):
        act(store)
    assert contents(store) == before and store.version == version
    assert store.append([[6, 7]], [1]).tolist() == [3]


def test_a_bad_row_late_in_a_large_append(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that were written before it was met are gone again."""
    monkeypatch.setattr(writer, "PART_BYTES", 28 * 4)
    X = np.zeros((20, 2))
    X[19, 1] = 1e39
    with ExampleStore.create(tmp_path / "store", 2) as store:
        with pytest.raises(ValueError, match="too large for float32"):
            store.append(X, np.zeros(20, int))
        names = {path.name for path in (tmp_path / "store").iterdir()}
        assert names == {"manifest", "lock"}
        X[19, 1] = 1e-60  # below the range of float32
        store.append(X, np.zeros(20, int))
        assert len(read(tmp_path / "store").parts) == 5
        assert store.rows_of([19]).tolist() == [[0.0, 0.0]]


def test_a_mapped_array_is_appended(tmp_path: Path) -> None:
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (100, 2))
    X[:] = np.arange(200).reshape(100, 2)
    with ExampleStore.create(tmp_path / "store", 2) as store:
        store.append(X, np.zeros(100, int))
        assert (next(store.chunks()).rows == X).all()
        store.append(np.asfortranarray(X)[::-1], np.zeros(100, int))
        assert store.rows_of([100, 199]).tolist() == [X[99].tolist(), X[0].tolist()]


def test_a_reader_does_not_write(tmp_path: Path) -> None:
    ExampleStore.create(tmp_path / "store", 1).close()
    (tmp_path / "store" / "lock").unlink()
    with ExampleStore.open(tmp_path / "store") as store:
        with pytest.raises(ValueError, match="open it with mode='a'"):
            store.append([[1]], [0])
        with pytest.raises(ValueError, match="open it with mode='a'"):
            store.compact()
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["manifest"]


@pytest.mark.parametrize(
    "act", [len, ExampleStore.chunks, ExampleStore.compact, lambda store: store.classes]
)
def test_a_closed_store_says_so(store: ExampleStore, act: Callable[[Any], object]) -> None:
    store.close()
    store.close()
    with pytest.raises(ValueError, match="the store is closed"):
        act(store)


def test_opening_what_is_none(tmp_path: Path) -> None:
    for path, mode in itertools.product([tmp_path / "absent", tmp_path], ["r", "a"]):
        with pytest.raises(FileNotFoundError, match="no store of examples"):
            ExampleStore.open(path, mode)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="mode must be 'r' or 'a'"):
        ExampleStore.open(tmp_path, "w")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        ExampleStore.create(tmp_path / "absent" / "store", 1)


@pytest.mark.parametrize(
    ("n_features", "dtype", "error"),
    [(0, "float32", ValueError), (1, "float16", ValueError), (True, "float32", TypeError)],
)
def test_creating_what_can_not_be(
    tmp_path: Path, n_features: Any, dtype: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        ExampleStore.create(tmp_path / "store", n_features, dtype)
    assert list(tmp_path.iterdir()) == []
