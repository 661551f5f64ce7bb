"""The constants that decide a regime, with what is certain about them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deeplimit.activations.activation import Activation
from deeplimit.duals.base import Array

_DEGREES = 512
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Constants:
    """A, A' and B' of an activation, and the answers to the questions that decide its regime.

    An answer is None where the error bounds leave it open.

    Attributes
    ----------
    A, A1, B1 : float
        Of the normalised activation.
    errors : dict of str to float
        Absolute error bounds of the three.
    mean_vanishes, slope_vanishes : bool or None
        Whether A = 0 and A' = 0. Certain only by structure: a symmetry, a closed form, a mean
        taken away.
    linear : bool or None
        Whether the activation is plus or minus the identity.
    side : int or None
        Sign of B' - 1.
    constant : bool
        Whether the activation is constant.
    log_slope, log_growth : float
        ln A'² and ln B', accurate also next to 0.
    degree : int or None
        Lowest degree of the dual above 0, if it is certain.
    """

    A: float
    A1: float
    B1: float
    errors: dict[str, float]
    mean_vanishes: bool | None
    slope_vanishes: bool | None
    linear: bool | None
    side: int | None
    constant: bool
    log_slope: float
    log_growth: float
    degree: int | None

    @classmethod
    def of(cls, activation: Activation) -> Constants:
        """Collect the constants of an activation."""
        A, A1, B1 = activation.A, activation.A1, activation.B1
        errors = {key: float(activation.errors[key]) for key in ("A", "A1", "B1")}
        exact = activation.dual.error == 0.0
        a = activation.dual.coefficients(_DEGREES)
        log_slope, log_growth = _logarithms(a, B1, exact)
        return cls(
            A=A,
            A1=A1,
            B1=B1,
            errors=errors,
            mean_vanishes=_vanishes(A, errors["A"]),
            slope_vanishes=_vanishes(A1, errors["A1"]),
            linear=_linear(a, A1, errors["A1"], exact),
            side=_side(B1, errors["B1"]),
            constant=bool(exact and a[0] == 1.0 and B1 == 0.0),
            log_slope=log_slope,
            log_growth=log_growth,
            degree=_degree(a, activation, exact),
        )

    @property
    def exponent(self) -> float:
        r""":math:`\alpha = -2\ln A'^2/\ln B'`; 0 if B' is infinite."""
        return 0.0 if math.isinf(self.B1) else -2.0 * self.log_slope / self.log_growth

    @property
    def exponent_error(self) -> float:
        """Bound of the exponent's error, from those of A' and B'."""
        if math.isinf(self.B1):
            return 0.0
        slope = 4.0 * self.errors["A1"] / abs(self.A1) / self.log_growth
        growth = self.exponent * self.errors["B1"] / self.B1 / self.log_growth
        return slope + growth + 8.0 * _EPS * self.exponent


def _vanishes(value: float, error: float) -> bool | None:
    if value == 0.0 and error == 0.0:
        return True
    return False if abs(value) > error else None


def _linear(a: Array, A1: float, error: float, exact: bool) -> bool | None:
    if exact:
        return bool(a[1] > 0.0 and not np.any(a[2:]) and a[0] == 0.0)
    return False if 1.0 - abs(A1) > error else None


def _side(B1: float, error: float) -> int | None:
    if B1 == 1.0 and error == 0.0:
        return 0
    # A closed form is exact up to its rounding, here that of a sum of a few terms.
    if abs(B1 - 1.0) <= max(error, 4.0 * _EPS):
        return None
    return 1 if B1 > 1.0 else -1


def _logarithms(a: Array, B1: float, exact: bool) -> tuple[float, float]:
    """Logarithms of a_1 and B', from what is missing to 1 where a_1 is close to it."""
    log_slope = math.log(a[1]) if a[1] > 0.0 else -math.inf
    log_growth = math.log(B1) if B1 > 0.0 else -math.inf
    if exact and a[1] > 0.9:
        missing = float(a[0] + a[2:].sum())
        if a[-32:].max() <= 1e-25 * missing:
            log_slope = math.log1p(-missing)
            if a[0] == 0.0:
                log_growth = math.log1p(float((np.arange(1, a.size - 1) * a[2:]).sum()))
    return log_slope, log_growth


def _degree(a: Array, activation: Activation, exact: bool) -> int | None:
    above = np.flatnonzero(a[1:]) + 1
    if not above.size:
        return None
    if exact:
        return int(above[0])
    # A coefficient within its error may be zero: then the lowest degree is not known.
    noise = 10.0 * max(activation.dual.error, activation.errors["A1"], 1e-15)
    return int(above[0]) if math.sqrt(a[above[0]]) > noise else None
