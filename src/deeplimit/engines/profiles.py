r"""A radial kernel as a power of the gap times a table: what fast engines evaluate.

:math:`K(s) = (2s)^{-\alpha/2}\,P(s)`. The pure power has no table. For a limit kernel the factor
`P` is smooth and, near a gap of 0, periodic in its logarithm, so that a few polynomials for each
octave hold it; for a network of finite depth the exponent is 0 and `P` is the kernel itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from deeplimit.kernels.power import PowerKernel
from deeplimit.sums.engine import RadialKernel, evaluate
from deeplimit.sums.lift import Lift

__all__ = ["FAR", "FastProfile", "has_profile", "polynomial_of", "profile_of"]

Floats = NDArray[np.float64]

#: Largest error of a table of degree 6 that stands for its kernel in double precision.
TABLE_TOLERANCE = 1e-10

# Octaves of the table: gaps, or 2 less the gap, from 2^-52 to 1. What is nearer is left to the
# reference by any engine.
_LOW = -52
#: A gap near 2 is known to 2^-52 alone: where 2 less the gap is smaller than this the table is
#: flat, and the pair is the reference's.
FAR = 2.0**-12
# Beyond this ratio the table would leave the range of float32.
_LARGEST = 1e30


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
        2^bits pieces to an octave; -1 for the form of `polynomial_of`.
    low : int
        The first piece begins at 2^low.
    error : float
        Largest error of the table found when it was checked, relative to the largest |P| within
        an octave.
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


def profile_of(kernel: RadialKernel, lift: Lift, *, degree: int, bits: int) -> FastProfile:
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
        2^bits pieces to an octave.

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
    exponent = _exponent(kernel)
    edges, widths = _pieces(bits)
    nodes = (1.0 - np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))) / 2.0
    to_coefficients = np.linalg.inv(np.vander(nodes, increasing=True))
    values = _both_ends(kernel, exponent, edges, widths, nodes)
    size = np.abs(values).max(axis=1)
    reach = max(float(size.max()), np.finfo(np.float64).tiny)
    if not (np.isfinite(reach) and reach < _LARGEST and size.min() > 1.0 / _LARGEST):
        raise ValueError(
            f"the values of {kernel!r} span too wide a range for the fast engines: "
            'use the engine "reference"'
        )
    table = values @ to_coefficients.T
    log, sign = evaluate(kernel, np.ones(1))
    if np.isneginf(log[0]) or (sign is not None and sign[0] == 0):
        # Rows at a right angle weigh nothing, rather than what a fit leaves there, and those near
        # to it little: the pieces that end there pass through zero.
        last, ends = edges.size - 1, (nodes - nodes[0]) / (nodes[-1] - nodes[0])
        through = _both_ends(kernel, exponent, edges[-2:], widths[-2:], ends)
        before, table[last], beyond, _ = through @ np.linalg.inv(np.vander(ends, increasing=True)).T
        table[last, 0] = 0.0
        for row, fitted in ((last - 1, before), (last + edges.size - 1, beyond)):
            fitted[-1] -= fitted.sum()
            table[row] = fitted
    probe = np.array([0.0, 0.15, 0.5, 0.85])
    found = table @ np.vander(probe, degree + 1, increasing=True).T
    wrong = np.abs(found - _both_ends(kernel, exponent, edges, widths, probe)).max(axis=1)
    # Where P changes its sign its neighbourhood says how large it is.
    signed = bool(values.min() < 0.0)
    span = 2 ** (bits - 2) + 1 if signed else 1
    near = maximum_filter1d(size.reshape(2, -1), span, axis=1, mode="nearest")
    size = maximum_filter1d(size.reshape(2, -1), 2 * 2**bits + 1, axis=1, mode="nearest").ravel()
    half = edges.size
    end = half + (-_LOW + int(np.log2(FAR))) * 2**bits
    turning = size[half] / size[end + 4 * 2**bits]
    return FastProfile(
        exponent,
        np.ascontiguousarray(table),
        bits,
        _LOW,
        float(np.max(wrong / size)),
        # A kernel that is finite at a gap of 2 has settled there.
        bool(not 1 / 1.5 <= turning <= 1.5),
        _steepness(exponent, table[:half], near[0], edges, widths, 0.125 if signed else 0.5),
        signed,
    )


def polynomial_of(kernel: RadialKernel, lift: Lift, *, degree: int) -> FastProfile | None:
    """Bring a kernel that is finite at both ends to two polynomials, if they do.

    The kernels of networks of finite depth are analytic in the roots of the gap and of 2 less the
    gap, each up to beyond a gap of 1. A polynomial takes no look-up, which vectors do not do well.

    Parameters
    ----------
    kernel : RadialKernel
        The kernel.
    lift : Lift
        Where it is to be used.
    degree : int
        Degree of the polynomials.

    Returns
    -------
    FastProfile or None
        With `bits` of -1: P is a polynomial in the root of the gap up to 1, the first row of the
        table, and in the root of 2 less the gap beyond, the second row. None if the kernel is
        singular or off the sphere. The error is that of an evaluation in float32.

    Examples
    --------
    >>> import deeplimit as dl
    >>> from deeplimit.sums import fit_lift
    >>> lift = fit_lift([[0.6, 0.8], [1.0, 0.0]])
    >>> found = polynomial_of(dl.NetworkKernel("relu", 3), lift, degree=12)
    >>> found.table.shape, found.error < 1e-6
    ((2, 13), True)
    >>> polynomial_of(dl.LimitKernel("5d_opt"), lift, degree=12) is None
    True
    """
    if isinstance(kernel, PowerKernel) or not lift.on_sphere or _exponent(kernel) > 0.0:
        return None
    nodes = (1.0 - np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))) / 2.0
    ends = np.array([_roots(kernel, nodes, far=far) for far in (False, True)])
    # Around a change of sign a table is better.
    if not (ends.max() < _LARGEST and ends.min() > 0.0):
        return None
    places = (2.0 ** -np.arange(0.0, -_LOW / 2.0, 1 / 64)).astype(np.float32)
    table, errors, steepness = np.empty((2, degree + 1)), [], 0.0
    for far, values in enumerate(ends):
        # Fitted in Chebyshev polynomials and then expanded: the powers alone are too alike.
        fitted = np.polynomial.Chebyshev.fit(nodes, values, degree, domain=[0.0, 1.0])
        table[far] = fitted.convert(kind=np.polynomial.Polynomial).coef
        probe = places[places**2 >= FAR] if far else places
        exact = _roots(kernel, probe, far=bool(far))
        size = np.maximum(exact, 1.0 / _LARGEST)
        found = np.polynomial.polynomial.polyval(probe, table[far].astype(np.float32))
        errors.append(float(np.max(np.abs(found - exact) / size)))
        if not far:
            slope = np.polynomial.polynomial.polyder(table[far])
            change = np.abs(probe * np.polynomial.polynomial.polyval(probe, slope)) / size
            steepness = float(np.max(change * np.minimum(1.0, 0.5 / (np.sqrt(2.0) * probe))))
        else:
            turning = size[-1] / size[probe >= 2.0**-4][-1]
    return FastProfile(
        0.0, table, -1, _LOW, max(errors), bool(not 1 / 1.5 <= turning <= 1.5), steepness
    )


def _roots(kernel: RadialKernel, roots: NDArray[Any], *, far: bool) -> Floats:
    """Give the kernel where the root of the gap, or of 2 less the gap, is given."""
    gaps = roots.astype(np.float64) ** 2
    gaps = 2.0 - gaps if far else gaps
    logs, signs = evaluate(kernel, gaps)
    values = np.exp(logs)
    return values if signs is None else values * signs


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
        found = profile_of(kernel, lift, degree=6, bits=5)
    except ValueError:
        return False
    return found.error <= TABLE_TOLERANCE


def _steepness(
    exponent: float, table: Floats, size: Floats, edges: Floats, widths: Floats, reach: float
) -> float:
    """Bound the change of K with the distance, as `FastProfile` says."""
    places = np.array([0.0, 0.5, 1.0])
    powers = np.arange(1, table.shape[1])
    change = (table[:, 1:] * powers) @ (places ** (powers - 1)[:, None])
    gaps = edges[:, None] + widths[:, None] * places
    slopes = 2.0 * gaps / widths[:, None] * change / size[:, None] - exponent
    return float(np.max(np.abs(slopes) * np.minimum(1.0, reach / np.sqrt(2.0 * gaps))))


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


def _pieces(bits: int) -> tuple[Floats, Floats]:
    """Give the left ends and the widths of the pieces; the last one begins at a gap of 1."""
    count = 2**bits
    octaves = 2.0 ** np.arange(_LOW, 0)[:, None]
    edges = np.append((octaves * (1.0 + np.arange(count) / count)).ravel(), 1.0)
    return edges, np.append(np.repeat(octaves.ravel(), count), 1.0) / count


def _both_ends(
    kernel: RadialKernel, exponent: float, edges: Floats, widths: Floats, nodes: Floats
) -> Floats:
    """Give P at nodes of the pieces, for gaps up to 1 and then for 2 less the gap."""
    t = edges[:, None] + widths[:, None] * nodes
    parts = []
    for s in (t, 2.0 - np.maximum(t, FAR)):
        logs, signs = evaluate(kernel, s.ravel())
        with np.errstate(over="ignore"):
            values = np.exp(logs + exponent / 2.0 * np.log(2.0 * s.ravel()))
        if np.isnan(values).any():
            raise ValueError(f"{kernel!r} is NaN at some gap between 0 and 2")
        parts.append((values if signs is None else values * signs).reshape(t.shape))
    return np.concatenate(parts)
