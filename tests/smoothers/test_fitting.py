from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from deeplimit.smoothers import FULL, INSTANT, Plan, candidates, fit_pool
from deeplimit.smoothers import fitting as module
from deeplimit.smoothers.crossfit import cross_fit, link_loss
from deeplimit.smoothers.folds import distinct_order, folds_of
from deeplimit.smoothers.nearest import Neighbours
from deeplimit.smoothers.ridge import Problem
from deeplimit.smoothers.truncated import lists_of

# Settings by which a hundred rows are many.
SMALL = Plan(learners=60, choosers=70, left_out=90, exact=80, centres=40)
ODDS = Plan(odds_from=100, least_group=0.0, smooth_to=0)
PLANS = {"instant": INSTANT, "full": FULL, "small": SMALL, "odds": ODDS}
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
    np.testing.assert_allclose(pool.of(np.arange(120)).scores(X), pool.scores(X), rtol=1e-9)


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
    # What is said of new rows costs little against the truth, which is the same everywhere.
    divergence = (0.3 * np.log(0.3 / p[:, 1]) + 0.7 * np.log(0.7 / p[:, 0])).mean()
    assert divergence < 0.06
    assert log_loss(pool) < -np.average(np.log(pool.link.prior[index])) + 1e-3


@pytest.mark.parametrize(("few_folds", "n_folds"), [(120, 4), (119, 2)])
def test_what_is_said_of_a_row_left_out_does_not_know_it(few_folds, n_folds):
    """Without scales that are learnt each part can be made again from the others."""
    X, index = examples(seed=7)
    pool = fit_pool(X, index, np.ones(120), 2, Plan(scales=(), few_folds=few_folds, smooth_to=0))
    (group,) = pool.groups
    own = np.arange(120)
    lists = lists_of(
        Neighbours(group.features).nearest(group.features, 120), pool.weight, group.local, own
    )
    expected = np.zeros((120, 2))
    for v, setting in zip(group.weights, group.settings, strict=True):
        expected += v * lists.proportions(setting, index, 2)
    problem = Problem(index, pool.weight, 2, folds_of(X, index, n_folds), n_folds, own, None)
    found = cross_fit([], group.features, problem, INSTANT.ridges)
    expected += group.ridge_weight * found.scores
    assert group.ridge.ridge == found.ridge
    alone = expected / (1.0 - pool.prior_weight)
    assert group.loss == pytest.approx(link_loss(alone, index, pool.weight), rel=1e-6)
    expected += pool.prior_weight * pool.link.prior
    np.testing.assert_allclose(pool.left_out.scores, expected, atol=1e-7)
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


def test_a_plan_is_kept(monkeypatch):
    """So many examples are left out, span a solution, choose and teach scales: first by rank."""
    X, index = examples()
    rank = distinct_order(X, index)[1]
    problems, taught = [], []

    def cross_fit(features, whole, problem, ridges, smooth=False):
        problems.append(problem)
        return fit(features, whole, problem, ridges, smooth)

    def agop_scales(Z, *part, **options):
        taught.append(Z)
        return learn(Z, *part, **options)

    fit, learn = candidates.cross_fit, candidates.agop_scales
    monkeypatch.setattr(candidates, "cross_fit", cross_fit)
    monkeypatch.setattr(candidates, "agop_scales", agop_scales)
    pool = fit_pool(X, index, np.ones(120), 2, SMALL)
    for p in problems:
        assert np.array_equal(p.rows, np.flatnonzero(rank < 90))
        assert np.array_equal(p.centres, np.flatnonzero(rank < 40))
        assert np.array_equal(p.learners, np.flatnonzero(rank < 70))
        assert np.array_equal(p.fold, folds_of(X, index, 4))
    assert np.array_equal(pool.centres, problems[0].centres)
    assert {len(Z) for Z in taught} == {60}
    # One was taught by all: those of the least rank.
    two = X[rank < 60, 3]
    assert any(np.array_equal(Z[:, 3] > 0.0, two > 0.5) for Z in taught)
    fit_pool(X, index, np.ones(120), 2, Plan(few_folds=119))
    assert problems[-1].n_folds == 2
    assert np.array_equal(problems[-1].fold, folds_of(X, index, 2))
    assert problems[-1].centres is problems[-1].learners is None


@pytest.mark.parametrize("left_out", [1000, 35])
def test_beyond_a_number_one_half_teaches_and_the_other_is_told(left_out, monkeypatch):
    X, index = examples()
    rank = distinct_order(X, index)[1]
    taught = []

    def note(name):
        learn = getattr(candidates, name)

        def noted(Z, labels, weight, *rest, **options):
            taught.append((len(Z), np.sort(labels).tolist()))
            return learn(Z, labels, weight, *rest, **options)

        monkeypatch.setattr(candidates, name, noted)

    for name in ("agop_scales", "anova_scales", "fit_odds"):
        note(name)
    plan = replace(FULL, halves_from=119, odds_from=0, left_out=left_out)
    pool = fit_pool(X, index, np.ones(120), 2, plan)
    half = np.sort(index[rank < 60]).tolist()
    assert taught and all(seen == (60, half) for seen in taught)
    assert np.array_equal(pool.left_out.rows, np.flatnonzero((rank >= 60) & (rank < 60 + left_out)))
    # Labels at random are not learnt from those that taught.
    rng = np.random.default_rng(3)
    noise, labels = rng.standard_normal((120, 100)), np.arange(120) % 2
    said = fit_pool(noise, labels, np.ones(120), 2, plan).left_out
    assert (said.scores.argmax(axis=1) == labels[said.rows]).mean() < 0.75


def test_beyond_a_number_some_choose_for_all():
    X, index = examples()
    rank = distinct_order(X, index)[1]
    plan = replace(SMALL, chosen_from=100)
    said = []
    pool = fit_pool(X, index, np.ones(120), 2, plan, progress=said.append)
    assert "solving for all 120 examples" in said[-1]
    part = np.flatnonzero(rank < 100)
    some = fit_pool(X[part], index[part], np.ones(100), 2, SMALL)
    assert [g.settings for g in pool.groups] == [g.settings for g in some.groups]
    assert np.array_equal(pool.centres, part[some.centres])
    assert np.array_equal(pool.left_out.rows, part[some.left_out.rows])
    assert np.array_equal(pool.left_out.scores, some.left_out.scores)
    # All examples decide: shares of each, and scores that are their sums.
    Q = np.random.default_rng(1).standard_normal((30, 4))
    shares, scores = pool.shares(Q), pool.scores(Q)
    sums = np.stack([shares[:, index == c].sum(axis=1) for c in range(2)], axis=1)
    np.testing.assert_allclose(sums, scores, atol=1e-12)
    assert np.abs(shares[:, np.setdiff1d(np.arange(120), part)]).max() > 1e-3
    for group in pool.groups:
        np.testing.assert_allclose(group.features, group.view.features(X) * group.scale, rtol=1e-14)


@pytest.mark.parametrize("least", [0.2, 0.35])
def test_a_kind_of_distance_that_weighs_little_is_left_out_and_the_rest_weighed_again(least):
    X, index = examples()
    every = fitted("odds")
    some = fit_pool(X, index, np.ones(120), 2, replace(ODDS, least_group=least))
    weights = {g.name: g.weights.sum() + g.ridge_weight for g in every.groups}
    whole = sum(weights.values())
    assert {g.name for g in some.groups} == {n for n, v in weights.items() if v >= least * whole}
    assert 0 < len(some.groups) < len(every.groups)
    again = sum(g.weights.sum() + g.ridge_weight for g in some.groups) + some.prior_weight
    assert again == pytest.approx(1.0, rel=1e-12)
    assert log_loss(every) < log_loss(some) < 0.5


def test_what_is_worth_its_time():
    group, weights = np.array([0, 0, 1, -1]), np.array([0.1, 0.1, 0.3, 0.5])
    # 0.2 of 1 and, when that is gone, 0.3 of 0.8.
    found = {least: module._worth(group, weights, least) for least in (0.2, 0.3, 0.374, 0.376)}
    assert found == {0.2: [0, 1], 0.3: [1], 0.374: [1], 0.376: []}
    # Where nothing else weighs the last one stays.
    assert module._worth(group, np.array([0.1, 0.1, 0.3, 0.0]), 0.99) == [1]


@pytest.mark.parametrize(("choosers", "lists"), [(200, 1), (199, 0)])
def test_where_many_tell_nearest_examples_are_not_asked_for_if_they_weigh_little(choosers, lists):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((200, 6))
    index = (X.sum(axis=1) + rng.standard_normal(200) > 0).astype(int)
    plan = Plan(scales=(), choosers=choosers, least_group=0.8, smooth_to=0, odds_from=10**6)
    (group,) = fit_pool(X, index, np.ones(200), 2, plan).groups
    assert bool(group.settings) == bool(lists)
    assert group.ridge_weight > 0.0
    assert group.weights.sum() < 0.8


def told(X, index, plan):
    said = []
    pool = fit_pool(X, index, np.ones(len(X)), 2, plan, progress=said.append)
    return pool, [words[len("tried distances in ") :].rsplit(",", 1)[0] for words in said]


def test_columns_are_viewed_by_odds_where_there_are_examples_enough():
    X, index = examples()
    assert told(X, index, Plan(odds_from=119, smooth_to=0))[1][-1] == "odds, agop"
    assert "odds, agop" not in told(X, index, Plan(odds_from=120))[1]
    # Not where no column has more than two values.
    assert "odds, agop" not in told((X > 0) * 1.0, index, Plan(odds_from=10))[1]
    bands = ((np.abs(X[:, 0]) < 0.5) ^ (np.abs(X[:, 1]) < 0.5)).astype(np.int64)
    pool, _ = told(X, bands, Plan(odds_from=119, least_group=0.0))
    (group,) = (g for g in pool.groups if g.name == "odds, agop")
    features = group.view.features(X) * group.scale
    np.testing.assert_allclose(group.features, features, rtol=1e-14)


@pytest.mark.parametrize("seed", range(2))
def test_bands_along_columns_are_seen_by_their_odds(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((500, 8))
    index = ((np.abs(X[:, 0]) < 0.3) | (np.abs(X[:, 1] - 1.0) < 0.2)).astype(np.int64)
    index = np.where(rng.random(500) < 0.05, 1 - index, index)
    plain, seen = (
        fit_pool(X, index, np.ones(500), 2, Plan(odds_from=n, learners=300)) for n in (500, 499)
    )
    assert log_loss(seen) < log_loss(plain) - 0.02
    by_weight = max(seen.groups, key=lambda g: g.weights.sum() + g.ridge_weight)
    assert by_weight.name.startswith("odds, agop")
    spread = by_weight.features.std(axis=0)
    assert spread[:2].min() > 2.0 * spread[2:].max()


def test_labels_at_random_are_not_learnt_by_their_odds():
    """What is said of a row left out is said by odds that did not see its label."""
    right, losses = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X, index = rng.standard_normal((60, 200)), np.arange(60) % 2
        pool, names = told(X, index, Plan(scales=(), odds_from=50, least_group=0.0))
        assert names[-1].startswith("odds, agop")
        right.append(np.mean(pool.left_out.scores.argmax(axis=1) == index))
        losses.append(log_loss(pool))
    assert np.mean(right) < 0.62
    assert np.mean(losses) > 0.65


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
    pool, names = told(X, index, FULL)
    assert len(names) >= 2 + len(FULL.scales)
    assert {g.name for g in pool.groups} <= set(names)
    said = []
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


@pytest.mark.parametrize("keys", [None, np.arange(40.0).reshape(20, 2)], ids=["none", "others"])
def test_points_that_coincide_are_a_majority_vote(keys):
    index = np.arange(20) % 4 // 3
    pool = fit_pool(np.ones((20, 2)), index, np.ones(20), 2, keys=keys)
    p = pool.link.probabilities(pool.scores(np.ones((3, 2))))
    np.testing.assert_allclose(p, np.tile([0.75, 0.25], (3, 1)), atol=0.1)


def test_one_example_of_each_class_decides_by_being_near():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    pool = fit_pool(X, np.arange(3), np.ones(3), 3)
    Q = np.array([[0.1, 0.1], [0.9, 0.2], [0.2, 1.5]])
    assert pool.scores(Q).argmax(axis=1).tolist() == [0, 1, 2]
    np.testing.assert_allclose(pool.shares(Q), pool.scores(Q), atol=1e-12)
    # Left out, nobody knows the class.
    np.testing.assert_allclose(pool.left_out.scores, 1.0 / 3.0)


def test_a_class_of_one_example_does_not_speak_against_the_others():
    """Nobody can tell it when it is left out: so it says nothing about who tells best."""
    X, index = examples(60)
    lone = np.arange(10)
    every = np.concatenate([index, 2 + lone])
    far = np.concatenate([X, X[:10] + 8.0 + lone[:, None]])
    pool = fit_pool(far, every, np.ones(70), 12)
    assert np.all(pool.scores(far[60:]).argmax(axis=1) == every[60:])
    assert pool.prior_weight < 0.1


def test_units_are_taken_where_they_tell_more():
    rng = np.random.default_rng(0)
    raw = rng.standard_normal((200, 40)) * np.repeat([1.0, 0.05], [4, 36])
    index = (raw[:, :4].sum(axis=1) > 0).astype(np.int64)
    units = raw.std(axis=0)
    for plan in (INSTANT, FULL):
        plan = replace(plan, scales=(), least_group=0.0)
        with_units = fit_pool(raw / units, index, np.ones(200), 2, plan, units=units)
        without = fit_pool(raw / units, index, np.ones(200), 2, plan)
        assert any(g.name == "units" for g in with_units.groups)
        assert log_loss(with_units) < log_loss(without)
    equal = fit_pool(raw / units, index, np.ones(200), 2, plan, units=1.0 / units)
    assert all("units" not in g.name for g in equal.groups)


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
