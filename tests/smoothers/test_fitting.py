from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from deeplimit.smoothers import FULL, INSTANT, Plan, fit_pool
from deeplimit.smoothers.folds import folds_of
from deeplimit.smoothers.nearest import nearest
from deeplimit.smoothers.ridge import Problem, cross_fit
from deeplimit.smoothers.truncated import lists_of

# Settings by which a hundred rows are many.
SMALL = Plan(learners=60, choosers=70, left_out=90, exact=80, centres=40)
PLANS = {"instant": INSTANT, "full": FULL, "small": SMALL}
plans = pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)


def examples(n=120, noise=0.15, n_classes=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4))
    X[:, 3] = rng.integers(0, 2, n)
    index = (X[:, 0] + 0.5 * X[:, 1] ** 2 > 0.4).astype(np.int64) + (X[:, 1] > 1) * (n_classes > 2)
    index = np.where(rng.random(n) < noise, rng.integers(0, n_classes, n), index)
    return X, index


@cache
def fitted(name, n_classes=2):
    X, index = examples(n_classes=n_classes)
    return fit_pool(X, index, np.ones(len(X)), n_classes, PLANS[name])


def log_loss(pool):
    rows, scores = pool.left_out
    truth = pool.link.probabilities(scores)[np.arange(rows.size), pool.index[rows]]
    return -np.average(np.log(truth), weights=pool.weight[rows])


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_are_sums_of_shares_and_add_up(name, n_classes):
    pool = fitted(name, n_classes)
    X = np.random.default_rng(1).standard_normal((30, 4))
    scores, shares = pool.scores(X), pool.shares(X)
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-12)
    for c in range(n_classes):
        np.testing.assert_allclose(shares[:, pool.index == c].sum(axis=1), scores[:, c], atol=1e-12)
    weights = [pool.prior_weight, *(g.weights.sum() + g.ridge_weight for g in pool.groups)]
    assert sum(weights) == pytest.approx(1.0, rel=1e-12)
    assert (pool.centres is None) == (name != "small")


@pytest.mark.parametrize("name", PLANS)
def test_the_pool_of_all_is_the_pool(name):
    pool = fitted(name)
    X = np.random.default_rng(1).standard_normal((30, 4))
    assert np.array_equal(pool.of(np.arange(120)).scores(X), pool.scores(X))


@pytest.mark.parametrize("name", PLANS)
def test_a_fit_repeats_itself(name):
    X, index = examples()
    again = fit_pool(X, index, np.ones(120), 2, PLANS[name])
    assert np.array_equal(again.scores(X), fitted(name).scores(X))
    assert np.array_equal(again.left_out.scores, fitted(name).left_out.scores)


@pytest.mark.parametrize("name", PLANS)
def test_what_is_said_of_rows_left_out_is_better_than_the_prior(name):
    pool = fitted(name)
    assert log_loss(pool) < 0.6
    assert pool.left_out.rows.size == (90 if name == "small" else 120)


@pytest.mark.parametrize("seed", range(3))
def test_where_there_is_nothing_to_tell_the_prior_stays(seed):
    rng = np.random.default_rng(seed)
    X, index = rng.standard_normal((150, 4)), (rng.random(150) < 0.3).astype(np.int64)
    pool = fit_pool(X, index, np.ones(150), 2)
    p = pool.link.probabilities(pool.scores(rng.standard_normal((300, 4))))
    assert pool.prior_weight > 0.0
    # What is said of new rows costs little against the truth, which is the same everywhere.
    divergence = (0.3 * np.log(0.3 / p[:, 1]) + 0.7 * np.log(0.7 / p[:, 0])).mean()
    assert divergence < 0.06
    assert log_loss(pool) < -np.average(np.log(pool.link.prior[index])) + 1e-3


def test_what_is_said_of_a_row_left_out_does_not_know_it():
    """Without scales that are learnt each part can be made again from the others."""
    X, index = examples()
    pool = fit_pool(X, index, np.ones(120), 2, Plan(scales=()))
    (group,) = pool.groups
    own = np.arange(120)
    lists = lists_of(nearest(group.features, group.features, 120), pool.weight, group.local, own)
    expected = np.tile(pool.prior_weight * pool.link.prior, (120, 1))
    for v, setting in zip(group.weights, group.settings, strict=True):
        expected += v * lists.proportions(setting, index, 2)
    problem = Problem(index, pool.weight, 2, folds_of(X, index, 4), 4, own, None)
    ridge, scores, _ = cross_fit([group.features], problem, INSTANT.ridges)
    expected += group.ridge_weight * scores
    assert group.ridge is None or group.ridge.ridge == ridge
    np.testing.assert_allclose(pool.left_out.scores, expected, atol=1e-10)
    # And its own class is not in it.
    flipped = index.copy()
    flipped[5] = 1 - flipped[5]
    near = lists.proportions(group.settings[0], flipped, 2)[5]
    assert np.array_equal(near, lists.proportions(group.settings[0], index, 2)[5])


def test_labels_at_random_are_not_learnt_by_scales_that_saw_them():
    """Many columns and few rows: in the rows that scales were learnt from they tell all."""
    rng = np.random.default_rng(3)
    X, index = rng.standard_normal((60, 100)), np.arange(60) % 2
    pool = fit_pool(X, index, np.ones(60), 2, FULL)
    right = pool.left_out.scores.argmax(axis=1) == index
    assert right.mean() < 0.7


@plans
def test_a_weight_counts_like_repeated_rows(plan):
    X, index = examples()
    twice = np.repeat(np.arange(120), 2)
    many = fit_pool(X[twice], index[twice], np.ones(240), 2, plan)
    one = fit_pool(X, index, np.full(120, 2.0), 2, plan)
    Q = X + 0.1
    np.testing.assert_allclose(one.scores(Q), many.scores(Q), atol=1e-7)


def test_weights_move_the_decision():
    X, index = examples(noise=0.4)
    said = []
    for weight in (0.1, 0.9):
        scores = fit_pool(X, index, np.where(index == 1, weight, 1.0 - weight), 2).scores(X + 0.1)
        said.append(np.mean(scores[:, 1] > scores[:, 0]))
    assert said[0] < 0.3
    assert said[1] > 0.7


def test_another_seed_is_another_pool_and_the_same_table_the_same():
    X, index = examples()
    other = fit_pool(X, index, np.ones(120), 2, SMALL, seed=1)
    assert not np.array_equal(other.left_out.rows, fitted("small").left_out.rows)
    assert not np.array_equal(other.centres, fitted("small").centres)


def test_samples_go_by_the_keys():
    X, index = examples()
    order = np.random.default_rng(4).permutation(120)
    shuffled = fit_pool(X[order], index[order], np.ones(120), 2, SMALL)
    assert np.array_equal(np.sort(order[shuffled.centres]), fitted("small").centres)
    assert np.array_equal(np.sort(order[shuffled.left_out.rows]), fitted("small").left_out.rows)
    keyed = fit_pool(X, index, np.ones(120), 2, SMALL, keys=X**3)
    assert not np.array_equal(keyed.centres, fitted("small").centres)


def test_words_are_told_and_time_is_kept():
    X, index = examples(60)
    said = []
    pool = fit_pool(X, index, np.ones(60), 2, FULL, progress=said.append)
    assert len(said) >= 2 + len(FULL.scales)
    assert {g.name for g in pool.groups} <= {words[len("tried distances in "):].rsplit(",", 1)[0]
                                            for words in said}  # fmt: skip
    said.clear()
    first = fit_pool(X, index, np.ones(60), 2, FULL, time_limit=1e-12, progress=said.append)
    assert len(said) == 1
    assert [g.name for g in first.groups] == ["scores"]


@pytest.mark.parametrize(
    ("X", "index", "n_classes"),
    [
        (np.zeros((4, 0)), [0, 1, 1, 0], 2),
        (np.ones((1, 2)), [0], 1),
        (np.random.default_rng(0).standard_normal((5, 2)), [0] * 5, 1),
    ],
    ids=["no columns", "one example", "one class"],
)
def test_where_nothing_tells_examples_apart_the_majority_votes(X, index, n_classes):
    index = np.array(index)
    pool = fit_pool(X, index, np.arange(1.0, len(X) + 1.0), n_classes)
    assert not pool.groups
    prior = np.bincount(index, weights=np.arange(1.0, len(X) + 1.0)) / (len(X) * (len(X) + 1) / 2)
    np.testing.assert_allclose(pool.scores(X), np.tile(prior, (len(X), 1)), rtol=1e-14)
    np.testing.assert_allclose(pool.shares(X).sum(axis=1), 1.0, rtol=1e-14)


@pytest.mark.parametrize("n", [2, 3, 5, 9])
@plans
def test_few_examples_are_enough(plan, n):
    X, _ = examples(n)
    pool = fit_pool(X, np.arange(n) % 2, np.ones(n), 2, plan)
    np.testing.assert_allclose(pool.scores(X).sum(axis=1), 1.0, atol=1e-12)


def test_irrelevant_columns_are_scaled_down():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((300, 30))
    index = (X[:, 0] ** 2 + X[:, 1] ** 2 > 1.4).astype(np.int64)
    pool = fit_pool(X, index, np.ones(300), 2)
    learnt = max((g for g in pool.groups if "agop" in g.name), key=lambda g: g.weights.sum())
    assert learnt.scale[:2].min() > 8 * learnt.scale[2:].max()
