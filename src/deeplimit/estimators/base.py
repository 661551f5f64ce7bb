"""What the classifiers share: checking data, encoding labels, weighting examples."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from deeplimit.estimators.fitting import untouched_on_failure

Floats = NDArray[np.float64]


class ExampleClassifier(ClassifierMixin, BaseEstimator):
    """Base of classifiers that keep their examples and decide by scores of the classes.

    Subclasses define `_learn`, called with checked data, and `_probabilities`.
    """

    class_weight: Any = None
    priors: Any = None

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Store the examples and what their limit needs.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Examples, finite numbers.
        y : array-like of shape (n,)
            Class of each example.
        sample_weight : array-like of shape (n,), optional
            Nonnegative weight of each example; 1 if not given, and 0 is absence.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If the data are not finite, shapes do not fit, a class has no weight, or a parameter
            does not suit. The classifier is then left as it was.
        """
        with untouched_on_failure(self):
            self._fit(X, y, sample_weight)
        return self

    def _fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None) -> None:
        rows: Floats
        labels: NDArray[Any]
        rows, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        weight: Floats = _check_sample_weight(
            sample_weight, rows, dtype=np.float64, ensure_non_negative=True, copy=True
        )
        # An example of weight zero is absent, from every statistic too.
        live = np.flatnonzero(weight > 0.0)
        if not live.size:
            raise ValueError("all sample weights are zero: there is no example to learn from.")
        rows, weight = rows[live], weight[live]
        classes, index = np.unique(labels[live], return_inverse=True)
        index = np.asarray(index).ravel()
        mass = np.bincount(index, weights=weight, minlength=classes.size)
        factors = compute_class_weight(self.class_weight, classes=classes, y=classes[index])
        if self.class_weight == "balanced":
            # scikit-learn counts rows; here the weights count.
            factors = mass.sum() / (classes.size * mass)
        if self.priors is not None:
            priors = np.asarray(self.priors, dtype=np.float64)
            if priors.shape != (classes.size,) or not np.all(priors > 0):
                raise ValueError(
                    f"priors must be {classes.size} positive numbers, one for each class in the "
                    f"order of classes_; got {self.priors!r}."
                )
            factors = factors * priors / priors.sum() * mass.sum() / mass
        self.classes_ = classes
        self._X = np.ascontiguousarray(rows)
        self._index = index.astype(np.int64)
        self._origin = live
        self._sample_weight = weight
        self._weight = weight * np.asarray(factors, dtype=np.float64)[index]
        self.class_mass_ = np.bincount(index, weights=self._weight, minlength=classes.size)
        self._learn()

    def _learn(self) -> None:
        raise NotImplementedError

    def _make_rule(self) -> Any:
        """Make the decision rule from the fitted attributes, where there is one."""
        raise NotImplementedError

    #: Attributes that a saved model leaves out, being made again of the others.
    _transient = frozenset({"_decision_rule"})

    @property
    def _rule(self) -> Any:
        """The decision rule, made anew after loading."""
        if "_decision_rule" not in self.__dict__:  # just loaded
            self._decision_rule = self._make_rule()
        return self._decision_rule

    def _scores(self, X: Floats) -> tuple[NDArray[np.int64], Floats]:
        """Winner and score of each class for each row."""
        raise NotImplementedError

    def _queries(self, X: ArrayLike) -> Floats:
        check_is_fitted(self)
        checked: Floats = validate_data(self, X, dtype=np.float64, reset=False)
        return checked

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the class of each row.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.

        Returns
        -------
        ndarray of shape (m,)
            Classes.
        """
        X = self._queries(X)
        return np.asarray(self.classes_[self._scores(X)[0]])

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Give each class's share of the score: the estimate of its probability.

        Parameters
        ----------
        X : array-like of shape (m, d)
            Rows.

        Returns
        -------
        ndarray of shape (m, n_classes)
            Rows add up to 1; the largest entry is that of the prediction.
        """
        return self._scores(self._queries(X))[1]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_index")


def clipped_shares(scores: Floats, winner: NDArray[np.int64]) -> Floats:
    """Turn real scores into shares: negative ones count as 0, and the winner's is the largest.

    Where a tie was decided otherwise the winner is raised by the last digits above its equals.
    """
    shares = np.maximum(scores, 0.0)
    total = shares.sum(axis=1, keepdims=True)
    rows = np.arange(len(shares))
    nothing = total[:, 0] <= 0.0
    shares[nothing] = 0.0
    shares[rows[nothing], winner[nothing]] = 1.0
    total[nothing] = 1.0
    shares /= total
    others = shares.copy()
    others[rows, winner] = -1.0
    rival = others.max(axis=1, initial=-1.0)
    behind = np.flatnonzero(shares[rows, winner] <= rival)
    shares[behind, winner[behind]] = rival[behind] * (1.0 + 2.0**-50)
    shares[behind] /= shares[behind].sum(axis=1, keepdims=True)
    return shares
