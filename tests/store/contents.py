"""What a store holds, as a dictionary, beside operations on such a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.store import ExampleStore

Contents = dict[int, tuple[bytes, Any, float]]
Operation = tuple[Any, ...]


def contents(store: ExampleStore) -> Contents:
    """Read everything; the chunks must agree with the other ways to read."""
    found: Contents = {}
    classes = store.classes.tolist()
    mass = [0.0] * len(classes)
    last = -1
    for chunk in store.chunks(7):
        assert chunk.ids[0] > last and (np.diff(chunk.ids) > 0).all()
        last = int(chunk.ids[-1])
        assert (chunk.codes[~chunk.live] == -1).all() and (chunk.weights[~chunk.live] == 0).all()
        for at in np.flatnonzero(chunk.live).tolist():
            code, weight = int(chunk.codes[at]), float(chunk.weights[at])
            found[int(chunk.ids[at])] = (chunk.rows[at].tobytes(), classes[code], weight)
            mass[code] += weight
    assert len(store) == len(found)
    assert store.class_mass().tolist() == mass
    ids = list(found)[::-1]
    assert [row.tobytes() for row in store.rows_of(ids)] == [found[i][0] for i in ids]
    return found


def rows_for(seed: int, n: int, d: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def labels_for(seed: int, n: int) -> list[str]:
    return [f"label {k}" for k in np.random.default_rng(seed).integers(0, 2 + seed % 5, n)]


def perform(store: ExampleStore, operation: Operation) -> None:
    """Do to a store ("append", seed, n), ("forget", ids), ("relabel", ids, seed), ("compact",)."""
    name, *rest = operation
    if name == "append":
        seed, n = rest
        weights = np.arange(1.0, n + 1)
        store.append(rows_for(seed, n, store.n_features), labels_for(seed, n), weights)
    elif name == "forget":
        store.forget(rest[0])
    elif name == "relabel":
        store.relabel(rest[0], labels_for(rest[1], len(rest[0])))
    else:
        store.compact(*rest)


def expected(before: Contents, next_id: int, d: int, operation: Operation) -> tuple[Contents, int]:
    """Do the same to a dictionary; give it and the next id."""
    after = dict(before)
    name, *rest = operation
    if name == "append":
        seed, n = rest
        for k, (row, label) in enumerate(
            zip(rows_for(seed, n, d), labels_for(seed, n), strict=True)
        ):
            after[next_id + k] = (row.tobytes(), label, k + 1.0)
        next_id += n
    elif name == "forget":
        for i in rest[0]:
            del after[i]
    elif name == "relabel":
        for i, label in zip(rest[0], labels_for(rest[1], len(rest[0])), strict=True):
            after[i] = (after[i][0], label, after[i][2])
    return after, next_id


def histories(operations: Sequence[Operation], d: int) -> list[Contents]:
    """Give the contents before the first operation, between each two and after the last."""
    states: list[Contents] = [{}]
    next_id = 0
    for operation in operations:
        state, next_id = expected(states[-1], next_id, d, operation)
        states.append(state)
    return states
