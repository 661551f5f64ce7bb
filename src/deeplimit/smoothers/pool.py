"""A pool of linear smoothers: fitted by what they say of rows left out, and asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.nearest import Neighbours
from deeplimit.smoothers.pooling import Link
from deeplimit.smoothers.ridge import Problem, Ridge, fit_ridge, ridge_weights
from deeplimit.smoothers.truncated import Setting, add_proportions, lists_of
from deeplimit.smoothers.views import View

__all__ = ["Group", "LeftOutScores", "Pool", "list_length"]

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
        Factor of each feature; 0 where distances do without it.
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
    loss : float
        Log-loss on rows left out of these smoothers alone, in their best proportions; NaN where it
        is not known.

    Examples
    --------
    >>> from deeplimit.smoothers import fit_pool
    >>> X = np.random.default_rng(0).standard_normal((200, 2))
    >>> pool = fit_pool(X, (X[:, 0] > 0).astype(int), np.ones(200), 2)
    >>> whole = sum(group.weights.sum() + group.ridge_weight for group in pool.groups)
    >>> bool(abs(whole + pool.prior_weight - 1.0) < 1e-12)
    True
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
    loss: float = np.nan

    @property
    def mass(self) -> float:
        """Largest mass of the smoothers over nearest examples; 0 where there are none."""
        return max((setting.mass for setting in self.settings), default=0.0)

    @property
    def used(self) -> NDArray[np.bool_]:
        """The features that distances are made of."""
        used: NDArray[np.bool_] = self.scale != 0.0
        return used


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

    Examples
    --------
    >>> from deeplimit.smoothers import fit_pool
    >>> X = np.random.default_rng(0).standard_normal((200, 2))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> pool = fit_pool(X, y, np.ones(200), 2)
    >>> scores, shares = pool.scores(X[:3]), pool.shares(X[:3])
    >>> bool(abs(shares[:, y == 1].sum(axis=1) - scores[:, 1]).max() < 1e-9)
    True
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
        parts = {
            "singular smoothers over nearest examples": sum(
                float(group.weights.sum()) for group in self.groups
            ),
            "kernel ridge": sum(group.ridge_weight for group in self.groups),
        }
        # The prior that is mixed in draws probabilities together, and decides nothing by itself.
        whole = sum(parts.values())
        if not whole:
            return "majority vote"
        said = [f"{part / whole:.0%} {name}" for name, part in parts.items() if part > 0.0]
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
        for group, Q in self._asked(X):
            neighbours = self._neighbours(group)
            k = list_length(group.mass, self.weight)
            near, values = neighbours.ask(Q, k, group.ridge, n_jobs)
            if values is not None:
                out += group.ridge_weight * (values + self.link.prior)
            if neighbours.compiled:
                asked = (self.weight, group.local, self.index, group.settings, group.weights)
                add_proportions(out, near, *asked)
                continue
            lists = lists_of(near, self.weight, group.local)
            for v, setting in zip(group.weights, group.settings, strict=True):
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
        for group, Q in self._asked(X):
            if group.settings:
                near = self._neighbours(group).nearest(Q, list_length(group.mass, self.weight))
                lists = lists_of(near, self.weight, group.local)
            for v, setting in zip(group.weights, group.settings, strict=True):
                terms = v * lists.terms(setting)
                np.add.at(out, (np.arange(m)[:, None], lists.places), terms)
            if group.ridge is not None:
                h = group.ridge_weight * self._ridge_shares(group, Q)
                out += h
                # Targets are less the prior, which is the mean of the examples.
                rest += group.ridge_weight - h.sum(axis=1)
        shares: Floats = out + rest[:, None] * part
        return shares

    def of(self, kept: Integers, weight: Floats | None = None) -> Pool:
        """Give the pool of some of the examples, its settings staying as they are.

        Parameters
        ----------
        kept : ndarray of int64
            Places of the examples to keep, ascending.
        weight : ndarray of shape (len(kept),), optional
            Their weights, if others than they had.

        Returns
        -------
        Pool
            Ridge solutions are solved anew, local scales are kept.
        """
        centres = self.centres
        if centres is not None:
            centres = np.flatnonzero(np.isin(kept, centres))
            if not centres.size:
                centres = np.arange(kept.size)[: self.centres.size]  # type: ignore[union-attr]
        weight, index = self.weight[kept] if weight is None else weight, self.index[kept]
        problem = Problem(index, weight, self.n_classes, index, 1, index, centres)
        groups = []
        for group in self.groups:
            features = group.features[kept]
            ridge = group.ridge
            if ridge is not None:
                ridge = fit_ridge(features, problem, ridge.ridge, ridge.kernel)
            local = None if group.local is None else group.local[kept]
            groups.append(replace(group, features=features, local=local, ridge=ridge))
        link = self.link._replace(prior=problem.prior)
        none = LeftOutScores(np.zeros(0, dtype=np.int64), np.zeros((0, self.n_classes)))
        return Pool(tuple(groups), self.prior_weight, link, index, weight, centres, none)

    def _asked(self, X: Floats) -> Iterator[tuple[Group, Floats]]:
        """Give the groups, each with rows as its examples are searched."""
        seen: dict[int, Floats] = {}
        for group in self.groups:
            # Groups of one view differ by the scales alone.
            if id(group.view) not in seen:
                seen[id(group.view)] = group.view.features(X)
            used = group.used
            yield group, seen[id(group.view)][:, used] * group.scale[used]

    def _ridge_shares(self, group: Group, Q: Floats) -> Floats:
        """Give what each example's target weighs in a ridge solution, of shape (m, n)."""
        assert group.ridge is not None
        kept = self._solvers
        if group.name not in kept:
            kept[group.name] = ridge_weights(group.features, self.weight, self.centres, group.ridge)
        u = self._neighbours(group).squares(Q)
        return kept[group.name](group.ridge.kernel(u))

    def _neighbours(self, group: Group) -> Neighbours:
        """Give the examples of a group as they are searched."""
        kept = self._searched
        if group.name not in kept:
            kept[group.name] = Neighbours(group.features[:, group.used], self.centres)
        return kept[group.name]

    @cached_property
    def _searched(self) -> dict[str, Neighbours]:
        """Laid out when they are first searched."""
        return {}

    @cached_property
    def _solvers(self) -> dict[str, Callable[[Floats], Floats]]:
        """Factors of ridge systems, made when shares are first asked for."""
        return {}


def list_length(mass: float, weight: Floats) -> int:
    """Give how many nearest examples are listed for a mass.

    Parameters
    ----------
    mass : float
        The mass.
    weight : ndarray of shape (n,)
        Weights of the examples.

    Returns
    -------
    int
        Enough for examples of the least weight, but at most four for each unit of mass.
    """
    wanted = min(mass / float(weight.min()), 4.0 * mass)
    return int(min(len(weight), np.ceil(wanted)))
