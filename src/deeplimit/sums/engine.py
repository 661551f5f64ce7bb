"""What a kernel offers to an engine of sums, and what an engine offers to everything above it."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums

__all__ = ["Contributors", "Engine", "RadialKernel", "evaluate"]


@runtime_checkable
class RadialKernel(Protocol):
    """A kernel that is a function of the gap s = 1 - ξ alone.

    Attributes
    ----------
    positive : bool
        True if the sign is +1 at every gap; the sign is then never asked for.
    """

    @property
    def positive(self) -> bool:
        """True if the sign is +1 at every gap."""

    def log_at_gap(self, s: ArrayLike, /) -> NDArray[np.float64]:
        """Give ln|K(s)|: +inf where the kernel is singular, -inf where it is zero.

        Parameters
        ----------
        s : array-like
            Gaps.

        Returns
        -------
        ndarray of float64
            The logarithms, of the shape of `s`.
        """

    def sign_at_gap(self, s: ArrayLike, /) -> NDArray[np.number]:
        """Give the sign of K(s).

        Parameters
        ----------
        s : array-like
            Gaps.

        Returns
        -------
        ndarray
            +1, -1 or 0, of the shape of `s`.
        """


def evaluate(
    kernel: RadialKernel, gaps: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.number] | None]:
    """Evaluate a kernel at a tile of gaps, once where it can give logarithm and sign together.

    Parameters
    ----------
    kernel : RadialKernel
        The kernel; a method ``log_and_sign_at_gap`` is used if it has one.
    gaps : ndarray
        Gaps.

    Returns
    -------
    logs : ndarray of float64
        ln|K|, writeable or not.
    signs : ndarray or None
        Signs; None if all are +1.
    """
    both = getattr(kernel, "log_and_sign_at_gap", None)
    if both is not None:
        logs, signs = both(gaps)
        return logs, None if signs is None or np.all(signs > 0) else signs
    signs = None if kernel.positive else kernel.sign_at_gap(gaps)
    return np.asarray(kernel.log_at_gap(gaps), dtype=np.float64), signs


class Contributors(NamedTuple):
    """The examples that weigh most for each query.

    Parameters
    ----------
    indices : ndarray of int64, shape (m, k)
        Examples in order of descending |w K|, equal ones in order of their index; -1 where fewer
        than k examples have a weight.
    log_weights : ndarray of float64, shape (m, k)
        ln|w K|: +inf for coincident examples, -inf where there is none.
    signs : ndarray of int8, shape (m, k)
        Sign of K, 0 where there is none.

    Examples
    --------
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift, top_contributors
    >>> X = [[0.0], [2.0]]
    >>> indices, log_weights, signs = top_contributors(PowerKernel(1), fit_lift(X), X, None, X, 1)
    >>> indices.tolist(), log_weights.tolist()
    ([[0], [1]], [[inf], [inf]])
    """

    indices: NDArray[np.int64]
    log_weights: NDArray[np.float64]
    signs: NDArray[np.int8]


class Engine(Protocol):
    """What computes sums over examples; `deeplimit.sums.blocked` is the reference.

    An engine is any object, or module, with these two functions. A faster one must agree with the
    reference within its stated tolerance and keep its rules: coincident examples on a level of
    their own, leave-one-out by index, the same result for the same call.
    """

    def class_sums(
        self,
        kernel: RadialKernel,
        lift: Lift,
        X: ArrayLike,
        y_index: ArrayLike,
        sample_weight: ArrayLike | None,
        Q: ArrayLike,
        n_classes: int,
        *,
        n_jobs: int | None = 1,
        exclude_self: bool = False,
    ) -> PartialSums:
        """Sum the kernel over the examples of each class, as `blocked.class_sums` does."""

    def top_contributors(
        self,
        kernel: RadialKernel,
        lift: Lift,
        X: ArrayLike,
        w: ArrayLike | None,
        Q: ArrayLike,
        k: int,
        *,
        n_jobs: int | None = 1,
        exclude_self: bool = False,
    ) -> Contributors:
        """Find the heaviest examples, as `blocked.top_contributors` does."""
