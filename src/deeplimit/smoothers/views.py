"""Views of a table's columns: what a distance is taken of, before any column is weighted."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from deeplimit._extras import available

__all__ = ["Kind", "View", "fit_view"]

Floats = NDArray[np.float64]
Kind = Literal["scores", "ranks", "units"]

# Two categories in columns of their own are this far apart in each; so are two numbers that are all
# a column holds, which a standard deviation would put ever further apart the rarer one is.
_APART = np.sqrt(0.5)
# Knots, of all columns, from which on a compiled loop is worth its loading.
_COMPILED_FROM = 2000


@dataclass(frozen=True, eq=False)
class View:
    """A fitted map of columns to features, each of one column or of one category.

    Parameters
    ----------
    source : ndarray of int64, shape (q,)
        Column of each feature, ascending.
    shift, factor : ndarray of shape (q,)
        A column is shifted and multiplied, unless it is bent.
    bent : ndarray of int64, shape (r,)
        Features that follow a broken line instead.
    knots, values : tuple of ndarray
        The line of each: values of the column, ascending, and what they become.
    merged : ndarray of int64, shape (t,)
        Features that are a weighted sum of columns, those of the levels of a category; the source
        is the first of them.
    blocks, sums : tuple of ndarray
        The columns of each, and their weights.
    """

    source: NDArray[np.int64]
    shift: Floats
    factor: Floats
    bent: NDArray[np.int64]
    knots: tuple[Floats, ...]
    values: tuple[Floats, ...]
    merged: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    blocks: tuple[NDArray[np.int64], ...] = ()
    sums: tuple[Floats, ...] = ()

    def features(self, X: Floats) -> Floats:
        """Map rows.

        Parameters
        ----------
        X : ndarray of shape (m, p)
            Rows.

        Returns
        -------
        ndarray of shape (m, q)
        """
        Z: Floats = (np.take(X, self.source, axis=1) - self.shift) * self.factor
        if sum(len(knots) for knots in self.knots) >= _COMPILED_FROM and available("numba"):
            loops: Any = importlib.import_module("deeplimit.engines.bend_loops")
            loops.bend(np.ascontiguousarray(X), self.source[self.bent], self.bent, *self._lines, Z)
        else:
            for f, knots, values in zip(self.bent, self.knots, self.values, strict=True):
                Z[:, f] = np.interp(X[:, self.source[f]], knots, values)
        for f, block, sums in zip(self.merged, self.blocks, self.sums, strict=True):
            Z[:, f] = X[:, block] @ sums
        return Z

    @cached_property
    def _lines(self) -> tuple[NDArray[np.int64], Floats, Floats]:
        """All broken lines, one after the other, and where each begins."""
        starts = np.cumsum([0] + [len(knots) for knots in self.knots])
        return starts, np.concatenate(self.knots), np.concatenate(self.values)


def fit_view(X: Floats, weight: Floats, kind: Kind, units: Floats | None = None) -> View:
    """Fit a view.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows, finite.
    weight : ndarray of shape (n,)
        Positive weights; one of 2 counts like two equal rows.
    kind : {"scores", "ranks", "units"}
        Standard scores, normal scores of the ranks, or all columns by the same number, so that
        their mean square is 1. A column of two values has them at a distance of the square root of
        one half in both kinds of scores; a constant column is 0.
    units : ndarray of shape (p,), optional
        What the columns are multiplied by first, for "units": then they are of one unit.

    Returns
    -------
    View

    References
    ----------
    .. [1] B. L. van der Waerden, "Order tests for the two-sample problem and their power",
       Indagationes Mathematicae 14, 1952.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [2.0, 1.0], [4.0, 1.0], [100.0, 0.0]])
    >>> fit_view(X, np.ones(4), "ranks").features(X).round(2).tolist()
    [[-1.15, -0.35], [-0.32, 0.35], [0.32, 0.35], [1.15, -0.35]]
    """
    share = weight / weight.sum()
    shift: Floats = share @ X
    spread = np.sqrt(share @ (X - shift) ** 2)
    low, high = X.min(axis=0), X.max(axis=0)
    two = np.all((low == X) | (high == X), axis=0) & (low < high)
    # Rounding of a mean is no spread.
    flat = (low == high) | (spread <= 1e-12 * np.maximum(np.abs(low), np.abs(high)))
    with np.errstate(divide="ignore"):
        factor = np.where(two, _APART / (high - low), 1.0 / spread)
    if kind == "units":
        units = np.ones(X.shape[1]) if units is None else units
        whole = float(np.sqrt(np.mean((units * spread) ** 2)))
        factor = units / (whole if whole > 0.0 else 1.0)
    factor = np.where(flat, 0.0, factor)
    many = np.flatnonzero(~two & ~flat) if kind == "ranks" else np.zeros(0, dtype=np.int64)
    knots, values = [], []
    for j in many:
        seen, place = np.unique(X[:, j], return_inverse=True)
        mass = np.bincount(place, weights=share)
        knots.append(seen)
        values.append(ndtri(np.clip(np.cumsum(mass) - mass / 2.0, 1e-12, 1.0 - 1e-12)))
    source = np.arange(X.shape[1])
    return View(source, shift, factor, many.astype(np.int64), tuple(knots), tuple(values))
