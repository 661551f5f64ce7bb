"""A classifier as if some of its examples had not been there, its settings staying as they are."""

from __future__ import annotations

from copy import copy, deepcopy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.estimators.pooled import PooledRule

__all__ = ["without"]


def without(model: Any, ids: ArrayLike) -> Any:
    """Give a classifier as `predict_without` asks it, to be asked for reasons as well.

    Parameters
    ----------
    model : ExplainedClassifier
        A fitted classifier; it stays as it is.
    ids : array-like of int
        Examples to leave out, as ``ids_`` lists them.

    Returns
    -------
    ExplainedClassifier
        A copy that decides by the examples that remain: what a fit chose or computed besides is
        kept. Each class keeps an example.

    Raises
    ------
    ValueError
        If an id is unknown, or a class would lose its last example.

    Examples
    --------
    >>> import deeplimit as dl
    >>> X, y = [[0.0], [0.1], [3.0], [3.1], [3.2]], [0, 0, 1, 1, 0]
    >>> clf = dl.DeepLimitClassifier(exponent=2.0).fit(X, y)
    >>> less = without(clf, [4])
    >>> less.contributions([[3.2]], top=2).indices.tolist(), clf.ids_.tolist()
    ([[3, 2]], [0, 1, 2, 3, 4])
    """
    out: NDArray[np.int64] = np.unique(np.atleast_1d(np.asarray(ids, dtype=np.int64)))
    unknown = np.setdiff1d(out, model._origin)
    if unknown.size:
        raise ValueError(f"there is no example {unknown[0]}: ids_ lists those there are.")
    place = np.searchsorted(model._origin, out)
    rest = np.delete(model._index, place)
    if np.unique(rest).size < model._n_present:
        raise ValueError("a class would lose its last example: keep one to decide by.")
    rule = model._rule
    if not isinstance(rule, PooledRule):
        # What a pure rule chose is kept by a change.
        return deepcopy(model).forget(out)
    made = copy(model)
    made._examples = deepcopy(model._examples)
    made._examples.forget(out)
    left = rule.without(place)
    # No change is followed: that would fit a pool anew, and forget the names of categories.
    made._models = [left.model]
    made._lazy, made._live = {"rule": left}, {}
    return made
