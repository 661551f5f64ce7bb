"""What a kernel offers to an engine of sums, and what an engine offers to everything above it."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.sums.partial import PartialSums

__all__ = ["Contributors", "Engine", "RadialKernel", "Summation", "evaluate", "heaviest_order"]


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


def heaviest_order(
    indices: NDArray[np.int64], log_weights: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Order examples by descending |w K|: hits by their weight, what is equal by its index.

    Parameters
    ----------
    indices : ndarray of int64, shape (m, n)
        Examples, -1 where there is none.
    log_weights : ndarray of shape (m, n)
        ln|w K|.
    weight : ndarray of shape (m, n)
        Weights of the examples.

    Returns
    -------
    ndarray of int, shape (m, n)
        Columns in order for each row.
    """
    hits = np.where(np.isposinf(log_weights), -weight, 0.0)
    # What is absent comes last, also behind examples whose kernel is zero.
    index = np.where(indices < 0, np.iinfo(np.int64).max, indices)
    return np.lexsort((index, hits, -log_weights), axis=-1)


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

    def merge(self, other: Contributors, k: int, weight: NDArray[np.float64]) -> Contributors:
        """Give the heaviest examples of two sets that have none in common.

        Parameters
        ----------
        other : Contributors
            Those of other examples, for the same queries.
        k : int
            How many to keep.
        weight : ndarray of shape (n,)
            Weights of the examples, by their index: coincident ones are ordered by them.

        Returns
        -------
        Contributors
            Of shape (m, min(k, all)).

        Examples
        --------
        >>> import numpy as np
        >>> one = Contributors(np.array([[0]]), np.array([[1.0]]), np.array([[1]], dtype=np.int8))
        >>> two = one._replace(indices=np.array([[1]]), log_weights=np.array([[2.0]]))
        >>> one.merge(two, 2, np.ones(2)).indices
        array([[1, 0]])
        """
        indices = np.concatenate([self.indices, other.indices], axis=1)
        logs = np.concatenate([self.log_weights, other.log_weights], axis=1)
        signs = np.concatenate([self.signs, other.signs], axis=1)
        heavy = np.where(indices >= 0, weight[indices], 0.0) if indices.size else logs
        order = heaviest_order(indices, logs, heavy)[:, :k]
        return Contributors(
            np.take_along_axis(indices, order, axis=1),
            np.take_along_axis(logs, order, axis=1),
            np.take_along_axis(signs, order, axis=1),
        )


class Summation(Protocol):
    """Sums over examples that are held somewhere.

    They agree with `deeplimit.sums.class_sums` and `top_contributors` within a stated tolerance,
    and keep their rules: coincident examples on a level of their own, leave-one-out by index, the
    same result for the same call whatever the number of threads.
    """

    def class_sums(
        self, kernel: RadialKernel, Q: ArrayLike, exclude: ArrayLike | None = None
    ) -> PartialSums:
        """Sum the kernel over the examples of each class."""

    def top_contributors(
        self, kernel: RadialKernel, Q: ArrayLike, k: int, exclude: ArrayLike | None = None
    ) -> Contributors:
        """Find the heaviest examples."""


class Engine(Summation, Protocol):
    """Examples in memory made ready for sums over them.

    Attributes
    ----------
    name : str
        What it is called.
    """

    name: str

    def forget(self, examples: ArrayLike) -> None:
        """Let examples weigh nothing from now on."""

    def move(self, X: ArrayLike) -> None:
        """Take the same rows from another place in memory."""
