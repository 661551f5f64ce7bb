from __future__ import annotations

import numpy as np
import pytest

from deeplimit.smoothers.odds import fit_odds
from deeplimit.smoothers.views import fit_view


def fitted(X, index, weight=None, n_classes=2, categories=()):
    weight = np.ones(len(X)) if weight is None else weight
    base = fit_view(X, weight, "ranks")
    return fit_odds(X, index, weight, n_classes, base, categories), base


def of_one(says, n=2000, noise=0.1, seed=0):
    """Draw one column of which the class is a function, but for noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, n)
    return x[:, None], np.where(rng.random(n) < noise, 1 - says(x), says(x)).astype(np.int64)


def at(view, *values):
    return view.features(np.array(values)[:, None])[:, 0]


def by_hand(x, index, weight, n_classes):
    """Go through the bins of a column: their centres, their masses and the logarithms of odds."""
    mass = weight.sum()
    n_bins = int(min(max(mass / 40.0, 4), 32))
    prior = np.array([weight[index == c].sum() for c in range(n_classes)]) / mass
    bins = {}
    for value in np.unique(x):
        below, here = weight[x < value].sum(), weight[x == value].sum()
        bins.setdefault(int((below + here / 2.0) / mass * n_bins), []).append(value)
    inside = [np.isin(x, bins[b]) for b in sorted(bins)]
    counts = [np.bincount(index[i], weight[i], n_classes) for i in inside]
    says = []
    for b, here in enumerate(counts):
        around = here + sum(0.5 * counts[k] for k in (b - 1, b + 1) if 0 <= k < len(counts))
        says.append(np.log((around + 20.0 * prior) / (around.sum() + 20.0) / prior))
    whole = np.array([weight[i].sum() for i in inside])
    centres = np.array([np.average(x[i], weights=weight[i]) for i in inside])
    return centres, whole / mass, np.array(says)


def test_a_step_is_a_step():
    view, _ = fitted(*of_one(lambda x: x > 0.3))
    low, left, right, high = at(view, -0.9, 0.15, 0.45, 0.9)
    assert high - low > 1.2
    assert abs(low - left) < 0.2 * (high - low)
    assert abs(high - right) < 0.2 * (high - low)


def test_a_bump_is_found_where_no_straight_line_finds_it():
    view, _ = fitted(*of_one(lambda x: np.abs(x) < 0.4))
    low, middle, high = at(view, -0.8, 0.0, 0.8)
    assert middle - max(low, high) > 1.2
    assert abs(low - high) < 0.2 * (middle - low)


@pytest.mark.parametrize("kind", ["normal", "ties", "few values"])
def test_two_classes_have_the_odds_of_the_definition(kind):
    rng = np.random.default_rng(1)
    x = {"normal": rng.standard_normal(500), "ties": rng.poisson(3.0, 500).astype(float)}.get(
        kind, rng.integers(0, 3, 500) ** 2.0
    )
    index, weight = (rng.random(500) < 1 / (1 + np.exp(-x))).astype(int), rng.uniform(0.3, 3, 500)
    view, _ = fitted(x[:, None], index, weight)
    centres, part, says = by_hand(x, index, weight, 2)
    assert len(centres) == 3 if kind == "few values" else len(centres) > 5
    np.testing.assert_allclose(view.knots[0], centres, rtol=1e-12)
    odds = says[:, 1] - says[:, 0]
    expected = odds - part @ odds
    np.testing.assert_allclose(at(view, *centres), expected, rtol=1e-10, atol=1e-12)
    middle = (centres[1:] + centres[:-1]) / 2.0
    np.testing.assert_allclose(at(view, *middle), (expected[1:] + expected[:-1]) / 2.0, atol=1e-12)


@pytest.mark.parametrize("n_classes", [3, 5])
def test_many_classes_have_two_features_that_hold_the_most_of_them(n_classes):
    rng = np.random.default_rng(2)
    x = rng.uniform(0.0, n_classes, 1500)
    index = np.where(rng.random(1500) < 0.2, rng.integers(0, n_classes, 1500), x.astype(int))
    weight = rng.uniform(0.5, 2.0, 1500)
    view, _ = fitted(x[:, None], index, weight, n_classes)
    centres, part, says = by_hand(x, index, weight, n_classes)
    Z = view.features(centres[:, None])
    assert Z.shape[1] == 2
    assert view.source.tolist() == [0, 0]
    centred = says - part @ says
    top, directions = np.linalg.eigh(centred.T @ (part[:, None] * centred))
    np.testing.assert_allclose(part @ Z**2, top[:-3:-1], rtol=1e-9)
    np.testing.assert_allclose(part @ Z, 0.0, atol=1e-10)
    # Distances are those of the projections, whatever their signs.
    plane = centred @ directions[:, -2:]
    apart = ((plane[:, None] - plane[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(((Z[:, None] - Z[None]) ** 2).sum(axis=2), apart, atol=1e-9)


def test_weights_count_like_repeated_rows():
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.standard_normal(300), rng.integers(0, 9, 300)])
    index, times = rng.integers(0, 3, 300), rng.integers(1, 4, 300)
    one, _ = fitted(X, index, times.astype(float), 3)
    many, _ = fitted(np.repeat(X, times, axis=0), np.repeat(index, times), None, 3)
    np.testing.assert_allclose(one.features(X), many.features(X), atol=1e-10)


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(4)
    X, index, order = rng.standard_normal((300, 2)), rng.integers(0, 3, 300), rng.permutation(300)
    one, other = fitted(X, index, None, 3)[0], fitted(X[order], index[order], None, 3)[0]
    np.testing.assert_allclose(one.features(X), other.features(X), atol=1e-10)


def test_values_beyond_those_that_were_there_say_what_the_last_say():
    X, index = of_one(lambda x: x > 0.0)
    view, _ = fitted(X, index)
    low, high, least, most = at(view, X.min(), X.max(), -1e300, 1e300)
    assert (least, most) == (low, high)


def test_columns_of_two_values_and_of_one_are_as_they_are():
    X, index = of_one(lambda x: x > 0.0)
    two = np.where(np.random.default_rng(5).random(len(X)) < 0.9, index, 1 - index) * 7.0 - 3.0
    X = np.column_stack([two, X, np.full(len(X), 2.5), X[:, 0] ** 3])
    view, base = fitted(X, index)
    Z = view.features(X)
    assert view.source.tolist() == [0, 1, 2, 3]
    assert view.bent.tolist() == [1, 3]
    assert np.array_equal(Z[:, [0, 2]], base.features(X)[:, [0, 2]])
    # Odds do not see a monotone change, but for where the centres of bins lie.
    assert np.corrcoef(Z[:, 1], Z[:, 3])[0, 1] > 0.99


@pytest.mark.parametrize("n_classes", [2, 4])
def test_labels_at_random_say_next_to_nothing(n_classes):
    rng = np.random.default_rng(6)
    X, index = rng.standard_normal((4000, 5)), rng.integers(0, n_classes, 4000)
    Z = fitted(X, index, None, n_classes)[0].features(X)
    told = fitted(X, (X[:, 0] > 0).astype(int))[0].features(X)[:, 0]
    assert Z.std(axis=0).max() < 0.06 * n_classes
    assert told.std() > 10.0 * Z.std(axis=0).max()


def test_a_class_that_is_not_there_is_no_infinity():
    """Where scales are learnt without a fold a class may be missing, or all but one."""
    X, index = of_one(lambda x: x > 0.0, n=200)
    Z = fitted(X, 2 * index, None, 4)[0].features(X)
    np.testing.assert_allclose(Z, fitted(X, index)[0].features(X), atol=1e-12)
    assert not fitted(X, np.full(200, 3), None, 4)[0].features(X).any()


@pytest.mark.parametrize("weight", [1e-6, 1.0, 1e9])
def test_few_rows_and_any_weights_have_features(weight):
    X = np.array([[0.0], [1.0], [2.0], [2.0]])
    Z = fitted(X, np.array([0, 1, 2, 0]), np.full(4, weight), 3)[0].features(X)
    assert np.isfinite(Z).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_category_is_what_its_levels_say(n_classes):
    rng = np.random.default_rng(5)
    level, weight = rng.integers(0, 4, 300), rng.choice([0.5, 1.0, 2.0], 300)
    index = np.where(rng.random(300) < 0.3, rng.integers(0, n_classes, 300), level % n_classes)
    X = np.column_stack([rng.standard_normal(300), np.eye(4)[level] * np.sqrt(0.5)])
    X[:20, 1:] = 0.0  # rows without a level
    view, _ = fitted(X, index, weight, n_classes, [np.arange(1, 5)])
    said = view.features(X)[:, view.merged]
    assert np.all(view.source[view.merged] == 1)
    assert said.shape == (300, 1 if n_classes == 2 else 2)
    assert np.all(said[:20] == 0.0)
    prior = np.bincount(index, weight, n_classes) / weight.sum()
    expected, mass = np.zeros((4, n_classes)), np.zeros(4)
    for k in range(4):
        here = (level == k) & (np.arange(300) >= 20)
        counts = np.bincount(index[here], weight[here], n_classes)
        expected[k] = np.log((counts + 20 * prior) / (counts.sum() + 20) / prior)
        mass[k] = counts.sum()
    expected -= mass / mass.sum() @ expected
    # Differences between the levels are kept, in two dimensions as well as two can keep them.
    first = [np.flatnonzero((level == k) & (np.arange(300) >= 20))[0] for k in range(4)]
    if n_classes == 2:
        np.testing.assert_allclose(said[first, 0], expected[:, 1] - expected[:, 0], rtol=1e-12)
    else:
        np.testing.assert_allclose(said[first] @ said[first].T, expected @ expected.T, atol=0.02)


def test_a_category_of_which_nobody_has_a_level_says_nothing():
    X = np.column_stack([np.arange(50.0), np.zeros((50, 3))])
    view, _ = fitted(X, np.arange(50) % 2, categories=[np.arange(1, 4)])
    assert np.all(view.features(X)[:, view.merged] == 0.0)
