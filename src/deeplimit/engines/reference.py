"""The reference engine: NumPy and float64 over blocks, for any kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from deeplimit.engines.checks import check_examples, check_places
from deeplimit.sums.blocked import class_sums, top_contributors
from deeplimit.sums.engine import Contributors, RadialKernel
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums
from deeplimit.sums.scaling import float_rows

__all__ = ["ReferenceEngine"]


class ReferenceEngine:
    """Sums by `deeplimit.sums.class_sums`: what the other engines are held against.

    Parameters
    ----------
    lift : Lift
        Fitted lift.
    X : array-like of shape (n, d)
        Examples.
    index : array-like of int, shape (n,)
        Class of each, in 0..n_classes - 1.
    weight : array-like of shape (n,) or None
        Nonnegative weights; None means 1, and 0 is absence.
    n_classes : int
        Number of classes.
    n_jobs : int or None, default=1
        Threads.

    Examples
    --------
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> X = [[0.0], [1.0], [3.0]]
    >>> engine = ReferenceEngine(fit_lift(X, "euclidean"), X, [0, 1, 1], None, 2)
    >>> engine.class_sums(PowerKernel(1.0), [[2.0]]).proportions().tolist()
    [[0.2, 0.8]]
    """

    name = "reference"

    def __init__(
        self,
        lift: Lift,
        X: ArrayLike,
        index: ArrayLike,
        weight: ArrayLike | None,
        n_classes: int,
        *,
        n_jobs: int | None = 1,
    ) -> None:
        self.lift, self.n_classes, self.n_jobs = lift, n_classes, n_jobs
        self.X = float_rows(X)
        self.index, self.weight = check_examples(self.X, index, weight, n_classes, lift.n_features)

    def class_sums(
        self, kernel: RadialKernel, Q: ArrayLike, exclude: ArrayLike | None = None
    ) -> PartialSums:
        """Sum a kernel over the examples of each class; see `deeplimit.sums.class_sums`.

        Parameters
        ----------
        kernel : RadialKernel
            Kernel of the gap.
        Q : array-like of shape (m, d)
            Queries.
        exclude : array-like of int, shape (m,), optional
            Example that each query does not see, -1 for none.

        Returns
        -------
        PartialSums
        """
        return class_sums(
            kernel, self.lift, self.X, self.index, self.weight, Q, self.n_classes,
            n_jobs=self.n_jobs, exclude=exclude,
        )  # fmt: skip

    def top_contributors(
        self, kernel: RadialKernel, Q: ArrayLike, k: int, exclude: ArrayLike | None = None
    ) -> Contributors:
        """Find the heaviest examples; see `deeplimit.sums.top_contributors`.

        Parameters
        ----------
        kernel : RadialKernel
            Kernel of the gap.
        Q : array-like of shape (m, d)
            Queries.
        k : int
            How many.
        exclude : array-like of int, shape (m,), optional
            Example that each query does not see, -1 for none.

        Returns
        -------
        Contributors
        """
        return top_contributors(
            kernel, self.lift, self.X, self.weight, Q, k, n_jobs=self.n_jobs, exclude=exclude
        )

    def forget(self, examples: ArrayLike) -> None:
        """Let examples weigh nothing from now on.

        Parameters
        ----------
        examples : array-like of int
            Which.

        Raises
        ------
        ValueError
            If there is no such example.
        """
        gone = check_places(examples, len(self.X))
        if self.weight is None:
            self.weight = np.ones(len(self.X))
        self.weight[gone] = 0.0

    def move(self, X: ArrayLike) -> None:
        """Take the same rows from another place in memory.

        Parameters
        ----------
        X : array-like of shape (n, d)
            The rows.
        """
        self.X = float_rows(X)
