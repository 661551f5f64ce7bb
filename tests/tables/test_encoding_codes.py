"""The encoder above coded rows: the same as above the raw table, whatever has become of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from deeplimit.persist import from_state, to_state
from deeplimit.tables import TableCoder, TableEncoder

HALF = np.sqrt(0.5)
LEARNT = ("kept_", "indicator_", "centre_", "scale_", "exponent_", "fill_", "origin_", "numeric_")

values = st.tuples(
    st.none() | st.integers(-9, 9).map(float),
    st.none() | st.sampled_from(list("abcdef")),
    st.none() | st.booleans(),
    st.none() | st.dates(pd.Timestamp("2000-01-01").date(), pd.Timestamp("2030-01-01").date()),
    st.integers(0, 4),
)


def table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["size", "colour", "new", "day", "weight"])
    return frame.drop(columns="weight").astype(
        {"size": float, "colour": "category", "new": "boolean", "day": "datetime64[s]"}
    )


def same(a: TableEncoder, b: TableEncoder, rtol: float = 0.0) -> None:
    """Assert that two encoders have learnt the same."""
    for name in LEARNT:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=rtol, atol=10 * rtol)
    for ours, theirs in zip(a.categories_ + a.rare_, b.categories_ + b.rare_, strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or ours.tolist() == theirs.tolist()


@given(st.lists(values, min_size=1, max_size=15))
def test_fitting_codes_is_fitting_the_table(rows):
    X = table(rows)
    coder = TableCoder()
    codes = coder.fit_transform(X)
    encoder = TableEncoder(max_categories=3).fit_codes(codes, coder, constant="keep-none")
    points = encoder.transform_codes(codes)
    assert points.shape == (len(rows), len(encoder.get_feature_names_out()))
    if not points.shape[1]:
        with pytest.raises(ValueError, match="Every column is constant"):
            TableEncoder().fit(X)
        return
    direct = TableEncoder(max_categories=3).fit(X)
    same(encoder, direct)
    assert encoder.get_feature_names_out().tolist() == direct.get_feature_names_out().tolist()
    assert points.tobytes() == direct.transform(X).tobytes() == encoder.transform(X).tobytes()


@given(st.lists(values, min_size=1, max_size=15))
def test_weights_are_like_repeated_rows(rows):
    n = np.array([row[-1] for row in rows])
    n[0] = max(n[0], 1)
    coder = TableCoder()
    codes = coder.fit_transform(table(rows))
    weighted, repeated = TableEncoder(max_categories=3), TableEncoder(max_categories=3)
    weighted.fit_codes(codes, coder, weight=n, constant="keep-none")
    repeated.fit_codes(np.repeat(codes, n, axis=0), coder, constant="keep-none")
    same(weighted, repeated, rtol=1e-13)


@given(st.lists(values, min_size=2, max_size=15), st.data())
def test_what_is_forgotten_leaves_nothing_behind(rows, data):
    kept = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, unique=True))
    X = table(rows)
    coder = TableCoder()
    codes = coder.fit_transform(X)
    rest = TableEncoder(max_categories=3).fit_codes(codes[kept], coder, constant="keep-none")
    fresh = TableCoder()
    anew = TableEncoder(max_categories=3).fit_codes(
        fresh.fit_transform(X.iloc[kept]), fresh, constant="keep-none"
    )
    same(rest, anew)
    # Levels that are gone are like levels never seen.
    assert rest.transform_codes(codes).tobytes() == anew.transform(X).tobytes()


def test_levels_unseen_gone_or_given_later_are_zero():
    coder = TableCoder()
    codes = coder.fit_transform([["a"], ["b"], ["c"]])
    encoder = TableEncoder().fit_codes(codes[:2], coder)
    later = coder.extend([["d"], ["a"]])
    points = encoder.transform_codes(np.vstack([codes, later, [[-1.0], [np.nan]]]))
    assert points.tolist() == [[HALF, 0], [0, HALF], [0, 0], [0, 0], [HALF, 0], [0, 0], [0, 0]]
    assert encoder.transform([["d"], ["b"]]).tolist() == [[0, 0], [0, HALF]]


def test_a_level_given_later_is_no_missing_cell():
    coder = TableCoder()
    encoder = TableEncoder().fit_codes(coder.fit_transform([["a"], [None]]), coder)
    assert encoder.transform_codes(coder.extend([["b"], ["c"]])).tolist() == [[0, 0], [0, 0]]


def test_a_missing_boolean_takes_the_median():
    X = pd.DataFrame({"flag": pd.array([True, True, False, None], dtype="boolean")})
    assert TableEncoder().fit_transform(X).tolist() == [[1, 0], [1, 0], [0, 0], [1, 1]]


def test_a_dropped_column_of_an_array_may_be_infinite_later():
    encoder = TableEncoder().fit([[1.0, 5.0], [3.0, 5.0]])
    assert encoder.transform(np.array([[2.0, np.inf]])).tolist() == [[0.0]]
    with pytest.raises(ValueError, match=r"'x0', row 0 .* is infinite"):
        encoder.transform(np.array([[-np.inf, np.inf]]))


def test_code_minus_one_is_a_level_without_a_column():
    coder = TableCoder().fit([["a", 1.0], ["b", 2.0]])
    encoder = TableEncoder().fit_codes([[0, 1], [-1, 2], [np.nan, 3]], coder)
    assert encoder.get_feature_names_out().tolist() == ["x0=a", "x0=(missing)", "x1"]
    points = encoder.transform_codes([[0, 2], [-1, 2], [np.nan, 2]])
    assert points.tolist() == [[HALF, 0, 0], [0, 0, 0], [0, HALF, 0]]
    nothing = TableEncoder().fit_codes([[-1, 1], [-1, 2]], coder)
    assert nothing.get_feature_names_out().tolist() == ["x1"]
    gap = TableEncoder().fit_codes([[-1, 1], [np.nan, 1]], coder)
    assert gap.get_feature_names_out().tolist() == ["x0=(missing)"]
    assert gap.transform_codes([[-1, 1], [np.nan, 1], [0, 1]]).tolist() == [[0], [HALF], [0]]


def test_every_column_of_the_output_knows_where_it_comes_from():
    X = pd.DataFrame(
        {
            "constant": [1.0, 1.0, 1.0],
            "number": [1.0, np.nan, 2.0],
            "gap": [5.0, np.nan, 5.0],
            "level": ["a", "b", None],
            "flag": [True, False, True],
            "day": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
            "wait": pd.to_timedelta([1, 2, 3], unit="h"),
        }
    )
    encoder = TableEncoder().fit(X)
    names = encoder.get_feature_names_out().tolist()
    assert dict(zip(names, encoder.origin_.tolist(), strict=True)) == {
        "number": 1, "number=(missing)": 1, "gap=(missing)": 2, "level=a": 3, "level=b": 3,
        "level=(missing)": 3, "flag": 4, "day": 5, "day=(missing)": 5, "wait": 6,
    }  # fmt: skip
    chosen = [name for name, number in zip(names, encoder.numeric_, strict=True) if number]
    assert chosen == ["number", "day", "wait"]
    assert [part.dtype.kind for part in (encoder.origin_, encoder.numeric_)] == ["i", "b"]


def test_no_column_at_all_on_demand():
    coder = TableCoder()
    codes = coder.fit_transform([[1.0, "a"], [1.0, "a"]])
    encoder = TableEncoder().fit_codes(codes, coder, constant="keep-none")
    assert encoder.get_feature_names_out().tolist() == []
    assert encoder.transform_codes(codes).shape == encoder.transform([[3, "b"]] * 2).shape == (2, 0)
    with pytest.raises(ValueError, match="Every column is constant in the table given, n_samp"):
        encoder.fit_codes(codes, coder)


def test_the_coder_says_kinds_and_names():
    X = pd.DataFrame({"zip": [1, 2, 3]})
    coder = TableCoder(["categorical"])
    codes = coder.fit_transform(X)
    encoder = TableEncoder(kinds=["numeric", "numeric"]).fit([[1.0, 2.0], [3.0, 4.0]])
    encoder.fit_codes(codes, coder)
    assert encoder.get_feature_names_out().tolist() == ["zip=1", "zip=2", "zip=3"]
    assert encoder.coder_ is coder
    assert encoder.transform(X).tolist() == (np.eye(3) * HALF).tolist()
    bare = TableCoder().fit([[1.0], [2.0]])
    assert not hasattr(encoder.fit_codes([[1.0], [2.0]], bare), "feature_names_in_")


def test_state_holds_what_codes_need():
    coder = TableCoder()
    codes = coder.fit_transform([[1.0, "a"], [None, "b"], [3.0, None]])
    encoder = TableEncoder().fit_codes(codes, coder, weight=[1, 2, 3])
    copy = from_state(to_state(encoder))
    assert copy.transform_codes(codes).tobytes() == encoder.transform_codes(codes).tobytes()
    assert copy.coder_.levels_ == coder.levels_


@pytest.mark.parametrize(
    ("codes", "options", "match"),
    [
        ([[1.0]], {}, r"rows of 2 columns, got shape \(1, 1\)"),
        (np.empty((0, 2)), {}, "at least one row"),
        ([[1.0, 2.0]], {}, "is 2, which is the number of none of its 2 levels"),
        ([[np.inf, 0.0]], {}, "must not be infinite"),
        ([[1.0, 0.0], [2.0, 1.0]], {"weight": [1.0]}, "each of the 2 rows"),
        ([[1.0, 0.0], [2.0, 1.0]], {"constant": "drop"}, "got 'drop'"),
    ],
)
def test_errors_of_fitting(codes, options, match):
    coder = TableCoder().fit([[1.0, "a"], [2.0, "b"]])
    with pytest.raises(ValueError, match=match):
        TableEncoder().fit_codes(codes, coder, **options)


def test_errors_of_transforming():
    encoder = TableEncoder().fit([[1e-300, "a"], [2e-300, "b"]])
    with pytest.raises(ValueError, match=r"'x0', row 1 \(from 0\): 1e\+300 is too far"):
        encoder.transform_codes([[1e-300, 0.0], [1e300, 0.0]])
    with pytest.raises(ValueError, match=r"is 0\.5"):
        encoder.transform_codes([[1e-300, 0.5]])
    with pytest.raises(NotFittedError):
        TableEncoder().fit_codes([[1.0]], TableCoder())
    with pytest.raises(NotFittedError):
        TableEncoder().transform_codes([[1.0]])
