"""A view of columns that labels are used for: by the odds of the classes along each column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.views import View

__all__ = ["fit_odds"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Rows of a bin, at least on average, and the most bins.
_ROWS, _BINS = 40, 32
# Features that a column becomes, at most.
_FEATURES = 2
# What a bin's shares are drawn to the prior by: so many rows of it.
_PRIOR = 20.0
# Each bin looks at its neighbours, too.
_NEIGHBOUR = 0.5


def fit_odds(
    X: Floats,
    index: Integers,
    weight: Floats,
    n_classes: int,
    base: View,
    categories: Sequence[Integers] = (),
) -> View:
    """Fit a view in which a column is what it says of the class by itself.

    A column of many values is cut into bins of equal mass; in each the logarithm of the classes'
    odds against their prior, smoothed, is what the column says there. These vectors are projected
    on their first principal directions, and straight lines lie between the bins. The levels of a
    category are such bins, too; other columns stay as they are. So values are near that say the
    same, wherever they are: a step is a step.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.
    index : ndarray of int64, shape (n,)
        Class of each.
    weight : ndarray of shape (n,)
        Weight of each.
    n_classes : int
        Number of classes.
    base : View
        View by ranks, which tells what columns have many values.
    categories : sequence of ndarray of int64
        The columns that a category was made into, one for each level; of each category.

    Returns
    -------
    View

    References
    ----------
    .. [1] I. J. Good, "Probability and the Weighing of Evidence", 1950: the logarithm of odds as
       the weight of evidence.

    Examples
    --------
    >>> from deeplimit.smoothers.views import fit_view
    >>> X = np.linspace(-1.0, 1.0, 401)[:, None]
    >>> y, ones = (np.abs(X[:, 0]) > 0.5).astype(int), np.ones(401)
    >>> base = fit_view(X, ones, "ranks")
    >>> view = fit_odds(X, y, ones, 2, base)
    >>> low, middle, high = view.features(np.array([[-0.9], [0.0], [0.9]]))[:, 0]
    >>> bool(abs(low - high) < 0.1 < abs(low - middle))
    True
    """
    mass = float(weight.sum())
    prior = np.bincount(index, weights=weight, minlength=n_classes) / mass
    n_bins = int(np.clip(mass / _ROWS, 4, _BINS))
    source: list[int] = []
    shift, factor = [], []
    bent, knots, values = [], [], []
    merged, blocks, sums = [], [], []
    ranked = set(base.bent.tolist())
    first = {int(block[0]): block for block in categories}
    later = {int(j) for block in categories for j in block[1:]}
    for j in range(X.shape[1]):
        if j in later:
            continue
        if j in first:
            says = _levels(X[:, first[j]], index, weight, prior)
            for k in range(says.shape[1]):
                merged.append(len(source))
                blocks.append(first[j])
                sums.append(says[:, k])
                source.append(j)
        elif j in ranked:
            centres, says = _line(X[:, j], index, weight, n_bins, prior)
            for k in range(says.shape[1]):
                bent.append(len(source))
                knots.append(centres)
                values.append(says[:, k])
                source.append(j)
        else:
            source.append(j)
            shift.append(base.shift[j])
            factor.append(base.factor[j])
            continue
        shift += [0.0] * says.shape[1]
        factor += [0.0] * says.shape[1]
    return View(
        np.array(source, dtype=np.int64),
        np.array(shift),
        np.array(factor),
        np.array(bent, dtype=np.int64),
        tuple(knots),
        tuple(values),
        np.array(merged, dtype=np.int64),
        tuple(blocks),
        tuple(sums),
    )


def _levels(X: Floats, index: Integers, weight: Floats, prior: Floats) -> Floats:
    """Give what each level of a category says, of shape (levels, features), in units of its column.

    A row without a level, or with one that is new, is 0 in all columns and says nothing.
    """
    b, C = X.shape[1], prior.size
    unit = X.max(axis=0)
    there = X.max(axis=1) > 0.0
    cells = X[there].argmax(axis=1) * C + index[there]
    counts: Floats = np.zeros(b * C)
    np.add.at(counts, cells, weight[there])
    counts = counts.reshape(b, C)
    says = _said(counts, counts.sum(axis=1), prior)
    return says / np.where(unit > 0.0, unit, 1.0)[:, None]


def _line(
    x: Floats, index: Integers, weight: Floats, n_bins: int, prior: Floats
) -> tuple[Floats, Floats]:
    """Give the centres of a column's bins and what it says there, of shape (bins, features)."""
    _, place = np.unique(x, return_inverse=True)
    mass = np.bincount(place, weights=weight)
    middle = (np.cumsum(mass) - mass / 2.0) / mass.sum()
    _, cut = np.unique((middle * n_bins).astype(np.int64), return_inverse=True)
    bins = cut[place]
    b, C = int(cut[-1]) + 1, prior.size
    counts = np.bincount(bins * C + index, weights=weight, minlength=b * C).reshape(b, C)
    whole = counts.sum(axis=1)
    centres = np.bincount(bins, weights=weight * x) / whole
    around: Floats = counts.astype(np.float64)
    around[1:] = around[1:] + _NEIGHBOUR * counts[:-1]
    around[:-1] = around[:-1] + _NEIGHBOUR * counts[1:]
    return centres, _said(around, whole, prior)


def _said(counts: Floats, whole: Floats, prior: Floats) -> Floats:
    """Give what counts of the classes say, bin by bin, of shape (bins, features)."""
    shares = (counts + _PRIOR * prior) / (counts.sum(axis=1, keepdims=True) + _PRIOR)
    there = prior > 0.0
    says: Floats = np.log(shares[:, there] / prior[there])
    part = whole / max(float(whole.sum()), np.finfo(np.float64).tiny)
    says = says - part @ says
    if says.shape[1] <= 2:
        return says[:, -1:] - says[:, :1]
    _, _, directions = np.linalg.svd(np.sqrt(part)[:, None] * says, full_matrices=False)
    directions = directions[:_FEATURES]
    # A direction has no sign of its own.
    lead = directions[np.arange(len(directions)), np.argmax(np.abs(directions), axis=1)]
    projected: Floats = says @ (directions * np.sign(lead)[:, None]).T
    return projected
