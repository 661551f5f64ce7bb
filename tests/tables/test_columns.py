from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from deeplimit.tables.columns import (
    RawTable,
    as_frame,
    category_keys,
    cell_of,
    floats,
    infer_kind,
    level_codes,
    missing,
)

DAYS = ["2020-02-01", "2020-01-01"]


def objects(*cells: object) -> np.ndarray:
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (np.array([1.5, np.nan]), "numeric"),
        (np.array([1, 2], dtype=np.uint8), "numeric"),
        (np.array([True, False]), "boolean"),
        (np.array(["2020-01-01", "NaT"], dtype="M8[D]"), "date"),
        (np.array([1, 2], dtype="m8[h]"), "duration"),
        (objects(1, 2.5, None), "numeric"),
        (objects(True, np.bool_(False), None), "boolean"),
        (objects(True, 2), "numeric"),
        (objects("1", " 2.5e3 ", None), "numeric"),
        (objects("1", 2, Decimal("0.5")), "numeric"),
        (objects("1_000", "2"), "categorical"),
        (objects("True", "false", None), "boolean"),
        (objects("yes", "no"), "categorical"),
        (objects("2020-02-01", "2021-01-05T10:30:00Z"), "date"),
        (objects("2020-02-01", "soon"), "categorical"),
        (objects("2020-W05-1"), "categorical"),
        (objects("2020-02-31"), "categorical"),
        (objects(dt.date(2020, 1, 1), dt.datetime(2020, 1, 1), pd.Timestamp("2020")), "date"),
        (objects(dt.timedelta(1), None), "duration"),
        (objects(dt.time(1), None), "duration"),
        (objects("red", 1), "categorical"),
        (objects(None, None), "numeric"),
        (objects(pd.NA, pd.NaT, np.nan, None), "numeric"),
        (objects(""), "categorical"),
    ],
)
def test_kind_of_a_column(cells, kind):
    assert infer_kind(cells, "c") == kind


@pytest.mark.parametrize("cell", [{"a": 1}, [1], (1,), b"x", 1j, pd.Period("2020")])
def test_a_cell_that_is_no_scalar_is_refused(cell):
    with pytest.raises(TypeError, match=r"'c' holds a .*must be a string"):
        infer_kind(objects(cell, "a"), "c")


def test_complex_columns_are_refused():
    with pytest.raises(TypeError, match="complex128"):
        infer_kind(np.array([1j]), "c")


def test_every_marker_of_a_missing_cell_is_known():
    cells = objects(
        None, np.nan, np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN")
    )
    assert missing(cells).all()
    assert not missing(objects(0, "", "nan", False, Decimal(0), dt.date(2020, 1, 1))).any()
    assert missing(np.array([1, 2])).tolist() == [False, False]
    assert missing(np.array(["NaT", "2020"], dtype="M8[D]")).tolist() == [True, False]


def test_numbers_in_any_form_give_the_same_floats():
    expected = [1.0, 2.5, np.nan]
    for cells in (
        np.array(expected, dtype=np.float16),
        objects(1, 2.5, None),
        objects("1", "2.5", pd.NA),
        objects(Decimal(1), Decimal("2.5"), np.nan),
        objects("1", "2.5", "nan"),
    ):
        np.testing.assert_array_equal(floats(cells, "numeric", "c"), expected)


def test_an_instant_gives_the_same_number_of_days_in_any_form():
    instant = dt.datetime(2021, 3, 4, 5, 6, 7, 890123)
    aware = dt.datetime(2021, 3, 4, 7, 6, 7, 890123, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    forms = [
        np.array([instant], dtype="M8[us]"),
        np.array([instant], dtype="M8[ns]"),
        objects(instant),
        objects(aware),
        objects(pd.Timestamp(instant)),
        objects(np.datetime64(instant)),
        objects("2021-03-04T05:06:07.890123"),
        objects("2021-03-04 07:06:07.890123+02:00"),
    ]
    days = {float(floats(cells, "date", "c")[0]) for cells in forms}
    assert days == {((18690 * 86400 + 5 * 3600 + 6 * 60 + 7) * 10**6 + 890123) / 86400e6}


def test_dates_before_the_epoch_and_missing_ones():
    cells = objects(dt.date(1969, 12, 31), "1970-01-02", None)
    np.testing.assert_array_equal(floats(cells, "date", "c"), [-1.0, 1.0, np.nan])
    np.testing.assert_array_equal(
        floats(np.array(["1969-12-31", "NaT"], dtype="M8[s]"), "date", "c"), [-1.0, np.nan]
    )


def test_lengths_of_time_are_days():
    for cells in (
        np.array([36, "NaT"], dtype="m8[h]"),
        objects(dt.timedelta(hours=36), None),
        objects(np.timedelta64(36, "h"), pd.NaT),
    ):
        np.testing.assert_array_equal(floats(cells, "duration", "c"), [1.5, np.nan])
    assert floats(objects(dt.time(18)), "duration", "c").tolist() == [0.75]


def test_booleans_are_zero_and_one():
    for cells in (
        np.array([True, False]),
        np.array([1, 0]),
        objects("TRUE", " false"),
        objects(True, 0),
        objects("True", np.bool_(False)),
    ):
        assert floats(cells, "boolean", "c").tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("cells", "kind", "what"),
    [
        (objects("1", "abc"), "numeric", "'abc' is not a number"),
        (objects(1, 10**400), "numeric", "is not a number"),
        (objects(1, dt.date(2020, 1, 1)), "numeric", "is not a number"),
        (np.array([0, 2]), "boolean", "2 is not true or false"),
        (objects("true", "maybe"), "boolean", "'maybe' is not true or false"),
        (objects("2020-01-01", 5), "date", "5 is not a date"),
        (np.array([1.0, 2.0]), "date", r"1\.0 is not a date"),
        (objects(dt.timedelta(1), "x" * 100), "duration", r"\.\.\. is not a length of time"),
    ],
)
def test_a_cell_that_does_not_fit_is_named(cells, kind, what):
    with pytest.raises(ValueError, match=rf"^Column 'c', row [01] \(from 0\): .*{what}"):
        floats(cells, kind, "c")


def test_a_whole_number_is_one_category_however_it_is_stored():
    for cells in (
        np.array([1, 2]),
        np.array([1.0, 2.0]),
        objects(1, 2.0),
        objects("1", "2"),
        objects(Decimal("1.0"), np.int8(2)),
    ):
        assert category_keys(cells, "c") == ["1", "2"]
    assert category_keys(np.array([1.5, np.nan, -0.0]), "c") == ["1.5", None, "0"]
    assert category_keys(objects(Decimal("1.50"), 1.5), "c") == ["1.5", "1.5"]


def test_large_integers_stay_apart_as_categories():
    assert category_keys(np.array([2**60, 2**60 + 1]), "c") == [str(2**60), str(2**60 + 1)]
    series = pd.DataFrame({"c": pd.array([2**60, 2**60 + 1, None], dtype="Int64")})
    cells, _ = RawTable(series, ("c",)).column(0)
    assert category_keys(cells, "c") == [str(2**60), str(2**60 + 1), None]


def test_true_is_not_the_category_one():
    assert category_keys(objects(True, 1, "True"), "c") == ["True", "1", "True"]
    assert category_keys(np.array([True, False]), "c") == ["True", "False"]


@pytest.mark.parametrize(
    ("series", "kind", "declared"),
    [
        (pd.Series([1, 2, None], dtype="Int64"), "numeric", False),
        (pd.Series([1, 2, 3], dtype="Int64"), "numeric", False),
        (pd.Series([1.5, None, 3], dtype="float64[pyarrow]"), "numeric", False),
        (pd.Series([True, None, False], dtype="boolean"), "boolean", False),
        (pd.Series([True, True, False], dtype="boolean"), "boolean", False),
        (pd.Series(["a", None, "b"], dtype="string"), "categorical", False),
        (pd.Series(["a", None, "b"], dtype="category"), "categorical", True),
        (pd.Series([1, 2, 1], dtype="category"), "numeric", True),
        (pd.to_datetime(pd.Series(["2020-01-01", None, "2020-01-03"])), "date", False),
        (pd.Series(pd.date_range("2020", periods=3, tz="Asia/Tokyo")), "date", False),
        (pd.Series(pd.to_timedelta([1, 2, None], unit="h")), "duration", False),
        (pd.arrays.SparseArray([0.0, 0.0, 1.0]), "numeric", False),
    ],
)
def test_columns_of_pandas(series, kind, declared):
    table = RawTable(pd.DataFrame({"c": series}), ("c",))
    cells, said = table.column(0)
    assert (infer_kind(cells, "c"), said) == (kind, declared)
    assert missing(cells).tolist() == pd.isna(pd.Series(series)).tolist()


def test_times_with_a_zone_are_taken_as_utc():
    frame = pd.DataFrame({"c": pd.date_range("2020-01-01", periods=2, tz="Asia/Tokyo")})
    cells, _ = RawTable(frame, ("c",)).column(0)
    assert floats(cells, "date", "c")[0] == 18262 - 9 / 24


def test_arrays_of_strings_are_read_as_text():
    text = np.array([["1", "a"], ["2", "b"]])
    for data in (text, text.astype("S"), text.astype(np.dtypes.StringDType())):
        table = RawTable(data, ("n", "c"))
        assert floats(table.column(0)[0], "numeric", "n").tolist() == [1.0, 2.0]
        assert category_keys(table.column(1)[0], "c") == ["a", "b"]


class Only:
    """A table of which only one way to another library is open."""

    def __init__(self, name: str, value: object) -> None:
        setattr(self, name, value)


def test_tables_of_other_libraries_become_frames():
    import pyarrow as pa

    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    arrow = pa.Table.from_pandas(frame)
    for table in (
        frame,
        arrow,
        Only("to_pandas", lambda: frame),
        Only("__arrow_c_stream__", arrow.__arrow_c_stream__),
    ):
        found = as_frame(table)
        assert list(found.columns) == ["a", "b"]
        assert found["a"].tolist() == [1, 2]
    for other in (np.zeros((2, 2)), [[1, 2]], frame["a"]):
        assert as_frame(other) is None


@pytest.mark.parametrize(
    ("cells", "codes", "levels"),
    [
        (objects("b", None, "a", "b", float("nan")), [0, -1, 1, 0, -1], ["b", "a"]),
        (objects(2, 1.0, "1", 2.0, Decimal(1)), [0, 1, 1, 0, 1], ["2", "1"]),
        (objects(True, 1, "True", False), [0, 1, 0, 2], ["True", "1", "False"]),
        (objects(pd.NA, pd.NaT, np.datetime64("NaT")), [-1, -1, -1], []),
        (objects(Fraction(1, 2), 0.5), [0, 1], ["1/2", "0.5"]),
        (np.array([3.0, np.nan, 1.5, -0.0, 0.0, np.nan]), [0, -1, 1, 2, 2, -1], ["3", "1.5", "0"]),
        (np.array(["NaT", "2020-02-01", "2020-01-01"], "M8[s]"), [-1, 0, 1], DAYS),
        (objects(dt.date(2020, 2, 1), pd.Timestamp("2020-01-01"), "2020-02-01"), [0, 1, 0], DAYS),
        (np.array([36, 24], "m8[h]"), [0, 1], ["1 day, 12:00:00", "1 day, 0:00:00"]),
    ],
)
def test_levels_in_the_order_of_their_appearance(cells, codes, levels):
    found, names = level_codes(cells, "c")
    assert found.tolist() == codes
    assert names == levels


def test_pandas_knows_the_levels_and_the_kind_that_cells_tell():
    cells = ["2", None, "1", "2"]
    for dtype in (object, "str", "string", "category", "string[pyarrow]"):
        series = pd.Series(cells, dtype=dtype)
        table = RawTable(pd.DataFrame({"c": series}), ("c",))
        codes, levels = table.levels(0)
        expected = level_codes(table.column(0)[0], "c")
        assert (codes.tolist(), levels) == (expected[0].tolist(), expected[1])
        assert levels == ["2", "1"]
        assert table.kind(0) == ("categorical" if dtype == "category" else "numeric")


@pytest.mark.parametrize(
    ("value", "kind", "cell"),
    [
        (2.5, "numeric", 2.5),
        (np.nan, "date", None),
        (1.0, "boolean", True),
        (18262.0, "date", "2020-01-01"),
        (-0.25, "date", "1969-12-31T18:00:00"),
        ((18690 * 86400e6 + 1) / 86400e6, "date", "2021-03-04T00:00:00.000001"),
        (1e300, "date", 1e300),
        (0.75, "duration", "18:00:00"),
        (-0.5, "duration", "-1 day, 12:00:00"),
    ],
)
def test_floats_as_cells(value, kind, cell):
    found = cell_of(value, kind)
    assert found == cell
    assert type(found) is type(cell)
