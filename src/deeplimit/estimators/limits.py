"""The decision rules that infinitely deep networks come to, one for each regime."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.estimators.deciding import Search
from deeplimit.estimators.examples import Examples
from deeplimit.estimators.interpolation import (
    check_size,
    fit_interpolant,
    interpolate,
)
from deeplimit.estimators.shares import clipped_shares
from deeplimit.kernels.limit import LimitKernel
from deeplimit.sums.engine import RadialKernel
from deeplimit.sums.gaps import gap_blocks
from deeplimit.sums.partial import TIE_TOLERANCE

Floats = NDArray[np.float64]
Scores = tuple[NDArray[np.int64], Floats]


def _mass(index: NDArray[np.int64], weight: Floats, n_classes: int) -> Floats:
    return np.bincount(index, weights=weight, minlength=n_classes).astype(np.float64)


class DecisionRule(ABC):
    """A rule that scores classes at queries."""

    #: Kernel whose terms are the examples' shares in the score; None if the score is no such sum.
    kernel: RadialKernel | None = None

    def __init__(self, examples: Examples) -> None:
        self.examples = examples

    @abstractmethod
    def scores(self, Q: Floats) -> Scores:
        """Give the winner and the score of each class, scores of a query adding up to 1."""

    def winners(self, Q: Floats) -> NDArray[np.int64]:
        """Give the winner alone, which may take less."""
        return self.scores(Q)[0]


class Smoother(DecisionRule):
    """Nadaraya-Watson: argmax of the kernel sums of the classes. The singular regime."""

    def __init__(
        self, examples: Examples, kernel: RadialKernel, search: Search | None = None
    ) -> None:
        super().__init__(examples)
        self.kernel: RadialKernel = kernel
        self._search = search

    def scores(self, Q: Floats) -> Scores:
        """Decide; see `DecisionRule.scores`."""
        sums = self.examples.sums(self.kernel, Q)
        mass = self.examples.mass
        return sums.decide(mass).winner, sums.proportions(mass)

    def winners(self, Q: Floats) -> NDArray[np.int64]:
        """Decide, from clusters of examples where that is cheaper; see `DecisionRule.winners`."""
        return self._summed(Q) if self._search is None else self._search.winners(Q, self._summed)

    def _summed(self, Q: Floats) -> NDArray[np.int64]:
        return self.examples.sums(self.kernel, Q).decide(self.examples.mass).winner


@dataclass(frozen=True)
class WithHits:
    """A kernel made infinite at a gap of zero: a ridgeless machine interpolates its examples."""

    inner: RadialKernel
    positive: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "positive", self.inner.positive)

    def log_at_gap(self, s: ArrayLike) -> Floats:
        """ln|K(s)|, and +inf at a gap of zero."""
        s = np.asarray(s, dtype=np.float64)
        return np.where(s == 0.0, np.inf, self.inner.log_at_gap(s))

    def sign_at_gap(self, s: ArrayLike) -> NDArray[np.number]:
        """Sign of K(s), 1 at a gap of zero."""
        s = np.asarray(s, dtype=np.float64)
        return np.where(s == 0.0, 1.0, np.asarray(self.inner.sign_at_gap(s)))


class MajorityVote(DecisionRule):
    """The heaviest class, but an example's own label on the example.

    An exact tie is broken by the Koenigs function `k` at the inner fixed point: with balanced
    targets the predictor is, to leading order in the multiplier, the sum of
    ``k(x, x_i) y_i`` less a constant that the examples' own `k` among themselves determine.
    Where the slope at one is exactly 1 (ReLU) there is no such function, and the class that comes
    first in ``classes_`` wins.
    """

    def __init__(self, examples: Examples, kernel: LimitKernel | None = None) -> None:
        super().__init__(examples)
        self._flat: RadialKernel = WithHits(_Flat())
        self._tie = None if kernel is None else kernel.tie_break
        self._offset: Floats | None = None
        mass = examples.mass
        top = mass.max()
        tied = np.count_nonzero(mass >= top * (1.0 - TIE_TOLERANCE)) > 1
        if self._tie is not None and tied and kernel is not None:
            point = float(kernel.taxonomy.fixed_point or 0.0)
            inner = self._within(self._tie)
            self._offset = point / (1.0 - point + examples.weight.sum() * point) * inner
        else:
            self._tie = None

    def _within(self, kernel: RadialKernel) -> Floats:
        """Sum of k over all pairs of distinct examples, by the class of the second."""
        e = self.examples
        check_size(len(e.X), "breaking the tie of a majority vote")
        totals = np.zeros(e.n_classes)
        for rows, columns, gaps in gap_blocks(e.X, e.X, e.lift):
            values = np.asarray(kernel.sign_at_gap(gaps)) * np.exp(kernel.log_at_gap(gaps))
            values[gaps == 0.0] = 0.0
            by_example = (e.weight[rows] @ values) * e.weight[columns]
            totals += np.bincount(e.index[columns], weights=by_example, minlength=e.n_classes)
        return totals

    def scores(self, Q: Floats) -> Scores:
        """Decide; see `DecisionRule.scores`."""
        mass = self.examples.mass
        sums = self.examples.sums(self._flat, Q)
        then = None
        if self._tie is not None and self._offset is not None:
            then = self.examples.sums(self._tie, Q)
            with np.errstate(divide="ignore"):
                size = np.log(np.abs(self._offset))
            m = len(Q)
            then = then.add(
                np.broadcast_to(size, (m, size.size)).copy(),
                np.broadcast_to(-np.sign(self._offset), (m, size.size)).copy(),
                np.arange(size.size),
            )
        return sums.decide(mass, then).winner, sums.proportions(mass, then)


@dataclass(frozen=True)
class _Flat:
    positive: bool = True

    def log_at_gap(self, s: ArrayLike) -> Floats:
        return np.zeros_like(np.asarray(s, dtype=np.float64))

    def sign_at_gap(self, s: ArrayLike) -> Floats:
        return np.ones_like(np.asarray(s, dtype=np.float64))


@dataclass(frozen=True)
class _Closeness:
    """Order of examples in the nearest-neighbour regime: -ln(-ln|b|), +inf at a gap of zero."""

    kernel: LimitKernel
    positive: bool = False

    def log_at_gap(self, s: ArrayLike) -> Floats:
        log_b = self.kernel.log_closeness(s)
        return np.asarray(log_b, dtype=np.float64)

    def sign_at_gap(self, s: ArrayLike) -> NDArray[np.number]:
        return np.asarray(self.kernel.sign_at_gap(s))


@dataclass(frozen=True)
class _Chord:
    """Order by distance alone: the plain nearest neighbour."""

    positive: bool = True
    decreasing: bool = True

    def log_at_gap(self, s: ArrayLike) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(-np.log(np.asarray(s, dtype=np.float64)))

    def sign_at_gap(self, s: ArrayLike) -> Floats:
        return np.ones_like(np.asarray(s, dtype=np.float64))


class NearestNeighbor(DecisionRule):
    """The nearest example decides; the next ones are asked only as long as classes are tied.

    Examples at the same distance (to 1e-12) vote with their weights. In the limit of an odd
    network an example beyond the equator votes against its class, and the classes it leaves
    undecided are decided by the next nearest.
    """

    def __init__(self, examples: Examples, kernel: LimitKernel | None = None) -> None:
        super().__init__(examples)
        self._order: RadialKernel = _Chord() if kernel is None else _Closeness(kernel)

    def scores(self, Q: Floats) -> Scores:
        """Decide; see `DecisionRule.scores`."""
        n, classes = len(self.examples.X), self.examples.n_classes
        m = len(Q)
        winner = np.zeros(m, dtype=np.int64)
        shares = np.zeros((m, classes))
        left = np.arange(m)
        k = min(n, 8)
        while left.size:
            top = self.examples.nearest(self._order, Q[left], k)
            again = []
            for row, indices, logs, signs in zip(left, *top, strict=True):
                done = self._decide(indices, logs, signs, k == n)
                if done is None:
                    again.append(row)
                else:
                    winner[row], shares[row] = done
            left = np.array(again, dtype=np.int64)
            k = min(n, 8 * k)
        return winner, shares

    def _decide(
        self, indices: NDArray[np.int64], logs: Floats, signs: NDArray[np.int8], complete: bool
    ) -> tuple[int, Floats] | None:
        e = self.examples
        live = indices >= 0
        indices, logs, signs = indices[live], logs[live], signs[live].astype(np.float64)
        tied = np.ones(e.n_classes, dtype=bool)
        first: Floats | None = None
        start = 0
        while start < indices.size:
            stop = start + 1
            level = logs[start]
            while stop < indices.size and (
                logs[stop] == level or level - logs[stop] <= TIE_TOLERANCE
            ):
                stop += 1
            if stop == indices.size and not complete:
                return None  # the level may go on beyond what was fetched
            here = slice(start, stop)
            members = indices[here]
            votes = _mass(e.index[members], signs[here] * e.weight[members], e.n_classes)
            if first is None:
                first = votes
            best = votes[tied].max()
            tied &= votes >= best - TIE_TOLERANCE * np.abs(votes).max()
            if np.count_nonzero(tied) == 1:
                break
            start = stop
        mass = np.where(tied, e.mass, -np.inf)
        choice = int(np.argmax(mass))
        first = np.zeros(e.n_classes) if first is None else first
        winner = np.array([choice])
        share = clipped_shares(np.where(tied, first, np.minimum(first, 0.0))[None], winner)[0]
        return choice, share


class Interpolation(DecisionRule):
    """Ridgeless interpolation: by -η and a constant, or by the linear kernel (the identity).

    Duplicate rows count once, with the weighted mean of their targets.
    """

    def __init__(self, examples: Examples, kernel: LimitKernel) -> None:
        super().__init__(examples)
        self._limit = kernel
        targets = np.eye(examples.n_classes)[examples.index]
        self._fitted = fit_interpolant(kernel, examples.lift, examples.X, targets, examples.weight)

    def scores(self, Q: Floats) -> Scores:
        """Decide; see `DecisionRule.scores`."""
        values = interpolate(self._limit, self.examples.lift, self._fitted, Q)
        top = values.max(axis=1, keepdims=True)
        # Values are known to the rounding of the solve; among those equal to it the heavier class.
        tied = values >= top - 1e-9 * np.maximum(1.0, np.abs(top))
        winner = np.argmax(np.where(tied, self.examples.mass, -np.inf), axis=1)
        return winner, clipped_shares(values, winner)


def rule_of(kernel: LimitKernel, examples: Examples) -> DecisionRule:
    """Make the decision rule of an activation's regime.

    Parameters
    ----------
    kernel : LimitKernel
        Limit of the activation.
    examples : Examples
        What to decide by.

    Returns
    -------
    DecisionRule
    """
    if kernel.regime == "singular-kernel":
        return Smoother(examples, kernel)
    if kernel.regime == "nearest-neighbour":
        return NearestNeighbor(examples, kernel)
    if kernel.regime == "majority-vote":
        return MajorityVote(examples, kernel)
    return Interpolation(examples, kernel)
