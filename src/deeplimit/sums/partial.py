"""Partial sums: the algebra on which engines, shards, updates and removal rest.

For each query and class a partial sum holds ``(max_log, positive, negative)``: the terms K with
sign +1 add up to ``positive * exp(max_log)``, those with sign -1 to ``negative * exp(max_log)``.
Coincident examples, whose log weight is +inf, are a level of their own: the sums of their sample
weights. Each class has its own ``max_log``, so that a class whose kernel values are smaller by
any factor keeps all its digits: it may decide among classes that tie on the level of the hits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.sums.decision import TIE_TOLERANCE, Decision, Floats, decide, proportions
from deeplimit.sums.weights import check_weights

__all__ = ["TIE_TOLERANCE", "Decision", "PartialSums"]

# Sample weights larger than this, or smaller than its inverse, are parts of the log weights: a
# term of a tiny weight would else make nothing of a smaller one that its weight makes larger.
_WIDE = 1e50


@dataclass(frozen=True, eq=False)
class PartialSums:
    """Signed sums of log-domain weights for m queries and C classes.

    Parameters
    ----------
    max_log : ndarray of shape (m, C)
        Largest finite log weight of each class, with that of its example where sample weights are
        beyond 1e±50; -inf where there is none.
    positive, negative : ndarray of shape (m, C)
        Sums of the terms of either sign, divided by exp(max_log); both are >= 0.
    hit_positive, hit_negative : ndarray of shape (m, C)
        Sample weights of the terms with log weight +inf, of either sign.

    Examples
    --------
    >>> import numpy as np
    >>> logs = np.log([[3.0, 1.0, 2.0]])
    >>> left = PartialSums.empty(1, 2).add(logs[:, :2], None, [0, 1])
    >>> sums = left.merge(PartialSums.empty(1, 2).add(logs[:, 2:], None, [1]))
    >>> sums.proportions().round(12).tolist()
    [[0.5, 0.5]]
    >>> sums.decide(prior=[1, 2]).winner.tolist()
    [1]
    """

    max_log: Floats
    positive: Floats
    negative: Floats
    hit_positive: Floats
    hit_negative: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of queries and classes."""
        m, n_classes = self.max_log.shape
        return m, n_classes

    @classmethod
    def empty(cls, m: int, n_classes: int) -> Self:
        """Give the sums of no terms, the neutral element of `merge`.

        Parameters
        ----------
        m : int
            Number of queries.
        n_classes : int
            Number of classes.

        Returns
        -------
        PartialSums
            Empty sums.

        Examples
        --------
        >>> PartialSums.empty(2, 3).shape
        (2, 3)
        """
        zeros = [np.zeros((m, n_classes)) for _ in range(4)]
        return cls(np.full((m, n_classes), -np.inf), *zeros)

    @classmethod
    def concatenate(cls, parts: Sequence[PartialSums]) -> Self:
        """Stack the sums of consecutive blocks of queries.

        Parameters
        ----------
        parts : sequence of PartialSums
            At least one, of the same classes.

        Returns
        -------
        PartialSums
            The sums of all the queries.

        Examples
        --------
        >>> PartialSums.concatenate([PartialSums.empty(2, 3), PartialSums.empty(1, 3)]).shape
        (3, 3)
        """
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def take(self, rows: ArrayLike) -> PartialSums:
        """Give the sums of some of the queries.

        Parameters
        ----------
        rows : array-like
            Indices or mask of the queries.

        Returns
        -------
        PartialSums
            Their sums, copied.

        Examples
        --------
        >>> PartialSums.empty(3, 2).take([0, 2]).shape
        (2, 2)
        """
        index = np.asarray(rows)
        return PartialSums(*(getattr(self, field.name)[index] for field in fields(self)))

    def classes(self, columns: ArrayLike) -> PartialSums:
        """Give the sums of some of the classes.

        Parameters
        ----------
        columns : array-like of int
            Which.

        Returns
        -------
        PartialSums
            Copied.

        Examples
        --------
        >>> PartialSums.empty(2, 3).classes([0, 2]).shape
        (2, 2)
        """
        index = np.asarray(columns)
        return PartialSums(*(getattr(self, field.name)[:, index] for field in fields(self)))

    def put(self, rows: ArrayLike, other: PartialSums) -> None:
        """Replace the sums of some of the queries, in place.

        Parameters
        ----------
        rows : array-like
            Indices or mask of the queries.
        other : PartialSums
            Their new sums.

        Examples
        --------
        >>> sums = PartialSums.empty(2, 1)
        >>> sums.put([1], PartialSums.empty(1, 1).add([[0.0]], None, [0]))
        >>> sums.positive.tolist()
        [[0.0], [1.0]]
        """
        index = np.asarray(rows)
        for field in fields(self):
            getattr(self, field.name)[index] = getattr(other, field.name)

    def add(
        self,
        log_weights: ArrayLike,
        signs: ArrayLike | None,
        class_index: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> PartialSums:
        """Add terms: sample_weight · sign · exp(log_weight) to the class of each example.

        Parameters
        ----------
        log_weights : array-like of shape (m, n)
            ln|K| of each query and example: +inf for a hit, -inf for no term at all.
        signs : array-like of shape (m, n), optional
            +1, -1 or 0; all +1 if not given.
        class_index : array-like of int, shape (n,)
            Class of each example.
        sample_weight : array-like of shape (n,), optional
            Nonnegative; 1 if not given. An example of weight 0 is absent.

        Returns
        -------
        PartialSums
            New sums; this object stays as it was.

        Raises
        ------
        ValueError
            If shapes or classes do not fit, a log weight is NaN, or a sample weight is negative or
            not finite.

        Examples
        --------
        >>> sums = PartialSums.empty(1, 2).add([[5000.0, 4999.0]], [[1, -1]], [0, 0])
        >>> sums.positive[0, 0], sums.negative[0, 0].round(4), sums.max_log[0, 0]
        (np.float64(1.0), np.float64(0.3679), np.float64(5000.0))
        """
        m, n_classes = self.shape
        logs = np.asarray(log_weights, dtype=np.float64)
        index = np.asarray(class_index)
        if logs.shape != (m, index.size) or index.ndim != 1:
            raise ValueError(
                f"log weights of shape ({m}, {index.size}) are expected, {logs.shape} was got"
            )
        if index.size and not (index.min() >= 0 and index.max() < n_classes):
            raise ValueError(f"class indices must lie in 0..{n_classes - 1}")
        sign = None if signs is None else np.asarray(signs)
        if sign is not None and sign.shape != logs.shape:
            raise ValueError(f"signs of shape {logs.shape} are expected, {sign.shape} was got")
        weight = check_weights(sample_weight, index.size)
        if np.any(index[1:] < index[:-1]):
            order = np.argsort(index, kind="stable")
            index, logs = index[order], logs[:, order]
            sign = None if sign is None else sign[:, order]
            weight = None if weight is None else weight[order]
        sums = PartialSums.concatenate([self])
        sums.absorb_sorted(logs, sign, index, weight)
        return sums

    def absorb_sorted(
        self,
        log_weights: Floats,
        signs: NDArray[np.number] | None,
        class_index: NDArray[np.integer],
        sample_weight: Floats | None,
    ) -> None:
        """Add terms in place, without checks: for engines, whose examples are sorted by class.

        Parameters
        ----------
        log_weights : ndarray of shape (m, n)
            ln|K|, as in `add`.
        signs : ndarray of shape (m, n) or None
            Signs, as in `add`.
        class_index : ndarray of int, shape (n,)
            Class of each example, ascending.
        sample_weight : ndarray of shape (n,) or None
            Weights, as in `add`.

        Raises
        ------
        ValueError
            If a log weight is NaN.

        Examples
        --------
        >>> import numpy as np
        >>> sums = PartialSums.empty(1, 2)
        >>> sums.absorb_sorted(np.zeros((1, 3)), None, np.array([0, 1, 1]), None)
        >>> sums.positive
        array([[1., 2.]])
        """
        for c, run in _runs(class_index):
            sign = None if signs is None else signs[:, run]
            weight = None if sample_weight is None else sample_weight[run]
            self._absorb(slice(c, c + 1), _sum_run(log_weights[:, run], sign, weight))

    def _absorb(self, classes: slice, other: PartialSums) -> None:
        top = np.maximum(self.max_log[:, classes], other.max_log)
        floor = np.where(np.isneginf(top), 0.0, top)
        with np.errstate(over="ignore"):
            mine, theirs = np.exp(self.max_log[:, classes] - floor), np.exp(other.max_log - floor)
        self.positive[:, classes] = self.positive[:, classes] * mine + other.positive * theirs
        self.negative[:, classes] = self.negative[:, classes] * mine + other.negative * theirs
        self.hit_positive[:, classes] += other.hit_positive
        self.hit_negative[:, classes] += other.hit_negative
        self.max_log[:, classes] = top

    def merge(self, other: PartialSums) -> PartialSums:
        """Add the sums over other examples for the same queries.

        Merging is commutative bit for bit and associative up to rounding, so that a fixed order
        of merges gives the same bits wherever the parts were computed.

        Parameters
        ----------
        other : PartialSums
            Sums of the same shape.

        Returns
        -------
        PartialSums
            Sums over both sets of examples.

        Raises
        ------
        ValueError
            If the shapes differ.

        Examples
        --------
        >>> one = PartialSums.empty(1, 1).add([[0.0]], None, [0])
        >>> one.merge(one).positive.item()
        2.0
        """
        if self.shape != other.shape:
            raise ValueError(
                f"sums of the same shape are expected, {self.shape} and {other.shape} were got"
            )
        merged = PartialSums.concatenate([self])
        merged._absorb(slice(None), other)
        return merged

    def decide(
        self,
        prior: ArrayLike | None = None,
        then: PartialSums | None = None,
        tolerance: float = TIE_TOLERANCE,
    ) -> Decision:
        """Choose the class with the largest net sum.

        Levels are asked in turn until one class is left: the net weights of coincident examples,
        if there are any; the net sums; those of `then`, if given; the largest prior; the smallest
        index. On a level, classes tie that are not separated by its rounding error.

        Parameters
        ----------
        prior : array-like of shape (n_classes,), optional
            Weights of the classes that break a tie, such as the sums of their sample weights.
        then : PartialSums, optional
            Sums of another kernel to break ties, for a kernel that is constant in the limit.
        tolerance : float, default=2**-40
            Error of a net sum, relative to the sum of its absolute terms. Gaps carry a few 1e-14
            and the logarithm of a singular kernel α/2 times that, so that a smaller difference
            than 1e-12 is not known; a tie that symmetry dictates is then found whatever the order
            of the examples. It is about where float64 logarithms near 5000 end, too.

        Returns
        -------
        Decision
            Winners, scores and how they came about.

        Raises
        ------
        ValueError
            If `prior` or `then` is of another shape.

        Examples
        --------
        >>> sums = PartialSums.empty(1, 2).add([[0.0, 3.0]], None, [0, 1])
        >>> sums.add([[float("inf")]], None, [0]).decide().winner.tolist()
        [0]
        """
        return decide(self, prior, then, tolerance)

    def proportions(
        self,
        prior: ArrayLike | None = None,
        then: PartialSums | None = None,
        tolerance: float = TIE_TOLERANCE,
    ) -> Floats:
        """Give each class's share of the net sums: the smoother's estimate of probabilities.

        The shares are those of the coincident examples' net weights where there are any, else of
        the net sums. A negative sum counts as 0. If no class has a positive one, the winner of
        `decide` gets 1. The winner's share is always the largest: among equal ones it is raised
        by one unit in the last place, so that the arguments of the maximum are the decisions.

        Parameters
        ----------
        prior : array-like of shape (n_classes,), optional
            As in `decide`.
        then : PartialSums, optional
            As in `decide`.
        tolerance : float, default=2**-40
            As in `decide`.

        Returns
        -------
        ndarray of shape (m, n_classes)
            Rows add up to 1.

        Raises
        ------
        ValueError
            If `prior` or `then` is of another shape.

        Examples
        --------
        >>> sums = PartialSums.empty(1, 3)
        >>> sums = sums.add([[0.0, 0.0, 9.0]], [[1, 1, -1]], [0, 1, 2], [3, 1, 1])
        >>> sums.proportions().tolist()
        [[0.75, 0.25, 0.0]]
        """
        return proportions(self, prior, then, tolerance)


def _runs(class_index: NDArray[np.integer]) -> Iterator[tuple[int, slice]]:
    """Give each class of an ascending index with the slice of its examples."""
    starts = [0, *(np.flatnonzero(np.diff(class_index)) + 1).tolist(), class_index.size]
    for start, stop in pairwise(starts):
        if stop > start:
            yield int(class_index[start]), slice(start, stop)


def _sum_run(logs: Floats, sign: NDArray[np.number] | None, weight: Floats | None) -> PartialSums:
    """Sum the terms of one class."""
    if weight is not None and not weight.all():
        logs = np.where(weight > 0, logs, -np.inf)
    top = np.max(logs, axis=1, keepdims=True)
    if np.isnan(top).any():
        raise ValueError("a log weight is NaN: the kernel is undefined at one of the gaps")
    # The unit is that of a term that counts: of one much larger the others would be nothing.
    if sign is not None and not np.all(sign):
        logs = np.where(sign == 0, -np.inf, logs)
        top = np.max(logs, axis=1, keepdims=True)
    hit_positive = hit_negative = np.zeros_like(top)
    if np.isposinf(top).any():
        hits = np.isposinf(logs)
        hit_positive, hit_negative = _signed(hits.astype(np.float64), sign, weight)
        logs = np.where(hits, -np.inf, logs)
        top = np.max(logs, axis=1, keepdims=True)
    if weight is not None and np.any((weight > _WIDE) | (weight < 1.0 / _WIDE) & (weight > 0)):
        logs, weight = logs + np.log(np.where(weight > 0, weight, 1.0)), None
        top = np.max(logs, axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        terms = np.exp(logs - np.where(np.isneginf(top), 0.0, top))
    return PartialSums(top, *_signed(terms, sign, weight), hit_positive, hit_negative)


def _signed(
    terms: Floats, sign: NDArray[np.number] | None, weight: Floats | None
) -> tuple[Floats, Floats]:
    if weight is not None:
        terms = terms * weight
    if sign is None:
        positive = np.sum(terms, axis=1, keepdims=True)
        return positive, np.zeros_like(positive)
    return (
        np.sum(np.where(sign > 0, terms, 0.0), axis=1, keepdims=True),
        np.sum(np.where(sign < 0, terms, 0.0), axis=1, keepdims=True),
    )
