from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from deeplimit.smoothers.crossfit import cross_fit, link_loss, trial
from deeplimit.smoothers.distances import left_of, length_of, right_of, squares, squares_of
from deeplimit.smoothers.folds import folds_of
from deeplimit.smoothers.ridge import (
    Kernel,
    Problem,
    fit_ridge,
    ridge_weights,
    solve_ridge,
)

RIDGES = (1e-2, 1e-1, 1.0)


def problem(n=60, n_classes=3, seed=0, **parts):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    index = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 1.0) * (n_classes > 2)
    index = np.where(rng.random(n) < 0.1, rng.integers(0, n_classes, n), index)
    weight = rng.uniform(0.5, 2.0, n)
    made = Problem(index, weight, n_classes, folds_of(X, index, 4), 4, np.arange(n), None)
    return X, replace(made, **parts)


def kernel(A, B, length):
    """Differences, not products."""
    return np.exp(-cdist(A, B) / length)


def spread(X, weight):
    """Take the mean over all pairs, an example with itself included."""
    share = weight / weight.sum()
    return np.sqrt(share @ cdist(X, X, "sqeuclidean") @ share)


def solution(X, p, kept, ridge, length):
    """Give the function that the examples kept come to."""
    prior = np.array([p.weight[p.index == c].sum() for c in range(p.n_classes)]) / p.weight.sum()
    targets = (p.index[:, None] == np.arange(p.n_classes)) - prior
    if p.centres is None:
        system = kernel(X[kept], X[kept], length) + ridge * np.diag(1.0 / p.weight[kept])
        a, C = np.linalg.solve(system, targets[kept]), X[kept]
    else:
        C = X[p.centres]
        phi, W = kernel(X[kept], C, length), np.diag(p.weight[kept])
        system = phi.T @ W @ phi + ridge * kernel(C, C, length)
        a = np.linalg.solve(system, phi.T @ W @ targets[kept])
    return lambda Q: kernel(Q, C, length) @ a + prior


def loss_by_hand(scores, index, weight):
    losses = []
    for power in (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0):
        p = np.maximum(scores, 3e-3) ** power
        p /= p.sum(axis=1, keepdims=True)
        losses.append(np.average(-np.log(p[np.arange(len(p)), index]), weights=weight))
    return min(losses)


def test_squares_are_squared_distances():
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((7, 4)), rng.standard_normal((9, 4))
    expected = cdist(A, B, "sqeuclidean")
    np.testing.assert_allclose(squares(A, B), expected, rtol=1e-12)
    some = squares_of(left_of(A)[2:5], right_of(B))
    np.testing.assert_allclose(some, expected[2:5], rtol=1e-12)
    assert squares(A + 1e6, A + 1e6).min() >= 0.0


def test_the_kernel_is_laplace_s():
    u = np.array([0.0, 1e-12, 0.3, 2.0, 1e5])
    with mpmath.workdps(40):
        expected = [float(mpmath.exp(-mpmath.sqrt(mpmath.mpf(v)) / mpmath.mpf(1.7))) for v in u]
    np.testing.assert_allclose(Kernel(1.7)(u), expected, rtol=1e-13)
    assert Kernel(1.0)(np.array([np.inf]))[0] == 0.0


def test_a_length_is_the_root_mean_square_distance():
    X, p = problem()
    assert length_of(X, p.weight) == pytest.approx(spread(X, p.weight), rel=1e-12)


@pytest.mark.parametrize("at", [0.0, 1.0, 0.1, 1e150])
def test_a_length_is_1_where_all_coincide(at):
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 60)
    assert length_of(np.full((60, 3), at), weight) == 1.0
    assert length_of(np.full((1, 3), at), weight[:1]) == 1.0


def test_the_kernel_of_a_row_with_itself_is_1():
    X = problem()[0]
    np.testing.assert_allclose(Kernel(1.7).gram(X), kernel(X, X, 1.7), rtol=1e-6)
    far = X + 1e6  # where products know no more of a distance than its thousandth part
    assert np.array_equal(np.diag(Kernel(1.7).gram(far)), np.ones(60))
    assert np.abs(Kernel(1.7).gram(far) - kernel(far, far, 1.7)).max() < 0.1


def test_a_system_is_solved_with_weights():
    X, p = problem()
    K = kernel(X, X, 1.0)
    before = K.copy()
    found = solve_ridge(K, p.targets, 0.3, p.weight)
    assert np.array_equal(K, before)
    residual = K @ found + 0.3 * found / p.weight[:, None] - p.targets
    assert np.abs(residual).max() < 1e-13


def test_what_is_not_definite_is_refused():
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        solve_ridge(np.array([[1.0, 2.0], [2.0, 1.0]]), np.ones((2, 1)), 0.1, np.ones(2))


@pytest.mark.parametrize("centres", [None, np.arange(0, 60, 2)], ids=["all", "centres"])
def test_a_solution_is_that_of_its_equations(centres):
    X, p = problem(centres=centres)
    Q = np.random.default_rng(5).standard_normal((11, 3))
    length = spread(X, p.weight)
    found = fit_ridge(X, p, 0.1)
    at = X if centres is None else X[centres]
    assert found.kernel.length == pytest.approx(length, rel=1e-12)
    mine = found.values(squares(Q, at)) + p.prior
    theirs = solution(X, p, np.arange(60), 0.1, length)(Q)
    np.testing.assert_allclose(mine, theirs, atol=1e-6)
    np.testing.assert_allclose(mine.sum(axis=1), 1.0, atol=1e-10)


def test_centres_that_are_all_examples_change_nothing():
    X, p = problem()
    Q = squares(np.random.default_rng(5).standard_normal((11, 3)), X)
    exact, spanned = (fit_ridge(X, replace(p, centres=c), 0.1) for c in (None, np.arange(60)))
    np.testing.assert_allclose(exact.values(Q), spanned.values(Q), atol=1e-6)


@pytest.mark.parametrize("centres", [None, np.arange(0, 60, 3)], ids=["all", "centres"])
@pytest.mark.parametrize("each", [False, True], ids=["one", "by fold"])
def test_what_is_said_of_a_fold_is_said_by_the_rest(centres, each):
    X, p = problem(centres=centres, rows=np.arange(0, 60, 2))
    features = [X * [1.0, 1.0 + f, 0.5] for f in range(4)] if each else []
    ridge, scores, loss, whole = cross_fit(features, X, p, RIDGES)
    losses = []
    for candidate in RIDGES:
        expected = np.empty((60, 3))
        for f in range(4):
            Z = features[f] if each else X
            kept, out = np.flatnonzero(p.fold != f), np.flatnonzero(p.fold == f)
            expected[out] = solution(Z, p, kept, candidate, spread(Z, p.weight))(Z[out])
        expected = expected[p.rows]
        losses.append(loss_by_hand(expected, p.index[p.rows], p.weight[p.rows]))
        if candidate == ridge:
            np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert ridge == RIDGES[int(np.argmin(losses))]
    assert loss == pytest.approx(min(losses), abs=1e-5)
    mine, theirs = whole(), fit_ridge(X, p, ridge)
    assert (mine.ridge, mine.kernel.smooth) == (theirs.ridge, False)
    assert mine.kernel.length == pytest.approx(theirs.kernel.length, rel=1e-12)
    Q = squares(X[:7], X if centres is None else X[centres])
    np.testing.assert_allclose(mine.values(Q), theirs.values(Q), atol=1e-8)


def test_the_smooth_kernel_says_of_a_fold_what_the_rest_says():
    X, p = problem()
    found = cross_fit([], X, p, [0.01], smooth=True)
    length = 3.0 * spread(X, p.weight)
    K = np.exp(-cdist(X, X, "sqeuclidean") / (2.0 * length**2))
    for f in range(4):
        kept, out = np.flatnonzero(p.fold != f), np.flatnonzero(p.fold == f)
        system = K[np.ix_(kept, kept)] + 0.01 * np.diag(1.0 / p.weight[kept])
        a = np.linalg.solve(system, p.targets[kept])
        expected = K[np.ix_(out, kept)] @ a + p.prior
        np.testing.assert_allclose(found.scores[out], expected, atol=1e-9)
    assert found.solution().kernel == Kernel(length_of(X, p.weight) * 3.0, True)


def test_where_nothing_differs_the_prior_is_said():
    _, p = problem()
    X = np.zeros((60, 3))
    said = fit_ridge(X, p, 0.1).values(np.zeros((5, 60)))
    np.testing.assert_allclose(said, 0.0, atol=1e-12)
    ridge, scores, *_ = cross_fit([], X, p, RIDGES)
    for f in range(4):  # a kernel of ones: the shares in the other folds, but for the ridge
        kept = p.fold != f
        w = p.weight[kept]
        expected = p.prior + w @ p.targets[kept] / (ridge + w.sum())
        np.testing.assert_allclose(scores[~kept], np.tile(expected, ((~kept).sum(), 1)), rtol=1e-9)


def test_a_trial_without_anything_to_tell_has_no_loss():
    X, p = problem()
    for nothing in (replace(p, rows=np.flatnonzero(p.fold != 0)), replace(p, fold=p.fold * 0)):
        assert trial(X, nothing, RIDGES) == (np.inf, RIDGES[0])


def test_a_trial_lets_learners_tell_the_first_fold():
    X, p = problem(learners=np.arange(40))
    loss, ridge = trial(X, p, RIDGES)
    who = np.flatnonzero(p.fold[:40] != 0)
    out = np.flatnonzero(p.fold == 0)
    length = spread(X[who], p.weight[who])
    losses = [
        loss_by_hand(solution(X, p, who, r, length)(X[out]), p.index[out], p.weight[out])
        for r in RIDGES
    ]
    assert loss == pytest.approx(min(losses), abs=1e-6)
    assert ridge == RIDGES[int(np.argmin(losses))]


def test_with_learners_the_ridge_is_the_trial_s():
    X, p = problem(learners=np.arange(40))
    ridge, scores, *_ = cross_fit([], X, p, RIDGES)
    assert ridge == trial(X, p, RIDGES)[1]
    kept, out = np.flatnonzero(p.fold != 1), np.flatnonzero(p.fold == 1)
    expected = solution(X, p, kept, ridge, spread(X, p.weight))(X[out])
    np.testing.assert_allclose(scores[out], expected, atol=1e-6)


@pytest.mark.parametrize("centres", [None, np.arange(0, 60, 3)], ids=["all", "centres"])
def test_a_solution_is_the_sum_of_its_weights_times_targets(centres):
    X, p = problem(centres=centres)
    fitted = fit_ridge(X, p, 0.03)
    at = X if centres is None else X[centres]
    u = squares(np.random.default_rng(5).standard_normal((11, 3)), at)
    h = ridge_weights(X, p.weight, centres, fitted)(fitted.kernel(u))
    assert h.shape == (11, 60)
    np.testing.assert_allclose(h @ p.targets, fitted.values(u), atol=1e-11)
    # They do not depend on the classes: other targets, the same weights.
    other = replace(p, index=np.roll(p.index, 7))
    again = fit_ridge(X, other, 0.03)
    np.testing.assert_allclose(h @ other.targets, again.values(u), atol=1e-11)


@pytest.mark.parametrize("centres", [None, np.arange(0, 30, 3)], ids=["all", "centres"])
def test_a_weight_counts_like_repeated_rows(centres):
    X, p = problem(30, 2)
    times = np.random.default_rng(6).integers(1, 4, 30)
    twice = np.repeat(np.arange(30), times)
    first = np.searchsorted(twice, np.arange(30))
    one = replace(p, weight=times.astype(float), centres=centres)
    many = Problem(
        p.index[twice], np.ones(twice.size), 2, p.fold[twice], 4, np.arange(twice.size),
        None if centres is None else first[centres],
    )  # fmt: skip
    a, b = fit_ridge(X, one, 0.1), fit_ridge(X[twice], many, 0.1)
    Q = np.random.default_rng(5).standard_normal((11, 3))
    at = (X, X[twice]) if centres is None else (X[centres], X[centres])
    np.testing.assert_allclose(a.values(squares(Q, at[0])), b.values(squares(Q, at[1])), atol=1e-6)
    ridge, mine, loss, _ = cross_fit([], X, one, RIDGES)
    again, theirs, other, _ = cross_fit([], X[twice], many, RIDGES)
    assert ridge == again
    assert loss == pytest.approx(other, abs=1e-6)
    np.testing.assert_allclose(mine[twice], theirs, atol=1e-6)


def test_the_loss_is_that_of_the_best_power():
    rng = np.random.default_rng(7)
    for _ in range(20):
        scores = rng.dirichlet(np.ones(3), 15) * 1.2 - 0.1
        index, weight = rng.integers(0, 3, 15), rng.uniform(0.1, 3.0, 15)
        expected = loss_by_hand(scores, index, weight)
        assert link_loss(scores, index, weight) == pytest.approx(expected, rel=1e-12)
