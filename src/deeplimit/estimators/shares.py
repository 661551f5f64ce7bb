"""Shares of the classes in a score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["clipped_shares"]

Floats = NDArray[np.float64]


def clipped_shares(scores: Floats, winner: NDArray[np.int64]) -> Floats:
    """Turn real scores into shares: negative ones count as 0, and the winner's is the largest.

    Where a tie was decided otherwise the winner is raised by the last digits above its equals.
    """
    shares = np.maximum(scores, 0.0)
    total = shares.sum(axis=1, keepdims=True)
    rows = np.arange(len(shares))
    nothing = total[:, 0] <= 0.0
    shares[nothing] = 0.0
    shares[rows[nothing], winner[nothing]] = 1.0
    total[nothing] = 1.0
    shares /= total
    others = shares.copy()
    others[rows, winner] = -1.0
    rival = others.max(axis=1, initial=-1.0)
    behind = np.flatnonzero(shares[rows, winner] <= rival)
    shares[behind, winner[behind]] = rival[behind] * (1.0 + 2.0**-50)
    shares[behind] /= shares[behind].sum(axis=1, keepdims=True)
    return shares
