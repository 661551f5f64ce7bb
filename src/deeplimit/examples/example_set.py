"""The examples a model keeps: added, forgotten and relabelled in time that their number sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.examples.changes import Change, ChangeLog, Kind
from deeplimit.examples.fingerprint import MODULUS, multiset_hash
from deeplimit.examples.ids import find_slots
from deeplimit.examples.labels import as_labels, merged
from deeplimit.examples.snapshot import Snapshot
from deeplimit.persist.codec import Decoder, Encoder
from deeplimit.persist.state import State

__all__ = ["ExampleSet", "Undo"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Undo = Callable[[], None]


class ExampleSet:
    """Rows with classes, weights and ids that come and go.

    Each example lies in a slot; slots are in the order of ids, and those of forgotten examples
    hold zeros. Slot numbers stay as they are until `epoch` changes: `changes_since` tells what to
    follow until then.

    Parameters
    ----------
    n_features : int
        Number d of columns.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Labels of the live examples, sorted, each of a class that has one.
    counts : ndarray of int64, shape (n_classes,)
        Live examples of each class.

    Notes
    -----
    Ids count the examples ever offered, those of weight zero too, and are never given again. A
    forgotten row is overwritten at once. Memory that the process has given back is not.

    Examples
    --------
    >>> kept = ExampleSet(1)
    >>> _ = kept.add([[0.0], [1.0], [2.0]], ["a", "b", "b"], [1.0, 1.0, 1.0])
    >>> _ = kept.forget([0])
    >>> kept.snapshot().ids.tolist(), kept.classes.tolist()
    ([1, 2], ['b'])
    """

    def __init__(self, n_features: int) -> None:
        self.n_features = n_features
        self._used = 0
        self._next_id = 0
        self._rows: Floats = np.empty((0, n_features))
        self._codes: Integers = np.empty(0, dtype=np.int64)
        self._weights: Floats = np.empty(0)
        self._ids: Integers = np.empty(0, dtype=np.int64)
        self._live: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self.classes: NDArray[Any] = np.empty(0, dtype=bool)
        self.counts: Integers = np.empty(0, dtype=np.int64)
        self._log = ChangeLog()
        self._total: int | None = None
        self._largest: float | None = 0.0
        # What was gathered of the live examples since the last change.
        self._taken: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        return int(self.counts.sum())

    @property
    def version(self) -> int:
        """Number of changes so far."""
        return self._log.version

    @property
    def epoch(self) -> int:
        """How often slots or codes were numbered anew."""
        return self._log.epoch

    @property
    def n_slots(self) -> int:
        """Number of slots, live or not."""
        return self._used

    @property
    def rows(self) -> Floats:
        """Rows by slot, of shape (n_slots, d); zeros where the example is forgotten."""
        return self._rows[: self._used]

    @property
    def codes(self) -> Integers:
        """Classes by slot, of shape (n_slots,); 0 where the example is forgotten."""
        return self._codes[: self._used]

    @property
    def weights(self) -> Floats:
        """Weights by slot, of shape (n_slots,); 0 where the example is forgotten."""
        return self._weights[: self._used]

    @property
    def live(self) -> NDArray[np.bool_]:
        """Whether the slot holds an example, of shape (n_slots,)."""
        return self._live[: self._used]

    def add(self, X: Floats, labels: ArrayLike, weights: ArrayLike) -> Undo:
        """Add examples; those of weight zero use up their ids and are absent.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Finite rows.
        labels : array-like of shape (n,)
            Labels.
        weights : array-like of shape (n,)
            Nonnegative weights.

        Returns
        -------
        callable
            Takes the change back, as long as no other has been made.

        Raises
        ------
        ValueError
            If the labels are of another kind than those there are. The set is then as it was.
        """
        X, weight = np.asarray(X, dtype=np.float64), np.asarray(weights, dtype=np.float64)
        present = np.flatnonzero(weight > 0.0)
        new = as_labels(labels)[present]
        ids = self._next_id + present
        undo = self._memory(np.empty(0, dtype=np.int64))
        if not present.size:
            self._next_id += len(X)
            return undo
        classes = merged(self.classes, new) if self._used else np.unique(new)
        self._reserve(self._used + present.size)
        self._next_id += len(X)
        self._recode(classes)
        start, self._used = self._used, self._used + present.size
        slots = slice(start, self._used)
        self._rows[slots] = X[present] if present.size < len(X) else X
        self._codes[slots] = np.searchsorted(self.classes, new.astype(classes.dtype))
        self._weights[slots], self._ids[slots], self._live[slots] = weight[present], ids, True
        where = np.arange(start, self._used)
        self.counts = self.counts + self._counted(where)
        if self._largest is not None:
            self._largest = max(self._largest, _largest(self._rows[slots]))
        self._hash(where, 1)
        self._note("added", where)
        return undo

    def forget(self, ids: ArrayLike) -> Undo:
        """Take examples out and overwrite them.

        Parameters
        ----------
        ids : array-like of int
            Ids of live examples, each once.

        Returns
        -------
        callable
            Takes the change back, as long as no other has been made.

        Raises
        ------
        ValueError
            If an id is unknown, forgotten or given twice, or nothing would remain.
        TypeError
            If ids are no integers.
        """
        slots = self.find(ids)
        if slots.size == len(self):
            raise ValueError(
                f"forgetting all {slots.size} examples leaves nothing to decide by: keep one, or "
                "discard the model."
            )
        undo = self._memory(slots)
        self._hash(slots, -1)
        if self._largest is not None and _largest(self._rows[slots]) >= self._largest:
            self._largest = None
        self.counts = self.counts - self._counted(slots)
        self._rows[slots], self._weights[slots] = 0.0, 0.0
        self._codes[slots], self._live[slots] = 0, False
        self._drop_empty()
        self._note("forgotten", slots)
        return undo

    def relabel(self, ids: ArrayLike, labels: ArrayLike) -> Undo:
        """Give examples other labels.

        Parameters
        ----------
        ids : array-like of int, shape (k,)
            Ids of live examples, each once.
        labels : array-like of shape (k,) or one label
            Their new labels.

        Returns
        -------
        callable
            Takes the change back, as long as no other has been made.

        Raises
        ------
        ValueError
            If an id is unknown, forgotten or given twice, or the labels do not fit.
        TypeError
            If ids are no integers.
        """
        slots = self.find(ids)
        new = as_labels(labels, one=slots.size)
        if new.shape != slots.shape:
            raise ValueError(f"{slots.size} ids need as many labels, {new.size} were got.")
        undo = self._memory(slots)
        if not slots.size:
            return undo
        self._recode(merged(self.classes, new))
        self._hash(slots, -1)
        self.counts = self.counts - self._counted(slots)
        self._codes[slots] = np.searchsorted(self.classes, new.astype(self.classes.dtype))
        self.counts = self.counts + self._counted(slots)
        self._hash(slots, 1)
        self._drop_empty()
        self._note("relabelled", slots)
        return undo

    def find(self, ids: ArrayLike) -> Integers:
        """Find the slots of examples.

        Parameters
        ----------
        ids : array-like of int, shape (k,)
            Ids, each once.

        Returns
        -------
        ndarray of int64, shape (k,)
            Their slots.

        Raises
        ------
        ValueError
            If an id is unknown, forgotten or given twice.
        TypeError
            If ids are no integers.
        """
        return find_slots(ids, self._ids[: self._used], self.live)

    def snapshot(self) -> Snapshot:
        """Give the live examples, in the order of ids; the arrays are not to be written to.

        Returns
        -------
        Snapshot
        """
        return Snapshot(self.live_rows, self.live_codes, self.live_weights, self.live_ids)

    @property
    def live_slots(self) -> Integers:
        """Slots of the live examples, ascending."""
        if "slots" not in self._taken:
            self._taken["slots"] = np.flatnonzero(self.live)
        return self._taken["slots"]

    @property
    def live_rows(self) -> Floats:
        """Rows of the live examples; a copy of all of them if any is forgotten."""
        return self._take("rows", self.rows)

    @property
    def live_codes(self) -> Integers:
        """Classes of the live examples."""
        return self._take("codes", self.codes)

    @property
    def live_weights(self) -> Floats:
        """Weights of the live examples."""
        return self._take("weights", self.weights)

    @property
    def live_ids(self) -> Integers:
        """Ids of the live examples."""
        return self._take("ids", self._ids[: self._used])

    def _take(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        if len(self) == self._used:
            return values
        if name not in self._taken:
            self._taken[name] = values[self.live_slots]
        return self._taken[name]

    @property
    def largest(self) -> float:
        """Largest absolute value in a live row."""
        if self._largest is None:
            self._largest = _largest(self.rows)  # forgotten rows are zero
        return self._largest

    def total(self) -> int:
        """Give the `multiset_hash` of the live examples: made once, then kept up to date.

        Returns
        -------
        int
        """
        if self._total is None:
            snapshot = self.snapshot()
            self._total = multiset_hash(*snapshot[:3], self.classes)
        return self._total

    def changes_since(self, version: int, epoch: int) -> list[Change] | None:
        """Tell what happened since a version.

        Parameters
        ----------
        version, epoch : int
            Those of the set at the time.

        Returns
        -------
        list of Change or None
            In order; None if slots or codes were numbered anew, so that nothing can be followed.
        """
        return self._log.since(version, epoch)

    def compact(self) -> None:
        """Close the gaps if over half of the slots are empty; the order stays."""
        if 2 * len(self) >= self._used:
            return
        live = np.flatnonzero(self.live)
        self._rows, self._codes = self._rows[live], self._codes[live]
        self._weights, self._ids = self._weights[live], self._ids[live]
        self._live = np.ones(live.size, dtype=bool)
        self._used = live.size
        self._taken = {}
        self._log.renumber()

    def _reserve(self, n: int) -> None:
        room = len(self._rows)
        if n <= room:
            return
        # The first fit needs no room to grow; what grows once will grow again.
        size = n if room == 0 else max(n, room + room // 2)
        old = self._rows, self._codes, self._weights, self._ids, self._live
        # All room first: if there is not enough nothing has changed.
        new: list[Any] = [np.zeros((size, *part.shape[1:]), dtype=part.dtype) for part in old]
        for part, grown in zip(old, new, strict=True):
            grown[:room] = part
        self._rows, self._codes, self._weights, self._ids, self._live = new

    def _counted(self, slots: Integers) -> Integers:
        return np.bincount(self._codes[slots], minlength=self.classes.size)

    def _drop_empty(self) -> None:
        if not self.counts.all():
            self._recode(self.classes[self.counts > 0])

    def _recode(self, classes: NDArray[Any]) -> None:
        """Take these classes, which are those of live examples or more, and renumber codes."""
        old = self.classes
        same = old.size == classes.size and bool(np.all(old == classes))
        self.classes = classes
        if old.size and old.dtype.kind != classes.dtype.kind:
            self._total = None  # what a label is hashed as has changed
        if same:
            return
        if not old.size:
            self.counts = np.zeros(classes.size, dtype=np.int64)
            return
        at = np.minimum(np.searchsorted(classes, old.astype(classes.dtype)), classes.size - 1)
        survives = classes[at] == old
        counts = np.zeros(classes.size, dtype=np.int64)
        counts[at[survives]] = self.counts[survives]
        self.counts = counts
        if not np.array_equal(at[survives], np.flatnonzero(survives)):
            np.take(at.astype(np.int64), self.codes.copy(), out=self.codes)
            self.codes[~self.live] = 0
            self._log.renumber()

    def _hash(self, slots: Integers, sign: int) -> None:
        if self._total is not None:
            part = multiset_hash(
                self._rows[slots], self._codes[slots], self._weights[slots], self.classes
            )
            self._total = (self._total + sign * part) % MODULUS

    def _note(self, kind: Kind, slots: Integers) -> None:
        if not slots.size:
            return
        self._taken = {}
        self._log.note(kind, slots, self._used)

    def _memory(self, slots: Integers) -> Undo:
        """Remember what a change will alter."""
        used, next_id, classes = self._used, self._next_id, self.classes
        counts, total, largest, version = self.counts, self._total, self._largest, self.version
        rows, codes, weights = self._rows[slots], self._codes[slots], self._weights[slots]

        def undo() -> None:
            self._used, self._next_id = used, next_id
            self._live[used:], self._rows[used:] = False, 0.0
            self._rows[slots], self._weights[slots], self._live[slots] = rows, weights, True
            self._codes[slots] = 0  # of a class that may be gone; known again below
            self._recode(classes)
            self._codes[slots] = codes
            self.counts, self._total, self._largest = counts, total, largest
            self._taken = {}
            self._log.take_back(version)

        return undo

    def _to_state(self) -> State:
        encoder = Encoder("ExampleSet", lambda value, name: False)
        counted = {"n_features": self.n_features, "next_id": self._next_id, "version": self.version}
        classes = encoder.encode(self.classes, "classes")
        snapshot = self.snapshot()._asdict()
        return State("ExampleSet", {**counted, "classes": classes}, encoder.arrays | snapshot)

    @classmethod
    def _from_state(cls, state: State) -> ExampleSet:
        meta: Any = state.meta
        decoder = Decoder(state.arrays, lambda name: None)
        made = cls(meta["n_features"])
        made.classes = decoder.decode(meta["classes"])
        parts = Snapshot(*(np.array(state.arrays[name]) for name in Snapshot._fields))
        parts.check(made.n_features, made.classes.size, meta["next_id"])
        if not bool(np.all(made.classes[:-1] < made.classes[1:])):
            raise ValueError("its classes are not in order")
        made._rows, made._codes, made._weights, made._ids = parts
        made._used = len(made._ids)
        made._live = np.ones(made._used, dtype=bool)
        made._next_id, made._log = meta["next_id"], ChangeLog(meta["version"])
        made.counts = np.bincount(made._codes)
        made._largest = None
        return made


def _largest(rows: Floats) -> float:
    return float(max(rows.max(initial=0.0), -rows.min(initial=0.0)))
