from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from deeplimit.persist import from_state, to_state
from deeplimit.tables import TableEncoder

HALF = np.sqrt(0.5)


ENCODERS = [
    TableEncoder(),
    TableEncoder(max_categories=2),
    TableEncoder(kinds={0: "categorical"}),
]
# The array API check is for estimators that compute on other arrays than NumPy's.
CHECKS = [
    pytest.param(encoder, check, id=f"{encoder}-{check.func.__name__}")
    for encoder in ENCODERS
    for _, check in estimator_checks_generator(encoder)
    if check.func.__name__ != "check_array_api_input"
]


@pytest.mark.parametrize(("encoder", "check"), CHECKS)
def test_scikit_learn_checks(encoder, check):
    check(encoder)


def mixed() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [20.0, 30.0, np.nan, 50.0],
            "colour": ["red", "blue", "red", None],
            "member": [True, False, True, True],
            "since": pd.to_datetime(["2020-01-01", "2020-01-03", "2020-01-01", "2020-01-03"]),
            "country": ["fr"] * 4,
            "waited": pd.to_timedelta([1, 2, 3, None], unit="D"),
        }
    )


def test_every_kind_of_column():
    encoder = TableEncoder().fit(mixed())
    assert encoder.kinds_ == (
        "numeric",
        "categorical",
        "boolean",
        "date",
        "categorical",
        "duration",
    )
    assert encoder.kept_.tolist() == [True, True, True, True, False, True]
    names = encoder.get_feature_names_out().tolist()
    assert names == [
        "age",
        "age=(missing)",
        "colour=blue",
        "colour=red",
        "colour=(missing)",
        "member",
        "since",
        "waited",
        "waited=(missing)",
    ]
    Z = pd.DataFrame(encoder.transform(mixed()), columns=names)
    age = np.array([20.0, 30.0, 30.0, 50.0])  # the median of those given
    mean, std = 100 / 3, np.std([20.0, 30.0, 50.0])
    np.testing.assert_allclose(Z["age"], (age - mean) / std, rtol=1e-14)
    assert Z["age=(missing)"].tolist() == [0, 0, 1, 0]
    assert Z["colour=red"].tolist() == [HALF, 0, HALF, 0]
    assert Z["colour=(missing)"].tolist() == [0, 0, 0, HALF]
    assert Z["member"].tolist() == [1, 0, 1, 1]
    np.testing.assert_allclose(Z["since"], [-1, 1, -1, 1])
    np.testing.assert_allclose(Z["waited"], np.array([-1, 0, 1, 0]) / np.std([1, 2, 3]), atol=1e-15)


def test_two_categories_are_at_unit_distance():
    X = np.array([["a"], ["b"], ["c"], [None]], dtype=object)
    Z = TableEncoder().fit_transform(X)
    distances = np.linalg.norm(Z[:, None] - Z[None], axis=2)
    np.testing.assert_allclose(distances, 1 - np.eye(4), atol=1e-15)


@pytest.mark.parametrize("cells", [["a", "a", None], [None, "a", None]])
def test_one_category_and_a_missing_one_are_at_unit_distance(cells):
    Z = TableEncoder().fit_transform(np.array([cells], dtype=object).T)
    assert np.unique(np.round(np.linalg.norm(Z - Z[0], axis=1), 15)).tolist() == [0, 1]


def test_an_unknown_category_is_zero_in_all():
    encoder = TableEncoder().fit([["a"], ["b"]])
    Z = encoder.transform(np.array([["c"], ["a"], [None]], dtype=object))
    assert Z.tolist() == [[0, 0], [HALF, 0], [0, 0]]


def test_rare_categories_share_a_column():
    cells = ["a"] * 5 + ["b"] * 4 + ["c"] * 2 + ["e"] * 2 + ["d"] * 2
    encoder = TableEncoder(max_categories=4).fit(np.array([cells]).T)
    # c, d and e are equally rare: the alphabet decides.
    assert encoder.get_feature_names_out().tolist() == ["x0=a", "x0=b", "x0=c", "x0=(other)"]
    assert encoder.rare_[0].tolist() == ["d", "e"]
    Z = encoder.transform(np.array([["d"], ["e"], ["c"], ["z"]]))
    assert Z.tolist() == [[0, 0, 0, HALF], [0, 0, 0, HALF], [0, 0, HALF, 0], [0, 0, 0, 0]]


def test_as_many_categories_as_allowed_keep_their_columns():
    X = np.array([list("abc")]).T
    encoder = TableEncoder(max_categories=3).fit(X)
    assert encoder.get_feature_names_out().tolist() == ["x0=a", "x0=b", "x0=c"]
    with_gap = np.array([["a", "b", "c", None]], dtype=object).T
    names = TableEncoder(max_categories=3).fit(with_gap).get_feature_names_out().tolist()
    assert names == ["x0=a", "x0=b", "x0=c", "x0=(missing)"]


def test_a_missing_cell_where_fit_saw_none_takes_the_median():
    encoder = TableEncoder().fit([[1.0, 0.0], [2.0, 1.0], [9.0, 5.0]])
    assert (
        encoder.transform([[np.nan, np.nan]]).tolist() == encoder.transform([[2.0, 1.0]]).tolist()
    )


def test_dropped_columns_may_hold_anything_later():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [7.0, 7.0], "c": [None, None]})
    encoder = TableEncoder().fit(frame)
    later = pd.DataFrame({"a": [1.5], "b": ["what"], "c": [np.inf]})
    assert encoder.transform(later).tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        ([5.0, 5.0, 5.0], False),
        ([0.1 + 0.2, 0.3, 0.3], False),
        ([1e16, 1e16 + 2, 1e16], False),
        ([0.3, 0.3 * (1 + 1e-13), 0.3], True),
        ([0.0, 5e-324, 0.0], True),
        ([0.0, -0.0, 0.0], False),
        ([1e300, -1e300, 1e300], True),
    ],
)
def test_constant_means_equal_to_rounding(cells, kept):
    X = np.column_stack([cells, [1.0, 2.0, 3.0]])
    assert TableEncoder().fit(X).kept_.tolist() == [kept, True]


@pytest.mark.parametrize("scale", [1e300, 1.7e308, 1e-300, 5e-324])
def test_magnitudes_at_the_ends_of_float64(scale):
    x = np.array([-1.0, 0.0, 0.0, 1.0])
    Z = TableEncoder().fit_transform(x[:, None] * scale)
    np.testing.assert_allclose(Z[:, 0], x / np.std(x), rtol=1e-14)


@given(
    st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 3)), min_size=3, max_size=30),
    st.integers(-40, 40),
)
def test_the_unit_of_a_column_does_not_matter(values, power):
    X = np.array(values)[:, None]
    if np.unique(X).size == 1:
        X[0] += 1.0
    a = TableEncoder().fit(X).transform(X)
    b = TableEncoder().fit(X * 2.0**power).transform(X * 2.0**power)
    assert a.tobytes() == b.tobytes()
    # The mean is right to the last place of the largest value.
    assert abs(a.mean()) <= 4 * np.finfo(float).eps * np.abs(X).max() / X.std()
    np.testing.assert_allclose(a.std(), 1.0, rtol=1e-12)


def test_numeric_strings_are_numbers_and_stay_so():
    X = np.array([["1"], ["3"], [None]], dtype=object)
    encoder = TableEncoder().fit(X)
    np.testing.assert_array_equal(encoder.transform([[1.0], [3.0]]), [[-1, 0], [1, 0]])
    with pytest.raises(ValueError, match=r"'x0', row 1 \(from 0\): 'abc' is not a number"):
        encoder.transform(np.array([["1"], ["abc"]], dtype=object))


def test_text_and_dates_of_a_file_meet_those_of_a_frame():
    text = pd.DataFrame({"when": ["2020-01-01", "2020-01-03"], "ok": ["true", "false"]})
    typed = pd.DataFrame({"when": pd.to_datetime(text["when"]), "ok": [True, False]})
    arrow = pd.DataFrame({"when": [dt.date(2020, 1, 1), dt.date(2020, 1, 3)], "ok": [1, 0]})
    encoder = TableEncoder().fit(text)
    assert encoder.kinds_ == ("date", "boolean")
    for other in (typed, arrow):
        np.testing.assert_array_equal(encoder.transform(other), encoder.transform(text))


def test_an_integer_category_survives_a_missing_value_elsewhere():
    whole = pd.DataFrame({"zip": [1, 2, 3]})
    encoder = TableEncoder(kinds={"zip": "categorical"}).fit(whole)
    gap = pd.DataFrame({"zip": [3.0, np.nan]})
    assert encoder.transform(gap).tolist() == [[0, 0, HALF], [0, 0, 0]]


def test_frames_arrays_and_lists_give_the_same():
    rows = [[1.0, "red"], [2.0, "blue"], [4.0, None]]
    X = np.array(rows, dtype=object)
    frame = pd.DataFrame(rows, columns=["a", "b"])
    expected = TableEncoder().fit_transform(X)
    assert expected.dtype == np.float64
    np.testing.assert_array_equal(TableEncoder().fit_transform(rows), expected)
    np.testing.assert_array_equal(TableEncoder().fit_transform(frame), expected)
    np.testing.assert_array_equal(TableEncoder().fit_transform(frame.convert_dtypes()), expected)


def test_a_list_with_text_keeps_its_nans():
    Z = TableEncoder().fit_transform([["a", 1.0], [np.nan, 2.0], ["b", np.nan]])
    assert Z.shape == (3, 5)


def test_blocks_of_columns_do_not_change_the_result(monkeypatch):
    X = np.random.default_rng(0).normal(size=(20, 9))
    X[3, 4] = np.nan
    whole = TableEncoder().fit(X)
    monkeypatch.setattr("deeplimit.tables.encoding._BLOCK", 40)
    parts = TableEncoder().fit(X)
    for name in ("centre_", "scale_", "fill_", "exponent_", "kept_", "indicator_"):
        assert getattr(parts, name).tobytes() == getattr(whole, name).tobytes()
    assert parts.transform(X).tobytes() == whole.transform(X).tobytes()


def test_a_hundred_thousand_columns():
    X = np.random.default_rng(0).normal(size=(4, 100_000))
    X[:, ::2] = 1.0
    assert TableEncoder().fit_transform(X).shape == (4, 50_000)


def test_statistics_are_of_the_observed_cells():
    encoder = TableEncoder().fit([[0.0], [2.0], [np.nan], [np.nan]])
    Z = encoder.transform([[0.0], [2.0]])
    assert Z.tolist() == [[-1, 0], [1, 0]]


def test_boolean_arrays_and_declared_booleans():
    X = np.array([[True, True], [False, True]])
    assert TableEncoder().fit_transform(X).tolist() == [[1], [0]]
    declared = TableEncoder(kinds=["boolean", "numeric"]).fit([[1, 5], [0, 7], [0, 9]])
    assert declared.transform([[1, 7], [0, 7]]).tolist() == [[1, 0], [0, 0]]
    with pytest.raises(ValueError, match="2 is not true or false"):
        declared.transform([[2, 7]])


def test_numbers_declared_as_dates_are_refused():
    with pytest.raises(ValueError, match="is not a date"):
        TableEncoder(kinds=["date"]).fit([[1.0], [2.0]])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: TableEncoder().fit([[1.0], [np.inf]]), r"'x0', row 1 \(from 0\) is infinite"),
        (lambda: TableEncoder().fit([[1.0], [1.0]]), "constant in the table given, n_samples=2"),
        (lambda: TableEncoder().fit([[None], [None]]), "constant"),
        (lambda: TableEncoder().fit(pd.DataFrame({"a": []})), r"0 sample\(s\)"),
        (lambda: TableEncoder().fit(pd.DataFrame(index=[1])), r"0 feature\(s\)"),
        (lambda: TableEncoder().fit(pd.Series([1.0, 2.0])), "2D array|2-dimensional"),
        (lambda: TableEncoder(max_categories=1).fit([[1.0], [2.0]]), "at least 2, got 1"),
        (lambda: TableEncoder(max_categories=True).fit([[1.0], [2.0]]), "got True"),
        (lambda: TableEncoder(kinds=["text"]).fit([[1.0], [2.0]]), "'text' is no kind"),
        (lambda: TableEncoder(kinds="numeric").fit([[1.0], [2.0]]), "one entry for each of the 1"),
        (lambda: TableEncoder(kinds={"b": "date"}).fit([[1.0], [2.0]]), "a column 'b'"),
        (lambda: TableEncoder(kinds={1: "date"}).fit([[1.0], [2.0]]), "a column 1, the table has"),
        (lambda: TableEncoder(kinds={1.5: "date"}).fit([[1.0], [2.0]]), r"a column 1\.5"),
        (
            lambda: TableEncoder().fit([[1e-300], [2e-300]]).transform([[1e300]]),
            "1e.300 is too far",
        ),
        (lambda: TableEncoder().fit([[1], [2]]).transform([["inf"]]), "is infinite"),
        (
            lambda: TableEncoder().fit([[1], [2]]).get_feature_names_out(["a", "b"]),
            "input_features should have length",
        ),
    ],
)
def test_errors(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_columns_must_be_those_of_fit():
    encoder = TableEncoder().fit(mixed())
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(mixed().rename(columns={"age": "years"}))
    with pytest.raises(ValueError, match="input_features is not equal"):
        encoder.get_feature_names_out(list("abcdef"))


def test_sparse_matrices_are_refused():
    from scipy.sparse import csr_array

    with pytest.raises(TypeError, match=r"[Ss]parse"):
        TableEncoder().fit(csr_array(np.eye(3)))


def test_set_output_gives_named_columns():
    frame = mixed().set_index(pd.Index(list("wxyz")))
    out = TableEncoder().set_output(transform="pandas").fit_transform(frame)
    assert out.columns[0] == "age"
    assert out.index.tolist() == list("wxyz")


@pytest.mark.parametrize("fitted", [False, True])
def test_state_gives_back_every_attribute(fitted):
    encoder = TableEncoder(kinds={"age": "numeric"}, max_categories=3)
    if fitted:
        encoder.fit(mixed())
    copy = from_state(to_state(encoder))
    assert copy.get_params() == encoder.get_params()
    assert vars(copy).keys() == vars(encoder).keys()
    if fitted:
        assert copy.transform(mixed()).tobytes() == encoder.transform(mixed()).tobytes()
        assert copy.get_feature_names_out().tolist() == encoder.get_feature_names_out().tolist()


def test_fitting_twice_is_fitting_anew():
    encoder = clone(TableEncoder()).fit(mixed()).fit([[1.0], [2.0]])
    assert encoder.kinds_ == ("numeric",)
    assert not hasattr(encoder, "feature_names_in_")


def test_works_without_pandas(run_without_extra):
    code = (
        "import numpy as np\n"
        "from deeplimit.tables import TableEncoder\n"
        "X = np.array([[1.0, 'a'], [2.0, None]], dtype=object)\n"
        "print(TableEncoder().fit_transform(X).shape)\n"
    )
    assert run_without_extra(code) == "(2, 3)\n"
