from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.smoothers.folds import distinct_order, folds_of

seeds = st.integers(0, 1000)


def draw(seed, n=30):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, (n, 2)).astype(float), rng.integers(0, 3, n), rng


@given(seeds)
def test_the_order_of_the_rows_does_not_matter(seed):
    X, index, rng = draw(seed)
    order = rng.permutation(len(X))
    assert np.array_equal(folds_of(X, index, 4)[order], folds_of(X[order], index[order], 4))
    rank, again = distinct_order(X, index)[1], distinct_order(X[order], index[order])[1]
    assert np.array_equal(rank[order], again)


@given(seeds)
def test_equal_examples_go_together_and_others_have_ranks_of_their_own(seed):
    X, index, _ = draw(seed)
    first, rank = distinct_order(X, index, seed)
    fold = folds_of(X, index, 4, seed)
    rows = np.column_stack([X, index])
    same = (rows[:, None] == rows[None]).all(axis=2)
    assert np.array_equal(same, rank[:, None] == rank[None])
    assert not np.any(same & (fold[:, None] != fold[None]))
    assert np.array_equal(np.sort(rank[first]), np.arange(first.size))
    # The first of its kind stands for it.
    assert np.array_equal(first[rank], np.argmax(same, axis=1))


@given(seeds)
def test_repeated_rows_change_no_fold(seed):
    X, index, rng = draw(seed)
    times = rng.integers(1, 4, len(X))
    again = folds_of(np.repeat(X, times, axis=0), np.repeat(index, times), 4)
    assert np.array_equal(np.repeat(folds_of(X, index, 4), times), again)


@pytest.mark.parametrize("n_folds", [2, 3, 4, 7])
def test_each_class_is_spread_evenly(n_folds):
    rng = np.random.default_rng(n_folds)
    X, index = rng.standard_normal((101, 3)), rng.choice(3, 101, p=[0.05, 0.25, 0.7])
    fold = folds_of(X, index, n_folds)
    assert fold.min() == 0
    assert fold.max() == n_folds - 1
    for c in range(3):
        counts = np.bincount(fold[index == c], minlength=n_folds)
        assert counts.max() - counts.min() <= 1
    counts = np.bincount(fold, minlength=n_folds)
    assert counts.max() - counts.min() <= 1


def test_another_seed_is_another_order():
    rng = np.random.default_rng(0)
    X, index = rng.standard_normal((200, 3)), rng.integers(0, 2, 200)
    folds = [folds_of(X, index, 4, seed) for seed in range(6)]
    for i in range(6):
        for j in range(i):
            # Independent folds agree on a quarter.
            assert 0.1 < np.mean(folds[i] == folds[j]) < 0.4


def test_the_order_says_nothing_of_the_values():
    X = np.arange(2000.0)[:, None]
    rank = distinct_order(X, np.zeros(2000, dtype=np.int64))[1]
    assert abs(np.corrcoef(rank, X[:, 0])[0, 1]) < 0.1


def test_missing_is_missing_whatever_its_bits():
    X = np.array([[np.nan, 1.0], [-np.nan, 1.0], [1.0, np.nan]])
    assert np.signbit(X[1, 0]) != np.signbit(X[0, 0])
    rank = distinct_order(X, np.zeros(3, dtype=np.int64))[1]
    assert rank[0] == rank[1] != rank[2]


def test_classes_and_single_bits_tell_rows_apart_but_the_sign_of_zero_does_not():
    X = np.array([[0.0, 1.0], [-0.0, 1.0], [np.nextafter(0.0, 1.0), 1.0], [1.0, 0.0]])
    rank = distinct_order(X, np.zeros(4, dtype=np.int64))[1]
    assert rank[0] == rank[1]
    assert np.unique(rank).size == 3
    assert np.unique(distinct_order(X[:2], np.array([0, 1]))[1]).size == 2
