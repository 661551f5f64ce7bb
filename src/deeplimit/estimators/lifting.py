"""Lifts and dimensions of weighted examples: a weight counts like so many equal rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deeplimit.examples import ExampleSet
from deeplimit.sums.dimension import intrinsic_dimension
from deeplimit.sums.lift import Lift
from deeplimit.sums.sphere import fit_lift

Floats = NDArray[np.float64]


def fit_weighted_lift(X: Floats, kind: str, weight: Floats) -> Lift:
    """Fit a lift whose centre and scale are those of weighted rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    kind : str
        As for `fit_lift`.
    weight : ndarray of shape (n,)
        Positive weights.

    Returns
    -------
    Lift
    """
    lift = fit_lift(X, kind)
    if lift.kind not in ("hemisphere", "stereographic") or np.all(weight == weight[0]):
        return lift
    # A power of two keeps squares in range and rounds nothing.
    exponent = int(np.frexp(np.abs(X).max(initial=1.0))[1])
    rows = np.ldexp(X, -exponent)
    share = weight / weight.sum()
    centre = share @ rows
    scale = np.sqrt(np.sum(share * np.sum((rows - centre) ** 2, axis=1)))
    return fit_lift(
        X,
        lift.kind,
        centre=np.ldexp(centre, exponent),
        scale=float(np.ldexp(scale, exponent)) if scale > 0.0 else 1.0,
    )


def lift_of(examples: ExampleSet, kind: str) -> Lift:
    """Fit a lift to the examples there are.

    Parameters
    ----------
    examples : ExampleSet
        The examples.
    kind : str
        As for `fit_lift`.

    Returns
    -------
    Lift
    """
    if kind == "euclidean":
        # It depends on nothing but the largest number, which the examples keep at hand.
        return fit_lift(np.full((1, examples.n_features), examples.largest), kind)
    return fit_weighted_lift(examples.live_rows, kind, examples.live_weights)


def distinct_dimension(X: Floats) -> float:
    """Estimate the intrinsic dimension of the distinct rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.

    Returns
    -------
    float
    """
    return intrinsic_dimension(np.unique(X, axis=0))
