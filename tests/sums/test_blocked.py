from __future__ import annotations

import dataclasses
import tracemalloc

import mpmath as mp
import numpy as np
import pytest

from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import PartialSums, class_sums, fit_lift, top_contributors
from sums.reference import exact_gap

KINDS = ["hemisphere", "stereographic", "none", "euclidean"]


@dataclasses.dataclass
class OddKernel:
    """A kernel of both signs, singular at both ends: ξ/(1 - ξ²)."""

    positive: bool = False

    def log_at_gap(self, s):
        with np.errstate(divide="ignore"):
            return np.log(np.abs(1 - s)) - np.log(s) - np.log(2 - s)

    def sign_at_gap(self, s):
        return np.sign(1 - s)


@dataclasses.dataclass
class NanKernel:
    positive: bool = True

    def log_at_gap(self, s):
        return np.full(s.shape, np.nan)


def data(kind="hemisphere", n=200, m=50, d=3, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    X, Q = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    if kind == "none":
        X, Q = (A / np.linalg.norm(A, axis=1, keepdims=True) for A in (X, Q))
    return X, rng.integers(0, n_classes, n), rng.uniform(0.1, 3.0, n), Q


def bits(sums):
    return [getattr(sums, field.name).tobytes() for field in dataclasses.fields(sums)]


def value(sums):
    """Give the net sums, where they fit into float64."""
    hits = (sums.hit_positive - sums.hit_negative).tolist()
    return (sums.positive - sums.negative) * np.exp(sums.max_log), hits


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exponent", [1.0, 3.0, 40.0])
def test_sums_against_many_digits(kind, exponent):
    X, y, w, Q = data(kind, n=25, m=4)
    Q[1] = X[3] * (1 if kind == "none" else 1 + 1e-9)
    lift = fit_lift(X, kind)
    sums = class_sums(PowerKernel(exponent), lift, X, y, w, Q, 3)
    for q in range(4):
        with mp.workdps(50):
            exact = [mp.mpf(0)] * 3
            for x, c, weight in zip(X, y, w, strict=True):
                gap = exact_gap(lift, Q[q], x)
                if gap > 0:
                    exact[c] += mp.mpf(weight) * (2 * gap) ** (-mp.mpf(exponent) / 2)
            for c in range(3):
                ours = mp.mpf(sums.positive[q, c]) * mp.exp(mp.mpf(sums.max_log[q, c]))
                assert abs(ours / exact[c] - 1) < 1e-13 * (10 + exponent)
    assert np.all(sums.negative == 0)
    hits = np.zeros((4, 3))
    if kind == "none":
        hits[1, y[3]] = w[3]
    np.testing.assert_array_equal(sums.hit_positive, hits)


def test_signed_kernels_and_antipodes():
    X, y, w, Q = data("none", d=4)
    Q[0], Q[1] = X[5], -X[6]
    lift = fit_lift(X)
    sums = class_sums(OddKernel(), lift, X, y, w, Q, 3)
    xi = Q @ X.T
    xi[np.abs(xi) > 1 - 1e-12] = 0.0  # hits are on a level of their own
    terms = w * xi / (1 - xi**2)
    expected = np.stack([terms[:, y == c].sum(1) for c in range(3)], axis=1)
    np.testing.assert_allclose(value(sums)[0], expected, rtol=1e-9)
    assert sums.hit_positive[0, y[5]] == w[5]
    assert sums.hit_negative[1, y[6]] == w[6]
    assert np.count_nonzero(sums.hit_positive + sums.hit_negative) == 2


@pytest.mark.parametrize("d", [3, 40])
@pytest.mark.parametrize("leave_out", [False, True])
def test_the_number_of_threads_changes_no_bit(d, leave_out):
    X, y, w, Q = data(n=700, m=700, d=d)
    lift = fit_lift(X)
    queries = X if leave_out else Q
    own = np.arange(700) if leave_out else None
    kernel = PowerKernel(3.0)
    results = [
        bits(class_sums(kernel, lift, X, y, w, queries, 3, n_jobs=j, exclude=own))
        for j in (1, 2, 5, -1)
    ]
    assert all(result == results[0] for result in results)
    tops = [top_contributors(kernel, lift, X, w, queries, 4, n_jobs=j, exclude=own) for j in (1, 3)]
    assert all(np.array_equal(a, b) for a, b in zip(*tops, strict=True))


@pytest.mark.parametrize("d", [3, 40])
def test_blocks_of_any_size_agree(d):
    X, y, w, Q = data(d=d)
    lift = fit_lift(X)
    whole = class_sums(PowerKernel(3.0), lift, X, y, w, Q, 3)
    top = top_contributors(PowerKernel(3.0), lift, X, w, Q, 7)
    for block_bytes in (1, 3000, 30_000):
        again = class_sums(PowerKernel(3.0), lift, X, y, w, Q, 3, block_bytes=block_bytes)
        np.testing.assert_allclose(value(again)[0], value(whole)[0], rtol=1e-12)
        some = top_contributors(PowerKernel(3.0), lift, X, w, Q, 7, block_bytes=block_bytes)
        assert np.array_equal(some.indices, top.indices)
        np.testing.assert_allclose(some.log_weights, top.log_weights, atol=1e-12)


@pytest.mark.parametrize("block_bytes", [2000, 2**26])
def test_leave_one_out_is_a_sum_without_the_example(block_bytes):
    X, y, w, _ = data(n=40)
    X[7] = X[3]  # a duplicate stays visible
    lift = fit_lift(X)
    kernel = PowerKernel(3.0)
    options = {"exclude": np.arange(40), "block_bytes": block_bytes}
    sums = class_sums(kernel, lift, X, y, w, X, 3, **options)
    tops = top_contributors(kernel, lift, X, w, X, 39, **options)
    for i in range(40):
        rest = np.delete(np.arange(40), i)
        one = class_sums(kernel, lift, X[rest], y[rest], w[rest], X[[i]], 3)
        np.testing.assert_allclose(value(sums.take([i]))[0], value(one)[0], rtol=1e-12)
        assert value(sums.take([i]))[1] == value(one)[1]
        top = top_contributors(kernel, lift, X[rest], w[rest], X[[i]], 39)
        assert np.array_equal(rest[top.indices[0]], tops.indices[i])
    assert sums.hit_positive[3, y[7]] == w[7]
    assert np.count_nonzero(sums.hit_positive) == 2


def test_shards_merge_to_the_whole():
    X, y, w, Q = data()
    lift = fit_lift(X)
    kernel = PowerKernel(3.0)
    parts = [class_sums(kernel, lift, X[s], y[s], w[s], Q, 3) for s in (slice(70), slice(70, 200))]
    whole = class_sums(kernel, lift, X, y, w, Q, 3)
    np.testing.assert_allclose(value(parts[0].merge(parts[1]))[0], value(whole)[0], rtol=1e-13)


def test_duplicates_with_conflicting_labels_vote_by_weight():
    X = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [5.0, 5.0]])
    lift = fit_lift(X)
    sums = class_sums(PowerKernel(2.0), lift, X, [0, 1, 1, 2], [3, 1, 1, 9], [[0.0, -0.0]], 3)
    assert sums.hit_positive.tolist() == [[3.0, 2.0, 0.0]]
    assert sums.decide().winner[0] == 0
    # An example of weight 0 is no hit.
    sums = class_sums(PowerKernel(2.0), lift, X, [0, 1, 1, 2], [0, 0, 0, 9], X[:1], 3)
    assert sums.decide().winner[0] == 2
    assert not sums.decide().exact[0]


def test_classes_may_be_many_or_absent():
    X, _, w, Q = data(n=50)
    y = np.arange(50) * 2
    sums = class_sums(PowerKernel(3.0), fit_lift(X), X, y, w, Q, 101)
    assert sums.shape == (50, 101)
    assert np.array_equal(
        np.isneginf(sums.max_log),
        np.tile(np.arange(101) % 2 == 1, (50, 1)) | (np.arange(101) == 100),
    )
    nearest = np.argmax(sums.max_log, axis=1)
    top = top_contributors(PowerKernel(3.0), fit_lift(X), X, None, Q, 1)
    assert np.array_equal(nearest, 2 * top.indices[:, 0])


@pytest.mark.parametrize("kind", ["hemisphere", "stereographic", "euclidean"])
@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e300])
def test_sizes_at_the_ends_of_the_range(kind, size):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 3)), np.arange(30) % 2
    exact = class_sums(
        PowerKernel(784.0), fit_lift(X, kind), X, y, None, X, 2, exclude=np.arange(30)
    )
    X = X * size
    sums = class_sums(
        PowerKernel(784.0), fit_lift(X, kind), X, y, None, X, 2, exclude=np.arange(30)
    )
    assert np.array_equal(sums.decide().winner, exact.decide().winner)
    assert np.isfinite(sums.max_log).all()


def test_degenerate_inputs():
    X, y, w, Q = data()
    lift, kernel = fit_lift(X), PowerKernel(3.0)
    assert class_sums(kernel, lift, X, y, w, Q[:0], 3).shape == (0, 3)
    none = class_sums(kernel, lift, X[:0], y[:0], None, Q, 3)
    assert bits(none) == bits(PartialSums.empty(50, 3))
    assert (
        class_sums(kernel, lift, X[:1], y[:1], None, Q, 3).decide().winner.tolist() == [y[0]] * 50
    )
    assert top_contributors(kernel, lift, X, w, Q[:0], 3).indices.shape == (0, 3)
    assert top_contributors(kernel, lift, X[:0], None, Q, 3).indices.shape == (50, 0)
    same = np.ones((5, 2))
    alone = class_sums(kernel, fit_lift(same), same, np.arange(5) % 2, None, same, 2)
    assert alone.hit_positive.tolist() == [[3.0, 2.0]] * 5


def test_many_columns():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((6, 100_000))
    sums = class_sums(PowerKernel(99_999.0), fit_lift(X), X, [0, 0, 0, 1, 1, 1], None, X, 2)
    assert sums.decide().winner.tolist() == [0, 0, 0, 1, 1, 1]
    assert sums.decide().exact.all()


def test_memory_is_bounded():
    X, y, w, Q = data(n=4000, m=3000, d=4)
    lift = fit_lift(X)
    for d_extra in (0, 40):
        X, Q = np.pad(X, ((0, 0), (0, d_extra))), np.pad(Q, ((0, 0), (0, d_extra)))
        lift = fit_lift(X)
        tracemalloc.start()
        class_sums(PowerKernel(3.0), lift, X, y, w, Q, 3, block_bytes=2**22)
        top_contributors(PowerKernel(3.0), lift, X, w, Q[:500], 5, block_bytes=2**22)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**22 + 6 * X.nbytes + 2**21  # the matrix of gaps has 96 MB


def brute_top(kernel, lift, X, w, Q, k):
    """Order all examples by infinite or finite |w K|, then weight among hits, then index."""
    logs = kernel.log_at_gap(lift.gap(Q[:, None], X))
    rows = []
    for row in logs:
        keys = [
            (-(row[i] + (np.log(w[i]) if w[i] else 0.0)), -w[i] if np.isposinf(row[i]) else 0.0, i)
            for i in range(len(X))
            if w[i] > 0
        ]
        rows.append([i for *_, i in sorted(keys)][:k])
    return rows


@pytest.mark.parametrize("k", [1, 3, 10, 60])
def test_top_contributors_against_a_full_sort(k):
    rng = np.random.default_rng(0)
    # A lattice: many ties, and hits of several weights.
    X = rng.integers(-2, 3, (60, 2)).astype(float)
    Q = rng.integers(-2, 3, (20, 2)).astype(float)
    w = rng.integers(0, 3, 60).astype(float)
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(2.0)
    for block_bytes in (64, 3000, 2**26):
        top = top_contributors(kernel, lift, X, w, Q, k, block_bytes=block_bytes)
        assert top.indices.shape == top.log_weights.shape == top.signs.shape == (20, k)
        for row, expected in zip(top.indices, brute_top(kernel, lift, X, w, Q, k), strict=True):
            assert row.tolist() == expected + [-1] * (k - len(expected))
        present = top.indices >= 0
        assert np.array_equal(top.signs != 0, present)
        assert np.isneginf(top.log_weights[~present]).all()
        chosen = top.indices[0, 0]
        gap = lift.gap(Q[0], X[chosen])
        assert top.log_weights[0, 0] == pytest.approx(kernel.log_at_gap(gap) + np.log(w[chosen]))


def test_equal_contributors_follow_their_index_whatever_is_asked_with_them():
    # Whole numbers in many columns: products round, and many examples are equally far.
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (3000, 40)).astype(float)
    X[1000:] = X[rng.integers(0, 1000, 2000)]
    Q = rng.integers(0, 3, (60, 40)).astype(float)
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
    squares = ((Q[:, None] - X) ** 2).sum(axis=2)
    expected = np.argsort(squares, axis=1, kind="stable")
    for k in (1, 7, 300, 3000):
        assert np.array_equal(
            top_contributors(kernel, lift, X, None, Q, k).indices, expected[:, :k]
        )
    for q in range(0, 60, 7):
        alone = top_contributors(kernel, lift, X, None, Q[q : q + 1], 7).indices
        assert np.array_equal(alone[0], expected[q, :7])


def test_top_contributors_add_up_to_the_sums():
    X, y, w, Q = data("none", n=80, d=4)
    lift = fit_lift(X)
    top = top_contributors(OddKernel(), lift, X, w, Q, 1000)
    assert top.indices.shape == (50, 80)
    assert np.all(np.diff(top.log_weights, axis=1) <= 0)
    net = value(class_sums(OddKernel(), lift, X, y, w, Q, 3))[0]
    terms = top.signs * np.exp(top.log_weights)
    for c in range(3):
        np.testing.assert_allclose(
            np.sum(np.where(y[top.indices] == c, terms, 0.0), axis=1), net[:, c], rtol=1e-9
        )


def test_bad_input_is_refused():
    X, y, w, Q = data()
    lift, kernel = fit_lift(X), PowerKernel(3.0)
    with pytest.raises(ValueError, match=r"class indices must lie in 0\.\.1"):
        class_sums(kernel, lift, X, y, w, Q, 2)
    with pytest.raises(ValueError, match="vector of integers"):
        class_sums(kernel, lift, X, y + 0.5, w, Q, 3)
    with pytest.raises(ValueError, match="a matrix of 199 examples"):
        class_sums(kernel, lift, X, y[1:], w[1:], Q, 3)
    with pytest.raises(ValueError, match="200 sample weights are expected"):
        class_sums(kernel, lift, X, y, w[1:], Q, 3)
    with pytest.raises(
        ValueError, match=r"exclude needs an example in 0..199, or -1, for each of 50 queries"
    ):
        class_sums(kernel, lift, X, y, w, Q, 3, exclude=np.arange(200))
    with pytest.raises(ValueError, match="3 columns are expected"):
        class_sums(kernel, lift, X, y, w, Q[:, :2], 3)
    with pytest.raises(ValueError, match="k must be at least 1"):
        top_contributors(kernel, lift, X, w, Q, 0)
    for function in (
        lambda: class_sums(NanKernel(), lift, X, y, w, Q, 3),
        lambda: top_contributors(NanKernel(), lift, X, w, Q, 3),
    ):
        with pytest.raises(ValueError, match="a log weight is NaN"):
            function()
