r"""A radial kernel as a power of the gap times a table: what fast engines evaluate.

:math:`K(s) = (2s)^{-\alpha/2}\,P(s)`. The pure power has no table. For a limit kernel the factor
`P` is smooth and, near a gap of 0, periodic in its logarithm, so that a few polynomials for each
octave hold it; for a network of finite depth the exponent is 0 and `P` is the kernel itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from deeplimit.engines.digits import LIMITS
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums.engine import RadialKernel, evaluate
from deeplimit.sums.lift import Lift

__all__ = ["DEGREE", "FAR", "FastProfile", "double_profile", "has_profile", "profile_of"]

Floats = NDArray[np.float64]

#: Degree of the pieces that the compiled loops look up.
DEGREE = 3

# Octaves of the table: gaps, or 2 less the gap, from 2^-52 to 1. What is nearer is left to the
# reference by any engine.
_LOW = -52
#: A gap near 2 is known to 2^-52 alone: where 2 less the gap is smaller than this the table is
#: flat, and the pair is the reference's.
FAR = 2.0**-12
# Beyond this ratio the table of P would leave the range of float32, and beyond that the sums of a
# table of K, times the weights, that of float64.
_LARGEST, _LARGEST_WHOLE = 1e30, 1e90
# Tables of double precision are made of finer pieces where they would be wrong by more.
_FINE = 2e-12
# A kernel may take long: tables of more pieces than these are read from one of a high degree.
_COARSE_BITS, _COARSE_DEGREE = 7, 6


@dataclass(frozen=True, eq=False)
class FastProfile:
    """A kernel (2s)^(-exponent/2)·P(s) of the gap s.

    Parameters
    ----------
    exponent : float
        Exponent, nonnegative.
    table : ndarray of shape (2·rows, degree + 1) or None
        Coefficients of P, lowest first, on pieces of the gap up to 1 and then on pieces of 2 less
        the gap; None if P is 1.
    bits : int
        2^bits pieces to an octave.
    low : int
        The first piece begins at 2^low.
    error : float
        Largest error of the table found when it was checked, relative to |P| or, if P is signed, to
        the largest |P| within an eighth of an octave.
    turns : bool
        Whether P goes on growing, or vanishing, towards a gap of 2.
    steepness : float
        Bound of |d ln K/d ln r| in the distance r = √(2s); beyond r = 1/2, where an error of r
        weighs less, of 1/(2r) times that. If P is signed, relative to the largest |K| within an
        eighth of an octave, and beyond r = 1/8 of 1/(8r) times that: in double precision, the only
        one for such kernels, no pair farther apart is at stake.
    signed : bool
        Whether P changes its sign, around which the relative error of a value has no bound.

    Examples
    --------
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> profile_of(PowerKernel(3.0), fit_lift([[0.0], [1.0]]), degree=3, bits=3).exponent
    3.0
    """

    exponent: float
    table: Floats | None = None
    bits: int = 0
    low: int = _LOW
    error: float = 0.0
    turns: bool = False
    steepness: float = 0.0
    signed: bool = False


def profile_of(
    kernel: RadialKernel, lift: Lift, *, degree: int, bits: int, whole: bool = False
) -> FastProfile:
    """Bring a kernel to the form that fast engines evaluate.

    Parameters
    ----------
    kernel : RadialKernel
        The kernel.
    lift : Lift
        Where it is to be used. Off the sphere gaps have no bound, and only the pure power has the
        form.
    degree : int
        Degree of the pieces of the table.
    bits : int
        2^bits pieces to an octave; if these are more than 128, twice as many where the table would
        be wrong by more than 2e-12.
    whole : bool, default=False
        Whether the table is to be that of K itself, with an exponent of 0, if K is within 1e90
        and 1e-90 but for changes of its sign. It is looked up in less time than a power takes.

    Returns
    -------
    FastProfile

    Raises
    ------
    ValueError
        If the kernel has no such form: the reference engine then serves.

    Examples
    --------
    >>> import deeplimit as dl
    >>> from deeplimit.sums import fit_lift
    >>> lift = fit_lift([[0.6, 0.8], [1.0, 0.0]])
    >>> profile = profile_of(dl.LimitKernel("5d_opt"), lift, degree=6, bits=5)
    >>> profile.exponent, profile.error < 1e-12
    (4.0, True)
    """
    if isinstance(kernel, PowerKernel):
        return FastProfile(kernel.exponent, steepness=kernel.exponent)
    if not lift.on_sphere:
        raise ValueError(
            f"off the sphere the fast engines know the pure power alone, {kernel!r} was got: "
            'use the engine "reference"'
        )
    exponent = 0.0 if whole else _exponent(kernel)
    coarse, largest = bits > _COARSE_BITS, _LARGEST_WHOLE if whole else _LARGEST
    # What is too large or too small is found out below.
    with np.errstate(all="ignore"):
        found = _fit(
            partial(_values, kernel, exponent),
            _Pieces.of(min(bits, _COARSE_BITS)),
            _COARSE_DEGREE if coarse else degree,
            _LARGEST_WHOLE if whole else np.inf,
        )
    most, least, deep = found.size.max(), found.size.min(), 2.0**found.pieces.low < FAR
    if not (most < largest and least > 1.0 / largest and deep):
        if whole:
            return profile_of(kernel, lift, degree=degree, bits=bits)
        raise ValueError(
            f"the values of {kernel!r} span too wide a range for the fast engines: "
            'use the engine "reference"'
        )
    error = found.error
    if coarse:
        read, low = partial(_read, found), found.pieces.low
        found = _fit(read, _Pieces.of(bits, low), degree)
        if error + found.error > _FINE:
            bits += 1
            found = _fit(read, _Pieces.of(bits, low), degree)
        error += found.error
    at = (np.log2(FAR * np.array([1.0, 16.0])) - found.pieces.low).astype(int) * 2**bits
    turning = found.size[1, at[0]] / found.size[1, at[1]]
    return FastProfile(
        exponent,
        found.table.reshape(-1, degree + 1),
        bits,
        found.pieces.low,
        error,
        # A kernel that is finite at a gap of 2 has settled there.
        bool(not 1 / 1.5 <= turning <= 1.5),
        _steepness(found, exponent),
        found.signed,
    )


def double_profile(kernel: RadialKernel, lift: Lift) -> FastProfile:
    """Bring a kernel to the form that double precision evaluates.

    Parameters
    ----------
    kernel : RadialKernel
        The kernel.
    lift : Lift
        Where it is to be used.

    Returns
    -------
    FastProfile
        If it has a table, one of cubics. Its error may be too large.

    Raises
    ------
    ValueError
        If the kernel has no such form.

    Examples
    --------
    >>> import deeplimit as dl
    >>> from deeplimit.sums import fit_lift
    >>> lift = fit_lift([[0.6, 0.8], [1.0, 0.0]])
    >>> found = double_profile(dl.LimitKernel("5d_opt"), lift)
    >>> found.exponent, found.table.shape[1], found.error < 1e-11
    (0.0, 4, True)
    """
    return profile_of(kernel, lift, degree=DEGREE, bits=LIMITS["double"].bits, whole=True)


def has_profile(kernel: RadialKernel, lift: Lift) -> bool:
    """Say whether fast engines can evaluate a kernel.

    Parameters
    ----------
    kernel : RadialKernel
        The kernel.
    lift : Lift
        Where it is to be used.

    Returns
    -------
    bool

    Examples
    --------
    >>> import deeplimit as dl
    >>> from deeplimit.sums import fit_lift
    >>> has_profile(dl.PowerKernel(2.0), fit_lift([[0.0], [1.0]], "euclidean"))
    True
    >>> has_profile(dl.LimitKernel("erf"), fit_lift([[0.0], [1.0]], "euclidean"))
    False
    """
    if isinstance(kernel, PowerKernel):
        return True
    try:
        return double_profile(kernel, lift).error <= LIMITS["double"].table
    except ValueError:
        return False


def _exponent(kernel: RadialKernel) -> float:
    """Give the exponent a kernel states, or the slope of its logarithm near a gap of 0."""
    stated = getattr(kernel, "exponent", None)
    if stated is not None:
        return float(stated)
    low, high = 2.0**-50, 2.0**-40
    logs = np.asarray(evaluate(kernel, np.array([low, high]))[0])
    slope = -(logs[1] - logs[0]) / np.log(high / low)
    # A kernel that is finite at 0 is no power; what is left of a slope there is its own business.
    return float(max(0.0, round(2.0 * slope, 6))) if np.isfinite(slope) and slope > 1e-3 else 0.0


class _Pieces(NamedTuple):
    """Where the pieces of a table begin, and how wide they are; the last begins at a gap of 1."""

    edges: Floats
    widths: Floats
    bits: int
    low: int

    @classmethod
    def of(cls, bits: int, low: int = _LOW) -> Self:
        """Give 2^bits pieces to an octave, from 2^low on."""
        count = 2**bits
        octaves = 2.0 ** np.arange(low, 0)[:, None]
        edges = np.append((octaves * (1.0 + np.arange(count) / count)).ravel(), 1.0)
        return cls(edges, np.append(np.repeat(octaves.ravel(), count), 1.0) / count, bits, low)

    def gaps(self, places: Floats) -> Floats:
        """Give the gaps at some places, in [0, 1], of each piece."""
        return np.asarray(self.edges[:, None] + self.widths[:, None] * places)


class _Fit(NamedTuple):
    """Polynomials of P on the pieces of the gap, and then of 2 less the gap.

    They have the shape (2, rows, degree + 1). `size` (2, rows) is the largest |P| of each piece;
    `near` is that or, where P changes its sign, the largest within an eighth of an octave.
    """

    pieces: _Pieces
    table: Floats
    size: Floats
    near: Floats
    signed: bool
    error: float


Source = Callable[[Floats], Floats]


def _fit(source: Source, pieces: _Pieces, degree: int, largest: float = np.inf) -> _Fit:
    """Fit polynomials to P, and check them.

    Parameters
    ----------
    source : callable
        Gives P(s) and P(2 - s) of some gaps s up to 1, with one axis more in front.
    pieces : _Pieces
        The pieces.
    degree : int
        Degree of the polynomials.
    largest : float, default=inf
        The octaves up to the last one with a larger value near a gap of 0 are left out: pairs
        nearer than the table reaches are the reference's.

    Returns
    -------
    _Fit
    """
    nodes = (1.0 - np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))) / 2.0
    values = source(pieces.gaps(nodes))
    over = np.flatnonzero(np.abs(values[0]).max(axis=1) >= largest)
    if over.size:
        octaves = min(int(over[-1]) // 2**pieces.bits + 1, -pieces.low - 1)
        pieces = _Pieces.of(pieces.bits, pieces.low + octaves)
        values = values[:, -pieces.edges.size :]
    table = values @ np.linalg.inv(np.vander(nodes, increasing=True)).T
    if source(np.ones(1))[0, 0] == 0.0:
        # Rows at a right angle weigh nothing, rather than what a fit leaves there, and those near
        # to it little: the pieces that end there pass through zero.
        ends = (nodes - nodes[0]) / (nodes[-1] - nodes[0])
        through = source(pieces.gaps(ends)[-2:])
        through = through @ np.linalg.inv(np.vander(ends, increasing=True)).T
        through[0, 1, 0] = 0.0
        through[:, 0, -1] -= through[:, 0].sum(axis=1)
        table[0, -2:], table[1, -2] = through[0], through[1, 0]
    probe = np.array([0.0, 0.15, 0.5, 0.85])
    wrong = np.abs(
        table @ np.vander(probe, degree + 1, increasing=True).T - source(pieces.gaps(probe))
    )
    # Of the last piece only the beginning is used, beyond the equator not even that; and pairs of
    # the first octave are too near.
    wrong[0, -1, 1:] = wrong[1, -1] = wrong[0, : 2**pieces.bits] = 0.0
    size, signed = np.abs(values).max(axis=2), bool(values.min() < 0.0)
    span = 2**pieces.bits // 4 + 1 if signed else 1
    near = maximum_filter1d(size, span, axis=1, mode="nearest")
    error = float(np.max(wrong.max(axis=2) / near))
    return _Fit(pieces, table, size, near, signed, error)


def _values(kernel: RadialKernel, exponent: float, t: Floats) -> Floats:
    """Give P at some gaps t, and at 2 - t."""
    s = np.stack([t, 2.0 - np.maximum(t, FAR)])
    logs, signs = evaluate(kernel, s.ravel())
    values = np.exp(logs + exponent / 2.0 * np.log(2.0 * s.ravel()))
    if np.isnan(values).any():
        raise ValueError(f"{kernel!r} is NaN at some gap between 0 and 2")
    return np.asarray((values if signs is None else values * signs).reshape(s.shape))


def _read(fit: _Fit, t: Floats) -> Floats:
    """Give what polynomials are at some gaps t, and at 2 - t."""
    mantissa, octave = np.frexp(t)
    count = 2**fit.pieces.bits
    place = (2.0 * mantissa - 1.0) * count
    row = (octave - 1 - fit.pieces.low) * count + place.astype(int)
    place -= np.floor(place)
    values = fit.table[:, row, -1]
    for k in range(fit.table.shape[2] - 2, -1, -1):
        values = values * place + fit.table[:, row, k]
    return np.asarray(values)


def _steepness(fit: _Fit, exponent: float) -> float:
    """Bound the change of K with the distance, as `FastProfile` says."""
    places = np.array([0.0, 0.5, 1.0])
    powers = np.arange(1, fit.table.shape[2])
    change = (fit.table[0, :, 1:] * powers) @ (places ** (powers - 1)[:, None])
    gaps, reach = fit.pieces.gaps(places), 0.125 if fit.signed else 0.5
    slopes = 2.0 * gaps / fit.pieces.widths[:, None] * change / fit.near[0, :, None] - exponent
    return float(np.max(np.abs(slopes) * np.minimum(1.0, reach / np.sqrt(2.0 * gaps))))
