"""What bounds a kernel sum over a cluster: weight, mean, deviations and radii."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments", "joined", "moments"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# Beyond so many dimensions the eigenvalues of a covariance cost more than they save.
_WIDEST = 128
# And beyond so many the variance along a line takes longer than a tenth of a search.
_WIDE = 12
_EPS = float(np.finfo(np.float64).eps)


class Moments(NamedTuple):
    """The moments of a cluster, or of N clusters with one more axis in front.

    Parameters
    ----------
    centre : ndarray of shape (D,)
        Weighted mean μ of the members, rounded.
    first, last : ndarray of shape (D,)
        Least and largest coordinates of the members.
    weight : float
        Sum of the weights.
    variance : float
        Mean V of ‖x - μ‖².
    spread : float
        Bound of the standard deviation of ‖x - μ‖².
    thin, thick : float
        Bounds of the standard deviation along any direction, from below and above.
    off : float
        Bound of the distance of μ to the exact mean.
    nearest, farthest : float
        Bounds of the distances of members to μ.
    form : ndarray of float32, shape (D(D + 1)/2,)
        Coefficients, row after row, of the sum over i ≤ j of c_ij a_i a_j, which of a unit vector a
        is the variance along it as a part of V: not bounded. None in more than 12 dimensions.
    """

    centre: Floats
    first: Floats
    last: Floats
    weight: Floats
    variance: Floats
    spread: Floats
    thin: Floats
    thick: Floats
    off: Floats
    nearest: Floats
    farthest: Floats
    form: NDArray[np.float32]

    @classmethod
    def stack(cls, parts: list[Moments], dimension: int) -> Moments:
        """Give the moments of many clusters as arrays.

        Parameters
        ----------
        parts : list of Moments
            The clusters, possibly none.
        dimension : int
            Number D of coordinates.

        Returns
        -------
        Moments
            Arrays of shape (N, D), (N,) and (N, D(D + 1)/2).
        """
        columns = zip(*parts, strict=True) if parts else ((),) * 12
        shapes = [(dimension,)] * 3 + [()] * 8 + [_products(dimension)[0].shape]
        arrays: list[Any] = [
            np.array(column, dtype=np.float64).reshape(len(parts), *shape)
            for column, shape in zip(columns, shapes, strict=True)
        ]
        arrays[-1] = arrays[-1].astype(np.float32)
        return cls(*arrays)


def moments(cluster: Floats, mass: Floats) -> Moments:
    """Compute the moments of a cluster from its members.

    Parameters
    ----------
    cluster : ndarray of shape (m, D)
        The members; none give zeros.
    mass : ndarray of shape (m,)
        Their weights, positive.

    Returns
    -------
    Moments
        Radii and deviations up to roundings of a relative (D + 64) ulp.

    Examples
    --------
    >>> found = moments(np.array([[0.0], [4.0]]), np.array([3.0, 1.0]))
    >>> found.centre.tolist(), float(found.variance), float(found.nearest), float(found.farthest)
    ([1.0], 3.0, 1.0, 3.0)
    """
    m, d = cluster.shape
    if m == 0:
        zero = np.zeros(())
        form = np.zeros(_products(d)[0].size, dtype=np.float32)
        return Moments(np.zeros(d), np.zeros(d), np.zeros(d), *(zero,) * 8, form)
    weight = np.asarray(np.sum(mass))
    share = mass / weight
    # From a member, not from the origin: an offset would cost digits.
    centre = cluster[0] + _mean(cluster - cluster[0], share)
    apart = cluster - centre
    squares = np.sum(apart * apart, axis=1)
    variance = np.sum(share * squares)
    # In units of the largest, whose square would overflow.
    unit = np.max(squares) or 1.0
    spread = unit * np.sqrt(np.sum(share * ((squares - variance) / unit) ** 2))
    distances = np.sqrt(squares)
    lost = (d + 64) * _EPS * np.sqrt(variance)
    # By roots: a quotient would overflow where the variance is next to nothing.
    scaled = apart * (np.sqrt(share) / np.sqrt(variance or 1.0))[:, None]
    thin, thick = _extent(scaled, variance)
    i, j, times = _products(d)
    return Moments(
        centre=centre,
        first=np.min(cluster, axis=0),
        last=np.max(cluster, axis=0),
        weight=weight,
        variance=variance,
        spread=spread + lost * np.max(distances),
        thin=thin,
        thick=thick,
        off=np.linalg.norm(_mean(apart, share)) + lost,
        nearest=np.min(distances),
        farthest=np.max(distances),
        form=((scaled.T @ scaled)[i, j] * times if i.size else times).astype(np.float32),
    )


def joined(parts: Moments, before: Moments) -> Moments:
    """Give the moments of the union of clusters that was another union before.

    Nothing is subtracted, and what is bounded is bounded by the parts alone: however often a
    part changes, nothing adds up.

    Parameters
    ----------
    parts : Moments
        Of the parts, arrays with one axis more; all of positive weight.
    before : Moments
        Of a cluster that holds at least the members of the parts.

    Returns
    -------
    Moments
        Of the union: bounds may be wider than those of `moments`, never narrower.

    Examples
    --------
    >>> parts = [moments(np.array([[x]]), np.ones(1)) for x in (0.0, 4.0)]
    >>> before = moments(np.array([[0.0], [4.0], [8.0]]), np.ones(3))
    >>> found = joined(Moments.stack(parts, 1), before)
    >>> found.centre.tolist(), float(found.variance)
    ([2.0], 4.0)
    """
    weight = np.asarray(np.sum(parts.weight))
    share = parts.weight / weight
    slack = 16 * before.centre.size * _EPS
    # From the old centre, not from the origin: an offset would cost digits.
    centre = before.centre + share @ (parts.centre - before.centre)
    apart = parts.centre - centre
    distance = np.sqrt(np.sum(apart * apart, axis=1))
    reach = distance * (1.0 + slack) + parts.off
    within = parts.variance + distance**2
    variance = share @ within
    off = np.linalg.norm(share @ apart) + share @ parts.off + slack * (share @ distance)
    moved = np.linalg.norm(centre - before.centre) * (1.0 + slack)
    farthest = np.max(reach + parts.farthest * (1.0 + slack))
    farthest = np.minimum(farthest, (before.farthest + moved) * (1.0 + slack))
    nearest = np.maximum(
        parts.nearest * (1.0 - slack) - reach,
        distance * (1.0 - slack) - parts.farthest * (1.0 + slack),
    )
    # About a part's centre ‖y + s‖² deviates at most as ‖y‖² and 2s·y do; in units of the largest.
    unit = np.max(within) + farthest**2 or 1.0
    each = (parts.spread + 2.0 * reach * parts.thick) / unit
    spread = unit * np.sqrt(share @ (each**2 + ((within - variance) / unit) ** 2))
    i, j, times = _products(centre.size)
    form = parts.variance[:, None] * parts.form + apart[:, i] * apart[:, j] * times
    return Moments(
        centre=centre,
        first=np.min(parts.first, axis=0),
        last=np.max(parts.last, axis=0),
        weight=weight,
        variance=variance,
        spread=(spread + slack * variance + 2.0 * farthest * off) * (1.0 + slack),
        thin=np.sqrt(share @ parts.thin**2) * (1.0 - slack),
        thick=np.sqrt(share @ (parts.thick**2 + reach**2)) * (1.0 + slack),
        off=off,
        nearest=np.maximum(0.0, np.maximum(np.min(nearest), before.nearest - moved)),
        farthest=farthest,
        form=(share @ form / (variance or 1.0)).astype(np.float32),
    )


@cache
def _products(d: int) -> tuple[Integers, Integers, Floats]:
    """Give both factors of the products of a quadratic form, and how often each occurs."""
    i, j = np.triu_indices(d if d <= _WIDE else 0)
    return i, j, np.where(i == j, 1.0, 2.0)


def _mean(rows: Floats, share: Floats) -> Floats:
    """Give the weighted mean with pairwise sums, whose error hardly grows with their number."""
    return np.asarray(np.sum(np.ascontiguousarray((rows * share[:, None]).T), axis=1))


def _extent(scaled: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Bound the standard deviation along any direction from both sides; V is 1 for `scaled`."""
    m, d = scaled.shape
    if variance == 0.0 or min(m, d) > _WIDEST:
        return np.zeros(()), np.sqrt(variance) * (1.0 + (d + 64) * _EPS)
    squares = np.linalg.eigvalsh(scaled.T @ scaled if d <= m else scaled @ scaled.T)
    # Backward stable: off by roundings of the largest, which is at most the trace, 1.
    error = (m + 64 * d) * _EPS
    thin = np.maximum(0.0, squares[0] - error) if d <= m else np.zeros(())
    return np.sqrt(thin * variance), np.sqrt((squares[-1] + error) * variance)
