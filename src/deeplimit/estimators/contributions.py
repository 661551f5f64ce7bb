"""Which examples decide: exact shares of a score that is a sum over examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.estimators.limits import DecisionRule

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Contributions:
    """The examples that weigh most in each decision.

    Attributes
    ----------
    indices : ndarray of int64, shape (m, k)
        Row of each example in the data given to `fit`, heaviest first; -1 where there is none.
    classes : ndarray of shape (m, k)
        Its class.
    shares : ndarray of float64, shape (m, k)
        Its part of the whole score, negative if it speaks against its class. Over all examples
        the shares add up to one, and those of a class to its probability, as long as no class's
        sum is negative.
    exact : ndarray of bool, shape (m,)
        Whether examples coincide with the row: they alone decide then.

    Examples
    --------
    >>> import deeplimit as dl
    >>> clf = dl.HilbertClassifier(exponent=1.0).fit([[0.0], [1.0], [4.0]], ["a", "b", "b"])
    >>> found = clf.contributions([[2.0], [4.0]], top=1)
    >>> found.indices.tolist(), found.classes.tolist(), found.exact.tolist()
    ([[1], [2]], [['b'], ['b']], [False, True])
    """

    indices: NDArray[np.int64]
    classes: NDArray[Any]
    shares: Floats
    exact: NDArray[np.bool_]


def contributions(
    rule: DecisionRule, X: Floats, top: int, classes: NDArray[Any], origin: NDArray[np.int64]
) -> Contributions:
    """Find the heaviest examples of a smoother and their shares.

    Parameters
    ----------
    rule : DecisionRule
        The rule that decides.
    X : ndarray of shape (m, d)
        Checked rows.
    top : int
        How many examples a row.
    classes : ndarray of shape (n_classes,)
        Labels.
    origin : ndarray of shape (n,)
        Row in the data given to `fit` of each example kept.

    Returns
    -------
    Contributions

    Raises
    ------
    ValueError
        If the rule is no smoother, or `top` not positive.
    """
    if rule.kernel is None:
        raise ValueError(
            "this regime's decision is no sum of the examples' own weights; use an activation of "
            "the singular regime, or activation=None."
        )
    if top < 1:
        raise ValueError(f"top is a number of examples, at least 1; got {top!r}.")
    e = rule.examples
    best = e.heaviest(rule.kernel, X, top)
    sums = e.sums(rule.kernel, X)
    exact = np.any(sums.hit_positive + sums.hit_negative > 0.0, axis=1)
    net = np.maximum(sums.positive - sums.negative, 0.0)
    with np.errstate(divide="ignore"):
        logs = np.log(net) + sums.max_log
    biggest = logs.max(axis=1, keepdims=True)
    floor = np.where(np.isfinite(biggest), biggest, 0.0)
    log_total = np.log(np.exp(logs - floor).sum(axis=1, keepdims=True)) + floor
    with np.errstate(over="ignore", invalid="ignore"):
        shares = best.signs * np.exp(best.log_weights - log_total)
    if exact.any():
        hit = np.isposinf(best.log_weights[exact])
        weight = np.where(hit, e.weight[best.indices[exact]], 0.0) * best.signs[exact]
        total = np.maximum(sums.hit_positive - sums.hit_negative, 0.0)[exact].sum(1, keepdims=True)
        shares[exact] = weight / np.where(total > 0.0, total, 1.0)
    absent = best.indices < 0
    shares[absent] = 0.0
    rows = np.where(absent, -1, origin[best.indices])
    return Contributions(rows, classes[e.index[best.indices]], shares, exact)
