r"""A radial kernel as a power of the gap times a table: what fast engines evaluate.

:math:`K(s) = (2s)^{-\alpha/2}\,P(s)`. The pure power has no table. For a limit kernel the factor
`P` is smooth and, near a gap of 0, periodic in its logarithm, so that a few polynomials for each
octave hold it; for a network of finite depth the exponent is 0 and `P` is the kernel itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from deeplimit.kernels.power import PowerKernel
from deeplimit.sums.engine import RadialKernel, evaluate
from deeplimit.sums.lift import Lift

__all__ = ["FAR", "FastProfile", "has_profile", "profile_of"]

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
        2^bits pieces to an octave.
    low : int
        The first piece begins at 2^low.
    error : float
        Largest error of the table found when it was checked, relative to the largest |P| within
        an octave.
    turns : bool
        Whether P grows towards a gap of 2.

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
        return FastProfile(kernel.exponent)
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
    probe = np.array([0.0, 0.15, 0.5, 0.85])
    found = table @ np.vander(probe, degree + 1, increasing=True).T
    wrong = np.abs(found - _both_ends(kernel, exponent, edges, widths, probe)).max(axis=1)
    # Where P changes its sign its neighbourhood says how large it is.
    size = maximum_filter1d(size.reshape(2, -1), 2 * 2**bits + 1, axis=1, mode="nearest").ravel()
    half = edges.size
    end = half + (-_LOW + int(np.log2(FAR))) * 2**bits
    return FastProfile(
        exponent,
        np.ascontiguousarray(table),
        bits,
        _LOW,
        float(np.max(wrong / size)),
        # A kernel that is finite at a gap of 2 has settled there.
        bool(size[half] > 1.5 * size[end + 4 * 2**bits]),
    )


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
