"""Reasons are those of the classifier, and their check can fail."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from deeplimit import DeepLimitClassifier
from deeplimit.demo import Demonstration
from deeplimit.demo import reasons as module
from deeplimit.demo.contest import folds
from deeplimit.demo.data import load
from deeplimit.estimators import Contributions


def test_decisions_are_what_they_are_called(demonstration: Demonstration) -> None:
    data = load("wine")
    fit, judge = folds(data)[0]
    scaler = StandardScaler().fit(data.X[fit])
    model = DeepLimitClassifier(speed="paper").fit(scaler.transform(data.X[fit]), data.y[fit])
    shares = np.sort(model.predict_proba(scaler.transform(data.X[judge])), axis=1)
    sure, close, wrong = demonstration.decisions
    assert sure.predicted == sure.truth == data.y[sure.row]
    assert close.predicted == close.truth == data.y[close.row]
    assert wrong.predicted != wrong.truth == data.y[wrong.row]
    assert sure.probability == pytest.approx(shares[:, -1].max())
    assert {sure.row, close.row, wrong.row} <= set(judge.tolist())
    for decision in demonstration.decisions:
        assert set(decision.examples.tolist()) <= set(fit.tolist())
        assert list(decision.labels) == data.y[decision.examples].tolist()
        at = scaler.transform(data.X[[decision.row]])
        distances = np.linalg.norm(scaler.transform(data.X[decision.examples]) - at, axis=1)
        # The nearest weigh most, by the power of their distances.
        ratios = (distances / distances[0]) ** -float(model.exponent_)
        np.testing.assert_allclose(decision.shares / decision.shares[0], ratios, rtol=1e-9)


def test_removal_is_as_the_share_says(demonstration: Demonstration) -> None:
    assert max(decision.removal_error for decision in demonstration.decisions) < 1e-10


def test_a_wrong_share_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = DeepLimitClassifier.contributions

    def flattered(self: DeepLimitClassifier, X: object, top: int = 5) -> Contributions:
        found = honest(self, X, top)
        return dataclasses.replace(found, shares=found.shares * 0.999)

    monkeypatch.setattr(DeepLimitClassifier, "contributions", flattered)
    assert max(d.removal_error for d in module.decisions(load("wine"))) > 1e-6


def test_no_wrong_decision_no_reason_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load("wine")
    fit, judge = folds(data)[0]
    wrong = module.decisions(data)[2]
    # Of the rows fitted on, none is judged; of the others the wrong ones are left out here.
    left = judge[judge != wrong.row]
    monkeypatch.setattr(module, "folds", lambda data: [(fit, np.append(left, fit))])
    assert [d.kind for d in module.decisions(data)] == ["sure", "close"]
