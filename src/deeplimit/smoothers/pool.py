"""A pool of linear smoothers: fitted by what they say of rows left out, and asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.nearest import nearest
from deeplimit.smoothers.pooling import Link
from deeplimit.smoothers.ridge import Problem, Ridge, fit_ridge, laplace, ridge_weights, squares
from deeplimit.smoothers.truncated import Lists, Setting, lists_of
from deeplimit.smoothers.views import View

__all__ = ["Group", "LeftOutScores", "Pool"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Group:
    """The smoothers that measure distances alike.

    Parameters
    ----------
    name : str
        View and scales, in words.
    view : View
        From columns to features.
    scale : ndarray of shape (p,)
        Factor of each feature.
    features : ndarray of shape (n, p)
        Scaled features of the examples.
    local : ndarray of shape (n,) or None
        ln of the local scale of each example.
    settings : tuple of Setting
        The smoothers over nearest examples.
    weights : ndarray of shape (len(settings),)
        Their weights in the pool.
    ridge : Ridge or None
        The kernel ridge solution.
    ridge_weight : float
        Its weight in the pool.
    """

    name: str
    view: View
    scale: Floats
    features: Floats
    local: Floats | None
    settings: tuple[Setting, ...]
    weights: Floats
    ridge: Ridge | None
    ridge_weight: float


class LeftOutScores(NamedTuple):
    """What a pool says of examples it was fitted without.

    Parameters
    ----------
    rows : ndarray of int64, shape (r,)
        The examples.
    scores : ndarray of shape (r, C)
        Pooled scores.
    """

    rows: Integers
    scores: Floats


@dataclass(frozen=True, eq=False)
class Pool:
    """A weighted mean of smoothers, each linear in the labels of the examples.

    Parameters
    ----------
    groups : tuple of Group
        The smoothers.
    prior_weight : float
        Weight of the prior, the smoother that does not look.
    link : Link
        From pooled scores to probabilities.
    index : ndarray of int64, shape (n,)
        Class of each example.
    weight : ndarray of shape (n,)
        Weight of each.
    centres : ndarray of int64, shape (c,), or None
        Examples that ridge solutions are spanned by; None is all.
    left_out : LeftOutScores
        What it says of examples it was fitted without.
    """

    groups: tuple[Group, ...]
    prior_weight: float
    link: Link
    index: Integers
    weight: Floats
    centres: Integers | None
    left_out: LeftOutScores

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self.link.prior.size

    def in_words(self) -> str:
        """Say what the pool is made of, by weight."""
        near = sum(float(group.weights.sum()) for group in self.groups)
        ridge = sum(group.ridge_weight for group in self.groups)
        parts = {
            "singular smoothers over nearest examples": near,
            "kernel ridge": ridge,
            "majority vote": self.prior_weight,
        }
        said = [f"{part:.0%} {name}" for name, part in parts.items() if part >= 0.005]
        return "pool of " + ", ".join(said)

    def scores(self, X: Floats, n_jobs: int | None = 1) -> Floats:
        """Score the classes at rows.

        Parameters
        ----------
        X : ndarray of shape (m, p)
            Rows.
        n_jobs : int or None, default=1
            Threads.

        Returns
        -------
        ndarray of shape (m, n_classes)
            Sums over the examples of a class; of all classes 1.
        """
        out = np.tile(self.prior_weight * self.link.prior, (len(X), 1))
        for group in self.groups:
            Q = group.view.features(X) * group.scale

            def solved(rows: slice, u: Floats, group: Group = group) -> None:
                ridge = group.ridge
                if ridge is not None:
                    u = u if self.centres is None else u[:, self.centres]
                    out[rows] += group.ridge_weight * (ridge.values(u) + self.link.prior)

            for v, lists, setting in self._smoothers(group, Q, n_jobs, solved):
                out += v * lists.proportions(setting, self.index, self.n_classes)
        return out

    def shares(self, X: Floats) -> Floats:
        """Give the share of each example in the scores at rows.

        Parameters
        ----------
        X : ndarray of shape (m, p)
            Rows.

        Returns
        -------
        ndarray of shape (m, n)
            Those of the examples of a class sum to its score; negative where a ridge solution
            weighs an example against its class.
        """
        m, part = len(X), self.weight / self.weight.sum()
        out = np.zeros((m, part.size))
        rest = np.full(m, self.prior_weight)
        for group in self.groups:
            Q = group.view.features(X) * group.scale
            for v, lists, setting in self._smoothers(group, Q):
                terms = v * lists.terms(setting)
                np.add.at(out, (np.arange(m)[:, None], lists.places), terms)
            if group.ridge is not None:
                h = group.ridge_weight * self._ridge_shares(group, Q)
                out += h
                # Targets are less the prior, which is the mean of the examples.
                rest += group.ridge_weight - h.sum(axis=1)
        return out + rest[:, None] * part

    def of(self, kept: Integers) -> Pool:
        """Give the pool of some of the examples, its settings staying as they are.

        Parameters
        ----------
        kept : ndarray of int64
            Places of the examples to keep, ascending.

        Returns
        -------
        Pool
            Ridge solutions are solved anew, local scales are kept.
        """
        centres = self.centres
        if centres is not None:
            centres = np.flatnonzero(np.isin(kept, centres))
        weight, index = self.weight[kept], self.index[kept]
        mass = np.bincount(index, weights=weight, minlength=self.n_classes)
        problem = Problem(index, weight, self.n_classes, index, 1, index, centres)
        groups = []
        for group in self.groups:
            features = group.features[kept]
            ridge = group.ridge
            if ridge is not None:
                ridge = fit_ridge(features, problem, ridge.ridge, ridge.length)
            local = None if group.local is None else group.local[kept]
            groups.append(replace(group, features=features, local=local, ridge=ridge))
        link = self.link._replace(prior=mass / mass.sum())
        none = LeftOutScores(np.zeros(0, dtype=np.int64), np.zeros((0, self.n_classes)))
        return Pool(tuple(groups), self.prior_weight, link, index, weight, centres, none)

    def _smoothers(
        self,
        group: Group,
        Q: Floats,
        n_jobs: int | None = 1,
        also: Callable[[slice, Floats], None] | None = None,
    ) -> list[tuple[float, Lists, Setting]]:
        most = max((setting.mass for setting in group.settings), default=0.0)
        near = nearest(Q, group.features, _length(most, self.weight), n_jobs, also)
        lists = lists_of(near, self.weight, group.local)
        return [(v, lists, s) for v, s in zip(group.weights, group.settings, strict=True)]

    def _ridge_shares(self, group: Group, Q: Floats) -> Floats:
        """What each example's target weighs in a ridge solution, of shape (m, n)."""
        assert group.ridge is not None
        kept = self._solvers
        if group.name not in kept:
            kept[group.name] = ridge_weights(group.features, self.weight, self.centres, group.ridge)
        at = group.features if self.centres is None else group.features[self.centres]
        return kept[group.name](laplace(squares(Q, at), group.ridge.length))

    @cached_property
    def _solvers(self) -> dict[str, Callable[[Floats], Floats]]:
        """Factors of ridge systems, made when shares are first asked for."""
        return {}


def _length(mass: float, weight: Floats) -> int:
    """How many nearest examples surely have a mass, but no more than there are."""
    least = float(weight.min())
    return int(min(len(weight), np.ceil(mass / least))) if np.isfinite(mass) else len(weight)
