"""Reasons: which examples made a decision, and the proof that their shares are what they say.

They are those of the singular kernel: of a pool a part is solved, and without an example the others
weigh something else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from deeplimit.demo.contest import folds
from deeplimit.demo.data import DataSet
from deeplimit.estimators import DeepLimitClassifier

__all__ = ["Decision", "decisions"]

_TOP = 5


@dataclass(frozen=True, eq=False)
class Decision:
    """A decision on a row left out, with its reasons.

    Attributes
    ----------
    kind : {"sure", "close", "wrong"}
    row : int
        Of the data set.
    predicted, truth : str
    probability, runner_up : float
        Of the predicted class and of the next.
    second : str
        The next class.
    examples : ndarray of int, shape (5,)
        Rows of the data set that weigh most.
    labels : tuple of str
        Their classes.
    shares : ndarray of shape (5,)
        Their parts of the score.
    removal_error : float
        Largest difference between the probabilities without the first example, as a new fit gives
        them, and as its share says.
    """

    kind: str
    row: int
    predicted: str
    truth: str
    probability: float
    runner_up: float
    second: str
    examples: NDArray[np.int64]
    labels: tuple[str, ...]
    shares: NDArray[np.float64]
    removal_error: float

    @property
    def sentence(self) -> str:
        """What was decided."""
        right = "rightly" if self.predicted == self.truth else f"in truth {self.truth}"
        return (
            f"{self.kind.capitalize()}: row {self.row} is taken for {self.predicted} ({right}), "
            f"with probability {self.probability:.4f}, before {self.second} with "
            f"{self.runner_up:.4f}."
        )


def decisions(data: DataSet) -> list[Decision]:
    """Explain a sure, a close and a wrong decision of the singular kernel on the first fold.

    Parameters
    ----------
    data : DataSet
        What to learn.

    Returns
    -------
    list of Decision
        Without the wrong one if there is none.
    """
    fit, judge = folds(data)[0]
    scaler = StandardScaler().fit(data.X[fit])
    X, Q = scaler.transform(data.X[fit]), scaler.transform(data.X[judge])
    model = DeepLimitClassifier(speed="paper").fit(X, data.y[fit])
    # A row that coincides with an example is decided by it alone: no reason to look further.
    new = ~model.contributions(Q, top=1).exact
    judge, Q = judge[new], Q[new]
    shares = model.predict_proba(Q)
    order = np.argsort(-shares, axis=1, kind="stable")
    at = np.arange(len(Q))
    first, second = shares[at, order[:, 0]], shares[at, order[:, 1]]
    right = model.classes_[order[:, 0]] == data.y[judge]
    chosen = {
        "sure": int(np.argmax(np.where(right, first, -1.0))),
        "close": int(np.argmin(np.where(right, first - second, 2.0))),
        # Of the wrong ones the most confident: the hardest to excuse.
        "wrong": int(np.argmax(np.where(right, -1.0, first))),
    }
    if right.all():
        del chosen["wrong"]
    found = []
    for kind, i in chosen.items():
        reasons = model.contributions(Q[[i]], top=_TOP)
        found.append(
            Decision(
                kind=kind,
                row=int(judge[i]),
                predicted=str(model.classes_[order[i, 0]]),
                truth=str(data.y[judge[i]]),
                probability=float(first[i]),
                runner_up=float(second[i]),
                second=str(model.classes_[order[i, 1]]),
                examples=fit[reasons.indices[0]],
                labels=tuple(str(label) for label in reasons.classes[0]),
                shares=reasons.shares[0],
                removal_error=_without_first(model, X, data.y[fit], Q[[i]]),
            )
        )
    return found


def _without_first(
    model: DeepLimitClassifier, X: NDArray[np.float64], y: NDArray[np.str_], q: NDArray[np.float64]
) -> float:
    """Fit anew without the heaviest example and compare with what its share predicts."""
    reasons = model.contributions(q, top=1)
    gone, share = int(reasons.indices[0, 0]), float(reasons.shares[0, 0])
    # The score of the example's class is less by its share, and all are divided by what is left.
    expected = model.predict_proba(q)[0]
    expected[model.classes_ == reasons.classes[0, 0]] -= share
    expected /= 1.0 - share
    rest = np.arange(len(X)) != gone
    again = DeepLimitClassifier(exponent=model.exponent_).fit(X[rest], y[rest])
    return float(np.abs(again.predict_proba(q)[0] - expected).max())
