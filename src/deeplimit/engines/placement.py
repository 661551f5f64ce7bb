"""Where examples lie for a device: runs of a class, of like weights and sizes, in whole tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deeplimit.sums.decision import Floats

__all__ = ["CHUNK", "COLUMNS", "STEP", "TILE", "Placement"]

Integers = NDArray[np.int64]

# Places of a tile, and of a chunk, whose sums are rounded in its type.
TILE, CHUNK = 64, 8192
# The number of columns of matrices that are multiplied is a multiple of the one, and of those that
# are subtracted, if there are many, of the other.
STEP, COLUMNS = 32, 8
# Weights within a run differ by less than 2^24: no term that matters is lost in float32.
_BAND = 24
# Squared norms within a run differ by less than 2^20, if they are known; below 2^-60, at which
# float32 ends here, they are all alike.
_SIZES, _LEAST = 20, 60


@dataclass(frozen=True, eq=False)
class Placement:
    """The places of n examples, and the chunks into which the places are cut.

    A chunk holds one class, and weights that differ by less than 2^24, so that its sum needs no
    logarithms of weights; examples of weight 0 have no place. The last tile of a run is padded.

    Where the squared norms of the examples are known, they ascend within a run and differ by less
    than 2^20. So those of a tile are about alike, and a chunk's fit one scale.

    Parameters
    ----------
    order : ndarray of int64, shape (k,)
        The examples that have a place, in order of their places.
    places : ndarray of int64, shape (k,)
        Their places, ascending.
    starts, stops : ndarray of int64, shape (c,)
        First place of each chunk, and the first one beyond.
    classes : ndarray of int64, shape (c,)
        Class of each chunk, ascending.
    log_units : ndarray of float64, shape (c,)
        Logarithms of the unit of the weights of each chunk.
    weights : ndarray of float64, shape (k,)
        Weights in their chunk's unit, at most 1.

    Examples
    --------
    >>> import numpy as np
    >>> index, weight = np.array([1, 0, 1, 1]), np.array([1.0, 1.0, 0.0, 1e-20])
    >>> placement = Placement.of(index, weight, tile=4, chunk=8)
    >>> placement.order, placement.places, placement.classes, len(placement)
    (array([1, 0, 3]), array([0, 4, 8]), array([0, 1, 1]), 12)
    """

    order: Integers
    places: Integers
    starts: Integers
    stops: Integers
    classes: Integers
    log_units: Floats
    weights: Floats

    def __len__(self) -> int:
        return int(self.stops[-1]) if self.stops.size else 0

    @property
    def magnitudes(self) -> float:
        """Logarithm base 2 of the places of a chunk, times the ratio of all weights."""
        if not self.weights.size:
            return 0.0
        most = float(np.max(self.stops - self.starts))
        return float(np.log2(most * self.weights.max() / self.weights.min()))

    @classmethod
    def of(
        cls,
        index: Integers,
        weight: Floats | None,
        tile: int,
        chunk: int,
        sizes: Floats | None = None,
    ) -> Self:
        """Place examples.

        Parameters
        ----------
        index : ndarray of int64, shape (n,)
            Class of each example.
        weight : ndarray of shape (n,) or None
            Nonnegative weights; None means 1.
        tile : int
            Runs begin at its multiples.
        chunk : int
            Largest number of places of a chunk, a multiple of `tile`.
        sizes : ndarray of shape (n,) or None
            Squared norms of the examples, at most 1; None means that they are not known.

        Returns
        -------
        Placement
            Examples of like class, weight and size keep their order.

        Examples
        --------
        >>> import numpy as np
        >>> Placement.of(np.zeros(9, dtype=np.int64), None, tile=2, chunk=4).starts
        array([0, 4, 8])
        """
        heavy = np.ones(index.size) if weight is None else weight
        present = np.flatnonzero(heavy > 0)
        mantissa, power = np.frexp(heavy[present])
        top = int(power.max(initial=-(2**12)))
        band = (top - power.astype(np.int64)) // _BAND
        like = np.zeros(present.size) if sizes is None else sizes[present]
        group = np.clip(-np.frexp(like)[1].astype(np.int64), 0, _LEAST) // _SIZES
        sorting = np.lexsort((like, -group, band, index[present]))
        order, band, group = present[sorting], band[sorting], group[sorting]
        kind = index[order]
        fresh = np.zeros(order.size, dtype=bool)
        for key in (kind, band, group):
            fresh |= np.diff(key, prepend=-1) != 0
        begins = np.flatnonzero(fresh)
        lengths = np.diff(begins, append=order.size)
        padded = -(-lengths // tile) * tile
        offsets = np.cumsum(padded) - padded
        places = np.arange(order.size) + np.repeat(offsets - begins, lengths)
        pieces = -(-padded // chunk)
        run = np.repeat(np.arange(begins.size), pieces)
        piece = np.arange(run.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        starts = offsets[run] + piece * chunk
        return cls(
            order=order,
            places=places,
            starts=starts,
            stops=np.minimum(starts + chunk, (offsets + padded)[run]),
            classes=kind[begins][run],
            log_units=(top - _BAND * band[begins][run]) * np.log(2.0),
            weights=np.ldexp(mantissa[sorting], power[sorting] - top + _BAND * band),
        )

    def at(self, places: Integers) -> Integers:
        """Give the examples at places that are taken.

        Parameters
        ----------
        places : ndarray of int64
            Places of examples.

        Returns
        -------
        ndarray of int64
            The examples.

        Examples
        --------
        >>> import numpy as np
        >>> Placement.of(np.array([1, 0, 1]), None, tile=4, chunk=8).at(np.array([5, 0]))
        array([2, 1])
        """
        return self.order[np.searchsorted(self.places, places)]
