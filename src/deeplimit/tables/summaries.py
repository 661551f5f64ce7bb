"""Summaries of coded columns, weighted: centre, spread and median, and the levels by rarity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Levels", "Values", "rank_levels", "summarise", "weighted_rows"]

Floats: TypeAlias = NDArray[np.float64]

_EPS = np.finfo(np.float64).eps
# A spread of so many units in the last place is rounding, not a difference between rows.
_ROUNDING = 8 * _EPS


@dataclass(frozen=True)
class Values:
    """What is known of some columns of numbers.

    Parameters
    ----------
    kept : ndarray of shape (n_columns,), dtype bool
        Whether the column is not constant.
    indicator : ndarray of shape (n_columns,), dtype bool
        Whether some of its cells are missing, and not all.
    exponent : ndarray of shape (n_columns,), dtype int
        Power of 2 that bounds its values.
    centre, scale, median : ndarray of shape (n_columns,)
        Mean, standard deviation and median of the values times ``2**-exponent``; 0, 1 and 0 for
        columns that are not kept.
    """

    kept: NDArray[np.bool_]
    indicator: NDArray[np.bool_]
    exponent: NDArray[np.int64]
    centre: Floats
    scale: Floats
    median: Floats


@dataclass(frozen=True)
class Levels:
    """The levels of a categorical column, by what is to become of them.

    Parameters
    ----------
    kept, indicator : bool
        Whether the column tells rows apart by its levels; whether some of its cells are missing,
        and not all.
    categories, rare : ndarray of str, dtype object
        Levels that get a column of their own, and those that share one; sorted.
    places : ndarray of shape (n_levels,)
        Place of each level among these columns, -1 for one that does not occur.
    """

    kept: bool
    indicator: bool
    categories: NDArray[Any]
    rare: NDArray[Any]
    places: NDArray[np.int64]


def weighted_rows(codes: Floats, weight: ArrayLike | None) -> tuple[Floats, Floats | None]:
    """Return the rows that count, and their weights, None where all are alike.

    Weights come back times a power of 2, so that no sum overflows and equal sums stay equal.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_columns)
        The rows.
    weight : array-like of shape (n_rows,) or None
        Weights, not negative.

    Returns
    -------
    rows : ndarray of shape (n_left, n_columns)
        Those of positive weight.
    weight : ndarray of shape (n_left,) or None
        Their weights.

    Raises
    ------
    ValueError
        If these are no weights, or all of them are 0.
    """
    if weight is None:
        return codes, None
    out = np.asarray(weight, dtype=np.float64)
    if out.shape != (len(codes),):
        raise ValueError(
            f"weight must have one entry for each of the {len(codes)} rows, got shape {out.shape}."
        )
    if not np.isfinite(out).all() or (out < 0.0).any() or not out.any():
        raise ValueError("weight must be finite, not negative, and not 0 for every row.")
    out = np.ldexp(out, -int(np.frexp(out.max())[1]))
    if not out.all():
        codes, out = codes[out > 0.0], out[out > 0.0]
    return codes, None if out.min() == out.max() else out


def summarise(values: Floats, weight: Floats | None) -> Values:
    """Summarise columns of numbers, NaN where missing.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        At least one row.
    weight : ndarray of shape (n_rows,) or None
        Positive weights of the rows; None for equal ones. A whole number counts like so many
        equal rows.

    Returns
    -------
    Values
        The summaries, of the cells that are there.
    """
    gone = np.isnan(values)
    some = gone.any(axis=0)
    exponent = np.frexp(np.abs(np.where(gone, 0.0, values)).max(axis=0))[1]
    scaled = np.ldexp(values, -exponent)
    low = np.where(gone, np.inf, scaled).min(axis=0)
    high = np.where(gone, -np.inf, scaled).max(axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    with np.errstate(invalid="ignore"):  # inf - inf where nothing is there: not kept
        kept = high - low > _ROUNDING * size
    p = values.shape[1]
    centre, scale, median = np.zeros(p), np.ones(p), np.zeros(p)
    at, scaled = np.flatnonzero(kept), scaled[:, kept]
    if len(at) and weight is None:
        # nanmean and its like are slower and no more exact where nothing is missing.
        holes = bool(some.any())
        mean, std, middle = (
            (np.nanmean, np.nanstd, np.nanmedian) if holes else (np.mean, np.std, np.median)
        )
        centre[at], scale[at] = mean(scaled, axis=0), std(scaled, axis=0)
        median[at] = middle(scaled, axis=0)
    elif len(at) and weight is not None:
        centre[at], scale[at], median[at] = _weighted(scaled, gone[:, kept], weight)
        # Weights so unequal that the square of the spread is below the least float64.
        kept &= scale > 0.0
        scale[~kept] = 1.0
    indicator = np.logical_and(some, ~gone.all(axis=0))
    return Values(kept, indicator, exponent.astype(np.int64), centre, scale, median)


def rank_levels(codes: Floats, names: Sequence[str], weight: Floats | None, most: int) -> Levels:
    """Choose the levels of a categorical column that get a column of their own.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Numbers of levels; NaN where missing, -1 for a level without a name.
    names : sequence of str
        The names of the levels.
    weight : ndarray of shape (n_rows,) or None
        Weights of the rows.
    most : int
        Largest number of columns. With more levels than that the rarest share one; of equally
        rare ones the first by the alphabet have columns of their own.

    Returns
    -------
    Levels
        What becomes of each.
    """
    gone = np.isnan(codes)
    named = codes >= 0.0
    counts = np.bincount(
        codes[named].astype(np.intp),
        None if weight is None else weight[named],
        minlength=len(names),
    )
    sorted_levels = sorted(np.flatnonzero(counts).tolist(), key=names.__getitem__)
    present = np.array(sorted_levels, dtype=np.intp)
    n_own = len(present) if len(present) <= most else most - 1
    by_rarity = np.argsort(-counts[present], kind="stable")
    own, rare = present[np.sort(by_rarity[:n_own])], present[np.sort(by_rarity[n_own:])]
    places = np.full(len(names), -1, dtype=np.int64)
    places[own], places[rare] = np.arange(len(own)), len(own)
    nameless = bool((~named & ~gone).any())
    indicator = bool(gone.any() and not gone.all())
    # One level beside missing cells is kept, so that the two are at unit distance as well.
    kept = len(present) > 0 and (len(present) + nameless > 1 or indicator)
    return Levels(kept, indicator, _texts(own, names), _texts(rare, names), places)


def _texts(levels: NDArray[np.intp], names: Sequence[str]) -> NDArray[Any]:
    return np.array([names[k] for k in levels.tolist()], dtype=object)


def _weighted(
    values: Floats, gone: NDArray[np.bool_], weight: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the weighted mean, standard deviation and median of columns, NaN left out."""
    weights = np.where(gone, 0.0, weight[:, None])
    weights = np.ldexp(weights, -np.frexp(weights.max(axis=0))[1])
    total = weights.sum(axis=0)
    there = np.where(gone, 0.0, values)
    mean = (weights * there).sum(axis=0) / total
    std = np.sqrt((weights * (there - mean) ** 2).sum(axis=0) / total)
    order = np.argsort(np.where(gone, np.inf, values), axis=0, kind="stable")
    ranked = np.take_along_axis(there, order, axis=0)
    reached = np.cumsum(np.take_along_axis(weights, order, axis=0), axis=0)
    half = reached[-1] / 2.0
    # Where the half falls between two values, as it does for an even number of equal weights, it
    # must be seen to do so whatever the rounding of the sums.
    slack = len(values) * _EPS * half
    first = (reached >= half - slack).argmax(axis=0)
    last = (reached > half + slack).argmax(axis=0)
    columns = np.arange(values.shape[1])
    return mean, std, (ranked[first, columns] + ranked[last, columns]) / 2.0
