"""Expectations under the Gaussian: moments, Hermite coefficients, the slope, with error bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.duals.base import Array, Parity
from deeplimit.duals.pieces import NODES, Pieces, chebyshev_matrix, chebyshev_nodes, resolve

_EPS = float(np.finfo(np.float64).eps)
#: The coarser rule whose distance bounds the error of the finer one.
_COARSE = NODES - 8
#: Above this ratio of successive panels a sum towards a cusp is held to diverge.
_DIVERGENT = 0.99


def hermite_functions(z: Array, n: int) -> Array:
    r"""Normalised Hermite polynomials times the root of the Gaussian density.

    Row `k` is :math:`h_k(z)\,(2\pi)^{-1/4}e^{-z^2/4}` with
    :math:`h_k = \mathit{He}_k/\sqrt{k!}`; the three-term recurrence is stable in this form.

    Parameters
    ----------
    z : ndarray of shape (m,)
        Points.
    n : int
        Number of degrees.

    Returns
    -------
    ndarray of shape (n, m)
        One row for each degree.

    Examples
    --------
    >>> import numpy as np
    >>> rows = hermite_functions(np.array([0.0, 2.0]), 3)
    >>> (rows / rows[0]).round(6)
    array([[ 1.      ,  1.      ],
           [ 0.      ,  2.      ],
           [-0.707107,  2.12132 ]])
    """
    out = np.empty((n, z.size))
    for k, row in enumerate(_rows(z, n)):
        out[k] = row
    return out


def _rows(z: Array, n: int) -> Iterator[Array]:
    """Give the rows of `hermite_functions` one after the other."""
    previous, row = np.zeros_like(z), np.exp(-z * z / 4.0) / (2.0 * np.pi) ** 0.25
    for k in range(n):
        yield row
        previous, row = row, (z * row - math.sqrt(k) * previous) / math.sqrt(k + 1.0)


@dataclass(frozen=True)
class Moments:
    r"""Gaussian moments of an activation that is not normalised, each with an error bound.

    Attributes
    ----------
    norm2, mean, slope, energy : float
        :math:`E\phi^2`, :math:`E\phi`, :math:`E\phi'` and :math:`E\phi'^2` (infinite with jumps).
    spread : float
        Root mean square of `z` where the activation is steep, weighted by :math:`\phi'^2`: the
        rounding of arguments relative to their differences is in proportion; 0 with jumps.
    errors : dict
        Absolute error bound for each of the first four.
    """

    norm2: float
    mean: float
    slope: float
    energy: float
    spread: float
    errors: dict[str, float]


class _Scaled:
    """A function times a power of two, and zero at lone points where it is not finite."""

    def __init__(self, function: Callable[[Array], Array], exponent: int) -> None:
        self.function, self.exponent, self.patched = function, exponent, False

    def __call__(self, z: Array) -> Array:
        with np.errstate(all="ignore"):
            values = np.asarray(self.function(z), dtype=np.float64)
            if self.exponent:
                values = np.asarray(np.ldexp(values, -self.exponent))
        return np.where(np.isfinite(values), values, 0.0) if self.patched else values


class GaussianQuadrature:
    r"""Composite Gauss-Legendre quadrature fitted to one activation.

    The activation is divided by a power of two near its size, so that neither 1e-300 nor 1e200
    leaves the range of floats when squared: everything here is of :attr:`phi`, the function so
    divided.

    Parameters
    ----------
    function : callable
        Vectorised activation.
    precision : float, default=1e-15
        Relative rounding of its values.
    landmarks : array_like of shape (m,), default=()
        Places near which a feature of any width may hide, where they are known.

    Attributes
    ----------
    phi : callable
        The activation divided by `scale`.
    scale : float
        A power of two.
    pieces : Pieces
        Where it is smooth.

    Raises
    ------
    ValueError
        If the activation is zero, not finite, not square-integrable, or too rough.

    Examples
    --------
    >>> import numpy as np
    >>> moments = GaussianQuadrature(np.abs).moments
    >>> round(moments.norm2, 12), round(moments.mean**2 * np.pi / 2, 12), moments.slope
    (1.0, 1.0, 0.0)
    """

    def __init__(
        self,
        function: Callable[[Array], Array],
        precision: float = 1e-15,
        landmarks: ArrayLike = (),
    ) -> None:
        exponent = _exponent(function)
        self.phi = _Scaled(function, exponent)
        self.scale = math.ldexp(1.0, exponent)
        self.precision = max(precision, _EPS)
        self.pieces: Pieces = resolve(self.phi, self.precision, landmarks)
        # From here on a value that is not finite is that of the one point of a cusp.
        self.phi.patched = bool(self.pieces.cusps.size)
        self._mid = (self.pieces.edges[1:] + self.pieces.edges[:-1]) / 2.0
        self._half = np.diff(self.pieces.edges) / 2.0
        self._check_integrable()

    def rule(self, n: int = NODES) -> tuple[Array, Array]:
        """Nodes and weights on all panels, without the Gaussian density.

        Parameters
        ----------
        n : int, default=32
            Nodes on a panel.

        Returns
        -------
        z, w : ndarray of shape (panels * n,)
            Ascending nodes, and weights.
        """
        x, w = np.polynomial.legendre.leggauss(n)
        z = self._mid[:, None] + self._half[:, None] * x
        return z.ravel(), (self._half[:, None] * w).ravel()

    @cached_property
    def samples(self) -> tuple[Array, Array, Array]:
        """Nodes, weights and values of the finest rule."""
        z, w = self.rule()
        return z, w, self.phi(z)

    @cached_property
    def _coarse(self) -> tuple[Array, Array, Array]:
        z, w = self.rule(_COARSE)
        return z, w, self.phi(z)

    @cached_property
    def reach(self) -> float:
        """Distance from zero beyond which the squared activation has no mass to speak of."""
        z, w, v = self.samples
        mass = v * v * w * np.exp(-z * z / 2.0)
        return max(9.0, float(np.abs(z[mass > 1e-19 * mass.sum()]).max(initial=0.0)))

    @cached_property
    def parity(self) -> Parity:
        """Symmetry of the values at every node: "odd", "even" or None.

        Equality is asked for up to the last digits of the largest value of the panel, since
        ``(-z)**3`` and ``-(z**3)`` may differ there; an asymmetry that could be meant, such as
        ``tanh(z) + 1e-15``, is larger.
        """
        z, _, v = self.samples
        w = self.phi(-z)
        largest = np.abs(v).reshape(-1, NODES).max(axis=1)
        slack = 3.0 * self.precision * np.repeat(largest, NODES)
        if np.all(np.abs(w - v) <= slack):
            return "even"
        return "odd" if np.all(np.abs(w + v) <= slack) else None

    def hermite(self, n: int) -> tuple[Array, float]:
        r"""Signed normalised Hermite coefficients of degree below `n` and their error bound.

        Parameters
        ----------
        n : int
            Number of coefficients.

        Returns
        -------
        coefficients : ndarray of shape (n,)
            :math:`E\,\phi(z) h_k(z)`.
        error : float
            Absolute bound for each of them: the difference to a coarser rule, the rounding of
            the sum, and what is left out next to a cusp.
        """
        # A panel of width one holds sqrt(n) / 2π waves of degree n.
        extra = int(math.sqrt(n)) if n > 900 else 0
        z, w = self.rule(NODES + extra)
        weighted = self._weight(z, w, self.phi(z) if extra else self.samples[2])
        fine = np.array([row @ weighted for row in _rows(z, n)])
        zc, wc, vc = self._coarse
        low = min(n, 8)
        coarse = np.array([row @ self._weight(zc, wc, vc) for row in _rows(zc, low)])
        rounding = 4.0 * self.precision * float(np.sum(np.abs(weighted)))
        missing = math.sqrt(self._missing * self._cusp_width)
        error = float(np.abs(fine[:low] - coarse).max(initial=0.0)) + rounding + missing
        if self.parity == "odd":
            fine[::2] = 0.0
        elif self.parity == "even":
            fine[1::2] = 0.0
        return fine, error

    @staticmethod
    def _weight(z: Array, w: Array, values: Array) -> Array:
        return np.asarray(values * w * np.exp(-z * z / 4.0) / (2.0 * np.pi) ** 0.25)

    @cached_property
    def moments(self) -> Moments:
        """The four constants of the theory for the scaled activation, not normalised."""
        norm2, coarse = (
            float(self._masses(*samples).sum()) for samples in (self.samples, self._coarse)
        )
        coefficients, error = self.hermite(2)
        energy, energy_error, spread = self._energy()
        norm_error = abs(coarse - norm2) + 8.0 * self.precision * norm2 + self._missing
        errors = {"norm2": norm_error, "mean": error, "slope": error, "energy": energy_error}
        if self.parity == "odd":
            errors["mean"] = 0.0
        elif self.parity == "even":
            errors["slope"] = 0.0
        mean, slope = coefficients.tolist()
        return Moments(norm2, mean, slope, energy, spread, errors)

    def _masses(self, z: Array, w: Array, values: Array) -> Array:
        """Share of each panel in the mean square."""
        density = w * np.exp(-z * z / 2.0) / np.sqrt(2.0 * np.pi)
        return np.asarray((values * values * density).reshape(self._mid.size, -1).sum(axis=1))

    @cached_property
    def _missing(self) -> float:
        """Mass between the cusps and the panels next to them."""
        return float(sum(self._remainders(self._masses(*self.samples))))

    @property
    def _cusp_width(self) -> float:
        return float(2.0 * self._half[self._beside(0)].sum()) if self.pieces.cusps.size else 0.0

    def _check_integrable(self) -> None:
        if not self.pieces.cusps.size:
            return
        masses = self._masses(*self.samples)
        total, missing = masses.sum(), np.asarray(self._remainders(masses))
        if not np.all(missing <= 1e-3 * total):
            at = np.repeat(self.pieces.cusps, 2)[int(np.argmax(missing))]
            raise ValueError(
                f"the activation is not square-integrable: it has a pole at {at:.6g}, or a "
                "singularity too strong to integrate."
            )

    def _beside(self, step: int) -> NDArray[np.intp]:
        """Panels at `step` panels' distance from each cusp, left and right of each in turn."""
        at = np.searchsorted(self.pieces.edges, self.pieces.cusps)
        return np.clip(np.column_stack((at - 1 - step, at + step)).ravel(), 0, self._mid.size - 1)

    def _remainders(self, shares: Array) -> list[float]:
        """Estimate what a sum over panels leaves out on each side of each cusp.

        The innermost panel is not resolved. Those next to it shrink by halves, and their shares
        are a geometric series, whose ratio is taken where rounding does not disturb it.
        """
        out = []
        for near, far in zip(shares[self._beside(4)], shares[self._beside(5)], strict=True):
            ratio = near / far if far > 0.0 else 0.0
            out.append(near * ratio**4 / (1.0 - ratio) if ratio < _DIVERGENT else math.inf)
        return out

    def _energy(self) -> tuple[float, float, float]:
        r"""Integrate :math:`\phi'^2` from each panel's interpolant; give error and spread too."""
        if np.any(self.pieces.jumps):
            return math.inf, 0.0, 0.0
        results = []
        spread = 0.0
        for n in (_COARSE, NODES):
            z = self._mid[:, None] + self._half[:, None] * chebyshev_nodes(n)
            c = self.phi(z.ravel()).reshape(z.shape) @ chebyshev_matrix(n).T
            d = np.polynomial.chebyshev.chebder(c.T)
            x, w = np.polynomial.legendre.leggauss(n)
            slope = np.polynomial.chebyshev.chebval(x, d) / self._half[:, None]
            at = self._mid[:, None] + self._half[:, None] * x
            shares = slope**2 * np.exp(-at * at / 2.0) * w * self._half[:, None]
            results.append(shares.sum(axis=1) / np.sqrt(2.0 * np.pi))
            spread = math.sqrt(float((shares * at * at).sum() / max(shares.sum(), 1e-300)))
        missing = 0.0
        if self.pieces.cusps.size:
            missing = float(sum(self._remainders(results[1])))
            for panels in results:
                panels[self._beside(0)] = 0.0
        if math.isinf(missing):
            return math.inf, 0.0, 0.0
        coarse, fine = (float(panels.sum()) for panels in results)
        error = abs(fine - coarse) + 200.0 * self.precision * fine + 0.01 * missing
        return fine + missing, error, spread


def _exponent(function: Callable[[Array], Array]) -> int:
    """Binary exponent of the activation where the Gaussian has its mass; 0 for an ordinary one."""
    z = np.linspace(-8.0, 8.0, 801) + 1e-3
    with np.errstate(all="ignore"):
        values = np.abs(np.asarray(function(z), dtype=np.float64)) * np.exp(-z * z / 4.0)
    largest = float(values[np.isfinite(values)].max(initial=0.0))
    exponent = math.frexp(largest)[1] if largest else 0
    return exponent if abs(exponent) > 64 else 0
