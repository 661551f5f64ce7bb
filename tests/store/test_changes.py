"""Levels of changes: the newest holds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.store.changes import Level, apply, merge

dictionaries = st.dictionaries(st.integers(0, 30), st.integers(-1, 5))


def level(changes: dict[int, int]) -> Level:
    ids = sorted(changes)
    return Level(np.array(ids, dtype=np.int64), np.array([changes[i] for i in ids], dtype=np.int32))


@given(dictionaries, dictionaries)
def test_merging_is_updating(old: dict[int, int], new: dict[int, int]) -> None:
    merged = merge(level(old), level(new))
    assert dict(zip(merged.ids.tolist(), merged.codes.tolist(), strict=True)) == old | new
    assert (np.diff(merged.ids) > 0).all()


@given(st.lists(dictionaries, max_size=4), st.sets(st.integers(0, 30)))
def test_applying_level_by_level(changes: list[dict[int, int]], ids: set[int]) -> None:
    want = {i: 100 + i for i in ids}
    for change in changes:
        want |= {i: code for i, code in change.items() if i in want}
    order = np.array(sorted(ids), dtype=np.int64)
    codes = order + 100
    apply([level(change) for change in changes], order, codes)
    assert dict(zip(order.tolist(), codes.tolist(), strict=True)) == want
