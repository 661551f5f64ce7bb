"""The choice of a ridge, by what solutions say of examples they were solved without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.distances import squares
from deeplimit.smoothers.ridge import (
    Kernel,
    Normal,
    Problem,
    Ridge,
    fit_ridge,
    kernel_of,
    solve_ridge,
)

__all__ = ["CrossFit", "cross_fit", "link_loss", "trial"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Scores to compare ridges by: none below the first, each to one of these powers.
_FLOOR, _POWERS = 3e-3, (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
# Up to so many examples ridges are compared on all folds, beyond on the first.
_ONE_FOLD_FROM = 500


class CrossFit(NamedTuple):
    """A ridge chosen by what the solutions say of examples they were solved without.

    Parameters
    ----------
    ridge : float
        The one of least log-loss.
    scores : ndarray of shape (r, C)
        What the rest says of each example that is left out.
    loss : float
        Log-loss, after the best power of the scores.
    solution : callable
        Gives the solution of all examples.
    """

    ridge: float
    scores: Floats
    loss: float
    solution: Callable[[], Ridge]


def cross_fit(
    features: Sequence[Floats],
    whole: Floats,
    problem: Problem,
    ridges: Sequence[float],
    smooth: bool = False,
) -> CrossFit:
    """Choose the ridge, and say what the solution says of each example without its fold.

    Parameters
    ----------
    features : sequence of ndarray of shape (n, p)
        Scaled features of all examples for each fold, not using the labels of that fold; empty
        where no labels of examples that are left out were used.
    whole : ndarray of shape (n, p)
        Scaled features for the solution.
    problem : Problem
        The examples.
    ridges : sequence of float
        What to choose from.
    smooth : bool, default=False
        Whether the kernel is the smooth one.

    Returns
    -------
    CrossFit
    """
    index, weight, rows = problem.index, problem.weight, problem.rows
    own = problem.fold[rows]
    normal: Normal | None = None
    if problem.centres is not None and not features:
        folds = [np.flatnonzero(problem.fold == f) for f in range(problem.n_folds)]
        normal = Normal(whole, problem, kernel_of(whole, weight, smooth), folds)
    left = list(ridges)
    if problem.learners is not None or len(whole) > _ONE_FOLD_FROM:
        left = [trial(features[0] if features else whole, problem, left, smooth)[1]]
    found = {ridge: np.zeros((rows.size, problem.n_classes)) for ridge in left}
    for f in range(problem.n_folds):
        out = np.flatnonzero(own == f)
        if not out.size:
            continue
        X = features[f] if features else whole
        kernel = kernel_of(X, weight, smooth) if normal is None else normal.kernel
        said = _without(X, problem, kernel, f, rows[out], left, normal)
        for ridge, values in zip(left, said, strict=True):
            found[ridge][out] = values
    judged = problem.judged(rows)
    losses = [link_loss(found[r], index[rows], judged) for r in left]
    best = int(np.argmin(losses))
    ridge = left[best]

    def solution() -> Ridge:
        if normal is None:
            return fit_ridge(whole, problem, ridge, kernel_of(whole, weight, smooth))
        return Ridge(normal.kernel, ridge, normal.whole(ridge))

    return CrossFit(ridge, found[ridge], losses[best], solution)


def _without(
    X: Floats,
    problem: Problem,
    kernel: Kernel,
    f: int,
    out: Integers,
    ridges: Sequence[float],
    normal: Normal | None,
) -> list[Floats]:
    """Give the values at some examples of the solutions without a fold, the prior included."""
    kept = np.flatnonzero(problem.fold != f)
    prior, targets = problem.prior, problem.targets
    if problem.centres is None:
        K = kernel.gram(X[kept])
        at = kernel(squares(X[out], X[kept]))
        return [
            at @ solve_ridge(K, targets[kept], ridge, problem.weight[kept]) + prior
            for ridge in ridges
        ]
    at = kernel(squares(X[out], X[problem.centres]))
    if normal is not None:
        return [at @ normal.without(f, ridge) + prior for ridge in ridges]
    normal = Normal(X, problem, kernel, [kept])
    return [at @ normal.whole(ridge) + prior for ridge in ridges]


def link_loss(scores: Floats, index: Integers, weight: Floats) -> float:
    """Give the log-loss of scores after the best of a few powers.

    Parameters
    ----------
    scores : ndarray of shape (n, C)
        Scores.
    index : ndarray of int64, shape (n,)
        Class of each row.
    weight : ndarray of shape (n,)
        Weight of each.

    Returns
    -------
    float
    """
    logs = np.log(np.maximum(scores, _FLOOR))
    at, share = np.arange(len(logs)), weight / weight.sum()
    losses = []
    for power in _POWERS:
        p = power * (logs - logs.max(axis=1, keepdims=True))
        losses.append(float(share @ (np.log(np.exp(p).sum(axis=1)) - p[at, index])))
    return min(losses)


def trial(
    X: Floats, problem: Problem, ridges: Sequence[float] = (0.1,), smooth: bool = False
) -> tuple[float, float]:
    """Let the learners outside the first fold tell the rows of the first fold.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Scaled features, not using the labels of the first fold.
    problem : Problem
        The examples.
    ridges : sequence of float, default=(0.1,)
        Ridges to try.
    smooth : bool, default=False
        Whether the kernel is the smooth one.

    Returns
    -------
    loss : float
        The least log-loss; inf if there is nothing to tell.
    ridge : float
        The ridge that has it.
    """
    who = np.arange(len(X)) if problem.learners is None else problem.learners
    who, rows = who[problem.fold[who] != 0], problem.rows[problem.fold[problem.rows] == 0]
    if not (who.size and rows.size):
        return np.inf, ridges[0]
    kernel = kernel_of(X[who], problem.weight[who], smooth)
    K = kernel.gram(X[who])
    at = kernel(squares(X[rows], X[who]))
    prior, targets = problem.prior, problem.targets[who]
    index, judged = problem.index[rows], problem.judged(rows)
    found = []
    for ridge in ridges:
        a = solve_ridge(K, targets, ridge, problem.weight[who])
        loss = link_loss(at @ a + prior, index, judged)
        found.append((loss, ridge))
    return min(found)
