"""Attributions: bars that add up to what was decided."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_wine, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

import deeplimit as dl
from deeplimit.plotting import AttributionDisplay

X, Y = make_moons(80, noise=0.25, random_state=1)
ROW = np.array([0.6, 0.3])


@pytest.fixture(scope="module")
def moons() -> dl.HilbertClassifier:
    return dl.HilbertClassifier(exponent=2.0).fit(X, Y)


def test_bars_are_the_shares_of_the_smoother(moons: dl.HilbertClassifier) -> None:
    display = AttributionDisplay.from_estimator(moons, ROW, top=6)
    weight = np.sum((X - ROW) ** 2, axis=1) ** -1.0
    share = weight / weight.sum()
    named = {s.name: s for s in display.shares if not s.rest}
    assert set(named) == {f"example {i}" for i in np.argsort(-share)[:6]}
    for name, found in named.items():
        i = int(name.removeprefix("example "))
        assert found.value == pytest.approx(share[i], rel=1e-12)
        assert found.group == str(Y[i])
    for c in (0, 1):
        own = np.equal(Y, c)
        assert display.totals[str(c)] == pytest.approx(share[own].sum(), rel=1e-12)
        rest = [s.value for s in display.shares if s.rest and s.group == str(c)]
        out = [i for i in np.flatnonzero(own) if f"example {i}" not in named]
        assert sum(rest) == pytest.approx(share[out].sum(), rel=1e-12)


def test_bars_begin_where_the_one_before_ends(
    moons: dl.HilbertClassifier,
    overlaps: Callable[[Figure], list[tuple[str, str]]],
    outside: Callable[[Figure], list[str]],
) -> None:
    display = AttributionDisplay.from_estimator(moons, [ROW]).plot()
    bars = display.ax_.patches
    assert len(bars) == len(display.shares)
    end: dict[str, float] = {}
    for bar, share in zip(bars, display.shares, strict=True):
        assert bar.get_x() == pytest.approx(end.get(share.group, 0.0), abs=1e-12)
        assert bar.get_width() == pytest.approx(share.value, rel=1e-12)
        end[share.group] = bar.get_x() + bar.get_width()
    for group, total in display.totals.items():
        assert end[group] == pytest.approx(total, abs=1e-12)
    words = [text.get_text() for text in display.ax_.texts]
    assert words == [f"class {g}: {total:.3f}" for g, total in display.totals.items()]
    assert overlaps(display.figure_) == []
    assert outside(display.figure_) == []


def test_a_pool_adds_up_too() -> None:
    rows, y = load_wine(return_X_y=True)
    clf = dl.DeepLimitClassifier().fit(rows[::2], y[::2])
    found = clf.contributions(rows[1:6])
    for row in range(5):
        display = AttributionDisplay.from_contributions(found, row)
        for c, label in enumerate(found.labels):
            expected = found.class_shares[row, c]
            assert display.totals.get(str(label), 0.0) == pytest.approx(expected, abs=1e-12)


def test_a_class_without_a_named_example_is_one_bar(moons: dl.HilbertClassifier) -> None:
    display = AttributionDisplay.from_estimator(moons, ROW, top=1)
    assert [s.name for s in display.shares].count("others") == 1
    assert sum(s.name.startswith("all of ") for s in display.shares) == 1


def test_all_named_leaves_no_rest(moons: dl.HilbertClassifier) -> None:
    display = AttributionDisplay.from_estimator(moons, ROW, top=80)
    assert not any(s.rest for s in display.shares)


def test_coincident_examples_decide_alone(moons: dl.HilbertClassifier) -> None:
    display = AttributionDisplay.from_estimator(moons, X[7])
    assert [(s.name, s.value) for s in display.shares] == [("example 7", 1.0)]
    assert display.title.endswith("by examples that coincide with it")


def test_shares_against_a_class_point_the_other_way() -> None:
    # Odd kernels of a network have a sign: opposite examples speak against their class.
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((30, 2))
    clf = dl.DeepLimitClassifier("erf", projection="normalize").fit(rows, rows[:, 0] > 0.3)
    display = AttributionDisplay.from_estimator(clf, [1.0, 0.2], top=30).plot()
    assert min(s.value for s in display.shares) < 0.0
    found = clf.contributions([[1.0, 0.2]], top=30)
    for c, label in enumerate(found.labels):
        assert display.totals[str(label)] == pytest.approx(found.class_shares[0, c], abs=1e-12)


def test_columns_add_up_to_the_margin() -> None:
    rows, y = load_wine(return_X_y=True, as_frame=True)
    clf = dl.DeepLimitClassifier(exponent=4.0).fit(rows, y)
    found = clf.columns(rows.iloc[:2] + 0.1, n_orders=8)
    display = AttributionDisplay.from_columns(found, row=1, top=4).plot()
    assert display.totals["margin"] == pytest.approx(found.margin[1], abs=1e-12)
    assert display.shares[0].name == "no column"
    assert display.shares[0].value == found.base[1]
    assert display.shares[-1].name == "9 other columns"
    heaviest = int(np.argmax(np.abs(found.shares[1])))
    assert display.shares[1].name.startswith(found.names[heaviest] + " = ")
    assert display.shares[1].error == found.errors[1, heaviest]
    assert display.shares[1].value == found.shares[1, heaviest]


def test_table(moons: dl.HilbertClassifier) -> None:
    display = AttributionDisplay.from_estimator(moons, ROW)
    table = display.to_pandas()
    assert list(table.columns) == ["group", "name", "share", "error", "rest"]
    assert table["share"].sum() == pytest.approx(1.0, abs=1e-12)
    assert table.groupby("group")["share"].sum().to_dict() == pytest.approx(display.totals)


def test_own_axes(moons: dl.HilbertClassifier) -> None:
    figure, ax = plt.subplots()
    display = AttributionDisplay.from_estimator(moons, ROW).plot(ax)
    assert (display.ax_, display.figure_) == (ax, figure)


def test_refusals(moons: dl.HilbertClassifier) -> None:
    draw = AttributionDisplay.from_estimator
    with pytest.raises(NotFittedError):
        draw(dl.HilbertClassifier(), ROW)
    with pytest.raises(ValueError, match="of one row; got 2"):
        draw(moons, X[:2])
    with pytest.raises(ValueError, match="at least 1"):
        draw(moons, ROW, top=0)
    with pytest.raises(TypeError, match="cannot tell which examples decide"):
        draw(LogisticRegression().fit(X, Y), ROW)
    with pytest.raises(ValueError, match="no sum of the examples"):
        draw(dl.DeepLimitClassifier("relu").fit(X, Y), ROW)
    found = moons.contributions([ROW])
    with pytest.raises(ValueError, match="row is one of 1"):
        AttributionDisplay.from_contributions(found, 1)
    columns = moons.columns([ROW])
    with pytest.raises(ValueError, match="row is one of 1"):
        AttributionDisplay.from_columns(columns, -1)
    with pytest.raises(ValueError, match="number of columns"):
        AttributionDisplay.from_columns(columns, top=0)
