"""The ranking beside others' on the same draws: pages as stand-ins for interests."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.papers.merging import Paper
from deeplimit.papers.triage import Triage
from deeplimit.papers.vectors import Vectors, vectors_of

__all__ = ["OTHERS", "OWN", "Contest", "compete"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OWN = "deeplimit"
#: Asked for by the bar; each has the settings that its library gives it.
OTHERS = ("logistic regression", "k-NN", "majority", "linear SVM")
#: Beside the bar: the same unrated papers as weak witnesses, which the other four are not given.
_INFORMED = "logistic regression, given the unrated"
_NEIGHBOURS = 3
_BINS = 10


@dataclass(frozen=True, eq=False)
class Contest:
    """What the rankings were worth.

    Parameters
    ----------
    topics : tuple of str
        The pages that stood for interests.
    likes : int
        How many papers of a topic were liked, and as many of others dismissed.
    areas : dict of str to ndarray of shape (draws,)
        Area under the ROC curve of each method, on all papers that were not rated.
    click_ms : ndarray of shape (draws,)
        Milliseconds of the processor from the last click to the new ranking.
    calibration_error : float
        Mean distance between the probability told and the share found, in ten bins of equal size.
    log_losses : tuple of float
        Mean log-loss of the probabilities, and of the constant 0.2 that is the prior.
    """

    topics: tuple[str, ...]
    likes: int
    areas: dict[str, Floats]
    click_ms: Floats
    calibration_error: float
    log_losses: tuple[float, float]

    @property
    def best_other(self) -> str:
        """The best of the four others, by the mean."""
        return max(OTHERS, key=lambda name: self.areas[name].mean())

    @property
    def lead(self) -> float:
        """How far ahead of it the ranking is."""
        return float(self.areas[OWN].mean() - self.areas[self.best_other].mean())

    def to_dict(self) -> dict[str, Any]:
        """Give the figures, ready for JSON.

        Returns
        -------
        dict
        """
        return {
            "topics": list(self.topics),
            "likes": self.likes,
            "draws": len(self.click_ms),
            "areas": {
                name: {
                    "mean": float(a.mean()),
                    "standard_error": _error(a),
                    "wins": int(np.sum(self.areas[OWN] > a)),
                }
                for name, a in self.areas.items()
            },
            "best_other": self.best_other,
            "lead": self.lead,
            "lead_standard_error": _error(self.areas[OWN] - self.areas[self.best_other]),
            "click_ms": {
                "median": float(np.median(self.click_ms)),
                "largest": float(self.click_ms.max()),
            },
            "calibration_error": self.calibration_error,
            "log_loss": self.log_losses[0],
            "log_loss_of_prior": self.log_losses[1],
        }


def compete(
    papers: Sequence[Paper],
    likes: int,
    *,
    draws: int = 20,
    seed: int = 0,
    vectors: Vectors | None = None,
) -> Contest:
    """Let the methods rank what was not rated.

    A draw takes the next page as the interest, likes some of its papers at random and dismisses as
    many of those that do not stand on it. Then all others are ranked: those of the page should come
    first. All methods see the same words; only the first and the last see the unrated papers.

    Parameters
    ----------
    papers : sequence of Paper
        `Library.papers`.
    likes : int
        How many are liked, and as many dismissed.
    draws : int, default=20
        How many draws, the pages in turn.
    seed : int, default=0
        Of the draws.
    vectors : Vectors, optional
        Of the papers, if they are at hand.

    Returns
    -------
    Contest

    Raises
    ------
    ValueError
        If no page has enough papers, or no paper stands elsewhere.
    """
    if likes < 1 or draws < 2:
        raise ValueError(f"at least 1 like and 2 draws are needed, got {likes} and {draws}.")
    vectors = vectors_of(papers) if vectors is None else vectors
    names = list(dict.fromkeys(name for paper in papers for name in paper.pages))
    members = {name: np.array([name in paper.pages for paper in papers]) for name in names}
    topics = [n for n in names if members[n].sum() >= likes + 2 <= (~members[n]).sum()]
    if not topics:
        raise ValueError(
            f"no page has {likes + 2} papers and as many that stand elsewhere; read more pages."
        )
    rng = np.random.default_rng(seed)
    areas: dict[str, list[float]] = {name: [] for name in (OWN, *OTHERS, _INFORMED)}
    clicks, told, found = [], [], []
    for draw in range(draws):
        topic = members[topics[draw % len(topics)]]
        yes = rng.choice(np.flatnonzero(topic), likes, replace=False)
        no = rng.choice(np.flatnonzero(~topic), likes, replace=False)
        rest = np.setdiff1d(np.arange(len(papers)), np.concatenate([yes, no]))
        scores, click = _own(vectors, yes, no)
        clicks.append(click)
        told.append(scores[rest])
        found.append(topic[rest])
        areas[OWN].append(_area(scores[rest], topic[rest]))
        for name, ranker in _RANKERS.items():
            areas[name].append(_area(ranker(vectors.words, yes, no, rest), topic[rest]))
    p, truth = np.concatenate(told), np.concatenate(found)
    return Contest(
        tuple(topics),
        likes,
        {name: np.array(values) for name, values in areas.items()},
        np.array(clicks),
        _calibration_error(p, truth),
        (_log_loss(p, truth), _log_loss(np.full(p.size, 0.2), truth)),
    )


def _own(vectors: Vectors, yes: Ints, no: Ints) -> tuple[Floats, float]:
    triage = Triage(vectors)
    rated = [(place, True) for place in yes] + [(place, False) for place in no]
    for place, liked in rated[:-1]:
        triage.rate(int(vectors.ids[place]), liked)
    triage.ranking()
    start = time.process_time()
    place, liked = rated[-1]
    triage.rate(int(vectors.ids[place]), liked)
    triage.ranking()
    return triage.probabilities(), 1e3 * (time.process_time() - start)


def _fitted(model: Any, words: Any, yes: Ints, no: Ints) -> Any:
    rated = np.concatenate([yes, no])
    return model.fit(words[rated], np.repeat([1, 0], [yes.size, no.size]))


def _logistic(words: Any, yes: Ints, no: Ints, rest: Ints) -> Floats:
    from sklearn.linear_model import LogisticRegression

    model = _fitted(LogisticRegression(max_iter=1000), words, yes, no)
    return np.asarray(model.decision_function(words[rest]))


def _neighbours(words: Any, yes: Ints, no: Ints, rest: Ints) -> Floats:
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(min(_NEIGHBOURS, yes.size + no.size), weights="distance")
    return np.asarray(_fitted(model, words, yes, no).predict_proba(words[rest])[:, 1])


def _majority(words: Any, yes: Ints, no: Ints, rest: Ints) -> Floats:
    return np.full(rest.size, yes.size / (yes.size + no.size))


def _svm(words: Any, yes: Ints, no: Ints, rest: Ints) -> Floats:
    from sklearn.svm import LinearSVC

    model = _fitted(LinearSVC(random_state=0), words, yes, no)
    return np.asarray(model.decision_function(words[rest]))


def _informed(words: Any, yes: Ints, no: Ints, rest: Ints) -> Floats:
    from sklearn.linear_model import LogisticRegression

    every = np.concatenate([yes, no, rest])
    rated = yes.size + no.size
    # Together the unrated weigh what all ratings do, as in the kernel sums.
    weight = np.concatenate([np.ones(rated), np.full(rest.size, rated / rest.size)])
    label = np.repeat([1, 0], [yes.size, no.size + rest.size])
    model = LogisticRegression(max_iter=1000).fit(words[every], label, sample_weight=weight)
    return np.asarray(model.decision_function(words[rest]))


_RANKERS: dict[str, Callable[[Any, Ints, Ints, Ints], Floats]] = {
    "logistic regression": _logistic,
    "k-NN": _neighbours,
    "majority": _majority,
    "linear SVM": _svm,
    _INFORMED: _informed,
}


def _area(scores: Floats, truth: NDArray[np.bool_]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores))


def _calibration_error(p: Floats, truth: NDArray[np.bool_]) -> float:
    order = np.argsort(p, kind="stable")
    return float(
        sum(
            abs(np.sum(p[part] - truth[part]))
            for part in np.array_split(order, min(_BINS, order.size))
        )
        / p.size
    )


def _log_loss(p: Floats, truth: NDArray[np.bool_]) -> float:
    p = np.clip(p, 1e-12, 1.0 - 1e-12)
    return float(-np.mean(np.where(truth, np.log(p), np.log1p(-p))))


def _error(values: Floats) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size))
