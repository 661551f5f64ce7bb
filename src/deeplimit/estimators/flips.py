"""What would flip a decision: the smallest set of examples without which it is another."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import _safe_indexing

from deeplimit.documents import fold
from deeplimit.estimators.contributions import smoother_kernel
from deeplimit.estimators.examples import Examples
from deeplimit.estimators.limits import DecisionRule
from deeplimit.estimators.parameters import check_count
from deeplimit.sums.engine import RadialKernel
from deeplimit.sums.partial import TIE_TOLERANCE, PartialSums

__all__ = ["Flip", "flips", "winners_without"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# How many of the heaviest are asked for first, and by what the number grows.
_FIRST = 16
_GROWTH = 4
# Rows times examples that are asked for at once.
_ENTRIES = 2**20
# What is left of a sum after a subtraction keeps all digits but four bits down to this part.
_CANCELLED = 2.0**-4
_NAMED = 10


class _Classifier(Protocol):
    def predict(self, X: ArrayLike) -> NDArray[Any]: ...
    def predict_without(self, X: ArrayLike, ids: ArrayLike) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class Flip:
    """For each row the smallest set of examples without which the decision is another.

    Attributes
    ----------
    queries : ndarray or DataFrame of shape (m, d)
        The rows as they were asked.
    removed : tuple of m ndarrays of int64
        Ids of the examples of the set, heaviest first; empty where no set was found.
    count : ndarray of int64, shape (m,)
        Size of the set. Where none was found although one exists it has more than `max_removed`
        examples, and `max_removed` + 1 is given; 0 where none exists.
    before : ndarray of shape (m,)
        Class decided with all examples.
    after : ndarray of shape (m,)
        Class decided without the set; that before where none was found.
    possible : ndarray of bool, shape (m,)
        Whether any set flips the decision. None does where there are examples of one class only.
    found : ndarray of bool, shape (m,)
        Whether the set was found.
    margin : ndarray of float64, shape (m,)
        By how much the share of the decision exceeds the next largest, before.

    Examples
    --------
    >>> import deeplimit as dl
    >>> X, y = [[0.0], [1.0], [2.0], [6.0]], ["a", "a", "b", "b"]
    >>> clf = dl.HilbertClassifier(exponent=2.0).fit(X, y)
    >>> flip = clf.flip([[0.5], [1.9]])
    >>> flip.count.tolist(), [ids.tolist() for ids in flip.removed], flip.after.tolist()
    ([2, 1], [[0, 1], [2]], ['b', 'a'])
    >>> print(flip)
    row 0: a, b without 2 examples: 0, 1
    row 1: b, a without 1 example: 2
    >>> flip.verify(clf).tolist()
    [True, True]
    """

    queries: Any
    removed: tuple[Integers, ...]
    count: Integers
    before: NDArray[Any]
    after: NDArray[Any]
    possible: NDArray[np.bool_]
    found: NDArray[np.bool_]
    margin: Floats

    def __str__(self) -> str:
        return "\n".join(self._in_words(i) for i in range(len(self.count)))

    def _in_words(self, i: int) -> str:
        n = int(self.count[i])
        if not self.possible[i]:
            return f"row {i}: {self.before[i]}, whatever is removed"
        if not self.found[i]:
            return f"row {i}: {self.before[i]}, to flip it takes more than {_examples(n - 1)}"
        ids = ", ".join(map(str, self.removed[i][:_NAMED].tolist()))
        more = f" and {n - _NAMED} more" if n > _NAMED else ""
        without = f"{self.after[i]} without {_examples(n)}: {ids}{more}"
        line = f"row {i}: {self.before[i]}, {without}"
        return fold(line, hanging="  ")

    def verify(self, classifier: _Classifier) -> NDArray[np.bool_]:
        """Decide anew from the examples that remain, summing everything afresh.

        Parameters
        ----------
        classifier : DeepLimitClassifier or HilbertClassifier
            The classifier that gave the sets, not changed since.

        Returns
        -------
        ndarray of bool, shape (m,)
            True where the decision with all examples is `before`, without the set it is `after`,
            and without all of the set but its last, which weighs least, it still is `before`.

        Raises
        ------
        ValueError
            If the classifier lacks one of the examples.

        Examples
        --------
        >>> import deeplimit as dl
        >>> X, y = [[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1]
        >>> clf = dl.DeepLimitClassifier(exponent=1.0).fit(X, y)
        >>> clf.flip([[0.5], [3.5]]).verify(clf).tolist()
        [True, True]
        >>> clf.flip([[0.5]]).verify(clf.fit(X, [0, 1, 1, 1])).tolist()
        [False]
        """
        stands = np.asarray(classifier.predict(self.queries) == self.before)
        for i in np.flatnonzero(self.found):
            row, ids = _safe_indexing(self.queries, [i]), self.removed[i]
            flipped = classifier.predict_without(row, ids)[0] == self.after[i]
            needed = classifier.predict_without(row, ids[:-1])[0] == self.before[i]
            stands[i] &= flipped and needed
        return stands


def _examples(n: int) -> str:
    return f"{n} example{'s' * (n != 1)}"


class _Near(NamedTuple):
    """The examples that weigh most at one row, heaviest first, and the sums of all the others."""

    where: Integers
    classes: Integers
    weight: Floats
    logs: Floats
    signs: NDArray[np.int8]
    rest: PartialSums
    complete: bool
    signed: bool

    def keep(self, kept: NDArray[np.bool_] | slice) -> PartialSums:
        """Sum some of these examples and all the others."""
        logs = self.logs[kept]
        # A finite logarithm has the weight in it; a hit votes by the weight itself.
        weight = np.where(np.isposinf(logs), self.weight[kept], 1.0)
        return self.rest.add(logs[None], self.signs[None, kept], self.classes[kept], weight)

    def without(self, out: Integers) -> PartialSums:
        """Sum all examples but those at the given places of this list."""
        kept = np.ones(self.where.size, dtype=np.bool_)
        kept[out] = False
        return self.keep(kept)

    def levels(self) -> Integers:
        """Give examples of equal weight, within rounding, the same number, ascending."""
        hit = np.isposinf(self.logs)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.where(hit, np.log(self.weight), self.logs)
            near = size[:-1] - size[1:] <= TIE_TOLERANCE
        same = (hit[1:] == hit[:-1]) & (near | (size[1:] == size[:-1]))
        return np.concatenate([[0], np.cumsum(~same)]).astype(np.int64)

    def order(self, winner: int, rival: int, rivals: int) -> Integers:
        """Give the places of what speaks for the winner against the rival, the strongest first.

        Parameters
        ----------
        winner, rival : int
            The classes.
        rivals : int
            How many examples the rival has: one of them must remain.

        Returns
        -------
        ndarray of int64
            Places in this list; whatever is not in it speaks less than any of them.
        """
        own, other = self.classes == winner, self.classes == rival
        level = self.levels()
        usable = np.ones_like(own) if self.complete else level < level[-1]
        speaks = usable & ((own & (self.signs >= 0)) | (other & (self.signs < 0)))
        # What ties in the sums is decided by the classes' masses.
        gain = np.where(own, self.weight, -self.weight)
        order = np.lexsort((self.where, -gain, level))
        order = order[speaks[order]]
        of_rival = np.flatnonzero(other[order])
        return np.delete(order, of_rival[-1]) if 0 < rivals == of_rival.size else order


class _Search:
    """The search for the smallest sets, for one rule."""

    def __init__(self, rule: DecisionRule, limit: int | None) -> None:
        self.examples = rule.examples
        self.kernel: RadialKernel = smoother_kernel(rule)
        self.mass = self.examples.mass
        present = self.examples.weight > 0.0
        self.sizes = np.bincount(self.examples.index[present], minlength=self.mass.size)
        self.present = np.flatnonzero(present)
        self.limit = self.present.size if limit is None else limit

    def near(
        self, q: Floats, whole: PartialSums, where: Integers, logs: Floats, signs: NDArray[np.int8]
    ) -> _Near:
        """Make the list of one row."""
        e = self.examples
        found = where >= 0
        complete = not found.all() or where.size >= self.present.size
        where, logs, signs = where[found], logs[found], signs[found]
        if complete:
            # Examples at a zero of the kernel count, if nothing else, in the mass of their class.
            null = np.setdiff1d(self.present, where)
            null = null[np.argsort(-e.weight[null], kind="stable")]
            where = np.concatenate([where, null])
            logs = np.concatenate([logs, np.full(null.size, -np.inf)])
            signs = np.concatenate([signs, np.zeros(null.size, dtype=np.int8)])
        empty = PartialSums.empty(1, self.mass.size)
        signed = bool((whole.negative + whole.hit_negative).any())
        near = _Near(where, e.index[where], e.weight[where], logs, signs, empty, complete, signed)
        return near if complete else near._replace(rest=self._rest(q, whole, near))

    def _rest(self, q: Floats, whole: PartialSums, near: _Near) -> PartialSums:
        """Sum what is not in the list: by a subtraction where that keeps the digits."""
        part = near.keep(slice(None))
        gone = np.bincount(near.classes, minlength=self.mass.size) == self.sizes
        with np.errstate(invalid="ignore", over="ignore"):
            scale = np.exp(part.max_log - whole.max_log)
            scale = np.where(np.isneginf(part.max_log), 0.0, scale)
            positive = np.where(gone, 0.0, whole.positive - scale * part.positive)
            negative = np.where(gone, 0.0, whole.negative - scale * part.negative)
        kept = (positive >= _CANCELLED * whole.positive) & (negative >= _CANCELLED * whole.negative)
        # Hits come first: with a finite weight in the list none is left.
        if np.isposinf(near.logs[-1]) or not np.all(gone | kept):
            return self.remaining(near.where).sums(self.kernel, q)
        none = np.zeros_like(positive)
        return PartialSums(np.where(gone, -np.inf, whole.max_log), positive, negative, none, none)

    def remaining(self, out: Integers) -> Examples:
        """Give the examples without some: weight 0 is absence."""
        weight = self.examples.weight.copy()
        weight[out] = 0.0
        return self.examples.weighed(weight)

    def winners(self, sums: PartialSums, out: Integers) -> Integers:
        """Decide by the sums of what remains; a class that lost its last example is none."""
        mass = self.remaining(out).mass
        left = np.flatnonzero((mass > 0.0) | (self.mass == 0.0))
        some = PartialSums(*(getattr(sums, field.name)[:, left] for field in fields(sums)))
        return left[some.decide(mass[left]).winner]

    def flips(self, near: _Near, winner: int, out: Integers) -> bool:
        """Tell whether the decision is another without some of the list."""
        sums = near.without(out)
        if np.count_nonzero(near.classes[out] == winner) == self.sizes[winner]:
            return True
        decision = sums.decide(self.mass)
        if decision.tied[0]:
            decision = sums.decide(self.remaining(near.where[out]).mass)
        return bool(decision.winner[0] != winner)

    def first(self, near: _Near, winner: int, order: Integers) -> int:
        """Give the size of the shortest beginning that flips, 0 if none does."""
        if not order.size or not self.flips(near, winner, order):
            return 0
        stands, high = 0, order.size
        while high - stands > 1:
            middle = (stands + high) // 2
            if self.flips(near, winner, order[:middle]):
                high = middle
            else:
                stands = middle
        return high

    def smallest(self, near: _Near, winner: int) -> tuple[Integers, bool]:
        """Give the places of the smallest set, none if there is none, and whether this is sure."""
        best = np.zeros(0, dtype=np.int64)
        bound = self.limit
        # Lengths of the lists, cut where the list of examples ends, in which nothing was found:
        # of rivals that precede the best one, and of those that must do better to replace it.
        earlier = later = self.limit
        rivals = np.flatnonzero(self.sizes)
        rivals = rivals[rivals != winner]
        # Without negative terms only the winner's examples speak for it, whoever the rival is.
        for rival in rivals if near.signed else rivals[:1]:
            order = near.order(winner, int(rival), int(self.sizes[rival]))
            size = self.first(near, winner, order[:bound])
            if size:
                best, bound = order[:size], size - 1
                earlier, later = min(earlier, later), self.limit
            elif best.size:
                later = min(later, order.size)
            else:
                earlier = min(earlier, order.size)
        own = int(self.sizes[winner])
        if 0 < own <= bound and near.signed:
            # Its score of 0 might still win if the class stayed; without examples it does not.
            places = np.flatnonzero(near.classes == winner)
            if places.size == own:
                best = places
            else:
                later = 0
        sure = earlier >= (best.size or self.limit) and later >= bound
        return best, near.complete or sure


def flips(
    rule: DecisionRule,
    X: Floats,
    max_removed: int | None,
    classes: NDArray[Any],
    origin: Integers,
) -> Flip:
    r"""Find the smallest sets of examples whose removal changes the decisions of a smoother.

    The decision is the largest of the classes in the lexicographic order of (net weight of
    coincident examples; net sum of the others; mass; earliness in ``classes_``), and a class
    without examples is none. Let `w` be the winner and `c` a rival with examples.
    Give each example i of the two classes the vector
    :math:`v_i=(h_i, f_i, m_i)`, positive for an example of w and negative for one of c: its
    term on the level of hits, that on the level of the sums, its weight.
    Without a set R the rival beats the winner if and only if :math:`\sum_R v_i` exceeds the
    present lead :math:`\sum v_i` in the lexicographic order of :math:`\mathbb R^3`, or is equal
    to it and c comes first. That order is compatible with addition, so among all sets of k
    examples the k largest :math:`v_i` have the largest sum: if they do not flip, no set
    of k does. Other classes' examples enter no comparison of w and c. One example of c must remain;
    a set of k without all of c lacks at least one, and lacking the least is best.
    The set is hence the shortest beginning of the sorted list of :math:`v_i>0`, over all rivals,
    or all examples of w if that is smaller. For a positive kernel this removes the
    heaviest examples of w, whoever the rival.

    Sums within the rounding error at which a decision ties (2**-40) count as equal, here too.

    Parameters
    ----------
    rule : DecisionRule
        The rule that decides.
    X : ndarray of shape (m, d)
        Checked rows.
    max_removed : int or None
        Largest size of a set to look for; None is no bound.
    classes : ndarray of shape (n_classes,)
        Labels.
    origin : ndarray of shape (n,)
        Id of each example kept, ascending.

    Returns
    -------
    Flip

    Raises
    ------
    ValueError
        If the rule is no smoother, or `max_removed` no number of examples.
    """
    check_count("max_removed", max_removed)
    search = _Search(rule, max_removed)
    e, m = rule.examples, len(X)
    whole = e.sums(search.kernel, X)
    before = whole.decide(search.mass).winner
    shares = np.sort(whole.proportions(search.mass), axis=1)
    margin = shares[:, -1] - (shares[:, -2] if search.mass.size > 1 else 0.0)
    after, possible = before.copy(), np.zeros(m, dtype=np.bool_)
    found, count = possible.copy(), np.zeros(m, dtype=np.int64)
    removed = [np.zeros(0, dtype=np.int64)] * m
    others = (search.sizes > 0).sum() - (search.sizes[before] > 0)
    left, k = np.flatnonzero(others > 0), _FIRST
    while left.size:
        again = []
        step = max(1, _ENTRIES // min(k, e.index.size))
        for start in range(0, left.size, step):
            part = left[start : start + step]
            for row, *heaviest in zip(part, *e.heaviest(search.kernel, X[part], k), strict=True):
                near = search.near(X[row : row + 1], whole.take([row]), *heaviest)
                places, sure = search.smallest(near, int(before[row]))
                if not sure:
                    again.append(row)
                    continue
                found[row] = places.size > 0
                possible[row] = found[row] or search.limit < search.present.size
                count[row] = places.size or search.limit + 1
                if found[row]:
                    out = near.where[places]
                    removed[row] = origin[out]
                    after[row] = search.winners(near.without(places), out)[0]
        left, k = np.array(again, dtype=np.int64), k * _GROWTH
    return Flip(X, tuple(removed), count, classes[before], classes[after], possible, found, margin)


def winners_without(rule: DecisionRule, X: Floats, out: Integers) -> Integers:
    """Decide as if some examples had not been there, summing afresh.

    Parameters
    ----------
    rule : DecisionRule
        The rule that decides.
    X : ndarray of shape (m, d)
        Checked rows.
    out : ndarray of int64
        Places of the examples among those that the rule keeps.

    Returns
    -------
    ndarray of int64, shape (m,)
        Indices of classes.

    Raises
    ------
    ValueError
        If the rule is no smoother, or no example remains.
    """
    search = _Search(rule, None)
    remaining = search.remaining(out)
    if not remaining.weight.any():
        raise ValueError(
            f"{search.present.size} examples are all there are: keep one of them to decide by."
        )
    return search.winners(remaining.sums(search.kernel, X), out)
