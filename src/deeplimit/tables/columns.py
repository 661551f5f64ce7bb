"""Columns of a raw table: of what kind they are, and their cells as floats or as category keys."""

from __future__ import annotations

import datetime as dt
import math
import numbers
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require

__all__ = ["KINDS", "RawTable", "as_frame", "category_keys", "floats", "infer_kind", "missing"]

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float64]

KINDS = ("numeric", "categorical", "boolean", "date", "duration")

_WORDS = {"true": 1.0, "false": 0.0}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY_US = 86_400_000_000.0
_OF_DTYPE = {"b": "boolean", "i": "numeric", "u": "numeric", "f": "numeric", "M": "date"} | {
    "m": "duration"
}
_A_KIND = {
    "numeric": "a number",
    "boolean": "true or false",
    "date": "a date (ISO 8601)",
    "duration": "a length of time",
}


@dataclass(frozen=True)
class RawTable:
    """A table as it was given: a pandas DataFrame, or a two-dimensional array.

    Parameters
    ----------
    data : pandas.DataFrame or ndarray of shape (n_rows, n_columns)
        The cells.
    names : tuple of str
        Names of the columns, for messages and for the columns made from them.
    """

    data: Any
    names: tuple[str, ...]

    @property
    def is_numeric(self) -> bool:
        """Whether the data are one array of numbers, so that blocks of columns are slices."""
        return isinstance(self.data, np.ndarray) and self.data.dtype.kind in "biuf"

    def column(self, j: int) -> tuple[Array, bool]:
        """Return the cells of column `j`, and whether it is categorical by declaration."""
        if isinstance(self.data, np.ndarray):
            return _strings_as_objects(self.data[:, j]), False
        return _cells(self.data.iloc[:, j])


def as_frame(X: Any) -> Any | None:
    """Return a table of another library as a pandas DataFrame, None if `X` is not a table."""
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return X
    if getattr(X, "ndim", 2) != 2:  # a Series of pandas offers an Arrow stream as well
        return None
    if not any(hasattr(X, name) for name in ("to_pandas", "__arrow_c_stream__", "__dataframe__")):
        return None
    purpose = f"reading a table of type {type(X).__module__}.{type(X).__qualname__}"
    pandas = require("pandas", extra="tables", purpose=purpose)
    if hasattr(X, "to_pandas"):
        frame = X.to_pandas()
    elif hasattr(X, "__arrow_c_stream__"):
        frame = require("pyarrow", extra="tables", purpose=purpose).table(X).to_pandas()
    else:
        frame = pandas.api.interchange.from_dataframe(X)
    return frame if hasattr(frame, "columns") else None


def infer_kind(cells: Array, name: str) -> str:
    """Say of what kind a column is from its cells.

    Numbers are numeric, and so is text of which every cell that is there reads as a number; text
    of nothing but ``true`` and ``false`` is boolean, text of ISO 8601 dates is a date. All other
    text is categorical. A column with nothing in it is numeric.
    """
    if cells.dtype.kind != "O":
        kind = _OF_DTYPE.get(cells.dtype.kind)
        if kind is None:
            raise TypeError(f"Column {name!r} has dtype {cells.dtype}, which is not tabular data.")
        return kind
    present = cells[~missing(cells)].tolist()
    classes = set(map(type, present))
    if not classes:
        return "numeric"
    if classes == {str}:
        return _kind_of_text(present)
    if all(issubclass(c, bool | np.bool_) for c in classes):
        return "boolean"
    if all(issubclass(c, dt.date | np.datetime64) for c in classes):
        return "date"
    if all(issubclass(c, dt.timedelta | np.timedelta64 | dt.time) for c in classes):
        return "duration"
    for cell in present:
        _check_scalar(cell, name)
    return "numeric" if all(_reads(_number, cell) for cell in present) else "categorical"


def missing(cells: Array) -> NDArray[np.bool_]:
    """Mark the cells that hold nothing: None, NaN, NaT or a masked value of pandas."""
    if cells.dtype.kind in "fmM":
        return np.isnan(cells) if cells.dtype.kind == "f" else np.isnat(cells)
    if cells.dtype.kind != "O":
        return np.zeros(len(cells), dtype=bool)
    return np.fromiter((_is_missing(cell) for cell in cells), bool, len(cells))


def floats(cells: Array, kind: str, name: str) -> Floats:
    """Return a column as float64, NaN where a cell is missing.

    Numbers as they are, booleans as 0 and 1, dates as days since 1970, durations and times of day
    as days, all to the microsecond, dates without a zone taken as UTC.
    """
    convert: Callable[[Any], float]
    if cells.dtype.kind in "biuf" and kind in ("numeric", "boolean"):
        out = cells.astype(np.float64)
        if kind == "boolean" and not np.isin(out[~np.isnan(out)], (0.0, 1.0)).all():
            row = int(np.flatnonzero(~np.isin(out, (0.0, 1.0)) & ~np.isnan(out))[0])
            raise ValueError(_misfit(name, row, cells[row], kind))
        return out
    if (cells.dtype.kind, kind) in (("M", "date"), ("m", "duration")):
        ticks = cells.astype("M8[us]" if kind == "date" else "m8[us]").astype(np.int64)
        return np.where(np.isnat(cells), np.nan, ticks / _DAY_US)
    convert = {"numeric": _number, "boolean": _boolean, "date": _date, "duration": _duration}[kind]
    out = np.full(len(cells), np.nan)
    items = cells.tolist() if cells.dtype.kind == "O" else list(cells)
    for row, (cell, absent) in enumerate(zip(items, missing(cells).tolist(), strict=True)):
        if not absent:
            try:
                out[row] = convert(cell)
            except (ValueError, TypeError, OverflowError) as error:
                raise ValueError(_misfit(name, row, cell, kind)) from error
    return out


def category_keys(cells: Array, name: str) -> list[str | None]:
    """Return a column as strings that name its categories, None where a cell is missing.

    A whole number has one name however it is stored, so that a column of integers keeps its
    categories when a missing value elsewhere has turned it into floats.
    """
    if cells.dtype.kind in "biufmM":
        values, codes = np.unique(cells, return_inverse=True)
        absent = missing(values)
        named = [
            None if gone else _key(value, name) for value, gone in zip(values, absent, strict=True)
        ]
        return [named[code] for code in codes.tolist()]
    return [
        cell if type(cell) is str else None if _is_missing(cell) else _key(cell, name)
        for cell in cells.tolist()
    ]


def count_numbers(cells: Sequence[Any]) -> int:
    """Count the cells that read as numbers."""
    return sum(_reads(_number, cell) for cell in cells)


def repeated(names: Sequence[str]) -> list[str]:
    """Return the names that occur more than once, in order of appearance."""
    return [name for name, count in Counter(names).items() if count > 1]


def _strings_as_objects(cells: Array) -> Array:
    if cells.dtype.kind == "S":
        cells = cells.astype(str)
    return cells.astype(object) if cells.dtype.kind in "UT" else cells


def _cells(series: Any) -> tuple[Array, bool]:
    """Return a pandas Series as a plain array, and whether it is declared categorical."""
    dtype = series.dtype
    if hasattr(dtype, "categories"):
        return series.astype(object).to_numpy(dtype=object), True
    if isinstance(dtype, np.dtype):
        return np.asarray(series), False
    if getattr(dtype, "tz", None) is not None:
        return np.asarray(series.dt.tz_convert("UTC").dt.tz_localize(None)), False
    if getattr(dtype, "kind", "O") in "biuf" and not series.isna().any():
        return series.to_numpy(dtype=getattr(dtype, "numpy_dtype", np.float64)), False
    cells = series.astype(object).to_numpy(dtype=object, copy=True)
    cells[series.isna().to_numpy(dtype=bool)] = None
    return cells, False


def _kind_of_text(cells: list[str]) -> str:
    for kind, convert in (("numeric", _number), ("boolean", _boolean), ("date", _date)):
        if cells and all(_reads(convert, cell) for cell in cells):
            return kind
    return "categorical" if cells else "numeric"


def _reads(convert: Callable[[Any], float], cell: Any) -> bool:
    try:
        convert(cell)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _is_missing(cell: Any) -> bool:
    if cell is None or type(cell) is str:
        return cell is None
    if isinstance(cell, float | np.floating):
        return math.isnan(cell)
    if isinstance(cell, np.datetime64 | np.timedelta64):
        return bool(np.isnat(cell))
    if isinstance(cell, Decimal):
        return cell.is_nan()
    # pandas' markers, recognised without importing it.
    return type(cell).__name__ in ("NAType", "NaTType")


def _number(cell: Any) -> float:
    if isinstance(cell, str):
        # float() takes "1_000", which no table means as a number.
        if "_" in cell:
            raise ValueError
        return float(cell)
    if isinstance(cell, numbers.Real | Decimal | np.bool_):
        return float(cell)
    raise TypeError


def _boolean(cell: Any) -> float:
    if isinstance(cell, str):
        word = _WORDS.get(cell.strip().lower())
        if word is None:
            raise ValueError
        return word
    number = _number(cell)
    if number not in (0.0, 1.0):
        raise ValueError
    return number


def _date(cell: Any) -> float:
    if isinstance(cell, str):
        text = cell.strip()
        # fromisoformat also takes week dates and dates without hyphens, which may be anything.
        if text[4:5] != "-" or not text[5:7].isdigit():
            raise ValueError
        cell = dt.datetime.fromisoformat(text)
    if isinstance(cell, np.datetime64):
        return float(cell.astype("M8[us]").astype(np.int64) / _DAY_US)
    if isinstance(cell, dt.datetime):
        zoned = cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC)
        return ((zoned - _EPOCH) // dt.timedelta(microseconds=1)) / _DAY_US
    if isinstance(cell, dt.date):
        return float(cell.toordinal() - _EPOCH.toordinal())
    raise TypeError


def _duration(cell: Any) -> float:
    if isinstance(cell, np.timedelta64):
        return float(cell.astype("m8[us]").astype(np.int64) / _DAY_US)
    if isinstance(cell, dt.time):
        cell = dt.datetime.combine(dt.date.min, cell.replace(tzinfo=None)) - dt.datetime.min
    if isinstance(cell, dt.timedelta):
        return (cell // dt.timedelta(microseconds=1)) / _DAY_US
    raise TypeError


def _key(cell: Any, name: str) -> str:
    _check_scalar(cell, name)
    value = cell.item() if isinstance(cell, np.generic) and cell.dtype.kind in "biufU" else cell
    if isinstance(value, float | Decimal):
        if value == value // 1:
            value = int(value)
        elif isinstance(value, Decimal):
            value = value.normalize()
    return str(value)


def _check_scalar(cell: Any, name: str) -> None:
    scalars = (str, numbers.Real, Decimal, np.bool_, dt.date, dt.time, dt.timedelta)
    if not isinstance(cell, (*scalars, np.datetime64, np.timedelta64)):
        raise TypeError(
            f"Column {name!r} holds a {type(cell).__name__} ({_short(cell)}); a cell given as "
            "argument must be a string, a boolean, a date or a number."
        )


def _misfit(name: str, row: int, cell: Any, kind: str) -> str:
    return f"Column {name!r}, row {row} (from 0): {_short(cell)} is not {_A_KIND[kind]}."


def _short(cell: Any) -> str:
    text = repr(cell.item() if isinstance(cell, np.generic) else cell)
    return text if len(text) <= 60 else text[:57] + "..."
