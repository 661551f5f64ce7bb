"""How much speaks for a row: effective number of examples, and how far the nearest one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit._extras import require
from deeplimit.documents import align
from deeplimit.estimators.contributions import contributions
from deeplimit.estimators.pooled import PooledRule
from deeplimit.smoothers.folds import distinct_order
from deeplimit.smoothers.nearest import Neighbours
from deeplimit.smoothers.truncated import lists_of
from deeplimit.smoothers.views import fit_view

__all__ = ["Nearness", "Support", "explain_support", "fit_nearness"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Part of the examples that are nearer to another than what is called outlying.
_USUAL = 0.99
# Examples whose nearest others are looked for, at most.
_LOOKED_AT = 4000
# Shares of examples in rows that are computed at once.
_ENTRIES = 2**22


@dataclass(frozen=True, eq=False)
class Support:
    """What there is to decide each row by.

    Attributes
    ----------
    effective : ndarray of shape (m,)
        Effective number of examples, by Kish [1]_: the squared sum of the absolute shares over the
        sum of their squares. 1 where one example decides alone, n where all n have equal shares.
    distance : ndarray of shape (m,)
        Distance to the nearest example, in units of what 99 % of the examples have at most to the
        nearest other one. Of the kinds of distance that decide, the largest.
    outlying : ndarray of bool, shape (m,)
        Whether that is beyond 1: nothing the model has seen is near, and what it says is a guess.
    unseen : ndarray of int64, shape (m,)
        Cells whose category no example ever had.

    References
    ----------
    .. [1] L. Kish, "Survey Sampling", Wiley, 1965.

    Examples
    --------
    >>> import deeplimit as dl
    >>> clf = dl.HilbertClassifier(exponent=1.0).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> print(clf.support([[1.0], [1.5], [9.0]]))
      row  effective  distance
        0        1.0      0.00
        1        3.2      0.50
        2        3.9      6.00  outlying
    """

    effective: Floats
    distance: Floats
    outlying: NDArray[np.bool_]
    unseen: Integers

    def __str__(self) -> str:
        rows = []
        for i in range(len(self.effective)):
            words = ["outlying"] if self.outlying[i] else []
            if self.unseen[i]:
                words.append(f"unseen categories: {self.unseen[i]}")
            figures = (str(i), f"{self.effective[i]:.1f}", f"{self.distance[i]:.2f}")
            rows.append((*figures, ", ".join(words)))
        return align(("row", "effective", "distance", ""), rows, left=(3,))

    def to_pandas(self) -> Any:
        """Give a table with a line for each row.

        Returns
        -------
        pandas.DataFrame
            Columns effective, distance, outlying and unseen.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pd = require("pandas", extra="tables", purpose="a table of what supports rows")
        return pd.DataFrame(vars(self))


class Nearness(NamedTuple):
    """How far apart examples are.

    Parameters
    ----------
    shift : ndarray of shape (q,)
        Subtracted from points before they are scaled.
    scales : tuple of ndarray of shape (q,)
        Factors of the entries of points, for each kind of distance.
    features : tuple of ndarray of shape (n, q)
        Examples, shifted and scaled, for each.
    units : tuple of float
        What each kind of distance is divided by.
    """

    shift: Floats
    scales: tuple[Floats, ...]
    features: tuple[Floats, ...]
    units: tuple[float, ...]

    def distances(self, points: Floats) -> Floats:
        """Give the distance of points to the nearest example, 1 being the end of the usual."""
        found = np.zeros(len(points))
        for scale, X, unit in zip(self.scales, self.features, self.units, strict=True):
            r = np.exp(Neighbours(X).nearest((points - self.shift) * scale, 1).logs[:, 0])
            found = np.maximum(found, _in_units(r, unit))
        return found


def fit_nearness(points: Floats, weight: Floats, index: Integers, scales: list[Floats]) -> Nearness:
    """Learn how far examples are from their nearest others.

    Parameters
    ----------
    points : ndarray of shape (n, q)
        Examples.
    weight : ndarray of shape (n,)
        Weight of each.
    index : ndarray of int64, shape (n,)
        Class of each.
    scales : list of ndarray of shape (q,)
        Factors of the entries of points, for each kind of distance.

    Returns
    -------
    Nearness
    """
    shift = weight @ points / weight.sum()
    _, rank = distinct_order(points, index)
    rows = np.flatnonzero(rank < _LOOKED_AT)
    features = tuple((points - shift) * scale for scale in scales)
    apart = []
    for X in features:
        near = Neighbours(X).nearest(X[rows], 2)
        lists = lists_of(near, weight, own=rows)
        first = np.argmax(lists.weights > 0.0, axis=1)
        alone = ~(lists.weights > 0.0).any(axis=1)
        r = np.exp(lists.logs[np.arange(rows.size), first])
        apart.append(np.where(alone, 0.0, r))
    units = [_usual(r, weight[rows]) for r in apart]
    # One of several kinds may be far by chance: the largest is what has to be usual.
    most = np.max([_in_units(r, u) for r, u in zip(apart, units, strict=True)], axis=0)
    common = _usual(most[np.isfinite(most)], weight[rows][np.isfinite(most)])
    return Nearness(shift, tuple(scales), features, tuple(u * max(common, 1.0) for u in units))


def _usual(r: Floats, weight: Floats) -> float:
    if not r.size:
        return 0.0
    return float(np.quantile(r, _USUAL, weights=weight, method="inverted_cdf"))


def _in_units(r: Floats, unit: float) -> Floats:
    if unit > 0.0:
        return r / unit
    return np.where(r > 0.0, np.inf, 0.0)


def explain_support(model: Any, X: ArrayLike) -> Support:
    """Tell what there is to decide rows by.

    Parameters
    ----------
    model : ExplainedClassifier
        A fitted classifier.
    X : array-like of shape (m, p)
        Rows.

    Returns
    -------
    Support

    Raises
    ------
    ValueError
        If the decision is no sum over examples with weights of their own.
    """
    queries = model._queries(X)
    rule = model._rule
    index, weight = model._index, model._weight
    if isinstance(rule, PooledRule):
        made, weight = rule.model, rule.model.weight
        points = made.points(queries)

        def shares(rows: slice) -> Floats:
            return made.shares(points[rows])

        def fit() -> Nearness:
            every = made.points(model._X)
            # Ranks end where the examples end, and standard scores do not.
            factor = fit_view(every, weight, "scores").factor
            scales = [
                factor * group.scale
                for group in made.pool.groups
                if not group.name.startswith("odds")
            ]
            return fit_nearness(every, weight, index, scales or [factor])
    else:
        points = queries

        def shares(rows: slice) -> Floats:
            return contributions(rule, queries[rows], None, model._decided, model._origin).shares

        def fit() -> Nearness:
            return fit_nearness(model._X, weight, index, [np.ones(queries.shape[1])])

    effective = np.empty(len(queries))
    step = max(1, _ENTRIES // max(len(index), 1))
    for i in range(0, len(queries), step):
        rows = slice(i, min(i + step, len(queries)))
        part = np.abs(shares(rows))
        squares = np.sum(part**2, axis=1)
        whole = part.sum(axis=1) ** 2
        effective[rows] = np.divide(whole, squares, out=np.zeros_like(whole), where=squares > 0.0)
    distance = model._once("nearness", fit).distances(points)
    return Support(effective, distance, distance > 1.0, _unseen(model, X))


def _unseen(model: Any, X: ArrayLike) -> Integers:
    coder = getattr(model, "_coder", None)
    if coder is None:
        return np.zeros(len(np.asarray(X)), dtype=np.int64)
    codes = model._coded(coder, X)
    categorical = np.array([kind == "categorical" for kind in coder.kinds_])
    counts: Integers = np.count_nonzero((codes == -1.0) & categorical, axis=1)
    return counts
