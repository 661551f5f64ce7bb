"""Fitting a pool: candidates, and the weights that follow from what they say of rows left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.candidates import Candidate, Candidates
from deeplimit.smoothers.crossfit import link_loss
from deeplimit.smoothers.folds import distinct_order, folds_of
from deeplimit.smoothers.plan import INSTANT, Plan
from deeplimit.smoothers.pool import Group, LeftOutScores, Pool
from deeplimit.smoothers.pooling import Link, mixture_weights, pool_weights
from deeplimit.smoothers.ridge import Problem, fit_ridge
from deeplimit.smoothers.truncated import Setting
from deeplimit.smoothers.views import fit_view
from deeplimit.sums.threads import single_threaded_blas

__all__ = ["fit_pool"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Up to so many examples threads of BLAS wait for each other longer than they work.
_SMALL = 2000
# Smoothers of a pool, at most, besides ridge solutions.
_MOST = 30
# What weighs less is left out of the pool.
_LEAST = 1e-2
# What weighs less to begin with is not weighed at all.
_STARTING = 1e-3
# Ridge and exponent where nothing tells which.
_UNTRIED_RIDGE, _UNTRIED_EXPONENT = 0.1, 8.0


def fit_pool(
    X: Floats,
    index: Integers,
    weight: Floats,
    n_classes: int,
    plan: Plan = INSTANT,
    *,
    keys: Floats | None = None,
    categories: Sequence[Integers] = (),
    units: Floats | None = None,
    seed: int = 0,
    n_jobs: int | None = 1,
    time_limit: float | None = None,
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
        Positive weights. Examples are taken to be distinct: equal ones are to be merged, with the
        sum of their weights.
    n_classes : int
        Number of classes; each has an example.
    plan : Plan
        What is tried.
    keys : ndarray of shape (n, q), optional
        What points were made of: folds and samples go by it. The points if not given.
    categories : sequence of ndarray of int64
        The columns, three or more, that a category was made into; of each category.
    units : ndarray of shape (p,), optional
        What columns are multiplied by to be of one unit, if they may have one in common.
    seed : int, default=0
        Another seed, other folds and samples.
    n_jobs : int or None, default=1
        Threads.
    time_limit : float, optional
        Seconds after which no further kind of distance is tried; the first always is.
    progress : callable, optional
        Told in words what has been tried.

    Returns
    -------
    Pool
        The smoothers that have a weight, and what they say together of rows left out.

    Notes
    -----
    Scales that labels were used for are learnt without the fold of a row before the row is told by
    them, so that what is said of rows left out is honest.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((200, 2))
    >>> pool = fit_pool(X, (X[:, 0] > 0).astype(int), np.ones(200), 2)
    >>> pool.scores(np.array([[-2.0, 1.0], [2.0, 1.0]])).argmax(axis=1).tolist()
    [0, 1]
    """
    start = time.monotonic()
    keys = X if keys is None else keys
    first, rank = distinct_order(keys, index, seed)
    if n_classes == 1 or first.size < 2 or not X.shape[1]:
        return _prior_only(index, weight, n_classes)
    if first.size > plan.chosen_from:
        part = np.flatnonzero(rank < plan.chosen_from)
        chosen = fit_pool(
            X[part],
            index[part],
            weight[part],
            n_classes,
            plan,
            keys=keys[part],
            categories=categories,
            units=units,
            seed=seed,
            n_jobs=n_jobs,
            time_limit=time_limit,
            progress=progress,
        )
        if progress is not None:
            progress(f"solving for all {len(X):,} examples, {time.monotonic() - start:.1f} s")
        return _of_all(chosen, part, X, index, weight)
    if np.bincount(index[first], minlength=n_classes).max() == 1:
        return _untried(X, index, weight, n_classes)
    n_folds = plan.n_folds if first.size <= plan.few_folds else 2
    taught = rank < first.size // 2 if first.size > plan.halves_from else None
    problem = Problem(
        index,
        weight,
        n_classes,
        folds_of(keys, index, n_folds, seed),
        n_folds,
        np.flatnonzero(_tried(rank, taught, plan.left_out)),
        None if first.size <= plan.exact else np.sort(first[: plan.spanned_by(first.size)]),
        None if first.size <= plan.choosers else np.flatnonzero(rank < plan.choosers),
    )
    candidates: list[Candidate] = []
    with single_threaded_blas() if len(X) <= _SMALL else nullcontext():
        for candidate in Candidates(X, problem, plan, rank, taught, categories, units, n_jobs):
            candidates.append(candidate)
            spent = time.monotonic() - start
            if progress is not None:
                progress(f"tried distances in {candidate.name}, {spent:.1f} s")
            if time_limit is not None and spent > time_limit:
                break
        return _pooled(candidates, problem, plan)


def _untried(X: Floats, index: Integers, weight: Floats, n_classes: int) -> Pool:
    """Give the pool of one example for each class: left out, nobody could tell its class.

    Nothing can be chosen by that, so it is half a singular smoother and half a ridge solution.
    """
    view = fit_view(X, weight, "scores")
    features, everyone = view.features(X), np.arange(index.size)
    problem = Problem(index, weight, n_classes, everyone, 1, everyone, None)
    group = Group(
        "scores",
        view,
        np.ones(features.shape[1]),
        features,
        None,
        (Setting(float(weight.sum()), _UNTRIED_EXPONENT, 0.0),),
        np.array([0.5]),
        fit_ridge(features, problem, _UNTRIED_RIDGE),
        0.5,
    )
    link = Link(1.0, 1.0 / (float(weight.sum()) + 1.0), problem.prior)
    return Pool(
        (group,), 0.0, link, index, weight, None, _prior_only(index, weight, n_classes).left_out
    )


def _tried(rank: Integers, taught: NDArray[np.bool_] | None, most: int) -> NDArray[np.bool_]:
    """Tell which examples are left out in turn: of those that nothing is learnt from, if such."""
    if taught is None:
        return rank < most
    tried: NDArray[np.bool_] = ~taught & (rank < np.count_nonzero(taught) + most)
    return tried


def _of_all(chosen: Pool, part: Integers, X: Floats, index: Integers, weight: Floats) -> Pool:
    """Give the pool of all examples with what was chosen from some."""
    centres = None if chosen.centres is None else part[chosen.centres]
    problem = Problem(index, weight, chosen.n_classes, index, 1, part, centres)
    groups = []
    for group in chosen.groups:
        features = group.view.features(X) * group.scale
        ridge = group.ridge
        if ridge is not None:
            ridge = fit_ridge(features, problem, ridge.ridge, ridge.kernel)
        # Local scales were of the neighbours among some; they are not those among all.
        groups.append(replace(group, features=features, local=None, ridge=ridge))
    link = chosen.link._replace(prior=problem.prior)
    said = LeftOutScores(part[chosen.left_out.rows], chosen.left_out.scores)
    return Pool(tuple(groups), chosen.prior_weight, link, index, weight, centres, said)


def _prior_only(index: Integers, weight: Floats, n_classes: int) -> Pool:
    """Give the pool of examples that nothing tells apart, or of one class."""
    mass = np.bincount(index, weights=weight, minlength=n_classes)
    prior = mass / mass.sum()
    said = LeftOutScores(np.arange(index.size), np.tile(prior, (index.size, 1)))
    return Pool((), 1.0, Link(1.0, 0.0, prior), index, weight, None, said)


class _Member(NamedTuple):
    """One smoother: a setting of a candidate, or its ridge solution; and what it says."""

    candidate: int  # -1 for the prior
    setting: Setting | None
    scores: Floats


def _pooled(candidates: list[Candidate], problem: Problem, plan: Plan) -> Pool:
    """Weigh the smoothers of all candidates, leave out what weighs little, and weigh the rest."""
    rows = problem.rows
    index, weight, prior = problem.index[rows], problem.judged(rows), problem.prior
    members, start = _begun(candidates, problem)
    w, link = start, Link(1.0, 0.0, prior)
    for last in (False, True):
        found = pool_weights(np.array([m.scores for m in members]), index, weight, w, prior)
        w, link = found.weights, found.link
        if last:
            break
        group = np.array([m.candidate for m in members])
        looking = np.where(group >= 0, w, 0.0)  # the prior costs nothing
        few = (group >= 0) & ~np.isin(group, _worth(group, looking, plan.least_group))
        if rows.size > plan.choosers:
            # To search for nearest examples is most of what an answer costs.
            lists = np.array([m.candidate if m.setting is not None else -1 for m in members])
            worth = _worth(lists, np.where(few, 0.0, looking), plan.least_group)
            few |= (lists >= 0) & ~np.isin(lists, worth)
        kept = np.flatnonzero((w >= _LEAST) & ~few)
        if kept.size == 0:
            kept = np.array([int(np.argmax(w))])
        members, w = [members[i] for i in kept], w[kept] / w[kept].sum()
    groups = []
    for c, candidate in enumerate(candidates):
        mine = [i for i, m in enumerate(members) if m.candidate == c]
        if not mine:
            continue
        near = [i for i in mine if members[i].setting is not None]
        solved = [i for i in mine if members[i].setting is None]
        alone = np.tensordot(
            w[mine] / w[mine].sum(), np.array([members[i].scores for i in mine]), 1
        )
        groups.append(
            Group(
                candidate.name,
                candidate.view,
                candidate.scale,
                candidate.features,
                candidate.local,
                tuple(setting for i in near if (setting := members[i].setting) is not None),
                w[near],
                candidate.ridge.solution() if solved else None,
                float(w[solved].sum()),
                link_loss(alone, index, weight),
            )
        )
    said = LeftOutScores(rows, np.tensordot(w, np.array([m.scores for m in members]), 1))
    rest = float(w[[i for i, m in enumerate(members) if m.candidate < 0]].sum())
    return Pool(tuple(groups), rest, link, problem.index, problem.weight, problem.centres, said)


def _worth(group: Integers, w: Floats, least: float) -> list[int]:
    """Give the groups that are worth their time: the lightest goes as long as it must.

    Each that is left has its part of what weighs then; what is in no group, -1, always weighs.
    """
    whole = {int(g): float(w[group == g].sum()) for g in np.unique(group[group >= 0])}
    rest = float(w[group < 0].sum())
    while whole:
        lightest = min(whole, key=lambda g: (whole[g], -g))
        if whole[lightest] >= least * (rest + sum(whole.values())):
            break
        del whole[lightest]
    return list(whole)


def _begun(candidates: list[Candidate], problem: Problem) -> tuple[list[_Member], Floats]:
    """Give the smoothers that are worth weighing, and weights to begin with."""
    rows, C = problem.rows, problem.n_classes
    index, weight, prior = problem.index[rows], problem.judged(rows), problem.prior
    at = np.arange(rows.size)
    columns = [c.lists.of_class(c.settings, problem.index, index) for c in candidates]
    ridges = np.column_stack([np.clip(c.ridge.scores[at, index], 0, 1) for c in candidates])
    start = mixture_weights(np.column_stack([*columns, ridges, prior[index]]), weight)
    n_settings = start.size - len(candidates) - 1
    # Equal weights to rounding are put in the order of the settings.
    order = np.argsort(-start[:n_settings].round(9), kind="stable")[:_MOST]
    kept = np.sort(order[start[order] > _STARTING])
    bounds = np.cumsum([0] + [len(c.settings) for c in candidates])
    members = []
    for place in kept:
        c = int(np.searchsorted(bounds, place, side="right")) - 1
        setting = candidates[c].settings[place - bounds[c]]
        said = candidates[c].lists.proportions(setting, problem.index, C)
        members.append(_Member(c, setting, said))
    members += [_Member(c, None, each.ridge.scores) for c, each in enumerate(candidates)]
    members.append(_Member(-1, None, np.tile(prior, (rows.size, 1))))
    weights = np.append(start[kept], np.maximum(start[n_settings:], 0.02))
    return members, weights / weights.sum()
