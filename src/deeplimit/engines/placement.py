"""Where examples lie for a device: runs of one class and like weights, padded to whole tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deeplimit.sums.decision import Floats
from deeplimit.sums.partial import PartialSums

__all__ = ["CHUNK", "STEP", "TILE", "Placement"]

Integers = NDArray[np.int64]

# Places of a tile, one bit for each in a word; and of a chunk, whose sums are rounded in its type.
TILE, CHUNK = 64, 8192
# The number of columns of matrices that are multiplied is a multiple of it.
STEP = 32
# Weights within a run differ by less than 2^24: no term that matters is lost in float32.
_BAND = 24


@dataclass(frozen=True, eq=False)
class Placement:
    """The places of n examples, and the chunks into which the places are cut.

    A chunk holds one class, and weights that differ by less than 2^24, so that its sum needs no
    logarithms of weights; examples of weight 0 have no place. The last tile of a run is padded.

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

    @classmethod
    def of(cls, index: Integers, weight: Floats | None, tile: int, chunk: int) -> Self:
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

        Returns
        -------
        Placement
            Examples of a class keep their order within a band of weights.

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
        sorting = np.lexsort((band, index[present]))
        order, band = present[sorting], band[sorting]
        kind = index[order]
        fresh = (np.diff(kind, prepend=-1) != 0) | (np.diff(band, prepend=-1) != 0)
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

    def collect(
        self, max_log: Floats, positive: Floats, negative: Floats, n_classes: int
    ) -> PartialSums:
        """Merge the sums of the chunks of each class, in the order of the chunks.

        Parameters
        ----------
        max_log : ndarray of shape (c, m)
            Logarithm of the unit of each chunk's sums, for weights in the chunk's unit; -inf where
            there is no term.
        positive, negative : ndarray of shape (c, m)
            The sums.
        n_classes : int
            Number of classes.

        Returns
        -------
        PartialSums
            Of shape (m, n_classes).

        Examples
        --------
        >>> import numpy as np
        >>> placement = Placement.of(np.array([0, 1, 1]), None, tile=1, chunk=1)
        >>> one = np.ones((3, 1))
        >>> placement.collect(0 * one, one, 0 * one, 2).proportions().round(4)
        array([[0.3333, 0.6667]])
        """
        sums = PartialSums.empty(max_log.shape[1], n_classes)
        if not self.classes.size:
            return sums
        logs = np.where((positive > 0) | (negative > 0), max_log + self.log_units[:, None], -np.inf)
        firsts = np.flatnonzero(np.diff(self.classes, prepend=-1))
        present = self.classes[firsts]
        top = np.maximum.reduceat(logs, firsts, axis=0)
        floor = np.where(np.isneginf(top), 0.0, top)
        share = np.exp(logs - np.repeat(floor, np.diff(firsts, append=len(logs)), axis=0))
        sums.max_log[:, present] = top.T
        sums.positive[:, present] = np.add.reduceat(positive * share, firsts, axis=0).T
        sums.negative[:, present] = np.add.reduceat(negative * share, firsts, axis=0).T
        return sums
