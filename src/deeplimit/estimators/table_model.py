"""A table's examples made into a pool: coding, encoding and fitting, all from what is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.persist.codec import Decoder, Encoder
from deeplimit.persist.state import State, from_state, to_state
from deeplimit.smoothers import FULL, INSTANT, Plan, Pool, fit_pool
from deeplimit.smoothers.folds import distinct_order
from deeplimit.smoothers.pool import Group, LeftOutScores
from deeplimit.smoothers.pooling import Link
from deeplimit.smoothers.ridge import Kernel, Ridge
from deeplimit.smoothers.truncated import Setting
from deeplimit.smoothers.views import View
from deeplimit.tables.coding import TableCoder
from deeplimit.tables.encoding import TableEncoder

__all__ = ["PLANS", "TableModel", "canonical_rows", "fit_table"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: What each speed tries.
PLANS: dict[str, Plan] = {"instant": INSTANT, "full": FULL}

# What a pool is made of, for its state.
# Units that differ by less than this are those of standard scores; columns of one unit have about
# the same spread, most of them.
_ALIKE, _APART = 0.8, 1.0 / 30.0
_PARTS = {
    part.__name__: part for part in (Link, LeftOutScores, Kernel, Ridge, Setting, View, Group)
}


@dataclass(frozen=True, eq=False)
class TableModel:
    """What a fit to coded rows comes to.

    Parameters
    ----------
    encoder : TableEncoder
        From coded rows to points.
    pool : Pool
        What decides at points, of the distinct examples.
    member : ndarray of int64, shape (n,)
        Which of these each example is.
    part : ndarray of shape (n,)
        Its part of their weight.
    """

    encoder: TableEncoder
    pool: Pool
    member: Integers
    part: Floats

    def points(self, codes: Floats) -> Floats:
        """Give the points of coded rows.

        Parameters
        ----------
        codes : ndarray of shape (m, p)
            Coded rows.

        Returns
        -------
        ndarray of shape (m, q)
        """
        points: Floats = self.encoder.transform_codes(codes)
        return points

    @property
    def index(self) -> Integers:
        """Class of each example, of shape (n,)."""
        index: Integers = self.pool.index[self.member]
        return index

    @property
    def weight(self) -> Floats:
        """Weight of each example, of shape (n,)."""
        weight: Floats = self.pool.weight[self.member] * self.part
        return weight

    def shares(self, points: Floats) -> Floats:
        """Give the share of each example in the scores at points, of shape (m, n)."""
        shares: Floats = self.pool.shares(points)[:, self.member]
        shares *= self.part
        return shares

    def without(self, out: Integers) -> TableModel:
        """Give what is left without some examples, all settings staying as they are.

        Parameters
        ----------
        out : ndarray of int64
            Places of examples.

        Returns
        -------
        TableModel

        Raises
        ------
        ValueError
            If none would remain.
        """
        kept = np.setdiff1d(np.arange(self.member.size), out)
        if not kept.size:
            raise ValueError(
                f"{self.member.size} examples are all there are: keep one of them to decide by."
            )
        distinct, member = np.unique(self.member[kept], return_inverse=True)
        weight = self.weight[kept]
        merged = np.bincount(member, weights=weight).astype(np.float64)
        pool = self.pool.of(distinct, merged)
        return TableModel(self.encoder, pool, member, weight / merged[member])

    def _to_state(self) -> State:
        encoder = Encoder("TableModel", lambda value, name: False)
        meta = {
            "pool": encoder.encode(_plain(self.pool), "pool"),
            "member": encoder.encode(self.member, "member"),
            "part": encoder.encode(self.part, "part"),
        }
        return State("TableModel", meta, encoder.arrays, {"encoder": to_state(self.encoder)})

    @classmethod
    def _from_state(cls, state: State) -> TableModel:
        decoder = Decoder(state.arrays, lambda name: None)
        pool = Pool(**_made(decoder.decode(state.meta["pool"])))
        member, part = (decoder.decode(state.meta[name]) for name in ("member", "part"))
        return cls(from_state(state.children["encoder"]), pool, member, part)


def _plain(value: Any) -> Any:
    """Give a value of parts as dictionaries that name them."""
    if type(value).__name__ in _PARTS:
        names = getattr(value, "_fields", None) or [part.name for part in fields(value)]
        return {
            "part": type(value).__name__,
            **{name: _plain(getattr(value, name)) for name in names},
        }
    if isinstance(value, Pool):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return value


def _made(value: Any) -> Any:
    """Give back what `_plain` took apart."""
    if isinstance(value, dict):
        made = {name: _made(item) for name, item in value.items() if name != "part"}
        return _PARTS[value["part"]](**made) if "part" in value else made
    if isinstance(value, tuple):
        return tuple(_made(item) for item in value)
    return value


def canonical_rows(codes: Floats, coder: TableCoder) -> Floats:
    """Give rows whose levels are numbered by their names among those there are.

    Parameters
    ----------
    codes : ndarray of shape (n, p)
        Coded rows.
    coder : TableCoder
        What coded them.

    Returns
    -------
    ndarray of shape (n, p)
        Equal tables have equal rows; `codes` itself where no column is categorical.
    """
    if not coder.has_levels:
        return codes
    rows = codes.copy()
    for j, levels in enumerate(coder.levels_):
        if levels is None:
            continue
        there = ~np.isnan(codes[:, j])
        numbers, place = np.unique(codes[there, j].astype(np.int64), return_inverse=True)
        rank = np.argsort(np.argsort([levels[k] for k in numbers]))
        rows[there, j] = rank[place]
    return rows


def _categories(encoder: TableEncoder, coder: TableCoder) -> list[Integers]:
    """Give the entries of a point that stand for the levels of a category, where it has many."""
    blocks = [np.flatnonzero(encoder.origin_ == j) for j in range(len(coder.levels_))]
    levels = zip(blocks, coder.levels_, strict=True)
    return [block for block, names in levels if names is not None and block.size > 2]


def _units(encoder: TableEncoder) -> Floats | None:
    """Give what the entries of a point are multiplied by to be in the units of the table.

    None if not all are numbers, if their units are those of a point, or if most of them spread so
    much less than the one that spreads most that a distance would be that one's.
    """
    if not encoder.numeric_.size or not encoder.numeric_.all():
        return None
    exponent, scale = encoder.exponent_[encoder.origin_], encoder.scale_[encoder.origin_]
    units: Floats = np.ldexp(scale, np.maximum(exponent - exponent.max(), -500))
    units /= units.max()
    # One unit, or so it looks: some are scores already, and some are worlds apart.
    return units if units.min() < _ALIKE and np.median(units) > _APART else None


def fit_table(
    codes: Floats,
    coder: TableCoder,
    index: Integers,
    weight: Floats,
    n_classes: int,
    plan: Plan,
    *,
    seed: int,
    n_jobs: int | None,
    time_limit: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> TableModel:
    """Fit a pool to coded rows.

    Parameters
    ----------
    codes : ndarray of shape (n, p)
        Coded rows.
    coder : TableCoder
        What coded them.
    index : ndarray of int64, shape (n,)
        Class of each.
    weight : ndarray of shape (n,)
        Positive weights.
    n_classes : int
        Number of classes; each has an example.
    plan : Plan
        What is tried.
    seed : int
        For folds and samples.
    n_jobs : int or None
        Threads.
    time_limit : float, optional
        Seconds after which nothing more is tried.
    progress : callable, optional
        Told in words what has been done.

    Returns
    -------
    TableModel
        A function of the table that is there: not of its order, nor of what was there before.
    """
    keys = canonical_rows(codes, coder)
    # Equal examples count as one of their weight, in an order that only contents decide: so a
    # weight is so many rows, none is told by its copy, and the order of rows changes no bit.
    first, member = distinct_order(keys, index, seed)
    merged = np.bincount(member, weights=weight).astype(np.float64)
    encoder = TableEncoder().fit_codes(codes[first], coder, weight=merged, constant="keep-none")
    pool = fit_pool(
        encoder.transform_codes(codes[first]),
        index[first],
        merged,
        n_classes,
        plan,
        keys=keys[first],
        categories=_categories(encoder, coder),
        units=_units(encoder),
        seed=seed,
        n_jobs=n_jobs,
        time_limit=time_limit,
        progress=progress,
    )
    return TableModel(encoder, pool, member, weight / merged[member])
