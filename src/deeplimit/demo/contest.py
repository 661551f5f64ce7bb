"""The contest: classifiers beside one another on the same folds of the same data."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from deeplimit.demo.data import DataSet
from deeplimit.estimators import DeepLimitClassifier

__all__ = ["FOLDS", "Contest", "Score", "compete"]

FOLDS = 5
_NEIGHBOURS = (1, 3, 5, 9, 15)
#: Name and maker of every classifier; those of this project first.
ENTRANTS: Mapping[str, Callable[[], Any]] = {
    "DeepLimit": DeepLimitClassifier,
    "DeepLimit, singular kernel": lambda: DeepLimitClassifier(speed="paper"),
    "DeepLimit, matched network": lambda: DeepLimitClassifier("matched"),
    "1-nearest neighbour": lambda: KNeighborsClassifier(1),
    "k nearest, k by CV": lambda: GridSearchCV(
        KNeighborsClassifier(), {"n_neighbors": list(_NEIGHBOURS)}
    ),
    "logistic regression": lambda: LogisticRegression(max_iter=1000),
    "SVC (RBF), calibrated": lambda: CalibratedClassifierCV(SVC(), ensemble=False),
    "random forest": lambda: RandomForestClassifier(random_state=0),
}
OWN = frozenset(name for name in ENTRANTS if name.startswith("DeepLimit"))


@dataclass(frozen=True)
class Score:
    """What one classifier did on the folds.

    Attributes
    ----------
    name : str
    accuracies, log_losses : ndarray of shape (folds,)
        On the rows left out.
    fit_seconds, predict_seconds : float
        Means of a fold.
    """

    name: str
    accuracies: NDArray[np.float64]
    log_losses: NDArray[np.float64]
    fit_seconds: float
    predict_seconds: float

    @property
    def accuracy(self) -> float:
        """Mean of the folds."""
        return float(self.accuracies.mean())

    @property
    def log_loss(self) -> float:
        """Mean of the folds, in nats."""
        return float(self.log_losses.mean())

    @property
    def standard_error(self) -> float:
        """Of the accuracy, from the spread of the folds."""
        return float(self.accuracies.std(ddof=1) / np.sqrt(self.accuracies.size))


@dataclass(frozen=True)
class Contest:
    """All scores on one data set.

    Attributes
    ----------
    data : DataSet
    scores : tuple of Score
    """

    data: DataSet
    scores: tuple[Score, ...]

    def best(self, measure: str, own: bool) -> Score:
        """Give the best of this project's classifiers, or of the others.

        Parameters
        ----------
        measure : {"accuracy", "log_loss"}
        own : bool

        Returns
        -------
        Score
        """
        sign = -1.0 if measure == "accuracy" else 1.0
        entrants = [s for s in self.scores if (s.name in OWN) == own]
        return min(entrants, key=lambda score: sign * float(getattr(score, measure)))

    def verdict(self) -> str:
        """Say who is ahead, whoever it is, and by how much."""
        ours, theirs = self.best("accuracy", True), self.best("accuracy", False)
        gaps = ours.accuracies - theirs.accuracies
        gap, error = float(gaps.mean()), float(gaps.std(ddof=1) / np.sqrt(gaps.size))
        if abs(gap) <= 1e-12:
            first = f"{ours.name} and {theirs.name} are level at the top ({ours.accuracy:.4f})"
        else:
            ahead, behind = (ours, theirs) if gap > 0.0 else (theirs, ours)
            clear = "clearly" if abs(gap) > 2.0 * error else "but within the noise of the folds"
            first = (
                f"{ahead.name} is ahead ({ahead.accuracy:.4f}; {behind.name} "
                f"{behind.accuracy:.4f}), {clear}: the difference is {abs(gap):.4f} with "
                f"a standard error of {error:.4f}"
            )
        ours, theirs = self.best("log_loss", True), self.best("log_loss", False)
        ahead, behind = (ours, theirs) if ours.log_loss < theirs.log_loss else (theirs, ours)
        return (
            f"In accuracy {first}. In log-loss {ahead.name} is ahead "
            f"({ahead.log_loss:.4f}; {behind.name} {behind.log_loss:.4f})."
        )


def folds(data: DataSet) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Give the rows to fit and to judge of every fold, the same for all classifiers."""
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return list(splitter.split(data.X, data.y))


def compete(data: DataSet, progress: Callable[[str], None]) -> Contest:
    """Score every classifier by cross-validation.

    Parameters
    ----------
    data : DataSet
        What to learn.
    progress : callable
        Called with a line before each classifier.

    Returns
    -------
    Contest
    """
    scores = []
    for name, make in ENTRANTS.items():
        progress(f"{data.name}: {name}")
        scores.append(_score(name, make, data))
    return Contest(data, tuple(scores))


def _score(name: str, make: Callable[[], Any], data: DataSet) -> Score:
    accuracies, losses, fitting, predicting = [], [], 0.0, 0.0
    for fit, judge in folds(data):
        # Scaled by the rows to fit alone, and alike for all.
        model = make_pipeline(StandardScaler(), make())
        start = time.perf_counter()
        model.fit(data.X[fit], data.y[fit])
        middle = time.perf_counter()
        shares = model.predict_proba(data.X[judge])
        end = time.perf_counter()
        accuracies.append(np.mean(model.classes_[np.argmax(shares, axis=1)] == data.y[judge]))
        losses.append(log_loss(data.y[judge], shares, labels=model.classes_))
        fitting += middle - start
        predicting += end - middle
    return Score(name, np.array(accuracies), np.array(losses), fitting / FOLDS, predicting / FOLDS)
