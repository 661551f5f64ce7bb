"""Kernel ridge regression on the classes: the network of finite depth among the smoothers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from deeplimit.smoothers.distances import length_of, squares

__all__ = [
    "Kernel",
    "Normal",
    "Problem",
    "Ridge",
    "factored",
    "fit_ridge",
    "kernel_of",
    "ridge_weights",
    "solve_ridge",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# No diagonal is raised by less than the kernel's own error.
_LEAST = 1e-6
# The kernel matrix of near centres is singular to rounding; a part of its mean keeps it apart.
_JITTER = 1e-10
# The smooth kernel is this much longer than examples are apart.
_SMOOTH = 3.0
# Rows of features made at once.
_ROWS = 4096


@dataclass(frozen=True)
class Kernel:
    """The kernel of a ridge solution: exp(-r/length), or the smooth exp(-r²/(2 length²)).

    The first is the Laplace kernel, whose functions are those of the neural tangent kernel of a
    ReLU network on the sphere [1]_. The second is the Gaussian one, that of one infinitely wide
    layer of cosines [2]_; at a length beyond all distances its solutions are nearly polynomials of
    a low degree [3]_, planes where the ridge is large.

    Parameters
    ----------
    length : float
        Length scale, positive.
    smooth : bool, default=False
        Whether it is the smooth one.

    References
    ----------
    .. [1] A. Geifman, A. Yadav, Y. Kasten, M. Galun, D. Jacobs, R. Basri, "On the similarity
       between the Laplace and neural tangent kernels", NeurIPS 2020.
    .. [2] A. Rahimi, B. Recht, "Random features for large-scale kernel machines", NIPS 2007.
    .. [3] T. A. Driscoll, B. Fornberg, "Interpolation in the limit of increasingly flat radial
       basis functions", Computers and Mathematics with Applications 43, 2002.
    """

    length: float
    smooth: bool = False

    def __call__(self, u: Floats) -> Floats:
        """Give the kernel at squared distances."""
        if self.smooth:
            return np.exp(u * (-0.5 / self.length**2))
        K = np.sqrt(u)
        K *= -1.0 / self.length
        return np.exp(K, out=K)

    def gram(self, X: Floats) -> Floats:
        """Give the kernel of rows with each other, exactly 1 of a row with itself."""
        u = squares(X, X)
        np.fill_diagonal(u, 0.0)
        return self(u)


def factored(K: Floats, ridge: float, weight: Floats) -> Callable[[Floats], Floats]:
    """Factor K + ridge diag(1/weight), to solve for any number of right-hand sides.

    Parameters
    ----------
    K : ndarray of shape (n, n)
        Positive definite.
    ridge : float
        Nonnegative.
    weight : ndarray of shape (n,)
        Positive; one of 2 counts like two equal rows.

    Returns
    -------
    callable
        From right-hand sides of shape (n, c) to solutions of that shape.
    """
    A = K.copy(order="F")
    # The kernel is known to some 1e-7 where rows nearly coincide.
    A.flat[:: len(A) + 1] += np.maximum(ridge / weight, _LEAST) if ridge else 0.0
    factor, failed = lapack.dpotrf(A, lower=1, overwrite_a=1, clean=0)
    if failed:
        raise np.linalg.LinAlgError("a kernel matrix is not positive definite")
    return lambda targets: np.asarray(lapack.dpotrs(factor, targets, lower=1)[0])


def solve_ridge(K: Floats, targets: Floats, ridge: float, weight: Floats) -> Floats:
    """Solve (K + ridge diag(1/weight)) a = targets, once; see `factored`."""
    return factored(K, ridge, weight)(targets)


@dataclass(frozen=True, eq=False)
class Problem:
    """Examples with classes, weights and folds, whatever the features.

    Parameters
    ----------
    index : ndarray of int64, shape (n,)
        Class of each example.
    weight : ndarray of shape (n,)
        Weight of each.
    n_classes : int
        Number of classes C.
    fold : ndarray of int64, shape (n,)
        Fold of each.
    n_folds : int
        Number of folds.
    rows : ndarray of int64, shape (r,)
        The examples that are left out in turn.
    centres : ndarray of int64, shape (c,), or None
        Examples that a ridge solution is spanned by; None is all.
    learners : ndarray of int64, shape (l,), or None
        Examples that settings are chosen from; None is all.
    """

    index: Integers
    weight: Floats
    n_classes: int
    fold: Integers
    n_folds: int
    rows: Integers
    centres: Integers | None
    learners: Integers | None = None

    @property
    def prior(self) -> Floats:
        """Shares of the classes."""
        mass = np.bincount(self.index, weights=self.weight, minlength=self.n_classes)
        share: Floats = mass / mass.sum()
        return share

    def judged(self, rows: Integers) -> Floats:
        """Give what rows weigh where it is judged what others say of them.

        Nobody can tell a class that has no other example: such rows weigh nothing, unless all are.
        """
        known = np.bincount(self.index, minlength=self.n_classes) > 1
        weight: Floats = np.where(known[self.index[rows]], self.weight[rows], 0.0)
        return weight if weight.any() else self.weight[rows]

    @property
    def targets(self) -> Floats:
        """Give 1 for an example's class and 0 for others, less the prior."""
        targets: Floats = np.eye(self.n_classes)[self.index] - self.prior
        return targets


@dataclass(frozen=True, eq=False)
class Ridge:
    """A kernel ridge solution.

    Parameters
    ----------
    kernel : Kernel
        The kernel.
    ridge : float
        The ridge, in units of the kernel at distance 0.
    coefficients : ndarray of shape (c, C)
        Of the kernel at each centre.
    """

    kernel: Kernel
    ridge: float
    coefficients: Floats

    def values(self, u: Floats) -> Floats:
        """Give the values, less the prior, at squared distances of shape (m, c) to the centres."""
        values: Floats = self.kernel(u) @ self.coefficients
        return values


class Normal:
    """Normal equations of a solution that is spanned by centres.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Scaled features of the examples.
    problem : Problem
        The examples.
    kernel : Kernel
        The kernel.
    parts : sequence of ndarray of int64
        Examples of each part.
    """

    def __init__(self, X: Floats, problem: Problem, kernel: Kernel, parts: Sequence[Integers]):
        assert problem.centres is not None
        C = X[problem.centres]
        self.kernel = kernel
        self._gram = kernel.gram(C)
        targets = problem.targets
        self.products, self.sides = [], []
        for part in parts:
            G, b = np.zeros_like(self._gram), np.zeros((len(C), problem.n_classes))
            for i in range(0, part.size, _ROWS):
                some = part[i : i + _ROWS]
                phi = kernel(squares(X[some], C))
                phi *= np.sqrt(problem.weight[some])[:, None]
                # A product with its own transpose takes half the work.
                G += phi.T @ phi
                b += phi.T @ (np.sqrt(problem.weight[some])[:, None] * targets[some])
            self.products.append(G)
            self.sides.append(b)

    def whole(self, ridge: float) -> Floats:
        """Solve with all parts."""
        return self._solve(ridge, np.sum(self.products, axis=0), np.sum(self.sides, axis=0))

    def without(self, part: int, ridge: float) -> Floats:
        """Solve without one part."""
        rest = [i for i in range(len(self.products)) if i != part]
        product = np.sum([self.products[i] for i in rest], axis=0)
        return self._solve(ridge, product, np.sum([self.sides[i] for i in rest], axis=0))

    def _solve(self, ridge: float, product: Floats, side: Floats) -> Floats:
        A = product + ridge * self._gram
        A.flat[:: len(A) + 1] += _JITTER * np.trace(A) / len(A)
        return solve_ridge(A, side, 0.0, np.ones(len(A)))


def kernel_of(X: Floats, weight: Floats, smooth: bool = False) -> Kernel:
    """Give the kernel at the scale of some examples.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Scaled features.
    weight : ndarray of shape (n,)
        Weights.
    smooth : bool, default=False
        Whether it is the smooth one.

    Returns
    -------
    Kernel
        Its length is the root mean square distance, or a multiple of it for the smooth one.
    """
    return Kernel(length_of(X, weight) * (_SMOOTH if smooth else 1.0), smooth)


def fit_ridge(X: Floats, problem: Problem, ridge: float, kernel: Kernel | None = None) -> Ridge:
    """Fit a kernel ridge solution.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Scaled features of the examples.
    problem : Problem
        The examples.
    ridge : float
        The ridge.
    kernel : Kernel, optional
        The kernel; the Laplace kernel at the scale of the examples if not given.

    Returns
    -------
    Ridge
    """
    if kernel is None:
        kernel = kernel_of(X, problem.weight)
    if problem.centres is None:
        K = kernel.gram(X)
        return Ridge(kernel, ridge, solve_ridge(K, problem.targets, ridge, problem.weight))
    normal = Normal(X, problem, kernel, [np.arange(len(X))])
    return Ridge(kernel, ridge, normal.whole(ridge))


def ridge_weights(
    X: Floats, weight: Floats, centres: Integers | None, ridge: Ridge
) -> Callable[[Floats], Floats]:
    """Give what tells how much each example's target weighs in a solution.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Scaled features of the examples.
    weight : ndarray of shape (n,)
        Weight of each.
    centres : ndarray of int64, shape (c,), or None
        Examples that the solution is spanned by; None is all.
    ridge : Ridge
        The solution.

    Returns
    -------
    callable
        From the kernel at the centres, of shape (m, c), to weights of shape (m, n).
    """
    if centres is None:
        solve = factored(ridge.kernel.gram(X), ridge.ridge, weight)
        return lambda at: solve(at.T).T
    C = X[centres]
    phi = ridge.kernel(squares(X, C))
    A = phi.T @ (weight[:, None] * phi) + ridge.ridge * ridge.kernel.gram(C)
    A.flat[:: len(A) + 1] += _JITTER * np.trace(A) / len(A)
    solve = factored(A, 0.0, np.ones(len(A)))
    return lambda at: solve(at.T).T @ phi.T * weight
