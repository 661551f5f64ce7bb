"""Tables of one's own: the fitted default's report, reasons for rows, what if."""

from __future__ import annotations

import math
import re
import secrets
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.estimators import DeepLimitClassifier
from deeplimit.estimators.absence import without
from deeplimit.estimators.card import ModelCard, make_card
from deeplimit.estimators.left_out import LeftOut
from deeplimit.tables import Table, read_table
from deeplimit.tables.delimited import row_lines

__all__ = ["Reports", "table_columns"]

#: What is taken while somebody waits.
_ROWS, _COLUMNS, _CLASSES, _SECONDS = 4000, 200, 50, 20.0
_KEPT = 4
_TOP, _FLIP, _LISTED = 8, 25, 400
# Columns in which another cell is looked for, and how many values of each.
_TRIED, _VALUES = 8, 21
# Values of a column of words to choose among, and to suggest while one types.
_CHOICES, _SUGGESTIONS = 100, 500
# What the model is made of, in words that need no knowledge of it.
_WORDS = {
    "singular smoothers over nearest examples": "votes of the nearest examples",
    "kernel ridge": "a smooth fit to all examples",
}


@dataclass(frozen=True, eq=False)
class _Fitted:
    """A table with its classifier, and what this says of each row without it."""

    table: Table
    lines: list[int]
    classifier: DeepLimitClassifier
    card: ModelCard
    said: LeftOut | None

    @property
    def naming(self) -> set[str]:
        """The columns that name the row."""
        return {name for f in self.card.findings.of("identifier") for name in f.columns}


def _read(question: Mapping[str, Any], target: str | None) -> tuple[Table, list[int]]:
    """Read the table, and the line of the file that each of its rows begins on."""
    text = question.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("the file is empty.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        path.write_text(text, encoding="utf-8", newline="")
        try:
            table = read_table(path, target=target, drop_missing_target=True)
        except ValueError as error:
            # Advice names parameters and the file: here there are neither.
            words = str(error).replace(repr(str(path)), "the table")
            words = words.replace(
                "pass header=False if it has none, header=True if those are names",
                "add a first line of names",
            )
            raise ValueError(words) from None
        # The first is that of the names. What has no target is left out, and the rest keeps its
        # place in the file.
        lines = row_lines(path)[1:]
    return table, [lines[int(place)] for place in table.ids]


def table_columns(question: Mapping[str, Any]) -> dict[str, Any]:
    r"""Tell which columns a table has, and which is likely the one to predict.

    Parameters
    ----------
    question : mapping
        ``text``, the file.

    Returns
    -------
    dict
        ``columns`` with names and kinds, ``target``, or None where no column suits, ``rows``, and
        ``notes`` on what had to be guessed.

    Raises
    ------
    ValueError
        If it is no table.

    Examples
    --------
    >>> text = "petal,species\n1.5,setosa\n1.3,setosa\n4.7,virginica\n"
    >>> table_columns({"text": text})["target"]
    'species'
    """
    table, _ = _read(question, None)
    frame = table.features
    distinct = [int(frame.iloc[:, j].nunique()) for j in range(len(table.names))]
    columns = [
        {"name": name, "kind": kind, "distinct": n}
        for name, kind, n in zip(table.names, table.kinds, distinct, strict=True)
    ]
    fit = [c for c in columns if 2 <= int(c["distinct"]) <= min(_CLASSES, table.n_rows - 1)]  # type: ignore[call-overload]
    words = [c for c in fit if c["kind"] in ("categorical", "boolean")]
    last = columns[-1]
    likely = (last if last in fit else (words or fit)[-1])["name"] if fit else None
    return {"columns": columns, "target": likely, "rows": table.n_rows, "notes": list(table.notes)}


class Reports:
    """Fitted tables, the latest few, by a name that cannot be guessed."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Fitted] = OrderedDict()

    def fit(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Fit the default to a table and report.

        Parameters
        ----------
        question : mapping
            ``text``, the file, and ``target``, the column to predict.

        Returns
        -------
        dict
            Figures, calibration, findings, and what is said of each row by the others.

        Raises
        ------
        ValueError
            If the table does not suit.
        """
        target = question.get("target")
        if not isinstance(target, str):
            raise ValueError("name the column to predict.")
        table, lines = _read(question, target)
        _check(table)
        assert table.target is not None
        classifier = DeepLimitClassifier(time_limit=_SECONDS, n_jobs=1)
        try:
            classifier.fit(table.features, table.target)
        except ValueError as error:
            raise ValueError(_with_lines(str(error), lines)) from None
        card = make_card(classifier, lambda row: f"line {lines[row]}")
        said = classifier.leave_one_out() if table.n_rows > 1 else None
        fitted = _Fitted(table, lines, classifier, card, said)
        key = secrets.token_urlsafe(18)
        self._kept[key] = fitted
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return {"model": key, **_report(fitted)}

    def row(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Tell why a row is decided as it is, perhaps with other cells.

        Parameters
        ----------
        question : mapping
            ``model`` as from `fit`, ``row``, its place among those that were fitted from 0,
            ``cells``, texts by column that replace its own, and ``own_vote``, whether the row is
            itself among the examples; if not, all settings of the fit stay as they are.

        Returns
        -------
        dict
            Probabilities, examples and columns that decide, and what would flip the decision.

        Raises
        ------
        ValueError
            If there is no such model, row or cell.
        """
        fitted = self._kept.get(str(question.get("model")))
        if fitted is None:
            raise ValueError("that table is no longer held: load it again.")
        row, n = question.get("row"), fitted.table.n_rows
        if not isinstance(row, int) or isinstance(row, bool) or not 0 <= row < n:
            raise ValueError(f"rows are numbered from 0 to {n - 1}.")
        own_vote = question.get("own_vote", False)
        if not isinstance(own_vote, bool):
            raise ValueError("own_vote is true or false.")
        frame = _changed(fitted.table, row, question.get("cells") or {})
        return _reasons(fitted, row, frame, own_vote)


def _with_lines(words: str, lines: list[int]) -> str:
    """Name rows by their lines in the file."""
    return re.sub(r"row (\d+) \(from 0\)", lambda m: f"line {lines[int(m[1])]}", words)


def _check(table: Table) -> None:
    assert table.target is not None
    if table.n_rows > _ROWS or len(table.names) > _COLUMNS:
        raise ValueError(
            f"the page takes up to {_ROWS} rows and {_COLUMNS} columns, not {table.n_rows} and "
            f"{len(table.names)}; on the command line, deeplimit fit takes more."
        )
    values, counts = np.unique(table.target, return_counts=True)
    if values.size < 2:
        raise ValueError(f"{table.target_name!r} has one value only: nothing to tell apart.")
    if values.size > _CLASSES:
        raise ValueError(
            f"{table.target_name!r} has {values.size} different values: choose a column of at most "
            f"{_CLASSES} classes."
        )
    if counts.max() < 2:
        raise ValueError(
            f"{table.target_name!r} is different in every row: choose a column whose values recur."
        )


def _plain(value: Any) -> Any:
    """Give a cell or a label as JSON has it; numbers that JSON has not are none."""
    item = value.item() if hasattr(value, "item") else value
    if item is None or isinstance(item, str | bool | int):
        return item
    if isinstance(item, float):
        return item if math.isfinite(item) else None
    return str(item)


def _numbers(values: NDArray[Any]) -> list[Any]:
    return [_plain(v) for v in np.asarray(values).tolist()]


def _report(fitted: _Fitted) -> dict[str, Any]:
    table, clf, card = fitted.table, fitted.classifier, fitted.card
    classes = [str(c) for c in clf.classes_.tolist()]
    quality = card.quality
    naming = fitted.naming
    told: dict[str, Any] = {
        "rows": table.n_rows,
        "lines": fitted.lines,
        "target": table.target_name,
        "classes": classes,
        "counts": [int(np.sum(table.target == c)) for c in clf.classes_],
        "columns": [
            {"name": n, "kind": k, **_levels(table, j), "names_row": n in naming}
            for j, (n, k) in enumerate(zip(table.names, table.kinds, strict=True))
        ],
        "notes": list(table.notes),
        "decides_by": clf.regime_,
        "in_words": " and ".join(words for name, words in _WORDS.items() if name in clf.regime_),
        "markdown": card.to_markdown(),
        "page": card.to_html(),
        "looked_at": card.findings.looked_at,
        "findings": [
            {
                "kind": f.kind,
                "text": f.text,
                "rows": list(f.ids)[:_LISTED],
                "label": None if f.label is None else str(f.label),
                "suggested": None if f.suggested is None else str(f.suggested),
                "strength": _plain(f.strength),
            }
            for f in list(card.findings)[:_LISTED]
        ],
        "weak": [s._asdict() for s in card.weak[:12]],
    }
    if quality is not None:
        told["measures"] = [m._asdict() for m in quality.measures]
        told["bins"] = [b._asdict() for b in quality.bins]
        told["confusion"] = quality.confusion.tolist()
    if fitted.said is not None:
        told["said"] = _said(fitted, fitted.said)
    return told


def _levels(table: Table, j: int) -> dict[str, Any]:
    """List the values of a column of words: for a choice if there are few, else to suggest."""
    if table.kinds[j] != "categorical":
        return {"values": [], "closed": False}
    cells = table.features.iloc[:, j].dropna()
    values = sorted({str(v) for v in cells.tolist()})
    return {"values": values[:_SUGGESTIONS], "closed": len(values) <= _CHOICES}


def _said(fitted: _Fitted, said: LeftOut) -> list[dict[str, Any]]:
    """Give what the others say of each row, the least likely labels first."""
    assert fitted.table.target is not None
    place = np.searchsorted(fitted.classifier.classes_, fitted.table.target[said.ids])
    own = said.probabilities[np.arange(len(place)), place]
    order = np.argsort(own, kind="stable")[:_LISTED]
    return [
        {
            "row": int(said.ids[i]),
            "label": str(fitted.table.target[said.ids[i]]),
            "said": str(said.predictions[i]),
            "probability": float(own[i]),
        }
        for i in order
    ]


def _changed(table: Table, row: int, cells: Any) -> Any:
    """Give a row as a table of its own, some cells replaced."""
    if not isinstance(cells, Mapping):
        raise ValueError("cells are texts by the names of their columns.")
    frame = table.features.iloc[[row]].copy()
    for name, text in cells.items():
        if name not in table.names or not isinstance(text, str) or len(text) > 1000:
            raise ValueError(f"there is no column {str(name)[:80]!r}, or its cell is no text.")
        j = table.names.index(name)
        value: Any = text.strip() or None
        if table.kinds[j] == "numeric":
            try:
                value = math.nan if value is None else float(value)
            except ValueError:
                raise ValueError(
                    f"{name!r} is a column of numbers, and {text[:40]!r} is none."
                ) from None
            if math.isinf(value):
                raise ValueError(f"{name!r} is a column of finite numbers.")
        elif table.kinds[j] == "boolean" and value is not None:
            value = {"true": True, "false": False}.get(value.lower(), value)
        column = frame.columns[j]
        frame[column] = frame[column].astype(object)
        frame.iat[0, j] = value
    return frame.infer_objects()


def _reasons(fitted: _Fitted, row: int, frame: Any, own_vote: bool) -> dict[str, Any]:
    table, whole = fitted.table, fitted.classifier
    assert table.target is not None
    # Without the only row of a class nobody would know of the class.
    only = int(np.sum(table.target == table.target[row])) < 2
    clf = whole if own_vote or only else without(whole, [row])
    p = clf.predict_proba(frame)[0]
    found = clf.contributions(frame, top=_TOP)
    named = found.indices[0] >= 0
    support = clf.support(frame)
    told: dict[str, Any] = {
        "row": row,
        "only": only,
        "own_vote": own_vote or only,
        "label": str(table.target[row]),
        "cells": {n: _plain(v) for n, v in zip(table.names, frame.iloc[0].tolist(), strict=True)},
        "prediction": str(clf.classes_[int(np.argmax(p))]),
        "probabilities": p.tolist(),
        "scores": found.class_shares[0].tolist(),
        "examples": [
            {"row": int(i), "class": str(c), "share": float(s), "self": int(i) == row}
            for i, c, s in zip(
                found.indices[0][named], found.classes[0][named], found.shares[0][named],
                strict=True,
            )
        ],
        "rest": float(found.rest[0]),
        "effective": _plain(float(support.effective[0])),
        "distance": _plain(float(support.distance[0])),
        "outlying": bool(support.outlying[0]),
    }  # fmt: skip
    columns = clf.columns(frame, n_orders=32)
    told["columns"] = [
        {"name": n, "share": float(s), "cell": _plain(v)}
        for n, s, v in zip(columns.names, columns.shares[0], columns.cells[0], strict=True)
    ]
    told["rival"], told["margin"] = str(columns.rivals[0]), float(columns.margin[0])
    told["base"] = float(columns.base[0])
    flip = clf.flip(frame, max_removed=_FLIP)
    told["flip"] = {
        "possible": bool(flip.possible[0]),
        "found": bool(flip.found[0]),
        "after": str(flip.after[0]),
        "rows": _numbers(flip.removed[0]),
        "most": _FLIP,
    }
    told["changes"] = _changes(fitted, clf, frame, int(np.argmax(p)), columns.shares[0])
    if fitted.said is not None:
        at = int(np.searchsorted(fitted.said.ids, row))
        if at < len(fitted.said.ids) and fitted.said.ids[at] == row:
            told["left_out"] = fitted.said.probabilities[at].tolist()
    return told


def _changes(
    fitted: _Fitted, clf: Any, frame: Any, now: int, shares: NDArray[Any]
) -> list[dict[str, Any]]:
    """Find cells that change the answer `now`, one at a time: the least change in each column.

    Values are those of the other rows: quantiles of numbers, the commonest words.
    """
    table = fitted.table
    naming = fitted.naming
    tried: list[tuple[int, list[Any]]] = []
    for j in np.argsort(-np.abs(shares), kind="stable"):
        if table.kinds[j] in ("date", "duration") or table.names[j] in naming:
            continue
        values = _values(table.features.iloc[:, j], frame.iat[0, j], table.kinds[j] == "numeric")
        tried.append((int(j), values))
        if len(tried) == _TRIED:
            break
    total = sum(len(values) for _, values in tried)
    if not total:
        return []
    rows = frame.iloc[[0] * total].reset_index(drop=True).astype(object)
    start = 0
    for j, values in tried:
        for k, value in enumerate(values):
            rows.iat[start + k, j] = value
        start += len(values)
    p = clf.predict_proba(rows.infer_objects().astype(frame.dtypes.to_dict(), errors="ignore"))
    best = np.argmax(p, axis=1)
    found, start = [], 0
    for j, values in tried:
        other = np.flatnonzero(best[start : start + len(values)] != now)
        if other.size:
            k = start + int(other[0])
            change = {"name": table.names[j], "cell": _plain(values[other[0]])}
            answer = {"prediction": str(clf.classes_[best[k]]), "probability": float(p[k].max())}
            found.append({**change, **answer})
        start += len(values)
    return found


def _values(column: Any, own: Any, numeric: bool) -> list[Any]:
    """List other values of a column, the nearest to a row's own, or the commonest, first."""
    there = column.dropna()
    if not numeric:
        return [v for v in there.value_counts().index.tolist()[:_VALUES] if str(v) != str(own)]
    if not len(there):
        return []
    ranked = np.sort(there.to_numpy(dtype=np.float64))
    values = np.unique(np.quantile(ranked, np.linspace(0.0, 1.0, _VALUES), method="nearest"))
    # Near is what few rows lie between; of a missing cell, what is nearest the middle.
    middle = own is None or own != own
    at = ranked.size // 2 if middle else np.searchsorted(ranked, float(own))
    place = np.searchsorted(ranked, values) - at
    order = np.argsort(np.abs(place), kind="stable")
    return [float(v) for v in values[order] if v != own]
