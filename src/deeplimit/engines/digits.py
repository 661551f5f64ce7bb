"""What single and double precision can be trusted with."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.engines.packed import Precision
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums

__all__ = [
    "LIMITS",
    "Limits",
    "at_once",
    "close",
    "image_size",
    "lost",
    "steepest",
    "weights_fit",
]

# The worst distance by products may err by so many tolerances: in tests the root mean square of the
# errors is a seventh of the worst, and it is sums that must be within the tolerance.
_WORST = 1.5
# Products of weights and kernels beyond it might overflow in single precision when they are added.
_WIDEST = 1e34
# Queries of a task, and numbers of their sums: these are fewer where there are many classes.
_QUERIES, _CELLS = 256, 2**22


class Limits(NamedTuple):
    """What a precision can be trusted with.

    Parameters
    ----------
    eps : float
        Unit roundoff.
    tolerance : float
        Error of a kernel's value, relative.
    floor : float
        Squares below it have lost digits, or their quotients might.
    steepness : float
        The largest, of a kernel, at which the rounding of u is still within the tolerance, where
        there are few columns.
    bits : int
        2^bits pieces of a table to an octave.
    table : float
        Error that a table may have.
    turning : float
        Where 2 less the gap is smaller it has too few digits for a kernel that varies there.
    weights : float
        Weights may differ by this factor, from each other and from 1: what is lost where a power
        comes down to the smallest number is then nothing beside the smallest weight.
    """

    eps: float
    tolerance: float
    floor: float
    steepness: float
    bits: int
    table: float
    turning: float
    weights: float


LIMITS: dict[Precision, Limits] = {
    "single": Limits(2.0**-24, 5e-6, 1e-20, 32.0, 5, 5e-6, 2.0**-4, 1e20),
    "double": Limits(2.0**-53, 1e-12, 1e-280, math.inf, 9, 1e-10, 2.0**-12, 1e200),
}


def steepest(precision: Precision, columns: int) -> float:
    """Give the largest steepness of a kernel that a precision is enough for.

    Parameters
    ----------
    precision : {"single", "double"}
        Precision.
    columns : int
        Number of coordinates: errors of independent roundings grow with the root of their number.

    Returns
    -------
    float

    Examples
    --------
    >>> steepest("single", 3), round(steepest("single", 400), 1)
    (32.0, 17.2)
    """
    limits = LIMITS[precision]
    rounding = 0.75 * limits.eps * (3.0 + math.sqrt(columns) / 2.0)
    if limits.steepness == math.inf:
        # The reference rounds just as much.
        return math.inf
    return min(limits.steepness, 2.0 * limits.tolerance / rounding)


def lost(steepness: float, precision: Precision, columns: int) -> float:
    """Give how near pairs may be whose distances are taken by products.

    Half of |q|² + |x|² - 2q·x is norms less some products, and off by the roundings of the partial
    sums, which are at first as large as the squared norms.

    Parameters
    ----------
    steepness : float
        Steepness of the kernel.
    precision : {"single", "double"}
        Precision.
    columns : int
        Number of coordinates.

    Returns
    -------
    float
        Least u/(|q|² + |x|²) at which the kernel's error is within 1.5 tolerances. The error of u
        is taken to be (4.5 + 1.25√D)·ε of the norms: in tests on eight kinds of data, columns of
        very different sizes among them, the worst was 8 for up to 30 columns, 11 for 60 and 100,
        and 14 for 768.

    Examples
    --------
    >>> round(lost(3.0, "single", 30), 2), round(lost(3.0, "double", 30), 4)
    (0.14, 0.0013)
    """
    limits = LIMITS[precision]
    error = (4.5 + 1.25 * math.sqrt(columns)) * limits.eps
    return max(steepness, 0.5) / 2.0 * error / (_WORST * limits.tolerance)


def weights_fit(
    weight: NDArray[np.float64] | None,
    precision: Precision,
    table: NDArray[np.floating] | None = None,
) -> bool:
    """Say whether weights can be summed in a precision.

    Parameters
    ----------
    weight : ndarray of shape (n,) or None
        Weights.
    precision : {"single", "double"}
        Precision.
    table : ndarray of shape (rows, 4), optional
        What they are multiplied by is up to as large as the numbers of its first column.

    Returns
    -------
    bool

    Examples
    --------
    >>> weights_fit(np.array([1e-15, 0.0, 1e15]), "single")
    False
    >>> weights_fit(np.array([1e15]), "single", np.array([[1e20, 0.0, 0.0, 0.0]]))
    False
    """
    positive = None if weight is None else weight[weight > 0]
    if positive is None or not positive.size:
        return True
    least, most, factor = positive.min(), positive.max(), LIMITS[precision].weights
    if table is not None and precision == "single":
        values = np.abs(table[:, 0]).astype(np.float64)
        if values.max() * most > _WIDEST or values.min() * least < 1.0 / _WIDEST:
            return False
    return bool(least > 1 / factor and most < factor and most / factor < least)


def image_size(lift: Lift, precision: Precision) -> float:
    """Give the norm at which the rounding of a precision is that of the images themselves.

    Parameters
    ----------
    lift : Lift
        Fitted lift: on the sphere all but one round their images, to float64, at a norm of 1
        however near to the middle of the others these are.
    precision : {"single", "double"}
        Precision.

    Returns
    -------
    float
        0 if the images are exact.

    Examples
    --------
    >>> from deeplimit.sums import fit_lift
    >>> image_size(fit_lift([[0.0], [1.0]]), "double")
    2.0
    """
    return 0.0 if lift.exact else 2.0 * LIMITS["double"].eps / LIMITS[precision].eps


def at_once(cells: int) -> int:
    """Give how many queries a task sums.

    Parameters
    ----------
    cells : int
        Numbers that are kept for each.

    Returns
    -------
    int
        A multiple of 8.

    Examples
    --------
    >>> at_once(3), at_once(100_000)
    (256, 40)
    """
    return max(8, min(_QUERIES, _CELLS // max(cells, 1) // 8 * 8))


def close(sums: PartialSums) -> NDArray[np.bool_]:
    """Say for which queries sums of single precision might decide otherwise than exact ones.

    Parameters
    ----------
    sums : PartialSums
        Of shape (m, n_classes).

    Returns
    -------
    ndarray of bool, shape (m,)
    """
    return sums.decide(tolerance=8.0 * LIMITS["single"].tolerance).tied
