"""Scores of smoothers when only some columns are measured: the game that columns play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.ridge import Kernel
from deeplimit.smoothers.truncated import Setting

__all__ = ["Plan", "Shapley", "Sight", "make_plan"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Squared distances no further apart than this part of the typical one are equal here.
_EQUAL = 1e-9
# Squared distances that are held at once.
_ENTRIES = 2**20


class Shapley(NamedTuple):
    """What each column adds to a score.

    Parameters
    ----------
    values : ndarray of shape (p,)
        The columns' parts.
    errors : ndarray of shape (p,)
        Standard errors; 0 where all sets of columns were asked.
    empty, whole : float
        The score with no column and with all of them: the parts sum to their difference.
    """

    values: Floats
    errors: Floats
    empty: float
    whole: float


@dataclass(frozen=True, eq=False)
class Plan:
    """Which sets of columns are asked, and how the answers become columns' parts.

    Parameters
    ----------
    masks : ndarray of bool, shape (s, p)
        Sets of columns, small ones first.
    chains : ndarray of int64, shape (orders, p + 1), or None
        For each order of the columns, the sets met when they come one after the other; None
        where all sets are asked.
    orders : ndarray of int64, shape (orders, p), or None
        The orders; those at 2 k and 2 k + 1 are each other's reverse.
    """

    masks: NDArray[np.bool_]
    chains: Integers | None
    orders: Integers | None

    def shapley(self, scores: Floats) -> Shapley:
        """Give the columns' parts from the scores of the sets, of shape (s,)."""
        p = self.masks.shape[1]
        empty, whole = float(scores[0]), float(scores[-1])
        if self.chains is None or self.orders is None:
            return Shapley(self._exactly(scores), np.zeros(p), empty, whole)
        gains = np.empty(self.orders.shape)
        np.put_along_axis(gains, self.orders, np.diff(scores[self.chains], axis=1), axis=1)
        pairs = gains.reshape(-1, 2, p).mean(axis=1)
        spread = pairs.std(axis=0, ddof=1) if len(pairs) > 1 else np.full(p, np.nan)
        return Shapley(pairs.mean(axis=0), spread / np.sqrt(len(pairs)), empty, whole)

    def _exactly(self, scores: Floats) -> Floats:
        p = self.masks.shape[1]
        number = self.masks @ (1 << np.arange(p))
        at = np.empty(number.size, dtype=np.int64)
        at[number] = np.arange(number.size)
        size = self.masks.sum(axis=1)
        values = np.zeros(p)
        for j in range(p):
            out = np.flatnonzero(~self.masks[:, j])
            part = [factorial(k) * factorial(p - k - 1) / factorial(p) for k in size[out]]
            values[j] = np.asarray(part) @ (scores[at[number[out] | (1 << j)]] - scores[out])
        return values


def make_plan(p: int, n_orders: int, seed: int) -> Plan:
    """Choose the sets of columns to ask.

    Parameters
    ----------
    p : int
        Number of columns.
    n_orders : int
        Orders of the columns to draw, even; all sets are asked where these are no more.
    seed : int
        For the orders.

    Returns
    -------
    Plan
    """
    if 2**p <= max(n_orders, 2) * max(p, 1):
        masks = (np.arange(2**p)[:, None] >> np.arange(p)) % 2 == 1
        return Plan(masks[np.argsort(masks.sum(axis=1), kind="stable")], None, None)
    rng = np.random.default_rng(seed)
    forth = np.array([rng.permutation(p) for _ in range(n_orders // 2)])
    orders = np.stack([forth, forth[:, ::-1]], axis=1).reshape(-1, p)
    place = np.argsort(orders, axis=1)
    # After k columns of an order those are in that come before the k-th.
    met = place[:, None, :] < np.arange(p + 1)[None, :, None]
    flat = met.reshape(-1, p)
    packed = np.packbits(flat, axis=1)
    _, first, inverse = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    masks = flat[first]
    by_size = np.argsort(masks.sum(axis=1), kind="stable")
    rank = np.argsort(by_size)
    return Plan(masks[by_size], rank[inverse.ravel()].reshape(met.shape[:2]), orders)


@dataclass(frozen=True, eq=False)
class Sight:
    """Smoothers that measure distances alike, and what they say of one class against another.

    Parameters
    ----------
    settings : sequence of Setting
        Smoothers over nearest examples.
    weights : ndarray of shape (len(settings),)
        Their weights.
    local : ndarray of shape (n,) or None
        ln of the local scale of each example.
    kernel : Kernel or None
        Kernel of a ridge solution.
    centres : ndarray of int64 or None
        Its centres; None is all examples.
    coefficients : ndarray of shape (c,) or None
        Its coefficients for the one class less the other, times its weight; None is none.
    """

    settings: Sequence[Setting]
    weights: Floats
    local: Floats | None = None
    kernel: Kernel | None = None
    centres: Integers | None = None
    coefficients: Floats | None = None

    def scores(self, D: Floats, masks: NDArray[np.bool_], weight: Floats, side: Floats) -> Floats:
        """Score a row with some columns measured.

        A column that is not measured says of all examples the same: its mean squared difference.

        Parameters
        ----------
        D : ndarray of shape (n, p)
            Squared differences from the examples, column by column.
        masks : ndarray of bool, shape (s, p)
            Sets of columns, small ones first.
        weight : ndarray of shape (n,)
            Weights of the examples.
        side : ndarray of shape (n,)
            1 for the examples of the one class, -1 for those of the other, else 0.

        Returns
        -------
        ndarray of shape (s,)
            Score of the one class less that of the other. Where examples are equally far, a list of
            nearest ones takes the same part of each.
        """
        mean = weight @ D / weight.sum()
        equal = _EQUAL * float(mean.sum())
        out = np.zeros(len(masks))
        step = max(1, _ENTRIES // len(D))
        for i in range(0, len(masks), step):
            measured = masks[i : i + step]
            u = measured.astype(np.float64) @ D.T + (~measured @ mean)[:, None]
            out[i : i + step] = self._near(u, weight, side, equal)
            if self.coefficients is not None and self.kernel is not None:
                at = u if self.centres is None else u[:, self.centres]
                out[i : i + step] += self.kernel(at) @ self.coefficients
        return out

    def _near(self, u: Floats, weight: Floats, side: Floats, equal: float) -> Floats:
        out = np.zeros(len(u))
        if not len(self.settings):
            return out
        most = max(setting.mass for setting in self.settings)
        places = _candidates(u, weight, most, equal)
        u = np.take_along_axis(u, places, axis=1)
        w, s = weight[places], side[places]
        local = None if self.local is None else self.local[places]
        first, last = _ties(u, w, equal)
        pairs = sorted(zip(self.settings, self.weights, strict=True), key=lambda pair: pair[0][1:])
        for (exponent, density), group in groupby(pairs, key=lambda pair: pair[0][1:]):
            powers = _powers(u, local, exponent, density)
            for setting, v in group:
                part = np.ones_like(u)
                if np.isfinite(setting.mass):
                    part = np.clip((setting.mass - first) / (last - first), 0.0, 1.0)
                terms = w * part * powers
                total = terms.sum(axis=1)
                net = np.einsum("ij,ij->i", terms, s)
                out += v * np.divide(net, total, out=np.zeros_like(net), where=total > 0.0)
        return out


def _candidates(u: Floats, weight: Floats, most: float, equal: float) -> Integers:
    """Give the examples that can be among the nearest, ties and all, nearest first."""
    n = u.shape[1]
    k = int(min(n, np.ceil(most / weight.min()))) if np.isfinite(most) else n
    if k < n:
        # Ties that chain along may reach further than one bound; twice the bound's tie is far.
        bound = np.partition(u, k - 1, axis=1)[:, k - 1]
        k = int(np.count_nonzero(u <= bound[:, None] + 2.0 * equal, axis=1).max())
    if k < n:
        near = np.argpartition(u, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(u, near, axis=1), axis=1, kind="stable")
        return np.take_along_axis(near, order, axis=1)
    return np.argsort(u, axis=1, kind="stable")


def _ties(u: Floats, w: Floats, equal: float) -> tuple[Floats, Floats]:
    """Give the mass nearer than those equally far as each example, and with them."""
    after = np.cumsum(w, axis=1)
    new = np.ones(u.shape, dtype=bool)
    new[:, 1:] = np.diff(u, axis=1) > equal
    first = np.maximum.accumulate(np.where(new, after - w, 0.0), axis=1)
    ends = np.ones(u.shape, dtype=bool)
    ends[:, :-1] = new[:, 1:]
    last = np.where(ends, after, np.inf)[:, ::-1]
    return first, np.minimum.accumulate(last, axis=1)[:, ::-1]


def _powers(u: Floats, local: Floats | None, exponent: float, density: float) -> Floats:
    if exponent == 0.0:
        return np.ones_like(u)
    with np.errstate(divide="ignore"):
        logs = 0.5 * np.log(u)
    if density and local is not None:
        logs = logs - density * local
    least = logs.min(axis=1, keepdims=True)
    hit = np.isneginf(least)
    with np.errstate(invalid="ignore"):
        powers = np.exp(-exponent * (logs - least))
    return np.where(hit, np.isneginf(logs), powers)
