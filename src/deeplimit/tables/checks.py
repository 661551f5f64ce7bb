"""Tables as they are given: their shape and names checked, the kinds of their columns decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from deeplimit.tables.columns import KINDS, RawTable, as_frame

__all__ = ["checked_table", "column_names", "kinds_of"]


def checked_table(X: Any, asker: BaseEstimator, *, reset: bool, as_objects: bool) -> RawTable:
    """Check the shape and names of a table against those `asker` was fitted with, or record them.

    A nested list becomes an array of objects if `as_objects`, or if it holds text: one string
    makes strings of all its numbers and NaN, one float makes floats of its booleans.
    """
    frame = as_frame(X)
    if frame is None:
        data = check_array(X, dtype=None, ensure_all_finite=False, estimator=asker)
        if not hasattr(X, "dtype") and (as_objects or data.dtype.kind in "SU"):
            data = check_array(X, dtype=object, ensure_all_finite=False, estimator=asker)
        validate_data(asker, data, reset=reset, skip_check_array=True)
        return RawTable(data, tuple(column_names(asker)))
    validate_data(asker, frame, reset=reset, skip_check_array=True)
    for axis, what in enumerate(("sample", "feature")):
        if frame.shape[axis] == 0:
            raise ValueError(
                f"Found table with 0 {what}(s) (shape={frame.shape}) while a minimum of 1 is "
                f"required by {type(asker).__name__}."
            )
    return RawTable(frame, tuple(str(name) for name in frame.columns))


def column_names(fitted: Any) -> list[str]:
    """Return the names of the columns an estimator was fitted with, ``x0``, … if they had none."""
    names = getattr(fitted, "feature_names_in_", None)
    if names is None:
        return [f"x{j}" for j in range(fitted.n_features_in_)]
    return [str(name) for name in names]


def kinds_of(table: RawTable, given: Any) -> tuple[str, ...]:
    """Return the kind of each column, inferred where it is not given by sequence or mapping."""
    p = len(table.names)
    kinds: list[str | None] = [None] * p
    if isinstance(given, Mapping):
        for key, kind in given.items():
            if isinstance(key, str):
                if key not in table.names:
                    raise ValueError(f"kinds names a column {key!r} the table does not have.")
                key = table.names.index(key)
            if not isinstance(key, int | np.integer) or not 0 <= key < p:
                raise ValueError(f"kinds numbers a column {key!r}, the table has {p} from 0.")
            kinds[key] = kind
    elif given is not None:
        kinds = list(given)
        if isinstance(given, str) or len(kinds) != p:
            raise ValueError(f"kinds must have one entry for each of the {p} columns.")
    unknown = [kind for kind in kinds if kind is not None and kind not in KINDS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no kind of column; those are {', '.join(KINDS)}.")
    if table.is_numeric and not any(kinds):
        return ("boolean" if table.data.dtype.kind == "b" else "numeric",) * p
    return tuple(kind or table.kind(j) for j, kind in enumerate(kinds))
