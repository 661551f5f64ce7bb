"""Kinds of columns that were guessed from cells, and whether other cells would say another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.tables.columns import RawTable, infer_kind, missing

__all__ = ["guessed_kinds", "may_be_guessed_anew"]


def guessed_kinds(table: RawTable, kinds: Sequence[str]) -> tuple[bool, ...]:
    """Say of each column whether its kind hangs on which of its cells are there.

    Parameters
    ----------
    table : RawTable
        The table of which the kinds were inferred.
    kinds : sequence of str
        Kinds of its columns.

    Returns
    -------
    tuple of bool
        False where the dtype says the kind, and for numbers without a boolean among them: any of
        them are numbers.
    """
    if table.is_numeric:
        return (False,) * len(kinds)
    return tuple(_is_guessed(table, j, kind) for j, kind in enumerate(kinds))


def may_be_guessed_anew(
    codes: NDArray[np.float64],
    kinds: Sequence[str],
    levels: Sequence[Sequence[str | None] | None],
    guessed: Sequence[bool],
) -> bool:
    """Say whether coded rows may be of a table whose columns would be guessed to be others.

    Parameters
    ----------
    codes : ndarray of shape (n, p)
        Coded rows.
    kinds : sequence of str
        Kinds of the columns.
    levels : sequence
        Names of the levels of each categorical column, by number.
    guessed : sequence of bool
        What `guessed_kinds` said of the table that the kinds come from.

    Returns
    -------
    bool

    Examples
    --------
    >>> kinds, levels, guessed = ("categorical",), [["12", "14", "none"]], (True,)
    >>> may_be_guessed_anew(np.array([[0.0], [2.0]]), kinds, levels, guessed)
    False
    >>> may_be_guessed_anew(np.array([[0.0], [1.0]]), kinds, levels, guessed)
    True
    """
    for j in np.flatnonzero(guessed).tolist():
        there = np.unique(codes[:, j][~np.isnan(codes[:, j])])
        if kinds[j] == "numeric":
            # They may be those that were booleans.
            other = bool(np.isin(there, (0.0, 1.0)).all())
        elif kinds[j] == "categorical":
            names: Any = levels[j]
            other = _may_be_no_text(names[int(code)] for code in there)
        else:
            other = not there.size
        if other:
            return True
    return False


def _may_be_no_text(names: Iterable[str]) -> bool:
    """Say whether levels, all of them, may be numbers and booleans, or dates; none may be."""
    kinds: set[str] = set()
    for name in names:
        kinds.add(infer_kind(np.array([name], dtype=object), ""))
        if "categorical" in kinds:
            return False
    # A boolean beside the text of a number is a number, as text of both it is none.
    return kinds <= {"numeric", "boolean"} or kinds == {"date"}


def _is_guessed(table: RawTable, j: int, kind: str) -> bool:
    if not isinstance(table.data, np.ndarray):
        dtype = table.data.dtypes.iloc[j]
        if isinstance(dtype, np.dtype) and dtype.kind != "O":
            return False
    cells, declared = table.column(j)
    if declared or cells.dtype.kind != "O":
        return False
    if kind != "numeric":
        return True
    types = set(map(type, cells[~missing(cells)].tolist()))
    return not types or bool in types or np.bool_ in types
