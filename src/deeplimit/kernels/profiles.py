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
_SPLIT = 0.5
_RESOLVED = 2e-15
_GOAL = 2e-13
_MOST_CELLS = 16384
_MOST_PANELS = 4000


class _Interpolant:
    """Piecewise Chebyshev interpolant of high degree, refined until resolved.

    It needs some ten times fewer evaluations of the function than the fast table made from it.
    """

    def __init__(self, function: Callable[[Array], Array], left: float, right: float) -> None:
        nodes, matrix = chebyshev_nodes(_NODES), chebyshev_matrix(_NODES)
        panels = max(2, math.ceil((right - left) / 3.0))
        edges = np.linspace(left, right, panels + 1)
        lows, highs = edges[:-1], edges[1:]
        done: list[tuple[float, float, Array]] = []
        self.error = 0.0
        narrowest = (right - left) * 1e-4
        while lows.size:
            half = (highs - lows) / 2.0
            points = lows[:, None] + half[:, None] * (1.0 + nodes)
            c = function(points.ravel()).reshape(points.shape) @ matrix.T
            tail = np.abs(c[:, -3:]).max(axis=1) / np.maximum(1.0, np.abs(c).max(axis=1))
            stop = len(done) + lows.size > _MOST_PANELS
            ok = (tail <= _RESOLVED) | (half < narrowest) | stop
            # Rounding of the function itself may be all that is left: then halving is in vain.
            ok |= (tail < 1e-12) & (half < 0.05 * (right - left) / panels)
            self.error = max(self.error, float(tail[ok].max(initial=0.0)))
            done += list(zip(lows[ok], highs[ok], c[ok], strict=True))
            middle = lows[~ok] + half[~ok]
            lows, highs = (
                np.concatenate((lows[~ok], middle)),
                np.concatenate((middle, highs[~ok])),
            )
        done.sort(key=lambda panel: panel[0])
        self._lows = np.array([low for low, _, _ in done])
        self._half = np.array([(high - low) / 2.0 for low, high, _ in done])
        self._c = np.array([c for _, _, c in done])

    def __call__(self, x: Array) -> Array:
        which = np.clip(np.searchsorted(self._lows, x, side="right") - 1, 0, None)
        u = (x - self._lows[which]) / self._half[which] - 1.0
        return np.asarray(C.chebval(u, self._c[which].T, tensor=False))


class _Cells:
    """Piecewise polynomials of degree 5 on equal cells, evaluated by Horner's rule."""

    def __init__(self, function: Callable[[Array], Array], left: float, right: float) -> None:
        self._left = left
        smooth = _Interpolant(function, left, right)
        nodes = chebyshev_nodes(_DEGREE + 1)
        to_powers = _chebyshev_to_powers(_DEGREE + 1) @ chebyshev_matrix(_DEGREE + 1)
        count = 64
        while True:
            width = (right - left) / count
            middles = left + width * (np.arange(count) + 0.5)
            points = middles[:, None] + width / 2.0 * nodes
            values = smooth(points.ravel()).reshape(points.shape)
            self._table = np.ascontiguousarray((values @ to_powers.T).T)
            self._scale = 1.0 / width
            # Interpolation errs most between the last nodes and the ends of a cell.
            probe = middles + width / 2.0 * 0.9
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
        out = self._table[_DEGREE].take(cell)
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
    ) -> None:
        self._quotient = quotient
        self._theta, self._period, self._root, self._parity = theta, period, root_gap, parity
        self._low = math.log(smallest)
        if period is not None:
            # A whole period must lie inside, well below the largest gap.
            self._low = min(self._low, -period - 40.0)

        def small(t: Array) -> Array:
            return quotient(np.exp(t))[0] + theta * t

        self._small = _Cells(small, self._low, math.log(_SPLIT))
        self.error = self._small.error
        self._far: _Cells | None = None
        if far:
            left, right = math.sqrt(1.0 if parity else 0.0), math.sqrt(2.0 - _SPLIT)
            self._log_scale = _LogScale(quotient, left, right)
            self._far = _Cells(lambda w: self._log_scale.signed(quotient, w), left, right)
            self.error = max(self.error, self._far.error)

    def log_and_sign(self, s: Array) -> LogSign:
        """Logarithm of the size, and sign, of the function (not of the quotient).

        Parameters
        ----------
        s : ndarray of float64
            Gaps in [0, 2].

        Returns
        -------
        log : ndarray of float64
            ±inf at a gap of zero and at the root.
        sign : ndarray of float64
        """
        shape = np.shape(s)
        s, sign = fold(np.ravel(s), self._parity)
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
        log, sign = with_root(log, sign, s, self._root)
        return log.reshape(shape), sign.reshape(shape)

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
