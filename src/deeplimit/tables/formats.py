"""File formats of tables: which one a file has, by its name and by its first bytes."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require

__all__ = ["Contents", "format_of", "read_arrow", "read_npz"]

_BY_SUFFIX = {
    "a delimited text file": (".csv", ".tsv", ".tab"),
    "a Parquet file": (".parquet", ".pq"),
    "an Arrow file": (".arrow", ".feather", ".ipc"),
    "an NPZ file": (".npz",),
}
_BY_MAGIC = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\xff\xff\xff\xff": "an Arrow file",
    b"FEA1": "a Feather file of version 1",
    b"PK\x03\x04": "an NPZ file",
    b"PK\x05\x06": "an empty archive",
    b"\x93NUMPY": "a single array (NPY)",
    b"\x1f\x8b": "compressed (gzip)",
    b"BZh": "compressed (bzip2)",
    b"\x28\xb5\x2f\xfd": "compressed (Zstandard)",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "a SQLite database",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
}


@dataclass(frozen=True)
class Contents:
    """What a file holds, before the target and the ids are told apart.

    Parameters
    ----------
    data : pandas.DataFrame or ndarray of shape (n_rows, n_columns)
        The cells.
    names : list of str
        Names of the columns.
    notes : list of str
        What had to be guessed.
    target, ids : ndarray of shape (n_rows,) or None
        Labels and row ids that the format keeps beside the columns.
    categorical : frozenset of int
        Columns the file declares categorical.
    """

    data: Any
    names: list[str]
    notes: list[str] = field(default_factory=list)
    target: NDArray[Any] | None = None
    ids: NDArray[Any] | None = None
    categorical: frozenset[int] = frozenset()


def format_of(path: Path) -> str:
    """Return the format of a file, refusing one whose content is not what its name says."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder, not a table.")
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise ValueError(f"{str(path)!r} is empty.")
    suffix = path.suffix.lower()
    named = next((kind for kind, ends in _BY_SUFFIX.items() if suffix in ends), None)
    found = next((kind for magic, kind in _BY_MAGIC.items() if head.startswith(magic)), None)
    if found == "an NPZ file" and not _is_npz(path):
        found = "a ZIP archive without arrays, such as an Excel workbook"
    known = found or "a delimited text file"
    if named not in (None, known):
        content = found or "something else"
        raise ValueError(f"{str(path)!r} is named as {named}, but its content is {content}.")
    if known not in _BY_SUFFIX:
        raise ValueError(
            f"{str(path)!r} is {known}, which can't be read as a table; save it as CSV, Parquet, "
            "Arrow or NPZ."
        )
    return known


def read_arrow(path: Path, kind: str) -> Contents:
    """Read a Parquet or Arrow file by pyarrow."""
    pyarrow = require("pyarrow", extra="tables", purpose=f"reading {kind}")
    require("pandas", extra="tables", purpose=f"reading {kind}")
    try:
        if kind == "a Parquet file":
            parquet = require("pyarrow.parquet", extra="tables", purpose=f"reading {kind}")
            table = parquet.ParquetFile(path).read()
        else:
            with pyarrow.OSFile(str(path)) as source:
                is_file = source.read(6) == b"ARROW1"
                source.seek(0)
                open_as = pyarrow.ipc.open_file if is_file else pyarrow.ipc.open_stream
                table = open_as(source).read_all()
        names = [str(name) for name in table.column_names]
        for name, column in zip(names, table.columns, strict=True):
            if pyarrow.types.is_nested(column.type) or pyarrow.types.is_binary(column.type):
                raise ValueError(
                    f"Column {name!r} of {str(path)!r} holds {column.type}, not single values."
                )
        # Without pandas' own notes on an index, so that what is a column stays one. Names are
        # made unique on the way, for a repeated one is refused later, by its name.
        unique = [str(j) for j in range(len(names))]
        frame = table.rename_columns(unique).to_pandas(ignore_metadata=True)
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ValueError(f"{str(path)!r} is damaged: {reason}.") from error
    frame.columns = names
    index = [name for name in names if name.startswith("__index_level_")]
    return Contents(frame.drop(columns=index), [name for name in names if name not in index])


def read_npz(path: Path) -> Contents:
    """Read an archive of arrays ``X``, and optionally ``y``, ``ids``, ``feature_names`` and
    ``categorical`` (indices, names or a mask), without pickle.
    """  # noqa: D205
    arrays = _arrays(path)
    if "X" not in arrays:
        raise ValueError(
            f"{str(path)!r} has no array 'X' but {', '.join(sorted(arrays)) or 'nothing'}."
        )
    X = arrays["X"]
    if X.ndim != 2:
        raise ValueError(f"'X' of {str(path)!r} must be rows by columns, its shape is {X.shape}.")
    n, p = X.shape
    names = [str(name) for name in arrays.get("feature_names", [f"x{j}" for j in range(p)])]
    if len(names) != p:
        raise ValueError(
            f"'feature_names' of {str(path)!r} has {len(names)} names for {p} columns."
        )
    rows = {}
    for key in ("y", "ids"):
        if key in arrays:
            rows[key] = arrays[key].reshape(-1) if arrays[key].shape == (n, 1) else arrays[key]
            if rows[key].shape != (n,):
                raise ValueError(
                    f"{key!r} of {str(path)!r} must have one entry for each of the {n} rows, its "
                    f"shape is {rows[key].shape}."
                )
    return Contents(
        X,
        names,
        target=rows.get("y"),
        ids=rows.get("ids"),
        categorical=_categorical(arrays.get("categorical"), names, path),
    )


def _categorical(marks: NDArray[Any] | None, names: list[str], path: Path) -> frozenset[int]:
    if marks is None or marks.size == 0:
        return frozenset()
    p = len(names)
    if marks.dtype.kind == "b" and marks.shape == (p,):
        return frozenset(np.flatnonzero(marks).tolist())
    if marks.dtype.kind in "iu" and marks.ndim == 1 and marks.min() >= 0 and marks.max() < p:
        return frozenset(marks.tolist())
    if marks.dtype.kind == "U" and set(marks.ravel().tolist()) <= set(names):
        return frozenset(names.index(name) for name in marks.ravel().tolist())
    raise ValueError(
        f"'categorical' of {str(path)!r} must be a mask of the {p} columns, their indices from 0 "
        "or their names."
    )


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        # Opened here, for NumPy leaves a file that is no archive open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {key: np.asarray(archive[key]) for key in archive.files}
    except (zipfile.BadZipFile, EOFError, OSError, KeyError, RuntimeError, MemoryError) as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}.") from error
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise ValueError(
                f"{str(path)!r} holds arrays of Python objects, which take pickle to read; save "
                "text as arrays of strings."
            ) from error
        raise ValueError(f"{str(path)!r} is damaged: {error}.") from error


def _is_npz(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except zipfile.BadZipFile:
        return True  # cut off: to be refused as a damaged one
