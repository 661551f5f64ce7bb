"""Look-ups of tables: every length of a run, both precisions, and what lies beyond a table."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from deeplimit.engines.lookups import tabulated

BITS, LOW = 3, -6


@numba.njit
def looked_up(u, gap, table, fine, low, rows, places, out):
    tabulated(u, gap, table, fine, low, rows, places, out)


def random_table(kind):
    rng = np.random.default_rng(1)
    return rng.standard_normal((2 * (-LOW * 2**BITS + 1), 4)).astype(kind)


def run(u, table, kind, start=0):
    n = len(u)
    out = np.full(n + start, 2.0, kind)
    room = np.empty(n, np.int32), np.empty(n, kind)
    # A run may begin anywhere in its block.
    u = np.concatenate([np.ones(start), u]).astype(kind)
    looked_up(u[start:], kind(0.5), table, np.int32(BITS), np.int32(LOW), *room, out[start:])
    assert np.all(out[:start] == 2.0)
    return out[start:]


def expected(u, table, kind):
    s = kind(0.5) * u.astype(kind)
    far = s > 1
    t = np.where(far, kind(2) - s, s).astype(np.float64)
    mantissa, exponent = np.frexp(np.maximum(t, 2.0**LOW))
    place = (2.0 * mantissa - 1.0) * 2**BITS
    half = len(table) // 2
    row = (exponent - 1 - LOW) * 2**BITS + np.floor(place).astype(int)
    found = table.astype(np.float64)[row + far * half]
    return 2.0 * sum(found[:, k] * (place % 1.0) ** k for k in range(4))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("n", [*range(1, 26), 255, 256])
def test_all_lengths(kind, n):
    u = np.random.default_rng(n).uniform(0.1, 3.9, n)
    table = random_table(kind)
    error = np.abs(run(u, table, kind, n % 3) - expected(u, table, kind))
    assert error.max() < 40 * np.finfo(kind).eps


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_ends_of_pieces_and_of_the_table(kind):
    table = random_table(kind)
    t = np.concatenate([2.0**LOW * 2.0 ** np.arange(0, -LOW + 1), [0.75, 0.875, 2.0**-9, 0.0]])
    u = 2.0 * np.concatenate([t, 2.0 - t])
    found = run(u, table, kind)
    np.testing.assert_allclose(found, expected(u, table, kind), rtol=4 * np.finfo(kind).eps)
    # An equator is the first row after all pieces, and what is nearer than the table its begin.
    assert found[-LOW] == 2.0 * table[-LOW * 2**BITS, 0]
    assert found[len(t) - 1] == found[len(t) - 2] == found[0] == 2.0 * table[0, 0]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_far_beyond_the_sphere_nothing_is_read_beside_the_table(kind):
    # Places without an example, whose weights are 0.
    table = random_table(kind)
    half = len(table) // 2
    found = run(np.full(11, 1e15), table, kind)
    assert np.all(found == 2.0 * table[half, 0])
