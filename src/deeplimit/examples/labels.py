"""Labels of classes: what kinds of them go together, and in which type."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["as_labels", "merged"]

#: Kinds of types whose labels may be classes of one model.
_FAMILIES = {"b": "numbers", "i": "numbers", "u": "numbers", "f": "numbers"} | dict.fromkeys(
    "UOT", "texts"
)


def as_labels(labels: ArrayLike, one: int | None = None) -> NDArray[Any]:
    """Take labels as a vector.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Labels; with `one` a single label does, too.
    one : int, optional
        How often to repeat a single label.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If they are no vector, or a number among them is not finite.

    Examples
    --------
    >>> as_labels("a", one=2).tolist()
    ['a', 'a']
    """
    found = np.asarray(labels)
    if found.ndim == 0 and one is not None:
        found = np.full(one, found)
    if found.ndim != 1:
        raise ValueError(f"labels are a list, one for each example; got the shape {found.shape}.")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise ValueError("labels must be finite; got NaN or infinity.")
    return found


def merged(classes: NDArray[Any], labels: NDArray[Any]) -> NDArray[Any]:
    """Give the classes that there are with those of further labels, as if given together.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted distinct labels.
    labels : ndarray of shape (n,)
        Further ones.

    Returns
    -------
    ndarray
        All of them, sorted and distinct, in a type that holds both.

    Raises
    ------
    ValueError
        If numbers and texts would be mixed, or a number changed by the common type.

    Examples
    --------
    >>> import numpy as np
    >>> merged(np.array([1, 3]), np.array([2.5, 3.0])).tolist()
    [1.0, 2.5, 3.0]
    >>> merged(np.array([1, 3]), np.array(["one"]))
    Traceback (most recent call last):
        ...
    ValueError: labels of type <U3 do not go with the classes there are, of type int64: ...
    """
    new = np.unique(labels)
    kinds = [_FAMILIES.get(part.dtype.kind, part.dtype.str) for part in (classes, new)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"labels of type {new.dtype} do not go with the classes there are, of type "
            f"{classes.dtype}: give all of them as numbers or all as texts."
        )
    common = np.result_type(classes.dtype, new.dtype)
    parts = [part.astype(common) for part in (classes, new)]
    for given, cast in zip((classes, new), parts, strict=True):
        if given.dtype.kind in "iu" and [int(v) for v in given] != [int(v) for v in cast]:
            raise ValueError(
                f"labels of types {classes.dtype} and {new.dtype} have no common type that keeps "
                "them apart: give all in one type."
            )
    return np.union1d(*parts)
