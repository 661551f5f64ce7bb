"""Fitting a pool: candidates, what each says of rows left out, and the weights that follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.folds import distinct_order, folds_of
from deeplimit.smoothers.nearest import Near, nearest
from deeplimit.smoothers.pool import Group, LeftOutScores, Pool
from deeplimit.smoothers.pooling import Link, mixture_weights, pool_weights
from deeplimit.smoothers.ridge import Problem, Ridge, cross_fit, fit_ridge, length_of, trial
from deeplimit.smoothers.scales import KEPT, agop_scales, anova_scales
from deeplimit.smoothers.truncated import Lists, Setting, density, lists_of
from deeplimit.smoothers.views import Kind, View, fit_view

__all__ = ["INSTANT", "FULL", "Plan", "fit_pool"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """What is tried.

    Parameters
    ----------
    scales : tuple of str
        Of "plain", "anova" and "agop".
    one_view : bool
        Whether only the better view goes on to be scaled.
    rounds : int
        Rounds of the average gradient outer product.
    learners : int
        Examples it is learnt from, at most.
    choosers : int
        Examples that a ridge, a view and where to begin are chosen from, at most.
    n_folds : int
        Folds.
    left_out : int
        Examples left out in turn, at most.
    centres : int
        Examples that ridge solutions are spanned by, at most.
    ridges : tuple of float
        Ridges.
    masses, exponents, densities : tuple of float
        Grids of the smoothers over nearest examples.
    """

    scales: tuple[str, ...] = ("plain", "agop")
    one_view: bool = True
    rounds: int = 2
    learners: int = 1000
    choosers: int = 1500
    n_folds: int = 4
    left_out: int = 4000
    centres: int = 4000
    ridges: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0)
    masses: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 64, 128)
    exponents: tuple[float, ...] = (0, 1, 4, 16)
    densities: tuple[float, ...] = (0, 1)


INSTANT = Plan()
FULL = Plan(scales=("plain", "anova", "agop"), one_view=False, rounds=3, learners=1500)

# Smoothers of a pool, at most, besides ridge solutions.
_MOST = 30
# What weighs less is left out of the pool.
_LEAST = 1e-2
# What weighs less to begin with is not weighed at all.
_STARTING = 1e-3
# Local scales are taken of all examples up to so many: it takes all their distances.
_LOCAL_UP_TO = 10_000


class _Candidate(NamedTuple):
    """Distances of one kind, and what smoothers by them say of rows left out."""

    name: str
    view: View
    scale: Floats
    features: Floats
    lists: Lists
    local: Floats | None
    settings: tuple[Setting, ...]
    ridge: float
    ridge_scores: Floats


def fit_pool(
    X: Floats,
    index: Integers,
    weight: Floats,
    n_classes: int,
    plan: Plan = INSTANT,
    *,
    keys: Floats | None = None,
    seed: int = 0,
    n_jobs: int | None = 1,
    progress: Callable[[str], None] | None = None,
) -> Pool:
    """Fit a pool.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Points, finite.
    index : ndarray of int64, shape (n,)
        Class of each.
    weight : ndarray of shape (n,)
        Positive weights; one of 2 counts like two equal rows.
    n_classes : int
        Number of classes; each has an example.
    plan : Plan
        What is tried.
    keys : ndarray of shape (n, q), optional
        What points were made of: folds and samples go by it. The points if not given.
    seed : int, default=0
        Another seed, other folds and samples.
    n_jobs : int or None, default=1
        Threads.
    progress : callable, optional
        Told in words what has been done.

    Returns
    -------
    Pool

    Notes
    -----
    Scales that labels were used for are learnt without the fold of a row before the row is told by
    them, so that what is said of rows left out is honest.
    """
    keys = X if keys is None else keys
    fold = folds_of(keys, index, plan.n_folds, seed)
    first, rank = distinct_order(keys, index, seed)
    n = len(X)
    if n_classes == 1 or first.size < 2 or not X.shape[1]:
        return _prior_only(index, weight, n_classes)
    rows = np.flatnonzero(rank < plan.left_out)
    centres = None if first.size <= plan.centres else np.sort(first[: plan.centres // 2])
    learners = None if first.size <= plan.choosers else np.flatnonzero(rank < plan.choosers)
    problem = Problem(index, weight, n_classes, fold, plan.n_folds, rows, centres, learners)
    views: list[tuple[str, View, Floats]] = []
    for kind in ("scores", "ranks"):
        view = fit_view(X, weight, kind)  # type: ignore[arg-type]
        views.append((kind, view, view.features(X)))
    ranked = views[-1][2]
    if not views[1][1].ranked.size:
        views = views[:1]  # the two are the same where no column has more than two values
    if plan.one_view and len(views) > 1:
        losses = [trial(Z, problem, plan.ridges)[0] for _, _, Z in views]
        views = [views[int(np.argmin(losses))]]
    candidates = [
        _candidate(name, view, Z, None, np.ones(Z.shape[1]), problem, plan, n_jobs)
        for name, view, Z in views
    ]
    for name, view, Z in views:
        for kind in plan.scales:
            if kind == "plain":
                continue
            for words, learn in _learners(kind, Z, ranked, problem, plan, rank):
                by_fold = [learn(fold != f) for f in range(plan.n_folds)]
                candidates.append(
                    _candidate(
                        f"{name}, {words}",
                        view,
                        Z,
                        by_fold,
                        learn(np.ones(n, dtype=bool)),
                        problem,
                        plan,
                        n_jobs,
                    )  # fmt: skip
                )
    return _pooled(candidates, problem)


def _prior_only(index: Integers, weight: Floats, n_classes: int) -> Pool:
    """Give the pool of examples that nothing tells apart, or of one class."""
    mass = np.bincount(index, weights=weight, minlength=n_classes)
    prior = mass / mass.sum()
    said = LeftOutScores(np.arange(index.size), np.tile(prior, (index.size, 1)))
    return Pool((), 1.0, Link(1.0, 0.0, prior), index, weight, None, said)


Learner = Callable[[NDArray[np.bool_]], Floats]


def _learners(
    kind: str, Z: Floats, scores: Floats, problem: Problem, plan: Plan, rank: Integers
) -> list[tuple[str, Learner]]:
    """Give what learns scales from some of the examples."""

    def few(kept: NDArray[np.bool_]) -> Integers:
        who = np.flatnonzero(kept)
        if who.size <= plan.learners:
            return who
        return who[rank[who] <= np.partition(rank[who], plan.learners - 1)[plan.learners - 1]]

    def anova(kept: NDArray[np.bool_], keep: float) -> Floats:
        who = np.flatnonzero(kept)
        return anova_scales(
            scores[who], problem.index[who], problem.weight[who], problem.n_classes, keep
        )

    def agop(kept: NDArray[np.bool_], start: Floats | None) -> Floats:
        who = few(kept)
        part = Z[who], problem.index[who], problem.weight[who], problem.n_classes
        return agop_scales(*part, rounds=plan.rounds, start=start)

    if kind == "anova":
        return [("anova", lambda kept: anova(kept, 0.0))]
    both: list[tuple[str, Learner]] = [
        ("agop", lambda kept: agop(kept, None)),
        ("anova, agop", lambda kept: agop(kept, anova(kept, KEPT))),
    ]
    if len(Z) <= plan.learners:
        return both
    # One fold tells whether it pays to begin with what columns tell by themselves.
    inside = problem.fold != 0
    losses = [trial(Z * learn(inside), problem)[0] for _, learn in both]
    return [both[int(np.argmin(losses))]]


def _candidate(
    name: str,
    view: View,
    Z: Floats,
    by_fold: list[Floats] | None,
    scale: Floats,
    problem: Problem,
    plan: Plan,
    n_jobs: int | None,
) -> _Candidate:
    rows, weight = problem.rows, problem.weight
    features = Z * scale
    length = length_of(features, weight)
    k = int(max(plan.masses)) + 1
    local = None
    if by_fold is None:
        near = nearest(features[rows], features, k, n_jobs)
    else:
        places = np.empty((rows.size, min(k, len(Z))), dtype=np.int64)
        logs = np.empty(places.shape)
        for f, s in enumerate(by_fold):
            own = np.flatnonzero(problem.fold[rows] == f)
            if own.size:
                found = nearest(Z[rows[own]] * s, Z * s, k, n_jobs)
                places[own], logs[own] = found
        near = Near(places, logs)
    densities = plan.densities
    if len(Z) <= _LOCAL_UP_TO and length > 0.0:
        around = nearest(features, features, 17, n_jobs)
        local = density(around, weight, np.arange(len(Z)), length)
    else:
        densities = (0,)
    settings = tuple(
        Setting(float(k), float(a), float(b))
        for b in densities
        for a in plan.exponents
        for k in plan.masses
        if (a > 0 or b == 0) and (k > 1 or a == 0)
    )
    each = [features] if by_fold is None else [Z * s for s in by_fold]
    ridge, scores, _ = cross_fit(each, problem, plan.ridges)
    lists = lists_of(near, weight, local, rows)
    return _Candidate(name, view, scale, features, lists, local, settings, ridge, scores)


def _pooled(candidates: list[_Candidate], problem: Problem) -> Pool:
    rows, C = problem.rows, problem.n_classes
    index, weight, prior = problem.index[rows], problem.weight[rows], problem.prior
    at = np.arange(rows.size)
    columns = [c.lists.of_class(c.settings, problem.index, index) for c in candidates]
    ridges = np.column_stack([np.clip(c.ridge_scores[at, index], 0, 1) for c in candidates])
    start = mixture_weights(np.column_stack([*columns, ridges, prior[index]]), weight)
    n_settings = start.size - len(candidates) - 1
    order = np.argsort(-start[:n_settings], kind="stable")[:_MOST]
    kept = np.sort(order[start[order] > _STARTING])
    bounds = np.cumsum([0] + [len(c.settings) for c in candidates])
    scores: list[Floats] = []
    names: list[tuple[int, Setting | None]] = []
    for place in kept:
        c = int(np.searchsorted(bounds, place, side="right")) - 1
        setting = candidates[c].settings[place - bounds[c]]
        scores.append(candidates[c].lists.proportions(setting, problem.index, C))
        names.append((c, setting))
    for c, candidate in enumerate(candidates):
        scores.append(candidate.ridge_scores)
        names.append((c, None))
    scores.append(np.tile(prior, (rows.size, 1)))
    from_em = np.append(start[kept], np.maximum(start[n_settings:], 0.02))
    found = pool_weights(np.array(scores), index, weight, from_em, prior)
    w = np.where(found.weights < _LEAST, 0.0, found.weights)
    w = w / w.sum()
    groups = []
    for c, candidate in enumerate(candidates):
        mine = [i for i, (g, s) in enumerate(names) if g == c and s is not None and w[i] > 0.0]
        ridge_weight = float(w[len(kept) + c])
        if not mine and ridge_weight == 0.0:
            continue
        ridge: Ridge | None = None
        if ridge_weight > 0.0:
            ridge = fit_ridge(candidate.features, problem, candidate.ridge)
        groups.append(
            Group(
                candidate.name,
                candidate.view,
                candidate.scale,
                candidate.features,
                candidate.local,
                tuple(names[i][1] for i in mine),  # type: ignore[misc]
                w[mine],
                ridge,
                ridge_weight,
            )
        )
    said = LeftOutScores(rows, np.tensordot(w, np.array(scores), 1))
    return Pool(
        tuple(groups), float(w[-1]), found.link, problem.index, problem.weight, problem.centres,
        said,
    )  # fmt: skip
