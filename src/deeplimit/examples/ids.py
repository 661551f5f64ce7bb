"""Ids of examples: where those that a user names lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["find_slots"]

_NAMED_IN_ERRORS = 5

Integers = NDArray[np.int64]


def find_slots(wanted: ArrayLike, ids: Integers, live: NDArray[np.bool_]) -> Integers:
    """Find the slots of ids.

    Parameters
    ----------
    wanted : array-like of int, shape (k,)
        Ids, each once.
    ids : ndarray of int64, shape (n,)
        Ids by slot, ascending.
    live : ndarray of bool, shape (n,)
        Whether a slot holds an example.

    Returns
    -------
    ndarray of int64, shape (k,)

    Raises
    ------
    ValueError
        If an id is unknown, forgotten or given twice.
    TypeError
        If ids are no integers.

    Examples
    --------
    >>> import numpy as np
    >>> ids, live = np.array([0, 2, 5]), np.array([True, True, False])
    >>> find_slots([2, 0], ids, live).tolist()
    [1, 0]
    >>> find_slots([2, 5, 7], ids, live)
    Traceback (most recent call last):
        ...
    ValueError: ids 5, 7 are unknown or forgotten already.
    """
    found = np.atleast_1d(np.asarray(wanted))
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise TypeError(
            "ids are a list of integers, the numbers of rows in the order they were given; got "
            f"an array of shape {found.shape} and type {found.dtype}."
        )
    slots = np.searchsorted(ids, found).astype(np.int64)
    inside = np.minimum(slots, ids.size - 1)
    known = live[inside] & (ids[inside] == found)
    if not known.all():
        raise ValueError(f"{_some(found[~known])} unknown or forgotten already.")
    distinct, times = np.unique(slots, return_counts=True)
    if distinct.size < slots.size:
        raise ValueError(f"{_some(ids[distinct[times > 1]])} given more than once.")
    return slots


def _some(ids: NDArray[np.integer]) -> str:
    """Name the first few as the subject of a sentence."""
    named = ", ".join(str(i) for i in ids[:_NAMED_IN_ERRORS].tolist())
    more = f" and {ids.size - _NAMED_IN_ERRORS} more" if ids.size > _NAMED_IN_ERRORS else ""
    return f"ids {named}{more} are" if ids.size > 1 else f"id {named} is"
