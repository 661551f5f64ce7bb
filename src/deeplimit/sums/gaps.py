"""Gaps of many pairs of rows, tile by tile in bounded memory, each as good as computed alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from deeplimit.sums.lift import SMALLEST_GAP, Lift, Rows
from deeplimit.sums.scaling import float_rows

__all__ = ["ANTIPODE", "BLOCK_BYTES", "GapTiles", "gap_blocks"]

BLOCK_BYTES = 64 * 2**20
# Arrays of the size of a tile that live at once while a tile is turned into sums.
_TEMPORARIES = 8
# Tiles beyond this many entries leave the processor's cache and run at half the speed.
_ENTRIES = 2**19
_WIDTH = 2048
_HEIGHT = 256
# Up to this many coordinates differences cost no more than the products of matrices and a check.
_DIFFERENCE_COLUMNS = 16
# A rounded coordinate leaves a gap of this size, relative to the squares, an error of 3e-14.
_NEAR = 1e-4
# |a|²/2 + |b|²/2 - a·b has lost 7 bits when it has come down to this part of the squares.
_CANCELLED = 2.0**-7
# Where so many pairs of a tile need more care, the whole tile is cheaper by differences.
_CROWDED = 1 / 16
# Beyond it a kernel may be singular, and few digits are left: engines must round them alike.
_OPPOSITE = 2.0 - 2.0**-12
#: Gaps of the sphere are known to a few units in the last place of 2.
ANTIPODE = 2.0 - 2.0**-49
# Below it squares of differences have lost digits to underflow.
_UNDERFLOW = SMALLEST_GAP / np.finfo(np.float64).eps


@dataclass(frozen=True, eq=False)
class _Points:
    """Rows, their images relative to an origin, and half the squared norms of these."""

    rows: Rows
    images: Rows
    halves: Rows

    def __getitem__(self, part: slice) -> _Points:
        return _Points(self.rows[part], self.images[part], self.halves[part])


class GapTiles:
    """Gaps between queries and fixed examples.

    A gap comes from the difference of the images while these have up to 16 coordinates, and from
    the product of centred matrices beyond. Each pair for which the one or the other would lose
    more than 7 bits is computed again by `Lift.gap`. The shape of the tiles depends on the
    numbers of rows only, so that results do not depend on the number of threads.

    Parameters
    ----------
    Z : array-like of shape (n, d)
        Examples.
    lift : Lift
        Fitted lift.
    block_bytes : int, default=64 MiB
        Bound of the memory for temporary arrays of one tile.

    Raises
    ------
    ValueError
        If `block_bytes` is not positive, or a row has no image under the lift.

    Examples
    --------
    >>> from deeplimit.sums import GapTiles, fit_lift
    >>> Z = [[0.0], [3.0], [4.0]]
    >>> tiles = GapTiles(Z, fit_lift(Z, "euclidean"))
    >>> [(columns, gaps.tolist()) for columns, gaps in tiles.of([[3.0]])]
    [(slice(0, 3, None), [[4.5, 0.0, 0.5]])]
    """

    def __init__(self, Z: ArrayLike, lift: Lift, *, block_bytes: int = BLOCK_BYTES) -> None:
        if block_bytes < 1:
            raise ValueError(f"block_bytes must be positive, {block_bytes} was got")
        self.lift = lift
        self.block_bytes = block_bytes
        rows = float_rows(Z)
        images = lift.transform(rows)
        self._by_differences = images.shape[1] <= _DIFFERENCE_COLUMNS
        self._origin = np.zeros(images.shape[1])
        if not self._by_differences and len(rows):
            self._origin = np.mean(images, axis=0)
        self._examples = self._centred(rows, images)

    def __len__(self) -> int:
        return len(self._examples.rows)

    def _centred(self, rows: Rows, images: Rows) -> _Points:
        if self._by_differences:
            return _Points(rows, images, np.zeros(len(rows)))
        images = images - self._origin
        return _Points(rows, images, np.einsum("ij,ij->i", images, images) / 2.0)

    def _entries(self) -> int:
        return max(1, min(_ENTRIES, self.block_bytes // (8 * _TEMPORARIES)))

    def row_blocks(self, m: int) -> list[slice]:
        """Cut m queries into blocks of rows, several of them so that threads have work.

        Parameters
        ----------
        m : int
            Number of queries.

        Returns
        -------
        list of slice
            Consecutive blocks.

        Examples
        --------
        >>> from deeplimit.sums import GapTiles, fit_lift
        >>> GapTiles([[0.0]], fit_lift([[0.0]])).row_blocks(20)
        [slice(0, 16, None), slice(16, 20, None)]
        """
        width = max(1, min(len(self), _WIDTH))
        height = max(1, min(self._entries() // width, _HEIGHT, max(16, -(-m // 8))))
        return [slice(start, min(start + height, m)) for start in range(0, m, height)]

    def of(self, X: ArrayLike) -> Iterator[tuple[slice, Rows]]:
        """Give the gaps of one block of queries to all examples, tile by tile.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Queries, one block of `row_blocks`.

        Yields
        ------
        columns : slice
            Which examples.
        gaps : ndarray of shape (m, number of columns)
            The gaps to them; the array is the caller's.

        Examples
        --------
        >>> from deeplimit.sums import GapTiles, fit_lift
        >>> tiles = GapTiles([[0.0], [4.0]], fit_lift([[0.0]], "euclidean"))
        >>> [gaps.tolist() for _, gaps in tiles.of([[0.0], [2.0]])]
        [[[0.0, 8.0], [2.0, 2.0]]]
        """
        rows = float_rows(X)
        queries = self._centred(rows, self.lift.transform(rows))
        width = max(1, self._entries() // max(1, len(rows)))
        for start in range(0, len(self), width):
            columns = slice(start, min(start + width, len(self)))
            yield columns, self._tile(queries, self._examples[columns])

    def _tile(self, x: _Points, z: _Points) -> Rows:
        if self._by_differences:
            gaps = cdist(x.images, z.images, "sqeuclidean")
            gaps /= 2.0
            near = gaps < (_UNDERFLOW if self.lift.exact else _NEAR)
        else:
            gaps, near = self._products(x, z)
        if self.lift.on_sphere:
            near |= gaps > _OPPOSITE
        self._refine(gaps, near, x.rows, z.rows)
        if self.lift.on_sphere:
            antipodal = gaps >= ANTIPODE
            if antipodal.any():
                gaps[antipodal] = 2.0
        return np.asarray(gaps)

    def _products(self, x: _Points, z: _Points) -> tuple[Rows, NDArray[np.bool_]]:
        squares = np.add.outer(x.halves, z.halves)
        gaps = squares - x.images @ z.images.T
        # An image that was rounded is off by an ulp of its norm 1, however near the origin is.
        unit = 0.0 if self.lift.exact else 1.0
        near = gaps < np.maximum(_CANCELLED * squares, _NEAR * unit)
        if np.count_nonzero(near) > _CROWDED * near.size:
            gaps = cdist(x.images, z.images, "sqeuclidean")
            gaps /= 2.0
            near = gaps < np.maximum(_NEAR * np.maximum(squares, unit), _UNDERFLOW)
        return gaps, near

    def _refine(self, gaps: Rows, near: NDArray[np.bool_], X: Rows, Z: Rows) -> None:
        if not near.any():
            return
        pairs = np.flatnonzero(near)
        # Some ten arrays of the size of the rows are alive within Lift.gap.
        step = max(1, self.block_bytes // (80 * X.shape[1]))
        flat = gaps.reshape(-1)
        for start in range(0, len(pairs), step):
            part = pairs[start : start + step]
            i, j = np.divmod(part, gaps.shape[1])
            flat[part] = self.lift.gap(X[i], Z[j])


def gap_blocks(
    X: ArrayLike, Z: ArrayLike, lift: Lift, *, block_bytes: int = BLOCK_BYTES
) -> Iterator[tuple[slice, slice, Rows]]:
    """Give the gaps of all pairs of rows, block by block in bounded memory.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Queries.
    Z : array-like of shape (n, d)
        Examples.
    lift : Lift
        Fitted lift; `EuclideanLift` gives half the squared distances.
    block_bytes : int, default=64 MiB
        Bound of the memory for temporary arrays of one tile.

    Yields
    ------
    rows, columns : slice
        Which queries and which examples.
    gaps : ndarray
        Their gaps s = 1 - ξ, at most 2 on the sphere. Zero exactly for equal rows and no others
        (with "normalize": equal directions). A gap within 2^-49 of 2 is 2: antipodes.

    Raises
    ------
    ValueError
        If `block_bytes` is not positive, or a row has no image under the lift.

    Examples
    --------
    >>> from deeplimit.sums import fit_lift, gap_blocks
    >>> X = [[1.0, 0.0], [0.0, 1.0]]
    >>> for rows, columns, gaps in gap_blocks(X, X, fit_lift(X)):
    ...     print(rows, columns, gaps.tolist())
    slice(0, 2, None) slice(0, 2, None) [[0.0, 1.0], [1.0, 0.0]]
    """
    tiles = GapTiles(Z, lift, block_bytes=block_bytes)
    queries = float_rows(X)
    for rows in tiles.row_blocks(len(queries)):
        for columns, gaps in tiles.of(queries[rows]):
            yield rows, columns, gaps
