"""Functions of the gap as Chebyshev pieces in the log odds of the gap, for whoever interpolates.

A kernel is a smooth function of x = ln(s / (1 - s)) on the whole line: its singularities, at a gap
of 0 and a correlation of 0, lie at the two ends. So one row of panels in x holds it, from gaps of
1e-16 to correlations of 1e-8; beyond, it is continued along its slope, as powers are. Ratios of a
kernel at opposite correlations begin at 1e-9, since a gap next to 2 is known no better.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev as C
from numpy.typing import NDArray

from deeplimit.duals.pieces import chebyshev_matrix, chebyshev_nodes

__all__ = [
    "FAR",
    "HIGH",
    "LOW",
    "NODES",
    "PANELS",
    "Fitted",
    "Pieces",
    "fit_pieces",
    "log_odds",
]

Floats = NDArray[np.float64]

#: Range of the log odds: gaps from 1e-16, correlations down to 1e-8.
LOW, HIGH = math.log(1e-16), -math.log(1e-8)
#: Where ratios of opposite correlations begin.
FAR = math.log(1e-9)
#: The finest panels, and the Chebyshev nodes of each.
PANELS, NODES = 64, 16
#: Error, relative to the larger of 1 and the value, up to which two panels are made one.
TOLERANCE = 2e-12

_PROBES = 193
_MATRIX = chebyshev_matrix(NODES)


def log_odds(s: Floats) -> Floats:
    """Give ln(s / (1 - s)) of gaps in (0, 1).

    Parameters
    ----------
    s : ndarray of float64
        Gaps.

    Returns
    -------
    ndarray of float64
    """
    # 1 - s is exact from 1/2 on, and loses nothing that matters below.
    return np.asarray(np.log(s) - np.log1p(-s))


def _gap(x: Floats) -> Floats:
    """Give the double nearest to the gap at log odds; above 1/2 it is 1 less the correlation."""
    return np.where(x < 0.0, 1.0 / (1.0 + np.exp(-x)), 1.0 - 1.0 / (1.0 + np.exp(x)))


def _nodes(low: float) -> Floats:
    unit = (HIGH - low) / PANELS
    middle = low + unit * (np.arange(PANELS) + 0.5)
    return np.asarray(middle[:, None] + unit / 2.0 * chebyshev_nodes(NODES))


def _probes(low: float) -> Floats:
    """Give gaps that are no nodes: dense everywhere, periodic with nothing."""
    steps: Floats = np.arange(1, _PROBES + 1, dtype=np.float64) * (math.sqrt(5.0) - 1.0) / 2.0
    part: Floats = np.asarray(steps % 1.0, dtype=np.float64)
    return _gap(low + part * (HIGH - low))


@dataclass(frozen=True, eq=False)
class Pieces:
    """A function of the log odds, panel by panel.

    Parameters
    ----------
    edges : ndarray of int64, shape (p + 1,)
        Ends of the panels in units of the finest, from 0 to `PANELS`.
    coefficients : ndarray of shape (p, NODES)
        Chebyshev coefficients of each.
    low : float
        Log odds at which the first panel begins.
    """

    edges: NDArray[np.int64]
    coefficients: Floats
    low: float = LOW

    def __call__(self, s: Floats) -> Floats:
        """Evaluate at gaps in (0, 1), as the page does.

        Parameters
        ----------
        s : ndarray of float64
            Gaps.

        Returns
        -------
        ndarray of float64
        """
        return self.at(log_odds(np.asarray(s, dtype=np.float64)))

    def at(self, x: Floats) -> Floats:
        """Evaluate at log odds, beyond the ends along the slope there.

        Parameters
        ----------
        x : ndarray of float64
            Log odds.

        Returns
        -------
        ndarray of float64
        """
        unit = (HIGH - self.low) / PANELS
        inside = np.clip(x, self.low, HIGH)
        place = np.clip((inside - self.low) / unit, 0.0, PANELS)
        p = np.clip(np.searchsorted(self.edges, place, side="right") - 1, 0, len(self.edges) - 2)
        low, high = self.edges[p], self.edges[p + 1]
        u = 2.0 * (place - low) / (high - low) - 1.0
        value = C.chebval(u, np.moveaxis(self.coefficients[p], -1, 0), tensor=False)
        for end, i, sign in ((self.low, 0, -1.0), (HIGH, -1, 1.0)):
            beyond = (x - end) * sign > 0.0
            if np.any(beyond):
                width = float(self.edges[1] if i == 0 else PANELS - self.edges[-2])
                slope = C.chebval(sign, C.chebder(self.coefficients[i])) * 2.0 / (width * unit)
                value = np.where(beyond, value + slope * (x - end), value)
        return np.asarray(value, dtype=np.float64)


class Fitted(NamedTuple):
    """Pieces, and how good they are.

    Parameters
    ----------
    pieces : Pieces
        Those fitted.
    error : float
        Largest error at gaps between the nodes, relative to the larger of 1 and the value.
    """

    pieces: Pieces
    error: float


def fit_pieces(function: Callable[[Floats], Floats], low: float = LOW) -> Fitted:
    """Fit a function of the gap on (0, 1).

    Parameters
    ----------
    function : callable
        Values at a vector of gaps; called once.
    low : float, default=LOW
        Log odds at which to begin.

    Returns
    -------
    Fitted
        Neighbouring panels are made one wherever that stays within `TOLERANCE`.

    Examples
    --------
    >>> fitted = fit_pieces(lambda s: np.log(s / (2.0 - s)))
    >>> bool(fitted.error < 1e-11), bool(len(fitted.pieces.edges) < 64)
    (True, True)
    >>> fitted.pieces(np.array([0.5])).round(9).tolist()
    [-1.098612289]
    """
    x, probes = _nodes(low), _probes(low)
    s = _gap(x)
    found = function(np.concatenate([s.ravel(), probes]))
    values, truth = found[: s.size].reshape(x.shape), found[s.size :]
    fine = np.arange(PANELS + 1)
    first = Pieces(fine, values @ _MATRIX.T, low)
    # A gap next to 1 is a rounded number, and not quite where the node is: follow the slope there.
    values = values + first.at(x) - first.at(log_odds(s))
    pieces = _merged(Pieces(fine, values @ _MATRIX.T, low))
    error = np.max(np.abs(pieces(probes) - truth) / np.maximum(1.0, np.abs(truth)))
    return Fitted(pieces, float(error))


def _merged(pieces: Pieces) -> Pieces:
    """Make two panels one, and those again, as long as the polynomial stays good enough."""
    nodes = chebyshev_nodes(NODES)
    at = {int(low): (int(low) + 1, c) for low, c in enumerate(pieces.coefficients)}
    width = 1
    while width < PANELS:
        for low in range(0, PANELS, 2 * width):
            left, right = at.get(low), at.get(low + width)
            if left is None or right is None:
                continue
            if left[0] != low + width or right[0] != low + 2 * width:
                continue
            # Chebyshev nodes of the union, in the coordinates of the half they are in.
            on_left = nodes < 0.0
            values = np.where(
                on_left,
                C.chebval(2.0 * nodes + 1.0, left[1]),
                C.chebval(2.0 * nodes - 1.0, right[1]),
            )
            c = _MATRIX @ values
            halves = np.concatenate([C.chebval(nodes, left[1]), C.chebval(nodes, right[1])])
            made = C.chebval(np.concatenate([(nodes - 1.0) / 2.0, (nodes + 1.0) / 2.0]), c)
            if np.all(np.abs(made - halves) <= TOLERANCE * np.maximum(1.0, np.abs(halves))):
                at[low] = (low + 2 * width, c)
                del at[low + width]
        width *= 2
    lows = sorted(at)
    edges = np.array([*lows, PANELS], dtype=np.int64)
    return Pieces(edges, np.array([at[low][1] for low in lows]), pieces.low)
