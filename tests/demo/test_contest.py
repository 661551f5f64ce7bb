"""Scores are what scikit-learn's own cross-validation gives, and verdicts are honest."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deeplimit import DeepLimitClassifier
from deeplimit.demo import Demonstration
from deeplimit.demo.contest import ENTRANTS, Contest, Score
from deeplimit.demo.data import load


@pytest.mark.parametrize(
    ("name", "classifier"),
    [
        ("DeepLimit", DeepLimitClassifier()),
        ("DeepLimit, singular kernel", DeepLimitClassifier(speed="paper")),
        ("1-nearest neighbour", KNeighborsClassifier(1)),
    ],
)
def test_scores_are_those_of_cross_validation(
    demonstration: Demonstration, name: str, classifier: object
) -> None:
    data = load("wine")
    found = cross_validate(
        make_pipeline(StandardScaler(), classifier),
        data.X,
        data.y,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        scoring=("accuracy", "neg_log_loss"),
    )
    (score,) = (s for s in demonstration.contests[1].scores if s.name == name)
    np.testing.assert_allclose(score.accuracies, found["test_accuracy"], rtol=1e-12)
    np.testing.assert_allclose(score.log_losses, -found["test_neg_log_loss"], rtol=1e-9)
    spread = found["test_accuracy"].std(ddof=1) / 5**0.5
    assert score.standard_error == pytest.approx(spread)
    assert score.fit_seconds > 0.0
    assert score.predict_seconds > 0.0


def test_all_enter(demonstration: Demonstration) -> None:
    for contest in demonstration.contests:
        assert [score.name for score in contest.scores] == list(ENTRANTS)


def _contest(ours: list[float], theirs: list[float], losses: tuple[float, float]) -> Contest:
    def score(name: str, accuracies: list[float], loss: float) -> Score:
        return Score(name, np.array(accuracies), np.full(len(accuracies), loss), 0.1, 0.1)

    entrants = (score("DeepLimit", ours, losses[0]), score("random forest", theirs, losses[1]))
    return Contest(load("iris"), entrants)


@pytest.mark.parametrize(
    ("ours", "theirs", "losses", "told"),
    [
        ([0.9, 0.92], [0.8, 0.82], (0.1, 0.2), ["DeepLimit is ahead (0.9100", "clearly"]),
        ([0.8, 0.82], [0.9, 0.92], (0.2, 0.1), ["random forest is ahead (0.9100", "clearly"]),
        ([0.9, 0.8], [0.8, 0.92], (0.1, 0.2), ["random forest is ahead", "within the noise"]),
        ([0.9, 0.8], [0.8, 0.9], (0.1, 0.2), ["level at the top (0.8500)"]),
    ],
)
def test_the_verdict_is_honest(
    ours: list[float], theirs: list[float], losses: tuple[float, float], told: list[str]
) -> None:
    verdict = _contest(ours, theirs, losses).verdict()
    assert all(words in verdict for words in told)
    ahead = "DeepLimit" if losses[0] < losses[1] else "random forest"
    assert f"In log-loss {ahead} is ahead ({min(losses):.4f}" in verdict
