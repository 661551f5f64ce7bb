"""From partial sums to a class: levels, ties and proportions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["TIE_TOLERANCE", "Decision", "Floats", "decide", "proportions"]

Floats = NDArray[np.float64]

TIE_TOLERANCE = 2.0**-40


class Sums(Protocol):
    """The fields of `PartialSums`, each of shape (m, n_classes)."""

    @property
    def max_log(self) -> Floats: ...
    @property
    def positive(self) -> Floats: ...
    @property
    def negative(self) -> Floats: ...
    @property
    def hit_positive(self) -> Floats: ...
    @property
    def hit_negative(self) -> Floats: ...


class Decision(NamedTuple):
    """Which class wins each query, and by what scores.

    Parameters
    ----------
    winner : ndarray of int64, shape (m,)
        Index of the class.
    log_scores : ndarray of float64, shape (m, n_classes)
        ln of the absolute scores' shares: the absolute scores of a row add up to 1. They are the
        net weights of the coincident examples where there are any, else the net sums. -inf is 0,
        also for a score that is not known to differ from it.
    signs : ndarray of int8, shape (m, n_classes)
        Signs of the scores.
    exact : ndarray of bool, shape (m,)
        True where a coincident example exists.
    tied : ndarray of bool, shape (m,)
        True where the sums left more than one class and the prior or the order chose.

    Examples
    --------
    >>> from deeplimit.sums import PartialSums
    >>> decision = PartialSums.empty(1, 2).add([[0.0, 0.0]], None, [0, 1]).decide(prior=[1, 2])
    >>> decision.winner, decision.tied, decision.signs
    (array([1]), array([ True]), array([[1, 1]], dtype=int8))
    """

    winner: NDArray[np.int64]
    log_scores: Floats
    signs: NDArray[np.int8]
    exact: NDArray[np.bool_]
    tied: NDArray[np.bool_]


class _Level(NamedTuple):
    """Scores (positive - negative) · exp(max_log), and the error they may have."""

    max_log: Floats
    net: Floats
    slack: Floats

    def log_size(self, value: Floats) -> Floats:
        """Give max_log + ln|value|, good enough to choose what to compare with."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.max_log + np.log(np.abs(value)))

    def relative(self, value: Floats, reference: NDArray[np.int64], unit: Floats) -> Floats:
        """Give the values in units of `unit`, which is on the scale of the class `reference`.

        The difference of the logarithms is taken part by part: their sum may be too large to
        hold a relative 1e-12 of what it stands for.
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            shift = self.max_log - np.take_along_axis(self.max_log, reference, axis=1)
            shift += np.log(np.abs(value)) - np.log(np.abs(unit))
        return np.where(value == 0.0, 0.0, np.sign(value) * np.exp(np.minimum(shift, 600.0)))

    def keep_best(self, left: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Keep those classes whose upper bound reaches the greatest lower bound."""
        lower, upper = self.net - self.slack, self.net + self.slack
        size = self.log_size(lower)
        gains = left & (lower > 0)
        any_gain = gains.any(axis=1, keepdims=True)
        key = np.where(any_gain, np.where(gains, size, -np.inf), np.where(left, -size, -np.inf))
        best = np.argmax(key, axis=1, keepdims=True)
        bound = np.take_along_axis(lower, best, axis=1)
        reaches = self.relative(upper, best, bound) >= np.sign(bound)
        return left & np.where(bound == 0.0, upper >= 0.0, reaches)

    def known(self) -> Floats:
        """Give the net scores, with 0 for those that are within their error of 0."""
        return np.where(np.abs(self.net) <= self.slack, 0.0, self.net)


class _Block(NamedTuple):
    """Some rows of partial sums."""

    max_log: Floats
    positive: Floats
    negative: Floats
    hit_positive: Floats
    hit_negative: Floats

    @classmethod
    def cut(cls, sums: Sums, rows: slice | NDArray[np.int64]) -> _Block:
        return cls(*(getattr(sums, name)[rows] for name in cls._fields))

    def exact(self) -> NDArray[np.bool_]:
        return np.asarray(np.any(self.hit_positive + self.hit_negative > 0, axis=1))

    def level(self, tolerance: float) -> _Level:
        slack = tolerance * (self.positive + self.negative)
        return _Level(self.max_log, self.positive - self.negative, slack)

    def hit_level(self, tolerance: float) -> _Level:
        slack = tolerance * (self.hit_positive + self.hit_negative)
        return _Level(np.zeros_like(slack), self.hit_positive - self.hit_negative, slack)

    def after_hits(self, left: NDArray[np.bool_], tolerance: float) -> NDArray[np.bool_]:
        rows = np.flatnonzero(self.exact())
        if rows.size:
            left = left.copy()
            left[rows] = _Block.cut(self, rows).hit_level(tolerance).keep_best(left[rows])
        return left


def _cut(sums: Sums) -> Iterator[slice]:
    """Cut the rows so that the many temporary arrays of a decision stay in the cache."""
    m, n_classes = sums.max_log.shape
    step = max(1, 2**16 // max(1, n_classes))
    # One empty block if there are no queries: the results have their shapes all the same.
    return (slice(start, start + step) for start in range(0, max(m, 1), step))


def _checked_prior(sums: Sums, prior: ArrayLike | None, then: Sums | None) -> Floats:
    shape = sums.max_log.shape
    if then is not None and then.max_log.shape != shape:
        raise ValueError(f"`then` must have the shape {shape}, {then.max_log.shape} was got")
    order = np.zeros(shape[1]) if prior is None else np.asarray(prior, dtype=np.float64)
    if order.shape != shape[1:] or np.isnan(order).any():
        raise ValueError(f"a prior of {shape[1]} numbers is expected, {prior!r} was got")
    return order


def _choose(
    block: _Block, then: _Block | None, prior: Floats, tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Give the winners, where they were tied, and which classes the hits left."""
    by_hits = block.after_hits(np.ones(block.max_log.shape, dtype=np.bool_), tolerance)
    left = block.level(tolerance).keep_best(by_hits)
    if then is not None:
        left = then.level(tolerance).keep_best(then.after_hits(left, tolerance))
    # The first of the largest: what ties on the prior goes by the index.
    masked = np.where(left, prior, -np.inf)
    best = left & (masked == np.max(masked, axis=1, keepdims=True))
    tied = np.count_nonzero(left, axis=1) > 1
    return np.argmax(best, axis=1).astype(np.int64), tied, by_hits


def _decide(block: _Block, then: _Block | None, prior: Floats, tolerance: float) -> Decision:
    winner, tied, _ = _choose(block, then, prior, tolerance)
    exact = block.exact()
    plain = block.level(tolerance)
    score, log = plain.known(), plain.log_size(plain.known())
    if exact.any():
        hits = block.hit_level(tolerance)
        score = np.where(exact[:, None], hits.known(), score)
        log = np.where(exact[:, None], hits.log_size(hits.known()), log)
    whole = np.logaddexp.reduce(log, axis=1, keepdims=True)
    shares = log - np.where(np.isneginf(whole), 0.0, whole)
    return Decision(winner, shares, np.sign(score).astype(np.int8), exact, tied)


def _proportions(block: _Block, then: _Block | None, prior: Floats, tolerance: float) -> Floats:
    chosen, _, by_hits = _choose(block, then, prior, tolerance)
    winner = chosen[:, None]
    plain = block.level(tolerance)
    gains = np.where(by_hits, np.maximum(plain.known(), 0.0), 0.0)
    best = np.argmax(plain.log_size(gains), axis=1, keepdims=True)
    unit = np.take_along_axis(gains, best, axis=1)
    shares = plain.relative(gains, best, np.where(unit == 0.0, 1.0, unit))
    if block.exact().any():
        hits = np.maximum(block.hit_level(tolerance).known(), 0.0)
        # Scaled first: the sum of weights at the end of the range is none.
        hits /= np.maximum(np.max(hits, axis=1, keepdims=True), np.finfo(np.float64).tiny)
        shares = np.where(hits.any(axis=1, keepdims=True), hits, shares)
    whole = np.sum(shares, axis=1, keepdims=True)
    shares /= np.where(whole == 0.0, 1.0, whole)
    first = np.argmax(shares, axis=1, keepdims=True)
    own = np.take_along_axis(shares, winner, axis=1)
    raised = np.nextafter(np.take_along_axis(shares, first, axis=1), 2.0)
    own = np.where(whole == 0.0, 1.0, np.where(first == winner, own, raised))
    np.put_along_axis(shares, winner, own, axis=1)
    return shares


def decide(sums: Sums, prior: ArrayLike | None, then: Sums | None, tolerance: float) -> Decision:
    """Choose the class with the largest net sum, as `PartialSums.decide` says.

    Parameters
    ----------
    sums : PartialSums
        What was summed.
    prior : array-like of shape (n_classes,) or None
        Weights of the classes that break a tie.
    then : PartialSums or None
        Sums of another kernel that break a tie before the prior does.
    tolerance : float
        Relative error of a net sum.

    Returns
    -------
    Decision
        Winners, scores and how they came about.

    Raises
    ------
    ValueError
        If `prior` or `then` is of another shape.
    """
    order = _checked_prior(sums, prior, then)
    parts = [
        _decide(
            _Block.cut(sums, rows),
            None if then is None else _Block.cut(then, rows),
            order,
            tolerance,
        )
        for rows in _cut(sums)
    ]
    return Decision(
        np.concatenate([part.winner for part in parts]),
        np.concatenate([part.log_scores for part in parts]),
        np.concatenate([part.signs for part in parts]),
        np.concatenate([part.exact for part in parts]),
        np.concatenate([part.tied for part in parts]),
    )


def proportions(sums: Sums, prior: ArrayLike | None, then: Sums | None, tolerance: float) -> Floats:
    """Give each class's share, as `PartialSums.proportions` says.

    Parameters
    ----------
    sums, prior, then, tolerance
        As in `decide`.

    Returns
    -------
    ndarray of shape (m, n_classes)
        Rows add up to 1.

    Raises
    ------
    ValueError
        If `prior` or `then` is of another shape.
    """
    order = _checked_prior(sums, prior, then)
    return np.concatenate(
        [
            _proportions(
                _Block.cut(sums, rows),
                None if then is None else _Block.cut(then, rows),
                order,
                tolerance,
            )
            for rows in _cut(sums)
        ]
    )
