"""The loops from sums, or bounds of sums, to the shares of the classes; compiled by numba."""

from __future__ import annotations

import numpy as np

from deeplimit.engines.cluster_loops import inlined
from deeplimit.engines.clusters import Floats

__all__ = ["EPS", "HIGH", "LOW", "bounded_shares", "fill_shares"]

#: Rows of bounds.
LOW, HIGH = 0, 1
#: The distance of 1 to the next number.
EPS = float(np.finfo(np.float64).eps)


@inlined
def bounded_shares(sums: Floats, low: Floats, high: Floats) -> float:
    """Bound the shares of the classes, and give the widest interval."""
    lower, upper = sums[LOW], sums[HIGH]
    n = lower.size
    error = (n + 8) * EPS
    rest_low = rest_high = 0.0
    for c in range(n):
        low[c], high[c] = rest_high, rest_low
        rest_high += upper[c]
        rest_low += lower[c]
    rest_low = rest_high = widest = 0.0
    for c in range(n - 1, -1, -1):
        others_high, others_low = low[c] + rest_high, high[c] + rest_low
        rest_high += upper[c]
        rest_low += lower[c]
        low[c] = lower[c] / (lower[c] + others_high) * (1.0 - error) if lower[c] > 0.0 else 0.0
        high[c] = 1.0
        if upper[c] < np.inf:
            high[c] = min(1.0, upper[c] / (upper[c] + others_low) * (1.0 + error))
        widest = max(widest, high[c] - low[c])
    return widest


@inlined
def fill_shares(
    sums: Floats, unclear: bool, known: bool, low: Floats, middle: Floats, high: Floats
) -> None:
    """Fill in the shares of the classes in some sums: cut by their bounds, or known exactly."""
    n, whole = sums.size, 0.0
    for c in range(n):
        whole += sums[c]
    for c in range(n):
        share = sums[c] / whole if 0.0 < whole < np.inf and not unclear else 1.0 / n
        if unclear or known:
            low[c], high[c] = (0.0, 1.0) if unclear else (share, share)
        middle[c] = min(max(share, low[c]), high[c])
