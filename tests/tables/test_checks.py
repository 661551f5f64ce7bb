from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from deeplimit.tables.checks import checked_table, column_names, kinds_of


class Asker(BaseEstimator):
    """An estimator that is asked for nothing."""


def test_the_asker_learns_the_columns_and_is_asked_for_them_later():
    asker = Asker()
    table = checked_table(pd.DataFrame({"a": [1], "b": [2]}), asker, reset=True, as_objects=False)
    assert table.names == ("a", "b")
    assert column_names(asker) == ["a", "b"]
    with pytest.raises(ValueError, match=r"(?s)feature names.*missing:\n- b"):
        checked_table(pd.DataFrame({"a": [1]}), asker, reset=False, as_objects=False)
    array = checked_table(np.ones((1, 3)), asker, reset=True, as_objects=False)
    assert array.names == tuple(column_names(asker)) == ("x0", "x1", "x2")


@pytest.mark.parametrize(
    ("rows", "as_objects", "cells"),
    [
        ([[True, 2.5]], False, [1.0, 2.5]),
        ([[True, 2.5]], True, [True, 2.5]),
        ([["a", 2.5]], False, ["a", 2.5]),
        (np.array([[1, 2]]), True, [1, 2]),
    ],
)
def test_cells_of_a_nested_list_are_kept_on_demand(rows, as_objects, cells):
    table = checked_table(rows, Asker(), reset=True, as_objects=as_objects)
    found = table.data[0].tolist()
    assert [(type(cell), cell) for cell in found] == [(type(cell), cell) for cell in cells]


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        (None, ("numeric", "categorical")),
        (["categorical", None], ("categorical", "categorical")),
        ({"a": "boolean"}, ("boolean", "categorical")),
        ({1: "date"}, ("numeric", "date")),
    ],
)
def test_kinds_are_given_or_inferred(given, kinds):
    frame = pd.DataFrame({"a": [0, 1], "b": ["x", "y"]})
    table = checked_table(frame, Asker(), reset=True, as_objects=False)
    assert kinds_of(table, given) == kinds


def test_an_array_of_numbers_is_of_one_kind():
    for data, kind in ((np.ones((2, 2)), "numeric"), (np.ones((2, 2), dtype=bool), "boolean")):
        table = checked_table(data, Asker(), reset=True, as_objects=False)
        assert kinds_of(table, None) == (kind, kind)
