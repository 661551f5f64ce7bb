"""Weights of columns: by the variance between classes, and by the gradient of a ridge solution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.distances import length_of
from deeplimit.smoothers.ridge import Kernel, solve_ridge

__all__ = ["KEPT", "agop_scales", "anova_scales", "sparing"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# What a column without any variance between classes keeps, in units of the mean: it may matter
# together with others.
KEPT = 0.1
# What columns may hold of the variance together to be left out.
_SPARED = 0.001
# Ridge, in units of the kernel at distance 0, of the solutions whose gradients are taken.
_RIDGE = 0.1


def _normed(scale: Floats) -> Floats:
    """Give scales of mean square 1."""
    mean = np.sqrt(np.mean(scale**2))
    return scale / mean if mean > 0.0 else np.ones_like(scale)


def anova_scales(
    scores: Floats, index: Integers, weight: Floats, n_classes: int, kept: float = 0.0
) -> Floats:
    """Scale each column by the root of what it tells of the class by itself.

    That is the part of the variance of its Hermite polynomials of degree 1, 2 and 3 that lies
    between the classes: of where it is, how far out and how skew. What chance would give is
    subtracted (Kelley's epsilon squared), and twice the standard deviation of that besides.

    Parameters
    ----------
    scores : ndarray of shape (n, p)
        Normal scores of the columns.
    index : ndarray of int64, shape (n,)
        Class of each row.
    weight : ndarray of shape (n,)
        Weight of each.
    n_classes : int
        Number of classes.
    kept : float, default=0
        Added to each part, in units of their mean.

    Returns
    -------
    ndarray of shape (p,)
        Scales of mean square 1; all 1 if no column tells anything.

    References
    ----------
    .. [1] T. L. Kelley, "An unbiased correlation ratio measure", Proceedings of the National
       Academy of Sciences 21, 1935.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.standard_normal((500, 2))
    >>> anova_scales(Z, (np.abs(Z[:, 1]) > 1).astype(int), np.ones(500), 2).round(3).tolist()
    [0.0, 1.414]
    """
    mass = np.bincount(index, weights=weight, minlength=n_classes)
    n, present = float(mass.sum()), int(np.count_nonzero(mass))
    part = np.zeros(scores.shape[1])
    if present < 2 or n <= present:
        return np.ones_like(part)
    which = np.zeros((n_classes, len(scores)))
    which[index, np.arange(len(scores))] = weight
    chance = (present - 1) / (n - 1)
    least = 2.0 * np.sqrt(2.0 * (present - 1)) / (n - 1)
    for values in (scores, scores**2, scores**3 - 3.0 * scores):
        centred = values - weight @ values / n
        total = weight @ centred**2
        between = np.sum((which @ centred) ** 2 / np.where(mass > 0, mass, 1.0)[:, None], axis=0)
        # A polynomial that is constant on the values there are tells nothing.
        told = total > 1e-9 * n
        ratio = np.divide(between, total, out=np.zeros_like(total), where=told)
        part += np.where(told, np.clip(ratio - chance - least, 0.0, None), 0.0)
    part *= (n - 1) / (n - present)
    return _normed(np.sqrt(part + kept * part.mean()))


def agop_scales(
    Z: Floats,
    index: Integers,
    weight: Floats,
    n_classes: int,
    *,
    rounds: int,
    start: Floats | None = None,
) -> Floats:
    """Scale each column by how much the class probabilities change along it.

    A kernel ridge solution is fitted, the columns are scaled by the root mean square of its
    gradient at the examples (the diagonal of the average gradient outer product), and so on.

    Parameters
    ----------
    Z : ndarray of shape (n, p)
        Features.
    index : ndarray of int64, shape (n,)
        Class of each row.
    weight : ndarray of shape (n,)
        Weight of each.
    n_classes : int
        Number of classes.
    rounds : int
        How often.
    start : ndarray of shape (p,), optional
        Scales to start from; all 1 if not given.

    Returns
    -------
    ndarray of shape (p,)
        Scales of mean square 1.

    References
    ----------
    .. [1] A. Radhakrishnan, D. Beaglehole, P. Pandit, M. Belkin, "Mechanism for feature learning
       in neural networks and backpropagation-free machine learning models", Science 383, 2024.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.standard_normal((200, 3))
    >>> scales = agop_scales(Z, (Z[:, 0] > 0).astype(int), np.ones(200), 2, rounds=2)
    >>> int(np.argmax(scales))
    0
    """
    scale = np.ones(Z.shape[1]) if start is None else start
    targets = np.eye(n_classes)[index]
    targets = targets - weight @ targets / weight.sum()
    for _ in range(rounds):
        X = Z * scale
        length = length_of(X, weight)
        K = Kernel(length).gram(X)
        a = solve_ridge(K, targets, _RIDGE, weight)
        # The derivative of exp(-r/L) is -exp(-r/L) (x - z)/(r L); at r = 0, where it has none, 0.
        with np.errstate(divide="ignore"):  # the kernel is 0 far beyond its length
            r = -np.log(K)
        slopes = np.divide(K, r, out=np.zeros_like(K), where=r > 1e-7) / length**2
        mean = np.zeros(Z.shape[1])
        for c in range(n_classes):
            gradient = X * (slopes @ a[:, c])[:, None] - slopes @ (a[:, c, None] * X)
            mean += weight @ gradient**2
        scale = _normed(np.sqrt(mean) * scale)
    return scale


def sparing(scale: Floats, Z: Floats, weight: Floats) -> Floats:
    """Leave out those columns that hold less than a thousandth of the variance together.

    What they add to distances is less than what their scales are uncertain by, and each costs as
    much time as any other.

    Parameters
    ----------
    scale : ndarray of shape (p,)
        Scales.
    Z : ndarray of shape (n, p)
        Features.
    weight : ndarray of shape (n,)
        Weight of each row.

    Returns
    -------
    ndarray of shape (p,)
        Scales of mean square 1, 0 for what is left out.

    Examples
    --------
    >>> Z = np.random.default_rng(0).standard_normal((100, 3))
    >>> sparing(np.array([1.0, 0.01, 0.5]), Z, np.ones(100)).round(3).tolist()
    [1.549, 0.0, 0.775]
    """
    share = weight / weight.sum()
    part = scale**2 * (share @ (Z - share @ Z) ** 2)
    order = np.argsort(part, kind="stable")
    spared = np.zeros(part.size, dtype=np.bool_)
    spared[order] = np.cumsum(part[order]) < _SPARED * part.sum()
    return _normed(np.where(spared, 0.0, scale))
