"""Sums over chunks of examples by whole operations of torch: the oracle of the fused kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require
from deeplimit.engines.precision import Arithmetic, Thresholds

if TYPE_CHECKING:
    from torch import Tensor

    from deeplimit.engines.halves import Halves

__all__ = ["Chunks", "Table", "Terms", "chunk_terms", "pytorch"]

# Squared distances that are held at once.
_ENTRIES = 2**21


def pytorch() -> Any:
    """Import torch, or say how to install it.

    Returns
    -------
    module
        The library.
    """
    return require("torch", extra="graphics", purpose="the graphics engine")


@dataclass(frozen=True, eq=False)
class Table:
    """The factor P of K(s) = (2s)^(-α/2) P(s), on a device, at most 1 in size.

    Parameters
    ----------
    coefficients : torch.Tensor of shape (2 * rows, degree + 1)
        Piecewise polynomials: of t = s up to the equator, then of t = 2 - s.
    bits : int
        2^bits pieces an octave.
    low : int
        The pieces start at t = 2^low.
    """

    coefficients: Tensor
    bits: int
    low: int


@dataclass(frozen=True, eq=False)
class Chunks:
    """Examples on a device and what is to be summed over them.

    Parameters
    ----------
    examples : torch.Tensor of shape (N, D), or Halves of as many rows and more
        Centred and scaled images, in any order of memory; zero where there is no example. Halves
        have an exponent for each chunk.
    norms : torch.Tensor of shape (N,)
        Their squared norms; inf where there is no example, or one that is absent.
    weights : torch.Tensor of shape (N + TILE,)
        Weights; 0 where there is no example.
    alike : bool
        Whether all weights are the same.
    tops : torch.Tensor of shape (N / TILE,)
        A bound of the finite norms of each tile, which ascend within a chunk.
    starts, stops : ndarray of int64, shape (c,)
        The chunks.
    arithmetic : Arithmetic
        How squared distances are computed.
    thresholds : Thresholds
        Which pairs are refined.
    exponent : float
        The exponent α.
    table : Table or None
        The factor P; None for 1.
    gap_unit : float
        The gap of two points at a squared distance of 1.
    """

    examples: Tensor | Halves
    norms: Tensor
    weights: Tensor
    alike: bool
    tops: Tensor
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    arithmetic: Arithmetic
    thresholds: Thresholds
    exponent: float
    table: Table | None
    gap_unit: float


@dataclass(frozen=True, eq=False)
class Terms:
    """Sums over each chunk, relative to one of its pairs, and the pairs left out of them.

    Parameters
    ----------
    units : torch.Tensor of float64, shape (c, m)
        Squared distance u₀ of a pair that was summed; inf where nothing was.
    positive, negative : torch.Tensor of float64, shape (c, m)
        Sums of w P (u₀/u)^(α/2), by the sign of P.
    rows, places : ndarray of int64, shape (p,)
        Query and example of each pair to be refined, in any order.
    count : int
        Number of pairs to be refined. Where it exceeds what was allowed, all else is void.
    """

    units: Tensor
    positive: Tensor
    negative: Tensor
    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    count: int


def chunk_terms(
    chunks: Chunks, queries: Tensor, norms: Tensor, skip: Tensor | None, capacity: int
) -> Terms:
    """Sum the terms of each chunk for each query.

    Parameters
    ----------
    chunks : Chunks
        Examples and kernel.
    queries : torch.Tensor of shape (m, D)
        Images of the queries, centred and scaled like the examples.
    norms : torch.Tensor of shape (m,)
        Their squared norms; inf for a query that is left out.
    skip : torch.Tensor of int32, shape (m,), or None
        Place of the example that each query must not see; -1 for none.
    capacity : int
        How many pairs may be refined.

    Returns
    -------
    Terms
        The sums.
    """
    torch = pytorch()
    m, device = len(queries), queries.device
    shape = (chunks.starts.size, m)
    units = torch.full(shape, math.inf, dtype=torch.float64, device=device)
    positive, negative = (torch.zeros_like(units) for _ in range(2))
    rows: list[Tensor] = []
    places: list[Tensor] = []
    count = 0
    for c, (start, stop) in enumerate(zip(chunks.starts, chunks.stops, strict=True)):
        step = max(1, _ENTRIES // int(stop - start))
        for first in range(0, m, step):
            part = slice(first, first + step)
            omitted = None if skip is None else skip[part] - int(start)
            distances, near = _distances(
                chunks, queries[part], norms[part], omitted, slice(int(start), int(stop))
            )
            if near is not None:
                count += len(near)
                if count > capacity:
                    return Terms(units, positive, negative, *_pairs(rows, places), count)
                rows.append(near[:, 0] + first)
                places.append(near[:, 1] + int(start))
            terms, least = _ratios(chunks, distances, slice(int(start), int(stop)))
            units[c, part] = least
            positive[c, part] = torch.clamp(terms, min=0.0).sum(dim=1)
            if chunks.table is not None:
                negative[c, part] = torch.clamp(-terms, min=0.0).sum(dim=1)
    return Terms(units, positive, negative, *_pairs(rows, places), count)


def _pairs(rows: list[Tensor], places: list[Tensor]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    torch = pytorch()
    none = torch.zeros(0, dtype=torch.int64)
    queries, examples = (
        torch.cat([none, *(part.cpu() for part in parts)]) for parts in (rows, places)
    )
    return queries.numpy(), examples.numpy()


def _distances(
    chunks: Chunks, queries: Tensor, norms: Tensor, omitted: Tensor | None, part: slice
) -> tuple[Tensor, Tensor | None]:
    """Give squared distances, inf where there is no term, and the pairs to be refined."""
    torch = pytorch()
    examples = cast("Tensor", chunks.examples)[part]
    squares = norms[:, None] + chunks.norms[None, part]
    if chunks.arithmetic.differences:
        u = torch.where(torch.isinf(squares), squares, 0.0)
        for k in range(queries.shape[1]):
            difference = queries[:, k, None] - examples[None, :, k]
            u += difference * difference
    else:
        u = squares - 2.0 * (queries @ examples.T)
    if omitted is not None:
        here = torch.nonzero((omitted >= 0) & (omitted < len(examples)))[:, 0]
        u[here, omitted[here].long()] = math.inf
    relative, absolute, far = chunks.thresholds[:3]
    near = u < relative * squares + absolute
    if chunks.table is not None:
        near |= (2.0 - u * chunks.gap_unit < far) & (u < math.inf)
    if not near.any():
        return u, None
    u[near] = math.inf
    return u, torch.nonzero(near)


def _ratios(chunks: Chunks, u: Tensor, part: slice) -> tuple[Tensor, Tensor]:
    """Give the terms relative to that of the smallest distance, and this distance."""
    torch = pytorch()
    least = u.min(dim=1).values
    unit = torch.where(torch.isinf(least), 1.0, least)
    ratios = u * torch.reciprocal(unit)[:, None]
    terms = torch.where(torch.isinf(u), 0.0, torch.pow(ratios, -chunks.exponent / 2.0))
    if chunks.table is not None:
        terms = terms * _profile(chunks.table, u * chunks.gap_unit)
    return terms * chunks.weights[None, part], least


def _profile(table: Table, gaps: Tensor) -> Tensor:
    """Look up P: the exponent and the first bits of t are the piece, the rest its coordinate."""
    torch = pytorch()
    double = gaps.dtype == torch.float64
    integer, fraction, bias = (torch.int64, 52, 1023) if double else (torch.int32, 23, 127)
    rows = len(table.coefficients) // 2
    far = gaps > 1.0
    t = torch.where(far, 2.0 - gaps, gaps)
    word = t.view(integer)
    rest = fraction - table.bits
    piece = (word >> rest) - ((bias + table.low) << table.bits)
    piece = piece.clamp(0, rows - 1) + torch.where(far, rows, 0)
    v = (word & ((1 << rest) - 1)).to(gaps.dtype) * 2.0**-rest
    coefficients = table.coefficients[piece.long()]
    value = coefficients[..., -1]
    for k in range(coefficients.shape[-1] - 2, -1, -1):
        value = value * v + coefficients[..., k]
    return value
