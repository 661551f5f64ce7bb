"""What would flip a pool's decision: a set of examples without which it is another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.estimators.flips import Flip
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
    what one of the rival's speaks against its own. The set is the shortest beginning of that order
    that was found to flip the decision, each tried by taking the examples out and solving anew,
    all settings staying as they are. One example fewer does not flip it; a smaller set of others
    may, for who is left speaks louder: nearest examples are succeeded by the next.

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
        If `max_removed` is not positive.
    """
    if max_removed is not None and max_removed < 1:
        raise ValueError(f"max_removed is a number of examples, at least 1; got {max_removed!r}.")
    m, index = len(codes), rule.model.index
    before, shares = rule.scores(codes)
    ordered = np.sort(shares, axis=1)
    margin = ordered[:, -1] - (ordered[:, -2] if len(classes) > 1 else 0.0)
    possible = np.full(m, len(classes) > 1)
    after, found = before.copy(), np.zeros(m, dtype=np.bool_)
    count, removed = np.zeros(m, dtype=np.int64), [np.zeros(0, dtype=np.int64)] * m
    for row in np.flatnonzero(possible):
        one, winner = codes[row : row + 1], int(before[row])
        order, guess = _order(rule, one, winner, index)
        most = order.size if max_removed is None else min(max_removed, order.size)

        def flips(k: int, one: Floats = one, winner: int = winner, order: Integers = order) -> bool:
            return int(rule.without(order[:k]).winners(one)[0]) != winner

        size = _shortest(flips, min(guess, most), most)
        count[row] = size or most + 1
        if size:
            found[row] = True
            removed[row] = origin[order[:size]]
            after[row] = rule.without(order[:size]).winners(one)[0]
    return Flip(
        codes, tuple(removed), count, classes[before], classes[after], possible, found, margin
    )


def _order(rule: PooledRule, one: Floats, winner: int, index: Integers) -> tuple[Integers, int]:
    """Order the examples by what they hold up against the rival, and guess how many it takes."""
    share = rule.model.shares(rule.model.points(one))[0]
    totals = np.bincount(index, weights=share, minlength=rule.mass.size)
    ours = np.where(index == winner, share, 0.0)
    best: tuple[int, Integers] | None = None
    for rival in np.flatnonzero(np.arange(totals.size) != winner):
        gain = np.where(index == rival, -share, ours)
        order = np.argsort(-gain, kind="stable")[: np.count_nonzero(gain > 0.0)]
        lead = totals[winner] - totals[rival]
        guess = int(np.searchsorted(np.cumsum(gain[order]), lead)) + 1
        if best is None or guess < best[0]:
            best = guess, order
    assert best is not None
    # Without any example of the winner's class it cannot win: these come last.
    rest = np.setdiff1d(np.flatnonzero(index == winner), best[1])
    return np.concatenate([best[1], rest]), min(best[0], best[1].size + rest.size)


def _shortest(flips: Any, guess: int, most: int) -> int:
    """Give a k for which the first k flip and the first k - 1 do not; 0 if even `most` do not."""
    low, high = 0, max(guess, 1)
    while not flips(high):
        if high >= most:
            return 0
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        if flips(middle):
            high = middle
        else:
            low = middle
    return high
