from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.tables.summaries import rank_levels, summarise, weighted_rows

cells = st.one_of(st.integers(-50, 50).map(lambda v: v / 8), st.just(np.nan))
counts = st.integers(0, 4)


def tables(width: int = 2) -> st.SearchStrategy[list[tuple[float, ...]]]:
    return st.lists(st.tuples(*[cells] * width, counts), min_size=1, max_size=15)


@given(tables())
def test_a_weight_counts_like_equal_rows(rows):
    X, n = np.array([row[:2] for row in rows]), np.array([row[2] for row in rows])
    if not n.any():
        n[0] = 1
    found = summarise(*weighted_rows(X, n))
    expected = summarise(np.repeat(X, n, axis=0), None)
    for name in ("kept", "indicator", "exponent", "median"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in ("centre", "scale"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-13, atol=1e-15
        )


@given(tables(), st.sampled_from([0.1, 1 / 3, 3.0, 1e300, 1e-300]))
def test_the_unit_of_the_weights_does_not_matter(rows, unit):
    X, n = np.array([row[:2] for row in rows]), np.array([row[2] for row in rows])
    if not n.any():
        n[0] = 1
    a, b = (summarise(*weighted_rows(X, w)) for w in (n, n * unit))
    for name in ("kept", "indicator", "exponent", "median"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    for name in ("centre", "scale"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("values", "weights", "median"),
    [
        ([1, 2, 9], [1, 1, 1], 2),
        ([1, 2, 9], [1, 1, 2], 5.5),
        ([1, 2, 9], [1, 1, 3], 9),
        ([9, 1, 2], [0.3, 0.1, 0.2], 5.5),
        ([1, 2, 9], [0.3, 0.1, 0.2], 1.5),
        ([1, 2, 9], [0, 1, 1], 5.5),
        ([np.nan, 2, 9], [100, 1, 2], 9),
    ],
)
def test_weighted_medians(values, weights, median):
    X = np.array([values], dtype=float).T
    found = summarise(*weighted_rows(X, np.array(weights, dtype=float)))
    assert np.ldexp(found.median, found.exponent).tolist() == [median]


def test_equal_weights_are_none():
    X = np.arange(6.0).reshape(3, 2)
    rows, weight = weighted_rows(X, [0.3, 0.3, 0.3])
    assert rows is X
    assert weight is None
    rows, weight = weighted_rows(X, [2.0, 0.0, 2.0])
    assert rows.tolist() == X[[0, 2]].tolist()
    assert weight is None
    assert weighted_rows(X, None) == (X, None)


@pytest.mark.parametrize("weights", [[1e308, 1e308, 3e307], [1.0, 1e-200, 1e-320]])
def test_weights_at_the_ends_of_float64(weights):
    X = np.array([[0.0, 5.0], [1.0, np.nan], [2.0, 5.0]])
    found = summarise(*weighted_rows(X, weights))
    assert found.kept.tolist() == [True, False]
    assert np.isfinite([found.centre, found.scale, found.median]).all()
    assert (found.scale > 0.0).all()


def test_a_spread_whose_square_is_no_float_counts_as_none():
    X = np.array([[1.0], [1.0 + 1e-12]])
    assert summarise(X, np.array([0.5, 1e-310])).kept.tolist() == [False]


@pytest.mark.parametrize(
    ("weight", "match"),
    [
        ([1.0, 2.0], r"each of the 3 rows, got shape \(2,\)"),
        ([[1.0], [1.0], [1.0]], r"got shape \(3, 1\)"),
        ([1.0, -1.0, 1.0], "not negative"),
        ([1.0, np.nan, 1.0], "finite"),
        ([1.0, np.inf, 1.0], "finite"),
        ([0.0, 0.0, 0.0], "not 0 for every row"),
    ],
)
def test_weights_that_are_none_are_refused(weight, match):
    with pytest.raises(ValueError, match=match):
        weighted_rows(np.zeros((3, 1)), weight)


LEVELS = ["d", "b", "a", "c", "gone"]


@pytest.mark.parametrize(
    ("counts", "most", "categories", "rare", "places"),
    [
        ([1, 1, 1, 1, 0], 4, ["a", "b", "c", "d"], [], [3, 1, 0, 2, -1]),
        ([1, 1, 1, 1, 0], 3, ["a", "b"], ["c", "d"], [2, 1, 0, 2, -1]),
        ([5, 1, 1, 2, 0], 3, ["c", "d"], ["a", "b"], [1, 2, 2, 0, -1]),
        ([0, 0, 3, 0, 0], 2, ["a"], [], [-1, -1, 0, -1, -1]),
    ],
)
def test_levels_by_rarity(counts, most, categories, rare, places):
    codes = np.repeat(np.arange(5.0), counts)
    for found in (
        rank_levels(codes, LEVELS, None, most),
        rank_levels(np.arange(5.0), LEVELS, np.array(counts) / 8, most),
    ):
        assert found.categories.tolist() == categories
        assert found.rare.tolist() == rare
        assert found.places.tolist() == places


@pytest.mark.parametrize(
    ("codes", "kept", "indicator"),
    [
        ([0, 1], True, False),
        ([0, 0], False, False),
        ([0, np.nan], True, True),
        ([np.nan, np.nan], False, False),
        ([0, -1], True, False),
        ([-1, -1], False, False),
        ([-1, np.nan], False, True),
    ],
)
def test_which_columns_of_levels_are_kept(codes, kept, indicator):
    found = rank_levels(np.array(codes, dtype=float), ["a", "b"], None, 3)
    assert (found.kept, found.indicator) == (kept, indicator)
