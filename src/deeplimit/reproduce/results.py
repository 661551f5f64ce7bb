"""What a check is, and what it found: figures, tables and pictures with a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from deeplimit.reproduce.settings import Settings

Kind = Literal["proved", "seen", "measured"]
Cell = str | int | float

#: What the three labels of a check say.
KINDS: Mapping[Kind, str] = {
    "proved": "an identity or a limit with a derivation, confirmed in numbers",
    "seen": "true in every case that was tried, without exception",
    "measured": "a statistical estimate with its standard error",
}


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Attributes
    ----------
    title : str
        What it shows.
    columns : sequence of str
        Heads.
    rows : sequence of sequence
        Cells: text, whole numbers, or numbers that are shown with four digits.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def texts(self) -> list[list[str]]:
        """Give the cells as they are shown."""
        return [[show(cell) for cell in row] for row in self.rows]


@dataclass(frozen=True)
class Curve:
    """A line of a chart.

    Attributes
    ----------
    name : str
        Shown in the legend.
    x, y : sequence of float
        Points.
    error : sequence of float
        Standard errors, drawn as bars; empty for none.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    error: Sequence[float] = ()


@dataclass(frozen=True)
class Chart:
    """A picture of a report: lines over a common axis.

    Attributes
    ----------
    title, x_label, y_label : str
        Texts.
    curves : sequence of Curve
        Lines, up to six.
    log_x, log_y : bool
        Logarithmic axes.
    levels : mapping of str to float
        Horizontal lines to compare with.
    """

    title: str
    x_label: str
    y_label: str
    curves: Sequence[Curve]
    log_x: bool = True
    log_y: bool = False
    levels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What a check found.

    Attributes
    ----------
    passed : bool or None
        The verdict; None if the check could not run.
    figure : str
        The figures that decide, in a sentence.
    tables : sequence of Table
    charts : sequence of Chart
    notes : sequence of str
        What else to know, exceptions before all.
    data : mapping
        Every figure, ready for JSON.
    """

    passed: bool | None
    figure: str
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    notes: Sequence[str] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A statement with the way to test it.

    Attributes
    ----------
    key : str
        Short name.
    sentence : str
        What is claimed.
    measures : str
        What is measured.
    criterion : str
        When it counts as passed.
    kind : str
        "proved", "seen" or "measured".
    function : callable
        Takes `Settings`, gives a `Result`.
    """

    key: str
    sentence: str
    measures: str
    criterion: str
    kind: Kind
    function: Callable[[Settings], Result]


def show(cell: Cell) -> str:
    """Write a cell of a table.

    Parameters
    ----------
    cell : str, int or float
        What to write.

    Returns
    -------
    str

    Examples
    --------
    >>> show(0.73561), show(3), show(1.2345e-7), show("yes"), show(float("inf"))
    ('0.7356', '3', '1.2e-07', 'yes', '∞')
    """
    if isinstance(cell, str | int):
        return str(cell)
    if not math.isfinite(cell):
        return "–" if math.isnan(cell) else ("∞" if cell > 0 else "−∞")
    if cell == 0.0:
        return "0"
    text = f"{cell:.4f}" if 1e-3 <= abs(cell) < 1e4 else f"{cell:.1e}"
    return text.replace("-", "−", 1) if cell < 0 else text
