"""Examples that live on a device: their images, centred, scaled, and placed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.engines.character import Character
from deeplimit.engines.eager import Chunks, Table, pytorch
from deeplimit.engines.halves import Halves, split
from deeplimit.engines.placement import CHUNK, COLUMNS, STEP, TILE, Placement
from deeplimit.engines.precision import BLOCK, DIFFERENCE_COLUMNS, Arithmetic, Thresholds
from deeplimit.sums.decision import Floats
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums
from deeplimit.sums.scaling import exponents

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Residents"]

# Rows whose median is the origin of the coordinates.
_SAMPLE = 2**12
# Rows that are lifted at once.
_ROWS = 2**16


class _Held(NamedTuple):
    """What `Chunks` has of the examples: for each place, and the bound of norms for each tile."""

    examples: Tensor | Halves
    norms: Tensor
    weights: Tensor
    alike: bool
    tops: Tensor


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
        self._lift, self._rows = lift, rows
        present = np.arange(index.size) if weight is None else np.flatnonzero(weight > 0)
        self._origin, self.exponent, self.blur, sizes = self._frame(present)
        self.placement = Placement.of(index, weight, TILE, CHUNK, sizes)
        if len(self.placement) >= 2**31:
            raise ValueError(
                f"{len(self.placement)} places are more than the 2^31 of a device: give the "
                "examples to several engines and merge their sums"
            )
        self._sizes = sizes[self.placement.order]
        self._places = np.full(index.size, -1, dtype=np.int64)
        self._places[self.placement.order] = self.placement.places
        self._absent = np.zeros(0, dtype=np.int64)
        self._held: dict[Arithmetic, _Held] = {}
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
        queries, norms, skip : torch.Tensor, or Halves and torch.Tensor
            What the functions named `chunk_terms` take.
        """
        torch = pytorch()
        there, norms = self._cast(images, arithmetic)
        places = None
        if skip is not None:
            at = np.where(skip >= 0, np.append(self._places, -1)[skip], -1)
            places = torch.from_numpy(at.astype(np.int32)).to(self.device)
        return there, norms, places

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
            **self._held[arithmetic]._asdict(),
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
        for held in self._held.values():
            held.norms[there] = math.inf

    def collect(
        self, logs: Tensor, positive: Tensor, negative: Tensor, n_classes: int
    ) -> PartialSums:
        """Merge the sums of the chunks of each class, in the order of the chunks.

        Parameters
        ----------
        logs : torch.Tensor of float64, shape (c, m)
            Logarithm of the unit of each chunk's sums, for weights in the chunk's unit; -inf where
            there is no term.
        positive, negative : torch.Tensor of float64, shape (c, m)
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
        >>> from deeplimit.sums import fit_lift
        >>> X, torch = np.array([[0.0], [4.0]]), pytorch()
        >>> lift, index = fit_lift(X, "euclidean"), np.array([0, 1])
        >>> residents = Residents(lift, X, index, None, torch.device("cpu"))
        >>> one = torch.ones((2, 1), dtype=torch.float64)
        >>> residents.collect(0 * one, one, 0 * one, 2).proportions()
        array([[0.5, 0.5]])
        """
        torch, placement = pytorch(), self.placement
        sums = PartialSums.empty(logs.shape[1], n_classes)
        firsts = np.flatnonzero(np.diff(placement.classes, prepend=-1))
        counts = np.diff(firsts, append=placement.classes.size)
        lengths, units = (
            torch.from_numpy(a).to(logs.device) for a in (counts, placement.log_units)
        )
        logs = torch.where((positive > 0) | (negative > 0), logs + units[:, None], -math.inf)
        top = torch.segment_reduce(logs, "max", lengths=lengths, axis=0)
        floor = torch.where(torch.isinf(top), 0.0, top)
        share = torch.exp(logs - torch.repeat_interleave(floor, lengths, dim=0))
        present = placement.classes[firsts]
        sums.max_log[:, present] = top.T.cpu().numpy()
        for total, part in ((sums.positive, positive), (sums.negative, negative)):
            of_class = torch.segment_reduce(part * share, "sum", lengths=lengths, axis=0)
            total[:, present] = of_class.T.cpu().numpy()
        return sums

    def _frame(self, present: NDArray[np.int64]) -> tuple[Floats, int, float, Floats]:
        """Give origin, scale and error of the coordinates, and the examples' squared norms."""
        lift, sizes = self._lift, np.zeros(len(self._rows))
        # The median of some rows: a mean would follow an outlier, and the others lose their digits.
        some = lift.transform(self._rows[present[:: max(1, present.size // _SAMPLE)]])
        if not len(some):
            return np.zeros(lift.transform(self._rows[:0]).shape[1]), 0, 0.0, sizes
        origin = np.median(some, axis=0)
        largest = np.zeros(1)
        for part, images in self._lifted(present):
            if not np.isfinite(images).all():
                raise ValueError("examples must be finite: drop rows with NaN or infinity")
            # In units of the largest coordinate so far, lest squares overflow.
            images -= origin
            reach = np.maximum(largest, np.max(np.abs(images)))
            before, now = (int(exponents(a)[0]) for a in (largest, reach))
            largest = reach
            if now != before:
                sizes = np.ldexp(sizes, 2 * (before - now))
            scaled = np.ldexp(images, -now)
            sizes[present[part]] = np.sum(scaled * scaled, axis=1)
        exponent = math.ceil(math.log2(origin.size) / 2.0)
        sizes = np.ldexp(sizes, -2 * exponent)
        exponent = int(exponents(largest)[0]) + exponent if largest.any() else 0
        # A difference from the origin is rounded like any coordinate; an image on the sphere was
        # rounded before, in units of its norm 1.
        blur = 0.0 if lift.exact else math.ldexp(4.0 * 2.0**-53, -exponent)
        return origin, exponent, blur, sizes

    def _lifted(self, order: NDArray[np.int64]) -> Iterator[tuple[slice, Floats]]:
        """Give the images of some examples, block by block."""
        for start in range(0, order.size, _ROWS):
            part = slice(start, start + _ROWS)
            yield part, self._lift.transform(self._rows[order[part]])

    def _cast(
        self, images: Floats, arithmetic: Arithmetic, scale: Tensor | None = None
    ) -> tuple[Any, Tensor]:
        """Give images in the type of the arithmetic, and the squared norms of what they became."""
        torch, columns = pytorch(), images.shape[1]
        padding = 0
        if not arithmetic.differences:
            padding = -columns % (BLOCK if arithmetic.halves and columns > 2 * BLOCK else STEP)
        elif columns > DIFFERENCE_COLUMNS:
            padding = -columns % COLUMNS
        matrix = np.pad(images, ((0, 0), (0, padding)))
        seen = np.sum(matrix * matrix, axis=1) <= arithmetic.farthest
        matrix[~seen] = 0.0
        there: Any = torch.from_numpy(matrix).to(self.device)
        kind = getattr(torch, arithmetic.dtype)
        if arithmetic.halves:
            there = split(there, scale)
            wide = there.wide()
        else:
            there = there.to(kind)
            wide = there.double()
        norms = torch.sum(wide * wide, dim=1).to(kind)
        return there, torch.where(torch.from_numpy(seen).to(self.device), norms, math.inf)

    def _settle(self, arithmetic: Arithmetic) -> _Held:
        """Bring the examples to the device: columns first for differences, else rows first."""
        torch, placement = pytorch(), self.placement
        size = len(placement)
        kind = getattr(torch, arithmetic.dtype)
        norms = torch.full((size,), math.inf, dtype=kind, device=self.device)
        weights = torch.zeros(size + TILE, dtype=kind, device=self.device)
        chunk = np.searchsorted(placement.stops, placement.places, side="right")
        examples: Any = None
        scale = None
        if arithmetic.halves:
            # A coordinate is no larger than the norm, whose largest ends a chunk.
            ends = np.searchsorted(placement.places, placement.stops) - 1
            peaks = np.maximum((np.frexp(self._sizes[ends])[1] + 1) // 2, -40)
            scale = torch.from_numpy(peaks.astype(np.int32)).to(self.device)
        for part, images in self._lifted(placement.order):
            scaled = np.ldexp(images - self._origin, -self.exponent)
            there = torch.from_numpy(placement.places[part]).to(self.device)
            mine = None
            if scale is not None:
                mine = scale[torch.from_numpy(chunk[part]).to(self.device)]
            matrix, squares = self._cast(scaled, arithmetic, mine)
            if examples is None:
                examples = self._room(arithmetic, size, matrix)
            if scale is None:
                examples[there] = matrix
            else:
                examples.high[there], examples.low[there] = matrix.high, matrix.low
            norms[there] = squares
            heavy = placement.weights[part].astype(arithmetic.dtype)
            weights[there] = torch.from_numpy(heavy).to(self.device)
        tops = torch.where(torch.isinf(norms), 0.0, norms).view(-1, TILE).amax(dim=1)
        norms[torch.from_numpy(self._absent).to(self.device)] = math.inf
        if scale is not None:
            examples = examples._replace(exponents=scale)
        alike = bool(np.all(placement.weights == placement.weights[0]))
        return _Held(examples, norms, weights, alike, tops)

    def _room(self, arithmetic: Arithmetic, size: int, like: Any) -> Any:
        """Give zeros for all examples; halves, like weights, are read up to a tile beyond them."""
        torch = pytorch()
        if not arithmetic.halves:
            if arithmetic.differences:
                return torch.zeros((like.shape[1], size), dtype=like.dtype, device=self.device).T
            return torch.zeros((size, like.shape[1]), dtype=like.dtype, device=self.device)
        shape = (size + TILE, like.high.shape[1])
        high, low = (torch.zeros(shape, dtype=torch.float16, device=self.device) for _ in range(2))
        return Halves(high, low, like.exponents)
