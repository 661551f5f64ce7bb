"""Many singular kernels over the same gaps: each gap is looked up once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev as C
from numpy.typing import NDArray

from deeplimit.duals.pieces import chebyshev_matrix, chebyshev_nodes
from deeplimit.kernels import LimitKernel, PowerKernel
from deeplimit.sums import GapTiles, fit_lift
from deeplimit.sums.threads import map_blocks

Floats = NDArray[np.float64]

_LOWEST = -80.0
_CELLS = 8192
_DEGREE = 3
#: Queries and pairs at a time: what fits a processor's cache.
_ROWS, _PAIRS = 16, 2**15


class Scores(NamedTuple):
    """What a bank found.

    Attributes
    ----------
    sums : dict of str to ndarray of shape (m, q)
        Weighted sums of the columns of the targets for each kernel, over the sum of the weights.
    nearest : ndarray of int64, shape (m,)
        The nearest example of each query.
    """

    sums: dict[str, Floats]
    nearest: NDArray[np.int64]


class KernelBank:
    r"""Several singular kernels, evaluated at the same gaps in one pass.

    :math:`\ln(\kappa/\xi)` of each kernel is a cubic on equal cells in :math:`\ln s`, so that the
    logarithm of a gap and its cell are found once for all kernels. It serves points whose
    correlations are not negative, such as those of the paper's experiment. Coincident points have
    the smallest gap of the table, under 1e-34.

    Parameters
    ----------
    kernels : mapping of str to LimitKernel or PowerKernel
        Singular kernels by name.

    Attributes
    ----------
    error : float
        Largest error of a logarithm against the kernels themselves, at points between the nodes.

    Examples
    --------
    >>> import numpy as np
    >>> bank = KernelBank({"3d_opt": LimitKernel("3d_opt"), "power": PowerKernel(2.0)})
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> scores = bank.scores(X, np.array([[1.0], [-1.0]]), np.array([[0.6, 0.8]]))
    >>> {name: round(float(v[0, 0]), 4) for name, v in scores.sums.items()}
    {'3d_opt': -0.427, 'power': -0.3333}
    >>> scores.nearest.tolist(), bank.error < 1e-9
    ([1], True)
    """

    def __init__(self, kernels: Mapping[str, LimitKernel | PowerKernel]) -> None:
        self._powers = {
            n: -k.exponent / 2 for n, k in kernels.items() if isinstance(k, PowerKernel)
        }
        self._names = list(kernels)
        self._scale = _CELLS / -_LOWEST
        middles = _LOWEST + (np.arange(_CELLS) + 0.5) / self._scale
        nodes = chebyshev_nodes(_DEGREE + 1)
        to_powers = np.zeros((_DEGREE + 1, _DEGREE + 1))
        for k in range(_DEGREE + 1):
            c = C.cheb2poly(np.eye(_DEGREE + 1)[k][: k + 1])
            to_powers[: c.size, k] = c
        to_powers = to_powers @ chebyshev_matrix(_DEGREE + 1)
        points = middles[:, None] + nodes / (2.0 * self._scale)
        probe = middles[:, None] + np.array([-0.97, -0.6, 0.0, 0.6, 0.97]) / (2.0 * self._scale)
        self._tables: dict[str, Floats] = {}
        self.error = 0.0
        for name, kernel in kernels.items():
            if isinstance(kernel, PowerKernel):
                continue
            self._tables[name] = np.ascontiguousarray((_quotient(kernel, points) @ to_powers.T).T)
            got = self._look_up(name, *self._place(probe))
            self.error = max(self.error, float(np.abs(got - _quotient(kernel, probe)).max()))

    def _place(self, t: Floats) -> tuple[NDArray[np.intp], Floats]:
        """Give the cells of logarithms of gaps, and the places in them from -1 to 1."""
        u = t - _LOWEST
        u *= self._scale
        cell = u.astype(np.intp)
        np.minimum(cell, _CELLS - 1, out=cell)
        u -= cell
        u *= 2.0
        u -= 1.0
        return cell, u

    def _look_up(self, name: str, cell: NDArray[np.intp], u: Floats) -> Floats:
        table = self._tables[name]
        out = table[_DEGREE].take(cell)
        for row in table[_DEGREE - 1 :: -1]:
            out *= u
            out += row.take(cell)
        return np.asarray(out)

    def scores(self, X: Floats, Y: Floats, Q: Floats, n_jobs: int | None = 1) -> Scores:
        """Smooth the targets of examples at queries, with every kernel.

        Parameters
        ----------
        X : ndarray of shape (n, k)
            Examples, of unit norm and without negative coordinates.
        Y : ndarray of shape (n, q)
            Targets.
        Q : ndarray of shape (m, k)
            Queries, as the examples.
        n_jobs : int, optional
            Threads.

        Returns
        -------
        Scores

        Raises
        ------
        ValueError
            If two points have a negative correlation.
        """
        both = np.column_stack((Y, np.ones(len(Y))))
        tiles = GapTiles(X, fit_lift(X, "none"), block_bytes=64 * _PAIRS)

        def block(start: int) -> tuple[Floats, NDArray[np.int64]]:
            queries = Q[start : start + _ROWS]
            sums = np.zeros((len(self._names), len(queries), both.shape[1]))
            tops = np.full((len(self._names), len(queries)), -np.inf)
            best = np.full(len(queries), np.inf)
            nearest = np.zeros(len(queries), dtype=np.int64)
            for columns, gaps in tiles.of(queries):
                at = gaps.argmin(axis=1)
                least = gaps[np.arange(len(queries)), at]
                nearest = np.where(least < best, at + columns.start, nearest)
                best = np.minimum(best, least)
                self._absorb(sums, tops, gaps, both[columns])
            return sums, nearest

        parts = map_blocks(block, range(0, len(Q), _ROWS), n_jobs)
        total = np.concatenate([p[0] for p in parts], axis=1)
        means = total[:, :, :-1] / total[:, :, -1:]
        sums = dict(zip(self._names, means, strict=True))
        return Scores(sums, np.concatenate([p[1] for p in parts]))

    def _absorb(self, sums: Floats, tops: Floats, gaps: Floats, targets: Floats) -> None:
        if gaps.max() > 1.0 + 1e-9:
            raise ValueError("a bank of kernels serves points of nonnegative correlation only.")
        correlations = np.maximum(1.0 - gaps, 0.0)
        t = np.log(np.maximum(gaps, 2.0 * np.exp(_LOWEST), out=gaps), out=gaps)
        cell, u = self._place(t)
        for i, name in enumerate(self._names):
            power = self._powers.get(name)
            log = self._look_up(name, cell, u) if power is None else power * t
            top = np.maximum(tops[i], log.max(axis=1))
            log -= top[:, None]
            weights = np.exp(log, out=log)
            if power is None:
                weights *= correlations
            sums[i] = sums[i] * np.exp(tops[i] - top)[:, None] + weights @ targets
            tops[i] = top


def _quotient(kernel: LimitKernel, t: Floats) -> Floats:
    """Logarithm of the kernel over the correlation."""
    s = np.exp(t)
    return np.asarray(kernel.log_at_gap(s.ravel()).reshape(s.shape) - np.log(1.0 - s))
