"""Model files and the tables that go with them, as the command line uses them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeplimit._extras import require
from deeplimit.cli.console import progress, tell
from deeplimit.persist import load, read_header
from deeplimit.tables import Table, read_table

__all__ = ["Model", "Rows", "open_model", "read_input", "read_rows", "refuse_to_overwrite"]


@dataclass(frozen=True)
class Model:
    """A pipeline that ``fit`` wrote, with what it remembers of its table."""

    pipeline: Any
    target: str
    id_column: str | None
    columns: tuple[str, ...]
    header: str | None

    @property
    def encoder(self) -> Any:
        """The step that turns cells into numbers."""
        return self.pipeline.named_steps["encoder"]

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


def open_model(path: Path) -> Model:
    """Load what ``fit`` wrote."""
    progress(f"loading {path}")
    pipeline = load(path)
    notes = read_header(path).notes
    steps = getattr(pipeline, "named_steps", {})
    if not {"encoder", "classifier"} <= set(steps) or not {"target", "columns"} <= set(notes):
        raise ValueError(
            f"{str(path)!r} holds a {type(pipeline).__name__}, but not a model that "
            "'deeplimit fit' wrote; load it in Python with deeplimit.load."
        )
    return Model(
        pipeline,
        notes["target"],
        notes.get("id_column"),
        tuple(notes["columns"]),
        notes.get("header"),
    )


def read_rows(options: argparse.Namespace, model: Model) -> Rows:
    """Read the table that the options name, in the form the model takes."""
    progress(f"reading {options.data}")
    whole = read_input(options, model.header)
    kinds = dict(zip(model.columns, model.encoder.kinds_, strict=True))
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
    """Give the features as the encoder saw them: a table with names, or an array."""
    named = hasattr(model.encoder, "feature_names_in_")
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
