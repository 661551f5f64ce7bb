"""The table behind a fitted classifier: its names, cells and coded rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.estimators.columns import Columns, Measured, columns, pool_measured, pure_measured
from deeplimit.estimators.parameters import check_orders
from deeplimit.estimators.pooled import PooledRule
from deeplimit.kernels.power import PowerKernel
from deeplimit.tables.checks import column_names
from deeplimit.tables.coding import TableCoder

__all__ = ["TableOfExamples", "explain_columns", "table_of_examples"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TableOfExamples:
    """The examples a classifier holds, as a table.

    Parameters
    ----------
    names : tuple of str, length p
        Columns.
    kinds : tuple of str, length p
        Their kinds.
    rows : ndarray of shape (n, p)
        Coded cells, NaN where missing.
    coder : TableCoder or None
        What coded them; None if cells are the numbers themselves.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: Floats
    coder: TableCoder | None

    def cells(self, rows: Floats) -> NDArray[Any]:
        """Give coded rows as cells that can be read."""
        return rows.astype(object) if self.coder is None else self.coder.decode(rows)

    def cell(self, j: int, value: float) -> str:
        """Give one coded cell of a column in words."""
        row = np.full((1, len(self.names)), np.nan)
        row[0, j] = value
        cell = self.cells(row)[0, j]
        if isinstance(cell, float):
            return "(missing)" if cell != cell else f"{cell:.4g}"
        return "(missing)" if cell is None else str(cell)


def table_of_examples(model: Any) -> TableOfExamples:
    """Give the examples of a fitted classifier as a table.

    Where a pure rule holds encoded rows, the columns are those of the encoding.
    """
    coder, encoder = getattr(model, "_coder", None), getattr(model, "_encoder", None)
    rows: Floats = model._X
    if encoder is not None:
        names = tuple(str(name) for name in encoder.get_feature_names_out())
        return TableOfExamples(names, ("numeric",) * len(names), rows, None)
    names = tuple(column_names(model))
    kinds = ("numeric",) * len(names) if coder is None else coder.kinds_
    return TableOfExamples(names, kinds, rows, coder)


def explain_columns(model: Any, X: ArrayLike, n_orders: int) -> Columns:
    """Split the margins of rows over the columns of the table.

    Parameters
    ----------
    model : ExplainedClassifier
        A fitted classifier.
    X : array-like of shape (m, p)
        Rows.
    n_orders : int
        Orders of the columns to draw where there are many.

    Returns
    -------
    Columns

    Raises
    ------
    ValueError
        If the classifier decides by a kernel on the sphere or by none, there is one class only, or
        `n_orders` is no even number from 4.
    """
    check_orders(n_orders)
    queries = model._queries(X)
    rule, index, decided = model._rule, model._index, model._decided
    if len(decided) < 2:
        raise ValueError("there is one class only, so that no column decides anything.")
    coder, encoder = getattr(model, "_coder", None), getattr(model, "_encoder", None)
    measured: list[Measured]
    if isinstance(rule, PooledRule):
        points = rule.model.points(queries)
        measured = pool_measured(rule.model.pool, points, rule.model.encoder.origin_)
        pool = rule.model.pool
        scores, index, weight = pool.scores(points), pool.index, pool.weight
    else:
        kernel = rule.kernel
        if model._lift_kind != "euclidean" or not (
            isinstance(kernel, PowerKernel) and kernel.exponent
        ):
            raise ValueError(
                "a distance is a sum over columns for the default classifier and for the pure "
                "singular kernel in R^d alone; contributions tells which examples decide."
            )
        origin = np.arange(queries.shape[1]) if encoder is None else encoder.origin_
        measured = pure_measured(model._X, queries, origin, float(kernel.exponent))
        scores, weight = rule.scores(queries)[1], model._weight
    winner = rule.winners(queries)
    n_columns = int(model.n_features_in_)
    seed = int(getattr(model, "random_state", 0))
    shares, errors, margin, rival = columns(
        measured, scores, winner, index, weight, n_columns, int(n_orders), seed
    )
    cells = queries.astype(object) if coder is None else coder.decode(model._coded(coder, X))
    return Columns(
        tuple(column_names(model)),
        cells,
        shares,
        errors,
        margin - shares.sum(axis=1),
        margin,
        decided[winner],
        decided[rival],
    )
