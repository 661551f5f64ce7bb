"""Rows and weights as a store takes them: checked, and in its type."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["cast", "check_form", "check_matrix", "check_weights"]


def check_form(n_features: Any, dtype: Any) -> None:
    """Check what rows are to be."""
    if isinstance(n_features, bool) or not isinstance(n_features, int | np.integer):
        raise TypeError(f"n_features must be an integer, {n_features!r} was got")
    if n_features < 1 or dtype not in ("float32", "float64"):
        raise ValueError(
            "at least 1 feature and the type float32 or float64 are needed, "
            f"{n_features} and {dtype!r} were got"
        )


def check_matrix(X: ArrayLike, n_features: int) -> NDArray[Any]:
    """Check that X is a matrix of numbers with so many columns, without reading them."""
    matrix = np.asarray(X)
    if matrix.ndim != 2 or matrix.shape[1] != n_features:
        raise ValueError(
            f"a matrix of {n_features} columns is expected, the shape {matrix.shape} was got"
        )
    if matrix.dtype.kind not in "fiub":
        raise TypeError(f"rows must be real numbers, {matrix.dtype} was got")
    return matrix


def check_weights(sample_weight: ArrayLike | None, n: int) -> NDArray[np.float64]:
    """Give the weights as float64, ones if there are none."""
    if sample_weight is None:
        return np.ones(n)
    given = np.asarray(sample_weight)
    if given.shape != (n,):
        raise ValueError(f"{n} sample weights are expected, the shape {given.shape} was got")
    if n and given.dtype.kind not in "fiub":
        raise TypeError(f"sample weights must be real numbers, {given.dtype} was got")
    weights = cast(given, "float64", "sample weights").astype(np.float64, copy=False)
    if (weights < 0).any():
        raise ValueError("sample weights must be nonnegative, a negative one was got")
    return weights


def cast(values: NDArray[Any], dtype: str, what: str) -> NDArray[np.floating]:
    """Round numbers to a type, and refuse what is not finite in it."""
    with np.errstate(all="ignore"):
        rounded = np.ascontiguousarray(values, dtype=dtype)
    # Both carry NaN on, and need no array of their own.
    if rounded.size and not (np.isfinite(rounded.min()) and np.isfinite(rounded.max())):
        if np.isfinite(values).all():
            raise ValueError(
                f"{what} hold a number too large for {dtype}: scale them, or use a wider type"
            )
        raise ValueError(f"{what} must be finite, NaN or an infinity was got")
    return rounded
