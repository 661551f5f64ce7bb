"""What the other examples say of each: the decisions of a smoother by exact leave-one-out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.estimators.contributions import smoother_kernel
from deeplimit.estimators.limits import DecisionRule

__all__ = ["LeftOut", "left_out"]

Floats = NDArray[np.float64]

_SMALLEST = float(np.finfo(np.float64).eps)
# Rows that are asked for at once: their sums of many classes are not small.
_ROWS = 16_384


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Decisions on the examples themselves, each without itself.

    Attributes
    ----------
    ids : ndarray of int64, shape (n,)
        Ids of the examples.
    probabilities : ndarray of shape (n, n_classes)
        What `predict_proba` would give for each example of a model without it.
    predictions : ndarray of shape (n,)
        What `predict` would give.
    right : ndarray of bool, shape (n,)
        Whether that is the example's class.
    accuracy : float
        Share of the examples that are right, by their sample weights.
    log_loss : float
        Mean of -ln of the probability of the true class, in nats; no probability counts as less
        than 2^-52.

    Examples
    --------
    >>> import deeplimit as dl
    >>> clf = dl.HilbertClassifier(exponent=1.0).fit([[0.0], [1.0], [4.0], [5.0]], list("aabb"))
    >>> found = clf.leave_one_out()
    >>> found.predictions.tolist(), found.accuracy
    (['a', 'a', 'b', 'b'], 1.0)
    """

    ids: NDArray[np.int64]
    probabilities: Floats
    predictions: NDArray[Any]
    right: NDArray[np.bool_]
    accuracy: float
    log_loss: float


def left_out(
    rule: DecisionRule,
    sample_weight: Floats,
    classes: NDArray[Any],
    origin: NDArray[np.int64],
    progress: Callable[[int, int], None] | None = None,
) -> LeftOut:
    """Decide each example of a smoother without it.

    Parameters
    ----------
    rule : DecisionRule
        The rule that decides.
    sample_weight : ndarray of shape (n,)
        Weight of each example in the means, that of its class not included.
    classes : ndarray of shape (n_classes,)
        Labels.
    origin : ndarray of int64, shape (n,)
        Id of each example.
    progress : callable, optional
        Called with the number of examples left out so far and the number there are.

    Returns
    -------
    LeftOut

    Raises
    ------
    ValueError
        If the rule is no smoother, or there is one example only.
    """
    kernel, e = smoother_kernel(rule), rule.examples
    n = len(origin)
    if n < 2:
        raise ValueError("leave-one-out needs two examples at least: one without itself is none.")
    mass = e.mass
    winner, shares = np.empty(n, dtype=np.int64), np.empty((n, e.n_classes))
    for start in range(0, n, _ROWS):
        own = np.arange(start, min(start + _ROWS, n))
        sums = e.sums(kernel, e.X[own], own)
        decision = sums.decide(mass)
        winner[own], shares[own] = decision.winner, sums.proportions(mass)
        # Only a tie asks for the masses, and these are without the example, too.
        for at in np.flatnonzero(decision.tied):
            i = own[at]
            rest = mass - np.where(np.arange(mass.size) == e.index[i], e.weight[i], 0.0)
            one = sums.take([at])
            winner[i], shares[i] = one.decide(rest).winner[0], one.proportions(rest)[0]
        if progress is not None:
            progress(int(own[-1]) + 1, n)
    truth = shares[np.arange(n), e.index]
    right = winner == e.index
    part = sample_weight / sample_weight.sum()
    return LeftOut(
        origin.copy(),
        shares,
        classes[winner],
        right,
        float(np.average(right, weights=sample_weight)),
        float(-(part @ np.log(np.maximum(truth, _SMALLEST)))),
    )
