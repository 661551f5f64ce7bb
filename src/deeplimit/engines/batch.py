"""Some queries as the compiled loops take them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.engines.packed import Packed

__all__ = ["Batch"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Batch(NamedTuple):
    """Queries as the compiled loops take them, and the list of the pairs they leave out.

    Parameters
    ----------
    points : tuple
        Queries in the frame of the examples, by eights, of shape (m/8, D, 8); norms; places not to
        be seen.
    bounds : tuple
        Relative distance, and square, below which a pair is left out.
    far : float
        The largest number.
    listed : tuple
        Queries and places of the pairs left out, and which queries had too many.
    far_out : ndarray of bool, shape (m,)
        Queries that are too far out for the precision.
    """

    points: tuple[NDArray[Any], NDArray[Any], Integers]
    bounds: tuple[Any, Any]
    far: Any
    listed: tuple[Integers, Integers, NDArray[np.bool_]]
    far_out: NDArray[np.bool_]

    def empty(self, *shape: int) -> tuple[NDArray[Any], Floats, Floats]:
        """Give units and two sums for the queries, as the loops begin with them."""
        m = self.points[1].size
        unit = np.full((m, shape[0]), self.far, dtype=self.points[0].dtype, order="F")
        return unit, np.zeros((m, *shape), order="F"), np.zeros((m, *shape), order="F")

    def pairs(self, taken: int, packed: Packed) -> tuple[Integers, Integers, NDArray[np.bool_]]:
        """Give queries and examples of the pairs left out, and the queries whose sums are void."""
        m = self.far_out.size
        rows, places, crowded = self.listed
        void = self.far_out | crowded[:m]
        keep = rows[:taken] < m
        keep[keep] = ~void[rows[:taken][keep]]
        return rows[:taken][keep], packed.order[places[:taken][keep]], void
