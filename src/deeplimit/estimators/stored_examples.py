"""What a rule decides by where examples lie in a store: their rows are read shard by shard."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.engines.shards import shard_contributors, shard_sums
from deeplimit.engines.stored import shards_of
from deeplimit.estimators.examples import Examples
from deeplimit.store.snapshot import Snapshot
from deeplimit.sums.engine import Contributors, RadialKernel
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums
from deeplimit.sums.sphere import fit_lift

__all__ = ["StoredExamples"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class StoredExamples(Examples):
    """The examples of a store, whose rows stay there.

    Parameters
    ----------
    owner : StoreClassifier
        Who says precision, threads, cluster and whom to tell of progress.
    snapshot : Snapshot
        The version of the store.
    present : ndarray of int64, shape (n_classes,)
        Codes of the classes that have examples.
    index : ndarray of int64, shape (n,)
        Class of each example, a place in `present`.
    weight : ndarray of shape (n,)
        Weight of each; 0 is absence.
    given : ndarray of shape (n,), optional
        Weights to take in place of the store's.
    """

    def __init__(
        self,
        owner: Any,
        snapshot: Snapshot,
        present: Integers,
        index: Integers,
        weight: Floats,
        given: Floats | None = None,
    ) -> None:
        super().__init__(_no_rows, index, weight, _lift(snapshot), present.size, owner.n_jobs)
        self._owner, self._snapshot, self._present = owner, snapshot, present
        self._shards = shards_of(snapshot, given)

    def sums(
        self, kernel: RadialKernel, Q: Floats, exclude: ArrayLike | None = None
    ) -> PartialSums:
        """Kernel sums of each class at queries."""
        if exclude is not None:
            raise ValueError("leave-one-out is for examples in memory.")
        every = len(self._snapshot.manifest.classes)
        sums = shard_sums(
            kernel, self.lift, self._shards, Q, every,
            precision=self._owner.precision, n_jobs=self.n_jobs, client=self._owner.client,
            progress=self._owner.progress,
        )  # fmt: skip
        return sums.classes(self._present)

    def heaviest(self, kernel: RadialKernel, Q: Floats, k: int) -> Contributors:
        """Find the k examples of largest weight times kernel, for each query."""
        found, _, _ = shard_contributors(
            kernel, self.lift, self._shards, Q, k, len(self._snapshot.manifest.classes),
            precision=self._owner.precision, n_jobs=self.n_jobs, client=self._owner.client,
        )  # fmt: skip
        return found

    def weighed(self, weight: Floats) -> Examples:
        """Give the same examples with other weights."""
        return StoredExamples(
            self._owner, self._snapshot, self._present, self.index, weight, given=weight
        )


def _no_rows() -> Floats:
    raise ValueError("the rows of a store are not in memory.")


def _lift(snapshot: Snapshot) -> Lift:
    """Give the lift of a store's rows, which depends on nothing but the largest number in it."""
    manifest = snapshot.manifest
    largest = 1.0
    if manifest.dtype == "float64":
        parts = (np.abs(chunk.rows[chunk.live]) for _, _, chunk in snapshot.pieces(1 << 16))
        largest = max((float(part.max(initial=0.0)) for part in parts), default=0.0)
    return fit_lift(np.full((1, manifest.n_features), largest), "euclidean")
