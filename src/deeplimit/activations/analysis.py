"""What is found out about a function: its dual and its moments."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from deeplimit.activations.foreign import DOUBLE
from deeplimit.activations.landmarks import landmarks
from deeplimit.activations.polynomial import hermite_coefficients
from deeplimit.activations.recognition import dual_of_formula, dual_of_values
from deeplimit.activations.tree import Expression
from deeplimit.duals.base import Dual
from deeplimit.duals.hermite import GaussianQuadrature
from deeplimit.duals.quadrature import QuadratureDual
from deeplimit.duals.series import SeriesDual

Array = NDArray[np.float64]

#: Hermite terms tried for a smooth function before its dual is tabulated.
_TERMS = (400, 4000)
#: A series ends where its terms have fallen to this share of the slope at one.
_NEGLIGIBLE = 1e-17


class Analysis:
    """The dual and the moments of one function, each found when it is first asked for.

    Parameters
    ----------
    function : callable
        From float64 arrays to float64 arrays of the same shape.
    precision : float, optional
        Relative rounding of its values.
    expression : Expression or None, default=None
        Its formula, where there is one.

    Examples
    --------
    >>> import numpy as np
    >>> analysis = Analysis(np.tanh)
    >>> analysis.dual.parity, round(analysis.dual.slope_at_one, 12)
    ('odd', 1.177807232304)
    """

    def __init__(
        self,
        function: Callable[[Array], Array],
        precision: float = DOUBLE,
        expression: Expression | None = None,
    ) -> None:
        self._function, self._precision, self._expression = function, precision, expression

    @cached_property
    def quadrature(self) -> GaussianQuadrature:
        """Quadrature fitted to the function divided by a power of two near its size."""
        places = np.zeros(0) if self._expression is None else landmarks(self._expression)
        return GaussianQuadrature(self._function, self._precision, places)

    @cached_property
    def signed(self) -> Array | None:
        """Exact signed Hermite coefficients of norm one, of a formula with finitely many."""
        c = None if self._expression is None else hermite_coefficients(self._expression)
        if c is None:
            return None
        if not np.any(c):
            raise ValueError("the activation is zero everywhere.")
        c = c / np.abs(c).max()
        return np.asarray(c / np.linalg.norm(c))

    @cached_property
    def dual(self) -> Dual:
        """The dual of the normalised function: exact where a closed form is known."""
        if self.signed is not None:
            return SeriesDual(self.signed**2)
        closed = None if self._expression is None else dual_of_formula(self._expression)
        q = self.quadrature
        closed = closed or dual_of_values(q.phi, q.samples[0], self._precision)
        return closed or _series(q) or QuadratureDual(q)

    def hermite(self, n: int) -> Array:
        """Give the signed Hermite coefficients of the normalised function by quadrature."""
        q = self.quadrature
        return q.hermite(n)[0] / math.sqrt(q.moments.norm2)


def _series(quadrature: GaussianQuadrature) -> SeriesDual | None:
    """Sum the Hermite series of a smooth function, if it ends soon enough."""
    if quadrature.pieces.breaks.size:
        return None
    norm2 = quadrature.moments.norm2
    for count in _TERMS:
        k = np.arange(count)
        c, absolute = quadrature.hermite(count)
        slopes = k * c * c
        least = np.maximum(_NEGLIGIBLE * slopes.max(), k * (4.0 * absolute) ** 2)
        last = int(np.flatnonzero(slopes > least).max(initial=0))
        # Coefficients come and go in runs: many beyond the last must be negligible as well.
        if 0 < last < 0.9 * count:
            c, k = c[: last + 1], k[: last + 1]
            slope = float(k @ (c * c))
            errors = [absolute / math.sqrt(norm2), absolute * float(k @ np.abs(c)) / slope]
            return SeriesDual(c * c, error=2.0 * max(errors))
    return None


@lru_cache(maxsize=64)
def of_expression(expression: Expression) -> Analysis:
    """Analyse a formula; formulas met lately are remembered.

    Parameters
    ----------
    expression : Expression
        The formula.

    Returns
    -------
    Analysis
        The same object for an equal formula.

    Examples
    --------
    >>> from deeplimit.activations.expressions import parse
    >>> of_expression(parse("tanh(x)")) is of_expression(parse("tanh(x)"))
    True
    """
    return Analysis(expression, expression=expression)
