"""Expectations under the Gaussian: moments, Hermite coefficients, the slope, with error bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeplimit.duals.base import Array, Parity
from deeplimit.duals.pieces import NODES, Pieces, chebyshev_matrix, chebyshev_nodes, resolve

_EPS = float(np.finfo(np.float64).eps)


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
    """
    out = np.empty((n, z.size))
    out[0] = np.exp(-z * z / 4.0) / (2.0 * np.pi) ** 0.25
    if n > 1:
        out[1] = z * out[0]
    for k in range(2, n):
        out[k] = (z * out[k - 1] - np.sqrt(k - 1.0) * out[k - 2]) / np.sqrt(float(k))
    return out


@dataclass(frozen=True)
class Moments:
    """Gaussian moments of an activation that is not normalised, each with an error bound.

    Attributes
    ----------
    norm2, mean, slope, energy : float
        :math:`E\\phi^2`, :math:`E\\phi`, :math:`E\\phi'` and :math:`E\\phi'^2` (infinite with jumps).
    errors : dict
        Absolute error bound for each of the four.
    """

    norm2: float
    mean: float
    slope: float
    energy: float
    errors: dict[str, float]


class GaussianQuadrature:
    """Composite Gauss-Legendre quadrature fitted to one activation.

    Parameters
    ----------
    phi : callable
        Vectorised activation.
    precision : float, default=1e-15
        Relative rounding of its values.
    """

    def __init__(self, phi: Callable[[Array], Array], precision: float = 1e-15) -> None:
        self.phi = phi
        self.precision = max(precision, _EPS)
        self.pieces: Pieces = resolve(phi, precision)
        self._mid = (self.pieces.edges[1:] + self.pieces.edges[:-1]) / 2.0
        self._half = np.diff(self.pieces.edges) / 2.0

    def _rule(self, n: int) -> tuple[Array, Array]:
        x, w = np.polynomial.legendre.leggauss(n)
        z = self._mid[:, None] + self._half[:, None] * x
        return z.ravel(), (self._half[:, None] * w).ravel()

    @cached_property
    def _fine(self) -> tuple[Array, Array, Array]:
        z, w = self._rule(NODES)
        return z, w, np.asarray(self.phi(z), dtype=np.float64)

    @cached_property
    def parity(self) -> Parity:
        """Symmetry of the values at every node: "odd", "even" or None.

        Equality is asked for up to the rounding of the largest value of the panel, since
        ``(-z)**3`` and ``-(z**3)`` may differ in the last digit.
        """
        z, _, v = self._fine
        w = np.asarray(self.phi(-z), dtype=np.float64)
        largest = np.abs(v).reshape(-1, NODES).max(axis=1)
        slack = 16.0 * self.precision * np.repeat(largest, NODES)
        if np.all(np.abs(w - v) <= slack):
            return "even"
        return "odd" if np.all(np.abs(w + v) <= slack) else None

    def hermite(self, n: int) -> tuple[Array, float]:
        """Signed normalised Hermite coefficients of degree below `n` and their error bound.

        Parameters
        ----------
        n : int
            Number of coefficients.

        Returns
        -------
        coefficients : ndarray of shape (n,)
            :math:`E\\,\\phi(z) h_k(z)`.
        error : float
            Absolute bound for each of them: the difference to a coarser rule, the rounding of
            the sum, and what the panels left unresolved.
        """
        z, w, v = self._fine
        weighted = v * w * np.exp(-z * z / 4.0) / (2.0 * np.pi) ** 0.25
        fine = hermite_functions(z, n) @ weighted
        zc, wc = self._rule(NODES - 8)
        coarse_values = np.asarray(self.phi(zc), dtype=np.float64)
        coarse = hermite_functions(zc, n) @ (
            coarse_values * wc * np.exp(-zc * zc / 4.0) / (2.0 * np.pi) ** 0.25
        )
        rounding = 4.0 * self.precision * float(np.sum(np.abs(weighted)))
        low = min(n, 8)
        error = float(np.abs(fine[:low] - coarse[:low]).max()) + rounding
        if self.parity == "odd":
            fine[::2] = 0.0
        elif self.parity == "even":
            fine[1::2] = 0.0
        return fine, error

    @cached_property
    def moments(self) -> Moments:
        """The four constants of the theory for this activation, not normalised."""
        z, w, v = self._fine
        density = w * np.exp(-z * z / 2.0) / np.sqrt(2.0 * np.pi)
        norm2 = float(np.sum(v * v * density))
        coefficients, error = self.hermite(2)
        energy, energy_error = self._energy()
        zc, wc = self._rule(NODES - 8)
        vc = np.asarray(self.phi(zc), dtype=np.float64)
        coarse = float(np.sum(vc * vc * wc * np.exp(-zc * zc / 2.0)) / np.sqrt(2.0 * np.pi))
        norm_error = abs(coarse - norm2) + 8.0 * self.precision * norm2
        errors = {"norm2": norm_error, "mean": error, "slope": error, "energy": energy_error}
        if self.parity == "odd":
            errors["mean"] = 0.0
        elif self.parity == "even":
            errors["slope"] = 0.0
        return Moments(norm2, float(coefficients[0]), float(coefficients[1]), energy, errors)

    def _energy(self) -> tuple[float, float]:
        r""":math:`E\,\phi'^2` from the derivative of each panel's interpolant, and its error."""
        if np.any(self.pieces.jumps):
            return float("inf"), 0.0
        results = []
        for n in (NODES, NODES - 8):
            z = self._mid[:, None] + self._half[:, None] * chebyshev_nodes(n)
            values = np.asarray(self.phi(z.ravel()), dtype=np.float64).reshape(z.shape)
            c = values @ chebyshev_matrix(n).T
            d = np.polynomial.chebyshev.chebder(c.T)
            x, w = np.polynomial.legendre.leggauss(n)
            slope = np.polynomial.chebyshev.chebval(x, d) / self._half[:, None]
            at = self._mid[:, None] + self._half[:, None] * x
            density = np.exp(-at * at / 2.0) / np.sqrt(2.0 * np.pi)
            panel = np.sum(slope**2 * density * w, axis=1) * self._half
            results.append(panel)
        if not self.pieces.smooth:
            # Panels shrink geometrically towards an algebraic singularity. If those next to it
            # still carry weight, the integral diverges (sqrt|z| is the borderline).
            narrow = self._half < 1e-9
            if results[0][narrow].sum() > 1e-6 * results[0].sum():
                return float("inf"), 0.0
        fine, coarse = float(results[0].sum()), float(results[1].sum())
        return fine, abs(fine - coarse) + 200.0 * self.precision * fine
