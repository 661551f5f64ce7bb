"""Examples that live on a device: their images, centred, scaled, and placed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.engines.character import Character
from deeplimit.engines.eager import Chunks, Table, pytorch
from deeplimit.engines.placement import CHUNK, STEP, TILE, Placement
from deeplimit.engines.precision import Arithmetic, Thresholds
from deeplimit.sums.decision import Floats
from deeplimit.sums.lift import Lift
from deeplimit.sums.scaling import exponents

__all__ = ["Residents"]

# Rows whose median is the origin of the coordinates.
_SAMPLE = 2**12
# Rows that are lifted at once.
_ROWS = 2**16


class Residents:
    """Examples on a device, in each arithmetic that was asked for.

    Parameters
    ----------
    lift : Lift
        Fitted lift.
    rows : ndarray of shape (n, d)
        Examples.
    index : ndarray of int64, shape (n,)
        Class of each example.
    weight : ndarray of shape (n,) or None
        Weights; None means 1.
    device : torch.device
        The device.

    Attributes
    ----------
    placement : Placement
        Where the examples lie.
    columns : int
        Number of coordinates of an image.
    exponent : int
        Coordinates are in units of 2^exponent, so that no example's norm exceeds 1.
    blur : float
        Error of coordinates before they are rounded to the type of the arithmetic.

    Raises
    ------
    ValueError
        If an example is not finite, or there are more than a device can count.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.sums import fit_lift
    >>> X = np.array([[0.0], [4.0]])
    >>> index = np.zeros(2, dtype=np.int64)
    >>> residents = Residents(fit_lift(X, "euclidean"), X, index, None, pytorch().device("cpu"))
    >>> residents.exponent, residents.images(X).tolist()
    (2, [[-0.5], [0.5]])
    """

    def __init__(
        self,
        lift: Lift,
        rows: Floats,
        index: NDArray[np.int64],
        weight: Floats | None,
        device: Any,
    ) -> None:
        self.device = device
        self.placement = Placement.of(index, weight, TILE, CHUNK)
        if len(self.placement) >= 2**31:
            raise ValueError(
                f"{len(self.placement)} places are more than the 2^31 of a device: give the "
                "examples to several engines and merge their sums"
            )
        self._lift, self._rows = lift, rows
        self._places = np.full(index.size, -1, dtype=np.int64)
        self._places[self.placement.order] = self.placement.places
        self._absent = np.zeros(0, dtype=np.int64)
        self._held: dict[Arithmetic, tuple[Any, Any, Any]] = {}
        self._origin, self.exponent, self.blur = self._frame()
        self.columns = self._origin.size

    def images(self, rows: Floats) -> Floats:
        """Give the centred and scaled images of rows.

        Parameters
        ----------
        rows : ndarray of shape (m, d)
            Finite rows.

        Returns
        -------
        ndarray of shape (m, columns)
            The images; inf where a row is too far out.
        """
        with np.errstate(over="ignore"):
            return np.ldexp(self._lift.transform(rows) - self._origin, -self.exponent)

    def visitors(
        self, images: Floats, skip: NDArray[np.int64] | None, arithmetic: Arithmetic
    ) -> tuple[Any, Any, Any]:
        """Bring queries to the device; those with NaN or inf in their images see nothing.

        Parameters
        ----------
        images : ndarray of shape (m, columns)
            Images of the queries.
        skip : ndarray of int64, shape (m,), or None
            Position of the example that each query must not see; -1 for none.
        arithmetic : Arithmetic
            The arithmetic.

        Returns
        -------
        queries, norms, skip : torch.Tensor
            What the functions named `chunk_terms` take.
        """
        torch = pytorch()
        matrix, norms = self._cast(images, arithmetic)
        there = torch.from_numpy(matrix).to(self.device)
        places = None
        if skip is not None:
            at = np.where(skip >= 0, np.append(self._places, -1)[skip], -1)
            places = torch.from_numpy(at.astype(np.int32)).to(self.device)
        return there, torch.from_numpy(norms).to(self.device), places

    def chunks(
        self, arithmetic: Arithmetic, thresholds: Thresholds, character: Character
    ) -> Chunks:
        """Give the examples with what is to be summed over them.

        Parameters
        ----------
        arithmetic : Arithmetic
            The arithmetic.
        thresholds : Thresholds
            Which pairs are refined.
        character : Character
            The kernel.

        Returns
        -------
        Chunks
            The examples' tensors are shared by all calls.
        """
        if arithmetic not in self._held:
            self._held[arithmetic] = self._settle(arithmetic)
        profile, table = character.profile, None
        if profile.table is not None:
            there = pytorch().from_numpy(profile.table.astype(arithmetic.dtype)).to(self.device)
            table = Table(there.contiguous(), profile.bits, profile.low)
        return Chunks(
            *self._held[arithmetic],
            starts=self.placement.starts,
            stops=self.placement.stops,
            arithmetic=arithmetic,
            thresholds=thresholds,
            exponent=profile.exponent,
            table=table,
            gap_unit=self.gap_unit if table is not None else 0.5,
        )

    @property
    def gap_unit(self) -> float:
        """The gap of two images at a distance of 1."""
        return math.ldexp(0.5, 2 * self.exponent)

    def forget(self, positions: NDArray[np.int64]) -> None:
        """Make examples absent.

        Parameters
        ----------
        positions : ndarray of int64
            Which examples.
        """
        places = self._places[positions]
        places = places[places >= 0]
        self._absent = np.union1d(self._absent, places)
        there = pytorch().from_numpy(places).to(self.device)
        for _, norms, _ in self._held.values():
            norms[there] = math.inf

    def _frame(self) -> tuple[Floats, int, float]:
        """Give the origin of the coordinates, their scale as a power of two, and their error."""
        order, lift = self.placement.order, self._lift
        # The median of some rows: a mean would follow an outlier, and the others lose their digits.
        some = lift.transform(self._rows[order[:: max(1, order.size // _SAMPLE)]])
        if not len(some):
            return np.zeros(lift.transform(self._rows[:0]).shape[1]), 0, 0.0
        origin = np.median(some, axis=0)
        largest = np.zeros(1)
        for _, images in self._lifted():
            if not np.isfinite(images).all():
                raise ValueError("examples must be finite: drop rows with NaN or infinity")
            largest = np.maximum(largest, np.max(np.abs(images - origin)))
        exponent = math.ceil(math.log2(origin.size) / 2.0)
        exponent = int(exponents(largest)[0]) + exponent if largest.any() else 0
        # A difference from the origin is rounded like any coordinate; an image on the sphere was
        # rounded before, in units of its norm 1.
        blur = 0.0 if lift.exact else math.ldexp(4.0 * 2.0**-53, -exponent)
        return origin, exponent, blur

    def _lifted(self) -> Iterator[tuple[slice, Floats]]:
        """Give the images of the examples that have a place, block by block."""
        for start in range(0, self.placement.order.size, _ROWS):
            part = slice(start, start + _ROWS)
            yield part, self._lift.transform(self._rows[self.placement.order[part]])

    def _cast(self, images: Floats, arithmetic: Arithmetic) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give images in the type of the arithmetic, and the squared norms of what they became."""
        padding = 0 if arithmetic.differences else -images.shape[1] % STEP
        matrix = np.pad(images, ((0, 0), (0, padding))).astype(arithmetic.dtype)
        wide = matrix.astype(np.float64)
        norms = np.sum(wide * wide, axis=1)
        seen = norms <= arithmetic.farthest
        matrix[~seen] = 0.0
        return matrix, np.where(seen, norms, np.inf).astype(arithmetic.dtype)

    def _settle(self, arithmetic: Arithmetic) -> tuple[Any, Any, Any]:
        """Bring the examples to the device: columns first for differences, else rows first."""
        torch = pytorch()
        size, columns = len(self.placement), self._origin.size
        kind = getattr(torch, arithmetic.dtype)
        if arithmetic.differences:
            examples = torch.zeros((columns, size), dtype=kind, device=self.device).T
        else:
            wide = -(-columns // STEP) * STEP
            examples = torch.zeros((size, wide), dtype=kind, device=self.device)
        norms = torch.full((size,), math.inf, dtype=kind, device=self.device)
        weights = torch.zeros(size, dtype=kind, device=self.device)
        for part, images in self._lifted():
            scaled = np.ldexp(images - self._origin, -self.exponent)
            matrix, squares = self._cast(scaled, arithmetic)
            there = torch.from_numpy(self.placement.places[part]).to(self.device)
            examples[there] = torch.from_numpy(matrix).to(self.device)
            norms[there] = torch.from_numpy(squares).to(self.device)
            heavy = self.placement.weights[part].astype(arithmetic.dtype)
            weights[there] = torch.from_numpy(heavy).to(self.device)
        norms[torch.from_numpy(self._absent).to(self.device)] = math.inf
        return examples, norms, weights
