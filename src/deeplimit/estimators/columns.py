"""Which columns decide: the margin of a decision as a sum over the columns of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require
from deeplimit.documents import align
from deeplimit.estimators.coalitions import Sight, make_plan
from deeplimit.smoothers.pool import Pool
from deeplimit.smoothers.truncated import Setting

__all__ = ["Columns", "Measured", "columns", "pool_measured", "pure_measured"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Columns that a row is printed with.
_SHOWN = 8


@dataclass(frozen=True, eq=False)
class Columns:
    """What each column adds to the margin of each decision.

    The margin is the score of the class that a row is given, less that of its strongest rival.
    ``base + shares.sum(axis=1)`` is the margin. A share is a Shapley value [1]_: what the column
    adds to the margin when it is measured too, on average over all orders in which columns can
    come to be measured. While a column is not measured, all examples are alike in it: each is as
    far from the row, in this column, as they are on average. So a share tells what this model
    makes of a column, in this row, beside the others. It does not tell what would happen in the
    world if the cell were another, nor what another model would do without the column.

    Attributes
    ----------
    names : tuple of str, length p
        Columns of the table.
    cells : ndarray of object, shape (m, p)
        What the rows hold.
    shares : ndarray of shape (m, p)
        Parts of the margin; positive ones speak for the class that is given. A column in which all
        examples are equally far from the row has 0.
    errors : ndarray of shape (m, p)
        Standard errors of the shares, for orders are drawn where there are many; 0 where all were
        taken. The sum has no error.
    base : ndarray of shape (m,)
        What no column adds: shares of the classes, and the order of equally near examples.
    margin : ndarray of shape (m,)
        The margins. Negative where weights of classes or priors overrule the scores.
    predictions : ndarray of shape (m,)
        Class that is given.
    rivals : ndarray of shape (m,)
        Class it is held against.

    References
    ----------
    .. [1] L. S. Shapley, "A value for n-person games", Contributions to the Theory of Games II,
       1953.

    Examples
    --------
    >>> import deeplimit as dl
    >>> clf = dl.HilbertClassifier(exponent=2.0)
    >>> clf = clf.fit([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]], ["a", "b", "b"])
    >>> found = clf.columns([[1.5, 5.0]])
    >>> print(found)
    row 0: b before a by 0.895
      column  value   share  error
      x0      1.5    +0.561      0
      x1      5.0    +0.000      0
      none           +0.333
    """

    names: tuple[str, ...]
    cells: NDArray[Any]
    shares: Floats
    errors: Floats
    base: Floats
    margin: Floats
    predictions: NDArray[Any]
    rivals: NDArray[Any]

    def __str__(self) -> str:
        return "\n".join(self._in_words(i) for i in range(len(self.margin)))

    def _in_words(self, i: int) -> str:
        order = np.argsort(-np.abs(self.shares[i]), kind="stable")
        entries = [
            (
                self.names[j],
                "(missing)" if (cell := self.cells[i, j]) is None else str(cell),
                f"{self.shares[i, j]:+.3f}",
                f"{self.errors[i, j]:.2g}",
            )
            for j in order[:_SHOWN]
        ]
        if (rest := order[_SHOWN:]).size:
            entries.append((f"others, {rest.size}", "", f"{self.shares[i, rest].sum():+.3f}", ""))
        entries.append(("none", "", f"{self.base[i]:+.3f}", ""))
        head = f"row {i}: {self.predictions[i]} before {self.rivals[i]} by {self.margin[i]:.3f}"
        return f"{head}\n" + align(("column", "value", "share", "error"), entries, left=(0, 1))

    def to_pandas(self) -> Any:
        """Give a table with a line for each row and column.

        Returns
        -------
        pandas.DataFrame
            Columns row, prediction, rival, column, value, share and error. What no column adds is
            in a line without a column's name.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pd = require("pandas", extra="tables", purpose="a table of columns' shares")
        m, p = self.shares.shape
        none = np.full((m, 1), None, dtype=object)
        return pd.DataFrame(
            {
                "row": np.repeat(np.arange(m), p + 1),
                "prediction": np.repeat(self.predictions, p + 1),
                "rival": np.repeat(self.rivals, p + 1),
                "column": [*self.names, None] * m,
                "value": np.hstack([self.cells, none]).ravel(),
                "share": np.hstack([self.shares, self.base[:, None]]).ravel(),
                "error": np.hstack([self.errors, np.zeros((m, 1))]).ravel(),
            }
        )


class Measured(NamedTuple):
    """A kind of distance, with what goes by it.

    Parameters
    ----------
    features : ndarray of shape (n, q)
        Features of the examples.
    queries : ndarray of shape (m, q)
        Those of the rows.
    origin : ndarray of int64, shape (q,)
        Column of the table that each feature was made of, ascending.
    sight : callable
        From two classes to what is said of the one against the other.
    """

    features: Floats
    queries: Floats
    origin: Integers
    sight: Callable[[int, int], Sight]


def pool_measured(pool: Pool, points: Floats, origin: Integers) -> list[Measured]:
    """Give the kinds of distance of a pool.

    Parameters
    ----------
    pool : Pool
        The pool.
    points : ndarray of shape (m, q)
        Rows.
    origin : ndarray of int64, shape (q,)
        Column of the table that each entry of a row was made of.

    Returns
    -------
    list of Measured
    """
    found = []
    for group in pool.groups:

        def sight(a: int, b: int, group: Any = group) -> Sight:
            ridge = group.ridge
            if ridge is None:
                return Sight(group.settings, group.weights, group.local)
            net = group.ridge_weight * (ridge.coefficients[:, a] - ridge.coefficients[:, b])
            return Sight(
                group.settings, group.weights, group.local, ridge.kernel, pool.centres, net
            )

        queries = group.view.features(points) * group.scale
        found.append(Measured(group.features, queries, origin[group.view.source], sight))
    return found


def pure_measured(X: Floats, points: Floats, origin: Integers, exponent: float) -> list[Measured]:
    """Give the distance of a pure power of it.

    Parameters
    ----------
    X : ndarray of shape (n, q)
        Examples.
    points : ndarray of shape (m, q)
        Rows.
    origin : ndarray of int64, shape (q,)
        Column of the table that each entry of a row was made of.
    exponent : float
        The exponent.

    Returns
    -------
    list of Measured
    """
    one = Sight((Setting(np.inf, exponent, 0.0),), np.ones(1))
    # A power of a ratio is that of the numbers at any scale; without it squares could overflow.
    scale = 1.0 / max(
        float(np.abs(X).max(initial=0.0)), float(np.abs(points).max(initial=0.0)), 1.0
    )
    return [Measured(X * scale, points * scale, origin, lambda a, b: one)]


def columns(
    measured: list[Measured],
    scores: Floats,
    winner: Integers,
    index: Integers,
    weight: Floats,
    n_columns: int,
    n_orders: int,
    seed: int,
) -> tuple[Floats, Floats, Floats, Integers]:
    """Split the margins of rows over the columns.

    Parameters
    ----------
    measured : list of Measured
        What decides.
    scores : ndarray of shape (m, C)
        Scores of the classes, at least two.
    winner : ndarray of int64, shape (m,)
        Class that each row is given.
    index : ndarray of int64, shape (n,)
        Class of each example.
    weight : ndarray of shape (n,)
        Weight of each.
    n_columns : int
        Columns of the table.
    n_orders : int
        Orders of the columns to draw where there are many.
    seed : int
        For the orders.

    Returns
    -------
    shares, errors : ndarray of shape (m, n_columns)
        Shapley values of the margins and their standard errors.
    margin : ndarray of shape (m,)
        Margins.
    rival : ndarray of int64, shape (m,)
        Class of the largest score besides the winner's.
    """
    m = len(scores)
    others = scores.copy()
    others[np.arange(m), winner] = -np.inf
    rival = np.argmax(others, axis=1)
    margin = scores[np.arange(m), winner] - scores[np.arange(m), rival]
    shares, errors = np.zeros((m, n_columns)), np.zeros((m, n_columns))
    for i in range(m):
        whole = [_squares(part, i, n_columns) for part in measured]
        # A column that tells no example from another has a share of 0 whatever the rest.
        told = np.zeros(n_columns, dtype=bool)
        for D in whole:
            told |= np.ptp(D, axis=0) > 0.0
        players = np.flatnonzero(told)
        plan = make_plan(players.size, n_orders, seed)
        a, b = int(winner[i]), int(rival[i])
        side = (index == a).astype(np.float64) - (index == b)
        total = np.zeros(len(plan.masks))
        for part, D in zip(measured, whole, strict=True):
            rest = D[:, ~told].sum(axis=1, keepdims=True)
            # What all examples have in common stays measured, as a last column always there.
            kept = np.hstack([plan.masks, np.ones((len(plan.masks), 1), dtype=bool)])
            total += part.sight(a, b).scores(np.hstack([D[:, players], rest]), kept, weight, side)
        found = plan.shapley(total)
        shares[i, players], errors[i, players] = found.values, found.errors
    return shares, errors, margin, rival


def _squares(part: Measured, i: int, n_columns: int) -> Floats:
    """Give the squared differences of a row from the examples, column by column of the table."""
    squares = (part.features - part.queries[i]) ** 2
    out = np.zeros((len(squares), n_columns))
    if part.origin.size:
        starts = np.flatnonzero(np.diff(part.origin, prepend=-1) > 0)
        out[:, part.origin[starts]] = np.add.reduceat(squares, starts, axis=1)
    return out
