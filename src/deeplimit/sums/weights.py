"""Weights of examples, checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["check_weights"]


def check_weights(sample_weight: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """Check sample weights, and give None if all of them are 1.

    Parameters
    ----------
    sample_weight : array-like of shape (n,), optional
        Weights.
    n : int
        Number of examples.

    Returns
    -------
    ndarray of shape (n,) or None
        The weights as float64.

    Raises
    ------
    ValueError
        If the shape differs, a weight is negative or not finite, or the sum overflows.

    Examples
    --------
    >>> check_weights([1, 2], 2)
    array([1., 2.])
    """
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n,):
        raise ValueError(f"{n} sample weights are expected, the shape {weight.shape} was got")
    # NaN fails the comparison, and the sum of finite weights may overflow.
    with np.errstate(over="ignore"):
        sound = bool(np.all(weight >= 0)) and bool(np.isfinite(np.sum(weight)))
    if not sound:
        raise ValueError("sample weights must be nonnegative numbers with a finite sum")
    return None if bool(np.all(weight == 1.0)) else weight
