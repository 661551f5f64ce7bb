"""Ridge and ridgeless interpolation by a kernel matrix, leave-one-out exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from deeplimit.kernels.limit import LimitKernel
from deeplimit.sums.gaps import gap_blocks
from deeplimit.sums.lift import Lift

Floats = NDArray[np.float64]

#: A dense solve beyond this many examples needs more than some ten gigabytes.
MAX_EXAMPLES = 20_000

#: Queries evaluated at once.
_QUERIES = 1024


def check_size(n: int, what: str) -> None:
    """Refuse a dense solve that would not fit a laptop's memory.

    Parameters
    ----------
    n : int
        Number of examples.
    what : str
        What solves, as the subject of the message.

    Raises
    ------
    ValueError
        If `n` exceeds `MAX_EXAMPLES`.
    """
    if n > MAX_EXAMPLES:
        raise ValueError(
            f"{what} solves a dense system of {n} equations; the limit is {MAX_EXAMPLES} examples. "
            "Use a singular activation, which needs no solve, or fewer examples."
        )


@dataclass(frozen=True)
class MergedRows:
    """Distinct rows with the weighted mean of their targets: what interpolation can see.

    Attributes
    ----------
    first : ndarray of int64, shape (n,)
        Row of the first appearance of each.
    weight : ndarray of shape (n,)
        Sum of the weights.
    targets : ndarray of shape (n, t)
        Weighted means.
    """

    first: NDArray[np.int64]
    weight: Floats
    targets: Floats


def merge_duplicates(X: Floats, targets: Floats, weight: Floats) -> MergedRows:
    """Merge equal rows into one with their weighted mean target.

    A ridgeless kernel machine has one equation a distinct input; the pseudo-inverse of the matrix
    with repeated rows averages their targets, as done here, and counts the row once.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    targets : ndarray of shape (n, t)
        Targets.
    weight : ndarray of shape (n,)
        Nonnegative weights; rows of weight 0 are dropped.

    Returns
    -------
    MergedRows
        In order of first appearance.
    """
    live = np.flatnonzero(weight > 0.0)
    # -0.0 and 0.0 are equal numbers.
    _, first, inverse = np.unique(X[live] + 0.0, axis=0, return_index=True, return_inverse=True)
    inverse = np.asarray(inverse).ravel()
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(first.size)
    group = rank[inverse]
    total: Floats = np.bincount(group, weights=weight[live]).astype(np.float64)
    means = np.stack(
        [np.bincount(group, weights=weight[live] * column) / total for column in targets[live].T],
        axis=1,
    )
    return MergedRows(live[np.sort(first)], total.astype(np.float64), means)


@dataclass(frozen=True)
class RidgeSolution:
    """Dual coefficients of a kernel ridge regression.

    Attributes
    ----------
    coefficients : ndarray of shape (n, t)
    ridge : float
        The ridge used, relative to a unit diagonal.
    loo : ndarray of shape (n, t)
        Leave-one-out predictions, exact.
    """

    coefficients: Floats
    ridge: float
    loo: Floats


def solve_ridge(K: Floats, targets: Floats, weight: Floats, ridges: Floats) -> RidgeSolution:
    r"""Solve :math:`(K + \lambda W^{-1}) c = y` for the ridge with the best leave-one-out error.

    With :math:`M = W^{1/2} K W^{1/2}` decomposed once, each ridge costs a product; the
    leave-one-out residual is :math:`c_i / [(K + \lambda W^{-1})^{-1}]_{ii}`.

    Parameters
    ----------
    K : ndarray of shape (n, n)
        Kernel matrix.
    targets : ndarray of shape (n, t)
        Targets.
    weight : ndarray of shape (n,)
        Positive weights.
    ridges : ndarray of shape (r,)
        Nonnegative candidates. A ridge of 0 drops directions below the rounding of the matrix.

    Returns
    -------
    RidgeSolution
        For the candidate of least weighted squared leave-one-out error (of several, the largest).

    References
    ----------
    .. [1] R. Rifkin, R. Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025.
    """
    root = np.sqrt(weight / weight.mean())
    values, vectors = scipy.linalg.eigh(K * root[:, None] * root[None, :])
    rotated = vectors.T @ (targets * root[:, None])
    floor = values.max() * len(values) * np.finfo(np.float64).eps
    best: RidgeSolution | None = None
    best_error = np.inf
    for ridge in np.sort(ridges)[::-1]:
        shifted = values + ridge
        with np.errstate(divide="ignore"):
            inverse = np.where(shifted > floor, 1.0 / shifted, 0.0)
        c = root[:, None] * (vectors @ (inverse[:, None] * rotated))
        diagonal = root**2 * np.einsum("ij,j,ij->i", vectors, inverse, vectors)
        loo = targets - np.divide(
            c, diagonal[:, None], out=np.zeros_like(c), where=diagonal[:, None] > 0
        )
        error = float(np.sum(weight[:, None] * (loo - targets) ** 2))
        if best is None or error < best_error:
            best, best_error = RidgeSolution(c, float(ridge), loo), error
    assert best is not None
    return best


def solve_conditional(eta: Floats, targets: Floats) -> tuple[Floats, Floats]:
    r"""Interpolate with the conditionally positive definite kernel :math:`-\eta` and a constant.

    Parameters
    ----------
    eta : ndarray of shape (n, n)
        Values of :math:`\eta`, zero on the diagonal.
    targets : ndarray of shape (n, t)
        Targets.

    Returns
    -------
    coefficients : ndarray of shape (n, t)
        Columns add up to zero.
    constant : ndarray of shape (t,)
    """
    n = len(eta)
    # On the plane of coefficients that add up to zero, -η is positive definite; analytic kernels
    # reach the rounding of the matrix soon, and directions below it carry no information.
    row = eta.mean(axis=0)
    centred = row[:, None] + row[None, :] - eta - row.mean()
    values, vectors = scipy.linalg.eigh(centred)
    floor = max(values.max(), 0.0) * n * np.finfo(np.float64).eps
    inverse = np.where(values > floor, 1.0 / np.where(values > floor, values, 1.0), 0.0)
    deviations = targets - targets.mean(axis=0)
    coefficients = vectors @ (inverse[:, None] * (vectors.T @ deviations))
    coefficients -= coefficients.mean(axis=0)
    constant = (targets + eta @ coefficients).mean(axis=0)
    return coefficients, constant


class Interpolant(NamedTuple):
    """A ridgeless interpolation: what its values are made of.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        Distinct rows, in order of first appearance.
    coefficients : ndarray of shape (n, t)
        Weight of each row's kernel.
    constant : ndarray of shape (t,)
        What is added.
    """

    rows: Floats
    coefficients: Floats
    constant: Floats


def fit_interpolant(
    kernel: LimitKernel, lift: Lift, X: Floats, targets: Floats, weight: Floats
) -> Interpolant:
    """Interpolate by a limit kernel that needs a solve: -η and a constant, or the linear one.

    Duplicate rows count once, with the weighted mean of their targets.

    Parameters
    ----------
    kernel : LimitKernel
        Conditionally positive definite, or of the identity.
    lift : Lift
        Fitted lift.
    X : ndarray of shape (n, d)
        Examples.
    targets : ndarray of shape (n, t)
        Targets.
    weight : ndarray of shape (n,)
        Positive weights.

    Returns
    -------
    Interpolant

    Raises
    ------
    ValueError
        If there are too many examples for a dense solve.
    """
    check_size(len(X), "interpolation")
    merged = merge_duplicates(X, targets, weight)
    rows = X[merged.first]
    matrix = _matrix(kernel, lift, rows, rows)
    if kernel.regime == "identity":
        coefficients = np.linalg.pinv(matrix, hermitian=True) @ merged.targets
        return Interpolant(rows, coefficients, np.zeros(targets.shape[1]))
    return Interpolant(rows, *solve_conditional(-matrix, merged.targets))


def interpolate(kernel: LimitKernel, lift: Lift, fitted: Interpolant, Q: Floats) -> Floats:
    """Evaluate an interpolation, some queries at a time.

    Parameters
    ----------
    kernel, lift
        As for `fit_interpolant`.
    fitted : Interpolant
        What it returned.
    Q : ndarray of shape (m, d)
        Queries.

    Returns
    -------
    ndarray of shape (m, t)
    """
    values = np.empty((len(Q), fitted.constant.size))
    for start in range(0, len(Q), _QUERIES):
        part = slice(start, start + _QUERIES)
        matrix = _matrix(kernel, lift, Q[part], fitted.rows)
        values[part] = matrix @ fitted.coefficients + fitted.constant
    return values


def _matrix(kernel: LimitKernel, lift: Lift, Q: Floats, rows: Floats) -> Floats:
    out = np.empty((len(Q), len(rows)))
    for at, columns, gaps in gap_blocks(Q, rows, lift):
        out[at, columns] = kernel.at_gap(gaps)
    return out
