"""Learning curves: means and standard errors of fits to a known distribution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import deeplimit as dl
from deeplimit.plotting import LearningCurveDisplay

ONES = {"1-NN": dl.OneNearestNeighborClassifier(), "vote": dl.MajorityVoteClassifier()}


def draw(n: int, rng: np.random.Generator) -> tuple[Any, Any]:
    y = rng.choice(["a", "b"], n)
    return rng.normal(np.where(y == "b", 1.0, 0.0)[:, None], 1.0, (n, 2)), y


def rule(X: Any) -> Any:
    return np.where(X.sum(axis=1) > 1.0, "b", "a")


@pytest.fixture(scope="module")
def display() -> LearningCurveDisplay:
    return LearningCurveDisplay.from_estimators(
        ONES, draw, sizes=[40, 10], repeats=3, bayes=rule, test_size=150, random_state=5
    )


def test_accuracies_are_those_of_the_fits(display: LearningCurveDisplay) -> None:
    assert display.sizes.tolist() == [10, 40]
    for repeat in range(3):
        rng = np.random.default_rng([5, repeat])
        X, y = draw(40, rng)
        asked, truth = draw(150, rng)
        for i, n in enumerate((10, 40)):
            distance = ((asked[:, None] - X[None, :n]) ** 2).sum(axis=2)
            nearest = y[:n][distance.argmin(axis=1)]
            assert display.accuracies["1-NN"][repeat, i] == np.mean(nearest == truth)
            labels, counts = np.unique(y[:n], return_counts=True)
            if counts[0] != counts[-1]:
                share = np.mean(truth == labels[counts.argmax()])
                assert display.accuracies["vote"][repeat, i] == share
        assert display.bayes is not None
        assert display.bayes[repeat] == np.mean(rule(asked) == truth)


def test_table(display: LearningCurveDisplay) -> None:
    table = display.to_pandas()
    assert list(table.columns) == ["name", "n", "accuracy", "standard_error", "repeats"]
    values = display.accuracies["1-NN"]
    row = table[(table["name"] == "1-NN") & (table["n"] == 40)].iloc[0]
    assert row["accuracy"] == pytest.approx(values[:, 1].mean(), rel=1e-12)
    error = np.sqrt(np.sum((values[:, 1] - values[:, 1].mean()) ** 2) / 2 / 3)
    assert row["standard_error"] == pytest.approx(error, rel=1e-12)
    assert table.iloc[-1]["name"] == "Bayes rule"
    assert np.isnan(table.iloc[-1]["n"])


def test_what_is_drawn(
    display: LearningCurveDisplay,
    overlaps: Callable[[Figure], list[tuple[str, str]]],
    outside: Callable[[Figure], list[str]],
) -> None:
    display.plot()
    bayes, *curves = [line for line in display.ax_.lines if len(line.get_ydata()) == 2][:3]
    assert display.bayes is not None
    assert bayes.get_ydata()[0] == pytest.approx(display.bayes.mean())
    for line, values in zip(curves[:1], display.accuracies.values(), strict=False):
        np.testing.assert_allclose(line.get_ydata(), values.mean(axis=0), rtol=1e-12)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["Bayes rule", "1-NN", "vote"]
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["10", "40"]
    assert overlaps(display.figure_) == []
    assert outside(display.figure_) == []


def test_a_known_accuracy_and_a_single_repeat() -> None:
    display = LearningCurveDisplay.from_estimators(
        {"vote": dl.MajorityVoteClassifier()}, draw, sizes=[5], repeats=1, bayes=0.76, test_size=20
    ).plot()
    table = display.to_pandas()
    assert table["accuracy"].tolist()[1] == 0.76
    assert table["standard_error"].isna().all()


def test_no_bayes_rule_no_line() -> None:
    display = LearningCurveDisplay.from_estimators(
        {"vote": dl.MajorityVoteClassifier()}, draw, sizes=[5, 9], repeats=2, test_size=20
    ).plot()
    assert display.bayes is None
    assert [t.get_text() for t in display.ax_.get_legend().get_texts()] == ["vote"]


def test_estimators_are_not_fitted_themselves(display: LearningCurveDisplay) -> None:
    assert not any(hasattr(clf, "classes_") for clf in ONES.values())


def test_the_papers_problems_fit() -> None:
    from deeplimit.reproduce.problems import PROBLEMS

    problem = PROBLEMS["R³"]

    def sample(n: int, rng: np.random.Generator) -> tuple[Any, Any]:
        found = problem.draw(n, 0, int(rng.integers(2**31)))
        return found.train, found.train_labels

    def best(X: Any) -> Any:
        simplex = X / X.sum(axis=1, keepdims=True)
        return np.where(problem.posterior(simplex) > 0.5, 1.0, -1.0)

    display = LearningCurveDisplay.from_estimators(
        {"Hilbert": dl.HilbertClassifier(exponent=2.0)}, sample,
        sizes=[50], repeats=2, bayes=best, test_size=400,
    )  # fmt: skip
    assert display.bayes is not None
    # The paper's Bayes rule tells 0.95 of these points right.
    assert display.bayes.mean() == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"estimators": {}}, "no estimator"),
        ({"sizes": []}, "sizes are"),
        ({"sizes": [0, 5]}, "sizes are"),
        ({"repeats": 0}, "repeats is at least 1"),
        ({"test_size": 0}, "test_size is at least 1"),
        ({"bayes": 1.5}, "bayes is an accuracy"),
    ],
)
def test_refusals(wrong: dict[str, Any], message: str) -> None:
    settings = {"estimators": ONES, "draw": draw, "sizes": [5]} | wrong
    with pytest.raises(ValueError, match=message):
        LearningCurveDisplay.from_estimators(**settings)
