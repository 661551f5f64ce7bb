"""Calibration: reliability, its intervals, confidences and their error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_wine, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

import deeplimit as dl
from deeplimit.plotting import CalibrationDisplay

X, Y = make_classification(300, n_features=4, flip_y=0.2, random_state=0)


@pytest.fixture(scope="module")
def held_out() -> CalibrationDisplay:
    return CalibrationDisplay.from_estimator(
        LogisticRegression().fit(X[:100], Y[:100]), X[100:], Y[100:]
    )


def test_groups_of_rows_held_out(held_out: CalibrationDisplay) -> None:
    clf = LogisticRegression().fit(X[:100], Y[:100])
    P = clf.predict_proba(X[100:])
    confidence, right = P.max(axis=1), clf.classes_[P.argmax(axis=1)] == Y[100:]
    # Twenty rows in each tenth, since no two confidences are equal.
    order = np.argsort(confidence).reshape(10, 20)
    error = 0.0
    for group, found in zip(order, held_out.quality.bins, strict=True):
        p, n, z = right[group].mean(), 20, 1.96
        centre, spread = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        assert found.confidence == pytest.approx(confidence[group].mean(), rel=1e-12)
        assert found.accuracy == pytest.approx(p, rel=1e-12)
        assert found.low == pytest.approx((centre - spread) / (1 + z**2 / n), abs=1e-12)
        assert found.high == pytest.approx((centre + spread) / (1 + z**2 / n), abs=1e-12)
        error += abs(confidence[group].mean() - p) / 10
    assert held_out.error == pytest.approx(error, rel=1e-9)
    assert held_out.weights.sum() == 200
    counts = np.histogram(confidence, bins=held_out.edges)[0]
    np.testing.assert_array_equal(held_out.weights, counts)


def test_examples_are_left_out_where_there_are_no_others() -> None:
    rows, y = load_wine(return_X_y=True)
    names = np.array(["red", "rose", "white"])[y]
    for clf in (dl.DeepLimitClassifier(exponent=4.0), dl.DeepLimitClassifier()):
        clf.fit(rows, names)
        display = CalibrationDisplay.from_estimator(clf)
        said = clf.leave_one_out()
        confidence = said.probabilities.max(axis=1)
        mass = np.array([b.mass for b in display.quality.bins])
        mean = np.array([b.confidence for b in display.quality.bins])
        assert mass @ mean == pytest.approx(confidence.sum(), rel=1e-12)
        told = np.array([b.accuracy for b in display.quality.bins])
        assert mass @ told == pytest.approx(said.right.sum(), rel=1e-12)
        # Said once in the library: the card has the same figures.
        assert display.error == clf.report().quality.measures[3].value


def test_weights_are_rows(held_out: CalibrationDisplay) -> None:
    clf = LogisticRegression().fit(X[:100], Y[:100])
    twice = np.concatenate([X[100:], X[100:]]), np.concatenate([Y[100:], Y[100:]])
    one = CalibrationDisplay.from_estimator(clf, X[100:], Y[100:], sample_weight=np.full(200, 2.0))
    two = CalibrationDisplay.from_estimator(clf, *twice)
    assert one.error == pytest.approx(two.error, rel=1e-12)
    np.testing.assert_allclose(one.weights, two.weights)
    assert one.error == pytest.approx(held_out.error, rel=1e-12)


def test_what_is_drawn(
    held_out: CalibrationDisplay,
    overlaps: Callable[[Figure], list[tuple[str, str]]],
    outside: Callable[[Figure], list[str]],
) -> None:
    display = held_out.plot()
    ax = display.axes_["reliability"]
    (curve,) = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(curve.get_xdata(), [b.confidence for b in held_out.quality.bins])
    np.testing.assert_array_equal(curve.get_ydata(), [b.accuracy for b in held_out.quality.bins])
    assert ax.get_title().startswith(f"calibration error {held_out.error:.3f}")
    heights = [bar.get_height() for bar in display.axes_["confidence"].patches]
    np.testing.assert_array_equal(heights, held_out.weights)
    assert overlaps(display.figure_) == []
    assert outside(display.figure_) == []


def test_table(held_out: CalibrationDisplay) -> None:
    table = held_out.to_pandas()
    assert list(table.columns) == [
        "panel", "confidence", "accuracy", "low", "high", "from", "to", "weight",
    ]  # fmt: skip
    curve = table[table["panel"] == "reliability"]
    assert curve["accuracy"].tolist() == [b.accuracy for b in held_out.quality.bins]
    histogram = table[table["panel"] == "confidence"]
    np.testing.assert_array_equal(histogram["to"], held_out.edges[1:])
    np.testing.assert_array_equal(histogram["weight"], held_out.weights)


def test_fewer_groups() -> None:
    clf = LogisticRegression().fit(X[:100], Y[:100])
    display = CalibrationDisplay.from_estimator(clf, X[100:], Y[100:], n_bins=4)
    assert [b.mass for b in display.quality.bins] == [50.0] * 4
    (one,) = CalibrationDisplay.from_estimator(clf, X[100:], Y[100:], n_bins=1).quality.bins
    assert one.accuracy == clf.score(X[100:], Y[100:])
    assert one.confidence == pytest.approx(clf.predict_proba(X[100:]).max(axis=1).mean())


def test_refusals() -> None:
    draw = CalibrationDisplay.from_estimator
    clf = LogisticRegression().fit(X, Y)
    with pytest.raises(ValueError, match="n_bins is a number of groups"):
        draw(clf, X, Y, n_bins=0)
    with pytest.raises(NotFittedError):
        draw(dl.HilbertClassifier())
    with pytest.raises(TypeError, match="no predict_proba"):
        draw(LinearSVC().fit(X, Y), X, Y)
    with pytest.raises(ValueError, match="cannot leave its examples out"):
        draw(clf)
    with pytest.raises(ValueError, match="X and y belong together"):
        draw(clf, X)
    with pytest.raises(ValueError, match="sample_weight is of rows held out"):
        draw(dl.HilbertClassifier(exponent=1.0).fit(X, Y), sample_weight=np.ones(300))
    with pytest.raises(ValueError, match="never saw: 7"):
        draw(clf, X[:2], [0, 7])
    with pytest.raises(ValueError, match="one class only"):
        draw(dl.HilbertClassifier(exponent=1.0).fit(X, np.zeros(300)))
    with pytest.raises(ValueError, match="no sum of the examples"):
        draw(dl.DeepLimitClassifier("relu").fit(X, Y))
