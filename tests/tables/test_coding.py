from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from deeplimit.persist import from_state, load, save, to_state
from deeplimit.tables import TableCoder

CHECKS = [
    pytest.param(coder, check, id=f"{coder}-{check.func.__name__}")
    for coder in (TableCoder(), TableCoder(kinds={0: "categorical"}))
    for _, check in estimator_checks_generator(coder)
    if check.func.__name__ != "check_array_api_input"
]
KINDS = ("numeric", "boolean", "date", "duration", "categorical", "categorical")
EAST = dt.timezone(dt.timedelta(hours=9))

numbers = st.one_of(st.floats(-1e6, 1e6), st.integers(-(2**60), 2**60), st.just("2.5"))
instants = st.one_of(
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)),
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(EAST)),
    st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)),
    st.just("2021-03-04T05:06:07+02:00"),
)
anything = st.one_of(
    st.sampled_from(["a", "b", "1", "2020-01-01", "", "True"]),
    st.sampled_from([True, False, 1, 0, 1.0, 2.5, Decimal("2.50"), np.float32(0.5), 2**60 + 1]),
    st.sampled_from([dt.date(2020, 1, 1), pd.Timestamp("2020-01-01"), dt.timedelta(1), pd.NA]),
)
rows_of_cells = st.tuples(
    st.none() | numbers,
    st.none() | st.sampled_from([True, False, "true", 0, np.bool_(True)]),
    st.none() | instants,
    st.none() | st.timedeltas(dt.timedelta(-1000), dt.timedelta(1000)),
    st.none() | st.sampled_from(["red", "blue", "green", "1"]),
    st.none() | anything,
)


def objects(rows: list[tuple[object, ...]]) -> np.ndarray:
    array = np.empty((len(rows), len(rows[0])), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


@pytest.mark.parametrize(("coder", "check"), CHECKS)
def test_scikit_learn_checks(coder, check):
    check(coder)


def mixed() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [20.0, 30.0, np.nan],
            "colour": ["red", "blue", None],
            "member": [True, False, True],
            "since": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
            "waited": pd.to_timedelta([36, None, 12], unit="h"),
            "size": pd.Categorical(["s", "m", "s"], categories=["s", "l", "m"]),
        }
    )


def test_every_kind_of_cell():
    coder = TableCoder()
    codes = coder.fit_transform(mixed())
    assert coder.kinds_ == (
        "numeric", "categorical", "boolean", "date", "duration", "categorical"
    )  # fmt: skip
    assert coder.levels_ == [None, ["red", "blue"], None, None, None, ["s", "m"]]
    assert coder.n_features_in_ == 6
    assert coder.feature_names_in_.tolist() == mixed().columns.tolist()
    assert codes.dtype == np.float64
    np.testing.assert_array_equal(
        codes,
        [
            [20.0, 0.0, 1.0, 18262.0, 1.5, 0.0],
            [30.0, 1.0, 0.0, np.nan, np.nan, 1.0],
            [np.nan, np.nan, 1.0, 18264.0, 0.5, 0.0],
        ],
    )
    np.testing.assert_array_equal(coder.transform(mixed()), codes)


@given(st.lists(rows_of_cells, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_code_of_a_row_depends_on_no_other_row(rows, random):
    X = objects(rows)
    coder = TableCoder(KINDS).fit(X)
    codes = coder.transform(X)
    order = list(range(len(rows)))
    random.shuffle(order)
    forms = [
        np.vstack([coder.transform(X[[i]]) for i in range(len(rows))]),
        np.vstack([coder.transform([list(row)]) for row in rows]),
        np.vstack([coder.transform(pd.DataFrame([list(row)])) for row in rows]),
        coder.transform(X[order])[np.argsort(order)],
        coder.transform(pd.DataFrame(X)),
        coder.transform([list(row) for row in rows]),
    ]
    for other in forms:
        np.testing.assert_array_equal(other, codes)


@given(st.lists(rows_of_cells, min_size=2, max_size=12), st.data())
def test_extending_piece_by_piece_is_fitting_the_whole(rows, data):
    X = objects(rows)
    cut = data.draw(st.integers(1, len(rows) - 1))
    whole, coder = TableCoder(KINDS), TableCoder(KINDS)
    codes = whole.fit_transform(X)
    first = coder.fit_transform(X[:cut])
    np.testing.assert_array_equal(np.vstack([first, coder.extend(X[cut:])]), codes)
    assert coder.levels_ == whole.levels_
    np.testing.assert_array_equal(coder.transform(X), codes)


def test_levels_are_numbered_as_they_appear_in_every_form():
    cells = ["b", None, "a", "b", "c", "a"]
    for series in (
        pd.Series(cells),
        pd.Series(cells, dtype=object),
        pd.Series(cells, dtype="string"),
        pd.Series(cells, dtype="category"),
        pd.Series(pd.Categorical(cells, categories=["z", "c", "b", "a"], ordered=True)),
    ):
        coder = TableCoder()
        codes = coder.fit_transform(pd.DataFrame({"c": series}))
        assert coder.levels_ == [["b", "a", "c"]]
        np.testing.assert_array_equal(codes[:, 0], [0, np.nan, 1, 0, 2, 1])
    with_number = TableCoder(["categorical"]).fit([[3], [1.0], [None], [2], [1]])
    assert with_number.levels_ == [["3", "1", "2"]]


def test_numbers_are_the_same_level_as_integers_floats_and_categories():
    coder = TableCoder(kinds={"zip": "categorical"}).fit(pd.DataFrame({"zip": [2, 1, 3]}))
    for cells in (
        pd.Series([1.0, np.nan, 3.0]),
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([1, None, 3], dtype="category"),
        pd.Series(["1", None, "3"], dtype="category"),
        pd.Series([Decimal(1), None, np.int8(3)], dtype=object),
    ):
        np.testing.assert_array_equal(
            coder.transform(pd.DataFrame({"zip": cells}))[:, 0], [1, np.nan, 2]
        )


def test_categories_of_one_name_are_one_level():
    frame = pd.DataFrame({"c": pd.Categorical(["1", 1, 2.0, 2], categories=["1", 1, 2.0])})
    coder = TableCoder()
    assert coder.fit_transform(frame)[:, 0].tolist() == [0, 0, 1, 1]
    assert coder.levels_ == [["1", "2"]]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_instants_as_categories_have_one_name_in_any_unit(unit):
    coder = TableCoder(["categorical"]).fit([["2020-01-01"], ["2020-01-01T06:30:00"]])
    days = np.array([["2020-01-01T06:30"], ["2020-01-01"], ["NaT"]], dtype=f"M8[{unit}]")
    np.testing.assert_array_equal(coder.transform(days)[:, 0], [1, 0, np.nan])
    tokyo = pd.Series(days[:2, 0]).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    assert tokyo.dtype.unit == unit
    for series in (tokyo, tokyo.astype("category"), tokyo.astype(object)):
        assert coder.transform(pd.DataFrame({0: series})).ravel().tolist() == [1, 0]
    lengths = TableCoder(["categorical"]).fit([[dt.timedelta(1.5)], [dt.timedelta(2)]])
    hours = np.array([[48 * 3600], [36 * 3600]], dtype="m8[s]").astype(f"m8[{unit}]")
    assert lengths.levels_ == [["1 day, 12:00:00", "2 days, 0:00:00"]]
    assert lengths.transform(hours).ravel().tolist() == [1, 0]


def test_dates_with_time_zones_are_instants():
    frame = pd.DataFrame({"when": pd.date_range("2020-01-01", periods=2, tz="Asia/Tokyo")})
    expected = [18262 - 9 / 24, 18263 - 9 / 24]
    coder = TableCoder()
    assert coder.fit_transform(frame)[:, 0].tolist() == expected
    text = [["2020-01-01T00:00:00+09:00"], ["2020-01-01T15:00:00"]]
    assert coder.transform(pd.DataFrame(text, columns=["when"]))[:, 0].tolist() == expected


def test_tables_of_other_libraries():
    import pyarrow as pa

    class Stream:
        def __init__(self, table: pa.Table) -> None:
            self.__arrow_c_stream__ = table.__arrow_c_stream__

    table = pa.Table.from_pandas(mixed())
    coder = TableCoder()
    codes = coder.fit_transform(mixed())
    for other in (table, Stream(table)):
        np.testing.assert_array_equal(coder.transform(other), codes)
        np.testing.assert_array_equal(TableCoder().fit_transform(other), codes)


def test_a_level_never_seen_is_minus_one_until_the_coder_is_extended():
    coder = TableCoder().fit(mixed())
    new = mixed().assign(colour=["green", "red", "blue"], size=["xl", None, "m"])
    codes = coder.transform(new)
    assert codes[:, 1].tolist() == [-1, 0, 1]
    np.testing.assert_array_equal(codes[:, 5], [-1, np.nan, 1])
    assert coder.levels_[1] == ["red", "blue"]
    assert coder.extend(new)[:, 1].tolist() == [2, 0, 1]
    assert coder.levels_[1] == ["red", "blue", "green"]
    assert coder.transform(new)[0].tolist()[1::4] == [2, 2]


def test_what_fails_adds_no_level():
    coder = TableCoder().fit([["a", 1.0], ["b", 2.0]])
    for bad in ("soon", np.inf):
        with pytest.raises(ValueError, match=r"'x1', row 1 \(from 0\)"):
            coder.extend(np.array([["c", 1.0], ["d", bad]], dtype=object))
        assert coder.levels_ == [["a", "b"], None]
    assert coder.extend([["d", 1.0]]).tolist() == [[2, 1]]


def test_floats_pass_without_a_copy():
    X = np.random.default_rng(0).normal(size=(5, 3))
    X[1, 2] = np.nan
    coder = TableCoder()
    assert coder.fit_transform(X) is X
    assert coder.transform(X) is X
    fortran = np.asfortranarray(X)
    assert np.shares_memory(coder.transform(fortran), fortran)
    for other in (X.astype(np.float32), (10 * X[[0, 2]]).astype(np.int16)):
        codes = coder.transform(other)
        assert codes.dtype == np.float64
        np.testing.assert_array_equal(codes, other)


def test_a_nested_list_keeps_the_cells_of_categories():
    rows = [[True, 2.5], [1, 3.5], [2**60 + 1, 4.5]]
    coder = TableCoder({0: "categorical"}).fit(rows)
    assert coder.levels_ == [["True", "1", str(2**60 + 1)], None]
    assert coder.transform([[2**60 + 1, 0.5], [True, 0.5]]).tolist() == [[2, 0.5], [0, 0.5]]


def test_an_array_with_a_categorical_column_is_not_written_to():
    X = np.array([[1.0, 7.0], [2.0, 5.0]])
    kept = X.copy()
    assert TableCoder({1: "categorical"}).fit_transform(X).tolist() == [[1, 0], [2, 1]]
    assert X.tobytes() == kept.tobytes()


def test_arrays_of_booleans_and_declared_booleans():
    assert TableCoder().fit_transform(np.array([[True], [False]])).tolist() == [[1], [0]]
    declared = TableCoder(["boolean", "numeric"]).fit([[1, 5], [0, 7]])
    assert declared.transform([[0, 9]]).tolist() == [[0, 9]]
    with pytest.raises(ValueError, match="2 is not true or false"):
        declared.transform(np.array([[2, 7]]))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: TableCoder().fit([[1.0], [np.inf]]), r"'x0', row 1 \(from 0\) is infinite"),
        (lambda: TableCoder().fit([["a", "-inf"], ["b", "1"]]), r"'x1', row 0 .* is infinite"),
        (lambda: TableCoder(["numeric"]).fit([["a"]]), "'a' is not a number"),
        (lambda: TableCoder(["text"]).fit([[1.0]]), "'text' is no kind"),
        (lambda: TableCoder({"b": "date"}).fit([[1.0]]), "a column 'b'"),
        (lambda: TableCoder().fit(pd.DataFrame({"a": []})), r"0 sample\(s\).*by TableCoder"),
        (lambda: TableCoder().fit([["a"]]).transform([["a", "b"]]), "2 features"),
        (lambda: TableCoder().fit(mixed()).transform(mixed().iloc[:, ::-1]), "feature names"),
    ],
)
def test_errors(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_a_cell_that_is_no_scalar_is_refused():
    cells = np.empty((2, 1), dtype=object)
    cells[:, 0] = ["a", {"a": 1}]
    with pytest.raises(TypeError, match="must be a string"):
        TableCoder(["categorical"]).fit(cells)


def test_decoding_gives_words():
    coder = TableCoder().fit(mixed())
    assert coder.decode(coder.transform(mixed())).tolist() == [
        [20.0, "red", True, "2020-01-01", "1 day, 12:00:00", "s"],
        [30.0, "blue", False, None, None, "m"],
        [None, None, True, "2020-01-03", "12:00:00", "s"],
    ]
    unseen = coder.decode([[1.5, -1.0, 0.0, 0.25, np.nan, 1.0]]).tolist()
    assert unseen == [[1.5, "(unseen)", False, "1970-01-01T06:00:00", None, "m"]]


@given(st.lists(rows_of_cells, min_size=1, max_size=12))
def test_what_is_decoded_has_the_same_code(rows):
    X = objects([(*row[:3], *row[4:]) for row in rows])  # text of durations is for people only
    coder = TableCoder(KINDS[:3] + KINDS[4:])
    codes = coder.fit_transform(X)
    words = coder.decode(codes)
    assert words.shape == codes.shape
    np.testing.assert_array_equal(coder.transform(words), codes)


@pytest.mark.parametrize(
    ("codes", "match"),
    [
        ([[1.0]], r"rows of 2 columns, got shape \(1, 1\)"),
        ([1.0, 2.0], r"rows of 2 columns, got shape \(2,\)"),
        ([[1.0, 0.0], [np.inf, 0.0]], "infinite, as in row 1, column 0"),
        ([[1.0, 2.0]], "Column 1, row 0 .* is 2, which is the number of none of its 2 levels"),
        ([[1.0, -2.0]], "is -2"),
        ([[1.0, np.nan], [1.0, 0.5]], r"row 1 .* is 0\.5"),
    ],
)
def test_codes_that_are_none_are_refused(codes, match):
    coder = TableCoder().fit([[1.0, "a"], [2.0, "b"]])
    with pytest.raises(ValueError, match=match):
        coder.decode(codes)


def test_fitting_twice_is_fitting_anew():
    coder = clone(TableCoder()).fit(mixed()).fit([["b"], ["a"]])
    assert coder.kinds_ == ("categorical",)
    assert coder.levels_ == [["b", "a"]]
    assert not hasattr(coder, "feature_names_in_")


@pytest.mark.parametrize("fitted", [False, True])
def test_state_gives_back_every_attribute(fitted):
    coder = TableCoder(kinds={"age": "numeric"}).set_output(transform="pandas")
    if fitted:
        coder.fit(mixed())
    copy = from_state(to_state(coder))
    assert copy.get_params() == coder.get_params()
    assert vars(copy).keys() == vars(coder).keys()
    if fitted:
        pd.testing.assert_frame_equal(copy.transform(mixed()), coder.transform(mixed()))
        for other in (copy, coder):
            other.extend(mixed().assign(colour=["green", "red", "ünï"]))
        assert copy.levels_ == coder.levels_


def test_many_levels_lie_outside_the_header_of_a_file(tmp_path):
    frame = pd.DataFrame({"c": [f"level {k}" for k in range(10_000)]})
    coder = TableCoder(["categorical"]).set_output(transform="pandas").fit(frame)
    assert len(json.dumps(to_state(coder).meta)) < 2_000
    copy = load(save(coder, tmp_path / "coder"))
    assert copy.levels_ == coder.levels_
    assert save(copy, tmp_path / "again").read_bytes() == (tmp_path / "coder").read_bytes()


def test_names_and_output_of_a_frame():
    coder = TableCoder().set_output(transform="pandas")
    out = coder.fit_transform(mixed().set_index(pd.Index(list("xyz"))))
    assert out.columns.tolist() == coder.get_feature_names_out().tolist() == [*mixed().columns]
    assert out.index.tolist() == list("xyz")


def test_works_without_pandas(run_without_extra):
    code = (
        "import numpy as np\n"
        "from deeplimit.tables import TableCoder\n"
        "X = np.array([[1.0, 'a'], [2.0, None]], dtype=object)\n"
        "print(TableCoder().fit_transform(X).tolist())\n"
    )
    assert run_without_extra(code) == "[[1.0, 0.0], [2.0, nan]]\n"


def test_names_of_forgotten_levels_are_forgotten():
    coder = TableCoder().fit([["a", 1.0], ["b", 2.0], ["c", 3.0]])
    codes = coder.transform([["c", 1.0], ["b", 2.0]])
    coder.forget_levels(codes)
    assert coder.levels_ == [[None, "b", "c"], None]
    assert coder.transform([["a", 0.0], ["c", 0.0]])[:, 0].tolist() == [-1.0, 2.0]
    assert coder.decode([[0.0, 1.0], [2.0, 1.0]])[:, 0].tolist() == ["(forgotten)", "c"]
    # Coming again, it is a new level, and no number means two things.
    assert coder.extend([["a", 0.0], ["d", 0.0], ["b", 0.0]])[:, 0].tolist() == [3.0, 4.0, 1.0]
    again = from_state(to_state(coder))
    assert again.levels_ == coder.levels_
    assert again.transform([["a", 0.0], ["d", 0.0]])[:, 0].tolist() == [3.0, 4.0]
