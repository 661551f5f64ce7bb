from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from deeplimit.smoothers.distances import length_of
from deeplimit.smoothers.nearest import Neighbours
from deeplimit.smoothers.pool import Group, LeftOutScores, Pool
from deeplimit.smoothers.pooling import Link
from deeplimit.smoothers.ridge import Problem, fit_ridge, kernel_of
from deeplimit.smoothers.truncated import Setting, density
from deeplimit.smoothers.views import fit_view

SETTINGS = (
    Setting(1.0, 0.0, 0.0),
    Setting(6.5, 0.0, 0.0),
    Setting(9.0, 4.0, 1.0),
    Setting(np.inf, 1.0, 0.0),
)
CENTRES = {"all": None, "centres": np.arange(0, 40, 3)}
centred = pytest.mark.parametrize("centres", CENTRES.values(), ids=CENTRES)


def examples(n=40):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 3)) * [1.0, 30.0, 0.01]
    return X, rng.integers(0, 3, n), rng.choice([0.5, 1.0, 2.0], n)


def queries(m=9):
    X, _, _ = examples()
    rng = np.random.default_rng(1)
    return np.concatenate([rng.standard_normal((m - 3, 3)) * [1.0, 30.0, 0.01], X[:3]])


def assembled(centres=None, prior_weight=0.1):
    """Make a pool of two groups, the second with a smooth kernel and without local scales."""
    X, index, weight = examples()
    problem = Problem(index, weight, 3, index, 1, np.arange(40), centres)
    groups = []
    for kind, scale, with_local in (("scores", [1.0, 1.0, 1.0], 1), ("ranks", [2.0, 0.0, 0.5], 0)):
        view = fit_view(X, weight, kind)
        features = view.features(X) * scale
        around = Neighbours(features).nearest(features, 17)
        local = density(around, weight, np.arange(40), length_of(features, weight))
        groups.append(
            Group(
                kind,
                view,
                np.array(scale),
                features,
                local if with_local else None,
                SETTINGS,
                np.array([0.05, 0.1, 0.15, 0.05]),
                fit_ridge(features, problem, 0.03, kernel_of(features, weight, not with_local)),
                0.1,
            )
        )
    groups[1] = replace(groups[1], weights=groups[1].weights * (1.0 - prior_weight - 0.55) / 0.35)
    link = Link(1.5, 0.01, problem.prior)
    none = LeftOutScores(np.zeros(0, dtype=np.int64), np.zeros((0, 3)))
    return Pool(tuple(groups), prior_weight, link, index, weight, centres, none)


def by_hand(pool, X):
    """Score rows from the definition, with all distances, one after the other."""
    mass = np.array([pool.weight[pool.index == c].sum() for c in range(3)])
    prior = mass / mass.sum()
    total = np.tile(pool.prior_weight * prior, (len(X), 1))
    onehot = np.eye(3)[pool.index]
    for group in pool.groups:
        d = cdist(group.view.features(X) * group.scale, group.features)
        for i in range(len(X)):
            for v, s in zip(group.weights, group.settings, strict=True):
                order = np.argsort(d[i], kind="stable")
                rest, part = s.mass, np.zeros(d.shape[1])
                for j in order:
                    part[j] = min(pool.weight[j], rest)
                    rest -= part[j]
                if s.exponent:
                    local = 0.0 if group.local is None else group.local
                    hit = d[i] == 0.0
                    far = np.where(hit, 1.0, d[i] / np.exp(s.density * local))
                    part *= hit if hit.any() else far**-s.exponent
                total[i] += v * part @ onehot / part.sum()
        at = slice(None) if pool.centres is None else pool.centres
        r = d[:, at] / group.ridge.kernel.length
        K = np.exp(-(r**2) / 2 if group.ridge.kernel.smooth else -r)
        total += group.ridge_weight * (K @ group.ridge.coefficients + prior)
    return total


@centred
def test_scores_are_those_of_the_definition(centres):
    pool = assembled(centres)
    found = pool.scores(queries())
    np.testing.assert_allclose(found, by_hand(pool, queries()), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)


@centred
def test_scores_are_sums_of_shares(centres):
    pool = assembled(centres)
    shares, scores = pool.shares(queries()), pool.scores(queries())
    sums = np.stack([shares[:, pool.index == c].sum(axis=1) for c in range(3)], axis=1)
    np.testing.assert_allclose(sums, scores, atol=1e-12)


@centred
def test_a_class_is_given_by_its_examples_alone(centres):
    """Shares do not look at the classes: with other ones they sum to other scores."""
    pool = assembled(centres)
    shares = pool.shares(queries())
    index = np.roll(pool.index, 5)
    problem = Problem(index, pool.weight, 3, index, 1, np.arange(40), centres)
    groups = tuple(
        replace(g, ridge=fit_ridge(g.features, problem, 0.03, g.ridge.kernel)) for g in pool.groups
    )
    link = pool.link._replace(prior=problem.prior)
    other = Pool(groups, 0.1, link, index, pool.weight, centres, pool.left_out)
    sums = np.stack([shares[:, index == c].sum(axis=1) for c in range(3)], axis=1)
    np.testing.assert_allclose(sums, other.scores(queries()), atol=1e-12)


@centred
def test_the_pool_of_all_is_the_pool(centres):
    pool = assembled(centres)
    again = pool.of(np.arange(40))
    np.testing.assert_allclose(again.scores(queries()), pool.scores(queries()), rtol=1e-12)
    np.testing.assert_allclose(again.shares(queries()), pool.shares(queries()), atol=1e-13)


@centred
def test_other_weights_are_those_of_the_definition(centres):
    weight = np.random.default_rng(2).choice([0.5, 1.0, 4.0], 30)
    some = assembled(centres).of(np.arange(5, 35), weight)
    assert np.array_equal(some.weight, weight)
    np.testing.assert_allclose(some.scores(queries()), by_hand(some, queries()), atol=1e-6)


def test_without_its_centres_a_pool_is_spanned_by_other_examples():
    pool = assembled(CENTRES["centres"])
    some = pool.of(np.setdiff1d(np.arange(40), pool.centres))
    assert some.centres.size == pool.centres.size
    np.testing.assert_allclose(some.scores(queries()), by_hand(some, queries()), atol=1e-6)
    np.testing.assert_allclose(some.scores(queries()).sum(axis=1), 1.0, atol=1e-12)


@centred
def test_the_pool_of_some_is_that_of_the_definition(centres):
    pool = assembled(centres)
    kept = np.delete(np.arange(40), [0, 3, 17, 39])
    some = pool.of(kept)
    index, weight = pool.index[kept], pool.weight[kept]
    at = None if centres is None else np.searchsorted(kept, np.setdiff1d(centres, [0, 3, 39]))
    problem = Problem(index, weight, 3, index, 1, np.arange(36), at)
    for mine, theirs in zip(pool.groups, some.groups, strict=True):
        assert np.array_equal(theirs.features, mine.features[kept])
        fitted = fit_ridge(mine.features[kept], problem, 0.03, mine.ridge.kernel)
        np.testing.assert_allclose(
            theirs.ridge.coefficients, fitted.coefficients, rtol=1e-6, atol=1e-9
        )
    np.testing.assert_allclose(some.scores(queries()), by_hand(some, queries()), atol=1e-6)
    np.testing.assert_allclose(some.scores(queries()).sum(axis=1), 1.0, atol=1e-12)
    assert not some.left_out.rows.size


def test_a_class_that_is_gone_has_no_score():
    pool = assembled()
    some = pool.of(np.flatnonzero(pool.index != 1))
    np.testing.assert_allclose(some.scores(queries())[:, 1], 0.0, atol=1e-15)
    assert not some.shares(queries())[:, some.index == 1].size


def test_one_example_decides_alone():
    pool = assembled()
    scores = pool.of(np.array([7])).scores(queries())
    np.testing.assert_allclose(scores, np.tile(np.eye(3)[pool.index[7]], (9, 1)), atol=1e-12)


@centred
def test_threads_and_batches_change_nothing(centres):
    pool = assembled(centres)
    X = np.tile(queries(), (40, 1)) + np.linspace(0.0, 0.1, 360)[:, None]
    whole = pool.scores(X)
    np.testing.assert_allclose(pool.scores(X, 2), whole, atol=1e-12)
    np.testing.assert_allclose(pool.scores(X[100:103]), whole[100:103], atol=1e-7)
    assert pool.scores(X[:0]).shape == (0, 3)


def test_the_prior_alone():
    pool = replace(assembled(), groups=(), prior_weight=1.0)
    prior = np.bincount(pool.index, weights=pool.weight) / pool.weight.sum()
    np.testing.assert_allclose(pool.scores(queries()), np.tile(prior, (9, 1)), rtol=1e-14)
    shares = np.tile(pool.weight / pool.weight.sum(), (9, 1))
    np.testing.assert_allclose(pool.shares(queries()), shares, rtol=1e-14)
    assert pool.in_words() == "majority vote"


def test_words_are_weights():
    # Of 70 and 20 in a hundred: the prior, which decides nothing, is left out.
    words = assembled().in_words()
    assert words == "pool of 78% singular smoothers over nearest examples, 22% kernel ridge"
