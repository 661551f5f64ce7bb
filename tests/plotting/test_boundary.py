"""Decision boundaries: the probabilities of a grid, blended, with the examples on top."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from sklearn.datasets import make_blobs, make_moons
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

import deeplimit as dl
from deeplimit.plotting import DecisionBoundaryDisplay
from deeplimit.plotting.style import series

X, Y = make_moons(60, noise=0.2, random_state=0)


@pytest.fixture(scope="module")
def moons() -> dl.HilbertClassifier:
    return dl.HilbertClassifier(exponent=2.0).fit(X, np.array(["no", "yes"])[Y])


def test_probabilities_are_the_smoothers(moons: dl.HilbertClassifier) -> None:
    display = DecisionBoundaryDisplay.from_estimator(moons, resolution=15)
    for i, j in ((0, 0), (3, 11), (14, 7)):
        place = np.array([display.x[j], display.y[i]])
        weight = np.sum((X - place) ** 2, axis=1) ** -1.0
        share = weight[Y == 1].sum() / weight.sum()
        assert display.probabilities[i, j, 1] == pytest.approx(share, rel=1e-12)
    np.testing.assert_array_equal(display.examples, X)
    assert display.labels is not None
    assert display.labels.tolist() == np.array(["no", "yes"])[Y].tolist()
    margin = 0.1 * np.ptp(X, axis=0)
    assert display.x[[0, -1]] == pytest.approx(
        [X[:, 0].min() - margin[0], X[:, 0].max() + margin[0]]
    )


def test_colours_fade_to_the_background_where_nothing_is_decided() -> None:
    P = np.array([[[1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]], [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]])
    display = DecisionBoundaryDisplay(
        np.arange(2.0), np.arange(2.0), P, np.array(list("abc")), ("u", "v"), np.zeros((1, 2)), None
    )
    ground = np.array([0.2, 0.4, 0.6])
    found = display.colors(ground)
    hues = np.array([to_rgb(series(c).color) for c in range(3)])
    np.testing.assert_allclose(found[0, 0], (ground + hues[0]) / 2, rtol=1e-12)
    np.testing.assert_allclose(found[0, 1], ground, rtol=1e-12)
    np.testing.assert_allclose(found[1, 1], (ground + hues[2]) / 2, rtol=1e-12)
    # Half of 1/2 above a third, over two thirds, is an eighth of each.
    expected = ground + (hues[0] - ground) / 8 + (hues[1] - ground) / 8
    np.testing.assert_allclose(found[1, 0], expected, rtol=1e-12)


def test_lines_lie_where_the_probability_is_the_level(
    overlaps: Callable[[Figure], list[tuple[str, str]]],
    outside: Callable[[Figure], list[str]],
) -> None:
    clf = LogisticRegression().fit(X, Y)
    display = DecisionBoundaryDisplay.from_estimator(clf, X, Y, resolution=80, levels=[0.8]).plot()
    paths = [
        path.vertices
        for collection in display.ax_.collections
        for path in collection.get_paths()
        if len(path.vertices)
    ]
    levels = sorted({round(float(np.median(clf.predict_proba(p)[:, 1])), 2) for p in paths})
    assert levels == [0.2, 0.5, 0.8]
    for path in paths:
        assert np.ptp(clf.predict_proba(path)[:, 1]) < 2e-3
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["0", "1", "P = 0.8", "boundary"]
    assert overlaps(display.figure_) == []
    assert outside(display.figure_) == []


def test_several_classes_and_named_columns() -> None:
    rows, y = make_blobs(80, centers=4, random_state=0)
    frame = pd.DataFrame(rows, columns=["width", "height"])
    for clf in (dl.DeepLimitClassifier().fit(frame, y), LogisticRegression().fit(frame, y)):
        display = DecisionBoundaryDisplay.from_estimator(clf, frame, y, resolution=8).plot()
        assert display.probabilities.shape == (8, 8, 4)
        assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("width", "height")
        asked = pd.DataFrame([[display.x[5], display.y[2]]], columns=frame.columns)
        np.testing.assert_allclose(
            display.probabilities[2, 5], clf.predict_proba(asked)[0], rtol=1e-12
        )


@pytest.mark.parametrize(
    "clf",
    [
        dl.DeepLimitClassifier("relu"),
        dl.OneNearestNeighborClassifier(),
        dl.MajorityVoteClassifier(),
        dl.NetworkKernelClassifier("erf", depth=2),
    ],
    ids=lambda clf: type(clf).__name__,
)
def test_any_classifier_that_holds_its_examples(clf: dl.DeepLimitClassifier) -> None:
    clf.fit(X[:40], Y[:40])
    display = DecisionBoundaryDisplay.from_estimator(clf, resolution=6).plot()
    np.testing.assert_array_equal(display.examples, X[:40])
    clf.forget([0])
    assert len(DecisionBoundaryDisplay.from_estimator(clf, resolution=2).examples) == 39


def test_what_is_not_drawn_is_not_in_the_legend() -> None:
    clf = dl.MajorityVoteClassifier().fit(X[:30], Y[:30])
    ax = DecisionBoundaryDisplay.from_estimator(clf, X, resolution=5).plot().ax_
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["examples", "0", "1"]
    figure, own = plt.subplots()
    display = DecisionBoundaryDisplay.from_estimator(clf, resolution=5).plot(own, legend=False)
    assert own.get_legend() is None
    assert display.figure_ is figure


def test_table(moons: dl.HilbertClassifier) -> None:
    display = DecisionBoundaryDisplay.from_estimator(moons, resolution=4)
    table = display.to_pandas()
    assert list(table.columns) == ["part", "x0", "x1", "class", "P(no)", "P(yes)"]
    grid = table[table["part"] == "grid"]
    asked = grid[["x0", "x1"]].to_numpy()
    np.testing.assert_allclose(
        grid[["P(no)", "P(yes)"]].to_numpy(), moons.predict_proba(asked), rtol=1e-12
    )
    assert grid["class"].tolist() == moons.predict(asked).tolist()
    assert table[table["part"] == "example"]["P(no)"].isna().all()


def test_missing_cells_have_no_place() -> None:
    rows = X.copy()
    rows[3, 0] = np.nan
    clf = dl.DeepLimitClassifier().fit(rows, Y)
    assert len(DecisionBoundaryDisplay.from_estimator(clf, resolution=2).examples) == 59


def test_refusals(moons: dl.HilbertClassifier) -> None:
    draw = DecisionBoundaryDisplay.from_estimator
    with pytest.raises(NotFittedError):
        draw(dl.HilbertClassifier())
    three = dl.HilbertClassifier(exponent=1.0).fit(np.column_stack([X, X[:, 0]]), Y)
    with pytest.raises(ValueError, match="two columns; this classifier was fitted on 3"):
        draw(three)
    with pytest.raises(ValueError, match="one class only"):
        draw(dl.HilbertClassifier(exponent=1.0).fit(X, np.zeros(60)))
    with pytest.raises(ValueError, match="does not hold its examples"):
        draw(LogisticRegression().fit(X, Y))
    with pytest.raises(TypeError, match="no predict_proba"):
        draw(LinearSVC().fit(X, Y))
    mixed = pd.DataFrame({"size": X[:, 0], "kind": np.array(["a", "b"])[Y]})
    with pytest.raises(ValueError, match="kind is categorical"):
        draw(dl.DeepLimitClassifier().fit(mixed, Y))
    with pytest.raises(ValueError, match="columns of numbers"):
        draw(dl.DeepLimitClassifier().fit(mixed, Y), mixed)
    with pytest.raises(ValueError, match="as they were given"):
        draw(dl.DeepLimitClassifier(exponent=2.0).fit(mixed, Y))
    with pytest.raises(ValueError, match=r"X has two columns; got .* \(60,\)"):
        draw(moons, X[:, 0])
    with pytest.raises(ValueError, match="X has 60 rows, and y 5"):
        draw(moons, X, Y[:5])
    with pytest.raises(ValueError, match="without a missing cell"):
        draw(moons, [[np.nan, 1.0]])
    for wrong in ({"resolution": 1}, {"margin": -1.0}, {"levels": [1.0]}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            draw(moons, **wrong)
