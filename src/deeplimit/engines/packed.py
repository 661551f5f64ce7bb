"""Examples laid out for the compiled loops: centred, scaled, sorted by class, in blocks."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deeplimit.sums.lift import Lift
from deeplimit.sums.sphere import EuclideanLift

__all__ = [
    "BLOCK_SIZES",
    "NOWHERE",
    "PANEL_BYTES",
    "TILE",
    "Packed",
    "Precision",
    "aligned",
    "laid_out",
    "pack",
    "tiles_of",
]

Floats = NDArray[np.float64]
Precision = Literal["single", "double"]

#: Examples of a block: the squared distances of a tile and three coordinates then fit into the
#: first cache, and a loop over them is long enough. By measurement.
BLOCK_SIZES: dict[Precision, int] = {"single": 512, "double": 256}
#: Bytes of a coordinate that are read together.
PANEL_BYTES = 256
#: Queries that share the loads of a block's coordinates.
TILE = 8
_DTYPES: dict[str, Any] = {"single": np.float32, "double": np.float64}
#: Where a slot that holds no example is: far from all, but with a square that overflows nowhere.
NOWHERE = 1e15
_CHUNK = 2**14
# Rows farther out than this, in units of what is typical, ask for other units.
_OUTLIER = 1e6
# Rows whose median is the middle of all.
_SAMPLE = 1024


@dataclass(frozen=True, eq=False)
class Packed:
    """Blocks of B examples, coordinates first, and how to bring queries to the same frame.

    Images are moved by `centre`, so that the offset of the data costs no digits, and divided by
    2^exponent, so that no square overflows; both are exact up to the one rounding to the precision.

    Parameters
    ----------
    lift : Lift
        Gives the images.
    x : ndarray of shape (b, B/P, D, P)
        Coordinates of the blocks in panels of P examples, 256 bytes of each coordinate: the loops
        read a panel from its beginning to its end. B is 512 in single and 256 in double precision.
    w, norms : ndarray of shape (b, B)
        Weights, 0 where there is no example, and norms.
    largest : ndarray of shape (b,)
        Largest norm of each block.
    runs : ndarray of int64, shape (n_runs, 3)
        Class, start and stop of each run of one class within a block.
    first_run : ndarray of int64, shape (b + 1,)
        Where the runs of each block begin.
    order : ndarray of int64, shape (n,)
        Example at each place.
    place : ndarray of int64, shape (n_examples,)
        Place of each example, -1 for those of no weight.
    centre : ndarray of shape (D,)
    exponent : int
    """

    lift: Lift
    x: NDArray[Any]
    w: NDArray[Any]
    norms: NDArray[Any]
    largest: NDArray[Any]
    runs: NDArray[np.int64]
    first_run: NDArray[np.int64]
    order: NDArray[np.int64]
    place: NDArray[np.int64]
    centre: Floats
    exponent: int

    def frame(self, Q: Floats) -> Floats:
        """Give queries in the frame of the examples, in float64."""
        return np.asarray((self.lift.transform(Q) - self.centre) * 2.0**-self.exponent)

    def cut(self, blocks: slice) -> tuple[Any, ...]:
        """Give some of the blocks, as the loops take them."""
        return (
            self.x[blocks], self.w[blocks], self.norms[blocks], self.largest[blocks],
            self.runs, self.first_run[blocks.start : blocks.stop + 1], blocks.start,
        )  # fmt: skip

    def remove(self, examples: NDArray[np.int64]) -> None:
        """Let examples weigh nothing from now on, and forget where they were."""
        places = self.place[examples]
        b, j = np.divmod(places[places >= 0], self.w.shape[1])
        panel, lane = np.divmod(j, self.x.shape[3])
        self.w[b, j] = 0
        self.x[b, panel, :, lane] = NOWHERE
        self.norms[b, j] = 0


def pack(
    lift: Lift,
    X: NDArray[Any],
    index: NDArray[np.int64],
    weight: Floats | None,
    precision: Precision,
    *,
    exponent: int | None = None,
) -> Packed:
    """Lay out examples for the compiled loops.

    Parameters
    ----------
    lift : Lift
        Fitted lift.
    X : ndarray of shape (n, d)
        Examples, float64 or float32.
    index : ndarray of int64, shape (n,)
        Class of each.
    weight : ndarray of shape (n,) or None
        Weights; those of weight 0 are left out.
    precision : {"single", "double"}
        float32 or float64.
    exponent : int, optional
        Power of two that coordinates are divided by; from some of the rows if not given.

    Returns
    -------
    Packed

    Raises
    ------
    ValueError
        If a row is not finite.
    """
    dtype = _DTYPES[precision]
    size = BLOCK_SIZES[precision]
    present = np.arange(len(X)) if weight is None else np.flatnonzero(weight > 0)
    # Short integers are sorted by their digits, in a few passes.
    label = index.astype(np.int16) if index.max(initial=0) < 2**15 else index
    order = present[np.argsort(label[present], kind="stable")]
    place = np.full(len(X), -1, dtype=np.int64)
    place[order] = np.arange(order.size)
    again = exponent is not None
    centre, typical = _frame(lift, X, order)
    exponent = typical if exponent is None else exponent
    blocks = -(-order.size // size)
    panel = PANEL_BYTES // np.dtype(dtype).itemsize
    x = aligned((blocks, size // panel, centre.size, panel), dtype)
    x[order.size // size :] = NOWHERE  # all others are written below
    w, norms = np.zeros((blocks, size), dtype=dtype), np.zeros((blocks, size), dtype=dtype)
    w.reshape(-1)[: order.size] = 1.0 if weight is None else weight[order]
    loops: Any = importlib.import_module("deeplimit.engines.layout_loops")
    factor = 2.0**-exponent
    if isinstance(lift, EuclideanLift) and max(abs(lift.exponent), abs(exponent)) < 400:
        # The images are the rows in other units: no copy of them is needed.
        unit = 2.0**lift.exponent
        loops.lay_out(X, order, centre * unit, factor / unit, x, norms)
    else:
        # Whole blocks of images at a time, so that their memory is bounded.
        for b in range(0, blocks, _CHUNK // size):
            images = lift.transform(X[order[b * size : b * size + _CHUNK]])
            part = slice(b, b + _CHUNK // size)
            loops.lay_out(images, np.arange(len(images)), centre, factor, x[part], norms[part])
    largest = norms.max(axis=1) if blocks else norms[:, 0]
    if not np.max(largest, initial=0.0) < _OUTLIER and not lift.on_sphere and not again:
        # Some rows are so far out that their squares might overflow.
        return pack(lift, X, index, weight, precision, exponent=_reach(lift, X, centre))
    if not np.isfinite(largest).all():
        raise ValueError("examples must be finite: drop rows with NaN or infinity")
    runs, first_run = _runs(index[order], size)
    return Packed(lift, x, w, norms, largest, runs, first_run, order, place, centre, exponent)


def laid_out(X: Floats, order: NDArray[np.int64]) -> Floats:
    """Lay out rows as they are, in double precision.

    Parameters
    ----------
    X : ndarray of shape (n, D)
        Rows.
    order : ndarray of int64, shape (n,)
        Row at each place.

    Returns
    -------
    ndarray of shape (ceil(n / P), D, P)
        Coordinates in panels of P = 32; slots beyond the last row are far from all.
    """
    panel = PANEL_BYTES // 8
    count = -(-order.size // panel)
    x: Floats = aligned((count, X.shape[1], panel), np.float64)
    x[order.size // panel :] = NOWHERE  # all others are written below
    loops: Any = importlib.import_module("deeplimit.engines.layout_loops")
    loops.lay_out(X, order, np.zeros(X.shape[1]), 1.0, x[:, None], np.empty((count, panel)))
    return x


def tiles_of(Q: Floats) -> Floats:
    """Bring queries into tiles, as the loops take them.

    Parameters
    ----------
    Q : ndarray of shape (m, D)
        Queries.

    Returns
    -------
    ndarray of shape (ceil(m / 8), D, 8)
        The last tile is filled up by zeros.
    """
    whole = np.zeros((-(-len(Q) // TILE) * TILE, Q.shape[1]))
    whole[: len(Q)] = Q
    return np.ascontiguousarray(whole.reshape(-1, TILE, Q.shape[1]).transpose(0, 2, 1))


def aligned(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Give an array that begins with a line of the cache, so that no vector straddles two.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    dtype : data-type
        Type of its numbers.

    Returns
    -------
    ndarray
        What is in it is not defined.
    """
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room: NDArray[Any] = np.empty(count + 64, dtype=np.uint8)
    start = -room.ctypes.data % 64
    return np.asarray(room[start : start + count].view(dtype).reshape(shape))


def _frame(lift: Lift, X: NDArray[Any], order: NDArray[np.int64]) -> tuple[Floats, int]:
    """Give a middle of the images, and the exponent that brings most coordinates below 1."""
    if not order.size:
        # A unit vector has an image under any lift.
        return np.zeros(lift.transform(np.eye(1, lift.n_features)).shape[1]), 0
    some = lift.transform(X[order[:: max(1, order.size // _SAMPLE)]])
    # The median of some rows, not the mean: an outlier must not draw it away from all the others.
    centre = np.sort(some, axis=0)[len(some) // 2]
    if lift.on_sphere:
        return centre, 0
    reach = float(np.max(np.abs(some - centre), initial=0.0))
    return centre, int(np.frexp(reach)[1]) if reach > 0 else 0


def _reach(lift: Lift, X: NDArray[Any], centre: Floats) -> int:
    """Give the exponent that brings all coordinates below 1."""
    ends = lift.transform(np.stack((X.min(axis=0), X.max(axis=0))))
    return int(np.frexp(np.max(np.abs(ends - centre)))[1])


def _runs(index: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut an ascending index into runs of one class, none of which leaves its block."""
    if not index.size:
        return np.zeros((0, 3), dtype=np.int64), np.zeros(1, dtype=np.int64)
    # The bounds of blocks and of classes, each once: far fewer than there are examples.
    last = int(index[-1])
    classes = np.searchsorted(index, np.arange(last + 1))
    starts = np.unique(np.concatenate([np.arange(0, index.size, size), classes]))
    starts = starts[starts < index.size]
    stops = np.append(starts[1:], index.size)
    runs = np.stack((index[starts], starts % size, (stops - 1) % size + 1), axis=1)
    first = np.searchsorted(starts // size, np.arange(-(-index.size // size) + 1))
    return runs.astype(np.int64), first.astype(np.int64)
