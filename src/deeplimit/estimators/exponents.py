"""Choosing the exponent of a singular kernel: by leave-one-out, or by the data's dimension."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.engines.grid import leave_one_out
from deeplimit.estimators.lifting import distinct_dimension
from deeplimit.sums.lift import Lift

Floats = NDArray[np.float64]

#: Exponents tried by leave-one-out, besides the estimated dimension.
GRID = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)
#: Beyond so many examples an evenly spread choice of them is left out, each against all others.
MOST_LEFT_OUT = 2000


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
    n_jobs: int | None = None,
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
    n_jobs : int or None
        Threads.

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
        if wanted == "dimension" or len(X) < 4 or not np.any(X[0] != X):
            return ExponentChoice(dimension, None, None)
        grid = np.unique(np.append(GRID, round(dimension, 6)))
        left_out = np.unique(np.linspace(0, len(X) - 1, min(len(X), MOST_LEFT_OUT)).astype(int))
        losses = leave_one_out(
            lift, X, index, weight, n_classes, grid, left_out=left_out, n_jobs=n_jobs
        ).log_loss[0]
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
