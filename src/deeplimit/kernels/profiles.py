"""Functions of the gap kept as tables: one logarithm and a short polynomial an entry."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev as C
from numpy.typing import NDArray

from deeplimit.duals.base import Parity
from deeplimit.duals.pieces import chebyshev_matrix, chebyshev_nodes
from deeplimit.kernels.koenigs import LogSign, fold, with_root

Array = NDArray[np.float64]

_DEGREE = 5
_NODES = 24
_WIDTH = 3.0
_SPLIT = 0.5
_RESOLVED = 6e-15
_GOAL = 2e-13
_MOST_CELLS = 16384
_MOST_PANELS = 4000


Panel = tuple[float, float, Array]
Follow = Callable[[Array, float], tuple[Array, Array]]


def _resolve(
    function: Callable[[Array], Array], left: float, right: float
) -> tuple[list[Panel], float]:
    """Halve panels until a Chebyshev interpolant resolves the function; return them and its error.

    It takes some ten times fewer evaluations than the fast table that is made from it.
    """
    nodes, matrix = chebyshev_nodes(_NODES), chebyshev_matrix(_NODES)
    panels = max(1, math.ceil((right - left) / _WIDTH))
    edges = np.linspace(left, right, panels + 1)
    lows, highs = edges[:-1], edges[1:]
    done: list[Panel] = []
    error = 0.0
    widest = (right - left) / panels
    while lows.size:
        half = (highs - lows) / 2.0
        points = lows[:, None] + half[:, None] * (1.0 + nodes)
        c = function(points.ravel()).reshape(points.shape) @ matrix.T
        tail = np.abs(c[:, -3:]).max(axis=1) / np.maximum(1.0, np.abs(c).max(axis=1))
        stop = len(done) + lows.size > _MOST_PANELS
        ok = (tail <= _RESOLVED) | (half < widest * 3e-4) | stop
        # Rounding of the function itself may be all that is left: then halving is in vain.
        ok |= (tail < 1e-12) & (half < 0.05 * widest)
        error = max(error, float(tail[ok].max(initial=0.0)))
        done += list(zip(lows[ok], highs[ok], c[ok], strict=True))
        middle = lows[~ok] + half[~ok]
        lows, highs = np.concatenate((lows[~ok], middle)), np.concatenate((middle, highs[~ok]))
    return done, error


class _Interpolant:
    """Piecewise Chebyshev interpolant of high degree."""

    def __init__(self, panels: list[Panel], error: float) -> None:
        panels = sorted(panels, key=lambda panel: panel[0])
        self.panels, self.error = panels, error
        self._lows = np.array([low for low, _, _ in panels])
        self._half = np.array([(high - low) / 2.0 for low, high, _ in panels])
        self._c = np.array([c for _, _, c in panels])

    def __call__(self, x: Array) -> Array:
        which = np.clip(np.searchsorted(self._lows, x, side="right") - 1, 0, None)
        u = (x - self._lows[which]) / self._half[which] - 1.0
        return np.asarray(C.chebval(u, self._c[which].T, tensor=False), dtype=np.float64)


def _chain(
    function: Callable[[Array], Array],
    follow: Follow,
    theta: float,
    left: float,
    start: float,
    right: float,
) -> _Interpolant:
    """Interpolate from right to left, each panel by a few steps into those known already.

    Where the slope at one is little above 1, thousands of steps lead from the smallest gaps to
    large ones; from a panel to the next it is a few dozen.
    """
    edge = min(right - _WIDTH, start)
    known = _Interpolant(*_resolve(function, max(left, edge), right))
    while edge > left:
        here, bound = known, math.exp(edge)

        def link(t: Array, known: _Interpolant = here, bound: float = bound) -> Array:
            s = np.exp(t)
            reached, change = follow(s, bound)
            out = change - theta * np.log(reached / s)
            inside = reached <= math.exp(right)
            out[inside] += known(np.log(reached[inside]))
            out[~inside] += function(np.log(reached[~inside]))
            return out

        panels, error = _resolve(link, max(left, edge - _WIDTH), edge)
        # Errors add up, at worst: a panel has its own and that of the panel it leans on.
        known = _Interpolant(panels + here.panels, here.error + error)
        edge -= _WIDTH
    return known


class _Cells:
    """Piecewise polynomials of degree 5 on equal cells, evaluated by Horner's rule."""

    def __init__(self, smooth: _Interpolant, left: float, right: float) -> None:
        self._left = left
        nodes = chebyshev_nodes(_DEGREE + 1)
        to_powers = _chebyshev_to_powers(_DEGREE + 1) @ chebyshev_matrix(_DEGREE + 1)
        count = 64
        while True:
            width = (right - left) / count
            middles: Array = left + width * (np.arange(count, dtype=np.float64) + 0.5)
            points = middles[:, None] + width / 2.0 * nodes
            values = smooth(points.ravel()).reshape(points.shape)
            self._table = np.ascontiguousarray((values @ to_powers.T).T)
            self._scale = 1.0 / width
            # Interpolation errs most between the last nodes and the ends of a cell.
            probe: Array = np.asarray(middles + width / 2.0 * 0.9, dtype=np.float64)
            wrong = np.abs(self(probe) - smooth(probe)) / np.maximum(1.0, np.abs(values[:, -1]))
            self.error = smooth.error + float(wrong.max())
            if wrong.max() <= _GOAL or count >= _MOST_CELLS:
                return
            count *= 2

    def __call__(self, x: Array) -> Array:
        u = (x - self._left) * self._scale
        cell = np.clip(u, 0.0, self._table.shape[1] - 1).astype(np.intp)
        u -= cell
        u *= 2.0
        u -= 1.0
        out: Array = self._table[_DEGREE].take(cell)
        for row in self._table[_DEGREE - 1 :: -1]:
            out *= u
            out += row.take(cell)
        return out


def _chebyshev_to_powers(n: int) -> Array:
    out = np.zeros((n, n))
    for k in range(n):
        c = C.cheb2poly(np.eye(n)[k][: k + 1])
        out[: c.size, k] = c
    return out


class Profile:
    r"""Logarithm and sign of a function of the gap, tabulated.

    For gaps up to 1/2 the table is in :math:`\ln s`, of :math:`\ln q + \theta\ln s`, which is
    bounded and, for a limit kernel, tends to a periodic function: smaller gaps than the table
    holds are moved into it by whole periods. Larger gaps use :math:`\sqrt{2-s}`, in which kinks
    of the activation leave no trace at antipodes; sign and size are tabulated there as one
    number over a smooth scale.

    Parameters
    ----------
    quotient : callable
        Logarithm and sign of the function over ``root_gap - s``.
    theta : float, default=0.0
        Leading power at small gaps.
    period : float, optional
        Period in :math:`\ln s` of what is left; None if it tends to a constant.
    root_gap : float, optional
        Gap of the zero that is divided out.
    parity : {"odd", "even", None}, default=None
        Symmetry of the function in the correlation.
    smallest : float, default=1e-33
        Smallest gap of the table.
    far : bool, default=True
        Whether to tabulate gaps above 1/2; otherwise they are evaluated one by one.
    follow : callable, optional
        `KoenigsFunction.follow`, by which smaller gaps are reduced to larger ones.

    Attributes
    ----------
    error : float
        Bound of the error of the logarithm, from what the interpolants left unresolved.
    """

    def __init__(
        self,
        quotient: Callable[[Array], LogSign],
        *,
        theta: float = 0.0,
        period: float | None = None,
        root_gap: float | None = None,
        parity: Parity = None,
        smallest: float = 1e-33,
        far: bool = True,
        follow: Follow | None = None,
    ) -> None:
        self._quotient = quotient
        self._theta, self._period, self._root, self._parity = theta, period, root_gap, parity
        self._low = math.log(smallest)
        if period is not None:
            # A whole period must lie inside, well below the largest gap.
            self._low = min(self._low, -period - 40.0)

        def small(t: Array) -> Array:
            return quotient(np.exp(t))[0] + theta * t

        right = math.log(_SPLIT)
        if follow is None:
            smooth = _Interpolant(*_resolve(small, self._low, right))
        else:
            start = right if root_gap is None else math.log(root_gap / 2.0)
            smooth = _chain(small, follow, theta, self._low, start, right)
        self._small = _Cells(smooth, self._low, right)
        self.error = self._small.error
        self._far: _Cells | None = None
        if far:
            left, right = math.sqrt(1.0 if parity else 0.0), math.sqrt(2.0 - _SPLIT)
            self._log_scale = _LogScale(quotient, left, right)
            signed = _resolve(lambda w: self._log_scale.signed(quotient, w), left, right)
            self._far = _Cells(_Interpolant(*signed), left, right)
            self.error = max(self.error, self._far.error)

    def log_and_sign(self, s: Array) -> LogSign:
        """Logarithm of the size, and sign, of the function (not of the quotient).

        Parameters
        ----------
        s : ndarray of float64, shape (n,)
            Gaps in [0, 2].

        Returns
        -------
        log : ndarray of float64
            ±inf at a gap of zero and at the root.
        sign : ndarray of float64
        """
        s, sign = fold(s, self._parity)
        log = np.empty_like(s)
        near = s < _SPLIT
        log[near] = self._log_near(s[near])
        far = ~near
        if self._far is None:
            log[far], inner = self._quotient(s[far])
            sign[far] *= inner
        else:
            w = np.sqrt(2.0 - np.minimum(s[far], 2.0))
            q = self._far(w)
            with np.errstate(divide="ignore"):
                log[far] = np.log(np.abs(q)) + self._log_scale(w)
            sign[far] *= np.sign(q)
        return with_root(log, sign, s, self._root)

    def _log_near(self, s: Array) -> Array:
        with np.errstate(divide="ignore"):
            t = np.log(s)
        at = np.maximum(t, self._low)
        if self._period is not None:
            below = (t < self._low) & np.isfinite(t)
            periods = np.ceil((self._low - t[below]) / self._period)
            at[below] = t[below] + periods * self._period
        out = self._small(at)
        if self._theta:
            out -= self._theta * t
        return out


class _LogScale:
    """A smooth size for a function that may change its sign: a low polynomial of its log."""

    def __init__(self, quotient: Callable[[Array], LogSign], left: float, right: float) -> None:
        knots = np.linspace(left, right, 129)
        log = quotient(np.clip(2.0 - knots**2, 0.0, 2.0))[0]
        log = np.where(np.isfinite(log), log, -np.inf)
        # The largest over a window, so that zeros on the way do no harm; and where the function
        # nearly vanishes over more than a window, its rounding is not worth resolving.
        padded = np.pad(log, 10, mode="edge")
        log = np.lib.stride_tricks.sliding_window_view(padded, 21).max(axis=1)
        log = np.maximum(log, log[knots <= 1.0].max(initial=-np.inf) - 8.0)
        u = 2.0 * (knots - left) / (right - left) - 1.0
        self._poly = C.Chebyshev.fit(u, log, 12, domain=[-1, 1]).coef
        self._power = C.cheb2poly(self._poly)
        self._left, self._scale = left, 2.0 / (right - left)

    def __call__(self, w: Array) -> Array:
        u = (w - self._left) * self._scale - 1.0
        return np.asarray(np.polynomial.polynomial.polyval(u, self._power))

    def signed(self, quotient: Callable[[Array], LogSign], w: Array) -> Array:
        log, sign = quotient(2.0 - w * w)
        return np.asarray(sign * np.exp(log - self(w)))
