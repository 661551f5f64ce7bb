"""Choosing the exponent of a singular kernel: by leave-one-out, or by the data's dimension."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.estimators.lifting import distinct_dimension
from deeplimit.sums.gaps import GapTiles
from deeplimit.sums.lift import Lift

Floats = NDArray[np.float64]

#: Exponents tried by leave-one-out, besides the estimated dimension.
GRID = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)
_MOST_QUERIES = 2000


class ExponentChoice(NamedTuple):
    """An exponent and how it was chosen.

    Parameters
    ----------
    exponent : float
        The exponent.
    candidates : ndarray or None
        Exponents tried by leave-one-out.
    losses : ndarray or None
        Leave-one-out log-loss of each, in nats.
    """

    exponent: float
    candidates: Floats | None
    losses: Floats | None


def choose_exponent(
    wanted: Any,
    lift: Lift,
    X: Floats,
    index: NDArray[np.int64],
    weight: Floats,
    n_classes: int,
) -> ExponentChoice:
    """Resolve the parameter `exponent` of a classifier.

    Parameters
    ----------
    wanted : float, "auto" or "dimension"
        A positive number is taken as it is; "dimension" is the estimated intrinsic dimension,
        which is what consistency asks for; "auto" is the one with the least leave-one-out log-loss.
    lift : Lift
        Fitted lift.
    X : ndarray of shape (n, d)
        Examples.
    index : ndarray of shape (n,)
        Class of each.
    weight : ndarray of shape (n,)
        Weight of each.
    n_classes : int
        Number of classes.

    Returns
    -------
    ExponentChoice

    Raises
    ------
    ValueError
        If `wanted` is none of these.
    """
    if isinstance(wanted, str):
        if wanted not in ("auto", "dimension"):
            raise ValueError(
                f"exponent is 'auto', 'dimension' or a positive number, got {wanted!r}."
            )
        dimension = distinct_dimension(X)
        if wanted == "dimension" or len(X) < 4:
            return ExponentChoice(dimension, None, None)
        grid = np.unique(np.append(GRID, round(dimension, 6)))
        losses = leave_one_out_losses(grid, lift, X, index, weight, n_classes)
        # Of equally good ones the nearest to the dimension: it has the theory on its side.
        good = np.flatnonzero(losses <= losses.min() + 1e-12)
        best = good[np.argmin(np.abs(np.log(grid[good] / dimension)))]
        return ExponentChoice(float(grid[best]), grid, losses)
    try:
        exponent = float(wanted)
    except (TypeError, ValueError):
        exponent = np.nan
    if isinstance(wanted, bool) or not (np.isfinite(exponent) and exponent > 0):
        raise ValueError(f"exponent is 'auto', 'dimension' or a positive number, got {wanted!r}.")
    return ExponentChoice(exponent, None, None)


def leave_one_out_losses(
    grid: Floats,
    lift: Lift,
    X: Floats,
    index: NDArray[np.int64],
    weight: Floats,
    n_classes: int,
) -> Floats:
    """Leave-one-out log-loss of the pure singular kernel for several exponents in one pass.

    Each distinct row is left out in turn together with its duplicates, which would otherwise make
    every exponent look perfect; a weight then counts like so many equal rows. Beyond 2,000
    examples an evenly spread choice of 2,000 is left out, each against all the others. The
    estimate is mixed with one part in the number of rows of the class shares, so that a confident
    error costs the logarithm of that number rather than everything.

    Parameters
    ----------
    grid : ndarray of shape (g,)
        Exponents.
    lift, X, index, weight, n_classes
        As in `choose_exponent`.

    Returns
    -------
    ndarray of shape (g,)
        Weighted mean loss in nats.
    """
    n = len(X)
    distinct = np.unique(X, axis=0).shape[0]
    left_out = np.unique(np.linspace(0, n - 1, min(n, _MOST_QUERIES)).astype(np.int64))
    order = np.argsort(index, kind="stable")
    tiles = GapTiles(X[order], lift)
    log_weight = np.log(weight)[order]
    bounds = np.searchsorted(index[order], np.arange(n_classes + 1))
    shares = np.bincount(index, weights=weight, minlength=n_classes) / weight.sum()
    losses = np.zeros(len(grid))
    total = 0.0
    for rows in tiles.row_blocks(left_out.size):
        who = left_out[rows]
        logs = np.empty((who.size, n))
        for columns, tile in tiles.of(X[who]):
            with np.errstate(divide="ignore"):
                logs[:, columns] = np.log(tile)
        logs[np.isneginf(logs)] = np.inf  # the row itself and its duplicates weigh nothing
        truth, mass = index[who], weight[who]
        at = np.arange(who.size)
        for g, exponent in enumerate(grid):
            terms = log_weight - exponent / 2.0 * logs
            top = terms.max(axis=1, keepdims=True)
            np.exp(terms - np.where(np.isfinite(top), top, 0.0), out=terms)
            sums = np.stack([terms[:, a:b].sum(axis=1) for a, b in pairwise(bounds)], axis=1)
            whole = sums.sum(axis=1, keepdims=True)
            share = np.where(whole > 0, sums / np.where(whole > 0, whole, 1.0), shares)
            share = share * (1.0 - 1.0 / distinct) + shares / distinct
            losses[g] -= np.sum(mass * np.log(share[at, truth]))
        total += mass.sum()
    return np.asarray(losses / total)
