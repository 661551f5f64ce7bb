"""Tables in files: features, target and ids, or one sentence on why there are none."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.tables.columns import (
    KINDS,
    RawTable,
    count_numbers,
    infer_kind,
    missing,
    repeated,
)
from deeplimit.tables.delimited import MISSING_WORDS, read_delimited
from deeplimit.tables.formats import Contents, format_of, read_arrow, read_npz

__all__ = ["Table", "read_table"]


@dataclass(frozen=True, eq=False)
class Table:
    """A table read from a file.

    Parameters
    ----------
    features : pandas.DataFrame or ndarray of shape (n_rows, n_features)
        The columns to learn from; an array when the file was an NPZ.
    names : tuple of str
        Names of the columns.
    kinds : tuple of str
        Kind of each column: "numeric", "categorical", "boolean", "date" or "duration". It is
        what ``TableEncoder(kinds=...)`` takes.
    target : ndarray of shape (n_rows,) or None
        The column to predict.
    target_name : str or None
        Its name.
    ids : ndarray of shape (n_rows,)
        What names the rows: the id column, or the number of the row in the file, from 0.
    notes : tuple of str
        What had to be guessed or left out on reading, each a sentence.

    See Also
    --------
    read_table : Read one.
    TableEncoder : Turn the features into points.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.tables import Table
    >>> table = Table(np.zeros((3, 1)), ("x",), ("numeric",), None, None, np.arange(3), ())
    >>> table.n_rows
    3
    """

    features: Any
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    target: NDArray[Any] | None
    target_name: str | None
    ids: NDArray[Any]
    notes: tuple[str, ...]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.ids)


def read_table(
    path: str | os.PathLike[str],
    target: str | None = None,
    id_column: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    kinds: Mapping[str, str] | None = None,
    drop_missing_target: bool = False,
    header: bool | None = None,
    encoding: str | None = None,
    missing_values: Sequence[str] = MISSING_WORDS,
) -> Table:
    r"""Read a table from a CSV, Parquet, Arrow or NPZ file.

    The format is the one the file's name says (``.csv``, ``.tsv``, ``.tab``, ``.parquet``,
    ``.pq``, ``.arrow``, ``.feather``, ``.ipc``, ``.npz``), which its content must agree with; of
    any other name, the one its content shows. Text is cut at the comma, semicolon, tab or bar,
    whichever gives every row equally many cells; it is UTF-8, or what its byte order mark says,
    or else Latin-1 with a note. There are no comment lines.

    An NPZ holds ``X``, and may hold ``y``, ``ids``, ``feature_names`` and ``categorical``
    (indices, names or a mask of columns). All but NPZ need the ``tables`` extra.

    Parameters
    ----------
    path : path-like
        The file.
    target : str, optional
        Column to predict. For an NPZ, ``y`` unless another is named.
    id_column : str, optional
        Column that names the rows, different for each; not a feature.
    columns : sequence of str, optional
        Features to keep, in this order; by default all columns but the target and the ids.
    kinds : mapping of str to str, optional
        Kinds of columns that are not to be inferred, for instance ``{"zip": "categorical"}``.
    drop_missing_target : bool, default=False
        Leave out rows without a target, with a note of how many; by default they are refused.
    header : bool, optional
        Whether text begins with a row of column names; if False, they are ``column_1``,
        ``column_2`` and so on. By default it must, and a first row of nothing but numbers is
        refused.
    encoding : str, optional
        Encoding of text.
    missing_values : sequence of str
        Cells of text that stand for a missing value.

    Returns
    -------
    Table
        Features, names, kinds, target, ids and notes.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If pandas or pyarrow is needed and absent.
    ValueError
        If the file is empty, damaged or not what its name says; a row has too few or too many
        cells; a column is named twice or not there; a target is missing; an id is missing or
        repeated.

    See Also
    --------
    TableEncoder : Turn the features into points.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from deeplimit.tables import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "flowers.csv")
    ...     _ = path.write_text("petal;colour;species\n1.4;red;setosa\n;blue;virginica\n")
    ...     table = read_table(path, target="species")
    >>> table.names, table.kinds
    (('petal', 'colour'), ('numeric', 'categorical'))
    >>> table.target.tolist()
    ['setosa', 'virginica']
    """
    path = Path(path)
    contents = _contents(path, header, encoding, missing_values)
    if twice := repeated(contents.names):
        raise ValueError(f"{str(path)!r} has several columns named {_listed(twice)}.")
    names, notes = contents.names, list(contents.notes)
    raw = RawTable(contents.data, tuple(names))
    if target is not None and target == id_column:
        raise ValueError(f"Column {target!r} can't be both the target and the ids.")

    beside_y = contents.target is not None and (target is None or target not in names)
    if beside_y and target in (None, "y"):
        target, labels = "y", contents.target
    else:
        labels = None if target is None else raw.column(_find(target, names, path))[0]
    ids = _ids(raw, contents, id_column, path)
    taken = {id_column} if beside_y else {id_column, target}
    chosen = [name for name in names if name not in taken] if columns is None else list(columns)
    at = [_find(name, names, path) for name in chosen]
    if clash := [name for name in chosen if name in taken]:
        raise ValueError(f"{_listed(clash)} can't be a feature and the target or ids as well.")
    if not chosen:
        raise ValueError(f"{str(path)!r} has no columns left to learn from.")

    data = contents.data
    data = data[:, at] if isinstance(data, np.ndarray) else data.iloc[:, at]
    if labels is not None:
        rows = _with_target(labels, str(target), path, drop_missing_target)
        if len(rows) < len(labels):
            count = len(labels) - len(rows)
            rows_were = "1 row" if count == 1 else f"{count} rows"
            verb = "was" if count == 1 else "were"
            notes.append(f"{rows_were} without a target {verb} left out.")
            data = data[rows] if isinstance(data, np.ndarray) else data.iloc[rows]
            ids = ids[rows]
        labels = _clean_target(labels[rows], str(target), path)
    if not isinstance(data, np.ndarray):
        data = data.reset_index(drop=True)
    features = RawTable(data, tuple(chosen))
    found = _kinds(features, kinds or {}, contents, path)
    notes += _suspicious_text(features, found)
    return Table(data, tuple(chosen), found, labels, target, ids, tuple(notes))


def _contents(
    path: Path, header: bool | None, encoding: str | None, missing_values: Sequence[str]
) -> Contents:
    kind = format_of(path)
    if kind == "an NPZ file":
        contents = read_npz(path)
    elif kind == "a delimited text file":
        frame, notes = read_delimited(
            path, header=header, encoding=encoding, missing_values=missing_values
        )
        contents = Contents(frame, [str(name) for name in frame.columns], notes)
    else:
        contents = read_arrow(path, kind)
    if 0 in contents.data.shape:
        raise ValueError(
            f"{str(path)!r} holds no {('rows', 'columns')[contents.data.shape[0] > 0]}."
        )
    return contents


def _find(name: str, names: Sequence[str], path: Path) -> int:
    if name in names:
        return names.index(name)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ValueError(
        f"There is no column {name!r} in {str(path)!r}: {hint}It has {_listed(names)}."
    )


def _listed(names: Sequence[str], limit: int = 20) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(repr, names[:limit])) + more


def _ids(raw: RawTable, contents: Contents, id_column: str | None, path: Path) -> NDArray[Any]:
    if id_column is None and contents.ids is None:
        return np.arange(len(contents.data))
    if id_column is None or (id_column == "ids" and "ids" not in contents.names):
        name, ids = "ids", contents.ids
        if ids is None:
            _find("ids", contents.names, path)
    else:
        name = id_column
        ids = raw.column(_find(name, contents.names, path))[0]
    assert ids is not None
    if (gone := missing(ids)).any():
        raise ValueError(f"Column {name!r} of {str(path)!r} has {int(gone.sum())} missing ids.")
    ids = _as_strings(ids, name, path)
    values, counts = np.unique(ids, return_counts=True)
    if len(values) < len(ids):
        twice = values[counts > 1][0].item()
        raise ValueError(
            f"Column {name!r} of {str(path)!r} can't name the rows: {twice!r} occurs more than "
            "once."
        )
    return ids


def _with_target(labels: NDArray[Any], name: str, path: Path, drop: bool) -> NDArray[np.intp]:
    gone = missing(labels)
    if gone.all():
        raise ValueError(f"Target {name!r} of {str(path)!r} is missing in every row.")
    if gone.any() and not drop:
        first = ", ".join(str(row) for row in np.flatnonzero(gone)[:5])
        raise ValueError(
            f"Target {name!r} of {str(path)!r} is missing in {int(gone.sum())} of {len(labels)} "
            f"rows (from 0: {first}{', …' if gone.sum() > 5 else ''}); fill them or pass "
            "drop_missing_target=True."
        )
    return np.flatnonzero(~gone)


def _clean_target(labels: NDArray[Any], name: str, path: Path) -> NDArray[Any]:
    """Give labels a dtype of their own: strings, booleans, integers where all are whole."""
    labels = _as_strings(labels, name, path)
    if labels.dtype.kind == "f" and np.isinf(labels).any():
        raise ValueError(f"Target {name!r} of {str(path)!r} holds infinite values.")
    # pandas turns integers with a gap into floats; the gaps are gone by now.
    if labels.dtype == np.float64 and (np.abs(labels) < 2**53).all() and (labels % 1 == 0).all():
        return labels.astype(np.int64)
    return labels


def _as_strings(cells: NDArray[Any], name: str, path: Path) -> NDArray[Any]:
    if cells.dtype.kind != "O":
        return cells
    items = cells.tolist()
    if all(isinstance(item, str) for item in items):
        return np.array(items, dtype=str)
    if all(isinstance(item, bool | np.bool_) for item in items):
        return np.array(items, dtype=bool)
    kind = infer_kind(cells, name)
    if kind == "numeric":
        return np.array([float(item) for item in items])
    if kind in ("date", "duration"):
        return np.array([str(item) for item in items])
    raise ValueError(f"Column {name!r} of {str(path)!r} mixes text with other values.")


def _kinds(
    features: RawTable, given: Mapping[str, str], contents: Contents, path: Path
) -> tuple[str, ...]:
    for name, kind in given.items():
        _find(name, features.names, path)
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of column; those are {', '.join(KINDS)}.")
    found = []
    for j, name in enumerate(features.names):
        cells, declared = features.column(j)
        declared = declared or contents.names.index(name) in contents.categorical
        found.append(given.get(name) or ("categorical" if declared else infer_kind(cells, name)))
    return tuple(found)


def _suspicious_text(features: RawTable, kinds: tuple[str, ...]) -> list[str]:
    """Tell of columns that would be numbers but for some cells: a typing error, most often."""
    notes = []
    for j, name in enumerate(features.names):
        if kinds[j] != "categorical":
            continue
        cells, declared = features.column(j)
        if declared or cells.dtype.kind != "O":
            continue
        present = cells[~missing(cells)].tolist()
        bad = len(present) - count_numbers(present)
        if 0 < bad < len(present) / 2:
            notes.append(
                f"Column {name!r} is categorical because {bad} of its {len(present)} values are "
                "not numbers; mark those as missing if that is what they mean."
            )
    return notes
