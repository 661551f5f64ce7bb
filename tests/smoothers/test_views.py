from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from deeplimit.smoothers import views
from deeplimit.smoothers.views import fit_view

values = st.lists(st.integers(-4, 4), min_size=3, max_size=30)


def mixed(n=40):
    rng = np.random.default_rng(0)
    return np.column_stack(
        [
            rng.standard_normal(n),
            rng.integers(0, 5, n),  # ties
            rng.integers(0, 2, n) * 7.0 - 3.0,  # two values
            np.full(n, 2.5),  # constant
        ]
    )


@given(values)
def test_ranks_are_normal_scores_of_mean_ranks(column):
    column = np.array(column, dtype=float)
    if np.unique(column).size < 3:
        return
    found = fit_view(column[:, None], np.ones(column.size), "ranks").features(column[:, None])
    expected = norm.ppf((rankdata(column) - 0.5) / column.size)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-12, atol=1e-14)


def test_ranks_do_not_see_a_monotone_change():
    X = mixed()
    Y = np.column_stack([np.exp(3.0 * X[:, 0]), X[:, 1] ** 3, X[:, 2:]])
    w = np.random.default_rng(1).uniform(0.5, 2.0, len(X))
    a, b = (fit_view(rows, w, "ranks").features(rows) for rows in (X, Y))
    assert np.array_equal(a[:, :2], b[:, :2])


@pytest.mark.parametrize("factor", [1e-100, 1e-3, 1e3, 1e150])
def test_units_do_not_matter(factor):
    X = mixed()
    X[:, 3] = X[:, 0] + X[:, 1]
    for kind in ("scores", "ranks"):
        a = fit_view(X, np.ones(40), kind).features(X)
        b = fit_view(X * factor, np.ones(40), kind).features(X * factor)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["scores", "ranks"])
def test_weights_count_like_repeated_rows(kind):
    X = mixed()
    times = np.random.default_rng(2).integers(1, 4, len(X))
    a = fit_view(X, times.astype(float), kind).features(X)
    b = fit_view(np.repeat(X, times, axis=0), np.ones(times.sum()), kind).features(X)
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_scores_have_mean_0_and_variance_1():
    X = mixed()
    w = np.random.default_rng(3).uniform(0.5, 2.0, len(X))
    Z = fit_view(X, w, "scores").features(X)[:, :2]
    np.testing.assert_allclose(w @ Z, 0.0, atol=1e-12)
    np.testing.assert_allclose(w @ Z**2 / w.sum(), 1.0, rtol=1e-12)


@pytest.mark.parametrize("kind", ["scores", "ranks"])
def test_two_values_are_apart_as_two_categories_are_and_one_is_nothing(kind):
    X = mixed()
    for rare in (1, 20):
        X[:, 2] = -3.0
        X[:rare, 2] = 4.0
        Z = fit_view(X, np.ones(len(X)), kind).features(X)
        assert Z[0, 2] - Z[-1, 2] == pytest.approx(np.sqrt(0.5), rel=1e-14)
        assert not Z[:, 3].any()


@pytest.mark.parametrize("kind", ["scores", "ranks"])
def test_later_rows_do_not_move_a_constant_column(kind):
    view = fit_view(mixed(), np.ones(40), kind)
    assert not view.features(np.full((3, 4), 1e12))[:, 3].any()


def test_ranks_end_where_the_values_end_and_are_straight_between():
    X = np.array([[0.0], [1.0], [3.0], [4.0]])
    view = fit_view(X, np.ones(4), "ranks")
    low, high = view.features(X)[[0, -1], 0]
    found = view.features(np.array([[-1e300], [1e300], [2.0], [2.5]]))[:, 0]
    inner = view.features(X)[1:3, 0]
    expected = [low, high, inner.mean(), inner @ [0.25, 0.75]]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_rounding_is_no_spread():
    X = 1e6 + np.array([[0.0], [1e-9], [2e-9]])
    for kind in ("scores", "ranks"):
        assert not fit_view(X, np.ones(3), kind).features(X).any()


def test_a_view_leaves_its_rows_alone():
    X = mixed()
    before = X.copy()
    fit_view(X, np.ones(40), "ranks").features(X)
    assert np.array_equal(X, before)


def test_units_keep_what_the_columns_are_in():
    rng = np.random.default_rng(3)
    raw = rng.standard_normal((40, 3)) * [1.0, 5.0, 0.0] + [0.0, 2.0, 7.0]
    weight, units = rng.uniform(0.5, 2.0, 40), np.array([1.0, 5.0, 1.0])
    X = raw / units
    Z = fit_view(X, weight, "units", units).features(X)
    mean = np.average(raw, axis=0, weights=weight)
    whole = np.sqrt(np.mean(np.average((raw - mean) ** 2, axis=0, weights=weight)))
    np.testing.assert_allclose(Z[:, :2], ((raw - mean) / whole)[:, :2], rtol=1e-12)
    assert np.all(Z[:, 2] == 0.0)
    assert np.all(fit_view(np.ones((4, 2)), np.ones(4), "units").features(np.ones((1, 2))) == 0.0)


def test_compiled_lines_are_those_of_numpy(monkeypatch):
    rng = np.random.default_rng(4)
    X = rng.integers(0, 9, (60, 4)) / 4.0
    view = fit_view(X, rng.uniform(0.5, 2.0, 60), "ranks")
    Q = np.concatenate([X, rng.uniform(-2.0, 5.0, (300, 4)), [[-1e300, 1e300, np.inf, -np.inf]]])
    by_numpy = view.features(Q)
    monkeypatch.setattr(views, "_COMPILED_FROM", 0)
    np.testing.assert_allclose(view.features(Q), by_numpy, rtol=1e-13, atol=1e-13)
    # At a knot it is the knot's value, to the last bit.
    for f, knots, values in zip(view.bent, view.knots, view.values, strict=True):
        at = np.zeros((len(knots), 4))
        at[:, view.source[f]] = knots
        assert np.array_equal(view.features(at)[:, f], values)
