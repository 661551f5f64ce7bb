"""Delimited text: its encoding, delimiter and shape, checked line by line before it is parsed."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from deeplimit._extras import require

__all__ = ["MISSING_WORDS", "read_delimited", "row_lines"]

MISSING_WORDS = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "?")

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 200
_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_delimited(
    path: Path, *, header: bool | None, encoding: str | None, missing_values: Sequence[str]
) -> tuple[Any, list[str]]:
    """Read a text file of rows into a DataFrame, with notes on what had to be guessed.

    pandas parses the cells; the shape is checked here, for pandas fills a short row with missing
    values and takes a long one for a table with row names.
    """
    pandas = require("pandas", extra="tables", purpose="reading a CSV file")
    encoding, notes = _encoding(path, encoding)
    sample = _Records(path, encoding, _delimiter(path, encoding))
    first = list(itertools.islice(sample, _SAMPLE))
    if not first:
        raise ValueError(f"{str(path)!r} holds no rows.")
    if header is None and all(map(_is_number, first[0][1])):
        raise ValueError(
            f"{str(path)!r} has only numbers on its first line, where column names should be; "
            "pass header=False if it has none, header=True if those are names."
        )
    header = header is not False
    names = _names(first[0][1], header)
    decimal = "."
    if sample.delimiter != "," and _has_decimal_commas([row for _, row in first[header:]]):
        decimal = ","
        notes.append("Its numbers are written with a decimal comma, and read so.")
    n_rows = _check_shape(path, sample, len(names), header)
    if n_rows == 0:
        raise ValueError(f"{str(path)!r} has column names and no rows.")
    # Later versions read the nearest float64 always, and warn of the argument.
    old = tuple(int(part) for part in pandas.__version__.split(".")[:2]) < (3, 1)
    exact = {"float_precision": "round_trip"} if old else {}
    frame = pandas.read_csv(
        path,
        sep=sample.delimiter,
        encoding=encoding,
        header=0 if header else None,
        names=range(len(names)),  # repeated names are refused later, by name
        index_col=False,
        skipinitialspace=True,
        keep_default_na=False,
        na_values=[*missing_values],
        decimal=decimal,
        low_memory=False,
        **exact,
    )
    frame.columns = names
    if len(names) > 1 and len(frame) != n_rows:
        raise ValueError(
            f"{str(path)!r} can be read as {n_rows} or as {len(frame)} rows; its quotes or blank "
            "lines are ambiguous."
        )
    if header and not first[0][1][0].strip() and _counts(frame.iloc[:, 0]):
        notes.append(
            f"Its first column has no name and numbers the rows: {names[0]!r} should be the ids, "
            "not a feature."
        )
    return frame, notes


def row_lines(path: Path, *, encoding: str = "utf-8") -> list[int]:
    """Give the line on which each row of a text file begins, as an editor numbers them.

    The first is that of the names; blank lines are no rows, and a quoted cell may hold several.
    """
    lines, before = [], 0
    records = _Records(path, encoding, _delimiter(path, encoding))
    with path.open(encoding=encoding, newline="") as file:
        blank = [not line.strip() for line in file]
    for end, _ in records:
        start = before + 1
        while start < end and blank[start - 1]:
            start += 1
        lines.append(start)
        before = end
    return lines


class _Records:
    """The records of a file with the number of the line each ends on, blank lines left out."""

    def __init__(self, path: Path, encoding: str, delimiter: str) -> None:
        self.path, self.encoding, self.delimiter = path, encoding, delimiter

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter, skipinitialspace=True, strict=True)
            try:
                for row in reader:
                    if len(row) > 1 or (row and row[0].strip()):
                        yield reader.line_num, row
            except csv.Error as error:
                _refuse(self.path, reader.line_num, f"can't be parsed: {error}")


def _encoding(path: Path, encoding: str | None) -> tuple[str, list[str]]:
    """Return the encoding of a text file: as asked, by its mark, UTF-8, or else Latin-1."""
    with path.open("rb") as file:
        head = file.read(4)
        marked = next((name for bom, name in _BOMS.items() if head.startswith(bom)), None)
        encoding = encoding or marked
        decoder = codecs.getincrementaldecoder(encoding or "utf-8")()
        reason = None
        file.seek(0)
        while True:
            chunk = file.read(1 << 20)
            if b"\0" in chunk and not (encoding or "").lower().startswith("utf-16"):
                raise ValueError(f"{str(path)!r} is not a table in text form: it has NUL bytes.")
            try:
                if reason is None:
                    decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                reason = error.reason
            if not chunk:
                break
    if reason is None:
        return encoding or "utf-8", []
    if encoding is not None:
        raise ValueError(f"{str(path)!r} is not {encoding} text: {reason}.")
    return "latin-1", [
        "It is not UTF-8 and was read as Latin-1 (ISO 8859-1), where every byte is some letter: "
        "check accented letters, or give the encoding."
    ]


def _delimiter(path: Path, encoding: str) -> str:
    """Choose the delimiter that cuts the first records into equally many cells, the most.

    Where none does, the file is ragged or has one column: then the one the first record has most
    of, so that the error is about the right cells.
    """
    best, score = ",", (False, 1)
    for delimiter in _DELIMITERS:
        try:
            rows = itertools.islice(_Records(path, encoding, delimiter), _SAMPLE)
            widths = [len(row) for _, row in rows]
        except ValueError:
            continue
        if widths and widths[0] > 1 and (new := (len(set(widths)) == 1, widths[0])) > score:
            best, score = delimiter, new
    return best


def _names(row: list[str], header: bool) -> list[str]:
    names = [name.strip() if header else "" for name in row]
    return [name or f"column_{j + 1}" for j, name in enumerate(names)]


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _check_shape(path: Path, records: _Records, width: int, header: bool) -> int:
    count = 0
    for count, (line, row) in enumerate(records, start=1):  # noqa: B007
        if len(row) != width:
            _refuse(path, line, f"has {len(row)} cells, the first row has {width}")
    return count - header


def _has_decimal_commas(rows: list[list[str]]) -> bool:
    """Say whether some column is all numbers once commas are points, and not before."""
    for cells in zip(*rows, strict=False):
        written = [cell for cell in cells if cell not in MISSING_WORDS]
        if any(_COMMA_NUMBER.fullmatch(cell) for cell in written) and all(map(_is_number, written)):
            return True
    return False


def _counts(series: Any) -> bool:
    """Say whether a column is 0, 1, 2, … or 1, 2, 3, …, as a table saved with its index has it."""
    start = series.iloc[0]
    return start in (0, 1) and list(series) == list(range(int(start), int(start) + len(series)))


def _refuse(path: Path, line: int, reason: str) -> NoReturn:
    raise ValueError(f"Line {line} of {str(path)!r} {reason}.")
