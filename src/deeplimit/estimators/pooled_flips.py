"""What would flip a pool's decision: a set of examples without which it is another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.estimators.flips import Flip
from deeplimit.estimators.parameters import check_count
from deeplimit.estimators.pooled import PooledRule

__all__ = ["pooled_flips"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def pooled_flips(
    rule: PooledRule,
    codes: Floats,
    max_removed: int | None,
    classes: NDArray[Any],
    origin: Integers,
) -> Flip:
    """Find for each row examples without which the pool decides otherwise.

    Examples are put in the order of what they hold up: the share of one of the winner's class, or
    what one of the rival's speaks against its own, taken anew as they go. The set is the shortest
    beginning of that order that was found to flip the decision, each tried by taking the examples
    out and solving anew, all settings staying as they are. One example fewer does not flip it; a
    smaller set of others may, for who is left speaks louder: nearest examples are succeeded by the
    next.

    Parameters
    ----------
    rule : PooledRule
        The rule that decides.
    codes : ndarray of shape (m, p)
        Coded rows.
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
        If `max_removed` is no number of examples.
    """
    check_count("max_removed", max_removed)
    m, index = len(codes), rule.model.index
    before, shares = rule.scores(codes)
    ordered = np.sort(shares, axis=1)
    margin = ordered[:, -1] - (ordered[:, -2] if len(classes) > 1 else 0.0)
    possible = np.full(m, len(classes) > 1)
    after, found = before.copy(), np.zeros(m, dtype=np.bool_)
    count, removed = np.zeros(m, dtype=np.int64), [np.zeros(0, dtype=np.int64)] * m
    for row in np.flatnonzero(possible):
        one, winner = codes[row : row + 1], int(before[row])
        order = _order(rule, one, winner, index, max_removed)
        most = order.size

        def flips(k: int, one: Floats = one, winner: int = winner, order: Integers = order) -> bool:
            return int(rule.without(order[:k]).winners(one)[0]) != winner

        size = _shortest(flips, most)
        count[row] = size or (max_removed or most) + 1
        if size:
            found[row] = True
            removed[row] = origin[order[:size]]
            after[row] = rule.without(order[:size]).winners(one)[0]
    return Flip(
        codes, tuple(removed), count, classes[before], classes[after], possible, found, margin
    )


def _order(
    rule: PooledRule, one: Floats, winner: int, index: Integers, most: int | None
) -> Integers:
    """Order examples by what they hold up, until the decision is another.

    Shares are taken anew when as many are out as should have been enough: by then others are
    nearest.
    """
    everyone = np.arange(index.size)
    out = np.zeros(0, dtype=np.int64)
    left = rule
    while most is None or out.size < most:
        kept = np.setdiff1d(everyone, out)
        here = index[kept]
        ours = np.count_nonzero(here == winner)
        if not ours or kept.size == ours:
            break
        share = left.model.shares(left.model.points(one))[0]
        first = _heaviest(share, here, winner, rule.mass.size)
        if not first.size:
            # Nothing it rests on has a share: all of its class is what is left to take.
            first = np.flatnonzero(here == winner)
        if first.size == kept.size:
            first = first[:-1]
        out = np.concatenate([out, kept[first]])[:most]
        left = rule.without(out)
        if int(left.winners(one)[0]) != winner:
            break
    return out


def _heaviest(share: Floats, index: Integers, winner: int, n_classes: int) -> Integers:
    """Give the fewest examples whose shares, if nothing else changed, would turn the order."""
    totals = np.bincount(index, weights=share, minlength=n_classes)
    best = np.zeros(0, dtype=np.int64)
    for rival in np.unique(index[index != winner]):
        gain = np.where(index == rival, -share, np.where(index == winner, share, 0.0))
        order = np.argsort(-gain, kind="stable")[: np.count_nonzero(gain > 0.0)]
        lead = totals[winner] - totals[rival]
        order = order[: int(np.searchsorted(np.cumsum(gain[order]), lead)) + 1]
        if not best.size or 0 < order.size < best.size:
            best = order
    return best


def _shortest(flips: Callable[[int], bool], most: int) -> int:
    """Give a k for which the first k flip and the first k - 1 do not; 0 if even `most` do not."""
    low, high = 0, most
    if not most or not flips(most):
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        if flips(middle):
            high = middle
        else:
            low = middle
    return high
