"""The course of orbits through the layers: where each is going, and when it has arrived."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from deeplimit.duals.base import Array, Dual
from deeplimit.evidence.orbits import Orbits

#: Relative change of a per-layer ratio, per unit of its distance from 1, at which it has settled.
_STEADY = 1e-8
#: Distance still to go, relative to that from 0 and from 1, at which an inner point is reached.
_ARRIVED = 1e-6
#: Logarithm of a correlation below which a super-exponential decay is not followed further.
_ABYSS = -1e5
_DEEPEST = -1e300
#: Up to this depth arrivals are looked for in each layer, then once in so many.
_WATCHED, _BEAT = 64, 8
_EPS = float(np.finfo(np.float64).eps)

#: Starts at which a ratio is measured, rather than a fate: next to 1 and next to 0. A singularity
#: as weak as the power 1 + 1/100 of the gap still shows its slope at one there.
NEAR_ONE = (2.0**-960, 2.0**-640, 2.0**-320)
NEAR_ZERO = 1.0 - 2.0**-30
#: Up to this gap the growth of the nearest start counts as growth next to 1.
_STILL_NEAR = 2.0**-925


class Fate(IntEnum):
    """Where an orbit is going."""

    MOVING = 0
    ZERO = 1
    PLUNGE = 2
    ONE = 3
    INNER = 4
    STILL = 5


@dataclass(frozen=True)
class Snapshot:
    """All orbits at one depth: correlations, the logarithms of their sizes and of their gaps."""

    depth: int
    xi: Array
    log_xi: Array
    log_gap: Array


class Course:
    """Orbits with the record of their way.

    An orbit that has settled is not moved further: its later values follow from the ratio with
    which it settled.

    Parameters
    ----------
    dual : Dual
        The map.
    gaps : ndarray of shape (p,)
        Where to start, ascending; 1 (orthogonal inputs) and `NEAR_ONE` are among them.

    Attributes
    ----------
    start, first : ndarray of shape (p,)
        Gaps at depth 0 and 1.
    depth : int
        Layers so far.
    fate : ndarray of int, shape (p,)
        A `Fate` for each orbit.
    log_ratio : ndarray of shape (p,)
        Logarithm of the factor by which the distance from the limit (for a plunge, the logarithm
        of the correlation) changes in a layer; NaN for an orbit that has not settled.
    limit_gap, limit_xi : ndarray of shape (p,)
        The inner point an orbit goes to, as gap and as correlation.
    samples : ndarray of shape (2, p, 2)
        The last two pairs of ln ξ before a layer and its change in it, for small positive ξ.
    growth : (int, float)
        Number of layers through which the nearest start stayed next to 1, and its gap then.
    records : list of Snapshot
        What `record` has kept.
    """

    def __init__(self, dual: Dual, gaps: Array) -> None:
        self.orbits = Orbits(dual, gaps)
        self.start = self.orbits.gap.copy()
        self.first = self.start
        self.depth = 0
        p = self.start.size
        self.fate: NDArray[np.int8] = np.zeros(p, dtype=np.int8)
        self.log_ratio = np.full(p, np.nan)
        self.limit_gap, self.limit_xi = np.full(p, np.nan), np.full(p, np.nan)
        self.samples = np.full((2, p, 2), np.nan)
        self.growth = (0, float(self.start[self.index(NEAR_ONE[0])]))
        self.records: list[Snapshot] = []
        self._settled_at = np.zeros(p, dtype=np.int64)
        self._change = np.full(p, np.nan)
        self._ratio_xi, self._ratio_gap = np.full(p, np.nan), np.full(p, np.nan)
        self.record()

    def index(self, gap: float) -> int:
        """Give the place of a start."""
        return int(np.flatnonzero(self.start == gap)[0])

    @property
    def origin_stays(self) -> bool:
        """Whether orthogonal inputs have stayed orthogonal, exactly."""
        origin = self.index(1.0)
        return bool(self.orbits.xi[origin] == 0.0 and not self.orbits.tiny[origin])

    @property
    def generic(self) -> NDArray[np.bool_]:
        """Starts whose fate matters: neither almost equal nor antipodal, nor fixed by symmetry."""
        chosen = (self.start > 1e-7) & (self.start < 2.0)
        chosen[self.index(1.0)] = not self.origin_stays
        return chosen

    def step(self) -> None:
        """Add a layer."""
        o, depth = self.orbits, self.depth + 1
        # Deep down, arrivals are looked for now and then; each look compares two layers.
        beat = depth % _BEAT if depth > _WATCHED else 0
        if beat not in (0, _BEAT - 1):
            o.advance(self.fate == Fate.MOVING)
            self.depth = depth
            return
        moving = self.fate == Fate.MOVING
        before = Snapshot(self.depth, o.xi.copy(), o.log_xi.copy(), o.log_gap)
        gap, seen = o.gap.copy(), ~o.tiny
        o.advance(moving)
        self.depth = depth
        if depth == 1:
            self.first = o.gap.copy()
        if o.gap[nearest := self.index(NEAR_ONE[0])] <= _STILL_NEAR and moving[nearest]:
            self.growth = (depth, float(o.gap[nearest]))
        seen &= moving & (before.xi > 0) & (before.xi < 0.5) & (o.sign > 0)
        self.samples[0, seen] = self.samples[1, seen]
        # The ratio from the values: a difference of logarithms would lose what is next to 1.
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(o.tiny, o.log_xi - before.log_xi, np.log(np.abs(o.xi / before.xi)))
        self.samples[1, seen] = np.column_stack((before.log_xi, ratio))[seen]
        self._settle(moving, before, gap, arrive=beat == 0)

    def _settle(
        self, moving: NDArray[np.bool_], before: Snapshot, gap: Array, *, arrive: bool
    ) -> None:
        """Find the orbits that have arrived, from the changes in this layer and the last."""
        o = self.orbits
        xi, log_xi, log_gap = before.xi, before.log_xi, before.log_gap
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            ratio_xi, ratio_gap = o.log_xi - log_xi, o.log_gap - log_gap
            high = (xi >= 0.25) & (o.xi >= 0.25)
            change = np.where(high, gap - o.gap, o.xi - xi)
            if not arrive:
                self._change, self._ratio_xi, self._ratio_gap = change, ratio_xi, ratio_gap
                return
            quotient = change / self._change
            left = np.abs(change) * quotient / (1.0 - quotient)
            room = np.minimum(o.xi, o.gap)
            steady_xi = np.abs(ratio_xi - self._ratio_xi) <= _tolerance(ratio_xi)
            steady_gap = np.abs(ratio_gap - self._ratio_gap) <= _tolerance(ratio_gap)
            factor = o.log_xi / log_xi
        zero = steady_xi & (ratio_xi < 0) & (o.log_xi < np.log(1e-3)) & self.origin_stays
        one = steady_gap & (ratio_gap < 0) & (o.gap < 1e-6)
        gone = o.gap == 0.0
        plunge = (o.log_xi < _ABYSS) & ~zero & (o.log_xi > -np.inf)
        inner = (quotient > 0) & (quotient < 1) & (left <= _ARRIVED * room) & (room > 0)
        stalled = (np.abs(change) <= 8 * _EPS * room) & (room > 0)
        still = (np.abs(o.gap - gap) <= 4 * _EPS * gap) & (
            np.abs(o.xi - xi) <= 4 * _EPS * np.abs(xi)
        )
        self._arrive(moving & zero, Fate.ZERO, ratio_xi)
        self._arrive(moving & plunge, Fate.PLUNGE, np.log(np.maximum(factor, 1.0)))
        self._arrive(moving & (one | gone), Fate.ONE, np.where(gone, -np.inf, ratio_gap))
        if self.depth == 1:
            self._arrive(moving & still, Fate.STILL, np.zeros(xi.shape))
        with np.errstate(invalid="ignore", divide="ignore"):
            log_quotient = np.where(quotient > 0, np.log(np.abs(quotient)), -np.inf)
        sign = np.sign(change)
        self.limit_gap = np.where(inner, o.gap - sign * left, self.limit_gap)
        self.limit_xi = np.where(inner, o.xi + sign * left, self.limit_xi)
        self._arrive(moving & inner, Fate.INNER, log_quotient)
        for limit, now in ((self.limit_gap, o.gap), (self.limit_xi, o.xi)):
            at = moving & (stalled | still) & np.isnan(limit)
            limit[at] = now[at]
        self._arrive(moving & stalled, Fate.INNER, np.full(xi.shape, -np.inf))
        self._change, self._ratio_xi, self._ratio_gap = change, ratio_xi, ratio_gap

    def _arrive(self, at: NDArray[np.bool_], fate: Fate, log_ratio: Array) -> None:
        at = at & (self.fate == Fate.MOVING)
        self.fate[at] = fate
        self.log_ratio[at] = log_ratio[at]
        self._settled_at[at] = self.depth

    def arrived(self) -> bool:
        """Whether every start whose fate matters has met it."""
        return self.depth > 0 and not np.any(self.generic & (self.fate == Fate.MOVING))

    def record(self) -> None:
        """Keep where all orbits are, those that have settled being continued."""
        if self.records and self.records[-1].depth == self.depth:
            return
        o, fate = self.orbits, self.fate
        xi, log_xi, log_gap = o.xi.copy(), o.log_xi.copy(), o.log_gap.copy()
        n = (self.depth - self._settled_at).astype(np.float64)
        later = n > 0
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            advance = n * self.log_ratio
            at = later & (fate == Fate.ZERO)
            log_xi[at] += advance[at]
            xi[at] = o.sign[at] * np.exp(log_xi[at])
            log_gap[at] = np.log1p(-xi[at])
            at = later & (fate == Fate.PLUNGE)
            log_xi[at] = np.maximum(log_xi[at] * np.exp(advance[at]), _DEEPEST)
            at = later & (fate == Fate.ONE)
            log_gap[at] += advance[at]
            xi[at] = -np.expm1(log_gap[at])
            log_xi[at] = np.log1p(-np.exp(log_gap[at]))
            at = later & (fate == Fate.INNER)
            shrunk = np.exp(advance[at])
            xi[at] = self.limit_xi[at] + (o.xi[at] - self.limit_xi[at]) * shrunk
            gap = self.limit_gap[at] + (o.gap[at] - self.limit_gap[at]) * shrunk
            log_xi[at], log_gap[at] = np.log(np.abs(xi[at])), np.log(gap)
        self.records.append(Snapshot(self.depth, xi, log_xi, log_gap))


def _tolerance(log_ratio: Array) -> Array:
    size = np.abs(log_ratio)
    return np.asarray(_STEADY * size * np.minimum(size, 1.0))
