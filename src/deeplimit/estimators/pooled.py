"""The decision rule of a table's default: a pool of smoothers over encoded rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.estimators.contributions import Contributions
from deeplimit.estimators.left_out import LeftOut
from deeplimit.estimators.parameters import check_count
from deeplimit.estimators.shares import clipped_shares
from deeplimit.estimators.table_model import TableModel
from deeplimit.sums.partial import TIE_TOLERANCE

__all__ = ["PooledRule"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Shares of examples in rows that are computed at once.
_ENTRIES = 2**22


class PooledRule:
    """Decide by a pool.

    Parameters
    ----------
    model : TableModel
        The fitted pool.
    mass : ndarray of shape (n_classes,)
        Total weight of each class, which decides ties.
    factors : ndarray of shape (n_classes,)
        What class weights and priors multiply the probability of each class by.
    n_jobs : int or None
        Threads.
    """

    #: The score is a sum over the examples, but not of a kernel of one distance.
    kernel = None

    def __init__(
        self, model: TableModel, mass: Floats, factors: Floats, n_jobs: int | None
    ) -> None:
        self.model, self.mass, self.factors, self.n_jobs = model, mass, factors, n_jobs

    def scores(self, codes: Floats) -> tuple[Integers, Floats]:
        """Give the winner and the probability of each class."""
        return self._decide(self._pooled(codes))

    def winners(self, codes: Floats) -> Integers:
        """Give the winner alone."""
        return self._decide(self._pooled(codes))[0]

    def contributions(
        self, codes: Floats, top: int | None, classes: NDArray[Any], origin: Integers
    ) -> Contributions:
        """Find the examples with the largest shares of the pooled score.

        Parameters
        ----------
        codes : ndarray of shape (m, p)
            Coded rows.
        top : int or None
            How many examples a row; None is all of them.
        classes : ndarray of shape (n_classes,)
            Labels.
        origin : ndarray of shape (n,)
            Id of each example.

        Returns
        -------
        Contributions

        Raises
        ------
        ValueError
            If `top` is no number of examples.
        """
        check_count("top", top)
        index = self.model.index
        n, m = index.size, len(codes)
        k = n if top is None else min(top, n)
        places, shares = np.empty((m, k), dtype=np.int64), np.empty((m, k))
        whole = np.zeros((m, len(classes)))
        points = self.model.points(codes)
        step = max(1, _ENTRIES // n)
        for i in range(0, m, step):
            part = slice(i, min(i + step, m))
            every = self.model.shares(points[part])
            order = np.argsort(-np.abs(every), axis=1, kind="stable")[:, :k]
            places[part], shares[part] = order, np.take_along_axis(every, order, axis=1)
            for c in range(len(classes)):
                whole[part, c] = every[:, index == c].sum(axis=1)
        with np.errstate(divide="ignore"):
            logs = np.log(np.abs(shares))
        return Contributions(
            indices=origin[places],
            classes=classes[index[places]],
            shares=shares,
            exact=np.zeros(m, dtype=bool),
            log_weights=logs,
            class_shares=whole,
            rest=whole.sum(axis=1) - shares.sum(axis=1),
            labels=classes,
        )

    def without(self, out: Integers) -> PooledRule:
        """Give the rule without some examples, its settings staying as they are."""
        model = self.model.without(out)
        mass = np.bincount(model.index, weights=model.weight, minlength=self.mass.size)
        return PooledRule(model, mass * self.factors, self.factors, self.n_jobs)

    def left_out(self, sample_weight: Floats, classes: NDArray[Any], origin: Integers) -> LeftOut:
        """Tell what the pool said of the examples that were left out when it was fitted."""
        said = self.model.pool.left_out
        # What is said of an example is said of its copies.
        place = np.full(self.model.pool.index.size, -1)
        place[said.rows] = np.arange(said.rows.size)
        place = place[self.model.member]
        rows = np.flatnonzero(place >= 0)
        winner, probabilities = self._decide(said.scores[place[rows]])
        index, weight = self.model.index[rows], sample_weight[rows]
        right = winner == index
        truth = probabilities[np.arange(rows.size), index]
        return LeftOut(
            origin[rows].copy(),
            probabilities,
            classes[winner],
            right,
            float(np.average(right, weights=weight)),
            float(-np.average(np.log(truth), weights=weight)),
        )

    def _pooled(self, codes: Floats) -> Floats:
        return self.model.pool.scores(self.model.points(codes), self.n_jobs)

    def _decide(self, scores: Floats) -> tuple[Integers, Floats]:
        """Give winners, and probabilities of which theirs are the largest, ties and all."""
        p = self.model.pool.link.probabilities(scores)
        measure = scores
        if np.any(self.factors != self.factors[0]):
            measure = p = p * self.factors
            p = p / p.sum(axis=1, keepdims=True)
        top = measure.max(axis=1, keepdims=True)
        tied = measure >= top - TIE_TOLERANCE * np.abs(measure).max(axis=1, keepdims=True)
        winner = np.argmax(np.where(tied, self.mass, -np.inf), axis=1)
        return winner, clipped_shares(p, winner)
