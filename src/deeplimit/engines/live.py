"""An engine over examples that come and go: what changes is summed apart, and merged."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.engines.checks import check_excluded
from deeplimit.engines.choice import EngineName, make_engine
from deeplimit.engines.compiled import CompiledEngine
from deeplimit.engines.digits import close
from deeplimit.engines.reference import ReferenceEngine
from deeplimit.examples import Change, ExampleSet
from deeplimit.sums.engine import Contributors, Engine, RadialKernel
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums
from deeplimit.sums.scaling import float_rows

__all__ = ["Follower", "LiveEngine"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Examples summed apart: so many at least, or this share of all, before all are laid out anew.
_APART, _SHARE = 2048, 1 / 16


class Follower:
    """Something made of an `ExampleSet` for a kernel, which can follow what changes.

    Parameters
    ----------
    kernel : RadialKernel
        The kernel.
    lift : Lift
        Fitted lift.
    examples : ExampleSet
        The examples.
    factors : ndarray of shape (n_classes,)
        What the weights of each class are multiplied by.
    """

    def __init__(
        self, kernel: RadialKernel, lift: Lift, examples: ExampleSet, factors: Floats
    ) -> None:
        self.kernel, self.lift, self.factors = kernel, lift, factors
        self._examples = examples
        self._seen = examples.version, examples.epoch

    def follow(self, lift: Lift, factors: Floats) -> bool:
        """Follow the changes of the examples.

        Parameters
        ----------
        lift : Lift
            The lift they have now.
        factors : ndarray of shape (n_classes,)
            The factors of the classes now.

        Returns
        -------
        bool
            False if what has changed cannot be followed, so that another has to be made.
        """
        changes = self._examples.changes_since(*self._seen)
        if changes is None or not np.array_equal(factors, self.factors):
            return False
        if lift.to_dict() != self.lift.to_dict() or not self._apply(changes):
            return False
        self._seen = self._examples.version, self._examples.epoch
        return True

    def _apply(self, changes: list[Change]) -> bool:
        """Take changes over, if they are of a kind that can be."""
        raise NotImplementedError


class LiveEngine(Follower):
    """Sums over an `ExampleSet`, in the time of the change after a change.

    Forgotten examples weigh nothing in the engine that holds them; added and relabelled ones are
    in a small engine of their own, whose sums are merged, until there are so many that all are laid
    out anew.

    Parameters
    ----------
    name : str
        Engine, as for `make_engine`.
    kernel : RadialKernel
        Kernel to sum.
    lift : Lift
        Fitted lift.
    examples : ExampleSet
        The examples.
    factors : ndarray of shape (n_classes,)
        What the weights of each class are multiplied by.
    n_jobs : int or None, default=1
        Threads.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.examples import ExampleSet
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> kept = ExampleSet(1)
    >>> _ = kept.add(np.array([[0.0], [1.0], [3.0]]), ["a", "b", "b"], np.ones(3))
    >>> lift, kernel = fit_lift([[0.0]], "euclidean"), PowerKernel(1.0)
    >>> live = LiveEngine("auto", kernel, lift, kept, np.ones(2))
    >>> _ = kept.forget([2])
    >>> live.follow(lift, np.ones(2))
    True
    >>> live.class_sums(kernel, [[0.5]]).proportions().tolist()
    [[0.5, 0.5]]
    """

    def __init__(
        self,
        name: EngineName,
        kernel: RadialKernel,
        lift: Lift,
        examples: ExampleSet,
        factors: Floats,
        *,
        n_jobs: int | None = 1,
    ) -> None:
        super().__init__(kernel, lift, examples, factors)
        self._n_jobs = n_jobs
        self._held = examples.n_slots
        weight = examples.weights * factors[examples.codes]
        self._main: Engine = make_engine(
            name, kernel, lift, examples.rows, examples.codes, weight, factors.size, n_jobs=n_jobs
        )
        self._slots: Integers = np.empty(0, dtype=np.int64)
        self._side: Engine | None = None

    @property
    def name(self) -> str:
        """Name of the engine that holds most of the examples."""
        return self._main.name

    def _apply(self, changes: list[Change]) -> bool:
        """Take changes over, unless so much has changed that all are better laid out anew."""
        if not changes:
            return True
        apart = set(self._slots.tolist())
        for change in changes:
            here = change.slots[change.slots < self._held]
            self._main.forget(here)
            if change.kind == "forgotten":
                apart.difference_update(change.slots.tolist())
            else:
                apart.update(change.slots.tolist())
        if len(apart) > max(_APART, _SHARE * self._held):
            return False
        e = self._examples
        # The rows may have moved to a larger place; the old one must not outlive them.
        self._main.move(e.rows[: self._held])
        self._slots = np.array(sorted(apart), dtype=np.int64)
        self._side = None
        if self._slots.size:
            codes = e.codes[self._slots]
            self._side = ReferenceEngine(
                self.lift, e.rows[self._slots], codes, e.weights[self._slots] * self.factors[codes],
                self.factors.size, n_jobs=self._n_jobs,
            )  # fmt: skip
        return True

    def class_sums(
        self, kernel: RadialKernel, Q: ArrayLike, exclude: ArrayLike | None = None
    ) -> PartialSums:
        """Sum the kernel over the examples of each class.

        Parameters
        ----------
        kernel : RadialKernel
            Kernel of the gap.
        Q : array-like of shape (m, d)
            Queries.
        exclude : array-like of int, shape (m,), optional
            Example that each query does not see, by its place among the live ones; -1 for none.

        Returns
        -------
        PartialSums
        """
        main, side = self._excluded(exclude)
        if self._side is None:
            return self._main.class_sums(kernel, Q, main)
        apart = self._side.class_sums(kernel, Q, side)
        if not isinstance(self._main, CompiledEngine):
            return self._main.class_sums(kernel, Q, main).merge(apart)
        # What decides is the whole, and only there can it be close.
        sums = self._main.class_sums(kernel, Q, main, settle=False).merge(apart)
        if self._main.precision == "single" and (rows := np.flatnonzero(close(sums))).size:
            some = None if main is None else main[rows]
            again = self._main.double.class_sums(kernel, float_rows(Q)[rows], some)
            sums.put(rows, again.merge(apart.take(rows)))
        return sums

    def top_contributors(
        self, kernel: RadialKernel, Q: ArrayLike, k: int, exclude: ArrayLike | None = None
    ) -> Contributors:
        """Find the heaviest examples.

        Parameters
        ----------
        kernel : RadialKernel
            Kernel of the gap.
        Q : array-like of shape (m, d)
            Queries.
        k : int
            How many; at most as many as there are examples.
        exclude : array-like of int, shape (m,), optional
            Example that each query does not see, by its place among the live ones; -1 for none.

        Returns
        -------
        Contributors
            Its `indices` are places among the live examples.
        """
        main, side = self._excluded(exclude)
        found = self._main.top_contributors(kernel, Q, k, main)
        if self._side is not None:
            more = self._side.top_contributors(kernel, Q, k, side)
            slots = np.where(more.indices >= 0, self._slots[more.indices], -1)
            e = self._examples
            heavy = e.weights * self.factors[e.codes]
            found = found.merge(more._replace(indices=slots), k, heavy)
        count = min(k, len(self._examples))
        slots = found.indices[:, :count]
        places = np.searchsorted(self._examples.live_slots, slots)
        return Contributors(
            np.where(slots >= 0, places, -1), found.log_weights[:, :count], found.signs[:, :count]
        )

    def _excluded(self, exclude: ArrayLike | None) -> tuple[Integers | None, Integers | None]:
        if exclude is None:
            return None, None
        places = check_excluded(exclude, np.size(exclude), len(self._examples))
        slots = np.where(places >= 0, self._examples.live_slots[places], -1)
        side = np.full(slots.shape, -1)
        if self._slots.size:
            at = np.minimum(np.searchsorted(self._slots, slots), self._slots.size - 1)
            side = np.where(self._slots[at] == slots, at, -1)
        return np.where(slots < self._held, slots, -1), side
