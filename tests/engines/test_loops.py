"""What the loops set aside of a run."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from deeplimit.engines.alike import AWAY
from deeplimit.engines.loops import set_aside


@numba.njit(fastmath=True, error_model="numpy")
def aside(u, w, norms, size, near, floor, far, own, rest, marks, rows, places, taken):
    return set_aside(
        u, w, norms, size, near, floor, far, own, rest, marks, 7, 1000, rows, places, taken
    )


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("own", [-5, 0, 77, 200, 10_000])
def test_special_pairs_are_listed_in_order_and_weigh_nothing(kind, own):
    n = 201
    for seed in range(20):
        rng = np.random.default_rng(seed)
        u = (10.0 ** rng.uniform(-3.0, 1.0, n)).astype(kind)
        w = rng.integers(0, 3, n).astype(kind)
        norms = rng.uniform(0.0, 2.0, n).astype(kind)
        size, near, floor, far = kind(1.0), kind(0.05), kind(0.003), kind(9.0)
        limit = np.maximum((near * (size + norms)) ** 2, floor)
        special = ((u < limit) | (u > far)) & (w > 0)
        itself = np.arange(n) == own
        gone = special | itself
        left = (w > 0) & ~gone
        rest, marks = np.empty(n, kind), np.ones(n + 50, np.int32)  # of a longer run
        rows, places = np.full(300, -1), np.full(300, -1)
        before = u.copy()
        found, taken, full = aside(
            u, w, norms, size, near, floor, far, own, rest, marks, rows, places, 2
        )
        listed = np.flatnonzero(special & ~itself)
        assert not full and taken == 2 + listed.size > 10
        assert np.array_equal(places[2:taken], 1000 + listed)
        assert np.all(rows[2:taken] == 7) and np.all(rows[:2] == -1) and np.all(rows[taken:] == -1)
        assert np.array_equal(rest, np.where(left, w, 0))
        assert np.array_equal(u, np.where(gone, kind(AWAY), before))
        assert found == before[left].min()


def test_a_list_that_is_full_says_so_and_is_not_overrun():
    u, w, norms = np.full(200, 1e-6), np.ones(200), np.ones(200)
    rest, marks = np.empty(200), np.empty(200, np.int32)
    rows, places = np.full(100, -1), np.full(90, -1)
    far = np.float64(9.0)
    found, taken, full = aside(
        u, w, norms, 1.0, 0.05, 0.003, far, -1, rest, marks, rows[:90], places, 0
    )
    assert full and taken <= 90 and np.all(rows[90:] == -1)
    assert found == far and not rest.any()
