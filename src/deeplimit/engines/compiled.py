"""The CPU engine: packed examples, compiled loops, and the reference for what needs more care."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit._extras import require
from deeplimit.engines.batch import Batch
from deeplimit.engines.checks import check_examples, check_excluded, check_places, check_queries
from deeplimit.engines.digits import (
    LIMITS,
    at_once,
    close,
    image_size,
    lost,
    steepest,
    weights_fit,
)
from deeplimit.engines.neighbours import heaviest
from deeplimit.engines.packed import TILE, Packed, Precision, aligned, pack
from deeplimit.engines.profiles import DEGREE, FAR, FastProfile, double_profile, profile_of
from deeplimit.engines.refinement import refine_pairs
from deeplimit.sums.blocked import class_sums
from deeplimit.sums.engine import Contributors, RadialKernel
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums
from deeplimit.sums.scaling import float_rows
from deeplimit.sums.threads import map_blocks, number_of_threads

__all__ = ["CompiledEngine"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Kernels whose profiles are kept.
_PROFILES = 16
# Where 2 less the gap is smaller than this the pure power asks `Lift.gap`, too: rows whose norms
# are not quite 1 may be farther apart than antipodes are.
_ANTIPODAL = 2.0**-18
# Blocks of one task: fixed, so that the bits do not depend on the number of threads.
_TASK_BLOCKS = 1024
# Pairs that a task may list for the reference, for each of its queries.
_LISTED = 512
# Queries farther out than this, in units of the examples' reach, are the reference's.
_REACH = 1e12


def _loops() -> Any:
    # By name: what is imported first of the loops is a part of numba that nobody asks for.
    require("numba", extra="fast", purpose="the compiled engine")
    return importlib.import_module("deeplimit.engines.loops")


class CompiledEngine:
    """Sums by compiled loops over packed examples, in float64 or float32.

    Every pair that the precision would get wrong is computed by `Lift.gap` instead: those nearer
    than a bound from the rounding of the coordinates, and those next to an antipode of a kernel
    that is singular there. A query with too many of them is left to the next engine: from single
    precision to double, from double to the reference. In single precision, too, each query whose
    two best classes differ by less than the tolerance is summed again in double, so that the
    decisions are those of the reference.

    Parameters
    ----------
    lift : Lift
        Fitted lift.
    X : array-like of shape (n, d)
        Examples; rows of float64 or float32 are kept, not copied.
    index : array-like of int, shape (n,)
        Class of each, in 0..n_classes - 1.
    weight : array-like of shape (n,) or None
        Nonnegative weights; None means 1, and 0 is absence.
    n_classes : int
        Number of classes.
    n_jobs : int or None, default=1
        Threads.
    precision : {"double", "single"}, default="double"
        float64: sums as good as the reference's, to some 1e-12. float32: about twice as fast, to
        1e-5; exponents above 32 (17 with 400 columns), and kernels of both signs, are summed in
        double all the same.

    Raises
    ------
    ImportError
        If numba is absent.
    ValueError
        If the examples do not fit, or a parameter does not suit.

    Notes
    -----
    Let ε be the unit roundoff. Rounding the coordinates moves the distance r of a pair by at most
    ε(‖q‖ + ‖x‖), hence r^(-α) by a relative α·ε(‖q‖ + ‖x‖)/r, which is within the tolerance for
    all r ≥ (α·ε/tolerance)·(‖q‖ + ‖x‖). The other pairs are those listed for `Lift.gap`.

    Where there are many columns and queries, distances are taken as norms less products, which
    is less work. Then pairs must be farther apart, by `digits.lost`; where some are not, those of
    a few queries and of a block are taken again by differences.

    Examples
    --------
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> X = [[0.0], [1.0], [3.0]]
    >>> engine = CompiledEngine(fit_lift(X, "euclidean"), X, [0, 1, 1], None, 2)
    >>> engine.class_sums(PowerKernel(1.0), [[2.0]]).proportions().round(12).tolist()
    [[0.2, 0.8]]
    """

    name = "compiled"

    def __init__(
        self,
        lift: Lift,
        X: ArrayLike,
        index: ArrayLike,
        weight: ArrayLike | None,
        n_classes: int,
        *,
        n_jobs: int | None = 1,
        precision: Precision = "double",
    ) -> None:
        _loops()  # which says at once if numba is absent
        if precision not in LIMITS:
            raise ValueError(f'precision must be "single" or "double", {precision!r} was got')
        number_of_threads(n_jobs)
        self.lift, self.n_classes, self.n_jobs = lift, n_classes, n_jobs
        rows = np.asarray(X)
        self.X = rows if rows.dtype in (np.float32, np.float64) else float_rows(rows)
        self.index, self.weight = check_examples(self.X, index, weight, n_classes, lift.n_features)
        self.precision = precision
        self._profiles: dict[int, tuple[RadialKernel, FastProfile | None]] = {}

    @cached_property
    def packed(self) -> Packed:
        """The examples laid out for the loops."""
        return pack(self.lift, self.X, self.index, self.weight, self.precision)

    @property
    def tolerance(self) -> float:
        """Relative error of a kernel's value at a pair that the loops sum by its difference.

        What they sum by products may err by half as much again in a sum, and at single pairs by
        more, where others outweigh these.
        """
        return LIMITS[self.precision].tolerance

    @cached_property
    def double(self) -> CompiledEngine:
        """The engine that single precision hands over to: this one if it is that."""
        if self.precision == "double":
            return self
        return CompiledEngine(
            self.lift, self.X, self.index, self.weight, self.n_classes, n_jobs=self.n_jobs
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
        if "packed" in self.__dict__:
            self.packed.remove(gone)
        if self.precision == "single" and "double" in self.__dict__:
            self.double.forget(gone)

    def move(self, X: ArrayLike) -> None:
        """Take the same rows from another place in memory.

        Parameters
        ----------
        X : array-like of shape (n, d)
            The rows.
        """
        self.X = np.asarray(X)
        if self.precision == "single" and "double" in self.__dict__:
            self.double.move(X)

    def class_sums(
        self,
        kernel: RadialKernel,
        Q: ArrayLike,
        exclude: ArrayLike | None = None,
        *,
        settle: bool = True,
    ) -> PartialSums:
        """Sum a kernel over the examples of each class, for each query.

        Parameters
        ----------
        kernel : RadialKernel
            Kernel of the gap.
        Q : array-like of shape (m, d)
            Queries, finite.
        exclude : array-like of int, shape (m,), optional
            Example that each query does not see, -1 for none.
        settle : bool, default=True
            Whether single precision sums in double where its error might decide. It need not
            where these are parts of larger sums: `close` then tells of those.

        Returns
        -------
        PartialSums
            Of shape (m, n_classes). `max_log` is the logarithm of the kernel's power at the
            nearest example that was not listed, rather than the largest log weight.

        Raises
        ------
        ValueError
            If shapes do not fit, or the kernel has no form that the loops evaluate.
        """
        queries = check_queries(Q, self.lift.n_features)
        own = check_excluded(exclude, len(queries), len(self.X))
        if not len(self.X):
            return PartialSums.empty(len(queries), self.n_classes)
        profile = self._profile(kernel)
        if profile is None or not self._trusted(kernel, profile):
            return self._hand_over(kernel, queries, own)
        sums, void = self._sums(kernel, profile, queries, own)
        if self.precision == "single" and settle:
            void |= close(sums)
        if void.any():
            again = self._hand_over(kernel, queries[void], own[void])
            sums.put(np.flatnonzero(void), again)
        return sums

    def top_contributors(
        self, kernel: RadialKernel, Q: ArrayLike, k: int, exclude: ArrayLike | None = None
    ) -> Contributors:
        """Find the k examples that weigh most for each query, exactly.

        See `deeplimit.engines.neighbours.heaviest`.

        Parameters
        ----------
        kernel : RadialKernel
            Kernel of the gap.
        Q : array-like of shape (m, d)
            Queries, finite.
        k : int
            How many; at most n are given.
        exclude : array-like of int, shape (m,), optional
            Example that each query does not see, -1 for none.

        Returns
        -------
        Contributors
            As from `deeplimit.sums.top_contributors`.

        Raises
        ------
        ValueError
            If `k` is not positive or shapes do not fit.
        """
        return heaviest(self, kernel, Q, k, exclude)

    def _profile(self, kernel: RadialKernel) -> FastProfile | None:
        known = self._profiles.get(id(kernel))
        # The kernel is kept, so that its number names it alone; but not in a copy of the engine.
        if known is None or known[0] is not kernel:
            if len(self._profiles) >= _PROFILES:
                self._profiles.clear()
            known = self._profiles[id(kernel)] = kernel, self._make_profile(kernel)
        return known[1]

    def _make_profile(self, kernel: RadialKernel) -> FastProfile | None:
        if self.precision == "double":
            found = double_profile(kernel, self.lift)
        else:
            bits = LIMITS["single"].bits
            try:
                found = profile_of(kernel, self.lift, degree=DEGREE, bits=bits)
            except ValueError:
                # Too wide for float32, or for double precision, too, which will say so.
                return None
        if found.table is None:
            return found
        table = aligned(found.table.shape, self.packed.x.dtype)
        table[:] = found.table
        return replace(found, table=table)

    def _trusted(self, kernel: RadialKernel, profile: FastProfile) -> bool:
        """Say whether the precision is enough for this kernel and these weights."""
        limits = LIMITS[self.precision]
        if self.precision == "double" and profile.error > limits.table:
            raise ValueError(
                f"the table of {kernel!r} is wrong by {profile.error:.1e}: "
                'use the engine "reference"'
            )
        if profile.error > limits.table or (profile.signed and self.precision == "single"):
            return False
        if profile.steepness > steepest(self.precision, self.lift.n_features):
            return False
        return weights_fit(self.weight, self.precision, profile.table)

    def _hand_over(self, kernel: RadialKernel, queries: Floats, own: Integers) -> PartialSums:
        if self.precision == "single":
            return self.double.class_sums(kernel, queries, own)
        return class_sums(
            kernel, self.lift, self.X, self.index, self.weight, queries, self.n_classes,
            n_jobs=self.n_jobs, exclude=own,
        )  # fmt: skip

    def _sums(
        self, kernel: RadialKernel, profile: FastProfile, queries: Floats, own: Integers
    ) -> tuple[PartialSums, NDArray[np.bool_]]:
        """Give the sums, and which of them are void."""
        packed = self.packed
        blocks = len(packed.x)
        parts = range(0, max(blocks, 1), _TASK_BLOCKS)
        step = at_once(self.n_classes)
        tasks = [
            (slice(row, min(row + step, len(queries))), slice(b, min(b + _TASK_BLOCKS, blocks)))
            for row in range(0, len(queries), step)
            for b in parts
        ]
        done = map_blocks(
            lambda task: self._task(kernel, profile, queries[task[0]], own[task[0]], task[1]),
            tasks,
            self.n_jobs,
        )
        rows: list[PartialSums] = []
        void: list[NDArray[np.bool_]] = []
        for start in range(0, len(done), len(parts)):
            sums, bad = done[start]
            for more, worse in done[start + 1 : start + len(parts)]:
                sums, bad = sums.merge(more), bad | worse
            rows.append(sums)
            void.append(bad)
        none = PartialSums.empty(0, self.n_classes)
        return PartialSums.concatenate([none, *rows]), np.concatenate([np.zeros(0, bool), *void])

    def _task(
        self,
        kernel: RadialKernel,
        profile: FastProfile,
        queries: Floats,
        own: Integers,
        blocks: slice,
    ) -> tuple[PartialSums, NDArray[np.bool_]]:
        packed = self.packed
        kind = packed.x.dtype.type
        # Only on the sphere is there a table, or a gap to be far, and no unit but 1.
        end = _ANTIPODAL if profile.table is None else FAR
        if profile.turns:
            end = max(end, LIMITS[self.precision].turning)
        # A square is twice the gap, and the first octave was not checked.
        start = 0.0 if profile.table is None else 2.0 ** (profile.low + 2)
        batch = self.batch(queries, own, profile.steepness, start)
        unit, plus, minus = batch.empty(self.n_classes)
        far = 2.0 * (2.0 - end) if self.lift.on_sphere else batch.far
        loss = lost(profile.steepness, self.precision, packed.centre.size)
        table = np.zeros((0, 1), kind) if profile.table is None else profile.table
        taken = _loops().sum_blocks(
            *packed.cut(blocks), *batch.points, batch.bounds[0], kind(loss), batch.bounds[1],
            kind(far),
            kind(profile.exponent / 2.0), kind(0.5), table,
            np.int32(profile.bits), np.int32(profile.low),
            unit, plus, minus, *batch.listed,
        )  # fmt: skip
        m = len(queries)
        rows, examples, void = batch.pairs(taken, packed)
        plus[:m][void] = minus[:m][void] = 0.0
        sums = self._translated(profile, unit[:m], plus[:m], minus[:m])
        if rows.size:
            listed = refine_pairs(
                kernel, self.lift, self.X, queries, rows, examples, self.index, self.weight,
                self.n_classes,
            )  # fmt: skip
            sums = sums.merge(listed)
        return sums, void

    def batch(self, queries: Floats, own: Integers, steepness: float, start: float = 0.0) -> Batch:
        """Bring some queries into the form that the loops take.

        Parameters
        ----------
        queries : ndarray of shape (m, d)
            At least one.
        own : ndarray of int64, shape (m,)
            Example that each must not see, -1 for none.
        steepness : float
            Steepness of the kernel, which says how near a pair is too near.
        start : float, default=0
            Square at which the kernel's table begins.

        Returns
        -------
        Batch
        """
        packed, limits = self.packed, LIMITS[self.precision]
        kind = packed.x.dtype.type
        m = len(queries)
        framed = packed.frame(queries)
        far_out = ~(np.max(np.abs(framed), axis=1, initial=0.0) < _REACH)
        framed[far_out] = 0.0
        # The loops take whole tiles: the last query stands in for what is missing.
        columns = framed.shape[1]
        points = np.empty((-(-m // TILE) * TILE, columns), dtype=kind)
        points[:m] = framed
        points[m:] = points[m - 1]
        norms = np.sqrt(np.einsum("ij,ij->i", points, points))
        sizes = np.maximum(norms, kind(image_size(self.lift, self.precision)))
        places = np.full(len(points), -1, dtype=np.int64)
        places[:m] = np.where(own >= 0, packed.place[own], -1)
        near = max(steepness, 0.5) * limits.eps / limits.tolerance
        tiles = points.reshape(-1, TILE, columns).transpose(0, 2, 1)
        listed = np.empty((2, _LISTED * len(points)), dtype=np.int64)
        return Batch(
            (np.ascontiguousarray(tiles), sizes, places),
            (kind(near), kind(max(limits.floor, start))),
            np.finfo(kind).max,
            (listed[0], listed[1], np.zeros(len(points), dtype=np.bool_)),
            far_out,
        )

    def _translated(
        self, profile: FastProfile, unit: NDArray[Any], plus: Floats, minus: Floats
    ) -> PartialSums:
        """Bring the loops' sums to the units of the kernel."""
        nothing = plus + minus == 0.0
        safe = np.where(nothing, 1.0, unit).astype(np.float64)
        # u is in units of 4^exponent: the logarithm of each part apart, which loses nothing.
        logs = np.log(safe) + 2.0 * self.packed.exponent * np.log(2.0)
        top = np.where(nothing, -np.inf, -profile.exponent / 2.0 * logs)
        zeros = [np.zeros_like(plus) for _ in range(2)]
        return PartialSums(top, plus, minus, *zeros)
