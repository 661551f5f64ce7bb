"""Kernel ridge regression on the classes: the network of finite depth among the smoothers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from deeplimit.smoothers.distances import length_of, squares

__all__ = [
    "CrossFit",
    "Kernel",
    "Problem",
    "Ridge",
    "cross_fit",
    "factored",
    "fit_ridge",
    "kernel_of",
    "link_loss",
    "ridge_weights",
    "solve_ridge",
    "trial",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# No diagonal is raised by less than the kernel's own error.
_LEAST = 1e-6
# The kernel matrix of near centres is singular to rounding; a part of its mean keeps it apart.
_JITTER = 1e-10
# The smooth kernel is this much longer than examples are apart.
_STRAIGHT = 3.0
# Rows of features made at once.
_ROWS = 4096
# Up to so many examples ridges are compared on all folds, beyond on the first.
_ONE_FOLD_FROM = 500
# Scores to compare ridges by: none below the first, each to one of these powers.
_FLOOR, _POWERS = 3e-3, (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)


@dataclass(frozen=True)
class Kernel:
    """The kernel of a ridge solution: exp(-r/length), or the smooth exp(-r²/(2 length²)).

    The first is the Laplace kernel, whose functions are those of the neural tangent kernel of a
    ReLU network on the sphere [1]_. The second is the Gaussian one, that of one infinitely wide
    layer of cosines [2]_; at a length beyond all distances its solutions are nearly straight.

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


class _Normal:
    """Normal equations of a solution that is spanned by centres."""

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
        return self.solve(ridge, np.sum(self.products, axis=0), np.sum(self.sides, axis=0))

    def without(self, part: int, ridge: float) -> Floats:
        """Solve without one part."""
        rest = [i for i in range(len(self.products)) if i != part]
        product = np.sum([self.products[i] for i in rest], axis=0)
        return self.solve(ridge, product, np.sum([self.sides[i] for i in rest], axis=0))

    def solve(self, ridge: float, product: Floats, side: Floats) -> Floats:
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
    return Kernel(length_of(X, weight) * (_STRAIGHT if smooth else 1.0), smooth)


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
    normal = _Normal(X, problem, kernel, [np.arange(len(X))])
    return Ridge(kernel, ridge, normal.whole(ridge))


class CrossFit(NamedTuple):
    """A ridge chosen by what the solutions say of examples they were solved without.

    Parameters
    ----------
    ridge : float
        The one of least log-loss.
    scores : ndarray of shape (r, C)
        What the rest says of each example that is left out.
    loss : float
        Log-loss, after the best power of the scores.
    solution : callable
        Gives the solution of all examples.
    """

    ridge: float
    scores: Floats
    loss: float
    solution: Callable[[], Ridge]


def cross_fit(
    features: Sequence[Floats],
    whole: Floats,
    problem: Problem,
    ridges: Sequence[float],
    smooth: bool = False,
) -> CrossFit:
    """Choose the ridge, and say what the solution says of each example without its fold.

    Parameters
    ----------
    features : sequence of ndarray of shape (n, p)
        Scaled features of all examples for each fold, not using the labels of that fold; empty
        where no labels of examples that are left out were used.
    whole : ndarray of shape (n, p)
        Scaled features for the solution.
    problem : Problem
        The examples.
    ridges : sequence of float
        What to choose from.
    smooth : bool, default=False
        Whether the kernel is the smooth one.

    Returns
    -------
    CrossFit
    """
    index, weight, rows = problem.index, problem.weight, problem.rows
    own = problem.fold[rows]
    normal: _Normal | None = None
    if problem.centres is not None and not features:
        folds = [np.flatnonzero(problem.fold == f) for f in range(problem.n_folds)]
        normal = _Normal(whole, problem, kernel_of(whole, weight, smooth), folds)
    left = list(ridges)
    if problem.learners is not None or len(whole) > _ONE_FOLD_FROM:
        left = [trial(features[0] if features else whole, problem, left, smooth)[1]]
    found = {ridge: np.zeros((rows.size, problem.n_classes)) for ridge in left}
    for f in range(problem.n_folds):
        out = np.flatnonzero(own == f)
        if not out.size:
            continue
        X = features[f] if features else whole
        kernel = kernel_of(X, weight, smooth) if normal is None else normal.kernel
        said = _without(X, problem, kernel, f, rows[out], left, normal)
        for ridge, values in zip(left, said, strict=True):
            found[ridge][out] = values
    losses = [link_loss(found[r], index[rows], weight[rows]) for r in left]
    best = int(np.argmin(losses))
    ridge = left[best]

    def solution() -> Ridge:
        if normal is None:
            return fit_ridge(whole, problem, ridge, kernel_of(whole, weight, smooth))
        return Ridge(normal.kernel, ridge, normal.whole(ridge))

    return CrossFit(ridge, found[ridge], losses[best], solution)


def _without(
    X: Floats,
    problem: Problem,
    kernel: Kernel,
    f: int,
    out: Integers,
    ridges: Sequence[float],
    normal: _Normal | None,
) -> list[Floats]:
    """Give the values at some examples of the solutions without a fold, the prior included."""
    kept = np.flatnonzero(problem.fold != f)
    prior, targets = problem.prior, problem.targets
    if problem.centres is None:
        K = kernel.gram(X[kept])
        at = kernel(squares(X[out], X[kept]))
        return [
            at @ solve_ridge(K, targets[kept], ridge, problem.weight[kept]) + prior
            for ridge in ridges
        ]
    at = kernel(squares(X[out], X[problem.centres]))
    if normal is not None:
        return [at @ normal.without(f, ridge) + prior for ridge in ridges]
    normal = _Normal(X, problem, kernel, [kept])
    return [at @ normal.whole(ridge) + prior for ridge in ridges]


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


def link_loss(scores: Floats, index: Integers, weight: Floats) -> float:
    """Give the log-loss of scores after the best of a few powers.

    Parameters
    ----------
    scores : ndarray of shape (n, C)
        Scores.
    index : ndarray of int64, shape (n,)
        Class of each row.
    weight : ndarray of shape (n,)
        Weight of each.

    Returns
    -------
    float
    """
    logs = np.log(np.maximum(scores, _FLOOR))
    at, share = np.arange(len(logs)), weight / weight.sum()
    losses = []
    for power in _POWERS:
        p = power * (logs - logs.max(axis=1, keepdims=True))
        losses.append(float(share @ (np.log(np.exp(p).sum(axis=1)) - p[at, index])))
    return min(losses)


def trial(
    X: Floats, problem: Problem, ridges: Sequence[float] = (0.1,), smooth: bool = False
) -> tuple[float, float]:
    """Let the learners outside the first fold tell the rows of the first fold.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Scaled features, not using the labels of the first fold.
    problem : Problem
        The examples.
    ridges : sequence of float, default=(0.1,)
        Ridges to try.
    smooth : bool, default=False
        Whether the kernel is the smooth one.

    Returns
    -------
    loss : float
        The least log-loss; inf if there is nothing to tell.
    ridge : float
        The ridge that has it.
    """
    who = np.arange(len(X)) if problem.learners is None else problem.learners
    who, rows = who[problem.fold[who] != 0], problem.rows[problem.fold[problem.rows] == 0]
    if not (who.size and rows.size):
        return np.inf, ridges[0]
    kernel = kernel_of(X[who], problem.weight[who], smooth)
    K = kernel.gram(X[who])
    at = kernel(squares(X[rows], X[who]))
    prior, targets = problem.prior, problem.targets[who]
    found = []
    for ridge in ridges:
        a = solve_ridge(K, targets, ridge, problem.weight[who])
        loss = link_loss(at @ a + prior, problem.index[rows], problem.weight[rows])
        found.append((loss, ridge))
    return min(found)
