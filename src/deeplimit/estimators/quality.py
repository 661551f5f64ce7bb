"""How good a classifier is, by what it says of examples left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.estimators.tabular import TableOfExamples

__all__ = [
    "Bin",
    "Forecasts",
    "Measure",
    "Quality",
    "Slice",
    "forecasts_left_out",
    "quality",
    "weak_slices",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SMALLEST = float(np.finfo(np.float64).eps)
_RESAMPLES, _BINS = 1000, 10
# Parts of the rows are told of from so many rows and so many standard errors on.
_ROWS, _ERRORS = 20, 3.0
# Numbers that are held at once while resampling.
_ENTRIES = 2**21


class Measure(NamedTuple):
    """A figure with its uncertainty.

    Parameters
    ----------
    name : str
        What is measured.
    value : float
        The figure.
    low, high : float
        A 95 % bootstrap interval.
    guess : float or None
        What the shares of the classes alone would have.
    """

    name: str
    value: float
    low: float
    high: float
    guess: float | None


class Bin(NamedTuple):
    """Rows of about the same confidence.

    Parameters
    ----------
    confidence : float
        Mean probability of the class that was said.
    accuracy : float
        Share of the rows where it was right.
    low, high : float
        A 95 % interval of that share, by Wilson.
    mass : float
        Weight of the rows.
    """

    confidence: float
    accuracy: float
    low: float
    high: float
    mass: float


class Slice(NamedTuple):
    """A part of the rows that is told worse than the others.

    Parameters
    ----------
    column : str
        A column.
    range : str
        Which of its cells, in words.
    rows : int
        How many rows.
    loss, rest : float
        Mean log-loss of these and of the others.
    errors : float
        The difference in standard errors.
    """

    column: str
    range: str
    rows: int
    loss: float
    rest: float
    errors: float


@dataclass(frozen=True, eq=False)
class Quality:
    """What is said of rows left out, held against what they are.

    Attributes
    ----------
    measures : tuple of Measure
        Accuracy, log-loss, Brier score and calibration error.
    bins : tuple of Bin
        Rows by confidence, about as many in each.
    confusion : ndarray of shape (C, C)
        Weight of the rows of each class (a row) that are said to be of each class (a column).
    losses : ndarray of shape (r,)
        Log-loss of each row.
    """

    measures: tuple[Measure, ...]
    bins: tuple[Bin, ...]
    confusion: Floats
    losses: Floats


class Forecasts(NamedTuple):
    """What is said of rows, as `quality` takes it, and which rows they are.

    Parameters
    ----------
    probabilities : ndarray of shape (r, C)
        What is said of each row.
    said : ndarray of int64, shape (r,)
        Class that is said.
    own : ndarray of int64, shape (r,)
        Class that it is.
    weight : ndarray of shape (r,)
        Weight of each row.
    """

    probabilities: Floats
    said: Integers
    own: Integers
    weight: Floats


def forecasts_left_out(model: Any) -> tuple[Integers, Forecasts]:
    """Give what a classifier says of its examples, each left out.

    Parameters
    ----------
    model : ExplainedClassifier
        A fitted classifier.

    Returns
    -------
    place : ndarray of int64, shape (r,)
        Places of the examples.
    forecasts : Forecasts

    Raises
    ------
    ValueError
        If it cannot leave examples out.
    """
    found = model.leave_one_out()
    place = np.searchsorted(model._origin, found.ids)
    said = np.searchsorted(model.classes_, found.predictions)
    own = model._present[model._index[place]]
    return place, Forecasts(found.probabilities, said, own, model._sample_weight[place])


def quality(
    P: Floats, said: Integers, index: Integers, weight: Floats, n_bins: int = _BINS
) -> Quality:
    """Measure forecasts.

    Parameters
    ----------
    P : ndarray of shape (r, C)
        Probabilities of the classes.
    said : ndarray of int64, shape (r,)
        Class that is said.
    index : ndarray of int64, shape (r,)
        Class that it is.
    weight : ndarray of shape (r,)
        Weight of each row.
    n_bins : int, default=10
        Most groups of rows by confidence, at least 1.

    Returns
    -------
    Quality

    Notes
    -----
    Intervals are of 1,000 resamples of the rows: between percentiles for means, and reflected
    (the basic bootstrap) for the calibration error, whose resamples are biased upwards.
    """
    r, C = P.shape
    at = np.arange(r)
    right = (said == index).astype(np.float64)
    losses = -np.log(np.maximum(P[at, index], _SMALLEST))
    brier = np.sum(P**2, axis=1) - 2.0 * P[at, index] + 1.0
    confidence = P[at, said]
    group = _bins(confidence, weight, n_bins)
    which = np.zeros((r, int(group.max()) + 1))
    which[at, group] = 1.0
    gaps = which * (confidence - right)[:, None]
    means = np.column_stack([right, losses, brier])

    def figures(w: Floats) -> Floats:
        """Give the four figures for weights of shape (b, r)."""
        total = w.sum(axis=1, keepdims=True)
        error = np.abs(w @ gaps).sum(axis=1, keepdims=True)
        found: Floats = np.hstack([w @ means, error]) / total
        return found

    value = figures(weight[None, :])[0]
    rng = np.random.default_rng(0)
    drawn = []
    step = max(1, _ENTRIES // r)
    for i in range(0, _RESAMPLES, step):
        size = min(step, _RESAMPLES - i)
        drawn.append(figures(rng.multinomial(r, np.full(r, 1.0 / r), size=size) * weight))
    low, high = np.quantile(np.vstack(drawn), [0.025, 0.975], axis=0)
    low[3], high[3] = max(0.0, 2.0 * value[3] - high[3]), max(0.0, 2.0 * value[3] - low[3])
    prior = np.bincount(index, weights=weight, minlength=C) / weight.sum()
    there = prior[prior > 0.0]
    guesses = (
        float(prior.max()),
        float(-np.sum(there * np.log(there))),
        float(1.0 - np.sum(prior**2)),
        None,
    )
    names = ("accuracy", "log-loss", "Brier score", "calibration error")
    measures = tuple(
        Measure(name, float(value[k]), float(low[k]), float(high[k]), guesses[k])
        for k, name in enumerate(names)
    )
    confusion = np.zeros((C, C))
    np.add.at(confusion, (index, said), weight)
    bins = tuple(
        _bin(confidence[group == b], right[group == b], weight[group == b])
        for b in range(which.shape[1])
    )
    return Quality(measures, bins, confusion, losses)


def _bins(confidence: Floats, weight: Floats, n_bins: int) -> Integers:
    """Group rows by confidence, of equal weight; equal ones stay together."""
    place = np.unique(confidence, return_inverse=True)[1]
    mass = np.bincount(place, weights=weight)
    middle = (np.cumsum(mass) - mass / 2.0) / mass.sum()
    part = np.minimum((middle * n_bins).astype(np.int64), n_bins - 1)
    group = np.unique(part, return_inverse=True)[1]  # without those that nothing falls into
    return np.asarray(group[place], dtype=np.int64)


def _bin(confidence: Floats, right: Floats, weight: Floats) -> Bin:
    mass = float(weight.sum())
    p = float(weight @ right / mass)
    n = mass**2 / float(weight @ weight)  # Kish's effective number
    z = 1.96
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = max(0.0, float(centre - half)), min(1.0, float(centre + half))
    return Bin(float(weight @ confidence / mass), p, low, high, mass)


def weak_slices(
    table: TableOfExamples, rows: Integers, losses: Floats, weight: Floats
) -> list[Slice]:
    """Find ranges of columns whose rows are told worse than the others, worst first.

    Parameters
    ----------
    table : TableOfExamples
        The examples.
    rows : ndarray of int64, shape (r,)
        Places of those that were left out.
    losses : ndarray of shape (r,)
        Their log-losses.
    weight : ndarray of shape (r,)
        Their weights.

    Returns
    -------
    list of Slice
        Quarters of a column of numbers, levels of others, and missing cells; with 20 rows at
        least, and a mean loss three standard errors above that of the other rows.
    """
    found = []
    for j, (name, kind) in enumerate(zip(table.names, table.kinds, strict=True)):
        column = table.rows[rows, j]
        for words, part in _parts(table, j, column, kind):
            inside, outside = np.count_nonzero(part), np.count_nonzero(~part)
            if inside < _ROWS or outside < _ROWS:
                continue
            a, va = _mean(losses[part], weight[part])
            b, vb = _mean(losses[~part], weight[~part])
            error = np.sqrt(va + vb)
            if error > 0.0 and a - b > _ERRORS * error:
                found.append(Slice(name, words, int(inside), a, b, float((a - b) / error)))
    return sorted(found, key=lambda s: s.rest - s.loss)


def _parts(
    table: TableOfExamples, j: int, column: Floats, kind: str
) -> list[tuple[str, NDArray[np.bool_]]]:
    gone = np.isnan(column)
    parts = [("missing", gone)] if gone.any() else []
    there = column[~gone]
    if not there.size:
        return parts
    distinct = np.unique(there)
    if kind == "categorical" or distinct.size <= 4:
        return parts + [(table.cell(j, value), column == value) for value in distinct]
    edges = np.unique(np.quantile(there, [0.0, 0.25, 0.5, 0.75, 1.0]))
    place = np.searchsorted(edges[1:-1], column, side="left")
    for k in range(edges.size - 1):
        low, high = table.cell(j, edges[k]), table.cell(j, edges[k + 1])
        parts.append((f"{low} to {high}", (place == k) & ~gone))
    return parts


def _mean(values: Floats, weight: Floats) -> tuple[float, float]:
    """Give a weighted mean and the square of its standard error."""
    share = weight / weight.sum()
    mean = float(share @ values)
    return mean, float(np.sum((share * (values - mean)) ** 2))
