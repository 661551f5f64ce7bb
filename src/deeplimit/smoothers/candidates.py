"""Candidates for a pool: kinds of distance, and what smoothers by each say of rows left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.crossfit import CrossFit, cross_fit, trial
from deeplimit.smoothers.distances import length_of
from deeplimit.smoothers.nearest import Near, Neighbours
from deeplimit.smoothers.odds import fit_odds
from deeplimit.smoothers.plan import Plan
from deeplimit.smoothers.pool import list_length
from deeplimit.smoothers.ridge import Problem
from deeplimit.smoothers.scales import KEPT, agop_scales, anova_scales, sparing
from deeplimit.smoothers.truncated import Lists, Setting, density, lists_of
from deeplimit.smoothers.views import View, fit_view

__all__ = ["Candidate", "Candidates"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Local scales are taken of all examples up to so many: it takes all their distances.
_LOCAL_UP_TO = 10_000
# So many of the nearest examples are looked at for it.
_AROUND = 17
# Columns in a unit of their own are rarely comparable: it must tell so much more that they are.
_MUST_GAIN = 1.05

Learner = Callable[[NDArray[np.bool_]], Floats]


class Candidate(NamedTuple):
    """Distances of one kind, and what smoothers by them say of rows left out.

    Parameters
    ----------
    name : str
        View and scales, in words.
    view : View
        From columns to features.
    scale : ndarray of shape (q,)
        Factor of each feature.
    features : ndarray of shape (n, q)
        Scaled features of the examples.
    lists : Lists
        Nearest examples of the rows that are left out.
    local : ndarray of shape (n,) or None
        ln of the local scales.
    settings : tuple of Setting
        Smoothers over nearest examples to weigh.
    ridge : CrossFit
        A ridge solution.
    """

    name: str
    view: View
    scale: Floats
    features: Floats
    lists: Lists
    local: Floats | None
    settings: tuple[Setting, ...]
    ridge: CrossFit


class Candidates:
    """The kinds of distance that one fit tries, and what they have in common.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Points.
    problem : Problem
        Their classes, weights and folds.
    plan : Plan
        What is tried.
    rank : ndarray of int64, shape (n,)
        Order by which some stand for all.
    taught : ndarray of bool, shape (n,), or None
        Examples that what uses labels is learnt from; None is fold by fold.
    categories : sequence of ndarray of int64
        The columns that a category was made into; of each category.
    units : ndarray of shape (p,) or None
        What columns are multiplied by to be of one unit; None if they have none in common.
    n_jobs : int or None
        Threads.
    """

    def __init__(
        self,
        X: Floats,
        problem: Problem,
        plan: Plan,
        rank: Integers,
        taught: NDArray[np.bool_] | None,
        categories: Sequence[Integers],
        units: Floats | None,
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
        self._units = units

    def __iter__(self) -> Iterator[Candidate]:
        """Try one kind of distance after the other."""
        plan, p = self._plan, self._problem
        views = list(self._views)
        if self._units is not None:
            units = fit_view(self._X, p.weight, "units", self._units)
            views.insert(1, ("units", units, units.features(self._X)))
        if len(views) > 1 and (plan.one_view or self._units is not None):
            losses = [trial(Z, p, plan.ridges)[0] for _, _, Z in views]
            if self._units is not None:
                losses[1] *= _MUST_GAIN
            if plan.one_view:
                views = [views[int(np.argmin(losses))]]
            else:  # the scores and the units are rivals
                del views[0 if losses[1] < losses[0] else 1]
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
        scale = agop_scales(*part, rounds=self._plan.rounds, start=start)
        # Few examples tell too little of what may be left out, and answer at once.
        return sparing(scale, part[0], part[2]) if len(Z) > self._plan.choosers else scale

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
    ) -> Iterator[Candidate]:
        """Try the smoothers by one kind of distance.

        Each fold has features that its labels were not used for, unless none of a row that is left
        out was.
        """
        p, plan = self._problem, self._plan
        length = length_of(features, p.weight)
        neighbours = Neighbours(_varied(features))
        near = self._near(by_fold, neighbours)
        densities, local = plan.densities, None
        if len(features) <= _LOCAL_UP_TO:
            around = neighbours.nearest(neighbours.X, _AROUND, self._n_jobs)
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
        yield Candidate(name, view, scale, features, lists, local, settings, ridge)
        if len(features) <= plan.smooth_to:
            ridge = cross_fit(by_fold, features, p, plan.ridges, smooth=True)
            yield Candidate(f"{name}, smooth", view, scale, features, lists, None, (), ridge)

    def _near(self, by_fold: list[Floats], every: Neighbours) -> Near:
        """Find the nearest examples of those that are left out."""
        rows = self._problem.rows
        k = list_length(max(self._plan.masses), self._problem.weight) + 1
        if not by_fold:
            return every.nearest(every.X[rows], k, self._n_jobs)
        places = np.empty((rows.size, min(k, len(every.X))), dtype=np.int64)
        near = Near(places, np.empty(places.shape))
        for f, X in enumerate(by_fold):
            own = np.flatnonzero(self._problem.fold[rows] == f)
            if own.size:
                X = _varied(X)
                some = Neighbours(X).nearest(X[rows[own]], k, self._n_jobs)
                near.places[own], near.logs[own] = some
        return near


def _varied(X: Floats) -> Floats:
    """Leave out what is 0 in every row, which distances between the rows do without."""
    kept = X.any(axis=0)
    return X if kept.all() else X[:, kept]
