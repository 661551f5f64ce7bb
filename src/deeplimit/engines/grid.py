"""Leave-one-out of the smoother, for many exponents and neighbourhoods in one pass."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit._extras import available
from deeplimit.engines.checks import check_examples, check_places
from deeplimit.engines.compiled import CompiledEngine
from deeplimit.engines.digits import LIMITS, at_once, weights_fit
from deeplimit.engines.packed import Precision
from deeplimit.sums.gaps import GapTiles
from deeplimit.sums.lift import Lift
from deeplimit.sums.scaling import float_rows
from deeplimit.sums.threads import map_blocks

__all__ = ["LeaveOneOut", "leave_one_out"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: From this many pairs on the compiled loops are worth their loading.
WORTH_COMPILING = 2_000_000
# Up to this exponent a term has all the digits of its precision.
_STEEP = 8.0
# The sums of the examples beyond this many columns need no finer tasks.
_BLOCKS = 4096


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """Leave-one-out figures of the smoothers ‖x - z‖^(-α) over the k nearest examples.

    Parameters
    ----------
    exponents : ndarray of shape (A,)
        The exponents α.
    neighbours : ndarray of shape (K,)
        How many of the nearest examples each smoother sums; inf is all of them.
    log_loss : ndarray of shape (K, A)
        Weighted mean of -ln of the probability of the true class, in nats.
    accuracy : ndarray of shape (K, A)
        Weighted share of examples whose class has the largest probability, which is mixed with the
        share of the class; a tie counts for the first class.
    n_left_out : int
        How many examples were left out in turn.

    Examples
    --------
    >>> from deeplimit.sums import fit_lift
    >>> X, y = [[0.0], [0.1], [0.3], [2.0], [2.1], [2.3]], [0, 0, 0, 1, 1, 1]
    >>> found = leave_one_out(fit_lift(X, "euclidean"), X, y, None, 2, [1, 4], [1, 3, None])
    >>> found.accuracy.tolist()
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    >>> found.best()
    (1.0, 1)
    """

    exponents: Floats
    neighbours: Floats
    log_loss: Floats
    accuracy: Floats
    n_left_out: int

    def best(self) -> tuple[float, int | None]:
        """Give the exponent and the number of neighbours of least log-loss.

        Returns
        -------
        exponent : float
        neighbours : int or None
            None is all of them. Of equal losses the first is taken.
        """
        k, a = np.unravel_index(np.argmin(self.log_loss), self.log_loss.shape)
        count = self.neighbours[k]
        return float(self.exponents[a]), int(count) if np.isfinite(count) else None


class _Grid(NamedTuple):
    """What is known of some examples when they are left out.

    Parameters
    ----------
    log_sums : ndarray of shape (m, C, A)
        ln of the sums of the classes; -inf for none.
    log_gaps : ndarray of shape (m, K)
        ln of the gaps of the nearest examples, ascending; inf where there are no more.
    nearest : ndarray of int64, shape (m, K)
        These examples.
    """

    log_sums: Floats
    log_gaps: Floats
    nearest: Integers


@dataclass(frozen=True, eq=False)
class _Problem:
    """The examples, and the smoothers to try."""

    lift: Lift
    X: Floats
    index: Integers
    weight: Floats
    n_classes: int
    exponents: Floats
    most: int  # nearest examples to keep; 0 for none
    whole: bool  # whether sums over all examples are wanted
    n_jobs: int | None

    @property
    def step(self) -> int:
        """Rows that are left out at once."""
        return at_once(self.n_classes * self.exponents.size)

    @property
    def halves(self) -> Floats:
        return self.exponents / 2.0 if self.whole else np.zeros(0)


def leave_one_out(
    lift: Lift,
    X: ArrayLike,
    index: ArrayLike,
    weight: ArrayLike | None,
    n_classes: int,
    exponents: ArrayLike,
    neighbours: Sequence[int | None] = (None,),
    *,
    left_out: ArrayLike | None = None,
    n_jobs: int | None = 1,
    precision: Precision = "double",
    progress: Callable[[int, int], None] | None = None,
) -> LeaveOneOut:
    """Leave each example out in turn and score what the others say of it, for a grid of smoothers.

    One pass over the pairs serves all exponents and neighbourhoods. An example is left out together
    with those that coincide with it, which would otherwise make every exponent look perfect; so
    among all neighbours a weight counts like so many equal rows, while of the k nearest each row is
    one. The probabilities are mixed with one part in the number of distinct rows of the class
    shares, so that a confident error costs the logarithm of that number rather than everything; a
    prediction is the class of the largest of these.

    Parameters
    ----------
    lift : Lift
        Fitted lift.
    X : array-like of shape (n, d)
        Examples.
    index : array-like of int, shape (n,)
        Class of each, in 0..n_classes - 1.
    weight : array-like of shape (n,) or None
        Nonnegative weights; None means 1.
    n_classes : int
        Number of classes.
    exponents : array-like of shape (A,)
        Positive exponents. Powers that are products of two others of the grid are cheapest.
    neighbours : sequence of int or None, default=(None,)
        How many of the nearest examples to sum; None is all. At equal distance the first class
        and then the first example is nearer.
    left_out : array-like of int, optional
        Which examples to leave out in turn; all if not given.
    n_jobs : int or None, default=1
        Threads.
    precision : {"double", "single"}, default="double"
        Of the compiled loops; without numba it is double. In single precision a term is known to
        a relative 1e-5, and to α/8 times that beyond an exponent of 8; of examples whose distances
        agree to 1e-7 either may be the nearer.
    progress : callable, optional
        Called with the number of examples left out so far and the number there are.

    Returns
    -------
    LeaveOneOut
        Log-loss and accuracy of each smoother.

    Raises
    ------
    ValueError
        If a parameter does not suit, or there are fewer than two distinct rows.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning", 2009,
       section 7.10.

    Examples
    --------
    >>> from deeplimit.sums import fit_lift
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> found = leave_one_out(fit_lift(X, "euclidean"), X, [0, 0, 1, 1], None, 2, [1.0, 2.0])
    >>> found.log_loss.round(3).tolist()
    [[0.741, 0.586]]
    """
    rows = float_rows(X)
    labels, given = check_examples(rows, index, weight, n_classes, lift.n_features)
    w = np.ones(len(rows)) if given is None else given
    if precision not in LIMITS:
        raise ValueError(f'precision must be "single" or "double", {precision!r} was got')
    powers = np.asarray(exponents, dtype=np.float64)
    counts = np.array([np.inf if k is None else k for k in neighbours], dtype=np.float64)
    if powers.ndim != 1 or not powers.size or not np.all((powers > 0) & np.isfinite(powers)):
        raise ValueError(f"exponents must be positive finite numbers, {exponents!r} was got")
    whole = np.isinf(counts) | (counts == np.floor(counts))
    if not counts.size or not np.all((counts >= 1) & whole):
        raise ValueError(f"neighbours must be numbers of at least 1, or None, got {neighbours!r}")
    if not np.isfinite(rows).all():
        raise ValueError("examples must be finite: drop rows with NaN or infinity")
    distinct = np.unique(rows[w > 0] + 0.0, axis=0).shape[0]
    if distinct < 2:
        raise ValueError("leave-one-out needs at least two distinct rows")
    who = np.flatnonzero(w > 0) if left_out is None else check_places(left_out, len(rows))
    if not np.any(w[who] > 0):
        raise ValueError("leave-one-out needs an example of positive weight to leave out")
    finite = counts[np.isfinite(counts)]
    most = int(min(finite.max(initial=0), len(rows)))
    problem = _Problem(
        lift, rows, labels, w, n_classes, powers, most, bool(np.isinf(counts).any()), n_jobs
    )
    # Weights too far apart for a precision are left to the next.
    kind = precision if weights_fit(w, precision) else "double"
    fast = who.size * len(rows) >= WORTH_COMPILING and available("numba") and weights_fit(w, kind)
    grids = _CompiledGrids(problem, kind) if fast else _ReferenceGrids(problem)
    shares = np.bincount(labels, weights=w, minlength=n_classes) / w.sum()

    lock, scored = threading.Lock(), 0

    def score(part: slice) -> tuple[Floats, Floats, float]:
        nonlocal scored
        chosen = who[part]
        figures = _score(problem, grids.of(chosen), chosen, counts, shares, 1.0 / distinct)
        if progress is not None:
            # One at a time, so that a caller need not know of threads.
            with lock:
                scored += chosen.size
                progress(scored, who.size)
        return figures

    step = problem.step
    parts = [slice(i, min(i + step, who.size)) for i in range(0, who.size, step)]
    done = map_blocks(score, parts, n_jobs)
    mass = sum(part[2] for part in done)
    loss = np.sum([part[0] for part in done], axis=0) / mass
    right = np.sum([part[1] for part in done], axis=0) / mass
    return LeaveOneOut(powers, counts, loss, right, int(who.size))


def _score(
    problem: _Problem,
    grid: _Grid,
    who: Integers,
    counts: Floats,
    shares: Floats,
    mix: float,
) -> tuple[Floats, Floats, float]:
    """Give the weighted sums of losses and of right answers, of shape (K, A), and the weight."""
    truth, mass = problem.index[who], problem.weight[who]
    at = np.arange(who.size)
    losses = np.zeros((counts.size, problem.exponents.size))
    right = np.zeros_like(losses)
    for a, exponent in enumerate(problem.exponents):
        near = _nearest_sums(problem, grid, exponent, counts)
        for k, count in enumerate(counts):
            if np.isinf(count):
                logs = grid.log_sums[:, :, a]
                top = logs.max(axis=1, keepdims=True)
                sums = np.exp(logs - np.where(np.isneginf(top), 0.0, top))
            else:
                sums = near[int(count)]
            whole = sums.sum(axis=1, keepdims=True)
            share = np.where(whole > 0, sums / np.where(whole > 0, whole, 1.0), shares)
            share = share * (1.0 - mix) + shares * mix
            losses[k, a] = -np.sum(mass * np.log(share[at, truth]))
            right[k, a] = np.sum(mass * (np.argmax(share, axis=1) == truth))
    return losses, right, float(mass.sum())


def _nearest_sums(
    problem: _Problem, grid: _Grid, exponent: float, counts: Floats
) -> dict[int, Floats]:
    """Give the sums of the classes over the nearest examples, in units of the nearest of them."""
    if not problem.most:
        return {}
    nearest = grid.nearest
    m, kept = nearest.shape
    terms = np.exp(-exponent / 2.0 * (grid.log_gaps - grid.log_gaps[:, :1]))
    terms = np.where(nearest >= 0, terms * problem.weight[nearest], 0.0)
    cells = np.arange(m)[:, None] * problem.n_classes + problem.index[nearest]
    sums, start, found = np.zeros((m, problem.n_classes)), 0, {}
    for count in sorted({int(k) for k in counts if np.isfinite(k)}):
        stop = min(count, kept)
        part = slice(start, stop)
        sums = sums + np.bincount(
            cells[:, part].ravel(), weights=terms[:, part].ravel(), minlength=sums.size
        ).reshape(sums.shape)
        found[count], start = sums, stop
    return found


class _ReferenceGrids:
    """The definition, in NumPy and float64."""

    def __init__(self, problem: _Problem) -> None:
        p = problem
        self._problem = p
        order = np.argsort(p.index, kind="stable")
        self._order = order[p.weight[order] > 0]
        self._tiles = GapTiles(p.X[self._order], p.lift)
        self._bounds = np.searchsorted(p.index[self._order], np.arange(p.n_classes + 1))

    def of(self, who: Integers) -> _Grid:
        """Leave some examples out."""
        p = self._problem
        logs = np.empty((who.size, self._order.size))
        for columns, gaps in self._tiles.of(p.X[who]):
            with np.errstate(divide="ignore"):
                logs[:, columns] = np.log(gaps)
        logs[np.isneginf(logs)] = np.inf  # the row itself and its duplicates weigh nothing
        log_weight = np.log(p.weight[self._order])
        sums = np.full((who.size, p.n_classes, p.halves.size), -np.inf)
        for a, half in enumerate(p.halves):
            terms = log_weight - half * logs
            for c in range(p.n_classes):
                run = terms[:, self._bounds[c] : self._bounds[c + 1]]
                if run.shape[1]:
                    top = run.max(axis=1, keepdims=True)
                    top = np.where(np.isfinite(top), top, 0.0)
                    with np.errstate(divide="ignore"):
                        sums[:, c, a] = np.log(np.exp(run - top).sum(axis=1)) + top[:, 0]
        first = np.argsort(logs, axis=1, kind="stable")[:, : p.most]
        near = np.take_along_axis(logs, first, axis=1)
        return _Grid(sums, near, np.where(np.isfinite(near), self._order[first], -1))


class _CompiledGrids:
    """The same by compiled loops; what they leave out is added in float64."""

    def __init__(self, problem: _Problem, precision: Precision) -> None:
        p = problem
        self._problem = p
        self._loops: Any = importlib.import_module("deeplimit.engines.grid_loops")
        self._engine = CompiledEngine(
            p.lift, p.X, p.index, p.weight, p.n_classes, precision=precision
        )
        self._engine.packed  # noqa: B018 - made here, before threads ask for it
        self._factors = _factors(p.halves)
        self._fallback: _ReferenceGrids | None = None

    def of(self, who: Integers) -> _Grid:
        """Leave some examples out."""
        p, packed = self._problem, self._engine.packed
        # Of a high exponent few digits are asked: losses are means of logarithms.
        batch = self._engine.batch(p.X[who], who, min(float(p.exponents.max()), _STEEP))
        kind = packed.x.dtype.type
        m, most = batch.points[1].size, p.most
        unit, sums, _ = batch.empty(p.n_classes, p.halves.size)
        squares = np.full((m, most), batch.far, dtype=kind)
        places = np.full((m, most), -1, dtype=np.int64)
        taken = 0
        for start in range(0, len(packed.x), _BLOCKS):
            blocks = slice(start, min(start + _BLOCKS, len(packed.x)))
            taken = self._loops.sum_grid(
                *packed.cut(blocks), *batch.points, *batch.bounds, batch.far,
                p.halves.astype(kind), self._factors, unit, sums, squares, places, *batch.listed,
            )  # fmt: skip
        m = who.size
        with np.errstate(divide="ignore"):
            shift = 2.0 * packed.exponent * np.log(2.0)
            units = np.log(unit[:m].astype(np.float64)) + shift
            log_sums = np.log(sums[:m]) - p.halves * units[:, :, None]
            log_gaps = np.log(squares[:m].astype(np.float64)) + shift - np.log(2.0)
        nearest = np.where(places[:m] >= 0, packed.order[places[:m]], -1)
        log_gaps[nearest < 0] = np.inf
        rows, examples, void = batch.pairs(taken, packed)
        grid = self._with_pairs(who, rows, examples, _Grid(log_sums, log_gaps, nearest))
        if void.any():
            if self._fallback is None:
                self._fallback = _ReferenceGrids(p)
            again = self._fallback.of(who[void])
            for mine, theirs in zip(grid, again, strict=True):
                mine[void] = theirs
        return grid

    def _with_pairs(self, who: Integers, rows: Integers, examples: Integers, grid: _Grid) -> _Grid:
        """Add the pairs that the loops left out."""
        p = self._problem
        if not rows.size:
            return grid
        gaps = p.lift.gap(p.X[who[rows]], p.X[examples])
        apart = gaps > 0.0
        rows, examples, logs = rows[apart], examples[apart], np.log(gaps[apart])
        terms = np.log(p.weight[examples])[:, None] - p.halves * (logs[:, None] + np.log(2.0))
        np.logaddexp.at(grid.log_sums, (rows, p.index[examples]), terms)
        if not p.most or not rows.size:
            return grid
        here = np.unique(rows)
        order = np.lexsort((examples, p.index[examples], logs, rows))
        starts = np.searchsorted(rows[order], here)
        stops = np.searchsorted(rows[order], here, side="right")
        for i, start, stop in zip(here, starts, stops, strict=True):
            part = order[start:stop]
            both = np.concatenate([logs[part], grid.log_gaps[i]])
            names = np.concatenate([examples[part], grid.nearest[i]])
            first = np.argsort(both, kind="stable")[: p.most]
            grid.log_gaps[i], grid.nearest[i] = both[first], names[first]
        return grid


def _factors(halves: Floats) -> Integers:
    """Name for each number two earlier ones of which it is the sum, or -1 twice.

    The numbers themselves must not be too far down the chain: each product adds a rounding.
    """
    found = np.full((halves.size, 2), -1, dtype=np.int64)
    for a, half in enumerate(halves):
        for i in range(a):
            rest = np.flatnonzero(halves[:a] == half - halves[i])
            if rest.size:
                found[a] = i, rest[0]
                break
    return found
