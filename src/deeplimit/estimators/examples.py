"""What a decision rule decides by: examples under a lift, and the engine that sums over them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.engines.choice import EngineName, choose_engine, make_engine
from deeplimit.sums.engine import Contributors, RadialKernel, Summation
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Examples:
    """Examples with classes and weights, under a lift.

    Parameters
    ----------
    rows : ndarray of shape (n, d), or a function that gives it
        A function is called when the rows themselves are wanted, which an engine that holds them
        already does not.
    index : ndarray of int64, shape (n,)
        Class of each.
    weight : ndarray of shape (n,)
        Weight of each; 0 is absence.
    lift : Lift
    n_classes : int
    n_jobs : int or None
    engine : str, default="auto"
        Which engine sums, as for `make_engine`.
    held : callable, optional
        Gives an engine for a kernel that holds the examples already, or None.
    """

    def __init__(
        self,
        rows: Floats | Callable[[], Floats],
        index: Integers,
        weight: Floats,
        lift: Lift,
        n_classes: int,
        n_jobs: int | None = None,
        *,
        engine: EngineName = "auto",
        held: Callable[[RadialKernel], Summation | None] | None = None,
    ) -> None:
        self._rows, self._held = rows, held
        self.index, self.weight, self.lift = index, weight, lift
        self.n_classes, self.n_jobs, self.engine = n_classes, n_jobs, engine
        self._engines: dict[EngineName, Summation] = {}
        self._named: tuple[RadialKernel, EngineName] | None = None

    @cached_property
    def X(self) -> Floats:
        """The rows, of shape (n, d)."""
        return self._rows() if callable(self._rows) else self._rows

    @property
    def mass(self) -> Floats:
        """Total weight of each class."""
        return np.bincount(self.index, weights=self.weight, minlength=self.n_classes).astype(float)

    def sums(
        self, kernel: RadialKernel, Q: Floats, exclude: ArrayLike | None = None
    ) -> PartialSums:
        """Kernel sums of each class at queries, each without one example if so wanted."""
        return self._engine(kernel).class_sums(kernel, Q, exclude)

    def heaviest(self, kernel: RadialKernel, Q: Floats, k: int) -> Contributors:
        """Find the k examples of largest weight times kernel, for each query."""
        return self._engine(kernel).top_contributors(kernel, Q, k)

    def nearest(self, order: RadialKernel, Q: Floats, k: int) -> Contributors:
        """Find the first k examples in the order of a kernel, weights aside."""
        return self._alike.heaviest(order, Q, k)

    def weighed(self, weight: Floats) -> Examples:
        """Give the same examples with other weights, for a few questions: not made ready anew."""
        return Examples(
            lambda: self.X, self.index, weight, self.lift, self.n_classes, self.n_jobs,
            engine="reference",
        )  # fmt: skip

    @cached_property
    def _alike(self) -> Examples:
        present = (self.weight > 0.0).astype(np.float64)
        return Examples(
            lambda: self.X, self.index, present, self.lift, self.n_classes, self.n_jobs,
            engine=self.engine,
        )  # fmt: skip

    def _engine(self, kernel: RadialKernel) -> Summation:
        held = None if self._held is None else self._held(kernel)
        if held is not None:
            return held
        named = self._named
        if named is None or named[0] is not kernel:
            named = kernel, choose_engine(self.engine, kernel, self.lift, len(self.X))
            self._named = named
        name = named[1]
        # One engine for all kernels that it sums: the examples are laid out once.
        if name not in self._engines:
            self._engines[name] = make_engine(
                name, kernel, self.lift, self.X, self.index, self.weight, self.n_classes,
                n_jobs=self.n_jobs,
            )  # fmt: skip
        return self._engines[name]
