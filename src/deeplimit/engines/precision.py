"""Which arithmetic holds a tolerance, and which pairs must be refined in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = [
    "BLOCK",
    "DIFFERENCE_COLUMNS",
    "TABLE_EDGE",
    "Arithmetic",
    "Demands",
    "Thresholds",
    "arithmetics",
]

# Up to this many coordinates differences cost no more than products.
DIFFERENCE_COLUMNS = 16
# Errors of a product of coordinates, in units in the last place.
_PRODUCT = 8.0
# Of halves: so many columns are multiplied before their sum is rounded as float32 is; so many make
# a step of the tensor cores; and the errors beside those of the steps, in units in the last place:
# the product of the small parts that is left out, norms, and the sum of all.
BLOCK = 64
_STEP, _HALVES = 16, 4.0
# Coordinates in halves have 22 bits and are at most 2^15: the least part of a norm that is kept.
_GRAIN = 2.0**-39
# Where pairs this near would have to be refined, other arithmetic is cheaper.
_NEAREST = 0.5
# Part of the tolerance that is left to distances at least, and that may be spent at most.
_DISTANCES, _SPENT = 0.5, 0.85
# Errors of a GPU's quick logarithm and power of two, in units in the last place.
_LOGARITHM, _EXPONENTIAL = 3.5, 4.0
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
    halves : bool, default=False
        Whether a coordinate is the sum of two numbers of 11 bits, for tensor cores to multiply.

    Examples
    --------
    >>> Arithmetic("float32", True).smallest, Arithmetic("float32", True).farthest
    (8.673617379884035e-19, 1099511627776.0)
    """

    dtype: Literal["float32", "float64"]
    differences: bool
    halves: bool = False

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
    whole : bool, default=True
        Whether the exponent is an integer, so that no logarithm is needed.
    magnitudes : float, default=13
        Logarithm base 2 of the places of a chunk, times the ratio of its weights.
    step_error : float, default=4
        What a step of tensor cores may lose, in units in the last place of |q|² + |x|².
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
    whole: bool = True
    magnitudes: float = 13.0
    step_error: float = 4.0


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
    grain : float, default=0
        What is added to `absolute`, as a part of the largest squared norm of a chunk.
    quick : bool, default=False
        Whether a GPU's quick logarithm will do.
    """

    relative: float
    absolute: float
    far: float
    grain: float = 0.0
    quick: bool = False


def arithmetics(
    demands: Demands, *, halves: bool = False
) -> Iterator[tuple[Arithmetic, Thresholds]]:
    """Give the arithmetic that holds a tolerance, the cheapest first.

    A sum may be wrong by half of the tolerance because of the distances and by half because of
    what is done with them; what the latter leaves is the distances', save a reserve. Of them, a
    rounded coordinate moves u by 2 √u (|q| + |x|) ε, and |q|² + |x|² - 2 q·x by some units in the
    last place of the squares; what the one and the other do to the kernel is half of its steepness
    times that. Pairs nearer than the resulting part of |q|² + |x|² are to be refined. Where this
    part is large, or the steepness multiplies the rounding of u itself beyond the tolerance, the
    arithmetic is left out.

    Tensor cores add 16 products of halves to a sum in one step, and cut off what lies below its
    last place instead of rounding it, always towards 0. So a sum of products loses up to
    `step_error` units a step, and is taken over by float32 after a block of columns.

    A quick logarithm L of a ratio of distances is wrong by 2^-22 of max(1, |L|), which steepness
    α/2 multiplies. Terms that are 2^(-Lα/2) of the largest matter only if there are so many of
    them, and of so much weight, that Lα/2 is at most the logarithm of that: `magnitudes`.

    Parameters
    ----------
    demands : Demands
        What is asked.
    halves : bool, default=False
        Whether products are those of halves on tensor cores.

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
    forms = [] if few else [Arithmetic("float32", False, halves)]
    forms.append(Arithmetic("float32", True))
    forms.append(Arithmetic("float64", few))
    for form in forms:
        for quick in (True, False):
            thresholds = _thresholds(form, demands, quick)
            if thresholds is not None:
                yield form, thresholds
                break


def _thresholds(form: Arithmetic, demands: Demands, quick: bool) -> Thresholds | None:
    single, spread = form.dtype == "float32", math.sqrt(demands.columns)
    if quick and (demands.whole or not single):
        return None
    # Errors of independent roundings grow with the root of their number. A reciprocal root of a
    # GPU is off by two units in the last place, and it is taken twice.
    operations = 5.0 + (spread / 2.0 if form.differences else 0.0)
    steepness = max(demands.steepness, demands.far_steepness)
    spent = steepness / 2.0 * operations * form.unit / demands.tolerance
    if quick:
        large = max(steepness / 2.0, demands.magnitudes)
        spent += (_EXPONENTIAL + _LOGARITHM * large) * form.unit / demands.tolerance
    if spent > 1.0 - _DISTANCES:
        return None
    if single and demands.octaves > _TABLE_OCTAVES:
        return None
    # A table may itself be wrong by a quarter of the tolerance.
    share = max(_DISTANCES, _SPENT - spent - (0.25 if demands.table_start else 0.0))
    # This share is (steepness/2) ε (c/v + r/√v) with v = u/(|q|² + |x|²); r is √8 for coordinates
    # that are rounded to ε, twice as much for halves.
    budget = 2.0 * share * demands.tolerance / form.unit / max(demands.steepness, 1.0)
    squares = 0.0 if form.differences else _PRODUCT + spread / 2.0
    root = math.sqrt(8.0)
    if form.halves:
        block = min(BLOCK, -(-demands.columns // _STEP) * _STEP)
        squares, root = _HALVES + demands.step_error * block / _STEP, 2.0 * root
    inverse = 2.0 * budget / (root + math.sqrt(root**2 + 4.0 * squares * budget))
    relative = inverse**-2
    if relative > _NEAREST:
        return None
    steep = 4.0 * max(demands.steepness, 1.0) / demands.tolerance
    # Beyond the equator |q|² + |x|² is about u, which is at most 4 there.
    moved = 2.0 * (squares + root + operations) * form.unit
    far = demands.far_steepness * moved / demands.tolerance
    if far > _NEAREST:
        return None
    start = demands.table_start
    if start and single:
        start = max(start, TABLE_EDGE)
    absolute = max(form.smallest, (steep * demands.blur) ** 2, start / demands.gap_unit)
    grain = (2.0 * steep * _GRAIN * spread) ** 2 if form.halves else 0.0
    return Thresholds(relative, absolute, max(far, demands.far_start), grain, quick)
