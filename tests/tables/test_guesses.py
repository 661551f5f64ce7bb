"""A guess is one that other cells of the column could change; inference itself is the witness."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from deeplimit.tables import TableCoder
from deeplimit.tables.guesses import may_be_guessed_anew

CELLS = [None, "u", "1", "true", "2020-01-01", 1.5, 1.0, True]


def columns():
    for cells in itertools.product(CELLS, repeat=3):
        yield np.array([[cell] for cell in cells], dtype=object)


def test_parts_of_a_column_of_another_kind_are_seen():
    told = 0
    for X in columns():
        coder = TableCoder()
        codes = coder.fit_transform(X)
        for part in ([0], [1, 2], [0, 1, 2]):
            other = TableCoder().fit(X[part]).kinds_ != coder.kinds_
            said = may_be_guessed_anew(codes[part], coder.kinds_, coder.levels_, coder.guessed_)
            assert said or not other, X
            told += said and not other
    # Where it says so in vain booleans are mixed with numbers or with words for them.
    assert told < 250


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1.0, 2.0], "b": [True, False]}),
        pd.DataFrame({"a": pd.Categorical(["1", "2"]), "b": pd.to_datetime(["2020", "2021"])}),
        pd.DataFrame({"a": ["1", "0"], "b": ["2.5", None]}),
        np.array([[1.0, 0.0], [1.0, 1.0]]),
    ],
    ids=["dtypes", "declared", "text of numbers", "array"],
)
def test_what_no_cell_can_change_is_no_guess(frame):
    assert TableCoder().fit(frame).guessed_ == (False, False)
