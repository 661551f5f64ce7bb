"""From partial sums to a class: levels, ties and proportions."""

from __future__ import annotations

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
        with np.errstate(divide="ignore", invalid="ignore"):
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


def _level(max_log: Floats, positive: Floats, negative: Floats, tolerance: float) -> _Level:
    return _Level(max_log, positive - negative, tolerance * (positive + negative))


def _sums(sums: Sums, tolerance: float) -> _Level:
    return _level(sums.max_log, sums.positive, sums.negative, tolerance)


def _hits(sums: Sums, tolerance: float) -> _Level:
    zero = np.zeros_like(sums.max_log)
    return _level(zero, sums.hit_positive, sums.hit_negative, tolerance)


def _exact(sums: Sums) -> NDArray[np.bool_]:
    return np.asarray(np.any(sums.hit_positive + sums.hit_negative > 0, axis=1))


def _after_hits(sums: Sums, left: NDArray[np.bool_], tolerance: float) -> NDArray[np.bool_]:
    exact = _exact(sums)[:, None]
    return np.where(exact, _hits(sums, tolerance).keep_best(left), left)


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
    m, n_classes = sums.max_log.shape
    if then is not None and then.max_log.shape != (m, n_classes):
        raise ValueError(
            f"`then` must have the shape {(m, n_classes)}, {then.max_log.shape} was got"
        )
    order = np.zeros(n_classes) if prior is None else np.asarray(prior, dtype=np.float64)
    if order.shape != (n_classes,) or np.isnan(order).any():
        raise ValueError(f"a prior of {n_classes} numbers is expected, {prior!r} was got")
    left = np.ones((m, n_classes), dtype=np.bool_)
    for level in (sums,) if then is None else (sums, then):
        left = _after_hits(level, left, tolerance)
        left = _sums(level, tolerance).keep_best(left)
    # The first of the largest: what ties on the prior goes by the index.
    masked = np.where(left, order, -np.inf)
    best = left & (masked == np.max(masked, axis=1, keepdims=True))
    winner = np.argmax(best, axis=1).astype(np.int64)
    exact = _exact(sums)
    hits, plain = _hits(sums, tolerance), _sums(sums, tolerance)
    score = np.where(exact[:, None], hits.known(), plain.known())
    log = np.where(exact[:, None], hits.log_size(hits.known()), plain.log_size(plain.known()))
    whole = np.logaddexp.reduce(log, axis=1, keepdims=True)
    shares = log - np.where(np.isneginf(whole), 0.0, whole)
    tied = np.count_nonzero(left, axis=1) > 1
    return Decision(winner, shares, np.sign(score).astype(np.int8), exact, tied)


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
    winner = decide(sums, prior, then, tolerance).winner[:, None]
    everything = np.ones(sums.max_log.shape, dtype=np.bool_)
    left = _after_hits(sums, everything, tolerance)
    plain = _sums(sums, tolerance)
    shares = np.maximum(_hits(sums, tolerance).known(), 0.0)
    gains = np.where(left, np.maximum(plain.known(), 0.0), 0.0)
    best = np.argmax(plain.log_size(gains), axis=1, keepdims=True)
    unit = np.take_along_axis(gains, best, axis=1)
    gains = plain.relative(gains, best, np.where(unit == 0.0, 1.0, unit))
    shares = np.where(shares.any(axis=1, keepdims=True), shares, gains)
    whole = np.sum(shares, axis=1, keepdims=True)
    shares /= np.where(whole == 0.0, 1.0, whole)
    first = np.argmax(shares, axis=1, keepdims=True)
    raised = np.nextafter(np.take_along_axis(shares, first, axis=1), 2.0)
    own = np.where(first == winner, np.take_along_axis(shares, winner, axis=1), raised)
    np.put_along_axis(shares, winner, np.where(whole == 0.0, 1.0, own), axis=1)
    return shares
