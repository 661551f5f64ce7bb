"""Kernel machines of finite depth without a ridge, as the experiment needs them."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from deeplimit.kernels import NetworkKernel
from deeplimit.sums import fit_lift, gap_blocks
from deeplimit.sums.threads import single_threaded_blas

Floats = NDArray[np.float64]
Kind = Literal["ntk", "nngp"]


class Prediction(NamedTuple):
    """What a ridgeless machine predicts.

    Attributes
    ----------
    decisions : ndarray of shape (m,)
        Signs of the values, 1 for 0; they survive an underflow of the values.
    values : ndarray of shape (m,)
        Predicted targets.
    rank : int
        Directions of the kernel matrix above its rounding; the machine fits its examples if all
        are.
    """

    decisions: Floats
    values: Floats
    rank: int


def gaps_between(X: Floats, Z: Floats) -> Floats:
    """Give the gaps between rows of unit norm, shape (len(X), len(Z))."""
    out = np.empty((len(X), len(Z)))
    for rows, columns, gaps in gap_blocks(X, Z, fit_lift(Z, "none")):
        out[rows, columns] = gaps
    return out


def ridgeless(
    kernel: NetworkKernel, gram_gaps: Floats, targets: Floats, gaps: Floats
) -> Prediction:
    """Solve for the targets by least norm, and predict.

    Parameters
    ----------
    kernel : NetworkKernel
        The network.
    gram_gaps : ndarray of shape (n, n)
        Gaps between the examples.
    targets : ndarray of shape (n,)
        Targets.
    gaps : ndarray of shape (m, n)
        Gaps from queries to examples.

    Returns
    -------
    Prediction
    """
    gram = kernel.at_gap(gram_gaps, normalize=True)
    # Matrices are small: threads of the linear algebra would only wait for one another, and the
    # rounding would depend on their number.
    with single_threaded_blas():
        values, vectors = scipy.linalg.eigh(gram)
        keep = values > values.max() * len(values) * np.finfo(np.float64).eps
        basis = vectors[:, keep]
        coefficients = basis @ ((basis.T @ targets) / values[keep])
    return _predict(kernel, coefficients, gaps, int(keep.sum()))


def conjugate(
    kernel: NetworkKernel, gram_gaps: Floats, targets: Floats, gaps: Floats
) -> Prediction:
    """Solve by conjugate gradients to 1e-13, and predict.

    At a depth where the matrix is close to the identity a few steps do, for ten thousand examples.
    Arguments and result are those of `ridgeless`; the gaps between the examples are overwritten.
    """
    gram = gram_gaps
    for start in range(0, len(gram), 256):
        rows = slice(start, start + 256)
        gram[rows] = kernel.at_gap(gram[rows], normalize=True)
    x = np.zeros_like(targets)
    rest, direction = targets.copy(), targets.copy()
    size = goal = float(rest @ rest)
    for _ in range(2000):
        image = gram @ direction
        step = size / float(direction @ image)
        x += step * direction
        rest -= step * image
        size, before = float(rest @ rest), size
        if size <= 1e-26 * goal:
            return _predict(kernel, x, gaps, len(x))
        direction = rest + size / before * direction
    raise ArithmeticError("conjugate gradients have not converged: the network is too shallow.")


def _predict(kernel: NetworkKernel, coefficients: Floats, gaps: Floats, rank: int) -> Prediction:
    log, sign = kernel.log_and_sign_at_gap(gaps, normalize=True)
    if sign is None:
        sign = np.ones_like(log)
    top = log.max(axis=1)
    scaled = (np.exp(log - top[:, None]) * sign) @ coefficients
    with np.errstate(under="ignore"):
        values = scaled * np.exp(top)
    return Prediction(np.where(scaled < 0, -1.0, 1.0), values, rank)
