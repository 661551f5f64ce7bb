"""Which arithmetic holds a tolerance, and which pairs must be refined in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["TABLE_EDGE", "Arithmetic", "Demands", "Thresholds", "arithmetics"]

# Up to this many coordinates differences cost no more than products.
DIFFERENCE_COLUMNS = 16
# Errors of a product of coordinates, in units in the last place: three products of 11 bits each
# leave more of them than one of 24 bits.
_PRODUCT = 8.0
# Where pairs this near would have to be refined, other arithmetic is cheaper.
_NEAREST = 0.5
# Of a table: from which gap on it is used in float32, and by how many octaves it may vary there.
TABLE_EDGE = 2.0**-20
_TABLE_OCTAVES = 40.0


@dataclass(frozen=True)
class Arithmetic:
    """How squared distances are computed.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Type of coordinates and terms.
    differences : bool
        Whether coordinates are subtracted; if not, |q|² + |x|² - 2 q·x is computed.

    Examples
    --------
    >>> Arithmetic("float32", True).smallest, Arithmetic("float32", True).farthest
    (8.673617379884035e-19, 1099511627776.0)
    """

    dtype: Literal["float32", "float64"]
    differences: bool

    @property
    def unit(self) -> float:
        """The unit roundoff."""
        return 2.0**-24 if self.dtype == "float32" else 2.0**-53

    @property
    def smallest(self) -> float:
        """The smallest squared distance that is trusted, so that no quotient of two overflows."""
        return 2.0**-60 if self.dtype == "float32" else 2.0**-900

    @property
    def farthest(self) -> float:
        """The largest squared norm of a query, where examples have norms up to 1."""
        return 2.0**40 if self.dtype == "float32" else 2.0**100


@dataclass(frozen=True)
class Demands:
    """What a kernel and a lift ask of the arithmetic.

    Parameters
    ----------
    steepness : float
        Bound of |d ln K/d ln u|, twice: the exponent of a pure power.
    columns : int
        Number of coordinates.
    blur : float
        Error of the images before they are rounded, in units of the scaled coordinates.
    tolerance : float
        Relative error that sums may have.
    far_steepness : float, default=0
        The steepness in t = 2 - s beyond the equator, of a kernel with a table.
    octaves : float, default=0
        Logarithm base 2 of how much the table varies, but for the nearest gaps; inf where it
        changes its sign.
    table_start, far_start : float, default=0
        Gap, and gap from antipodes, where the table begins; 0 without a table.
    gap_unit : float, default=0.5
        The gap of two points at a squared distance of 1.
    """

    steepness: float
    columns: int
    blur: float
    tolerance: float
    far_steepness: float = 0.0
    octaves: float = 0.0
    table_start: float = 0.0
    far_start: float = 0.0
    gap_unit: float = 0.5


class Thresholds(NamedTuple):
    """Which pairs are refined: those with u < relative · (|q|² + |x|²) + absolute, or t < far.

    Parameters
    ----------
    relative : float
        Part of the squared norms.
    absolute : float
        Squared distance, in units of the scaled coordinates.
    far : float
        Distance t = 2 - s of the gap from antipodes, for kernels with a profile.
    """

    relative: float
    absolute: float
    far: float


def arithmetics(demands: Demands) -> Iterator[tuple[Arithmetic, Thresholds]]:
    """Give the arithmetic that holds a tolerance, the cheapest first.

    A sum may be wrong by half of the tolerance because of the distances and by half because of
    what is done with them. Of the distances, a rounded coordinate moves u by 2 √u (|q| + |x|) ε,
    and |q|² + |x|² - 2 q·x by some units in the last place of the squares; what the one and the
    other do to the kernel is half of its steepness times that. Pairs nearer than the resulting
    part of |q|² + |x|² are to be refined. Where this part is large, or the steepness multiplies
    the rounding of u itself beyond the tolerance, the arithmetic is left out.

    Parameters
    ----------
    demands : Demands
        What is asked.

    Yields
    ------
    arithmetic : Arithmetic
        Arithmetic that holds the tolerance.
    thresholds : Thresholds
        The pairs for which it does not.

    Examples
    --------
    >>> for exponent in (3.0, 40.0, 800.0):
    ...     demands = Demands(exponent, 32, 1e-16, 1e-5)
    ...     print([f"{a.dtype} {a.differences}" for a, _ in arithmetics(demands)])
    ['float32 False', 'float32 True', 'float64 False']
    ['float64 False']
    ['float64 False']
    """
    few = demands.columns <= DIFFERENCE_COLUMNS
    forms = [] if few else [Arithmetic("float32", False)]
    forms.append(Arithmetic("float32", True))
    forms.append(Arithmetic("float64", few))
    for form in forms:
        thresholds = _thresholds(form, demands)
        if thresholds is not None:
            yield form, thresholds


def _thresholds(form: Arithmetic, demands: Demands) -> Thresholds | None:
    spread = math.sqrt(demands.columns)
    # Errors of independent roundings grow with the root of their number. A reciprocal root of a
    # GPU is off by two units in the last place, and it is taken twice.
    operations = 5.0 + (spread / 2.0 if form.differences else 0.0)
    steepness = max(demands.steepness, demands.far_steepness)
    if steepness / 2.0 * operations * form.unit > demands.tolerance / 2.0:
        return None
    single = form.dtype == "float32"
    if single and demands.octaves > _TABLE_OCTAVES:
        return None
    # Half of the tolerance is (steepness/2) ε (c/v + √8/√v) with v = u/(|q|² + |x|²).
    budget = demands.tolerance / form.unit / max(demands.steepness, 1.0)
    squares = 0.0 if form.differences else _PRODUCT + spread / 2.0
    root8 = math.sqrt(8.0)
    inverse = 2.0 * budget / (root8 + math.sqrt(8.0 + 4.0 * squares * budget))
    relative = inverse**-2
    if relative > _NEAREST:
        return None
    blurred = 4.0 * max(demands.steepness, 1.0) * demands.blur / demands.tolerance
    # Beyond the equator |q|² + |x|² is about u, which is at most 4 there.
    moved = 2.0 * (squares + root8 + operations) * form.unit
    far = demands.far_steepness * moved / demands.tolerance
    if far > _NEAREST:
        return None
    start = demands.table_start
    if start and single:
        start = max(start, TABLE_EDGE)
    absolute = max(form.smallest, blurred**2, start / demands.gap_unit)
    return Thresholds(relative, absolute, max(far, demands.far_start))
