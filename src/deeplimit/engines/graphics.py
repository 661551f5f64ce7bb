"""The graphics engine: class sums on a GPU in float32, with the digits of the reference's."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.engines import cards, eager
from deeplimit.engines.character import Character
from deeplimit.engines.checks import check_examples, check_queries
from deeplimit.engines.eager import Terms, pytorch
from deeplimit.engines.precision import (
    DIFFERENCE_COLUMNS,
    Arithmetic,
    Demands,
    Thresholds,
    arithmetics,
)
from deeplimit.engines.profiles import FAR, profile_of
from deeplimit.engines.refinement import refine_pairs
from deeplimit.engines.residents import Residents
from deeplimit.sums.blocked import class_sums, top_contributors
from deeplimit.sums.decision import Floats
from deeplimit.sums.engine import Contributors, RadialKernel
from deeplimit.sums.lift import Lift
from deeplimit.sums.partial import PartialSums
from deeplimit.sums.scaling import float_rows

__all__ = ["GraphicsEngine"]

# Numbers that a block of queries may have, and the sums of all chunks for it.
_NUMBERS = 2**25
# Of all pairs, the part that may be refined before another arithmetic is cheaper, where the
# processor computes and where a card does, and their number.
_REFINED, _ON_CARD = 2.0**-8, 2.0**-17
_FEWEST, _MOST = 2**16, 2**24
# Sums that differ by less than so many tolerances may decide otherwise than exact ones.
_CLOSE = 8.0
# The table of a kernel: degree, and pieces of an octave as a power of two.
_DEGREE, _BITS = 5, 4

_Ladder = list[tuple[Arithmetic, Thresholds]]


class GraphicsEngine:
    """Sums over examples that lie on a GPU, or on the processor where there is none.

    Squared distances are computed in float32, by a product of matrices or, up to 16 columns, by
    differences. Pairs whose kernel would be wrong by more than the tolerance are refined in
    float64 from the rows themselves; coincident examples are found among them. Where a large
    exponent leaves too little of float32, or so many pairs would have to be refined that it costs
    more, the arithmetic is differences in float32, then float64, or float64 at once on cards that
    are fast in it. So the tolerance holds for every exponent and all data, and only the time
    depends on them. The same call gives the same bits.

    On a GPU with Triton one fused kernel does the work, elsewhere operations of torch.

    Parameters
    ----------
    lift : Lift
        Fitted lift.
    X : array-like of shape (n, d)
        Examples, finite. They are not copied and must not be changed.
    index : array-like of int, shape (n,)
        Class of each example, in 0..n_classes - 1.
    weight : array-like of shape (n,) or None
        Nonnegative weights of the examples; None means 1. Weight 0 is absence.
    n_classes : int
        Number of classes.
    device : {"cuda", "cpu"} or str such as "cuda:1", optional
        Where to compute; a GPU if there is one. Where one is named and none is there, a warning
        says so and the processor serves.
    tolerance : float, default=1e-5
        Bound of the error of the positive and of the negative sum, relative to their total.

    n_jobs : int or None, default=1
        Threads for what the processor does: finding the heaviest examples.

    Raises
    ------
    ValueError
        If shapes, classes, weights, device or tolerance do not fit, or rows are not finite.
    ImportError
        If torch is not installed.

    Examples
    --------
    >>> from deeplimit.kernels.power import PowerKernel
    >>> from deeplimit.sums import fit_lift
    >>> X, y = [[0.0], [1.0], [3.0]], [0, 1, 1]
    >>> engine = GraphicsEngine(fit_lift(X, "euclidean"), X, y, None, 2, device="cpu")
    >>> engine.class_sums(PowerKernel(1.0), [[2.0]]).proportions().round(5).tolist()
    [[0.2, 0.8]]
    >>> engine.class_sums(PowerKernel(1.0), X, exclude=[0, 1, 2]).decide().winner
    array([1, 0, 1])
    """

    name = "graphics"

    def __init__(
        self,
        lift: Lift,
        X: ArrayLike,
        index: ArrayLike,
        weight: ArrayLike | None,
        n_classes: int,
        *,
        device: str | None = None,
        tolerance: float = 1e-5,
        n_jobs: int | None = 1,
    ) -> None:
        rows = float_rows(X)
        kinds, checked = check_examples(rows, index, weight, n_classes, lift.n_features)
        if not 1e-9 <= tolerance <= 0.1:
            raise ValueError(f"tolerance must lie between 1e-9 and 0.1, {tolerance!r} was got")
        self.lift = lift
        self.n_classes, self.n_jobs = n_classes, n_jobs
        self.tolerance = tolerance
        self.device = cards.device_of(device)
        self._chunk_terms = cards.backend_of(self.device)
        self._fused = self._chunk_terms is not eager.chunk_terms
        self._rows = rows
        self._index, self._weight = kinds, checked
        self._residents = Residents(lift, rows, self._index, self._weight, self.device)
        self._character: tuple[RadialKernel, Character] | None = None

    def class_sums(
        self, kernel: RadialKernel, Q: ArrayLike, exclude: ArrayLike | None = None
    ) -> PartialSums:
        """Sum a kernel over the examples of each class, for each query.

        Parameters
        ----------
        kernel : RadialKernel
            Kernel of the gap.
        Q : array-like of shape (m, d)
            Queries, finite.
        exclude : array-like of int, shape (m,), optional
            Position of the example that each query must not see; -1 for none.

        Returns
        -------
        PartialSums
            Of shape (m, n_classes).

        Raises
        ------
        ValueError
            If shapes or positions do not fit, queries are not finite, the kernel has no profile
            for fast engines, or its exponent is beyond what float64 holds to the tolerance.

        Examples
        --------
        >>> from deeplimit.kernels.power import PowerKernel
        >>> from deeplimit.sums import fit_lift
        >>> X = [[0.0], [4.0]]
        >>> engine = GraphicsEngine(fit_lift(X, "euclidean"), X, [0, 1], None, 2, device="cpu")
        >>> engine.class_sums(PowerKernel(2.0), [[4.0]]).hit_positive
        array([[0., 1.]])
        """
        queries = check_queries(Q, self._rows.shape[1])
        skip = self._skipped(exclude, len(queries))
        if not len(self._residents.placement):
            return PartialSums.empty(len(queries), self.n_classes)
        character = self._characterise(kernel)
        ladder = self._ladder(kernel, character)
        sums = [PartialSums.empty(0, self.n_classes)]
        chunks = self._residents.placement.starts.size
        step = max(1, _NUMBERS // max(3 * chunks, queries.shape[1]))
        for start in range(0, len(queries), step):
            rows = slice(start, start + step)
            part = None if skip is None else skip[rows]
            sums.append(self._block(kernel, character, ladder, queries[rows], part))
        return self._settled(kernel, queries, skip, PartialSums.concatenate(sums))

    def _settled(
        self, kernel: RadialKernel, Q: Floats, skip: NDArray[np.int64] | None, sums: PartialSums
    ) -> PartialSums:
        """Have the reference sum again where an error of the tolerance might decide."""
        near = np.flatnonzero(sums.decide(tolerance=_CLOSE * self.tolerance).tied)
        if near.size:
            exact = class_sums(
                kernel, self.lift, self._rows, self._index, self._weight, Q[near],
                self.n_classes, n_jobs=self.n_jobs, exclude=None if skip is None else skip[near],
            )  # fmt: skip
            sums.put(near, exact)
        return sums

    def top_contributors(
        self, kernel: RadialKernel, Q: ArrayLike, k: int, exclude: ArrayLike | None = None
    ) -> Contributors:
        """Find the k examples that weigh most for each query, on the processor.

        Parameters
        ----------
        kernel : RadialKernel
            Kernel of the gap.
        Q : array-like of shape (m, d)
            Queries, finite.
        k : int
            How many.
        exclude : array-like of int, shape (m,), optional
            Position of the example that each query must not see; -1 for none.

        Returns
        -------
        Contributors
            As from `deeplimit.sums.top_contributors`.
        """
        return top_contributors(
            kernel, self.lift, self._rows, self._weight, Q, k, n_jobs=self.n_jobs, exclude=exclude
        )

    def move(self, X: ArrayLike) -> None:
        """Take the same rows from another place in memory.

        Parameters
        ----------
        X : array-like of shape (n, d)
            The rows.
        """
        self._rows = float_rows(X)

    def forget(self, positions: ArrayLike) -> None:
        """Make examples absent: no later sum contains them.

        Parameters
        ----------
        positions : array-like of int
            Which examples.

        Raises
        ------
        ValueError
            If a position is none.

        Examples
        --------
        >>> from deeplimit.kernels.power import PowerKernel
        >>> from deeplimit.sums import fit_lift
        >>> X = [[0.0], [4.0]]
        >>> engine = GraphicsEngine(fit_lift(X, "euclidean"), X, [0, 1], None, 2, device="cpu")
        >>> engine.forget([1])
        >>> engine.class_sums(PowerKernel(2.0), [[3.0]]).decide().winner
        array([0])
        """
        gone = np.asarray(positions)
        if gone.size and not np.issubdtype(gone.dtype, np.integer):
            raise ValueError("the positions of examples to forget must be integers")
        gone = gone.astype(np.int64).ravel()
        if gone.size and not (gone.min() >= 0 and gone.max() < len(self._rows)):
            raise ValueError(f"positions of examples must lie in 0..{len(self._rows) - 1}")
        if self._weight is None:
            self._weight = np.ones(len(self._rows))
        self._weight[gone] = 0.0
        self._residents.forget(gone)

    def _skipped(self, exclude: ArrayLike | None, m: int) -> NDArray[np.int64] | None:
        if exclude is None:
            return None
        skip = np.asarray(exclude)
        if skip.shape != (m,) or not (skip.size == 0 or np.issubdtype(skip.dtype, np.integer)):
            raise ValueError(
                f"{m} positions of examples to exclude are expected, the shape {skip.shape} of "
                f"{skip.dtype} was got"
            )
        if skip.size and not (skip.min() >= -1 and skip.max() < len(self._rows)):
            raise ValueError(f"positions to exclude must lie in -1..{len(self._rows) - 1}")
        return skip.astype(np.int64)

    def _characterise(self, kernel: RadialKernel) -> Character:
        if self._character is None or self._character[0] is not kernel:
            profile = profile_of(kernel, self.lift, degree=_DEGREE, bits=_BITS)
            if profile.error > self.tolerance / 4.0:
                raise ValueError(
                    f"the table of {kernel!r} is wrong by {profile.error:.1e}, too much for a "
                    f'tolerance of {self.tolerance:g}: use the engine "reference"'
                )
            self._character = kernel, Character.of(profile)
        return self._character[1]

    def _ladder(self, kernel: RadialKernel, character: Character) -> _Ladder:
        """Give what arithmetic may be used, the cheapest first."""
        profile = character.profile
        demands = Demands(
            steepness=character.steepness,
            columns=self._residents.columns,
            blur=self._residents.blur,
            tolerance=self.tolerance,
            far_steepness=character.far_steepness,
            octaves=character.octaves,
            table_start=0.0 if profile.table is None else 2.0**profile.low,
            far_start=0.0 if profile.table is None else FAR,
            gap_unit=0.5 if profile.table is None else self._residents.gap_unit,
            whole=profile.exponent.is_integer(),
            magnitudes=self._residents.placement.magnitudes,
            step_error=cards.step_error(self.device),
        )
        ladder = list(arithmetics(demands, halves=self._fused))
        if not (self._fused or cards.full_products()):
            ladder = [step for step in ladder if step[0] != Arithmetic("float32", False)]
        if cards.fast_double(self.device) and demands.columns > DIFFERENCE_COLUMNS:
            ladder = [step for step in ladder if step[0] != Arithmetic("float32", True)]
        if not ladder:
            raise ValueError(
                f"the sums of {kernel!r} cannot be held to {self.tolerance:g} by this engine: use "
                'a larger tolerance or the engine "reference"'
            )
        return ladder

    def _block(
        self,
        kernel: RadialKernel,
        character: Character,
        ladder: _Ladder,
        queries: Floats,
        skip: NDArray[np.int64] | None,
    ) -> PartialSums:
        """Sum for some queries, by the first arithmetic that leaves few pairs to be refined."""
        images = self._residents.images(queries)
        with np.errstate(over="ignore", invalid="ignore"):
            norms = np.sum(images * images, axis=1)
            away = np.flatnonzero(~(norms <= min(arithmetic.farthest for arithmetic, _ in ladder)))
        images[away] = np.inf
        n, m = len(self._rows), len(queries)
        part = _ON_CARD if self.device.type == "cuda" else _REFINED
        few = int(min(max(_FEWEST, part * m * n), _MOST))
        # A single query has at most n pairs, so that halving the queries comes to an end.
        attempts = [(*step, few) for step in ladder] + [(*ladder[-1], max(n, min(_MOST, m * n)))]
        for arithmetic, thresholds, capacity in attempts:
            chunks = self._residents.chunks(arithmetic, thresholds, character)
            visitors = self._residents.visitors(images, skip, arithmetic)
            terms = self._chunk_terms(chunks, *visitors, capacity)
            if terms.count <= capacity:
                break
        else:
            halves = [slice(0, m // 2), slice(m // 2, m)]
            return PartialSums.concatenate(
                [
                    self._block(
                        kernel,
                        character,
                        ladder[-1:],
                        queries[half],
                        None if skip is None else skip[half],
                    )
                    for half in halves
                ]
            )
        sums = self._collect(terms, character)
        examples = self._residents.placement.at(terms.places)
        sums = sums.merge(self._refine(kernel, queries, terms.rows, examples))
        for row in away:
            everyone = (
                np.arange(n) if skip is None else np.delete(np.arange(n), skip[row : row + 1])
            )
            sums = sums.merge(self._refine(kernel, queries, np.full(everyone.size, row), everyone))
        return sums

    def _collect(self, terms: Terms, character: Character) -> PartialSums:
        torch = pytorch()
        distance = torch.log(terms.units) + 2.0 * math.log(2.0) * self._residents.exponent
        unit = character.log_unit - character.profile.exponent / 2.0 * distance
        return self._residents.collect(unit, terms.positive, terms.negative, self.n_classes)

    def _refine(
        self,
        kernel: RadialKernel,
        queries: Floats,
        rows: NDArray[np.int64],
        examples: NDArray[np.int64],
    ) -> PartialSums:
        return refine_pairs(
            kernel,
            self.lift,
            self._rows,
            queries,
            rows,
            examples,
            self._index,
            self._weight,
            self.n_classes,
        )
