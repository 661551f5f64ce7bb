"""Blocks of one class and one weight, which the compiled engine sums before it knows the pairs."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from deeplimit.engines import CompiledEngine
from deeplimit.engines.alike import (
    AWAY,
    COLUMNS,
    DEAREST,
    LOST,
    MANY,
    SPARE,
    Block,
    Rules,
    Tile,
    Totals,
    alike,
    calm_of,
    half_norms,
    sum_alike,
)
from deeplimit.engines.digits import lost
from deeplimit.engines.packed import TILE
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift
from engines.laws import assert_sums_agree, normalised

TOLERANCE = {"double": 2e-12, "single": 1e-5}
BOTH = pytest.mark.parametrize("precision", TOLERANCE)


def case(d, n=2600, m=80, seed=0):
    """Draw two classes of one weight each, and queries of which some are near to examples."""
    rng = np.random.default_rng([seed, d])
    X, y = rng.standard_normal((n, d)), (np.arange(n) >= n // 3).astype(np.int64)
    w = np.array([2.5, 1.0])[y]
    Q = rng.standard_normal((m, d))
    Q[3], Q[11], Q[19] = X[700], X[5], X[2000]
    Q[4] = X[800] + 1e-7 * rng.standard_normal(d)
    Q[5] = X[1200] + 1e-4 * rng.standard_normal(d)
    Q[6] = 1e3 * Q[6]
    return X, y, w, Q


def alike_blocks(engine):
    packed = engine.packed
    w, runs, first = packed.w, packed.runs, packed.first_run
    return np.array([alike.py_func(w[b], runs, first, b)[0] > 0 for b in range(len(w))])


def agree(precision, lift, X, y, w, Q, exponent, **options):
    kernel = PowerKernel(exponent)
    engine = CompiledEngine(lift, X, y, w, 2, precision=precision)
    assert alike_blocks(engine).sum() >= 3
    expected = class_sums(kernel, lift, X, y, w, Q, 2, **options)
    found = engine.class_sums(kernel, Q, **options)
    assert_sums_agree(found, expected, TOLERANCE[precision])
    assert np.array_equal(found.decide().winner, expected.decide().winner)


@BOTH
@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0, 3.0, 7.0, 10.0, 11.0, 3.7, 30.0])
def test_sums_by_differences(precision, exponent):
    X, y, w, Q = case(6)
    agree(precision, fit_lift(X, "euclidean"), X, y, w, Q, exponent)


@BOTH
@pytest.mark.parametrize("exponent", [1.0, 3.0, 3.7, 12.0, 30.0])
def test_sums_by_products(precision, exponent):
    d = COLUMNS + 3
    X, y, w, Q = case(d)
    assert len(Q) >= 8 * MANY
    assert (lost(exponent, precision, d) < LOST) == (precision == "double" or exponent < 20)
    agree(precision, fit_lift(X, "euclidean"), X, y, w, Q, exponent)


@BOTH
def test_products_are_not_trusted_with_near_pairs(precision):
    # All far from the middle, so that every pair is near beside its norms.
    X, y, w, Q = case(COLUMNS)
    X[::2] += 300.0
    Q += 300.0
    agree(precision, fit_lift(X, "euclidean"), X, y, w, Q, 3.0)


def test_units_below_the_least_square_do_not_make_sums_vanish():
    # Block after block the bound by products is lower, at last a tenth of what is there: at an
    # exponent of 800 the sums would have come to nothing in between.
    d, exponent, size, blocks = 30, 800.0, 256, 100
    loss = lost(exponent, "double", d)
    steps = np.linspace(1.0, 6.0, 5001)
    reach = steps[np.sqrt(loss * (0.5 + steps**2)) >= steps - 1.0][-1]
    least = loss * (0.5 + reach**2)
    rng = np.random.default_rng(0)
    X = np.zeros((blocks, size, d))
    places = np.arange(size)
    X[:, places, places % d] = np.where(places // d % 2, 5.0, -5.0)
    across = rng.standard_normal((120, d))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    square = 1.001 * least
    X[0, 8:128] = np.eye(d)[0] + np.sqrt(square) * across
    targets = least * np.exp(np.linspace(0.0, np.log(loss * 0.51 / least), blocks))
    for b, target in enumerate(targets):
        norm = np.sqrt(max(square - target, 0.0) / loss)
        norm = np.clip(norm, abs(1.0 - np.sqrt(square)), min(reach, 1.0 + np.sqrt(square)))
        along = (norm**2 + 1.0 - square) / 2.0
        X[b, 7] = 0.0
        X[b, 7, :2] = along, np.sqrt(max(norm**2 - along**2, 0.0))
    X = X.reshape(-1, d)
    y, Q = np.zeros(len(X), np.int64), np.tile(np.eye(d)[0], (8 * MANY, 1))
    gone = np.arange(200, len(X), size)
    w = np.ones(len(X))
    w[gone] = 0.0
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(exponent)
    engine = CompiledEngine(lift, X, y, None, 1)
    # Laid out before: what is forgotten then stays as an empty place in each block.
    assert len(engine.packed.x) == blocks
    engine.forget(gone)
    expected = class_sums(kernel, lift, X, y, w, Q, 1)
    assert_sums_agree(engine.class_sums(kernel, Q, settle=False), expected, 1e-10)


@BOTH
@pytest.mark.parametrize("d", [4, COLUMNS])
def test_an_example_is_not_seen_by_its_own_query(precision, d):
    X, y, w, _ = case(d)
    own = np.arange(0, 2600, 32)
    agree(precision, fit_lift(X, "euclidean"), X, y, w, X[own], 3.0, exclude=own)


@BOTH
def test_antipodes_on_the_sphere(precision):
    X, y, w, Q = case(5)
    X, Q = normalised(X), normalised(Q)
    Q[30:40] = -X[1000:1010]
    agree(precision, fit_lift(X), X, y, w, Q, 4.0)


@BOTH
@pytest.mark.parametrize("exponent", [9.0, 25.0])
def test_squares_of_all_sizes(precision, exponent):
    # Powers that leave the range of single precision beside each other.
    X, y, w, Q = case(3)
    X *= 10.0 ** np.random.default_rng(1).uniform(-8.0, 4.0, (len(X), 1))
    Q *= 10.0 ** np.random.default_rng(2).uniform(-8.0, 4.0, (len(Q), 1))
    agree(precision, fit_lift(X, "euclidean"), X, y, w, Q, exponent)


@BOTH
@pytest.mark.parametrize("geometry", ["euclidean", "auto"])
@pytest.mark.parametrize("exponent", [0.1, 0.5, 1.0, 3.7, 12.0])
def test_what_is_forgotten_weighs_nothing(precision, geometry, exponent):
    X, y, w, Q = case(4)
    Q[7] *= 1e10  # from where an empty place is not where it seems to be
    if geometry == "auto":
        X, Q = normalised(X), normalised(Q)
    lift, kernel = fit_lift(X, geometry), PowerKernel(exponent)
    assert lift.on_sphere == (geometry == "auto")
    engine = CompiledEngine(lift, X, y, w.copy(), 2, precision=precision)
    before = alike_blocks(engine)
    # Nearly a whole block, so that what empty places add would be seen.
    gone = np.concatenate([[5, 900], engine.packed.order[1050:1270]])
    engine.forget(gone)
    assert np.array_equal(alike_blocks(engine), before)
    left = np.setdiff1d(np.arange(len(X)), gone)
    expected = class_sums(kernel, lift, X[left], y[left], w[left], Q, 2)
    assert_sums_agree(engine.class_sums(kernel, Q), expected, TOLERANCE[precision])


@BOTH
@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0])
def test_empty_places_behind_whole_blocks_are_seen_from_far_out(precision, exponent):
    X, y, w, Q = case(4)
    Q[::9] *= 1e13
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(exponent)
    engine = CompiledEngine(lift, X, y, w.copy(), 2, precision=precision)
    gone = engine.packed.order[2100:2500]
    engine.forget(gone)
    left = np.setdiff1d(np.arange(len(X)), gone)
    expected = class_sums(kernel, lift, X[left], y[left], w[left], Q, 2)
    assert_sums_agree(engine.class_sums(kernel, Q), expected, TOLERANCE[precision])


def test_a_block_is_alike_if_its_examples_are_of_one_class_and_weight():
    runs = np.array([[0, 0, 4], [0, 0, 2], [1, 2, 4], [1, 0, 3]])
    first = np.array([0, 1, 3, 4])
    same, other = np.full(4, 2.0), np.array([2.0, 2.0, 1.0, 2.0])
    ended, begun = np.array([2.0, 0.0, 2.0, 0.0]), np.array([0.0, 0.0, 2.0, 2.0])
    assert alike.py_func(same, runs, first, 0) == (2.0, 0)
    assert alike.py_func(other, runs, first, 0) == (0.0, 0)
    assert alike.py_func(np.zeros(4), runs, first, 0) == (0.0, 4)
    assert alike.py_func(same, runs, first, 1) == (0.0, 0)
    assert alike.py_func(ended, runs, first, 2) == (2.0, 2)
    assert alike.py_func(begun, runs, first, 0) == (2.0, 2)


@numba.njit(fastmath=True, error_model="numpy")
def add(block, q, halves, sizes, own, loss, rules, totals, tile):
    """Add a block to a tile as the loops do."""
    for r in range(TILE):
        tile.todo[r] = 1
    return sum_alike(block, q, halves, 0, sizes, own, loss, True, rules, totals, tile)


def rules_of(kind, loss, half=1.5, whole=3, near=0.0):
    return Rules(
        kind(near), loss, kind(0), np.finfo(kind).max, kind(half), np.int32(whole), kind(1e18),
        kind(0), kind(2.0**-half),
    )  # fmt: skip


def totals_of(kind):
    cells = (TILE, 1)
    totals = Totals(
        np.full(cells, np.finfo(kind).max, kind, order="F"),
        *(np.zeros(cells, kind if k in (3, 5) else float, order="F") for k in range(6)),
    )
    totals.calm[:] = AWAY
    return totals


def tile_of(kind):
    return Tile(
        np.empty(TILE, np.int32), np.empty(TILE, kind), np.empty(TILE, kind),
        np.zeros((2, TILE), kind),
    )  # fmt: skip


def block_of(rows, loss):
    """Lay out a block, and what products take of it."""
    kind, lanes = rows.dtype.type, len(rows)
    x, halves = np.ascontiguousarray(rows.T[None]), np.empty(lanes, kind)
    half_norms(x, np.empty(lanes), halves)
    norms = np.linalg.norm(rows, axis=1).astype(kind)
    losses = (loss * norms**2 / 2).astype(kind)
    most = norms.max()
    return Block(x, kind(1), 0.0, 0, most, most, 0, halves, losses, kind(2) * losses.min())


@pytest.mark.parametrize("whole", [3, 0])
@pytest.mark.parametrize("by_products", [True, False])
def test_what_is_known_of_a_tile_is_not_asked_again(whole, by_products):
    kind, d, lanes = np.float64, COLUMNS, 32  # a panel
    rng = np.random.default_rng(0)
    q = rng.standard_normal((d, TILE))
    sizes, own = np.linalg.norm(q, axis=0), np.full(TILE, -1)
    query_halves = np.empty(TILE)
    half_norms(q[None], np.empty(TILE), query_halves)
    loss = kind(lost(3.0, "double", d))
    form = loss if by_products else kind(0)
    rules, tile = rules_of(kind, loss, whole=whole), tile_of(kind)
    known, asked = totals_of(kind), totals_of(kind)
    if not whole:
        known.unit[:], asked.unit[:] = 100.0, 100.0
    calm = nearer = 0
    for _ in range(60):
        block = block_of(rng.standard_normal((lanes, d)), loss)
        units = known.unit.copy()
        calm += np.all(known.calm < AWAY)
        asked.calm[:] = AWAY
        arguments = block, q, query_halves, sizes, own, form, rules
        assert add(*arguments, known, tile) == 0
        assert add(*arguments, asked, tile) == 0
        nearer += np.any(known.unit < units)
        assert np.all(known.calm >= known.unit)
        assert np.array_equal(known.unit, asked.unit)
        np.testing.assert_allclose(known.plus, asked.plus, rtol=1e-15 * 60)
    assert calm > 50 and 3 < nearer < 50


def test_what_is_calm_is_right_for_every_block():
    # Each of what a pair must be farther than decides once: squares for which nothing is asked.
    kind, one = np.float64, np.float64(1.0)
    rules = rules_of(kind, kind(0.1), near=0.5)
    near = 0.25 * (2.0 + 3.0) ** 2
    assert calm_of.py_func(kind(2), kind(3), one, one, kind(100), rules) == near
    assert calm_of.py_func(kind(2), kind(3), kind(8), one, kind(100), rules) == 8.0
    assert calm_of.py_func(kind(2), kind(3), one, kind(9), kind(100), rules) == 9.0
    assert calm_of.py_func(kind(2), kind(3), one, one, kind(25), rules) == AWAY
    far = rules_of(kind, kind(50.0), near=0.5)
    assert calm_of.py_func(kind(2), kind(3), one, one, kind(100), far) == 200.0


def moved_sums(engine, X, y, w, Q, **options):
    """Give the largest error of sums of exponent 3, as a part of them."""
    kernel = PowerKernel(3.0)
    found = engine.class_sums(kernel, Q, settle=False, **options)
    expected = class_sums(kernel, engine.lift, X, y, w, Q, 1, **options)
    ratio = np.exp(found.max_log - expected.max_log) / expected.positive
    return np.abs(found.positive * ratio - 1.0).max()


@BOTH
def test_a_query_is_not_added_again_with_those_that_products_left(precision):
    # One query of a tile has a near pair in each block. In the first blocks that is left to
    # differences; in the others it would be calm by these, as the seven others are.
    d, blocks, size = 10, 40, {"single": 512, "double": 256}[precision]
    rng = np.random.default_rng(0)
    loss = lost(3.0, precision, d)
    X = rng.standard_normal((blocks * size, d))
    X[:, 0] *= 0.3
    X *= 12.0 / np.linalg.norm(X, axis=1, keepdims=True)
    X[1::2] = -X[::2]
    X[np.abs(X[:, 0]) > 6.0] = 12.0 * np.eye(d)[1]
    Q = 0.1 * rng.standard_normal((8 * MANY, d))
    Q[3] = 10.0 * np.eye(d)[0]
    squares = np.where(np.arange(blocks) < 6, 0.9, 1.15) * loss * 100.0
    along, across = 1.0 + 0.2 * np.sqrt(loss), np.sqrt(squares - 4.0 * loss)
    X[7::size] = along * Q[3] + across[:, None] * np.eye(d)[1]
    y = np.zeros(len(X), np.int64)
    engine = CompiledEngine(fit_lift(X, "euclidean"), X, y, None, 1, precision=precision)
    assert len(engine.packed.x) == blocks
    assert moved_sums(engine, X, y, None, Q) < TOLERANCE[precision]


@BOTH
def test_an_example_is_not_seen_by_its_own_query_elsewhere(precision):
    # Its own example is far from the query, in a block of which all else is known.
    n, d = 20_000, 10
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, d)), np.zeros(n, np.int64)
    Q, own = rng.standard_normal((8 * MANY, d)), n - 1 - np.arange(8 * MANY) * 160
    engine = CompiledEngine(fit_lift(X, "euclidean"), X, y, None, 1, precision=precision)
    assert moved_sums(engine, X, y, None, Q, exclude=own) < TOLERANCE[precision]


@BOTH
@pytest.mark.parametrize("exponent", [3.0, 3.7])
@pytest.mark.parametrize("d", [4, COLUMNS])
def test_units_brought_down_by_other_blocks(precision, exponent, d):
    # Blocks of one class: alike, of many weights and nearer, alike, and so on.
    rng = np.random.default_rng(d)
    size, m = 512, 8 * MANY
    X = rng.standard_normal((6, size, d))
    X /= np.linalg.norm(X, axis=2, keepdims=True)
    w = np.ones((6, size))
    for b in (1, 3, 5):
        w[b] = rng.uniform(0.5, 2.0, size)
        X[b] *= 1.0 - 0.2 * b + 0.05 * rng.random((size, 1))
    X, w, y = X.reshape(-1, d), w.ravel(), np.zeros(6 * size, np.int64)
    Q = 0.01 * rng.standard_normal((m, d))
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(exponent)
    engine = CompiledEngine(lift, X, y, w, 1, precision=precision)
    assert np.all(alike_blocks(engine).reshape(6, -1).T == [True, False] * 3)
    expected = class_sums(kernel, lift, X, y, w, Q, 1)
    assert_sums_agree(engine.class_sums(kernel, Q), expected, TOLERANCE[precision])


def test_pairs_too_near_for_products_are_summed_while_others_outweigh_them():
    kind, d, lanes = np.float32, COLUMNS, 64
    rng = np.random.default_rng(0)
    q = np.tile(rng.standard_normal((d, 1)), TILE).astype(kind)
    size2 = float((q[:, 0].astype(float) ** 2).sum())
    loss = kind(lost(3.0, "single", d))
    # All are at u = 4|q|² but one.
    direction = rng.standard_normal((lanes, d))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    apart = np.full(lanes, 2.0 * np.sqrt(size2))
    apart[5] = np.sqrt(0.7 * float(loss) * size2)
    rows = (q[:, 0] + apart[:, None] * direction).astype(kind)
    rows[5] = q[:, 0] * (1 - apart[5] / np.sqrt(size2))  # nearer to the middle than the query
    query_halves = np.empty(TILE, kind)
    half_norms(q[None], np.empty(TILE), query_halves)
    norms = np.linalg.norm(rows, axis=1).astype(kind)
    block = block_of(rows, loss)
    least = ((rows - q[:, 0]) ** 2).sum(axis=1) - loss * norms**2
    assert 2.0 < size2 * loss / least.min() < DEAREST
    rules, totals, tile = rules_of(kind, loss), totals_of(kind), tile_of(kind)
    own, sizes = np.full(TILE, -1), np.full(TILE, np.sqrt(size2), kind)

    def left():
        return add(block, q, query_halves, sizes, own, loss, rules, totals, tile)

    # Alone such a block is not trusted.
    assert left() == TILE
    assert not totals.plus.any() and not totals.spent.any()
    totals.plus[:] = 1e4
    taken = 0
    while taken < 10_000 and not left():
        taken += 1
        assert np.all(totals.spent <= SPARE * totals.plus) and np.all(totals.spent > 0)
    # Nor without end: what they err adds up.
    assert 10 < taken < 10_000
    assert np.all(tile.todo) and np.all(totals.spent > 0.5 * SPARE * totals.plus)
