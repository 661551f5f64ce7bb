"""Singular smoothers over the nearest examples: the infinitely deep network, made local."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit.smoothers.nearest import Near

__all__ = ["Setting", "Lists", "add_proportions", "density", "lists_of"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The local scale of an example is the distance to the neighbour at which this mass is reached.
_LOCAL = 7.0
# A local scale of no more than this part of the typical distance counts as this.
_LEAST_LOCAL = -7.0


class Setting(NamedTuple):
    """A smoother over nearest examples.

    Parameters
    ----------
    mass : float
        How many examples it sums, nearest first; the last may count in part.
    exponent : float
        A term is the distance to the power of minus this; 0 is plain nearest neighbours.
    density : float
        The distance is divided by this power of the example's local scale.
    """

    mass: float
    exponent: float
    density: float


class Lists(NamedTuple):
    """Nearest examples of some rows, with what each of them weighs.

    Parameters
    ----------
    places : ndarray of int64, shape (m, k)
        Examples, nearest first.
    logs : ndarray of shape (m, k)
        ln of the distances.
    weights : ndarray of shape (m, k)
        Weights of the examples, without what is left out.
    local : ndarray of shape (m, k) or None
        ln of their local scales.
    """

    places: Integers
    logs: Floats
    weights: Floats
    local: Floats | None

    def terms(self, setting: Setting) -> Floats:
        """Give the share of each listed example in a smoother; the shares of a row sum to 1.

        Examples that coincide with the row decide alone wherever the exponent is not 0. A row
        whose list has no weight has no shares.
        """
        there = self.weights > 0.0
        before = np.cumsum(self.weights, axis=1) - self.weights
        parts = np.clip(setting.mass - before, 0.0, self.weights)
        terms = parts * self._powers(setting, there)
        total = terms.sum(axis=1, keepdims=True)
        shares: Floats = np.divide(terms, total, out=np.zeros_like(terms), where=total > 0.0)
        return shares

    def proportions(self, setting: Setting, index: Integers, n_classes: int) -> Floats:
        """Give the shares of the classes, of shape (m, n_classes)."""
        terms = self.terms(setting)
        m = len(terms)
        cells = np.arange(m)[:, None] * n_classes + index[self.places]
        sums = np.bincount(cells.ravel(), weights=terms.ravel(), minlength=m * n_classes)
        proportions: Floats = sums.reshape(m, n_classes).astype(np.float64)
        return proportions

    def of_class(self, settings: Sequence[Setting], index: Integers, wanted: Integers) -> Floats:
        """Give the share of one class for each row, of shape (m, len(settings)).

        One pass over the lists serves all masses with the same exponent and density.
        """
        m, k = self.places.shape
        there = self.weights > 0.0
        mass = np.cumsum(self.weights, axis=1)
        same = index[self.places] == wanted[:, None]
        out = np.zeros((m, len(settings)))
        at = np.arange(m)
        powers: Floats
        for exponent, density in dict.fromkeys((s.exponent, s.density) for s in settings):
            powers = self._powers(Setting(np.inf, exponent, density), there)
            terms = powers * self.weights
            whole = np.zeros((m, k + 1))
            np.cumsum(terms, axis=1, out=whole[:, 1:])
            ours = np.zeros((m, k + 1))
            np.cumsum(terms * same, axis=1, out=ours[:, 1:])
            for column, setting in enumerate(settings):
                if (setting.exponent, setting.density) != (exponent, density):
                    continue
                full = np.count_nonzero(mass <= setting.mass, axis=1)
                last = np.minimum(full, k - 1)
                rest = np.where(full < k, setting.mass - (mass - self.weights)[at, last], 0.0)
                rest *= powers[at, last]
                top = ours[at, full] + rest * same[at, last]
                bottom = whole[at, full] + rest
                np.divide(top, bottom, out=out[:, column], where=bottom > 0.0)
        return out

    def _powers(self, setting: Setting, there: NDArray[np.bool_]) -> Floats:
        if setting.exponent == 0.0:
            return there.astype(np.float64)
        logs = self.logs
        if setting.density and self.local is not None:
            logs = logs - setting.density * self.local
        logs = np.where(there, logs, np.inf)
        least = logs.min(axis=1, keepdims=True)
        hit = np.isneginf(least)
        with np.errstate(invalid="ignore"):
            powers = np.exp(-setting.exponent * (logs - least))
        return np.where(hit, np.isneginf(logs), np.where(there, powers, 0.0))


def lists_of(
    near: Near, weight: Floats, local: Floats | None = None, own: Integers | None = None
) -> Lists:
    """Weigh lists of nearest examples.

    Parameters
    ----------
    near : Near
        The lists.
    weight : ndarray of shape (n,)
        Weight of each example.
    local : ndarray of shape (n,), optional
        ln of the local scale of each example.
    own : ndarray of int64, shape (m,), optional
        The rows are these examples, and each is left out of its own list.

    Returns
    -------
    Lists
    """
    weights = weight[near.places]
    if own is not None:
        weights = np.where(near.places == own[:, None], 0.0, weights)
    return Lists(near.places, near.logs, weights, None if local is None else local[near.places])


def add_proportions(
    out: Floats,
    near: Near,
    weight: Floats,
    local: Floats | None,
    index: Integers,
    settings: Sequence[Setting],
    factors: Floats,
) -> None:
    """Add what some smoothers say of the classes, by compiled loops; see `Lists.proportions`.

    Parameters
    ----------
    out : ndarray of shape (m, n_classes)
        Increased by the proportions times the factors.
    near : Near
        The lists.
    weight : ndarray of shape (n,)
        Weight of each example.
    local : ndarray of shape (n,) or None
        ln of the local scale of each example.
    index : ndarray of int64, shape (n,)
        Class of each.
    settings : sequence of Setting
        The smoothers.
    factors : ndarray of shape (len(settings),)
        Weight of each.
    """
    loops: Any = importlib.import_module("deeplimit.engines.near_loops")
    local = np.zeros(len(weight)) if local is None else local
    numbers = np.array(settings, dtype=np.float64).reshape(-1, 3).T.copy()
    loops.sum_lists(near.places, near.logs, weight, local, index, *numbers, factors, out)


def density(near: Near, weight: Floats, own: Integers, length: float) -> Floats:
    """Give ln of the local scale of examples: the distance within which a mass of 7 others lies.

    Parameters
    ----------
    near : Near
        Nearest examples of each.
    weight : ndarray of shape (n,)
        Weight of each example.
    own : ndarray of int64, shape (m,)
        The examples.
    length : float
        Typical distance.

    Returns
    -------
    ndarray of shape (m,)
    """
    lists = lists_of(near, weight, own=own)
    reached = np.cumsum(lists.weights, axis=1) >= _LOCAL
    place = np.where(reached.any(axis=1), np.argmax(reached, axis=1), reached.shape[1] - 1)
    local = lists.logs[np.arange(len(place)), place]
    least: Floats = np.maximum(local, np.log(length) + _LEAST_LOCAL)
    return least
