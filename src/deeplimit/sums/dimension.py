"""The intrinsic dimension of data, from distances to nearest neighbours."""

from __future__ import annotations

import math
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.sums.scaling import centre_and_scale, exponents, float_rows

__all__ = ["intrinsic_dimension"]

# Bound of rows² · columns: some seconds.
_WORK = 5e9
_FEWEST = 200


def intrinsic_dimension(
    X: ArrayLike, *, n_neighbors: int = 5, max_rows: int = 10_000, seed: int = 0
) -> float:
    """Estimate the dimension of the set that rows lie on.

    With r_j the distance of a row to its j-th neighbour, ln(r_k/r_j) has the mean of an
    exponential law of rate d times an order statistic, whatever the density. The maximum of the
    likelihood of all N rows together is d = (N(k - 1) - 1) / Σ_i Σ_{j<k} ln(r_ik/r_ij) [1]_, [2]_;
    k = 2 is the estimator known as TwoNN [3]_.

    Equal rows count once. The estimate is low in high dimension, where even neighbours are far
    away and the border is near: for n = 1000 rows about 4.9 of 5, 8.3 of 9 and 16 of 20 on a
    sphere, less in a cube. Its standard deviation is about d/√(n(k - 1)). Rounded data have ties
    among distances, which raise it; noise raises it on the scale of the noise.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Finite rows.
    n_neighbors : int, default=5
        The number k of neighbours, at least 2. More of them: less variance, more bias.
    max_rows : int, default=10000
        More rows than this are sampled, and fewer of them where there are many columns
        (n² d <= 5e9).
    seed : int, default=0
        Seed of the sample: the same rows in the same order give the same estimate.

    Returns
    -------
    float
        Between 1 and d. With fewer than three distinct rows nothing is known and 1 is given; where
        all neighbours of each row are equally far it is d.

    Raises
    ------
    ValueError
        If `X` is no matrix of at least one row and column, `n_neighbors` is less than 2 or
        `max_rows` less than 3.

    References
    ----------
    .. [1] E. Levina, P. Bickel, "Maximum likelihood estimation of intrinsic dimension", Advances
       in Neural Information Processing Systems 17 (2004).
    .. [2] D. MacKay, Z. Ghahramani, "Comments on 'Maximum likelihood estimation of intrinsic
       dimension'" (2005), which adds the inverses, not the estimates.
    .. [3] E. Facco, M. d'Errico, A. Rodriguez, A. Laio, "Estimating the intrinsic dimension of
       datasets by a minimal neighborhood information", Scientific Reports 7 (2017) 12140.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.random.default_rng(0).uniform(0, 2 * np.pi, 1000)
    >>> round(intrinsic_dimension(np.stack([np.cos(t), np.sin(t), 0 * t], axis=1)), 1)
    1.0
    """
    rows = float_rows(X)
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(
            f"a matrix of at least one row and one column is expected, {rows.shape} was got"
        )
    if n_neighbors < 2 or max_rows < 3:
        raise ValueError(
            "at least 2 neighbours and 3 rows are needed, "
            f"{n_neighbors} and {max_rows} were asked for"
        )
    d = rows.shape[1]
    most = min(max_rows, max(_FEWEST, math.isqrt(int(_WORK / d))))
    if len(rows) > most:
        rows = rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))]
    rows = _distinct(rows)
    k = min(n_neighbors, len(rows) - 1)
    if k < 2:
        return 1.0
    logs = np.log(_neighbour_distances(rows, k))
    spread = float(np.sum(logs[:, -1:] - logs[:, :-1]))
    if spread <= 0.0:
        return float(d)
    return float(np.clip((len(rows) * (k - 1) - 1) / spread, 1.0, d))


def _distinct(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale rows about their centre and drop those that occurred before."""
    # Adding zero makes -0.0 the same bytes as 0.0; a wide row is long as a key.
    keys = [blake2b((row + 0.0).data).digest() for row in rows]
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    rows = rows[sorted(first.values())]
    exponent = int(exponents(rows.reshape(1, -1))[0, 0])
    rows = np.ldexp(rows, -exponent)
    centre, _ = centre_and_scale(rows)
    rows = rows - centre
    return np.ldexp(rows, -int(exponents(rows.reshape(1, -1))[0, 0]))


def _neighbour_distances(rows: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Give the distances to the k nearest other rows, ascending, from differences."""
    from sklearn.neighbors import NearestNeighbors

    n = len(rows)
    # One more than needed, and the row itself: near ones may come in a wrong order.
    count = min(k + 2, n)
    index = NearestNeighbors(n_neighbors=count).fit(rows).kneighbors(rows, return_distance=False)
    distances = np.empty((n, count))
    step = max(1, 2**20 // (count * rows.shape[1]))
    for start in range(0, n, step):
        part = slice(start, start + step)
        difference = rows[part, None, :] - rows[index[part]]
        distances[part] = np.sqrt(np.sum(difference * difference, axis=-1))
    distances[index == np.arange(n)[:, None]] = np.inf
    distances.sort(axis=1)
    # Distinct rows are never at distance 0, but the square of their distance may be.
    return np.maximum(distances[:, :k], np.finfo(np.float64).tiny)
