"""Any history of a set of examples ends in the state of a set of what remains."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimit.examples import ExampleSet
from deeplimit.examples.fingerprint import multiset_hash

VALUES = [0.0, -0.0, 1.0, -2.5, 1e300, 1e-310]
LABELS = ["a", "b", "c", "dd"]

row = st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES))
example = st.tuples(row, st.sampled_from(LABELS), st.sampled_from([0.0, 0.5, 1.0, 3.0]))
batch = st.lists(example, max_size=4)
step = st.one_of(
    st.tuples(st.just("add"), batch),
    st.tuples(st.just("forget"), st.lists(st.integers(0, 50), max_size=3)),
    st.tuples(st.just("relabel"), st.lists(st.tuples(st.integers(0, 50), st.sampled_from(LABELS)))),
    st.tuples(st.just("total"), st.none()),
    st.tuples(st.just("undone"), st.lists(st.integers(0, 50), min_size=1, max_size=3)),
)


def arrays(examples):
    rows = np.array([r for r, _, _ in examples], dtype=np.float64).reshape(-1, 2)
    return rows, np.array([c for _, c, _ in examples], dtype="<U2"), [w for *_, w in examples]


class Model:
    """The set, and beside it a plain dictionary of what it should hold."""

    def __init__(self):
        self.kept = ExampleSet(2)
        self.expected = {}
        self.offered = 0
        self.add([((0.0, 1.0), "b", 1.0)])

    def ids(self, picks):
        live = list(self.expected)
        return sorted({live[pick % len(live)] for pick in picks})

    def add(self, examples):
        self.kept.add(*arrays(examples))
        for r, label, w in examples:
            if w > 0.0:
                self.expected[self.offered] = (r, label, w)
            self.offered += 1

    def forget(self, picks):
        ids = self.ids(picks)
        if len(ids) == len(self.expected):
            with pytest.raises(ValueError, match=r"forgetting all .* nothing to decide by"):
                self.kept.forget(ids)
            return
        self.kept.forget(ids)
        for i in ids:
            del self.expected[i]

    def relabel(self, picks):
        changes = {self.ids([pick])[0]: label for pick, label in picks}
        self.kept.relabel(list(changes), list(changes.values()))
        for i, label in changes.items():
            r, _, w = self.expected[i]
            self.expected[i] = (r, label, w)

    def total(self, _):
        self.kept.total()

    def undone(self, picks):
        ids = self.ids(picks)
        for label in ("0", "zz", "zz"):  # codes of the others move, or not
            self.kept.add(np.ones((2, 2)), [label, "no"], [1.0, 0.0])()
            self.kept.relabel(ids, label)()
        if len(ids) < len(self.expected):
            self.kept.forget(ids)()

    def check(self):
        fresh = ExampleSet(2)
        fresh.add(*arrays(self.expected.values()))
        same(self.kept, fresh)
        assert self.kept.snapshot().ids.tolist() == list(self.expected)
        live = self.kept.live
        assert not np.any(self.kept.rows[~live]) and not np.any(self.kept.weights[~live])
        assert not np.any(self.kept.codes[~live])
        slots = self.kept.find(list(self.expected))
        assert self.kept.rows[slots].tobytes() == fresh.rows.tobytes()


def same(kept, fresh):
    for mine, theirs in zip(kept.snapshot()[:3], fresh.snapshot()[:3], strict=True):
        assert mine.tobytes() == theirs.tobytes()
        assert mine.dtype == theirs.dtype
    assert kept.classes.tolist() == fresh.classes.tolist()
    assert kept.counts.tolist() == fresh.counts.tolist()
    assert kept.largest == fresh.largest
    assert kept.total() == fresh.total()
    assert len(kept) == len(fresh)


@given(st.lists(step, max_size=12))
@settings(max_examples=300)
def test_any_history_ends_in_what_remains(steps):
    model = Model()
    for name, argument in steps:
        getattr(model, name)(argument)
        model.kept.compact()
    model.check()


@given(st.lists(step, max_size=5), st.lists(step, min_size=1, max_size=5))
@settings(max_examples=200)
def test_the_log_tells_who_follows_all_there_is(before, after):
    model = Model()
    kept = model.kept
    for name, argument in before:
        getattr(model, name)(argument)
    version, epoch = kept.version, kept.epoch
    copy = [part.copy() for part in (kept.rows, kept.codes, kept.weights)]
    for name, argument in after:
        getattr(model, name)(argument)
        kept.compact()
    changes = kept.changes_since(version, epoch)
    assert (changes is None) == (kept.epoch != epoch)
    for change in changes or []:
        if change.kind == "added":
            assert change.slots[0] == len(copy[0])
            copy = [
                np.concatenate([part, now[change.slots]])
                for part, now in zip(copy, (kept.rows, kept.codes, kept.weights), strict=True)
            ]
        for part, now in zip(copy, (kept.rows, kept.codes, kept.weights), strict=True):
            part[change.slots] = now[change.slots]
    if changes is not None:
        assert len(changes) == kept.version - version
        for part, now in zip(copy, (kept.rows, kept.codes, kept.weights), strict=True):
            assert part.tobytes() == now.tobytes()


def test_who_follows_learns_that_slots_or_codes_moved():
    for change in (
        lambda kept: kept.add(np.ones((1, 1)), ["z"], [1.0])(),
        lambda kept: kept.relabel([0], "z")(),
        lambda kept: kept.add(np.ones((1, 1)), ["A"], [1.0]),
        lambda kept: (kept.forget([0, 2]), kept.compact()),
    ):
        kept = three()
        version, epoch = kept.version, kept.epoch
        change(kept)
        assert kept.changes_since(version, epoch) is None


def three():
    kept = ExampleSet(1)
    kept.add(np.array([[1.0], [2.0], [4.0]]), ["a", "b", "b"], [1.0, 1.0, 1.0])
    return kept


@pytest.mark.parametrize(
    ("ids", "error", "words"),
    [
        ([3], ValueError, "id 3 is unknown or forgotten already"),
        ([-1], ValueError, "id -1 is unknown"),
        ([0, 7, 2**62], ValueError, f"ids 7, {2**62} are unknown"),
        (range(3, 20), ValueError, "ids 3, 4, 5, 6, 7 and 12 more are unknown"),
        ([1, 1], ValueError, "id 1 is given more than once"),
        ([0.0], TypeError, "ids are a list of integers"),
        ([True, False, True], TypeError, "ids are a list of integers"),
        (["a"], TypeError, "ids are a list of integers"),
        ([[0], [1]], TypeError, "ids are a list of integers"),
        ([2**70], TypeError, "ids are a list of integers"),
    ],
)
@pytest.mark.parametrize("change", ["forget", "relabel"])
def test_ids_that_are_none_change_nothing(ids, error, words, change):
    kept = three()
    with pytest.raises(error, match=words):
        kept.forget(ids) if change == "forget" else kept.relabel(ids, "b")
    same(kept, three())


def test_a_forgotten_id_is_never_known_again():
    kept = three()
    kept.forget(1)
    kept.forget([])
    kept.add(np.array([[9.0]]), ["b"], [1.0])
    assert kept.snapshot().ids.tolist() == [0, 2, 3]
    with pytest.raises(ValueError, match="id 1 is unknown or forgotten already"):
        kept.find([1])


def test_compaction_waits_for_half_of_the_slots():
    kept = three()
    kept.forget([0])
    kept.compact()
    assert kept.n_slots == 3
    kept.forget([1])
    kept.compact()
    assert kept.n_slots == 1
    assert kept.snapshot().ids.tolist() == [2]


def test_labels_of_another_kind_change_nothing():
    kept = three()
    with pytest.raises(ValueError, match="do not go with the classes"):
        kept.add(np.array([[9.0]]), [1], [1.0])
    with pytest.raises(ValueError, match="do not go with the classes"):
        kept.relabel([0], [1])
    with pytest.raises(ValueError, match="1 ids need as many labels, 2 were got"):
        kept.relabel([0], ["a", "b"])
    same(kept, three())
    kept.add(np.array([[9.0]]), ["b"], [1.0])
    assert kept.snapshot().ids.tolist() == [0, 1, 2, 3]


def test_numbers_of_a_wider_type_are_hashed_as_if_given_together():
    rows = np.array([[1.0], [2.0], [4.0]])
    kept, together = ExampleSet(1), ExampleSet(1)
    kept.add(rows[:2], np.array([0, 1]), [1.0, 1.0])
    kept.total()
    kept.add(rows[2:], np.array([0.0]), [1.0])
    together.add(rows, np.array([0.0, 1.0, 0.0]), [1.0, 1.0, 1.0])
    same(kept, together)


def test_the_total_is_that_of_the_multiset():
    kept = three()
    before = kept.total()
    kept.add(np.array([[2.0], [2.0]]), ["b", "b"], [1.0, 1.0])
    two = multiset_hash(np.array([[2.0]]), np.array([0]), np.ones(1), np.array(["b"])) * 2
    assert (kept.total() - before) % 2**2048 == two % 2**2048


def test_a_long_log_gives_up():
    kept = three()
    version, epoch = kept.version, kept.epoch
    for _ in range(1020):
        kept.relabel([0], "b")
        kept.relabel([0], "a")
    assert kept.changes_since(version, epoch) is None
    assert kept.changes_since(kept.version, kept.epoch) == []
