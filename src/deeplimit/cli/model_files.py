"""Model files and the tables that go with them, as the command line uses them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require
from deeplimit.cli.console import progress, tell
from deeplimit.persist import load, read_header
from deeplimit.tables import Table, read_table
from deeplimit.tables.columns import RawTable, floats

__all__ = [
    "Model",
    "Rows",
    "of_kinds",
    "open_model",
    "read_input",
    "read_rows",
    "refuse_to_overwrite",
]


@dataclass(frozen=True)
class Model:
    """A pipeline that ``fit`` wrote, with what it remembers of its table."""

    pipeline: Any
    target: str
    id_column: str | None
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    header: str | None

    @property
    def pooled(self) -> bool:
        """Whether a pool decides, which takes the cells as they are."""
        return hasattr(self.classifier, "pool_")

    def points(self, features: Any) -> Any:
        """Give the rows as the classifier takes them."""
        encoder = self.pipeline.named_steps.get("encoder")
        return features if encoder is None else encoder.transform(features)

    def among_examples(self, features: Any) -> NDArray[np.bool_]:
        """Tell which rows are, cell by cell, those of examples of a pool."""
        codes = [self.classifier._queries(features), self.classifier._X]
        # One zero and one NaN, whose bits differ otherwise.
        asked, there = (np.where(np.isnan(rows), np.nan, rows + 0.0) for rows in codes)
        held = {row.tobytes() for row in there}
        return np.array([row.tobytes() in held for row in asked], dtype=bool)

    @property
    def classifier(self) -> Any:
        """The step that decides."""
        return self.pipeline.named_steps["classifier"]

    @property
    def ids(self) -> list[Any]:
        """What names the examples it was fitted on."""
        return list(self.pipeline.ids_.tolist())


@dataclass(frozen=True)
class Rows:
    """Rows to predict, in the form the model takes."""

    features: Any
    ids: list[Any]
    id_column: str | None
    labels: dict[int, Any]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, at: list[int]) -> Any:
        """Give some of the rows."""
        return (
            self.features[at] if isinstance(self.features, np.ndarray) else self.features.iloc[at]
        )


#: What a message advises a Python programmer, and the option that does the same.
_ADVICE = {
    "pass drop_missing_target=True": "give --drop-missing-target",
    "pass header=False if it has none, header=True if those are names": (
        "give --header no if it has none, --header yes if those are names"
    ),
}


def read_input(options: argparse.Namespace, header: str | None = None, **settings: Any) -> Table:
    """Read the table that the options name; advice in errors names options, not parameters."""
    header = options.header or header
    try:
        return read_table(
            options.data, header=None if header is None else header == "yes", **settings
        )
    except ValueError as error:
        text = str(error)
        for python, option in _ADVICE.items():
            text = text.replace(python, option)
        raise ValueError(text) from error


def of_kinds(data: Table) -> Any:
    """Give the features so that each column shows the kind it is to be taken as."""
    raw = RawTable(data.features, data.names)
    told = [j for j, kind in enumerate(data.kinds) if raw.kind(j) != kind]
    if not told:
        return data.features
    pandas = require("pandas", extra="tables", purpose="taking a column as another kind")
    frame = pandas.DataFrame(data.features, columns=list(data.names))
    for j in told:
        name, kind = data.names[j], data.kinds[j]
        if kind == "categorical":
            frame[name] = frame[name].astype("category")
            continue
        cells = pandas.Series(floats(raw.column(j)[0], kind, name), index=frame.index)
        if kind == "boolean":
            frame[name] = cells.astype("boolean")
        elif kind == "date":
            frame[name] = pandas.to_datetime(cells, unit="D")
        elif kind == "duration":
            frame[name] = pandas.to_timedelta(cells, unit="D")
        else:
            frame[name] = cells
    return frame


def open_model(path: Path) -> Model:
    """Load what ``fit`` wrote."""
    progress(f"loading {path}")
    pipeline = load(path)
    notes = read_header(path).notes
    steps = getattr(pipeline, "named_steps", {})
    if "classifier" not in steps or not {"target", "columns"} <= set(notes):
        raise ValueError(
            f"{str(path)!r} holds a {type(pipeline).__name__}, but not a model that "
            "'deeplimit fit' wrote; load it in Python with deeplimit.load."
        )
    return Model(
        pipeline,
        notes["target"],
        notes.get("id_column"),
        tuple(notes["columns"]),
        tuple(notes["kinds"] if "kinds" in notes else steps["encoder"].kinds_),
        notes.get("header"),
    )


def read_rows(options: argparse.Namespace, model: Model) -> Rows:
    """Read the table that the options name, in the form the model takes."""
    progress(f"reading {options.data}")
    whole = read_input(options, model.header)
    kinds = dict(zip(model.columns, model.kinds, strict=True))
    id_column = model.id_column if model.id_column in whole.names else None
    data = read_input(
        options, model.header, id_column=id_column, columns=model.columns, kinds=kinds
    )
    for note in data.notes:
        tell(f"note: {note}")
    if data.ids.dtype.kind not in "iu":
        id_column = id_column or "ids"
    return Rows(_in_form(data, model), data.ids.tolist(), id_column, _labels(options, model, whole))


def _labels(options: argparse.Namespace, model: Model, whole: Table) -> dict[int, Any]:
    """Give the target by row, where the table has it."""
    if whole.target is None and model.target not in whole.names:
        return {}
    try:
        labelled = read_input(
            options,
            model.header,
            target=model.target,
            columns=model.columns,
            drop_missing_target=True,
        )
    except ValueError:  # no row has one
        return {}
    place = {identity: i for i, identity in enumerate(whole.ids.tolist())}
    assert labelled.target is not None
    at = [place[identity] for identity in labelled.ids.tolist()]
    return dict(zip(at, labelled.target.tolist(), strict=True))


def _in_form(data: Table, model: Model) -> Any:
    """Give the features as at the fit: a table with names, or an array."""
    named = hasattr(model.pipeline, "feature_names_in_")
    if named and isinstance(data.features, np.ndarray):
        pandas = require(
            "pandas", extra="tables", purpose="predicting from an NPZ by a table's model"
        )
        return pandas.DataFrame(data.features, columns=list(data.names))
    return data.features if named else np.asarray(data.features)


def refuse_to_overwrite(output: Path, force: bool, *inputs: Path) -> None:
    """Refuse before any work is done what would fail, or lose a file, at its end."""
    if not output.parent.is_dir():
        raise ValueError(f"there is no folder {str(output.parent)!r} to write {output.name!r} to.")
    if output.is_dir():
        raise ValueError(f"{str(output)!r} is a folder; name a file in it.")
    if not output.exists():
        return
    if any(output.samefile(path) for path in inputs if path.exists()):
        raise ValueError(f"{str(output)!r} is what is read; name another file to write.")
    if not force:
        raise ValueError(f"{str(output)!r} exists already; --force replaces it.")
