"""A part: examples in one Arrow file that is never changed, mapped into memory."""

from __future__ import annotations

import mmap
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require
from deeplimit.store import disk
from deeplimit.store.manifest import PartEntry, damaged

__all__ = ["Columns", "Part"]

_BLOCK = 1 << 24


@dataclass(frozen=True, eq=False)
class Columns:
    """Examples by ascending id: their codes, weights and rows."""

    ids: NDArray[np.int64]
    codes: NDArray[np.int32]
    weights: NDArray[np.float64]
    rows: NDArray[np.floating]

    def write(self, path: Path) -> PartEntry:
        """Write them as an Arrow file of one record batch, so that the rows lie in one piece."""
        arrow = _arrow()
        n, width = self.rows.shape
        schema = _schema(arrow, width, self.rows.dtype.name)
        # Not arrow.array, which imports pandas to ask whether this is one of its columns.
        plain = [
            arrow.Array.from_buffers(kind, values.size, [None, arrow.py_buffer(values)])
            for kind, values in zip(
                [*schema.types[:3], schema.types[3].value_type],
                map(np.ascontiguousarray, (self.ids, self.codes, self.weights, self.rows)),
                strict=True,
            )
        ]
        rows = arrow.FixedSizeListArray.from_arrays(plain[3], type=schema.types[3])
        batch = arrow.RecordBatch.from_arrays([*plain[:3], rows], schema=schema)
        with disk.NewFile(path) as file, arrow.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        return PartEntry(
            path.name, file.size, file.crc, file.ends, n, int(self.ids[0]),
            int(self.ids[-1]),
        )  # fmt: skip


class Part:
    """A part as it is read: views of a mapped file, which may be removed while they are in use."""

    def __init__(self, folder: Path, entry: PartEntry, n_features: int, dtype: str) -> None:
        self.entry = entry
        self._path = folder / entry.name
        descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(descriptor).st_size
            if size != entry.size:
                damaged(self._path, f"it has {size} bytes instead of {entry.size}")
            self._map = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
        finally:
            os.close(descriptor)
        self._bytes: NDArray[np.uint8] = np.frombuffer(self._map, dtype=np.uint8)
        head = self._bytes[: disk.END_BYTES].data
        tail = self._bytes[max(0, size - disk.END_BYTES) :].data
        if disk.ends_of(head, tail) != entry.ends:
            damaged(self._path, "its description of itself does not match its checksum")
        self.columns = self._read(n_features, dtype)

    def _read(self, n_features: int, dtype: str) -> Columns:
        arrow = _arrow()
        rows = self.entry.rows
        try:
            batch = arrow.ipc.open_file(arrow.py_buffer(self._map)).get_batch(0)
            if batch.schema != _schema(arrow, n_features, dtype) or batch.num_rows != rows:
                raise ValueError(f"it does not hold {rows} rows of {n_features} {dtype}")
            ids, codes, weights, numbers = (column.buffers()[-1] for column in batch.columns)
            return Columns(
                np.frombuffer(ids, np.int64, rows),
                np.frombuffer(codes, np.int32, rows),
                np.frombuffer(weights, np.float64, rows),
                np.frombuffer(numbers, dtype, rows * n_features).reshape(rows, n_features),
            )
        except (arrow.ArrowException, OSError, ValueError) as error:
            damaged(self._path, f"it is no part of a store ({error})", error)

    def find(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the place of each id, -1 for one that is not here."""
        here = (ids >= self.entry.first) & (ids <= self.entry.last)
        if self.entry.last - self.entry.first + 1 == self.entry.rows:
            return np.where(here, ids - self.entry.first, -1)
        places = np.searchsorted(self.columns.ids, ids)
        here[here] = self.columns.ids[places[here]] == ids[here]
        return np.where(here, places, -1)

    def expect(self, start: int, stop: int) -> None:
        """Have the disk read the rows start..stop ahead."""
        self._advise(mmap.MADV_WILLNEED, start, stop)

    def release(self, start: int, stop: int) -> None:
        """Give back the memory of the rows start..stop; a view of them reads them anew."""
        self._advise(mmap.MADV_DONTNEED, start, stop)

    def release_all(self) -> None:
        """Give back the memory of the whole part."""
        self._map.madvise(mmap.MADV_DONTNEED)

    def verify(self) -> None:
        """Compare every byte with what was written, by a checksum."""
        crc = 0
        for start in range(0, self.entry.size, _BLOCK):
            block = self._bytes[start : start + _BLOCK]
            crc = zlib.crc32(block.data, crc)
            self._map.madvise(mmap.MADV_DONTNEED, start, block.size)
        if crc != self.entry.crc:
            damaged(self._path, "its content does not match its checksum")

    def _advise(self, advice: int, start: int, stop: int) -> None:
        rows = self.columns.rows
        origin = rows.ctypes.data - self._bytes.ctypes.data
        # Only pages that hold nothing else.
        first = -(-(origin + start * rows.strides[0]) // mmap.PAGESIZE) * mmap.PAGESIZE
        last = (origin + stop * rows.strides[0]) // mmap.PAGESIZE * mmap.PAGESIZE
        if last > first:
            self._map.madvise(advice, first, last - first)


def _schema(arrow: Any, n_features: int, dtype: str) -> Any:
    number = {"float32": arrow.float32(), "float64": arrow.float64()}[dtype]
    row = arrow.list_(number, n_features)
    names = ["id", "code", "weight", "row"]
    kinds = [arrow.int64(), arrow.int32(), arrow.float64(), row]
    return arrow.schema(list(zip(names, kinds, strict=True)))


def _arrow() -> Any:
    require("pyarrow.ipc", extra="tables", purpose="a store of examples")
    return require("pyarrow", extra="tables", purpose="a store of examples")
