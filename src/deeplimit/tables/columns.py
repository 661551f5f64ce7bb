"""Columns of a raw table: of what kind they are, and their cells as floats or as levels."""

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

__all__ = [
    "KINDS",
    "RawTable",
    "as_frame",
    "category_keys",
    "cell_of",
    "floats",
    "infer_kind",
    "level_codes",
    "missing",
]

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]

KINDS = ("numeric", "categorical", "boolean", "date", "duration")

_WORDS = {"true": 1.0, "false": 0.0}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY_US = 86_400_000_000.0
# Beyond it a day is no longer counted in microseconds by 64 bits.
_LAST_DAY = 1e8
# Python's own cells: of these, equal ones name the same level. True equals 1 and is none of them.
_PLAIN = {str, int, float, type(None)}
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

    def numbers(self) -> Places:
        """Return the places of the columns of a DataFrame that are NumPy's numbers."""
        dtypes = enumerate(self.data.dtypes)
        plain = [j for j, dtype in dtypes if isinstance(dtype, np.dtype) and dtype.kind in "iuf"]
        return np.array(plain, dtype=np.intp)

    def column(self, j: int) -> tuple[Array, bool]:
        """Return the cells of column `j`, and whether it is categorical by declaration."""
        if isinstance(self.data, np.ndarray):
            return _strings_as_objects(self.data[:, j]), False
        return _cells(self.data.iloc[:, j])

    def kind(self, j: int) -> str:
        """Say of what kind column `j` is by declaration, or else by its cells."""
        if isinstance(self.data, np.ndarray):
            return infer_kind(self.column(j)[0], self.names[j])
        series = self.data.iloc[:, j]
        if hasattr(series.dtype, "categories"):
            return "categorical"
        # Equal strings are of one kind, and pandas finds them faster than they are read.
        cells, _ = _cells(series.drop_duplicates() if _is_text(series) else series)
        return infer_kind(cells, self.names[j])

    def levels(self, j: int) -> tuple[Places, list[str]]:
        """Return column `j` as `level_codes` does, by what pandas knows where it knows it."""
        series = None if isinstance(self.data, np.ndarray) else self.data.iloc[:, j]
        if series is not None and hasattr(series.dtype, "categories"):
            codes, values = series.cat.codes, series.cat.categories
        elif series is not None and _is_text(series):
            codes, values = series.factorize()
        else:
            return level_codes(self.column(j)[0], self.names[j])
        objects = values.astype(object).to_numpy(dtype=object)
        return _by_appearance(np.asarray(codes), objects.tolist(), self.names[j])


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
    items = cells.tolist()
    if set(map(type, items)) <= _PLAIN:
        return np.array([cell is None or cell != cell for cell in items], dtype=bool)
    return np.fromiter(map(_is_missing, items), bool, len(items))


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


def level_codes(cells: Array, name: str) -> tuple[Places, list[str]]:
    """Return a column as numbers of its levels, in the order in which they appear.

    A whole number has one name however it is stored, so that a column of integers keeps its
    levels when a missing value elsewhere has turned it into floats. So has an instant, in UTC and
    to the microsecond, and a length of time.

    Returns
    -------
    codes : ndarray of shape (n_rows,)
        Number of the level, -1 where the cell is missing.
    levels : list of str
        The names of the levels.
    """
    if cells.dtype.kind in "biufmM":
        values, codes = np.unique(cells, return_inverse=True)
        return _by_appearance(codes, list(values), name)
    items = cells.tolist()
    if not set(map(type, items)) <= _PLAIN:
        return _by_appearance(np.arange(len(items)), items, name)
    place = {cell: k for k, cell in enumerate(dict.fromkeys(items))}
    codes = np.fromiter(map(place.__getitem__, items), np.intp, len(items))
    return _by_appearance(codes, list(place), name)


def category_keys(cells: Array, name: str) -> list[str | None]:
    """Return a column as strings that name its categories, None where a cell is missing."""
    codes, levels = level_codes(cells, name)
    named = [*levels, None]
    return [named[code] for code in codes.tolist()]


def cell_of(value: float, kind: str) -> Any:
    """Return a cell that `floats` takes for `value`: the inverse, in words where it is a time.

    A date is text, of the day alone at midnight (UTC); a duration is text such as
    ``1 day, 12:00:00``, which is to be read by people only.
    """
    if math.isnan(value):
        return None
    if kind == "boolean" and value in (0.0, 1.0):
        return bool(value)
    if kind in ("date", "duration") and abs(value) < _LAST_DAY:
        days = math.floor(value)  # apart, so that the product is not rounded to 53 bits
        ticks = days * int(_DAY_US) + round((value - days) * _DAY_US)
        return _date_text(ticks) if kind == "date" else _duration_text(ticks)
    return value


def count_numbers(cells: Sequence[Any]) -> int:
    """Count the cells that read as numbers."""
    return sum(_reads(_number, cell) for cell in cells)


def repeated(names: Sequence[str]) -> list[str]:
    """Return the names that occur more than once, in order of appearance."""
    return [name for name, count in Counter(names).items() if count > 1]


def _by_appearance(codes: Array, values: list[Any], name: str) -> tuple[Places, list[str]]:
    """Give names of values numbers in the order in which `codes`, -1 for none, uses them.

    Values of the same name are one level; those that are missing, or never used, are none.
    """
    used, first = np.unique(codes, return_index=True)
    levels: dict[str, int] = {}
    place = np.full(len(values) + 1, -1, dtype=np.intp)  # the last is that of code -1
    for code in used[np.argsort(first)].tolist():
        if code >= 0 and not _is_missing(values[code]):
            cell = values[code]
            key = cell if type(cell) is str else _key(cell, name)
            place[code] = levels.setdefault(key, len(levels))
    return place[codes], list(levels)


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


def _is_text(series: Any) -> bool:
    """Tell a column of nothing but strings by its dtype."""
    return getattr(series.dtype, "type", None) is str


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
    return _instant(cell) / _DAY_US


def _duration(cell: Any) -> float:
    if isinstance(cell, dt.time):
        cell = dt.datetime.combine(dt.date.min, cell.replace(tzinfo=None)) - dt.datetime.min
    return _length(cell) / _DAY_US


def _instant(cell: Any) -> int:
    """Return a date as microseconds since 1970, one without a zone taken as UTC."""
    if isinstance(cell, np.datetime64):
        return int(cell.astype("M8[us]").astype(np.int64))
    if isinstance(cell, dt.datetime):
        zoned = cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC)
        return (zoned - _EPOCH) // dt.timedelta(microseconds=1)
    if isinstance(cell, dt.date):
        return (cell.toordinal() - _EPOCH.toordinal()) * int(_DAY_US)
    raise TypeError


def _length(cell: Any) -> int:
    """Return a duration as microseconds."""
    if isinstance(cell, np.timedelta64):
        return int(cell.astype("m8[us]").astype(np.int64))
    if isinstance(cell, dt.timedelta):
        return cell // dt.timedelta(microseconds=1)
    raise TypeError


def _date_text(ticks: int) -> str:
    instant = np.datetime64(ticks, "us")
    unit = next(u for u in ("D", "s", "us") if instant.astype(f"M8[{u}]") == instant)
    return str(instant.astype(f"M8[{unit}]"))


def _duration_text(ticks: int) -> str:
    return str(dt.timedelta(microseconds=ticks))


def _key(cell: Any, name: str) -> str:
    _check_scalar(cell, name)
    value = cell.item() if isinstance(cell, np.generic) and cell.dtype.kind in "biufU" else cell
    if isinstance(value, float | Decimal):
        if value == value // 1:
            value = int(value)
        elif isinstance(value, Decimal):
            value = value.normalize()
    if isinstance(value, dt.date | np.datetime64):
        return _date_text(_instant(value))
    if isinstance(value, dt.timedelta | np.timedelta64):
        return _duration_text(_length(value))
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
