"""What a single column tells of the class, by itself, to rows left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Telling", "telling"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Telling(NamedTuple):
    """What a column tells.

    Parameters
    ----------
    accuracy : float
        Share of the rows told right by the others that are alike in this column.
    balanced : float
        Mean over the classes of the share of their rows told right.
    """

    accuracy: float
    balanced: float


def telling(
    column: Floats, index: Integers, weight: Floats, n_classes: int, ordered: bool
) -> Telling:
    """Let each row be told by the others that are alike in one column.

    Those are the rows with an equal cell; a number that no other row has is told by the next
    smaller and the next larger one, the nearer of them.

    Parameters
    ----------
    column : ndarray of shape (n,)
        Cells, NaN where missing.
    index : ndarray of int64, shape (n,)
        Class of each row.
    weight : ndarray of shape (n,)
        Weight of each.
    n_classes : int
        Number of classes.
    ordered : bool
        Whether cells are numbers.

    Returns
    -------
    Telling

    Examples
    --------
    >>> index = np.repeat([0, 1], 10)
    >>> column = np.arange(20.0) + 5.0 * index
    >>> telling(column, index, np.ones(20), 2, True).accuracy
    1.0
    >>> telling(np.arange(20.0) % 2, index, np.ones(20), 2, True).accuracy
    0.0
    """
    order = np.argsort(column, kind="stable")  # missing cells last
    cells, index, weight = column[order], index[order], weight[order]
    n = cells.size
    there = int(np.count_nonzero(~np.isnan(cells)))
    new = np.ones(n, dtype=bool)
    new[1:] = cells[1:] != cells[:-1]
    new[there + 1 :] = False  # missing cells are alike
    group = np.cumsum(new) - 1
    mass = np.zeros((group[-1] + 1, n_classes))
    np.add.at(mass, (group, index), weight)
    said = mass[group]
    said[np.arange(n), index] -= np.minimum(weight, 1.0)
    if ordered and there:
        alone = np.flatnonzero((said.sum(axis=1) <= 0.0) & (np.arange(n) < there))
        values = cells[new][: group[there - 1] + 1]
        gaps = np.concatenate([[np.inf], np.diff(values), [np.inf]])
        g = group[alone]
        nearer = np.where(gaps[g] <= gaps[g + 1], g - 1, g + 1)
        said[alone] = np.where(values.size > 1, mass[np.clip(nearer, 0, values.size - 1)], 0.0)
    # Where nobody is alike, and where they are at odds, the commoner class is said.
    of_class = np.bincount(index, weights=weight, minlength=n_classes)
    said += 1e-6 * of_class / of_class.sum()
    right = np.argmax(said, axis=1) == index
    told = np.bincount(index, weights=weight * right, minlength=n_classes)
    with np.errstate(invalid="ignore"):
        recall = told / of_class
    return Telling(float(np.average(right, weights=weight)), float(np.nanmean(recall)))
