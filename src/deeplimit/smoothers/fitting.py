"""Fitting a pool: candidates, what each says of rows left out, and the weights that follow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.distances import length_of
from deeplimit.smoothers.folds import distinct_order, folds_of
from deeplimit.smoothers.nearest import Near, Neighbours
from deeplimit.smoothers.odds import fit_odds
from deeplimit.smoothers.pool import Group, LeftOutScores, Pool, list_length
from deeplimit.smoothers.pooling import Link, mixture_weights, pool_weights
from deeplimit.smoothers.ridge import (
    CrossFit,
    Problem,
    cross_fit,
    link_loss,
    trial,
)
from deeplimit.smoothers.scales import KEPT, agop_scales, anova_scales
from deeplimit.smoothers.truncated import Lists, Setting, density, lists_of
from deeplimit.smoothers.views import View, fit_view
from deeplimit.sums.threads import single_threaded_blas

__all__ = ["INSTANT", "FULL", "Plan", "fit_pool"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """What is tried.

    Parameters
    ----------
    scales : tuple of str
        Of "anova" and "agop", besides columns as they are.
    one_view : bool
        Whether only the better view goes on to be scaled.
    rounds : int
        Rounds of the average gradient outer product.
    learners : int
        Examples it is learnt from, at most.
    odds_from : int
        Examples beyond which columns are also viewed by the odds along them.
    choosers : int
        Examples that a ridge, a view and where to begin are chosen from, at most.
    n_folds : int
        Folds.
    few_folds : int
        Examples from which on two folds do.
    halves_from : int
        Examples beyond which what labels are used for is learnt from half of them once, and tried
        on the other half, instead of fold by fold.
    left_out : int
        Examples left out in turn, at most.
    exact : int
        Examples up to which ridge solutions are spanned by all of them.
    centres, most_centres : int
        Examples that they are spanned by beyond: one of eight, but no fewer and no more than this.
    ridges : tuple of float
        Ridges.
    smooth_to : int
        Examples up to which nearly straight solutions are tried as well.
    least_group : float
        A kind of distance that weighs less is left out of the pool.
    masses, exponents, densities : tuple of float
        Grids of the smoothers over nearest examples.

    Examples
    --------
    >>> from dataclasses import replace
    >>> replace(INSTANT, scales=()).scales  # columns as they are, nothing besides
    ()
    """

    scales: tuple[str, ...] = ("agop",)
    one_view: bool = True
    rounds: int = 2
    learners: int = 1000
    odds_from: int = 1000
    choosers: int = 1000
    n_folds: int = 4
    few_folds: int = 20_000
    halves_from: int = 2000
    left_out: int = 4000
    exact: int = 2000
    centres: int = 1000
    most_centres: int = 2000
    ridges: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    smooth_to: int = 500
    least_group: float = 0.1
    masses: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 64, 128)
    exponents: tuple[float, ...] = (0, 1, 4, 16)
    densities: tuple[float, ...] = (0, 1)

    def spanned_by(self, n: int) -> int:
        """Give how many examples span a ridge solution of n examples."""
        return int(np.clip(n // _EACH, self.centres, max(self.centres, self.most_centres)))


INSTANT = Plan()
FULL = Plan(
    scales=("anova", "agop"),
    one_view=False,
    rounds=3,
    learners=1500,
    exact=4000,
    centres=2000,
    least_group=0.02,
)

# Up to so many examples threads of BLAS wait for each other longer than they work.
_SMALL = 2000
# Beyond `exact`, one of so many examples is a centre.
_EACH = 8
# Smoothers of a pool, at most, besides ridge solutions.
_MOST = 30
# What weighs less is left out of the pool.
_LEAST = 1e-2
# What weighs less to begin with is not weighed at all.
_STARTING = 1e-3
# Local scales are taken of all examples up to so many: it takes all their distances.
_LOCAL_UP_TO = 10_000
# So many of the nearest examples are looked at for it.
_AROUND = 17


class _Candidate(NamedTuple):
    """Distances of one kind, and what smoothers by them say of rows left out."""

    name: str
    view: View
    scale: Floats
    features: Floats
    lists: Lists
    local: Floats | None
    settings: tuple[Setting, ...]
    ridge: CrossFit


Learner = Callable[[NDArray[np.bool_]], Floats]


def fit_pool(
    X: Floats,
    index: Integers,
    weight: Floats,
    n_classes: int,
    plan: Plan = INSTANT,
    *,
    keys: Floats | None = None,
    categories: Sequence[Integers] = (),
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
    candidates: list[_Candidate] = []
    with single_threaded_blas() if len(X) <= _SMALL else nullcontext():
        for candidate in _Fit(X, problem, plan, rank, taught, categories, n_jobs).candidates():
            candidates.append(candidate)
            spent = time.monotonic() - start
            if progress is not None:
                progress(f"tried distances in {candidate.name}, {spent:.1f} s")
            if time_limit is not None and spent > time_limit:
                break
        return _pooled(candidates, problem, plan)


def _tried(rank: Integers, taught: NDArray[np.bool_] | None, most: int) -> NDArray[np.bool_]:
    """Tell which examples are left out in turn: of those that nothing is learnt from, if such."""
    if taught is None:
        return rank < most
    tried: NDArray[np.bool_] = ~taught & (rank < np.count_nonzero(taught) + most)
    return tried


def _prior_only(index: Integers, weight: Floats, n_classes: int) -> Pool:
    """Give the pool of examples that nothing tells apart, or of one class."""
    mass = np.bincount(index, weights=weight, minlength=n_classes)
    prior = mass / mass.sum()
    said = LeftOutScores(np.arange(index.size), np.tile(prior, (index.size, 1)))
    return Pool((), 1.0, Link(1.0, 0.0, prior), index, weight, None, said)


class _Fit:
    """What candidates of one fit have in common."""

    def __init__(
        self,
        X: Floats,
        problem: Problem,
        plan: Plan,
        rank: Integers,
        taught: NDArray[np.bool_] | None,
        categories: Sequence[Integers],
        n_jobs: int | None,
    ) -> None:
        self._categories = categories
        self._X, self._problem, self._plan = X, problem, plan
        self._rank, self._n_jobs = rank, n_jobs
        # Examples to learn from: for each fold, if so, and in the end.
        if taught is None:
            self._parts = [problem.fold != f for f in range(problem.n_folds)]
            self._all = np.ones(len(rank), dtype=np.bool_)
        else:
            self._parts, self._all = [], taught
        scores, ranks = (fit_view(X, problem.weight, kind) for kind in ("scores", "ranks"))
        self._views: list[tuple[str, View, Floats]] = [("scores", scores, scores.features(X))]
        if ranks.bent.size:  # otherwise the two are the same
            self._views.append(("ranks", ranks, ranks.features(X)))
        self._normal = self._views[-1][2]

    def candidates(self) -> Iterator[_Candidate]:
        """Try one kind of distance after the other."""
        plan, p = self._plan, self._problem
        views = self._views
        if plan.one_view and len(views) > 1:
            losses = [trial(Z, p, plan.ridges)[0] for _, _, Z in views]
            views = [views[int(np.argmin(losses))]]
        for name, view, Z in views:
            yield from self._candidate(name, view, np.ones(Z.shape[1]), [], Z)
        for kind in plan.scales:
            for name, view, Z in views:
                for words, learn in self._learners(kind, Z):
                    scale = learn(self._all)
                    by_fold = [Z * learn(part) for part in self._parts]
                    yield from self._candidate(f"{name}, {words}", view, scale, by_fold, Z * scale)
        some = len(self._views) > 1 or len(self._categories) > 0
        if some and len(self._rank) > plan.odds_from:
            by_fold = []
            for part in self._parts:
                _, Z = self._odds(part)
                by_fold.append(Z * self._agop(Z, part))
            view, Z = self._odds(self._all)
            scale = self._agop(Z, self._all)
            yield from self._candidate("odds, agop", view, scale, by_fold, Z * scale)

    def _odds(self, kept: NDArray[np.bool_]) -> tuple[View, Floats]:
        p = self._problem
        part = self._X[kept], p.index[kept], p.weight[kept], p.n_classes
        view = fit_odds(*part, self._views[-1][1], self._categories)
        return view, view.features(self._X)

    def _agop(self, Z: Floats, kept: NDArray[np.bool_], start: Floats | None = None) -> Floats:
        p, who = self._problem, self._few(np.flatnonzero(kept))
        part = Z[who], p.index[who], p.weight[who], p.n_classes
        return agop_scales(*part, rounds=self._plan.rounds, start=start)

    def _learners(self, kind: str, Z: Floats) -> list[tuple[str, Learner]]:
        """Give what learns scales from some of the examples."""
        p = self._problem

        def anova(kept: NDArray[np.bool_], keep: float = 0.0) -> Floats:
            who = np.flatnonzero(kept)
            part = self._normal[who], p.index[who], p.weight[who]
            return anova_scales(*part, p.n_classes, keep)

        if kind == "anova":
            return [(kind, anova)]
        both: list[tuple[str, Learner]] = [
            ("agop", lambda kept: self._agop(Z, kept)),
            ("anova and agop", lambda kept: self._agop(Z, kept, anova(kept, KEPT))),
        ]
        if len(Z) <= self._plan.learners:
            return both
        # One fold tells whether it pays to begin with what columns tell by themselves.
        inside = self._parts[0] if self._parts else self._all
        losses = [trial(Z * learn(inside), p)[0] for _, learn in both]
        return [both[int(np.argmin(losses))]]

    def _few(self, who: Integers) -> Integers:
        """Keep as many as scales are learnt from."""
        few = self._plan.learners
        if who.size <= few:
            return who
        rank = self._rank[who]
        kept: Integers = who[rank <= np.partition(rank, few - 1)[few - 1]]
        return kept

    def _candidate(
        self, name: str, view: View, scale: Floats, by_fold: list[Floats], features: Floats
    ) -> Iterator[_Candidate]:
        """Try the smoothers by one kind of distance.

        Each fold has features that its labels were not used for, unless none of a row that is left
        out was.
        """
        p, plan = self._problem, self._plan
        length = length_of(features, p.weight)
        near = self._near(by_fold, features)
        densities, local = plan.densities, None
        if len(features) <= _LOCAL_UP_TO:
            around = Neighbours(features).nearest(features, _AROUND, self._n_jobs)
            local = density(around, p.weight, np.arange(len(features)), length)
        else:
            densities = (0.0,)
        settings = tuple(
            Setting(float(mass), float(exponent), float(power))
            for power in densities
            for exponent in plan.exponents
            for mass in plan.masses
            # One neighbour, or all alike, are the same whatever the rest.
            if (exponent > 0 or power == 0) and (mass > 1 or exponent == 0)
        )
        ridge = cross_fit(by_fold, features, p, plan.ridges)
        lists = lists_of(near, p.weight, local, p.rows)
        yield _Candidate(name, view, scale, features, lists, local, settings, ridge)
        if len(features) <= plan.smooth_to:
            ridge = cross_fit(by_fold, features, p, plan.ridges, smooth=True)
            yield _Candidate(f"{name}, straight", view, scale, features, lists, None, (), ridge)

    def _near(self, by_fold: list[Floats], features: Floats) -> Near:
        """Find the nearest examples of those that are left out."""
        rows = self._problem.rows
        k = list_length(max(self._plan.masses), self._problem.weight) + 1
        if not by_fold:
            return Neighbours(features).nearest(features[rows], k, self._n_jobs)
        places = np.empty((rows.size, min(k, len(features))), dtype=np.int64)
        near = Near(places, np.empty(places.shape))
        for f, X in enumerate(by_fold):
            own = np.flatnonzero(self._problem.fold[rows] == f)
            if own.size:
                some = Neighbours(X).nearest(X[rows[own]], k, self._n_jobs)
                near.places[own], near.logs[own] = some
        return near


class _Member(NamedTuple):
    """One smoother: a setting of a candidate, or its ridge solution; and what it says."""

    candidate: int  # -1 for the prior
    setting: Setting | None
    scores: Floats


def _pooled(candidates: list[_Candidate], problem: Problem, plan: Plan) -> Pool:
    """Weigh the smoothers of all candidates, leave out what weighs little, and weigh the rest."""
    rows = problem.rows
    index, weight, prior = problem.index[rows], problem.weight[rows], problem.prior
    members, start = _begun(candidates, problem)
    w, link = start, Link(1.0, 0.0, prior)
    for last in (False, True):
        found = pool_weights(np.array([m.scores for m in members]), index, weight, w, prior)
        w, link = found.weights, found.link
        if last:
            break
        group = np.array([m.candidate for m in members])
        whole = np.bincount(group + 1, weights=w)
        least = min(plan.least_group * whole[1:].sum(), whole[1:].max())
        few = (group >= 0) & (whole[group + 1] < least)
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


def _begun(candidates: list[_Candidate], problem: Problem) -> tuple[list[_Member], Floats]:
    """Give the smoothers that are worth weighing, and weights to begin with."""
    rows, C = problem.rows, problem.n_classes
    index, weight, prior = problem.index[rows], problem.weight[rows], problem.prior
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
